// SPDX-License-Identifier: GPL-2.0-only
/*
 * The part of the kernel's interface that shim/kernel.h only declares.
 */
#include <check.h>

#include "kernel.h"

long shim_allocations;
size_t shim_allocated_nbytes;
long shim_fail_in;

void shim_warn(const char *condition)
{
	ck_abort_msg("WARN_ON(%s)", condition);
}

struct block {
	size_t nbytes;
	size_t unused;		/* keeps the memory behind it aligned */
};

void *shim_alloc(size_t nbytes)
{
	struct block *block;

	if (shim_fail_in && !--shim_fail_in)
		return NULL;
	block = malloc(sizeof(*block) + nbytes);
	if (!block)
		abort();
	block->nbytes = nbytes;
	shim_allocations++;
	shim_allocated_nbytes += nbytes;
	return block + 1;
}

void shim_free(void *memory)
{
	struct block *block = (struct block *)memory - 1;

	if (!memory)
		return;
	shim_allocations--;
	shim_allocated_nbytes -= block->nbytes;
	free(block);
}

struct rb_node *rb_first(const struct rb_root *root)
{
	struct rb_node *node = root->rb_node;

	while (node && node->rb_left)
		node = node->rb_left;
	return node;
}

struct rb_node *rb_next(const struct rb_node *node)
{
	if (node->rb_right)
		return rb_first(&(struct rb_root){ node->rb_right });
	while (node->rb_parent && node == node->rb_parent->rb_right)
		node = node->rb_parent;
	return node->rb_parent;
}

static void replace(struct rb_root *root, struct rb_node *node, struct rb_node *by)
{
	if (!node->rb_parent)
		root->rb_node = by;
	else if (node->rb_parent->rb_left == node)
		node->rb_parent->rb_left = by;
	else
		node->rb_parent->rb_right = by;
	if (by)
		by->rb_parent = node->rb_parent;
}

void rb_erase(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *next;

	if (!node->rb_left || !node->rb_right) {
		replace(root, node, node->rb_left ? node->rb_left : node->rb_right);
		return;
	}
	next = rb_next(node);
	replace(root, next, next->rb_right);
	replace(root, node, next);
	next->rb_left = node->rb_left;
	next->rb_right = node->rb_right;
	if (next->rb_left)
		next->rb_left->rb_parent = next;
	if (next->rb_right)
		next->rb_right->rb_parent = next;
}

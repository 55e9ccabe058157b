// SPDX-License-Identifier: GPL-2.0-only
/*
 * Search trees; shim/tree.h declares them.
 */
#include "kernel.h"
#include "lib_run.h"
#include "base/steps.h"

unsigned long shim_nsteps;
static unsigned int nsteps;		/* since the last spinlock was taken */

void steps_begin(void)
{
	nsteps = 0;
}

void steps_count(void)
{
	shim_nsteps++;
	if (shim_atomic && ++nsteps > STEPS_AT_ONCE)
		ck_abort_msg("too much under a spinlock (SEED=%lu)", run_seed);
}

void rb_link_node(struct rb_node *node, struct rb_node *parent, struct rb_node **link)
{
	static unsigned long seed;

	*node = (struct rb_node){
		.rb_parent = parent, .weight = random_below(&seed, UINT_MAX),
	};
	*link = node;
}

struct rb_node *rb_first(const struct rb_root *root)
{
	struct rb_node *node = root->rb_node;

	while (node && node->rb_left)
		node = node->rb_left;
	return node;
}

struct rb_node *rb_last(const struct rb_root *root)
{
	struct rb_node *node = root->rb_node;

	while (node && node->rb_right)
		node = node->rb_right;
	return node;
}

struct rb_node *rb_next(const struct rb_node *node)
{
	steps_count();
	if (node->rb_right)
		return rb_first(&(struct rb_root){ node->rb_right });
	while (node->rb_parent && node == node->rb_parent->rb_right)
		node = node->rb_parent;
	return node->rb_parent;
}

struct rb_node *rb_prev(const struct rb_node *node)
{
	steps_count();
	if (node->rb_left)
		return rb_last(&(struct rb_root){ node->rb_left });
	while (node->rb_parent && node == node->rb_parent->rb_left)
		node = node->rb_parent;
	return node->rb_parent;
}

static struct rb_node *deepest_left(struct rb_node *node)
{
	while (node && (node->rb_left || node->rb_right))
		node = node->rb_left ? node->rb_left : node->rb_right;
	return node;
}

struct rb_node *rb_first_postorder(const struct rb_root *root)
{
	return deepest_left(root->rb_node);
}

struct rb_node *rb_next_postorder(const struct rb_node *node)
{
	struct rb_node *parent = node->rb_parent;

	steps_count();
	if (parent && node == parent->rb_left && parent->rb_right)
		return deepest_left(parent->rb_right);
	return parent;
}

/* Puts @by, which can be NULL, in the place of @node under its parent. */
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

/* Makes @node the parent of its parent. */
static void rotate_up(struct rb_root *root, struct rb_node *node,
		      const struct rb_augment_callbacks *augment)
{
	struct rb_node *parent = node->rb_parent;
	struct rb_node *moved;

	replace(root, parent, node);
	if (parent->rb_left == node) {
		moved = node->rb_right;
		parent->rb_left = moved;
		node->rb_right = parent;
	} else {
		moved = node->rb_left;
		parent->rb_right = moved;
		node->rb_left = parent;
	}
	parent->rb_parent = node;
	if (moved)
		moved->rb_parent = parent;
	if (augment)
		augment->rotate(parent, node);
}

void rb_insert_augmented(struct rb_node *node, struct rb_root *root,
			 const struct rb_augment_callbacks *augment)
{
	while (node->rb_parent && node->rb_parent->weight < node->weight)
		rotate_up(root, node, augment);
}

void rb_erase_augmented(struct rb_node *node, struct rb_root *root,
			const struct rb_augment_callbacks *augment)
{
	while (node->rb_left && node->rb_right)
		rotate_up(root, node->rb_left->weight > node->rb_right->weight ?
			  node->rb_left : node->rb_right, augment);
	replace(root, node, node->rb_left ? node->rb_left : node->rb_right);
	if (augment)
		augment->propagate(node->rb_parent, NULL);
}

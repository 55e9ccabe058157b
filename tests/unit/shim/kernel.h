/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the pure files of the module need of the kernel, for a program on the host. Every
 * <linux/...> of this directory is this file. Allocations are counted, and can be made
 * to fail; lib_shim.c has the rest.
 */
#ifndef SHIM_KERNEL_H
#define SHIM_KERNEL_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef uint32_t u32;
typedef uint64_t u64;
typedef unsigned int gfp_t;

#define __maybe_unused		__attribute__((unused))
#define __aligned(n)		__attribute__((aligned(n)))
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define ALIGN(x, a)		(((x) + (a) - 1) / (a) * (a))
#define min(a, b)		((a) < (b) ? (a) : (b))
#define min_t(type, a, b)	((type)(a) < (type)(b) ? (type)(a) : (type)(b))
#define max_t(type, a, b)	((type)(a) > (type)(b) ? (type)(a) : (type)(b))
#define container_of(pointer, type, member) \
	((type *)((char *)(pointer) - offsetof(type, member)))

/* A warning of the code under test fails the test. */
#define WARN_ON(condition)	((condition) ? shim_warn(#condition), true : false)
#define WARN_ON_ONCE(condition)	WARN_ON(condition)
void shim_warn(const char *condition);

#define GFP_KERNEL_ACCOUNT	0
extern long shim_allocations;		/* blocks not yet freed */
extern size_t shim_allocated_nbytes;	/* in them, as asked for */
extern long shim_fail_in;		/* the n-th allocation from now on fails; 0: none */
void *shim_alloc(size_t nbytes);
void shim_free(void *block);

static inline void *kmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	return shim_alloc(n * size);
}

static inline void *kzalloc(size_t nbytes, gfp_t gfp)
{
	void *block = shim_alloc(nbytes);

	return block ? memset(block, 0, nbytes) : NULL;
}

#define kvmalloc_array(n, size, gfp)	kmalloc_array(n, size, gfp)
#define kfree(block)			shim_free(block)
#define kvfree(block)			shim_free(block)

/* Locks: that they are held where they must be is checked all the same. */
typedef struct {
	bool held;
} spinlock_t;

#define spin_lock_init(lock)		((lock)->held = false)
#define spin_lock(lock)			(WARN_ON((lock)->held), (lock)->held = true)
#define spin_unlock(lock)		(WARN_ON(!(lock)->held), (lock)->held = false)
#define lockdep_assert_held(lock)	WARN_ON(!(lock)->held)

/* A search tree with the kernel's interface; it does not bother to balance. */
struct rb_node {
	struct rb_node *rb_parent;
	struct rb_node *rb_left;
	struct rb_node *rb_right;
};

struct rb_root {
	struct rb_node *rb_node;
};

struct rb_root_cached {
	struct rb_root rb_root;
};

#define RB_ROOT				((struct rb_root){ NULL })
#define RB_ROOT_CACHED			((struct rb_root_cached){ { NULL } })
#define RB_EMPTY_ROOT(root)		(!(root)->rb_node)
#define rb_entry(pointer, type, member)	container_of(pointer, type, member)
#define rb_insert_color(node, root)	((void)(node), (void)(root))

static inline void rb_link_node(struct rb_node *node, struct rb_node *parent,
				struct rb_node **link)
{
	*node = (struct rb_node){ .rb_parent = parent };
	*link = node;
}

struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *node);
void rb_erase(struct rb_node *node, struct rb_root *root);

/* An interval tree that looks at every interval, by ascending start. */
#define INTERVAL_TREE_DEFINE(type, rb, itype, subtree, start, last, scope, prefix)	\
scope type *prefix##_scan(struct rb_node *node, itype from, itype to)			\
{											\
	for (; node; node = rb_next(node)) {						\
		type *entry = rb_entry(node, type, rb);					\
											\
		if (start(entry) <= to && last(entry) >= from)				\
			return entry;							\
	}										\
	return NULL;									\
}											\
											\
scope type *prefix##_iter_first(struct rb_root_cached *root, itype from, itype to)	\
{											\
	return prefix##_scan(rb_first(&root->rb_root), from, to);			\
}											\
											\
scope type *prefix##_iter_next(type *entry, itype from, itype to)			\
{											\
	return prefix##_scan(rb_next(&entry->rb), from, to);				\
}											\
											\
scope void prefix##_insert(type *entry, struct rb_root_cached *root)			\
{											\
	struct rb_node **link = &root->rb_root.rb_node, *parent = NULL;			\
											\
	while (*link) {									\
		parent = *link;								\
		link = start(entry) < start(rb_entry(parent, type, rb)) ?		\
			&parent->rb_left : &parent->rb_right;				\
	}										\
	rb_link_node(&entry->rb, parent, link);						\
}											\
											\
scope void prefix##_remove(type *entry, struct rb_root_cached *root)			\
{											\
	rb_erase(&entry->rb, &root->rb_root);						\
}

#endif

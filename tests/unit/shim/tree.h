/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Search trees with the kernel's interface. Each node gets a random weight, and a child is never
 * heavier than its parent. That balances well enough, and needs the callbacks of augmented trees
 * just as the kernel's trees do.
 */
#ifndef SHIM_TREE_H
#define SHIM_TREE_H

/*
 * Counts the visit of a node. More than STEPS_AT_ONCE visits while a spinlock is held fail the
 * test, see steps.h.
 */
void steps_count(void);
extern unsigned long shim_nsteps;	/* all visits so far */

struct rb_node {
	struct rb_node *rb_parent;
	struct rb_node *rb_left;
	struct rb_node *rb_right;
	unsigned int weight;
};

struct rb_root {
	struct rb_node *rb_node;
};

struct rb_root_cached {
	struct rb_root rb_root;
};

struct rb_augment_callbacks {
	void (*propagate)(struct rb_node *node, struct rb_node *stop);
	void (*rotate)(struct rb_node *old, struct rb_node *by);
};

#define RB_ROOT				((struct rb_root){ NULL })
#define RB_ROOT_CACHED			((struct rb_root_cached){ { NULL } })
#define RB_EMPTY_ROOT(root)		(!(root)->rb_node)
#define rb_entry(pointer, type, member)	container_of(pointer, type, member)
#define rb_entry_safe(pointer, type, member) \
	({ struct rb_node *_node = (pointer); _node ? rb_entry(_node, type, member) : NULL; })
#define rb_parent(node)			((node)->rb_parent)

void rb_link_node(struct rb_node *node, struct rb_node *parent, struct rb_node **link);
struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *node);
struct rb_node *rb_prev(const struct rb_node *node);
struct rb_node *rb_first_postorder(const struct rb_root *root);
struct rb_node *rb_next_postorder(const struct rb_node *node);
void rb_insert_augmented(struct rb_node *node, struct rb_root *root,
			 const struct rb_augment_callbacks *augment);
void rb_erase_augmented(struct rb_node *node, struct rb_root *root,
			const struct rb_augment_callbacks *augment);

#define rb_insert_color(node, root)	rb_insert_augmented(node, root, NULL)
#define rb_erase(node, root)		rb_erase_augmented(node, root, NULL)

#define rbtree_postorder_for_each_entry_safe(entry, after, root, member)		\
	for (entry = rb_entry_safe(rb_first_postorder(root), typeof(*(entry)), member);	\
	     entry && (after = rb_entry_safe(rb_next_postorder(&entry->member),		\
					    typeof(*(entry)), member), true);		\
	     entry = after)

/* Callbacks that keep in each node the maximum of a value over its subtree. */
#define RB_DECLARE_CALLBACKS_MAX(scope, name, type, rb, ntype, subtree, value)	\
static bool name##_compute_max(type *entry, bool stop)				\
{										\
	ntype largest = value(entry);						\
	bool same;								\
										\
	if (entry->rb.rb_left)							\
		largest = max(largest, rb_entry(entry->rb.rb_left, type, rb)->subtree);	\
	if (entry->rb.rb_right)							\
		largest = max(largest, rb_entry(entry->rb.rb_right, type, rb)->subtree);	\
	same = entry->subtree == largest;					\
	entry->subtree = largest;						\
	return stop && same;							\
}										\
										\
static void name##_propagate(struct rb_node *node, struct rb_node *stop)	\
{										\
	while (node != stop && !name##_compute_max(rb_entry(node, type, rb), true))	\
		node = node->rb_parent;						\
}										\
										\
static void name##_rotate(struct rb_node *old, struct rb_node *by)		\
{										\
	rb_entry(by, type, rb)->subtree = rb_entry(old, type, rb)->subtree;	\
	name##_compute_max(rb_entry(old, type, rb), false);			\
}										\
										\
scope const struct rb_augment_callbacks name = {				\
	.propagate = name##_propagate, .rotate = name##_rotate,			\
};

/* An interval tree: each node has the highest end in its subtree. */
#define INTERVAL_TREE_DEFINE(type, rb, itype, subtree, start, last, scope, prefix)	\
static inline itype prefix##_value(type *entry)						\
{											\
	return last(entry);								\
}											\
											\
RB_DECLARE_CALLBACKS_MAX(static, prefix##_callbacks, type, rb, itype, subtree,		\
			 prefix##_value)						\
											\
/* The lowest entry of a subtree that meets a range, by its start. */			\
scope type *prefix##_subtree(struct rb_node *node, itype from, itype to)		\
{											\
	while (node && rb_entry(node, type, rb)->subtree >= from) {			\
		type *entry = rb_entry(node, type, rb);					\
											\
		steps_count();								\
		/* If one there ends late enough but begins too late, so do all above. */	\
		if (node->rb_left && rb_entry(node->rb_left, type, rb)->subtree >= from) {	\
			node = node->rb_left;						\
			continue;							\
		}									\
		if (start(entry) > to)							\
			return NULL;							\
		if (last(entry) >= from)						\
			return entry;							\
		node = node->rb_right;							\
	}										\
	return NULL;									\
}											\
											\
scope type *prefix##_iter_first(struct rb_root_cached *root, itype from, itype to)	\
{											\
	return prefix##_subtree(root->rb_root.rb_node, from, to);			\
}											\
											\
scope type *prefix##_iter_next(type *entry, itype from, itype to)			\
{											\
	struct rb_node *node = &entry->rb;						\
	type *found = prefix##_subtree(node->rb_right, from, to);			\
											\
	while (!found && node->rb_parent) {						\
		struct rb_node *parent = node->rb_parent;				\
		type *above = rb_entry(parent, type, rb);				\
											\
		steps_count();								\
		if (node == parent->rb_left) {						\
			if (start(above) > to)						\
				return NULL;						\
			if (last(above) >= from)					\
				return above;						\
			found = prefix##_subtree(parent->rb_right, from, to);		\
		}									\
		node = parent;								\
	}										\
	return found;									\
}											\
											\
scope void prefix##_insert(type *entry, struct rb_root_cached *root)			\
{											\
	struct rb_node **link = &root->rb_root.rb_node, *parent = NULL;			\
											\
	while (*link) {									\
		steps_count();								\
		parent = *link;								\
		link = start(entry) < start(rb_entry(parent, type, rb)) ?		\
			&parent->rb_left : &parent->rb_right;				\
	}										\
	rb_link_node(&entry->rb, parent, link);						\
	entry->subtree = last(entry);							\
	prefix##_callbacks.propagate(parent, NULL);					\
	rb_insert_augmented(&entry->rb, &root->rb_root, &prefix##_callbacks);		\
}											\
											\
scope void prefix##_remove(type *entry, struct rb_root_cached *root)			\
{											\
	rb_erase_augmented(&entry->rb, &root->rb_root, &prefix##_callbacks);		\
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's lists.
 */
#ifndef SHIM_LIST_H
#define SHIM_LIST_H

struct list_head {
	struct list_head *next;
	struct list_head *prev;
};

#define LIST_HEAD(name)		struct list_head name = { &(name), &(name) }

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list;
	list->prev = list;
}

static inline bool list_empty(const struct list_head *list)
{
	return list->next == list;
}

/* Adds an item right behind the head: the newest one comes first. */
static inline void list_add(struct list_head *item, struct list_head *head)
{
	item->next = head->next;
	item->prev = head;
	item->next->prev = item;
	head->next = item;
}

#define list_del(item)	list_del_init(item)

static inline void list_add_tail(struct list_head *item, struct list_head *head)
{
	list_add(item, head->prev);
}

static inline void list_del_init(struct list_head *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	INIT_LIST_HEAD(item);
}

#define list_entry_of(item, entry, member) \
	container_of(item, typeof(*(entry)), member)
#define list_for_each_entry(entry, head, member)				\
	for (entry = list_entry_of((head)->next, entry, member);		\
	     &entry->member != (head);						\
	     entry = list_entry_of(entry->member.next, entry, member))
#define list_for_each_entry_safe(entry, following, head, member)			\
	for (entry = list_entry_of((head)->next, entry, member);			\
	     following = list_entry_of(entry->member.next, entry, member),		\
	     &entry->member != (head);							\
	     entry = following)
#define list_for_each_entry_continue_reverse(entry, head, member)		\
	for (entry = list_entry_of(entry->member.prev, entry, member);		\
	     &entry->member != (head);						\
	     entry = list_entry_of(entry->member.prev, entry, member))

#endif

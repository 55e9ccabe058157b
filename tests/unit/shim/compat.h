/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel interfaces that compat/ needs and the engine does not. lib_container.c defines them, if
 * they are not inline.
 */
#ifndef SHIM_COMPAT_H
#define SHIM_COMPAT_H

#define fallthrough		__attribute__((fallthrough))
#undef __always_inline
#define __always_inline		inline __attribute__((always_inline))
#define __force
#define might_fault()		shim_might_sleep()
#define might_sleep()		shim_might_sleep()
#define round_down(x, a)	((x) / (a) * (a))
#define DIV_ROUND_UP_ULL(n, d)	(((n) + (d) - 1) / (d))
#define __ffs64(x)		__ffs(x)
#define pr_err(fmt, ...)	pr_warn_ratelimited(fmt, ##__VA_ARGS__)
#define kvzalloc(nbytes, gfp)	kzalloc(nbytes, gfp)

#define U32_MAX			((u32)~0U)
#define offsetofend(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))

/* --- bitmaps */

#define BITS_PER_BYTE		8
#define BITS_PER_LONG		64
#define DECLARE_BITMAP(name, nbits) \
	unsigned long name[((nbits) + BITS_PER_LONG - 1) / BITS_PER_LONG]
#define BITMAP_FIRST_WORD_MASK(bit)	(ULONG_MAX << ((bit) % BITS_PER_LONG))
#define BITMAP_LAST_WORD_MASK(nbits)	(ULONG_MAX >> (-(nbits) % BITS_PER_LONG))

static inline void __set_bit(unsigned long bit, unsigned long *words)
{
	words[bit / BITS_PER_LONG] |= BIT(bit % BITS_PER_LONG);
}

static inline void __clear_bit(unsigned long bit, unsigned long *words)
{
	words[bit / BITS_PER_LONG] &= ~BIT(bit % BITS_PER_LONG);
}

static inline bool test_bit(unsigned long bit, const unsigned long *words)
{
	return words[bit / BITS_PER_LONG] & BIT(bit % BITS_PER_LONG);
}

static inline void bitmap_set(unsigned long *words, unsigned long bit, unsigned long nbits)
{
	while (nbits--)
		__set_bit(bit++, words);
}

static inline void bitmap_clear(unsigned long *words, unsigned long bit, unsigned long nbits)
{
	while (nbits--)
		__clear_bit(bit++, words);
}

#define for_each_set_bit_from(bit, words, nbits)	\
	for (; (bit) < (nbits); (bit)++)		\
		if (test_bit(bit, words))

/* --- user memory, by way of copy_to_user() and copy_from_user() */

#define access_ok(pointer, nbytes)		((void)(pointer), true)
#define should_fail_usercopy()			false

/* A spinlock checks that nobody sleeps meanwhile, and that each disable has an enable. */
extern spinlock_t shim_pagefaults;

#define pagefault_disable()	spin_lock(&shim_pagefaults)
#define pagefault_enable()	spin_unlock(&shim_pagefaults)

/* The same while the kernel may access user memory. */
extern spinlock_t shim_user_access;

static inline bool shim_begin_access(void)
{
	spin_lock(&shim_user_access);
	return true;
}

static inline void shim_end_access(void)
{
	spin_unlock(&shim_user_access);
}

#define user_read_access_begin(from, nbytes)	shim_begin_access()
#define user_read_access_end()			shim_end_access()
#define user_write_access_begin(to, nbytes)	shim_begin_access()
#define user_write_access_end()			shim_end_access()
#define get_user(x, from)	(copy_from_user(&(x), from, sizeof(x)) ? -EFAULT : 0)
#define put_user(x, to)							\
({									\
	typeof(*(to)) _value = (x);					\
	copy_to_user(to, &_value, sizeof(_value)) ? -EFAULT : 0;	\
})
#define unsafe_get_user(x, from, label)	\
	do { if (get_user(x, from)) goto label; } while (0)
#define unsafe_put_user(x, to, label)	\
	do { if (put_user(x, to)) goto label; } while (0)

/* --- tables */

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

#define DEFINE_HASHTABLE(name, bits)		struct hlist_head name[1 << (bits)]
#define hash_bucket(table, key)			(&(table)[(key) % ARRAY_SIZE(table)])
#define hash_add_rcu(table, node, key)		hlist_add(hash_bucket(table, key), node)
#define hash_for_each_possible_rcu(table, entry, member, key, ...)			\
	for (struct hlist_node *_node = hash_bucket(table, key)->first;			\
	     _node && ((entry) = container_of(_node, typeof(*(entry)), member));	\
	     _node = _node->next)

/* Writers hold a lock; readers use RCU. */
static inline void hlist_add(struct hlist_head *head, struct hlist_node *node)
{
	WARN_ON(!shim_atomic);
	node->next = head->first;
	head->first = node;
}

void shim_hash_del(struct hlist_head *table, size_t nbuckets, struct hlist_node *node);
extern struct hlist_head containers[256];
#define hash_del_rcu(node)	shim_hash_del(containers, ARRAY_SIZE(containers), node)

#define DEFINE_SPINLOCK(lock)			spinlock_t lock = { .shim.name = #lock }
#define DEFINE_MUTEX(lock)			struct mutex lock = { .shim.name = #lock }
#define rcu_read_lock_sched()			rcu_read_lock()
#define rcu_read_unlock_sched()			rcu_read_unlock()
#define rcu_read_lock_sched_held()		true
#define rcu_dereference_sched(pointer)		rcu_dereference(pointer)

/* For mm_users, too, which is a plain number here. */
#undef atomic_read
#define atomic_read(count)							\
	__builtin_choose_expr(__builtin_types_compatible_p(typeof(*(count)), int), \
			      *(const int *)(const void *)(count),		\
			      ((const atomic_t *)(const void *)(count))->n)

#define atomic_dec_return(count)		(--(count)->n)
#define refcount_inc_not_zero(count)		((count)->n ? (count)->n++ : 0)

#define list_first_entry(head, type, member)	container_of((head)->next, type, member)
#define list_first_entry_or_null(head, type, member) \
	(list_empty(head) ? NULL : list_first_entry(head, type, member))

/* --- modules, and vfio.ko */

enum module_state {
	MODULE_STATE_LIVE,
};

struct module {
	char name[56];
};

struct notifier_block {
	int (*notifier_call)(struct notifier_block *notifier, unsigned long event, void *data);
};

#define NOTIFY_DONE	0
#define NOTIFY_OK	1

int register_module_notifier(struct notifier_block *notifier);
int unregister_module_notifier(struct notifier_block *notifier);
void synchronize_rcu_tasks(void);
bool try_module_get(struct module *module);
void module_put(struct module *module);

struct vfio_device;

struct vfio_device_ops {
	void (*dma_unmap)(struct vfio_device *vdev, u64 iova, u64 length);
};

struct vfio_device {
	struct device *dev;
	const struct vfio_device_ops *ops;
	struct list_head iommu_entry;
};

#endif

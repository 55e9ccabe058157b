/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel interfaces that the tested files of the module need on the host. Every <linux/...> of
 * this directory is this file. The code is plain and slow. Allocations are counted, and can be made
 * to fail. The headers at the end are defined in lib_*.c.
 */
#ifndef SHIM_KERNEL_H
#define SHIM_KERNEL_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;
typedef unsigned int gfp_t;
typedef u64 phys_addr_t;
typedef u64 dma_addr_t;

#define CONFIG_LOCK_MM_AND_FIND_VMA	1
#define CONFIG_SPARSEMEM_VMEMMAP	1
#define CONFIG_TRANSPARENT_HUGEPAGE	1
#define IS_ENABLED(option)		(option)
#define KBUILD_MODNAME			"vfio_ioas"
#define EXPORT_SYMBOL_GPL(symbol)
#define THIS_MODULE			NULL
#define module_param(name, type, mode)
#define MODULE_PARM_DESC(name, text)

#define BUILD_BUG_ON(condition)	_Static_assert(!(condition), #condition)

#define likely(condition)	(condition)
#define unlikely(condition)	(condition)
#define noinline
#define __cold

#define __maybe_unused		__attribute__((unused))
#define __aligned(n)		__attribute__((aligned(n)))
#define __rcu
#define __releases(lock)
#define __user

#define BIT(n)			(1UL << (n))
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define ALIGN(x, a)		(((x) + (a) - 1) / (a) * (a))
#define min(a, b)		({ typeof(a) _a = (a); typeof(b) _b = (b); _a < _b ? _a : _b; })
#define max(a, b)		({ typeof(a) _c = (a); typeof(b) _d = (b); _c > _d ? _c : _d; })
#define min_t(type, a, b)	min((type)(a), (type)(b))
#define swap(a, b)		do { typeof(a) _old = (a); (a) = (b); (b) = _old; } while (0)
#define container_of(pointer, type, member) \
	((type *)((char *)(pointer) - offsetof(type, member)))
#define __ffs(x)		((unsigned long)__builtin_ctzl(x))
#define __fls(x)		(63UL - (unsigned long)__builtin_clzl(x))

static inline unsigned long roundup_pow_of_two(unsigned long x)
{
	unsigned long power = 1;

	while (power < x)
		power *= 2;
	return power;
}

/* Threads of a test take turns, see lock.h: nothing has to be atomic. */
#define READ_ONCE(x)			(*(const volatile typeof(x) *)&(x))
#define data_race(x)			(x)
#define WRITE_ONCE(x, value)		(*(volatile typeof(x) *)&(x) = (value))
#define smp_load_acquire(pointer)	READ_ONCE(*(pointer))
#define smp_store_release(pointer, value) WRITE_ONCE(*(pointer), value)

#define ERR_PTR(error)		((void *)(long)(error))
#define ERR_CAST(pointer)	((void *)(pointer))
#define PTR_ERR(pointer)	((long)(pointer))
#define IS_ERR(pointer)		((unsigned long)(pointer) >= -4095UL)

/* A warning of the code under test fails the test, unless the test expects it. */
#define WARN_ON(condition)	shim_warn_if(!!(condition), #condition)
#define WARN_ON_ONCE(condition)	WARN_ON(condition)
extern unsigned int shim_expected_warnings;	/* so many more do not fail the test */
bool shim_warn_if(bool bad, const char *condition);

/* Log messages of the code under test are counted, and only their format is checked. */
#ifndef pr_fmt
#define pr_fmt(fmt)		fmt
#endif
#define pr_warn_ratelimited(fmt, ...) \
	((void)snprintf(NULL, 0, pr_fmt(fmt), ##__VA_ARGS__), (void)shim_nmessages++)
extern unsigned long shim_nmessages;

#define GFP_KERNEL		0
#define GFP_KERNEL_ACCOUNT	0
#define __GFP_NORETRY		0
#define __GFP_NOWARN		0
extern long shim_allocations;		/* blocks not yet freed */
extern size_t shim_allocated_nbytes;	/* requested bytes in these blocks */
extern long shim_fail_in;		/* of the calls that can fail the n-th does; 0: none */
extern unsigned int shim_fail_one_in;	/* one in so many fails, at random; 0: none */
extern unsigned long shim_fail_seed;
bool shim_fail_now(void);
void *shim_alloc(size_t nbytes);
void shim_free(void *block);

static inline void *kmalloc(size_t nbytes, gfp_t gfp)
{
	return shim_alloc(nbytes);
}

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
#define kvcalloc(n, size, gfp)		kzalloc((n) * (size), gfp)
#define kfree(block)			shim_free(block)
#define kvfree(block)			shim_free(block)

struct rcu_head {
	char unused;
};

/* Memory given to kfree_rcu() while a thread is inside is freed when none is. */
void rcu_read_lock(void);
void rcu_read_unlock(void);
extern unsigned int shim_in_rcu;	/* sections that the thread is in */
#define rcu_dereference(pointer)	(pointer)
#define rcu_access_pointer(pointer)	(pointer)
#define rcu_dereference_protected(pointer, held) \
	({ WARN_ON(!(held)); (pointer); })
#define rcu_assign_pointer(pointer, to)	((pointer) = (to))
#define RCU_INIT_POINTER(pointer, to)	((pointer) = (to))
#define kfree_rcu(pointer, member)	shim_free_rcu(pointer)

/*
 * kfree_rcu() frees as soon as no thread is in an RCU section. With shim_defer_rcu it keeps one
 * block until shim_end_rcu(), so that a test can look at it.
 */
extern bool shim_defer_rcu;
void shim_free_rcu(void *block);
void shim_end_rcu(void);

#include "count.h"
#include "list.h"
#include "iommu.h"
#include "lock.h"
#include "memory.h"
#include "tree.h"
#include "xarray.h"
#include "compat.h"

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fail: makes the n-th call that can fail do so.
 *
 * In a selftest build each file includes this first. The functions that the module calls to get
 * memory, pages or mappings then count their calls. Writing n to parameter fail_nth makes the n-th
 * such call of the writing task fail. Reading it returns how many calls are left until then, or 0
 * if the call has failed. Parameter fail_init does the same for calls of any task while the module
 * is being loaded.
 */
#ifndef VFIO_IOAS_SELFTEST_FAIL_H
#define VFIO_IOAS_SELFTEST_FAIL_H

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/device/class.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/iommu.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "vfio_ioas_config.h"

bool fail_now(void);

static inline void *real_kmalloc(size_t nbytes, gfp_t gfp)
{
	return kmalloc(nbytes, gfp);
}

static inline void *real_kvmalloc(size_t nbytes, gfp_t gfp)
{
	return kvmalloc(nbytes, gfp);
}

static inline int real_xa_alloc(struct xarray *xa, u32 *id, void *entry,
				struct xa_limit limit, gfp_t gfp)
{
	return xa_alloc(xa, id, entry, limit, gfp);
}

static inline void *fail_kmalloc(size_t nbytes, gfp_t gfp)
{
	return fail_now() ? NULL : real_kmalloc(nbytes, gfp);
}

static inline void *fail_kmalloc_array(size_t n, size_t nbytes, gfp_t gfp)
{
	return fail_kmalloc(size_mul(n, nbytes), gfp);
}

static inline void *fail_kvmalloc(size_t nbytes, gfp_t gfp)
{
	return fail_now() ? NULL : real_kvmalloc(nbytes, gfp);
}

static inline void *fail_kvmalloc_array(size_t n, size_t nbytes, gfp_t gfp)
{
	return fail_kvmalloc(size_mul(n, nbytes), gfp);
}

static inline int fail_xa_alloc(struct xarray *xa, u32 *id, void *entry,
				struct xa_limit limit, gfp_t gfp)
{
	return fail_now() ? -ENOMEM : real_xa_alloc(xa, id, entry, limit, gfp);
}

static inline int fail_pin_fast(unsigned long uaddr, int npages, unsigned int flags,
				struct page **pages)
{
	return fail_now() ? -EFAULT : pin_user_pages_fast(uaddr, npages, flags, pages);
}

#ifdef HAVE_PIN_USER_PAGES_REMOTE_VMAS
static inline long fail_pin_remote(struct mm_struct *mm, unsigned long uaddr,
				   unsigned long npages, unsigned int flags,
				   struct page **pages, struct vm_area_struct **vmas,
				   int *locked)
{
	return fail_now() ? -EFAULT : pin_user_pages_remote(mm, uaddr, npages, flags,
							    pages, vmas, locked);
}
#else
static inline long fail_pin_remote(struct mm_struct *mm, unsigned long uaddr,
				   unsigned long npages, unsigned int flags,
				   struct page **pages, int *locked)
{
	return fail_now() ? -EFAULT : pin_user_pages_remote(mm, uaddr, npages, flags,
							    pages, locked);
}
#endif

#ifdef HAVE_IOMMU_MAP_GFP
static inline int fail_iommu_map(struct iommu_domain *domain, unsigned long iova,
				 phys_addr_t paddr, size_t nbytes, int prot, gfp_t gfp)
{
	return fail_now() ? -ENOMEM : iommu_map(domain, iova, paddr, nbytes, prot, gfp);
}
#else
static inline int fail_iommu_map(struct iommu_domain *domain, unsigned long iova,
				 phys_addr_t paddr, size_t nbytes, int prot)
{
	return fail_now() ? -ENOMEM : iommu_map(domain, iova, paddr, nbytes, prot);
}
#endif

/* Inline functions, as class_create() may be a macro. */
#ifdef HAVE_CLASS_CREATE_OWNER
static inline struct class *fail_class_create(struct module *owner, const char *name)
{
	return fail_now() ? ERR_PTR(-ENOMEM) : class_create(owner, name);
}
#else
static inline struct class *fail_class_create(const char *name)
{
	return fail_now() ? ERR_PTR(-ENOMEM) : class_create(name);
}
#endif

#undef class_create
#define class_create(...)		fail_class_create(__VA_ARGS__)
#define alloc_chrdev_region(...)	(fail_now() ? -ENOMEM : alloc_chrdev_region(__VA_ARGS__))
#define cdev_add(...)			(fail_now() ? -ENOMEM : cdev_add(__VA_ARGS__))
#define device_create(...)		(fail_now() ? ERR_PTR(-ENOMEM) : device_create(__VA_ARGS__))
#define misc_register(...)		(fail_now() ? -ENOMEM : misc_register(__VA_ARGS__))
#define register_module_notifier(...) \
	(fail_now() ? -ENOMEM : register_module_notifier(__VA_ARGS__))
#define kern_mount(...)			(fail_now() ? ERR_PTR(-ENOMEM) : kern_mount(__VA_ARGS__))
#define alloc_anon_inode(...) \
	(fail_now() ? ERR_PTR(-ENOMEM) : alloc_anon_inode(__VA_ARGS__))
#define dentry_open(...)		(fail_now() ? ERR_PTR(-ENOMEM) : dentry_open(__VA_ARGS__))

#undef kmalloc
#undef kzalloc
#undef kmalloc_array
#undef kvmalloc_array
#undef kvcalloc
#undef kvzalloc
#undef xa_alloc
#define kmalloc(nbytes, gfp)		fail_kmalloc(nbytes, gfp)
#define kzalloc(nbytes, gfp)		fail_kmalloc(nbytes, (gfp) | __GFP_ZERO)
#define kmalloc_array(n, nbytes, gfp)	fail_kmalloc_array(n, nbytes, gfp)
#define kvmalloc_array(n, nbytes, gfp)	fail_kvmalloc_array(n, nbytes, gfp)
#define kvcalloc(n, nbytes, gfp)	fail_kvmalloc_array(n, nbytes, (gfp) | __GFP_ZERO)
#define kvzalloc(nbytes, gfp)		fail_kvmalloc(nbytes, (gfp) | __GFP_ZERO)
#define xa_alloc(xa, id, entry, limit, gfp) fail_xa_alloc(xa, id, entry, limit, gfp)
#define pin_user_pages_fast(...)	fail_pin_fast(__VA_ARGS__)
#define pin_user_pages_remote(...)	fail_pin_remote(__VA_ARGS__)
#define iommu_map(...)			fail_iommu_map(__VA_ARGS__)

/* Each file defines its own. */
#undef pr_fmt

#endif

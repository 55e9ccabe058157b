/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kcompat: the differences between the kernels that the module supports, and nothing else.
 *
 * The compile probes (m4/probes) define HAVE_... in vfio_ioas_config.h. Only this file and
 * compat/stock.h use them: compat/stock.h for the behaviour of stock type1 on a given kernel.
 */
#ifndef VFIO_IOAS_KCOMPAT_H
#define VFIO_IOAS_KCOMPAT_H

#include <linux/device.h>
#include <linux/device/class.h>
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/irqdomain.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "vfio_ioas_config.h"

#ifndef CONFIG_SPARSEMEM_VMEMMAP
#error "vfio_ioas compares struct page pointers, which needs CONFIG_SPARSEMEM_VMEMMAP"
#endif

/*
 * Kernels without this option, such as 6.2, or 6.1 before 6.1.37, grow stacks with the mmap lock
 * held only for reading.
 */
#ifndef CONFIG_LOCK_MM_AND_FIND_VMA
#error "vfio_ioas needs a kernel whose stacks grow with the mmap lock held for writing"
#endif

/* Returns a paging domain for @dev, or ERR_PTR(). */
static inline struct iommu_domain *kcompat_domain_alloc(struct device *dev)
{
#ifdef HAVE_IOMMU_PAGING_DOMAIN_ALLOC
	return iommu_paging_domain_alloc(dev);
#else
	struct iommu_domain *domain = iommu_domain_alloc(dev->bus);

	return domain ?: ERR_PTR(-EIO);
#endif
}

/* Returns 0, or -EINVAL if the driver or the kernel does not support nesting domains. */
static inline int kcompat_enable_nesting(struct iommu_domain *domain)
{
#ifdef HAVE_IOMMU_ENABLE_NESTING
	return iommu_enable_nesting(domain);
#else
	return -EINVAL;
#endif
}

/* Charges page tables to the caller's memory cgroup if the kernel can do so. */
static inline int kcompat_iommu_map(struct iommu_domain *domain, unsigned long iova,
				    phys_addr_t paddr, size_t nbytes, int prot)
{
#ifdef HAVE_IOMMU_MAP_GFP
	return iommu_map(domain, iova, paddr, nbytes, prot, GFP_KERNEL_ACCOUNT);
#else
	return iommu_map(domain, iova, paddr, nbytes, prot);
#endif
}

/* Kernels with the VMAs argument cannot drop the mmap lock during a long-term pin. */
static inline long kcompat_pin_user_pages_remote(struct mm_struct *mm,
						 unsigned long uaddr,
						 unsigned long npages,
						 unsigned int gup_flags,
						 struct page **pages, int *locked)
{
#ifdef HAVE_PIN_USER_PAGES_REMOTE_VMAS
	return pin_user_pages_remote(mm, uaddr, npages, gup_flags, pages, NULL, NULL);
#else
	return pin_user_pages_remote(mm, uaddr, npages, gup_flags, pages, locked);
#endif
}

/*
 * Kernels whose pin_user_pages_remote() takes no VMAs break copy-on-write themselves for a
 * read-only long-term pin. On older kernels the pin must look like a write.
 */
#ifdef HAVE_PIN_USER_PAGES_REMOTE_VMAS
#define KCOMPAT_FOLL_UNSHARE	(FOLL_FORCE | FOLL_WRITE)
#else
#define KCOMPAT_FOLL_UNSHARE	0
#endif

/*
 * Looks up the frame behind an address of a VM_PFNMAP VMA, and whether it is writable. Returns 0,
 * or an error if there is no frame yet. The caller holds the mmap lock.
 */
static inline int kcompat_lookup_frame(struct vm_area_struct *vma, unsigned long uaddr,
				       unsigned long *pfn, bool *writable)
{
#ifdef HAVE_FOLLOW_PFNMAP_START
	struct follow_pfnmap_args args = { .vma = vma, .address = uaddr };
	int ret = follow_pfnmap_start(&args);

	if (ret)
		return ret;
	*pfn = args.pfn;
	*writable = args.writable;
	follow_pfnmap_end(&args);
#else
	spinlock_t *lock;	/* of the page table */
	pte_t *pte;
#ifdef HAVE_FOLLOW_PTE_VMA
	int ret = follow_pte(vma, uaddr, &pte, &lock);
#else
	int ret = follow_pte(vma->vm_mm, uaddr, &pte, &lock);
#endif

	if (ret)
		return ret;
	/* Tells sparse that follow_pte() took the lock. */
	__acquire(lock);
	*pfn = pte_pfn(*pte);
	*writable = pte_write(*pte);
	pte_unmap_unlock(pte, lock);
#endif
	return 0;
}

/* Removes the tag from an address in @mm. The caller holds the mmap lock of @mm. */
static inline unsigned long kcompat_untag(struct mm_struct *mm, unsigned long uaddr)
{
#ifdef HAVE_UNTAGGED_ADDR_REMOTE
	return untagged_addr_remote(mm, uaddr);
#else
	return untagged_addr(uaddr);
#endif
}

/* Kernels that have is_zero_page() do not pin the zero page. */
#ifndef HAVE_IS_ZERO_PAGE
#define KCOMPAT_PINS_ZERO_PAGES
#endif

#ifndef HAVE_IOMMU_GROUP_HAS_ISOLATED_MSI
static inline int kcompat_device_remaps_msi(struct device *dev, void *unused)
{
	return device_iommu_capable(dev, IOMMU_CAP_INTR_REMAP);
}
#endif

/* Can no device of @group forge interrupts? */
static inline bool kcompat_group_has_isolated_msi(struct iommu_group *group)
{
#ifdef HAVE_IOMMU_GROUP_HAS_ISOLATED_MSI
	return iommu_group_has_isolated_msi(group);
#else
	return irq_domain_check_msi_remap() ||
	       iommu_group_for_each_dev(group, NULL, kcompat_device_remaps_msi);
#endif
}

static inline struct class *kcompat_class_create(const char *name)
{
#ifdef HAVE_CLASS_CREATE_OWNER
	return class_create(THIS_MODULE, name);
#else
	return class_create(name);
#endif
}

/* The type of a class' devnode callback. */
#ifdef HAVE_DEVNODE_CONST
#define KCOMPAT_DEVNODE_DEVICE	const struct device
#else
#define KCOMPAT_DEVNODE_DEVICE	struct device
#endif

#endif

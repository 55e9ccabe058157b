// SPDX-License-Identifier: GPL-2.0-only
/*
 * pin: pins user pages for DMA, and unpins them.
 *
 * Pages of the caller's own address space are pinned by the fast walk, in pin.h. The slow ways are
 * here: another address space, strict reading, protection keys, and device memory, which is looked
 * up but not pinned.
 *
 * Locking: callers need no lock; the mmap lock of the mm is taken for reading.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/pkeys.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "base/kcompat.h"
#include "pin.h"

#ifdef VFIO_IOAS_SELFTEST
unsigned int pin_max_pages = PIN_MANY;
#endif

void pin_buffer_grow(struct pin_buffer *buffer, unsigned long npages)
{
	struct page **pages;

	npages = min_t(unsigned long, npages, pin_max_pages);
	pages = kmalloc_array(npages, sizeof(*pages),
			      GFP_KERNEL_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN);
	if (!pages)
		return;
	buffer->pages = pages;
	buffer->max_pages = npages;
}

long pin_remote(struct mm_struct *mm, unsigned long uaddr, unsigned long npages,
		unsigned int gup_flags, struct page **pages)
{
	int locked = 1;
	long npinned;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	npinned = kcompat_pin_user_pages_remote(mm, uaddr, npages, gup_flags,
						pages, &locked);
	if (locked)
		mmap_read_unlock(mm);
	if (npinned > 0)
		pin_skip_zero_pages(pages, npinned, gup_flags);
	return npinned;
}

long pin_despite_keys(struct mm_struct *mm, unsigned long uaddr, unsigned long npages,
		      unsigned int gup_flags, struct page **pages)
{
	if (mm != current->mm || !arch_pkeys_enabled())
		return -EFAULT;
	return pin_remote(mm, uaddr, npages, gup_flags, pages) ?: -EFAULT;
}

#ifdef KCOMPAT_PINS_ZERO_PAGES
void pin_skip_zero_pages(struct page **pages, long npinned, unsigned int gup_flags)
{
	long i;

	if (gup_flags & FOLL_WRITE)
		return;
	for (i = 0; i < npinned; i++)
		if (is_zero_pfn(page_to_pfn(pages[i])))
			unpin_user_pages(pages + i, 1);
}
#endif

/*
 * Looks up the frame behind one address, and faults it in if need be. -EAGAIN: the page fault
 * released the mmap lock, which is held again.
 */
static int find_frame(struct mm_struct *mm, unsigned long uaddr, bool write,
		      unsigned long *pfn)
{
	/* The protection keys of the caller do not apply to the device. */
	unsigned int fault_flags = FAULT_FLAG_REMOTE;
	bool writable, unlocked = false;
	struct vm_area_struct *vma;
	int ret;

	uaddr = kcompat_untag(mm, uaddr);
	vma = vma_lookup(mm, uaddr);
	if (!vma || !(vma->vm_flags & VM_PFNMAP))
		return -EFAULT;
	if (kcompat_lookup_frame(vma, uaddr, pfn, &writable)) {
		if (write)
			fault_flags |= FAULT_FLAG_WRITE;
		ret = fixup_user_fault(mm, uaddr, fault_flags, &unlocked);
		if (!ret && unlocked)
			return -EAGAIN;
		if (!ret)
			ret = kcompat_lookup_frame(vma, uaddr, pfn, &writable);
		if (ret)
			return ret == -EINTR || ret == -ENOMEM ? ret : -EFAULT;
	}
	if (write && !writable)
		return -EFAULT;
	return pfn_valid(*pfn) && !PageReserved(pfn_to_page(*pfn)) ? -EFAULT : 0;
}

long pin_find_mmio(struct mm_struct *mm, unsigned long uaddr, unsigned long npages,
		   bool write, unsigned long *pfn)
{
	unsigned long nfound = 0, next;
	int ret = 0;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	while (nfound < npages) {
		ret = find_frame(mm, uaddr + nfound * PAGE_SIZE, write, &next);
		if (ret == -EAGAIN)
			continue;
		if (ret || (nfound && next != *pfn + nfound))
			break;
		if (!nfound++)
			*pfn = next;
	}
	mmap_read_unlock(mm);
	return nfound ?: ret;
}

int pin_one(struct mm_struct *mm, unsigned long uaddr, unsigned int gup_flags,
	    struct page **page)
{
	long npinned;

	if (!mmget_not_zero(mm))
		return -EFAULT;
	npinned = pin_remote(mm, uaddr, 1, gup_flags, page) ?: -EFAULT;
	mmput_async(mm);
	return npinned < 0 ? npinned : 0;
}

void unpin_batch(struct pin_buffer *buffer, long from, long npinned)
{
	for (; from < npinned; from++)
		if (!pin_is_skipped(page_to_pfn(buffer->pages[from])))
			unpin_user_pages(buffer->pages + from, 1);
}

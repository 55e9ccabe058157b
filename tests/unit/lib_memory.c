// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages, address spaces and processes; shim/memory.h declares them.
 */
#include "kernel.h"
#include "lib_run.h"

struct page shim_pages[SHIM_NPAGES];
unsigned long shim_npinned;
unsigned int shim_pin_at_most;
struct task_struct *current;

static struct mmio_range {
	unsigned long pfn;
	unsigned long nframes;
} mmio_ranges[64];
static unsigned int nmmio_ranges;

/* Calls since shim_pages_reset() that may drop the mmap lock; every other one does. */
static unsigned int ncalls;

void shim_add_mmio(unsigned long pfn, unsigned long nframes)
{
	unsigned int i;

	for (i = 0; i < nmmio_ranges; i++) {
		struct mmio_range *range = &mmio_ranges[i];

		if (pfn >= range->pfn && pfn - range->pfn <= range->nframes) {
			range->nframes = max(range->nframes, pfn + nframes - range->pfn);
			return;
		}
	}
	expect(nmmio_ranges < ARRAY_SIZE(mmio_ranges));
	mmio_ranges[nmmio_ranges++] = (struct mmio_range){ pfn, nframes };
}

unsigned long shim_count_mappable(unsigned long pfn, unsigned long most)
{
	unsigned long n = 0;
	unsigned int i;

	for (i = 0; i < nmmio_ranges; i++)
		if (pfn >= mmio_ranges[i].pfn &&
		    pfn - mmio_ranges[i].pfn < mmio_ranges[i].nframes)
			return min(most, mmio_ranges[i].pfn + mmio_ranges[i].nframes - pfn);
	while (n < most && pfn_valid(pfn + n) && pfn_to_page(pfn + n)->npins)
		n++;
	return n;
}

void shim_pages_reset(void)
{
	unsigned int i;

	expect(shim_npinned == 0);
	nmmio_ranges = 0;
	ncalls = 0;
	for (i = 0; i < SHIM_NPAGES; i++) {
		if (shim_pages[i].data)
			memset(shim_pages[i].data, 0, PAGE_SIZE);
		shim_pages[i] = (struct page){ .folio_npages = 1, .data = shim_pages[i].data };
	}
}

void shim_make_folio(unsigned int first, unsigned int npages)
{
	unsigned int i;

	for (i = 0; i < npages; i++)
		shim_pages[first + i].to_head = i;
	shim_pages[first].folio_npages = npages;
}

char *shim_page_data(struct page *page)
{
	if (!page->data)
		page->data = calloc(1, PAGE_SIZE);
	return page->data;
}

void shim_process_init(struct shim_process *process)
{
	memset(process, 0, sizeof(*process));
	init_rwsem(&process->mm.mmap_lock);
	process->mm.mm_users = 1;
	process->cred.user = &process->user;
	process->task = (struct task_struct){
		.mm = &process->mm, .cred = &process->cred,
		.group_leader = &process->task, .comm = "test",
		.memlock_nbytes = ULONG_MAX,
	};
}

void shim_process_check_clean(const struct shim_process *process)
{
	expect(process->task.nrefs == 0);
	expect(process->cred.nrefs == 0);
	expect(process->user.locked_vm.n == 0);
	expect(process->mm.mm_count == 0);
	expect(process->mm.mm_users == !!process->mm.mm_users);
	expect(process->mm.pinned_vm.n == 0);
	if (process->mm.mm_users)
		expect(process->mm.locked_vm == 0);
}

/* An address with a tag has no slot. */
static long find_slot(unsigned long uaddr)
{
	unsigned long slot = (uaddr - SHIM_USER_BASE) / PAGE_SIZE;

	return uaddr >= SHIM_USER_BASE && slot < SHIM_USER_NPAGES ? (long)slot : -1;
}

/* The page at an address; NULL if there is none, or it is not writable but is to be written. */
static struct page *find_page(struct mm_struct *mm, unsigned long uaddr, bool write)
{
	long slot = find_slot(uaddr);

	if (slot < 0 || (write && mm->read_only[slot]))
		return NULL;
	return mm->pages[slot];
}

static long pin(struct mm_struct *mm, unsigned long uaddr, unsigned long npages,
		unsigned int flags, struct page **pages)
{
	unsigned long i;

	shim_might_sleep();
	WARN_ON(!mm->mm_users || !npages || offset_in_page(uaddr));
	if (shim_pin_at_most)
		npages = min_t(unsigned long, npages, shim_pin_at_most);
	if (shim_fail_now())
		return -ENOMEM;
	for (i = 0; i < npages; i++) {
		pages[i] = find_page(mm, uaddr + i * PAGE_SIZE, flags & FOLL_WRITE);
		if (!pages[i])
			break;
		pages[i]->npins++;
		shim_npinned++;
	}
	return i ? (long)i : -EFAULT;
}

struct vm_area_struct *vma_lookup(struct mm_struct *mm, unsigned long uaddr)
{
	long slot = find_slot(uaddr);

	lockdep_assert_held_read(&mm->mmap_lock);
	if (slot < 0 || !mm->mmio[slot].pfn)
		return NULL;
	mm->mmio_vma = (struct vm_area_struct){ .vm_mm = mm, .vm_flags = VM_PFNMAP };
	return &mm->mmio_vma;
}

int follow_pfnmap_start(struct follow_pfnmap_args *args)
{
	struct mm_struct *mm = args->vma->vm_mm;
	long slot = find_slot(args->address);

	lockdep_assert_held_read(&mm->mmap_lock);
	if (mm->mmio[slot].absent)
		return -EINVAL;
	args->pfn = mm->mmio[slot].pfn;
	shim_add_mmio(args->pfn, 1);
	args->writable = !mm->read_only[slot] && !mm->mmio[slot].clean;
	return 0;
}

void follow_pfnmap_end(struct follow_pfnmap_args *args)
{
	(void)args;
}

int fixup_user_fault(struct mm_struct *mm, unsigned long uaddr, unsigned int flags,
		     bool *unlocked)
{
	long slot = find_slot(uaddr);

	shim_might_sleep();
	lockdep_assert_held_read(&mm->mmap_lock);
	if (mm->key_disabled[slot] && !(flags & FAULT_FLAG_REMOTE))
		return -EFAULT;
	if (shim_fail_now())
		return -ENOMEM;
	if (flags & FAULT_FLAG_WRITE && mm->read_only[slot])
		return -EFAULT;
	if (mm->mmio[slot].fault_ret)
		return mm->mmio[slot].fault_ret;
	mm->mmio[slot].absent = false;
	if (flags & FAULT_FLAG_WRITE)
		mm->mmio[slot].clean = false;
	/* The kernel may drop the lock and take it again: a vma that was found may be gone. */
	*unlocked = ncalls++ % 2;
	if (*unlocked)
		mm->mmio_vma = (struct vm_area_struct){ };
	return 0;
}

/* Protection keys hold only for a thread's accesses to its own address space. */
int pin_user_pages_fast(unsigned long uaddr, int npages, unsigned int flags,
			struct page **pages)
{
	long slot;
	int n;

	/* The kernel refuses a range that wraps. */
	if (uaddr + npages * PAGE_SIZE < uaddr)
		return -EOVERFLOW;
	uaddr = untagged_addr_remote(current->mm, uaddr);
	for (n = 0; n < npages; n++) {
		slot = find_slot(uaddr + n * PAGE_SIZE);
		if (slot >= 0 && current->mm->key_disabled[slot])
			break;
	}
	return n ? pin(current->mm, uaddr, n, flags, pages) : -EFAULT;
}

/* Pages up to the first that the process may not read. The fast walk does not check that. */
static unsigned long limit_to_readable(struct mm_struct *mm, unsigned long uaddr,
				       unsigned long npages, unsigned int flags)
{
	unsigned long n;
	long slot;

	for (n = 0; n < npages && !(flags & FOLL_WRITE); n++) {
		slot = find_slot(uaddr + n * PAGE_SIZE);
		if (slot >= 0 && mm->write_only[slot])
			return n;
	}
	return npages;
}

long pin_user_pages_remote(struct mm_struct *mm, unsigned long uaddr, unsigned long npages,
			   unsigned int flags, struct page **pages, int *locked)
{
	long npinned;

	lockdep_assert_held_read(&mm->mmap_lock);
	uaddr = untagged_addr_remote(mm, uaddr);
	npages = limit_to_readable(mm, uaddr, npages, flags);
	npinned = npages ? pin(mm, uaddr, npages, flags, pages) : -EFAULT;
	/* The kernel may drop the lock. */
	if (ncalls++ % 2) {
		mmap_read_unlock(mm);
		*locked = 0;
	}
	return npinned;
}

void (*shim_unpin_instead)(unsigned long pfn, unsigned long npages, bool dirty);

void unpin_user_page_range_dirty_lock(struct page *page, unsigned long npages, bool dirty)
{
	unsigned long i;

	shim_might_sleep();
	WARN_ON(!npages);
	if (shim_unpin_instead) {
		shim_unpin_instead(page_to_pfn(page), npages, dirty);
		return;
	}
	for (i = 0; i < npages; i++) {
		WARN_ON(!page[i].npins);
		page[i].npins--;
		/* A device may still write there. */
		WARN_ON(!page[i].npins && page[i].nreaching);
		page[i].dirty |= dirty;
		shim_npinned--;
	}
}

void unpin_user_pages(struct page **pages, unsigned long npages)
{
	unsigned long i;

	for (i = 0; i < npages; i++)
		unpin_user_page_range_dirty_lock(pages[i], 1, false);
}

void set_page_dirty_lock(struct page *page)
{
	shim_might_sleep();
	page->dirty = true;
}

void (*shim_on_copy)(void);
bool shim_unreadable, shim_unwritable;

static unsigned long copy_user(unsigned long uaddr, char *data, unsigned long nbytes,
			       bool write)
{
	if (shim_atomic && (write ? shim_unwritable : shim_unreadable))
		return nbytes;
	if (shim_on_copy && !shim_atomic)
		shim_on_copy();
	while (nbytes) {
		unsigned long step = min(nbytes, PAGE_SIZE - offset_in_page(uaddr));
		struct page *page = find_page(current->mm, uaddr, write);

		if (!page)
			break;
		if (write)
			memcpy_to_page(page, offset_in_page(uaddr), data, step);
		else
			memcpy_from_page(data, page, offset_in_page(uaddr), step);
		uaddr += step;
		data += step;
		nbytes -= step;
	}
	return nbytes;
}

unsigned long copy_to_user(void *to, const void *from, unsigned long nbytes)
{
	return copy_user((unsigned long)to, (char *)from, nbytes, true);
}

unsigned long copy_from_user(void *to, const void *from, unsigned long nbytes)
{
	return copy_user((unsigned long)from, to, nbytes, false);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages, address spaces, and the processes that have them.
 *
 * An address space shows the pages that a test puts into it, at SHIM_USER_BASE and up.
 */
#ifndef SHIM_MEMORY_H
#define SHIM_MEMORY_H

#define PAGE_SHIFT		12
#define PAGE_SIZE		(1UL << PAGE_SHIFT)
#define PAGE_MASK		(~(PAGE_SIZE - 1))
#define HPAGE_PMD_SIZE		(1UL << 21)
#define offset_in_page(address)	((unsigned long)(address) & ~PAGE_MASK)
#define PFN_PHYS(pfn)		((phys_addr_t)(pfn) << PAGE_SHIFT)

#define SHIM_NPAGES		4096		/* all pages of memory */
#define SHIM_FIRST_PFN		0x100000UL
#define SHIM_USER_NPAGES	1024		/* in an address space */
#define SHIM_USER_BASE		0x7f0000000000UL
#define SHIM_TAG(tag)		((unsigned long)(tag) << 56)	/* of an address; ignored */
#define SHIM_ZERO_PAGE		(SHIM_NPAGES - 1)	/* number of the zero page */

struct page {
	unsigned int npins;
	unsigned int nreaching;		/* entries of page tables and IOTLBs that lead here */
	unsigned int to_head;		/* pages back to the first page of its folio */
	unsigned int folio_npages;	/* in the first page of a folio */
	bool reserved;
	bool dirty;
	char *data;			/* allocated at the first access */
};

struct folio {
	struct page page;
};

extern struct page shim_pages[SHIM_NPAGES];
extern unsigned long shim_npinned;	/* sum of npins */
extern unsigned int shim_pin_at_most;	/* pages a call; 0: no limit */

/* Notes frames as device memory. Those that a PFNMAP lookup finds are noted by it. */
void shim_add_mmio(unsigned long pfn, unsigned long nframes);

/* How many frames from @pfn on, at most @most, are pinned or device memory, and so mappable. */
unsigned long shim_count_mappable(unsigned long pfn, unsigned long most);

/* Makes all pages new: folios of one page, not reserved. None may be pinned. */
void shim_pages_reset(void);
void shim_make_folio(unsigned int first, unsigned int npages);
char *shim_page_data(struct page *page);

/* Works also for frames without a page here: so it is no arithmetic with pointers. */
static inline unsigned long page_to_pfn(const struct page *page)
{
	return (long)((uintptr_t)page - (uintptr_t)shim_pages) / (long)sizeof(*page) +
	       SHIM_FIRST_PFN;
}

static inline struct page *pfn_to_page(unsigned long pfn)
{
	unsigned long number = pfn - SHIM_FIRST_PFN;

	return (struct page *)((uintptr_t)shim_pages + number * sizeof(struct page));
}

#define pfn_valid(pfn)		((pfn) - SHIM_FIRST_PFN < SHIM_NPAGES)
#define page_folio(page)	((struct folio *)((page) - (page)->to_head))
#define folio_page(folio, n)	(&(folio)->page + (n))
#define folio_nr_pages(folio)	((folio)->page.folio_npages)
#define PageReserved(page)	((page)->reserved)
#define is_zero_pfn(pfn)	((pfn) == SHIM_FIRST_PFN + SHIM_ZERO_PAGE)
#define untagged_addr_remote(mm, uaddr)	((void)(mm), (uaddr) & (SHIM_TAG(1) - 1))
#define arch_pkeys_enabled()	true

struct vm_area_struct {
	struct mm_struct *vm_mm;
	unsigned long vm_flags;
};

/* Device memory at an address. */
struct shim_mmio {
	unsigned long pfn;		/* 0: no device memory */
	bool absent;			/* until it is faulted in */
	bool clean;			/* not writable until it is faulted in for writing */
	int fault_ret;			/* result of that fault; 0: it succeeds */
};

struct mm_struct {
	int mm_users;			/* 0: its memory is gone */
	int mm_count;
	unsigned long locked_vm;
	atomic64_t pinned_vm;
	struct rw_semaphore mmap_lock;
	struct page *pages[SHIM_USER_NPAGES];
	bool read_only[SHIM_USER_NPAGES];
	bool key_disabled[SHIM_USER_NPAGES];	/* a protection key refuses its own threads */
	bool write_only[SHIM_USER_NPAGES];
	struct shim_mmio mmio[SHIM_USER_NPAGES];
	struct vm_area_struct mmio_vma;	/* of all device memory */
};

struct user_struct {
	atomic_long_t locked_vm;
};

struct cred {
	struct user_struct *user;
	int nrefs;
	bool has_ipc_lock;
};

struct task_struct {
	struct mm_struct *mm;
	struct task_struct *group_leader;
	struct cred *cred;
	int nrefs;
	int pid;
	char comm[16];
	unsigned long memlock_nbytes;	/* its RLIMIT_MEMLOCK */
	bool is_dying;
};

extern struct task_struct *current;	/* of the thread whose turn it is */

/* References to processes; contexts have them. */
struct pid;

extern long shim_npids;

/* No test has a file. */
#define get_file(file)			((void)(file))
#define fput(file)			((void)(file))

#define TASK_COMM_LEN			16
#define task_tgid(task)			((struct pid *)(task))
#define put_pid(pid)			((void)(pid), (void)shim_npids--)
#define get_task_comm(buffer, task)	((void)memcpy(buffer, (task)->comm, TASK_COMM_LEN))

static inline struct pid *get_pid(struct pid *pid)
{
	shim_npids++;
	return pid;
}

/* A process with an address space and a user of its own. */
struct shim_process {
	struct task_struct task;
	struct mm_struct mm;
	struct cred cred;
	struct user_struct user;
};

void shim_process_init(struct shim_process *process);

/* Checks that nobody has a reference to the process, and that nothing is charged to it. */
void shim_process_check_clean(const struct shim_process *process);

#define CAP_IPC_LOCK		14
#define RLIMIT_MEMLOCK		8
#define capable(capability)		(current->cred->has_ipc_lock)
#define fatal_signal_pending(task)	((task)->is_dying)
#define task_rlimit(task, limit)	((task)->memlock_nbytes)
#define task_pid_nr(task)		((task)->pid)
#define current_cred()			((const struct cred *)current->cred)
#define get_task_struct(task)		((void)(task)->nrefs++)
#define put_task_struct(task)		((void)(WARN_ON((task)->nrefs <= 0), (task)->nrefs--))
#define mmgrab(mm)			((void)(mm)->mm_count++)
#define mmdrop(mm)			((void)(WARN_ON((mm)->mm_count <= 0), (mm)->mm_count--))
/* mmput() is missing on purpose: it may take an address space apart, and wait for its files. */
#define mmput_async(mm)			((void)(WARN_ON((mm)->mm_users <= 0), (mm)->mm_users--))
#define mmap_read_lock(mm)		down_read(&(mm)->mmap_lock)
#define mmap_read_unlock(mm)		up_read(&(mm)->mmap_lock)
#define mmap_read_trylock(mm)		down_read_trylock(&(mm)->mmap_lock)
#define kthread_use_mm(new_mm)		((void)(current->mm = (new_mm)))
#define kthread_unuse_mm(old_mm)	((void)(current->mm = NULL))

static inline const struct cred *get_current_cred(void)
{
	current->cred->nrefs++;
	return current->cred;
}

static inline void put_cred(const struct cred *cred)
{
	WARN_ON(cred->nrefs <= 0);
	((struct cred *)cred)->nrefs--;
}

static inline bool mmget_not_zero(struct mm_struct *mm)
{
	if (mm->mm_users)
		mm->mm_users++;
	return mm->mm_users;
}

static inline int mmap_read_lock_killable(struct mm_struct *mm)
{
	if (current->is_dying)
		return -EINTR;
	mmap_read_lock(mm);
	return 0;
}

#define VM_PFNMAP		1
#define FAULT_FLAG_WRITE	1
#define FAULT_FLAG_REMOTE	2
struct follow_pfnmap_args {
	struct vm_area_struct *vma;
	unsigned long address;
	unsigned long pfn;
	bool writable;
};

struct vm_area_struct *vma_lookup(struct mm_struct *mm, unsigned long uaddr);
int follow_pfnmap_start(struct follow_pfnmap_args *args);
void follow_pfnmap_end(struct follow_pfnmap_args *args);
int fixup_user_fault(struct mm_struct *mm, unsigned long uaddr, unsigned int flags,
		     bool *unlocked);

#define FOLL_WRITE		1
#define FOLL_LONGTERM		2
int pin_user_pages_fast(unsigned long uaddr, int npages, unsigned int flags,
			struct page **pages);
long pin_user_pages_remote(struct mm_struct *mm, unsigned long uaddr, unsigned long npages,
			   unsigned int flags, struct page **pages, int *locked);
void unpin_user_pages(struct page **pages, unsigned long npages);
void unpin_user_page_range_dirty_lock(struct page *page, unsigned long npages, bool dirty);
void set_page_dirty_lock(struct page *page);

#define memcpy_to_page(page, offset, from, nbytes) \
	((void)memcpy(shim_page_data(page) + (offset), from, nbytes))
#define memcpy_from_page(to, page, offset, nbytes) \
	((void)memcpy(to, shim_page_data(page) + (offset), nbytes))

/* If set, is called before each copy from or to user memory. */
extern void (*shim_on_copy)(void);

/* If set, is called instead of unpinning. The pages need not exist. */
extern void (*shim_unpin_instead)(unsigned long pfn, unsigned long npages, bool dirty);

/* User memory cannot be read (written) without a page fault. */
extern bool shim_unreadable, shim_unwritable;

/* Return the number of bytes that were not copied. */
unsigned long copy_to_user(void *to, const void *from, unsigned long nbytes);
unsigned long copy_from_user(void *to, const void *from, unsigned long nbytes);

#endif

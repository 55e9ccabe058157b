// SPDX-License-Identifier: GPL-2.0-only
/*
 * account: the process whose RLIMIT_MEMLOCK pays for pinned pages.
 *
 * - ACCOUNT_MLOCK charges locked_vm of the mm that asked for the map. mlock() uses the same
 *   counter, which is visible as VmLck. The limit is the soft limit of that process. CAP_IPC_LOCK
 *   lifts the limit, but the pages are still counted.
 * - The other modes count the pages in pinned_vm of the mm (VmPin). They also charge locked_vm of
 *   the user or of the mm, which the limit applies to, unless the caller had CAP_IPC_LOCK.
 *
 * Locking: the counters are atomic. locked_vm of an mm also belongs to its mmap lock, which is the
 * innermost sleeping lock of the module.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/user.h>
#include <linux/slab.h>

#include "account.h"

struct ioas_account *account_create(enum account_mode mode)
{
	struct ioas_account *account;

	account = kmalloc(sizeof(*account), GFP_KERNEL_ACCOUNT);
	if (!account)
		return NULL;
	account->mm = current->mm;
	account->task = current->group_leader;
	/*
	 * get_current_cred() zeroes a field that threads share, each time and unmarked, which KCSAN
	 * would report.
	 */
	account->cred = data_race(get_current_cred());
	account->mode = mode;
	account->unlimited = capable(CAP_IPC_LOCK);
	account->nareas = 0;
	refcount_set(&account->refs, 1);
	selftest_tally_init(&account->tally);
	mmgrab(account->mm);
	get_task_struct(account->task);
	return account;
}

void account_put(struct ioas_account *account)
{
	if (!refcount_dec_and_test(&account->refs))
		return;
	WARN_ON(selftest_counted(&account->tally));
	put_task_struct(account->task);
	mmdrop(account->mm);
	put_cred(account->cred);
	kfree(account);
}

/* Is locked_vm not charged at all? */
static bool is_unaccounted(const struct ioas_account *account)
{
	return account->unlimited && account->mode != ACCOUNT_MLOCK;
}

static inline int charge_counter(atomic_long_t *counter, unsigned long npages,
				 unsigned long max_pages)
{
	unsigned long old = atomic_long_read(counter);
	long expected = old;

	do {
		old = expected;
		if (old > max_pages || npages > max_pages - old)
			return -ENOMEM;
	} while (!atomic_long_try_cmpxchg(counter, &expected, old + npages));
	return 0;
}

/*
 * The kernel changes locked_vm with the mmap lock held for writing. Holding it for reading keeps
 * those changes out, and our changes are atomic. So no page fault has to wait for us.
 */
static atomic_long_t *locked_counter(struct mm_struct *mm)
{
	BUILD_BUG_ON(sizeof(atomic_long_t) != sizeof(mm->locked_vm));
	return (atomic_long_t *)&mm->locked_vm;
}

static int charge_mm(struct mm_struct *mm, unsigned long npages, unsigned long max_pages)
{
	int ret;

	if (!mmap_read_trylock(mm) && mmap_read_lock_killable(mm))
		return -EINTR;
	ret = charge_counter(locked_counter(mm), npages, max_pages);
	mmap_read_unlock(mm);
	return ret;
}

static void __cold log_excess(const struct ioas_account *account)
{
	pr_warn_ratelimited("%s[%d]: RLIMIT_MEMLOCK (%lu bytes) exceeded; raise it with ulimit -l or LimitMEMLOCK=\n",
			    account->task->comm, task_pid_nr(account->task),
			    task_rlimit(account->task, RLIMIT_MEMLOCK));
}

int account_charge(const struct ioas_account *account, unsigned long npages)
{
	unsigned long max_pages = ULONG_MAX;
	int ret;

	if (!npages)
		return 0;
	if (!account->unlimited)
		max_pages = task_rlimit(account->task, RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	if (is_unaccounted(account))
		ret = 0;
	else if (account->mode == ACCOUNT_USER)
		ret = charge_counter(&account->cred->user->locked_vm, npages, max_pages);
	else
		ret = charge_mm(account->mm, npages, max_pages);
	if (unlikely(ret == -ENOMEM))
		log_excess(account);
	if (!ret && account->mode != ACCOUNT_MLOCK)
		atomic64_add(npages, &account->mm->pinned_vm);
	if (!ret)
		selftest_count(&account->tally, npages);
	return ret;
}

/* An address space that has ended took its counter with it. */
static void pay_mm(struct mm_struct *mm, unsigned long npages)
{
	if (mm != current->mm && !mmget_not_zero(mm))
		return;
	if (!mmap_read_trylock(mm))
		mmap_read_lock(mm);
	WARN_ON_ONCE(atomic_long_sub_return(npages, locked_counter(mm)) < 0);
	mmap_read_unlock(mm);
	if (mm != current->mm)
		mmput_async(mm);
}

void account_pay(struct account_refund *refund)
{
	const struct ioas_account *account = refund->account;

	if (!refund->npages)
		return;
	if (is_unaccounted(account))
		;
	else if (account->mode == ACCOUNT_USER)
		atomic_long_sub(refund->npages, &account->cred->user->locked_vm);
	else
		pay_mm(account->mm, refund->npages);
	if (account->mode != ACCOUNT_MLOCK)
		atomic64_sub(refund->npages, &account->mm->pinned_vm);
	selftest_count(&account->tally, -(long)refund->npages);
	refund->npages = 0;
}

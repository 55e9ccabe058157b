// SPDX-License-Identifier: GPL-2.0-only
/*
 * account: whose RLIMIT_MEMLOCK pays for pinned pages.
 *
 * A container pays as in type1: the counter is locked_vm of the mm that asked for the
 * mapping (shared with mlock(), visible as VmLck), the limit is that process' soft limit,
 * and CAP_IPC_LOCK lifts the limit, not the count. Native maps are counted as pinned_vm
 * of the mm (VmPin), and against the limit in the user's locked_vm or in the mm's, unless
 * the caller had CAP_IPC_LOCK.
 *
 * Locking: locked_vm of an mm belongs to its mmap lock, which is innermost here; the
 * other counters are atomic.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/user.h>
#include <linux/slab.h>

#include "account.h"

struct ioas_account *account_create(enum account_mode mode, bool unlimited)
{
	struct ioas_account *account;

	account = kmalloc(sizeof(*account), GFP_KERNEL_ACCOUNT);
	if (!account)
		return NULL;
	account->mm = current->mm;
	account->task = current->group_leader;
	account->user = get_uid(current_user());
	account->mode = mode;
	account->unlimited = unlimited;
	account->nareas = 0;
	refcount_set(&account->refs, 1);
	mmgrab(account->mm);
	get_task_struct(account->task);
	return account;
}

void account_put(struct ioas_account *account)
{
	if (!refcount_dec_and_test(&account->refs))
		return;
	put_task_struct(account->task);
	mmdrop(account->mm);
	free_uid(account->user);
	kfree(account);
}

bool account_is_current(const struct ioas_account *account, enum account_mode mode,
			bool unlimited)
{
	return account && account->mm == current->mm &&
	       account->task == current->group_leader &&
	       account->user == current_user() &&
	       account->mode == mode && account->unlimited == unlimited;
}

static int charge_user(const struct ioas_account *account, unsigned long npages)
{
	unsigned long limit = task_rlimit(account->task, RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	long old = atomic_long_read(&account->user->locked_vm);

	do {
		if (old + npages > limit)
			return -ENOMEM;
	} while (!atomic_long_try_cmpxchg(&account->user->locked_vm, &old, old + npages));
	return 0;
}

static int charge_mm(const struct ioas_account *account, unsigned long npages)
{
	int ret;

	if (mmap_write_lock_killable(account->mm))
		return -EINTR;
	ret = __account_locked_vm(account->mm, npages, true, account->task,
				  account->unlimited);
	mmap_write_unlock(account->mm);
	return ret;
}

int account_charge(const struct ioas_account *account, unsigned long npages)
{
	int ret = 0;

	if (!npages)
		return 0;
	if (account->mode == ACCOUNT_USER)
		ret = charge_user(account, npages);
	else if (account->mode != ACCOUNT_NONE)
		ret = charge_mm(account, npages);
	if (ret == -ENOMEM)
		pr_warn_ratelimited("%s[%d]: RLIMIT_MEMLOCK (%lu bytes) exceeded\n",
				    account->task->comm, task_pid_nr(account->task),
				    task_rlimit(account->task, RLIMIT_MEMLOCK));
	if (!ret && account->mode != ACCOUNT_TYPE1)
		atomic64_add(npages, &account->mm->pinned_vm);
	return ret;
}

/* An address space that nobody uses any more took its counter with it. */
static void pay_mm(struct mm_struct *mm, unsigned long npages)
{
	if (mm != current->mm && !mmget_not_zero(mm))
		return;
	mmap_write_lock(mm);
	__account_locked_vm(mm, npages, false, current, true);
	mmap_write_unlock(mm);
	if (mm != current->mm)
		mmput(mm);
}

void account_pay(struct account_refund *refund)
{
	const struct ioas_account *account = refund->account;

	if (!refund->npages)
		return;
	if (account->mode == ACCOUNT_USER)
		atomic_long_sub(refund->npages, &account->user->locked_vm);
	else if (account->mode != ACCOUNT_NONE)
		pay_mm(account->mm, refund->npages);
	if (account->mode != ACCOUNT_TYPE1)
		atomic64_sub(refund->npages, &account->mm->pinned_vm);
	refund->npages = 0;
}

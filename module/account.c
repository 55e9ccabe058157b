// SPDX-License-Identifier: GPL-2.0-only
/*
 * account: whose RLIMIT_MEMLOCK pays for pinned pages.
 *
 * As type1 does it: the counter is locked_vm of the mm that asked for the mapping
 * (shared with mlock(), visible as VmLck), the limit is that process' soft limit,
 * and CAP_IPC_LOCK lifts the limit, not the count.
 *
 * Locking: locked_vm belongs to the mmap lock of its mm, which is innermost here.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "account.h"

/**
 * account_create() - remember the calling process as the one who pays
 * @unlimited: it may go beyond its limit
 *
 * Context: a process with an mm. Allocates.
 * Return: the account with no user, or NULL without memory.
 */
struct ioas_account *account_create(bool unlimited)
{
	struct ioas_account *account;

	account = kmalloc(sizeof(*account), GFP_KERNEL_ACCOUNT);
	if (!account)
		return NULL;
	account->mm = current->mm;
	account->task = current->group_leader;
	account->unlimited = unlimited;
	account->nusers = 0;
	mmgrab(account->mm);
	get_task_struct(account->task);
	return account;
}

/**
 * account_destroy() - forget the process
 * @account: with no user and nothing charged any more
 */
void account_destroy(struct ioas_account *account)
{
	put_task_struct(account->task);
	mmdrop(account->mm);
	kfree(account);
}

/**
 * account_is_current() - would account_create() make the same account again?
 * @account: an account, or NULL
 * @unlimited: as for account_create()
 */
bool account_is_current(const struct ioas_account *account, bool unlimited)
{
	return account && account->mm == current->mm &&
	       account->task == current->group_leader &&
	       account->unlimited == unlimited;
}

/**
 * account_charge() - count pinned pages
 * @account: who pays; the caller makes sure that its address space is in use
 * @npages: how many; 0 costs nothing
 *
 * Context: may sleep, takes the mmap lock for writing.
 * Return: 0; -ENOMEM over the limit (logged: who runs into it wants to know which
 * limit); -EINTR when a fatal signal came while waiting for the lock.
 */
int account_charge(const struct ioas_account *account, unsigned long npages)
{
	int ret;

	if (!npages)
		return 0;
	if (mmap_write_lock_killable(account->mm))
		return -EINTR;
	ret = __account_locked_vm(account->mm, npages, true, account->task,
				  account->unlimited);
	mmap_write_unlock(account->mm);
	if (ret)
		pr_warn_ratelimited("%s[%d]: RLIMIT_MEMLOCK (%lu bytes) exceeded\n",
				    account->task->comm, task_pid_nr(account->task),
				    task_rlimit(account->task, RLIMIT_MEMLOCK));
	return ret;
}

/**
 * account_pay() - give collected charges back
 * @refund: is empty afterwards
 *
 * An address space that nobody uses any more took its counter with it.
 *
 * Context: may sleep, takes the mmap lock for writing, and not killably: a task that
 * dies while it unmaps must not leave another process charged. Never fails.
 */
void account_pay(struct account_refund *refund)
{
	struct mm_struct *mm = refund->mm;

	if (!refund->npages || (mm != current->mm && !mmget_not_zero(mm)))
		goto paid;
	mmap_write_lock(mm);
	__account_locked_vm(mm, refund->npages, false, current, true);
	mmap_write_unlock(mm);
	if (mm != current->mm)
		mmput(mm);
paid:
	refund->npages = 0;
}

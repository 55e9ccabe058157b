/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * account: whose RLIMIT_MEMLOCK pays for pinned pages.
 *
 * Owns: the references on mm, task and credentials in struct ioas_account.
 */
#ifndef VFIO_IOAS_ACCOUNT_H
#define VFIO_IOAS_ACCOUNT_H

#include <linux/cred.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/types.h>

#include "base/selftest.h"

struct mm_struct;
struct task_struct;

enum account_mode {
	ACCOUNT_USER,	/* the user's locked_vm, as io_uring does; not with CAP_IPC_LOCK */
	ACCOUNT_MM,	/* the mm's locked_vm; not with CAP_IPC_LOCK */
	ACCOUNT_MLOCK,	/* as mlock(): the mm's locked_vm; CAP_IPC_LOCK lifts the limit only */
};

/* The process that mapped memory, as it was then. Constant but for the counts. */
struct ioas_account {
	struct mm_struct *mm;		/* the struct is held, not the address space */
	struct task_struct *task;	/* its thread group leader: whose limit holds */
	const struct cred *cred;	/* held */
	enum account_mode mode;
	bool unlimited;			/* these credentials have CAP_IPC_LOCK */
	unsigned long nareas;		/* iova_lock of its IOAS: stores that only that uses */
	refcount_t refs;		/* one for its IOAS, one a shared store or a hold */
	struct selftest_tally tally;
};

/* Charges to give back, collected so that many areas cost one lock of the mm. */
struct account_refund {
	const struct ioas_account *account;
	unsigned long npages;
};

/**
 * account_create() - remember the calling process as the one who pays
 * @mode: how
 *
 * Context: a process with an mm. Allocates.
 * Return: the account, to be put, with no area; or NULL without memory.
 */
struct ioas_account *account_create(enum account_mode mode);

/**
 * account_put() - forget the process when nobody else needs it
 * @account: nothing is charged any more for the one who puts it
 *
 * Context: may sleep.
 */
void account_put(struct ioas_account *account);

/*
 * Would account_create() make the same account again? The same credentials have the same
 * capabilities: so a map need not ask for them, which is half the price of knowing who
 * pays.
 */
static inline bool account_is_current(const struct ioas_account *account,
				      enum account_mode mode)
{
	return account && account->mm == current->mm && account->mode == mode &&
	       account->task == current->group_leader &&
	       account->cred == current_cred();
}

/**
 * account_charge() - count pinned pages
 * @account: who pays; the caller makes sure that its address space is in use
 * @npages: how many; 0 costs nothing
 *
 * Context: may sleep, takes the mmap lock for reading.
 * Return: 0; -ENOMEM over the limit (logged: who runs into it wants to know which
 * limit); -EINTR when a fatal signal came while waiting for the lock.
 */
int account_charge(const struct ioas_account *account, unsigned long npages);

/**
 * account_pay() - give collected charges back
 * @refund: is empty afterwards
 *
 * Context: may sleep, takes the mmap lock for reading, and not killably: a task that
 * dies while it unmaps must not leave another process charged. Never fails.
 */
void account_pay(struct account_refund *refund);

/*
 * Notes @npages charged pages as unpinned. @refund is zeroed before the first use, and
 * account_pay() comes before the account is put. May sleep; never fails.
 */
static inline void account_refund(struct account_refund *refund,
				  const struct ioas_account *account,
				  unsigned long npages)
{
	if (refund->account != account) {
		if (refund->npages)
			account_pay(refund);
		refund->account = account;
	}
	refund->npages += npages;
}

#endif

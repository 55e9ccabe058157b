/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * account: the process whose RLIMIT_MEMLOCK pays for pinned pages.
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
	ACCOUNT_USER,	/* the user's locked_vm, as io_uring; not with CAP_IPC_LOCK */
	ACCOUNT_MM,	/* the mm's locked_vm; not with CAP_IPC_LOCK */
	ACCOUNT_MLOCK,	/* as mlock(): the mm's locked_vm; CAP_IPC_LOCK lifts the limit only */
};

/* The process that mapped memory, as it was at that time. Constant, except for the counts. */
struct ioas_account {
	struct mm_struct *mm;		/* a reference on the struct, not on the address space */
	struct task_struct *task;	/* a reference; thread group leader, whose limit applies */
	const struct cred *cred;	/* a reference */
	enum account_mode mode;
	bool unlimited;			/* these credentials have CAP_IPC_LOCK */
	unsigned long nareas;		/* iova_lock of its IOAS; areas whose store is not shared */
	refcount_t refs;		/* one for its IOAS, one for each shared store or hold */
	struct selftest_tally tally;
};

/* Charges to give back, collected so that many areas cost one lock of the mm. */
struct account_refund {
	const struct ioas_account *account;
	unsigned long npages;
};

/**
 * account_create() - make an account of the calling process
 * @mode: which counters it charges
 *
 * Context: a process with an mm; may sleep, allocates.
 * Return: the account, with no area and one reference; NULL without memory.
 */
struct ioas_account *account_create(enum account_mode mode);

/**
 * account_put() - drop a reference on an account
 * @account: the caller has nothing charged to it any more; may be gone afterwards
 *
 * Context: may sleep.
 */
void account_put(struct ioas_account *account);

/*
 * Would account_create() make the same account again? The same credentials have the same
 * capabilities, so a map need not check them, which would be half the cost of finding the account.
 */
static inline bool account_is_current(const struct ioas_account *account,
				      enum account_mode mode)
{
	return account && account->mm == current->mm && account->mode == mode &&
	       account->task == current->group_leader &&
	       account->cred == current_cred();
}

/**
 * account_charge() - charge pinned pages
 * @account: the account; the caller makes sure that its address space is in use
 * @npages: number of pages; 0 costs nothing
 *
 * Context: may sleep, takes the mmap lock of the account's mm for reading.
 * Return: 0, or with nothing charged:
 * * -ENOMEM: over the limit, which is logged, so that the user learns which limit it is
 * * -EINTR: a fatal signal came while waiting for the lock
 */
int account_charge(const struct ioas_account *account, unsigned long npages);

/**
 * account_pay() - give collected charges back
 * @refund: is empty afterwards
 *
 * Context: may sleep, takes the mmap lock of the account's mm for reading. The wait is not
 * killable: a task that dies during an unmap must not leave another process charged. Never fails.
 */
void account_pay(struct account_refund *refund);

/*
 * Notes that @npages charged pages were unpinned. @refund is zeroed before its first use. The
 * caller calls account_pay() before it puts the account. May sleep; never fails.
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

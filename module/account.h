/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * account: whose RLIMIT_MEMLOCK pays for pinned pages.
 *
 * Owns: the references on mm and task in struct ioas_account.
 */
#ifndef VFIO_IOAS_ACCOUNT_H
#define VFIO_IOAS_ACCOUNT_H

#include <linux/types.h>

struct mm_struct;
struct task_struct;

/* Who asked for runs of memory, as he was then. Constant but for the count. */
struct ioas_account {
	struct mm_struct *mm;		/* the struct is held, not the address space */
	struct task_struct *task;	/* its thread group leader: whose limit holds */
	bool unlimited;			/* had CAP_IPC_LOCK */
	unsigned long nusers;		/* iova_lock of the IOAS it belongs to */
};

/* Charges to give back, collected so that many areas cost one lock of the mm. */
struct account_refund {
	struct mm_struct *mm;
	unsigned long npages;
};

struct ioas_account *account_create(bool unlimited);
void account_destroy(struct ioas_account *account);
bool account_is_current(const struct ioas_account *account, bool unlimited);
int account_charge(const struct ioas_account *account, unsigned long npages);
void account_pay(struct account_refund *refund);

/*
 * Notes @npages charged pages as unpinned. @refund is zeroed before the first use, and
 * account_pay() comes before the account is destroyed. May sleep; never fails.
 */
static inline void account_refund(struct account_refund *refund,
				  const struct ioas_account *account,
				  unsigned long npages)
{
	if (refund->mm != account->mm) {
		if (refund->npages)
			account_pay(refund);
		refund->mm = account->mm;
	}
	refund->npages += npages;
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * notifier: tells in-kernel users of an IOAS before an unmap removes memory that they have pinned.
 *
 * Locking: the xarray's own lock guards the list. Calls of a notifier are counted under it, so that
 * a thread that takes a notifier off the list can wait for them. Before an unmap tells a user, it
 * takes pins_rwsem for writing, and releases it at once. So it waits for calls whose pins the user
 * does not know yet.
 */
#include <linux/mm.h>
#include <linux/xarray.h>

#include "limits.h"
#include "notifier.h"

static struct ioas_notifier *next_to_notify(struct ioas *ioas, unsigned long *index)
{
	struct ioas_notifier *notifier;

	xa_lock(&ioas->notifiers);
	notifier = xa_find(&ioas->notifiers, index, ULONG_MAX, XA_PRESENT);
	if (notifier)
		refcount_inc(&notifier->ncalls);
	xa_unlock(&ioas->notifiers);
	return notifier;
}

static void call_over(struct ioas_notifier *notifier)
{
	if (refcount_dec_and_test(&notifier->ncalls))
		complete(&notifier->calls_over);
}

/* Waits until the calls that are pinning now have returned. */
static int wait_for_pinning(struct ioas_notifier *notifier, unsigned int state)
{
	if (state != TASK_KILLABLE)
		down_write(&notifier->pins_rwsem);
	else if (down_write_killable(&notifier->pins_rwsem))
		return -EINTR;
	up_write(&notifier->pins_rwsem);
	return 0;
}

int ioas_notify_unmap(struct ioas *ioas, unsigned long iova, unsigned long last_iova,
		      unsigned int state)
{
	struct ioas_notifier *notifier;
	unsigned long index;
	int ret = 0;

	for (index = 0; !ret && (notifier = next_to_notify(ioas, &index)); index++) {
		ret = wait_for_pinning(notifier, state);
		if (!ret && notifier->unmap)
			notifier->unmap(notifier->data, iova, last_iova - iova + 1);
		call_over(notifier);
	}
	return ret;
}

/* Changes the number of users that pin in an IOAS. Only an increase can fail. */
static int change_npinning(struct ioas *ioas, int change)
{
	int ret = 0;

	down_write(&ioas->domains_rwsem);
	if (change > 0)
		ret = ioas_check_alignment(ioas, PAGE_SIZE);
	if (!ret) {
		ioas->npinning += change;
		ioas_refresh(ioas);
	}
	up_write(&ioas->domains_rwsem);
	return ret;
}

int ioas_notifier_add(struct ioas_notifier *notifier, struct ioas *ioas)
{
	int ret = 0;

	if (notifier->pins)
		ret = change_npinning(ioas, 1);
	if (ret)
		return ret;
	notifier->ioas = ioas;
	init_rwsem(&notifier->pins_rwsem);
	refcount_set(&notifier->ncalls, 1);
	init_completion(&notifier->calls_over);
	ret = xa_alloc(&ioas->notifiers, &notifier->index, notifier, xa_limit_32b,
		       GFP_KERNEL_ACCOUNT);
	if (!ret)
		ioas_object_use(&ioas->object);
	else if (notifier->pins)
		change_npinning(ioas, -1);
	return ret;
}

void ioas_notifier_remove(struct ioas_notifier *notifier)
{
	struct ioas *ioas = notifier->ioas;

	xa_erase(&ioas->notifiers, notifier->index);
	if (!refcount_dec_and_test(&notifier->ncalls))
		wait_for_completion(&notifier->calls_over);
	if (notifier->pins)
		change_npinning(ioas, -1);
	ioas_object_unuse(&ioas->object);
}

unsigned long ioas_count_users(struct ioas *ioas)
{
	unsigned long index, n = 0;
	void *notifier;

	xa_for_each(&ioas->notifiers, index, notifier) {
		n++;
		cond_resched();
	}
	return n;
}

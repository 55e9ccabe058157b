/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * notifier: tells in-kernel users of an IOAS before an unmap removes memory that they have pinned.
 *
 * Owns: the list of notifiers of an IOAS.
 */
#ifndef VFIO_IOAS_NOTIFIER_H
#define VFIO_IOAS_NOTIFIER_H

#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/types.h>

struct ioas;

/*
 * An in-kernel user is told to unpin at most MAX_NOTICES times. Each notice has NOTICE_PAUSE, in
 * jiffies, to take effect. A driver may note a pin only after the call that made it has returned,
 * so the first notice may find nothing to unpin.
 */
#define MAX_NOTICES	100
#define NOTICE_PAUSE	(HZ / 50)

/* An in-kernel user has one for each IOAS that it uses. */
struct ioas_notifier {
	/*
	 * Called when the user has to unpin a range. Other users may have made some or all pins
	 * there. No lock of an IOAS is held. Several calls may run at once. Or NULL.
	 */
	void (*unmap)(void *data, unsigned long iova, unsigned long nbytes);
	void *data;
	bool pins;			/* areas have to consist of whole pages */
	/* All below belongs to the notifier; constant while registered, except for ... */
	struct ioas *ioas;
	u32 index;			/* in ioas->notifiers */
	struct rw_semaphore pins_rwsem;	/* ... this, held for reading while the user pins ... */
	refcount_t ncalls;		/* ... calls under way, and one until it is removed */
	struct completion calls_over;
};

/**
 * ioas_notifier_add() - register a notifier for unmaps of an IOAS
 * @notifier: not registered; becomes a user of the IOAS
 * @ioas: the IOAS, kept and not entered by the caller
 *
 * Context: may sleep, takes domains_rwsem for writing if the user pins.
 * Return: 0; -EADDRINUSE if the user pins, and an area does not consist of whole pages; -ENOMEM.
 */
int ioas_notifier_add(struct ioas_notifier *notifier, struct ioas *ioas);

/**
 * ioas_notifier_remove() - undo ioas_notifier_add()
 * @notifier: when this returns, no call of it is under way, and none will come
 *
 * Context: sleeps, takes domains_rwsem for writing if the user pins; not in a call of the notifier.
 * Never fails.
 */
void ioas_notifier_remove(struct ioas_notifier *notifier);

/**
 * ioas_notifier_begin_pin() - announce that a call of the user will pin areas
 * @notifier: registered until the end of the call
 *
 * An unmap that finds such a pin waits until ioas_notifier_end_pin(), and only then tells the user,
 * which does not know of the pin earlier.
 *
 * Context: may sleep; before the IOAS is entered.
 */
static inline void ioas_notifier_begin_pin(struct ioas_notifier *notifier)
{
	down_read(&notifier->pins_rwsem);
}

/**
 * ioas_notifier_end_pin() - undo ioas_notifier_begin_pin()
 * @notifier: as for ioas_notifier_begin_pin()
 */
static inline void ioas_notifier_end_pin(struct ioas_notifier *notifier)
{
	up_read(&notifier->pins_rwsem);
}

/**
 * ioas_count_users() - count the in-kernel users of an IOAS
 * @ioas: the IOAS, kept by the caller
 *
 * Context: may sleep. Users may come and go meanwhile.
 */
unsigned long ioas_count_users(struct ioas *ioas);

/**
 * ioas_notify_unmap() - tell in-kernel users to unpin a range
 * @ioas: the IOAS
 * @iova: first address of the range
 * @last_iova: last address, inclusive
 * @state: TASK_KILLABLE to give up on a fatal signal, or TASK_UNINTERRUPTIBLE
 *
 * Before it tells a user, it waits for the calls of that user that are pinning.
 *
 * Context: may sleep. The caller keeps the IOAS, but is not in it, and holds nothing that these
 * users need.
 * Return: 0; -EINTR on a fatal signal, with some users not told.
 */
int ioas_notify_unmap(struct ioas *ioas, unsigned long iova, unsigned long last_iova,
		      unsigned int state);

#endif

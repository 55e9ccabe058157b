/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * notifier: in-kernel users of an IOAS, who are told before an unmap takes what they have pinned.
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
 * So often an in-kernel user is told to let go before that ends in vain, and so long, in jiffies,
 * each notice has to take effect. A driver may note a pin only after the call that made it has
 * returned, so that the first notice finds nothing to let go of.
 */
#define MAX_NOTICES	100
#define NOTICE_PAUSE	(HZ / 50)

/* An in-kernel user has one for each IOAS that it uses. */
struct ioas_notifier {
	/*
	 * The user is to give back its pins in a range, of which others may have pinned a part, or
	 * all. Called with no lock of an IOAS held, maybe several times at once; or NULL.
	 */
	void (*unmap)(void *data, unsigned long iova, unsigned long nbytes);
	void *data;
	bool pins;			/* areas have to be whole pages */
	/* All below is the notifier's own; constant while it is registered, but for ... */
	struct ioas *ioas;
	u32 index;			/* in ioas->notifiers */
	struct rw_semaphore pins_rwsem;	/* ... this, held for reading while the user pins ... */
	refcount_t ncalls;		/* ... calls of it under way, and one until it is removed */
	struct completion calls_over;
};

/**
 * ioas_notifier_add() - let an in-kernel user be told of unmaps
 * @notifier: not registered; becomes a user of the IOAS
 * @ioas: the IOAS, kept by the caller, who has not entered it
 *
 * Context: may sleep, takes domains_rwsem.
 * Return: 0; -EADDRINUSE if it pins, and an area does not consist of whole pages; -ENOMEM.
 */
int ioas_notifier_add(struct ioas_notifier *notifier, struct ioas *ioas);

/**
 * ioas_notifier_remove() - undo ioas_notifier_add()
 * @notifier: when this returns it is not called, and will not be
 *
 * Context: sleeps, takes domains_rwsem; not in a call of the notifier. Never fails.
 */
void ioas_notifier_remove(struct ioas_notifier *notifier);

/**
 * ioas_notifier_begin_pin() - a call of the user is about to pin areas
 * @notifier: registered until the end of the call
 *
 * Until ioas_notifier_end_pin() an unmap that finds such a pin waits instead of telling the user,
 * who does not know of it yet.
 *
 * Context: may sleep; before the IOAS is entered.
 */
static inline void ioas_notifier_begin_pin(struct ioas_notifier *notifier)
{
	down_read(&notifier->pins_rwsem);
}

/**
 * ioas_notifier_end_pin() - undo ioas_notifier_begin_pin()
 * @notifier: as there
 */
static inline void ioas_notifier_end_pin(struct ioas_notifier *notifier)
{
	up_read(&notifier->pins_rwsem);
}

/**
 * ioas_count_users() - how many in-kernel users does an IOAS have?
 * @ioas: the IOAS, kept by the caller
 *
 * Context: may sleep. They come and go meanwhile.
 */
unsigned long ioas_count_users(struct ioas *ioas);

/**
 * ioas_notify_unmap() - ask in-kernel users to let go of a range
 * @ioas: the IOAS
 * @iova: first address of the range
 * @last_iova: last address, inclusive
 * @killable: give up on a fatal signal
 *
 * Calls of these users that are pinning are waited for first.
 *
 * Context: may sleep. The caller keeps the IOAS, but is not in it, and holds nothing.
 * Return: 0; -EINTR on a fatal signal, with some of them not told.
 */
int ioas_notify_unmap(struct ioas *ioas, unsigned long iova, unsigned long last_iova,
		      bool killable);

#endif

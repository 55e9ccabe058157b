/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * area: makes and frees areas and the stores that they show.
 *
 * Owns: the memory of areas and stores.
 */
#ifndef VFIO_IOAS_AREA_H
#define VFIO_IOAS_AREA_H

#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "area_struct.h"
#include "ioas_struct.h"
#include "memory/store.h"

/* A map allocates both at once. */
struct area_and_store {
	struct ioas_area area;
	struct ioas_store store;
};

/* A further area of a shared store. */
struct area_copy {
	struct ioas_area area;
	struct store_user user;
};

static inline struct area_and_store *store_home(struct ioas_store *store)
{
	return container_of(store, struct area_and_store, store);
}

static inline bool area_is_copy(struct ioas_area *area)
{
	return &store_home(area->store)->area != area;
}

/* The user of the store for the area; NULL for a store that is not shared. */
static inline struct store_user *area_user(struct ioas_area *area)
{
	if (!area->store->sharing)
		return NULL;
	if (area_is_copy(area))
		return &container_of(area, struct area_copy, area)->user;
	return &area->store->sharing->own_area;
}

/*
 * @area is in @space, or soon will be. A thread that keeps it busy reads the state without the
 * lock.
 */
static inline void area_set_state(struct iova_space *space, struct ioas_area *area, u8 state)
{
	lockdep_assert_held(&space->iova_lock);
	WRITE_ONCE(area->state, state);
}

/* Is the area live, claimed or not? */
static inline bool area_is_live(const struct ioas_area *area)
{
	/* Pairs with area_set_live(), so that all that the creator wrote is visible. */
	u8 state = smp_load_acquire(&area->state);

	return state >= AREA_LIVE && state <= AREA_TELLING;
}

/*
 * Is the area settled? Such an area is live, and no thread is alone with it, or about to be: it is
 * not FILLING, ALONE or EMPTYING. New calls can use it.
 */
static inline bool area_is_settled(const struct ioas_area *area)
{
	/* Pairs with area_set_live(). */
	u8 state = smp_load_acquire(&area->state);

	return state == AREA_LIVE || state == AREA_TELLING;
}

/* Is a thread alone with the area, or about to be? */
static inline bool area_is_alone(const struct ioas_area *area)
{
	return READ_ONCE(area->state) == AREA_ALONE;
}

/* Does an unmap tell in-kernel users to unpin? Then no new pins are accepted. */
static inline bool area_is_told(const struct ioas_area *area)
{
	return READ_ONCE(area->state) == AREA_TELLING;
}

/* Offset of an IOVA of an area in its store, in bytes. */
static inline unsigned long area_byte(const struct ioas_area *area, unsigned long iova)
{
	return area->first_byte + (iova - area->first_iova);
}

/* The same in pages. */
static inline unsigned long area_index(const struct ioas_area *area, unsigned long iova)
{
	return area_byte(area, iova) / PAGE_SIZE;
}

static inline unsigned long area_last_byte(const struct ioas_area *area)
{
	return area_byte(area, area->last_iova);
}

/* Makes an area show @nbytes, at least 1, of @store from @first_byte on; at IOVA 0. */
static inline void area_init(struct ioas_area *area, struct ioas_store *store,
			     unsigned long first_byte, unsigned long nbytes,
			     int iommu_prot)
{
	area->first_iova = 0;
	area->last_iova = nbytes - 1;
	area->store = store;
	area->first_byte = first_byte;
	area->next = NULL;
	area->iommu_prot = iommu_prot;
	area->state = AREA_FILLING;
	area->flags = 0;
	area->nbusy = 0;
	area->npins = 0;
}

/*
 * Makes an area with a store of its own: @nbytes, at least 1, that do not wrap, from @uptr on in
 * current->mm. The caller owns the area, which has no account yet. Returns NULL without memory.
 */
static inline struct ioas_area *area_create(unsigned long uptr, unsigned long nbytes,
					    int iommu_prot)
{
	struct area_and_store *both = kmalloc(sizeof(*both), GFP_KERNEL_ACCOUNT);

	if (!both)
		return NULL;
	store_init(&both->store, uptr, nbytes, iommu_prot & IOMMU_WRITE);
	area_init(&both->area, &both->store, offset_in_page(uptr), nbytes, iommu_prot);
	return &both->area;
}

/**
 * area_create_copy() - make an area that shows a part of an existing store
 * @store: a shared store; the area gets a reference
 * @first_byte: first byte, counted from the start of page 0
 * @nbytes: number of bytes, at least 1
 * @iommu_prot: IOMMU_READ, IOMMU_WRITE
 *
 * Context: may sleep.
 * Return: the area, owned by the caller, with the account of the store; NULL without memory.
 */
struct ioas_area *area_create_copy(struct ioas_store *store, unsigned long first_byte,
				   unsigned long nbytes, int iommu_prot);

/**
 * area_free_shared() - the part of area_free() for shared stores
 * @area: as for area_free()
 *
 * Context: may sleep.
 */
void area_free_shared(struct ioas_area *area);

/*
 * Frees an area, and its store with the last area. It is in no tree, and no page of it is pinned.
 */
static inline void area_free(struct ioas_area *area)
{
	struct ioas_store *store = area->store;

	if (store->sharing) {
		area_free_shared(area);
		return;
	}
	store_exit(store);
	kfree(store_home(store));
}

/**
 * area_free_list() - free areas that are linked by their next pointer
 * @area: the first one, or NULL; as for area_free()
 *
 * Context: may sleep.
 */
void area_free_list(struct ioas_area *area);

/* Pins the pages that an area shows, as store_pin(). The caller owns it, and holds store_lock(). */
static inline int area_pin(struct ioas_area *area)
{
	return store_pin(area->store, area_user(area));
}

/* Undoes area_pin(), as store_unpin(). No domain maps the area any more. */
static inline void area_unpin(struct ioas_area *area, struct account_refund *refund)
{
	store_unpin(area->store, area_user(area), refund);
}

/**
 * area_sum() - add up the runs and pages of an area
 * @area: the area, owned by the caller, which holds store_lock()
 * @sum: is added to
 *
 * Context: may sleep.
 */
void area_sum(struct ioas_area *area, struct store_sum *sum);

/**
 * area_divide() - let two areas show the bytes of one
 * @lower: an area of a shared store; its user keeps only the lower part
 * @upper: a copy made for the upper part
 * @pinned: @lower is in a domain
 *
 * Context: may sleep; the caller holds store_lock().
 * Return: 0, or -ENOMEM with nothing changed.
 */
int area_divide(struct ioas_area *lower, struct ioas_area *upper, bool pinned);

/**
 * area_share() - make the store of an area shared
 * @ioas: the IOAS of the area, which the caller entered
 * @area: live, and kept busy by the caller, or claimed as AREA_ALONE
 *
 * Context: may sleep.
 * Return: 0, also if it is shared already; -ENOMEM; -EBUSY and a warning if the area is not live,
 * or neither busy nor claimed.
 */
int area_share(struct ioas *ioas, struct ioas_area *area);

/* Stops counting an area in its account. Returns an account to be put, or NULL. */
static inline struct ioas_account *area_forget_account(struct ioas *ioas,
						       struct ioas_account *account)
{
	lockdep_assert_held(&ioas->iova_space.iova_lock);
	if (--account->nareas || account == ioas->account)
		return NULL;
	return account;
}

/*
 * Lets the calling process pay for an area whose store is not shared. Most maps come from one
 * process, so the account has a count of areas under iova_lock, which saves a map its atomic
 * references.
 *
 * Returns false if a new account is needed, in *@spare. On success an account may be left in
 * *@spare that is not used any more. iova_lock held.
 */
static inline bool area_use_account(struct ioas *ioas, struct ioas_area *area,
				    enum account_mode mode, struct ioas_account **spare)
{
	lockdep_assert_held(&ioas->iova_space.iova_lock);
	if (unlikely(!account_is_current(ioas->account, mode))) {
		struct ioas_account *old = ioas->account;

		if (!*spare)
			return false;
		ioas->account = *spare;
		*spare = old && !old->nareas ? old : NULL;
	}
	area->store->account = ioas->account;
	ioas->account->nareas++;
	return true;
}

/*
 * Frees the IOVA of an area that the caller owns. Returns an account to be put after the unlock, or
 * NULL. iova_lock held.
 */
static inline struct ioas_account *area_erase(struct ioas *ioas, struct ioas_area *area)
{
	iova_erase(&ioas->iova_space, area);
	if (area->store->sharing)
		return NULL;
	return area_forget_account(ioas, area->store->account);
}

/**
 * area_change_owner() - make the calling process the owner of the memory of an area
 * @ioas: the IOAS
 * @area: the area that shows the memory
 * @uptr: address of the memory in the calling process, page aligned; it is not checked
 *
 * Charges move to the calling process, unless they are charged to its address space already. Pinned
 * pages stay as they are. Later pins use the new address.
 *
 * Context: domains_rwsem held for writing; a process with an mm. May sleep.
 * Return: 0, or with nothing changed:
 * * -ENOMEM: over the memlock limit, or without memory
 * * -EINTR: a fatal signal
 * * -EBUSY: other areas show the same memory
 * * -EINVAL: the area begins inside a page
 */
int area_change_owner(struct ioas *ioas, struct ioas_area *area, unsigned long uptr);

/**
 * area_first() - begin a walk over areas
 * @ioas: the IOAS
 * @iova: an address
 *
 * Context: domains_rwsem held for writing, so that areas neither come nor go, and all are live.
 * Return: the lowest area that does not end below @iova, or NULL.
 */
struct ioas_area *area_first(struct ioas *ioas, unsigned long iova);

/**
 * area_next() - continue a walk over areas
 * @ioas: the IOAS
 * @area: one of its areas
 *
 * Context: as area_first().
 * Return: the next higher area, or NULL.
 */
struct ioas_area *area_next(struct ioas *ioas, struct ioas_area *area);

/**
 * area_any() - is there an area in a range?
 * @ioas: the IOAS
 * @iova: first address of the range
 * @last_iova: last address, inclusive
 *
 * Context: does not sleep, takes iova_lock. Areas can come and go as soon as it returns.
 */
bool area_any(struct ioas *ioas, unsigned long iova, unsigned long last_iova);

/**
 * area_set_flags() - set flags of the front end in an area
 * @ioas: the IOAS
 * @area: kept busy by the caller, or domains_rwsem is held for writing
 * @flags: flags to set
 *
 * Context: does not sleep, takes iova_lock.
 */
void area_set_flags(struct ioas *ioas, struct ioas_area *area, u8 flags);

/**
 * area_take_flags() - clear flags of the front end in an area
 * @ioas: the IOAS
 * @area: as for area_set_flags()
 * @flags: flags to clear
 *
 * Context: does not sleep, takes iova_lock.
 * Return: those of @flags that were set.
 */
u8 area_take_flags(struct ioas *ioas, struct ioas_area *area, u8 flags);

/**
 * area_wait_settled() - wait until the area at an address is settled
 * @ioas: the IOAS, which the caller entered for reading
 * @iova: any address of the area
 * @state: TASK_KILLABLE to give up on a fatal signal, or TASK_UNINTERRUPTIBLE
 *
 * Context: sleeps; the caller keeps no area busy, and owns none.
 * Return: 0, also if there is no area any more; -EINTR on a fatal signal.
 */
int area_wait_settled(struct ioas *ioas, unsigned long iova, unsigned int state);

/**
 * area_wait_idle() - wait until no thread keeps an area busy
 * @ioas: the IOAS, which the caller entered for reading
 * @area: claimed by the caller as AREA_ALONE, so that new calls only come to unpin
 * @state: TASK_KILLABLE to give up on a fatal signal, or TASK_UNINTERRUPTIBLE
 *
 * Context: sleeps; the caller keeps no area busy.
 * Return: 0; -EINTR on a fatal signal.
 */
int area_wait_idle(struct ioas *ioas, struct ioas_area *area, unsigned int state);

/**
 * area_get() - find an area, and keep it busy
 * @ioas: the IOAS, which the caller entered
 * @iova: any address of the area
 *
 * If another thread removes or divides the area, this waits, and finds the area that there is
 * before or after. The other thread waits only for callers that keep the area busy already.
 *
 * Context: may sleep; the caller keeps no other area busy.
 * Return: a live area, which stays as it is until area_put(), or:
 * * ERR_PTR(-ENOENT): nothing is mapped there, or not yet
 * * ERR_PTR(-EINTR): a fatal signal
 */
struct ioas_area *area_get(struct ioas *ioas, unsigned long iova);

/* Keeps an area busy, unless another thread makes, removes or divides it. iova_lock held. */
static inline bool area_try_get(struct ioas_area *area)
{
	if (!area_is_settled(area))
		return false;
	area->nbusy++;
	return true;
}

/**
 * area_get_above() - the part of area_get_next() that waits
 * @ioas: the IOAS, which the caller entered
 * @iova: first address of the range
 * @last_iova: last address, inclusive
 *
 * Context: may sleep; the caller keeps no area busy.
 * Return: the lowest area of the range, as area_get_next().
 */
struct ioas_area *area_get_above(struct ioas *ioas, unsigned long iova,
				 unsigned long last_iova);

/*
 * Finds the next area of a range, and keeps it busy. It is the lowest above @previous, or the
 * lowest of the range if @previous is NULL. @previous, which the caller kept busy, is put. Waits
 * for threads that make, remove or divide the next area. Returns NULL if there is none,
 * ERR_PTR(-EINTR) on a fatal signal. The caller entered the IOAS; may sleep.
 */
static inline struct ioas_area *area_get_next(struct ioas *ioas, struct ioas_area *previous,
					      unsigned long iova, unsigned long last_iova)
{
	struct iova_space *space = &ioas->iova_space;
	struct ioas_area *area;
	bool got;

	spin_lock(&space->iova_lock);
	if (previous) {
		area = iova_next(space, previous);
		if (area && area->first_iova > last_iova)
			area = NULL;
		previous->nbusy--;
	} else {
		area = iova_first(space, iova, last_iova);
	}
	got = area && area_try_get(area);
	if (area)
		iova = max(iova, area->first_iova);
	ioas_unlock_and_wake(ioas);
	if (likely(got || !area))
		return area;
	return area_get_above(ioas, iova, last_iova);
}

/**
 * area_get_pinned() - find an area with pins, and keep it busy, to give a pin back
 * @ioas: the IOAS, which the caller entered
 * @iova: any address of the area
 *
 * Does not wait: an area with pins stays, and a thread that wants to remove it waits for their end.
 *
 * Context: does not sleep, takes iova_lock.
 * Return: the area, busy until area_put(); NULL if there is none with a pin.
 */
struct ioas_area *area_get_pinned(struct ioas *ioas, unsigned long iova);

/**
 * area_add_pin() - pin a part of an area for an in-kernel user
 * @ioas: the IOAS, which the caller entered
 * @area: kept busy by the caller; its store is shared from now on
 * @pin: zeroed but for its kind, owner, IOVA and pages; belongs to the caller, and must exist until
 *	area_drop_pin()
 * @list: receives a pointer for each page
 *
 * Until area_drop_pin(), an unmap of the area has to tell in-kernel users.
 *
 * Context: may sleep and fault.
 * Return: 0, or with nothing pinned: as store_pin(); -EINVAL for device memory, or, with a warning,
 * for a pin of the wrong kind.
 */
int area_add_pin(struct ioas *ioas, struct ioas_area *area, struct store_user *pin,
		 struct page **list);

/**
 * area_drop_pin() - undo area_add_pin()
 * @ioas: the IOAS, which the caller entered
 * @area: kept busy by the caller
 * @pin: as for area_add_pin()
 * @refund: collects charges to give back; the caller pays it while it keeps the area busy
 *
 * Context: may sleep. Never fails, needs no memory.
 */
void area_drop_pin(struct ioas *ioas, struct ioas_area *area, struct store_user *pin,
		   struct account_refund *refund);

/**
 * area_add_hold() - pin the page that a process has by now, for a driver
 * @ioas: the IOAS, which the caller entered
 * @area: kept busy by the caller; its store is shared from now on
 * @hold: zeroed; belongs to the caller, must exist until area_drop_hold(), and receives the page
 * @index: index of the page in the store
 *
 * If the store has another page there, pinned for a domain, the hold is beside the store. The store
 * keeps its page only as long as other users need it.
 *
 * Context: may sleep and fault.
 * Return: 0, or with nothing pinned: as store_hold().
 */
int area_add_hold(struct ioas *ioas, struct ioas_area *area, struct store_hold *hold,
		  unsigned long index);

/**
 * area_drop_hold() - undo area_add_hold()
 * @ioas: the IOAS, which the caller entered
 * @area: kept busy by the caller
 * @hold: as for area_add_hold()
 * @refund: as for area_drop_pin()
 *
 * Context: may sleep. Never fails, needs no memory.
 */
void area_drop_hold(struct ioas *ioas, struct ioas_area *area, struct store_hold *hold,
		    struct account_refund *refund);

/**
 * area_owner_is_gone() - has the address space of the memory's owner ended?
 * @area: kept busy by the caller
 */
bool area_owner_is_gone(const struct ioas_area *area);

/**
 * area_copy() - copy from or to an area through the addresses of its process
 * @area: kept busy by the caller
 * @iova: first address
 * @data: kernel memory
 * @nbytes: number of bytes, all in the area
 * @write: copy to the area
 *
 * Context: may sleep and fault. A kernel thread uses the address space of the process.
 * Return: as store_copy_direct().
 */
int area_copy(struct ioas_area *area, unsigned long iova, void *data, unsigned long nbytes,
	      bool write);

/**
 * area_change_npins() - count pins of an area
 * @ioas: the IOAS
 * @area: kept busy by the caller
 * @change: how many more there are
 *
 * Context: does not sleep, takes iova_lock.
 */
void area_change_npins(struct ioas *ioas, struct ioas_area *area, int change);

/**
 * area_put() - undo area_get()
 * @ioas: the IOAS, which the caller entered
 * @area: may be gone afterwards
 *
 * Context: does not sleep, takes iova_lock.
 */
void area_put(struct ioas *ioas, struct ioas_area *area);

#endif

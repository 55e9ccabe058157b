/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * area: making and ending areas and the stores they show.
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

/* What a map makes. */
struct area_and_store {
	struct ioas_area area;
	struct ioas_store store;
};

/* Another area of a shared store. */
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

/* What the area needs pinned, NULL if that is simply all of its store. */
static inline struct store_user *area_user(struct ioas_area *area)
{
	if (!area->store->sharing)
		return NULL;
	if (area_is_copy(area))
		return &container_of(area, struct area_copy, area)->user;
	return &area->store->sharing->own_area;
}

/* @area: in @space, or soon there. Whoever keeps it busy looks at its state without the lock. */
static inline void area_set_state(struct iova_space *space, struct ioas_area *area, u8 state)
{
	lockdep_assert_held(&space->iova_lock);
	WRITE_ONCE(area->state, state);
}

/* Live, claimed or not. */
static inline bool area_is_live(const struct ioas_area *area)
{
	/* Pairs with area_set_live(): what the creator did is visible, too. */
	u8 state = smp_load_acquire(&area->state);

	return state >= AREA_LIVE && state <= AREA_TELLING;
}

/* Live, and no thread waits to be, or is, alone with it: it can be used by anybody who comes. */
static inline bool area_is_settled(const struct ioas_area *area)
{
	/* Pairs with area_set_live(). */
	u8 state = smp_load_acquire(&area->state);

	return state == AREA_LIVE || state == AREA_TELLING;
}

/* Is a thread alone with it, or waits to be? */
static inline bool area_is_alone(const struct ioas_area *area)
{
	return READ_ONCE(area->state) == AREA_ALONE;
}

/* Does an unmap tell in-kernel users to let go? Then it lets no new pins come. */
static inline bool area_is_told(const struct ioas_area *area)
{
	return READ_ONCE(area->state) == AREA_TELLING;
}

/* Where in its store an IOVA of an area lies, in bytes. */
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

/* Lets an area show @nbytes, at least 1, from @first_byte on; at IOVA 0. */
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
 * Makes an area with a store of its own: @nbytes, at least 1, that do not wrap, from
 * @uptr on in current->mm. Owned by the caller, without account; NULL without memory.
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
 * area_create_copy() - make an area that shows a part of a store that exists
 * @store: a shared store; the area gets a reference
 * @first_byte: where in the store it begins
 * @nbytes: how much of it, at least 1
 * @iommu_prot: IOMMU_READ, IOMMU_WRITE
 *
 * Return: as area_create(), but the account is that of the store.
 */
struct ioas_area *area_create_copy(struct ioas_store *store, unsigned long first_byte,
				   unsigned long nbytes, int iommu_prot);

/**
 * area_free_shared() - the part of area_free() for shared stores
 * @area: as for area_free()
 */
void area_free_shared(struct ioas_area *area);

/* Frees an area, and its store with the last one. In no tree, nothing of it pinned. */
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
 * area_free_list() - free areas linked by their next pointer
 * @area: the first one, or NULL; as for area_free()
 */
void area_free_list(struct ioas_area *area);

/* Pins what an area shows, as store_pin() does. Owned by the caller, with store_lock(). */
static inline int area_pin(struct ioas_area *area)
{
	return store_pin(area->store, area_user(area));
}

/* Undoes area_pin(), as store_unpin() does. The area is in no domain any more. */
static inline void area_unpin(struct ioas_area *area, struct account_refund *refund)
{
	store_unpin(area->store, area_user(area), refund);
}

/**
 * area_sum() - add up what stands behind an area
 * @area: the area, owned by the caller, who holds store_lock()
 * @sum: is added to
 *
 * Context: may sleep.
 */
void area_sum(struct ioas_area *area, struct store_sum *sum);

/**
 * area_divide() - let two areas show what one does
 * @lower: an area of a shared store, of which it will show only the lower part
 * @upper: a copy made for the upper part
 * @pinned: @lower is in a domain
 *
 * Context: may sleep, holds store_lock().
 * Return: 0, or -ENOMEM with nothing changed.
 */
int area_divide(struct ioas_area *lower, struct ioas_area *upper, bool pinned);

/**
 * area_share() - let more than its area use a store
 * @ioas: whose area; the caller entered it
 * @area: live, and kept busy by the caller, or claimed as AREA_ALONE
 *
 * Context: may sleep.
 * Return: 0, also if it is shared already; -ENOMEM; -EBUSY, and a warning, if the area is
 * not live and busy.
 */
int area_share(struct ioas *ioas, struct ioas_area *area);

/* One area less that only its IOAS uses. Returns an account to put, or NULL. */
static inline struct ioas_account *area_forget_account(struct ioas *ioas,
						       struct ioas_account *account)
{
	lockdep_assert_held(&ioas->iova_space.iova_lock);
	if (--account->nareas || account == ioas->account)
		return NULL;
	return account;
}

/*
 * Lets the calling process pay for an area, whose store is not shared. One process makes most
 * maps: that the count is under a lock that is taken anyway saves a map its atomic
 * references. False if an account must be made for that, as *@spare; on success an account
 * that nobody uses any more may be left there. iova_lock held.
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
 * Gives back the addresses of an area that the caller owns. iova_lock held. Returns an
 * account to be put once the lock is released, or NULL.
 */
static inline struct ioas_account *area_erase(struct ioas *ioas, struct ioas_area *area)
{
	iova_erase(&ioas->iova_space, area);
	if (area->store->sharing)
		return NULL;
	return area_forget_account(ioas, area->store->account);
}

/**
 * area_change_owner() - let memory belong to the calling process
 * @ioas: the IOAS
 * @area: which shows it
 * @uptr: where the process has it, as a multiple of the page size. Is not looked at
 *
 * What is charged moves to the process, unless its address space had it already. Pages that
 * are pinned stay as they are; what is pinned later comes from the new address.
 *
 * Context: domains_rwsem held for writing; a process with an mm. May sleep.
 * Return: 0, or with nothing changed: -ENOMEM over the memlock limit or without memory;
 * -EINTR on a fatal signal; -EBUSY if other areas show the same memory; -EINVAL if the area
 * begins inside a page.
 */
int area_change_owner(struct ioas *ioas, struct ioas_area *area, unsigned long uptr);

/**
 * area_first() - begin a walk over areas
 * @ioas: the IOAS
 * @iova: an address
 *
 * Context: domains_rwsem held for writing: areas neither come nor go, and all are live.
 * Return: the lowest area that does not end below @iova, or NULL.
 */
struct ioas_area *area_first(struct ioas *ioas, unsigned long iova);

/**
 * area_next() - go on with a walk over areas
 * @ioas: the IOAS
 * @area: one of its areas
 *
 * Context: as area_first().
 * Return: the next higher area, or NULL.
 */
struct ioas_area *area_next(struct ioas *ioas, struct ioas_area *area);

/**
 * area_any() - does anything lie in a range?
 * @ioas: the IOAS
 * @iova: first address of the range
 * @last_iova: last address, inclusive
 *
 * Context: any. Areas can come and go as soon as it returns.
 */
bool area_any(struct ioas *ioas, unsigned long iova, unsigned long last_iova);

/**
 * area_set_flags() - note something of an area for its front end
 * @ioas: the IOAS
 * @area: kept busy by the caller, or domains_rwsem is held for writing
 * @flags: which the area has from now on
 */
void area_set_flags(struct ioas *ioas, struct ioas_area *area, u8 flags);

/**
 * area_take_flags() - undo area_set_flags()
 * @ioas: the IOAS
 * @area: as for area_set_flags()
 * @flags: which the area has no longer
 *
 * Return: those of them that it had.
 */
u8 area_take_flags(struct ioas *ioas, struct ioas_area *area, u8 flags);

/**
 * area_wait_settled() - wait until nobody is, or waits to be, alone with an area
 * @ioas: the IOAS, which the caller entered
 * @iova: any address of the area
 * @killable: give up on a fatal signal
 *
 * Context: may sleep; the caller keeps no area busy, and owns none.
 * Return: 0, also if there is no area (any more); -EINTR on a fatal signal.
 */
int area_wait_settled(struct ioas *ioas, unsigned long iova, bool killable);

/**
 * area_wait_idle() - wait until nobody keeps an area busy
 * @ioas: the IOAS, which the caller entered
 * @area: claimed by the caller as AREA_ALONE, so that nobody else comes, but to unpin
 * @killable: give up on a fatal signal
 *
 * Context: may sleep; the caller keeps no area busy.
 * Return: 0; -EINTR on a fatal signal.
 */
int area_wait_idle(struct ioas *ioas, struct ioas_area *area, bool killable);

/**
 * area_get() - find an area and keep it busy
 * @ioas: the IOAS, which the caller entered
 * @iova: any address of the area
 *
 * An area that another thread removes or divides is waited for: the caller gets what there is
 * before or after. A thread that removes it waits only for those who keep it busy by now.
 *
 * Context: may sleep; the caller keeps no other area busy.
 * Return: a live area, which stays as it is until area_put(); ERR_PTR(-ENOENT) where nothing
 * is mapped, or not yet; ERR_PTR(-EINTR) on a fatal signal.
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
 * Goes on to the next area of a range, and keeps it busy: the lowest that is above @previous, which
 * the caller kept busy so far, or if that is NULL the lowest of all. Waits for threads that make,
 * remove or divide it. NULL if there is none; ERR_PTR(-EINTR) on a fatal signal. The caller entered
 * the IOAS; may sleep.
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
 * area_get_pinned() - find an area with pins, to give one back
 * @ioas: the IOAS, which the caller entered
 * @iova: any address of the area
 *
 * Does not wait: an area with pins stays, and whoever wants to remove it waits for just this.
 *
 * Context: any.
 * Return: the area, as area_get(), or NULL if there is none with a pin.
 */
struct ioas_area *area_get_pinned(struct ioas *ioas, unsigned long iova);

/**
 * area_add_pin() - pin a part of an area for an in-kernel user
 * @ioas: the IOAS, which the caller entered
 * @area: kept busy by the caller; shared from now on
 * @pin: zeroed but for its kind and the pages of the store; the caller's, until
 *       area_drop_pin()
 * @list: receives a pointer for each page
 *
 * An unmap of the area has to tell in-kernel users until area_drop_pin().
 *
 * Context: may sleep and fault.
 * Return: 0, or with nothing changed: as store_pin(); -EINVAL for device memory, and with a
 * warning if it is not the kind of a pin.
 */
int area_add_pin(struct ioas *ioas, struct ioas_area *area, struct store_user *pin,
		 struct page **list);

/**
 * area_drop_pin() - undo area_add_pin()
 * @ioas: the IOAS, which the caller entered
 * @area: kept busy by the caller
 * @pin: as for area_add_pin()
 * @refund: collects what the owner gets back, to be paid while the area is kept busy
 *
 * Context: may sleep. Never fails, needs no memory.
 */
void area_drop_pin(struct ioas *ioas, struct ioas_area *area, struct store_user *pin,
		   struct account_refund *refund);

/**
 * area_add_hold() - pin a page of an area for a driver that gets what the process has by now
 * @ioas: the IOAS, which the caller entered
 * @area: kept busy by the caller; shared from now on
 * @hold: zeroed; the caller's, until area_drop_hold(); receives the page
 * @index: which page of the store
 *
 * If the area shows another page, for a domain, the hold is beside the store, and the store keeps
 * its page only as long as others need it.
 *
 * Context: may sleep and fault.
 * Return: 0, or with nothing changed as store_hold().
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
 * area_owner_is_gone() - does nobody use the memory's address space any more?
 * @area: kept busy by the caller
 */
bool area_owner_is_gone(const struct ioas_area *area);

/**
 * area_copy() - copy from or to an area by way of its process' addresses
 * @area: kept busy by the caller
 * @iova: where to begin
 * @data: kernel memory
 * @nbytes: how much; all of it lies in the area
 * @write: to the area
 *
 * Context: may sleep and fault. A kernel thread takes the process' address space.
 * Return: as store_copy_direct().
 */
int area_copy(struct ioas_area *area, unsigned long iova, void *data, unsigned long nbytes,
	      bool write);

/**
 * area_change_npins() - count pins
 * @ioas: the IOAS
 * @area: of it, kept busy
 * @change: how many more there are
 */
void area_change_npins(struct ioas *ioas, struct ioas_area *area, int change);

/**
 * area_put() - undo area_get()
 * @ioas: the IOAS
 * @area: may be gone afterwards
 */
void area_put(struct ioas *ioas, struct ioas_area *area);

#endif

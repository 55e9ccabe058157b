// SPDX-License-Identifier: GPL-2.0-only
/*
 * area: makes and frees areas and the stores that they show.
 *
 * A map makes an area and its store in one allocation, and most areas never need more. A store that
 * becomes shared gets the state that this needs, and then lives as long as any area shows it. The
 * memory of its original area lives as long.
 *
 * Locking: iova_lock guards the moment when a store becomes shared, and which account counts its
 * area. store_lock() guards which pages are pinned. A thread that makes a store shared is in the
 * IOAS, and keeps the area busy or has claimed it. So neither an owner of the area nor an attach
 * sees the change half done.
 */
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "area.h"

struct ioas_area *area_create_copy(struct ioas_store *store, unsigned long first_byte,
				   unsigned long nbytes, int iommu_prot)
{
	struct area_copy *copy = kzalloc(sizeof(*copy), GFP_KERNEL_ACCOUNT);

	if (!copy)
		return NULL;
	area_init(&copy->area, store, first_byte, nbytes, iommu_prot);
	copy->user.first_index = first_byte / PAGE_SIZE;
	copy->user.last_index = (first_byte + nbytes - 1) / PAGE_SIZE;
	copy->user.kind = USER_AREA;
	refcount_inc(&store->sharing->refs);
	return &copy->area;
}

void area_free_shared(struct ioas_area *area)
{
	struct ioas_store *store = area->store;
	struct store_sharing *sharing = store->sharing;

	if (area_is_copy(area))
		kfree(container_of(area, struct area_copy, area));
	if (!refcount_dec_and_test(&sharing->refs))
		return;
	account_put(store->account);
	store_sharing_destroy(sharing);
	store_exit(store);
	kfree(store_home(store));
}

void area_free_list(struct ioas_area *area)
{
	struct ioas_area *next;

	for (; area; area = next) {
		next = area->next;
		area_free(area);
		if (next)
			cond_resched();
	}
}

void area_sum(struct ioas_area *area, struct store_sum *sum)
{
	store_sum_all(area->store, area->first_byte / PAGE_SIZE,
		      area_last_byte(area) / PAGE_SIZE, sum);
}

int area_divide(struct ioas_area *lower, struct ioas_area *upper, bool pinned)
{
	struct store_user *lower_user = area_user(lower);
	unsigned long lower_last = (upper->first_byte - 1) / PAGE_SIZE;

	if (pinned)
		return store_divide(lower->store, lower_user, area_user(upper), lower_last,
				    upper->first_byte / PAGE_SIZE);
	lower_user->last_index = lower_last;
	return 0;
}

/* Does the area stay as it is, because the caller keeps it busy or has claimed it? */
static bool is_kept(const struct ioas_area *area)
{
	/* Others change the count meanwhile, but the caller's own keeps it above 0. */
	return data_race(area->nbusy) || area_is_alone(area);
}

int area_share(struct ioas *ioas, struct ioas_area *area)
{
	struct ioas_store *store = area->store;
	struct ioas_account *unused = NULL;
	struct store_sharing *sharing;

	lockdep_assert_held(&ioas->domains_rwsem);
	/* Otherwise the owner may be at work without the lock that the store has from now on. */
	if (WARN_ON_ONCE(!area_is_live(area) || !is_kept(area)))
		return -EBUSY;
	/* A thread that sees the pointer also sees the contents. */
	if (smp_load_acquire(&store->sharing))
		return 0;
	sharing = store_sharing_create(store, !list_empty(&ioas->mirrors));
	if (!sharing)
		return -ENOMEM;
	spin_lock(&ioas->iova_space.iova_lock);
	if (!store->sharing) {
		/* Other IOASs may need the account now, and their counts are not under our lock. */
		refcount_inc(&store->account->refs);
		unused = area_forget_account(ioas, store->account);
		/* Pairs with the load above. */
		smp_store_release(&store->sharing, sharing);
		sharing = NULL;
	}
	spin_unlock(&ioas->iova_space.iova_lock);
	if (sharing)
		store_sharing_destroy(sharing);
	if (unused)
		account_put(unused);
	return 0;
}

struct ioas_area *area_first(struct ioas *ioas, unsigned long iova)
{
	struct iova_space *space = &ioas->iova_space;
	struct ioas_area *area;

	lockdep_assert_held_write(&ioas->domains_rwsem);
	spin_lock(&space->iova_lock);
	area = iova_first(space, iova, ULONG_MAX);
	spin_unlock(&space->iova_lock);
	return area;
}

struct ioas_area *area_next(struct ioas *ioas, struct ioas_area *area)
{
	struct iova_space *space = &ioas->iova_space;

	lockdep_assert_held_write(&ioas->domains_rwsem);
	spin_lock(&space->iova_lock);
	area = iova_next(space, area);
	spin_unlock(&space->iova_lock);
	return area;
}

bool area_any(struct ioas *ioas, unsigned long iova, unsigned long last_iova)
{
	bool found;

	spin_lock(&ioas->iova_space.iova_lock);
	found = iova_first(&ioas->iova_space, iova, last_iova);
	spin_unlock(&ioas->iova_space.iova_lock);
	return found;
}

/* Threads in the IOAS may read flags without the lock. */
static u8 change_flags(struct ioas *ioas, struct ioas_area *area, u8 clear, u8 set)
{
	u8 old;

	spin_lock(&ioas->iova_space.iova_lock);
	old = area->flags;
	WRITE_ONCE(area->flags, (old & ~clear) | set);
	spin_unlock(&ioas->iova_space.iova_lock);
	return old;
}

void area_set_flags(struct ioas *ioas, struct ioas_area *area, u8 flags)
{
	change_flags(ioas, area, 0, flags);
}

u8 area_take_flags(struct ioas *ioas, struct ioas_area *area, u8 flags)
{
	return change_flags(ioas, area, flags, 0) & flags;
}

static bool iova_is_settled(struct ioas *ioas, unsigned long iova)
{
	struct ioas_area *area;
	bool settled;

	spin_lock(&ioas->iova_space.iova_lock);
	area = iova_first(&ioas->iova_space, iova, iova);
	settled = !area || area_is_settled(area);
	spin_unlock(&ioas->iova_space.iova_lock);
	return settled;
}

int area_wait_settled(struct ioas *ioas, unsigned long iova, unsigned int state)
{
	lockdep_assert_held_read(&ioas->domains_rwsem);
	if (state == TASK_KILLABLE)
		return wait_event_killable(ioas->area_waitq, iova_is_settled(ioas, iova)) ?
		       -EINTR : 0;
	wait_event(ioas->area_waitq, iova_is_settled(ioas, iova));
	return 0;
}

static bool area_is_idle(struct ioas *ioas, struct ioas_area *area)
{
	bool idle;

	spin_lock(&ioas->iova_space.iova_lock);
	idle = !area->nbusy;
	spin_unlock(&ioas->iova_space.iova_lock);
	return idle;
}

int area_wait_idle(struct ioas *ioas, struct ioas_area *area, unsigned int state)
{
	lockdep_assert_held_read(&ioas->domains_rwsem);
	WARN_ON(!area_is_alone(area));
	if (state == TASK_KILLABLE)
		return wait_event_killable(ioas->area_waitq, area_is_idle(ioas, area)) ? -EINTR : 0;
	wait_event(ioas->area_waitq, area_is_idle(ioas, area));
	return 0;
}

/* ERR_PTR(-EAGAIN): another thread removes or divides the area. */
static struct ioas_area *try_get(struct ioas *ioas, unsigned long iova)
{
	struct ioas_area *area;

	lockdep_assert_held(&ioas->domains_rwsem);
	spin_lock(&ioas->iova_space.iova_lock);
	area = iova_first(&ioas->iova_space, iova, iova);
	/* area_set_live() takes no lock. */
	if (!area || READ_ONCE(area->state) == AREA_FILLING)
		area = ERR_PTR(-ENOENT);
	else if (!area_try_get(area))
		area = ERR_PTR(-EAGAIN);
	spin_unlock(&ioas->iova_space.iova_lock);
	return area;
}

struct ioas_area *area_get(struct ioas *ioas, unsigned long iova)
{
	struct ioas_area *area;

	while (PTR_ERR(area = try_get(ioas, iova)) == -EAGAIN)
		if (area_wait_settled(ioas, iova, TASK_KILLABLE))
			return ERR_PTR(-EINTR);
	return area;
}

struct ioas_area *area_get_above(struct ioas *ioas, unsigned long iova,
				 unsigned long last_iova)
{
	struct ioas_area *area;
	bool got;

	do {
		if (area_wait_settled(ioas, iova, TASK_KILLABLE))
			return ERR_PTR(-EINTR);
		spin_lock(&ioas->iova_space.iova_lock);
		area = iova_first(&ioas->iova_space, iova, last_iova);
		got = area && area_try_get(area);
		if (area)
			iova = max(iova, area->first_iova);
		spin_unlock(&ioas->iova_space.iova_lock);
	} while (area && !got);
	return area;
}

struct ioas_area *area_get_pinned(struct ioas *ioas, unsigned long iova)
{
	struct ioas_area *area;

	lockdep_assert_held(&ioas->domains_rwsem);
	spin_lock(&ioas->iova_space.iova_lock);
	area = iova_first(&ioas->iova_space, iova, iova);
	if (area && area->npins)
		area->nbusy++;
	else
		area = NULL;
	spin_unlock(&ioas->iova_space.iova_lock);
	return area;
}

void area_put(struct ioas *ioas, struct ioas_area *area)
{
	spin_lock(&ioas->iova_space.iova_lock);
	area->nbusy--;
	ioas_unlock_and_wake(ioas);
}

void area_change_npins(struct ioas *ioas, struct ioas_area *area, int change)
{
	spin_lock(&ioas->iova_space.iova_lock);
	WARN_ON(!area->nbusy || (change < 0 && !area->npins));
	area->npins += change;
	/* An unmap that waits for the last pin is woken by area_put(). */
	spin_unlock(&ioas->iova_space.iova_lock);
}

int area_add_pin(struct ioas *ioas, struct ioas_area *area, struct store_user *pin,
		 struct page **list)
{
	struct account_refund refund = { };
	int ret;

	/* An area's own user is not found and unpinned in this way. */
	if (WARN_ON_ONCE(pin->kind == USER_AREA))
		return -EINVAL;
	ret = area_share(ioas, area);
	if (ret)
		return ret;
	store_lock(area->store);
	ret = store_pin(area->store, pin);
	if (ret)
		goto unlock;
	ret = store_list(area->store, pin->first_index, pin->last_index, list);
	if (ret)
		store_unpin(area->store, pin, &refund);
unlock:
	store_unlock(area->store);
	account_pay(&refund);
	if (!ret)
		area_change_npins(ioas, area, 1);
	return ret;
}

void area_drop_pin(struct ioas *ioas, struct ioas_area *area, struct store_user *pin,
		   struct account_refund *refund)
{
	store_lock(area->store);
	store_unpin(area->store, pin, refund);
	store_unlock(area->store);
	area_change_npins(ioas, area, -1);
}

int area_add_hold(struct ioas *ioas, struct ioas_area *area, struct store_hold *hold,
		  unsigned long index)
{
	int ret;

	hold->user.kind = USER_HOLD;
	hold->user.first_index = index;
	hold->user.last_index = index;
	ret = area_share(ioas, area);
	if (ret)
		return ret;
	store_lock(area->store);
	ret = store_hold(area->store, hold, &ioas->beside);
	store_unlock(area->store);
	if (!ret)
		area_change_npins(ioas, area, 1);
	return ret;
}

void area_drop_hold(struct ioas *ioas, struct ioas_area *area, struct store_hold *hold,
		    struct account_refund *refund)
{
	if (!hold->beside) {
		area_drop_pin(ioas, area, &hold->user, refund);
		return;
	}
	store_lock(area->store);
	store_drop_beside(area->store, hold);
	store_unlock(area->store);
	area_change_npins(ioas, area, -1);
}

bool area_owner_is_gone(const struct ioas_area *area)
{
	return !atomic_read(&area->store->account->mm->mm_users);
}

int area_copy(struct ioas_area *area, unsigned long iova, void *data, unsigned long nbytes,
	      bool write)
{
	return store_copy_direct(area->store, area_byte(area, iova), data, nbytes, write, true);
}

/* Moves the charges of a store to @payer. On failure nothing is changed. */
static int move_charges(struct ioas_store *store, struct ioas_account *payer)
{
	struct account_refund refund = { };
	struct store_sum sum = { };
	int ret;

	store_sum_all(store, 0, store->extents.npages - 1, &sum);
	ret = account_charge(payer, sum.ncharged);
	if (ret)
		return ret;
	account_refund(&refund, store->account, sum.ncharged);
	account_pay(&refund);
	return 0;
}

/* Lets the calling process pay for a store that only @area shows. */
static int change_payer(struct ioas *ioas, struct ioas_area *area)
{
	struct ioas_store *store = area->store;
	struct ioas_account *old = store->account;
	struct ioas_account *spare = NULL, *unused = NULL;
	int ret;

	/* The account is chosen before it is charged, since the store gets that one. */
	if (store->sharing || !account_is_current(ioas->account, old->mode)) {
		spare = account_create(old->mode);
		if (!spare)
			return -ENOMEM;
	}
	ret = move_charges(store, spare ?: ioas->account);
	if (ret)
		goto put;
	spin_lock(&ioas->iova_space.iova_lock);
	if (store->sharing) {
		store->account = spare;
		spare = old;
	} else {
		area_use_account(ioas, area, old->mode, &spare);
		unused = area_forget_account(ioas, old);
	}
	spin_unlock(&ioas->iova_space.iova_lock);
put:
	if (spare)
		account_put(spare);
	if (unused)
		account_put(unused);
	return ret;
}

int area_change_owner(struct ioas *ioas, struct ioas_area *area, unsigned long uptr)
{
	struct ioas_store *store = area->store;
	int ret = 0;

	lockdep_assert_held_write(&ioas->domains_rwsem);
	/* Otherwise its first page would begin inside a page of the owner. */
	if (offset_in_page(area->first_byte))
		return -EINVAL;
	if (store->sharing && refcount_read(&store->sharing->refs) > 1)
		return -EBUSY;
	if (store->account->mm != current->mm)
		ret = change_payer(ioas, area);
	if (!ret)
		store->uptr = uptr - area->first_byte;
	return ret;
}

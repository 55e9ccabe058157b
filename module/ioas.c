// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioas: an I/O address space.
 *
 * A map claims its IOVA with an area in state FILLING, then pins and fills all
 * domains without iova_lock; an unmap takes its areas over as EMPTYING, empties
 * them without iova_lock, and then gives the IOVA back. So calls for different
 * ranges run in parallel, and an IOVA is never free while a domain still has it.
 * Whoever meets an area that is not live waits until it is, or is gone.
 *
 * Locking: see struct ioas. Waiting for an area happens with domains_rwsem held for
 * reading and nothing else; the owner of that area holds it for reading, too, and
 * needs no other lock that a waiter could have.
 */
#include <linux/capability.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "hwpt.h"
#include "ioas.h"
#include "pages.h"

static void ioas_destroy(struct ioas_object *object)
{
	struct ioas *ioas = container_of(object, struct ioas, object);
	unsigned long nbytes;

	ioas_enter(ioas);
	ioas_unmap_all(ioas, &nbytes);
	WARN_ON(!list_empty(&ioas->hwpts));
	ioas_leave(ioas);
	iova_space_destroy(&ioas->iova_space);
	if (ioas->account)
		account_destroy(ioas->account);
	kfree_rcu(ioas, rcu);
}

static const struct ioas_object_ops ioas_object_ops = {
	.destroy = ioas_destroy,
};

/**
 * ioas_create() - make an empty IOAS
 * @ctx: the context it will belong to and end with
 *
 * Context: may sleep.
 * Return: the IOAS, or ERR_PTR(-ENOMEM).
 */
struct ioas *ioas_create(struct ioas_ctx *ctx)
{
	struct ioas *ioas;
	int ret;

	ioas = kzalloc(sizeof(*ioas), GFP_KERNEL_ACCOUNT);
	if (!ioas)
		return ERR_PTR(-ENOMEM);
	init_rwsem(&ioas->domains_rwsem);
	INIT_LIST_HEAD(&ioas->hwpts);
	ioas->pgsizes = ULONG_MAX;
	iova_space_init(&ioas->iova_space);
	init_waitqueue_head(&ioas->settled);

	ret = ioas_ctx_add(ctx, &ioas->object, &ioas_object_ops);
	if (ret) {
		kfree(ioas);
		return ERR_PTR(ret);
	}
	return ioas;
}

static bool area_is_live(const struct ioas_area *area)
{
	/* Pairs with area_set_live(): what the creator did is visible, too. */
	return smp_load_acquire(&area->state) == AREA_LIVE;
}

static void area_set_live(struct ioas *ioas, struct ioas_area *area)
{
	/* Pairs with area_is_live(). */
	smp_store_release(&area->state, AREA_LIVE);
	if (wq_has_sleeper(&ioas->settled))
		wake_up_all(&ioas->settled);
}

static bool range_is_settled(struct ioas *ioas, unsigned long iova,
			     unsigned long last_iova)
{
	struct ioas_area *area;
	bool settled = true;

	spin_lock(&ioas->iova_space.iova_lock);
	for (area = iova_first(&ioas->iova_space, iova, last_iova);
	     area && area->first_iova <= last_iova && settled;
	     area = iova_next(&ioas->iova_space, area))
		settled = area_is_live(area);
	spin_unlock(&ioas->iova_space.iova_lock);
	return settled;
}

static void wait_until_settled(struct ioas *ioas, unsigned long iova,
			       unsigned long last_iova)
{
	lockdep_assert_held_read(&ioas->domains_rwsem);
	wait_event(ioas->settled, range_is_settled(ioas, iova, last_iova));
}

/* An area and its store begin and end together: one allocation. */
struct area_and_pages {
	struct ioas_area area;
	struct ioas_pages pages;
};

static void area_free(struct ioas_area *area)
{
	pages_exit(area->pages);
	kfree(container_of(area, struct area_and_pages, area));
}

/* Takes an area out of the tree. Returns its account if nobody uses it any more. */
static struct ioas_account *unlink_area(struct ioas *ioas, struct ioas_area *area)
{
	struct ioas_account *account = area->pages->account;

	iova_erase(&ioas->iova_space, area);
	if (--account->nusers || account == ioas->account)
		return NULL;
	return account;
}

static struct ioas_area *area_create(const struct ioas_map *map)
{
	struct area_and_pages *both;

	both = kmalloc(sizeof(*both), GFP_KERNEL_ACCOUNT);
	if (!both)
		return NULL;
	both->area.first_iova = map->iova;
	both->area.last_iova = map->iova + map->nbytes - 1;
	both->area.first_byte = offset_in_page(map->uptr);
	both->area.iommu_prot = map->iommu_prot;
	both->area.state = AREA_FILLING;
	both->area.pages = &both->pages;
	pages_init(&both->pages, map->uptr, map->nbytes, map->iommu_prot & IOMMU_WRITE);
	return &both->area;
}

static void area_erase(struct ioas *ioas, struct ioas_area *area)
{
	struct ioas_account *unused;
	bool waited_for;

	spin_lock(&ioas->iova_space.iova_lock);
	unused = unlink_area(ioas, area);
	/* A waiter queues up before it looks at the tree under the same lock. */
	waited_for = waitqueue_active(&ioas->settled);
	spin_unlock(&ioas->iova_space.iova_lock);
	if (waited_for)
		wake_up_all(&ioas->settled);
	if (unused)
		account_destroy(unused);
}

/* A map on its way to its IOVA. */
struct claim {
	struct ioas_area *area;
	unsigned long max_areas;
	bool unlimited;			/* the caller's right to exceed his limit */
	struct ioas_account *spare;	/* for try_claim() to use if none fits */
};

/*
 * Finds the account of the calling process. One process makes most maps: that the
 * count is under a lock that is taken anyway saves a map its atomic references.
 * Leaves one that nobody uses any more as the spare.
 */
static bool use_account(struct ioas *ioas, struct claim *claim)
{
	if (!account_is_current(ioas->account, claim->unlimited)) {
		struct ioas_account *old = ioas->account;

		if (!claim->spare)
			return false;
		ioas->account = claim->spare;
		claim->spare = old && !old->nusers ? old : NULL;
	}
	claim->area->pages->account = ioas->account;
	ioas->account->nusers++;
	return true;
}

/*
 * -EAGAIN: somebody is busy with an area in the way; ask again when he is done.
 * -ESRCH: there is no account of the caller; ask again with a spare one.
 */
static int try_claim(struct ioas *ioas, struct claim *claim)
{
	struct iova_space *space = &ioas->iova_space;
	struct ioas_area *area = claim->area;
	struct ioas_area *other;
	int ret = 0;

	lockdep_assert_held(&space->iova_lock);
	other = iova_insert(space, area);
	if (other)
		return area_is_live(other) ? -EEXIST : -EAGAIN;
	if (space->nareas > claim->max_areas)
		ret = -ENOSPC;
	else if (iova_is_reserved(space, area->first_iova, area->last_iova))
		ret = -EINVAL;
	else if (!use_account(ioas, claim))
		ret = -ESRCH;
	if (ret)
		iova_erase(space, area);
	return ret;
}

static int claim_area(struct ioas *ioas, struct ioas_area *area, unsigned long max_areas)
{
	struct claim claim = {
		.area = area,
		.max_areas = max_areas,
		.unlimited = capable(CAP_IPC_LOCK),
	};
	int ret;

	do {
		spin_lock(&ioas->iova_space.iova_lock);
		ret = try_claim(ioas, &claim);
		spin_unlock(&ioas->iova_space.iova_lock);
		if (ret == -EAGAIN) {
			wait_until_settled(ioas, area->first_iova, area->last_iova);
		} else if (ret == -ESRCH) {
			claim.spare = account_create(claim.unlimited);
			if (!claim.spare)
				ret = -ENOMEM;
		}
	} while (ret == -EAGAIN || ret == -ESRCH);
	if (claim.spare)
		account_destroy(claim.spare);
	return ret;
}

/* The smallest unit all domains can map, but no less than @min_granule bytes. */
static unsigned long granule(struct ioas *ioas, unsigned long min_granule)
{
	lockdep_assert_held(&ioas->domains_rwsem);
	return max(1UL << __ffs(ioas->pgsizes), min_granule);
}

static int check_alignment(struct ioas *ioas, const struct ioas_map *map)
{
	unsigned long misfit = granule(ioas, map->min_granule) - 1;

	return (map->iova | map->uptr | map->nbytes) & misfit ? -EINVAL : 0;
}

static int fill_domains(struct ioas *ioas, struct ioas_area *area, bool single_pages)
{
	struct ioas_pages *pages = area->pages;
	struct account_refund refund = { };
	struct ioas_hwpt *hwpt;
	bool unmapped = true;
	int ret;

	lockdep_assert_held_read(&ioas->domains_rwsem);
	if (list_empty(&ioas->hwpts))
		return 0;

	ret = pages_pin(pages);
	if (ret)
		return ret;
	list_for_each_entry(hwpt, &ioas->hwpts, hwpts_item) {
		ret = hwpt_map_area(hwpt, area, single_pages);
		if (ret)
			goto unmap;
	}
	return 0;

unmap:
	list_for_each_entry_continue_reverse(hwpt, &ioas->hwpts, hwpts_item)
		unmapped &= hwpt_unmap_area(hwpt, area);
	if (unmapped)
		pages_unpin(pages, &refund);
	account_pay(&refund);
	return ret;
}

/**
 * ioas_map() - show memory of the calling process to all devices of an IOAS
 * @ioas: the IOAS
 * @map: what and where
 *
 * Context: a process with an mm, which entered the IOAS; may sleep and fault.
 * Return: 0, or with nothing changed: -EINVAL where an address or the length is not
 * a multiple of the smallest page of the domains, or a reserved IOVA is touched;
 * -EEXIST on top of another area; -ENOSPC at @max_areas; -ENOMEM without memory or
 * over the memlock limit; -EFAULT where user memory is missing or not permitted;
 * -EINTR on a fatal signal; what the IOMMU driver says. The order is type1's:
 * overlap, number, reserved, memory.
 */
int ioas_map(struct ioas *ioas, const struct ioas_map *map)
{
	struct ioas_area *area;
	int ret;

	area = area_create(map);
	if (!area)
		return -ENOMEM;

	ret = check_alignment(ioas, map);
	if (!ret)
		ret = claim_area(ioas, area, map->max_areas);
	if (ret)
		goto free_area;
	ret = fill_domains(ioas, area, map->single_pages);
	if (ret)
		goto erase_area;
	area_set_live(ioas, area);
	return 0;

erase_area:
	area_erase(ioas, area);
free_area:
	area_free(area);
	return ret;
}

/* An unmap on its way through the areas of a range. */
struct unmap_walk {
	enum ioas_unmap_rule rule;
	unsigned long iova;		/* everything below is done */
	unsigned long last_iova;
	struct ioas_area *taken;	/* areas taken over, ascending */
	unsigned long nbytes;		/* taken over in all, also in earlier rounds */
	bool more;			/* the area at @iova was not taken: go on there */
};

/* So many areas are taken over at once: bounds how long iova_lock is held. */
#define UNMAP_AT_ONCE	256

/*
 * Does an area reach over a border of the range that must not? @area is the lowest in
 * the range. -EINVAL, -ENOENT if the rule wants that to look like an empty range,
 * -EAGAIN if that area is not live.
 */
static int check_borders(struct iova_space *space, const struct unmap_walk *walk,
			 struct ioas_area *area)
{
	if (area->first_iova < walk->iova) {
		if (!area_is_live(area))
			return -EAGAIN;
		return walk->rule == UNMAP_LEADING ? -ENOENT : -EINVAL;
	}
	if (walk->rule == UNMAP_LEADING || area->last_iova == walk->last_iova)
		return 0;
	area = iova_first(space, walk->last_iova, walk->last_iova);
	if (area && area->last_iova != walk->last_iova)
		return area_is_live(area) ? -EINVAL : -EAGAIN;
	return 0;
}

/*
 * Takes over the live areas of the range from @area on, up to the first that is not
 * live, or a number of them. That none reached over a border was checked when the walk
 * began; if one does by now, a later map put it there, and it stays.
 */
static inline void take_areas(struct iova_space *space, struct unmap_walk *walk,
			      struct ioas_area *area)
{
	struct ioas_area **link = &walk->taken;
	unsigned int room = UNMAP_AT_ONCE;

	lockdep_assert_held(&space->iova_lock);
	walk->more = false;
	for (; area && area->first_iova <= walk->last_iova; area = iova_next(space, area)) {
		if (area->first_iova < walk->iova)
			continue;
		if (walk->rule == UNMAP_WHOLE && area->last_iova > walk->last_iova)
			break;
		walk->iova = area->first_iova;
		if (!area_is_live(area) || !room--) {
			walk->more = true;
			break;
		}
		area->state = AREA_EMPTYING;
		walk->nbytes += area_nbytes(area);
		*link = area;
		link = &area->next_emptying;
		if (area->last_iova >= walk->last_iova)
			break;
	}
	*link = NULL;
}

/* Empties one area that was taken over; false if it must not be unpinned. */
static bool empty_domains(struct ioas *ioas, struct ioas_area *area)
{
	struct ioas_hwpt *hwpt;
	bool unmapped = true;

	list_for_each_entry(hwpt, &ioas->hwpts, hwpts_item)
		unmapped &= hwpt_unmap_area(hwpt, area);
	return unmapped;
}

static void empty_taken(struct ioas *ioas, struct ioas_area *taken)
{
	struct account_refund refund = { };
	struct ioas_area *area;

	lockdep_assert_held_read(&ioas->domains_rwsem);
	for (area = taken; area; area = area->next_emptying) {
		if (area != taken)
			cond_resched();
		if (!list_empty(&ioas->hwpts) && empty_domains(ioas, area))
			pages_unpin(area->pages, &refund);
	}
	account_pay(&refund);
}

/*
 * Erases and frees areas up to the first that was the last of its account. Returns what
 * is left to erase.
 */
static struct ioas_area *erase_taken(struct ioas *ioas, struct ioas_area *taken)
{
	struct ioas_account *unused = NULL;
	struct ioas_area *area, *next;
	bool waited_for;

	spin_lock(&ioas->iova_space.iova_lock);
	for (area = taken; area && !unused; area = area->next_emptying)
		unused = unlink_area(ioas, area);
	/* A waiter queues up before it looks at the tree under the same lock. */
	waited_for = waitqueue_active(&ioas->settled);
	spin_unlock(&ioas->iova_space.iova_lock);
	if (waited_for)
		wake_up_all(&ioas->settled);
	if (unused)
		account_destroy(unused);

	for (; taken != area; taken = next) {
		next = taken->next_emptying;
		area_free(taken);
		if (next)
			cond_resched();
	}
	return area;
}

/* Waits until it is clear what the range covers, and takes the first areas over. */
static int begin_unmap(struct ioas *ioas, struct unmap_walk *walk)
{
	struct iova_space *space = &ioas->iova_space;
	struct ioas_area *area;
	int ret;

	for (;;) {
		spin_lock(&space->iova_lock);
		area = iova_first(space, walk->iova, walk->last_iova);
		ret = area ? check_borders(space, walk, area) : -ENOENT;
		if (!ret)
			take_areas(space, walk, area);
		spin_unlock(&space->iova_lock);
		if (ret != -EAGAIN)
			return ret;
		wait_until_settled(ioas, walk->iova, walk->iova);
		wait_until_settled(ioas, walk->last_iova, walk->last_iova);
	}
}

static void finish_unmap(struct ioas *ioas, struct unmap_walk *walk)
{
	struct iova_space *space = &ioas->iova_space;

	for (;;) {
		empty_taken(ioas, walk->taken);
		while (walk->taken)
			walk->taken = erase_taken(ioas, walk->taken);
		if (!walk->more)
			return;
		wait_until_settled(ioas, walk->iova, walk->iova);
		spin_lock(&space->iova_lock);
		take_areas(space, walk, iova_first(space, walk->iova, walk->last_iova));
		spin_unlock(&space->iova_lock);
	}
}

/**
 * ioas_unmap() - take areas away
 * @ioas: the IOAS
 * @iova: first address of the range
 * @last_iova: last address of the range, inclusive
 * @rule: what to do with areas that reach over a border of the range
 * @unmapped_nbytes: receives the length of all areas removed, also on error
 *
 * Holes in the range do not matter. When this returns no device can reach the
 * memory any more, it is unpinned, and its owner has got the charge back.
 *
 * Context: the caller entered the IOAS; may sleep. Needs no memory, cannot be
 * interrupted.
 * Return: 0, also where nothing is mapped; -EINVAL with UNMAP_WHOLE and nothing
 * removed if a border of the range lies inside an area.
 */
int ioas_unmap(struct ioas *ioas, unsigned long iova, unsigned long last_iova,
	       enum ioas_unmap_rule rule, unsigned long *unmapped_nbytes)
{
	struct unmap_walk walk = { .rule = rule, .iova = iova, .last_iova = last_iova };
	int ret;

	ret = begin_unmap(ioas, &walk);
	if (!ret)
		finish_unmap(ioas, &walk);
	*unmapped_nbytes = walk.nbytes;
	return ret == -ENOENT ? 0 : ret;
}

/**
 * ioas_unmap_all() - take all areas away
 * @ioas: the IOAS
 * @unmapped_nbytes: receives their length
 *
 * Context: as ioas_unmap(). Never fails.
 */
void ioas_unmap_all(struct ioas *ioas, unsigned long *unmapped_nbytes)
{
	ioas_unmap(ioas, 0, ULONG_MAX, UNMAP_WHOLE, unmapped_nbytes);
}

static unsigned int count_ranges(struct iova_space *space)
{
	unsigned long iova = 0, first_iova, last_iova;
	unsigned int nranges = 0;

	while (iova_usable(space, iova, &first_iova, &last_iova)) {
		nranges++;
		if (last_iova == ULONG_MAX)
			break;
		iova = last_iova + 1;
	}
	return nranges;
}

/**
 * ioas_get_space_info() - list the IOVA ranges that nothing reserves
 * @ioas: the IOAS
 * @info: to fill; its ranges belong to the caller
 *
 * Context: the caller entered the IOAS; may sleep.
 * Return: 0 or -ENOMEM.
 */
int ioas_get_space_info(struct ioas *ioas, struct ioas_space_info *info)
{
	struct iova_space *space = &ioas->iova_space;
	unsigned long iova = 0;
	unsigned int i;

	/* Nobody can reserve anything meanwhile: the number stays right. */
	lockdep_assert_held(&ioas->domains_rwsem);
	spin_lock(&space->iova_lock);
	info->nareas = space->nareas;
	info->nranges = count_ranges(space);
	spin_unlock(&space->iova_lock);

	info->ranges = kcalloc(info->nranges, sizeof(*info->ranges), GFP_KERNEL_ACCOUNT);
	spin_lock(&space->iova_lock);
	for (i = 0; info->ranges && i < info->nranges; i++) {
		struct ioas_range *range = &info->ranges[i];

		iova_usable(space, iova, &range->first_iova, &range->last_iova);
		iova = range->last_iova + 1;
	}
	spin_unlock(&space->iova_lock);
	return info->ranges ? 0 : -ENOMEM;
}

/**
 * ioas_enforces_coherency() - is no-snoop DMA impossible everywhere?
 * @ioas: the IOAS
 *
 * Context: the caller entered the IOAS; may sleep.
 * Return: false if a domain does not enforce it; true also without a domain.
 */
bool ioas_enforces_coherency(struct ioas *ioas)
{
	struct ioas_hwpt *hwpt;
	bool enforces = true;

	lockdep_assert_held(&ioas->domains_rwsem);
	list_for_each_entry(hwpt, &ioas->hwpts, hwpts_item)
		enforces &= hwpt->enforces_coherency;
	return enforces;
}

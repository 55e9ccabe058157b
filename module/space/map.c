// SPDX-License-Identifier: GPL-2.0-only
/*
 * map: makes areas in an IOAS.
 *
 * A map has one area, and a copy one for each piece of its source. They are claimed in state
 * FILLING, filled, and made live together, or not at all. A copy may have any number of areas: the
 * last one claims the place of all, and then makes room for some others at a time.
 *
 * Maps behave as if a mutex serialised them. A map that meets another one under way, or the limit
 * while others are under way, is decided only when those are over.
 *
 * Rare cases are out of line, so that a guest's 4 KiB map runs through little code.
 *
 * Locking: the caller has entered the IOAS for reading. A map that has to be alone holds
 * domains_rwsem for writing meanwhile. iova_lock is held only for the claim.
 */
#include <linux/iommu.h>
#include <linux/log2.h>
#include <linux/mm.h>

#include "area.h"
#include "base/vfio_ioas_trace.h"
#include "limits.h"
#include "map.h"
#include "mirror.h"
#include "unmap.h"

/* This many areas of a copy are inserted at once. It bounds how long iova_lock is held. */
#define CLAIM_AT_ONCE	256

/* Areas on their way to their IOVA. */
struct claim {
	struct ioas_map *map;
	struct ioas_area *areas;	/* ascending, to lie side by side */
	struct ioas_account *spare;	/* for try_claim() to use if none fits */
	unsigned long align_mask;	/* bits that addresses and lengths must not have */
	/* Not set for MAP_OVERLAP_FIRST, see look_at_areas(): */
	struct ioas_area *last;
	unsigned long nareas;
	int align_error;		/* of the first area that may not be there, or 0 */
	struct iova_request request;		/* for MAP_ANYWHERE only */
};

static void area_set_live(struct ioas *ioas, struct ioas_area *area)
{
	/* Pairs with area_is_live(). */
	smp_store_release(&area->state, AREA_LIVE);
	/* The barrier in wq_has_sleeper() pairs with that of a waiter that queues up. */
	if (unlikely(wq_has_sleeper(&ioas->area_waitq)))
		wake_up_all(&ioas->area_waitq);
}

/*
 * The larger the pages that memory and IOVA can share, the better. Aligning beyond the CPU's huge
 * page size wastes more IOVA than it gains.
 */
static int request_place(struct claim *claim)
{
	unsigned long uptr = claim->map->uptr;
	struct iova_request *request = &claim->request;
	unsigned long largest = PAGE_SIZE;

	if (IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE))
		largest = HPAGE_PMD_SIZE;
	*request = (struct iova_request){ .nbytes = claim->map->nbytes };
	if (request->nbytes >= ULONG_MAX / 2)
		return -EOVERFLOW;
	request->alignment = min(roundup_pow_of_two(request->nbytes), largest);
	if (uptr)
		request->alignment = min(request->alignment, 1UL << __ffs(uptr));
	request->offset = offset_in_page(uptr);
	return request->alignment <= claim->align_mask ? -EINVAL : 0;
}

/* Does an area permit the access that the map asks for, and is it aligned where it will lie? */
static int check_area(const struct claim *claim, const struct ioas_area *area)
{
	if (claim->map->iommu_prot & IOMMU_WRITE && !area->store->writable)
		return -EPERM;
	return (area->first_byte | area_nbytes(area)) & claim->align_mask ? -EINVAL : 0;
}

/* Counts the areas, and checks them. */
static void look_at_areas(struct claim *claim)
{
	struct ioas_area *area;

	claim->nareas = 0;
	claim->align_error = 0;
	for (area = claim->areas; area; area = area->next) {
		if (!claim->align_error)
			claim->align_error = check_area(claim, area);
		claim->nareas++;
		claim->last = area;
		cond_resched();
	}
}

static noinline int check_reserved_first(struct claim *claim)
{
	struct ioas_map *map = claim->map;

	look_at_areas(claim);
	if (map->rule == MAP_ANYWHERE)
		return request_place(claim);
	if (map->iova & claim->align_mask)
		return -EINVAL;
	return map->iova + map->nbytes - 1 < map->iova ? -EOVERFLOW : 0;
}

/* The checks that need not look at the IOVA space. */
static inline int check_map(struct ioas *ioas, struct claim *claim)
{
	struct ioas_map *map = claim->map;

	lockdep_assert_held(&ioas->domains_rwsem);
	claim->align_mask = max(ioas->iova_alignment, map->min_alignment) - 1;
	if (map->nbytes & claim->align_mask)
		return -EINVAL;
	if (map->rule != MAP_OVERLAP_FIRST)
		return check_reserved_first(claim);
	return (map->iova | map->uptr) & claim->align_mask ? -EINVAL : 0;
}

static int try_claim_overlap_first(struct ioas *ioas, struct claim *claim)
{
	struct iova_space *space = &ioas->iova_space;
	struct ioas_area *area = claim->areas;
	struct ioas_area *other;
	int ret;

	area->first_iova = claim->map->iova;
	area->last_iova = claim->map->iova + claim->map->nbytes - 1;
	other = iova_insert(space, area);
	if (unlikely(other))
		return area_is_live(other) ? -EEXIST : -EAGAIN;
	ret = -EDQUOT;
	if (unlikely(space->nareas > space->max_areas))
		goto erase;
	ret = iova_check(space, area->first_iova, area->last_iova);
	if (unlikely(ret))
		goto erase;
	if (likely(area_use_account(ioas, area, claim->map->account_mode, &claim->spare)))
		return 0;
	ret = -ESRCH;

erase:
	iova_erase(space, area);
	return ret;
}

static int find_place(struct iova_space *space, struct claim *claim)
{
	struct ioas_map *map = claim->map;
	int ret;

	if (map->rule == MAP_ANYWHERE) {
		ret = iova_find_free(space, &claim->request, &map->iova);
		if (ret)
			return ret;
	}
	ret = iova_check(space, map->iova, map->iova + map->nbytes - 1);
	if (ret)
		return ret;
	return iova_first(space, map->iova, map->iova + map->nbytes - 1) ? -EEXIST : 0;
}

static noinline int try_claim_reserved_first(struct ioas *ioas, struct claim *claim)
{
	struct iova_space *space = &ioas->iova_space;
	struct ioas_map *map = claim->map;
	int ret;

	ret = find_place(space, claim);
	if (ret)
		return ret;
	if (claim->align_error)
		return claim->align_error;
	if (claim->nareas > space->max_areas - space->nareas)
		return -EDQUOT;
	/* Copies are charged to the account of the store that they show. */
	if (!claim->areas->store->account &&
	    !area_use_account(ioas, claim->areas, map->account_mode, &claim->spare))
		return -ESRCH;
	/* The last one takes the place of all, see insert_others(). */
	claim->last->first_iova = map->iova;
	claim->last->last_iova = map->iova + map->nbytes - 1;
	WARN_ON(iova_insert(space, claim->last));
	space->nareas += claim->nareas - 1;
	return 0;
}

/* Inserts the areas of a copy below the last one, which has occupied their place. */
static noinline void insert_others(struct ioas *ioas, struct claim *claim)
{
	struct iova_space *space = &ioas->iova_space;
	struct ioas_area *area = claim->areas;
	struct ioas_area *last = claim->last;
	unsigned int n;

	while (area != last) {
		spin_lock(&space->iova_lock);
		for (n = 0; area != last && n < CLAIM_AT_ONCE; n++, area = area->next) {
			unsigned long nbytes = area_nbytes(area);

			area->first_iova = last->first_iova;
			area->last_iova = area->first_iova + nbytes - 1;
			last->first_iova += nbytes;
			/* The claim has counted it. */
			space->nareas--;
			WARN_ON(iova_insert(space, area));
		}
		spin_unlock(&space->iova_lock);
		cond_resched();
	}
}

/*
 * Claims the place of a map. Beside final errors it returns:
 *
 * - -EAGAIN: another thread is at work on an area in the way; to be tried again after that
 * - -ESRCH: there is no account of the caller; to be tried again with a spare one
 * - -EDQUOT: the IOAS has as many areas as it may; to be tried again when it may have more
 * - -EINPROGRESS: no place found yet; to be tried again
 * - -ERANGE: the place is beyond the reach, and the caller is not alone in the IOAS
 */
static int try_claim(struct ioas *ioas, struct claim *claim)
{
	int ret;

	spin_lock(&ioas->iova_space.iova_lock);
	if (claim->map->rule == MAP_OVERLAP_FIRST)
		ret = try_claim_overlap_first(ioas, claim);
	else
		ret = try_claim_reserved_first(ioas, claim);
	spin_unlock(&ioas->iova_space.iova_lock);
	return ret;
}

/* Is the lowest area in the way live, or gone? Only that area decides the result of a map. */
static bool is_decided(struct ioas *ioas, const struct ioas_map *map)
{
	struct iova_space *space = &ioas->iova_space;
	struct ioas_area *area;
	bool decided;

	spin_lock(&space->iova_lock);
	area = iova_first(space, map->iova, map->iova + map->nbytes - 1);
	decided = !area || area_is_live(area);
	spin_unlock(&space->iova_lock);
	return decided;
}

/* A MAP_OVERLAP_FIRST map has one area, and does not count. */
static unsigned long nareas_of(const struct claim *claim)
{
	return claim->map->rule == MAP_OVERLAP_FIRST ? 1 : claim->nareas;
}

/* Does what the error @ret of try_claim() asks for, and tries again, until the result is final. */
static int claim_on(struct ioas *ioas, struct claim *claim, int ret)
{
	for (;;) {
		switch (ret) {
		case -EAGAIN:
			if (wait_event_killable(ioas->area_waitq, is_decided(ioas, claim->map)))
				return -EINTR;
			break;
		case -ESRCH:
			claim->spare = account_create(claim->map->account_mode);
			if (!claim->spare)
				return -ENOMEM;
			break;
		case -EDQUOT:
			if (ioas_get_room(ioas, nareas_of(claim)))
				return -EDQUOT;
			break;
		case -EINPROGRESS:
			if (fatal_signal_pending(current))
				return -EINTR;
			cond_resched();
			break;
		default:
			return ret;
		}
		ret = try_claim(ioas, claim);
	}
}

static inline int claim_areas(struct ioas *ioas, struct claim *claim)
{
	int ret = try_claim(ioas, claim);

	if (unlikely(ret))
		ret = claim_on(ioas, claim, ret);
	if (claim->spare)
		account_put(claim->spare);
	return ret;
}

static noinline void empty_domains(struct ioas *ioas, struct ioas_area *area)
{
	struct account_refund refund = { };

	if (list_empty(&ioas->mirrors))
		return;
	store_lock(area->store);
	mirrors_unmap_area(ioas, area);
	area_unpin(area, &refund);
	store_unlock(area->store);
	account_pay(&refund);
}

static int fill_domains(struct ioas *ioas, struct ioas_area *area, bool single_pages)
{
	struct account_refund refund = { };
	struct ioas_mirror *mirror;
	int ret;

	lockdep_assert_held(&ioas->domains_rwsem);
	if (list_empty(&ioas->mirrors))
		return 0;

	store_lock(area->store);
	ret = area_pin(area);
	if (unlikely(ret))
		goto unlock;
	list_for_each_entry(mirror, &ioas->mirrors, item) {
		ret = mirror_map_area(mirror, area, single_pages || ioas->small_pages);
		if (unlikely(ret))
			goto unmap;
	}
	store_unlock(area->store);
	return 0;

unmap:
	list_for_each_entry_continue_reverse(mirror, &ioas->mirrors, item)
		mirror_unmap_area(mirror, area);
	area_unpin(area, &refund);
unlock:
	store_unlock(area->store);
	account_pay(&refund);
	return ret;
}

static inline int fill_all(struct ioas *ioas, const struct claim *claim)
{
	struct ioas_area *area, *done;
	int ret = 0;

	for (area = claim->areas; area && !ret; area = area->next) {
		ret = fill_domains(ioas, area, claim->map->single_pages);
		if (ret)
			break;
		if (area->next) {
			cond_resched();
			ret = fatal_signal_pending(current) ? -EINTR : 0;
		}
	}
	/* While the areas are not live, no other thread can have changed them. */
	if (unlikely(claim->map->check_last) && !ret)
		ret = claim->map->check_last(ioas);
	if (ret)
		for (done = claim->areas; done != area; done = done->next)
			empty_domains(ioas, done);
	return ret;
}

/*
 * Makes the caller alone in the IOAS. Returns 0 with domains_rwsem held for writing, until
 * end_alone(). On an error, domains_rwsem is held for reading again, and end_alone() must not be
 * called:
 *
 * - -EINTR: a fatal signal ended the wait for writing; the wait for reading is not killable
 * - -ESHUTDOWN: the IOAS is dead
 */
static int begin_alone(struct ioas *ioas)
{
	int ret = 0;

	ioas_keep(ioas);
	ioas_leave(ioas);
	if (down_write_killable(&ioas->domains_rwsem)) {
		ret = -EINTR;
		ioas_enter(ioas);
	} else if (ioas->dead) {
		ret = -ESHUTDOWN;
		downgrade_write(&ioas->domains_rwsem);
	} else {
		iova_set_reach(&ioas->iova_space, ULONG_MAX);
	}
	if (ret)
		ioas_unkeep(ioas);
	return ret;
}

/* Ends begin_alone(). If something was mapped, the domains reach as far as @last_iova now. */
static void end_alone(struct ioas *ioas, bool mapped, unsigned long last_iova)
{
	struct ioas_mirror *mirror;

	if (mapped)
		list_for_each_entry(mirror, &ioas->mirrors, item)
			mirror_reached(mirror, last_iova);
	ioas_refresh(ioas);
	downgrade_write(&ioas->domains_rwsem);
	ioas_unkeep(ioas);
}

/*
 * Repeats a map with no other thread in the IOAS. It serves two cases:
 *
 * - The place is out of reach, see mirror_reached().
 * - The limit is reached, but maps that count may still be under way, and fail. They are waited
 *   for, as if they had held a mutex.
 *
 * All that was found out about the IOAS before may be wrong by now. Returns MAPPED_ALONE, or an
 * error as ioas_map(). Takes the areas over.
 */
#define MAPPED_ALONE	1

static int map_alone(struct ioas *ioas, struct claim *claim)
{
	struct ioas_map *map = claim->map;
	int ret;

	ret = begin_alone(ioas);
	if (ret) {
		area_free_list(claim->areas);
		return ret;
	}
	map->alone = true;
	map->areas = claim->areas;
	ret = ioas_map(ioas, map);
	map->alone = false;
	map->areas = NULL;
	end_alone(ioas, !ret, map->iova + map->nbytes - 1);
	return ret ?: MAPPED_ALONE;
}

/* Handles a map that got no place, because of @ret. Returns as map_alone(). */
static noinline int map_nowhere(struct ioas *ioas, struct claim *claim, int ret)
{
	if ((ret == -EDQUOT || ret == -ERANGE) && !claim->map->alone)
		return map_alone(ioas, claim);
	area_free_list(claim->areas);
	return ret == -EDQUOT ? -ENOSPC : ret;
}

static inline int do_map(struct ioas *ioas, struct claim *claim)
{
	int ret;

	ret = check_map(ioas, claim);
	if (!ret)
		ret = claim_areas(ioas, claim);
	if (unlikely(ret))
		return map_nowhere(ioas, claim, ret);
	if (unlikely(claim->areas->next))
		insert_others(ioas, claim);
	ret = fill_all(ioas, claim);
	if (unlikely(ret))
		ioas_erase_areas(ioas, claim->areas);
	return ret;
}

/* The areas are not live yet. After an error they do not exist any more. */
static noinline void trace_map_over(struct ioas *ioas, const struct ioas_map *map,
				    struct ioas_area *areas, int error, u64 begin_ns)
{
	struct store_sum sum = { };
	struct ioas_area *area;

	for (area = error ? NULL : areas; area; area = area->next) {
		store_lock(area->store);
		area_sum(area, &sum);
		store_unlock(area->store);
	}
	trace_map(ioas->object.ctx->id, ioas->object.id, map->iova, map->nbytes,
		  map->uptr, map->iommu_prot, sum.nruns, error, trace_ns(begin_ns));
}

int ioas_map(struct ioas *ioas, struct ioas_map *map)
{
	struct ioas_area *area, *next;
	u64 begin_ns = trace_begin(map);
	struct claim claim;
	int ret;

	/* Only members that must be set are set: each word costs. */
	claim.map = map;
	claim.areas = map->areas;
	claim.spare = NULL;
	if (!claim.areas) {
		claim.areas = area_create(map->uptr, map->nbytes, map->iommu_prot);
		if (!claim.areas)
			return -ENOMEM;
		claim.areas->store->pin_rules = map->pin_rules;
	}
	ret = do_map(ioas, &claim);
	if (trace_map_enabled() && ret != MAPPED_ALONE && !(ret && map->alone))
		trace_map_over(ioas, map, claim.areas, ret, begin_ns);
	if (unlikely(ret))
		return ret == MAPPED_ALONE ? 0 : ret;
	/* A live area can go at any moment. */
	for (area = claim.areas; area; area = next) {
		next = area->next;
		area_set_live(ioas, area);
	}
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ioas: an I/O address space.
 *
 * Owns: struct ioas, domains_rwsem, and what mapping and unmapping mean.
 */
#ifndef VFIO_IOAS_IOAS_H
#define VFIO_IOAS_IOAS_H

#include <linux/completion.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "base/object.h"
#include "iova.h"
#include "memory/pages.h"

struct ioas_account;
struct ioas_unmap_watch;

/*
 * Lock order, outer first:
 *
 *   ctx->groups_mutex -> ioas_rwsem of an access -> its pins_rwsem -> domains_rwsem
 *   -> mutex of a shared store -> mmap lock of the memory's owner;
 *   domains_rwsem -> ctx->areas_mutex
 *
 * iova_lock is innermost: nothing but the lock of a wait queue is taken, and nobody
 * sleeps, under it.
 *
 * Whoever does something with an IOAS holds domains_rwsem for reading while it is in
 * there (ioas_enter() to ioas_leave()), so that whoever takes it for writing finds live
 * areas only, and knows that nobody else is here. The struct is freed by RCU: under
 * rcu_read_lock() it may be entered without waiting by those who then look whether it is
 * dead.
 */
struct ioas {
	struct ioas_object object;
	struct rw_semaphore domains_rwsem;
	struct list_head hwpts;			/* domains_rwsem */
	unsigned long pgsizes;			/* domains_rwsem, anybody may peek */
	unsigned long granule;			/* domains_rwsem; see ioas_refresh() */
	unsigned int npinning;			/* domains_rwsem; in-kernel users that pin */
	bool small_pages;			/* domains_rwsem; HUGE_PAGES is off */
	bool dead;				/* domains_rwsem; is about to be freed */
	bool emptying;				/* domains_rwsem for writing sets it */
	void *front;				/* constant; belongs to the front end */
	refcount_t keepers;			/* see ioas_keep(), and one until it is dead */
	struct completion unkept;		/* it is dead, and nobody keeps it */
	struct list_head ioass_item;		/* areas_mutex of the context */
	struct iova_space iova_space;
	struct ioas_account *account;		/* iova_lock; of whoever mapped last, kept */
	wait_queue_head_t settled;		/* an area became live, idle or went away */
	struct xarray accesses;			/* own lock; struct access_place */
	struct pages_beside beside;		/* pages of holds that no store has */
	struct ioas_unmap_watch *forgets;	/* constant; the front's memory of areas; or NULL */
	struct rcu_head rcu;
};

enum ioas_map_rule {
	MAP_TYPE1,	/* fixed; overlap, number and reserved are checked in this order */
	MAP_FIXED,	/* as iommufd: reserved comes before overlap, whoever is just there */
	MAP_ANYWHERE,	/* the lowest address that fits */
};

/* A map, as a front end asks for it. */
struct ioas_map {
	enum ioas_map_rule rule;
	unsigned long uptr;		/* user address in current->mm */
	unsigned long iova;		/* in; out for MAP_ANYWHERE */
	unsigned long nbytes;		/* no address may wrap within these */
	int iommu_prot;			/* IOMMU_READ, IOMMU_WRITE or both */
	enum account_mode account_mode;
	unsigned long min_granule;	/* addresses and length are multiples of it */
	bool single_pages;		/* no I/O page larger than a CPU page */
	/* May it stay, now that all is mapped? Asked inside the IOAS: 0 or -errno. Or NULL. */
	int (*check_last)(struct ioas *ioas);
	/* All below is the engine's own; begin with zeroes. */
	bool alone;			/* nobody else is in the IOAS, see map.c */
	struct ioas_area *areas;	/* are there already, as of a copy */
};

/* A snapshot of what an IOAS can take. */
struct ioas_space_info {
	unsigned long room;		/* areas that may still be made, in all of the context */
	unsigned long granule;
	unsigned int nranges;
	struct ioas_range *ranges;	/* ascending; kvfree() it */
};

/* Which areas an unmap of a range takes, where it does not fit the areas. */
enum ioas_unmap_rule {
	UNMAP_WHOLE,	/* refuse to cut an area, before anything is done (type1v2) */
	UNMAP_LEADING,	/* nothing, if one begins before; else all that begin in it (type1) */
	UNMAP_UPWARD,	/* one after another until one does not fit (iommufd) */
	UNMAP_ALL,	/* all that can be had, also while the caller is being killed */
};

static inline void ioas_enter(struct ioas *ioas)
{
	down_read(&ioas->domains_rwsem);
}

/* As ioas_enter(). On a fatal signal -EINTR, and the caller is not in there. */
static inline int ioas_enter_killable(struct ioas *ioas)
{
	return down_read_killable(&ioas->domains_rwsem);
}

static inline bool ioas_try_enter(struct ioas *ioas)
{
	return down_read_trylock(&ioas->domains_rwsem);
}

static inline void ioas_leave(struct ioas *ioas)
{
	up_read(&ioas->domains_rwsem);
}

/*
 * Lets the caller, who has entered an IOAS, leave and enter it again: it is there until
 * ioas_unkeep(), which comes before the caller leaves for good.
 */
static inline void ioas_keep(struct ioas *ioas)
{
	refcount_inc(&ioas->keepers);
}

static inline void ioas_unkeep(struct ioas *ioas)
{
	lockdep_assert_held_read(&ioas->domains_rwsem);
	if (refcount_dec_and_test(&ioas->keepers))
		complete(&ioas->unkept);
}

/*
 * Something that somebody may wait for has changed under iova_lock, which ends here: there is no
 * limit to the number of waiters. The caller is in the IOAS, which therefore stays.
 */
static inline void ioas_unlock_and_wake(struct ioas *ioas)
	__releases(&ioas->iova_space.iova_lock)
{
	bool waited_for;

	lockdep_assert_held(&ioas->domains_rwsem);
	/* A waiter queues up before it looks under the same lock. */
	waited_for = waitqueue_active(&ioas->settled);
	spin_unlock(&ioas->iova_space.iova_lock);
	if (unlikely(waited_for))
		wake_up_all(&ioas->settled);
}

/*
 * Which page sizes all domains can map, a bit a size in bytes: all bits without a
 * domain, never 0. Attaching or detaching may change it at the same moment.
 */
static inline unsigned long ioas_pgsizes(struct ioas *ioas)
{
	return READ_ONCE(ioas->pgsizes);
}

/* Is anything left that no reservation covers? domains_rwsem held for writing. */
static inline bool ioas_has_usable_iova(struct ioas *ioas)
{
	struct iova_space *space = &ioas->iova_space;
	unsigned long first_iova, last_iova;

	return iova_usable(space, 0, &first_iova, &last_iova);
}

static inline struct ioas *object_ioas(struct ioas_object *object)
{
	return container_of(object, struct ioas, object);
}

/**
 * ioas_create() - make an empty IOAS
 * @ctx: the context it will belong to and end with
 *
 * Context: may sleep.
 * Return: the IOAS, reserved as an object but not published; or ERR_PTR(-ENOMEM).
 */
struct ioas *ioas_create(struct ioas_ctx *ctx);

/**
 * ioas_discard() - undo ioas_create()
 * @ioas: not published, and nobody uses it
 *
 * Context: may sleep. Never fails.
 */
void ioas_discard(struct ioas *ioas);

/**
 * ioas_get() - find an IOAS and keep it for the length of a call
 * @ctx: the context
 * @id: its id, from user space
 *
 * Return: the IOAS, or NULL.
 */
struct ioas *ioas_get(struct ioas_ctx *ctx, u32 id);

/**
 * ioas_put() - undo ioas_get()
 * @ioas: may be gone afterwards
 */
void ioas_put(struct ioas *ioas);

/**
 * ioas_get_vfio() - find what container ioctls work on, and keep it for a call
 * @ctx: the context
 *
 * Return: the IOAS, to be put; or NULL if there is none.
 */
struct ioas *ioas_get_vfio(struct ioas_ctx *ctx);

/**
 * ioas_set_vfio() - choose what container ioctls work on
 * @ctx: the context
 * @ioas: the caller keeps it busy or has not published it; or NULL for none
 */
void ioas_set_vfio(struct ioas_ctx *ctx, struct ioas *ioas);

/**
 * ioas_offer_vfio() - the same, unless one is chosen that ioas_get_vfio() finds
 * @ctx: the context
 * @ioas: as for ioas_set_vfio(), but not NULL
 */
void ioas_offer_vfio(struct ioas_ctx *ctx, struct ioas *ioas);

/**
 * ioas_refresh() - find out again what all users of an IOAS can take
 * @ioas: the IOAS
 *
 * Context: domains_rwsem held for writing. The granule grows only after
 * ioas_check_granule().
 */
void ioas_refresh(struct ioas *ioas);

/**
 * ioas_check_granule() - would all areas fit a coarser granule?
 * @ioas: the IOAS
 * @granule: a power of two, in bytes
 *
 * Context: domains_rwsem held for writing, so that no area comes or goes.
 * Return: 0; -EADDRINUSE; -EINVAL for one larger than a CPU page.
 */
int ioas_check_granule(struct ioas *ioas, unsigned long granule);

/**
 * ioas_set_small_pages() - may domains use large pages?
 * @ioas: the IOAS
 * @small_pages: no: map page by page from now on
 *
 * Context: takes domains_rwsem for writing.
 * Return: 0; -EINVAL where a domain has mappings that may be large; -EADDRINUSE where
 * an area does not consist of whole pages.
 */
int ioas_set_small_pages(struct ioas *ioas, bool small_pages);

/**
 * ioas_prepare_search() - make MAP_ANYWHERE possible
 * @ioas: the IOAS, not entered by the caller
 */
void ioas_prepare_search(struct ioas *ioas);

/**
 * ioas_get_room() - let an IOAS have more areas
 * @ioas: the IOAS
 * @nareas: how many more than it has
 *
 * The limit is that of the context. An IOAS is given a share of what is left of it in advance,
 * so that a map only looks at the share; when nothing is left, all give back what they do not
 * use. Another map may be faster than the caller in using the room.
 *
 * Context: domains_rwsem held. May sleep.
 * Return: 0 or -ENOSPC.
 */
int ioas_get_room(struct ioas *ioas, unsigned long nareas);

/**
 * ioas_get_space_info() - list the IOVA ranges that nothing reserves
 * @ioas: the IOAS
 * @info: to fill; its ranges belong to the caller
 *
 * Context: the caller entered the IOAS; may sleep.
 * Return: 0 or -ENOMEM.
 */
int ioas_get_space_info(struct ioas *ioas, struct ioas_space_info *info);

/**
 * ioas_enforces_coherency() - is no-snoop DMA impossible everywhere?
 * @ioas: the IOAS
 *
 * Context: the caller entered the IOAS; may sleep.
 * Return: false if a domain does not enforce it; true also without a domain.
 */
bool ioas_enforces_coherency(struct ioas *ioas);

/**
 * ioas_map() - show memory of the calling process to all devices of an IOAS
 * @ioas: the IOAS
 * @map: what and where; tells afterwards where MAP_ANYWHERE found a place
 *
 * At the limit, beyond the reach and while the IOAS is emptied it is left and entered again, with
 * nobody else in it: maps under way count only if they succeed.
 *
 * Context: a process with an mm, which entered the IOAS; may sleep and fault.
 * Return: 0, or with nothing changed: -EINVAL where an address or the length is not
 * a multiple of the granule, or a reserved IOVA is touched; -EEXIST on top of another
 * area; -ENOSPC without room for one more area, or without a place; -EOVERFLOW where IOVA
 * would wrap;
 * -ENOMEM without memory or over the memlock limit; -EFAULT where user memory is missing
 * or not permitted; -EINTR on a fatal signal; -ENODEV, or with MAP_TYPE1 -EINVAL, if the IOAS
 * died while it was left; what the IOMMU driver or @map->check_last says.
 */
int ioas_map(struct ioas *ioas, struct ioas_map *map);

int ioas_map_native(struct ioas *ioas, struct ioas_map *map);

/* Somebody who sees each area before an unmap takes it away. */
struct ioas_unmap_watch {
	/* Nobody else uses the area any more. An error lets it stay, and ends the unmap. */
	int (*leaving)(struct ioas_unmap_watch *watch, struct ioas_area *area);
};

/**
 * ioas_unmap_watched() - take areas away
 * @ioas: the IOAS
 * @iova: first address of the range
 * @last_iova: last address of the range, inclusive
 * @rule: what to do with areas that reach over a border of the range
 * @watch: is called for each area, from the lowest upward; or NULL, if the front end keeps nothing
 *	of areas now
 * @unmapped_nbytes: receives the length of all areas removed, also on error
 *
 * Holes in the range do not matter. When this returns no device can reach the
 * memory any more, it is unpinned, and its owner has got the charge back. In-kernel users
 * that pinned some of it have been told; to that end the IOAS is left and entered again. If @watch
 * is NULL, the front end forgets areas that go from then on.
 * Calls that use an area, or are pinning, are waited for; no new ones get in meanwhile.
 *
 * Context: the caller entered the IOAS and, if it has in-kernel users, holds nothing
 * that they need; may sleep. Needs no memory.
 * Return: 0, also where nothing is mapped; -EINVAL with UNMAP_WHOLE and nothing
 * removed if a border of the range lies inside an area; with UNMAP_UPWARD -ENOENT if
 * the next area reaches over a border, -EBUSY if another thread is making or removing it;
 * -EDEADLK if an in-kernel user did not let go of one for seconds (a bug of that user): it stays,
 * as do those above unless it is UNMAP_ALL;
 * -EINTR on a fatal signal while it waited; an error of @watch, and the area it was about,
 * and those above, are still there.
 */
int ioas_unmap_watched(struct ioas *ioas, unsigned long iova, unsigned long last_iova,
		       enum ioas_unmap_rule rule, struct ioas_unmap_watch *watch,
		       unsigned long *unmapped_nbytes);

/* As ioas_unmap_watched(). The front end forgets what it keeps of the areas. */
static inline int ioas_unmap(struct ioas *ioas, unsigned long iova, unsigned long last_iova,
			     enum ioas_unmap_rule rule, unsigned long *unmapped_nbytes)
{
	return ioas_unmap_watched(ioas, iova, last_iova, rule, ioas->forgets, unmapped_nbytes);
}

/**
 * ioas_unmap_all() - take all areas away, when nobody asked for it who could ask again
 * @ioas: the IOAS; if somebody maps meanwhile it may never end, see ioas_empty()
 * @unmapped_nbytes: receives their length
 *
 * In-kernel users that do not let go of one area are told of each further one once. Those of an
 * IOAS that is dead are gone, and what they have pinned is lost.
 *
 * Context: as ioas_unmap_watched(), but a fatal signal does not end it.
 * Return: 0; -EDEADLK if only those areas are left that in-kernel users did not let go of.
 */
int ioas_unmap_all(struct ioas *ioas, unsigned long *unmapped_nbytes);

/**
 * ioas_empty() - take all areas away from an IOAS that goes on
 * @ioas: the IOAS
 *
 * Maps wait until it is over; only while a driver is told one at a time gets in. Otherwise maps
 * could keep ahead of it for ever. Warns of areas that in-kernel users do not let go of: they stay.
 *
 * Context: domains_rwsem held for writing, for reading when it returns. May sleep.
 */
void ioas_empty(struct ioas *ioas);

/**
 * ioas_erase_areas() - give back the addresses of areas, and free them
 * @ioas: the IOAS, which the caller entered
 * @areas: owned by the caller, in no domain, nothing of them pinned
 *
 * Context: may sleep. Never fails.
 */
void ioas_erase_areas(struct ioas *ioas, struct ioas_area *areas);

/**
 * ioas_capture() - copy the areas of a range
 * @ioas: whose areas
 * @iova: first address of the range
 * @nbytes: its length; it does not wrap
 * @iommu_prot: of the copies
 * @copies: receives a list, ascending, for ioas_map_copies()
 *
 * Not atomic: areas that another thread removes meanwhile are seen or not.
 *
 * Context: the caller entered the IOAS; may sleep.
 * Return: 0; -ENOENT if an address shows nothing; -ENOMEM; -EINTR on a fatal signal.
 */
int ioas_capture(struct ioas *ioas, unsigned long iova, unsigned long nbytes,
		 int iommu_prot, struct ioas_area **copies);

/**
 * ioas_map_copies() - show once more what an IOAS shows already
 * @ioas: where to
 * @map: where; its length is that of all copies, its user address is set here
 * @copies: from ioas_capture(); taken over in any case
 *
 * Context: as ioas_map().
 * Return: as ioas_map(); -EPERM for writing to what was mapped read-only.
 */
int ioas_map_copies(struct ioas *ioas, struct ioas_map *map, struct ioas_area *copies);

/**
 * ioas_cut() - let no area reach over a border
 * @ioas: the IOAS
 * @last_iova: the last address below the border
 *
 * Others see the area whole or divided: those that come meanwhile wait.
 *
 * Context: the caller entered the IOAS; may sleep.
 * Return: 0, also if none does; or with nothing changed -EINVAL where the border is not
 * aligned, a domain may have an entry across it, or an in-kernel user has pinned the
 * area; -EBUSY if another thread makes or removes it; -ENOSPC without room for one more area;
 * -ENOMEM; -EINTR on a fatal signal.
 */
int ioas_cut(struct ioas *ioas, unsigned long last_iova);

#endif

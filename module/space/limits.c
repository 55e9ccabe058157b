// SPDX-License-Identifier: GPL-2.0-only
/*
 * limits: the needs of all users of an IOAS, and the number of areas that it may have.
 *
 * The needs of domains, in-kernel users and settings are recomputed when one of them changes. The
 * number of areas is limited for a context, and each IOAS has a share of it.
 *
 * Locking: domains_rwsem is held for writing while the needs of users change. areas_mutex of the
 * context and iova_lock guard the shares.
 */
#include <linux/mm.h>

#include "area.h"
#include "limits.h"
#include "mirror.h"

void ioas_refresh(struct ioas *ioas)
{
	unsigned long alignment = ioas->small_pages || ioas->npinning ? PAGE_SIZE : 1;
	unsigned long reach = ioas->emptying ? 0 : ULONG_MAX;
	unsigned long pgsizes = ULONG_MAX;
	struct ioas_mirror *mirror;

	lockdep_assert_held_write(&ioas->domains_rwsem);
	list_for_each_entry(mirror, &ioas->mirrors, item) {
		pgsizes &= mirror->domain->pgsize_bitmap;
		alignment = max(alignment, mirror_alignment(mirror));
		reach = min(reach, mirror->reach);
	}
	iova_set_reach(&ioas->iova_space, reach);
	WRITE_ONCE(ioas->pgsizes, pgsizes);
	ioas->iova_alignment = alignment;
}

static bool area_fits(const struct ioas_area *area, unsigned long alignment)
{
	unsigned long align_mask = alignment - 1;

	return !((area->first_iova | area_nbytes(area) | area->first_byte) & align_mask);
}

int ioas_check_alignment(struct ioas *ioas, unsigned long alignment)
{
	struct ioas_area *area;

	lockdep_assert_held_write(&ioas->domains_rwsem);
	if (alignment > PAGE_SIZE)
		return -EINVAL;
	if (alignment <= ioas->iova_alignment)
		return 0;
	for (area = area_first(ioas, 0); area; area = area_next(ioas, area)) {
		if (!area_fits(area, alignment))
			return -EADDRINUSE;
		cond_resched();
	}
	return 0;
}

enum unused { COUNT_UNUSED, TAKE_UNUSED };

/* Returns how much of its share of areas an IOAS does not use. TAKE_UNUSED takes that away. */
static unsigned long unused_room(struct ioas *ioas, enum unused action)
{
	struct iova_space *space = &ioas->iova_space;
	unsigned long unused;

	lockdep_assert_held(&ioas->object.ctx->areas_mutex);
	spin_lock(&space->iova_lock);
	unused = space->max_areas - space->nareas;
	if (action == TAKE_UNUSED)
		space->max_areas -= unused;
	spin_unlock(&space->iova_lock);
	return unused;
}

static unsigned long unused_by_all(struct ioas_ctx *ctx, enum unused action)
{
	unsigned long unused = 0;
	struct ioas *ioas;

	lockdep_assert_held(&ctx->areas_mutex);
	list_for_each_entry(ioas, &ctx->ioass, ioass_item) {
		unused += unused_room(ioas, action);
		cond_resched();
	}
	return unused;
}

/*
 * Lets an IOAS have @nareas more areas, or half of the spare ones if that is more. Returns false if
 * not enough are spare.
 */
static bool give_room(struct ioas *ioas, unsigned long nareas)
{
	struct iova_space *space = &ioas->iova_space;
	struct ioas_ctx *ctx = ioas->object.ctx;
	unsigned long more = 0;
	bool enough;

	lockdep_assert_held(&ctx->areas_mutex);
	spin_lock(&space->iova_lock);
	if (nareas > space->max_areas - space->nareas)
		more = nareas - (space->max_areas - space->nareas);
	enough = more <= ctx->spare_areas;
	if (more && enough) {
		more = max(more, ctx->spare_areas / 2);
		space->max_areas += more;
		ctx->spare_areas -= more;
	}
	spin_unlock(&space->iova_lock);
	return enough;
}

int ioas_get_room(struct ioas *ioas, unsigned long nareas)
{
	struct ioas_ctx *ctx = ioas->object.ctx;
	bool done;

	lockdep_assert_held(&ioas->domains_rwsem);
	mutex_lock(&ctx->areas_mutex);
	done = give_room(ioas, nareas);
	if (!done) {
		ctx->spare_areas += unused_by_all(ctx, TAKE_UNUSED);
		done = give_room(ioas, nareas);
	}
	mutex_unlock(&ctx->areas_mutex);
	return done ? 0 : -ENOSPC;
}

unsigned long ioas_room(struct ioas *ioas)
{
	struct ioas_ctx *ctx = ioas->object.ctx;
	unsigned long room;

	mutex_lock(&ctx->areas_mutex);
	room = ctx->spare_areas + unused_by_all(ctx, COUNT_UNUSED);
	mutex_unlock(&ctx->areas_mutex);
	return room;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * corrupt: breaks invariants on purpose, so that a test sees the checker notice it.
 *
 * Breaks one invariant of an area in a mock domain, lets the checker look, and repairs it. The
 * checker returns its complaints and prints none.
 *
 * Locking: domains_rwsem is held for writing to break and to repair, but not in between. The test
 * must do nothing else meanwhile.
 */
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/page_ref.h>

#include "compat/area_flags.h"
#include "corrupt.h"
#include "domain/hwpt.h"
#include "invariants.h"
#include "mock.h"
#include "native/call.h"
#include "space/area.h"
#include "space/ioas.h"

/* The area, domain and page to be broken. */
struct victim {
	struct ioas_area *area;
	struct iommu_domain *domain;	/* of a mock device */
	struct page *page;		/* the first one of the area */
	phys_addr_t paddr;		/* of the first byte of the area */
};

static bool find_victim(struct ioas *ioas, unsigned long iova, struct victim *victim)
{
	struct ioas_hwpt *hwpt = list_first_entry_or_null(&ioas->mirrors, struct ioas_hwpt,
							  mirror.item);
	struct ioas_area *area = area_first(ioas, iova);
	struct extent_cursor cursor;
	unsigned long index;
	struct extent run;

	if (!hwpt || !mock_is_domain(hwpt->mirror.domain) || !area || area->first_iova != iova)
		return false;
	index = area->first_byte / PAGE_SIZE;
	extents_first(&area->store->extents, &cursor, index, index, &run);
	if (run.kind != EXTENT_CHARGED)
		return false;
	victim->area = area;
	victim->domain = hwpt->mirror.domain;
	victim->page = pfn_to_page(run.pfn);
	victim->paddr = PFN_PHYS(run.pfn) + offset_in_page(area->first_byte);
	return true;
}

/* Charges one page; with @sign -1 gives one back. */
static int change_charge(struct ioas_account *account, int sign)
{
	struct account_refund refund = { };

	if (sign > 0)
		return account_charge(account, 1);
	account_refund(&refund, account, 1);
	account_pay(&refund);
	return 0;
}

static int change_domain(const struct victim *victim, enum corruption what, bool mend)
{
	unsigned long iova = victim->area->first_iova;
	phys_addr_t paddr = victim->paddr;

	if (what == CORRUPT_MAP_MORE)
		return mock_poke(victim->domain, victim->area->last_iova + 1, mend ? 0 : paddr);
	if (!mend)
		paddr = what == CORRUPT_MAP_LESS ? 0 : paddr + MOCK_IO_PAGE_SIZE;
	return mock_poke(victim->domain, iova, paddr);
}

static int change_border(struct ioas_store *store, bool mend)
{
	if (!mend)
		return extents_cut(&store->extents, 1);
	extents_join(&store->extents, 1);
	return 0;
}

/* Breaks one invariant, or repairs it. */
static int change(const struct victim *victim, enum corruption what, bool mend)
{
	struct ioas_area *area = victim->area;
	int sign = mend ? -1 : 1;

	switch (what) {
	case CORRUPT_NOTHING:
		break;
	case CORRUPT_STATE:
		area->state = mend ? AREA_LIVE : AREA_TELLING;
		break;
	case CORRUPT_BUSY:
		area->nbusy += sign;
		break;
	case CORRUPT_NPINS:
		area->npins += sign;
		break;
	case CORRUPT_MARKS:
		area->flags ^= AREA_ALL_DIRTY;
		break;
	case CORRUPT_BORDER:
		return change_border(area->store, mend);
	case CORRUPT_MAP_MORE:
	case CORRUPT_MAP_LESS:
	case CORRUPT_MAP_OTHER:
		return change_domain(victim, what, mend);
	case CORRUPT_PIN_MORE:
		page_ref_add(victim->page, sign * (int)GUP_PIN_COUNTING_BIAS);
		break;
	case CORRUPT_PIN_LESS:
		page_ref_add(victim->page, -sign * (int)GUP_PIN_COUNTING_BIAS);
		break;
	case CORRUPT_CHARGE_MORE:
		return change_charge(area->store->account, sign);
	case CORRUPT_CHARGE_LESS:
		return change_charge(area->store->account, -sign);
	case CORRUPT_COUNTER:
		atomic64_sub(sign, &area->store->account->mm->pinned_vm);
		break;
	default:
		return -EINVAL;
	}
	return 0;
}

/* -ENOENT if no area of the IOAS begins at the IOVA, or it is in no mock domain. */
static int change_locked(struct ioas *ioas, struct test_cmd *cmd, bool mend)
{
	struct victim victim;
	int ret = -ENOENT;

	down_write(&ioas->domains_rwsem);
	if (find_victim(ioas, cmd->corrupt.iova, &victim))
		ret = change(&victim, cmd->corrupt.what, mend);
	up_write(&ioas->domains_rwsem);
	return ret;
}

int op_corrupt(struct native_call *call)
{
	struct test_cmd *cmd = &call->args.test;
	struct ioas *ioas = ioas_get(call->ctx, cmd->id);
	int ret;

	if (!ioas)
		return -ENOENT;
	ret = change_locked(ioas, cmd, false);
	if (!ret) {
		cmd->corrupt.out_said = look_quietly(call->ctx);
		ret = change_locked(ioas, cmd, true);
	}
	ioas_put(ioas);
	return ret ?: call_respond(call, sizeof(*cmd));
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * claims: the kernel's counts of pins and charges, compared with the stores.
 *
 * A store has a claim to each pinned page of its extents. A held page beside a store is a claim,
 * too. A page has at least as many pins as claims. It has no more if it is a small anonymous page,
 * and there is no other context.
 *
 * An account was charged with exactly the charged pages of its stores and of holds beside them. The
 * kernel's counters of mm and user are not below the charges of all accounts of the context.
 *
 * Locking: all IOASs of the context are locked, so that nobody pins, charges or holds.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/user.h>
#include <linux/xarray.h>

#include "base/object.h"
#include "base/selftest.h"
#include "compat/type1.h"
#include "invariants.h"
#include "memory/store.h"
#include "space/area.h"
#include "space/ioas.h"

/* Claims of about so many pages are counted; with more pages, those of every n-th one. */
#define MAX_CLAIMS	2048UL

/* At most so many counters are compared. */
#define MAX_COUNTERS	16

/* A counter of the kernel, and our share of it. */
struct counter {
	atomic_long_t *counter;
	unsigned long npages;
};

static DEFINE_XARRAY(claims);			/* number of claims, by PFN */
static unsigned long claims_step;		/* only PFNs that are multiples of it; 0: none */
static struct counter counters[MAX_COUNTERS];
static unsigned int ncounters;
static struct ioas_account *accounts;		/* found in this look */

long count_pins(unsigned long pfn)
{
	struct folio *folio = page_folio(pfn_to_page(pfn));

	if (!folio_test_large(folio))
		return folio_ref_count(folio) / GUP_PIN_COUNTING_BIAS;
	return folio_maybe_dma_pinned(folio) ? folio_ref_count(folio) : 0;
}

/* Counts a claim. Without memory for that no more claims are counted in this look. */
static void claim_page(unsigned long pfn)
{
	void *old = xa_load(&claims, pfn);
	unsigned long n = old ? xa_to_value(old) : 0;

	if (claims_step && xa_err(xa_store(&claims, pfn, xa_mk_value(n + 1), GFP_KERNEL)))
		claims_step = 0;
}

/* Can only our context pin a page? It has no other owner and no other mapping. */
static bool is_own_page(unsigned long pfn)
{
	struct page *page = pfn_to_page(pfn);

	return !PageCompound(page) && PageAnon(page) && !is_zero_pfn(pfn);
}

static void check_pages(void)
{
	bool exact = selftest_only_ctx();
	unsigned long pfn;
	void *entry;

	xa_for_each(&claims, pfn, entry) {
		long nclaims = xa_to_value(entry);

		must(RULE_PINS, count_pins(pfn) >= nclaims);
		if (exact && is_own_page(pfn))
			must(RULE_PINS, count_pins(pfn) == nclaims);
		cond_resched();
	}
}

static void meet_account(struct look *look, struct ioas_account *account,
			 unsigned long ncharged)
{
	struct selftest_tally *tally = &account->tally;

	if (tally->look != look->number) {
		tally->look = look->number;
		tally->next = accounts;
		tally->nseen = 0;
		accounts = account;
	}
	tally->nseen += ncharged;
}

static void claim_run(struct look *look, struct ioas_store *store, const struct extent *run)
{
	unsigned long pfn;

	/* Reserved pages, such as the zero page, are not always counted. */
	if (run->kind != EXTENT_CHARGED)
		return;
	meet_account(look, store->account, run->npages);
	if (!claims_step)
		return;
	for (pfn = roundup(run->pfn, claims_step); pfn < run->pfn + run->npages;
	     pfn += claims_step)
		claim_page(pfn);
}

static void claim_store(struct look *look, struct ioas_store *store)
{
	unsigned long last_index = store->extents.npages - 1;
	struct extent_cursor cursor;
	struct extent run;
	bool more;

	meet_account(look, store->account, 0);
	more = extents_first(&store->extents, &cursor, 0, last_index, &run);
	while (more) {
		claim_run(look, store, &run);
		more = extents_next(&store->extents, &cursor, last_index, &run);
		cond_resched();
	}
}

/* Checks that the areas of a store together count as many pins as the store has users that pin. */
static void check_users_of(struct ioas_store *store, unsigned long *nholds)
{
	struct store_sharing *sharing = store->sharing;
	unsigned long npins = 0, nareas = 0;
	struct rb_node *rb;

	if (!sharing)
		return;
	for (rb = rb_first_cached(&sharing->users); rb; rb = rb_next(rb)) {
		switch (rb_entry(rb, struct store_user, node)->kind) {
		case USER_AREA:
			nareas++;
			break;
		case USER_HOLD:
			++*nholds;
			fallthrough;
		default:
			npins++;
		}
		cond_resched();
	}
	must(RULE_STORES, store->tally.npins == npins);
	/* A copy that is being made has a reference and is in no IOAS. */
	must(RULE_STORES, store->tally.nseen <= refcount_read(&sharing->refs));
	must(RULE_STORES, nareas <= store->tally.nseen);
}

/* Counts the claim of a hold beside a store. It is a pin of the area, but not of the store. */
static void claim_beside(struct look *look, struct ioas *ioas, unsigned long index,
			 const struct store_hold *hold)
{
	unsigned long iova = index << PAGE_SHIFT;
	struct ioas_area *area;

	spin_lock(&ioas->iova_space.iova_lock);
	area = iova_first(&ioas->iova_space, iova, iova);
	spin_unlock(&ioas->iova_space.iova_lock);
	must(RULE_STORES, area);
	if (area)
		area->store->tally.npins--;
	must(RULE_STORES, hold->covered + !!hold->payer == !PageReserved(hold->page));
	if (!PageReserved(hold->page) && claims_step && !(page_to_pfn(hold->page) % claims_step))
		claim_page(page_to_pfn(hold->page));
	if (hold->payer)
		meet_account(look, hold->payer, 1);
}

/* Checks the holds of emulated devices. Returns how many of them are not beside their store. */
static unsigned long check_holds(struct look *look)
{
	struct emulated *emulated;
	unsigned long nbeside = 0, n = 0;
	unsigned long index;
	struct held_page *hold;

	if (!look->ctx->front_ops)
		return 0;
	emulated = &type1_of(container_of(look->ctx, struct container, ctx))->emulated;
	must(RULE_STORES, xa_empty(&emulated->holds) || READ_ONCE(emulated->ioas));
	xa_for_each(&emulated->holds, index, hold) {
		n++;
		must(RULE_STORES, hold->npins);
		if (hold->pin.beside) {
			nbeside++;
			claim_beside(look, emulated->ioas, index, &hold->pin);
		}
		cond_resched();
	}
	must(RULE_STORES, !nbeside ||
	     atomic_long_read(&emulated->ioas->beside.npinned) == nbeside);
	return n - nbeside;
}

static void expect_counted(void *counter, unsigned long npages)
{
	unsigned int i;

	for (i = 0; i < ncounters && counters[i].counter != counter; i++)
		;
	if (i == MAX_COUNTERS)
		return;
	if (i == ncounters)
		counters[ncounters++] = (struct counter){ .counter = counter };
	counters[i].npages += npages;
}

static void check_account(struct ioas_account *account)
{
	unsigned long ncharged = account->tally.nseen;

	must(RULE_CHARGES, selftest_counted(&account->tally) == ncharged);
	if (account->mode != ACCOUNT_MLOCK)
		expect_counted(&account->mm->pinned_vm, ncharged);
	if (account->unlimited && account->mode != ACCOUNT_MLOCK)
		return;
	if (account->mode == ACCOUNT_USER)
		expect_counted(&account->cred->user->locked_vm, ncharged);
	else if (atomic_read(&account->mm->mm_users))
		expect_counted(&account->mm->locked_vm, ncharged);
}

static void check_charges(struct look *look)
{
	struct ioas_account *account;
	unsigned int i;

	for (i = 0; i < look->nioass; i++)
		if (look->ioass[i]->account)
			meet_account(look, look->ioass[i]->account, 0);
	ncounters = 0;
	for (account = accounts; account; account = account->tally.next)
		check_account(account);
	for (i = 0; i < ncounters; i++)
		must(RULE_CHARGES,
		     atomic_long_read(counters[i].counter) >= (long)counters[i].npages);
}

void check_claims(struct look *look)
{
	unsigned long nholds = 0, nexpected;
	struct ioas_store *store;

	accounts = NULL;
	claims_step = look->npinned / MAX_CLAIMS + 1;
	nexpected = check_holds(look);
	for (store = look->stores; store; store = store->tally.next) {
		claim_store(look, store);
		check_users_of(store, &nholds);
	}
	must(RULE_STORES, nholds == nexpected);
	if (claims_step)
		check_pages();
	xa_destroy(&claims);
	check_charges(look);
}

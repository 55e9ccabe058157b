// SPDX-License-Identifier: GPL-2.0-only
/*
 * store: one run of user memory, and which of its pages are pinned.
 *
 * The basic rule: a page is pinned if and only if the extents have it, and charged if and only if
 * they have it as EXTENT_CHARGED. Domains are filled from the extents, never from each other. So a
 * page is pinned and charged once, however many domains show it, and nothing has to be read back
 * from a domain to unpin it.
 *
 * A store is shared once a second area (by COPY, or by a cut) or an in-kernel user needs it. Then
 * it records which user needs which part, and unpins pages that no user needs any more. The borders
 * of a user are cut into the extents when it comes, which may fail, so that no memory is needed
 * when it goes. The runs are joined again when the last user with a border there goes. So the
 * extents have exactly the borders that users need, even after a failure.
 *
 * There are two exceptions: the page of a hold beside a store, see struct store_hold, and the zero
 * page of older kernels, see pin.h.
 *
 * Locking: only the owner of the original area changes a store that is not shared: the thread that
 * made the area FILLING or EMPTYING, or a thread that holds domains_rwsem for writing. A shared
 * store has a mutex, which the owner of an area must hold, too.
 */
#include <linux/errno.h>
#include <linux/highmem.h>
#include <linux/interval_tree_generic.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "base/steps.h"
#include "pin.h"
#include "store.h"

#define user_first(user)	((user)->first_index)
#define user_last(user)		((user)->last_index)
INTERVAL_TREE_DEFINE(struct store_user, node, unsigned long, subtree_last,
		     user_first, user_last, static __maybe_unused, users)

/* This many pages of a batch are compared without a branch. */
#define CONTINUE_AT_ONCE	8

/*
 * Turns pinned pages into runs of the extents. A run ends where the next page is not physically the
 * next one, or is of another kind. All pages of a folio are of one kind, so the kind is checked
 * again only where a folio ends.
 */
struct run_builder {
	struct extents *extents;
	unsigned long index;		/* of the page at @first */
	struct page *first;		/* the run so far: [first, next) */
	struct page *next;
	struct page *recheck;		/* the kind is known up to here, exclusive */
	enum extent_kind kind;
	unsigned long nreserved;	/* pages so far that are not to be charged */
};

static inline int builder_store(struct run_builder *builder)
{
	struct extent run = {
		.index = builder->index,
		.npages = builder->next - builder->first,
		.pfn = page_to_pfn(builder->first),
		.kind = builder->kind,
	};
	int ret;

	ret = extents_set(builder->extents, &run);
	if (ret)
		return ret;
	builder->index += run.npages;
	builder->first = builder->next;
	return 0;
}

static inline int builder_flush(struct run_builder *builder)
{
	return builder->next == builder->first ? 0 : builder_store(builder);
}

/* Adds a page that does not simply continue the run. */
static int builder_add(struct run_builder *builder, struct page *page)
{
	enum extent_kind kind = EXTENT_CHARGED;
	struct folio *folio = page_folio(page);
	struct page *recheck = folio_page(folio, folio_nr_pages(folio));

	if (PageReserved(page)) {
		kind = EXTENT_RESERVED;
		recheck = page + 1;
		builder->nreserved++;
	}
	if (page != builder->next || kind != builder->kind) {
		int ret = builder_flush(builder);

		if (ret)
			return ret;
		builder->first = page;
		builder->next = page;
		builder->kind = kind;
	}
	builder->next++;
	builder->recheck = recheck;
	return 0;
}

/* Are these CONTINUE_AT_ONCE pages physically consecutive from @next on? */
static inline bool all_continue(struct page *const *pages, struct page *next)
{
	unsigned long difference = 0;
	int i;

#pragma GCC unroll 8
	for (i = 0; i < CONTINUE_AT_ONCE; i++)
		difference |= (unsigned long)pages[i] ^ (unsigned long)(next + i);
	return !difference;
}

/*
 * Returns how many of @npages pages simply continue the run, within a folio of known kind. This
 * loop is the cost of huge pages, so it has no branch for each page. The pages of a folio can be
 * mapped in any order, so each page is looked at.
 */
static inline long count_continuing(const struct run_builder *builder,
				    struct page *const *pages, long npages)
{
	struct page *next = builder->next;
	long most = min(npages, builder->recheck - next);
	long n = 0;

	while (n + CONTINUE_AT_ONCE <= most && all_continue(pages + n, next + n))
		n += CONTINUE_AT_ONCE;
	while (n < most && pages[n] == next + n)
		n++;
	return n;
}

/* On failure, the pages that the builder has not taken are unpinned. */
static int builder_add_batch(struct run_builder *builder, struct pin_buffer *buffer,
			     long npinned)
{
	long i = 0;

	for (;;) {
		long n = count_continuing(builder, buffer->pages + i, npinned - i);
		int ret;

		builder->next += n;
		i += n;
		if (i == npinned)
			return 0;
		ret = builder_add(builder, buffer->pages[i]);
		if (ret) {
			unpin_batch(buffer, i, npinned);
			return ret;
		}
		i++;
	}
}

/* Adds the next pages if they are device memory. Returns how many, or an error. */
static noinline long builder_add_mmio(struct run_builder *builder,
				      const struct ioas_store *store, unsigned long uaddr,
				      unsigned long npages)
{
	struct page *first;
	unsigned long pfn;
	long nfound;
	int ret;

	nfound = pin_find_mmio(store->account->mm, uaddr, npages, store->writable, &pfn);
	if (nfound < 0)
		return nfound;
	/* Only an address to compare, and to count from; a struct page need not exist. */
	first = pfn_to_page(pfn);
	if (first != builder->next || builder->kind != EXTENT_MMIO) {
		ret = builder_flush(builder);
		if (ret)
			return ret;
		builder->first = first;
		builder->kind = EXTENT_MMIO;
	}
	builder->next = first + nfound;
	builder->recheck = builder->next;
	return nfound;
}

/* Unpins a range. Returns how many of its pages were charged. */
static noinline __aligned(WALK_NBYTES)
unsigned long unpin_range(struct ioas_store *store, unsigned long first_index,
			  unsigned long last_index, bool dirty)
{
	struct extent_cursor cursor;
	unsigned long ncharged = 0;
	unsigned int nsteps = 0;
	struct extent run;
	bool more;

	more = extents_first(&store->extents, &cursor, first_index, last_index, &run);
	while (more) {
		if (extent_is_pinned(run.kind))
			unpin_run(run.pfn, run.npages, dirty);
		if (run.kind == EXTENT_CHARGED)
			ncharged += run.npages;
		more = extents_next(&store->extents, &cursor, last_index, &run);
		runs_cond_resched(&nsteps);
	}
	return ncharged;
}

static inline unsigned int flags_to_pin(const struct ioas_store *store)
{
	return pin_flags(store->writable, !(store->pin_rules & STORE_SHARE_COW));
}

static inline bool reads_strictly(const struct ioas_store *store)
{
	return !store->writable && store->pin_rules & STORE_STRICT_READ;
}

/* Pins and charges the next pages, at most @npages. Returns how many, or an error. */
static inline long fill_batch(struct ioas_store *store, struct run_builder *builder,
			      struct pin_buffer *buffer, unsigned long uaddr,
			      unsigned long npages, unsigned long *ncharged)
{
	unsigned long nreserved = builder->nreserved;
	long npinned;
	int ret;

	npages = min_t(unsigned long, npages, buffer->max_pages);
	npinned = pin_user(store->account->mm, uaddr, npages, flags_to_pin(store),
			   reads_strictly(store), buffer->pages);
	if (unlikely(npinned == -EFAULT && store->pin_rules)) {
		if (store->pin_rules & STORE_IGNORE_KEYS)
			npinned = pin_despite_keys(store->account->mm, uaddr, npages,
						   flags_to_pin(store), buffer->pages);
		if (npinned == -EFAULT && store->pin_rules & STORE_MAY_BE_MMIO)
			return builder_add_mmio(builder, store, uaddr, npages);
	}
	if (npinned < 0)
		return npinned;
	ret = builder_add_batch(builder, buffer, npinned);
	if (ret)
		return ret;
	nreserved = builder->nreserved - nreserved;
	ret = account_charge(store->account, npinned - nreserved);
	if (ret)
		return ret;
	*ncharged += npinned - nreserved;
	return npinned;
}

/*
 * Pins and charges as if page by page, in batches. On failure, too, @builder and @ncharged show
 * what was done.
 */
static noinline __aligned(WALK_NBYTES)
int fill_from_user(struct ioas_store *store, struct run_builder *builder, unsigned long npages,
		   unsigned long *ncharged)
{
	unsigned long uaddr = store->uptr + builder->index * PAGE_SIZE;
	struct pin_buffer buffer;
	long n;

	pin_buffer_init(&buffer, npages);
	for (;;) {
		n = fill_batch(store, builder, &buffer, uaddr, npages, ncharged);
		if (n < 0)
			break;
		uaddr += n * PAGE_SIZE;
		npages -= n;
		if (!npages)
			break;
		cond_resched();
	}
	pin_buffer_destroy(&buffer);
	return n < 0 ? n : builder_flush(builder);
}

/*
 * Pins [first_index, last_index], or nothing. The range is a hole, which extents_set() verifies for
 * each run.
 */
static inline int fill_hole(struct ioas_store *store, unsigned long first_index,
			    unsigned long last_index)
{
	struct run_builder builder = {
		.extents = &store->extents,
		.index = first_index,
	};
	struct account_refund refund = { };
	unsigned long ncharged = 0;
	int ret;

	ret = fill_from_user(store, &builder, last_index - first_index + 1, &ncharged);
	if (!ret)
		return 0;

	if (builder.next != builder.first && extent_is_pinned(builder.kind))
		unpin_run(page_to_pfn(builder.first), builder.next - builder.first, false);
	if (builder.index > first_index) {
		unpin_range(store, first_index, builder.index - 1, false);
		extents_clear(&store->extents, first_index, builder.index - 1);
	}
	account_refund(&refund, store->account, ncharged);
	account_pay(&refund);
	return ret;
}

/* As fill_hole(), for a store of one page, which needs no batch. */
static inline int fill_only_page(struct ioas_store *store)
{
	enum extent_kind kind = EXTENT_CHARGED;
	struct page *page;
	long npinned;
	int ret = 0;

	npinned = pin_user(store->account->mm, store->uptr, 1, flags_to_pin(store),
			   reads_strictly(store), &page);
	if (npinned < 0)
		return npinned;
	if (PageReserved(page))
		kind = EXTENT_RESERVED;
	else
		ret = account_charge(store->account, 1);
	if (ret)
		unpin_run(page_to_pfn(page), 1, false);
	else
		extents_set_only(&store->extents, kind, page_to_pfn(page));
	return ret;
}

/* Records that @payer was charged for the page of a hold. */
static void hold_pays(struct store_hold *hold, struct ioas_account *payer)
{
	refcount_inc(&payer->refs);
	hold->payer = payer;
	atomic_long_inc(&hold->beside->ncharged);
}

/*
 * Pages of a store go, so the holds that they covered take the charges over. Returns how many.
 * Never fails, since nothing is charged anew.
 */
static unsigned long uncover(struct ioas_store *store, unsigned long first_index,
			     unsigned long last_index)
{
	struct store_sharing *sharing = store->sharing;
	struct store_user *user;
	struct store_hold *hold;
	unsigned long n = 0;

	if (!sharing)
		return 0;
	lockdep_assert_held(&sharing->mutex);
	while ((user = users_iter_first(&sharing->covered, first_index, last_index))) {
		hold = container_of(user, struct store_hold, user);
		users_remove(user, &sharing->covered);
		hold->covered = false;
		hold_pays(hold, store->account);
		n++;
		cond_resched();
	}
	return n;
}

static void unpin_and_forget(struct ioas_store *store, unsigned long first_index,
			     unsigned long last_index, struct account_refund *refund)
{
	u64 begin_ns = trace_begin(unpin);
	unsigned long ncharged, nkept;
	struct store_sum sum = { };

	if (trace_unpin_enabled())
		store_sum_all(store, first_index, last_index, &sum);
	ncharged = unpin_range(store, first_index, last_index, store->writable);
	nkept = uncover(store, first_index, last_index);
	if (!WARN_ON_ONCE(nkept > ncharged))
		account_refund(refund, store->account, ncharged - nkept);
	extents_clear(&store->extents, first_index, last_index);
	trace_unpin(store->uptr + first_index * PAGE_SIZE, sum.npinned, sum.nruns, 0,
		    trace_ns(begin_ns));
}

/* Among the users that begin at page @index or before, one past the last page that any needs. */
static unsigned long needed_end(const struct store_sharing *sharing, unsigned long index)
{
	struct rb_node *node = sharing->users.rb_root.rb_node;
	unsigned long last, end = 0;

	while (node) {
		struct store_user *user = rb_entry(node, struct store_user, node);

		if (user->first_index > index) {
			node = node->rb_left;
			continue;
		}
		last = user->last_index;
		if (node->rb_left)
			last = max(last, rb_entry(node->rb_left, struct store_user,
						  node)->subtree_last);
		end = max(end, last + 1);
		node = node->rb_right;
	}
	return end;
}

/*
 * Unpins the pages of a range that no user of a shared store needs. The borders of the range are
 * cut. Each step continues behind all users that begin before it, so users within others cost no
 * steps.
 */
static void unpin_unneeded(struct ioas_store *store, unsigned long first_index,
			   unsigned long last_index, struct account_refund *refund)
{
	struct store_sharing *sharing = store->sharing;
	struct store_user *next;
	unsigned long end;

	lockdep_assert_held(&sharing->mutex);
	if (store->leaked)
		return;
	for (; first_index <= last_index; first_index = end) {
		cond_resched();
		end = needed_end(sharing, first_index);
		if (end > first_index)
			continue;
		next = users_iter_first(&sharing->users, first_index, last_index);
		end = next ? next->first_index : last_index + 1;
		unpin_and_forget(store, first_index, end - 1, refund);
	}
}

/* Pins all holes of a range whose borders are cut, or nothing. */
static int fill_holes(struct ioas_store *store, const struct store_user *user)
{
	unsigned long index = user->first_index;
	struct account_refund refund = { };
	struct extent_cursor cursor;
	struct extent run;
	int ret;

	while (extents_first(&store->extents, &cursor, index, user->last_index, &run)) {
		while (run.kind != EXTENT_HOLE &&
		       extents_next(&store->extents, &cursor, user->last_index, &run))
			cond_resched();
		if (run.kind != EXTENT_HOLE)
			break;
		ret = fill_hole(store, run.index, run.index + run.npages - 1);
		if (ret) {
			if (run.index > user->first_index)
				unpin_unneeded(store, user->first_index, run.index - 1,
					       &refund);
			account_pay(&refund);
			return ret;
		}
		index = run.index + run.npages;
	}
	return 0;
}

/*
 * Below zero if @user comes before @other in the order of their last pages, above zero if after it.
 */
static inline int compare_lasts(const struct store_user *user, const struct store_user *other)
{
	if (user->last_index != other->last_index)
		return user->last_index < other->last_index ? -1 : 1;
	if (user->first_index != other->first_index)
		return user->first_index < other->first_index ? -1 : 1;
	if (user->kind != other->kind)
		return user->kind < other->kind ? -1 : 1;
	if (user->owner != other->owner)
		return user->owner < other->owner ? -1 : 1;
	if (user->iova != other->iova)
		return user->iova < other->iova ? -1 : 1;
	return 0;
}

static void add_user(struct store_sharing *sharing, struct store_user *user)
{
	struct rb_node **link = &sharing->lasts.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		if (compare_lasts(rb_entry(parent, struct store_user, last_node), user) <= 0)
			link = &parent->rb_right;
		else
			link = &parent->rb_left;
	}
	rb_link_node(&user->last_node, parent, link);
	rb_insert_color(&user->last_node, &sharing->lasts);
	users_insert(user, &sharing->users);
}

static void remove_user(struct store_sharing *sharing, struct store_user *user)
{
	rb_erase(&user->last_node, &sharing->lasts);
	users_remove(user, &sharing->users);
}

static bool begins_user(const struct store_sharing *sharing, unsigned long index)
{
	struct rb_node *node = sharing->users.rb_root.rb_node;

	while (node) {
		struct store_user *user = rb_entry(node, struct store_user, node);

		if (user->first_index == index)
			return true;
		node = user->first_index < index ? node->rb_right : node->rb_left;
	}
	return false;
}

static bool ends_user(const struct store_sharing *sharing, unsigned long index)
{
	struct rb_node *node = sharing->lasts.rb_node;

	while (node) {
		struct store_user *user = rb_entry(node, struct store_user, last_node);

		if (user->last_index == index)
			return true;
		node = user->last_index < index ? node->rb_right : node->rb_left;
	}
	return false;
}

/* Joins the runs at a border, unless a remaining user needs the border. */
static void drop_border(struct ioas_store *store, unsigned long index)
{
	lockdep_assert_held(&store->sharing->mutex);
	if (index && !begins_user(store->sharing, index) &&
	    !ends_user(store->sharing, index - 1))
		extents_join(&store->extents, index);
}

/* Cuts two borders. -ENOMEM with nothing changed. */
static int cut_borders(struct ioas_store *store, unsigned long first, unsigned long second)
{
	if (extents_cut(&store->extents, first))
		return -ENOMEM;
	if (!extents_cut(&store->extents, second))
		return 0;
	drop_border(store, first);
	return -ENOMEM;
}

static int pin_shared(struct ioas_store *store, struct store_user *user)
{
	int ret;

	lockdep_assert_held(&store->sharing->mutex);
	ret = cut_borders(store, user->first_index, user->last_index + 1);
	if (ret)
		return ret;
	ret = fill_holes(store, user);
	if (!ret) {
		add_user(store->sharing, user);
		return 0;
	}
	drop_border(store, user->first_index);
	drop_border(store, user->last_index + 1);
	return ret;
}

/* Does @user need a page that is not pinned? If not, the owner's address space may have ended. */
static bool has_hole(struct ioas_store *store, const struct store_user *user)
{
	struct extent_cursor cursor;
	unsigned int nsteps = 0;
	struct extent run;
	bool more;

	more = extents_first(&store->extents, &cursor, user->first_index,
			     user->last_index, &run);
	while (more && run.kind != EXTENT_HOLE) {
		more = extents_next(&store->extents, &cursor, user->last_index, &run);
		runs_cond_resched(&nsteps);
	}
	return more;
}

/* Callers name a user if and only if the store is shared; without sharing it has no parts. */
static bool is_user_of(const struct ioas_store *store, const struct store_user *user)
{
	return !WARN_ON_ONCE(!user != !store->sharing);
}

static noinline int pin_slowly(struct ioas_store *store, struct store_user *user)
{
	struct mm_struct *mm = store->account->mm;
	bool foreign;
	int ret;

	if (!is_user_of(store, user))
		return -EINVAL;
	foreign = mm != current->mm && (!user || has_hole(store, user));
	/* All pages of a leaked store are still pinned. */
	if (!user && store->leaked)
		return 0;
	if (foreign && !mmget_not_zero(mm))
		return -EFAULT;
	if (user)
		ret = pin_shared(store, user);
	else
		ret = fill_hole(store, 0, store->extents.npages - 1);
	if (foreign)
		mmput_async(mm);
	return ret;
}

static inline int do_pin(struct ioas_store *store, struct store_user *user)
{
	int ret;

	/* The common case of a guest with a vIOMMU. */
	if (!user && store->extents.npages == 1 && !store->leaked &&
	    store->account->mm == current->mm) {
		ret = fill_only_page(store);
		if (likely(ret != -EFAULT || !store->pin_rules))
			return ret;
	}
	return pin_slowly(store, user);
}

static void trace_pin_over(struct ioas_store *store, const struct store_user *user, int error,
			   u64 begin_ns)
{
	unsigned long first_index = user ? user->first_index : 0;
	unsigned long last_index = user ? user->last_index : store->extents.npages - 1;
	struct store_sum sum = { };

	if (!error)
		store_sum_all(store, first_index, last_index, &sum);
	trace_pin(store->uptr + first_index * PAGE_SIZE, last_index - first_index + 1,
		  sum.nruns, error, trace_ns(begin_ns));
}

int store_pin(struct ioas_store *store, struct store_user *user)
{
	u64 begin_ns = trace_begin(pin);
	int ret = do_pin(store, user);

	if (trace_pin_enabled())
		trace_pin_over(store, user, ret, begin_ns);
	return ret;
}

void __store_unpin(struct ioas_store *store, struct store_user *user,
		   struct account_refund *refund)
{
	/* A leak is better than unpinning a page that another user still needs. */
	if (!is_user_of(store, user))
		return;
	if (user) {
		remove_user(store->sharing, user);
		unpin_unneeded(store, user->first_index, user->last_index, refund);
		drop_border(store, user->first_index);
		drop_border(store, user->last_index + 1);
	} else if (!store->leaked) {
		unpin_and_forget(store, 0, store->extents.npages - 1, refund);
	}
}

static enum extent_kind kind_at(struct ioas_store *store, unsigned long index)
{
	struct extent_cursor cursor;
	struct extent run;

	return extents_first(&store->extents, &cursor, index, index, &run) ? run.kind : EXTENT_HOLE;
}

/* Charges a page beside the store, unless the page of the store covers it. */
static int charge_beside(struct ioas_store *store, struct store_hold *hold, struct page *page)
{
	struct rb_root_cached *covered = &store->sharing->covered;
	unsigned long index = hold->user.first_index;
	int ret;

	if (PageReserved(page))
		return 0;
	if (kind_at(store, index) == EXTENT_CHARGED && !users_iter_first(covered, index, index)) {
		hold->covered = true;
		return 0;
	}
	ret = account_charge(store->account, 1);
	if (!ret)
		hold_pays(hold, store->account);
	return ret;
}

/*
 * Gives @page, which is pinned, and charged or covered, to the hold, which leaves the store's page.
 */
static void move_beside(struct ioas_store *store, struct store_hold *hold, struct page *page)
{
	struct account_refund refund = { };

	hold->page = page;
	__store_unpin(store, &hold->user, &refund);
	/* Others need that page, too, or the store is leaked: its charge stays. */
	WARN_ON_ONCE(refund.npages);
	account_pay(&refund);
	if (hold->covered)
		users_insert(&hold->user, &store->sharing->covered);
}

/* Pins the owner's page; its mm is in use. -EINVAL: the owner has device memory there by now. */
static int pin_of_owner(struct ioas_store *store, unsigned long index, struct page **page)
{
	struct mm_struct *mm = store->account->mm;
	unsigned long uaddr = store->uptr + index * PAGE_SIZE;
	unsigned long pfn;
	int ret;

	ret = pin_one(mm, uaddr, flags_to_pin(store), page);
	if (ret == -EFAULT && store->pin_rules & STORE_MAY_BE_MMIO &&
	    pin_find_mmio(mm, uaddr, 1, store->writable, &pfn) == 1)
		ret = -EINVAL;
	return ret;
}

/*
 * Gives a hold the page that the owner has there by now. If it is not the page of the store, the
 * hold is beside the store from then on. On failure the hold keeps the page of the store.
 */
static int follow_owner(struct ioas_store *store, struct store_hold *hold,
			struct store_beside *beside)
{
	struct mm_struct *mm = store->account->mm;
	struct page *page;
	int ret;

	/* Only an mm in use is charged. */
	if (!mmget_not_zero(mm))
		return -EFAULT;
	ret = pin_of_owner(store, hold->user.first_index, &page);
	if (ret)
		goto put;
	if (page != hold->page) {
		hold->beside = beside;
		ret = charge_beside(store, hold, page);
	}
	if (ret || !hold->beside) {
		hold->beside = NULL;
		unpin_run(page_to_pfn(page), 1, false);
	} else {
		atomic_long_inc(&beside->npinned);
		move_beside(store, hold, page);
	}
put:
	mmput_async(mm);
	return ret;
}

int store_hold(struct ioas_store *store, struct store_hold *hold, struct store_beside *beside)
{
	unsigned long index = hold->user.first_index;
	struct account_refund refund = { };
	bool is_new;
	int ret;

	lockdep_assert_held(&store->sharing->mutex);
	is_new = kind_at(store, index) == EXTENT_HOLE;
	ret = store_pin(store, &hold->user);
	if (ret)
		return ret;
	ret = store_list(store, index, index, &hold->page);
	/*
	 * By now, the owner may have another page than the pinned one, or memory instead of
	 * registers.
	 */
	if (!is_new && ret == -EINVAL)
		hold->page = NULL;
	if (!is_new && (!ret || ret == -EINVAL))
		ret = follow_owner(store, hold, beside);
	if (ret) {
		__store_unpin(store, &hold->user, &refund);
		account_pay(&refund);
	}
	return ret;
}

void store_drop_beside(struct ioas_store *store, struct store_hold *hold)
{
	struct account_refund refund = { };

	lockdep_assert_held(&store->sharing->mutex);
	unpin_run(page_to_pfn(hold->page), 1, store->writable);
	atomic_long_dec(&hold->beside->npinned);
	if (hold->covered)
		users_remove(&hold->user, &store->sharing->covered);
	if (!hold->payer)
		return;
	atomic_long_dec(&hold->beside->ncharged);
	account_refund(&refund, hold->payer, 1);
	account_pay(&refund);
	account_put(hold->payer);
}

struct store_sharing *store_sharing_create(struct ioas_store *store, bool pinned)
{
	struct store_sharing *sharing = kzalloc(sizeof(*sharing), GFP_KERNEL_ACCOUNT);

	if (!sharing)
		return NULL;
	mutex_init(&sharing->mutex);
	sharing->users = RB_ROOT_CACHED;
	sharing->lasts = RB_ROOT;
	sharing->covered = RB_ROOT_CACHED;
	sharing->own_area.kind = USER_AREA;
	refcount_set(&sharing->refs, 1);
	sharing->own_area.last_index = store->extents.npages - 1;
	if (pinned)
		add_user(sharing, &sharing->own_area);
	return sharing;
}

void store_sharing_destroy(struct store_sharing *sharing)
{
	mutex_destroy(&sharing->mutex);
	kfree(sharing);
}

struct store_user *store_find_user(struct ioas_store *store, const struct store_user *wanted)
{
	struct rb_node *node = store->sharing->lasts.rb_node;

	lockdep_assert_held(&store->sharing->mutex);
	while (node) {
		struct store_user *user = rb_entry(node, struct store_user, last_node);
		int order = compare_lasts(user, wanted);

		if (!order)
			return user;
		node = order < 0 ? node->rb_right : node->rb_left;
	}
	return NULL;
}

int store_divide(struct ioas_store *store, struct store_user *lower,
		 struct store_user *upper, unsigned long lower_last_index,
		 unsigned long upper_first_index)
{
	struct store_sharing *sharing = store->sharing;

	lockdep_assert_held(&sharing->mutex);
	if (cut_borders(store, lower_last_index + 1, upper_first_index))
		return -ENOMEM;
	remove_user(sharing, lower);
	upper->first_index = upper_first_index;
	upper->last_index = lower->last_index;
	lower->last_index = lower_last_index;
	add_user(sharing, lower);
	add_user(sharing, upper);
	return 0;
}

int store_list(struct ioas_store *store, unsigned long first_index,
	       unsigned long last_index, struct page **list)
{
	struct extent_cursor cursor;
	struct extent run;
	unsigned long i;
	bool more;

	more = extents_first(&store->extents, &cursor, first_index, last_index, &run);
	while (more) {
		if (run.kind == EXTENT_MMIO)
			return -EINVAL;
		if (WARN_ON_ONCE(run.kind == EXTENT_HOLE))
			return -EFAULT;
		for (i = 0; i < run.npages; i++)
			*list++ = pfn_to_page(run.pfn + i);
		more = extents_next(&store->extents, &cursor, last_index, &run);
	}
	return 0;
}

static void copy_page_part(struct page *page, unsigned long offset, void *data,
			   unsigned long nbytes, bool write)
{
	if (write)
		memcpy_to_page(page, offset, data, nbytes);
	else
		memcpy_from_page(data, page, offset, nbytes);
}

/* Copies within one page. A page that is not pinned is pinned only meanwhile. */
static int copy_within_page(struct ioas_store *store, unsigned long byte, void *data,
			    unsigned long nbytes, bool write)
{
	unsigned long index = byte / PAGE_SIZE;
	struct extent_cursor cursor;
	struct extent run;
	struct page *page;
	int ret;

	extents_first(&store->extents, &cursor, index, index, &run);
	if (run.kind == EXTENT_MMIO)
		return -EFAULT;
	if (run.kind != EXTENT_HOLE) {
		page = pfn_to_page(run.pfn);
		copy_page_part(page, offset_in_page(byte), data, nbytes, write);
		if (write)
			set_page_dirty_lock(page);
		return 0;
	}
	ret = pin_one(store->account->mm, store->uptr + index * PAGE_SIZE,
		      write ? FOLL_WRITE : 0, &page);
	if (ret)
		return ret;
	copy_page_part(page, offset_in_page(byte), data, nbytes, write);
	unpin_run(page_to_pfn(page), 1, write);
	return 0;
}

int store_copy(struct ioas_store *store, unsigned long byte, void *data,
	       unsigned long nbytes, bool write)
{
	lockdep_assert_held(&store->sharing->mutex);
	while (nbytes) {
		unsigned long step = min(nbytes, PAGE_SIZE - offset_in_page(byte));
		int ret = copy_within_page(store, byte, data, step, write);

		if (ret)
			return ret;
		byte += step;
		data += step;
		nbytes -= step;
		cond_resched();
	}
	return 0;
}

static int copy_user(unsigned long uaddr, void *data, unsigned long nbytes, bool write)
{
	void __user *uptr = (void __user *)uaddr;

	if (write)
		return copy_to_user(uptr, data, nbytes) ? -EFAULT : 0;
	return copy_from_user(data, uptr, nbytes) ? -EFAULT : 0;
}

int store_copy_direct(struct ioas_store *store, unsigned long byte, void *data,
		      unsigned long nbytes, bool write, bool may_borrow)
{
	struct mm_struct *mm = store->account->mm;
	int ret;

	if (mm == current->mm)
		return copy_user(store->uptr + byte, data, nbytes, write);
	if (!may_borrow || current->mm || !mmget_not_zero(mm))
		return -EXDEV;
	kthread_use_mm(mm);
	ret = copy_user(store->uptr + byte, data, nbytes, write);
	kthread_unuse_mm(mm);
	mmput_async(mm);
	return ret;
}

unsigned long store_sum(struct ioas_store *store, unsigned long first_index,
			unsigned long last_index, unsigned long max_runs,
			struct store_sum *sum)
{
	struct extent_cursor cursor;
	struct extent run;
	bool more;

	more = extents_first(&store->extents, &cursor, first_index, last_index, &run);
	while (more) {
		if (run.kind != EXTENT_HOLE)
			sum->nruns++;
		if (extent_is_pinned(run.kind))
			sum->npinned += run.npages;
		if (run.kind == EXTENT_CHARGED)
			sum->ncharged += run.npages;
		if (!--max_runs)
			return run.index + run.npages;
		more = extents_next(&store->extents, &cursor, last_index, &run);
	}
	return last_index + 1;
}

void store_sum_all(struct ioas_store *store, unsigned long first_index,
		   unsigned long last_index, struct store_sum *sum)
{
	while (first_index <= last_index) {
		first_index = store_sum(store, first_index, last_index, SUM_AT_ONCE, sum);
		cond_resched();
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads that work on two IOASs that share memory, in many orders. Nothing warns, and no thread
 * waits for ever. At the end all areas are live and idle, and nothing is left.
 */
#include "compat/stock.h"
#include "lib_ioas.h"
#include "lib_run.h"

#define NTHREADS	5
#define NSTEPS		40
#define NPAGES		8UL		/* of the range that all threads work on */

static struct ioas *both[2];
static struct ioas_access *access;
static unsigned long seeds[NTHREADS];

/* Pages of the range that the in-kernel user has pinned. */
static bool pinned[NPAGES];
static struct mutex pins_mutex;

static void let_go(void *data, unsigned long iova, unsigned long nbytes)
{
	unsigned long i;

	mutex_lock(&pins_mutex);
	for (i = 0; i < NPAGES; i++) {
		unsigned long page_iova = IOVA + i * PAGE_SIZE;

		if (!pinned[i] || page_iova > iova + nbytes - 1 ||
		    page_iova + PAGE_SIZE - 1 < iova)
			continue;
		vfio_ioas_access_unpin_pages(access, page_iova, PAGE_SIZE);
		pinned[i] = false;
	}
	mutex_unlock(&pins_mutex);
}

static const struct vfio_ioas_access_ops access_ops = {
	.needs_pin_pages = true,
	.unmap = let_go,
};

static void step_pin(struct ioas *ioas, unsigned long first, unsigned long npages)
{
	struct page *list[1];
	unsigned long iova = IOVA + first * PAGE_SIZE;

	mutex_lock(&pins_mutex);
	if (pinned[first]) {
		vfio_ioas_access_unpin_pages(access, iova, PAGE_SIZE);
		pinned[first] = false;
	} else {
		pinned[first] = !vfio_ioas_access_pin_pages(access, iova, PAGE_SIZE, list, 0);
	}
	mutex_unlock(&pins_mutex);
}

static void step_map(struct ioas *ioas, unsigned long first, unsigned long npages)
{
	map_pages(ioas, IOVA + first * PAGE_SIZE, npages, first);
}

static void step_map_type1(struct ioas *ioas, unsigned long first, unsigned long npages)
{
	struct ioas_map map = {
		.rule = MAP_OVERLAP_FIRST, .uptr = SHIM_USER_BASE, .iova = IOVA + first * PAGE_SIZE,
		.nbytes = npages * PAGE_SIZE, .iommu_prot = IOMMU_READ,
		.account_mode = ACCOUNT_MLOCK, .pin_rules = STOCK_PIN_RULES,
		.min_alignment = 1,
	};

	ioas_enter(ioas);
	ioas_map(ioas, &map);
	ioas_leave(ioas);
}

static void unmap(struct ioas *ioas, unsigned long first, unsigned long npages,
		  enum ioas_unmap_rule rule)
{
	unsigned long unused;

	unmap_pages(ioas, IOVA + first * PAGE_SIZE, npages, rule, &unused);
}

static void step_unmap_whole(struct ioas *ioas, unsigned long first, unsigned long npages)
{
	unmap(ioas, first, npages, UNMAP_WHOLE);
}

static void step_unmap_leading(struct ioas *ioas, unsigned long first, unsigned long npages)
{
	unmap(ioas, first, npages, UNMAP_STARTING);
}

static void step_unmap_upward(struct ioas *ioas, unsigned long first, unsigned long npages)
{
	unmap(ioas, 0, NPAGES, UNMAP_UPWARD);
}

static void step_copy(struct ioas *ioas, unsigned long first, unsigned long npages)
{
	copy_pages(ioas, IOVA + first * PAGE_SIZE, npages, both[ioas == both[0]],
		   IOVA + first * PAGE_SIZE);
}

static void step_cut(struct ioas *ioas, unsigned long first, unsigned long npages)
{
	ioas_enter(ioas);
	ioas_cut(ioas, IOVA + first * PAGE_SIZE - 1);
	ioas_leave(ioas);
}

static void step_domain(struct ioas *ioas, unsigned long first, unsigned long npages)
{
	struct ioas_hwpt *hwpt = add_domain(ioas, PAGE_SIZE);

	if (hwpt)
		remove_domain(hwpt);
}

static void step_small_pages(struct ioas *ioas, unsigned long first, unsigned long npages)
{
	ioas_set_small_pages(ioas, npages % 2);
}

static void step_rw(struct ioas *ioas, unsigned long first, unsigned long npages)
{
	char data[NPAGES * PAGE_SIZE] = { };

	vfio_ioas_access_rw(access, IOVA + first * PAGE_SIZE, data, npages * PAGE_SIZE,
			    VFIO_IOAS_ACCESS_SLOW_PATH * (npages % 2));
}

static void step_replace(struct ioas *ioas, unsigned long first, unsigned long npages)
{
	/* The result does not matter: it may be -EBUSY. */
	vfio_ioas_access_replace(access, ioas->object.id);
}

static void run_steps(void *data)
{
	static void (*const steps[])(struct ioas *ioas, unsigned long first,
				     unsigned long npages) = {
		step_map, step_map, step_map_type1, step_unmap_whole, step_unmap_leading,
		step_unmap_upward, step_copy, step_cut, step_pin, step_pin, step_rw,
		step_domain, step_small_pages, step_replace,
	};
	unsigned long *seed = data;
	unsigned int i;

	current = &process.task;
	for (i = 0; i < NSTEPS; i++) {
		unsigned long first = random_below(seed, NPAGES);
		unsigned int step = random_below(seed, ARRAY_SIZE(steps));
		unsigned long npages = 1 + random_below(seed, NPAGES - first);
		struct ioas *ioas = both[random_below(seed, 2)];

		steps[step](ioas, first, npages);
	}
}

/* Checks, while no call is under way, that all areas are live and not busy. */
static void check_settled(struct ioas *ioas)
{
	struct rb_node *rb;

	for (rb = rb_first(&ioas->iova_space.areas); rb; rb = rb_next(rb)) {
		struct ioas_area *area = rb_entry(rb, struct ioas_area, node);

		expect(area->state == AREA_LIVE && !area->nbusy);
	}
	expect(!ioas->domains_rwsem.shim.nreaders && !ioas->domains_rwsem.shim.written);
}

static void run_threads(unsigned long seed)
{
	struct shim_thread threads[NTHREADS];
	unsigned int i;

	for (i = 0; i < NTHREADS; i++) {
		seeds[i] = seed + i;
		threads[i] = (struct shim_thread){ run_steps, &seeds[i] };
	}
	shim_run_threads(threads, NTHREADS, seed);
	check_settled(both[0]);
	check_settled(both[1]);
}

static void make_both(void)
{
	u32 id;

	make_ioas();
	both[0] = ioas;
	both[1] = ioas_create(&ctx);
	ioas_object_publish(&both[1]->object);
	access = vfio_ioas_access_create(&ctx, &access_ops, NULL, &id);
	ck_assert_int_eq(vfio_ioas_access_attach(access, both[0]->object.id), 0);
}

static void end_both(void)
{
	vfio_ioas_access_destroy(access);
	end_ioas();
}

START_TEST(threads_get_along_whatever_the_order)
{
	run_threads(begin_random(_i + 1));
}
END_TEST

START_TEST(threads_get_along_with_a_domain_there)
{
	unsigned long seed = begin_random(_i + 1);

	ck_assert_ptr_nonnull(add_domain(both[0], PAGE_SIZE / 2));
	run_threads(seed);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("threads");
	TCase *tcase = tcase_create("threads");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, make_both, end_both);
	tcase_add_loop_test(tcase, threads_get_along_whatever_the_order, 0, 60);
	tcase_add_loop_test(tcase, threads_get_along_with_a_domain_there, 0, 60);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}

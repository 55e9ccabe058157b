// SPDX-License-Identifier: GPL-2.0-only
/*
 * hwpt: the maps and unmaps that reach the IOMMU driver.
 */
#include "lib_ioas.h"
#include "lib_run.h"

static unsigned int count_mappings(const struct ioas_hwpt *hwpt)
{
	const struct shim_mapping *mapping;
	unsigned int n = 0;

	for (mapping = hwpt->mirror.domain->mappings; mapping; mapping = mapping->next)
		n++;
	return n;
}

START_TEST(an_area_is_one_map_a_run_and_one_unmap)
{
	struct ioas_hwpt *hwpt = add_domain(ioas, PAGE_SIZE);
	unsigned long unmapped;

	swap(process.mm.pages[7], process.mm.pages[8]);
	ck_assert_int_eq(map_pages(ioas, IOVA, 20, 0), 0);
	ck_assert_uint_eq(count_mappings(hwpt), 4);
	ck_assert_int_eq(unmap_pages(ioas, IOVA, 20, UNMAP_WHOLE, &unmapped), 0);
	ck_assert_uint_eq(hwpt->mirror.domain->nunmaps, 1);
}
END_TEST

START_TEST(with_small_pages_each_is_mapped_alone)
{
	struct ioas_hwpt *hwpt = add_domain(ioas, PAGE_SIZE);

	ck_assert_int_eq(ioas_set_small_pages(ioas, true), 0);
	ck_assert_int_eq(map_pages(ioas, IOVA, 20, 0), 0);
	ck_assert_uint_eq(count_mappings(hwpt), 20);
}
END_TEST

START_TEST(a_run_that_is_mapped_page_by_page_pauses)
{
	unsigned long before = shim_npauses;

	add_domain(ioas, PAGE_SIZE);
	ck_assert_int_eq(ioas_set_small_pages(ioas, true), 0);
	ck_assert_int_eq(map_pages(ioas, IOVA, SHIM_USER_NPAGES, 0), 0);
	/* A pause comes after 64 calls of the driver, as for many runs. */
	ck_assert_uint_ge(shim_npauses - before, SHIM_USER_NPAGES / 64);
}
END_TEST

START_TEST(a_page_that_fails_undoes_those_before_it)
{
	struct ioas_hwpt *hwpt = add_domain(ioas, PAGE_SIZE);

	ck_assert_int_eq(ioas_set_small_pages(ioas, true), 0);
	/* These can fail: the area, its account, the buffer, the pin, and then each page. */
	shim_fail_in = 12;
	ck_assert_int_eq(map_pages(ioas, IOVA, 20, 0), -ENOMEM);
	ck_assert_int_eq(shim_fail_in, 0);
	ck_assert_uint_eq(count_mappings(hwpt), 0);
	ck_assert_uint_gt(hwpt->mirror.domain->nunmaps, 0);
	ck_assert_uint_eq(shim_npinned, 0);
	ck_assert_uint_eq(process.mm.locked_vm, 0);
}
END_TEST

/* The process is killed while the IOMMU driver maps for the second time. */
static unsigned int nmaps;

static void die_in_second(unsigned long iova, phys_addr_t paddr, size_t nbytes)
{
	process.task.is_dying |= ++nmaps == 2;
}

static void begin_to_die(void)
{
	nmaps = 0;
	shim_on_map = die_in_second;
}

static void recover(void)
{
	shim_on_map = NULL;
	process.task.is_dying = false;
}

/* The pages of one run, mapped one by one; or runs of one page. */
START_TEST(a_fatal_signal_ends_a_map_of_many_steps)
{
	struct ioas_hwpt *hwpt = add_domain(ioas, PAGE_SIZE);
	unsigned int i;

	ck_assert_int_eq(ioas_set_small_pages(ioas, !_i), 0);
	for (i = 0; _i && i < SHIM_USER_NPAGES; i += 2)
		swap(process.mm.pages[i], process.mm.pages[i + 1]);
	begin_to_die();
	ck_assert_int_eq(map_pages(ioas, IOVA, SHIM_USER_NPAGES, 0), -EINTR);
	recover();
	ck_assert_uint_le(nmaps, 2 + 64);
	ck_assert_uint_eq(count_mappings(hwpt), 0);
	ck_assert_uint_eq(shim_npinned, 0);
	ck_assert_uint_eq(process.mm.locked_vm, 0);
	ck_assert_int_eq(map_pages(ioas, IOVA, SHIM_USER_NPAGES, 0), 0);
	ck_assert_uint_eq(count_mappings(hwpt), SHIM_USER_NPAGES);
}
END_TEST

START_TEST(a_fatal_signal_ends_an_attach_between_areas)
{
	struct ioas_hwpt *hwpt;
	unsigned int i;

	add_domain(ioas, PAGE_SIZE);
	for (i = 0; i < 4; i++)
		ck_assert_int_eq(map_pages(ioas, IOVA + i * PAGE_SIZE, 1, i), 0);
	begin_to_die();
	ck_assert_ptr_null(add_domain(ioas, PAGE_SIZE));
	recover();
	ck_assert_uint_eq(nmaps, 2);
	hwpt = add_domain(ioas, PAGE_SIZE);
	ck_assert_ptr_nonnull(hwpt);
	ck_assert_uint_eq(count_mappings(hwpt), 4);
}
END_TEST

START_TEST(a_fatal_signal_ends_a_copy_between_areas)
{
	struct ioas *other = ioas_create(&ctx);
	struct ioas_hwpt *hwpt;
	unsigned int i;

	ck_assert(!IS_ERR(other));
	ioas_object_publish(&other->object);
	/* All is pinned already: the copy has nothing to pin. */
	add_domain(ioas, PAGE_SIZE);
	hwpt = add_domain(other, PAGE_SIZE);
	for (i = 0; i < 4; i++)
		ck_assert_int_eq(map_pages(ioas, IOVA + i * PAGE_SIZE, 1, i), 0);
	begin_to_die();
	ck_assert_int_eq(copy_pages(ioas, IOVA, 4, other, IOVA), -EINTR);
	recover();
	ck_assert_uint_eq(nmaps, 2);
	ck_assert_uint_eq(count_mappings(hwpt), 0);
	ck_assert_int_eq(copy_pages(ioas, IOVA, 4, other, IOVA), 0);
	ck_assert_uint_eq(count_mappings(hwpt), 4);
}
END_TEST

START_TEST(a_second_domain_pins_nothing)
{
	struct ioas_hwpt *first = add_domain(ioas, PAGE_SIZE);

	ck_assert_int_eq(map_pages(ioas, IOVA, 20, 0), 0);
	ck_assert_ptr_nonnull(add_domain(ioas, PAGE_SIZE));
	ck_assert_uint_eq(shim_npinned, 20);
	remove_domain(first);
	ck_assert_uint_eq(shim_npinned, 20);
}
END_TEST

START_TEST(without_a_domain_nothing_is_pinned)
{
	struct ioas_hwpt *hwpt;

	ck_assert_int_eq(map_pages(ioas, IOVA, 20, 0), 0);
	ck_assert_uint_eq(shim_npinned, 0);
	hwpt = add_domain(ioas, PAGE_SIZE);
	ck_assert_uint_eq(shim_npinned, 20);
	remove_domain(hwpt);
	ck_assert_uint_eq(shim_npinned, 0);
	ck_assert_uint_eq(process.mm.locked_vm, 0);
}
END_TEST

START_TEST(a_domain_without_a_common_page_size_is_refused)
{
	struct ioas_hwpt *first = add_domain(ioas, PAGE_SIZE);

	remove_domain(first);
	first = add_domain(ioas, PAGE_SIZE);
	first->mirror.domain->pgsize_bitmap = PAGE_SIZE;
	down_write(&ioas->domains_rwsem);
	ioas_refresh(ioas);
	up_write(&ioas->domains_rwsem);
	ck_assert_ptr_null(add_domain(ioas, PAGE_SIZE / 2));
}
END_TEST

START_TEST(a_domain_with_pages_larger_than_ours_is_refused)
{
	ck_assert_ptr_null(add_domain(ioas, 2 * PAGE_SIZE));
}
END_TEST

START_TEST(a_domain_with_pages_that_an_area_does_not_fit_is_refused)
{
	struct ioas_map map = {
		.rule = MAP_FIXED, .uptr = SHIM_USER_BASE, .iova = IOVA, .nbytes = 512,
		.iommu_prot = IOMMU_READ, .min_alignment = 1,
	};

	ioas_enter(ioas);
	ck_assert_int_eq(ioas_map(ioas, &map), 0);
	ioas_leave(ioas);
	ck_assert_ptr_null(add_domain(ioas, 1024));
	ck_assert_ptr_nonnull(add_domain(ioas, 512));
}
END_TEST

/* Unmaps 20 pages, of which the driver leaves a part mapped. */
static void unmap_stuck(struct ioas_hwpt *hwpt)
{
	unsigned long unmapped;

	hwpt->mirror.domain->keeps_iova = IOVA;
	shim_expected_warnings = 1;
	ck_assert_int_eq(unmap_pages(ioas, IOVA, 20, UNMAP_WHOLE, &unmapped), 0);
	ck_assert_uint_eq(shim_expected_warnings, 0);
	hwpt->mirror.domain->keeps_iova = 0;
}

/* One run, or a run for each page: the store allocates memory for many runs, and frees it. */
START_TEST(memory_that_a_driver_leaves_mapped_stays_pinned)
{
	struct ioas_hwpt *hwpt = add_domain(ioas, PAGE_SIZE);
	unsigned long i;

	for (i = 0; i < 20 && _i; i++)
		process.mm.pages[i] = &shim_pages[19 - i];
	ck_assert_int_eq(map_pages(ioas, IOVA, 20, 0), 0);
	unmap_stuck(hwpt);
	ck_assert_uint_eq(shim_npinned, 20);
	ck_assert_uint_eq(iommu_unmap(hwpt->mirror.domain, IOVA, 20 * PAGE_SIZE), 20 * PAGE_SIZE);
	unpin_user_page_range_dirty_lock(shim_pages, 20, false);
	process.mm.locked_vm = 0;
	process.mm.pinned_vm.n = 0;
}
END_TEST

/* An area with a store whose extents are made by the test. */
struct made_area {
	struct ioas_area area;
	struct ioas_store pages;
};

static void make_area(struct made_area *made, unsigned long iova, unsigned long npages)
{
	memset(made, 0, sizeof(*made));
	extents_init(&made->pages.extents, npages);
	made->area.first_iova = iova;
	made->area.last_iova = iova + npages * PAGE_SIZE - 1;
	made->area.store = &made->pages;
	made->area.iommu_prot = IOMMU_READ;
}

static void set_run(struct made_area *made, unsigned long index, unsigned long npages,
		    unsigned long pfn)
{
	struct extent run = {
		.index = index, .npages = npages, .pfn = pfn, .kind = EXTENT_MMIO,
	};

	shim_add_mmio(pfn, npages);
	ck_assert_int_eq(extents_set(&made->pages.extents, &run), 0);
}

/* Pages that are not pinned must not be mapped, even if a caller asks for that. */
START_TEST(a_hole_is_not_mapped)
{
	struct ioas_hwpt *hwpt = add_domain(ioas, PAGE_SIZE);
	bool single_pages = _i % 2;
	struct made_area made;

	make_area(&made, IOVA, 10);
	if (_i / 2 == 1)
		set_run(&made, 2, 3, 0x5000);
	if (_i / 2 == 2)
		set_run(&made, 0, 9, 0x5000);
	shim_expected_warnings = 1;
	ck_assert_int_eq(mirror_map_area(&hwpt->mirror, &made.area, single_pages), -EFAULT);
	ck_assert_uint_eq(shim_expected_warnings, 0);
	ck_assert_uint_eq(count_mappings(hwpt), 0);
	extents_destroy(&made.pages.extents);
}
END_TEST

START_TEST(an_area_beyond_its_store_is_not_mapped)
{
	struct ioas_hwpt *hwpt = add_domain(ioas, PAGE_SIZE);
	struct made_area made;

	make_area(&made, IOVA, 10);
	set_run(&made, 0, 5, 0x5000);
	set_run(&made, 5, 5, 0x6000);
	made.area.last_iova += PAGE_SIZE;
	shim_expected_warnings = 1;
	ck_assert_int_eq(mirror_map_area(&hwpt->mirror, &made.area, false), -EFAULT);
	ck_assert_uint_eq(shim_expected_warnings, 0);
	ck_assert_uint_eq(count_mappings(hwpt), 0);
	extents_destroy(&made.pages.extents);
}
END_TEST

START_TEST(runs_that_were_cut_are_mapped_as_one)
{
	struct ioas_hwpt *hwpt = add_domain(ioas, PAGE_SIZE);
	struct made_area made;
	unsigned long i;

	make_area(&made, IOVA, 5000);
	set_run(&made, 0, 4000, 0x5000);
	set_run(&made, 4000, 1000, 0x9000);
	for (i = 1; i < 5000; i++)
		ck_assert_int_eq(extents_cut(&made.pages.extents, i), 0);
	ck_assert_int_eq(mirror_map_area(&hwpt->mirror, &made.area, false), 0);
	ck_assert_uint_eq(count_mappings(hwpt), 2);
	mirror_unmap_area(&hwpt->mirror, &made.area);
	extents_destroy(&made.pages.extents);
}
END_TEST

#define GIB	(1UL << 30)
#define TIB	(1UL << 40)

/* Maps @nbytes at @iova to @paddr, and unmaps them. Returns the number of iommu_unmap() calls. */
static unsigned long unmap_large(struct ioas_hwpt *hwpt, unsigned long iova,
				 unsigned long nbytes, unsigned long paddr)
{
	struct iommu_domain *domain = hwpt->mirror.domain;
	struct made_area made;

	make_area(&made, iova, nbytes / PAGE_SIZE);
	set_run(&made, 0, nbytes / PAGE_SIZE, paddr / PAGE_SIZE);
	domain->nunmaps = 0;
	domain->largest_unmap = 0;
	/* The lock for writing: the page table may get levels. */
	down_write(&ioas->domains_rwsem);
	ck_assert_int_eq(mirror_map_area(&hwpt->mirror, &made.area, false), 0);
	up_write(&ioas->domains_rwsem);
	mirror_unmap_area(&hwpt->mirror, &made.area);
	ck_assert(!made.pages.leaked);
	ck_assert_ptr_null(domain->mappings);
	ck_assert_ptr_null(domain->unflushed);
	extents_destroy(&made.pages.extents);
	return domain->nunmaps;
}

START_TEST(a_large_area_is_unmapped_in_pieces)
{
	struct ioas_hwpt *hwpt = add_domain(ioas, PAGE_SIZE);

	ck_assert_uint_eq(unmap_large(hwpt, IOVA, GIB, 5 * TIB), 1);
	ck_assert_uint_eq(unmap_large(hwpt, IOVA, 8 * TIB, 16 * TIB), 8 * TIB / GIB + 1);
	ck_assert_uint_le(hwpt->mirror.domain->largest_unmap, GIB);
	/* Up to the last address. */
	ck_assert_uint_eq(unmap_large(hwpt, -3 * GIB - PAGE_SIZE, 3 * GIB + PAGE_SIZE, 5 * TIB),
			  4);
	/* An unmap flushes only its own range: a flush of everything would slow others down. */
	ck_assert_uint_eq(hwpt->mirror.domain->nflushes, 0);
}
END_TEST

/* Entries of AMD's IOMMU can have any size. All that is unmapped is flushed, the excess too. */
START_TEST(an_entry_larger_than_a_piece_is_unmapped_as_a_whole)
{
	struct ioas_hwpt *hwpt = add_domain(ioas, PAGE_SIZE);

	hwpt->mirror.domain->pgsize_bitmap = -PAGE_SIZE;
	ck_assert_uint_eq(unmap_large(hwpt, 8 * GIB, 24 * GIB, 8 * GIB), 2);
	ck_assert_uint_eq(unmap_large(hwpt, TIB - PAGE_SIZE, TIB, 5 * TIB - PAGE_SIZE), 12);
	hwpt->mirror.domain->refuses_parts = true;
	ck_assert_uint_eq(unmap_large(hwpt, 8 * GIB, 24 * GIB, 8 * GIB), 2);
	ck_assert_uint_eq(unmap_large(hwpt, TIB - PAGE_SIZE, TIB, 5 * TIB - PAGE_SIZE), 3);
}
END_TEST

START_TEST(a_piece_that_a_driver_leaves_mapped_leaves_the_store_stuck)
{
	struct ioas_hwpt *hwpt = add_domain(ioas, PAGE_SIZE);
	struct made_area made;

	make_area(&made, GIB, 8 * GIB / PAGE_SIZE);
	set_run(&made, 0, 3 * GIB / PAGE_SIZE, 16 * GIB / PAGE_SIZE);
	set_run(&made, 3 * GIB / PAGE_SIZE, 5 * GIB / PAGE_SIZE, 32 * GIB / PAGE_SIZE);
	ck_assert_int_eq(mirror_map_area(&hwpt->mirror, &made.area, false), 0);
	hwpt->mirror.domain->keeps_iova = 4 * GIB;
	shim_expected_warnings = 1;
	mirror_unmap_area(&hwpt->mirror, &made.area);
	ck_assert_uint_eq(shim_expected_warnings, 0);
	ck_assert(made.pages.leaked);
	hwpt->mirror.domain->keeps_iova = 0;
	ck_assert_uint_eq(iommu_unmap(hwpt->mirror.domain, 4 * GIB, 5 * GIB), 5 * GIB);
	extents_destroy(&made.pages.extents);
}
END_TEST

/* Adds a domain that can translate only @first to @last. */
static struct ioas_hwpt *add_narrow_domain(unsigned long first, unsigned long last)
{
	struct iommu_domain *domain = shim_domain_create(PAGE_SIZE);
	struct ioas_hwpt *hwpt;
	int ret;

	domain->geometry = (struct iommu_domain_geometry){ first, last };
	hwpt = hwpt_create(ioas, domain);
	down_write(&ioas->domains_rwsem);
	ret = hwpt_add(hwpt, false);
	up_write(&ioas->domains_rwsem);
	if (!ret) {
		ioas_object_publish(&hwpt->object);
		return hwpt;
	}
	ioas_object_abort(&hwpt->object);
	hwpt_destroy(hwpt);
	return ERR_PTR(ret);
}

START_TEST(what_a_domain_cannot_translate_is_reserved_while_it_is_there)
{
	struct ioas_hwpt *hwpt = add_narrow_domain(IOVA, IOVA + 20 * PAGE_SIZE - 1);

	ck_assert(!IS_ERR(hwpt));
	ck_assert_int_eq(map_pages(ioas, IOVA - PAGE_SIZE, 2, 0), -EINVAL);
	ck_assert_int_eq(map_pages(ioas, IOVA + PAGE_SIZE, 20, 0), -EINVAL);
	ck_assert_int_eq(map_pages(ioas, IOVA, 20, 0), 0);
	remove_domain(hwpt);
	ck_assert_int_eq(map_pages(ioas, 0, 1, 0), 0);
}
END_TEST

START_TEST(a_domain_without_an_edge_reserves_nothing)
{
	ck_assert(!IS_ERR(add_narrow_domain(0, ULONG_MAX)));
	ck_assert_int_eq(map_pages(ioas, 0, 1, 0), 0);
	ck_assert_int_eq(map_pages(ioas, -PAGE_SIZE, 1, 0), 0);
	ck_assert_int_eq(PTR_ERR(add_narrow_domain(PAGE_SIZE, ULONG_MAX)), -EADDRINUSE);
}
END_TEST

/* Allocations 3 and 4 are the reserved ranges below and above the aperture. */
START_TEST(a_domain_whose_edges_cannot_be_reserved_leaves_nothing)
{
	shim_fail_in = 3 + _i;
	ck_assert_int_eq(PTR_ERR(add_narrow_domain(IOVA, 2 * IOVA - 1)), -ENOMEM);
	ck_assert_int_eq(shim_fail_in, 0);
	ck_assert(list_empty(&ioas->mirrors));
	ck_assert_int_eq(map_pages(ioas, 0, 1, 0), 0);
	ck_assert_int_eq(map_pages(ioas, -PAGE_SIZE, 1, 0), 0);
}
END_TEST

START_TEST(a_domain_that_its_driver_has_not_finished_is_not_filled)
{
	ck_assert_int_eq(PTR_ERR(add_narrow_domain(0, 0)), -EINVAL);
	ck_assert_int_eq(map_pages(ioas, 0, 1, 0), 0);
}
END_TEST

START_TEST(only_an_hwpt_is_one)
{
	struct ioas_hwpt *hwpt = add_domain(ioas, PAGE_SIZE);

	ck_assert_ptr_eq(hwpt_of_object(&hwpt->object), hwpt);
	ck_assert_ptr_null(hwpt_of_object(&ioas->object));
}
END_TEST

START_TEST(a_domain_with_groups_that_its_driver_changed_is_left_alone)
{
	struct ioas_hwpt *hwpt = add_domain(ioas, PAGE_SIZE);

	ck_assert_int_eq(map_pages(ioas, IOVA, 4, 0), 0);
	hwpt->mirror.domain->geometry.aperture_end = 2 * IOVA - 1;
	hwpt->ngroups = 1;
	down_write(&ioas->domains_rwsem);
	ck_assert_int_eq(hwpt_settle(hwpt), -EINVAL);
	ck_assert_uint_eq(hwpt->mirror.domain->nunmaps, 0);
	hwpt->ngroups = 0;
	ck_assert_int_eq(hwpt_settle(hwpt), 0);
	up_write(&ioas->domains_rwsem);
	ck_assert_uint_eq(count_mappings(hwpt), 1);
	ck_assert_int_eq(map_pages(ioas, 3 * IOVA, 1, 8), -EINVAL);
}
END_TEST

START_TEST(an_ioas_with_an_hwpt_is_not_destroyed)
{
	struct ioas_hwpt *hwpt = add_domain(ioas, PAGE_SIZE);

	ck_assert_int_eq(ioas_object_destroy(&ctx, ioas->object.id), -EBUSY);
	remove_domain(hwpt);
	ck_assert_int_eq(ioas_object_destroy(&ctx, ioas->object.id), 0);
}
END_TEST

START_TEST(coherency_is_enforced_if_every_domain_does)
{
	struct ioas_hwpt *first = add_domain(ioas, PAGE_SIZE);
	struct ioas_hwpt *second = add_domain(ioas, PAGE_SIZE);

	ioas_enter(ioas);
	first->enforces_coherency = true;
	ck_assert(!hwpts_enforce_coherency(ioas));
	second->enforces_coherency = true;
	ck_assert(hwpts_enforce_coherency(ioas));
	ioas_leave(ioas);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hwpt");
	TCase *tcase = tcase_create("hwpt");

	tcase_add_checked_fixture(tcase, make_ioas, end_ioas);
	tcase_add_test(tcase, an_area_is_one_map_a_run_and_one_unmap);
	tcase_add_test(tcase, with_small_pages_each_is_mapped_alone);
	tcase_add_test(tcase, a_run_that_is_mapped_page_by_page_pauses);
	tcase_add_test(tcase, a_page_that_fails_undoes_those_before_it);
	tcase_add_loop_test(tcase, a_fatal_signal_ends_a_map_of_many_steps, 0, 2);
	tcase_add_test(tcase, a_fatal_signal_ends_an_attach_between_areas);
	tcase_add_test(tcase, a_fatal_signal_ends_a_copy_between_areas);
	tcase_add_test(tcase, a_second_domain_pins_nothing);
	tcase_add_test(tcase, without_a_domain_nothing_is_pinned);
	tcase_add_test(tcase, a_domain_without_a_common_page_size_is_refused);
	tcase_add_test(tcase, a_domain_with_pages_larger_than_ours_is_refused);
	tcase_add_test(tcase, a_domain_with_pages_that_an_area_does_not_fit_is_refused);
	tcase_add_loop_test(tcase, memory_that_a_driver_leaves_mapped_stays_pinned, 0, 2);
	tcase_add_loop_test(tcase, a_hole_is_not_mapped, 0, 6);
	tcase_add_test(tcase, an_area_beyond_its_store_is_not_mapped);
	tcase_add_test(tcase, runs_that_were_cut_are_mapped_as_one);
	tcase_add_test(tcase, a_large_area_is_unmapped_in_pieces);
	tcase_add_test(tcase, an_entry_larger_than_a_piece_is_unmapped_as_a_whole);
	tcase_add_test(tcase, a_piece_that_a_driver_leaves_mapped_leaves_the_store_stuck);
	tcase_add_test(tcase, what_a_domain_cannot_translate_is_reserved_while_it_is_there);
	tcase_add_test(tcase, a_domain_without_an_edge_reserves_nothing);
	tcase_add_loop_test(tcase, a_domain_whose_edges_cannot_be_reserved_leaves_nothing, 0, 2);
	tcase_add_test(tcase, a_domain_that_its_driver_has_not_finished_is_not_filled);
	tcase_add_test(tcase, a_domain_with_groups_that_its_driver_changed_is_left_alone);
	tcase_add_test(tcase, only_an_hwpt_is_one);
	tcase_add_test(tcase, an_ioas_with_an_hwpt_is_not_destroyed);
	tcase_add_test(tcase, coherency_is_enforced_if_every_domain_does);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}

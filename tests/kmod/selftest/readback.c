// SPDX-License-Identifier: GPL-2.0-only
/*
 * readback: the mappings of domains, compared with the areas.
 *
 * Each domain, mock or real, is read page by page. At an area it must map the memory that the
 * extents of the area's store have there, and elsewhere nothing. If a domain has many pages, only
 * some are read, among them the first and the last page of each area.
 *
 * Locking: domains_rwsem is held for writing. So the parts of a shared store that areas of this
 * IOAS show do not change, as its domains need these pages. Other IOASs can change the rest.
 */
#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/sched.h>

#include "domain/hwpt.h"
#include "invariants.h"
#include "mock.h"
#include "space/area.h"
#include "space/ioas.h"

/* About so many pages of a domain are read, besides the last one of each area. */
#define MAX_READS	2048UL

/* A domain that is read. */
struct readback {
	struct iommu_domain *domain;
	unsigned long granule;		/* of the domain, in bytes */
	unsigned long step;		/* distance of the pages that are read, in bytes */
	bool is_mock;
};

/* The address that an IOVA is mapped to; 0 if it is not mapped: no program has memory there. */
static phys_addr_t read_page(const struct readback *rb, unsigned long iova)
{
	if (rb->is_mock)
		return mock_peek(rb->domain, iova);
	return iommu_iova_to_phys(rb->domain, iova);
}

static void check_page(const struct readback *rb, const struct ioas_area *area,
		       const struct extent *run, unsigned long byte)
{
	unsigned long iova = area->first_iova + (byte - area->first_byte);

	must(RULE_DOMAINS, read_page(rb, iova) ==
	     PFN_PHYS(run->pfn) + byte - run->index * PAGE_SIZE);
}

static void check_area_in(const struct readback *rb, struct ioas_area *area)
{
	unsigned long last = area_last_byte(area) + 1 - rb->granule;
	unsigned long byte = area->first_byte;
	struct extents *extents = &area->store->extents;
	struct extent_cursor cursor;
	struct extent run;
	bool more;

	more = extents_first(extents, &cursor, byte / PAGE_SIZE, last / PAGE_SIZE, &run);
	while (more) {
		unsigned long end = min((run.index + run.npages) * PAGE_SIZE, last + 1);

		/* Holes are left to invariants.c, which complains of them. */
		for (; byte < end; byte += rb->step)
			if (run.kind != EXTENT_HOLE)
				check_page(rb, area, &run, byte);
		more = extents_next(extents, &cursor, last / PAGE_SIZE, &run);
		cond_resched();
	}
	if (run.kind != EXTENT_HOLE)
		check_page(rb, area, &run, last);
}

/* Checks that an IOVA is not mapped, if the domain can translate it. */
static void check_nothing_at(const struct readback *rb, unsigned long iova)
{
	const struct iommu_domain_geometry *geometry = &rb->domain->geometry;

	if (iova >= geometry->aperture_start && iova <= geometry->aperture_end)
		must(RULE_DOMAINS, !read_page(rb, iova));
}

/* Reads three pages of a gap between areas: a real domain cannot list its mappings. */
static void check_gap(const struct readback *rb, unsigned long first_iova,
		      unsigned long last_iova)
{
	unsigned long misfit = rb->granule - 1;

	check_nothing_at(rb, first_iova);
	check_nothing_at(rb, (first_iova + (last_iova - first_iova) / 2) & ~misfit);
	check_nothing_at(rb, last_iova & ~misfit);
}

static unsigned long count_pages(struct ioas *ioas, unsigned long granule)
{
	unsigned long npages = 0;
	struct ioas_area *area;

	for (area = area_first(ioas, 0); area; area = area_next(ioas, area)) {
		npages += area_nbytes(area) / granule;
		cond_resched();
	}
	return npages;
}

static void check_domain(struct ioas *ioas, struct ioas_hwpt *hwpt)
{
	struct readback rb = {
		.domain = hwpt->mirror.domain,
		.granule = mirror_alignment(&hwpt->mirror),
		.is_mock = mock_is_domain(hwpt->mirror.domain),
	};
	unsigned long npages = count_pages(ioas, rb.granule);
	unsigned long first_free = 0;
	struct ioas_area *area;

	rb.step = (npages / MAX_READS + 1) * rb.granule;
	for (area = area_first(ioas, 0); area; area = area_next(ioas, area)) {
		if (!rb.is_mock && area->first_iova > first_free)
			check_gap(&rb, first_free, area->first_iova - 1);
		check_area_in(&rb, area);
		first_free = area->last_iova + 1;
		cond_resched();
	}
	if (rb.is_mock)
		must(RULE_DOMAINS, mock_count(rb.domain) == npages);
	else if (first_free || !npages)
		check_gap(&rb, first_free, ULONG_MAX);
}

void check_domains(struct ioas *ioas)
{
	unsigned long granule = ioas->small_pages || ioas->npinning ? PAGE_SIZE : 1;
	struct ioas_hwpt *hwpt;

	list_for_each_entry(hwpt, &ioas->mirrors, mirror.item) {
		must(RULE_DOMAINS, hwpt->mirror.ioas == ioas && hwpt->has_claim);
		must(RULE_DOMAINS, !(ioas->pgsizes & ~hwpt->mirror.domain->pgsize_bitmap));
		granule = max(granule, mirror_alignment(&hwpt->mirror));
		check_domain(ioas, hwpt);
	}
	must(RULE_DOMAINS, ioas->iova_alignment == granule);
}

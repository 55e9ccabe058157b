// SPDX-License-Identifier: GPL-2.0-only
/*
 * One IOAS, and a process with memory to map; lib_ioas.h declares them.
 */
#include "lib_ioas.h"
#include "lib_run.h"

struct ioas_ctx ctx;
struct ioas *ioas;
struct shim_process process;

void make_ioas(void)
{
	unsigned int i;

	shim_pages_reset();
	shim_process_init(&process);
	for (i = 0; i < SHIM_USER_NPAGES; i++)
		process.mm.pages[i] = &shim_pages[i];
	current = &process.task;
	ioas_ctx_init(&ctx, NULL);
	ioas = ioas_create(&ctx);
	expect(!IS_ERR(ioas));
	ioas_object_publish(&ioas->object);
}

void end_ioas(void)
{
	ioas_ctx_destroy(&ctx);
	shim_process_check_clean(&process);
	expect(shim_npinned == 0);
	expect(shim_allocations == 0);
	expect(shim_npids == 0);
}

int map_pages(struct ioas *ioas, unsigned long iova, unsigned long npages, unsigned long page)
{
	struct ioas_map map = {
		.rule = MAP_FIXED, .uptr = SHIM_USER_BASE + page * PAGE_SIZE, .iova = iova,
		.nbytes = npages * PAGE_SIZE, .iommu_prot = IOMMU_READ | IOMMU_WRITE,
		.account_mode = ACCOUNT_MM, .min_alignment = 1,
	};
	int ret;

	ioas_enter(ioas);
	ret = ioas_map(ioas, &map);
	ioas_leave(ioas);
	return ret;
}

int unmap_pages(struct ioas *ioas, unsigned long iova, unsigned long npages,
		enum ioas_unmap_rule rule, unsigned long *unmapped_npages)
{
	unsigned long nbytes;
	int ret;

	ioas_enter(ioas);
	ret = ioas_unmap(ioas, iova, iova + npages * PAGE_SIZE - 1, rule, &nbytes);
	ioas_leave(ioas);
	*unmapped_npages = nbytes / PAGE_SIZE;
	return ret;
}

int copy_pages(struct ioas *from, unsigned long iova, unsigned long npages, struct ioas *to,
	       unsigned long to_iova)
{
	struct ioas_map map = {
		.rule = MAP_FIXED, .iova = to_iova, .nbytes = npages * PAGE_SIZE,
		.iommu_prot = IOMMU_READ | IOMMU_WRITE, .min_alignment = 1,
	};
	struct ioas_area *copies;
	int ret;

	ioas_enter(from);
	ret = ioas_capture(from, iova, map.nbytes, map.iommu_prot, &copies);
	ioas_leave(from);
	if (ret)
		return ret;
	ioas_enter(to);
	ret = ioas_map_copies(to, &map, copies);
	ioas_leave(to);
	return ret;
}

struct ioas_hwpt *add_domain(struct ioas *ioas, unsigned long pgsize)
{
	struct ioas_hwpt *hwpt = hwpt_create(ioas, shim_domain_create(pgsize));
	int ret;

	down_write(&ioas->domains_rwsem);
	ret = hwpt_add(hwpt, false);
	up_write(&ioas->domains_rwsem);
	if (!ret) {
		ioas_object_publish(&hwpt->object);
		return hwpt;
	}
	ioas_object_abort(&hwpt->object);
	hwpt_destroy(hwpt);
	return NULL;
}

void remove_domain(struct ioas_hwpt *hwpt)
{
	expect(ioas_object_destroy(&ctx, hwpt->object.id) == 0);
}

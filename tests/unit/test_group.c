// SPDX-License-Identifier: GPL-2.0-only
/*
 * group: groups behind different IOMMUs, on domains that they share or do not share. Single cases,
 * and random sequences that are compared with a model.
 */
#include "compat/stock.h"
#include "kapi/device.h"
#include "domain/group.h"
#include "lib_group.h"
#include "lib_ioas.h"
#include "lib_run.h"

#define PAGE(n)		((n) * PAGE_SIZE)
#define LAST(n)		(PAGE(n) - 1)	/* last address of n pages */

static int attach_with(struct ioas *ioas, struct iommu_group *group,
		       const struct igroup_target *how)
{
	struct igroup_target target = *how;

	target.ioas = ioas;
	return ioas_attach_group(group, &target);
}

static const struct igroup_target plainly = { .out_of_reach = STOCK_OUT_OF_REACH };
static const struct igroup_target by_ranges;

static bool is_usable(struct ioas *ioas, unsigned long iova)
{
	unsigned long first_iova, last_iova;
	bool usable;

	ioas_enter(ioas);
	usable = iova_usable(&ioas->iova_space, iova, &first_iova, &last_iova);
	ioas_leave(ioas);
	return usable && first_iova == iova;
}

static struct iommu_group *create_group(unsigned long npages)
{
	struct iommu_group *group = shim_group_create();

	if (npages)
		group->unit.aperture_end = LAST(npages);
	return group;
}

static struct ioas_device *bind(struct iommu_group *group, unsigned int number)
{
	struct ioas_device *idev;
	u32 id;

	idev = vfio_ioas_device_bind(&ctx, group->devices[number], &id);
	ck_assert(!IS_ERR(idev));
	return idev;
}

static int attach_to(struct ioas_device *idev, struct ioas_object *object)
{
	u32 id = object->id;

	return vfio_ioas_device_attach(idev, &id);
}

static int replace_by(struct ioas_device *idev, struct ioas_object *object)
{
	u32 id = object->id;

	return vfio_ioas_device_replace(idev, &id);
}

static void end_device(struct ioas_device *idev)
{
	vfio_ioas_device_detach(idev);
	vfio_ioas_device_unbind(idev);
}

static struct ioas_hwpt *alloc_hwpt(struct ioas_device *idev, struct ioas *ioas)
{
	struct ioas_hwpt *hwpt = idev_alloc_hwpt(idev, ioas, 0);

	if (!IS_ERR(hwpt))
		ioas_object_publish(&hwpt->object);
	return hwpt;
}

/* Does a domain map @npages at @iova to the pages of the process from number @page on? */
static bool shows(const struct iommu_domain *domain, unsigned long iova, unsigned long npages,
		  unsigned long page)
{
	for (; npages; npages--, iova += PAGE_SIZE, page++) {
		const struct shim_mapping *mapping = shim_domain_find(domain, iova);

		if (!mapping || mapping->paddr + (iova - mapping->iova) !=
				PFN_PHYS(page_to_pfn(process.mm.pages[page])))
			return false;
	}
	return true;
}

START_TEST(a_device_that_is_pulled_out_is_not_used)
{
	struct iommu_group *group = create_group(0);

	shim_hotplug = true;
	ck_assert_int_eq(attach_with(ioas, group, &plainly), 0);
	ioas_detach_group(&ctx, group, LEAVE_AREAS);
	shim_group_destroy(group);
}
END_TEST

START_TEST(a_group_without_a_device_is_refused)
{
	struct iommu_group *group = create_group(0);

	put_device(group->devices[--group->ndevices]);
	ck_assert_int_eq(attach_with(ioas, group, &plainly), -EINVAL);
	shim_group_destroy(group);
}
END_TEST

/* A group whose devices write interrupts to addresses that its domain translates. */
static struct iommu_group *create_group_with_msi(enum iommu_resv_type first,
						 enum iommu_resv_type second)
{
	struct iommu_group *group = create_group(0);

	shim_group_add_region(group, PAGE(5), PAGE_SIZE, first);
	if (second != first)
		shim_group_add_region(group, PAGE(7), PAGE_SIZE, second);
	return group;
}

START_TEST(a_software_msi_window_is_prepared_once_for_a_domain)
{
	struct iommu_group *groups[2];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		groups[i] = create_group_with_msi(IOMMU_RESV_SW_MSI, IOMMU_RESV_SW_MSI);
		ck_assert_int_eq(attach_with(ioas, groups[i], &plainly), 0);
		ck_assert(groups[i]->domain->has_msi_cookie);
		ck_assert_uint_eq(groups[i]->domain->msi_base, PAGE(5));
		ck_assert(!is_usable(ioas, PAGE(5)));
	}
	ck_assert_ptr_eq(groups[0]->domain, groups[1]->domain);
	for (i = 0; i < 2; i++) {
		ioas_detach_group(&ctx, groups[i], LEAVE_AREAS);
		shim_group_destroy(groups[i]);
	}
}
END_TEST

/* The windows are listed in either order. */
START_TEST(a_hardware_msi_window_makes_a_software_one_unnecessary)
{
	struct iommu_group *group = _i ?
		create_group_with_msi(IOMMU_RESV_MSI, IOMMU_RESV_SW_MSI) :
		create_group_with_msi(IOMMU_RESV_SW_MSI, IOMMU_RESV_MSI);

	ck_assert_int_eq(attach_with(ioas, group, &plainly), 0);
	ck_assert(!group->domain->has_msi_cookie);
	ck_assert(!is_usable(ioas, PAGE(5)));
	ck_assert(!is_usable(ioas, PAGE(7)));
	ioas_detach_group(&ctx, group, LEAVE_AREAS);
	shim_group_destroy(group);
}
END_TEST

START_TEST(a_kernel_without_msi_cookies_needs_none)
{
	struct iommu_group *group = create_group_with_msi(IOMMU_RESV_SW_MSI, IOMMU_RESV_SW_MSI);

	shim_no_msi_cookies = true;
	ck_assert_int_eq(attach_with(ioas, group, &plainly), 0);
	shim_no_msi_cookies = false;
	ioas_detach_group(&ctx, group, LEAVE_AREAS);
	shim_group_destroy(group);
}
END_TEST

START_TEST(a_group_whose_msi_window_cannot_be_prepared_is_refused)
{
	struct iommu_group *group = create_group_with_msi(IOMMU_RESV_SW_MSI, IOMMU_RESV_SW_MSI);
	unsigned int n;
	int ret = -ENOMEM;

	for (n = 1; ret; n++) {
		shim_fail_in = n;
		ret = attach_with(ioas, group, &plainly);
		shim_fail_in = 0;
		ck_assert(ret == 0 || ret == -ENOMEM);
		ck_assert_int_eq(!group->domain, !!ret);
	}
	ck_assert(group->domain->has_msi_cookie);
	ioas_detach_group(&ctx, group, LEAVE_AREAS);
	shim_group_destroy(group);
}
END_TEST

START_TEST(the_aperture_of_a_shared_domain_outlives_the_group_that_brought_it)
{
	struct iommu_group *narrow = create_group(16);
	struct iommu_group *wide = create_group(32);

	ck_assert_int_eq(attach_with(ioas, narrow, &plainly), 0);
	ck_assert_int_eq(attach_with(ioas, wide, &plainly), 0);
	ck_assert_ptr_eq(wide->domain, narrow->domain);
	ioas_detach_group(&ctx, narrow, LEAVE_AREAS);
	ck_assert(is_usable(ioas, PAGE(15)));
	ck_assert(!is_usable(ioas, PAGE(16)));
	ck_assert_int_eq(map_pages(ioas, PAGE(16), 1, 0), -EINVAL);
	ioas_detach_group(&ctx, wide, LEAVE_AREAS);
	ck_assert(is_usable(ioas, PAGE(16)));
	shim_group_destroy(narrow);
	shim_group_destroy(wide);
}
END_TEST

START_TEST(a_domain_that_reaches_further_than_a_group_is_not_shared)
{
	struct iommu_group *narrow = create_group(16);
	struct iommu_group *wide = create_group(32);

	ck_assert_int_eq(attach_with(ioas, wide, &plainly), 0);
	/* The group is attached once, to its own domain: a second attach would fail. */
	shim_fail_attach_in = 2;
	shim_fail_attaches = 1;
	ck_assert_int_eq(attach_with(ioas, narrow, &plainly), 0);
	ck_assert_uint_eq(shim_fail_attaches, 1);
	shim_fail_attach_in = 0;
	shim_fail_attaches = 0;
	ck_assert_ptr_ne(wide->domain, narrow->domain);
	ck_assert(!is_usable(ioas, PAGE(16)));
	ioas_detach_group(&ctx, narrow, LEAVE_AREAS);
	ck_assert(is_usable(ioas, PAGE(16)));
	ck_assert(!is_usable(ioas, PAGE(32)));
	ioas_detach_group(&ctx, wide, LEAVE_AREAS);
	shim_group_destroy(narrow);
	shim_group_destroy(wide);
}
END_TEST

START_TEST(attach_to_an_hwpt_with_a_wider_aperture_is_refused)
{
	struct iommu_group *narrow = create_group(16);
	struct iommu_group *wide = create_group(32);
	struct ioas_device *first = bind(wide, 0);
	struct ioas_device *second = bind(narrow, 0);
	struct ioas_hwpt *hwpt = alloc_hwpt(first, ioas);

	ck_assert(!IS_ERR(hwpt));
	ck_assert_int_eq(attach_to(second, &hwpt->object), -EINVAL);
	ck_assert_ptr_null(narrow->domain);
	ck_assert_int_eq(attach_to(first, &hwpt->object), 0);
	end_device(first);
	vfio_ioas_device_unbind(second);
	remove_domain(hwpt);
	shim_group_destroy(narrow);
	shim_group_destroy(wide);
}
END_TEST

START_TEST(regions_stay_reserved_while_any_device_is_attached)
{
	struct iommu_group *group = create_group(32);
	struct ioas_device *first, *second;

	shim_group_add_device(group);
	shim_group_add_region(group, PAGE(4), PAGE_SIZE, IOMMU_RESV_RESERVED);
	shim_group_add_region(group, PAGE(8), PAGE_SIZE, IOMMU_RESV_DIRECT_RELAXABLE);
	first = bind(group, 0);
	second = bind(group, 1);
	ck_assert_int_eq(attach_to(first, &ioas->object), 0);
	ck_assert_int_eq(attach_to(second, &ioas->object), 0);
	/* Neither region is a window for interrupts. */
	ck_assert(!group->domain->has_msi_cookie);
	end_device(first);
	ck_assert(!is_usable(ioas, PAGE(4)));
	ck_assert(!is_usable(ioas, PAGE(32)));
	ck_assert(is_usable(ioas, PAGE(8)));
	end_device(second);
	ck_assert(is_usable(ioas, PAGE(4)));
	ck_assert(is_usable(ioas, PAGE(32)));
	shim_group_destroy(group);
}
END_TEST

START_TEST(a_group_that_leaves_no_iova_is_refused)
{
	struct iommu_group *group = create_group(16);

	shim_group_add_region(group, 0, PAGE(16), IOMMU_RESV_RESERVED);
	ck_assert_int_eq(attach_with(ioas, group, &plainly), -EINVAL);
	ck_assert_ptr_null(group->domain);
	ck_assert(is_usable(ioas, 0));
	ck_assert(is_usable(ioas, PAGE(16)));
	shim_group_destroy(group);
}
END_TEST

START_TEST(a_group_that_can_forge_interrupts_leaves_no_trace)
{
	struct iommu_group *group = create_group(16);

	group->can_forge_interrupts = true;
	ck_assert_int_eq(attach_with(ioas, group, &plainly), -EPERM);
	ck_assert_ptr_null(group->domain);
	ck_assert(is_usable(ioas, PAGE(16)));
	shim_group_destroy(group);
}
END_TEST

/* As in type1, which first checks interrupts, and only then maps. */
START_TEST(unsafe_interrupts_are_told_before_what_is_out_of_reach)
{
	struct iommu_group *group = create_group(16);

	ck_assert_int_eq(map_pages(ioas, PAGE(16), 1, 0), 0);
	group->can_forge_interrupts = true;
	ck_assert_int_eq(attach_with(ioas, group, &plainly), -EPERM);
	ck_assert_ptr_null(group->domain);
	group->can_forge_interrupts = false;
	ck_assert_int_eq(attach_with(ioas, group, &plainly), -EFAULT);
	ck_assert_ptr_null(group->domain);
	shim_group_destroy(group);
}
END_TEST

/* Type1 checks its list of ranges, which it has since the first domain, before interrupts. */
START_TEST(mapping_out_of_reach_is_told_first_where_there_are_ranges)
{
	struct iommu_group *group = create_group(16);

	ck_assert_int_eq(map_pages(ioas, PAGE(16), 1, 0), 0);
	group->can_forge_interrupts = _i;
	ck_assert_int_eq(attach_with(ioas, group, &by_ranges), -EADDRINUSE);
	ck_assert_ptr_null(group->domain);
	ck_assert(is_usable(ioas, PAGE(17)));
	ck_assert_int_eq(unmap_pages(ioas, PAGE(16), 1, UNMAP_WHOLE, &(unsigned long){ 0 }), 0);
	ck_assert_int_eq(attach_with(ioas, group, &by_ranges), _i ? -EPERM : 0);
	if (!_i)
		ioas_detach_group(&ctx, group, LEAVE_NO_AREAS);
	shim_group_destroy(group);
}
END_TEST

START_TEST(a_group_that_enforces_coherency_is_alone_among_those_that_do_not)
{
	struct iommu_group *weak = create_group(0), *strong = create_group(0);

	strong->unit.can_enforce = true;
	ck_assert_int_eq(attach_with(ioas, weak, &plainly), 0);
	ck_assert_int_eq(attach_with(ioas, strong, &plainly), 0);
	ck_assert_ptr_ne(weak->domain, strong->domain);
	ck_assert(strong->domain->enforces_coherency);
	ioas_detach_group(&ctx, strong, LEAVE_AREAS);
	ioas_detach_group(&ctx, weak, LEAVE_AREAS);
	shim_group_destroy(weak);
	shim_group_destroy(strong);
}
END_TEST

START_TEST(an_hwpt_gets_the_limits_that_its_driver_sets_at_attach)
{
	struct iommu_group *group = create_group(16);
	struct ioas_device *idev = bind(group, 0);
	struct ioas_hwpt *hwpt;

	group->unit.finishes_late = _i == 0;
	group->unit.changes = _i == 1;
	ck_assert_int_eq(map_pages(ioas, PAGE(3), 4, 0), 0);
	hwpt = alloc_hwpt(idev, ioas);
	ck_assert(!IS_ERR(hwpt));
	ck_assert_ptr_null(group->domain);
	ck_assert_uint_eq(ioas->iova_alignment, PAGE_SIZE);
	ck_assert(is_usable(ioas, PAGE(15)));
	ck_assert(!is_usable(ioas, PAGE(16)));
	ck_assert(shows(hwpt->mirror.domain, PAGE(3), 4, 0));
	ck_assert_int_eq(attach_to(idev, &hwpt->object), 0);
	end_device(idev);
	remove_domain(hwpt);
	shim_group_destroy(group);
}
END_TEST

/* An attached device stays on its domain while an HWPT is allocated for it. */
START_TEST(a_table_of_a_device_in_use_is_filled_when_a_group_comes)
{
	struct iommu_group *group = create_group(16);
	struct ioas_device *idev = bind(group, 0);
	struct iommu_domain *domain;
	struct ioas_hwpt *hwpt;

	group->unit.finishes_late = _i == 0;
	group->unit.changes = _i == 1;
	ck_assert_int_eq(attach_to(idev, &ioas->object), 0);
	ck_assert_int_eq(map_pages(ioas, PAGE(3), 4, 0), 0);
	domain = group->domain;
	hwpt = alloc_hwpt(idev, ioas);
	ck_assert(!IS_ERR(hwpt));
	ck_assert_ptr_eq(group->domain, domain);
	ck_assert_int_eq(map_pages(ioas, PAGE(8), 1, 8), 0);
	ck_assert_int_eq(replace_by(idev, &hwpt->object), 0);
	ck_assert_ptr_eq(group->domain, hwpt->mirror.domain);
	ck_assert(shows(hwpt->mirror.domain, PAGE(3), 4, 0));
	ck_assert(shows(hwpt->mirror.domain, PAGE(8), 1, 8));
	ck_assert(!is_usable(ioas, PAGE(16)));
	ck_assert_uint_eq(ioas->iova_alignment, PAGE_SIZE);
	end_device(idev);
	remove_domain(hwpt);
	shim_group_destroy(group);
}
END_TEST

START_TEST(a_table_that_was_never_used_can_be_destroyed)
{
	struct iommu_group *group = create_group(16);
	struct ioas_device *idev = bind(group, 0);
	struct ioas_hwpt *hwpt;

	group->unit.finishes_late = true;
	ck_assert_int_eq(attach_to(idev, &ioas->object), 0);
	hwpt = alloc_hwpt(idev, ioas);
	ck_assert(!IS_ERR(hwpt));
	remove_domain(hwpt);
	ck_assert(!is_usable(ioas, PAGE(16)));
	end_device(idev);
	shim_group_destroy(group);
}
END_TEST

/* The IOMMU does not snoop; the device has no IOMMU; the device can forge interrupts. */
START_TEST(a_device_that_must_not_be_bound_leaves_no_trace)
{
	static const int errors[] = { -EINVAL, -ENODEV, -EPERM };
	struct iommu_group *group = create_group(0);
	struct ioas_device *idev;
	u32 id;

	group->is_incoherent = _i == 0;
	group->devices[0]->group = _i == 1 ? NULL : group;
	group->can_forge_interrupts = _i == 2;
	idev = vfio_ioas_device_bind(&ctx, group->devices[0], &id);
	ck_assert(IS_ERR(idev));
	ck_assert_int_eq(PTR_ERR(idev), errors[_i]);
	ck_assert_int_eq(group->nrefs, 0);
	ck_assert_ptr_null(group->owner);
	ck_assert(list_empty(&ctx.groups));
	group->is_incoherent = false;
	group->can_forge_interrupts = false;
	group->devices[0]->group = group;
	vfio_ioas_device_unbind(bind(group, 0));
	shim_group_destroy(group);
}
END_TEST

START_TEST(a_device_that_its_driver_has_left_attached_is_detached)
{
	struct iommu_group *group = create_group(16);
	struct ioas_device *idev = bind(group, 0);

	ck_assert_int_eq(attach_to(idev, &ioas->object), 0);
	ck_assert(!is_usable(ioas, PAGE(16)));
	shim_expected_warnings = 1;
	vfio_ioas_device_unbind(idev);
	ck_assert_uint_eq(shim_expected_warnings, 0);
	ck_assert_ptr_null(group->domain);
	ck_assert_ptr_null(group->owner);
	ck_assert(is_usable(ioas, PAGE(16)));
	shim_group_destroy(group);
}
END_TEST

/* The target is what the device is attached to: the IOAS of an automatic HWPT, or an HWPT. */
START_TEST(a_replace_by_where_a_device_is_needs_nothing)
{
	struct iommu_group *group = create_group(16);
	struct ioas_device *idev = bind(group, 0);
	struct ioas_hwpt *hwpt = NULL;
	struct ioas_object *target = &ioas->object;

	if (_i) {
		hwpt = alloc_hwpt(idev, ioas);
		target = &hwpt->object;
	}
	ck_assert_int_eq(attach_to(idev, target), 0);
	shim_fail_in = 1;
	shim_fail_attach_in = 1;
	shim_fail_attaches = 1;
	ck_assert_int_eq(replace_by(idev, target), 0);
	ck_assert_uint_eq(shim_fail_in, 1);
	ck_assert_uint_eq(shim_fail_attaches, 1);
	shim_fail_in = 0;
	shim_fail_attaches = 0;
	end_device(idev);
	if (hwpt)
		remove_domain(hwpt);
	shim_group_destroy(group);
}
END_TEST

START_TEST(a_replace_whose_attach_fails_leaves_the_group_where_it_was)
{
	struct iommu_group *group = create_group(16);
	struct ioas_device *idev = bind(group, 0);
	struct iommu_domain *domain;
	struct ioas_hwpt *hwpt;

	ck_assert_int_eq(attach_to(idev, &ioas->object), 0);
	hwpt = alloc_hwpt(idev, ioas);
	domain = group->domain;
	shim_fail_attach_in = 1 + _i;
	shim_fail_attaches = 1;
	ck_assert_int_eq(replace_by(idev, &hwpt->object), -EINVAL);
	ck_assert_ptr_eq(group->domain, domain);
	ck_assert_uint_eq(domain->ngroups, 1);
	ck_assert_int_eq(replace_by(idev, &hwpt->object), 0);
	end_device(idev);
	remove_domain(hwpt);
	shim_group_destroy(group);
}
END_TEST

START_TEST(a_table_that_an_idle_device_cannot_be_put_on_is_refused)
{
	struct iommu_group *group = create_group(16);
	struct ioas_device *idev = bind(group, 0);

	ck_assert_int_eq(PTR_ERR(idev_alloc_hwpt(idev, ioas, 1)), -EOPNOTSUPP);
	shim_fail_attach_in = 1;
	shim_fail_attaches = 1;
	ck_assert_int_eq(PTR_ERR(alloc_hwpt(idev, ioas)), -EINVAL);
	ck_assert_uint_eq(shim_fail_attaches, 0);
	shim_fail_attach_in = 0;
	ck_assert(list_empty(&ioas->mirrors));
	vfio_ioas_device_unbind(idev);
	shim_group_destroy(group);
}
END_TEST

/* The attach to the shared domain fails; in the second case the one back to its own does, too. */
START_TEST(a_group_that_a_shared_domain_refuses_goes_back_to_its_own)
{
	struct iommu_group *first = create_group(0), *second = create_group(0);

	ck_assert_int_eq(attach_with(ioas, first, &plainly), 0);
	shim_takes_none_back = _i;
	shim_fail_attach_in = 2;
	shim_fail_attaches = 1 + _i;
	shim_expected_warnings = _i;
	ck_assert_int_eq(attach_with(ioas, second, &plainly), _i ? -EINVAL : 0);
	ck_assert_uint_eq(shim_fail_attaches, 0);
	ck_assert_uint_eq(shim_expected_warnings, 0);
	shim_fail_attach_in = 0;
	shim_takes_none_back = false;
	ck_assert_ptr_ne(first->domain, second->domain);
	if (_i)
		ck_assert_ptr_null(second->domain);
	else
		ioas_detach_group(&ctx, second, LEAVE_AREAS);
	ioas_detach_group(&ctx, first, LEAVE_AREAS);
	shim_group_destroy(second);
	shim_group_destroy(first);
}
END_TEST

START_TEST(areas_go_with_the_last_group_unless_they_are_kept)
{
	struct iommu_group *groups[2] = { create_group(0), create_group(0) };
	unsigned int i;

	ck_assert_int_eq(map_pages(ioas, PAGE(1), 1, 0), 0);
	for (i = 0; i < 2; i++)
		ck_assert_int_eq(attach_with(ioas, groups[i], &plainly), 0);
	ioas_detach_group(&ctx, groups[0], _i ? LEAVE_AREAS : LEAVE_NO_AREAS);
	ck_assert_uint_eq(ioas->iova_space.nareas, 1);
	ioas_detach_group(&ctx, groups[1], _i ? LEAVE_AREAS : LEAVE_NO_AREAS);
	ck_assert_uint_eq(ioas->iova_space.nareas, _i);
	for (i = 0; i < 2; i++)
		shim_group_destroy(groups[i]);
}
END_TEST

static struct iommu_group *leaving;
static struct ioas_device *moving;
static struct ioas *elsewhere;

static void map_some(void *unused)
{
	unsigned int i;

	current = &process.task;
	for (i = 0; i < 4; i++)
		expect(!map_pages(ioas, PAGE(1 + i), 1, i));
}

static void leave_shared(void *unused)
{
	current = &process.task;
	ioas_detach_group(&ctx, leaving, LEAVE_AREAS);
}

static void move_in_vain(void *unused)
{
	current = &process.task;
	expect(replace_by(moving, &elsewhere->object) == -EINVAL);
}

/* Drivers do not expect maps during a detach: lib_group.c checks that. */
START_TEST(nothing_is_mapped_while_a_group_leaves_a_shared_domain)
{
	const struct shim_thread threads[] = { { map_some }, { leave_shared } };
	struct iommu_group *first = create_group(0);

	leaving = create_group(0);
	ck_assert_int_eq(attach_with(ioas, first, &plainly), 0);
	ck_assert_int_eq(attach_with(ioas, leaving, &plainly), 0);
	ck_assert_ptr_eq(first->domain, leaving->domain);
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i + 1));
	ioas_detach_group(&ctx, first, LEAVE_AREAS);
	shim_group_destroy(leaving);
	shim_group_destroy(first);
}
END_TEST

START_TEST(nothing_is_mapped_while_a_group_goes_back_to_its_domain)
{
	const struct shim_thread threads[] = { { map_some }, { move_in_vain } };
	struct iommu_group *group = create_group(0);

	moving = bind(group, 0);
	ck_assert_int_eq(attach_to(moving, &ioas->object), 0);
	elsewhere = ioas_create(&ctx);
	ck_assert(!IS_ERR(elsewhere));
	ioas_object_publish(&elsewhere->object);
	shim_fail_attach_in = 1;
	shim_fail_attaches = 1;
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i + 1));
	shim_fail_attach_in = 0;
	shim_fail_attaches = 0;
	end_device(moving);
	ck_assert_int_eq(ioas_object_destroy(&ctx, elsewhere->object.id), 0);
	shim_group_destroy(group);
}
END_TEST

static bool holding, asked;

static void hold_groups(void *unused)
{
	unsigned int i;

	current = &process.task;
	mutex_lock(&ctx.groups_mutex);
	holding = true;
	for (i = 0; i < 20; i++)
		shim_pass_time();
	expect(!asked);
	mutex_unlock(&ctx.groups_mutex);
}

static void ask_for_coherency(void *unused)
{
	current = &process.task;
	while (!holding)
		shim_wait();
	asked = ioas_ctx_enforces_coherency(&ctx);
}

START_TEST(check_of_coherency_waits_for_groups_mutex)
{
	const struct shim_thread threads[] = { { hold_groups }, { ask_for_coherency } };
	struct iommu_group *group = create_group(16);
	/* The context has the group, on no domain. */
	struct ioas_device *idev = bind(group, 0);

	holding = false;
	asked = false;
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i + 1));
	ck_assert(asked);
	vfio_ioas_device_unbind(idev);
	shim_group_destroy(group);
}
END_TEST

START_TEST(a_second_device_without_memory_takes_nothing_from_the_first)
{
	struct iommu_group *group = create_group(32);
	struct ioas_device *first, *second;

	shim_group_add_device(group);
	shim_group_add_region(group, PAGE(4), PAGE_SIZE, IOMMU_RESV_RESERVED);
	shim_group_add_region(group, PAGE(8), PAGE_SIZE, IOMMU_RESV_RESERVED);
	first = bind(group, 0);
	second = bind(group, 1);
	ck_assert_int_eq(attach_to(first, &ioas->object), 0);
	/* Two allocations list the regions, one reserves the first region; the fourth fails. */
	shim_fail_in = 4;
	ck_assert_int_eq(attach_to(second, &ioas->object), -ENOMEM);
	ck_assert_int_eq(shim_fail_in, 0);
	ck_assert(!is_usable(ioas, PAGE(4)));
	vfio_ioas_device_detach(first);
	ck_assert(is_usable(ioas, PAGE(4)));
	vfio_ioas_device_unbind(first);
	vfio_ioas_device_unbind(second);
	shim_group_destroy(group);
}
END_TEST

/* The first two regions leave no IOVA. That is checked after the third one is reserved. */
START_TEST(enomem_comes_before_einval_for_reserved_regions)
{
	struct iommu_group *group = create_group(0);
	unsigned int n;
	int ret;

	shim_group_add_region(group, 0, 1UL << 63, IOMMU_RESV_RESERVED);
	shim_group_add_region(group, 1UL << 63, 1UL << 63, IOMMU_RESV_RESERVED);
	shim_group_add_region(group, PAGE(4), PAGE_SIZE, IOMMU_RESV_RESERVED);
	for (n = 1; ; n++) {
		shim_fail_in = n;
		ret = attach_with(ioas, group, &plainly);
		if (shim_fail_in)
			break;
		ck_assert_int_eq(ret, -ENOMEM);
	}
	shim_fail_in = 0;
	ck_assert_int_eq(ret, -EINVAL);
	ck_assert_uint_gt(n, 6);
	shim_group_destroy(group);
}
END_TEST

/* --- random sequences */

#define NIOAS		2
#define NGROUPS		4
#define NDEVICES	(NGROUPS * GROUP_MAX_DEVICES)
#define NHWPTS		4
#define NPAGES		32UL	/* sequences map below this page; apertures end here or below */
#define NSTEPS		300
#define FREE		(-1)

struct world {
	unsigned long seed;
	struct ioas *ioas[NIOAS];
	short page[NIOAS][NPAGES];	/* page of the process that is mapped there, or FREE */
	struct iommu_group *group[NGROUPS];
	struct ioas *container[NGROUPS];	/* to which the group is attached as a whole */
	struct ioas_device *idev[NDEVICES];	/* NULL: not bound */
	bool attached[NDEVICES];
	struct ioas_hwpt *hwpt[NHWPTS];
};

static struct world w;

/* The state that a step that fails must not change. */
struct snapshot {
	struct iommu_domain *domain[NGROUPS];
	bool usable[NIOAS][NPAGES + 1];
	unsigned long npinned;
};

static unsigned long roll(unsigned long limit)
{
	return random_below(&w.seed, limit);
}

static struct ioas_group *find_igroup(struct iommu_group *group)
{
	struct ioas_group *igroup;

	mutex_lock(&ctx.groups_mutex);
	igroup = igroup_find(&ctx, group);
	mutex_unlock(&ctx.groups_mutex);
	return igroup;
}

static void take_snapshot(struct snapshot *snapshot)
{
	unsigned long i, page;

	memset(snapshot, 0, sizeof(*snapshot));
	for (i = 0; i < NGROUPS; i++)
		snapshot->domain[i] = w.group[i]->domain;
	for (i = 0; i < NIOAS; i++)
		for (page = 0; page <= NPAGES; page++)
			snapshot->usable[i][page] = is_usable(w.ioas[i], PAGE(page));
	snapshot->npinned = shim_npinned;
}

static bool region_forbids(const struct iommu_group *group, unsigned long iova)
{
	unsigned int i;

	for (i = 0; i < group->nregions; i++)
		if (group->regions[i].type != IOMMU_RESV_DIRECT_RELAXABLE &&
		    iova - group->regions[i].start < group->regions[i].length)
			return true;
	return false;
}

/* Is an address usable, judged by the groups and the domains of the IOAS? */
static bool should_be_usable(struct ioas *ioas, unsigned long iova)
{
	struct ioas_group *igroup;
	struct ioas_hwpt *hwpt;
	unsigned int i;

	list_for_each_entry(hwpt, &ioas->mirrors, mirror.item)
		if (iova < hwpt->mirror.domain->geometry.aperture_start ||
		    iova > hwpt->mirror.domain->geometry.aperture_end)
			return false;
	for (i = 0; i < NGROUPS; i++) {
		igroup = find_igroup(w.group[i]);
		if (igroup && igroup->hwpt && igroup->hwpt->mirror.ioas == ioas &&
		    region_forbids(w.group[i], iova))
			return false;
	}
	return true;
}

static void check_domain(const struct ioas_hwpt *hwpt, const short *pages)
{
	unsigned long page, nbytes = 0;
	const struct shim_mapping *mapping;

	for (mapping = hwpt->mirror.domain->mappings; mapping; mapping = mapping->next)
		nbytes += mapping->last_iova - mapping->iova + 1;
	for (page = 0; page < NPAGES; page++) {
		if (pages[page] == FREE)
			continue;
		expect(shows(hwpt->mirror.domain, PAGE(page), 1, pages[page]));
		nbytes -= PAGE_SIZE;
	}
	expect(!nbytes);
}

static unsigned long check_ioas(unsigned int number)
{
	struct ioas *ioas = w.ioas[number];
	unsigned long page, nmapped = 0;
	struct ioas_hwpt *hwpt;

	for (page = 0; page <= NPAGES; page++)
		expect(is_usable(ioas, PAGE(page)) == should_be_usable(ioas, PAGE(page)));
	list_for_each_entry(hwpt, &ioas->mirrors, mirror.item) {
		check_domain(hwpt, w.page[number]);
		expect(hwpt->ngroups == hwpt->mirror.domain->ngroups);
	}
	for (page = 0; page < NPAGES; page++)
		nmapped += w.page[number][page] != FREE;
	return list_empty(&ioas->mirrors) ? 0 : nmapped;
}

static void check_group(struct iommu_group *group)
{
	struct ioas_group *igroup = find_igroup(group);
	const struct iommu_domain *domain = group->domain;

	expect(domain == (igroup && igroup->hwpt ? igroup->hwpt->mirror.domain : NULL));
	if (!domain)
		return;
	expect(hwpt_is_mirror(igroup->hwpt));
	expect(domain->geometry.aperture_start >= group->unit.aperture_start);
	expect(domain->geometry.aperture_end <= group->unit.aperture_end);
	expect(domain->enforces_coherency || !group->unit.can_enforce);
}

static void check_world(void)
{
	unsigned long npinned = 0;
	unsigned int i;

	for (i = 0; i < NGROUPS; i++)
		check_group(w.group[i]);
	for (i = 0; i < NIOAS; i++)
		npinned += check_ioas(i);
	for (i = 0; i < NHWPTS; i++)
		if (w.hwpt[i] && !hwpt_is_mirror(w.hwpt[i]))
			expect(!w.hwpt[i]->mirror.domain->mappings);
	expect(shim_npinned == npinned);
}

/* A random IOAS or HWPT. */
static struct ioas_object *any_target(void)
{
	struct ioas_hwpt *hwpt = w.hwpt[roll(NHWPTS)];

	return hwpt && roll(2) ? &hwpt->object : &w.ioas[roll(NIOAS)]->object;
}

static void arm_failures(void)
{
	if (!roll(3))
		shim_fail_in = 1 + roll(20);
	if (!roll(3)) {
		shim_fail_attach_in = 1 + roll(4);
		shim_fail_attaches = 1;
	}
}

static bool disarm_failures(void)
{
	shim_fail_in = 0;
	shim_fail_attach_in = 0;
	shim_fail_attaches = 0;
	return true;
}

/* A step that failed changed nothing; but an HWPT without groups may have been filled anew. */
static void check_failed(const struct snapshot *before, bool may_refill)
{
	struct snapshot after;

	take_snapshot(&after);
	expect(!memcmp(before->domain, after.domain, sizeof(after.domain)));
	expect(may_refill || !memcmp(before, &after, sizeof(after)));
}

static void step_bind(unsigned int number)
{
	struct iommu_group *group = w.group[number / GROUP_MAX_DEVICES];
	struct ioas_device *idev;
	u32 id;

	if (number % GROUP_MAX_DEVICES >= group->ndevices)
		return;
	arm_failures();
	idev = vfio_ioas_device_bind(&ctx, group->devices[number % GROUP_MAX_DEVICES], &id);
	disarm_failures();
	if (!IS_ERR(idev))
		w.idev[number] = idev;
}

static bool may_refill(struct ioas_object *target)
{
	struct ioas_hwpt *hwpt = hwpt_of_object(target);

	return hwpt && !hwpt->mirror.domain->ngroups;
}

static void step_attach(unsigned int number)
{
	struct ioas_object *target = any_target();
	bool refills = may_refill(target);
	struct snapshot before;
	int ret;

	take_snapshot(&before);
	arm_failures();
	if (w.attached[number])
		ret = replace_by(w.idev[number], target);
	else
		ret = attach_to(w.idev[number], target);
	disarm_failures();
	if (ret)
		check_failed(&before, refills);
	else
		w.attached[number] = true;
}

static void step_device(void)
{
	unsigned int number = roll(NDEVICES);

	if (!w.idev[number]) {
		step_bind(number);
	} else if (w.attached[number] && !roll(3)) {
		vfio_ioas_device_detach(w.idev[number]);
		w.attached[number] = false;
	} else if (!w.attached[number] && !roll(4)) {
		vfio_ioas_device_unbind(w.idev[number]);
		w.idev[number] = NULL;
	} else {
		step_attach(number);
	}
}

static void step_hwpt(void)
{
	struct ioas_device *idev = w.idev[roll(NDEVICES)];
	unsigned int slot = roll(NHWPTS);
	struct snapshot before;
	struct ioas_hwpt *hwpt;

	if (w.hwpt[slot]) {
		if (!ioas_object_destroy(&ctx, w.hwpt[slot]->object.id))
			w.hwpt[slot] = NULL;
		return;
	}
	if (!idev)
		return;
	take_snapshot(&before);
	arm_failures();
	hwpt = alloc_hwpt(idev, w.ioas[roll(NIOAS)]);
	disarm_failures();
	if (IS_ERR(hwpt))
		check_failed(&before, false);
	else
		w.hwpt[slot] = hwpt;
}

static void end_container(unsigned int number)
{
	ioas_detach_group(&ctx, w.group[number], LEAVE_AREAS);
	iommu_group_release_dma_owner(w.group[number]);
	w.container[number] = NULL;
}

static void step_container(void)
{
	unsigned int number = roll(NGROUPS);
	struct ioas *ioas = w.ioas[roll(NIOAS)];
	struct snapshot before;
	int ret;

	if (w.container[number]) {
		end_container(number);
		return;
	}
	if (w.group[number]->owner)
		return;
	take_snapshot(&before);
	arm_failures();
	ret = attach_with(ioas, w.group[number], &plainly);
	disarm_failures();
	if (ret) {
		check_failed(&before, false);
		return;
	}
	w.container[number] = ioas;
	/* vfio.ko claims the DMA of a group before it attaches the group. */
	expect(!iommu_group_claim_dma_owner(w.group[number], &w));
}

static void step_map(void)
{
	unsigned int number = roll(NIOAS);
	unsigned long first = roll(NPAGES), npages = 1 + roll(4), memory = roll(64);
	short *pages = w.page[number];
	bool possible = true;
	unsigned long i, done;
	int ret;

	npages = min(npages, NPAGES - first);
	if (roll(2)) {
		ret = unmap_pages(w.ioas[number], PAGE(first), npages, UNMAP_UPWARD, &done);
		for (i = first; i < NPAGES && done; i++) {
			done -= pages[i] != FREE;
			pages[i] = FREE;
		}
		expect(!done);
		return;
	}
	for (i = first; i < first + npages; i++)
		possible &= pages[i] == FREE && is_usable(w.ioas[number], PAGE(i));
	ret = map_pages(w.ioas[number], PAGE(first), npages, memory);
	expect(!ret == possible);
	for (i = 0; !ret && i < npages; i++)
		pages[first + i] = memory + i;
}

static struct iommu_group *random_group(void)
{
	struct iommu_group *group = create_group(roll(2) ? 0 : NPAGES / 2 + roll(NPAGES / 2));
	unsigned int i;

	group->unit.can_enforce = roll(2);
	group->unit.finishes_late = roll(2);
	group->unit.changes = !roll(3);
	group->unit.ops = &shim_unit_ops[!roll(4)];
	if (!roll(3))
		group->unit.aperture_start = PAGE(1 + roll(3));
	for (i = roll(GROUP_MAX_DEVICES); i; i--)
		shim_group_add_device(group);
	if (roll(2))
		shim_group_add_region(group, PAGE(roll(NPAGES)), PAGE_SIZE, roll(2) ?
				      IOMMU_RESV_RESERVED : IOMMU_RESV_DIRECT_RELAXABLE);
	if (!roll(3))
		shim_group_add_region(group, PAGE(roll(NPAGES)), PAGE_SIZE, IOMMU_RESV_SW_MSI);
	return group;
}

static void make_world(unsigned long seed)
{
	unsigned int i;

	memset(&w, 0, sizeof(w));
	memset(w.page, 0xff, sizeof(w.page));
	w.seed = seed;
	shim_hotplug = true;
	w.ioas[0] = ioas;
	w.ioas[1] = ioas_create(&ctx);
	ioas_object_publish(&w.ioas[1]->object);
	for (i = 0; i < NGROUPS; i++)
		w.group[i] = random_group();
}

static void end_world(void)
{
	unsigned int i;

	for (i = 0; i < NDEVICES; i++) {
		if (w.attached[i])
			vfio_ioas_device_detach(w.idev[i]);
		if (w.idev[i])
			vfio_ioas_device_unbind(w.idev[i]);
	}
	for (i = 0; i < NGROUPS; i++)
		if (w.container[i])
			end_container(i);
	for (i = 0; i < NHWPTS; i++)
		if (w.hwpt[i])
			remove_domain(w.hwpt[i]);
	for (i = 0; i < NGROUPS; i++)
		shim_group_destroy(w.group[i]);
	expect(shim_npinned == 0);
}

START_TEST(random_sequences_of_groups_agree_with_the_model)
{
	unsigned int step;

	make_world(begin_random(_i + 1));
	for (step = 0; step < NSTEPS; step++) {
		switch (roll(8)) {
		case 0:
			step_hwpt();
			break;
		case 1:
			step_container();
			break;
		case 2:
		case 3:
			step_map();
			break;
		default:
			step_device();
		}
		check_world();
	}
	end_world();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("group");
	TCase *tcase = tcase_create("group");

	tcase_add_checked_fixture(tcase, make_ioas, end_ioas);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, a_device_that_is_pulled_out_is_not_used);
	tcase_add_test(tcase, a_group_without_a_device_is_refused);
	tcase_add_test(tcase, a_software_msi_window_is_prepared_once_for_a_domain);
	tcase_add_loop_test(tcase, a_hardware_msi_window_makes_a_software_one_unnecessary, 0, 2);
	tcase_add_test(tcase, a_kernel_without_msi_cookies_needs_none);
	tcase_add_test(tcase, a_group_whose_msi_window_cannot_be_prepared_is_refused);
	tcase_add_test(tcase, the_aperture_of_a_shared_domain_outlives_the_group_that_brought_it);
	tcase_add_test(tcase, a_domain_that_reaches_further_than_a_group_is_not_shared);
	tcase_add_test(tcase, attach_to_an_hwpt_with_a_wider_aperture_is_refused);
	tcase_add_test(tcase, regions_stay_reserved_while_any_device_is_attached);
	tcase_add_test(tcase, a_group_that_leaves_no_iova_is_refused);
	tcase_add_test(tcase, a_group_that_can_forge_interrupts_leaves_no_trace);
	tcase_add_test(tcase, unsafe_interrupts_are_told_before_what_is_out_of_reach);
	tcase_add_loop_test(tcase, mapping_out_of_reach_is_told_first_where_there_are_ranges, 0, 2);
	tcase_add_test(tcase, a_group_that_enforces_coherency_is_alone_among_those_that_do_not);
	tcase_add_loop_test(tcase, an_hwpt_gets_the_limits_that_its_driver_sets_at_attach, 0, 2);
	tcase_add_loop_test(tcase, a_table_of_a_device_in_use_is_filled_when_a_group_comes, 0, 2);
	tcase_add_test(tcase, a_table_that_was_never_used_can_be_destroyed);
	tcase_add_loop_test(tcase, a_device_that_must_not_be_bound_leaves_no_trace, 0, 3);
	tcase_add_test(tcase, a_device_that_its_driver_has_left_attached_is_detached);
	tcase_add_loop_test(tcase, a_replace_by_where_a_device_is_needs_nothing, 0, 2);
	tcase_add_loop_test(tcase, a_replace_whose_attach_fails_leaves_the_group_where_it_was,
			    0, 2);
	tcase_add_test(tcase, a_table_that_an_idle_device_cannot_be_put_on_is_refused);
	tcase_add_loop_test(tcase, a_group_that_a_shared_domain_refuses_goes_back_to_its_own, 0, 2);
	tcase_add_loop_test(tcase, areas_go_with_the_last_group_unless_they_are_kept, 0, 2);
	tcase_add_loop_test(tcase, nothing_is_mapped_while_a_group_leaves_a_shared_domain, 0, 50);
	tcase_add_loop_test(tcase, nothing_is_mapped_while_a_group_goes_back_to_its_domain, 0, 50);
	tcase_add_loop_test(tcase, check_of_coherency_waits_for_groups_mutex, 0, 20);
	tcase_add_test(tcase, a_second_device_without_memory_takes_nothing_from_the_first);
	tcase_add_test(tcase, enomem_comes_before_einval_for_reserved_regions);
	tcase_add_loop_test(tcase, random_sequences_of_groups_agree_with_the_model, 0, 200);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}

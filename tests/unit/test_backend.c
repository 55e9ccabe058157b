// SPDX-License-Identifier: GPL-2.0-only
/*
 * backend: calls of vfio.ko and of drivers, from the registration to the end of a container.
 */
#include "lib_container.h"
#include "lib_group.h"
#include "lib_run.h"

#include "compat/backend.h"
#include "compat/container.h"
#include "compat/stock.h"
#include "native/info.h"
#include "native/ioctl.h"
#include "space/ioas.h"
#include "space/map.h"
#include "space/unmap.h"
#include "compat/vaddr.h"

#define STOCK	"vfio_iommu_type1"

static const unsigned int calls[] = {
	VFIO_GET_API_VERSION, VFIO_SET_IOMMU, VFIO_IOMMU_GET_INFO, VFIO_IOMMU_MAP_DMA,
	VFIO_IOMMU_UNMAP_DMA, VFIO_IOMMU_DIRTY_PAGES, VFIO_IOMMU_ENABLE, IOMMU_IOAS_ALLOC,
	IOMMU_VFIO_IOAS, 0,
};

static struct vfio_iommu_driver_ops stock = { .name = "stock" };

static void set_up(void)
{
	make_process();
	shim_serves = true;
	shim_module_refs = 0;
	shim_module_goes = false;
	shim_unreadable = false;
	shim_unwritable = false;
}

static void tear_down(void)
{
	ck_assert_uint_eq(shim_ndrivers(), 0);
	end_process();
}

static bool is_ours(const struct vfio_iommu_driver_ops *ops)
{
	return ops != &stock;
}

/* During SET_IOMMU, and while the last group leaves, vfio.ko can have our table and no handle. */
START_TEST(call_without_a_handle_is_refused)
{
	unsigned int i;

	start_backend();
	for (i = 0; i < ARRAY_SIZE(calls); i++)
		ck_assert_int_eq(shim_first_driver()->ioctl(NULL, calls[i], 0), -EINVAL);
	stop_backend();
}
END_TEST

START_TEST(call_with_the_handle_of_a_released_container_is_refused)
{
	void *old;
	unsigned int i;

	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	old = handle;
	close_container();
	handle = old;
	/* The arguments are valid: only the container is missing. */
	ck_assert_int_eq(map_dma(0, 1, 0), -EINVAL);
	ck_assert_int_eq(unmap_dma(0, 1, NULL), -EINVAL);
	ck_assert_int_eq(dirty_flag(VFIO_IOMMU_DIRTY_PAGES_FLAG_START), -EINVAL);
	ck_assert_int_eq(get_info(), -EINVAL);
	ck_assert_int_eq(container_call(VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU), -EINVAL);
	for (i = 0; i < ARRAY_SIZE(calls); i++)
		if (ioctl_is_native(calls[i]))
			ck_assert_int_eq(container_call(calls[i], SHIM_USER_BASE), -EINVAL);
	stop_backend();
}
END_TEST

static unsigned int ncopies_left;

/* Releases the container during a call. Then only the call has a reference to the module. */
static void release_meanwhile(void)
{
	ck_assert_int_eq(shim_module_refs, 1);
	if (ncopies_left && !--ncopies_left)
		close_container();
}

static long map_what_is_there(void)
{
	return map_dma(0, 1, 0);
}

static long unmap_what_is_there(void)
{
	return unmap_dma(0, 1, NULL);
}

static long start_tracking(void)
{
	return dirty_flag(VFIO_IOMMU_DIRTY_PAGES_FLAG_START);
}

static long get_report(void)
{
	u64 bitmap;

	return report_dirty(0, 1, &bitmap);
}

static long unmap_with_report(void)
{
	u64 bitmap;

	return unmap_dma(0, 1, &bitmap);
}

/* The unbind of a driver waits for the release of its container, with locks of vfio held. */
START_TEST(release_does_not_wait_for_an_argument_that_faults)
{
	static const struct {
		long (*call)(void);
		unsigned int ncopies;
		long result;
		bool is_unreadable, is_unwritable;
	} cases[] = {
		{ get_info, 3, 0 }, { start_tracking, 1, 0, true }, { start_tracking, 0, 0 },
		{ get_report, 2, -EINVAL, true }, { get_report, 0, -EINVAL },
		{ unmap_with_report, 1, -EINVAL },
		{ map_what_is_there, 1, -EEXIST, true }, { map_what_is_there, 0, -EEXIST },
		{ unmap_what_is_there, 1, 1, true }, { unmap_what_is_there, 1, 1, false, true },
		{ unmap_what_is_there, 2, 1, true, true }, { unmap_what_is_there, 0, 1 },
	};
	bool unmaps = cases[_i].call == unmap_what_is_there;
	unsigned int n;

	start_backend();
	shim_unreadable = cases[_i].is_unreadable;
	shim_unwritable = cases[_i].is_unwritable;
	on_copy_in_call = release_meanwhile;
	for (n = 1; n <= cases[_i].ncopies; n++) {
		open_container(VFIO_TYPE1v2_IOMMU);
		ncopies_left = n;
		cases[_i].call();
		ck_assert_uint_eq(ncopies_left, 0);
		ck_assert_ptr_null(handle);
		ck_assert_int_eq(shim_module_refs, 0);
	}
	on_copy_in_call = NULL;
	/* The same calls with a container that stays. */
	open_container(VFIO_TYPE1v2_IOMMU);
	ck_assert_int_eq(map_dma(0, 1, 0), 0);
	ck_assert_int_eq(cases[_i].call(), cases[_i].result);
	ck_assert_int_eq(map_dma(0, 1, 0), unmaps ? 0 : -EEXIST);
	close_container();
	stop_backend();
}
END_TEST

static int attach(struct iommu_group *group)
{
	return shim_first_driver()->attach_group(handle, group, VFIO_IOMMU);
}

static bool is_reporting, has_gone;
static struct iommu_group *group_that_goes;

static void wait_for_bitmap(void)
{
	unsigned int i;

	is_reporting = true;
	for (i = 0; i < 20; i++)
		shim_pass_time();
	expect(!has_gone);
}

static void report_slowly(void *unused)
{
	u64 bitmap;

	current = &process.task;
	on_copy_in_call = wait_for_bitmap;
	expect(report_dirty(0, 1, &bitmap) == 0);
	on_copy_in_call = NULL;
}

static void go_meanwhile(void *unused)
{
	current = &process.task;
	while (!is_reporting)
		shim_wait();
	if (group_that_goes)
		shim_first_driver()->detach_group(handle, group_that_goes);
	else
		close_container();
	has_gone = true;
}

/* The report has no references: being inside the IOAS is enough. */
START_TEST(what_a_report_uses_stays_while_its_bitmap_does_not_come)
{
	const struct shim_thread threads[] = { { report_slowly }, { go_meanwhile } };
	struct iommu_group *group = shim_group_create();

	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	group_that_goes = _i % 2 ? group : NULL;
	if (group_that_goes)
		ck_assert_int_eq(attach(group), 0);
	ck_assert_int_eq(map_dma(0, 1, 0), 0);
	ck_assert_int_eq(dirty_flag(VFIO_IOMMU_DIRTY_PAGES_FLAG_START), 0);
	is_reporting = false;
	has_gone = false;
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i + 1));
	expect(is_reporting && has_gone);
	if (group_that_goes)
		close_container();
	stop_backend();
	shim_group_destroy(group);
}
END_TEST

static unsigned int nargument_copies;

static void wait_for_bitmap_over_a_minute(void)
{
	unsigned int i;

	if (nargument_copies && nargument_copies--)
		return;
	is_reporting = true;
	for (i = 0; i < 61 * HZ; i++)
		shim_pass_time();
	expect(!has_gone);
}

static void report_over_a_minute(void *unreadable)
{
	u64 bitmap;

	current = &process.task;
	shim_unreadable = *(bool *)unreadable;
	nargument_copies = shim_unreadable ? 2 : 0;
	on_copy_in_call = wait_for_bitmap_over_a_minute;
	expect(report_dirty(0, 1, &bitmap) == 0);
	on_copy_in_call = NULL;
	shim_unreadable = false;
}

static void destroy_meanwhile(void *unused)
{
	struct ioas_ctx *ctx = &container_unreleased(handle)->ctx;

	current = &process.task;
	while (!is_reporting)
		shim_wait();
	expect(ioas_object_destroy(ctx, ctx->default_ioas->object.id) == 0);
	has_gone = true;
}

/* It does not depend on whether the argument could be read at once. */
START_TEST(destroy_waits_for_a_report_however_long_that_takes)
{
	bool unreadable = _i;
	const struct shim_thread threads[] = {
		{ report_over_a_minute, &unreadable }, { destroy_meanwhile }
	};

	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	ck_assert_int_eq(map_dma(0, 1, 0), 0);
	ck_assert_int_eq(dirty_flag(VFIO_IOMMU_DIRTY_PAGES_FLAG_START), 0);
	is_reporting = false;
	has_gone = false;
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i + 1));
	expect(is_reporting && has_gone);
	close_container();
	stop_backend();
}
END_TEST

START_TEST(argument_whose_second_part_cannot_be_read_is_refused)
{
	const unsigned long end = SHIM_USER_BASE + SHIM_USER_NPAGES * PAGE_SIZE;
	const struct vfio_iommu_type1_dirty_bitmap head = {
		.argsz = 48, .flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP,
	};
	const struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap) + sizeof(struct vfio_bitmap), .size = PAGE_SIZE,
		.flags = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
	};

	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	ck_assert_int_eq(dirty_flag(VFIO_IOMMU_DIRTY_PAGES_FLAG_START), 0);
	ck_assert_uint_eq(copy_to_user((void *)(end - sizeof(head)), &head, sizeof(head)), 0);
	ck_assert_int_eq(container_call(VFIO_IOMMU_DIRTY_PAGES, end - sizeof(head)), -EFAULT);
	ck_assert_uint_eq(copy_to_user((void *)(end - sizeof(unmap)), &unmap, sizeof(unmap)), 0);
	ck_assert_int_eq(container_call(VFIO_IOMMU_UNMAP_DMA, end - sizeof(unmap)), -EFAULT);
	close_container();
	stop_backend();
}
END_TEST

/* As before Linux 6.3, whose struct has no padding. */
START_TEST(info_is_written_by_whole_members)
{
	const unsigned long where = SHIM_USER_BASE;
	unsigned char bytes[32];
	u32 argsz;

	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	for (argsz = 16; argsz <= 24; argsz++) {
		memset(bytes, 0xa5, sizeof(bytes));
		memcpy(bytes, &argsz, sizeof(argsz));
		ck_assert_uint_eq(copy_to_user((void *)where, bytes, sizeof(bytes)), 0);
		ck_assert_int_eq(container_call(VFIO_IOMMU_GET_INFO, where), 0);
		ck_assert_uint_eq(copy_from_user(bytes, (void *)where, sizeof(bytes)), 0);
		ck_assert_uint_eq(bytes[16], argsz < 20 ? 0xa5 : 0);
		ck_assert_uint_eq(bytes[20], 0xa5);
	}
	close_container();
	stop_backend();
}
END_TEST

START_TEST(vaddr_void_counts_bytes_of_partial_pages)
{
	struct ioas_map map = {
		.rule = MAP_FIXED, .iova = PAGE_SIZE, .uptr = SHIM_USER_BASE, .nbytes = 1,
		.iommu_prot = IOMMU_READ, .account_mode = ACCOUNT_MLOCK, .min_alignment = 1,
	};
	unsigned long nbytes;
	struct ioas *ioas;

	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	ioas = container_unreleased(handle)->ctx.default_ioas;
	ioas_enter(ioas);
	ck_assert_int_eq(ioas_map(ioas, &map), 0);
	map.iova = 2 * PAGE_SIZE;
	map.nbytes = 2;
	ck_assert_int_eq(ioas_map(ioas, &map), 0);
	ioas_leave(ioas);
	down_write(&ioas->domains_rwsem);
	ck_assert_int_eq(vaddr_void(ioas, 0, PAGE_SIZE, UNMAP_WHOLE, &nbytes), 0);
	ck_assert_uint_eq(nbytes, 1);
	ck_assert_int_eq(vaddr_set(ioas, PAGE_SIZE, 1, SHIM_USER_BASE), 0);
	ck_assert_int_eq(vaddr_void(ioas, 0, 2 * PAGE_SIZE, UNMAP_WHOLE, &nbytes), -EINVAL);
	up_write(&ioas->domains_rwsem);
	close_container();
	stop_backend();
}
END_TEST

START_TEST(a_nesting_container_says_what_it_is)
{
	start_backend();
	open_container(STOCK_NESTING_IOMMU);
	ck_assert_str_eq(container_unreleased(handle)->ctx.type, "nesting");
	close_container();
	stop_backend();
}
END_TEST

static void keep_for_a_while(void *unused)
{
	struct container *container = container_get(handle);
	unsigned int i;

	current = &process.task;
	is_reporting = true;
	for (i = 0; i < 100; i++)
		shim_pass_time();
	expect(!has_gone);
	container_put(container);
}

START_TEST(a_container_ends_after_the_calls_that_keep_it)
{
	const struct shim_thread threads[] = { { keep_for_a_while }, { go_meanwhile } };

	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	/* An earlier call has put its reference, which must not end the container either. */
	ck_assert_int_eq(get_info(), 0);
	group_that_goes = NULL;
	is_reporting = false;
	has_gone = false;
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i + 1));
	expect(has_gone);
	stop_backend();
}
END_TEST

/* A call found the IOAS before it ended, and enters it afterwards. */
START_TEST(what_enters_an_ioas_that_has_ended_finds_none)
{
	struct ioas *ioas;

	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	ioas = container_unreleased(handle)->ctx.default_ioas;
	ioas->object.ending = true;
	ioas->dead = true;
	ck_assert_int_eq(map_dma(0, 1, 0), -ENODEV);
	ioas->object.ending = false;
	ioas->dead = false;
	ck_assert_int_eq(map_dma(0, 1, 0), 0);
	close_container();
	stop_backend();
}
END_TEST

/* One container more than the table has buckets. */
START_TEST(containers_in_one_place_of_the_table_are_told_apart)
{
	void *first, *second;
	unsigned int i;

	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	first = handle;
	for (i = 1; i < 1 << CONTAINERS_BITS; i++) {
		open_container(VFIO_TYPE1v2_IOMMU);
		close_container();
	}
	open_container(VFIO_TYPE1v2_IOMMU);
	second = handle;
	ck_assert_int_eq(map_dma(0, 1, 0), 0);
	handle = first;
	ck_assert_int_eq(unmap_dma(0, 1, NULL), 0);
	close_container();
	handle = second;
	close_container();
	stop_backend();
}
END_TEST

#define GET	VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP
#define START	VFIO_IOMMU_DIRTY_PAGES_FLAG_START
#define STOP	VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP
#define CALL(argsz_, flags_, iova_, size_, pgsize_, nbytes)			\
{										\
	.head = { .argsz = argsz_, .flags = flags_ },				\
	.range = { .iova = iova_, .size = size_,				\
		   .bitmap = { .pgsize = pgsize_, .size = nbytes } },		\
}

#define REPORT(iova_, size_, pgsize_, nbytes)	CALL(48, GET, iova_, size_, pgsize_, nbytes)

static const struct {
	struct dirty_argument argument;
	int ret;
} dirty_calls[] = {
	{ { .head = { .argsz = 8, .flags = START } }, 0 },
	{ { .head = { .argsz = 7, .flags = START } }, -EINVAL },
	{ { .head = { .argsz = 8 } }, -EINVAL },
	{ { .head = { .argsz = 8, .flags = START | STOP } }, -EINVAL },
	{ CALL(48, GET | START, 0, PAGE_SIZE, PAGE_SIZE, 8), -EINVAL },
	{ CALL(48, GET | 8, 0, PAGE_SIZE, PAGE_SIZE, 8), -EINVAL },
	{ CALL(47, GET, 0, PAGE_SIZE, PAGE_SIZE, 8), -EINVAL },
	{ CALL(49, GET, 0, PAGE_SIZE, PAGE_SIZE, 8), 0 },
	{ REPORT(0, PAGE_SIZE, PAGE_SIZE, 8), 0 },
	{ REPORT(0, 64 * PAGE_SIZE, PAGE_SIZE, 8), 0 },
	{ REPORT(0, 65 * PAGE_SIZE, PAGE_SIZE, 8), -EINVAL },
	{ REPORT(0, 65 * PAGE_SIZE, PAGE_SIZE, 9), -EINVAL },
	{ REPORT(0, 65 * PAGE_SIZE, PAGE_SIZE, 16), 0 },
	{ REPORT(0, 0, PAGE_SIZE, 8), -EINVAL },
	{ REPORT(-PAGE_SIZE, 2 * PAGE_SIZE, PAGE_SIZE, 8), STOCK_WRAPS },
	{ REPORT(-PAGE_SIZE, PAGE_SIZE, PAGE_SIZE, 8), STOCK_IS_INCLUSIVE ? 0 : -EINVAL },
	{ REPORT(0, PAGE_SIZE, 0, 8), -EINVAL },
	{ REPORT(0, PAGE_SIZE, PAGE_SIZE / 2, 8), -EINVAL },
	{ REPORT(0, 2 * PAGE_SIZE, 2 * PAGE_SIZE, 8), -EINVAL },
	{ REPORT(0, PAGE_SIZE, 2 * PAGE_SIZE, 8), -EINVAL },
	{ REPORT(0, PAGE_SIZE, PAGE_SIZE, 0), -EINVAL },
	{ REPORT(0, PAGE_SIZE, PAGE_SIZE, STOCK_MAX_BITMAP_NBYTES), 0 },
	{ REPORT(0, PAGE_SIZE, PAGE_SIZE, STOCK_MAX_BITMAP_NBYTES + 1), -EINVAL },
	{ REPORT(1, PAGE_SIZE, PAGE_SIZE, 8), -EINVAL },
	{ REPORT(0, PAGE_SIZE + 1, PAGE_SIZE, 8), -EINVAL },
	{ { .head = { .argsz = 8, .flags = STOP } }, 0 },
	{ REPORT(0, PAGE_SIZE, PAGE_SIZE, 8), -EINVAL },
};

/* One function reads an argument that is in memory, another one that has to be faulted in. */
START_TEST(arguments_of_dirty_pages_are_checked)
{
	unsigned int i;

	shim_unreadable = _i;
	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	for (i = 0; i < ARRAY_SIZE(dirty_calls); i++)
		if (dirty_call(dirty_calls[i].argument) != dirty_calls[i].ret)
			ck_abort_msg("argument %u: not %d", i, dirty_calls[i].ret);
	ck_assert_int_eq(container_call(VFIO_IOMMU_DIRTY_PAGES, 0), -EFAULT);
	/* A bad argument is refused first, then a missing IOAS. */
	ioas_set_default(&container_unreleased(handle)->ctx, NULL);
	ck_assert_int_eq(get_info(), -ENODEV);
	ck_assert_int_eq(dirty_call(dirty_calls[8].argument), -ENODEV);
	ck_assert_int_eq(dirty_call(dirty_calls[10].argument), -EINVAL);
	close_container();
	open_container(VFIO_TYPE1_IOMMU);
	for (i = 0; i < ARRAY_SIZE(dirty_calls); i++)
		ck_assert_int_eq(dirty_call(dirty_calls[i].argument), -EACCES);
	ck_assert_int_eq(container_call(VFIO_IOMMU_DIRTY_PAGES, 0), -EACCES);
	close_container();
	stop_backend();
}
END_TEST

START_TEST(call_does_not_wait_in_a_module_that_goes)
{
	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	shim_module_goes = true;
	ck_assert_int_eq(get_info(), -EINVAL);
	ck_assert_int_eq(map_dma(0, 1, 0), 0);
	shim_unwritable = true;
	ck_assert_int_eq(unmap_dma(0, 1, NULL), -EFAULT);
	shim_unreadable = true;
	ck_assert_int_eq(map_dma(0, 1, 0), -EINVAL);
	close_container();
	stop_backend();
}
END_TEST

START_TEST(question_without_a_handle_is_answered_if_we_serve)
{
	const struct vfio_iommu_driver_ops *ops;

	start_backend();
	ops = shim_first_driver();
	ck_assert_int_eq(ops->ioctl(NULL, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU), 1);
	ck_assert_int_eq(ops->ioctl(NULL, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU), 0);
	ck_assert_int_eq(ops->ioctl(NULL, VFIO_CHECK_EXTENSION, VFIO_UPDATE_VADDR), 0);
	shim_serves = false;
	ck_assert_int_eq(ops->ioctl(NULL, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU), 0);
	stop_backend();
}
END_TEST

START_TEST(table_that_is_not_asked_first_any_more_serves_what_it_has_and_no_more)
{
	const struct vfio_iommu_driver_ops *old;
	unsigned int i;

	start_backend();
	old = shim_first_driver();
	open_container(VFIO_TYPE1v2_IOMMU);
	vfio_register_iommu_driver(&stock);
	shim_module_is_live(STOCK);
	ck_assert_uint_eq(shim_ndrivers(), 3);
	ck_assert(is_ours(shim_first_driver()) && shim_first_driver() != old);
	ck_assert_int_eq(old->ioctl(NULL, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU), 0);
	ck_assert_int_eq(old->ioctl(handle, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU), 1);
	for (i = 0; i < ARRAY_SIZE(calls); i++)
		ck_assert_int_eq(old->ioctl(NULL, calls[i], 0), -EINVAL);
	close_container();
	vfio_unregister_iommu_driver(&stock);
	stop_backend();
}
END_TEST

START_TEST(table_stays_until_the_module_goes)
{
	const struct vfio_iommu_driver_ops *old;

	start_backend();
	old = shim_first_driver();
	vfio_register_iommu_driver(&stock);
	shim_module_is_live(STOCK);
	ck_assert_uint_eq(shim_ndrivers(), 3);
	ck_assert(is_ours(shim_first_driver()) && shim_first_driver() != old);
	/* The old table can still be in use by a call. */
	ck_assert_int_eq(old->ioctl(NULL, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU), 0);
	vfio_unregister_iommu_driver(&stock);
	stop_backend();
}
END_TEST

/* Without memory to register again we stay behind stock type1, and log that. */
START_TEST(failed_second_registration_is_logged)
{
	const struct vfio_iommu_driver_ops *ours;
	unsigned int n;

	for (n = 1; n <= 2; n++) {
		start_backend();
		ours = shim_first_driver();
		vfio_register_iommu_driver(&stock);
		shim_nmessages = 0;
		shim_fail_in = n;
		shim_module_is_live(STOCK);
		shim_fail_in = 0;
		ck_assert_uint_eq(shim_nmessages, 1);
		ck_assert_uint_eq(shim_ndrivers(), 2);
		ck_assert(!is_ours(shim_first_driver()));
		ck_assert_int_eq(ours->ioctl(NULL, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU), 1);
		shim_module_is_live(STOCK);
		ck_assert_uint_eq(shim_nmessages, 1);
		ck_assert(is_ours(shim_first_driver()));
		vfio_unregister_iommu_driver(&stock);
		stop_backend();
	}
}
END_TEST

static void load_ours(void *unused)
{
	current = &process.task;
	start_backend();
}

/* A backend registers while its module is loaded; module notifiers are called afterwards. */
static void load_stock(void *unused)
{
	current = &process.task;
	shim_yield();
	ck_assert_int_eq(vfio_register_iommu_driver(&stock), 0);
	shim_yield();
	shim_module_is_live(STOCK);
}

START_TEST(a_module_that_is_no_backend_changes_nothing)
{
	start_backend();
	shim_module_is_live("vfio_pci");
	ck_assert_uint_eq(shim_ndrivers(), 1);
	stop_backend();
}
END_TEST

START_TEST(stock_that_is_loaded_meanwhile_is_not_asked_first)
{
	const struct shim_thread threads[] = { { load_ours, NULL }, { load_stock, NULL } };

	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i));
	expect(is_ours(shim_first_driver()));
	vfio_unregister_iommu_driver(&stock);
	stop_backend();
}
END_TEST

START_TEST(failing_registration_leaves_nothing)
{
	unsigned int n;
	int ret = -ENOMEM;

	for (n = 1; ret; n++) {
		shim_fail_in = n;
		ret = backend_init();
		if (!ret)
			break;
		ck_assert_int_eq(ret, -ENOMEM);
		ck_assert_uint_eq(shim_ndrivers(), 0);
		ck_assert_int_eq(shim_allocations, 0);
		/* No module notifier is left. */
		shim_module_is_live(STOCK);
		ck_assert_uint_eq(shim_ndrivers(), 0);
	}
	shim_fail_in = 0;
	ck_assert_uint_eq(n, 4);
	stop_backend();
}
END_TEST

START_TEST(container_without_memory_leaves_nothing)
{
	long before;
	unsigned int n;

	start_backend();
	before = shim_allocations;
	for (n = 1; !handle; n++) {
		shim_fail_in = n;
		handle = shim_first_driver()->open(VFIO_TYPE1v2_IOMMU);
		if (!IS_ERR(handle))
			break;
		ck_assert_int_eq(PTR_ERR(handle), -ENOMEM);
		handle = NULL;
		ck_assert_int_eq(shim_allocations, before);
		/* No context is left that the status file shows. */
		ck_assert_int_eq(shim_npids, 0);
	}
	shim_fail_in = 0;
	ck_assert_uint_gt(n, 3);
	close_container();
	stop_backend();
}
END_TEST

START_TEST(info_without_memory_for_its_capabilities_is_refused)
{
	struct vfio_iommu_type1_info info = { .argsz = sizeof(info) };
	unsigned long where = SHIM_USER_BASE;
	unsigned int n;
	long ret = -ENOMEM;

	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	for (n = 1; ret; n++) {
		ck_assert_uint_eq(copy_to_user((void *)where, &info, sizeof(info)), 0);
		shim_fail_in = n;
		ret = container_call(VFIO_IOMMU_GET_INFO, where);
		ck_assert(!ret || ret == -ENOMEM);
	}
	shim_fail_in = 0;
	ck_assert_uint_gt(n, 2);
	close_container();
	stop_backend();
}
END_TEST

/* --- groups */

static long coherency(void)
{
	return container_call(VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU);
}

static struct ioas *select_new_ioas(void)
{
	struct ioas_ctx *ctx = &container_unreleased(handle)->ctx;
	struct ioas *ioas = ioas_create(ctx);

	ck_assert(!IS_ERR(ioas));
	ioas_set_default(ctx, ioas);
	ioas_object_publish(&ioas->object);
	return ioas;
}

START_TEST(dma_cc_covers_all_groups_of_all_ioases)
{
	struct iommu_group *enforcing = shim_group_create();
	struct iommu_group *other = shim_group_create();

	enforcing->unit.can_enforce = true;
	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	ck_assert_int_eq(attach(enforcing), 0);
	ck_assert_int_eq(coherency(), 1);
	ioas_set_default(&container_unreleased(handle)->ctx, NULL);
	ck_assert_int_eq(coherency(), 1);
	select_new_ioas();
	ck_assert_int_eq(coherency(), 1);
	ck_assert_int_eq(attach(other), 0);
	ck_assert_int_eq(coherency(), 0);
	select_new_ioas();
	ck_assert_int_eq(coherency(), 0);
	shim_first_driver()->detach_group(handle, other);
	ck_assert_int_eq(coherency(), 1);
	shim_first_driver()->detach_group(handle, enforcing);
	close_container();
	stop_backend();
	shim_group_destroy(enforcing);
	shim_group_destroy(other);
}
END_TEST

START_TEST(ioas_that_a_group_is_in_or_leaves_cannot_be_destroyed)
{
	struct iommu_group *group = shim_group_create();
	struct ioas_ctx *ctx;
	u32 id;

	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	ctx = &container_unreleased(handle)->ctx;
	id = ctx->default_ioas->object.id;
	ck_assert_int_eq(attach(group), 0);
	select_new_ioas();
	ck_assert_int_eq(ioas_object_destroy(ctx, id), -EBUSY);
	shim_first_driver()->detach_group(handle, group);
	ck_assert_int_eq(ioas_object_destroy(ctx, id), 0);
	close_container();
	stop_backend();
	shim_group_destroy(group);
}
END_TEST

static void ignore(struct vfio_device *vdev, u64 iova, u64 nbytes)
{
}

/* Two emulated devices, each in its own group. The first one holds its page until it is closed. */
/*
 * SET_IOMMU stores its backend before its handle, and a device that is opened in between is
 * registered without a handle.
 */
START_TEST(a_device_without_a_handle_is_not_registered)
{
	static const struct vfio_device_ops emulated_ops = { .dma_unmap = ignore }, plain_ops;
	struct device device = { .iommu_group = shim_group_create() };
	struct vfio_device vdev = { .dev = &device, .ops = _i ? &emulated_ops : &plain_ops };
	const struct vfio_iommu_driver_ops *ops;
	struct page *page;

	start_backend();
	ops = shim_first_driver();
	ops->register_device(NULL, &vdev);
	ops->unregister_device(NULL, &vdev);
	ops->register_device(NULL, &vdev);
	ck_assert_int_eq(ops->attach_group(NULL, device.iommu_group, VFIO_IOMMU), -EINVAL);
	open_container(VFIO_TYPE1v2_IOMMU);
	ck_assert_int_eq(ops->attach_group(handle, device.iommu_group, VFIO_EMULATED_IOMMU), 0);
	ck_assert_int_eq(map_dma(0, 1, 0), 0);
	ck_assert_int_eq(ops->pin_pages(handle, device.iommu_group, 0, 1, IOMMU_READ, &page),
			 -EINVAL);
	/* It is closed when there is a handle. */
	ops->unregister_device(handle, &vdev);
	ops->register_device(handle, &vdev);
	ops->unregister_device(handle, &vdev);
	ops->detach_group(handle, device.iommu_group);
	close_container();
	stop_backend();
	shim_group_destroy(device.iommu_group);
}
END_TEST

START_TEST(a_pin_that_fails_does_not_share_the_page_of_another_group)
{
	static const struct vfio_device_ops ops = { .dma_unmap = ignore };
	struct vfio_device vdevs[2] = { };
	struct device devices[2] = { };
	struct page *pages[2];
	unsigned int i;

	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	for (i = 0; i < 2; i++) {
		vdevs[i] = (struct vfio_device){ .dev = &devices[i], .ops = &ops };
		devices[i].iommu_group = shim_group_create();
		ck_assert_int_eq(shim_first_driver()->attach_group(handle, devices[i].iommu_group,
								   VFIO_EMULATED_IOMMU), 0);
		shim_first_driver()->register_device(handle, &vdevs[i]);
	}
	ck_assert_int_eq(map_dma(0, 1, 0), 0);
	ck_assert_int_eq(shim_first_driver()->pin_pages(handle, devices[0].iommu_group, 0, 1,
							IOMMU_READ, pages), 1);
	ck_assert_int_eq(shim_first_driver()->pin_pages(handle, devices[1].iommu_group, 0,
							_i ? 2 : 1, IOMMU_READ, pages),
			 _i ? -EINVAL : 1);
	if (_i)
		ck_assert_ptr_null(pages[0]);
	shim_first_driver()->unregister_device(handle, &vdevs[0]);
	ck_assert_uint_eq(shim_npinned, _i ? 0 : 1);
	shim_first_driver()->unregister_device(handle, &vdevs[1]);
	ck_assert_uint_eq(shim_npinned, 0);
	for (i = 0; i < 2; i++) {
		shim_first_driver()->detach_group(handle, devices[i].iommu_group);
		shim_group_destroy(devices[i].iommu_group);
	}
	close_container();
	stop_backend();
}
END_TEST

static void expect_no_call(struct vfio_device *vdev, u64 iova, u64 nbytes)
{
	ck_abort_msg("a driver is called that has pinned nothing, and nothing is unmapped");
}

static const struct vfio_device_ops pinning_ops = { .dma_unmap = expect_no_call };
static struct device pinning_devices[2];
static struct vfio_device pinning[2] = {
	{ .dev = &pinning_devices[0], .ops = &pinning_ops },
	{ .dev = &pinning_devices[1], .ops = &pinning_ops },
};

START_TEST(a_driver_pins_where_an_ioas_is_selected_or_nowhere)
{
	const struct vfio_iommu_driver_ops *ops;
	struct iommu_group *group = shim_group_create();
	struct ioas_ctx *ctx;
	struct ioas *ioas;
	struct page *page;
	char byte;

	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	ops = shim_first_driver();
	ck_assert_int_eq(attach(group), 0);
	ck_assert_int_eq(map_dma(0, 1, 0), 0);
	pinning_devices[0].iommu_group = group;
	/* No device with a callback for unmaps is open. Newer kernels than 6.1 check that, too. */
	ck_assert_int_eq(ops->pin_pages(handle, group, 0, 1, IOMMU_READ, &page), -EINVAL);
	ops->register_device(handle, &pinning[0]);
	/* An unpin of a page that is not pinned does nothing. */
	ops->unpin_pages(handle, 0, 1);
	ctx = &container_unreleased(handle)->ctx;
	ioas = ioas_get_default(ctx);
	ioas_set_default(ctx, NULL);
	ck_assert_int_eq(ops->pin_pages(handle, group, 0, 1, IOMMU_READ, &page), -ENODEV);
	ck_assert_int_eq(ops->dma_rw(handle, 0, &byte, 1, false), -EINVAL);
	ioas_set_default(ctx, ioas);
	ioas_put(ioas);
	ck_assert_int_eq(ops->pin_pages(handle, group, 0, 1, IOMMU_READ, &page), 1);
	ops->unpin_pages(handle, 0, 1);
	ops->unregister_device(handle, &pinning[0]);
	ops->detach_group(handle, group);
	close_container();
	stop_backend();
	shim_group_destroy(group);
}
END_TEST

static void close_the_first(void *unused)
{
	current = &process.task;
	shim_first_driver()->unregister_device(handle, &pinning[0]);
}

static void open_the_second(void *unused)
{
	current = &process.task;
	shim_first_driver()->register_device(handle, &pinning[1]);
}

/* Two devices with an IOMMU whose drivers pin, too. The first one has unpinned its page. */
START_TEST(no_driver_is_called_because_the_last_device_is_closed)
{
	const struct shim_thread threads[] = {
		{ close_the_first, NULL }, { open_the_second, NULL },
	};
	struct iommu_group *group = shim_group_create();
	struct page *page;

	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	ck_assert_int_eq(attach(group), 0);
	pinning_devices[0].iommu_group = group;
	pinning_devices[1].iommu_group = group;
	shim_first_driver()->register_device(handle, &pinning[0]);
	ck_assert_int_eq(map_dma(0, 1, 0), 0);
	ck_assert_int_eq(shim_first_driver()->pin_pages(handle, group, 0, 1, IOMMU_READ, &page), 1);
	shim_first_driver()->unpin_pages(handle, 0, 1);
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i));
	shim_first_driver()->unregister_device(handle, &pinning[1]);
	shim_first_driver()->detach_group(handle, group);
	close_container();
	stop_backend();
	shim_group_destroy(group);
}
END_TEST

static struct iommu_group *late_group;
static bool late_group_joined;

static void join_late(void *unused)
{
	current = &process.task;
	ck_assert_int_eq(attach(late_group), 0);
	late_group_joined = true;
}

static void choose_none(void *unused)
{
	struct ioas_ctx *ctx = &container_unreleased(handle)->ctx;
	unsigned int i;

	current = &process.task;
	for (i = 0; i < 100 && !late_group_joined; i++)
		ioas_set_default(ctx, NULL);
}

static unsigned int count_ioas(struct container *container)
{
	struct ioas *ioas;
	unsigned int n = 0;

	list_for_each_entry(ioas, &container->ctx.ioass, ioass_item)
		n++;
	return n;
}

/* The user deselects the IOAS again and again: each group makes at most one new IOAS. */
START_TEST(a_group_that_joins_makes_one_ioas_at_most)
{
	const struct shim_thread threads[] = { { choose_none }, { join_late }, { choose_none } };
	struct iommu_group *group = shim_group_create();
	unsigned long seed;

	late_group = shim_group_create();
	start_backend();
	for (seed = 1; seed <= 100; seed++) {
		late_group_joined = false;
		open_container(VFIO_TYPE1v2_IOMMU);
		ck_assert_int_eq(attach(group), 0);
		shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(seed));
		expect(count_ioas(container_unreleased(handle)) <= 2);
		shim_first_driver()->detach_group(handle, late_group);
		shim_first_driver()->detach_group(handle, group);
		close_container();
	}
	stop_backend();
	shim_group_destroy(late_group);
	shim_group_destroy(group);
}
END_TEST

/* Attaches a group while the n-th call that can fail does, or the attach itself. */
static int join_but(struct iommu_group *group, enum vfio_group_type type, unsigned int n)
{
	int ret;

	shim_fail_in = n;
	shim_fail_attach_in = !n;
	shim_fail_attaches = !n;
	ret = shim_first_driver()->attach_group(handle, group, type);
	shim_fail_in = 0;
	shim_fail_attaches = 0;
	return ret;
}

/* No IOAS is selected, and a real or an emulated group joins. */
START_TEST(a_join_that_fails_leaves_no_ioas)
{
	const enum vfio_group_type type = _i ? VFIO_EMULATED_IOMMU : VFIO_IOMMU;
	struct iommu_group *group = shim_group_create();
	struct iommu_group *late = shim_group_create();
	struct container *container;
	unsigned int n;
	long before;

	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	ck_assert_int_eq(attach(group), 0);
	container = container_unreleased(handle);
	ioas_set_default(&container->ctx, NULL);
	before = shim_allocations;
	for (n = _i; join_but(late, type, n); n++) {
		ck_assert_uint_eq(count_ioas(container), 1);
		ck_assert_ptr_null(container->ctx.default_ioas);
		ck_assert_int_eq(map_dma(0, 1, 0), -ENODEV);
		ck_assert_int_eq(shim_allocations, before);
		ck_assert_ptr_null(late->domain);
	}
	ck_assert_uint_gt(n, 4);
	ck_assert_uint_eq(count_ioas(container), 2);
	ck_assert_int_eq(map_dma(0, 1, 0), 0);
	shim_first_driver()->detach_group(handle, late);
	shim_first_driver()->detach_group(handle, group);
	close_container();
	stop_backend();
	shim_group_destroy(late);
	shim_group_destroy(group);
}
END_TEST

static struct ioas *chosen;

static void choose_meanwhile(void)
{
	shim_on_domain_alloc = NULL;
	ioas_set_default(&container_unreleased(handle)->ctx, chosen);
}

START_TEST(a_group_that_joins_leaves_what_is_selected_meanwhile)
{
	struct iommu_group *group = shim_group_create();
	struct iommu_group *late = shim_group_create();
	struct ioas_ctx *ctx;

	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	ctx = &container_unreleased(handle)->ctx;
	ck_assert_int_eq(attach(group), 0);
	chosen = select_new_ioas();
	ioas_set_default(ctx, NULL);
	shim_on_domain_alloc = choose_meanwhile;
	ck_assert_int_eq(attach(late), 0);
	ck_assert_ptr_eq(ctx->default_ioas, chosen);
	shim_first_driver()->detach_group(handle, late);
	shim_first_driver()->detach_group(handle, group);
	close_container();
	stop_backend();
	shim_group_destroy(late);
	shim_group_destroy(group);
}
END_TEST

START_TEST(a_group_joins_once_and_not_without_an_iommu)
{
	const struct vfio_iommu_driver_ops *ops;
	struct iommu_group *group = shim_group_create();

	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	ops = shim_first_driver();
	ck_assert_int_eq(ops->attach_group(handle, group, VFIO_NO_IOMMU), -EINVAL);
	ck_assert_int_eq(ops->attach_group(handle, group, VFIO_EMULATED_IOMMU), 0);
	ck_assert_int_eq(ops->attach_group(handle, group, VFIO_EMULATED_IOMMU), -EINVAL);
	ops->detach_group(handle, group);
	close_container();
	stop_backend();
	shim_group_destroy(group);
}
END_TEST

static struct ioas *ending;

/* A call keeps the IOAS busy until the group has joined. */
static void destroy_the_selected(void *unused)
{
	current = &process.task;
	ck_assert_int_eq(ioas_object_destroy(ending->object.ctx, ending->object.id), 0);
}

static void join_where_it_ends(void *unused)
{
	current = &process.task;
	while (!ending->object.ending)
		shim_wait();
	ck_assert_int_eq(attach(late_group), 0);
	ck_assert_int_eq(map_dma(0, 1, 0), 0);
	ioas_put(ending);
}

START_TEST(a_group_joins_while_the_selected_ioas_is_destroyed)
{
	const struct shim_thread threads[] = { { join_where_it_ends }, { destroy_the_selected } };
	struct iommu_group *group = shim_group_create();
	struct ioas_ctx *ctx;

	late_group = shim_group_create();
	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	ck_assert_int_eq(attach(group), 0);
	ctx = &container_unreleased(handle)->ctx;
	ending = ioas_create(ctx);
	ck_assert(!IS_ERR(ending));
	ioas_object_publish(&ending->object);
	ck_assert(ioas_object_try_busy(&ending->object));
	ioas_set_default(ctx, ending);
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i + 1));
	ck_assert_uint_eq(count_ioas(container_unreleased(handle)), 2);
	ck_assert_ptr_nonnull(shim_domain_find(late_group->domain, 0));
	ck_assert_ptr_null(shim_domain_find(group->domain, 0));
	ck_assert_int_eq(unmap_dma(0, 1, NULL), 1);
	shim_first_driver()->detach_group(handle, late_group);
	shim_first_driver()->detach_group(handle, group);
	close_container();
	stop_backend();
	shim_group_destroy(late_group);
	shim_group_destroy(group);
}
END_TEST

/* The user declares an address void after the attach has begun. */
static void make_address_void(void)
{
	struct ioas *ioas = container_unreleased(handle)->ctx.default_ioas;
	unsigned long nbytes;

	down_write(&ioas->domains_rwsem);
	ck_assert_int_eq(vaddr_void(ioas, 0, PAGE_SIZE - 1, UNMAP_WHOLE, &nbytes), 0);
	up_write(&ioas->domains_rwsem);
	shim_on_domain_alloc = NULL;
}

START_TEST(a_group_does_not_join_where_an_address_has_become_void)
{
	struct iommu_group *group = shim_group_create();
	struct iommu_group *late = shim_group_create();

	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	ck_assert_int_eq(attach(group), 0);
	ck_assert_int_eq(map_dma(0, 1, 0), 0);
	shim_on_domain_alloc = make_address_void;
	ck_assert_int_eq(attach(late), -EBUSY);
	ck_assert_ptr_null(late->domain);
	ck_assert_int_eq(attach(late), -EBUSY);
	ck_assert_int_eq(set_vaddr(0, 1, 0), 0);
	ck_assert_int_eq(attach(late), 0);
	shim_first_driver()->detach_group(handle, late);
	shim_first_driver()->detach_group(handle, group);
	close_container();
	stop_backend();
	shim_group_destroy(late);
	shim_group_destroy(group);
}
END_TEST

static struct ioas *kept;
static bool call_is_over;

static void keep_for_itself(void *unused)
{
	current = &process.task;
	down_write(&kept->domains_rwsem);
	process.task.is_dying = true;
	while (!call_is_over)
		shim_wait();
	process.task.is_dying = false;
	up_write(&kept->domains_rwsem);
}

static void call_while_dying(void *number)
{
	u64 bitmap = 0;

	current = &process.task;
	while (!process.task.is_dying)
		shim_wait();
	switch ((unsigned long)number) {
	case 0:
		expect(map_dma(1, 1, 1) == -EINTR);
		break;
	case 1:
		expect(unmap_dma(0, 1, NULL) == -EINTR);
		break;
	default:
		expect(unmap_dma(0, 1, &bitmap) == -EINTR);
	}
	call_is_over = true;
}

/* Another thread has the IOAS to itself, as does a map that adds levels and waits for memory. */
START_TEST(a_dying_process_does_not_wait_to_enter)
{
	const struct shim_thread threads[] = {
		{ keep_for_itself }, { call_while_dying, (void *)(unsigned long)_i },
	};
	struct iommu_group *group = shim_group_create();

	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	ck_assert_int_eq(attach(group), 0);
	ck_assert_int_eq(map_dma(0, 1, 0), 0);
	kept = container_unreleased(handle)->ctx.default_ioas;
	call_is_over = false;
	shim_run_threads(threads, ARRAY_SIZE(threads), begin_random(_i + 1));
	ck_assert_int_eq(unmap_dma(0, 2, NULL), 1);
	shim_first_driver()->detach_group(handle, group);
	close_container();
	stop_backend();
	shim_group_destroy(group);
}
END_TEST

/* The selected IOAS has no groups yet, and half a page mapped. */
START_TEST(emulated_group_does_not_join_where_half_a_page_is_mapped)
{
	struct ioas_map map = {
		.rule = MAP_FIXED, .uptr = SHIM_USER_BASE, .nbytes = PAGE_SIZE / 2,
		.iommu_prot = IOMMU_READ, .account_mode = ACCOUNT_MLOCK, .min_alignment = 1,
	};
	struct iommu_group *real = shim_group_create(), *group = shim_group_create();
	struct ioas_ctx *ctx;
	unsigned long nbytes;
	struct ioas *ioas;

	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	ck_assert_int_eq(attach(real), 0);
	ctx = &container_unreleased(handle)->ctx;
	ioas = ioas_create(ctx);
	ck_assert(!IS_ERR(ioas));
	ioas_object_publish(&ioas->object);
	ioas_set_default(ctx, ioas);
	ioas_enter(ioas);
	ck_assert_int_eq(ioas_map(ioas, &map), 0);
	ioas_leave(ioas);
	ck_assert_int_eq(shim_first_driver()->attach_group(handle, group, VFIO_EMULATED_IOMMU),
			 -EINVAL);
	ioas_enter(ioas);
	ck_assert_int_eq(ioas_unmap_all(ioas, &nbytes), 0);
	ioas_leave(ioas);
	ck_assert_int_eq(shim_first_driver()->attach_group(handle, group, VFIO_EMULATED_IOMMU), 0);
	shim_first_driver()->detach_group(handle, group);
	shim_first_driver()->detach_group(handle, real);
	close_container();
	stop_backend();
	shim_group_destroy(group);
	shim_group_destroy(real);
}
END_TEST

START_TEST(address_is_not_voided_beside_an_emulated_group)
{
	struct iommu_group *group = shim_group_create();

	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	ck_assert_int_eq(shim_first_driver()->attach_group(handle, group, VFIO_EMULATED_IOMMU), 0);
	ck_assert_int_eq(map_dma(0, 1, 0), 0);
	ck_assert_int_eq(void_vaddr(0, 1), -EBUSY);
	ck_assert_int_eq(map_dma(0, 1, 0), -EEXIST);
	shim_first_driver()->detach_group(handle, group);
	close_container();
	stop_backend();
	shim_group_destroy(group);
}
END_TEST

static void show_mmio(unsigned long page)
{
	process.mm.pages[page] = NULL;
	process.mm.mmio[page].pfn = 0x5000;
}

static void show_memory(unsigned long page)
{
	process.mm.mmio[page].pfn = 0;
	process.mm.pages[page] = &shim_pages[page];
}

static void show_nothing(unsigned long page)
{
	process.mm.mmio[page].pfn = 0;
	process.mm.pages[page] = NULL;
}

/* Memory of the process when it maps, and when a driver pins; the result of the pin. */
static const struct {
	void (*mapped)(unsigned long page);
	void (*pinned)(unsigned long page);
	int ret;
} replacements[] = {
	{ show_mmio, show_mmio, -EINVAL },
	{ show_mmio, show_memory, 1 },
	{ show_mmio, show_nothing, -EFAULT },
	{ show_memory, show_mmio, -EINVAL },
	{ show_memory, show_memory, 1 },
	{ show_memory, show_nothing, -EFAULT },
};

static const struct vfio_device_ops quiet_ops = { .dma_unmap = ignore };

/* A group with an IOMMU is there, too; in half of the cases it leaves before the unpin. */
START_TEST(a_driver_pins_what_the_process_has_by_now_if_it_is_memory)
{
	struct iommu_group *group = shim_group_create(), *emulated = shim_group_create();
	struct device device = { .iommu_group = emulated };
	struct vfio_device vdev = { .dev = &device, .ops = &quiet_ops };
	const struct vfio_iommu_driver_ops *ops;
	bool group_leaves = _i >= (int)ARRAY_SIZE(replacements);
	unsigned int which = _i % ARRAY_SIZE(replacements);
	struct page *page = NULL;
	int ret;

	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	ops = shim_first_driver();
	ck_assert_int_eq(attach(group), 0);
	ck_assert_int_eq(ops->attach_group(handle, emulated, VFIO_EMULATED_IOMMU), 0);
	ops->register_device(handle, &vdev);
	replacements[which].mapped(0);
	ck_assert_int_eq(map_dma(0, 1, 0), 0);
	replacements[which].pinned(0);
	ret = ops->pin_pages(handle, emulated, 0, 1, IOMMU_READ, &page);
	ck_assert_int_eq(ret, replacements[which].ret);
	ck_assert_ptr_eq(page, ret == 1 ? &shim_pages[0] : NULL);
	ck_assert_uint_eq(process.mm.locked_vm, shim_npinned);
	if (group_leaves)
		ops->detach_group(handle, group);
	if (ret == 1)
		ops->unpin_pages(handle, 0, 1);
	ck_assert_int_eq(unmap_dma(0, 1, NULL), 1);
	ck_assert_uint_eq(shim_npinned, 0);
	ops->unregister_device(handle, &vdev);
	ops->detach_group(handle, emulated);
	if (!group_leaves)
		ops->detach_group(handle, group);
	close_container();
	stop_backend();
	show_memory(0);
	shim_group_destroy(group);
	shim_group_destroy(emulated);
}
END_TEST

/* --- devices that are closed while those of other groups are open */

static const struct vfio_device_ops mute_ops;

static const struct {
	enum vfio_group_type type;
	const struct vfio_device_ops *ops;	/* of the device that stays open */
	bool gives_back;
} open_devices[] = {
	{ VFIO_EMULATED_IOMMU, &quiet_ops, true },
	{ VFIO_EMULATED_IOMMU, &quiet_ops, false },
	{ VFIO_EMULATED_IOMMU, &mute_ops, true },
	{ VFIO_EMULATED_IOMMU, &mute_ops, false },
	{ VFIO_IOMMU, &quiet_ops, true },
	{ VFIO_IOMMU, &quiet_ops, false },
	{ VFIO_IOMMU, &mute_ops, true },
	{ VFIO_IOMMU, &mute_ops, false },
};

/*
 * vfio.ko of 6.1 opens a device before it registers it with us, and lets a device without a
 * callback pin.
 */
START_TEST(an_open_device_keeps_its_pins_when_the_last_one_we_heard_of_closes)
{
	struct iommu_group *groups[2] = { shim_group_create(), shim_group_create() };
	struct device devices[2] = { { .iommu_group = groups[0] }, { .iommu_group = groups[1] } };
	struct vfio_device closes = { .dev = &devices[0], .ops = &quiet_ops };
	struct vfio_device stays = { .dev = &devices[1], .ops = open_devices[_i].ops };
	const struct vfio_iommu_driver_ops *ops;
	unsigned long npinned;
	struct page *page;
	int i;

	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	ops = shim_first_driver();
	for (i = 0; i < 2; i++)
		ck_assert_int_eq(ops->attach_group(handle, groups[i], open_devices[_i].type), 0);
	ops->register_device(handle, &closes);
	ck_assert_int_eq(map_dma(0, 1, 0), 0);
	npinned = shim_npinned;
	ck_assert_int_eq(ops->pin_pages(handle, groups[1], 0, 1, IOMMU_READ, &page), 1);
	ck_assert_uint_eq(shim_npinned, 1);
	ops->unregister_device(handle, &closes);
	ck_assert_uint_eq(shim_npinned, 1);
	ops->register_device(handle, &stays);
	ck_assert(!xa_empty(&type1_of(container_unreleased(handle))->emulated.holds));
	if (open_devices[_i].gives_back) {
		ops->unpin_pages(handle, 0, 1);
		ck_assert_uint_eq(shim_npinned, npinned);
	}
	ops->unregister_device(handle, &stays);
	ops->detach_group(handle, groups[1]);
	ck_assert_uint_eq(shim_npinned, npinned);
	ops->detach_group(handle, groups[0]);
	close_container();
	stop_backend();
	for (i = 0; i < 2; i++)
		shim_group_destroy(groups[i]);
}
END_TEST

/* Holds note groups by a number, which has as many values as a word has bits. */
START_TEST(a_device_keeps_its_pins_when_one_of_a_group_with_its_number_closes)
{
	struct iommu_group *groups[BITS_PER_LONG + 1];
	struct device devices[2];
	struct vfio_device vdevs[2];
	const struct vfio_iommu_driver_ops *ops;
	struct page *page;
	int i;

	for (i = 0; i <= BITS_PER_LONG; i++)
		groups[i] = shim_group_create();
	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	ops = shim_first_driver();
	ck_assert_int_eq(map_dma(0, 2, 0), 0);
	for (i = 0; i < 2; i++) {
		devices[i].iommu_group = groups[i * BITS_PER_LONG];
		vdevs[i] = (struct vfio_device){ .dev = &devices[i], .ops = &quiet_ops };
		ck_assert_int_eq(ops->attach_group(handle, devices[i].iommu_group,
						   VFIO_EMULATED_IOMMU), 0);
		ops->register_device(handle, &vdevs[i]);
		ck_assert_int_eq(ops->pin_pages(handle, devices[i].iommu_group, i * PAGE_SIZE, 1,
						IOMMU_READ, &page), 1);
	}
	ops->unregister_device(handle, &vdevs[0]);
	ck_assert_uint_eq(shim_npinned, 2);
	ops->detach_group(handle, devices[0].iommu_group);
	ck_assert_uint_eq(shim_npinned, 2);
	ops->unregister_device(handle, &vdevs[1]);
	ck_assert_uint_eq(shim_npinned, 0);
	ops->detach_group(handle, devices[1].iommu_group);
	close_container();
	stop_backend();
	for (i = 0; i <= BITS_PER_LONG; i++)
		shim_group_destroy(groups[i]);
}
END_TEST

START_TEST(a_device_keeps_its_pins_when_another_one_of_its_group_closes)
{
	struct iommu_group *group = shim_group_create();
	struct device device = { .iommu_group = group };
	struct vfio_device vdevs[2] = {
		{ .dev = &device, .ops = &quiet_ops }, { .dev = &device, .ops = &quiet_ops },
	};
	const struct vfio_iommu_driver_ops *ops;
	struct page *page;

	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	ops = shim_first_driver();
	ck_assert_int_eq(ops->attach_group(handle, group, VFIO_EMULATED_IOMMU), 0);
	ops->register_device(handle, &vdevs[0]);
	ops->register_device(handle, &vdevs[1]);
	ck_assert_int_eq(map_dma(0, 1, 0), 0);
	ck_assert_int_eq(ops->pin_pages(handle, group, 0, 1, IOMMU_READ, &page), 1);
	ops->unregister_device(handle, &vdevs[0]);
	ck_assert_uint_eq(shim_npinned, 1);
	ops->unregister_device(handle, &vdevs[1]);
	ck_assert_uint_eq(shim_npinned, 0);
	ops->detach_group(handle, group);
	close_container();
	stop_backend();
	shim_group_destroy(group);
}
END_TEST

/* Another IOAS has a group, so that vfio.ko does not release the container. */
START_TEST(mappings_go_with_the_last_emulated_group)
{
	struct iommu_group *real = shim_group_create();
	struct iommu_group *group = shim_group_create();

	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	ck_assert_int_eq(attach(real), 0);
	select_new_ioas();
	ck_assert_int_eq(shim_first_driver()->attach_group(handle, group, VFIO_EMULATED_IOMMU), 0);
	ck_assert_int_eq(map_dma(0, 1, 0), 0);
	shim_first_driver()->detach_group(handle, group);
	ck_assert_int_eq(map_dma(0, 1, 0), 0);
	shim_first_driver()->detach_group(handle, real);
	close_container();
	stop_backend();
	shim_group_destroy(group);
	shim_group_destroy(real);
}
END_TEST

/* --- drivers that are told of an unmap */

static struct device told_device;
static struct vfio_device told;
static struct page *told_page;

static void open_told(const struct vfio_device_ops *ops)
{
	struct iommu_group *group = shim_group_create();

	start_backend();
	open_container(VFIO_TYPE1v2_IOMMU);
	told_device.iommu_group = group;
	told = (struct vfio_device){ .dev = &told_device, .ops = ops };
	ck_assert_int_eq(shim_first_driver()->attach_group(handle, group, VFIO_EMULATED_IOMMU), 0);
	shim_first_driver()->register_device(handle, &told);
	ck_assert_int_eq(map_dma(0, 1, 0), 0);
	ck_assert_int_eq(shim_first_driver()->pin_pages(handle, group, 0, 1, IOMMU_READ,
							&told_page), 1);
}

static void close_told(void)
{
	shim_first_driver()->unregister_device(handle, &told);
	shim_first_driver()->detach_group(handle, told_device.iommu_group);
	close_container();
	stop_backend();
	shim_group_destroy(told_device.iommu_group);
}

static void check_new_mapping_is_clean(void)
{
	u64 bits = 0;

	ck_assert_int_eq(map_dma(0, 1, 0), 0);
	ck_assert_int_eq(report_dirty(0, 1, &bits), 0);
	ck_assert_uint_eq(bits, 0);
	ck_assert_int_eq(unmap_dma(0, 1, NULL), 1);
}

/* The page at address 0 is mapped and pinned, too. */
START_TEST(a_pin_at_the_end_of_all_addresses_does_not_go_on_at_the_first)
{
	struct page *pages[2];
	int ret;

	open_told(&quiet_ops);
	ck_assert_int_eq(map_dma(ULONG_MAX >> PAGE_SHIFT, 1, 1), 0);
	ret = shim_first_driver()->pin_pages(handle, told_device.iommu_group, -PAGE_SIZE, 1,
					     IOMMU_READ, pages);
	ck_assert_int_eq(ret, 1);
	shim_first_driver()->unpin_pages(handle, -PAGE_SIZE, 1);
	ret = shim_first_driver()->pin_pages(handle, told_device.iommu_group, -PAGE_SIZE, 2,
					     IOMMU_READ, pages);
	ck_assert_int_eq(ret, -EINVAL);
	ck_assert_uint_eq(shim_npinned, 1);
	shim_first_driver()->unpin_pages(handle, 0, 1);
	close_told();
}
END_TEST

/* vfio.ko refuses these calls itself. */
START_TEST(a_driver_that_asks_for_nonsense_is_refused)
{
	const struct vfio_iommu_driver_ops *ops;
	struct iommu_group *group;
	struct page *page;
	char byte;

	open_told(&quiet_ops);
	ops = shim_first_driver();
	group = told_device.iommu_group;
	ck_assert_int_eq(ops->pin_pages(NULL, group, 0, 1, IOMMU_READ, &page), -EINVAL);
	ck_assert_int_eq(ops->pin_pages(handle, group, 0, 0, IOMMU_READ, &page), -EINVAL);
	ck_assert_int_eq(ops->pin_pages(handle, group, 0, 1, IOMMU_READ, NULL), -EINVAL);
	ck_assert_int_eq(ops->dma_rw(NULL, 0, &byte, 1, false), -EINVAL);
	shim_expected_warnings = 2;
	ops->unpin_pages(NULL, 0, 1);
	ops->unpin_pages(handle, 0, 0);
	ck_assert_uint_eq(shim_expected_warnings, 0);
	ops->unpin_pages(handle, 0, 1);
	close_told();
}
END_TEST

static void start_and_let_go(struct vfio_device *vdev, u64 iova, u64 nbytes)
{
	ck_assert_int_eq(dirty_flag_when_told(VFIO_IOMMU_DIRTY_PAGES_FLAG_START), 0);
	shim_first_driver()->unpin_pages(handle, 0, 1);
}

static void stop_start_and_let_go(struct vfio_device *vdev, u64 iova, u64 nbytes)
{
	ck_assert_int_eq(dirty_flag_when_told(VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP), 0);
	start_and_let_go(vdev, iova, nbytes);
}

/* While an unmap waits, the driver of an emulated device starts tracking and then unpins. */
START_TEST(tracking_that_begins_during_an_unmap_says_nothing_of_a_later_mapping)
{
	static const struct vfio_device_ops starts = { .dma_unmap = start_and_let_go };
	static const struct vfio_device_ops restarts = { .dma_unmap = stop_start_and_let_go };

	open_told(_i ? &restarts : &starts);
	if (_i)
		ck_assert_int_eq(dirty_flag(VFIO_IOMMU_DIRTY_PAGES_FLAG_START), 0);
	ck_assert_int_eq(unmap_dma(0, 1, NULL), 1);
	check_new_mapping_is_clean();
	close_told();
}
END_TEST

START_TEST(a_write_up_to_the_end_of_a_page_says_nothing_of_the_next)
{
	char data[16] = "written";
	u64 bitmap = 0;

	open_told(&quiet_ops);
	ck_assert_int_eq(map_dma(1, 3, 1), 0);
	ck_assert_int_eq(dirty_flag(VFIO_IOMMU_DIRTY_PAGES_FLAG_START), 0);
	shim_first_driver()->unpin_pages(handle, 0, 1);
	ck_assert_int_eq(report_dirty(1, 3, &bitmap), 0);
	ck_assert_int_eq(shim_first_driver()->dma_rw(handle, 3 * PAGE_SIZE - sizeof(data), data,
						     sizeof(data), true), 0);
	ck_assert_int_eq(report_dirty(1, 3, &bitmap), 0);
	ck_assert_uint_eq(bitmap, 2);
	ck_assert_int_eq(unmap_dma(0, 4, NULL), 4);
	close_told();
}
END_TEST

/* ioas_unmap(), as IOMMU_IOAS_UNMAP calls it. */
START_TEST(native_unmap_says_nothing_of_a_later_mapping)
{
	struct ioas *ioas;
	unsigned long nbytes;

	open_told(&quiet_ops);
	ck_assert_int_eq(dirty_flag(VFIO_IOMMU_DIRTY_PAGES_FLAG_START), 0);
	shim_first_driver()->unpin_pages(handle, 0, 1);
	ioas = ioas_get_default(&container_unreleased(handle)->ctx);
	ioas_enter(ioas);
	ck_assert_int_eq(ioas_unmap(ioas, 0, PAGE_SIZE - 1, UNMAP_UPWARD, &nbytes), 0);
	ioas_leave(ioas);
	ioas_put(ioas);
	ck_assert_uint_eq(nbytes, PAGE_SIZE);
	check_new_mapping_is_clean();
	close_told();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("backend");
	TCase *tcase = tcase_create("backend");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, call_without_a_handle_is_refused);
	tcase_add_test(tcase, call_with_the_handle_of_a_released_container_is_refused);
	tcase_add_loop_test(tcase, release_does_not_wait_for_an_argument_that_faults, 0, 12);
	tcase_add_loop_test(tcase, what_a_report_uses_stays_while_its_bitmap_does_not_come, 0, 20);
	tcase_add_loop_test(tcase, destroy_waits_for_a_report_however_long_that_takes, 0, 2);
	tcase_add_loop_test(tcase, arguments_of_dirty_pages_are_checked, 0, 2);
	tcase_add_test(tcase, call_does_not_wait_in_a_module_that_goes);
	tcase_add_test(tcase, emulated_group_does_not_join_where_half_a_page_is_mapped);
	tcase_add_test(tcase, address_is_not_voided_beside_an_emulated_group);
	tcase_add_test(tcase, question_without_a_handle_is_answered_if_we_serve);
	tcase_add_test(tcase,
		       table_that_is_not_asked_first_any_more_serves_what_it_has_and_no_more);
	tcase_add_test(tcase, table_stays_until_the_module_goes);
	tcase_add_test(tcase, failed_second_registration_is_logged);
	tcase_add_test(tcase, a_module_that_is_no_backend_changes_nothing);
	tcase_add_loop_test(tcase, stock_that_is_loaded_meanwhile_is_not_asked_first, 1, 21);
	tcase_add_test(tcase, failing_registration_leaves_nothing);
	tcase_add_test(tcase, container_without_memory_leaves_nothing);
	tcase_add_test(tcase, info_without_memory_for_its_capabilities_is_refused);
	tcase_add_test(tcase, dma_cc_covers_all_groups_of_all_ioases);
	tcase_add_test(tcase, ioas_that_a_group_is_in_or_leaves_cannot_be_destroyed);
	tcase_add_loop_test(tcase, a_device_without_a_handle_is_not_registered, 0, 2);
	tcase_add_loop_test(tcase, a_pin_that_fails_does_not_share_the_page_of_another_group, 0, 2);
	tcase_add_test(tcase, a_driver_pins_where_an_ioas_is_selected_or_nowhere);
	tcase_add_loop_test(tcase, no_driver_is_called_because_the_last_device_is_closed, 1, 101);
	tcase_add_loop_test(tcase, a_driver_pins_what_the_process_has_by_now_if_it_is_memory, 0,
			    2 * ARRAY_SIZE(replacements));
	tcase_add_loop_test(tcase,
			    an_open_device_keeps_its_pins_when_the_last_one_we_heard_of_closes, 0,
			    ARRAY_SIZE(open_devices));
	tcase_add_test(tcase, a_group_that_joins_makes_one_ioas_at_most);
	tcase_add_test(tcase, argument_whose_second_part_cannot_be_read_is_refused);
	tcase_add_test(tcase, info_is_written_by_whole_members);
	tcase_add_test(tcase, vaddr_void_counts_bytes_of_partial_pages);
	tcase_add_test(tcase, a_nesting_container_says_what_it_is);
	tcase_add_loop_test(tcase, a_container_ends_after_the_calls_that_keep_it, 0, 20);
	tcase_add_test(tcase, what_enters_an_ioas_that_has_ended_finds_none);
	tcase_add_test(tcase, containers_in_one_place_of_the_table_are_told_apart);
	tcase_add_loop_test(tcase, a_join_that_fails_leaves_no_ioas, 0, 2);
	tcase_add_test(tcase, a_group_that_joins_leaves_what_is_selected_meanwhile);
	tcase_add_test(tcase, a_group_joins_once_and_not_without_an_iommu);
	tcase_add_loop_test(tcase, a_group_joins_while_the_selected_ioas_is_destroyed, 0, 10);
	tcase_add_test(tcase, a_group_does_not_join_where_an_address_has_become_void);
	tcase_add_loop_test(tcase, a_dying_process_does_not_wait_to_enter, 0, 3);
	tcase_add_test(tcase, a_device_keeps_its_pins_when_one_of_a_group_with_its_number_closes);
	tcase_add_test(tcase, a_device_keeps_its_pins_when_another_one_of_its_group_closes);
	tcase_add_test(tcase, mappings_go_with_the_last_emulated_group);
	tcase_add_test(tcase, a_pin_at_the_end_of_all_addresses_does_not_go_on_at_the_first);
	tcase_add_test(tcase, a_driver_that_asks_for_nonsense_is_refused);
	tcase_add_loop_test(tcase,
			    tracking_that_begins_during_an_unmap_says_nothing_of_a_later_mapping,
			    0, 2);
	tcase_add_test(tcase, a_write_up_to_the_end_of_a_page_says_nothing_of_the_next);
	tcase_add_test(tcase, native_unmap_says_nothing_of_a_later_mapping);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}

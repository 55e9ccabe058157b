// SPDX-License-Identifier: GPL-2.0-only
/*
 * A native ioctl that fails in the middle leaves nothing behind.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/vfio.h>

#include "lib_fail.h"
#include "lib_native.h"

/* --- the operations */

static uint32_t made;		/* the id of the object that run() made, or 0 */
static int made_fd = -1;
static struct mock made_mock;
static uint32_t other_ioas;
static uint64_t made_iova;	/* the IOVA that run() mapped */

static void nothing(void)
{
}

static void destroy_made(void)
{
	if (made)
		check_eq(object_destroy(rig.fd, made), 0);
	made = 0;
}

static void unmap_everything(void)
{
	check_true(ioas_unmap_all(rig.fd, rig.ioas) >= 0);
	if (other_ioas)
		check_true(ioas_unmap_all(rig.fd, other_ioas) >= 0);
}

static int run_ioas_alloc(void)
{
	struct iommu_ioas_alloc args = { .size = sizeof(args) };
	int ret = native_call(rig.fd, IOMMU_IOAS_ALLOC, &args);

	if (!ret)
		made = args.out_ioas_id;
	return ret;
}

static int run_ioas_allow(void)
{
	const struct iommu_iova_range ranges[] = {
		{ rig.base, rig.base + PAGE - 1 },
		{ rig.base + 4 * PAGE, rig.base + 5 * PAGE - 1 },
		{ rig.base + 2 * PAGE, rig.base + 3 * PAGE - 1 },
	};

	return ioas_allow(rig.fd, rig.ioas, ranges, 3);
}

static void undo_ioas_allow(void)
{
	check_eq(ioas_allow(rig.fd, rig.ioas, NULL, 0), 0);
}

static int run_ioas_ranges(void)
{
	struct ranges ranges;

	return ioas_ranges(rig.fd, rig.ioas, MAX_RANGES, &ranges);
}

static int run_map(void)
{
	return rig_map(rig.base, rig.buffer, BUFFER_BYTES);
}

static int run_map_auto(void)
{
	uint64_t iova;
	int ret = rig_map_auto(rig.buffer, BUFFER_BYTES, &iova);

	if (!ret)
		made_iova = iova;
	return ret;
}

/* The source is mapped before and stays. */
static int run_copy(void)
{
	const struct iova_of from = { rig.ioas, rig.base + PAGE };
	uint64_t iova;
	int ret = ioas_copy_auto(rig.fd, other_ioas, from, 8 * PAGE, IOAS_RW, &iova);

	if (!ret)
		made_iova = iova;
	return ret;
}

static void undo_copy(void)
{
	check_true(ioas_unmap_all(rig.fd, other_ioas) >= 0);
}

static int run_attach(void)
{
	int ret = mock_attach(rig.fd, rig.ioas, &made_mock);

	if (!ret)
		made = made_mock.device;
	return ret;
}

static int run_attach_table(void)
{
	long long hwpt = hwpt_alloc(rig.fd, rig.mock[0].iommu_device, rig.ioas);

	if (hwpt < 0)
		return hwpt;
	made = hwpt;
	return 0;
}

static int run_replace(void)
{
	return mock_replace(rig.fd, &rig.mock[0], other_ioas);
}

static void undo_replace(void)
{
	check_eq(mock_replace(rig.fd, &rig.mock[0], rig.ioas), 0);
}

static int run_access_create(void)
{
	int fd = access_create(rig.fd, rig.ioas, ACCESS_CREATE_NEEDS_PIN);

	made_fd = fd < 0 ? -1 : fd;
	return fd < 0 ? fd : 0;
}

static void close_made(void)
{
	if (made_fd >= 0)
		close(made_fd);
	made_fd = -1;
}

static int run_open(void)
{
	int fd = or_errno(open(iommu_node(), O_RDWR | O_CLOEXEC));

	made_fd = fd < 0 ? -1 : fd;
	return fd < 0 ? fd : 0;
}

static long long pin;

static int run_access_pin(void)
{
	pin = access_pin(rig.fd, made_fd, rig.base + PAGE, NULL, 8 * PAGE,
			 ACCESS_PAGES_WRITE);
	return pin < 0 ? pin : 0;
}

static void undo_access_pin(void)
{
	if (pin > 0)
		check_eq(access_unpin(rig.fd, made_fd, pin), 0);
	pin = 0;
}

static int run_access_rw(void)
{
	char buffer[3 * PAGE];

	return access_rw(rig.fd, made_fd, rig.base + 100, buffer, sizeof(buffer),
			 ACCESS_RW_SLOW_PATH);
}

/* Punches a hole, as type1 allows. */
static int run_cut(void)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = rig.base + 3 * PAGE,
		.size = 2 * PAGE,
	};

	return or_errno(ioctl(rig.fd, VFIO_IOMMU_UNMAP_DMA, &unmap));
}

/* Unmaps everything and maps the whole buffer, before each run. */
static void map_anew(void)
{
	unmap_everything();
	require_eq(run_map(), 0);
}

/* --- the contents that are compared */

static void mix(uint64_t *hash, const void *bytes, size_t nbytes)
{
	for (size_t i = 0; i < nbytes; i++)
		*hash = (*hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3ULL;
}

/* False after a device was moved by a call that could not report its new HWPT. */
static bool knows_tables = true;

/*
 * Hashes each page: whether an access can read it, its contents, and whether the mocks map the page
 * of the buffer.
 */
static void look_at(uint64_t *hash, uint32_t ioas, uint64_t iova)
{
	int access = access_create(rig.fd, ioas, 0);
	unsigned int i, page;
	uint8_t bytes[64];
	int ret;

	require_true(access >= 0);
	for (page = 0; page < BUFFER_PAGES; page++) {
		memset(bytes, 0, sizeof(bytes));
		ret = access_rw(rig.fd, access, iova + page * PAGE + 100, bytes, sizeof(bytes), 0);
		mix(hash, &ret, sizeof(ret));
		mix(hash, bytes, sizeof(bytes));
		for (i = 0; i < rig.nmocks && knows_tables; i++) {
			ret = mock_check_map(rig.fd, rig.mock[i].hwpt, iova + page * PAGE,
					     rig.buffer + page * PAGE, PAGE);
			mix(hash, &ret, sizeof(ret));
		}
	}
	close(access);
}

static uint64_t look(void)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	look_at(&hash, rig.ioas, rig.base);
	if (other_ioas)
		look_at(&hash, other_ioas, rig.base);
	if (made_iova)
		look_at(&hash, other_ioas ?: rig.ioas, made_iova);
	return hash | 1;
}

/* --- the sweeps, each with both counters */

#define DONE_AND_UNDONE(run_it, undo_it)	{ .run = run_it, .undo = undo_it, .look = look }

#define SWEEP_TEST(name, nmocks) \
	static void name##_checks(void); \
	static void name(void) \
	{ use_own_counter(); rig_run(name##_checks, nmocks, 0); } \
	static void name##_whatever_the_kernel_refuses(void) \
	{ use_kernel_counter(); rig_run(name##_checks, nmocks, 0); } \
	static void name##_checks(void)

/* Only with our counter: the kernel's would make the open itself fail, long before our code. */
static void file_is_opened_or_not(void)
{
	const struct operation operation = DONE_AND_UNDONE(run_open, close_made);

	use_own_counter();
	rig_native_open(0);
	sweep(&operation);
	rig_native_close();
}

SWEEP_TEST(ioas_that_cannot_be_made_leaves_nothing, 0)
{
	const struct operation operation = DONE_AND_UNDONE(run_ioas_alloc, destroy_made);

	sweep(&operation);
}

SWEEP_TEST(list_of_allowed_ranges_is_replaced_or_not, 1)
{
	const struct operation operation = DONE_AND_UNDONE(run_ioas_allow, undo_ioas_allow);

	sweep(&operation);
}

SWEEP_TEST(ranges_are_listed_or_not, 1)
{
	const struct operation operation = DONE_AND_UNDONE(run_ioas_ranges, nothing);

	sweep(&operation);
}

SWEEP_TEST(map_into_two_tables_is_done_or_not, 2)
{
	const struct operation operation = DONE_AND_UNDONE(run_map, unmap_everything);

	sweep(&operation);
}

SWEEP_TEST(map_anywhere_is_done_or_not, 1)
{
	const struct operation operation = DONE_AND_UNDONE(run_map_auto, unmap_everything);

	sweep(&operation);
}

SWEEP_TEST(copy_to_a_device_is_done_or_not, 1)
{
	const struct operation operation = DONE_AND_UNDONE(run_copy, undo_copy);
	struct mock mock;

	other_ioas = ioas_alloc(rig.fd);
	require_eq(mock_attach(rig.fd, other_ioas, &mock), 0);
	require_eq(run_map(), 0);
	sweep(&operation);
	check_eq(object_destroy(rig.fd, mock.device), 0);
}

SWEEP_TEST(first_device_is_attached_or_not, 0)
{
	const struct operation operation = DONE_AND_UNDONE(run_attach, destroy_made);

	rig.base = MOCK_APERTURE_START;
	require_eq(rig_map(rig.base, rig.buffer, 8 * PAGE), 0);
	require_eq(rig_map(rig.base + 8 * PAGE, rig.buffer, BUFFER_BYTES), 0);
	sweep(&operation);
}

SWEEP_TEST(another_table_is_filled_or_not, 1)
{
	const struct operation operation = DONE_AND_UNDONE(run_attach_table, destroy_made);

	require_eq(run_map(), 0);
	sweep(&operation);
}

SWEEP_TEST(device_is_moved_or_stays, 1)
{
	const struct operation operation = DONE_AND_UNDONE(run_replace, undo_replace);

	knows_tables = false;
	other_ioas = ioas_alloc(rig.fd);
	require_eq(run_map(), 0);
	require_eq(ioas_map(rig.fd, other_ioas, rig.base, rig.buffer, 8 * PAGE,
			    IOAS_FIXED | IOAS_RW), 0);
	sweep(&operation);
}

SWEEP_TEST(access_is_made_or_not, 1)
{
	const struct operation operation = DONE_AND_UNDONE(run_access_create, close_made);

	sweep(&operation);
}

SWEEP_TEST(pages_are_pinned_for_an_access_or_not, 0)
{
	const struct operation operation = DONE_AND_UNDONE(run_access_pin, undo_access_pin);

	require_eq(run_map(), 0);
	require_eq(run_access_create(), 0);
	sweep(&operation);
	close_made();
}

SWEEP_TEST(pages_of_a_device_are_pinned_for_an_access_or_not, 1)
{
	const struct operation operation = DONE_AND_UNDONE(run_access_pin, undo_access_pin);

	require_eq(run_map(), 0);
	require_eq(run_access_create(), 0);
	sweep(&operation);
	close_made();
}

/* Two holes must be filled. If the second fails, the first is undone, too. */
SWEEP_TEST(pages_around_pinned_ones_are_pinned_or_not, 0)
{
	const struct operation operation = DONE_AND_UNDONE(run_access_pin, undo_access_pin);

	require_eq(run_map(), 0);
	require_eq(run_access_create(), 0);
	require_true(access_pin(rig.fd, made_fd, rig.base + 4 * PAGE, NULL, PAGE, 0) > 0);
	sweep(&operation);
	close_made();
}

SWEEP_TEST(access_reads_or_not, 0)
{
	const struct operation operation = DONE_AND_UNDONE(run_access_rw, nothing);

	require_eq(run_map(), 0);
	require_eq(run_access_create(), 0);
	sweep(&operation);
	close_made();
}

SWEEP_TEST(hole_is_punched_or_not, 1)
{
	/* If the second of two cuts fails, the first stays: two areas with the same pages. */
	const struct operation operation = {
		.run = run_cut, .undo = map_anew, .look = look, .ignore = { " areas=", " runs=" },
	};

	require_eq(option_set(rig.fd, IOMMU_OPTION_HUGE_PAGES, rig.ioas, 0), 0);
	require_eq(vfio_ioas_set(rig.fd, rig.ioas), 0);
	require_eq(run_map(), 0);
	sweep(&operation);
}

/* --- operations that cannot fail */

static int run_unmap_all(void)
{
	long long unmapped = ioas_unmap_all(rig.fd, rig.ioas);

	return unmapped < 0 ? unmapped : 0;
}

static int run_destroy_made(void)
{
	return object_destroy(rig.fd, made);
}

static void unmap_needs_nothing(void)
{
	use_own_counter();
	rig_native_open(2);
	require_eq(run_map(), 0);
	check_that_nothing_fails(run_unmap_all);
	rig_native_close();
}

static void detach_needs_nothing(void)
{
	use_own_counter();
	rig_native_open(1);
	require_eq(run_map(), 0);
	require_eq(run_attach(), 0);
	check_that_nothing_fails(run_destroy_made);
	made = rig.mock[0].device;
	check_that_nothing_fails(run_destroy_made);
	rig.nmocks = 0;
	rig_native_close();
}

static void destroy_needs_nothing(void)
{
	use_own_counter();
	rig_native_open(0);
	require_eq(run_map(), 0);
	made = rig.ioas;
	check_that_nothing_fails(run_destroy_made);
	rig.ioas = ioas_alloc(rig.fd);
	rig_native_close();
}

static int run_unpin(void)
{
	return access_unpin(rig.fd, made_fd, pin);
}

static void unpin_needs_nothing(void)
{
	use_own_counter();
	rig_native_open(0);
	require_eq(run_map(), 0);
	require_eq(run_access_create(), 0);
	require_eq(run_access_pin(), 0);
	check_that_nothing_fails(run_unpin);
	close_made();
	rig_native_close();
}

#define SWEEP_ROWS(name) \
	TEST(name, TAKES_LONG), \
	TEST(name##_whatever_the_kernel_refuses, TAKES_LONG)

static const struct test tests[] = {
	SWEEP_ROWS(ioas_that_cannot_be_made_leaves_nothing),
	SWEEP_ROWS(list_of_allowed_ranges_is_replaced_or_not),
	SWEEP_ROWS(ranges_are_listed_or_not),
	SWEEP_ROWS(map_into_two_tables_is_done_or_not),
	SWEEP_ROWS(map_anywhere_is_done_or_not),
	SWEEP_ROWS(copy_to_a_device_is_done_or_not),
	SWEEP_ROWS(first_device_is_attached_or_not),
	SWEEP_ROWS(another_table_is_filled_or_not),
	SWEEP_ROWS(device_is_moved_or_stays),
	SWEEP_ROWS(access_is_made_or_not),
	SWEEP_ROWS(pages_are_pinned_for_an_access_or_not),
	SWEEP_ROWS(pages_of_a_device_are_pinned_for_an_access_or_not),
	SWEEP_ROWS(pages_around_pinned_ones_are_pinned_or_not),
	SWEEP_ROWS(access_reads_or_not),
	SWEEP_ROWS(hole_is_punched_or_not),
	TEST(file_is_opened_or_not, TAKES_LONG),
	TEST(unmap_needs_nothing, 0),
	TEST(detach_needs_nothing, 0),
	TEST(destroy_needs_nothing, 0),
	TEST(unpin_needs_nothing, 0),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * native_compat.c - the container ioctls on an IOAS of the native interface
 */
#define _GNU_SOURCE
#include "lib_native.h"

#define HALF		MOCK_IO_PAGE
#define BOTH_FLAGS	(VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS)
/* The info struct, DMA_AVAIL and one IOVA range, each padded to 8 bytes */
#define INFO_BYTES	((uint32_t)sizeof(struct vfio_iommu_type1_info))
#define AVAIL_BYTES	16U
#define RANGE_BYTES	32U
#define WHOLE_BYTES	(INFO_BYTES + AVAIL_BYTES + RANGE_BYTES)

static uint64_t base;		/* IOVA of the buffer */

static void run_compat(void (*checks)(void), unsigned long type,
		       unsigned int nmocks)
{
	rig_native_open(nmocks);
	base = MOCK_APERTURE_START;
	check_eq(vfio_ioas_set(rig.fd, rig.ioas), 0);
	check_eq(set_iommu(rig.fd, type), 0);
	checks();
	rig_native_close();
}

/* A test for version 2, and one for version 1, in which an unmap can cut mappings. */
#define V2_TEST(name) \
	static void name##_checks(void); \
	static void name(void) \
	{ run_compat(name##_checks, VFIO_TYPE1v2_IOMMU, 1); } \
	static void name##_checks(void)

#define V1_TEST(name) \
	static void name##_checks(void); \
	static void name(void) \
	{ run_compat(name##_checks, VFIO_TYPE1_IOMMU, 1); } \
	static void name##_without_a_device(void) \
	{ run_compat(name##_checks, VFIO_TYPE1_IOMMU, 0); } \
	static void name##_checks(void)

#define BOTH_TEST(name) \
	static void name##_checks(void); \
	static void name(void) \
	{ run_compat(name##_checks, VFIO_TYPE1v2_IOMMU, 1); } \
	static void name##_in_version_1(void) \
	{ run_compat(name##_checks, VFIO_TYPE1_IOMMU, 1); } \
	static void name##_checks(void)

#define V1_ROWS(name)	TEST(name, 0), TEST(name##_without_a_device, 0)
#define BOTH_ROWS(name)	TEST(name, 0), TEST(name##_in_version_1, 0)

static bool is_version_1(void)
{
	return option_get(rig.fd, IOMMU_OPTION_HUGE_PAGES, rig.ioas) == 0;
}

static int map(uint64_t iova, const void *memory, uint64_t nbytes)
{
	return dma_map(rig.fd, iova, memory, nbytes, RW);
}

/* Returns the result, and the size that was written back in @nbytes. */
static int raw_unmap(uint64_t iova, uint64_t *nbytes)
{
	struct vfio_iommu_type1_dma_unmap command = {
		.argsz = sizeof(command),
		.iova = iova,
		.size = *nbytes,
	};
	int result = native_call(rig.fd, VFIO_IOMMU_UNMAP_DMA, &command);

	*nbytes = command.size;
	return result;
}

/* Returns the number of bytes unmapped, or -errno. */
static long long unmap(uint64_t iova, uint64_t nbytes)
{
	int result = raw_unmap(iova, &nbytes);

	return result ? result : (long long)nbytes;
}

static void map_buffer(void)
{
	require_eq(map(base, rig.buffer, BUFFER_BYTES), 0);
}

static uint64_t page(unsigned int n)
{
	return base + n * PAGE;
}

/* --- SET_IOMMU and extensions */

V2_TEST(version_2_leaves_huge_pages_on)
{
	check_eq(option_get(rig.fd, IOMMU_OPTION_HUGE_PAGES, rig.ioas), 1);
	check_eq(ioas_alignment(rig.fd, rig.ioas), HALF);
}

V1_TEST(version_1_switches_huge_pages_off)
{
	check_eq(option_get(rig.fd, IOMMU_OPTION_HUGE_PAGES, rig.ioas), 0);
	check_eq(ioas_alignment(rig.fd, rig.ioas), PAGE);
	/* Version 2 leaves them off. */
	check_eq(set_iommu(rig.fd, VFIO_TYPE1v2_IOMMU), 0);
	check_eq(option_get(rig.fd, IOMMU_OPTION_HUGE_PAGES, rig.ioas), 0);
}

BOTH_TEST(set_iommu_may_be_repeated)
{
	unsigned long type = is_version_1() ? VFIO_TYPE1_IOMMU
					    : VFIO_TYPE1v2_IOMMU;

	check_eq(set_iommu(rig.fd, type), 0);
	check_eq(set_iommu(rig.fd, VFIO_TYPE1_NESTING_IOMMU), -EINVAL);
	check_eq(set_iommu(rig.fd, 0), -EINVAL);
	map_buffer();
	check_eq(set_iommu(rig.fd, type), 0);
	check_eq(unmap(base, BUFFER_BYTES), BUFFER_BYTES);
}

V2_TEST(version_1_is_refused_once_a_device_has_mappings)
{
	map_buffer();
	check_eq(set_iommu(rig.fd, VFIO_TYPE1_IOMMU), -EINVAL);
	check_eq(unmap(base, BUFFER_BYTES), BUFFER_BYTES);
	check_eq(set_iommu(rig.fd, VFIO_TYPE1_IOMMU), 0);
}

static void version_1_is_refused_where_mappings_are_not_whole_pages(void)
{
	rig_native_open(0);
	check_eq(vfio_ioas_set(rig.fd, rig.ioas), 0);
	check_eq(rig_map(HALF, rig.buffer, HALF), 0);
	check_eq(set_iommu(rig.fd, VFIO_TYPE1_IOMMU), -EADDRINUSE);
	rig_native_close();
}

V2_TEST(extensions_are_those_of_type1)
{
	static const struct {
		unsigned long extension;
		int answer;
	} cases[] = {
		{ VFIO_TYPE1_IOMMU, 1 }, { VFIO_SPAPR_TCE_IOMMU, 0 },
		{ VFIO_TYPE1v2_IOMMU, 1 },
		{ VFIO_EEH, 0 }, { VFIO_TYPE1_NESTING_IOMMU, 0 },
		{ VFIO_SPAPR_TCE_v2_IOMMU, 0 }, { VFIO_UNMAP_ALL, 1 },
		{ VFIO_UPDATE_VADDR, 0 }, { 0, 0 }, { 1000, 0 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		context("extension %lu", cases[i].extension);
		check_eq(vfio_call(rig.fd, VFIO_CHECK_EXTENSION,
				   cases[i].extension), cases[i].answer);
	}
}

static void dma_cc_is_1_without_a_domain(void)
{
	rig_native_open(0);
	check_eq(vfio_call(rig.fd, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU),
		 -ENODEV);
	check_eq(vfio_ioas_set(rig.fd, rig.ioas), 0);
	check_eq(vfio_call(rig.fd, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU),
		 1);
	rig_native_close();
}

/* --- GET_INFO */

#define UNTOUCHED	0xaa

static int get_info(struct info *info, uint32_t argsz)
{
	memset(info, UNTOUCHED, sizeof(*info));
	info->fixed.argsz = argsz;
	info->fixed.flags = 0;
	return native_call(rig.fd, VFIO_IOMMU_GET_INFO, info);
}

static void check_untouched_from(const struct info *info, uint32_t first)
{
	uint32_t i;

	for (i = first; i < sizeof(info->bytes); i++)
		if (!check_eq(info->bytes[i], UNTOUCHED))
			return;
}

BOTH_TEST(info_tells_page_sizes)
{
	struct info info;
	uint32_t argsz;

	for (argsz = 0; argsz < 16; argsz++)
		check_eq(get_info(&info, argsz), -EINVAL);
	check_eq(get_info(&info, 16), 0);
	check_eq(info.fixed.flags, BOTH_FLAGS);
	check_eq(info.fixed.argsz, WHOLE_BYTES);
	/* The page sizes of the mock are too small for VFIO. */
	check_eq(info.fixed.iova_pgsizes, PAGE);
	check_untouched_from(&info, 16);
}

static void info_without_a_device_tells_all_page_sizes(void)
{
	struct info info;

	rig_native_open(0);
	check_eq(vfio_ioas_set(rig.fd, rig.ioas), 0);
	check_eq(info_get(rig.fd, &info), 0);
	check_eq(info.fixed.flags, BOTH_FLAGS);
	check_eq(info.fixed.iova_pgsizes, -PAGE);
	check_eq(info.fixed.argsz, WHOLE_BYTES);
	rig_native_close();
}

BOTH_TEST(info_that_is_too_short_has_no_chain)
{
	struct info info;
	uint32_t argsz;

	for (argsz = 16; argsz < WHOLE_BYTES; argsz++) {
		context("argsz %u", argsz);
		check_eq(get_info(&info, argsz), 0);
		check_eq(info.fixed.argsz, WHOLE_BYTES);
		check_eq(info.fixed.flags, BOTH_FLAGS);
		if (argsz >= 20)
			check_eq(info.fixed.cap_offset, 0);
		check_untouched_from(&info, argsz);
	}
}

static void check_chain(const struct info *info)
{
	const struct vfio_iommu_type1_info_dma_avail *avail;
	const struct vfio_iommu_type1_info_cap_iova_range *range;

	require_eq(info->fixed.cap_offset, INFO_BYTES);
	avail = (const void *)(info->bytes + INFO_BYTES);
	check_eq(avail->header.id, VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL);
	check_eq(avail->header.version, 1);
	check_eq(avail->avail, UINT32_MAX);
	require_eq(avail->header.next, INFO_BYTES + AVAIL_BYTES);
	range = (const void *)(info->bytes + avail->header.next);
	check_eq(range->header.id, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
	check_eq(range->header.version, 1);
	check_eq(range->header.next, 0);
	check_eq(range->nr_iovas, 1);
	check_eq(range->reserved, 0);
	check_eq(range->iova_ranges[0].start, MOCK_APERTURE_START);
	check_eq(range->iova_ranges[0].end, MOCK_APERTURE_LAST);
}

BOTH_TEST(info_that_is_long_enough_has_the_chain)
{
	uint32_t argsz;

	for (argsz = WHOLE_BYTES; argsz < WHOLE_BYTES + 20; argsz++) {
		struct info info;

		context("argsz %u", argsz);
		check_eq(get_info(&info, argsz), 0);
		check_eq(info.fixed.argsz, WHOLE_BYTES);
		check_eq(info.fixed.flags, BOTH_FLAGS);
		check_chain(&info);
		check_untouched_from(&info, WHOLE_BYTES);
	}
}

V2_TEST(info_grows_with_the_ranges)
{
	const struct vfio_iommu_type1_info_cap_iova_range *range;
	const uint32_t whole = WHOLE_BYTES + 2 * 16;
	struct info info;

	check_eq(add_reserved(rig.fd, rig.ioas, page(1), PAGE), 0);
	check_eq(add_reserved(rig.fd, rig.ioas, page(3), PAGE), 0);
	check_eq(get_info(&info, whole - 1), 0);
	check_eq(info.fixed.argsz, whole);
	check_eq(info.fixed.cap_offset, 0);
	check_untouched_from(&info, whole - 1);
	check_eq(get_info(&info, whole), 0);
	check_untouched_from(&info, whole);
	range = (const void *)info_cap(&info,
				       VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
	require_true(range);
	check_eq(range->nr_iovas, 3);
	check_eq(range->iova_ranges[1].start, page(2));
	check_eq(range->iova_ranges[1].end, page(3) - 1);
	check_eq(range->iova_ranges[2].start, page(4));
}

V2_TEST(info_that_cannot_be_told_is_an_error)
{
	struct vfio_iommu_type1_info *info = mem_alloc(PAGE);

	info->argsz = sizeof(*info);
	require_eq(or_errno(mprotect(info, PAGE, PROT_READ)), 0);
	check_eq(native_call(rig.fd, VFIO_IOMMU_GET_INFO, info), -EFAULT);
	mem_free(info, PAGE);
}

/* --- maps and unmaps */

BOTH_TEST(what_is_mapped_is_unmapped)
{
	map_buffer();
	rig_check_map(base, rig.buffer, BUFFER_BYTES);
	rig_check_refs(1);
	check_eq(unmap(base, BUFFER_BYTES), BUFFER_BYTES);
	rig_check_refs(0);
	check_eq(unmap(base, BUFFER_BYTES), 0);
}

BOTH_TEST(pages_are_unmapped_in_any_order)
{
	unsigned int i;

	for (i = 0; i < BUFFER_PAGES; i++)
		check_eq(map(page(i), rig.buffer + i * PAGE, PAGE), 0);
	for (i = 0; i < BUFFER_PAGES; i++)
		check_eq(unmap(page(i * 7 % BUFFER_PAGES), PAGE), PAGE);
	rig_check_refs(0);
}

BOTH_TEST(everything_is_unmapped_with_a_flag)
{
	uint32_t all = VFIO_DMA_UNMAP_FLAG_ALL;

	check_eq(dma_unmap_all(rig.fd), 0);
	map_buffer();
	check_eq(dma_unmap_flags(rig.fd, base, BUFFER_BYTES, all), -EINVAL);
	check_eq(dma_unmap_flags(rig.fd, 0, BUFFER_BYTES, all), -EINVAL);
	check_eq(dma_unmap_flags(rig.fd, base, 0, all), -EINVAL);
	check_eq(dma_unmap_all(rig.fd), BUFFER_BYTES);
	check_eq(dma_unmap_all(rig.fd), 0);
}

BOTH_TEST(unknown_flags_of_maps_are_refused)
{
	uint32_t bit;

	for (bit = 4; bit; bit <<= 1)
		check_eq(dma_map(rig.fd, base, rig.buffer, PAGE, RW | bit),
			 -EINVAL);
	map_buffer();
	for (bit = 1; bit; bit <<= 1)
		if (bit != VFIO_DMA_UNMAP_FLAG_ALL)
			check_eq(dma_unmap_flags(rig.fd, base, BUFFER_BYTES,
						 bit), -EINVAL);
	rig_check_map(base, rig.buffer, BUFFER_BYTES);
	check_eq(vfio_call(rig.fd, VFIO_IOMMU_DIRTY_PAGES,
			   (unsigned long)rig.buffer), -ENOTTY);
}

/* The errors are those of native maps. */
BOTH_TEST(impossible_maps_are_refused)
{
	uint64_t top_page = UINT64_MAX - PAGE + 1;

	map_buffer();
	check_eq(map(base, rig.buffer, PAGE), -EEXIST);
	check_eq(map(page(16), rig.buffer, 0), -EINVAL);
	check_eq(map(page(16) + 1, rig.buffer, PAGE), -EINVAL);
	check_eq(map(page(16), rig.buffer + 1, PAGE), -EINVAL);
	check_eq(map(page(16), rig.buffer, PAGE + 1), -EINVAL);
	check_eq(map(0, rig.buffer, PAGE), -EINVAL);
	check_eq(map(top_page, rig.buffer, 2 * PAGE), -EOVERFLOW);
	check_eq(map(page(16), mem_reserve(PAGE), PAGE), -EFAULT);
	check_eq(unmap(base, BUFFER_BYTES), BUFFER_BYTES);
}

BOTH_TEST(maps_without_any_right_are_accepted)
{
	check_eq(dma_map(rig.fd, base, rig.buffer, PAGE, 0), 0);
	check_eq(unmap(base, PAGE), PAGE);
	check_eq(dma_map(rig.fd, base, rig.buffer, PAGE, RO), 0);
	check_eq(dma_map(rig.fd, page(1), rig.buffer, PAGE, WO), 0);
}

BOTH_TEST(mapping_has_the_rights_that_were_asked_for)
{
	int access = access_create(rig.fd, rig.ioas, 0);
	uint8_t byte = 1;

	require_true(access >= 0);
	check_eq(dma_map(rig.fd, page(0), rig.buffer, PAGE, RO), 0);
	check_eq(dma_map(rig.fd, page(2), rig.buffer, PAGE, WO), 0);
	check_eq(access_rw(rig.fd, access, page(0), &byte, 1, 0), 0);
	check_eq(access_rw(rig.fd, access, page(0), &byte, 1, ACCESS_RW_WRITE), -EPERM);
	check_eq(access_rw(rig.fd, access, page(2), &byte, 1, 0), -EPERM);
	byte ^= 1;
	check_eq(access_rw(rig.fd, access, page(2), &byte, 1, ACCESS_RW_WRITE), 0);
	check_eq(rig.buffer[0], byte);
	close(access);
}

/* A struct that cannot be read as a whole is reported before its contents. */
BOTH_TEST(argument_that_cannot_be_read_is_the_first_error)
{
	static const struct {
		unsigned long command;
		uint32_t nbytes;
	} cases[] = {
		{ VFIO_IOMMU_GET_INFO, 16 },
		{ VFIO_IOMMU_MAP_DMA, sizeof(struct vfio_iommu_type1_dma_map) },
		{ VFIO_IOMMU_UNMAP_DMA, sizeof(struct vfio_iommu_type1_dma_unmap) },
	};
	uint8_t *memory = mem_alloc(2 * PAGE);
	unsigned int i;

	require_eq(or_errno(mprotect(memory + PAGE, PAGE, PROT_NONE)), 0);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t *argument = memory + PAGE - cases[i].nbytes;
		const uint32_t too_short[2] = { 8, ~0U };

		context("command %u", i);
		memset(argument, 0, cases[i].nbytes);
		memcpy(argument, too_short, sizeof(too_short));
		check_eq(native_call(rig.fd, cases[i].command, argument), -EINVAL);
		argument = memory + PAGE - sizeof(too_short);
		memcpy(argument, too_short, sizeof(too_short));
		check_eq(native_call(rig.fd, cases[i].command, argument), -EFAULT);
	}
	mem_free(memory, 2 * PAGE);
}

V2_TEST(version_2_does_not_cut_mappings)
{
	unsigned int i;

	map_buffer();
	for (i = 0; i < BUFFER_PAGES; i++) {
		uint64_t nbytes = PAGE;

		check_eq(raw_unmap(page(i), &nbytes), -ENOENT);
		check_eq(nbytes, 0);
	}
	check_eq(unmap(page(8), BUFFER_BYTES), -ENOENT);
	rig_check_map(base, rig.buffer, BUFFER_BYTES);
	check_eq(unmap(base, BUFFER_BYTES), BUFFER_BYTES);
}

/* The unmap goes upward until it fails, and reports how far it came. */
V2_TEST(unmap_that_fails_tells_what_it_removed)
{
	uint64_t nbytes = 8 * PAGE;

	check_eq(map(page(0), rig.buffer, 4 * PAGE), 0);
	check_eq(map(page(4), rig.buffer + 4 * PAGE, 8 * PAGE), 0);
	check_eq(raw_unmap(page(0), &nbytes), -ENOENT);
	check_eq(nbytes, 4 * PAGE);
	rig_check_map(page(4), rig.buffer + 4 * PAGE, 8 * PAGE);
	check_eq(dma_unmap_all(rig.fd), 8 * PAGE);
}

V1_TEST(version_1_unmaps_any_part_in_any_order)
{
	unsigned int i;

	map_buffer();
	for (i = 0; i < BUFFER_PAGES; i++) {
		unsigned int n = (i * 7 + 3) % BUFFER_PAGES;

		check_eq(unmap(page(n), PAGE), PAGE);
		check_eq(check_refs(rig.fd, rig.buffer + n * PAGE, PAGE, 0), 0);
		check_eq(unmap(page(n), PAGE), 0);
	}
	rig_check_refs(0);
}

V1_TEST(version_1_punches_holes)
{
	map_buffer();
	check_eq(unmap(page(4), 3 * PAGE), 3 * PAGE);
	rig_check_map(base, rig.buffer, 4 * PAGE);
	rig_check_map(page(7), rig.buffer + 7 * PAGE, 9 * PAGE);
	check_eq(map(page(4), rig.buffer + 9 * PAGE, 3 * PAGE), 0);
	rig_check_map(page(4), rig.buffer + 9 * PAGE, 3 * PAGE);
	/* A range over three mappings cuts the outer two. */
	check_eq(unmap(page(2), 8 * PAGE), 8 * PAGE);
	rig_check_map(base, rig.buffer, 2 * PAGE);
	rig_check_map(page(10), rig.buffer + 10 * PAGE, 6 * PAGE);
	check_eq(dma_unmap_all(rig.fd), 8 * PAGE);
	rig_check_refs(0);
}

V1_TEST(version_1_cuts_off_both_ends)
{
	map_buffer();
	check_eq(unmap(base, 2 * PAGE), 2 * PAGE);
	check_eq(unmap(page(14), 2 * PAGE), 2 * PAGE);
	check_eq(unmap(page(0), 3 * PAGE), PAGE);
	check_eq(unmap(page(13), 3 * PAGE), PAGE);
	rig_check_map(page(3), rig.buffer + 3 * PAGE, 10 * PAGE);
	check_eq(unmap(base, BUFFER_BYTES), 10 * PAGE);
}

V1_TEST(version_1_cuts_between_pages_only)
{
	map_buffer();
	check_eq(unmap(page(4), HALF), -EINVAL);
	check_eq(unmap(page(4) + HALF, PAGE), -EINVAL);
	check_eq(unmap(page(4) + 1, PAGE - 1), -EINVAL);
	rig_check_map(base, rig.buffer, BUFFER_BYTES);
	check_eq(unmap(base, BUFFER_BYTES), BUFFER_BYTES);
}

/* Nothing was unmapped, so nothing has to be written back. */
V1_TEST(failed_cut_returns_its_error_with_a_read_only_argument)
{
	struct vfio_iommu_type1_dma_unmap *command;

	map_buffer();
	command = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	require_true(command != MAP_FAILED);
	*command = (struct vfio_iommu_type1_dma_unmap){
		.argsz = sizeof(*command),
		.iova = page(4),
		.size = HALF,
	};
	require_eq(or_errno(mprotect(command, PAGE, PROT_READ)), 0);
	check_eq(or_errno(ioctl(rig.fd, VFIO_IOMMU_UNMAP_DMA, command)), -EINVAL);
	require_eq(or_errno(munmap(command, PAGE)), 0);
	rig_check_map(base, rig.buffer, BUFFER_BYTES);
	check_eq(dma_unmap_all(rig.fd), BUFFER_BYTES);
}

/* A later HWPT maps the rest, and the first one may go. */
V1_TEST(cut_mappings_are_shown_by_tables_that_come_later)
{
	struct mock mock;

	map_buffer();
	check_eq(unmap(page(4), 3 * PAGE), 3 * PAGE);
	check_eq(mock_attach(rig.fd, rig.ioas, &mock), 0);
	check_eq(mock_check_map(rig.fd, mock.hwpt, base, rig.buffer, 4 * PAGE),
		 0);
	check_eq(mock_check_map(rig.fd, mock.hwpt, page(7),
				rig.buffer + 7 * PAGE, 9 * PAGE), 0);
	check_eq(check_refs(rig.fd, rig.buffer, 4 * PAGE, 1), 0);
	check_eq(check_refs(rig.fd, rig.buffer + 4 * PAGE, 3 * PAGE, 0), 0);
	check_eq(unmap(page(9), PAGE), PAGE);
	if (rig.nmocks)
		check_eq(object_destroy(rig.fd, rig.mock[0].device), 0);
	check_eq(mock_check_map(rig.fd, mock.hwpt, page(10),
				rig.buffer + 10 * PAGE, 6 * PAGE), 0);
	check_eq(unmap(page(2), PAGE), PAGE);
	check_eq(object_destroy(rig.fd, mock.device), 0);
	rig_check_refs(0);
	check_eq(dma_unmap_all(rig.fd), 11 * PAGE);
}

/* A pin anywhere in a mapping keeps an unmap from cutting it. */
V1_TEST(mapping_with_pins_in_it_is_not_cut)
{
	int access = access_create(rig.fd, rig.ioas, ACCESS_CREATE_NEEDS_PIN);
	long long pin;

	require_true(access >= 0);
	map_buffer();
	pin = access_pin(rig.fd, access, page(0), rig.buffer, PAGE, 0);
	require_true(pin >= 0);
	check_eq(unmap(page(8), PAGE), -EINVAL);
	check_eq(check_refs(rig.fd, rig.buffer, PAGE, 1), 0);
	/* The mapping can be unmapped as a whole. */
	check_eq(unmap(base, BUFFER_BYTES), BUFFER_BYTES);
	rig_check_refs(0);
	/* An access without a pin does not keep an unmap from cutting the mapping. */
	map_buffer();
	check_eq(unmap(page(8), PAGE), PAGE);
	pin = access_pin(rig.fd, access, page(9), rig.buffer + 9 * PAGE, PAGE,
			 0);
	check_true(pin >= 0);
	check_eq(unmap(page(2), PAGE), PAGE);
	close(access);
}

BOTH_TEST(impossible_unmaps_are_refused)
{
	uint64_t top_page = UINT64_MAX - PAGE + 1;
	uint64_t nbytes = 0;

	map_buffer();
	check_eq(raw_unmap(base, &nbytes), -EINVAL);
	check_eq(nbytes, 0);
	nbytes = 2 * PAGE;
	check_eq(raw_unmap(top_page, &nbytes), -EOVERFLOW);
	check_eq(nbytes, 0);
	check_true(unmap(base, UINT64_MAX) < 0);
	check_eq(unmap(page(4), 1), is_version_1() ? -EINVAL : -ENOENT);
	check_eq(unmap(page(16), 1), 0);
	/* The range wraps, and both its ends are inside the mapping. */
	nbytes = -(uint64_t)(4 * PAGE);
	check_eq(raw_unmap(page(8), &nbytes), -EOVERFLOW);
	check_eq(nbytes, 0);
	rig_check_map(base, rig.buffer, BUFFER_BYTES);
	check_eq(unmap(base, BUFFER_BYTES), BUFFER_BYTES);
}

/* Version 1 can unmap each part of a huge page, version 2 none. */
BOTH_TEST(huge_pages_are_cut_in_version_1)
{
	uint64_t nbytes = 2 * HUGE_BYTES;
	uint64_t part = nbytes / 16;
	uint8_t *memory = mem_alloc_hugetlb(nbytes);
	unsigned int i;

	if (!memory)
		skip("no huge pages");
	check_eq(map(base, memory, nbytes), 0);
	for (i = 0; i < 16; i++) {
		unsigned int n = (i * 5 + 2) % 16;

		check_eq(unmap(base + n * part, part),
			 is_version_1() ? (long long)part : -ENOENT);
	}
	check_eq(dma_unmap_all(rig.fd), is_version_1() ? 0 : nbytes);
	mem_free(memory, nbytes);
}

/* --- the IOAS of the container ioctls */

BOTH_TEST(container_and_native_ioctls_see_the_same_mappings)
{
	map_buffer();
	check_eq(rig_map(page(4), rig.buffer, PAGE), -EEXIST);
	check_eq(rig_map(page(16), rig.buffer, PAGE), 0);
	check_eq(unmap(page(16), PAGE), PAGE);
	check_eq(rig_unmap(base, BUFFER_BYTES), BUFFER_BYTES);
	check_eq(unmap(base, BUFFER_BYTES), 0);
}

BOTH_TEST(container_ioctls_use_the_selected_ioas)
{
	uint32_t other = ioas_alloc(rig.fd);

	map_buffer();
	check_eq(vfio_ioas_set(rig.fd, other), 0);
	check_eq(map(base, rig.buffer, PAGE), 0);
	check_eq(ioas_unmap_all(rig.fd, other), PAGE);
	rig_check_map(base, rig.buffer, BUFFER_BYTES);
	check_eq(vfio_ioas_clear(rig.fd), 0);
	check_eq(map(base, rig.buffer, PAGE), -ENODEV);
	check_eq(unmap(base, PAGE), -ENODEV);
	rig_check_map(base, rig.buffer, BUFFER_BYTES);
	check_eq(vfio_ioas_set(rig.fd, other), 0);
	check_eq(object_destroy(rig.fd, other), 0);
	check_eq(map(base, rig.buffer, PAGE), -ENODEV);
}

static const struct test tests[] = {
	TEST(version_2_leaves_huge_pages_on, 0),
	V1_ROWS(version_1_switches_huge_pages_off),
	BOTH_ROWS(set_iommu_may_be_repeated),
	TEST(version_1_is_refused_once_a_device_has_mappings, 0),
	TEST(version_1_is_refused_where_mappings_are_not_whole_pages, 0),
	TEST(extensions_are_those_of_type1, 0),
	TEST(dma_cc_is_1_without_a_domain, 0),
	BOTH_ROWS(info_tells_page_sizes),
	TEST(info_without_a_device_tells_all_page_sizes, 0),
	BOTH_ROWS(info_that_is_too_short_has_no_chain),
	BOTH_ROWS(info_that_is_long_enough_has_the_chain),
	TEST(info_grows_with_the_ranges, 0),
	TEST(info_that_cannot_be_told_is_an_error, 0),
	BOTH_ROWS(what_is_mapped_is_unmapped),
	BOTH_ROWS(pages_are_unmapped_in_any_order),
	BOTH_ROWS(everything_is_unmapped_with_a_flag),
	BOTH_ROWS(unknown_flags_of_maps_are_refused),
	BOTH_ROWS(impossible_maps_are_refused),
	BOTH_ROWS(maps_without_any_right_are_accepted),
	BOTH_ROWS(mapping_has_the_rights_that_were_asked_for),
	BOTH_ROWS(argument_that_cannot_be_read_is_the_first_error),
	TEST(version_2_does_not_cut_mappings, 0),
	TEST(unmap_that_fails_tells_what_it_removed, 0),
	V1_ROWS(version_1_unmaps_any_part_in_any_order),
	V1_ROWS(version_1_punches_holes),
	V1_ROWS(version_1_cuts_off_both_ends),
	V1_ROWS(version_1_cuts_between_pages_only),
	V1_ROWS(failed_cut_returns_its_error_with_a_read_only_argument),
	V1_ROWS(cut_mappings_are_shown_by_tables_that_come_later),
	V1_ROWS(mapping_with_pins_in_it_is_not_cut),
	BOTH_ROWS(impossible_unmaps_are_refused),
	BOTH_ROWS(huge_pages_are_cut_in_version_1),
	BOTH_ROWS(container_and_native_ioctls_see_the_same_mappings),
	BOTH_ROWS(container_ioctls_use_the_selected_ioas),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}

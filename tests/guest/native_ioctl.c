// SPDX-License-Identifier: GPL-2.0-only
/*
 * native_ioctl.c - rules for all native ioctls: numbers, sizes, ids; and OPTION, VFIO_IOAS, DESTROY
 * without devices
 */
#define _GNU_SOURCE
#include "lib_native.h"

#define COMMAND(nr)	_IO(';', (nr))
#define MAX_STRUCT	80U
#define FIRST_NR	0x80U
#define LAST_BASE_NR	0x89U
#define LAST_6_12_NR	0x8eU
#define LAST_NR		0x94U

/* A field to set in an argument of zeroes. */
struct field {
	uint8_t offset;		/* 0: no field, since the size is always at 0 */
	uint8_t value;
};

/*
 * Each command with its sizes, and an argument that has no effect. Its errno (0: success that
 * leaves nothing behind) shows that the size was accepted.
 */
struct command {
	uint8_t nr;
	uint8_t nbytes;		/* size of the struct today */
	uint8_t min_bytes;	/* size of its first version */
	int16_t answer;
	struct field set[2];
};

static const struct command commands[] = {
	{ 0x80, 8, 8, -ENOENT, { { 0 } } },			/* DESTROY */
	{ 0x81, 12, 12, -EOPNOTSUPP, { { 4, 1 } } },		/* IOAS_ALLOC */
	{ 0x82, 24, 24, -ENOENT, { { 0 } } },			/* ALLOW_IOVAS */
	{ 0x83, 40, 40, -ENOENT, { { 4, 4 }, { 16, 1 } } },	/* COPY */
	{ 0x84, 32, 32, -ENOENT, { { 0 } } },			/* IOVA_RANGES */
	{ 0x85, 40, 40, -ENOENT, { { 4, 4 }, { 24, 1 } } },	/* MAP */
	{ 0x86, 24, 24, -ENOENT, { { 16, 1 } } },		/* UNMAP */
	{ 0x87, 24, 24, -ENOENT, { { 4, 1 }, { 8, 1 } } },	/* OPTION */
	{ 0x88, 12, 12, -ENODEV, { { 0 } } },			/* VFIO_IOAS */
	{ 0x89, 48, 24, -ENOENT, { { 0 } } },			/* HWPT_ALLOC */
	{ 0x8a, 40, 32, -ENOENT, { { 0 } } },			/* GET_HW_INFO */
	{ 0x8b, 16, 16, -ENOENT, { { 0 } } },			/* SET_DIRTY */
	{ 0x8c, 48, 48, -ENOENT, { { 0 } } },			/* GET_DIRTY */
	{ 0x8d, 32, 32, -EOPNOTSUPP, { { 28, 1 } } },		/* INVALIDATE */
	{ 0x8e, 16, 16, -EOPNOTSUPP, { { 4, 1 } } },		/* FAULT_QUEUE */
	{ 0x8f, 40, 40, -ENOENT, { { 4, 4 }, { 24, 1 } } },	/* MAP_FILE */
	{ 0x90, 40, 24, -EOPNOTSUPP, { { 0 } } },		/* VIOMMU */
	{ 0x91, 24, 24, -ENOENT, { { 0 } } },			/* VDEVICE */
	{ 0x92, 8, 8, -EOPNOTSUPP, { { 4, 1 } } },		/* CHANGE_PROCESS */
	{ 0x93, 32, 28, -EOPNOTSUPP, { { 0 } } },		/* VEVENTQ */
	{ 0x94, 40, 40, -EOPNOTSUPP, { { 0 } } },		/* HW_QUEUE */
};

static int fd;

/* Fills in the argument with a size of @nbytes. */
static void argument_of(const struct command *command, uint32_t nbytes,
			uint8_t *argument)
{
	unsigned int i;

	memset(argument, 0, MAX_STRUCT);
	for (i = 0; i < ARRAY_SIZE(command->set); i++)
		if (command->set[i].offset)
			argument[command->set[i].offset] = command->set[i].value;
	memcpy(argument, &nbytes, sizeof(nbytes));
}

static int call_with_size(const struct command *command, uint32_t nbytes)
{
	uint8_t argument[MAX_STRUCT];

	argument_of(command, nbytes, argument);
	return native_call(fd, COMMAND(command->nr), argument);
}

/* A command that we cannot serve may return EOPNOTSUPP for any argument. */
static void check_answer(const struct command *command, int got)
{
	if (command->nr > LAST_BASE_NR && got == -EOPNOTSUPP)
		return;
	check_eq(got, command->answer);
}

typedef void (*command_check)(const struct command *command);

static void for_commands(uint8_t first_nr, uint8_t last_nr, command_check check)
{
	unsigned int i;

	fd = native_open();
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (commands[i].nr < first_nr || commands[i].nr > last_nr)
			continue;
		context("command 0x%x", commands[i].nr);
		check(&commands[i]);
	}
	context("%s", "");
	close(fd);
}

/* Two tests of all commands: those that 6.12 has, and later ones. */
#define COMMAND_TEST(name) \
	static void name##_check(const struct command *command); \
	static void name(void) \
	{ for_commands(FIRST_NR, LAST_6_12_NR, name##_check); } \
	static void name##_of_later_commands(void) \
	{ \
		not_on_peer("its last command is 0x8e"); \
		for_commands(LAST_6_12_NR + 1, LAST_NR, name##_check); \
	} \
	static void name##_check(const struct command *command)

#define COMMAND_ROWS(name)	TEST(name, 0), TEST(name##_of_later_commands, 0)

COMMAND_TEST(too_short_a_struct_is_refused)
{
	uint32_t nbytes;

	for (nbytes = 0; nbytes < command->min_bytes; nbytes++)
		check_eq(call_with_size(command, nbytes), -EINVAL);
}

COMMAND_TEST(every_size_from_the_first_to_the_newest_is_accepted)
{
	uint32_t nbytes;

	for (nbytes = command->min_bytes; nbytes <= command->nbytes; nbytes++)
		check_answer(command, call_with_size(command, nbytes));
}

COMMAND_TEST(longer_struct_with_zero_tail_is_accepted)
{
	check_answer(command, call_with_size(command, command->nbytes + 1U));
	check_answer(command, call_with_size(command, command->nbytes + 8U));
	check_answer(command, call_with_size(command, MAX_STRUCT));
}

COMMAND_TEST(longer_struct_with_something_in_its_tail_is_refused)
{
	uint8_t argument[MAX_STRUCT];
	uint32_t at;

	for (at = command->nbytes; at < MAX_STRUCT; at++) {
		argument_of(command, MAX_STRUCT, argument);
		argument[at] = 1;
		check_eq(native_call(fd, COMMAND(command->nr), argument),
			 -E2BIG);
	}
}

COMMAND_TEST(argument_that_cannot_be_read_is_refused)
{
	uint8_t *memory = mem_alloc(2 * PAGE);
	uint8_t *argument = memory + PAGE - command->nbytes;
	uint8_t whole[MAX_STRUCT];

	check_eq(native_call(fd, COMMAND(command->nr), NULL), -EFAULT);
	require_eq(or_errno(munmap(memory + PAGE, PAGE)), 0);
	/* The argument just fits; its known part, then its tail, reaches into unmapped memory. */
	argument_of(command, command->nbytes, whole);
	memcpy(argument, whole, command->nbytes);
	check_answer(command, native_call(fd, COMMAND(command->nr), argument));
	argument += 4;
	memcpy(argument, whole, command->nbytes - 4U);
	check_eq(native_call(fd, COMMAND(command->nr), argument), -EFAULT);
	argument_of(command, command->nbytes + 8U, whole);
	argument -= 4;
	memcpy(argument, whole, command->nbytes);
	check_eq(native_call(fd, COMMAND(command->nr), argument), -EFAULT);
	mem_free(memory, PAGE);
}

COMMAND_TEST(command_of_another_encoding_is_unknown)
{
	uint8_t argument[MAX_STRUCT];

	argument_of(command, command->nbytes, argument);
	check_eq(native_call(fd, _IOWR(';', command->nr, uint64_t), argument),
		 -ENOTTY);
	check_eq(native_call(fd, _IO(':', command->nr), argument), -ENOTTY);
}

static void commands_that_do_not_exist_are_unknown(void)
{
	uint8_t argument[MAX_STRUCT] = { MAX_STRUCT };
	unsigned int nr;

	fd = native_open();
	for (nr = 0x76; nr <= 0xff; nr++) {
		if ((nr >= FIRST_NR && nr <= LAST_NR) || nr == 0xa0)
			continue;
		context("command 0x%x", nr);
		check_eq(native_call(fd, COMMAND(nr), argument), -ENOTTY);
		/* The argument is not read. In-tree iommufd reads it below its last number. */
		if (!is_peer() || nr > 0xa0)
			check_eq(native_call(fd, COMMAND(nr), NULL), -ENOTTY);
	}
	close(fd);
}

/* If the command were missing, all tests that need it would be skipped. */
static void selftest_build_has_the_test_command(void)
{
	struct test_cmd command = { .op = 0 };

	if (!module_loaded("vfio_ioas_selftest"))
		skip("no selftest build of vfio_ioas is loaded");
	fd = native_open();
	check_eq(test_call(fd, &command), -EOPNOTSUPP);
	close(fd);
}

static void opening_and_closing_the_node_works(void)
{
	int other;

	fd = native_open();
	other = native_open();
	check_eq(or_errno(close(fd)), 0);
	check_eq(or_errno(close(other)), 0);
}

static void ids_begin_at_1_and_are_used_again(void)
{
	fd = native_open();
	check_eq(ioas_alloc(fd), 1);
	check_eq(ioas_alloc(fd), 2);
	check_eq(ioas_alloc(fd), 3);
	check_eq(object_destroy(fd, 2), 0);
	check_eq(ioas_alloc(fd), 2);
	close(fd);
}

static void each_open_has_ids_of_its_own(void)
{
	int other = native_open();
	uint32_t ioas;

	fd = native_open();
	ioas = ioas_alloc(fd);
	check_eq(object_destroy(other, ioas), -ENOENT);
	check_eq(object_destroy(fd, ioas), 0);
	check_eq(object_destroy(fd, ioas), -ENOENT);
	close(other);
	close(fd);
}

static void destroy_of_what_does_not_exist_is_refused(void)
{
	static const uint32_t ids[] = { 0, 1, 1000, INT32_MAX, UINT32_MAX };
	unsigned int i;

	fd = native_open();
	for (i = 0; i < ARRAY_SIZE(ids); i++)
		check_eq(object_destroy(fd, ids[i]), -ENOENT);
	close(fd);
}

/* Returns a copy of the argument in memory that can be read but not written. */
static void *read_only(const void *argument, size_t nbytes)
{
	void *memory = mem_alloc(PAGE);

	memcpy(memory, argument, nbytes);
	require_eq(or_errno(mprotect(memory, PAGE, PROT_READ)), 0);
	return memory;
}

static void id_that_cannot_be_told_leaves_no_object(void)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	void *argument = read_only(&alloc, sizeof(alloc));
	unsigned int i;

	fd = native_open();
	for (i = 0; i < 10; i++)
		check_eq(native_call(fd, IOMMU_IOAS_ALLOC, argument), -EFAULT);
	/* This option can be set only while there is no object. */
	check_eq(option_set(fd, IOMMU_OPTION_RLIMIT_MODE, 0, 0), 0);
	check_eq(ioas_alloc(fd), 1);
	check_eq(object_destroy(fd, 2), -ENOENT);
	close(fd);
	mem_free(argument, PAGE);
}

static void mapping_whose_iova_cannot_be_told_stays(void)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOAS_RW | IOAS_FIXED,
		.length = PAGE,
		.iova = 7 * PAGE,
	};
	void *memory = mem_alloc(PAGE);
	void *argument;

	fd = native_open();
	map.ioas_id = ioas_alloc(fd);
	map.user_va = (uintptr_t)memory;
	argument = read_only(&map, sizeof(map));
	check_eq(native_call(fd, IOMMU_IOAS_MAP, argument), -EFAULT);
	check_eq(ioas_unmap(fd, map.ioas_id, 7 * PAGE, PAGE), PAGE);
	close(fd);
	mem_free(argument, PAGE);
	mem_free(memory, PAGE);
}

static void answers_stay_within_the_struct(void)
{
	struct {
		struct iommu_ioas_alloc alloc;
		uint32_t behind;
	} argument = {
		.alloc = { .size = sizeof(argument.alloc) },
		.behind = 0x5a5a5a5a,
	};

	fd = native_open();
	check_eq(native_call(fd, IOMMU_IOAS_ALLOC, &argument), 0);
	check_eq(argument.behind, 0x5a5a5a5a);
	check_eq(argument.alloc.size, sizeof(argument.alloc));
	check_eq(argument.alloc.out_ioas_id, 1);
	close(fd);
}

static void accounting_mode_can_be_set_and_read(void)
{
	uint32_t mode = IOMMU_OPTION_RLIMIT_MODE;

	fd = native_open();
	check_eq(option_get(fd, mode, 0), 0);
	check_eq(option_set(fd, mode, 0, 1), 0);
	check_eq(option_set(fd, mode, 0, 2), -EINVAL);
	check_eq(option_get(fd, mode, 0), 1);
	check_eq(option_set(fd, mode, 0, 0), 0);
	check_eq(option_get(fd, mode, 0), 0);
	close(fd);
}

static void accounting_mode_belongs_to_no_object(void)
{
	uint32_t mode = IOMMU_OPTION_RLIMIT_MODE;

	fd = native_open();
	check_eq(option_get(fd, mode, 1), -EOPNOTSUPP);
	check_eq(option_set(fd, mode, 1, 1), -EOPNOTSUPP);
	check_eq(option_get(fd, mode, 0), 0);
	close(fd);
}

static void accounting_mode_is_settled_once_there_is_an_object(void)
{
	uint32_t mode = IOMMU_OPTION_RLIMIT_MODE;
	uint32_t ioas;

	fd = native_open();
	ioas = ioas_alloc(fd);
	check_eq(option_set(fd, mode, 0, 1), -EBUSY);
	check_eq(option_set(fd, mode, 0, 0), -EBUSY);
	check_eq(option_get(fd, mode, 0), 0);
	check_eq(object_destroy(fd, ioas), 0);
	check_eq(option_set(fd, mode, 0, 1), 0);
	close(fd);
}

static void accounting_mode_is_for_the_privileged(void)
{
	fd = native_open();
	require_eq(or_errno(setresuid(1000, 1000, 1000)), 0);
	check_eq(option_set(fd, IOMMU_OPTION_RLIMIT_MODE, 0, 1), -EPERM);
	check_eq(option_get(fd, IOMMU_OPTION_RLIMIT_MODE, 0), 0);
	close(fd);
}

static void huge_pages_are_an_option_of_an_ioas(void)
{
	uint32_t huge = IOMMU_OPTION_HUGE_PAGES;

	fd = native_open();
	check_eq(option_get(fd, huge, 0), -ENOENT);
	check_eq(option_set(fd, huge, 0, 1), -ENOENT);
	check_eq(option_get(fd, huge, 1), -ENOENT);
	check_eq(option_get(fd, huge, ioas_alloc(fd)), 1);
	close(fd);
}

static int raw_option(uint32_t option, uint16_t op, uint16_t reserved,
		      uint32_t object)
{
	struct iommu_option command = {
		.size = sizeof(command),
		.option_id = option,
		.op = op,
		.__reserved = reserved,
		.object_id = object,
	};

	return native_call(fd, IOMMU_OPTION, &command);
}

/* Unknown operations fail alike for a process without the right for known ones. */
static void try_unknown_operation(void *unused)
{
	(void)unused;
	require_eq(or_errno(setresuid(1000, 1000, 1000)), 0);
	check_eq(raw_option(IOMMU_OPTION_RLIMIT_MODE, 2, 0, 0), -EOPNOTSUPP);
}

static void unknown_options_and_operations_are_refused(void)
{
	uint32_t ioas;

	fd = native_open();
	ioas = ioas_alloc(fd);
	check_eq(raw_option(2, IOMMU_OPTION_OP_GET, 0, 0), -EOPNOTSUPP);
	check_eq(raw_option(UINT32_MAX, IOMMU_OPTION_OP_GET, 0, ioas),
		 -EOPNOTSUPP);
	check_eq(raw_option(IOMMU_OPTION_HUGE_PAGES, 2, 0, ioas), -EOPNOTSUPP);
	/* A wrong object is reported before a wrong operation. */
	check_eq(raw_option(IOMMU_OPTION_HUGE_PAGES, 2, 0, ioas + 1), -ENOENT);
	check_eq(raw_option(IOMMU_OPTION_HUGE_PAGES, IOMMU_OPTION_OP_GET, 1,
			    ioas), -EOPNOTSUPP);
	check_eq(raw_option(IOMMU_OPTION_RLIMIT_MODE, IOMMU_OPTION_OP_GET, 1,
			    0), -EOPNOTSUPP);
	check_eq(object_destroy(fd, ioas), 0);
	check_eq(raw_option(IOMMU_OPTION_RLIMIT_MODE, 2, 0, 0), -EOPNOTSUPP);
	join(spawn(try_unknown_operation, NULL));
	close(fd);
}

static void compat_ioas_can_be_chosen(void)
{
	uint32_t ioas, other;

	fd = native_open();
	check_eq(vfio_ioas_get(fd), -ENODEV);
	check_eq(vfio_ioas_clear(fd), 0);
	check_eq(vfio_ioas_set(fd, 0), -ENOENT);
	ioas = ioas_alloc(fd);
	other = ioas_alloc(fd);
	check_eq(vfio_ioas_get(fd), -ENODEV);
	check_eq(vfio_ioas_set(fd, ioas), 0);
	check_eq(vfio_ioas_get(fd), ioas);
	check_eq(vfio_ioas_set(fd, other), 0);
	check_eq(vfio_ioas_get(fd), other);
	check_eq(vfio_ioas_set(fd, 1000), -ENOENT);
	check_eq(vfio_ioas_get(fd), other);
	check_eq(vfio_ioas_clear(fd), 0);
	check_eq(vfio_ioas_get(fd), -ENODEV);
	close(fd);
}

static void compat_ioas_can_be_destroyed(void)
{
	uint32_t ioas;

	fd = native_open();
	ioas = ioas_alloc(fd);
	check_eq(vfio_ioas_set(fd, ioas), 0);
	check_eq(object_destroy(fd, ioas), 0);
	check_eq(vfio_ioas_get(fd), -ENODEV);
	/* Another IOAS with the same id is not selected. */
	check_eq(ioas_alloc(fd), ioas);
	check_eq(vfio_ioas_get(fd), -ENODEV);
	close(fd);
}

static int raw_vfio_ioas(uint16_t op, uint16_t reserved)
{
	struct iommu_vfio_ioas command = {
		.size = sizeof(command),
		.op = op,
		.__reserved = reserved,
	};

	return native_call(fd, IOMMU_VFIO_IOAS, &command);
}

static void unknown_operations_on_the_compat_ioas_are_refused(void)
{
	fd = native_open();
	check_eq(raw_vfio_ioas(3, 0), -EOPNOTSUPP);
	check_eq(raw_vfio_ioas(IOMMU_VFIO_IOAS_CLEAR, 1), -EOPNOTSUPP);
	check_eq(raw_vfio_ioas(IOMMU_VFIO_IOAS_GET, 1), -EOPNOTSUPP);
	close(fd);
}

static void unknown_flags_are_refused(void)
{
	uint32_t ioas, bit;
	uint64_t iova;

	fd = native_open();
	ioas = ioas_alloc(fd);
	for (bit = 8; bit; bit <<= 1) {
		struct iova_of at = { ioas, 0 };

		check_eq(ioas_map(fd, ioas, 0, &iova, PAGE, IOAS_RW | bit),
			 -EOPNOTSUPP);
		/* Test builds of in-tree iommufd use this bit for a fuzzer. */
		if (bit != 1U << 16)
			check_eq(ioas_copy(fd, at, at, PAGE, IOAS_RW | bit),
				 -EOPNOTSUPP);
	}
	check_eq(ioas_unmap_all(fd, ioas), 0);
	close(fd);
}

static void reserved_fields_must_be_zero(void)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOAS_RW,
		.__reserved = 1,
		.length = PAGE,
	};
	struct iommu_ioas_iova_ranges ranges = {
		.size = sizeof(ranges),
		.__reserved = 1,
	};
	struct iommu_ioas_allow_iovas allow = {
		.size = sizeof(allow),
		.__reserved = 1,
	};

	fd = native_open();
	map.ioas_id = ioas_alloc(fd);
	ranges.ioas_id = map.ioas_id;
	allow.ioas_id = map.ioas_id;
	check_eq(native_call(fd, IOMMU_IOAS_MAP, &map), -EOPNOTSUPP);
	check_eq(native_call(fd, IOMMU_IOAS_IOVA_RANGES, &ranges), -EOPNOTSUPP);
	check_eq(native_call(fd, IOMMU_IOAS_ALLOW_IOVAS, &allow), -EOPNOTSUPP);
	/* The reserved field is reported before the id. */
	ranges.ioas_id = 1000;
	check_eq(native_call(fd, IOMMU_IOAS_IOVA_RANGES, &ranges), -EOPNOTSUPP);
	close(fd);
}

/* --- the container ioctls of a descriptor that has no IOAS */

static void container_questions_need_no_ioas(void)
{
	fd = native_open();
	check_eq(vfio_call(fd, VFIO_GET_API_VERSION, 0), VFIO_API_VERSION);
	check_eq(vfio_call(fd, VFIO_CHECK_EXTENSION, VFIO_TYPE1_IOMMU), 1);
	check_eq(vfio_call(fd, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU), 1);
	check_eq(vfio_call(fd, VFIO_CHECK_EXTENSION, VFIO_UNMAP_ALL), 1);
	check_eq(vfio_call(fd, VFIO_CHECK_EXTENSION, VFIO_TYPE1_NESTING_IOMMU),
		 0);
	check_eq(vfio_call(fd, VFIO_CHECK_EXTENSION, VFIO_UPDATE_VADDR), 0);
	check_eq(vfio_call(fd, VFIO_CHECK_EXTENSION, 1000), 0);
	check_eq(vfio_call(fd, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU),
		 -ENODEV);
	close(fd);
}

static void container_commands_need_an_ioas(void)
{
	struct info info;

	fd = native_open();
	check_eq(dma_map(fd, 0, &info, PAGE, RW), -ENODEV);
	check_eq(dma_unmap(fd, 0, PAGE), -ENODEV);
	check_eq(info_get(fd, &info), -ENODEV);
	check_eq(set_iommu(fd, VFIO_TYPE1_IOMMU), -ENODEV);
	check_eq(set_iommu(fd, VFIO_TYPE1v2_IOMMU), -ENODEV);
	check_eq(set_iommu(fd, VFIO_TYPE1_NESTING_IOMMU), -EINVAL);
	check_eq(vfio_call(fd, VFIO_IOMMU_DIRTY_PAGES, (unsigned long)&info),
		 -ENOTTY);
	close(fd);
}

/* argsz and flags are checked before the IOAS. */
static void container_arguments_are_judged_first(void)
{
	static const uint32_t calls[] = {
		VFIO_IOMMU_MAP_DMA, VFIO_IOMMU_UNMAP_DMA, VFIO_IOMMU_GET_INFO,
	};
	unsigned int i;

	fd = native_open();
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		uint32_t argument[16] = { 1 };

		context("call 0x%x", calls[i]);
		check_eq(native_call(fd, calls[i], argument), -EINVAL);
		check_eq(native_call(fd, calls[i], NULL), -EFAULT);
		argument[0] = sizeof(argument);
		argument[1] = 1U << 31;
		if (calls[i] != VFIO_IOMMU_GET_INFO)
			check_eq(native_call(fd, calls[i], argument), -EINVAL);
	}
	close(fd);
}

static const struct test tests[] = {
	TEST(opening_and_closing_the_node_works, 0),
	COMMAND_ROWS(too_short_a_struct_is_refused),
	COMMAND_ROWS(every_size_from_the_first_to_the_newest_is_accepted),
	COMMAND_ROWS(longer_struct_with_zero_tail_is_accepted),
	COMMAND_ROWS(longer_struct_with_something_in_its_tail_is_refused),
	COMMAND_ROWS(argument_that_cannot_be_read_is_refused),
	COMMAND_ROWS(command_of_another_encoding_is_unknown),
	TEST(commands_that_do_not_exist_are_unknown, 0),
	TEST(selftest_build_has_the_test_command, 0),
	TEST(ids_begin_at_1_and_are_used_again, 0),
	TEST(each_open_has_ids_of_its_own, 0),
	TEST(destroy_of_what_does_not_exist_is_refused, 0),
	TEST(id_that_cannot_be_told_leaves_no_object, 0),
	TEST(mapping_whose_iova_cannot_be_told_stays, 0),
	TEST(answers_stay_within_the_struct, 0),
	TEST(accounting_mode_can_be_set_and_read, 0),
	TEST(accounting_mode_belongs_to_no_object, 0),
	TEST(accounting_mode_is_settled_once_there_is_an_object, 0),
	TEST(accounting_mode_is_for_the_privileged, 0),
	TEST(huge_pages_are_an_option_of_an_ioas, 0),
	TEST(unknown_options_and_operations_are_refused, 0),
	TEST(compat_ioas_can_be_chosen, 0),
	TEST(compat_ioas_can_be_destroyed, 0),
	TEST(unknown_operations_on_the_compat_ioas_are_refused, 0),
	TEST(unknown_flags_are_refused, 0),
	TEST(reserved_fields_must_be_zero, 0),
	TEST(container_questions_need_no_ioas, 0),
	TEST(container_commands_need_an_ioas, 0),
	TEST(container_arguments_are_judged_first, 0),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}

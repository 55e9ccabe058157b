// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib_native.c - the native ioctls, the test command, and the rig
 */
#define _GNU_SOURCE
#include <stddef.h>

#include "lib_native.h"

_Static_assert(sizeof(struct test_cmd) == 72, "released size");
_Static_assert(offsetof(struct test_cmd, add_reserved) == 16, "released ABI");
_Static_assert(offsetof(struct test_cmd, access_pages.uptr) == 40,
	       "released ABI");
_Static_assert(offsetof(struct test_cmd, last) == 64, "released ABI");

struct native_rig rig;

const char *iommu_node(void)
{
	const char *node = getenv("IOMMU_NODE");

	return node ? node : "/dev/iommu";
}

bool is_peer(void)
{
	const char *peer = getenv("PEER");

	return peer && strcmp(peer, "0");
}

void not_on_peer(const char *difference)
{
	if (is_peer())
		skip("in-tree iommufd of 6.12: %s", difference);
}

int native_open(void)
{
	int fd = open(iommu_node(), O_RDWR | O_CLOEXEC);

	require_true(fd >= 0);
	return fd;
}

int native_call(int fd, unsigned long command, void *argument)
{
	return vfio_call(fd, command, (unsigned long)argument);
}

/* --- the native ioctls */

int object_destroy(int fd, uint32_t id)
{
	struct iommu_destroy destroy = { .size = sizeof(destroy), .id = id };

	return native_call(fd, IOMMU_DESTROY, &destroy);
}

uint32_t ioas_alloc(int fd)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	require_eq(native_call(fd, IOMMU_IOAS_ALLOC, &alloc), 0);
	require_true(alloc.out_ioas_id);
	return alloc.out_ioas_id;
}

static int map(int fd, uint32_t ioas, const void *memory, uint64_t nbytes,
	       uint32_t flags, uint64_t *iova)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = flags,
		.ioas_id = ioas,
		.user_va = (uintptr_t)memory,
		.length = nbytes,
		.iova = *iova,
	};
	int result = native_call(fd, IOMMU_IOAS_MAP, &map);

	*iova = map.iova;
	return result;
}

int ioas_map(int fd, uint32_t ioas, uint64_t iova, const void *memory,
	     uint64_t nbytes, uint32_t flags)
{
	return map(fd, ioas, memory, nbytes, flags | IOAS_FIXED, &iova);
}

int ioas_map_auto(int fd, uint32_t ioas, const void *memory, uint64_t nbytes,
		  uint32_t flags, uint64_t *iova)
{
	*iova = 0;
	return map(fd, ioas, memory, nbytes, flags, iova);
}

static int copy(int fd, uint32_t to_ioas, struct iova_of from, uint64_t nbytes,
		uint32_t flags, uint64_t *iova)
{
	struct iommu_ioas_copy copy = {
		.size = sizeof(copy),
		.flags = flags,
		.dst_ioas_id = to_ioas,
		.src_ioas_id = from.ioas,
		.length = nbytes,
		.dst_iova = *iova,
		.src_iova = from.iova,
	};
	int result = native_call(fd, IOMMU_IOAS_COPY, &copy);

	*iova = copy.dst_iova;
	return result;
}

int ioas_copy(int fd, struct iova_of to, struct iova_of from, uint64_t nbytes,
	      uint32_t flags)
{
	return copy(fd, to.ioas, from, nbytes, flags | IOAS_FIXED, &to.iova);
}

int ioas_copy_auto(int fd, uint32_t to_ioas, struct iova_of from,
		   uint64_t nbytes, uint32_t flags, uint64_t *iova)
{
	*iova = 0;
	return copy(fd, to_ioas, from, nbytes, flags, iova);
}

long long ioas_unmap(int fd, uint32_t ioas, uint64_t iova, uint64_t nbytes)
{
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = ioas,
		.iova = iova,
		.length = nbytes,
	};
	int result = native_call(fd, IOMMU_IOAS_UNMAP, &unmap);

	return result ? result : (long long)unmap.length;
}

long long ioas_unmap_all(int fd, uint32_t ioas)
{
	return ioas_unmap(fd, ioas, 0, UINT64_MAX);
}

int ioas_ranges(int fd, uint32_t ioas, uint32_t room, struct ranges *ranges)
{
	struct iommu_ioas_iova_ranges command = {
		.size = sizeof(command),
		.ioas_id = ioas,
		.num_iovas = room,
		.allowed_iovas = (uintptr_t)ranges->range,
	};
	int result = native_call(fd, IOMMU_IOAS_IOVA_RANGES, &command);

	ranges->number = command.num_iovas;
	ranges->alignment = command.out_iova_alignment;
	return result;
}

uint64_t ioas_alignment(int fd, uint32_t ioas)
{
	struct ranges ranges;

	require_eq(ioas_ranges(fd, ioas, MAX_RANGES, &ranges), 0);
	return ranges.alignment;
}

int ioas_allow(int fd, uint32_t ioas, const struct iommu_iova_range *ranges,
	       uint32_t number)
{
	struct iommu_ioas_allow_iovas command = {
		.size = sizeof(command),
		.ioas_id = ioas,
		.num_iovas = number,
		.allowed_iovas = (uintptr_t)ranges,
	};

	return native_call(fd, IOMMU_IOAS_ALLOW_IOVAS, &command);
}

int option_set(int fd, uint32_t option, uint32_t object, uint64_t value)
{
	struct iommu_option command = {
		.size = sizeof(command),
		.option_id = option,
		.op = IOMMU_OPTION_OP_SET,
		.object_id = object,
		.val64 = value,
	};

	return native_call(fd, IOMMU_OPTION, &command);
}

long long option_get(int fd, uint32_t option, uint32_t object)
{
	struct iommu_option command = {
		.size = sizeof(command),
		.option_id = option,
		.op = IOMMU_OPTION_OP_GET,
		.object_id = object,
		.val64 = 77,
	};
	int result = native_call(fd, IOMMU_OPTION, &command);

	return result ? result : (long long)command.val64;
}

static int vfio_ioas(int fd, uint16_t op, uint32_t *ioas)
{
	struct iommu_vfio_ioas command = {
		.size = sizeof(command),
		.ioas_id = *ioas,
		.op = op,
	};
	int result = native_call(fd, IOMMU_VFIO_IOAS, &command);

	*ioas = command.ioas_id;
	return result;
}

int vfio_ioas_set(int fd, uint32_t ioas)
{
	return vfio_ioas(fd, IOMMU_VFIO_IOAS_SET, &ioas);
}

int vfio_ioas_clear(int fd)
{
	uint32_t unused = 0;

	return vfio_ioas(fd, IOMMU_VFIO_IOAS_CLEAR, &unused);
}

long long vfio_ioas_get(int fd)
{
	uint32_t ioas = 0;
	int result = vfio_ioas(fd, IOMMU_VFIO_IOAS_GET, &ioas);

	return result ? result : (long long)ioas;
}

long long hwpt_alloc(int fd, uint32_t device, uint32_t ioas)
{
	struct iommu_hwpt_alloc command = {
		.size = sizeof(command),
		.dev_id = device,
		.pt_id = ioas,
	};
	int result = native_call(fd, IOMMU_HWPT_ALLOC, &command);

	return result ? result : (long long)command.out_hwpt_id;
}

/* --- the test command */

int test_call(int fd, struct test_cmd *command)
{
	command->size = sizeof(*command);
	return native_call(fd, IOMMU_TEST_CMD, command);
}

void require_test_cmd(int fd)
{
	struct test_cmd command = { .op = 0 };
	int result = test_call(fd, &command);

	if (result == -ENOTTY)
		skip("not built for testing: there is no IOMMU_TEST_CMD");
	require_eq(result, -EOPNOTSUPP);
}

int add_reserved(int fd, uint32_t ioas, uint64_t start, uint64_t nbytes)
{
	struct test_cmd command = {
		.op = TEST_OP_ADD_RESERVED,
		.id = ioas,
		.add_reserved = { .start = start, .length = nbytes },
	};

	return test_call(fd, &command);
}

int set_temp_limit(int fd, uint32_t nbytes)
{
	struct test_cmd command = {
		.op = TEST_OP_SET_TEMP_MEMORY_LIMIT,
		.memory_limit.limit = nbytes,
	};

	return test_call(fd, &command);
}

void restore_temp_limit(void)
{
	int fd = open(iommu_node(), O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	set_temp_limit(fd, DEFAULT_TEMP_LIMIT);
	close(fd);
}

int mock_attach(int fd, uint32_t pt, struct mock *mock)
{
	return mock_attach_flags(fd, pt, 0, mock);
}

int mock_attach_flags(int fd, uint32_t pt, uint32_t flags, struct mock *mock)
{
	struct test_cmd command = {
		.op = flags ? TEST_OP_MOCK_DOMAIN_FLAGS : TEST_OP_MOCK_DOMAIN,
		.id = pt,
		.mock_domain.dev_flags = flags,
	};
	int result = test_call(fd, &command);

	*mock = (struct mock){
		.device = command.mock_domain.out_stdev_id,
		.hwpt = command.mock_domain.out_hwpt_id,
		.iommu_device = command.mock_domain.out_idev_id,
	};
	return result;
}

int mock_replace(int fd, struct mock *mock, uint32_t pt)
{
	struct test_cmd command = {
		.op = TEST_OP_MOCK_DOMAIN_REPLACE,
		.id = mock->device,
		.mock_domain_replace.pt_id = pt,
	};
	int result = test_call(fd, &command);

	if (result == 0)
		mock->hwpt = command.mock_domain_replace.pt_id;
	return result;
}

int mock_check_map(int fd, uint32_t hwpt, uint64_t iova, const void *memory,
		   uint64_t nbytes)
{
	struct test_cmd command = {
		.op = TEST_OP_MD_CHECK_MAP,
		.id = hwpt,
		.check_map = {
			.iova = iova,
			.length = nbytes,
			.uptr = (uintptr_t)memory,
		},
	};

	return test_call(fd, &command);
}

int check_refs(int fd, const void *memory, uint64_t nbytes, uint32_t refs)
{
	struct test_cmd command = {
		.op = TEST_OP_MD_CHECK_REFS,
		.check_refs = {
			.length = nbytes,
			.uptr = (uintptr_t)memory,
			.refs = refs,
		},
	};

	return test_call(fd, &command);
}

int access_create(int fd, uint32_t ioas, uint32_t flags)
{
	struct test_cmd command = {
		.op = TEST_OP_CREATE_ACCESS,
		.id = ioas,
		.create_access.flags = flags,
	};
	int result = test_call(fd, &command);

	return result ? result : command.create_access.out_access_fd;
}

long long access_pin(int fd, int access, uint64_t iova, const void *memory,
		     uint64_t nbytes, uint32_t flags)
{
	struct test_cmd command = {
		.op = TEST_OP_ACCESS_PAGES,
		.id = (uint32_t)access,
		.access_pages = {
			.flags = flags,
			.iova = iova,
			.length = nbytes,
			.uptr = (uintptr_t)memory,
		},
	};
	int result = test_call(fd, &command);

	return result ? result :
	       (long long)command.access_pages.out_access_pages_id;
}

int access_unpin(int fd, int access, uint32_t pin)
{
	struct test_cmd command = {
		.op = TEST_OP_DESTROY_ACCESS_PAGES,
		.id = (uint32_t)access,
		.destroy_access_pages.access_pages_id = pin,
	};

	return test_call(fd, &command);
}

int access_rw(int fd, int access, uint64_t iova, void *buffer, uint64_t nbytes,
	      uint32_t flags)
{
	struct test_cmd command = {
		.op = TEST_OP_ACCESS_RW,
		.id = (uint32_t)access,
		.access_rw = {
			.iova = iova,
			.length = nbytes,
			.uptr = (uintptr_t)buffer,
			.flags = flags,
		},
	};

	return test_call(fd, &command);
}

int access_replace_ioas(int fd, int access, uint32_t ioas)
{
	struct test_cmd command = {
		.op = TEST_OP_ACCESS_REPLACE_IOAS,
		.id = (uint32_t)access,
		.access_replace_ioas.ioas_id = ioas,
	};

	return test_call(fd, &command);
}

static void check_rw_at(int fd, int access, uint64_t iova, uint8_t *memory,
			uint64_t nbytes, uint32_t flags)
{
	uint8_t copy[64];

	check_eq(access_rw(fd, access, iova, copy, nbytes, flags), 0);
	check_mem(copy, memory, nbytes);
	fill(copy, nbytes, iova + nbytes);
	check_eq(access_rw(fd, access, iova, copy, nbytes,
			   flags | ACCESS_RW_WRITE), 0);
	check_mem(memory, copy, nbytes);
}

void check_access_rw(int fd, int access, uint64_t iova, uint8_t *memory,
		     uint64_t nbytes, uint32_t flags)
{
	uint64_t step = scaled(1, 7);
	uint8_t *copy = malloc(nbytes);
	uint64_t at, length;

	require_true(copy);
	for (at = PAGE - 50; at < PAGE + 50; at += step)
		for (length = 1; length < 64; length += step) {
			context("%llu bytes at 0x%llx",
				(unsigned long long)length,
				(unsigned long long)at);
			check_rw_at(fd, access, iova + at, memory + at, length,
				    flags);
		}
	context("%s", "");
	fill(memory, nbytes, iova);
	check_eq(access_rw(fd, access, iova, copy, nbytes, flags), 0);
	check_mem(copy, memory, nbytes);
	fill(copy, nbytes, iova + 1);
	check_eq(access_rw(fd, access, iova, copy, nbytes,
			   flags | ACCESS_RW_WRITE), 0);
	check_mem(memory, copy, nbytes);
	free(copy);
}

/* --- the setup of most tests */

void *mem_alloc_shared(uint64_t nbytes)
{
	uint8_t *memory = mmap(NULL, nbytes, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	require_true(memory != MAP_FAILED);
	madvise(memory, nbytes, MADV_NOHUGEPAGE);
	memset(memory, 0, nbytes);
	return memory;
}

long status_kib(pid_t pid, const char *field)
{
	size_t nbytes = strlen(field);
	long value = -ENOENT;
	char path[64];
	char line[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid ? pid : getpid());
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, field, nbytes) == 0 && line[nbytes] == ':')
			value = atol(line + nbytes + 1);
	fclose(file);
	return value;
}

void rig_add_mock(struct mock *mock)
{
	long long hwpt = hwpt_alloc(rig.fd, rig.mock[0].iommu_device, rig.ioas);

	require_true(hwpt > 0);
	require_eq(mock_attach(rig.fd, (uint32_t)hwpt, mock), 0);
	require_eq(mock->hwpt, hwpt);
}

void rig_native_open(unsigned int nmocks)
{
	unsigned int i;

	rig = (struct native_rig){ .fd = native_open(), .nmocks = nmocks };
	require_test_cmd(rig.fd);
	rig.buffer = mem_alloc_shared(BUFFER_BYTES);
	fill(rig.buffer, BUFFER_BYTES, 1);
	rig.ioas = ioas_alloc(rig.fd);
	rig.base = nmocks ? MOCK_APERTURE_START : 0;
	if (nmocks)
		require_eq(mock_attach(rig.fd, rig.ioas, &rig.mock[0]), 0);
	for (i = 1; i < nmocks; i++)
		rig_add_mock(&rig.mock[i]);
}

void rig_native_close(void)
{
	int fd = native_open();

	require_eq(close(rig.fd), 0);
	check_eq(check_refs(fd, rig.buffer, BUFFER_BYTES, 0), 0);
	close(fd);
	mem_free(rig.buffer, BUFFER_BYTES);
}

/* Maps at an address of the child's own, so that nothing can use ours instead. */
static void map_in_child(uint64_t iova)
{
	void *memory = mem_reserve(BUFFER_BYTES);

	require_true(mremap(rig.buffer, BUFFER_BYTES, BUFFER_BYTES,
			    MREMAP_MAYMOVE | MREMAP_FIXED, memory) == memory);
	check_eq(rig_map(iova, memory, BUFFER_BYTES), 0);
}

static void child_that_exits(void *arg)
{
	map_in_child(*(uint64_t *)arg);
}

void child_maps_and_exits(uint64_t iova)
{
	join(spawn(child_that_exits, &iova));
}

static void child_that_stays(void *arg)
{
	struct child_map *map = arg;

	map_in_child(map->iova);
	gate_open(&map->mapped);
	gate_wait(&map->done);
}

void child_maps(struct child_map *map, uint64_t iova)
{
	map->iova = iova;
	gate_make(&map->mapped);
	gate_make(&map->done);
	map->child = spawn(child_that_stays, map);
	gate_wait(&map->mapped);
}

void child_may_exit(struct child_map *map)
{
	gate_open(&map->done);
	join(map->child);
}

void rig_run(void (*checks)(void), unsigned int nmocks, uint32_t temp_limit)
{
	rig_native_open(nmocks);
	if (temp_limit)
		require_eq(set_temp_limit(rig.fd, temp_limit), 0);
	checks();
	rig_native_close();
}

int rig_map(uint64_t iova, const void *memory, uint64_t nbytes)
{
	return ioas_map(rig.fd, rig.ioas, iova, memory, nbytes, IOAS_RW);
}

int rig_map_auto(const void *memory, uint64_t nbytes, uint64_t *iova)
{
	return ioas_map_auto(rig.fd, rig.ioas, memory, nbytes, IOAS_RW, iova);
}

long long rig_unmap(uint64_t iova, uint64_t nbytes)
{
	return ioas_unmap(rig.fd, rig.ioas, iova, nbytes);
}

uint64_t rig_page(uint64_t n)
{
	return rig.base + n * PAGE;
}

void rig_check_map(uint64_t iova, const void *memory, uint64_t nbytes)
{
	unsigned int i;

	for (i = 0; i < rig.nmocks; i++)
		check_eq(mock_check_map(rig.fd, rig.mock[i].hwpt, iova, memory,
					nbytes), 0);
}

void rig_check_refs(uint32_t refs)
{
	check_eq(check_refs(rig.fd, rig.buffer, BUFFER_BYTES, refs), 0);
}

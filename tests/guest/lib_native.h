/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib_native.h - the native ioctls and the test command, and the setup of most tests with them: an
 * IOAS with mock devices and a buffer
 *
 * IOMMU_NODE names the node, /dev/iommu by default. PEER=1 says that in-tree iommufd of Linux 6.12
 * serves it. Tests of a rule that it does not follow are then skipped. Functions return 0 or -errno
 * unless a comment says otherwise. Sizes are in bytes.
 */
#ifndef GUEST_LIB_NATIVE_H
#define GUEST_LIB_NATIVE_H

#include "lib.h"
#include "iommufd.h"
#include "test_cmd.h"

/* --- the native ioctls */

#define IOAS_R		((uint32_t)IOMMU_IOAS_MAP_READABLE)
#define IOAS_W		((uint32_t)IOMMU_IOAS_MAP_WRITEABLE)
#define IOAS_RW		(IOAS_R | IOAS_W)
#define IOAS_FIXED	((uint32_t)IOMMU_IOAS_MAP_FIXED_IOVA)

const char *iommu_node(void);
/* Must succeed. */
int native_open(void);
int native_call(int fd, unsigned long command, void *argument);

int object_destroy(int fd, uint32_t id);
/* Returns the id. Must succeed. */
uint32_t ioas_alloc(int fd);

/* At a fixed IOVA ... */
int ioas_map(int fd, uint32_t ioas, uint64_t iova, const void *memory,
	     uint64_t nbytes, uint32_t flags);
/* ... and at one that the kernel chooses. */
int ioas_map_auto(int fd, uint32_t ioas, const void *memory, uint64_t nbytes,
		  uint32_t flags, uint64_t *iova);

struct iova_of {
	uint32_t ioas;
	uint64_t iova;
};

int ioas_copy(int fd, struct iova_of to, struct iova_of from, uint64_t nbytes,
	      uint32_t flags);
int ioas_copy_auto(int fd, uint32_t to_ioas, struct iova_of from,
		   uint64_t nbytes, uint32_t flags, uint64_t *iova);

/* Returns the number of bytes unmapped, or -errno. */
long long ioas_unmap(int fd, uint32_t ioas, uint64_t iova, uint64_t nbytes);
long long ioas_unmap_all(int fd, uint32_t ioas);

#define MAX_RANGES	16U

struct ranges {
	uint32_t number;
	uint64_t alignment;
	struct iommu_iova_range range[MAX_RANGES];
};

/* Reads ranges into this many entries. Others of the array stay as they are. */
int ioas_ranges(int fd, uint32_t ioas, uint32_t room, struct ranges *ranges);
/* Must succeed. */
uint64_t ioas_alignment(int fd, uint32_t ioas);
int ioas_allow(int fd, uint32_t ioas, const struct iommu_iova_range *ranges,
	       uint32_t number);

int option_set(int fd, uint32_t option, uint32_t object, uint64_t value);
/* Returns the value, or -errno. */
long long option_get(int fd, uint32_t option, uint32_t object);

int vfio_ioas_set(int fd, uint32_t ioas);
int vfio_ioas_clear(int fd);
/* Returns the id, or -errno. */
long long vfio_ioas_get(int fd);

/* Allocates an HWPT without special properties for a device. Returns its id, or -errno. */
long long hwpt_alloc(int fd, uint32_t device, uint32_t ioas);

/* --- the test command */

/* Skips the test if the module is not built for testing. */
void require_test_cmd(int fd);
int test_call(int fd, struct test_cmd *command);

int add_reserved(int fd, uint32_t ioas, uint64_t start, uint64_t nbytes);
int set_temp_limit(int fd, uint32_t nbytes);
/* For after_each_test: removes a limit that a test has left. */
void restore_temp_limit(void);

/* A mock device, attached. Destroying "device" detaches and removes it. */
struct mock {
	uint32_t device;
	uint32_t hwpt;		/* the HWPT that it is attached to */
	uint32_t iommu_device;	/* id for HWPT_ALLOC and similar ioctls */
};

/* @pt is an IOAS or an HWPT. */
int mock_attach(int fd, uint32_t pt, struct mock *mock);
/* Attaches a device with special properties: MOCK_... of test_cmd.h. */
int mock_attach_flags(int fd, uint32_t pt, uint32_t flags, struct mock *mock);
int mock_replace(int fd, struct mock *mock, uint32_t pt);

/* Does the HWPT map this memory there? */
int mock_check_map(int fd, uint32_t hwpt, uint64_t iova, const void *memory,
		   uint64_t nbytes);
/* Has each page, unless it is part of a large one, this number of pins? */
int check_refs(int fd, const void *memory, uint64_t nbytes, uint32_t refs);

/* Returns the descriptor of an in-kernel user, or -errno. It pins only with the flag for that. */
int access_create(int fd, uint32_t ioas, uint32_t flags);
/* Returns the id of the pin, or -errno. @memory, unless NULL, must be the memory that is pinned. */
long long access_pin(int fd, int access, uint64_t iova, const void *memory,
		     uint64_t nbytes, uint32_t flags);
int access_unpin(int fd, int access, uint32_t pin);
int access_rw(int fd, int access, uint64_t iova, void *buffer, uint64_t nbytes,
	      uint32_t flags);
int access_replace_ioas(int fd, int access, uint32_t ioas);

/*
 * Reads and writes everything near the first border of pages at the IOVA, then all of it. Both ways
 * of access must give the contents of @memory.
 */
void check_access_rw(int fd, int access, uint64_t iova, uint8_t *memory,
		     uint64_t nbytes, uint32_t flags);

/* --- the setup of most tests */

#define BUFFER_PAGES	16U
#define BUFFER_BYTES	(BUFFER_PAGES * PAGE)
#define MAX_MOCKS	2U

/* Small pages, shared with children, all touched. */
void *mem_alloc_shared(uint64_t nbytes);

/* Returns "VmPin" or a similar value of a process (0: the caller) in KiB, or -errno. */
long status_kib(pid_t pid, const char *field);

/*
 * An IOAS with mock devices, each on an HWPT of its own. The first HWPT is the automatic one.
 */
struct native_rig {
	int fd;
	uint32_t ioas;
	unsigned int nmocks;
	struct mock mock[MAX_MOCKS];
	uint64_t base;		/* lowest IOVA that can be mapped */
	uint8_t *buffer;	/* BUFFER_BYTES, see mem_alloc_shared() */
};

extern struct native_rig rig;

void rig_native_open(unsigned int nmocks);
/* Also checks that no page of the buffer is left pinned. */
void rig_native_close(void);
/* Adds one more device on an HWPT of its own. */
void rig_add_mock(struct mock *mock);

/* A mapping of the buffer that a child process makes. */
struct child_map {
	uint64_t iova;
	pid_t child;
	struct gate mapped;
	struct gate done;
};

/* The child makes the mapping and exits ... */
void child_maps_and_exits(uint64_t iova);
/* ... or stays until it is told to go. */
void child_maps(struct child_map *map, uint64_t iova);
void child_may_exit(struct child_map *map);

/* Shorthands for calls on the rig's IOAS; RW. */
int rig_map(uint64_t iova, const void *memory, uint64_t nbytes);
int rig_map_auto(const void *memory, uint64_t nbytes, uint64_t *iova);
long long rig_unmap(uint64_t iova, uint64_t nbytes);
/* Returns the IOVA of the n-th page that can be mapped, from 0. */
uint64_t rig_page(uint64_t n);
/* Checks that every HWPT maps the memory. */
void rig_check_map(uint64_t iova, const void *memory, uint64_t nbytes);
/* Checks how often the pages of the buffer are pinned. */
void rig_check_refs(uint32_t refs);

/*
 * A test that runs with one device, with two on two HWPTs, and with one device and little memory
 * for temporary buffers.
 */
#define DEVICE_TEST(name) \
	static void name##_checks(void); \
	static void name##_with_a_device(void) \
	{ rig_run(name##_checks, 1, 0); } \
	static void name##_with_two_devices(void) \
	{ rig_run(name##_checks, 2, 0); } \
	static void name##_with_little_memory(void) \
	{ rig_run(name##_checks, 1, SMALLEST_TEMP_LIMIT); } \
	static void name##_checks(void)

#define DEVICE_ROWS(name, flags) \
	TEST(name##_with_a_device, flags), \
	TEST(name##_with_two_devices, flags), \
	TEST(name##_with_little_memory, flags)

/* The same, and also with no device. */
#define RIG_TEST(name) \
	static void name##_checks(void); \
	static void name(void) { rig_run(name##_checks, 0, 0); } \
	DEVICE_TEST(name)

#define RIG_ROWS(name, flags)	TEST(name, flags), DEVICE_ROWS(name, flags)

/* A test with this number of devices. */
#define RIG_TEST_WITH(nmocks, name) \
	static void name##_checks(void); \
	static void name(void) { rig_run(name##_checks, nmocks, 0); } \
	static void name##_checks(void)

/* @temp_limit 0 is the usual limit. */
void rig_run(void (*checks)(void), unsigned int nmocks, uint32_t temp_limit);

/* Is the node served by in-tree iommufd of 6.12? */
bool is_peer(void);
/* Skips the test there, and says why. */
void not_on_peer(const char *difference);

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * record.c - libvfio-ioas-record.so: writes down what a program asks of VFIO containers
 *
 *	LD_PRELOAD=libvfio-ioas-record.so VFIO_IOAS_RECORD=file program...
 *
 * The file is one for "vfio-ioas compare --replay": a line a call, what it returned behind a
 * '#'. Memory is described by its layout, not its contents. Who opens nodes and how does not
 * matter: a descriptor is recognised by what it leads to when it is used.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_FDS		4096
#define MAX_CONTAINERS	2
#define MAX_GROUPS	2
#define LINE_BYTES	512

enum fd_kind {
	FD_UNKNOWN,
	FD_CONTAINER,
	FD_GROUP,
	FD_DEVICE,
};

struct known_fd {
	enum fd_kind kind;
	unsigned int number;	/* of container or group, in order of appearance */
};

/* All of it: recursive, as a call may be made while one is written down. */
static pthread_mutex_t record_lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static struct known_fd known[MAX_FDS];
static int group_numbers[MAX_GROUPS];
static unsigned int ngroups;
static bool container_used[MAX_CONTAINERS];
static unsigned int current_container;
static unsigned int nmemories;

static int record_file(void)
{
	static int fd = -1;
	const char *path = getenv("VFIO_IOAS_RECORD");

	if (fd < 0 && path)
		fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	return fd;
}

static void put(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void put(const char *format, ...)
{
	char line[LINE_BYTES];
	va_list arguments;
	int error = errno;
	int nchars;

	va_start(arguments, format);
	nchars = vsnprintf(line, sizeof(line) - 1, format, arguments);
	va_end(arguments);
	if (nchars > 0 && nchars < (int)sizeof(line) - 1) {
		line[nchars++] = '\n';
		(void)!write(record_file(), line, (size_t)nchars);
	}
	/* The program must see its own. */
	errno = error;
}

/* What the call returned, as the end of its line. */
static const char *outcome(int result)
{
	static char text[48];

	if (result < 0)
		snprintf(text, sizeof(text), "# = -%s", strerrorname_np(errno));
	else
		snprintf(text, sizeof(text), "# = %d", result);
	return text;
}

/* --- descriptors */

static const char *group_name(unsigned int number)
{
	return number ? "B" : "A";
}

static void know_container(struct known_fd *fd)
{
	unsigned int number = 0;

	while (number < MAX_CONTAINERS && container_used[number])
		number++;
	if (number == MAX_CONTAINERS)
		return;
	container_used[number] = true;
	fd->kind = FD_CONTAINER;
	fd->number = number;
	current_container = number;
	put("container number=%u", number);
}

static void know_group(struct known_fd *fd, int group)
{
	unsigned int i;

	for (i = 0; i < ngroups && group_numbers[i] != group; i++)
		;
	if (i == MAX_GROUPS)
		return;
	if (i == ngroups)
		group_numbers[ngroups++] = group;
	fd->kind = FD_GROUP;
	fd->number = i;
	put("group group=%s", group_name(i));
}

static struct known_fd *look_at(int fd)
{
	char path[64], target[128];
	ssize_t nchars;
	int group;

	if (fd < 0 || fd >= MAX_FDS)
		return NULL;
	if (known[fd].kind != FD_UNKNOWN)
		return &known[fd];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	nchars = readlink(path, target, sizeof(target) - 1);
	if (nchars < 0)
		return NULL;
	target[nchars] = '\0';
	if (strncmp(target, "/dev/vfio/vfio", 14) == 0 ||
	    strcmp(target, "/dev/vfio/ioas") == 0)
		know_container(&known[fd]);
	else if (sscanf(target, "/dev/vfio/%d", &group) == 1)
		know_group(&known[fd], group);
	return known[fd].kind == FD_UNKNOWN ? NULL : &known[fd];
}

static void use(const struct known_fd *fd)
{
	if (fd->number == current_container)
		return;
	current_container = fd->number;
	put("use number=%u", fd->number);
}

/* --- memory */

struct area {
	unsigned long start;
	unsigned long end;	/* exclusive */
	char permissions[8];
	char path[128];
};

static const char *kind_of(const struct area *area, uint32_t map_flags)
{
	bool shared = area->permissions[3] == 's';

	if (strstr(area->path, "[vfio-device]"))
		return "bar";
	if (strstr(area->path, "hugepages"))
		return "huge";
	if (shared && (strstr(area->path, "memfd:") || strstr(area->path, "/dev/shm") ||
		       strstr(area->path, "/dev/zero") || strstr(area->path, "/SYSV")))
		return "shared";
	if (shared)
		return "file";
	/* To pin it for writing faults it in anyway. */
	return map_flags & VFIO_DMA_MAP_FLAG_WRITE ? "anon" : "touched";
}

static void put_part(const struct area *area, unsigned long start,
		     unsigned long end, const struct vfio_iommu_type1_dma_map *map)
{
	const char *prot = area->permissions[1] == 'w' ? "read|write" :
			   area->permissions[0] == 'r' ? "read" : "0x0";

	if (strcmp(prot, "0x0") == 0)
		return;
	put("part at=m%u+0x%llx size=0x%lx kind=%s prot=%s", nmemories,
	    (unsigned long long)(start - map->vaddr), end - start,
	    kind_of(area, map->flags), prot);
}

static bool read_area(FILE *maps, struct area *area)
{
	char line[512];

	if (!fgets(line, sizeof(line), maps))
		return false;
	area->path[0] = '\0';
	return sscanf(line, "%lx-%lx %7s %*s %*s %*s %127[^\n]", &area->start,
		      &area->end, area->permissions, area->path) >= 3;
}

static void put_hole(unsigned long start, unsigned long end,
		     const struct vfio_iommu_type1_dma_map *map)
{
	if (start < end)
		put("part at=m%u+0x%llx size=0x%lx kind=hole prot=0x0",
		    nmemories, (unsigned long long)(start - map->vaddr),
		    end - start);
}

static void put_parts(const struct vfio_iommu_type1_dma_map *map)
{
	unsigned long end = map->vaddr + map->size;
	unsigned long at = map->vaddr;
	FILE *maps = fopen("/proc/self/maps", "re");
	struct area area;

	while (maps && at < end && read_area(maps, &area)) {
		unsigned long first = area.start > at ? area.start : at;
		unsigned long behind = area.end < end ? area.end : end;

		if (first >= behind)
			continue;
		put_hole(at, first, map);
		put_part(&area, first, behind, map);
		at = behind;
	}
	put_hole(at, end, map);
	if (maps)
		fclose(maps);
}

/* Fresh memory of the same layout for each map; what makes no sense stays a number. */
static void put_memory(const struct vfio_iommu_type1_dma_map *map, char *address,
		       size_t nbytes)
{
	if (map->size % 4096 || map->vaddr % 4096 || !map->size ||
	    map->flags & VFIO_DMA_MAP_FLAG_VADDR ||
	    map->vaddr + map->size < map->vaddr) {
		snprintf(address, nbytes, "0x%llx",
			 (unsigned long long)map->vaddr);
		return;
	}
	nmemories++;
	put("memory name=m%u size=0x%llx kind=none prot=0x0", nmemories,
	    (unsigned long long)map->size);
	put_parts(map);
	snprintf(address, nbytes, "m%u+0x0", nmemories);
}

/* --- calls; each is written before it is made, but for its result */

static void put_map(const struct vfio_iommu_type1_dma_map *map,
		    const char *address, int result)
{
	put("map iova=0x%llx size=0x%llx vaddr=%s flags=0x%x argsz=%u %s",
	    (unsigned long long)map->iova, (unsigned long long)map->size,
	    address, map->flags, map->argsz, outcome(result));
}

static const char *report_of(uint64_t iova, uint64_t nbytes,
			     const struct vfio_bitmap *bitmap)
{
	static char text[160];

	snprintf(text, sizeof(text),
		 "iova=0x%llx size=0x%llx pgsize=0x%llx nbytes=0x%llx bits=zeroed",
		 (unsigned long long)iova, (unsigned long long)nbytes,
		 (unsigned long long)bitmap->pgsize,
		 (unsigned long long)bitmap->size);
	return text;
}

static void put_unmap(const struct vfio_iommu_type1_dma_unmap *unmap, int result)
{
	const struct vfio_bitmap *bitmap = (const void *)(unmap + 1);

	if (!(unmap->flags & VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP) ||
	    unmap->argsz < sizeof(*unmap) + sizeof(*bitmap)) {
		put("unmap iova=0x%llx size=0x%llx flags=0x%x argsz=%u %s",
		    (unsigned long long)unmap->iova,
		    (unsigned long long)unmap->size, unmap->flags, unmap->argsz,
		    outcome(result));
		return;
	}
	put("unmap-bitmap %s flags=0x%x argsz=%u %s",
	    report_of(unmap->iova, unmap->size, bitmap), unmap->flags,
	    unmap->argsz, outcome(result));
}

static void put_dirty(const struct vfio_iommu_type1_dirty_bitmap *dirty,
		      int result)
{
	const struct vfio_iommu_type1_dirty_bitmap_get *get =
		(const void *)(dirty + 1);

	if (!(dirty->flags & VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP)) {
		put("dirty flags=0x%x argsz=%u %s", dirty->flags, dirty->argsz,
		    outcome(result));
		return;
	}
	put("dirty-get %s argsz=%u %s",
	    report_of(get->iova, get->size, &get->bitmap), dirty->argsz,
	    outcome(result));
}

typedef int (*ioctl_function)(int fd, unsigned long request, ...);

static ioctl_function real_ioctl(void)
{
	static ioctl_function function;

	if (!function)
		function = (ioctl_function)dlsym(RTLD_NEXT, "ioctl");
	return function;
}

static int map_call(int fd, void *argument)
{
	char address[32];
	int result;

	put_memory(argument, address, sizeof(address));
	result = real_ioctl()(fd, VFIO_IOMMU_MAP_DMA, argument);
	put_map(argument, address, result);
	return result;
}

/* The kernel writes the size; what was asked is what counts. */
static int unmap_call(int fd, struct vfio_iommu_type1_dma_unmap *unmap)
{
	uint64_t asked = unmap->size;
	int result = real_ioctl()(fd, VFIO_IOMMU_UNMAP_DMA, unmap);
	uint64_t unmapped = unmap->size;

	unmap->size = asked;
	put_unmap(unmap, result);
	unmap->size = unmapped;
	return result;
}

static int info_call(int fd, struct vfio_iommu_type1_info *info)
{
	uint32_t argsz = info->argsz;
	int result = real_ioctl()(fd, VFIO_IOMMU_GET_INFO, info);

	put("info argsz=%u %s", argsz, outcome(result));
	return result;
}

static int container_call(int fd, unsigned long request, void *argument)
{
	int result;

	switch (request) {
	case VFIO_IOMMU_MAP_DMA:
		return map_call(fd, argument);
	case VFIO_IOMMU_UNMAP_DMA:
		return unmap_call(fd, argument);
	case VFIO_IOMMU_GET_INFO:
		return info_call(fd, argument);
	}
	result = real_ioctl()(fd, request, argument);
	if (request == VFIO_GET_API_VERSION)
		put("api-version %s", outcome(result));
	else if (request == VFIO_CHECK_EXTENSION)
		put("extension arg=0x%lx %s", (unsigned long)argument,
		    outcome(result));
	else if (request == VFIO_SET_IOMMU)
		put("set-iommu type=%ld %s", (long)argument, outcome(result));
	else if (request == VFIO_IOMMU_DIRTY_PAGES)
		put_dirty(argument, result);
	return result;
}

static void join_container(const int *container)
{
	const struct known_fd *found = look_at(*container);

	if (found && found->kind == FD_CONTAINER)
		use(found);
}

static int group_call(int fd, const struct known_fd *group,
		      unsigned long request, void *argument)
{
	const char *name = group_name(group->number);
	int result;

	if (request == VFIO_GROUP_SET_CONTAINER)
		join_container(argument);
	result = real_ioctl()(fd, request, argument);
	if (request == VFIO_GROUP_SET_CONTAINER)
		put("join group=%s %s", name, outcome(result));
	else if (request == VFIO_GROUP_UNSET_CONTAINER)
		put("leave group=%s %s", name, outcome(result));
	else if (request == VFIO_GROUP_GET_STATUS)
		put("status group=%s argsz=8 %s", name, outcome(result));
	else if (request == VFIO_GROUP_GET_DEVICE_FD)
		put("device group=%s slot=0 known=1 %s", name,
		    result < 0 ? outcome(result) : "");
	if (request == VFIO_GROUP_GET_DEVICE_FD && result >= 0 &&
	    result < MAX_FDS)
		known[result] = (struct known_fd){ FD_DEVICE, group->number };
	return result;
}

static bool is_vfio(unsigned long request)
{
	return request >= VFIO_GET_API_VERSION &&
	       request <= VFIO_IOMMU_DIRTY_PAGES;
}

/* The first line of a file makes it one that can be replayed. */
static void begin(void)
{
	static bool begun;

	if (!begun)
		put("sequence");
	begun = true;
}

int ioctl(int fd, unsigned long request, ...)
{
	const struct known_fd *found;
	va_list arguments;
	void *argument;
	int result;
	int error;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if (!is_vfio(request) || record_file() < 0)
		return real_ioctl()(fd, request, argument);
	pthread_mutex_lock(&record_lock);
	begin();
	found = look_at(fd);
	if (found && found->kind == FD_CONTAINER) {
		use(found);
		result = container_call(fd, request, argument);
	} else if (found && found->kind == FD_GROUP) {
		result = group_call(fd, found, request, argument);
	} else {
		result = real_ioctl()(fd, request, argument);
	}
	error = errno;
	pthread_mutex_unlock(&record_lock);
	errno = error;
	return result;
}

static void put_close(const struct known_fd *fd)
{
	switch (fd->kind) {
	case FD_CONTAINER:
		put("close-container number=%u", fd->number);
		container_used[fd->number] = false;
		break;
	case FD_GROUP:
		put("close-group group=%s", group_name(fd->number));
		break;
	case FD_DEVICE:
		put("close-device group=%s slot=0", group_name(fd->number));
		break;
	case FD_UNKNOWN:
		break;
	}
}

int close(int fd)
{
	static int (*real_close)(int fd);

	if (!real_close)
		real_close = (int (*)(int))dlsym(RTLD_NEXT, "close");
	if (fd >= 0 && fd < MAX_FDS && known[fd].kind != FD_UNKNOWN) {
		pthread_mutex_lock(&record_lock);
		put_close(&known[fd]);
		known[fd].kind = FD_UNKNOWN;
		pthread_mutex_unlock(&record_lock);
	}
	return real_close(fd);
}

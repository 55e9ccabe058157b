// SPDX-License-Identifier: GPL-2.0-only
/*
 * memory.c - the layout of mapped memory: its parts, and the kind of each
 *
 * The contents of memory are private, and not recorded. Nothing here allocates: the program's
 * allocator may be running in this very thread.
 */
#define _GNU_SOURCE
#include "lib/recording.h"
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE		4096ULL
#define MAX_ALL_BYTES	((uint64_t)MAX_ALL_TIB << 40)
#define NO_ADDRESS	0x900000000000ULL	/* outside of any process */

static unsigned int nmemories;
static uint64_t nbytes_of_all;

#define TYPE_BYTES	16

struct device {
	unsigned long long major;
	unsigned long long minor;
};

struct area {
	uint64_t start;
	uint64_t end;		/* exclusive */
	char permissions[5];
	struct device device;	/* of its file system */
	char path[128];
};

struct mount {
	struct device device;
	char type[TYPE_BYTES];
};

/* --- files of /proc/thread-self; /proc/self is the main thread's, which may have ended */

struct lines {
	int fd;
	size_t at;
	size_t nbytes;
	char bytes[4096];
};

static bool open_lines(struct lines *lines, const char *path)
{
	lines->at = 0;
	lines->nbytes = 0;
	lines->fd = open(path, O_RDONLY | O_CLOEXEC);
	return lines->fd >= 0;
}

static void close_lines(const struct lines *lines)
{
	syscall(SYS_close, lines->fd);
}

/* Cuts a line that is too long, and so the end of its path. */
static bool read_line(struct lines *lines, char *line, size_t nbytes)
{
	size_t nchars = 0;

	for (;;) {
		if (lines->at == lines->nbytes) {
			ssize_t nread = read(lines->fd, lines->bytes, sizeof(lines->bytes));

			if (nread <= 0)
				return false;
			lines->at = 0;
			lines->nbytes = (size_t)nread;
		}
		if (lines->bytes[lines->at] == '\n')
			break;
		if (nchars < nbytes - 1)
			line[nchars++] = lines->bytes[lines->at];
		lines->at++;
	}
	lines->at++;
	line[nchars] = '\0';
	return true;
}

static char *next_word(char *at)
{
	at += strcspn(at, " ");
	return at + strspn(at, " ");
}

static struct device read_device(const char *word, int base)
{
	struct device device;
	char *at;

	device.major = strtoull(word, &at, base);
	device.minor = strtoull(at + (*at == ':'), NULL, base);
	return device;
}

/* "start-end rwxp offset device inode path" */
static bool read_area(struct lines *lines, struct area *area)
{
	char line[256];
	char *at;

	if (!read_line(lines, line, sizeof(line)))
		return false;
	area->start = strtoull(line, &at, 16);
	area->end = strtoull(at + (*at == '-'), &at, 16);
	at += *at == ' ';
	snprintf(area->permissions, sizeof(area->permissions), "%.4s", at);
	at = next_word(next_word(at));
	area->device = read_device(at, 16);
	at = next_word(next_word(at));
	snprintf(area->path, sizeof(area->path), "%.127s", at);
	return true;
}

/* "id parent device root point options ... - type source options", with escaped blanks */
static bool read_mount(struct lines *lines, struct mount *mount)
{
	static char line[4096];	/* protected by the lock */
	char *type;

	if (!read_line(lines, line, sizeof(line)))
		return false;
	mount->device = read_device(next_word(next_word(line)), 10);
	type = strstr(line, " - ");
	type = type ? type + 3 : line + strlen(line);
	snprintf(mount->type, sizeof(mount->type), "%.*s", (int)strcspn(type, " "), type);
	return true;
}

/* --- the kind of an area */

/*
 * Finds the type of the file system of an area's file; "" if it is not mounted here. The file
 * system is found by its device number, because the file may have been renamed or removed. statfs()
 * is not used: the program itself may serve the file system.
 */
static void find_type(const struct area *area, char type[TYPE_BYTES])
{
	static struct lines lines;	/* protected by the lock */
	struct mount mount;

	*type = '\0';
	if (!open_lines(&lines, "/proc/thread-self/mountinfo"))
		return;
	while (!*type && read_mount(&lines, &mount))
		if (mount.device.major == area->device.major &&
		    mount.device.minor == area->device.minor)
			memcpy(type, mount.type, TYPE_BYTES);
	close_lines(&lines);
}

static bool begins_with(const char *path, const char *word)
{
	return strncmp(path, word, strlen(word)) == 0;
}

/* The kind of a shared file mapping. A name without a folder belongs to a mount of the kernel's. */
static const char *kind_of_file(const struct area *area)
{
	char type[TYPE_BYTES];

	if (begins_with(area->path, "/anon_hugepage"))
		return "huge";
	if (begins_with(area->path, "/memfd:") || begins_with(area->path, "/SYSV") ||
	    begins_with(area->path, "/dev/zero"))
		return "shared";
	find_type(area, type);
	if (!strcmp(type, "hugetlbfs") || (!*type && strstr(area->path, "hugepages")))
		return "huge";
	if (!strcmp(type, "tmpfs") || !strcmp(type, "ramfs") ||
	    (!*type && begins_with(area->path, "/dev/shm/")))
		return "shared";
	return "file";
}

static const char *kind_of(const struct area *area, uint32_t map_flags)
{
	const char *kind = area->path[0] == '/' ? kind_of_file(area) : "file";

	if (strstr(area->path, "[vfio-device]"))
		return "bar";
	if (area->permissions[3] == 's' || !strcmp(kind, "huge"))
		return kind;
	/* Pinning for writing faults the pages in anyway. */
	return map_flags & VFIO_DMA_MAP_FLAG_WRITE ? "anon" : "touched";
}

/* --- lines */

static void put_part(const struct area *area, uint64_t start, uint64_t end,
		     const struct vfio_iommu_type1_dma_map *map)
{
	const char *prot = area->permissions[1] == 'w' ? "read|write" :
			   area->permissions[0] == 'r' ? "read" : NULL;

	if (prot)
		put("part at=m%u+0x%llx size=0x%llx kind=%s prot=%s", nmemories,
		    (unsigned long long)(start - map->vaddr), (unsigned long long)(end - start),
		    kind_of(area, map->flags), prot);
}

static void put_hole(uint64_t start, uint64_t end, const struct vfio_iommu_type1_dma_map *map)
{
	if (start < end)
		put("part at=m%u+0x%llx size=0x%llx kind=hole prot=0x0", nmemories,
		    (unsigned long long)(start - map->vaddr), (unsigned long long)(end - start));
}

static void put_parts(const struct vfio_iommu_type1_dma_map *map)
{
	static struct lines lines;	/* protected by the lock */
	uint64_t end = map->vaddr + map->size;
	uint64_t at = map->vaddr;
	struct area area;

	if (!open_lines(&lines, "/proc/thread-self/maps")) {
		record_end("/proc/thread-self/maps cannot be read", errno);
		return;
	}
	while (at < end && read_area(&lines, &area)) {
		uint64_t first = area.start > at ? area.start : at;
		uint64_t behind = area.end < end ? area.end : end;

		if (first >= behind)
			continue;
		put_hole(at, first, map);
		put_part(&area, first, behind, map);
		at = behind;
	}
	put_hole(at, end, map);
	close_lines(&lines);
}

/*
 * A number for a range that is not recorded as memory: it wraps, is not page-aligned, is empty or
 * is too large. A range that wraps keeps its address. Of any other only the offset in the page
 * matters.
 */
static uint64_t number_for(const struct vfio_iommu_type1_dma_map *map)
{
	if (map->size && map->vaddr + map->size - 1 < map->vaddr)
		return map->vaddr;
	return NO_ADDRESS + map->vaddr % PAGE;
}

void put_memory(const struct vfio_iommu_type1_dma_map *map, char address[ADDRESS_BYTES])
{
	if (map->size % PAGE || map->vaddr % PAGE || !map->size || map->size > MAX_MEMORY_BYTES ||
	    map->vaddr + map->size < map->vaddr) {
		snprintf(address, ADDRESS_BYTES, "0x%llx", (unsigned long long)number_for(map));
		return;
	}
	if (nmemories == MAX_MEMORIES)
		record_full(MAX_MEMORIES, "pieces of memory");
	else if (map->size > MAX_ALL_BYTES - nbytes_of_all)
		record_full(MAX_ALL_TIB, "TiB of memory");
	nmemories++;
	nbytes_of_all += map->size;
	put("memory name=m%u size=0x%llx kind=none prot=0x0", nmemories,
	    (unsigned long long)map->size);
	put_parts(map);
	snprintf(address, ADDRESS_BYTES, "m%u+0x0", nmemories);
}

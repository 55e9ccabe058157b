// SPDX-License-Identifier: GPL-2.0-only
/*
 * memory.c - the layout of what a map is about: which parts are what kind of memory
 *
 * Its contents are nobody's business. Nothing here allocates: the program's allocator may be at
 * work in this very thread.
 */
#define _GNU_SOURCE
#include "record.h"
#include "../recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE		4096ULL
#define MAX_ALL_BYTES	((uint64_t)MAX_ALL_TIB << 40)
#define NO_ADDRESS	0x900000000000ULL	/* of no process */

static unsigned int nmemories;
static uint64_t nbytes_of_all;

struct area {
	uint64_t start;
	uint64_t end;		/* exclusive */
	char permissions[5];
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

/* --- /proc/thread-self/maps; /proc/self is the main thread's, which may have ended */

struct lines {
	int fd;
	size_t at;
	size_t nbytes;
	char bytes[4096];
};

/* The rest of a line that is longer is left out: the path's end. */
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

/* "start-end rwxp offset device inode path" */
static bool read_area(struct lines *lines, struct area *area)
{
	char line[256];
	char *at;
	unsigned int i;

	if (!read_line(lines, line, sizeof(line)))
		return false;
	area->start = strtoull(line, &at, 16);
	area->end = strtoull(at + (*at == '-'), &at, 16);
	at += *at == ' ';
	snprintf(area->permissions, sizeof(area->permissions), "%.4s", at);
	for (i = 0; i < 4; i++) {
		at += strcspn(at, " ");
		at += strspn(at, " ");
	}
	snprintf(area->path, sizeof(area->path), "%.127s", at);
	return true;
}

static void put_parts(const struct vfio_iommu_type1_dma_map *map)
{
	static struct lines lines;	/* under the lock */
	uint64_t end = map->vaddr + map->size;
	uint64_t at = map->vaddr;
	struct area area;

	lines.at = 0;
	lines.nbytes = 0;
	lines.fd = open("/proc/thread-self/maps", O_RDONLY | O_CLOEXEC);
	if (lines.fd < 0) {
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
	syscall(SYS_close, lines.fd);
}

/* --- */

/*
 * An address that is no memory's: it wraps, or is not of whole pages. The first is the same when
 * it is replayed; of the second only the place within a page matters.
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

// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: borrow PID
 *
 * Uses the IOAS behind the VFIO container of a running process, through the native ioctls. Lists
 * its IOVA ranges. Copies the memory that the process has mapped at IOVA 0 into another IOAS, and
 * to a second place in the same one, where the devices of the process reach it, too. No copy may
 * pin or charge a page again. Prints what it does. Exits 1 if a copy fails, pins or charges.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "container.h"
#include "iommufd.h"

#define COPY_NBYTES	0x10000

/* Returns the number of @key in a file with lines "key number" or "key: number". */
static long read_number(const char *path, const char *key)
{
	FILE *file = fopen(path, "r");
	char line[256];
	long number = -1;

	if (!file)
		err(1, "%s", path);
	while (number < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, strlen(key)))
			number = strtol(line + strlen(key) + strspn(line + strlen(key), ": \t"),
					NULL, 10);
	fclose(file);
	if (number < 0)
		errx(1, "%s has no line %s", path, key);
	return number;
}

struct pins {
	long pinned_ever;	/* pages, by all processes */
	long locked_kbytes;
	long pinned_kbytes;
};

static struct pins read_pins(const char *pid)
{
	struct pins pins;
	char status[64];
	int fd;

	/* Reading it sums up the per-CPU counters. */
	fd = open("/proc/sys/vm/stat_refresh", O_RDONLY);
	if (fd < 0 || read(fd, status, 1) < 0)
		err(1, "stat_refresh");
	close(fd);
	snprintf(status, sizeof(status), "/proc/%s/status", pid);
	pins.pinned_ever = read_number("/proc/vmstat", "nr_foll_pin_acquired");
	pins.locked_kbytes = read_number(status, "VmLck");
	pins.pinned_kbytes = read_number(status, "VmPin");
	return pins;
}

static unsigned int get_ioas(int fd)
{
	struct iommu_vfio_ioas args = { .size = sizeof(args), .op = IOMMU_VFIO_IOAS_GET };

	if (ioctl(fd, IOMMU_VFIO_IOAS, &args))
		err(1, "IOMMU_VFIO_IOAS");
	return args.ioas_id;
}

static unsigned int alloc_ioas(int fd)
{
	struct iommu_ioas_alloc args = { .size = sizeof(args) };

	if (ioctl(fd, IOMMU_IOAS_ALLOC, &args))
		err(1, "IOMMU_IOAS_ALLOC");
	return args.out_ioas_id;
}

static void show_ranges(int fd, unsigned int ioas_id)
{
	struct iommu_iova_range ranges[16];
	struct iommu_ioas_iova_ranges args = {
		.size = sizeof(args),
		.ioas_id = ioas_id,
		.num_iovas = 16,
		.allowed_iovas = (unsigned long)ranges,
	};
	unsigned int i;

	if (ioctl(fd, IOMMU_IOAS_IOVA_RANGES, &args))
		err(1, "IOMMU_IOAS_IOVA_RANGES");
	if (!args.num_iovas)
		errx(1, "the IOAS has no IOVA range");
	printf("IOVA ranges, multiples of %llu:", (unsigned long long)args.out_iova_alignment);
	for (i = 0; i < args.num_iovas; i++)
		printf(" %#llx-%#llx", (unsigned long long)ranges[i].start,
		       (unsigned long long)ranges[i].last);
	printf("\n");
}

static unsigned long long copy(int fd, unsigned int from, unsigned int to)
{
	struct iommu_ioas_copy args = {
		.size = sizeof(args),
		.flags = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE,
		.dst_ioas_id = to,
		.src_ioas_id = from,
		.length = COPY_NBYTES,
	};

	if (ioctl(fd, IOMMU_IOAS_COPY, &args))
		err(1, "IOMMU_IOAS_COPY");
	return args.dst_iova;
}

static void unmap(int fd, unsigned int ioas_id, unsigned long long iova)
{
	struct iommu_ioas_unmap args = {
		.size = sizeof(args),
		.ioas_id = ioas_id,
		.iova = iova,
		.length = COPY_NBYTES,
	};

	if (ioctl(fd, IOMMU_IOAS_UNMAP, &args) || args.length != COPY_NBYTES)
		err(1, "IOMMU_IOAS_UNMAP");
}

static void destroy(int fd, unsigned int id)
{
	struct iommu_destroy args = { .size = sizeof(args), .id = id };

	if (ioctl(fd, IOMMU_DESTROY, &args))
		err(1, "IOMMU_DESTROY");
}

int main(int argc, char **argv)
{
	unsigned int theirs, own;
	unsigned long long again;
	struct pins before, after;
	int fd;

	if (argc != 2)
		errx(2, "usage: borrow PID");
	fd = duplicate_container(argv[1]);
	theirs = get_ioas(fd);
	show_ranges(fd, theirs);

	before = read_pins(argv[1]);
	own = alloc_ioas(fd);
	copy(fd, theirs, own);
	again = copy(fd, theirs, theirs);
	after = read_pins(argv[1]);
	printf("copied %#x bytes from IOAS %u to IOAS %u, and to IOVA %#llx of itself\n",
	       COPY_NBYTES, theirs, own, again);
	printf("pinned meanwhile: %ld pages, charged: %ld kB\n",
	       after.pinned_ever - before.pinned_ever,
	       after.locked_kbytes - before.locked_kbytes);
	unmap(fd, theirs, again);
	destroy(fd, own);
	return memcmp(&before, &after, sizeof(before)) ? 1 : 0;
}

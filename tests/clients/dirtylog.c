// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: dirtylog PID NBYTES FILE
 *
 * Reads the dirty log of the VFIO container of any running process, for the first NBYTES of IOVA.
 * Writes the words of the bitmap, a bit a page, to FILE. Prints the number of dirty pages, or the
 * error. Exits 1 if the log cannot be read.
 */
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/vfio.h>

#include "container.h"

#define PAGE	4096u

/* Returns 0, or -1 with errno. The bitmap has a bit for each page. */
static int read_log(int fd, uint64_t nbytes, uint64_t *words, uint64_t nwords)
{
	struct {
		struct vfio_iommu_type1_dirty_bitmap head;
		struct vfio_iommu_type1_dirty_bitmap_get get;
	} args = {
		.head.argsz = sizeof(args),
		.head.flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP,
		.get.size = nbytes,
		.get.bitmap.pgsize = PAGE,
		.get.bitmap.size = nwords * 8,
		.get.bitmap.data = (void *)words,
	};

	return ioctl(fd, VFIO_IOMMU_DIRTY_PAGES, &args);
}

static void save(const char *path, const uint64_t *words, uint64_t nwords)
{
	FILE *file = fopen(path, "w");

	if (!file || fwrite(words, 8, nwords, file) != nwords || fclose(file))
		err(1, "%s", path);
}

int main(int argc, char **argv)
{
	uint64_t nbytes, nwords, i, ndirty = 0;
	uint64_t *words;
	int fd;

	if (argc != 4)
		errx(2, "usage: dirtylog PID NBYTES FILE");
	nbytes = strtoull(argv[2], NULL, 0);
	nwords = (nbytes / PAGE + 63) / 64;
	words = calloc(nwords, 8);
	if (!nwords || !words)
		err(1, "no room for the bitmap");
	fd = duplicate_container(argv[1]);

	if (read_log(fd, nbytes, words, nwords)) {
		printf("cannot be read: %m\n");
		return 1;
	}
	save(argv[3], words, nwords);
	for (i = 0; i < nwords; i++)
		ndirty += __builtin_popcountll(words[i]);
	printf("%llu dirty pages\n", (unsigned long long)ndirty);
	return 0;
}

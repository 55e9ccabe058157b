// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: whoserves PID
 *
 * Prints the backend that serves the VFIO container of any running process: vfio_ioas or
 * vfio_iommu_type1. Duplicates the descriptor of the container, and calls an ioctl that only our
 * backend knows. Exits 1 if the process has no container in use.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <linux/vfio.h>

#include "container.h"
#include "iommufd.h"

int main(int argc, char **argv)
{
	struct iommu_vfio_ioas query = { .size = sizeof(query) };
	struct vfio_iommu_type1_info info = { .argsz = sizeof(info) };
	int fd;

	if (argc != 2)
		errx(2, "usage: whoserves PID");
	fd = duplicate_container(argv[1]);

	/* Fails while no backend serves the container. */
	if (ioctl(fd, VFIO_IOMMU_GET_INFO, &info))
		err(1, "VFIO_IOMMU_GET_INFO");
	if (!ioctl(fd, IOMMU_VFIO_IOAS, &query) && query.ioas_id)
		printf("vfio_ioas\n");
	else if (errno == ENOTTY)
		printf("vfio_iommu_type1\n");
	else
		err(1, "IOMMU_VFIO_IOAS");
	return 0;
}

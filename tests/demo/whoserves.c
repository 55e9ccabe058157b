// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: whoserves PID
 *
 * Says which backend serves the VFIO container of a running process, whoever wrote that:
 * takes a duplicate of its descriptor and asks what only our backend answers. Prints
 * vfio_ioas or vfio_iommu_type1; exits 1 if the process has no container in use.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/vfio.h>

/* IOMMU_VFIO_IOAS of the native interface, operation 0: GET. */
#define NATIVE_VFIO_IOAS	_IO(';', 0x88)

struct native_vfio_ioas {
	uint32_t size;
	uint32_t ioas_id;
	uint16_t op;
	uint16_t reserved;
};

/* Both nodes give a VFIO container: they differ in who may serve it. */
static int is_container_node(const char *path)
{
	static const char *const nodes[] = { "/dev/vfio/vfio", "/dev/vfio/ioas" };
	struct stat file, node;
	unsigned int i;

	if (stat(path, &file) || !S_ISCHR(file.st_mode))
		return 0;
	for (i = 0; i < 2; i++) {
		if (!stat(nodes[i], &node) && node.st_rdev == file.st_rdev)
			return 1;
	}
	return 0;
}

/* The number of the process's container descriptor; -1 if it has none. */
static int find_container(const char *pid)
{
	char directory[64], path[400];
	struct dirent *entry;
	int found = -1;
	DIR *dir;

	snprintf(directory, sizeof(directory), "/proc/%s/fd", pid);
	dir = opendir(directory);
	if (!dir)
		err(1, "%s", directory);
	while (found < 0 && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		if (is_container_node(path))
			found = atoi(entry->d_name);
	}
	closedir(dir);
	return found;
}

static int duplicate(const char *pid, int fd)
{
	int pidfd = syscall(SYS_pidfd_open, atoi(pid), 0);
	int copy = pidfd < 0 ? -1 : syscall(SYS_pidfd_getfd, pidfd, fd, 0);

	if (copy < 0)
		err(1, "descriptor %d of process %s", fd, pid);
	close(pidfd);
	return copy;
}

int main(int argc, char **argv)
{
	struct native_vfio_ioas query = { .size = sizeof(query) };
	struct vfio_iommu_type1_info info = { .argsz = sizeof(info) };
	int fd;

	if (argc != 2)
		errx(2, "usage: whoserves PID");
	fd = find_container(argv[1]);
	if (fd < 0)
		errx(1, "process %s has no VFIO container", argv[1]);
	fd = duplicate(argv[1], fd);

	/* Fails as long as no backend serves the container. */
	if (ioctl(fd, VFIO_IOMMU_GET_INFO, &info))
		err(1, "VFIO_IOMMU_GET_INFO");
	if (!ioctl(fd, NATIVE_VFIO_IOAS, &query) && query.ioas_id)
		printf("vfio_ioas\n");
	else if (errno == ENOTTY)
		printf("vfio_iommu_type1\n");
	else
		err(1, "IOMMU_VFIO_IOAS");
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gets the VFIO container of any running process.
 */
#include <dirent.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "container.h"

/* Both nodes give a VFIO container. They differ in the backends that may serve it. */
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

/* Returns the number of the descriptor of the process's container, or -1 if it has none. */
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

int duplicate_container(const char *pid)
{
	int fd = find_container(pid);

	if (fd < 0)
		errx(1, "process %s has no VFIO container", pid);
	return duplicate(pid, fd);
}

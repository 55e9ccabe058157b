// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fake VFIO for programs of recorder.py, on kernels without it. It is preloaded after the recorder
 * and replaces functions of the C library. A file counts as VFIO's if its path ends like one. With
 * $FAKE_SIGNAL, SIGUSR1 arrives while the recorder holds its lock: when it reads the list of
 * mappings.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

ssize_t readlink(const char *path, char *target, size_t nbytes)
{
	ssize_t nchars = syscall(SYS_readlink, path, target, nbytes);
	char *node = nchars > 0 ? memmem(target, (size_t)nchars, "/dev/vfio/", 10) : NULL;

	if (!node)
		return nchars;
	nchars -= node - target;
	memmove(target, node, (size_t)nchars);
	return nchars;
}

/* $FAKE_MOUNTS names a file that replaces the list of mounts. */
int open(const char *path, int flags, ...)
{
	const char *mounts = getenv("FAKE_MOUNTS");
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = va_arg(arguments, mode_t);
	va_end(arguments);
	if (mounts && !strcmp(path, "/proc/thread-self/mountinfo"))
		path = mounts;
	if (getenv("FAKE_SIGNAL") && !strcmp(path, "/proc/thread-self/maps"))
		raise(SIGUSR1);
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

/* There is no device: fails because of the pointer, the name, or for another reason. */
static int get_device(const char *name)
{
	if ((unsigned long)name < 4096)
		errno = EFAULT;
	else if (!strcmp(name, "none"))
		errno = ENODEV;
	else
		errno = EINVAL;
	return -1;
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if (request == VFIO_GROUP_GET_DEVICE_FD)
		return get_device(argument);
	if (request >= VFIO_GET_API_VERSION && request <= VFIO_IOMMU_DIRTY_PAGES)
		return 0;
	return (int)syscall(SYS_ioctl, fd, request, argument);
}

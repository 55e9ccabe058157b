// SPDX-License-Identifier: GPL-2.0-only
/*
 * fds.c - tracks the descriptors of containers, groups and devices
 *
 * A descriptor is examined when a VFIO call uses it. From then on it is followed through dup(),
 * fcntl() and dup2(). An object counts as closed when its last descriptor is closed.
 */
#define _GNU_SOURCE
#include "record.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_FDS		65536
#define MAX_OBJECTS	64
#define MAX_CONTAINERS	2U	/* limits of replay, as are the next two */
#define MAX_GROUPS	2U
#define MAX_SLOTS	2U

/* 0: unknown, or not VFIO's; otherwise an index into objects. Read without the lock. */
static _Atomic uint8_t known[MAX_FDS];
static struct object objects[MAX_OBJECTS];	/* the first is unused */
static int group_numbers[MAX_GROUPS];
static unsigned int ngroups;
static unsigned int current_container = UINT_MAX;

/* --- objects */

static bool is_taken(enum fd_kind kind, unsigned int number, unsigned int slot)
{
	unsigned int i;

	for (i = 1; i < MAX_OBJECTS; i++)
		if (objects[i].nfds && objects[i].kind == kind && objects[i].number == number &&
		    objects[i].slot == slot)
			return true;
	return false;
}

static void know(int fd, struct object object)
{
	unsigned int i;

	for (i = 1; i < MAX_OBJECTS && objects[i].nfds; i++)
		;
	if (i == MAX_OBJECTS || fd < 0 || fd >= MAX_FDS)
		return;
	objects[i] = object;
	objects[i].nfds = 1;
	known[fd] = (uint8_t)i;
}

/* Writes only one comment: comments about all its calls would fill the file. */
static void ignore(int fd, const char *what)
{
	unsigned int i;

	put("# a third %s is not recorded", what);
	for (i = 1; i < MAX_OBJECTS; i++)
		if (objects[i].nfds && objects[i].kind == FD_IGNORED)
			break;
	if (i == MAX_OBJECTS) {
		know(fd, (struct object){ .kind = FD_IGNORED });
		return;
	}
	objects[i].nfds++;
	known[fd] = (uint8_t)i;
}

static void put_close(const struct object *object)
{
	switch (object->kind) {
	case FD_CONTAINER:
		put("close-container number=%u", object->number);
		break;
	case FD_GROUP:
		put("close-group group=%s", group_name(object));
		break;
	case FD_DEVICE:
		put("close-device group=%s slot=%u", group_name(object), object->slot);
		break;
	case FD_UNKNOWN:
	case FD_IGNORED:
		break;
	}
}

static void forget(int fd)
{
	struct object *object = &objects[known[fd]];

	if (!known[fd])
		return;
	known[fd] = 0;
	if (--object->nfds == 0)
		put_close(object);
}

/* The program has made descriptor to from descriptor from. */
static void follow(int from, int to)
{
	if (to < 0 || to >= MAX_FDS || from == to)
		return;
	forget(to);
	if (from < 0 || from >= MAX_FDS || !known[from])
		return;
	known[to] = known[from];
	objects[known[to]].nfds++;
}

/* --- recognition */

const char *group_name(const struct object *object)
{
	return object->number ? "B" : "A";
}

static void know_container(int fd)
{
	unsigned int number = 0;

	while (number < MAX_CONTAINERS && is_taken(FD_CONTAINER, number, 0))
		number++;
	if (number == MAX_CONTAINERS) {
		ignore(fd, "container");
		return;
	}
	know(fd, (struct object){ .kind = FD_CONTAINER, .number = number });
	current_container = number;
	put("container number=%u", number);
}

static void know_group(int fd, int group)
{
	unsigned int i;

	for (i = 0; i < ngroups && group_numbers[i] != group; i++)
		;
	if (i == MAX_GROUPS) {
		ignore(fd, "group");
		return;
	}
	if (i == ngroups)
		group_numbers[ngroups++] = group;
	know(fd, (struct object){ .kind = FD_GROUP, .number = i });
	put("group group=%s", i ? "B" : "A");
}

void know_device(int fd, const struct object *group)
{
	struct object device = { .kind = FD_DEVICE, .number = group->number };

	while (device.slot < MAX_SLOTS && is_taken(FD_DEVICE, device.number, device.slot))
		device.slot++;
	if (device.slot == MAX_SLOTS) {
		put("# a third device of the group is not recorded");
		return;
	}
	know(fd, device);
	put("device group=%s slot=%u known=1", group_name(&device), device.slot);
}

static bool is_node(const char *target, const char *node)
{
	size_t nchars = strlen(node);

	/* The kernel adds " (deleted)" to the name of a removed file. */
	return strncmp(target, node, nchars) == 0 &&
	       (!target[nchars] || target[nchars] == ' ' || target[nchars] == '.');
}

static void recognise(int fd)
{
	char path[64], target[128];
	ssize_t nchars;
	int group;

	snprintf(path, sizeof(path), "/proc/thread-self/fd/%d", fd);
	nchars = readlink(path, target, sizeof(target) - 1);
	if (nchars < 0) {
		/* The descriptor is closed, or links cannot be read: no /proc, or a sandbox. */
		if (readlink("/proc/thread-self/exe", target, sizeof(target)) < 0)
			record_end("/proc/thread-self/fd cannot be read", errno);
		return;
	}
	target[nchars] = '\0';
	if (is_node(target, "/dev/vfio/vfio") || is_node(target, "/dev/vfio/ioas"))
		know_container(fd);
	else if (sscanf(target, "/dev/vfio/%d", &group) == 1)
		know_group(fd, group);
}

const struct object *look_at(int fd)
{
	const struct object *object;

	if (fd < 0 || fd >= MAX_FDS)
		return NULL;
	if (!known[fd])
		recognise(fd);
	/* An unknown descriptor has the first object, whose kind is FD_UNKNOWN. */
	object = &objects[known[fd]];
	return object->kind == FD_UNKNOWN || object->kind == FD_IGNORED ? NULL : object;
}

void use_container(const struct object *container)
{
	if (container->number == current_container)
		return;
	current_container = container->number;
	put("use number=%u", container->number);
}

/* --- functions of the C library, and ours that replace them */

/* next_NAME() returns the C library's function, or that of a library loaded after ours. */
#define DEFINE_NEXT(function, ...)						\
	typedef int (*function##_type)(__VA_ARGS__);				\
	static function##_type next_##function(void)				\
	{									\
		static function##_type found;					\
										\
		if (!found)							\
			found = (function##_type)dlsym(RTLD_NEXT, #function);	\
		return found;							\
	}

DEFINE_NEXT(ioctl, int fd, unsigned long request, void *argument)
DEFINE_NEXT(close, int fd)
DEFINE_NEXT(dup, int fd)
DEFINE_NEXT(dup2, int from, int to)
DEFINE_NEXT(dup3, int from, int to, int flags)
DEFINE_NEXT(fcntl, int fd, int command, void *argument)
DEFINE_NEXT(fcntl64, int fd, int command, void *argument)
DEFINE_NEXT(close_range, unsigned int first, unsigned int last, int flags)
/* It really returns nothing; nobody looks at the result. */
DEFINE_NEXT(closefrom, int first)

/* Runs early, because dlsym() may allocate. */
__attribute__((constructor)) static void find_functions(void)
{
	next_ioctl();
	next_close();
	next_dup();
	next_dup2();
	next_dup3();
	next_fcntl();
	next_fcntl64();
	next_close_range();
	next_closefrom();
}

int real_ioctl(int fd, unsigned long request, void *argument)
{
	return next_ioctl()(fd, request, argument);
}

static bool is_known(int fd)
{
	return fd >= 0 && fd < MAX_FDS && known[fd] && record_is_mine();
}

/* Runs before the close, because another thread may then reuse the number at once. */
static void forget_range(unsigned int first, unsigned int last)
{
	unsigned int fd;
	int error = errno;

	if (!record_is_mine())
		return;
	record_lock();
	for (fd = first; fd <= last && fd < MAX_FDS; fd++)
		if (known[fd])
			forget((int)fd);
	record_unlock();
	errno = error;
}

EXPORTED int close(int fd)
{
	if (record_fd_in((unsigned int)fd, (unsigned int)fd) >= 0) {
		errno = EBADF;
		return -1;
	}
	if (is_known(fd))
		forget_range((unsigned int)fd, (unsigned int)fd);
	return next_close()(fd);
}

/* Closes all descriptors of the range but the recording. */
EXPORTED int close_range(unsigned int first, unsigned int last, int flags)
{
	int found = record_fd_in(first, last), result = 0;
	unsigned int own = (unsigned int)found;

	if (first <= last && !(flags & CLOSE_RANGE_CLOEXEC))
		forget_range(first, last);
	if (found < 0)
		return next_close_range()(first, last, flags);
	if (own > first)
		result = next_close_range()(first, own - 1, flags);
	if (!result && own < last)
		result = next_close_range()(own + 1, last, flags);
	return result;
}

/* The C library's function works without close_range() if necessary. */
EXPORTED void closefrom(int first)
{
	int fd = first < 0 ? 0 : first;
	int own = record_fd_in((unsigned int)fd, INT_MAX);

	forget_range((unsigned int)fd, UINT_MAX);
	while (fd < own)
		syscall(SYS_close, fd++);
	next_closefrom()(own < 0 ? fd : own + 1);
}

static int followed(int from, int to)
{
	int error = errno;

	if (to < 0 || (!is_known(from) && !is_known(to)))
		return to;
	record_lock();
	follow(from, to);
	record_unlock();
	errno = error;
	return to;
}

static void make_way(int fd)
{
	int error = errno;

	/*
	 * A child has its own table before exec(), and if it was not forked, may find the lock
	 * taken.
	 */
	if (!record_is_mine() || record_fd_in((unsigned int)fd, (unsigned int)fd) < 0)
		return;
	record_lock();
	record_move_fd();
	record_unlock();
	errno = error;
}

EXPORTED int dup(int fd)
{
	return followed(fd, next_dup()(fd));
}

EXPORTED int dup2(int from, int to)
{
	make_way(to);
	return followed(from, next_dup2()(from, to));
}

EXPORTED int dup3(int from, int to, int flags)
{
	make_way(to);
	return followed(from, next_dup3()(from, to, flags));
}

static bool makes_another(int command)
{
	return command == F_DUPFD || command == F_DUPFD_CLOEXEC;
}

static void *only_argument(va_list arguments)
{
	return va_arg(arguments, void *);
}

static int follow_fcntl(fcntl_type real, int fd, int command, void *argument)
{
	int result = real(fd, command, argument);

	return makes_another(command) ? followed(fd, result) : result;
}

EXPORTED int fcntl(int fd, int command, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, command);
	argument = only_argument(arguments);
	va_end(arguments);
	return follow_fcntl(next_fcntl(), fd, command, argument);
}

EXPORTED int fcntl64(int fd, int command, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, command);
	argument = only_argument(arguments);
	va_end(arguments);
	return follow_fcntl(next_fcntl64(), fd, command, argument);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * switch_lock.c - allows only one switch at a time
 *
 * Only root can open the file of the lock: any process that can open a file can lock it, and so
 * block us. A record lock is used because the kernel tells its owner.
 */
#define _GNU_SOURCE
#include "switch_lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/say.h"
#include "lib/text.h"
#include "switch_state.h"
#include "system/holders.h"

#define LOCK_NAME	"lock"
#define LOCK_FILE	STATE_DIR "/" LOCK_NAME

/* O_CREAT takes the lock of the directory, which others can hold, even if the file exists. */
static int open_or_make(int dir)
{
	const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	int fd = openat(dir, LOCK_NAME, flags);

	return fd < 0 && errno == ENOENT ? openat(dir, LOCK_NAME, flags | O_CREAT, 0600) : fd;
}

static int open_lock(void)
{
	int dir = state_make_dir(STATE_DIR);
	struct stat st;
	int fd;

	if (dir < 0)
		return -1;
	fd = open_or_make(dir);
	if (fd < 0) {
		say_error("%s: %s", LOCK_FILE, strerror(errno));
	} else if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
		   fchmod(fd, 0600)) {
		say_error("%s is not a file of root's; remove it", LOCK_FILE);
		close(fd);
		fd = -1;
	}
	close(dir);
	return fd;
}

static bool try_lock(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_SETLK, &lock) == 0;
}

/* "process 123 (vfio-ioas)" */
static const char *holder_of(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	static char says[128];
	char path[48], name[32];

	if (fcntl(fd, F_GETLK, &lock) || lock.l_type == F_UNLCK || lock.l_pid <= 0)
		return "another process";
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)lock.l_pid);
	if (read_line(path, name, sizeof(name)))
		name[0] = '\0';
	snprintf(says, sizeof(says), "process %d (%s)", (int)lock.l_pid, printable(name));
	return says;
}

/* Tries again and again: no call waits for a lock with a time limit. */
static bool wait_for_lock(int fd, unsigned int nseconds)
{
	struct timespec pause = { .tv_nsec = 50 * 1000000L }, now, end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += nseconds;
	do {
		nanosleep(&pause, NULL);
		if (try_lock(fd))
			return true;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec ||
		 (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
	return false;
}

int switch_lock(unsigned int nseconds)
{
	int fd = open_lock();
	bool is_busy;

	if (fd < 0 || try_lock(fd))
		return fd;
	is_busy = errno == EAGAIN || errno == EACCES;
	if (is_busy && wait_for_lock(fd, nseconds))
		return fd;
	if (is_busy)
		say_error("%s is switching and did not end in %u seconds; end it, or use --timeout",
			  holder_of(fd), nseconds);
	else
		say_error("%s: %s", LOCK_FILE, strerror(errno));
	close(fd);
	return -1;
}

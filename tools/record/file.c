// SPDX-License-Identifier: GPL-2.0-only
/*
 * file.c - the recording
 *
 * The recording is a new file that only its owner can read. Its descriptor has a high number, out
 * of the program's way. The program, or a child with a table of its own, can still get the number
 * for another file: by a system call of its own, or after the recording has ended. So the number is
 * checked before each use: it must lead to our file.
 */
#define _GNU_SOURCE
#include "lib/recording.h"
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES	(MAX_LINE_CHARS + 1)
#define MAX_FILE_BYTES	((uint64_t)MAX_FILE_MIB << 20)
#define BUFFER_BYTES	8192
#define LOWEST_FD	500	/* or half of the limit, if that is lower */

enum state {
	NOT_BEGUN,
	RECORDING,
	STOPPED,		/* it could not be created or continued */
	SOMEBODY_ELSES,		/* the parent is recorded */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sigset_t signals_before;		/* of the thread with the lock, as is the next */
static int cancel_before;
static const char *path;		/* NULL: do not record */
static enum state state;
static pid_t owner;			/* the process that this memory belongs to */
static int record = -1;
static struct stat record_status;
static struct stat stderr_status;	/* stderr at the start */
static char buffer[BUFFER_BYTES];
static size_t nbuffered;
static unsigned int nops;		/* written or buffered, as are the next */
static uint64_t nbytes;

/* --- the lock */

/*
 * A thread that is cancelled in open(), read() or write() would keep the lock, so cancellation is
 * disabled. Signals are blocked until it is enabled again, because a handler could jump out of
 * here.
 */
void record_lock(void)
{
	sigset_t all, before;
	int cancel;

	sigfillset(&all);
	/* A sandbox may answer a system call by SIGSYS, and kills the process if it is blocked. */
	sigdelset(&all, SIGSYS);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	pthread_mutex_lock(&lock);
	signals_before = before;
	cancel_before = cancel;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool is_ours(int fd)
{
	struct stat status;

	return fd >= 0 && !fstat(fd, &status) && is_same(&status, &record_status);
}

/*
 * The program must not die of a limit on file sizes, or of a pipe without a reader. The caller
 * holds the lock: the signal is blocked, and is discarded here.
 */
static ssize_t write_unharmed(int fd, const void *bytes, size_t nbytes)
{
	ssize_t nwritten = write(fd, bytes, nbytes);
	struct timespec at_once = { 0 };
	int error = errno;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, error == EPIPE ? SIGPIPE : SIGXFSZ);
	if (nwritten < 0 && (error == EPIPE || error == EFBIG))
		sigtimedwait(&set, NULL, &at_once);
	errno = error;
	return nwritten;
}

/* Prints nothing if the program uses the descriptor of the standard error for another file. */
static void say(const char *what, const char *why)
{
	char text[512];
	struct stat status;
	int nchars;

	if (fstat(STDERR_FILENO, &status) || !is_same(&status, &stderr_status))
		return;
	nchars = snprintf(text, sizeof(text), "vfio-ioas: %.300s: %s: %s\n", path, what, why);
	if (nchars > 0 && nchars < (int)sizeof(text))
		write_unharmed(STDERR_FILENO, text, (size_t)nchars);
}

static void stop(const char *why)
{
	state = STOPPED;
	say("the recording ends here", why);
}

/*
 * When the disk is full, the first bytes of the buffer may still have been written. Half a line
 * cannot be replayed, so it is cut off. The size is read from the file, because a child may have
 * added its comment.
 */
static void cut_last_line(size_t nwritten)
{
	const char *end = memrchr(buffer, '\n', nwritten);
	size_t nhalf = nwritten - (end ? (size_t)(end + 1 - buffer) : 0);
	struct stat status;

	if (nhalf && (fstat(record, &status) ||
		      ftruncate(record, status.st_size - (off_t)nhalf)))
		say("the recording ends within a line", strerrordesc_np(errno));
}

static void write_all(void)
{
	size_t nwritten = 0;

	if (state != RECORDING || !nbuffered)
		return;
	if (!is_ours(record)) {
		stop("the program has closed the file");
		return;
	}
	while (nwritten < nbuffered) {
		ssize_t n = write_unharmed(record, buffer + nwritten, nbuffered - nwritten);

		if (n < 0) {
			stop(strerrordesc_np(errno));
			cut_last_line(nwritten);
			return;
		}
		nwritten += (size_t)n;
	}
}

void record_unlock(void)
{
	sigset_t before = signals_before;
	int cancel = cancel_before;

	write_all();
	nbuffered = 0;
	pthread_mutex_unlock(&lock);
	pthread_setcancelstate(cancel, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void record_full(unsigned int most, const char *of_what)
{
	char why[96];

	if (state != RECORDING)
		return;
	snprintf(why, sizeof(why), "more than %u %s cannot be replayed", most, of_what);
	stop(why);
}

/*
 * Is there room for a line with its newline? If not, ends the recording. "sequence" counts as an
 * operation.
 */
static bool has_room(const char *line, size_t nchars)
{
	bool is_op = *line != '#';

	if (is_op && nops == MAX_OPS)
		record_full(MAX_OPS, "operations");
	else if (nbytes + nchars > MAX_FILE_BYTES)
		record_full(MAX_FILE_MIB, "MiB");
	if (state != RECORDING)
		return false;
	nops += is_op;
	nbytes += nchars;
	return true;
}

void put(const char *format, ...)
{
	char line[LINE_BYTES];
	va_list arguments;
	int error = errno;
	int nchars;

	va_start(arguments, format);
	nchars = vsnprintf(line, sizeof(line) - 1, format, arguments);
	va_end(arguments);
	if (nchars > 0 && nchars < (int)sizeof(line) - 1 && has_room(line, (size_t)nchars + 1)) {
		line[nchars++] = '\n';
		if (nbuffered + (size_t)nchars > sizeof(buffer)) {
			write_all();
			nbuffered = 0;
		}
		memcpy(buffer + nbuffered, line, (size_t)nchars);
		nbuffered += (size_t)nchars;
	}
	errno = error;
}

void record_end(const char *why, int error)
{
	char what[128];

	if (state != RECORDING)
		return;
	state = STOPPED;
	snprintf(what, sizeof(what), "the recording ends here, as %s", why);
	say(what, strerrordesc_np(error));
}

/* --- processes */

static void before_fork(void)
{
	record_lock();
}

static void after_fork(void)
{
	record_unlock();
}

static void in_child(void)
{
	owner = getpid();
	if (state == RECORDING)
		state = SOMEBODY_ELSES;
	record_unlock();
}

/* The path is copied, because the program may clear its environment. */
__attribute__((constructor)) static void load(void)
{
	path = secure_getenv("VFIO_IOAS_RECORD");
	if (path)
		path = strdup(path);
	owner = getpid();
	fstat(STDERR_FILENO, &stderr_status);
	pthread_atfork(before_fork, after_fork, in_child);
}

bool record_is_mine(void)
{
	return owner == getpid() && state == RECORDING;
}

/* --- the file */

int record_fd_in(unsigned int first, unsigned int last)
{
	int error = errno, fd = record;
	bool is_it = (unsigned int)fd >= first && (unsigned int)fd <= last && is_ours(fd);

	errno = error;
	return is_it ? fd : -1;
}

/* Uses the system call: our fcntl() would take the lock. So would our close(). */
static int duplicate(int fd, int lowest)
{
	return (int)syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, lowest);
}

void record_move_fd(void)
{
	int before = record;

	record = duplicate(before, before + 1);
	if (record < 0)
		stop(strerrordesc_np(errno));
	/* If it stayed open and the program's call failed, the program would find it open. */
	syscall(SYS_close, before);
}

static int out_of_the_way(int fd)
{
	struct rlimit limit;
	int high = duplicate(fd, LOWEST_FD);

	if (high < 0 && !getrlimit(RLIMIT_NOFILE, &limit))
		high = duplicate(fd, (int)(limit.rlim_cur / 2));
	if (high < 0)
		return fd;
	syscall(SYS_close, fd);
	return high;
}

static void create(void)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_APPEND | O_CLOEXEC,
		      0600);

	if (fd < 0 || fstat(fd, &record_status)) {
		state = STOPPED;
		say("nothing is recorded", errno == EEXIST ?
		    "the file exists; name a new one" : strerrordesc_np(errno));
		return;
	}
	record = out_of_the_way(fd);
	state = RECORDING;
	put("sequence");
}

bool record_begin(void)
{
	int error = errno;

	if (!path || owner != getpid())
		return false;
	if (state == RECORDING)
		return true;
	if (state == STOPPED)
		return false;
	record_lock();
	if (state == NOT_BEGUN) {
		create();
	} else if (state == SOMEBODY_ELSES) {
		/* Recording only for this line, and only if the number still leads to our file. */
		state = is_ours(record) ? RECORDING : STOPPED;
		put("# process %d, a child, uses VFIO, too: its calls are not recorded",
		    (int)owner);
		write_all();
		nbuffered = 0;
		state = STOPPED;
	}
	record_unlock();
	errno = error;
	return state == RECORDING;
}

/* Reads by thread id, because the main thread, whose id is the process', may have ended. */
bool read_argument(const void *argument, void *copy, size_t nbytes)
{
	struct iovec local = { copy, nbytes };
	struct iovec remote = { (void *)argument, nbytes };
	int error = errno;
	ssize_t nread = process_vm_readv(gettid(), &local, 1, &remote, 1, 0);

	if (nread < 0 && errno != EFAULT) {
		int reason = errno;

		/* The kernel lacks the call, or the program has entered a sandbox. */
		record_lock();
		record_end("process_vm_readv() fails", reason);
		record_unlock();
	}
	errno = error;
	return nread == (ssize_t)nbytes;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * holders.c - processes that have VFIO containers open
 *
 * Descriptors belong to other users, and must neither block us nor delay us for long:
 *
 * - No read depends on the file behind a descriptor. Most descriptors are judged by the text of
 *   their link in /proc, which does not involve a file system. Only if the text ends like the name
 *   of a VFIO device, the file is opened with O_PATH, to get its device number from memory. Some
 *   file systems, such as NFS, may still ask their server. Then the child waits. A node with any
 *   other name is not found.
 * - /proc/PID/fdinfo is not read: it runs code of the file, which may wait for a lock (epoll's
 *   does). A process can hold that lock as long as it likes.
 * - The clock is read at each descriptor, and the search stops after HOLDERS_SECONDS. So neither
 *   the number of descriptors nor that of processes matters. The order of processes prevents a user
 *   with very many of them from hiding those of another user: see candidates_visit().
 * - A child does all of this. If it is blocked, it is given up, and its results so far count. Locks
 *   of directories in /proc can block it: see docs/security.md.
 */
#define _GNU_SOURCE
#include "holders.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "candidates.h"
#include "lib/allocate.h"
#include "lib/errand.h"
#include "lib/number.h"
#include "lib/text.h"
#include "nodes.h"
#include "ours.h"

#define NGLANCES	8	/* per descriptor, since its process may change it */
#define GRACE_MS	500	/* extra time for a child that is not blocked */
#define LASTING_MS	1000	/* references to a module that last as long are not temporary */
#define MAX_HOLDS	2	/* by one container, on our module */

/* Progress with a process. */
struct look {
	bool is_done;
	long position;		/* in its directory of descriptors */
	struct holder holder;
};

/* State of the search through all processes. */
struct search {
	dev_t ours;
	dev_t native;
	unsigned int group_major;	/* 0 if there is none */
	struct candidates candidates;
	struct look *looks;		/* one for each of them */
	bool denied;
	int output;
};

/* A message of the child: a holder, or at the end the result of the search. */
struct answer {
	bool is_last;
	bool denied;
	bool late;
	unsigned int ndependants;
	struct holder holder;
};

/* --- one descriptor */

static bool is_number(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

/* Cuts off the suffix that the kernel adds to the name of a removed file. */
static bool looks_like_vfio(char *text)
{
	static const char *const names[] = { "vfio", "vfio.stock", "ioas", "iommu", "iommu-ioas" };
	size_t nchars = strlen(text);
	unsigned int i;
	char *name;

	if (nchars > 10 && strcmp(text + nchars - 10, " (deleted)") == 0)
		text[nchars - 10] = '\0';
	name = strrchr(text, '/');
	if (!name)
		return false;
	*name++ = '\0';
	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	if (strncmp(name, "noiommu-", 8) == 0)
		name += 8;
	nchars = strlen(text);
	return is_number(name) && nchars >= 5 && strcmp(text + nchars - 5, "/vfio") == 0;
}

/* The counter for a device; NULL if the device is none of ours or VFIO's. */
static unsigned int *counter_of(const struct search *search, dev_t number, struct holder *holder)
{
	if (!number)
		return NULL;
	if (number == STOCK_NUMBER)
		return &holder->nstock;
	if (number == search->ours)
		return &holder->nours;
	if (number == search->native)
		return &holder->nnative;
	return major(number) == search->group_major ? &holder->ndevices : NULL;
}

/*
 * Returns the number of the character device behind a descriptor; 0 if it is none. O_PATH does not
 * call the file's open(). AT_STATX_DONT_SYNC asks for the attributes in memory; some file systems
 * take that only as a hint.
 */
static dev_t number_of(int fds, const char *name)
{
	int fd = openat(fds, name, O_PATH | O_CLOEXEC);
	dev_t number = 0;
	struct statx st;

	if (fd < 0)
		return 0;
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &st) == 0 &&
	    S_ISCHR(st.stx_mode))
		number = makedev(st.stx_rdev_major, st.stx_rdev_minor);
	close(fd);
	return number;
}

/*
 * Has the process really opened the file? A descriptor with O_PATH only names the file, which needs
 * no permission: anybody could seem to hold a group. The mode of the link is that of the
 * descriptor. A descriptor for ioctls alone (access mode 3) has no mode bits, either: see
 * holders_unseen().
 */
static bool is_opened(int fds, const char *name)
{
	struct stat link;

	return fstatat(fds, name, &link, AT_SYMLINK_NOFOLLOW) == 0 &&
	       link.st_mode & 0600;
}

/*
 * The number and the mode are read one after the other. A process that keeps exchanging two files
 * will not fool all of the glances.
 */
static void look_at_file(const struct search *search, int fds, const char *name,
			 struct holder *holder)
{
	dev_t number = number_of(fds, name);
	unsigned int *counter = counter_of(search, number, holder);
	unsigned int i;

	for (i = 0; counter && i < NGLANCES; i++)
		if (!is_opened(fds, name) || number_of(fds, name) != number)
			return;
	if (counter)
		++*counter;
}

static void look_at_descriptor(const struct search *search, int fds, const char *name,
			       struct holder *holder)
{
	char text[256];
	ssize_t nread = readlinkat(fds, name, text, sizeof(text) - 1);

	/* The text may be cut: it is longer than all our names, so this is no VFIO device. */
	if (nread <= 0 || nread == sizeof(text) - 1)
		return;
	text[nread] = '\0';
	if (strcmp(text, "anon_inode:[vfio-device]") == 0)
		holder->ndevices++;
	else if (text[0] == '/' && looks_like_vfio(text))
		look_at_file(search, fds, name, holder);
}

/* --- processes */

/* The message is short enough for an atomic write to a pipe. */
static void say(const struct search *search, const struct answer *answer)
{
	_Static_assert(sizeof(*answer) <= 512, "POSIX says so");

	if (write(search->output, answer, sizeof(*answer)) != sizeof(*answer))
		_exit(EXIT_NOT_RUN);
}

static void say_holder(const struct search *search, struct look *look)
{
	struct holder *holder = &look->holder;
	char path[64];

	if (!holder->nstock && !holder->nours && !holder->nnative)
		return;
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)holder->pid);
	if (read_line(path, holder->name, sizeof(holder->name)))
		holder->name[0] = '\0';
	say(search, &(struct answer){ .holder = *holder });
}

/* Examines at least one descriptor, so that each call makes progress. */
static bool look_at_descriptors(const struct search *search, DIR *fds, struct look *look,
				deadline_t deadline)
{
	struct dirent *entry;

	if (look->position)
		seekdir(fds, look->position);
	while ((entry = readdir(fds))) {
		if (entry->d_name[0] == '.')
			continue;
		look_at_descriptor(search, dirfd(fds), entry->d_name, &look->holder);
		look->position = telldir(fds);
		if (deadline_is_over(deadline))
			return false;
	}
	return true;
}

/* A candidate_fn. */
static bool look_at_process(unsigned int number, deadline_t deadline, void *argument)
{
	struct search *search = argument;
	const struct candidate *candidate = &search->candidates.list[number];
	struct look *look = &search->looks[number];
	char path[32];
	DIR *fds;

	look->holder.pid = candidate->pid;
	look->holder.uid = candidate->uid;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)candidate->pid);
	fds = opendir(path);
	/* A process that has ended meanwhile holds nothing. */
	if (!fds && (errno == EACCES || errno == EPERM))
		search->denied = true;
	look->is_done = !fds || look_at_descriptors(search, fds, look, deadline);
	if (fds)
		closedir(fds);
	if (look->is_done)
		say_holder(search, look);
	return look->is_done;
}

static int compare_holders(const void *a, const void *b)
{
	const struct holder *left = a, *right = b;

	return left->pid < right->pid ? -1 : left->pid > right->pid;
}

static unsigned int get_group_major(void)
{
	unsigned int number = 0, found = 0;
	char line[128], name[64];
	FILE *file = fopen("/proc/devices", "re");

	if (!file)
		return 0;
	/* Block devices come last, and none of them is called "vfio". */
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%u %63s", &number, name) == 2 && strcmp(name, "vfio") == 0)
			found = number;
	fclose(file);
	return found;
}

/* Each module that uses ours holds a reference of it. */
static unsigned int count_dependants(void)
{
	DIR *modules = opendir("/sys/module/" OUR_MODULE "/holders");
	struct dirent *entry;
	unsigned int n = 0;

	while (modules && (entry = readdir(modules)))
		n += entry->d_name[0] != '.';
	if (modules)
		closedir(modules);
	return n;
}

/* An errand_fn. Finding processes takes at most half of the time, to leave some for examination. */
static void search_all(const void *argument, int output)
{
	const unsigned int *nms = argument;
	deadline_t deadline = deadline_in(*nms);
	struct search search = {
		.ours = ours_number(),
		.native = ours_native_number(),
		.group_major = get_group_major(),
		.output = output,
	};
	struct candidates *candidates = &search.candidates;
	unsigned int i;
	bool all;

	candidates_find(candidates, deadline_in(*nms / 2));
	search.looks = allocate(candidates->ncandidates + 1, sizeof(*search.looks));
	all = candidates_visit(candidates->list, candidates->ncandidates, deadline,
			       look_at_process, &search);
	for (i = 0; i < candidates->ncandidates; i++)
		if (!search.looks[i].is_done)
			say_holder(&search, &search.looks[i]);
	say(&search, &(struct answer){
		.is_last = true,
		.denied = search.denied || candidates->denied,
		.late = !all || candidates->late,
		.ndependants = count_dependants(),
	});
}

static void take_answer(struct holders *holders, const struct answer *answer)
{
	if (answer->is_last) {
		holders->denied = answer->denied;
		holders->late = answer->late;
		holders->ndependants = answer->ndependants;
		return;
	}
	holders->holder = grow(holders->holder, holders->nholders, sizeof(*holders->holder));
	holders->holder[holders->nholders++] = answer->holder;
}

void holders_find_within(struct holders *holders, unsigned int nms)
{
	deadline_t deadline = deadline_in(nms + GRACE_MS);
	struct answer answer = { 0 };
	struct errand errand;

	*holders = (struct holders){ .late = true };
	if (!errand_begin(&errand, search_all, &nms))
		return;
	while (!answer.is_last && errand_read(&errand, &answer, sizeof(answer), deadline))
		take_answer(holders, &answer);
	if (answer.is_last)
		errand_end(&errand);
	else
		errand_give_up(&errand);
	if (holders->holder)
		qsort(holders->holder, holders->nholders, sizeof(*holders->holder),
		      compare_holders);
}

void holders_find(struct holders *holders)
{
	holders_find_within(holders, HOLDERS_SECONDS * 1000);
}

/* The kernel's count of users of a module; -1 if it is not loaded, or is built in. */
static long module_nusers(const char *module)
{
	char path[64], line[32];
	uint64_t nusers;

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", module);
	if (read_line(path, line, sizeof(line)) || !number_parse(line, 0, LONG_MAX, &nusers))
		return -1;
	return (long)nusers;
}

/*
 * The same, without temporary references. Any user can make vfio take and drop one, as often as
 * they like (VFIO_CHECK_EXTENSION). A container in use holds its reference all the time, so the
 * lowest count over a while is the result. No event could end the wait early, except that the count
 * falls to nfew, below which it is of no interest.
 */
static long lasting_nusers(const char *module, long nfew)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	deadline_t deadline = deadline_in(LASTING_MS);
	long lowest = module_nusers(module), nusers;

	while (lowest > nfew && !deadline_is_over(deadline)) {
		nanosleep(&moment, NULL);
		nusers = module_nusers(module);
		if (nusers < lowest)
			lowest = nusers;
	}
	return lowest;
}

/*
 * Each container of the kernel's with a backend holds a reference to the backend's module, and no
 * container gets a backend without a group. Exceptions: a built-in module has no count, and vfio's
 * own backend for devices without an IOMMU has no module.
 */
enum unseen holders_unseen(const struct holders *holders)
{
	long nusers = lasting_nusers(STOCK_MODULE, 0);
	bool may_be_used = access("/sys/module/" STOCK_MODULE, F_OK) == 0;
	char line[32];

	if (nusers > 0)
		return UNSEEN_USE;
	if (nusers == 0)
		may_be_used = false;
	if (read_line("/sys/module/vfio/parameters/enable_unsafe_noiommu_mode", line,
		      sizeof(line)) == 0 && line[0] == 'Y')
		may_be_used = true;
	return holders->late && may_be_used ? UNSEEN_MAYBE : UNSEEN_NONE;
}

/*
 * References that the holders explain, at most. A container of ours may hold the module twice: by
 * its node, and by its backend once it has one. A container of the kernel's node may have our
 * backend, and then holds the module once. /dev/iommu holds it once.
 */
static long count_explained(const struct holders *holders)
{
	long n = holders->ndependants;
	unsigned int i;

	for (i = 0; i < holders->nholders; i++) {
		const struct holder *holder = &holders->holder[i];

		n += MAX_HOLDS * (long)holder->nours + holder->nnative + holder->nstock;
	}
	return n;
}

unsigned int holders_nhidden(const struct holders *holders)
{
	long nexplained, nusers;

	if (!holders_are_all(holders))
		return 0;
	nexplained = count_explained(holders);
	nusers = lasting_nusers(OUR_MODULE, nexplained) - nexplained;
	return nusers > 0 ? (unsigned int)((nusers + MAX_HOLDS - 1) / MAX_HOLDS) : 0;
}

void holders_free(struct holders *holders)
{
	free(holders->holder);
	*holders = (struct holders){ 0 };
}

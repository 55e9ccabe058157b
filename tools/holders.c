// SPDX-License-Identifier: GPL-2.0-only
/*
 * holders.c - processes that have VFIO containers open
 *
 * Descriptors belong to other users, and must neither hang us nor keep us long:
 *
 * - Most are judged by the text of their link in /proc, which touches no file system. Only one
 *   whose text ends like the name of a VFIO device is opened, with O_PATH, and only if it is on a
 *   file system without a server behind it (no NFS, no FUSE) its device number is asked for. So a
 *   node that somebody made under another name than the usual ones is not seen.
 * - The clock is read before each descriptor, and after HOLDERS_SECONDS we stop: it does not matter
 *   how many there are, nor in how many processes. The order of processes keeps a user with
 *   very many from hiding another one's: see candidates_order().
 */
#define _GNU_SOURCE
#include "holders.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "candidates.h"
#include "compare/text.h"
#include "ours.h"

#define LOOK_AT_CLOCK	256	/* lines of a list of mounts between two looks at the clock */

/* What all processes are looked at with. */
struct search {
	dev_t ours;
	dev_t native;
	unsigned int group_major;	/* 0 if there is none */
	unsigned int dev_mount;		/* the mount of /dev/vfio; its file system is no server's */
	deadline_t deadline;
};

const char *printable(const char *name)
{
	static char shown[64];
	size_t i;

	for (i = 0; name[i] && i < sizeof(shown) - 1; i++)
		shown[i] = isprint((unsigned char)name[i]) ? name[i] : '?';
	shown[i] = '\0';
	return shown;
}

static void *grow(void *list, unsigned int nelements, size_t nbytes)
{
	/* Each time it has doubled. */
	if (nelements & (nelements - 1))
		return list;
	list = realloc(list, (nelements ? nelements * 2 : 1) * nbytes);
	if (!list) {
		perror("vfio-ioas: realloc");
		exit(EXIT_NOT_RUN);
	}
	return list;
}

/* --- one descriptor */

static bool is_number(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

/* Cuts off what the kernel adds to the name of a file that was removed since. */
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

/* What the kernel tells of a descriptor, all of it at one moment. */
struct fdinfo {
	unsigned int flags;
	unsigned int mount;
	unsigned long inode;
};

/* Of a process, or of "self". False if it is not known. */
static bool get_fdinfo(struct fdinfo *info, const char *process, const char *fd)
{
	char path[64], text[256];

	snprintf(path, sizeof(path), "/proc/%.16s/fdinfo/%.16s", process, fd);
	return read_head(path, text, sizeof(text)) &&
	       sscanf(text, "pos: %*s flags: %o mnt_id: %u ino: %lu", &info->flags, &info->mount,
		      &info->inode) == 3;
}

/* Of a descriptor of ours; 0 if that is not known. */
static unsigned int mount_of(int fd)
{
	struct fdinfo info;
	char name[16];

	snprintf(name, sizeof(name), "%d", fd);
	return get_fdinfo(&info, "self", name) ? info.mount : 0;
}

/*
 * Has a process opened what we found at a descriptor of it? With O_PATH it only names it, for
 * which it needs no permission: so anybody could have a group.
 */
static bool is_opened(pid_t pid, const char *fd, unsigned int mount, const struct stat *st)
{
	struct fdinfo info;
	char process[16];

	snprintf(process, sizeof(process), "%d", (int)pid);
	return get_fdinfo(&info, process, fd) && !(info.flags & O_PATH) &&
	       info.mount == mount && info.inode == st->st_ino;
}

static bool is_local(const char *type)
{
	static const char *const types[] = {
		"devtmpfs", "tmpfs", "ramfs", "rootfs", "ext2", "ext3", "ext4", "xfs", "btrfs",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

/* Has the mount a file system without a server? As that process sees it: we may not. */
static bool mount_is_local(const struct search *search, pid_t pid, unsigned int mount)
{
	char path[48], type[32], *line = NULL;
	unsigned int number, nlines = 0;
	bool local = false;
	size_t nbytes = 0;
	const char *rest;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (getline(&line, &nbytes, file) > 0) {
		if (++nlines % LOOK_AT_CLOCK == 0 && deadline_is_over(search->deadline))
			break;
		if (sscanf(line, "%u ", &number) != 1 || number != mount)
			continue;
		rest = strstr(line, " - ");
		local = rest && sscanf(rest, " - %31s", type) == 1 && is_local(type);
		break;
	}
	free(line);
	fclose(file);
	return local;
}

static void count_device(const struct search *search, dev_t number, struct holder *holder)
{
	if (number == STOCK_NUMBER)
		holder->nstock++;
	else if (search->ours && number == search->ours)
		holder->nours++;
	else if (search->native && number == search->native)
		holder->nnative++;
	else if (search->group_major && major(number) == search->group_major)
		holder->ndevices++;
}

/*
 * O_PATH opens without asking the file system, and afterwards it is this file that we judge,
 * whatever its process does with the descriptor meanwhile.
 */
static void look_at_file(const struct search *search, int fds, const char *name,
			 struct holder *holder)
{
	int fd = openat(fds, name, O_PATH | O_CLOEXEC);
	unsigned int mount;
	struct stat st;

	if (fd < 0)
		return;
	mount = mount_of(fd);
	if (mount && (mount == search->dev_mount ||
		      mount_is_local(search, holder->pid, mount)) &&
	    fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && is_opened(holder->pid, name, mount, &st))
		count_device(search, st.st_rdev, holder);
	close(fd);
}

static void look_at_descriptor(const struct search *search, int fds, const char *name,
			       struct holder *holder)
{
	char text[256];
	ssize_t nread = readlinkat(fds, name, text, sizeof(text) - 1);

	/* What is longer than any of our names is cut, and no path of a device. */
	if (nread <= 0 || nread == sizeof(text) - 1)
		return;
	text[nread] = '\0';
	if (strcmp(text, "anon_inode:[vfio-device]") == 0)
		holder->ndevices++;
	else if (text[0] == '/' && looks_like_vfio(text))
		look_at_file(search, fds, name, holder);
}

/* --- processes */

static void add(struct holders *holders, struct holder *holder)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)holder->pid);
	if (read_line(path, holder->name, sizeof(holder->name)))
		holder->name[0] = '\0';
	holders->holder = grow(holders->holder, holders->nholders, sizeof(*holder));
	holders->holder[holders->nholders++] = *holder;
}

static void look_at_process(const struct search *search, const struct candidate *candidate,
			    struct holders *holders)
{
	struct holder holder = { .pid = candidate->pid, .uid = candidate->uid };
	struct dirent *entry;
	char path[32];
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)holder.pid);
	fds = opendir(path);
	if (!fds) {
		/* A process that has ended in the meantime holds nothing. */
		if (errno == EACCES || errno == EPERM)
			holders->denied = true;
		return;
	}
	while ((entry = readdir(fds))) {
		if (entry->d_name[0] == '.')
			continue;
		holders->late = deadline_is_over(search->deadline);
		if (holders->late)
			break;
		look_at_descriptor(search, dirfd(fds), entry->d_name, &holder);
	}
	closedir(fds);
	if (holder.nstock || holder.nours || holder.nnative)
		add(holders, &holder);
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
	/* Block devices come last, and none of them is called so. */
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%u %63s", &number, name) == 2 && strcmp(name, "vfio") == 0)
			found = number;
	fclose(file);
	return found;
}

static struct search begin_search(unsigned int nms)
{
	struct search search = {
		.ours = ours_number(),
		.native = ours_native_number(),
		.group_major = get_group_major(),
		.deadline = deadline_in(nms),
	};
	int fd = open("/dev/vfio", O_PATH | O_CLOEXEC);

	if (fd >= 0) {
		search.dev_mount = mount_of(fd);
		close(fd);
	}
	return search;
}

/* Finding processes takes at most half of the time, and some are left to look at. */
void holders_find_within(struct holders *holders, unsigned int nms)
{
	struct search search = begin_search(nms);
	struct candidates candidates;
	unsigned int i;

	*holders = (struct holders){ 0 };
	candidates_find(&candidates, deadline_in(nms / 2));
	holders->denied = candidates.denied;
	for (i = 0; i < candidates.ncandidates && !holders->late; i++) {
		holders->late = deadline_is_over(search.deadline);
		if (!holders->late)
			look_at_process(&search, &candidates.list[i], holders);
	}
	holders->late = holders->late || candidates.late;
	candidates_free(&candidates);
	if (holders->holder)
		qsort(holders->holder, holders->nholders, sizeof(*holders->holder),
		      compare_holders);
}

void holders_find(struct holders *holders)
{
	holders_find_within(holders, HOLDERS_SECONDS * 1000);
}

/*
 * Each container of the kernel's with a backend holds a reference of the backend's module, and no
 * container gets one without a group. What is built in does not count, and vfio's own backend for
 * devices without an IOMMU has no module of its own.
 */
static bool stock_may_be_used(void)
{
	char line[32];

	if (read_line("/sys/module/vfio/parameters/enable_unsafe_noiommu_mode", line,
		      sizeof(line)) == 0 && line[0] == 'Y')
		return true;
	if (access("/sys/module/" STOCK_MODULE, F_OK))
		return false;
	return read_line("/sys/module/" STOCK_MODULE "/refcnt", line, sizeof(line)) ||
	       strcmp(line, "0");
}

bool holders_may_lack_users(const struct holders *holders)
{
	return holders->late && stock_may_be_used();
}

void holders_free(struct holders *holders)
{
	free(holders->holder);
	*holders = (struct holders){ 0 };
}

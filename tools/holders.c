// SPDX-License-Identifier: GPL-2.0-only
/*
 * holders.c - who has VFIO containers open
 *
 * A descriptor is known by the number of the device that it was opened through, whatever
 * the path was and in whichever mount namespace.
 */
#define _GNU_SOURCE
#include "holders.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "compare/text.h"

const char *printable(const char *name)
{
	static char shown[64];
	size_t i;

	for (i = 0; name[i] && i < sizeof(shown) - 1; i++)
		shown[i] = isprint((unsigned char)name[i]) ? name[i] : '?';
	shown[i] = '\0';
	return shown;
}

static void count_descriptors(DIR *fds, dev_t ours, struct holder *holder)
{
	struct dirent *entry;
	struct stat st;

	while ((entry = readdir(fds))) {
		if (entry->d_name[0] == '.' ||
		    fstatat(dirfd(fds), entry->d_name, &st, 0) ||
		    !S_ISCHR(st.st_mode))
			continue;
		if (st.st_rdev == STOCK_NUMBER)
			holder->nstock++;
		else if (ours && st.st_rdev == ours)
			holder->nours++;
	}
}

static void add(struct holders *holders, struct holder *holder)
{
	char path[64];
	size_t nbytes = (holders->nholders + 1) * sizeof(*holder);

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)holder->pid);
	if (read_line(path, holder->name, sizeof(holder->name)))
		holder->name[0] = '\0';
	holders->holder = realloc(holders->holder, nbytes);
	if (!holders->holder) {
		perror("vfio-ioas: realloc");
		exit(EXIT_NOT_RUN);
	}
	holders->holder[holders->nholders++] = *holder;
}

static void look_at_process(struct holders *holders, const char *pid, dev_t ours)
{
	struct holder holder = { .pid = atoi(pid) };
	char path[32];
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)holder.pid);
	fds = opendir(path);
	if (!fds) {
		/* A process that has ended in the meantime holds nothing. */
		if (errno == EACCES || errno == EPERM)
			holders->complete = false;
		return;
	}
	count_descriptors(fds, ours, &holder);
	closedir(fds);
	if (holder.nstock || holder.nours)
		add(holders, &holder);
}

void holders_find(struct holders *holders, dev_t ours)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;

	*holders = (struct holders){ .complete = processes };
	if (!processes)
		return;
	while ((entry = readdir(processes)))
		if (isdigit((unsigned char)entry->d_name[0]))
			look_at_process(holders, entry->d_name, ours);
	closedir(processes);
}

void holders_free(struct holders *holders)
{
	free(holders->holder);
	*holders = (struct holders){ 0 };
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * switch_state.c - what the switch remembers
 */
#define _GNU_SOURCE
#include "switch_state.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#define NEW_NAME	".switch.new"

const char *const way_names[NWAYS] = {
	[WAY_NONE] = "none",
	[WAY_SYMLINK] = "symlink",
	[WAY_NODE] = "node",
	[WAY_SERVE] = "serve",
};

enum way way_find(const char *name)
{
	enum way way;

	for (way = WAY_SYMLINK; way < NWAYS; way++)
		if (strcmp(way_names[way], name) == 0)
			break;
	return way;
}

static int open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int make_dir(const char *path)
{
	if (mkdir(path, 0755) && errno != EEXIST)
		return -errno;
	return open_dir(path);
}

static void take_line(struct state *state, char *line)
{
	char *value = strchr(line, '=');

	line[strcspn(line, "\n")] = '\0';
	if (line[0] == '#' || !value)
		return;
	*value++ = '\0';
	if (strcmp(line, "way") == 0)
		state->way = way_find(value);
	else if (strcmp(line, "serve") == 0)
		snprintf(state->serve, sizeof(state->serve), "%s", value);
}

struct state state_read(const char *dir)
{
	struct state state = { .way = WAY_NONE };
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, STATE_NAME);
	file = fopen(path, "re");
	if (!file)
		return state;
	state.way = NWAYS;
	while (fgets(line, sizeof(line), file))
		take_line(&state, line);
	fclose(file);
	return state;
}

static int write_file(int dir, const char *text)
{
	int fd = openat(dir, NEW_NAME,
			O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	ssize_t nbytes = (ssize_t)strlen(text);
	int result = 0;

	if (fd < 0)
		return -errno;
	errno = EIO;
	if (write(fd, text, (size_t)nbytes) != nbytes || fsync(fd))
		result = -errno;
	close(fd);
	return result;
}

static void compose(struct text *text, const struct state *state)
{
	text_add(text, "# Written by 'vfio-ioas switch', see vfio-ioas(8).\nway=%s\n",
		 way_names[state->way]);
	if (state->serve[0])
		text_add(text, "serve=%s\n", state->serve);
}

int state_write(const char *path, const struct state *state)
{
	struct text text = { 0 };
	int dir = make_dir(path);
	int result;

	if (dir < 0)
		return dir;
	compose(&text, state);
	result = write_file(dir, text_chars(&text));
	if (!result && (renameat(dir, NEW_NAME, dir, STATE_NAME) || fsync(dir)))
		result = -errno;
	text_free(&text);
	close(dir);
	return result;
}

int state_remove(const char *path)
{
	int dir = open_dir(path);
	int result = 0;

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	if (unlinkat(dir, STATE_NAME, 0) && errno != ENOENT)
		result = -errno;
	else if (fsync(dir))
		result = -errno;
	close(dir);
	return result;
}

int state_lock(void)
{
	int dir = make_dir(STATE_DIR);
	int result;

	if (dir < 0)
		return dir;
	do
		result = flock(dir, LOCK_EX);
	while (result && errno == EINTR);
	if (!result)
		return dir;
	result = -errno;
	close(dir);
	return result;
}

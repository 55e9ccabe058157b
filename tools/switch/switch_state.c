// SPDX-License-Identifier: GPL-2.0-only
/* switch_state.c - the state files of the switch */
#define _GNU_SOURCE
#include "switch_state.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "lib/number.h"
#include "lib/say.h"

#define NEW_NAME	".switch.new"
#define MAX_NBYTES	65536		/* of a state file */
#define ATTRIBUTE	"former_attribute="

const char *const mode_names[NMODES] = {
	[MODE_NONE] = "none",
	[MODE_SYMLINK] = "symlink",
	[MODE_NODE] = "node",
	[MODE_SERVE] = "serve",
};

enum mode mode_find(const char *name)
{
	enum mode mode;

	for (mode = MODE_SYMLINK; mode < NMODES; mode++)
		if (strcmp(mode_names[mode], name) == 0)
			break;
	return mode;
}

/* --- directories */

static int open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* A file that others may write to is not trusted. */
static bool is_of_root(int dir, const char *path)
{
	struct stat st;

	if (fstat(dir, &st) == 0 && st.st_uid == 0 && !(st.st_mode & 022))
		return true;
	say_error("%s can be written by others than root; remove it, or correct its owner and mode",
		  path);
	return false;
}

int state_make_dir(const char *path)
{
	int dir = open_dir(path);
	bool is_new = false;

	/*
	 * mkdir() takes the lock of the parent directory, which others can hold, even if it fails.
	 */
	if (dir == -ENOENT) {
		is_new = mkdir(path, 0755) == 0;
		dir = is_new || errno == EEXIST ? open_dir(path) : -errno;
	}
	if (dir < 0) {
		say_error("%s: %s", path, strerror(-dir));
		return dir;
	}
	/*
	 * Readable by everybody, whatever the umask is. In /etc the administrator decides about the
	 * mode.
	 */
	if (is_of_root(dir, path) &&
	    ((!is_new && strcmp(path, STATE_DIR)) || fchmod(dir, 0755) == 0))
		return dir;
	close(dir);
	return -EPERM;
}

/* --- reading */

static void take_access(struct access *former, const char *key, const char *value)
{
	unsigned int uid, gid, mode;
	char end;

	if (strcmp(key, "former_owner") == 0 &&
	    sscanf(value, "%u:%u%c", &uid, &gid, &end) == 2) {
		former->uid = uid;
		former->gid = gid;
	} else if (strcmp(key, "former_mode") == 0 &&
		   sscanf(value, "%o%c", &mode, &end) == 1 && mode <= 07777) {
		former->mode = mode;
		/* This is the last of its lines. */
		former->known = true;
	} else if (strcmp(key, "former_attribute") == 0) {
		size_t nchars = strlen(former->attributes);

		if (nchars + strlen(value) + 2 <= ACCESS_NBYTES)
			sprintf(former->attributes + nchars, "%s\n", value);
	}
}

static void take_line(struct state *state, char *line)
{
	char *value = strchr(line, '=');

	if (line[0] == '#' || !value)
		return;
	*value++ = '\0';
	if (strcmp(line, "way") == 0)
		state->mode = mode_find(value);
	else if (strcmp(line, "serve") == 0)
		snprintf(state->serve, sizeof(state->serve), "%s", value);
	else
		take_access(&state->former, line, value);
}

static void parse(struct state *state, char *text)
{
	char *line, *end;

	for (line = text; *line; line = end) {
		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		take_line(state, line);
	}
}

/* Returns 0 or an errno. */
static int read_file(int dir, char *text)
{
	int fd = openat(dir, STATE_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t nread = 0;
	struct stat st;
	int error = 0;

	if (fd < 0)
		return errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		error = EINVAL;
	else
		nread = read(fd, text, MAX_NBYTES - 1);
	if (nread < 0)
		error = errno;
	text[nread > 0 ? nread : 0] = '\0';
	close(fd);
	return error;
}

struct state state_read(const char *path)
{
	struct state state = { .mode = NMODES };
	char text[MAX_NBYTES];
	int dir = open_dir(path);

	state.error = dir < 0 ? -dir : read_file(dir, text);
	if (dir >= 0)
		close(dir);
	if (state.error == ENOENT)
		return (struct state){ .mode = MODE_NONE };
	if (!state.error)
		parse(&state, text);
	return state;
}

/* --- writing */

static int write_whole(int fd, const char *text)
{
	size_t nbytes = strlen(text);
	ssize_t nwritten;

	for (; nbytes; text += nwritten, nbytes -= (size_t)nwritten) {
		nwritten = write(fd, text, nbytes);
		if (nwritten <= 0)
			return nwritten ? -errno : -EIO;
	}
	return fchmod(fd, 0644) || fsync(fd) ? -errno : 0;
}

static int write_file(int dir, const char *text)
{
	int fd, result;

	/* Removes a file that a crash has left there. */
	if (unlinkat(dir, NEW_NAME, 0) && errno != ENOENT)
		return -errno;
	fd = openat(dir, NEW_NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	result = write_whole(fd, text);
	if (close(fd) && !result)
		result = -errno;
	return result;
}

static void compose(struct text *text, const struct state *state)
{
	const struct access *former = &state->former;
	const char *line = former->attributes;
	size_t nchars;

	text_add(text, "# Written by 'vfio-ioas switch', see vfio-ioas(8).\nway=%s\n",
		 mode_names[state->mode]);
	if (state->serve[0])
		text_add(text, "serve=%s\n", state->serve);
	if (!former->known)
		return;
	for (; *line; line += nchars + 1) {
		nchars = strcspn(line, "\n");
		text_add(text, ATTRIBUTE "%.*s\n", (int)nchars, line);
	}
	text_add(text, "former_owner=%u:%u\nformer_mode=%04o\n", former->uid, former->gid,
		 former->mode);
}

/* The new file replaces the old one completely, or not at all. */
static int replace_file(int dir, const char *text)
{
	int result = write_file(dir, text);

	if (!result && (renameat(dir, NEW_NAME, dir, STATE_NAME) || fsync(dir)))
		result = -errno;
	if (result)
		unlinkat(dir, NEW_NAME, 0);
	return result;
}

int state_write(const char *path, const struct state *state)
{
	struct text text = { 0 };
	int dir = state_make_dir(path);
	int result;

	if (dir < 0)
		return dir;
	compose(&text, state);
	result = replace_file(dir, text_chars(&text));
	if (result)
		say_error("cannot write %s/%s: %s", path, STATE_NAME, strerror(-result));
	text_free(&text);
	close(dir);
	return result;
}

int state_remove(const char *path)
{
	int dir = open_dir(path);
	int result = 0;

	if (dir == -ENOENT)
		return 0;
	if (dir < 0)
		result = dir;
	else if ((unlinkat(dir, STATE_NAME, 0) && errno != ENOENT) || fsync(dir))
		result = -errno;
	if (result)
		say_error("cannot remove %s/%s: %s", path, STATE_NAME, strerror(-result));
	if (dir >= 0)
		close(dir);
	return result;
}

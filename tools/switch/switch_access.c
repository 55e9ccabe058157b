// SPDX-License-Identifier: GPL-2.0-only
/*
 * switch_access.c - the access rights of a device node
 *
 * All calls use paths. Only root can replace files in /dev/vfio. Descriptors would lead through
 * /proc, where any user can hold a lock.
 */
#define _GNU_SOURCE
#include "switch_access.h"

#include <sys/stat.h>
#include <sys/xattr.h>

#define MAX_NAMES	1024	/* of all attribute names together */
#define MAX_VALUE	(ACCESS_NBYTES / 2)
#define MAX_ATTRIBUTES	16
#define ACL		"system.posix_acl_access"

/* --- reading */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Lists the names in order. Returns their number, or -errno. */
static int list_names(const char *path, char names[MAX_NAMES], char *list[MAX_ATTRIBUTES])
{
	ssize_t nnames = llistxattr(path, names, MAX_NAMES);
	int nlist = 0;
	char *name;

	if (nnames < 0)
		return errno == ENOTSUP ? 0 : -errno;
	for (name = names; name < names + nnames; name += strlen(name) + 1) {
		if (nlist == MAX_ATTRIBUTES)
			return -E2BIG;
		list[nlist++] = name;
	}
	qsort(list, (size_t)nlist, sizeof(*list), compare_names);
	return nlist;
}

static int add_attribute(struct access *access, const char *path, const char *name)
{
	size_t nchars = strlen(access->attributes);
	char *end = access->attributes + nchars;
	unsigned char value[MAX_VALUE];
	ssize_t nvalue = lgetxattr(path, name, value, sizeof(value));
	ssize_t i;

	if (nvalue < 0)
		return -errno;
	if (nchars + strlen(name) + (size_t)nvalue * 2 + 3 > ACCESS_NBYTES)
		return -E2BIG;
	end += sprintf(end, "%s=", name);
	for (i = 0; i < nvalue; i++)
		end += sprintf(end, "%02x", value[i]);
	sprintf(end, "\n");
	return 0;
}

static int get_attributes(struct access *access, const char *path)
{
	char names[MAX_NAMES], *list[MAX_ATTRIBUTES];
	int nlist = list_names(path, names, list);
	int result = nlist < 0 ? nlist : 0;
	int i;

	for (i = 0; i < nlist && !result; i++)
		result = add_attribute(access, path, list[i]);
	return result;
}

int access_get(struct access *access, const char *path)
{
	struct stat st;
	int result;

	*access = (struct access){ 0 };
	if (lstat(path, &st))
		return -errno;
	result = get_attributes(access, path);
	access->uid = st.st_uid;
	access->gid = st.st_gid;
	access->mode = st.st_mode & 07777;
	access->known = !result;
	return result;
}

/* --- writing */

static int digit(char c)
{
	return c >= 'a' ? c - 'a' + 10 : c - '0';
}

/* A state file may contain any line, so its format is checked. */
static int set_attribute(const char *path, const char *line, size_t nchars)
{
	const char *equals = memchr(line, '=', nchars);
	unsigned char value[MAX_VALUE];
	size_t nvalue, i;
	char name[256];

	if (!equals || equals - line >= (ssize_t)sizeof(name))
		return -EINVAL;
	snprintf(name, sizeof(name), "%.*s", (int)(equals - line), line);
	nvalue = nchars - (size_t)(equals + 1 - line);
	if (nvalue % 2 || nvalue / 2 > sizeof(value) ||
	    strspn(equals + 1, "0123456789abcdef") < nvalue)
		return -EINVAL;
	for (i = 0; i < nvalue / 2; i++)
		value[i] = (unsigned char)(digit(equals[1 + 2 * i]) * 16 +
					   digit(equals[2 + 2 * i]));
	return lsetxattr(path, name, value, nvalue / 2, 0) ? -errno : 0;
}

static bool has_attribute(const struct access *access, const char *name)
{
	const char *line = access->attributes;
	size_t nchars = strlen(name);

	for (; *line; line += strcspn(line, "\n") + 1)
		if (strncmp(line, name, nchars) == 0 && line[nchars] == '=')
			return true;
	return false;
}

/* A label that a security module does not let go stays. */
static int remove_others(const struct access *access, const char *path)
{
	char names[MAX_NAMES], *list[MAX_ATTRIBUTES];
	int nlist = list_names(path, names, list);
	int i;

	for (i = 0; i < nlist; i++)
		if (!has_attribute(access, list[i]) && lremovexattr(path, list[i]) &&
		    strcmp(list[i], ACL) == 0)
			return -errno;
	return nlist < 0 ? nlist : 0;
}

/*
 * Access lists are removed first and set last: with a list, the group digit of the mode is its
 * mask.
 */
static int set_all(const struct access *access, const char *path)
{
	const char *line = access->attributes;
	int result = remove_others(access, path);

	if (!result && (lchown(path, access->uid, access->gid) || chmod(path, access->mode)))
		result = -errno;
	for (; *line && !result; line += strcspn(line, "\n") + 1)
		result = set_attribute(path, line, strcspn(line, "\n"));
	return result;
}

int access_set(const struct access *access, const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		return -errno;
	/* chmod() would follow a symbolic link. */
	return S_ISLNK(st.st_mode) ? -ELOOP : set_all(access, path);
}

/* --- comparing */

bool access_is_same(const struct access *left, const struct access *right)
{
	return left->uid == right->uid && left->gid == right->gid &&
	       left->mode == right->mode &&
	       strcmp(left->attributes, right->attributes) == 0;
}

const char *access_says(const struct access *access)
{
	static char says[2][64];
	static unsigned int last;

	last = !last;
	snprintf(says[last], sizeof(says[last]), "owner %u:%u, mode %04o%s", access->uid,
		 access->gid, access->mode,
		 has_attribute(access, ACL) ? ", an access list" : "");
	return says[last];
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * switch_apparmor.c - may libvirt's domains open our node?
 *
 * AppArmor judges by the path that a symbolic link leads to, /dev/vfio/ioas. libvirt's rules allow
 * only /dev/vfio/vfio, so QEMU would not start. The rules are in a file of the package
 * libvirt-daemon, which includes a file for the administrator's own rules.
 */
#define _GNU_SOURCE
#include "switch_apparmor.h"

#include "switch_situation.h"

#include <dirent.h>
#include <fcntl.h>

#define RULES_DIR	"/etc/apparmor.d"
#define RULES		RULES_DIR "/abstractions/libvirt-qemu"
#define LOCAL_RULES	RULES_DIR "/local/abstractions/libvirt-qemu"
#define RULE		NODE_DIR "/" NODE_OURS " rw,"

static bool is_enabled(void)
{
	char line[8];

	return read_line("/sys/module/apparmor/parameters/enabled", line, sizeof(line)) == 0 &&
	       line[0] == 'Y';
}

/* Removing the package leaves its rules behind, but not the program that applies them. */
static bool libvirt_is_there(void)
{
	return access("/usr/lib/libvirt/virt-aa-helper", F_OK) == 0 ||
	       access("/usr/libexec/libvirt/virt-aa-helper", F_OK) == 0 ||
	       access("/usr/libexec/virt-aa-helper", F_OK) == 0;
}

static bool read_file(const char *path, struct text *text)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	text_clear(text);
	if (fd < 0)
		return false;
	text_add_all(text, fd);
	close(fd);
	return text->nchars;
}

/* Is it a rule that begins with one of the paths that match our node? */
static bool allows(const char *line)
{
	static const char *const paths[] = {
		NODE_DIR "/" NODE_OURS " ", NODE_DIR "/{vfio,ioas} ", NODE_DIR "/{ioas,vfio} ",
		NODE_DIR "/* ", NODE_DIR "/** ", "/dev/** ", "/** ",
	};
	unsigned int i;

	line += strspn(line, " \t\"");
	for (i = 0; i < ARRAY_SIZE(paths); i++)
		if (strncmp(line, paths[i], strlen(paths[i])) == 0)
			return line[strlen(paths[i])] == 'r';
	return false;
}

static bool file_allows(const char *path)
{
	struct text text = { 0 };
	const char *line;
	bool found = false;

	if (read_file(path, &text))
		for (line = text_chars(&text); *line && !found; line += *line != '\0') {
			found = allows(line);
			line += strcspn(line, "\n");
		}
	text_free(&text);
	return found;
}

/* abstractions/libvirt-qemu.d, a directory for packages. */
static bool directory_allows(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	bool found = false;
	char name[512];

	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		found = entry->d_name[0] != '.' && file_allows(name);
	}
	closedir(dir);
	return found;
}

/* With security_driver = "none" libvirt does not confine domains. */
static bool libvirt_uses_apparmor(void)
{
	struct text text = { 0 };
	const char *line;
	bool uses = true;

	if (read_file("/etc/libvirt/qemu.conf", &text))
		for (line = text_chars(&text); *line; line += *line != '\0') {
			size_t nchars;

			line += strspn(line, " \t");
			nchars = strcspn(line, "\n");
			if (strncmp(line, "security_driver", 15) == 0)
				uses = memmem(line, nchars, "apparmor", 8);
			line += nchars;
		}
	text_free(&text);
	return uses;
}

bool apparmor_lacks_rule(const char **command)
{
	*command = "echo '" RULE "' >> " LOCAL_RULES;
	if (!is_enabled() || access(RULES, F_OK) || !libvirt_is_there() ||
	    !libvirt_uses_apparmor())
		return false;
	return !file_allows(RULES) && !file_allows(LOCAL_RULES) &&
	       !directory_allows(RULES ".d");
}

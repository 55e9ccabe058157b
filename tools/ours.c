// SPDX-License-Identifier: GPL-2.0-only
/*
 * ours.c - the module vfio_ioas, as sysfs shows it
 */
#define _GNU_SOURCE
#include "ours.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "say.h"

#define SERVE	"/sys/module/" OUR_MODULE "/parameters/serve"

bool ours_loaded(void)
{
	/* What is built in has a directory, too, but no count of users. */
	return access("/sys/module/" OUR_MODULE "/refcnt", F_OK) == 0;
}

static void cut_newlines(struct text *text)
{
	while (text->nchars && text->chars[text->nchars - 1] == '\n')
		text->chars[--text->nchars] = '\0';
}

/* PATH may have only what is for ordinary users. */
static void execute(const char *const *words, int output)
{
	char path[64];

	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	signal(SIGPIPE, SIG_DFL);
	execvp(words[0], (char *const *)words);
	snprintf(path, sizeof(path), "/sbin/%s", words[0]);
	execv(path, (char *const *)words);
	dprintf(STDERR_FILENO, "%s: %s\n", words[0], strerror(errno));
	_exit(127);
}

/* Does it end with status 0? What it says is added to said. */
static bool run_program(const char *const *words, struct text *said)
{
	int status = -1;
	int output[2];
	pid_t pid;

	if (pipe2(output, O_CLOEXEC)) {
		text_add(said, "pipe: %s", strerror(errno));
		return false;
	}
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		execute(words, output[1]);
	close(output[1]);
	text_add_all(said, output[0]);
	cut_newlines(said);
	close(output[0]);
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

static bool run_modprobe(const char *const *words, struct text *why)
{
	if (run_program(words, why)) {
		text_clear(why);
		return true;
	}
	if (!why->nchars)
		text_add(why, "modprobe failed and gave no reason");
	return false;
}

bool ours_load(struct text *why)
{
	static const char *const words[] = { "modprobe", OUR_MODULE, NULL };

	return run_modprobe(words, why);
}

bool ours_loadable(struct text *why)
{
	static const char *const words[] = { "modprobe", "-D", OUR_MODULE, NULL };

	return run_modprobe(words, why);
}

static void get_installed_version(char version[VERSION_NBYTES])
{
	static const char *const words[] = { "modinfo", "-F", "version", OUR_MODULE, NULL };
	struct text said = { 0 };

	version[0] = '\0';
	if (run_program(words, &said))
		snprintf(version, VERSION_NBYTES, "%.*s",
			 (int)strcspn(text_chars(&said), "\n"), text_chars(&said));
	text_free(&said);
}

void ours_versions(char loaded[VERSION_NBYTES], char installed[VERSION_NBYTES])
{
	if (!ours_loaded() ||
	    read_line("/sys/module/" OUR_MODULE "/version", loaded, VERSION_NBYTES))
		loaded[0] = '\0';
	get_installed_version(installed);
}

int ours_get_serve(char serve[SERVE_NBYTES])
{
	return read_line(SERVE, serve, SERVE_NBYTES);
}

int ours_set_serve(const char *serve)
{
	return write_line(SERVE, serve);
}

static dev_t number_of(const char *path)
{
	unsigned int major_number, minor_number;
	char line[32];

	if (read_line(path, line, sizeof(line)) ||
	    sscanf(line, "%u:%u", &major_number, &minor_number) != 2)
		return 0;
	return makedev(major_number, minor_number);
}

dev_t ours_number(void)
{
	return number_of("/sys/class/" OUR_MODULE "/ioas/dev");
}

dev_t ours_native_number(void)
{
	if (!ours_loaded())
		return 0;
	return number_of(kernel_has_iommufd() ? "/sys/class/misc/iommu-ioas/dev" :
						"/sys/class/misc/iommu/dev");
}

/*
 * Ours calls itself iommu-ioas on a kernel that has an iommufd of its own, and iommu
 * elsewhere, where nobody else can have taken that name: ours would not have loaded.
 */
bool kernel_has_iommufd(void)
{
	bool iommu = access("/sys/class/misc/iommu", F_OK) == 0;
	bool ours_elsewhere = access("/sys/class/misc/iommu-ioas", F_OK) == 0;

	return iommu && (ours_elsewhere || !ours_loaded());
}

void ours_warn_of_parameters(void)
{
	static const char *const names[] = {
		"allow_unsafe_interrupts", "disable_hugepages", "dma_entry_limit"
	};
	char ours[32], stock[32], path[96];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s",
			 OUR_MODULE, names[i]);
		if (read_line(path, ours, sizeof(ours)))
			continue;
		snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s",
			 STOCK_MODULE, names[i]);
		if (read_line(path, stock, sizeof(stock)) ||
		    strcmp(ours, stock) == 0)
			continue;
		say_warning("%s is %s for %s, but %s for %s", names[i], stock, STOCK_MODULE,
			    ours, OUR_MODULE);
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * ours.c - the module vfio_ioas, as sysfs shows it
 */
#define _GNU_SOURCE
#include "ours.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

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

static void run_modprobe(int output)
{
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	execlp("modprobe", "modprobe", OUR_MODULE, (char *)NULL);
	/* PATH may have only what is for ordinary users. */
	execl("/sbin/modprobe", "modprobe", OUR_MODULE, (char *)NULL);
	dprintf(STDERR_FILENO, "modprobe: %s\n", strerror(errno));
	_exit(127);
}

bool ours_load(struct text *why)
{
	int status = -1;
	int output[2];
	pid_t pid;

	if (pipe2(output, O_CLOEXEC)) {
		text_add(why, "pipe: %s", strerror(errno));
		return false;
	}
	pid = fork();
	if (pid == 0)
		run_modprobe(output[1]);
	close(output[1]);
	text_add_all(why, output[0]);
	cut_newlines(why);
	close(output[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
		if (!why->nchars)
			text_add(why, "modprobe failed and gave no reason");
		return false;
	}
	text_clear(why);
	return true;
}

int ours_get_serve(char serve[SERVE_NBYTES])
{
	return read_line(SERVE, serve, SERVE_NBYTES);
}

int ours_set_serve(const char *serve)
{
	return write_line(SERVE, serve);
}

dev_t ours_number(void)
{
	unsigned int major_number, minor_number;
	char line[32];

	if (read_line("/sys/class/" OUR_MODULE "/ioas/dev", line, sizeof(line)) ||
	    sscanf(line, "%u:%u", &major_number, &minor_number) != 2)
		return 0;
	return makedev(major_number, minor_number);
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
		fprintf(stderr, "vfio-ioas: warning: %s is %s for %s, but %s for %s\n",
			names[i], stock, STOCK_MODULE, ours, OUR_MODULE);
	}
}

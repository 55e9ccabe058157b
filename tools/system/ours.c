// SPDX-License-Identifier: GPL-2.0-only
/*
 * ours.c - the module vfio_ioas, as sysfs shows it
 */
#define _GNU_SOURCE
#include "ours.h"

#include <sys/sysmacros.h>

#include "lib/program.h"
#include "lib/say.h"

#define SERVE	"/sys/module/" OUR_MODULE "/parameters/serve"

bool ours_loaded(void)
{
	/* Built-in code has a directory, too, but no count of users. */
	return access("/sys/module/" OUR_MODULE "/refcnt", F_OK) == 0;
}

static bool run_modprobe(const char *const *words, struct text *why)
{
	if (program_run(words, why)) {
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
	if (program_run(words, &said))
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
 * Our device is called iommu-ioas if the kernel has its own iommufd, and otherwise iommu. Then no
 * other device can have that name: our module would have failed to load.
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

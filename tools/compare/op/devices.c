// SPDX-License-Identifier: GPL-2.0-only
/*
 * devices.c - finds PCI devices by their driver, emulated ones by their name
 */
#include "devices.h"

#include <dirent.h>

#include "lib/text.h"

#define VFIO_PCI	"/sys/bus/pci/drivers/vfio-pci"
#define MAX_FOUND	64

struct device devices[NGROUPS];

const char *const group_names[NGROUPS] = {
	[GROUP_A] = "A",
	[GROUP_B] = "B",
	[GROUP_E] = "E",
	[GROUP_F] = "F",
	[GROUP_MUTE] = "mute",
};

static const char *const emulated_names[NGROUPS] = {
	[GROUP_E] = "emulated-0",
	[GROUP_F] = "emulated-1",
	[GROUP_MUTE] = "emulated-mute",
};

bool device_present(enum group group)
{
	return devices[group].name[0] != '\0';
}

static int group_of(const char *bus, const char *name)
{
	char path[256];
	char number[32];

	snprintf(path, sizeof(path), "/sys/bus/%s/devices/%s/iommu_group", bus,
		 name);
	return link_name(path, number, sizeof(number)) ? -1 : atoi(number);
}

static bool is_edu(const char *name)
{
	char path[256];
	char vendor[16] = "";
	char product[16] = "";

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vendor", name);
	read_line(path, vendor, sizeof(vendor));
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/device", name);
	read_line(path, product, sizeof(product));
	return strcmp(vendor, "0x1234") == 0 && strcmp(product, "0x11e8") == 0;
}

static bool is_bound(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), VFIO_PCI "/%s", name);
	return access(path, F_OK) == 0;
}

/* Uses only the first device of a group. */
static void use_pci(const char *name)
{
	enum group group = device_present(GROUP_A) ? GROUP_B : GROUP_A;
	int number = group_of("pci", name);

	if (device_present(GROUP_B) || number < 0)
		return;
	if (device_present(GROUP_A) && devices[GROUP_A].group == number)
		return;
	snprintf(devices[group].name, sizeof(devices[group].name), "%s", name);
	devices[group].group = number;
	devices[group].is_edu = is_edu(name);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void find_bound(void)
{
	char found[MAX_FOUND][16];
	unsigned int nfound = 0;
	struct dirent *entry;
	DIR *directory = opendir(VFIO_PCI);
	unsigned int i;

	while (directory && (entry = readdir(directory))) {
		if (nfound == MAX_FOUND || strlen(entry->d_name) != 12)
			continue;
		snprintf(found[nfound++], sizeof(found[0]), "%.12s",
			 entry->d_name);
	}
	if (directory)
		closedir(directory);
	qsort(found, nfound, sizeof(found[0]), by_name);
	for (i = 0; i < nfound; i++)
		use_pci(found[i]);
}

static void find_emulated(void)
{
	enum group group;

	for (group = GROUP_E; group < NGROUPS; group++) {
		int number = group_of("platform", emulated_names[group]);

		if (number < 0)
			continue;
		snprintf(devices[group].name, sizeof(devices[group].name), "%s",
			 emulated_names[group]);
		devices[group].group = number;
	}
}

bool devices_find(const char *const *names, unsigned int nnames)
{
	unsigned int i;

	for (i = 0; i < nnames; i++) {
		if (!is_bound(names[i])) {
			fprintf(stderr, "vfio-ioas: %s is not bound to vfio-pci\n",
				names[i]);
			return false;
		}
		use_pci(names[i]);
	}
	if (!nnames)
		find_bound();
	find_emulated();
	return true;
}

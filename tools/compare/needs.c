// SPDX-License-Identifier: GPL-2.0-only
/* needs.c - finds the needs of a case that this machine lacks */
#include "needs.h"

#include <dirent.h>

#include "compare/cases/case.h"
#include "compare/op/devices.h"
#include "compare/op/memory.h"
#include "lib/text.h"
#include "options.h"

#define NOIOMMU_MODE	"/sys/module/vfio/parameters/enable_unsafe_noiommu_mode"

/* The node of a group without an IOMMU has another name. */
static bool has_noiommu_group(void)
{
	DIR *directory = opendir("/dev/vfio");
	struct dirent *entry;
	bool found = false;

	while (directory && (entry = readdir(directory)))
		if (strncmp(entry->d_name, "noiommu-", 8) == 0)
			found = true;
	if (directory)
		closedir(directory);
	return found && access(NOIOMMU_MODE, F_OK) == 0;
}

static unsigned int count_devices(int group)
{
	char path[64];
	struct dirent *entry;
	unsigned int n = 0;
	DIR *directory;

	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%d/devices",
		 group);
	directory = opendir(path);
	while (directory && (entry = readdir(directory)))
		n += entry->d_name[0] != '.';
	if (directory)
		closedir(directory);
	return n;
}

/* Tests switch interrupt remapping off on the kernel's command line. */
static bool interrupts_are_remapped(void)
{
	char line[4096] = "";

	read_line("/proc/cmdline", line, sizeof(line));
	return !strstr(line, "intremap=off");
}

static bool all_are_edu(void)
{
	return devices[GROUP_A].is_edu &&
	       (!device_present(GROUP_B) || devices[GROUP_B].is_edu);
}

static const char *missing_device(unsigned int needs)
{
	if (needs & NEEDS_A && !device_present(GROUP_A))
		return "needs a PCI device";
	if (needs & NEEDS_B && !device_present(GROUP_B))
		return "needs PCI devices in two groups";
	if (needs & NEEDS_E && !device_present(GROUP_E))
		return "needs an emulated device";
	if (needs & NEEDS_F && !device_present(GROUP_F))
		return "needs two emulated devices";
	if (needs & NEEDS_MUTE && !device_present(GROUP_MUTE))
		return "needs an emulated device without a callback";
	if (needs & NEEDS_EDU && !all_are_edu())
		return "needs QEMU's edu device";
	if (needs & NEEDS_NOIOMMU && !has_noiommu_group())
		return "needs a device without an IOMMU";
	if (needs & NEEDS_SIBLING && count_devices(devices[GROUP_A].group) < 2)
		return "needs another device in the group";
	return NULL;
}

static bool is_unwanted(unsigned int needs)
{
	static const struct {
		unsigned int without;
		unsigned int needs;
	} features[] = {
		{ WITHOUT_DIRTY, ABOUT_DIRTY },
		{ WITHOUT_VADDR, ABOUT_VADDR },
		{ WITHOUT_MMIO, ABOUT_MMIO },
		{ WITHOUT_EMULATED, NEEDS_E | NEEDS_F | NEEDS_MUTE },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(features); i++)
		if (options.without & features[i].without &&
		    needs & features[i].needs)
			return true;
	return false;
}

const char *missing_need(unsigned int needs)
{
	const char *missing = missing_device(needs);

	if (missing)
		return missing;
	if (is_unwanted(needs))
		return "left out by --without";
	if (needs & NEEDS_FILE && !memory_file)
		return "needs --file";
	if (needs & NEEDS_REMAP && !interrupts_are_remapped())
		return "needs interrupt remapping";
	if (needs & NEEDS_NO_REMAP && interrupts_are_remapped())
		return "needs intremap=off";
	if (needs & NEEDS_ALONE && !options.exclusive)
		return "needs --exclusive";
	if (needs & NEEDS_BOTH && options.exclusive)
		return "needs both modules loaded";
	if (needs & INTRUSIVE && !options.intrusive)
		return "needs --intrusive";
	return NULL;
}

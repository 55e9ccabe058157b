/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * devices.h - the devices that calls are about, and their groups
 *
 * A, B: PCI devices bound to vfio-pci, in different groups. E, F: emulated devices of
 * vfio_ioas_emulated_test.ko. mute: its emulated device without a dma_unmap callback.
 */
#ifndef COMPARE_DEVICES_H
#define COMPARE_DEVICES_H

#include "lib/common.h"

enum group {
	GROUP_A,
	GROUP_B,
	GROUP_E,
	GROUP_F,
	GROUP_MUTE,
	NGROUPS,
};

struct device {
	char name[32];		/* as VFIO_GROUP_GET_DEVICE_FD takes it; "": none */
	int group;		/* as in /dev/vfio/<group> */
	bool is_edu;		/* QEMU's educational device */
};

/* By enum group. */
extern struct device devices[NGROUPS];
extern const char *const group_names[NGROUPS];

/*
 * Finds the named PCI devices, or all that are bound to vfio-pci. Prints the reason and returns
 * false if a named one cannot be used.
 */
bool devices_find(const char *const *names, unsigned int nnames);
bool device_present(enum group group);

#endif

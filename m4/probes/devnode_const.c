// SPDX-License-Identifier: GPL-2.0-only
/*
 * 6.2 made the device const that the devnode callback of a class gets.
 */
#include <linux/device.h>

static char *probe_devnode(const struct device *dev, umode_t *mode)
{
	return NULL;
}

static void __used probe(struct class *class)
{
	class->devnode = probe_devnode;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * 6.4 took from class_create() its first argument, the owning module.
 */
#include <linux/device.h>
#include <linux/module.h>

static struct class *__used probe(void)
{
	return class_create(THIS_MODULE, "probe");
}

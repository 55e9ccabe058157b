// SPDX-License-Identifier: GPL-2.0-only
/*
 * 6.4 removed the first argument of class_create(), the owning module.
 */
#include <linux/device.h>
#include <linux/module.h>

static struct class *__used probe(void)
{
	return class_create(THIS_MODULE, "probe");
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * main: load and unload.
 *
 * Locking: none; the kernel loads and unloads a module in one thread at a time.
 */
#include <linux/delay.h>
#include <linux/module.h>

#include "base/kcompat.h"
#include "base/load.h"
#include "compat/backend.h"
#include "compat/node.h"
#include "debugfs/status.h"
#include "native/native.h"

/* An open that began before its node was removed has been woken, but may not have returned yet. */
static void __init wait_for_openers(int nrefs)
{
	while (module_refcount(THIS_MODULE) > nrefs)
		usleep_range(1000, 2000);
}

/*
 * native_init() comes last of the steps that can fail. An open of /dev/iommu that waits for the end
 * of loading holds the lock of all misc devices, and node_init() needs that lock, to open the node
 * of vfio.ko. status_init() cannot fail.
 */
static int __init vfio_ioas_init(void)
{
	int nrefs = module_refcount(THIS_MODULE);
	int ret;

	ret = backend_init();
	if (ret)
		goto wait;
	ret = node_init();
	if (ret)
		goto exit_backend;
	ret = native_init();
	if (ret)
		goto exit_node;
	status_init();
	load_succeed();
	return 0;

exit_node:
	node_exit();
exit_backend:
	backend_exit();
wait:
	load_fail();
	wait_for_openers(nrefs);
	return ret;
}

static void __exit vfio_ioas_exit(void)
{
	status_exit();
	native_exit();
	node_exit();
	backend_exit();
}

module_init(vfio_ioas_init);
module_exit(vfio_ioas_exit);

MODULE_DESCRIPTION("VFIO type1 container on an I/O address space of its own");
MODULE_AUTHOR("The vfio-ioas developers");
MODULE_VERSION(VFIO_IOAS_VERSION);
MODULE_LICENSE("GPL");
/* vfio.ko asks the newest backend first, and stock type1 never says no: register after it. */
MODULE_SOFTDEP("pre: vfio_iommu_type1");

// SPDX-License-Identifier: GPL-2.0-only
/*
 * main: load and unload.
 *
 * Locking: none; the kernel does one at a time.
 */
#include <linux/module.h>

#include "backend.h"
#include "insight.h"
#include "kcompat.h"
#include "native.h"
#include "node.h"

static int __init vfio_ioas_init(void)
{
	int ret;

	insight_init();
	ret = native_init();
	if (ret)
		goto exit_insight;
	ret = node_init();
	if (ret)
		goto exit_native;
	ret = backend_init();
	if (ret)
		goto exit_node;
	return 0;

exit_node:
	node_exit();
exit_native:
	native_exit();
exit_insight:
	insight_exit();
	return ret;
}

static void __exit vfio_ioas_exit(void)
{
	backend_exit();
	node_exit();
	native_exit();
	insight_exit();
}

module_init(vfio_ioas_init);
module_exit(vfio_ioas_exit);

MODULE_DESCRIPTION("VFIO type1 container on an I/O address space of its own");
MODULE_AUTHOR("The vfio-ioas developers");
MODULE_VERSION(VFIO_IOAS_VERSION);
MODULE_LICENSE("GPL");
/* Stock type1 claims every container: we must register after it. */
MODULE_SOFTDEP("pre: vfio_iommu_type1");

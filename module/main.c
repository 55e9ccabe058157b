// SPDX-License-Identifier: GPL-2.0-only
/*
 * main: load and unload.
 *
 * Locking: none; the kernel does one at a time. The word that says that loading succeeded is
 * written once, before those that wait for it are woken.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/module.h>

#include "base/kcompat.h"
#include "compat/backend.h"
#include "compat/node.h"
#include "debugfs/insight.h"
#include "main.h"
#include "native/native.h"

static DECLARE_COMPLETION(init_over);
static bool live;

bool main_is_live(void)
{
	return READ_ONCE(live);
}

int main_wait_until_live(void)
{
	int ret;

	if (likely(main_is_live()))
		return 0;
	ret = wait_for_completion_killable(&init_over);
	if (ret)
		return ret;
	return main_is_live() ? 0 : -ENODEV;
}

static void __init end_init(bool succeeded)
{
	WRITE_ONCE(live, succeeded);
	complete_all(&init_over);
}

/* Opens that came before the nodes went have been told, but need not have returned yet. */
static void __init wait_for_openers(int nrefs)
{
	while (module_refcount(THIS_MODULE) > nrefs)
		usleep_range(1000, 2000);
}

/*
 * A file of /dev/iommu that waits does so in the lock of all misc devices, which node_init() needs
 * to open the one of vfio.ko: so that node comes last. The files in debugfs cannot fail.
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
	insight_init();
	end_init(true);
	return 0;

exit_node:
	node_exit();
exit_backend:
	backend_exit();
wait:
	end_init(false);
	wait_for_openers(nrefs);
	return ret;
}

static void __exit vfio_ioas_exit(void)
{
	insight_exit();
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
/* Stock type1 claims every container: we must register after it. */
MODULE_SOFTDEP("pre: vfio_iommu_type1");

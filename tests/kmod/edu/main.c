// SPDX-License-Identifier: GPL-2.0-only
/*
 * main: the PCI drivers.
 *
 * Both bind only devices that driver_override gives to them. "edu_plain" does nothing with its
 * devices: it stands for the many drivers that use the kernel's own DMA mappings.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "edu.h"

static void edu_release(struct kref *kref)
{
	struct edu *edu = container_of(kref, struct edu, kref);

	kfree(edu->misc.name);
	kfree(edu);
}

/* Puts the caller's reference to a device. */
void edu_put(struct edu *edu)
{
	kref_put(&edu->kref, edu_release);
}

static int map_device(struct edu *edu, struct pci_dev *pdev)
{
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	pci_clear_master(pdev);
	edu->bar = pcim_iomap(pdev, 0, 0);
	return edu->bar ? 0 : -ENOMEM;
}

static struct edu *create_edu(struct pci_dev *pdev)
{
	struct edu *edu = kzalloc(sizeof(*edu), GFP_KERNEL);

	if (!edu)
		return NULL;
	kref_init(&edu->kref);
	edu->pdev = pdev;
	mutex_init(&edu->files_lock);
	INIT_LIST_HEAD(&edu->files);
	mutex_init(&edu->hw_lock);
	edu->misc.minor = MISC_DYNAMIC_MINOR;
	edu->misc.name = kasprintf(GFP_KERNEL, "edu_test-%s", pci_name(pdev));
	edu->misc.fops = &edu_fops;
	edu->misc.mode = 0600;
	if (edu->misc.name)
		return edu;
	kfree(edu);
	return NULL;
}

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct edu *edu = create_edu(pdev);
	int ret;

	if (!edu)
		return -ENOMEM;
	ret = map_device(edu, pdev);
	if (!ret)
		ret = misc_register(&edu->misc);
	if (ret)
		edu_put(edu);
	else
		pci_set_drvdata(pdev, edu);
	return ret;
}

static void edu_remove(struct pci_dev *pdev)
{
	struct edu *edu = pci_get_drvdata(pdev);

	misc_deregister(&edu->misc);
	edu_close_all(edu);
	edu_put(edu);
}

static struct pci_driver edu_driver = {
	.name = "edu_test",
	.probe = edu_probe,
	.remove = edu_remove,
	.driver_managed_dma = true,
};

static int plain_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	return 0;
}

static struct pci_driver plain_driver = {
	.name = "edu_plain",
	.probe = plain_probe,
};

static int __init edu_init(void)
{
	int ret;

	ret = pci_register_driver(&edu_driver);
	if (ret)
		return ret;
	ret = pci_register_driver(&plain_driver);
	if (ret)
		pci_unregister_driver(&edu_driver);
	return ret;
}

static void __exit edu_exit(void)
{
	pci_unregister_driver(&plain_driver);
	pci_unregister_driver(&edu_driver);
}

module_init(edu_init);
module_exit(edu_exit);

MODULE_DESCRIPTION("Tests the kernel interface of vfio_ioas on QEMU's edu device");
MODULE_AUTHOR("The vfio-ioas developers");
MODULE_LICENSE("GPL");

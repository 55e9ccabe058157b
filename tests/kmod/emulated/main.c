// SPDX-License-Identifier: GPL-2.0-only
/*
 * main: VFIO devices, and the platform devices behind them.
 *
 * The module makes platform devices. Its own driver makes a VFIO device of each. While one is open
 * the module cannot be unloaded.
 */
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "emulated.h"

static bool pin_in_open;
module_param(pin_in_open, bool, 0644);
MODULE_PARM_DESC(pin_in_open, "Pin the page at IOVA 0 when a device is opened");

static struct emulated *to_emulated(struct vfio_device *vdev)
{
	return container_of(vdev, struct emulated, vdev);
}

/* --- a VFIO device */

static int emulated_init_device(struct vfio_device *vdev)
{
	pins_init(to_emulated(vdev));
	return 0;
}

static void emulated_release_device(struct vfio_device *vdev)
{
	compat_release(vdev);
}

static int emulated_open_device(struct vfio_device *vdev)
{
	pins_open(to_emulated(vdev), pin_in_open);
	return 0;
}

static void emulated_close_device(struct vfio_device *vdev)
{
	pins_close(to_emulated(vdev));
}

static void emulated_dma_unmap(struct vfio_device *vdev, u64 iova, u64 nbytes)
{
	pins_unmapped(to_emulated(vdev), iova, iova + nbytes - 1);
}

union emulated_args {
	struct emulated_pin pin;
	struct emulated_rw rw;
	struct emulated_behave behave;
	struct emulated_info info;
};

static long run_command(struct emulated *emulated, unsigned int cmd, union emulated_args *args)
{
	switch (cmd) {
	case EMULATED_PIN:
		return pins_add(emulated, &args->pin);
	case EMULATED_UNPIN:
		return pins_remove(emulated, &args->pin);
	case EMULATED_RW:
		return copy_rw(emulated, &args->rw);
	case EMULATED_COPY:
		return copy_pinned(emulated, &args->rw);
	case EMULATED_BEHAVE:
		pins_behave(emulated, &args->behave);
		return 0;
	case EMULATED_INFO:
		pins_info(emulated, &args->info);
		return 0;
	default:
		return -ENOTTY;
	}
}

static long emulated_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg)
{
	void __user *uargs = (void __user *)arg;
	union emulated_args args = { };
	unsigned int nbytes = _IOC_SIZE(cmd);
	long ret;

	if (nbytes > sizeof(args))
		return -ENOTTY;
	if (_IOC_DIR(cmd) & _IOC_WRITE && copy_from_user(&args, uargs, nbytes))
		return -EFAULT;
	ret = run_command(to_emulated(vdev), cmd, &args);
	if (!ret && _IOC_DIR(cmd) & _IOC_READ && copy_to_user(uargs, &args, nbytes))
		ret = -EFAULT;
	return ret;
}

static const struct vfio_device_ops emulated_ops = {
	.name = "vfio-emulated-test",
	.init = emulated_init_device,
	.release = emulated_release_device,
	.open_device = emulated_open_device,
	.close_device = emulated_close_device,
	.dma_unmap = emulated_dma_unmap,
	.ioctl = emulated_ioctl,
	COMPAT_IOMMUFD_OPS
};

static const struct vfio_device_ops mute_ops = {
	.name = "vfio-emulated-test-mute",
	.init = emulated_init_device,
	.release = emulated_release_device,
	.open_device = emulated_open_device,
	.close_device = emulated_close_device,
	.ioctl = emulated_ioctl,
	COMPAT_IOMMUFD_OPS
};

/* --- the platform devices and their driver */

enum {
	EMULATED_NORMAL,
	EMULATED_MUTE,
};

static const struct platform_device_id ids[] = {
	{ "emulated-0", EMULATED_NORMAL },
	{ "emulated-1", EMULATED_NORMAL },
	{ "emulated-mute", EMULATED_MUTE },
	{ }
};

#define NDEVICES	(ARRAY_SIZE(ids) - 1)

static struct platform_device *devices[NDEVICES];

static void unregister(void *data)
{
	struct emulated *emulated = data;

	vfio_unregister_group_dev(&emulated->vdev);
	vfio_put_device(&emulated->vdev);
}

static int emulated_probe(struct platform_device *pdev)
{
	bool mute = platform_get_device_id(pdev)->driver_data == EMULATED_MUTE;
	struct emulated *emulated;
	int ret;

	emulated = vfio_alloc_device(emulated, vdev, &pdev->dev, mute ? &mute_ops : &emulated_ops);
	if (IS_ERR(emulated))
		return PTR_ERR(emulated);
	ret = vfio_register_emulated_iommu_dev(&emulated->vdev);
	if (ret) {
		vfio_put_device(&emulated->vdev);
		return ret;
	}
	platform_set_drvdata(pdev, emulated);
	return devm_add_action_or_reset(&pdev->dev, unregister, emulated);
}

/*
 * A VFIO device is unregistered when the driver is unbound from its platform device. vfio.ko makes
 * and removes the iommu groups: they have nothing to do with the kernel's DMA mappings.
 */
static struct platform_driver emulated_driver = {
	.driver.name = "vfio_ioas_emulated_test",
	.id_table = ids,
	.probe = emulated_probe,
	.driver_managed_dma = true,
};

static void remove_devices(unsigned int ndevices)
{
	while (ndevices--)
		platform_device_unregister(devices[ndevices]);
}

static int add_device(unsigned int i)
{
	struct platform_device *pdev;

	pdev = platform_device_register_simple(ids[i].name, PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	devices[i] = pdev;
	/* Registering succeeds even if the driver did not bind the device. */
	if (platform_get_drvdata(pdev))
		return 0;
	platform_device_unregister(pdev);
	return -ENODEV;
}

static int __init emulated_init(void)
{
	unsigned int i;
	int ret;

	ret = platform_driver_register(&emulated_driver);
	if (ret)
		return ret;
	for (i = 0; i < NDEVICES; i++) {
		ret = add_device(i);
		if (ret)
			goto undo;
	}
	return 0;

undo:
	remove_devices(i);
	platform_driver_unregister(&emulated_driver);
	return ret;
}

static void __exit emulated_exit(void)
{
	remove_devices(NDEVICES);
	platform_driver_unregister(&emulated_driver);
}

module_init(emulated_init);
module_exit(emulated_exit);

MODULE_DESCRIPTION("Emulated VFIO devices that pin and copy what they are told to");
MODULE_AUTHOR("The vfio-ioas developers");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0-only
/*
 * device: bind, attach and DMA of the device.
 *
 * The device is a bus master only while a file is bound: otherwise its DMA belongs to the kernel.
 */
#include <linux/err.h>
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/pci.h>

#include "edu.h"

/* Registers of 64 bits, bits of EDU_COMMAND, and the device's address of its own buffer. */
#define EDU_SOURCE	0x80
#define EDU_TARGET	0x88
#define EDU_COUNT	0x90
#define EDU_COMMAND	0x98
#define EDU_START	1ULL
#define EDU_OUT		2ULL
#define EDU_BUFFER	0x40000ULL

/* A transfer takes 100 ms; the rest is for a busy host. */
#define POLL_US		1000
#define TIMEOUT_US	(30 * USEC_PER_SEC)

static void need_master(struct edu *edu)
{
	mutex_lock(&edu->hw_lock);
	if (!edu->nmasters++)
		pci_set_master(edu->pdev);
	mutex_unlock(&edu->hw_lock);
}

static void unneed_master(struct edu *edu)
{
	mutex_lock(&edu->hw_lock);
	if (!--edu->nmasters)
		pci_clear_master(edu->pdev);
	mutex_unlock(&edu->hw_lock);
}

int edu_bind(struct edu_file *file, union edu_args *args)
{
	struct edu_test_bind *bind = &args->bind;
	struct ioas_device *idev;
	struct ioas_ctx *ctx;

	if (file->idev)
		return -EBUSY;
	ctx = vfio_ioas_ctx_from_fd(bind->fd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	idev = vfio_ioas_device_bind(ctx, &file->edu->pdev->dev, &bind->device_id);
	vfio_ioas_ctx_put(ctx);
	if (IS_ERR(idev))
		return PTR_ERR(idev);
	file->idev = idev;
	need_master(file->edu);
	return 0;
}

int edu_unbind(struct edu_file *file, union edu_args *args)
{
	if (!file->idev)
		return -EINVAL;
	if (file->attached)
		return -EBUSY;
	unneed_master(file->edu);
	vfio_ioas_device_unbind(file->idev);
	file->idev = NULL;
	return 0;
}

int edu_attach(struct edu_file *file, union edu_args *args)
{
	int ret;

	if (!file->idev)
		return -EINVAL;
	ret = vfio_ioas_device_attach(file->idev, &args->attach.pt_id);
	if (!ret)
		file->attached = true;
	return ret;
}

int edu_replace(struct edu_file *file, union edu_args *args)
{
	if (!file->idev)
		return -EINVAL;
	return vfio_ioas_device_replace(file->idev, &args->attach.pt_id);
}

int edu_detach(struct edu_file *file, union edu_args *args)
{
	if (!file->attached)
		return -EINVAL;
	vfio_ioas_device_detach(file->idev);
	file->attached = false;
	return 0;
}

void edu_device_close(struct edu_file *file)
{
	edu_detach(file, NULL);
	edu_unbind(file, NULL);
}

static int transfer(struct edu *edu, u64 source, u64 target, u32 nbytes, u64 direction)
{
	u64 command;

	lockdep_assert_held(&edu->hw_lock);
	writeq(source, edu->bar + EDU_SOURCE);
	writeq(target, edu->bar + EDU_TARGET);
	writeq(nbytes, edu->bar + EDU_COUNT);
	writeq(EDU_START | direction, edu->bar + EDU_COMMAND);
	return readq_poll_timeout(edu->bar + EDU_COMMAND, command, !(command & EDU_START),
				  POLL_US, TIMEOUT_US);
}

int edu_dma(struct edu_file *file, union edu_args *args)
{
	const struct edu_test_dma *dma = &args->dma;
	struct edu *edu = file->edu;
	int ret;

	/* A transfer that is too long makes QEMU's model of the device end QEMU. */
	if (!file->idev || !dma->nbytes || dma->nbytes > EDU_TEST_DMA_BYTES)
		return -EINVAL;
	mutex_lock(&edu->hw_lock);
	if (dma->flags & EDU_TEST_TO_MEMORY)
		ret = transfer(edu, EDU_BUFFER, dma->iova, dma->nbytes, EDU_OUT);
	else
		ret = transfer(edu, dma->iova, EDU_BUFFER, dma->nbytes, 0);
	mutex_unlock(&edu->hw_lock);
	return ret;
}

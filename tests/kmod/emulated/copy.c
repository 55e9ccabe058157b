// SPDX-License-Identifier: GPL-2.0-only
/*
 * copy: reads and writes at an IOVA with the CPU, pinned or not.
 *
 * The bytes go through a buffer, so that user memory is never accessed with a lock held.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "emulated.h"

/* A copy by a kernel thread, for which the caller waits. */
struct copy_work {
	struct work_struct work;
	struct emulated *emulated;
	const struct emulated_rw *rw;
	void *data;
	int ret;
};

static int copy_range(struct emulated *emulated, const struct emulated_rw *rw, void *data)
{
	return vfio_dma_rw(&emulated->vdev, rw->iova, data, rw->nbytes,
			   rw->flags & EMULATED_WRITE);
}

static void copy_in_thread(struct work_struct *work)
{
	struct copy_work *copy = container_of(work, struct copy_work, work);

	copy->ret = copy_range(copy->emulated, copy->rw, copy->data);
}

static int copy_by_thread(struct emulated *emulated, const struct emulated_rw *rw, void *data)
{
	struct copy_work copy = { .emulated = emulated, .rw = rw, .data = data };

	INIT_WORK_ONSTACK(&copy.work, copy_in_thread);
	schedule_work(&copy.work);
	flush_work(&copy.work);
	destroy_work_on_stack(&copy.work);
	return copy.ret;
}

static void *get_data(const struct emulated_rw *rw)
{
	if (rw->nbytes > EMULATED_MAX_BYTES)
		return ERR_PTR(-E2BIG);
	return vmemdup_user(u64_to_user_ptr(rw->data), rw->nbytes);
}

/* A read copies its buffer to the caller also after an error. */
static int put_data(const struct emulated_rw *rw, void *data, int ret)
{
	if (!(rw->flags & EMULATED_WRITE) &&
	    copy_to_user(u64_to_user_ptr(rw->data), data, rw->nbytes) && !ret)
		ret = -EFAULT;
	kvfree(data);
	return ret;
}

int copy_rw(struct emulated *emulated, const struct emulated_rw *rw)
{
	void *data = get_data(rw);
	int ret;

	if (IS_ERR(data))
		return PTR_ERR(data);
	if (rw->flags & EMULATED_KTHREAD)
		ret = copy_by_thread(emulated, rw, data);
	else
		ret = copy_range(emulated, rw, data);
	return put_data(rw, data, ret);
}

int copy_pinned(struct emulated *emulated, const struct emulated_rw *rw)
{
	void *data = get_data(rw);
	int ret;

	if (IS_ERR(data))
		return PTR_ERR(data);
	ret = pins_copy(emulated, rw->iova, data, rw->nbytes, rw->flags & EMULATED_WRITE);
	return put_data(rw, data, ret);
}

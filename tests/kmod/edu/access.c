// SPDX-License-Identifier: GPL-2.0-only
/*
 * access: an in-kernel user of an IOAS, like a driver of a device without an IOMMU.
 *
 * Its pins are in a list until an ioctl unpins them, or until it is told of an unmap; a deaf access
 * ignores that. A late pin is in another list until the first notice is over, as if the thread that
 * pinned it had noted it only then.
 */
#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "edu.h"

struct edu_pin {
	struct list_head item;
	u32 id;
	unsigned long iova;
	unsigned long nbytes;
	struct page *pages[];
};

static void give_back(struct edu_access *access, struct edu_pin *pin)
{
	lockdep_assert_held(&access->pins_lock);
	vfio_ioas_access_unpin_pages(access->ioas_access, pin->iova, pin->nbytes);
	list_del(&pin->item);
	access->npins--;
	kfree(pin);
}

static void give_back_range(struct edu_access *access, unsigned long iova,
			    unsigned long last_iova)
{
	struct edu_pin *pin, *next;

	lockdep_assert_held(&access->pins_lock);
	list_for_each_entry_safe(pin, next, &access->pins, item)
		if (pin->iova <= last_iova && pin->iova + pin->nbytes - 1 >= iova)
			give_back(access, pin);
}

static void let_go(void *data, unsigned long iova, unsigned long nbytes)
{
	struct edu_access *access = data;

	mutex_lock(&access->pins_lock);
	access->nnotices++;
	give_back_range(access, iova, iova + nbytes - 1);
	list_splice_init(&access->late_pins, &access->pins);
	mutex_unlock(&access->pins_lock);
}

static void ignore(void *data, unsigned long iova, unsigned long nbytes)
{
	struct edu_access *access = data;

	mutex_lock(&access->pins_lock);
	access->nnotices++;
	mutex_unlock(&access->pins_lock);
}

static const struct vfio_ioas_access_ops copying_ops;

static const struct vfio_ioas_access_ops pinning_ops = {
	.needs_pin_pages = true,
	.unmap = let_go,
};

static const struct vfio_ioas_access_ops deaf_ops = {
	.needs_pin_pages = true,
	.unmap = ignore,
};

static const struct vfio_ioas_access_ops *choose_ops(u32 flags)
{
	if (flags & EDU_TEST_ACCESS_DEAF)
		return &deaf_ops;
	return flags & EDU_TEST_ACCESS_PINS ? &pinning_ops : &copying_ops;
}

void edu_access_init(struct edu_file *file)
{
	mutex_init(&file->access.pins_lock);
	INIT_LIST_HEAD(&file->access.pins);
	INIT_LIST_HEAD(&file->access.late_pins);
}

int edu_access_create(struct edu_file *file, union edu_args *args)
{
	struct edu_test_access_create *create = &args->access_create;
	struct edu_access *access = &file->access;
	struct ioas_access *ioas_access;
	struct ioas_ctx *ctx;
	int ret;

	if (access->ioas_access)
		return -EBUSY;
	ctx = vfio_ioas_ctx_from_fd(create->fd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	access->nnotices = 0;
	ioas_access = vfio_ioas_access_create(ctx, choose_ops(create->flags), access,
					      &create->access_id);
	vfio_ioas_ctx_put(ctx);
	if (IS_ERR(ioas_access))
		return PTR_ERR(ioas_access);
	ret = vfio_ioas_access_attach(ioas_access, create->ioas_id);
	if (ret) {
		vfio_ioas_access_destroy(ioas_access);
		return ret;
	}
	access->ioas_access = ioas_access;
	access->deaf = create->flags & EDU_TEST_ACCESS_DEAF;
	return 0;
}

/* Even a deaf driver has to unpin before its access ends. */
static void prepare_to_end(struct edu_access *access)
{
	if (!access->deaf)
		return;
	mutex_lock(&access->pins_lock);
	give_back_range(access, 0, ULONG_MAX);
	mutex_unlock(&access->pins_lock);
}

int edu_access_destroy(struct edu_file *file, union edu_args *args)
{
	struct edu_access *access = &file->access;

	if (!access->ioas_access)
		return -EINVAL;
	prepare_to_end(access);
	vfio_ioas_access_destroy(access->ioas_access);
	access->ioas_access = NULL;
	return 0;
}

void edu_access_close(struct edu_file *file)
{
	edu_access_destroy(file, NULL);
}

int edu_access_replace(struct edu_file *file, union edu_args *args)
{
	struct edu_access *access = &file->access;

	if (!access->ioas_access)
		return -EINVAL;
	return vfio_ioas_access_replace(access->ioas_access, args->access_replace.ioas_id);
}

int edu_access_attach(struct edu_file *file, union edu_args *args)
{
	struct edu_access *access = &file->access;

	if (!access->ioas_access)
		return -EINVAL;
	return vfio_ioas_access_attach(access->ioas_access, args->access_replace.ioas_id);
}

int edu_access_detach(struct edu_file *file, union edu_args *args)
{
	struct edu_access *access = &file->access;

	if (!access->ioas_access)
		return -EINVAL;
	vfio_ioas_access_detach(access->ioas_access);
	return 0;
}

int edu_pin(struct edu_file *file, union edu_args *args)
{
	struct edu_access *access = &file->access;
	struct edu_test_pin *arg = &args->pin;
	struct edu_pin *pin;
	int ret;

	if (!access->ioas_access || arg->nbytes > EDU_TEST_ACCESS_BYTES)
		return -EINVAL;
	/* A range that begins inside a page is refused, but may touch one page more. */
	pin = kzalloc(struct_size(pin, pages, arg->nbytes / PAGE_SIZE + 2), GFP_KERNEL);
	if (!pin)
		return -ENOMEM;
	pin->iova = arg->iova;
	pin->nbytes = arg->nbytes;
	mutex_lock(&access->pins_lock);
	ret = vfio_ioas_access_pin_pages(access->ioas_access, pin->iova, pin->nbytes, pin->pages,
					 arg->flags & EDU_TEST_WRITE ? VFIO_IOAS_ACCESS_WRITE : 0);
	if (!ret) {
		pin->id = ++access->last_pin_id;
		arg->pin_id = pin->id;
		access->npins++;
		list_add(&pin->item, arg->flags & EDU_TEST_LATE ? &access->late_pins :
						       &access->pins);
	}
	mutex_unlock(&access->pins_lock);
	if (ret)
		kfree(pin);
	return ret;
}

static struct edu_pin *find_pin(struct edu_access *access, u32 id)
{
	struct edu_pin *pin;

	lockdep_assert_held(&access->pins_lock);
	list_for_each_entry(pin, &access->pins, item)
		if (pin->id == id)
			return pin;
	return NULL;
}

int edu_unpin(struct edu_file *file, union edu_args *args)
{
	struct edu_access *access = &file->access;
	struct edu_pin *pin;

	if (!access->ioas_access)
		return -EINVAL;
	mutex_lock(&access->pins_lock);
	pin = find_pin(access, args->unpin.pin_id);
	if (pin)
		give_back(access, pin);
	mutex_unlock(&access->pins_lock);
	return pin ? 0 : -ENOENT;
}

/* Copies between a page and user memory; returns 0 or -EFAULT. */
static int copy_one_page(struct page *page, void __user *udata, unsigned long nbytes,
			 bool to_page)
{
	void *data = kmap_local_page(page);
	unsigned long nleft;

	if (to_page)
		nleft = copy_from_user(data, udata, nbytes);
	else
		nleft = copy_to_user(udata, data, nbytes);
	kunmap_local(data);
	return nleft ? -EFAULT : 0;
}

static int copy_pin(struct edu_pin *pin, void __user *udata, bool to_pages)
{
	unsigned long at, nbytes;
	int ret = 0;

	for (at = 0; at < pin->nbytes && !ret; at += nbytes) {
		nbytes = min(pin->nbytes - at, PAGE_SIZE);
		ret = copy_one_page(pin->pages[at / PAGE_SIZE], udata + at, nbytes, to_pages);
	}
	return ret;
}

int edu_pin_copy(struct edu_file *file, union edu_args *args)
{
	const struct edu_test_pin_copy *arg = &args->pin_copy;
	struct edu_access *access = &file->access;
	struct edu_pin *pin;
	int ret = -ENOENT;

	if (!access->ioas_access)
		return -EINVAL;
	mutex_lock(&access->pins_lock);
	pin = find_pin(access, arg->pin_id);
	if (pin)
		ret = copy_pin(pin, u64_to_user_ptr(arg->data), arg->flags & EDU_TEST_WRITE);
	mutex_unlock(&access->pins_lock);
	return ret;
}

/* A copy by a kernel thread, for which the caller waits. */
struct rw_work {
	struct work_struct work;
	struct ioas_access *ioas_access;
	const struct edu_test_rw *rw;
	void *data;
	int ret;
};

static int copy_range(struct ioas_access *ioas_access, const struct edu_test_rw *rw, void *data)
{
	unsigned int flags = 0;

	if (rw->flags & EDU_TEST_WRITE)
		flags |= VFIO_IOAS_ACCESS_WRITE;
	if (rw->flags & EDU_TEST_KTHREAD)
		flags |= VFIO_IOAS_ACCESS_KTHREAD;
	return vfio_ioas_access_rw(ioas_access, rw->iova, data, rw->nbytes, flags);
}

static void copy_in_thread(struct work_struct *work)
{
	struct rw_work *rw_work = container_of(work, struct rw_work, work);

	rw_work->ret = copy_range(rw_work->ioas_access, rw_work->rw, rw_work->data);
}

static int copy_by_thread(struct ioas_access *ioas_access, const struct edu_test_rw *rw,
			  void *data)
{
	struct rw_work rw_work = { .ioas_access = ioas_access, .rw = rw, .data = data };

	INIT_WORK_ONSTACK(&rw_work.work, copy_in_thread);
	schedule_work(&rw_work.work);
	flush_work(&rw_work.work);
	destroy_work_on_stack(&rw_work.work);
	return rw_work.ret;
}

int edu_rw(struct edu_file *file, union edu_args *args)
{
	struct ioas_access *ioas_access = file->access.ioas_access;
	const struct edu_test_rw *rw = &args->rw;
	void __user *udata = u64_to_user_ptr(rw->data);
	u8 *data;
	int ret;

	if (!ioas_access || rw->nbytes > EDU_TEST_ACCESS_BYTES)
		return -EINVAL;
	data = vmemdup_user(udata, rw->nbytes);
	if (IS_ERR(data))
		return PTR_ERR(data);
	if (rw->flags & EDU_TEST_KTHREAD)
		ret = copy_by_thread(ioas_access, rw, data);
	else
		ret = copy_range(ioas_access, rw, data);
	if (!ret && !(rw->flags & EDU_TEST_WRITE) && copy_to_user(udata, data, rw->nbytes))
		ret = -EFAULT;
	kvfree(data);
	return ret;
}

int edu_access_info(struct edu_file *file, union edu_args *args)
{
	struct edu_access *access = &file->access;

	if (!access->ioas_access)
		return -EINVAL;
	mutex_lock(&access->pins_lock);
	args->access_info.nnotices = access->nnotices;
	args->access_info.npins = access->npins;
	mutex_unlock(&access->pins_lock);
	return 0;
}

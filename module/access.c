// SPDX-License-Identifier: GPL-2.0-only
/*
 * access: in-kernel users of an IOAS: drivers that reach its memory with the CPU.
 *
 * A pin makes the store of each area it touches shared, adds itself to those who need a
 * part of it, and counts in the area, so that an unmap knows whom it has to tell. User
 * space always wins: the unmap marks the area so that no new pin gets in, calls the
 * drivers with nothing held, and goes on when all pins are gone.
 *
 * Locking: ioas_rwsem guards which IOAS an access is attached to: held for reading
 * while that is used, for writing only for the change itself, never across a call of the
 * driver. Calls of the driver are counted under the lock of the IOAS' list of
 * accesses; who takes an access off the list waits for them, holding nothing. The caller of
 * such a call enters the IOAS again before it is over, so that the IOAS outlives it.
 */
#include <linux/err.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include "access.h"
#include "area.h"
#include "ioas.h"

struct ioas_access {
	struct ioas_object object;		/* its driver is a user of it */
	const struct vfio_ioas_access_ops *ops;	/* constant, as is data */
	void *data;
	struct rw_semaphore ioas_rwsem;
	struct ioas *ioas;			/* ioas_rwsem; this is a user of it, or NULL */
	bool closing;				/* ioas_rwsem; about to leave: nothing new */
	u32 list_index;				/* ioas_rwsem; in ioas->accesses */
	atomic_t ncalls;			/* of ops->unmap under way */
};

static void access_object_destroy(struct ioas_object *object)
{
	struct ioas_access *access = container_of(object, struct ioas_access, object);

	WARN_ON(access->ioas);
	kfree(access);
}

static void access_object_show(struct seq_file *m, struct ioas_object *object)
{
	struct ioas_access *access = container_of(object, struct ioas_access, object);

	down_read(&access->ioas_rwsem);
	seq_printf(m, "access context=%lu id=%u ioas=%u\n", object->ctx->insight.id, object->id,
		   access->ioas ? access->ioas->object.id : 0);
	up_read(&access->ioas_rwsem);
}

static const struct ioas_object_ops access_object_ops = {
	.destroy = access_object_destroy,
	.show = access_object_show,
};

static struct ioas_access *next_to_notify(struct ioas *ioas, unsigned long *index)
{
	struct ioas_access *access;

	xa_lock(&ioas->accesses);
	access = xa_find(&ioas->accesses, index, ULONG_MAX, XA_PRESENT);
	if (access)
		atomic_inc(&access->ncalls);
	xa_unlock(&ioas->accesses);
	return access;
}

static void call_over(struct ioas_access *access)
{
	atomic_t *ncalls = &access->ncalls;

	/* The access may be gone right after, but an address is all that is used. */
	if (atomic_dec_and_test(ncalls))
		wake_up_var(ncalls);
}

void access_notify(struct ioas *ioas, unsigned long iova, unsigned long last_iova)
{
	struct ioas_access *access;
	unsigned long index;

	for (index = 0; (access = next_to_notify(ioas, &index)); index++) {
		ioas_leave(ioas);
		if (access->ops->unmap)
			access->ops->unmap(access->data, iova, last_iova - iova + 1);
		ioas_enter(ioas);
		call_over(access);
	}
}

struct ioas_access *vfio_ioas_access_create(struct ioas_ctx *ctx,
					    const struct vfio_ioas_access_ops *ops,
					    void *data, u32 *id)
{
	struct ioas_access *access;
	int ret;

	access = kzalloc(sizeof(*access), GFP_KERNEL_ACCOUNT);
	if (!access)
		return ERR_PTR(-ENOMEM);
	ret = ioas_object_reserve(ctx, &access->object, &access_object_ops);
	if (ret) {
		kfree(access);
		return ERR_PTR(ret);
	}
	access->ops = ops;
	access->data = data;
	init_rwsem(&access->ioas_rwsem);
	atomic_set(&access->ncalls, 0);
	vfio_ioas_ctx_get(ctx);
	ioas_object_use(&access->object);
	*id = access->object.id;
	ioas_object_publish(&access->object);
	return access;
}
EXPORT_SYMBOL_GPL(vfio_ioas_access_create);

void vfio_ioas_access_destroy(struct ioas_access *access)
{
	struct ioas_ctx *ctx = access->object.ctx;

	vfio_ioas_access_detach(access);
	ioas_object_retire(&access->object);
	access_object_destroy(&access->object);
	vfio_ioas_ctx_put(ctx);
}
EXPORT_SYMBOL_GPL(vfio_ioas_access_destroy);

/* Changes how many pinning accesses an IOAS has; only more of them can fail. */
static int change_npinning(struct ioas_access *access, struct ioas *ioas, int change)
{
	int ret = 0;

	if (!access->ops->needs_pin_pages)
		return 0;
	down_write(&ioas->domains_rwsem);
	if (change > 0)
		ret = ioas_check_granule(ioas, PAGE_SIZE);
	if (!ret) {
		ioas->npinning += change;
		ioas_refresh(ioas);
	}
	up_write(&ioas->domains_rwsem);
	return ret;
}

/* Lets an access be told of unmaps in @ioas, of which it becomes a user. */
static int join_ioas(struct ioas_access *access, struct ioas *ioas, u32 *list_index)
{
	int ret;

	ret = change_npinning(access, ioas, 1);
	if (ret)
		return ret;
	ret = xa_alloc(&ioas->accesses, list_index, access, xa_limit_32b,
		       GFP_KERNEL_ACCOUNT);
	if (ret)
		change_npinning(access, ioas, -1);
	else
		ioas_object_use(&ioas->object);
	return ret;
}

/* Undoes join_ioas(); when it returns, no call on behalf of @ioas is under way. */
static void quit_ioas(struct ioas_access *access, struct ioas *ioas, u32 list_index)
{
	xa_erase(&ioas->accesses, list_index);
	wait_var_event(&access->ncalls, !atomic_read(&access->ncalls));
	change_npinning(access, ioas, -1);
	ioas_object_unuse(&ioas->object);
}

int vfio_ioas_access_attach(struct ioas_access *access, u32 ioas_id)
{
	struct ioas *ioas;
	int ret;

	ioas = ioas_get(access->object.ctx, ioas_id);
	if (!ioas)
		return -ENOENT;
	down_write(&access->ioas_rwsem);
	if (access->closing)
		ret = -EBUSY;
	else if (access->ioas)
		ret = -EINVAL;
	else
		ret = join_ioas(access, ioas, &access->list_index);
	if (!ret)
		access->ioas = ioas;
	up_write(&access->ioas_rwsem);
	ioas_put(ioas);
	return ret;
}
EXPORT_SYMBOL_GPL(vfio_ioas_access_attach);

/* The driver gives back what it has; then the access goes over to @ioas, or to nothing. */
static void finish_close(struct ioas_access *access, struct ioas *ioas, u32 list_index)
{
	struct ioas *old;
	u32 old_index;

	if (access->ops->unmap)
		access->ops->unmap(access->data, 0, ULONG_MAX);
	down_write(&access->ioas_rwsem);
	old = access->ioas;
	old_index = access->list_index;
	access->ioas = ioas;
	access->list_index = list_index;
	access->closing = false;
	up_write(&access->ioas_rwsem);
	quit_ioas(access, old, old_index);
}

int vfio_ioas_access_replace(struct ioas_access *access, u32 ioas_id)
{
	struct ioas *ioas;
	bool moves = false;
	u32 list_index;
	int ret = 0;

	ioas = ioas_get(access->object.ctx, ioas_id);
	if (!ioas)
		return -ENOENT;
	down_write(&access->ioas_rwsem);
	if (access->closing) {
		ret = -EBUSY;
	} else if (!access->ioas) {
		ret = -ENOENT;
	} else if (access->ioas != ioas) {
		ret = join_ioas(access, ioas, &list_index);
		moves = !ret;
		access->closing = moves;
	}
	up_write(&access->ioas_rwsem);
	if (moves)
		finish_close(access, ioas, list_index);
	ioas_put(ioas);
	return ret;
}
EXPORT_SYMBOL_GPL(vfio_ioas_access_replace);

void vfio_ioas_access_detach(struct ioas_access *access)
{
	bool ours;

	down_write(&access->ioas_rwsem);
	ours = access->ioas && !access->closing;
	access->closing |= ours;
	up_write(&access->ioas_rwsem);
	if (ours)
		finish_close(access, NULL, 0);
}
EXPORT_SYMBOL_GPL(vfio_ioas_access_detach);

/* A call of the driver that works on [iova, last_iova] of the IOAS it is attached to. */
struct access_call {
	struct ioas *ioas;
	unsigned long iova;		/* everything below is done */
	unsigned long last_iova;
	unsigned int flags;
	int needs_prot;			/* what the areas must allow */
	struct page **pages;		/* of a pin: receives the next ones */
	void *data;			/* of a copy: where the next bytes are */
};

/* Does @step with the part of the range in each area. It moves on to the part's last byte. */
static int each_part(struct access_call *call, int (*step)(struct access_call *call))
{
	int ret;

	for (;;) {
		ret = step(call);
		if (ret || call->iova == call->last_iova)
			return ret;
		call->iova++;
	}
}

/* Checks the range and enters the IOAS. On success ends with end_call(). */
static int begin_call(struct ioas_access *access, struct access_call *call,
		      unsigned long nbytes)
{
	if (!nbytes)
		return -EINVAL;
	call->last_iova = call->iova + nbytes - 1;
	if (call->last_iova < call->iova)
		return -EOVERFLOW;
	down_read(&access->ioas_rwsem);
	if (!access->ioas || access->closing) {
		up_read(&access->ioas_rwsem);
		return -ENOENT;
	}
	call->ioas = access->ioas;
	call->needs_prot = call->flags & VFIO_IOAS_ACCESS_WRITE ? IOMMU_WRITE : IOMMU_READ;
	ioas_enter(call->ioas);
	return 0;
}

static void end_call(struct ioas_access *access, struct access_call *call)
{
	ioas_leave(call->ioas);
	up_read(&access->ioas_rwsem);
}

static struct ioas_area *hold_next(struct access_call *call)
{
	struct ioas_area *area = area_hold(call->ioas, call->iova);
	int ret = 0;

	if (!area)
		return ERR_PTR(-ENOENT);
	if (READ_ONCE(area->noticed))
		ret = -EINVAL;
	else if (!(area->iommu_prot & call->needs_prot))
		ret = -EPERM;
	if (!ret)
		return area;
	area_unhold(call->ioas, area);
	return ERR_PTR(ret);
}

/* Where in its store the part of an area that a call is about begins and ends. */
static void area_part(const struct ioas_area *area, const struct access_call *call,
		      unsigned long *first_byte, unsigned long *last_byte)
{
	*first_byte = area_byte(area, call->iova);
	*last_byte = area_byte(area, min(area->last_iova, call->last_iova));
}

static int pin_part(struct ioas *ioas, struct ioas_area *area, unsigned long first_index,
		    unsigned long last_index, struct page **list)
{
	struct pages_user *pin = kzalloc(sizeof(*pin), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!pin)
		return -ENOMEM;
	pin->kind = USER_ACCESS_PIN;
	pin->first_index = first_index;
	pin->last_index = last_index;
	ret = area_add_pin(ioas, area, pin, list);
	if (ret)
		kfree(pin);
	return ret;
}

/* One of the pins of exactly these pages: they are all alike. */
static void unpin_part(struct ioas *ioas, struct ioas_area *area, unsigned long first_index,
		       unsigned long last_index)
{
	struct account_refund refund = { };
	struct pages_user *pin;

	pages_lock(area->pages);
	pin = pages_find_user(area->pages, USER_ACCESS_PIN, first_index, last_index);
	if (!WARN_ON(!pin))
		pages_unpin(area->pages, pin, &refund);
	pages_unlock(area->pages);
	account_pay(&refund);
	kfree(pin);
	area_change_npins(ioas, area, -1);
}

static int pin_next(struct access_call *call)
{
	struct ioas_area *area = hold_next(call);
	unsigned long first_byte, last_byte;
	int ret = -EINVAL;

	if (IS_ERR(area))
		return PTR_ERR(area);
	area_part(area, call, &first_byte, &last_byte);
	/* A list of pages has no room for parts of pages in its middle. */
	if (offset_in_page(first_byte) ||
	    (area->last_iova < call->last_iova && offset_in_page(last_byte + 1)))
		goto unhold;
	ret = pin_part(call->ioas, area, first_byte / PAGE_SIZE, last_byte / PAGE_SIZE,
		       call->pages);
	if (ret)
		goto unhold;
	call->pages += last_byte / PAGE_SIZE - first_byte / PAGE_SIZE + 1;
	call->iova += last_byte - first_byte;
unhold:
	area_unhold(call->ioas, area);
	return ret;
}

/* Gives back pins of [iova, last_iova], made by one call. */
static void unpin_all(struct ioas *ioas, unsigned long iova, unsigned long last_iova)
{
	struct access_call call = { .ioas = ioas, .iova = iova, .last_iova = last_iova };
	unsigned long first_byte, last_byte;
	struct ioas_area *area;

	for (;;) {
		area = area_hold(ioas, call.iova);
		if (WARN_ON(!area || !area->pages->sharing || !area->npins)) {
			if (area)
				area_unhold(ioas, area);
			return;
		}
		area_part(area, &call, &first_byte, &last_byte);
		unpin_part(ioas, area, first_byte / PAGE_SIZE, last_byte / PAGE_SIZE);
		call.iova += last_byte - first_byte;
		area_unhold(ioas, area);
		if (call.iova == last_iova)
			return;
		call.iova++;
	}
}

int vfio_ioas_access_pin_pages(struct ioas_access *access, unsigned long iova,
			       unsigned long nbytes, struct page **pages,
			       unsigned int flags)
{
	struct access_call call = { .iova = iova, .flags = flags, .pages = pages };
	int ret;

	if (!access->ops->needs_pin_pages || flags & ~VFIO_IOAS_ACCESS_WRITE)
		return -EOPNOTSUPP;
	ret = begin_call(access, &call, nbytes);
	if (ret)
		return ret;
	ret = each_part(&call, pin_next);
	if (ret && call.iova > iova)
		unpin_all(call.ioas, iova, call.iova - 1);
	end_call(access, &call);
	return ret;
}
EXPORT_SYMBOL_GPL(vfio_ioas_access_pin_pages);

void vfio_ioas_access_unpin_pages(struct ioas_access *access, unsigned long iova,
				  unsigned long nbytes)
{
	if (WARN_ON(!nbytes || iova + nbytes - 1 < iova))
		return;
	down_read(&access->ioas_rwsem);
	if (!WARN_ON(!access->ioas)) {
		ioas_enter(access->ioas);
		unpin_all(access->ioas, iova, iova + nbytes - 1);
		ioas_leave(access->ioas);
	}
	up_read(&access->ioas_rwsem);
}
EXPORT_SYMBOL_GPL(vfio_ioas_access_unpin_pages);

static int copy_slowly(struct ioas *ioas, struct ioas_area *area, unsigned long byte,
		       void *data, unsigned long nbytes, bool write)
{
	int ret;

	ret = area_share(ioas, area);
	if (ret)
		return ret;
	pages_lock(area->pages);
	ret = pages_copy(area->pages, byte, data, nbytes, write);
	pages_unlock(area->pages);
	return ret;
}

/* Copies where it is cheapest: through the owner's own page table, if we have that. */
static int copy_part(struct access_call *call, struct ioas_area *area,
		     unsigned long byte, void *data, unsigned long nbytes)
{
	bool write = call->flags & VFIO_IOAS_ACCESS_WRITE;
	int ret = -EXDEV;

	if (!(call->flags & VFIO_IOAS_ACCESS_SLOW_PATH))
		ret = pages_copy_direct(area->pages, byte, data, nbytes, write,
					call->flags & VFIO_IOAS_ACCESS_KTHREAD);
	if (ret == -EXDEV)
		ret = copy_slowly(call->ioas, area, byte, data, nbytes, write);
	return ret;
}

static int copy_next(struct access_call *call)
{
	struct ioas_area *area = hold_next(call);
	unsigned long first_byte, last_byte;
	int ret;

	if (IS_ERR(area))
		return PTR_ERR(area);
	area_part(area, call, &first_byte, &last_byte);
	ret = copy_part(call, area, first_byte, call->data, last_byte - first_byte + 1);
	area_unhold(call->ioas, area);
	if (ret)
		return ret;
	call->data += last_byte - first_byte + 1;
	call->iova += last_byte - first_byte;
	return 0;
}

int vfio_ioas_access_rw(struct ioas_access *access, unsigned long iova, void *data,
			size_t nbytes, unsigned int flags)
{
	struct access_call call = { .iova = iova, .flags = flags, .data = data };
	int ret;

	ret = begin_call(access, &call, nbytes);
	if (ret)
		return ret;
	ret = each_part(&call, copy_next);
	end_call(access, &call);
	return ret;
}
EXPORT_SYMBOL_GPL(vfio_ioas_access_rw);

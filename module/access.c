// SPDX-License-Identifier: GPL-2.0-only
/*
 * access: in-kernel users of an IOAS: drivers that reach its memory with the CPU.
 *
 * A pin makes the store of each area it touches shared, adds itself to those who need a
 * part of it, and counts in the area, so that an unmap knows whom it has to tell. User
 * space always wins: the unmap claims the area so that no new pin gets in, calls the
 * drivers with nothing held, and goes on when all pins are gone.
 *
 * Locking: change_mutex is held while an access is attached, replaced or detached, calls of its
 * driver included: so each of these is over when the next one begins. ioas_rwsem guards which
 * IOAS an access is attached to: held for reading while that is used, for writing only for the
 * change itself, never across a call of the driver. pins_rwsem is held for reading by calls that
 * pin; an unmap that finds pins takes it for writing, and gives it back at once, before it tells
 * the driver: so pins that the driver has not got yet are waited for.
 *
 * Calls of the driver are counted in its place on the list of the IOAS; a thread that takes the
 * access off that list waits for them, with change_mutex held.
 *
 * Order: change_mutex -> locks of the driver -> ioas_rwsem -> pins_rwsem -> domains_rwsem. Where
 * a driver's locks may be held already, change_mutex is only tried.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/refcount.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "access.h"
#include "area.h"
#include "ioas.h"
#include "selftest.h"

/* A place on the list of an IOAS. While one IOAS replaces another, an access has both places. */
struct access_place {
	struct ioas_access *access;	/* constant while it is on the list, as is what follows */
	struct ioas *ioas;
	u32 index;			/* in ioas->accesses */
	refcount_t ncalls;		/* of ops->unmap under way, and one while on the list */
	struct completion calls_over;
};

struct ioas_access {
	struct ioas_object object;		/* its driver is a user of it */
	const struct vfio_ioas_access_ops *ops;	/* constant, as is data */
	void *data;
	struct mutex change_mutex;		/* one change of the IOAS at a time */
	struct access_place places[2];		/* change_mutex, for those who join and quit */
	unsigned int place;			/* change_mutex; the one of @ioas */
	struct rw_semaphore ioas_rwsem;
	struct ioas *ioas;			/* ioas_rwsem; this is a user of it, or NULL */
	bool closing;				/* ioas_rwsem; about to leave: nothing new */
	struct rw_semaphore pins_rwsem;
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
	bool known = insight_down_read(m, &access->ioas_rwsem);
	u32 ioas_id = known && access->ioas ? access->ioas->object.id : 0;

	if (known)
		up_read(&access->ioas_rwsem);
	seq_printf(m, "access context=%lu id=%u ioas=%u%s\n", object->ctx->insight.id, object->id,
		   ioas_id, known ? "" : " busy=1");
}

static const struct ioas_object_ops access_object_ops = {
	.destroy = access_object_destroy,
	.show = access_object_show,
};

static struct access_place *next_to_notify(struct ioas *ioas, unsigned long *index)
{
	struct access_place *place;

	xa_lock(&ioas->accesses);
	place = xa_find(&ioas->accesses, index, ULONG_MAX, XA_PRESENT);
	if (place)
		refcount_inc(&place->ncalls);
	xa_unlock(&ioas->accesses);
	return place;
}

static void call_over(struct access_place *place)
{
	if (refcount_dec_and_test(&place->ncalls))
		complete(&place->calls_over);
}

void access_begin_pinning(struct ioas_access *access)
{
	down_read(&access->pins_rwsem);
}

void access_end_pinning(struct ioas_access *access)
{
	up_read(&access->pins_rwsem);
}

/* Waits until the calls that are pinning now have returned. */
static int wait_for_pinning(struct ioas_access *access, bool killable)
{
	if (!killable)
		down_write(&access->pins_rwsem);
	else if (down_write_killable(&access->pins_rwsem))
		return -EINTR;
	up_write(&access->pins_rwsem);
	return 0;
}

int access_notify(struct ioas *ioas, unsigned long iova, unsigned long last_iova,
		  bool killable)
{
	struct access_place *place;
	unsigned long index;
	int ret = 0;

	for (index = 0; !ret && (place = next_to_notify(ioas, &index)); index++) {
		struct ioas_access *access = place->access;

		ret = wait_for_pinning(access, killable);
		if (!ret && access->ops->unmap)
			access->ops->unmap(access->data, iova, last_iova - iova + 1);
		call_over(place);
	}
	return ret;
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
	mutex_init(&access->change_mutex);
	init_rwsem(&access->ioas_rwsem);
	init_rwsem(&access->pins_rwsem);
	vfio_ioas_ctx_get(ctx);
	ioas_object_use(&access->object);
	*id = access->object.id;
	ioas_object_publish(&access->object);
	return access;
}
EXPORT_SYMBOL_GPL(vfio_ioas_access_create);

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

/*
 * Begins to attach an access to an IOAS. -EBUSY while another thread changes what it is attached
 * to, or destroys it; -ENOENT without such an IOAS.
 */
static int begin_change(struct ioas_access *access, u32 ioas_id, struct ioas **ioas)
{
	int ret = -EBUSY;

	if (!ioas_object_try_busy(&access->object))
		return ret;
	if (!mutex_trylock(&access->change_mutex))
		goto put;
	ret = -ENOENT;
	*ioas = ioas_get(access->object.ctx, ioas_id);
	if (!*ioas)
		goto unlock;
	return 0;

unlock:
	mutex_unlock(&access->change_mutex);
put:
	ioas_object_put(&access->object);
	return ret;
}

static void end_change(struct ioas_access *access, struct ioas *ioas)
{
	ioas_put(ioas);
	mutex_unlock(&access->change_mutex);
	/* Afterwards another thread may destroy it. */
	selftest_look(access->object.ctx);
	ioas_object_put(&access->object);
}

/*
 * Lets an access be told of unmaps in @ioas, of which it becomes a user. Takes the place that
 * is free.
 */
static int join_ioas(struct ioas_access *access, struct ioas *ioas)
{
	struct access_place *place = &access->places[!access->place];
	int ret;

	lockdep_assert_held(&access->change_mutex);
	ret = change_npinning(access, ioas, 1);
	if (ret)
		return ret;
	place->access = access;
	place->ioas = ioas;
	refcount_set(&place->ncalls, 1);
	init_completion(&place->calls_over);
	ret = xa_alloc(&ioas->accesses, &place->index, place, xa_limit_32b,
		       GFP_KERNEL_ACCOUNT);
	if (ret)
		change_npinning(access, ioas, -1);
	else
		ioas_object_use(&ioas->object);
	return ret;
}

/* Undoes join_ioas(); when it returns, no call on behalf of that IOAS is under way. */
static void quit_ioas(struct ioas_access *access, struct access_place *place)
{
	lockdep_assert_held(&access->change_mutex);
	xa_erase(&place->ioas->accesses, place->index);
	if (!refcount_dec_and_test(&place->ncalls))
		wait_for_completion(&place->calls_over);
	change_npinning(access, place->ioas, -1);
	ioas_object_unuse(&place->ioas->object);
}

/* @ioas, in which the access has the free place, or NULL, is what calls use from now on. */
static void set_ioas(struct ioas_access *access, struct ioas *ioas)
{
	lockdep_assert_held(&access->change_mutex);
	down_write(&access->ioas_rwsem);
	access->ioas = ioas;
	access->closing = false;
	access->place = !access->place;
	up_write(&access->ioas_rwsem);
}

int vfio_ioas_access_attach(struct ioas_access *access, u32 ioas_id)
{
	struct ioas *ioas;
	int ret;

	ret = begin_change(access, ioas_id, &ioas);
	if (ret)
		return ret;
	ret = access->ioas ? -EINVAL : join_ioas(access, ioas);
	if (!ret)
		set_ioas(access, ioas);
	end_change(access, ioas);
	return ret;
}
EXPORT_SYMBOL_GPL(vfio_ioas_access_attach);

/* The driver gives back what it has; then the access goes over to @ioas, or to nothing. */
static void go_over(struct ioas_access *access, struct ioas *ioas)
{
	struct access_place *old = &access->places[access->place];

	lockdep_assert_held(&access->change_mutex);
	down_write(&access->ioas_rwsem);
	access->closing = true;
	up_write(&access->ioas_rwsem);
	if (access->ops->unmap)
		access->ops->unmap(access->data, 0, ULONG_MAX);
	set_ioas(access, ioas);
	quit_ioas(access, old);
}

static int replace(struct ioas_access *access, struct ioas *ioas)
{
	int ret;

	if (!access->ioas)
		return -ENOENT;
	if (access->ioas == ioas)
		return 0;
	ret = join_ioas(access, ioas);
	if (!ret)
		go_over(access, ioas);
	return ret;
}

int vfio_ioas_access_replace(struct ioas_access *access, u32 ioas_id)
{
	struct ioas *ioas;
	int ret;

	ret = begin_change(access, ioas_id, &ioas);
	if (ret)
		return ret;
	ret = replace(access, ioas);
	end_change(access, ioas);
	return ret;
}
EXPORT_SYMBOL_GPL(vfio_ioas_access_replace);

/* change_mutex is held; gives it back. */
static void detach_and_unlock(struct ioas_access *access)
{
	if (access->ioas)
		go_over(access, NULL);
	mutex_unlock(&access->change_mutex);
}

void vfio_ioas_access_detach(struct ioas_access *access)
{
	/* Whoever is destroying it detaches it, too. */
	if (!ioas_object_try_busy(&access->object))
		return;
	mutex_lock(&access->change_mutex);
	detach_and_unlock(access);
	selftest_look(access->object.ctx);
	ioas_object_put(&access->object);
}
EXPORT_SYMBOL_GPL(vfio_ioas_access_detach);

void vfio_ioas_access_destroy(struct ioas_access *access)
{
	struct ioas_ctx *ctx = access->object.ctx;

	/*
	 * Calls that change what it is attached to are over then, and no new one begins. Nobody is
	 * waited for: one that was never attached may be destroyed with locks of a driver held.
	 */
	ioas_object_retire(&access->object);
	if (!WARN_ON(!mutex_trylock(&access->change_mutex)))
		detach_and_unlock(access);
	mutex_destroy(&access->change_mutex);
	access_object_destroy(&access->object);
	selftest_look(ctx);
	vfio_ioas_ctx_put(ctx);
}
EXPORT_SYMBOL_GPL(vfio_ioas_access_destroy);

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

/* Checks the range, and keeps the access attached. On success ends with end_call(). */
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
	return 0;
}

static void end_call(struct ioas_access *access)
{
	up_read(&access->ioas_rwsem);
}

static struct ioas_area *hold_next(struct access_call *call)
{
	struct ioas_area *area = area_hold(call->ioas, call->iova);
	int ret = 0;

	if (IS_ERR(area))
		return area;
	if (area_is_told(area))
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

/* One of the pins of exactly these pages: they are all alike. If there is none, nothing changes. */
static void unpin_part(struct ioas *ioas, struct ioas_area *area, unsigned long first_index,
		       unsigned long last_index)
{
	struct account_refund refund = { };
	struct pages_user *pin;

	pages_lock(area->pages);
	pin = pages_find_user(area->pages, USER_ACCESS_PIN, first_index, last_index);
	if (pin)
		pages_unpin(area->pages, pin, &refund);
	pages_unlock(area->pages);
	if (WARN_ON(!pin))
		return;
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
		area = area_hold_pinned(ioas, call.iova);
		if (WARN_ON(!area))
			return;
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
	access_begin_pinning(access);
	ioas_enter(call.ioas);
	ret = each_part(&call, pin_next);
	if (ret && call.iova > iova)
		unpin_all(call.ioas, iova, call.iova - 1);
	ioas_leave(call.ioas);
	access_end_pinning(access);
	end_call(access);
	selftest_look(access->object.ctx);
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
	selftest_look(access->object.ctx);
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
	ioas_enter(call.ioas);
	ret = each_part(&call, copy_next);
	ioas_leave(call.ioas);
	end_call(access);
	selftest_look(access->object.ctx);
	return ret;
}
EXPORT_SYMBOL_GPL(vfio_ioas_access_rw);

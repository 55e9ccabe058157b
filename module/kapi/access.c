// SPDX-License-Identifier: GPL-2.0-only
/*
 * access: in-kernel users of an IOAS: drivers that reach its memory with the CPU.
 *
 * A pin makes the store of each area that it touches shared, and becomes a user of a part of the
 * store. It also counts in the area, so that an unmap knows that it has to tell in-kernel users.
 * User space always wins: the unmap claims the area, so that no new pin gets in. Then it calls the
 * drivers without holding a lock, and goes on when all pins are gone.
 *
 * Locking: change_mutex serializes attach, replace and detach of an access; it is held while these
 * call the driver, too. ioas_rwsem guards which IOAS an access is attached to. It is held for
 * reading while that IOAS is used, and for writing only for the change itself, never across a call
 * of the driver. A call that pins announces itself to the notifier, so that an unmap can wait for
 * it.
 *
 * An unmap calls the driver through a notifier. A thread that removes the notifier waits for such
 * calls, with change_mutex held.
 *
 * Each call that pins, unpins or copies has a reference to the access. A thread that destroys the
 * access waits for the part of the call that uses the IOAS, but not for its rest, which at least
 * still touches the ioas_rwsem that it has just released.
 *
 * An access unpins only its own pins. Each pin has the number of its access. A number is never used
 * again, not even for a new access at the same address.
 *
 * An access counts its pins, so that it leaves an IOAS only when it has none there. A driver that
 * is told to unpin, and does not, has a bug. Then a replacement fails. A detach cannot fail: the
 * access keeps the IOAS that it has left until the last pin is gone, or until the access is
 * destroyed. So a late unpin finds the IOAS of its pin, and no other one.
 *
 * Order: change_mutex -> locks of the driver -> ioas_rwsem -> pins_rwsem of the notifier ->
 * domains_rwsem. Where a driver's locks may be held already, change_mutex is only tried.
 */
#include <linux/err.h>
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/refcount.h>
#include <linux/slab.h>

#include "access.h"
#include "base/selftest.h"
#include "space/area.h"
#include "space/ioas.h"
#include "space/notifier.h"
#include "vfio_ioas.h"

struct ioas_access {
	struct ioas_object object;		/* its driver is a user of it */
	const struct vfio_ioas_access_ops *ops;	/* constant, as is data */
	void *data;
	unsigned long number;			/* constant; no other access ever has it */
	refcount_t refs;			/* of calls, and one until it is destroyed */
	struct mutex change_mutex;		/* one change of the IOAS at a time */
	/* One is registered with @ioas; during a replacement the other one with the new IOAS. */
	struct ioas_notifier notifiers[2];	/* change_mutex, to join and quit an IOAS */
	unsigned int current_notifier;		/* change_mutex and ioas_rwsem */
	struct rw_semaphore ioas_rwsem;
	struct ioas *ioas;			/* ioas_rwsem; this is a user of it, or NULL */
	struct ioas *pins_ioas;			/* ioas_rwsem; where its pins are: @ioas, or ... */
						/* ... one it has left, of which it is a user */
	bool closing;				/* ioas_rwsem; about to leave: no new calls */
	atomic_long_t npins;			/* changes with ioas_rwsem held for reading */
	wait_queue_head_t unpinned;		/* the last pin is gone */
};

static atomic_long_t last_number;

static void access_get(struct ioas_access *access)
{
	refcount_inc(&access->refs);
}

static void access_put(struct ioas_access *access)
{
	struct ioas_ctx *ctx = access->object.ctx;

	if (!refcount_dec_and_test(&access->refs))
		return;
	kfree(access);
	ioas_ctx_put(ctx);
}

static void access_object_destroy(struct ioas_object *object)
{
	struct ioas_access *access = container_of(object, struct ioas_access, object);

	WARN_ON(access->ioas || access->pins_ioas);
	access_put(access);
}

static const struct ioas_object_ops access_object_ops = {
	.destroy = access_object_destroy,
};

struct ioas_access *access_of_object(struct ioas_object *object)
{
	if (object->ops != &access_object_ops)
		return NULL;
	return container_of(object, struct ioas_access, object);
}

bool access_peek_ioas(struct ioas_access *access, u32 *ioas_id)
{
	if (!down_read_trylock(&access->ioas_rwsem))
		return false;
	*ioas_id = access->ioas ? access->ioas->object.id : 0;
	up_read(&access->ioas_rwsem);
	return true;
}

static void init_notifier(struct ioas_notifier *notifier, const struct ioas_access *access)
{
	notifier->unmap = access->ops->unmap;
	notifier->data = access->data;
	notifier->pins = access->ops->needs_pin_pages;
}

static struct ioas_access *create(struct ioas_ctx *ctx, const struct vfio_ioas_access_ops *ops,
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
	access->number = atomic_long_inc_return(&last_number);
	refcount_set(&access->refs, 1);
	mutex_init(&access->change_mutex);
	init_rwsem(&access->ioas_rwsem);
	init_notifier(&access->notifiers[0], access);
	init_notifier(&access->notifiers[1], access);
	init_waitqueue_head(&access->unpinned);
	ioas_ctx_get(ctx);
	ioas_object_use(&access->object);
	*id = access->object.id;
	ioas_object_publish(&access->object);
	return access;
}

struct ioas_access *vfio_ioas_access_create(struct ioas_ctx *ctx,
					    const struct vfio_ioas_access_ops *ops,
					    void *data, u32 *id)
{
	struct ioas_access *access = create(ctx, ops, data, id);

	selftest_look(ctx);
	return access;
}
EXPORT_SYMBOL_GPL(vfio_ioas_access_create);

/* Ends a call that wanted to change the access. Then another thread may destroy it. */
static void let_access_go(struct ioas_access *access)
{
	selftest_look(access->object.ctx);
	ioas_object_put(&access->object);
}

/* -EBUSY while another thread attaches, replaces, detaches or destroys the access. */
static int begin_change(struct ioas_access *access)
{
	/* If this fails, the access may soon be freed: it is not even looked at. */
	if (!ioas_object_try_busy(&access->object))
		return -EBUSY;
	if (mutex_trylock(&access->change_mutex))
		return 0;
	let_access_go(access);
	return -EBUSY;
}

static void end_change(struct ioas_access *access)
{
	mutex_unlock(&access->change_mutex);
	let_access_go(access);
}

/* Registers the access for unmaps in @ioas, and makes it a user of @ioas. */
static int join_ioas(struct ioas_access *access, struct ioas *ioas)
{
	lockdep_assert_held(&access->change_mutex);
	return ioas_notifier_add(&access->notifiers[!access->current_notifier], ioas);
}

/* Undoes join_ioas(). When it returns, no unmap of that IOAS is calling the driver. */
static void quit_ioas(struct ioas_access *access, struct ioas_notifier *notifier)
{
	lockdep_assert_held(&access->change_mutex);
	ioas_notifier_remove(notifier);
}

static bool access_has_pins(struct ioas_access *access)
{
	return atomic_long_read(&access->npins);
}

/* From now on calls use @ioas, which the access has joined, or nothing if @ioas is NULL. */
static void set_ioas(struct ioas_access *access, struct ioas *ioas)
{
	lockdep_assert_held(&access->change_mutex);
	down_write(&access->ioas_rwsem);
	if (ioas || !access_has_pins(access))
		access->pins_ioas = ioas;
	else
		ioas_object_use(&access->pins_ioas->object);
	access->ioas = ioas;
	access->closing = false;
	access->current_notifier = !access->current_notifier;
	up_write(&access->ioas_rwsem);
}

/* Refuses new calls, or allows them. Once they are refused, none of them is under way. */
static void set_closing(struct ioas_access *access, bool closing)
{
	down_write(&access->ioas_rwsem);
	access->closing = closing;
	up_write(&access->ioas_rwsem);
}

/* -EINVAL if it is attached; -EBUSY if it still has pins in an IOAS that it has left. */
static int check_unattached(struct ioas_access *access)
{
	int ret = 0;

	down_read(&access->ioas_rwsem);
	if (access->ioas)
		ret = -EINVAL;
	else if (access->pins_ioas)
		ret = -EBUSY;
	up_read(&access->ioas_rwsem);
	return ret;
}

static int attach(struct ioas_access *access, struct ioas *ioas)
{
	int ret = check_unattached(access) ?: join_ioas(access, ioas);

	if (!ret)
		set_ioas(access, ioas);
	return ret;
}

typedef int (*access_step)(struct ioas_access *access, struct ioas *ioas);

/* Runs @step with the IOAS that @ioas_id names; -ENOENT if there is none. */
static int change_to(struct ioas_access *access, u32 ioas_id, access_step step)
{
	struct ioas *ioas;
	int ret;

	ret = begin_change(access);
	if (ret)
		return ret;
	ret = -ENOENT;
	ioas = ioas_get(access->object.ctx, ioas_id);
	if (ioas) {
		ret = step(access, ioas);
		ioas_put(ioas);
	}
	end_change(access);
	return ret;
}

int vfio_ioas_access_attach(struct ioas_access *access, u32 ioas_id)
{
	return change_to(access, ioas_id, attach);
}
EXPORT_SYMBOL_GPL(vfio_ioas_access_attach);

/*
 * Tells the driver to unpin everything, as often as an unmap does, since the driver may note a pin
 * only after the first notice. No new pin gets in meanwhile. -EDEADLK if the driver keeps some.
 */
static noinline int tell_driver(struct ioas_access *access)
{
	unsigned int nnotices = 0;

	lockdep_assert_held(&access->change_mutex);
	do {
		if (WARN_ON_ONCE(nnotices++ >= MAX_NOTICES))
			return -EDEADLK;
		if (access->ops->unmap)
			access->ops->unmap(access->data, 0, ULONG_MAX);
	} while (!wait_event_timeout(access->unpinned, !access_has_pins(access), NOTICE_PAUSE));
	return 0;
}

/* Moves the access to @ioas, which it has joined, or to nothing. */
static void go_over(struct ioas_access *access, struct ioas *ioas)
{
	struct ioas_notifier *old = &access->notifiers[access->current_notifier];

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
	if (ret)
		return ret;
	set_closing(access, true);
	ret = tell_driver(access);
	if (ret) {
		set_closing(access, false);
		quit_ioas(access, &access->notifiers[!access->current_notifier]);
		return ret;
	}
	go_over(access, ioas);
	return 0;
}

int vfio_ioas_access_replace(struct ioas_access *access, u32 ioas_id)
{
	return change_to(access, ioas_id, replace);
}
EXPORT_SYMBOL_GPL(vfio_ioas_access_replace);

/* change_mutex is held on entry, and released on return. */
static void detach_and_unlock(struct ioas_access *access)
{
	if (access->ioas) {
		set_closing(access, true);
		/* set_ioas() remembers the IOAS if the driver keeps pins. */
		tell_driver(access);
		go_over(access, NULL);
	}
	mutex_unlock(&access->change_mutex);
}

void vfio_ioas_access_detach(struct ioas_access *access)
{
	/* A thread that is destroying the access detaches it, too. */
	if (!ioas_object_try_busy(&access->object))
		return;
	mutex_lock(&access->change_mutex);
	detach_and_unlock(access);
	selftest_look(access->object.ctx);
	ioas_object_put(&access->object);
}
EXPORT_SYMBOL_GPL(vfio_ioas_access_detach);

/* Pins that the driver has kept stay for good: nothing can unpin them any more. */
static void lose_pins(struct ioas_access *access)
{
	struct ioas *left = NULL;

	down_write(&access->ioas_rwsem);
	swap(left, access->pins_ioas);
	up_write(&access->ioas_rwsem);
	if (!left)
		return;
	/* Without pins, the call that undid the last one has not reached forget_left_ioas() yet. */
	WARN_ON_ONCE(access_has_pins(access));
	ioas_object_unuse(&left->object);
}

void vfio_ioas_access_destroy(struct ioas_access *access)
{
	/*
	 * When this returns, attach, replace and detach are over, and none can begin. So
	 * change_mutex is free, and trying it is enough. To wait for it would break the lock order
	 * where a driver destroys an access that was never attached with its own locks held.
	 */
	ioas_object_retire(&access->object);
	if (!WARN_ON(!mutex_trylock(&access->change_mutex)))
		detach_and_unlock(access);
	mutex_destroy(&access->change_mutex);
	lose_pins(access);
	selftest_look(access->object.ctx);
	access_object_destroy(&access->object);
}
EXPORT_SYMBOL_GPL(vfio_ioas_access_destroy);

/* A driver's call that works on [iova, last_iova] of the IOAS that its access is attached to. */
struct access_call {
	struct ioas_access *access;
	struct ioas *ioas;
	unsigned long iova;		/* everything below is done */
	unsigned long last_iova;
	unsigned int flags;
	int needs_prot;			/* IOMMU_READ or IOMMU_WRITE: the areas must allow it */
	struct page **pages;		/* of a pin: where the next pages go */
	void *data;			/* of a copy: where the next bytes are, or go */
};

/* Runs @step for the part of the range in each area. It sets call->iova to the last byte. */
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

/* Checks the range, and keeps the access attached until end_call(), if it succeeds. */
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
	call->access = access;
	call->ioas = access->ioas;
	call->needs_prot = call->flags & VFIO_IOAS_ACCESS_WRITE ? IOMMU_WRITE : IOMMU_READ;
	return 0;
}

static void end_call(struct ioas_access *access)
{
	up_read(&access->ioas_rwsem);
}

static struct ioas_area *get_next_area(struct access_call *call)
{
	struct ioas_area *area = area_get(call->ioas, call->iova);
	int ret = 0;

	if (IS_ERR(area))
		return area;
	if (area_is_told(area))
		ret = -EINVAL;
	else if (!(area->iommu_prot & call->needs_prot))
		ret = -EPERM;
	if (!ret)
		return area;
	area_put(call->ioas, area);
	return ERR_PTR(ret);
}

/* Where in the store of an area the part begins and ends that a call works on. Inclusive. */
static void area_part(const struct ioas_area *area, const struct access_call *call,
		      unsigned long *first_byte, unsigned long *last_byte)
{
	*first_byte = area_byte(area, call->iova);
	*last_byte = area_byte(area, min(area->last_iova, call->last_iova));
}

static int pin_part(struct access_call *call, struct ioas_area *area, unsigned long first_index,
		    unsigned long last_index)
{
	struct store_user *pin = kzalloc(sizeof(*pin), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!pin)
		return -ENOMEM;
	pin->kind = USER_ACCESS_PIN;
	pin->owner = call->access->number;
	pin->iova = call->iova;
	pin->first_index = first_index;
	pin->last_index = last_index;
	ret = area_add_pin(call->ioas, area, pin, call->pages);
	if (ret)
		kfree(pin);
	else
		atomic_long_inc(&call->access->npins);
	return ret;
}

/* Undoes one pin of the access of exactly this part. Without such a pin nothing changes. */
static void unpin_part(struct ioas_access *access, struct ioas_area *area, unsigned long iova,
		       unsigned long first_index, unsigned long last_index)
{
	const struct store_user wanted = {
		.kind = USER_ACCESS_PIN, .owner = access->number, .iova = iova,
		.first_index = first_index, .last_index = last_index,
	};
	struct account_refund refund = { };
	struct store_user *pin;

	store_lock(area->store);
	pin = store_find_user(area->store, &wanted);
	if (pin)
		store_unpin(area->store, pin, &refund);
	store_unlock(area->store);
	if (WARN_ON(!pin))
		return;
	atomic_long_dec(&access->npins);
	account_pay(&refund);
	kfree(pin);
	area_change_npins(access->pins_ioas, area, -1);
}

static int pin_next(struct access_call *call)
{
	struct ioas_area *area = get_next_area(call);
	unsigned long first_byte, last_byte;
	int ret = -EINVAL;

	if (IS_ERR(area))
		return PTR_ERR(area);
	area_part(area, call, &first_byte, &last_byte);
	/* The list of pages cannot express a part of a page in its middle. */
	if (offset_in_page(first_byte) ||
	    (area->last_iova < call->last_iova && offset_in_page(last_byte + 1)))
		goto put;
	ret = pin_part(call, area, first_byte / PAGE_SIZE, last_byte / PAGE_SIZE);
	if (ret)
		goto put;
	call->pages += last_byte / PAGE_SIZE - first_byte / PAGE_SIZE + 1;
	call->iova += last_byte - first_byte;
put:
	area_put(call->ioas, area);
	return ret;
}

/* Undoes the pins that one call made of [iova, last_iova]. The caller has entered the IOAS. */
static void unpin_all(struct ioas_access *access, unsigned long iova, unsigned long last_iova)
{
	struct access_call call = { .iova = iova, .last_iova = last_iova };
	struct ioas *ioas = access->pins_ioas;
	unsigned long first_byte, last_byte;
	struct ioas_area *area;

	lockdep_assert_held(&access->ioas_rwsem);
	for (;;) {
		area = area_get_pinned(ioas, call.iova);
		if (WARN_ON(!area))
			return;
		area_part(area, &call, &first_byte, &last_byte);
		unpin_part(access, area, call.iova, first_byte / PAGE_SIZE,
			   last_byte / PAGE_SIZE);
		call.iova += last_byte - first_byte;
		area_put(ioas, area);
		if (call.iova == last_iova)
			return;
		call.iova++;
	}
}

static int pin_range(struct ioas_access *access, struct access_call *call, unsigned long nbytes)
{
	struct ioas_notifier *notifier;
	unsigned long iova = call->iova;
	int ret;

	if (!access->ops->needs_pin_pages || call->flags & ~VFIO_IOAS_ACCESS_WRITE)
		return -EOPNOTSUPP;
	ret = begin_call(access, call, nbytes);
	if (ret)
		return ret;
	notifier = &access->notifiers[access->current_notifier];
	ioas_notifier_begin_pin(notifier);
	ioas_enter(call->ioas);
	ret = each_part(call, pin_next);
	if (ret && call->iova > iova)
		unpin_all(access, iova, call->iova - 1);
	ioas_leave(call->ioas);
	ioas_notifier_end_pin(notifier);
	end_call(access);
	return ret;
}

int vfio_ioas_access_pin_pages(struct ioas_access *access, unsigned long iova,
			       unsigned long nbytes, struct page **pages,
			       unsigned int flags)
{
	struct access_call call = { .iova = iova, .flags = flags, .pages = pages };
	int ret;

	access_get(access);
	ret = pin_range(access, &call, nbytes);
	selftest_look(access->object.ctx);
	access_put(access);
	return ret;
}
EXPORT_SYMBOL_GPL(vfio_ioas_access_pin_pages);

/* The last pin in an IOAS that the access has left may be gone. */
static void forget_left_ioas(struct ioas_access *access)
{
	struct ioas *left = NULL;

	down_write(&access->ioas_rwsem);
	if (!access->ioas && !access_has_pins(access))
		swap(left, access->pins_ioas);
	up_write(&access->ioas_rwsem);
	/* Of several threads that have undone the last pins, one gets here first. */
	if (left)
		ioas_object_unuse(&left->object);
}

static void unpin_iova(struct ioas_access *access, unsigned long iova, unsigned long last_iova)
{
	struct ioas *ioas;
	bool left = false;

	down_read(&access->ioas_rwsem);
	ioas = access->pins_ioas;
	if (!WARN_ON(!ioas)) {
		ioas_enter(ioas);
		unpin_all(access, iova, last_iova);
		ioas_leave(ioas);
		left = !access->ioas && !access_has_pins(access);
	}
	/* The waiter takes ioas_rwsem next, so the access stays until that is released here. */
	if (!access_has_pins(access))
		wake_up_all(&access->unpinned);
	up_read(&access->ioas_rwsem);
	if (left)
		forget_left_ioas(access);
}

void vfio_ioas_access_unpin_pages(struct ioas_access *access, unsigned long iova,
				  unsigned long nbytes)
{
	access_get(access);
	if (!WARN_ON(!nbytes || iova + nbytes - 1 < iova))
		unpin_iova(access, iova, iova + nbytes - 1);
	selftest_look(access->object.ctx);
	access_put(access);
}
EXPORT_SYMBOL_GPL(vfio_ioas_access_unpin_pages);

static int copy_slowly(struct ioas *ioas, struct ioas_area *area, unsigned long byte,
		       void *data, unsigned long nbytes, bool write)
{
	int ret;

	ret = area_share(ioas, area);
	if (ret)
		return ret;
	store_lock(area->store);
	ret = store_copy(area->store, byte, data, nbytes, write);
	store_unlock(area->store);
	return ret;
}

/* Prefers the cheapest way: through the owner's page tables, if the caller can use these. */
static int copy_part(struct access_call *call, struct ioas_area *area,
		     unsigned long byte, void *data, unsigned long nbytes)
{
	bool write = call->flags & VFIO_IOAS_ACCESS_WRITE;
	int ret = -EXDEV;

	if (!(call->flags & VFIO_IOAS_ACCESS_SLOW_PATH))
		ret = store_copy_direct(area->store, byte, data, nbytes, write,
					call->flags & VFIO_IOAS_ACCESS_KTHREAD);
	if (ret == -EXDEV)
		ret = copy_slowly(call->ioas, area, byte, data, nbytes, write);
	return ret;
}

static int copy_next(struct access_call *call)
{
	struct ioas_area *area = get_next_area(call);
	unsigned long first_byte, last_byte;
	int ret;

	if (IS_ERR(area))
		return PTR_ERR(area);
	area_part(area, call, &first_byte, &last_byte);
	ret = copy_part(call, area, first_byte, call->data, last_byte - first_byte + 1);
	area_put(call->ioas, area);
	if (ret)
		return ret;
	call->data += last_byte - first_byte + 1;
	call->iova += last_byte - first_byte;
	return 0;
}

static int copy_range(struct ioas_access *access, struct access_call *call, size_t nbytes)
{
	int ret;

	ret = begin_call(access, call, nbytes);
	if (ret)
		return ret;
	ioas_enter(call->ioas);
	ret = each_part(call, copy_next);
	ioas_leave(call->ioas);
	end_call(access);
	return ret;
}

int vfio_ioas_access_rw(struct ioas_access *access, unsigned long iova, void *data,
			size_t nbytes, unsigned int flags)
{
	struct access_call call = { .iova = iova, .flags = flags, .data = data };
	int ret;

	access_get(access);
	ret = copy_range(access, &call, nbytes);
	selftest_look(access->object.ctx);
	access_put(access);
	return ret;
}
EXPORT_SYMBOL_GPL(vfio_ioas_access_rw);

// SPDX-License-Identifier: GPL-2.0-only
/*
 * object: contexts, and the objects that user space names by id.
 *
 * Each context has a table of its objects by id. An object is first reserved (its id is taken, but
 * cannot be found), then published. It ends by DESTROY, by the kernel code that made it, or with
 * its context.
 *
 * Locking:
 *
 * - The xarray's own spinlock (xa_lock) guards the table, and the counts of its objects. Only the
 *   lock of a wait queue is taken under it.
 * - contexts_mutex guards the tree of contexts, and nothing else.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/pid.h>
#include <linux/printk.h>
#include <linux/sched.h>

#include "object.h"
#include "selftest.h"
#include "steps.h"

/* How long DESTROY waits for calls: a call may pin a terabyte, but must not delay it forever. */
#define DESTROY_SECONDS	60

static DEFINE_MUTEX(contexts_mutex);
static struct rb_root contexts = RB_ROOT;	/* contexts_mutex; by id */
static unsigned long last_ctx_id;		/* contexts_mutex */

/* Ids ascend, so a new context goes to the right of all others. */
static void insert_ctx(struct ioas_ctx *ctx)
{
	struct rb_node **link = &contexts.rb_node;
	struct rb_node *parent = NULL;

	lockdep_assert_held(&contexts_mutex);
	ctx->id = ++last_ctx_id;
	while (*link) {
		parent = *link;
		link = &parent->rb_right;
	}
	rb_link_node(&ctx->contexts_node, parent, link);
	rb_insert_color(&ctx->contexts_node, &contexts);
}

static void add_ctx(struct ioas_ctx *ctx)
{
	ctx->owner = get_pid(task_tgid(current));
	get_task_comm(ctx->comm, current->group_leader);
	refcount_set(&ctx->visits, 1);
	init_completion(&ctx->unvisited);
	mutex_lock(&contexts_mutex);
	insert_ctx(ctx);
	mutex_unlock(&contexts_mutex);
}

/* When it returns, no thread visits the context any more. */
static void remove_ctx(struct ioas_ctx *ctx)
{
	mutex_lock(&contexts_mutex);
	rb_erase(&ctx->contexts_node, &contexts);
	mutex_unlock(&contexts_mutex);
	ioas_ctx_leave(ctx);
	wait_for_completion(&ctx->unvisited);
	put_pid(ctx->owner);
}

struct ioas_ctx *ioas_ctx_visit(unsigned long id)
{
	struct ioas_ctx *ctx, *found = NULL;
	struct rb_node *node;

	mutex_lock(&contexts_mutex);
	node = contexts.rb_node;
	while (node) {
		ctx = rb_entry(node, struct ioas_ctx, contexts_node);
		if (ctx->id >= id)
			found = ctx;
		node = ctx->id < id ? node->rb_right : node->rb_left;
	}
	if (found)
		refcount_inc(&found->visits);
	mutex_unlock(&contexts_mutex);
	return found;
}

void ioas_ctx_leave(struct ioas_ctx *ctx)
{
	if (refcount_dec_and_test(&ctx->visits))
		complete(&ctx->unvisited);
}

void ioas_ctx_init(struct ioas_ctx *ctx, struct file *file)
{
	*ctx = (struct ioas_ctx){ .file = file, .spare_areas = ULONG_MAX };
	xa_init_flags(&ctx->objects, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	mutex_init(&ctx->groups_mutex);
	INIT_LIST_HEAD(&ctx->groups);
	mutex_init(&ctx->areas_mutex);
	INIT_LIST_HEAD(&ctx->ioass);
	selftest_tally_init(&ctx->tally);
	selftest_note_ctx(1);
	add_ctx(ctx);
}

void ioas_ctx_get(struct ioas_ctx *ctx)
{
	if (ctx->file)
		get_file(ctx->file);
}

void ioas_ctx_put(struct ioas_ctx *ctx)
{
	if (ctx->file)
		fput(ctx->file);
}

void ioas_ctx_limit_areas(struct ioas_ctx *ctx, unsigned long nareas)
{
	WARN_ON(!xa_empty(&ctx->objects));
	ctx->spare_areas = nareas;
}

static bool object_is_idle(struct ioas_object *object)
{
	bool idle;

	xa_lock(&object->ctx->objects);
	idle = !object->nbusy;
	xa_unlock(&object->ctx->objects);
	return idle;
}

/* When it returns, the object cannot be found by id, and no call works on it. */
static void take_out(struct ioas_object *object)
{
	struct ioas_ctx *ctx = object->ctx;

	xa_lock(&ctx->objects);
	object->ending = true;
	__xa_erase(&ctx->objects, object->id);
	xa_unlock(&ctx->objects);
	wait_event(object->idle, object_is_idle(object));
}

void ioas_ctx_destroy(struct ioas_ctx *ctx)
{
	struct ioas_object *object;
	unsigned long id;
	bool progress;

	remove_ctx(ctx);
	/* An object that others use can end once its users have ended. */
	do {
		progress = false;
		xa_for_each(&ctx->objects, id, object) {
			if (object->nusers)
				continue;
			take_out(object);
			object->ops->destroy(object);
			progress = true;
			cond_resched();
		}
	} while (progress);
	WARN_ON(!xa_empty(&ctx->objects));
	WARN_ON(!list_empty(&ctx->groups));
	WARN_ON(!list_empty(&ctx->ioass));
	xa_destroy(&ctx->objects);
	mutex_destroy(&ctx->areas_mutex);
	mutex_destroy(&ctx->groups_mutex);
	selftest_note_ctx(-1);
}

int ioas_ctx_set_charge_mm(struct ioas_ctx *ctx, bool charge_mm)
{
	int ret = 0;

	xa_lock(&ctx->objects);
	/* An id that is only reserved counts as an object. */
	if (xa_empty(&ctx->objects))
		WRITE_ONCE(ctx->charge_mm, charge_mm);
	else
		ret = -EBUSY;
	xa_unlock(&ctx->objects);
	return ret;
}

int ioas_object_reserve(struct ioas_ctx *ctx, struct ioas_object *object,
			const struct ioas_object_ops *ops)
{
	object->ctx = ctx;
	object->ops = ops;
	object->nbusy = 0;
	object->nusers = 0;
	object->ending = false;
	init_waitqueue_head(&object->idle);
	return xa_alloc(&ctx->objects, &object->id, NULL, xa_limit_31b,
			GFP_KERNEL_ACCOUNT);
}

void ioas_object_publish(struct ioas_object *object)
{
	void *old = xa_store(&object->ctx->objects, object->id, object, GFP_KERNEL);

	WARN_ON(old);
}

void ioas_object_abort(struct ioas_object *object)
{
	xa_erase(&object->ctx->objects, object->id);
}

static bool try_busy(struct ioas_object *object)
{
	lockdep_assert_held(&object->ctx->objects.xa_lock);
	if (object->ending)
		return false;
	object->nbusy++;
	return true;
}

bool ioas_object_try_busy(struct ioas_object *object)
{
	bool kept;

	xa_lock(&object->ctx->objects);
	kept = try_busy(object);
	xa_unlock(&object->ctx->objects);
	return kept;
}

struct ioas_object *ioas_object_get(struct ioas_ctx *ctx, u32 id,
				    const struct ioas_object_ops *ops)
{
	struct ioas_object *object;

	xa_lock(&ctx->objects);
	object = xa_load(&ctx->objects, id);
	if (object && ((ops && object->ops != ops) || !try_busy(object)))
		object = NULL;
	xa_unlock(&ctx->objects);
	return object;
}

static void wake_waiters(struct ioas_object *object)
{
	lockdep_assert_held(&object->ctx->objects.xa_lock);
	/*
	 * A waiter queues up before it takes this lock to look at the counts, so the wake-up is not
	 * missed. It ends the object only after it has held this lock, so the object is still
	 * there. At most two threads wait: one destroys the object, one retires it.
	 */
	if (waitqueue_active(&object->idle))
		wake_up_all(&object->idle);
}

void ioas_object_put(struct ioas_object *object)
{
	struct ioas_ctx *ctx = object->ctx;

	xa_lock(&ctx->objects);
	object->nbusy--;
	wake_waiters(object);
	xa_unlock(&ctx->objects);
}

void ioas_object_use(struct ioas_object *object)
{
	xa_lock(&object->ctx->objects);
	object->nusers++;
	xa_unlock(&object->ctx->objects);
}

void ioas_object_unuse(struct ioas_object *object)
{
	struct ioas_ctx *ctx = object->ctx;

	xa_lock(&ctx->objects);
	WARN_ON(!object->nusers--);
	xa_unlock(&ctx->objects);
}

void ioas_object_retire(struct ioas_object *object)
{
	/* A DESTROY that waits for the same calls finds this user, and gives up. */
	WARN_ON(READ_ONCE(object->nusers) != 1);
	take_out(object);
}

/* Marks an object as ending, unless it has users. On success the caller keeps the object busy. */
static int begin_destroy(struct ioas_ctx *ctx, u32 id, struct ioas_object **object)
{
	int ret = -ENOENT;

	xa_lock(&ctx->objects);
	*object = xa_load(&ctx->objects, id);
	if (*object && (*object)->nusers)
		ret = -EBUSY;
	else if (*object && try_busy(*object))
		ret = 0;
	if (!ret)
		(*object)->ending = true;
	xa_unlock(&ctx->objects);
	return ret;
}

static bool is_only_busy(struct ioas_object *object)
{
	bool only;

	xa_lock(&object->ctx->objects);
	only = object->nbusy == 1;
	xa_unlock(&object->ctx->objects);
	return only;
}

/*
 * Takes the object out of the table, unless another call works on it or has made somebody a user.
 */
static int finish_destroy(struct ioas_object *object)
{
	struct ioas_ctx *ctx = object->ctx;
	int ret = 0;

	xa_lock(&ctx->objects);
	object->nbusy--;
	if (object->nbusy || object->nusers) {
		object->ending = false;
		ret = -EBUSY;
		wake_waiters(object);
	} else {
		__xa_erase(&ctx->objects, object->id);
	}
	xa_unlock(&ctx->objects);
	return ret;
}

int ioas_object_destroy(struct ioas_ctx *ctx, u32 id)
{
	struct ioas_object *object;
	int ret;

	ret = begin_destroy(ctx, id, &object);
	if (ret)
		return ret;
	/* A fatal signal ends the wait. finish_destroy() then decides by the counts. */
	if (!wait_event_killable_timeout(object->idle, is_only_busy(object),
					 DESTROY_SECONDS * HZ))
		pr_warn_ratelimited("object %u: still in use by a call after %u seconds; destroy it again later\n",
				    id, DESTROY_SECONDS);
	ret = finish_destroy(object);
	if (!ret)
		object->ops->destroy(object);
	return ret;
}

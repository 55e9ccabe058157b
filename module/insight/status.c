// SPDX-License-Identifier: GPL-2.0-only
/*
 * status: the file "vfio_ioas/status" in debugfs.
 *
 * A line for each context and then for each thing in it, as words key=value; the manual page
 * vfio_ioas(4) lists them. Nothing is counted before somebody reads: reading goes through the
 * areas one by one, and hinders nobody but who wants to remove just this one.
 *
 * Locking: contexts_mutex guards the list and who visits which context. A visitor keeps the
 * context from being taken apart, and takes groups_mutex and whatever comes after it.
 */
#include <linux/debugfs.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/seq_file.h>
#include <linux/string_helpers.h>
#include <linux/wait.h>

#include "area.h"
#include "group.h"
#include "hwpt.h"
#include "insight.h"
#include "ioas.h"
#include "object.h"

/* So many runs are counted without a pause: bounds how long a lock is held. */
#define COUNT_AT_ONCE	1024

/* So many areas that are not live are skipped without a pause. */
#define SKIP_AT_ONCE	256

static DEFINE_MUTEX(contexts_mutex);
static LIST_HEAD(contexts);		/* contexts_mutex; ascending ids */
static unsigned long last_id;		/* contexts_mutex */
static DECLARE_WAIT_QUEUE_HEAD(visit_over);
static struct dentry *directory;	/* constant once set */

void insight_add(struct ioas_ctx *ctx)
{
	struct ctx_insight *insight = &ctx->insight;

	insight->owner = get_pid(task_tgid(current));
	get_task_comm(insight->comm, current->group_leader);
	insight->type = NULL;
	insight->nvisitors = 0;
	mutex_lock(&contexts_mutex);
	insight->id = ++last_id;
	list_add_tail(&insight->item, &contexts);
	mutex_unlock(&contexts_mutex);
}

static bool is_visited(struct ctx_insight *insight)
{
	bool visited;

	mutex_lock(&contexts_mutex);
	visited = insight->nvisitors;
	mutex_unlock(&contexts_mutex);
	return visited;
}

void insight_remove(struct ioas_ctx *ctx)
{
	struct ctx_insight *insight = &ctx->insight;

	mutex_lock(&contexts_mutex);
	list_del(&insight->item);
	mutex_unlock(&contexts_mutex);
	wait_event(visit_over, !is_visited(insight));
	put_pid(insight->owner);
}

/* Begins a visit of the first context whose id is not below @id; NULL if there is none. */
static struct ioas_ctx *visit(unsigned long id)
{
	struct ioas_ctx *ctx, *found = NULL;

	mutex_lock(&contexts_mutex);
	list_for_each_entry(ctx, &contexts, insight.item) {
		if (ctx->insight.id >= id) {
			ctx->insight.nvisitors++;
			found = ctx;
			break;
		}
	}
	mutex_unlock(&contexts_mutex);
	return found;
}

static void leave(struct ioas_ctx *ctx)
{
	mutex_lock(&contexts_mutex);
	ctx->insight.nvisitors--;
	wake_up_all(&visit_over);
	mutex_unlock(&contexts_mutex);
}

/* The lowest area that can be used and does not begin below @iova, kept busy; or NULL. */
static struct ioas_area *hold_from(struct ioas *ioas, unsigned long iova)
{
	struct iova_space *space = &ioas->iova_space;
	struct ioas_area *area;
	unsigned int nsteps = 0;

	lockdep_assert_held(&ioas->domains_rwsem);
	spin_lock(&space->iova_lock);
	area = iova_first(space, iova, ULONG_MAX);
	while (area && (area->first_iova < iova || !area_is_settled(area))) {
		area = iova_next(space, area);
		if (area && ++nsteps % SKIP_AT_ONCE == 0) {
			iova = area->first_iova;
			spin_unlock(&space->iova_lock);
			cond_resched();
			spin_lock(&space->iova_lock);
			area = iova_first(space, iova, ULONG_MAX);
		}
	}
	if (area)
		area->nbusy++;
	spin_unlock(&space->iova_lock);
	return area;
}

struct ioas_sum {
	unsigned long nareas;
	unsigned long npins;
	unsigned long nbytes;
	struct pages_sum pages;
};

/*
 * Who makes a store shared does so under iova_lock before he changes its extents, so that
 * those of one that is not shared stand still under that lock.
 */
static void sum_store(struct ioas *ioas, struct ioas_area *area, struct pages_sum *sum)
{
	unsigned long last_index = area_last_byte(area) / PAGE_SIZE;
	unsigned long index = area->first_byte / PAGE_SIZE;
	struct ioas_pages *pages = area->pages;
	bool shared;

	while (index <= last_index) {
		spin_lock(&ioas->iova_space.iova_lock);
		shared = pages->sharing;
		if (!shared)
			index = pages_sum(pages, index, last_index, COUNT_AT_ONCE, sum);
		spin_unlock(&ioas->iova_space.iova_lock);
		if (shared) {
			pages_lock(pages);
			index = pages_sum(pages, index, last_index, COUNT_AT_ONCE, sum);
			pages_unlock(pages);
		}
		cond_resched();
	}
}

static void sum_areas(struct ioas *ioas, struct ioas_sum *sum)
{
	unsigned long next = 0;
	struct ioas_area *area;

	while ((area = hold_from(ioas, next))) {
		sum->nareas++;
		sum->nbytes += area_nbytes(area);
		sum->npins += READ_ONCE(area->npins);
		sum_store(ioas, area, &sum->pages);
		next = area->last_iova + 1;
		area_unhold(ioas, area);
		if (!next)
			break;
	}
}

void insight_show_ioas(struct seq_file *m, struct ioas_object *object)
{
	struct ioas *ioas = object_ioas(object);
	struct ioas_sum sum = { };
	bool is_vfio;

	ioas_enter(ioas);
	sum_areas(ioas, &sum);
	sum.pages.npinned += READ_ONCE(ioas->npinned_beside);
	sum.pages.ncharged += READ_ONCE(ioas->ncharged_beside);
	ioas_leave(ioas);
	rcu_read_lock();
	is_vfio = rcu_access_pointer(object->ctx->vfio_ioas) == ioas;
	rcu_read_unlock();
	seq_printf(m, "ioas context=%lu id=%u vfio=%d areas=%lu mapped=%lu pinned=%lu charged=%lu runs=%lu pins=%lu\n",
		   object->ctx->insight.id, object->id, is_vfio, sum.nareas, sum.nbytes,
		   sum.pages.npinned * PAGE_SIZE, sum.pages.ncharged * PAGE_SIZE,
		   sum.pages.nruns, sum.npins);
}

void insight_show_hwpt(struct seq_file *m, struct ioas_object *object)
{
	struct ioas_hwpt *hwpt = hwpt_of_object(object);

	lockdep_assert_held(&object->ctx->groups_mutex);
	seq_printf(m, "hwpt context=%lu id=%u ioas=%u groups=%u\n", object->ctx->insight.id,
		   object->id, hwpt->ioas->object.id, hwpt->ngroups);
}

static void show_context(struct seq_file *m, struct ioas_ctx *ctx)
{
	struct ctx_insight *insight = &ctx->insight;
	const char *type = READ_ONCE(insight->type);
	char comm[TASK_COMM_LEN];
	struct task_struct *task;
	pid_t pid = 0;

	memcpy(comm, insight->comm, sizeof(comm));
	rcu_read_lock();
	task = pid_task(insight->owner, PIDTYPE_TGID);
	if (task) {
		pid = pid_nr_ns(insight->owner, task_active_pid_ns(current));
		/* It may have another name since then. */
		get_task_comm(comm, task);
	}
	rcu_read_unlock();
	seq_printf(m, "context id=%lu kind=%s ", insight->id,
		   ctx->file ? "iommu" : "container");
	if (type)
		seq_printf(m, "type=%s ", type);
	seq_printf(m, "pid=%d comm=", pid);
	seq_escape_mem(m, comm, strlen(comm), ESCAPE_OCTAL | ESCAPE_NAP | ESCAPE_APPEND, "\\");
	seq_putc(m, '\n');
}

static void show_objects(struct seq_file *m, struct ioas_ctx *ctx)
{
	struct ioas_object *object;
	unsigned long id;

	for (id = 0; xa_find(&ctx->objects, &id, ULONG_MAX, XA_PRESENT); id++) {
		object = ioas_object_get(ctx, id, NULL);
		if (!object)
			continue;
		if (object->ops->show)
			object->ops->show(m, object);
		ioas_object_put(object);
	}
}

struct device_names {
	struct seq_file *m;
	char separator;
};

static int show_name(struct device *dev, void *data)
{
	struct device_names *names = data;

	seq_putc(names->m, names->separator);
	seq_puts(names->m, dev_name(dev));
	names->separator = ',';
	return 0;
}

static void show_groups(struct seq_file *m, struct ioas_ctx *ctx)
{
	struct ioas_group *igroup;

	lockdep_assert_held(&ctx->groups_mutex);
	list_for_each_entry(igroup, &ctx->groups, groups_item) {
		struct device_names names = { .m = m, .separator = '=' };

		/* Bound only, or a test's that is none. */
		if (!igroup->hwpt || !igroup->group)
			continue;
		seq_printf(m, "group context=%lu ioas=%u hwpt=%u number=%d devices",
			   ctx->insight.id, igroup->hwpt->ioas->object.id,
			   igroup->hwpt->object.id, iommu_group_id(igroup->group));
		iommu_group_for_each_dev(igroup->group, &names, show_name);
		seq_putc(m, '\n');
	}
}

static void *status_start(struct seq_file *m, loff_t *position)
{
	struct ioas_ctx *ctx = visit(*position);

	if (ctx)
		*position = ctx->insight.id;
	m->private = ctx;
	return ctx;
}

static void status_stop(struct seq_file *m, void *v)
{
	if (m->private)
		leave(m->private);
}

static void *status_next(struct seq_file *m, void *v, loff_t *position)
{
	status_stop(m, v);
	++*position;
	return status_start(m, position);
}

static int status_show(struct seq_file *m, void *v)
{
	struct ioas_ctx *ctx = v;
	int ret;

	/* Held by an attach for as long as that takes; then the sums would wait, too. */
	ret = mutex_lock_killable(&ctx->groups_mutex);
	if (ret)
		return ret;
	show_context(m, ctx);
	show_objects(m, ctx);
	show_groups(m, ctx);
	mutex_unlock(&ctx->groups_mutex);
	return 0;
}

static const struct seq_operations status_sops = {
	.start = status_start,
	.stop = status_stop,
	.next = status_next,
	.show = status_show,
};

DEFINE_SEQ_ATTRIBUTE(status);

void insight_init(void)
{
	directory = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("status", 0400, directory, NULL, &status_fops);
}

void insight_exit(void)
{
	debugfs_remove(directory);
}

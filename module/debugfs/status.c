// SPDX-License-Identifier: GPL-2.0-only
/*
 * status: the file vfio_ioas/status in debugfs.
 *
 * The file has a line for each context, followed by a line for each object and group in it. A line
 * consists of words key=value; the manual page vfio_ioas(4) lists them.
 *
 * Nothing is counted before the file is read. Reading walks the areas: simple ones hundreds at a
 * time under iova_lock, others one by one. It delays only a thread that wants to remove an area
 * while the area is read.
 *
 * A call may hold a lock of a context as long as its user likes: a map does while user memory does
 * not respond. So a reader tries locks for a second in all, and counts a limited number of areas
 * and runs. Where that does not suffice, the line says busy=1. A line is one record of the
 * sequence, so that nothing is counted twice, and no buffer grows.
 *
 * Locking: none of its own. A visit keeps the context from ending.
 */
#include <linux/debugfs.h>
#include <linux/iommu.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/string_helpers.h>

#include "base/object.h"
#include "domain/group.h"
#include "domain/hwpt.h"
#include "kapi/access.h"
#include "kapi/device.h"
#include "space/area.h"
#include "space/ioas.h"
#include "space/notifier.h"
#include "status.h"

/* How long one reading of the file waits for locks in all, in jiffies. */
#define PATIENCE	HZ

/*
 * How much one reading counts, in steps. A run is one step, an area several. That is enough for a
 * million areas in one IOAS, and four million in all. When these steps are spent, each further IOAS
 * still gets a few: so few that to count costs no more than to print the line of the IOAS.
 */
#define AREA_STEPS	16UL
#define IOAS_STEPS	(AREA_STEPS << 20)
#define ALL_STEPS	(4 * IOAS_STEPS)
#define MIN_STEPS	(AREA_STEPS << 8)

/* Positions besides object ids: the context's line comes before them, its groups after them. */
#define CONTEXT_LINE	0UL
#define GROUP_LINES	ULONG_MAX

/* The position of a reader, and how long it may still wait and count. */
struct status_reader {
	struct ioas_ctx *ctx;		/* visited, between start and stop; or NULL */
	unsigned long ctx_id;
	unsigned long object_id;	/* or CONTEXT_LINE or GROUP_LINES */
	unsigned long patience;		/* for locks, in jiffies */
	unsigned long nsteps;		/* for counting */
};

static struct dentry *directory;		/* constant once set */

/* Waits a jiffy for a lock. False if the reader has waited long enough, or is being killed. */
static bool be_patient(struct status_reader *reader)
{
	if (!reader->patience || fatal_signal_pending(current))
		return false;
	reader->patience--;
	schedule_timeout_killable(1);
	return true;
}

static bool lock_patiently(struct status_reader *reader, struct mutex *mutex)
{
	while (!mutex_trylock(mutex))
		if (!be_patient(reader))
			return false;
	return true;
}

static bool enter_patiently(struct status_reader *reader, struct ioas *ioas)
{
	while (!ioas_try_enter(ioas))
		if (!be_patient(reader))
			return false;
	return true;
}

struct ioas_sum {
	unsigned long nareas;
	unsigned long npins;
	unsigned long nbytes;
	struct store_sum store;
	unsigned long nsteps;		/* still to spend */
};

/* False if too few steps are left, or the reader is being killed. */
static bool spend(struct ioas_sum *sum, unsigned long nsteps)
{
	if (nsteps > sum->nsteps || fatal_signal_pending(current))
		return false;
	sum->nsteps -= nsteps;
	return true;
}

/*
 * Counts the pages of the store that @area shows. False if not all were counted.
 *
 * A thread that makes a store shared does so under iova_lock, and changes the extents afterwards.
 * So under iova_lock the extents of a store that is not shared do not change.
 */
static bool sum_store(struct status_reader *reader, struct ioas *ioas, struct ioas_area *area,
		      struct ioas_sum *sum)
{
	unsigned long last_index = area_last_byte(area) / PAGE_SIZE;
	unsigned long index = area->first_byte / PAGE_SIZE;
	struct ioas_store *store = area->store;
	unsigned long nruns;
	bool shared;

	while (index <= last_index) {
		nruns = sum->store.nruns;
		spin_lock(&ioas->iova_space.iova_lock);
		shared = store->sharing;
		if (!shared)
			index = store_sum(store, index, last_index, SUM_AT_ONCE, &sum->store);
		spin_unlock(&ioas->iova_space.iova_lock);
		if (shared) {
			if (!lock_patiently(reader, &store->sharing->mutex))
				return false;
			index = store_sum(store, index, last_index, SUM_AT_ONCE, &sum->store);
			mutex_unlock(&store->sharing->mutex);
		}
		cond_resched();
		if (!spend(sum, sum->store.nruns - nruns))
			return false;
	}
	return true;
}

/* One area shows the whole store, which is a single run. It stays so under iova_lock. */
static bool is_simple(const struct ioas_area *area)
{
	return !area->store->sharing && extents_is_one_run(&area->store->extents);
}

/*
 * Counts the next areas that are settled and do not begin below *@iova. *@iova becomes the address
 * to go on from, or 0 behind the last area. Stops at an area that is not simple, and returns it,
 * kept busy: the caller counts its store. Otherwise returns NULL.
 */
static struct ioas_area *count_areas(struct ioas *ioas, unsigned long *iova, struct ioas_sum *sum)
{
	struct iova_space *space = &ioas->iova_space;
	unsigned long from_iova = *iova;
	struct ioas_area *area, *busy = NULL;
	unsigned int n = 0;

	lockdep_assert_held(&ioas->domains_rwsem);
	spin_lock(&space->iova_lock);
	area = iova_first(space, from_iova, ULONG_MAX);
	for (; area && !busy && n < SUM_AT_ONCE; n++, area = iova_next(space, area)) {
		*iova = area->last_iova + 1;
		if (area->first_iova < from_iova || !area_is_settled(area))
			continue;
		sum->nareas++;
		sum->nbytes += area_nbytes(area);
		sum->npins += area->npins;
		if (is_simple(area))
			store_sum(area->store, 0, area->store->extents.npages - 1, 1, &sum->store);
		else
			busy = area;
	}
	if (busy)
		busy->nbusy++;
	if (!area)
		*iova = 0;
	spin_unlock(&space->iova_lock);
	return busy;
}

/* False if not all areas and runs were counted. */
static bool sum_areas(struct status_reader *reader, struct ioas *ioas, struct ioas_sum *sum)
{
	unsigned long nareas, next = 0;
	struct ioas_area *area;
	bool complete;

	do {
		nareas = sum->nareas;
		area = count_areas(ioas, &next, sum);
		complete = spend(sum, AREA_STEPS * (sum->nareas - nareas));
		if (area) {
			complete = complete && sum_store(reader, ioas, area, sum);
			area_put(ioas, area);
		}
		cond_resched();
	} while (next && complete);
	return complete;
}

static bool sum_ioas(struct status_reader *reader, struct ioas *ioas, struct ioas_sum *sum)
{
	unsigned long nsteps = clamp(reader->nsteps, MIN_STEPS, IOAS_STEPS);
	bool complete;

	if (!enter_patiently(reader, ioas))
		return false;
	sum->nsteps = nsteps;
	complete = sum_areas(reader, ioas, sum);
	ioas_leave(ioas);
	nsteps -= sum->nsteps;
	reader->nsteps -= min(nsteps, reader->nsteps);
	return complete;
}

/* Memory that several areas show is counted once for each of them. */
static void show_ioas(struct seq_file *m, struct ioas *ioas)
{
	const struct ioas_object *object = &ioas->object;
	struct ioas_sum sum = { };
	bool complete, is_default;

	complete = sum_ioas(m->private, ioas, &sum);
	if (!complete)
		/* A race does no harm here, and a lock would burden maps, which change it. */
		sum.nareas = data_race(ioas->iova_space.nareas);
	sum.store.npinned += atomic_long_read(&ioas->beside.npinned);
	sum.store.ncharged += atomic_long_read(&ioas->beside.ncharged);
	rcu_read_lock();
	is_default = rcu_access_pointer(object->ctx->default_ioas) == ioas;
	rcu_read_unlock();
	seq_printf(m, "ioas context=%lu id=%u vfio=%d areas=%lu mapped=%lu pinned=%lu charged=%lu runs=%lu pins=%lu users=%lu%s\n",
		   object->ctx->id, object->id, is_default, sum.nareas, sum.nbytes,
		   sum.store.npinned * PAGE_SIZE, sum.store.ncharged * PAGE_SIZE,
		   sum.store.nruns, sum.npins, ioas_count_users(ioas), complete ? "" : " busy=1");
}

static void show_hwpt(struct seq_file *m, const struct ioas_hwpt *hwpt)
{
	const struct ioas_object *object = &hwpt->object;

	seq_printf(m, "hwpt context=%lu id=%u ioas=%u groups=%u\n", object->ctx->id,
		   object->id, hwpt->mirror.ioas->object.id, READ_ONCE(hwpt->ngroups));
}

static void show_device(struct seq_file *m, const struct ioas_device *idev)
{
	seq_printf(m, "device context=%lu id=%u name=%s\n", idev->object.ctx->id, idev->object.id,
		   idev->dev ? dev_name(idev->dev) : "none");
}

/* A thread that changes the IOAS of an access may wait long, for calls that still pin. */
static void show_access(struct seq_file *m, struct ioas_object *object, struct ioas_access *access)
{
	u32 ioas_id = 0;
	bool known;

	do
		known = access_peek_ioas(access, &ioas_id);
	while (!known && be_patient(m->private));
	seq_printf(m, "access context=%lu id=%u ioas=%u%s\n", object->ctx->id, object->id,
		   ioas_id, known ? "" : " busy=1");
}

static void show_context(struct seq_file *m, struct ioas_ctx *ctx)
{
	const char *type = READ_ONCE(ctx->type);
	char comm[TASK_COMM_LEN];
	struct task_struct *task;
	pid_t pid = 0;

	memcpy(comm, ctx->comm, sizeof(comm));
	rcu_read_lock();
	task = pid_task(ctx->owner, PIDTYPE_TGID);
	if (task) {
		pid = pid_nr_ns(ctx->owner, task_active_pid_ns(current));
		/* The process may have changed its name since then. */
		get_task_comm(comm, task);
	}
	rcu_read_unlock();
	seq_printf(m, "context id=%lu kind=%s ", ctx->id,
		   ctx->file ? "iommu" : "container");
	if (type)
		seq_printf(m, "type=%s ", type);
	seq_printf(m, "pid=%d comm=", pid);
	seq_escape_mem(m, comm, strlen(comm), ESCAPE_OCTAL | ESCAPE_NAP | ESCAPE_APPEND, "\\");
	seq_putc(m, '\n');
}

static void write_object(struct seq_file *m, struct ioas_object *object)
{
	struct ioas *ioas = ioas_of_object(object);
	struct ioas_hwpt *hwpt = hwpt_of_object(object);
	struct ioas_device *idev = idev_of_object(object);
	struct ioas_access *access = access_of_object(object);

	if (ioas)
		show_ioas(m, ioas);
	else if (hwpt)
		show_hwpt(m, hwpt);
	else if (idev)
		show_device(m, idev);
	else if (access)
		show_access(m, object, access);
}

static void show_object(struct seq_file *m, struct ioas_ctx *ctx, unsigned long id)
{
	struct ioas_object *object = ioas_object_get(ctx, id, NULL);

	if (!object)
		return;
	write_object(m, object);
	ioas_object_put(object);
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

static void show_group(struct seq_file *m, struct ioas_ctx *ctx, struct ioas_group *igroup)
{
	struct device_names names = { .m = m, .separator = '=' };

	/* Its devices are only bound; or it is a test's group, without an iommu_group. */
	if (!igroup->hwpt || !igroup->group)
		return;
	seq_printf(m, "group context=%lu ioas=%u hwpt=%u number=%d devices",
		   ctx->id, igroup->hwpt->mirror.ioas->object.id,
		   igroup->hwpt->object.id, iommu_group_id(igroup->group));
	iommu_group_for_each_dev(igroup->group, &names, show_name);
	seq_putc(m, '\n');
}

/* An attach holds groups_mutex until everything is mapped, which can take long. */
static void show_groups(struct seq_file *m, struct ioas_ctx *ctx)
{
	struct ioas_group *igroup;

	if (!lock_patiently(m->private, &ctx->groups_mutex)) {
		seq_printf(m, "busy context=%lu what=groups\n", ctx->id);
		return;
	}
	list_for_each_entry(igroup, &ctx->groups, groups_item)
		show_group(m, ctx, igroup);
	mutex_unlock(&ctx->groups_mutex);
}

/* Visits the context that the reader is at, or the next one. */
static struct status_reader *enter_context(struct status_reader *reader)
{
	struct ioas_ctx *ctx = ioas_ctx_visit(reader->ctx_id);

	reader->ctx = ctx;
	if (!ctx)
		return NULL;
	if (ctx->id != reader->ctx_id) {
		reader->ctx_id = ctx->id;
		reader->object_id = CONTEXT_LINE;
	}
	return reader;
}

static void leave_context(struct status_reader *reader)
{
	if (reader->ctx)
		ioas_ctx_leave(reader->ctx);
	reader->ctx = NULL;
}

/* The position only counts lines; the reader itself keeps track of objects. */
static void *status_start(struct seq_file *m, loff_t *position)
{
	struct status_reader *reader = m->private;

	if (!*position) {
		reader->ctx_id = 0;
		reader->object_id = CONTEXT_LINE;
		reader->patience = PATIENCE;
		reader->nsteps = ALL_STEPS;
	}
	return enter_context(reader);
}

static void status_stop(struct seq_file *m, void *v)
{
	leave_context(m->private);
}

static void *status_next(struct seq_file *m, void *v, loff_t *position)
{
	struct status_reader *reader = m->private;
	unsigned long id = reader->object_id + 1;

	++*position;
	if (reader->object_id == GROUP_LINES) {
		leave_context(reader);
		reader->ctx_id++;
		reader->object_id = CONTEXT_LINE;
		return enter_context(reader);
	}
	if (xa_find(&reader->ctx->objects, &id, ULONG_MAX, XA_PRESENT))
		reader->object_id = id;
	else
		reader->object_id = GROUP_LINES;
	return reader;
}

static int status_show(struct seq_file *m, void *v)
{
	struct status_reader *reader = m->private;

	if (reader->object_id == CONTEXT_LINE)
		show_context(m, reader->ctx);
	else if (reader->object_id == GROUP_LINES)
		show_groups(m, reader->ctx);
	else
		show_object(m, reader->ctx, reader->object_id);
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

static const struct seq_operations status_sops = {
	.start = status_start,
	.stop = status_stop,
	.next = status_next,
	.show = status_show,
};

static int status_open(struct inode *inode, struct file *file)
{
	return seq_open_private(file, &status_sops, sizeof(struct status_reader));
}

static const struct file_operations status_fops = {
	.owner = THIS_MODULE,
	.open = status_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release_private,
};

void status_init(void)
{
	directory = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("status", 0400, directory, NULL, &status_fops);
}

void status_exit(void)
{
	debugfs_remove(directory);
}

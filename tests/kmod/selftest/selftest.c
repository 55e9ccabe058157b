// SPDX-License-Identifier: GPL-2.0-only
/*
 * selftest: the test command. By it programs can do what only kernel drivers can do otherwise:
 * make devices (of the mock IOMMU) and accesses, reserve ranges, and read counts of pins.
 *
 * Locking: an access holds a mutex while it pins and notes the pin, as vfio_ioas.h demands.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "base/steps.h"
#include "corrupt.h"
#include "domain/hwpt.h"
#include "kapi/device.h"
#include "kapi/vfio_ioas.h"
#include "memory/pin.h"
#include "mock.h"
#include "native/call.h"
#include "native/handlers.h"
#include "space/ioas.h"

/* Limit of one call; no test needs more. */
#define MAX_ACCESS_NBYTES	(16UL << 20)

static struct task_struct *fail_task;	/* only compared, never used */
static unsigned long fail_nth;

static unsigned long fail_init;
module_param(fail_init, ulong, 0400);
MODULE_PARM_DESC(fail_init, "Which call that can fail while the module is being loaded fails");

bool fail_now(void)
{
	if (THIS_MODULE->state == MODULE_STATE_COMING)
		return fail_init && !--fail_init;
	return READ_ONCE(fail_task) == current && fail_nth && !--fail_nth;
}

static int fail_nth_set(const char *value, const struct kernel_param *param)
{
	int ret = kstrtoul(value, 0, &fail_nth);

	WRITE_ONCE(fail_task, ret ? NULL : current);
	return ret;
}

static int fail_nth_get(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%lu\n", fail_nth);
}

static const struct kernel_param_ops fail_nth_ops = {
	.set = fail_nth_set,
	.get = fail_nth_get,
};
module_param_cb(fail_nth, &fail_nth_ops, NULL, 0600);
MODULE_PARM_DESC(fail_nth, "Which call that can fail, of the writing task, fails");

/* Steps on a CPU since the last spin_lock() of the module: see steps.h. */
static DEFINE_PER_CPU(unsigned int, nsteps);

void steps_begin(void)
{
	this_cpu_write(nsteps, 0);
}

void steps_count(void)
{
	WARN_ONCE(this_cpu_inc_return(nsteps) > STEPS_AT_ONCE, "too much under a spinlock\n");
}

/* A mock device; it is attached as long as it exists. */
struct selftest_device {
	struct ioas_object object;
	struct ioas_device *idev;
};

static void selftest_device_destroy(struct ioas_object *object)
{
	struct selftest_device *sdev = container_of(object, struct selftest_device, object);

	vfio_ioas_device_detach(sdev->idev);
	idev_destroy(sdev->idev);
	kfree(sdev);
}

static const struct ioas_object_ops selftest_device_ops = {
	.destroy = selftest_device_destroy,
};

static int op_add_reserved(struct native_call *call)
{
	struct test_cmd *cmd = &call->args.test;
	u64 start = cmd->add_reserved.start;
	u64 last = start + cmd->add_reserved.length - 1;
	struct ioas *ioas;
	int ret;

	if (last < start)
		return -EOVERFLOW;
	ioas = ioas_get(call->ctx, cmd->id);
	if (!ioas)
		return -ENOENT;
	down_write(&ioas->domains_rwsem);
	ret = iova_reserve(&ioas->iova_space, start, last, NULL);
	up_write(&ioas->domains_rwsem);
	ioas_put(ioas);
	return ret;
}

static int mock_device(struct native_call *call, const struct ioas_iommu_ops *bus)
{
	struct test_cmd *cmd = &call->args.test;
	u32 pt_id = cmd->id;
	struct selftest_device *sdev;
	int ret;

	sdev = kzalloc(sizeof(*sdev), GFP_KERNEL_ACCOUNT);
	if (!sdev)
		return -ENOMEM;
	ret = ioas_object_reserve(call->ctx, &sdev->object, &selftest_device_ops);
	if (ret)
		goto free_sdev;
	sdev->idev = idev_create(call->ctx, bus, NULL, NULL);
	if (IS_ERR(sdev->idev)) {
		ret = PTR_ERR(sdev->idev);
		goto abort;
	}
	ioas_object_publish(&sdev->idev->object);
	ret = vfio_ioas_device_attach(sdev->idev, &pt_id);
	if (ret)
		goto destroy_idev;
	cmd->mock_domain.out_stdev_id = sdev->object.id;
	cmd->mock_domain.out_hwpt_id = pt_id;
	cmd->mock_domain.out_idev_id = sdev->idev->object.id;
	return call_publish(call, sizeof(*cmd), &sdev->object);

destroy_idev:
	idev_destroy(sdev->idev);
abort:
	ioas_object_abort(&sdev->object);
free_sdev:
	kfree(sdev);
	return ret;
}

static int op_mock_domain(struct native_call *call)
{
	return mock_device(call, mock_iommu_ops(0));
}

static int op_mock_domain_flags(struct native_call *call)
{
	const struct ioas_iommu_ops *bus = mock_iommu_ops(call->args.test.mock_domain.dev_flags);

	return bus ? mock_device(call, bus) : -EOPNOTSUPP;
}

static int op_mock_domain_replace(struct native_call *call)
{
	struct test_cmd *cmd = &call->args.test;
	struct selftest_device *sdev;
	struct ioas_object *object;
	int ret;

	object = ioas_object_get(call->ctx, cmd->id, &selftest_device_ops);
	if (!object)
		return -ENOENT;
	sdev = container_of(object, struct selftest_device, object);
	ret = vfio_ioas_device_replace(sdev->idev, &cmd->mock_domain_replace.pt_id);
	ioas_object_put(object);
	return ret ?: call_respond(call, sizeof(*cmd));
}

/* Gets the page that is at a user address now; the caller puts it. */
static int get_user_page(unsigned long uaddr, struct page **page)
{
	long npages = get_user_pages_fast(uaddr & PAGE_MASK, 1, 0, page);

	if (npages < 0)
		return npages;
	return npages ? 0 : -EFAULT;
}

static int check_map(struct iommu_domain *domain, unsigned long iova, unsigned long nbytes,
		     unsigned long uptr)
{
	for (; nbytes; nbytes -= MOCK_IO_PAGE_SIZE) {
		struct page *page;
		bool same;
		int ret;

		ret = get_user_page(uptr, &page);
		if (ret)
			return ret;
		same = mock_maps_to(domain, iova, page_to_phys(page) + offset_in_page(uptr));
		put_page(page);
		if (!same)
			return -EINVAL;
		iova += MOCK_IO_PAGE_SIZE;
		uptr += MOCK_IO_PAGE_SIZE;
	}
	return 0;
}

static int op_check_map(struct native_call *call)
{
	struct test_cmd *cmd = &call->args.test;
	u64 iova = cmd->check_map.iova;
	u64 nbytes = cmd->check_map.length;
	u64 uptr = cmd->check_map.uptr;
	struct ioas_object *object;
	struct ioas_hwpt *hwpt;
	int ret = -EINVAL;

	if ((iova | nbytes | uptr) % MOCK_IO_PAGE_SIZE || iova + nbytes < iova ||
	    uptr + nbytes < uptr)
		return -EINVAL;
	object = ioas_object_get(call->ctx, cmd->id, NULL);
	if (!object)
		return -ENOENT;
	hwpt = hwpt_of_object(object);
	if (!hwpt) {
		ret = -ENOENT;
	} else if (mock_is_domain(hwpt->mirror.domain)) {
		ioas_enter(hwpt->mirror.ioas);
		ret = check_map(hwpt->mirror.domain, iova, nbytes, uptr);
		ioas_leave(hwpt->mirror.ioas);
	}
	ioas_object_put(object);
	return ret;
}

static int op_check_refs(struct native_call *call)
{
	struct test_cmd *cmd = &call->args.test;
	u64 nbytes = cmd->check_refs.length;
	u64 uptr = cmd->check_refs.uptr;

	if ((nbytes | uptr) % PAGE_SIZE || uptr + nbytes < uptr)
		return -EINVAL;
	for (; nbytes; nbytes -= PAGE_SIZE, uptr += PAGE_SIZE) {
		struct page *page;
		unsigned int npins;
		int ret;

		ret = get_user_page(uptr, &page);
		if (ret)
			return ret;
		npins = page_ref_count(page) / GUP_PIN_COUNTING_BIAS;
		/* The pages of a larger folio share their count. */
		if (!PageCompound(page) && npins != cmd->check_refs.refs)
			ret = -EIO;
		put_page(page);
		if (ret)
			return ret;
	}
	return 0;
}

struct access_file {
	struct ioas_access *access;
	struct mutex items_mutex;	/* held while a pin is made and noted */
	struct list_head items;		/* items_mutex */
	u32 last_id;			/* items_mutex */
	bool pins;			/* constant */
};

/* A pin that user space can name. */
struct access_item {
	struct list_head item;
	unsigned long iova;
	unsigned long nbytes;
	u32 id;
};

static void drop_item(struct access_file *afile, struct access_item *item)
{
	lockdep_assert_held(&afile->items_mutex);
	list_del(&item->item);
	vfio_ioas_access_unpin_pages(afile->access, item->iova, item->nbytes);
	kfree(item);
}

static void access_file_unmap(void *data, unsigned long iova, unsigned long nbytes)
{
	unsigned long last_iova = iova + (nbytes - 1);
	struct access_file *afile = data;
	struct access_item *item, *next;

	mutex_lock(&afile->items_mutex);
	list_for_each_entry_safe(item, next, &afile->items, item)
		if (item->iova <= last_iova && item->iova + item->nbytes - 1 >= iova)
			drop_item(afile, item);
	mutex_unlock(&afile->items_mutex);
}

static const struct vfio_ioas_access_ops pinning_ops = {
	.needs_pin_pages = true,
	.unmap = access_file_unmap,
};

static const struct vfio_ioas_access_ops copying_ops = {
	.unmap = access_file_unmap,
};

static int access_file_release(struct inode *inode, struct file *file)
{
	struct access_file *afile = file->private_data;

	access_file_unmap(afile, 0, ULONG_MAX);
	vfio_ioas_access_destroy(afile->access);
	mutex_destroy(&afile->items_mutex);
	kfree(afile);
	return 0;
}

static const struct file_operations access_file_fops = {
	.owner = THIS_MODULE,
	.release = access_file_release,
	.llseek = noop_llseek,
};

static struct access_file *create_access(struct ioas_ctx *ctx, u32 ioas_id, u32 flags)
{
	struct access_file *afile;
	u32 id;
	int ret;

	afile = kzalloc(sizeof(*afile), GFP_KERNEL_ACCOUNT);
	if (!afile)
		return ERR_PTR(-ENOMEM);
	mutex_init(&afile->items_mutex);
	INIT_LIST_HEAD(&afile->items);
	afile->pins = flags & ACCESS_CREATE_NEEDS_PIN;
	afile->access = vfio_ioas_access_create(ctx, afile->pins ? &pinning_ops :
						&copying_ops, afile, &id);
	if (IS_ERR(afile->access)) {
		ret = PTR_ERR(afile->access);
		goto free_afile;
	}
	ret = vfio_ioas_access_attach(afile->access, ioas_id);
	if (!ret)
		return afile;
	vfio_ioas_access_destroy(afile->access);
free_afile:
	kfree(afile);
	return ERR_PTR(ret);
}

static int op_create_access(struct native_call *call)
{
	struct test_cmd *cmd = &call->args.test;
	struct access_file *afile;
	struct file *file;
	int fd;
	int ret;

	if (cmd->create_access.flags & ~ACCESS_CREATE_NEEDS_PIN ||
	    !call->ctx->file)
		return -EOPNOTSUPP;
	afile = create_access(call->ctx, cmd->id, cmd->create_access.flags);
	if (IS_ERR(afile))
		return PTR_ERR(afile);
	file = anon_inode_getfile("[vfio_ioas_test_access]", &access_file_fops, afile,
				  O_RDWR);
	if (IS_ERR(file)) {
		vfio_ioas_access_destroy(afile->access);
		kfree(afile);
		return PTR_ERR(file);
	}
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		fput(file);
		return fd;
	}
	cmd->create_access.out_access_fd = fd;
	ret = call_respond(call, sizeof(*cmd));
	if (ret) {
		put_unused_fd(fd);
		fput(file);
		return ret;
	}
	fd_install(fd, file);
	return 0;
}

typedef int (*access_op)(struct native_call *call, struct access_file *afile);

/* Does an operation on the access whose descriptor the call names. */
static int with_access(struct native_call *call, access_op op)
{
	struct file *file = fget(call->args.test.id);
	int ret = -EBADFD;

	if (!file)
		return ret;
	if (file->f_op == &access_file_fops)
		ret = op(call, file->private_data);
	fput(file);
	return ret;
}

static int compare_pages(struct page **pages, unsigned long npages, unsigned long uptr)
{
	for (; npages; npages--, uptr += PAGE_SIZE) {
		struct page *page;
		bool same;
		int ret;

		ret = get_user_page(uptr, &page);
		if (ret)
			return ret;
		same = page == *pages++;
		put_page(page);
		if (!same)
			return -EBADE;
	}
	return 0;
}

static int access_pages(struct access_file *afile, struct test_cmd *cmd,
			struct access_item *item, struct page **pages)
{
	unsigned long offset = offset_in_page(item->iova);
	unsigned long npages = DIV_ROUND_UP(offset + item->nbytes, PAGE_SIZE);
	unsigned int flags = 0;
	int ret;

	if (cmd->access_pages.flags & ACCESS_PAGES_WRITE)
		flags = VFIO_IOAS_ACCESS_WRITE;
	ret = vfio_ioas_access_pin_pages(afile->access, item->iova, item->nbytes, pages,
					 flags);
	if (ret)
		return ret;
	if (cmd->access_pages.uptr)
		ret = compare_pages(pages, npages, cmd->access_pages.uptr - offset);
	if (ret) {
		vfio_ioas_access_unpin_pages(afile->access, item->iova, item->nbytes);
		return ret;
	}
	item->id = ++afile->last_id;
	list_add_tail(&item->item, &afile->items);
	return 0;
}

static int add_item(struct native_call *call, struct access_file *afile)
{
	struct test_cmd *cmd = &call->args.test;
	unsigned long max_pages = cmd->access_pages.length / PAGE_SIZE + 2;
	struct access_item *item;
	struct page **pages;
	int ret = -ENOMEM;

	if (!afile->pins)
		return -EOPNOTSUPP;
	item = kzalloc(sizeof(*item), GFP_KERNEL_ACCOUNT);
	pages = kvmalloc_array(max_pages, sizeof(*pages), GFP_KERNEL_ACCOUNT);
	if (!item || !pages)
		goto free;
	item->iova = cmd->access_pages.iova;
	item->nbytes = cmd->access_pages.length;

	mutex_lock(&afile->items_mutex);
	ret = access_pages(afile, cmd, item, pages);
	if (!ret) {
		cmd->access_pages.out_access_pages_id = item->id;
		ret = call_respond(call, sizeof(*cmd));
		if (ret)
			drop_item(afile, item);
		item = NULL;
	}
	mutex_unlock(&afile->items_mutex);
free:
	kvfree(pages);
	kfree(item);
	return ret;
}

static int op_access_pages(struct native_call *call)
{
	struct test_cmd *cmd = &call->args.test;

	if (cmd->access_pages.flags & ~ACCESS_PAGES_WRITE)
		return -EOPNOTSUPP;
	if (cmd->access_pages.length > MAX_ACCESS_NBYTES)
		return -ENOMEM;
	return with_access(call, add_item);
}

static int drop_named_item(struct native_call *call, struct access_file *afile)
{
	u32 id = call->args.test.destroy_access_pages.access_pages_id;
	struct access_item *item;
	int ret = -ENOENT;

	mutex_lock(&afile->items_mutex);
	list_for_each_entry(item, &afile->items, item) {
		if (item->id != id)
			continue;
		drop_item(afile, item);
		ret = 0;
		break;
	}
	mutex_unlock(&afile->items_mutex);
	return ret;
}

static int op_destroy_access_pages(struct native_call *call)
{
	return with_access(call, drop_named_item);
}

static int access_rw_buffer(struct access_file *afile, struct test_cmd *cmd,
			    void *buffer)
{
	void __user *uptr = u64_to_user_ptr(cmd->access_rw.uptr);
	size_t nbytes = cmd->access_rw.length;
	unsigned int flags = 0;
	int ret;

	if (cmd->access_rw.flags & ACCESS_RW_SLOW_PATH)
		flags |= VFIO_IOAS_ACCESS_SLOW_PATH;
	if (cmd->access_rw.flags & ACCESS_RW_WRITE) {
		flags |= VFIO_IOAS_ACCESS_WRITE;
		if (copy_from_user(buffer, uptr, nbytes))
			return -EFAULT;
	}
	ret = vfio_ioas_access_rw(afile->access, cmd->access_rw.iova, buffer, nbytes, flags);
	if (!ret && !(flags & VFIO_IOAS_ACCESS_WRITE) &&
	    copy_to_user(uptr, buffer, nbytes))
		ret = -EFAULT;
	return ret;
}

static int access_rw(struct native_call *call, struct access_file *afile)
{
	struct test_cmd *cmd = &call->args.test;
	void *buffer;
	int ret;

	buffer = kvzalloc(cmd->access_rw.length, GFP_KERNEL_ACCOUNT);
	ret = buffer ? access_rw_buffer(afile, cmd, buffer) : -ENOMEM;
	kvfree(buffer);
	return ret;
}

static int op_access_rw(struct native_call *call)
{
	if (call->args.test.access_rw.length > MAX_ACCESS_NBYTES)
		return -ENOMEM;
	return with_access(call, access_rw);
}

static int replace_ioas(struct native_call *call, struct access_file *afile)
{
	return vfio_ioas_access_replace(afile->access,
					call->args.test.access_replace_ioas.ioas_id);
}

static int op_access_replace_ioas(struct native_call *call)
{
	return with_access(call, replace_ioas);
}

static int op_set_temp_memory_limit(struct native_call *call)
{
	u32 nbytes = call->args.test.memory_limit.limit;

	/* As in iommufd, which cannot work with less. */
	if (nbytes < 12)
		return -EINVAL;
	WRITE_ONCE(pin_max_pages, nbytes / sizeof(struct page *));
	return 0;
}

static int op_dev_check_cache(struct native_call *call)
{
	struct test_cmd *cmd = &call->args.test;
	struct ioas_device *idev = idev_get(call->ctx, cmd->id);

	if (!idev)
		return -ENOENT;
	ioas_object_put(&idev->object);
	if (cmd->dev_check_cache.id > MOCK_CACHE_ID_MAX ||
	    cmd->dev_check_cache.cache != MOCK_CACHE_DEFAULT)
		return -EINVAL;
	return 0;
}

static int (*const operations[])(struct native_call *call) = {
	[TEST_OP_ADD_RESERVED] = op_add_reserved,
	[TEST_OP_MOCK_DOMAIN] = op_mock_domain,
	[TEST_OP_MD_CHECK_MAP] = op_check_map,
	[TEST_OP_MD_CHECK_REFS] = op_check_refs,
	[TEST_OP_CREATE_ACCESS] = op_create_access,
	[TEST_OP_DESTROY_ACCESS_PAGES] = op_destroy_access_pages,
	[TEST_OP_ACCESS_PAGES] = op_access_pages,
	[TEST_OP_ACCESS_RW] = op_access_rw,
	[TEST_OP_SET_TEMP_MEMORY_LIMIT] = op_set_temp_memory_limit,
	[TEST_OP_MOCK_DOMAIN_REPLACE] = op_mock_domain_replace,
	[TEST_OP_ACCESS_REPLACE_IOAS] = op_access_replace_ioas,
	[TEST_OP_MOCK_DOMAIN_FLAGS] = op_mock_domain_flags,
	[TEST_OP_DEV_CHECK_CACHE] = op_dev_check_cache,
	[TEST_OP_CORRUPT] = op_corrupt,
};

/**
 * handle_test() - IOMMU_TEST_CMD
 * @call: the call
 *
 * Context: may sleep and fault.
 * Return: as the operation; -EOPNOTSUPP for one that we do not have.
 */
int handle_test(struct native_call *call)
{
	u32 op = call->args.test.op;

	if (op >= ARRAY_SIZE(operations) || !operations[op])
		return -EOPNOTSUPP;
	return operations[op](call);
}

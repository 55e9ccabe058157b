// SPDX-License-Identifier: GPL-2.0-only
/*
 * emulated: drivers that reach a container's memory with the CPU.
 *
 * Most of them drive emulated devices, which have no IOMMU of their own. Together they are one
 * in-kernel user of an IOAS, with one notifier: an unmap calls the notifier, which tells each
 * device. A page that drivers hold is one pin of the area, however often they pinned it. If the
 * area is in a domain, it can be another page than the one that the area shows, see
 * area_add_hold().
 *
 * Drivers are not trusted to unpin. An unmap gives up on a driver that does not, see
 * ioas_unmap_watched(). Pages that a closed device still holds are unpinned for it, as it can do
 * nothing with them any more.
 *
 * vfio.ko of 6.1 opens a device before it tells us. It also lets devices without a callback for
 * unmaps pin, and we hear nothing of such a device. So we note which groups hold a page. When
 * the last device that we know of a group closes, the pages of that group are unpinned.
 *
 * Locking: when devices are called, devices_mutex is held, and no other lock of this file: devices
 * call us back to unpin, with locks of their own held. Order: devices_mutex -> locks of drivers ->
 * holds_mutex -> pins_rwsem of the notifier -> domains_rwsem.
 */
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vfio.h>

#include "area_flags.h"
#include "emulated.h"
#include "space/area.h"
#include "space/ioas.h"
#include "space/notifier.h"
#include "space/unmap.h"
#include "stock.h"

static void tell_devices(void *data, unsigned long iova, unsigned long nbytes)
{
	struct emulated *emulated = data;
	struct vfio_device *vdev;

	mutex_lock(&emulated->devices_mutex);
	list_for_each_entry(vdev, &emulated->devices, iommu_entry)
		vdev->ops->dma_unmap(vdev, iova, nbytes);
	mutex_unlock(&emulated->devices_mutex);
}

void emulated_init(struct emulated *emulated, struct ioas_ctx *ctx,
		   const struct emulated_ops *ops)
{
	*emulated = (struct emulated){ .ctx = ctx, .ops = ops };
	mutex_init(&emulated->devices_mutex);
	INIT_LIST_HEAD(&emulated->devices);
	mutex_init(&emulated->holds_mutex);
	xa_init_flags(&emulated->holds, XA_FLAGS_ACCOUNT);
}

void emulated_destroy(struct emulated *emulated)
{
	WARN_ON(emulated->nusers || !xa_empty(&emulated->holds));
	xa_destroy(&emulated->holds);
	mutex_destroy(&emulated->holds_mutex);
	mutex_destroy(&emulated->devices_mutex);
}

/*
 * Becomes an in-kernel user of @ioas. Each time has its own notifier, as it is removed without
 * holds_mutex. -EINVAL if an area does not consist of whole pages.
 */
static int use_ioas(struct emulated *emulated, struct ioas *ioas)
{
	struct ioas_notifier *notifier = kzalloc(sizeof(*notifier), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!notifier)
		return -ENOMEM;
	notifier->unmap = tell_devices;
	notifier->data = emulated;
	notifier->pins = true;
	ret = ioas_notifier_add(notifier, ioas);
	if (ret) {
		kfree(notifier);
		return ret == -EADDRINUSE ? -EINVAL : ret;
	}
	emulated->notifier = notifier;
	WRITE_ONCE(emulated->ioas, ioas);
	return 0;
}

/* Becomes an in-kernel user of the IOAS of container ioctls; -ENODEV if there is none. */
static int use_selected(struct emulated *emulated)
{
	struct ioas *ioas = ioas_get_default(emulated->ctx);
	int ret;

	if (!ioas)
		return -ENODEV;
	ret = use_ioas(emulated, ioas);
	ioas_put(ioas);
	return ret;
}

/*
 * Becomes an in-kernel user, unless it is one already, and so keeps the IOAS: @ioas or, if that is
 * NULL, the one of container ioctls. On success holds_mutex is held.
 */
static int join_and_lock(struct emulated *emulated, struct ioas *ioas)
{
	int ret = 0;

	mutex_lock(&emulated->holds_mutex);
	if (!emulated->ioas)
		ret = ioas ? use_ioas(emulated, ioas) : use_selected(emulated);
	if (ret)
		mutex_unlock(&emulated->holds_mutex);
	return ret;
}

static void count_user(struct emulated *emulated)
{
	mutex_lock(&emulated->holds_mutex);
	emulated->nusers++;
	mutex_unlock(&emulated->holds_mutex);
}

/*
 * Releases holds_mutex, and stops using the IOAS if there are neither users nor holds; a device
 * without a callback has holds and is no user. Waits for threads that are telling devices.
 */
static void unlock_and_quit(struct emulated *emulated)
{
	struct ioas_notifier *notifier = NULL;

	if (!emulated->nusers && xa_empty(&emulated->holds)) {
		swap(notifier, emulated->notifier);
		WRITE_ONCE(emulated->ioas, NULL);
	}
	mutex_unlock(&emulated->holds_mutex);
	if (!notifier)
		return;
	ioas_notifier_remove(notifier);
	kfree(notifier);
}

static void uncount_user(struct emulated *emulated)
{
	mutex_lock(&emulated->holds_mutex);
	emulated->nusers--;
	unlock_and_quit(emulated);
}

static int count_group(struct emulated *emulated)
{
	struct ioas *ioas = emulated->ioas;
	int ret;

	/* The lock keeps addresses from becoming void in between; later the count does. */
	down_write(&ioas->domains_rwsem);
	ret = emulated->ops->check(ioas);
	if (!ret)
		WRITE_ONCE(emulated->ngroups, emulated->ngroups + 1);
	up_write(&ioas->domains_rwsem);
	return ret;
}

int emulated_add_group(struct emulated *emulated, struct ioas *ioas)
{
	int ret;

	count_user(emulated);
	ret = join_and_lock(emulated, ioas);
	if (!ret) {
		mutex_unlock(&emulated->holds_mutex);
		ret = count_group(emulated);
	}
	if (ret)
		uncount_user(emulated);
	return ret;
}

void emulated_remove_group(struct emulated *emulated)
{
	struct ioas *ioas = emulated->ioas;

	down_write(&ioas->domains_rwsem);
	WRITE_ONCE(emulated->ngroups, emulated->ngroups - 1);
	if (!emulated->ngroups && list_empty(&ioas->mirrors))
		ioas_empty(ioas);
	else
		downgrade_write(&ioas->domains_rwsem);
	ioas_leave(ioas);
	uncount_user(emulated);
}

void emulated_register(struct emulated *emulated, struct vfio_device *vdev)
{
	if (!vdev->ops->dma_unmap)
		return;
	count_user(emulated);
	mutex_lock(&emulated->devices_mutex);
	list_add(&vdev->iommu_entry, &emulated->devices);
	mutex_unlock(&emulated->devices_mutex);
}

static unsigned long index_to_iova(unsigned long index)
{
	return index << PAGE_SHIFT;
}

/*
 * Work on pages one after another, in the IOAS. Their area is kept busy, and its owner paid, once
 * for all successive pages in the same area.
 */
struct visit {
	struct emulated *emulated;
	struct ioas_area *area;		/* kept busy; or NULL */
	struct account_refund refund;	/* of the area's owner */
	bool joins;			/* pins a page that only other groups hold */
};

static void visit_end(struct visit *visit)
{
	if (!visit->area)
		return;
	account_pay(&visit->refund);
	area_put(visit->emulated->ioas, visit->area);
	visit->area = NULL;
}

/* Does a page lie in the area that is kept busy? If not, ends the visit of that area. */
static bool visits_area(struct visit *visit, unsigned long index)
{
	unsigned long iova = index_to_iova(index);
	struct ioas_area *area = visit->area;

	if (area && iova >= area->first_iova && iova <= area->last_iova)
		return true;
	visit_end(visit);
	return false;
}

/* The area in which a page lies, or an error as from area_get(). */
static struct ioas_area *visit_area(struct visit *visit, unsigned long index)
{
	struct ioas_area *area;

	if (visits_area(visit, index))
		return visit->area;
	area = area_get(visit->emulated->ioas, index_to_iova(index));
	if (!IS_ERR(area))
		visit->area = area;
	return area;
}

/* As visit_area(), for a page that is held. NULL if the area has no pin, which is a bug. */
static struct ioas_area *visit_pinned_area(struct visit *visit, unsigned long index)
{
	if (!visits_area(visit, index))
		visit->area = area_get_pinned(visit->emulated->ioas,
					      index_to_iova(index));
	return visit->area;
}

/* Unpins a page that no driver holds any more, and notes it as dirty once more. */
static void let_go(struct visit *visit, struct held_page *hold, unsigned long index)
{
	struct emulated *emulated = visit->emulated;
	struct ioas_area *area = visit_pinned_area(visit, index);

	lockdep_assert_held(&emulated->holds_mutex);
	/* The pin keeps the area from ending. */
	if (!WARN_ON(!area)) {
		emulated->ops->wrote(emulated->ioas, area, index_to_iova(index), PAGE_SIZE);
		area_drop_hold(emulated->ioas, area, &hold->pin, &visit->refund);
	}
	xa_erase(&emulated->holds, index);
	kfree(hold);
}

/* The number of a group: its bit in held_page->groups. Few containers have two with the same. */
static unsigned int group_number(struct iommu_group *group)
{
	return iommu_group_id(group) % BITS_PER_LONG;
}

/* Unpins pages that only groups with this number hold; no device of these groups is open. */
static void take_away(struct emulated *emulated, unsigned int number)
{
	struct visit visit = { .emulated = emulated };
	struct held_page *hold;
	unsigned long index;

	lockdep_assert_held(&emulated->holds_mutex);
	if (xa_empty(&emulated->holds))
		return;
	ioas_enter(emulated->ioas);
	xa_for_each(&emulated->holds, index, hold) {
		hold->groups &= ~BIT(number);
		if (!hold->groups)
			let_go(&visit, hold, index);
		cond_resched();
	}
	visit_end(&visit);
	ioas_leave(emulated->ioas);
}

void emulated_note_group(struct emulated *emulated, struct iommu_group *group)
{
	mutex_lock(&emulated->holds_mutex);
	emulated->nattached[group_number(group)]++;
	mutex_unlock(&emulated->holds_mutex);
}

void emulated_forget_group(struct emulated *emulated, struct iommu_group *group)
{
	unsigned int number = group_number(group);

	mutex_lock(&emulated->holds_mutex);
	if (!--emulated->nattached[number])
		take_away(emulated, number);
	unlock_and_quit(emulated);
}

/* Unpins the pages of a group, none of whose devices is open. */
static void close_group(struct emulated *emulated, struct iommu_group *group)
{
	unsigned int number = group_number(group);

	mutex_lock(&emulated->holds_mutex);
	/* With more groups of this number, an open device of another one may hold the pages. */
	if (emulated->nattached[number] == 1)
		take_away(emulated, number);
	mutex_unlock(&emulated->holds_mutex);
}

/*
 * Takes a device off the list, and tells whether it was there and whether @others of its group are.
 * A device is missing if it was opened while vfio.ko had no number for the container yet. On 6.1 a
 * device that is just being opened is missing, too, but then no other one of its group is closed.
 */
static bool remove_device(struct emulated *emulated, struct vfio_device *vdev, bool *others)
{
	struct vfio_device *other, *next;
	bool found = false;

	lockdep_assert_held(&emulated->devices_mutex);
	list_for_each_entry_safe(other, next, &emulated->devices, iommu_entry) {
		if (other == vdev) {
			list_del(&vdev->iommu_entry);
			found = true;
		} else if (other->dev->iommu_group == vdev->dev->iommu_group) {
			*others = true;
		}
	}
	return found;
}

void emulated_unregister(struct emulated *emulated, struct vfio_device *vdev)
{
	bool found, others = false;

	if (!vdev->ops->dma_unmap)
		return;
	mutex_lock(&emulated->devices_mutex);
	found = remove_device(emulated, vdev, &others);
	/* Still under devices_mutex: an unmap that does not find the device finds no pins of it. */
	if (!others)
		close_group(emulated, vdev->dev->iommu_group);
	mutex_unlock(&emulated->devices_mutex);
	if (found)
		uncount_user(emulated);
}

/* The errno for drivers after area_get() failed. */
static int no_area(const struct ioas_area *area)
{
	return PTR_ERR(area) == -ENOENT ? -EINVAL : PTR_ERR(area);
}

/* May a driver access an area with @prot? */
static int check_use(const struct ioas_area *area, int prot)
{
	if ((area->iommu_prot & prot) != prot)
		return -EPERM;
	return READ_ONCE(area->flags) & AREA_NO_VADDR ? -EBUSY : 0;
}

/* Pins a page that no driver holds yet. */
static struct held_page *add_hold(struct emulated *emulated, struct ioas_area *area,
				  unsigned long index)
{
	struct account_refund refund = { };
	struct held_page *hold;
	int ret;

	/* As in stock type1, also if the page is pinned for a domain. */
	if (area_owner_is_gone(area))
		return ERR_PTR(-ENODEV);
	hold = kzalloc(sizeof(*hold), GFP_KERNEL_ACCOUNT);
	if (!hold)
		return ERR_PTR(-ENOMEM);
	ret = area_add_hold(emulated->ioas, area, &hold->pin,
			    area_index(area, index_to_iova(index)));
	if (ret)
		goto free_hold;
	ret = xa_err(xa_store(&emulated->holds, index, hold, GFP_KERNEL_ACCOUNT));
	if (ret)
		goto drop_hold;
	return hold;

drop_hold:
	area_drop_hold(emulated->ioas, area, &hold->pin, &refund);
	account_pay(&refund);
free_hold:
	kfree(hold);
	return ERR_PTR(ret);
}

static int pin_page(struct visit *visit, unsigned int number, unsigned long index, int prot,
		    struct page **page)
{
	struct emulated *emulated = visit->emulated;
	struct ioas_area *area = visit_area(visit, index);
	struct held_page *hold;
	int ret;

	if (IS_ERR(area))
		return no_area(area);
	ret = check_use(area, prot);
	if (ret)
		return ret;
	/* Otherwise an unmap that waits for the last pin might never end. */
	if (area_is_told(area))
		return -EINVAL;
	hold = xa_load(&emulated->holds, index);
	if (!hold) {
		hold = add_hold(emulated, area, index);
		if (IS_ERR(hold))
			return PTR_ERR(hold);
		hold->groups = BIT(number);
	}
	visit->joins |= !(hold->groups & BIT(number));
	hold->npins++;
	*page = hold->pin.page;
	return 0;
}

static void unpin_page(struct visit *visit, unsigned long index)
{
	struct held_page *hold = xa_load(&visit->emulated->holds, index);

	if (hold && !--hold->npins)
		let_go(visit, hold, index);
}

/*
 * Notes that a group holds pages that other groups hold, too. Comes when all pages are pinned,
 * since pin_pages() could not undo it.
 */
static void note_joined(struct emulated *emulated, unsigned int number, unsigned long index,
			unsigned long npages)
{
	struct held_page *hold;

	lockdep_assert_held(&emulated->holds_mutex);
	while (npages--) {
		hold = xa_load(&emulated->holds, index++);
		hold->groups |= BIT(number);
	}
}

static int pin_pages(struct emulated *emulated, unsigned int number, unsigned long index,
		     unsigned long npages, int prot, struct page **pages)
{
	struct visit visit = { .emulated = emulated };
	unsigned long i;
	int ret = 0;

	for (i = 0; i < npages; i++) {
		ret = -EINVAL;
		/* As in stock type1, an error of an earlier page comes first. */
		if (index + i <= ULONG_MAX >> PAGE_SHIFT)
			ret = pin_page(&visit, number, index + i, prot, &pages[i]);
		if (ret)
			break;
	}
	if (ret) {
		memset(pages, 0, npages * sizeof(*pages));
		while (i--)
			unpin_page(&visit, index + i);
	} else if (visit.joins) {
		note_joined(emulated, number, index, npages);
	}
	visit_end(&visit);
	return ret;
}

int emulated_pin(struct emulated *emulated, struct iommu_group *group, unsigned long iova,
		 unsigned long npages, int prot, struct page **pages)
{
	unsigned long index = iova >> PAGE_SHIFT;
	int ret;

	/* Older kernels see that the range wraps when they reach its end, as does pin_pages(). */
	if (STOCK_IS_INCLUSIVE && iova + (npages << PAGE_SHIFT) - 1 < iova)
		return -EOVERFLOW;
	if (list_empty(&emulated->devices))
		return -EINVAL;
	ret = join_and_lock(emulated, NULL);
	if (ret)
		return ret;
	ioas_notifier_begin_pin(emulated->notifier);
	ioas_enter(emulated->ioas);
	ret = pin_pages(emulated, group_number(group), index, npages, prot, pages);
	ioas_leave(emulated->ioas);
	ioas_notifier_end_pin(emulated->notifier);
	mutex_unlock(&emulated->holds_mutex);
	return ret;
}

void emulated_unpin(struct emulated *emulated, unsigned long iova, unsigned long npages)
{
	struct visit visit = { .emulated = emulated };
	unsigned long index = iova >> PAGE_SHIFT;

	mutex_lock(&emulated->holds_mutex);
	if (!xa_empty(&emulated->holds)) {
		ioas_enter(emulated->ioas);
		while (npages--)
			unpin_page(&visit, index++);
		visit_end(&visit);
		ioas_leave(emulated->ioas);
	}
	mutex_unlock(&emulated->holds_mutex);
}

static int rw_in_area(struct ioas_area *area, unsigned long iova, void *data,
		      unsigned long nbytes, bool write)
{
	int ret;

	ret = check_use(area, write ? IOMMU_READ | IOMMU_WRITE : IOMMU_READ);
	if (!ret && area_owner_is_gone(area))
		ret = -EPERM;
	if (ret)
		return ret;
	return area_copy(area, iova, data, nbytes, write) ? -EFAULT : 0;
}

/* Copies up to the end of an area. Returns how many bytes, or -errno. */
static long rw_next(struct emulated *emulated, struct ioas *ioas, unsigned long iova, void *data,
		    size_t nbytes, bool write)
{
	struct ioas_area *area = area_get(ioas, iova);
	int ret;

	if (IS_ERR(area))
		return no_area(area);
	nbytes = min(nbytes, area->last_iova - iova + 1);
	ret = rw_in_area(area, iova, data, nbytes, write);
	if (!ret && write)
		emulated->ops->wrote(ioas, area, iova, nbytes);
	area_put(ioas, area);
	return ret ?: (long)nbytes;
}

int emulated_rw(struct emulated *emulated, unsigned long iova, void *data, size_t nbytes,
		bool write)
{
	struct ioas *ioas = ioas_get_default(emulated->ctx);
	long n = 0;

	if (!ioas)
		return -EINVAL;
	ioas_enter(ioas);
	while (nbytes) {
		n = rw_next(emulated, ioas, iova, data, nbytes, write);
		if (n < 0)
			break;
		iova += n;
		data += n;
		nbytes -= n;
	}
	ioas_leave(ioas);
	ioas_put(ioas);
	return n < 0 ? n : 0;
}

void emulated_report_held(struct emulated *emulated, const struct ioas *ioas,
			  unsigned long first_index, unsigned long last_index,
			  unsigned long *bits, unsigned long first_bit)
{
	unsigned long index;
	void *hold;

	if (READ_ONCE(emulated->ioas) != ioas)
		return;
	xa_for_each_range(&emulated->holds, index, hold, first_index, last_index)
		__set_bit(first_bit + (index - first_index), bits);
}

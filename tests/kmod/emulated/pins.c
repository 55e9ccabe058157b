// SPDX-License-Identifier: GPL-2.0-only
/*
 * pins: the pages that a device has pinned, and how it reacts when they are unmapped.
 *
 * A page that was pinned several times at one IOVA is one entry with a count. All functions hold
 * the device's pins_lock, except for pins with EMULATED_NOTES_LATER.
 */
#include <linux/delay.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "emulated.h"

/* vfio.ko accepts half of it at once; a test asks for more to see it refuse. */
#define MAX_PAGES	1024

struct pin {
	struct page *page;
	unsigned int count;
};

void pins_init(struct emulated *emulated)
{
	mutex_init(&emulated->pins_lock);
	xa_init(&emulated->pins);
	init_waitqueue_head(&emulated->called_back);
}

/* --- the notes */

static int remember(struct emulated *emulated, unsigned long iova, struct page *page)
{
	struct pin *pin = xa_load(&emulated->pins, iova);
	int ret;

	lockdep_assert_held(&emulated->pins_lock);
	if (!pin) {
		pin = kzalloc(sizeof(*pin), GFP_KERNEL);
		if (!pin)
			return -ENOMEM;
		ret = xa_err(xa_store(&emulated->pins, iova, pin, GFP_KERNEL));
		if (ret) {
			kfree(pin);
			return ret;
		}
	}
	pin->page = page;
	pin->count++;
	emulated->info.npins++;
	return 0;
}

/* Undoes one remember(), if there was one. */
static void forget(struct emulated *emulated, unsigned long iova)
{
	struct pin *pin = xa_load(&emulated->pins, iova);

	lockdep_assert_held(&emulated->pins_lock);
	if (!pin)
		return;
	emulated->info.npins--;
	if (--pin->count)
		return;
	xa_erase(&emulated->pins, iova);
	kfree(pin);
}

/* --- pin and unpin */

/* Notes pages that were pinned; unpins them if that fails. Returns how many, or -errno. */
static int note_range(struct emulated *emulated, const struct emulated_pin *range, int npinned,
		      struct page **pages)
{
	int i, ret = 0;

	lockdep_assert_held(&emulated->pins_lock);
	for (i = 0; i < npinned; i++) {
		ret = remember(emulated, range->iova + i * PAGE_SIZE, pages[i]);
		if (ret)
			goto unpin;
	}
	return npinned;

unpin:
	while (i--)
		forget(emulated, range->iova + i * PAGE_SIZE);
	vfio_unpin_pages(&emulated->vdev, range->iova, npinned);
	return ret;
}

static int pin_range(struct emulated *emulated, const struct emulated_pin *range,
		     struct page **pages)
{
	int npinned;

	lockdep_assert_held(&emulated->pins_lock);
	npinned = vfio_pin_pages(&emulated->vdev, range->iova, range->npages, range->prot, pages);
	return note_range(emulated, range, npinned, pages);
}

/* Changes the number of pins that are not noted. Returns how many callbacks there were so far. */
static u32 add_unnoted(struct emulated *emulated, int npages)
{
	u32 ncallbacks;

	mutex_lock(&emulated->pins_lock);
	emulated->info.nunnoted += npages;
	ncallbacks = emulated->info.ncallbacks;
	mutex_unlock(&emulated->pins_lock);
	return ncallbacks;
}

/* As pin_range(), for EMULATED_NOTES_LATER. */
static int pin_and_note_later(struct emulated *emulated, const struct emulated_pin *range,
			      struct page **pages)
{
	u32 ncallbacks;
	int npinned;

	npinned = vfio_pin_pages(&emulated->vdev, range->iova, range->npages, range->prot, pages);
	if (npinned <= 0)
		return npinned;
	ncallbacks = add_unnoted(emulated, npinned);
	wait_event_timeout(emulated->called_back,
			   READ_ONCE(emulated->info.ncallbacks) != ncallbacks, 10 * HZ);
	msleep(50);
	add_unnoted(emulated, -npinned);
	mutex_lock(&emulated->pins_lock);
	npinned = note_range(emulated, range, npinned, pages);
	mutex_unlock(&emulated->pins_lock);
	return npinned;
}

static bool notes_later(struct emulated *emulated)
{
	bool later;

	mutex_lock(&emulated->pins_lock);
	later = emulated->behaviour.flags & EMULATED_NOTES_LATER;
	mutex_unlock(&emulated->pins_lock);
	return later;
}

int pins_add(struct emulated *emulated, const struct emulated_pin *range)
{
	struct page **pages;
	int ret;

	if (range->npages > MAX_PAGES)
		return -E2BIG;
	pages = kcalloc(MAX_PAGES, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return -ENOMEM;
	if (notes_later(emulated)) {
		ret = pin_and_note_later(emulated, range, pages);
	} else {
		mutex_lock(&emulated->pins_lock);
		ret = pin_range(emulated, range, pages);
		mutex_unlock(&emulated->pins_lock);
	}
	kfree(pages);
	return ret;
}

/* Undoes one pin of a page, if the device has one. */
static void unpin_own(struct emulated *emulated, unsigned long iova)
{
	if (!xa_load(&emulated->pins, iova))
		return;
	vfio_unpin_pages(&emulated->vdev, iova, 1);
	forget(emulated, iova);
}

int pins_remove(struct emulated *emulated, const struct emulated_pin *range)
{
	bool own;
	int i;

	/* Otherwise vfio.ko would warn. */
	if (range->npages <= 0 || range->npages > MAX_PAGES / 2)
		return -EINVAL;
	mutex_lock(&emulated->pins_lock);
	own = emulated->behaviour.flags & EMULATED_UNPINS_OWN;
	if (!own)
		vfio_unpin_pages(&emulated->vdev, range->iova, range->npages);
	for (i = 0; i < range->npages; i++) {
		if (own)
			unpin_own(emulated, range->iova + i * PAGE_SIZE);
		else
			forget(emulated, range->iova + i * PAGE_SIZE);
	}
	mutex_unlock(&emulated->pins_lock);
	return 0;
}

static void give_back(struct emulated *emulated, unsigned long iova, struct pin *pin)
{
	unsigned int count = pin->count;

	while (count--) {
		vfio_unpin_pages(&emulated->vdev, iova, 1);
		forget(emulated, iova);
	}
}

/* --- open, close, callbacks, and other ioctls */

void pins_open(struct emulated *emulated, bool pin_one)
{
	const struct emulated_pin first_page = { .npages = 1 };
	int ret = pin_one ? pins_add(emulated, &first_page) : 0;

	mutex_lock(&emulated->pins_lock);
	emulated->info.open_pin = ret;
	mutex_unlock(&emulated->pins_lock);
}

/* Resets the device for the next open. */
void pins_close(struct emulated *emulated)
{
	struct pin *pin;
	unsigned long iova;

	mutex_lock(&emulated->pins_lock);
	xa_for_each(&emulated->pins, iova, pin) {
		if (!(emulated->behaviour.flags & EMULATED_KEEPS_ON_CLOSE)) {
			give_back(emulated, iova, pin);
			continue;
		}
		xa_erase(&emulated->pins, iova);
		kfree(pin);
	}
	memset(&emulated->behaviour, 0, sizeof(emulated->behaviour));
	memset(&emulated->info, 0, sizeof(emulated->info));
	mutex_unlock(&emulated->pins_lock);
}

static void log_callback(struct emulated_info *info, unsigned long iova, unsigned long nbytes)
{
	memmove(&info->log[1], &info->log[0], sizeof(info->log) - sizeof(info->log[0]));
	info->log[0].iova = iova;
	info->log[0].nbytes = nbytes;
	info->ncallbacks++;
}

static void pin_again(struct emulated *emulated, unsigned long iova)
{
	const struct emulated_pin range = { .iova = iova, .npages = 1 };
	struct page *page;

	emulated->info.repin = pin_range(emulated, &range, &page);
}

void pins_unmapped(struct emulated *emulated, unsigned long iova, unsigned long last_iova)
{
	struct emulated_behave *behaviour = &emulated->behaviour;
	struct pin *pin;
	unsigned long at;

	mutex_lock(&emulated->pins_lock);
	log_callback(&emulated->info, iova, last_iova - iova + 1);
	if (behaviour->nignored) {
		behaviour->nignored--;
		goto unlock;
	}
	xa_for_each_range(&emulated->pins, at, pin, iova, last_iova) {
		give_back(emulated, at, pin);
		if (behaviour->flags & EMULATED_REPINS)
			pin_again(emulated, at);
	}
unlock:
	mutex_unlock(&emulated->pins_lock);
	wake_up_all(&emulated->called_back);
}

void pins_behave(struct emulated *emulated, const struct emulated_behave *behaviour)
{
	mutex_lock(&emulated->pins_lock);
	emulated->behaviour = *behaviour;
	mutex_unlock(&emulated->pins_lock);
}

void pins_info(struct emulated *emulated, struct emulated_info *info)
{
	mutex_lock(&emulated->pins_lock);
	*info = emulated->info;
	mutex_unlock(&emulated->pins_lock);
}

/* Copies up to the end of a page. Returns how many bytes, or -ENOENT. */
static long copy_one_page(struct emulated *emulated, unsigned long iova, void *data,
			  unsigned long nbytes, bool to_page)
{
	const struct pin *pin = xa_load(&emulated->pins, iova & PAGE_MASK);
	unsigned long offset = offset_in_page(iova);

	lockdep_assert_held(&emulated->pins_lock);
	if (!pin)
		return -ENOENT;
	nbytes = min(nbytes, PAGE_SIZE - offset);
	if (to_page)
		memcpy_to_page(pin->page, offset, data, nbytes);
	else
		memcpy_from_page(data, pin->page, offset, nbytes);
	return nbytes;
}

int pins_copy(struct emulated *emulated, unsigned long iova, void *data, unsigned long nbytes,
	      bool to_pages)
{
	unsigned long at = 0;
	long ret = 0;

	mutex_lock(&emulated->pins_lock);
	while (at < nbytes) {
		ret = copy_one_page(emulated, iova + at, data + at, nbytes - at, to_pages);
		if (ret < 0)
			break;
		at += ret;
	}
	mutex_unlock(&emulated->pins_lock);
	return ret < 0 ? ret : 0;
}

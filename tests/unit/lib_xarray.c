// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arrays; shim/xarray.h declares them.
 */
#include "kernel.h"
#include "lib_run.h"

void xa_init_flags(struct xarray *xa, unsigned int flags)
{
	memset(xa, 0, sizeof(*xa));
	xa->lowest = flags & XA_FLAGS_ALLOC1;
}

bool xa_empty(const struct xarray *xa)
{
	unsigned int i;

	for (i = 0; i < SHIM_XA_SLOTS; i++)
		if (xa->reserved[i])
			return false;
	return true;
}

void xa_destroy(struct xarray *xa)
{
	expect(!xa->xa_lock.shim.written);
}

int xa_alloc(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit, gfp_t gfp)
{
	shim_might_sleep();
	if (shim_fail_now())
		return -ENOMEM;
	for (*id = xa->lowest; *id <= limit.max; ++*id) {
		if (xa->reserved[*id])
			continue;
		xa->reserved[*id] = true;
		xa->entries[*id] = entry;
		return 0;
	}
	return -EBUSY;
}

void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	void *old = xa->entries[index];

	expect(xa->reserved[index]);
	xa->entries[index] = entry;
	return old;
}

void *xa_load(struct xarray *xa, unsigned long index)
{
	return index < SHIM_XA_SLOTS ? xa->entries[index] : NULL;
}

void *__xa_erase(struct xarray *xa, unsigned long index)
{
	void *old = xa->entries[index];

	lockdep_assert_held(&xa->xa_lock);
	xa->reserved[index] = false;
	xa->entries[index] = NULL;
	return old;
}

void *xa_erase(struct xarray *xa, unsigned long index)
{
	void *old;

	xa_lock(xa);
	old = __xa_erase(xa, index);
	xa_unlock(xa);
	return old;
}

void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max,
	      unsigned int filter)
{
	unsigned long i;

	for (i = *index; i < SHIM_XA_SLOTS && i <= max; i++) {
		if (xa->entries[i]) {
			*index = i;
			return xa->entries[i];
		}
	}
	return NULL;
}

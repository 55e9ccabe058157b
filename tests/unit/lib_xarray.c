// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arrays; shim/xarray.h declares them.
 */
#include "kernel.h"
#include "lib_run.h"

void xa_init_flags(struct xarray *xa, unsigned int flags)
{
	memset(xa, 0, sizeof(*xa));
	spin_lock_init(&xa->xa_lock);
	xa->lowest = flags & XA_FLAGS_ALLOC1;
}

bool xa_empty(const struct xarray *xa)
{
	return !xa->nslots;
}

void xa_destroy(struct xarray *xa)
{
	expect(!xa->xa_lock.shim.written);
	xa->nslots = 0;
}

/* The first slot whose index is not below @index. */
static unsigned int find_slot(const struct xarray *xa, unsigned long index)
{
	unsigned int i;

	for (i = 0; i < xa->nslots && xa->indices[i] < index; i++)
		;
	return i;
}

static bool is_taken(const struct xarray *xa, unsigned int slot, unsigned long index)
{
	return slot < xa->nslots && xa->indices[slot] == index;
}

static void insert_slot(struct xarray *xa, unsigned int slot, unsigned long index, void *entry)
{
	expect(xa->nslots < SHIM_XA_SLOTS);
	memmove(&xa->indices[slot + 1], &xa->indices[slot],
		(xa->nslots - slot) * sizeof(xa->indices[0]));
	memmove(&xa->entries[slot + 1], &xa->entries[slot],
		(xa->nslots - slot) * sizeof(xa->entries[0]));
	xa->indices[slot] = index;
	xa->entries[slot] = entry;
	xa->nslots++;
}

int xa_alloc(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit, gfp_t gfp)
{
	unsigned int slot;

	shim_might_sleep();
	if (shim_fail_now())
		return -ENOMEM;
	for (*id = xa->lowest; *id <= limit.max; ++*id) {
		slot = find_slot(xa, *id);
		if (is_taken(xa, slot, *id))
			continue;
		insert_slot(xa, slot, *id, entry);
		return 0;
	}
	return -EBUSY;
}

void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	unsigned int slot = find_slot(xa, index);
	void *old;

	/* A slot that is taken needs no memory. */
	if (!is_taken(xa, slot, index)) {
		if (shim_fail_now())
			return ERR_PTR(-ENOMEM);
		insert_slot(xa, slot, index, entry);
		return NULL;
	}
	old = xa->entries[slot];
	xa->entries[slot] = entry;
	return old;
}

void *xa_load(struct xarray *xa, unsigned long index)
{
	unsigned int slot = find_slot(xa, index);

	return is_taken(xa, slot, index) ? xa->entries[slot] : NULL;
}

void *__xa_erase(struct xarray *xa, unsigned long index)
{
	unsigned int slot = find_slot(xa, index);
	void *old;

	lockdep_assert_held(&xa->xa_lock);
	if (!is_taken(xa, slot, index))
		return NULL;
	old = xa->entries[slot];
	xa->nslots--;
	memmove(&xa->indices[slot], &xa->indices[slot + 1],
		(xa->nslots - slot) * sizeof(xa->indices[0]));
	memmove(&xa->entries[slot], &xa->entries[slot + 1],
		(xa->nslots - slot) * sizeof(xa->entries[0]));
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
	unsigned int slot;

	if (!shim_atomic)
		shim_yield();
	for (slot = find_slot(xa, *index); slot < xa->nslots; slot++) {
		if (xa->indices[slot] > max)
			break;
		if (xa->entries[slot]) {
			void *entry = xa->entries[slot];

			*index = xa->indices[slot];
			/* Without the lock an entry may be erased before the caller uses it. */
			if (!shim_atomic)
				shim_yield();
			return entry;
		}
	}
	return NULL;
}

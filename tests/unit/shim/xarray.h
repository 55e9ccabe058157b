/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's arrays that grow, with a limit.
 */
#ifndef SHIM_XARRAY_H
#define SHIM_XARRAY_H

#define SHIM_XA_SLOTS	512

struct xarray {
	spinlock_t xa_lock;
	unsigned int lowest;			/* the first index that xa_alloc() gives */
	unsigned int nslots;			/* in use, ascending; entries may be NULL */
	unsigned long indices[SHIM_XA_SLOTS];
	void *entries[SHIM_XA_SLOTS];
};

struct xa_limit {
	u32 max;
};

#define XA_FLAGS_ALLOC		0
#define XA_FLAGS_ALLOC1		1
#define XA_FLAGS_ACCOUNT	0
#define XA_PRESENT		0
#define xa_limit_31b		((struct xa_limit){ SHIM_XA_SLOTS - 1 })
#define xa_limit_32b		xa_limit_31b

#define xa_lock(xa)		spin_lock(&(xa)->xa_lock)
#define xa_unlock(xa)		spin_unlock(&(xa)->xa_lock)

void xa_init_flags(struct xarray *xa, unsigned int flags);
void xa_destroy(struct xarray *xa);
bool xa_empty(const struct xarray *xa);
int xa_alloc(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit, gfp_t gfp);
void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp);
void *xa_load(struct xarray *xa, unsigned long index);
void *xa_erase(struct xarray *xa, unsigned long index);
void *__xa_erase(struct xarray *xa, unsigned long index);	/* xa_lock held */

/* The error of xa_store(), or 0. */
static inline int xa_err(void *entry)
{
	return IS_ERR(entry) ? (int)PTR_ERR(entry) : 0;
}

/* The first entry at or above *@index; sets *@index. NULL if there is none up to @max. */
void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max,
	      unsigned int filter);

#define xa_for_each(xa, index, entry)						\
	for (index = 0; (entry = xa_find(xa, &index, ULONG_MAX, XA_PRESENT)); index++)

#define xa_for_each_range(xa, index, entry, first, last)			\
	for (index = first; (entry = xa_find(xa, &index, last, XA_PRESENT)); index++)

#endif

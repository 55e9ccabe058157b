/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vaddr: mappings that get a new user address, maybe of another process.
 */
#ifndef VFIO_IOAS_VADDR_H
#define VFIO_IOAS_VADDR_H

#include <linux/types.h>

struct ioas;
struct type1;

/**
 * vaddr_any_void() - does a mapping wait for a new address?
 * @ioas: the IOAS
 *
 * Context: domains_rwsem held for writing.
 */
bool vaddr_any_void(struct ioas *ioas);

/**
 * vaddr_void() - VFIO_DMA_UNMAP_FLAG_VADDR: addresses are not valid any more
 * @type1: the container
 * @ioas: its IOAS, which the caller neither entered nor lets end
 * @iova: first address of the range
 * @last_iova: last address, inclusive
 * @nbytes: receives the length of the mappings it was done for
 *
 * Which mappings that are is as for an unmap. They stay mapped and pinned.
 *
 * Context: takes domains_rwsem for writing.
 * Return: 0, or with nothing changed: -EINVAL if a border lies in a mapping (v2), or an
 * address is void already; -EBUSY with emulated devices, which may need it.
 */
int vaddr_void(struct type1 *type1, struct ioas *ioas, unsigned long iova,
	       unsigned long last_iova, unsigned long *nbytes);

/**
 * vaddr_set() - VFIO_DMA_MAP_FLAG_VADDR: a mapping gets its new address
 * @ioas: the IOAS, which the caller neither entered nor lets end
 * @iova: first address of the mapping
 * @nbytes: its length
 * @uptr: where the calling process has its memory, page aligned; is not looked at
 *
 * Context: takes domains_rwsem for writing; a process with an mm. May sleep.
 * Return: 0, or with nothing changed: -ENOENT if nothing is mapped in the range; -EINVAL if
 * that is not exactly one mapping without an address; as area_change_owner().
 */
int vaddr_set(struct ioas *ioas, unsigned long iova, unsigned long nbytes,
	      unsigned long uptr);

#endif

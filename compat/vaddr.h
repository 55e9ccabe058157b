/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vaddr: mappings that get a new user address, maybe of another process.
 */
#ifndef VFIO_IOAS_VADDR_H
#define VFIO_IOAS_VADDR_H

#include "space/unmap.h"

struct ioas;

/**
 * vaddr_any_void() - does a mapping wait for a new address?
 * @ioas: the IOAS
 *
 * Context: domains_rwsem held for writing.
 */
bool vaddr_any_void(struct ioas *ioas);

/**
 * vaddr_void() - VFIO_DMA_UNMAP_FLAG_VADDR: addresses are not valid any more
 * @ioas: the IOAS
 * @iova: first address of the range
 * @last_iova: last address, inclusive
 * @rule: which mappings that are, as for an unmap
 * @nbytes: receives the length of the mappings it was done for
 *
 * They stay mapped and pinned.
 *
 * Context: domains_rwsem held for writing; no in-kernel user needs the addresses.
 * Return: 0, or with nothing changed: -EINVAL if a border lies in a mapping (UNMAP_WHOLE), or an
 * address is void already.
 */
int vaddr_void(struct ioas *ioas, unsigned long iova, unsigned long last_iova,
	       enum ioas_unmap_rule rule, unsigned long *nbytes);

/**
 * vaddr_set() - VFIO_DMA_MAP_FLAG_VADDR: a mapping gets its new address
 * @ioas: the IOAS
 * @iova: first address of the mapping
 * @nbytes: its length
 * @uptr: where the calling process has its memory, page aligned; is not looked at
 *
 * Context: domains_rwsem held for writing; a process with an mm. May sleep.
 * Return: 0, or with nothing changed: -ENOENT if nothing is mapped in the range; -EINVAL if
 * that is not exactly one mapping without an address; as area_change_owner().
 */
int vaddr_set(struct ioas *ioas, unsigned long iova, unsigned long nbytes,
	      unsigned long uptr);

#endif

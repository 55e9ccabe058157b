/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vaddr: mappings that get a new user address, maybe in another process.
 */
#ifndef VFIO_IOAS_VADDR_H
#define VFIO_IOAS_VADDR_H

#include "space/unmap.h"

struct ioas;

/**
 * vaddr_any_void() - does a mapping wait for a new address?
 * @ioas: the IOAS
 *
 * Context: domains_rwsem held for writing. May sleep.
 * Return: true if at least one area has AREA_NO_VADDR.
 */
bool vaddr_any_void(struct ioas *ioas);

/**
 * vaddr_void() - VFIO_DMA_UNMAP_FLAG_VADDR: declare user addresses void
 * @ioas: the IOAS
 * @iova: first address of the range
 * @last_iova: last address of the range, inclusive
 * @rule: how mappings that reach over a border are treated, as for an unmap
 * @nbytes: receives the total length of the mappings whose addresses are void now; undefined after
 *	an error
 *
 * The mappings stay mapped and pinned.
 *
 * Context: domains_rwsem held for writing; no emulated group needs the addresses. May sleep.
 * Return: 0, also if nothing is mapped in the range; or with nothing changed -EINVAL: with
 * UNMAP_WHOLE a border lies in a mapping, or an address is void already.
 */
int vaddr_void(struct ioas *ioas, unsigned long iova, unsigned long last_iova,
	       enum ioas_unmap_rule rule, unsigned long *nbytes);

/**
 * vaddr_set() - VFIO_DMA_MAP_FLAG_VADDR: give a mapping its new user address
 * @ioas: the IOAS
 * @iova: first address of the mapping
 * @nbytes: its length, at least 1
 * @uptr: user address of its memory in the calling process, page aligned; not checked
 *
 * Context: domains_rwsem held for writing; a process with an mm. May sleep.
 * Return: 0, or with nothing changed:
 * * -ENOENT: nothing is mapped in the range
 * * -EINVAL: the range is not exactly one mapping whose address is void; the mapping begins inside
 *   a page of its memory
 * * -EBUSY: other areas show the same memory
 * * -ENOMEM: over the memlock limit of the process, or no kernel memory
 * * -EINTR: a fatal signal
 */
int vaddr_set(struct ioas *ioas, unsigned long iova, unsigned long nbytes,
	      unsigned long uptr);

#endif

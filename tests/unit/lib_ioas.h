/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One IOAS, and a process with memory to map, for tests of single calls.
 */
#ifndef LIB_IOAS_H
#define LIB_IOAS_H

#include "space/area.h"
#include "domain/hwpt.h"
#include "space/copy.h"
#include "space/ioas.h"
#include "space/limits.h"
#include "space/map.h"
#include "space/mirror.h"
#include "space/notifier.h"
#include "space/unmap.h"
#include "kernel.h"
#include "kapi/vfio_ioas.h"

#define IOVA	0x100000UL

extern struct ioas_ctx ctx;
extern struct ioas *ioas;
extern struct shim_process process;	/* has memory at all addresses, and no limit */

void make_ioas(void);

/* Ends the context with all in it; checks that nothing is left pinned, charged or allocated. */
void end_ioas(void);

/* @page: number of the first page in the memory of the process. */
int map_pages(struct ioas *ioas, unsigned long iova, unsigned long npages, unsigned long page);
int unmap_pages(struct ioas *ioas, unsigned long iova, unsigned long npages,
		enum ioas_unmap_rule rule, unsigned long *unmapped_npages);
int copy_pages(struct ioas *from, unsigned long iova, unsigned long npages, struct ioas *to,
	       unsigned long to_iova);

/* NULL if the domain is refused. */
struct ioas_hwpt *add_domain(struct ioas *ioas, unsigned long pgsize);
void remove_domain(struct ioas_hwpt *hwpt);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A model of two IOASs: lists of areas, of the maps that they came from, and of pins.
 */
#ifndef LIB_MODEL_H
#define LIB_MODEL_H

#include "lib_ioas.h"

#define UNIT		1024UL			/* of lengths and addresses */
#define NPAGES		48UL			/* of the window, and of a process */
#define WINDOW_NBYTES	(NPAGES * PAGE_SIZE)
#define MAX_NPAGES	12UL			/* of one map */
#define NPROCESSES	2
#define LIMIT_NPAGES	60UL
#define NIOAS		2
#define MAX_AREAS	40
#define MAX_STORES	MAX_AREAS
#define MAX_PINS	6
#define MAX_DOMAINS	3

/* One map: a run of memory of a process. */
struct model_store {
	struct shim_process *process;
	unsigned long uptr;			/* a multiple of the page size */
	unsigned long npages;
	bool writable;
	bool needed[MAX_NPAGES + 1];		/* pages needed after the last step */
};

struct model_area {
	bool used;
	unsigned int ioas;
	unsigned long first_iova;
	unsigned long last_iova;
	struct model_store *store;
	unsigned long first_byte;
	int prot;
};

struct model_pin {
	bool used;
	unsigned int ioas;
	unsigned long iova;
	unsigned long nbytes;
};

struct model_ioas {
	struct ioas *ioas;
	u32 id;
	struct ioas_hwpt *hwpts[MAX_DOMAINS];	/* NULL: none */
	struct ioas_access *access;
	bool attached;
	bool small_pages;
};

extern struct shim_process model_processes[NPROCESSES];
extern struct model_ioas ioass[NIOAS];
extern struct model_area model_areas[MAX_AREAS];
extern struct model_store model_stores[MAX_STORES];
extern struct model_pin model_pins[MAX_PINS];
extern unsigned long window;			/* IOVA at which the window begins */

bool areas_meet(const struct model_area *area, unsigned int ioas, unsigned long iova,
		unsigned long last_iova);

/* The lowest area of a range, or NULL. */
struct model_area *model_first(unsigned int ioas, unsigned long iova,
			       unsigned long last_iova);
struct model_area *model_add(unsigned int ioas, unsigned long iova, unsigned long nbytes,
			     struct model_store *store, unsigned long first_byte, int prot);

/* The areas of one IOAS, or of both if the number is negative. */
unsigned int count_areas(int ioas);
struct model_store *unused_store(void);
unsigned int count_domains(const struct model_ioas *m);
unsigned long granule_of(const struct model_ioas *m);
bool all_fit(unsigned int ioas, unsigned long granule);
struct page *page_of(const struct model_store *store, unsigned long index);

/* Can all pages be pinned that are needed now, and were not after the last step? */
bool can_get_needed(void);

/* Checks that the IOASs, their domains, pins and charges are as in the model. */
void check_all(void);

#endif

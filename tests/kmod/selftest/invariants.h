/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * invariants: what is true of an IOAS whenever nobody is in it.
 *
 * Owns: struct look. One thread looks at a time, with all IOASs of a context that it could get
 * locked.
 */
#ifndef VFIO_IOAS_SELFTEST_INVARIANTS_H
#define VFIO_IOAS_SELFTEST_INVARIANTS_H

#include <linux/bits.h>
#include <linux/types.h>

#include "test_cmd.h"

struct extent;
struct ioas;
struct ioas_area;
struct ioas_ctx;
struct ioas_hwpt;
struct ioas_store;

/* More IOASs of one context are not looked at. */
#define LOOK_MAX_IOASS	64

/* A look at a context. */
struct look {
	struct ioas_ctx *ctx;
	unsigned long number;
	struct ioas *ioass[LOOK_MAX_IOASS];	/* busy, domains_rwsem held for writing */
	unsigned int nioass;
	bool complete;		/* these are all: nobody is in the context */
	struct ioas_store *stores;	/* met so far */
	unsigned long npinned;		/* pages of these */
};

void complain(enum rule rule, const char *what, const char *file, int line);

/* Complains unless @condition holds. */
#define must(rule, condition)						\
	do {								\
		if (unlikely(!(condition)))				\
			complain(rule, #condition, __FILE__, __LINE__);		\
	} while (0)

/* Looks at once, whatever was seen before; the complaints are not printed but returned, as bits. */
unsigned int look_quietly(struct ioas_ctx *ctx);

/* Is it one of those that are locked? */
bool look_has_ioas(const struct look *look, const struct ioas *ioas);

/* What each domain of an IOAS shows is what its areas have, and nothing else. */
void check_domains(struct ioas *ioas);

/* What the kernel counts of pins and charges is what stores have. The look is complete. */
void check_claims(struct look *look);

/* Is there no other context, which could have the same pages? */
bool selftest_only_ctx(void);

/* How often a page is pinned, at most; all pages of a large folio have one count. */
long count_pins(unsigned long pfn);

#endif

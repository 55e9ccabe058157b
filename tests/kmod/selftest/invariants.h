/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * invariants: rules that hold for an IOAS whenever nobody is inside.
 *
 * Owns: struct look. One thread looks at a time. It holds the locks of all IOASs of a context, as
 * far as it could get them.
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

/* At most so many IOASs of a context are looked at. */
#define LOOK_MAX_IOASS	64

/* A look at a context. */
struct look {
	struct ioas_ctx *ctx;
	unsigned long number;
	struct ioas *ioass[LOOK_MAX_IOASS];	/* busy, domains_rwsem held for writing */
	unsigned int nioass;
	bool complete;		/* these are all IOASs: nobody is in the context */
	struct ioas_store *stores;	/* found so far */
	unsigned long npinned;		/* pinned pages of these stores */
};

/* Notes a complaint about @rule, and warns unless that is switched off. */
void complain(enum rule rule, const char *what, const char *file, int line);

/* Complains unless @condition holds. */
#define must(rule, condition)						\
	do {								\
		if (unlikely(!(condition)))				\
			complain(rule, #condition, __FILE__, __LINE__);		\
	} while (0)

/* Looks at a context even if time is short. Returns the complaints, a bit a rule; prints none. */
unsigned int look_quietly(struct ioas_ctx *ctx);

/* Is an IOAS one of those that the look has locked? */
bool look_has_ioas(const struct look *look, const struct ioas *ioas);

/* Checks that each domain of an IOAS maps what its areas show, and nothing else. */
void check_domains(struct ioas *ioas);

/* Checks the kernel's counts of pins and charges against the stores. The look is complete. */
void check_claims(struct look *look);

/* Is there only one context? Another one could have the same pages. */
bool selftest_only_ctx(void);

/* How often a page is pinned, at most: all pages of a large folio share one count. */
long count_pins(unsigned long pfn);

#endif

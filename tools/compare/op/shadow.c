// SPDX-License-Identifier: GPL-2.0-only
/*
 * shadow.c - mappings of each container, ordered by IOVA
 */
#include "shadow.h"

#include "transcript.h"
#include "world.h"

#define BITS_A_WORD	64U

struct mapping {
	uint64_t iova;
	uint64_t last;		/* inclusive */
	bool was_shifted;	/* stock has copies of its bits behind them */
};

struct shadow {
	struct mapping *mappings;
	size_t nmappings;
	size_t room;
	bool v2;
};

static struct shadow shadows[NCONTAINERS];

static struct shadow *current_shadow(void)
{
	return &shadows[world.current];
}

void shadow_set_type(bool v2)
{
	current_shadow()->v2 = v2;
	current_shadow()->nmappings = 0;
}

void shadow_clear(void)
{
	current_shadow()->nmappings = 0;
}

void shadow_map(uint64_t iova, uint64_t nbytes)
{
	struct shadow *shadow = current_shadow();
	size_t at = shadow->nmappings;

	if (shadow->nmappings == shadow->room) {
		shadow->room = shadow->room ? 2 * shadow->room : 64;
		shadow->mappings = realloc(shadow->mappings, shadow->room *
					   sizeof(*shadow->mappings));
		if (!shadow->mappings)
			give_up("no memory");
	}
	for (; at > 0 && shadow->mappings[at - 1].iova > iova; at--)
		shadow->mappings[at] = shadow->mappings[at - 1];
	shadow->mappings[at].iova = iova;
	shadow->mappings[at].last = iova + nbytes - 1;
	shadow->mappings[at].was_shifted = false;
	shadow->nmappings++;
}

/* Type1 stops at a mapping that begins below the range, and takes any that starts in it. */
static bool is_removed(const struct shadow *shadow, const struct mapping *mapping,
		       uint64_t iova, uint64_t last)
{
	return mapping->iova >= iova && mapping->iova <= last &&
	       (!shadow->v2 || mapping->last <= last);
}

static bool begins_inside(const struct shadow *shadow, uint64_t iova,
			  uint64_t last)
{
	size_t i;

	for (i = 0; i < shadow->nmappings; i++)
		if (shadow->mappings[i].iova < iova &&
		    shadow->mappings[i].last >= iova &&
		    shadow->mappings[i].iova <= last)
			return true;
	return false;
}

void shadow_unmap(uint64_t iova, uint64_t nbytes)
{
	struct shadow *shadow = current_shadow();
	uint64_t last = iova + nbytes - 1;
	size_t kept = 0;
	size_t i;

	if (!shadow->v2 && begins_inside(shadow, iova, last))
		return;
	for (i = 0; i < shadow->nmappings; i++)
		if (!is_removed(shadow, &shadow->mappings[i], iova, last))
			shadow->mappings[kept++] = shadow->mappings[i];
	shadow->nmappings = kept;
}

void shadow_report(uint64_t iova, uint64_t nbytes)
{
	struct shadow *shadow = current_shadow();
	size_t i;

	for (i = 0; i < shadow->nmappings; i++) {
		struct mapping *mapping = &shadow->mappings[i];

		if (mapping->iova - iova < nbytes &&
		    (mapping->iova - iova) / PAGE % BITS_A_WORD)
			mapping->was_shifted = true;
	}
}

void shadow_forget_reports(void)
{
	struct shadow *shadow = current_shadow();
	size_t i;

	for (i = 0; i < shadow->nmappings; i++)
		shadow->mappings[i].was_shifted = false;
}

uint64_t shadow_reliable_bits(uint64_t iova)
{
	const struct shadow *shadow = current_shadow();
	size_t i;

	/* The first that ends in the word and leaves its copies there: all behind it may be set. */
	for (i = 0; i < shadow->nmappings; i++) {
		const struct mapping *mapping = &shadow->mappings[i];
		uint64_t npages = (mapping->last + 1 - iova) / PAGE;

		if (mapping->was_shifted && mapping->last >= iova && npages < BITS_A_WORD)
			return (1ULL << npages) - 1;
	}
	return UINT64_MAX;
}

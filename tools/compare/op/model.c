// SPDX-License-Identifier: GPL-2.0-only
/* model.c - the mappings of each container, ordered by IOVA */
#include "model.h"

#include "lib/allocate.h"
#include "setup.h"

#define BITS_A_WORD	64U

struct mapping {
	uint64_t iova;
	uint64_t last;		/* inclusive */
	bool was_shifted;	/* stock has copies of its dirty bits behind them */
};

struct model {
	struct mapping *mappings;
	size_t nmappings;
	bool v2;
};

static struct model models[NCONTAINERS];

static struct model *current_model(void)
{
	return &models[setup.current];
}

void model_set_type(bool v2)
{
	current_model()->v2 = v2;
	current_model()->nmappings = 0;
}

void model_clear(void)
{
	current_model()->nmappings = 0;
}

void model_map(uint64_t iova, uint64_t nbytes)
{
	struct model *model = current_model();
	size_t at = model->nmappings;

	model->mappings = grow(model->mappings, model->nmappings, sizeof(*model->mappings));
	for (; at > 0 && model->mappings[at - 1].iova > iova; at--)
		model->mappings[at] = model->mappings[at - 1];
	model->mappings[at].iova = iova;
	model->mappings[at].last = iova + nbytes - 1;
	model->mappings[at].was_shifted = false;
	model->nmappings++;
}

/* Type1 stops at a mapping that begins below the range, and removes any that starts in it. */
static bool is_removed(const struct model *model, const struct mapping *mapping,
		       uint64_t iova, uint64_t last)
{
	return mapping->iova >= iova && mapping->iova <= last &&
	       (!model->v2 || mapping->last <= last);
}

static bool begins_inside(const struct model *model, uint64_t iova,
			  uint64_t last)
{
	size_t i;

	for (i = 0; i < model->nmappings; i++)
		if (model->mappings[i].iova < iova &&
		    model->mappings[i].last >= iova &&
		    model->mappings[i].iova <= last)
			return true;
	return false;
}

void model_unmap(uint64_t iova, uint64_t nbytes)
{
	struct model *model = current_model();
	uint64_t last = iova + nbytes - 1;
	size_t kept = 0;
	size_t i;

	if (!model->v2 && begins_inside(model, iova, last))
		return;
	for (i = 0; i < model->nmappings; i++)
		if (!is_removed(model, &model->mappings[i], iova, last))
			model->mappings[kept++] = model->mappings[i];
	model->nmappings = kept;
}

void model_report(uint64_t iova, uint64_t nbytes)
{
	struct model *model = current_model();
	size_t i;

	for (i = 0; i < model->nmappings; i++) {
		struct mapping *mapping = &model->mappings[i];

		if (mapping->iova - iova < nbytes &&
		    (mapping->iova - iova) / PAGE % BITS_A_WORD)
			mapping->was_shifted = true;
	}
}

void model_forget_reports(void)
{
	struct model *model = current_model();
	size_t i;

	for (i = 0; i < model->nmappings; i++)
		model->mappings[i].was_shifted = false;
}

uint64_t model_reliable_bits(uint64_t iova)
{
	const struct model *model = current_model();
	size_t i;

	/*
	 * The first mapping that ends in this word leaves its copies there: later bits may be set.
	 */
	for (i = 0; i < model->nmappings; i++) {
		const struct mapping *mapping = &model->mappings[i];
		uint64_t npages = (mapping->last + 1 - iova) / PAGE;

		if (mapping->was_shifted && mapping->last >= iova && npages < BITS_A_WORD)
			return (1ULL << npages) - 1;
	}
	return UINT64_MAX;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * replay.c - runs the sequences of a file on both backends
 */
#include "replay.h"

#include "compare/op/devices.h"
#include "compare/op/op_table.h"
#include "compare_sequences.h"
#include "lib/allocate.h"
#include "lib/text.h"
#include "options.h"
#include "report.h"

/* Groups are those of the devices found, never others. */
static bool have_devices(const struct sequence *sequence)
{
	size_t i;

	for (i = 0; i < sequence->nops; i++) {
		const struct op *op = &sequence->ops[i];

		if (!op_has_group(op) || device_present((enum group)op->arg[0]))
			continue;
		fprintf(stderr, "vfio-ioas: %s: needs a device for group %s, which is missing\n",
			options.replay, group_names[op->arg[0]]);
		return false;
	}
	return true;
}

static int replay(struct sequences *sequences)
{
	struct comparison *comparisons = allocate(sequences->nsequences, sizeof(*comparisons));
	char name[64];
	size_t i;

	if (!compare_sequences("replay", sequences->sequence, sequences->nsequences, comparisons)) {
		comparisons_free(comparisons, sequences->nsequences);
		return EXIT_NOT_RUN;
	}
	report_begin();
	for (i = 0; i < sequences->nsequences; i++) {
		snprintf(name, sizeof(name), "sequence_%zu", i + 1);
		report(name, options.replay, &comparisons[i]);
	}
	comparisons_free(comparisons, sequences->nsequences);
	return report_end();
}

int run_replay(struct sequences *sequences)
{
	size_t i;

	for (i = 0; i < sequences->nsequences; i++)
		if (!have_devices(&sequences->sequence[i]))
			return EXIT_NOT_RUN;
	return replay(sequences);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * parts.c - the parts of cases after exec()
 *
 * Descriptors are kept; memory is not.
 */
#include "parts.h"

#include "calls.h"
#include "compare/op/devices.h"
#include "compare/op/setup.h"
#include "compare/op/transcript.h"

static void new_image_unmaps(void)
{
	make_buf();
	state();
	info();
	map(8 * PAGE, 4, RW);
	unmap_all();
	state();
}

static void new_image_takes_over(void)
{
	make_buf();
	state();
	map(0, 4, MAP_VADDR);
	map(8 * PAGE, 4, RW);
	state();
}

static const struct part {
	const char *name;
	void (*run)(void);
} parts[] = {
	{ "new-image-unmaps", new_image_unmaps },
	{ "new-image-takes-over", new_image_takes_over },
};

int run_part(const char *name)
{
	unsigned int i;

	transcript_attach();
	memcpy(&setup, transcript_saved(), sizeof(setup));
	memcpy(devices, (uint8_t *)transcript_saved() + sizeof(setup),
	       sizeof(devices));
	say_prefix("exec: ");
	for (i = 0; i < ARRAY_SIZE(parts); i++)
		if (strcmp(parts[i].name, name) == 0)
			parts[i].run();
	return 0;
}

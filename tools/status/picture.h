/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * picture.h - what "vfio-ioas status" has found, and what was asked for
 */
#ifndef TOOLS_PICTURE_H
#define TOOLS_PICTURE_H

#include "insight.h"
#include "system/holders.h"
#include "table.h"

struct picture {
	struct insight insight;
	struct holders holders;
	struct filter filter;
	bool live;		/* of this system, as it is: there are processes to ask */
};

/* Is it among what is asked for, and a holder of containers that are not ours? */
bool picture_shows_holder(const struct picture *picture, const struct holder *holder);

#endif

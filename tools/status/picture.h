/* SPDX-License-Identifier: GPL-2.0-only */
/* picture.h - the data that "vfio-ioas status" shows, and its filter */
#ifndef TOOLS_PICTURE_H
#define TOOLS_PICTURE_H

#include "insight.h"
#include "system/holders.h"
#include "table.h"

struct picture {
	struct insight insight;
	struct holders holders;
	struct filter filter;
	bool live;		/* data of the running system, with its processes */
};

/* Does the filter match, and does the holder have containers that are not ours? */
bool picture_shows_holder(const struct picture *picture, const struct holder *holder);

#endif

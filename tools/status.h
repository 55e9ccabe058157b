/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * status.h - what "vfio-ioas status" shows
 */
#ifndef TOOLS_STATUS_H
#define TOOLS_STATUS_H

#include "holders.h"
#include "insight.h"

struct picture {
	struct insight insight;
	struct holders holders;
};

void status_print_json(const struct picture *picture);

#endif

// SPDX-License-Identifier: GPL-2.0-only
/* picture.c - the data that "vfio-ioas status" shows */
#include "picture.h"

bool picture_shows_holder(const struct picture *picture, const struct holder *holder)
{
	const struct filter *filter = &picture->filter;

	return holder_nothers(holder, &picture->insight) && !filter->by_group &&
	       !filter->device && (!filter->by_pid || filter->pid == (uint64_t)holder->pid);
}

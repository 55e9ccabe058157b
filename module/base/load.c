// SPDX-License-Identifier: GPL-2.0-only
/*
 * load: has the module been loaded successfully?
 *
 * Locking: none. load_succeed() or load_fail() is called once. It sets the result before it wakes.
 */
#include <linux/completion.h>
#include <linux/errno.h>

#include "load.h"

static DECLARE_COMPLETION(load_over);
static bool live;

bool load_has_succeeded(void)
{
	return READ_ONCE(live);
}

int load_wait(void)
{
	int ret;

	if (likely(load_has_succeeded()))
		return 0;
	ret = wait_for_completion_killable(&load_over);
	if (ret)
		return ret;
	return load_has_succeeded() ? 0 : -ENODEV;
}

void load_succeed(void)
{
	WRITE_ONCE(live, true);
	complete_all(&load_over);
}

void load_fail(void)
{
	complete_all(&load_over);
}

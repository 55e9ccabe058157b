// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib_call.c - calls in threads of their own
 */
#define _GNU_SOURCE
#include "lib_call.h"

#include <sys/syscall.h>

/*
 * In the selftest build the checker runs after a call. It waits a few milliseconds for locks that
 * it cannot get, which does not count as waiting of the call.
 */
#define CHECKER_USEC	300000

static void *call_run(void *arg)
{
	struct call *call = arg;

	call->tid = syscall(SYS_gettid);
	call->result = call->function();
	call->over = true;
	return NULL;
}

void call_start(struct call *call)
{
	require_eq(pthread_create(&call->thread, NULL, call_run, call), 0);
}

void call_end(struct call *call)
{
	require_eq(pthread_join(call->thread, NULL), 0);
}

bool call_waits_or_is_over(void *arg)
{
	struct call *call = arg;
	char path[64], text[512];
	const char *state;

	if (call->over)
		return true;
	if (!call->tid)
		return false;
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", call->tid);
	if (read_text(path, text, sizeof(text)))
		return false;
	state = strrchr(text, ')');
	return state && !strncmp(state, ") D", 3);
}

bool call_is_over(void *arg)
{
	struct call *call = arg;

	return call->over;
}

void check_waits(struct call *call)
{
	check_true(wait_until(call_waits_or_is_over, call, SECONDS));
	usleep(CHECKER_USEC);
	check_true(!call->over);
}

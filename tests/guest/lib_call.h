/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib_call.h - calls in threads of their own, which may wait in the kernel
 */
#ifndef GUEST_LIB_CALL_H
#define GUEST_LIB_CALL_H

#include "lib.h"

#include <pthread.h>
#include <stdatomic.h>

#define SECONDS		60U	/* time for events that must come */

/* Zeroed except for the function. The caller keeps it until call_end() has returned. */
struct call {
	long long (*function)(void);
	pthread_t thread;
	atomic_int tid;
	atomic_bool over;
	long long result;	/* after call_end() */
};

void call_start(struct call *call);
void call_end(struct call *call);

/* For wait_until(): does the call wait in the kernel, or is it over? */
bool call_waits_or_is_over(void *call);
bool call_is_over(void *call);

/* Checks that the call waits in the kernel, and goes on waiting. */
void check_waits(struct call *call);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib_late.h - memory that is not there until somebody releases it, by means of
 * a userfaultfd
 */
#ifndef GUEST_LIB_LATE_H
#define GUEST_LIB_LATE_H

#include "lib.h"

struct late_memory {
	int uffd;
	bool for_writing;
	uint8_t *memory;	/* a page */
};

/* Skips the test where there is no userfaultfd. */
void late_memory_make(struct late_memory *late);
/* The same, but there are the bytes that are given, and only who writes to them waits. */
void late_memory_make_for_writing(struct late_memory *late, const void *bytes, size_t nbytes);
void late_memory_free(struct late_memory *late);
/* Returns once the page is waited for. */
void late_memory_wanted(struct late_memory *late);
void late_memory_release(struct late_memory *late);

/* Skips the test in a kernel whose long-term pins fail instead of waiting. */
void need_pins_that_wait(void);

#endif

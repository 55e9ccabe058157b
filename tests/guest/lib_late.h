/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib_late.h - memory that is not there until a test releases it, by means of a userfaultfd
 */
#ifndef GUEST_LIB_LATE_H
#define GUEST_LIB_LATE_H

#include "lib.h"

struct late_memory {
	int uffd;
	bool for_writing;
	uint8_t *memory;	/* one page */
};

/* Skips the test where there is no userfaultfd. */
void late_memory_make(struct late_memory *late);
/* The same, but the page is there and has these bytes. Only writes to it wait. */
void late_memory_make_for_writing(struct late_memory *late, const void *bytes, size_t nbytes);
void late_memory_free(struct late_memory *late);
/* Returns once an access waits for the page. */
void late_memory_wanted(struct late_memory *late);
void late_memory_release(struct late_memory *late);

/* Skips the test if long-term pins of this kernel fail instead of waiting. */
void need_pins_that_wait(void);

#endif

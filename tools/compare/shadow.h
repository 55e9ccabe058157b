/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * shadow.h - which mappings the current container should have, as far as the results of calls
 * tell
 *
 * It does not judge results. It only says which bits of a dirty bitmap can be compared: stock
 * type1 leaves garbage behind the end of a mapping that does not begin at a whole word.
 */
#ifndef COMPARE_SHADOW_H
#define COMPARE_SHADOW_H

#include "common.h"

void shadow_set_type(bool v2);
void shadow_map(uint64_t iova, uint64_t nbytes);
void shadow_unmap(uint64_t iova, uint64_t nbytes);
void shadow_clear(void);

/* Bits that can be compared of the 64 pages from this IOVA on. */
uint64_t shadow_reliable_bits(uint64_t iova);

#endif

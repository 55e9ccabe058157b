/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * model.h - which mappings the current container should have, as far as the results of calls
 * tell
 *
 * It does not judge results. It only says which bits of a dirty bitmap can be compared. For a
 * mapping that does not begin with a word of the bitmap, stock type1 shifts the bits it keeps, and
 * leaves copies of them behind the mapping's own. From the next report on they are set behind the
 * end of the mapping, up to the end of the word. All other bits are compared.
 */
#ifndef COMPARE_MODEL_H
#define COMPARE_MODEL_H

#include "lib/common.h"

void model_set_type(bool v2);
void model_map(uint64_t iova, uint64_t nbytes);
void model_unmap(uint64_t iova, uint64_t nbytes);
void model_clear(void);

/* A report of that range was asked for; and the bits that were kept are gone. */
void model_report(uint64_t iova, uint64_t nbytes);
void model_forget_reports(void);
/* Bits that can be compared of the 64 pages from this IOVA on, before the report. */
uint64_t model_reliable_bits(uint64_t iova);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * model.h - the mappings that the current container should have, by the results of calls
 *
 * The model does not judge results. It only knows the bits of a dirty bitmap that can be compared.
 * If a mapping does not begin at a word of the bitmap, stock type1 shifts the bits that it keeps,
 * and leaves copies of them behind the mapping's own. From the next report on these bits are set,
 * from the end of the mapping to the end of the word. All other bits are compared.
 */
#ifndef COMPARE_MODEL_H
#define COMPARE_MODEL_H

#include "lib/common.h"

void model_set_type(bool v2);
void model_map(uint64_t iova, uint64_t nbytes);
void model_unmap(uint64_t iova, uint64_t nbytes);
void model_clear(void);

/* A report of this range was requested; and all kept bits are gone. */
void model_report(uint64_t iova, uint64_t nbytes);
void model_forget_reports(void);
/* Mask of comparable bits for the 64 pages from this IOVA on. Call before model_report(). */
uint64_t model_reliable_bits(uint64_t iova);

#endif

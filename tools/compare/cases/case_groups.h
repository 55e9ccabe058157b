/* SPDX-License-Identifier: GPL-2.0-only */
/* case_groups.h - the groups of cases, each in its own cases_*.c */
#ifndef COMPARE_CASE_GROUPS_H
#define COMPARE_CASE_GROUPS_H

#include "case.h"

extern const struct case_group case_group_life;
extern const struct case_group case_group_info;
extern const struct case_group case_group_map;
extern const struct case_group case_group_memlock;
extern const struct case_group case_group_unmap;
extern const struct case_group case_group_unmap_v1;
extern const struct case_group case_group_vaddr;
extern const struct case_group case_group_dirty;
extern const struct case_group case_group_content;
extern const struct case_group case_group_pin;
extern const struct case_group case_group_rw;
extern const struct case_group case_group_mixed;
extern const struct case_group case_group_dma;
extern const struct case_group case_group_process;
extern const struct case_group case_group_robust;

#endif

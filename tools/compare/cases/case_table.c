// SPDX-License-Identifier: GPL-2.0-only
/*
 * case_table.c - the order in which cases are run
 */
#include "case_table.h"

#include "case_groups.h"

const struct case_group *const case_groups[] = {
	&case_group_life,
	&case_group_info,
	&case_group_map,
	&case_group_memlock,
	&case_group_unmap,
	&case_group_unmap_v1,
	&case_group_vaddr,
	&case_group_dirty,
	&case_group_content,
	&case_group_pin,
	&case_group_rw,
	&case_group_mixed,
	&case_group_dma,
	&case_group_process,
	&case_group_robust,
};

const unsigned int ncase_groups = ARRAY_SIZE(case_groups);

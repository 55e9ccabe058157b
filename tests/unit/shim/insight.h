/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For unit tests: there is no debugfs.
 */
#ifndef UNIT_INSIGHT_H
#define UNIT_INSIGHT_H

struct seq_file;

struct ctx_insight {
	unsigned long id;
};

#define insight_add(ctx)	((void)(ctx))
#define insight_remove(ctx)	((void)(ctx))
#define insight_show_ioas	NULL

#endif

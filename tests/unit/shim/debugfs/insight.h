/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For unit tests: there is no debugfs.
 */
#ifndef UNIT_INSIGHT_H
#define UNIT_INSIGHT_H

struct seq_file;

/* As nobody traces, none of these is called. */
#define NEVER_CALLED(name) \
	static inline void name(const void *first, ...) { (void)first; }

NEVER_CALLED(insight_sum_area)
NEVER_CALLED(insight_map_over)
NEVER_CALLED(insight_pin_over)
NEVER_CALLED(insight_attach_over)
NEVER_CALLED(insight_detach_over)

struct ctx_insight {
	unsigned long id;
	const char *type;
};

/* Contexts that administrators would see. */
extern long shim_nseen;

#define insight_add(ctx)	((void)(ctx), (void)shim_nseen++)
#define insight_remove(ctx)	((void)(ctx), (void)shim_nseen--)
#define insight_down_read(m, rwsem)	((void)(m), down_read(rwsem), true)
#define insight_show_ioas	NULL
#define insight_show_hwpt	NULL

#endif

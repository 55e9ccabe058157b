/* SPDX-License-Identifier: GPL-2.0-only */
/* do.h - functions that execute operations, one for each kind; op_execute() calls them */
#ifndef COMPARE_DO_H
#define COMPARE_DO_H

#include "lib/text.h"
#include "op.h"

/* do_life.c */
void do_container(const struct op *op, struct text *line);
void do_use(const struct op *op, struct text *line);
void do_close_container(const struct op *op, struct text *line);
void do_group(const struct op *op, struct text *line);
void do_close_group(const struct op *op, struct text *line);
void do_join(const struct op *op, struct text *line);
void do_join_fd(const struct op *op, struct text *line);
void do_leave(const struct op *op, struct text *line);
void do_status(const struct op *op, struct text *line);
void do_set_iommu(const struct op *op, struct text *line);
void do_api_version(const struct op *op, struct text *line);
void do_extension(const struct op *op, struct text *line);
void do_call(const struct op *op, struct text *line);
void do_device(const struct op *op, struct text *line);
void do_close_device(const struct op *op, struct text *line);

/* do_info.c */
void do_info(const struct op *op, struct text *line);
void do_info_bytes(const struct op *op, struct text *line);

/* do_map.c */
void do_map(const struct op *op, struct text *line);
void do_unmap(const struct op *op, struct text *line);

/* do_dirty.c */
void do_dirty(const struct op *op, struct text *line);
void do_dirty_get(const struct op *op, struct text *line);
void do_unmap_bitmap(const struct op *op, struct text *line);

/* do_emulated.c */
void do_pin(const struct op *op, struct text *line);
void do_unpin(const struct op *op, struct text *line);
void do_rw(const struct op *op, struct text *line);
void do_behave(const struct op *op, struct text *line);
void do_callbacks(const struct op *op, struct text *line);

/* do_memory.c */
void do_memory(const struct op *op, struct text *line);
void do_part(const struct op *op, struct text *line);
void do_protect(const struct op *op, struct text *line);
void do_advise(const struct op *op, struct text *line);
void do_fill(const struct op *op, struct text *line);
void do_peek(const struct op *op, struct text *line);
void do_lock(const struct op *op, struct text *line);
void do_limit(const struct op *op, struct text *line);
void do_drop_capability(const struct op *op, struct text *line);

/* do_device.c */
void do_decode(const struct op *op, struct text *line);
void do_load(const struct op *op, struct text *line);
void do_store(const struct op *op, struct text *line);

#endif

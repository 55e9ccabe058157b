/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ours.h - the module vfio_ioas, as sysfs shows it
 */
#ifndef TOOLS_OURS_H
#define TOOLS_OURS_H

#include "compare/common.h"
#include "compare/text.h"

#define OUR_MODULE	"vfio_ioas"
#define STOCK_MODULE	"vfio_iommu_type1"
#define SERVE_NBYTES	16

bool ours_loaded(void);
/* modprobe; if that fails, what it said is added to why. */
bool ours_load(struct text *why);

/* The parameter "serve": 0 or -errno. */
int ours_get_serve(char serve[SERVE_NBYTES]);
int ours_set_serve(const char *serve);

/* Our device number, 0 if the module is not loaded. */
dev_t ours_number(void);

/* Does /dev/iommu belong to the kernel's own iommufd? */
bool kernel_has_iommufd(void);

/* Warns of parameters that stock type1 has set otherwise. */
void ours_warn_of_parameters(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ours.h - the module vfio_ioas, as sysfs shows it
 */
#ifndef TOOLS_OURS_H
#define TOOLS_OURS_H

#include "lib/common.h"
#include "lib/text.h"

#define OUR_MODULE	"vfio_ioas"
#define STOCK_MODULE	"vfio_iommu_type1"
#define SERVE_NBYTES	16
#define VERSION_NBYTES	64

bool ours_loaded(void);
/* modprobe; if that fails, what it said is added to why. */
bool ours_load(struct text *why);
/* Would modprobe find it? Changes nothing. */
bool ours_loadable(struct text *why);

/* Of the module that is loaded, and of the one that modprobe would load; "": there is none. */
void ours_versions(char loaded[VERSION_NBYTES], char installed[VERSION_NBYTES]);

/* The parameter "serve": 0 or -errno. */
int ours_get_serve(char serve[SERVE_NBYTES]);
int ours_set_serve(const char *serve);

/* Numbers of our devices, 0 if the module is not loaded: the container's, /dev/iommu's. */
dev_t ours_number(void);
dev_t ours_native_number(void);

/* Does /dev/iommu belong to the kernel's own iommufd? */
bool kernel_has_iommufd(void);

/* Warns of parameters that stock type1 has set otherwise. */
void ours_warn_of_parameters(void);

#endif

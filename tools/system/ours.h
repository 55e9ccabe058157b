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
/* Runs modprobe. If that fails, its output is added to why. */
bool ours_load(struct text *why);
/* Tells whether modprobe would find the module. Changes nothing. */
bool ours_loadable(struct text *why);

/* Versions of the loaded module, and of the one that modprobe would load; "" if none. */
void ours_versions(char loaded[VERSION_NBYTES], char installed[VERSION_NBYTES]);

/* The parameter "serve": 0 or -errno. */
int ours_get_serve(char serve[SERVE_NBYTES]);
int ours_set_serve(const char *serve);

/* Device numbers of our container and our /dev/iommu; 0 if the module is not loaded. */
dev_t ours_number(void);
dev_t ours_native_number(void);

/* Does /dev/iommu belong to the kernel's own iommufd? */
bool kernel_has_iommufd(void);

/* Warns about parameters that stock type1 has with other values. */
void ours_warn_of_parameters(void);

#endif

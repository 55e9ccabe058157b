/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stock: behaviour of stock type1 that programs can notice, and in which kernels.
 *
 * HAVE_... tell what the headers of a kernel contain. Where no header shows a behaviour, HAVE_...
 * tells of something else that came with the same release.
 */
#ifndef VFIO_IOAS_STOCK_H
#define VFIO_IOAS_STOCK_H

#include <linux/errno.h>

#include "memory/store.h"
#include "vfio_ioas_config.h"

/*
 * How it pins: device memory is accepted. Memory that the process may not read is refused.
 * Protection keys are ignored, and a pin for reading does not break copy-on-write.
 */
#define STOCK_PIN_RULES	(STORE_MAY_BE_MMIO | STORE_IGNORE_KEYS | STORE_STRICT_READ | \
			 STORE_SHARE_COW)

/* The largest bitmap of dirty pages of one call, and the largest range, in pages. */
#define STOCK_MAX_BITMAP_NBYTES	BIT(28)
#define STOCK_MAX_BITMAP_NPAGES	(STOCK_MAX_BITMAP_NBYTES * BITS_PER_BYTE)

/* VFIO_TYPE1_NESTING_IOMMU, which headers of newer kernels lack. */
#define STOCK_NESTING_IOMMU	6

/* Does it support nesting? */
#ifdef HAVE_IOMMU_ENABLE_NESTING
#define STOCK_HAS_NESTING	true
#else
#define STOCK_HAS_NESTING	false
#endif

/* Does it compute with inclusive ends? Which errno has a range that wraps around? */
#ifdef HAVE_NUM_PAGES_CONTIGUOUS
#define STOCK_IS_INCLUSIVE	true
#define STOCK_WRAPS		(-EOVERFLOW)
#else
#define STOCK_IS_INCLUSIVE	false
#define STOCK_WRAPS		(-EINVAL)
#endif

/* The errno of its IOMMU drivers for an address out of their reach. */
#ifdef HAVE_GENERIC_PT
#define STOCK_OUT_OF_REACH	(-ERANGE)
#else
#define STOCK_OUT_OF_REACH	(-EFAULT)
#endif

/*
 * Since struct vfio_iommu_type1_info has a named padding, a user gets exactly the bytes of GET_INFO
 * that were asked for, and capabilities begin at multiples of eight bytes.
 */
#ifdef HAVE_VFIO_INFO_PAD
#define STOCK_INFO_IS_PADDED	true
#else
#define STOCK_INFO_IS_PADDED	false
#endif

#endif

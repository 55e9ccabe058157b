/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stock: habits of stock type1, which its programs can notice, and which kernel has which.
 *
 * HAVE_... tell what the headers of a kernel have: of a habit that no header shows they tell of
 * something else that came with the same release.
 */
#ifndef VFIO_IOAS_STOCK_H
#define VFIO_IOAS_STOCK_H

#include <linux/errno.h>

#include "memory/store.h"
#include "vfio_ioas_config.h"

/*
 * How it pins: device memory will do, memory that the process may not read is refused, and neither
 * protection keys nor copy-on-write count where a device only reads.
 */
#define STOCK_PIN_RULES	(STORE_MAY_BE_MMIO | STORE_IGNORE_KEYS | STORE_STRICT_READ | \
			 STORE_SHARE_COW)

/* Largest bitmap of dirty pages of one call, in bytes, and so the largest range, in pages. */
#define STOCK_MAX_BITMAP_NBYTES	BIT(28)
#define STOCK_MAX_BITMAP_NPAGES	(STOCK_MAX_BITMAP_NBYTES * BITS_PER_BYTE)

/* VFIO_TYPE1_NESTING_IOMMU: the headers of kernels that do not know it lack it, too. */
#define STOCK_NESTING_IOMMU	6

/* Does it know that? */
#ifdef HAVE_IOMMU_ENABLE_NESTING
#define STOCK_HAS_NESTING	true
#else
#define STOCK_HAS_NESTING	false
#endif

/* Does it compute with inclusive ends? What does it say of a range that wraps around? */
#ifdef HAVE_NUM_PAGES_CONTIGUOUS
#define STOCK_IS_INCLUSIVE	true
#define STOCK_WRAPS		(-EOVERFLOW)
#else
#define STOCK_IS_INCLUSIVE	false
#define STOCK_WRAPS		(-EINVAL)
#endif

/* What the IOMMU drivers, which it asks, say of an address out of their reach. */
#ifdef HAVE_GENERIC_PT
#define STOCK_OUT_OF_REACH	(-ERANGE)
#else
#define STOCK_OUT_OF_REACH	(-EFAULT)
#endif

/*
 * Since it has a named padding, the fixed part of GET_INFO is written back byte by byte as the user
 * asked, and capabilities begin at multiples of eight.
 */
#ifdef HAVE_VFIO_INFO_PAD
#define STOCK_INFO_IS_PADDED	true
#else
#define STOCK_INFO_IS_PADDED	false
#endif

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compiles with every kernel, and includes the same headers as the other probes. If it does not
 * compile, the kernel directory or the compiler is at fault, and the other probes prove nothing.
 */
#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/vfio.h>

static void __used probe(struct iommu_domain *domain)
{
	iommu_domain_free(domain);
}

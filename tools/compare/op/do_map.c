// SPDX-License-Identifier: GPL-2.0-only
/*
 * do_map.c - VFIO_IOMMU_MAP_DMA and VFIO_IOMMU_UNMAP_DMA
 */
#include <linux/vfio.h>

#include "do.h"
#include "memory.h"
#include "model.h"
#include "op_type.h"
#include "setup.h"

void do_map(const struct op *op, struct text *line)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = (uint32_t)op->arg[4],
		.flags = (uint32_t)op->arg[3],
		.vaddr = (uintptr_t)memory_resolve(op->mem, op->arg[2]),
		.iova = op->arg[0],
		.size = op->arg[1],
	};
	struct vfio_iommu_type1_dma_map before = map;
	int result = vfio_call(current_container(), VFIO_IOMMU_MAP_DMA,
			       (unsigned long)&map);

	text_add_result(line, result);
	if (memcmp(&map, &before, sizeof(map)))
		text_add(line, " struct written");
	if (result == 0 && !(map.flags & VFIO_DMA_MAP_FLAG_VADDR))
		model_map(map.iova, map.size);
}

void do_unmap(const struct op *op, struct text *line)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = (uint32_t)op->arg[3],
		.flags = (uint32_t)op->arg[2],
		.iova = op->arg[0],
		.size = op->arg[1],
	};
	struct vfio_iommu_type1_dma_unmap before = unmap;
	int result = vfio_call(current_container(), VFIO_IOMMU_UNMAP_DMA,
			       (unsigned long)&unmap);

	text_add_result(line, result);
	text_add(line, " size=0x%llx", (unsigned long long)unmap.size);
	before.size = unmap.size;
	if (memcmp(&unmap, &before, sizeof(unmap)))
		text_add(line, " struct written");
	if (result || unmap.flags & VFIO_DMA_UNMAP_FLAG_VADDR)
		return;
	if (unmap.flags & VFIO_DMA_UNMAP_FLAG_ALL)
		model_clear();
	else
		model_unmap(unmap.iova, op->arg[1]);
}

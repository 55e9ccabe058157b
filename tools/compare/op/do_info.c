// SPDX-License-Identifier: GPL-2.0-only
/* do_info.c - VFIO_IOMMU_GET_INFO, printed by meaning or byte by byte */
#include <linux/vfio.h>

#include "do.h"
#include "op_type.h"
#include "setup.h"

#define BUFFER_BYTES	4096U
#define PATTERN		0xa5

static void add_ranges(const uint8_t *at, struct text *line)
{
	struct vfio_iommu_type1_info_cap_iova_range head;
	unsigned int i;

	memcpy(&head, at, sizeof(head));
	text_add(line, " reserved=%u", head.reserved);
	for (i = 0; i < head.nr_iovas && i < 64; i++) {
		struct vfio_iova_range range;

		memcpy(&range, at + sizeof(head) + i * sizeof(range),
		       sizeof(range));
		text_add(line, " 0x%llx-0x%llx",
			 (unsigned long long)range.start,
			 (unsigned long long)range.end);
	}
}

static void add_migration(const uint8_t *at, struct text *line)
{
	struct vfio_iommu_type1_info_cap_migration migration;

	memcpy(&migration, at, sizeof(migration));
	text_add(line, " flags=0x%x pgsizes=0x%llx max=0x%llx", migration.flags,
		 (unsigned long long)migration.pgsize_bitmap,
		 (unsigned long long)migration.max_dirty_bitmap_size);
}

static void add_avail(const uint8_t *at, struct text *line)
{
	struct vfio_iommu_type1_info_dma_avail avail;

	memcpy(&avail, at, sizeof(avail));
	text_add(line, " avail=%u", avail.avail);
}

static void add_capability(const uint8_t *at, uint16_t id, struct text *line)
{
	switch (id) {
	case VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE:
		add_ranges(at, line);
		break;
	case VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION:
		add_migration(at, line);
		break;
	case VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL:
		add_avail(at, line);
		break;
	}
}

/* Without dirty tracking the offsets of capabilities are meaningless, too. */
static void add_chain(const uint8_t *bytes, uint32_t at, struct text *line)
{
	struct vfio_info_cap_header header;

	while (at && at + sizeof(header) < BUFFER_BYTES - 1024) {
		memcpy(&header, bytes + at, sizeof(header));
		if (!setup.without_dirty)
			text_add(line, " [%u@%u v%u", header.id, at,
				 header.version);
		else if (header.id != VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION)
			text_add(line, " [%u v%u", header.id, header.version);
		if (!setup.without_dirty ||
		    header.id != VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION) {
			add_capability(bytes + at, header.id, line);
			text_add(line, "]");
		}
		at = header.next;
	}
}

static int get_info(uint8_t *bytes, uint32_t argsz)
{
	memset(bytes, PATTERN, BUFFER_BYTES);
	memcpy(bytes, &argsz, sizeof(argsz));
	return vfio_call(current_container(), VFIO_IOMMU_GET_INFO,
			 (unsigned long)bytes);
}

/* Length of the answer, unless it ends with the fill pattern itself. */
static unsigned int nwritten(const uint8_t *bytes)
{
	unsigned int n = BUFFER_BYTES;

	while (n > sizeof(uint32_t) && bytes[n - 1] == PATTERN)
		n--;
	return n;
}

void do_info(const struct op *op, struct text *line)
{
	uint8_t bytes[BUFFER_BYTES] __attribute__((aligned(8)));
	struct vfio_iommu_type1_info info;
	int result = get_info(bytes, (uint32_t)op->arg[0]);

	text_add_result(line, result);
	if (result)
		return;
	memcpy(&info, bytes, sizeof(info));
	if (!setup.without_dirty)
		text_add(line, " argsz=%u written=%u", info.argsz,
			 nwritten(bytes));
	text_add(line, " flags=0x%x pgsizes=0x%llx", info.flags,
		 (unsigned long long)info.iova_pgsizes);
	if (nwritten(bytes) < offsetof(struct vfio_iommu_type1_info, cap_offset) +
			      sizeof(info.cap_offset))
		return;
	if (!setup.without_dirty)
		text_add(line, " cap_offset=%u", info.cap_offset);
	add_chain(bytes, info.cap_offset, line);
}

void do_info_bytes(const struct op *op, struct text *line)
{
	uint8_t bytes[BUFFER_BYTES] __attribute__((aligned(8)));
	int result = get_info(bytes, (uint32_t)op->arg[0]);
	unsigned int n = nwritten(bytes);
	unsigned int i;

	text_add_result(line, result);
	text_add(line, " %u:", n);
	for (i = 0; i < n; i++)
		text_add(line, "%s%02x", i % 8 ? "" : " ", bytes[i]);
}

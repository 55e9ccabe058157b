// SPDX-License-Identifier: GPL-2.0-only
/*
 * do_dirty.c - VFIO_IOMMU_DIRTY_PAGES, and VFIO_IOMMU_UNMAP_DMA with a bitmap
 */
#define _GNU_SOURCE
#include <linux/vfio.h>
#include <sys/mman.h>

#include "do.h"
#include "model.h"
#include "op_type.h"
#include "setup.h"
#include "transcript.h"

#define MAX_WORDS	4096U	/* to compare */
#define MAX_TOLD	8U	/* to print one by one */
#define FILLED_BYTES	MIB
#define KERNEL_POINTER	0xffff888000000000ULL

/* A buffer for a bitmap. */
struct bits {
	uint8_t *mapped;
	uint64_t nbytes_mapped;
	uint8_t *pointer;
	uint64_t nbytes;	/* readable at the pointer */
	bool ones;		/* initial bits are ones */
};

/* Stock type1 may write more bits than there is room for, so a guard follows. */
static void map_bits(struct bits *bits, uint64_t nbytes, int prot)
{
	bits->nbytes_mapped = (nbytes + 3 * PAGE) & ~(PAGE - 1);
	bits->mapped = mmap(NULL, bits->nbytes_mapped, prot,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (bits->mapped == MAP_FAILED)
		give_up("no memory for a bitmap");
	mprotect(bits->mapped + bits->nbytes_mapped - PAGE, PAGE, PROT_NONE);
	bits->pointer = bits->mapped;
	bits->nbytes = nbytes;
}

/* The memory behind the first 8 bytes is not accessible, for the whole size of the bitmap. */
static void map_edge(struct bits *bits, uint64_t nbytes)
{
	map_bits(bits, PAGE + nbytes, PROT_READ | PROT_WRITE);
	mprotect(bits->mapped + PAGE, bits->nbytes_mapped - PAGE, PROT_NONE);
	bits->pointer = bits->mapped + PAGE - sizeof(uint64_t);
	bits->nbytes = sizeof(uint64_t);
}

static void make_bits(struct bits *bits, uint64_t where, uint64_t nbytes)
{
	/* Absurdly large buffers get no memory. */
	uint64_t sane = nbytes > GIB ? 0 : nbytes;

	*bits = (struct bits){ 0 };
	switch (where) {
	case BITS_LOW:
		bits->pointer = (uint8_t *)8;
		break;
	case BITS_KERNEL:
		bits->pointer = (uint8_t *)KERNEL_POINTER;
		break;
	case BITS_NO_ACCESS:
		map_bits(bits, sane, PROT_NONE);
		bits->nbytes = 0;
		break;
	case BITS_EDGE:
		map_edge(bits, sane);
		break;
	default:
		map_bits(bits, sane, PROT_READ | PROT_WRITE);
	}
	if (where == BITS_ODD)
		bits->pointer++;
	bits->ones = where == BITS_ONES;
	if (bits->ones)
		memset(bits->pointer, 0xff,
		       sane < FILLED_BYTES ? sane : FILLED_BYTES);
}

static void free_bits(struct bits *bits)
{
	if (bits->mapped)
		munmap(bits->mapped, bits->nbytes_mapped);
}

/* Prints the words of the bitmap that have changed, as far as the range goes. */
static void add_bits(const struct bits *bits, uint64_t iova, uint64_t nbytes,
		     struct text *line)
{
	uint64_t nwords = (nbytes / PAGE + 63) / 64;
	uint64_t hash = HASH_START;
	unsigned int ntold = 0;
	uint64_t i;

	if (nwords > bits->nbytes / 8)
		nwords = bits->nbytes / 8;
	for (i = 0; i < nwords && i < MAX_WORDS; i++) {
		uint64_t before = bits->ones ? UINT64_MAX : 0;
		uint64_t compared = UINT64_MAX;
		uint64_t word;

		memcpy(&word, bits->pointer + i * 8, sizeof(word));
		if (!setup.whole_bitmaps)
			compared = model_reliable_bits(iova + i * 64 * PAGE);
		if ((word & compared) == (before & compared))
			continue;
		word &= compared;
		hash = hash_bytes(hash, &word, sizeof(word));
		if (++ntold <= MAX_TOLD)
			text_add(line, " %llu:0x%llx", (unsigned long long)i,
				 (unsigned long long)word);
	}
	if (ntold > MAX_TOLD)
		text_add(line, " and %u more %016llx", ntold - MAX_TOLD,
			 (unsigned long long)hash);
}

void do_dirty(const struct op *op, struct text *line)
{
	struct vfio_iommu_type1_dirty_bitmap dirty = {
		.argsz = (uint32_t)op->arg[1],
		.flags = (uint32_t)op->arg[0],
	};
	int result = vfio_call(current_container(), VFIO_IOMMU_DIRTY_PAGES,
			       (unsigned long)&dirty);

	text_add_result(line, result);
	if (!result && dirty.flags == VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP)
		model_forget_reports();
}

/* The two structs that end with a bitmap's description. */
struct dirty_get {
	struct vfio_iommu_type1_dirty_bitmap head;
	struct vfio_iommu_type1_dirty_bitmap_get get;
};

struct unmap_bitmap {
	struct vfio_iommu_type1_dma_unmap head;
	struct vfio_bitmap bitmap;
};

void do_dirty_get(const struct op *op, struct text *line)
{
	struct dirty_get call = {
		.head.argsz = (uint32_t)op->arg[5],
		.head.flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP,
		.get.iova = op->arg[0],
		.get.size = op->arg[1],
		.get.bitmap.pgsize = op->arg[2],
		.get.bitmap.size = op->arg[3],
	};
	struct dirty_get before;
	struct bits bits;

	make_bits(&bits, op->arg[4], op->arg[3]);
	call.get.bitmap.data = (void *)bits.pointer;
	before = call;
	text_add_result(line, vfio_call(current_container(), VFIO_IOMMU_DIRTY_PAGES,
					(unsigned long)&call));
	if (memcmp(&call, &before, sizeof(call)))
		text_add(line, " struct written");
	add_bits(&bits, op->arg[0], op->arg[1], line);
	model_report(op->arg[0], op->arg[1]);
	free_bits(&bits);
}

void do_unmap_bitmap(const struct op *op, struct text *line)
{
	struct unmap_bitmap call = {
		.head.argsz = (uint32_t)op->arg[6],
		.head.flags = (uint32_t)op->arg[5],
		.head.iova = op->arg[0],
		.head.size = op->arg[1],
		.bitmap.pgsize = op->arg[2],
		.bitmap.size = op->arg[3],
	};
	struct bits bits;
	int result;

	make_bits(&bits, op->arg[4], op->arg[3]);
	call.bitmap.data = (void *)bits.pointer;
	result = vfio_call(current_container(), VFIO_IOMMU_UNMAP_DMA,
			   (unsigned long)&call);
	text_add_result(line, result);
	text_add(line, " size=0x%llx", (unsigned long long)call.head.size);
	add_bits(&bits, op->arg[0], op->arg[1], line);
	model_report(op->arg[0], op->arg[1]);
	free_bits(&bits);
	if (result)
		return;
	if (op->arg[5] & VFIO_DMA_UNMAP_FLAG_ALL)
		model_clear();
	else
		model_unmap(op->arg[0], op->arg[1]);
}

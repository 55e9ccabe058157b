/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib_edu.h - QEMU's edu device in tests
 *
 * The device has a buffer of its own. It copies up to 2048 bytes between the buffer and an IOVA.
 */
#ifndef GUEST_LIB_EDU_H
#define GUEST_LIB_EDU_H

#include "lib/edu.h"

/* Opens the device of this index. Its group must be in a container with an IOMMU. */
void edu_open(struct edu *edu, int group, unsigned int device_index);
void edu_close(struct edu *edu);

/*
 * Memory to device, and device to memory. They wait for the end of the transfer. The device reports
 * the end even if the IOMMU blocked the transfer.
 */
void edu_load(struct edu *edu, uint64_t iova, uint32_t nbytes);
void edu_store(struct edu *edu, uint64_t iova, uint32_t nbytes);

/*
 * A buffer mapped at an IOVA that nothing else uses. Through it a test reads and sets the device's
 * own buffer.
 */
struct probe {
	struct edu *edu;
	int container;
	uint64_t iova;
	uint8_t *bytes;
};

void probe_open(struct probe *probe, struct edu *edu, int container,
		uint64_t iova);
void probe_close(struct probe *probe);
/* Fills the device's buffer with the pattern of the seed. */
void probe_set(struct probe *probe, uint64_t seed);
/* Does the device's buffer contain these bytes? */
bool probe_equals(struct probe *probe, const void *expected, uint32_t nbytes);

/* Checks that the device reads the first, the last and some other pages through their IOVA. */
void check_reads(struct edu *edu, struct probe *probe, uint64_t iova, const uint8_t *pages,
		 uint64_t nbytes);

/* Checks a copy memory[from] -> device -> memory[to] through these IOVAs. */
void check_copy_at(const char *file, int line, struct edu *edu,
		   uint8_t *from, uint64_t from_iova, uint8_t *to,
		   uint64_t to_iova);
#define check_copy(edu, from, from_iova, to, to_iova) \
	check_copy_at(__FILE__, __LINE__, edu, from, from_iova, to, to_iova)

#endif

// SPDX-License-Identifier: GPL-2.0-only
/* do_emulated.c - calls from the driver of an emulated device to its container */
#include "do.h"
#include "emulated_test.h"
#include "memory.h"
#include "op_type.h"
#include "setup.h"

#define MAX_KNOWN	64

/*
 * Pins that can certainly be unpinned. Stock type1 warns about other unpins, so random sequences
 * leave them out.
 */
struct known_pin {
	uint64_t group;
	uint64_t iova;
	uint64_t npages;
	uint32_t ncallbacks;	/* the device's count at the time of the pin */
};

static struct known_pin known[MAX_KNOWN];
static unsigned int nknown;

static int device_of(const struct op *op)
{
	return setup.device[op->arg[0]][0];
}

static uint32_t ncallbacks_of(const struct op *op)
{
	struct emulated_info info = { 0 };

	if (vfio_call(device_of(op), EMULATED_INFO, (unsigned long)&info))
		return UINT32_MAX;
	return info.ncallbacks;
}

static void remember_pin(const struct op *op)
{
	if (nknown == MAX_KNOWN)
		nknown = 0;
	known[nknown++] = (struct known_pin){
		.group = op->arg[0],
		.iova = op->arg[1],
		.npages = op->arg[2],
		.ncallbacks = ncallbacks_of(op),
	};
}

static bool forget_pin(const struct op *op)
{
	unsigned int i;

	for (i = 0; i < nknown; i++) {
		struct known_pin pin = known[i];

		if (pin.group != op->arg[0] || pin.iova != op->arg[1] ||
		    pin.npages != op->arg[2])
			continue;
		known[i] = known[--nknown];
		return pin.ncallbacks == ncallbacks_of(op);
	}
	return false;
}

void do_pin(const struct op *op, struct text *line)
{
	struct emulated_pin pin = {
		.iova = op->arg[1],
		.npages = (int32_t)op->arg[2],
		.prot = (uint32_t)op->arg[3],
	};
	int result = vfio_call(device_of(op), EMULATED_PIN,
			       (unsigned long)&pin);

	text_add_result(line, result);
	if (setup.careful && result > 0)
		remember_pin(op);
}

void do_unpin(const struct op *op, struct text *line)
{
	struct emulated_pin pin = {
		.iova = op->arg[1],
		.npages = (int32_t)op->arg[2],
	};

	if (setup.careful && !forget_pin(op)) {
		text_add(line, " left out");
		return;
	}
	text_add_result(line, vfio_call(device_of(op), EMULATED_UNPIN,
					(unsigned long)&pin));
}

void do_rw(const struct op *op, struct text *line)
{
	static uint8_t data[EMULATED_MAX_BYTES];
	uint64_t nbytes = op->arg[2];
	struct emulated_rw rw = {
		.iova = op->arg[1],
		.data = (uintptr_t)data,
		.nbytes = (uint32_t)nbytes,
		.flags = (uint32_t)op->arg[3],
	};

	if (nbytes > sizeof(data))
		nbytes = sizeof(data);
	memory_fill(data, nbytes, op->arg[4]);
	text_add_result(line, vfio_call(device_of(op), EMULATED_RW,
					(unsigned long)&rw));
	if (!(op->arg[3] & EMULATED_WRITE))
		text_add(line, " hash=%016llx", (unsigned long long)
			 hash_bytes(HASH_START, data, nbytes));
}

void do_behave(const struct op *op, struct text *line)
{
	struct emulated_behave behave = {
		.nignored = (uint32_t)op->arg[1],
		.flags = (uint32_t)op->arg[2],
	};

	text_add_result(line, vfio_call(device_of(op), EMULATED_BEHAVE,
					(unsigned long)&behave));
}

void do_callbacks(const struct op *op, struct text *line)
{
	struct emulated_info info = { 0 };
	int result = vfio_call(device_of(op), EMULATED_INFO,
			       (unsigned long)&info);
	unsigned int i;

	text_add_result(line, result);
	if (result)
		return;
	text_add(line, " callbacks=%u pins=%u open=%d repin=%d", info.ncallbacks,
		 info.npins, info.open_pin, info.repin);
	for (i = 0; i < info.ncallbacks && i < EMULATED_LOG; i++)
		text_add(line, " 0x%llx+0x%llx",
			 (unsigned long long)info.log[i].iova,
			 (unsigned long long)info.log[i].nbytes);
}

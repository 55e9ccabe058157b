// SPDX-License-Identifier: GPL-2.0-only
/* do_device.c - operations on PCI devices: memory decoding, and DMA by QEMU's edu */
#include "do.h"
#include "lib/edu.h"
#include "lib/pci.h"
#include "op_type.h"
#include "setup.h"
#include "transcript.h"

#define EDU_POLLS	30000U
#define EDU_POLL_US	1000

void do_decode(const struct op *op, struct text *line)
{
	int device = setup.device[op->arg[0]][0];

	text_add_result(line, pci_command(device, op->arg[1] ? PCI_MEMORY : 0,
					  op->arg[1] ? 0 : PCI_MEMORY));
}

typedef void edu_start_fn(struct edu *edu, uint64_t iova, uint32_t nbytes);

static void edu_transfer(const struct op *op, edu_start_fn *start, struct text *line)
{
	unsigned int polls = EDU_POLLS;
	struct edu edu;

	if (!devices[op->arg[0]].is_edu || op->arg[2] > EDU_BYTES)
		give_up("that is not for an edu device");
	if (edu_map(&edu, setup.device[op->arg[0]][0])) {
		text_add_result(line, -ENODEV);
		return;
	}
	start(&edu, op->arg[1], (uint32_t)op->arg[2]);
	while (!edu_is_idle(&edu) && --polls)
		usleep(EDU_POLL_US);
	text_add_result(line, polls ? 0 : -ETIMEDOUT);
	edu_unmap(&edu);
}

void do_load(const struct op *op, struct text *line)
{
	edu_transfer(op, edu_start_load, line);
}

void do_store(const struct op *op, struct text *line)
{
	edu_transfer(op, edu_start_store, line);
}

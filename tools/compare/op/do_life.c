// SPDX-License-Identifier: GPL-2.0-only
/* do_life.c - operations on containers, groups and devices themselves */
#include <fcntl.h>
#include <linux/vfio.h>

#include "do.h"
#include "model.h"
#include "op_type.h"
#include "setup.h"
#include "transcript.h"

/* Descriptors differ from run to run, so success is printed as 0. */
static void add_opened(struct text *line, int *slot, int fd)
{
	text_add_result(line, fd < 0 ? fd : 0);
	if (fd < 0)
		return;
	if (*slot >= 0)
		close(*slot);
	*slot = fd;
}

static void close_slot(int *slot, struct text *line)
{
	int result = close(*slot);

	text_add_result(line, result ? -errno : 0);
	*slot = -1;
}

void do_container(const struct op *op, struct text *line)
{
	int fd = open(backend_node(setup.backend), O_RDWR);

	setup.current = (unsigned int)op->arg[0] % NCONTAINERS;
	model_clear();
	add_opened(line, &setup.container[setup.current], fd < 0 ? -errno : fd);
}

void do_use(const struct op *op, struct text *line)
{
	(void)line;
	setup.current = (unsigned int)op->arg[0] % NCONTAINERS;
}

void do_close_container(const struct op *op, struct text *line)
{
	close_slot(&setup.container[op->arg[0] % NCONTAINERS], line);
}

void do_group(const struct op *op, struct text *line)
{
	int *slot = &setup.group[op->arg[0]];
	char path[32];
	int fd;

	if (*slot < 0) {
		add_opened(line, slot, setup_open_group((enum group)op->arg[0]));
		return;
	}
	/* This process has it open: waiting would never help. */
	snprintf(path, sizeof(path), "/dev/vfio/%d",
		 devices[op->arg[0]].group);
	fd = open(path, O_RDWR);
	text_add_result(line, fd < 0 ? -errno : 0);
	if (fd >= 0)
		close(fd);
}

/* A container loses its mappings when its last group leaves. */
static void after_leaving(void)
{
	if (mappings_left(current_container()) < 0)
		model_clear();
}

void do_close_group(const struct op *op, struct text *line)
{
	close_slot(&setup.group[op->arg[0]], line);
	after_leaving();
}

void do_join(const struct op *op, struct text *line)
{
	int container = current_container();

	text_add_result(line, vfio_call(setup.group[op->arg[0]],
					VFIO_GROUP_SET_CONTAINER,
					(unsigned long)&container));
}

void do_join_fd(const struct op *op, struct text *line)
{
	int other = setup.container[(setup.current + 1) % NCONTAINERS];
	int fds[] = {
		[FD_CLOSED] = 999,
		[FD_NULL] = open("/dev/null", O_RDWR | O_CLOEXEC),
		[FD_OTHER] = other,
	};
	void *pointer = op->arg[1] == FD_POINTER ? (void *)8 :
						   &fds[op->arg[1]];

	text_add_result(line, vfio_call(setup.group[op->arg[0]],
					VFIO_GROUP_SET_CONTAINER,
					(unsigned long)pointer));
	close(fds[FD_NULL]);
}

void do_leave(const struct op *op, struct text *line)
{
	text_add_result(line, vfio_call(setup.group[op->arg[0]],
					VFIO_GROUP_UNSET_CONTAINER, 0));
	after_leaving();
}

void do_status(const struct op *op, struct text *line)
{
	struct vfio_group_status status = {
		.argsz = (uint32_t)op->arg[1],
		.flags = 0x5a5a5a5a,
	};

	text_add_result(line, vfio_call(setup.group[op->arg[0]],
					VFIO_GROUP_GET_STATUS,
					(unsigned long)&status));
	text_add(line, " flags=0x%x", status.flags);
}

/*
 * vfio.ko asks one backend after the other: if ours refuses, stock type1 may serve the container.
 * The following lines are then stock's on both sides. This line still shows a difference: ours has
 * refused a call that stock accepts.
 */
void do_set_iommu(const struct op *op, struct text *line)
{
	int container = current_container();
	int result = vfio_call(container, VFIO_SET_IOMMU, op->arg[0]);

	text_add_result(line, result);
	if (result)
		return;
	model_set_type(op->arg[0] != VFIO_TYPE1_IOMMU);
	if (who_serves(container) == (int)setup.backend)
		return;
	if (setup.exclusive)
		give_up("the wrong backend serves the container");
	text_add(line, " served by the other backend");
}

void do_api_version(const struct op *op, struct text *line)
{
	(void)op;
	text_add_result(line, vfio_call(current_container(),
					VFIO_GET_API_VERSION, 0));
}

void do_extension(const struct op *op, struct text *line)
{
	text_add_result(line, vfio_call(current_container(), VFIO_CHECK_EXTENSION,
					op->arg[0]));
}

void do_call(const struct op *op, struct text *line)
{
	text_add_result(line, vfio_call(current_container(), op->arg[0],
					op->arg[1]));
}

void do_device(const struct op *op, struct text *line)
{
	const char *name = op->arg[2] ? devices[op->arg[0]].name : "nope";
	int *slot = &setup.device[op->arg[0]][op->arg[1] % NSLOTS];
	int fd = vfio_call(setup.group[op->arg[0]], VFIO_GROUP_GET_DEVICE_FD,
			   (unsigned long)name);

	add_opened(line, slot, fd);
}

void do_close_device(const struct op *op, struct text *line)
{
	close_slot(&setup.device[op->arg[0]][op->arg[1] % NSLOTS], line);
	after_leaving();
}

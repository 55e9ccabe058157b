// SPDX-License-Identifier: GPL-2.0-only
/* setup.c - the open containers, groups and devices, and their state */
#define _GNU_SOURCE
#include "setup.h"

#include <fcntl.h>
#include <linux/vfio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "iommufd.h"
#include "lib/text.h"
#include "system/nodes.h"

#define OUR_NODE	NODE_DIR "/" NODE_OURS
#define STOCK_NODE	NODE_DIR "/" NODE
#define MOVED_NODE	NODE_DIR "/" NODE_ASIDE
#define OPEN_TRIES	2000
#define OPEN_DELAY_US	5000

struct setup setup;

void setup_init(enum backend backend, bool exclusive)
{
	memset(&setup, 0, sizeof(setup));
	setup.backend = backend;
	setup.exclusive = exclusive;
	setup.type = VFIO_TYPE1v2_IOMMU;
	setup.whole_bitmaps = true;
	memset(setup.container, -1, sizeof(setup.container));
	memset(setup.group, -1, sizeof(setup.group));
	memset(setup.device, -1, sizeof(setup.device));
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void setup_close(void)
{
	unsigned int i, slot;

	for (i = 0; i < NGROUPS; i++)
		for (slot = 0; slot < NSLOTS; slot++)
			close_fd(&setup.device[i][slot]);
	for (i = 0; i < NGROUPS; i++)
		close_fd(&setup.group[i]);
	for (i = 0; i < NCONTAINERS; i++)
		close_fd(&setup.container[i]);
	setup.current = 0;
}

int current_container(void)
{
	return setup.container[setup.current];
}

int vfio_call(int fd, unsigned long command, unsigned long argument)
{
	int result = ioctl(fd, command, argument);

	return result < 0 ? -errno : result;
}

int setup_open_group(enum group group)
{
	unsigned int tries = setup.opened[group] ? 0 : OPEN_TRIES;
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/dev/vfio/%d", devices[group].group);
	while ((fd = open(path, O_RDWR)) < 0 && errno == EBUSY && tries--)
		usleep(OPEN_DELAY_US);
	setup.opened[group] = setup.opened[group] || fd >= 0;
	return fd < 0 ? -errno : fd;
}

const char *backend_node(enum backend backend)
{
	struct stat status;

	if (backend == OURS)
		return OUR_NODE;
	/* Users make this a link, and so name the other node, as the README tells them. */
	if (!lstat(STOCK_NODE, &status) && S_ISLNK(status.st_mode))
		return MOVED_NODE;
	return STOCK_NODE;
}

int who_serves(int container)
{
	struct iommu_vfio_ioas query = {
		.size = sizeof(query),
		.op = IOMMU_VFIO_IOAS_GET,
	};
	int result = vfio_call(container, IOMMU_VFIO_IOAS,
			       (unsigned long)&query);

	if (result == -ENOTTY)
		return STOCK;
	return result == 0 && query.ioas_id ? OURS : -1;
}

/* The file describes the process that opened it, so a child opens its own. */
static int status_file(void)
{
	static int fd = -1;
	static pid_t opener;

	if (opener == getpid())
		return fd;
	if (fd >= 0)
		close(fd);
	fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	opener = getpid();
	return fd;
}

static long read_locked_kib(int fd)
{
	char status[4096];
	ssize_t nread = pread(fd, status, sizeof(status) - 1, 0);
	const char *found;

	if (nread < 0)
		return -1;
	status[nread] = '\0';
	found = strstr(status, "\nVmLck:");
	return found ? atol(found + sizeof("\nVmLck:") - 1) : -1;
}

long locked_kib(void)
{
	return read_locked_kib(status_file());
}

long locked_kib_of(pid_t pid)
{
	char path[32];
	long kib;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	kib = read_locked_kib(fd);
	close(fd);
	return kib;
}

static long long avail_in(const uint8_t *bytes, uint32_t nbytes)
{
	const struct vfio_iommu_type1_info *info = (const void *)bytes;
	uint32_t at = info->cap_offset;
	struct vfio_iommu_type1_info_dma_avail avail;

	while (at && at + sizeof(avail) <= nbytes) {
		memcpy(&avail, bytes + at, sizeof(avail));
		if (avail.header.id == VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL)
			return avail.avail;
		at = avail.header.next;
	}
	return -1;
}

long long mappings_left(int container)
{
	union {
		struct vfio_iommu_type1_info info;
		uint8_t bytes[1024];
	} answer;

	memset(&answer.info, 0, sizeof(answer.info));
	answer.info.argsz = sizeof(answer);
	if (vfio_call(container, VFIO_IOMMU_GET_INFO, (unsigned long)&answer))
		return -1;
	return avail_in(answer.bytes, sizeof(answer));
}

void setup_add_state(struct text *line)
{
	long long avail = mappings_left(current_container());

	text_add(line, " L=%ld", locked_kib());
	if (avail >= 0)
		text_add(line, " avail=%lld", avail);
	else
		text_add(line, " avail=none");
}

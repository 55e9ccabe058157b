// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib_vfio.c - VFIO containers, groups and devices
 */
#define _GNU_SOURCE
#include "lib.h"

#include <dirent.h>

#define DRIVER		"/sys/bus/pci/drivers/vfio-pci"
#define CLOSE_SECONDS	20U

/* The one native ioctl that works on every container of ours, and so identifies it. */
struct vfio_ioas_request {
	uint32_t size;
	uint32_t ioas_id;
	uint16_t op;
	uint16_t reserved;
};

#define IOMMU_VFIO_IOAS_CALL	_IO(';', 0x88)

static bool is_edu(const char *address)
{
	char path[128];
	char vendor[16] = "";
	char product[16] = "";

	snprintf(path, sizeof(path), DRIVER "/%.20s/vendor", address);
	read_text(path, vendor, sizeof(vendor));
	snprintf(path, sizeof(path), DRIVER "/%.20s/device", address);
	read_text(path, product, sizeof(product));
	return strcmp(vendor, "0x1234") == 0 && strcmp(product, "0x11e8") == 0;
}

static int group_of(const char *address)
{
	char path[128];
	char target[256];
	ssize_t nbytes;
	const char *slash;

	snprintf(path, sizeof(path), DRIVER "/%.20s/iommu_group", address);
	nbytes = readlink(path, target, sizeof(target) - 1);
	if (nbytes < 0)
		return -1;
	target[nbytes] = '\0';
	slash = strrchr(target, '/');
	return slash ? atoi(slash + 1) : -1;
}

static int by_address(const void *a, const void *b)
{
	return strcmp(((const struct device *)a)->address,
		      ((const struct device *)b)->address);
}

static unsigned int find_devices(struct device *found)
{
	unsigned int nfound = 0;
	struct dirent *entry;
	DIR *directory = opendir(DRIVER);

	while (directory && (entry = readdir(directory))) {
		if (nfound == MAX_DEVICES || strlen(entry->d_name) != 12 ||
		    !is_edu(entry->d_name))
			continue;
		snprintf(found[nfound].address, sizeof(found->address),
			 "%.12s", entry->d_name);
		found[nfound].group = group_of(entry->d_name);
		nfound++;
	}
	if (directory)
		closedir(directory);
	qsort(found, nfound, sizeof(*found), by_address);
	return nfound;
}

const struct device *devices(unsigned int *ndevices)
{
	static struct device found[MAX_DEVICES];
	static unsigned int nfound;

	if (!nfound)
		nfound = find_devices(found);
	*ndevices = nfound;
	return found;
}

const struct device *device_nr(unsigned int index)
{
	unsigned int ndevices;
	const struct device *found = devices(&ndevices);

	require_true(index < ndevices);
	return &found[index];
}

int open_fd(const char *path)
{
	int fd = open(path, O_RDWR);

	return fd < 0 ? -errno : fd;
}

int container_open(void)
{
	int fd = open_fd(vfio_node());

	require_true(fd >= 0);
	return fd;
}

int group_open(unsigned int device_index)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/vfio/%d",
		 device_nr(device_index)->group);
	return open_fd(path);
}

struct group_wait {
	unsigned int device_index;
	int fd;
};

static bool group_opens(void *arg)
{
	struct group_wait *wait = arg;

	wait->fd = group_open(wait->device_index);
	return wait->fd != -EBUSY;
}

int group_open_wait(unsigned int device_index)
{
	struct group_wait wait = { .device_index = device_index };

	wait_until(group_opens, &wait, CLOSE_SECONDS);
	return wait.fd;
}

int vfio_call(int fd, unsigned long command, unsigned long argument)
{
	int result = ioctl(fd, command, argument);

	return result < 0 ? -errno : result;
}

int group_set_container(int group, int container)
{
	return vfio_call(group, VFIO_GROUP_SET_CONTAINER,
			 (unsigned long)&container);
}

int group_unset_container(int group)
{
	return vfio_call(group, VFIO_GROUP_UNSET_CONTAINER, 0);
}

int group_status(int group)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	int result = vfio_call(group, VFIO_GROUP_GET_STATUS,
			       (unsigned long)&status);

	return result ? result : (int)status.flags;
}

int group_get_device(int group, const char *address)
{
	return vfio_call(group, VFIO_GROUP_GET_DEVICE_FD,
			 (unsigned long)address);
}

int set_iommu(int container, unsigned long type)
{
	return vfio_call(container, VFIO_SET_IOMMU, type);
}

int served_by_ioas(int container)
{
	struct vfio_ioas_request request = { .size = sizeof(request) };
	int result = vfio_call(container, IOMMU_VFIO_IOAS_CALL,
			       (unsigned long)&request);

	if (result == -ENOTTY)
		return 0;
	if (result == 0 && request.ioas_id)
		return 1;
	return result < 0 ? result : -EPROTO;
}

int dma_map(int container, uint64_t iova, const void *vaddr, uint64_t nbytes,
	    uint32_t flags)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = flags,
		.vaddr = (uintptr_t)vaddr,
		.iova = iova,
		.size = nbytes,
	};

	return vfio_call(container, VFIO_IOMMU_MAP_DMA, (unsigned long)&map);
}

long long dma_unmap_flags(int container, uint64_t iova, uint64_t nbytes,
			  uint32_t flags)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.flags = flags,
		.iova = iova,
		.size = nbytes,
	};
	int result = vfio_call(container, VFIO_IOMMU_UNMAP_DMA,
			       (unsigned long)&unmap);

	check_eq(unmap.argsz, sizeof(unmap));
	check_eq(unmap.flags, flags);
	check_eq(unmap.iova, iova);
	if (result == 0)
		return (long long)unmap.size;
	/* A failed call leaves the size as it was. */
	check_eq(unmap.size, nbytes);
	return result;
}

long long dma_unmap(int container, uint64_t iova, uint64_t nbytes)
{
	return dma_unmap_flags(container, iova, nbytes, 0);
}

long long dma_unmap_all(int container)
{
	return dma_unmap_flags(container, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL);
}

int info_get(int container, struct info *info)
{
	memset(info, 0, sizeof(*info));
	info->fixed.argsz = sizeof(*info);
	return vfio_call(container, VFIO_IOMMU_GET_INFO, (unsigned long)info);
}

const struct vfio_info_cap_header *info_cap(const struct info *info, int id)
{
	uint32_t at = info->fixed.cap_offset;

	while (at && at + sizeof(struct vfio_info_cap_header) < sizeof(*info)) {
		const struct vfio_info_cap_header *header =
			(const void *)(info->bytes + at);

		if (header->id == id)
			return header;
		at = header->next;
	}
	return NULL;
}

long long dma_avail(int container)
{
	const struct vfio_iommu_type1_info_dma_avail *avail;
	struct info info;

	require_eq(info_get(container, &info), 0);
	avail = (const void *)info_cap(&info, VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL);
	require_true(avail);
	return avail->avail;
}

uint64_t last_usable_iova(int container)
{
	const struct vfio_iommu_type1_info_cap_iova_range *ranges;
	struct info info;

	require_eq(info_get(container, &info), 0);
	ranges = (const void *)
		info_cap(&info, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
	require_true(ranges);
	require_true(ranges->nr_iovas > 0);
	return ranges->iova_ranges[ranges->nr_iovas - 1].end;
}

int wrap_error(void)
{
	return kernel_at_least(6, 18) ? -EOVERFLOW : -EINVAL;
}

void require_backend(int container)
{
	require_eq(served_by_ioas(container), backend_is_ioas());
}

void rig_add_group(struct rig *rig)
{
	int group = group_open_wait(rig->ngroups);

	require_true(group >= 0);
	require_eq(group_set_container(group, rig->container), 0);
	rig->group[rig->ngroups++] = group;
}

void rig_open(struct rig *rig, unsigned long type, unsigned int ngroups)
{
	rig->ngroups = 0;
	rig->container = container_open();
	while (rig->ngroups < ngroups)
		rig_add_group(rig);
	require_eq(set_iommu(rig->container, type), 0);
	require_backend(rig->container);
}

void rig_close(struct rig *rig)
{
	while (rig->ngroups) {
		int group = rig->group[--rig->ngroups];

		require_eq(group_unset_container(group), 0);
		require_eq(or_errno(close(group)), 0);
	}
	require_eq(or_errno(close(rig->container)), 0);
}

int rig_open_path(struct rig *rig, const char *path, unsigned int device_index)
{
	rig->container = open_fd(path);
	require_true(rig->container >= 0);
	rig->group[0] = group_open_wait(device_index);
	require_true(rig->group[0] >= 0);
	rig->ngroups = 1;
	require_eq(group_set_container(rig->group[0], rig->container), 0);
	return set_iommu(rig->container, VFIO_TYPE1v2_IOMMU);
}

void check_served(const char *path, int expected)
{
	struct rig rig;

	context("%s", path);
	require_eq(rig_open_path(&rig, path, 0), 0);
	check_eq(served_by_ioas(rig.container), expected);
	rig_close(&rig);
	context("%s", "");
}

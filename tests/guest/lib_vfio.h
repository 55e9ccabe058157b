/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib_vfio.h - VFIO containers, groups and devices
 *
 * Functions return the result of the ioctl, or -errno.
 */
#ifndef GUEST_LIB_VFIO_H
#define GUEST_LIB_VFIO_H

#define MAX_DEVICES	8
#define RW		(VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)
#define RO		VFIO_DMA_MAP_FLAG_READ
#define WO		VFIO_DMA_MAP_FLAG_WRITE

/* An edu device bound to vfio-pci. */
struct device {
	char address[16];	/* 0000:00:03.0 */
	int group;		/* number of its IOMMU group */
};

/* All edu devices, in the order of their addresses. */
const struct device *devices(unsigned int *ndevices);
const struct device *device_nr(unsigned int index);

int open_fd(const char *path);
int container_open(void);
int group_open(unsigned int device_index);
/* Waits while a process that has died still closes the group. */
int group_open_wait(unsigned int device_index);
int vfio_call(int fd, unsigned long command, unsigned long argument);
int group_set_container(int group, int container);
int group_unset_container(int group);
/* Flags of VFIO_GROUP_GET_STATUS. */
int group_status(int group);
int group_get_device(int group, const char *address);
int set_iommu(int container, unsigned long type);

/* Which backend serves the container? 1: ours, 0: the stock one. */
int served_by_ioas(int container);

/* Sizes are in bytes. Unmap returns the number of bytes unmapped. */
int dma_map(int container, uint64_t iova, const void *vaddr, uint64_t nbytes,
	    uint32_t flags);
long long dma_unmap(int container, uint64_t iova, uint64_t nbytes);
long long dma_unmap_flags(int container, uint64_t iova, uint64_t nbytes,
			  uint32_t flags);
long long dma_unmap_all(int container);

/* The result of VFIO_IOMMU_GET_INFO in a buffer that is large enough. */
struct info {
	union {
		struct vfio_iommu_type1_info fixed;
		uint8_t bytes[4096];
	};
};

int info_get(int container, struct info *info);
const struct vfio_info_cap_header *info_cap(const struct info *info, int id);
/* The number of mappings that the container may still make (DMA_AVAIL). */
long long dma_avail(int container);
/* The highest IOVA, inclusive, that can be mapped. */
uint64_t last_usable_iova(int container);

/* The negative errno for a range that wraps around 2^64. */
int wrap_error(void);

/*
 * A container with the groups of the first ngroups devices. Opening requires that all succeeds and
 * that the backend under test serves. Closing requires success, too.
 */
struct rig {
	int container;
	int group[2];
	unsigned int ngroups;
};

void rig_open(struct rig *rig, unsigned long type, unsigned int ngroups);
/*
 * Opens a container by path, with the group of one device and any backend. Returns the result of
 * VFIO_SET_IOMMU.
 */
int rig_open_path(struct rig *rig, const char *path, unsigned int device_index);
void rig_add_group(struct rig *rig);
void rig_close(struct rig *rig);
void require_backend(int container);
/* Checks which backend serves a container opened by path, as in served_by_ioas(). */
void check_served(const char *path, int expected);

#endif

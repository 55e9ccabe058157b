// SPDX-License-Identifier: GPL-2.0-only
/*
 * container_mdev.c - the kernel's own sample devices without an IOMMU: mtty (a serial port) and
 * mdpy (a display), in kernels that have them
 */
#define _GNU_SOURCE
#include "lib.h"

#define UUID	"83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"
#define NPAGES	16U

static const struct sample {
	const char *parent;	/* under /sys/class/mdev_bus */
	const char *type;
} mtty = { "mtty", "mtty-1" }, mdpy = { "mdpy", "mdpy-vga" };

static void write_or_skip(const char *path, const char *text)
{
	int ret = write_text(path, text);

	if (ret == -ENOENT)
		skip("the kernel has no such sample device");
	require_eq(ret, 0);
}

static void make_device(const struct sample *sample)
{
	char path[256];

	snprintf(path, sizeof(path),
		 "/sys/class/mdev_bus/%s/mdev_supported_types/%s/create",
		 sample->parent, sample->type);
	write_or_skip(path, UUID);
}

static void remove_device(void)
{
	require_eq(write_text("/sys/bus/mdev/devices/" UUID "/remove", "1"), 0);
}

/* Opens the group of the device, once udev or devtmpfs has made its node. */
static int open_group(void)
{
	char link[256], node[64];
	ssize_t n = readlink("/sys/bus/mdev/devices/" UUID "/iommu_group", link,
			     sizeof(link) - 1);

	require_true(n > 0);
	link[n] = '\0';
	snprintf(node, sizeof(node), "/dev/vfio/%s", strrchr(link, '/') + 1);
	return open_fd(node);
}

static struct vfio_region_info region_info(int device, uint32_t index)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };

	check_eq(vfio_call(device, VFIO_DEVICE_GET_REGION_INFO, (unsigned long)&info), 0);
	return info;
}

static void check_device(int device)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	struct vfio_region_info config;
	uint32_t id = 0;

	check_eq(vfio_call(device, VFIO_DEVICE_GET_INFO, (unsigned long)&info), 0);
	check_true(info.flags & VFIO_DEVICE_FLAGS_PCI);
	config = region_info(device, VFIO_PCI_CONFIG_REGION_INDEX);
	check_eq(pread(device, &id, sizeof(id), (off_t)config.offset), sizeof(id));
	check_true(id && id != UINT32_MAX);
}

/* A device alone in a container: mapped memory is not looked at, and all is as with stock. */
static void use_alone(const struct sample *sample)
{
	void *memory = mem_alloc(NPAGES * PAGE);
	int container, group, device;

	make_device(sample);
	container = container_open();
	group = open_group();
	require_true(group >= 0);
	check_eq(group_set_container(group, container), 0);
	check_eq(set_iommu(container, VFIO_TYPE1v2_IOMMU), 0);
	check_eq(served_by_ioas(container), backend_is_ioas());
	check_eq(vfio_call(container, VFIO_CHECK_EXTENSION, VFIO_UPDATE_VADDR), 0);
	device = group_get_device(group, UUID);
	require_true(device >= 0);
	check_device(device);
	check_eq(dma_map(container, 0, memory, NPAGES * PAGE, RW), 0);
	check_eq(vm_lck_kib(0), 0);
	check_eq(dma_unmap_all(container), NPAGES * PAGE);
	check_eq(dma_map(container, 0, memory, NPAGES * PAGE, RW), 0);
	require_eq(or_errno(close(device)), 0);
	require_eq(or_errno(close(group)), 0);
	check_eq(dma_map(container, NPAGES * PAGE, memory, PAGE, RW), -EINVAL);
	require_eq(or_errno(close(container)), 0);
	remove_device();
	mem_free(memory, NPAGES * PAGE);
}

static void serial_port_works(void)
{
	use_alone(&mtty);
}

static void display_works(void)
{
	use_alone(&mdpy);
}

static void serial_port_shares_a_container_with_a_pci_device(void)
{
	struct rig rig;
	int group;

	make_device(&mtty);
	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	group = open_group();
	require_true(group >= 0);
	check_eq(group_set_container(group, rig.container), 0);
	check_eq(vfio_call(rig.container, VFIO_CHECK_EXTENSION, VFIO_UPDATE_VADDR), 0);
	check_eq(group_unset_container(group), 0);
	check_eq(vfio_call(rig.container, VFIO_CHECK_EXTENSION, VFIO_UPDATE_VADDR), 1);
	require_eq(or_errno(close(group)), 0);
	rig_close(&rig);
	remove_device();
}

static const struct test tests[] = {
	TEST(serial_port_works, 0),
	TEST(display_works, 0),
	TEST(serial_port_shares_a_container_with_a_pci_device, NEEDS_ONE),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}

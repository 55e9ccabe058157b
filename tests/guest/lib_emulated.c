// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib_emulated.c - the devices of the test driver in tests/kmod/emulated/
 */
#define _GNU_SOURCE
#include "lib_emulated.h"

#define CLOSE_SECONDS	20U

struct emul emul;

static const char *const names[NEMULATED] = {
	"emulated-0", "emulated-1", "emulated-mute",
};

/* --- groups and devices */

static int group_number(unsigned int which)
{
	char path[80], target[256] = "";

	snprintf(path, sizeof(path),
		 "/sys/bus/platform/devices/%s/iommu_group", names[which]);
	require_true(readlink(path, target, sizeof(target) - 1) > 0);
	return atoi(strrchr(target, '/') + 1);
}

struct opening {
	char path[32];
	int fd;
};

static bool group_opens(void *arg)
{
	struct opening *opening = arg;

	opening->fd = open_fd(opening->path);
	return opening->fd != -EBUSY;
}

/* A process that has died may still be closing the group. */
int emulated_group_open(unsigned int which)
{
	struct opening opening;

	snprintf(opening.path, sizeof(opening.path), "/dev/vfio/%d",
		 group_number(which));
	wait_until(group_opens, &opening, CLOSE_SECONDS);
	require_true(opening.fd >= 0);
	return opening.fd;
}

int emulated_group_add(int container, unsigned int which)
{
	int group = emulated_group_open(which);

	require_eq(group_set_container(group, container), 0);
	return group;
}

void emulated_group_remove(int group)
{
	require_eq(group_unset_container(group), 0);
	require_eq(or_errno(close(group)), 0);
}

int emulated_device_open(int group, unsigned int which)
{
	int device = group_get_device(group, names[which]);

	require_true(device >= 0);
	return device;
}

/* --- the ioctls */

static int pin_call(int device, unsigned long command, uint64_t iova,
		    int npages, uint32_t prot)
{
	struct emulated_pin arg = {
		.iova = iova,
		.npages = npages,
		.prot = prot,
	};

	return vfio_call(device, command, (unsigned long)&arg);
}

int emulated_pin(int device, uint64_t iova, int npages, uint32_t prot)
{
	return pin_call(device, EMULATED_PIN, iova, npages, prot);
}

int emulated_unpin(int device, uint64_t iova, int npages)
{
	return pin_call(device, EMULATED_UNPIN, iova, npages, 0);
}

static int copy_call(int device, unsigned long command,
		     const struct emulated_rw *arg)
{
	return vfio_call(device, command, (unsigned long)arg);
}

int emulated_rw(int device, uint64_t iova, void *data, uint32_t nbytes,
		uint32_t flags)
{
	const struct emulated_rw arg = {
		.iova = iova,
		.data = (uintptr_t)data,
		.nbytes = nbytes,
		.flags = flags,
	};

	return copy_call(device, EMULATED_RW, &arg);
}

int emulated_copy(int device, uint64_t iova, void *data, uint32_t nbytes,
		  uint32_t flags)
{
	const struct emulated_rw arg = {
		.iova = iova,
		.data = (uintptr_t)data,
		.nbytes = nbytes,
		.flags = flags,
	};

	return copy_call(device, EMULATED_COPY, &arg);
}

void emulated_behave(int device, uint32_t nignored, uint32_t flags)
{
	struct emulated_behave arg = {
		.nignored = nignored,
		.flags = flags,
	};

	require_eq(vfio_call(device, EMULATED_BEHAVE, (unsigned long)&arg), 0);
}

struct emulated_info emulated_info(int device)
{
	struct emulated_info arg = { 0 };

	require_eq(vfio_call(device, EMULATED_INFO, (unsigned long)&arg), 0);
	return arg;
}

/* --- the setup of most tests */

static void open_container(void)
{
	emul.pci = -1;
	/* Small pages: an action on one does not affect its neighbours. */
	emul.memory = mem_alloc_scattered(EMUL_BYTES);
	fill(emul.memory, EMUL_BYTES, 1);
	emul.container = container_open();
}

static void open_device(unsigned long type)
{
	emul.group = emulated_group_add(emul.container, EMULATED_0);
	require_eq(set_iommu(emul.container, type), 0);
	require_backend(emul.container);
	emul.device = emulated_device_open(emul.group, EMULATED_0);
}

void emul_open(unsigned long type)
{
	open_container();
	open_device(type);
}

void emul_open_mixed(void)
{
	open_container();
	require_eq(emul_add_pci(), 0);
	open_device(VFIO_TYPE1v2_IOMMU);
}

void emul_close_device(void)
{
	require_eq(or_errno(close(emul.device)), 0);
	emul.device = -1;
}

void emul_remove_group(void)
{
	if (emul.device >= 0)
		emul_close_device();
	emulated_group_remove(emul.group);
	emul.group = -1;
}

int emul_add_pci(void)
{
	int group = group_open_wait(0);
	int result;

	require_true(group >= 0);
	result = group_set_container(group, emul.container);
	if (result) {
		expect_in_log("cannot attach");
		close(group);
	} else {
		emul.pci = group;
	}
	return result;
}

void emul_remove_pci(void)
{
	require_eq(group_unset_container(emul.pci), 0);
	require_eq(or_errno(close(emul.pci)), 0);
	emul.pci = -1;
}

void emul_close(void)
{
	if (emul.group >= 0)
		emul_remove_group();
	if (emul.pci >= 0)
		emul_remove_pci();
	require_eq(or_errno(close(emul.container)), 0);
	mem_free(emul.memory, EMUL_BYTES);
}

int emul_map(uint64_t first_page, uint64_t npages, uint32_t flags)
{
	require_true(first_page + npages <= EMUL_PAGES);
	return dma_map(emul.container, first_page * PAGE,
		       emul.memory + first_page * PAGE, npages * PAGE, flags);
}

long long emul_unmap(uint64_t first_page, uint64_t npages)
{
	long long result = dma_unmap(emul.container, first_page * PAGE,
				     npages * PAGE);

	return result < 0 ? result : result / (long long)PAGE;
}

int emul_pin(uint64_t first_page, int npages, uint32_t prot)
{
	return emulated_pin(emul.device, first_page * PAGE, npages, prot);
}

int emul_unpin(uint64_t first_page, int npages)
{
	return emulated_unpin(emul.device, first_page * PAGE, npages);
}

bool has_update_vaddr(void)
{
	struct rig rig;
	bool has;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	has = vfio_call(rig.container, VFIO_CHECK_EXTENSION,
			VFIO_UPDATE_VADDR);
	rig_close(&rig);
	return has;
}

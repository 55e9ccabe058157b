// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib_driver.c - the ioctls of the test driver for edu devices
 */
#define _GNU_SOURCE
#include "lib_driver.h"

#include <dirent.h>
#include <signal.h>

#define NODE_PREFIX	"edu_test-"
#define PCI_DEVICES	"/sys/bus/pci/devices/"

struct kapi kapi;

struct edu_device {
	char address[16];
	int group;
};

static struct edu_device found[NDEVICES];

/* --- devices and their drivers */

static int compare_devices(const void *a, const void *b)
{
	const struct edu_device *one = a, *two = b;

	return strcmp(one->address, two->address);
}

static int group_of(const char *address)
{
	char path[80], target[256] = "";

	snprintf(path, sizeof(path), PCI_DEVICES "%s/iommu_group", address);
	require_true(readlink(path, target, sizeof(target) - 1) > 0);
	return atoi(strrchr(target, '/') + 1);
}

/* Numbers devices by address: the bus behind the bridge has a higher number. */
static void find_devices(void)
{
	unsigned int ndevices = 0;
	struct dirent *entry;
	DIR *directory = opendir("/dev");

	require_true(directory);
	while ((entry = readdir(directory))) {
		struct edu_device *device = &found[ndevices];

		if (strncmp(entry->d_name, NODE_PREFIX, strlen(NODE_PREFIX)))
			continue;
		require_true(ndevices++ < NDEVICES);
		snprintf(device->address, sizeof(device->address), "%.15s",
			 entry->d_name + strlen(NODE_PREFIX));
		device->group = group_of(device->address);
	}
	closedir(directory);
	require_eq(ndevices, NDEVICES);
	qsort(found, NDEVICES, sizeof(found[0]), compare_devices);
	require_true(found[LONE_0].group != found[LONE_1].group);
	require_true(found[LONE_0].group != found[PAIR_0].group);
	require_true(found[LONE_1].group != found[PAIR_0].group);
	require_eq(found[PAIR_0].group, found[PAIR_1].group);
}

static const struct edu_device *device_of(unsigned int device)
{
	if (!*found[0].address)
		find_devices();
	return &found[device];
}

const char *edu_address(unsigned int device)
{
	return device_of(device)->address;
}

int edu_group(unsigned int device)
{
	return device_of(device)->group;
}

static int set_driver(const char *address, const char *driver)
{
	char path[80];

	snprintf(path, sizeof(path), PCI_DEVICES "%s/driver/unbind", address);
	write_text(path, address);
	snprintf(path, sizeof(path), PCI_DEVICES "%s/driver_override", address);
	require_eq(write_text(path, driver), 0);
	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/bind", driver);
	return write_text(path, address);
}

int edu_set_driver(unsigned int device, const char *driver)
{
	return set_driver(edu_address(device), driver);
}

void edu_restore_drivers(void)
{
	struct dirent *entry;
	DIR *directory = opendir(PCI_DEVICES);

	while (directory && (entry = readdir(directory))) {
		char path[300], driver[300] = "", override[32] = "";

		snprintf(path, sizeof(path), PCI_DEVICES "%s/driver_override",
			 entry->d_name);
		read_text(path, override, sizeof(override));
		snprintf(path, sizeof(path), PCI_DEVICES "%s/driver",
			 entry->d_name);
		if (readlink(path, driver, sizeof(driver) - 1) < 0)
			driver[0] = '\0';
		if (*override && strcmp(override, "(null)") &&
		    !strstr(driver, "/" DRIVER_TEST))
			set_driver(entry->d_name, DRIVER_TEST);
	}
	if (directory)
		closedir(directory);
}

/* --- the ioctls */

int edu_file(unsigned int device)
{
	char path[64];
	int file;

	snprintf(path, sizeof(path), "/dev/" NODE_PREFIX "%s",
		 edu_address(device));
	file = open(path, O_RDWR | O_CLOEXEC);
	require_true(file >= 0);
	return file;
}

long long edu_bind(int file, int fd)
{
	struct edu_test_bind arg = { .fd = fd };
	int result = native_call(file, EDU_TEST_BIND, &arg);

	return result ? result : (long long)arg.device_id;
}

int edu_unbind(int file)
{
	return native_call(file, EDU_TEST_UNBIND, NULL);
}

static long long choose_pt(int file, unsigned long command, uint32_t pt)
{
	struct edu_test_attach arg = { .pt_id = pt };
	int result = native_call(file, command, &arg);

	return result ? result : (long long)arg.pt_id;
}

long long edu_attach(int file, uint32_t pt)
{
	return choose_pt(file, EDU_TEST_ATTACH, pt);
}

long long edu_replace(int file, uint32_t pt)
{
	return choose_pt(file, EDU_TEST_REPLACE, pt);
}

int edu_detach(int file)
{
	return native_call(file, EDU_TEST_DETACH, NULL);
}

static void dma(int file, uint64_t iova, uint32_t flags)
{
	struct edu_test_dma arg = {
		.iova = iova,
		.nbytes = EDU_TEST_DMA_BYTES,
		.flags = flags,
	};

	dma_starts();
	require_eq(native_call(file, EDU_TEST_DMA, &arg), 0);
}

void edu_dma_load(int file, uint64_t iova)
{
	dma(file, iova, 0);
}

void edu_dma_store(int file, uint64_t iova)
{
	dma(file, iova, EDU_TEST_TO_MEMORY);
}

long long edu_access(int file, int fd, uint32_t ioas, uint32_t flags)
{
	struct edu_test_access_create arg = {
		.fd = fd,
		.ioas_id = ioas,
		.flags = flags,
	};
	int result = native_call(file, EDU_TEST_ACCESS_CREATE, &arg);

	return result ? result : (long long)arg.access_id;
}

int edu_access_destroy(int file)
{
	return native_call(file, EDU_TEST_ACCESS_DESTROY, NULL);
}

int edu_access_replace(int file, uint32_t ioas)
{
	struct edu_test_access_replace arg = { .ioas_id = ioas };

	return native_call(file, EDU_TEST_ACCESS_REPLACE, &arg);
}

int edu_access_attach(int file, uint32_t ioas)
{
	struct edu_test_access_replace arg = { .ioas_id = ioas };

	return native_call(file, EDU_TEST_ACCESS_ATTACH, &arg);
}

int edu_access_detach(int file)
{
	return native_call(file, EDU_TEST_ACCESS_DETACH, NULL);
}

struct edu_test_access_info edu_access_info(int file)
{
	struct edu_test_access_info arg = { 0 };

	require_eq(native_call(file, EDU_TEST_ACCESS_INFO, &arg), 0);
	return arg;
}

long long edu_pin(int file, uint64_t iova, uint64_t nbytes, uint32_t flags)
{
	struct edu_test_pin arg = {
		.iova = iova,
		.nbytes = nbytes,
		.flags = flags,
	};
	int result = native_call(file, EDU_TEST_PIN, &arg);

	return result ? result : (long long)arg.pin_id;
}

int edu_unpin(int file, long long pin)
{
	struct edu_test_unpin arg = { .pin_id = (uint32_t)pin };

	return native_call(file, EDU_TEST_UNPIN, &arg);
}

int edu_pin_copy(int file, long long pin, void *data, uint32_t flags)
{
	struct edu_test_pin_copy arg = {
		.data = (uintptr_t)data,
		.pin_id = (uint32_t)pin,
		.flags = flags,
	};

	return native_call(file, EDU_TEST_PIN_COPY, &arg);
}

int edu_rw(int file, uint64_t iova, void *data, uint32_t nbytes,
	   uint32_t flags)
{
	struct edu_test_rw arg = {
		.iova = iova,
		.data = (uintptr_t)data,
		.nbytes = nbytes,
		.flags = flags,
	};

	return native_call(file, EDU_TEST_RW, &arg);
}

/* --- the setup of most tests */

void kapi_open(void)
{
	kapi.fd = native_open();
	kapi.ioas = ioas_alloc(kapi.fd);
	kapi.memory = mem_alloc(KAPI_BYTES);
	fill(kapi.memory, KAPI_BYTES, 1);
}

void kapi_close(void)
{
	require_eq(or_errno(close(kapi.fd)), 0);
	check_eq(vm_pin_kib(), 0);
	mem_free(kapi.memory, KAPI_BYTES);
}

void kapi_map(uint64_t iova)
{
	require_eq(ioas_map(kapi.fd, kapi.ioas, iova, kapi.memory, KAPI_BYTES,
			    IOAS_RW), 0);
}

int kapi_bound(unsigned int device)
{
	int file = edu_file(device);

	require_true(edu_bind(file, kapi.fd) > 0);
	return file;
}

int kapi_attached(unsigned int device)
{
	int file = kapi_bound(device);

	require_true(edu_attach(file, kapi.ioas) > 0);
	return file;
}

void kapi_detach(int file)
{
	check_eq(edu_detach(file), 0);
	check_eq(edu_unbind(file), 0);
	require_eq(or_errno(close(file)), 0);
}

void check_dma_at(const char *file_name, int line, int file, uint64_t iova)
{
	const uint64_t from = 1, to = KAPI_PAGES - 1;
	static uint64_t seed = 100;

	fill(kapi.memory + from * PAGE, EDU_TEST_DMA_BYTES, ++seed);
	memset(kapi.memory + to * PAGE, (int)~seed, EDU_TEST_DMA_BYTES);
	edu_dma_load(file, iova + from * PAGE);
	edu_dma_store(file, iova + to * PAGE);
	check_mem_at(file_name, line, "bytes the device copied",
		     kapi.memory + to * PAGE, kapi.memory + from * PAGE,
		     EDU_TEST_DMA_BYTES);
}

void check_no_store_at(const char *file_name, int line, int file,
		       uint64_t iova)
{
	uint8_t before[KAPI_BYTES];

	/* The memory gets contents that the device does not have in its buffer. */
	fill(kapi.memory, KAPI_BYTES, 77);
	memcpy(before, kapi.memory, KAPI_BYTES);
	edu_dma_store(file, iova);
	check_mem_at(file_name, line, "memory out of the device's reach",
		     kapi.memory, before, KAPI_BYTES);
}

bool iova_is_usable(uint32_t ioas, uint64_t iova)
{
	struct ranges ranges;
	uint32_t i;

	require_eq(ioas_ranges(kapi.fd, ioas, MAX_RANGES, &ranges), 0);
	for (i = 0; i < ranges.number; i++)
		if (iova >= ranges.range[i].start &&
		    iova <= ranges.range[i].last)
			return true;
	return false;
}

struct doomed {
	void (*function)(struct gate *ready);
	struct gate ready;
};

static void wait_for_death(void *arg)
{
	struct doomed *doomed = arg;

	doomed->function(&doomed->ready);
	for (;;)
		pause();
}

void kill_when_ready(void (*function)(struct gate *ready))
{
	struct doomed doomed = { .function = function };
	int status;
	pid_t pid;

	gate_make(&doomed.ready);
	pid = spawn(wait_for_death, &doomed);
	/* The wait then ends if the child dies. */
	close(doomed.ready.fd[1]);
	gate_wait(&doomed.ready);
	require_eq(or_errno(kill(pid, SIGKILL)), 0);
	require_eq(or_errno(waitpid(pid, &status, 0)), pid);
	check_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

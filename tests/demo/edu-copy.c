// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes QEMU's edu device copy data from RAM to the device and back to RAM, and checks every byte.
 * It is a driver in a program: it maps the device's registers, and gives the device physical
 * addresses of its own pages. Run it as root.
 */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE		4096u
#define NPAGES		64u
#define PCI_DEVICES	"/sys/bus/pci/devices"
#define PCI_COMMAND	4
#define PCI_MEMORY	2
#define PCI_MASTER	4

/* The device: its registers and commands, and the address of its memory. */
#define EDU_BAR_SIZE	0x100000u
#define EDU_SOURCE	0x80
#define EDU_DESTINATION	0x88
#define EDU_COUNT	0x90
#define EDU_COMMAND	0x98
#define EDU_START	1u
#define EDU_TO_RAM	2u
#define EDU_MEMORY	0x40000u

struct copy {
	unsigned int from_page, from_offset;
	unsigned int to_page, to_offset;
	unsigned int nbytes;
};

static const struct copy copies[] = {
	{  0,    0,  1,    0, 2048 },
	{  7, 2048,  9,    0, 2048 },
	{ 63,    4, 31, 1024, 1000 },
	{ 20, 4088, 21, 4084,    8 },
	{ 40,  256, 40, 2400, 1500 },
};

static volatile uint8_t *bar;
static uint8_t *memory;

static void edu_write(unsigned int reg, uint64_t value)
{
	*(volatile uint64_t *)(bar + reg) = value;
}

static bool is_edu(const char *name)
{
	char path[300], id[2][16] = { "", "" };
	static const char *const file[] = { "vendor", "device" };
	int i;

	for (i = 0; i < 2; i++) {
		FILE *f;

		snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", name, file[i]);
		f = fopen(path, "r");
		if (!f || !fgets(id[i], sizeof(id[i]), f))
			err(1, "%s", path);
		fclose(f);
	}
	return !strcmp(id[0], "0x1234\n") && !strcmp(id[1], "0x11e8\n");
}

static const char *find_edu(void)
{
	static char name[256];
	struct dirent *entry;
	DIR *dir = opendir(PCI_DEVICES);

	if (!dir)
		err(1, PCI_DEVICES);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || !is_edu(entry->d_name))
			continue;
		snprintf(name, sizeof(name), "%s", entry->d_name);
		closedir(dir);
		return name;
	}
	errx(1, "no PCI device is an edu (1234:11e8); start QEMU with -device edu");
}

static int open_resource(const char *device, const char *file)
{
	char path[600];
	int fd;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", device, file);
	fd = open(path, O_RDWR | O_SYNC);
	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

/* Enables the registers and bus mastering, and so DMA. */
static void enable_device(const char *device)
{
	int fd = open_resource(device, "config");
	uint16_t command;

	if (pread(fd, &command, 2, PCI_COMMAND) != 2)
		err(1, "read config");
	command |= PCI_MEMORY | PCI_MASTER;
	if (pwrite(fd, &command, 2, PCI_COMMAND) != 2)
		err(1, "write config");
	close(fd);

	fd = open_resource(device, "resource0");
	bar = mmap(NULL, EDU_BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (bar == MAP_FAILED)
		err(1, "mmap resource0");
	close(fd);
}

static uint64_t physical_address(const void *address)
{
	uint64_t entry, virtual = (uintptr_t)address;
	int fd = open("/proc/self/pagemap", O_RDONLY);

	if (fd < 0 || pread(fd, &entry, 8, virtual / PAGE * 8) != 8)
		err(1, "/proc/self/pagemap");
	close(fd);
	if (!(entry >> 63) || !(entry << 9))
		errx(1, "/proc/self/pagemap does not show physical addresses; run this as root");
	return (entry & ((1ull << 55) - 1)) * PAGE + virtual % PAGE;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/* The device waits a tenth of a second, copies, and then clears the bit. */
static void transfer(uint64_t source, uint64_t destination, unsigned int nbytes,
		     unsigned int command)
{
	double deadline = now() + 30;

	edu_write(EDU_SOURCE, source);
	edu_write(EDU_DESTINATION, destination);
	edu_write(EDU_COUNT, nbytes);
	edu_write(EDU_COMMAND, command | EDU_START);
	while (*(volatile uint64_t *)(bar + EDU_COMMAND) & EDU_START) {
		if (now() > deadline)
			errx(1, "the device has not finished a copy in 30 seconds");
		usleep(1000);
	}
}

/* Counts wrong bytes in the page, in the copy and beside it. */
static unsigned int wrong_bytes(const struct copy *copy, const uint8_t *expected)
{
	unsigned int i, wrong = 0;

	for (i = 0; i < PAGE; i++)
		wrong += memory[copy->to_page * PAGE + i] != expected[i];
	return wrong;
}

static bool run_copy(const struct copy *copy)
{
	uint8_t *from = memory + copy->from_page * PAGE + copy->from_offset;
	uint8_t *to = memory + copy->to_page * PAGE + copy->to_offset;
	uint64_t source = physical_address(from), destination = physical_address(to);
	uint8_t expected[PAGE];
	unsigned int i, wrong;

	for (i = 0; i < PAGE; i++)
		memory[copy->to_page * PAGE + i] = rand();
	for (i = 0; i < copy->nbytes; i++)
		from[i] = rand();
	memcpy(expected, memory + copy->to_page * PAGE, PAGE);
	memcpy(expected + copy->to_offset, from, copy->nbytes);

	transfer(source, EDU_MEMORY, copy->nbytes, 0);
	transfer(EDU_MEMORY, destination, copy->nbytes, EDU_TO_RAM);

	wrong = wrong_bytes(copy, expected);
	printf("%4u bytes, 0x%08llx -> edu -> 0x%08llx: %s\n", copy->nbytes,
	       (unsigned long long)source, (unsigned long long)destination,
	       wrong ? "WRONG" : "right");
	return !wrong;
}

int main(void)
{
	unsigned int i, failed = 0;
	const char *device = find_edu();

	setvbuf(stdout, NULL, _IOLBF, 0);
	enable_device(device);
	memory = mmap(NULL, NPAGES * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);
	if (memory == MAP_FAILED)
		err(1, "mmap");

	for (i = 0; i < sizeof(copies) / sizeof(copies[0]); i++)
		failed += !run_copy(&copies[i]);
	return failed ? 1 : 0;
}

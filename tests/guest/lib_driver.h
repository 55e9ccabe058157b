/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib_driver.h - the ioctls of the test driver for edu devices, and the setup of most tests of the
 * kernel interface: a context with an IOAS and memory
 *
 * A "file" is a descriptor of a device's node. Functions return 0 or -errno unless a comment says
 * otherwise. Sizes are in bytes.
 */
#ifndef GUEST_LIB_DRIVER_H
#define GUEST_LIB_DRIVER_H

#include "lib_native.h"
#include "../kmod/edu/edu_test.h"

/*
 * The devices of the VM that run-kapi boots. The first two are alone in their groups, the others
 * share a group.
 */
enum {
	LONE_0,
	LONE_1,
	PAIR_0,
	PAIR_1,
	NDEVICES,
};

#define DRIVER_TEST	"edu_test"
#define DRIVER_PLAIN	"edu_plain"	/* uses the kernel's own DMA mappings */
#define DRIVER_VFIO	"vfio-pci"

const char *edu_address(unsigned int device);
int edu_group(unsigned int device);
/* Gives a device to another driver. Returns the kernel's result of the binding. */
int edu_set_driver(unsigned int device, const char *driver);
/* For after_each_test: gives every device back to the test driver. */
void edu_restore_drivers(void);

/* Opens a new file of a device. Must succeed. */
int edu_file(unsigned int device);

/* Returns the id of the device, or -errno. */
long long edu_bind(int file, int fd);
int edu_unbind(int file);
/* Returns the id of the HWPT, or -errno. */
long long edu_attach(int file, uint32_t pt);
long long edu_replace(int file, uint32_t pt);
int edu_detach(int file);

/* Memory to device, and device to memory. Success does not prove that the DMA took place. */
void edu_dma_load(int file, uint64_t iova);
void edu_dma_store(int file, uint64_t iova);

/* Returns the id of the access, or -errno. */
long long edu_access(int file, int fd, uint32_t ioas, uint32_t flags);
int edu_access_destroy(int file);
int edu_access_replace(int file, uint32_t ioas);
int edu_access_attach(int file, uint32_t ioas);
int edu_access_detach(int file);
struct edu_test_access_info edu_access_info(int file);

/* Returns a number for the pin, or -errno. */
long long edu_pin(int file, uint64_t iova, uint64_t nbytes, uint32_t flags);
int edu_unpin(int file, long long pin);
int edu_pin_copy(int file, long long pin, void *data, uint32_t flags);
int edu_rw(int file, uint64_t iova, void *data, uint32_t nbytes,
	   uint32_t flags);

/* --- the setup of most tests */

#define KAPI_PAGES	16U
#define KAPI_BYTES	(KAPI_PAGES * PAGE)
#define KAPI_KIB	((long)KAPI_PAGES * PAGE_KIB)
#define KAPI_IOVA	0x100000ULL	/* where most tests map */
#define OTHER_IOVA	0x40000000ULL	/* where nothing is mapped at first */
#define MSI_IOVA	0xfee00000ULL	/* where no device allows a map */

/* A context with an IOAS, and memory of KAPI_BYTES. */
struct kapi {
	int fd;
	uint32_t ioas;
	uint8_t *memory;
};

extern struct kapi kapi;

void kapi_open(void);
/* Also checks that nothing is left pinned. */
void kapi_close(void);
/* Maps the memory into the IOAS. */
void kapi_map(uint64_t iova);
/* A file that is bound to the context, and one that is attached to the IOAS, too. */
int kapi_bound(unsigned int device);
int kapi_attached(unsigned int device);
/* Undoes these two, step by step. */
void kapi_detach(int file);

/* Checks that the device copies within the memory, which is mapped as a whole at @iova. */
void check_dma_at(const char *file_name, int line, int file, uint64_t iova);
#define check_dma(file, iova) check_dma_at(__FILE__, __LINE__, file, iova)

/* Checks that the device cannot write to the memory through this IOVA. */
void check_no_store_at(const char *file_name, int line, int file,
		       uint64_t iova);
#define check_no_store(file, iova) \
	check_no_store_at(__FILE__, __LINE__, file, iova)

/* KiB that the calling process has pinned */
#define vm_pin_kib()	status_kib(0, "VmPin")

/* Does the IOAS allow a map at this address? */
bool iova_is_usable(uint32_t ioas, uint64_t iova);

/* Runs the function in a child, and kills the child once it has opened the gate. */
void kill_when_ready(void (*function)(struct gate *ready));

#endif

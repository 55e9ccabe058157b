/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib_emulated.h - the devices of the test driver in tests/kmod/emulated/, and the setup of most
 * tests with them: a container with one device, and memory
 *
 * Functions return the result of the driver's ioctl, or -errno. Sizes are in bytes. The "prot" of a
 * pin has the flags of a mapping: RO, WO, RW.
 */
#ifndef GUEST_LIB_EMULATED_H
#define GUEST_LIB_EMULATED_H

#include "lib.h"
#include "../kmod/emulated/emulated_test.h"

#define EMULATED_MODULE	"vfio_ioas_emulated_test"

/* Each device has a group of its own. */
enum {
	EMULATED_0,
	EMULATED_1,
	EMULATED_MUTE,		/* has no unmap callback */
	NEMULATED,
};

/* Must succeed, like all functions here that do not mention errors. */
int emulated_group_open(unsigned int which);
/* Opens the group of a device and adds it to the container. */
int emulated_group_add(int container, unsigned int which);
void emulated_group_remove(int group);
int emulated_device_open(int group, unsigned int which);

int emulated_pin(int device, uint64_t iova, int npages, uint32_t prot);
int emulated_unpin(int device, uint64_t iova, int npages);
int emulated_rw(int device, uint64_t iova, void *data, uint32_t nbytes,
		uint32_t flags);
int emulated_copy(int device, uint64_t iova, void *data, uint32_t nbytes,
		  uint32_t flags);
void emulated_behave(int device, uint32_t nignored, uint32_t flags);
struct emulated_info emulated_info(int device);
#define ncallbacks_of(device)	(emulated_info(device).ncallbacks)
#define npins_of(device)	(emulated_info(device).npins)

/* --- the setup of most tests */

#define EMUL_PAGES	192U
#define EMUL_BYTES	(EMUL_PAGES * PAGE)

/*
 * A container with the group of emulated-0, whose device is open. emul_open_mixed() adds the group
 * of the first PCI device. A descriptor is -1 if it is not open.
 */
struct emul {
	int container;
	int group;
	int device;
	int pci;		/* group */
	uint8_t *memory;	/* EMUL_BYTES, small pages */
};

extern struct emul emul;

void emul_open(unsigned long type);
void emul_open_mixed(void);
/* Closes everything that is open. */
void emul_close(void);
void emul_close_device(void);
/* Closes the device first. */
void emul_remove_group(void);
/* Returns the result of VFIO_GROUP_SET_CONTAINER. Our module logs the reason of a failure. */
int emul_add_pci(void);
void emul_remove_pci(void);

/*
 * Sizes and positions in pages. A page of the IOVA space maps the page of the memory that has the
 * same number. Unmap returns the number of pages unmapped.
 */
int emul_map(uint64_t first_page, uint64_t npages, uint32_t flags);
long long emul_unmap(uint64_t first_page, uint64_t npages);
int emul_pin(uint64_t first_page, int npages, uint32_t prot);
int emul_unpin(uint64_t first_page, int npages);

/* Does VFIO_CHECK_EXTENSION say that addresses can be updated? */
bool has_update_vaddr(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib_module.h - the module under test: its name, users and parameters, loading and unloading
 */
#ifndef GUEST_LIB_MODULE_H
#define GUEST_LIB_MODULE_H

#define IOAS_MODULE	"vfio_ioas"
#define TYPE1_MODULE	"vfio_iommu_type1"
#define IOAS_FILE	"/lib/modules/vfio_ioas.ko"
#define IOAS_NODE	"/dev/vfio/ioas"
#define STOCK_NODE	"/dev/vfio/vfio"

/* From the environment: VFIO_NODE, and whether BACKEND is ours. */
const char *vfio_node(void);
bool backend_is_ioas(void);
/* The module that serves the backend under test. */
const char *backend_module(void);

bool module_loaded(const char *name);
/* Returns the number of users of a module, or -1 if it is not loaded. */
long module_refcnt(const char *name);

/* Both return 0 or -errno at once. An unload does not wait for users. */
int module_insert(const char *file, const char *parameters);
int module_unload(const char *name);
/* Runs modprobe for a module of the running kernel. Returns 0, or its exit status. */
int module_probe(const char *name);

/*
 * Parameters of a module. param_set() fails the test if the module refuses the value. The former
 * value always comes back at the end of the test.
 */
int param_get(const char *module, const char *name, char *text, size_t nbytes);
int param_try_set(const char *module, const char *name, const char *text);
void param_set(const char *module, const char *name, const char *text);

/* The parameter of either backend that admits groups without interrupt remapping. */
#define UNSAFE	"allow_unsafe_interrupts"
/* Skips the test if the machine remaps interrupts. Boot it with intremap=off. */
void require_unsafe_machine(void);

/* For lib_tap.c: the first prepares, the second restores, what param_set() changed. */
void params_init(void);
void params_restore(void);

#endif

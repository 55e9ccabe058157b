/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * edu: declarations for all files of vfio_ioas_edu_test.ko.
 *
 * Locks, outer first: files_lock of a device, state_rwsem of a file, then hw_lock of the device or
 * pins_lock of an access.
 */
#ifndef EDU_H
#define EDU_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>

#include "edu_test.h"
#include "vfio_ioas.h"

struct pci_dev;

/* A device. The driver keeps it while bound, and so does every open file. */
struct edu {
	struct kref kref;
	struct pci_dev *pdev;		/* files use it, and bar, only until gone */
	struct miscdevice misc;
	struct mutex files_lock;	/* held to open and close files, and to unbind the driver */
	struct list_head files;		/* files_lock */
	bool gone;			/* files_lock; the driver was unbound */
	struct mutex hw_lock;		/* held to access the device */
	void __iomem *bar;
	unsigned int nmasters;		/* hw_lock; files that need the device as bus master */
};

struct edu_access {
	struct ioas_access *ioas_access;	/* state_rwsem of the file; or NULL */
	bool deaf;				/* state_rwsem; ignores notices of unmaps */
	struct mutex pins_lock;			/* held while a pin is made and noted */
	struct list_head pins;			/* pins_lock, as is all below */
	struct list_head late_pins;		/* move to pins after the next notice */
	unsigned int npins;
	unsigned int nnotices;
	u32 last_pin_id;
};

struct edu_file {
	struct list_head item;		/* files_lock of the device */
	struct edu *edu;		/* constant */
	struct rw_semaphore state_rwsem; /* held for writing to change what follows */
	bool gone;
	struct ioas_device *idev;	/* NULL: not bound */
	bool attached;
	struct edu_access access;
};

union edu_args {
	struct edu_test_bind bind;
	struct edu_test_attach attach;
	struct edu_test_dma dma;
	struct edu_test_access_create access_create;
	struct edu_test_access_replace access_replace;
	struct edu_test_pin pin;
	struct edu_test_unpin unpin;
	struct edu_test_pin_copy pin_copy;
	struct edu_test_rw rw;
	struct edu_test_access_info access_info;
};

/* file.c */
extern const struct file_operations edu_fops;
void edu_close_all(struct edu *edu);
void edu_put(struct edu *edu);

/* device.c: ioctls, with state_rwsem held; edu_device_close() undoes all of them. */
int edu_bind(struct edu_file *file, union edu_args *args);
int edu_unbind(struct edu_file *file, union edu_args *args);
int edu_attach(struct edu_file *file, union edu_args *args);
int edu_replace(struct edu_file *file, union edu_args *args);
int edu_detach(struct edu_file *file, union edu_args *args);
int edu_dma(struct edu_file *file, union edu_args *args);
void edu_device_close(struct edu_file *file);

/* access.c: ioctls, with state_rwsem held; edu_access_close() undoes all of them. */
void edu_access_init(struct edu_file *file);
int edu_access_create(struct edu_file *file, union edu_args *args);
int edu_access_destroy(struct edu_file *file, union edu_args *args);
int edu_access_replace(struct edu_file *file, union edu_args *args);
int edu_access_attach(struct edu_file *file, union edu_args *args);
int edu_access_detach(struct edu_file *file, union edu_args *args);
int edu_pin(struct edu_file *file, union edu_args *args);
int edu_unpin(struct edu_file *file, union edu_args *args);
int edu_pin_copy(struct edu_file *file, union edu_args *args);
int edu_rw(struct edu_file *file, union edu_args *args);
int edu_access_info(struct edu_file *file, union edu_args *args);
void edu_access_close(struct edu_file *file);

#endif

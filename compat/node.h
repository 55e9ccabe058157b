/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * node: /dev/vfio/ioas, and which containers are ours.
 */
#ifndef VFIO_IOAS_NODE_H
#define VFIO_IOAS_NODE_H

#include <linux/types.h>

/**
 * node_init() - create /dev/vfio/ioas
 *
 * Context: the module is being loaded; sleeps. Opens and closes vfio.ko's own container device,
 * for which it needs the lock of all misc devices.
 * Return: 0; or -errno with nothing created: of that open, or -ENOMEM, or what the driver core
 * says.
 */
int node_init(void);

/**
 * node_exit() - undo node_init()
 *
 * Context: no file of the node is open; may sleep. Never fails.
 */
void node_exit(void);

/**
 * node_serves_current() - should we serve the container that vfio.ko asks for?
 *
 * vfio.ko does not say which container it asks for. But it asks only inside an ioctl() on that
 * container, in the task that makes the call. So with serve=node the file descriptor of that call
 * decides, in constant time, however many files the task has open. The descriptor can lead to
 * something else: another thread has closed it meanwhile, or it is KVM's. Then the answer is no.
 *
 * Context: process context; vfio.ko holds a lock that all containers share.
 * Return: true if parameter serve includes the container and the module was loaded with success.
 */
bool node_serves_current(void);

/**
 * node_in_ioctl() - is the calling task in an ioctl with this command?
 * @cmd: the command word
 *
 * The number of the system call depends on the ABI of the task and is not compared: no system call
 * but ioctl() leads here with such a second argument.
 *
 * Context: process context.
 * Return: false also in a kernel thread.
 */
bool node_in_ioctl(unsigned int cmd);

#endif

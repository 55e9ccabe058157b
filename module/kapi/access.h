/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * access: in-kernel users of an IOAS.
 *
 * Owns: struct ioas_access. vfio_ioas.h declares the functions for drivers.
 */
#ifndef VFIO_IOAS_ACCESS_H
#define VFIO_IOAS_ACCESS_H

#include <linux/types.h>

struct ioas_access;
struct ioas_object;

/**
 * access_of_object() - get the access of which an object is a part
 * @object: any object
 *
 * Context: any.
 * Return: the access, or NULL if the object is not an access.
 */
struct ioas_access *access_of_object(struct ioas_object *object);

/**
 * access_peek_ioas() - look up the IOAS of an access
 * @access: kept busy by the caller
 * @ioas_id: receives the id of the IOAS; 0 if the access is attached to nothing
 *
 * Context: any; does not wait.
 * Return: true; or false if another thread is changing it.
 */
bool access_peek_ioas(struct ioas_access *access, u32 *ioas_id);

#endif

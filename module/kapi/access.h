/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * access: in-kernel users of an IOAS.
 *
 * Owns: struct ioas_access. What drivers call is in vfio_ioas.h.
 */
#ifndef VFIO_IOAS_ACCESS_H
#define VFIO_IOAS_ACCESS_H

#include <linux/types.h>

struct ioas_access;
struct ioas_object;

/**
 * access_of_object() - is an object an access?
 * @object: any object
 *
 * Return: the access, or NULL.
 */
struct ioas_access *access_of_object(struct ioas_object *object);

/**
 * access_peek_ioas() - to what is an access attached?
 * @access: kept busy by the caller
 * @ioas_id: receives the id of the IOAS, or 0
 *
 * Context: any; does not wait.
 * Return: false if that is just changing.
 */
bool access_peek_ioas(struct ioas_access *access, u32 *ioas_id);

#endif

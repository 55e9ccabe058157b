/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ioas: an I/O address space: its life, its settings, and its properties.
 *
 * Owns: struct ioas.
 */
#ifndef VFIO_IOAS_IOAS_H
#define VFIO_IOAS_IOAS_H

#include "ioas_struct.h"

/* A snapshot of the space that is left in an IOAS. */
struct ioas_space_info {
	unsigned long room;		/* areas that may still be made in the context */
	unsigned long iova_alignment;
	unsigned int nranges;
	struct ioas_range *ranges;	/* ascending; to be freed by kvfree() */
};

/**
 * ioas_of_object() - is an object an IOAS?
 * @object: any object
 *
 * Return: the IOAS, or NULL.
 */
struct ioas *ioas_of_object(struct ioas_object *object);

/**
 * ioas_create() - make an empty IOAS
 * @ctx: the context that it belongs to, and ends with
 *
 * Context: may sleep.
 * Return: the IOAS, reserved as an object but not published; ERR_PTR(-ENOMEM), or ERR_PTR() of an
 * error of ioas_object_reserve() or the front end.
 */
struct ioas *ioas_create(struct ioas_ctx *ctx);

/**
 * ioas_discard() - undo ioas_create()
 * @ioas: not published, and without users
 *
 * Context: may sleep. Never fails.
 */
void ioas_discard(struct ioas *ioas);

/**
 * ioas_get() - find an IOAS, and keep it busy
 * @ctx: the context
 * @id: its id, from user space
 *
 * Return: the IOAS, busy until ioas_put(); or NULL.
 */
struct ioas *ioas_get(struct ioas_ctx *ctx, u32 id);

/**
 * ioas_put() - undo ioas_get()
 * @ioas: may be gone afterwards
 */
void ioas_put(struct ioas *ioas);

/**
 * ioas_get_default() - find the IOAS for calls that name none, and keep it busy
 * @ctx: the context
 *
 * Return: the IOAS, busy until ioas_put(); NULL if there is none, or it is ending.
 */
struct ioas *ioas_get_default(struct ioas_ctx *ctx);

/**
 * ioas_set_default() - choose the IOAS for calls that name none
 * @ctx: the context
 * @ioas: kept busy by the caller, or not published; or NULL for none
 */
void ioas_set_default(struct ioas_ctx *ctx, struct ioas *ioas);

/**
 * ioas_offer_default() - as ioas_set_default(), unless ioas_get_default() finds one already
 * @ctx: the context
 * @ioas: as for ioas_set_default(), but not NULL
 */
void ioas_offer_default(struct ioas_ctx *ctx, struct ioas *ioas);

/**
 * ioas_set_small_pages() - choose whether domains may use large pages
 * @ioas: the IOAS, not entered by the caller
 * @small_pages: true: map page by page from now on
 *
 * Context: may sleep, takes domains_rwsem for writing.
 * Return: 0; -EINVAL if a domain has mappings that may be large; -EADDRINUSE if an area does not
 * consist of whole pages.
 */
int ioas_set_small_pages(struct ioas *ioas, bool small_pages);

/**
 * ioas_prepare_search() - prepare an IOAS for MAP_ANYWHERE
 * @ioas: the IOAS, not entered by the caller
 *
 * Context: may sleep; takes domains_rwsem for writing the first time.
 */
void ioas_prepare_search(struct ioas *ioas);

/**
 * ioas_get_space_info() - list the IOVA ranges that are not reserved
 * @ioas: the IOAS, which the caller entered
 * @info: receives the snapshot; its ranges belong to the caller
 *
 * Context: may sleep, takes areas_mutex.
 * Return: 0 or -ENOMEM.
 */
int ioas_get_space_info(struct ioas *ioas, struct ioas_space_info *info);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ioas: an I/O address space: its life, its settings, and what can be asked of it.
 *
 * Owns: struct ioas.
 */
#ifndef VFIO_IOAS_IOAS_H
#define VFIO_IOAS_IOAS_H

#include "ioas_struct.h"

/* A snapshot of what an IOAS can take. */
struct ioas_space_info {
	unsigned long room;		/* areas that may still be made, in all of the context */
	unsigned long iova_alignment;
	unsigned int nranges;
	struct ioas_range *ranges;	/* ascending; kvfree() it */
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
 * @ctx: the context it will belong to and end with
 *
 * Context: may sleep.
 * Return: the IOAS, reserved as an object but not published; or ERR_PTR(-ENOMEM).
 */
struct ioas *ioas_create(struct ioas_ctx *ctx);

/**
 * ioas_discard() - undo ioas_create()
 * @ioas: not published, and nobody uses it
 *
 * Context: may sleep. Never fails.
 */
void ioas_discard(struct ioas *ioas);

/**
 * ioas_get() - find an IOAS and keep it for the length of a call
 * @ctx: the context
 * @id: its id, from user space
 *
 * Return: the IOAS, or NULL.
 */
struct ioas *ioas_get(struct ioas_ctx *ctx, u32 id);

/**
 * ioas_put() - undo ioas_get()
 * @ioas: may be gone afterwards
 */
void ioas_put(struct ioas *ioas);

/**
 * ioas_get_default() - find what container ioctls work on, and keep it for a call
 * @ctx: the context
 *
 * Return: the IOAS, to be put; or NULL if there is none.
 */
struct ioas *ioas_get_default(struct ioas_ctx *ctx);

/**
 * ioas_set_default() - choose what container ioctls work on
 * @ctx: the context
 * @ioas: the caller keeps it busy or has not published it; or NULL for none
 */
void ioas_set_default(struct ioas_ctx *ctx, struct ioas *ioas);

/**
 * ioas_offer_default() - the same, unless one is chosen that ioas_get_default() finds
 * @ctx: the context
 * @ioas: as for ioas_set_default(), but not NULL
 */
void ioas_offer_default(struct ioas_ctx *ctx, struct ioas *ioas);

/**
 * ioas_set_small_pages() - may domains use large pages?
 * @ioas: the IOAS
 * @small_pages: no: map page by page from now on
 *
 * Context: takes domains_rwsem for writing.
 * Return: 0; -EINVAL where a domain has mappings that may be large; -EADDRINUSE where
 * an area does not consist of whole pages.
 */
int ioas_set_small_pages(struct ioas *ioas, bool small_pages);

/**
 * ioas_prepare_search() - make MAP_ANYWHERE possible
 * @ioas: the IOAS, not entered by the caller
 */
void ioas_prepare_search(struct ioas *ioas);

/**
 * ioas_get_space_info() - list the IOVA ranges that nothing reserves
 * @ioas: the IOAS
 * @info: to fill; its ranges belong to the caller
 *
 * Context: the caller entered the IOAS; may sleep.
 * Return: 0 or -ENOMEM.
 */
int ioas_get_space_info(struct ioas *ioas, struct ioas_space_info *info);

#endif

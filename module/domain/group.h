/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * group: groups of devices on the domains of an IOAS.
 *
 * Owns: struct ioas_group.
 */
#ifndef VFIO_IOAS_GROUP_H
#define VFIO_IOAS_GROUP_H

#include <linux/list.h>
#include <linux/types.h>

#include "base/object.h"

struct iommu_domain;
struct iommu_group;
struct ioas;
struct ioas_group;
struct ioas_hwpt;

/* Facts about an IOMMU for user space; all zero if there are none. */
struct ioas_hw_info {
	u32 type;			/* enum iommu_hw_info_type */
	u32 nbytes;
	const void *data;
	u8 max_pasid_log2;
};

/* Operations of the IOMMU of a group. A test build has a second set. */
struct ioas_iommu_ops {
	struct iommu_domain *(*alloc_domain)(struct ioas_group *igroup, u32 hwpt_flags);
	int (*attach)(struct ioas_group *igroup, struct iommu_domain *domain);
	void (*detach)(struct ioas_group *igroup, struct iommu_domain *domain);
	int (*get_resv_regions)(struct ioas_group *igroup, struct list_head *regions);
	void (*get_hw_info)(struct ioas_hw_info *info);		/* or NULL */
};

/*
 * A device that attached its group, or the whole group as one attachee. An attachee owns the IOVA
 * that it reserves for the regions of the group, under one of its two tags. While the group moves
 * to another domain, the attachee has reservations under both. The IOVA that a domain cannot
 * translate is reserved by the domain.
 */
struct ioas_attachee {
	struct list_head item;		/* groups_mutex; igroup->attachees, if attached */
	u8 tag;				/* groups_mutex; index of the tag in use */
	u8 tags[2];			/* only their addresses matter */
};

/* An iommu_group in a context: the unit that is attached to a domain. */
struct ioas_group {
	struct list_head groups_item;	/* groups_mutex of the context */
	struct ioas_ctx *ctx;		/* constant, as is all up to ... */
	const struct ioas_iommu_ops *iommu_ops;
	struct iommu_group *group;	/* ... here; kept by the caller that made this; or NULL */
	struct ioas_hwpt *hwpt;		/* groups_mutex; NULL: not attached */
	struct iommu_domain *domain;	/* groups_mutex; the one it is on now, or NULL */
	struct list_head attachees;	/* groups_mutex */
	unsigned int ndevices;		/* groups_mutex; bound devices; 0: attached as a whole */
	bool has_sw_msi;		/* groups_mutex; needs a window for MSIs ... */
	phys_addr_t sw_msi_start;	/* ... that begins here */
	struct ioas_attachee whole;	/* of ioas_attach_group() */
};

/* The IOAS or HWPT to attach a group to, and how. */
struct igroup_target {
	struct ioas *ioas;
	struct ioas_hwpt *hwpt;		/* only this one; NULL: one that fits, or a new one */
	bool nesting;			/* ask the driver for a nesting domain */
	bool single_pages;		/* map existing areas page by page */
	/*
	 * The errno if the group's domain would be the first one, and does not reach an area.
	 * Interrupts are checked before. 0: -EADDRINUSE, without that check.
	 */
	int out_of_reach;
	/* May the group be on a domain? Called before, with domains_rwsem held for writing. */
	int (*check)(struct ioas *ioas);	/* 0 or -errno; or NULL */
};

/**
 * ioas_attach_group() - let all devices of a group use an IOAS
 * @group: the group; the caller owns its DMA and keeps it until ioas_detach_group()
 * @target: what to attach to; the caller keeps that
 *
 * Context: may sleep for as long as it takes to map everything into a new domain. Takes
 * groups_mutex and domains_rwsem.
 * Return: 0, or with nothing changed:
 * * -EINVAL: the group is attached already, has no device, leaves no usable IOVA, cannot use
 *   @target->hwpt, finds no suitable page size; or nesting is not supported
 * * -EADDRINUSE: an area, or an allowed range, lies where the group cannot have one
 * * -EPERM: interrupts are not isolated
 * * -ENOMEM: without memory
 * * -EINTR: a fatal signal
 * * @target->out_of_reach, or an error of @target->check, the IOMMU driver or store_pin()
 */
int ioas_attach_group(struct iommu_group *group, const struct igroup_target *target);

/* The fate of the areas of an IOAS when a group leaves. */
enum ioas_leave {
	LEAVE_AREAS,		/* they stay, even without a domain */
	LEAVE_NO_AREAS,		/* they go with the last domain */
};

/**
 * ioas_detach_group() - undo ioas_attach_group()
 * @ctx: the context of the IOAS
 * @group: of a successful attach
 * @leave: what becomes of the areas of the IOAS
 *
 * Context: may sleep; takes groups_mutex and domains_rwsem. Never fails, needs no memory.
 */
void ioas_detach_group(struct ioas_ctx *ctx, struct iommu_group *group, enum ioas_leave leave);

/**
 * ioas_ctx_enforces_coherency() - is no-snoop DMA impossible for all groups of a context?
 * @ctx: the context
 *
 * Context: may sleep; takes groups_mutex.
 * Return: false if the domain of a group does not enforce coherency; true also if there is no
 * domain.
 */
bool ioas_ctx_enforces_coherency(struct ioas_ctx *ctx);

/* The IOMMUs of this machine. */
extern const struct ioas_iommu_ops real_iommu_ops;

/**
 * igroup_create() - add a group to a context
 * @ctx: the context
 * @iommu_ops: operations of its IOMMU
 * @group: kept by the caller until igroup_destroy(); NULL if it is not a group of the kernel
 *
 * Context: groups_mutex held; may sleep.
 * Return: the group, not attached; NULL without memory.
 */
struct ioas_group *igroup_create(struct ioas_ctx *ctx, const struct ioas_iommu_ops *iommu_ops,
				 struct iommu_group *group);

/**
 * igroup_destroy() - undo igroup_create()
 * @igroup: not attached
 *
 * Context: groups_mutex held.
 */
void igroup_destroy(struct ioas_group *igroup);

/**
 * igroup_find() - find a group in a context
 * @ctx: the context
 * @group: the iommu_group
 *
 * Context: groups_mutex held.
 * Return: the group, or NULL.
 */
struct ioas_group *igroup_find(struct ioas_ctx *ctx, struct iommu_group *group);

/**
 * igroup_add() - add an attachee to a group, and attach the group for the first one
 * @igroup: the group
 * @attachee: not on a list
 * @target: what to attach to; the IOAS that the group is on, if it is attached
 *
 * Context: groups_mutex held; takes domains_rwsem. May sleep for as long as it takes to map
 * everything into a new domain.
 * Return: 0, or with nothing changed: as ioas_attach_group().
 */
int igroup_add(struct ioas_group *igroup, struct ioas_attachee *attachee,
	       const struct igroup_target *target);

/**
 * igroup_remove() - undo igroup_add()
 * @igroup: the group
 * @attachee: of a successful igroup_add()
 * @leave: what becomes of the areas of the IOAS
 *
 * Context: groups_mutex held; may sleep, takes domains_rwsem. Never fails, needs no memory.
 */
void igroup_remove(struct ioas_group *igroup, struct ioas_attachee *attachee,
		   enum ioas_leave leave);

/**
 * igroup_move() - attach a group to something else, for all its attachees
 * @igroup: attached
 * @target: what to attach to
 *
 * Context: as igroup_add(). The group is on no domain for a moment.
 * Return: 0, or with the group where it was: as igroup_add().
 */
int igroup_move(struct ioas_group *igroup, const struct igroup_target *target);

/**
 * igroup_check_interrupts() - is it safe that devices of a group send interrupts?
 * @group: the group
 *
 * Return: 0 if they cannot forge interrupts, or the administrator allows that; -EPERM otherwise,
 * which is logged.
 */
int igroup_check_interrupts(struct iommu_group *group);

/**
 * igroup_alloc_hwpt() - make an HWPT that suits a group, and stays until it is destroyed
 * @igroup: the group; if it is on no domain, it is on the new one for a moment
 * @ioas: the IOAS that the HWPT mirrors
 * @hwpt_flags: of IOMMU_HWPT_ALLOC
 *
 * If the driver finishes a domain only when a device comes, the HWPT mirrors nothing until then:
 * see hwpt_settle().
 *
 * Context: groups_mutex held; may sleep, takes domains_rwsem. The caller keeps the IOAS busy.
 * Return: the HWPT, reserved as an object but not published; or ERR_PTR() of an error of hwpt_add()
 * or the IOMMU driver.
 */
struct ioas_hwpt *igroup_alloc_hwpt(struct ioas_group *igroup, struct ioas *ioas,
				    u32 hwpt_flags);

#endif

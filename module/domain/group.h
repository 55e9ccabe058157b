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

/* What can be told of an IOMMU; all zero where there is nothing. */
struct ioas_hw_info {
	u32 type;			/* enum iommu_hw_info_type */
	u32 nbytes;
	const void *data;
	u8 max_pasid_log2;
};

/* What there is to ask an IOMMU about a group. A test build has a second one. */
struct ioas_iommu_ops {
	struct iommu_domain *(*alloc_domain)(struct ioas_group *igroup, u32 hwpt_flags);
	int (*attach)(struct ioas_group *igroup, struct iommu_domain *domain);
	void (*detach)(struct ioas_group *igroup, struct iommu_domain *domain);
	int (*get_resv_regions)(struct ioas_group *igroup, struct list_head *regions);
	void (*get_hw_info)(struct ioas_hw_info *info);		/* or NULL */
};

/*
 * One of the devices of a group that attached it, or who attached it as a whole. It owns what it
 * reserves for the regions of the group, under one of its tags; while the group moves to another
 * domain it has both. What a domain cannot translate is reserved by the domain.
 */
struct ioas_attachee {
	struct list_head item;		/* groups_mutex; igroup->attachees, if attached */
	u8 tag;				/* groups_mutex; the one in use */
	u8 tags[2];			/* only their addresses matter */
};

/* An iommu_group as a context sees it: the unit that is on a domain. */
struct ioas_group {
	struct list_head groups_item;	/* groups_mutex of the context */
	struct ioas_ctx *ctx;		/* constant, as is all up to ... */
	const struct ioas_iommu_ops *iommu_ops;
	struct iommu_group *group;	/* ... here; kept by who made this; or NULL */
	struct ioas_hwpt *hwpt;		/* groups_mutex; NULL: not attached */
	struct iommu_domain *domain;	/* groups_mutex; the one that it is on just now, or NULL */
	struct list_head attachees;	/* groups_mutex */
	unsigned int ndevices;		/* groups_mutex; bound ones, 0: attached as a whole */
	bool has_sw_msi;		/* groups_mutex; needs a window for MSIs ... */
	phys_addr_t sw_msi_start;	/* ... here */
	struct ioas_attachee whole;	/* of ioas_attach_group() */
};

/* The IOAS or HWPT to attach a group to, and how. */
struct igroup_target {
	struct ioas *ioas;
	struct ioas_hwpt *hwpt;		/* just this one; NULL: whichever fits, or a new one */
	bool nesting;			/* ask the driver for a nesting domain */
	bool single_pages;		/* map areas that exist page by page */
	/*
	 * The errno if the group's domain is the first one and does not reach an area; then
	 * interrupts are checked before. 0: -EADDRINUSE, without that check.
	 */
	int out_of_reach;
	/* May the group go on a domain? Asked before, with domains_rwsem held for writing. */
	int (*check)(struct ioas *ioas);	/* 0 or -errno; or NULL */
};

/**
 * ioas_attach_group() - let the devices of a group use an IOAS, all at once
 * @group: the caller owns its DMA and keeps it until ioas_detach_group()
 * @target: to what; the caller keeps that
 *
 * Context: may sleep for as long as it takes to map everything into a new domain.
 * Return: 0, or with nothing changed: -EINVAL if the group is here already, has no
 * device, or leaves no usable IOVA; -EADDRINUSE if an area lies where the group
 * cannot have one; -EPERM without isolated interrupts; @target->out_of_reach; -ENOMEM; -EINTR on
 * a fatal signal; what @target->check, the IOMMU driver or store_pin() says.
 */
int ioas_attach_group(struct iommu_group *group, const struct igroup_target *target);

/**
 * ioas_detach_group() - undo ioas_attach_group()
 * @ctx: the context of the IOAS
 * @group: of a successful attach
 * @keep_areas: also without a domain; otherwise they go with the last one
 *
 * Context: may sleep. Never fails, needs no memory.
 */
void ioas_detach_group(struct ioas_ctx *ctx, struct iommu_group *group, bool keep_areas);

/**
 * ioas_ctx_enforces_coherency() - is no-snoop DMA impossible for all groups of a context?
 * @ctx: the context
 *
 * Context: takes groups_mutex; may sleep.
 * Return: false if the domain of a group does not enforce it; true also without a domain.
 */
bool ioas_ctx_enforces_coherency(struct ioas_ctx *ctx);

/* The IOMMUs of this machine. */
extern const struct ioas_iommu_ops real_iommu_ops;

/**
 * igroup_create() - let a context know a group
 * @ctx: the context
 * @iommu_ops: how its IOMMU is driven
 * @group: kept by the caller, or NULL without an IOMMU of the kernel's
 *
 * Context: groups_mutex held.
 * Return: the group, not attached; or NULL without memory.
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
 * @group: the group
 *
 * Context: groups_mutex held.
 * Return: the group, or NULL.
 */
struct ioas_group *igroup_find(struct ioas_ctx *ctx, struct iommu_group *group);

/**
 * igroup_add() - let somebody more attach a group
 * @igroup: the group
 * @attachee: who
 * @target: to what; where the group is, if it is attached
 *
 * Context: groups_mutex held; may sleep for as long as it takes to map everything into a
 * new domain.
 * Return: 0, or with nothing changed as ioas_attach_group().
 */
int igroup_add(struct ioas_group *igroup, struct ioas_attachee *attachee,
	       const struct igroup_target *target);

/**
 * igroup_remove() - undo igroup_add()
 * @igroup: the group
 * @attachee: of a successful igroup_add()
 * @unmap_with_last: areas go with the last domain of the IOAS
 *
 * Context: groups_mutex held; may sleep. Never fails, needs no memory.
 */
void igroup_remove(struct ioas_group *igroup, struct ioas_attachee *attachee,
		   bool unmap_with_last);

/**
 * igroup_move() - attach a group to something else, for all who attached it
 * @igroup: attached
 * @target: to what
 *
 * Context: as igroup_add(). The group is on no domain for a moment.
 * Return: 0, or with the group where it was: as igroup_add().
 */
int igroup_move(struct ioas_group *igroup, const struct igroup_target *target);

/**
 * igroup_check_interrupts() - can devices not forge interrupts?
 * @group: the group
 *
 * Return: 0, also if the administrator does not mind; -EPERM, which is logged.
 */
int igroup_check_interrupts(struct iommu_group *group);

/**
 * igroup_alloc_hwpt() - make an HWPT that suits a group and stays until it is destroyed
 * @igroup: the group, on a domain or not; it may be on the new one for a moment
 * @ioas: what the HWPT mirrors
 * @hwpt_flags: of IOMMU_HWPT_ALLOC
 *
 * A domain that its driver finishes only when a device comes mirrors nothing until then: see
 * hwpt_settle().
 *
 * Context: groups_mutex held; may sleep. The caller keeps the IOAS busy.
 * Return: the HWPT, reserved as an object but not published; or ERR_PTR(): as hwpt_add(), what
 * the IOMMU driver says.
 */
struct ioas_hwpt *igroup_alloc_hwpt(struct ioas_group *igroup, struct ioas *ioas,
				    u32 hwpt_flags);

#endif

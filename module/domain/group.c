// SPDX-License-Identifier: GPL-2.0-only
/*
 * group: groups of devices on the domains of an IOAS.
 *
 * The hardware isolates groups, not devices, so a group as a whole is on a domain. It is attached
 * as a whole, or by its devices: then the group comes with the first device, and goes with the
 * last. Each attachee reserves the IOVA that it cannot use, and later removes only that. Groups
 * share a domain if the IOMMU driver allows it.
 *
 * Locking:
 *
 * - groups_mutex of the context guards which groups exist, and where they are. It is held from
 *   start to end of an attach or detach, and a detach may wait for calls that keep an HWPT busy. So
 *   a thread takes groups_mutex before it makes an HWPT busy, never afterwards.
 * - domains_rwsem of the IOAS is held for writing while its reserved ranges or domains change, so
 *   that no thread maps into them meanwhile.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include "base/kcompat.h"
#include "base/vfio_ioas_trace.h"
#include "group.h"
#include "hwpt.h"
#include "space/unmap.h"

static bool allow_unsafe_interrupts;
module_param(allow_unsafe_interrupts, bool, 0644);
MODULE_PARM_DESC(allow_unsafe_interrupts, "Also attach groups whose devices can forge interrupts");

static int stop_at_device(struct device *dev, void *unused)
{
	return 1;
}

static bool group_has_device(struct iommu_group *group)
{
	return iommu_group_for_each_dev(group, NULL, stop_at_device);
}

static int alloc_for_device(struct device *dev, void *data)
{
	*(struct iommu_domain **)data = kcompat_domain_alloc(dev);
	return 1;
}

/*
 * Allocates a domain for any device of the group, since all are alike in what we ask about. A
 * device stays in the group, and behind its IOMMU, only during the walk over the group. So it is
 * used nowhere else.
 */
static struct iommu_domain *real_alloc_domain(struct ioas_group *igroup, u32 hwpt_flags)
{
	struct iommu_domain *domain = ERR_PTR(-ENODEV);

	if (hwpt_flags)
		return ERR_PTR(-EOPNOTSUPP);
	iommu_group_for_each_dev(igroup->group, &domain, alloc_for_device);
	return domain;
}

static int real_attach(struct ioas_group *igroup, struct iommu_domain *domain)
{
	return iommu_attach_group(domain, igroup->group);
}

static void real_detach(struct ioas_group *igroup, struct iommu_domain *domain)
{
	iommu_detach_group(domain, igroup->group);
}

static int real_get_resv_regions(struct ioas_group *igroup, struct list_head *regions)
{
	return iommu_get_group_resv_regions(igroup->group, regions);
}

const struct ioas_iommu_ops real_iommu_ops = {
	.alloc_domain = real_alloc_domain,
	.attach = real_attach,
	.detach = real_detach,
	.get_resv_regions = real_get_resv_regions,
};

static int put_on(struct ioas_group *igroup, struct iommu_domain *domain)
{
	int ret;

	if (WARN_ON(igroup->domain))
		return -EBUSY;
	ret = igroup->iommu_ops->attach(igroup, domain);
	if (!ret)
		igroup->domain = domain;
	return ret;
}

/* Does nothing if the group is on no domain. */
static void take_off(struct ioas_group *igroup)
{
	if (igroup->domain)
		igroup->iommu_ops->detach(igroup, igroup->domain);
	igroup->domain = NULL;
}

struct ioas_group *igroup_create(struct ioas_ctx *ctx, const struct ioas_iommu_ops *iommu_ops,
				 struct iommu_group *group)
{
	struct ioas_group *igroup = kzalloc(sizeof(*igroup), GFP_KERNEL_ACCOUNT);

	if (!igroup)
		return NULL;
	lockdep_assert_held(&ctx->groups_mutex);
	igroup->ctx = ctx;
	igroup->iommu_ops = iommu_ops;
	igroup->group = group;
	INIT_LIST_HEAD(&igroup->attachees);
	list_add(&igroup->groups_item, &ctx->groups);
	return igroup;
}

void igroup_destroy(struct ioas_group *igroup)
{
	lockdep_assert_held(&igroup->ctx->groups_mutex);
	WARN_ON(igroup->hwpt || igroup->domain || !list_empty(&igroup->attachees));
	list_del(&igroup->groups_item);
	kfree(igroup);
}

struct ioas_group *igroup_find(struct ioas_ctx *ctx, struct iommu_group *group)
{
	struct ioas_group *igroup;

	lockdep_assert_held(&ctx->groups_mutex);
	list_for_each_entry(igroup, &ctx->groups, groups_item)
		if (igroup->group == group)
			return igroup;
	return NULL;
}

static const void *current_tag(struct ioas_attachee *attachee)
{
	return &attachee->tags[attachee->tag];
}

static const void *other_tag(struct ioas_attachee *attachee)
{
	return &attachee->tags[!attachee->tag];
}

/* A window of a real MSI controller makes a software one unnecessary. */
static void note_msi_window(struct ioas_group *igroup, struct iommu_resv_region *region,
			    bool *has_hw_msi)
{
	if (region->type == IOMMU_RESV_MSI)
		*has_hw_msi = true;
	if (region->type == IOMMU_RESV_SW_MSI) {
		igroup->has_sw_msi = true;
		igroup->sw_msi_start = region->start;
	}
	if (*has_hw_msi)
		igroup->has_sw_msi = false;
}

static int reserve_regions(struct iova_space *space, struct ioas_group *igroup,
			   const void *owner)
{
	struct iommu_resv_region *region, *next;
	bool has_hw_msi = false;
	LIST_HEAD(regions);
	int ret;

	ret = igroup->iommu_ops->get_resv_regions(igroup, &regions);
	list_for_each_entry(region, &regions, list) {
		if (ret)
			break;
		note_msi_window(igroup, region, &has_hw_msi);
		if (region->type != IOMMU_RESV_DIRECT_RELAXABLE && region->length)
			ret = iova_reserve(space, region->start,
					   region->start + region->length - 1, owner);
	}
	list_for_each_entry_safe(region, next, &regions, list)
		kfree(region);
	return ret;
}

/* Reserves the IOVA that the group cannot use. */
static int reserve_iova(struct ioas *ioas, struct ioas_group *igroup, const void *owner)
{
	int ret = reserve_regions(&ioas->iova_space, igroup, owner);

	if (!ret && !iova_any_usable(&ioas->iova_space))
		ret = -EINVAL;
	if (ret)
		iova_unreserve(&ioas->iova_space, owner);
	return ret;
}

/* Undoes reserve_all(), also after a part of it. */
static void unreserve_all(struct ioas *ioas, struct ioas_group *igroup)
{
	struct ioas_attachee *attachee;

	list_for_each_entry(attachee, &igroup->attachees, item)
		iova_unreserve(&ioas->iova_space, other_tag(attachee));
}

/* Reserves for all attachees, under their other tags. */
static int reserve_all(struct ioas *ioas, struct ioas_group *igroup)
{
	struct ioas_attachee *attachee;
	int ret;

	list_for_each_entry(attachee, &igroup->attachees, item) {
		ret = reserve_iova(ioas, igroup, other_tag(attachee));
		if (ret) {
			unreserve_all(ioas, igroup);
			return ret;
		}
	}
	return 0;
}

/* Could a group that can have @own as its domain use @hwpt instead? */
static bool may_share(const struct igroup_target *target, const struct ioas_hwpt *own,
		      const struct ioas_hwpt *hwpt)
{
	if (hwpt->mirror.domain->ops != own->mirror.domain->ops)
		return false;
	/*
	 * Before a group is on it, a driver may announce more than the domain can do. Then
	 * move_to_shared() looks again.
	 */
	if (hwpt->ngroups && !hwpt_reaches(own, hwpt))
		return false;
	/* A group that can enforce coherency never shares a domain that does not. */
	if (target->hwpt)
		return hwpt->enforces_coherency >= own->enforces_coherency;
	return hwpt->automatic && hwpt->enforces_coherency == own->enforces_coherency;
}

/*
 * Moves a group from @own to @other, which it may share. On error the group is on @own again, or on
 * no domain if the driver does not take it back.
 */
static int move_to_shared(struct ioas_group *igroup, struct ioas_hwpt *own,
			  struct ioas_hwpt *other)
{
	int ret;

	take_off(igroup);
	ret = put_on(igroup, other->mirror.domain);
	if (!ret)
		ret = hwpt_settle(other);
	/* IOVA that @other translates, but @own does not, is not reserved for the group. */
	if (!ret && !hwpt_reaches(own, other))
		ret = -EINVAL;
	if (ret) {
		take_off(igroup);
		WARN_ON(put_on(igroup, own->mirror.domain));
	}
	return ret;
}

/*
 * Looks for another domain of the IOAS that the group on @own can share. The group is on *@hwpt
 * when this returns 0.
 */
static int share_hwpt(const struct igroup_target *target, struct ioas_group *igroup,
		      struct ioas_hwpt *own, struct ioas_hwpt **hwpt)
{
	struct ioas_hwpt *other;
	int ret;

	*hwpt = own;
	list_for_each_entry(other, &target->ioas->mirrors, mirror.item) {
		if (!may_share(target, own, other))
			continue;
		ret = move_to_shared(igroup, own, other);
		if (!ret) {
			*hwpt = other;
			return 0;
		}
		if (!igroup->domain)
			return ret;
	}
	return 0;
}

static int get_msi_cookie(struct ioas_group *igroup, struct ioas_hwpt *hwpt)
{
	int ret;

	if (!igroup->has_sw_msi || hwpt->has_msi_cookie)
		return 0;
	ret = iommu_get_msi_cookie(hwpt->mirror.domain, igroup->sw_msi_start);
	if (ret == -ENODEV)
		return 0;
	hwpt->has_msi_cookie = !ret;
	return ret;
}

int igroup_check_interrupts(struct iommu_group *group)
{
	if (READ_ONCE(allow_unsafe_interrupts) || kcompat_group_has_isolated_msi(group))
		return 0;
	pr_warn_ratelimited("group %d: no interrupt remapping; refused. Set vfio_ioas.allow_unsafe_interrupts=1 to override\n",
			    iommu_group_id(group));
	return -EPERM;
}

static bool domain_enforce_coherency(struct iommu_domain *domain)
{
	return domain->ops->enforce_cache_coherency &&
	       domain->ops->enforce_cache_coherency(domain);
}

/* Moves a group from @own to the domain that was asked for. */
static int take_target(const struct igroup_target *target, struct ioas_group *igroup,
		       struct ioas_hwpt *own, struct ioas_hwpt **hwpt)
{
	if (!may_share(target, own, target->hwpt))
		return -EINVAL;
	*hwpt = target->hwpt;
	return move_to_shared(igroup, own, target->hwpt);
}

/* Chooses the domain for a group that is on @own, after everything else was prepared. */
static int choose_hwpt(const struct igroup_target *target, struct ioas_group *igroup,
		       struct ioas_hwpt *own, struct ioas_hwpt **hwpt)
{
	int ret;

	/* Now or never: a domain with mappings cannot start to enforce coherency. */
	own->enforces_coherency = domain_enforce_coherency(own->mirror.domain);
	if (target->hwpt)
		ret = take_target(target, igroup, own, hwpt);
	else
		ret = share_hwpt(target, igroup, own, hwpt);
	if (!ret)
		ret = get_msi_cookie(igroup, *hwpt);
	if (!ret && *hwpt == own)
		ret = hwpt_add(own, target->single_pages);
	return ret;
}

/* Reserves the IOVA that a group cannot use, and that its domain @own cannot translate. */
static int claim_iova(const struct igroup_target *target, struct ioas_group *igroup,
		      struct ioas_hwpt *own)
{
	struct ioas *ioas = target->ioas;
	int ret = reserve_all(ioas, igroup);

	if (ret)
		return ret;
	ret = hwpt_claim_aperture(own);
	if (ret == -EADDRINUSE && target->out_of_reach && list_empty(&ioas->mirrors))
		ret = igroup_check_interrupts(igroup->group) ?: target->out_of_reach;
	if (ret)
		unreserve_all(ioas, igroup);
	return ret;
}

/* Puts a group that is on no domain on @own, or on another domain instead, which *@hwpt tells. */
static int enter_domain(const struct igroup_target *target, struct ioas_group *igroup,
			struct ioas_hwpt *own, struct ioas_hwpt **hwpt)
{
	struct ioas *ioas = target->ioas;
	int ret;

	lockdep_assert_held_write(&ioas->domains_rwsem);
	ret = target->check ? target->check(ioas) : 0;
	if (ret)
		return ret;
	ret = put_on(igroup, own->mirror.domain);
	if (!ret)
		ret = claim_iova(target, igroup, own);
	if (ret)
		goto take_off;
	/* Devices were checked when they were bound. */
	if (!igroup->ndevices)
		ret = igroup_check_interrupts(igroup->group);
	if (!ret)
		ret = choose_hwpt(target, igroup, own, hwpt);
	/* The reservation of a shared domain covers at least as much. */
	if (ret || *hwpt != own)
		hwpt_release_aperture(own);
	if (!ret)
		return 0;
	unreserve_all(ioas, igroup);
take_off:
	take_off(igroup);
	return ret;
}

static struct ioas_hwpt *create_hwpt(struct ioas_group *igroup, struct ioas *ioas,
				     u32 hwpt_flags)
{
	struct iommu_domain *domain = igroup->iommu_ops->alloc_domain(igroup, hwpt_flags);
	struct ioas_hwpt *hwpt;

	if (IS_ERR(domain))
		return ERR_CAST(domain);
	hwpt = hwpt_create(ioas, domain);
	if (IS_ERR(hwpt))
		iommu_domain_free(domain);
	return hwpt;
}

static void discard_hwpt(struct ioas_hwpt *hwpt)
{
	ioas_object_abort(&hwpt->object);
	hwpt_destroy(hwpt);
}

/*
 * Attaches a group that is on no domain, for all its attachees. On success their reservations are
 * those under the other tag.
 */
static int attach_igroup(struct ioas_group *igroup, const struct igroup_target *target)
{
	struct ioas_hwpt *own = create_hwpt(igroup, target->ioas, 0);
	struct ioas_attachee *attachee;
	struct ioas_hwpt *hwpt;
	int ret = 0;

	lockdep_assert_held(&igroup->ctx->groups_mutex);
	if (IS_ERR(own))
		return PTR_ERR(own);
	own->automatic = true;
	if (target->nesting)
		ret = kcompat_enable_nesting(own->mirror.domain);
	if (!ret) {
		down_write(&target->ioas->domains_rwsem);
		ret = enter_domain(target, igroup, own, &hwpt);
		up_write(&target->ioas->domains_rwsem);
	}
	if (ret) {
		discard_hwpt(own);
		return ret;
	}
	list_for_each_entry(attachee, &igroup->attachees, item)
		attachee->tag = !attachee->tag;
	igroup->hwpt = hwpt;
	/* A reader of the status file has no lock. */
	WRITE_ONCE(hwpt->ngroups, hwpt->ngroups + 1);
	ioas_object_use(&hwpt->object);
	if (hwpt == own)
		ioas_object_publish(&own->object);
	else
		discard_hwpt(own);
	return 0;
}

/*
 * A group has left @hwpt. An automatic HWPT goes with its last group. Only after that may IOVA be
 * mapped that the attachees had reserved, since the domain might not take it.
 */
static void release_hwpt(struct ioas_group *igroup, struct ioas_hwpt *hwpt,
			 struct ioas_attachee *last, enum ioas_leave leave)
{
	struct ioas *ioas = hwpt->mirror.ioas;
	bool ends;

	WRITE_ONCE(hwpt->ngroups, hwpt->ngroups - 1);
	ends = !hwpt->ngroups && hwpt->automatic;
	down_write(&ioas->domains_rwsem);
	if (ends)
		hwpt_remove(hwpt);
	if (last)
		iova_unreserve(&ioas->iova_space, current_tag(last));
	else
		unreserve_all(ioas, igroup);
	if (leave == LEAVE_NO_AREAS && list_empty(&ioas->mirrors))
		ioas_empty(ioas);
	else
		downgrade_write(&ioas->domains_rwsem);
	ioas_leave(ioas);
	if (ends) {
		ioas_object_retire(&hwpt->object);
		hwpt_destroy(hwpt);
	} else {
		ioas_object_unuse(&hwpt->object);
	}
}

/* IOMMU drivers do not expect a domain to lose devices while IOVA is unmapped. */
static void leave_domain(struct ioas_group *igroup)
{
	struct ioas_hwpt *hwpt = igroup->hwpt;

	down_write(&hwpt->mirror.ioas->domains_rwsem);
	take_off(igroup);
	up_write(&hwpt->mirror.ioas->domains_rwsem);
	igroup->hwpt = NULL;
}

/* The group of a test is not a group of the kernel. */
static int group_id(const struct ioas_group *igroup)
{
	return igroup->group ? iommu_group_id(igroup->group) : -1;
}

/*
 * The group leaves its domain first, so that its devices cannot reach memory that is unmapped and
 * unpinned afterwards.
 */
static void detach_igroup(struct ioas_group *igroup, struct ioas_attachee *last,
			  enum ioas_leave leave)
{
	struct ioas_hwpt *hwpt = igroup->hwpt;
	u32 hwpt_id = hwpt->object.id;
	u64 begin_ns = trace_begin(detach);
	u32 ioas_id = hwpt->mirror.ioas->object.id;

	leave_domain(igroup);
	release_hwpt(igroup, hwpt, last, leave);
	if (trace_detach_enabled())
		trace_detach(igroup->ctx->id, ioas_id, hwpt_id, group_id(igroup), 0,
			     trace_ns(begin_ns));
}

static void trace_attach_over(const struct ioas_group *igroup, const struct ioas *ioas, int error,
			      u64 begin_ns)
{
	trace_attach(igroup->ctx->id, ioas->object.id, error ? 0 : igroup->hwpt->object.id,
		     group_id(igroup), error, trace_ns(begin_ns));
}

int igroup_add(struct ioas_group *igroup, struct ioas_attachee *attachee,
	       const struct igroup_target *target)
{
	struct ioas *ioas = target->ioas;
	u64 begin_ns = trace_begin(attach);
	int ret;

	lockdep_assert_held(&igroup->ctx->groups_mutex);
	if (igroup->hwpt) {
		down_write(&ioas->domains_rwsem);
		ret = reserve_iova(ioas, igroup, current_tag(attachee));
		up_write(&ioas->domains_rwsem);
		if (!ret)
			list_add(&attachee->item, &igroup->attachees);
		return ret;
	}
	list_add(&attachee->item, &igroup->attachees);
	ret = attach_igroup(igroup, target);
	if (ret)
		list_del_init(&attachee->item);
	if (trace_attach_enabled())
		trace_attach_over(igroup, target->ioas, ret, begin_ns);
	return ret;
}

/* No IOVA becomes usable while a thread in the IOAS looks at the usable ranges. */
static void unreserve_one(struct ioas *ioas, struct ioas_attachee *attachee)
{
	down_write(&ioas->domains_rwsem);
	iova_unreserve(&ioas->iova_space, current_tag(attachee));
	up_write(&ioas->domains_rwsem);
}

void igroup_remove(struct ioas_group *igroup, struct ioas_attachee *attachee,
		   enum ioas_leave leave)
{
	lockdep_assert_held(&igroup->ctx->groups_mutex);
	list_del_init(&attachee->item);
	if (list_empty(&igroup->attachees))
		detach_igroup(igroup, attachee, leave);
	else
		unreserve_one(igroup->hwpt->mirror.ioas, attachee);
}

int igroup_move(struct ioas_group *igroup, const struct igroup_target *target)
{
	struct ioas_hwpt *old = igroup->hwpt;
	u64 begin_ns = trace_begin(attach);
	int ret;

	leave_domain(igroup);
	ret = attach_igroup(igroup, target);
	if (trace_attach_enabled())
		trace_attach_over(igroup, target->ioas, ret, begin_ns);
	if (ret) {
		down_write(&old->mirror.ioas->domains_rwsem);
		WARN_ON(put_on(igroup, old->mirror.domain));
		up_write(&old->mirror.ioas->domains_rwsem);
		igroup->hwpt = old;
		return ret;
	}
	release_hwpt(igroup, old, NULL, LEAVE_AREAS);
	return 0;
}

/*
 * Finds out whether a new domain can enforce coherency. A driver may finish a domain only when a
 * device comes, so a group that is on no domain is put on the new one for a moment. A group that is
 * on a domain stays there, and that domain tells what the group can do.
 */
static int try_hwpt(struct ioas_group *igroup, struct ioas_hwpt *hwpt)
{
	int ret;

	if (igroup->hwpt) {
		hwpt->enforces_coherency = igroup->hwpt->enforces_coherency &&
					   domain_enforce_coherency(hwpt->mirror.domain);
		return 0;
	}
	ret = put_on(igroup, hwpt->mirror.domain);
	if (ret)
		return ret;
	hwpt->enforces_coherency = domain_enforce_coherency(hwpt->mirror.domain);
	take_off(igroup);
	return 0;
}

struct ioas_hwpt *igroup_alloc_hwpt(struct ioas_group *igroup, struct ioas *ioas,
				    u32 hwpt_flags)
{
	struct ioas_hwpt *hwpt;
	int ret;

	lockdep_assert_held(&igroup->ctx->groups_mutex);
	hwpt = create_hwpt(igroup, ioas, hwpt_flags);
	if (IS_ERR(hwpt))
		return hwpt;
	ret = try_hwpt(igroup, hwpt);
	if (!ret && hwpt_is_finished(hwpt)) {
		down_write(&ioas->domains_rwsem);
		ret = hwpt_add(hwpt, ioas->small_pages);
		up_write(&ioas->domains_rwsem);
	}
	if (ret) {
		discard_hwpt(hwpt);
		return ERR_PTR(ret);
	}
	return hwpt;
}

int ioas_attach_group(struct iommu_group *group, const struct igroup_target *target)
{
	struct ioas_ctx *ctx = target->ioas->object.ctx;
	struct ioas_group *igroup;
	int ret = -EINVAL;

	mutex_lock(&ctx->groups_mutex);
	if (!group_has_device(group) || igroup_find(ctx, group))
		goto unlock;
	igroup = igroup_create(ctx, &real_iommu_ops, group);
	if (!igroup) {
		ret = -ENOMEM;
		goto unlock;
	}
	ret = igroup_add(igroup, &igroup->whole, target);
	if (ret)
		igroup_destroy(igroup);
unlock:
	mutex_unlock(&ctx->groups_mutex);
	return ret;
}

void ioas_detach_group(struct ioas_ctx *ctx, struct iommu_group *group, enum ioas_leave leave)
{
	struct ioas_group *igroup;

	mutex_lock(&ctx->groups_mutex);
	igroup = igroup_find(ctx, group);
	if (!WARN_ON(!igroup)) {
		igroup_remove(igroup, &igroup->whole, leave);
		igroup_destroy(igroup);
	}
	mutex_unlock(&ctx->groups_mutex);
}

bool ioas_ctx_enforces_coherency(struct ioas_ctx *ctx)
{
	struct ioas_group *igroup;
	bool enforces = true;

	mutex_lock(&ctx->groups_mutex);
	list_for_each_entry(igroup, &ctx->groups, groups_item)
		if (igroup->hwpt)
			enforces &= igroup->hwpt->enforces_coherency;
	mutex_unlock(&ctx->groups_mutex);
	return enforces;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * differences.c - the intended differences from stock type1
 *
 * This is the table of docs/differences.md, as far as calls can show it.
 */
#define _GNU_SOURCE
#include "differences.h"

#include "compare/op/op_parse.h"

#include <fnmatch.h>

/* Holds for a map, too. */
static bool range_ends_with_the_numbers(const struct op *op)
{
	return op->arg[0] && op->arg[0] + op->arg[1] == 0;
}

/* Every IOMMU translates at least 39 bits. */
static bool range_can_be_out_of_reach(const struct op *op)
{
	return op->arg[0] + op->arg[1] - 1 >= 1ULL << 39;
}

#define SEQUENCES	"@(random|replay)"

#define WHY_UNMAP_TO_THE_END \
	"stock computes exclusive ends, so that a range ending at 2^64 is empty"
#define WHY_MAPPING_TO_THE_END \
	"stock does not find a mapping that ends at 2^64 again, nor what is in its way"
#define WHY_CHILD_ATTACHES \
	"memory is that of the process that mapped it, not of the attaching one"
#define WHY_HELD_PAGE_STAYS \
	"a device that joins late gets what is pinned for drivers"
#define WHY_REACH_FIRST \
	"whether a device reaches all mappings is looked at before memory is pinned"
#define WHY_WAITS_FOR_USERFAULTFD \
	"ours waits for the userfaultfd handler that serves the fault; stock fails"
#define WHY_FAILED_REPORT \
	"stock leaves dirty bits that it could not report in other places"

/* Each line of a case that may differ has an entry, and each entry must match somewhere. */
const struct difference differences[] = {
	{
		.name = "unmap-to-the-end",
		.why = WHY_UNMAP_TO_THE_END,
		.first = { 6, 1 },
		.last = { 6, 17 },
		.cases = "unmap_of_a_range_that_ends_with_the_numbers*",
		.stock = "unmap iova=0x1000 size=0xf* = 0 size=0x0 L=4 avail=65534",
		.ours = "unmap iova=0x1000 size=0xf* = 0 size=0x1000 L=0 avail=65535",
	},
	{
		.name = "unmap-to-the-end",
		.why = WHY_UNMAP_TO_THE_END,
		.first = { 6, 1 },
		.last = { 6, 17 },
		.cases = "unmap_of_a_range_that_ends_with_the_numbers*",
		.stock = "unmap iova=0x0 size=0x0 flags=all * = 0 size=0x1000 L=0 avail=65535",
		.ours = "unmap iova=0x0 size=0x0 flags=all * = 0 size=0x0 L=0 avail=65535",
	},
	{
		.name = "unmap-to-the-end",
		.why = WHY_UNMAP_TO_THE_END,
		.first = { 6, 1 },
		.last = { 6, 17 },
		.cases = "unmap_vaddr_of_a_range_that_ends_with_the_numbers*",
		.stock = "unmap iova=0x1000 size=0xf* flags=vaddr * = 0 size=0x0 L=4 avail=65534",
		.ours = "unmap iova=0x1000 size=0xf* flags=vaddr * = 0 size=0x1000 L=4 avail=65534",
	},
	{
		.name = "unmap-to-the-end",
		.why = WHY_UNMAP_TO_THE_END,
		.first = { 6, 1 },
		.last = { 6, 17 },
		.cases = "unmap_vaddr_of_a_range_that_ends_with_the_numbers*",
		.stock = "unmap iova=0x1000 size=0xf* flags=vaddr * = 0 size=0x0 L=4 avail=65534",
		.ours = "unmap iova=0x1000 size=0xf* flags=vaddr*-EINVAL size=0xf* L=4 avail=65534",
	},
	{
		.name = "unmap-to-the-end",
		.why = WHY_UNMAP_TO_THE_END,
		.first = { 6, 1 },
		.last = { 6, 17 },
		.cases = SEQUENCES,
		.stock = "unmap iova=* = 0 size=0x0 *",
		.ours = "unmap iova=* = 0 size=*",
		.applies = range_ends_with_the_numbers,
		.divergence = DIVERGES_HERE,
		.sometimes = true,
	},
	{
		.name = "unmap-to-the-end",
		.why = WHY_UNMAP_TO_THE_END,
		.first = { 6, 1 },
		.last = { 6, 17 },
		.cases = SEQUENCES,
		.stock = "unmap-bitmap iova=* = 0 size=0x0 *",
		.ours = "unmap-bitmap iova=* = @(0 size=*|-EFAULT *)",
		.applies = range_ends_with_the_numbers,
		.divergence = DIVERGES_HERE,
		.sometimes = true,
	},
	{
		/* The addresses must still be valid: invalid ones cannot be invalidated again. */
		.name = "unmap-to-the-end",
		.why = WHY_UNMAP_TO_THE_END,
		.first = { 6, 1 },
		.last = { 6, 17 },
		.cases = SEQUENCES,
		.stock = "unmap iova=* flags=vaddr * = 0 size=0x0 *",
		.ours = "unmap iova=* flags=vaddr * = -EINVAL *",
		.applies = range_ends_with_the_numbers,
		.after = "unmap * flags=*vaddr* * = 0 size=0x[1-9a-f]*",
		.divergence = DIVERGES_HERE,
		.sometimes = true,
	},
	{
		.name = "mapping-to-the-end",
		.why = WHY_MAPPING_TO_THE_END,
		.first = { 6, 1 },
		.last = { 6, 17 },
		.cases = "emulated_map_that_ends_with_the_numbers",
		.stock = "map iova=0xfffffffffffff000 size=0x1000 * = 0 L=0 avail=65533",
		.ours = "map iova=0xfffffffffffff000 size=0x1000 * = -EEXIST L=0 avail=65534",
	},
	{
		.name = "mapping-to-the-end",
		.why = WHY_MAPPING_TO_THE_END,
		.first = { 6, 1 },
		.last = { 6, 17 },
		.cases = "emulated_map_that_ends_with_the_numbers",
		.stock = "unmap iova=0xfffffffffffff000 size=0x1000 * = 0 size=0x0 L=0 avail=65533",
		.ours = "unmap iova=0xfffffffffffff000 * = 0 size=0x1000 L=0 avail=65535",
	},
	{
		.name = "mapping-to-the-end",
		.why = WHY_MAPPING_TO_THE_END,
		.first = { 6, 1 },
		.last = { 6, 17 },
		.cases = "emulated_map_that_ends_with_the_numbers",
		.stock = "unmap iova=0x0 size=0x0 flags=all * = 0 size=0x0 L=0 avail=65533",
		.ours = "unmap iova=0x0 size=0x0 flags=all * = 0 size=0x0 L=0 avail=65535",
	},
	{
		.name = "mapping-to-the-end",
		.why = WHY_MAPPING_TO_THE_END,
		.first = { 6, 1 },
		.last = { 6, 17 },
		.cases = SEQUENCES,
		.stock = "*",
		.ours = "*",
		.after = "map * = 0 *",
		.after_applies = range_ends_with_the_numbers,
		.divergence = DIVERGES_BEFORE,
		.sometimes = true,
	},
	{
		.name = "mapping-to-the-end",
		.why = WHY_MAPPING_TO_THE_END,
		.first = { 6, 1 },
		.last = { 6, 17 },
		.cases = SEQUENCES,
		.stock = "map *",
		.ours = "map * = -@(EEXIST|EINVAL) *",
		.applies = range_ends_with_the_numbers,
		.divergence = DIVERGES_HERE,
		.sometimes = true,
	},
	{
		.name = "failed-report",
		.why = WHY_FAILED_REPORT,
		.cases = SEQUENCES,
		.stock = "@(dirty-get|unmap-bitmap) * = 0 *",
		.ours = "@(dirty-get|unmap-bitmap) * = 0 *",
		.after = "@(dirty-get|unmap-bitmap) * = -EFAULT *",
		.divergence = DIVERGES_BEFORE,
		.sometimes = true,
	},
	{
		.name = "child-attaches",
		.why = WHY_CHILD_ATTACHES,
		.cases = "child_attaches_without_the_memory",
		.stock = "child: join group=A = -EFAULT L=0 avail=65534",
		.ours = "child: join group=A = 0 L=0 avail=65534",
	},
	{
		.name = "child-attaches",
		.why = WHY_CHILD_ATTACHES,
		.cases = "child_attaches_without_the_memory",
		.stock = "state L=0 avail=65534",
		.ours = "state L=16 avail=65534",
	},
	{
		.name = "child-attaches",
		.why = WHY_CHILD_ATTACHES,
		.cases = "child_attaches_that_may_lock_nothing",
		.stock = "child: join group=A = -ENOMEM L=0 avail=65534",
		.ours = "child: join group=A = 0 L=0 avail=65534",
	},
	{
		.name = "child-attaches",
		.why = WHY_CHILD_ATTACHES,
		.cases = "child_attaches_that_may_lock_nothing",
		.stock = "state L=0 avail=65534",
		.ours = "state L=16 avail=65534",
	},
	{
		.name = "child-attaches",
		.why = WHY_CHILD_ATTACHES,
		.cases = "parent_attaches_what_a_dead_child_mapped",
		.stock = "join group=A = 0 L=0 avail=65534",
		.ours = "join group=A = -EFAULT L=0 avail=65534",
	},
	{
		.name = "child-attaches",
		.why = WHY_CHILD_ATTACHES,
		.cases = "parent_attaches_what_a_dead_child_mapped",
		.stock = "join group=A = -EINVAL L=0 avail=65535",
		.ours = "join group=A = 0 L=0 avail=65535",
	},
	{
		.name = "held-page-stays",
		.why = WHY_HELD_PAGE_STAYS,
		.cases = "late_attach_with_a_pinned_page_that_was_protected",
		.stock = "join group=A = -EFAULT L=4 avail=65534",
		.ours = "join group=A = 0 L=16 avail=65534",
	},
	{
		.name = "held-page-stays",
		.why = WHY_HELD_PAGE_STAYS,
		.cases = "late_attach_with_a_pinned_page_that_was_protected",
		.stock = "state L=4 avail=65534",
		.ours = "state L=16 avail=65534",
	},
	{
		.name = "held-page-stays",
		.why = WHY_HELD_PAGE_STAYS,
		.cases = SEQUENCES,
		.stock = "join group=* = -EFAULT *",
		.ours = "join group=* = 0 *",
		.after = "pin * = [1-9]* *",
		.divergence = DIVERGES_HERE,
		.sometimes = true,
	},
	{
		.name = "reach-first",
		.why = WHY_REACH_FIRST,
		.cases = SEQUENCES,
		.stock = "join group=* = -@(EFAULT|ENOMEM) *",
		.ours = "join group=* = -@(EFAULT|ERANGE) *",
		.after = "map * = 0 *",
		.after_applies = range_can_be_out_of_reach,
		.sometimes = true,
	},
	{
		.name = "waits-for-userfaultfd",
		.why = WHY_WAITS_FOR_USERFAULTFD,
		.first = { 6, 12 },
		.cases = "memory_that_is_paged_in_by_the_process",
		.stock = "map iova=0x0 size=0x8000 * = -EFAULT L=0 avail=65535",
		.ours = "map iova=0x0 size=0x8000 * = 0 L=32 avail=65534",
	},
	{
		.name = "waits-for-userfaultfd",
		.why = WHY_WAITS_FOR_USERFAULTFD,
		.first = { 6, 12 },
		.cases = "memory_that_is_paged_in_by_the_process",
		.stock = "unmap iova=0x0 size=0x8000 * = 0 size=0x0 L=0 avail=65535",
		.ours = "unmap iova=0x0 size=0x8000 * = 0 size=0x8000 L=0 avail=65535",
	},
	{
		.name = "waits-for-userfaultfd",
		.why = WHY_WAITS_FOR_USERFAULTFD,
		.first = { 6, 12 },
		.cases = "pin_of_memory_that_is_paged_in_by_the_process",
		.stock = "pin group=E iova=0x0 npages=1 * = -EFAULT L=0 avail=65534",
		.ours = "pin group=E iova=0x0 npages=1 * = 1 L=4 avail=65534",
	},
	{
		.name = "waits-for-userfaultfd",
		.why = WHY_WAITS_FOR_USERFAULTFD,
		.first = { 6, 12 },
		.cases = "late_attach_with_memory_that_is_paged_in_by_the_process",
		.stock = "join group=A = -EFAULT L=0 avail=65534",
		.ours = "join group=A = 0 L=32 avail=65534",
	},
};

const unsigned int ndifferences = ARRAY_SIZE(differences);
_Static_assert(ARRAY_SIZE(differences) <= MAX_DIFFERENCES, "a history has all of them");

static bool not_after(struct kernel_version a, struct kernel_version b)
{
	return a.major < b.major || (a.major == b.major && a.minor <= b.minor);
}

bool difference_expected(const struct difference *difference, const char *name)
{
	struct kernel_version kernel = running_kernel();

	return not_after(difference->first, kernel) &&
	       (!difference->last.major || not_after(kernel, difference->last)) &&
	       fnmatch(difference->cases, name, FNM_EXTMATCH) == 0;
}

static bool op_of_line(const char *line, struct op *op)
{
	char call[MAX_LINE_CHARS + 1];
	char *result;

	snprintf(call, sizeof(call), "%s", line);
	result = strstr(call, " = ");
	if (result)
		*result = '\0';
	return op_parse(call, op, NULL);
}

static bool matches(const char *pattern, bool (*applies)(const struct op *op),
		    const char *line)
{
	struct op op;

	if (fnmatch(pattern, line, FNM_EXTMATCH))
		return false;
	return !applies || (op_of_line(line, &op) && applies(&op));
}

bool difference_comes_after(const struct difference *difference, const char *line)
{
	return matches(difference->after, difference->after_applies, line);
}

/* Visits each line once, however many lines differ. */
static bool comes_after(unsigned int number, char *const *stock, size_t at,
			struct history *history)
{
	size_t *nlines = &history->nlines[number];

	for (; *nlines < at && !history->came[number]; ++*nlines)
		history->came[number] = difference_comes_after(&differences[number],
							       stock[*nlines]);
	return history->came[number];
}

const struct difference *difference_find(const char *name, char *const *stock, size_t at,
					 const char *ours, struct history *history)
{
	unsigned int i;

	for (i = 0; i < ndifferences; i++) {
		const struct difference *difference = &differences[i];

		if (difference_expected(difference, name) &&
		    matches(difference->stock, difference->applies, stock[at]) &&
		    matches(difference->ours, NULL, ours) &&
		    (!difference->after || comes_after(i, stock, at, history)))
			return difference;
	}
	return NULL;
}

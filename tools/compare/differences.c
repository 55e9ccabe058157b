// SPDX-License-Identifier: GPL-2.0-only
/*
 * differences.c - where ours is meant to differ from stock type1: the table of
 * docs/differences.md, as far as calls can show it
 */
#define _GNU_SOURCE
#include "differences.h"

#include <fnmatch.h>

/* Also of a map. */
static bool range_ends_with_the_numbers(const struct op *op)
{
	return op->arg[0] && op->arg[0] + op->arg[1] == 0;
}

const struct difference differences[] = {
	{
		.name = "unmap-to-the-end",
		.why = "stock computes exclusive ends, so that a range ending at 2^64 is empty",
		.first = { 6, 1 },
		.last = { 6, 18 },
		.cases = "unmap_of_a_range_that_ends_with_the_numbers*",
		.stock = "unmap iova=0x1000 * = 0 size=0x0 *",
		.ours = "unmap iova=0x1000 * = 0 size=0x1000 *",
		.to_the_end = true,
	},
	{
		.name = "unmap-to-the-end",
		.why = "stock computes exclusive ends, so that a range ending at 2^64 is empty",
		.first = { 6, 1 },
		.last = { 6, 18 },
		.cases = "random",
		.stock = "unmap iova=* = 0 size=0x0 *",
		.ours = "unmap iova=* = 0 size=*",
		.applies = range_ends_with_the_numbers,
		.to_the_end = true,
		.sometimes = true,
	},
	{
		.name = "mapping-to-the-end",
		.why = "stock does not find a mapping that ends at 2^64 again",
		.first = { 6, 1 },
		.last = { 6, 18 },
		.cases = "emulated_map_that_ends_with_the_numbers",
		.stock = "map iova=0xfffffffffffff000 * = 0 *",
		.ours = "map iova=0xfffffffffffff000 * = -EEXIST *",
		.to_the_end = true,
	},
	{
		.name = "mapping-to-the-end",
		.why = "stock does not find a mapping that ends at 2^64 again",
		.first = { 6, 1 },
		.last = { 6, 18 },
		.cases = "random",
		.stock = "*",
		.ours = "*",
		.after = "map * = 0 *",
		.after_applies = range_ends_with_the_numbers,
		.to_the_end = true,
		.sometimes = true,
	},
	{
		.name = "mapping-to-the-end",
		.why = "stock does not see what is in the way of a map that ends at 2^64",
		.first = { 6, 1 },
		.last = { 6, 18 },
		.cases = "random",
		.stock = "map *",
		.ours = "map * = -@(EEXIST|EINVAL) *",
		.applies = range_ends_with_the_numbers,
		.to_the_end = true,
		.sometimes = true,
	},
	{
		.name = "failed-report",
		.why = "stock leaves dirty bits that it could not report in other places",
		.cases = "random",
		.stock = "@(dirty-get|unmap) * = 0 *",
		.ours = "@(dirty-get|unmap) * = 0 *",
		.after = "@(dirty-get|unmap) * = -EFAULT *",
		.to_the_end = true,
		.sometimes = true,
	},
	{
		.name = "child-attaches",
		.why = "memory is that of the process that mapped it, not of the attaching one",
		.cases = "child_attaches_without_the_memory",
		.stock = "child: join group=A = -EFAULT *",
		.ours = "child: join group=A = 0 *",
		.to_the_end = true,
	},
	{
		.name = "held-page-stays",
		.why = "a device that joins late gets what is pinned for drivers",
		.cases = "late_attach_with_a_pinned_page_that_was_protected",
		.stock = "join group=A = -EFAULT *",
		.ours = "join group=A = 0 *",
		.to_the_end = true,
	},
	{
		.name = "held-page-stays",
		.why = "a device that joins late gets what is pinned for drivers",
		.cases = "random",
		.stock = "join group=* = -EFAULT *",
		.ours = "join group=* = 0 *",
		.after = "pin * = [1-9]* *",
		.to_the_end = true,
		.sometimes = true,
	},
	{
		.name = "waits-for-userfaultfd",
		.why = "what a handler of the process pages in is waited for; stock does not wait",
		.first = { 6, 12 },
		.cases = "memory_that_is_paged_in_by_the_process",
		.stock = "map iova=0x0 size=0x8000 * = -EFAULT *",
		.ours = "map iova=0x0 size=0x8000 * = 0 *",
		.to_the_end = true,
	},
};

const unsigned int ndifferences = ARRAY_SIZE(differences);

static bool not_after(struct kernel_version a, struct kernel_version b)
{
	return a.major < b.major || (a.major == b.major && a.minor <= b.minor);
}

bool difference_expected(const struct difference *difference, const char *name)
{
	struct kernel_version kernel = running_kernel();

	return not_after(difference->first, kernel) &&
	       (!difference->last.major || not_after(kernel, difference->last)) &&
	       fnmatch(difference->cases, name, 0) == 0;
}

static bool op_of_line(const char *line, struct op *op)
{
	const char *problem;
	char call[512];
	char *result;

	snprintf(call, sizeof(call), "%s", line);
	result = strstr(call, " = ");
	if (result)
		*result = '\0';
	return op_parse(call, op, &problem);
}

static bool matches(const char *pattern, bool (*applies)(const struct op *op),
		    const char *line)
{
	struct op op;

	if (fnmatch(pattern, line, FNM_EXTMATCH))
		return false;
	return !applies || (op_of_line(line, &op) && applies(&op));
}

static bool comes_after(const struct difference *difference, char *const *stock, size_t at)
{
	size_t i;

	for (i = 0; i < at; i++)
		if (matches(difference->after, difference->after_applies, stock[i]))
			return true;
	return false;
}

const struct difference *difference_find(const char *name, char *const *stock, size_t at,
					 const char *ours)
{
	unsigned int i;

	for (i = 0; i < ndifferences; i++) {
		const struct difference *difference = &differences[i];

		if (difference_expected(difference, name) &&
		    matches(difference->stock, difference->applies, stock[at]) &&
		    matches(difference->ours, NULL, ours) &&
		    (!difference->after || comes_after(difference, stock, at)))
			return difference;
	}
	return NULL;
}

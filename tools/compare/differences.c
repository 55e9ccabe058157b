// SPDX-License-Identifier: GPL-2.0-only
/*
 * differences.c - where ours is meant to differ from stock type1: the table of
 * docs/differences.md, as far as calls can show it
 */
#include "differences.h"

#include <fnmatch.h>
#include <sys/utsname.h>

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
		.name = "child-attaches",
		.why = "memory is that of the process that mapped it, not of the attaching one",
		.cases = "child_attaches_without_the_memory",
		.stock = "child: join group=A = -EFAULT *",
		.ours = "child: join group=A = 0 *",
		.to_the_end = true,
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

static struct kernel_version running_kernel(void)
{
	static struct kernel_version version;
	struct utsname name;

	if (!version.major && !uname(&name))
		sscanf(name.release, "%u.%u", &version.major, &version.minor);
	return version;
}

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

static bool applies(const struct difference *difference, const char *line)
{
	char call[512];
	const char *problem;
	struct op op;
	char *result;

	if (!difference->applies)
		return true;
	snprintf(call, sizeof(call), "%s", line);
	result = strstr(call, " = ");
	if (result)
		*result = '\0';
	return op_parse(call, &op, &problem) && difference->applies(&op);
}

const struct difference *difference_find(const char *name, const char *stock,
					 const char *ours)
{
	unsigned int i;

	for (i = 0; i < ndifferences; i++)
		if (difference_expected(&differences[i], name) &&
		    fnmatch(differences[i].stock, stock, 0) == 0 &&
		    fnmatch(differences[i].ours, ours, 0) == 0 &&
		    applies(&differences[i], stock))
			return &differences[i];
	return NULL;
}

// SPDX-License-Identifier: GPL-2.0-only
/* kernel.c - the version of the running kernel */
#include "kernel.h"

#include <sys/utsname.h>

static struct kernel_version version;

void kernel_pretend(unsigned int major, unsigned int minor)
{
	version = (struct kernel_version){ major, minor };
}

struct kernel_version running_kernel(void)
{
	struct utsname name;

	if (!version.major && !uname(&name))
		sscanf(name.release, "%u.%u", &version.major, &version.minor);
	return version;
}

bool kernel_is_older_than(unsigned int major, unsigned int minor)
{
	struct kernel_version kernel = running_kernel();

	return kernel.major < major || (kernel.major == major && kernel.minor < minor);
}

bool stock_may_see_page_size_0(void)
{
	return kernel_is_older_than(6, 13);
}

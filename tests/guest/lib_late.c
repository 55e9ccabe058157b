// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib_late.c - memory that is not there until a test releases it
 */
#define _GNU_SOURCE
#include "lib_late.h"

#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/syscall.h>

#define WAIT_SECONDS	60

void need_pins_that_wait(void)
{
	/* Observed on 6.1: a long-term pin fails instead of waiting for the fault. */
	if (!kernel_at_least(6, 3))
		skip("long-term pins do not wait for a userfaultfd in this kernel");
}

static void register_page(struct late_memory *late)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = late->for_writing ? UFFD_FEATURE_PAGEFAULT_FLAG_WP : 0,
	};
	struct uffdio_register area = {
		.range.len = PAGE,
		.mode = late->for_writing ? UFFDIO_REGISTER_MODE_WP : UFFDIO_REGISTER_MODE_MISSING,
	};

	late->memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	require_true(late->memory != MAP_FAILED);
	area.range.start = (uintptr_t)late->memory;
	late->uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (late->uffd < 0)
		skip("no userfaultfd in this kernel");
	require_eq(or_errno(ioctl(late->uffd, UFFDIO_API, &api)), 0);
	require_eq(or_errno(ioctl(late->uffd, UFFDIO_REGISTER, &area)), 0);
}

static int protect_page(struct late_memory *late, bool protect)
{
	struct uffdio_writeprotect page = {
		.range = { .start = (uintptr_t)late->memory, .len = PAGE },
		.mode = protect ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	return or_errno(ioctl(late->uffd, UFFDIO_WRITEPROTECT, &page));
}

void late_memory_make(struct late_memory *late)
{
	late->for_writing = false;
	register_page(late);
}

void late_memory_make_for_writing(struct late_memory *late, const void *bytes, size_t nbytes)
{
	late->for_writing = true;
	register_page(late);
	memcpy(late->memory, bytes, nbytes);
	require_eq(protect_page(late, true), 0);
}

void late_memory_free(struct late_memory *late)
{
	close(late->uffd);
	munmap(late->memory, PAGE);
}

void late_memory_wanted(struct late_memory *late)
{
	struct pollfd poll_fd = { .fd = late->uffd, .events = POLLIN };

	require_eq(poll(&poll_fd, 1, WAIT_SECONDS * 1000), 1);
	require_eq(poll_fd.revents, POLLIN);
}

void late_memory_release(struct late_memory *late)
{
	struct uffdio_zeropage page = {
		.range = { .start = (uintptr_t)late->memory, .len = PAGE },
	};

	if (late->for_writing)
		require_eq(protect_page(late, false), 0);
	else
		require_eq(or_errno(ioctl(late->uffd, UFFDIO_ZEROPAGE, &page)), 0);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * backends.c - sessions, and the proof of which backend serves them
 *
 * Three facts prove it: the answer to a native ioctl (stock type1 knows none),
 * the device number (ours is no misc device), and the module whose use count
 * the session raised.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#define MISC_MAJOR	10

static const struct backend known[] = {
	{ "type1", STOCK_NODE, TYPE1_MODULE },
	{ "iommufd", "/dev/iommu", "iommufd" },
	{ "ioas", IOAS_NODE, IOAS_MODULE },
};

unsigned int find_backends(const struct backend **found, unsigned int max)
{
	unsigned int nfound = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		if (!module_loaded(known[i].module))
			continue;
		require_true(nfound < max);
		found[nfound++] = &known[i];
	}
	/* A comparison needs stock type1 and our backend. */
	require_true(nfound >= 2);
	require_eq(found[0] == &known[0], true);
	require_eq(found[nfound - 1] == &known[ARRAY_SIZE(known) - 1], true);
	return nfound;
}

static bool is_misc_device(int fd)
{
	struct stat status;

	require_eq(or_errno(fstat(fd, &status)), 0);
	return major(status.st_rdev) == MISC_MAJOR;
}

static void prove(const struct session *session, const long *users_before)
{
	const struct backend *backend = session->backend;
	bool is_ioas = strcmp(backend->module, IOAS_MODULE) == 0;
	bool is_type1 = strcmp(backend->module, TYPE1_MODULE) == 0;
	unsigned int i;

	require_eq(served_by_ioas(session->container), !is_type1);
	require_eq(is_misc_device(session->container), !is_ioas);
	for (i = 0; i < ARRAY_SIZE(known); i++)
		require_eq(module_refcnt(known[i].module) > users_before[i],
			   &known[i] == backend);
}

void session_open(struct session *session, const struct backend *backend)
{
	long users[ARRAY_SIZE(known)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		users[i] = module_refcnt(known[i].module);
	session->backend = backend;
	session->recording = false;
	session->container = open_fd(backend->node);
	require_true(session->container >= 0);
	session->group = group_open_wait(0);
	require_true(session->group >= 0);
	require_eq(group_set_container(session->group, session->container), 0);
	require_eq(set_iommu(session->container, VFIO_TYPE1v2_IOMMU), 0);
	/* In-tree iommufd attaches a domain only when the device is opened. */
	session->device = group_get_device(session->group,
					   device_nr(0)->address);
	require_true(session->device >= 0);
	prove(session, users);
}

void session_close(struct session *session)
{
	require_eq(or_errno(close(session->device)), 0);
	require_eq(group_unset_container(session->group), 0);
	require_eq(or_errno(close(session->group)), 0);
	require_eq(or_errno(close(session->container)), 0);
}

void map(const struct session *session, uint64_t iova, const void *memory,
	 uint64_t nbytes)
{
	require_eq(dma_map(session->container, iova, memory, nbytes, RW), 0);
}

void unmap(const struct session *session, uint64_t iova, uint64_t nbytes)
{
	require_eq(dma_unmap(session->container, iova, nbytes), nbytes);
}

void unmap_all(const struct session *session, uint64_t nbytes)
{
	require_eq(dma_unmap_all(session->container), nbytes);
}

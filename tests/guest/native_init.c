// SPDX-License-Identifier: GPL-2.0-only
/*
 * native_init.c - the module fails to load at each step of its initialisation: nothing is left of
 * it, and no program can have opened anything meanwhile
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <sys/inotify.h>

#include "lib_native.h"

#define SELFTEST_MODULE	"vfio_ioas_selftest"
#define SELFTEST_FILE	"/lib/modules/vfio_ioas_selftest.ko"
#define MAX_STEPS	100

static bool device_is_registered(void)
{
	char devices[8192];

	read_whole("/proc/devices", devices, sizeof(devices));
	return strstr(devices, "vfio_ioas");
}

/* Checks that the module is not loaded and has left nothing. */
static void check_that_nothing_is_left(void)
{
	check_true(!module_loaded(SELFTEST_MODULE));
	check_eq(or_errno(access(iommu_node(), F_OK)), -ENOENT);
	check_eq(or_errno(access(IOAS_NODE, F_OK)), -ENOENT);
	check_eq(or_errno(access("/sys/class/vfio_ioas", F_OK)), -ENOENT);
	check_eq(or_errno(access("/sys/class/misc/iommu", F_OK)), -ENOENT);
	check_eq(or_errno(access("/sys/kernel/debug/" SELFTEST_MODULE, F_OK)), -ENOENT);
	check_true(!device_is_registered());
}

/* The backend must be gone, too, or vfio.ko would call it. */
static void check_that_nobody_serves(void)
{
	int container = open(STOCK_NODE, O_RDWR | O_CLOEXEC);

	require_true(container >= 0);
	check_eq(vfio_call(container, VFIO_CHECK_EXTENSION, VFIO_TYPE1_IOMMU),
		 module_loaded(TYPE1_MODULE));
	close(container);
}

#define LAST_FILE	".native_init-is-over"

static atomic_uint nopened;

/* Opens each new node of this name, until LAST_FILE appears beside it. */
struct opener {
	const char *directory;
	const char *name;
	pthread_t thread;
	int inotify;
};

/* One read can return several events. */
static bool names_last_file(const char *events, ssize_t nbytes)
{
	const struct inotify_event *event;
	ssize_t at;

	for (at = 0; at < nbytes; at += sizeof(*event) + event->len) {
		event = (const void *)(events + at);
		if (event->len && !strcmp(event->name, LAST_FILE))
			return true;
	}
	return false;
}

static void *open_new_nodes(void *data)
{
	struct opener *opener = data;
	char path[64];
	char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool over = false;
	ssize_t nbytes;
	int fd = -1;

	snprintf(path, sizeof(path), "%s/%s", opener->directory, opener->name);
	while (!over) {
		nbytes = read(opener->inotify, events, sizeof(events));
		if (nbytes <= 0)
			break;
		over = names_last_file(events, nbytes);
		if (fd < 0)
			fd = open(path, O_RDWR | O_CLOEXEC);
		atomic_fetch_add(&nopened, fd >= 0);
	}
	close(fd);
	return NULL;
}

static void opener_start(struct opener *opener)
{
	opener->inotify = inotify_init1(IN_CLOEXEC);
	if (opener->inotify < 0 && errno == ENOSYS)
		skip("this kernel has no inotify");
	require_true(opener->inotify >= 0);
	require_true(inotify_add_watch(opener->inotify, opener->directory, IN_CREATE) >= 0);
	require_eq(pthread_create(&opener->thread, NULL, open_new_nodes, opener), 0);
}

static void opener_stop(struct opener *opener)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/" LAST_FILE, opener->directory);
	close(open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600));
	unlink(path);
	pthread_join(opener->thread, NULL);
	close(opener->inotify);
}

/* Lets this step of the load fail. Returns false if the load has no such step. */
static bool load_fails_at(unsigned int step)
{
	char parameters[64];
	int ret;

	/* With serve=all, any container could be ours. */
	snprintf(parameters, sizeof(parameters), "serve=all fail_init=%u", step);
	ret = module_insert(SELFTEST_FILE, parameters);
	if (!ret)
		return false;
	check_eq(ret, -ENOMEM);
	check_that_nothing_is_left();
	return true;
}

static unsigned int fail_at_each_step(void)
{
	unsigned int step;

	for (step = 1; step < MAX_STEPS && !failures(); step++) {
		context("step %u", step);
		if (!load_fails_at(step))
			break;
		check_that_nobody_serves();
	}
	context("%s", "");
	return step - 1;
}

static void unload(void)
{
	if (module_loaded(SELFTEST_MODULE))
		require_eq(module_unload(SELFTEST_MODULE), 0);
}

/* The end of every test: the module is loaded as before. */
static void load_again(void)
{
	if (module_loaded(SELFTEST_MODULE))
		module_unload(SELFTEST_MODULE);
	module_insert(SELFTEST_FILE, "");
}

static void require_selftest(void)
{
	if (!module_loaded(SELFTEST_MODULE))
		skip("no selftest build of vfio_ioas is loaded");
}

static void load_that_fails_at_any_step_leaves_nothing(void)
{
	unsigned int nsteps;

	require_selftest();
	unload();
	nsteps = fail_at_each_step();
	diag("%u steps can fail", nsteps);
	check_true(nsteps >= 8);
	check_true(module_loaded(SELFTEST_MODULE));
	close(native_open());
	unload();
	check_that_nothing_is_left();
}

/* A program that got in would keep its file open, and the module could not be unloaded. */
static void load_that_fails_lets_nobody_in_before(void)
{
	struct opener openers[] = {
		{ .directory = "/dev", .name = strrchr(iommu_node(), '/') + 1 },
		{ .directory = "/dev/vfio", .name = "ioas" },
	};
	unsigned int i;

	require_selftest();
	for (i = 0; i < ARRAY_SIZE(openers); i++)
		opener_start(&openers[i]);
	unload();
	for (i = 1; load_fails_at(i) && !failures(); i++)
		check_eq(atomic_load(&nopened), 0);
	for (i = 0; i < ARRAY_SIZE(openers); i++)
		opener_stop(&openers[i]);
	/* After a load that succeeds, all are in. */
	check_true(atomic_load(&nopened) >= ARRAY_SIZE(openers));
	unload();
	check_that_nothing_is_left();
}

static const struct test tests[] = {
	TEST(load_that_fails_at_any_step_leaves_nothing, ONLY_IOAS | TAKES_LONG),
	TEST(load_that_fails_lets_nobody_in_before, ONLY_IOAS | TAKES_LONG),
};

int main(int argc, char **argv)
{
	after_each_test = load_again;
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}

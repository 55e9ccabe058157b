// SPDX-License-Identifier: GPL-2.0-only
/*
 * tool_status.c - output of "vfio-ioas status" and "vfio-ioas top"
 */
#define _GNU_SOURCE
#include "lib_native.h"
#include "lib_tool.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#define NBYTES		(1ULL << 20)
#define IOVA		0x100000ULL
#define DEBUGFS		"/sys/kernel/debug"

/* Programs that the test runs must not inherit the descriptor. */
static void keep_to_us(int fd)
{
	require_eq(or_errno(fcntl(fd, F_SETFD, FD_CLOEXEC)), 0);
}

static void without_containers_status_says_so(void)
{
	check_eq(run_tool("status"), 0);
	check_said("No containers or contexts of ours.\n");
	check_eq(run_tool("status --json"), 0);
	check_said("\"contexts\": [], \"left_out\": 0, \"contexts_left_out\": 0,");
	check_said(" \"others\": [], \"all_others\": true}\n");
}

static void status_shows_a_container_of_ours(void)
{
	const struct device *device = device_nr(0);
	uint8_t *memory = mem_alloc(NBYTES);
	char words[128];
	struct rig rig;

	prctl(PR_SET_NAME, "in\tsight\\");
	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	keep_to_us(rig.container);
	require_eq(dma_map(rig.container, IOVA, memory, NBYTES, RW), 0);
	check_eq(run_tool("status"), 0);
	snprintf(words, sizeof(words),
		 "\n%7d in\\011sight\\134 type1v2      1      1    1.0M    1.0M    1.0M       1\n",
		 (int)getpid());
	check_said(words);
	snprintf(words, sizeof(words), "\n        group %d: %s", device->group,
		 device->address);
	check_said(words);

	check_eq(run_tool("status --json"), 0);
	snprintf(words, sizeof(words),
		 "\"kind\": \"container\", \"type\": \"type1v2\", \"pid\": %d, \"comm\": \"in\\u0009sight\\\\\"",
		 (int)getpid());
	check_said(words);
	check_said("\"mapped\": 1048576, \"pinned\": 1048576, \"charged\": 1048576, \"runs\": ");
	/* No other container is open. */
	check_said("\"others\": []");
	rig_close(&rig);
}

/* Checks output about other processes. */
static void check_shown(const char *text, const char *words)
{
	run_tool_until_said(text, words);
	check_said(text);
}

static void status_tells_containers_that_are_not_ours(void)
{
	char words[128];
	struct rig rig;

	prctl(PR_SET_NAME, "other");
	require_eq(rig_open_path(&rig, STOCK_NODE, 0), 0);
	keep_to_us(rig.container);
	snprintf(words, sizeof(words), "%7d other                      1            0      0\n",
		 (int)getpid());
	check_shown(words, "status");
	check_said("No containers or contexts of ours.\n");
	snprintf(words, sizeof(words),
		 "{\"pid\": %d, \"comm\": \"other\", \"through_vfio\": 1, \"through_ioas\": 0, \"ours\": 0}",
		 (int)getpid());
	check_shown(words, "status --json");
	rig_close(&rig);
}

/* serve=all: the descriptor does not tell whose container it is. */
static void container_of_ours_on_the_stock_node_is_not_listed_as_stock(void)
{
	struct rig rig;

	param_set(IOAS_MODULE, "serve", "all");
	require_eq(rig_open_path(&rig, STOCK_NODE, 0), 0);
	keep_to_us(rig.container);
	check_eq(run_tool("status --json"), 0);
	check_said("\"kind\": \"container\"");
	check_said("\"others\": []");
	rig_close(&rig);
}

static void status_shows_native_contexts(void)
{
	char words[64];
	int fd = native_open();

	keep_to_us(fd);
	ioas_alloc(fd);
	check_eq(run_tool("status"), 0);
	snprintf(words, sizeof(words), "\n%7d tool_status     iommu ", (int)getpid());
	check_said(words);
	close(fd);
}

static void be_nobody(void *unused)
{
	(void)unused;
	require_eq(or_errno(setresuid(65534, 65534, 65534)), 0);
	check_eq(run_tool("status"), 2);
	check_said("is for root only");
}

/* Root could not read the status, either, so the message does not ask for root. */
static void be_nobody_without_module(void *unused)
{
	(void)unused;
	require_eq(or_errno(setresuid(65534, 65534, 65534)), 0);
	check_eq(run_tool("status"), 2);
	check_said("the module vfio_ioas is not loaded: modprobe vfio_ioas\n");
}

static void what_is_missing_is_named(void)
{
	join(spawn(be_nobody, NULL));
	require_eq(module_unload(IOAS_MODULE), 0);
	join(spawn(be_nobody_without_module, NULL));
	check_eq(run_tool("status"), 2);
	check_said("the module vfio_ioas is not loaded: modprobe vfio_ioas\n");
	check_eq(run_tool("top --batch 1"), 2);
	check_said("the module vfio_ioas is not loaded: modprobe vfio_ioas\n");
	require_eq(module_insert(IOAS_FILE, ""), 0);
	require_eq(or_errno(unshare(CLONE_NEWNS)), 0);
	require_eq(or_errno(umount2(DEBUGFS, MNT_DETACH)), 0);
	check_eq(run_tool("status"), 2);
	check_said("debugfs is not mounted: mount -t debugfs none /sys/kernel/debug\n");
}

/* Runs a process with the command line of a QEMU that is given the name of its VM. */
static void run_vm(void *argument)
{
	struct gate *gates = argument;
	char out[8], in[8];
	const char *const words[] = {
		"sh", "-c", "echo go >&$0; head -c 1 <&$1 >/dev/null", out, in, "-name",
		"guest=deb\ni\xff,,an,debug-threads=on", NULL
	};
	struct rig rig;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	snprintf(out, sizeof(out), "%d", gates[0].fd[1]);
	snprintf(in, sizeof(in), "%d", gates[1].fd[0]);
	fcntl(gates[0].fd[1], F_SETFD, 0);
	fcntl(gates[1].fd[0], F_SETFD, 0);
	execv("/bin/sh", (char *const *)words);
	check_true(false);
}

static void a_vm_has_its_name(void)
{
	struct gate gates[2];
	char words[128];
	pid_t vm;

	gate_make(&gates[0]);
	gate_make(&gates[1]);
	vm = spawn(run_vm, gates);
	gate_wait(&gates[0]);
	check_shown("\n        VM: deb?i?,an\n", "status");
	snprintf(words, sizeof(words), "%d\tdeb?i?,an\n", (int)vm);
	check_shown(words, "status -H -o pid,vm");
	check_shown("sh -c echo go", "status -H -o command");
	check_shown("\"vm\": \"deb\\u000ai\\ufffd,an\", \"command\": \"sh -c echo go",
		    "status --json");
	gate_open(&gates[1]);
	join(vm);
}

static void status_is_filtered_by_process_group_and_device(void)
{
	const struct device *device = device_nr(0);
	struct rig rig;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	keep_to_us(rig.container);
	check_eq(run_tool("status --pid %d --group %d --device %s", (int)getpid(), device->group,
			  device->address), 0);
	check_said(device->address);
	check_eq(run_tool("status --pid 1"), 0);
	check_said("No containers or contexts of ours.\n");
	check_eq(run_tool("status --group %d", device->group + 1000), 0);
	check_said("No containers or contexts of ours.\n");
	rig_close(&rig);
}

/* Reads a frame, which ends with an empty line. */
static void read_frame(FILE *top, char *frame, size_t nbytes)
{
	size_t nchars = 0;

	/* The summary and the empty line after it. */
	require_true(fgets(frame, (int)nbytes, top));
	require_true(fgets(frame, (int)nbytes, top));
	while (fgets(frame + nchars, (int)(nbytes - nchars), top) && frame[nchars] != '\n')
		nchars += strlen(frame + nchars);
	frame[nchars] = '\0';
}

static void top_shows_how_fast_memory_is_mapped(void)
{
	uint8_t *memory = mem_alloc(NBYTES);
	char frame[4096];
	struct rig rig;
	FILE *top;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	keep_to_us(rig.container);
	/* The interval covers seconds between two frames, far more than the map takes. */
	top = popen("vfio-ioas top --batch 2 --interval 4", "re");
	require_true(top);
	read_frame(top, frame, sizeof(frame));
	check_true(strstr(frame, "       0        0       0 "));
	require_eq(dma_map(rig.container, IOVA, memory, NBYTES, RW), 0);
	read_frame(top, frame, sizeof(frame));
	if (!check_true(strstr(frame, "    1.0M  +")))
		diag("%s", frame);
	check_eq(pclose(top), 0);
	rig_close(&rig);
}

static void top_needs_a_terminal_or_a_number_of_frames(void)
{
	check_eq(run_tool("top"), 2);
	check_said("top needs a terminal that can move its cursor; without one: --batch N\n");
}

static const struct test tests[] = {
	TEST(without_containers_status_says_so, ONLY_IOAS),
	TEST(status_shows_a_container_of_ours, ONLY_IOAS | NEEDS_ONE),
	TEST(status_tells_containers_that_are_not_ours, ONLY_IOAS | NEEDS_ONE),
	TEST(container_of_ours_on_the_stock_node_is_not_listed_as_stock,
	     ONLY_IOAS | NEEDS_ONE),
	TEST(status_shows_native_contexts, ONLY_IOAS),
	TEST(a_vm_has_its_name, ONLY_IOAS | NEEDS_ONE),
	TEST(status_is_filtered_by_process_group_and_device, ONLY_IOAS | NEEDS_ONE),
	TEST(what_is_missing_is_named, ONLY_IOAS),
	TEST(top_shows_how_fast_memory_is_mapped, ONLY_IOAS | NEEDS_ONE),
	TEST(top_needs_a_terminal_or_a_number_of_frames, ONLY_IOAS),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}

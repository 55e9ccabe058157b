// SPDX-License-Identifier: GPL-2.0-only
/*
 * tool_switch_others.c - other users and broken things do not keep root from switching: locks,
 * descriptors, a dead file system, the umask, a full disk
 */
#define _GNU_SOURCE
#include "lib_late.h"
#include "lib_switch.h"

#include <ctype.h>
#include <dirent.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define LOCK_FILE	"/run/vfio-ioas/lock"
#define NOBODY		65534
#define OURS		1

/* Seconds for a command that does not wait. VMs are slow. */
#define PROMPT		scaled(20, 120)

static struct untouched before;

static void become_nobody(void)
{
	require_eq(or_errno(setresgid(NOBODY, NOBODY, NOBODY)), 0);
	require_eq(or_errno(setresuid(NOBODY, NOBODY, NOBODY)), 0);
}

/* A child that does something, and then stays until it is told to end. */
struct other {
	struct gate ready, end;
	void (*act)(void);
	pid_t pid;
};

static void be_other(void *argument)
{
	struct other *other = argument;

	other->act();
	gate_open(&other->ready);
	gate_wait(&other->end);
}

static void other_start(struct other *other, void (*act)(void))
{
	other->act = act;
	gate_make(&other->ready);
	gate_make(&other->end);
	other->pid = spawn(be_other, other);
	gate_wait(&other->ready);
}

static void other_end(struct other *other)
{
	gate_open(&other->end);
	join(other->pid);
}

/* Runs the switch. No other process may delay it. */
#define check_prompt(status, ...) \
	do { \
		uint64_t start_ = now_ns(); \
		check_eq(run_switch(__VA_ARGS__), status); \
		check_true(now_ns() - start_ < PROMPT * 1000000000ULL); \
	} while (0)

/* --- locks */

static void lock_all(void)
{
	static const char *const paths[] = {
		"/run/vfio-ioas", "/etc/vfio-ioas", "/dev/vfio", STATE_FILE, BOOT_FILE,
	};
	size_t i;

	become_nobody();
	for (i = 0; i < ARRAY_SIZE(paths); i++)
		require_eq(or_errno(flock(open(paths[i], O_RDONLY), LOCK_EX | LOCK_NB)), 0);
	check_eq(or_errno(open(LOCK_FILE, O_RDONLY)), -EACCES);
}

static void locks_of_other_users_keep_nobody_waiting(void)
{
	struct other other;

	untouched_note(&before);
	require_eq(run_switch("on --persist"), 0);
	other_start(&other, lock_all);
	check_prompt(SWITCH_ON, "status");
	check_prompt(0, "off");
	check_prompt(0, "restore");
	check_prompt(0, "refresh");
	check_prompt(0, "off --persist");
	other_end(&other);
	check_untouched(&before);
}

static void lock_as_a_switch(void)
{
	struct flock lock = { .l_type = F_WRLCK };
	int fd = open(LOCK_FILE, O_RDWR);

	require_true(fd >= 0);
	require_eq(or_errno(fcntl(fd, F_SETLK, &lock)), 0);
}

static void another_switch_is_waited_for_and_named(void)
{
	struct other other;
	char words[96];

	require_eq(run_switch("off"), 0);
	untouched_note(&before);
	other_start(&other, lock_as_a_switch);
	check_prompt(1, "on --timeout 1");
	snprintf(words, sizeof(words),
		 "process %d (tool_switch_oth) is switching and did not end in 1 seconds",
		 (int)other.pid);
	check_said(words);
	check_untouched(&before);
	/* Commands that only look do not wait. */
	check_prompt(SWITCH_OFF, "status");
	check_prompt(0, "on --dry-run");
	other_end(&other);
	check_prompt(0, "on --timeout 1");
}

static void a_lock_that_is_no_file_of_root_s_is_refused(void)
{
	require_eq(run_switch("off"), 0);
	untouched_note(&before);
	require_eq(or_errno(unlink(LOCK_FILE)), 0);
	require_eq(or_errno(symlink("/etc/passwd", LOCK_FILE)), 0);
	check_prompt(1, "on");
	check_said(LOCK_FILE);
	require_eq(or_errno(unlink(LOCK_FILE)), 0);
	require_eq(or_errno(mkfifo(LOCK_FILE, 0600)), 0);
	check_prompt(1, "on");
	check_said("is not a file of root's");
	require_eq(or_errno(unlink(LOCK_FILE)), 0);
	check_untouched(&before);
}

/* --- directories and files */

static void state_directory_writable_by_others_is_refused(void)
{
	untouched_note(&before);
	require_eq(run_switch("off"), 0);
	require_eq(or_errno(chmod("/run/vfio-ioas", 0777)), 0);
	check_eq(run_switch("on"), 1);
	check_said("/run/vfio-ioas can be written by others than root");
	require_eq(or_errno(chmod("/run/vfio-ioas", 0755)), 0);
	require_eq(or_errno(chown("/run/vfio-ioas", NOBODY, 0)), 0);
	check_eq(run_switch("on"), 1);
	check_said("/run/vfio-ioas can be written by others than root");
	require_eq(system("rm -rf /run/vfio-ioas && ln -s /tmp /run/vfio-ioas"), 0);
	check_eq(run_switch("on"), 1);
	check_said("/run/vfio-ioas: Not a directory");
	require_eq(or_errno(unlink("/run/vfio-ioas")), 0);
	check_untouched(&before);
}

static void a_state_that_is_no_file_is_said_and_not_waited_for(void)
{
	require_eq(run_switch("off"), 0);
	require_eq(or_errno(mkfifo(STATE_FILE, 0644)), 0);
	check_prompt(SWITCH_WRONG, "status");
	check_said("cannot read /run/vfio-ioas/switch: Invalid argument");
	check_prompt(1, "on");
	check_said("cannot read /run/vfio-ioas/switch");
	require_eq(or_errno(unlink(STATE_FILE)), 0);
	check_prompt(SWITCH_OFF, "status");
}

static void look_as_nobody(void)
{
	become_nobody();
	check_eq(run_switch("status"), SWITCH_ON);
	check_said("switch:          on, mode: serve\n");
	check_said("at boot:         on, mode: serve\n");
}

static void the_umask_keeps_nobody_from_seeing_the_state(void)
{
	mode_t former = umask(077);
	struct other other;
	struct stat st;

	require_eq(system("rm -rf /run/vfio-ioas /etc/vfio-ioas"), 0);
	check_eq(run_switch("on --mode serve --persist"), 0);
	other_start(&other, look_as_nobody);
	other_end(&other);
	require_eq(or_errno(stat(LOCK_FILE, &st)), 0);
	check_eq(st.st_mode, S_IFREG | 0600);
	umask(former);
}

static void hide_and_look(void)
{
	become_nobody();
	check_eq(run_switch("status"), SWITCH_WRONG);
	check_said("cannot read /run/vfio-ioas/switch: Permission denied");
}

static void a_state_that_cannot_be_read_is_not_taken_for_off(void)
{
	struct other other;

	require_eq(run_switch("on --mode serve"), 0);
	require_eq(or_errno(chmod("/run/vfio-ioas", 0700)), 0);
	other_start(&other, hide_and_look);
	other_end(&other);
	/* Root can repair that. */
	check_eq(run_switch("off"), 0);
	check_eq(run_switch("on --mode serve"), 0);
	check_eq(run_switch("off"), 0);
}

/* Mounts a file system of one page, which a file fills. */
static void have_full_disk(const char *path)
{
	char command[128];

	mkdir(path, 0755);
	require_eq(or_errno(mount("tmpfs", path, "tmpfs", 0, "size=4k,mode=755")), 0);
	snprintf(command, sizeof(command), "head -c 4096 /dev/zero >%s/filler", path);
	require_eq(system(command), 0);
}

static void a_full_disk_is_said_and_nothing_has_changed(void)
{
	int i;

	untouched_note(&before);
	require_eq(or_errno(unshare(CLONE_NEWNS)), 0);
	have_full_disk("/run/vfio-ioas");
	for (i = 0; i < NMODES; i++) {
		context("%s", modes[i]);
		check_eq(run_switch("on --mode %s", modes[i]), 1);
		check_said("cannot write /run/vfio-ioas/switch: No space left on device");
		check_untouched(&before);
		check_eq(or_errno(access("/run/vfio-ioas/.switch.new", F_OK)), -ENOENT);
	}
	require_eq(or_errno(umount("/run/vfio-ioas")), 0);
	have_full_disk("/etc/vfio-ioas");
	check_eq(run_switch("on --persist"), 1);
	check_said("cannot write /etc/vfio-ioas/switch: No space left on device");
	check_said("the switch is on, but only until the next boot");
	check_eq(run_switch("status"), SWITCH_ON);
	check_eq(run_switch("off"), 0);
	check_untouched(&before);
	require_eq(or_errno(umount("/etc/vfio-ioas")), 0);
}

static void an_output_that_nobody_takes_is_said_and_all_is_done(void)
{
	/* The test reads only the standard error. */
	check_eq(run_switch("on 2>&1 >/dev/full #"), 2);
	check_said("cannot write to the standard output: No space left on device");
	check_eq(run_switch("status"), SWITCH_ON);
	check_eq(run_switch("off 2>&1 >&- #"), 2);
	check_eq(run_switch("status"), SWITCH_OFF);
	check_eq(run_tool("status 2>&1 >/dev/full #"), 2);
}

/* --- descriptors */

static void open_kernel_s_node(void)
{
	become_nobody();
	open_fd(STOCK_NODE);
}

static void a_user_who_opens_the_node_does_not_keep_root_from_switching(void)
{
	struct other other;

	other_start(&other, open_kernel_s_node);
	check_prompt(SWITCH_OFF, "status");
	check_said("tool_switch_oth");
	check_prompt(0, "on");
	check_said("warning: 1 process has /dev/vfio/vfio open and no device");
	check_served(STOCK_NODE, OURS);
	check_prompt(0, "off");
	other_end(&other);
}

/* O_PATH needs permission for the path only, whatever the mode of the file. */
static void name_group(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/vfio/%d", device_nr(0)->group);
	open_kernel_s_node();
	require_true(open(path, O_RDWR) < 0);
	require_true(open(path, O_PATH) >= 0);
}

static void a_user_who_only_names_a_group_does_not_keep_root_from_switching(void)
{
	struct other other;

	other_start(&other, name_group);
	check_prompt(0, "on");
	check_said("warning: 1 process has /dev/vfio/vfio open and no device");
	check_prompt(0, "off");
	other_end(&other);
}

#define NO_EXTENSION	9999
#define ATTEMPTS_NS	20000000000ULL	/* 1 of 25 attempts meets a passing reference, in bursts */

/* During each call vfio holds the backend, as it does for a container in use. */
static void have_backend_asked(void)
{
	int fd, i;

	become_nobody();
	fd = open_fd(STOCK_NODE);
	require_true(fd >= 0);
	for (i = 0; i < sysconf(_SC_NPROCESSORS_ONLN); i++)
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				ioctl(fd, VFIO_CHECK_EXTENSION, NO_EXTENSION);
		}
}

static void ioctls_of_another_user_do_not_keep_root_from_switching(void)
{
	struct other other;
	uint64_t start_ns;

	other_start(&other, have_backend_asked);
	start_ns = now_ns();
	while (now_ns() - start_ns < ATTEMPTS_NS)
		check_prompt(0, "on --dry-run");
	check_prompt(0, "on");
	check_prompt(0, "off");
	other_end(&other);
}

#define NDESCRIPTORS	scaled(500000, 50000)
#define NPROCESSES	12

static void raise_limit(void)
{
	struct rlimit limit = { (rlim_t)NDESCRIPTORS + 100, (rlim_t)NDESCRIPTORS + 100 };

	require_eq(or_errno(setrlimit(RLIMIT_NOFILE, &limit)), 0);
}

static void open_many(void)
{
	int fd, i;

	raise_limit();
	become_nobody();
	fd = open_fd("/dev/null");
	for (i = 0; i < NDESCRIPTORS; i++)
		if (dup(fd) < 0)
			break;
	check_eq(i, NDESCRIPTORS);
	/* Each child has as many descriptors as its parent. */
	for (i = 1; i < NPROCESSES; i++)
		if (fork() == 0) {
			/* Ends with the first process. */
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
}

static void many_descriptors_of_another_user_do_not_keep_root_long(void)
{
	struct other crowd;
	char line[64];
	struct rig rig;

	other_start(&crowd, open_many);
	open_in_use(&rig);
	snprintf(line, sizeof(line), "(%d): 1 opened", (int)getpid());
	check_prompt(SWITCH_OFF, "status");
	check_said(line);
	check_prompt(1, "on");
	check_said("1 process uses devices");
	rig_close(&rig);
	check_prompt(0, "on");
	check_prompt(0, "off");
	check_eq(run_tool("status"), 0);
	other_end(&crowd);
}

#define SMALL_DIR	"/tmp/small"
#define NSMALL		scaled(500, 300)
#define NFILES		240

/*
 * Each descriptor is a file with the name of a container, so a search must open it. There are few
 * in a process, and the tables of descriptors are smaller than those of any other process.
 */
static void open_few_in_many(void)
{
	char path[64];
	int i;

	snprintf(path, sizeof(path), SMALL_DIR "/vfio");
	become_nobody();
	for (i = 0; i < NFILES; i++)
		require_true(open(path, O_RDONLY | O_CREAT, 0600) >= 0);
	for (i = 0; i < NSMALL; i++)
		if (fork() == 0) {
			/* Ends with the first process. */
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
}

static void use_device_as_another_user(void)
{
	static struct rig rig;

	open_in_use(&rig);
	require_eq(or_errno(setresuid(NOBODY - 1, NOBODY - 1, NOBODY - 1)), 0);
}

static void many_processes_of_another_user_neither_keep_root_long_nor_hide_a_third_user(void)
{
	struct other crowd, user;
	char line[64];

	mkdir(SMALL_DIR, 0777);
	require_eq(or_errno(chmod(SMALL_DIR, 0777)), 0);
	require_eq(run_switch("on --persist"), 0);
	require_eq(run_switch("off"), 0);
	other_start(&user, use_device_as_another_user);
	other_start(&crowd, open_few_in_many);
	snprintf(line, sizeof(line), "(%d): 1 opened", (int)user.pid);
	check_prompt(SWITCH_OFF, "status");
	check_said(line);
	check_prompt(1, "on");
	check_said("1 process uses devices");
	check_prompt(0, "restore");
	check_said("warning: 1 process keeps containers of the kernel's");
	check_prompt(0, "refresh");
	check_prompt(0, "off");
	other_end(&user);
	/* No stock container is in use, even if some processes were not looked at. */
	check_prompt(0, "on");
	check_prompt(0, "off --persist");
	other_end(&crowd);
}

static void hide_container(void)
{
	static struct rig rig;
	int fd, i;

	open_in_use(&rig);
	raise_limit();
	require_eq(or_errno(setresuid(NOBODY - 1, NOBODY - 1, NOBODY - 1)), 0);
	fd = open_fd("/dev/null");
	for (i = 0; i < NDESCRIPTORS; i++)
		if (dup(fd) < 0)
			break;
	/* Behind all other descriptors. */
	require_true(dup(rig.container) > NDESCRIPTORS);
	require_true(dup(rig.group[0]) > NDESCRIPTORS);
	close(rig.container);
	close(rig.group[0]);
}

/* VMs are too slow to find it: any process that was not looked at may have it. */
static void a_container_in_use_that_is_not_found_is_refused(void)
{
	struct other crowd, user;

	mkdir(SMALL_DIR, 0777);
	require_eq(or_errno(chmod(SMALL_DIR, 0777)), 0);
	other_start(&user, hide_container);
	other_start(&crowd, open_few_in_many);
	untouched_note(&before);
	check_prompt(1, "on");
	check_said("; --force goes on");
	check_untouched(&before);
	check_prompt(0, "on --force");
	check_prompt(0, "off");
	other_end(&user);
	check_prompt(0, "on");
	other_end(&crowd);
}

/* A backend that is no module of its own has no count of users. */
static void have_built_in_backend(void)
{
	require_eq(or_errno(unshare(CLONE_NEWNS)), 0);
	require_eq(or_errno(mount("tmpfs", "/sys/module/vfio_iommu_type1", "tmpfs", 0, NULL)), 0);
}

/* A process that searches for containers has a directory of descriptors open. */
static bool is_searching(const char *pid)
{
	char path[64], name[32] = "", target[64];
	struct dirent *entry;
	bool found = false;
	ssize_t length;
	DIR *dir;
	int fd;

	snprintf(path, sizeof(path), "/proc/%.16s/comm", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	length = read(fd, name, sizeof(name) - 1);
	close(fd);
	if (length <= 0 || strcmp(name, "vfio-ioas\n") != 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
	dir = opendir(path);
	while (dir && !found && (entry = readdir(dir))) {
		length = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		target[length < 0 ? 0 : length] = '\0';
		found = strncmp(target, "/proc/", 6) == 0 && isdigit((unsigned char)target[6]) &&
			strstr(target, "/fd");
	}
	if (dir)
		closedir(dir);
	return found;
}

/* Stops each search for good, as if it had too much to look at. The switch kills it. */
static void stop_searches(void)
{
	struct dirent *entry;
	DIR *processes;

	if (fork())
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	processes = opendir("/proc");
	require_true(processes);
	for (;;) {
		rewinddir(processes);
		while ((entry = readdir(processes)))
			if (isdigit((unsigned char)entry->d_name[0]) && is_searching(entry->d_name))
				kill(atoi(entry->d_name), SIGSTOP);
	}
}

/* The crowd gives a search enough to do for it to be stopped in the middle. */
static void a_search_that_ends_early_is_said(void)
{
	struct other crowd, stopper;

	mkdir(SMALL_DIR, 0777);
	require_eq(or_errno(chmod(SMALL_DIR, 0777)), 0);
	other_start(&crowd, open_few_in_many);
	other_start(&stopper, stop_searches);
	check_prompt(0, "on");
	check_prompt(0, "off");
	check_said("warning: in 5 seconds not all processes were looked at");
	have_built_in_backend();
	check_prompt(1, "on");
	check_said("a container may be in use: not all processes were looked at; --force");
	check_prompt(0, "on --force");
	check_said("warning: a container may be in use: not all processes were looked at");
	check_prompt(0, "off");
	require_eq(or_errno(umount("/sys/module/vfio_iommu_type1")), 0);
	other_end(&stopper);
	other_end(&crowd);
}

/* --- descriptors that no process has */

/* Descriptors on their way over a socket, not yet received. */
struct parcel {
	int ends[2];
};

static void parcel_send(struct parcel *parcel, const int *fds, unsigned int nfds)
{
	char control[CMSG_SPACE(8 * sizeof(int))] = { 0 };
	struct iovec data = { .iov_base = control, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = CMSG_SPACE(nfds * sizeof(int)),
	};
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	unsigned int i;

	require_eq(or_errno(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, parcel->ends)), 0);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(nfds * sizeof(int));
	memcpy(CMSG_DATA(head), fds, nfds * sizeof(int));
	require_eq(sendmsg(parcel->ends[0], &message, 0), 1);
	for (i = 0; i < nfds; i++)
		close(fds[i]);
}

static void parcel_lose(struct parcel *parcel)
{
	close(parcel->ends[0]);
	close(parcel->ends[1]);
}

static void a_container_in_use_that_no_process_has_is_refused(void)
{
	struct parcel parcel;
	struct rig rig;
	int fds[2];

	untouched_note(&before);
	open_in_use(&rig);
	fds[0] = rig.container;
	fds[1] = rig.group[0];
	parcel_send(&parcel, fds, 2);
	check_prompt(1, "on");
	check_said("a container of the kernel's is in use by a process that was not found");
	check_untouched(&before);
	check_prompt(0, "on --force");
	check_said("warning: a container of the kernel's is in use");
	check_prompt(0, "off");
	parcel_lose(&parcel);
	check_prompt(0, "on");
}

static void own_container_without_a_process_is_reported(void)
{
	struct parcel parcel;
	int fd = open(IOAS_NODE, O_RDWR | O_CLOEXEC);

	require_true(fd >= 0);
	check_prompt(SWITCH_OFF, "status");
	check_said(": 0 opened through the kernel's node, 1 through ours");
	parcel_send(&parcel, &fd, 1);
	check_prompt(SWITCH_OFF, "status");
	check_said("containers:      maybe 1 more of ours, in no process that can be seen\n");
	check_prompt(SWITCH_OFF, "status --json");
	check_said("\"all_holders\": true, \"hidden\": 1");
	parcel_lose(&parcel);
	check_prompt(SWITCH_OFF, "status");
	check_said("none are open");
}

/* The container holds the module twice: by its node, and by its backend. */
static void a_container_of_ours_that_a_process_has_is_not_said_to_be_hidden(void)
{
	static const struct {
		const char *before, *node;
		int status;
	} cases[] = {
		{ "off", IOAS_NODE, SWITCH_OFF },
		{ "on --mode node", STOCK_NODE, SWITCH_ON },
		{ "on --mode symlink", STOCK_NODE, SWITCH_ON },
		{ "on --mode serve", STOCK_NODE, SWITCH_ON },
	};
	struct rig rig;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		context("%s", cases[i].before);
		require_eq(run_switch("%s", cases[i].before), 0);
		require_eq(rig_open_path(&rig, cases[i].node, 0), 0);
		require_eq(or_errno(fcntl(rig.container, F_SETFD, FD_CLOEXEC)), 0);
		require_eq(or_errno(fcntl(rig.group[0], F_SETFD, FD_CLOEXEC)), 0);
		check_prompt(cases[i].status, "status --json");
		check_said("\"all_holders\": true, \"hidden\": 0");
		rig_close(&rig);
	}
}

static void a_container_of_ours_that_no_process_has_is_one_with_a_backend_too(void)
{
	struct parcel parcel;
	struct rig rig;
	int fds[2];

	require_eq(rig_open_path(&rig, IOAS_NODE, 0), 0);
	fds[0] = rig.container;
	fds[1] = rig.group[0];
	parcel_send(&parcel, fds, 2);
	check_prompt(SWITCH_OFF, "status --json");
	check_said("\"all_holders\": true, \"hidden\": 1");
	parcel_lose(&parcel);
}

/*
 * A descriptor for ioctls alone can neither read nor write. It has no mode, like one that only
 * names the container. So its process is no holder, but the container counts.
 */
static void a_container_in_use_that_is_open_for_ioctls_alone_is_refused(void)
{
	struct rig rig = { .container = open(STOCK_NODE, O_ACCMODE | O_CLOEXEC), .ngroups = 1 };

	require_true(rig.container >= 0);
	rig.group[0] = group_open_wait(0);
	require_eq(or_errno(fcntl(rig.group[0], F_SETFD, FD_CLOEXEC)), 0);
	require_eq(group_set_container(rig.group[0], rig.container), 0);
	require_eq(set_iommu(rig.container, VFIO_TYPE1v2_IOMMU), 0);
	untouched_note(&before);
	check_prompt(1, "on");
	check_said("; --force goes on");
	check_untouched(&before);
	rig_close(&rig);
	check_prompt(0, "on");
}

/* --- a file system whose server has died */

#define DEAD	"/tmp/dead"

static int fuse;

static void answer(uint64_t unique, const void *data, size_t nbytes)
{
	struct {
		struct fuse_out_header head;
		uint8_t data[256];
	} message = { .head = { .unique = unique } };

	message.head.len = (uint32_t)(sizeof(message.head) + nbytes);
	memcpy(message.data, data, nbytes);
	require_eq(write(fuse, &message, message.head.len), message.head.len);
}

/* Answers until the root directory has been opened, then no more. */
static void serve_until_opened(void)
{
	static uint8_t buffer[1 << 17];
	struct fuse_in_header *head = (void *)buffer;
	struct fuse_init_out init = { .major = 7, .minor = 31, .max_write = 4096 };
	struct fuse_attr_out attributes = {
		.attr = { .ino = 1, .mode = S_IFDIR | 0755, .nlink = 2 },
	};
	struct fuse_open_out opened = { 0 };

	for (;;) {
		require_true(read(fuse, buffer, sizeof(buffer)) > 0);
		switch (head->opcode) {
		case FUSE_INIT:
			answer(head->unique, &init, sizeof(init));
			break;
		case FUSE_GETATTR:
			answer(head->unique, &attributes, sizeof(attributes));
			break;
		case FUSE_OPENDIR:
			answer(head->unique, &opened, sizeof(opened));
			return;
		default:
			diag("not answered: operation %u", head->opcode);
		}
	}
}

static void have_dead_file_system(void)
{
	char options[96];

	module_probe("fuse");
	fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fuse < 0)
		skip("this kernel has no FUSE");
	mkdir(DEAD, 0755);
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40755,user_id=0,group_id=0,allow_other", fuse);
	require_eq(or_errno(mount("dead", DEAD, "fuse", 0, options)), 0);
}

static void open_on_dead_file_system(void)
{
	require_true(open(DEAD, O_RDONLY | O_DIRECTORY) >= 0);
}

static void *serve(void *unused)
{
	serve_until_opened();
	return unused;
}

static void a_dead_file_system_does_not_keep_root_waiting(void)
{
	struct other other;
	pthread_t server;

	have_dead_file_system();
	require_eq(pthread_create(&server, NULL, serve, NULL), 0);
	other_start(&other, open_on_dead_file_system);
	pthread_join(server, NULL);
	check_prompt(SWITCH_OFF, "status");
	check_prompt(0, "on");
	check_prompt(0, "off");
	check_eq(run_tool("status"), 0);
	close(fuse);
	other_end(&other);
	umount2(DEAD, MNT_DETACH);
}

/* The path of this file system is that of a container. */
static void a_dead_file_system_in_place_of_a_node_does_not_either(void)
{
	struct other other;
	pthread_t server;

	have_dead_file_system();
	require_eq(pthread_create(&server, NULL, serve, NULL), 0);
	/* In a namespace of its own, which any user can make. */
	require_eq(or_errno(unshare(CLONE_NEWNS)), 0);
	require_eq(or_errno(mkdir("/tmp/vfio", 0755)), 0);
	require_eq(or_errno(mount(DEAD, "/tmp/vfio", NULL, MS_BIND, NULL)), 0);
	require_eq(or_errno(umount2(DEAD, MNT_DETACH)), 0);
	require_eq(or_errno(rmdir(DEAD)), 0);
	require_eq(or_errno(symlink("vfio", DEAD)), 0);
	other_start(&other, open_on_dead_file_system);
	pthread_join(server, NULL);
	check_prompt(SWITCH_OFF, "status");
	check_said("none are open");
	close(fuse);
	other_end(&other);
	umount2("/tmp/vfio", MNT_DETACH);
	rmdir("/tmp/vfio");
	unlink(DEAD);
}

/* --- locks of directories */

/* A directory is locked while it is listed. An open() with O_CREAT then blocks all other users. */
struct hold {
	const char *path;
	struct late_memory late;
	int stat;		/* stat file of the creating thread; -1 before it runs */
};

static struct hold hold;

static void *list_held(void *unused)
{
	int fd = open(hold.path, O_RDONLY | O_DIRECTORY);

	syscall(SYS_getdents64, fd, hold.late.memory, PAGE);
	return unused;
}

static void *create_held(void *unused)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/zzz", hold.path);
	hold.stat = open("/proc/thread-self/stat", O_RDONLY);
	check_eq(or_errno(open(path, O_RDONLY | O_CREAT, 0600)), -EACCES);
	return unused;
}

static bool creator_waits(void *unused)
{
	char text[512] = "";
	const char *state;

	(void)unused;
	if (hold.stat < 0 || pread(hold.stat, text, sizeof(text) - 1, 0) <= 0)
		return false;
	state = strrchr(text, ')');
	return state && !strncmp(state, ") D", 3);
}

/* An ordinary user would use FUSE instead of the userfaultfd. */
static void hold_directory(void)
{
	pthread_t lister, creator;

	hold.stat = -1;
	late_memory_make(&hold.late);
	become_nobody();
	require_eq(pthread_create(&lister, NULL, list_held, NULL), 0);
	late_memory_wanted(&hold.late);
	require_eq(pthread_create(&creator, NULL, create_held, NULL), 0);
	require_true(wait_until(creator_waits, NULL, EVENT_SECONDS));
}

static void start_hold(struct other *other, const char *path)
{
	hold.path = path;
	other_start(other, hold_directory);
}

#define NOT_ALL	"not all processes were looked at"

static void a_user_who_holds_the_users_of_the_module_does_not_keep_status_waiting(void)
{
	struct other other;

	start_hold(&other, "/sys/module/vfio_ioas/holders");
	check_prompt(SWITCH_OFF, "status");
	check_said(NOT_ALL);
	check_prompt(0, "on");
	check_prompt(0, "off");
	other_end(&other);
	check_prompt(SWITCH_OFF, "status");
	check_said("none are open");
}

/* While /proc is held no process can be found, but switching needs none. */
static void switch_works_without_proc(void)
{
	require_eq(or_errno(unshare(CLONE_NEWNS)), 0);
	require_eq(or_errno(mount("tmpfs", "/proc", "tmpfs", 0, NULL)), 0);
	check_prompt(0, "on");
	check_prompt(SWITCH_ON, "status");
	check_prompt(0, "off");
	require_eq(or_errno(umount("/proc")), 0);
}

static void check_given_up(void)
{
	check_prompt(2, "status");
	check_said("/dev/vfio, /run/vfio-ioas, ");
	check_prompt(2, "on --dry-run");
	check_prompt(2, "off --dry-run");
}

static void a_user_who_holds_the_directory_of_nodes_keeps_nobody_who_only_looks(void)
{
	int fd = open_fd(STOCK_NODE);
	struct other other;
	char words[64];

	start_hold(&other, "/dev/vfio");
	check_given_up();
	check_eq(run_tool("status --json"), 0);
	snprintf(words, sizeof(words), "\"pid\": %d,", (int)getpid());
	check_said(words);
	check_said("\"all_others\": true");
	other_end(&other);
	close(fd);
}

static void a_user_who_holds_the_directory_of_the_state_keeps_nobody_who_only_looks(void)
{
	struct other other;

	require_eq(run_switch("on"), 0);
	require_eq(run_switch("off"), 0);
	start_hold(&other, "/run/vfio-ioas");
	check_given_up();
	other_end(&other);
}

#define VICTIM		"/tmp/victim"

static void a_link_in_place_of_our_node_is_not_followed(void)
{
	struct stat st;

	untouched_note(&before);
	require_eq(system("cd /dev/vfio && mv ioas .ioas && touch " VICTIM " && chmod 600 " VICTIM
			  " && ln -s " VICTIM " ioas"), 0);
	check_eq(run_switch("on"), 1);
	check_said("/dev/vfio/ioas cannot get the owner");
	require_eq(or_errno(stat(VICTIM, &st)), 0);
	check_eq(st.st_mode & 07777, 0600);
	require_eq(system("cd /dev/vfio && mv -f .ioas ioas && rm " VICTIM), 0);
	check_untouched(&before);
}

static const struct test tests[] = {
	TEST(locks_of_other_users_keep_nobody_waiting, ONLY_IOAS),
	TEST(another_switch_is_waited_for_and_named, ONLY_IOAS),
	TEST(a_lock_that_is_no_file_of_root_s_is_refused, ONLY_IOAS),
	TEST(state_directory_writable_by_others_is_refused, ONLY_IOAS),
	TEST(a_state_that_is_no_file_is_said_and_not_waited_for, ONLY_IOAS),
	TEST(the_umask_keeps_nobody_from_seeing_the_state, ONLY_IOAS),
	TEST(a_state_that_cannot_be_read_is_not_taken_for_off, ONLY_IOAS),
	TEST(a_full_disk_is_said_and_nothing_has_changed, ONLY_IOAS),
	TEST(an_output_that_nobody_takes_is_said_and_all_is_done, ONLY_IOAS),
	TEST(a_user_who_opens_the_node_does_not_keep_root_from_switching, ONLY_IOAS | NEEDS_ONE),
	TEST(a_user_who_only_names_a_group_does_not_keep_root_from_switching,
	     ONLY_IOAS | NEEDS_ONE),
	TEST(many_descriptors_of_another_user_do_not_keep_root_long,
	     ONLY_IOAS | NEEDS_ONE | TAKES_LONG),
	TEST(many_processes_of_another_user_neither_keep_root_long_nor_hide_a_third_user,
	     ONLY_IOAS | NEEDS_ONE | TAKES_LONG),
	TEST(a_container_in_use_that_is_not_found_is_refused, ONLY_IOAS | NEEDS_ONE | TAKES_LONG),
	TEST(a_search_that_ends_early_is_said, ONLY_IOAS | TAKES_LONG),
	TEST(a_container_in_use_that_no_process_has_is_refused, ONLY_IOAS | NEEDS_ONE),
	TEST(own_container_without_a_process_is_reported, ONLY_IOAS),
	TEST(a_container_of_ours_that_a_process_has_is_not_said_to_be_hidden,
	     ONLY_IOAS | NEEDS_ONE),
	TEST(a_container_of_ours_that_no_process_has_is_one_with_a_backend_too,
	     ONLY_IOAS | NEEDS_ONE),
	TEST(ioctls_of_another_user_do_not_keep_root_from_switching, ONLY_IOAS),
	TEST(a_container_in_use_that_is_open_for_ioctls_alone_is_refused, ONLY_IOAS | NEEDS_ONE),
	TEST(a_dead_file_system_does_not_keep_root_waiting, ONLY_IOAS),
	TEST(a_dead_file_system_in_place_of_a_node_does_not_either, ONLY_IOAS),
	TEST(a_user_who_holds_the_users_of_the_module_does_not_keep_status_waiting, ONLY_IOAS),
	TEST(switch_works_without_proc, ONLY_IOAS),
	TEST(a_link_in_place_of_our_node_is_not_followed, ONLY_IOAS),
	TEST(a_user_who_holds_the_directory_of_nodes_keeps_nobody_who_only_looks, ONLY_IOAS),
	TEST(a_user_who_holds_the_directory_of_the_state_keeps_nobody_who_only_looks, ONLY_IOAS),
};

int main(int argc, char **argv)
{
	after_each_test = switch_clean_up;
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}

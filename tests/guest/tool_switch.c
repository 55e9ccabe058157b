// SPDX-License-Identifier: GPL-2.0-only
/*
 * tool_switch.c - "vfio-ioas switch": each mode on and off, across boots, and its messages
 */
#define _GNU_SOURCE
#include "lib.h"
#include "lib_switch.h"

#include <sys/prctl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#define OURS	1
#define STOCKS	0
#define LABEL	"security.test"

static struct untouched before;

static void status_is_off_at_first(void)
{
	check_eq(run_switch("status"), SWITCH_OFF);
	check_said("switch:          off\n");
	check_said("at boot:         off\n");
	check_said("module:          loaded, serve=node\n");
	check_said("containers:      none are open\n");
	check_served(STOCK_NODE, STOCKS);
}

static void each_way_leads_to_our_container(void)
{
	int i;

	for (i = 0; i < NMODES; i++) {
		context("%s", modes[i]);
		check_eq(run_switch("on --mode %s", modes[i]), 0);
		check_said(modes[i]);
		check_eq(run_switch("status"), SWITCH_ON);
		check_said("switch:          on, mode: ");
		check_said(modes[i]);
		check_served(STOCK_NODE, OURS);
		require_eq(run_switch("off"), 0);
		check_served(STOCK_NODE, STOCKS);
	}
}

static void the_way_is_a_link_unless_another_is_named(void)
{
	char target[32] = "";

	require_eq(run_switch("on"), 0);
	check_eq(readlink(STOCK_NODE, target, sizeof(target) - 1), 4);
	check_eq(strcmp(target, "ioas"), 0);
}

static void a_node_of_ours_has_our_number(void)
{
	struct stat node, ours;

	require_eq(run_switch("on --mode node"), 0);
	require_eq(or_errno(lstat(STOCK_NODE, &node)), 0);
	require_eq(or_errno(lstat(IOAS_NODE, &ours)), 0);
	check_true(S_ISCHR(node.st_mode));
	check_eq(node.st_rdev, ours.st_rdev);
}

/* False in kernels without labels in /dev. */
static bool labelled;

static void change_node(void)
{
	require_eq(or_errno(chmod(STOCK_NODE, 0640)), 0);
	require_eq(or_errno(chown(STOCK_NODE, 12, 34)), 0);
	labelled = setxattr(STOCK_NODE, LABEL, "here", 4, 0) == 0;
	if (!labelled)
		check_eq(errno, EOPNOTSUPP);
}

static void check_label(void)
{
	char label[8] = "";

	if (labelled)
		check_eq(or_errno(getxattr(STOCK_NODE, LABEL, label, sizeof(label))), 4);
}

static void change_node_back(void)
{
	removexattr(STOCK_NODE, LABEL);
	require_eq(or_errno(chown(STOCK_NODE, 0, 0)), 0);
	require_eq(or_errno(chmod(STOCK_NODE, 0666)), 0);
}

static void off_puts_back_exactly_what_was_there(void)
{
	int i;

	change_node();
	untouched_note(&before);
	for (i = 0; i < NMODES; i++) {
		context("%s", modes[i]);
		check_eq(run_switch("on --mode %s", modes[i]), 0);
		check_eq(run_switch("off"), 0);
		check_untouched(&before);
	}
	check_label();
	change_node_back();
}

#define ACL		"system.posix_acl_access"

/* An access list: owner rw, user 77 rw, group nothing, mask rw, others nothing. */
static const uint8_t acl[] = {
	2, 0, 0, 0,
	0x01, 0, 6, 0, 0xff, 0xff, 0xff, 0xff,
	0x02, 0, 6, 0, 77, 0, 0, 0,
	0x04, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
	0x10, 0, 6, 0, 0xff, 0xff, 0xff, 0xff,
	0x20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
};

struct attempt {
	uid_t uid;
	const char *path;
	int result;
};

static void open_as(void *argument)
{
	struct attempt *attempt = argument;
	int fd;

	require_eq(or_errno(setresgid(12345, 12345, 12345)), 0);
	require_eq(or_errno(setresuid(attempt->uid, attempt->uid, attempt->uid)), 0);
	fd = open(attempt->path, O_RDWR | O_CLOEXEC);
	check_eq(fd < 0 ? -errno : 0, attempt->result);
}

static void check_opens(uid_t uid, const char *path, int result)
{
	struct attempt attempt = { uid, path, result };

	join(spawn(open_as, &attempt));
}

static void our_node_is_for_those_who_may_use_the_kernel_s(void)
{
	static const char *const both[] = { "symlink", "node" };
	struct stat ours;
	bool listed;
	size_t i;

	require_eq(or_errno(chmod(STOCK_NODE, 0600)), 0);
	require_eq(or_errno(chown(STOCK_NODE, 12, 34)), 0);
	listed = setxattr(STOCK_NODE, ACL, acl, sizeof(acl), 0) == 0;
	check_opens(78, STOCK_NODE, -EACCES);
	for (i = 0; i < ARRAY_SIZE(both); i++) {
		context("%s", both[i]);
		check_eq(run_switch("on --mode %s", both[i]), 0);
		check_eq(run_switch("status"), SWITCH_ON);
		check_opens(12, STOCK_NODE, 0);
		check_opens(77, STOCK_NODE, listed ? 0 : -EACCES);
		check_opens(78, STOCK_NODE, -EACCES);
		check_opens(78, IOAS_NODE, -EACCES);
		check_eq(run_switch("off"), 0);
		require_eq(or_errno(lstat(IOAS_NODE, &ours)), 0);
		check_eq(ours.st_mode & 07777, 0666);
		check_eq(ours.st_uid, 0);
		check_eq(getxattr(IOAS_NODE, ACL, NULL, 0), -1);
		check_opens(78, IOAS_NODE, 0);
	}
	removexattr(STOCK_NODE, ACL);
	change_node_back();
}

/* udev runs refresh when the module comes and goes. */
static void who_may_use_it_is_kept_when_the_module_is_loaded_anew(void)
{
	require_eq(or_errno(chmod(STOCK_NODE, 0640)), 0);
	require_eq(run_switch("on"), 0);
	require_eq(module_unload(IOAS_MODULE), 0);
	check_eq(run_switch("refresh"), 0);
	require_eq(module_probe(IOAS_MODULE), 0);
	check_eq(run_switch("status"), SWITCH_WRONG);
	check_said("/dev/vfio/ioas has owner 0:0, mode 0666, ");
	check_said("the kernel's own node owner 0:0, mode 0640\n");
	check_eq(run_switch("refresh"), 0);
	check_eq(run_switch("status"), SWITCH_ON);
	check_opens(78, STOCK_NODE, -EACCES);
	check_eq(run_switch("off"), 0);
	check_opens(78, IOAS_NODE, 0);
	change_node_back();
}

static void what_somebody_else_gave_our_node_stays(void)
{
	struct stat ours;

	require_eq(or_errno(chmod(STOCK_NODE, 0640)), 0);
	require_eq(run_switch("on"), 0);
	require_eq(or_errno(chmod(IOAS_NODE, 0604)), 0);
	check_eq(run_switch("status"), SWITCH_WRONG);
	check_eq(run_switch("off"), 0);
	require_eq(or_errno(lstat(IOAS_NODE, &ours)), 0);
	check_eq(ours.st_mode & 07777, 0604);
	require_eq(or_errno(chmod(IOAS_NODE, 0666)), 0);
	change_node_back();
}

/* The next driver may get its number, and no program may open that driver by our node. */
static void a_node_of_ours_is_closed_to_all_when_the_module_goes(void)
{
	struct stat node;

	require_eq(run_switch("on --mode node"), 0);
	check_opens(78, STOCK_NODE, 0);
	require_eq(module_unload(IOAS_MODULE), 0);
	check_opens(78, STOCK_NODE, -EACCES);
	require_eq(or_errno(lstat(STOCK_NODE, &node)), 0);
	check_eq(node.st_mode & 0777, 0);
	check_eq(run_switch("status"), SWITCH_WRONG);
	check_said("a number that another driver may get");
}

static void refresh_takes_a_node_of_a_module_that_has_gone_away(void)
{
	struct stat node;

	untouched_note(&before);
	require_eq(run_switch("on --mode node"), 0);
	check_eq(run_switch("refresh"), 0);
	check_eq(run_switch("status"), SWITCH_ON);
	require_eq(module_unload(IOAS_MODULE), 0);
	check_eq(run_switch("refresh"), 0);
	require_eq(or_errno(lstat(STOCK_NODE, &node)), 0);
	check_true(S_ISLNK(node.st_mode));
	check_eq(run_switch("status"), SWITCH_WRONG);
	check_said("switch:          on, mode: node\n");
	require_eq(module_probe(IOAS_MODULE), 0);
	check_eq(run_switch("status"), SWITCH_WRONG);
	check_eq(run_switch("refresh"), 0);
	check_eq(run_switch("status"), SWITCH_ON);
	check_served(STOCK_NODE, OURS);
	check_eq(run_switch("off"), 0);
	check_eq(run_switch("refresh"), 0);
	check_untouched(&before);
}

/* Unloading the module forgets serve=all. */
static void refresh_sets_serve_again(void)
{
	require_eq(run_switch("on --mode serve"), 0);
	require_eq(module_unload(IOAS_MODULE), 0);
	check_eq(run_switch("refresh"), 0);
	check_true(!module_loaded(IOAS_MODULE));
	require_eq(module_probe(IOAS_MODULE), 0);
	check_eq(run_switch("refresh"), 0);
	check_eq(run_switch("status"), SWITCH_ON);
}

static void a_node_made_by_hand_is_noticed_and_replaced(void)
{
	struct stat node, ours;

	require_eq(run_switch("on --mode node"), 0);
	require_eq(or_errno(lstat(IOAS_NODE, &ours)), 0);
	unlink(STOCK_NODE);
	require_eq(or_errno(mknod(STOCK_NODE, S_IFCHR | 0666, ours.st_rdev)), 0);
	check_eq(run_switch("status"), SWITCH_WRONG);
	check_said("would outlive the module");
	check_eq(run_switch("on"), 0);
	check_eq(run_switch("status"), SWITCH_ON);
	require_eq(or_errno(lstat(STOCK_NODE, &node)), 0);
	check_eq(node.st_ino, ours.st_ino);
}

static void off_puts_back_the_former_value_of_serve(void)
{
	static const char *const values[] = { "none", "all" };
	char serve[32];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		context("%s", values[i]);
		param_set(IOAS_MODULE, "serve", values[i]);
		check_eq(run_switch("on --mode serve"), 0);
		check_eq(run_switch("on --mode serve"), 0);
		check_eq(run_switch("off"), 0);
		require_eq(param_get(IOAS_MODULE, "serve", serve, sizeof(serve)), 0);
		check_eq(strcmp(serve, values[i]), 0);
	}
}

static void on_that_repairs_keeps_the_original_state_for_off(void)
{
	char serve[32];

	param_set(IOAS_MODULE, "serve", "none");
	require_eq(run_switch("on --mode serve"), 0);
	require_eq(param_try_set(IOAS_MODULE, "serve", "node"), 0);
	check_eq(run_switch("on"), 0);
	check_eq(run_switch("status"), SWITCH_ON);
	check_eq(run_switch("off"), 0);
	require_eq(param_get(IOAS_MODULE, "serve", serve, sizeof(serve)), 0);
	check_eq(strcmp(serve, "none"), 0);
}

static void a_node_of_ours_is_for_those_who_may_use_the_kernel_s(void)
{
	struct stat node;

	change_node();
	check_eq(run_switch("on --mode node"), 0);
	require_eq(or_errno(lstat(STOCK_NODE, &node)), 0);
	check_eq(node.st_mode & 07777, 0640);
	check_eq(node.st_uid, 12);
	check_eq(node.st_gid, 34);
	check_label();
	check_eq(run_switch("off"), 0);
	change_node_back();
}

static void on_and_off_twice_are_harmless(void)
{
	int i;

	untouched_note(&before);
	for (i = 0; i < NMODES; i++) {
		context("%s", modes[i]);
		check_eq(run_switch("on --mode %s", modes[i]), 0);
		check_eq(run_switch("on --mode %s", modes[i]), 0);
		check_said("on already");
		/* Without --mode, "on" keeps the current mode. */
		check_eq(run_switch("on"), 0);
		check_said(modes[i]);
		check_eq(run_switch("off"), 0);
		check_untouched(&before);
		check_eq(run_switch("off"), 0);
		check_said("off already");
		check_untouched(&before);
	}
}

static void the_way_can_be_changed(void)
{
	int from, to;

	untouched_note(&before);
	for (from = 0; from < NMODES; from++) {
		for (to = 0; to < NMODES; to++) {
			context("%s to %s", modes[from], modes[to]);
			check_eq(run_switch("on --mode %s", modes[from]), 0);
			check_eq(run_switch("on --mode %s", modes[to]), 0);
			check_eq(run_switch("status"), SWITCH_ON);
			check_said(modes[to]);
			check_eq(run_switch("off"), 0);
			check_untouched(&before);
		}
	}
}

static void on_loads_the_module(void)
{
	require_eq(module_unload(IOAS_MODULE), 0);
	check_eq(run_switch("on"), 0);
	check_true(module_loaded(IOAS_MODULE));
	check_served(STOCK_NODE, OURS);
}

static void off_works_without_the_module(void)
{
	int i;

	untouched_note(&before);
	for (i = 0; i < NMODES; i++) {
		context("%s", modes[i]);
		require_eq(run_switch("on --mode %s", modes[i]), 0);
		require_eq(module_unload(IOAS_MODULE), 0);
		check_eq(run_switch("status"), SWITCH_WRONG);
		check_said("the module vfio_ioas is not loaded");
		check_eq(run_switch("off"), 0);
		check_true(!module_loaded(IOAS_MODULE));
		check_untouched(&before);
		require_eq(module_probe(IOAS_MODULE), 0);
		check_untouched(&before);
	}
}

static void vfio_itself_can_be_loaded_anew_meanwhile(void)
{
	if (!module_loaded("vfio"))
		skip("vfio is a part of the kernel");
	if (module_loaded("mtty") || module_loaded("mdpy"))
		skip("sample drivers use vfio");
	require_eq(run_switch("on"), 0);
	check_eq(system("rmmod vfio_pci vfio_pci_core vfio_ioas vfio_iommu_type1"), 0);
	/* A module of its own before Linux 6.2. */
	module_unload("vfio_virqfd");
	check_eq(module_unload("vfio"), 0);
	check_true(!module_loaded("vfio"));
	check_eq(module_probe(TYPE1_MODULE), 0);
	check_eq(module_probe(IOAS_MODULE), 0);
	check_eq(run_switch("status"), SWITCH_ON);
	check_eq(run_switch("off"), 0);
	check_eq(run_switch("status"), SWITCH_OFF);
	require_eq(system("modprobe vfio-pci ids=1234:11e8"), 0);
	check_served(STOCK_NODE, STOCKS);
}

/* The next load of the module may get another device number. */
static void a_node_of_a_former_load_is_mended_by_on_and_removed_by_off(void)
{
	struct stat node, ours;

	untouched_note(&before);
	require_eq(run_switch("on --mode node"), 0);
	unlink(STOCK_NODE);
	require_eq(or_errno(mknod(STOCK_NODE, S_IFCHR | 0666, makedev(511, 7))), 0);
	check_eq(run_switch("status"), SWITCH_WRONG);
	check_said("a former load");
	check_eq(run_switch("on --mode node"), 0);
	require_eq(or_errno(lstat(STOCK_NODE, &node)), 0);
	require_eq(or_errno(lstat(IOAS_NODE, &ours)), 0);
	check_eq(node.st_rdev, ours.st_rdev);

	unlink(STOCK_NODE);
	require_eq(or_errno(mknod(STOCK_NODE, S_IFCHR | 0666, makedev(511, 7))), 0);
	check_eq(run_switch("off"), 0);
	check_untouched(&before);
}

static void manual_link_is_reported_as_on(void)
{
	untouched_note(&before);
	require_eq(or_errno(rename(STOCK_NODE, ASIDE_NODE)), 0);
	require_eq(or_errno(symlink("/dev/vfio/ioas", STOCK_NODE)), 0);
	check_eq(run_switch("status"), SWITCH_ON);
	check_eq(run_switch("on"), 0);
	check_said("on already");
	check_eq(run_switch("off"), 0);
	check_untouched(&before);
}

static void a_link_made_over_the_node_gives_way_to_a_fresh_node(void)
{
	struct stat node;

	unlink(STOCK_NODE);
	require_eq(or_errno(symlink("ioas", STOCK_NODE)), 0);
	check_eq(run_switch("status"), SWITCH_WRONG);
	check_eq(run_switch("off"), 0);
	check_said("as the kernel makes it");
	require_eq(or_errno(lstat(STOCK_NODE, &node)), 0);
	check_eq(node.st_mode, S_IFCHR | 0666);
	check_served(STOCK_NODE, STOCKS);
}

static void status_sees_what_somebody_else_changed(void)
{
	require_eq(run_switch("on --mode serve"), 0);
	require_eq(param_try_set(IOAS_MODULE, "serve", "node"), 0);
	check_eq(run_switch("status"), SWITCH_WRONG);
	check_said("does not agree:  serve=node");
	require_eq(run_switch("off"), 0);
	check_said("stays");

	require_eq(param_try_set(IOAS_MODULE, "serve", "all"), 0);
	check_eq(run_switch("status"), SWITCH_WRONG);
	check_said("serve=all, set by somebody else");
	require_eq(param_try_set(IOAS_MODULE, "serve", "node"), 0);

	require_eq(run_switch("on"), 0);
	require_eq(param_try_set(IOAS_MODULE, "serve", "none"), 0);
	check_eq(run_switch("status"), SWITCH_WRONG);
	require_eq(param_try_set(IOAS_MODULE, "serve", "node"), 0);
	require_eq(or_errno(unlink(STOCK_NODE)), 0);
	check_eq(run_switch("status"), SWITCH_WRONG);
	check_said("nothing is at /dev/vfio/vfio");
}

static void status_tells_who_has_containers_open(void)
{
	char ours_line[160], stock_line[96];
	int ours, stock;

	prctl(PR_SET_NAME, "a\"b\\\033[\377");
	stock = open_fd(STOCK_NODE);
	snprintf(stock_line, sizeof(stock_line),
		 "a\"b\\?[? (%d): 1 opened through the kernel's node, 0 through ours\n",
		 (int)getpid());
	check_eq(run_switch("status"), SWITCH_OFF);
	check_said(stock_line);
	ours = open_fd(IOAS_NODE);
	snprintf(ours_line, sizeof(ours_line),
		 "{\"pid\": %d, \"uid\": 0, \"comm\": \"a\\\"b\\\\\\u001b[\\ufffd\", \"stock\": 1, \"ours\": 1, \"iommu\": 0, \"devices\": false}",
		 (int)getpid());
	check_eq(run_switch("status --json"), SWITCH_OFF);
	check_said(ours_line);
	close(ours);
	close(stock);
	check_eq(run_switch("status --json"), SWITCH_OFF);
	check_said("\"holders\": [], \"all_holders\": true");
}

static void ask_as_nobody(void *unused)
{
	(void)unused;
	require_eq(or_errno(setresuid(65534, 65534, 65534)), 0);
	check_eq(run_switch("status"), SWITCH_ON);
	check_said("those of other users are not shown: needs root");
}

static void status_needs_no_root(void)
{
	require_eq(run_switch("on"), 0);
	join(spawn(ask_as_nobody, NULL));
}

static void status_tells_who_keeps_the_module_from_being_unloaded(void)
{
	char line[160];
	int fd = open("/dev/iommu-ioas", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	require_true(fd >= 0);
	snprintf(line, sizeof(line),
		 "(%d): 0 opened through the kernel's node, 0 through ours, 1 of /dev/iommu\n",
		 (int)getpid());
	check_eq(run_switch("status"), SWITCH_OFF);
	check_said(line);
	close(fd);
	check_eq(run_switch("status"), SWITCH_OFF);
	check_said("none are open");
}

static void status_tells_who_uses_devices(void)
{
	char line[160];
	struct rig rig;

	open_in_use(&rig);
	snprintf(line, sizeof(line),
		 "(%d): 1 opened through the kernel's node, 0 through ours; with devices\n",
		 (int)getpid());
	check_eq(run_switch("status"), SWITCH_OFF);
	check_said(line);
	rig_close(&rig);
}

static void dry_run_changes_nothing(void)
{
	int i;

	untouched_note(&before);
	for (i = 0; i < NMODES; i++) {
		context("%s", modes[i]);
		check_eq(run_switch("on --persist --dry-run --mode %s", modes[i]), 0);
		check_said("would switch on, mode: ");
		check_said("would write /etc/vfio-ioas/switch");
		check_untouched(&before);
		check_eq(or_errno(access(BOOT_FILE, F_OK)), -ENOENT);
	}
	require_eq(run_switch("on --persist"), 0);
	check_eq(run_switch("off --dry-run --persist"), 0);
	check_said("would switch off; now on, mode: symlink\n");
	check_said("would remove /etc/vfio-ioas/switch");
	check_eq(run_switch("on --mode node --dry-run"), 0);
	check_said("would leave the mode that is on: symlink\n");
	check_eq(run_switch("status"), SWITCH_ON);
	check_eq(run_switch("off --persist"), 0);
	require_eq(module_unload(IOAS_MODULE), 0);
	check_eq(run_switch("on --dry-run"), 0);
	check_said("would load the module vfio_ioas\n");
	check_true(!module_loaded(IOAS_MODULE));
}

static void versions_of_all_parts_are_shown(void)
{
	char version[64], line[128];

	require_eq(read_text("/sys/module/vfio_ioas/version", version, sizeof(version)), 0);
	check_eq(run_tool("--version"), 0);
	snprintf(line, sizeof(line), "vfio-ioas %s\n", version);
	check_said(line);
	snprintf(line, sizeof(line), "module vfio_ioas, loaded: %s\n", version);
	check_said(line);
	snprintf(line, sizeof(line), "module vfio_ioas, installed: %s\n", version);
	check_said(line);
	check_eq(run_switch("status"), SWITCH_OFF);
	snprintf(line, sizeof(line), "version:         %s\n", version);
	check_said(line);
	require_eq(module_unload(IOAS_MODULE), 0);
	check_eq(run_tool("--version"), 0);
	check_said("module vfio_ioas, loaded: none\n");
}

static void off_names_whoever_keeps_a_container_of_ours(void)
{
	char line[96];
	int fd;

	require_eq(run_switch("on"), 0);
	fd = open_fd(STOCK_NODE);
	snprintf(line, sizeof(line), "(%d) keeps its container of ours", (int)getpid());
	check_eq(run_switch("off"), 0);
	check_said(line);
	close(fd);
}

/* The state after a boot: /run and /dev are empty. */
static void reboot(void)
{
	require_eq(run_switch("off"), 0);
	require_eq(module_unload(IOAS_MODULE), 0);
	require_eq(system("rm -rf /run/vfio-ioas"), 0);
}

static void each_way_can_be_restored_at_boot(void)
{
	int i;

	untouched_note(&before);
	for (i = 0; i < NMODES; i++) {
		context("%s", modes[i]);
		check_eq(run_switch("on --persist --mode %s", modes[i]), 0);
		reboot();
		check_eq(run_switch("status"), SWITCH_OFF);
		check_said("at boot:         on, mode: ");
		check_eq(run_switch("restore"), 0);
		check_eq(run_switch("status"), SWITCH_ON);
		check_said(modes[i]);
		check_served(STOCK_NODE, OURS);
		check_eq(run_switch("off --persist"), 0);
		check_eq(or_errno(access(BOOT_FILE, F_OK)), -ENOENT);
		check_untouched(&before);
	}
}

static void off_alone_says_that_a_boot_switches_on(void)
{
	require_eq(run_switch("on --persist"), 0);
	check_eq(run_switch("off"), 0);
	check_said("on again after a boot");
	check_eq(or_errno(access(BOOT_FILE, F_OK)), 0);
	check_eq(run_switch("off --persist"), 0);
	check_eq(run_switch("restore"), 0);
	check_said("nothing to restore");
	check_eq(run_switch("status"), SWITCH_OFF);
}

static void persist_can_be_asked_for_later(void)
{
	require_eq(run_switch("on"), 0);
	check_eq(or_errno(access(BOOT_FILE, F_OK)), -ENOENT);
	check_eq(run_switch("on --persist"), 0);
	check_eq(or_errno(access(BOOT_FILE, F_OK)), 0);
}

static void an_unreadable_wish_for_the_boot_is_refused(void)
{
	require_eq(run_switch("on --persist"), 0);
	require_eq(run_switch("off"), 0);
	require_eq(system("echo way=sideways >" BOOT_FILE), 0);
	check_eq(run_switch("restore"), 1);
	check_said("names no known mode");
	check_eq(run_switch("status"), SWITCH_OFF);
}

static const struct test tests[] = {
	TEST(status_is_off_at_first, ONLY_IOAS | NEEDS_ONE),
	TEST(each_way_leads_to_our_container, ONLY_IOAS | NEEDS_ONE),
	TEST(the_way_is_a_link_unless_another_is_named, ONLY_IOAS),
	TEST(a_node_of_ours_has_our_number, ONLY_IOAS),
	TEST(off_puts_back_exactly_what_was_there, ONLY_IOAS),
	TEST(our_node_is_for_those_who_may_use_the_kernel_s, ONLY_IOAS),
	TEST(who_may_use_it_is_kept_when_the_module_is_loaded_anew, ONLY_IOAS),
	TEST(what_somebody_else_gave_our_node_stays, ONLY_IOAS),
	TEST(a_node_of_ours_is_closed_to_all_when_the_module_goes, ONLY_IOAS),
	TEST(refresh_takes_a_node_of_a_module_that_has_gone_away, ONLY_IOAS | NEEDS_ONE),
	TEST(refresh_sets_serve_again, ONLY_IOAS),
	TEST(a_node_made_by_hand_is_noticed_and_replaced, ONLY_IOAS),
	TEST(off_puts_back_the_former_value_of_serve, ONLY_IOAS),
	TEST(on_that_repairs_keeps_the_original_state_for_off, ONLY_IOAS),
	TEST(a_node_of_ours_is_for_those_who_may_use_the_kernel_s, ONLY_IOAS),
	TEST(on_and_off_twice_are_harmless, ONLY_IOAS),
	TEST(the_way_can_be_changed, ONLY_IOAS),
	TEST(on_loads_the_module, ONLY_IOAS | NEEDS_ONE),
	TEST(off_works_without_the_module, ONLY_IOAS),
	TEST(vfio_itself_can_be_loaded_anew_meanwhile, ONLY_IOAS | NEEDS_ONE),
	TEST(a_node_of_a_former_load_is_mended_by_on_and_removed_by_off, ONLY_IOAS),
	TEST(manual_link_is_reported_as_on, ONLY_IOAS),
	TEST(a_link_made_over_the_node_gives_way_to_a_fresh_node,
	     ONLY_IOAS | NEEDS_ONE),
	TEST(status_sees_what_somebody_else_changed, ONLY_IOAS),
	TEST(status_tells_who_has_containers_open, ONLY_IOAS),
	TEST(status_needs_no_root, ONLY_IOAS),
	TEST(status_tells_who_keeps_the_module_from_being_unloaded, ONLY_IOAS),
	TEST(status_tells_who_uses_devices, ONLY_IOAS | NEEDS_ONE),
	TEST(dry_run_changes_nothing, ONLY_IOAS),
	TEST(versions_of_all_parts_are_shown, ONLY_IOAS),
	TEST(off_names_whoever_keeps_a_container_of_ours, ONLY_IOAS),
	TEST(each_way_can_be_restored_at_boot, ONLY_IOAS | NEEDS_ONE),
	TEST(off_alone_says_that_a_boot_switches_on, ONLY_IOAS),
	TEST(persist_can_be_asked_for_later, ONLY_IOAS),
	TEST(an_unreadable_wish_for_the_boot_is_refused, ONLY_IOAS),
};

int main(int argc, char **argv)
{
	after_each_test = switch_clean_up;
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * tool_switch_refusals.c - when "vfio-ioas switch" refuses, its messages, and that a refusal
 * changes nothing
 */
#define _GNU_SOURCE
#include "lib.h"
#include "lib_switch.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/utsname.h>

#define OURS	1
#define STOCKS	0
#define MISC	"/sys/class/misc"

static struct untouched before;

/* Programs that the test runs must not inherit the descriptor. */
static int keep_to_us(int fd)
{
	require_eq(or_errno(fcntl(fd, F_SETFD, FD_CLOEXEC)), 0);
	return fd;
}

static void check_refused(const char *arguments, const char *words)
{
	check_eq(run_switch("%s", arguments), 1);
	check_said(words);
	check_untouched(&before);
}

static void be_nobody(void *unused)
{
	(void)unused;
	require_eq(or_errno(setresuid(65534, 65534, 65534)), 0);
	check_eq(run_switch("on"), 1);
	check_said("the switch needs root");
	check_eq(run_switch("off"), 1);
	check_said("the switch needs root");
}

static void whoever_is_not_root_is_refused(void)
{
	untouched_note(&before);
	join(spawn(be_nobody, NULL));
	check_untouched(&before);
}

static void without_the_module_modprobe_s_reason_is_given(void)
{
	char there[128], away[160];
	struct utsname name;

	uname(&name);
	snprintf(there, sizeof(there), "/lib/modules/%s/vfio_ioas.ko", name.release);
	snprintf(away, sizeof(away), "%s.away", there);
	require_eq(module_unload(IOAS_MODULE), 0);
	untouched_note(&before);
	require_eq(or_errno(rename(there, away)), 0);
	check_refused("on", "the module vfio_ioas cannot be loaded: modprobe: ");
	check_said("vfio_ioas.ko");
	check_refused("on --mode serve", "the module vfio_ioas cannot be loaded");
	require_eq(or_errno(rename(away, there)), 0);
}

static void make_modprobe(const char *dir)
{
	char command[128], path[64];

	snprintf(command, sizeof(command),
		 "mkdir -p %s && cd %s && >modprobe && chmod +x modprobe", dir, dir);
	require_eq(system(command), 0);
	snprintf(path, sizeof(path), "%s/modprobe", dir);
	require_eq(write_text(path, "#!/bin/sh\necho no such luck >&2; exit 3"), 0);
}

static void a_module_that_does_not_load_is_refused(void)
{
	require_eq(module_unload(IOAS_MODULE), 0);
	untouched_note(&before);
	/* The first place of the search. The VM's own modprobe is elsewhere. */
	make_modprobe("/usr/sbin");
	check_refused("on", "the module vfio_ioas cannot be loaded: no such luck\n");
	require_eq(or_errno(unlink("/usr/sbin/modprobe")), 0);
}

static void a_modprobe_of_another_directory_is_not_run(void)
{
	require_eq(module_unload(IOAS_MODULE), 0);
	make_modprobe("/tmp/bin");
	setenv("PATH", "/tmp/bin:/run/vm/bin:/bin:/sbin", 1);
	setenv("MODPROBE_OPTIONS", "--no-such-option", 1);
	check_eq(run_switch("on"), 0);
	check_true(module_loaded(IOAS_MODULE));
	check_eq(run_switch("off"), 0);
	unsetenv("MODPROBE_OPTIONS");
}

static void a_container_in_use_is_refused(void)
{
	char words[64];
	struct rig rig;
	int i;

	open_in_use(&rig);
	untouched_note(&before);
	snprintf(words, sizeof(words), "(%d) for one; --force goes on", (int)getpid());
	for (i = 0; i < NMODES; i++) {
		char arguments[32];

		context("%s", modes[i]);
		snprintf(arguments, sizeof(arguments), "on --mode %s", modes[i]);
		check_refused(arguments, words);
		check_said("1 process uses devices through /dev/vfio/vfio");
	}
	rig_close(&rig);
	check_eq(run_switch("on"), 0);
}

static void what_is_refused_does_not_load_the_module(void)
{
	struct rig rig;

	require_eq(module_unload(IOAS_MODULE), 0);
	open_in_use(&rig);
	untouched_note(&before);
	check_refused("on", "1 process uses devices through /dev/vfio/vfio");
	check_true(!module_loaded(IOAS_MODULE));
	rig_close(&rig);
}

static void force_switches_and_the_container_stays_the_kernel_s(void)
{
	struct rig rig;

	open_in_use(&rig);
	check_eq(run_switch("on --force"), 0);
	check_said("warning: 1 process keeps containers of the kernel's");
	check_eq(served_by_ioas(rig.container), STOCKS);
	rig_close(&rig);
	check_served(STOCK_NODE, OURS);
}

static void a_container_of_ours_is_no_reason_to_refuse(void)
{
	int fd = keep_to_us(open_fd(IOAS_NODE));

	check_eq(run_switch("on"), 0);
	check_eq(run_switch("on --mode node"), 0);
	check_eq(run_switch("off"), 0);
	close(fd);
}

static void restore_does_not_refuse_for_a_container_in_use(void)
{
	struct rig rig;

	require_eq(run_switch("on --persist"), 0);
	require_eq(run_switch("off"), 0);
	open_in_use(&rig);
	check_eq(run_switch("restore"), 0);
	check_said("warning: 1 process keeps containers of the kernel's");
	check_eq(run_switch("status"), SWITCH_ON);
	rig_close(&rig);
}

/* Makes sysfs look as in a kernel with an iommufd. */
static void have_an_iommufd(void)
{
	require_eq(or_errno(unshare(CLONE_NEWNS)), 0);
	require_eq(or_errno(mount("tmpfs", MISC, "tmpfs", 0, NULL)), 0);
	require_eq(or_errno(mkdir(MISC "/iommu", 0755)), 0);
	require_eq(or_errno(mkdir(MISC "/iommu-ioas", 0755)), 0);
}

static void a_kernel_with_an_iommufd_is_refused(void)
{
	untouched_note(&before);
	have_an_iommufd();
	check_refused("on", "/dev/iommu is the kernel's own iommufd, not ours");
	check_eq(run_switch("on --force"), 0);
	check_said("warning: /dev/iommu is the kernel's own iommufd");
	check_eq(run_switch("off"), 0);
	check_untouched(&before);
}

static void our_own_dev_iommu_is_no_reason_to_refuse(void)
{
	untouched_note(&before);
	have_an_iommufd();
	require_eq(or_errno(rmdir(MISC "/iommu-ioas")), 0);
	check_eq(run_switch("on"), 0);
	check_eq(run_switch("off"), 0);
	check_untouched(&before);
}

static void put_unknown(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	require_true(fd >= 0);
	close(fd);
}

static void something_unknown_in_place_is_refused(void)
{
	struct stat st;
	int i;

	require_eq(or_errno(rename(STOCK_NODE, "/dev/kept")), 0);
	put_unknown(STOCK_NODE);
	for (i = 0; i < NMODES; i++) {
		check_eq(run_switch("on --mode %s", modes[i]), 1);
		check_said("something unknown is at /dev/vfio/vfio");
	}
	check_eq(run_switch("off"), 0);
	require_eq(or_errno(lstat(STOCK_NODE, &st)), 0);
	check_true(S_ISREG(st.st_mode));
	unlink(STOCK_NODE);
	require_eq(or_errno(symlink("elsewhere", STOCK_NODE)), 0);
	check_eq(run_switch("on"), 1);
	check_said("something unknown is at /dev/vfio/vfio");
	unlink(STOCK_NODE);
	check_eq(run_switch("on"), 1);
	check_said("there is no /dev/vfio/vfio");
	require_eq(or_errno(rename("/dev/kept", STOCK_NODE)), 0);
}

static void unknown_file_at_vfio_stock_is_refused(void)
{
	untouched_note(&before);
	put_unknown(ASIDE_NODE);
	check_eq(run_switch("on"), 1);
	check_said("something unknown is at /dev/vfio/vfio.stock");
	check_eq(run_switch("off"), 0);
	require_eq(or_errno(unlink(ASIDE_NODE)), 0);
	check_untouched(&before);
}

static void off_does_not_touch_what_it_does_not_know(void)
{
	untouched_note(&before);
	require_eq(run_switch("on"), 0);
	require_eq(or_errno(unlink(STOCK_NODE)), 0);
	put_unknown(STOCK_NODE);
	check_eq(run_switch("off"), 1);
	check_said("the kernel's own node stays at /dev/vfio/vfio.stock");
	require_eq(or_errno(unlink(STOCK_NODE)), 0);
	check_eq(run_switch("off"), 0);
	check_untouched(&before);
}

static void a_mount_in_place_is_refused(void)
{
	untouched_note(&before);
	put_unknown("/tmp/mounted");
	require_eq(or_errno(mount("/tmp/mounted", STOCK_NODE, NULL, MS_BIND, NULL)), 0);
	check_eq(run_switch("on"), 1);
	check_said("a mount point is at /dev/vfio/vfio");
	require_eq(or_errno(umount(STOCK_NODE)), 0);
	unlink("/tmp/mounted");
	check_untouched(&before);
}

#define RULES		"/etc/apparmor.d/abstractions/libvirt-qemu"
#define LOCAL_RULES	"/etc/apparmor.d/local/abstractions/libvirt-qemu"
#define HELPER		"/usr/lib/libvirt/virt-aa-helper"

/* The parts of Debian's libvirt that matter. */
static void have_libvirt(void)
{
	char enabled[8];

	if (read_text("/sys/module/apparmor/parameters/enabled", enabled, sizeof(enabled)) ||
	    enabled[0] != 'Y')
		skip("this kernel has no AppArmor");
	require_eq(system("mkdir -p /etc/apparmor.d/abstractions"), 0);
	require_eq(system("mkdir -p /etc/apparmor.d/local/abstractions"), 0);
	require_eq(system("mkdir -p /usr/lib/libvirt /etc/libvirt && >" HELPER), 0);
	require_eq(system("echo '  /dev/vfio/vfio rw,' >" RULES), 0);
}

static void remove_libvirt(void)
{
	require_eq(system("rm -rf /etc/apparmor.d /usr/lib/libvirt /etc/libvirt"), 0);
}

static void without_apparmor_s_rule_a_link_is_refused(void)
{
	have_libvirt();
	untouched_note(&before);
	check_refused("on", "echo '/dev/vfio/ioas rw,' >> " LOCAL_RULES "\n");
	check_eq(run_switch("on --dry-run"), 1);
	/* Only the path behind a link is refused. */
	check_eq(run_switch("on --mode node"), 0);
	check_eq(run_switch("on --mode serve"), 0);
	check_eq(run_switch("off"), 0);
	check_eq(run_switch("on --force"), 0);
	check_said("warning: AppArmor keeps libvirt's domains from /dev/vfio/ioas");
	check_eq(run_switch("off"), 0);
	require_eq(system("echo '# /dev/vfio/ioas rw,' >> " LOCAL_RULES), 0);
	check_eq(run_switch("on"), 1);
	remove_libvirt();
}

static void on_succeeds_once_the_named_apparmor_rule_exists(void)
{
	have_libvirt();
	untouched_note(&before);
	require_eq(system("echo '/dev/vfio/ioas rw,' >> " LOCAL_RULES), 0);
	check_eq(run_switch("on"), 0);
	check_eq(run_switch("off"), 0);
	require_eq(system("rm " LOCAL_RULES " && echo '  /dev/vfio/* rw,' >> " RULES), 0);
	check_eq(run_switch("on"), 0);
	check_eq(run_switch("off"), 0);
	remove_libvirt();
}

static void where_libvirt_does_not_use_apparmor_no_rule_is_needed(void)
{
	have_libvirt();
	require_eq(system("echo '#security_driver = \"apparmor\"' >/etc/libvirt/qemu.conf"), 0);
	require_eq(system("echo 'security_driver = \"none\"' >>/etc/libvirt/qemu.conf"), 0);
	check_eq(run_switch("on"), 0);
	check_eq(run_switch("off"), 0);
	require_eq(system("rm /etc/libvirt/qemu.conf " HELPER), 0);
	check_eq(run_switch("on"), 0);
	remove_libvirt();
}

static void serve_none_is_refused(void)
{
	param_set(IOAS_MODULE, "serve", "none");
	untouched_note(&before);
	check_refused("on", "with serve=none no container would be ours");
	check_refused("on --mode node", "with serve=none no container would be ours");
	check_eq(run_switch("on --mode serve"), 0);
	check_served(STOCK_NODE, OURS);
	check_eq(run_switch("off"), 0);
	check_untouched(&before);
}

static void other_parameters_than_stock_s_are_warned_of(void)
{
	param_set(TYPE1_MODULE, "dma_entry_limit", "1234");
	check_eq(run_switch("on"), 0);
	check_said("warning: dma_entry_limit is 1234 for vfio_iommu_type1, but ");
}

static void a_wrong_command_line_says_so(void)
{
	untouched_note(&before);
	check_eq(run_switch("on --mode sideways"), 2);
	check_said("unknown mode \"sideways\"");
	check_eq(run_switch("toggle"), 2);
	check_said("unknown action \"toggle\"");
	check_eq(run_switch("%s", ""), 2);
	check_eq(run_switch("on off"), 2);
	check_eq(run_switch("off --force"), 2);
	check_said("\"off\" does not take all of these options");
	check_eq(run_switch("--help"), 0);
	check_said("Exit status:");
	check_untouched(&before);
}

static const struct test tests[] = {
	TEST(whoever_is_not_root_is_refused, ONLY_IOAS),
	TEST(without_the_module_modprobe_s_reason_is_given, ONLY_IOAS),
	TEST(a_module_that_does_not_load_is_refused, ONLY_IOAS),
	TEST(a_modprobe_of_another_directory_is_not_run, ONLY_IOAS),
	TEST(a_container_in_use_is_refused, ONLY_IOAS | NEEDS_ONE),
	TEST(what_is_refused_does_not_load_the_module, ONLY_IOAS | NEEDS_ONE),
	TEST(force_switches_and_the_container_stays_the_kernel_s,
	     ONLY_IOAS | NEEDS_ONE),
	TEST(a_container_of_ours_is_no_reason_to_refuse, ONLY_IOAS),
	TEST(restore_does_not_refuse_for_a_container_in_use, ONLY_IOAS | NEEDS_ONE),
	TEST(a_kernel_with_an_iommufd_is_refused, ONLY_IOAS),
	TEST(our_own_dev_iommu_is_no_reason_to_refuse, ONLY_IOAS),
	TEST(something_unknown_in_place_is_refused, ONLY_IOAS),
	TEST(unknown_file_at_vfio_stock_is_refused, ONLY_IOAS),
	TEST(off_does_not_touch_what_it_does_not_know, ONLY_IOAS),
	TEST(a_mount_in_place_is_refused, ONLY_IOAS),
	TEST(without_apparmor_s_rule_a_link_is_refused, ONLY_IOAS),
	TEST(on_succeeds_once_the_named_apparmor_rule_exists, ONLY_IOAS),
	TEST(where_libvirt_does_not_use_apparmor_no_rule_is_needed, ONLY_IOAS),
	TEST(serve_none_is_refused, ONLY_IOAS | NEEDS_ONE),
	TEST(other_parameters_than_stock_s_are_warned_of, ONLY_IOAS),
	TEST(a_wrong_command_line_says_so, ONLY_IOAS),
};

int main(int argc, char **argv)
{
	after_each_test = switch_clean_up;
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * main: misbehaves as a module must not, in the way that is written to parameter "action". So
 * tests/vm/selftest can see whether the test system notices.
 */
#include <linux/cred.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/reboot.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/user.h>
#include <linux/vfio.h>

/* Longer than the limit from which the VM's kernel reports a lock-up. */
#define LOCKUP_SECONDS	30U
/* Longer than its limit for a hung task, which it is told to check each second. */
#define HUNG_SECONDS	8U

static bool panic_in_exit;
static bool warn_in_exit;

static int leak_pin(void)
{
	struct page *page;
	int npages;

	npages = pin_user_pages_fast(current->mm->start_stack & PAGE_MASK, 1, 0, &page);
	return npages == 1 ? 0 : -EFAULT;
}

static int leak_own_reference(void)
{
	return try_module_get(THIS_MODULE) ? 0 : -ENODEV;
}

static int leak_reference(void)
{
	return symbol_get(vfio_register_group_dev) ? 0 : -ENODEV;
}

static int leak_charge(void)
{
	atomic_long_inc(&current_user()->locked_vm);
	return 0;
}

static int warn(void)
{
	WARN_ON(1);
	return 0;
}

static int complain(void)
{
	pr_err("vfio_ioas harness: something is wrong\n");
	return 0;
}

static int complain_as_dmar(void)
{
	pr_err("DMAR: [DMA Write NO_PASID] Request device [00:02.0] fault addr 0x1000\n");
	return 0;
}

static int lock_up(void)
{
	unsigned long end = jiffies + LOCKUP_SECONDS * HZ;

	/* Not mdelay(): if the host was busy at boot, it takes only half as long. */
	preempt_disable();
	while (time_before(jiffies, end))
		cpu_relax();
	preempt_enable();
	return 0;
}

static int hang(void)
{
	schedule_timeout_uninterruptible(HUNG_SECONDS * HZ);
	return 0;
}

static int do_panic(void)
{
	panic("as told");
}

static int misbehave_at_poweroff(struct notifier_block *block, unsigned long event, void *data);

static const char *at_poweroff = "";
static struct notifier_block poweroff_block = { .notifier_call = misbehave_at_poweroff };

static int misbehave_at_poweroff(struct notifier_block *block, unsigned long event, void *data)
{
	if (!strcmp(at_poweroff, "panic"))
		panic("at power-off, as told");
	WARN_ON(!strcmp(at_poweroff, "warn"));
	while (!strcmp(at_poweroff, "hang"))
		msleep(MSEC_PER_SEC);
	return NOTIFY_DONE;
}

/* Cannot be undone: a test that asks for it must not unload the module. */
static int plan_poweroff(const char *what)
{
	at_poweroff = what;
	return register_reboot_notifier(&poweroff_block);
}

static int poweroff_panic(void)
{
	return plan_poweroff("panic");
}

static int poweroff_warn(void)
{
	return plan_poweroff("warn");
}

static int poweroff_hang(void)
{
	return plan_poweroff("hang");
}

static int exit_panic(void)
{
	panic_in_exit = true;
	return 0;
}

static int exit_warn(void)
{
	warn_in_exit = true;
	return 0;
}

static const struct {
	const char *name;
	int (*act)(void);
} actions[] = {
	{ "leak-pin", leak_pin },
	{ "leak-own-reference", leak_own_reference },
	{ "leak-reference", leak_reference },
	{ "leak-charge", leak_charge },
	{ "warn", warn },
	{ "complain", complain },
	{ "dma-fault", complain_as_dmar },
	{ "lock-up", lock_up },
	{ "hang", hang },
	{ "panic", do_panic },
	{ "panic-in-exit", exit_panic },
	{ "warn-in-exit", exit_warn },
	{ "panic-at-poweroff", poweroff_panic },
	{ "warn-at-poweroff", poweroff_warn },
	{ "hang-at-poweroff", poweroff_hang },
};

static int set_action(const char *text, const struct kernel_param *param)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(actions); i++)
		if (sysfs_streq(text, actions[i].name))
			return actions[i].act();
	return -EINVAL;
}

static const struct kernel_param_ops action_ops = { .set = set_action };

module_param_cb(action, &action_ops, NULL, 0200);
MODULE_PARM_DESC(action, "How to misbehave");

static bool fail_init;
module_param(fail_init, bool, 0);
MODULE_PARM_DESC(fail_init, "Cannot be loaded");

static int __init harness_init(void)
{
	return fail_init ? -EIO : 0;
}

static void __exit harness_exit(void)
{
	if (panic_in_exit)
		panic("when unloaded, as told");
	WARN_ON(warn_in_exit);
}

module_init(harness_init);
module_exit(harness_exit);

MODULE_DESCRIPTION("Misbehaves, so that the test system has to notice");
MODULE_LICENSE("GPL");

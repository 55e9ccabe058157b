// SPDX-License-Identifier: GPL-2.0-only
/*
 * container_serve.c - which containers are ours: the node, symbolic links to it, the parameter
 * serve, and stock type1 at work beside us
 */
#define _GNU_SOURCE
#include "lib.h"

#include <sched.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define NPAGES		16U
#define NBYTES		(NPAGES * PAGE)
#define IOVA		0x100000ULL
#define MOVED_NODE	"/dev/vfio/vfio.stock"

#define OURS		1
#define STOCKS		0

static uint8_t *memory;

static void check_dma(struct rig *rig, unsigned int index)
{
	struct edu edu;

	require_eq(dma_map(rig->container, IOVA, memory, NBYTES, RW), 0);
	edu_open(&edu, rig->group[0], index);
	check_copy(&edu, memory, IOVA, memory + PAGE, IOVA + PAGE);
	edu_close(&edu);
	check_eq(vm_lck_kib(0), NPAGES * PAGE_KIB);
}

static void check_unmap(struct rig *rig)
{
	check_eq(dma_unmap(rig->container, IOVA, NBYTES), NBYTES);
	check_eq(vm_lck_kib(0), 0);
}

static void node_is_a_character_device_for_everybody(void)
{
	struct stat ours;
	struct stat stocks;

	require_eq(or_errno(stat(IOAS_NODE, &ours)), 0);
	require_eq(or_errno(stat(STOCK_NODE, &stocks)), 0);
	check_true(S_ISCHR(ours.st_mode));
	check_eq(ours.st_mode & 0777, 0666);
	check_true(ours.st_rdev != stocks.st_rdev);
	/* Not a misc device: a misc device whose open() opens another one deadlocks. */
	check_true(major(ours.st_rdev) != 10);
}

static void become_nobody(void *unused)
{
	int container;

	(void)unused;
	require_eq(or_errno(setresuid(65534, 65534, 65534)), 0);
	container = container_open();
	check_eq(vfio_call(container, VFIO_GET_API_VERSION, 0), 0);
	check_eq(vfio_call(container, VFIO_CHECK_EXTENSION, VFIO_TYPE1_IOMMU),
		 1);
	close(container);
}

static void node_opens_for_an_ordinary_user(void)
{
	join(spawn(become_nobody, NULL));
}

static void node_opens_many_times(void)
{
	int containers[64];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(containers); i++)
		containers[i] = container_open();
	for (i = 0; i < ARRAY_SIZE(containers); i++)
		close(containers[i]);
	check_served(IOAS_NODE, OURS);
}

static void open_flags_are_honoured(void)
{
	int fd = open(IOAS_NODE, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	require_true(fd >= 0);
	check_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	check_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	close(fd);
	fd = open(IOAS_NODE, O_PATH);
	require_true(fd >= 0);
	check_eq(vfio_call(fd, VFIO_GET_API_VERSION, 0), -EBADF);
	close(fd);
}

static void container_from_our_node_is_ours(void)
{
	check_served(IOAS_NODE, OURS);
}

static void container_from_the_stock_node_is_stock_s(void)
{
	check_served(STOCK_NODE, STOCKS);
}

static void symbolic_link_leads_to_us(void)
{
	require_eq(or_errno(symlink(IOAS_NODE, "/tmp/link-to-ioas")), 0);
	check_served("/tmp/link-to-ioas", OURS);
	require_eq(or_errno(symlink("link-to-ioas", "/tmp/second-link")), 0);
	check_served("/tmp/second-link", OURS);
	unlink("/tmp/second-link");
	unlink("/tmp/link-to-ioas");
}

static void node_made_by_hand_leads_to_us(void)
{
	struct stat ours;

	require_eq(or_errno(stat(IOAS_NODE, &ours)), 0);
	unlink("/dev/by-hand");
	require_eq(or_errno(mknod("/dev/by-hand", S_IFCHR | 0600,
				  ours.st_rdev)), 0);
	check_served("/dev/by-hand", OURS);
	unlink("/dev/by-hand");
}

static void use_swapped_nodes(void *unused)
{
	struct rig rig;

	(void)unused;
	require_eq(rig_open_path(&rig, STOCK_NODE, 0), 0);
	check_eq(served_by_ioas(rig.container), OURS);
	check_dma(&rig, 0);
	check_unmap(&rig);
	rig_close(&rig);
	check_served(MOVED_NODE, STOCKS);
}

/* The setup for programs that have the path compiled in. */
static void stock_node_replaced_by_a_link_leads_to_us(void)
{
	pid_t child;

	memory = mem_alloc(NBYTES);
	require_eq(or_errno(rename(STOCK_NODE, MOVED_NODE)), 0);
	if (symlink("ioas", STOCK_NODE) == 0) {
		child = spawn(use_swapped_nodes, NULL);
		waitpid(child, NULL, 0);
		unlink(STOCK_NODE);
	}
	require_eq(or_errno(rename(MOVED_NODE, STOCK_NODE)), 0);
	check_served(STOCK_NODE, STOCKS);
	mem_free(memory, NBYTES);
}

static void serve_all_takes_every_container(void)
{
	param_set(IOAS_MODULE, "serve", "all");
	check_served(STOCK_NODE, OURS);
	check_served(IOAS_NODE, OURS);
	param_set(IOAS_MODULE, "serve", "node");
	check_served(STOCK_NODE, STOCKS);
	check_served(IOAS_NODE, OURS);
}

static void serve_none_takes_no_container(void)
{
	param_set(IOAS_MODULE, "serve", "none");
	check_served(IOAS_NODE, STOCKS);
	check_served(STOCK_NODE, STOCKS);
	param_set(IOAS_MODULE, "serve", "node");
	check_served(IOAS_NODE, OURS);
}

static void serve_reads_as_it_was_written(void)
{
	static const char *const values[] = { "all", "none", "node" };
	char text[32];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		param_set(IOAS_MODULE, "serve", values[i]);
		check_eq(param_get(IOAS_MODULE, "serve", text, sizeof(text)),
			 0);
		check_eq(strcmp(text, values[i]), 0);
		/* The value is one line, as with any parameter. */
		read_whole("/sys/module/" IOAS_MODULE "/parameters/serve", text, sizeof(text));
		check_eq(strcspn(text, "\n"), strlen(values[i]));
		check_eq(strlen(text), strlen(values[i]) + 1);
	}
}

static void serve_takes_no_other_word(void)
{
	static const char *const words[] = { "some", "nodes", "al", "0" };
	char text[32];
	size_t i;

	param_set(IOAS_MODULE, "serve", "all");
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		context("\"%s\"", words[i]);
		check_eq(param_try_set(IOAS_MODULE, "serve", words[i]),
			 -EINVAL);
		check_eq(param_get(IOAS_MODULE, "serve", text, sizeof(text)),
			 0);
		check_eq(strcmp(text, "all"), 0);
	}
	context("%s", "");
	/* echo writes the newline, too. */
	check_eq(param_try_set(IOAS_MODULE, "serve", "none\n"), 0);
	check_served(IOAS_NODE, STOCKS);
}

static void container_keeps_its_backend_when_serve_changes(void)
{
	struct rig rig;
	int other;

	memory = mem_alloc(NBYTES);
	require_eq(rig_open_path(&rig, IOAS_NODE, 0), 0);
	param_set(IOAS_MODULE, "serve", "none");
	check_eq(served_by_ioas(rig.container), OURS);
	check_dma(&rig, 0);
	/* A second group joins, and the first one leaves. */
	other = group_open_wait(1);
	check_eq(group_set_container(other, rig.container), 0);
	check_eq(group_unset_container(rig.group[0]), 0);
	check_eq(served_by_ioas(rig.container), OURS);
	check_unmap(&rig);
	/* The container consults the parameter again only when it starts anew. */
	check_eq(group_unset_container(other), 0);
	check_eq(group_set_container(other, rig.container), 0);
	check_eq(set_iommu(rig.container, VFIO_TYPE1v2_IOMMU), 0);
	check_eq(served_by_ioas(rig.container), STOCKS);
	check_eq(group_unset_container(other), 0);
	close(other);
	close(rig.group[0]);
	close(rig.container);
	mem_free(memory, NBYTES);
}

static void stock_container_stays_stock_s_when_serve_changes(void)
{
	struct rig rig;

	memory = mem_alloc(NBYTES);
	require_eq(rig_open_path(&rig, STOCK_NODE, 0), 0);
	check_eq(served_by_ioas(rig.container), STOCKS);
	param_set(IOAS_MODULE, "serve", "all");
	check_dma(&rig, 0);
	check_eq(served_by_ioas(rig.container), STOCKS);
	check_unmap(&rig);
	rig_close(&rig);
	mem_free(memory, NBYTES);
}

static struct gate to_stock;
static struct gate to_ours;

static void run_on_stock(void *unused)
{
	struct rig rig;

	(void)unused;
	require_eq(rig_open_path(&rig, STOCK_NODE, 1), 0);
	check_eq(served_by_ioas(rig.container), STOCKS);
	fill(memory, NBYTES, 1);
	check_dma(&rig, 1);
	gate_open(&to_ours);
	gate_wait(&to_stock);
	check_eq(served_by_ioas(rig.container), STOCKS);
	check_eq(module_refcnt(TYPE1_MODULE), 1);
	check_unmap(&rig);
	check_dma(&rig, 1);
	check_unmap(&rig);
	rig_close(&rig);
	gate_open(&to_ours);
}

static void stock_and_ours_run_side_by_side_in_two_processes(void)
{
	struct rig rig;
	pid_t child;

	memory = mem_alloc(NBYTES);
	gate_make(&to_stock);
	gate_make(&to_ours);
	/* Forked before our node is opened, so that the child does not inherit it. */
	child = spawn(run_on_stock, NULL);
	require_eq(rig_open_path(&rig, IOAS_NODE, 0), 0);
	gate_wait(&to_ours);
	check_eq(served_by_ioas(rig.container), OURS);
	check_dma(&rig, 0);
	gate_open(&to_stock);
	gate_wait(&to_ours);
	join(child);
	check_unmap(&rig);
	check_dma(&rig, 0);
	check_unmap(&rig);
	rig_close(&rig);
	mem_free(memory, NBYTES);
}

static void take_turns(unsigned int ntimes)
{
	unsigned int i;

	for (i = 0; i < ntimes; i++) {
		check_served(IOAS_NODE, OURS);
		check_served(STOCK_NODE, STOCKS);
	}
}

static void one_process_alternates_between_stock_and_ours(void)
{
	take_turns(scaled(20, 4));
}

/* Other descriptors that a program has open do not decide which backend it gets. */
static void container_of_the_stock_node_is_stock_s_beside_an_open_one_of_ours(void)
{
	int ours = container_open();

	check_served(STOCK_NODE, STOCKS);
	check_served(IOAS_NODE, OURS);
	close(ours);
}

static void container_is_ours_whatever_its_descriptor_is(void)
{
	struct rig rig;
	int high;

	rig.ngroups = 0;
	rig.container = container_open();
	rig_add_group(&rig);
	high = fcntl(rig.container, F_DUPFD_CLOEXEC, 900);
	require_true(high >= 900);
	close(rig.container);
	rig.container = high;
	check_eq(set_iommu(high, VFIO_TYPE1v2_IOMMU), 0);
	check_eq(served_by_ioas(high), OURS);
	rig_close(&rig);
}

static void set_up_another_s_container(void *data)
{
	struct rig *rig = data;

	check_eq(set_iommu(rig->container, VFIO_TYPE1v2_IOMMU), 0);
	check_eq(served_by_ioas(rig->container), OURS);
}

static void container_is_ours_whichever_process_sets_it_up(void)
{
	struct rig rig;

	rig.ngroups = 0;
	rig.container = container_open();
	rig_add_group(&rig);
	join(spawn(set_up_another_s_container, &rig));
	rig_close(&rig);
}

/* --- a program that has very many descriptors and sends ioctls all the time */

#define NQUESTIONS	20U	/* of either process, at least */
#define MAX_QUESTIONS	100000U

struct crowd {
	unsigned int ndescriptors;
	struct gate ready;
	atomic_uint nasked;
	atomic_bool over;
};

static void ask_all_the_time(void *data)
{
	struct crowd *crowd = data;
	struct rlimit limit = { crowd->ndescriptors + 100, crowd->ndescriptors + 100 };
	int container = open(STOCK_NODE, O_RDWR | O_CLOEXEC);
	unsigned int i;

	require_true(container >= 0);
	require_eq(or_errno(setrlimit(RLIMIT_NOFILE, &limit)), 0);
	for (i = 0; i < crowd->ndescriptors; i++)
		require_true(fcntl(container, F_DUPFD, 0) > 0);
	gate_open(&crowd->ready);
	while (!atomic_load(&crowd->over)) {
		vfio_call(container, VFIO_CHECK_EXTENSION, VFIO_TYPE1_IOMMU);
		atomic_fetch_add(&crowd->nasked, 1);
	}
}

static int by_size(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

/* Returns the median time of an ordinary process's ioctl while the crowd sends ioctls, in ns. */
static uint64_t question_ns(struct crowd *crowd, unsigned int ndescriptors)
{
	static uint64_t took[MAX_QUESTIONS];
	int container = container_open();
	unsigned int nasked = 0;
	pid_t child;

	crowd->ndescriptors = ndescriptors;
	atomic_store(&crowd->nasked, 0);
	atomic_store(&crowd->over, false);
	gate_make(&crowd->ready);
	child = spawn(ask_all_the_time, crowd);
	gate_wait(&crowd->ready);
	while (!atomic_load(&crowd->nasked))
		sched_yield();
	while (nasked < MAX_QUESTIONS &&
	       (nasked < NQUESTIONS || atomic_load(&crowd->nasked) < NQUESTIONS)) {
		uint64_t begin = now_ns();

		check_eq(vfio_call(container, VFIO_CHECK_EXTENSION, VFIO_TYPE1_IOMMU), 1);
		took[nasked++] = now_ns() - begin;
	}
	atomic_store(&crowd->over, true);
	join(child);
	close(container);
	qsort(took, nasked, sizeof(took[0]), by_size);
	return took[nasked / 2];
}

/* These ioctls need a lock of vfio.ko that all programs share. */
static void many_descriptors_of_a_program_do_not_slow_down_other_programs(void)
{
	const unsigned int many = scaled(500000, 50000);
	struct crowd *crowd = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t few_ns, many_ns;

	require_true(crowd != MAP_FAILED);
	few_ns = question_ns(crowd, 10);
	many_ns = question_ns(crowd, many);
	diag("%llu ns beside a program with 10 descriptors, %llu beside one with %u",
	     (unsigned long long)few_ns, (unsigned long long)many_ns, many);
	check_true(many_ns < 10 * few_ns);
}

static const struct test tests[] = {
	TEST(node_is_a_character_device_for_everybody, ONLY_IOAS),
	TEST(node_opens_for_an_ordinary_user, ONLY_IOAS),
	TEST(node_opens_many_times, ONLY_IOAS | NEEDS_ONE),
	TEST(open_flags_are_honoured, ONLY_IOAS),
	TEST(container_from_our_node_is_ours, ONLY_IOAS | NEEDS_ONE),
	TEST(container_from_the_stock_node_is_stock_s, ONLY_IOAS | NEEDS_ONE),
	TEST(symbolic_link_leads_to_us, ONLY_IOAS | NEEDS_ONE),
	TEST(node_made_by_hand_leads_to_us, ONLY_IOAS | NEEDS_ONE),
	TEST(stock_node_replaced_by_a_link_leads_to_us, ONLY_IOAS | NEEDS_ONE),
	TEST(serve_all_takes_every_container, ONLY_IOAS | NEEDS_ONE),
	TEST(serve_none_takes_no_container, ONLY_IOAS | NEEDS_ONE),
	TEST(serve_reads_as_it_was_written, ONLY_IOAS),
	TEST(serve_takes_no_other_word, ONLY_IOAS | NEEDS_ONE),
	TEST(container_keeps_its_backend_when_serve_changes,
	     ONLY_IOAS | NEEDS_TWO),
	TEST(stock_container_stays_stock_s_when_serve_changes,
	     ONLY_IOAS | NEEDS_ONE),
	TEST(stock_and_ours_run_side_by_side_in_two_processes,
	     ONLY_IOAS | NEEDS_TWO),
	TEST(one_process_alternates_between_stock_and_ours, ONLY_IOAS | NEEDS_ONE),
	TEST(container_of_the_stock_node_is_stock_s_beside_an_open_one_of_ours,
	     ONLY_IOAS | NEEDS_ONE),
	TEST(container_is_ours_whatever_its_descriptor_is, ONLY_IOAS | NEEDS_ONE),
	TEST(container_is_ours_whichever_process_sets_it_up, ONLY_IOAS | NEEDS_ONE),
	TEST(many_descriptors_of_a_program_do_not_slow_down_other_programs,
	     ONLY_IOAS | TAKES_LONG),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}

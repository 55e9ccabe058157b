// SPDX-License-Identifier: GPL-2.0-only
/*
 * module_order.c - our module and stock type1 are loaded and unloaded in every order, also while
 * containers are alive
 */
#define _GNU_SOURCE
#include "lib.h"
#include "lib_late.h"
#include "lib_native.h"

#include <pthread.h>

#define NPAGES		16U
#define NBYTES		(NPAGES * PAGE)
#define IOVA		0x100000ULL
#define OURS		1
#define STOCKS		0

static void load_ours(void)
{
	require_eq(module_insert(IOAS_FILE, ""), 0);
	require_eq(access(IOAS_NODE, F_OK), 0);
}

static void unload_ours(void)
{
	require_eq(module_unload(IOAS_MODULE), 0);
	require_true(!module_loaded(IOAS_MODULE));
	require_eq(or_errno(access(IOAS_NODE, F_OK)), -ENOENT);
}

static void load_stock(void)
{
	require_eq(module_probe(TYPE1_MODULE), 0);
	require_true(module_loaded(TYPE1_MODULE));
}

static void unload_stock(void)
{
	require_eq(module_unload(TYPE1_MODULE), 0);
}

/* The state before and after every test: both modules are loaded. */
static void load_both(void)
{
	if (!module_loaded(TYPE1_MODULE))
		module_probe(TYPE1_MODULE);
	if (!module_loaded(IOAS_MODULE))
		module_insert(IOAS_FILE, "");
}

static void unload_both(void)
{
	unload_ours();
	unload_stock();
}

/* Checks that the container maps, the device copies, and an unmap removes everything. */
static void check_alive(struct rig *rig, unsigned int index)
{
	uint8_t *memory = mem_alloc(NBYTES);
	struct edu edu;

	require_eq(dma_map(rig->container, IOVA, memory, NBYTES, RW), 0);
	edu_open(&edu, rig->group[0], index);
	check_copy(&edu, memory, IOVA, memory + PAGE, IOVA + PAGE);
	edu_close(&edu);
	check_eq(dma_unmap(rig->container, IOVA, NBYTES), NBYTES);
	check_eq(vm_lck_kib(0), 0);
	mem_free(memory, NBYTES);
}

static void ours_is_asked_first_when_loaded_after_stock(void)
{
	unload_both();
	load_stock();
	load_ours();
	check_served(IOAS_NODE, OURS);
	check_served(STOCK_NODE, STOCKS);
}

static void ours_is_asked_first_when_loaded_before_stock(void)
{
	unload_both();
	load_ours();
	load_stock();
	check_served(IOAS_NODE, OURS);
	check_served(STOCK_NODE, STOCKS);
}

static void ours_is_asked_first_after_stock_was_loaded_again(void)
{
	int nrounds = scaled(10, 3);
	int i;

	for (i = 0; i < nrounds; i++) {
		unload_stock();
		check_served(IOAS_NODE, OURS);
		load_stock();
		check_served(IOAS_NODE, OURS);
	}
	check_served(STOCK_NODE, STOCKS);
}

static void ours_serves_without_stock(void)
{
	struct rig rig;

	unload_stock();
	check_served(IOAS_NODE, OURS);
	/* No backend is left for other containers. */
	check_eq(rig_open_path(&rig, STOCK_NODE, 0), -ENODEV);
	rig_close(&rig);
	param_set(IOAS_MODULE, "serve", "all");
	check_served(STOCK_NODE, OURS);
	load_stock();
	check_served(STOCK_NODE, OURS);
	param_set(IOAS_MODULE, "serve", "node");
	check_served(STOCK_NODE, STOCKS);
}

/* Loading and unloading stock must not affect a live container. */
static void stock_comes_and_goes_while_our_container_lives(void)
{
	int nrounds = scaled(10, 3);
	struct rig rig;
	int i;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	for (i = 0; i < nrounds; i++) {
		context("round %d", i);
		unload_stock();
		check_eq(served_by_ioas(rig.container), OURS);
		check_eq(dma_avail(rig.container), 65535);
		load_stock();
		check_eq(served_by_ioas(rig.container), OURS);
		check_eq(vfio_call(rig.container, VFIO_CHECK_EXTENSION,
				   VFIO_TYPE1_IOMMU), 1);
	}
	context("%s", "");
	check_alive(&rig, 0);
	rig_add_group(&rig);
	check_eq(group_unset_container(rig.group[1]), 0);
	close(rig.group[1]);
	rig.ngroups = 1;
	rig_close(&rig);
	check_served(IOAS_NODE, OURS);
}

static void ours_comes_and_goes_while_a_stock_container_lives(void)
{
	int nrounds = scaled(10, 3);
	struct rig rig;
	int i;

	require_eq(rig_open_path(&rig, STOCK_NODE, 1), 0);
	require_eq(served_by_ioas(rig.container), STOCKS);
	check_eq(module_unload(TYPE1_MODULE), -EAGAIN);
	for (i = 0; i < nrounds; i++) {
		unload_ours();
		check_eq(served_by_ioas(rig.container), STOCKS);
		load_ours();
		check_served(IOAS_NODE, OURS);
	}
	check_alive(&rig, 1);
	rig_close(&rig);
}

static void module_is_loaded_and_unloaded_60_times(void)
{
	int nrounds = scaled(60, 20);
	int i;

	for (i = 0; i < nrounds && !failures(); i++) {
		context("round %d", i);
		unload_ours();
		load_ours();
	}
	context("%s", "");
	check_served(IOAS_NODE, OURS);
}

static void module_is_loaded_used_and_unloaded_many_times(void)
{
	int nrounds = scaled(30, 5);
	struct rig rig;
	int i;

	for (i = 0; i < nrounds && !failures(); i++) {
		uint8_t *memory = mem_alloc(NBYTES);

		rig_open(&rig, VFIO_TYPE1v2_IOMMU, 2);
		check_eq(dma_map(rig.container, IOVA, memory, NBYTES, RW), 0);
		rig_close(&rig);
		mem_free(memory, NBYTES);
		unload_ours();
		load_ours();
	}
}

static void module_is_loaded_only_once(void)
{
	check_eq(module_insert(IOAS_FILE, ""), -EEXIST);
	check_served(IOAS_NODE, OURS);
}

static void module_takes_parameters_when_loaded(void)
{
	struct rig rig;

	expect_in_log("invalid for parameter");
	unload_ours();
	require_eq(module_insert(IOAS_FILE, "serve=all dma_entry_limit=5"), 0);
	check_served(STOCK_NODE, OURS);
	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	check_eq(dma_avail(rig.container), 5);
	rig_close(&rig);
	unload_ours();
	check_eq(module_insert(IOAS_FILE, "serve=perhaps"), -EINVAL);
	check_true(!module_loaded(IOAS_MODULE));
	check_eq(or_errno(access(IOAS_NODE, F_OK)), -ENOENT);
	load_ours();
	check_served(STOCK_NODE, STOCKS);
}

static void module_stays_while_its_node_is_open(void)
{
	int container = container_open();

	check_eq(module_unload(IOAS_MODULE), -EAGAIN);
	check_eq(vfio_call(container, VFIO_GET_API_VERSION, 0), 0);
	check_eq(access(IOAS_NODE, F_OK), 0);
	close(container);
	unload_ours();
	load_ours();
	check_served(IOAS_NODE, OURS);
}

static void module_stays_while_a_container_is_in_use(void)
{
	struct rig rig;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	check_eq(module_unload(IOAS_MODULE), -EAGAIN);
	check_alive(&rig, 0);
	/* The group alone keeps the container alive, and so our module. */
	close(rig.container);
	check_eq(module_unload(IOAS_MODULE), -EAGAIN);
	check_true(module_refcnt(IOAS_MODULE) > 0);
	check_eq(group_unset_container(rig.group[0]), 0);
	close(rig.group[0]);
	unload_ours();
	load_ours();
	check_served(IOAS_NODE, OURS);
}

static void module_stays_while_a_device_is_open(void)
{
	struct rig rig;
	struct edu edu;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	edu_open(&edu, rig.group[0], 0);
	close(rig.container);
	close(rig.group[0]);
	check_eq(module_unload(IOAS_MODULE), -EAGAIN);
	edu_close(&edu);
	unload_ours();
	load_ours();
}

/* With serve=all, a container of the stock node is ours. */
static void module_stays_while_it_serves_a_container_of_the_stock_node(void)
{
	struct rig rig;

	param_set(IOAS_MODULE, "serve", "all");
	require_eq(rig_open_path(&rig, STOCK_NODE, 0), 0);
	check_eq(served_by_ioas(rig.container), OURS);
	check_eq(module_refcnt(IOAS_MODULE), 1);
	check_eq(module_unload(IOAS_MODULE), -EAGAIN);
	check_alive(&rig, 0);
	rig_close(&rig);
	check_eq(module_refcnt(IOAS_MODULE), 0);
	unload_ours();
	load_ours();
}

struct late_call {
	int container;
	unsigned long request;
	struct late_memory argument;
	int result;
};

static void *make_late_call(void *argument)
{
	struct late_call *call = argument;

	call->result = vfio_call(call->container, call->request,
				 (unsigned long)call->argument.memory);
	return NULL;
}

/* The container has lost its group. Only the call itself keeps the module. */
static void module_stays_while_a_call_waits_for_its_argument(void)
{
	static const unsigned long requests[] = {
		VFIO_IOMMU_MAP_DMA, VFIO_IOMMU_UNMAP_DMA, VFIO_IOMMU_GET_INFO,
		VFIO_IOMMU_DIRTY_PAGES, IOMMU_IOAS_ALLOC,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		struct late_call call = { .request = requests[i] };
		pthread_t thread;
		struct rig rig;

		context("call 0x%lx", requests[i]);
		param_set(IOAS_MODULE, "serve", "all");
		require_eq(rig_open_path(&rig, STOCK_NODE, 0), 0);
		late_memory_make(&call.argument);
		call.container = rig.container;
		require_eq(pthread_create(&thread, NULL, make_late_call, &call), 0);
		late_memory_wanted(&call.argument);
		require_eq(group_unset_container(rig.group[0]), 0);
		check_eq(module_refcnt(IOAS_MODULE), 1);
		check_eq(module_unload(IOAS_MODULE), -EAGAIN);
		late_memory_release(&call.argument);
		pthread_join(thread, NULL);
		check_eq(call.result, -EINVAL);
		check_eq(module_refcnt(IOAS_MODULE), 0);
		late_memory_free(&call.argument);
		close(rig.group[0]);
		close(rig.container);
		unload_ours();
		load_ours();
	}
	context("%s", "");
}

static void vfio_itself_stays_while_ours_is_loaded(void)
{
	check_eq(module_unload("vfio"), -EAGAIN);
	check_served(IOAS_NODE, OURS);
}

static const struct test tests[] = {
	TEST(ours_is_asked_first_when_loaded_after_stock,
	     ONLY_IOAS | NEEDS_ONE),
	TEST(ours_is_asked_first_when_loaded_before_stock,
	     ONLY_IOAS | NEEDS_ONE),
	TEST(ours_is_asked_first_after_stock_was_loaded_again,
	     ONLY_IOAS | NEEDS_ONE),
	TEST(ours_serves_without_stock, ONLY_IOAS | NEEDS_ONE),
	TEST(stock_comes_and_goes_while_our_container_lives,
	     ONLY_IOAS | NEEDS_TWO),
	TEST(ours_comes_and_goes_while_a_stock_container_lives,
	     ONLY_IOAS | NEEDS_TWO),
	TEST(module_is_loaded_and_unloaded_60_times,
	     ONLY_IOAS | NEEDS_ONE | TAKES_LONG),
	TEST(module_is_loaded_used_and_unloaded_many_times,
	     ONLY_IOAS | NEEDS_TWO | TAKES_LONG),
	TEST(module_is_loaded_only_once, ONLY_IOAS | NEEDS_ONE),
	TEST(module_takes_parameters_when_loaded, ONLY_IOAS | NEEDS_ONE),
	TEST(module_stays_while_its_node_is_open, ONLY_IOAS | NEEDS_ONE),
	TEST(module_stays_while_a_container_is_in_use, ONLY_IOAS | NEEDS_ONE),
	TEST(module_stays_while_a_device_is_open, ONLY_IOAS | NEEDS_ONE),
	TEST(module_stays_while_it_serves_a_container_of_the_stock_node,
	     ONLY_IOAS | NEEDS_ONE),
	TEST(module_stays_while_a_call_waits_for_its_argument, ONLY_IOAS | NEEDS_ONE),
	TEST(vfio_itself_stays_while_ours_is_loaded, ONLY_IOAS | NEEDS_ONE),
};

int main(int argc, char **argv)
{
	after_each_test = load_both;
	load_both();
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}

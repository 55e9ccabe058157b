// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device as the judge of which memory it can see.
 *
 * All memory of this process that a device may ever see carries a pattern. Threads make random
 * container and native calls. They replace, protect and unmap that memory, fork, and let a second
 * group come and go; an attach that fails is tried again. Two PCI devices read random IOVAs.
 * Emulated devices read and write the pages that they pin. One of them notes a pin only some time
 * after the pin has returned. The test fails if a device sees a word that is neither the pattern
 * nor left by a blocked transfer: nobody gave that memory to the device.
 *
 * JUDGE_SECONDS is the duration (60; 20 with QUICK=1), SEED the start of the random numbers. Boot
 * with page_poison=1, so that freed memory does not keep the pattern. The program tests our backend
 * only. Emulated devices take part if their driver is loaded.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "lib_dirty.h"
#include "lib_emulated.h"
#include "lib_native.h"

#define ARENA_HUGE	2U
#define ARENA_BYTES	(ARENA_HUGE * HUGE_BYTES)
#define ARENA_PAGES	(ARENA_BYTES / PAGE)
#define SLOT_PAGES	64U
#define NSLOTS		(ARENA_PAGES / SLOT_PAGES)
#define NIOVA_PAGES	(2 * ARENA_PAGES)
#define PROBE_IOVA	(1ULL << 31)

/* The upper half of each word; the lower half is the number of its page. */
#define PATTERN		0x7e57ab1eULL
/* The contents of the probe before a device stores to it. */
#define SENTINEL	0x5e5e5e5e00000000ULL

#define MAX_IOAS	4U
#define NATTACHES	6U
#define SETTLE_SECONDS	60U

static struct {
	int container;
	uint8_t *arena;			/* ARENA_BYTES, aligned to HUGE_BYTES */
	int small;			/* memfd of ARENA_BYTES, in small pages */
	int huge;			/* the same in huge pages, or -1 */
	atomic_bool over;
	atomic_uint nreads;		/* transfers that saw the pattern ... */
	atomic_uint nblocked;		/* ... and those that saw nothing */
	atomic_uint nattached;
	atomic_uint nretried;		/* attaches that worked after one that failed */
	atomic_uint npinned;
	atomic_uint nlate;		/* those of the device that notes its pins later */
	atomic_uint nreported;
	uint32_t first_ioas;		/* the IOAS of the first group */
} world;

struct player {
	const char *name;
	void (*play)(uint64_t *seed);
	uint64_t seed;
	pthread_t thread;
};

static uint64_t pick(uint64_t *seed, uint64_t nchoices)
{
	return random_next(seed) % nchoices;
}

static bool is_pattern(uint64_t word)
{
	return word >> 32 == PATTERN && (word & 0xffffffff) < ARENA_PAGES;
}

/* --- memory */

static void write_pattern(uint8_t *memory, uint64_t first_page, uint64_t npages)
{
	uint64_t *words = (uint64_t *)memory;
	uint64_t i;

	for (i = 0; i < npages * PAGE / sizeof(*words); i++)
		words[i] = PATTERN << 32 | (first_page + i * sizeof(*words) / PAGE);
}

static int make_file(unsigned int flags)
{
	int fd = memfd_create("judge", MFD_CLOEXEC | flags);
	uint8_t *memory;

	if (fd < 0 || ftruncate(fd, ARENA_BYTES))
		return -1;
	memory = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		close(fd);
		return -1;
	}
	write_pattern(memory, 0, ARENA_PAGES);
	require_eq(munmap(memory, ARENA_BYTES), 0);
	return fd;
}

static void show_file(uint64_t first_page, uint64_t npages, int prot, int kind, int fd)
{
	void *memory = mmap(world.arena + first_page * PAGE, npages * PAGE, prot,
			    MAP_FIXED | kind, fd, (off_t)(first_page * PAGE));

	check_true(memory != MAP_FAILED);
}

/* A part of a huge page cannot be replaced, so all of the huge page is replaced first. */
static bool is_huge[ARENA_HUGE];

static void replace_huge(uint64_t first_page, uint64_t npages)
{
	const uint64_t pages = HUGE_BYTES / PAGE;
	uint64_t number;

	for (number = first_page / pages; number <= (first_page + npages - 1) / pages; number++) {
		if (is_huge[number])
			show_file(number * pages, pages, PROT_READ | PROT_WRITE, MAP_SHARED,
				  world.small);
		is_huge[number] = false;
	}
}

static void small_shared(uint64_t first_page, uint64_t npages)
{
	show_file(first_page, npages, PROT_READ | PROT_WRITE, MAP_SHARED, world.small);
}

/* Small private pages, which are freed as soon as nothing needs them. */
static void small_private(uint64_t first_page, uint64_t npages)
{
	show_file(first_page, npages, PROT_READ | PROT_WRITE, MAP_PRIVATE, world.small);
	write_pattern(world.arena + first_page * PAGE, first_page, npages);
}

static void no_access(uint64_t first_page, uint64_t npages)
{
	show_file(first_page, npages, PROT_NONE, MAP_PRIVATE, world.small);
}

/* A mapping behind the end of its file: a fault there finds no page. */
static void beyond_the_end(uint64_t first_page, uint64_t npages)
{
	void *memory = mmap(world.arena + first_page * PAGE, npages * PAGE, PROT_READ | PROT_WRITE,
			    MAP_FIXED | MAP_SHARED, world.small, (off_t)ARENA_BYTES);

	check_true(memory != MAP_FAILED);
}

static void all_huge(uint64_t number)
{
	if (world.huge < 0)
		return;
	show_file(number * HUGE_BYTES / PAGE, HUGE_BYTES / PAGE, PROT_READ | PROT_WRITE,
		  MAP_SHARED, world.huge);
	is_huge[number] = true;
}

/* For a while the child has the private pages, too. */
static void fork_a_child(uint64_t *seed)
{
	pid_t child = fork();

	if (!child) {
		struct timespec moment = { .tv_nsec = (long)pick(seed, 2000000) };

		nanosleep(&moment, NULL);
		_exit(0);
	}
	if (child > 0)
		waitpid(child, NULL, 0);
}

static void change_memory(uint64_t *seed)
{
	uint64_t first = pick(seed, ARENA_PAGES);
	uint64_t npages = 1 + pick(seed, pick(seed, 4) ? 4 : SLOT_PAGES);

	if (npages > ARENA_PAGES - first)
		npages = ARENA_PAGES - first;
	replace_huge(first, npages);
	switch (pick(seed, 10)) {
	case 0:
		no_access(first, npages);
		break;
	case 1:
		beyond_the_end(first, npages);
		break;
	case 2:
		all_huge(pick(seed, ARENA_HUGE));
		break;
	case 3:
		fork_a_child(seed);
		break;
	case 4:
		/* A private page then comes from the file again. */
		madvise(world.arena + first * PAGE, npages * PAGE, MADV_DONTNEED);
		break;
	case 5 ... 7:
		small_private(first, npages);
		break;
	default:
		small_shared(first, npages);
	}
}

static void all_small(void)
{
	replace_huge(0, ARENA_PAGES);
	small_shared(0, ARENA_PAGES);
}

/* Only one thread at a time changes the arena: memory that it writes to must be writable. */
static pthread_mutex_t arena_mutex = PTHREAD_MUTEX_INITIALIZER;

static void play_memory(uint64_t *seed)
{
	uint64_t i;

	pthread_mutex_lock(&arena_mutex);
	for (i = 0; i < 4; i++)
		change_memory(seed);
	/* Most of the memory is there most of the time, or hardly any map would succeed. */
	if (pick(seed, 2))
		all_small();
	pthread_mutex_unlock(&arena_mutex);
}

/* --- calls */

static void play_container(uint64_t *seed)
{
	uint64_t first = pick(seed, ARENA_PAGES);
	uint64_t npages = 1 + pick(seed, pick(seed, 4) ? 8 : 2 * SLOT_PAGES);
	uint64_t iova = pick(seed, NIOVA_PAGES) * PAGE;
	struct info info;

	if (npages > ARENA_PAGES - first)
		npages = ARENA_PAGES - first;
	switch (pick(seed, 8)) {
	case 0:
		info_get(world.container, &info);
		break;
	case 1 ... 3:
		dma_unmap(world.container, iova & ~(SLOT_PAGES * PAGE - 1), 4 * SLOT_PAGES * PAGE);
		dma_unmap(world.container, iova, npages * PAGE);
		break;
	default:
		dma_map(world.container, iova, world.arena + first * PAGE, npages * PAGE,
			pick(seed, 2) ? RW : RO);
	}
}

static void play_native(uint64_t *seed)
{
	static uint32_t ids[MAX_IOAS];
	uint32_t *id = &ids[pick(seed, MAX_IOAS)];
	uint32_t ioas = pick(seed, 3) ? *id : world.first_ioas;
	uint64_t first = pick(seed, ARENA_PAGES - SLOT_PAGES);
	uint64_t nbytes = (1 + pick(seed, SLOT_PAGES)) * PAGE;
	uint64_t iova = pick(seed, NIOVA_PAGES) * PAGE;
	uint64_t found = 0;

	switch (pick(seed, 10)) {
	case 0:
		if (*id && !object_destroy(world.container, *id))
			*id = 0;
		break;
	case 1:
		if (!*id)
			*id = ioas_alloc(world.container);
		break;
	case 2:
		ioas_map(world.container, ioas, iova, world.arena + first * PAGE, nbytes,
			 IOAS_RW | IOAS_FIXED);
		break;
	case 3:
		ioas_map_auto(world.container, ioas, world.arena + first * PAGE, nbytes, IOAS_RW,
			      &found);
		if (found >= NIOVA_PAGES * PAGE)
			ioas_unmap(world.container, ioas, found, nbytes);
		break;
	case 4 ... 6:
		ioas_copy(world.container, (struct iova_of){ ioas, iova },
			  (struct iova_of){ ids[pick(seed, MAX_IOAS)],
					    pick(seed, NIOVA_PAGES) * PAGE },
			  nbytes, IOAS_R | IOAS_FIXED);
		break;
	case 7:
		ioas_copy(world.container, (struct iova_of){ ioas, iova },
			  (struct iova_of){ world.first_ioas, pick(seed, NIOVA_PAGES) * PAGE },
			  nbytes, IOAS_R | IOAS_FIXED);
		break;
	default:
		ioas_unmap(world.container, ioas, 0, NIOVA_PAGES * PAGE);
	}
}

/* --- PCI devices */

/* Judges a read by a device. The probe is mapped in every IOAS that the device uses. */
static void judge_transfer(struct edu *edu, volatile uint64_t *probe, uint64_t iova)
{
	bool blocked = true;
	unsigned int i;

	edu_load(edu, iova, EDU_BYTES);
	for (i = 0; i < PAGE / sizeof(*probe); i++)
		probe[i] = SENTINEL;
	edu_store(edu, PROBE_IOVA, EDU_BYTES);
	for (i = 0; i < EDU_BYTES / sizeof(*probe); i++) {
		uint64_t word = probe[i];

		/* A transfer that the IOMMU blocks leaves zeros, or what was there. */
		if (word && word != SENTINEL && !is_pattern(word)) {
			check_eq(word, PATTERN << 32);
			diag("the device saw this at IOVA %#llx + %zu",
			     (unsigned long long)iova, i * sizeof(*probe));
			return;
		}
		blocked &= !is_pattern(word);
	}
	atomic_fetch_add(blocked ? &world.nblocked : &world.nreads, 1);
}

static struct edu first_edu;
static uint64_t *first_probe;

static void play_device(uint64_t *seed)
{
	judge_transfer(&first_edu, first_probe,
		       pick(seed, NIOVA_PAGES) * PAGE + pick(seed, 2) * EDU_BYTES);
}

/* Maps memory into an IOAS that has no group yet. Some of it may not be there. */
static void map_for_second_group(uint32_t ioas, void *probe, uint64_t *seed)
{
	uint64_t number;

	require_eq(ioas_map(world.container, ioas, PROBE_IOVA, probe, PAGE, IOAS_RW | IOAS_FIXED),
		   0);
	for (number = 0; number < ARENA_HUGE; number++) {
		if (pick(seed, 4))
			ioas_map(world.container, ioas, number * HUGE_BYTES,
				 world.arena + number * HUGE_BYTES, HUGE_BYTES,
				 IOAS_RW | IOAS_FIXED);
	}
}

static void disturb(uint64_t *seed)
{
	pthread_mutex_lock(&arena_mutex);
	switch (pick(seed, 4)) {
	case 0:
		all_huge(pick(seed, ARENA_HUGE));
		break;
	case 1:
		all_small();
		break;
	default:
		change_memory(seed);
	}
	pthread_mutex_unlock(&arena_mutex);
}

static void read_by_second(int group, void *probe, uint64_t *seed)
{
	struct edu edu;
	unsigned int i;

	edu_open(&edu, group, 1);
	for (i = 0; i < 4; i++)
		judge_transfer(&edu, probe,
			       pick(seed, ARENA_PAGES) * PAGE + pick(seed, 2) * EDU_BYTES);
	edu_close(&edu);
}

/* A child that was forked meanwhile holds the device open until the child ends. */
static bool group_leaves(void *arg)
{
	return group_unset_container(*(int *)arg) != -EBUSY;
}

/* The second group tries, up to NATTACHES times, to join an IOAS whose memory changes. */
static void play_group(uint64_t *seed)
{
	static void *probe;
	uint32_t ioas = ioas_alloc(world.container);
	int group = group_open_wait(1);
	unsigned int i;
	int ret = -1;

	if (!probe)
		probe = mem_alloc(PAGE);
	require_true(group >= 0);
	disturb(seed);
	map_for_second_group(ioas, probe, seed);
	for (i = 0; i < NATTACHES && ret; i++) {
		/* In between another thread may select, too: the group joins that IOAS, or none. */
		vfio_ioas_set(world.container, ioas);
		ret = group_set_container(group, world.container);
		vfio_ioas_set(world.container, world.first_ioas);
		if (ret)
			disturb(seed);
	}
	if (!ret) {
		atomic_fetch_add(&world.nattached, 1);
		atomic_fetch_add(&world.nretried, i > 1);
		read_by_second(group, probe, seed);
		require_true(wait_until(group_leaves, &group, SETTLE_SECONDS));
	}
	require_eq(close(group), 0);
	check_eq(object_destroy(world.container, ioas), 0);
}

/* --- emulated devices, in a container of their own */

static struct {
	int container;
	int group;
	int device;
	int late_group;
	int late;			/* a device that notes its pins after they were made */
} soft = { -1, -1, -1, -1, -1 };

/* Held from a write to its report: nothing is unmapped in between. */
static pthread_mutex_t maps_mutex = PTHREAD_MUTEX_INITIALIZER;

/* Checks that a write of a device is reported after its page was unpinned, too. */
static void write_and_report(int device, uint64_t iova, uint64_t *words)
{
	uint64_t bits = 0;

	pthread_mutex_lock(&maps_mutex);
	if (!emulated_copy(device, iova, words, PAGE, EMULATED_WRITE)) {
		emulated_unpin(device, iova, 1);
		/* A report about a part of a mapping is refused. */
		if (!dirty_get(soft.container, iova, PAGE, &bits, sizeof(bits)) &&
		    check_eq(bits & 1, 1))
			atomic_fetch_add(&world.nreported, 1);
	}
	pthread_mutex_unlock(&maps_mutex);
}

static void read_pinned(int device, uint64_t iova, uint64_t npages)
{
	static _Thread_local uint64_t words[8 * PAGE / sizeof(uint64_t)];
	uint64_t i;

	if (emulated_copy(device, iova, words, (uint32_t)(npages * PAGE), 0))
		return;
	for (i = 0; i < npages * PAGE / sizeof(*words); i++) {
		if (!is_pattern(words[i])) {
			check_eq(words[i], PATTERN << 32);
			return;
		}
	}
	atomic_fetch_add(&world.nreads, 1);
	write_and_report(device, iova, words);
}

static void pin_and_read(int device, uint64_t *seed)
{
	uint64_t npages = 1 + pick(seed, 8);
	uint64_t iova = pick(seed, NIOVA_PAGES) * PAGE;

	if (emulated_pin(device, iova, (int)npages, RW) != (int)npages)
		return;
	atomic_fetch_add(&world.npinned, 1);
	atomic_fetch_add(&world.nlate, device == soft.late);
	read_pinned(device, iova, npages);
	emulated_unpin(device, iova, (int)npages);
}

static void play_emulated(uint64_t *seed)
{
	pin_and_read(soft.device, seed);
}

/* Each pin takes until an unmap asks for its page in vain, and a while longer. */
static void play_late(uint64_t *seed)
{
	pin_and_read(soft.late, seed);
}

static void play_emulated_maps(uint64_t *seed)
{
	uint64_t first = pick(seed, ARENA_PAGES);
	uint64_t npages = 1 + pick(seed, pick(seed, 4) ? 1 : SLOT_PAGES);
	uint64_t iova = pick(seed, NIOVA_PAGES) * PAGE;

	if (npages > ARENA_PAGES - first)
		npages = ARENA_PAGES - first;
	pthread_mutex_lock(&maps_mutex);
	if (pick(seed, 4))
		dma_map(soft.container, iova, world.arena + first * PAGE, npages * PAGE, RW);
	else
		dma_unmap(soft.container, iova & ~(SLOT_PAGES * PAGE - 1), 4 * SLOT_PAGES * PAGE);
	pthread_mutex_unlock(&maps_mutex);
}

static bool have_emulated(void)
{
	return !access("/sys/module/" EMULATED_MODULE, F_OK);
}

static void open_emulated(void)
{
	soft.container = container_open();
	soft.group = emulated_group_add(soft.container, EMULATED_0);
	require_eq(set_iommu(soft.container, VFIO_TYPE1v2_IOMMU), 0);
	require_backend(soft.container);
	soft.device = emulated_device_open(soft.group, EMULATED_0);
	soft.late_group = emulated_group_add(soft.container, EMULATED_1);
	soft.late = emulated_device_open(soft.late_group, EMULATED_1);
	/* One device may pin an IOVA whose page an unmap has just taken from the other device. */
	emulated_behave(soft.device, 0, EMULATED_UNPINS_OWN);
	emulated_behave(soft.late, 0, EMULATED_NOTES_LATER | EMULATED_UNPINS_OWN);
	require_eq(dirty_start(soft.container), 0);
}

static void close_emulated(void)
{
	require_eq(or_errno(close(soft.late)), 0);
	emulated_group_remove(soft.late_group);
	require_eq(or_errno(close(soft.device)), 0);
	emulated_group_remove(soft.group);
	require_eq(or_errno(close(soft.container)), 0);
}

/* --- the game */

static struct player players[] = {
	{ .name = "memory", .play = play_memory },
	{ .name = "container", .play = play_container },
	{ .name = "container again", .play = play_container },
	{ .name = "native", .play = play_native },
	{ .name = "device", .play = play_device },
	{ .name = "group", .play = play_group },
	{ .name = "emulated", .play = play_emulated },
	{ .name = "late", .play = play_late },
	{ .name = "emulated maps", .play = play_emulated_maps },
};

#define NPCI_PLAYERS	6U
#define MORE_SECONDS	120	/* less than the test may take, see run-judge */

static void *run_player(void *arg)
{
	struct player *player = arg;

	while (!atomic_load(&world.over))
		player->play(&player->seed);
	return NULL;
}

static unsigned int nseconds(void)
{
	const char *text = getenv("JUDGE_SECONDS");

	return text ? (unsigned int)atoi(text) : scaled(60U, 20U);
}

/* Has each event that the test is about happened at least once? */
static bool everything_has_happened(void *unused)
{
	(void)unused;
	if (!world.nreads || !world.nblocked || !world.nattached)
		return false;
	/* A late pin may take ten seconds. */
	return !have_emulated() ||
	       (world.npinned && world.nreported && (slow_kernel() || world.nlate));
}

static void play_all(void)
{
	unsigned int nplayers = have_emulated() ? ARRAY_SIZE(players) : NPCI_PLAYERS;
	struct timespec end;
	uint64_t seed = random_seed();
	unsigned int i;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += nseconds();
	for (i = 0; i < nplayers; i++) {
		players[i].seed = seed + i * 7919;
		require_eq(pthread_create(&players[i].thread, NULL, run_player, &players[i]), 0);
	}
	/* Every run takes at least this time. */
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL);
	/* A busy machine may need more. */
	wait_until(everything_has_happened, NULL, MORE_SECONDS);
	atomic_store(&world.over, true);
	for (i = 0; i < nplayers; i++)
		pthread_join(players[i].thread, NULL);
}

static void make_world(void)
{
	world.arena = mem_alloc_huge(ARENA_BYTES);
	world.small = make_file(0);
	require_true(world.small >= 0);
	write_text("/proc/sys/vm/nr_hugepages", "4");
	world.huge = make_file(MFD_HUGETLB);
	small_shared(0, ARENA_PAGES);
}

static void devices_see_only_what_was_given_to_them(void)
{
	struct rig first;

	make_world();
	rig_open(&first, VFIO_TYPE1v2_IOMMU, 1);
	world.container = first.container;
	world.first_ioas = (uint32_t)vfio_ioas_get(world.container);
	first_probe = mem_alloc(PAGE);
	require_eq(dma_map(world.container, PROBE_IOVA, first_probe, PAGE, RW), 0);
	edu_open(&first_edu, first.group[0], 0);
	if (have_emulated())
		open_emulated();
	/* The module logs why an attach fails. */
	expect_in_log("cannot attach: error");

	play_all();

	diag("transfers: %u, blocked: %u; attaches: %u, after a failure: %u", world.nreads,
	     world.nblocked, world.nattached, world.nretried);
	diag("pins: %u, noted later: %u, reported: %u; huge pages: %s", world.npinned,
	     world.nlate, world.nreported, world.huge < 0 ? "none" : "yes");
	check_true(everything_has_happened(NULL));
	if (have_emulated())
		close_emulated();
	edu_close(&first_edu);
	require_true(dma_unmap_all(world.container) >= 0);
	rig_close(&first);
	check_eq(vm_lck_kib(getpid()), 0);
	check_eq(status_kib(0, "VmPin"), 0);
}

static const struct test tests[] = {
	TEST(devices_see_only_what_was_given_to_them, NEEDS_TWO | ONLY_IOAS),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}

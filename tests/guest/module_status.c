// SPDX-License-Identifier: GPL-2.0-only
/*
 * module_status.c - the file "status" in debugfs: its contents, its owners, and changes while it is
 * read
 */
#define _GNU_SOURCE
#include "lib_call.h"
#include "lib_late.h"
#include "lib_native.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#define STATUS		"/sys/kernel/debug/vfio_ioas/status"
#define NPAGES		16U
#define NBYTES		(NPAGES * PAGE)
#define IOVA		0x100000ULL

static char text[1 << 20];

static void read_status(void)
{
	read_whole(STATUS, text, sizeof(text));
}

/* Returns the first line from @from on that begins with @head, or NULL. */
static const char *find_line(const char *from, const char *head)
{
	const char *line;

	for (line = from; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, head, strlen(head)))
			return line;
	}
	return NULL;
}

static const char *own_context(void)
{
	const char *line;

	for (line = find_line(text, "context "); line; line = find_line(line + 1, "context "))
		if (word_value(line, "pid") == getpid())
			return line;
	return NULL;
}

/* Returns the line of this kind for the only context of this process. */
static const char *own_line(const char *kind)
{
	const char *context = own_context();
	const char *line;
	long long id = word_value(context, "id");

	for (line = find_line(text, kind); line; line = find_line(line + 1, kind))
		if (word_value(line, "context") == id)
			return line;
	return NULL;
}

/* Returns an IOAS of the only context of this process: that of the container ioctls, or another. */
static const char *own_ioas(bool vfio)
{
	const char *line;
	long long id = word_value(own_context(), "id");

	for (line = find_line(text, "ioas "); line; line = find_line(line + 1, "ioas "))
		if (word_value(line, "context") == id && word_value(line, "vfio") == vfio)
			return line;
	return NULL;
}

static void check_ioas(long long areas, uint64_t mapped, uint64_t pinned)
{
	const char *ioas;

	read_status();
	ioas = own_line("ioas ");
	require_true(ioas);
	check_eq(word_value(ioas, "busy"), -1);
	check_eq(word_value(ioas, "vfio"), 1);
	check_eq(word_value(ioas, "areas"), areas);
	check_eq(word_value(ioas, "mapped"), mapped);
	check_eq(word_value(ioas, "pinned"), pinned);
	check_eq(word_value(ioas, "charged"), pinned);
	check_eq(word_value(ioas, "pins"), 0);
	if (pinned)
		check_true(word_value(ioas, "runs") >= areas &&
			   word_value(ioas, "runs") <= (long long)(pinned / PAGE));
	else
		check_eq(word_value(ioas, "runs"), 0);
}

static void status_says_what_a_container_maps(void)
{
	uint8_t *memory = mem_alloc_interleaved(NBYTES);
	struct rig rig;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	check_ioas(0, 0, 0);
	require_eq(dma_map(rig.container, IOVA, memory, NBYTES, RW), 0);
	require_eq(dma_map(rig.container, 2 * IOVA, memory, PAGE, RO), 0);
	check_ioas(2, NBYTES + PAGE, NBYTES + PAGE);
	require_eq(dma_unmap(rig.container, IOVA, NBYTES), NBYTES);
	check_ioas(1, PAGE, PAGE);
	rig_close(&rig);
}

static void status_says_who_has_which_group(void)
{
	const struct device *device = device_nr(0);
	const char *line;
	struct rig rig;
	char devices[64];
	long long hwpt;

	require_eq(prctl(PR_SET_NAME, "in\tsight\\"), 0);
	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	read_status();
	line = own_context();
	require_true(line);
	check_true(line_has(line, " kind=container type=type1v2 "));
	check_true(strstr(line, " comm=in\\011sight\\134\n") ==
		   line + strcspn(line, "\n") - strlen(" comm=in\\011sight\\134"));
	line = own_line("hwpt ");
	require_true(line);
	hwpt = word_value(line, "id");
	check_eq(word_value(line, "groups"), 1);
	line = own_line("group ");
	require_true(line);
	check_eq(word_value(line, "number"), device->group);
	check_eq(word_value(line, "hwpt"), hwpt);
	snprintf(devices, sizeof(devices), " devices=%s", device->address);
	check_true(line_has(line, devices));
	rig_close(&rig);
	read_status();
	check_true(!own_context());
}

static void domain_of_two_groups_is_told(void)
{
	const char *line;
	char devices[64];
	struct rig rig;
	long long ioas;
	unsigned int n;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 2);
	read_status();
	line = own_line("ioas ");
	require_true(line);
	ioas = word_value(line, "id");
	line = own_line("hwpt ");
	require_true(line);
	check_eq(word_value(line, "ioas"), ioas);
	check_eq(word_value(line, "groups"), 2);
	for (n = 0; n < 2; n++) {
		snprintf(devices, sizeof(devices), " devices=%s\n", device_nr(n)->address);
		line = strstr(text, devices);
		require_true(line);
		while (line > text && line[-1] != '\n')
			line--;
		check_true(!strncmp(line, "group ", strlen("group ")));
		check_eq(word_value(line, "number"), device_nr(n)->group);
	}
	rig_close(&rig);
}

static void container_type_is_told(void)
{
	struct rig rig;

	rig_open(&rig, VFIO_TYPE1_IOMMU, 1);
	read_status();
	require_true(own_context());
	check_true(line_has(own_context(), " type=type1 "));
	rig_close(&rig);
}

static void container_without_a_backend_is_not_there(void)
{
	int container = container_open();

	read_status();
	check_true(!own_context());
	close(container);
}

static void have_none(void *unused)
{
	(void)unused;
	read_status();
	check_true(!own_context());
}

static void open_for_parent(void *gates)
{
	struct gate *gate = gates;
	struct rig rig;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	gate_open(&gate[0]);
	gate_wait(&gate[1]);
	rig_close(&rig);
}

static void native_contexts_are_told_apart(void)
{
	const char *line;
	uint8_t *memory = mem_alloc(NBYTES);
	int fd = native_open();
	uint32_t ioas = ioas_alloc(fd);

	read_status();
	require_true(own_context());
	check_true(line_has(own_context(), " kind=iommu pid="));
	line = own_line("ioas ");
	require_true(line);
	check_eq(word_value(line, "vfio"), 0);
	check_eq(word_value(line, "mapped"), 0);
	require_eq(ioas_map(fd, ioas, IOVA, memory, NBYTES, IOAS_RW), 0);
	read_status();
	line = own_line("ioas ");
	check_eq(word_value(line, "areas"), 1);
	check_eq(word_value(line, "mapped"), NBYTES);
	check_eq(word_value(line, "pinned"), 0);
	check_eq(word_value(line, "charged"), 0);
	check_eq(word_value(line, "runs"), 0);
	close(fd);
}

/* An area that shows only a part of its store. */
static void part_of_a_mapping_counts_as_that_part(void)
{
	uint8_t *huge = mem_alloc_huge(HUGE_BYTES);
	const char *line;
	struct rig rig;
	uint32_t other;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	require_eq(dma_map(rig.container, HUGE_BYTES, huge, HUGE_BYTES, RW), 0);
	check_ioas(1, HUGE_BYTES, HUGE_BYTES);
	check_eq(word_value(own_line("ioas "), "runs"), 1);
	other = ioas_alloc(rig.container);
	require_eq(ioas_copy(rig.container, (struct iova_of){ other, IOVA },
			     (struct iova_of){ vfio_ioas_get(rig.container),
					       HUGE_BYTES + 3 * PAGE }, PAGE, IOAS_RW), 0);
	read_status();
	line = own_ioas(false);
	require_true(line);
	check_eq(word_value(line, "areas"), 1);
	check_eq(word_value(line, "mapped"), PAGE);
	check_eq(word_value(line, "pinned"), PAGE);
	check_eq(word_value(line, "charged"), PAGE);
	check_eq(word_value(line, "runs"), 1);
	rig_close(&rig);
	mem_free(huge, HUGE_BYTES);
}

static void area_of_a_byte_is_counted_once(void)
{
	uint8_t *memory = mem_alloc(PAGE);
	const char *line;
	int fd = native_open();
	uint32_t ioas = ioas_alloc(fd);

	require_eq(ioas_map(fd, ioas, IOVA, memory, 1, IOAS_RW), 0);
	require_eq(ioas_copy(fd, (struct iova_of){ ioas, 2 * IOVA },
			     (struct iova_of){ ioas, IOVA }, 1, IOAS_RW), 0);
	read_status();
	line = own_line("ioas ");
	require_true(line);
	check_eq(word_value(line, "areas"), 2);
	check_eq(word_value(line, "mapped"), 2);
	check_eq(word_value(line, "busy"), -1);
	close(fd);
}

/* --- names of processes */

static void check_comm(const char *line, const char *comm)
{
	char words[32];

	snprintf(words, sizeof(words), " comm=%s", comm);
	require_true(line);
	check_true(!strncmp(line + strcspn(line, "\n") - strlen(words), words, strlen(words)));
}

static void process_is_told_by_the_name_that_it_has_now(void)
{
	int fd;

	require_eq(prctl(PR_SET_NAME, "before"), 0);
	fd = native_open();
	require_eq(prctl(PR_SET_NAME, "after"), 0);
	read_status();
	check_comm(own_context(), "after");
	close(fd);
}

/* The caller leaves a context to its child, which keeps it until the second gate opens. */
static void open_and_leave_to_a_child(void *gates)
{
	struct gate *gate = gates;

	require_eq(prctl(PR_SET_NAME, "gone"), 0);
	native_open();
	if (fork())
		return;
	prctl(PR_SET_NAME, "heir");
	gate_open(&gate[0]);
	gate_wait(&gate[1]);
	_exit(0);
}

static void context_of_a_process_that_is_gone_keeps_its_name(void)
{
	struct gate gate[2];
	const char *line;

	gate_make(&gate[0]);
	gate_make(&gate[1]);
	require_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	join(spawn(open_and_leave_to_a_child, gate));
	gate_wait(&gate[0]);
	read_status();
	line = find_line(text, "context ");
	require_true(line);
	check_eq(word_value(line, "pid"), 0);
	check_comm(line, "gone");
	gate_open(&gate[1]);
	require_true(wait(NULL) > 0);
	require_eq(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

static void each_process_has_its_own_line(void)
{
	const char *line;
	struct gate gate[2];
	pid_t pid;

	gate_make(&gate[0]);
	gate_make(&gate[1]);
	pid = spawn(open_for_parent, gate);
	gate_wait(&gate[0]);
	join(spawn(have_none, NULL));
	read_status();
	line = find_line(text, "context ");
	require_true(line);
	check_eq(word_value(line, "pid"), pid);
	gate_open(&gate[1]);
	join(pid);
}

/* Memory in many runs, which the reader counts in parts. */
static void large_container_is_summed_up(void)
{
	const unsigned int nmaps = scaled(3000, 600);
	uint8_t *memory = mem_alloc_scattered(nmaps * PAGE);
	struct rig rig;
	unsigned int i;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	for (i = 0; i < nmaps; i++)
		require_eq(dma_map(rig.container, 2ULL * i * PAGE, memory + i * PAGE, PAGE, RW),
			   0);
	require_eq(dma_map(rig.container, 4ULL * nmaps * PAGE, memory, nmaps * PAGE, RW), 0);
	check_ioas(nmaps + 1, 2ULL * nmaps * PAGE, 2ULL * nmaps * PAGE);
	rig_close(&rig);
}

static atomic_bool stop;

static void *map_and_unmap(void *data)
{
	struct rig *rig = data;
	uint8_t *memory = mem_alloc_interleaved(NBYTES);

	while (!stop) {
		check_eq(dma_map(rig->container, IOVA, memory, NBYTES, RW), 0);
		check_eq(dma_unmap(rig->container, IOVA, NBYTES), NBYTES);
	}
	return NULL;
}

static void status_is_read_while_maps_come_and_go(void)
{
	uint64_t end = now_ns() + scaled(2, 10) * 1000000000ULL;
	pthread_t thread;
	long long mapped;
	struct rig rig;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	stop = false;
	require_eq(pthread_create(&thread, NULL, map_and_unmap, &rig), 0);
	while (now_ns() < end) {
		read_status();
		mapped = word_value(own_line("ioas "), "mapped");
		if ((mapped != 0 && !check_eq(mapped, NBYTES)) ||
		    !check_eq(word_value(own_line("ioas "), "pinned"), mapped))
			break;
	}
	stop = true;
	pthread_join(thread, NULL);
	rig_close(&rig);
}

/* As in iommufd's type1, an unmap can cut a mapping in two. It fails if the mapping is in use. */
static void *cut_and_unmap(void *data)
{
	int fd = *(int *)data;
	uint8_t *memory = mem_alloc(NBYTES);

	while (!stop) {
		check_eq(dma_map(fd, IOVA, memory, NBYTES, RW), 0);
		check_eq(dma_unmap(fd, IOVA + 4 * PAGE, PAGE), PAGE);
		check_eq(dma_unmap(fd, IOVA, NBYTES), NBYTES - PAGE);
	}
	return NULL;
}

static void status_is_read_while_mappings_are_cut(void)
{
	uint64_t end = now_ns() + scaled(3, 10) * 1000000000ULL;
	int fd = native_open();
	pthread_t thread;

	require_eq(vfio_ioas_set(fd, ioas_alloc(fd)), 0);
	require_eq(vfio_call(fd, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU), 0);
	stop = false;
	require_eq(pthread_create(&thread, NULL, cut_and_unmap, &fd), 0);
	while (now_ns() < end && !failures())
		read_status();
	stop = true;
	pthread_join(thread, NULL);
	close(fd);
}

static void come_and_go(void *end)
{
	struct rig rig;

	while (now_ns() < *(uint64_t *)end) {
		rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
		rig_close(&rig);
	}
}

static void status_is_read_while_containers_come_and_go(void)
{
	uint64_t end = now_ns() + scaled(2, 10) * 1000000000ULL;
	pid_t pid;

	pid = spawn(come_and_go, &end);
	while (now_ns() < end)
		read_status();
	join(pid);
	read_status();
	check_true(!find_line(text, "context "));
}

static void *make_and_destroy(void *data)
{
	int fd = *(int *)data;

	while (!stop)
		check_eq(object_destroy(fd, ioas_alloc(fd)), 0);
	return NULL;
}

static void status_is_read_while_objects_come_and_go(void)
{
	uint64_t end = now_ns() + scaled(2, 10) * 1000000000ULL;
	int fd = native_open();
	pthread_t thread;

	stop = false;
	require_eq(pthread_create(&thread, NULL, make_and_destroy, &fd), 0);
	while (now_ns() < end && !failures())
		read_status();
	stop = true;
	pthread_join(thread, NULL);
	close(fd);
}

static void *open_and_close(void *unused)
{
	while (!stop)
		check_eq(or_errno(close(native_open())), 0);
	return unused;
}

static void status_is_read_while_contexts_come_and_go_in_parallel(void)
{
	uint64_t end = now_ns() + scaled(2, 10) * 1000000000ULL;
	pthread_t thread[2];

	stop = false;
	require_eq(pthread_create(&thread[0], NULL, open_and_close, NULL), 0);
	require_eq(pthread_create(&thread[1], NULL, open_and_close, NULL), 0);
	while (now_ns() < end && !failures())
		read_status();
	stop = true;
	pthread_join(thread[0], NULL);
	pthread_join(thread[1], NULL);
	read_status();
	check_true(!find_line(text, "context "));
}

/* --- calls that do not return */

#define PROMPT_SECONDS	20	/* for a wait of one second at most, on a slow machine */

struct stuck_map {
	struct rig *rig;
	struct late_memory late;
	pthread_t mapper;
	pthread_t attacher;
	pid_t attacher_tid;	/* 0 until it is about to attach */
};

static void *map_late(void *arg)
{
	struct stuck_map *stuck = arg;

	check_eq(dma_map(stuck->rig->container, IOVA, stuck->late.memory, PAGE, RW), 0);
	return NULL;
}

static void *attach_late(void *arg)
{
	struct stuck_map *stuck = arg;

	__atomic_store_n(&stuck->attacher_tid, gettid(), __ATOMIC_RELEASE);
	rig_add_group(stuck->rig);
	return NULL;
}

static bool attacher_sleeps(void *arg)
{
	struct stuck_map *stuck = arg;
	char path[64], stat[256];

	if (!__atomic_load_n(&stuck->attacher_tid, __ATOMIC_ACQUIRE))
		return false;
	snprintf(path, sizeof(path), "/proc/self/task/%d/wchan", (int)stuck->attacher_tid);
	read_whole(path, stat, sizeof(stat));
	return strstr(stat, "attach");
}

/* A map waits for its memory, and an attach for the map. Later calls wait for the attach. */
static void make_stuck(struct stuck_map *stuck, struct rig *rig)
{
	*stuck = (struct stuck_map){ .rig = rig };
	rig_open(rig, VFIO_TYPE1v2_IOMMU, 1);
	late_memory_make(&stuck->late);
	require_eq(pthread_create(&stuck->mapper, NULL, map_late, stuck), 0);
	late_memory_wanted(&stuck->late);
	require_eq(pthread_create(&stuck->attacher, NULL, attach_late, stuck), 0);
	check_true(wait_until(attacher_sleeps, stuck, PROMPT_SECONDS));
}

/* Must be called after the memory was released. */
static void end_stuck(struct stuck_map *stuck)
{
	pthread_join(stuck->mapper, NULL);
	pthread_join(stuck->attacher, NULL);
	late_memory_free(&stuck->late);
	rig_close(stuck->rig);
}

static void read_and_tell(void *over)
{
	const char *line;

	read_status();
	line = find_line(text, "ioas ");
	require_true(line);
	check_eq(word_value(line, "busy"), 1);
	check_eq(word_value(line, "areas"), 1);
	/* The reader does not wait for the attach either, which holds the groups. */
	line = find_line(text, "busy ");
	require_true(line);
	check_eq(word_value(line, "context"), word_value(find_line(text, "context "), "id"));
	check_true(line_has(line, " what=groups"));
	check_true(!find_line(text, "group "));
	*(volatile bool *)over = true;
}

static bool is_over(void *over)
{
	return *(volatile bool *)over;
}

/* The call that must not wait runs in another process, so that this one can always end it. */
static void status_does_not_wait_for_a_map_that_waits(void)
{
	bool *over = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct stuck_map stuck;
	struct rig rig;
	pid_t pid;

	need_pins_that_wait();
	make_stuck(&stuck, &rig);
	pid = spawn(read_and_tell, over);
	check_true(wait_until(is_over, over, PROMPT_SECONDS));
	late_memory_release(&stuck.late);
	end_stuck(&stuck);
	join(pid);
	/* Nothing is busy any more. */
	read_status();
	check_true(!strstr(text, "busy"));
}

static long long read_whole_status(void)
{
	read_status();
	return 0;
}

/* The attach ends in less than a second, for which the reader waits. */
static void status_waits_a_moment_for_an_attach(void)
{
	struct call reading = { .function = read_whole_status };
	struct stuck_map stuck;
	struct rig rig;

	need_pins_that_wait();
	make_stuck(&stuck, &rig);
	call_start(&reading);
	usleep(100000);
	check_true(!reading.over);
	late_memory_release(&stuck.late);
	call_end(&reading);
	check_eq(word_value(own_line("ioas "), "busy"), -1);
	check_eq(word_value(own_line("ioas "), "areas"), 1);
	check_true(!find_line(text, "busy "));
	end_stuck(&stuck);
}

/* A store that two IOASs show is being pinned, and its memory is not there. */
struct stuck_copy {
	struct rig rig;
	struct late_memory late;
	struct call copying;
};

static struct stuck_copy stuck_copy;

static long long copy_late(void)
{
	int container = stuck_copy.rig.container;
	const char *other = own_ioas(false);

	return ioas_copy(container, (struct iova_of){ vfio_ioas_get(container), IOVA },
			 (struct iova_of){ word_value(other, "id"), IOVA }, PAGE, IOAS_RW);
}

static void make_stuck_copy(void)
{
	struct stuck_copy *stuck = &stuck_copy;

	need_pins_that_wait();
	*stuck = (struct stuck_copy){ .copying.function = copy_late };
	rig_open(&stuck->rig, VFIO_TYPE1v2_IOMMU, 1);
	late_memory_make(&stuck->late);
	require_eq(ioas_map(stuck->rig.container, ioas_alloc(stuck->rig.container), IOVA,
			    stuck->late.memory, PAGE, IOAS_RW), 0);
	read_status();
	call_start(&stuck->copying);
	late_memory_wanted(&stuck->late);
}

static void end_stuck_copy(void)
{
	call_end(&stuck_copy.copying);
	check_eq(stuck_copy.copying.result, 0);
	rig_close(&stuck_copy.rig);
	late_memory_free(&stuck_copy.late);
}

static void status_does_not_wait_for_a_store(void)
{
	struct call reading = { .function = read_whole_status };
	const char *line;

	make_stuck_copy();
	call_start(&reading);
	check_true(wait_until(call_is_over, &reading, PROMPT_SECONDS));
	late_memory_release(&stuck_copy.late);
	call_end(&reading);
	line = own_ioas(false);
	require_true(line);
	check_eq(word_value(line, "busy"), 1);
	check_eq(word_value(line, "areas"), 1);
	check_eq(word_value(line, "mapped"), PAGE);
	/* A copy that is still being mapped is not shown. */
	line = own_ioas(true);
	require_true(line);
	check_eq(word_value(line, "busy"), -1);
	check_eq(word_value(line, "areas"), 0);
	end_stuck_copy();
}

static void status_waits_a_moment_for_a_store(void)
{
	struct call reading = { .function = read_whole_status };
	const char *line;

	make_stuck_copy();
	call_start(&reading);
	usleep(100000);
	check_true(!reading.over);
	late_memory_release(&stuck_copy.late);
	call_end(&reading);
	line = own_ioas(false);
	require_true(line);
	check_eq(word_value(line, "busy"), -1);
	check_eq(word_value(line, "mapped"), PAGE);
	check_eq(word_value(line, "pinned"), PAGE);
	end_stuck_copy();
}

static void map_that_waits_for_memory_is_not_counted(void)
{
	struct stuck_map stuck;
	struct rig rig;

	need_pins_that_wait();
	stuck = (struct stuck_map){ .rig = &rig };
	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	late_memory_make(&stuck.late);
	require_eq(pthread_create(&stuck.mapper, NULL, map_late, &stuck), 0);
	late_memory_wanted(&stuck.late);
	check_ioas(0, 0, 0);
	late_memory_release(&stuck.late);
	pthread_join(stuck.mapper, NULL);
	check_ioas(1, PAGE, PAGE);
	rig_close(&rig);
	late_memory_free(&stuck.late);
}

/* Reads to the end, @nbytes at a time. Returns the number of lines. */
static unsigned long count_lines(size_t nbytes)
{
	int fd = open(STATUS, O_RDONLY);
	unsigned long nlines = 0;
	ssize_t n;

	require_true(fd >= 0);
	while ((n = read(fd, text, nbytes)) > 0)
		for (ssize_t i = 0; i < n; i++)
			nlines += text[i] == '\n';
	require_eq(n, 0);
	close(fd);
	return nlines;
}

static void read_one_piece(void)
{
	int fd = open(STATUS, O_RDONLY);

	require_true(fd >= 0);
	check_true(read(fd, text, 100) > 0);
	close(fd);
}

static void read_all(void)
{
	count_lines(sizeof(text));
}

/* Returns the shortest of several times in ns, since another process may get the CPU. */
static uint64_t shortest(void (*action)(void))
{
	uint64_t begin, time, least = UINT64_MAX;
	unsigned int i;

	for (i = 0; i < 10; i++) {
		begin = now_ns();
		action();
		time = now_ns() - begin;
		if (time < least)
			least = time;
	}
	return least;
}

/* A line is a record: no size of reads makes lines lost, repeated or counted again. */
static void each_line_is_a_record(void)
{
	/* Many, since the kernel makes a page of lines for the first read. */
	const unsigned int nioas = scaled(5000, 2000);
	int fd[3] = { native_open(), native_open(), native_open() };
	unsigned long nlines;
	uint64_t first, all;
	unsigned int i;

	for (i = 0; i < nioas; i++)
		ioas_alloc(fd[i % 3]);
	nlines = count_lines(sizeof(text));
	check_eq(nlines, nioas + 3);
	check_eq(count_lines(4096), nlines);
	check_eq(count_lines(100), nlines);

	/* The first read does not wait for all lines to be made. */
	first = shortest(read_one_piece);
	all = shortest(read_all);
	if (!check_true(first < all / 4))
		diag("%llu ns for the first piece, %llu for all",
		     (unsigned long long)first, (unsigned long long)all);
	for (i = 0; i < 3; i++)
		close(fd[i]);
}

/*
 * A large mapping, and copies of it in very many IOASs, which cost their owner next to nothing. The
 * work of a reader must not grow as if it counted each copy.
 */
static void copies_are_not_all_counted(void)
{
	const unsigned int npages = scaled(32768, 512), ncopies = scaled(4000, 200);
	const uint64_t all_steps = 64ULL << 20, least_steps = 4096, at_once = 512;
	uint8_t *memory = mem_alloc_interleaved(npages * PAGE);
	unsigned long long nruns = 0, nlines = 0, nbusy = 0;
	struct iova_of first = { .iova = 0 };
	const char *line;
	struct rig rig;
	unsigned int i;

	rig_open(&rig, VFIO_TYPE1v2_IOMMU, 1);
	require_eq(dma_map(rig.container, 0, memory, npages * PAGE, RW), 0);
	first.ioas = vfio_ioas_get(rig.container);
	for (i = 0; i < ncopies; i++)
		require_eq(ioas_copy(rig.container,
				     (struct iova_of){ ioas_alloc(rig.container), 0 }, first,
				     npages * PAGE, IOAS_RW | IOAS_FIXED), 0);
	read_status();
	for (line = find_line(text, "ioas "); line; line = find_line(line + 1, "ioas ")) {
		nruns += word_value(line, "runs");
		nbusy += word_value(line, "busy") == 1;
		nlines++;
	}
	check_eq(nlines, ncopies + 1);
	/* Some pages may be neighbours by chance. */
	check_true(word_value(own_line("ioas "), "runs") > npages * 9 / 10);
	check_true(nruns <= all_steps + ncopies * (least_steps + at_once));
	/* All copies are listed, but not all are counted if together they have too many pages. */
	if (ncopies * (uint64_t)npages > all_steps)
		check_true(nbusy > 0 && nbusy < ncopies);
	else
		check_eq(nbusy, 0);
	rig_close(&rig);
	mem_free(memory, npages * PAGE);
}

static void *read_status_until_told(void *stop)
{
	while (!*(volatile bool *)stop)
		count_lines(sizeof(text));
	return NULL;
}

/* The walk through the areas takes a while, so the context ends during a read. */
static void context_ends_while_it_is_read(void)
{
	const unsigned int nareas = scaled(2000, 500);
	uint8_t *memory = mem_alloc(PAGE);
	volatile bool stop = false;
	pthread_t thread;
	unsigned int i, round;
	uint32_t ioas;
	int fd;

	require_eq(pthread_create(&thread, NULL, read_status_until_told, (void *)&stop), 0);
	for (round = 0; round < 10; round++) {
		fd = native_open();
		ioas = ioas_alloc(fd);
		for (i = 0; i < nareas; i++)
			require_eq(ioas_map(fd, ioas, 2ULL * i * PAGE, memory, PAGE, IOAS_RW), 0);
		close(fd);
	}
	stop = true;
	pthread_join(thread, NULL);
	mem_free(memory, PAGE);
}

static void become_nobody(void *unused)
{
	(void)unused;
	require_eq(or_errno(setresuid(65534, 65534, 65534)), 0);
	check_eq(or_errno(open(STATUS, O_RDONLY)), -EACCES);
}

static void status_is_for_root_alone(void)
{
	join(spawn(become_nobody, NULL));
}

static const struct test tests[] = {
	TEST(status_says_what_a_container_maps, ONLY_IOAS | NEEDS_ONE),
	TEST(status_says_who_has_which_group, ONLY_IOAS | NEEDS_ONE),
	TEST(container_type_is_told, ONLY_IOAS | NEEDS_ONE),
	TEST(domain_of_two_groups_is_told, ONLY_IOAS | NEEDS_TWO),
	TEST(container_without_a_backend_is_not_there, ONLY_IOAS),
	TEST(native_contexts_are_told_apart, ONLY_IOAS),
	TEST(part_of_a_mapping_counts_as_that_part, ONLY_IOAS | NEEDS_ONE),
	TEST(area_of_a_byte_is_counted_once, ONLY_IOAS),
	TEST(process_is_told_by_the_name_that_it_has_now, ONLY_IOAS),
	TEST(context_of_a_process_that_is_gone_keeps_its_name, ONLY_IOAS),
	TEST(each_process_has_its_own_line, ONLY_IOAS | NEEDS_ONE),
	TEST(large_container_is_summed_up, ONLY_IOAS | NEEDS_ONE),
	TEST(status_is_read_while_maps_come_and_go, ONLY_IOAS | NEEDS_ONE),
	TEST(status_is_read_while_mappings_are_cut, ONLY_IOAS),
	TEST(status_is_read_while_containers_come_and_go, ONLY_IOAS | NEEDS_ONE),
	TEST(status_is_read_while_objects_come_and_go, ONLY_IOAS),
	TEST(status_is_read_while_contexts_come_and_go_in_parallel, ONLY_IOAS),
	TEST(status_does_not_wait_for_a_map_that_waits, ONLY_IOAS | NEEDS_TWO),
	TEST(status_waits_a_moment_for_an_attach, ONLY_IOAS | NEEDS_TWO),
	TEST(status_does_not_wait_for_a_store, ONLY_IOAS | NEEDS_ONE),
	TEST(status_waits_a_moment_for_a_store, ONLY_IOAS | NEEDS_ONE),
	TEST(map_that_waits_for_memory_is_not_counted, ONLY_IOAS | NEEDS_ONE),
	TEST(each_line_is_a_record, ONLY_IOAS),
	TEST(copies_are_not_all_counted, ONLY_IOAS | NEEDS_ONE),
	TEST(context_ends_while_it_is_read, ONLY_IOAS),
	TEST(status_is_for_root_alone, ONLY_IOAS),
};

int main(int argc, char **argv)
{
	return run_tests(tests, ARRAY_SIZE(tests), argc, argv);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program that uses VFIO in ways that a recorder can get wrong: bad pointers, structs that cannot
 * be written, many descriptors of one file, threads, signals, children. It prints the results. With
 * the recorder, they have to be the same.
 *
 *	record_program NODE GROUP [MODE]
 *
 * MODE:
 *	sandboxed	process_vm_readv() is refused
 *	trapped		readlink() and open() are refused, by a handler of SIGSYS
 *	old		there is no close_range()
 *	crowded		no more descriptors are allowed
 *	leaderless	the main thread ends before the others
 *	cancelled	a thread is cancelled first
 *	clearenv	the environment is cleared first
 *	numbers		only uses numbers of descriptors
 *	files		only maps memory of files, in "tmp fs" and "huge" of this directory, too
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE		4096UL
#define NTHREADS	4
#define NMAPS		50U
#define NFORKS		40U

static int container, group;
static uint8_t *memory;

/* Prints the result of a call, and errno, which a successful call does not change. */
static void tell(const char *what, int result)
{
	int error = errno;

	printf("%s: %d errno %d\n", what, result < 0 ? -1 : result > 0 ? 1 : 0, error);
	errno = 77;
}

static int call(int fd, unsigned long request, void *argument)
{
	errno = 77;
	return ioctl(fd, request, argument);
}

static struct vfio_iommu_type1_dma_map map_of(unsigned long page, unsigned long npages)
{
	return (struct vfio_iommu_type1_dma_map){
		.argsz = sizeof(struct vfio_iommu_type1_dma_map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)memory,
		.iova = page * PAGE,
		.size = npages * PAGE,
	};
}

static struct vfio_iommu_type1_dma_unmap unmap_of(unsigned long page, unsigned long npages)
{
	return (struct vfio_iommu_type1_dma_unmap){
		.argsz = sizeof(struct vfio_iommu_type1_dma_unmap),
		.iova = page * PAGE,
		.size = npages * PAGE,
	};
}

static void bad_pointers(void)
{
	static const unsigned long requests[] = {
		VFIO_IOMMU_MAP_DMA, VFIO_IOMMU_UNMAP_DMA, VFIO_IOMMU_GET_INFO,
		VFIO_IOMMU_DIRTY_PAGES, VFIO_GET_API_VERSION, VFIO_CHECK_EXTENSION,
	};
	unsigned int i;

	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		tell("null", call(container, requests[i], NULL));
		tell("low", call(container, requests[i], (void *)8));
		tell("kernel", call(container, requests[i], (void *)0xffff888000000000UL));
		tell("hole", call(container, requests[i], memory + 64 * PAGE));
	}
	tell("null join", call(group, VFIO_GROUP_SET_CONTAINER, NULL));
	tell("null status", call(group, VFIO_GROUP_GET_STATUS, NULL));
	tell("null device", call(group, VFIO_GROUP_GET_DEVICE_FD, NULL));
	tell("no descriptor", call(-1, VFIO_IOMMU_GET_INFO, NULL));
	tell("closed descriptor", call(900, VFIO_IOMMU_GET_INFO, NULL));
}

/* Copies @bytes to the end of a page. Nothing is mapped behind it. */
static void *at_the_end(const void *bytes, size_t nbytes, bool is_readonly)
{
	uint8_t *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			     -1, 0);

	munmap(page + PAGE, PAGE);
	memcpy(page + PAGE - nbytes, bytes, nbytes);
	if (is_readonly)
		mprotect(page, PAGE, PROT_READ);
	return page + PAGE - nbytes;
}

static void structs_that_cannot_be_written(void)
{
	struct vfio_iommu_type1_dma_map map = map_of(0, 4);
	struct vfio_iommu_type1_dma_unmap unmap = unmap_of(0, 16);
	struct vfio_iommu_type1_info info = { .argsz = sizeof(info) };
	struct vfio_iommu_type1_dma_unmap *asked;

	tell("map, read-only", call(container, VFIO_IOMMU_MAP_DMA,
				    at_the_end(&map, sizeof(map), true)));
	tell("info, read-only", call(container, VFIO_IOMMU_GET_INFO,
				     at_the_end(&info, sizeof(info), true)));
	tell("unmap, read-only", call(container, VFIO_IOMMU_UNMAP_DMA,
				      at_the_end(&unmap, sizeof(unmap), true)));
	tell("map again", call(container, VFIO_IOMMU_MAP_DMA, &map));
	asked = at_the_end(&unmap, sizeof(unmap), false);
	tell("unmap", call(container, VFIO_IOMMU_UNMAP_DMA, asked));
	printf("unmapped 0x%llx of 0x%llx\n", asked->size, unmap.size);
	unmap.argsz = 0;
	tell("short unmap", call(container, VFIO_IOMMU_UNMAP_DMA, &unmap));
	printf("still 0x%llx\n", unmap.size);
}

/* argsz is larger than the struct. Does anything read the page behind the struct? */
static void bytes_behind_a_struct(void)
{
	struct vfio_iommu_type1_dirty_bitmap dirty = {
		.argsz = 64,
		.flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP,
	};
	struct vfio_iommu_type1_dma_unmap unmap = unmap_of(0, 1);
	uint8_t *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			      -1, 0);
	uint8_t *end = pages + PAGE;
	unsigned char is_there = 2;

	unmap.argsz = 64;
	tell("unmap", call(container, VFIO_IOMMU_UNMAP_DMA,
			   memcpy(end - sizeof(unmap), &unmap, sizeof(unmap))));
	tell("dirty", call(container, VFIO_IOMMU_DIRTY_PAGES,
			   memcpy(end - sizeof(dirty), &dirty, sizeof(dirty))));
	mincore(end, PAGE, &is_there);
	printf("page behind it: %d\n", is_there & 1);
}

static bool works(int fd)
{
	return ioctl(fd, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU) == 1;
}

static void many_descriptors(void)
{
	int second = dup(container), third = fcntl(container, F_DUPFD_CLOEXEC, 40);
	int fourth = dup2(container, 60), fifth = dup3(container, 61, O_CLOEXEC);

	printf("work: %d %d %d %d; fourth %d, fifth %d, third %d\n", works(second), works(third),
	       works(fourth), works(fifth), fourth, fifth, third);
	tell("close", close(second));
	tell("close_range", close_range(60, 61, 0));
	printf("work: %d %d %d %d\n", works(second), works(third), works(60), works(61));
	tell("dup2 over it", dup2(STDERR_FILENO, third));
	printf("works: %d, the first: %d\n", works(third), works(container));
	tell("close", close(third));
	tell("flags", fcntl(container, F_GETFL));
	/* The recorder must not change the number of the next descriptor. */
	second = open("/dev/null", O_RDWR);
	printf("next descriptor: %d\n", second);
	close(second);
	tell("dup of nothing", dup(900));
	tell("dup2 of nothing", dup2(900, container));
	printf("works: %d\n", works(container));
}

/* A child closes descriptors, as before exec(). The parent still has them. */
static void child_that_closes(void)
{
	pid_t pid = vfork();
	int status = 0;

	if (pid == 0) {
		close(container);
		close(group);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	printf("works after vfork: %d\n", works(container));
	pid = fork();
	if (pid == 0) {
		closefrom(3);
		_exit(works(container));
	}
	waitpid(pid, &status, 0);
	printf("works after fork: %d, in the child: %d\n", works(container), status);
}

static atomic_bool is_over;
static atomic_uint nwrong;

static void *map_and_unmap(void *argument)
{
	unsigned long first = (uintptr_t)argument * 16;
	unsigned int i;

	for (i = 0; i < NMAPS; i++) {
		struct vfio_iommu_type1_dma_map map = map_of(first, 4);
		struct vfio_iommu_type1_dma_unmap unmap = unmap_of(first, 4);

		if (ioctl(container, VFIO_IOMMU_MAP_DMA, &map) ||
		    ioctl(container, VFIO_IOMMU_UNMAP_DMA, &unmap) || unmap.size != 4 * PAGE)
			atomic_fetch_add(&nwrong, 1);
	}
	return NULL;
}

static void handle_alarm(int signal)
{
	int error = errno, fd = dup(container);

	(void)signal;
	works(fd);
	close(fd);
	errno = error;
}

static void *fork_meanwhile(void *argument)
{
	unsigned int i;

	for (i = 0; i < NFORKS && !atomic_load(&is_over); i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			alarm(20);
			_exit(works(container) ? 0 : 1);
		}
		if (waitpid(pid, &status, 0) != pid || status)
			atomic_fetch_add(&nwrong, 1);
	}
	return argument;
}

static void threads_signals_and_children(void)
{
	struct itimerval often = { { 0, 2000 }, { 0, 2000 } }, never = { { 0, 0 }, { 0, 0 } };
	struct sigaction action = { .sa_handler = handle_alarm, .sa_flags = SA_RESTART };
	pthread_t threads[NTHREADS], forker;
	unsigned long i;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (i = 0; i < NTHREADS; i++)
		pthread_create(&threads[i], NULL, map_and_unmap, (void *)i);
	pthread_create(&forker, NULL, fork_meanwhile, NULL);
	for (i = 0; i < NTHREADS; i++)
		pthread_join(threads[i], NULL);
	atomic_store(&is_over, true);
	pthread_join(forker, NULL);
	setitimer(ITIMER_REAL, &never, NULL);
	printf("wrong in threads: %u\n", atomic_load(&nwrong));
}

/* Closes all descriptors, as daemons do. A file that is opened then is the program's alone. */
static void everything_is_closed(void)
{
	char name[] = "/tmp/record_program.XXXXXX";
	struct vfio_iommu_type1_info info = { .argsz = sizeof(info) };
	unsigned int nclosed = 0;
	int fd, i;
	off_t nbytes;

	for (fd = 3; fd < 1024; fd++)
		nclosed += close(fd) == 0;
	printf("closed %u\n", nclosed);
	fd = mkstemp(name);
	for (i = 0; i < 100; i++)
		dup(fd);
	ioctl(fd, VFIO_IOMMU_GET_INFO, &info);
	nbytes = lseek(fd, 0, SEEK_END);
	printf("in a file of its own: %ld\n", (long)nbytes);
	unlink(name);
}

static int dup2_unnoticed(int from, int to)
{
	return (int)syscall(SYS_dup3, from, to, 0);
}

static int dup2_of_nothing(int from, int to)
{
	(void)from;
	return dup2(-1, to);
}

static int dup2_onto_itself(int from, int to)
{
	(void)from;
	return dup2(to, to);
}

/*
 * Uses every number of a descriptor, since one of them is the recorder's. Goes downwards, since the
 * recorder moves up. Returns how many it could close.
 */
static unsigned int use_numbers(int (*use)(int from, int to))
{
	unsigned int nclosed = 0;
	int fd;

	for (fd = 1000; fd > 100; fd--) {
		nclosed += close(fd) == 0;
		nclosed += use(STDERR_FILENO, fd) == fd && close(fd) == 0;
		nclosed += use(STDERR_FILENO, fd) == fd && close_range(fd, fd, 0) == 0 &&
			   fcntl(fd, F_GETFD) < 0;
	}
	return nclosed;
}

static void numbers(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		printf("closed in a child: %u\n", use_numbers(dup2));
		printf("works in a child: %d\n", works(container));
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	printf("closed: %u\n", use_numbers(dup2));
	printf("closed, used in vain: %u\n", use_numbers(dup2_of_nothing));
	printf("closed, used for itself: %u\n", use_numbers(dup2_onto_itself));
	printf("closed, used unnoticed: %u\n", use_numbers(dup2_unnoticed));
}

/* Lets the kernel refuse two system calls. */
static bool enter_sandbox(unsigned int first_call, unsigned int second_call, unsigned int verdict)
{
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, first_call, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, second_call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, verdict),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(steps) / sizeof(steps[0]), steps };

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

static void refuse(int signal, siginfo_t *information, void *context)
{
	(void)signal;
	(void)information;
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RAX] = -EPERM;
}

static bool enter_trap(void)
{
	struct sigaction action = { .sa_sigaction = refuse, .sa_flags = SA_SIGINFO };

	return !sigaction(SIGSYS, &action, NULL) &&
	       enter_sandbox(SYS_readlink, SYS_openat, SECCOMP_RET_TRAP);
}

/* The group has the lowest number that was free, so there are no more below the limit. */
static bool crowd(void)
{
	struct rlimit limit = { (rlim_t)group + 1, (rlim_t)group + 1 };

	return !setrlimit(RLIMIT_NOFILE, &limit);
}

/* An ioctl() is no cancellation point. */
static void *map_when_cancelled(void *is_behind)
{
	struct vfio_iommu_type1_dma_map map = map_of(0, 1);

	pthread_cancel(pthread_self());
	ioctl(container, VFIO_IOMMU_MAP_DMA, &map);
	*(bool *)is_behind = true;
	pthread_testcancel();
	return NULL;
}

static void cancelled(void)
{
	bool is_behind = false;
	pthread_t thread;
	void *result;

	pthread_create(&thread, NULL, map_when_cancelled, &is_behind);
	pthread_join(thread, &result);
	printf("behind the map: %d, cancelled: %d\n", is_behind, result == PTHREAD_CANCELED);
}

#define HUGE_PAGE	(2UL << 20)

/* Without a path: anonymous huge pages. */
static void map_a_file(const char *path, unsigned long nbytes, bool is_deleted)
{
	int fd = path ? open(path, O_RDWR | O_CREAT, 0600) : -1;
	struct vfio_iommu_type1_dma_map map = map_of(0, nbytes / PAGE);
	struct vfio_iommu_type1_dma_unmap unmap = unmap_of(0, nbytes / PAGE);
	void *mapped;

	if (path)
		tell("size", ftruncate(fd, (off_t)nbytes));
	if (is_deleted)
		unlink(path);
	mapped = mmap(NULL, nbytes, PROT_READ | PROT_WRITE,
		      MAP_SHARED | (path ? 0 : MAP_ANONYMOUS | MAP_HUGETLB), fd, 0);
	tell("mmap", mapped == MAP_FAILED ? -1 : 0);
	map.vaddr = (uintptr_t)mapped;
	tell("map", call(container, VFIO_IOMMU_MAP_DMA, &map));
	tell("unmap", call(container, VFIO_IOMMU_UNMAP_DMA, &unmap));
	munmap(mapped, nbytes);
	close(fd);
}

static void attach(void)
{
	tell("join", call(group, VFIO_GROUP_SET_CONTAINER, &container));
	tell("backend", call(container, VFIO_SET_IOMMU, (void *)VFIO_TYPE1v2_IOMMU));
}

static void files(void)
{
	attach();
	map_a_file("tmp fs/a", PAGE, false);
	map_a_file("tmp fs/b", PAGE, true);
	map_a_file("huge/rtemap_0", HUGE_PAGE, false);
	map_a_file("huge/rtemap_1", HUGE_PAGE, true);
	map_a_file(NULL, HUGE_PAGE, false);
}

static void all(void)
{
	tell("info without a backend", call(container, VFIO_IOMMU_GET_INFO, NULL));
	attach();
	bad_pointers();
	structs_that_cannot_be_written();
	bytes_behind_a_struct();
	many_descriptors();
	child_that_closes();
	threads_signals_and_children();
	everything_is_closed();
}

/* Waits until the main thread has ended, and /proc/self, which belongs to it, is empty. */
static void *all_without_a_leader(void *argument)
{
	char target[8];

	(void)argument;
	while (readlink("/proc/self/exe", target, sizeof(target)) >= 0)
		usleep(1000);
	all();
	exit(0);
}

/* Starts the modes that begin before the container is opened. prepare_late() starts the others. */
static bool prepare_early(const char *mode)
{
	if (!strcmp(mode, "sandboxed"))
		return enter_sandbox(SYS_process_vm_readv, SYS_process_vm_readv,
				     SECCOMP_RET_ERRNO | EPERM);
	if (!strcmp(mode, "old"))
		return enter_sandbox(SYS_close_range, SYS_close_range, SECCOMP_RET_ERRNO | ENOSYS);
	return true;
}

static bool prepare_late(const char *mode)
{
	if (!strcmp(mode, "trapped"))
		return enter_trap();
	if (!strcmp(mode, "crowded"))
		return crowd();
	if (!strcmp(mode, "clearenv"))
		return !clearenv();
	if (!strcmp(mode, "cancelled"))
		cancelled();
	return true;
}

int main(int argc, char **argv)
{
	const char *mode = argc == 4 ? argv[3] : "";
	pthread_t thread;

	if (argc < 3 || argc > 4 || !prepare_early(mode))
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	memory = mmap(NULL, 65 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(memory + 64 * PAGE, PAGE);
	container = open(argv[1], O_RDWR);
	group = open(argv[2], O_RDWR);
	tell("version", call(container, VFIO_GET_API_VERSION, NULL));
	if (!prepare_late(mode))
		return 2;
	if (!strcmp(mode, "numbers")) {
		numbers();
	} else if (!strcmp(mode, "files")) {
		files();
	} else if (!strcmp(mode, "leaderless")) {
		pthread_create(&thread, NULL, all_without_a_leader, NULL);
		pthread_exit(NULL);
	} else {
		all();
	}
	return 0;
}

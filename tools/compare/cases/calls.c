// SPDX-License-Identifier: GPL-2.0-only
/* calls.c - one operation a function, and the setups made of them */
#define _GNU_SOURCE
#include "calls.h"

#include <stddef.h>
#include <sys/wait.h>

#include "compare/op/memory.h"
#include "compare/op/op_execute.h"
#include "compare/op/setup.h"
#include "compare/op/transcript.h"

uint8_t *buf;

static void execute(enum op_kind kind, uint64_t a, uint64_t b, uint64_t c)
{
	struct op op = { .kind = kind, .arg = { a, b, c } };

	op_execute(&op);
}

/* --- setups */

void make_buf(void)
{
	buf = memory("buf", BUF_BYTES, MEMORY_TOUCHED, PROT_R | PROT_W);
}

static bool is_emulated(enum group group)
{
	return group >= GROUP_E;
}

void setup_groups(const enum group *groups, unsigned int ngroups,
		  unsigned long type)
{
	unsigned int i;

	setup_c();
	for (i = 0; i < ngroups; i++) {
		open_group(groups[i]);
		join(groups[i]);
	}
	set_iommu(type);
	if (mappings_left(current_container()) < 0)
		give_up("the setup failed");
	for (i = 0; i < ngroups; i++)
		if (is_emulated(groups[i]))
			open_device(groups[i]);
}

void setup_c(void)
{
	make_buf();
	open_container(0);
}

void setup_p(void)
{
	setup_groups((enum group[]){ A }, 1, setup.type);
}

void setup_pp(void)
{
	setup_groups((enum group[]){ A, B }, 2, setup.type);
}

void setup_e(void)
{
	setup_groups((enum group[]){ E }, 1, setup.type);
}

void setup_m(void)
{
	setup_groups((enum group[]){ A, E }, 2, setup.type);
}

uint64_t last_iova(void)
{
	union {
		struct vfio_iommu_type1_info info;
		uint8_t bytes[2048];
	} answer = { .info.argsz = sizeof(answer) };
	struct vfio_iommu_type1_info_cap_iova_range head;
	struct vfio_iova_range range = { 0 };
	uint32_t at;

	vfio_call(current_container(), VFIO_IOMMU_GET_INFO,
		  (unsigned long)&answer);
	for (at = answer.info.cap_offset; at && at < sizeof(answer) - 64;
	     at = head.header.next) {
		memcpy(&head, answer.bytes + at, sizeof(head));
		if (head.header.id != VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE)
			continue;
		at += sizeof(head) + (head.nr_iovas - 1) * sizeof(range);
		memcpy(&range, answer.bytes + at, sizeof(range));
		return range.end;
	}
	return UINT64_MAX;
}

/* --- life cycle */

void open_container(unsigned int number)
{
	execute(OP_CONTAINER, number, 0, 0);
}

void use_container(unsigned int number)
{
	execute(OP_USE, number, 0, 0);
}

void close_container(unsigned int number)
{
	execute(OP_CLOSE_CONTAINER, number, 0, 0);
}

void open_group(enum group group)
{
	execute(OP_GROUP, group, 0, 0);
}

void close_group(enum group group)
{
	execute(OP_CLOSE_GROUP, group, 0, 0);
}

void join(enum group group)
{
	execute(OP_JOIN, group, 0, 0);
}

void join_fd(enum group group, enum not_container fd)
{
	execute(OP_JOIN_FD, group, fd, 0);
}

void leave(enum group group)
{
	execute(OP_LEAVE, group, 0, 0);
}

void status(enum group group, uint32_t argsz)
{
	execute(OP_STATUS, group, argsz, 0);
}

void set_iommu(unsigned long type)
{
	execute(OP_SET_IOMMU, type, 0, 0);
}

void api_version(void)
{
	execute(OP_API_VERSION, 0, 0, 0);
}

void extension(unsigned long number)
{
	execute(OP_EXTENSION, number, 0, 0);
}

void call(unsigned long command, unsigned long argument)
{
	execute(OP_CALL, command, argument, 0);
}

void open_device(enum group group)
{
	execute(OP_DEVICE, group, 0, DEVICE_KNOWN);
}

void open_device_again(enum group group)
{
	execute(OP_DEVICE, group, 1, DEVICE_KNOWN);
}

void open_unknown_device(enum group group)
{
	execute(OP_DEVICE, group, 1, DEVICE_UNKNOWN);
}

void close_device(enum group group)
{
	execute(OP_CLOSE_DEVICE, group, 0, 0);
}

void close_device_again(enum group group)
{
	execute(OP_CLOSE_DEVICE, group, 1, 0);
}

/* --- info, map, unmap */

void info(void)
{
	info_argsz(4096);
}

void info_argsz(uint32_t argsz)
{
	execute(OP_INFO, argsz, 0, 0);
}

void info_bytes(uint32_t argsz)
{
	execute(OP_INFO_BYTES, argsz, 0, 0);
}

void map(uint64_t iova, uint64_t npages, uint32_t flags)
{
	map_at(iova, npages * PAGE, buf, flags);
}

void map_at(uint64_t iova, uint64_t nbytes, const void *memory, uint32_t flags)
{
	map_argsz(iova, nbytes, memory, flags,
		  sizeof(struct vfio_iommu_type1_dma_map));
}

void map_argsz(uint64_t iova, uint64_t nbytes, const void *memory,
	       uint32_t flags, uint32_t argsz)
{
	struct op op = {
		.kind = OP_MAP,
		.arg = { iova, nbytes, 0, flags, argsz },
	};

	op.mem = memory_of(memory, &op.arg[2]);
	op_execute(&op);
}

void unmap(uint64_t iova, uint64_t nbytes)
{
	unmap_flags(iova, nbytes, 0);
}

void unmap_flags(uint64_t iova, uint64_t nbytes, uint32_t flags)
{
	unmap_argsz(iova, nbytes, flags,
		    sizeof(struct vfio_iommu_type1_dma_unmap));
}

void unmap_argsz(uint64_t iova, uint64_t nbytes, uint32_t flags, uint32_t argsz)
{
	struct op op = {
		.kind = OP_UNMAP,
		.arg = { iova, nbytes, flags, argsz },
	};

	op_execute(&op);
}

void unmap_all(void)
{
	unmap_flags(0, 0, UNMAP_ALL);
}

/* --- dirty tracking */

void dirty(uint32_t flags)
{
	dirty_argsz(flags, sizeof(struct vfio_iommu_type1_dirty_bitmap));
}

void dirty_argsz(uint32_t flags, uint32_t argsz)
{
	execute(OP_DIRTY, flags, argsz, 0);
}

static struct bitmap complete(struct bitmap bitmap, uint64_t nbytes)
{
	if (!bitmap.nbytes)
		bitmap.nbytes = (nbytes / PAGE + 63) / 64 * 8;
	if (bitmap.nbytes == NO_BYTES)
		bitmap.nbytes = 0;
	if (!bitmap.pgsize)
		bitmap.pgsize = PAGE;
	if (bitmap.pgsize == ZERO_PGSIZE)
		bitmap.pgsize = 0;
	if (!bitmap.argsz)
		bitmap.argsz = 48;
	return bitmap;
}

/* The arguments that both operations with a bitmap share. */
static struct op bitmap_op(enum op_kind kind, uint64_t iova, uint64_t nbytes, struct bitmap bitmap)
{
	return (struct op){
		.kind = kind,
		.arg = { iova, nbytes, bitmap.pgsize, bitmap.nbytes, bitmap.bits },
	};
}

void dirty_get(uint64_t iova, uint64_t nbytes)
{
	dirty_get_with(iova, nbytes, (struct bitmap){ 0 });
}

void dirty_get_with(uint64_t iova, uint64_t nbytes, struct bitmap bitmap)
{
	struct bitmap whole = complete(bitmap, nbytes);
	struct op op = bitmap_op(OP_DIRTY_GET, iova, nbytes, whole);

	op.arg[5] = whole.argsz;
	op_execute(&op);
}

void unmap_bitmap(uint64_t iova, uint64_t nbytes)
{
	unmap_bitmap_with(iova, nbytes, (struct bitmap){ 0 });
}

void unmap_bitmap_with(uint64_t iova, uint64_t nbytes, struct bitmap bitmap)
{
	struct bitmap whole = complete(bitmap, nbytes);
	struct op op = bitmap_op(OP_UNMAP_BITMAP, iova, nbytes, whole);

	op.arg[5] = whole.flags | UNMAP_BITMAP;
	op.arg[6] = whole.argsz;
	op_execute(&op);
}

/* --- emulated devices */

void pin(enum group group, uint64_t iova, int npages, uint32_t prot)
{
	struct op op = {
		.kind = OP_PIN,
		.arg = { group, iova, (uint64_t)(int64_t)npages, prot },
	};

	op_execute(&op);
}

void unpin(enum group group, uint64_t iova, int npages)
{
	execute(OP_UNPIN, group, iova, (uint64_t)(int64_t)npages);
}

void rw(enum group group, uint64_t iova, uint32_t nbytes, uint32_t flags)
{
	struct op op = {
		.kind = OP_RW,
		.arg = { group, iova, nbytes, flags, 7 },
	};

	op_execute(&op);
}

void behave(enum group group, uint32_t nignored, uint32_t flags)
{
	execute(OP_BEHAVE, group, nignored, flags);
}

void callbacks(enum group group)
{
	execute(OP_CALLBACKS, group, 0, 0);
}

/* --- memory, devices */

uint8_t *memory(const char *name, uint64_t nbytes, enum memory_kind kind,
		uint32_t prot)
{
	struct op op = {
		.kind = OP_MEMORY,
		.arg = { op_pack_name(name), nbytes, kind, prot },
	};

	op_execute(&op);
	return memory_at(op.arg[0]);
}

static void execute_at(enum op_kind kind, const void *at, uint64_t nbytes,
		       uint64_t c, uint64_t d)
{
	struct op op = { .kind = kind, .arg = { 0, nbytes, c, d } };

	op.mem = memory_of(at, &op.arg[0]);
	op_execute(&op);
}

void protect(void *at, uint64_t nbytes, uint32_t prot)
{
	execute_at(OP_PROTECT, at, nbytes, prot, 0);
}

void part(void *at, uint64_t nbytes, enum memory_kind kind, uint32_t prot)
{
	execute_at(OP_PART, at, nbytes, kind, prot);
}

void fill(void *at, uint64_t nbytes, uint64_t seed)
{
	execute_at(OP_FILL, at, nbytes, seed, 0);
}

void peek(void *at, uint64_t nbytes)
{
	execute_at(OP_PEEK, at, nbytes, 0, 0);
}

void lock_memory(void *at, uint64_t nbytes)
{
	execute_at(OP_LOCK, at, nbytes, 0, 0);
}

void limit(uint64_t npages)
{
	execute(OP_LIMIT, npages, 0, 0);
}

void drop_capability(void)
{
	execute(OP_DROP_CAPABILITY, 0, 0, 0);
}

void decode_memory(enum group group)
{
	execute(OP_DECODE, group, 1, 0);
}

void ignore_memory(enum group group)
{
	execute(OP_DECODE, group, 0, 0);
}

void load(enum group group, uint64_t iova, uint32_t nbytes)
{
	execute(OP_LOAD, group, iova, nbytes);
}

void store(enum group group, uint64_t iova, uint32_t nbytes)
{
	execute(OP_STORE, group, iova, nbytes);
}

void state(void)
{
	struct text line = { 0 };

	setup_add_state(&line);
	say("state%s", text_chars(&line));
	text_free(&line);
}

/* --- processes */

static void reap(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		give_up("a child was lost");
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		say("child ended with status 0x%x", (unsigned int)status);
}

void in_child(void (*function)(void))
{
	pid_t pid = fork();

	if (pid < 0)
		give_up("fork: %s", strerror(errno));
	if (pid == 0) {
		say_prefix("child: ");
		function();
		_exit(0);
	}
	reap(pid);
}

void child_begin(struct child *child, void (*function)(void))
{
	int done[2];
	char token;

	if (pipe(child->gate) || pipe(done))
		give_up("pipe: %s", strerror(errno));
	child->pid = fork();
	if (child->pid < 0)
		give_up("fork: %s", strerror(errno));
	if (child->pid == 0) {
		close(child->gate[1]);
		close(done[0]);
		say_prefix("child: ");
		function();
		close(done[1]);
		/* Returns when the parent closes its side. */
		(void)!read(child->gate[0], &token, 1);
		_exit(0);
	}
	close(child->gate[0]);
	close(done[1]);
	(void)!read(done[0], &token, 1);
	close(done[0]);
}

void child_end(struct child *child)
{
	close(child->gate[1]);
	reap(child->pid);
}

_Static_assert(sizeof(struct setup) + sizeof(devices) <= SAVED_BYTES,
	       "what exec_part() hands over does not fit");

void exec_part(const char *name)
{
	uint8_t *saved = transcript_saved();

	memcpy(saved, &setup, sizeof(setup));
	memcpy(saved + sizeof(setup), devices, sizeof(devices));
	execl("/proc/self/exe", "vfio-ioas", "compare", "--part", name, NULL);
	give_up("exec: %s", strerror(errno));
}

void expect(bool condition, const char *what)
{
	say("%s: %s", condition ? "as expected" : EXPECT_FAILED, what);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * op_table.c - the table of operations
 */
#include "op_table.h"

#include "do.h"
#include "setup.h"

static const char *const groups[] = { "A", "B", "E", "F", "mute", NULL };
static const char *const prots[] = { "read", "write", NULL };
static const char *const map_flags[] = { "read", "write", "vaddr", NULL };
static const char *const unmap_flags[] = { "bitmap", "all", "vaddr", NULL };
static const char *const dirty_flags[] = { "start", "stop", "get", NULL };
static const char *const rw_flags[] = { "write", "kthread", NULL };
static const char *const behave_flags[] = { "keeps", "repins", NULL };

static const char *const kinds[] = {
	"none", "hole", "anon", "touched", "shared", "file", "huge", "bar", NULL
};

static const char *const advices[] = { "dontneed", "free", "huge", "nohuge", NULL };

static const char *const bits[] = {
	"zeroed", "ones", "odd", "low", "kernel", "no-access", "edge", NULL
};

static const char *const not_containers[] = {
	"closed", "null", "pointer", "other", NULL
};

#define HEX(name)		{ name, ARG_HEX, NULL, UINT64_MAX }
#define HEX32(name)		{ name, ARG_HEX, NULL, UINT32_MAX }
#define DEC(name)		{ name, ARG_DEC, NULL, UINT64_MAX }
#define DEC32(name)		{ name, ARG_DEC, NULL, UINT32_MAX }
#define INT32(name)		{ name, ARG_INT, NULL, INT32_MAX }
#define BELOW(name, n)		{ name, ARG_DEC, NULL, (n) - 1 }
#define NAME(name)		{ name, ARG_NAME, NULL, 0 }
#define ADDRESS(name)		{ name, ARG_ADDRESS, NULL, UINT64_MAX }
#define CHOICE(name, names)	{ name, ARG_CHOICE, names, 0 }
#define FLAGS(name, names)	{ name, ARG_FLAGS, names, UINT32_MAX }
#define GROUP_ARG		CHOICE("group", groups)

/* Whether the state is printed. */
#define WITH_STATE		true
#define WITHOUT_STATE		false

const struct op_type op_types[NOP_KINDS] = {
	[OP_CONTAINER] = { "container", do_container, WITHOUT_STATE,
		{ BELOW("number", NCONTAINERS) } },
	[OP_USE] = { "use", do_use, WITHOUT_STATE,
		{ BELOW("number", NCONTAINERS) } },
	[OP_CLOSE_CONTAINER] = { "close-container", do_close_container, WITHOUT_STATE,
		{ BELOW("number", NCONTAINERS) } },
	[OP_GROUP] = { "group", do_group, WITHOUT_STATE, { GROUP_ARG } },
	[OP_CLOSE_GROUP] = { "close-group", do_close_group, WITH_STATE, { GROUP_ARG } },
	[OP_JOIN] = { "join", do_join, WITH_STATE, { GROUP_ARG } },
	[OP_JOIN_FD] = { "join-fd", do_join_fd, WITHOUT_STATE,
		{ GROUP_ARG, CHOICE("fd", not_containers) } },
	[OP_LEAVE] = { "leave", do_leave, WITH_STATE, { GROUP_ARG } },
	[OP_STATUS] = { "status", do_status, WITHOUT_STATE,
		{ GROUP_ARG, DEC32("argsz") } },
	[OP_SET_IOMMU] = { "set-iommu", do_set_iommu, WITH_STATE, { DEC("type") } },
	[OP_API_VERSION] = { "api-version", do_api_version, WITHOUT_STATE, { } },
	[OP_EXTENSION] = { "extension", do_extension, WITHOUT_STATE, { HEX("arg") } },
	[OP_CALL] = { "call", do_call, WITH_STATE, { HEX("cmd"), HEX("arg") } },
	[OP_DEVICE] = { "device", do_device, WITHOUT_STATE,
		{ GROUP_ARG, BELOW("slot", NSLOTS), BELOW("known", 2) } },
	[OP_CLOSE_DEVICE] = { "close-device", do_close_device, WITH_STATE,
		{ GROUP_ARG, BELOW("slot", NSLOTS) } },
	[OP_INFO] = { "info", do_info, WITHOUT_STATE, { DEC32("argsz") } },
	[OP_INFO_BYTES] = { "info-bytes", do_info_bytes, WITHOUT_STATE, { DEC32("argsz") } },
	[OP_MAP] = { "map", do_map, WITH_STATE,
		{ HEX("iova"), HEX("size"), ADDRESS("vaddr"),
		  FLAGS("flags", map_flags), DEC32("argsz") } },
	[OP_UNMAP] = { "unmap", do_unmap, WITH_STATE,
		{ HEX("iova"), HEX("size"), FLAGS("flags", unmap_flags),
		  DEC32("argsz") } },
	[OP_DIRTY] = { "dirty", do_dirty, WITH_STATE,
		{ FLAGS("flags", dirty_flags), DEC32("argsz") } },
	[OP_DIRTY_GET] = { "dirty-get", do_dirty_get, WITH_STATE,
		{ HEX("iova"), HEX("size"), HEX("pgsize"), HEX("nbytes"),
		  CHOICE("bits", bits), DEC32("argsz") } },
	[OP_UNMAP_BITMAP] = { "unmap-bitmap", do_unmap_bitmap, WITH_STATE,
		{ HEX("iova"), HEX("size"), HEX("pgsize"), HEX("nbytes"),
		  CHOICE("bits", bits), FLAGS("flags", unmap_flags),
		  DEC32("argsz") } },
	[OP_PIN] = { "pin", do_pin, WITH_STATE,
		{ GROUP_ARG, HEX("iova"), INT32("npages"), FLAGS("prot", prots) } },
	[OP_UNPIN] = { "unpin", do_unpin, WITH_STATE,
		{ GROUP_ARG, HEX("iova"), INT32("npages") } },
	[OP_RW] = { "rw", do_rw, WITH_STATE,
		{ GROUP_ARG, HEX("iova"), HEX32("nbytes"),
		  FLAGS("flags", rw_flags), DEC("seed") } },
	[OP_BEHAVE] = { "behave", do_behave, WITHOUT_STATE,
		{ GROUP_ARG, DEC32("ignores"), FLAGS("flags", behave_flags) } },
	[OP_CALLBACKS] = { "callbacks", do_callbacks, WITHOUT_STATE, { GROUP_ARG } },
	[OP_MEMORY] = { "memory", do_memory, WITHOUT_STATE,
		{ NAME("name"), HEX("size"), CHOICE("kind", kinds),
		  FLAGS("prot", prots) } },
	[OP_PART] = { "part", do_part, WITHOUT_STATE,
		{ ADDRESS("at"), HEX("size"), CHOICE("kind", kinds),
		  FLAGS("prot", prots) } },
	[OP_PROTECT] = { "protect", do_protect, WITHOUT_STATE,
		{ ADDRESS("at"), HEX("size"), FLAGS("prot", prots) } },
	[OP_ADVISE] = { "advise", do_advise, WITHOUT_STATE,
		{ ADDRESS("at"), HEX("size"), CHOICE("advice", advices) } },
	[OP_FILL] = { "fill", do_fill, WITHOUT_STATE,
		{ ADDRESS("at"), HEX("size"), DEC("seed") } },
	[OP_PEEK] = { "peek", do_peek, WITHOUT_STATE,
		{ ADDRESS("at"), HEX("size") } },
	[OP_LOCK] = { "lock", do_lock, WITH_STATE,
		{ ADDRESS("at"), HEX("size") } },
	[OP_LIMIT] = { "limit", do_limit, WITHOUT_STATE, { BELOW("npages", 1ULL << 40) } },
	[OP_DROP_CAPABILITY] = { "drop-capability", do_drop_capability, WITHOUT_STATE,
		{ } },
	[OP_DECODE] = { "decode", do_decode, WITHOUT_STATE,
		{ GROUP_ARG, BELOW("on", 2) } },
	[OP_LOAD] = { "load", do_load, WITHOUT_STATE,
		{ GROUP_ARG, HEX("iova"), HEX32("nbytes") } },
	[OP_STORE] = { "store", do_store, WITHOUT_STATE,
		{ GROUP_ARG, HEX("iova"), HEX32("nbytes") } },
};

bool op_has_group(const struct op *op)
{
	const char *name = op_types[op->kind].args[0].name;

	return name && strcmp(name, "group") == 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parses any bytes as a recording for "vfio-ioas compare --replay". The parser may refuse it with
 * a line and a reason. Otherwise, all its operations must stay within its own memory; a judge that
 * shares no code with the parser checks that. An accepted recording must also be the same after it
 * is written and parsed again.
 */
#include <assert.h>
#include <ctype.h>

#include "compare/op/memory.h"
#include "compare/op/op_format.h"
#include "compare/op/op_parse.h"
#include "compare/op/op_type.h"
#include "compare/sequence.h"
#include "lib/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

/* An assertion that works in every build. */
#define MUST(condition)								\
	do {									\
		if (!(condition)) {						\
			fprintf(stderr, "%s:%d: false: %s\n", __FILE__,		\
				__LINE__, #condition);				\
			abort();						\
		}								\
	} while (0)

/* --- addresses: the process may have its memory anywhere that mmap() can choose */

#define MAX_PIECES	512U
#define USER_BYTES	(1ULL << 47)

struct piece {
	uint64_t name;
	uint64_t nbytes;
	bool is_special;
	bool is_file;
};

struct judge {
	struct piece pieces[MAX_PIECES];
	unsigned int npieces;
	bool maps_file;
	bool writes;
};

static struct piece *find(struct judge *judge, uint64_t name)
{
	unsigned int i;

	for (i = 0; i < judge->npieces; i++)
		if (judge->pieces[i].name == name)
			return &judge->pieces[i];
	return NULL;
}

static void judge_memory(struct judge *judge, const struct op *op)
{
	struct piece *piece = find(judge, op->arg[0]);

	MUST(op->arg[0] && op->arg[1] && op->arg[1] % 4096 == 0 && op->arg[1] <= 1ULL << 40);
	if (!piece && judge->npieces == MAX_PIECES)
		return;
	if (!piece)
		piece = &judge->pieces[judge->npieces++];
	*piece = (struct piece){ .name = op->arg[0], .nbytes = op->arg[1] };
}

static void judge_special(struct judge *judge, struct piece *piece, uint64_t kind, uint64_t prot)
{
	if (piece && (kind == MEMORY_FILE || kind == MEMORY_BAR))
		piece->is_special = true;
	if (piece && kind == MEMORY_FILE)
		piece->is_file = true;
	judge->maps_file |= kind == MEMORY_FILE && prot & PROT_W;
}

static void judge_range(struct judge *judge, const struct op *op)
{
	unsigned __int128 end = (unsigned __int128)op->arg[0] + op->arg[1];
	struct piece *piece = find(judge, op->mem);

	if (judge->npieces == MAX_PIECES && !piece)
		return;
	MUST(piece);
	MUST(end <= piece->nbytes);
	if (op->kind == OP_PART)
		judge_special(judge, piece, op->arg[2], op->arg[3]);
	if (op->kind == OP_PROTECT)
		judge->maps_file |= piece->is_file && op->arg[2] & PROT_W;
	if (op->kind == OP_FILL || op->kind == OP_PEEK)
		MUST(!piece->is_special);
}

/* A map must stay within its memory and the guard behind it, or be impossible. */
static void judge_map(struct judge *judge, const struct op *op)
{
	unsigned __int128 end = (unsigned __int128)op->arg[2] + op->arg[1];
	struct piece *piece = find(judge, op->mem);

	if (!op->mem) {
		MUST(!op->arg[1] || end > UINT64_MAX || end <= 0x10000 ||
		     op->arg[2] >= USER_BYTES);
		return;
	}
	if (judge->npieces == MAX_PIECES && !piece)
		return;
	MUST(piece && op->arg[2] <= piece->nbytes);
	/* No memory lies below 64 KiB. */
	MUST(end <= piece->nbytes + GUARD_BYTES ||
	     (unsigned __int128)0x10000 + op->arg[1] > UINT64_MAX);
}

static void judge_op(struct judge *judge, const struct op *op)
{
	switch (op->kind) {
	case OP_MEMORY:
		judge_memory(judge, op);
		judge_special(judge, find(judge, op->arg[0]), op->arg[2], op->arg[3]);
		break;
	case OP_PART:
	case OP_PROTECT:
	case OP_ADVISE:
	case OP_FILL:
	case OP_PEEK:
	case OP_LOCK:
		judge_range(judge, op);
		break;
	case OP_MAP:
		judge_map(judge, op);
		break;
	case OP_CALL:
		MUST(op->arg[0] >> 8 == 0x3b && op->arg[1] < 0x10000);
		break;
	case OP_DIRTY_GET:
	case OP_UNMAP_BITMAP:
		MUST(op->arg[4] != BITS_LOW || op->arg[3] < 0x10000 || op->arg[3] > 1ULL << 62);
		break;
	case OP_RW:
		judge->writes |= op->arg[3] & RW_WRITE;
		break;
	case OP_STORE:
		judge->writes = true;
		break;
	default:
		break;
	}
	MUST(!(judge->maps_file && judge->writes));
}

/* --- texts */

static void judge_text(const struct op *op)
{
	struct text text = { 0 }, problem = { 0 };
	struct op again;

	op_format(op, &text);
	MUST(op_parse(text_chars(&text), &again, &problem));
	MUST(again.kind == op->kind && again.mem == op->mem &&
	     memcmp(again.arg, op->arg, sizeof(again.arg)) == 0);
	text_free(&text);
	text_free(&problem);
}

/* Root's terminal shows the problem: it must be a line number and printable characters. */
static void judge_problem(const char *problem)
{
	MUST(isdigit((unsigned char)*problem) && strchr(problem, ':'));
	for (; *problem; problem++)
		MUST(*problem >= ' ' && *problem <= '~');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
	static struct judge judge;
	struct sequences sequences;
	struct text problem = { 0 };
	size_t i, j;

	/* As with --file. Without it, every recording with memory of a file would be refused. */
	memory_file = "file";
	if (!sequences_parse(&sequences, (const char *)data, nbytes, 0, &problem)) {
		judge_problem(text_chars(&problem));
		MUST(!sequences.nsequences && !sequences.sequence);
	}
	for (i = 0; i < sequences.nsequences; i++) {
		judge = (struct judge){ 0 };
		for (j = 0; j < sequences.sequence[i].nops; j++) {
			judge_op(&judge, &sequences.sequence[i].ops[j]);
			judge_text(&sequences.sequence[i].ops[j]);
		}
	}
	sequences_free(&sequences);
	text_free(&problem);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * judge: runs random instructions on the `soft` engine's functions and on a reference, and compares.
 *
 * usage: judge [--seed N] [--count INSTRUCTIONS] [--only ROW-PREFIX,...] [--blocks] [--states N]
 *	       [--show N] [--known FILE] [--stats FILE] -- REFERENCE...
 *
 * REFERENCE is a command that speaks judge.h on its standard input and output. Exit status: 0 all equal,
 * 1 mismatches, 2 something else went wrong.
 */
#include "judge.h"
#include "gen.h"
#include "known.h"
#include "report.h"
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BATCH_SLOTS = 1024, MAX_FOUND = 64, PER_ROW = 2 };

struct options {
	uint64_t seed, count;
	const char *only, *known, *stats;
	bool blocks;
	unsigned states, show;
	char **reference;
};

struct reference {
	pid_t pid;
	FILE *to, *from;
	struct judge_hello hello;
};

struct judge {
	struct options o;
	struct judge_known *known;
	struct judge_rig *rig;
	struct judge_gen gen;
	struct reference ref;
	struct judge_stat stats[A64_OP_COUNT];
	uint64_t executed, mismatches;
	unsigned found_count;
	struct judge_case found[MAX_FOUND];
	struct judge_case batch[JUDGE_MAX_BATCH];
};

static void die(const char *what)
{
	fprintf(stderr, "judge: %s\n", what);
	exit(2);
}

/* ---- the reference ---- */

static void start(struct judge *j)
{
	int to[2], from[2];

	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
		die("pipe");
	j->ref.pid = fork();
	if (j->ref.pid < 0)
		die("fork");
	if (j->ref.pid == 0) {
		dup2(to[0], 0);
		dup2(from[1], 1);
		execvp(j->o.reference[0], j->o.reference);
		perror(j->o.reference[0]);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	j->ref.to = fdopen(to[1], "w");
	j->ref.from = fdopen(from[0], "r");
	setvbuf(j->ref.from, NULL, _IOFBF, 1 << 20);
	if (fread(&j->ref.hello, sizeof(j->ref.hello), 1, j->ref.from) != 1 ||
	    j->ref.hello.magic != JUDGE_MAGIC)
		die("the reference does not answer");
}

static void stop(struct judge *j)
{
	fclose(j->ref.to);
	fclose(j->ref.from);
	waitpid(j->ref.pid, NULL, 0);
}

static bool send_batch(struct judge *j, const struct judge_case *cases, uint32_t count)
{
	struct judge_batch b = {JUDGE_MAGIC, count};

	fwrite(&b, sizeof(b), 1, j->ref.to);
	fwrite(cases, sizeof(*cases), count, j->ref.to);
	if (fflush(j->ref.to) != 0)
		return false;
	return fread(&b, sizeof(b), 1, j->ref.from) == 1 && b.magic == JUDGE_MAGIC &&
	       b.count == count;
}

static bool receive(struct judge *j, struct judge_answer *a)
{
	return fread(&a->r, sizeof(a->r), 1, j->ref.from) == 1 &&
	       a->r.changed_bytes <= JUDGE_SCRATCH_BYTES &&
	       fread(a->changed, 1, a->r.changed_bytes, j->ref.from) == a->r.changed_bytes;
}

/* ---- comparing ---- */

static void run_here(struct judge *j, const struct judge_case *c, struct judge_answer *a)
{
	const unsigned char *changed;

	judge_rig_run(j->rig, c, &a->r, &changed);
	if (a->r.changed_bytes)
		memcpy(a->changed, changed, a->r.changed_bytes);
}

static void count_steps(struct judge *j, const struct judge_answer *soft)
{
	const enum a64_op *ops;
	unsigned n = judge_rig_steps(j->rig, &ops);

	for (unsigned i = 0; i < n; i++)
		j->stats[ops[i]].compared++;
	j->executed += n;
	if (n && soft->r.kind == JUDGE_ILL)
		j->stats[ops[n - 1]].undefined++;
}

static void keep_mismatch(struct judge *j, const struct judge_case *c)
{
	enum a64_op op = a64_decode(c->word[c->count - 1]);

	j->mismatches++;
	if (c->count == 1 && ++j->stats[op].mismatches > PER_ROW)
		return;
	if (j->found_count < MAX_FOUND)
		j->found[j->found_count++] = *c;
}

/* Is the fault that one side has taken one that the other need not take? */
static bool known_fault(struct judge *j, const struct judge_case *c,
			const struct judge_answer *soft, const struct judge_answer *ref)
{
	uint64_t code = JUDGE_CODE + c->slot * JUDGE_SLOT_BYTES + JUDGE_PROLOGUE_BYTES;
	uint64_t pc = soft->r.kind == JUDGE_BUS ? soft->r.state.pc : ref->r.state.pc;
	uint64_t i = (pc - code) / 4;
	uint32_t w;

	if (soft->r.kind != JUDGE_BUS && ref->r.kind != JUDGE_BUS && ref->r.kind != JUDGE_SEGV)
		return false;
	/* A misaligned PC where nothing is mapped: QEMU looks at the page first. */
	if (pc & 3)
		return ref->r.kind == JUDGE_SEGV && ref->r.state.pc == pc;
	/* FEAT_LSE2 (HWCAP_USCAT): anything within 16 bytes. */
	if (soft->r.kind == JUDGE_BUS && j->ref.hello.hwcap >> 25 & 1)
		return true;
	if (i >= c->count)
		return false;
	w = c->word[i];
	return judge_known_find(j->known, JUDGE_KNOWN_FAULT, a64_rows[a64_decode(w)].name, w);
}

static bool is_nan32(uint32_t v)
{
	return (v & 0x7fffffff) > 0x7f800000;
}

/* Bits of a lane of three operands of the same size. */
static unsigned lane_bits(const char *row, uint32_t w)
{
	return row[strlen(row) - 1] == 'h' ? 16 : w >> 22 & 1 ? 64 : 32;
}

/* Is the exponent of the @bits at @at of a vector 0 or 1? */
static bool is_small(const uint64_t v[2], unsigned at, unsigned bits)
{
	static const struct {
		uint8_t bits, fraction, exponent;
	} formats[] = {{16, 10, 5}, {32, 23, 8}, {64, 52, 11}};
	unsigned f = bits == 16 ? 0 : bits == 32 ? 1 : 2;
	uint64_t lane = v[at / 64] >> at % 64;

	return (lane >> formats[f].fraction & ((1U << formats[f].exponent) - 1)) <= 1;
}

static void mask_halved(const struct judge_case *c, const char *row, const uint64_t soft[2],
			uint64_t ref[2])
{
	uint32_t w = c->word[0];
	const uint64_t *n = c->state.v[w >> 5 & 31], *m = c->state.v[w >> 16 & 31];
	unsigned bits = lane_bits(row, w);

	for (unsigned at = 0; at < 128; at += bits) {
		uint64_t mask = UINT64_MAX >> (64 - bits) << at % 64;

		if (is_small(n, at, bits) || is_small(m, at, bits))
			ref[at / 64] ^= (ref[at / 64] ^ soft[at / 64]) & mask;
	}
}

/* What is not compared of Vd becomes equal. */
static void mask_result(struct judge *j, const struct judge_case *c, const uint64_t soft[2],
			uint64_t ref[2])
{
	uint32_t w = c->word[0];
	const char *row = a64_rows[a64_decode(w)].name;

	if (judge_known_find(j->known, JUDGE_KNOWN_HALVED, row, w))
		mask_halved(c, row, soft, ref);

	for (unsigned n = 0; n < 3; n++) {
		if (!judge_known_find(j->known, JUDGE_KNOWN_LOW16 + n, row, w))
			continue;
		ref[0] &= UINT64_MAX >> (64 - (16 << n));
		ref[1] = 0;
	}
	if (!judge_known_find(j->known, JUDGE_KNOWN_NAN32, row, w))
		return;
	for (unsigned lane = 0; lane < 4; lane++) {
		unsigned at = lane % 2 * 32;

		if (is_nan32(soft[lane / 2] >> at) && is_nan32(ref[lane / 2] >> at))
			ref[lane / 2] ^= (ref[lane / 2] ^ soft[lane / 2]) & 0xffffffffull << at;
	}
}

/* A load that both sides say has faulted may have changed its destinations. */
static void mask_partly(struct judge *j, const struct judge_case *c,
			const struct judge_answer *soft, struct judge_answer *ref)
{
	uint64_t code = JUDGE_CODE + c->slot * JUDGE_SLOT_BYTES + JUDGE_PROLOGUE_BYTES;
	uint64_t i = (soft->r.state.pc - code) / 4;
	uint32_t w;

	if (soft->r.kind != JUDGE_SEGV || ref->r.kind != JUDGE_SEGV || i >= c->count)
		return;
	w = c->word[i];
	if (!judge_known_find(j->known, JUDGE_KNOWN_PARTLY, a64_rows[a64_decode(w)].name, w))
		return;
	for (unsigned n = w; n < w + 4; n++)
		memcpy(ref->r.state.v[n & 31], soft->r.state.v[n & 31], sizeof(ref->r.state.v[0]));
}

/* The reference's answer, in what it knows. */
static void mask_known(struct judge *j, const struct judge_case *c, const struct judge_answer *soft,
		       struct judge_answer *ref)
{
	unsigned rd = c->word[0] & 31;
	uint64_t flags = j->ref.hello.fpsr;

	ref->r.state.fpsr = (ref->r.state.fpsr & flags) | (soft->r.state.fpsr & ~flags);
	mask_partly(j, c, soft, ref);
	if (c->count == 1)
		mask_result(j, c, soft->r.state.v[rd], ref->r.state.v[rd]);
}

static void compare(struct judge *j, const struct judge_case *c, struct judge_answer *ref)
{
	static struct judge_answer soft;
	const enum a64_op *ops;
	unsigned n;

	run_here(j, c, &soft);
	n = judge_rig_steps(j->rig, &ops);
	mask_known(j, c, &soft, ref);
	if (soft.r.kind == JUDGE_WILD || soft.r.kind == JUDGE_TIMEOUT) {
		j->stats[ops[n - 1]].wild++;
		return;
	}
	count_steps(j, &soft);
	if (!judge_differ(c, &soft, ref))
		return;
	if (n && known_fault(j, c, &soft, ref))
		j->stats[ops[n - 1]].wild++;
	else
		keep_mismatch(j, c);
}

/* One by one, to find what ends the reference. */
static void run_singly(struct judge *j, uint32_t count)
{
	static struct judge_answer ref;

	for (uint32_t i = 0; i < count; i++) {
		const struct judge_case *c = &j->batch[i];

		if (send_batch(j, c, 1) && receive(j, &ref)) {
			compare(j, c, &ref);
			continue;
		}
		fprintf(stderr, "judge: the reference ended at a case of %u words:", c->count);
		for (unsigned n = 0; n < c->count; n++)
			fprintf(stderr, " %08x", c->word[n]);
		fprintf(stderr, "\n");
		j->mismatches++;
		stop(j);
		start(j);
	}
}

static void run_batch(struct judge *j, uint32_t count)
{
	static struct judge_answer ref;
	bool good = send_batch(j, j->batch, count);

	for (uint32_t i = 0; good && i < count; i++) {
		good = receive(j, &ref);
		if (good)
			compare(j, &j->batch[i], &ref);
	}
	if (good)
		return;
	stop(j);
	start(j);
	run_singly(j, count);
}

static uint32_t make_batch(struct judge *j)
{
	uint64_t left = j->o.count - j->executed;
	uint32_t n = 0;

	for (unsigned slot = 0; slot < BATCH_SLOTS && n + j->o.states <= JUDGE_MAX_BATCH; slot++) {
		if (n >= left)
			break;
		judge_gen_case(&j->gen, slot, &j->batch[n]);
		j->batch[n].state.fpcr &= j->ref.hello.fpcr;
		for (unsigned s = 1; s < j->o.states; s++) {
			j->batch[n + s] = j->batch[n];
			judge_gen_state(&j->gen, &j->batch[n + s]);
			j->batch[n + s].state.fpcr &= j->ref.hello.fpcr;
		}
		n += j->o.states;
	}
	return n;
}

/* ---- reporting ---- */

/* The shortest beginning of the block that differs; all of it if that cannot be found again. */
static void shrink_and_print(struct judge *j, struct judge_case *c)
{
	static struct judge_answer soft, ref;
	unsigned all = c->count;

	for (c->count = 1; c->count <= all; c->count++) {
		if (!send_batch(j, c, 1) || !receive(j, &ref))
			die("the reference ended");
		run_here(j, c, &soft);
		mask_known(j, c, &soft, &ref);
		if (soft.r.kind != JUDGE_WILD && judge_differ(c, &soft, &ref)) {
			if (all > 1)
				j->stats[a64_decode(c->word[c->count - 1])].mismatches++;
			judge_print(stdout, c, &soft, &ref);
			return;
		}
	}
	printf("mismatch in a block of %u words, not seen again\n", all);
}

static int finish(struct judge *j)
{
	FILE *f;

	for (unsigned i = 0; i < j->found_count && i < j->o.show; i++)
		shrink_and_print(j, &j->found[i]);
	f = j->o.stats ? fopen(j->o.stats, "w") : NULL;
	if (f) {
		judge_print_stats(f, j->stats);
		fclose(f);
	}
	printf("%" PRIu64 " instructions of %u rows compared, %" PRIu64 " mismatches\n",
	       j->executed, j->gen.total, j->mismatches);
	return j->mismatches != 0;
}

/* ---- options ---- */

static struct options parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{"seed", 1, 0, 's'},   {"count", 1, 0, 'c'},  {"only", 1, 0, 'o'},
		{"blocks", 0, 0, 'b'}, {"states", 1, 0, 't'}, {"show", 1, 0, 'w'},
		{"known", 1, 0, 'k'},  {"stats", 1, 0, 'f'},  {0, 0, 0, 0},
	};
	struct options o = {.seed = 1,
			    .count = 100000,
			    .only = "",
			    .states = 4,
			    .show = 20,
			    .known = "tests/judge/known"};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 's':
			o.seed = strtoull(optarg, NULL, 0);
			break;
		case 'c':
			o.count = strtoull(optarg, NULL, 0);
			break;
		case 'o':
			o.only = optarg;
			break;
		case 'b':
			o.blocks = true;
			break;
		case 't':
			o.states = strtoul(optarg, NULL, 0);
			break;
		case 'w':
			o.show = strtoul(optarg, NULL, 0);
			break;
		case 'k':
			o.known = optarg;
			break;
		case 'f':
			o.stats = optarg;
			break;
		default:
			exit(2);
		}
	}
	o.reference = argv + optind;
	if (!*o.reference || !o.states || o.states > JUDGE_MAX_BATCH)
		die("usage: judge [OPTION...] -- REFERENCE...");
	return o;
}

int main(int argc, char **argv)
{
	struct judge *j = calloc(1, sizeof(*j));
	static uint64_t left_out[A64_OP_COUNT];
	int status;

	if (!j)
		die("memory");
	signal(SIGPIPE, SIG_IGN);
	j->o = parse(argc, argv);
	j->known = judge_known_load(j->o.known);
	if (!j->known)
		return 2;
	start(j);
	j->rig = judge_rig_new(&j->ref.hello);
	if (!judge_gen_init(&j->gen, j->o.seed, j->o.only, j->o.blocks, j->known, j->rig, left_out))
		die("no such rows");
	j->gen.defined_only = j->ref.hello.defined_only;
	while (j->executed < j->o.count && j->found_count < MAX_FOUND)
		run_batch(j, make_batch(j));
	for (unsigned op = 0; op < A64_OP_COUNT; op++)
		j->stats[op].left_out = left_out[op];
	status = finish(j);
	stop(j);
	return status;
}

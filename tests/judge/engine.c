// SPDX-License-Identifier: Apache-2.0
/*
 * rig.h with the whole engine: a bare machine that runs a case at EL0, through the back end's ops. Stage 1
 * maps the addresses of judge.h; every exception goes to EL1, whose vectors are HVC #0, and that is an exit.
 * Arm ARM (DDI 0487): D8.3 translation tables, D1.3 exceptions, D24.2 registers.
 */
#include "rig.h"

#include "arm/feature.h"
#include "arm/sysreg.h"
#include "hv/hv.h"
#include "util/err.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

/* Guest-physical memory; offsets in it. */
enum {
	GPA = 0x40000000,
	RAM_BYTES = 0x80000,
	TABLES = 0, /* levels 0 to 2, level 3 of the case, level 3 of the vectors */
	VECTORS = 0x8000,
	SCRATCH = 0x10000, /* the pages are not next to each other */
	SCRATCH_STEP = 0x3000,
	CODE = 0x40000,
	PAGE = 4096,
	SCRATCH_PAGES = JUDGE_SCRATCH_BYTES / PAGE,
};

#define VECTORS_VA (JUDGE_CODE + 0x1000000)

/* Descriptors: Normal memory, inner shareable, accessed. */
#define TABLE	    3ull
#define LEAF	    (3ull | 3ull << 8 | 1ull << 10)
#define AP_EL0	    (1ull << 6)
#define AP_READONLY (2ull << 6)
#define PXN	    (1ull << 53)
#define UXN	    (1ull << 54)

#define SVC_0	    0xd4000001u
#define HVC_0	    0xd4000002u
#define CLREX	    0xd5033f5fu

struct judge_rig {
	const struct hv_ops *ops;
	struct hv_vm *vm;
	struct hv_vcpu *cpu;
	unsigned char *ram;
	bool has[A64_OP_COUNT];
	struct arm_features features;
	uint64_t pristine[JUDGE_SCRATCH_BYTES / 8], pristine_hash;
	uint64_t scratch[JUDGE_SCRATCH_BYTES / 8]; /* as the case left it */
	unsigned step_count;
	enum a64_op steps[JUDGE_MAX_WORDS];
};

/* For the signal handler: a case that does not end. */
static struct hv_vcpu *volatile kicked;
static const struct hv_ops *volatile kicked_ops;

static void die(const char *what)
{
	fprintf(stderr, "judge: %s\n", what);
	exit(2);
}

/* ---- registers ---- */

static void set(struct judge_rig *r, uint32_t id, uint64_t value)
{
	if (r->ops->set_reg(r->cpu, id, value))
		die("a register cannot be set");
}

static uint64_t get(struct judge_rig *r, uint32_t id)
{
	uint64_t value = 0;

	if (r->ops->get_reg(r->cpu, id, &value))
		die("a register cannot be read");
	return value;
}

static void find_features(struct judge_rig *r)
{
	static uint64_t reg[SYSREG_INDEX_COUNT];
	size_t count;
	const struct sysreg_desc *d = sysreg_table(&count);

	for (size_t i = 0; i < count; i++)
		if (sysreg_is_id(d[i].code) && d[i].index != SYSREG_IX_NONE)
			r->ops->get_reg(r->cpu, REG_SYS(d[i].code), &reg[d[i].index]);
	arm_features_from_id(&r->features, reg);
}

static bool has_here(const struct judge_rig *r, const char *name)
{
	enum arm_feature f = arm_feature_find(name);

	return strcmp(name, "BASE") == 0 || (f < ARM_FEAT_COUNT && arm_has(&r->features, f));
}

bool judge_rig_has(const struct judge_rig *r, enum a64_op op)
{
	return r->has[op];
}

/* ---- the machine ---- */

static void put(struct judge_rig *r, unsigned table, unsigned index, uint64_t offset, uint64_t bits)
{
	uint64_t entry = (GPA + offset) | bits;

	memcpy(r->ram + TABLES + table * PAGE + index * 8, &entry, 8);
}

/* Code may be executed at EL0 but not be read, scratch memory be read and written. */
static void make_tables(struct judge_rig *r)
{
	put(r, 0, JUDGE_CODE >> 39 & 511, TABLES + 1 * PAGE, TABLE);
	put(r, 1, JUDGE_CODE >> 30 & 511, TABLES + 2 * PAGE, TABLE);
	put(r, 2, JUDGE_CODE >> 21 & 511, TABLES + 3 * PAGE, TABLE);
	put(r, 2, VECTORS_VA >> 21 & 511, TABLES + 4 * PAGE, TABLE);
	for (unsigned i = 0; i < JUDGE_CODE_BYTES / PAGE; i++)
		put(r, 3, i, CODE + i * PAGE, LEAF | AP_READONLY | PXN);
	for (unsigned i = 0; i < SCRATCH_PAGES; i++)
		put(r, 3, (JUDGE_SCRATCH - JUDGE_CODE) / PAGE + i, SCRATCH + i * SCRATCH_STEP,
		    LEAF | AP_EL0 | PXN | UXN);
	put(r, 4, 0, VECTORS, LEAF | AP_READONLY | UXN);
}

static void fill_words(void *at, unsigned bytes, uint32_t word)
{
	for (unsigned i = 0; i < bytes; i += 4)
		memcpy((char *)at + i, &word, 4);
}

static void set_up_el1(struct judge_rig *r, bool sp_align_check)
{
	set(r, REG_SYS(SYS_MAIR_EL1), 0xff);
	/* 48 bits of address in the lower half, none in the upper; TBI0; 48 bits of output. */
	set(r, REG_SYS(SYS_TCR_EL1),
	    16 | 1 << 8 | 1 << 10 | 3 << 12 | 16 << 16 | 1 << 23 | 2u << 30 | 5ull << 32 |
		    1ull << 37);
	set(r, REG_SYS(SYS_TTBR0_EL1), GPA + TABLES);
	set(r, REG_SYS(SYS_VBAR_EL1), VECTORS_VA);
	set(r, REG_SYS(SYS_CPACR_EL1), 3 << 20);
	/* RES1 bits, I, C, M; SA0; UCI, UCT, nTWE, nTWI, DZE. */
	set(r, REG_SYS(SYS_SCTLR_EL1),
	    0x30d00800 | 1 << 12 | 1 << 2 | 1 | (sp_align_check ? 1 << 4 : 0) | 1 << 26 | 1 << 18 |
		    1 << 16 | 1 << 15 | 1 << 14);
}

static void on_alarm(int sig)
{
	if (kicked)
		kicked_ops->kick(kicked);
}

static void start_timer(struct judge_rig *r)
{
	struct sigaction a = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	struct itimerval timer = {{0, 100000}, {0, 100000}};

	kicked_ops = r->ops;
	kicked = r->cpu;
	sigaction(SIGVTALRM, &a, NULL);
	setitimer(ITIMER_VIRTUAL, &timer, NULL);
}

static void create(struct judge_rig *r)
{
	struct err e = {0};

	r->ops = hv_find("soft");
	r->ram = aligned_alloc(PAGE, RAM_BYTES);
	if (!r->ops || !r->ram)
		die("there is no back end `soft`");
	memset(r->ram, 0, RAM_BYTES);
	if (r->ops->vm_create(&(struct hv_vm_config){.ipa_bits = 48, .els = 3}, &r->vm, &e) ||
	    r->ops->mem_map(r->vm, GPA, r->ram, RAM_BYTES, HV_READ | HV_WRITE | HV_EXEC) ||
	    r->ops->vcpu_create(r->vm, 0, &r->cpu, &e))
		die("the machine cannot be made");
}

struct judge_rig *judge_rig_new(const struct judge_hello *reference)
{
	struct judge_rig *r = calloc(1, sizeof(*r));

	if (!r)
		die("memory");
	for (unsigned i = 0; i < JUDGE_SCRATCH_BYTES / 8; i++)
		r->pristine[i] = judge_fill(i);
	r->pristine_hash = judge_hash(r->pristine);
	create(r);
	make_tables(r);
	fill_words(r->ram + VECTORS, 2048, HVC_0);
	fill_words(r->ram + CODE, JUDGE_CODE_BYTES, SVC_0);
	set_up_el1(r, reference && reference->sp_align_check);
	find_features(r);
	for (enum a64_op op = A64_UNDEFINED + 1; op < A64_OP_COUNT; op++) {
		const char *feature = a64_feature_names[a64_rows[op].feature];

		r->has[op] = has_here(r, feature) && judge_has_feature(reference, feature);
	}
	start_timer(r);
	return r;
}

void judge_rig_free(struct judge_rig *r)
{
	kicked = NULL;
	r->ops->vcpu_destroy(r->cpu);
	r->ops->vm_destroy(r->vm);
	free(r->ram);
	free(r);
}

/* ---- a case ---- */

static void load(struct judge_rig *r, const struct judge_case *c)
{
	const struct judge_state *s = &c->state;
	unsigned char *slot = r->ram + CODE + c->slot * JUDGE_SLOT_BYTES;

	fill_words(slot, JUDGE_SLOT_BYTES, SVC_0);
	fill_words(slot, JUDGE_PROLOGUE_BYTES, CLREX);
	memcpy(slot + JUDGE_PROLOGUE_BYTES, c->word, c->count * 4);
	for (unsigned i = 0; i < SCRATCH_PAGES; i++)
		memcpy(r->ram + SCRATCH + i * SCRATCH_STEP, r->pristine + i * PAGE / 8, PAGE);
	set(r, REG_PSTATE, s->nzcv); /* EL0t */
	for (unsigned i = 0; i < 31; i++)
		set(r, REG_X(i), s->x[i]);
	for (unsigned i = 0; i < 32; i++)
		r->ops->set_vreg(r->cpu, i, s->v[i]);
	set(r, REG_SP_EL0, s->sp);
	set(r, REG_FPCR, s->fpcr);
	set(r, REG_FPSR, s->fpsr);
	set(r, REG_PC, JUDGE_CODE + c->slot * JUDGE_SLOT_BYTES);
}

static void save(struct judge_rig *r, struct judge_state *s)
{
	for (unsigned i = 0; i < 31; i++)
		s->x[i] = get(r, REG_X(i));
	for (unsigned i = 0; i < 32; i++)
		r->ops->get_vreg(r->cpu, i, s->v[i]);
	s->sp = get(r, REG_SP_EL0);
	s->nzcv = get(r, REG_SYS(SYS_SPSR_EL1)) & 0xf0000000;
	s->fpcr = get(r, REG_FPCR);
	s->fpsr = get(r, REG_FPSR);
	s->pc = get(r, REG_SYS(SYS_ELR_EL1));
}

static bool in_code(uint64_t va)
{
	return va - (JUDGE_CODE - 64) < JUDGE_CODE_BYTES + 64 ||
	       va - JUDGE_PROGRAM < JUDGE_PROGRAM_END - JUDGE_PROGRAM;
}

/* By the exception class and fault status, D24.2.40 ESR_EL1. */
static enum judge_kind kind_of(struct judge_rig *r, const struct judge_case *c, uint64_t pc)
{
	uint64_t esr = get(r, REG_SYS(SYS_ESR_EL1)), far = get(r, REG_SYS(SYS_FAR_EL1));
	uint64_t slot = JUDGE_CODE + c->slot * JUDGE_SLOT_BYTES;

	if (in_code(pc) && pc - slot > JUDGE_SLOT_BYTES)
		return JUDGE_WILD; /* a branch has led into other code */
	switch (esr >> 26 & 63) {
	case 0x15:
		return JUDGE_DONE;
	case 0x20:
		return in_code(pc) ? JUDGE_WILD : JUDGE_SEGV;
	case 0x24:
		if ((esr & 63) == 0x21)
			return JUDGE_BUS;
		return in_code(far & UINT64_MAX >> 8) ? JUDGE_WILD : JUDGE_SEGV;
	case 0x22:
	case 0x26:
		return JUDGE_BUS;
	case 0x3c:
		return JUDGE_TRAP;
	default:
		return JUDGE_ILL;
	}
}

/* Those before the fault, as if no branch were taken. */
static void note_steps(struct judge_rig *r, const struct judge_case *c, enum judge_kind kind,
		       uint64_t pc)
{
	uint64_t code = JUDGE_CODE + c->slot * JUDGE_SLOT_BYTES + JUDGE_PROLOGUE_BYTES;
	uint64_t n = (pc - code) / 4 + 1;

	r->step_count = kind == JUDGE_DONE || n > c->count ? c->count : n;
	for (unsigned i = 0; i < r->step_count; i++)
		r->steps[i] = a64_decode(c->word[i]);
}

static const unsigned char *changes(struct judge_rig *r, struct judge_result *out)
{
	const uint64_t *memory = r->scratch;
	unsigned first = 0, end = JUDGE_SCRATCH_BYTES / 8;

	for (unsigned i = 0; i < SCRATCH_PAGES; i++)
		memcpy(r->scratch + i * PAGE / 8, r->ram + SCRATCH + i * SCRATCH_STEP, PAGE);
	while (first < end && memory[first] == r->pristine[first])
		first++;
	while (end > first && memory[end - 1] == r->pristine[end - 1])
		end--;
	out->changed = first * 8;
	out->changed_bytes = (end - first) * 8;
	out->hash = out->changed_bytes ? judge_hash(memory) : r->pristine_hash;
	return (const unsigned char *)r->scratch + out->changed;
}

/* Until HVC; false: it does not end. */
static bool run_guest(struct judge_rig *r)
{
	struct hv_exit x;

	for (unsigned kicks = 0; kicks < 3; kicks++) {
		r->ops->run(r->cpu, &x);
		if (x.kind == HV_EXIT_HVC)
			return true;
		if (x.kind != HV_EXIT_KICK)
			break;
	}
	if (x.kind != HV_EXIT_KICK)
		die("an exit of another kind");
	return false;
}

void judge_rig_run(struct judge_rig *r, const struct judge_case *c, struct judge_result *out,
		   const unsigned char **changed)
{
	bool ended;

	memset(out, 0, sizeof(*out));
	load(r, c);
	ended = run_guest(r);
	save(r, &out->state);
	out->kind = ended ? kind_of(r, c, out->state.pc) : JUDGE_TIMEOUT;
	note_steps(r, c, out->kind, out->state.pc);
	*changed = changes(r, out);
}

unsigned judge_rig_steps(const struct judge_rig *r, const enum a64_op **ops)
{
	*ops = r->steps;
	return r->step_count;
}

bool judge_rig_undefined(struct judge_rig *r, uint32_t word)
{
	struct judge_case c = {.count = 1, .word = {word}};
	const unsigned char *changed;
	struct judge_result out;

	for (unsigned i = 0; i < 31; i++)
		c.state.x[i] = JUDGE_SCRATCH + 2048;
	c.state.sp = JUDGE_SCRATCH + 2048;
	judge_rig_run(r, &c, &out, &changed);
	return out.kind == JUDGE_ILL;
}

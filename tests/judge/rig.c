// SPDX-License-Identifier: Apache-2.0
/*
 * What the instruction functions call, for EL0 under Linux: translation is the identity, data accesses
 * may be misaligned, the top byte of lower addresses is ignored (Arm ARM, DDI 0487, D8.8).
 */
#include "rig.h"

#include "hv/soft/cpu.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Rows whose file is not linked are NULL. */
#define A64_OP(name) extern soft_fn soft_##name __attribute__((weak));
A64_OPS(A64_OP)
#undef A64_OP

struct judge_rig {
	struct soft_cpu cpu;
	bool has[A64_OP_COUNT];
	uint32_t kind;
	unsigned step_count;
	enum a64_op steps[JUDGE_MAX_STEPS];
	struct soft_tlb_entry tlb[1 << SOFT_TLB_BITS];
	_Alignas(16) uint64_t scratch[JUDGE_SCRATCH_BYTES / 8];
	uint64_t pristine[JUDGE_SCRATCH_BYTES / 8], pristine_hash;
};

static soft_fn *function(enum a64_op op)
{
	static soft_fn *const table[A64_OP_COUNT] = {
#define A64_OP(name) [A64_##name] = soft_##name,
		A64_OPS(A64_OP)
#undef A64_OP
	};

	return op == A64_UNDEFINED ? NULL : table[op];
}

bool judge_rig_has(const struct judge_rig *r, enum a64_op op)
{
	return r->has[op];
}

/* ---- what cpu.h declares ---- */

static struct judge_rig *rig_of(struct soft_cpu *c)
{
	return (struct judge_rig *)((char *)c - offsetof(struct judge_rig, cpu));
}

static void fault(struct soft_cpu *c, enum judge_kind kind)
{
	struct judge_rig *r = rig_of(c);

	if (r->kind == JUDGE_DONE)
		r->kind = kind;
}

void soft_undefined(struct soft_cpu *c)
{
	fault(c, JUDGE_ILL);
}

void soft_raise_svc(struct soft_cpu *c, uint16_t imm)
{
	fault(c, JUDGE_WILD);
}

void soft_raise_brk(struct soft_cpu *c, uint16_t imm)
{
	fault(c, JUDGE_TRAP);
}

void soft_raise_alignment(struct soft_cpu *c, uint64_t va, bool is_write)
{
	fault(c, JUDGE_BUS);
}

void soft_raise_sp_alignment(struct soft_cpu *c)
{
	fault(c, JUDGE_BUS);
}

void soft_raise_pc_alignment(struct soft_cpu *c, uint64_t pc)
{
	fault(c, JUDGE_BUS);
}

bool soft_fp_check(struct soft_cpu *c)
{
	return true;
}

/* Linux sets TCR_EL1.TBI0 only. */
static uint64_t without_tag(uint64_t va)
{
	return va >> 55 & 1 ? va : va & UINT64_MAX >> 8;
}

static bool in_code(uint64_t va)
{
	return va - (JUDGE_CODE - 64) < JUDGE_CODE_BYTES + 64 ||
	       va - JUDGE_PROGRAM < JUDGE_PROGRAM_END - JUDGE_PROGRAM;
}

/* Host address of [va, va+bytes), or NULL after a fault. */
static void *at(struct soft_cpu *c, uint64_t va, unsigned bytes, unsigned flags, bool write)
{
	uint64_t a = without_tag(va), offset = a - JUDGE_SCRATCH;

	if (flags & SOFT_MEM_ALIGNED && a & (bytes - 1)) {
		soft_raise_alignment(c, va, write);
		return NULL;
	}
	if (offset > JUDGE_SCRATCH_BYTES - bytes || offset >= JUDGE_SCRATCH_BYTES) {
		fault(c, in_code(a) ? JUDGE_WILD : JUDGE_SEGV);
		return NULL;
	}
	return (char *)rig_of(c)->scratch + offset;
}

bool soft_read_slow(struct soft_cpu *c, uint64_t va, unsigned bytes, unsigned flags,
		    uint64_t *value)
{
	const void *p = at(c, va, bytes, flags, false);

	if (!p)
		return false;
	*value = 0;
	memcpy(value, p, bytes);
	return true;
}

bool soft_write_slow(struct soft_cpu *c, uint64_t va, unsigned bytes, unsigned flags,
		     uint64_t value)
{
	void *p = at(c, va, bytes, flags, true);

	if (!p)
		return false;
	memcpy(p, &value, bytes);
	return true;
}

void *soft_host(struct soft_cpu *c, uint64_t va, unsigned bytes, bool write, unsigned flags)
{
	return at(c, va, bytes, flags | SOFT_MEM_ALIGNED, write);
}

bool soft_probe_write(struct soft_cpu *c, uint64_t va, unsigned bytes, unsigned flags)
{
	return at(c, va, bytes, flags & ~(unsigned)SOFT_MEM_ALIGNED, true);
}

bool soft_read16(struct soft_cpu *c, uint64_t va, unsigned flags, uint64_t value[2])
{
	const void *p = at(c, va, 16, flags, false);

	if (!p)
		return false;
	memcpy(value, p, 16);
	return true;
}

bool soft_write16(struct soft_cpu *c, uint64_t va, unsigned flags, const uint64_t value[2])
{
	void *p = at(c, va, 16, flags, true);

	if (!p)
		return false;
	memcpy(p, value, 16);
	return true;
}

/* ---- running ---- */

static void fill_tlb(struct judge_rig *r)
{
	for (unsigned i = 0; i < 1 << SOFT_TLB_BITS; i++)
		for (unsigned a = 0; a < SOFT_ACCESS_COUNT; a++)
			r->tlb[i].tag[a] = (uint64_t)(i ^ 1) << SOFT_PAGE_BITS;
	for (uint64_t va = JUDGE_SCRATCH; va < JUDGE_SCRATCH + JUDGE_SCRATCH_BYTES;
	     va += SOFT_PAGE) {
		struct soft_tlb_entry *e =
			&r->tlb[va >> SOFT_PAGE_BITS & ((1 << SOFT_TLB_BITS) - 1)];

		e->tag[SOFT_READ] = e->tag[SOFT_WRITE] = va;
		e->addend = (uint64_t)(uintptr_t)r->scratch - JUDGE_SCRATCH;
	}
}

struct judge_rig *judge_rig_new(const struct judge_hello *reference)
{
	struct judge_rig *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	for (unsigned i = 0; i < JUDGE_SCRATCH_BYTES / 8; i++)
		r->pristine[i] = judge_fill(i);
	r->pristine_hash = judge_hash(r->pristine);
	memcpy(r->scratch, r->pristine, sizeof(r->scratch));
	fill_tlb(r);
	r->cpu.tlb = r->tlb;
	r->cpu.sp_align_check = reference && reference->sp_align_check;
	for (enum a64_op op = 0; op < A64_OP_COUNT; op++)
		r->has[op] = function(op) &&
			     judge_has_feature(reference, a64_feature_names[a64_rows[op].feature]);
	r->cpu.tbi_mask[0] = UINT64_MAX >> 8;
	r->cpu.tbi_mask[1] = UINT64_MAX;
	return r;
}

void judge_rig_free(struct judge_rig *r)
{
	free(r);
}

static void load(struct judge_rig *r, const struct judge_state *s)
{
	struct soft_cpu *c = &r->cpu;

	memcpy(c->x, s->x, sizeof(c->x));
	c->sp = s->sp;
	memcpy(c->v, s->v, sizeof(c->v));
	c->nzcv = s->nzcv;
	c->fp.fpcr = s->fpcr;
	c->fp.fpsr = s->fpsr;
	c->excl_valid = false;
	c->budget = 1 << 20;
	r->kind = JUDGE_DONE;
	r->step_count = 0;
}

static void save(const struct judge_rig *r, struct judge_state *s)
{
	const struct soft_cpu *c = &r->cpu;

	memcpy(s->x, c->x, sizeof(s->x));
	s->sp = c->sp;
	memcpy(s->v, c->v, sizeof(s->v));
	s->nzcv = c->nzcv;
	s->fpcr = c->fp.fpcr;
	s->fpsr = c->fp.fpsr;
	s->pc = c->pc;
}

static void step(struct judge_rig *r, uint32_t word)
{
	enum a64_op op = a64_decode(word);

	r->steps[r->step_count++] = op;
	r->cpu.next_pc = r->cpu.pc + 4;
	if (!r->has[op])
		soft_undefined(&r->cpu);
	else
		function(op)(&r->cpu, word);
	if (r->kind == JUDGE_DONE)
		r->cpu.pc = without_tag(r->cpu.next_pc);
}

/* The instruction at PC; what is not in the case is a fault. */
static void fetch(struct judge_rig *r, const struct judge_case *c, uint64_t code)
{
	uint64_t pc = r->cpu.pc, offset = pc - code;

	if (pc & 3)
		r->kind = JUDGE_BUS;
	else if (offset < c->count * 4ull)
		step(r, c->word[offset / 4]);
	else
		r->kind = in_code(pc) ? JUDGE_WILD : JUDGE_SEGV;
}

/* First and last differences from the memory's first contents. */
static const unsigned char *changes(struct judge_rig *r, struct judge_result *out)
{
	unsigned first = 0, end = JUDGE_SCRATCH_BYTES / 8;

	out->hash = r->pristine_hash;
	out->changed_bytes = 0;
	out->changed = JUDGE_SCRATCH_BYTES;
	if (memcmp(r->scratch, r->pristine, sizeof(r->scratch)) == 0)
		return NULL;
	while (r->scratch[first] == r->pristine[first])
		first++;
	while (r->scratch[end - 1] == r->pristine[end - 1])
		end--;
	out->changed = first * 8;
	out->changed_bytes = (end - first) * 8;
	out->hash = judge_hash(r->scratch);
	return (const unsigned char *)(r->scratch + first);
}

void judge_rig_run(struct judge_rig *r, const struct judge_case *c, struct judge_result *out,
		   const unsigned char **changed)
{
	uint64_t code = JUDGE_CODE + c->slot * JUDGE_SLOT_BYTES + JUDGE_PROLOGUE_BYTES;
	uint64_t slot_end = code - JUDGE_PROLOGUE_BYTES + JUDGE_SLOT_BYTES;

	memcpy(r->scratch, r->pristine, sizeof(r->scratch));
	load(r, &c->state);
	r->cpu.pc = code;
	while (r->kind == JUDGE_DONE) {
		uint64_t pc = r->cpu.pc;

		if (pc >= code + c->count * 4 && pc < slot_end && !(pc & 3))
			break;
		fetch(r, c, code);
		if (r->step_count == JUDGE_MAX_STEPS)
			r->kind = JUDGE_TIMEOUT;
	}
	memset(out, 0, sizeof(*out));
	save(r, &out->state);
	out->kind = r->kind;
	*changed = changes(r, out);
}

unsigned judge_rig_steps(const struct judge_rig *r, const enum a64_op **ops)
{
	*ops = r->steps;
	return r->step_count;
}

bool judge_rig_undefined(struct judge_rig *r, uint32_t word)
{
	enum a64_op op = a64_decode(word);

	if (op == A64_UNDEFINED)
		return true;
	if (!function(op))
		return false;
	r->kind = JUDGE_DONE;
	r->cpu.pc = JUDGE_CODE + JUDGE_PROLOGUE_BYTES;
	r->cpu.next_pc = r->cpu.pc + 4;
	for (unsigned i = 0; i < 31; i++)
		r->cpu.x[i] = JUDGE_SCRATCH + 2048;
	r->cpu.sp = JUDGE_SCRATCH + 2048;
	function(op)(&r->cpu, word);
	return r->kind == JUDGE_ILL;
}

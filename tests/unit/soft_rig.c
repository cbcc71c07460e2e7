// SPDX-License-Identifier: Apache-2.0
#include "soft_rig.h"
#include "util/bits.h"

#include <stdlib.h>
#include <string.h>

/* Weak: what a test does not link is NULL here and is not pulled in either. */
#define A64_OP(name) extern soft_fn soft_##name __attribute__((weak));
A64_OPS(A64_OP)
#undef A64_OP

static soft_fn *const functions[A64_OP_COUNT] = {
#define A64_OP(name) [A64_##name] = soft_##name,
	A64_OPS(A64_OP)
#undef A64_OP
};

struct soft_rig *soft_rig_make(void)
{
	struct soft_rig *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	r->c.pc = SOFT_RIG_PC;
	r->c.tlb = r->tlb;
	r->c.tbi_mask[0] = r->c.tbi_mask[1] = ~0ULL;
	r->c.fetch_page = 1;
	/* An address of slot 1 in slot 0 and the other way round. */
	for (unsigned i = 0; i < ARRAY_COUNT(r->tlb); i++)
		for (unsigned k = 0; k < SOFT_ACCESS_COUNT; k++)
			r->tlb[i].tag[k] = (uint64_t)(i ^ 1) << SOFT_PAGE_BITS;
	return r;
}

void soft_rig_drop(struct soft_rig *r)
{
	free(r);
}

void soft_rig_fill_tlb(struct soft_rig *r)
{
	for (unsigned at = 0; at < sizeof(r->mem); at += SOFT_PAGE) {
		uint64_t va = SOFT_RIG_MEM + at;
		struct soft_tlb_entry *e =
			&r->tlb[va >> SOFT_PAGE_BITS & (ARRAY_COUNT(r->tlb) - 1)];

		e->tag[SOFT_READ] = e->tag[SOFT_WRITE] = va;
		e->addend = (uintptr_t)(r->mem + at) - va;
	}
}

enum soft_rig_event soft_rig_run(struct soft_rig *r, uint32_t word)
{
	soft_fn *fn = functions[a64_decode(word)];

	r->event = SOFT_RIG_OK;
	r->arg = 0;
	r->c.next_pc = r->c.pc + 4;
	if (!fn)
		return r->event = SOFT_RIG_UNDEFINED;
	fn(&r->c, word);
	if (r->event == SOFT_RIG_OK)
		r->c.pc = r->c.next_pc;
	return r->event;
}

/* ---- exceptions ---- */

static void raise_event(struct soft_cpu *c, enum soft_rig_event event, uint64_t arg)
{
	struct soft_rig *r = container_of(c, struct soft_rig, c);

	r->event = event;
	r->arg = arg;
}

void soft_undefined(struct soft_cpu *c)
{
	raise_event(c, SOFT_RIG_UNDEFINED, 0);
}

void soft_raise_svc(struct soft_cpu *c, uint16_t imm)
{
	raise_event(c, SOFT_RIG_SVC, imm);
}

void soft_raise_brk(struct soft_cpu *c, uint16_t imm)
{
	raise_event(c, SOFT_RIG_BRK, imm);
}

void soft_raise_alignment(struct soft_cpu *c, uint64_t va, bool is_write)
{
	raise_event(c, SOFT_RIG_ALIGNMENT, va);
}

void soft_raise_sp_alignment(struct soft_cpu *c)
{
	raise_event(c, SOFT_RIG_SP_ALIGNMENT, 0);
}

void soft_raise_pc_alignment(struct soft_cpu *c, uint64_t pc)
{
	raise_event(c, SOFT_RIG_PC_ALIGNMENT, pc);
}

bool soft_fp_check(struct soft_cpu *c)
{
	if (container_of(c, struct soft_rig, c)->fp_off)
		raise_event(c, SOFT_RIG_FP_TRAP, 0);
	return !container_of(c, struct soft_rig, c)->fp_off;
}

/* ---- memory ---- */

static uint8_t *access_memory(struct soft_cpu *c, uint64_t va, unsigned bytes, unsigned flags,
			      bool write)
{
	struct soft_rig *r = container_of(c, struct soft_rig, c);

	r->flags = flags;
	if (va & (bytes - 1) && (flags & SOFT_MEM_ALIGNED || c->align_check)) {
		soft_raise_alignment(c, va, write);
		return NULL;
	}
	if (va - SOFT_RIG_MEM > sizeof(r->mem) - bytes || r->abort_at - va < bytes) {
		raise_event(c, SOFT_RIG_ABORT, va);
		return NULL;
	}
	return r->mem + (va - SOFT_RIG_MEM);
}

/* In the guest's byte order to the host's (little-endian), or back. */
static uint64_t swap(const struct soft_cpu *c, uint64_t value, unsigned bytes)
{
	return c->big_endian ? __builtin_bswap64(value) >> (64 - 8 * bytes) : value;
}

bool soft_read_slow(struct soft_cpu *c, uint64_t va, unsigned bytes, unsigned flags,
		    uint64_t *value)
{
	const uint8_t *p = access_memory(c, va, bytes, flags, false);
	uint64_t v = 0;

	if (!p)
		return false;
	memcpy(&v, p, bytes);
	*value = swap(c, v, bytes);
	return true;
}

bool soft_write_slow(struct soft_cpu *c, uint64_t va, unsigned bytes, unsigned flags,
		     uint64_t value)
{
	uint8_t *p = access_memory(c, va, bytes, flags, true);

	if (!p)
		return false;
	value = swap(c, value, bytes);
	memcpy(p, &value, bytes);
	return true;
}

void *soft_host(struct soft_cpu *c, uint64_t va, unsigned bytes, bool write, unsigned flags)
{
	return access_memory(c, va, bytes, flags | SOFT_MEM_ALIGNED, write);
}

bool soft_probe_write(struct soft_cpu *c, uint64_t va, unsigned bytes, unsigned flags)
{
	for (unsigned i = 0; i < bytes; i++)
		if (!access_memory(c, va + i, 1, flags & ~(unsigned)SOFT_MEM_ALIGNED, true))
			return false;
	return true;
}

bool soft_read16(struct soft_cpu *c, uint64_t va, unsigned flags, uint64_t value[2])
{
	const uint8_t *p = access_memory(c, va, 16, flags, false);

	if (!p)
		return false;
	memcpy(&value[c->big_endian], p, 8);
	memcpy(&value[!c->big_endian], p + 8, 8);
	value[0] = swap(c, value[0], 8);
	value[1] = swap(c, value[1], 8);
	return true;
}

bool soft_write16(struct soft_cpu *c, uint64_t va, unsigned flags, const uint64_t value[2])
{
	uint8_t *p = access_memory(c, va, 16, flags, true);
	uint64_t v[2] = {swap(c, value[c->big_endian], 8), swap(c, value[!c->big_endian], 8)};

	if (!p)
		return false;
	memcpy(p, v, 16);
	return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands at VBAR_EL1 of a managed view. A patch with a handler (divert.h) is carried out here, and the guest goes
 * on behind it. For all else: save the general registers and what says what happened, leave the guest, and, when it is
 * entered again, load them and return from the exception. Arm ARM (DDI 0487): vectors D1.3.1, encodings C6.2.
 *
 * TPIDR_EL1 points at the bank, TPIDRRO_EL0 is for scratch: in a managed view the guest gets at neither. X30 is the
 * bank all the way.
 *
 * Until the guest is left, whatever is done here can be undone, by stub_undo(): only X0 to X3 and X30 are changed, after
 * they have been saved, and a handler moves ELR_EL1 on when it has nothing else to do.
 */
#include "reverse/reverse_int.h"

#include "reverse/emit.h"
#include "util/bits.h"

#include <string.h>

enum {
	VECTORS = 16,
	VECTOR_WORDS = 0x80 / 4,
	SYNC_SP0 = 0,
	SYNC_SPX = 4,
	BRK_EC = 0x3c,
	B_NE = 0x54000001,
	B_HS = 0x54000002,
	/* Words of a vector after which something is saved. */
	SAVED_X30 = 1,
	SAVED_X1 = 3,
	SAVED_X3 = 4,
};

#define TPIDR_EL1   SYSREG(3, 0, 13, 0, 4)
#define TPIDRRO_EL0 SYSREG(3, 3, 13, 0, 3)
#define ELR_EL1	    SYSREG(3, 0, 4, 0, 1)
#define SPSR_EL1    SYSREG(3, 0, 4, 0, 0)
#define SP_EL0	    SYSREG(3, 0, 4, 1, 0)
#define ESR_EL1	    SYSREG(3, 0, 5, 2, 0)
#define FAR_EL1	    SYSREG(3, 0, 6, 0, 0)

#define AT(field)   offsetof(struct bank, field)

static void vector(struct emitter *e, unsigned n, const struct stub *s)
{
	bool sync = n == SYNC_SP0 || n == SYNC_SPX;

	e->at = n * VECTOR_WORDS;
	emit_msr(e, TPIDRRO_EL0, 30);
	emit_mrs(e, EMIT_BANK, TPIDR_EL1);
	emit_stp(e, 0, 1, AT(x));
	emit_stp(e, 2, 3, AT(x[2]));
	emit(e, 0xd2800000 | n << 5); /* MOV X0, #n */
	emit_b(e, REVERSE_VECTORS + (sync ? s->sync : s->save));
}

/* Is it a patch with a handler? X0: the number of the vector. */
static void sync(struct emitter *e, struct stub *s)
{
	uint32_t other[4];

	s->sync = e->at * 4;
	emit_mrs(e, 1, ESR_EL1);
	emit(e, 0xd35afc22); /* LSR X2, X1, #26: EC */
	emit(e, 0xf100005f | BRK_EC << 10);
	other[0] = emit_ahead(e, B_NE);
	emit_ldr(e, 2, AT(slow));
	other[1] = emit_ahead(e, 0xb5000002); /* CBNZ X2 */
	emit(e, 0x92403c21);		      /* AND X1, X1, #0xffff: the immediate */
	emit(e, 0xd1400021 | INTERCEPT_SLOT_FIRST >> 12 << 10); /* SUB X1, X1, #FIRST */
	emit(e, 0xf140003f | SLOT_COUNT >> 12 << 10);		/* CMP X1, #SLOT_COUNT */
	other[2] = emit_ahead(e, B_HS);
	emit_ldr(e, 2, AT(actions_va));
	emit(e, 0x78617841); /* LDRH W1, [X2, X1, LSL #1] */
	other[3] = emit_ahead(e, 0xb4000001);
	emit_ldr(e, 2, AT(handlers_va));
	emit(e, 0x8b010841); /* ADD X1, X2, X1, LSL #2 */
	emit(e, 0xd61f0020); /* BR X1 */
	for (unsigned i = 0; i < ARRAY_COUNT(other); i++)
		emit_land(e, other[i]);
	emit_b(e, REVERSE_VECTORS + s->save);
}

/* A handler cannot do it after all. */
static void slow(struct emitter *e, struct stub *s)
{
	s->slow = e->at * 4;
	emit_mrs(e, 0, SPSR_EL1);
	emit(e, 0x92400000); /* AND X0, X0, #1: M[0] is SP */
	emit(e, 0xd37ef400); /* LSL X0, X0, #2: SYNC_SP0 or SYNC_SPX */
	emit_b(e, REVERSE_VECTORS + s->save);
}

/* A handler has done it. */
static void finish(struct emitter *e, struct stub *s)
{
	s->finish = e->at * 4;
	emit_ldr(e, 0, AT(diverted));
	emit(e, 0x91000400); /* ADD X0, X0, #1 */
	emit_str(e, 0, AT(diverted));
	emit_mrs(e, 0, ELR_EL1);
	emit(e, 0x91001000); /* ADD X0, X0, #4 */
	emit_msr(e, ELR_EL1, 0);
	emit_ldp(e, 2, 3, AT(x[2]));
	emit_ldp(e, 0, 1, AT(x));
	emit_mrs(e, 30, TPIDRRO_EL0);
	emit(e, 0xd69f03e0); /* ERET */
}

static void save(struct emitter *e, struct stub *s)
{
	s->save = e->at * 4;
	for (unsigned n = 4; n < 30; n += 2)
		emit_stp(e, n, n + 1, AT(x) + n * 8);
	emit_mrs(e, 1, TPIDRRO_EL0);
	emit_str(e, 1, AT(x[30]));
	emit_mrs(e, 1, ELR_EL1);
	emit_mrs(e, 2, SPSR_EL1);
	emit_stp(e, 1, 2, AT(pc));
	emit_mrs(e, 1, SP_EL0);
	emit(e, 0x91000002 | EMIT_SP << 5); /* MOV X2, SP */
	emit_stp(e, 1, 2, AT(sp_el0));
	emit_mrs(e, 1, ESR_EL1);
	emit_mrs(e, 2, FAR_EL1);
	emit_stp(e, 1, 2, AT(esr));
	emit_str(e, 0, AT(vector));
	emit_ldr(e, 1, AT(exit_va));
	s->exit = e->at * 4;
	emit(e, 0xb9000020); /* STR W0, [X1] */
}

static void load(struct emitter *e, struct stub *s)
{
	s->resume = e->at * 4;
	emit_ldr(e, 1, AT(tlb_stale));
	emit(e, 0xb4000001 | 5 << 5); /* CBZ X1, over the next four */
	emit(e, 0xd508871f);	      /* TLBI VMALLE1 */
	emit(e, 0xd503379f);	      /* DSB NSH */
	emit(e, 0xd5033fdf);	      /* ISB */
	emit_str(e, EMIT_ZR, AT(tlb_stale));
	emit_ldp(e, 1, 2, AT(pc));
	emit_msr(e, ELR_EL1, 1);
	emit_msr(e, SPSR_EL1, 2);
	emit_ldp(e, 1, 2, AT(sp_el0));
	emit_msr(e, SP_EL0, 1);
	emit(e, 0x9100005f); /* MOV SP, X2 */
	for (unsigned n = 0; n < 30; n += 2)
		emit_ldp(e, n, n + 1, AT(x) + n * 8);
	emit_ldr(e, EMIT_BANK, AT(x[30]));
	emit(e, 0xd69f03e0); /* ERET */
	s->end = e->at * 4;
}

struct stub stub_emit(uint32_t code[STUB_WORDS])
{
	struct emitter e = {.code = code, .end = STUB_WORDS, .base = REVERSE_VECTORS};
	struct stub s;

	memset(code, 0, REVERSE_PAGE); /* UDF */
	e.at = VECTORS * VECTOR_WORDS;
	save(&e, &s);
	load(&e, &s);
	slow(&e, &s);
	finish(&e, &s);
	sync(&e, &s);
	for (unsigned n = 0; n < VECTORS; n++)
		vector(&e, n, &s);
	return s;
}

/* ---- stopped on the way ---- */

enum stub_where stub_where(const struct stub *s, uint64_t pc)
{
	uint64_t at = pc - REVERSE_VECTORS;

	if (pc - REVERSE_HANDLERS < DIVERT_PAGES * REVERSE_PAGE)
		return STUB_SAVING;
	if (at >= REVERSE_PAGE)
		return STUB_OUTSIDE;
	return at >= s->resume && at < s->end ? STUB_LOADING : STUB_SAVING;
}

unsigned stub_saved(uint64_t pc)
{
	uint64_t at = pc - REVERSE_VECTORS;
	uint64_t words = at < VECTORS * VECTOR_WORDS * 4 ? at % (VECTOR_WORDS * 4) / 4 : SAVED_X3;

	return (words >= SAVED_X30 ? 1U << 30 : 0) | (words >= SAVED_X1 ? 3 : 0) |
	       (words >= SAVED_X3 ? 12 : 0);
}

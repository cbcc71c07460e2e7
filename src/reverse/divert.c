/* SPDX-License-Identifier: Apache-2.0 */
/* Diversions; see divert.h. Arm ARM (DDI 0487): registers D24.2, encodings C6.2. */
#include "reverse/divert.h"

#include "reverse/emit.h"
#include "reverse/reverse_int.h"

#include "host/icache.h"
#include "util/bits.h"
#include "util/xalloc.h"

#include <stdlib.h>
#include <string.h>

#define EL(n) (1 << (n))

enum {
	EL1 = EL(1),
	EL2 = EL(2),
	EL3 = EL(3),
	EL21 = EL2 | EL1,
	EL32 = EL3 | EL2,
	EL321 = EL3 | EL2 | EL1,
	HANDLER_WORDS = 24, /* at most */
	PMCR_E = 0,
	CBZ_X1 = (int)0xb4000001,
	B_EQ = 0x54000000,
};

/* What is storage at these levels. Where a level is not among them, a trap could be due there that is not looked at here
 * (MDCR_EL3.TDA, CPTR_EL3.TCPAC). */
static const struct {
	uint16_t code;
	uint8_t read, write;
	uint8_t own;  /* level that it rules, ... */
	uint64_t hot; /* ... by these bits */
} rows[] = {
	{SYS_CurrentEL, EL321, 0, 0, 0},
	{SYS_CNTVCT_EL0, EL321, 0, 0, 0},

	{SYS_SCTLR_EL1, EL321, EL321, 1, ~0ULL},
	{SYS_ACTLR_EL1, EL321, EL32, 0, 0},
	{SYS_CPACR_EL1, EL3, EL3, 0, 0},
	{SYS_TTBR0_EL1, EL321, EL321, 1, ~0ULL},
	{SYS_TTBR1_EL1, EL321, EL321, 1, ~0ULL},
	{SYS_TCR_EL1, EL321, EL321, 1, ~0ULL},
	{SYS_MAIR_EL1, EL321, EL321, 1, ~0ULL},
	{SYS_AMAIR_EL1, EL321, EL321, 0, 0},
	{SYS_AFSR0_EL1, EL321, EL321, 0, 0},
	{SYS_AFSR1_EL1, EL321, EL321, 0, 0},
	{SYS_ESR_EL1, EL321, EL321, 0, 0},
	{SYS_FAR_EL1, EL321, EL321, 0, 0},
	{SYS_PAR_EL1, EL321, EL321, 0, 0},
	{SYS_VBAR_EL1, EL321, EL321, 0, 0},
	{SYS_ELR_EL1, EL321, EL321, 0, 0},
	{SYS_SPSR_EL1, EL321, EL321, 0, 0},
	{SYS_CONTEXTIDR_EL1, EL321, EL32, 0, 0},
	{SYS_TPIDR_EL1, EL321, EL321, 0, 0},
	{SYS_TPIDR_EL0, EL321, EL321, 0, 0},
	{SYS_TPIDRRO_EL0, EL321, EL321, 0, 0},
	{SYS_CSSELR_EL1, EL321, EL321, 0, 0},
	{SYS_CNTKCTL_EL1, EL321, EL32, 0, 0},
	{SYS_SP_EL1, EL32, EL32, 0, 0},
	{SYS_PMCR_EL0, EL3, EL3, 0, 0},

	{SYS_HCR_EL2, EL32, EL32, 2, ~0ULL},
	{SYS_SCTLR_EL2, EL32, EL32, 2, ~0ULL},
	{SYS_TTBR0_EL2, EL32, EL32, 2, ~0ULL},
	{SYS_TCR_EL2, EL32, EL32, 2, ~0ULL},
	{SYS_MAIR_EL2, EL32, EL32, 2, ~0ULL},
	{SYS_ACTLR_EL2, EL32, EL32, 0, 0},
	{SYS_AMAIR_EL2, EL32, EL32, 0, 0},
	{SYS_AFSR0_EL2, EL32, EL32, 0, 0},
	{SYS_AFSR1_EL2, EL32, EL32, 0, 0},
	{SYS_ESR_EL2, EL32, EL32, 0, 0},
	{SYS_FAR_EL2, EL32, EL32, 0, 0},
	{SYS_HPFAR_EL2, EL32, EL32, 0, 0},
	{SYS_VBAR_EL2, EL32, EL32, 0, 0},
	{SYS_ELR_EL2, EL32, EL32, 0, 0},
	{SYS_SPSR_EL2, EL32, EL32, 0, 0},
	{SYS_TPIDR_EL2, EL32, EL32, 0, 0},
	{SYS_HACR_EL2, EL32, EL32, 0, 0},
	{SYS_HSTR_EL2, EL32, EL32, 0, 0},
	{SYS_VPIDR_EL2, EL32, EL32, 0, 0},
	{SYS_VMPIDR_EL2, EL32, EL32, 0, 0},
	{SYS_VTCR_EL2, EL32, EL32, 0, 0},
	{SYS_VTTBR_EL2, EL32, EL32, 0, 0},
	{SYS_CNTHCTL_EL2, EL32, EL3, 0, 0},
	{SYS_CPTR_EL2, EL3, EL3, 0, 0},
	{SYS_MDCR_EL2, EL3, EL3, 0, 0},
	{SYS_SP_EL2, EL3, EL3, 0, 0},

	{SYS_SCR_EL3, EL3, EL3, 0, 0},
	{SYS_MDCR_EL3, EL3, EL3, 0, 0},
	{SYS_SCTLR_EL3, EL3, EL3, 3, 0x020810cf}, /* EE, WXN, I, nAA, SA, C, A, M */
	{SYS_CPTR_EL3, EL3, EL3, 3, 1 << 10},	  /* TFP */
	{SYS_TTBR0_EL3, EL3, EL3, 3, ~0ULL},
	{SYS_TCR_EL3, EL3, EL3, 3, ~0ULL},
	{SYS_MAIR_EL3, EL3, EL3, 3, ~0ULL},
	{SYS_ACTLR_EL3, EL3, EL3, 0, 0},
	{SYS_AMAIR_EL3, EL3, EL3, 0, 0},
	{SYS_AFSR0_EL3, EL3, EL3, 0, 0},
	{SYS_AFSR1_EL3, EL3, EL3, 0, 0},
	{SYS_ESR_EL3, EL3, EL3, 0, 0},
	{SYS_FAR_EL3, EL3, EL3, 0, 0},
	{SYS_VBAR_EL3, EL3, EL3, 0, 0},
	{SYS_ELR_EL3, EL3, EL3, 0, 0},
	{SYS_SPSR_EL3, EL3, EL3, 0, 0},
	{SYS_TPIDR_EL3, EL3, EL3, 0, 0},
};

/* HCR_EL2: what of it does not concern any of the registers here, from EL1. */
#define HCR_HARMLESS                                                                               \
	(1ULL << ARM_HCR_VM | 1ULL << 1 | 1ULL << ARM_HCR_PTW | 1ULL << ARM_HCR_FMO |              \
	 1ULL << ARM_HCR_IMO | 1ULL << ARM_HCR_AMO | 1ULL << ARM_HCR_VF | 1ULL << ARM_HCR_VI |     \
	 1ULL << ARM_HCR_VSE | 1ULL << ARM_HCR_FB | 3ULL << 10 | 1ULL << ARM_HCR_DC |              \
	 1ULL << ARM_HCR_TWI | 1ULL << ARM_HCR_TWE | 1ULL << ARM_HCR_TSC | 1ULL << ARM_HCR_HCD |   \
	 1ULL << ARM_HCR_RW | 3ULL << 40)

/* ---- making ---- */

enum { ACTION_BYTES = SLOT_COUNT * sizeof(uint16_t) };

unsigned divert_action_pages(void)
{
	return ACTION_BYTES / REVERSE_PAGE;
}

static unsigned add_row(struct divert *d, const struct hv_vm *vm, const struct sysreg_desc *desc,
			uint8_t read, uint8_t write)
{
	unsigned n = d->count;

	if (n == DIVERT_ENTRIES || !sysreg_exists(desc, &vm->features, vm->els))
		return DIVERT_ENTRIES;
	d->row[n].code = desc->code;
	d->row[n].read = read & desc->read;
	d->row[n].write = write & desc->write;
	d->count++;
	return n;
}

static void add_table(struct divert *d, const struct hv_vm *vm)
{
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const struct sysreg_desc *desc = sysreg_lookup(rows[i].code);
		unsigned n = add_row(d, vm, desc, rows[i].read, rows[i].write);

		if (n == DIVERT_ENTRIES)
			continue;
		d->row[n].own = rows[i].own;
		d->row[n].hot = rows[i].hot;
		if (rows[i].code == SYS_SCR_EL3)
			d->scr = n;
	}
}

/* Others that are constant can be trapped to EL3, those of debug and RAS. */
static bool is_identification(const struct sysreg_desc *d)
{
	return d->flags & SYSREG_MODEL && SYSREG_OP0(d->code) == 3 && SYSREG_CRN(d->code) == 0 &&
	       SYSREG_OP1(d->code) <= 3;
}

/* What tells who a PE is can be another one for EL1, as EL2 has it. */
static void add_constants(struct divert *d, const struct hv_vm *vm)
{
	size_t count;
	const struct sysreg_desc *desc = sysreg_table(&count);

	for (size_t i = 0; i < count; i++) {
		uint16_t code = desc[i].code;
		unsigned n = DIVERT_ENTRIES;

		if (is_identification(&desc[i]))
			n = add_row(d, vm, &desc[i], EL321, 0);
		if (n < DIVERT_ENTRIES)
			d->row[n].constant = code != SYS_MIDR_EL1 && code != SYS_MPIDR_EL1;
	}
}

struct divert *divert_create(struct hidden *h, const struct hv_vm *vm, bool on)
{
	struct divert *d = xcalloc(1, sizeof(*d) + SLOT_COUNT * sizeof(bool));
	bool ok;

	d->on = on;
	d->handler = hidden_pages(h, DIVERT_PAGES, &d->handler_gpa);
	d->used = 1;
	ok = d->handler;
	for (unsigned el = 1; el < DIVERT_LEVELS; el++) {
		d->action[el] = hidden_pages(h, divert_action_pages(), &d->action_gpa[el]);
		ok = ok && d->action[el];
	}
	if (!ok) {
		free(d);
		return NULL;
	}
	d->scr = DIVERT_ENTRIES;
	add_table(d, vm);
	add_constants(d, vm);
	return d;
}

/* ---- handlers: X0 to X3 are in the bank, X30 points to it ---- */

static size_t entry_at(unsigned n, size_t field)
{
	return offsetof(struct bank, entry) + n * sizeof(struct divert_entry) + field;
}

#define ENTRY(n, field) entry_at(n, offsetof(struct divert_entry, field))

static size_t saved_x(unsigned n)
{
	return offsetof(struct bank, x) + n * sizeof(uint64_t);
}

/* X0 = Xt of the guest */
static void get_operand(struct emitter *e, unsigned rt)
{
	if (rt < 4)
		emit_ldr(e, 0, saved_x(rt));
	else if (rt == 30)
		emit_mrs(e, 0, SYS_TPIDRRO_EL0);
	else /* XZR, too */
		emit_mov(e, 0, rt);
}

/* Xt of the guest = X0 */
static void put_result(struct emitter *e, unsigned rt)
{
	if (rt < 4)
		emit_str(e, 0, saved_x(rt));
	else if (rt == 30)
		emit_msr(e, SYS_TPIDRRO_EL0, 0);
	else if (rt != 31)
		emit_mov(e, rt, 0);
}

static void read_handler(struct emitter *e, uint16_t code, unsigned n, unsigned rt)
{
	emit_ldr(e, 0, ENTRY(n, value));
	if (code == SYS_CNTVCT_EL0) {
		emit_mrs(e, 1, SYS_CNTPCT_EL0);
		emit(e, 0xcb000020); /* SUB X0, X1, X0 */
	}
	put_result(e, rt);
}

static void write_handler(struct emitter *e, const struct stub *stub, unsigned n, unsigned rt)
{
	uint32_t same, cold;

	get_operand(e, rt);
	emit_ldr(e, 1, ENTRY(n, writable));
	emit_ldr(e, 2, ENTRY(n, fixed));
	emit(e, 0x8a010000); /* AND X0, X0, X1 */
	emit(e, 0xaa020000); /* ORR X0, X0, X2 */
	emit_ldr(e, 1, ENTRY(n, value));
	emit_ldr(e, 2, ENTRY(n, hot));
	emit(e, 0xca000021); /* EOR X1, X1, X0 */
	same = emit_ahead(e, CBZ_X1);
	emit(e, 0xea02003f); /* TST X1, X2 */
	cold = emit_ahead(e, B_EQ);
	emit_b(e, REVERSE_VECTORS + stub->slow);
	emit_land(e, cold);
	emit_str(e, 0, ENTRY(n, value));
	emit(e, 0xb2401be1); /* ORR X1, XZR, #0x7f: anything but 0 */
	emit_str(e, 1, ENTRY(n, dirty));
	emit_str(e, 1, offsetof(struct bank, dirty));
	emit_land(e, same);
}

static uint16_t add_handler(struct divert *d, const struct stub *stub, unsigned n, bool is_read,
			    unsigned rt)
{
	unsigned first = d->used;
	struct emitter e = {.code = d->handler,
			    .at = first,
			    .end = DIVERT_PAGES * REVERSE_PAGE / 4,
			    .base = REVERSE_HANDLERS};

	if (first + HANDLER_WORDS > e.end)
		return 0;
	if (is_read)
		read_handler(&e, d->row[n].code, n, rt);
	else
		write_handler(&e, stub, n, rt);
	emit_b(&e, REVERSE_VECTORS + stub->finish);
	host_icache_sync(d->handler + first, (e.at - first) * sizeof(uint32_t));
	d->used = e.at;
	return (uint16_t)first;
}

void divert_slot(struct divert *d, const struct stub *stub, unsigned slot, uint32_t word)
{
	uint16_t code = (uint16_t)(1U << 15 | bits(word, 19, 5)), handler = 0;
	bool is_read = bit(word, 21);
	unsigned n = 0;

	if (!d->on || d->known[slot])
		return;
	d->known[slot] = true;
	while (n < d->count && d->row[n].code != code)
		n++;
	if (bits(word, 31, 22) != 0x354 || !bit(word, 20) ||
	    n == d->count) /* MRS, MSR (register) */
		return;
	for (unsigned el = 1; el < DIVERT_LEVELS; el++) {
		if (!bit(is_read ? d->row[n].read : d->row[n].write, el))
			continue;
		if (!handler)
			handler = add_handler(d, stub, n, is_read, bits(word, 4, 0));
		/* Pairs with nothing: the BRK that leads here becomes visible later. */
		__atomic_store_n(&d->action[el][slot], handler, __ATOMIC_RELEASE);
	}
}

/* ---- values ---- */

/* Bits by which a register rules something that goes on meanwhile. */
static uint64_t hot_now(struct soft_cpu *c, uint16_t code)
{
	bool counting = bit(SOFT_REG(c, PMCR_EL0), PMCR_E);

	switch (code) {
	case SYS_SCR_EL3: /* SIF; where interrupts go */
		return 1 << 9 | (soft_lines(c) || soft_interrupt_pending(c) ? 0xf : 0);
	case SYS_HCR_EL2: /* what there is of other registers depends on it */
		return 1ULL << ARM_HCR_E2H;
	case SYS_MDCR_EL3:
		return counting ? ~0ULL : 0;
	case SYS_PMCR_EL0:
		return counting ? ~0ULL : 0x47; /* E, P, C, LC */
	default:
		return 0;
	}
}

static uint64_t value_of(struct soft_cpu *c, uint16_t code)
{
	if (code == SYS_CNTVCT_EL0) /* what to subtract */
		return soft_counter_offset(c);
	return soft_sysreg_value(c, code);
}

static void push_entry(const struct divert *d, struct soft_cpu *c, struct bank *b, unsigned n)
{
	struct divert_entry *e = &b->entry[n];
	uint16_t code = d->row[n].code;
	struct sysreg_masks m;

	e->value = value_of(c, code);
	e->dirty = 0;
	if (!bit(d->row[n].write, soft_el(c)))
		return;
	m = soft_sysreg_masks(c, code);
	e->writable = m.writable;
	e->fixed = (e->value & m.kept) | m.res1;
	e->hot = (d->row[n].own == soft_el(c) ? d->row[n].hot : 0) | hot_now(c, code);
}

void divert_update(const struct divert *d, struct soft_cpu *c, struct bank *b)
{
	if (d->scr < d->count)
		b->entry[d->scr].hot = hot_now(c, SYS_SCR_EL3);
}

void divert_push(const struct divert *d, struct soft_cpu *c, struct bank *b)
{
	if (!d->on)
		return;
	for (unsigned n = 0; n < d->count; n++) {
		if (!d->row[n].constant || !b->constants_known)
			push_entry(d, c, b, n);
	}
	b->constants_known = true;
	b->dirty = 0;
	b->slow = soft_el(c) == 1 && soft_hcr(c) & ~HCR_HARMLESS;
}

void divert_settle(const struct divert *d, struct soft_cpu *c, struct bank *b)
{
	if (!b->dirty)
		return;
	b->dirty = 0;
	for (unsigned n = 0; n < d->count; n++) {
		if (!b->entry[n].dirty)
			continue;
		b->entry[n].dirty = 0;
		soft_sysreg_set(c, d->row[n].code, b->entry[n].value);
	}
}

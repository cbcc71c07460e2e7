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
	SCTLR_M = 0,
	CTL_KEPT = 3,	    /* ENABLE, IMASK */
	HANDLER_WORDS = 32, /* at most */
	PMCR_E = 0,
	CBZ_X1 = (int)0xb4000001,
	B_EQ = 0x54000000,
	B_LO = 0x54000003,
	AT_WRITE = 1 << 5,
	PAR_F = 1,
};

/* In divert_at.key, above the number of the page. */
#define KEY_READ  (1ULL << 62)
#define KEY_WRITE (1ULL << 63)

/* AT S1E1R, AT S1E1W */
static bool is_at(uint32_t word)
{
	return (word & ~(uint32_t)(AT_WRITE | 31)) == 0xd5087800;
}

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
	{SYS_CNTP_CTL_EL0, EL3, EL3, 0, 0},
	{SYS_CNTP_CVAL_EL0, EL3, EL3, 0, 0},
	{SYS_CNTV_CTL_EL0, EL3, EL3, 0, 0},
	{SYS_CNTV_CVAL_EL0, EL3, EL3, 0, 0},
	{SYS_CNTPS_CTL_EL1, EL3, EL3, 0, 0},
	{SYS_CNTPS_CVAL_EL1, EL3, EL3, 0, 0},
	{SYS_CNTVOFF_EL2, EL32, 0, 0, 0},
	{SYS_ISR_EL1, EL3, 0, 0, 0},

	{SYS_MDSCR_EL1, EL3, EL3, 0, 0},
	{SYS_MDCCINT_EL1, EL3, EL3, 0, 0},

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

static enum divert_kind kind_of(uint16_t code)
{
	switch (code) {
	case SYS_CNTVCT_EL0:
		return DIVERT_COUNTER;
	case SYS_CNTP_CTL_EL0:
	case SYS_CNTPS_CTL_EL1:
		return DIVERT_TIMER_CTL;
	case SYS_CNTV_CTL_EL0:
		return DIVERT_VIRTUAL_CTL;
	case SYS_CNTP_CVAL_EL0:
	case SYS_CNTV_CVAL_EL0:
	case SYS_CNTPS_CVAL_EL1:
		return DIVERT_TIMER;
	case SYS_ISR_EL1:
		return DIVERT_ISR;
	default:
		return DIVERT_STORAGE;
	}
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
		d->row[n].kind = kind_of(rows[i].code);
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

static unsigned entry_of(const struct divert *d, uint16_t code)
{
	unsigned n = 0;

	while (n < d->count && d->row[n].code != code)
		n++;
	return n;
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
	add_table(d, vm);
	add_constants(d, vm);
	d->scr = entry_of(d, SYS_SCR_EL3);
	d->isr = entry_of(d, SYS_ISR_EL1);
	return d;
}

/* ---- handlers: X0 to X3 are in the bank, X30 points to it ---- */

static size_t entry_at(unsigned n, size_t field)
{
	return offsetof(struct bank, entry) + n * sizeof(struct divert_entry) + field;
}

#define ENTRY(n, field) entry_at(n, offsetof(struct divert_entry, field))

/* The handler goes on with what follows if the branch is taken. */
static void slow_unless(struct emitter *e, const struct stub *stub, uint32_t branch)
{
	uint32_t on = emit_ahead(e, branch);

	emit_b(e, REVERSE_VECTORS + stub->slow);
	emit_land(e, on);
}

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

/* X0 = CTL, with ISTATUS as of now; CVAL is the register behind it. */
static void read_control(struct emitter *e, const struct divert *d, unsigned n)
{
	uint32_t off, ahead;

	emit(e, 0x92400001); /* AND X1, X0, #ENABLE */
	off = emit_ahead(e, CBZ_X1);
	emit_mrs(e, 1, SYS_CNTPCT_EL0);
	if (d->row[n].kind == DIVERT_VIRTUAL_CTL && entry_of(d, SYS_CNTVOFF_EL2) < d->count) {
		emit_ldr(e, 2, ENTRY(entry_of(d, SYS_CNTVOFF_EL2), value));
		emit(e, 0xcb020021); /* SUB X1, X1, X2 */
	}
	emit_ldr(e, 2, ENTRY(entry_of(d, d->row[n].code + 1), value));
	emit(e, 0xeb02003f); /* CMP X1, X2 */
	ahead = emit_ahead(e, B_LO);
	emit(e, 0xb27e0000); /* ORR X0, X0, #ISTATUS */
	emit_land(e, ahead);
	emit_land(e, off);
}

static void read_handler(struct emitter *e, const struct stub *stub, const struct divert *d,
			 unsigned n, unsigned rt)
{
	emit_ldr(e, 0, ENTRY(n, value));
	switch (d->row[n].kind) {
	case DIVERT_COUNTER:
		emit_mrs(e, 1, SYS_CNTPCT_EL0);
		emit(e, 0xcb000020); /* SUB X0, X1, X0 */
		break;
	case DIVERT_TIMER_CTL:
	case DIVERT_VIRTUAL_CTL:
		read_control(e, d, n);
		break;
	case DIVERT_ISR: /* a timer may have been written since */
		emit_ldr(e, 1, offsetof(struct bank, timers));
		slow_unless(e, stub, CBZ_X1);
		break;
	default:
		break;
	}
	put_result(e, rt);
}

/* Nobody is to be interrupted by a timer now. */
static void check_masks(struct emitter *e, const struct stub *stub)
{
	emit_mrs(e, 1, SYS_SPSR_EL1);
	emit(e, 0x927a0421); /* AND X1, X1, #(I | F) */
	emit(e, 0xf103003f); /* CMP X1, #(I | F) */
	slow_unless(e, stub, B_EQ);
}

static bool is_timer(enum divert_kind kind)
{
	return kind == DIVERT_TIMER || kind == DIVERT_TIMER_CTL || kind == DIVERT_VIRTUAL_CTL;
}

static void write_handler(struct emitter *e, const struct stub *stub, const struct divert *d,
			  unsigned n, unsigned rt)
{
	bool timer = is_timer(d->row[n].kind);
	uint32_t same;

	if (timer)
		check_masks(e, stub);
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
	slow_unless(e, stub, B_EQ);
	emit_str(e, 0, ENTRY(n, value));
	emit(e, 0xb2401be1); /* ORR X1, XZR, #0x7f: anything but 0 */
	emit_str(e, 1, ENTRY(n, dirty));
	emit_str(e, 1, offsetof(struct bank, dirty));
	if (timer)
		emit_str(e, 1, offsetof(struct bank, timers));
	emit_land(e, same);
}

/* ---- AT S1E1R, AT S1E1W ---- */

/* PAR_EL1 as when soft did it: AT may use what a TLB has, and that is emptied along with the table here. */
static void at_handler(struct emitter *e, const struct stub *stub, unsigned par, uint32_t word)
{
	get_operand(e, bits(word, 4, 0));
	emit(e, 0xd34cfc01);				    /* LSR X1, X0, #12 */
	emit(e, 0x92401c22);				    /* AND X2, X1, #255 */
	emit(e, 0x8b0213c2);				    /* ADD X2, X30, X2, LSL #4 */
	emit(e, word & AT_WRITE ? 0xb2410021 : 0xb2420021); /* ORR X1, X1, #KEY_... */
	emit_ldr_from(e, 3, 2, offsetof(struct bank, at) + offsetof(struct divert_at, key));
	emit(e, 0xeb03003f); /* CMP X1, X3 */
	slow_unless(e, stub, B_EQ);
	emit_ldr_from(e, 0, 2, offsetof(struct bank, at) + offsetof(struct divert_at, par));
	emit_str(e, 0, ENTRY(par, value));
	emit_str(e, 1, ENTRY(par, dirty));
	emit_str(e, 1, offsetof(struct bank, dirty));
}

static uint16_t add_handler(struct divert *d, const struct stub *stub, unsigned n, uint32_t word)
{
	unsigned rt = bits(word, 4, 0);
	unsigned first = d->used;
	struct emitter e = {.code = d->handler,
			    .at = first,
			    .end = DIVERT_PAGES * REVERSE_PAGE / 4,
			    .base = REVERSE_HANDLERS};

	if (first + HANDLER_WORDS > e.end)
		return 0;
	if (is_at(word))
		at_handler(&e, stub, n, word);
	else if (bit(word, 21))
		read_handler(&e, stub, d, n, rt);
	else
		write_handler(&e, stub, d, n, rt);
	emit_b(&e, REVERSE_VECTORS + stub->finish);
	host_icache_sync(d->handler + first, (e.at - first) * sizeof(uint32_t));
	d->used = e.at;
	return (uint16_t)first;
}

/* Of an entry that the word accesses; nowhere: 0. */
static uint8_t levels_of(const struct divert *d, unsigned n, uint32_t word)
{
	if (n == d->count)
		return 0;
	if (is_at(word))
		return EL1;
	if (bits(word, 31, 22) != 0x354 || !bit(word, 20)) /* MRS, MSR (register) */
		return 0;
	return bit(word, 21) ? d->row[n].read : d->row[n].write;
}

void divert_slot(struct divert *d, const struct stub *stub, unsigned slot, uint32_t word)
{
	uint16_t handler = 0;
	unsigned n, levels;

	if (!d->on || d->known[slot])
		return;
	d->known[slot] = true;
	n = entry_of(d, is_at(word) ? SYS_PAR_EL1 : (uint16_t)(1U << 15 | bits(word, 19, 5)));
	levels = levels_of(d, n, word);
	for (unsigned el = 1; el < DIVERT_LEVELS; el++) {
		if (!bit(levels, el))
			continue;
		if (!handler)
			handler = add_handler(d, stub, n, word);
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

/* Of a register that rules the current level, as long as stage 1 is off. */
static uint64_t hot_without_stage1(uint16_t code)
{
	switch (code) {
	case SYS_TTBR0_EL1:
	case SYS_TTBR1_EL1:
	case SYS_TTBR0_EL2:
	case SYS_TTBR0_EL3:
	case SYS_MAIR_EL1:
	case SYS_MAIR_EL2:
	case SYS_MAIR_EL3:
		return 0;
	case SYS_TCR_EL1: /* TBI0, TBI1, TBID0, TBID1 */
		return 3ULL << 37 | 3ULL << 51;
	case SYS_TCR_EL2: /* E2H is 0: TBI, TBID */
	case SYS_TCR_EL3:
		return 1 << 20 | 1 << 29;
	default:
		return ~0ULL;
	}
}

static uint64_t value_of(struct soft_cpu *c, const struct divert *d, unsigned n)
{
	uint64_t v;

	if (d->row[n].kind == DIVERT_COUNTER) /* what to subtract */
		return soft_counter_offset(c);
	v = soft_sysreg_value(c, d->row[n].code);
	if (d->row[n].kind == DIVERT_TIMER_CTL || d->row[n].kind == DIVERT_VIRTUAL_CTL)
		v &= CTL_KEPT;
	return v;
}

static void push_entry(const struct divert *d, struct soft_cpu *c, struct bank *b, unsigned n)
{
	struct divert_entry *e = &b->entry[n];
	uint16_t code = d->row[n].code;
	struct sysreg_masks m;

	/* Nothing that the level may not read. */
	e->value = bit(d->row[n].read | d->row[n].write, soft_el(c)) ? value_of(c, d, n) : 0;
	e->dirty = 0;
	if (!bit(d->row[n].write, soft_el(c)))
		return;
	m = soft_sysreg_masks(c, code);
	e->writable = m.writable;
	e->fixed = (e->value & m.kept) | m.res1;
	e->hot = (d->row[n].own == soft_el(c) ? d->row[n].hot : 0);
	if (!bit(soft_current_sctlr(c), SCTLR_M))
		e->hot &= hot_without_stage1(code);
	e->hot |= hot_now(c, code);
}

void divert_update(const struct divert *d, struct soft_cpu *c, struct bank *b)
{
	if (d->scr < d->count)
		b->entry[d->scr].hot = hot_now(c, SYS_SCR_EL3);
	if (d->isr < d->count)
		b->entry[d->isr].value = value_of(c, d, d->isr);
}

static void clear_dirty(struct bank *b)
{
	b->dirty = 0;
	__atomic_store_n(&b->timers, 0, __ATOMIC_RELAXED); /* deadline.c looks at it */
}

/* EL2 wants to hear of accesses to registers. */
static bool is_trapping(struct soft_cpu *c)
{
	return soft_el(c) == 1 && soft_hcr(c) & ~HCR_HARMLESS;
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
	clear_dirty(b);
	b->slow = is_trapping(c);
}

/* The guest can write to the bank without a handler: no more comes of it than of an MSR at its level. What AT leaves has
 * bits that MSR cannot write. */
static void settle_entry(const struct divert *d, struct soft_cpu *c, const struct bank *b,
			 unsigned n)
{
	uint16_t code = d->row[n].code;
	struct sysreg_masks m = soft_sysreg_masks(c, code);
	uint64_t value = b->entry[n].value;

	if (code != SYS_PAR_EL1)
		value = (value & m.writable) | (soft_sysreg_value(c, code) & m.kept) | m.res1;
	soft_sysreg_set(c, code, value);
}

void divert_settle(const struct divert *d, struct soft_cpu *c, struct bank *b)
{
	if (!b->dirty)
		return;
	clear_dirty(b);
	for (unsigned n = 0; n < d->count; n++) {
		if (!b->entry[n].dirty)
			continue;
		b->entry[n].dirty = 0;
		if (bit(d->row[n].write, soft_el(c)) && !is_trapping(c))
			settle_entry(d, c, b, n);
	}
}

/* ---- AT ---- */

void divert_note(const struct divert *d, struct soft_cpu *c, struct bank *b, uint32_t word,
		 uint64_t x)
{
	uint64_t page = x >> REVERSE_PAGE_BITS;
	struct divert_at *at = &b->at[page % DIVERT_LOOKED_UP];

	uint64_t par = SOFT_REG(c, PAR_EL1);

	if (!d->on || !is_at(word) || soft_el(c) != 1 || par & PAR_F) /* faults are not kept */
		return;
	at->key = page | (word & AT_WRITE ? KEY_WRITE : KEY_READ);
	at->par = par;
}

void divert_forget(struct bank *b)
{
	memset(b->at, 0, sizeof(b->at));
}

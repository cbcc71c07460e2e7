/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Self-hosted debug: Arm ARM (DDI 0487), D2 "AArch64 Self-hosted Debug"; pseudocode J1.1.1 (debug):
 * AArch64.GenerateDebugExceptionsFrom, BreakpointMatch, BreakpointValueMatch, StateMatch,
 * WatchpointMatch, WatchpointByteMatch, CheckSoftwareStep, SSAdvance, DebugExceptionReturnSS.
 *
 * There is no halting debug, no AArch32, no double lock, and no Secure EL2. What a CONSTRAINED UNPREDICTABLE
 * setting does is in docs/soft.md.
 */
#include "hv/soft/debug.h"

#include "hv/soft/sys.h"
#include "util/bits.h"

#include <string.h>

enum {
	MDSCR_SS = 0,
	MDSCR_KDE = 13,
	MDSCR_MDE = 15,
	MDCR_EL2_TDE = 8,
	MDCR_EL3_SDD = 16,
	OSLSR_OSLK = 1,
	FSC_DEBUG = 0x22,
	VA_TOP = 48, /* the bit that DBGxVR<n>_EL1.RESS extends */
};

/* ---- registers ---- */

static const uint16_t dbgbvr[SOFT_BREAKPOINTS] = {
	SYSREG_IX_DBGBVR0_EL1, SYSREG_IX_DBGBVR1_EL1, SYSREG_IX_DBGBVR2_EL1,
	SYSREG_IX_DBGBVR3_EL1, SYSREG_IX_DBGBVR4_EL1, SYSREG_IX_DBGBVR5_EL1,
};
static const uint16_t dbgbcr[SOFT_BREAKPOINTS] = {
	SYSREG_IX_DBGBCR0_EL1, SYSREG_IX_DBGBCR1_EL1, SYSREG_IX_DBGBCR2_EL1,
	SYSREG_IX_DBGBCR3_EL1, SYSREG_IX_DBGBCR4_EL1, SYSREG_IX_DBGBCR5_EL1,
};
static const uint16_t dbgwvr[SOFT_WATCHPOINTS] = {
	SYSREG_IX_DBGWVR0_EL1,
	SYSREG_IX_DBGWVR1_EL1,
	SYSREG_IX_DBGWVR2_EL1,
	SYSREG_IX_DBGWVR3_EL1,
};
static const uint16_t dbgwcr[SOFT_WATCHPOINTS] = {
	SYSREG_IX_DBGWCR0_EL1,
	SYSREG_IX_DBGWCR1_EL1,
	SYSREG_IX_DBGWCR2_EL1,
	SYSREG_IX_DBGWCR3_EL1,
};

/* DBGBCR<n>_EL1 and DBGWCR<n>_EL1, D24.3. */
struct control {
	bool e, hmc, linked;
	unsigned ssc, pxc, lbn;
	unsigned type;	    /* BT */
	unsigned lsc, mask; /* watchpoints */
	uint8_t bas;
};

static struct control break_control(const struct soft_cpu *c, unsigned n)
{
	uint64_t r = c->sys->reg[dbgbcr[n]];

	return (struct control){
		.e = bit(r, 0),
		.pxc = bits(r, 2, 1),
		.hmc = bit(r, 13),
		.ssc = bits(r, 15, 14),
		.lbn = bits(r, 19, 16),
		.type = bits(r, 23, 20),
		.linked = bit(r, 20),
	};
}

static struct control watch_control(const struct soft_cpu *c, unsigned n)
{
	uint64_t r = c->sys->reg[dbgwcr[n]];

	return (struct control){
		.e = bit(r, 0),
		.pxc = bits(r, 2, 1),
		.lsc = bits(r, 4, 3),
		.bas = bits(r, 12, 5),
		.hmc = bit(r, 13),
		.ssc = bits(r, 15, 14),
		.lbn = bits(r, 19, 16),
		.linked = bit(r, 20),
		.mask = bits(r, 28, 24),
	};
}

/* The bits of an address that are compared, as a canonical address: RESS, and no tag. */
static uint64_t compared(uint64_t va)
{
	return (uint64_t)sign_extend(va, VA_TOP + 1);
}

bool soft_debug_missing(uint16_t code)
{
	unsigned n = SYSREG_CRM(code), op2 = SYSREG_OP2(code);

	if ((code & ~0x7f) != SYSREG(2, 0, 0, 0, 0))
		return false;
	return (op2 >= 6 && n >= SOFT_WATCHPOINTS) ||
	       ((op2 == 4 || op2 == 5) && n >= SOFT_BREAKPOINTS);
}

static bool mde(const struct soft_cpu *c)
{
	return bit(SOFT_REG(c, MDSCR_EL1), MDSCR_MDE);
}

/* What the TLB and fetch_page leave out depends on it. */
void soft_debug_changed(struct soft_cpu *c)
{
	struct soft_debug *d = &c->sys->debug;
	bool watched = d->watchpoints;

	d->breakpoints = d->watchpoints = 0;
	for (unsigned n = 0; n < SOFT_BREAKPOINTS && mde(c); n++)
		d->breakpoints |= (uint8_t)(break_control(c, n).e << n);
	for (unsigned n = 0; n < SOFT_WATCHPOINTS && mde(c); n++)
		d->watchpoints |= (uint8_t)(watch_control(c, n).e << n);
	if (watched || d->watchpoints)
		soft_tlb_flush(c);
	c->fetch_page = 1;
	if (bit(SOFT_REG(c, MDSCR_EL1), MDSCR_SS))
		soft_event(c, SOFT_EVENT_STEP);
}

/* ---- where debug exceptions come from and go to ---- */

static bool is_secure(const struct soft_cpu *c, unsigned el)
{
	return soft_secure_below_el3(c) || (el == 3 && soft_have_el(c, 3));
}

static unsigned target_from(const struct soft_cpu *c, bool secure)
{
	bool el2 = soft_have_el(c, 2) && !secure;

	return el2 && (bit(SOFT_REG(c, HCR_EL2), ARM_HCR_TGE) ||
		       bit(SOFT_REG(c, MDCR_EL2), MDCR_EL2_TDE))
		       ? 2
		       : 1;
}

unsigned soft_debug_target(const struct soft_cpu *c)
{
	return target_from(c, is_secure(c, soft_el(c)));
}

/* MDSCR_EL1.SS, unless a hypervisor takes it from the guest. */
static bool step_enabled(const struct soft_cpu *c)
{
	bool lost = soft_like_has_debug(c) && c->sys->vm->like->step_lost;

	return bit(SOFT_REG(c, MDSCR_EL1), MDSCR_SS) && !lost;
}

/* AArch64.GenerateDebugExceptionsFrom() */
static bool generates_from(const struct soft_cpu *c, unsigned el, bool secure, bool masked)
{
	unsigned target = target_from(c, secure);

	if (soft_like_has_debug(c)) /* to its EL2, and the guest's OS lock is not the hardware's */
		return true;
	if (bit(SOFT_REG(c, OSLSR_EL1), OSLSR_OSLK))
		return false;
	if (soft_have_el(c, 3) && secure && bit(SOFT_REG(c, MDCR_EL3), MDCR_EL3_SDD))
		return false;
	if (el == target)
		return bit(SOFT_REG(c, MDSCR_EL1), MDSCR_KDE) && !masked;
	return target > el;
}

static bool generates(const struct soft_cpu *c)
{
	unsigned el = soft_el(c);

	return generates_from(c, el, is_secure(c, el), c->pstate & ARM_PSTATE_D);
}

/* @ec: the class from a lower level; that from the same level follows it. */
static void take(struct soft_cpu *c, enum arm_ec ec, uint32_t iss, uint64_t far)
{
	unsigned el = soft_el(c), target = soft_debug_target(c);

	if (soft_like_has_debug(c)) {
		soft_like_debug(c, ec, iss, far);
		return;
	}
	if (el > target)
		target = el;
	soft_take(c, ARM_EXC_SYNC, target, arm_esr(ec + (el == target), iss | FSC_DEBUG), far,
		  c->pc);
}

/* ---- state ---- */

/* CheckValidStateMatch(): combinations of HMC, SSC and PMC or PAC that are reserved here match nothing. */
static bool state_reserved(const struct soft_cpu *c, const struct control *k)
{
	unsigned all = k->hmc << 4 | k->ssc << 2 | k->pxc;

	if (!k->hmc && !k->pxc)
		return true;
	if (!soft_have_el(c, 3) && !soft_have_el(c, 2) && (k->hmc || k->ssc))
		return true;
	if (!soft_have_el(c, 3) && (k->ssc == 1 || k->ssc == 2))
		return true;
	if (!soft_have_el(c, 2) && all == 0x1c)
		return true;
	/* Those that need Secure EL2; 0b100x0, 0b10110, 0b11x10. */
	return (k->ssc == 3 && all != 0x1c) || all == 0x14 || (all & 0x1d) == 0x10 || all == 0x16 ||
	       all == 0x1a;
}

static bool in_host(const struct soft_cpu *c)
{
	uint64_t hcr = SOFT_REG(c, HCR_EL2);
	unsigned el = soft_el(c);

	return soft_have_el(c, 2) && !is_secure(c, el) && bit(hcr, ARM_HCR_E2H) &&
	       (el == 2 || (el == 0 && bit(hcr, ARM_HCR_TGE)));
}

static bool vmid_match(const struct soft_cpu *c, uint64_t value)
{
	bool wide = bit(SOFT_REG(c, VTCR_EL2), 19); /* VS */
	uint64_t vmid = bits(SOFT_REG(c, VTTBR_EL2), 63, 48);

	return soft_have_el(c, 2) && !soft_secure_below_el3(c) && soft_el(c) < 2 && !in_host(c) &&
	       (wide ? vmid == bits(value, 47, 32) : (vmid & 0xff) == bits(value, 39, 32));
}

/* BreakpointValueMatch() of the types that look at a context, not at an address. */
static bool context_match(const struct soft_cpu *c, unsigned type, uint64_t value)
{
	uint32_t id1 = SOFT_REG(c, CONTEXTIDR_EL1), id2 = SOFT_REG(c, CONTEXTIDR_EL2);
	bool el10 = soft_el(c) < 2, vhe = arm_has(&c->sys->vm->features, ARM_FEAT_VHE);
	bool match = true;

	if ((type & 0xe) == 0x2) /* CONTEXTIDR of the current regime */
		match = in_host(c) ? id2 == (uint32_t)value : el10 && id1 == (uint32_t)value;
	else if ((type & 0xe) == 0xa || (type & 0x6) == 0x6)
		match = el10 && !in_host(c) && id1 == (uint32_t)value;
	if ((type & 0xc) == 0x8)
		match = match && vmid_match(c, value);
	else if ((type & 0xc) == 0xc)
		match = match && vhe && soft_have_el(c, 2) && !soft_secure_below_el3(c) &&
			id2 == value >> 32;
	return match;
}

static bool is_context_type(unsigned type)
{
	return (type & 0xa) != 0;
}

/* Reserved: what needs AArch32 (mismatch), or FEAT_VHE. */
static bool type_reserved(const struct soft_cpu *c, unsigned type)
{
	bool needs_vhe = (type & 0x6) == 0x6 || (type & 0xc) == 0xc;

	return (type & 0xe) == 0x4 || (needs_vhe && !arm_has(&c->sys->vm->features, ARM_FEAT_VHE));
}

static bool context_aware(unsigned n)
{
	return n >= SOFT_BREAKPOINTS - SOFT_CONTEXT_BREAKPOINTS && n < SOFT_BREAKPOINTS;
}

/* The breakpoint that another one, or a watchpoint, is linked to. Odd types are for that. */
static bool linked_match(const struct soft_cpu *c, unsigned n)
{
	struct control k;

	if (!context_aware(n))
		return false;
	k = break_control(c, n);
	return k.e && k.linked && is_context_type(k.type) && !type_reserved(c, k.type) &&
	       context_match(c, k.type, c->sys->reg[dbgbvr[n]]);
}

/* StateMatch() */
static bool state_match(const struct soft_cpu *c, const struct control *k, unsigned el)
{
	bool secure = is_secure(c, soft_el(c)), match;

	if (state_reserved(c, k))
		return false;
	switch (el) {
	case 3:
		match = k->hmc && !(k->ssc & 1);
		break;
	case 2:
		match = k->hmc && !(k->ssc == 2 && k->pxc == 0);
		break;
	case 1:
		match = k->pxc & 1;
		break;
	default:
		match = k->pxc & 2;
	}
	if (k->ssc == 1)
		match = match && !secure;
	else if (k->ssc == 2)
		match = match && secure;
	return match && (!k->linked || linked_match(c, k->lbn));
}

/* ---- breakpoints ---- */

/* Context types say nothing of the address. */
static bool break_address(const struct soft_cpu *c, unsigned n, unsigned type, uint64_t mask,
			  uint64_t va)
{
	return is_context_type(type) || !((compared(va) ^ compared(c->sys->reg[dbgbvr[n]])) & mask);
}

bool soft_break_page(const struct soft_cpu *c, uint64_t va)
{
	uint64_t mask = ~(uint64_t)(SOFT_PAGE - 1);

	for (unsigned n = 0; n < SOFT_BREAKPOINTS; n++) {
		if (bit(c->sys->debug.breakpoints, n) &&
		    break_address(c, n, break_control(c, n).type, mask, va))
			return true;
	}
	return false;
}

/* BreakpointMatch(). Without AArch32, BAS says nothing. */
static bool break_match(const struct soft_cpu *c, unsigned n)
{
	struct control k = break_control(c, n);

	if (!break_address(c, n, k.type, ~3ULL, c->pc) || type_reserved(c, k.type))
		return false;
	if (is_context_type(k.type)) {
		if (k.linked || !context_aware(n) ||
		    !context_match(c, k.type, c->sys->reg[dbgbvr[n]]))
			return false;
	}
	return state_match(c, &k, soft_el(c));
}

bool soft_break(struct soft_cpu *c)
{
	if (!generates(c))
		return false;
	for (unsigned n = 0; n < SOFT_BREAKPOINTS; n++) {
		if (bit(c->sys->debug.breakpoints, n) && break_match(c, n)) {
			take(c, ARM_EC_BREAKPOINT_LOWER, 0, 0);
			return true;
		}
	}
	return false;
}

/* ---- watchpoints ---- */

enum { WATCH_MASK_MIN = 3 };

/*
 * Which addresses: 2^mask bytes from @base on; of 8 or fewer, those in @bas. A mask of 1 or 2 is reserved
 * and matches nothing; bits of DBGWVR below the mask, and a BAS with a mask, are not looked at.
 */
struct watched {
	uint64_t base, bytes;
	uint8_t bas;
};

static bool watched_range(const struct soft_cpu *c, unsigned n, const struct control *k,
			  struct watched *w)
{
	uint64_t value = compared(c->sys->reg[dbgwvr[n]]);

	*w = (struct watched){.bas = 0xff};
	if (k->mask && k->mask < WATCH_MASK_MIN)
		return false;
	if (k->mask) {
		w->bytes = 1ULL << k->mask;
	} else {
		w->bytes = bit(value, 2) ? 4 : 8;
		w->bas = bit(value, 2) ? k->bas & 0xf : k->bas;
	}
	w->base = value & ~(w->bytes - 1);
	return w->bas;
}

bool soft_watch_page(const struct soft_cpu *c, uint64_t va)
{
	uint64_t page = compared(va & ~(uint64_t)(SOFT_PAGE - 1));

	for (unsigned n = 0; n < SOFT_WATCHPOINTS; n++) {
		struct control k = watch_control(c, n);
		struct watched w;

		if (bit(c->sys->debug.watchpoints, n) && watched_range(c, n, &k, &w) &&
		    (w.base - page < SOFT_PAGE || page - w.base < w.bytes))
			return true;
	}
	return false;
}

/* The first byte of [va, va + bytes) that is watched. */
static bool watched_byte(const struct watched *w, uint64_t va, unsigned bytes, uint64_t *at)
{
	for (unsigned i = 0; i < bytes; i++) {
		uint64_t offset = compared(va + i) - w->base;

		if (offset < w->bytes && bit(w->bas, offset & 7)) {
			*at = va + i;
			return true;
		}
	}
	return false;
}

bool soft_watch_slow(struct soft_cpu *c, uint64_t va, unsigned bytes, bool is_write, bool unpriv,
		     bool is_cache)
{
	unsigned el = unpriv ? 0 : soft_el(c);

	if (!generates(c))
		return false;
	for (unsigned n = 0; n < SOFT_WATCHPOINTS; n++) {
		struct control k = watch_control(c, n);
		struct watched w;
		uint64_t at;

		if (!bit(c->sys->debug.watchpoints, n) || !bit(k.lsc, is_write) ||
		    !watched_range(c, n, &k, &w) || !watched_byte(&w, va, bytes, &at) ||
		    !state_match(c, &k, el))
			continue;
		take(c, ARM_EC_WATCHPOINT_LOWER, (uint32_t)is_write << 6 | (uint32_t)is_cache << 8,
		     at);
		return true;
	}
	return false;
}

/* ---- software step, D2.12 ---- */

/*
 * PSTATE.SS is 1 while the instruction that is stepped is carried out (active-not-pending), so that
 * SPSR_ELx has it if that takes an exception, and 0 after it (active-pending).
 */

/* LDXR, LDAXR, LDXP, LDAXP; with o1 in sizes below 32 bits it is CASP. */
static bool is_load_exclusive(uint32_t w)
{
	return (w & 0x3fc00000) == 0x08400000 && !((w & 0x00200000) && !(w & 0x80000000));
}

void soft_step_end(struct soft_cpu *c)
{
	struct soft_debug *d = &c->sys->debug;

	d->stepped = d->stepping && c->pstate & ARM_PSTATE_SS;
	d->stepping = false;
	if (d->stepped)
		c->pstate &= ~ARM_PSTATE_SS; /* SSAdvance() */
}

void soft_step_exception(struct soft_cpu *c, uint64_t pc)
{
	struct soft_debug *d = &c->sys->debug;

	/* SVC, HVC and SMC have been carried out; nothing else has that takes an exception. */
	if (d->stepping && pc != c->pc)
		c->pstate &= ~ARM_PSTATE_SS;
	d->stepping = d->stepped = false;
}

/* The word that will be executed; false: it cannot be fetched, an exception was taken. */
static bool fetch(struct soft_cpu *c, uint32_t *word)
{
	if ((c->pc ^ c->fetch_page) & ~0xffcULL && !soft_fetch_page(c))
		return false;
	memcpy(word, c->fetch_host + (c->pc & (SOFT_PAGE - 1)), sizeof(*word));
	return true;
}

static void take_step(struct soft_cpu *c)
{
	const struct soft_debug *d = &c->sys->debug;
	uint32_t iss = (uint32_t)d->stepped << 24 | (uint32_t)(d->stepped && d->stepped_exclusive)
							    << 6;

	take(c, ARM_EC_STEP_LOWER, iss, 0);
}

bool soft_step_begin(struct soft_cpu *c)
{
	struct soft_debug *d = &c->sys->debug;
	bool enabled = step_enabled(c) && generates(c);
	uint32_t word;

	if (enabled && !(c->pstate & ARM_PSTATE_SS)) {
		take_step(c);
		return true;
	}
	d->stepped = false;
	if (!enabled && !(c->pstate & ARM_PSTATE_IL))
		return false;
	soft_event(c, SOFT_EVENT_STEP);
	if (!fetch(c, &word))
		return true;
	if (c->pstate & ARM_PSTATE_IL) {
		soft_take_sync(c, arm_esr_illegal_state(), 0, c->pc);
		return true;
	}
	d->stepping = true;
	d->stepped_exclusive = is_load_exclusive(word);
	return false;
}

bool soft_debug_return_ss(const struct soft_cpu *c, uint64_t spsr, bool legal)
{
	unsigned el = legal ? bits(spsr, 3, 2) : soft_el(c);

	return step_enabled(c) && !generates(c) &&
	       generates_from(c, el, is_secure(c, el), spsr & ARM_PSTATE_D) && spsr & ARM_PSTATE_SS;
}

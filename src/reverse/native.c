/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Native views: an operating system at EL1 with its processes. Exceptions, page faults, context switches and timers are
 * the vCPU's; what leaves it are device accesses, patched instructions and what another level has to take.
 *
 * A system goes native when it executes in the upper half of the address space and its tables map nothing there that is
 * both writable and executable: then code is told from data, and all code is patched (search.c).
 */
#include "reverse/reverse_int.h"

#include "util/bits.h"
#include "util/log.h"

#include <errno.h>
#include <stdio.h>

enum {
	SCTLR_M = 0,
	TIMERS = 1 << HV_TIMER_VIRT | 1 << HV_TIMER_PHYS,
	CTL_KEPT = 3, /* ENABLE, IMASK */
	CNTHCTL_EL1PCTEN = 0,
	CNTHCTL_EL1PCEN = 1,
};

#define SCTLR_EL1    SYSREG(3, 0, 1, 0, 0)
#define CNTP_CTL_EL0 SYSREG(3, 3, 14, 2, 1)
#define HVC_0	     0xd4000002U
#define SMC_0	     0xd4000003U

/* ---- registers ---- */

static const struct {
	uint16_t code, index;
} moved[] = {
#define R(name, ...)                                                                               \
	{                                                                                          \
		SYSREG(__VA_ARGS__), SYSREG_IX_##name                                              \
	}
	R(SCTLR_EL1, 3, 0, 1, 0, 0),	  R(CPACR_EL1, 3, 0, 1, 0, 2),
	R(TTBR0_EL1, 3, 0, 2, 0, 0),	  R(TTBR1_EL1, 3, 0, 2, 0, 1),
	R(TCR_EL1, 3, 0, 2, 0, 2),	  R(SPSR_EL1, 3, 0, 4, 0, 0),
	R(ELR_EL1, 3, 0, 4, 0, 1),	  R(AFSR0_EL1, 3, 0, 5, 1, 0),
	R(AFSR1_EL1, 3, 0, 5, 1, 1),	  R(ESR_EL1, 3, 0, 5, 2, 0),
	R(FAR_EL1, 3, 0, 6, 0, 0),	  R(PAR_EL1, 3, 0, 7, 4, 0),
	R(MAIR_EL1, 3, 0, 10, 2, 0),	  R(AMAIR_EL1, 3, 0, 10, 3, 0),
	R(VBAR_EL1, 3, 0, 12, 0, 0),	  R(CONTEXTIDR_EL1, 3, 0, 13, 0, 1),
	R(TPIDR_EL1, 3, 0, 13, 0, 4),	  R(CNTKCTL_EL1, 3, 0, 14, 1, 0),
	R(TPIDR_EL0, 3, 3, 13, 0, 2),	  R(TPIDRRO_EL0, 3, 3, 13, 0, 3),
	R(CNTV_CVAL_EL0, 3, 3, 14, 3, 2), R(CNTV_CTL_EL0, 3, 3, 14, 3, 1),
	R(CNTP_CVAL_EL0, 3, 3, 14, 2, 2), R(CNTP_CTL_EL0, 3, 3, 14, 2, 1),
#undef R
};

_Static_assert(ARRAY_COUNT(moved) <= NATIVE_REGS, "struct view has room");

/* Places in it. */
enum {
	MOVED_SCTLR = 0,
	MOVED_CNTP_CTL = ARRAY_COUNT(moved) - 1,
	MOVED_CNTP_CVAL = MOVED_CNTP_CTL - 1
};

static bool is_moved(const struct view *w, unsigned i)
{
	return i < MOVED_CNTP_CVAL || !w->hides_cntp;
}

bool native_has(uint16_t sysreg)
{
	for (unsigned i = 0; i < ARRAY_COUNT(moved); i++) {
		if (moved[i].code == sysreg)
			return true;
	}
	return false;
}

static bool is_timer_control(unsigned i)
{
	return moved[i].index == SYSREG_IX_CNTP_CTL_EL0 || moved[i].index == SYSREG_IX_CNTV_CTL_EL0;
}

static uint64_t get(struct reverse_pe *p, struct view *w, uint32_t id)
{
	uint64_t v = 0;

	if (p->r->inner->get_reg(w->vcpu, id, &v))
		LOG(hv, "reverse: register 0x%x cannot be read", id);
	return v;
}

/* Unless the vCPU has the value. */
static void put(struct reverse_pe *p, struct view *w, uint32_t id, uint64_t value, uint64_t *known)
{
	if (w->known && *known == value)
		return;
	if (p->r->inner->set_reg(w->vcpu, id, value))
		LOG(hv, "reverse: register 0x%x cannot be written", id);
	*known = value;
}

int native_set_up(struct reverse_pe *p, struct view *w)
{
	uint64_t ctl;
	int error = 0;

	w->hides_cntp = p->r->inner->get_reg(w->vcpu, REG_SYS(CNTP_CTL_EL0), &ctl);
	if (w->hides_cntp) {
		pthread_mutex_lock(&p->r->lock);
		error = ptimer_set_up(p->r);
		pthread_mutex_unlock(&p->r->lock);
	}
	return error ? error : p->r->inner->debug(w->vcpu, HV_DEBUG_BRK);
}

/* What the moving of a hidden timer has left in other registers. */
static void note_cntp(struct view *w, uint64_t ctl, uint64_t cval)
{
	w->x[0] = ctl;
	w->x[1] = cval;
	w->reg[MOVED_SCTLR] = PTIMER_SCTLR;
	w->reg[MOVED_CNTP_CTL] = ctl & CTL_KEPT;
	w->reg[MOVED_CNTP_CVAL] = cval;
}

static void pull_cntp(struct reverse_pe *p, struct view *w)
{
	uint64_t ctl = 0, cval = 0;

	ptimer_fetch(p, w, &ctl, &cval);
	note_cntp(w, ctl, cval);
	SOFT_REG(&p->soft->c, CNTP_CTL_EL0) = ctl & CTL_KEPT;
	SOFT_REG(&p->soft->c, CNTP_CVAL_EL0) = cval;
}

static void push_cntp(struct reverse_pe *p, struct view *w)
{
	uint64_t ctl = SOFT_REG(&p->soft->c, CNTP_CTL_EL0);
	uint64_t cval = SOFT_REG(&p->soft->c, CNTP_CVAL_EL0);

	if (w->known && w->reg[MOVED_CNTP_CTL] == ctl && w->reg[MOVED_CNTP_CVAL] == cval)
		return;
	ptimer_store(p, w, ctl, cval);
	note_cntp(w, ctl, cval);
}

void native_pull(struct reverse_pe *p, struct view *w)
{
	struct soft_cpu *c = &p->soft->c;
	uint64_t pstate = get(p, w, REG_PSTATE);

	for (unsigned n = 0; n < 31; n++)
		c->x[n] = w->x[n] = get(p, w, REG_X(n));
	for (unsigned i = 0; i < ARRAY_COUNT(moved) && is_moved(w, i); i++) {
		w->reg[i] = get(p, w, REG_SYS(moved[i].code));
		if (is_timer_control(i))
			w->reg[i] &= CTL_KEPT;
		c->sys->reg[moved[i].index] = w->reg[i];
	}
	w->known = true;
	c->pc = c->next_pc = get(p, w, REG_PC);
	c->sys->sp_el[0] = get(p, w, REG_SP_EL0);
	c->sys->sp_el[1] = get(p, w, REG_SP_EL1);
	c->nzcv = pstate & ARM_PSTATE_NZCV;
	c->pstate = pstate & ~ARM_PSTATE_NZCV & 0xffffffff;
	c->sp = c->sys->sp_el[soft_el(c) && pstate & ARM_PSTATE_SP ? 1 : 0];
	if (w->hides_cntp)
		pull_cntp(p, w);
	c->excl_valid = false;
	p->tlb_dirty = true;
	soft_mmu_changed(c);
	soft_event(c, SOFT_EVENT_TIME);
}

/* The timers of EL0 run in the vCPU, so they are off in soft meanwhile. */
static void hand_over_timers(struct soft_cpu *c)
{
	SOFT_REG(c, CNTP_CTL_EL0) = 0;
	SOFT_REG(c, CNTV_CTL_EL0) = 0;
	soft_timers(c);
}

void native_push(struct reverse_pe *p, struct view *w)
{
	struct soft_cpu *c = &p->soft->c;
	uint64_t unknown = ~0ULL;
	bool spx = soft_el(c) && c->pstate & ARM_PSTATE_SP;

	view_move_fp(p, w);
	if (w->hides_cntp)
		push_cntp(p, w);
	for (unsigned n = 0; n < 31; n++)
		put(p, w, REG_X(n), c->x[n], &w->x[n]);
	for (unsigned i = 0; i < ARRAY_COUNT(moved) && is_moved(w, i); i++)
		put(p, w, REG_SYS(moved[i].code), c->sys->reg[moved[i].index], &w->reg[i]);
	w->known = false; /* what follows changes always */
	put(p, w, REG_PC, c->pc, &unknown);
	put(p, w, REG_PSTATE, soft_get_pstate(c), &unknown);
	put(p, w, REG_SP_EL0, spx ? c->sys->sp_el[0] : c->sp, &unknown);
	put(p, w, REG_SP_EL1, spx ? c->sp : c->sys->sp_el[1], &unknown);
	hand_over_timers(c);
}

/* ---- may it? ---- */

/* Does a higher level want to hear of things that no patch catches? */
static bool is_trapped(const struct soft_cpu *c)
{
	const uint64_t harmless = 1ULL << ARM_HCR_RW | 1ULL << ARM_HCR_FMO | 1ULL << ARM_HCR_IMO |
				  1ULL << ARM_HCR_AMO | 1ULL << ARM_HCR_TSC | 1ULL << ARM_HCR_HCD |
				  1ULL << ARM_HCR_TID1 | 1ULL << ARM_HCR_TID3 |
				  1ULL << ARM_HCR_TACR | 1ULL << ARM_HCR_TIDCP |
				  1ULL << ARM_HCR_FB | 3ULL << 40; /* APK, API */
	const uint64_t timers = 1 << CNTHCTL_EL1PCTEN | 1 << CNTHCTL_EL1PCEN;
	struct arm_route r = soft_route(c);

	if (arm_trap_fp(&r, ~0ULL, SOFT_REG(c, CPTR_EL2), SOFT_REG(c, CPTR_EL3)).kind)
		return true;
	return soft_el2_enabled(c) && (soft_hcr(c) & ~harmless || SOFT_REG(c, CNTVOFF_EL2) ||
				       (SOFT_REG(c, CNTHCTL_EL2) & timers) != timers);
}

bool native_possible(struct reverse_pe *p)
{
	const struct soft_cpu *c = &p->soft->c;

	if (soft_secure_below_el3(c))
		return false;
	if (!bit(SOFT_REG(c, SCTLR_EL1), SCTLR_M)) { /* a start, or another system by kexec */
		atomic_store(&p->r->os.doubt, true);
		p->unsettled = 0;
	}
	if (!bit(SOFT_REG(c, SCTLR_EL1), SCTLR_M) || is_trapped(c) ||
	    !bit(SOFT_REG(c, VBAR_EL1), 55))
		return false;
	return (soft_el(c) == 0 || bit(c->pc, 55)) && search_done(p);
}

/* ---- leaving ---- */

/* Will EL2 or EL3 take an interrupt now? What EL1 takes, the vCPU takes. */
static bool higher_takes(const struct soft_cpu *c)
{
	static const uint8_t line[] = {[ARM_IRQ] = HV_IRQ, [ARM_FIQ] = HV_FIQ};
	struct arm_route r = soft_route(c);
	unsigned pending = soft_lines(c);

	for (enum arm_interrupt i = ARM_IRQ; i <= ARM_FIQ; i++) {
		if (bit(pending, line[i]) && arm_route_physical(&r, i, 0) > 1)
			return true;
	}
	return false;
}

static bool give_timers(struct reverse_pe *p, uint32_t levels, struct hv_exit *x)
{
	if (levels == p->soft->s.timer_levels)
		return false;
	p->soft->s.timer_levels = levels;
	x->kind = HV_EXIT_KICK;
	return true;
}

enum native_next native_events(struct reverse_pe *p, struct view *w, struct hv_exit *x)
{
	const unsigned ours = SOFT_EVENT_KICK | SOFT_EVENT_LINE | SOFT_EVENT_FLUSH |
			      SOFT_EVENT_TIME;
	struct soft_cpu *c = &p->soft->c;
	unsigned e = atomic_exchange(&c->event, 0);

	if (e & SOFT_EVENT_FLUSH)
		soft_flush_requests(c);
	if (e & ~ours || higher_takes(c)) {
		soft_event(c, e | SOFT_EVENT_LINE);
		return NATIVE_PULL;
	}
	if (e & SOFT_EVENT_TIME &&
	    give_timers(p, soft_timers(c) | (p->soft->s.timer_levels & TIMERS), x)) {
		soft_event(c, e & ~(unsigned)SOFT_EVENT_TIME);
		return NATIVE_EXIT;
	}
	if (e & SOFT_EVENT_KICK) {
		x->kind = HV_EXIT_KICK;
		return NATIVE_EXIT;
	}
	return NATIVE_GO_ON;
}

static void fail(struct hv_exit *x, const char *what)
{
	x->kind = HV_EXIT_FAIL;
	x->fail.error = -EIO;
	snprintf(x->fail.text, sizeof(x->fail.text), "%s", what);
}

/* A patch, or the guest's own. False: with @x. */
static bool on_brk(struct reverse_pe *p, struct view *w, struct hv_exit *x)
{
	struct hv_vm *vm = p->r->soft;
	uint32_t brk = 0xd4200000 | (uint32_t)x->brk.imm << 5;
	uint32_t word = code_original(&p->r->code, brk);
	unsigned el = bits(get(p, w, REG_PSTATE), 3, 2);

	if (word == ISB && el) { /* which the exit was, too */
		uint64_t pc = get(p, w, REG_PC);

		search_again(p, w, pc);
		p->r->inner->set_reg(w->vcpu, REG_PC, pc + 4);
		return true;
	}
	p->step = true;
	if (word == brk || el == 0) /* at EL0 it is what stands there */
		return true;
	if (vm->wants && bit(vm->wants(vm->wants_opaque, word), el)) {
		p->step = false;
		x->kind = HV_EXIT_INTERCEPT;
		x->intercept.word = word;
		return false;
	}
	p->word = word;
	return true;
}

/* An HVC or SMC that was not patched; its immediate is lost. */
static void on_call(struct reverse_pe *p, bool is_smc)
{
	view_pull(p);
	p->soft->c.pc -= 4;
	p->step = true;
	p->word = is_smc ? SMC_0 : HVC_0;
}

/* False: with @x. */
static bool handle(struct reverse_pe *p, struct view *w, struct hv_exit *x)
{
	switch (x->kind) {
	case HV_EXIT_KICK:
		p->stats.kicks++;
		reverse_watch(p, HV_INNER_KICK);
		return true;
	case HV_EXIT_MMIO:
		p->stats.mmio++;
		p->mmio = true;
		x->mmio.secure = false;
		return false;
	case HV_EXIT_DABT:
		p->step = p->access = true;
		return true;
	case HV_EXIT_BRK:
		return on_brk(p, w, x);
	case HV_EXIT_HVC:
	case HV_EXIT_SMC:
		on_call(p, x->kind == HV_EXIT_SMC);
		return true;
	case HV_EXIT_FAIL:
		return false;
	default:
		fail(x, "an exit that a native view cannot have");
		return false;
	}
}

bool native_leave(struct reverse_pe *p, struct view *w, struct hv_exit *x)
{
	uint32_t levels = p->soft->s.timer_levels & ~(uint32_t)TIMERS;
	bool changed, go_on;

	levels |= p->r->inner->timer_levels(w->vcpu) & TIMERS;
	changed = levels != p->soft->s.timer_levels;
	p->soft->s.timer_levels = levels;
	go_on = handle(p, w, x);
	if (go_on && changed) /* somebody has to be told */
		x->kind = HV_EXIT_KICK;
	return go_on && !changed;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Views: their vCPUs, and moving the state of a PE between them and soft. */
#include "reverse/reverse_int.h"

#include "util/bits.h"
#include "util/err.h"
#include "util/log.h"

#include <errno.h>

#define SCTLR_EL1	 SYSREG(3, 0, 1, 0, 0)
#define CPACR_EL1	 SYSREG(3, 0, 1, 0, 2)
#define TTBR0_EL1	 SYSREG(3, 0, 2, 0, 0)
#define TTBR1_EL1	 SYSREG(3, 0, 2, 0, 1)
#define TCR_EL1		 SYSREG(3, 0, 2, 0, 2)
#define MAIR_EL1	 SYSREG(3, 0, 10, 2, 0)
#define VBAR_EL1	 SYSREG(3, 0, 12, 0, 0)
#define TPIDR_EL1	 SYSREG(3, 0, 13, 0, 4)
#define TPIDRRO_EL0	 SYSREG(3, 3, 13, 0, 3)

#define ID_AA64MMFR1_EL1 SYSREG(3, 0, 0, 7, 1)

enum {
	SCTLR_M = 0,
	SCTLR_A = 1,
	SCTLR_SA = 3,
	TCR_TBI0 = 37,
	CPACR_FPEN_ALL = 3 << 20,
	CNTHCTL_EL1PCTEN = 1,
	MODE_EL1 = 4,
	STUB_PSTATE = 0x3c5, /* EL1h, DAIF masked */
};

/* RES1 bits, SPAN, nTWE, nTWI; C, I, M. */
#define SCTLR_OURS 0x30d51805ULL
/* Both halves with 4 KiB pages in cacheable, inner shareable memory, and 48 bits. */
#define TCR_OURS                                                                                   \
	(16ULL | 1 << 8 | 1 << 10 | 3 << 12 | 16 << 16 | 1 << 24 | 1 << 26 | 3 << 28 | 2ULL << 30)
#define MAIR_OURS 0x00ffULL /* 0: Normal, write-back; 1: Device-nGnRnE */

/* Bits of PSTATE that are the guest's in the vCPU as well. */
#define PSTATE_PLAIN (ARM_PSTATE_NZCV | ARM_PSTATE_DAIF | ARM_PSTATE_SP)

/* ---- which ---- */

/* Nobody looks at each instruction. */
static bool unobserved(const struct soft_cpu *c)
{
	const struct soft_debug *d = &c->sys->debug;

	return !d->breakpoints && !d->watchpoints && !(c->pstate & ARM_PSTATE_IL) &&
	       !(SOFT_REG(c, MDSCR_EL1) & 1) && !(c->sys->debug_flags & HV_DEBUG_STEP);
}

/* Does EL2 want to hear of something at EL1 that sensitive.c takes for harmless? */
static bool plain_is_trapped(const struct soft_cpu *c)
{
	const uint64_t maintenance = 1ULL << ARM_HCR_TSW | 1ULL << ARM_HCR_TPCP |
				     1ULL << ARM_HCR_TPU | 1ULL << ARM_HCR_TDZ;

	return soft_hcr(c) & maintenance ||
	       (soft_el2_enabled(c) && !(SOFT_REG(c, CNTHCTL_EL2) & CNTHCTL_EL1PCTEN));
}

struct view *view_of_pe(struct reverse_pe *p)
{
	const struct soft_cpu *c = &p->soft->c;

	if (!unobserved(c) || c->big_endian) /* table walks would be, too */
		return NULL;
	switch (soft_el(c)) {
	case 3:
		return &p->view[VIEW_EL3];
	case 2:
		return c->el2_upper ? NULL : &p->view[VIEW_EL2];
	case 1:
		if (native_possible(p))
			return &p->view[VIEW_OS_NS];
		if (plain_is_trapped(c))
			return NULL;
		return &p->view[soft_secure_below_el3(c) ? VIEW_EL1S : VIEW_EL1NS];
	default:
		return native_possible(p) ? &p->view[VIEW_OS_NS] : NULL;
	}
}

/* ---- making ---- */

/* Is memory of this kind in the physical address space that a view has? Shadows name what soft has not found. */
bool view_sees(enum view_kind kind, unsigned prot)
{
	return view_is_secure(kind) || !(prot & HV_SECURE);
}

static int make_vm(struct reverse *r, enum view_kind kind, struct err *e)
{
	const struct hv_ops *hv = r->inner;
	struct hv_vm_config cfg = {
		.options = r->options, .ipa_bits = r->ipa_bits, .els = 3, .host_counter = true};
	int error = hv->vm_create(&cfg, &r->vm[kind], e);

	if (!error)
		error = reverse_map_all(r, kind);
	if (!error && kind < VIEW_MANAGED)
		error = hv->mem_map(r->vm[kind], r->hidden.gpa, r->hidden.host, REVERSE_HIDDEN,
				    HV_READ | HV_WRITE | HV_EXEC);
	return error;
}

static int set_up(struct reverse_pe *p, struct view *w)
{
	struct reverse *r = p->r;
	unsigned i, el = w->kind == VIEW_EL3 ? 3 : w->kind == VIEW_EL2 ? 2 : 1;
	uint64_t bank, mmfr1;

	w->bank = hidden_pages(&r->hidden, BANK_PAGES, &bank);
	const struct shadow_own own[SHADOW_OWN] = {
		{REVERSE_VECTORS, r->stub_gpa, 1, SHADOW_EXEC, SHADOW_NORMAL},
		{REVERSE_EXIT, r->exit_gpa, 1, SHADOW_WRITE, SHADOW_DEVICE},
		{REVERSE_BANK, bank, BANK_PAGES, SHADOW_WRITE, SHADOW_NORMAL},
		{REVERSE_HANDLERS, r->divert->handler_gpa, DIVERT_PAGES, SHADOW_EXEC,
		 SHADOW_NORMAL},
		{REVERSE_ACTIONS, r->divert->action_gpa[el], divert_action_pages(), SHADOW_READ,
		 SHADOW_NORMAL},
	};
	if (!w->bank || !shadow_init(&w->shadow, &r->hidden, own))
		return -ENOMEM;
	w->bank->exit_va = REVERSE_EXIT;
	w->bank->actions_va = REVERSE_ACTIONS;
	w->bank->handlers_va = REVERSE_HANDLERS;
	if (!r->inner->get_reg(w->vcpu, REG_SYS(ID_AA64MMFR1_EL1), &mmfr1))
		atomic_store(&r->pan, bits(mmfr1, 23, 20) != 0);
	const struct {
		uint16_t reg;
		uint64_t value;
	} fixed[] = {
		{MAIR_EL1, MAIR_OURS},
		{TTBR0_EL1, w->shadow.table[0].gpa},
		{TTBR1_EL1, w->shadow.table[1].gpa},
		{VBAR_EL1, REVERSE_VECTORS},
		{TPIDR_EL1, REVERSE_BANK},
	};
	for (i = 0; i < ARRAY_COUNT(fixed); i++) {
		if (r->inner->set_reg(w->vcpu, REG_SYS(fixed[i].reg), fixed[i].value))
			return -EIO;
	}
	return r->inner->debug(w->vcpu, 0);
}

int view_ready(struct reverse_pe *p, struct view *w)
{
	struct reverse *r = p->r;
	struct err e = ERR_INIT;
	int error = 0;

	if (w->vcpu)
		return 0;
	w->kind = (enum view_kind)(w - p->view);
	pthread_mutex_lock(&r->lock);
	if (!r->vm[w->kind])
		error = make_vm(r, w->kind, &e);
	pthread_mutex_unlock(&r->lock);
	if (!error)
		error = r->inner->vcpu_create(r->vm[w->kind], p->soft->s.index, &w->vcpu, &e);
	if (!error)
		error = view_is_native(w) ? native_set_up(p, w) : set_up(p, w);
	err_free(&e);
	return error;
}

void view_destroy(struct reverse_pe *p)
{
	for (unsigned i = 0; i < VIEW_COUNT; i++) {
		if (p->view[i].vcpu)
			p->r->inner->vcpu_destroy(p->view[i].vcpu);
		p->view[i].vcpu = NULL;
	}
}

void view_reset(struct reverse_pe *p)
{
	p->place = IN_SOFT;
	p->at = NULL;
	p->step = p->writes = p->mmio = false;
	p->fp = NULL;
	p->soft->c.fp_elsewhere = false;
	for (unsigned i = 0; i < VIEW_COUNT; i++)
		p->view[i].in_stub = p->view[i].known = false;
	p->word = 0;
	p->linger = 0;
	p->soft->s.flushed = ~0U;
	view_forget_constants(p);
}

/* ---- registers of the inner vCPU; its failures show when it is run ---- */

static uint64_t get(struct reverse_pe *p, struct view *w, uint32_t id)
{
	uint64_t v = 0;

	if (p->r->inner->get_reg(w->vcpu, id, &v))
		LOG(hv, "reverse: register 0x%x cannot be read", id);
	return v;
}

static void put(struct reverse_pe *p, struct view *w, uint32_t id, uint64_t value)
{
	if (p->r->inner->set_reg(w->vcpu, id, value))
		LOG(hv, "reverse: register 0x%x cannot be written", id);
}

static void put_cached(struct reverse_pe *p, struct view *w, uint16_t reg, uint64_t value,
		       uint64_t *cached)
{
	if (*cached == value)
		return;
	put(p, w, REG_SYS(reg), value);
	*cached = value;
}

/* ---- state to soft ---- */

void view_forget_constants(struct reverse_pe *p)
{
	for (unsigned i = 0; i < VIEW_MANAGED; i++) {
		if (p->view[i].bank)
			p->view[i].bank->constants_known = false;
	}
}

void view_settle(struct reverse_pe *p, struct view *w)
{
	divert_settle(p->r->divert, &p->soft->c, w->bank);
}

/* As if the exception had not been taken. */
static void undo_stub(struct reverse_pe *p, struct view *w, uint64_t pc)
{
	uint32_t saved = stub_saved(pc);
	struct bank *b = w->bank;

	for (unsigned n = 0; n < 30; n++) {
		if (!bit(saved, n))
			b->x[n] = get(p, w, REG_X(n));
	}
	b->x[30] = get(p, w, bit(saved, 30) ? REG_SYS(TPIDRRO_EL0) : REG_X(30));
	b->pc = get(p, w, REG_ELR_EL1);
	b->pstate = get(p, w, REG_SPSR_EL1);
	b->sp_el0 = get(p, w, REG_SP_EL0);
	b->sp_elx = get(p, w, REG_SP_EL1);
}

void view_interrupted(struct reverse_pe *p, struct view *w)
{
	uint64_t pc = get(p, w, REG_PC);
	enum stub_where where = stub_where(&p->r->stub, pc);

	p->place = IN_VCPU;
	w->in_stub = false;
	if (where == STUB_OUTSIDE)
		return;
	if (where == STUB_SAVING)
		undo_stub(p, w, pc);
	else
		w->shadow.stale = true; /* the invalidation may not have come to its end */
	p->place = IN_BANK;
	view_pull(p);
}

static void pull_live(struct reverse_pe *p, struct view *w)
{
	struct bank *b = w->bank;

	for (unsigned n = 0; n < 31; n++)
		b->x[n] = get(p, w, REG_X(n));
	b->pc = get(p, w, REG_PC);
	b->pstate = get(p, w, REG_PSTATE);
	b->sp_el0 = get(p, w, REG_SP_EL0);
	b->sp_elx = get(p, w, REG_SP_EL1);
	w->in_stub = false;
}

void view_pull(struct reverse_pe *p)
{
	struct soft_cpu *c = &p->soft->c;
	struct view *w = p->at;
	const struct bank *b;
	uint64_t pstate;

	if (p->place == IN_SOFT)
		return;
	if (view_is_native(w)) {
		native_pull(p, w);
		p->place = IN_SOFT;
		return;
	}
	if (p->place == IN_VCPU)
		pull_live(p, w);
	b = w->bank;
	for (unsigned n = 0; n < 31; n++)
		c->x[n] = b->x[n];
	c->pc = b->pc;
	if (soft_el(c) >
	    1) /* one range of addresses there: a tag ends in zeroes, whatever bit 55 is */
		c->pc &= c->tbi_mask[0];
	c->next_pc = c->pc;
	c->sys->sp_el[0] = b->sp_el0;
	c->sys->sp_el[soft_el(c)] = b->sp_elx;
	c->nzcv = b->pstate & ARM_PSTATE_NZCV;
	pstate = (c->pstate & ~PSTATE_PLAIN) | (b->pstate & PSTATE_PLAIN & ~ARM_PSTATE_NZCV);
	if ((pstate ^ c->pstate) & ARM_PSTATE_DAIF)
		soft_event(c, SOFT_EVENT_LINE);
	c->pstate = pstate;
	c->sp = c->sys->sp_el[pstate & ARM_PSTATE_SP ? soft_el(c) : 0];
	c->excl_valid = false;
	p->place = IN_SOFT;
}

/* ---- state from soft ---- */

static void push_controls(struct reverse_pe *p, struct view *w)
{
	const struct soft_cpu *c = &p->soft->c;
	uint64_t guest = soft_current_sctlr(c);
	/* Without stage 1 all data is Device memory: aligned. */
	bool align = c->align_check || !bit(guest, SCTLR_M);
	uint64_t sctlr = SCTLR_OURS | (uint64_t)align << SCTLR_A |
			 (uint64_t)c->sp_align_check << SCTLR_SA;
	uint64_t ips = p->r->ipa_bits <= 36   ? 1
		       : p->r->ipa_bits <= 40 ? 2
		       : p->r->ipa_bits <= 42 ? 3
		       : p->r->ipa_bits <= 44 ? 4
					      : 5;
	uint64_t tcr = TCR_OURS | ips << 32 | (uint64_t)(c->tbi_mask[0] != ~0ULL) << TCR_TBI0 |
		       (uint64_t)(c->tbi_mask[1] != ~0ULL) << (TCR_TBI0 + 1);
	bool fp = p->fp == w && !soft_fp_is_trapped(c);

	put_cached(p, w, SCTLR_EL1, sctlr, &w->sctlr);
	put_cached(p, w, TCR_EL1, tcr, &w->tcr);
	put_cached(p, w, CPACR_EL1, fp ? CPACR_FPEN_ALL : 0, &w->cpacr);
}

/* An interrupt that only the masks keep from the current level: unmasking it must not go unnoticed. */
void view_push_lines(struct reverse_pe *p, struct view *w)
{
	static const uint8_t line[] = {[ARM_IRQ] = HV_IRQ, [ARM_FIQ] = HV_FIQ};
	const struct soft_cpu *c = &p->soft->c;
	struct arm_route r = soft_route(c);
	unsigned pending = soft_lines(c), lines = 0;

	for (enum arm_interrupt i = ARM_IRQ; i <= ARM_FIQ; i++) {
		bool takes = (bit(pending, line[i]) && arm_route_physical(&r, i, 0)) ||
			     (soft_interrupt_pending(c) && arm_route_virtual(&r, i, 0));

		lines |= (unsigned)takes << line[i];
	}
	for (enum hv_line l = HV_IRQ; l <= HV_FIQ; l++) {
		if (bit(lines ^ w->lines, l))
			p->r->inner->irq(w->vcpu, l, bit(lines, l));
	}
	w->lines = lines;
}

static void push_bank(struct reverse_pe *p, struct view *w)
{
	struct soft_cpu *c = &p->soft->c;
	struct bank *b = w->bank;
	bool spx = c->pstate & ARM_PSTATE_SP;

	for (unsigned n = 0; n < 31; n++)
		b->x[n] = c->x[n];
	b->pc = c->pc;
	b->pstate = soft_get_pstate(c) & (ARM_PSTATE_NZCV | ARM_PSTATE_DAIF | ARM_PSTATE_SP);
	b->pstate |= MODE_EL1 | (p->r->pan ? ARM_PSTATE_PAN : 0);
	b->sp_el0 = spx ? c->sys->sp_el[0] : c->sp;
	b->sp_elx = spx ? c->sp : c->sys->sp_el[soft_el(c)];
	if (w->in_stub)
		return;
	put(p, w, REG_PC, REVERSE_VECTORS + p->r->stub.resume);
	put(p, w, REG_PSTATE, STUB_PSTATE | (p->r->pan ? ARM_PSTATE_PAN : 0));
	put(p, w, REG_X(30), REVERSE_BANK);
	w->in_stub = true;
}

void view_push(struct reverse_pe *p, struct view *w)
{
	if (p->place == IN_SOFT && view_is_native(w)) {
		native_push(p, w);
		p->at = w;
		p->place = IN_VCPU;
	} else if (p->place == IN_SOFT) {
		push_controls(p, w);
		push_bank(p, w);
		divert_push(p->r->divert, &p->soft->c, w->bank);
		p->at = w;
		p->place = IN_BANK;
	}
	view_push_lines(p, w);
	if (!view_is_native(w))
		divert_update(p->r->divert, &p->soft->c, w->bank);
	if (w->shadow.stale && p->place == IN_BANK) {
		w->bank->tlb_stale = 1;
		w->shadow.stale = false;
	}
}

/* ---- FP&SIMD ---- */

static void fp_from(struct reverse_pe *p, struct view *w)
{
	struct soft_cpu *c = &p->soft->c;

	for (unsigned n = 0; n < 32; n++)
		p->r->inner->get_vreg(w->vcpu, n, c->v[n].d);
	c->fp.fpcr = get(p, w, REG_FPCR);
	c->fp.fpsr = get(p, w, REG_FPSR);
}

static void fp_to(struct reverse_pe *p, struct view *w)
{
	struct soft_cpu *c = &p->soft->c;

	for (unsigned n = 0; n < 32; n++)
		p->r->inner->set_vreg(w->vcpu, n, c->v[n].d);
	put(p, w, REG_FPCR, c->fp.fpcr);
	put(p, w, REG_FPSR, c->fp.fpsr);
}

void view_move_fp(struct reverse_pe *p, struct view *to)
{
	struct soft_cpu *c = &p->soft->c;

	if (p->fp == to)
		return;
	if (p->fp)
		fp_from(p, p->fp);
	if (to)
		fp_to(p, to);
	p->fp = to;
	c->fp_elsewhere = to;
	c->fp_trapped = to || soft_fp_is_trapped(c);
}

void view_fp_to_soft(struct soft_cpu *c)
{
	view_move_fp(reverse_pe(container_of(c, struct hv_vcpu, c)), NULL);
}

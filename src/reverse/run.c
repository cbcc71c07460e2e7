/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop of a PE: natively in the view of its regime as long as that goes, then an instruction by soft.
 *
 * Every exception of a managed view comes here. Page faults that the shadow is to blame for are mended; whatever else
 * it is, soft executes the instruction at the PC, and finds by itself what the architecture says about it.
 */
#include "reverse/reverse_int.h"

#include "arm/ldst.h"
#include "util/bits.h"
#include "util/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	VECTOR_SYNC = 0,
	ESR_EC_FP = 0x07,
	ESR_EC_IABT = 0x21,
	ESR_EC_DABT = 0x25,
	ISS_WNR = 6,
	ISS_CM = 8,
	SCTLR_M = 0,
	/* So many more instructions by soft after... */
	LINGER_CODE = 16,      /* IC IVAU: it comes in loops, and is the dearest part of them */
	LINGER_EXCLUSIVE = 32, /* a store-exclusive: the loop from its load on */
	LINGER_MMU = 16,       /* turning stage 1 off: some do so for a moment only */
};

void reverse_notify(struct hv_vcpu *v)
{
	struct reverse_pe *p = reverse_pe(v);
	struct hv_vcpu *inner;

	atomic_thread_fence(memory_order_seq_cst); /* pairs with enter() */
	inner = atomic_load(&p->running);
	if (inner)
		p->r->inner->kick(inner);
}

static void fail(struct hv_exit *x, int error, const char *what)
{
	x->kind = HV_EXIT_FAIL;
	x->fail.error = error;
	snprintf(x->fail.text, sizeof(x->fail.text), "%s", what);
}

/* ---- soft ---- */

static bool is_ic_all(uint32_t word)
{
	return (word & 0xfffffb1f) == 0xd508711f; /* IC IALLU, IALLUIS */
}

static bool is_ic_line(uint32_t word)
{
	return (word & 0xffffffe0) == 0xd50b7520; /* IC IVAU */
}

/* What was written behind our back counts from now on. */
static void invalidate_code(struct reverse_pe *p, uint32_t word, uint64_t va)
{
	const struct soft_tlb_entry *e;

	if (is_ic_all(word)) {
		code_refresh(&p->r->code, NULL);
		return;
	}
	p->linger = LINGER_CODE;
	e = soft_look_up(&p->soft->c, va, SOFT_READ);
	if (e && e->host)
		code_refresh(&p->r->code, (const uint8_t *)(uintptr_t)(e->page + e->addend));
}

/* TLBI waits here for the others: the DSB after it runs natively. */
static bool is_tlbi(uint32_t word)
{
	return (word & 0xfff8f000) == 0xd5088000;
}

void reverse_watch(struct reverse_pe *p, enum hv_inner kind)
{
	const struct hv_watch *w = p->r->soft->watch;

	if (w)
		w->inner(w->opaque, p->soft->s.index, kind);
}

/* The view could not do it: an access, or an instruction. Those that leave run() are counted there. */
static void watch_step(struct reverse_pe *p, uint32_t word)
{
	const struct hv_vm *vm = p->r->soft;

	if (!vm->watch || !p->step)
		return;
	if (p->access)
		reverse_watch(p, p->writes ? HV_INNER_WRITE : HV_INNER_READ);
	else if (!vm->wants || !bit(vm->wants(vm->wants_opaque, word), soft_el(&p->soft->c)))
		vm->watch->carried_out(vm->watch->opaque, p->soft->s.index, word);
}

/* The instruction at the PC; 0: it cannot be fetched. */
static uint32_t next_word(struct reverse_pe *p)
{
	struct soft_cpu *c = &p->soft->c;
	const struct soft_tlb_entry *e = soft_look_up(c, c->pc, SOFT_EXEC);
	uint32_t word = 0;

	if (e && e->host && !(c->pc & 3))
		memcpy(&word, (const void *)(uintptr_t)(c->pc + e->addend), 4);
	return code_original(&p->r->code, word);
}

/* A store-exclusive whose load ran natively: it fails in soft, which has not seen the load. The next try is soft's from
 * the load on. Only the fault that the guest would take must not be missed. */
static void store_exclusive(struct reverse_pe *p, unsigned bytes)
{
	struct soft_cpu *c = &p->soft->c;

	p->linger = LINGER_EXCLUSIVE;
	if (soft_look_up(c, p->far, SOFT_WRITE))
		return;
	c->excl_valid = true;
	c->excl_addr = p->far & c->tbi_mask[bit(p->far, 55)];
	c->excl_size = (uint8_t)bytes;
}

/* soft is going to carry out the write at p->far. */
static void before_write(struct reverse_pe *p, uint32_t word)
{
	struct a64_mem_op op = {0};
	unsigned bytes = 1;

	if (a64_ldst_decode(word, &op) && op.kind != A64_MEM_ZERO)
		bytes = a64_ldst_bytes(&op);
	fill_before_write(p, p->far, bytes);
	if (op.kind == A64_MEM_STORE_EXCL)
		store_exclusive(p, bytes);
}

static bool is_filled_for(const struct view *w, const struct soft_cpu *c)
{
	return !memcmp(w->shadow.context, c->context, sizeof(c->context)) &&
	       w->shadow.tlb == c->tlb;
}

/* What the handlers may give without us as well. */
static void note_at(struct reverse_pe *p, uint32_t word, uint64_t va)
{
	struct soft_cpu *c = &p->soft->c;
	struct view *w = &p->view[soft_secure_below_el3(c) ? VIEW_EL1S : VIEW_EL1NS];

	if (w->vcpu && !c->sys->flushed && !c->sys->gone_count && is_filled_for(w, c))
		divert_note(p->r->divert, c, w->bank, word, va);
}

/* What is ahead of the instruction that soft has carried out, and x the value of its Rt before it. */
static void after_step(struct reverse_pe *p, uint32_t word, uint64_t x, bool had_stage1)
{
	struct soft_cpu *c = &p->soft->c;

	if (had_stage1 && !bit(soft_current_sctlr(c), SCTLR_M))
		p->linger = LINGER_MMU;
	if (is_ic_all(word) || is_ic_line(word)) {
		invalidate_code(p, word, x);
	} else if (is_tlbi(word)) {
		soft_dsb(c);
		p->unsettled = 0;
	} else {
		note_at(p, word, x);
	}
	if (p->writes) {
		p->writes = false;
		fill_after_write(p);
	}
}

static enum soft_stepped step(struct reverse_pe *p)
{
	struct soft_cpu *c = &p->soft->c;
	enum soft_stepped result;
	bool had_stage1;
	uint32_t word;
	uint64_t x;

	view_pull(p);
	if (p->tlb_dirty && soft_el(c) < 2) {
		soft_tlb_flush_el10(c);
		p->tlb_dirty = false;
	}
	word = p->word ? p->word : next_word(p);
	if (p->writes)
		before_write(p, word);
	p->stats.steps++;
	watch_step(p, word);
	x = soft_x(c, bits(word, 4, 0));
	had_stage1 = bit(soft_current_sctlr(c), SCTLR_M);
	result = soft_step_word(c, p->word);
	p->step = p->access = false;
	p->word = 0;
	after_step(p, word, x, had_stage1);
	return result;
}

/* ---- exits ---- */

/* The alignment fault, if that is what the guest gets, comes before translation, which leaves traces in its tables. */
static bool is_misaligned(struct reverse_pe *p, struct view *w, uint64_t va)
{
	const struct soft_tlb_entry *e;
	struct a64_mem_op op;
	uint32_t word;

	if (!(va & 15))
		return false;
	e = soft_look_up(&p->soft->c, w->bank->pc, SOFT_EXEC);
	if (!e || !e->host)
		return false;
	memcpy(&word, (const void *)(uintptr_t)(w->bank->pc + e->addend), 4);
	return a64_ldst_decode(code_original(&p->r->code, word), &op) && va & (op.size - 1);
}

static void data_abort(struct reverse_pe *p, struct view *w)
{
	uint64_t esr = w->bank->esr, far = w->bank->far;
	bool write = bit(esr, ISS_WNR) && !bit(esr, ISS_CM);

	p->stats.faults++;
	if (bits(esr, 5, 2) == 0 || bits(esr, 5, 2) > 3 || is_misaligned(p, w, far) ||
	    !fill_data(p, w, far, write)) {
		p->step = p->access = true;
		p->writes = write;
		p->far = far;
	} else {
		reverse_watch(p, HV_INNER_TABLE);
	}
}

static void sync_exception(struct reverse_pe *p, struct view *w)
{
	switch (bits(w->bank->esr, 31, 26)) {
	case ESR_EC_DABT:
		data_abort(p, w);
		break;
	case ESR_EC_IABT:
		p->step = p->access = !fill_code(p, w, w->bank->pc);
		if (!p->step)
			reverse_watch(p, HV_INNER_CODE);
		break;
	case ESR_EC_FP:
		p->step = soft_fp_is_trapped(&p->soft->c);
		if (!p->step) {
			view_pull(p); /* to have the controls set anew */
			view_move_fp(p, w);
			reverse_watch(p, HV_INNER_FP);
		}
		break;
	default:
		p->step = true;
	}
}

/* The vCPU is at the end of the first half of the stub. */
static void from_stub(struct reverse_pe *p, struct view *w)
{
	uint64_t vector = w->bank->vector;

	p->r->inner->mmio_done(w->vcpu, 0);
	p->place = IN_BANK;
	w->in_stub = true;
	if (vector >
	    7) { /* from EL0: the guest has branched into the vectors, and gets what it asked for */
		p->step = true;
	} else if (bits(vector, 1, 0) == VECTOR_SYNC) {
		sync_exception(p, w);
	} else {
		soft_event(&p->soft->c, SOFT_EVENT_LINE);
		reverse_watch(p, HV_INNER_LINE);
	}
}

/* The PE's view has been left. False: with @x. */
static bool leave(struct reverse_pe *p, struct view *w, struct hv_exit *x)
{
	view_settle(p, w);
	if (x->kind == HV_EXIT_MMIO && x->mmio.ipa == p->r->exit_gpa) {
		from_stub(p, w);
		return true;
	}
	if (x->kind == HV_EXIT_KICK) {
		p->stats.kicks++;
		reverse_watch(p, HV_INNER_KICK);
		view_interrupted(p, w);
		return true;
	}
	p->place = IN_VCPU;
	w->in_stub = false;
	switch (x->kind) {
	case HV_EXIT_MMIO:
		p->stats.mmio++;
		p->mmio = true;
		x->mmio.secure = view_is_secure(w->kind);
		return false;
	case HV_EXIT_DABT:
		p->step = p->access = true;
		return true;
	case HV_EXIT_FAIL:
		return false;
	default:
		fail(x, -EIO, "an exit that a managed view cannot have");
		return false;
	}
}

/* ---- entries ---- */

/* TLB maintenance by address. */
static void forget_gone(struct reverse_pe *p)
{
	struct soft_sys *s = p->soft->c.sys;

	view_pull(p);
	for (unsigned i = 0; i < VIEW_MANAGED; i++) {
		struct view *w = &p->view[i];

		for (unsigned n = 0; w->vcpu && n < s->gone_count; n++) {
			if (soft_context_regime(w->shadow.context[0]) != s->gone[n].regime)
				continue;
			shadow_forget_va(&w->shadow, s->gone[n].va);
			divert_forget(w->bank);
		}
	}
	s->gone_count = 0;
}

/* Memory has come or gone there. */
static void forget_moved(struct reverse_pe *p)
{
	struct soft_sys *s = p->soft->c.sys;

	view_pull(p);
	for (unsigned i = 0; i < VIEW_MANAGED; i++) {
		if (p->view[i].vcpu)
			shadow_forget(&p->view[i].shadow, s->moved_first, s->moved_last);
	}
	s->moved_first = ~0ULL;
	s->moved_last = 0;
}

static void refresh_shadow(struct reverse_pe *p, struct view *w)
{
	struct soft_cpu *c = &p->soft->c;

	if (c->sys->flushed) {
		for (unsigned i = 0; i < VIEW_MANAGED; i++) {
			uint64_t *context = p->view[i].shadow.context;

			if (bit(c->sys->flushed, soft_context_regime(context[0])))
				context[0] = ~0ULL;
		}
		c->sys->flushed = 0;
	}
	if (c->sys->gone_count)
		forget_gone(p);
	if (c->sys->moved_first <= c->sys->moved_last)
		forget_moved(p);
	if (is_filled_for(w, c))
		return;
	view_pull(p);
	shadow_flush(&w->shadow);
	divert_forget(w->bank);
	w->shadow.tlb = c->tlb;
	memcpy(w->shadow.context, c->context, sizeof(c->context));
}

/* What native systems execute is not patched meanwhile. */
static void run_inner(struct reverse_pe *p, struct view *w, struct hv_exit *x)
{
	if (view_is_native(w))
		pthread_rwlock_rdlock(&p->r->patching);
	p->r->inner->run(w->vcpu, x);
	if (view_is_native(w))
		pthread_rwlock_unlock(&p->r->patching);
}

/* False: with @x. */
static bool enter(struct reverse_pe *p, struct view *w, struct hv_exit *x)
{
	struct soft_cpu *c = &p->soft->c;

	if (!view_is_native(w))
		refresh_shadow(p, w);
	view_push(p, w);
	atomic_store(&p->running, w->vcpu);
	deadline_set(p, c->sys->deadline_ns, w->kind == VIEW_EL3 ? w->bank : NULL);
	if (atomic_load(
		    &c->event)) { /* since it was looked at, and before anybody could have kicked */
		atomic_store(&p->running, NULL);
		return true;
	}
	p->stats.entries++;
	run_inner(p, w, x);
	atomic_store(&p->running, NULL);
	return view_is_native(w) ? native_leave(p, w, x) : leave(p, w, x);
}

static bool go_on(struct reverse_pe *p, struct hv_exit *x)
{
	struct soft_cpu *c = &p->soft->c;
	struct view *w = p->at;
	int error;

	if (!p->step && atomic_load(&c->event) && p->place == IN_VCPU && view_is_native(w)) {
		enum native_next next = native_events(p, w, x);

		if (next != NATIVE_PULL)
			return next == NATIVE_GO_ON;
	} else if (!p->step && !p->linger && !atomic_load(&c->event)) {
		if (p->place == IN_SOFT)
			w = view_of_pe(p);
		error = w ? view_ready(p, w) : 0;
		if (error) {
			fail(x, error, "cannot create a vCPU for another exception level");
			return false;
		}
		if (w && view_is_native(w) && p->place == IN_SOFT)
			soft_watch_code(c, c->pc);
		if (w)
			return enter(p, w, x);
	}
	p->linger -= p->linger > 0;
	if (step(p) == SOFT_WENT_ON)
		return true;
	*x = c->sys->exit;
	return false;
}

void reverse_run(struct hv_vcpu *v, struct hv_exit *x)
{
	struct reverse_pe *p = reverse_pe(v);

	if (v->s.waiting) {
		view_pull(p);
		soft_run(v, x);
		return;
	}
	atomic_store(&v->s.in_guest, true);
	p->mmio = false;
	while (go_on(p, x))
		;
	atomic_store(&v->s.in_guest, false);
}

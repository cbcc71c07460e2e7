/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address translation and the TLB. Arm ARM (DDI 0487), D8; the walk itself is arm/walk.c.
 *
 * The TLB holds pages of 4 KiB, one table per view (enum soft_view), direct-mapped. An entry belongs to a
 * context: regime, security state and ASID, so changing TTBRs flushes nothing. Other CPUs are never
 * written to: they get a request and carry it out before their next instruction, and DSB waits for them.
 */
#include "hv/soft/sys.h"

#include "util/bits.h"

#include <sched.h>

enum {
	TLB_ENTRIES = 1 << SOFT_TLB_BITS,
	CONTEXT_REGIME = 32,
	CONTEXT_SECURE = 36,
	CONTEXT_NONE = 63, /* of entries that hold nothing */
};

/* ---- regimes ---- */

static bool is_secure(const struct soft_cpu *c)
{
	return c->sys->vm->highest_el == 3 && !bit(SOFT_REG(c, SCR_EL3), 0);
}

static enum arm_regime_kind regime_kind(unsigned el)
{
	return el == 3 ? ARM_REGIME_EL3 : el == 2 ? ARM_REGIME_EL2 : ARM_REGIME_EL10;
}

static const struct soft_region *find_region(const struct hv_vm *vm, uint64_t pa)
{
	unsigned n = __atomic_load_n(&vm->region_count, __ATOMIC_ACQUIRE);

	for (unsigned i = 0; i < n; i++) {
		const struct soft_region *r = &vm->regions[i];

		if (pa - r->gpa < r->len)
			return r;
	}
	return NULL;
}

static bool read_table(void *opaque, uint64_t pa, uint64_t *value)
{
	const struct soft_region *r = find_region(opaque, pa);

	if (!r || r->len - (pa - r->gpa) < 8)
		return false;
	*value = __atomic_load_n((uint64_t *)(r->host + (pa - r->gpa)), __ATOMIC_ACQUIRE);
	return true;
}

static void get_regime(struct soft_cpu *c, unsigned el, struct arm_regime *r)
{
	*r = (struct arm_regime){
		.kind = regime_kind(el),
		.sctlr = soft_sctlr(c, el),
		.pa_bits = 48,
		.read = read_table,
		.opaque = c->sys->vm,
	};
	if (el == 3) {
		r->tcr = SOFT_REG(c, TCR_EL3);
		r->ttbr[0] = SOFT_REG(c, TTBR0_EL3);
	} else if (el == 2) {
		r->tcr = SOFT_REG(c, TCR_EL2);
		r->ttbr[0] = SOFT_REG(c, TTBR0_EL2);
	} else {
		r->tcr = SOFT_REG(c, TCR_EL1);
		r->ttbr[0] = SOFT_REG(c, TTBR0_EL1);
		r->ttbr[1] = SOFT_REG(c, TTBR1_EL1);
	}
}

static uint16_t current_asid(const struct soft_cpu *c)
{
	uint64_t tcr = SOFT_REG(c, TCR_EL1);
	uint64_t ttbr = bit(tcr, 22) ? SOFT_REG(c, TTBR1_EL1) : SOFT_REG(c, TTBR0_EL1);
	uint64_t asid = bits(ttbr, 63, 48);

	return bit(tcr, 36) ? asid : asid & 0xff;
}

uint64_t soft_context_id(const struct soft_cpu *c, unsigned half)
{
	enum arm_regime_kind kind = regime_kind(soft_el(c));
	uint64_t id = (uint64_t)kind << CONTEXT_REGIME | (uint64_t)is_secure(c) << CONTEXT_SECURE;

	if (kind == ARM_REGIME_EL10 && (!half || c->sys->upper_ng))
		id |= current_asid(c);
	return id;
}

/* ---- TLB ---- */

static void invalidate(struct soft_tlb_entry *e, unsigned index)
{
	for (unsigned a = 0; a < SOFT_ACCESS_COUNT; a++)
		e->tag[a] = (uint64_t)(index ^ 1) << SOFT_PAGE_BITS;
	e->context = 1ULL << CONTEXT_NONE;
	e->valid = false;
}

void soft_tlb_flush(struct soft_cpu *c)
{
	struct soft_sys *s = c->sys;

	for (unsigned v = 0; v < SOFT_VIEW_COUNT; v++) {
		for (unsigned i = 0; i < TLB_ENTRIES; i++)
			invalidate(&s->tlb[v][i], i);
	}
	s->large_pages[0] = s->large_pages[1] = false;
	c->fetch_page = 1;
}

/* The tag byte is not looked at: it may or may not count. */
#define VA_BITS 0x00ffffffffffffffULL

void soft_tlb_flush_va(struct soft_cpu *c, uint64_t va)
{
	unsigned index = va >> SOFT_PAGE_BITS & (TLB_ENTRIES - 1);

	if (c->sys->large_pages[bit(va, 55)]) {
		soft_tlb_flush(c);
		return;
	}
	for (unsigned v = 0; v < SOFT_VIEW_COUNT; v++) {
		struct soft_tlb_entry *e = &c->sys->tlb[v][index];

		if (e->valid && !((e->page ^ va) & VA_BITS & ~(uint64_t)(SOFT_PAGE - 1)))
			invalidate(e, index);
	}
	c->fetch_page = 1;
}

void soft_tlb_flush_asid(struct soft_cpu *c, uint16_t asid)
{
	for (unsigned v = 0; v < SOFT_VIEW_COUNT; v++) {
		for (unsigned i = 0; i < TLB_ENTRIES; i++) {
			struct soft_tlb_entry *e = &c->sys->tlb[v][i];

			if (e->valid && (e->context & 0xffff) == asid)
				invalidate(e, i);
		}
	}
	c->fetch_page = 1;
}

/* ---- other CPUs ---- */

void soft_flush_requests(struct soft_cpu *c)
{
	unsigned wanted = atomic_load(&c->sys->flush_wanted);

	if (wanted == atomic_load_explicit(&c->sys->flush_done, memory_order_relaxed))
		return;
	soft_tlb_flush(c);
	atomic_store(&c->sys->flush_done, wanted);
}

void soft_tlb_flush_all_cpus(struct soft_cpu *c)
{
	struct hv_vm *vm = c->sys->vm;

	soft_tlb_flush(c);
	for (unsigned i = 0; i < SOFT_MAX_CPUS; i++) {
		struct hv_vcpu *v = __atomic_load_n(&vm->cpu[i], __ATOMIC_ACQUIRE);

		if (!v || &v->c == c)
			continue;
		atomic_fetch_add(&v->s.flush_wanted, 1);
		soft_event(&v->c, SOFT_EVENT_FLUSH);
	}
}

/* A CPU that is not in the guest looks for requests before it enters. */
static bool has_flushed(struct hv_vcpu *v)
{
	return atomic_load(&v->s.flush_done) == atomic_load(&v->s.flush_wanted) ||
	       !atomic_load(&v->s.in_guest);
}

void soft_dsb(struct soft_cpu *c)
{
	struct hv_vm *vm = c->sys->vm;

	atomic_thread_fence(memory_order_seq_cst);
	for (unsigned i = 0; i < SOFT_MAX_CPUS; i++) {
		struct hv_vcpu *v = __atomic_load_n(&vm->cpu[i], __ATOMIC_ACQUIRE);

		while (v && &v->c != c && !has_flushed(v)) {
			soft_flush_requests(c); /* or two CPUs would wait for each other */
			sched_yield();
		}
	}
}

/* ---- faults ---- */

static void fault(struct soft_cpu *c, uint64_t va, enum soft_access access, unsigned fsc)
{
	unsigned el = soft_el(c), target = soft_sync_target(c);

	if (access == SOFT_EXEC)
		soft_take_sync(c, arm_esr_iabt(el, target, fsc), va, c->pc);
	else
		soft_take_sync(c, arm_esr_dabt(el, target, fsc, access == SOFT_WRITE, false), va,
			       c->pc);
}

/* ---- filling ---- */

/* Hardware management of the access flag and dirty state: D8.5. The descriptor is changed only if it is
 * still the one that was walked. */
static void update_descriptor(struct hv_vm *vm, const struct arm_xlat *x, bool write)
{
	const struct soft_region *r = find_region(vm, x->desc_pa);
	uint64_t old = x->desc, new = old | 1ULL << 10;

	if (!x->desc_pa || !r || !r->writable || x->big_endian)
		return;
	if (write && bit(old, 51))
		new &= ~(1ULL << 7);
	if (new != old)
		__atomic_compare_exchange_n((uint64_t *)(r->host + (x->desc_pa - r->gpa)), &old,
					    new, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static uint8_t view_prot(const struct arm_xlat *x, enum soft_view view)
{
	if (view == SOFT_VIEW_USER)
		return x->user;
	/* D8.4.3: PAN takes data accesses to what EL0 may access. */
	if (view == SOFT_VIEW_PRIV_PAN && x->user & (ARM_PROT_READ | ARM_PROT_WRITE))
		return x->priv & ARM_PROT_EXEC;
	return x->priv;
}

static bool is_device(const struct soft_cpu *c, unsigned el, const struct arm_xlat *x)
{
	uint64_t mair = el == 3	  ? SOFT_REG(c, MAIR_EL3)
			: el == 2 ? SOFT_REG(c, MAIR_EL2)
				  : SOFT_REG(c, MAIR_EL1);

	if (!bit(soft_sctlr(c, el), 0))
		return true;
	return !(mair >> (x->attr_index * 8) & 0xf0);
}

static bool plain(const struct soft_cpu *c, const struct soft_tlb_entry *e)
{
	return !e->device && !c->big_endian && !c->align_check;
}

static void set_tags(const struct soft_cpu *c, struct soft_tlb_entry *e)
{
	if (!e->host)
		return;
	if (e->prot & ARM_PROT_EXEC)
		e->tag[SOFT_EXEC] = e->page;
	if (!plain(c, e) || (c->sys->debug.watchpoints && soft_watch_page(c, e->page)))
		return;
	if (e->prot & ARM_PROT_READ)
		e->tag[SOFT_READ] = e->page;
	if (e->prot & ARM_PROT_WRITE && e->writable)
		e->tag[SOFT_WRITE] = e->page;
}

/* An upper-half page that is not global: from now on the upper half's context has the ASID. */
static void see_upper_ng(struct soft_cpu *c)
{
	c->sys->upper_ng = true;
	soft_tlb_flush(c);
	c->context[1] = soft_context_id(c, 1);
}

static void fill(struct soft_cpu *c, struct soft_tlb_entry *e, unsigned index, uint64_t va,
		 const struct arm_xlat *x, enum soft_view view, bool write)
{
	unsigned half = bit(va, 55);
	const struct soft_region *r;
	bool clean = bit(x->desc, 51) && bit(x->desc, 7) && !write;

	if (half && x->ng && !c->sys->upper_ng)
		see_upper_ng(c);
	invalidate(e, index);
	e->valid = true;
	e->page = va & ~(uint64_t)(SOFT_PAGE - 1);
	e->pa = x->pa & ~(uint64_t)(SOFT_PAGE - 1);
	e->context = c->context[half];
	e->prot = view_prot(x, view);
	if (clean) /* the first write has to mark it dirty */
		e->prot &= ~ARM_PROT_WRITE;
	e->device = is_device(c, soft_el(c), x);
	if (x->size > SOFT_PAGE)
		c->sys->large_pages[half] = true;
	r = find_region(c->sys->vm, e->pa);
	e->host = r && r->len - (e->pa - r->gpa) >= SOFT_PAGE;
	e->writable = e->host && r->writable;
	if (e->host)
		e->addend = (uintptr_t)(r->host + (e->pa - r->gpa)) - e->page;
	set_tags(c, e);
}

static bool allows(uint8_t prot, enum soft_access access)
{
	static const uint8_t needed[] = {
		[SOFT_READ] = ARM_PROT_READ,
		[SOFT_WRITE] = ARM_PROT_WRITE,
		[SOFT_EXEC] = ARM_PROT_EXEC,
	};

	return prot & needed[access];
}

static enum soft_view view_of(const struct soft_cpu *c, unsigned flags)
{
	if (soft_el(c) == 0 || flags & SOFT_MEM_UNPRIV)
		return SOFT_VIEW_USER;
	return c->pstate & ARM_PSTATE_PAN ? SOFT_VIEW_PRIV_PAN : SOFT_VIEW_PRIV;
}

struct soft_tlb_entry *soft_translate(struct soft_cpu *c, uint64_t va, enum soft_access access,
				      unsigned flags)
{
	enum soft_view view = view_of(c, flags);
	unsigned index = va >> SOFT_PAGE_BITS & (TLB_ENTRIES - 1);
	struct soft_tlb_entry *e = &c->sys->tlb[view][index];
	struct arm_regime r;
	struct arm_xlat x;

	if (e->valid && !((va ^ e->page) >> SOFT_PAGE_BITS) &&
	    e->context == c->context[bit(va, 55)] && allows(e->prot, access))
		return e;
	get_regime(c, soft_el(c), &r);
	if (arm_walk(&r, va, &x) != ARM_WALK_OK) {
		fault(c, va, access, x.fsc);
		return NULL;
	}
	if (!allows(view_prot(&x, view), access)) {
		fault(c, va, access, ARM_FSC_PERMISSION + (unsigned)x.level);
		return NULL;
	}
	update_descriptor(c->sys->vm, &x, access == SOFT_WRITE);
	fill(c, e, index, va, &x, view, access == SOFT_WRITE);
	return e;
}

bool soft_fetch_page(struct soft_cpu *c)
{
	struct soft_tlb_entry *e;

	if (c->pc & 3) {
		soft_raise_pc_alignment(c, c->pc);
		return false;
	}
	e = soft_translate(c, c->pc, SOFT_EXEC, 0);
	if (!e)
		return false;
	if (!e->host) { /* instructions out of a device or out of nothing */
		fault(c, c->pc, SOFT_EXEC, ARM_FSC_EXTERNAL);
		return false;
	}
	c->fetch_page = e->page;
	c->fetch_host = (const uint8_t *)(uintptr_t)(e->page + e->addend);
	if (c->sys->debug.breakpoints && soft_break_page(c, c->pc)) {
		c->fetch_page = 1; /* come back for the next instruction */
		return !soft_break(c);
	}
	return true;
}

/* ---- AT ---- */

/* PAR_EL1, D24.2.137: with F = 0 the address and attributes, with F = 1 the fault status. */
uint64_t soft_at(struct soft_cpu *c, uint64_t va, unsigned el, bool user, bool write, bool pan)
{
	uint64_t mair = el == 3	  ? SOFT_REG(c, MAIR_EL3)
			: el == 2 ? SOFT_REG(c, MAIR_EL2)
				  : SOFT_REG(c, MAIR_EL1);
	enum soft_view view = user ? SOFT_VIEW_USER : pan ? SOFT_VIEW_PRIV_PAN : SOFT_VIEW_PRIV;
	struct arm_regime r;
	struct arm_xlat x;
	uint64_t attr;

	get_regime(c, el, &r);
	if (arm_walk(&r, va, &x) != ARM_WALK_OK)
		return 1 | (uint64_t)x.fsc << 1 | 1 << 11;
	if (!allows(view_prot(&x, view), write ? SOFT_WRITE : SOFT_READ))
		return 1 | (uint64_t)(ARM_FSC_PERMISSION + (unsigned)x.level) << 1 | 1 << 11;
	attr = bit(r.sctlr, 0) ? mair >> (x.attr_index * 8) & 0xff : 0;
	return (x.pa & 0x000ffffffffff000ULL) | attr << 56 |
	       (uint64_t)(attr & 0xf0 ? x.sh : 2) << 7 | 1 << 11;
}

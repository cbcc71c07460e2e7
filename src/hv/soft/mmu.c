/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address translation: which regime is in use, and filling the TLB. Arm ARM (DDI 0487), D8; the walk itself is
 * arm/walk.c, the TLB is tlb.c.
 *
 * Stage 2 and HCR_EL2 belong to Non-secure state: there is no Secure EL2.
 */
#include "hv/soft/sys.h"

#include "util/bits.h"

enum {
	TLB_ENTRIES = 1 << SOFT_TLB_BITS,
	SCTLR_A = 1,
	SCTLR_E0E = 24,
	SCTLR_EE = 25,
	VTCR_VS = 19,
};

/* Bits of a context, above ASID and VMID. */
enum {
	CONTEXT_VMID = 16,
	CONTEXT_REGIME = 32,
	CONTEXT_SECURE = 36,
	CONTEXT_STAGE1_OFF = 37, /* by HCR_EL2 */
	CONTEXT_STAGE2 = 38,
	CONTEXT_DC = 39,
	CONTEXT_CONFIG = 40,
};

/* ---- regimes ---- */

static uint64_t guest_hcr(const struct soft_cpu *c)
{
	struct arm_route r = soft_route(c);

	return arm_guest_hcr(&r);
}

enum arm_translation soft_regime_of(const struct soft_cpu *c, unsigned el)
{
	struct arm_route r = soft_route(c);

	return arm_translation_of(&r, el == 1 ? 0 : el);
}

static enum arm_translation current_regime(const struct soft_cpu *c)
{
	struct arm_route r = soft_route(c);

	return arm_translation_of(&r, r.el);
}

static bool regime_is_secure(const struct soft_cpu *c, enum arm_translation regime)
{
	struct arm_route r = soft_route(c);

	return arm_translation_is_secure(&r, regime);
}

static struct soft_mmu_config config_of(const struct soft_cpu *c, unsigned el)
{
	static const uint16_t tcr[] = {SYSREG_IX_TCR_EL1, SYSREG_IX_TCR_EL2, SYSREG_IX_TCR_EL3};
	static const uint16_t mair[] = {SYSREG_IX_MAIR_EL1, SYSREG_IX_MAIR_EL2, SYSREG_IX_MAIR_EL3};
	const uint64_t *reg = c->sys->reg;

	return (struct soft_mmu_config){soft_sctlr(c, el), reg[tcr[el - 1]], reg[mair[el - 1]]};
}

/* ---- physical memory ---- */

const struct soft_region *soft_find_region(const struct hv_vm *vm, uint64_t pa, bool secure)
{
	unsigned n = __atomic_load_n(&vm->region_count, __ATOMIC_ACQUIRE);

	for (unsigned i = 0; i < n; i++) {
		const struct soft_region *r = &vm->regions[i];

		if (pa - r->gpa < __atomic_load_n(&r->len, __ATOMIC_ACQUIRE) &&
		    (secure || !r->secure))
			return r;
	}
	return NULL;
}

static uint64_t *find_descriptor(const struct hv_vm *vm, uint64_t pa, bool secure, bool write)
{
	const struct soft_region *r = soft_find_region(vm, pa, secure);

	if (!r || r->len - (pa - r->gpa) < 8 || (write && !r->writable))
		return NULL;
	return (uint64_t *)(r->host + (pa - r->gpa));
}

static bool read_table(void *opaque, uint64_t pa, bool secure, uint64_t *value)
{
	const uint64_t *p = find_descriptor(opaque, pa, secure, false);

	if (!p)
		return false;
	*value = __atomic_load_n(p, __ATOMIC_ACQUIRE);
	return true;
}

/* Tables in memory that cannot be written stay as they are. */
static bool update_table(void *opaque, uint64_t pa, bool secure, uint64_t old, uint64_t value)
{
	uint64_t *p = find_descriptor(opaque, pa, secure, true);

	return !p || __atomic_compare_exchange_n(p, &old, value, false, __ATOMIC_ACQ_REL,
						 __ATOMIC_RELAXED);
}

/* ---- what a walk needs ---- */

struct regime {
	struct arm_regime stage1;
	struct arm_stage2 stage2;
};

static uint64_t stored_reg(void *opaque, uint16_t code, unsigned index)
{
	return ((const uint64_t *)opaque)[index];
}

static void get_regime(const struct soft_cpu *c, enum arm_translation regime, struct regime *r)
{
	struct arm_regime_state s = {
		.route = soft_route(c), .reg = stored_reg, .opaque = c->sys->reg};

	r->stage1 = (struct arm_regime){
		.pa_bits = c->sys->vm->pa_bits,
		.no_granule16 = c->sys->vm->no_granule16,
		.read = read_table,
		.update = update_table,
		.opaque = c->sys->vm,
	};
	arm_regime_get(&s, regime, &r->stage1, &r->stage2);
}

/* ---- contexts ---- */

static uint64_t asid(uint64_t tcr, uint64_t ttbr0, uint64_t ttbr1)
{
	uint64_t id = bits(bit(tcr, 22) ? ttbr1 : ttbr0, 63, 48);

	return bit(tcr, 36) ? id : id & 0xff;
}

static uint64_t vmid(const struct soft_cpu *c)
{
	uint64_t id = bits(SOFT_REG(c, VTTBR_EL2), 63, 48);

	return bit(SOFT_REG(c, VTCR_EL2), VTCR_VS) ? id : id & 0xff;
}

static uint64_t asid_of(const struct soft_cpu *c, enum arm_translation regime)
{
	if (regime == ARM_EL10)
		return asid(SOFT_REG(c, TCR_EL1), SOFT_REG(c, TTBR0_EL1), SOFT_REG(c, TTBR1_EL1));
	if (regime == ARM_EL20)
		return asid(SOFT_REG(c, TCR_EL2), SOFT_REG(c, TTBR0_EL2), SOFT_REG(c, TTBR1_EL2));
	return 0;
}

uint64_t soft_context_of(const struct soft_cpu *c, enum arm_translation regime)
{
	bool secure = regime_is_secure(c, regime);
	uint64_t id = (uint64_t)regime << CONTEXT_REGIME | (uint64_t)secure << CONTEXT_SECURE;

	if (regime == ARM_EL10 && soft_have_el(c, 2) && !secure)
		id |= vmid(c) << CONTEXT_VMID;
	return id;
}

uint64_t soft_context_id(const struct soft_cpu *c, unsigned half)
{
	enum arm_translation regime = current_regime(c);
	uint64_t id = soft_context_of(c, regime);

	id |= (uint64_t)c->sys->config_of[arm_translation_el(regime)] << CONTEXT_CONFIG;
	if (regime == ARM_EL10) {
		uint64_t hcr = guest_hcr(c);

		id |= (uint64_t)arm_hcr_stage1_off(hcr) << CONTEXT_STAGE1_OFF |
		      (uint64_t)arm_hcr_stage2_on(hcr) << CONTEXT_STAGE2 |
		      (uint64_t)bit(hcr, ARM_HCR_DC) << CONTEXT_DC;
	}
	if (!half || c->sys->upper_ng)
		id |= asid_of(c, regime);
	return id;
}

static bool same_config(const struct soft_mmu_config *a, const struct soft_mmu_config *b)
{
	return a->sctlr == b->sctlr && a->tcr == b->tcr && a->mair == b->mair;
}

/* False: there are too many. */
static bool find_config(struct soft_cpu *c, unsigned el)
{
	struct soft_mmu_config now = config_of(c, el);
	struct soft_sys *s = c->sys;
	unsigned i;

	for (i = 0; i < s->config_count; i++) {
		if (same_config(&s->config[i], &now))
			break;
	}
	if (i == SOFT_MMU_CONFIGS)
		return false;
	s->config[i] = now;
	s->config_of[el] = i;
	if (i == s->config_count)
		s->config_count++;
	return true;
}

/* Software need not invalidate anything if it switches translation on, and is seen to be careless with TCR_ELx
 * and MAIR_ELx: entries belong to the values that they were made with. */
void soft_mmu_changed(struct soft_cpu *c)
{
	for (unsigned el = 1; el <= 3; el++) {
		if (find_config(c, el))
			continue;
		soft_tlb_flush(c);
		c->sys->config_count = 0;
		el = 0; /* all of them again: they do fit */
	}
	soft_context_changed(c);
}

/* ---- faults ---- */

/* ISS[23:14] with ISV: stage 2 faults of simple loads and stores, AArch64.LSInstructionSyndrome. */
static uint32_t instruction_syndrome(unsigned flags)
{
	if (!(flags & SOFT_MEM_ISV))
		return 0;
	return 1U << 24 | (flags >> SOFT_MEM_SIZE_SHIFT & 3) << 22 |
	       (uint32_t) !!(flags & SOFT_MEM_SIGN) << 21 |
	       (flags >> SOFT_MEM_RT_SHIFT & 31) << 16 |
	       (uint32_t) !!(flags & SOFT_MEM_DST64) << 15 |
	       (uint32_t) !!(flags & SOFT_MEM_AR) << 14;
}

static void fault(struct soft_cpu *c, uint64_t va, enum soft_access access, unsigned flags,
		  const struct arm_xlat *x)
{
	struct arm_route r = soft_route(c);
	unsigned el = r.el, target = arm_abort_target(&r, x);
	uint32_t esr = arm_esr_iabt(el, target, x->fsc);

	if (access != SOFT_EXEC) {
		esr = arm_esr_dabt(el, target, x->fsc, access == SOFT_WRITE,
				   flags & SOFT_MEM_CACHE);
		if (x->fault_stage2 && !x->fault_on_walk && target == 2)
			esr |= instruction_syndrome(flags);
	}
	esr |= (uint32_t)x->fault_on_walk << 7; /* S1PTW */
	if (x->fault_stage2 && target == 2)
		SOFT_REG(c, HPFAR_EL2) = arm_abort_hpfar(x);
	soft_take(c, ARM_EXC_SYNC, target, esr, va, c->pc);
}

static void external_abort(struct soft_cpu *c, uint64_t va, enum soft_access access)
{
	struct arm_xlat x = {.fsc = ARM_FSC_EXTERNAL};

	fault(c, va, access, 0, &x);
}

void soft_external_abort(struct soft_cpu *c, uint64_t va, bool is_write)
{
	external_abort(c, va, is_write ? SOFT_WRITE : SOFT_READ);
}

void soft_device_alignment(struct soft_cpu *c, const struct soft_tlb_entry *e, uint64_t va,
			   bool is_write)
{
	if (e->device_stage1)
		soft_raise_alignment(c, va, is_write);
	else
		soft_take(c, ARM_EXC_SYNC, 2,
			  arm_esr_dabt(soft_el(c), 2, ARM_FSC_ALIGNMENT, is_write, false), va,
			  c->pc);
}

/* ---- filling ---- */

static bool is_device(uint8_t attr)
{
	return !(attr & 0xf0);
}

/* Accesses of this view by the level it is for: no other byte order, no checks. */
static bool plain(const struct soft_cpu *c, const struct soft_tlb_entry *e, enum soft_view view)
{
	uint64_t sctlr = soft_sctlr(c, arm_translation_el(current_regime(c)));

	return !e->device && !bit(sctlr, SCTLR_A) &&
	       !bit(sctlr, view == SOFT_VIEW_USER ? SCTLR_E0E : SCTLR_EE);
}

static void set_tags(const struct soft_cpu *c, struct soft_tlb_entry *e, enum soft_view view)
{
	if (!e->host)
		return;
	if (e->prot & ARM_PROT_EXEC)
		e->tag[SOFT_EXEC] = e->page;
	if (c->sys->debug.watchpoints && soft_watch_page(c, e->page))
		return;
	if (e->prot & ARM_PROT_READ)
		e->direct |= 1 << SOFT_READ;
	if (e->prot & ARM_PROT_WRITE && e->writable)
		e->direct |= 1 << SOFT_WRITE;
	if (!plain(c, e, view))
		return;
	for (enum soft_access a = SOFT_READ; a <= SOFT_WRITE; a++) {
		if (bit(e->direct, a))
			e->tag[a] = e->page;
	}
}

/* An upper-half page that is not global: from now on the upper half's context has the ASID. */
static void see_upper_ng(struct soft_cpu *c)
{
	c->sys->upper_ng = true;
	soft_tlb_flush(c);
	c->context[1] = soft_context_id(c, 1);
}

static void see_large(struct soft_cpu *c, uint64_t va, uint64_t size)
{
	uint64_t first = bits(va, 55, 0) & ~(size - 1), last = first + size - 1;
	unsigned half = bit(va, 55), size_bits = (unsigned)__builtin_ctzll(size);

	if (first < c->sys->large[half].first)
		c->sys->large[half].first = first;
	if (last > c->sys->large[half].last)
		c->sys->large[half].last = last;
	if (size_bits > c->sys->large[half].size_bits)
		c->sys->large[half].size_bits = size_bits;
}

static void set_memory(const struct soft_cpu *c, struct soft_tlb_entry *e)
{
	const struct soft_region *r = soft_find_region(c->sys->vm, e->pa, e->secure);

	e->host = r && r->len - (e->pa - r->gpa) >= SOFT_PAGE;
	e->writable = e->host && r->writable;
	if (e->host)
		e->addend = (uintptr_t)(r->host + (e->pa - r->gpa)) - e->page;
}

static void fill(struct soft_cpu *c, struct soft_tlb_entry *e, unsigned index, uint64_t va,
		 const struct arm_xlat *x, enum soft_view view)
{
	unsigned half = bit(va, 55);

	if (half && x->ng && !c->sys->upper_ng)
		see_upper_ng(c);
	soft_tlb_invalidate(e, index);
	e->page = va & ~(uint64_t)(SOFT_PAGE - 1);
	e->pa = x->pa & ~(uint64_t)(SOFT_PAGE - 1);
	e->context = c->context[half];
	e->prot = arm_xlat_prot(x, view == SOFT_VIEW_USER, view == SOFT_VIEW_PRIV_PAN);
	if (x->clean) /* the first write has to mark it dirty */
		e->prot &= ~ARM_PROT_WRITE;
	e->device = is_device(x->attr);
	e->device_stage1 = is_device(x->stage1_attr);
	e->secure = !x->ns;
	e->size_bits = (uint8_t)__builtin_ctzll(x->stage1_size);
	if (x->stage1_size > SOFT_PAGE)
		see_large(c, va, x->stage1_size);
	set_memory(c, e);
	set_tags(c, e, view);
}

static const enum arm_prot needed[] = {
	[SOFT_READ] = ARM_PROT_READ,
	[SOFT_WRITE] = ARM_PROT_WRITE,
	[SOFT_EXEC] = ARM_PROT_EXEC,
};

/* Maintenance does not mind PAN: D8.4.3. */
static enum soft_view view_of(const struct soft_cpu *c, unsigned flags)
{
	if (soft_el(c) == 0)
		return SOFT_VIEW_USER;
	if (flags & SOFT_MEM_UNPRIV) {
		struct arm_route r = soft_route(c);

		if (arm_access_is_user(&r, c->pstate, true))
			return SOFT_VIEW_USER;
	}
	return c->pstate & ARM_PSTATE_PAN && !(flags & SOFT_MEM_CACHE) ? SOFT_VIEW_PRIV_PAN
								       : SOFT_VIEW_PRIV;
}

/* NULL: @x says what fault there is. */
static struct soft_tlb_entry *find_entry(struct soft_cpu *c, uint64_t va, enum soft_access access,
					 enum soft_view view, struct arm_xlat *x)
{
	unsigned index = va >> SOFT_PAGE_BITS & (TLB_ENTRIES - 1);
	struct soft_tlb_entry *e = &c->sys->tlb[view][index];
	struct arm_access a = {
		.need = needed[access],
		.user = view == SOFT_VIEW_USER,
		.pan = view == SOFT_VIEW_PRIV_PAN,
	};
	struct regime r;

	if (!((va ^ e->page) >> SOFT_PAGE_BITS) && e->context == c->context[bit(va, 55)] &&
	    e->prot & needed[access])
		return e;
	get_regime(c, current_regime(c), &r);
	if (arm_translate(&r.stage1, &a, va, x) != ARM_WALK_OK)
		return NULL;
	fill(c, e, index, va, x, view);
	return e;
}

struct soft_tlb_entry *soft_translate(struct soft_cpu *c, uint64_t va, enum soft_access access,
				      unsigned flags)
{
	struct arm_xlat x;
	struct soft_tlb_entry *e = find_entry(c, va, access, view_of(c, flags), &x);

	if (!e)
		fault(c, va, access, flags, &x);
	return e;
}

const struct soft_tlb_entry *soft_look_up(struct soft_cpu *c, uint64_t va, enum soft_access access)
{
	struct arm_xlat x;

	return find_entry(c, va, access, view_of(c, 0), &x);
}

enum walk_result soft_walk_exec(struct soft_cpu *c, uint64_t budget, arm_walk_fn *fn, void *opaque)
{
	struct regime r;

	get_regime(c, ARM_EL10, &r);
	return arm_walk_exec(&r.stage1, budget, fn, opaque);
}

enum walk_result soft_walk_el10(struct soft_cpu *c, uint64_t va, struct arm_xlat *out)
{
	struct regime r;

	get_regime(c, ARM_EL10, &r);
	return arm_walk(&r.stage1, va, out);
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
		external_abort(c, c->pc, SOFT_EXEC);
		return false;
	}
	c->fetch_page = e->page;
	c->fetch_host = (const uint8_t *)(uintptr_t)(e->page + e->addend);
	if (c->sys->watch_code)
		soft_watch_code(c, c->pc);
	if (c->sys->debug.breakpoints && soft_break_page(c, c->pc)) {
		c->fetch_page = 1; /* come back for the next instruction */
		return !soft_break(c);
	}
	return true;
}

/* ---- AT ---- */

enum {
	PAR_F = 0,
	PAR_FST = 1,
	PAR_SH = 7,
	PAR_PTW = 8,
	PAR_S = 9,
	PAR_NS = 9,
	PAR_RES1 = 11,
	PAR_ATTR = 56
};
enum { SH_OUTER = 2, ATTR_NC = 0x44 };

/* PAR_EL1, D24.2.137: with F = 0 the address and attributes, with F = 1 the fault status. */
static uint64_t par(const struct arm_xlat *x, bool failed)
{
	unsigned sh = is_device(x->attr) || x->attr == ATTR_NC ? SH_OUTER : x->sh;

	if (failed)
		return 1 << PAR_F | (uint64_t)x->fsc << PAR_FST |
		       (uint64_t)x->fault_on_walk << PAR_PTW | (uint64_t)x->fault_stage2 << PAR_S |
		       1 << PAR_RES1;
	return bits(x->pa, 47, 12) << 12 | (uint64_t)x->attr << PAR_ATTR | (uint64_t)sh << PAR_SH |
	       (uint64_t)x->ns << PAR_NS | 1 << PAR_RES1;
}

/* Instructions of EL1 must not tell it of stage 2: its faults go to EL2, as external aborts always are taken. */
void soft_at(struct soft_cpu *c, uint64_t va, unsigned el, const struct arm_access *a)
{
	struct arm_xlat x;
	struct regime r;
	bool failed;

	get_regime(c, soft_regime_of(c, el), &r);
	failed = arm_translate(&r.stage1, a, va, &x) != ARM_WALK_OK;
	if (failed && (arm_fsc_is_external(x.fsc) || (x.fault_stage2 && soft_el(c) == 1)))
		fault(c, va, SOFT_READ, SOFT_MEM_CACHE, &x);
	else
		SOFT_REG(c, PAR_EL1) = par(&x, failed);
}

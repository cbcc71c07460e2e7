/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding the code a guest executes at EL1, before it executes it.
 *
 * A guest goes through three states:
 *
 *  discovery  From reset. Stage 1 is off or a boot loader's. Code is found by following the flow of
 *             control; indirect branches, ERET, VBAR_EL1, instruction-cache maintenance and the MMU
 *             controls are intercepted to learn what cannot be read off.
 *  early      An operating system runs in the upper half of the address space, on tables that still map
 *             its data executable. All of that is scanned for what must be intercepted always, and
 *             for writes of TTBRn_EL1, which announce better tables.
 *  settled    Its final tables are in force: no executable mapping is writable. These mappings have been
 *             scanned; every patch elsewhere was given back, and so were the patches that only
 *             discovery needs.
 *
 * SCTLR_EL1.M going off in the settled state (kexec) begins a new discovery. The tables of all PEs that are
 * on are searched, and those of a PE that comes later if it has others.
 *
 * Limits: code that a settled kernel makes executable later (modules) is not scanned; in the discovery
 * state, targets of an indirect branch first taken after its site was given back are not followed, only
 * caught if they lie in a page with code that was; a guest that reads its own code sees patches.
 */
#include "pe/pe_int.h"

#include "util/bits.h"
#include "util/log.h"
#include "util/xalloc.h"

#include <stdlib.h>

#define SCTLR_EL1   SYSREG(3, 0, 1, 0, 0)
#define SCTLR_EL1_M 0
#define TTBR0_EL1   SYSREG(3, 0, 2, 0, 0)
#define TTBR1_EL1   SYSREG(3, 0, 2, 0, 1)
#define TCR_EL1	    SYSREG(3, 0, 2, 0, 2)
#define VBAR_EL1    SYSREG(3, 0, 12, 0, 0)

enum {
	WHEN_DISCOVERY = POLICY_ALWAYS | POLICY_UNSETTLED | POLICY_TABLES,
	WHEN_EARLY = POLICY_ALWAYS | POLICY_TABLES,
	WHEN_SETTLED = POLICY_ALWAYS,
	/* A kernel that keeps its data executable is taken as settled after so many new tables. */
	TABLE_CHANGES_MAX = 64,
	/* Descriptors read when looking for executable mappings: 4 GiB of pages, a few milliseconds. */
	WALK_BUDGET = 1 << 20,
	/* Cache maintenance by address comes in long loops: after so many in a row the site runs free until
	 * something else is intercepted. */
	CODE_EVENTS_MAX = 4,
	PA_BITS_MAX = 52, /* what does not exist is caught when it is looked up */
	VECTOR_COUNT = 16,
	VECTOR_SIZE = 0x80,
};

/* The rows that apply, those of a core that the board shows included. */
static unsigned when(const struct pe_set *s, unsigned rows)
{
	return s->model ? rows | POLICY_CORE : rows;
}

/* ---- translation ---- */

static bool read_descriptor(void *opaque, uint64_t pa, bool secure, uint64_t *value)
{
	struct pe *pe = opaque;
	struct mem_attrs attrs = {.pe = pe->number, .secure = secure};

	return mem_copy_from_as(pe->set->cfg.mem, pa, value, sizeof(*value), attrs) == MEM_OK;
}

static uint64_t read_reg(void *opaque, uint16_t code, unsigned index)
{
	return pe_get(opaque, REG_SYS(code));
}

static struct arm_regime regime_in(struct pe *pe)
{
	return (struct arm_regime){.pa_bits = PA_BITS_MAX, .read = read_descriptor, .opaque = pe};
}

struct arm_regime pe_regime(struct pe *pe)
{
	struct arm_regime_state s = {
		.route = pe_route(pe), .reg = read_reg, .opaque = pe, .no_attributes = true};
	struct arm_regime r = regime_in(pe);

	arm_regime_get(&s, arm_translation_of(&s.route, s.route.el), &r, &pe->stage2);
	return r;
}

static bool translate(void *opaque, uint64_t va, uint64_t *gpa)
{
	const struct arm_regime *r = opaque;
	struct arm_xlat x;

	if (arm_walk(r, va, &x) != ARM_WALK_OK)
		return false;
	*gpa = x.pa;
	return true;
}

bool pe_translate_fetch(struct pe *pe, uint64_t va, uint64_t *gpa)
{
	struct arm_regime r = pe_regime(pe);

	return translate(&r, va, gpa);
}

static bool in_upper_half(const struct arm_regime *r, uint64_t va)
{
	return bit(r->sctlr, SCTLR_EL1_M) && bit(va, 55);
}

/* ---- promotion ---- */

struct range {
	uint64_t first, last; /* guest-physical */
};

/* What the guest has mapped executable at EL1. */
struct exec_map {
	struct range *range;
	size_t count, capacity;
	bool writable; /* some of the upper half can be written as well */
};

static bool add_mapping(void *opaque, const struct arm_xlat *x)
{
	struct exec_map *m = opaque;
	bool writable = x->priv & ARM_PROT_WRITE;

	/* A loader's identity map of everything says nothing about where code is. */
	if (writable && !bit(x->va_base, 55))
		return true;
	m->writable |= writable;
	if (m->count && m->range[m->count - 1].last + 1 == x->pa_base) {
		m->range[m->count - 1].last += x->size;
	} else {
		if (m->count == m->capacity) {
			m->capacity = m->capacity ? 2 * m->capacity : 64;
			m->range = xrealloc(m->range, m->capacity, sizeof(*m->range));
		}
		m->range[m->count++] = (struct range){x->pa_base, x->pa_base + x->size - 1};
	}
	return true;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* Sort and merge, so that memory mapped twice is scanned once. */
static void normalise(struct exec_map *m)
{
	size_t n = 0;

	if (!m->count)
		return;
	qsort(m->range, m->count, sizeof(*m->range), compare_ranges);
	for (size_t i = 1; i < m->count; i++) {
		if (m->range[i].first > m->range[n].last + 1)
			m->range[++n] = m->range[i];
		else if (m->range[i].last > m->range[n].last)
			m->range[n].last = m->range[i].last;
	}
	m->count = n + 1;
}

static bool in_map(const struct exec_map *m, uint64_t gpa)
{
	size_t lo = 0, hi = m->count;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (gpa > m->range[mid].last)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < m->count && gpa >= m->range[lo].first;
}

/* Code that was followed is code, though the kernel may have mapped it elsewhere (UEFI runtime services,
 * which have tables of their own). */
static bool keep_settled(void *opaque, uint64_t gpa, const struct policy_row *row, bool followed)
{
	return (row->when & (WHEN_SETTLED | POLICY_CORE)) && (followed || in_map(opaque, gpa));
}

/* The part of a range that is memory: a guest may map terabytes of nothing. */
static void scan_range(struct pe_set *s, const struct range *r, unsigned when)
{
	size_t count;
	struct mem_region *const *region = mem_regions(s->cfg.mem, &count);

	for (size_t i = 0; i < count; i++) {
		uint64_t first = region[i]->base, last = first + region[i]->size - 1;

		if (region[i]->kind == MEM_MMIO || last < r->first || first > r->last)
			continue;
		first = first > r->first ? first : r->first;
		last = last < r->last ? last : r->last;
		intercept_scan(s->ic, first, last - first + 1, when);
	}
}

static void scan_map(struct pe_set *s, const struct exec_map *m, unsigned when)
{
	for (size_t i = 0; i < m->count; i++)
		scan_range(s, &m->range[i], when);
}

/* The part of TTBRn_EL1 that says where tables are. */
static uint64_t table_address(uint64_t ttbr)
{
	return bits(ttbr, 47, 1);
}

/* The upper half's tables were searched for code. One set of them serves most systems. */
static void note_searched(struct pe_set *s, const struct arm_regime *r)
{
	if (s->searched_count < ARRAY_COUNT(s->searched))
		s->searched[s->searched_count++] = table_address(r->ttbr[1]);
}

static bool was_searched(const struct pe_set *s, const struct arm_regime *r)
{
	for (unsigned i = 0; i < s->searched_count; i++) {
		if (s->searched[i] == table_address(r->ttbr[1]))
			return true;
	}
	return false;
}

static void search_tables(struct pe *pe, const struct arm_regime *r, struct exec_map *m)
{
	if (arm_walk_exec(r, WALK_BUDGET, add_mapping, m) != ARM_WALK_OK)
		LOG(intercept, "%s: translation tables are too large to be searched whole",
		    pe->name);
	note_searched(pe->set, r);
}

struct other {
	struct pe *pe;
	bool failed;
};

static uint64_t others_reg(void *opaque, uint16_t code, unsigned index)
{
	struct other *o = opaque;
	uint64_t value = 0;

	if (!o->failed)
		o->failed = pe_set_get_reg(o->pe->set, o->pe->number, REG_SYS(code), &value) != 0;
	return value;
}

/* Stage 1 of EL1 of another PE, which is stopped and tells its registers. False: it is off. */
static bool others_regime(struct pe *pe, struct arm_regime *r)
{
	struct other o = {.pe = pe};
	struct arm_regime_state s = {.route = {.els = 3, .el = 1},
				     .reg = others_reg,
				     .opaque = &o,
				     .no_attributes = true};

	*r = regime_in(pe);
	if (pe->power != PE_ON)
		return false;
	arm_regime_get(&s, ARM_EL10, r, NULL);
	return !o.failed;
}

static void search_others(struct pe *pe, struct exec_map *m)
{
	struct pe_set *s = pe->set;
	struct arm_regime r;

	for (unsigned i = 0; i < s->count; i++) {
		if (&s->pe[i] != pe && others_regime(&s->pe[i], &r) && bit(r.sctlr, SCTLR_EL1_M) &&
		    !was_searched(s, &r))
			search_tables(&s->pe[i], &r, m);
	}
}

/* A system has settled, and a PE comes with tables of its own for the upper half. */
static void search_late(struct pe *pe)
{
	struct arm_regime r = pe_regime(pe);
	struct exec_map m = {0};

	if (was_searched(pe->set, &r))
		return;
	search_tables(pe, &r, &m);
	normalise(&m);
	scan_map(pe->set, &m, when(pe->set, WHEN_SETTLED));
	LOG(intercept, "%s: other tables, %zu executable ranges", pe->name, m.count);
	free(m.range);
}

/* The guest runs in the upper half of the address space: look at what its tables say, on every PE. All
 * other PEs are stopped. */
static void promote(struct pe *pe, const struct arm_regime *r)
{
	struct pe_set *s = pe->set;
	struct exec_map m = {0};

	s->searched_count = 0;
	search_tables(pe, r, &m);
	search_others(pe, &m);
	normalise(&m);
	s->settled = !m.writable || ++s->table_changes > TABLE_CHANGES_MAX;
	scan_map(s, &m, when(s, s->settled ? WHEN_SETTLED : WHEN_EARLY));
	if (s->settled)
		intercept_restore(s->ic, keep_settled, &m);
	LOG(intercept, "%s: %s at PC 0x%llx, %zu executable ranges", pe->name,
	    s->settled ? "settled" : "early", (unsigned long long)pe_get(pe, REG_PC), m.count);
	free(m.range);
}

/* ---- events ---- */

/* A loop of cache maintenance has run unseen, and is over: look at everything it may have been for. */
static void watch_code_again(struct pe *pe, const struct arm_regime *r)
{
	struct pe_set *s = pe->set;

	s->code_events = 0;
	if (!s->unwatched_count)
		return;
	for (unsigned i = 0; i < s->unwatched_count; i++)
		intercept_rearm(s->ic, s->unwatched[i], when(s, WHEN_DISCOVERY));
	s->unwatched_count = 0;
	intercept_recheck_all(s->ic, translate, (void *)r, when(s, WHEN_DISCOVERY));
}

/* Is this IC IVAU one too many in a row? Then its site has been given back for now. */
static bool let_run(struct pe *pe, const struct pe_site *site, uint64_t gpa)
{
	struct pe_set *s = pe->set;

	if (site->row->what != INTERCEPT_WATCH_CODE || ++s->code_events < CODE_EVENTS_MAX ||
	    s->unwatched_count == PE_UNWATCHED)
		return false;
	intercept_release(s->ic, gpa);
	s->unwatched[s->unwatched_count++] = gpa;
	return true;
}

/* The PE is about to execute at @pc. All other PEs are stopped. Returns how much was learnt. */
static unsigned arrive(struct pe *pe, uint64_t pc)
{
	struct pe_set *s = pe->set;
	struct arm_regime r;

	if (s->settled || pe_el(pe) == 0)
		return 0;
	r = pe_regime(pe);
	if (in_upper_half(&r, pc)) {
		if (!s->tables_new) /* left over from discovery, in code that has been scanned */
			return 0;
		s->tables_new = false;
		promote(pe, &r);
		return 1;
	}
	watch_code_again(pe, &r);
	return intercept_discover(s->ic, pc, translate, &r, when(s, WHEN_DISCOVERY));
}

/* Has the site been executed often enough to be given back? */
static bool is_worn(const struct pe_site *site)
{
	return site->row->release && site->count - site->base >= site->row->release;
}

void regime_begin(struct pe *pe, uint64_t pc)
{
	if (pe->set->cfg.caps->translate_intercept) /* nothing needs to be found */
		return;
	if (!pe_pause(pe))
		return;
	arrive(pe, pc);
	pe_resume(pe);
}

void regime_reset(struct pe_set *s)
{
	intercept_reset(s->ic);
	s->settled = false;
	s->tables_new = true;
	s->table_changes = 0;
	s->searched_count = 0;
	s->unwatched_count = 0;
}

/* BR, BLR or RET at the PC. PSTATE.BTYPE becomes 0, which only forgoes a Branch Target exception that
 * native execution of a wrong branch would take. */
void regime_branch(struct pe *pe, const struct pe_site *site)
{
	uint64_t pc = pe_get(pe, REG_PC);
	uint64_t target = pe_get_x(pe, bits(site->word, 9, 5));
	uint64_t gpa;

	if (!pe_pause(pe))
		return;
	if (bits(site->word, 22, 21) == 1) /* BLR */
		pe_put_x(pe, 30, pc + 4);
	pe_go(pe, target);
	if (!arrive(pe, target) && is_worn(site) && pe_translate_fetch(pe, pc, &gpa)) {
		intercept_release(pe->set->ic, gpa);
		/* Its further targets will not be seen: they are likely to lie beside what is known. */
		if (!pe->set->settled)
			intercept_scan_known(pe->set->ic, when(pe->set, WHEN_SETTLED));
	}
	pe_resume(pe);
}

/* The MMU is turned off by code that runs where it is, in the lower half. A settled kernel writes
 * SCTLR_EL1 in the upper half, too, for other bits and often. */
static bool never_turns_mmu_off(struct pe *pe, const struct pe_site *site)
{
	return pe->set->settled && site->row->what == INTERCEPT_WATCH_MMU && bit(site->pc, 55);
}

/* Execute the instruction at the PC natively, alone, and look afterwards (regime_stepped()). */
void regime_watch(struct pe *pe, const struct pe_site *site)
{
	struct pe_set *s = pe->set;
	uint64_t gpa;

	if (!pe_pause(pe))
		return;
	if (!pe_translate_fetch(pe, pe_get(pe, REG_PC), &gpa)) {
		/* Another PE unmapped it meanwhile: the guest gets its fault when it goes on. */
		pe_resume(pe);
		return;
	}
	if (let_run(pe, site, gpa)) {
		pe_resume(pe);
		return;
	}
	if (never_turns_mmu_off(pe, site) || !intercept_lift(s->ic, gpa)) {
		intercept_release(s->ic, gpa); /* whatever is there then runs */
		pe_resume(pe);
		return;
	}
	pe->stepping = true;
	pe->step_gpa = gpa;
	pe->step_site = *site;
	pe->step_mmu_on = bit(pe_get(pe, REG_SYS(SCTLR_EL1)), SCTLR_EL1_M);
	s->cfg.hv->debug(pe->vcpu, HV_DEBUG_BRK | HV_DEBUG_STEP);
}

/* No pause: sites change only while every PE is parked, and this one is not. */
enum regime_brk regime_el0_brk(struct pe *pe, uint16_t imm)
{
	struct pe_set *s = pe->set;
	uint64_t gpa;
	uint32_t word;

	if (!pe_translate_fetch(pe, pe_get(pe, REG_PC), &gpa))
		return REGIME_BRK_GUEST;
	if (intercept_is_site(s->ic, gpa))
		return REGIME_BRK_PATCH;
	if (mem_copy_from(s->cfg.mem, gpa, &word, sizeof(word)) != MEM_OK ||
	    word == (0xd4200000 | (uint32_t)imm << 5))
		return REGIME_BRK_GUEST;
	return REGIME_BRK_GONE;
}

static void look_at_vectors(struct pe *pe)
{
	struct arm_regime r = pe_regime(pe);
	uint64_t vbar = pe_get(pe, REG_SYS(VBAR_EL1));

	for (unsigned i = 0; i < VECTOR_COUNT && !in_upper_half(&r, vbar); i++)
		intercept_discover(pe->set->ic, vbar + i * VECTOR_SIZE, translate, &r,
				   when(pe->set, WHEN_DISCOVERY));
}

static void look_at_code(struct pe *pe, uint32_t word)
{
	struct arm_regime r = pe_regime(pe);
	uint64_t gpa;

	if (bits(word, 18, 16) == 0) { /* IC IALLU, IC IALLUIS */
		intercept_recheck_all(pe->set->ic, translate, &r, when(pe->set, WHEN_DISCOVERY));
	} else if (translate(&r, pe_get_x(pe, bits(word, 4, 0)), &gpa)) {
		intercept_recheck(pe->set->ic, gpa, translate, &r, when(pe->set, WHEN_DISCOVERY));
	}
}

/* SCTLR_EL1 was written. A settled system that turns its MMU off is about to hand over (kexec, or a
 * secondary PE on its way through its entry code, which the final tables' scan has covered). */
static void look_at_mmu(struct pe *pe)
{
	struct pe_set *s = pe->set;
	bool on = bit(pe_get(pe, REG_SYS(SCTLR_EL1)), SCTLR_EL1_M);

	if (s->settled && !pe->step_mmu_on && on)
		search_late(pe);
	if (s->settled && pe->step_mmu_on && !on) {
		LOG(intercept, "%s: MMU off at PC 0x%llx: discovery begins anew", pe->name,
		    (unsigned long long)pe_get(pe, REG_PC));
		s->settled = false;
		s->table_changes = 0;
	}
}

void regime_stepped(struct pe *pe)
{
	struct pe_set *s = pe->set;

	pe->stepping = false;
	intercept_lower(s->ic, pe->step_gpa);
	s->cfg.hv->debug(pe->vcpu, HV_DEBUG_BRK);
	switch (pe->step_site.row->what) {
	case INTERCEPT_WATCH_VECTORS:
		look_at_vectors(pe);
		break;
	case INTERCEPT_WATCH_CODE:
		look_at_code(pe, pe->step_site.word);
		break;
	case INTERCEPT_WATCH_MMU:
		s->tables_new = true;
		look_at_mmu(pe);
		break;
	case INTERCEPT_WATCH_TABLES:
		s->tables_new = true;
		break;
	default:
		break;
	}
	if (!arrive(pe, pe_get(pe, REG_PC)) && is_worn(&pe->step_site))
		intercept_release(s->ic, pe->step_gpa);
	pe_resume(pe);
}

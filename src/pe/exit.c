/* SPDX-License-Identifier: Apache-2.0 */
/* What a PE does with each exit: one table. */
#include "pe/pe_int.h"

#include "arm/exc.h"
#include "arm/sysreg.h"
#include "util/bits.h"
#include "util/log.h"

/* ---- interceptions ---- */

static void reflect_brk(struct pe *pe, uint16_t imm)
{
	pe_inject(pe, arm_esr_brk(imm), 0);
}

static void run_slot(struct pe *pe, const struct intercept_slot *slot, struct pe_site *site)
{
	switch (slot->row->what) {
	case INTERCEPT_HVC:
	case INTERCEPT_SMC:
		pe_skip(pe);
		pe_psci(pe, slot->row->what == INTERCEPT_SMC);
		break;
	case INTERCEPT_MRS:
	case INTERCEPT_MSR:
		pe_sysreg(pe, slot->word);
		break;
	case INTERCEPT_GUEST_BRK:
		reflect_brk(pe, bits(slot->word, 20, 5));
		break;
	case INTERCEPT_BRANCH:
		regime_branch(pe, site);
		break;
	default:
		regime_watch(pe, site);
	}
}

/* A patch of ours that is executed at EL0: code of both levels, or mapped at both. */
static void run_slot_at_el0(struct pe *pe, const struct intercept_slot *slot, struct pe_site *site)
{
	switch (slot->row->what) {
	case INTERCEPT_GUEST_BRK:
	case INTERCEPT_BRANCH:
	case INTERCEPT_WATCH_FLOW:
	case INTERCEPT_WATCH_CODE:
		run_slot(pe, slot, site);
		break;
	default:
		pe_inject_undef(pe); /* what these instructions are at EL0 */
	}
}

/* At EL0 everything that is no patch is the guest's, and costs no more than its exit: a process may do it in
 * a loop. At EL1 a BRK of a slot is taken for a patch that the guest has copied. */
static void exit_brk(struct pe *pe, const struct hv_exit *x)
{
	const struct intercept_slot *slot = intercept_slot(pe->set->ic, x->brk.imm);
	bool el0 = slot && pe_el(pe) == 0;
	enum regime_brk whose = el0 ? regime_el0_brk(pe, x->brk.imm) : REGIME_BRK_PATCH;
	struct pe_site *site;

	if (!slot || whose == REGIME_BRK_GUEST) {
		reflect_brk(pe, x->brk.imm);
		return;
	}
	if (whose == REGIME_BRK_GONE)
		return;
	site = site_count(&pe->sites, pe_get(pe, REG_PC), slot);
	pe->stats.interceptions++;
	stages_intercepted(pe, slot->word, site->pc);
	if (el0)
		run_slot_at_el0(pe, slot, site);
	else
		run_slot(pe, slot, site);
}

enum { WHEN_BACK_END = POLICY_ALWAYS | POLICY_UPPER };

/* The back end has found a word of the policy by itself: only system registers are asked for. */
static void exit_intercept(struct pe *pe, const struct hv_exit *x)
{
	struct intercept_slot slot = {x->intercept.word,
				      policy_match(x->intercept.word, WHEN_BACK_END)};

	if (slot.row) /* else one that the host traps by itself */
		site_count(&pe->sites, pe_get(pe, REG_PC), &slot);
	pe->stats.interceptions++;
	stages_intercepted(pe, x->intercept.word, pe_get(pe, REG_PC));
	pe_sysreg(pe, x->intercept.word);
}

/* hv_wants_fn: PSCI calls exit by themselves, and code need not be found to be caught. At EL0 these words are
 * UNDEFINED. */
static uint8_t wants(void *opaque, uint32_t word)
{
	const struct policy_row *row = policy_match(word, WHEN_BACK_END);
	bool id = pe_is_id_register(pe_sysreg_of(word)); /* it has the board's values itself */

	return row && (row->what == INTERCEPT_MRS || row->what == INTERCEPT_MSR) && !id ? 0xe : 0;
}

void pe_let_back_end_intercept(struct pe_set *s)
{
	if (s->cfg.caps->translate_intercept)
		s->cfg.hv->set_intercept(s->cfg.vm, wants, NULL);
}

/* ---- the guest's own breakpoints and watchpoints, which some hosts report with its BRKs ---- */

enum { FSC_DEBUG = 0x22, MDSCR_SS = 0, MDSCR_KDE = 13, MDSCR_MDE = 15 };

/* Those hosts report them when the guest has masked them, too. It has to go on, so it loses them all: nothing
 * can take it across this one alone. */
static bool debug_masked(struct pe *pe)
{
	uint64_t mdscr = pe_get(pe, REG_SYS(SYS_MDSCR_EL1));

	if (!pe_el(pe) || (bit(mdscr, MDSCR_KDE) && !(pe_get(pe, REG_PSTATE) & ARM_PSTATE_D)))
		return false;
	LOG(pe, "%s: masked debug event at EL1, MDSCR_EL1.MDE cleared", pe->name);
	pe_put(pe, REG_SYS(SYS_MDSCR_EL1), mdscr & ~(1ULL << MDSCR_MDE));
	return true;
}

static void exit_hwbp(struct pe *pe, const struct hv_exit *x)
{
	enum arm_ec ec = pe_el(pe) ? ARM_EC_BREAKPOINT_SAME : ARM_EC_BREAKPOINT_LOWER;

	if (!debug_masked(pe))
		pe_inject(pe, arm_esr(ec, FSC_DEBUG), 0);
}

static void exit_watch(struct pe *pe, const struct hv_exit *x)
{
	enum arm_ec ec = pe_el(pe) ? ARM_EC_WATCHPOINT_SAME : ARM_EC_WATCHPOINT_LOWER;

	if (!debug_masked(pe))
		pe_inject(pe, arm_esr(ec, FSC_DEBUG | (uint32_t)x->watch.is_write << 6),
			  x->watch.far);
}

/* ---- the others ---- */

static void exit_nothing(struct pe *pe, const struct hv_exit *x)
{
}

static void exit_hvc(struct pe *pe, const struct hv_exit *x)
{
	pe_psci(pe, x->kind == HV_EXIT_SMC);
}

static void exit_step(struct pe *pe, const struct hv_exit *x)
{
	if (pe->stepping) {
		regime_stepped(pe);
		return;
	}
	/* The guest steps itself, on a host that has the event even where the guest is not stepped: it would get no
	 * further. */
	LOG(pe, "%s: the guest's own step, MDSCR_EL1.SS cleared", pe->name);
	pe_put(pe, REG_SYS(SYS_MDSCR_EL1),
	       pe_get(pe, REG_SYS(SYS_MDSCR_EL1)) & ~(1ULL << MDSCR_SS));
}

static void exit_wait(struct pe *pe, const struct hv_exit *x)
{
	pe->wait_ns = x->wait.until_ns;
}

static void exit_wake(struct pe *pe, const struct hv_exit *x)
{
	pe_wake(pe);
}

/* The host's PSCI has stopped the vCPUs by itself. What the guest wanted is what happens; the caller goes
 * off as after a call of its own. */
static void exit_system(struct pe *pe, const struct hv_exit *x)
{
	const struct pe_set_config *cfg = &pe->set->cfg;

	if (x->system.what == HV_SYSTEM_OFF)
		cfg->power_off(cfg->opaque, "SYSTEM_OFF of the host's PSCI");
	else
		cfg->reset(cfg->opaque, "SYSTEM_RESET of the host's PSCI");
	pe_off(pe);
}

static void exit_fail(struct pe *pe, const struct hv_exit *x)
{
	uint64_t pc = 0;

	pe->set->cfg.hv->get_reg(pe->vcpu, REG_PC, &pc);
	pe_failed(pe, "%s, at PC 0x%llx", x->fail.text, (unsigned long long)pc);
}

static void (*const handlers[HV_EXIT_COUNT])(struct pe *pe, const struct hv_exit *x) = {
	[HV_EXIT_KICK] = exit_nothing, [HV_EXIT_MMIO] = pe_mmio,
	[HV_EXIT_DABT] = pe_dabt,      [HV_EXIT_BRK] = exit_brk,
	[HV_EXIT_HVC] = exit_hvc,      [HV_EXIT_SMC] = exit_hvc,
	[HV_EXIT_STEP] = exit_step,    [HV_EXIT_HWBP] = exit_hwbp,
	[HV_EXIT_WATCH] = exit_watch,  [HV_EXIT_INTERCEPT] = exit_intercept,
	[HV_EXIT_WAKE] = exit_wake,    [HV_EXIT_TURN] = exit_nothing,
	[HV_EXIT_WAIT] = exit_wait,    [HV_EXIT_SYSTEM] = exit_system,
	[HV_EXIT_FAIL] = exit_fail,
};

/* ---- timers ---- */

void pe_timers(struct pe *pe, uint32_t levels)
{
	struct pe_set *s = pe->set;
	uint32_t changed = levels ^ pe->timer_levels;

	if (!changed)
		return;
	pe->timer_levels = levels;
	for (unsigned t = 0; t < HV_TIMER_COUNT; t++) {
		for (unsigned i = 0; bit(changed, t) && i < s->timer_count; i++)
			s->timer[i].fn(s->timer[i].opaque, pe->number, t, bit(levels, t));
	}
}

void pe_exit(struct pe *pe, const struct hv_exit *x)
{
	pe->stats.exits[x->kind]++;
	stages_exit(pe, x->kind);
	pe_timers(pe, pe->set->cfg.hv->timer_levels(pe->vcpu));
	handlers[x->kind](pe, x);
}

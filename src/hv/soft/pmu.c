/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Performance monitors: PMUv3 with its cycle counter and no event counters. Arm ARM (DDI 0487), D13; registers
 * D24.5.
 *
 * A cycle is a sixteenth of the generic timer's period: a clock of 1 GHz that runs in WFI as well. Filters are
 * stored only, and the counter's overflow, after some 585 years, sets nothing. Registers of event counters, of
 * which there are none, read as zero and ignore writes, as D13.12 allows.
 */
#include "hv/soft/pmu.h"

#include "hv/soft/sys.h"

#include "util/bits.h"

enum {
	PMCR_E = 0,
	PMCR_P = 1,
	PMCR_C = 2,
	CYCLES = 31, /* the cycle counter's bit in sets of counters */
	CYCLES_PER_TICK = 16,
	SELECTED_CYCLES = 31,
};
#define PMCR_ACTIONS (1ULL << PMCR_P | 1ULL << PMCR_C)
#define COUNTERS     (1ULL << CYCLES)

/* ---- the cycle counter: PMCCNTR_EL0 holds its value, or while it runs what has to be added to the time ---- */

static bool runs(const struct soft_cpu *c)
{
	return bit(SOFT_REG(c, PMCR_EL0), PMCR_E) && bit(SOFT_REG(c, PMCNTENSET_EL0), CYCLES);
}

static uint64_t now(const struct soft_cpu *c)
{
	return runs(c) ? soft_counter(c) * CYCLES_PER_TICK : 0;
}

static uint64_t cycles(const struct soft_cpu *c)
{
	return SOFT_REG(c, PMCCNTR_EL0) + now(c);
}

static void set_cycles(struct soft_cpu *c, uint64_t v)
{
	SOFT_REG(c, PMCCNTR_EL0) = v - now(c);
}

/* Change what decides whether it runs. */
static void change(struct soft_cpu *c, uint64_t *reg, uint64_t v)
{
	uint64_t count = cycles(c);

	*reg = v;
	set_cycles(c, count);
}

static void write_control(struct soft_cpu *c, uint64_t v)
{
	uint64_t old = SOFT_REG(c, PMCR_EL0);

	change(c, &SOFT_REG(c, PMCR_EL0),
	       sysreg_written(&c->sys->vm->sysreg_masks[0][SYSREG_IX_PMCR_EL0], old, v) &
		       ~PMCR_ACTIONS);
	if (bit(v, PMCR_C))
		set_cycles(c, 0);
}

/* ---- registers ---- */

/* PMEVCNTR<n>_EL0, PMEVTYPER<n>_EL0 */
static bool of_event_counter(uint16_t code)
{
	return SYSREG_OP0(code) == 3 && SYSREG_OP1(code) == 3 && SYSREG_CRN(code) == 14 &&
	       SYSREG_CRM(code) >= 8 && code != SYS_PMCCFILTR_EL0;
}

static bool cycles_selected(const struct soft_cpu *c)
{
	return (SOFT_REG(c, PMSELR_EL0) & 31) == SELECTED_CYCLES;
}

bool soft_pmu_read(struct soft_cpu *c, uint16_t code, uint64_t *v)
{
	switch (code) {
	case SYS_PMCCNTR_EL0:
		*v = cycles(c);
		return true;
	case SYS_PMXEVTYPER_EL0:
		*v = cycles_selected(c) ? SOFT_REG(c, PMCCFILTR_EL0) : 0;
		return true;
	case SYS_PMXEVCNTR_EL0:
		*v = 0;
		return true;
	default:
		*v = 0;
		return of_event_counter(code);
	}
}

bool soft_pmu_write(struct soft_cpu *c, uint16_t code, uint64_t v)
{
	v = code == SYS_PMCCNTR_EL0 || code == SYS_PMCR_EL0 || code == SYS_PMXEVTYPER_EL0
		    ? v
		    : v & COUNTERS;
	switch (code) {
	case SYS_PMCR_EL0:
		write_control(c, v);
		return true;
	case SYS_PMCCNTR_EL0:
		set_cycles(c, v);
		return true;
	case SYS_PMCNTENSET_EL0:
		change(c, &SOFT_REG(c, PMCNTENSET_EL0), SOFT_REG(c, PMCNTENSET_EL0) | v);
		return true;
	case SYS_PMCNTENCLR_EL0:
		change(c, &SOFT_REG(c, PMCNTENSET_EL0), SOFT_REG(c, PMCNTENSET_EL0) & ~v);
		return true;
	case SYS_PMINTENSET_EL1:
		SOFT_REG(c, PMINTENSET_EL1) |= v;
		return true;
	case SYS_PMINTENCLR_EL1:
		SOFT_REG(c, PMINTENSET_EL1) &= ~v;
		return true;
	case SYS_PMOVSSET_EL0:
		SOFT_REG(c, PMOVSSET_EL0) |= v;
		return true;
	case SYS_PMOVSCLR_EL0:
		SOFT_REG(c, PMOVSSET_EL0) &= ~v;
		return true;
	case SYS_PMXEVTYPER_EL0:
		if (cycles_selected(c))
			SOFT_REG(c, PMCCFILTR_EL0) = sysreg_written(
				&c->sys->vm->sysreg_masks[0][SYSREG_IX_PMCCFILTR_EL0], 0, v);
		return true;
	case SYS_PMXEVCNTR_EL0:
	case SYS_PMSWINC_EL0:
		return true;
	default:
		return of_event_counter(code);
	}
}

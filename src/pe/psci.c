/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PSCI 1.1 and the SMCCC calls around it, for machines without firmware (Arm DEN 0022 issue D.b, DEN
 * 0028 issue C). Answers HVC and SMC alike. Unknown functions return NOT_SUPPORTED and change no
 * register but X0 to X3, as SMCCC allows.
 *
 * CPU_SUSPEND: any state of level 0 is accepted, in the original format of power_state. The PE waits as in
 * WFI. Where the back end cannot do that, the call returns at once, as from standby that ended at once,
 * which is permitted for power-down states, too. What a power-down does not reset is in start.c; the GIC's CPU
 * interface keeps its state as well.
 *
 * Left out: OS-initiated mode; SYSTEM_SUSPEND; statistics.
 */
#include "pe/pe_int.h"

#include "arm/smccc.h"
#include "util/bits.h"
#include "util/log.h"

#define MPIDR_AFF_MASK 0xff00ffffffULL

struct call {
	struct pe *pe;
	uint32_t function;
	uint64_t arg[3]; /* X1..X3, or W1..W3 of a 32-bit call */
};

typedef int64_t call_fn(struct call *c);

static struct pe *target_pe(struct pe_set *s, uint64_t mpidr)
{
	for (unsigned i = 0; i < s->count; i++) {
		if (s->pe[i].mpidr == (mpidr & MPIDR_AFF_MASK) && !(mpidr & ~MPIDR_AFF_MASK))
			return &s->pe[i];
	}
	return NULL;
}

static int64_t version(struct call *c)
{
	return PSCI_1_1;
}

static bool is_entry(const struct pe_set *s, uint64_t address)
{
	return address % 4 == 0 && mem_ptr(s->cfg.mem, address, 4, false);
}

static int64_t cpu_suspend(struct call *c)
{
	const struct pe_set_config *cfg = &c->pe->set->cfg;
	uint32_t power_state = c->arg[0];
	bool down = power_state & PSCI_STATE_POWERDOWN;

	if (power_state & ~(PSCI_STATE_ID | PSCI_STATE_POWERDOWN))
		return PSCI_INVALID_PARAMETERS;
	if (down && !is_entry(c->pe->set, c->arg[1]))
		return PSCI_INVALID_ADDRESS;
	if (!cfg->caps->wait_for_interrupt)
		return PSCI_SUCCESS;
	if (cfg->hv->wait_for_interrupt(c->pe->vcpu)) {
		pe_failed(c->pe, "cannot wait for an interrupt");
		return PSCI_INTERNAL_FAILURE;
	}
	c->pe->down = down;
	c->pe->wake_entry = (struct pe_entry){.pc = c->arg[1], .x[0] = c->arg[2]};
	return PSCI_SUCCESS;
}

static int64_t cpu_off(struct call *c)
{
	pe_off(c->pe);
	return PSCI_SUCCESS;
}

static int64_t cpu_on(struct call *c)
{
	struct pe_set *s = c->pe->set;
	struct pe *t = target_pe(s, c->arg[0]);
	int64_t r = PSCI_SUCCESS;

	if (!t)
		return PSCI_INVALID_PARAMETERS;
	if (!is_entry(s, c->arg[1]))
		return PSCI_INVALID_ADDRESS;
	pthread_mutex_lock(&s->lock);
	if (t->power == PE_ON) {
		r = PSCI_ALREADY_ON;
	} else if (t->power == PE_ON_PENDING) {
		r = PSCI_ON_PENDING;
	} else {
		t->entry = (struct pe_entry){.pc = c->arg[1], .x[0] = c->arg[2]};
		t->power = PE_ON_PENDING;
		pthread_cond_broadcast(&s->changed);
	}
	pthread_mutex_unlock(&s->lock);
	LOG(pe, "%s: CPU_ON of %s at 0x%llx: %lld", c->pe->name, t->name,
	    (unsigned long long)c->arg[1], (long long)r);
	return r;
}

static int64_t affinity_info(struct call *c)
{
	struct pe_set *s = c->pe->set;
	struct pe *t = target_pe(s, c->arg[0]);
	int64_t r;

	/* Only level 0 is required of PSCI 1.0 and later. */
	if (!t || (uint32_t)c->arg[1] > 0)
		return PSCI_INVALID_PARAMETERS;
	pthread_mutex_lock(&s->lock);
	r = t->power == PE_ON	 ? PSCI_AFFINITY_ON
	    : t->power == PE_OFF ? PSCI_AFFINITY_OFF
				 : PSCI_AFFINITY_ON_PENDING;
	pthread_mutex_unlock(&s->lock);
	return r;
}

static int64_t migrate_info_type(struct call *c)
{
	return PSCI_TOS_NOT_PRESENT;
}

static int64_t system_off(struct call *c)
{
	const struct pe_set_config *cfg = &c->pe->set->cfg;

	cfg->power_off(cfg->opaque, "PSCI SYSTEM_OFF");
	return cpu_off(c);
}

static int64_t system_reset(struct call *c)
{
	const struct pe_set_config *cfg = &c->pe->set->cfg;

	cfg->reset(cfg->opaque, "PSCI SYSTEM_RESET");
	return cpu_off(c);
}

static int64_t system_reset2(struct call *c)
{
	uint32_t type = c->arg[0];

	/* Architectural reset 0, SYSTEM_WARM_RESET, is the only one there is. */
	if (type & PSCI_RESET2_VENDOR || type != 0)
		return PSCI_INVALID_PARAMETERS;
	return system_reset(c);
}

static int64_t smccc_version(struct call *c)
{
	return SMCCC_1_1;
}

static call_fn psci_features, smccc_arch_features;

static const struct {
	uint32_t function;
	bool has_64; /* the SMC64 form exists */
	call_fn *fn;
	int64_t features; /* answer to PSCI_FEATURES */
} calls[] = {
	{PSCI_VERSION, false, version, 0},
	{PSCI_CPU_SUSPEND, true, cpu_suspend, 0},
	{PSCI_CPU_OFF, false, cpu_off, 0},
	{PSCI_CPU_ON, true, cpu_on, 0},
	{PSCI_AFFINITY_INFO, true, affinity_info, 0},
	{PSCI_MIGRATE_INFO_TYPE, false, migrate_info_type, 0},
	{PSCI_SYSTEM_OFF, false, system_off, 0},
	{PSCI_SYSTEM_RESET, false, system_reset, 0},
	{PSCI_SYSTEM_RESET2, true, system_reset2, 0},
	{PSCI_FEATURES, false, psci_features, 0},
	{SMCCC_VERSION, false, smccc_version, 0},
	/* PSCI_FEATURES tells of PSCI's functions and, by exception, of SMCCC_VERSION (DEN 0022, 5.15). */
	{SMCCC_ARCH_FEATURES, false, smccc_arch_features, PSCI_NOT_SUPPORTED},
};

static int find_call(uint32_t function)
{
	for (unsigned i = 0; i < ARRAY_COUNT(calls); i++) {
		if (calls[i].function == function ||
		    (calls[i].has_64 && (calls[i].function | SMCCC_64) == function))
			return i;
	}
	return -1;
}

static int64_t psci_features(struct call *c)
{
	int i = find_call(c->arg[0]);

	return i < 0 ? PSCI_NOT_SUPPORTED : calls[i].features;
}

/* Workaround and SoC-id calls are not offered: the host takes care of its own cores. */
static int64_t smccc_arch_features(struct call *c)
{
	uint32_t f = c->arg[0];

	return f == SMCCC_VERSION || f == SMCCC_ARCH_FEATURES ? 0 : PSCI_NOT_SUPPORTED;
}

void pe_psci(struct pe *pe, bool is_smc)
{
	struct call c = {.pe = pe, .function = pe_get_x(pe, 0)};
	int i = find_call(c.function);
	int64_t r;

	if (i < 0) {
		LOG(pe, "%s: %s 0x%08x is not offered", pe->name, is_smc ? "SMC" : "HVC",
		    c.function);
		pe_put_x(pe, 0, PSCI_NOT_SUPPORTED);
		return;
	}
	for (unsigned n = 0; n < ARRAY_COUNT(c.arg); n++) {
		c.arg[n] = pe_get_x(pe, n + 1);
		if (!(c.function & SMCCC_64))
			c.arg[n] = (uint32_t)c.arg[n];
	}
	r = calls[i].fn(&c);
	pe_put_x(pe, 0, r); /* errors sign-extended, as firmware in the field does */
}

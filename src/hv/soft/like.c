/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the vCPUs of hypervisors do that a CPU does not. The facts are of Linux's arch/arm64/kvm in 6.1 and 6.12
 * (file and function are named), used as hv/kvm does: no in-kernel GIC, neither KVM_ARM_VCPU_PSCI_0_2 nor
 * KVM_ARM_VCPU_PMU_V3, guest debugging on; and of Apple's Hypervisor framework (hv_vcpu.h, hv_vm.h), used as a back end
 * on it has to: what leaves the framework and needs no device (the OS lock, CNTP_*, WFI), the back end does itself, so
 * that it does not show in hv.h.
 *
 * The ID registers are the engine's own: a hypervisor has no more than its host.
 *
 * Left out: nested virtualization; time outside of the guest; that a timer's output which rises while the vCPU is in
 * the kernel is seen late; WFE, which always ends soon.
 */
#include "hv/soft/like.h"

#include "hv/soft/sys.h"

#include "util/bits.h"

#include <string.h>

/* ---- the table ---- */

#define ENC(op0, op1, crn, crm, op2)                                                               \
	(0xd5000000U | (op0) << 19 | (op1) << 16 | (crn) << 12 | (crm) << 8 | (op2) << 5)
/* What counts, reads and writes alike: one register; two, four or all of its op2; all of its CRm. */
#define ONE    0xffdfffe0U
#define OP2S_2 0xffdfffc0U
#define OP2S_4 0xffdfff80U
#define OP2S   0xffdfff00U
#define CRMS   0xffdff000U
/* CRm 8 to 15; 12 to 15; CRn 11 and 15 of all op1; op1 4 to 7. */
#define CRM_8	  0xffdff800U
#define CRM_12	  0xffdffc00U
#define IMPDEF	  0xffd8b000U
#define UPPER	  0xffdc0000U
#define CALL_MASK 0xffe0001fU

static const struct soft_like_row rows[] = {
#define LIKE(name, value, mask, kvm61_vhe, kvm61_nvhe, kvm612, hvf, reason)                        \
	{#name,                                                                                    \
	 value,                                                                                    \
	 mask,                                                                                     \
	 {LIKE_##kvm61_vhe, LIKE_##kvm61_nvhe, LIKE_##kvm612, LIKE_##hvf},                         \
	 reason},
#include "hv/soft/like.def"
#undef LIKE
};

const struct soft_like_row *soft_like_rows(unsigned *count)
{
	*count = ARRAY_COUNT(rows);
	return rows;
}

const struct soft_like_row *soft_like_match(uint32_t word)
{
	/* 0xd4 and 0xd5; nothing here is about SYSL. */
	if (word >> 25 != 0xd4 >> 1 || (word & 0xfff80000) == 0xd5280000)
		return NULL;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		if ((word & rows[i].mask) == rows[i].value)
			return &rows[i];
	}
	return NULL;
}

/* ---- the hypervisors ---- */

const char soft_like_default[] = "kvm612";
const char soft_like_names[] = "kvm61-vhe, kvm61-nvhe, kvm612, hvf";

static const struct soft_like likes[SOFT_LIKE_COUNT] = {
	[SOFT_LIKE_KVM61_VHE] = {.host = SOFT_LIKE_KVM61_VHE,
				 .name = "kvm61-vhe",
				 .doc = "KVM of Linux 6.1, VHE",
				 .step_lost = true,
				 .hides_cntp = true, /* KVM_REG_ARM_PTIMER_CTL: 6.4 */
				 .views = true,
				 .ipa_bits = 48,
				 .page_size = 4096},
	[SOFT_LIKE_KVM61_NVHE] = {.host = SOFT_LIKE_KVM61_NVHE,
				  .name = "kvm61-nvhe",
				  .doc = "KVM of Linux 6.1, nVHE",
				  .step_lost = true,
				  .hides_cntp = true, /* KVM_REG_ARM_PTIMER_CTL: 6.4 */
				  .views = true,
				  .ipa_bits = 44, /* Cortex-A72 */
				  .page_size = 4096},
	[SOFT_LIKE_KVM612] = {.host = SOFT_LIKE_KVM612,
			      .name = "kvm612",
			      .doc = "KVM of Linux 6.12",
			      .step_lost = true,
			      .views = true,
			      .undef_icc = true,
			      .smccc_exits = true,
			      .ipa_bits = 48,
			      .page_size = 4096},
	/* One VM per process; hv_vm_config_get_max_ipa_size() of M2 and later. */
	[SOFT_LIKE_HVF] = {.host = SOFT_LIKE_HVF,
			   .name = "hvf",
			   .doc = "Apple's Hypervisor framework",
			   .timers_rise = true, /* hv_vcpu_set_vtimer_mask() */
			   .sysreg_traps = true,
			   .stage2_exec = true,
			   .smccc_exits = true,
			   .dcache_coherent_off = true,
			   .ipa_bits = 40,
			   .page_size = 16384},
};

const struct soft_like *soft_like_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_COUNT(likes); i++) {
		if (!strcmp(likes[i].name, name))
			return &likes[i];
	}
	return NULL;
}

void soft_like_caps(const struct soft_like *l, struct hv_caps *caps)
{
	caps->native_els = 1 << 0 | 1 << 1;
	caps->ipa_bits = l->ipa_bits;
	caps->page_size = l->page_size;
	caps->stage2_exec = l->stage2_exec;
	caps->views = l->views;
	caps->sysreg_traps = l->sysreg_traps;
	caps->undef_icc = l->undef_icc;
	caps->smccc_exits = l->smccc_exits;
	caps->translate_intercept = false;
	caps->maps_devices = true;
	caps->dcache_coherent_off = l->dcache_coherent_off;
	caps->hw_breakpoints = SOFT_BREAKPOINTS;
	caps->hw_watchpoints = SOFT_WATCHPOINTS;
}

/* ---- values after a reset ---- */

/* ICH_VMCR_EL2 and ICH_VTR_EL2 of 5 bits of priority, as ICC_*_EL1 show them. */
static void virtual_interface(uint64_t *reg)
{
	reg[SYSREG_IX_ICC_BPR0_EL1] = 2;
	reg[SYSREG_IX_ICC_BPR1_EL1] = 3;
	reg[SYSREG_IX_ICC_CTLR_EL1] = 0x8c00; /* PRIbits, A3V, SEIS */
}

void soft_like_reset(const struct soft_like *l, uint64_t *reg)
{
	uint64_t *pfr0 = &reg[SYSREG_IX_ID_AA64PFR0_EL1], *dfr0 = &reg[SYSREG_IX_ID_AA64DFR0_EL1];

	*pfr0 = sysreg_put(*pfr0, SYSF_ID_AA64PFR0_EL1_GIC, 0);
	*dfr0 = sysreg_put(*dfr0, SYSF_ID_AA64DFR0_EL1_PMUVer, 0);
	if (l->host == SOFT_LIKE_HVF)
		return;
	*pfr0 = sysreg_put(*pfr0, SYSF_ID_AA64PFR0_EL1_EL2, 1); /* seen: the host's */
	if (!l->undef_icc)
		virtual_interface(reg);
}

/* ---- what instructions do ---- */

static uint16_t code_of(uint32_t w)
{
	return SYSREG(bits(w, 20, 19), bits(w, 18, 16), bits(w, 15, 12), bits(w, 11, 8),
		      bits(w, 7, 5));
}

static bool is_read(uint32_t w)
{
	return bit(w, 21);
}

/* Where the CPU has the register at all, in this direction. A hypervisor's trap comes after that. */
static const struct sysreg_desc *accessible(struct soft_cpu *c, uint32_t w)
{
	const struct sysreg_desc *d = sysreg_lookup(code_of(w));

	if (d && bit(is_read(w) ? d->read : d->write, soft_el(c)))
		return d;
	soft_undefined(c);
	return NULL;
}

static void constant(struct soft_cpu *c, uint32_t w, uint64_t value)
{
	if (accessible(c, w) && is_read(w))
		soft_set_x(c, bits(w, 4, 0), value);
}

static void raz_wi(struct soft_cpu *c, uint32_t w)
{
	constant(c, w, 0);
}

static void spurious(struct soft_cpu *c, uint32_t w)
{
	constant(c, w, 0x3ff);
}

static void sre(struct soft_cpu *c, uint32_t w)
{
	constant(c, w, 7);
}

static void rpr(struct soft_cpu *c, uint32_t w)
{
	constant(c, w, 0xff);
}

static void undefined(struct soft_cpu *c, uint32_t w)
{
	soft_undefined(c);
}

static void write_ignored(struct soft_cpu *c, uint32_t w)
{
	if (is_read(w))
		soft_MRS(c, w);
	else if (!soft_el(c))
		soft_undefined(c);
}

static void read_only(struct soft_cpu *c, uint32_t w)
{
	if (is_read(w))
		soft_MRS(c, w);
	else
		soft_undefined(c);
}

static void stored(struct soft_cpu *c, uint32_t w)
{
	const struct sysreg_desc *d = accessible(c, w);
	bool place = d && d->index < SYSREG_INDEX_COUNT;

	if (!d)
		return;
	if (is_read(w))
		soft_set_x(c, bits(w, 4, 0), place ? c->sys->reg[d->index] : 0);
	else if (place)
		c->sys->reg[d->index] = soft_x(c, bits(w, 4, 0));
}

static void exits(struct soft_cpu *c, uint32_t w)
{
	if (soft_el(c))
		soft_exit(c, HV_EXIT_INTERCEPT, true)->intercept.word = w;
	else
		soft_undefined(c);
}

/* ---- calls; DEN 0028 (SMCCC) ---- */

#define SMCCC_VERSION	    0x80000000U
#define SMCCC_1_1	    0x10001
#define SMCCC_NOT_SUPPORTED (~0ULL)

/* hypercalls.c kvm_smccc_call_handler() */
static void kernel_answers(struct soft_cpu *c)
{
	c->x[0] = (uint32_t)c->x[0] == SMCCC_VERSION ? SMCCC_1_1 : SMCCC_NOT_SUPPORTED;
	c->x[1] = c->x[2] = c->x[3] = 0;
}

static void kernel(struct soft_cpu *c, uint32_t w)
{
	if (soft_el(c))
		kernel_answers(c);
	else
		soft_undefined(c);
}

static void refused(struct soft_cpu *c, uint32_t w)
{
	if (soft_el(c))
		c->x[0] = SMCCC_NOT_SUPPORTED;
	else
		soft_undefined(c);
}

static bool is_smc(uint32_t w)
{
	return (w & 3) == 3;
}

/* The ranges that the filter cannot have: 0x80000000 and 0xc0000000, 64 Ki functions each. */
static void filtered(struct soft_cpu *c, uint32_t w)
{
	bool reserved = ((uint32_t)c->x[0] & 0xbfff0000) == SMCCC_VERSION;

	if (is_smc(w) && bits(w, 20, 5))
		refused(c, w);
	else if (reserved)
		kernel(c, w);
	else if (is_smc(w))
		soft_SMC(c, w);
	else
		soft_HVC(c, w);
}

static void swallowed(struct soft_cpu *c, uint32_t w)
{
	if (!bits(w, 20, 5) && ((uint32_t)c->x[0] & 0xff000000) == 0xc1000000)
		refused(c, w);
	else
		soft_HVC(c, w);
}

static soft_fn *const functions[LIKE_DOES_COUNT] = {
	[LIKE_UNDEF] = undefined,
	[LIKE_RAZ_WI] = raz_wi,
	[LIKE_WI] = write_ignored,
	[LIKE_RO] = read_only,
	[LIKE_STORED] = stored,
	[LIKE_SPURIOUS] = spurious,
	[LIKE_SRE] = sre,
	[LIKE_RPR] = rpr,
	[LIKE_EXIT] = exits,
	[LIKE_KERNEL] = kernel,
	[LIKE_REFUSED] = refused,
	[LIKE_FILTERED] = filtered,
	[LIKE_SWALLOWED] = swallowed,
};

soft_fn *soft_like_function(const struct soft_like *l, uint32_t word, soft_fn *native)
{
	const struct soft_like_row *r = soft_like_match(word);

	return r && functions[r->does[l->host]] ? functions[r->does[l->host]] : native;
}

/* ---- debug exceptions ---- */

/* debug.c kvm_arm_setup_mdcr_el2(); hv_vcpu_set_trap_debug_exceptions(). */
bool soft_like_has_debug(const struct soft_cpu *c)
{
	return c->sys->vm->like && c->sys->debug_flags;
}

void soft_like_debug(struct soft_cpu *c, unsigned ec, uint32_t iss, uint64_t far)
{
	struct hv_exit *x;

	switch (ec) {
	case ARM_EC_BREAKPOINT_LOWER:
		soft_exit(c, HV_EXIT_HWBP, true);
		break;
	case ARM_EC_WATCHPOINT_LOWER:
		x = soft_exit(c, HV_EXIT_WATCH, true);
		x->watch.far = far;
		x->watch.is_write = bit(iss, 6);
		break;
	default:
		soft_exit(c, HV_EXIT_STEP, true);
	}
}

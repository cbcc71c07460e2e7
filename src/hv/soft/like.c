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

enum {
	N = LIKE_NATIVE,
	U = LIKE_UNDEF,
	Z = LIKE_RAZ_WI,
	W = LIKE_WI,
	RO = LIKE_RO,
	S = LIKE_STORED,
	P = LIKE_SPURIOUS,
	X = LIKE_EXIT,
};

#define ENC(op0, op1, crn, crm, op2)                                                               \
	(0xd5000000U | (op0) << 19 | (op1) << 16 | (crn) << 12 | (crm) << 8 | (op2) << 5)
/* What counts: one register, read and written; all of its op2, of its CRm, of its CRn. */
#define ONE   0xffdfffe0U
#define OP2S  0xffdfff00U
#define CRMS  0xffdff000U
#define SPACE 0xffdf0000U
/* CRm 8 to 15; 12 to 15; CRn 11 and 15 of all op1; op1 4 to 7. */
#define CRM_8	  0xffdff800U
#define CRM_12	  0xffdffc00U
#define IMPDEF	  0xffd8b000U
#define UPPER	  0xffdc0000U
#define CALL_MASK 0xffe0001fU

/* Columns: kvm61-vhe, kvm61-nvhe, kvm612, hvf. */
static const struct soft_like_row rows[] = {
	{"HVC",
	 0xd4000002,
	 CALL_MASK,
	 {LIKE_KERNEL, LIKE_KERNEL, LIKE_FILTERED, LIKE_SWALLOWED},
	 "6.1: hypercalls.c, no way to user space. 6.12: the SMCCC filter forwards all but the Arm "
	 "architecture calls, whatever the immediate. HVF keeps HVC #0 with W0 = 0xc1xxxxxx"},
	{"SMC",
	 0xd4000003,
	 CALL_MASK,
	 {LIKE_REFUSED, LIKE_REFUSED, LIKE_FILTERED, N},
	 "6.1: handle_exit.c handle_smc(). 6.12: the filter, for immediate 0; others get -1. HVF: "
	 "EC 0x17"},

	/* The GIC's CPU interface, without a GIC. */
	{"ICC_SGI",
	 ENC(3, 0, 12, 11, 4),
	 0xffdfff80,
	 {U, U, U, X},
	 "sys_regs.c access_gic_sgi(): UNDEFINED without a GICv3; ICC_DIR_EL1 and ICC_RPR_EL1 are "
	 "not in here"},
	{"ICC_SRE",
	 ENC(3, 0, 12, 12, 5),
	 ONE,
	 {LIKE_SRE, LIKE_SRE, LIKE_SRE, X},
	 "seen on 6.1 and 6.12: 7, as ICC_SRE_EL2.Enable is 1"},
	{"ICC_IAR0",
	 ENC(3, 0, 12, 8, 0),
	 ONE,
	 {P, P, U, X},
	 "6.1: the virtual interface, which has nothing pending; 6.12: ICH_HCR_EL2.TALL0, "
	 "undef_access()"},
	{"ICC_HPPIR0", ENC(3, 0, 12, 8, 2), ONE, {P, P, U, X}, "as ICC_IAR0"},
	{"ICC_IAR1",
	 ENC(3, 0, 12, 12, 0),
	 ONE,
	 {P, P, U, X},
	 "seen: 0x3ff on 6.1, UNDEFINED on 6.12 (ICH_HCR_EL2.TALL1); HVF: EC 0x18 without hv_gic"},
	{"ICC_HPPIR1", ENC(3, 0, 12, 12, 2), ONE, {P, P, U, X}, "as ICC_IAR1"},
	{"ICC_RPR",
	 ENC(3, 0, 12, 11, 3),
	 ONE,
	 {LIKE_RPR, LIKE_RPR, U, X},
	 "as ICC_IAR1; ICH_HCR_EL2.TC"},
	{"ICC_PMR", ENC(3, 0, 4, 6, 0), ONE, {S, S, U, X}, "as ICC_IAR1: ICH_VMCR_EL2 holds it"},
	{"ICC_AP0R1",
	 ENC(3, 0, 12, 8, 5),
	 ONE,
	 {U, U, U, X},
	 "seen on 6.1: 5 bits of priority have one"},
	{"ICC_AP0R2",
	 ENC(3, 0, 12, 8, 6),
	 0xffdfffc0,
	 {U, U, U, X},
	 "as ICC_AP0R1; and ICC_AP0R3_EL1"},
	{"ICC_AP1R1", ENC(3, 0, 12, 9, 1), ONE, {U, U, U, X}, "as ICC_AP0R1"},
	{"ICC_AP1R2",
	 ENC(3, 0, 12, 9, 2),
	 0xffdfffc0,
	 {U, U, U, X},
	 "as ICC_AP0R1; and ICC_AP1R3_EL1"},
	{"ICC_NMIAR1", ENC(3, 0, 12, 9, 5), ONE, {U, U, U, X}, "needs FEAT_NMI"},
	{"ICC", ENC(3, 0, 12, 8, 0), CRM_8, {S, S, U, X}, "as ICC_IAR1"},

	/* Performance monitors. */
	{"PM_EL0",
	 ENC(3, 3, 9, 12, 0),
	 CRM_12,
	 {U, U, U, X},
	 "sys_regs.c pmu_visibility(): UNDEFINED without the vCPU's feature; HVF has none: EC "
	 "0x18"},
	{"PMEV_EL0", ENC(3, 3, 14, 8, 0), CRM_8, {U, U, U, X}, "as PM_EL0"},
	{"PMMIR",
	 ENC(3, 0, 9, 14, 6),
	 ONE,
	 {N, N, N, X},
	 "sys_regs.c trap_raz_wi(), if the CPU has it"},
	{"PMINTEN", ENC(3, 0, 9, 14, 0), OP2S, {U, U, U, X}, "as PM_EL0"},

	/* Debugging: MDCR_EL2.TDA traps all of it, and what Obverse lets alone the kernel emulates. */
	{"OSLAR",
	 ENC(2, 0, 1, 0, 4),
	 ONE,
	 {N, N, N, W},
	 "sys_regs.c trap_oslar(); HVF: EC 0x18, which the back end ignores"},
	{"OSLSR",
	 ENC(2, 0, 1, 1, 4),
	 ONE,
	 {N, N, N, Z},
	 "sys_regs.c trap_oslsr_el1(); HVF: as OSLAR"},
	{"OSDLR", ENC(2, 0, 1, 3, 4), ONE, {Z, Z, Z, Z}, "sys_regs.c trap_raz_wi(); HVF: as OSLAR"},
	{"DBGPRCR", ENC(2, 0, 1, 4, 4), ONE, {Z, Z, Z, N}, "sys_regs.c trap_raz_wi()"},
	{"MDRAR", ENC(2, 0, 1, 0, 0), ONE, {Z, Z, Z, N}, "as DBGPRCR"},
	{"OSDTRRX", ENC(2, 0, 0, 0, 2), ONE, {Z, Z, Z, N}, "as DBGPRCR"},
	{"OSDTRTX", ENC(2, 0, 0, 3, 2), ONE, {Z, Z, Z, N}, "as DBGPRCR"},
	{"OSECCR", ENC(2, 0, 0, 6, 2), ONE, {Z, Z, Z, N}, "as DBGPRCR"},
	{"DBGCLAIMSET", ENC(2, 0, 7, 8, 6), ONE, {Z, Z, Z, N}, "as DBGPRCR"},
	{"DBGCLAIMCLR", ENC(2, 0, 7, 9, 6), ONE, {Z, Z, Z, N}, "as DBGPRCR"},
	{"MDCCSR", ENC(2, 3, 0, 1, 0), ONE, {Z, Z, Z, N}, "as DBGPRCR"},
	{"DBGDTR", ENC(2, 3, 0, 4, 0), ONE, {Z, Z, Z, N}, "as DBGPRCR"},
	{"DBGDTRRX", ENC(2, 3, 0, 5, 0), ONE, {Z, Z, Z, N}, "as DBGPRCR"},

	/* IMPLEMENTATION DEFINED. */
	{"ACTLR", ENC(3, 0, 1, 0, 1), ONE, {W, W, W, N}, "sys_regs.c access_actlr(): HCR_EL2.TACR"},
	{"IMPDEF",
	 ENC(3, 0, 11, 0, 0),
	 IMPDEF,
	 {U, U, U, X},
	 "HCR_EL2.TIDCP, then kvm_inject_undefined(); HVF: EC 0x18"},
	{"IMPDEF_SYS", ENC(1, 0, 11, 0, 0), IMPDEF, {U, U, U, U}, "as IMPDEF"},

	/* EL2, EL3 and Secure EL1. */
	{"UPPER",
	 ENC(3, 4, 0, 0, 0),
	 UPPER,
	 {U, U, U, U},
	 "Arm ARM D1: UNDEFINED at EL1 before any trap; seen on 6.1 and 6.12"},
	{"UPPER_DEBUG", ENC(2, 4, 0, 0, 0), UPPER, {U, U, U, U}, "as UPPER"},
	{"UPPER_SYS",
	 ENC(1, 4, 0, 0, 0),
	 UPPER,
	 {U, U, U, U},
	 "as UPPER: TLBI and AT of EL2 and EL3"},

	/* Caches: HCR_EL2.TSW. */
	{"DC_ISW",
	 ENC(1, 0, 7, 6, 2),
	 ONE,
	 {W, W, W, N},
	 "sys_regs.c access_dcsw(): nothing with FEAT_S2FWB"},
	{"DC_CSW", ENC(1, 0, 7, 10, 2), ONE, {W, W, W, N}, "as DC_ISW"},
	{"DC_CISW", ENC(1, 0, 7, 14, 2), ONE, {W, W, W, N}, "as DC_ISW"},

	/* What belongs to the highest level, which is the host's. */
	{"RVBAR",
	 ENC(3, 0, 12, 0, 1),
	 ONE,
	 {U, U, U, U},
	 "Arm ARM D24.2: only if EL1 is the highest level"},
	{"RMR", ENC(3, 0, 12, 0, 2), ONE, {U, U, U, U}, "as RVBAR"},
	{"CNTFRQ",
	 ENC(3, 3, 14, 0, 0),
	 ONE,
	 {RO, RO, RO, RO},
	 "Arm ARM D24.11: written at the highest level"},

	/* Here for the record. */
	{"CNTP",
	 ENC(3, 3, 14, 2, 0),
	 OP2S,
	 {N, N, N, N},
	 "VHE: the hardware's; nVHE: emul_ptimer of arch_timer.c; HVF: EC 0x18, the back end's"},
	{"CNT",
	 ENC(3, 3, 14, 0, 0),
	 OP2S,
	 {N, N, N, N},
	 "CNTFRQ, CNTPCT, CNTVCT: never trapped, offsets apart"},
	{"ID",
	 ENC(3, 0, 0, 0, 0),
	 CRMS,
	 {N, N, N, N},
	 "HCR_EL2.TID3: values of soft_like_reset(), reserved ones 0"},
};

const struct soft_like_row *soft_like_rows(unsigned *count)
{
	*count = ARRAY_COUNT(rows);
	return rows;
}

const struct soft_like_row *soft_like_match(uint32_t word)
{
	if (word >> 25 != 0xd4 >> 1) /* 0xd4 and 0xd5 */
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
				 .views = true,
				 .ipa_bits = 48,
				 .page_size = 4096},
	[SOFT_LIKE_KVM61_NVHE] = {.host = SOFT_LIKE_KVM61_NVHE,
				  .name = "kvm61-nvhe",
				  .doc = "KVM of Linux 6.1, nVHE",
				  .step_lost = true,
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

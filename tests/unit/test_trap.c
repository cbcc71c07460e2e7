/* SPDX-License-Identifier: Apache-2.0 */
#include "arm/trap.h"

#include "arm/exc.h"
#include "util/bits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- registers that a case sets; all others are 0 ---- */

struct value {
	uint16_t code;
	uint64_t value;
};

struct values {
	const struct value *v;
	uint8_t els;
};

enum { MAX_VALUES = 4 };

static uint64_t read_value(const void *opaque, uint16_t code)
{
	const struct values *s = opaque;
	unsigned op1 = SYSREG_OP1(code);

	assert_true(op1 != 4 || s->els & 4); /* only registers of levels that exist */
	assert_true(op1 != 6 || s->els & 8);
	for (unsigned i = 0; i < MAX_VALUES && s->v[i].code; i++) {
		if (s->v[i].code == code)
			return s->v[i].value;
	}
	return 0;
}

static struct arm_features features;

static int setup(void **state)
{
	memset(&features, 0xff, sizeof(features));
	return 0;
}

static struct arm_mrs check(uint8_t els, unsigned el, uint16_t code, bool is_read,
			    const struct value *v)
{
	struct values s = {v, els};
	struct arm_trap_state t = {
		.route = {.els = els, .el = (uint8_t)el}, .reg = read_value, .opaque = &s};

	if (els & 4)
		t.route.hcr_el2 = read_value(&s, SYS_HCR_EL2);
	if (els & 8)
		t.route.scr_el3 = read_value(&s, SYS_SCR_EL3);
	return arm_check_mrs(&t, &features, code, 5, is_read);
}

/* ---- the table ---- */

enum { EL1_ONLY = 3, TO_EL2 = 7, TO_EL3 = 0xf, NO_EL2 = 0xb };
enum { OK, UNDEF, T1, T2, T3 };

#define NS                                                                                         \
	{                                                                                          \
		SYS_SCR_EL3, 1                                                                     \
	}
#define H(b)                                                                                       \
	{                                                                                          \
		SYS_HCR_EL2, 1ULL << (b)                                                           \
	}
#define E2H (1ULL << ARM_HCR_E2H)
#define TGE (1ULL << ARM_HCR_TGE)

struct access_case {
	const char *name;
	uint8_t els, el;
	bool write;
	uint16_t code;
	uint8_t want;
	struct value v[MAX_VALUES];
};

static const struct access_case cases[] = {
	/* HCR_EL2 */
	{"TVM", TO_EL2, 1, true, SYS_SCTLR_EL1, T2, {H(ARM_HCR_TVM)}},
	{"TVM read", TO_EL2, 1, false, SYS_SCTLR_EL1, OK, {H(ARM_HCR_TVM)}},
	{"TVM CONTEXTIDR", TO_EL2, 1, true, SYS_CONTEXTIDR_EL1, T2, {H(ARM_HCR_TVM)}},
	{"TVM not VBAR", TO_EL2, 1, true, SYS_VBAR_EL1, OK, {H(ARM_HCR_TVM)}},
	{"TVM EL2", TO_EL2, 2, true, SYS_SCTLR_EL1, OK, {H(ARM_HCR_TVM)}},
	{"TVM secure", TO_EL3, 1, true, SYS_SCTLR_EL1, OK, {H(ARM_HCR_TVM)}},
	{"TVM non-secure", TO_EL3, 1, true, SYS_SCTLR_EL1, T2, {H(ARM_HCR_TVM), NS}},
	{"TRVM", TO_EL2, 1, false, SYS_FAR_EL1, T2, {H(ARM_HCR_TRVM)}},
	{"TRVM write", TO_EL2, 1, true, SYS_FAR_EL1, OK, {H(ARM_HCR_TRVM)}},
	{"EL0 is UNDEFINED first", TO_EL2, 0, false, SYS_FAR_EL1, UNDEF, {H(ARM_HCR_TRVM)}},
	{"TACR", TO_EL2, 1, false, SYS_ACTLR_EL1, T2, {H(ARM_HCR_TACR)}},
	{"TID1", TO_EL2, 1, false, SYS_REVIDR_EL1, T2, {H(ARM_HCR_TID1)}},
	{"TID1 AIDR", TO_EL2, 1, false, SYS_AIDR_EL1, T2, {H(ARM_HCR_TID1)}},
	{"TID1 not MIDR", TO_EL2, 1, false, SYS_MIDR_EL1, OK, {H(ARM_HCR_TID1)}},
	{"TID2", TO_EL2, 1, true, SYS_CSSELR_EL1, T2, {H(ARM_HCR_TID2)}},
	{"TID2 read-only", TO_EL2, 1, true, SYS_CLIDR_EL1, UNDEF, {H(ARM_HCR_TID2)}},
	{"TID2 CTR", TO_EL2, 1, false, SYS_CTR_EL0, T2, {H(ARM_HCR_TID2)}},
	{"TID3", TO_EL2, 1, false, SYS_ID_AA64PFR0_EL1, T2, {H(ARM_HCR_TID3)}},
	{"TID3 MVFR", TO_EL2, 1, false, SYS_MVFR0_EL1, T2, {H(ARM_HCR_TID3)}},
	{"TID3 reserved", TO_EL2, 1, false, SYSREG(3, 0, 0, 7, 7), T2, {H(ARM_HCR_TID3)}},
	{"TID3 not MPIDR", TO_EL2, 1, false, SYS_MPIDR_EL1, OK, {H(ARM_HCR_TID3)}},
	{"reserved ID", TO_EL2, 1, false, SYSREG(3, 0, 0, 7, 7), OK, {{0}}},
	{"reserved ID write", TO_EL2, 1, true, SYSREG(3, 0, 0, 7, 7), UNDEF, {H(ARM_HCR_TID3)}},
	{"reserved ID EL0", TO_EL2, 0, false, SYSREG(3, 0, 0, 7, 7), UNDEF, {H(ARM_HCR_TID3)}},
	{"TIDCP", TO_EL2, 1, false, SYSREG(3, 1, 15, 2, 0), T2, {H(ARM_HCR_TIDCP)}},
	{"TIDCP EL0", TO_EL2, 0, false, SYSREG(3, 3, 15, 2, 0), UNDEF, {H(ARM_HCR_TIDCP)}},
	{"TIDCP CRn 11", TO_EL2, 1, true, SYSREG(3, 7, 11, 15, 7), T2, {H(ARM_HCR_TIDCP)}},
	{"no TIDCP", TO_EL2, 1, false, SYSREG(3, 1, 15, 2, 0), UNDEF, {{0}}},
	{"TERR", TO_EL2, 1, false, SYS_ERRIDR_EL1, T2, {H(36)}},
	{"SCR TERR", TO_EL3, 2, false, SYS_ERXSTATUS_EL1, T3, {{SYS_SCR_EL3, 1 | 1 << 15}}},
	{"TERR before SCR",
	 TO_EL3,
	 1,
	 true,
	 SYS_ERRSELR_EL1,
	 T2,
	 {H(36), {SYS_SCR_EL3, 1 | 1 << 15}}},

	/* CPACR_EL1 */
	{"TCPAC", TO_EL2, 1, true, SYS_CPACR_EL1, T2, {{SYS_CPTR_EL2, 1ULL << 31}}},
	{"TCPAC EL2", TO_EL2, 2, true, SYS_CPACR_EL1, OK, {{SYS_CPTR_EL2, 1ULL << 31}}},
	{"CPTR_EL3", TO_EL3, 1, false, SYS_CPACR_EL1, T3, {{SYS_CPTR_EL3, 1ULL << 31}}},
	{"CPTR_EL3 CPTR_EL2", TO_EL3, 2, false, SYS_CPTR_EL2, T3, {{SYS_CPTR_EL3, 1ULL << 31}, NS}},
	{"CPTR_EL3 at EL3", TO_EL3, 3, false, SYS_CPTR_EL2, OK, {{SYS_CPTR_EL3, 1ULL << 31}}},

	/* FP&SIMD: EC 0x07 */
	{"FPEN", EL1_ONLY, 1, false, SYS_FPCR, T1, {{0}}},
	{"FPEN open", EL1_ONLY, 0, false, SYS_FPSR, OK, {{SYS_CPACR_EL1, 3 << 20}}},
	{"FPEN EL0", EL1_ONLY, 0, false, SYS_FPSR, T1, {{SYS_CPACR_EL1, 1 << 20}}},
	{"FPEN TGE", TO_EL2, 0, false, SYS_FPSR, UNDEF, {{SYS_HCR_EL2, TGE}}},
	{"CPTR_EL2.TFP",
	 TO_EL2,
	 1,
	 false,
	 SYS_FPSR,
	 T2,
	 {{SYS_CPACR_EL1, 3 << 20}, {SYS_CPTR_EL2, 1 << 10}}},
	{"CPTR_EL3.TFP", TO_EL3, 3, false, SYS_FPSR, T3, {{SYS_CPTR_EL3, 1 << 10}}},

	/* SCTLR_ELx */
	{"UCT", EL1_ONLY, 0, false, SYS_CTR_EL0, T1, {{0}}},
	{"UCT set", EL1_ONLY, 0, false, SYS_CTR_EL0, OK, {{SYS_SCTLR_EL1, 1 << 15}}},
	{"UCT TID2",
	 TO_EL2,
	 0,
	 false,
	 SYS_CTR_EL0,
	 T2,
	 {{SYS_SCTLR_EL1, 1 << 15}, H(ARM_HCR_TID2)}},
	{"UCT before TID2", TO_EL2, 0, false, SYS_CTR_EL0, T1, {H(ARM_HCR_TID2)}},
	{"UCT TGE", TO_EL2, 0, false, SYS_CTR_EL0, T2, {{SYS_HCR_EL2, TGE}}},
	{"UCT host",
	 TO_EL2,
	 0,
	 false,
	 SYS_CTR_EL0,
	 T2,
	 {{SYS_HCR_EL2, E2H | TGE}, {SYS_SCTLR_EL1, 1 << 15}}},
	{"UCT host set",
	 TO_EL2,
	 0,
	 false,
	 SYS_CTR_EL0,
	 OK,
	 {{SYS_HCR_EL2, E2H | TGE | 1 << ARM_HCR_TID2}, {SYS_SCTLR_EL2, 1 << 15}}},
	{"UMA", EL1_ONLY, 0, true, SYS_DAIF, T1, {{0}}},
	{"UMA set", EL1_ONLY, 0, true, SYS_DAIF, OK, {{SYS_SCTLR_EL1, 1 << 9}}},
	{"UMA TGE", TO_EL2, 0, true, SYS_DAIF, T2, {{SYS_HCR_EL2, TGE}}},
	{"UMA host",
	 TO_EL2,
	 0,
	 true,
	 SYS_DAIF,
	 T2,
	 {{SYS_HCR_EL2, E2H | TGE}, {SYS_SCTLR_EL1, 1 << 9}}},

	/* timers */
	{"CNTFRQ", EL1_ONLY, 0, false, SYS_CNTFRQ_EL0, T1, {{0}}},
	{"CNTFRQ either", EL1_ONLY, 0, false, SYS_CNTFRQ_EL0, OK, {{SYS_CNTKCTL_EL1, 2}}},
	{"CNTFRQ highest", EL1_ONLY, 1, true, SYS_CNTFRQ_EL0, OK, {{0}}},
	{"CNTFRQ not highest", TO_EL2, 1, true, SYS_CNTFRQ_EL0, UNDEF, {{0}}},
	{"CNTPCT", EL1_ONLY, 0, false, SYS_CNTPCT_EL0, T1, {{SYS_CNTKCTL_EL1, 2}}},
	{"CNTPCT EL2", TO_EL2, 1, false, SYS_CNTPCT_EL0, T2, {{0}}},
	{"CNTPCT EL2 open", TO_EL2, 1, false, SYS_CNTPCT_EL0, OK, {{SYS_CNTHCTL_EL2, 1}}},
	{"CNTPCT E2H",
	 TO_EL2,
	 1,
	 false,
	 SYS_CNTPCT_EL0,
	 T2,
	 {{SYS_HCR_EL2, E2H}, {SYS_CNTHCTL_EL2, 1}}},
	{"CNTPCT E2H open",
	 TO_EL2,
	 1,
	 false,
	 SYS_CNTPCT_EL0,
	 OK,
	 {{SYS_HCR_EL2, E2H}, {SYS_CNTHCTL_EL2, 1 << 10}}},
	{"CNTPCT EL0 EL2", TO_EL2, 0, false, SYS_CNTPCT_EL0, T2, {{SYS_CNTKCTL_EL1, 1}}},
	{"CNTPCT host",
	 TO_EL2,
	 0,
	 false,
	 SYS_CNTPCT_EL0,
	 OK,
	 {{SYS_HCR_EL2, E2H | TGE}, {SYS_CNTHCTL_EL2, 1}}},
	{"CNTPCT host closed",
	 TO_EL2,
	 0,
	 false,
	 SYS_CNTPCT_EL0,
	 T2,
	 {{SYS_HCR_EL2, E2H | TGE}, {SYS_CNTHCTL_EL2, ~1ULL}, {SYS_CNTKCTL_EL1, 1}}},
	{"CNTPCT secure", TO_EL3, 1, false, SYS_CNTPCT_EL0, OK, {{0}}},
	{"CNTVCT EL1", TO_EL2, 1, false, SYS_CNTVCT_EL0, OK, {{0}}},
	{"CNTVCT host",
	 TO_EL2,
	 0,
	 false,
	 SYS_CNTVCT_EL0,
	 T2,
	 {{SYS_HCR_EL2, E2H | TGE}, {SYS_CNTKCTL_EL1, 2}}},
	{"CNTP", TO_EL2, 1, true, SYS_CNTP_CVAL_EL0, T2, {{SYS_CNTHCTL_EL2, 1}}},
	{"CNTP open", TO_EL2, 1, true, SYS_CNTP_CVAL_EL0, OK, {{SYS_CNTHCTL_EL2, 2}}},
	{"CNTP E2H",
	 TO_EL2,
	 1,
	 true,
	 SYS_CNTP_TVAL_EL0,
	 T2,
	 {{SYS_HCR_EL2, E2H}, {SYS_CNTHCTL_EL2, 2}}},
	{"CNTP E2H open",
	 TO_EL2,
	 1,
	 true,
	 SYS_CNTP_TVAL_EL0,
	 OK,
	 {{SYS_HCR_EL2, E2H}, {SYS_CNTHCTL_EL2, 1 << 11}}},
	{"CNTP EL0", EL1_ONLY, 0, true, SYS_CNTP_CTL_EL0, T1, {{SYS_CNTKCTL_EL1, ~(1ULL << 9)}}},
	{"CNTV EL0", EL1_ONLY, 0, true, SYS_CNTV_CTL_EL0, T1, {{SYS_CNTKCTL_EL1, ~(1ULL << 8)}}},
	{"CNTV host",
	 TO_EL2,
	 0,
	 true,
	 SYS_CNTV_CTL_EL0,
	 OK,
	 {{SYS_HCR_EL2, E2H | TGE}, {SYS_CNTHCTL_EL2, 1 << 8}}},
	{"CNTV TGE", TO_EL2, 0, true, SYS_CNTV_CTL_EL0, T2, {{SYS_HCR_EL2, TGE}}},
	{"CNTPS closed", TO_EL3, 1, true, SYS_CNTPS_CVAL_EL1, T3, {{0}}},
	{"CNTPS open", TO_EL3, 1, true, SYS_CNTPS_CVAL_EL1, OK, {{SYS_SCR_EL3, 1 << ARM_SCR_ST}}},
	{"CNTPS non-secure",
	 TO_EL3,
	 1,
	 true,
	 SYS_CNTPS_CVAL_EL1,
	 UNDEF,
	 {{SYS_SCR_EL3, 1 | 1 << ARM_SCR_ST}}},
	{"CNTPS EL2",
	 TO_EL3,
	 2,
	 true,
	 SYS_CNTPS_CVAL_EL1,
	 UNDEF,
	 {{SYS_SCR_EL3, 1 | 1 << ARM_SCR_ST}}},
	{"CNTPS EL3", TO_EL3, 3, true, SYS_CNTPS_CVAL_EL1, OK, {{0}}},

	/* debug */
	{"TDA", TO_EL2, 1, true, SYS_MDSCR_EL1, T2, {{SYS_MDCR_EL2, 1 << 9}}},
	{"TDE", TO_EL2, 1, true, SYS_DBGBVR5_EL1, T2, {{SYS_MDCR_EL2, 1 << 8}}},
	{"TDA not OSLAR", TO_EL2, 1, true, SYS_OSLAR_EL1, OK, {{SYS_MDCR_EL2, 1 << 9}}},
	{"TDOSA", TO_EL2, 1, true, SYS_OSLAR_EL1, T2, {{SYS_MDCR_EL2, 1 << 10}}},
	{"TDRA", TO_EL2, 1, false, SYS_MDRAR_EL1, T2, {{SYS_MDCR_EL2, 1 << 11}}},
	{"TDA EL3", TO_EL3, 2, true, SYS_DBGWCR0_EL1, T3, {NS, {SYS_MDCR_EL3, 1 << 9}}},
	{"TDA EL3 secure",
	 TO_EL3,
	 1,
	 true,
	 SYS_DBGWCR0_EL1,
	 T3,
	 {{SYS_MDCR_EL3, 1 << 9}, {SYS_MDCR_EL2, 1 << 9}}},
	{"TDOSA EL3", NO_EL2, 1, false, SYS_OSLSR_EL1, T3, {{SYS_MDCR_EL3, 1 << 10}}},
	{"TDCC", EL1_ONLY, 0, false, SYS_MDCCSR_EL0, T1, {{SYS_MDSCR_EL1, 1 << 12}}},
	{"TDCC TGE", TO_EL2, 0, false, SYS_MDCCSR_EL0, T2, {{SYS_HCR_EL2, TGE}}},
	{"TDCC open", EL1_ONLY, 0, false, SYS_MDCCSR_EL0, OK, {{0}}},

	/* PMU */
	{"EN", EL1_ONLY, 0, true, SYS_PMCR_EL0, T1, {{SYS_PMUSERENR_EL0, 0xe}}},
	{"EN set", EL1_ONLY, 0, true, SYS_PMCR_EL0, OK, {{SYS_PMUSERENR_EL0, 1}}},
	{"EN TGE", TO_EL2, 0, true, SYS_PMCR_EL0, T2, {{SYS_HCR_EL2, TGE}}},
	{"CR", EL1_ONLY, 0, false, SYS_PMCCNTR_EL0, OK, {{SYS_PMUSERENR_EL0, 4}}},
	{"CR write", EL1_ONLY, 0, true, SYS_PMCCNTR_EL0, T1, {{SYS_PMUSERENR_EL0, 4}}},
	{"SW", EL1_ONLY, 0, true, SYS_PMSWINC_EL0, OK, {{SYS_PMUSERENR_EL0, 2}}},
	{"ER", EL1_ONLY, 0, true, SYS_PMSELR_EL0, OK, {{SYS_PMUSERENR_EL0, 8}}},
	{"ER event", EL1_ONLY, 0, false, SYS_PMEVCNTR30_EL0, OK, {{SYS_PMUSERENR_EL0, 8}}},
	{"ER event write", EL1_ONLY, 0, true, SYS_PMEVCNTR30_EL0, T1, {{SYS_PMUSERENR_EL0, 8}}},
	{"ER type", EL1_ONLY, 0, false, SYS_PMEVTYPER0_EL0, T1, {{SYS_PMUSERENR_EL0, 8}}},
	{"PMUSERENR", EL1_ONLY, 0, false, SYS_PMUSERENR_EL0, OK, {{0}}},
	{"PMUSERENR write", EL1_ONLY, 0, true, SYS_PMUSERENR_EL0, UNDEF, {{0}}},
	{"TPM", TO_EL2, 1, true, SYS_PMCCFILTR_EL0, T2, {{SYS_MDCR_EL2, 1 << 6}}},
	{"TPM PMINTEN", TO_EL2, 1, true, SYS_PMINTENSET_EL1, T2, {{SYS_MDCR_EL2, 1 << 6}}},
	{"TPM PMUSERENR", TO_EL2, 0, false, SYS_PMUSERENR_EL0, T2, {{SYS_MDCR_EL2, 1 << 6}}},
	{"TPMCR", TO_EL2, 1, true, SYS_PMCR_EL0, T2, {{SYS_MDCR_EL2, 1 << 5}}},
	{"TPMCR only", TO_EL2, 1, true, SYS_PMSELR_EL0, OK, {{SYS_MDCR_EL2, 1 << 5}}},
	{"TPM EL3", TO_EL3, 2, true, SYS_PMCR_EL0, T3, {NS, {SYS_MDCR_EL3, 1 << 6}}},
	{"TPM EL3 at EL3", TO_EL3, 3, true, SYS_PMCR_EL0, OK, {{SYS_MDCR_EL3, 1 << 6}}},

	/* levels */
	{"EL2 at EL1", TO_EL2, 1, false, SYS_HCR_EL2, UNDEF, {{0}}},
	{"EL3 at EL2", TO_EL3, 2, false, SYS_SCR_EL3, UNDEF, {NS}},
	{"EL12 without E2H", TO_EL2, 2, false, SYS_SCTLR_EL12, UNDEF, {{0}}},
	{"EL12 with E2H", TO_EL2, 2, false, SYS_SCTLR_EL12, OK, {{SYS_HCR_EL2, E2H}}},
	{"EL12 at EL1", TO_EL2, 1, false, SYS_SCTLR_EL12, UNDEF, {{SYS_HCR_EL2, E2H}}},
};

static void expect(const struct access_case *a)
{
	static const struct arm_trap wants[] = {
		[OK] = {ARM_TRAP_NONE, 0}, [UNDEF] = {ARM_TRAP_UNDEF, 0}, [T1] = {ARM_TRAP_TO, 1},
		[T2] = {ARM_TRAP_TO, 2},   [T3] = {ARM_TRAP_TO, 3},
	};
	struct arm_mrs m = check(a->els, a->el, a->code, !a->write, a->v);
	bool fp = a->code == SYS_FPCR || a->code == SYS_FPSR;

	if (m.trap.kind != wants[a->want].kind ||
	    (m.trap.kind == ARM_TRAP_TO && m.trap.el != wants[a->want].el))
		fail_msg("%s: %u to EL%u", a->name, m.trap.kind, m.trap.el);
	if (m.trap.kind == ARM_TRAP_UNDEF)
		assert_int_equal(m.esr, arm_esr_undef());
	else if (m.trap.kind == ARM_TRAP_TO && fp)
		assert_int_equal(m.esr, 0x1fe00000);
	else if (m.trap.kind == ARM_TRAP_TO)
		assert_int_equal(m.esr, arm_esr_sysreg(a->code, 5, !a->write));
}

static void test_cases(void **state)
{
	for (unsigned i = 0; i < ARRAY_COUNT(cases); i++)
		expect(&cases[i]);
}

/* ---- FEAT_VHE ---- */

static void test_redirect(void **state)
{
	static const struct {
		uint64_t hcr;
		uint8_t el;
		uint16_t named, meant;
	} c[] = {
		{E2H, 2, SYS_SCTLR_EL1, SYS_SCTLR_EL2},
		{E2H, 2, SYS_SCTLR_EL12, SYS_SCTLR_EL1},
		{E2H, 2, SYS_TTBR1_EL1, SYS_TTBR1_EL2},
		{E2H, 2, SYS_CONTEXTIDR_EL1, SYS_CONTEXTIDR_EL2},
		{E2H, 2, SYS_CPACR_EL1, SYS_CPTR_EL2},
		{E2H, 2, SYS_CNTKCTL_EL1, SYS_CNTHCTL_EL2},
		{E2H, 2, SYS_CNTV_CTL_EL0, SYS_CNTHV_CTL_EL2},
		{E2H, 2, SYS_CNTV_CTL_EL02, SYS_CNTV_CTL_EL0},
		{E2H, 2, SYS_ELR_EL1, SYS_ELR_EL2},
		{E2H, 2, SYS_SPSR_EL1, SYS_SPSR_EL2},
		{E2H, 2, SYS_SP_EL1, SYS_SP_EL1},
		{E2H, 2, SYS_TPIDR_EL1, SYS_TPIDR_EL1},
		{E2H, 2, SYS_MDSCR_EL1, SYS_MDSCR_EL1},
		{E2H, 2, SYS_SCTLR_EL2, SYS_SCTLR_EL2},
		{E2H, 1, SYS_SCTLR_EL1, SYS_SCTLR_EL1},
		{0, 2, SYS_SCTLR_EL1, SYS_SCTLR_EL1},
		{E2H | TGE, 0, SYS_CNTV_CVAL_EL0, SYS_CNTHV_CVAL_EL2},
		{E2H | TGE, 0, SYS_CNTP_CVAL_EL0, SYS_CNTHP_CVAL_EL2},
		{E2H, 0, SYS_CNTP_CVAL_EL0, SYS_CNTP_CVAL_EL0},
		{TGE, 0, SYS_CNTP_CVAL_EL0, SYS_CNTP_CVAL_EL0},
	};

	for (unsigned i = 0; i < ARRAY_COUNT(c); i++) {
		struct arm_route r = {.els = TO_EL2, .el = c[i].el, .hcr_el2 = c[i].hcr};

		assert_int_equal(arm_sysreg_redirect(&r, sysreg_lookup(c[i].named)), c[i].meant);
	}
}

/* In Secure state HCR_EL2 means nothing, at EL3 an _EL12 name does as long as EL2 is enabled. */
static void test_redirect_security(void **state)
{
	struct arm_route r = {.els = TO_EL3, .el = 3, .hcr_el2 = E2H};
	const struct value secure[] = {{SYS_HCR_EL2, E2H}, {0}};
	const struct value ns[] = {{SYS_HCR_EL2, E2H}, NS, {0}};

	assert_int_equal(arm_sysreg_redirect(&r, sysreg_lookup(SYS_SCTLR_EL1)), SYS_SCTLR_EL1);
	assert_int_equal(check(TO_EL3, 3, SYS_SCTLR_EL12, true, secure).trap.kind, ARM_TRAP_UNDEF);
	assert_ptr_equal(check(TO_EL3, 3, SYS_SCTLR_EL12, true, ns).reg, sysreg_find("SCTLR_EL1"));
}

/* ---- every encoding ---- */

/* With nothing but EL1: what is allowed is in the table, for that level; no trap leaves EL1. */
static void test_el1_only(void **state)
{
	static const struct value none[] = {{0}};

	for (unsigned n = 0x8000; n < 0x20000; n++) {
		uint16_t code = (uint16_t)n;
		bool is_read = n & 0x10000;
		const struct sysreg_desc *d = sysreg_lookup(code);
		struct arm_mrs m;

		if (code < 0x8000)
			continue;
		m = check(EL1_ONLY, 1, code, is_read, none);
		if (m.trap.kind == ARM_TRAP_NONE && m.reg) {
			assert_ptr_equal(m.reg, d);
			assert_true((is_read ? d->read : d->write) & 2);
		} else if (m.trap.kind == ARM_TRAP_NONE) {
			assert_true(sysreg_is_id(code) && is_read);
		}
		assert_true(m.trap.kind != ARM_TRAP_TO || m.trap.el == 1);
		if (SYSREG_OP1(code) >= 4 && SYSREG_OP0(code) == 3 && SYSREG_OP1(code) <= 6)
			assert_int_equal(m.trap.kind, ARM_TRAP_UNDEF);
	}
}

static uint64_t random_value(const void *opaque, uint16_t code)
{
	uint32_t *seed = *(uint32_t *const *)opaque;

	*seed = *seed * 1664525 + 1013904223;
	return (uint64_t)*seed << 32 | (*seed ^ *seed >> 15);
}

/* Nothing traps to a level that does not exist, is below, or is disabled. */
static void test_random(void **state)
{
	uint32_t seed = 1, *p = &seed;
	static const uint8_t levels[] = {EL1_ONLY, TO_EL2, NO_EL2, TO_EL3};

	for (unsigned i = 0; i < 4 * 0x8000; i++) {
		uint16_t code = (uint16_t)(0x8000 + i % 0x8000);
		struct arm_trap_state s = {
			.route = {.els = levels[i / 0x8000]}, .reg = random_value, .opaque = &p};
		struct arm_mrs m;

		s.route.hcr_el2 = random_value(&p, 0);
		s.route.scr_el3 = random_value(&p, 0);
		do
			s.route.el = random_value(&p, 0) >> 40 & 3;
		while (!arm_have_el(&s.route, s.route.el));
		m = arm_check_mrs(&s, &features, code, 0, i & 1);
		if (m.trap.kind != ARM_TRAP_TO)
			continue;
		assert_true(arm_have_el(&s.route, m.trap.el) && m.trap.el >= s.route.el);
		assert_true(m.trap.el != 2 || arm_el2_enabled(&s.route));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_redirect),
		cmocka_unit_test(test_redirect_security),
		cmocka_unit_test(test_el1_only),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "arm/sysreg.h"

#include "arm/sysop.h"
#include "util/bits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

static const struct sysreg_desc *reg(const char *name)
{
	const struct sysreg_desc *d = sysreg_find(name);

	if (!d)
		fail_msg("%s is not in the table", name);
	return d;
}

/* ---- encodings: words as assembled by GNU as, bits 20:5 are the code ---- */

static void test_encodings(void **state)
{
	static const struct {
		const char *name;
		uint32_t mrs;
	} cases[] = {
		{"MIDR_EL1", 0xd5380000},
		{"MPIDR_EL1", 0xd53800a0},
		{"SCTLR_EL1", 0xd5381000},
		{"SCTLR_EL12", 0xd53d1000},
		{"SCTLR_EL2", 0xd53c1000},
		{"SCTLR_EL3", 0xd53e1000},
		{"TCR_EL1", 0xd5382040},
		{"TTBR1_EL2", 0xd53c2020},
		{"SPSR_EL3", 0xd53e4000},
		{"SP_EL0", 0xd5384100},
		{"CurrentEL", 0xd5384240},
		{"DAIF", 0xd53b4220},
		{"FPCR", 0xd53b4400},
		{"ESR_EL1", 0xd5385200},
		{"PAR_EL1", 0xd5387400},
		{"VBAR_EL1", 0xd538c000},
		{"ICC_IAR1_EL1", 0xd538cc00},
		{"ICH_LR15_EL2", 0xd53ccde0},
		{"CNTVCT_EL0", 0xd53be040},
		{"CNTPS_CTL_EL1", 0xd53fe220},
		{"PMEVTYPER30_EL0", 0xd53befc0},
		{"DBGBVR15_EL1", 0xd5300f80},
		{"MDCCSR_EL0", 0xd5330100},
		{"CCSIDR_EL1", 0xd5390000},
		{"CSSELR_EL1", 0xd53a0000},
		{"VTTBR_EL2", 0xd53c2100},
		{"MDCR_EL3", 0xd53e1320},
		{"AMEVCNTR115_EL0", 0xd53bddE0},
	};

	for (unsigned i = 0; i < ARRAY_COUNT(cases); i++)
		assert_int_equal(reg(cases[i].name)->code, bits(cases[i].mrs, 20, 5));
	assert_int_equal(SYS_SCR_EL3, SYSREG(3, 6, 1, 1, 0));
}

/* ---- the table as a whole ---- */

static void test_sorted(void **state)
{
	size_t count;
	const struct sysreg_desc *d = sysreg_table(&count);

	assert_in_range(count, 900, 5000);
	for (size_t i = 0; i < count; i++) {
		assert_in_range(d[i].code, i ? d[i - 1].code + 1 : 0x8000, 0xffff);
		assert_ptr_equal(sysreg_lookup(d[i].code), &d[i]);
	}
}

static void test_names(void **state)
{
	size_t count;
	const struct sysreg_desc *d = sysreg_table(&count);

	for (size_t i = 0; i < count; i++)
		assert_ptr_equal(sysreg_find(d[i].name), &d[i]); /* the first of its name, too */
	assert_ptr_equal(sysreg_find("sctlr_el1"), sysreg_lookup(SYS_SCTLR_EL1));
	assert_ptr_equal(sysreg_find("S3_0_C1_C0_0"), sysreg_lookup(SYS_SCTLR_EL1));
	assert_ptr_equal(sysreg_find("s3_4_c1_c1_0"), sysreg_lookup(SYS_HCR_EL2));
	assert_ptr_equal(sysreg_find("DBGDTRTX_EL0"), sysreg_find("DBGDTRRX_EL0"));
}

static void test_unknown(void **state)
{
	static const char *const names[] = {"",
					    "S",
					    "S3",
					    "SCTLR",
					    "SCTLR_EL1 ",
					    "S3_0_C1_C0_0x",
					    "S3_0_C1_C0_",
					    "S3_7_C15_C15_7",
					    "S3_8_C1_C0_0",
					    "S3_0_C16_C0_0",
					    "S3_0_D1_C0_0",
					    "S9_0_C1_C0_0",
					    "TEEHBR32_EL1",
					    "VSCTLR_EL2",
					    "CPM_IOACC_CTL_EL3"};

	for (unsigned i = 0; i < ARRAY_COUNT(names); i++)
		assert_null(sysreg_find(names[i]));
	assert_null(sysreg_lookup(SYS_NONE));
	assert_null(sysreg_lookup(0xffff));
	assert_null(sysreg_lookup(SYSREG(1, 0, 7, 5, 0)));
}

/* Each index is that of one register, and of those that share its storage. */
static void test_storage(void **state)
{
	const char *owner[SYSREG_INDEX_COUNT] = {0};
	size_t count, views = 0;
	const struct sysreg_desc *d = sysreg_table(&count);

	for (size_t i = 0; i < count; i++) {
		assert_in_range(d[i].index, 0, SYSREG_IX_NONE);
		views += d[i].index == SYSREG_IX_NONE;
		if (d[i].index != SYSREG_IX_NONE)
			owner[d[i].index] = d[i].name;
	}
	for (unsigned i = 0; i < SYSREG_INDEX_COUNT; i++)
		assert_non_null(owner[i]);
	assert_in_range(views, 50, 150);
	assert_int_equal(reg("SCTLR_EL1")->index, SYSREG_IX_SCTLR_EL1);
	assert_int_equal(reg("SCTLR_EL12")->index, SYSREG_IX_SCTLR_EL1);
	assert_int_equal(reg("PMOVSCLR_EL0")->index, SYSREG_IX_PMOVSSET_EL0);
	assert_int_equal(reg("CNTVCT_EL0")->index, SYSREG_IX_NONE);
	assert_int_equal(reg("CNTP_TVAL_EL02")->index, SYSREG_IX_NONE);
	assert_int_equal(reg("DAIF")->index, SYSREG_IX_NONE);
}

static void test_virtual_host(void **state)
{
	size_t count, targets = 0;
	const struct sysreg_desc *d = sysreg_table(&count);

	for (size_t i = 0; i < count; i++) {
		const struct sysreg_desc *t = sysreg_lookup(d[i].target),
					 *e = sysreg_lookup(d[i].e2h);

		assert_int_equal(SYSREG_OP1(d[i].code) == 5, !!t);
		targets += !!t;
		if (t) {
			assert_int_equal(d[i].index, t->index);
			assert_int_equal(d[i].layout, t->layout);
			assert_true(d[i].flags & SYSREG_E2H);
			assert_int_not_equal(t->e2h, SYS_NONE);
		}
		if (e) {
			assert_int_equal(SYSREG_OP1(e->code), 4);
			assert_int_not_equal(e->index == SYSREG_IX_NONE,
					     d[i].index != SYSREG_IX_NONE);
		}
	}
	assert_in_range(targets, 30, 60);
	assert_int_equal(reg("SCTLR_EL1")->e2h, SYS_SCTLR_EL2);
	assert_int_equal(reg("CPACR_EL1")->e2h, SYS_CPTR_EL2);
	assert_int_equal(reg("CNTKCTL_EL1")->e2h, SYS_CNTHCTL_EL2);
	assert_int_equal(reg("CNTV_TVAL_EL0")->e2h, SYS_CNTHV_TVAL_EL2);
	assert_int_equal(reg("PAR_EL1")->e2h, SYS_NONE);
	assert_int_equal(reg("ACTLR_EL1")->e2h, SYS_NONE);
	assert_int_equal(reg("CNTP_CTL_EL02")->target, SYS_CNTP_CTL_EL0);
}

/* ---- fields ---- */

static void test_fields(void **state)
{
	for (unsigned l = 1; l < SYSREG_LAYOUT_COUNT; l++) {
		size_t count;
		const struct sysreg_field *f = sysreg_fields(l, &count);
		unsigned below = 64;

		assert_in_range(count, l != SYSREG_LAYOUT_WORD, 64);
		for (size_t i = 0; i < count; i++) {
			assert_in_range(f[i].hi, f[i].lo, below - 1); /* descending: no overlap */
			below = f[i].lo;
			assert_in_range(f[i].feature, 0, ARM_FEAT_COUNT - 1);
			for (size_t j = 0; j < i; j++)
				assert_true(strcmp(f[j].name, f[i].name) ||
					    !strcmp(f[i].name, "RES1"));
		}
	}
}

static void test_field_positions(void **state)
{
	static const struct {
		uint16_t field;
		uint8_t hi, lo;
	} cases[] = {
		{SYSF_SCTLR_EL1_M, 0, 0},
		{SYSF_SCTLR_EL1_SPAN, 23, 23},
		{SYSF_SCTLR_EL1_TCF, 41, 40},
		{SYSF_TCR_EL1_T1SZ, 21, 16},
		{SYSF_TCR_EL1_IPS, 34, 32},
		{SYSF_TCR_EL2_PS, 18, 16},
		{SYSF_VTCR_EL2_SL0, 7, 6},
		{SYSF_HCR_EL2_E2H, 34, 34},
		{SYSF_HCR_EL2_TGE, 27, 27},
		{SYSF_SCR_EL3_NS, 0, 0},
		{SYSF_SCR_EL3_EEL2, 18, 18},
		{SYSF_MDCR_EL3_SPD32, 15, 14},
		{SYSF_MDCR_EL3_EBWE, 43, 43},
		{SYSF_CPTR_EL3_TFP, 10, 10},
		{SYSF_CPACR_EL1_FPEN, 21, 20},
		{SYSF_ESR_ELx_EC, 31, 26},
		{SYSF_ID_AA64MMFR1_EL1_PAN, 23, 20},
		{SYSF_ID_AA64PFR0_EL1_CSV3, 63, 60},
		{SYSF_ID_AA64ISAR0_EL1_RNDR, 63, 60},
		{SYSF_ID_AA64DFR0_EL1_CTX_CMPs, 31, 28},
		{SYSF_PMCR_EL0_N, 15, 11},
		{SYSF_ICH_LR_EL2_pINTID, 44, 32},
		{SYSF_ICH_VMCR_EL2_VPMR, 31, 24},
		{SYSF_MPIDR_EL1_Aff3, 39, 32},
		{SYSF_CTR_EL0_DIC, 29, 29},
		{SYSF_DBGWCR_EL1_BAS, 12, 5},
		{SYSF_FPCR_RMode, 23, 22},
		{SYSF_CNTHCTL_EL2_E2H_EL1PCTEN, 10, 10},
	};

	for (unsigned i = 0; i < ARRAY_COUNT(cases); i++)
		assert_int_equal(cases[i].field, SYSREG_BITS(cases[i].hi, cases[i].lo));
	assert_int_equal(sysreg_get(0x22, SYSF_ID_AA64MMFR0_EL1_ASIDBits), 2);
	assert_int_equal(sysreg_put(0xff, SYSF_ID_AA64MMFR0_EL1_ASIDBits, 0xff0), 0x0f);
	assert_true(sysreg_mask(SYSF_ID_AA64PFR0_EL1_CSV3) == 0xfULL << 60);
	assert_true(sysreg_get(~0ULL, SYSREG_BITS(63, 0)) == ~0ULL);
}

/* ---- features ---- */

static void test_features(void **state)
{
	uint64_t *id = calloc(SYSREG_INDEX_COUNT, sizeof(*id));
	struct arm_features f;

	/* All zero: what is not there is 0, except that FP, AdvSIMD and DoubleLock are 0xf then. */
	arm_features_from_id(&f, id);
	assert_true(arm_has(&f, ARM_FEAT_NONE));
	assert_true(arm_has(&f, ARM_FEAT_FP) && arm_has(&f, ARM_FEAT_AdvSIMD));
	assert_true(arm_has(&f, ARM_FEAT_DoubleLock));
	assert_false(arm_has(&f, ARM_FEAT_FP16) || arm_has(&f, ARM_FEAT_EL2) ||
		     arm_has(&f, ARM_FEAT_PAN) || arm_has(&f, ARM_FEAT_PAuth) ||
		     arm_has(&f, ARM_FEAT_PMUv3));

	id[SYSREG_IX_ID_AA64PFR0_EL1] = 0x11ff1112; /* no FP; EL2, EL3, EL0 with AArch32 */
	id[SYSREG_IX_ID_AA64DFR0_EL1] = 0xf0f06;
	id[SYSREG_IX_ID_AA64ISAR2_EL1] = 0x1000;   /* APA3 */
	id[SYSREG_IX_ID_AA64MMFR1_EL1] = 0x200000; /* PAN2 */
	arm_features_from_id(&f, id);
	assert_false(arm_has(&f, ARM_FEAT_FP) || arm_has(&f, ARM_FEAT_FP16));
	assert_true(arm_has(&f, ARM_FEAT_EL2) && arm_has(&f, ARM_FEAT_EL3));
	assert_true(arm_has(&f, ARM_FEAT_AA32EL0));
	assert_false(arm_has(&f, ARM_FEAT_AA32EL1));
	assert_true(arm_has(&f, ARM_FEAT_PAuth));
	assert_true(arm_has(&f, ARM_FEAT_PAN) && arm_has(&f, ARM_FEAT_PAN2));
	assert_false(arm_has(&f, ARM_FEAT_PAN3) || arm_has(&f, ARM_FEAT_PMUv3));

	id[SYSREG_IX_ID_AA64DFR0_EL1] = 0x806; /* PMUv3p8: above 7, and not negative */
	arm_features_from_id(&f, id);
	assert_true(arm_has(&f, ARM_FEAT_PMUv3) && arm_has(&f, ARM_FEAT_PMUv3p7));
	free(id);
}

static void test_feature_names(void **state)
{
	assert_int_equal(arm_feature_find("FEAT_FlagM"), ARM_FEAT_FlagM);
	assert_int_equal(arm_feature_find("FLAGM2"), ARM_FEAT_FlagM2);
	assert_int_equal(arm_feature_find("FEAT_"), ARM_FEAT_COUNT);
	assert_int_equal(arm_feature_find(""), ARM_FEAT_COUNT);
	for (unsigned i = 0; i < ARM_FEAT_COUNT; i++)
		assert_int_equal(arm_feature_find(arm_feature_name(i)), i);
}

/* ---- access ---- */

struct rig {
	uint64_t id[SYSREG_INDEX_COUNT];
	struct arm_features features;
	struct sysreg_env env;
};

static struct rig *rig_new(uint64_t pfr0, uint64_t mmfr1, uint64_t mmfr2)
{
	struct rig *r = calloc(1, sizeof(*r));

	r->id[SYSREG_IX_ID_AA64PFR0_EL1] = pfr0;
	r->id[SYSREG_IX_ID_AA64MMFR1_EL1] = mmfr1;
	r->id[SYSREG_IX_ID_AA64MMFR2_EL1] = mmfr2;
	arm_features_from_id(&r->features, r->id);
	r->env = (struct sysreg_env){.features = &r->features, .highest_el = 3};
	return r;
}

/* @read, @write: bit n, from ELn. */
static void check_access(const struct rig *r, const char *name, unsigned read, unsigned write)
{
	const struct sysreg_desc *d = reg(name);

	for (unsigned el = 0; el < 4; el++) {
		if (sysreg_allowed(d, el, false, &r->env) != (read >> el & 1) ||
		    sysreg_allowed(d, el, true, &r->env) != (write >> el & 1))
			fail_msg("%s at EL%u", name, el);
	}
}

enum { ANY_EL = 0xf, EL1UP = 0xe, EL2UP = 0xc, EL3 = 8 };

static void test_access(void **state)
{
	struct rig *r = rig_new(0x01001111, 0x100100, 0x10); /* EL2, EL3, GICv3; VHE, PAN; UAO */

	check_access(r, "SCTLR_EL1", EL1UP, EL1UP);
	check_access(r, "SCTLR_EL2", EL2UP, EL2UP);
	check_access(r, "SCTLR_EL3", EL3, EL3);
	check_access(r, "MIDR_EL1", EL1UP, 0);
	check_access(r, "ID_AA64ZFR0_EL1", EL1UP, 0); /* without SVE, too */
	check_access(r, "CTR_EL0", ANY_EL, 0);
	check_access(r, "TPIDR_EL0", ANY_EL, ANY_EL);
	check_access(r, "TPIDRRO_EL0", ANY_EL, EL1UP);
	check_access(r, "CNTFRQ_EL0", ANY_EL, EL3);
	check_access(r, "CNTVCT_EL0", ANY_EL, 0);
	check_access(r, "CurrentEL", EL1UP, 0);
	check_access(r, "NZCV", ANY_EL, ANY_EL);
	check_access(r, "PAN", EL1UP, EL1UP);
	check_access(r, "UAO", EL1UP, EL1UP);
	check_access(r, "OSLAR_EL1", 0, EL1UP);
	check_access(r, "ICC_SGI1R_EL1", 0, EL1UP);
	check_access(r, "ICC_IAR1_EL1", EL1UP, 0);
	check_access(r, "SP_EL1", EL2UP, EL2UP);
	check_access(r, "DLR_EL0", 0, 0);
	check_access(r, "RVBAR_EL1", 0, 0);
	check_access(r, "RVBAR_EL3", EL3, 0);
	check_access(r, "RMR_EL3", EL3, EL3);
	r->env.highest_el = 1;
	assert_true(sysreg_allowed(reg("RMR_EL1"), 1, true, &r->env));
	assert_true(sysreg_allowed(reg("CNTFRQ_EL0"), 1, true, &r->env));
	free(r);
}

static void test_access_by_state(void **state)
{
	struct rig *r = rig_new(0x1000001111, 0x100, 0); /* SEL2, VHE */

	check_access(r, "CNTPS_CTL_EL1", EL3, EL3);
	check_access(r, "VSTTBR_EL2", EL3, EL3);
	check_access(r, "SCTLR_EL12", 0, 0);
	r->env.secure = true;
	check_access(r, "CNTPS_CTL_EL1", 0xa, 0xa);
	check_access(r, "VSTTBR_EL2", EL2UP, EL2UP);
	r->env.e2h = true;
	check_access(r, "SCTLR_EL12", EL2UP, EL2UP);
	check_access(r, "CNTV_CVAL_EL02", EL2UP, EL2UP);
	free(r);
}

static void test_access_without_feature(void **state)
{
	static const char *const names[] = {
		"PAN",		"UAO",	       "DIT",	     "SSBS",
		"TCO",		"ZCR_EL1",     "SMCR_EL1",   "PMCR_EL0",
		"RNDR",		"ICC_PMR_EL1", "TTBR1_EL2",  "CONTEXTIDR_EL2",
		"CNTPCTSS_EL0", "ERRIDR_EL1",  "LORC_EL1",   "APIAKeyLo_EL1",
		"SCXTNUM_EL0",	"TRCPRGCTLR",  "BRBCR_EL1",  "CCSIDR2_EL1",
		"TCR2_EL1",	"GCSPR_EL0",   "HFGRTR_EL2", "MPAM1_EL1"};
	struct rig *r = rig_new(0x1111, 0, 0);

	for (unsigned i = 0; i < ARRAY_COUNT(names); i++)
		check_access(r, names[i], 0, 0);
	free(r);
}

/* No level may do more than a higher one, except by Secure state or for being the highest. */
static void test_access_is_monotonous(void **state)
{
	size_t count;
	const struct sysreg_desc *d = sysreg_table(&count);

	for (size_t i = 0; i < count; i++) {
		if (d[i].flags & (SYSREG_HIGHEST | SYSREG_SECURE))
			continue;
		for (unsigned el = 0; el < 3; el++) {
			assert_true(!(d[i].read >> el & 1) || d[i].read >> (el + 1) & 1);
			assert_true(!(d[i].write >> el & 1) || d[i].write >> (el + 1) & 1);
		}
		assert_true(d[i].read | d[i].write || !strncmp(d[i].name, "DLR", 3) ||
			    !strncmp(d[i].name, "DSPSR", 5));
	}
}

static void test_id_space(void **state)
{
	assert_true(sysreg_is_id(SYS_ID_AA64PFR0_EL1));
	assert_true(sysreg_is_id(SYSREG(3, 0, 0, 7, 7)));
	assert_true(sysreg_is_id(SYSREG(3, 0, 0, 1, 0)));
	assert_false(sysreg_is_id(SYS_MIDR_EL1));
	assert_false(sysreg_is_id(SYSREG(3, 0, 0, 8, 0)));
	assert_false(sysreg_is_id(SYSREG(3, 1, 0, 1, 0)));
	assert_false(sysreg_is_id(SYSREG(2, 0, 0, 1, 0)));
	assert_false(sysreg_is_id(SYSREG(3, 0, 1, 1, 0)));
}

/* ---- masks and reset ---- */

static void test_masks(void **state)
{
	struct rig *r = rig_new(0x1111, 0, 0);
	struct sysreg_masks m = sysreg_masks(reg("SCTLR_EL1"), &r->features, false);

	/* Armv8.0, AArch64 only: ITD and SED are RES1 there, SPAN and others everywhere. */
	assert_true(m.res1 == 0x30d00980);
	assert_true(m.writable == 0x040dd21f);
	assert_true(sysreg_written(&m, 0, ~0ULL) == (0x30d00980 | 0x040dd21f));
	assert_true(sysreg_written(&m, ~0ULL, 0) == 0x30d00980);
	assert_true(sysreg_reset_value(reg("SCTLR_EL1"), &r->features) == 0x30d50998);

	m = sysreg_masks(reg("SCTLR_EL2"), &r->features, false);
	assert_true(m.res1 == 0x30c50830);
	m = sysreg_masks(reg("CPTR_EL2"), &r->features, false);
	assert_true(m.res1 == 0x33ff);
	m = sysreg_masks(reg("CPTR_EL2"), &r->features, true);
	assert_true(m.res1 == 0 && m.writable == (1ULL << 31 | 3 << 20));
	m = sysreg_masks(reg("TPIDR_EL1"), &r->features, false);
	assert_true(m.writable == ~0ULL && !m.res1 && !m.kept);
	m = sysreg_masks(reg("CNTP_CTL_EL0"), &r->features, false);
	assert_true(m.writable == 3 && m.kept == 4);
	assert_int_equal(sysreg_written(&m, 4, 1), 5);
	m = sysreg_masks(reg("PMCR_EL0"), &r->features, false);
	assert_true(!(m.writable & 6) && !(m.kept & 6)); /* C, P: actions */
	m = sysreg_masks(reg("MPIDR_EL1"), &r->features, false);
	assert_true(!m.writable && m.res1 == 1ULL << 31);
	m = sysreg_masks(reg("OSDTRTX_EL1"), &r->features, false);
	assert_true(m.writable == 0xffffffff);
	m = sysreg_masks(reg("SPSR_EL1"), &r->features, false);
	assert_true(m.writable == 0xffffffff);
	m = sysreg_masks(reg("SCR_EL3"), &r->features, false);
	assert_true(m.res1 == 0x430); /* RW: no AArch32 below */
	free(r);
}

static void test_masks_with_features(void **state)
{
	struct rig *r = rig_new(0x1122, 0x100000, 0); /* AArch32 at EL0 and EL1; PAN */
	struct sysreg_masks m = sysreg_masks(reg("SCTLR_EL1"), &r->features, false);

	assert_true(m.res1 == 0x30500800);
	assert_true((m.writable & 0x8001a0) == 0x8001a0); /* SPAN, SED, ITD, CP15BEN */
	m = sysreg_masks(reg("SCR_EL3"), &r->features, false);
	assert_true(m.res1 == 0x30);
	free(r);
}

static void test_masks_are_disjoint(void **state)
{
	uint64_t *id = calloc(SYSREG_INDEX_COUNT, sizeof(*id));
	size_t count;
	const struct sysreg_desc *d = sysreg_table(&count);

	for (unsigned all = 0; all < 2; all++) {
		struct arm_features f;

		for (unsigned i = 0; i < SYSREG_INDEX_COUNT; i++)
			id[i] = all ? 0xeeeeeeeeeeeeeeee : 0;
		arm_features_from_id(&f, id);
		for (size_t i = 0; i < count; i++) {
			struct sysreg_masks m = sysreg_masks(&d[i], &f, i & 1);

			assert_false((m.writable & m.kept) | (m.writable & m.res1) |
				     (m.kept & m.res1));
			assert_true(d[i].write || !m.writable);
			m = sysreg_masks(&d[i], &f, false);
			assert_true((sysreg_reset_value(&d[i], &f) & m.res1) == m.res1);
		}
	}
	free(id);
}

/* ---- operations ---- */

static void test_ops(void **state)
{
	static const struct {
		const char *name;
		uint32_t word;
		uint8_t levels, flags;
		enum arm_feature feature;
	} cases[] = {
		{"IC IALLU", 0xd508751f, EL1UP, 0, ARM_FEAT_NONE},
		{"IC IVAU", 0xd50b7520, ANY_EL, SYSOP_RT, ARM_FEAT_NONE},
		{"DC ZVA", 0xd50b7420, ANY_EL, SYSOP_RT, ARM_FEAT_NONE},
		{"DC IVAC", 0xd5087620, EL1UP, SYSOP_RT, ARM_FEAT_NONE},
		{"DC CVAP", 0xd50b7c20, ANY_EL, SYSOP_RT, ARM_FEAT_DPB},
		{"AT S1E1R", 0xd5087800, EL1UP, SYSOP_RT, ARM_FEAT_NONE},
		{"AT S1E1WP", 0xd5087920, EL1UP, SYSOP_RT, ARM_FEAT_PAN2},
		{"AT S12E0W", 0xd50c78e0, EL2UP, SYSOP_RT, ARM_FEAT_NONE},
		{"AT S1E3R", 0xd50e7800, EL3, SYSOP_RT, ARM_FEAT_NONE},
		{"TLBI VMALLE1", 0xd508871f, EL1UP, 0, ARM_FEAT_NONE},
		{"TLBI VAE1IS", 0xd5088320, EL1UP, SYSOP_RT | SYSOP_IS, ARM_FEAT_NONE},
		{"TLBI VAALE1IS", 0xd50883e0, EL1UP, SYSOP_RT | SYSOP_IS | SYSOP_LAST_LEVEL,
		 ARM_FEAT_NONE},
		{"TLBI VAE1OS", 0xd5088120, EL1UP, SYSOP_RT | SYSOP_OS, ARM_FEAT_TLBIOS},
		{"TLBI RVAE1", 0xd5088620, EL1UP, SYSOP_RT | SYSOP_RANGE, ARM_FEAT_TLBIRANGE},
		{"TLBI RIPAS2LE1OS", 0xd50c84e0, EL2UP,
		 SYSOP_RT | SYSOP_RANGE | SYSOP_OS | SYSOP_LAST_LEVEL, ARM_FEAT_TLBIRANGE},
		{"TLBI IPAS2E1IS", 0xd50c8020, EL2UP, SYSOP_RT | SYSOP_IS, ARM_FEAT_NONE},
		{"TLBI ALLE3", 0xd50e871f, EL3, 0, ARM_FEAT_NONE},
		{"TLBI VAE1ISnXS", 0xd5089320, EL1UP, SYSOP_RT | SYSOP_IS | SYSOP_NXS, ARM_FEAT_XS},
		{"CFP RCTX", 0xd50b7380, ANY_EL, SYSOP_RT, ARM_FEAT_SPECRES},
	};

	for (unsigned i = 0; i < ARRAY_COUNT(cases); i++) {
		const struct sysop_desc *d = sysop_find(cases[i].name);

		if (!d || d->code != bits(cases[i].word, 20, 5) || d->levels != cases[i].levels ||
		    d->flags != cases[i].flags || d->feature != cases[i].feature)
			fail_msg("%s", cases[i].name);
	}
	assert_null(sysop_find("TLBI"));
	assert_null(sysop_find("TLBI "));
	assert_null(sysop_find("tlbix vmalle1"));
	assert_ptr_equal(sysop_find("tlbi vmalle1"), sysop_lookup(SYSOP_TLBI_VMALLE1));
}

static void test_ops_table(void **state)
{
	size_t count;
	const struct sysop_desc *d = sysop_table(&count);

	for (size_t i = 0; i < count; i++) {
		if (i)
			assert_in_range(d[i].code, d[i - 1].code + 1, 0x7fff);
		assert_ptr_equal(sysop_lookup(d[i].code), &d[i]);
		assert_null(sysreg_lookup(d[i].code));
	}
	assert_null(sysop_lookup(SYSREG(1, 0, 8, 15, 7)));
	assert_null(sysop_lookup(SYS_SCTLR_EL1));
}

static void test_pstate_ops(void **state)
{
	/* msr DAIFSet, #2 and #15; msr PAN, #1; msr ALLINT, #1; smstart za */
	assert_int_equal(sysop_lookup(SYSREG(0, 3, 4, 2, 6))->code, SYSOP_PSTATE_DAIFSet);
	assert_int_equal(sysop_lookup(SYSREG(0, 3, 4, 15, 6))->code, SYSOP_PSTATE_DAIFSet);
	assert_int_equal(sysop_lookup(SYSREG(0, 0, 4, 1, 4))->code, SYSOP_PSTATE_PAN);
	assert_int_equal(sysop_lookup(SYSREG(0, 1, 4, 1, 0))->code, SYSOP_PSTATE_ALLINT);
	assert_int_equal(sysop_lookup(SYSREG(0, 3, 4, 5, 3))->code, SYSOP_PSTATE_SVCRZA);
	assert_null(sysop_lookup(SYSREG(0, 1, 4, 4, 0)));
	assert_null(sysop_lookup(SYSREG(0, 7, 4, 0, 0)));
}

static void test_exists(void **state)
{
	static const uint64_t ids[SYSREG_INDEX_COUNT];
	struct arm_features none, all;

	arm_features_from_id(&none, ids);
	memset(&all, 0xff, sizeof(all));
	assert_true(sysreg_exists(reg("SCTLR_EL1"), &none, 3));
	assert_false(sysreg_exists(reg("SCTLR_EL2"), &all, 3));
	assert_true(sysreg_exists(reg("SCTLR_EL2"), &none, 7));
	assert_false(sysreg_exists(reg("TTBR1_EL2"), &none, 7)); /* FEAT_VHE */
	assert_true(sysreg_exists(reg("TTBR1_EL2"), &all, 7));
	assert_false(sysreg_exists(reg("SCR_EL3"), &all, 7));
	assert_true(sysreg_exists(reg("SCR_EL3"), &none, 0xb));
	assert_true(sysreg_exists(reg("OSLAR_EL1"), &none, 3)); /* write-only */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exists),
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_sorted),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_storage),
		cmocka_unit_test(test_virtual_host),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_field_positions),
		cmocka_unit_test(test_features),
		cmocka_unit_test(test_feature_names),
		cmocka_unit_test(test_access),
		cmocka_unit_test(test_access_by_state),
		cmocka_unit_test(test_access_without_feature),
		cmocka_unit_test(test_access_is_monotonous),
		cmocka_unit_test(test_id_space),
		cmocka_unit_test(test_masks),
		cmocka_unit_test(test_masks_with_features),
		cmocka_unit_test(test_masks_are_disjoint),
		cmocka_unit_test(test_ops),
		cmocka_unit_test(test_ops_table),
		cmocka_unit_test(test_pstate_ops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The cores that PEs can show. */
#include "arm/model.h"

#include "arm/sysreg.h"
#include "util/bits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static uint64_t value(const struct arm_model *m, uint16_t code)
{
	uint64_t v = 0;

	arm_model_reg(m, code, &v);
	return v;
}

/* ---- the tables ---- */

static void test_names(void **state)
{
	unsigned n = 0;

	for (const struct arm_model *m; (m = arm_model_at(n)); n++)
		assert_ptr_equal(arm_model_find(arm_model_name(m)), m);
	assert_int_equal(n, 6);
	assert_null(arm_model_find("host"));
	assert_null(arm_model_find("cortex-a5"));
}

/* Part numbers: Arm's. */
static void test_midr(void **state)
{
	static const struct {
		const char *name;
		unsigned part;
	} rows[] = {
		{"cortex-a53", 0xd03}, {"cortex-a57", 0xd07},  {"cortex-a72", 0xd08},
		{"cortex-a76", 0xd0b}, {"neoverse-n1", 0xd0c},
	};

	for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
		uint64_t midr = value(arm_model_find(rows[i].name), SYS_MIDR_EL1);

		assert_int_equal(bits(midr, 31, 24), 0x41);
		assert_int_equal(bits(midr, 19, 16), 0xf);
		assert_int_equal(bits(midr, 15, 4), rows[i].part);
	}
}

/* What the cores are known to have, as the ID registers say it. */
static void test_features(void **state)
{
	enum { OLD = 1 << 0 | 1 << 1 | 1 << 2, NEW = 1 << 3 | 1 << 4, N1 = 1 << 4 };
	static const struct {
		const char *feature;
		unsigned models; /* bit n: arm_model_at(n) */
	} rows[] = {
		{"AES", OLD | NEW},
		{"PMULL", OLD | NEW},
		{"SHA1", OLD | NEW},
		{"SHA256", OLD | NEW},
		{"CRC32", OLD | NEW},
		{"AA32EL0", OLD | NEW},
		{"AA32EL1", OLD},
		{"AdvSIMD", OLD | NEW},
		{"ASID16", OLD | NEW},
		{"PMUv3", OLD | NEW},
		{"LSE", NEW},
		{"RDM", NEW},
		{"DotProd", NEW},
		{"FP16", NEW},
		{"LRCPC", NEW},
		{"LRCPC2", 0},
		{"PAN", NEW},
		{"PAN2", NEW},
		{"PAN3", 0},
		{"UAO", NEW},
		{"VHE", NEW},
		{"HAFDBS", NEW},
		{"HDDBS", NEW},
		{"VMID16", NEW},
		{"DPB", NEW},
		{"DPB2", 0},
		{"SSBS", NEW},
		{"SSBS2", N1},
		{"CSV2", NEW},
		{"CSV3", NEW},
		{"RAS", NEW},
		{"SPE", N1},
		{"SHA512", 0},
		{"SHA3", 0},
		{"SM3", 0},
		{"SM4", 0},
		{"FHM", 0},
		{"FCMA", 0},
		{"JSCVT", 0},
		{"FlagM", 0},
		{"SVE", 0},
		{"PAuth", 0},
		{"MTE", 0},
		{"BTI", 0},
		{"XNX", NEW},
	};

	for (unsigned n = 0; n < 5; n++) {
		const struct arm_model *m = arm_model_at(n);
		uint64_t reg[SYSREG_INDEX_COUNT] = {0};
		struct arm_features f;
		size_t count;
		const struct sysreg_desc *d = sysreg_table(&count);

		for (size_t i = 0; i < count; i++) {
			if (d[i].index < SYSREG_INDEX_COUNT)
				reg[d[i].index] |= value(m, d[i].code);
		}
		arm_features_from_id(&f, reg);
		for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
			enum arm_feature feature = arm_feature_find(rows[i].feature);

			assert_int_not_equal(feature, ARM_FEAT_COUNT);
			if (arm_has(&f, feature) != bit(rows[i].models, n))
				fail_msg("%s: %s", arm_model_name(m), rows[i].feature);
		}
	}
}

/* CLIDR_EL1 has a cache exactly where there is a CCSIDR_EL1, and lines are as CTR_EL0 says. */
static void test_caches(void **state)
{
	for (unsigned n = 0; n < 6; n++) {
		const struct arm_model *m = arm_model_at(n);
		uint64_t clidr = value(m, SYS_CLIDR_EL1);

		for (unsigned level = 1; level <= 7; level++) {
			unsigned type = bits(clidr, 3 * level - 1, 3 * level - 3);
			uint64_t data = arm_model_ccsidr(m, (level - 1) << 1);
			uint64_t code = arm_model_ccsidr(m, (level - 1) << 1 | 1);

			assert_int_equal(data != 0, type >= 2);
			assert_int_equal(code != 0, type & 1);
			if (data)
				assert_int_equal(bits(data, 2, 0), 2); /* 64 bytes */
		}
		assert_int_equal(arm_model_ccsidr(m, 14), 0);
		assert_int_equal(arm_model_ccsidr(m, ~0ULL), 0);
	}
}

static uint64_t cache_bytes(const char *name, unsigned csselr)
{
	uint64_t v = arm_model_ccsidr(arm_model_find(name), csselr);

	return (bits(v, 27, 13) + 1) * (bits(v, 12, 3) + 1) << (bits(v, 2, 0) + 4);
}

static void test_cache_sizes(void **state)
{
	static const struct {
		const char *name;
		unsigned kib[3]; /* data, instructions, level 2 */
	} rows[] = {
		{"cortex-a53", {32, 32, 1024}},	 {"cortex-a57", {32, 48, 2048}},
		{"cortex-a72", {32, 48, 1024}},	 {"cortex-a76", {64, 64, 512}},
		{"neoverse-n1", {64, 64, 1024}},
	};

	for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
		for (unsigned n = 0; n < 3; n++)
			assert_int_equal(cache_bytes(rows[i].name, n), rows[i].kib[n] * 1024);
	}
}

static void test_mpidr(void **state)
{
	assert_int_equal(arm_model_mpidr(arm_model_find("cortex-a53"), 3), 3);
	assert_int_equal(arm_model_mpidr(arm_model_find("max"), 7), 7);
	assert_int_equal(arm_model_mpidr(arm_model_find("cortex-a76"), 3), 0x1000300);
	assert_int_equal(arm_model_mpidr(arm_model_find("neoverse-n1"), 0), 0x1000000);
	assert_int_equal(arm_model_pa_bits(arm_model_find("cortex-a53")), 40);
	assert_int_equal(arm_model_pa_bits(arm_model_find("cortex-a72")), 44);
	assert_int_equal(arm_model_pa_bits(arm_model_find("max")), 48);
}

/* Nothing stands twice in a table, and registers of the core are IMPLEMENTATION DEFINED ones. */
static void test_impdefs(void **state)
{
	for (unsigned n = 0; n < 6; n++) {
		size_t count;
		const struct arm_model_impdef *d = arm_model_impdefs(arm_model_at(n), &count);

		for (size_t i = 0; i < count; i++) {
			assert_int_equal(SYSREG_OP0(d[i].code), 3);
			assert_true(SYSREG_CRN(d[i].code) == 11 || SYSREG_CRN(d[i].code) == 15);
			for (size_t j = 0; j < i; j++)
				assert_int_not_equal(d[i].code, d[j].code);
		}
	}
	assert_int_equal(arm_model_actlr(arm_model_find("cortex-a53")), 0x73);
	assert_int_equal(arm_model_actlr(arm_model_find("cortex-a76")), 0xa3);
	assert_int_equal(arm_model_actlr(arm_model_find("max")), 0);
}

/* ---- what is shown ---- */

static void test_lesser(void **state)
{
	static const struct {
		uint16_t code;
		uint64_t a, b, lesser;
	} rows[] = {
		{SYS_ID_AA64ISAR0_EL1, 0x0011111110212120, 0x11120, 0x11120},
		{SYS_ID_AA64PFR0_EL1, 0x110011, 0x2222, 0x11},	     /* EL2, EL3: not there */
		{SYS_ID_AA64PFR0_EL1, 0xff0011, 0x110011, 0xff0011}, /* no FP is less */
		{SYS_ID_AA64PFR0_EL1, 0x000011, 0x110011, 0x000011}, /* no FP16 */
		{SYS_ID_AA64MMFR0_EL1, 0x100125, 0x1124, 0x124},     /* no 16 KiB */
		{SYS_ID_AA64MMFR0_EL1, 0xf0000005, 0x00000005, 0xf0000005}, /* no 4 KiB */
		{SYS_ID_AA64DFR0_EL1, 0x10305f06, 0x10305106, 0x10305f06},
		{SYSREG(3, 0, 0, 7, 7), ~0ULL, ~0ULL, 0}, /* reserved */
	};

	for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
		assert_int_equal(arm_id_lesser(rows[i].code, rows[i].a, rows[i].b), rows[i].lesser);
		assert_int_equal(arm_id_lesser(rows[i].code, rows[i].b, rows[i].a), rows[i].lesser);
	}
}

static void test_ctr(void **state)
{
	/* IDC, DIC; a smaller line; VIPT; an unknown granule */
	assert_int_equal(arm_ctr_lesser(0xb444c004, 0x84448004), 0x84448004);
	assert_int_equal(arm_ctr_lesser(0xb444c004, 0x9444c004), 0x9444c004);
	assert_int_equal(arm_ctr_lesser(0x8444c004, 0x8443c003), 0x8443c003);
	assert_int_equal(arm_ctr_lesser(0x8444c004, 0x8554c004), 0x8554c004);
	assert_int_equal(arm_ctr_lesser(0x8444c004, 0x8004c004), 0x8004c004);
}

static void test_apply(void **state)
{
	uint64_t reg[SYSREG_INDEX_COUNT];

	for (unsigned i = 0; i < SYSREG_INDEX_COUNT; i++)
		reg[i] = 0x1111111111111111;
	arm_model_apply(arm_model_find("cortex-a53"), reg);
	assert_int_equal(reg[SYSREG_IX_MIDR_EL1], 0x410fd034);
	assert_int_equal(reg[SYSREG_IX_ID_AA64PFR0_EL1], 0x1111);
	assert_int_equal(reg[SYSREG_IX_ID_AA64PFR1_EL1], 0);
	assert_int_equal(reg[SYSREG_IX_ID_AA64ISAR0_EL1], 0x11110);
	assert_int_equal(reg[SYSREG_IX_ID_AA64ISAR1_EL1], 0);
	assert_int_equal(reg[SYSREG_IX_ID_AA64MMFR2_EL1], 0);
	assert_int_equal(reg[SYSREG_IX_ID_PFR0_EL1], 0x131);
	assert_int_equal(reg[SYSREG_IX_SCTLR_EL1], 0x1111111111111111);

	for (unsigned i = 0; i < SYSREG_INDEX_COUNT; i++)
		reg[i] = 0x1111111111111111;
	arm_model_apply(arm_model_find("max"), reg);
	assert_int_equal(reg[SYSREG_IX_MIDR_EL1], 0x000f0510);
	assert_int_equal(reg[SYSREG_IX_ID_AA64ISAR1_EL1], 0x1111111111111111);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),	    cmocka_unit_test(test_midr),
		cmocka_unit_test(test_features),    cmocka_unit_test(test_caches),
		cmocka_unit_test(test_cache_sizes), cmocka_unit_test(test_mpidr),
		cmocka_unit_test(test_impdefs),	    cmocka_unit_test(test_lesser),
		cmocka_unit_test(test_ctr),	    cmocka_unit_test(test_apply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

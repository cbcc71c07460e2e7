/* SPDX-License-Identifier: Apache-2.0 */
/* The soft engine as each of the cores: what it shows, and that what a core has not got is not there. */
#include "soft_machine.h"

#include "arm/exc.h"
#include "arm/model.h"
#include "arm/route.h"
#include "util/bits.h"

#define RAM	 0x40000000ULL
#define HINT_127 0xd5032fffU /* ends a run */

enum { RAM_SIZE = 0x10000, VECTORS = 0x1000, CODE = 0x4000, ALL = 0xf };

enum { A53 = 1 << 0, A57 = 1 << 1, A72 = 1 << 2, A76 = 1 << 3, N1 = 1 << 4, MAX = 1 << 5 };
enum { V82 = A76 | N1, ANY = A53 | A57 | A72 | V82 | MAX };

static uint8_t wants(void *opaque, uint32_t word)
{
	return word == HINT_127 ? 0xf : 0;
}

static void create(struct machine *m, unsigned model)
{
	struct hv_vm_config cfg = {.ipa_bits = 40, .els = ALL, .model = arm_model_at(model)};

	machine_create(m, &cfg, RAM, RAM_SIZE);
	ops->set_intercept(m->vm, wants, NULL);
	for (unsigned i = 0; i < RAM_SIZE; i += 4)
		put(m, i, HINT_127);
	for (unsigned el = 1; el <= 3; el++)
		set(m, REG_SYS(SYSREG(3, el == 1 ? 0 : el * 2, 12, 0, 0)), RAM + VECTORS * el);
	SET(m, CPACR_EL1, 3 << 20);
	SET(m, OSLAR_EL1, 0);
}

/* At EL3: is it UNDEFINED? */
static bool is_undefined(struct machine *m, uint32_t word)
{
	struct hv_exit x;

	put(m, CODE, word);
	for (unsigned n = 0; n < 31; n++)
		set(m, REG_X(n), RAM + 0x8000);
	SET(m, ESR_EL3, 0x5555);
	set(m, REG_PSTATE, ARM_PSTATE_DAIF | 0xd);
	set(m, REG_PC, RAM + CODE);
	do
		ops->run(m->cpu, &x);
	while (x.kind == HV_EXIT_KICK);
	assert_int_equal(x.kind, HV_EXIT_INTERCEPT);
	return GET(m, ESR_EL3) == arm_esr_undef();
}

/* ---- what it shows ---- */

static void test_identity(void **state)
{
	static const struct {
		uint16_t code;
		uint64_t value[6];
	} rows[] = {
		{SYS_MIDR_EL1,
		 {0x410fd034, 0x411fd070, 0x410fd083, 0x414fd0b1, 0x414fd0c1, 0x000f0510}},
		{SYS_VPIDR_EL2,
		 {0x410fd034, 0x411fd070, 0x410fd083, 0x414fd0b1, 0x414fd0c1, 0x000f0510}},
		{SYS_ID_AA64PFR0_EL1,
		 {0x1111, 0x1111, 0x1111, 0x1100000000111111, 0x1100000000111111,
		  0x1100000000111111}},
		{SYS_ID_AA64PFR1_EL1, {0, 0, 0, 0x10, 0x20, 0x20}},
		{SYS_ID_AA64ZFR0_EL1, {0, 0, 0, 0, 0, 0}},
		{SYS_ID_AA64DFR0_EL1,
		 {0x10305106, 0x10305106, 0x10305106, 0x10305106, 0x10305106, 0x10305106}},
		{SYS_ID_AA64DFR1_EL1, {0, 0, 0, 0, 0, 0}},
		{SYS_ID_AA64ISAR0_EL1,
		 {0x11120, 0x11120, 0x11120, 0x100010211120, 0x100010211120, 0x0011111110212120}},
		{SYS_ID_AA64ISAR1_EL1, {0, 0, 0, 0x100001, 0x100001, 0x211001}},
		{SYS_ID_AA64ISAR2_EL1, {0, 0, 0, 0, 0, 0}},
		{SYS_ID_AA64MMFR0_EL1, {0x1122, 0x1124, 0x1124, 0x101122, 0x101125, 0x101125}},
		{SYS_ID_AA64MMFR1_EL1, {0, 0, 0, 0x10202122, 0x10202122, 0x10202122}},
		{SYS_ID_AA64MMFR2_EL1, {0, 0, 0, 0x11, 0x11, 0x11}},
		{SYS_ID_PFR0_EL1, {0x131, 0x131, 0x131, 0x10010131, 0x10010131, 0}},
		{SYS_ID_ISAR5_EL1, {0x11121, 0x11121, 0x11121, 0x1011121, 0x1011121, 0}},
		{SYS_MVFR0_EL1, {0x10110222, 0x10110222, 0x10110222, 0x10110222, 0x10110222, 0}},
		{SYS_CTR_EL0,
		 {0x84448004, 0x8444c004, 0x8444c004, 0x8444c004, 0x8444c004, 0xb444c004}},
		{SYS_CLIDR_EL1,
		 {0xa200023, 0xa200023, 0xa200023, 0x82000023, 0x82000023, 0xa200023}},
		{SYS_PMCR_EL0, {0x41030040, 0x41010040, 0x41020040, 0x410b0040, 0x410c0040, 0x40}},
	};

	for (unsigned n = 0; n < 6; n++) {
		struct machine m;

		create(&m, n);
		for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
			if (get(&m, REG_SYS(rows[i].code)) != rows[i].value[n])
				fail_msg("%s: %s is 0x%llx, not 0x%llx",
					 arm_model_name(arm_model_at(n)),
					 sysreg_lookup(rows[i].code)->name,
					 (unsigned long long)get(&m, REG_SYS(rows[i].code)),
					 (unsigned long long)rows[i].value[n]);
		}
		machine_destroy(&m);
	}
}

static void test_caches(void **state)
{
	struct machine m;

	create(&m, 0);
	SET(&m, CSSELR_EL1, 0);
	assert_int_equal(GET(&m, CCSIDR_EL1), 0x700fe01a);
	SET(&m, CSSELR_EL1, 1);
	assert_int_equal(GET(&m, CCSIDR_EL1), 0x201fe00a);
	SET(&m, CSSELR_EL1, 2);
	assert_int_equal(GET(&m, CCSIDR_EL1), 0x707fe07a);
	SET(&m, CSSELR_EL1, 4);
	assert_int_equal(GET(&m, CCSIDR_EL1), 0);
	machine_destroy(&m);
}

/* ---- instructions ---- */

static void test_instructions(void **state)
{
	static const struct {
		const char *name;
		uint32_t word;
		unsigned models;
	} rows[] = {
		{"nop", 0xd503201f, ANY},
		{"crc32b w0, w1, w2", 0x1ac24020, ANY},
		{"aese v0.16b, v1.16b", 0x4e284820, ANY},
		{"pmull v0.1q, v1.1d, v2.1d", 0x0ee2e020, ANY},
		{"sha1h s0, s1", 0x5e280820, ANY},
		{"sha256h q0, q1, v2.4s", 0x5e024020, ANY},
		{"ldadd w0, w1, [x2]", 0xb8200041, V82 | MAX},
		{"cas w0, w1, [x2]", 0x88a07c41, V82 | MAX},
		{"swp x0, x1, [x2]", 0xf8208041, V82 | MAX},
		{"sqrdmlah v0.4s, v1.4s, v2.4s", 0x6e828420, V82 | MAX},
		{"udot v0.2s, v1.8b, v2.8b", 0x2e829420, V82 | MAX},
		{"fadd h0, h1, h2", 0x1ee22820, V82 | MAX},
		{"fadd v0.8h, v1.8h, v2.8h", 0x4e421420, V82 | MAX},
		{"fcvt h0, s1", 0x1e23c020, ANY},
		{"ldapr w0, [x1]", 0xb8bfc020, V82 | MAX},
		{"ldapur w0, [x1]", 0x99400020, MAX},
		{"sha512h q0, q1, v2.2d", 0xce628020, MAX},
		{"eor3 v0.16b, v1.16b, v2.16b, v3.16b", 0xce020c20, MAX},
		{"sm3ss1 v0.4s, v1.4s, v2.4s, v3.4s", 0xce420c20, MAX},
		{"sm4e v0.4s, v1.4s", 0xcec08420, MAX},
		{"fmlal v0.2s, v1.2h, v2.2h", 0x0e22ec20, MAX},
		{"fcadd v0.4s, v1.4s, v2.4s, #90", 0x6e82e420, MAX},
		{"fjcvtzs w0, d1", 0x1e7e0020, MAX},
		{"setf8 w0", 0x3a00080d, MAX},
		{"cfinv", 0xd500401f, MAX},
		{"msr pan, #0", 0xd500409f, V82 | MAX},
		{"msr uao, #0", 0xd500407f, V82 | MAX},
		{"msr ssbs, #0", 0xd503403f, N1 | MAX},
		{"msr dit, #0", 0xd503405f, 0},
		{"msr daifset, #0", 0xd50340df, ANY},
		{"mrs x0, pan", 0xd5384260, V82 | MAX},
		{"mrs x0, uao", 0xd5384280, V82 | MAX},
		{"mrs x0, ssbs", 0xd53b42c0, N1 | MAX},
		{"dc cvap, x0", 0xd50b7c20, V82 | MAX},
		{"dc cvac, x0", 0xd50b7a20, ANY},
		{"at s1e1rp, x0", 0xd5087900, V82 | MAX},
		{"at s1e1r, x0", 0xd5087800, ANY},
		{"mrs x0, ttbr1_el2", 0xd53c2020, V82 | MAX},
		{"mrs x0, cnthv_ctl_el2", 0xd53ce320, V82 | MAX},
		{"mrs x0, contextidr_el2", 0xd53cd020, V82 | MAX},
		{"mrs x0, lorid_el1", 0xd538a4e0, 0},
		{"mrs x0, disr_el1", 0xd538c120, 0},
		{"mrs x0, pmcr_el0", 0xd53b9c00, ANY},
	};

	for (unsigned n = 0; n < 6; n++) {
		struct machine m;

		create(&m, n);
		for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
			if (is_undefined(&m, rows[i].word) == bit(rows[i].models, n))
				fail_msg("%s: %s", arm_model_name(arm_model_at(n)), rows[i].name);
		}
		machine_destroy(&m);
	}
}

/* ---- fields of registers ---- */

static void test_fields(void **state)
{
	static const struct {
		uint16_t code;
		uint64_t field;
		unsigned models;
	} rows[] = {
		{SYS_HCR_EL2, 1ULL << ARM_HCR_E2H, V82 | MAX},
		{SYS_HCR_EL2, 1ULL << ARM_HCR_TGE, ANY},
		{SYS_TCR_EL1, 1ULL << 39, V82 | MAX},	/* HA */
		{SYS_TCR_EL1, 1ULL << 40, V82 | MAX},	/* HD */
		{SYS_TCR_EL1, 1ULL << 41, V82 | MAX},	/* HPD0 */
		{SYS_TCR_EL1, 1ULL << 36, ANY},		/* AS */
		{SYS_TTBR0_EL1, 1, V82 | MAX},		/* CnP */
		{SYS_VTCR_EL2, 1 << 19, V82 | MAX},	/* VS */
		{SYS_VTCR_EL2, 1 << 21, V82 | MAX},	/* HA */
		{SYS_SCTLR_EL3, 1ULL << 44, V82 | MAX}, /* DSSBS */
		{SYS_FPCR, 1 << 19, V82 | MAX},		/* FZ16 */
		{SYS_FPCR, 1 << 24, ANY},		/* FZ */
		{SYS_ACTLR_EL1, 1, 0},
		{SYS_ACTLR_EL3, 1 << 1, ANY & ~MAX},
		{SYS_ACTLR_EL3, 1 << 6, A53 | A57 | A72},
		{SYS_ACTLR_EL2, 1 << 7, V82},
		{SYS_ACTLR_EL3, 1ULL << 32, 0},
	};

	for (unsigned n = 0; n < 6; n++) {
		struct machine m;

		create(&m, n);
		for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
			uint32_t mrs = 0xd5300000U | (uint32_t)rows[i].code << 5,
				 msr = mrs & ~(1U << 21);
			uint64_t before;

			is_undefined(&m, mrs | 1);
			before = get(&m, REG_X(1));
			put(&m, CODE + 4, msr | 1);
			put(&m, CODE + 8, mrs | 2);
			put(&m, CODE, 0xd503201f);
			set(&m, REG_X(1), before | rows[i].field);
			set(&m, REG_PC, RAM + CODE);
			do
				ops->run(m.cpu, &m.exit);
			while (m.exit.kind == HV_EXIT_KICK);
			assert_int_equal(get(&m, REG_PC), RAM + CODE + 12);
			if (((get(&m, REG_X(2)) & rows[i].field) != 0) != bit(rows[i].models, n))
				fail_msg("%s: %s, bits 0x%llx", arm_model_name(arm_model_at(n)),
					 sysreg_lookup(rows[i].code)->name,
					 (unsigned long long)rows[i].field);
			set(&m, REG_SYS(rows[i].code), before);
			put(&m, CODE + 4, HINT_127);
			put(&m, CODE + 8, HINT_127);
		}
		machine_destroy(&m);
	}
}

/* An exception return to PSTATE that is not there, and exception entry. */
static void test_pstate(void **state)
{
	const uint64_t new = ARM_PSTATE_PAN | ARM_PSTATE_UAO | ARM_PSTATE_SSBS;

	for (unsigned n = 0; n < 6; n++) {
		struct machine m;

		create(&m, n);
		put(&m, CODE, 0xd69f03e0); /* eret */
		SET(&m, SCR_EL3, 0x431);
		SET(&m, SPSR_EL3, new | ARM_PSTATE_DIT | ARM_PSTATE_DAIF | 5);
		SET(&m, ELR_EL3, RAM + 0x5000);
		set(&m, REG_PSTATE, ARM_PSTATE_DAIF | 0xd);
		set(&m, REG_PC, RAM + CODE);
		do
			ops->run(m.cpu, &m.exit);
		while (m.exit.kind == HV_EXIT_KICK);
		assert_int_equal(get(&m, REG_PC), RAM + 0x5000);
		assert_int_equal(get(&m, REG_PSTATE) & (new | ARM_PSTATE_DIT),
				 bit(V82 | MAX, n) ? new : 0);
		/* SCTLR_EL1.SPAN 0, DSSBS 1: only where they mean something */
		SET(&m, SCTLR_EL1, (GET(&m, SCTLR_EL1) & ~(1ULL << 23)) | 1ULL << 44);
		put(&m, 0x5000, 0xd4000001); /* svc */
		set(&m, REG_PSTATE, ARM_PSTATE_DAIF | 5);
		do
			ops->run(m.cpu, &m.exit);
		while (m.exit.kind == HV_EXIT_KICK);
		assert_int_equal(get(&m, REG_PSTATE) & new,
				 bit(V82 | MAX, n) ? ARM_PSTATE_PAN | ARM_PSTATE_SSBS : 0);
		machine_destroy(&m);
	}
}

/* ---- translation ---- */

/* MSR or AT of X0 at EL3. */
static void execute(struct machine *m, uint32_t word, uint64_t x0)
{
	put(m, CODE, word);
	set(m, REG_X(0), x0);
	set(m, REG_PSTATE, ARM_PSTATE_DAIF | 0xd);
	set(m, REG_PC, RAM + CODE);
	do
		ops->run(m->cpu, &m->exit);
	while (m->exit.kind == HV_EXIT_KICK);
	assert_int_equal(get(m, REG_PC), RAM + CODE + 4);
}

/* Of a 1 GiB block at 0x40000000, in a table of level 1 with this descriptor: AT S1E1R. */
static uint64_t translate(struct machine *m, uint64_t tcr, uint64_t desc)
{
	memset(m->ram + 0x8000, 0, 4096);
	memcpy(m->ram + 0x8008, &desc, 8);
	SET(m, SCR_EL3, 0x431);
	SET(m, TTBR0_EL1, RAM + 0x8000);
	SET(m, MAIR_EL1, 0xff);
	execute(m, 0xd5182040, tcr); /* msr tcr_el1, x0 */
	SET(m, SCTLR_EL1, GET(m, SCTLR_EL1) | 1);
	execute(m, 0xd5087800, 0x40001234); /* at s1e1r, x0 */
	return GET(m, PAR_EL1);
}

static void test_translation(void **state)
{
	enum { BLOCK_AF = 0x401, BLOCK = 1, TCR = 25 | 1 << 23 };
	const uint64_t tcr_48 = TCR | 5ULL << 32;
	static const struct {
		uint64_t tcr, desc;
		uint64_t par[6]; /* bits 47:12, or a fault's status with bit 0 */
	} rows[] = {
		/* Bit 43, and bit 45, of the output */
		{0,
		 0x80040000000 | BLOCK_AF,
		 {3, 0x80040001000, 0x80040001000, 3, 0x80040001000, 0x80040001000}},
		{0, 0x200040000000 | BLOCK_AF, {3, 3, 3, 3, 0x200040001000, 0x200040001000}},
		/* The access flag, which some set themselves */
		{1ULL << 39,
		 0x40000000 | BLOCK,
		 {0x13, 0x13, 0x13, 0x40001000, 0x40001000, 0x40001000}},
		{0, 0x40000000 | BLOCK, {0x13, 0x13, 0x13, 0x13, 0x13, 0x13}},
		/* Of 16 KiB: another entry of the table, which is empty */
		{2 << 14,
		 0x40000000 | BLOCK_AF,
		 {0x40001000, 0x40001000, 0x40001000, 0xb, 0xb, 0xb}},
	};

	for (unsigned n = 0; n < 6; n++) {
		for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
			uint64_t want = rows[i].par[n], par;
			struct machine m;

			create(&m, n);
			par = translate(&m, tcr_48 | rows[i].tcr, rows[i].desc);
			par &= par & 1 ? 0x7f : 0xfffffffff000;
			if (par != want)
				fail_msg("%s: row %u: PAR_EL1 0x%llx",
					 arm_model_name(arm_model_at(n)), i,
					 (unsigned long long)par);
			machine_destroy(&m);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity),     cmocka_unit_test(test_caches),
		cmocka_unit_test(test_instructions), cmocka_unit_test(test_fields),
		cmocka_unit_test(test_pstate),	     cmocka_unit_test(test_translation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

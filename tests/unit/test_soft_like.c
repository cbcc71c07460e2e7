/* SPDX-License-Identifier: Apache-2.0 */
/* The soft engine in the place of hypervisors: options, capabilities, and what instructions and debug events do. */
#include "hv/soft/like.h"

#include "soft_machine.h"

#include "arm/exc.h"

#include <errno.h>
#include <stdio.h>

#define RAM 0x40000000ULL

#define SYSTEM(l, op0, op1, crn, crm, op2)                                                         \
	(0xd5000001U | (l) << 21 | (op0) << 19 | (op1) << 16 | (crn) << 12 | (crm) << 8 |          \
	 (op2) << 5)
/* All with X1. */
#define MRS(...)  SYSTEM(1, __VA_ARGS__)
#define MSR(...)  SYSTEM(0, __VA_ARGS__)
#define HVC(imm)  (0xd4000002U | (imm) << 5)
#define SMC(imm)  (0xd4000003U | (imm) << 5)
#define BRK(imm)  (0xd4200000U | (imm) << 5)
#define NOP	  0xd503201fU
#define LDR_X1_X0 0xf9400001U
#define WROTE	  0x5a5a5a5a5a5a5a5aULL

enum { RAM_SIZE = 0x10000, VECTORS = 0x800, CODE = 0x4000, END = 0x100, TAKEN = 0x101 };

static const char *const names[SOFT_LIKE_COUNT] = {"kvm61-vhe", "kvm61-nvhe", "kvm612", "hvf"};

static void make(struct machine *m, const char *like)
{
	char options[64];

	snprintf(options, sizeof(options), "els=1,like=%s", like);
	machine_create(m, &(struct hv_vm_config){.options = options, .ipa_bits = 36, .els = 3}, RAM,
		       RAM_SIZE);
	for (unsigned i = 0; i < 0x800; i += 4)
		put(m, VECTORS + i, BRK(TAKEN));
	SET(m, VBAR_EL1, RAM + VECTORS);
	SET(m, CPACR_EL1, 3 << 20);
}

static enum hv_exit_kind run(struct machine *m)
{
	for (unsigned i = 0; i < 10; i++) {
		ops->run(m->cpu, &m->exit);
		if (m->exit.kind != HV_EXIT_KICK)
			break;
	}
	return m->exit.kind;
}

/* One word, then BRK. */
static enum hv_exit_kind run_word(struct machine *m, uint32_t word, unsigned el)
{
	put(m, CODE, word);
	put(m, CODE + 4, BRK(END));
	set(m, REG_X(1), WROTE);
	set(m, REG_PC, RAM + CODE);
	set(m, REG_PSTATE, el ? 0x3c5 : 0x3c0);
	return run(m);
}

static bool was_undefined(struct machine *m)
{
	return m->exit.kind == HV_EXIT_BRK && m->exit.brk.imm == TAKEN &&
	       GET(m, ESR_EL1) == arm_esr_undef() && GET(m, ELR_EL1) == RAM + CODE;
}

static bool went_on(struct machine *m)
{
	return m->exit.kind == HV_EXIT_BRK && m->exit.brk.imm == END;
}

/* ---- instructions ---- */

enum { UNDEF = 1, EXIT, RUNS, READS };

struct answer {
	uint8_t what;
	uint64_t value; /* READS: X1 */
};

#define U                                                                                          \
	{                                                                                          \
		UNDEF, 0                                                                           \
	}
#define X                                                                                          \
	{                                                                                          \
		EXIT, 0                                                                            \
	}
#define G                                                                                          \
	{                                                                                          \
		RUNS, 0                                                                            \
	}
#define R(v)                                                                                       \
	{                                                                                          \
		READS, v                                                                           \
	}

static const struct probe {
	const char *what;
	uint32_t word;
	struct answer answer[SOFT_LIKE_COUNT];
} probes[] = {
	{"ICC_IAR1_EL1", MRS(3, 0, 12, 12, 0), {R(0x3ff), R(0x3ff), U, X}},
	{"ICC_IAR0_EL1", MRS(3, 0, 12, 8, 0), {R(0x3ff), R(0x3ff), U, X}},
	{"ICC_HPPIR1_EL1", MRS(3, 0, 12, 12, 2), {R(0x3ff), R(0x3ff), U, X}},
	{"ICC_BPR0_EL1", MRS(3, 0, 12, 8, 3), {R(2), R(2), U, X}},
	{"ICC_CTLR_EL1", MRS(3, 0, 12, 12, 4), {R(0x8c00), R(0x8c00), U, X}},
	{"ICC_AP1R0_EL1", MRS(3, 0, 12, 9, 0), {R(0), R(0), U, X}},
	{"ICC_AP1R3_EL1", MRS(3, 0, 12, 9, 3), {U, U, U, X}},
	{"ICC_RPR_EL1", MRS(3, 0, 12, 11, 3), {R(0xff), R(0xff), U, X}},
	{"ICC_EOIR1_EL1", MSR(3, 0, 12, 12, 1), {G, G, U, X}},
	{"ICC_EOIR1_EL1 read", MRS(3, 0, 12, 12, 1), {U, U, U, X}},
	{"ICC_PMR_EL1 written", MSR(3, 0, 4, 6, 0), {G, G, U, X}},
	{"ICC_PMR_EL1", MRS(3, 0, 4, 6, 0), {R(WROTE), R(WROTE), U, X}},
	{"ICC_SGI1R_EL1", MSR(3, 0, 12, 11, 5), {U, U, U, X}},
	{"ICC_SRE_EL1", MRS(3, 0, 12, 12, 5), {R(7), R(7), R(7), X}},
	{"ICC_SRE_EL1 written", MSR(3, 0, 12, 12, 5), {G, G, G, X}},
	{"ICC_SRE_EL2", MRS(3, 4, 12, 9, 5), {U, U, U, U}},
	{"PMCR_EL0", MRS(3, 3, 9, 12, 0), {U, U, U, X}},
	{"PMCCNTR_EL0", MRS(3, 3, 9, 13, 0), {U, U, U, X}},
	{"PMEVCNTR0_EL0", MRS(3, 3, 14, 8, 0), {U, U, U, X}},
	{"PMCCFILTR_EL0", MSR(3, 3, 14, 15, 7), {U, U, U, X}},
	{"PMINTENSET_EL1", MSR(3, 0, 9, 14, 1), {U, U, U, X}},
	{"OSLAR_EL1", MSR(2, 0, 1, 0, 4), {G, G, G, G}},
	{"OSLSR_EL1", MRS(2, 0, 1, 1, 4), {R(8), R(8), R(8), R(0)}},
	{"OSDLR_EL1", MSR(2, 0, 1, 3, 4), {G, G, G, G}},
	{"OSDLR_EL1 read", MRS(2, 0, 1, 3, 4), {R(0), R(0), R(0), R(0)}},
	{"MDRAR_EL1", MRS(2, 0, 1, 0, 0), {R(0), R(0), R(0), R(0)}},
	{"MDCCSR_EL0", MRS(2, 3, 0, 1, 0), {R(0), R(0), R(0), R(0)}},
	{"DBGCLAIMSET_EL1", MRS(2, 0, 7, 8, 6), {R(0), R(0), R(0), G}},
	{"MDSCR_EL1", MRS(2, 0, 0, 2, 2), {R(0), R(0), R(0), R(0)}},
	{"ACTLR_EL1 written", MSR(3, 0, 1, 0, 1), {G, G, G, G}},
	{"S3_0_C15_C2_0", MRS(3, 0, 15, 2, 0), {U, U, U, X}},
	{"S3_1_C11_C0_1", MSR(3, 1, 11, 0, 1), {U, U, U, X}},
	{"S3_7_C15_C15_7", MRS(3, 7, 15, 15, 7), {U, U, U, X}},
	{"S1_0_C15_C2_0", MSR(1, 0, 15, 2, 0), {U, U, U, U}},
	{"SCTLR_EL2", MRS(3, 4, 1, 0, 0), {U, U, U, U}},
	{"SCTLR_EL12", MRS(3, 5, 1, 0, 0), {U, U, U, U}},
	{"SCR_EL3", MSR(3, 6, 1, 1, 0), {U, U, U, U}},
	{"CNTPS_CTL_EL1", MRS(3, 7, 14, 2, 1), {U, U, U, U}},
	{"DBGVCR32_EL2", MRS(2, 4, 0, 7, 0), {U, U, U, U}},
	{"TLBI ALLE1", MSR(1, 4, 8, 7, 4), {U, U, U, U}},
	{"TLBI ALLE3", MSR(1, 6, 8, 7, 0), {U, U, U, U}},
	{"AT S12E1R", MSR(1, 4, 7, 8, 4), {U, U, U, U}},
	{"TLBI VMALLE1", MSR(1, 0, 8, 7, 0), {G, G, G, G}},
	{"SYSL in the place of DC CISW", MRS(1, 0, 7, 14, 2), {U, U, U, U}},
	{"DC CISW", MSR(1, 0, 7, 14, 2), {G, G, G, G}},
	{"CurrentEL", MRS(3, 0, 4, 2, 2), {R(4), R(4), R(4), R(4)}},
	{"CNTP_CTL_EL0", MRS(3, 3, 14, 2, 1), {R(0), R(0), R(0), R(0)}},
	{"CNTPCT_EL0", MRS(3, 3, 14, 0, 1), {G, G, G, G}},
	{"CNTFRQ_EL0 written", MSR(3, 3, 14, 0, 0), {U, U, U, U}},
	{"CNTFRQ_EL0", MRS(3, 3, 14, 0, 0), {R(62500000), R(62500000), R(62500000), R(62500000)}},
	{"RVBAR_EL1", MRS(3, 0, 12, 0, 1), {U, U, U, U}},
	{"RMR_EL1", MSR(3, 0, 12, 0, 2), {U, U, U, U}},
	{"S3_0_C0_C7_7", MRS(3, 0, 0, 7, 7), {R(0), R(0), R(0), R(0)}},
};
#undef U
#undef X
#undef G
#undef R

static void check(struct machine *m, unsigned like, const struct probe *p)
{
	const struct answer *a = &p->answer[like];
	bool good = false;

	run_word(m, p->word, 1);
	switch (a->what) {
	case UNDEF:
		good = was_undefined(m);
		break;
	case EXIT:
		good = m->exit.kind == HV_EXIT_INTERCEPT && m->exit.intercept.word == p->word &&
		       get(m, REG_PC) == RAM + CODE;
		break;
	case READS:
		good = went_on(m) && get(m, REG_X(1)) == a->value;
		break;
	default:
		good = went_on(m);
	}
	if (!good)
		fail_msg("%s, %s: exit %d, PC 0x%llx, ESR 0x%llx, X1 0x%llx", names[like], p->what,
			 m->exit.kind, (unsigned long long)get(m, REG_PC),
			 (unsigned long long)GET(m, ESR_EL1), (unsigned long long)get(m, REG_X(1)));
}

static void test_instructions(void **state)
{
	for (unsigned l = 0; l < SOFT_LIKE_COUNT; l++) {
		struct machine m;

		make(&m, names[l]);
		for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++)
			check(&m, l, &probes[i]);
		machine_destroy(&m);
	}
}

/* What the table says of words at random places of the system space; at EL0 nothing of EL1 gets through. */
static void test_every_row(void **state)
{
	unsigned count;
	const struct soft_like_row *rows = soft_like_rows(&count);

	for (unsigned l = 0; l < SOFT_LIKE_COUNT; l++) {
		struct machine m;

		make(&m, names[l]);
		for (unsigned i = 0; i < count; i++) {
			uint32_t word = rows[i].value | 1;
			bool call = rows[i].value >> 24 == 0xd4;
			bool el1 = call || (word >> 16 & 7) != 3;

			if (soft_like_match(call ? rows[i].value : word) != &rows[i])
				continue; /* a row before it has this one */
			assert_int_equal(rows[i].value & ~rows[i].mask, 0);
			assert_true(strlen(rows[i].reason) > 0);
			run_word(&m, call ? rows[i].value : word, 0);
			assert_int_equal(m.exit.kind, HV_EXIT_BRK);
			if (el1 && !was_undefined(&m))
				fail_msg("%s: %s at EL0", names[l], rows[i].name);
			run_word(&m, call ? rows[i].value : word, 1);
			if (rows[i].does[l] == LIKE_UNDEF && !was_undefined(&m))
				fail_msg("%s: %s", names[l], rows[i].name);
		}
		machine_destroy(&m);
	}
}

static void test_actlr(void **state)
{
	struct machine m;

	make(&m, "kvm612");
	SET(&m, ACTLR_EL1, 0x12);
	run_word(&m, MSR(3, 0, 1, 0, 1), 1);
	assert_int_equal(GET(&m, ACTLR_EL1), 0x12);
	run_word(&m, MRS(3, 0, 1, 0, 1), 1);
	assert_int_equal(get(&m, REG_X(1)), 0x12);
	machine_destroy(&m);
}

/* ---- calls ---- */

enum { HANDLED = 1, SENT };

static const struct call {
	uint32_t word;
	uint64_t function;
	uint8_t what[SOFT_LIKE_COUNT];
	uint64_t result; /* HANDLED: X0 */
} calls[] = {
	{HVC(0), 0x84000000, {HANDLED, HANDLED, SENT, SENT}, ~0ULL},
	{HVC(7), 0x84000008, {HANDLED, HANDLED, SENT, SENT}, ~0ULL},
	{HVC(0), 0x80000000, {HANDLED, HANDLED, HANDLED, SENT}, 0x10001},
	{HVC(0), 0xc000ffff, {HANDLED, HANDLED, HANDLED, SENT}, ~0ULL},
	{HVC(0), 0x80010000, {HANDLED, HANDLED, SENT, SENT}, ~0ULL},
	{HVC(0), 0xc1000001, {HANDLED, HANDLED, SENT, HANDLED}, ~0ULL},
	{HVC(1), 0xc1000001, {HANDLED, HANDLED, SENT, SENT}, ~0ULL},
	{SMC(0), 0x84000000, {HANDLED, HANDLED, SENT, SENT}, ~0ULL},
	{SMC(1), 0x84000000, {HANDLED, HANDLED, HANDLED, SENT}, ~0ULL},
	{SMC(0), 0x80000001, {HANDLED, HANDLED, HANDLED, SENT}, ~0ULL},
};

static void check_call(struct machine *m, unsigned like, const struct call *c)
{
	bool smc = (c->word & 3) == 3;

	set(m, REG_X(0), c->function);
	run_word(m, c->word, 1);
	if (c->what[like] == HANDLED) {
		assert_true(went_on(m));
		assert_int_equal(get(m, REG_X(0)), c->result);
		return;
	}
	if (m->exit.kind != (smc ? HV_EXIT_SMC : HV_EXIT_HVC))
		fail_msg("%s: 0x%08x, X0 0x%llx: exit %d", names[like], c->word,
			 (unsigned long long)c->function, m->exit.kind);
	assert_int_equal(get(m, REG_PC), RAM + CODE + 4);
	assert_int_equal(get(m, REG_X(0)), c->function);
}

static void test_calls(void **state)
{
	for (unsigned l = 0; l < SOFT_LIKE_COUNT; l++) {
		struct machine m;

		make(&m, names[l]);
		for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
			check_call(&m, l, &calls[i]);
		machine_destroy(&m);
	}
}

/* ---- debug events ---- */

static void test_debug_events(void **state)
{
	for (unsigned l = 0; l < SOFT_LIKE_COUNT; l++) {
		struct machine m;

		make(&m, names[l]);
		SET(&m, OSLAR_EL1, 1); /* the guest's, not the hardware's */
		SET(&m, MDSCR_EL1, 1 << 15);
		SET(&m, DBGBVR0_EL1, RAM + CODE);
		SET(&m, DBGBCR0_EL1, 1 << 1 | 0xf << 5 | 1);
		assert_int_equal(run_word(&m, NOP, 1), HV_EXIT_HWBP); /* masked by PSTATE.D */
		assert_int_equal(get(&m, REG_PC), RAM + CODE);
		SET(&m, DBGBCR0_EL1, 0);
		SET(&m, DBGWVR0_EL1, RAM + 0x3000);
		SET(&m, DBGWCR0_EL1, 1 << 1 | 1 << 3 | 0xff << 5 | 1);
		set(&m, REG_X(0), RAM + 0x3000);
		assert_int_equal(run_word(&m, LDR_X1_X0, 1), HV_EXIT_WATCH);
		assert_int_equal(m.exit.watch.far, RAM + 0x3000);
		assert_false(m.exit.watch.is_write);
		assert_int_equal(get(&m, REG_PC), RAM + CODE);
		assert_int_equal(get(&m, REG_X(1)), WROTE);
		machine_destroy(&m);
	}
}

static void test_guests_step(void **state)
{
	for (unsigned l = 0; l < SOFT_LIKE_COUNT; l++) {
		struct machine m;
		bool hvf = l == SOFT_LIKE_HVF;

		make(&m, names[l]);
		SET(&m, MDSCR_EL1, 1);
		assert_int_equal(run_word(&m, NOP, 1), hvf ? HV_EXIT_STEP : HV_EXIT_BRK);
		assert_int_equal(get(&m, REG_PC), RAM + CODE + (hvf ? 0 : 4));
		assert_int_equal(GET(&m, MDSCR_EL1), 1);
		machine_destroy(&m);
	}
}

/* Nobody asks for debug exceptions: they are the guest's own again, with its OS lock. */
static void test_without_debugging(void **state)
{
	struct machine m;

	make(&m, "kvm612");
	assert_int_equal(ops->debug(m.cpu, 0), 0);
	SET(&m, MDSCR_EL1, 1 << 15 | 1 << 13);
	SET(&m, OSLAR_EL1, 1);
	SET(&m, DBGBVR0_EL1, RAM + CODE);
	SET(&m, DBGBCR0_EL1, 1 << 1 | 0xf << 5 | 1);
	put(&m, VECTORS + 0x200, HVC(5));
	put(&m, CODE, HVC(1));
	for (unsigned locked = 1; locked <= 1; locked--) {
		SET(&m, OSLAR_EL1, locked);
		set(&m, REG_PC, RAM + CODE);
		set(&m, REG_PSTATE, 0x1c5);
		assert_int_equal(run(&m), HV_EXIT_HVC);
		assert_int_equal(get(&m, REG_PC), RAM + 4 + (locked ? CODE : VECTORS + 0x200));
	}
	machine_destroy(&m);
}

/* ---- timers ---- */

static void test_timer_falls(void **state)
{
	for (unsigned l = 0; l < SOFT_LIKE_COUNT; l++) {
		struct machine m;

		make(&m, names[l]);
		SET(&m, CNTV_CVAL_EL0, 0);
		SET(&m, CNTV_CTL_EL0, 1);
		put(&m, CODE, NOP);
		put(&m, CODE + 4, BRK(END));
		set(&m, REG_PC, RAM + CODE);
		ops->run(m.cpu, &m.exit);
		assert_int_equal(m.exit.kind, HV_EXIT_KICK);
		assert_int_equal(ops->timer_levels(m.cpu), 1 << HV_TIMER_VIRT);
		SET(&m, CNTV_CTL_EL0, 0);
		ops->run(m.cpu, &m.exit);
		assert_int_equal(m.exit.kind, l == SOFT_LIKE_HVF ? HV_EXIT_BRK : HV_EXIT_KICK);
		assert_int_equal(ops->timer_levels(m.cpu), 0);
		machine_destroy(&m);
	}
}

/* ---- options ---- */

static void test_capabilities(void **state)
{
	for (unsigned l = 0; l < SOFT_LIKE_COUNT; l++) {
		char options[64];
		struct hv_caps caps;
		struct err e = ERR_INIT;

		snprintf(options, sizeof(options), "like=%s,els=1", names[l]);
		assert_int_equal(ops->probe(options, &caps, &e), 0);
		assert_int_equal(caps.native_els, 3);
		assert_false(caps.translate_intercept);
		assert_int_equal(caps.undef_icc, l == SOFT_LIKE_KVM612);
		assert_int_equal(caps.sysreg_traps, l == SOFT_LIKE_HVF);
		assert_int_equal(caps.stage2_exec, l == SOFT_LIKE_HVF);
		assert_int_equal(caps.views, l != SOFT_LIKE_HVF);
		assert_int_equal(caps.smccc_exits, l >= SOFT_LIKE_KVM612);
		assert_int_equal(caps.page_size, l == SOFT_LIKE_HVF ? 16384 : 4096);
		assert_non_null(strstr(caps.host, soft_like_find(names[l])->doc));
		assert_non_null(strstr(soft_like_names, names[l]));
	}
}

static void test_id_registers(void **state)
{
	for (unsigned l = 0; l < SOFT_LIKE_COUNT; l++) {
		struct machine m;

		make(&m, names[l]);
		assert_int_equal(GET(&m, ID_AA64PFR0_EL1) >> 24 & 15, 0);
		assert_int_equal(GET(&m, ID_AA64DFR0_EL1) >> 8 & 15, 0);
		assert_int_equal(GET(&m, ID_AA64PFR0_EL1) >> 8 & 0xff, l != SOFT_LIKE_HVF);
		machine_destroy(&m);
	}
}

static void refused(const char *options, const char *text, const char *hint)
{
	struct hv_caps caps;
	struct err e = ERR_INIT;

	assert_int_equal(ops->probe(options, &caps, &e), -EINVAL);
	assert_int_equal(e.count, 1);
	assert_non_null(strstr(e.items[0].text, text));
	if (hint)
		assert_non_null(strstr(e.items[0].hint, hint));
	err_free(&e);
}

static void test_bad_options(void **state)
{
	struct hv_caps caps;
	struct err e = ERR_INIT;

	refused("els=1,like=xen", "\"xen\"", soft_like_names);
	refused("els=1,like=", "\"\"", soft_like_names);
	refused("like=hvf", "needs els=1", NULL);
	refused("els=2", "\"els=2\"", soft_like_names);
	refused("els=1,", "\"\"", soft_like_names);
	assert_int_equal(ops->probe("els=1", &caps, &e), 0);
	assert_non_null(strstr(caps.host, soft_like_find(soft_like_default)->doc));
	assert_int_equal(ops->probe(NULL, &caps, &e), 0);
	assert_int_equal(caps.native_els, 0xf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_instructions),
		cmocka_unit_test(test_every_row),
		cmocka_unit_test(test_actlr),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_debug_events),
		cmocka_unit_test(test_guests_step),
		cmocka_unit_test(test_without_debugging),
		cmocka_unit_test(test_timer_falls),
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_id_registers),
		cmocka_unit_test(test_bad_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Routing, against the tables of the Arm ARM (DDI 0487), D1.3.6, and the pseudocode that arm/route.h names. */
#include "arm/route.h"

#include "arm/exc.h"
#include "util/bits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define B(name) (1ULL << ARM_##name)
#define NS	B(SCR_NS)
#define TGE	B(HCR_TGE)
#define HOST	(B(HCR_TGE) | B(HCR_E2H))
#define ALL	0xf
#define NO_EL2	0xb
#define NO_EL3	7
#define EL1_EL0 3

static void test_state(void **state)
{
	static const struct {
		struct arm_route r;
		bool secure, el2, host0, host2;
	} cases[] = {
		{{ALL, 1, 0, HOST}, true, false, false, false},
		{{ALL, 1, NS, HOST}, false, true, true, true},
		{{ALL, 1, NS, TGE}, false, true, false, false},
		{{ALL, 1, NS, B(HCR_E2H)}, false, true, false, true},
		{{ALL, 3, NS, 0}, true, true, false, false},
		{{NO_EL3, 1, 0, HOST}, false, true, true, true},
		{{EL1_EL0, 1, 0, HOST}, false, false, false, false},
		{{NO_EL2, 1, NS, HOST}, false, false, false, false},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		const struct arm_route *r = &cases[i].r;

		assert_int_equal(arm_is_secure(r), cases[i].secure);
		assert_int_equal(arm_el2_enabled(r), cases[i].el2);
		assert_int_equal(arm_effective_hcr(r), cases[i].el2 ? r->hcr_el2 : 0);
		assert_int_equal(arm_el_is_in_host(r, 0), cases[i].host0);
		assert_int_equal(arm_el_is_in_host(r, 2), cases[i].host2);
		assert_false(arm_el_is_in_host(r, 1));
	}
}

static void test_sync(void **state)
{
	static const struct {
		struct arm_route r;
		uint8_t sync, external, stage2;
	} cases[] = {
		{{EL1_EL0, 0, 0, 0}, 1, 1, 2},
		{{ALL, 0, NS, 0}, 1, 1, 2},
		{{ALL, 0, NS, TGE}, 2, 2, 2},
		{{ALL, 0, 0, TGE}, 1, 1, 2},
		{{ALL, 1, NS, B(HCR_TEA)}, 1, 2, 2},
		{{ALL, 1, 0, B(HCR_TEA)}, 1, 1, 2},
		{{ALL, 1, NS | B(SCR_EA), B(HCR_TEA)}, 1, 3, 3},
		{{ALL, 2, NS, TGE}, 2, 2, 2},
		{{ALL, 3, NS, TGE}, 3, 3, 3},
		{{NO_EL3, 0, B(SCR_EA), 0}, 1, 1, 2},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		assert_int_equal(arm_route_sync(&cases[i].r), cases[i].sync);
		assert_int_equal(arm_route_external_abort(&cases[i].r, false), cases[i].external);
		assert_int_equal(arm_route_external_abort(&cases[i].r, true), cases[i].stage2);
	}
}

/* Per row of the table: from EL0 to EL3, where an interrupt goes that PSTATE does not mask, and one that it masks.
 * SCR is that of IRQ here; FIQ and SError are the same with their own bits. */
static const struct {
	uint8_t els;
	uint64_t scr, hcr; /* ARM_SCR_IRQ and ARM_HCR_IMO stand for those of the kind */
	uint8_t open[4], masked[4];
} physical[] = {
	{EL1_EL0, 0, 0, {1, 1}, {0, 0}},
	{NO_EL3, 0, 0, {1, 1, 0}, {0, 0, 0}},
	{NO_EL3, 0, B(HCR_IMO), {2, 2, 2}, {2, 2, 0}},
	{NO_EL3, 0, TGE, {2, 2, 2}, {2, 2, 0}},
	{NO_EL3, 0, HOST, {2, 2, 2}, {0, 0, 0}},
	{NO_EL3, 0, B(HCR_E2H), {1, 1, 0}, {0, 0, 0}},
	{NO_EL3, 0, B(HCR_E2H) | B(HCR_IMO), {2, 2, 2}, {2, 2, 0}},
	/* Secure: nothing is EL2's. */
	{ALL, 0, B(HCR_IMO), {1, 1, 0, 0}, {0, 0, 0, 0}},
	{ALL, B(SCR_IRQ), 0, {3, 3, 3, 3}, {3, 3, 3, 0}},
	{ALL, NS, 0, {1, 1, 0, 0}, {0, 0, 0, 0}},
	{ALL, NS, B(HCR_IMO), {2, 2, 2, 0}, {2, 2, 0, 0}},
	{ALL, NS | B(SCR_IRQ), B(HCR_IMO), {3, 3, 3, 3}, {3, 3, 3, 0}},
	{NO_EL2, NS, B(HCR_IMO), {1, 1, 0, 0}, {0, 0, 0, 0}},
};

static void check_physical(enum arm_interrupt i, unsigned scr_bit, unsigned hcr_bit, uint64_t mask)
{
	for (size_t n = 0; n < ARRAY_COUNT(physical); n++) {
		struct arm_route r = {.els = physical[n].els, .hcr_el2 = physical[n].hcr};

		r.scr_el3 = physical[n].scr & NS;
		if (physical[n].scr & B(SCR_IRQ))
			r.scr_el3 |= 1ULL << scr_bit;
		if (r.hcr_el2 & B(HCR_IMO))
			r.hcr_el2 = (r.hcr_el2 & ~B(HCR_IMO)) | 1ULL << hcr_bit;
		for (r.el = 0; r.el < 4; r.el++) {
			if (!arm_have_el(&r, r.el))
				continue;
			assert_int_equal(arm_route_physical(&r, i, ARM_PSTATE_DAIF & ~mask),
					 physical[n].open[r.el]);
			assert_int_equal(arm_route_physical(&r, i, mask), physical[n].masked[r.el]);
		}
	}
}

static void test_physical(void **state)
{
	check_physical(ARM_IRQ, ARM_SCR_IRQ, ARM_HCR_IMO, ARM_PSTATE_I);
	check_physical(ARM_FIQ, ARM_SCR_FIQ, ARM_HCR_FMO, ARM_PSTATE_F);
	check_physical(ARM_SERROR, ARM_SCR_EA, ARM_HCR_AMO, ARM_PSTATE_A);
}

static void test_virtual(void **state)
{
	struct arm_route r = {ALL, 1, NS, B(HCR_IMO)};

	assert_int_equal(arm_route_virtual(&r, ARM_IRQ, 0), 1);
	assert_int_equal(arm_route_virtual(&r, ARM_IRQ, ARM_PSTATE_I), 0);
	assert_int_equal(arm_route_virtual(&r, ARM_IRQ, ARM_PSTATE_F), 1);
	assert_int_equal(arm_route_virtual(&r, ARM_FIQ, 0), 0);
	r.el = 0;
	assert_int_equal(arm_route_virtual(&r, ARM_IRQ, 0), 1);
	r.el = 2;
	assert_int_equal(arm_route_virtual(&r, ARM_IRQ, 0), 0);
	r = (struct arm_route){ALL, 1, 0, B(HCR_IMO)};
	assert_int_equal(arm_route_virtual(&r, ARM_IRQ, 0), 0);
	r = (struct arm_route){ALL, 0, NS, B(HCR_IMO) | TGE};
	assert_int_equal(arm_route_virtual(&r, ARM_IRQ, 0), 0);
	r = (struct arm_route){NO_EL3, 0, 0, B(HCR_FMO) | B(HCR_AMO)};
	assert_int_equal(arm_route_virtual(&r, ARM_FIQ, ARM_PSTATE_I), 1);
	assert_int_equal(arm_route_virtual(&r, ARM_SERROR, ARM_PSTATE_A), 0);
}

static void test_return(void **state)
{
	static const struct {
		struct arm_route r;
		uint64_t spsr;
		bool illegal;
	} cases[] = {
		{{EL1_EL0, 1, 0, 0}, 0, false},	  {{EL1_EL0, 1, 0, 0}, 4, false},
		{{EL1_EL0, 1, 0, 0}, 5, false},	  {{EL1_EL0, 1, 0, 0}, 1, true}, /* EL0h */
		{{EL1_EL0, 1, 0, 0}, 6, true},					 /* M[1] */
		{{EL1_EL0, 1, 0, 0}, 9, true},					 /* above */
		{{EL1_EL0, 1, 0, 0}, 0x10, true},				 /* AArch32 */
		{{NO_EL3, 2, 0, 0}, 9, false},	  {{NO_EL3, 2, 0, 0}, 0xd, true},
		{{NO_EL3, 2, 0, TGE}, 5, true},	  {{NO_EL3, 2, 0, TGE}, 0, false},
		{{NO_EL3, 2, 0, HOST}, 0, false}, {{ALL, 3, NS, 0}, 9, false},
		{{ALL, 3, 0, 0}, 9, true}, /* no Secure EL2 */
		{{ALL, 3, 0, TGE}, 5, false},	  {{ALL, 3, NS, TGE}, 5, true},
		{{NO_EL2, 3, NS, 0}, 9, true},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		assert_int_equal(arm_illegal_return(&cases[i].r, cases[i].spsr), cases[i].illegal);
}

static void expect(struct arm_trap t, enum arm_trap_kind kind, unsigned el)
{
	assert_int_equal(t.kind, kind);
	assert_int_equal(t.el, el);
}

static struct arm_trap hvc(uint8_t els, uint8_t el, uint64_t scr, uint64_t hcr)
{
	return arm_trap_hvc(&(struct arm_route){els, el, scr, hcr});
}

static struct arm_trap smc(uint8_t els, uint8_t el, uint64_t scr, uint64_t hcr)
{
	return arm_trap_smc(&(struct arm_route){els, el, scr, hcr});
}

static void test_calls(void **state)
{
	const uint64_t hce = B(SCR_HCE), smd = B(SCR_SMD), tsc = B(HCR_TSC);

	expect(hvc(ALL, 0, NS | hce, 0), ARM_TRAP_UNDEF, 0);
	expect(hvc(ALL, 1, NS | hce, 0), ARM_TRAP_NONE, 2);
	expect(hvc(ALL, 1, NS, 0), ARM_TRAP_UNDEF, 0);
	expect(hvc(ALL, 1, hce, 0), ARM_TRAP_UNDEF, 0); /* Secure EL1 */
	expect(hvc(ALL, 3, hce, 0), ARM_TRAP_NONE, 3);
	expect(hvc(NO_EL3, 1, 0, 0), ARM_TRAP_NONE, 2);
	expect(hvc(NO_EL3, 1, 0, B(HCR_HCD)), ARM_TRAP_UNDEF, 0);
	expect(hvc(ALL, 1, NS | hce, B(HCR_HCD)), ARM_TRAP_NONE, 2);
	expect(hvc(NO_EL2, 1, NS | hce, 0), ARM_TRAP_UNDEF, 0);

	expect(smc(ALL, 0, NS, 0), ARM_TRAP_UNDEF, 0);
	expect(smc(ALL, 1, NS, 0), ARM_TRAP_NONE, 3);
	expect(smc(ALL, 1, NS | smd, 0), ARM_TRAP_UNDEF, 0);
	expect(smc(ALL, 1, NS | smd, tsc), ARM_TRAP_TO, 2);
	expect(smc(ALL, 1, 0, tsc), ARM_TRAP_NONE, 3);
	expect(smc(ALL, 2, NS, tsc), ARM_TRAP_NONE, 3);
	expect(smc(NO_EL3, 1, 0, tsc), ARM_TRAP_TO, 2);
	expect(smc(NO_EL3, 1, 0, 0), ARM_TRAP_NONE, 0);
}

enum { NTWI = 1 << 16, NTWE = 1 << 18, DZE = 1 << 14, UCI = 1 << 26 };

static struct arm_trap wfi(uint8_t els, uint8_t el, uint64_t scr, uint64_t hcr, uint64_t sctlr)
{
	return arm_trap_wfx(&(struct arm_route){els, el, scr, hcr}, sctlr, false);
}

static void test_wfx(void **state)
{
	struct arm_route r = {ALL, 1, NS, B(HCR_TWE)};

	expect(wfi(ALL, 0, NS, 0, NTWE), ARM_TRAP_TO, 1);
	expect(wfi(ALL, 0, NS, TGE, NTWE), ARM_TRAP_TO, 2);
	expect(wfi(ALL, 0, NS, 0, NTWI), ARM_TRAP_NONE, 0);
	expect(wfi(ALL, 1, NS, 0, 0), ARM_TRAP_NONE, 0);
	expect(wfi(ALL, 1, NS, B(HCR_TWI), NTWI), ARM_TRAP_TO, 2);
	expect(wfi(ALL, 0, NS, B(HCR_TWI), NTWI), ARM_TRAP_TO, 2);
	expect(wfi(ALL, 0, NS, B(HCR_TWI) | HOST, NTWI), ARM_TRAP_NONE, 0);
	expect(wfi(ALL, 1, 0, B(HCR_TWI), NTWI), ARM_TRAP_NONE, 0);
	expect(wfi(ALL, 2, NS, B(HCR_TWI), 0), ARM_TRAP_NONE, 0);
	expect(wfi(ALL, 2, NS | B(SCR_TWI), 0, 0), ARM_TRAP_TO, 3);
	expect(wfi(ALL, 3, NS | B(SCR_TWI), 0, 0), ARM_TRAP_NONE, 0);
	expect(arm_trap_wfx(&r, NTWE, true), ARM_TRAP_TO, 2);
	expect(arm_trap_wfx(&r, NTWE, false), ARM_TRAP_NONE, 0);
}

static struct arm_trap fp(uint8_t els, uint8_t el, uint64_t hcr, unsigned fpen, uint64_t cptr2,
			  uint64_t cptr3)
{
	return arm_trap_fp(&(struct arm_route){els, el, NS, hcr}, (uint64_t)fpen << 20, cptr2,
			   cptr3);
}

static void test_fp(void **state)
{
	const uint64_t tfp = 1 << 10, e2h = B(HCR_E2H), open = 3 << 20;

	expect(fp(EL1_EL0, 1, 0, 0, 0, 0), ARM_TRAP_TO, 1);
	expect(fp(EL1_EL0, 1, 0, 1, 0, 0), ARM_TRAP_NONE, 0);
	expect(fp(EL1_EL0, 0, 0, 1, 0, 0), ARM_TRAP_TO, 1);
	expect(fp(EL1_EL0, 1, 0, 2, 0, 0), ARM_TRAP_TO, 1);
	expect(fp(EL1_EL0, 0, 0, 3, tfp, tfp), ARM_TRAP_NONE, 0);
	expect(fp(ALL, 0, TGE, 0, 0, 0), ARM_TRAP_UNDEF, 2);
	expect(fp(ALL, 1, 0, 3, tfp, 0), ARM_TRAP_TO, 2);
	expect(fp(ALL, 2, 0, 0, tfp, 0), ARM_TRAP_TO, 2);
	expect(fp(ALL, 2, 0, 0, 0, 0), ARM_TRAP_NONE, 0);
	expect(fp(ALL, 2, e2h, 0, tfp, 0), ARM_TRAP_TO, 2); /* FPEN of CPTR_EL2 is 0 */
	expect(fp(ALL, 2, e2h, 0, open, 0), ARM_TRAP_NONE, 0);
	expect(fp(ALL, 0, HOST, 0, open, 0), ARM_TRAP_NONE, 0);
	expect(fp(ALL, 0, HOST, 3, 1 << 20, 0), ARM_TRAP_TO, 2);
	expect(fp(ALL, 0, e2h, 3, 1 << 20, 0), ARM_TRAP_NONE, 0);
	expect(fp(ALL, 2, 0, 3, 0, tfp), ARM_TRAP_TO, 3);
	expect(fp(ALL, 3, 0, 0, tfp, tfp), ARM_TRAP_TO, 3);
}

static struct arm_trap op(uint8_t el, uint64_t hcr, enum arm_maintenance kind, bool el0,
			  uint64_t sctlr)
{
	return arm_trap_maintenance(&(struct arm_route){ALL, el, NS, hcr}, kind, el0, sctlr);
}

static void test_maintenance(void **state)
{
	expect(op(0, 0, ARM_OP_SET_WAY, false, UCI), ARM_TRAP_UNDEF, 0);
	expect(op(0, 0, ARM_OP_POINT_COHERENCY, true, 0), ARM_TRAP_TO, 1);
	expect(op(0, TGE, ARM_OP_POINT_COHERENCY, true, 0), ARM_TRAP_TO, 2);
	expect(op(0, 0, ARM_OP_POINT_COHERENCY, true, UCI), ARM_TRAP_NONE, 0);
	expect(op(0, 0, ARM_OP_ZERO, true, UCI), ARM_TRAP_TO, 1);
	expect(op(0, 0, ARM_OP_ZERO, true, DZE), ARM_TRAP_NONE, 0);
	expect(op(0, B(HCR_TDZ), ARM_OP_ZERO, true, DZE), ARM_TRAP_TO, 2);
	expect(op(0, B(HCR_TDZ) | HOST, ARM_OP_ZERO, true, DZE), ARM_TRAP_NONE, 0);
	expect(op(1, B(HCR_TPCP), ARM_OP_POINT_COHERENCY, true, 0), ARM_TRAP_TO, 2);
	expect(op(1, B(HCR_TPU), ARM_OP_POINT_UNIFICATION, true, 0), ARM_TRAP_TO, 2);
	expect(op(1, B(HCR_TPU), ARM_OP_POINT_COHERENCY, true, 0), ARM_TRAP_NONE, 0);
	expect(op(1, B(HCR_TSW), ARM_OP_SET_WAY, false, 0), ARM_TRAP_TO, 2);
	expect(op(1, B(HCR_TTLB), ARM_OP_TLB, false, 0), ARM_TRAP_TO, 2);
	expect(op(1, ~0ULL & ~HOST, ARM_OP_OTHER, false, 0), ARM_TRAP_NONE, 0);
	expect(op(2, B(HCR_TTLB), ARM_OP_TLB, false, 0), ARM_TRAP_NONE, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_state),	    cmocka_unit_test(test_sync),
		cmocka_unit_test(test_physical),    cmocka_unit_test(test_virtual),
		cmocka_unit_test(test_return),	    cmocka_unit_test(test_calls),
		cmocka_unit_test(test_wfx),	    cmocka_unit_test(test_fp),
		cmocka_unit_test(test_maintenance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

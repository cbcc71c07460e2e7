/* SPDX-License-Identifier: Apache-2.0 */
/* What src/reverse shows on hosts that have less than the board's core. */
#include "arm/model.h"
#include "arm/sysreg.h"
#include "hv/soft/soft.h"
#include "reverse/reverse.h"
#include "util/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct hv_ops *const ops = &hv_reverse_ops;

struct made {
	struct hv_vm *vm;
	struct hv_vcpu *cpu;
};

static void make(struct made *m, const char *host, const char *core)
{
	struct hv_vm_config cfg = {
		.ipa_bits = 40,
		.els = 0xf,
		.inner = &hv_soft_ops,
		.options = host,
		.model = core ? arm_model_find(core) : NULL,
	};
	struct err e = ERR_INIT;

	assert_int_equal(ops->vm_create(&cfg, &m->vm, &e), 0);
	assert_int_equal(ops->vcpu_create(m->vm, 0, &m->cpu, &e), 0);
}

static void drop(struct made *m)
{
	ops->vcpu_destroy(m->cpu);
	ops->vm_destroy(m->vm);
}

static uint64_t get(struct made *m, uint16_t code)
{
	uint64_t v = ~0ULL;

	assert_int_equal(ops->get_reg(m->cpu, REG_SYS(code), &v), 0);
	return v;
}

#define HOST(name) "els=1,like=kvm61-nvhe,core=" name

static void test_limits(void **state)
{
	static const struct {
		const char *host, *core;
		uint64_t pfr0, pfr1, isar0, isar1, mmfr0, mmfr1, mmfr2;
	} rows[] = {
		{HOST("cortex-a72"), "cortex-a76", 0x1111, 0, 0x11120, 0, 0x1122, 0x10000120, 0},
		{HOST("cortex-a72"), "cortex-a53", 0x1111, 0, 0x11120, 0, 0x1122, 0, 0},
		{HOST("cortex-a53"), "cortex-a72", 0x1111, 0, 0x11120, 0, 0x1122, 0, 0},
		/* EL2&0, VMIDs and stage 2 are soft's */
		{HOST("cortex-a72"), NULL, 0x1111, 0, 0x11120, 0, 0x1124, 0x10000120, 0},
		{HOST("cortex-a76"), "neoverse-n1", 0x1100000000111111, 0x10, 0x100010211120,
		 0x100001, 0x101122, 0x10202122, 0x11},
		{"els=1", "neoverse-n1", 0x1100000000111111, 0x20, 0x100010211120, 0x100001,
		 0x101125, 0x10202122, 0x11},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct made m;

		make(&m, rows[i].host, rows[i].core);
		assert_int_equal(get(&m, SYS_ID_AA64PFR0_EL1), rows[i].pfr0);
		assert_int_equal(get(&m, SYS_ID_AA64PFR1_EL1), rows[i].pfr1);
		assert_int_equal(get(&m, SYS_ID_AA64ISAR0_EL1), rows[i].isar0);
		assert_int_equal(get(&m, SYS_ID_AA64ISAR1_EL1), rows[i].isar1);
		assert_int_equal(get(&m, SYS_ID_AA64MMFR0_EL1), rows[i].mmfr0);
		assert_int_equal(get(&m, SYS_ID_AA64MMFR1_EL1), rows[i].mmfr1);
		assert_int_equal(get(&m, SYS_ID_AA64MMFR2_EL1), rows[i].mmfr2);
		drop(&m);
	}
}

/* Smallest lines, the host's instruction cache, and never DIC: code is executed from copies. */
static void test_ctr(void **state)
{
	struct made m;

	make(&m, "els=1", NULL);
	assert_int_equal(get(&m, SYS_CTR_EL0), 0x9444c004);
	drop(&m);
	make(&m, "els=1", "cortex-a53");
	assert_int_equal(get(&m, SYS_CTR_EL0), 0x84448004);
	assert_int_equal(get(&m, SYS_DCZID_EL0) & 15, 4);
	drop(&m);
	make(&m, HOST("cortex-a53"), "max");
	assert_int_equal(get(&m, SYS_CTR_EL0), 0x84448004);
	drop(&m);
}

static void test_host_refused(void **state)
{
	struct hv_vm_config cfg = {.ipa_bits = 40,
				   .els = 0xf,
				   .inner = &hv_soft_ops,
				   .options = "els=1,core=cortex-a1000"};
	struct err e = ERR_INIT;
	struct hv_vm *vm;

	assert_true(ops->vm_create(&cfg, &vm, &e) < 0);
	err_free(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_ctr),
		cmocka_unit_test(test_host_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

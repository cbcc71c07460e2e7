/* SPDX-License-Identifier: Apache-2.0 */
/* The scripted back end does what its users rely on. */
#include "hv/fake/fake.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct hv_exit brk_exit = {.kind = HV_EXIT_BRK, .brk = {0xc000}};
static const struct fake_reg pc = {REG_PC, 0x1000};

static void test_script(void **state)
{
	const struct hv_ops *hv = &hv_fake_ops;
	struct fake_call calls[4];
	struct hv_vcpu *c;
	struct hv_exit x;
	struct hv_vm *vm;
	uint64_t value;

	assert_int_equal(hv->vm_create(&(struct hv_vm_config){.ipa_bits = 40, .els = 3}, &vm, NULL),
			 0);
	fake_queue(vm, 0, &brk_exit, &pc, 1);
	assert_int_equal(hv->vcpu_create(vm, 0, &c, NULL), 0);
	hv->run(c, &x);
	assert_int_equal(x.kind, HV_EXIT_BRK);
	assert_int_equal(x.brk.imm, 0xc000);
	hv->get_reg(c, REG_PC, &value);
	assert_int_equal(value, 0x1000);
	hv->kick(c); /* before run(): not lost */
	hv->run(c, &x);
	assert_int_equal(x.kind, HV_EXIT_KICK);
	assert_int_equal(fake_calls(vm, 0, FAKE_RUN, calls, 4), 2);
	assert_int_equal(calls[0].a, HV_EXIT_BRK);
	assert_int_equal(calls[1].a, HV_EXIT_KICK);
	hv->vcpu_destroy(c);
	hv->vm_destroy(vm);
}

static void *run_once(void *opaque)
{
	struct hv_exit x;

	hv_fake_ops.run(opaque, &x);
	return (void *)(uintptr_t)x.kind;
}

static void test_blocks_until_kicked(void **state)
{
	const struct hv_ops *hv = &hv_fake_ops;
	struct hv_vcpu *c;
	struct hv_vm *vm;
	pthread_t thread;
	void *kind;

	hv->vm_create(&(struct hv_vm_config){.ipa_bits = 40, .els = 3}, &vm, NULL);
	hv->vcpu_create(vm, 3, &c, NULL);
	assert_int_equal(pthread_create(&thread, NULL, run_once, c), 0);
	assert_true(fake_wait_idle(vm, 3));
	hv->kick(c);
	pthread_join(thread, &kind);
	assert_int_equal((uintptr_t)kind, HV_EXIT_KICK);
	hv->vcpu_destroy(c);
	hv->vm_destroy(vm);
}

static void test_mappings(void **state)
{
	static char page[8192] __attribute__((aligned(4096)));
	const struct hv_ops *hv = &hv_fake_ops;
	struct fake_map m;
	struct hv_vm *vm;

	hv->vm_create(&(struct hv_vm_config){.ipa_bits = 40, .els = 3}, &vm, NULL);
	assert_int_equal(hv->mem_map(vm, 0x40000000, page, 4096, HV_READ), 0);
	assert_true(hv->mem_map(vm, 0x40000001, page, 4096, HV_READ) < 0);
	assert_true(fake_mapping(vm, 0x40000fff, &m));
	assert_ptr_equal(m.host, page);
	assert_false(fake_mapping(vm, 0x40001000, &m));
	assert_int_equal(hv->mem_unmap(vm, 0x40000000, 4096), 0);
	assert_false(fake_mapping(vm, 0x40000000, &m));
	assert_true(hv->mem_unmap(vm, 0x40000000, 4096) < 0);
	hv->vm_destroy(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_script),
		cmocka_unit_test(test_blocks_until_kicked),
		cmocka_unit_test(test_mappings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

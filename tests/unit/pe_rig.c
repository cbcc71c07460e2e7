/* SPDX-License-Identifier: Apache-2.0 */
#include "pe_rig.h"

#include "arm/sysreg.h"
#include "util/bits.h"
#include "util/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* ---- what PEs call ---- */

static void on_power_off(void *opaque, const char *what)
{
	struct rig *r = opaque;

	r->what = what;
	r->offs++;
}

static void on_reset(void *opaque, const char *what)
{
	struct rig *r = opaque;

	r->what = what;
	r->resets++;
}

static void on_failed(void *opaque, unsigned pe, const char *text)
{
	((struct rig *)opaque)->failures++;
}

static void on_timer(void *opaque, unsigned pe, enum hv_timer timer, bool level)
{
	((struct rig *)opaque)->timer_calls[timer][level]++;
}

static enum pe_sysreg_result answer(uint16_t reg)
{
	switch (reg) {
	case SYS_ICC_AP1R0_EL1:
		return PE_SYSREG_UNDEF;
	case SYS_ICC_AP0R0_EL1:
		return PE_SYSREG_TRAP_EL3;
	case SYS_ICC_RPR_EL1:
		return PE_SYSREG_TRAP_EL2;
	default:
		return PE_SYSREG_OK;
	}
}

static enum pe_sysreg_result sysreg_read(void *opaque, const struct pe_access *a, uint16_t reg,
					 uint64_t *value)
{
	struct rig *r = opaque;

	r->access = *a;
	r->access_pe = a->pe;
	*value = 0x1234567800000000 | reg;
	return answer(reg);
}

static enum pe_sysreg_result sysreg_write(void *opaque, const struct pe_access *a, uint16_t reg,
					  uint64_t value)
{
	struct rig *r = opaque;

	r->access = *a;
	r->access_pe = a->pe;
	r->written = value;
	return answer(reg);
}

static const struct pe_sysreg_ops sysreg_ops = {sysreg_read, sysreg_write};

static enum mem_result device_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value,
				   struct mem_attrs attrs)
{
	struct rig *r = opaque;

	r->attrs = attrs;
	*value = r->device_value;
	return offset ? MEM_ERROR : MEM_OK;
}

static enum mem_result device_write(void *opaque, uint64_t offset, unsigned size, uint64_t value,
				    struct mem_attrs attrs)
{
	struct rig *r = opaque;

	r->device_value = value;
	if (r->device_holds)
		pe_set_hold(r->s);
	r->access_pe = attrs.pe;
	r->attrs = attrs;
	return offset ? MEM_ERROR : MEM_OK;
}

/* ---- the rig ---- */

static void add_memory(struct rig *r)
{
	struct err e = {0};

	r->word = aligned_alloc(4096, SIZE);
	memset(r->word, 0, SIZE);
	pthread_mutex_init(&r->device_lock, NULL);
	r->ram = (struct mem_region){.name = "ram",
				     .base = BASE,
				     .size = SIZE,
				     .kind = MEM_RAM,
				     .host = (uint8_t *)r->word};
	r->device = (struct mem_region){.name = "device",
					.base = DEVICE,
					.size = 0x1000,
					.kind = MEM_MMIO,
					.min_width = 4,
					.max_width = 4,
					.read = device_read,
					.write = device_write,
					.opaque = r,
					.lock = &r->device_lock};
	r->mem = mem_space_create();
	assert_int_equal(mem_add(r->mem, &r->ram, &e), 0);
	assert_int_equal(mem_add(r->mem, &r->device, &e), 0);
	mem_freeze(r->mem);
}

static int set_up(void **state, uint32_t els)
{
	static const uint16_t regs[] = {SYS_ICC_SRE_EL1, SYS_ICC_PMR_EL1, SYS_ICC_AP1R0_EL1,
					SYS_ICC_AP0R0_EL1, SYS_ICC_RPR_EL1};
	struct rig *r = calloc(1, sizeof(*r));
	struct pe_set_config cfg;
	struct err e = {0};

	add_memory(r);
	r->ops = hv_fake_ops;
	assert_int_equal(r->ops.probe(NULL, &r->caps, &e), 0);
	assert_int_equal(
		r->ops.vm_create(&(struct hv_vm_config){.ipa_bits = 40, .els = els}, &r->vm, &e),
		0);
	r->s = pe_set_create(PES, els);
	for (unsigned i = 0; i < ARRAY_COUNT(regs); i++)
		pe_sysreg_add(r->s, regs[i], &sysreg_ops, r);
	pe_timer_listen(r->s, on_timer, r);
	pe_id_field(r->s, SYS_ID_AA64PFR0_EL1, 27, 24, 3);
	cfg = (struct pe_set_config){.hv = &r->ops,
				     .caps = &r->caps,
				     .vm = r->vm,
				     .mem = r->mem,
				     .opaque = r,
				     .power_off = on_power_off,
				     .reset = on_reset,
				     .failed = on_failed};
	pe_set_configure(r->s, &cfg);
	r->entry = (struct pe_entry){.pc = BASE, .x = {0x77, 1, 2, 3}};
	*state = r;
	return 0;
}

int rig_setup(void **state)
{
	return set_up(state, 0x3);
}

int rig_setup_levels(void **state)
{
	return set_up(state, 0xf);
}

int rig_teardown(void **state)
{
	struct rig *r = *state;

	pe_set_destroy(r->s);
	r->ops.vm_destroy(r->vm);
	mem_space_destroy(r->mem);
	pthread_mutex_destroy(&r->device_lock);
	free(r->word);
	free(r);
	return 0;
}

void rig_start(struct rig *r)
{
	struct err e = {0};

	assert_int_equal(pe_set_start(r->s, &r->entry, &e), 0);
	assert_true(fake_wait_idle(r->vm, 0));
}

uint64_t rig_reg(struct rig *r, unsigned pe, uint32_t id)
{
	return fake_get(r->vm, pe, id);
}

uint64_t rig_x(struct rig *r, unsigned pe, unsigned n)
{
	return rig_reg(r, pe, REG_X(n));
}

unsigned rig_runs(struct rig *r, unsigned pe)
{
	return fake_calls(r->vm, pe, FAKE_RUN, NULL, 0);
}

void rig_queue_call(struct rig *r, unsigned pe, uint64_t x0, uint64_t x1, uint64_t x2, uint64_t x3)
{
	struct hv_exit e = {.kind = HV_EXIT_HVC};
	struct fake_reg regs[] = {{REG_X(0), x0}, {REG_X(1), x1}, {REG_X(2), x2}, {REG_X(3), x3}};

	fake_queue(r->vm, pe, &e, regs, ARRAY_COUNT(regs));
}

/* A PSCI call by PE 0, which stays on. */
int64_t rig_call(struct rig *r, uint64_t x0, uint64_t x1, uint64_t x2, uint64_t x3)
{
	rig_queue_call(r, 0, x0, x1, x2, x3);
	assert_true(fake_wait_idle(r->vm, 0));
	return rig_x(r, 0, 0);
}

void rig_queue_brk(struct rig *r, unsigned pe, uint16_t imm, uint64_t pc, uint64_t pstate)
{
	struct hv_exit e = {.kind = HV_EXIT_BRK, .brk = {imm}};
	struct fake_reg regs[] = {
		{REG_PC, pc}, {REG_PSTATE, pstate}, {REG_SYS(SYS_VBAR_EL1), VBAR}};

	fake_queue(r->vm, pe, &e, regs, ARRAY_COUNT(regs));
}

/* PE 0 executes the patched word @n. */
void rig_execute(struct rig *r, unsigned n, uint64_t pstate)
{
	assert_int_equal(r->word[n] & 0xffe0001f, 0xd4200000);
	rig_queue_brk(r, 0, r->word[n] >> 5, BASE + 4 * n, pstate);
	assert_true(fake_wait_idle(r->vm, 0));
}

void rig_nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
}

/* Until PE @n is seen off by PE 0; some seconds at most. */
void rig_wait_off(struct rig *r, unsigned n)
{
	for (unsigned i = 0; i < 150; i++) {
		if (rig_call(r, PSCI_AFFINITY_INFO, n, 0, 0) == PSCI_AFFINITY_OFF)
			return;
		rig_nap();
	}
	fail_msg("PE %u does not go off", n);
}

void rig_assert_exception(struct rig *r, uint64_t offset, uint32_t esr, uint64_t elr, uint64_t spsr)
{
	assert_int_equal(rig_reg(r, 0, REG_PC), VBAR + offset);
	assert_int_equal(rig_reg(r, 0, REG_SYS(SYS_ESR_EL1)), esr);
	assert_int_equal(rig_reg(r, 0, REG_ELR_EL1), elr);
	assert_int_equal(rig_reg(r, 0, REG_SPSR_EL1), spsr);
	assert_int_equal(rig_reg(r, 0, REG_PSTATE) & 0xf, 5);
}

void rig_kick_once(struct rig *r, unsigned pe)
{
	struct hv_exit e = {.kind = HV_EXIT_KICK};

	fake_queue(r->vm, pe, &e, NULL, 0);
	assert_true(fake_wait_idle(r->vm, pe));
}

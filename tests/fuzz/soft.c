/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: random code with random system state on the soft engine, one instruction at a time. The
 * sanitizers see to it that nothing outside the guest's memory is touched.
 *
 * Input: struct state, then the contents of memory.
 */
#include "hv/soft/soft.h"
#include "hv/hv.h"
#include "util/err.h"

#include <stdlib.h>
#include <string.h>

enum {
	RAM_BASE = 0x10000,
	RAM_SIZE = 0x10000,
	ROM_BASE = 0x40000,
	ROM_SIZE = 0x2000,
	STEPS = 300,
};

struct state {
	uint64_t sctlr, tcr, ttbr[2], mair, vbar, cpacr, mdscr;
	uint64_t x[8];
	uint32_t pc, pstate;
	uint32_t fpcr, answer; /* to reads from devices; bit 0: abort instead */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct hv_ops *const ops = &hv_soft_ops;

static void require(bool ok)
{
	if (!ok)
		abort();
}

struct machine {
	struct hv_vm *vm;
	struct hv_vcpu *cpu;
	uint8_t *ram, *rom;
};

static uint8_t wants(void *opaque, uint32_t word)
{
	return (word & 0xfffff000) == 0xd538c000 ? 1 << 1 : 0; /* some of the ICC registers */
}

static void create(struct machine *m)
{
	struct err e = {0};

	require(!ops->vm_create(&(struct hv_vm_config){.ipa_bits = 40, .els = 3}, &m->vm, &e));
	ops->set_intercept(m->vm, wants, NULL);
	m->ram = aligned_alloc(4096, RAM_SIZE);
	m->rom = aligned_alloc(4096, ROM_SIZE);
	require(m->ram && m->rom);
	require(!ops->mem_map(m->vm, RAM_BASE, m->ram, RAM_SIZE, HV_READ | HV_WRITE | HV_EXEC));
	require(!ops->mem_map(m->vm, ROM_BASE, m->rom, ROM_SIZE, HV_READ | HV_EXEC));
	require(!ops->vcpu_create(m->vm, 0, &m->cpu, &e));
}

static void set_sys(struct machine *m, uint16_t code, uint64_t value)
{
	ops->set_reg(m->cpu, REG_SYS(code), value);
}

static void load(struct machine *m, const struct state *s)
{
	ops->vcpu_reset(m->cpu);
	set_sys(m, SYSREG(3, 0, 2, 0, 2), s->tcr);
	set_sys(m, SYSREG(3, 0, 2, 0, 0), s->ttbr[0]);
	set_sys(m, SYSREG(3, 0, 2, 0, 1), s->ttbr[1]);
	set_sys(m, SYSREG(3, 0, 10, 2, 0), s->mair);
	set_sys(m, SYSREG(3, 0, 12, 0, 0), s->vbar);
	set_sys(m, SYSREG(3, 0, 1, 0, 2), s->cpacr);
	set_sys(m, SYSREG(2, 0, 0, 2, 2), s->mdscr);
	set_sys(m, SYSREG(3, 0, 1, 0, 0), s->sctlr);
	for (unsigned i = 0; i < 8; i++)
		ops->set_reg(m->cpu, REG_X(i), s->x[i]);
	ops->set_reg(m->cpu, REG_SP_EL1, RAM_BASE + RAM_SIZE);
	ops->set_reg(m->cpu, REG_PC, s->pc);
	/* EL0 or EL1. */
	ops->set_reg(m->cpu, REG_PSTATE,
		     (s->pstate & 0xfff00000) | (s->pstate & 0x3c0) |
			     (s->pstate & 1   ? 5
			      : s->pstate & 2 ? 4
					      : 0));
	ops->set_reg(m->cpu, REG_FPCR, s->fpcr);
	/* A line that is high keeps WFI from waiting. */
	ops->irq(m->cpu, HV_IRQ, true);
	ops->debug(m->cpu, HV_DEBUG_STEP);
}

static void step(struct machine *m, const struct state *s)
{
	struct hv_exit x;
	uint64_t pc = 0;

	ops->run(m->cpu, &x);
	switch (x.kind) {
	case HV_EXIT_MMIO:
		require(x.mmio.size <= 8);
		if (s->answer & 1)
			ops->mmio_abort(m->cpu);
		else
			ops->mmio_done(m->cpu, s->answer);
		break;
	case HV_EXIT_DABT:
		ops->mmio_abort(m->cpu);
		break;
	case HV_EXIT_INTERCEPT:
		ops->get_reg(m->cpu, REG_PC, &pc);
		ops->set_reg(m->cpu, REG_PC, pc + 4);
		break;
	default:
		require(x.kind != HV_EXIT_FAIL && x.kind != HV_EXIT_BRK);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct machine m;
	struct state s = {0};
	size_t head = size < sizeof(s) ? size : sizeof(s);

	if (!m.vm)
		create(&m);
	memcpy(&s, data, head);
	data += head;
	size -= head;
	memset(m.ram, 0, RAM_SIZE);
	memset(m.rom, 0, ROM_SIZE);
	memcpy(m.ram, data, size < RAM_SIZE ? size : RAM_SIZE);
	memcpy(m.rom, data, size < ROM_SIZE ? size : ROM_SIZE);
	/* Mostly where there is memory. */
	s.pc = s.pc & 0x80000000 ? s.pc : RAM_BASE + (s.pc & 0x3fff);
	load(&m, &s);
	for (unsigned i = 0; i < STEPS; i++)
		step(&m, &s);
	return 0;
}

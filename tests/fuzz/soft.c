/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: random code with random system state on the soft engine, one instruction at a time, on a
 * CPU that has EL1 and EL0 and on one that has all levels. The sanitizers see to it that nothing outside the
 * guest's memory is touched.
 *
 * Input: struct state, then the contents of memory.
 */
#include "hv/soft/soft.h"
#include "arm/sysreg.h"
#include "hv/hv.h"
#include "util/err.h"

#include <stdlib.h>
#include <string.h>

enum {
	RAM_BASE = 0x10000,
	RAM_SIZE = 0x10000,
	ROM_BASE = 0x40000,
	ROM_SIZE = 0x2000,
	SECRET_BASE = 0x50000, /* Secure memory */
	SECRET_SIZE = 0x2000,
	STEPS = 300,
};

struct state {
	uint64_t sctlr, tcr, ttbr[2], mair, vbar, cpacr, mdscr;
	uint64_t x[8];
	uint32_t pc, pstate;
	uint32_t fpcr, answer; /* to reads from devices; bit 0: abort instead */
	uint32_t all_levels;   /* bit 0 */
	uint32_t lines;
	uint64_t hcr, vtcr, vttbr, cptr2, mdcr2, cnthctl;
	uint64_t sctlr2, tcr2, ttbr2[2], mair2, vbar2;
	uint64_t scr, cptr3, mdcr3;
	uint64_t sctlr3, tcr3, ttbr3, mair3, vbar3;
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
	uint8_t *ram, *rom, *secret;
};

static uint8_t wants(void *opaque, uint32_t word)
{
	return (word & 0xfffff000) == 0xd538c000 ? 1 << 1 : 0; /* some of the ICC registers */
}

static uint8_t *map(struct machine *m, uint64_t gpa, uint64_t size, unsigned prot)
{
	uint8_t *p = aligned_alloc(4096, size);

	require(p && !ops->mem_map(m->vm, gpa, p, size, prot));
	return p;
}

static void create(struct machine *m, uint32_t els)
{
	struct err e = {0};

	require(!ops->vm_create(&(struct hv_vm_config){.ipa_bits = 40, .els = els}, &m->vm, &e));
	ops->set_intercept(m->vm, wants, NULL);
	m->ram = map(m, RAM_BASE, RAM_SIZE, HV_READ | HV_WRITE | HV_EXEC);
	m->rom = map(m, ROM_BASE, ROM_SIZE, HV_READ | HV_EXEC);
	m->secret = map(m, SECRET_BASE, SECRET_SIZE, HV_READ | HV_WRITE | HV_EXEC | HV_SECURE);
	require(!ops->vcpu_create(m->vm, 0, &m->cpu, &e));
}

#define SET(m, name, value) ops->set_reg((m)->cpu, REG_SYS(SYS_##name), value)

static void load_el1(struct machine *m, const struct state *s)
{
	SET(m, TCR_EL1, s->tcr);
	SET(m, TTBR0_EL1, s->ttbr[0]);
	SET(m, TTBR1_EL1, s->ttbr[1]);
	SET(m, MAIR_EL1, s->mair);
	SET(m, VBAR_EL1, s->vbar);
	SET(m, CPACR_EL1, s->cpacr);
	SET(m, MDSCR_EL1, s->mdscr);
	SET(m, SCTLR_EL1, s->sctlr);
}

static void load_el2(struct machine *m, const struct state *s)
{
	SET(m, VTCR_EL2, s->vtcr);
	SET(m, VTTBR_EL2, s->vttbr);
	SET(m, CPTR_EL2, s->cptr2);
	SET(m, MDCR_EL2, s->mdcr2);
	SET(m, CNTHCTL_EL2, s->cnthctl);
	SET(m, TCR_EL2, s->tcr2);
	SET(m, TTBR0_EL2, s->ttbr2[0]);
	SET(m, TTBR1_EL2, s->ttbr2[1]);
	SET(m, MAIR_EL2, s->mair2);
	SET(m, VBAR_EL2, s->vbar2);
	SET(m, SCTLR_EL2, s->sctlr2);
	SET(m, HCR_EL2, s->hcr);
}

static void load_el3(struct machine *m, const struct state *s)
{
	SET(m, CPTR_EL3, s->cptr3);
	SET(m, MDCR_EL3, s->mdcr3);
	SET(m, TCR_EL3, s->tcr3);
	SET(m, TTBR0_EL3, s->ttbr3);
	SET(m, MAIR_EL3, s->mair3);
	SET(m, VBAR_EL3, s->vbar3);
	SET(m, SCTLR_EL3, s->sctlr3);
	SET(m, SCR_EL3, s->scr);
}

/* Level and stack pointer out of two bits, or three. */
static uint64_t pstate_of(const struct state *s)
{
	static const uint8_t modes[8] = {0, 5, 4, 5, 8, 9, 12, 13};

	return (s->pstate & 0xfff00000) | (s->pstate & 0x3c0) |
	       modes[s->pstate & (s->all_levels & 1 ? 7 : 3)];
}

static void load(struct machine *m, const struct state *s)
{
	ops->vcpu_reset(m->cpu);
	load_el1(m, s);
	if (s->all_levels & 1) {
		load_el2(m, s);
		load_el3(m, s);
	}
	for (unsigned i = 0; i < 8; i++)
		ops->set_reg(m->cpu, REG_X(i), s->x[i]);
	ops->set_reg(m->cpu, REG_SP_EL1, RAM_BASE + RAM_SIZE);
	ops->set_reg(m->cpu, REG_PC, s->pc);
	ops->set_reg(m->cpu, REG_PSTATE, pstate_of(s));
	ops->set_reg(m->cpu, REG_FPCR, s->fpcr);
	for (unsigned l = HV_FIQ; l < HV_LINE_COUNT && s->all_levels & 1; l++)
		ops->irq(m->cpu, (enum hv_line)l, s->lines >> l & 1);
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
	static struct machine both[2];
	struct machine *m = both;
	struct state s = {0};
	size_t head = size < sizeof(s) ? size : sizeof(s);

	memcpy(&s, data, head);
	m = &both[s.all_levels & 1];
	if (!m->vm)
		create(m, s.all_levels & 1 ? 0xf : 3);
	data += head;
	size -= head;
	memset(m->ram, 0, RAM_SIZE);
	memset(m->rom, 0, ROM_SIZE);
	memcpy(m->ram, data, size < RAM_SIZE ? size : RAM_SIZE);
	memcpy(m->rom, data, size < ROM_SIZE ? size : ROM_SIZE);
	memcpy(m->secret, data, size < SECRET_SIZE ? size : SECRET_SIZE);
	/* Mostly where there is memory. */
	s.pc = s.pc & 0x80000000 ? s.pc : RAM_BASE + (s.pc & 0x3fff);
	load(m, &s);
	for (unsigned i = 0; i < STEPS; i++)
		step(m, &s);
	return 0;
}

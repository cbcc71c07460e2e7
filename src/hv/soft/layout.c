/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers of EL2 that have another layout while HCR_EL2.E2H is 1. A bit that is RES0 in one of them only keeps what
 * was written to it, and reads as that, but does nothing: Arm ARM (DDI 0487), glossary, "RES0". So soft_sys.reg[] has
 * what the register means now, and soft_sys.written[] all that was written.
 *
 * A bit that is RES1 in the present layout reads as 1.
 */
#include "hv/soft/sys.h"

#include "util/bits.h"

static const uint16_t registers[SOFT_TWO_LAYOUTS] = {
	SYSREG_IX_SCTLR_EL2, SYSREG_IX_CPTR_EL2,    SYSREG_IX_TCR_EL2,
	SYSREG_IX_TTBR0_EL2, SYSREG_IX_CNTHCTL_EL2,
};

/* The register's place in written[]; SOFT_TWO_LAYOUTS: it has but one layout. */
static unsigned find(const struct sysreg_desc *d)
{
	unsigned i = 0;

	if (d->layout == d->layout_e2h)
		return SOFT_TWO_LAYOUTS;
	while (i < SOFT_TWO_LAYOUTS && registers[i] != d->index)
		i++;
	return i;
}

static bool e2h(const struct soft_cpu *c)
{
	return bit(SOFT_REG(c, HCR_EL2), ARM_HCR_E2H);
}

static const struct sysreg_masks *masks(const struct soft_cpu *c, unsigned i)
{
	return &c->sys->vm->sysreg_masks[e2h(c)][registers[i]];
}

/* Bits that some layout stores. */
static uint64_t stored(const struct soft_cpu *c, unsigned i)
{
	const struct hv_vm *vm = c->sys->vm;

	return vm->sysreg_masks[0][registers[i]].writable |
	       vm->sysreg_masks[1][registers[i]].writable;
}

static void settle(struct soft_cpu *c, unsigned i)
{
	uint64_t *r = &c->sys->reg[registers[i]];

	*r = sysreg_written(masks(c, i), *r, c->sys->written[i]);
}

bool soft_layouts_write(struct soft_cpu *c, const struct sysreg_desc *d, uint64_t value)
{
	unsigned i = find(d);

	if (i == SOFT_TWO_LAYOUTS)
		return false;
	c->sys->written[i] = value & stored(c, i);
	settle(c, i);
	return true;
}

uint64_t soft_layouts_hidden(const struct soft_cpu *c, const struct sysreg_desc *d)
{
	unsigned i = find(d);
	const struct sysreg_masks *m;

	if (i == SOFT_TWO_LAYOUTS)
		return 0;
	m = masks(c, i);
	return c->sys->written[i] & ~(m->writable | m->kept | m->res1);
}

struct sysreg_masks soft_layouts_masks(const struct soft_cpu *c, const struct sysreg_desc *d)
{
	unsigned i = find(d);
	struct sysreg_masks m;

	if (i == SOFT_TWO_LAYOUTS)
		return c->sys->vm->sysreg_masks[0][d->index];
	m = *masks(c, i);
	m.writable = stored(c, i);
	return m;
}

void soft_layouts_switch(struct soft_cpu *c)
{
	bool now = e2h(c);

	if (now == c->sys->written_e2h)
		return;
	c->sys->written_e2h = now;
	for (unsigned i = 0; i < SOFT_TWO_LAYOUTS; i++)
		settle(c, i);
	soft_mmu_changed(c);
}

void soft_layouts_reset(struct soft_cpu *c)
{
	c->sys->written_e2h = false;
	for (unsigned i = 0; i < SOFT_TWO_LAYOUTS; i++)
		c->sys->written[i] = c->sys->reg[registers[i]] & stored(c, i);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MRS and MSR: Arm ARM (DDI 0487), C5 and D24. Most registers are storage with a place in
 * soft_sys.reg[]; here is what does more, and who may access what. Values after a reset: identity.c.
 */
#include "arm/model.h"
#include "hv/soft/pmu.h"
#include "hv/soft/sys.h"

#include "util/bits.h"

#include <errno.h>

/* ---- access ---- */

static const struct sysreg_desc *describe(const struct hv_vm *vm, uint16_t code)
{
	uint16_t place = vm->sysreg_place[code & 0x7fff];

	return place ? &vm->sysregs[place - 1] : NULL;
}

/* SP_EL0 has no other name while it is SP: D24.2.162. */
static bool is_current_sp(const struct soft_cpu *c, uint16_t code)
{
	return code == SYS_SP_EL0 && !(c->pstate & ARM_PSTATE_SP);
}

static uint16_t code_of(uint32_t w)
{
	return SYSREG(2 + a64_o0(w), a64_op1(w), a64_CRn(w), a64_CRm(w), a64_op2(w));
}

static bool exists(const struct soft_cpu *c, const struct sysreg_desc *d, uint16_t code,
		   bool is_read)
{
	const struct hv_vm *vm = c->sys->vm;
	struct sysreg_env env = {
		.features = &vm->features,
		.highest_el = (uint8_t)vm->highest_el,
	};

	if (!d)
		return false;
	if (d->flags & (SYSREG_SECURE | SYSREG_E2H)) {
		env.secure = soft_secure_below_el3(c);
		env.e2h = bit(soft_hcr(c), ARM_HCR_E2H);
	}
	return sysreg_allowed(d, soft_el(c), !is_read, &env) && !soft_debug_missing(code) &&
	       !is_current_sp(c, code);
}

static uint64_t reg_for_trap(const void *opaque, uint16_t code)
{
	const struct soft_cpu *c = opaque;

	return c->sys->reg[describe(c->sys->vm, code)->index];
}

/* Nothing but FP&SIMD traps at the highest level. */
static bool trapped(struct soft_cpu *c, enum arm_trap_group group, uint16_t code, unsigned rt,
		    bool is_read)
{
	struct arm_trap_state s;
	struct arm_trap t;

	if (group == ARM_TRAP_GROUP_NONE)
		return false;
	if (group == ARM_TRAP_GROUP_FP)
		return !soft_fp_check(c);
	if (soft_el(c) == c->sys->vm->highest_el)
		return false;
	s = (struct arm_trap_state){.route = soft_route(c), .reg = reg_for_trap, .opaque = c};
	t = arm_trap_sysreg(&s, group, is_read);
	return soft_take_trap(c, t, arm_trap_esr(group, t, code, rt, is_read));
}

/* RJFFP: without EL2, at EL3 its registers read as zero and ignore writes, but those that tell who a PE is show it. */
static bool is_res0(const struct soft_cpu *c, uint16_t code, bool is_read)
{
	if (SYSREG_OP1(code) != 4 || soft_have_el(c, 2) || SYSREG_OP0(code) != 3)
		return false;
	return code != SYS_SP_EL2 &&
	       !(is_read && (code == SYS_VPIDR_EL2 || code == SYS_VMPIDR_EL2));
}

/* The register that an instruction stands for where FEAT_VHE gives it another meaning. */
static const struct sysreg_desc *redirected(const struct soft_cpu *c, const struct sysreg_desc *d)
{
	struct arm_route r;

	if (!soft_have_el(c, 2) || (d->e2h == SYS_NONE && d->target == SYS_NONE))
		return d;
	r = soft_route(c);
	return describe(c->sys->vm, arm_sysreg_redirect(&r, d));
}

/* As arm_check_mrs(), which does not know what is at hand here. False: an exception was taken. @out NULL: it reads as
 * zero and ignores writes. */
static bool check_access(struct soft_cpu *c, uint32_t w, bool is_read,
			 const struct sysreg_desc **out)
{
	const struct hv_vm *vm = c->sys->vm;
	uint16_t code = code_of(w);
	const struct sysreg_desc *d = describe(vm, code);
	enum arm_trap_group group = (enum arm_trap_group)vm->sysreg_group[code & 0x7fff];
	bool reserved_id = !d && is_read && soft_el(c) && sysreg_is_id(code);
	bool known = reserved_id || exists(c, d, code, is_read);

	if ((known || group == ARM_TRAP_GROUP_IMPDEF) &&
	    trapped(c, group, code, a64_Rt(w), is_read))
		return false;
	if (!known) {
		soft_undefined(c);
		return false;
	}
	*out = reserved_id || is_res0(c, code, is_read) ? NULL : redirected(c, d);
	return true;
}

/* ---- registers that are part of PSTATE, or views of something else ---- */

static uint64_t pstate_field(const struct soft_cpu *c, uint64_t mask)
{
	return c->pstate & mask;
}

static uint64_t *sp_of(struct soft_cpu *c, unsigned el)
{
	unsigned current = c->pstate & ARM_PSTATE_SP ? soft_el(c) : 0;

	return el == current ? &c->sp : &c->sys->sp_el[el];
}

/* DZP: would DC ZVA trap here? D24.2.37. */
static uint64_t zero_block(const struct soft_cpu *c)
{
	struct arm_route r = soft_route(c);
	struct arm_trap t = arm_trap_maintenance(&r, ARM_OP_ZERO, true, soft_current_sctlr(c));

	return SOFT_REG(c, DCZID_EL0) |
	       (t.kind == ARM_TRAP_NONE ? 0 : sysreg_mask(SYSF_DCZID_EL0_DZP));
}

static uint64_t cache_size(const struct soft_cpu *c)
{
	const struct arm_model *m = c->sys->vm->model;

	return m ? arm_model_ccsidr(m, SOFT_REG(c, CSSELR_EL1)) : 0;
}

static bool read_special(struct soft_cpu *c, uint16_t code, uint64_t *v)
{
	switch (code) {
	case SYS_NZCV:
		*v = c->nzcv;
		break;
	case SYS_DAIF:
		*v = pstate_field(c, ARM_PSTATE_DAIF);
		break;
	case SYS_CurrentEL:
		*v = pstate_field(c, ARM_PSTATE_EL_MASK);
		break;
	case SYS_SPSel:
		*v = pstate_field(c, ARM_PSTATE_SP);
		break;
	case SYS_PAN:
		*v = pstate_field(c, ARM_PSTATE_PAN);
		break;
	case SYS_UAO:
		*v = pstate_field(c, ARM_PSTATE_UAO);
		break;
	case SYS_SSBS:
		*v = pstate_field(c, ARM_PSTATE_SSBS);
		break;
	case SYS_DIT:
		*v = pstate_field(c, ARM_PSTATE_DIT);
		break;
	case SYS_FPCR:
		*v = c->fp.fpcr;
		break;
	case SYS_FPSR:
		*v = c->fp.fpsr;
		break;
	case SYS_SP_EL0:
		*v = *sp_of(c, 0);
		break;
	case SYS_SP_EL1:
		*v = *sp_of(c, 1);
		break;
	case SYS_SP_EL2:
		*v = *sp_of(c, 2);
		break;
	case SYS_CNTPCT_EL0:
		*v = soft_counter(c);
		break;
	case SYS_CNTVCT_EL0:
		*v = soft_counter_virtual(c);
		break;
	case SYS_ISR_EL1:
		*v = soft_isr(c);
		break;
	case SYS_CCSIDR_EL1:
		*v = cache_size(c);
		break;
	case SYS_DCZID_EL0:
		*v = zero_block(c);
		break;
	default:
		return soft_pmu_read(c, code, v) || soft_timer_read(c, code, v);
	}
	return true;
}

#define FPSR_WRITABLE (0xf8000000U | FPSR_IDC | 0x1fU)

static void set_pstate_field(struct soft_cpu *c, uint64_t mask, uint64_t v)
{
	soft_set_pstate(c, (soft_get_pstate(c) & ~mask) | (v & mask));
	soft_event(c, SOFT_EVENT_LINE);
}

/* DAIF alone changes nothing that hangs on the level. */
static void set_daif(struct soft_cpu *c, uint64_t daif)
{
	c->pstate = (c->pstate & ~ARM_PSTATE_DAIF) | (daif & ARM_PSTATE_DAIF);
	if (soft_interrupt_pending(c))
		soft_event(c, SOFT_EVENT_LINE);
	if (bit(SOFT_REG(c, MDSCR_EL1), 0))
		soft_event(c, SOFT_EVENT_STEP);
}

static bool write_special(struct soft_cpu *c, uint16_t code, uint64_t v)
{
	switch (code) {
	case SYS_NZCV:
		c->nzcv = v & ARM_PSTATE_NZCV;
		break;
	case SYS_DAIF:
		set_daif(c, v);
		break;
	case SYS_SPSel:
		set_pstate_field(c, ARM_PSTATE_SP, v);
		break;
	case SYS_PAN:
		set_pstate_field(c, ARM_PSTATE_PAN, v);
		break;
	case SYS_UAO:
		set_pstate_field(c, ARM_PSTATE_UAO, v);
		break;
	case SYS_SSBS:
		set_pstate_field(c, ARM_PSTATE_SSBS, v);
		break;
	case SYS_DIT:
		set_pstate_field(c, ARM_PSTATE_DIT, v);
		break;
	case SYS_FPCR:
		c->fp.fpcr = v & c->sys->vm->fpcr_bits;
		break;
	case SYS_FPSR:
		c->fp.fpsr = v & FPSR_WRITABLE;
		break;
	case SYS_SP_EL0:
		*sp_of(c, 0) = v;
		break;
	case SYS_SP_EL1:
		*sp_of(c, 1) = v;
		break;
	case SYS_SP_EL2:
		*sp_of(c, 2) = v;
		break;
	case SYS_OSLAR_EL1:
		SOFT_REG(c, OSLSR_EL1) = (SOFT_REG(c, OSLSR_EL1) & ~2ULL) | (v & 1) << 1;
		soft_debug_changed(c);
		break;
	default:
		return soft_pmu_write(c, code, v) || soft_timer_write(c, code, v);
	}
	return true;
}

/* Registers whose values are looked at when the context changes. */
static void after_write(struct soft_cpu *c, uint16_t code)
{
	if (soft_debug_is_register(code))
		soft_debug_changed(c);
	if (code == SYS_HCR_EL2)
		soft_layouts_switch(c);
	switch (code) {
	case SYS_SCTLR_EL1:
	case SYS_SCTLR_EL2:
	case SYS_SCTLR_EL3:
	case SYS_TCR_EL1:
	case SYS_TCR_EL2:
	case SYS_TCR_EL3:
	case SYS_MAIR_EL1:
	case SYS_MAIR_EL2:
	case SYS_MAIR_EL3:
		soft_mmu_changed(c);
		break;
	case SYS_TTBR0_EL1:
	case SYS_TTBR1_EL1:
	case SYS_TTBR0_EL2:
	case SYS_TTBR1_EL2:
	case SYS_TTBR0_EL3:
	case SYS_VTCR_EL2:
	case SYS_VTTBR_EL2:
	case SYS_HCR_EL2:
	case SYS_SCR_EL3:
	case SYS_CPACR_EL1:
	case SYS_CPTR_EL2:
	case SYS_CPTR_EL3:
	case SYS_MDSCR_EL1:
		soft_context_changed(c);
		break;
	}
}

/* ---- MRS, MSR ---- */

static uint64_t read_stored(const struct soft_cpu *c, const struct sysreg_desc *d)
{
	return d->index < SYSREG_INDEX_COUNT ? c->sys->reg[d->index] : 0;
}

/* Which PE EL1 is told that it runs on is the hypervisor's choice; where there cannot be one, its registers show the
 * truth. */
static const struct sysreg_desc *shown(const struct soft_cpu *c, const struct sysreg_desc *d)
{
	static const uint16_t identity[][2] = {{SYS_MIDR_EL1, SYS_VPIDR_EL2},
					       {SYS_MPIDR_EL1, SYS_VMPIDR_EL2}};
	bool virtual;

	if (d->code & ~SYSREG(3, 7, 0, 0, 7))
		return d;
	virtual = soft_el(c) == 1 && soft_el2_enabled(c);
	for (unsigned i = 0; i < ARRAY_COUNT(identity); i++) {
		if (virtual && d->code == identity[i][0])
			return describe(c->sys->vm, identity[i][1]);
		if (!soft_have_el(c, 2) && d->code == identity[i][1])
			return describe(c->sys->vm, identity[i][0]);
	}
	return d;
}

static void write_stored(struct soft_cpu *c, const struct sysreg_desc *d, uint64_t v)
{
	if (!soft_layouts_write(c, d, v) && d->index < SYSREG_INDEX_COUNT) {
		uint64_t *r = &c->sys->reg[d->index];

		*r = sysreg_written(&c->sys->vm->sysreg_masks[0][d->index], *r, v);
	}
	after_write(c, d->code);
}

void soft_MRS(struct soft_cpu *c, uint32_t w)
{
	const struct sysreg_desc *d;
	uint64_t v = 0;

	if (!check_access(c, w, true, &d))
		return;
	if (d && !read_special(c, d->code, &v))
		v = read_stored(c, shown(c, d)) | soft_layouts_hidden(c, d);
	soft_set_x(c, a64_Rt(w), v);
}

void soft_MSR(struct soft_cpu *c, uint32_t w)
{
	uint64_t v = soft_x(c, a64_Rt(w));
	const struct sysreg_desc *d;

	if (check_access(c, w, false, &d) && d && !write_special(c, d->code, v))
		write_stored(c, d, v);
}

/* MSR (immediate): C5.1.3 and C6.2 "MSR (immediate)". */
void soft_MSR_imm(struct soft_cpu *c, uint32_t w)
{
	unsigned op = a64_op1(w) << 3 | a64_op2(w), imm = a64_CRm(w), el = soft_el(c);
	bool daif = op == (3 << 3 | 6) || op == (3 << 3 | 7);

	uint16_t code = SYSREG(0, a64_op1(w), 4, imm, a64_op2(w));

	if (el == 0 && daif && trapped(c, ARM_TRAP_GROUP_DAIF, code, 31, false))
		return;
	if (op == (3 << 3 | 6)) /* DAIFSet */
		set_daif(c, c->pstate | imm << 6);
	else if (op == (3 << 3 | 7)) /* DAIFClr */
		set_daif(c, c->pstate & ~((uint64_t)imm << 6));
	else if (op == (3 << 3 | 1)) /* SSBS */
		set_pstate_field(c, ARM_PSTATE_SSBS, imm & 1 ? ARM_PSTATE_SSBS : 0);
	else if (op == (3 << 3 | 2)) /* DIT */
		set_pstate_field(c, ARM_PSTATE_DIT, imm & 1 ? ARM_PSTATE_DIT : 0);
	else if (el && op == 5) /* SPSel */
		set_pstate_field(c, ARM_PSTATE_SP, imm & 1);
	else if (el && op == 4) /* PAN */
		set_pstate_field(c, ARM_PSTATE_PAN, imm & 1 ? ARM_PSTATE_PAN : 0);
	else if (el && op == 3) /* UAO */
		set_pstate_field(c, ARM_PSTATE_UAO, imm & 1 ? ARM_PSTATE_UAO : 0);
	else
		soft_undefined(c);
}

/* ---- from outside ---- */

uint64_t soft_sysreg_value(struct soft_cpu *c, uint16_t code)
{
	const struct sysreg_desc *d = describe(c->sys->vm, code);
	uint64_t v = 0;

	if (d && !read_special(c, code, &v))
		v = read_stored(c, shown(c, d)) | soft_layouts_hidden(c, d);
	return v;
}

struct sysreg_masks soft_sysreg_masks(const struct soft_cpu *c, uint16_t code)
{
	const struct sysreg_desc *d = describe(c->sys->vm, code);

	if (d && d->index < SYSREG_INDEX_COUNT)
		return soft_layouts_masks(c, d);
	return (struct sysreg_masks){.writable = ~0ULL};
}

int soft_sysreg_get(struct soft_cpu *c, uint16_t code, uint64_t *value)
{
	const struct hv_vm *vm = c->sys->vm;
	const struct sysreg_desc *d = describe(vm, code);

	if (d ? !sysreg_exists(d, &vm->features, vm->els) : !sysreg_is_id(code))
		return -ENOENT;
	if (!read_special(c, code, value))
		*value = d ? read_stored(c, d) : 0;
	return 0;
}

int soft_sysreg_set(struct soft_cpu *c, uint16_t code, uint64_t value)
{
	const struct sysreg_desc *d = describe(c->sys->vm, code);

	if (!d)
		return -ENOENT;
	if (write_special(c, code, value))
		return 0;
	if (!soft_layouts_write(c, d, value) && d->index < SYSREG_INDEX_COUNT)
		c->sys->reg[d->index] = value;
	after_write(c, code);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System instructions: exception generation and return, hints, barriers, SYS (cache and TLB maintenance,
 * address translation). Arm ARM (DDI 0487), C5.3 to C5.5, C6.2.
 */
#include "hv/soft/sys.h"

#include "util/bits.h"

#include <string.h>

/* ---- exceptions ---- */

void soft_SVC(struct soft_cpu *c, uint32_t w)
{
	soft_raise_svc(c, a64_imm16(w));
}

/* Calls that no level of the machine takes leave it: firmware is elsewhere. */
void soft_HVC(struct soft_cpu *c, uint32_t w)
{
	struct arm_route r = soft_route(c);
	struct arm_trap t;

	if (c->sys->vm->highest_el == 1 && r.el) {
		soft_exit(c, HV_EXIT_HVC, false);
		return;
	}
	t = arm_trap_hvc(&r);
	if (!soft_take_trap(c, t, 0))
		soft_take(c, ARM_EXC_SYNC, t.el, arm_esr_hvc(a64_imm16(w)), 0, c->pc + 4);
}

void soft_SMC(struct soft_cpu *c, uint32_t w)
{
	struct arm_route r = soft_route(c);
	struct arm_trap t = arm_trap_smc(&r);

	if (soft_take_trap(c, t, arm_esr_smc(a64_imm16(w))))
		return;
	if (t.el == 0 || (c->sys->vm->smc_exits && r.el < 3))
		soft_exit(c, HV_EXIT_SMC, false);
	else
		soft_take(c, ARM_EXC_SYNC, t.el, arm_esr_smc(a64_imm16(w)), 0, c->pc + 4);
}

void soft_BRK(struct soft_cpu *c, uint32_t w)
{
	if (c->sys->debug_flags & HV_DEBUG_BRK && c->sys->vm->els1)
		soft_exit(c, HV_EXIT_BRK, true)->brk.imm = a64_imm16(w);
	else
		soft_raise_brk(c, a64_imm16(w));
}

/* Halting debug does not exist here. */
void soft_HLT(struct soft_cpu *c, uint32_t w)
{
	soft_undefined(c);
}

void soft_DCPS1(struct soft_cpu *c, uint32_t w)
{
	soft_undefined(c);
}

void soft_DCPS2(struct soft_cpu *c, uint32_t w)
{
	soft_undefined(c);
}

void soft_DCPS3(struct soft_cpu *c, uint32_t w)
{
	soft_undefined(c);
}

void soft_DRPS(struct soft_cpu *c, uint32_t w)
{
	soft_undefined(c);
}

void soft_ERET(struct soft_cpu *c, uint32_t w)
{
	if (soft_el(c) == 0)
		soft_undefined(c);
	else
		soft_eret(c);
}

/* ---- waiting ---- */

enum { HINT_YIELD = 1, HINT_WFE, HINT_WFI, HINT_SEV, HINT_SEVL };

static bool wait_trapped(struct soft_cpu *c, bool is_wfe)
{
	struct arm_route r = soft_route(c);

	return soft_take_trap(c, arm_trap_wfx(&r, soft_current_sctlr(c), is_wfe),
			      arm_esr_wfx(is_wfe));
}

enum { WFE_NS = 50000, WFE_MAX_NS = 2000000 };

static void wfi(struct soft_cpu *c)
{
	if (soft_interrupt_waiting(c) || wait_trapped(c, false))
		return;
	soft_timers(c); /* the deadline as it is now */
	soft_sleep(c, SOFT_FOREVER_NS);
}

/* Waiting for an event may end at any time, so it ends soon: spin locks of the guest go on the moment the
 * lock is free, and nobody needs to be told. Only one that waits at the same place again and again, as PEs do that
 * firmware keeps for later, is let sleep longer; SEV wakes it. */
static uint64_t wfe_ns(struct soft_cpu *c)
{
	struct soft_sys *s = c->sys;
	uint64_t ns = s->wfe_pc == c->pc && s->wfe_ns ? 2 * s->wfe_ns : WFE_NS;

	if (ns > WFE_MAX_NS)
		ns = WFE_MAX_NS;
	__atomic_store_n(&s->wfe_ns, ns, __ATOMIC_RELAXED);
	s->wfe_pc = c->pc;
	return ns;
}

static void wfe(struct soft_cpu *c)
{
	if (__atomic_load_n(&c->sys->event_register, __ATOMIC_ACQUIRE)) {
		__atomic_store_n(&c->sys->event_register, false, __ATOMIC_RELAXED);
		__atomic_store_n(&c->sys->wfe_ns, 0, __ATOMIC_RELAXED);
		return;
	}
	if (wait_trapped(c, true) || soft_interrupt_waiting(c))
		return;
	soft_timers(c);
	soft_sleep(c, wfe_ns(c));
}

static void wake_waiter(struct hv_vcpu *v)
{
	soft_event(&v->c, SOFT_EVENT_TIME);
	soft_wake(&v->c);
}

static void send_event(struct soft_cpu *c)
{
	struct hv_vm *vm = c->sys->vm;

	for (unsigned i = 0; i < SOFT_MAX_CPUS; i++) {
		struct hv_vcpu *v = __atomic_load_n(&vm->cpu[i], __ATOMIC_ACQUIRE);

		if (!v)
			continue;
		__atomic_store_n(&v->s.event_register, true, __ATOMIC_RELEASE);
		if (&v->c != c && __atomic_load_n(&v->s.wfe_ns, __ATOMIC_RELAXED))
			wake_waiter(v);
	}
}

void soft_HINT(struct soft_cpu *c, uint32_t w)
{
	switch (a64_CRm(w) << 3 | a64_op2(w)) {
	case HINT_WFE:
		wfe(c);
		break;
	case HINT_WFI:
		wfi(c);
		break;
	case HINT_SEV:
		send_event(c);
		break;
	case HINT_SEVL:
		c->sys->event_register = true;
		break;
	}
}

/* ---- barriers ---- */

void soft_DSB(struct soft_cpu *c, uint32_t w)
{
	soft_dsb(c);
}

void soft_DMB(struct soft_cpu *c, uint32_t w)
{
	atomic_thread_fence(memory_order_seq_cst);
}

void soft_ISB(struct soft_cpu *c, uint32_t w)
{
}

void soft_SB(struct soft_cpu *c, uint32_t w)
{
}

/* ---- SYS ---- */

typedef void sys_fn(struct soft_cpu *c, uint64_t x);

static void nothing(struct soft_cpu *c, uint64_t x)
{
}

enum { DC_LINE_BYTES = 64 };

/* DC ZVA and DC IVAC are stores for watchpoints, D2.10.6; no other maintenance is. The syndrome says of DC IVAC only
 * that it is maintenance. */
static bool watched(struct soft_cpu *c, uint64_t va, unsigned bytes, bool is_cache)
{
	return c->sys->debug.watchpoints && soft_watch_slow(c, va, bytes, true, false, is_cache);
}

static void dc_zva(struct soft_cpu *c, uint64_t x)
{
	unsigned bytes = c->sys->vm->zva_bytes;
	uint64_t va = align_down(x, bytes);
	struct soft_tlb_entry *e = soft_translate(c, x, SOFT_WRITE, 0); /* FAR_ELx: x */

	if (!e || watched(c, va, bytes, false))
		return;
	if (e->device)
		soft_device_alignment(c, e, x, true);
	else if (!e->writable)
		soft_device(c, x, e->pa + (va & (SOFT_PAGE - 1)), bytes, true,
			    e->secure ? SOFT_MEM_SECURE : 0, 0);
	else
		memset((void *)(uintptr_t)(va + e->addend), 0, bytes);
}

/* Maintenance by address does nothing here, but faults as a load does. */
static void dc_by_va(struct soft_cpu *c, uint64_t x)
{
	soft_translate(c, x, SOFT_READ, SOFT_MEM_CACHE);
}

static void dc_ivac(struct soft_cpu *c, uint64_t x)
{
	if (soft_translate(c, x, SOFT_WRITE, SOFT_MEM_CACHE))
		watched(c, align_down(x, DC_LINE_BYTES), DC_LINE_BYTES, true);
}

struct sys_op {
	uint16_t code; /* SYSREG(1, op1, CRn, CRm, op2) */
	sys_fn *fn;
	bool el0;
	uint8_t kind; /* enum arm_maintenance */
};

#define OP(op1, crn, crm, op2) SYSREG(1, op1, crn, crm, op2)

static const struct sys_op sys_ops[] = {
	/* IC: code is never stale. */
	{OP(0, 7, 1, 0), nothing, false, ARM_OP_POINT_UNIFICATION},  /* IC IALLUIS */
	{OP(0, 7, 5, 0), nothing, false, ARM_OP_POINT_UNIFICATION},  /* IC IALLU */
	{OP(3, 7, 5, 1), dc_by_va, true, ARM_OP_POINT_UNIFICATION},  /* IC IVAU */
	{OP(0, 7, 6, 1), dc_ivac, false, ARM_OP_POINT_COHERENCY},    /* DC IVAC */
	{OP(0, 7, 6, 2), nothing, false, ARM_OP_SET_WAY},	     /* DC ISW */
	{OP(0, 7, 10, 2), nothing, false, ARM_OP_SET_WAY},	     /* DC CSW */
	{OP(0, 7, 14, 2), nothing, false, ARM_OP_SET_WAY},	     /* DC CISW */
	{OP(3, 7, 4, 1), dc_zva, true, ARM_OP_ZERO},		     /* DC ZVA */
	{OP(3, 7, 10, 1), dc_by_va, true, ARM_OP_POINT_COHERENCY},   /* DC CVAC */
	{OP(3, 7, 11, 1), dc_by_va, true, ARM_OP_POINT_UNIFICATION}, /* DC CVAU */
	{OP(3, 7, 12, 1), dc_by_va, true, ARM_OP_POINT_COHERENCY},   /* DC CVAP */
	{OP(3, 7, 14, 1), dc_by_va, true, ARM_OP_POINT_COHERENCY},   /* DC CIVAC */
};

static const struct sys_op *find_op(uint16_t code)
{
	for (size_t i = 0; i < ARRAY_COUNT(sys_ops); i++) {
		if (sys_ops[i].code == code)
			return &sys_ops[i];
	}
	return NULL;
}

enum { CRN_TLBI = 8 };

void soft_SYS(struct soft_cpu *c, uint32_t w)
{
	uint16_t code = OP(a64_op1(w), a64_CRn(w), a64_CRm(w), a64_op2(w));
	uint64_t esr = arm_esr_sysreg(code, a64_Rt(w), false), sctlr = soft_current_sctlr(c);
	const struct sys_op *op = find_op(code);
	enum arm_maintenance kind = a64_CRn(w) == CRN_TLBI ? ARM_OP_TLB : ARM_OP_OTHER;
	struct arm_route r = soft_route(c);

	if (!op && !soft_mmu_op_exists(c, code)) {
		soft_undefined(c);
		return;
	}
	if (op)
		kind = (enum arm_maintenance)op->kind;
	if (soft_take_trap(c, arm_trap_maintenance(&r, kind, op && op->el0, sctlr), esr))
		return;
	if (op)
		op->fn(c, soft_x(c, a64_Rt(w)));
	else
		soft_mmu_op(c, code, soft_x(c, a64_Rt(w)));
}

/* No instruction with a result is implemented. */
void soft_SYSL(struct soft_cpu *c, uint32_t w)
{
	soft_undefined(c);
}

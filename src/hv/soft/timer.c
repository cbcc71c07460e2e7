/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The generic timer of a CPU: Arm ARM (DDI 0487), D12. Counters run at SOFT_COUNTER_HZ on the host's
 * monotonic clock or the VM's virtual one, or are the host's own; the same for all CPUs of a VM.
 */
#include "hv/soft/sys.h"

#include "host/clock.h"
#include "host/counter.h"
#include "util/bits.h"

enum {
	NS_PER_TICK = 1000000000 / SOFT_COUNTER_HZ,
	CTL_ENABLE = 1,
	CTL_IMASK = 2,
	CTL_ISTATUS = 4,
};

struct timer {
	uint16_t ctl, cval; /* register indices */
	bool is_virtual;
	uint8_t out; /* enum hv_timer */
};

enum { T_PHYS, T_VIRT, T_HYP, T_HYP_VIRT, T_SEC, T_COUNT };

static const struct timer timers[T_COUNT] = {
	[T_PHYS] = {SYSREG_IX_CNTP_CTL_EL0, SYSREG_IX_CNTP_CVAL_EL0, false, HV_TIMER_PHYS},
	[T_VIRT] = {SYSREG_IX_CNTV_CTL_EL0, SYSREG_IX_CNTV_CVAL_EL0, true, HV_TIMER_VIRT},
	[T_HYP] = {SYSREG_IX_CNTHP_CTL_EL2, SYSREG_IX_CNTHP_CVAL_EL2, false, HV_TIMER_HYP},
	/* EL2's virtual timer has an offset of 0. */
	[T_HYP_VIRT] = {SYSREG_IX_CNTHV_CTL_EL2, SYSREG_IX_CNTHV_CVAL_EL2, false,
			HV_TIMER_HYP_VIRT},
	[T_SEC] = {SYSREG_IX_CNTPS_CTL_EL1, SYSREG_IX_CNTPS_CVAL_EL1, false, HV_TIMER_SEC},
};

uint64_t soft_counter(const struct soft_cpu *c)
{
	if (c->sys->vm->host_counter)
		return host_counter();
	return (soft_now_ns(c) - c->sys->vm->start_ns) / NS_PER_TICK;
}

static uint64_t count_of(const struct soft_cpu *c, const struct timer *t)
{
	return soft_counter(c) - (t->is_virtual ? SOFT_REG(c, CNTVOFF_EL2) : 0);
}

/* A host sees no offset: D24.10 CNTVCT_EL0. */
uint64_t soft_counter_offset(const struct soft_cpu *c)
{
	struct arm_route r;

	if (!soft_have_el(c, 2))
		return 0;
	r = soft_route(c);
	return arm_el_is_in_host(&r, r.el) ? 0 : SOFT_REG(c, CNTVOFF_EL2);
}

uint64_t soft_counter_virtual(const struct soft_cpu *c)
{
	return soft_counter(c) - soft_counter_offset(c);
}

/* The time @ticks from now, 0: never. */
static uint64_t deadline(const struct soft_cpu *c, uint64_t ticks)
{
	const struct hv_vm *vm = c->sys->vm;

	if (vm->host_counter) {
		__uint128_t ns = (__uint128_t)ticks * NS_PER_S / host_counter_hz() + 1;

		return ns < INT64_MAX ? clock_mono_ns() + (uint64_t)ns : 0;
	}
	if (ticks >= (UINT64_MAX - vm->start_ns) / NS_PER_TICK - soft_counter(c))
		return 0;
	return vm->start_ns + (soft_counter(c) + ticks) * NS_PER_TICK;
}

uint32_t soft_timers(struct soft_cpu *c)
{
	uint64_t next = UINT64_MAX;
	uint32_t levels = 0;

	for (unsigned i = 0; i < T_COUNT; i++) {
		const struct timer *t = &timers[i];
		uint64_t ctl = c->sys->reg[t->ctl], cval = c->sys->reg[t->cval], now;

		if (!(ctl & CTL_ENABLE))
			continue;
		now = count_of(c, t);
		if (now < cval && cval - now < next)
			next = cval - now;
		if (now >= cval && !(ctl & CTL_IMASK))
			levels |= 1U << t->out;
	}
	c->sys->deadline_ns = next == UINT64_MAX ? 0 : deadline(c, next);
	return levels;
}

static const struct timer *find(const struct soft_cpu *c, uint16_t code, unsigned *what)
{
	static const struct {
		uint16_t first;
		uint8_t timer;
	} groups[] = {
		{SYSREG(3, 3, 14, 2, 0), T_PHYS}, {SYSREG(3, 3, 14, 3, 0), T_VIRT},
		{SYSREG(3, 4, 14, 2, 0), T_HYP},  {SYSREG(3, 4, 14, 3, 0), T_HYP_VIRT},
		{SYSREG(3, 7, 14, 2, 0), T_SEC},
	};

	for (unsigned i = 0; i < ARRAY_COUNT(groups); i++) {
		*what = code - groups[i].first;
		if (*what <= 2)
			return &timers[groups[i].timer];
	}
	return NULL;
}

enum { TVAL, CTL, CVAL };

bool soft_timer_read(struct soft_cpu *c, uint16_t code, uint64_t *value)
{
	unsigned what;
	const struct timer *t = find(c, code, &what);
	uint64_t cval, ctl;

	if (!t)
		return false;
	cval = c->sys->reg[t->cval];
	ctl = c->sys->reg[t->ctl];
	if (what == CVAL)
		*value = cval;
	else if (what == TVAL)
		*value = (uint32_t)(cval - count_of(c, t));
	else
		*value = ctl | (ctl & CTL_ENABLE && count_of(c, t) >= cval ? CTL_ISTATUS : 0);
	return true;
}

bool soft_timer_write(struct soft_cpu *c, uint16_t code, uint64_t value)
{
	unsigned what;
	const struct timer *t = find(c, code, &what);

	if (!t)
		return false;
	if (what == CVAL)
		c->sys->reg[t->cval] = value;
	else if (what == TVAL)
		c->sys->reg[t->cval] = count_of(c, t) + (uint64_t)(int32_t)value;
	else
		c->sys->reg[t->ctl] = value & (CTL_ENABLE | CTL_IMASK);
	soft_event(c, SOFT_EVENT_TIME);
	return true;
}

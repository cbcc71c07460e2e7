/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM on a virtual clock: its CPUs take turns in one thread, and an instruction executed is time that has passed,
 * SOFT_NS_PER_INSTRUCTION for all of them alike. So what a CPU sees of time never goes back, whichever of them looks.
 *
 * soft_cpu.budget counts down to the next timer or to the end of the turn. soft_settle() makes what is gone of it
 * time of the clock; in between, that is added (soft_now_ns()).
 *
 * An instruction counts when it is begun, once, also if it faults, or is carried out by somebody else after an exit.
 */
#include "hv/soft/sys.h"

#include "host/clock.h"

static uint64_t since_settled(const struct soft_cpu *c)
{
	return (uint64_t)(c->sys->stint - c->budget);
}

uint64_t soft_now_ns(const struct soft_cpu *c)
{
	const struct virtual_clock *clock = c->sys->vm->clock;

	return clock ? clock->ns + since_settled(c) * SOFT_NS_PER_INSTRUCTION : clock_mono_ns();
}

void soft_settle(struct soft_cpu *c)
{
	struct soft_sys *s = c->sys;
	uint64_t n = since_settled(c);

	s->executed += n;
	s->vm->clock->ns += n * SOFT_NS_PER_INSTRUCTION;
	s->stint = c->budget;
}

bool soft_turn_budget(struct soft_cpu *c)
{
	struct soft_sys *s = c->sys;
	uint64_t end = s->turn_end_ns, n = 0;

	soft_settle(c);
	if (s->deadline_ns && s->deadline_ns < end)
		end = s->deadline_ns;
	if (end > s->vm->clock->ns)
		n = (end - s->vm->clock->ns - 1) / SOFT_NS_PER_INSTRUCTION + 1;
	c->budget = s->stint = n < INT32_MAX ? (int32_t)n : INT32_MAX;
	return n > 0;
}

void soft_set_turn(struct hv_vcpu *v, uint64_t end_ns)
{
	v->s.turn_end_ns = end_ns;
}

uint64_t soft_instructions(struct hv_vcpu *v)
{
	return v->s.executed;
}

/* ---- waiting ---- */

/* Others can only run when this one leaves its turn. */
void soft_fall_asleep(struct soft_cpu *c, uint64_t end_ns)
{
	c->sys->asleep = true;
	c->sys->sleep_end_ns = end_ns;
	soft_exit(c, HV_EXIT_WAIT, false)->wait.until_ns = soft_wait_end(c);
}

uint64_t soft_wait_end(const struct soft_cpu *c)
{
	const struct soft_sys *s = c->sys;
	uint64_t end = s->asleep ? s->sleep_end_ns : UINT64_MAX;

	return s->deadline_ns && s->deadline_ns < end ? s->deadline_ns : end;
}

bool soft_still_asleep(struct soft_cpu *c)
{
	struct soft_sys *s = c->sys;

	if (!s->asleep)
		return false;
	if (soft_interrupt_waiting(c))
		s->asleep = false;
	else if (s->sleep_end_ns != UINT64_MAX) /* WFE */
		s->asleep = !s->event_register && s->vm->clock->ns < s->sleep_end_ns;
	return s->asleep;
}

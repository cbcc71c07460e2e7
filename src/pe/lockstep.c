/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PEs on a virtual clock: they take turns in the thread of pe_set_run(), and all that happens to the machine happens
 * there, at a time that depends on nothing but what the guest has executed.
 *
 * A turn ends after TURN_NS of virtual time, when a timer of a device is due, or when the PE waits. Timers and deferred
 * calls of the loop are served between turns; a PE sees its interrupt lines when its turn comes. Where every PE waits,
 * time jumps to whatever comes next.
 *
 * The host is looked at every LOOK_NS, in between only by who holds the clock, so that input from a file comes
 * at the same times, too. Nobody waits for another PE here: those that have no turn are parked.
 */
#include "pe/pe_int.h"

#include "host/clock.h"
#include "host/loop.h"

enum { TURN_NS = 4096, LOOK_NS = 1000000 };

int lockstep_create(struct pe *pe, struct err *e)
{
	const struct pe_set_config *cfg = &pe->set->cfg;
	int r = cfg->hv->vcpu_create(cfg->vm, pe->number, &pe->vcpu, e);

	pe->thread = pthread_self();
	__atomic_store_n(&pe->vcpu_ready, r == 0, __ATOMIC_RELEASE);
	return r;
}

/* ---- a hash of what has been executed ---- */

/* FNV-1a, on words. */
static void mix(struct pe_set *s, uint64_t value)
{
	s->turns.hash = (s->turns.hash ^ value) * 0x100000001b3;
}

static void note(struct pe *pe, enum hv_exit_kind kind)
{
	struct pe_set *s = pe->set;

	mix(s, (uint64_t)pe->number << 8 | kind);
	mix(s, s->cfg.clock->ns);
	mix(s, pe_get(pe, REG_PC));
	for (unsigned n = 0; kind == HV_EXIT_TURN && n < 31; n++)
		mix(s, pe_get_x(pe, n));
}

/* ---- a turn ---- */

/* The machine stands still while somebody waits for the host. False: it is to stop. */
static bool wait_for_host(const struct pe_set *s)
{
	while (!loop_stopping(s->cfg.loop) && clock_held(s->cfg.clock))
		loop_poll(s->cfg.loop, true);
	return !loop_stopping(s->cfg.loop);
}

/* At least one instruction, or device timers that are always due would leave the PE none. */
static uint64_t turn_end(const struct pe_set *s, uint64_t begin)
{
	uint64_t timer = loop_next_machine_ns(s->cfg.loop), end = begin + TURN_NS;

	end = timer < end ? timer : end;
	return end > s->cfg.clock->ns ? end : s->cfg.clock->ns + 1;
}

/* A turn does not end while the PE has paused the others: whoever wants to do that between turns would wait. */
static bool goes_on(const struct pe *pe, enum hv_exit_kind kind)
{
	if (kind == HV_EXIT_TURN)
		return pe->set->pauser == pe;
	return kind != HV_EXIT_WAIT;
}

/* False: it had nothing to execute. */
static bool take_turn(struct pe *pe)
{
	const struct pe_set_config *cfg = &pe->set->cfg;
	uint64_t begin = cfg->clock->ns, end;
	enum hv_exit_kind kind = HV_EXIT_KICK;

	pe->wait_ns = UINT64_MAX;
	do {
		if (!pe_take_turn(pe))
			break;
		end = turn_end(pe->set, begin);
		cfg->hv->set_turn(pe->vcpu, end);
		kind = pe_run_once(pe);
		note(pe, kind);
	} while (goes_on(pe, kind) && wait_for_host(pe->set));
	pe_leave_turn(pe);
	return cfg->clock->ns != begin;
}

/* ---- the machine ---- */

/* Nobody has anything to execute. */
static void skip_time(struct pe_set *s)
{
	uint64_t next = loop_next_machine_ns(s->cfg.loop);

	for (unsigned i = 0; i < s->count; i++) {
		if (s->pe[i].wait_ns < next)
			next = s->pe[i].wait_ns;
	}
	if (next == UINT64_MAX)
		loop_poll(s->cfg.loop, true);
	else if (next > s->cfg.clock->ns)
		s->cfg.clock->ns = next;
	else /* a device whose timer is always due: the host must be looked at some time */
		s->cfg.clock->ns++;
}

/* All PEs, until one has executed something. */
static void round_of_turns(struct pe_set *s, unsigned *next)
{
	for (unsigned i = 0; i < s->count; i++) {
		struct pe *pe = &s->pe[*next];

		*next = (*next + 1) % s->count;
		if (take_turn(pe))
			return;
	}
	if (wait_for_host(s))
		skip_time(s);
}

/* Not by a PE, which goes on then. */
static bool paused(const struct pe_set *s)
{
	return s->paused && s->pauser == s;
}

void pe_set_run(struct pe_set *s)
{
	struct loop *loop = s->cfg.loop;
	uint64_t look_ns = 0;
	unsigned next = 0;

	s->turns.hash = 0xcbf29ce484222325;
	for (;;) {
		loop_run_due(loop);
		if (!wait_for_host(s))
			return;
		if (paused(s) || s->cfg.clock->ns >= look_ns) {
			look_ns = s->cfg.clock->ns + LOOK_NS;
			loop_poll(loop, paused(s));
		} else {
			round_of_turns(s, &next);
		}
	}
}

bool pe_set_turns(const struct pe_set *s, struct pe_turns *out)
{
	if (!s->cfg.clock)
		return false;
	*out = s->turns;
	out->ns = s->cfg.clock->ns;
	out->instructions = 0;
	for (unsigned i = 0; i < s->count; i++) {
		if (s->pe[i].vcpu)
			out->instructions += s->cfg.hv->instructions(s->pe[i].vcpu);
	}
	return true;
}

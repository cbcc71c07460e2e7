/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop: fetch, look the word up, call its function. Whatever else may have to be done before an
 * instruction is a bit of soft_cpu.event, or due when the budget is used up.
 *
 * Decoded words are kept by content, not by address: the word is read from the guest's memory each time, so
 * code that changes is never stale.
 */
#include "hv/soft/sys.h"

#include "host/clock.h"
#include "util/bits.h"

#include <string.h>
#include <time.h>

enum { TURN_WFE_NS = 4000 }; /* of a virtual clock: others have had a turn by then */

/* ---- leaving the guest ---- */

struct hv_exit *soft_exit(struct soft_cpu *c, enum hv_exit_kind kind, bool stay)
{
	c->sys->exit.kind = kind;
	if (stay)
		c->next_pc = c->pc;
	soft_event(c, SOFT_EVENT_EXIT);
	return &c->sys->exit;
}

void soft_device(struct soft_cpu *c, uint64_t va, uint64_t pa, unsigned bytes, bool write,
		 unsigned flags, uint64_t value)
{
	struct soft_sys *s = c->sys;
	struct hv_exit *x;

	s->mmio.va = va;
	s->mmio.is_write = write;
	if (!(flags & SOFT_MEM_ISV)) {
		x = soft_exit(c, HV_EXIT_DABT, true);
		x->dabt.ipa = pa;
		x->dabt.is_write = write;
		x->dabt.is_cache = false;
		x->dabt.secure = flags & SOFT_MEM_SECURE;
		return;
	}
	x = soft_exit(c, HV_EXIT_MMIO, true);
	x->mmio.ipa = pa;
	x->mmio.size = bytes;
	x->mmio.is_write = write;
	x->mmio.secure = flags & SOFT_MEM_SECURE;
	x->mmio.value = write ? value : 0;
	s->mmio.pending = true;
	s->mmio.size = bytes;
	s->mmio.rt = flags >> SOFT_MEM_RT_SHIFT & 31;
	s->mmio.sign = flags & SOFT_MEM_SIGN;
	s->mmio.dst64 = flags & SOFT_MEM_DST64;
}

/* ---- sleeping ---- */

void soft_wake(struct soft_cpu *c)
{
	pthread_mutex_lock(&c->sys->lock);
	pthread_cond_signal(&c->sys->wake);
	pthread_mutex_unlock(&c->sys->lock);
}

static struct timespec at_ns(uint64_t ns)
{
	return (struct timespec){(time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S)};
}

/* While it sleeps, a CPU counts as being outside the guest for those that wait for its TLB. */
void soft_sleep(struct soft_cpu *c, uint64_t max_ns)
{
	struct soft_sys *s = c->sys;
	uint64_t until = clock_mono_ns() + max_ns;
	struct timespec t;

	if (s->vm->clock) {
		soft_fall_asleep(c, max_ns == SOFT_FOREVER_NS ? UINT64_MAX
							      : soft_now_ns(c) + TURN_WFE_NS);
		return;
	}
	if (s->deadline_ns && s->deadline_ns < until)
		until = s->deadline_ns;
	t = at_ns(until);
	atomic_store(&s->in_guest, false);
	pthread_mutex_lock(&s->lock);
	while (!(atomic_load(&c->event) & ~(unsigned)SOFT_EVENT_STEP)) {
		if (pthread_cond_timedwait(&s->wake, &s->lock, &t))
			break;
	}
	pthread_mutex_unlock(&s->lock);
	atomic_store(&s->in_guest, true);
	soft_event(c, SOFT_EVENT_TIME | SOFT_EVENT_FLUSH);
}

void soft_kick(struct hv_vcpu *v)
{
	soft_event(&v->c, SOFT_EVENT_KICK);
	soft_wake(&v->c);
	if (v->s.vm->notify)
		v->s.vm->notify(v);
}

/* ---- before an instruction ---- */

static bool timer_exits(const struct soft_cpu *c, uint32_t levels)
{
	const struct soft_like *like = c->sys->vm->like;

	return !like || !like->timers_rise || levels & ~c->sys->timer_levels;
}

static void timers_fell(struct soft_cpu *c)
{
	c->sys->timer_levels &= soft_timers(c);
}

/* Timer outputs are the board's business: a change is an exit. */
static bool timers_changed(struct soft_cpu *c)
{
	uint32_t levels = soft_timers(c);

	if (levels == c->sys->timer_levels || !timer_exits(c, levels))
		return false;
	c->sys->timer_levels = levels;
	return true;
}

/* How far to go until the timers are looked at again. False: the turn is over. */
static bool new_budget(struct soft_cpu *c)
{
	if (c->sys->vm->clock)
		return soft_turn_budget(c);
	c->budget = SOFT_POLL;
	return true;
}

enum poll_result {
	POLL_LEAVE, /* the guest, with soft_sys.exit */
	POLL_AGAIN, /* an exception was taken */
	POLL_GO,
};

/* Handle what is due. */
static enum poll_result poll(struct soft_cpu *c)
{
	unsigned e = atomic_exchange_explicit(&c->event, 0, memory_order_acquire);
	struct soft_sys *s = c->sys;

	/* What has not begun does not count. */
	c->budget++;
	if (s->debug.stepping && !(e & SOFT_EVENT_EXIT)) /* an exit may yet become an exception */
		soft_step_end(c);
	if (e & SOFT_EVENT_FLUSH)
		soft_flush_requests(c);
	if (e & SOFT_EVENT_EXIT) {
		soft_event(c, e & ~(unsigned)SOFT_EVENT_EXIT);
		return POLL_LEAVE;
	}
	if (s->debug_flags & HV_DEBUG_STEP) {
		if (s->step_done) {
			s->exit.kind = HV_EXIT_STEP;
			soft_event(c, e & ~(unsigned)SOFT_EVENT_STEP);
			return POLL_LEAVE;
		}
		s->step_done = true;
		soft_event(c, SOFT_EVENT_STEP);
	}
	if (e & SOFT_EVENT_KICK) {
		s->exit.kind = HV_EXIT_KICK;
		soft_event(c, e & ~(unsigned)SOFT_EVENT_KICK);
		return POLL_LEAVE;
	}
	if (c->budget <= 0 || e & SOFT_EVENT_TIME) {
		bool changed = timers_changed(c);

		if (!new_budget(c) || changed) {
			s->exit.kind = changed ? HV_EXIT_KICK : HV_EXIT_TURN;
			soft_event(c, e & ~(unsigned)SOFT_EVENT_TIME);
			return POLL_LEAVE;
		}
	}
	if (soft_interrupt_pending(c) && soft_interrupts(c))
		return POLL_AGAIN;
	if (e & SOFT_EVENT_STEP && soft_step_begin(c)) {
		c->pc = c->next_pc;
		return POLL_AGAIN;
	}
	c->budget--;
	return POLL_GO;
}

/* ---- decoding ---- */

void soft_decode_reset(struct soft_cpu *c)
{
	memset(c->sys->decoded, 0, sizeof(c->sys->decoded));
	c->sys->decoded[0].fn = soft_function(&c->sys->vm->features,
					      0); /* the word 0 would look decoded */
}

static void decode(struct soft_cpu *c, struct soft_decoded *d, uint32_t word)
{
	struct hv_vm *vm = c->sys->vm;

	d->word = word;
	d->fn = soft_function(&vm->features, word);
	if (vm->like)
		d->fn = soft_like_function(vm->like, word, d->fn);
	d->trap = 0;
	if (vm->wants)
		d->trap = vm->wants(vm->wants_opaque, word);
}

static void intercepted(struct soft_cpu *c, uint32_t word)
{
	soft_exit(c, HV_EXIT_INTERCEPT, true)->intercept.word = word;
}

static inline unsigned slot_of(uint32_t word)
{
	return word * 2654435761U >> (32 - SOFT_DECODE_BITS);
}

static void execute(struct soft_cpu *c, uint32_t word)
{
	struct soft_decoded *d = &c->sys->decoded[slot_of(word)];

	if (d->word != word)
		decode(c, d, word);
	c->next_pc = c->pc + 4;
	if (d->trap && bit(d->trap, soft_el(c)))
		intercepted(c, word);
	else
		d->fn(c, word);
}

static uint32_t fetched(const struct soft_cpu *c)
{
	const struct hv_vm *vm = c->sys->vm;
	uint32_t word;

	memcpy(&word, c->fetch_host + (c->pc & (SOFT_PAGE - 1)), 4);
	return vm->original ? vm->original(vm->hooks_opaque, word) : word;
}

/* Data processing: some of its functions look at the operands before soft_fp_check() has fetched them. */
static void have_operands(struct soft_cpu *c, uint32_t word)
{
	if (c->fp_elsewhere && bits(word, 27, 25) == 7 && !soft_fp_is_trapped(c))
		c->sys->vm->fetch_fp(c);
}

enum soft_stepped soft_step_word(struct soft_cpu *c, uint32_t word)
{
	if (--c->budget < 0 || atomic_load_explicit(&c->event, memory_order_relaxed)) {
		enum poll_result r = poll(c);

		if (r != POLL_GO)
			return r == POLL_LEAVE ? SOFT_LEFT : SOFT_WENT_ON;
	}
	if (word || !((c->pc ^ c->fetch_page) & ~0xffcULL) || soft_fetch_page(c)) {
		word = word ? word : fetched(c);
		have_operands(c, word);
		execute(c, word);
	}
	c->pc = c->next_pc;
	if (!(atomic_load_explicit(&c->event, memory_order_relaxed) & SOFT_EVENT_EXIT))
		return SOFT_WENT_ON;
	return poll(c) == POLL_LEAVE ? SOFT_LEFT : SOFT_WENT_ON;
}

static void loop(struct soft_cpu *c)
{
	struct soft_decoded *decoded = c->sys->decoded;

	for (;;) {
		struct soft_decoded *d;
		uint32_t word;

		if (__builtin_expect(--c->budget < 0 ||
					     atomic_load_explicit(&c->event, memory_order_relaxed),
				     0)) {
			enum poll_result r = poll(c);

			if (r == POLL_LEAVE)
				return;
			if (r == POLL_AGAIN)
				continue;
		}
		if (__builtin_expect((c->pc ^ c->fetch_page) & ~0xffcULL, 0) &&
		    !soft_fetch_page(c)) {
			c->pc = c->next_pc;
			continue;
		}
		word = __atomic_load_n(
			(const uint32_t *)(const void *)(c->fetch_host + (c->pc & (SOFT_PAGE - 1))),
			__ATOMIC_RELAXED);
		d = &decoded[slot_of(word)];
		if (__builtin_expect(d->word != word, 0))
			decode(c, d, word);
		c->next_pc = c->pc + 4;
		if (__builtin_expect(d->trap, 0) && bit(d->trap, soft_el(c)))
			intercepted(c, word);
		else
			d->fn(c, word);
		c->pc = c->next_pc;
	}
}

/* One turn of run() while wait_for_interrupt() is in force. */
static void wait(struct soft_cpu *c)
{
	struct soft_sys *s = c->sys;

	s->exit.kind = HV_EXIT_KICK;
	if (soft_interrupt_waiting(c)) {
		s->waiting = false;
		s->exit.kind = HV_EXIT_WAKE;
		return;
	}
	if (!timers_changed(c) && !(atomic_load(&c->event) & SOFT_EVENT_KICK)) {
		if (s->vm->clock) {
			s->exit.kind = HV_EXIT_WAIT;
			s->exit.wait.until_ns = soft_wait_end(c);
			return;
		}
		soft_sleep(c, SOFT_FOREVER_NS);
	}
	timers_changed(c);
	atomic_fetch_and(&c->event, ~(unsigned)SOFT_EVENT_KICK);
}

/* In WFI or WFE, on a virtual clock: nothing to execute. */
static void doze(struct soft_cpu *c)
{
	struct soft_sys *s = c->sys;
	bool kicked = atomic_fetch_and(&c->event, ~(unsigned)SOFT_EVENT_KICK) & SOFT_EVENT_KICK;

	s->exit.kind = timers_changed(c) || kicked ? HV_EXIT_KICK : HV_EXIT_WAIT;
	if (s->exit.kind == HV_EXIT_WAIT)
		s->exit.wait.until_ns = soft_wait_end(c);
}

void soft_run(struct hv_vcpu *v, struct hv_exit *x)
{
	struct soft_cpu *c = &v->c;

	if (v->s.waiting) {
		atomic_fetch_and(&c->event, SOFT_EVENT_KICK | SOFT_EVENT_STEP);
		wait(c);
		*x = v->s.exit;
		return;
	}
	if (soft_still_asleep(c)) {
		doze(c);
		*x = v->s.exit;
		return;
	}

	atomic_store(&v->s.in_guest, true);
	v->s.step_done = false;
	soft_event(c, SOFT_EVENT_FLUSH | SOFT_EVENT_LINE | SOFT_EVENT_TIME);
	loop(c);
	if (v->s.vm->like && v->s.vm->like->timers_rise)
		timers_fell(c);
	if (v->s.vm->clock)
		soft_settle(c);
	atomic_store(&v->s.in_guest, false);
	*x = v->s.exit;
}

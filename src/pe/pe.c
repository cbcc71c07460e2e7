/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The set of PEs and their threads: power states, pausing, reset.
 *
 * Each PE is one thread that owns one vCPU. Whatever another thread wants of it is written into the
 * PE's state under set->lock, `attention` is set, and the vCPU is kicked; the PE looks at its state
 * before it enters the guest (await()).
 *
 * Pausing: a PE counts as parked while it sleeps in await(), and while it waits for its own turn to
 * pause the others, so two PEs that want to pause each other do not deadlock.
 */
#include "pe/pe_int.h"

#include "arm/exc.h"
#include "arm/model.h"
#include "arm/sysreg.h"
#include "host/clock.h"
#include "util/bits.h"
#include "util/err.h"
#include "util/log.h"
#include "util/xalloc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MPIDR_AFFINITY 0xff00ffffffULL

/* ---- creation ---- */

struct pe_set *pe_set_create(unsigned count, uint32_t els)
{
	struct pe_set *s = xcalloc(1, sizeof(*s));

	CHECK(count >= 1 && count <= PE_MAX);
	s->count = count;
	s->els = els;
	s->tables_new = true;
	s->pe = xcalloc(count, sizeof(*s->pe));
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	for (unsigned i = 0; i < count; i++) {
		struct pe *pe = &s->pe[i];

		pe->set = s;
		pe->number = i;
		pe->mpidr = i; /* one cluster: Aff0 */
		pe->parked = true;
		snprintf(pe->name, sizeof(pe->name), "pe%u", i);
	}
	return s;
}

void pe_set_model(struct pe_set *s, const struct arm_model *m)
{
	s->model = m;
	for (unsigned i = 0; i < s->count; i++) {
		uint64_t mpidr = arm_model_mpidr(m, i);

		s->pe[i].mpidr = mpidr & MPIDR_AFFINITY;
		s->mpidr_bits = mpidr & ~MPIDR_AFFINITY;
	}
}

void pe_set_configure(struct pe_set *s, const struct pe_set_config *cfg)
{
	s->cfg = *cfg;
	s->ic = intercept_create(cfg->mem);
	pe_let_back_end_intercept(s);
}

void pe_set_destroy(struct pe_set *s)
{
	if (!s)
		return;
	pe_set_stop(s);
	for (unsigned i = 0; i < s->count; i++) {
		/* Only now: until the devices were destroyed, they could still drive lines. */
		if (s->pe[i].vcpu)
			s->cfg.hv->vcpu_destroy(s->pe[i].vcpu);
		site_table_free(&s->pe[i].sites);
		free(s->pe[i].stages.word);
	}
	intercept_destroy(s->ic);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s->handlers);
	free(s->pe);
	free(s);
}

/* ---- what devices ask ---- */

unsigned pe_count(const struct pe_set *s)
{
	return s->count;
}

uint64_t pe_mpidr(const struct pe_set *s, unsigned n)
{
	return s->pe[n].mpidr;
}

unsigned pe_highest_el(const struct pe_set *s)
{
	return s->els & 1 << 3 ? 3 : s->els & 1 << 2 ? 2 : 1;
}

uint32_t pe_els(const struct pe_set *s)
{
	return s->els;
}

/* The level is only noted here; the PE's own thread gives it to its vCPU (apply_lines()). KVM changes the
 * word that holds the lines without atomicity when it loads a vCPU, so a line that another thread raises
 * at that moment may be lost. Lowering needs no hurry: an interrupt taken in vain reads as spurious. */
void pe_irq(struct pe_set *s, unsigned n, enum hv_line line, bool level)
{
	struct pe *pe = &s->pe[n];

	if (!level) {
		atomic_fetch_and(&pe->lines, ~(1U << line));
		return;
	}
	atomic_fetch_or(&pe->lines, 1U << line);
	if (__atomic_load_n(&pe->vcpu_ready, __ATOMIC_ACQUIRE) &&
	    !pthread_equal(pe->thread, pthread_self()))
		s->cfg.hv->kick(pe->vcpu);
}

static void apply_lines(struct pe *pe)
{
	unsigned wanted = atomic_load(&pe->lines);
	unsigned changed = wanted ^ pe->lines_applied;

	for (unsigned l = 0; l < HV_LINE_COUNT; l++) {
		if (bit(changed, l) && pe->set->cfg.hv->irq(pe->vcpu, l, bit(wanted, l)))
			pe_failed(pe, "cannot drive an interrupt line");
	}
	pe->lines_applied = wanted;
}

void pe_timer_listen(struct pe_set *s, pe_timer_fn *fn, void *opaque)
{
	CHECK(s->timer_count < PE_TIMER_LISTENERS);
	s->timer[s->timer_count].fn = fn;
	s->timer[s->timer_count++].opaque = opaque;
}

/* ---- pausing ---- */

void pe_kick(struct pe *pe)
{
	if (pe->vcpu_ready)
		pe->set->cfg.hv->kick(pe->vcpu);
}

/* Sleep until something changes. A PE (@self) answers questions meanwhile. */
static void wait_for_change(struct pe_set *s, struct pe *self)
{
	if (self)
		pe_answer(self);
	pthread_cond_wait(&s->changed, &s->lock);
}

/* Become the pauser: wait until nobody else is, and until all other PEs are parked. */
static void pause_locked(struct pe_set *s, const void *who, struct pe *self)
{
	if (self)
		self->parked = true;
	pthread_cond_broadcast(&s->changed);
	while (s->paused)
		wait_for_change(s, self);
	s->paused = true;
	s->pauser = who;
	atomic_store(&s->attention, true);
	for (unsigned i = 0; i < s->count; i++) {
		if (&s->pe[i] != self)
			pe_kick(&s->pe[i]);
	}
	for (unsigned i = 0; i < s->count; i++) {
		while (&s->pe[i] != self && !s->pe[i].parked)
			wait_for_change(s, self);
	}
	if (self)
		self->parked = false;
}

static void resume_locked(struct pe_set *s)
{
	s->paused = false;
	s->pauser = NULL;
	pthread_cond_broadcast(&s->changed);
}

bool pe_pause(struct pe *pe)
{
	struct pe_set *s = pe->set;
	bool valid;

	pthread_mutex_lock(&s->lock);
	if (s->pauser != pe)
		pause_locked(s, pe, pe);
	valid = !pe->reset;
	if (!valid)
		resume_locked(s);
	pthread_mutex_unlock(&s->lock);
	return valid;
}

void pe_resume(struct pe *pe)
{
	struct pe_set *s = pe->set;

	pthread_mutex_lock(&s->lock);
	if (s->pauser == pe)
		resume_locked(s);
	pthread_mutex_unlock(&s->lock);
}

void pe_set_pause(struct pe_set *s)
{
	pthread_mutex_lock(&s->lock);
	pause_locked(s, s, NULL);
	pthread_mutex_unlock(&s->lock);
}

void pe_set_resume(struct pe_set *s)
{
	pthread_mutex_lock(&s->lock);
	resume_locked(s);
	pthread_mutex_unlock(&s->lock);
}

/* ---- the thread ---- */

void pe_reset_vcpu(struct pe *pe)
{
	const struct hv_ops *hv = pe->set->cfg.hv;

	if (pe->stepping) {
		pe->stepping = false;
		hv->debug(pe->vcpu, HV_DEBUG_BRK);
	}
	if (hv->vcpu_reset(pe->vcpu))
		pe_failed(pe, "cannot reset the vCPU");
	pe->down = false;
	pe->lines_applied = 0;
	pe->pc.valid = false;
	pe->pstate.valid = false;
}

/* Under the lock: may this PE enter the guest now? */
static bool may_run(const struct pe *pe)
{
	const struct pe_set *s = pe->set;

	/* Who has paused the others finishes what that was for. */
	bool stopped = (s->paused || s->held) && s->pauser != pe;

	return !stopped && pe->power == PE_ON && !pe->reset;
}

/* Under the lock, which is given up meanwhile: the reset or the CPU_ON that the PE has been asked for. False:
 * none, or not now. */
static bool begin_anew(struct pe *pe)
{
	struct pe_set *s = pe->set;
	bool begin = pe->power == PE_ON_PENDING;

	if (s->paused || (!pe->reset && !begin))
		return false;
	pe->reset = false;
	pe->parked = false;
	if (begin)
		pe->power = PE_ON;
	pthread_mutex_unlock(&s->lock);
	pe_reset_vcpu(pe);
	pe_timers(pe, 0);
	sites_rebase(&pe->sites);
	if (begin)
		pe_begin(pe, &pe->entry);
	pthread_mutex_lock(&s->lock);
	return true;
}

/* Sleep until the PE may run. Returns false when the set is stopping. */
static bool await(struct pe *pe)
{
	struct pe_set *s = pe->set;
	bool run;

	stages_resume(pe); /* statistics may be asked for while it sleeps */
	pthread_mutex_lock(&s->lock);
	while (!s->stopping && !may_run(pe)) {
		if (begin_anew(pe))
			continue;
		/* Once: PEs that are off would keep each other awake. */
		if (!pe->parked)
			pthread_cond_broadcast(&s->changed);
		pe->parked = true;
		wait_for_change(s, pe);
	}
	pe_answer(pe);
	run = !s->stopping;
	pe->parked = !run;
	if (!run && s->pauser == pe)
		resume_locked(s);
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return run;
}

bool pe_take_turn(struct pe *pe)
{
	struct pe_set *s = pe->set;

	pthread_mutex_lock(&s->lock);
	while (begin_anew(pe))
		;
	pe->parked = !may_run(pe);
	pthread_mutex_unlock(&s->lock);
	stages_resume(pe);
	return !pe->parked;
}

void pe_leave_turn(struct pe *pe)
{
	stages_pause(pe);
	pthread_mutex_lock(&pe->set->lock);
	pe->parked = true;
	pthread_mutex_unlock(&pe->set->lock);
}

/* Is there more to do than to go on? */
static bool must_look(const struct pe *pe)
{
	return atomic_load_explicit(&pe->set->attention, memory_order_seq_cst) ||
	       atomic_load_explicit(&pe->power, memory_order_relaxed) != PE_ON;
}

/* Nothing of note is going on any more: PEs need not take the lock on every turn. */
static void clear_attention(struct pe_set *s)
{
	bool quiet;

	pthread_mutex_lock(&s->lock);
	quiet = !s->stopping && !s->paused && !s->held;
	for (unsigned i = 0; i < s->count; i++)
		quiet = quiet && !s->pe[i].reset && s->pe[i].question.state != PE_ASKED;
	if (quiet)
		atomic_store(&s->attention, false);
	pthread_mutex_unlock(&s->lock);
}

static void note_first_run(struct pe_set *s)
{
	unsigned long long none = 0;

	if (!atomic_load_explicit(&s->first_run_ns, memory_order_relaxed))
		atomic_compare_exchange_strong(&s->first_run_ns, &none, clock_mono_ns());
}

enum hv_exit_kind pe_run_once(struct pe *pe)
{
	struct pe_set *s = pe->set;
	struct hv_exit x;

	note_first_run(s);
	pe->pc.valid = false;
	pe->pstate.valid = false;
	apply_lines(pe);
	s->cfg.hv->run(pe->vcpu, &x);
	pe_exit(pe, &x);
	return x.kind;
}

static void run_loop(struct pe *pe)
{
	for (;;) {
		if (must_look(pe)) {
			if (!await(pe))
				return;
			clear_attention(pe->set);
		}
		pe_run_once(pe);
	}
}

static uint64_t thread_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void announce(struct pe *pe, int result)
{
	struct pe_set *s = pe->set;

	pthread_mutex_lock(&s->lock);
	pe->start_result = result;
	__atomic_store_n(&pe->vcpu_ready, result == 0, __ATOMIC_RELEASE);
	pe->thread_started = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static void *pe_thread(void *opaque)
{
	struct pe *pe = opaque;
	const struct pe_set_config *cfg = &pe->set->cfg;
	int r = cfg->hv->vcpu_create(cfg->vm, pe->number, &pe->vcpu, pe->start_err);

	if (!r)
		pe_report_core(pe);
	announce(pe, r);
	if (r)
		return NULL;
	run_loop(pe);
	pe->stats.cpu_ns = thread_cpu_ns();
	stages_pause(pe);
	/* A kick would signal a thread that is gone. */
	pthread_mutex_lock(&pe->set->lock);
	__atomic_store_n(&pe->vcpu_ready, false, __ATOMIC_RELEASE);
	pthread_cond_broadcast(&pe->set->changed);
	pthread_mutex_unlock(&pe->set->lock);
	return NULL;
}

/* ---- start, stop, reset ---- */

static int start_thread(struct pe *pe, struct err *e)
{
	struct pe_set *s = pe->set;
	int r;

	pe->start_err = e;
	r = pthread_create(&pe->thread, NULL, pe_thread, pe);
	if (r)
		return err_set(e, -r, NULL, "cannot create the thread of %s: %s", pe->name,
			       strerror(r));
	/* One after the other: back ends create vCPUs in order, and `e` has one user. */
	pthread_mutex_lock(&s->lock);
	while (!pe->thread_started)
		pthread_cond_wait(&s->changed, &s->lock);
	r = pe->start_result;
	pthread_mutex_unlock(&s->lock);
	pe->start_err = NULL;
	if (r)
		pthread_join(pe->thread, NULL);
	if (r)
		pe->thread_started = false;
	return r;
}

static void set_entry(struct pe_set *s, const struct pe_entry *entry)
{
	/* Firmware at EL3 sorts out its PEs itself: all of them leave reset. */
	bool all = entry->at_reset && bit(s->els, 3);

	for (unsigned i = 0; i < s->count; i++) {
		s->pe[i].entry = *entry;
		s->pe[i].power = i == 0 || all ? PE_ON_PENDING : PE_OFF;
	}
	if (s->cfg.hv->smc_exits && bit(s->els, 3))
		s->cfg.hv->smc_exits(s->cfg.vm, !entry->at_reset);
	if (entry->code_end > entry->code)
		intercept_reserve(s->ic, entry->code, entry->code_end - entry->code);
}

int pe_set_start(struct pe_set *s, const struct pe_entry *entry, struct err *e)
{
	int r = 0;

	atomic_store(&s->attention, true);
	s->paused = true; /* nobody runs before everybody is there */
	s->pauser = s;
	set_entry(s, entry);
	for (unsigned i = 0; i < s->count && !r; i++)
		r = s->cfg.clock ? lockstep_create(&s->pe[i], e) : start_thread(&s->pe[i], e);
	if (r)
		pe_set_stop(s);
	else
		pe_set_resume(s);
	return r;
}

void pe_set_stop(struct pe_set *s)
{
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	atomic_store(&s->attention, true);
	if (s->pauser == s) /* a PE may be waiting for its turn to pause */
		resume_locked(s);
	for (unsigned i = 0; i < s->count; i++)
		pe_kick(&s->pe[i]);
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	for (unsigned i = 0; i < s->count; i++) {
		if (s->cfg.clock)
			s->pe[i].vcpu_ready = false;
		if (!s->pe[i].thread_started)
			continue;
		pthread_join(s->pe[i].thread, NULL);
		s->pe[i].thread_started = false;
	}
}

void pe_set_reset(struct pe_set *s, const struct pe_entry *entry)
{
	pthread_mutex_lock(&s->lock);
	CHECK(s->paused);
	s->held = false;
	for (unsigned i = 0; i < s->count; i++)
		s->pe[i].reset = true;
	regime_reset(s);
	s->stage = (struct stage_machine){0};
	set_entry(s, entry);
	atomic_store(&s->attention, true);
	pthread_mutex_unlock(&s->lock);
}

void pe_set_hold(struct pe_set *s)
{
	pthread_mutex_lock(&s->lock);
	s->held = true;
	atomic_store(&s->attention, true);
	for (unsigned i = 0; i < s->count; i++)
		pe_kick(&s->pe[i]);
	pthread_mutex_unlock(&s->lock);
}

/* ---- ends ---- */

void pe_failed(struct pe *pe, const char *fmt, ...)
{
	struct pe_set *s = pe->set;
	char text[256];
	va_list ap;
	bool again;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	pthread_mutex_lock(&s->lock);
	again = pe->failed;
	pe->failed = true;
	pe->power = PE_OFF;
	atomic_store(&s->attention, true);
	if (s->pauser == pe)
		resume_locked(s);
	pthread_mutex_unlock(&s->lock);
	if (!again)
		s->cfg.failed(s->cfg.opaque, pe->number, text);
}

void pe_off(struct pe *pe)
{
	struct pe_set *s = pe->set;

	pthread_mutex_lock(&s->lock);
	pe->power = PE_OFF;
	atomic_store(&s->attention, true);
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	LOG(pe, "%s: off", pe->name);
}

/* ---- reports ---- */

void pe_set_stats(const struct pe_set *s, unsigned n, struct pe_stats *out)
{
	*out = s->pe[n].stats;
	out->sites = s->pe[n].sites.site;
	out->site_count = s->pe[n].sites.capacity;
}

void pe_set_intercept_counts(const struct pe_set *s, struct intercept_counts *c)
{
	intercept_counts(s->ic, c);
}

uint64_t pe_set_first_run_ns(const struct pe_set *s)
{
	return atomic_load(&s->first_run_ns);
}

const char *pe_set_power_state(const struct pe_set *s, unsigned n)
{
	static const char *const names[] = {"off", "on pending", "on"};

	return names[s->pe[n].power];
}

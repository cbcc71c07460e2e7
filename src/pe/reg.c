/* SPDX-License-Identifier: Apache-2.0 */
/* Registers of a PE: between two runs, by its own thread; and for others, who ask it. */
#include "pe/pe_int.h"

#include "arm/exc.h"
#include "util/bits.h"

#include <errno.h>
#include <string.h>

/* Most exits look at the PC and at PSTATE more than once, and each look costs a system call on some back
 * ends. */
static struct cached_reg *cached(struct pe *pe, uint32_t id, struct cached_reg *other)
{
	*other = (struct cached_reg){0};
	return id == REG_PC ? &pe->pc : id == REG_PSTATE ? &pe->pstate : other;
}

uint64_t pe_get(struct pe *pe, uint32_t id)
{
	struct cached_reg other, *c = cached(pe, id, &other);
	uint64_t v = 0;
	int r;

	if (c->valid)
		return c->value;
	r = pe->set->cfg.hv->get_reg(pe->vcpu, id, &v);
	*c = (struct cached_reg){r == 0, v};
	if (r)
		pe_failed(pe, "cannot read register 0x%x: %s", id, strerror(-r));
	return v;
}

bool pe_try_get(struct pe *pe, uint32_t id, uint64_t *value)
{
	return !pe->set->cfg.hv->get_reg(pe->vcpu, id, value);
}

void pe_put(struct pe *pe, uint32_t id, uint64_t value)
{
	struct cached_reg other, *c = cached(pe, id, &other);
	int r = pe->set->cfg.hv->set_reg(pe->vcpu, id, value);

	*c = (struct cached_reg){r == 0, value};
	if (r)
		pe_failed(pe, "cannot write register 0x%x (value 0x%llx): %s", id,
			  (unsigned long long)value, strerror(-r));
}

uint64_t pe_get_x(struct pe *pe, unsigned n)
{
	return n == 31 ? 0 : pe_get(pe, REG_X(n));
}

void pe_put_x(struct pe *pe, unsigned n, uint64_t value)
{
	if (n != 31)
		pe_put(pe, REG_X(n), value);
}

unsigned pe_el(struct pe *pe)
{
	return bits(pe_get(pe, REG_PSTATE), 3, 2);
}

/* What every instruction does when it completes: PSTATE.BTYPE becomes 0 unless it is an indirect branch (Arm
 * ARM, "PSTATE.BTYPE"), and software step goes from active-not-pending to active-pending ("Software Step
 * state machine"), so that a guest that steps itself sees it as one instruction. */
void pe_go(struct pe *pe, uint64_t pc)
{
	uint64_t pstate = pe_get(pe, REG_PSTATE);

	if (pstate & (ARM_PSTATE_BTYPE | ARM_PSTATE_SS))
		pe_put(pe, REG_PSTATE, pstate & ~(ARM_PSTATE_BTYPE | ARM_PSTATE_SS));
	pe_put(pe, REG_PC, pc);
}

void pe_skip(struct pe *pe)
{
	pe_go(pe, pe_get(pe, REG_PC) + 4);
}

/* ---- for others ---- */

/* Tell what somebody wants to know. */
void pe_answer(struct pe *pe)
{
	struct pe_question *q = &pe->question;

	if (q->state != PE_ASKED)
		return;
	q->result = pe->set->cfg.hv->get_reg(pe->vcpu, q->id, &q->value);
	q->state = PE_ANSWERED;
	pthread_cond_broadcast(&pe->set->changed);
}

static void ask(struct pe *pe, uint32_t id)
{
	pe->question = (struct pe_question){.state = PE_ASKED, .id = id};
	atomic_store(&pe->set->attention, true);
	if (!pe->parked)
		pe_kick(pe);
	pthread_cond_broadcast(&pe->set->changed);
}

int pe_set_get_reg(struct pe_set *s, unsigned n, uint32_t id, uint64_t *value)
{
	struct pe *pe = &s->pe[n];
	struct pe_question *q = &pe->question;
	int r = -ENODEV;

	if (s->cfg.clock) /* the caller is in the thread of all PEs */
		return pe->vcpu_ready ? s->cfg.hv->get_reg(pe->vcpu, id, value) : -ENODEV;
	pthread_mutex_lock(&s->lock);
	while (pe->vcpu_ready && q->state != PE_NO_QUESTION) /* another thread's */
		pthread_cond_wait(&s->changed, &s->lock);
	if (pe->vcpu_ready)
		ask(pe, id);
	while (pe->vcpu_ready && q->state == PE_ASKED)
		pthread_cond_wait(&s->changed, &s->lock);
	if (pe->vcpu_ready) {
		r = q->result;
		*value = q->value;
	}
	q->state = PE_NO_QUESTION;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return r;
}

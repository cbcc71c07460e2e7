/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TLB: pages of 4 KiB, one table per view (enum soft_view), direct-mapped. An entry belongs to a context:
 * regime, Security state, VMID, ASID and configuration, so changing registers flushes nothing. Other CPUs are
 * never written to: they get a request and carry it out before their next instruction, and DSB waits for them.
 */
#include "hv/soft/sys.h"

#include "util/bits.h"

#include <sched.h>

enum { TLB_ENTRIES = 1 << SOFT_TLB_BITS };

#define CONTEXT_NONE (1ULL << 63) /* of entries that hold nothing */

/* The tag byte of an address is not looked at: it may or may not count. */
#define VA_BITS 0x00ffffffffffffffULL

void soft_tlb_invalidate(struct soft_tlb_entry *e, unsigned index)
{
	for (unsigned a = 0; a < SOFT_ACCESS_COUNT; a++)
		e->tag[a] = (uint64_t)(index ^ 1) << SOFT_PAGE_BITS;
	e->context = CONTEXT_NONE;
	e->direct = 0;
}

void soft_tlb_flush(struct soft_cpu *c)
{
	struct soft_sys *s = c->sys;

	for (unsigned v = 0; v < SOFT_VIEW_COUNT; v++) {
		for (unsigned i = 0; i < TLB_ENTRIES; i++)
			soft_tlb_invalidate(&s->tlb[v][i], i);
	}
	for (unsigned half = 0; half < 2; half++) {
		s->large[half].first = ~0ULL;
		s->large[half].last = 0;
		s->large[half].size_bits = SOFT_PAGE_BITS;
	}
	c->fetch_page = 1;
	s->flushed = ~0U;
}

static bool matches(const struct soft_tlb_entry *e, const struct soft_tlbi *t)
{
	if (t->by_pa)
		return e->context != CONTEXT_NONE && e->pa <= t->last_pa &&
		       e->pa + (SOFT_PAGE - 1) >= t->first_pa;
	if ((e->context & (t->mask | CONTEXT_NONE)) != t->context)
		return false;
	return !t->by_va || !(((e->page ^ t->va) & VA_BITS) >> e->size_bits);
}

static void flush_slots(struct soft_cpu *c, const struct soft_tlbi *t, unsigned first, unsigned n)
{
	for (unsigned v = 0; v < SOFT_VIEW_COUNT; v++) {
		struct soft_tlb_entry *table = c->sys->tlb[v];

		for (unsigned i = first; i < first + n; i++) {
			if (matches(&table[i], t))
				soft_tlb_invalidate(&table[i], i);
		}
	}
	c->fetch_page = 1;
}

static void flush_moved(struct soft_cpu *c, const struct soft_tlbi *t)
{
	struct soft_sys *s = c->sys;

	flush_slots(c, t, 0, TLB_ENTRIES);
	s->moved_first = t->first_pa < s->moved_first ? t->first_pa : s->moved_first;
	s->moved_last = t->last_pa > s->moved_last ? t->last_pa : s->moved_last;
}

static void note_gone(struct soft_sys *s, const struct soft_tlbi *t)
{
	unsigned regime = soft_context_regime(t->context);

	if (t->by_va && s->gone_count < SOFT_GONE)
		s->gone[s->gone_count++] = (struct soft_gone){regime, t->va};
	else
		s->flushed |= 1U << regime;
}

void soft_tlb_flush_some(struct soft_cpu *c, const struct soft_tlbi *t)
{
	struct soft_sys *s = c->sys;
	unsigned half = bit(t->va, 55), n = 1;
	uint64_t va = t->va & VA_BITS;

	if (t->by_pa) {
		flush_moved(c, t);
		return;
	}
	note_gone(s, t);
	if (!t->by_va) {
		flush_slots(c, t, 0, TLB_ENTRIES);
		return;
	}
	if (va >= s->large[half].first && va <= s->large[half].last)
		n = s->large[half].size_bits < SOFT_PAGE_BITS + SOFT_TLB_BITS
			    ? 1U << (s->large[half].size_bits - SOFT_PAGE_BITS)
			    : TLB_ENTRIES;
	flush_slots(c, t, va >> SOFT_PAGE_BITS & (TLB_ENTRIES - n), n);
}

/* ---- other CPUs ---- */

void soft_tlb_request(struct hv_vcpu *v, const struct soft_tlbi *t)
{
	struct soft_sys *s = &v->s;

	pthread_mutex_lock(&s->flush_lock);
	if (!t)
		s->flush_count = SOFT_TLBI_RING + 1;
	else if (s->flush_count < SOFT_TLBI_RING)
		s->flush[s->flush_count++] = *t;
	else
		s->flush_count = SOFT_TLBI_RING + 1;
	atomic_fetch_add(&s->flush_wanted, 1);
	pthread_mutex_unlock(&s->flush_lock);
	soft_event(&v->c, SOFT_EVENT_FLUSH);
	if (s->vm->notify)
		s->vm->notify(v);
}

void soft_flush_requests(struct soft_cpu *c)
{
	struct soft_tlbi todo[SOFT_TLBI_RING];
	struct soft_sys *s = c->sys;
	unsigned count, wanted;

	if (atomic_load(&s->flush_wanted) ==
	    atomic_load_explicit(&s->flush_done, memory_order_relaxed))
		return;
	pthread_mutex_lock(&s->flush_lock);
	wanted = atomic_load(&s->flush_wanted);
	count = s->flush_count;
	s->flush_count = 0;
	for (unsigned i = 0; i < count && i < SOFT_TLBI_RING; i++)
		todo[i] = s->flush[i];
	pthread_mutex_unlock(&s->flush_lock);
	if (count > SOFT_TLBI_RING)
		soft_tlb_flush(c);
	for (unsigned i = 0; i < count && count <= SOFT_TLBI_RING; i++)
		soft_tlb_flush_some(c, &todo[i]);
	atomic_store(&s->flush_done, wanted);
}

void soft_tlb_flush_all_cpus(struct soft_cpu *c, const struct soft_tlbi *t)
{
	struct hv_vm *vm = c->sys->vm;

	soft_tlb_flush_some(c, t);
	for (unsigned i = 0; i < SOFT_MAX_CPUS; i++) {
		struct hv_vcpu *v = __atomic_load_n(&vm->cpu[i], __ATOMIC_ACQUIRE);

		if (v && &v->c != c)
			soft_tlb_request(v, t);
	}
}

/* A CPU that is not in the guest looks for requests before it enters. */
static bool has_flushed(struct hv_vcpu *v)
{
	return atomic_load(&v->s.flush_done) == atomic_load(&v->s.flush_wanted) ||
	       !atomic_load(&v->s.in_guest);
}

void soft_dsb(struct soft_cpu *c)
{
	struct hv_vm *vm = c->sys->vm;

	atomic_thread_fence(memory_order_seq_cst);
	for (unsigned i = 0; i < SOFT_MAX_CPUS; i++) {
		struct hv_vcpu *v = __atomic_load_n(&vm->cpu[i], __ATOMIC_ACQUIRE);

		while (v && &v->c != c && !has_flushed(v)) {
			soft_flush_requests(c); /* or two CPUs would wait for each other */
			sched_yield();
		}
	}
}

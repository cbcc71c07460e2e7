/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding the code of a system that is to run natively, and patching it: all that its tables make executable in the
 * upper half, once it can be told from data; and again when there may be more.
 *
 * New code (modules, trampolines) is written as data, then made executable: the system has to change mappings that exist
 * and are not for one process, and to tell all TLBs (Arm ARM D8.13.1, TLB maintenance requirements). Barriers
 * after such maintenance are watched. Most of them are for something else; one that had no news several times is given
 * back its instruction.
 */
#include "reverse/reverse_int.h"

#include "util/bits.h"
#include "util/log.h"
#include "util/xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

enum {
	WALK_BUDGET = 1 << 20, /* descriptors */
	PATIENCE = 16,	       /* of a barrier that never had news... */
	PATIENCE_MORE = 1024,  /* ...and of one that had */
	KICK_NS = 1000000,
	NS_PER_S = 1000000000,
};

#define TTBR1_EL1 SYSREG(3, 0, 2, 0, 1)
#define TCR_EL1	  SYSREG(3, 0, 2, 0, 2)

struct search {
	struct reverse *r;
	struct searched *known; /* the tables; NULL: can they be patched? */
	bool first;		/* time for these tables, or all over again */
	bool settled, stopped;
	uint64_t late, there; /* there: bytes that were executable the first time */
	unsigned window, patched;
};

void search_init(struct reverse *r)
{
	pthread_rwlockattr_t a;

	pthread_rwlockattr_init(&a);
	pthread_rwlockattr_setkind_np(&a, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&r->patching, &a);
	pthread_rwlockattr_destroy(&a);
}

void search_fini(struct reverse *r)
{
	for (unsigned i = 0; i < REVERSE_SEARCHED; i++)
		free(r->os.searched[i]);
	pthread_rwlock_destroy(&r->patching);
}

/* ---- patching ---- */

/* All PEs out of native views, until the lock is given back. */
static void stop_others(struct search *s)
{
	struct timespec until;

	do {
		for (unsigned i = 0; i < SOFT_MAX_CPUS; i++) {
			struct hv_vcpu *v = atomic_load(&s->r->pe[i].running);

			if (v)
				s->r->inner->kick(v);
		}
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += KICK_NS;
		until.tv_sec += until.tv_nsec / NS_PER_S;
		until.tv_nsec %= NS_PER_S;
	} while (pthread_rwlock_timedwrlock(&s->r->patching, &until) == ETIMEDOUT);
	s->stopped = true;
}

static void patch_page(struct search *s, uint8_t *page)
{
	unsigned window = s->window;

	if (!code_patch(&s->r->code, page, &window, false)) {
		s->window = window;
		return;
	}
	if (!s->stopped)
		stop_others(s);
	s->patched += code_patch(&s->r->code, page, &s->window, true);
}

/* Memory at a physical address, as far as the end of its page. */
static uint8_t *memory(const struct reverse *r, uint64_t pa, bool secure)
{
	const struct soft_region *m = soft_find_region(r->soft, pa, secure);
	uint64_t offset = m ? (pa & ~(uint64_t)(REVERSE_PAGE - 1)) - m->gpa : 0;

	return m && offset < m->len && m->len - offset >= REVERSE_PAGE ? m->host + (pa - m->gpa)
								       : NULL;
}

static void patch_range(struct search *s, const struct arm_xlat *x)
{
	for (uint64_t at = 0; at < x->size; at += REVERSE_PAGE) {
		uint8_t *page = memory(s->r, x->pa_base + at, !x->ns);

		if (page)
			patch_page(s, page);
	}
}

/* ---- what has been searched ---- */

static void remember(struct searched *k, const struct arm_xlat *x)
{
	unsigned last = k->ranges - 1;

	if (k->ranges && k->range[last].va + k->range[last].len == x->va_base &&
	    k->range[last].pa + k->range[last].len == x->pa_base) {
		k->range[last].len += x->size;
	} else if (k->ranges < REVERSE_RANGES) {
		k->range[k->ranges].va = x->va_base;
		k->range[k->ranges].pa = x->pa_base;
		k->range[k->ranges++].len = x->size;
	}
}

/* The range with @va; NULL: none. */
static const struct searched_range *range_of(const struct searched *k, uint64_t va)
{
	for (unsigned i = 0; i < k->ranges; i++) {
		if (va - k->range[i].va < k->range[i].len)
			return &k->range[i];
	}
	return NULL;
}

static bool was_there(const struct searched *k, const struct arm_xlat *x)
{
	const struct searched_range *range = range_of(k, x->va_base);
	uint64_t offset = range ? x->va_base - range->va : 0;

	return range && range->len - offset >= x->size && range->pa + offset == x->pa_base;
}

static uint64_t bytes_of(const struct searched *k)
{
	uint64_t len = 0;

	for (unsigned i = 0; i < k->ranges; i++)
		len += k->range[i].len;
	return len;
}

static bool see_leaf(void *opaque, const struct arm_xlat *x)
{
	struct search *s = opaque;

	/* Identity maps say nothing about where code is: constants are executable there. */
	if (!bit(x->va_base, 55))
		return true;
	if (!s->known) {
		s->settled = !(x->priv & ARM_PROT_WRITE);
		return s->settled;
	}
	if (!s->first && was_there(s->known, x)) {
		s->there += x->size;
		return true;
	}
	if (x->priv & ARM_PROT_WRITE) {
		s->settled = false;
		return false;
	}
	if (s->first)
		remember(s->known, x);
	else
		s->late = (s->late ^ x->va_base ^ x->pa_base << 1) * 0x9e3779b97f4a7c15ULL;
	patch_range(s, x);
	return true;
}

static void finish(struct search *s)
{
	if (s->stopped)
		pthread_rwlock_unlock(&s->r->patching);
	s->stopped = false;
}

/* ---- at first ---- */

static struct searched *find(struct reverse *r, uint64_t tables)
{
	for (unsigned i = 0; i < REVERSE_SEARCHED; i++) {
		if (r->os.searched[i] && r->os.searched[i]->tables == tables)
			return r->os.searched[i];
	}
	return NULL;
}

static void drop(struct reverse *r, struct searched *k)
{
	for (unsigned i = 0; i < REVERSE_SEARCHED; i++) {
		if (r->os.searched[i] == k)
			r->os.searched[i] = NULL;
	}
	free(k);
}

static struct searched *add(struct reverse *r, uint64_t tables)
{
	struct searched **place = &r->os.searched[r->os.next++ % REVERSE_SEARCHED];

	free(*place);
	*place = xcalloc(1, sizeof(**place));
	(*place)->tables = tables;
	return *place;
}

static void search(struct reverse_pe *p, uint64_t tables, struct searched *known)
{
	struct search s = {.r = p->r, .settled = true, .first = true};

	soft_walk_exec(&p->soft->c, WALK_BUDGET, see_leaf, &s);
	if (s.settled) {
		s.known = known ? known : add(p->r, tables);
		s.known->ranges = 0;
		s.known->late = 0;
		s.known->gone = false;
		soft_walk_exec(&p->soft->c, WALK_BUDGET, see_leaf, &s);
		finish(&s);
	} else if (known) {
		drop(p->r, known);
	}
	p->unsettled = s.settled ? 0 : tables;
	LOG(intercept, "reverse: tables at 0x%llx %s, %u patches", (unsigned long long)tables,
	    s.settled ? "searched" : "have writable code", s.patched);
}

bool search_done(struct reverse_pe *p)
{
	uint64_t tables = bits(SOFT_REG(&p->soft->c, TTBR1_EL1), 47, 1);
	struct reverse *r = p->r;
	struct searched *known;

	if (p->unsettled && p->unsettled == tables) /* until there are others */
		return false;
	pthread_mutex_lock(&r->lock);
	if (atomic_exchange(&r->os.doubt, false))
		r->os.epoch++;
	known = find(r, tables);
	if (!known || known->epoch != r->os.epoch)
		search(p, tables, known);
	else
		p->unsettled = 0;
	known = find(r, tables);
	if (known)
		known->epoch = r->os.epoch;
	pthread_mutex_unlock(&r->lock);
	return !p->unsettled;
}

/* ---- again ---- */

/* Its state is asked for, not moved. */
struct barrier {
	uint64_t pc;
	uint32_t *at;	  /* in memory; NULL: nowhere */
	uint32_t tlbi;	  /* the maintenance before it */
	uint64_t operand; /* ...and its register */
};

static void look_back(struct reverse_pe *p, struct view *w, struct barrier *b)
{
	struct arm_xlat x;

	if (soft_walk_el10(&p->soft->c, b->pc, &x) != ARM_WALK_OK)
		return;
	b->at = (uint32_t *)memory(p->r, x.pa, !x.ns);
	for (unsigned i = 1; b->at && i <= CODE_WINDOW && i <= b->pc % REVERSE_PAGE / 4; i++) {
		b->tlbi = __atomic_load_n(b->at - i, __ATOMIC_RELAXED);
		if (!is_kernel_tlbi(b->tlbi))
			continue;
		p->r->inner->get_reg(w->vcpu, REG_X(bits(b->tlbi, 4, 0)), &b->operand);
		return;
	}
	b->tlbi = 0;
}

enum news { NEWS_NONE, NEWS_OTHER, NEWS_PERHAPS };

/* What is mapped where the maintenance was? @va of the last page of a range or of the one behind it. Without a mapping
 * it was for one that has gone, and with one that is not executable for something else: no need to search. */
static enum news glance(struct reverse_pe *p, struct searched *k, const struct barrier *b)
{
	bool by_va = bits(b->tlbi, 7, 5) != 0 &&
		     !(bits(b->tlbi, 11, 8) & 4 && bits(b->tlbi, 11, 8) != 7) &&
		     bits(b->tlbi, 11, 8) != 2;
	uint64_t va = bits(b->operand, 43, 0) << 12 | 0xffULL << 56;
	enum news news = NEWS_NONE;
	struct arm_xlat x;

	if (!by_va)
		return NEWS_PERHAPS;
	for (unsigned i = 0; i < 2; i++, va -= REVERSE_PAGE) {
		bool ok = soft_walk_el10(&p->soft->c, va, &x) == ARM_WALK_OK;

		if (ok && x.priv & ARM_PROT_EXEC)
			return NEWS_PERHAPS;
		if (range_of(k, va))
			k->gone = true;
		if (ok)
			news = NEWS_OTHER;
	}
	return news;
}

static struct watched *watched(struct reverse *r, uint64_t pc)
{
	struct watched *w = r->os.watched;

	for (unsigned i = 0; i < REVERSE_WATCHED; i++) {
		if (w[i].pc == pc)
			return &w[i];
	}
	w += r->os.oldest++ % REVERSE_WATCHED;
	w->pc = pc;
	w->patience = PATIENCE;
	return w;
}

static void judge(struct reverse *r, const struct barrier *b, bool news)
{
	struct watched *w = watched(r, b->pc);

	if (news)
		w->patience = PATIENCE_MORE;
	else if (w->patience)
		w->patience--;
	if (!w->patience && b->at)
		code_lift(&r->code, b->at);
}

/* The tables as they are in the vCPU; the other registers of the regime stay what they were. */
static uint64_t load_tables(struct reverse_pe *p, struct view *w)
{
	struct soft_cpu *c = &p->soft->c;

	p->r->inner->get_reg(w->vcpu, REG_SYS(TTBR1_EL1), &SOFT_REG(c, TTBR1_EL1));
	p->r->inner->get_reg(w->vcpu, REG_SYS(TCR_EL1), &SOFT_REG(c, TCR_EL1));
	return bits(SOFT_REG(c, TTBR1_EL1), 47, 1);
}

/* True: there was news. */
static bool search_more(struct reverse_pe *p, struct searched *k)
{
	struct search s = {.r = p->r, .known = k, .settled = true, .first = k->gone};
	bool news;

	if (k->gone)
		k->ranges = 0;
	soft_walk_exec(&p->soft->c, WALK_BUDGET, see_leaf, &s);
	finish(&s);
	news = s.patched || s.late != k->late;
	k->gone = !s.first && s.there < bytes_of(k);
	p->r->os.searches++;
	p->r->os.found += s.patched;
	k->late = s.late;
	if (!s.settled) { /* code and data cannot be told apart any more */
		p->unsettled = k->tables;
		drop(p->r, k);
	}
	return news;
}

void search_again(struct reverse_pe *p, struct view *w, uint64_t pc)
{
	struct reverse *r = p->r;
	struct barrier b = {.pc = pc};
	enum news news;
	struct searched *k;

	pthread_mutex_lock(&r->lock);
	k = find(r, load_tables(p, w));
	look_back(p, w, &b);
	news = k ? glance(p, k, &b) : NEWS_NONE;
	if (news != NEWS_OTHER)
		judge(r, &b, news == NEWS_PERHAPS && search_more(p, k));
	r->os.looks++;
	LOG(intercept, "reverse: barrier at 0x%llx: %u", (unsigned long long)pc, news);
	pthread_mutex_unlock(&r->lock);
}

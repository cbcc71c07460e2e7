/* SPDX-License-Identifier: Apache-2.0 */
/* What each stage of the boot costs, per PE. */
#include "pe/pe_int.h"

#include "host/clock.h"
#include "util/bits.h"
#include "util/xalloc.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	WORDS_MAX = 2048, /* with more, the rest is counted together as word 0 */
	RT = 31,	  /* of MRS, MSR and SYS: what differs between instructions of one name */
};

/* ---- time ---- */

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* What has gone by since the last time is the current stage's. */
static void settle(struct pe_stages *s)
{
	uint64_t wall = clock_mono_ns(), cpu = cpu_ns();
	struct pe_stage *now = &s->stage[s->at.now];

	if (s->running) {
		now->wall_ns += wall - s->wall_ns;
		now->cpu_ns += cpu - s->cpu_ns;
	}
	s->wall_ns = wall;
	s->cpu_ns = cpu;
	s->running = true;
}

void stages_pause(struct pe *pe)
{
	if (!pe->set->stages)
		return;
	settle(&pe->stages);
	pe->stages.running = false;
}

void stages_resume(struct pe *pe)
{
	if (pe->set->stages)
		settle(&pe->stages);
}

/* ---- places ---- */

static bool read_memory(void *opaque, uint64_t pa, void *buf, uint64_t len, bool secure)
{
	struct mem_attrs attrs = {.secure = secure};

	return mem_copy_from_as(opaque, pa, buf, len, attrs) == MEM_OK;
}

static uint64_t which_memory(void *opaque, uint64_t pa)
{
	const struct mem_region *r = mem_find(opaque, pa);

	return r ? r->base : ~0ULL;
}

/* What was counted so far was needed to get into the Non-secure world. */
static void note_normal(struct pe_stages *s)
{
	s->normal_ns = clock_mono_ns();
	for (size_t i = 0; i < s->capacity; i++)
		s->word[i].early = s->word[i].count;
	for (unsigned i = 0; i < STAGE_COUNT; i++) {
		struct pe_stage *stage = &s->stage[i];

		memcpy(stage->early_exits, stage->exits, sizeof(stage->exits));
		memcpy(stage->early_inner, stage->inner, sizeof(stage->inner));
	}
}

static bool go_to(struct pe *pe, const struct hv_place *place)
{
	struct pe_stages *s = &pe->stages;
	struct stage_memory mem = {pe->set->cfg.mem, read_memory, which_memory};
	struct stage_pe next = s->at;
	bool more = stage_at(&pe->set->stage, &next, &mem, place);
	struct pe_stage *to = &s->stage[next.now];

	if (next.normal != STAGE_NONE && !s->normal_ns)
		note_normal(s);
	if (next.now != s->at.now) {
		settle(s);
		to->entries++;
		if (!to->first_ns) {
			to->first_ns = s->wall_ns;
			to->el = place->el;
			to->secure = place->secure;
		}
	}
	s->at = next;
	return more;
}

void stages_begin(struct pe *pe, uint64_t pc)
{
	struct hv_place place = {
		.va = pc, .pa = pc, .el = pe->begin_el, .secure = pe->begin_el == 3};

	if (!pe->set->stages)
		return;
	settle(&pe->stages);
	pe->stages.at = (struct stage_pe){0};
	pe->stages.more = go_to(pe, &place);
}

/* ---- counts ---- */

static struct pe_stage_word *find(const struct pe_stages *s, enum stage stage, uint32_t word)
{
	size_t i = (word * 0x9e3779b97f4a7c15ULL >> 32 ^ stage) & (s->capacity - 1);

	while (s->word[i].count && (s->word[i].word != word || s->word[i].stage != stage))
		i = (i + 1) & (s->capacity - 1);
	return &s->word[i];
}

static void grow(struct pe_stages *s)
{
	struct pe_stages old = *s;

	s->capacity = old.capacity ? 2 * old.capacity : 128;
	s->word = xcalloc(s->capacity, sizeof(*s->word));
	for (size_t i = 0; i < old.capacity; i++) {
		if (old.word[i].count)
			*find(s, old.word[i].stage, old.word[i].word) = old.word[i];
	}
	free(old.word);
}

static uint32_t without_operand(uint32_t word)
{
	bool names_rt = (word & 0xffc00000) == 0xd5000000 && bits(word, 20, 19);

	return names_rt ? word & ~(uint32_t)RT : word;
}

static void count_word(struct pe_stages *s, uint32_t word)
{
	struct pe_stage_word *w;

	word = without_operand(word);
	if (2 * s->used >= s->capacity && s->used < WORDS_MAX)
		grow(s);
	w = find(s, s->at.now, word);
	if (!w->count && s->used >= WORDS_MAX - STAGE_COUNT) {
		word = 0;
		w = find(s, s->at.now, word);
	}
	if (!w->count) {
		*w = (struct pe_stage_word){.word = word, .stage = s->at.now};
		s->used++;
	}
	w->count++;
	s->stage[s->at.now].interceptions++;
}

void stages_intercepted(struct pe *pe, uint32_t word, uint64_t pc)
{
	struct hv_place place = {.va = pc, .el = pe->begin_el};

	if (!pe->set->stages)
		return;
	/* Back ends that run EL1 alone say nothing of where it goes. */
	if (pe->stages.more && pe->begin_el == 1 && pe_translate_fetch(pe, pc, &place.pa))
		pe->stages.more = go_to(pe, &place);
	count_word(&pe->stages, word);
}

void stages_exit(struct pe *pe, enum hv_exit_kind kind)
{
	if (pe->set->stages)
		pe->stages.stage[pe->stages.at.now].exits[kind]++;
}

/* ---- struct hv_watch ---- */

static bool watch_place(void *opaque, unsigned vcpu, const struct hv_place *place)
{
	struct pe_set *s = opaque;

	return go_to(&s->pe[vcpu], place);
}

static void watch_carried_out(void *opaque, unsigned vcpu, uint32_t word)
{
	struct pe_set *s = opaque;

	count_word(&s->pe[vcpu].stages, word);
}

static void watch_inner(void *opaque, unsigned vcpu, enum hv_inner kind)
{
	struct pe_set *s = opaque;
	struct pe_stages *p = &s->pe[vcpu].stages;

	p->stage[p->at.now].inner[kind]++;
}

const struct hv_watch *pe_set_count_stages(struct pe_set *s)
{
	s->stages = true;
	s->watch = (struct hv_watch){s, watch_place, watch_carried_out, watch_inner};
	return &s->watch;
}

const struct pe_stages *pe_set_stages(const struct pe_set *s, unsigned n)
{
	return s->stages ? &s->pe[n].stages : NULL;
}

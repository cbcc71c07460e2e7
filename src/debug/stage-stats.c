/* SPDX-License-Identifier: Apache-2.0 */
/* The stages of the boot in reports: sums over the PEs. */
#include "debug/stats.h"

#include "debug/names.h"
#include "host/clock.h"
#include "util/buf.h"
#include "util/xalloc.h"
#include "vm/vm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of all PEs together; times besides CPU time are PE 0's, since others may do nothing but wait in a stage. */
static struct pe_stage sum(const struct vm *vm, enum stage stage)
{
	struct pe_stage all = pe_set_stages(vm->pes, 0)->stage[stage];

	for (unsigned i = 1; i < pe_count(vm->pes); i++) {
		const struct pe_stage *s = &pe_set_stages(vm->pes, i)->stage[stage];

		if (!s->first_ns)
			continue;
		if (!all.first_ns) {
			all.first_ns = s->first_ns;
			all.el = s->el;
			all.secure = s->secure;
		}
		all.cpu_ns += s->cpu_ns;
		all.entries += s->entries;
		all.interceptions += s->interceptions;
		for (unsigned k = 0; k < HV_EXIT_COUNT; k++)
			all.exits[k] += s->exits[k];
		for (unsigned k = 0; k < HV_INNER_COUNT; k++)
			all.inner[k] += s->inner[k];
	}
	return all;
}

/* Stages that ran, in order of their beginning. */
static unsigned order(const struct vm *vm, enum stage out[STAGE_COUNT])
{
	uint64_t begin[STAGE_COUNT];
	unsigned n = 0, at;

	if (!vm->pes || !pe_set_stages(vm->pes, 0))
		return 0;
	for (enum stage s = STAGE_NONE + 1; s < STAGE_COUNT; s++) {
		uint64_t ns = sum(vm, s).first_ns;

		for (at = n; ns && at > 0 && begin[at - 1] > ns; at--) {
			begin[at] = begin[at - 1];
			out[at] = out[at - 1];
		}
		begin[at] = ns;
		out[at] = s;
		n += ns != 0;
	}
	return n;
}

static double seconds(uint64_t ns)
{
	return (double)ns / NS_PER_S;
}

static void add(json_t *object, const char *key, uint64_t n)
{
	json_t *v = json_object_get(object, key);

	if (n)
		json_object_set_new(object, key, json_integer((v ? json_integer_value(v) : 0) + n));
}

static json_t *exits(const struct pe_stage *s)
{
	json_t *o = json_object();

	for (unsigned k = 0; k < HV_EXIT_COUNT; k++)
		add(o, name_exit(k), s->exits[k]);
	for (unsigned k = 0; k < HV_INNER_COUNT; k++)
		add(o, name_inner(k), s->inner[k]);
	return o;
}

struct named {
	char name[NAME_INSN_MAX];
	uint64_t count;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static int by_count(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return x->count != y->count ? (x->count < y->count) - (x->count > y->count) : by_name(a, b);
}

struct name_list {
	struct named *at;
	size_t count;
};

/* Those of one stage, or of all (STAGE_NONE) before the Non-secure world; names may come several times. */
static void collect(const struct pe_stages *s, enum stage stage, struct name_list *l)
{
	l->at = xrealloc(l->at, l->count + s->used + 1, sizeof(*l->at));
	for (size_t k = 0; k < s->capacity; k++) {
		const struct pe_stage_word *w = &s->word[k];
		uint64_t n = stage == STAGE_NONE ? w->early : w->stage == stage ? w->count : 0;

		if (!n)
			continue;
		name_word(w->word, l->at[l->count].name);
		l->at[l->count++].count = n;
	}
}

/* Each name once, the most frequent first. */
static void merge(struct name_list *l)
{
	struct named *list = l->at;
	size_t out = 0;

	if (!l->count)
		return;
	qsort(list, l->count, sizeof(*list), by_name);
	for (size_t i = 1; i < l->count; i++) {
		if (!by_name(&list[out], &list[i]))
			list[out].count += list[i].count;
		else
			list[++out] = list[i];
	}
	l->count = out + 1;
	qsort(list, l->count, sizeof(*list), by_count);
}

/* Ends the list. */
static json_t *names(struct name_list *l)
{
	json_t *o = json_object();

	merge(l);
	for (size_t i = 0; i < l->count; i++)
		add(o, l->at[i].name, l->at[i].count);
	free(l->at);
	return o;
}

static json_t *interceptions(const struct vm *vm, enum stage stage)
{
	struct name_list l = {0};

	for (unsigned i = 0; i < pe_count(vm->pes); i++)
		collect(pe_set_stages(vm->pes, i), stage, &l);
	return names(&l);
}

/* ---- the firmware's way to the Non-secure world, on the PE that goes first ---- */

static json_t *early_exits(const struct pe_stages *s)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < STAGE_COUNT; i++) {
		for (unsigned k = 0; k < HV_EXIT_COUNT; k++)
			add(o, name_exit(k), s->stage[i].early_exits[k]);
		for (unsigned k = 0; k < HV_INNER_COUNT; k++)
			add(o, name_inner(k), s->stage[i].early_inner[k]);
	}
	return o;
}

json_t *stats_to_normal(const struct vm *vm)
{
	const struct pe_stages *s = vm->pes ? pe_set_stages(vm->pes, 0) : NULL;
	struct name_list l = {0};
	uint64_t total_of = 0;

	if (!s || !s->normal_ns || s->at.el3 == STAGE_NONE)
		return NULL;
	for (size_t i = 0; i < s->capacity; i++)
		total_of += s->word[i].early;
	collect(s, STAGE_NONE, &l);
	return json_pack("{s:f, s:o, s:o, s:I}", "s", seconds(s->normal_ns - vm->start_ns), "exits",
			 early_exits(s), "interceptions", names(&l), "interceptions_total",
			 (json_int_t)total_of);
}

json_t *stats_stages(const struct vm *vm)
{
	enum stage stages[STAGE_COUNT];
	unsigned n = order(vm, stages);
	json_t *list;

	if (!n)
		return NULL;
	list = json_array();
	for (unsigned i = 0; i < n; i++) {
		struct pe_stage s = sum(vm, stages[i]);

		json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:i, s:f, s:f, s:f, s:I, s:o, s:o, s:I}", "name",
				  stage_name(stages[i]), "world",
				  s.secure ? "secure" : "non-secure", "el", (int)s.el, "begin_s",
				  seconds(s.first_ns - vm->start_ns), "wall_s", seconds(s.wall_ns),
				  "cpu_s", seconds(s.cpu_ns), "entries", (json_int_t)s.entries,
				  "exits", exits(&s), "interceptions", interceptions(vm, stages[i]),
				  "interceptions_total", (json_int_t)s.interceptions));
	}
	return list;
}

/* ---- as a table ---- */

static uint64_t total(const uint64_t *n, unsigned count)
{
	uint64_t sum_of = 0;

	for (unsigned i = 0; i < count; i++)
		sum_of += n[i];
	return sum_of;
}

/* The device accesses, by which most exits are, and the rest. */
static void row(struct buf *b, enum stage stage, const struct pe_stage *s)
{
	uint64_t mmio = s->exits[HV_EXIT_MMIO] + s->exits[HV_EXIT_DABT];
	uint64_t rest = total(s->exits, HV_EXIT_COUNT) + total(s->inner, HV_INNER_COUNT) - mmio;
	char where[16];

	snprintf(where, sizeof(where), "%sEL%u", s->el == 3 ? "" : s->secure ? "S-" : "NS-", s->el);
	buf_fmt(b, "%-8s %-7s %9.3f %9.3f %9llu %12llu %12llu %14llu\n", stage_name(stage), where,
		seconds(s->wall_ns), seconds(s->cpu_ns), (unsigned long long)s->entries,
		(unsigned long long)mmio, (unsigned long long)rest,
		(unsigned long long)s->interceptions);
}

/* "NAME COUNT, NAME COUNT ...", at most @max of them. Ends @o. */
static void list_counts(struct buf *b, const char *title, json_t *o, unsigned max)
{
	const char *name;
	json_t *n;
	unsigned at = 0;

	json_object_foreach(o, name, n)
	{
		if (at++ >= max)
			continue;
		buf_fmt(b, "%s%s %" JSON_INTEGER_FORMAT, at == 1 ? title : ", ", name,
			json_integer_value(n));
	}
	if (at > max)
		buf_fmt(b, " and %u others", at - max);
	json_decref(o);
}

enum { KINDS_SHOWN = 8, NAMES_SHOWN = 5 };

static void details(struct buf *b, const struct vm *vm, enum stage stage, const struct pe_stage *s)
{
	buf_fmt(b, "%-9s", stage_name(stage));
	list_counts(b, "exits: ", exits(s), KINDS_SHOWN);
	list_counts(b, "; intercepted: ", interceptions(vm, stage), NAMES_SHOWN);
	buf_str(b, "\n");
}

char *stats_summary(const struct vm *vm)
{
	enum stage stages[STAGE_COUNT];
	unsigned n = order(vm, stages);
	struct buf b = BUF_INIT;

	buf_fmt(&b, "%-8s %-7s %9s %9s %9s %12s %12s %14s\n", "stage", "at", "time s", "CPU s",
		"entered", "MMIO exits", "other exits", "interceptions");
	for (unsigned i = 0; i < n; i++) {
		struct pe_stage s = sum(vm, stages[i]);

		row(&b, stages[i], &s);
	}
	for (unsigned i = 0; i < n; i++) {
		struct pe_stage s = sum(vm, stages[i]);

		details(&b, vm, stages[i], &s);
	}
	return buf_take(&b);
}

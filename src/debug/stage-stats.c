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

/* Those of one stage and all PEs; names may come several times. */
static size_t collect(const struct vm *vm, enum stage stage, struct named **list)
{
	size_t n = 0;

	*list = NULL;
	for (unsigned i = 0; i < pe_count(vm->pes); i++) {
		const struct pe_stages *s = pe_set_stages(vm->pes, i);

		*list = xrealloc(*list, n + s->used + 1, sizeof(**list));
		for (size_t k = 0; k < s->capacity; k++) {
			if (!s->word[k].count || s->word[k].stage != stage)
				continue;
			name_word(s->word[k].word, (*list)[n].name);
			(*list)[n++].count = s->word[k].count;
		}
	}
	return n;
}

/* Each name once, the most frequent first. */
static size_t merge(struct named *list, size_t n)
{
	size_t out = 0;

	if (!n)
		return 0;
	qsort(list, n, sizeof(*list), by_name);
	for (size_t i = 1; i < n; i++) {
		if (!by_name(&list[out], &list[i]))
			list[out].count += list[i].count;
		else
			list[++out] = list[i];
	}
	qsort(list, out + 1, sizeof(*list), by_count);
	return out + 1;
}

static json_t *interceptions(const struct vm *vm, enum stage stage)
{
	json_t *o = json_object();
	struct named *list = NULL;
	size_t n = collect(vm, stage, &list);

	n = merge(list, n);
	for (size_t i = 0; i < n; i++)
		add(o, list[i].name, list[i].count);
	free(list);
	return o;
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
	return buf_take(&b);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "debug/stats.h"

#include "debug/names.h"
#include "host/clock.h"
#include "util/bits.h"
#include "util/err.h"
#include "util/symtab.h"
#include "util/xalloc.h"
#include "vm/vm.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { SITES_LISTED = 200 };

static double seconds(uint64_t ns)
{
	return (double)ns / NS_PER_S;
}

static json_t *since(uint64_t start_ns, uint64_t ns)
{
	return ns ? json_real(seconds(ns - start_ns)) : json_null();
}

/* object[key] += n */
static void count(json_t *object, const char *key, uint64_t n)
{
	json_t *v = json_object_get(object, key);

	json_object_set_new(object, key, json_integer((v ? json_integer_value(v) : 0) + n));
}

/* ---- exits ---- */

static json_t *exits_of(const struct pe_stats *s, json_t *total)
{
	json_t *o = json_object();

	for (unsigned k = 0; k < HV_EXIT_COUNT; k++) {
		if (!s->exits[k])
			continue;
		count(o, name_exit(k), s->exits[k]);
		count(total, name_exit(k), s->exits[k]);
	}
	return o;
}

static json_t *pes(const struct vm *vm, json_t *total_exits)
{
	json_t *list = json_array();

	for (unsigned i = 0; vm->pes && i < pe_count(vm->pes); i++) {
		struct pe_stats s;
		json_t *o = json_object();

		pe_set_stats(vm->pes, i, &s);
		json_object_set_new(o, "pe", json_integer(i));
		json_object_set_new(o, "cpu_s", json_real(seconds(s.cpu_ns)));
		json_object_set_new(o, "exits", exits_of(&s, total_exits));
		json_object_set_new(o, "interceptions", json_integer(s.interceptions));
		json_object_set_new(o, "external_aborts", json_integer(s.aborts));
		json_array_append_new(list, o);
	}
	return list;
}

/* ---- interceptions ---- */

/* Sites of all PEs, those of one address and instruction together. */
struct site_list {
	struct pe_site *site;
	size_t count;
};

static int by_place(const void *a, const void *b)
{
	const struct pe_site *x = a, *y = b;

	if (x->pc != y->pc)
		return x->pc > y->pc ? 1 : -1;
	return (x->word > y->word) - (x->word < y->word);
}

static int by_count(const void *a, const void *b)
{
	const struct pe_site *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return by_place(a, b);
}

static void collect(const struct vm *vm, struct site_list *l)
{
	for (unsigned i = 0; i < pe_count(vm->pes); i++) {
		struct pe_stats s;

		pe_set_stats(vm->pes, i, &s);
		l->site = xrealloc(l->site, l->count + s.site_count + 1, sizeof(*l->site));
		for (size_t n = 0; n < s.site_count; n++) {
			if (s.sites[n].row)
				l->site[l->count++] = s.sites[n];
		}
	}
}

static void merge(struct site_list *l)
{
	size_t out = 0;

	if (!l->count)
		return;
	qsort(l->site, l->count, sizeof(*l->site), by_place);
	for (size_t i = 1; i < l->count; i++) {
		if (by_place(&l->site[out], &l->site[i]) == 0)
			l->site[out].count += l->site[i].count;
		else
			l->site[++out] = l->site[i];
	}
	l->count = out + 1;
	qsort(l->site, l->count, sizeof(*l->site), by_count);
}

static json_t *symbol_of(const struct symtab *symbols, uint64_t pc)
{
	uint64_t offset = 0;
	const char *name = symbols ? symtab_find(symbols, pc, &offset) : NULL;

	return name ? json_sprintf("%s+0x%llx", name, (unsigned long long)offset) : json_null();
}

static json_t *site(const struct pe_site *s, const struct symtab *symbols)
{
	char what[NAME_INSN_MAX];
	json_t *o = json_object();

	name_insn(s->row, s->word, what);
	json_object_set_new(o, "address", json_sprintf("0x%llx", (unsigned long long)s->pc));
	json_object_set_new(o, "symbol", symbol_of(symbols, s->pc));
	json_object_set_new(o, "what", json_string(what));
	json_object_set_new(o, "word", json_sprintf("0x%08x", s->word));
	json_object_set_new(o, "count", json_integer(s->count));
	return o;
}

static void interceptions(const struct vm *vm, json_t *root, const struct symtab *symbols)
{
	struct site_list l = {0};
	json_t *by_what = json_object(), *sites = json_array();
	uint64_t total = 0;

	collect(vm, &l);
	merge(&l);
	for (size_t i = 0; i < l.count; i++) {
		char what[NAME_INSN_MAX];

		name_insn(l.site[i].row, l.site[i].word, what);
		count(by_what, what, l.site[i].count);
		total += l.site[i].count;
		if (i < SITES_LISTED)
			json_array_append_new(sites, site(&l.site[i], symbols));
	}
	json_object_set_new(root, "interceptions", by_what);
	json_object_set_new(root, "interceptions_total", json_integer(total));
	json_object_set_new(root, "sites", sites);
	free(l.site);
}

static json_t *patching(const struct vm *vm)
{
	struct intercept_counts c;

	pe_set_intercept_counts(vm->pes, &c);
	return json_pack("{s:I, s:I, s:I, s:I, s:i, s:i, s:i}", "words_scanned",
			 (json_int_t)c.words_scanned, "patches", (json_int_t)c.patches, "restores",
			 (json_int_t)c.restores, "releases", (json_int_t)c.releases, "slots",
			 (int)c.slots, "sites", (int)c.sites, "slots_short", (int)c.slots_short);
}

/* ---- devices ---- */

static json_t *mmio(const struct vm *vm)
{
	json_t *o = json_object();
	size_t n;
	struct mem_region *const *r = mem_regions(vm->mem, &n);

	for (size_t i = 0; i < n; i++) {
		uint64_t reads = __atomic_load_n(&r[i]->stats.reads, __ATOMIC_RELAXED);
		uint64_t writes = __atomic_load_n(&r[i]->stats.writes, __ATOMIC_RELAXED);

		if (r[i]->kind != MEM_RAM && (reads || writes))
			json_object_set_new(o, r[i]->name,
					    json_pack("{s:I, s:I}", "reads", (json_int_t)reads,
						      "writes", (json_int_t)writes));
	}
	return o;
}

static json_t *devices(const struct vm *vm)
{
	json_t *o = json_object();
	unsigned n;
	struct dev *const *d = board_devs(vm->board, &n);

	for (unsigned i = 0; i < n; i++) {
		json_t *mine;

		if (!d[i]->c->stats)
			continue;
		mine = json_object();
		dev_lock(d[i]); /* back ends' threads go on while the PEs are stopped */
		d[i]->c->stats(d[i], mine);
		dev_unlock(d[i]);
		json_object_set_new(o, d[i]->name, mine);
	}
	return o;
}

/* ---- the whole ---- */

static void head(const struct vm *vm, json_t *o)
{
	struct rusage u;
	uint64_t end_ns = vm->end_ns ? vm->end_ns : clock_mono_ns();

	getrusage(RUSAGE_SELF, &u);
	json_object_set_new(o, "backend", json_string((vm->inner ? vm->inner : vm->hv)->name));
	json_object_set_new(o, "host", json_string(vm->caps.host));
	json_object_set_new(o, "end", json_string(vm->end_ns ? vm_end_name(vm->end) : "running"));
	json_object_set_new(o, "resets", json_integer(vm->resets));
	json_object_set_new(o, "wall_s", json_real(seconds(end_ns - vm->start_ns)));
	json_object_set_new(o, "cpu_s", json_real(seconds(clock_cpu_ns())));
	json_object_set_new(o, "first_instruction_s",
			    since(vm->start_ns, pe_set_first_run_ns(vm->pes)));
	json_object_set_new(o, "first_console_s", since(vm->start_ns, vm->console_ns));
	json_object_set_new(o, "end_s", since(vm->start_ns, end_ns));
	json_object_set_new(o, "max_rss_kib", json_integer(u.ru_maxrss));
}

static void deterministic(const struct vm *vm, json_t *o)
{
	struct pe_turns t;

	if (!pe_set_turns(vm->pes, &t))
		return;
	json_object_set_new(o, "deterministic",
			    json_pack("{s:I, s:f, s:o}", "instructions", (json_int_t)t.instructions,
				      "time_s", seconds(t.ns), "hash",
				      json_sprintf("0x%016llx", (unsigned long long)t.hash)));
}

int stats_write(const struct vm *vm, const char *path, const struct symtab *symbols, struct err *e)
{
	json_t *root = json_object(), *exits = json_object(), *stages = stats_stages(vm);
	json_t *to_normal = stats_to_normal(vm);
	int r = 0;

	head(vm, root);
	deterministic(vm, root);
	json_object_set_new(root, "pes", pes(vm, exits));
	json_object_set_new(root, "exits", exits);
	interceptions(vm, root, symbols);
	if (stages)
		json_object_set_new(root, "stages", stages);
	if (to_normal)
		json_object_set_new(root, "to_normal_world", to_normal);
	json_object_set_new(root, "patching", patching(vm));
	json_object_set_new(root, "mmio", mmio(vm));
	json_object_set_new(root, "devices", devices(vm));
	if (json_dump_file(root, path, JSON_INDENT(2) | JSON_REAL_PRECISION(9))) {
		r = err_set(e, -EIO, "--stats", "cannot write %s", path);
		err_hint(e, "does the directory exist, and may you write there?");
	}
	json_decref(root);
	return r;
}

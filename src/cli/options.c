/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/options.h"

#include "util/bits.h"
#include "util/err.h"
#include "util/nearest.h"
#include "util/xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { HELP_COLUMN = 26 };

static const char *dashes(const struct option *o)
{
	return o->single_dash || !o->name[1] ? "-" : "--";
}

static const struct option *find(const struct options *o, const char *name, size_t len)
{
	for (unsigned t = 0; o->tables[t]; t++)
		for (const struct option *p = o->tables[t]; p->name; p++)
			if (strlen(p->name) == len && !strncmp(p->name, name, len))
				return p;
	return NULL;
}

static int unknown(const struct options *o, const char *arg, const char *name, struct err *e)
{
	char *typed = xstrndup(name, strcspn(name, "="));
	struct nearest n = nearest_start(typed);
	const struct option *best;

	for (unsigned t = 0; o->tables[t]; t++)
		for (const struct option *p = o->tables[t]; p->name; p++)
			nearest_offer(&n, p->name);
	err_set(e, -EINVAL, NULL, "unknown option \"%s\"", arg);
	best = n.best ? find(o, n.best, strlen(n.best)) : NULL;
	if (best)
		err_hint(e, "did you mean %s%s?", dashes(best), best->name);
	else
		err_hint(e, "--help shows the options");
	free(typed);
	return -EINVAL;
}

static void add(struct options *o, const struct option *p, const char *value)
{
	unsigned n = 1;
	struct option_given *g;

	for (unsigned i = 0; i < o->given_count; i++)
		n += o->given[i].option == p;
	o->given = xrealloc(o->given, o->given_count + 1, sizeof(*o->given));
	g = &o->given[o->given_count++];
	g->option = p;
	g->value = value;
	g->where = p->single_dash ? xasprintf("-%s %u", p->name, n)
				  : xasprintf("%s%s", dashes(p), p->name);
}

/* One option; @next is the argument behind it. Returns how many arguments were used. */
static int option(struct options *o, const char *arg, const char *next, int *result, struct err *e)
{
	const char *name = arg + (arg[1] == '-' ? 2 : 1);
	const char *equals = strchr(name, '=');
	const struct option *p = find(o, name, strcspn(name, "="));

	if (!strcmp(arg, "-h") || !strcmp(arg, "--help")) {
		o->help = true;
		return 1;
	}
	if (!p) {
		*result = unknown(o, arg, name, e);
		return 1;
	}
	if (!p->arg && equals) {
		*result = err_set(e, -EINVAL, arg, "this option takes no value");
		return 1;
	}
	if (p->arg && !equals && !next) {
		*result = err_set(e, -EINVAL, arg, "this option needs a value");
		err_hint(e, "%s %s", arg, p->arg);
		return 1;
	}
	add(o, p, !p->arg ? NULL : equals ? equals + 1 : next);
	return p->arg && !equals ? 2 : 1;
}

static int operand(struct options *o, const char *arg, struct err *e)
{
	if (o->operand_count == ARRAY_COUNT(o->operand))
		return err_set(e, -EINVAL, NULL, "too many arguments: \"%s\"", arg);
	o->operand[o->operand_count++] = arg;
	return 0;
}

int options_parse(struct options *o, const struct option *const *tables, int argc, char **argv,
		  struct err *e)
{
	bool only_operands = false;
	int result = 0, i = 0;

	*o = (struct options){.tables = tables};
	while (i < argc) {
		if (only_operands || argv[i][0] != '-' || !argv[i][1]) {
			int r = operand(o, argv[i++], e);

			result = result ? result : r;
		} else if (!strcmp(argv[i], "--")) {
			only_operands = true;
			i++;
		} else {
			const char *next = i + 1 < argc ? argv[i + 1] : NULL;

			i += option(o, argv[i], next, &result, e);
		}
	}
	return result;
}

int options_apply(const struct options *o, void *ctx, struct err *e)
{
	int result = 0;

	for (unsigned i = 0; i < o->given_count; i++) {
		const struct option_given *g = &o->given[i];
		int r = g->option->fn ? g->option->fn(ctx, g->value, g->where, e) : 0;

		result = result ? result : r;
	}
	return result;
}

bool options_has(const struct options *o, const char *name)
{
	for (unsigned i = 0; i < o->given_count; i++)
		if (!strcmp(o->given[i].option->name, name))
			return true;
	return false;
}

void options_free(struct options *o)
{
	for (unsigned i = 0; i < o->given_count; i++)
		free(o->given[i].where);
	free(o->given);
	o->given = NULL;
	o->given_count = 0;
}

static void help_of(const struct option *p, FILE *to)
{
	const char *text = p->help;
	int n = fprintf(to, "  %s%s%s%s", dashes(p), p->name, p->arg ? " " : "",
			p->arg ? p->arg : "");

	if (n >= HELP_COLUMN) {
		fprintf(to, "\n");
		n = 0;
	}
	while (*text) {
		size_t len = strcspn(text, "\n");

		fprintf(to, "%*s%.*s\n", HELP_COLUMN - n, "", (int)len, text);
		text += len + (text[len] == '\n');
		n = 0;
	}
}

void options_help(const struct option *const *tables, FILE *to)
{
	for (unsigned t = 0; tables[t]; t++)
		for (const struct option *p = tables[t]; p->name; p++)
			help_of(p, to);
	fprintf(to, "  %-*s%s\n", HELP_COLUMN - 2, "--help", "show this");
}

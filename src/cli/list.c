/* SPDX-License-Identifier: Apache-2.0 */
/* obverse list WHAT */
#include "cli/cli.h"

#include "dev/component.h"
#include "hv/hv.h"
#include "util/bits.h"
#include "util/log.h"
#include "util/nearest.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* ---- components ---- */

static const char *const backend_names[] = {"",	      "memory",	 "characters",
					    "blocks", "network", "random numbers"};

static void print_component(const struct component *c)
{
	char full[64];

	snprintf(full, sizeof(full), "%s%s%s", c->type, c->vendor ? "@" : "",
		 c->vendor ? c->vendor : "");
	printf("  %-18s %s\n", full, c->doc);
}

static int list_components(void)
{
	printf("Components:\n");
	for (unsigned i = 0; i < component_count; i++)
		if (components[i]->cls != DEV_BACKEND)
			print_component(components[i]);
	for (unsigned k = BACKEND_MEM; k <= BACKEND_RNG; k++) {
		printf("\nBack ends for %s, behind \"||\":\n", backend_names[k]);
		for (unsigned i = 0; i < component_count; i++)
			if (components[i]->cls == DEV_BACKEND && components[i]->backend == k)
				print_component(components[i]);
	}
	return CLI_OK;
}

static const char *const kind_names[] = {
	[PROP_U32] = "number",	   [PROP_U64] = "number",      [PROP_SIZE] = "size",
	[PROP_FREQ] = "frequency", [PROP_BOOL] = "true/false", [PROP_STR] = "text",
	[PROP_PATH] = "file",	   [PROP_ENUM] = "choice",     [PROP_REF] = "object",
	[PROP_CLOCK] = "clock",	   [PROP_IRQ] = "wire",
};

static void print_prop(const struct prop *p)
{
	printf("  %-14s %-10s %-12s %s\n", p->name, kind_names[p->kind],
	       p->def	     ? p->def
	       : p->required ? "(required)"
			     : "-",
	       p->help);
	if (p->kind != PROP_ENUM)
		return;
	printf("  %-38s one of:", "");
	for (unsigned i = 0; p->choices[i]; i++)
		printf(" %s", p->choices[i]);
	printf("\n");
}

static void describe(const struct component *c)
{
	print_component(c);
	if (c->cls != DEV_BACKEND && c->backend != BACKEND_NONE)
		printf("  takes a back end for %s; without one: %s\n", backend_names[c->backend],
		       c->default_backend ? c->default_backend : "(required)");
	for (const struct dev_irq_in *in = c->irq_in; in && in->kind; in++)
		printf("  wires lead to %s:0 to %s:%u%s%s%s\n", in->kind, in->kind, in->count - 1,
		       in->count_prop ? ", as far as " : "", in->count_prop ? in->count_prop : "",
		       in->count_prop ? " goes" : "");
	if (c->props && c->props->name)
		printf("\n  %-14s %-10s %-12s %s\n", "property", "type", "default", "meaning");
	if (c->cls != DEV_BACKEND)
		printf("  %-14s %-10s %-12s %s\n", "name", "text", "-", "name of the object");
	for (const struct prop *p = c->props; p && p->name; p++)
		print_prop(p);
}

static int list_component(const char *name, struct err *e)
{
	struct nearest n = nearest_start(name);
	size_t len = strcspn(name, "@");
	bool found = false;

	for (unsigned i = 0; i < component_count; i++) {
		if (strlen(components[i]->type) == len &&
		    !strncasecmp(components[i]->type, name, len)) {
			describe(components[i]);
			found = true;
		}
		nearest_offer(&n, components[i]->type);
	}
	if (found)
		return CLI_OK;
	err_set(e, -ENOENT, NULL, "there is no component \"%s\"", name);
	if (n.best)
		err_hint(e, "did you mean \"%s\"?", n.best);
	else
		err_hint(e, "`obverse list components` shows them");
	return CLI_BAD_CONFIG;
}

/* ---- boards, back ends, log channels ---- */

static void print_board(void *opaque, const char *name, const char *doc)
{
	printf("  %-18s %s\n", name, doc);
}

static int list_boards(void)
{
	printf("Boards:\n");
	board_list(print_board, NULL);
	return CLI_OK;
}

static int list_backends(void)
{
	printf("Execution back ends:\n");
	for (unsigned i = 0; hv_backends[i]; i++) {
		struct err e = ERR_INIT;
		struct hv_caps caps = {0};
		bool works = !hv_backends[i]->probe(NULL, &caps, &e);

		printf("  %-18s %s\n", hv_backends[i]->name, hv_backends[i]->doc);
		if (works)
			printf("  %-18s works here: %s\n", "", caps.host);
		for (int n = 0; !works && n < e.count; n++)
			printf("  %-18s not here: %s\n", "", e.items[n].text);
		err_free(&e);
	}
	if (!hv_backends[0])
		printf("  none in this build: it needs an arm64 Linux host\n");
	return CLI_OK;
}

static int list_log(void)
{
	printf("Log channels:\n");
	for (int i = 0; i < LOG_CHANNEL_COUNT; i++)
		printf("  %-18s %s%s\n", log_channel_name(i), log_channel_help(i),
		       log_enabled[i] ? " (on)" : "");
	return CLI_OK;
}

/* ---- command ---- */

static const struct {
	const char *name;
	int (*fn)(void);
} lists[] = {
	{"components", list_components},
	{"boards", list_boards},
	{"backends", list_backends},
	{"log", list_log},
};

static int unknown(const char *what, struct err *e)
{
	struct nearest n = nearest_start(what ? what : "");

	for (unsigned i = 0; i < ARRAY_COUNT(lists); i++)
		nearest_offer(&n, lists[i].name);
	if (what)
		err_set(e, -EINVAL, NULL, "there is no list of \"%s\"", what);
	else
		err_set(e, -EINVAL, NULL, "what is to be listed?");
	if (n.best)
		err_hint(e, "did you mean \"%s\"?", n.best);
	else
		err_hint(e, "obverse list %s", command_list.usage);
	return CLI_BAD_CONFIG;
}

static int list(const struct options *o, struct err *e)
{
	const char *what = o->operand_count ? o->operand[0] : NULL;

	if (what && !strcmp(what, "component") && o->operand_count == 2)
		return list_component(o->operand[1], e);
	for (unsigned i = 0; what && i < ARRAY_COUNT(lists); i++)
		if (!strcmp(lists[i].name, what) && o->operand_count == 1)
			return lists[i].fn();
	return unknown(what, e);
}

static int run(int argc, char **argv, uint64_t start_ns)
{
	struct err e = ERR_INIT;
	struct options o;
	int status;

	if (options_parse(&o, command_list.options, argc, argv, &e))
		status = CLI_BAD_CONFIG;
	else
		status = o.help ? cli_command_help(&command_list) : list(&o, &e);
	options_free(&o);
	return cli_fail(&e, status);
}

static const struct option *const tables[] = {NULL};

const struct command command_list = {
	.name = "list",
	.usage = "components|boards|backends|log, or list component NAME",
	.doc = "show what there is",
	.options = tables,
	.run = run,
};

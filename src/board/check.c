/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does the text make a board? Every object is checked against its component's descriptor; plain values
 * go through the same dev_set() as later, into an instance that is thrown away. Then the wires, and
 * what any board needs. Finds as many mistakes as it can in one go.
 */
#include "board/ir.h"

#include "util/buf.h"
#include "util/err.h"
#include "util/nearest.h"
#include "util/parse.h"
#include "util/xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct check {
	struct board *b;
	struct err *e;
	int result;
};

static void failed(struct check *k, int r)
{
	if (r && !k->result)
		k->result = r;
}

static void did_you_mean(const struct check *k, const struct nearest *n, const char *otherwise)
{
	if (n->best)
		err_hint(k->e, "did you mean \"%s\"?", n->best);
	else if (otherwise)
		err_hint(k->e, "%s", otherwise);
}

/* ---- types ---- */

static void unknown_type(struct check *k, const struct board_part *part, bool backend)
{
	struct nearest n = nearest_start(part->type);
	const struct component *other = component_find(part->type, NULL);

	if (other && part->vendor) {
		failed(k, board_err(k->e, -ENOENT, &part->at, "there is no %s by \"%s\"",
				    part->type, part->vendor));
		if (other->vendor)
			err_hint(k->e, "it is %s@%s", other->type, other->vendor);
		else
			err_hint(k->e, "it has no vendor: write just %s", other->type);
		return;
	}
	for (unsigned i = 0; i < component_count; i++)
		if ((components[i]->cls == DEV_BACKEND) == backend)
			nearest_offer(&n, components[i]->type);
	failed(k, board_err(k->e, -ENOENT, &part->at, "there is no %s \"%s\"",
			    backend ? "back end" : "component", part->type));
	did_you_mean(k, &n, "`obverse list components` shows them");
}

static void find_component(struct check *k, struct board_part *part, bool backend)
{
	part->c = component_find(part->type, part->vendor);
	if (!part->c) {
		unknown_type(k, part, backend);
	} else if ((part->c->cls == DEV_BACKEND) != backend) {
		failed(k, board_err(k->e, -EINVAL, &part->at, "%s is %s", part->type,
				    backend ? "a component, not a back end"
					    : "a back end, not a component"));
		if (!backend)
			err_hint(k->e, "a back end stands behind \"||\" of a component");
		part->c = NULL;
	}
}

static const char *const class_names[] = {"nothing", "memory",	"characters",
					  "blocks",  "network", "random numbers"};

/* Those of a class but for @except. */
static void suggest_backend(struct check *k, const char *intro, enum backend_class wanted,
			    const struct component *except)
{
	struct buf names = BUF_INIT;

	for (unsigned i = 0; i < component_count; i++) {
		const struct component *c = components[i];

		if (c->cls == DEV_BACKEND && c->backend == wanted && c != except)
			buf_fmt(&names, "%s||%s", names.len ? ", " : "", c->type);
	}
	if (names.len)
		err_hint(k->e, "%s %s", intro, names.data);
	buf_free(&names);
}

static void check_backend(struct check *k, struct board_object *o)
{
	const struct component *c = o->self.c;
	const struct board_part *be = o->backend;

	if (!be) {
		if (!c || c->backend == BACKEND_NONE)
			return;
		failed(k, board_err(k->e, -EINVAL, &o->self.at,
				    "\"%s\" (%s) needs a back end for its %s", o->name, c->type,
				    class_names[c->backend]));
		suggest_backend(k, "it can be", c->backend, NULL);
	} else if (c && be->c && c->backend == BACKEND_NONE) {
		failed(k, board_err(k->e, -EINVAL, &be->at, "%s takes no back end", c->type));
	} else if (c && be->c && c->backend != be->c->backend) {
		failed(k, board_err(k->e, -EINVAL, &be->at, "%s is a back end for %s, %s needs %s",
				    be->type, class_names[be->c->backend], c->type,
				    class_names[c->backend]));
		suggest_backend(k, "it can be", c->backend, NULL);
	}
}

/* The first object with this back end. */
static const struct board_object *first_with(const struct board *b, const struct component *backend)
{
	const struct board_object *o = b->objects;

	while (!o->backend || o->backend->c != backend)
		o = o->next;
	return o;
}

static void check_exclusive(struct check *k)
{
	for (const struct board_object *o = k->b->objects; o; o = o->next) {
		const struct board_part *be = o->backend;
		const struct board_object *first;
		char *other;

		if (!be || !be->c || !be->c->exclusive)
			continue;
		first = first_with(k->b, be->c);
		if (first == o)
			continue;
		other = board_place_text(&first->backend->at);
		failed(k, board_err(k->e, -EBUSY, &be->at,
				    "\"%s\" cannot have %s, which \"%s\" has (%s)", o->name,
				    be->type, first->name, other));
		suggest_backend(k, "give one of the two another:", be->c->backend, be->c);
		free(other);
	}
}

/* The component's own default, as if it had been written. */
static void default_backend(struct check *k, struct board_object *o)
{
	const struct board_place at = {
		.file = o->self.at.file, .line = o->self.at.line, .col = o->self.at.col};

	if (!o->backend && o->self.c && o->self.c->default_backend)
		o->backend = board_parse_part(k->b, o->self.c->default_backend, &at, k->e);
}

/* ---- wires ---- */

/* How many inputs of a kind there are. A property with a wrong value is reported where it stands. */
static uint32_t input_count(const struct board_object *sink, const struct dev_irq_in *in)
{
	const struct prop *def = in->count_prop ? component_prop(sink->self.c, in->count_prop)
						: NULL;
	const struct board_prop *p = def ? board_part_prop(&sink->self, def->name) : NULL;
	uint64_t n;

	if (!def || parse_u64(p ? p->value : def->def, &n) || !n || n > in->count)
		return in->count;
	return (uint32_t)n;
}

int64_t board_wire_input(const struct board_object *sink, const struct board_wire *wire)
{
	for (const struct dev_irq_in *in = sink->self.c->irq_in; in && in->kind; in++)
		if (!strcmp(in->kind, wire->kind))
			return wire->number < input_count(sink, in)
				       ? (int64_t)in->first + wire->number
				       : -1;
	return -1;
}

static void number_too_large(struct check *k, const struct board_place *at,
			     const struct board_object *sink, const struct dev_irq_in *in,
			     const struct board_wire *w)
{
	uint32_t count = input_count(sink, in);

	failed(k, board_err(k->e, -ERANGE, at, "\"%s\" has no input %s:%u", w->sink, w->kind,
			    w->number));
	if (w->number < in->count)
		err_hint(k->e, "%s inputs are 0 to %u; %s.%s can be up to %u", w->kind, count - 1,
			 w->sink, in->count_prop, in->count);
	else
		err_hint(k->e, "%s inputs are 0 to %u", w->kind, count - 1);
}

/* What is wrong with an input that does not exist. */
static void no_such_input(struct check *k, const struct board_place *at,
			  const struct board_object *sink, const struct board_wire *w)
{
	struct buf kinds = BUF_INIT;

	for (const struct dev_irq_in *in = sink->self.c->irq_in; in && in->kind; in++) {
		if (!strcmp(in->kind, w->kind)) {
			number_too_large(k, at, sink, in, w);
			buf_free(&kinds);
			return;
		}
		buf_fmt(&kinds, "%s%s", kinds.len ? ", " : "", in->kind);
	}
	failed(k, board_err(k->e, -EINVAL, at, "\"%s\" (%s) has no inputs of kind \"%s\"", w->sink,
			    sink->self.c->type, w->kind));
	if (kinds.len)
		err_hint(k->e, "it has %s", kinds.data);
	else
		err_hint(k->e, "a wire leads to an interrupt controller or a GPIO block");
	buf_free(&kinds);
}

static struct board_object *referred(struct check *k, const struct board_place *at,
				     const char *name)
{
	struct board_object *o = board_object_find(k->b, name);
	struct nearest n = nearest_start(name);

	if (o)
		return o;
	failed(k, board_err(k->e, -ENOENT, at, "there is no object \"%s\"", name));
	for (o = k->b->objects; o; o = o->next)
		nearest_offer(&n, o->name);
	did_you_mean(k, &n, NULL);
	return NULL;
}

static void check_wire(struct check *k, const struct board_prop *p)
{
	struct board_object *sink;
	struct board_wire w;

	if (board_wire_parse(p->value, &w)) {
		failed(k, board_err(k->e, -EINVAL, &p->value_at, "%s: \"%s\" is not a wire",
				    p->name, p->value));
		err_hint(k->e, "write KIND:NUMBER@NAME, for example spi:1@gic");
	} else {
		sink = referred(k, &p->value_at, w.sink);
		if (sink && sink->self.c && board_wire_input(sink, &w) < 0)
			no_such_input(k, &p->value_at, sink, &w);
	}
	free(w.text);
}

static void check_clock(struct check *k, const struct board_prop *p)
{
	const struct board_object *o = referred(k, &p->value_at, p->value);

	if (!o || !o->self.c || o->self.c->clk_rate)
		return;
	failed(k, board_err(k->e, -EINVAL, &p->value_at, "%s: \"%s\" (%s) is not a clock", p->name,
			    o->name, o->self.type));
}

static void check_ref(struct check *k, const struct prop *def, const struct board_prop *p)
{
	const struct board_object *o = referred(k, &p->value_at, p->value);

	if (o && def->ref && strcmp(o->self.type, def->ref))
		failed(k, board_err(k->e, -EINVAL, &p->value_at, "%s: \"%s\" is a %s, not a %s",
				    p->name, o->name, o->self.type, def->ref));
}

/* ---- properties ---- */

static void unknown_prop(struct check *k, const struct board_object *o,
			 const struct board_part *part, const struct board_prop *p)
{
	struct nearest n = nearest_start(p->name);

	for (const struct prop *def = part->c->props; def && def->name; def++)
		nearest_offer(&n, def->name);
	failed(k,
	       board_err(k->e, -ENOENT, &p->at, "%s has no property \"%s\"", part->type, p->name));
	if (n.best) {
		did_you_mean(k, &n, NULL);
	} else if (part == &o->self && o->backend && o->backend->c &&
		   component_prop(o->backend->c, p->name)) {
		err_hint(k->e, "it is one of the back end: write it behind ||%s", o->backend->type);
	} else {
		err_hint(k->e, "`obverse list component %s` shows them", part->type);
	}
}

static void check_value(struct check *k, struct dev *scratch, const struct prop *def,
			const struct board_prop *p)
{
	char *where;

	switch (def->kind) {
	case PROP_IRQ:
		check_wire(k, p);
		return;
	case PROP_CLOCK:
		check_clock(k, p);
		return;
	case PROP_REF:
		check_ref(k, def, p);
		return;
	default:
		break;
	}
	if (k->e && k->e->count > BOARD_ERRORS_MAX) {
		failed(k, -EINVAL);
		return;
	}
	where = board_place_text(&p->value_at);
	failed(k, dev_set(scratch, def, p->value, where, k->e));
	free(where);
}

static void check_part(struct check *k, const struct board_object *o, const struct board_part *part)
{
	struct dev *scratch;

	if (!part->c)
		return;
	scratch = dev_create(part->c, o->name, o->where, NULL);
	failed(k, dev_defaults(scratch, k->e));
	for (const struct board_prop *p = part->props; p; p = p->next) {
		const struct prop *def = component_prop(part->c, p->name);

		if (def)
			check_value(k, scratch, def, p);
		else
			unknown_prop(k, o, part, p);
	}
	for (const struct prop *def = part->c->props; def && def->name; def++) {
		if (!def->required || def->def || board_part_prop(part, def->name))
			continue;
		failed(k,
		       board_err(k->e, -EINVAL, &part->at, "\"%s\" (%s) needs the property \"%s\"",
				 o->name, part->type, def->name));
		err_hint(k->e, "%s: %s", def->name, def->help);
	}
	dev_destroy(scratch);
}

/* ---- the graph of wires ---- */

void board_each_sink(const struct board *b, const struct board_object *o, bool wires_only,
		     void (*fn)(void *opaque, struct board_object *sink), void *opaque)
{
	for (const struct board_prop *p = o->self.c ? o->self.props : NULL; p; p = p->next) {
		const struct prop *def = component_prop(o->self.c, p->name);
		struct board_object *sink = NULL;
		struct board_wire w;

		if (def && def->kind == PROP_IRQ) {
			if (!board_wire_parse(p->value, &w))
				sink = board_object_find(b, w.sink);
			free(w.text);
		} else if (def && !wires_only &&
			   (def->kind == PROP_REF || def->kind == PROP_CLOCK)) {
			sink = board_object_find(b, p->value);
		}
		if (sink)
			fn(opaque, sink);
	}
}

enum mark { NEW, ON_PATH, DONE };

struct walk {
	struct check *k;
	const struct board_object *source;
};

static void visit(void *opaque, struct board_object *o)
{
	struct walk *up = opaque;
	struct walk down = {.k = up->k, .source = o};

	if (o->mark == DONE)
		return;
	if (o->mark == ON_PATH) {
		failed(up->k, board_err(up->k->e, -ELOOP, &up->source->self.at,
					"the interrupt wires of \"%s\" lead back to \"%s\"",
					o->name, o->name));
		err_hint(up->k->e, "a wire leads from a device to a controller, never in a circle");
		return;
	}
	o->mark = ON_PATH;
	board_each_sink(up->k->b, o, true, visit, &down);
	o->mark = DONE;
}

static void check_cycles(struct check *k)
{
	struct walk w = {.k = k};
	struct board_object *o;

	for (o = k->b->objects; o; o = o->next)
		o->mark = NEW;
	for (o = k->b->objects; o; o = o->next) {
		w.source = o;
		visit(&w, o);
	}
}

/* One wire in a list for finding two on one input. */
struct used {
	const struct board_object *source, *sink;
	const struct board_prop *prop;
	int64_t input;
	size_t order; /* as written: the later one is the mistake */
};

static int by_input(const void *x, const void *y)
{
	const struct used *a = x, *b = y;

	if (a->sink != b->sink)
		return a->sink < b->sink ? -1 : 1;
	if (a->input != b->input)
		return a->input < b->input ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

static void add_used(const struct check *k, const struct board_object *o, struct used **list,
		     size_t *count)
{
	for (const struct board_prop *p = o->self.c ? o->self.props : NULL; p; p = p->next) {
		const struct prop *def = component_prop(o->self.c, p->name);
		struct used u = {.source = o, .prop = p, .input = -1};
		struct board_wire w;

		if (!def || def->kind != PROP_IRQ)
			continue;
		if (!board_wire_parse(p->value, &w)) {
			u.sink = board_object_find(k->b, w.sink);
			if (u.sink && u.sink->self.c)
				u.input = board_wire_input(u.sink, &w);
		}
		free(w.text);
		if (u.input < 0)
			continue;
		u.order = *count;
		*list = xrealloc(*list, *count + 1, sizeof(**list));
		(*list)[(*count)++] = u;
	}
}

static void check_shared(struct check *k)
{
	struct used *u = NULL;
	size_t count = 0;

	for (const struct board_object *o = k->b->objects; o; o = o->next)
		add_used(k, o, &u, &count);
	if (count)
		qsort(u, count, sizeof(*u), by_input);
	for (size_t i = 1; i < count; i++) {
		char *other;

		if (u[i].sink != u[i - 1].sink || u[i].input != u[i - 1].input)
			continue;
		other = board_place_text(&u[i - 1].prop->value_at);
		failed(k,
		       board_err(k->e, -EBUSY, &u[i].prop->value_at, "%s is taken by \"%s\" (%s)",
				 u[i].prop->value, u[i - 1].source->name, other));
		err_hint(k->e, "every input takes one wire");
		free(other);
	}
	free(u);
}

/* ---- the whole ---- */

static unsigned count_class(const struct board *b, enum dev_class cls)
{
	unsigned n = 0;

	for (const struct board_object *o = b->objects; o; o = o->next)
		n += o->self.c && o->self.c->cls == cls;
	return n;
}

static void check_whole(struct check *k)
{
	const struct board_place at = {.file = k->b->title ? k->b->title : "the board"};
	const struct board_object *o;
	bool found = false;

	if (!count_class(k->b, DEV_MEMORY)) {
		failed(k, board_err(k->e, -EINVAL, &at, "this board has no RAM"));
		err_hint(k->e, "add an object such as RAM#address=0x40000000||hostmem#size=1G");
	}
	if (!count_class(k->b, DEV_CPU)) {
		failed(k, board_err(k->e, -EINVAL, &at, "this board has no CPU"));
		err_hint(k->e, "add an object such as CPU#count=1");
	}
	for (o = k->b->objects; o; o = o->next) {
		if (!o->self.c || o->self.c->cls != DEV_CPU)
			continue;
		if (found) {
			failed(k, board_err(k->e, -EINVAL, &o->self.at, "a second CPU object"));
			err_hint(k->e,
				 "one object stands for all CPUs: use its property \"count\"");
		}
		found = true;
	}
}

int board_check(struct board *b, struct err *e)
{
	struct check k = {.b = b, .e = e};
	struct board_object *o;
	bool types_known;

	for (o = b->objects; o; o = o->next) {
		find_component(&k, &o->self, false);
		default_backend(&k, o);
		if (o->backend)
			find_component(&k, o->backend, true);
		check_backend(&k, o);
	}
	types_known = !k.result;
	for (o = b->objects; o; o = o->next) {
		check_part(&k, o, &o->self);
		if (o->backend)
			check_part(&k, o, o->backend);
	}
	check_exclusive(&k);
	check_cycles(&k);
	check_shared(&k);
	if (types_known)
		check_whole(&k);
	return k.result;
}

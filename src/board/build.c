/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checked objects -> instances: created, properties set, wires connected; then mapped, initialised,
 * reset in the order of the wires (a sink before its sources), taken apart in reverse.
 */
#include "board/ir.h"

#include "util/err.h"
#include "util/xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- properties ---- */

static void *field(struct dev *d, const struct prop *def)
{
	return (char *)d + def->offset;
}

static struct dev *dev_named(const struct board *b, const char *name)
{
	const struct board_object *o = board_object_find(b, name);

	return o ? o->dev : NULL;
}

static const char *kind_name(const struct component *c, const char *kind)
{
	const struct dev_irq_in *in = c->irq_in;

	while (strcmp(in->kind, kind) != 0)
		in++;
	return in->kind;
}

/* The object has been checked, so that what is named exists. */
static void connect_wire(const struct board *b, struct irq *irq, const char *text)
{
	struct board_wire w;
	const struct board_object *sink = NULL;
	int64_t input = -1;

	if (!board_wire_parse(text, &w))
		sink = board_object_find(b, w.sink);
	if (sink)
		input = board_wire_input(sink, &w);
	CHECK(input >= 0);
	*irq = (struct irq){
		.sink = sink->dev,
		.input = (uint32_t)input,
		.kind = kind_name(sink->self.c, w.kind),
		.number = w.number,
		.dt_flags = IRQ_TYPE_LEVEL_HIGH,
	};
	free(w.text);
}

/* What a path property names, seen from the working directory. */
static const char *resolved(struct board_prop *p)
{
	const char *dir = p->value_at.dir;

	if (!*p->value || *p->value == '/' || !dir || !strcmp(dir, "."))
		return p->value;
	if (!p->path)
		p->path = xasprintf("%s/%s", dir, p->value);
	return p->path;
}

static int set_value(struct board *b, struct dev *d, const struct prop *def, struct board_prop *p,
		     struct err *e)
{
	char *where;
	int r;

	switch (def->kind) {
	case PROP_IRQ:
		connect_wire(b, field(d, def), p->value);
		return 0;
	case PROP_CLOCK:
		((struct clk *)field(d, def))->source = dev_named(b, p->value);
		return 0;
	case PROP_REF:
		*(struct dev **)field(d, def) = dev_named(b, p->value);
		return 0;
	default:
		where = board_place_text(&p->value_at);
		r = dev_set(d, def, def->kind == PROP_PATH ? resolved(p) : p->value, where, e);
		free(where);
		return r;
	}
}

static int set_values(struct board *b, struct dev *d, const struct board_part *part, struct err *e)
{
	int result = dev_defaults(d, e);

	for (struct board_prop *p = part->props; p; p = p->next) {
		const struct prop *def = component_prop(part->c, p->name);
		int r = def ? set_value(b, d, def, p, e) : -ENOENT;

		result = result ? result : r;
	}
	return result;
}

/* References whose default is the board's first object of a type. */
static void set_default_refs(const struct board *b, struct dev *d, const struct board_part *part)
{
	for (const struct prop *def = d->c->props; def && def->name; def++) {
		const struct board_object *o = b->objects;

		if (def->kind != PROP_REF || !def->def || board_part_prop(part, def->name))
			continue;
		while (o && strcmp(o->self.c->type, def->ref) != 0)
			o = o->next;
		if (o)
			*(struct dev **)field(d, def) = o->dev;
	}
}

/* ---- creation ---- */

static void create(struct board *b, struct board_object *o)
{
	struct dev *d = dev_create(o->self.c, o->name, o->where, b->host);

	if (o->backend) {
		d->backend = dev_create(o->backend->c, o->name, o->where, b->host);
		d->backend->owner = d;
	}
	d->phandle = b->dev_count + 1;
	o->dev = d;
	b->devs[b->dev_count++] = d;
}

struct sort {
	struct board *b;
	unsigned count;
};

/* Depth first, sinks before sources. The objects on the way are marked, so that a circle of
 * references (of wires there is none) ends. */
static void put_in_order(void *opaque, struct board_object *o)
{
	struct sort *s = opaque;

	if (o->mark)
		return;
	o->mark = 1;
	board_each_sink(s->b, o, false, put_in_order, s);
	s->b->order[s->count++] = o->dev;
}

int board_build(struct board *b, const struct dev_host *host, struct err *e)
{
	struct sort sort = {.b = b};
	struct board_object *o;
	int result = 0;

	board_destroy_devs(b);
	b->host = host;
	b->devs = xcalloc(b->object_count, sizeof(*b->devs));
	b->order = xcalloc(b->object_count, sizeof(*b->order));
	for (o = b->objects; o; o = o->next) {
		CHECK(o->self.c); /* board_check() succeeded */
		create(b, o);
		o->mark = 0;
	}
	for (o = b->objects; o; o = o->next) {
		int r = set_values(b, o->dev, &o->self, e);

		set_default_refs(b, o->dev, &o->self);
		result = result ? result : r;
		r = o->backend ? set_values(b, o->dev->backend, o->backend, e) : 0;
		result = result ? result : r;
	}
	for (o = b->objects; o; o = o->next)
		put_in_order(&sort, o);
	return result;
}

/* ---- life ---- */

/* With its back end, unless that has been done. */
static int init_one(struct dev *d, struct err *e)
{
	int r = 0;

	if (d->backend && !d->backend->init_called)
		r = dev_init(d->backend, e);
	if (!r && !d->init_called)
		r = dev_init(d, e);
	return r;
}

int board_map(struct board *b, struct err *e)
{
	int result = 0;

	if (b->mapped)
		return 0;
	b->mapped = true;
	for (unsigned i = 0; i < b->dev_count; i++) {
		struct dev *d = b->devs[i];
		int r = dev_map(d, e);

		result = result ? result : r;
		r = d->c->cls == DEV_MEMORY ? init_one(d, e) : 0;
		result = result ? result : r;
	}
	return result;
}

/* A back end that fails leaves its component alone; everything else is tried, so that all mistakes
 * are seen. */
int board_init(struct board *b, struct err *e)
{
	int result = board_map(b, e);

	for (unsigned i = 0; i < b->dev_count; i++) {
		struct dev *d = b->order[i];
		int r = d->c->cls == DEV_MEMORY ? 0 : init_one(d, e);

		result = result ? result : r;
	}
	return result;
}

void board_reset(struct board *b)
{
	for (unsigned i = 0; i < b->dev_count; i++)
		dev_reset(b->order[i]);
}

void board_hand_over(struct board *b)
{
	for (unsigned i = 0; i < b->dev_count; i++) {
		struct dev *d = b->order[i];

		if (!d->c->hand_over)
			continue;
		dev_lock(d);
		d->c->hand_over(d);
		dev_unlock(d);
	}
}

/* Sources go first: until then their sinks must be there. A back end goes after its component. */
void board_destroy_devs(struct board *b)
{
	for (unsigned i = b->dev_count; i-- > 0;) {
		struct dev *d = b->order[i];
		struct dev *backend = d->backend;

		dev_destroy(d);
		dev_destroy(backend);
	}
	free(b->devs);
	free(b->order);
	b->devs = b->order = NULL;
	b->dev_count = 0;
	b->mapped = false;
	for (struct board_object *o = b->objects; o; o = o->next)
		o->dev = NULL;
}

struct dev *const *board_devs(const struct board *b, unsigned *count)
{
	*count = b->dev_count;
	return b->devs;
}

struct dev *board_dev(const struct board *b, const char *name)
{
	return dev_named(b, name);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Changes to the objects that come from options instead of files. */
#include "board/ir.h"

#include "util/err.h"
#include "util/nearest.h"
#include "util/xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int board_line(struct board *b, const char *text, const char *where, struct err *e)
{
	struct board_place at = {.file = board_keep(b, where)};

	return board_parse_line(b, text, strlen(text), at, e);
}

/* The part of @o that has the property: the component, else its back end. */
static struct board_part *part_with(struct board *b, struct board_object *o, const char *prop)
{
	const struct component *c = component_find(o->self.type, o->self.vendor);
	const struct component *be;

	if (!c || component_prop(c, prop))
		return &o->self;
	if (!o->backend && c->default_backend)
		o->backend = board_parse_part(b, c->default_backend, &o->self.at, NULL);
	be = o->backend ? component_find(o->backend->type, o->backend->vendor) : NULL;
	return be && component_prop(be, prop) ? o->backend : NULL;
}

int board_set_prop(struct board *b, const char *name, const char *prop, const char *value,
		   const char *where, struct err *e)
{
	struct board_object *o = board_object_find(b, name);
	struct board_part *part = o ? part_with(b, o, prop) : NULL;
	struct board_place at = {.file = board_keep(b, where)};

	if (!part)
		return -ENOENT;
	board_part_set(part, prop, xstrdup(value), &at, &at);
	return 0;
}

const char *board_get_prop(const struct board *b, const char *name, const char *prop)
{
	const struct board_object *o = board_object_find(b, name);
	const struct board_prop *p = o ? board_part_prop(&o->self, prop) : NULL;

	if (!p && o && o->backend)
		p = board_part_prop(o->backend, prop);
	return p ? p->value : NULL;
}

static int unknown_object(const struct board *b, const char *name, const char *where, struct err *e)
{
	struct nearest n = nearest_start(name);

	for (const struct board_object *o = b->objects; o; o = o->next)
		nearest_offer(&n, o->name);
	err_set(e, -ENOENT, where, "the board has no object \"%s\"", name);
	if (n.best)
		err_hint(e, "did you mean \"%s\"?", n.best);
	return -ENOENT;
}

static int unknown_prop(const struct board_object *o, const char *prop, const char *where,
			struct err *e)
{
	const struct component *c[2] = {component_find(o->self.type, o->self.vendor)};
	struct nearest n = nearest_start(prop);

	if (o->backend)
		c[1] = component_find(o->backend->type, o->backend->vendor);
	for (unsigned i = 0; i < 2; i++)
		for (const struct prop *p = c[i] ? c[i]->props : NULL; p && p->name; p++)
			nearest_offer(&n, p->name);
	err_set(e, -ENOENT, where, "\"%s\" (%s) has no property \"%s\"", o->name, o->self.type,
		prop);
	if (n.best)
		err_hint(e, "did you mean \"%s\"?", n.best);
	else
		err_hint(e, "`obverse list component %s` shows them", o->self.type);
	return -ENOENT;
}

int board_set(struct board *b, const char *assignment, const char *where, struct err *e)
{
	const char *equals = strchr(assignment, '=');
	const char *dot = strchr(assignment, '.');
	char *name, *prop;
	int r;

	if (!equals || !dot || dot > equals || dot == assignment || dot + 1 == equals) {
		err_set(e, -EINVAL, where, "\"%s\" is not an assignment", assignment);
		err_hint(e, "write NAME.PROPERTY=VALUE, for example uart0.irq=spi:1@gic");
		return -EINVAL;
	}
	name = xstrndup(assignment, (size_t)(dot - assignment));
	prop = xstrndup(dot + 1, (size_t)(equals - dot - 1));
	r = board_set_prop(b, name, prop, equals + 1, where, e);
	if (r) {
		const struct board_object *o = board_object_find(b, name);

		r = o ? unknown_prop(o, prop, where, e) : unknown_object(b, name, where, e);
	}
	free(name);
	free(prop);
	return r;
}

/* ---- whole objects ---- */

int board_set_backend(struct board *b, const char *name, const char *backend, const char *where,
		      struct err *e)
{
	const struct board_place at = {.file = board_keep(b, where)};
	struct board_object *o = board_object_find(b, name);
	struct board_part *part;

	if (!o)
		return -ENOENT;
	part = board_parse_part(b, backend, &at, e);
	if (!part)
		return -EINVAL;
	board_part_free(o->backend);
	o->backend = part;
	return 0;
}

static struct board_object *last_of_type(const struct board *b, const char *type)
{
	struct board_object *last = NULL;

	for (struct board_object *o = b->objects; o; o = o->next)
		if (!strcmp(o->self.type, type))
			last = o;
	return last;
}

/* The slot is empty, so nothing of it is lost but its type. */
static void become(struct board_object *slot, struct board_part *self, struct board_part *backend)
{
	free(slot->self.type);
	free(slot->self.vendor);
	slot->self.type = self->type;
	slot->self.vendor = self->vendor;
	slot->self.at = self->at;
	self->type = self->vendor = NULL;
	board_part_merge(&slot->self, self);
	board_part_free(slot->backend);
	slot->backend = backend;
	free(slot->where);
	slot->where = board_place_text(&slot->self.at);
}

static int plug(struct board *b, const char *slot_type, const char *text,
		const struct board_place *at, struct err *e)
{
	struct board_object *slot = last_of_type(b, slot_type);
	struct board_part self = {0}, *backend = NULL;
	int r = board_parse_object(b, text, at, &self, &backend, e);

	if (!r && board_part_prop(&self, "name"))
		r = board_err(e, -EINVAL, at, "an object in a slot has the slot's name");
	if (!r && !slot) {
		r = board_err(e, -ENOSPC, at, "the board has no free slot (%s) for a %s", slot_type,
			      self.type);
		err_hint(e, "use a board with more slots, or give the object an address: -vobj");
	}
	if (!r)
		become(slot, &self, backend);
	else
		board_part_free(backend);
	board_part_clear(&self);
	return r;
}

int board_plug(struct board *b, const char *slot_type, const char *text, const char *where,
	       struct err *e)
{
	const struct board_place at = {.file = board_keep(b, where), .col = 1};

	return plug(b, slot_type, text, &at, e);
}

int board_plug_made(struct board *b, const char *slot_type, const char *text, const char *where,
		    struct err *e)
{
	const struct board_place at = {.file = board_keep(b, where)};

	return plug(b, slot_type, text, &at, e);
}

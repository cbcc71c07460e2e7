/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of a board: the list, their properties, where they stand in the text. */
#include "board/ir.h"

#include "util/buf.h"
#include "util/err.h"
#include "util/xalloc.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- places ---- */

const char *board_keep(struct board *b, const char *s)
{
	size_t size = strlen(s) + 1;
	struct board_string *k;

	for (k = b->strings; k; k = k->next)
		if (!strcmp(k->text, s))
			return k->text;
	k = xcalloc(1, sizeof(*k) + size);
	memcpy(k->text, s, size);
	k->next = b->strings;
	b->strings = k;
	return k->text;
}

char *board_place_text(const struct board_place *at)
{
	const char *file = at->file ? at->file : "built in";

	if (at->line && at->col)
		return xasprintf("%s:%u:%u", file, at->line, at->col);
	if (at->line || at->col)
		return xasprintf("%s:%u", file, at->line ? at->line : at->col);
	return xstrdup(file);
}

int board_err(struct err *e, int code, const struct board_place *at, const char *fmt, ...)
{
	char *where, *text;
	va_list ap;

	if (!e)
		return code;
	if (e->count >= BOARD_ERRORS_MAX) { /* the rest would not be read */
		if (e->count == BOARD_ERRORS_MAX)
			err_set(e, code, NULL, "too many mistakes; further ones are not shown");
		return code;
	}
	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	where = board_place_text(at);
	err_set(e, code, where, "%s", text);
	free(where);
	free(text);
	return code;
}

/* ---- properties ---- */

struct board_prop *board_part_prop(const struct board_part *part, const char *name)
{
	struct board_prop *p = part->props;

	while (p && strcmp(p->name, name))
		p = p->next;
	return p;
}

struct board_prop *board_part_set(struct board_part *part, const char *name, char *value,
				  const struct board_place *at, const struct board_place *value_at)
{
	struct board_prop **tail = &part->props, *p;

	while (*tail && strcmp((*tail)->name, name))
		tail = &(*tail)->next;
	p = *tail;
	if (!p) {
		p = *tail = xcalloc(1, sizeof(*p));
		p->name = xstrdup(name);
	}
	free(p->value);
	free(p->path);
	p->value = value;
	p->path = NULL;
	p->at = *at;
	p->value_at = *value_at;
	return p;
}

void board_part_clear(struct board_part *part)
{
	struct board_prop *p, *next;

	for (p = part->props; p; p = next) {
		next = p->next;
		free(p->name);
		free(p->value);
		free(p->path);
		free(p);
	}
	free(part->type);
	free(part->vendor);
	memset(part, 0, sizeof(*part));
}

void board_part_merge(struct board_part *to, struct board_part *from)
{
	for (struct board_prop *p = from->props; p; p = p->next) {
		board_part_set(to, p->name, p->value, &p->at, &p->value_at);
		p->value = NULL;
	}
	board_part_clear(from);
}

void board_part_free(struct board_part *part)
{
	if (!part)
		return;
	board_part_clear(part);
	free(part);
}

/* ---- objects ---- */

struct board_object *board_object_find(const struct board *b, const char *name)
{
	struct board_object *o = b->objects;

	while (o && strcmp(o->name, name))
		o = o->next;
	return o;
}

struct board_object *board_object_add(struct board *b, char *name, const struct board_place *at)
{
	struct board_object **tail = &b->objects, *o = xcalloc(1, sizeof(*o));

	while (*tail)
		tail = &(*tail)->next;
	*tail = o;
	o->name = name;
	o->where = board_place_text(at);
	b->object_count++;
	return o;
}

void board_object_remove(struct board *b, struct board_object *o)
{
	struct board_object **at = &b->objects;

	while (*at != o)
		at = &(*at)->next;
	*at = o->next;
	b->object_count--;
	board_part_clear(&o->self);
	board_part_free(o->backend);
	free(o->name);
	free(o->where);
	free(o);
}

bool board_name_valid(const char *name)
{
	size_t len = strlen(name);

	if (!len || len > BOARD_NAME_MAX || !(isalpha((unsigned char)*name) || *name == '_'))
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("_-", *name))
			return false;
	return true;
}

/* ---- boards ---- */

struct board *board_create(void)
{
	return xcalloc(1, sizeof(struct board));
}

bool board_empty(const struct board *b)
{
	return !b->objects;
}

void board_destroy(struct board *b)
{
	struct board_string *next;

	if (!b)
		return;
	board_destroy_devs(b);
	while (b->objects)
		board_object_remove(b, b->objects);
	for (; b->strings; b->strings = next) {
		next = b->strings->next;
		free(b->strings);
	}
	free(b);
}

static const struct component *component_of(const struct board_object *o)
{
	return component_find(o->self.type, o->self.vendor);
}

const char *board_find_type(const struct board *b, const char *type, unsigned index)
{
	for (const struct board_object *o = b->objects; o; o = o->next)
		if (!strcmp(o->self.type, type) && !index--)
			return o->name;
	return NULL;
}

const char *board_find_class(const struct board *b, enum dev_class cls, unsigned index)
{
	for (const struct board_object *o = b->objects; o; o = o->next) {
		const struct component *c = component_of(o);

		if (c && c->cls == cls && !index--)
			return o->name;
	}
	return NULL;
}

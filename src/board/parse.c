/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text of objects: docs/board-format.md has the grammar. A line with a mistake in its form changes
 * nothing and is reported once, at the character that does not fit; reading goes on with the next.
 */
#include "board/ir.h"

#include "util/buf.h"
#include "util/err.h"
#include "util/nearest.h"
#include "util/parse.h"
#include "util/xalloc.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Text being read; NUL-terminated, without NULs inside. */
struct scan {
	struct board *board;
	struct err *e;
	const char *s;
	size_t pos;
	struct board_place at;
	const unsigned
		*cols; /* column of each character; NULL: they follow at.col, unless that is 0 */
};

/* ---- scanning ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct board_place place(const struct scan *t, size_t pos)
{
	struct board_place at = t->at;

	if (t->cols)
		at.col = t->cols[pos];
	else if (at.col)
		at.col += (unsigned)pos;
	return at;
}

static int bad(const struct scan *t, size_t pos, const char *what)
{
	struct board_place at = place(t, pos);

	return board_err(t->e, -EINVAL, &at, "%s", what);
}

static char peek(const struct scan *t)
{
	return t->s[t->pos];
}

static void skip_blanks(struct scan *t)
{
	while (is_blank(peek(t)))
		t->pos++;
}

static bool at_backend(const struct scan *t)
{
	return peek(t) == '|' && t->s[t->pos + 1] == '|';
}

static bool at_end_of_value(const struct scan *t)
{
	return !peek(t) || peek(t) == ';' || at_backend(t);
}

/* Letters, digits and "-_.," as in types, vendors and property names; NULL if there are none. */
static char *word(struct scan *t)
{
	size_t start = t->pos;

	while (isalnum((unsigned char)peek(t)) || (peek(t) && strchr("-_.,", peek(t))))
		t->pos++;
	return t->pos > start ? xstrndup(t->s + start, t->pos - start) : NULL;
}

/* ---- values ---- */

/* A backslash: the next character loses its meaning. */
static int escape(struct scan *t, struct buf *out)
{
	char c = t->s[t->pos + 1];

	if (!c || !strchr(";|#\"\\", c)) {
		bad(t, t->pos, "unknown escape in a value");
		err_hint(t->e, "a backslash itself is written \\\\; others are \\; \\| \\# \\\"");
		return -EINVAL;
	}
	buf_add(out, &c, 1);
	t->pos += 2;
	return 0;
}

static int quoted_value(struct scan *t, struct buf *out)
{
	size_t start = t->pos++;

	while (peek(t) != '"') {
		if (!peek(t))
			return bad(t, start, "this quoted value does not end");
		if (peek(t) == '\\') {
			if (escape(t, out))
				return -EINVAL;
			continue;
		}
		buf_add(out, t->s + t->pos++, 1);
	}
	t->pos++;
	skip_blanks(t);
	return at_end_of_value(t) ? 0 : bad(t, t->pos, "text after a quoted value");
}

/* Characters that stand for nothing in a bare value, but look as if they should. */
static int misplaced(const struct scan *t)
{
	switch (peek(t)) {
	case '#':
		bad(t, t->pos, "\"#\" inside a value");
		err_hint(t->e,
			 "properties are separated by \";\"; a \"#\" in a value is written \\#");
		return -EINVAL;
	case '|':
		bad(t, t->pos, "a single \"|\"");
		err_hint(t->e,
			 "a back end stands behind \"||\"; a \"|\" in a value is written \\|");
		return -EINVAL;
	case '"':
		bad(t, t->pos, "a quote inside a value");
		err_hint(t->e, "put the whole value in quotes, quotes inside it as \\\"");
		return -EINVAL;
	}
	return 0;
}

static int bare_value(struct scan *t, struct buf *out)
{
	size_t keep = 0; /* length without trailing blanks */

	while (!at_end_of_value(t)) {
		bool blank = is_blank(peek(t));

		if (misplaced(t))
			return -EINVAL;
		if (peek(t) == '\\') {
			if (escape(t, out))
				return -EINVAL;
		} else {
			buf_add(out, t->s + t->pos++, 1);
		}
		if (!blank)
			keep = out->len;
	}
	if (out->data)
		out->data[keep] = '\0';
	return 0;
}

/* NULL after an error. */
static char *value(struct scan *t)
{
	struct buf out = BUF_INIT;
	int r = peek(t) == '"' ? quoted_value(t, &out) : bare_value(t, &out);
	char *s = buf_take(&out);

	if (!r)
		return s;
	free(s);
	return NULL;
}

/* ---- parts ---- */

static int property(struct scan *t, struct board_part *part)
{
	struct board_place at, value_at;
	size_t start;
	char *name, *v;
	int r = 0;

	skip_blanks(t);
	start = t->pos;
	at = place(t, start);
	name = word(t);
	if (!name)
		return bad(t, start, "the name of a property is missing");
	skip_blanks(t);
	if (peek(t) != '=') {
		r = board_err(t->e, -EINVAL, &at, "property \"%s\" has no value", name);
		err_hint(t->e, "write %s=VALUE", name);
		free(name);
		return r;
	}
	t->pos++;
	skip_blanks(t);
	value_at = place(t, t->pos);
	v = value(t);
	if (!v)
		r = -EINVAL;
	else if (board_part_prop(part, name))
		r = board_err(t->e, -EINVAL, &at, "property \"%s\" is given twice", name);
	else
		board_part_set(part, name, v, &at, &value_at);
	if (r)
		free(v);
	free(name);
	return r;
}

static int properties(struct scan *t, struct board_part *part)
{
	do {
		t->pos++; /* '#' or ';' */
		if (property(t, part))
			return -EINVAL;
	} while (peek(t) == ';');
	return 0;
}

/* TYPE[@VENDOR][#...], up to "||" or the end. @part is cleared by the caller. */
static int part_text(struct scan *t, struct board_part *part)
{
	size_t start;

	skip_blanks(t);
	start = t->pos;
	part->at = place(t, start);
	part->type = word(t);
	if (!part->type)
		return bad(t, start, "the type of an object is missing");
	if (peek(t) == '@') {
		start = ++t->pos;
		part->vendor = word(t);
		if (!part->vendor)
			return bad(t, start, "the vendor is missing behind \"@\"");
	}
	skip_blanks(t);
	if (peek(t) == '#')
		return properties(t, part);
	if (!peek(t) || at_backend(t))
		return 0;
	bad(t, t->pos, "\"#\" or \"||\" expected behind the type");
	err_hint(t->e, "an object is TYPE#property=value;property=value||BACKEND#...");
	return -EINVAL;
}

/* ---- objects ---- */

static char *lower(const char *s)
{
	char *r = xstrdup(s);

	for (char *p = r; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return r;
}

/* The type in lower case, with a number if that is taken. */
static char *free_name(const struct board *b, const char *type)
{
	char *base = lower(type), *name = xstrdup(base);

	for (unsigned n = 1; board_object_find(b, name); n++) {
		free(name);
		name = xasprintf("%s%u", base, n);
	}
	free(base);
	return name;
}

/* Take the property "name" out of the part; NULL if there is none. */
static char *take_name(struct board_part *part, struct board_place *at)
{
	struct board_prop **link = &part->props, *p;
	char *name;

	while (*link && strcmp((*link)->name, "name"))
		link = &(*link)->next;
	p = *link;
	if (!p)
		return NULL;
	*link = p->next;
	*at = p->value_at;
	name = p->value;
	free(p->name);
	free(p->path);
	free(p);
	return name;
}

/* A later line about an existing object. */
static int update(struct board_object *o, struct board_part *self, struct board_part *backend,
		  struct err *e)
{
	if (strcmp(o->self.type, self->type) ||
	    (self->vendor && o->self.vendor && strcmp(o->self.vendor, self->vendor))) {
		board_err(e, -EINVAL, &self->at, "\"%s\" is a %s already (%s), not a %s", o->name,
			  o->self.type, o->where, self->type);
		err_hint(e, "\"remove %s\" before makes room for a new one", o->name);
		return -EINVAL;
	}
	board_part_merge(&o->self, self);
	if (!backend)
		return 0;
	if (o->backend && !strcmp(o->backend->type, backend->type)) {
		board_part_merge(o->backend, backend);
		free(backend);
	} else {
		board_part_free(o->backend);
		o->backend = backend;
	}
	return 0;
}

static int add(struct scan *t, char *name, struct board_part *self, struct board_part *backend)
{
	struct board_object *o;

	if (t->board->object_count >= BOARD_OBJECTS_MAX) {
		free(name);
		return board_err(t->e, -E2BIG, &self->at, "more than %d objects",
				 BOARD_OBJECTS_MAX);
	}
	o = board_object_add(t->board, name ? name : free_name(t->board, self->type), &self->at);
	o->self = *self;
	o->backend = backend;
	memset(self, 0, sizeof(*self));
	return 0;
}

static int apply(struct scan *t, struct board_part *self, struct board_part *backend)
{
	struct board_place at;
	char *name = take_name(self, &at);
	struct board_object *o;
	int r;

	if (name && !board_name_valid(name)) {
		r = board_err(t->e, -EINVAL, &at, "\"%s\" is not a name", name);
		err_hint(t->e,
			 "a name is letters, digits, \"-\" and \"_\", at most %d, "
			 "and does not begin with a digit",
			 BOARD_NAME_MAX);
		free(name);
		board_part_free(backend);
		return r;
	}
	o = name ? board_object_find(t->board, name) : NULL;
	if (!o) {
		r = add(t, name, self, backend);
		if (r)
			board_part_free(backend);
		return r;
	}
	free(name);
	r = update(o, self, backend, t->e);
	if (r)
		board_part_free(backend);
	return r;
}

static int backend_text(struct scan *t, struct board_part *backend)
{
	if (part_text(t, backend))
		return -EINVAL;
	if (at_backend(t))
		return bad(t, t->pos, "a second back end");
	if (board_part_prop(backend, "name")) {
		board_err(t->e, -EINVAL, &board_part_prop(backend, "name")->at,
			  "a back end has no name of its own");
		err_hint(t->e, "the name belongs to the object, before \"||\"");
		return -EINVAL;
	}
	return 0;
}

static int parts(struct scan *t, struct board_part *self, struct board_part **backend)
{
	int r = part_text(t, self);

	if (r || !at_backend(t))
		return r;
	t->pos += 2;
	*backend = xcalloc(1, sizeof(**backend));
	return backend_text(t, *backend);
}

int board_parse_object(struct board *b, const char *text, const struct board_place *at,
		       struct board_part *self, struct board_part **backend, struct err *e)
{
	struct scan t = {.board = b, .e = e, .s = text, .at = *at};

	return parts(&t, self, backend);
}

static int object(struct scan *t)
{
	struct board_part self = {0}, *backend = NULL;
	int r = parts(t, &self, &backend);

	if (!r)
		r = apply(t, &self, backend);
	else
		board_part_free(backend);
	board_part_clear(&self);
	return r;
}

struct board_part *board_parse_part(struct board *b, const char *text, const struct board_place *at,
				    struct err *e)
{
	struct scan t = {.board = b, .e = e, .s = text, .at = *at};
	struct board_part *part = xcalloc(1, sizeof(*part));

	if (part_text(&t, part) || (peek(&t) && bad(&t, t.pos, "unexpected text"))) {
		board_part_free(part);
		return NULL;
	}
	return part;
}

int board_wire_parse(const char *text, struct board_wire *wire)
{
	char *colon, *at;
	uint64_t n;

	wire->text = xstrdup(text);
	colon = strchr(wire->text, ':');
	at = colon ? strchr(colon, '@') : NULL;
	if (!at || colon == wire->text || !at[1])
		return -EINVAL;
	*colon = *at = '\0';
	if (parse_u64(colon + 1, &n) || n > UINT32_MAX)
		return -EINVAL;
	wire->kind = wire->text;
	wire->number = (uint32_t)n;
	wire->sink = at + 1;
	return 0;
}

/* ---- lines ---- */

/* The line is one quoted token: remove the quotes and one level of \" and \\ from it. */
static int quoted_line(struct scan *t)
{
	struct scan in = *t;
	struct buf out = BUF_INIT;
	unsigned *cols = xcalloc(strlen(t->s) + 1, sizeof(*cols));
	size_t start = t->pos;
	int r;

	for (in.pos = start + 1; peek(&in) && peek(&in) != '"'; in.pos++) {
		if (peek(&in) == '\\' && in.s[in.pos + 1] && strchr("\"\\", in.s[in.pos + 1]))
			in.pos++;
		cols[out.len] = place(&in, in.pos).col;
		buf_add(&out, in.s + in.pos, 1);
	}
	cols[out.len] = place(&in, in.pos).col;
	if (!peek(&in)) {
		r = bad(t, start, "this quoted object does not end");
	} else {
		in.pos++;
		skip_blanks(&in);
		r = peek(&in) ? bad(&in, in.pos, "text after a quoted object") : 0;
	}
	if (!r) {
		in.s = out.data ? out.data : "";
		in.pos = 0;
		in.cols = cols;
		r = object(&in);
	}
	buf_free(&out);
	free(cols);
	return r;
}

/* Is the line the keyword @k with something behind it? Moves to that. */
static bool keyword(struct scan *t, const char *k)
{
	size_t len = strlen(k);

	if (strncmp(t->s + t->pos, k, len) ||
	    !(is_blank(t->s[t->pos + len]) || !t->s[t->pos + len]))
		return false;
	t->pos += len;
	skip_blanks(t);
	return true;
}

static int remove_line(struct scan *t)
{
	struct board_place at = place(t, t->pos);
	struct nearest near = nearest_start(t->s + t->pos);
	struct board_object *o = board_object_find(t->board, near.wanted);

	if (o) {
		board_object_remove(t->board, o);
		return 0;
	}
	if (!*near.wanted)
		return bad(t, t->pos, "the name of the object to remove is missing");
	for (o = t->board->objects; o; o = o->next)
		nearest_offer(&near, o->name);
	board_err(t->e, -ENOENT, &at, "there is no object \"%s\" to remove", near.wanted);
	if (near.best)
		err_hint(t->e, "did you mean \"%s\"?", near.best);
	return -ENOENT;
}

static int include_line(struct scan *t)
{
	struct board_place at = place(t, t->pos);
	struct buf name = BUF_INIT;
	int r;

	if (peek(t) == '"')
		r = quoted_value(t, &name);
	else
		r = bare_value(t, &name);
	if (!r && peek(t))
		r = bad(t, t->pos, "unexpected text behind the file name");
	if (!r && (!name.data || !*name.data))
		r = bad(t, t->pos, "the name of the file to include is missing");
	if (!r)
		r = board_include(t->board, name.data, &at, t->e);
	buf_free(&name);
	return r;
}

/* A line pasted from a command. */
static int vobj_line(struct scan *t)
{
	bad(t, 0, "-vobj is for command lines");
	err_hint(t->e, "in a file the object stands alone");
	return -EINVAL;
}

static int line(struct scan *t)
{
	skip_blanks(t);
	if (!peek(t) || peek(t) == '#')
		return 0;
	if (peek(t) == '"')
		return quoted_line(t);
	if (keyword(t, "include"))
		return include_line(t);
	if (keyword(t, "remove"))
		return remove_line(t);
	if (keyword(t, "-vobj"))
		return vobj_line(t);
	return object(t);
}

int board_parse_line(struct board *b, const char *text, size_t len, struct board_place at,
		     struct err *e)
{
	struct scan t = {.board = b, .e = e, .at = at};
	char *copy;
	int r;

	t.at.col = 1;
	while (len && (is_blank(text[len - 1]) || text[len - 1] == '\r'))
		len--;
	if (len > BOARD_LINE_MAX)
		return bad(&t, 0, "this line is too long");
	for (size_t i = 0; i < len; i++)
		if (iscntrl((unsigned char)text[i]) && text[i] != '\t')
			return bad(&t, i, "a control character: this is not a board file");
	copy = xstrndup(text, len);
	t.s = copy;
	r = line(&t);
	free(copy);
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Instances of components: creation, properties, regions, reset. */
#include "dev/component.h"

#include "util/bits.h"
#include "util/buf.h"
#include "util/err.h"
#include "util/parse.h"
#include "util/xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- descriptors ---- */

const struct component *component_find(const char *type, const char *vendor)
{
	for (unsigned i = 0; i < component_count; i++) {
		const struct component *c = components[i];

		if (strcmp(c->type, type))
			continue;
		if (!vendor || (c->vendor && !strcmp(c->vendor, vendor)))
			return c;
	}
	return NULL;
}

const struct prop *component_prop(const struct component *c, const char *name)
{
	for (const struct prop *p = c->props; p && p->name; p++) {
		if (!strcmp(p->name, name))
			return p;
	}
	return NULL;
}

static unsigned count_regions(const struct component *c)
{
	unsigned n = 0;

	for (const struct dev_region *r = c->regions; r && (r->read || r->write || r->rom); r++)
		n++;
	return n;
}

/* ---- life ---- */

struct dev *dev_create(const struct component *c, const char *name, const char *where,
		       const struct dev_host *host)
{
	struct dev *d = xcalloc(1, c->size);

	CHECK(c->size >= sizeof(*d));
	d->c = c;
	d->name = name;
	d->where = where;
	d->host = host;
	pthread_mutex_init(&d->lock, NULL);
	d->region_count = count_regions(c);
	d->region = xcalloc(d->region_count, sizeof(*d->region));
	return d;
}

static void free_regions(struct dev *d)
{
	for (unsigned i = 0; i < d->region_count; i++) {
		if (d->region[i].name != d->name)
			free((char *)(uintptr_t)d->region[i].name);
		if (d->c->regions[i].shows)
			free(d->region[i].host);
	}
	free(d->region);
}

void dev_destroy(struct dev *d)
{
	if (!d)
		return;
	if (d->init_called && d->c->fini)
		d->c->fini(d);
	free_regions(d);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

/* What is wrong has been said the first time. */
static int check(struct dev *d, struct err *e)
{
	if (!d->checked && d->c->check)
		d->refused = d->c->check(d, e) != 0;
	d->checked = true;
	return d->refused ? -EINVAL : 0;
}

int dev_init(struct dev *d, struct err *e)
{
	int r = check(d, e);

	if (r)
		return r;
	d->init_called = true;
	if (d->c->init)
		r = d->c->init(d, e);
	d->ready = r == 0;
	return r;
}

void dev_state_reset(struct dev *d)
{
	for (const struct dev_state *s = d->c->state; s && s->name; s++) {
		uint8_t *p = (uint8_t *)d + s->offset;

		for (uint32_t i = 0; !s->keep && i < (s->count ? s->count : 1); i++)
			memcpy(p + (size_t)i * s->size, &s->reset, s->size); /* little-endian */
	}
}

void dev_reset(struct dev *d)
{
	dev_lock(d);
	if (d->c->reset)
		d->c->reset(d);
	else
		dev_state_reset(d);
	dev_unlock(d);
}

/* ---- regions ---- */

static const void *at_offset(const struct dev *d, size_t offset)
{
	return (const char *)d + offset;
}

static int map_region(struct dev *d, unsigned i, struct err *e)
{
	const struct dev_region *desc = &d->c->regions[i];
	struct mem_region *r = &d->region[i];

	*r = (struct mem_region){
		.name = desc->name ? xasprintf("%s.%s", d->name, desc->name) : d->name,
		.where = d->where,
		.base = *(const uint64_t *)at_offset(d, desc->address_offset),
		.size = desc->size ? desc->size : desc->size_fn(d),
		.kind = desc->rom ? MEM_ROM : MEM_MMIO,
		.direct = desc->rom,
		.secure_only = desc->secure_offset &&
			       *(const bool *)at_offset(d, desc->secure_offset),
		.read = desc->read,
		.write = desc->write,
		.opaque = d,
		.lock = &d->lock,
		.min_width = desc->min_width ? desc->min_width : 4,
		.max_width = desc->max_width ? desc->max_width : 4,
	};
	if (desc->shows && r->size)
		r->host = xpages(r->size);
	return r->size ? mem_add(d->host->mem, r, e) : 0;
}

int dev_map(struct dev *d, struct err *e)
{
	int result = check(d, e);

	for (unsigned i = 0; !d->refused && i < d->region_count; i++) {
		int r = map_region(d, i, e);

		result = result ? result : r;
	}
	return result;
}

/* ---- properties ---- */

static void *field(struct dev *d, const struct prop *p)
{
	return (uint8_t *)d + p->offset;
}

static int bad(const struct dev *d, const struct prop *p, const char *value, const char *where,
	       struct err *e, const char *expected)
{
	return err_set(e, -EINVAL, where, "%s.%s: \"%s\" is not %s", d->name, p->name, value,
		       expected);
}

static uint64_t largest(const struct prop *p)
{
	if (p->max)
		return p->max;
	return p->kind == PROP_U32 ? UINT32_MAX : UINT64_MAX;
}

/* A value as the user would write it for this property. */
static void add_value(struct buf *b, const struct prop *p, uint64_t v)
{
	static const char prefixes[] = " kMGT";
	unsigned step = p->kind == PROP_SIZE ? 1024 : 1000, i = 0;

	if (p->kind == PROP_U32 || p->kind == PROP_U64) {
		buf_fmt(b, v < 1000000 ? "%llu" : "0x%llx", (unsigned long long)v);
		return;
	}
	for (; v && v % step == 0 && i < 4; i++)
		v /= step;
	buf_fmt(b, "%llu", (unsigned long long)v);
	if (p->kind == PROP_FREQ)
		buf_fmt(b, "%.*sHz", i > 0, prefixes + i);
	else if (i)
		buf_fmt(b, "%ciB", i == 1 ? 'K' : prefixes[i]);
	else if (v)
		buf_str(b, "B");
}

static int out_of_range(const struct dev *d, const struct prop *p, const char *value,
			const char *where, struct err *e)
{
	struct buf range = BUF_INIT;
	int r = err_set(e, -ERANGE, where, "%s.%s: %s is out of range", d->name, p->name, value);

	add_value(&range, p, p->min);
	buf_str(&range, " to ");
	add_value(&range, p, largest(p));
	err_hint(e, "it can be %s", range.data);
	buf_free(&range);
	return r;
}

static const char *expected(enum prop_kind kind)
{
	switch (kind) {
	case PROP_SIZE:
		return "a size, such as 512M or 4GiB";
	case PROP_FREQ:
		return "a frequency, such as 24MHz";
	default:
		return "a number, decimal or 0x...";
	}
}

static int set_number(struct dev *d, const struct prop *p, const char *value, const char *where,
		      struct err *e)
{
	uint64_t v;
	int r = p->kind == PROP_SIZE   ? parse_size(value, p->unit, &v)
		: p->kind == PROP_FREQ ? parse_freq(value, &v)
				       : parse_u64(value, &v);

	if (r == -ERANGE || (!r && (v < p->min || v > largest(p))))
		return out_of_range(d, p, value, where, e);
	if (r)
		return bad(d, p, value, where, e, expected(p->kind));
	if (p->kind == PROP_U32)
		*(uint32_t *)field(d, p) = v;
	else
		*(uint64_t *)field(d, p) = v;
	return 0;
}

static int set_enum(struct dev *d, const struct prop *p, const char *value, const char *where,
		    struct err *e)
{
	struct buf choices = BUF_INIT;
	int r;

	for (int i = 0; p->choices[i]; i++) {
		if (!strcmp(p->choices[i], value)) {
			*(int *)field(d, p) = i;
			buf_free(&choices);
			return 0;
		}
		buf_fmt(&choices, "%s%s", i ? ", " : "", p->choices[i]);
	}
	r = bad(d, p, value, where, e, "one of its values");
	err_hint(e, "it can be %s", choices.data);
	buf_free(&choices);
	return r;
}

int dev_set(struct dev *d, const struct prop *p, const char *value, const char *where,
	    struct err *e)
{
	switch (p->kind) {
	case PROP_U32:
	case PROP_U64:
	case PROP_SIZE:
	case PROP_FREQ:
		return set_number(d, p, value, where, e);
	case PROP_BOOL:
		return parse_bool(value, field(d, p)) ? bad(d, p, value, where, e, "true or false")
						      : 0;
	case PROP_STR:
	case PROP_PATH:
		*(const char **)field(d, p) = value;
		return 0;
	case PROP_ENUM:
		return set_enum(d, p, value, where, e);
	default:
		return 0; /* references and wires are the board's */
	}
}

int dev_defaults(struct dev *d, struct err *e)
{
	int result = 0;

	for (const struct prop *p = d->c->props; p && p->name; p++) {
		int r = p->def ? dev_set(d, p, p->def, d->where, e) : 0;

		result = result ? result : r;
	}
	return result;
}

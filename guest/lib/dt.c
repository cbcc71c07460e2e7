/* SPDX-License-Identifier: Apache-2.0 */
/* As much of a flattened device tree (Devicetree Specification, chapter 5) as guests ask about. */
#include "lib/guest.h"

enum { BEGIN_NODE = 1, END_NODE = 2, PROP = 3, NOP = 4, MAX_DEPTH = 8 };

struct reader {
	const uint8_t *at, *strings;
	unsigned depth;
	const char *node[MAX_DEPTH]; /* names, outermost first */
	const char *prop;	     /* of the current property, else NULL */
	const uint8_t *value;
	uint32_t len;
};

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static size_t length(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

static bool equal(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static bool starts_with(const char *s, const char *prefix)
{
	while (*prefix && *s == *prefix)
		s++, prefix++;
	return !*prefix;
}

static struct reader reader(void)
{
	const uint8_t *dtb = guest_dtb;

	return (struct reader){.at = dtb + be32(dtb + 8), .strings = dtb + be32(dtb + 12)};
}

/* Go to the next property; false at the end. */
static bool next_prop(struct reader *r)
{
	for (;;) {
		uint32_t token = be32(r->at);

		r->at += 4;
		switch (token) {
		case BEGIN_NODE:
			if (r->depth < MAX_DEPTH)
				r->node[r->depth] = (const char *)r->at;
			r->depth++;
			r->at += (length((const char *)r->at) + 4) & ~3UL;
			break;
		case END_NODE:
			r->depth--;
			break;
		case PROP:
			r->len = be32(r->at);
			r->prop = (const char *)r->strings + be32(r->at + 4);
			r->value = r->at + 8;
			r->at += 8 + ((r->len + 3) & ~3U);
			return true;
		case NOP:
			break;
		default:
			return false;
		}
	}
}

bool dt_compatible(const char *compatible)
{
	struct reader r = reader();

	while (next_prop(&r)) {
		if (!equal(r.prop, "compatible"))
			continue;
		for (uint32_t i = 0; i < r.len; i += length((const char *)r.value + i) + 1) {
			if (equal((const char *)r.value + i, compatible))
				return true;
		}
	}
	return false;
}

unsigned dt_cpus(uint64_t *mpidr, unsigned max)
{
	struct reader r = reader();
	unsigned n = 0;

	while (next_prop(&r) && n < max) {
		if (r.depth != 3 || !equal(r.node[1], "cpus") || !starts_with(r.node[2], "cpu@") ||
		    !equal(r.prop, "reg"))
			continue;
		mpidr[n] = be32(r.value);
		if (r.len == 8)
			mpidr[n] = mpidr[n] << 32 | be32(r.value + 4);
		n++;
	}
	return n;
}

bool dt_bootargs(const char *word)
{
	struct reader r = reader();

	while (next_prop(&r)) {
		const char *s = (const char *)r.value;

		if (r.depth != 2 || !equal(r.node[1], "chosen") || !equal(r.prop, "bootargs"))
			continue;
		for (uint32_t i = 0; i < r.len; i++) {
			if ((!i || s[i - 1] == ' ') && starts_with(s + i, word))
				return true;
		}
	}
	return false;
}

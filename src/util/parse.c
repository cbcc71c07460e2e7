/* SPDX-License-Identifier: Apache-2.0 */
#include "util/parse.h"

#include "util/bits.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#define FRACTION_ONE 1000000000000000000ULL

static int digit_of(char c, unsigned base)
{
	int d = isdigit((unsigned char)c)    ? c - '0'
		: isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
					     : 99;

	return d < (int)base ? d : -1;
}

/* The digits at *s; *s moves behind them. */
static int digits(const char **s, uint64_t *out)
{
	unsigned base = 10;
	const char *p = *s;
	uint64_t v = 0;

	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X') && digit_of(p[2], 16) >= 0) {
		base = 16;
		p += 2;
	}
	if (digit_of(*p, base) < 0)
		return -EINVAL;
	for (; digit_of(*p, base) >= 0 || (*p == '_' && digit_of(p[1], base) >= 0); p++) {
		if (*p == '_')
			continue;
		if (__builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)digit_of(*p, base), &v))
			return -ERANGE;
	}
	*s = p;
	*out = v;
	return 0;
}

int parse_u64(const char *s, uint64_t *out)
{
	uint64_t v;
	int r = digits(&s, &v);

	if (!r && *s)
		r = -EINVAL;
	if (!r)
		*out = v;
	return r;
}

struct suffix {
	const char *name;
	uint64_t factor;
};

static int suffixed(const char *s, const struct suffix *table, uint64_t unit, uint64_t *out)
{
	uint64_t v, factor = unit;
	int r = digits(&s, &v);

	if (r)
		return r;
	if (*s) {
		while (table->name && strcasecmp(table->name, s))
			table++;
		if (!table->name)
			return -EINVAL;
		factor = table->factor;
	}
	if (__builtin_mul_overflow(v, factor, &v))
		return -ERANGE;
	*out = v;
	return 0;
}

int parse_size(const char *s, uint64_t unit, uint64_t *out)
{
	static const struct suffix sizes[] = {
		{"B", 1},	    {"K", 1ULL << 10}, {"KiB", 1ULL << 10},
		{"KB", 1ULL << 10}, {"M", 1ULL << 20}, {"MiB", 1ULL << 20},
		{"MB", 1ULL << 20}, {"G", 1ULL << 30}, {"GiB", 1ULL << 30},
		{"GB", 1ULL << 30}, {"T", 1ULL << 40}, {"TiB", 1ULL << 40},
		{"TB", 1ULL << 40}, {NULL, 0},
	};

	return suffixed(s, sizes, unit ? unit : 1, out);
}

int parse_freq(const char *s, uint64_t *out)
{
	static const struct suffix freqs[] = {
		{"Hz", 1},	  {"k", 1000},	     {"kHz", 1000},	  {"M", 1000000},
		{"MHz", 1000000}, {"G", 1000000000}, {"GHz", 1000000000}, {NULL, 0},
	};

	return suffixed(s, freqs, 1, out);
}

int parse_bool(const char *s, bool *out)
{
	static const char *const words[][2] = {
		{"false", "true"}, {"off", "on"}, {"no", "yes"}, {"0", "1"}};

	for (unsigned i = 0; i < ARRAY_COUNT(words); i++) {
		for (unsigned v = 0; v < 2; v++) {
			if (!strcasecmp(s, words[i][v])) {
				*out = v;
				return 0;
			}
		}
	}
	return -EINVAL;
}

/* The digits behind the point at *s, as a number of units of 10^-18; more digits are dropped. */
static uint64_t fraction(const char **s)
{
	uint64_t v = 0, place = FRACTION_ONE;

	for (; isdigit((unsigned char)**s); (*s)++) {
		place /= 10;
		v += place * (uint64_t)(**s - '0');
	}
	return v;
}

int parse_duration(const char *s, uint64_t *ns)
{
	static const struct suffix units[] = {
		{"", 1000000000}, {"s", 1000000000},  {"ms", 1000000},	    {"us", 1000},
		{"ns", 1},	  {"m", 60000000000}, {"h", 3600000000000}, {NULL, 0},
	};
	uint64_t whole = 0, part = 0;
	bool any = isdigit((unsigned char)*s);
	unsigned __int128 v;
	const struct suffix *u = units;
	int r = any ? digits(&s, &whole) : 0;

	if (r)
		return r;
	if (*s == '.') {
		s++;
		any |= isdigit((unsigned char)*s) != 0;
		part = fraction(&s);
	}
	while (u->name && strcmp(u->name, s))
		u++;
	if (!any || !u->name)
		return -EINVAL;
	v = (unsigned __int128)whole * u->factor +
	    (unsigned __int128)part * u->factor / FRACTION_ONE;
	if (v > INT64_MAX)
		return -ERANGE;
	*ns = v;
	return 0;
}

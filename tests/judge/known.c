// SPDX-License-Identifier: Apache-2.0
#include "known.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LINES = 256, MAX_CONDITIONS = 4 };

struct field {
	unsigned high, low; /* a number: high is 255 and low the number */
};

struct condition {
	struct field a, b;
	bool differ;
};

struct line {
	char row[40], reason[200];
	enum judge_known_kind kind;
	unsigned count;
	struct condition condition[MAX_CONDITIONS];
};

struct judge_known {
	unsigned count;
	struct line line[MAX_LINES];
};

static const struct {
	const char *name;
	struct field at;
} fields[] = {
	{"Rd", {4, 0}},	  {"Rt", {4, 0}},   {"Rn", {9, 5}},    {"Rm", {20, 16}},
	{"Rs", {20, 16}}, {"Ra", {14, 10}}, {"Rt2", {14, 10}},
};

static bool parse_field(const char *text, struct field *f)
{
	char *end;

	for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (strcmp(fields[i].name, text) == 0) {
			*f = fields[i].at;
			return true;
		}
	}
	f->high = strtoul(text, &end, 0);
	if (end == text)
		return false;
	if (*end == ':') {
		f->low = strtoul(end + 1, &end, 0);
		return !*end && f->high < 32 && f->low <= f->high;
	}
	f->low = f->high;
	f->high = 255;
	return !*end;
}

static bool parse_condition(char *text, struct condition *c)
{
	char *eq = strchr(text, '=');

	if (!eq || eq == text)
		return false;
	c->differ = eq[-1] == '!';
	eq[c->differ ? -1 : 0] = 0;
	return parse_field(text, &c->a) && parse_field(eq + 1, &c->b);
}

static bool parse_kind(const char *word, struct line *l)
{
	static const char *const names[JUDGE_KNOWN_KINDS] = {
		"", "FAULT", "PARTLY", "FZ", "LOW16", "LOW32", "LOW64", "NAN32", "HALVED"};

	for (unsigned i = 1; i < JUDGE_KNOWN_KINDS; i++) {
		if (strcmp(word, names[i]) == 0) {
			l->kind = i;
			return true;
		}
	}
	return false;
}

static bool parse_line(char *text, struct line *l)
{
	char *colon = strstr(text, " : "), *save, *word;

	if (!colon)
		return false;
	*colon = 0;
	snprintf(l->reason, sizeof(l->reason), "%s", colon + 3);
	word = strtok_r(text, " \t", &save);
	if (!word)
		return false;
	snprintf(l->row, sizeof(l->row), "%s", word);
	while ((word = strtok_r(NULL, " \t", &save))) {
		if (parse_kind(word, l))
			continue;
		if (l->count == MAX_CONDITIONS || !parse_condition(word, &l->condition[l->count++]))
			return false;
	}
	return true;
}

static bool load(struct judge_known *k, FILE *f, const char *path)
{
	char text[400];

	for (unsigned number = 1; fgets(text, sizeof(text), f); number++) {
		text[strcspn(text, "\n")] = 0;
		if (!*text || *text == '#')
			continue;
		if (k->count == MAX_LINES || !parse_line(text, &k->line[k->count++])) {
			fprintf(stderr, "%s:%u: not ROW CONDITION... : REASON\n", path, number);
			return false;
		}
	}
	return true;
}

struct judge_known *judge_known_load(const char *path)
{
	struct judge_known *k = calloc(1, sizeof(*k));
	FILE *f = fopen(path, "r");
	bool good = k && f && load(k, f, path);

	if (!f)
		perror(path);
	else
		fclose(f);
	if (good)
		return k;
	free(k);
	return NULL;
}

void judge_known_free(struct judge_known *k)
{
	free(k);
}

static uint32_t value_of(struct field f, uint32_t word)
{
	if (f.high == 255)
		return f.low;
	return word >> f.low & (uint32_t)((1ull << (f.high - f.low + 1)) - 1);
}

static bool matches(const struct line *l, const char *row, uint32_t word)
{
	if (fnmatch(l->row, row, 0) != 0)
		return false;
	for (unsigned i = 0; i < l->count; i++) {
		const struct condition *c = &l->condition[i];

		if ((value_of(c->a, word) != value_of(c->b, word)) != c->differ)
			return false;
	}
	return true;
}

const char *judge_known_find(const struct judge_known *k, enum judge_known_kind kind,
			     const char *row, uint32_t word)
{
	for (unsigned i = 0; i < k->count; i++)
		if (k->line[i].kind == kind && matches(&k->line[i], row, word))
			return k->line[i].reason;
	return NULL;
}

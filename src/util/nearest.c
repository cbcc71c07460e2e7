/* SPDX-License-Identifier: Apache-2.0 */
#include "util/nearest.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

enum { NAME_MAX_LEN = 48, FAR = 99 };

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

static int fold(char c)
{
	return tolower((unsigned char)c);
}

unsigned edit_distance(const char *a, const char *b)
{
	/* The last three rows of the table of distances between prefixes. */
	unsigned row[3][NAME_MAX_LEN + 1];
	size_t a_len = strlen(a), b_len = strlen(b);

	if (a_len > NAME_MAX_LEN || b_len > NAME_MAX_LEN)
		return FAR;
	for (unsigned j = 0; j <= b_len; j++)
		row[0][j] = j;
	for (unsigned i = 1; i <= a_len; i++) {
		unsigned *now = row[i % 3], *before = row[(i + 2) % 3], *older = row[(i + 1) % 3];

		now[0] = i;
		for (unsigned j = 1; j <= b_len; j++) {
			unsigned cost = fold(a[i - 1]) != fold(b[j - 1]);

			now[j] = least(now[j - 1] + 1, before[j] + 1, before[j - 1] + cost);
			if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
			    fold(a[i - 2]) == fold(b[j - 1]))
				now[j] = least(now[j], older[j - 2] + 1, FAR);
		}
	}
	return row[a_len % 3][b_len];
}

struct nearest nearest_start(const char *wanted)
{
	/* Every third letter may be wrong, but not all of a short name. */
	return (struct nearest){.wanted = wanted, .distance = (unsigned)strlen(wanted) / 3 + 2};
}

void nearest_offer(struct nearest *n, const char *name)
{
	unsigned d;

	if (!name)
		return;
	d = edit_distance(n->wanted, name);
	if (d >= n->distance || (d >= strlen(n->wanted) && d >= strlen(name)))
		return;
	n->distance = d;
	n->best = name;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* "Did you mean": the known name that is most like a mistyped one. */
#ifndef UTIL_NEAREST_H
#define UTIL_NEAREST_H

struct nearest {
	const char *wanted;
	const char *best; /* NULL: nothing is near enough to be worth a hint */
	unsigned distance;
};

struct nearest nearest_start(const char *wanted);
/* Offer a name, which must live as long as the result is used. NULL is ignored. */
void nearest_offer(struct nearest *n, const char *name);

/* Insertions, deletions, replacements and swaps of neighbours that lead from one to the other, letter
 * case ignored; at most 99. */
unsigned edit_distance(const char *a, const char *b);

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * words: what the decoder says of instruction words.
 *
 * usage: words all FIRST COUNT	    decode the words of a slice of the 2^32; "ROW COUNT" for each row
 *	  words random SEED COUNT   "WORD ROW VERDICT" of random words of every row and of words beside them;
 *				    VERDICT is U for UNDEFINED, ? if the row's function is not here
 */
#include "gen.h"
#include "random.h"
#include "rig.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int decode_slice(uint64_t first, uint64_t count)
{
	static uint64_t seen[A64_OP_COUNT];

	if (first >> 32 || count > (1ull << 32) - first)
		return 2;
	for (uint64_t w = first; w < first + count; w++) {
		enum a64_op op = a64_decode(w);

		if (op >= A64_OP_COUNT || (w & a64_rows[op].mask) != a64_rows[op].value) {
			printf("%08" PRIx64 " decodes to %u\n", w, op);
			return 1;
		}
		seen[op]++;
	}
	for (unsigned op = 0; op < A64_OP_COUNT; op++)
		printf("%s %" PRIu64 "\n", a64_rows[op].name, seen[op]);
	return 0;
}

/* A word of a row; or one with a bit of its pattern changed; or any. */
static uint32_t some_word(struct judge_random *r)
{
	enum a64_op op = 1 + judge_below(r, A64_OP_COUNT - 1);
	const struct a64_row *row = &a64_rows[op];
	uint32_t w = row->value | (judge_u64(r) & ~row->mask);

	switch (judge_below(r, 4)) {
	case 0:
		return judge_u64(r);
	case 1:
		return w ^ 1u << judge_below(r, 32);
	default:
		return w;
	}
}

static int random_words(uint64_t seed, uint64_t count)
{
	struct judge_random r = {judge_mix(seed)};
	struct judge_rig *rig = judge_rig_new(NULL);

	for (uint64_t i = 0; i < count; i++) {
		uint32_t w = some_word(&r);
		enum a64_op op = a64_decode(w);
		char verdict = judge_rig_undefined(rig, w) ? 'U'
			       : judge_rig_has(rig, op)	   ? '.'
							   : '?';

		printf("%08x %s %c\n", w, a64_rows[op].name, verdict);
	}
	judge_rig_free(rig);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t a = argc == 4 ? strtoull(argv[2], NULL, 0) : 0;
	uint64_t b = argc == 4 ? strtoull(argv[3], NULL, 0) : 0;

	if (argc == 4 && strcmp(argv[1], "all") == 0)
		return decode_slice(a, b);
	if (argc == 4 && strcmp(argv[1], "random") == 0)
		return random_words(a, b);
	fprintf(stderr, "usage: words all FIRST COUNT | words random SEED COUNT\n");
	return 2;
}

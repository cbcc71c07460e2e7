/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random pages of code on soft and on src/reverse. By hand: test_reverse_random FIRST COUNT tries other seeds, and prints
 * the programs that differ.
 */
#include "reverse_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { BYTES = 1024, PROGRAMS = 600 };

static void fill(uint8_t bytes[BYTES], uint64_t seed)
{
	seed = (seed + 1) * 0x9e3779b97f4a7c15ULL;
	for (unsigned i = 0; i < BYTES; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		bytes[i] = (uint8_t)(seed >> 32);
	}
}

static void test_random(void **state)
{
	struct reverse_pair *p = reverse_pair_create();
	unsigned count[PAIR_DIFFERS + 1] = {0};
	uint8_t bytes[BYTES];
	char text[256];

	for (unsigned seed = 0; seed < PROGRAMS; seed++) {
		enum pair_result r;

		fill(bytes, seed);
		r = reverse_pair_run(p, bytes, sizeof(bytes), text);
		count[r]++;
		if (r == PAIR_DIFFERS)
			fail_msg("seed %u: %s", seed, text);
	}
	assert_true(count[PAIR_SAME] > PROGRAMS / 4);
	reverse_pair_destroy(p);
}

static int by_hand(unsigned long first, unsigned long count)
{
	struct reverse_pair *p = reverse_pair_create();
	unsigned long ends = 0, bad = 0;
	uint8_t bytes[BYTES];
	char text[256];

	for (unsigned long seed = first; seed - first < count; seed++) {
		enum pair_result r;

		fill(bytes, seed);
		r = reverse_pair_run(p, bytes, sizeof(bytes), text);
		ends += r == PAIR_SAME;
		if (r != PAIR_DIFFERS)
			continue;
		bad++;
		printf("seed %lu: %s\n", seed, text);
		if (count == 1)
			reverse_pair_print(p);
	}
	printf("%lu programs, %lu of them end alike, %lu differ\n", count, ends, bad);
	reverse_pair_destroy(p);
	return bad ? 1 : 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
	};

	if (argc == 3)
		return by_hand(strtoul(argv[1], NULL, 0), strtoul(argv[2], NULL, 0));
	return cmocka_run_group_tests(tests, NULL, NULL);
}

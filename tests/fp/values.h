/* SPDX-License-Identifier: Apache-2.0 */
/* Operands that tell: special values, and random ones near the interesting places. */
#ifndef TESTS_FP_VALUES_H
#define TESTS_FP_VALUES_H

#include <stddef.h>
#include <stdint.h>

#define SPECIALS_MAX 256

/* Fills @v, SPECIALS_MAX long; returns how many. @few: only one or two of each sort. */
size_t special_values(unsigned width, int few, uint64_t *v);

/* The same for integers of the width: zero, ends of the ranges, neighbours of powers of two. */
size_t special_integers(unsigned width, uint64_t *v);

struct random {
	uint64_t state;
	uint64_t special[3][SPECIALS_MAX]; /* of the three widths */
	size_t special_count[3];
};

void random_init(struct random *r, uint64_t seed);
uint64_t random_bits(struct random *r);

/*
 * Encodings of numbers that make an operation of @count operands cancel, round, over- or underflow.
 * The first has @width bits, the others @width_rest.
 */
void random_operands(struct random *r, unsigned width, unsigned width_rest, unsigned count,
		     uint64_t *v);

/* An integer of up to 64 bits with runs of equal bits. */
uint64_t random_integer(struct random *r);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One program on two machines: executed by soft alone, and by src/reverse with soft,els=1 below. Both must end in the
 * same state. The program is made out of bytes, which may be random or a fuzzer's.
 */
#ifndef TESTS_REVERSE_PAIR_H
#define TESTS_REVERSE_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reverse_pair;

struct reverse_pair *reverse_pair_create(void);
void reverse_pair_destroy(struct reverse_pair *p);

enum pair_result {
	PAIR_SAME,
	PAIR_ENDLESS, /* does not come to an end on soft: says nothing */
	PAIR_DIFFERS, /* @text says in what */
};
enum pair_result reverse_pair_run(struct reverse_pair *p, const uint8_t *bytes, size_t size,
				  char text[256]);
/* The program of the last run, to standard output: words in order of address. */
void reverse_pair_print(const struct reverse_pair *p);

/* A word as the programs have it. */
enum { PAIR_WORD_BYTES = 16 };
uint32_t reverse_pair_word(const uint8_t bytes[PAIR_WORD_BYTES]);

#endif

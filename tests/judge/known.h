/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is not compared, and why: the file `known`, one per line,
 *
 *	ROW CONDITION... : REASON
 *
 * ROW is a row of the instruction tables, or a pattern with * and ?. A CONDITION is FIELD=FIELD, FIELD=NUMBER,
 * the same with !=, or SIGBUS: the instruction is misaligned here and the reference does not mind. A field is
 * one of the names in known.c, or a range of bits, HIGH:LOW. All conditions have to be true. Words with
 * a line without SIGBUS are never made.
 */
#ifndef JUDGE_KNOWN_H
#define JUDGE_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

struct judge_known;

/* Prints mistakes to stderr and returns NULL. */
struct judge_known *judge_known_load(const char *path);
void judge_known_free(struct judge_known *k);

/* The reason why @word of @row is left out, or NULL; @sigbus: look at the lines that say so, instead of the others. */
const char *judge_known_find(const struct judge_known *k, const char *row, uint32_t word,
			     bool sigbus);

#endif

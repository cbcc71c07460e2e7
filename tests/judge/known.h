/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is not compared, and why: the file `known`, one per line,
 *
 *	ROW CONDITION... : REASON
 *
 * ROW is a row of the instruction tables, or a pattern with * and ?. A CONDITION is FIELD=FIELD, FIELD=NUMBER,
 * the same with !=, or one of the words below. A field is one of the names in known.c, or a range of bits,
 * HIGH:LOW. All conditions have to be true.
 */
#ifndef JUDGE_KNOWN_H
#define JUDGE_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

enum judge_known_kind {
	JUDGE_KNOWN_WORD,   /* without one of the following: such words are never made */
	JUDGE_KNOWN_FAULT,  /* FAULT: one side may take a fault where the other does not */
	JUDGE_KNOWN_PARTLY, /* PARTLY: when it faults, Vt to Vt+3 are not compared */
	JUDGE_KNOWN_FZ,	    /* FZ: made with FPCR.FZ and FZ16 0 only */
	/* LOW16, LOW32, LOW64: only these bits of Vd are compared. NAN32: not which NaN a lane of 32 bits is.
	 * HALVED: not lanes of an operand that is subnormal when halved. None of them is made in blocks. */
	JUDGE_KNOWN_LOW16,
	JUDGE_KNOWN_LOW32,
	JUDGE_KNOWN_LOW64,
	JUDGE_KNOWN_NAN32,
	JUDGE_KNOWN_HALVED,
	JUDGE_KNOWN_KINDS
};

struct judge_known;

/* Prints mistakes to stderr and returns NULL. */
struct judge_known *judge_known_load(const char *path);
void judge_known_free(struct judge_known *k);

/* The reason why a line of this kind is true of @word of @row, or NULL. */
const char *judge_known_find(const struct judge_known *k, enum judge_known_kind kind,
			     const char *row, uint32_t word);

#endif

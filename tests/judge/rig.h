/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instruction functions of the `soft` engine (hv/soft/cpu.h) without the engine: EL0 of a Linux process
 * that has the memory of judge.h and nothing else. Faults end a case, as signals do.
 */
#ifndef JUDGE_RIG_H
#define JUDGE_RIG_H

#include "judge.h"

#include "arm/a64.h"

#include <stdbool.h>

enum { JUDGE_MAX_STEPS = 256 };

struct judge_rig;

/* @reference: whose features and settings to have. NULL: all features. */
struct judge_rig *judge_rig_new(const struct judge_hello *reference);
void judge_rig_free(struct judge_rig *r);

/* Does the reference have feature @name (without FEAT_)? NULL has all. */
bool judge_has_feature(const struct judge_hello *reference, const char *name);

/* Is there a function for the row, and does the reference have its feature? */
bool judge_rig_has(const struct judge_rig *r, enum a64_op op);

/* Run a case. *@changed is valid until the next call. */
void judge_rig_run(struct judge_rig *r, const struct judge_case *c, struct judge_result *out,
		   const unsigned char **changed);

/* The rows that the last case executed, in order; the last one took the fault if there was one. */
unsigned judge_rig_steps(const struct judge_rig *r, const enum a64_op **ops);

/* Is the word UNDEFINED at EL0, by its row or by the row's function? False where there is no function. */
bool judge_rig_undefined(struct judge_rig *r, uint32_t word);

#endif

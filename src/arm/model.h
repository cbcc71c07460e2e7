/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cores that a PE can show: the identity that software reads, from one table per core (model/NAME.def), which has the
 * values of the core's technical reference manual.
 *
 * A PE shows what both the core and whoever executes it have: each field of the AArch64 ID registers is the lesser of
 * the two. So nothing is promised that is not there, and what the core has not got is absent, because all else follows
 * from the ID registers. The AArch32 ones are the core's as they are: there is no AArch32 (ID_AA64PFR0_EL1 says so),
 * and without it they are UNKNOWN.
 *
 * Constant data and pure functions: any thread.
 */
#ifndef ARM_MODEL_H
#define ARM_MODEL_H

#include "arm/feature.h"
#include "arm/reg.h"

#include <stddef.h>

/* An IMPLEMENTATION DEFINED register: storage, with nothing behind it. */
struct arm_model_impdef {
	const char *name;
	uint64_t reset;
	uint16_t code;
	uint8_t control; /* bit of ACTLR_EL3 and ACTLR_EL2 that lets lower levels write it, or: */
	uint8_t kind;
};

enum { ARM_MODEL_ANY = 0xff }; /* every level from the one of its name */

enum arm_model_impdef_kind {
	ARM_MODEL_NONE,
	ARM_MODEL_READ_ONLY,
	ARM_MODEL_CORES_24, /* the number of cores less one is in bits 25:24 */
};

struct arm_model;

/* By name, as "cortex-a53". NULL: unknown. */
const struct arm_model *arm_model_find(const char *name);
/* All of them, by number. NULL: no more. */
const struct arm_model *arm_model_at(unsigned n);
const char *arm_model_name(const struct arm_model *m);
/* "max": all that whoever executes it has. */
bool arm_model_is_whole(const struct arm_model *m);

/* The core's own value of a system register. False: its table does not have it. */
bool arm_model_reg(const struct arm_model *m, uint16_t code, uint64_t *value);
/* What a PE shows in the ID register @code (op0 3, op1 0, CRn 0, CRm 0 to 7), where whoever executes it has @has. */
uint64_t arm_model_id(const struct arm_model *m, uint16_t code, uint64_t has);
/* @reg: all registers after a reset, by enum sysreg_index, as the engine has them; changed to what the PE shows. */
void arm_model_apply(const struct arm_model *m, uint64_t *reg);
/* CTR_EL0 for code that runs where the first and the second are true: smallest lines, least promises. */
uint64_t arm_ctr_lesser(uint64_t a, uint64_t b);
/* CCSIDR_EL1 for this CSSELR_EL1; 0: there is no such cache. */
uint64_t arm_model_ccsidr(const struct arm_model *m, uint64_t csselr);
/* Bits of physical address. */
unsigned arm_model_pa_bits(const struct arm_model *m);
/* Of PE @n: affinity fields, and MT. */
uint64_t arm_model_mpidr(const struct arm_model *m, unsigned n);
/* IMPLEMENTATION DEFINED registers, in no order. */
const struct arm_model_impdef *arm_model_impdefs(const struct arm_model *m, size_t *count);
/* Bits that ACTLR_EL2 and ACTLR_EL3 have. */
uint64_t arm_model_actlr(const struct arm_model *m);

/* The lesser of two values of the ID register @code, field by field. */
uint64_t arm_id_lesser(uint16_t code, uint64_t a, uint64_t b);

#endif

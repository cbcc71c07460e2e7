/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares src/arm/fp with the model: every operation, precision, rounding mode and setting of the
 * flushing and default NaN bits, on all combinations of special values and on random ones.
 *
 * usage: compare [-n RANDOM] [-s SEED] [-o OPERATION] [-f]
 *   -n  random operands for each setting (2000)
 *   -f  full: all triples of special values, all half precision operands of unary operations
 *
 * Prints a table of what was compared; the first difference ends it with exit status 1.
 */
#include "model.h"
#include "values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The library, in the shape of the model. */
typedef uint64_t (*library_fn)(const struct config *c, const uint64_t *v, struct fp_env *env);

#define LIBRARY(name, ...)                                                                         \
	static uint64_t lib_##name(const struct config *c, const uint64_t *v, struct fp_env *env)  \
	{                                                                                          \
		switch (c->width) {                                                                \
		case 16:                                                                           \
			return fp16_##name(__VA_ARGS__, env);                                      \
		case 32:                                                                           \
			return fp32_##name(__VA_ARGS__, env);                                      \
		default:                                                                           \
			return fp64_##name(__VA_ARGS__, env);                                      \
		}                                                                                  \
	}

LIBRARY(add, v[0], v[1])
LIBRARY(sub, v[0], v[1])
LIBRARY(mul, v[0], v[1])
LIBRARY(mulx, v[0], v[1])
LIBRARY(div, v[0], v[1])
LIBRARY(sqrt, v[0])
LIBRARY(muladd, v[0], v[1], v[2])
LIBRARY(recps, v[0], v[1])
LIBRARY(rsqrts, v[0], v[1])
LIBRARY(max, v[0], v[1])
LIBRARY(min, v[0], v[1])
LIBRARY(maxnum, v[0], v[1])
LIBRARY(minnum, v[0], v[1])
LIBRARY(compare, v[0], v[1], c->flag)
LIBRARY(eq, v[0], v[1])
LIBRARY(ge, v[0], v[1])
LIBRARY(gt, v[0], v[1])
LIBRARY(recpe, v[0])
LIBRARY(rsqrte, v[0])
LIBRARY(recpx, v[0])
LIBRARY(round_int, v[0], c->mode, c->flag)
LIBRARY(to_fixed, v[0], v[1], c->is_unsigned, c->int_width, c->mode)
LIBRARY(from_fixed, v[0], v[1], c->is_unsigned, c->int_width, c->mode)

static uint64_t lib_round_int_n(const struct config *c, const uint64_t *v, struct fp_env *env)
{
	return c->width == 32 ? fp32_round_int_n(v[0], c->mode, c->int_width, env)
			      : fp64_round_int_n(v[0], c->mode, c->int_width, env);
}

static uint64_t lib_muladd_h(const struct config *c, const uint64_t *v, struct fp_env *env)
{
	return fp32_muladd_h((uint32_t)v[0], (uint16_t)v[1], (uint16_t)v[2], env);
}

static uint64_t lib_convert(const struct config *c, const uint64_t *v, struct fp_env *env)
{
	switch (c->width << 8 | c->to) {
	case 16 << 8 | 32:
		return fp16_to_fp32(v[0], env);
	case 16 << 8 | 64:
		return fp16_to_fp64(v[0], env);
	case 32 << 8 | 16:
		return fp32_to_fp16(v[0], env);
	case 32 << 8 | 64:
		return fp32_to_fp64(v[0], env);
	case 64 << 8 | 16:
		return fp64_to_fp16(v[0], env);
	default:
		return c->mode == FP_ODD ? fp64_to_fp32_odd(v[0], env) : fp64_to_fp32(v[0], env);
	}
}

static uint64_t lib_js(const struct config *c, const uint64_t *v, struct fp_env *env)
{
	bool exact;
	uint64_t low = fp64_to_int32_js(v[0], &exact, env);

	return low | (uint64_t)exact << 32;
}

static uint64_t lib_unsigned_recpe(const struct config *c, const uint64_t *v, struct fp_env *env)
{
	return fp_unsigned_recpe((uint32_t)v[0]);
}

static uint64_t lib_unsigned_rsqrte(const struct config *c, const uint64_t *v, struct fp_env *env)
{
	return fp_unsigned_rsqrte((uint32_t)v[0]);
}

/* What an operation depends on beside FPCR.{FZ,FZ16,DN}. */
enum {
	RMODE = 1,   /* the four modes of FPCR */
	MODES = 2,   /* five modes, as an argument */
	INTEGER = 4, /* signed and unsigned, 16, 32 and 64 bits; v[1]: fraction bits */
	FROM = 8,    /* the operand is an integer */
	FLAG = 16,
	CONVERT = 32,
	ODD = 64,
	NO_HALF = 128,
	DOUBLE_ONLY = 256,
	LIMIT = 512,	  /* integers of 32 and 64 bits */
	HALVES = 2048,	  /* single precision, the factors are of half precision */
	WORD_ONLY = 1024, /* an unsigned 32 bit operation without FPCR */
};

static const struct op {
	const char *name;
	unsigned operands;
	unsigned depends;
	library_fn library;
	model_fn model;
} ops[] = {
	{"FPAdd", 2, RMODE, lib_add, model_add},
	{"FPSub", 2, RMODE, lib_sub, model_sub},
	{"FPMul", 2, RMODE, lib_mul, model_mul},
	{"FPMulX", 2, RMODE, lib_mulx, model_mulx},
	{"FPDiv", 2, RMODE, lib_div, model_div},
	{"FPSqrt", 1, RMODE, lib_sqrt, model_sqrt},
	{"FPMulAdd", 3, RMODE, lib_muladd, model_muladd},
	{"FPMulAddH", 3, RMODE | HALVES, lib_muladd_h, model_muladd_h},
	{"FPRecipStepFused", 2, RMODE, lib_recps, model_recps},
	{"FPRSqrtStepFused", 2, RMODE, lib_rsqrts, model_rsqrts},
	{"FPMax", 2, RMODE, lib_max, model_max},
	{"FPMin", 2, RMODE, lib_min, model_min},
	{"FPMaxNum", 2, RMODE, lib_maxnum, model_maxnum},
	{"FPMinNum", 2, RMODE, lib_minnum, model_minnum},
	{"FPCompare", 2, FLAG, lib_compare, model_compare},
	{"FPCompareEQ", 2, 0, lib_eq, model_eq},
	{"FPCompareGE", 2, 0, lib_ge, model_ge},
	{"FPCompareGT", 2, 0, lib_gt, model_gt},
	{"FPRecipEstimate", 1, RMODE, lib_recpe, model_recpe},
	{"FPRSqrtEstimate", 1, RMODE, lib_rsqrte, model_rsqrte},
	{"FPRecpX", 1, 0, lib_recpx, model_recpx},
	{"FPRoundInt", 1, MODES | FLAG, lib_round_int, model_round_int},
	{"FPRoundIntN", 1, MODES | NO_HALF | LIMIT, lib_round_int_n, model_round_int_n},
	{"FPToFixed", 1, MODES | INTEGER, lib_to_fixed, model_to_fixed},
	{"FixedToFP", 1, RMODE | INTEGER | FROM, lib_from_fixed, model_from_fixed},
	{"FPConvert", 1, RMODE | CONVERT, lib_convert, model_convert},
	{"FPConvert to odd", 1, CONVERT | ODD | DOUBLE_ONLY, lib_convert, model_convert},
	{"FPToFixedJS", 1, DOUBLE_ONLY, lib_js, model_js},
	{"UnsignedRecipEstimate", 1, FROM | WORD_ONLY, lib_unsigned_recpe, model_unsigned_recpe},
	{"UnsignedRSqrtEstimate", 1, FROM | WORD_ONLY, lib_unsigned_rsqrte, model_unsigned_rsqrte},
};

struct run {
	unsigned long randoms;
	bool full;
	struct random random;
	const struct op *op;
	unsigned settings;
	unsigned long long special_count, random_count;
};

static const char *const mode_names[] = {"RN", "RP", "RM", "RZ", "RA", "odd"};

static void differ(const struct op *op, const struct config *c, const uint64_t *v, uint64_t got,
		   uint32_t got_fpsr, uint64_t want, uint32_t want_fpsr)
{
	printf("%s: width %u", op->name, c->width);
	if (op->depends & CONVERT)
		printf(" to %u", c->to);
	if (op->depends & (INTEGER | LIMIT))
		printf(", %s integers of %u bits", c->is_unsigned ? "unsigned" : "signed",
		       c->int_width);
	printf(", mode %s, flag %d, FPCR %08x\n", mode_names[c->mode], c->flag, c->fpcr);
	for (unsigned i = 0; i < op->operands + !!(op->depends & INTEGER); i++)
		printf("  operand %u  %016llx\n", i, (unsigned long long)v[i]);
	printf("  result     %016llx, FPSR %02x\n", (unsigned long long)got, got_fpsr);
	printf("  should be  %016llx, FPSR %02x\n", (unsigned long long)want, want_fpsr);
	exit(1);
}

static void one(struct run *r, const struct config *c, const uint64_t *v)
{
	struct fp_env env = {c->fpcr, 0};
	uint32_t fpsr = 0;
	uint64_t got = r->op->library(c, v, &env), want = r->op->model(c, v, &fpsr);

	if (got != want || env.fpsr != fpsr || env.fpcr != c->fpcr)
		differ(r->op, c, v, got, env.fpsr, want, fpsr);
}

static void specials(struct run *r, const struct config *c)
{
	unsigned n = r->op->operands, depends = r->op->depends;
	bool few = n == 3 && !r->full;
	uint64_t first[SPECIALS_MAX], rest[SPECIALS_MAX], v[3] = {0};
	size_t count = depends & FROM ? special_integers(c->int_width, first)
				      : special_values(c->width, few, first);
	size_t rest_count = special_values(depends & HALVES ? 16 : c->width, few, rest);

	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < (n > 1 ? rest_count : 1); j++) {
			for (size_t k = 0; k < (n > 2 ? rest_count : 1); k++) {
				v[0] = first[i];
				v[1] = n > 1 ? rest[j] : 0;
				v[2] = n > 2 ? rest[k] : 0;
				one(r, c, v);
				r->special_count++;
			}
		}
	}
}

static void all_halves(struct run *r, const struct config *c)
{
	for (uint64_t i = 0; i < 0x10000; i++) {
		const uint64_t v[3] = {i};

		one(r, c, v);
		r->special_count++;
	}
}

static void randoms(struct run *r, const struct config *c)
{
	unsigned depends = r->op->depends;
	uint64_t v[3] = {0};

	for (unsigned long i = 0; i < r->randoms; i++) {
		if (depends & FROM)
			v[0] = random_integer(&r->random) & ~0ULL >> (64 - c->int_width);
		else
			random_operands(&r->random, c->width, depends & HALVES ? 16 : c->width,
					r->op->operands, v);
		if (depends & INTEGER && random_bits(&r->random) >> 62)
			v[1] = random_bits(&r->random) % (c->int_width + 1);
		else if (depends & INTEGER)
			v[1] = 0;
		one(r, c, v);
		r->random_count++;
	}
}

static void setting(struct run *r, const struct config *c)
{
	r->settings++;
	specials(r, c);
	if (r->full && c->width == 16 && r->op->operands == 1 && !(r->op->depends & INTEGER))
		all_halves(r, c);
	else
		randoms(r, c);
}

/* The settings that FPCR and the flag of an operation make. */
static void controls(struct run *r, struct config c)
{
	/* Either flushing bit alone, so that the one for the other precisions would be noticed. */
	static const uint32_t flush[] = {FPCR_FZ, FPCR_FZ16, 0, FPCR_FZ | FPCR_FZ16};
	bool convert = r->op->depends & CONVERT, both = r->op->depends & (CONVERT | HALVES);

	for (unsigned i = 0; i < (convert ? 16 : both ? 8 : 4); i++) {
		c.fpcr = (c.fpcr & FPCR_RMODE) | (i & 1 ? FPCR_DN : 0) |
			 flush[i >> 1 & (both ? 3 : 1)] | (i & 8 ? FPCR_AHP : 0);
		for (unsigned flag = 0; flag < (r->op->depends & FLAG ? 2 : 1); flag++) {
			c.flag = flag;
			setting(r, &c);
		}
	}
}

static void modes(struct run *r, struct config c)
{
	unsigned depends = r->op->depends;
	unsigned count = depends & RMODE ? 4 : depends & MODES ? 5 : 1;

	for (unsigned i = 0; i < count; i++) {
		c.mode = depends & ODD ? FP_ODD : (enum fp_rounding)i;
		/* Not that of FPCR, if it is an argument. */
		c.fpcr = (depends & RMODE ? i : 3 & ~i) << FPCR_RMODE_SHIFT;
		controls(r, c);
	}
}

static void integers(struct run *r, struct config c)
{
	unsigned depends = r->op->depends;

	for (c.int_width = depends & LIMIT ? 32 : 16; c.int_width <= 64; c.int_width *= 2) {
		modes(r, c);
		if (depends & INTEGER) {
			c.is_unsigned = true;
			modes(r, c);
			c.is_unsigned = false;
		}
	}
}

static void widths(struct run *r)
{
	unsigned depends = r->op->depends;
	struct config c = {.int_width = 32};

	if (depends & WORD_ONLY) {
		setting(r, &c);
		return;
	}
	if (depends & HALVES) {
		c.width = 32;
		modes(r, c);
		return;
	}
	for (c.width = depends & DOUBLE_ONLY ? 64
		       : depends & NO_HALF   ? 32
					     : 16;
	     c.width <= 64; c.width *= 2) {
		if (depends & (INTEGER | LIMIT)) {
			integers(r, c);
			continue;
		}
		for (c.to = depends & CONVERT ? 16 : 64; c.to <= 64; c.to *= 2) {
			if (depends & CONVERT && (c.to == c.width || (depends & ODD && c.to != 32)))
				continue;
			modes(r, c);
		}
	}
}

static bool option_number(const char *text, unsigned long *value)
{
	char *end;

	*value = strtoul(text, &end, 0);
	return *text && !*end;
}

int main(int argc, char **argv)
{
	struct run r = {.randoms = 2000};
	unsigned long seed = 1;
	const char *only = NULL;
	unsigned long long total = 0;
	int opt;

	while ((opt = getopt(argc, argv, "n:s:o:f")) != -1) {
		bool good = true;

		switch (opt) {
		case 'n':
			good = option_number(optarg, &r.randoms);
			break;
		case 's':
			good = option_number(optarg, &seed);
			break;
		case 'o':
			only = optarg;
			break;
		case 'f':
			r.full = true;
			break;
		default:
			good = false;
		}
		if (!good) {
			fprintf(stderr, "usage: %s [-n RANDOM] [-s SEED] [-o OPERATION] [-f]\n",
				argv[0]);
			return 2;
		}
	}

	model_setup();
	printf("%-21s %8s %14s %14s\n", "operation", "settings", "special", "random");
	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++) {
		if (only && strcmp(only, ops[i].name))
			continue;
		r.op = &ops[i];
		r.settings = 0;
		r.special_count = r.random_count = 0;
		random_init(&r.random, seed + i);
		widths(&r);
		printf("%-21s %8u %14llu %14llu\n", r.op->name, r.settings, r.special_count,
		       r.random_count);
		fflush(stdout);
		total += r.special_count + r.random_count;
	}
	model_teardown();
	printf("%llu results and their flags are equal\n", total);
	return total ? 0 : 2;
}

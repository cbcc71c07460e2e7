/* SPDX-License-Identifier: Apache-2.0 */
/* The image of tests/sysjudge: what its files share. It runs at EL3, and scenarios at any level below or there. */
#ifndef IMAGE_H
#define IMAGE_H

#include "layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define STR2(x)	       #x
#define STR(x)	       STR2(x)
#define READ(name)                                                                                 \
	({                                                                                         \
		uint64_t v_;                                                                       \
		asm volatile("mrs %0, " STR(name) : "=r"(v_));                                     \
		v_;                                                                                \
	})
#define WRITE(name, v) asm volatile("msr " STR(name) ", %0" ::"r"((uint64_t)(v)))

/* Filled in by the driver, at offset 32 of the image. */
struct parameters {
	uint64_t magic, first, count, kinds, details, timeout, known, reserved;
};
extern struct parameters parameters;

/* Differences that are known: bits of parameters.known. ../known says why, in this order. */
enum known {
	KNOWN_NZCV,
	KNOWN_ILLEGAL_RETURN,
	KNOWN_CACHE_FAULT,
	KNOWN_EXTERNAL_ABORT,
	KNOWN_DEVICE_ALIGNMENT,
	KNOWN_TLBI_EL2,
	KNOWN_PAR_SH,
	KNOWN_PC_ALIGNMENT,
	KNOWN_HVC,
	KNOWN_DAIF_SYNDROME,
	KNOWN_SP_ALIGNMENT,
	KNOWN_AT_UPDATES,
	KNOWN_PARTIAL_STORE,
	KNOWN_DIRTY_EXECUTE,
	KNOWN_ISV,
	KNOWN_WALK_LEVEL,
	KNOWN_PTW,
	KNOWN_STAGE2_START,
	KNOWN_INTERRUPT_ORDER,
	KNOWN_COUNTER_TRAP,
	KNOWN_HOST_DAIF,
	KNOWN_CLREX,
	KNOWN_EXCLUSIVES,
};
bool known(enum known k);

enum { KIND_EL1 = 1, KIND_EL2 = 2, KIND_EL3 = 4 };

/* ---- random.c ---- */
void seed_random(uint64_t seed);
uint64_t random64(void);
unsigned below(unsigned n);
bool one_in(unsigned n);
uint64_t pick(const uint64_t *values, size_t n);
#define PICK(...)                                                                                  \
	({                                                                                         \
		static const uint64_t values_[] = {__VA_ARGS__};                                   \
		pick(values_, ARRAY_COUNT(values_));                                               \
	})

/* ---- print.c ---- */
void print(const char *format, ...); /* %s, %x (64 bits), %u */

/* ---- tables.c: translation tables ---- */
enum { FRAMES = 16, FRAME = 0x10000, VAS = 16 };

struct tables {
	unsigned bits;	 /* of a page's size: 12, 14, 16 */
	unsigned size;	 /* of the address space, in bits */
	unsigned output; /* of the output addresses, in bits */
	unsigned start;	 /* level of the first table */
	uint64_t root;
	bool upper, stage2, big_endian, el1; /* el1: two privilege levels */
};

struct leaf {
	struct tables *tables;
	uint64_t va, place; /* of the descriptor; 0: there is none */
	unsigned level;
};

void tables_reset(void);
uint64_t tables_end(void);
bool in_range(const struct tables *t, uint64_t va);
void tables_begin(struct tables *t);
/* Map one page at the lowest level, clean. */
void map_page(struct tables *t, uint64_t va, uint64_t pa, bool read_only);
/* A leaf at @level (or the lowest possible) with random attributes that leads to @pa. */
struct leaf map_random(struct tables *t, uint64_t va, uint64_t pa, unsigned level);
void change_leaf(struct leaf *l);
unsigned count_descriptors(void);
void each_descriptor(unsigned from, unsigned to, void (*fn)(uint64_t place, void *opaque),
		     void *opaque);
uint64_t hash_tables(uint64_t hash);
void print_tables(void);
uint64_t block_size(const struct tables *t, unsigned level);

/* ---- scenario.c ---- */
struct scenario {
	uint64_t seed;
	unsigned kind;
	unsigned level; /* to begin with */
	bool ns;	/* SCR_EL3.NS */
	bool e2h, tge;	/* HCR_EL2 */
	bool stage2;
	bool access_flag; /* the hardware sets it */
	bool mmu, zero;	  /* DC ZVA */
	bool device;	  /* Device memory may be mapped: alignment is always checked */
	uint64_t pstate;  /* to begin with */
	uint64_t va[VAS];
	struct leaf leaf[VAS], leaf2[FRAMES];
	struct tables lower, upper, ipa, el2, el2_upper, el3;
	unsigned words;
};
extern struct scenario now;
void make_scenario(uint64_t seed);
void set_registers(void);
uint64_t random_sctlr(void);
uint64_t random_mair(void);
/* What of the data frames is filled, accessed and compared. */
void each_word(void (*fn)(volatile uint64_t *p, void *opaque), void *opaque);

/* ---- code.c ---- */
void make_code(void);

/* ---- handler.c ---- */
struct context {
	uint64_t x[31], sp, sctlr, vector;
};
struct event {
	uint8_t level, vector;
	uint64_t esr, far, hpfar, elr, spsr, spsr3;
};
enum { EVENTS = 160 };
extern struct context context;
extern struct event events[EVENTS];
extern unsigned event_count;
extern bool escaped;
void run_scenario(void);
void change_table(unsigned n);
void set_pending(unsigned n);

void scenario_enter(struct context *c);
void resume(struct context *c) __attribute__((noreturn));
void leave(void) __attribute__((noreturn));

/* ---- gic.c ---- */
void gic_init(void);
void gic_pend(uint32_t sgis);
uint32_t gic_pending(void);
void gic_clear(void);
void arm_escape(void);
void disarm_escape(void);
bool escape_pending(void);

#endif

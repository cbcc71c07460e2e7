/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the scenarios that the driver asks for; one line each: seed, hash of the outcome, counts. */
#include "image.h"

extern const char vectors_start[], vectors_end[];

struct outcome {
	const char *name;
	uint64_t value;
};

static uint64_t mix(uint64_t hash, uint64_t v)
{
	hash = (hash ^ v) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 29;
}

/* D24.2.137. IMPLEMENTATION DEFINED: bit 10; NS is UNKNOWN for translations of Non-secure state. */
static uint64_t mask_par(uint64_t v)
{
	if (v & 1)
		return v & 0x37f;
	return v & ~(1ULL << 10 | (now.ns ? 1ULL << 9 : 0) | (known(KNOWN_PAR_SH) ? 3ULL << 7 : 0));
}

static void hash_word(volatile uint64_t *p, void *opaque)
{
	uint64_t *hash = opaque;

	*hash = (*hash ^ *p) * 0x100000001b3ULL;
}

static uint64_t hash_memory(void)
{
	uint64_t hash = 1;

	each_word(hash_word, &hash);
	return hash;
}

static void print_word(volatile uint64_t *p, void *unused)
{
	(void)unused;
	print("memory %x %x\n", (uint64_t)p, *p);
}

static uint64_t hash_events(uint64_t hash)
{
	for (unsigned i = 0; i < event_count; i++) {
		const struct event *e = &events[i];

		hash = mix(hash, (uint64_t)e->level << 8 | e->vector);
		hash = mix(hash, e->esr);
		hash = mix(hash, e->far);
		hash = mix(hash, e->hpfar);
		hash = mix(hash, e->elr);
		hash = mix(hash, e->spsr);
		hash = mix(hash, e->spsr3);
	}
	return hash;
}

static void print_events(void)
{
	for (unsigned i = 0; i < event_count; i++) {
		const struct event *e = &events[i];

		print("event %u EL%u vector %x esr %x far %x hpfar %x elr %x spsr %x spsr3 %x\n", i,
		      e->level, (uint64_t)e->vector * 0x80, e->esr, e->far, e->hpfar, e->elr,
		      e->spsr, e->spsr3);
	}
}

static void print_registers(void)
{
	for (unsigned i = 0; i < 31; i++)
		print("x%u %x\n", i, context.x[i]);
	print("sp_el3 %x\n", context.sp);
}

static void print_start(void)
{
	print("level %u ns %u device %u pstate %x words %u\n", now.level, now.ns, now.device,
	      now.pstate, now.words);
	print("sctlr_el1 %x tcr_el1 %x ttbr0_el1 %x ttbr1_el1 %x mair_el1 %x\n", READ(sctlr_el1),
	      READ(tcr_el1), READ(ttbr0_el1), READ(ttbr1_el1), READ(mair_el1));
	print("tcr_el2 %x ttbr0_el2 %x mair_el2 %x sctlr_el2 %x hcr_el2 %x vtcr_el2 %x vttbr_el2 "
	      "%x\n",
	      READ(tcr_el2), READ(ttbr0_el2), READ(mair_el2), READ(sctlr_el2), READ(hcr_el2),
	      READ(vtcr_el2), READ(vttbr_el2));
	print("tcr_el3 %x ttbr0_el3 %x mair_el3 %x sctlr_el3 %x scr_el3 %x\n", READ(tcr_el3),
	      READ(ttbr0_el3), READ(mair_el3), context.sctlr, READ(scr_el3));
	print("cpacr_el1 %x cptr_el2 %x cptr_el3 %x cntkctl_el1 %x mdcr_el2 %x mdcr_el3 %x\n",
	      READ(cpacr_el1), READ(cptr_el2), READ(cptr_el3), READ(cntkctl_el1), READ(mdcr_el2),
	      READ(mdcr_el3));
	print_registers();
	for (unsigned i = 0; i < VAS; i++)
		print("va%u %x leaf %x level %u\n", i, now.va[i], now.leaf[i].place,
		      now.leaf[i].level);
	print_tables();
	for (unsigned i = 0; i < now.words; i++)
		print("word %x %x\n", (uint64_t)CODE + 4 * i,
		      (uint64_t)((volatile uint32_t *)CODE)[i]);
	print("run\n");
}

static void finish(void)
{
	const struct outcome outcomes[] = {
		{"par_el1", mask_par(READ(par_el1))},
		{"sp_el0", READ(sp_el0)},
		{"sp_el1", READ(sp_el1)},
		{"sp_el2", READ(sp_el2)},
		{"tpidr_el0", READ(tpidr_el0)},
		{"tpidr_el1", READ(tpidr_el1)},
		{"contextidr_el1", READ(contextidr_el1)},
		{"fpcr", READ(fpcr)},
		{"fpsr", READ(fpsr)},
		{"memory", hash_memory()},
		{"tables", hash_tables(1)},
	};
	static uint64_t fp[2 * 12] __attribute__((aligned(16)));
	uint64_t hash = hash_events(escaped);

	asm volatile(
		"stp q16, q17, [%0]; stp q18, q19, [%0, #32]; stp q20, q21, [%0, #64];"
		"stp q22, q23, [%0, #96]; stp q24, q25, [%0, #128]; stp q26, q27, [%0, #160]" ::"r"(
			fp)
		: "memory");

	if (!escaped) {
		for (unsigned i = 0; i < 31; i++)
			hash = mix(hash, context.x[i]);
		hash = mix(hash, context.sp);
		for (unsigned i = 0; i < ARRAY_COUNT(fp); i++)
			hash = mix(hash, fp[i]);
		for (unsigned i = 0; i < ARRAY_COUNT(outcomes); i++)
			hash = mix(hash, outcomes[i].value);
	}
	if (parameters.details) {
		print_events();
		print_registers();
		for (unsigned i = 0; i < ARRAY_COUNT(fp); i++)
			print("q%u[%u] %x\n", 16 + i / 2, i % 2, fp[i]);
		for (unsigned i = 0; i < ARRAY_COUNT(outcomes); i++)
			print("%s %x\n", outcomes[i].name, outcomes[i].value);
		print_tables();
		each_word(print_word, NULL);
	}
	print("S %x %x %u %u %u\n", now.seed, hash, now.words, event_count, escaped);
}

int main(void);

/* Before every scenario: one may have found a way to write there. */
static void copy_vectors(void)
{
	volatile uint64_t *to = (volatile uint64_t *)FIX;
	const uint64_t *from = (const uint64_t *)vectors_start;

	for (; from < (const uint64_t *)vectors_end; from++)
		*to++ = *from;
}

int main(void)
{
	WRITE(vbar_el3, VECTORS_EL3);
	gic_init();
	/* The loader has left a device tree there. */
	for (uint64_t a = 0x40000000; a < 0x40100000; a += 8)
		*(volatile uint64_t *)a = 0;
	for (uint64_t n = 0; n < parameters.count; n++) {
		copy_vectors();
		make_scenario(parameters.first + n);
		if (parameters.details)
			print_start();
		run_scenario();
		finish();
	}
	print("end\n");
	for (;;)
		asm volatile("wfi");
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guests that mean no good, on src/reverse: tables, vectors, stacks and code at the same and at impossible addresses,
 * among them those that Obverse has for itself; system registers with any value; interrupts at any time. Whatever such a
 * guest does, run() returns when it is kicked, never fails, and nothing of the host is touched.
 *
 * By hand: test_reverse_hostile FIRST COUNT tries other seeds.
 */
#include "reverse_pair.h"

#include "arm/sysreg.h"
#include "hv/hv.h"
#include "hv/soft/soft.h"
#include "reverse/reverse.h"
#include "util/bits.h"
#include "util/err.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define RAM    0x40000000ULL
#define SECRET 0x0e000000ULL
#define DEVICE 0x09000000ULL
#define CODE   (RAM + 0x3000)
#define TABLES (RAM + 0x8000)
#define TOP    0xffffffffffe00000ULL /* Obverse's own, in managed views */
#define HIDDEN                                                                                     \
	(1ULL << 40) /* the end of the physical address space, before which Obverse's memory is */

enum {
	CPUS = 2,
	RAM_SIZE = 0x20000,
	SECRET_SIZE = 0x4000,
	PAGE = 4096,
	TABLE_PAGES = 8,
	CODE_PAGES = 3,
	EXITS = 400,
	PROGRAMS = 400,
	TURN_US = 300, /* between kicks, */
	KICKS = 6,     /* so many of which end a program */
	HANG_S = 60,
};

struct rig {
	struct hv_vm *vm;
	struct hv_vcpu *cpu[CPUS];
	uint8_t *ram, *secret;
	atomic_bool stop;
	const char *why;
};

static const struct hv_ops *const hv = &hv_reverse_ops;

static uint64_t next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed * 0x2545f4914f6cdd1dULL;
}

static uint64_t below(uint64_t *seed, uint64_t limit)
{
	return (next(seed) >> 32) % limit;
}

/* ---- where things are ---- */

static uint64_t physical(uint64_t *seed)
{
	static const uint64_t places[] = {
		CODE,
		CODE,
		CODE + PAGE,
		TABLES,
		TABLES + PAGE,
		TABLES + 2 * PAGE,
		SECRET,
		RAM,
		RAM + RAM_SIZE,
		DEVICE,
		HIDDEN - (64 << 20),
		HIDDEN - (33 << 20),
		HIDDEN,
		HIDDEN - PAGE,
		0,
		1ULL << 47,
		RAM + RAM_SIZE - PAGE,
		(1ULL << 48) - PAGE,
	};

	if (below(seed, 3) == 0)
		return RAM + below(seed, RAM_SIZE / PAGE) * PAGE;
	return places[below(seed, ARRAY_COUNT(places))];
}

static uint64_t offset(uint64_t *seed)
{
	static const int offsets[] = {0,   0,  0,     4,     8,	    -4,	   -8,
				      -16, -3, 0x7fc, 0x800, 0xffc, 0xff8, 0xfff};

	return (uint64_t)(int64_t)offsets[below(seed, ARRAY_COUNT(offsets))];
}

/* Virtual addresses: those of memory, of Obverse's own, and ends of ranges. */
static uint64_t address(uint64_t *seed)
{
	static const uint64_t ends[] = {0,	     1ULL << 31,	 1ULL << 39,
					1ULL << 48,  ~0ULL << 39,	 ~0ULL << 48,
					~0ULL << 31, 0xff00000000000000, 1ULL << 63};

	switch (below(seed, 8)) {
	case 0:
		return TOP + below(seed, 80) * PAGE + offset(seed);
	case 1:
		return ends[below(seed, ARRAY_COUNT(ends))] + offset(seed);
	case 2:
		return (~0ULL << 39 | physical(seed)) + offset(seed);
	case 3:
		return 0 - PAGE + offset(seed);
	default:
		return physical(seed) + offset(seed);
	}
}

/* ---- memory ---- */

static uint64_t descriptor(uint64_t *seed)
{
	uint64_t attributes = 1 << 10 | 3 << 8;

	if (below(seed, 2)) /* AP, NS, UXN, PXN, nG, DBM and all that */
		attributes ^= next(seed) & 0x00780000000008fcULL;
	switch (below(seed, 8)) {
	case 0:
		return next(seed);
	case 1: /* a block of 1 GiB, 2 MiB, or nothing */
		return (physical(seed) & ~0x3fffffffULL) | attributes | 1;
	case 2:
	case 3: /* tables among themselves */
		return (TABLES + below(seed, TABLE_PAGES) * PAGE) | 3;
	default:
		return physical(seed) | attributes | 3;
	}
}

/* From the middle of a range, where addresses() are, down to pages; the rest is wild. */
static void make_tables(struct rig *r, uint64_t *seed)
{
	uint64_t *t = (uint64_t *)(void *)(r->ram + (TABLES - RAM));
	uint64_t flat = 1 << 10 | 3 << 8;

	for (unsigned i = 0; i < TABLE_PAGES * PAGE / 8; i++)
		t[i] = below(seed, 4) ? 0 : descriptor(seed);
	for (unsigned i = 0; i < 4; i++) {
		t[i] = below(seed, 4) ? (i * 0x40000000ULL) | flat | 1 : descriptor(seed);
		t[508 + i] = descriptor(seed);
	}
	if (below(seed, 2))
		t[1] = (TABLES + PAGE) | 3; /* RAM by pages */
	t[512] = (TABLES + 2 * PAGE) | 3;
	for (unsigned i = 0; i < RAM_SIZE / PAGE; i++)
		t[1024 + i] = below(seed, 4) ? (RAM + i * PAGE) | flat | 3 : descriptor(seed);
}

static void make_code(struct rig *r, uint64_t *seed)
{
	for (unsigned i = 0; i < CODE_PAGES * PAGE; i += 4) {
		uint8_t bytes[PAIR_WORD_BYTES];
		uint32_t word;

		for (unsigned n = 0; n < sizeof(bytes); n++)
			bytes[n] = (uint8_t)next(seed);
		word = reverse_pair_word(bytes);
		memcpy(r->ram + (CODE - RAM) + i, &word, 4);
	}
}

static void make_memory(struct rig *r, uint64_t *seed)
{
	for (unsigned i = 0; i < RAM_SIZE; i += 8) {
		uint64_t v = below(seed, 4) ? 0xd503201fd503201fULL : next(seed);

		memcpy(r->ram + i, &v, 8);
	}
	make_code(r, seed);
	make_tables(r, seed);
	if (below(seed, 4) == 0) /* tables inside code */
		memcpy(r->ram + (CODE - RAM) + PAGE, r->ram + (TABLES - RAM), PAGE);
	memset(r->secret, 0x5e, SECRET_SIZE);
}

/* ---- registers ---- */

static uint64_t table_base(uint64_t *seed)
{
	switch (below(seed, 4)) {
	case 0:
		return physical(seed) | (below(seed, 2) ? 0 : next(seed) & 0xffff000000000fffULL);
	case 1:
		return CODE + PAGE;
	default:
		return TABLES;
	}
}

static uint64_t tcr(uint64_t *seed, bool two)
{
	uint64_t v = 25 | 1 << 8 | 1 << 10 | 3 << 12;

	if (two)
		v |= v << 16 | 2ULL << 30 | 2ULL << 32 | below(seed, 4) << 37;
	else
		v |= 2 << 16 | 1ULL << 31 | 1 << 23 | below(seed, 2) << 20;
	return below(seed, 4) ? v : v ^ next(seed);
}

static uint64_t sctlr(uint64_t *seed)
{
	uint64_t v = 0x30d50830ULL | (below(seed, 4) ? 0x1005 : 0);

	return below(seed, 4) ? v : v ^ (next(seed) & next(seed));
}

static void set(struct hv_vcpu *cpu, uint16_t code, uint64_t value)
{
	hv->set_reg(cpu, REG_SYS(code), value);
}

#define SET(cpu, name, value) set(cpu, SYS_##name, value)

static void set_regimes(struct hv_vcpu *cpu, uint64_t *seed)
{
	SET(cpu, TCR_EL1, tcr(seed, true));
	SET(cpu, TTBR0_EL1, table_base(seed));
	SET(cpu, TTBR1_EL1, table_base(seed));
	SET(cpu, TCR_EL2, tcr(seed, false));
	SET(cpu, TTBR0_EL2, table_base(seed));
	SET(cpu, TCR_EL3, tcr(seed, false));
	SET(cpu, TTBR0_EL3, table_base(seed));
	SET(cpu, MAIR_EL1, below(seed, 4) ? 0x00ff : next(seed));
	SET(cpu, MAIR_EL2, below(seed, 4) ? 0x00ff : next(seed));
	SET(cpu, MAIR_EL3, below(seed, 4) ? 0x00ff : next(seed));
	SET(cpu, VBAR_EL1, address(seed));
	SET(cpu, VBAR_EL2, address(seed));
	SET(cpu, VBAR_EL3, address(seed));
	SET(cpu, SCTLR_EL1, sctlr(seed));
	SET(cpu, SCTLR_EL2, sctlr(seed));
	SET(cpu, SCTLR_EL3, sctlr(seed));
	SET(cpu, CPACR_EL1, next(seed));
	SET(cpu, CPTR_EL2, next(seed));
	SET(cpu, CPTR_EL3, below(seed, 2) ? 0 : next(seed));
	SET(cpu, VTCR_EL2, 0x80003559 ^ (below(seed, 2) ? 0 : next(seed)));
	SET(cpu, VTTBR_EL2, table_base(seed));
	SET(cpu, HCR_EL2, 1ULL << 31 | (below(seed, 2) ? 0 : next(seed) & next(seed)));
	SET(cpu, SCR_EL3, (next(seed) & 0x3e0f) | 1 << 8 | 1 << 10 | 3 << 4);
}

/* Anything, anywhere. */
static void set_some(struct hv_vcpu *cpu, uint64_t *seed)
{
	size_t count;
	const struct sysreg_desc *d = sysreg_table(&count);

	for (uint64_t n = below(seed, 12); n; n--)
		set(cpu, d[below(seed, count)].code, below(seed, 2) ? next(seed) : address(seed));
}

static void set_state(struct hv_vcpu *cpu, uint64_t *seed)
{
	static const uint32_t sps[] = {REG_SP_EL0, REG_SP_EL1, REG_SP_EL2, REG_SP_EL3};
	static const uint8_t modes[] = {0xd, 0xd, 0xd, 0xc, 9, 9, 8, 5, 5, 4, 0};

	assert_int_equal(hv->vcpu_reset(cpu), 0);
	set_regimes(cpu, seed);
	if (below(seed, 2))
		set_some(cpu, seed);
	for (unsigned n = 0; n < 31; n++)
		hv->set_reg(cpu, REG_X(n), below(seed, 4) ? address(seed) : next(seed));
	for (unsigned n = 0; n < 4; n++)
		hv->set_reg(cpu, sps[n], address(seed));
	hv->set_reg(cpu, REG_PC, below(seed, 4) ? CODE + below(seed, PAGE / 4) * 4 : address(seed));
	hv->set_reg(cpu, REG_PSTATE, modes[below(seed, ARRAY_COUNT(modes))] | below(seed, 16) << 6);
}

/* ---- running ---- */

struct runner {
	struct rig *r;
	struct hv_vcpu *cpu;
	uint64_t seed;
	const char *why;
};

static void mmio(struct runner *t, const struct hv_exit *x)
{
	if (below(&t->seed, 3))
		hv->mmio_done(t->cpu, next(&t->seed) >> (64 - 8 * x->mmio.size));
	else
		hv->mmio_abort(t->cpu);
}

/* Somebody looks at it, as a monitor does. */
static void look(struct hv_vcpu *cpu)
{
	uint64_t v[2];

	hv->get_reg(cpu, REG_PC, &v[0]);
	hv->get_reg(cpu, REG_SYS(SYS_ESR_EL1), &v[0]);
	hv->get_vreg(cpu, 3, v);
	hv->timer_levels(cpu);
}

/* NULL: nothing that must not be. */
static const char *run(struct runner *t)
{
	struct hv_exit x;
	unsigned kicks = 0;

	for (unsigned i = 0; i < EXITS && kicks < KICKS; i++) {
		hv->run(t->cpu, &x);
		switch (x.kind) {
		case HV_EXIT_KICK:
			kicks++;
			look(t->cpu);
			break;
		case HV_EXIT_MMIO:
			mmio(t, &x);
			break;
		case HV_EXIT_DABT:
			hv->mmio_abort(t->cpu);
			break;
		case HV_EXIT_FAIL:
			fprintf(stderr, "%s\n", x.fail.text);
			return "the back end fails";
		case HV_EXIT_INTERCEPT:
		case HV_EXIT_SMC:
		case HV_EXIT_HVC:
		case HV_EXIT_BRK:
			return NULL;
		default:
			break;
		}
	}
	return NULL;
}

static void *run_thread(void *opaque)
{
	struct runner *t = opaque;

	t->why = run(t);
	return NULL;
}

/* Kicks and interrupts at any time. */
static void *disturb(void *opaque)
{
	struct rig *r = opaque;
	uint64_t seed = 1;

	while (!atomic_load(&r->stop)) {
		struct timespec t = {0, TURN_US * 1000L};
		struct hv_vcpu *cpu = r->cpu[below(&seed, CPUS)];

		nanosleep(&t, NULL);
		if (below(&seed, 2))
			hv->irq(cpu, (enum hv_line)below(&seed, HV_LINE_COUNT),
				below(&seed, 4) == 0);
		for (unsigned i = 0; i < CPUS; i++)
			hv->kick(r->cpu[i]);
	}
	return NULL;
}

/* On both CPUs if the seed is odd. */
static const char *run_seed(struct rig *r, uint64_t number)
{
	uint64_t seed = (number + 1) * 0x9e3779b97f4a7c15ULL;
	struct runner t[CPUS] = {{.r = r, .cpu = r->cpu[0]}, {.r = r, .cpu = r->cpu[1]}};
	pthread_t other;

	alarm(HANG_S);
	make_memory(r, &seed);
	for (unsigned i = 0; i < CPUS; i++) {
		set_state(r->cpu[i], &seed);
		t[i].seed = next(&seed);
	}
	if (number & 1)
		pthread_create(&other, NULL, run_thread, &t[1]);
	t[0].why = run(&t[0]);
	if (number & 1)
		pthread_join(other, NULL);
	return t[0].why ? t[0].why : t[1].why;
}

/* ---- */

static uint8_t *map(struct rig *r, uint64_t gpa, uint64_t size, unsigned prot)
{
	uint8_t *p = aligned_alloc(65536, align_up(size, 65536));

	assert_int_equal(hv->mem_map(r->vm, gpa, p, size, prot), 0);
	return p;
}

static struct rig *create(void)
{
	struct hv_vm_config config = {
		.ipa_bits = 40, .els = 0xf, .inner = &hv_soft_ops, .options = "els=1"};
	struct rig *r = calloc(1, sizeof(*r));
	struct err e = ERR_INIT;

	assert_int_equal(hv->vm_create(&config, &r->vm, &e), 0);
	r->ram = map(r, RAM, RAM_SIZE, HV_READ | HV_WRITE | HV_EXEC);
	r->secret = map(r, SECRET, SECRET_SIZE, HV_READ | HV_WRITE | HV_EXEC | HV_SECURE);
	for (unsigned i = 0; i < CPUS; i++)
		assert_int_equal(hv->vcpu_create(r->vm, i, &r->cpu[i], &e), 0);
	return r;
}

static void destroy(struct rig *r)
{
	for (unsigned i = 0; i < CPUS; i++)
		hv->vcpu_destroy(r->cpu[i]);
	hv->vm_destroy(r->vm);
	free(r->ram);
	free(r->secret);
	free(r);
}

static unsigned run_seeds(uint64_t first, uint64_t count)
{
	struct rig *r = create();
	unsigned bad = 0;
	pthread_t t;

	pthread_create(&t, NULL, disturb, r);
	for (uint64_t seed = first; seed - first < count; seed++) {
		const char *why = run_seed(r, seed);

		if (!why)
			continue;
		fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, why);
		bad++;
	}
	alarm(0);
	atomic_store(&r->stop, true);
	pthread_join(t, NULL);
	destroy(r);
	return bad;
}

static void test_hostile(void **state)
{
	assert_int_equal(run_seeds(0, PROGRAMS), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile),
	};

	if (argc == 3)
		return run_seeds(strtoul(argv[1], NULL, 0), strtoul(argv[2], NULL, 0)) != 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

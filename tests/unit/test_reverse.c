/* SPDX-License-Identifier: Apache-2.0 */
/* Small programs at EL3 and below on src/reverse, with soft,els=1 in place of a hypervisor. */
#include "arm/sysreg.h"
#include "hv/hv.h"
#include "hv/soft/soft.h"
#include "reverse/reverse_int.h"
#include "util/bits.h"
#include "util/err.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define RAM	0x40000000ULL
#define DEVICE	0x09000000ULL
#define VECTORS (RAM + 0x8000) /* of EL3; a page further: EL1's */
#define LOWER	(RAM + 0x2000) /* code of a lower level */
#define SECOND	(RAM + 0x4000) /* of the second CPU */

enum {
	RAM_SIZE = 0x20000,
	CPUS = 2,
	END = 0xd4000003 | 0x7ff << 5, /* SMC */
	NOP = 0xd503201f,
	DSB = 0xd5033f9f,
	B_SELF = 0x14000000,
	RET = 0xd65f03c0,
	ERET = 0xd69f03e0,
	SMC = 0xd4000003,
	EL1H = 0x3c5,
	EL3H = 0x3cd,
};

struct rig {
	struct hv_vm *vm;
	struct hv_vcpu *cpu[CPUS];
	uint32_t *ram;
	struct hv_watch watch;
	unsigned steps; /* instructions that soft had to carry out */
};

static const struct hv_ops *const hv = &hv_reverse_ops;

static uint8_t wants(void *opaque, uint32_t word)
{
	return word == END ? 0xf : 0;
}

static void set(struct hv_vcpu *cpu, uint32_t id, uint64_t value)
{
	assert_int_equal(hv->set_reg(cpu, id, value), 0);
}

static uint64_t get(struct hv_vcpu *cpu, uint32_t id)
{
	uint64_t v = 0;

	assert_int_equal(hv->get_reg(cpu, id, &v), 0);
	return v;
}

#define SET(cpu, name, value) set(cpu, REG_SYS(SYS_##name), value)
#define GET(cpu, name)	      get(cpu, REG_SYS(SYS_##name))

static void begin(struct hv_vcpu *cpu, uint64_t pc)
{
	assert_int_equal(hv->vcpu_reset(cpu), 0);
	SET(cpu, VBAR_EL3, VECTORS);
	SET(cpu, VBAR_EL1, VECTORS + 0x1000);
	SET(cpu, CPTR_EL3, 0);
	SET(cpu, CPACR_EL1, 3 << 20);
	SET(cpu, SCR_EL3, 1 << 10 | 3 << 4); /* Secure, AArch64 below */
	set(cpu, REG_PC, pc);
	set(cpu, REG_PSTATE, EL3H);
}

static bool any_place(void *opaque, unsigned vcpu, const struct hv_place *place)
{
	return false;
}

static void carried_out(void *opaque, unsigned vcpu, uint32_t word)
{
	((struct rig *)opaque)->steps++;
}

static void any_inner(void *opaque, unsigned vcpu, enum hv_inner kind)
{
}

static int create_with(void **state, enum hv_strategy strategy)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct hv_watch watch = {r, any_place, carried_out, any_inner};
	struct hv_vm_config config = {.ipa_bits = 40,
				      .els = 0xf,
				      .inner = &hv_soft_ops,
				      .options = "els=1",
				      .strategy = strategy,
				      .watch = &r->watch};
	struct err e = ERR_INIT;

	r->watch = watch;

	r->ram = aligned_alloc(65536, RAM_SIZE);
	for (unsigned i = 0; i < RAM_SIZE / 4; i++)
		r->ram[i] = END;
	assert_int_equal(hv->vm_create(&config, &r->vm, &e), 0);
	hv->set_intercept(r->vm, wants, NULL);
	assert_int_equal(hv->mem_map(r->vm, RAM, r->ram, RAM_SIZE, HV_READ | HV_WRITE | HV_EXEC),
			 0);
	for (unsigned i = 0; i < CPUS; i++)
		assert_int_equal(hv->vcpu_create(r->vm, i, &r->cpu[i], &e), 0);
	*state = r;
	return 0;
}

static int create(void **state)
{
	return create_with(state, HV_STRATEGY_DIVERT);
}

static int create_brk(void **state)
{
	return create_with(state, HV_STRATEGY_BRK);
}

static int destroy(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < CPUS; i++)
		hv->vcpu_destroy(r->cpu[i]);
	hv->vm_destroy(r->vm);
	free(r->ram);
	free(r);
	return 0;
}

static void put(struct rig *r, uint64_t at, const uint32_t *words, size_t count)
{
	memcpy(r->ram + (at - RAM) / 4, words, count * 4);
}

#define PUT(r, at, ...)                                                                            \
	put(r, at, (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / 4)

/* To the next exit that is not a kick. */
static enum hv_exit_kind run(struct hv_vcpu *cpu, struct hv_exit *x)
{
	unsigned n = 0;

	do {
		hv->run(cpu, x);
	} while (x->kind == HV_EXIT_KICK && ++n < 1000);
	return x->kind;
}

static void run_to_end(struct hv_vcpu *cpu)
{
	struct hv_exit x;

	assert_int_equal(run(cpu, &x), HV_EXIT_INTERCEPT);
}

/* ---- other threads ---- */

static void sleep_ms(unsigned ms)
{
	struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};

	nanosleep(&t, NULL);
}

static void *kick_soon(void *opaque)
{
	sleep_ms(20);
	hv->kick(opaque);
	return NULL;
}

static void run_into_kick(struct hv_vcpu *cpu)
{
	struct hv_exit x;
	pthread_t t;

	pthread_create(&t, NULL, kick_soon, cpu);
	hv->run(cpu, &x);
	assert_int_equal(x.kind, HV_EXIT_KICK);
	pthread_join(t, NULL);
}

static void test_kick(void **state)
{
	struct rig *r = *state;

	PUT(r, RAM, NOP, NOP, B_SELF);
	begin(r->cpu[0], RAM);
	for (unsigned i = 0; i < 3; i++) {
		run_into_kick(r->cpu[0]);
		assert_int_equal(get(r->cpu[0], REG_PC), RAM + 8);
		assert_int_equal(get(r->cpu[0], REG_PSTATE) & 0x3df, EL3H);
	}
	/* Before the run: it returns at once, and only once. */
	hv->kick(r->cpu[0]);
	run_into_kick(r->cpu[0]);
	set(r->cpu[0], REG_PC, RAM + 16);
	run_to_end(r->cpu[0]);
}

static void test_reset(void **state)
{
	struct rig *r = *state;

	PUT(r, RAM, 0x91000400, 0x17ffffff); /* 1: ADD X0, X0, #1; B 1b */
	PUT(r, LOWER, 0xd5384241);	     /* MRS X1, CurrentEL */
	begin(r->cpu[0], RAM);
	run_into_kick(r->cpu[0]);
	assert_true(get(r->cpu[0], REG_X(0)) > 1);
	/* Something else at the same address, as a loader does. */
	PUT(r, RAM, 0xd2800540, 0xd5384241, END); /* MOV X0, #42; MRS X1, CurrentEL */
	begin(r->cpu[0], RAM);
	run_to_end(r->cpu[0]);
	assert_int_equal(get(r->cpu[0], REG_X(0)), 42);
	assert_int_equal(get(r->cpu[0], REG_X(1)), 3 << 2);
}

/* While code runs natively, the timer of a level that the host's vCPU does not have. */
static void test_timer(void **state)
{
	struct rig *r = *state;
	struct hv_exit x;

	PUT(r, RAM, 0xd51fe200, 0xd51fe221, ISB, B_SELF); /* CNTPS_TVAL_EL1, X0; CTL, X1 */
	begin(r->cpu[0], RAM);
	set(r->cpu[0], REG_X(0), 100000);
	set(r->cpu[0], REG_X(1), 1);
	hv->run(r->cpu[0], &x);
	assert_int_equal(x.kind, HV_EXIT_KICK);
	assert_true(hv->timer_levels(r->cpu[0]) & 1 << HV_TIMER_SEC);
	assert_int_equal(get(r->cpu[0], REG_PC), RAM + 12);
}

/* ---- what the vectors carry out ---- */

#define MRS(rt, name) (0xd5300000 | (SYS_##name & 0x7fffU) << 5 | (rt))
#define MSR(name, rt) (0xd5100000 | (SYS_##name & 0x7fffU) << 5 | (rt))

enum { XZR = 31, NO_STEPS = 0 };

/* By way of each register that a handler treats in its own way. */
static void check_moves(struct rig *r, unsigned steps)
{
	static const uint8_t regs[] = {0, 1, 2, 3, 4, 29, 30};

	for (unsigned i = 0; i < sizeof(regs); i++) {
		unsigned t = regs[i], u = regs[(i + 1) % sizeof(regs)];
		uint64_t value = 0x123456789abcdef0 + i;

		PUT(r, RAM, NOP, MSR(TPIDR_EL3, t), MRS(u, TPIDR_EL3), MSR(TPIDR_EL1, XZR),
		    MRS(XZR, TPIDR_EL3), MSR(FAR_EL1, t), END);
		begin(r->cpu[0], RAM);
		SET(r->cpu[0], TPIDR_EL1, 7);
		for (unsigned n = 0; n < 31; n++)
			set(r->cpu[0], REG_X(n), n);
		set(r->cpu[0], REG_X(t), value);
		r->steps = 0;
		run_to_end(r->cpu[0]);
		assert_int_equal(r->steps, steps);
		for (unsigned n = 0; n < 31; n++)
			assert_int_equal(get(r->cpu[0], REG_X(n)), n == t || n == u ? value : n);
		assert_int_equal(GET(r->cpu[0], TPIDR_EL3), value);
		assert_int_equal(GET(r->cpu[0], FAR_EL1), value);
		assert_int_equal(GET(r->cpu[0], TPIDR_EL1), 0);
		assert_int_equal(get(r->cpu[0], REG_PC), RAM + 24);
		assert_int_equal(get(r->cpu[0], REG_PSTATE) & 0xf00003df, EL3H);
	}
}

static void test_moves(void **state)
{
	check_moves(*state, NO_STEPS);
}

static void test_moves_brk(void **state)
{
	check_moves(*state, 5);
}

/* What rules the level itself is soft's business, unless nothing changes. */
static void test_hot(void **state)
{
	struct rig *r = *state;

	PUT(r, RAM, MRS(0, SCTLR_EL3), MSR(SCTLR_EL3, 0), MSR(SCTLR_EL1, 1), MSR(CPTR_EL3, 2), END);
	begin(r->cpu[0], RAM);
	set(r->cpu[0], REG_X(1), 0x30d00985);
	set(r->cpu[0], REG_X(2), 1 << 10);
	r->steps = 0;
	run_to_end(r->cpu[0]);
	assert_int_equal(r->steps, 1);
	assert_int_equal(GET(r->cpu[0], CPTR_EL3) & 1 << 10, 1 << 10);
	assert_int_equal(GET(r->cpu[0], SCTLR_EL1) & 5, 5);
}

/* A timer that is armed while interrupts are masked: ISTATUS is right at once, and the level comes. */
static void test_lazy_timer(void **state)
{
	struct rig *r = *state;
	struct hv_exit x;

	PUT(r, RAM, MRS(4, CNTP_CTL_EL0), MSR(CNTP_CVAL_EL0, 0), MSR(CNTP_CTL_EL0, 1),
	    MRS(5, CNTP_CTL_EL0), MSR(CNTP_CVAL_EL0, 2), MRS(6, CNTP_CTL_EL0),
	    MSR(CNTP_CVAL_EL0, 0), B_SELF);
	begin(r->cpu[0], RAM);
	set(r->cpu[0], REG_X(0), 1);
	set(r->cpu[0], REG_X(1), 1);
	set(r->cpu[0], REG_X(2), UINT64_MAX);
	r->steps = 0;
	hv->run(r->cpu[0], &x);
	assert_int_equal(x.kind, HV_EXIT_KICK);
	assert_true(hv->timer_levels(r->cpu[0]) & 1 << HV_TIMER_PHYS);
	assert_int_equal(r->steps, NO_STEPS);
	assert_int_equal(get(r->cpu[0], REG_X(4)), 0);
	assert_int_equal(get(r->cpu[0], REG_X(5)), 5);
	assert_int_equal(get(r->cpu[0], REG_X(6)), 1);
}

/* With interrupts unmasked it is soft that arms it. */
static void test_unmasked_timer(void **state)
{
	struct rig *r = *state;

	PUT(r, RAM, MSR(CNTP_CVAL_EL0, 0), MSR(CNTP_CTL_EL0, 1), END);
	begin(r->cpu[0], RAM);
	set(r->cpu[0], REG_PSTATE, EL3H & ~0x40); /* FIQ */
	set(r->cpu[0], REG_X(0), UINT64_MAX);
	set(r->cpu[0], REG_X(1), 1);
	r->steps = 0;
	run_to_end(r->cpu[0]);
	assert_int_equal(r->steps, 1); /* CVAL; then it looks at the timers, and goes on to CTL */
	assert_int_equal(GET(r->cpu[0], CNTP_CTL_EL0), 1);
}

/* AT: by soft the first time, and after each TLBI. */
static void test_at(void **state)
{
	const uint32_t at = 0xd5087802, tlbi = 0xd508871f; /* AT S1E1R, X2; VMALLE1 */
	struct rig *r = *state;

	PUT(r, RAM, MSR(ELR_EL3, 0), MSR(SPSR_EL3, 1), ERET);
	PUT(r, LOWER, at, ISB, MRS(3, PAR_EL1), MSR(PAR_EL1, XZR), at, ISB, MRS(4, PAR_EL1),
	    MSR(PAR_EL1, XZR), tlbi, DSB, ISB, at, MRS(5, PAR_EL1), END);
	begin(r->cpu[0], RAM);
	set(r->cpu[0], REG_X(0), LOWER);
	set(r->cpu[0], REG_X(1), EL1H);
	set(r->cpu[0], REG_X(2), RAM + 0x5678);
	r->steps = 0;
	run_to_end(r->cpu[0]);
	assert_int_equal(r->steps, 4); /* ERET, AT, TLBI, AT */
	assert_int_equal(get(r->cpu[0], REG_X(3)) & 0xfffffffff001, RAM + 0x5000);
	assert_int_equal(get(r->cpu[0], REG_X(4)), get(r->cpu[0], REG_X(3)));
	assert_int_equal(get(r->cpu[0], REG_X(5)), get(r->cpu[0], REG_X(3)));
}

/* A guest that writes into the bank by itself cannot write registers of higher levels that way. */
static void test_forged(void **state)
{
	static const uint16_t regs[] = {SYS_SCR_EL3,   SYS_SCTLR_EL3, SYS_VBAR_EL3, SYS_CPTR_EL3,
					SYS_TPIDR_EL3, SYS_HCR_EL2,   SYS_VBAR_EL2};
	uint64_t before[ARRAY_COUNT(regs)];
	struct rig *r = *state;

	PUT(r, RAM, MSR(ELR_EL3, 0), MSR(SPSR_EL3, 1), ERET);
	/* 1: STR X4, [X2]; STR X4, [X2, #32]; ADD X2, X2, #40; SUBS X3, X3, #1; B.NE 1b; STR X4, [X5]; SMC */
	PUT(r, LOWER, MSR(TPIDR_EL1, 4), 0xf9000044, 0xf9001044, 0x9100a042, 0xf1000463, 0x54ffff81,
	    0xf90000a4, SMC);
	PUT(r, VECTORS + 0x400, END);
	begin(r->cpu[0], RAM);
	set(r->cpu[0], REG_X(0), LOWER);
	set(r->cpu[0], REG_X(1), EL1H);
	set(r->cpu[0], REG_X(2), REVERSE_BANK + offsetof(struct bank, entry));
	set(r->cpu[0], REG_X(3), DIVERT_ENTRIES);
	set(r->cpu[0], REG_X(4), 0x3c00000000000850);
	set(r->cpu[0], REG_X(5), REVERSE_BANK + offsetof(struct bank, dirty));
	for (unsigned i = 0; i < ARRAY_COUNT(regs); i++)
		before[i] = get(r->cpu[0], REG_SYS(regs[i]));
	run_to_end(r->cpu[0]);
	assert_int_equal(get(r->cpu[0], REG_X(3)), 0);
	assert_int_equal(get(r->cpu[0], REG_PC), VECTORS + 0x400);
	for (unsigned i = 0; i < ARRAY_COUNT(regs); i++)
		assert_int_equal(get(r->cpu[0], REG_SYS(regs[i])), before[i]);
}

/* ---- devices ---- */

static void test_mmio(void **state)
{
	struct rig *r = *state;
	struct hv_exit x;

	PUT(r, RAM, NOP, NOP, 0x39800001, 0xb9000802, NOP,
	    END); /* LDRSB X1, [X0]; STR W2, [X0, #8] */
	begin(r->cpu[0], RAM);
	set(r->cpu[0], REG_X(0), DEVICE);
	set(r->cpu[0], REG_X(2), 0x1122334455667788);
	assert_int_equal(run(r->cpu[0], &x), HV_EXIT_MMIO);
	assert_true(!x.mmio.is_write && x.mmio.ipa == DEVICE && x.mmio.size == 1 && x.mmio.secure);
	assert_int_equal(get(r->cpu[0], REG_PC), RAM + 8);
	hv->mmio_done(r->cpu[0], 0x80);
	assert_int_equal(run(r->cpu[0], &x), HV_EXIT_MMIO);
	assert_true(x.mmio.is_write && x.mmio.ipa == DEVICE + 8 && x.mmio.size == 4);
	assert_int_equal(x.mmio.value & 0xffffffff, 0x55667788);
	hv->mmio_done(r->cpu[0], 0);
	run_to_end(r->cpu[0]);
	assert_int_equal(get(r->cpu[0], REG_X(1)), 0xffffffffffffff80);
}

/* What the guest takes is at its own vectors, also if somebody looks in between. */
static void test_abort(void **state)
{
	struct rig *r = *state;
	struct hv_exit x;

	for (unsigned look = 0; look < 2; look++) {
		unsigned answered = 0;

		PUT(r, RAM, NOP, NOP, 0xf9000002, END); /* STR X2, [X0] */
		begin(r->cpu[0], RAM);
		set(r->cpu[0], REG_X(0), DEVICE);
		while (run(r->cpu[0], &x) == HV_EXIT_MMIO && answered++ < 3) {
			hv->mmio_abort(r->cpu[0]);
			if (look && answered == 1)
				hv->kick(r->cpu[0]);
		}
		assert_int_equal(x.kind, HV_EXIT_INTERCEPT);
		assert_int_equal(get(r->cpu[0], REG_PC), VECTORS + 0x200);
		assert_int_equal(GET(r->cpu[0], ELR_EL3), RAM + 8);
		assert_int_equal(GET(r->cpu[0], ESR_EL3), 0x25ULL << 26 | 1 << 25 | 1 << 6 | 0x10);
		assert_int_equal(GET(r->cpu[0], FAR_EL3), DEVICE);
		assert_int_equal(GET(r->cpu[0], SPSR_EL3) & 0x3df, EL3H);
	}
}

/* ---- levels ---- */

#define TO_EL1 0xd51e4020, 0xd51e4001, ERET /* MSR ELR_EL3, X0; MSR SPSR_EL3, X1; ERET */

/* FP registers go along from EL3 to Secure EL1 and back, by value. */
static void test_fp(void **state)
{
	struct rig *r = *state;
	uint64_t v[2];

	PUT(r, RAM, 0x9e670043, 0x4e080c44, TO_EL1);	      /* FMOV D3, X2; DUP V4.2D, X2 */
	PUT(r, LOWER, 0x9e660065, 0x1e632863, SMC);	      /* FMOV X5, D3; FADD D3, D3, D3 */
	PUT(r, VECTORS + 0x400, 0x9e660066, 0x4ea41c87, END); /* FMOV X6, D3; MOV V7, V4 */
	begin(r->cpu[0], RAM);
	set(r->cpu[0], REG_X(0), LOWER);
	set(r->cpu[0], REG_X(1), EL1H);
	set(r->cpu[0], REG_X(2), 0x3ff8000000000000); /* 1.5 */
	run_to_end(r->cpu[0]);
	assert_int_equal(get(r->cpu[0], REG_X(5)), 0x3ff8000000000000);
	assert_int_equal(get(r->cpu[0], REG_X(6)), 0x4008000000000000); /* 3.0 */
	hv->get_vreg(r->cpu[0], 7, v);
	assert_true(v[0] == 0x3ff8000000000000 && v[1] == v[0]);
}

/* Stack pointers and flags of each level are its own. */
static void test_levels(void **state)
{
	struct rig *r = *state;

	PUT(r, RAM, 0x9100001f | 2 << 5, TO_EL1); /* MOV SP, X2 */
	PUT(r, LOWER, 0x9100007f, 0x910003e4, 0xeb00001f,
	    SMC);				  /* MOV SP, X3; MOV X4, SP; CMP X0, X0 */
	PUT(r, VECTORS + 0x400, 0x910003e5, END); /* MOV X5, SP */
	begin(r->cpu[0], RAM);
	set(r->cpu[0], REG_X(0), LOWER);
	set(r->cpu[0], REG_X(1), EL1H);
	set(r->cpu[0], REG_X(2), 0x1230);
	set(r->cpu[0], REG_X(3), 0x4560);
	run_to_end(r->cpu[0]);
	assert_int_equal(get(r->cpu[0], REG_X(4)), 0x4560);
	assert_int_equal(get(r->cpu[0], REG_X(5)), 0x1230);
	assert_int_equal(get(r->cpu[0], REG_SP_EL1), 0x4560);
	assert_int_equal(GET(r->cpu[0], ELR_EL3), LOWER + 16);
	assert_int_equal(GET(r->cpu[0], ESR_EL3), 0x17ULL << 26 | 1 << 25);
	assert_int_equal(GET(r->cpu[0], SPSR_EL3) & 0xf00003ff, 0x60000000 | EL1H);
}

/* ---- code that is written ---- */

static void test_store_to_own_page(void **state)
{
	struct rig *r = *state;

	/* 20 times: X3 = what is at 1f after a store there, of MOV X3, #n or MRS X3, CurrentEL. */
	PUT(r, RAM, NOP, 0x100000e2, 0xb9000044, 0xd50b7b22, DSB, 0xd50b7522, DSB, ISB, NOP, END);
	for (unsigned i = 0; i < 40; i++) {
		uint32_t word = i & 1 ? 0xd5384243 : 0xd2800003 | i << 5;

		begin(r->cpu[0], RAM); /* ADR X2, RAM + 0x20; STR W4, [X2]; DC CVAU; IC IVAU */
		set(r->cpu[0], REG_X(4), word);
		run_to_end(r->cpu[0]);
		assert_int_equal(get(r->cpu[0], REG_X(3)), i & 1 ? 12 : i);
		assert_int_equal(r->ram[8], word);
	}
}

struct runner {
	struct hv_vcpu *cpu;
	enum hv_exit_kind kind;
};

static void *run_thread(void *opaque)
{
	struct runner *t = opaque;
	struct hv_exit x;

	t->kind = run(t->cpu, &x);
	return NULL;
}

/* One CPU executes what another one changes, over and over. */
static void test_two_cpus(void **state)
{
	struct rig *r = *state;

	/* BL f; CBZ X0, back; END -- f: MOV X0, #0; RET */
	for (unsigned i = 0; i < 10; i++) {
		struct runner t = {.cpu = r->cpu[1]};
		pthread_t thread;

		PUT(r, SECOND, 0x94000400, 0xb4ffffe0, END);
		PUT(r, SECOND + 0x1000, 0xd2800000, RET);
		/* STR W4, [X2]; DC CVAU; DSB; IC IVAU; DSB; ISB */
		PUT(r, RAM, NOP, 0xb9000044, 0xd50b7b22, DSB, 0xd50b7522, DSB, ISB, END);
		begin(r->cpu[1], SECOND);
		begin(r->cpu[0], RAM);
		set(r->cpu[0], REG_X(2), SECOND + 0x1000);
		/* MOV X0, #1, or what is caught: MRS X0, CurrentEL */
		set(r->cpu[0], REG_X(4), i & 1 ? 0xd2800020 : 0xd5384240);
		pthread_create(&thread, NULL, run_thread, &t);
		sleep_ms(2);
		run_to_end(r->cpu[0]);
		pthread_join(thread, NULL);
		assert_int_equal(t.kind, HV_EXIT_INTERCEPT);
		assert_int_equal(get(r->cpu[1], REG_X(0)), i & 1 ? 1 : 12);
	}
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, create, destroy)
	const struct CMUnitTest tests[] = {
		TEST(test_kick),
		TEST(test_reset),
		TEST(test_timer),
		TEST(test_mmio),
		TEST(test_abort),
		TEST(test_fp),
		TEST(test_levels),
		TEST(test_store_to_own_page),
		TEST(test_two_cpus),
		TEST(test_moves),
		TEST(test_forged),
		TEST(test_hot),
		TEST(test_lazy_timer),
		TEST(test_at),
		TEST(test_unmasked_timer),
		cmocka_unit_test_setup_teardown(test_moves_brk, create_brk, destroy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

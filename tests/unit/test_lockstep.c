/* SPDX-License-Identifier: Apache-2.0 */
/* PEs on a virtual clock, with the soft engine: what they execute is time, to the instruction. */
#include "arm/smccc.h"
#include "host/clock.h"
#include "host/loop.h"
#include "hv/soft/soft.h"
#include "mem/mem.h"
#include "pe/set.h"
#include "util/err.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	PES = 2,
	BASE = 0x40000000,
	SIZE = 0x10000,
	SECOND = BASE + 0x1000, /* code of PE 1 */
	FLAG = BASE + 0x2000,
	TICK_NS = 16, /* of the counter */
	TURN_NS = 4096,
	MS = 1000000,
};

enum {
	NOP = 0xd503201f,
	WFE = 0xd503205f,
	WFI = 0xd503207f,
	SEV = 0xd503209f,
	SEVL = 0xd50320bf,
	HVC = 0xd4000002,
	B_SELF = 0x14000000,
	LDR_X1_X2 = 0xf9400041,	    /* ldr x1, [x2] */
	STR_X1_X2 = 0xf9000041,	    /* str x1, [x2] */
	CBZ_X1_BACK = 0xb4ffffe1,   /* to the instruction before */
	CBZ_X1_BACK_2 = 0xb4ffffc1, /* two before */
	MSR_CNTV_CVAL_X1 = 0xd51be341,
	MSR_CNTV_CTL_X1 = 0xd51be321,
	MRS_X1_CNTVCT = 0xd53be041,
};

#define MOVZ(rd, imm)	(0xd2800000U | (uint32_t)(imm) << 5 | (rd))
#define MOVK16(rd, imm) (0xf2a00000U | (uint32_t)(imm) << 5 | (rd))
/* Two instructions. */
#define MOV32(rd, imm) MOVZ(rd, (imm)&0xffff), MOVK16(rd, (uint32_t)(imm) >> 16)

#define POWER_OFF      MOV32(0, PSCI_SYSTEM_OFF), HVC
enum { POWER_OFF_LENGTH = 3 };
#define START_SECOND MOV32(0, PSCI_CPU_ON), MOVZ(1, 1), MOV32(2, SECOND), HVC

struct rig {
	struct virtual_clock clock;
	struct loop *loop;
	struct mem_space *mem;
	struct mem_region ram;
	uint32_t *word;
	struct hv_caps caps;
	struct hv_vm *vm;
	struct pe_set *s;
	struct pe_entry entry;
	const char *what;
	/* What happened when. */
	uint64_t fired_ns, level_ns[2];
	unsigned fired;
	struct loop_timer timer, host;
	uint64_t asked; /* a register */
};

static void on_power_off(void *opaque, const char *what)
{
	struct rig *r = opaque;

	r->what = what;
	loop_stop(r->loop);
}

static void on_failed(void *opaque, unsigned pe, const char *text)
{
	fail_msg("pe%u: %s", pe, text);
}

static void on_level(void *opaque, unsigned pe, enum hv_timer timer, bool level)
{
	struct rig *r = opaque;

	r->level_ns[level] = r->clock.ns;
	pe_irq(r->s, pe, HV_IRQ, level);
}

static void add_memory(struct rig *r)
{
	struct err e = ERR_INIT;

	r->word = aligned_alloc(4096, SIZE);
	memset(r->word, 0, SIZE);
	r->ram = (struct mem_region){.name = "ram",
				     .base = BASE,
				     .size = SIZE,
				     .kind = MEM_RAM,
				     .host = (uint8_t *)r->word};
	r->mem = mem_space_create();
	assert_int_equal(mem_add(r->mem, &r->ram, &e), 0);
	mem_freeze(r->mem);
}

static int set_up(void **state)
{
	const struct hv_ops *hv = &hv_soft_ops;
	struct rig *r = calloc(1, sizeof(*r));
	struct hv_vm_config vm = {.ipa_bits = 40, .els = 3, .clock = &r->clock};
	struct err e = ERR_INIT;

	add_memory(r);
	r->loop = loop_create();
	loop_set_clock(r->loop, &r->clock);
	assert_int_equal(hv->probe(NULL, &r->caps, &e), 0);
	assert_true(r->caps.virtual_time);
	assert_int_equal(hv->vm_create(&vm, &r->vm, &e), 0);
	hv->mem_map(r->vm, BASE, r->word, SIZE, HV_READ | HV_WRITE | HV_EXEC);
	r->s = pe_set_create(PES, 3);
	pe_timer_listen(r->s, on_level, r);
	pe_set_configure(r->s, &(struct pe_set_config){.hv = hv,
						       .caps = &r->caps,
						       .vm = r->vm,
						       .mem = r->mem,
						       .clock = &r->clock,
						       .loop = r->loop,
						       .opaque = r,
						       .power_off = on_power_off,
						       .failed = on_failed});
	r->entry = (struct pe_entry){.pc = BASE};
	*state = r;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *r = *state;

	loop_timer_fini(&r->timer);
	loop_timer_fini(&r->host);
	pe_set_destroy(r->s);
	hv_soft_ops.vm_destroy(r->vm);
	mem_space_destroy(r->mem);
	loop_destroy(r->loop);
	free(r->word);
	free(r);
	return 0;
}

static void put(struct rig *r, uint64_t where, const uint32_t *code, size_t count)
{
	memcpy(r->word + (where - BASE) / 4, code, count * 4);
}

#define CODE(r, where, ...)                                                                        \
	put(r, where, (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / 4)

static struct pe_turns run(struct rig *r)
{
	struct pe_turns t = {0};
	struct err e = ERR_INIT;

	assert_int_equal(pe_set_start(r->s, &r->entry, &e), 0);
	pe_set_run(r->s);
	pe_set_stop(r->s);
	assert_true(pe_set_turns(r->s, &t));
	return t;
}

/* ---- time is what is executed ---- */

static void test_instructions_are_time(void **state)
{
	struct rig *r = *state;
	struct pe_turns t;

	for (unsigned i = 0; i < 3000; i++)
		r->word[i] = NOP;
	CODE(r, BASE + 12000, POWER_OFF);
	t = run(r);
	assert_string_equal(r->what, "PSCI SYSTEM_OFF");
	assert_int_equal(t.instructions, 3000 + POWER_OFF_LENGTH);
	assert_int_equal(t.ns, t.instructions);
}

static void fired(void *opaque)
{
	struct rig *r = opaque;

	r->fired_ns = r->clock.ns;
	r->fired++;
	loop_stop(r->loop);
}

static void test_device_timer_to_the_instruction(void **state)
{
	struct rig *r = *state;
	struct pe_turns t;

	loop_timer_init_machine(&r->timer, r->loop, fired, r);
	loop_timer_arm(&r->timer, 3 * TURN_NS + 777);
	CODE(r, BASE, B_SELF);
	t = run(r);
	assert_int_equal(r->fired_ns, 3 * TURN_NS + 777);
	assert_int_equal(t.instructions, 3 * TURN_NS + 777);
}

static void always(void *opaque)
{
	struct rig *r = opaque;

	r->fired++;
	loop_timer_arm(&r->timer, 0);
}

/* A device whose timer is due all the time does not keep the guest from executing. */
static void test_device_timer_storm(void **state)
{
	struct rig *r = *state;

	loop_timer_init_machine(&r->timer, r->loop, always, r);
	loop_timer_arm(&r->timer, 0);
	CODE(r, BASE, NOP, NOP, POWER_OFF);
	assert_int_equal(run(r).instructions, 2 + POWER_OFF_LENGTH);
	assert_true(r->fired >= 2);
}

/* ... nor the host from being heard. */
static void test_device_timer_storm_in_wait(void **state)
{
	struct rig *r = *state;

	loop_timer_init(&r->host, r->loop, fired, r);
	loop_timer_arm(&r->host, clock_mono_ns() + MS);
	loop_timer_init_machine(&r->timer, r->loop, always, r);
	loop_timer_arm(&r->timer, 0);
	CODE(r, BASE, WFI, B_SELF);
	/* None, if the host's timer is due before the first turn. */
	assert_true(run(r).instructions <= 1);
}

/* Nothing to execute: straight to the next timer. */
static void test_time_is_skipped(void **state)
{
	struct rig *r = *state;
	struct pe_turns t;

	loop_timer_init_machine(&r->timer, r->loop, fired, r);
	loop_timer_arm(&r->timer, 3600 * NS_PER_S);
	CODE(r, BASE, WFI, B_SELF);
	t = run(r);
	assert_int_equal(r->fired_ns, 3600 * NS_PER_S);
	assert_int_equal(t.ns, 3600 * NS_PER_S);
	assert_int_equal(t.instructions, 1);
}

/* ---- the generic timer ---- */

enum { CVAL = 5000 };

/* While it waits, and to the instruction while it executes; the wait ends though interrupts are masked. */
static void test_timer_ends_wait(void **state)
{
	struct rig *r = *state;

	CODE(r, BASE, MOVZ(1, CVAL), MSR_CNTV_CVAL_X1, MOVZ(1, 1), MSR_CNTV_CTL_X1, WFI,
	     MRS_X1_CNTVCT, MOV32(2, FLAG), STR_X1_X2, POWER_OFF);
	run(r);
	assert_int_equal(r->level_ns[true], CVAL * TICK_NS);
	assert_int_equal(r->word[(FLAG - BASE) / 4], CVAL);
}

static void test_timer_in_turn(void **state)
{
	struct rig *r = *state;
	struct pe_turns t;

	loop_timer_init_machine(&r->timer, r->loop, fired, r);
	loop_timer_arm(&r->timer, (CVAL + 100) * TICK_NS);
	CODE(r, BASE, MOVZ(1, CVAL), MSR_CNTV_CVAL_X1, MOVZ(1, 1), MSR_CNTV_CTL_X1, B_SELF);
	t = run(r);
	assert_int_equal(r->level_ns[true], CVAL * TICK_NS);
	assert_int_equal(t.instructions, (CVAL + 100) * TICK_NS);
}

/* ---- several PEs ---- */

static void load_spinners(struct rig *r)
{
	CODE(r, BASE, START_SECOND, MOV32(2, FLAG), LDR_X1_X2, CBZ_X1_BACK, POWER_OFF);
	CODE(r, SECOND, MOV32(2, FLAG), MOVZ(1, 1), STR_X1_X2, B_SELF);
}

/* One that spins on memory cannot hold up who is to write it. */
static void test_spinning(void **state)
{
	struct rig *r = *state;
	struct pe_turns t;

	load_spinners(r);
	t = run(r);
	assert_string_equal(r->what, "PSCI SYSTEM_OFF");
	assert_in_range(t.ns, 2 * TURN_NS, 3 * TURN_NS);
}

static void test_same_twice(void **state)
{
	struct rig *r = *state;
	struct pe_turns first, second;

	load_spinners(r);
	first = run(r);
	tear_down(state);
	set_up(state);
	r = *state;
	load_spinners(r);
	second = run(r);
	assert_memory_equal(&first, &second, sizeof(first));
	tear_down(state);
	set_up(state);
	r = *state;
	load_spinners(r);
	CODE(r, SECOND + 8,
	     MOVZ(1, 2)); /* as many instructions, and something else in a register */
	second = run(r);
	assert_int_equal(first.instructions, second.instructions);
	assert_true(first.hash != second.hash);
}

/* WFE leaves the turn to others at once, and ends with their event. */
static void test_events(void **state)
{
	struct rig *r = *state;
	struct pe_turns t;

	CODE(r, BASE, START_SECOND, MOV32(2, FLAG), WFE, LDR_X1_X2, CBZ_X1_BACK_2, POWER_OFF);
	CODE(r, SECOND, MOV32(2, FLAG), MOVZ(1, 1), STR_X1_X2, SEV, WFI, B_SELF);
	t = run(r);
	assert_string_equal(r->what, "PSCI SYSTEM_OFF");
	assert_true(t.ns < 100);
	assert_int_equal(t.ns, t.instructions);
}

/* Nobody sends one: it ends some time, without any being lost to others. */
static void test_event_that_never_comes(void **state)
{
	struct rig *r = *state;
	struct pe_turns t;

	CODE(r, BASE, SEVL, WFE, WFE, POWER_OFF);
	t = run(r);
	assert_int_equal(t.instructions, 3 + POWER_OFF_LENGTH);
	assert_in_range(t.ns, 1000, 100000);
}

/* ---- what others want of the machine ---- */

static void release(void *opaque)
{
	struct rig *r = opaque;

	r->fired_ns = r->clock.ns;
	clock_release(&r->clock);
}

static void hold(void *opaque)
{
	struct rig *r = opaque;

	clock_hold(&r->clock);
	loop_timer_arm(&r->host, clock_mono_ns() + 20ULL * MS);
}

static void test_held_clock(void **state)
{
	struct rig *r = *state;
	uint64_t begin = clock_mono_ns();

	loop_timer_init(&r->host, r->loop, release, r);
	loop_timer_init_machine(&r->timer, r->loop, hold, r);
	loop_timer_arm(&r->timer, 2);
	CODE(r, BASE, NOP, NOP, NOP, POWER_OFF);
	assert_int_equal(run(r).ns, 3 + POWER_OFF_LENGTH);
	assert_int_equal(r->fired_ns, 2);
	assert_true(clock_mono_ns() - begin >= 20ULL * MS);
}

static void resume(void *opaque)
{
	struct rig *r = opaque;

	r->fired_ns = r->clock.ns;
	pe_set_get_reg(r->s, 0, REG_PC, &r->asked);
	pe_set_resume(r->s);
}

static void pause(void *opaque)
{
	struct rig *r = opaque;

	pe_set_pause(r->s);
	loop_timer_arm(&r->host, clock_mono_ns() + 5ULL * MS);
}

/* By the monitor, for instance, which looks at a register meanwhile. */
static void test_pause(void **state)
{
	struct rig *r = *state;

	loop_timer_init(&r->host, r->loop, resume, r);
	loop_timer_init_machine(&r->timer, r->loop, pause, r);
	loop_timer_arm(&r->timer, 2);
	CODE(r, BASE, NOP, NOP, NOP, POWER_OFF);
	assert_int_equal(run(r).ns, 3 + POWER_OFF_LENGTH);
	assert_int_equal(r->fired_ns, 2);
	assert_int_equal(r->asked, BASE + 8);
}

static void reset(void *opaque)
{
	struct rig *r = opaque;

	pe_set_pause(r->s);
	r->entry.pc = SECOND;
	pe_set_reset(r->s, &r->entry);
	pe_set_resume(r->s);
}

static void ask_for_reset(void *opaque)
{
	loop_defer(((struct rig *)opaque)->loop, reset, opaque);
}

/* From where it is, also out of a wait without end. */
static void test_reset(void **state)
{
	struct rig *r = *state;

	loop_timer_init_machine(&r->timer, r->loop, ask_for_reset, r);
	loop_timer_arm(&r->timer, 1000);
	CODE(r, BASE, WFI, B_SELF);
	CODE(r, SECOND, POWER_OFF);
	assert_int_equal(run(r).instructions, 1 + POWER_OFF_LENGTH);
	assert_string_equal(r->what, "PSCI SYSTEM_OFF");
}

/* All off, and no timer: the host may still want something. */
static void test_nothing_to_do(void **state)
{
	struct rig *r = *state;

	loop_timer_init(&r->host, r->loop, fired, r);
	loop_timer_arm(&r->host, clock_mono_ns() + 20ULL * MS);
	CODE(r, BASE, MOV32(0, PSCI_CPU_OFF), HVC);
	assert_int_equal(run(r).ns, 3);
	assert_int_equal(r->fired, 1);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_instructions_are_time),
		TEST(test_device_timer_to_the_instruction),
		TEST(test_device_timer_storm),
		TEST(test_device_timer_storm_in_wait),
		TEST(test_time_is_skipped),
		TEST(test_timer_ends_wait),
		TEST(test_timer_in_turn),
		TEST(test_spinning),
		TEST(test_same_twice),
		TEST(test_events),
		TEST(test_event_that_never_comes),
		TEST(test_held_clock),
		TEST(test_pause),
		TEST(test_reset),
		TEST(test_nothing_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

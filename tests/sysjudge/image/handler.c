/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions of a scenario: all of them get here, at EL3 with the MMU off. Notes them and goes on behind. */
#include "image.h"

#define EC(esr)	    ((esr) >> 26 & 63)
#define IL	    (1ULL << 20)
#define PAN	    (1ULL << 22)
#define TAG	    (0xffULL << 56)
#define UAO	    (1ULL << 23)
#define HCR_VIRTUAL (1ULL << 6 | 1ULL << 7 | 1ULL << 8)

enum {
	EC_SVC = 0x15,
	EC_HVC,
	EC_SMC,
	EC_IABT_LOW = 0x20,
	EC_IABT,
	EC_PC,
	EC_ILLEGAL = 0x0e,
	EC_SYSREG = 0x18
};

struct context context;
struct event events[EVENTS];
unsigned event_count;
bool escaped;
static unsigned last_slot;

static bool has_far(uint64_t esr)
{
	unsigned ec = EC(esr);

	if ((ec & ~5U) == 0x20 && (esr & 0x3f) == 0x10 && esr >> 10 & 1)
		return false; /* FnV */
	return ec == 0x20 || ec == 0x21 || ec == 0x22 || ec == 0x24 || ec == 0x25 || ec == 0x34 ||
	       ec == 0x35;
}

/* HPFAR_EL2 is UNKNOWN after permission faults other than those of a walk: D24.2.60. */
static bool has_hpfar(uint64_t esr)
{
	unsigned ec = EC(esr), fsc = esr & 0x3c;

	return (ec == 0x20 || ec == 0x24) && (fsc == 0 || fsc == 4 || fsc == 8 || esr >> 7 & 1);
}

/* The address of an external abort is anywhere in the access. */
static void blur(struct event *e)
{
	unsigned ec = EC(e->esr);

	if ((ec == 0x24 || ec == 0x25) && (e->esr & 0x3f) == 0x10)
		e->far &= ~0xfffULL;
}

static struct event *note(unsigned level, unsigned vector)
{
	static struct event spare;
	struct event *e = event_count < EVENTS ? &events[event_count++] : &spare;

	*e = (struct event){.level = (uint8_t)level, .vector = (uint8_t)vector};
	e->spsr3 = READ(spsr_el3);
	if (level == 3) {
		e->esr = READ(esr_el3);
		e->far = READ(far_el3);
		e->elr = READ(elr_el3);
		e->spsr = e->spsr3;
	} else if (level == 2) {
		e->esr = READ(esr_el2);
		e->far = READ(far_el2);
		e->elr = READ(elr_el2);
		e->spsr = READ(spsr_el2);
		e->hpfar = READ(hpfar_el2);
	} else {
		e->esr = READ(esr_el1);
		e->far = READ(far_el1);
		e->elr = READ(elr_el1);
		e->spsr = READ(spsr_el1);
	}
	if ((vector & 3) == 0) {
		if (!has_far(e->esr))
			e->far = 0;
		if (level != 2 || !has_hpfar(e->esr))
			e->hpfar = 0;
	} else {
		e->far = e->hpfar = 0;
		if ((vector & 3) != 3)
			e->esr = 0; /* interrupts leave it alone, UNKNOWN */
	}
	if ((vector & 3) == 0)
		blur(e);
	/* The SMC of a vector, trapped. */
	if (known(KNOWN_NZCV) && e->elr - FIX < 0x1000)
		e->spsr &= 0x0fffffff;
	if (known(KNOWN_ILLEGAL_RETURN) && e->elr - FIX < 0x1000) {
		e->spsr &= ~PAN;
		e->spsr3 &= ~PAN;
	}
	if (known(KNOWN_WALK_LEVEL) && level == 2 && (vector & 3) == 0 && has_hpfar(e->esr) &&
	    e->esr >> 7 & 1)
		e->esr &= ~3ULL;
	if (known(KNOWN_ISV) && level == 2 && (vector & 3) == 0 && EC(e->esr) == 0x25)
		e->esr &= ~0x1ffc000ULL;
	if (known(KNOWN_PC_ALIGNMENT) && (EC(e->esr) | 1) == EC_IABT && e->elr & 3)
		e->esr = (uint64_t)EC_PC << 26 | 1 << 25;
	if (level < 3 && known(KNOWN_NZCV))
		e->spsr3 &= 0x0fffffff;
	if (EC(e->esr) == EC_SYSREG && known(KNOWN_DAIF_SYNDROME) && !(e->esr & 3 << 20))
		e->esr &= ~0xfc000ULL;
	if (e->spsr & IL) {
		e->spsr &= ~UAO; /* UNKNOWN: SetPSTATEFromPSR() */
		if (level == 3)
			e->spsr3 &= ~UAO;
		if (known(KNOWN_ILLEGAL_RETURN)) {
			e->spsr &= ~PAN;
			e->spsr3 &= ~PAN;
			e->elr &= ~TAG;
			e->far &= ~TAG;
		}
	}
	return e;
}

static bool in_code(uint64_t pc)
{
	return pc - CODE < 4ULL * now.words;
}

static void __attribute__((noreturn)) go_on(uint64_t pc, uint64_t pstate, bool again)
{
	unsigned slot = (unsigned)((pc - CODE) / 4);

	/* Forward only: it comes to an end. */
	if (slot < last_slot || (slot == last_slot && !again) || slot >= now.words ||
	    event_count == EVENTS)
		leave();
	last_slot = slot;
	WRITE(elr_el3, CODE + 4 * slot);
	WRITE(spsr_el3, pstate);
	arm_escape();
	resume(&context);
}

static void services(uint64_t esr)
{
	unsigned imm = esr & 0xffff;

	if (imm == SMC_END)
		leave();
	if ((imm & 0xf000) == SMC_CHANGE)
		change_table(imm & 0xfff);
	else if ((imm & 0xf000) == SMC_PENDING)
		set_pending(imm & 0xfff);
	else
		return;
	event_count--;
}

static bool is_cache_fault(const struct event *e)
{
	unsigned ec = EC(e->esr);

	return (e->vector & 3) == 0 && (ec == 0x24 || ec == 0x25) && e->esr >> 8 & 1;
}

static void after_interrupt(void)
{
	gic_clear();
	WRITE(hcr_el2, READ(hcr_el2) & ~HCR_VIRTUAL);
}

/* Where to go on after the exception @e. */
static void __attribute__((noreturn)) after(const struct event *e)
{
	unsigned ec = EC(e->esr);
	uint64_t pc = e->elr, pstate = e->spsr;

	if (known(KNOWN_CACHE_FAULT) && is_cache_fault(e))
		event_count--;

	if ((e->vector & 3) != 0) {
		after_interrupt();
	} else if (ec == EC_ILLEGAL || ec == EC_IABT_LOW || ec == EC_IABT || ec == EC_PC) {
		pstate = now.pstate;
		pc = in_code(pc) && !(pc & 3) ? pc + 4 : 0;
	} else if (ec != EC_SVC && ec != EC_HVC && !(ec == EC_SMC && e->level == 3)) {
		pc += 4;
	}
	if (!in_code(pc)) { /* jumped away: X28 says where that was to end */
		pc = CODE + 4 * (context.x[28] & 0xfff);
		pstate = now.pstate;
		if ((pc - CODE) / 4 <= last_slot)
			leave();
	}
	go_on(pc, pstate, e->vector & 3);
}

void on_exception(void) __attribute__((noreturn));

void on_exception(void)
{
	uint64_t esr = READ(esr_el3);
	unsigned vector = context.vector, imm = esr & 0xffff;
	bool late = vector % 4 == 2 && escape_pending();
	struct event *e;

	disarm_escape();
	if (late) {
		escaped = true;
		leave();
	}
	if (vector % 4 == 0 && EC(esr) == EC_SMC && (imm & 0xf000) == SMC_VECTOR &&
	    READ(elr_el3) - FIX < 0x1000) {
		e = note(imm >> 4 & 3, imm & 15);
		/* The vector's SMC itself was trapped by EL2. */
		if (e->level == 2 && EC(e->esr) == EC_SMC && e->elr - FIX < 0x800)
			e = note(1, e->esr & 15);
		after(e);
	}
	e = note(3, vector);
	if (vector % 4 == 0 && EC(esr) == EC_SMC)
		services(esr);
	after(e);
}

void run_scenario(void)
{
	event_count = 0;
	escaped = false;
	last_slot = 0;
	WRITE(elr_el3, CODE);
	WRITE(spsr_el3, now.pstate);
	asm volatile("isb");
	arm_escape();
	scenario_enter(&context);
	disarm_escape();
	gic_clear();
	WRITE(cptr_el3, 0); /* for the harness */
	WRITE(hcr_el2, 1ULL << 31);
	asm volatile("isb");
}

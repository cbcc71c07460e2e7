/* SPDX-License-Identifier: Apache-2.0 */
/* What a scenario begins with: level, control registers, translation tables, memory, general registers. */
#include "image.h"

struct scenario now;

struct control {
	uint64_t sctlr[4], tcr[4], mair[4], ttbr[4], ttbr1, ttbr1_el2;
	uint64_t hcr, scr, vtcr, vttbr, cpacr, cptr2, cptr3, cntkctl, cnthctl, mdcr2, mdcr3;
};
static struct control control;

enum { EL2_AND_BELOW = 3 };
#define BIT(n)	    (1ULL << (n))
#define MAYBE(n, b) (one_in(n) ? BIT(b) : 0)

/* ---- address spaces ---- */

/* The highest level of table for an address space: D8.2.8. */
static unsigned start_level(unsigned bits, unsigned size)
{
	unsigned level = 3, covered = 2 * bits - 3;

	while (covered < size) {
		covered += bits - 3;
		level--;
	}
	return level;
}

static unsigned tg0(unsigned bits)
{
	return bits == 12 ? 0 : bits == 16 ? 1 : 2;
}

static unsigned tg1(unsigned bits)
{
	return bits == 12 ? 2 : bits == 16 ? 3 : 1;
}

static struct tables new_space(bool el1, bool upper, bool big_endian, unsigned output)
{
	struct tables t = {
		.bits = PICK(12, 12, 14, 16), .upper = upper, .el1 = el1, .big_endian = big_endian};

	t.size = upper ? 25 + below(24) : 31 + below(18);
	t.output = output ? output : PICK(32, 36, 40, 42, 44, 48, 48);
	t.start = start_level(t.bits, t.size);
	tables_begin(&t);
	return t;
}

static uint64_t ps(const struct tables *t)
{
	static const uint8_t sizes[] = {32, 36, 40, 42, 44, 48};
	unsigned i = 0;

	while (sizes[i] != t->output)
		i++;
	return i;
}

static void map_fixed(struct tables *t)
{
	map_page(t, FIX, FIX, true);
	if (t->bits == 12)
		map_page(t, FIX + 0x1000, FIX + 0x1000, true);
	map_page(t, CODE, CODE, true);
}

/* Bits 5:0, 13:8 of TCR_ELx: size and walk attributes; those do not show. */
static uint64_t tcr_low(const struct tables *t)
{
	return (64 - t->size) | (uint64_t)below(4) << 8 | (uint64_t)below(4) << 10 |
	       PICK(0, 2, 3) << 12 | (uint64_t)tg0(t->bits) << 14;
}

uint64_t random_mair(void)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 8; i++) {
		uint64_t a = PICK(0xff, 0xff, 0xff, 0x44, 0xbb, 0xf4, 0x4f, 0xee, 0x77);

		if (now.device && one_in(3))
			a = PICK(0, 4, 8, 12);
		v |= a << 8 * i;
	}
	return v;
}

/* The level whose registers are those of the level that the scenario begins at. */
static unsigned control_el(void)
{
	return now.level ? now.level : now.tge ? 2 : 1;
}

/* M, A, C, SA, I, WXN, and what EL1 has of its own; RES1. */
static uint64_t sctlr(unsigned el, bool big_endian)
{
	bool two = el == 1 || (el == 2 && now.e2h);
	uint64_t v = two ? 0x30500800 : 0x30c50830;

	if (two)
		v |= BIT(22) | BIT(23) | BIT(20);
	v |= BIT(2) | BIT(12) | MAYBE(8, 19);
	if (!known(KNOWN_SP_ALIGNMENT))
		v |= MAYBE(3, 3) | (two ? MAYBE(2, 4) : 0);
	v |= one_in(16) && el == control_el() ? 0 : BIT(0);
	if (((now.device || !(v & 1)) && known(KNOWN_DEVICE_ALIGNMENT)) || one_in(4))
		v |= BIT(1);
	if (two)
		v |= MAYBE(2, 9) | MAYBE(2, 14) | MAYBE(2, 15) | MAYBE(2, 16) | MAYBE(2, 18) |
		     MAYBE(2, 26) | MAYBE(8, 24) | (one_in(4) ? 0 : BIT(23));
	if (el == 2 && known(KNOWN_HOST_DAIF))
		v &= ~BIT(9);
	if (two && one_in(4))
		v &= ~BIT(23);
	return v | (big_endian ? BIT(25) : 0);
}

/* Two halves and two levels of privilege: EL1&0, EL2&0. */
static void make_two(unsigned el, struct tables *lower, struct tables *upper, uint64_t *ttbr1)
{
	bool be = one_in(10);
	struct control *c = &control;
	uint64_t *tcr = &c->tcr[el];

	*lower = new_space(true, false, be, 0);
	*upper = new_space(true, true, be, lower->output);
	map_fixed(lower);
	*tcr = tcr_low(lower) | tcr_low(upper) << 16;
	*tcr = (*tcr & ~(3ULL << 30)) | (uint64_t)tg1(upper->bits) << 30;
	*tcr |= MAYBE(8, 23) | MAYBE(2, 22) | ps(lower) << 32 | MAYBE(2, 36);
	*tcr |= MAYBE(3, 37) | MAYBE(3, 38) | MAYBE(4, 39) | MAYBE(2, 40) | MAYBE(8, 41) |
		MAYBE(8, 42);
	now.access_flag |= (*tcr & BIT(39)) != 0;
	c->sctlr[el] = sctlr(el, be);
	c->mair[el] = random_mair();
	c->ttbr[el] = lower->root | (uint64_t)below(0x200) << 48;
	*ttbr1 = upper->root | (uint64_t)below(0x200) << 48;
}

static void make_upper_el(struct tables *t, unsigned el)
{
	bool be = one_in(10);
	struct control *c = &control;

	*t = new_space(false, false, be, 0);
	map_fixed(t);
	c->tcr[el] = tcr_low(t) | BIT(31) | BIT(23) | ps(t) << 16 | MAYBE(3, 20) | MAYBE(6, 21) |
		     MAYBE(3, 22) | MAYBE(8, 24);
	now.access_flag |= c->tcr[el] & BIT(21);
	c->sctlr[el] = sctlr(el, be);
	c->mair[el] = random_mair();
	c->ttbr[el] = t->root;
}

/* ---- data ---- */

/* Addresses that accesses go to: neighbouring pages, blocks, the ends of the halves, beyond them. */
static void choose_addresses(const struct tables *t, const struct tables *u)
{
	uint64_t page = BIT(t->bits), end = BIT(t->size), upper = -BIT(u->size);

	for (unsigned i = 0; i < 8; i++)
		now.va[i] = 0x42200000 + i * page;
	now.va[8] = end - page;
	now.va[9] = end;
	now.va[10] = 0;
	now.va[11] = BIT(31) & (end - 1);
	now.va[12] = upper;
	now.va[13] = upper - BIT(u->bits);
	now.va[14] = -BIT(u->bits);
	now.va[15] = upper + BIT(u->bits);
	for (unsigned i = 0; i < VAS && !now.mmu; i++)
		now.va[i] = DATA + below(FRAMES - 1) * FRAME;
}

static void map_data(struct tables *t, struct tables *u)
{
	for (unsigned i = 0; i < VAS; i++) {
		struct tables *of = now.va[i] >> 63 ? u : t;
		uint64_t pa = DATA + below(FRAMES - 1) * FRAME;
		unsigned level = i == 10 || i == 11 || i == 12 ? 1 + below(3) : 3;

		now.leaf[i] = (struct leaf){.tables = NULL};
		if (!of || one_in(8))
			continue;
		now.leaf[i] = map_random(of, now.va[i], pa, level);
		/* The frame's place in a block. */
		if (now.leaf[i].place && now.leaf[i].level < 3)
			now.va[i] += pa & (block_size(of, now.leaf[i].level) - 1);
		if (i == 12)
			now.va[15] = now.va[12] + BIT(u->bits);
	}
}

void each_word(void (*fn)(volatile uint64_t *p, void *opaque), void *opaque)
{
	static const struct {
		uint32_t offset, words;
	} windows[] = {{0, 16}, {0xfc0, 16}, {0x3fc0, 16}, {0xffc0, 8}};

	for (unsigned f = 0; f < FRAMES; f++) {
		for (unsigned w = 0; w < ARRAY_COUNT(windows); w++) {
			uint64_t a = DATA + (uint64_t)f * FRAME + windows[w].offset;

			for (unsigned i = 0; i < windows[w].words; i++)
				fn((volatile uint64_t *)(a + 8 * i), opaque);
		}
	}
}

/* As instructions they are UDF, as descriptors invalid. */
static void fill_word(volatile uint64_t *p, void *unused)
{
	uint64_t a = (uint64_t)p;

	(void)unused;
	*p = (a >> 16 & 15) * 0x0000110000000044ULL + ((a & 0xfff) << 32) + (a & 0xfff);
}

/* ---- levels and rights ---- */

static void choose_level(void)
{
	unsigned kind;

	do
		kind = below(3);
	while (!(parameters.kinds >> kind & 1));
	now.kind = 1 << kind;
	now.ns = kind == 1 || !one_in(3);
	now.level = kind == 0 ? !one_in(3) : kind == 1 ? PICK(0, 1, 1, 2, 2) : 3;
	now.stage2 = kind == 1 && now.level < 2 && !one_in(5);
	now.e2h = kind == 1 && READ(id_aa64mmfr1_el1) >> 8 & 15 && one_in(3);
	now.tge = now.e2h && !now.stage2 && now.level != 1 && one_in(2);
	now.device = one_in(6);
	now.pstate = now.level << 2 | (now.level ? below(2) : 0) | (uint64_t)below(16) << 28 |
		     (uint64_t)below(16) << 6;
	if (now.level)
		now.pstate |= MAYBE(4, 22) | MAYBE(4, 23); /* PAN, UAO */
}

/* Traps of what scenarios do, the routes of interrupts, stage 2. */
static void choose_hcr(void)
{
	struct control *c = &control;

	c->hcr = BIT(31);
	if (now.kind == KIND_EL1)
		return;
	c->hcr |= now.stage2 ? BIT(0) : 0;
	c->hcr |= MAYBE(4, 3) | MAYBE(4, 4) | MAYBE(4, 5) | MAYBE(8, 6) | MAYBE(8, 7) |
		  MAYBE(12, 19) | MAYBE(8, 23) | MAYBE(8, 24) | MAYBE(8, 25) | MAYBE(8, 26) |
		  MAYBE(8, 28) | MAYBE(12, 29) | MAYBE(8, 30) | MAYBE(8, 9) | MAYBE(8, 16) |
		  MAYBE(8, 17) | MAYBE(8, 18) | MAYBE(8, 20) | MAYBE(8, 21) | MAYBE(8, 22);
	c->hcr |= (now.e2h ? BIT(34) : 0) | (now.tge ? BIT(27) : 0);
	if (known(KNOWN_INTERRUPT_ORDER) && c->hcr & BIT(6))
		c->hcr &= ~BIT(7);
	if (now.stage2 || !known(KNOWN_PTW))
		c->hcr |= MAYBE(8, 2);
}

static void choose_controls(void)
{
	struct control *c = &control;

	choose_hcr();
	c->scr = 0x530 | BIT(2) | now.ns | MAYBE(2, 1) | MAYBE(2, 11);
	c->scr |= known(KNOWN_EXTERNAL_ABORT) ? 0 : MAYBE(3, 3);
	c->cpacr = PICK(3, 3, 3, 0, 1) << 20;
	c->cptr2 = 0x33ff | (now.kind == KIND_EL1 ? 0 : MAYBE(6, 10) | MAYBE(8, 31));
	c->cptr3 = now.kind == KIND_EL1 ? 0 : MAYBE(10, 10) | MAYBE(12, 31);
	c->cntkctl = random64() & 0x303;
	c->cnthctl = now.kind == KIND_EL1 ? 3 : below(4);
	if (known(KNOWN_COUNTER_TRAP) && (c->cnthctl == 1 || c->cnthctl == 2))
		c->cnthctl = 3;
	if (now.e2h) {
		c->cptr2 = PICK(3, 3, 3, 0, 1) << 20 | MAYBE(8, 31);
		c->cnthctl = (c->cnthctl & 3) * 0x401;
	}
	c->mdcr2 = 6 |
		   (now.kind == KIND_EL1 ? 0
					 : MAYBE(8, 8) | MAYBE(6, 9) | MAYBE(6, 10) | MAYBE(6, 11));
	c->mdcr3 = now.kind == KIND_EL1 ? 0 : MAYBE(8, 9) | MAYBE(8, 10);
}

void set_registers(void)
{
	const struct control *c = &control;

	WRITE(scr_el3, c->scr);
	WRITE(hcr_el2, c->hcr); /* says what other registers of EL2 mean */
	asm volatile("isb");
	WRITE(tcr_el1, c->tcr[1]);
	WRITE(ttbr0_el1, c->ttbr[1]);
	WRITE(ttbr1_el1, c->ttbr1);
	WRITE(mair_el1, c->mair[1]);
	WRITE(sctlr_el1, c->sctlr[1]);
	WRITE(tcr_el2, c->tcr[2]);
	WRITE(ttbr0_el2, c->ttbr[2]);
	if (now.e2h)
		WRITE(ttbr1_el2, c->ttbr1_el2);
	WRITE(mair_el2, c->mair[2]);
	WRITE(sctlr_el2, c->sctlr[2]);
	WRITE(tcr_el3, c->tcr[3]);
	WRITE(ttbr0_el3, c->ttbr[3]);
	WRITE(mair_el3, c->mair[3]);
	context.sctlr = c->sctlr[3];
	WRITE(vtcr_el2, c->vtcr);
	WRITE(vttbr_el2, c->vttbr);
	WRITE(cpacr_el1, c->cpacr);
	WRITE(cptr_el2, c->cptr2);
	WRITE(cptr_el3, c->cptr3);
	WRITE(cntkctl_el1, c->cntkctl);
	WRITE(cnthctl_el2, c->cnthctl);
	WRITE(mdcr_el2, c->mdcr2);
	WRITE(mdcr_el3, c->mdcr3);
	WRITE(mdscr_el1, 0);
	WRITE(vbar_el1, VECTORS_EL1);
	WRITE(vbar_el2, VECTORS_EL2);
	WRITE(vbar_el3, VECTORS_EL3);
	WRITE(hstr_el2, 0);
	WRITE(vpidr_el2, 0x410fd0c0);
	WRITE(vmpidr_el2, 0x80000003);
}

static void add_page(uint64_t place, void *opaque)
{
	struct tables *t = &now.ipa;
	uint64_t page = place & ~(block_size(t, 3) - 1);

	if (!opaque || !one_in(4))
		map_page(t, page, page, false);
	else
		map_random(t, page, page, 3);
}

/* Tables of stage 1 and data by way of stage 2. @fixed: so many descriptors are needed. */
static void make_stage2(unsigned fixed)
{
	struct control *c = &control;
	struct tables *t = &now.ipa;
	unsigned described = count_descriptors(), lowest;
	bool be = control.sctlr[2] >> 25 & 1;

	*t = (struct tables){.bits = PICK(12, 12, 14, 16), .stage2 = true, .big_endian = be};
	t->size = 31 + below(18);
	do /* less than that is CONSTRAINED UNPREDICTABLE: D8.2.7 */
		t->output = PICK(32, 36, 40, 42, 44, 48, 48);
	while (t->output < t->size);
	t->start = start_level(t->bits, t->size);
	lowest = t->bits == 12 ? 2 : 3;
	/* Up to 16 tables side by side save a level: D8.2.7. There is no level 0 with the larger granules. */
	if (t->start < lowest && BIT(t->size) >> 4 <= block_size(t, t->start) &&
	    (one_in(2) || (t->bits > 12 && !t->start)))
		t->start++;
	if (known(KNOWN_STAGE2_START) && t->start < lowest - 1)
		t->output = 48;
	tables_begin(t);
	map_fixed(t);
	each_descriptor(0, fixed, add_page, NULL);
	each_descriptor(fixed, described, add_page, t);
	for (unsigned f = 0; f < FRAMES; f++) {
		now.leaf2[f] = map_random(t, DATA + f * FRAME, DATA + below(FRAMES) * FRAME, 3);
		if (t->bits == 12)
			map_random(t, DATA + f * FRAME + 0x1000,
				   DATA + below(FRAMES) * FRAME + 0x1000, 3);
	}
	c->vtcr = (tcr_low(t) & 0xffff) | BIT(31) | ps(t) << 16 | MAYBE(2, 19) | MAYBE(4, 21) |
		  MAYBE(2, 22) | (uint64_t)(lowest - t->start) << 6;
	now.access_flag |= c->vtcr & BIT(21);
	c->vttbr = t->root | (uint64_t)below(0x200) << 48;
}

static void fp_clear(void)
{
	asm volatile(
		".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,"
		"28,29,30,31\n	movi v\\n\\().2d, #0\n.endr");
}

/* UMA, DZE, UCT, nTWI, nTWE, WXN, SPAN, E0E, UCI in another way. */
uint64_t random_sctlr(void)
{
	return control.sctlr[1] ^ (random64() & (BIT(9) | BIT(14) | BIT(15) | BIT(16) | BIT(18) |
						 BIT(19) | BIT(23) | BIT(24) | BIT(26)));
}

/* What scenarios may leave behind. */
static void set_rest(void)
{
	WRITE(elr_el1, random64() & ~3ULL);
	WRITE(elr_el2, random64() & ~3ULL);
	WRITE(spsr_el1, 0);
	WRITE(spsr_el2, 0);
	WRITE(esr_el1, 0);
	WRITE(esr_el2, 0);
	WRITE(esr_el3, 0);
	WRITE(far_el1, 0);
	WRITE(far_el2, 0);
	WRITE(far_el3, 0);
	WRITE(hpfar_el2, 0);
	WRITE(par_el1, 0);
	WRITE(tpidr_el0, random64());
	WRITE(tpidr_el1, random64());
	WRITE(contextidr_el1, 0);
	WRITE(sp_el0, now.va[below(VAS)] + PICK(0, 0x20, 8, 0xff0));
	WRITE(sp_el1, now.va[below(VAS)] + PICK(0, 0x20, 8, 0xff0));
	WRITE(sp_el2, now.va[below(VAS)] + PICK(0, 0x20, 8, 0xff0));
	WRITE(fpcr, 0);
	WRITE(fpsr, 0);
	asm volatile("clrex");
	fp_clear();
}

static void set_general(void)
{
	for (unsigned i = 0; i < 16; i++) {
		uint64_t v = now.va[i];

		v += PICK(0, 0, 8, 0x10, 0x20, 0x41, 0x3e, 0xff8, 0xffc, 0xfff);
		if (one_in(8))
			v ^= random64() & 0xffULL << 56;
		context.x[i] = v;
	}
	for (unsigned i = 16; i < 31; i++)
		context.x[i] = one_in(2) ? random64() : below(256);
	context.x[27] = CODE;
	context.x[28] = 0;
	context.x[29] = context.x[30] = CODE;
	context.sp = now.va[below(VAS)] + PICK(0, 0x20, 8, 0xff0);
}

static void clean_tlbs(void)
{
	uint64_t scr = READ(scr_el3);

	for (unsigned ns = 0; ns < 2; ns++) {
		WRITE(scr_el3, (scr & ~1ULL) | ns);
		asm volatile("isb; tlbi alle1; dsb sy");
	}
	asm volatile("tlbi alle2"); /* UNDEFINED with NS = 0 */
	WRITE(scr_el3, scr);
	asm volatile("isb; tlbi alle3; ic iallu; dsb sy; isb");
}

static void place_data(void)
{
	static struct tables *const lower[] = {NULL, &now.lower, &now.el2, &now.el3};
	unsigned el = control_el();
	struct tables *upper = el == 1 ? &now.upper : el == 2 && now.e2h ? &now.el2_upper : NULL;

	choose_addresses(lower[el], upper ? upper : &now.upper);
	map_data(lower[el], upper);
}

void make_scenario(uint64_t seed)
{
	unsigned fixed;

	seed_random(seed);
	now.seed = seed;
	choose_level();
	tables_reset();
	now.access_flag = false;
	make_two(1, &now.lower, &now.upper, &control.ttbr1);
	fixed = count_descriptors();
	if (now.e2h)
		make_two(2, &now.el2, &now.el2_upper, &control.ttbr1_el2);
	else
		make_upper_el(&now.el2, 2);
	make_upper_el(&now.el3, 3);
	now.mmu = control.sctlr[control_el()] & 1;
	now.zero = !now.device && now.mmu;
	place_data();
	control.vtcr = BIT(31);
	control.vttbr = 0;
	if (now.stage2)
		make_stage2(fixed);
	choose_controls();
	each_word(fill_word, NULL);
	set_rest();
	set_general();
	make_code();
	set_registers();
	clean_tlbs();
}

/* ---- services for the code ---- */

static void invalidate(const struct leaf *l)
{
	uint64_t page = l->va >> 12 & 0xfffffffffffULL;
	uint64_t asid = (control.tcr[1] & BIT(22) ? control.ttbr1 : control.ttbr[1]) >> 48;

	if (!(control.tcr[1] & BIT(36)))
		asid &= 0xff;
	page |= asid << 48;
	asm volatile("dsb ishst");
	if (l->tables == &now.el3)
		asm volatile("tlbi vae3, %0" ::"r"(page));
	else if (now.e2h && (l->tables == &now.el2 || l->tables == &now.el2_upper))
		asm volatile("tlbi alle2");
	else if (l->tables == &now.el2)
		asm volatile("tlbi vae2, %0" ::"r"(page));
	else
		switch (below(8)) {
		case 0:
			asm volatile("tlbi vae1, %0" ::"r"(page));
			break;
		case 1:
			asm volatile("tlbi vaae1is, %0" ::"r"(page));
			break;
		case 2:
			asm volatile("tlbi vale1is, %0" ::"r"(page));
			break;
		case 3:
			asm volatile("tlbi vaale1, %0" ::"r"(page));
			break;
		case 4:
			asm volatile("tlbi vmalle1");
			break;
		case 5:
			asm volatile("tlbi vmalls12e1is");
			break;
		case 6:
			asm volatile("tlbi alle1is");
			break;
		default:
			asm volatile("tlbi vae1is, %0" ::"r"(page));
			break;
		}
	asm volatile("dsb ish; isb");
}

static void invalidate_stage2(const struct leaf *l)
{
	uint64_t page = l->va >> 12;

	asm volatile("dsb ishst");
	switch (below(4)) {
	case 0:
		asm volatile("tlbi ipas2e1, %0; dsb ish; tlbi vmalle1" ::"r"(page));
		break;
	case 1:
		asm volatile("tlbi ipas2le1is, %0; dsb ish; tlbi vmalle1is" ::"r"(page));
		break;
	case 2:
		asm volatile("tlbi vmalls12e1");
		break;
	default:
		asm volatile("tlbi alle1is");
		break;
	}
	asm volatile("dsb ish; isb");
}

void change_table(unsigned n)
{
	if (n >= VAS) {
		struct leaf *l2 = &now.leaf2[n % FRAMES];

		if (l2->tables && l2->place) {
			change_leaf(l2);
			invalidate_stage2(l2);
		}
		return;
	}
	if (now.leaf[n].tables && now.leaf[n].place) {
		change_leaf(&now.leaf[n]);
		invalidate(&now.leaf[n]);
	}
}

void set_pending(unsigned n)
{
	gic_pend(n & 0xfff);
}

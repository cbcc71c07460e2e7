// SPDX-License-Identifier: Apache-2.0
#include "gic_rig.h"

#include "util/bits.h"
#include "util/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void set_prop(struct dev *d, const char *text)
{
	const char *equals = strchr(text, '=');
	char name[32] = "";
	const struct prop *p;

	memcpy(name, text, (size_t)(equals - text));
	p = component_prop(d->c, name);
	assert_non_null(p);
	assert_int_equal(dev_set(d, p, equals + 1, "test", NULL), 0);
}

void gic_rig_make(struct gic_rig *r, const struct component *c, unsigned pes, unsigned highest_el,
		  const char *const *props)
{
	static const char *const v2[] = {"dist=0x08000000", "cpu=0x08010000"};
	static const char *const v3[] = {"dist=0x08000000", "redist=0x080a0000"};

	memset(r, 0, sizeof(*r));
	r->v3 = component_prop(c, "redist") != NULL;
	r->pes = gic_pes_create(pes, highest_el);
	r->mem = mem_space_create();
	r->host.mem = r->mem;
	r->host.pes = r->pes;
	r->dev = dev_create(c, "gic", "test", &r->host);
	assert_int_equal(dev_defaults(r->dev, NULL), 0);
	for (unsigned n = 0; n < 2; n++)
		set_prop(r->dev, r->v3 ? v3[n] : v2[n]);
	for (; props && *props; props++)
		set_prop(r->dev, *props);
	assert_int_equal(dev_map(r->dev, NULL), 0);
	mem_freeze(r->mem);
	assert_int_equal(dev_init(r->dev, NULL), 0);
	dev_reset(r->dev);
}

void gic_rig_drop(struct gic_rig *r)
{
	dev_destroy(r->dev);
	mem_space_destroy(r->mem);
	gic_pes_destroy(r->pes);
}

/* ---- MMIO ---- */

uint64_t gic_read(struct gic_rig *r, uint64_t gpa, unsigned size, unsigned pe, bool secure)
{
	struct mem_attrs attrs = {.secure = secure, .pe = (uint8_t)pe};
	uint64_t value = 0;

	assert_int_equal(mem_read(r->mem, gpa, size, &value, attrs), MEM_OK);
	return value;
}

void gic_write(struct gic_rig *r, uint64_t gpa, unsigned size, uint64_t value, unsigned pe,
	       bool secure)
{
	struct mem_attrs attrs = {.secure = secure, .pe = (uint8_t)pe};

	assert_int_equal(mem_write(r->mem, gpa, size, value, attrs), MEM_OK);
}

uint64_t gic_reg(const struct gic_rig *r, unsigned pe, unsigned intid, unsigned offset,
		 unsigned bits_per_intid)
{
	uint64_t frame = GIC_RIG_DIST;

	if (r->v3 && intid < 32)
		frame = GIC_RIG_REDIST + pe * 0x20000ULL + 0x10000;
	return frame + offset + intid * bits_per_intid / 32 * 4;
}

void gic_set_prio(struct gic_rig *r, unsigned pe, unsigned intid, uint8_t prio, bool secure)
{
	gic_write(r, gic_reg(r, pe, intid, 0x400, 8) + intid % 4, 1, prio, pe, secure);
}

uint8_t gic_get_prio(struct gic_rig *r, unsigned pe, unsigned intid, bool secure)
{
	return (uint8_t)gic_read(r, gic_reg(r, pe, intid, 0x400, 8) + intid % 4, 1, pe, secure);
}

void gic_set_bit(struct gic_rig *r, unsigned pe, unsigned intid, unsigned offset, bool secure)
{
	gic_write(r, gic_reg(r, pe, intid, offset, 1), 4, 1U << intid % 32, pe, secure);
}

bool gic_get_bit(struct gic_rig *r, unsigned pe, unsigned intid, unsigned offset, bool secure)
{
	return gic_read(r, gic_reg(r, pe, intid, offset, 1), 4, pe, secure) >> intid % 32 & 1;
}

void gic_set_edge(struct gic_rig *r, unsigned pe, unsigned intid, bool edge)
{
	uint64_t reg = gic_reg(r, pe, intid, 0xc00, 2);
	uint64_t b = 2ULL << 2 * (intid % 16);
	uint64_t v = gic_read(r, reg, 4, pe, true);

	gic_write(r, reg, 4, edge ? v | b : v & ~b, pe, true);
}

/* ---- wires and lines ---- */

void gic_wire(struct gic_rig *r, unsigned pe, unsigned intid, bool level)
{
	struct irq w = {.sink = r->dev, .input = intid - 32, .level = !level};

	if (intid < 32)
		w.input = GIC_INPUT_PPI + pe * IRQ_PPI_STRIDE + intid - 16;
	irq_set(&w, level);
}

bool gic_irq(const struct gic_rig *r, unsigned pe)
{
	return gic_pes_line(r->pes, pe, HV_IRQ);
}

bool gic_fiq(const struct gic_rig *r, unsigned pe)
{
	return gic_pes_line(r->pes, pe, HV_FIQ);
}

/* ---- reproducible noise ---- */

uint32_t gic_random(struct gic_rng *g)
{
	g->s ^= g->s << 13;
	g->s ^= g->s >> 7;
	g->s ^= g->s << 17;
	return (uint32_t)(g->s >> 16);
}

uint32_t gic_sparse(struct gic_rng *g)
{
	uint32_t v = gic_random(g);

	switch (gic_random(g) % 4) {
	case 0:
		return v;
	case 1:
		return 1U << v % 32;
	case 2:
		v &= gic_random(g);
		return v & gic_random(g);
	default:
		return ~0U;
	}
}

void gic_random_wire(struct gic_rig *r, struct gic_rng *g)
{
	unsigned pe = gic_random(g) % pe_count(r->pes);
	unsigned range = gic_random(g) % 4 ? 48 : 272;
	uint32_t n = gic_random(g);

	gic_wire(r, pe, 16 + n / 2 % range, n & 1);
}

/* ---- scenarios ---- */

enum op {
	END,
	PE,    /* the following steps are of PE a */
	RAISE, /* wire of INTID a */
	LOWER,
	PULSE,
	EDGE,  /* INTID a is edge triggered */
	PRIO,  /* of INTID a is b */
	ROUTE, /* SPI a to PE b */
	ENABLE,
	DISABLE,
	PEND, /* ISPENDR of INTID a */
	UNPEND,
	SET_ACTIVE,
	CLEAR_ACTIVE,
	SGI, /* INTID a to PE b */
	ACK, /* reads INTID a */
	EOI, /* of INTID a */
	DIR,
	SPLIT, /* EOImode a */
	PMR,
	BPR,
	/* expectations */
	IRQ,	 /* the line is a */
	RPR,	 /* reads a */
	HPPI,	 /* reads a */
	PENDING, /* INTID a: b */
	ACTIVE,	 /* INTID a: b */
};

struct step {
	enum op op;
	uint32_t a, b;
};

/* clang-format off */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
static const struct scenario {
	const char *name;
	unsigned pes; /* at least */
	struct step steps[32];
} scenarios[] = {
	{"nothing pending", 1,
	 {{IRQ, 0}, {ACK, 1023}, {HPPI, 1023}, {RPR, 0xff}}},
	{"spurious end", 1,
	 {{EOI, 1023}, {EOI, 40}, {RPR, 0xff}, {ACTIVE, 40, 0}}},
	{"level: taken, ended, raised again while high", 1,
	 {{PRIO, 40, 0xa0}, {RAISE, 40}, {IRQ, 1}, {HPPI, 40}, {ACK, 40}, {IRQ, 0}, {RPR, 0xa0},
	  {PENDING, 40, 1}, {ACTIVE, 40, 1}, {ACK, 1023}, {EOI, 40}, {IRQ, 1}, {ACTIVE, 40, 0},
	  {ACK, 40}, {LOWER, 40}, {PENDING, 40, 0}, {EOI, 40}, {IRQ, 0}, {RPR, 0xff}}},
	{"level: withdrawn before it is taken", 1,
	 {{RAISE, 40}, {IRQ, 1}, {LOWER, 40}, {IRQ, 0}, {ACK, 1023}}},
	{"edge: stays after the pulse, active and pending", 1,
	 {{EDGE, 40}, {PULSE, 40}, {IRQ, 1}, {ACK, 40}, {PENDING, 40, 0}, {IRQ, 0}, {PULSE, 40},
	  {PENDING, 40, 1}, {ACTIVE, 40, 1}, {IRQ, 0}, {EOI, 40}, {IRQ, 1}, {ACK, 40}, {EOI, 40},
	  {IRQ, 0}}},
	{"edge: a high wire counts once", 1,
	 {{EDGE, 40}, {RAISE, 40}, {ACK, 40}, {EOI, 40}, {IRQ, 0}, {LOWER, 40}, {IRQ, 0},
	  {RAISE, 40}, {IRQ, 1}}},
	{"software pending on a level interrupt is used up", 1,
	 {{PEND, 40}, {IRQ, 1}, {ACK, 40}, {PENDING, 40, 0}, {EOI, 40}, {IRQ, 0}, {PEND, 40},
	  {RAISE, 40}, {UNPEND, 40}, {PENDING, 40, 1}, {LOWER, 40}, {PENDING, 40, 0}}},
	{"PPI", 1,
	 {{RAISE, 27}, {IRQ, 1}, {ACK, 27}, {LOWER, 27}, {EOI, 27}, {IRQ, 0}}},
	{"lowest value and then lowest INTID first", 1,
	 {{PRIO, 40, 0x80}, {PRIO, 41, 0x40}, {PRIO, 42, 0x40}, {PRIO, 27, 0x80}, {RAISE, 42},
	  {RAISE, 40}, {RAISE, 27}, {HPPI, 42}, {RAISE, 41}, {HPPI, 41}, {LOWER, 41}, {HPPI, 42},
	  {LOWER, 42}, {HPPI, 27}, {LOWER, 27}, {HPPI, 40}}},
	{"priority changes while pending", 1,
	 {{PRIO, 40, 0x80}, {PRIO, 41, 0x90}, {RAISE, 40}, {RAISE, 41}, {HPPI, 40},
	  {PRIO, 40, 0xa0}, {HPPI, 41}, {PRIO, 41, 0xb0}, {HPPI, 40}, {PMR, 0xa0}, {IRQ, 0},
	  {PRIO, 40, 0x98}, {IRQ, 1}}},
	{"only 5 bits of priority", 1,
	 {{PRIO, 40, 0x87}, {RAISE, 40}, {ACK, 40}, {RPR, 0x80}}},
	{"PMR: lets through what is less", 1,
	 {{PRIO, 40, 0x80}, {PMR, 0x80}, {RAISE, 40}, {IRQ, 0}, {ACK, 1023}, {HPPI, 40},
	  {PMR, 0x88}, {IRQ, 1}, {PMR, 0}, {IRQ, 0}, {PMR, 0xff}, {ACK, 40}}},
	{"preemption, nested ends", 1,
	 {{PRIO, 40, 0xa0}, {PRIO, 41, 0x60}, {PRIO, 42, 0x20}, {RAISE, 40}, {ACK, 40}, {RAISE, 41},
	  {IRQ, 1}, {ACK, 41}, {RPR, 0x60}, {IRQ, 0}, {RAISE, 42}, {IRQ, 1}, {ACK, 42}, {RPR, 0x20},
	  {LOWER, 40}, {LOWER, 41}, {LOWER, 42}, {EOI, 42}, {RPR, 0x60}, {EOI, 41}, {RPR, 0xa0},
	  {EOI, 40}, {RPR, 0xff}, {IRQ, 0}}},
	{"same priority does not preempt", 1,
	 {{PRIO, 40, 0xa0}, {PRIO, 41, 0xa0}, {RAISE, 41}, {ACK, 41}, {RAISE, 40}, {IRQ, 0},
	  {ACK, 1023}, {LOWER, 41}, {EOI, 41}, {IRQ, 1}, {ACK, 40}}},
	{"binary point: same group priority does not preempt", 1,
	 {{BPR, 4}, {PRIO, 40, 0xb0}, {PRIO, 41, 0xa0}, {PRIO, 42, 0x90}, {RAISE, 40}, {ACK, 40},
	  {RPR, 0xa0}, {RAISE, 41}, {IRQ, 0}, {RAISE, 42}, {IRQ, 1}, {ACK, 42}, {RPR, 0x80}}},
	{"binary point: subpriority orders what is pending", 1,
	 {{BPR, 6}, {PRIO, 40, 0xb0}, {PRIO, 41, 0xa0}, {RAISE, 40}, {RAISE, 41}, {ACK, 41},
	  {RPR, 0x80}, {IRQ, 0}, {LOWER, 41}, {EOI, 41}, {ACK, 40}}},
	{"binary point: widened while pending", 1,
	 {{PRIO, 40, 0xb0}, {PRIO, 41, 0xa0}, {RAISE, 40}, {ACK, 40}, {RAISE, 41}, {IRQ, 1},
	  {BPR, 5}, {IRQ, 0}, {BPR, 2}, {IRQ, 1}}},
	{"EOImode 1: end drops, DIR deactivates", 1,
	 {{SPLIT, 1}, {PRIO, 40, 0xa0}, {PRIO, 41, 0xb0}, {RAISE, 40}, {ACK, 40}, {RAISE, 41},
	  {IRQ, 0}, {EOI, 40}, {RPR, 0xff}, {ACTIVE, 40, 1}, {IRQ, 1}, {ACK, 41}, {EOI, 41},
	  {DIR, 41}, {ACTIVE, 41, 0}, {ACTIVE, 40, 1}, {LOWER, 41}, {IRQ, 0}, {DIR, 40}, {IRQ, 1},
	  {ACK, 40}}},
	{"EOImode 0: DIR does nothing", 1,
	 {{RAISE, 40}, {ACK, 40}, {DIR, 40}, {ACTIVE, 40, 1}, {LOWER, 40}, {EOI, 40},
	  {ACTIVE, 40, 0}}},
	{"end of INTIDs that are not there", 1,
	 {{RAISE, 40}, {ACK, 40}, {EOI, 1019}, {EOI, 1020}, {RPR, 0}, {ACTIVE, 40, 1}, {EOI, 40},
	  {RPR, 0xff}}},
	{"enable and disable", 1,
	 {{DISABLE, 40}, {RAISE, 40}, {IRQ, 0}, {PENDING, 40, 1}, {ENABLE, 40}, {IRQ, 1},
	  {DISABLE, 40}, {IRQ, 0}, {ACK, 1023}}},
	{"active set and cleared by software", 1,
	 {{SET_ACTIVE, 40}, {RAISE, 40}, {IRQ, 0}, {CLEAR_ACTIVE, 40}, {IRQ, 1}, {ACK, 40},
	  {CLEAR_ACTIVE, 40}, {IRQ, 0}, {RPR, 0}, {EOI, 40}, {IRQ, 1}}},
	{"last implemented SPI and none behind it", 1,
	 {{RAISE, 288}, {RAISE, 991}, {IRQ, 0}, {RAISE, 287}, {IRQ, 1}, {ACK, 287}}},
	{"SPI moves to another PE", 2,
	 {{RAISE, 40}, {PE, 0}, {IRQ, 1}, {ROUTE, 40, 1}, {IRQ, 0}, {ACK, 1023}, {PE, 1}, {IRQ, 1},
	  {ACK, 40}, {IRQ, 0}, {ROUTE, 40, 0}, {PE, 0}, {IRQ, 0}, {PE, 1}, {EOI, 40}, {IRQ, 0},
	  {PE, 0}, {IRQ, 1}}},
	{"PPIs are private", 2,
	 {{PE, 1}, {RAISE, 27}, {IRQ, 1}, {PE, 0}, {IRQ, 0}, {ACK, 1023}, {PE, 1}, {ACK, 27},
	  {PE, 0}, {ACTIVE, 27, 0}, {RAISE, 27}, {IRQ, 1}}},
	{"SGI to another PE and to itself", 2,
	 {{SGI, 3, 1}, {IRQ, 0}, {PE, 1}, {IRQ, 1}, {ACK, 3}, {IRQ, 0}, {EOI, 3}, {IRQ, 0},
	  {SGI, 5, 1}, {IRQ, 1}, {ACK, 0x405}, {EOI, 0x405}, {IRQ, 0}}},
	{"SGI while the same one is active", 2,
	 {{SGI, 3, 1}, {PE, 1}, {ACK, 3}, {PE, 0}, {SGI, 3, 1}, {PE, 1}, {IRQ, 0}, {EOI, 3},
	  {IRQ, 1}, {ACK, 3}, {EOI, 3}, {IRQ, 0}}},
	{"another PE's running priority does not matter", 2,
	 {{PRIO, 40, 0x20}, {PRIO, 41, 0xa0}, {ROUTE, 41, 1}, {RAISE, 40}, {ACK, 40}, {RAISE, 41},
	  {PE, 1}, {IRQ, 1}, {RPR, 0xff}, {ACK, 41}, {RPR, 0xa0}, {PE, 0}, {RPR, 0x20}}},
	{"taken by PE 0, ended with EOImode 1, deactivated by PE 1", 2,
	 {{SPLIT, 1}, {RAISE, 40}, {ACK, 40}, {EOI, 40}, {PE, 1}, {SPLIT, 1}, {DIR, 40},
	  {ACTIVE, 40, 0}, {PE, 0}, {IRQ, 1}}},
};
#pragma GCC diagnostic pop
/* clang-format on */

static void act(struct gic_rig *r, const struct gic_cpuif_ops *o, unsigned pe, struct step s)
{
	switch (s.op) {
	case RAISE:
	case LOWER:
		gic_wire(r, pe, s.a, s.op == RAISE);
		break;
	case PULSE:
		gic_wire(r, pe, s.a, true);
		gic_wire(r, pe, s.a, false);
		break;
	case EDGE:
		gic_set_edge(r, pe, s.a, true);
		break;
	case PRIO:
		gic_set_prio(r, pe, s.a, (uint8_t)s.b, false);
		break;
	case ROUTE:
		o->route(r, s.a, s.b);
		break;
	case SGI:
		o->sgi(r, pe, s.b, s.a);
		break;
	case EOI:
		o->eoi(r, pe, r->v3 ? s.a & 0x3ff : s.a);
		break;
	case DIR:
		o->dir(r, pe, s.a);
		break;
	case SPLIT:
		o->split(r, pe, s.a);
		break;
	case PMR:
		o->pmr(r, pe, (uint8_t)s.a);
		break;
	case BPR:
		o->bpr(r, pe, (uint8_t)s.a);
		break;
	default:
		break;
	}
}

/* Offset in the distributor of what sets one bit. */
static const uint16_t bit_regs[] = {
	[ENABLE] = 0x100, [DISABLE] = 0x180,	[PEND] = 0x200,
	[UNPEND] = 0x280, [SET_ACTIVE] = 0x300, [CLEAR_ACTIVE] = 0x380,
};

/* What the step should find and what it found; both 0 if it looks for nothing. */
static uint32_t look(struct gic_rig *r, const struct gic_cpuif_ops *o, unsigned pe, struct step s,
		     uint32_t *want)
{
	*want = s.a;
	switch (s.op) {
	case ACK:
		if (r->v3)
			*want = s.a & 0x3ff; /* no source */
		return o->ack(r, pe);
	case IRQ:
		return gic_irq(r, pe);
	case RPR:
		return o->rpr(r, pe);
	case HPPI:
		return o->hppi(r, pe);
	case PENDING:
		*want = s.b;
		return gic_get_bit(r, pe, s.a, 0x200, false);
	case ACTIVE:
		*want = s.b;
		return gic_get_bit(r, pe, s.a, 0x300, false);
	default:
		*want = 0;
		return 0;
	}
}

static void play(struct gic_rig *r, const struct gic_cpuif_ops *o, const struct scenario *s)
{
	unsigned pe = 0;

	for (unsigned n = 0; n < ARRAY_COUNT(s->steps) && s->steps[n].op != END; n++) {
		struct step step = s->steps[n];
		uint32_t want, got;

		if (step.op == PE)
			pe = step.a;
		if (step.op < ARRAY_COUNT(bit_regs) && bit_regs[step.op])
			gic_set_bit(r, pe, step.a, bit_regs[step.op], false);
		act(r, o, pe, step);
		got = look(r, o, pe, step, &want);
		if (got != want)
			fail_msg("\"%s\", step %u: %#x, not %#x", s->name, n, got, want);
	}
}

static void lower_all(struct gic_rig *r)
{
	for (unsigned pe = 0; pe < pe_count(r->pes); pe++)
		gic_wire(r, pe, 27, false);
	for (unsigned n = 32; n < 32 + 256; n++)
		gic_wire(r, 0, n, false);
}

void gic_play_scenarios(struct gic_rig *r, const struct gic_cpuif_ops *ops,
			void (*fresh)(struct gic_rig *r))
{
	for (unsigned n = 0; n < ARRAY_COUNT(scenarios); n++) {
		if (scenarios[n].pes > pe_count(r->pes))
			continue;
		lower_all(r);
		fresh(r);
		play(r, ops, &scenarios[n]);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The fixture and the fake PEs themselves, with a component that uses all they offer. */
#include "fake_pe.h"
#include "fixture.h"

#include "dev/backend.h"
#include "host/clock.h"
#include "util/bits.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct gadget {
	struct dev dev;
	uint64_t address;
	struct irq irq;
	struct clk clk;
	uint32_t value;
	bool broken;
	struct dev_timer timer;
};

enum { VALUE = 0, RAISE = 4, LATER = 8, HZ = 12, OFF = 16, DMA = 20 };

static enum mem_result gadget_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value,
				   struct mem_attrs attrs)
{
	struct gadget *g = opaque;

	*value = offset == HZ ? clk_hz(&g->clk) : g->value;
	return MEM_OK;
}

static enum mem_result gadget_write(void *opaque, uint64_t offset, unsigned size, uint64_t value,
				    struct mem_attrs attrs)
{
	struct gadget *g = opaque;

	switch (offset) {
	case RAISE:
		irq_set(&g->irq, value);
		break;
	case LATER:
		dev_timer_arm(&g->timer, clock_mono_ns() + value);
		break;
	case OFF:
		(value ? g->dev.host->reset : g->dev.host->power_off)(g->dev.host->opaque,
								      "gadget");
		break;
	case DMA:
		return dma_write(&g->dev, value, "hello", 5) ? MEM_OK : MEM_ERROR;
	default:
		g->value = value;
	}
	return MEM_OK;
}

static void on_timer(struct dev *d, void *opaque)
{
	irq_set(&((struct gadget *)d)->irq, true);
}

static int gadget_init(struct dev *d, struct err *e)
{
	struct gadget *g = (struct gadget *)d;

	dev_timer_init(&g->timer, d, on_timer, NULL);
	return g->broken ? err_set(e, -EIO, d->where, "broken") : 0;
}

static void gadget_fini(struct dev *d)
{
	dev_timer_fini(&((struct gadget *)d)->timer);
}

#define AT(field) .offset = offsetof(struct gadget, field)
static const struct prop gadget_props[] = {
	{.name = "address", .kind = PROP_U64, AT(address)},
	{.name = "irq", .kind = PROP_IRQ, AT(irq)},
	{.name = "clk", .kind = PROP_CLOCK, AT(clk)},
	{.name = "value", .kind = PROP_U32, AT(value), .def = "7"},
	{.name = "broken", .kind = PROP_BOOL, AT(broken)},
	{0},
};

static const struct dev_region gadget_regions[] = {
	{.address_offset = offsetof(struct gadget, address),
	 .size = 0x100,
	 .read = gadget_read,
	 .write = gadget_write},
	{0},
};

static const struct component gadget = {
	.type = "GADGET",
	.size = sizeof(struct gadget),
	.props = gadget_props,
	.regions = gadget_regions,
	.init = gadget_init,
	.fini = gadget_fini,
};

#define BASE 0x09000000

static const struct fixture_prop props[] = {
	{"address", "0x09000000"}, {"irq", "5"}, {"clk", "24MHz"}, {0}};

static bool is_high(void *opaque)
{
	return fixture_level(opaque, 5);
}

static void test_device(void **state)
{
	struct fixture f;

	fixture_make(&f, &gadget, props);
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(fixture_read(&f, BASE + VALUE, 4), 7);
	assert_int_equal(fixture_read(&f, BASE + HZ, 4), 24000000);
	for (unsigned i = 0; i < 3; i++) {
		fixture_write(&f, BASE + RAISE, 4, 1);
		assert_true(fixture_level(&f, 5));
		fixture_write(&f, BASE + RAISE, 4, 0);
	}
	assert_int_equal(fixture_input(&f, 5).rises, 3);
	assert_int_equal(fixture_input(&f, 5).falls, 3);
	assert_int_equal(fixture_input(&f, 4).rises, 0);
	fixture_write(&f, BASE + OFF, 4, 0);
	fixture_write(&f, BASE + OFF, 4, 1);
	fixture_write(&f, BASE + OFF, 4, 1);
	assert_int_equal(f.power_offs, 1);
	assert_int_equal(f.resets, 2);
	fixture_write(&f, BASE + DMA, 4, FIXTURE_RAM + 0x10);
	assert_memory_equal(f.ram + 0x10, "hello", 5);
	fixture_hammer(&f, BASE, 0x100, 1000, 42);
	fixture_drop(&f);
}

static void test_loop(void **state)
{
	struct fixture f;
	uint64_t start;

	fixture_make(&f, &gadget, props);
	assert_int_equal(fixture_start(&f), 0);
	assert_false(fixture_run_until(&f, is_high, &f, 3));
	start = clock_mono_ns();
	fixture_write(&f, BASE + LATER, 4, 5000000);
	assert_true(fixture_run_until(&f, is_high, &f, 5000));
	assert_in_range(clock_mono_ns() - start, 5000000, 5000000000);
	start = clock_mono_ns();
	fixture_run(&f, 4);
	assert_in_range(clock_mono_ns() - start, 4000000, 5000000000);
	fixture_drop(&f);
}

static void test_failing_init(void **state)
{
	static const struct fixture_prop broken[] = {
		{"address", "0x09000000"}, {"broken", "true"}, {0}};
	struct fixture f;

	fixture_make(&f, &gadget, broken);
	assert_int_equal(fixture_start(&f), -EIO);
	assert_string_equal(f.err.items[0].text, "broken");
	fixture_drop(&f);
}

/* ---- PEs ---- */

static enum pe_sysreg_result sysreg_read(void *opaque, const struct pe_access *a, uint16_t sysreg,
					 uint64_t *value)
{
	*value = *(uint64_t *)opaque + a->pe + (a->secure ? 0x100 : 0);
	return a->el > 0 ? PE_SYSREG_OK : PE_SYSREG_UNDEF;
}

static enum pe_sysreg_result sysreg_write(void *opaque, const struct pe_access *a, uint16_t sysreg,
					  uint64_t value)
{
	*(uint64_t *)opaque = value;
	return PE_SYSREG_OK;
}

static void timer_fired(void *opaque, unsigned pe, enum hv_timer timer, bool level)
{
	*(unsigned *)opaque = pe << 8 | timer << 1 | level;
}

static void test_pes(void **state)
{
	static const struct pe_sysreg_ops ops = {sysreg_read, sysreg_write};
	struct pe_access el1 = {.pe = 2, .el = 1, .secure = true}, el0 = {.el = 0};
	struct pe_set *s = fake_pe_create(3, 1);
	uint64_t reg = 0, v, mask;
	unsigned fired = 0;

	assert_int_equal(pe_count(s), 3);
	assert_int_equal(pe_highest_el(s), 1);
	assert_int_equal(pe_mpidr(s, 2) & 0xff00ffffff, 2);
	pe_irq(s, 1, HV_FIQ, true);
	pe_irq(s, 1, HV_FIQ, true);
	assert_true(fake_pe_line(s, 1, HV_FIQ));
	assert_false(fake_pe_line(s, 1, HV_IRQ));
	assert_int_equal(fake_pe_rises(s, 1, HV_FIQ), 1);
	pe_sysreg_add(s, SYSREG(3, 0, 12, 12, 5), &ops, &reg);
	assert_true(fake_pe_sysreg_write(s, &el1, SYSREG(3, 0, 12, 12, 5), 0x40));
	assert_true(fake_pe_sysreg_read(s, &el1, SYSREG(3, 0, 12, 12, 5), &v));
	assert_int_equal(v, 0x142);
	assert_false(fake_pe_sysreg_read(s, &el0, SYSREG(3, 0, 12, 12, 5), &v));
	assert_false(fake_pe_sysreg_read(s, &el1, SYSREG(3, 0, 12, 12, 6), &v));
	pe_timer_listen(s, timer_fired, &fired);
	fake_pe_timer(s, 2, HV_TIMER_PHYS, true);
	assert_int_equal(fired, 0x203);
	pe_id_field(s, SYSREG(3, 0, 0, 4, 0), 27, 24, 1);
	pe_id_field(s, SYSREG(3, 0, 0, 4, 0), 3, 0, 2);
	assert_int_equal(fake_pe_id(s, SYSREG(3, 0, 0, 4, 0), &mask), 0x1000002);
	assert_int_equal(mask, 0xf00000f);
	fake_pe_destroy(s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_device),
		cmocka_unit_test(test_loop),
		cmocka_unit_test(test_failing_init),
		cmocka_unit_test(test_pes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

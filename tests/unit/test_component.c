/* SPDX-License-Identifier: Apache-2.0 */
#include "dev/component.h"

#include "dev/irq.h"
#include "util/bits.h"
#include "util/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct thing {
	struct dev dev;
	uint32_t u32, guard;
	uint64_t u64, size, freq, first, second;
	bool flag, fail;
	const char *str, *path;
	int mode;
	struct irq irq;
	struct clk clk;
	struct dev *ref;
	uint8_t regs8[3];
	uint16_t reg16;
	uint64_t kept;
	unsigned inputs, last_input;
};

static unsigned finis;

static int thing_init(struct dev *d, struct err *e)
{
	return ((struct thing *)d)->fail ? err_set(e, -EIO, d->where, "no") : 0;
}

static void thing_fini(struct dev *d)
{
	finis++;
}

static enum mem_result thing_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value,
				  struct mem_attrs attrs)
{
	*value = ((struct thing *)opaque)->u32;
	return MEM_OK;
}

static uint64_t second_size(const struct dev *d)
{
	return ((const struct thing *)d)->second ? 0x2000 : 0;
}

static void thing_input(struct dev *d, uint32_t input, bool level)
{
	struct thing *t = (struct thing *)d;

	assert_int_equal(pthread_mutex_trylock(&d->lock), EBUSY);
	t->inputs++;
	t->last_input = input << 1 | level;
}

static uint64_t thing_rate(const struct dev *d)
{
	return ((const struct thing *)d)->freq;
}

#define AT(field) .offset = offsetof(struct thing, field)
static const char *const modes[] = {"slow", "fast", "off", NULL};
static const struct prop props[] = {
	{.name = "u32", .kind = PROP_U32, AT(u32), .def = "7"},
	{.name = "some", .kind = PROP_U32, AT(u32), .min = 1, .max = 8},
	{.name = "u64", .kind = PROP_U64, AT(u64), .max = 0xffffffffffff},
	{.name = "size",
	 .kind = PROP_SIZE,
	 AT(size),
	 .unit = 1 << 20,
	 .min = 4096,
	 .max = 1ULL << 40},
	{.name = "freq", .kind = PROP_FREQ, AT(freq), .def = "24MHz", .min = 1000},
	{.name = "flag", .kind = PROP_BOOL, AT(flag), .def = "yes"},
	{.name = "str", .kind = PROP_STR, AT(str)},
	{.name = "path", .kind = PROP_PATH, AT(path), .def = "x"},
	{.name = "mode", .kind = PROP_ENUM, AT(mode), .def = "fast", .choices = modes},
	{.name = "ref", .kind = PROP_REF, AT(ref)},
	{.name = "clk", .kind = PROP_CLOCK, AT(clk)},
	{.name = "irq", .kind = PROP_IRQ, AT(irq)},
	{0},
};

static const struct dev_region regions[] = {
	{.address_offset = offsetof(struct thing, first), .size = 0x1000, .read = thing_read},
	{.name = "extra",
	 .address_offset = offsetof(struct thing, second),
	 .size_fn = second_size,
	 .min_width = 1,
	 .max_width = 8,
	 .read = thing_read},
	{0},
};

static const struct dev_state state_table[] = {
	{.name = "U32", AT(u32), .size = 4, .reset = 0x11223344},
	{.name = "R8", AT(regs8), .size = 1, .count = 3, .reset = 0x5a},
	{.name = "R16", AT(reg16), .size = 2, .reset = 0xbeef},
	{.name = "U64", AT(u64), .size = 8, .reset = 0x123456789abcdef0},
	{.name = "KEPT", AT(kept), .size = 8, .keep = true},
	{0},
};

static const struct component thing_component = {
	.type = "THING",
	.size = sizeof(struct thing),
	.props = props,
	.regions = regions,
	.state = state_table,
	.init = thing_init,
	.fini = thing_fini,
	.irq_input = thing_input,
	.clk_rate = thing_rate,
};

static const struct dev_host no_host;

static struct thing *make(const struct dev_host *host)
{
	return (struct thing *)dev_create(&thing_component, "thing0", "test.board:1", host);
}

static void test_defaults(void **state)
{
	struct thing *t = make(&no_host);
	struct err e = ERR_INIT;

	assert_int_equal(t->u32, 0);
	assert_int_equal(dev_defaults(&t->dev, &e), 0);
	assert_int_equal(t->u32, 7);
	assert_int_equal(t->guard, 0);
	assert_int_equal(t->freq, 24000000);
	assert_true(t->flag);
	assert_null(t->str);
	assert_string_equal(t->path, "x");
	assert_int_equal(t->mode, 1);
	assert_null(component_prop(&thing_component, "nothing"));
	dev_destroy(&t->dev);
}

static int set(struct thing *t, const char *name, const char *value, struct err *e)
{
	const struct prop *p = component_prop(&thing_component, name);

	assert_non_null(p);
	return dev_set(&t->dev, p, value, "test.board:9:3", e);
}

static void test_set(void **state)
{
	struct thing *t = make(&no_host);
	struct err e = ERR_INIT;

	assert_int_equal(set(t, "u32", "0xffffffff", &e), 0);
	assert_int_equal(t->u32, 0xffffffff);
	assert_int_equal(t->guard, 0);
	assert_int_equal(set(t, "some", "8", &e), 0);
	assert_int_equal(set(t, "u64", "0x1_0000_0000", &e), 0);
	assert_int_equal(t->u64, 1ULL << 32);
	assert_int_equal(set(t, "size", "4", &e), 0);
	assert_int_equal(t->size, 4 << 20);
	assert_int_equal(set(t, "size", "4KiB", &e), 0);
	assert_int_equal(t->size, 4096);
	assert_int_equal(set(t, "freq", "1GHz", &e), 0);
	assert_int_equal(t->freq, 1000000000);
	assert_int_equal(set(t, "flag", "on", &e), 0);
	assert_true(t->flag);
	assert_int_equal(set(t, "str", "", &e), 0);
	assert_string_equal(t->str, "");
	assert_int_equal(set(t, "mode", "off", &e), 0);
	assert_int_equal(t->mode, 2);
	assert_int_equal(e.count, 0);
	dev_destroy(&t->dev);
}

/* The message names place, component, property and value, says what is expected, and nothing was
 * changed. */
static void test_set_wrong(void **state)
{
	static const struct {
		const char *prop, *value;
		int code;
		const char *text, *hint;
	} v[] = {
		{"u32", "seven", -EINVAL, "a number", NULL},
		{"u32", "", -EINVAL, "a number", NULL},
		{"u32", "0x100000000", -ERANGE, "out of range", "0 to 0xffffffff"},
		{"u32", "99999999999999999999", -ERANGE, "out of range", "0 to 0xffffffff"},
		{"some", "0", -ERANGE, "out of range", "1 to 8"},
		{"some", "9", -ERANGE, "out of range", "1 to 8"},
		{"u64", "0x1000000000000", -ERANGE, "out of range", "0 to 0xffffffffffff"},
		{"size", "1KiB", -ERANGE, "out of range", "4KiB to 1TiB"},
		{"size", "2T", -ERANGE, "out of range", "4KiB to 1TiB"},
		{"size", "0", -ERANGE, "out of range", "4KiB to 1TiB"},
		{"size", "4 MB", -EINVAL, "a size, such as", NULL},
		{"freq", "1Hz", -ERANGE, "out of range", "1kHz to 18446744073709551615Hz"},
		{"freq", "fast", -EINVAL, "a frequency, such as", NULL},
		{"flag", "maybe", -EINVAL, "true or false", NULL},
		{"mode", "Fast", -EINVAL, "one of its values", "slow, fast, off"},
	};
	struct thing *t = make(&no_host);
	struct thing before;

	memcpy(&before, t, sizeof(before));
	for (unsigned i = 0; i < ARRAY_COUNT(v); i++) {
		struct err e = ERR_INIT;
		char name[64];

		snprintf(name, sizeof(name), "thing0.%s: ", v[i].prop);
		assert_int_equal(set(t, v[i].prop, v[i].value, &e), v[i].code);
		assert_int_equal(e.count, 1);
		assert_string_equal(e.items[0].where, "test.board:9:3");
		assert_ptr_equal(strstr(e.items[0].text, name), e.items[0].text);
		assert_non_null(strstr(e.items[0].text, v[i].value));
		assert_non_null(strstr(e.items[0].text, v[i].text));
		if (v[i].hint)
			assert_non_null(strstr(e.items[0].hint, v[i].hint));
		err_free(&e);
	}
	assert_memory_equal(&before, t, sizeof(before));
	dev_destroy(&t->dev);
}

static void test_state_reset(void **state)
{
	struct thing *t = make(&no_host);

	memset(t->regs8, 0xff, sizeof(t->regs8));
	t->guard = 1;
	t->kept = 99;
	dev_reset(&t->dev);
	assert_int_equal(t->u32, 0x11223344);
	assert_int_equal(t->guard, 1);
	assert_memory_equal(t->regs8, "\x5a\x5a\x5a", 3);
	assert_int_equal(t->reg16, 0xbeef);
	assert_int_equal(t->u64, 0x123456789abcdef0);
	assert_int_equal(t->kept, 99);
	dev_destroy(&t->dev);
}

static void test_map(void **state)
{
	struct dev_host host = {.mem = mem_space_create()};
	struct thing *t = make(&host), *u = make(&host);
	struct err e = ERR_INIT;
	uint64_t v;

	t->first = 0x1000;
	t->second = 0x8000;
	t->u32 = 0xaa;
	assert_int_equal(dev_map(&t->dev, &e), 0);
	assert_string_equal(t->dev.region[0].name, "thing0");
	assert_string_equal(t->dev.region[1].name, "thing0.extra");
	assert_int_equal(t->dev.region[1].size, 0x2000);
	assert_int_equal(t->dev.region[0].min_width, 4);
	assert_int_equal(t->dev.region[1].max_width, 8);
	assert_int_equal(mem_read(host.mem, 0x9ffc, 4, &v, (struct mem_attrs){.pe = 0}), MEM_OK);
	assert_int_equal(v, 0xaa);
	/* Both regions of the second overlap, and both are said. */
	u->first = 0x1000;
	u->second = 0x9000;
	assert_int_equal(dev_map(&u->dev, &e), -EEXIST);
	assert_int_equal(e.count, 2);
	assert_string_equal(e.items[0].where, "test.board:1");
	err_free(&e);
	dev_destroy(&t->dev);
	dev_destroy(&u->dev);
	mem_space_destroy(host.mem);
}

/* ---- checks, memory in the descriptor ---- */

struct rom {
	struct dev dev;
	uint64_t address;
	bool secure, wrong;
	unsigned checks, inits;
};

static int rom_check(struct dev *d, struct err *e)
{
	struct rom *r = (struct rom *)d;

	r->checks++;
	return r->wrong ? err_set(e, -EDOM, d->where, "wrong") : 0;
}

static int rom_init(struct dev *d, struct err *e)
{
	static uint8_t contents[4096] = "ROM";

	((struct rom *)d)->inits++;
	d->region[0].host = contents;
	return 0;
}

static const struct dev_region rom_regions[] = {{.address_offset = offsetof(struct rom, address),
						 .size = 4096,
						 .rom = true,
						 .secure_offset = offsetof(struct rom, secure),
						 .min_width = 1},
						{0}};
static const struct component rom = {.type = "TEST-ROM",
				     .size = sizeof(struct rom),
				     .regions = rom_regions,
				     .check = rom_check,
				     .init = rom_init};

static void test_rom_region(void **state)
{
	struct dev_host host = {.mem = mem_space_create()};
	struct rom *r[2];

	for (int secure = 0; secure < 2; secure++) {
		uint64_t at = secure ? 0x4000 : 0x8000;
		char got[4] = "";

		r[secure] = (struct rom *)dev_create(&rom, "rom0", "test.board:1", &host);
		r[secure]->address = at;
		r[secure]->secure = secure;
		assert_int_equal(dev_map(&r[secure]->dev, NULL), 0);
		assert_int_equal(dev_init(&r[secure]->dev, NULL), 0);
		assert_int_equal(r[secure]->checks, 1);
		assert_int_equal(mem_copy_from(host.mem, at, got, 3),
				 secure ? MEM_UNHANDLED : MEM_OK);
		assert_string_equal(got, secure ? "" : "ROM");
		assert_null(mem_ptr(host.mem, at, 1, true));
	}
	dev_destroy(&r[0]->dev);
	dev_destroy(&r[1]->dev);
	mem_space_destroy(host.mem);
}

/* Said once; neither regions nor init(). */
static void test_check_refuses(void **state)
{
	struct dev_host host = {.mem = mem_space_create()};
	struct rom *r = (struct rom *)dev_create(&rom, "rom0", "test.board:1", &host);
	struct err e = ERR_INIT;
	size_t count;

	r->wrong = true;
	assert_true(dev_map(&r->dev, &e) < 0);
	assert_true(dev_init(&r->dev, &e) < 0);
	assert_int_equal(e.count, 1);
	assert_int_equal(r->inits, 0);
	mem_regions(host.mem, &count);
	assert_int_equal(count, 0);
	dev_destroy(&r->dev);
	mem_space_destroy(host.mem);
	err_free(&e);
}

static void test_map_absent(void **state)
{
	struct dev_host host = {.mem = mem_space_create()};
	struct thing *t = make(&host);
	size_t count;

	assert_int_equal(dev_map(&t->dev, NULL), 0);
	mem_regions(host.mem, &count);
	assert_int_equal(count, 1);
	assert_int_equal(t->dev.region[1].size, 0);
	dev_destroy(&t->dev);
	mem_space_destroy(host.mem);
}

static void test_life(void **state)
{
	struct thing *t = make(&no_host);
	struct err e = ERR_INIT;

	finis = 0;
	dev_destroy(&t->dev); /* never initialised: no fini */
	assert_int_equal(finis, 0);
	t = make(&no_host);
	assert_int_equal(dev_init(&t->dev, &e), 0);
	assert_true(t->dev.ready);
	dev_destroy(&t->dev);
	assert_int_equal(finis, 1);
	t = make(&no_host);
	t->fail = true;
	assert_int_equal(dev_init(&t->dev, &e), -EIO);
	assert_false(t->dev.ready);
	dev_destroy(&t->dev); /* half-built */
	assert_int_equal(finis, 2);
	dev_destroy(NULL);
	err_free(&e);
}

static void test_wires(void **state)
{
	struct thing *t = make(&no_host);
	struct irq w = {.sink = &t->dev, .input = 5}, open = {0}, pe2;
	struct clk clk = {.source = &t->dev}, none = {0};

	irq_set(&w, false);
	assert_int_equal(t->inputs, 0);
	irq_set(&w, true);
	irq_set(&w, true);
	assert_int_equal(t->inputs, 1);
	assert_int_equal(t->last_input, 5 << 1 | 1);
	irq_pulse(&w); /* it is high: only the falling edge is new */
	assert_int_equal(t->inputs, 2);
	irq_pulse(&w);
	assert_int_equal(t->inputs, 4);
	assert_int_equal(t->last_input, 5 << 1);
	irq_set(&open, true);
	assert_true(open.level);
	w.level = true;
	pe2 = irq_of_pe(&w, 2);
	assert_int_equal(pe2.input, 5 + 2 * IRQ_PPI_STRIDE);
	assert_false(pe2.level);
	t->freq = 1000;
	assert_int_equal(clk_hz(&clk), 1000);
	assert_int_equal(clk_hz(&none), 0);
	dev_destroy(&t->dev);
}

/* ---- every component there is ---- */

static void check_prop(const struct component *c, const struct prop *p)
{
	if (!p->help || !p->help[0])
		fail_msg("%s.%s has no help", c->type, p->name);
	if (p->offset < sizeof(struct dev) || p->offset >= c->size)
		fail_msg("%s.%s lies outside of the instance", c->type, p->name);
	if (p->kind == PROP_ENUM && (!p->choices || !p->choices[0]))
		fail_msg("%s.%s has no choices", c->type, p->name);
	if (p->required && p->def)
		fail_msg("%s.%s is required and has a default", c->type, p->name);
	if (p->max && p->min > p->max)
		fail_msg("%s.%s has an empty range", c->type, p->name);
	for (const struct prop *q = p + 1; q->name; q++) {
		if (!strcmp(p->name, q->name))
			fail_msg("%s.%s is there twice", c->type, p->name);
	}
}

static void check_regions(const struct component *c)
{
	for (const struct dev_region *r = c->regions; r && (r->read || r->write); r++) {
		unsigned min = r->min_width ? r->min_width : 4;
		unsigned max = r->max_width ? r->max_width : 4;

		if (!r->size && !r->size_fn)
			fail_msg("%s has a region without size", c->type);
		if (!is_pow2(min) || !is_pow2(max) || min > max || max > 8)
			fail_msg("%s has a region with odd widths", c->type);
		assert_true(r->address_offset + 8 <= c->size);
	}
}

static void check_state(const struct component *c)
{
	for (const struct dev_state *s = c->state; s && s->name; s++) {
		if (!is_pow2(s->size) || s->size > 8)
			fail_msg("%s.%s has an odd size", c->type, s->name);
		if (s->offset < sizeof(struct dev) ||
		    s->offset + s->size * (s->count ? s->count : 1) > c->size)
			fail_msg("%s.%s lies outside of the instance", c->type, s->name);
	}
}

static void test_all_components(void **state)
{
	assert_true(component_count > 0);
	assert_null(components[component_count]);
	for (unsigned i = 0; i < component_count; i++) {
		const struct component *c = components[i];
		struct err e = ERR_INIT;
		struct dev *d;

		assert_non_null(c->doc);
		assert_ptr_equal(component_find(c->type, c->vendor), c);
		if (c->irq_in && !c->irq_input)
			fail_msg("%s has inputs and no irq_input()", c->type);
		for (const struct prop *p = c->props; p && p->name; p++)
			check_prop(c, p);
		check_regions(c);
		check_state(c);
		d = dev_create(c, "x", "test", &no_host);
		if (dev_defaults(d, &e))
			fail_msg("%s: %s", c->type, e.items[0].text);
		dev_destroy(d);
	}
	assert_null(component_find("NO-SUCH", NULL));
	assert_null(component_find(components[0]->type, "NO-SUCH"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_set_wrong),
		cmocka_unit_test(test_state_reset),
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_map_absent),
		cmocka_unit_test(test_rom_region),
		cmocka_unit_test(test_check_refuses),
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_wires),
		cmocka_unit_test(test_all_components),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

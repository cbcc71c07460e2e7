/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_char.h"

#include "dev/dt.h"

#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct component pl011_component;

enum { BASE = 0x09000000, IRQ = 5 };
enum { DR = 0, RSR = 4, FR = 0x18, LCR_H = 0x2c, CR = 0x30, IFLS = 0x34, IMSC = 0x38 };
enum { RIS = 0x3c, MIS = 0x40, ICR = 0x44 };
enum { TXFE = 0x80, RXFF = 0x40, TXFF = 0x20, RXFE = 0x10, BUSY = 8 };
enum { RX = 0x10, TX = 0x20, RT = 0x40, BE = 0x200, OE = 0x400 };
enum { FEN = 0x10, ENABLED = 0x301, LOOPBACK = 0x381 };

static const struct fixture_prop props[] = {
	{"address", "0x09000000"}, {"irq", "5"}, {"uartclk", "24MHz"}, {"apb_pclk", "24MHz"}, {0}};

static void start(struct fixture *f)
{
	fixture_make(f, &pl011_component, props);
	fixture_backend(f, &fake_char_component, NULL);
	assert_int_equal(fixture_start(f), 0);
}

static uint32_t get(struct fixture *f, uint32_t reg)
{
	return fixture_read(f, BASE + reg, 4);
}

static void put(struct fixture *f, uint32_t reg, uint32_t value)
{
	fixture_write(f, BASE + reg, 4, value);
}

static void enable_fifos(struct fixture *f)
{
	put(f, LCR_H, FEN | 0x60);
	put(f, CR, ENABLED);
}

static void test_reset_values(void **state)
{
	static const uint8_t id[8] = {0x11, 0x10, 0x34, 0x00, 0x0d, 0xf0, 0x05, 0xb1};
	struct fixture f;

	start(&f);
	assert_int_equal(get(&f, FR), TXFE | RXFE);
	assert_int_equal(get(&f, CR), 0x300);
	assert_int_equal(get(&f, IFLS), 0x12);
	assert_int_equal(get(&f, RIS), 0);
	assert_int_equal(get(&f, IMSC), 0);
	assert_int_equal(get(&f, LCR_H), 0);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(get(&f, 0xfe0 + 4 * i), id[i]);
	assert_int_equal(get(&f, 0x100), 0); /* reserved */
	put(&f, 0x100, 1);
	fixture_drop(&f);
}

static void test_masks(void **state)
{
	static const struct {
		uint32_t reg, value;
	} masks[] = {{0x20, 0xff}, {0x24, 0xffff}, {0x28, 0x3f}, {LCR_H, 0xff},
		     {IFLS, 0x3f}, {IMSC, 0x7ff},  {0x48, 7}};
	struct fixture f;

	start(&f);
	for (unsigned i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		put(&f, masks[i].reg, 0xffffffff);
		assert_int_equal(get(&f, masks[i].reg), masks[i].value);
	}
	put(&f, FR, 0xffffffff); /* read-only */
	put(&f, RIS, 0xffffffff);
	assert_int_equal(get(&f, RIS), 0);
	dev_reset(f.dev);
	assert_int_equal(get(&f, IMSC), 0);
	assert_int_equal(get(&f, IFLS), 0x12);
	fixture_drop(&f);
}

static void test_send(void **state)
{
	struct fixture f;

	start(&f);
	enable_fifos(&f);
	put(&f, DR, 'a');
	fixture_write(&f, BASE + DR, 1, 'b');
	fixture_write(&f, BASE + DR, 2, 'c');
	fake_char_expect(&f, "abc");
	assert_true(f.console_bytes);
	assert_int_equal(get(&f, FR), TXFE | RXFE);
	assert_int_equal(get(&f, RIS), TX);
	assert_false(fixture_level(&f, IRQ));
	put(&f, IMSC, TX);
	assert_true(fixture_level(&f, IRQ));
	put(&f, ICR, TX);
	assert_false(fixture_level(&f, IRQ));
	put(&f, DR, 'd');
	assert_true(fixture_level(&f, IRQ));
	assert_int_equal(get(&f, MIS), TX);
	fixture_drop(&f);
}

static bool sent(void *opaque)
{
	return !strcmp(fake_char(opaque)->out, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
}

/* The back end is full: bytes wait, the guest sees it, nothing it was right to send is lost. */
static void test_send_to_slow(void **state)
{
	struct fixture f;

	start(&f);
	enable_fifos(&f);
	fake_char(&f)->room = 0;
	for (unsigned i = 0; i < 16; i++)
		put(&f, DR, 'x');
	put(&f, ICR, TX);
	for (unsigned i = 16; i < 32; i++) {
		assert_int_equal(get(&f, FR), BUSY | RXFE);
		put(&f, DR, 'x');
	}
	assert_int_equal(get(&f, FR), BUSY | RXFE | TXFF);
	put(&f, DR, 'y'); /* must not be written: lost */
	assert_int_equal(get(&f, RIS), 0);
	fake_char(&f)->room = 15; /* 17 stay, more than half */
	fixture_run(&f, 15);
	assert_int_equal(get(&f, RIS), 0);
	fake_char(&f)->room = 1;
	fixture_run(&f, 15);
	assert_int_equal(get(&f, RIS), TX); /* half full */
	put(&f, LCR_H, 0);		    /* what has been sent is on its way */
	fake_char(&f)->room = 1000;
	assert_true(fixture_run_until(&f, sent, &f, 1000));
	assert_int_equal(get(&f, FR), TXFE | RXFE);
	fixture_drop(&f);
}

static void test_send_survives_reset(void **state)
{
	struct fixture f;

	start(&f);
	enable_fifos(&f);
	fake_char(&f)->room = 0;
	put(&f, DR, 'l');
	dev_reset(f.dev);
	fake_char(&f)->room = 10;
	fixture_run(&f, 20);
	fake_char_expect(&f, "l");
	fixture_drop(&f);
}

static void test_tx_levels(void **state)
{
	static const uint8_t levels[] = {4, 8, 16, 24, 28};
	struct fixture f;

	for (unsigned i = 0; i < 5; i++) {
		start(&f);
		enable_fifos(&f);
		put(&f, IFLS, i);
		fake_char(&f)->room = 0;
		for (unsigned n = 0; n < levels[i]; n++)
			put(&f, DR, 'x');
		put(&f, ICR, TX);
		put(&f, DR, 'x');
		assert_int_equal(get(&f, RIS), 0);
		fake_char(&f)->room = 1;
		fixture_run(&f, 15);
		assert_int_equal(get(&f, RIS), TX);
		fixture_drop(&f);
	}
}

static void test_receive(void **state)
{
	struct fixture f;

	start(&f);
	fake_char_type(&f, "early");
	assert_int_equal(get(&f, FR), TXFE | RXFE); /* disabled: waits outside */
	put(&f, CR, ENABLED);
	assert_int_equal(get(&f, FR), TXFE | RXFF); /* one place without FIFOs */
	assert_int_equal(get(&f, RIS), RX | RT);
	put(&f, IMSC, RX);
	assert_true(fixture_level(&f, IRQ));
	assert_int_equal(get(&f, DR), 'e');
	assert_true(fixture_level(&f, IRQ));
	for (unsigned i = 1; i < 5; i++)
		assert_int_equal(get(&f, DR), "early"[i]);
	assert_false(fixture_level(&f, IRQ));
	assert_int_equal(get(&f, RIS), 0);
	assert_int_equal(get(&f, DR), 0); /* empty */
	fixture_drop(&f);
}

static void test_rx_levels(void **state)
{
	static const char text[] = "0123456789abcdefghijklmnopqrstuv";
	static const uint8_t levels[] = {4, 8, 16, 24, 28, 28, 28, 28};
	struct fixture f;

	for (unsigned i = 0; i < 8; i++) {
		start(&f);
		enable_fifos(&f);
		put(&f, IFLS, i << 3);
		fake_char_type(&f, text + 33 - levels[i]);
		assert_int_equal(get(&f, RIS), RT);
		fake_char_type(&f, "x");
		assert_int_equal(get(&f, RIS), RT | RX);
		get(&f, DR);
		assert_int_equal(get(&f, RIS), RT);
		for (unsigned n = 1; n < levels[i]; n++)
			get(&f, DR);
		assert_int_equal(get(&f, RIS), 0);
		fixture_drop(&f);
	}
}

/* More than the FIFO holds is neither lost nor out of order. */
static void test_receive_long(void **state)
{
	static const char text[] = "The quick brown fox jumps over the lazy dog, 0123456789 times";
	struct fixture f;

	start(&f);
	enable_fifos(&f);
	fake_char_type(&f, text);
	assert_int_equal(get(&f, FR), TXFE | RXFF);
	for (unsigned i = 0; text[i]; i++)
		assert_int_equal(get(&f, DR), text[i]);
	assert_int_equal(get(&f, FR), TXFE | RXFE);
	assert_int_equal(get(&f, RIS) & OE, 0);
	fixture_drop(&f);
}

/* Switching the FIFOs drops what was received, and lets in what waits. */
static void test_fifo_switch(void **state)
{
	struct fixture f;

	start(&f);
	put(&f, CR, ENABLED);
	fake_char_type(&f, "abc");
	put(&f, LCR_H, FEN);
	assert_int_equal(get(&f, DR), 'b');
	assert_int_equal(get(&f, DR), 'c');
	assert_int_equal(get(&f, RIS), 0);
	put(&f, LCR_H, FEN | 0x60); /* not a switch */
	fixture_drop(&f);
}

static void test_break_and_overrun(void **state)
{
	struct fixture f;

	start(&f);
	put(&f, CR, ENABLED);
	fake_char_break(&f);
	assert_int_equal(get(&f, RIS), RX | RT | BE);
	fake_char_break(&f); /* no room */
	assert_int_equal(get(&f, RIS) & OE, OE);
	assert_int_equal(get(&f, DR), 0x400);
	assert_int_equal(get(&f, RSR), 4);
	fake_char_type(&f, "x");
	assert_int_equal(get(&f, DR), 0x800 | 'x');
	assert_int_equal(get(&f, RSR), 8);
	put(&f, RSR, 0);
	assert_int_equal(get(&f, RSR), 0);
	put(&f, ICR, BE | OE);
	assert_int_equal(get(&f, RIS), 0);
	put(&f, CR, 0x300); /* off: hears no break */
	fake_char_break(&f);
	assert_int_equal(get(&f, RIS), 0);
	fixture_drop(&f);
}

static void test_loopback(void **state)
{
	struct fixture f;

	start(&f);
	enable_fifos(&f);
	put(&f, CR, LOOPBACK);
	fake_char_type(&f, "outside");
	put(&f, DR, 'q');
	fake_char_expect(&f, "");
	assert_int_equal(get(&f, DR), 'q');
	assert_int_equal(get(&f, FR) & 0x107, 0);
	put(&f, CR, LOOPBACK | 0x800); /* RTS -> CTS */
	assert_int_equal(get(&f, FR) & 0x107, 1);
	put(&f, CR, LOOPBACK | 0x3400); /* DTR, OUT1, OUT2 -> DSR, DCD, RI */
	assert_int_equal(get(&f, FR) & 0x107, 0x106);
	for (unsigned i = 0; i < 40; i++)
		put(&f, DR, i);
	assert_int_equal(get(&f, RIS) & OE, OE);
	for (unsigned i = 0; i < 32; i++)
		assert_int_equal(get(&f, DR), i);
	put(&f, CR, ENABLED);
	assert_int_equal(get(&f, DR) & 0xff, 'o');
	fixture_drop(&f);
}

static void test_secure(void **state)
{
	static const struct fixture_prop secure[] = {
		{"address", "0x09000000"}, {"secure", "true"}, {0}};
	struct fixture f;
	uint64_t v;

	fixture_make(&f, &pl011_component, secure);
	fixture_backend(&f, &fake_char_component, NULL);
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(mem_read(f.host.mem, BASE + FR, 4, &v, (struct mem_attrs){.pe = 0}),
			 MEM_UNHANDLED);
	assert_int_equal(mem_read(f.host.mem, BASE + FR, 4, &v, (struct mem_attrs){.secure = true}),
			 MEM_OK);
	assert_int_equal(v, TXFE | RXFE);
	fixture_drop(&f);
}

static void test_dt(void **state)
{
	static const char compatible[] = "arm,pl011\0arm,primecell";
	struct fixture f;
	void *fdt = malloc(4096);
	struct dt dt = {.fdt = fdt};
	const void *p;
	int n, len;

	start(&f);
	assert_int_equal(fdt_create_empty_tree(fdt, 4096), 0);
	assert_int_equal(f.dev->c->dt(f.dev, &dt), 0);
	assert_int_equal(dt.error, 0);
	n = fdt_path_offset(fdt, "/pl011@9000000");
	assert_true(n > 0);
	p = fdt_getprop(fdt, n, "compatible", &len);
	assert_int_equal(len, sizeof(compatible));
	assert_memory_equal(p, compatible, len);
	p = fdt_getprop(fdt, n, "clock-names", &len);
	assert_memory_equal(p, "uartclk\0apb_pclk", 17);
	assert_null(fdt_getprop(fdt, n, "status", &len));
	free(fdt);
	fixture_drop(&f);
}

/* ---- what is read without an exit ---- */

static uint32_t shown(const struct fixture *f, uint32_t reg)
{
	return ((const uint32_t *)(const void *)f->dev->region->host)[reg / 4];
}

static void poll(struct fixture *f)
{
	for (unsigned i = 0; i < 16; i++)
		get(f, FR);
}

/* If a guest may read the page, then nothing has been received, and it says what the registers do. */
static void expect_shown(struct fixture *f)
{
	if (!f->dev->region->direct)
		return;
	assert_true(shown(f, FR) & RXFE);
	for (uint32_t reg = 0; reg < 0x1000; reg += reg == 0x48 ? 0xfe0 - 0x48 : 4)
		assert_int_equal(get(f, reg), shown(f, reg));
}

static void test_shown(void **state)
{
	struct fixture f;

	start(&f);
	enable_fifos(&f);
	assert_false(f.dev->region->direct);
	poll(&f);
	assert_true(f.dev->region->direct);
	assert_int_equal(shown(&f, FR), TXFE | RXFE);
	assert_int_equal(shown(&f, CR), ENABLED);
	put(&f, IMSC, TX);
	fake_char(&f)->room = 0;
	put(&f, DR, 'x');
	assert_int_equal(shown(&f, FR), BUSY | RXFE);
	expect_shown(&f);
	fake_char_type(&f, "ab");
	assert_false(f.dev->region->direct);
	assert_true(shown(&f, FR) & RXFE); /* who reads it now read it before that */
	poll(&f);
	assert_false(f.dev->region->direct);
	assert_int_equal(get(&f, DR), 'a');
	assert_int_equal(get(&f, DR), 'b');
	assert_false(f.dev->region->direct);
	poll(&f);
	assert_true(f.dev->region->direct);
	dev_reset(f.dev);
	assert_false(f.dev->region->direct);
	fixture_drop(&f);
}

static void test_hammer(void **state)
{
	struct fixture f;

	start(&f);
	for (unsigned i = 1; i < 50; i++) {
		fake_char(&f)->room = i % 3 ? 20 : 0;
		fake_char(&f)->typed = "some input for it";
		fixture_hammer(&f, BASE, i % 2 ? 0x50 : 0x1000, 400, i);
		fake_char_break(&f);
		fixture_run(&f, 0);
		expect_shown(&f);
		if (i % 5 == 0)
			dev_reset(f.dev);
	}
	fixture_drop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reset_values),
		cmocka_unit_test(test_masks),
		cmocka_unit_test(test_send),
		cmocka_unit_test(test_send_to_slow),
		cmocka_unit_test(test_send_survives_reset),
		cmocka_unit_test(test_tx_levels),
		cmocka_unit_test(test_receive),
		cmocka_unit_test(test_rx_levels),
		cmocka_unit_test(test_receive_long),
		cmocka_unit_test(test_fifo_switch),
		cmocka_unit_test(test_break_and_overrun),
		cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_secure),
		cmocka_unit_test(test_dt),
		cmocka_unit_test(test_shown),
		cmocka_unit_test(test_hammer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

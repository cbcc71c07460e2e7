/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_char.h"

#include "dev/dt.h"

#include <errno.h>
#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct component ns16550_component;

enum { BASE = 0x09000000, IRQ = 5 };
enum { RBR = 0, THR = 0, IER = 1, IIR = 2, FCR = 2, LCR = 3, MCR = 4, LSR = 5, MSR = 6, SCR = 7 };
enum { ERBFI = 1, ETBEI = 2, ELSI = 4, EDSSI = 8 };
enum { IDLE = 0x60 }; /* of LSR */

static const struct fixture_prop props[] = {
	{"address", "0x09000000"}, {"irq", "5"}, {"clock", "1843200"}, {0}};

static void start(struct fixture *f)
{
	fixture_make(f, &ns16550_component, props);
	fixture_backend(f, &fake_char_component, NULL);
	assert_int_equal(fixture_start(f), 0);
}

static uint8_t get(struct fixture *f, uint32_t reg)
{
	return fixture_read(f, BASE + reg, 1);
}

static void put(struct fixture *f, uint32_t reg, uint8_t value)
{
	fixture_write(f, BASE + reg, 1, value);
}

static void test_reset_values(void **state)
{
	struct fixture f;

	start(&f);
	assert_int_equal(get(&f, IER), 0);
	assert_int_equal(get(&f, IIR), 1);
	assert_int_equal(get(&f, LCR), 0);
	assert_int_equal(get(&f, MCR), 0);
	assert_int_equal(get(&f, LSR), IDLE);
	assert_int_equal(get(&f, MSR), 0xb0);
	put(&f, SCR, 0x5a);
	dev_reset(f.dev);
	assert_int_equal(get(&f, SCR), 0x5a);
	put(&f, LSR, 0xff); /* not for us */
	put(&f, MSR, 0xff);
	assert_int_equal(get(&f, LSR), IDLE);
	assert_int_equal(get(&f, MSR), 0xb0);
	put(&f, IER, 0xff); /* or Linux takes it for another model */
	assert_int_equal(get(&f, IER), 15);
	put(&f, MCR, 0xff);
	assert_int_equal(get(&f, MCR), 0x1f);
	fixture_drop(&f);
}

static void test_divisor(void **state)
{
	struct fixture f;

	start(&f);
	put(&f, LCR, 0x83);
	put(&f, 0, 0x12);
	put(&f, 1, 0x34);
	assert_int_equal(get(&f, 0), 0x12);
	assert_int_equal(get(&f, 1), 0x34);
	put(&f, LCR, 0x03);
	fake_char_expect(&f, "");
	assert_int_equal(get(&f, IER), 0);
	fixture_drop(&f);
}

/* THRE as Linux's driver probes and uses it. */
static void test_transmitter_empty(void **state)
{
	struct fixture f;

	start(&f);
	put(&f, IER, ETBEI); /* empty already: comes at once */
	assert_true(fixture_level(&f, IRQ));
	assert_int_equal(get(&f, IIR), 2);
	assert_int_equal(get(&f, IIR), 1); /* the reading took it back */
	assert_false(fixture_level(&f, IRQ));
	put(&f, IER, ETBEI); /* no change */
	assert_int_equal(get(&f, IIR), 1);
	put(&f, IER, 0);
	put(&f, IER, ETBEI);
	assert_int_equal(get(&f, IIR), 2);
	put(&f, THR, 'a');
	assert_true(fixture_level(&f, IRQ));
	assert_int_equal(get(&f, LSR), IDLE);
	fake_char_expect(&f, "a");
	fake_char(&f)->room = 0;
	put(&f, THR, 'b');
	assert_false(fixture_level(&f, IRQ));
	assert_int_equal(get(&f, LSR), 0);
	put(&f, IER, 0);
	put(&f, IER, ETBEI); /* not empty */
	assert_false(fixture_level(&f, IRQ));
	put(&f, THR, 'c'); /* overflow: lost */
	fake_char(&f)->room = 10;
	fixture_run(&f, 20);
	assert_true(fixture_level(&f, IRQ));
	fake_char_expect(&f, "b");
	fixture_drop(&f);
}

static void test_transmit_fifo(void **state)
{
	struct fixture f;

	start(&f);
	put(&f, FCR, 1);
	fake_char(&f)->room = 0;
	for (unsigned i = 0; i < 17; i++)
		put(&f, THR, 'a' + i);
	fake_char(&f)->room = 100;
	fixture_run(&f, 20);
	fake_char_expect(&f, "abcdefghijklmnop");
	fake_char(&f)->room = 0;
	put(&f, IER, ETBEI);
	put(&f, THR, 'x');
	put(&f, FCR, 5); /* clear */
	assert_int_equal(get(&f, LSR), IDLE);
	assert_int_equal(get(&f, IIR), 0xc2);
	fake_char(&f)->room = 100;
	fixture_run(&f, 20);
	fake_char_expect(&f, "");
	fixture_drop(&f);
}

static void test_receive(void **state)
{
	struct fixture f;

	start(&f);
	put(&f, IER, ERBFI);
	fake_char_type(&f, "abc");
	assert_true(fixture_level(&f, IRQ));
	assert_int_equal(get(&f, IIR), 4);
	assert_int_equal(get(&f, LSR), IDLE | 1);
	assert_int_equal(get(&f, RBR), 'a');
	assert_int_equal(get(&f, RBR), 'b');
	assert_int_equal(get(&f, RBR), 'c');
	assert_int_equal(get(&f, RBR), 0);
	assert_int_equal(get(&f, LSR), IDLE);
	assert_false(fixture_level(&f, IRQ));
	fixture_drop(&f);
}

static void test_receive_fifo(void **state)
{
	static const uint8_t levels[4] = {1, 4, 8, 14};
	static const char text[] = "0123456789abcdefghijklmnop";
	struct fixture f;

	for (unsigned i = 0; i < 4; i++) {
		start(&f);
		put(&f, IER, ERBFI);
		put(&f, FCR, i << 6 | 1);
		fake_char_type(&f, text);
		for (unsigned n = 0; n < 26; n++) { /* 16 in the FIFO */
			unsigned there = n < 10 ? 16 : 26 - n;

			assert_int_equal(get(&f, IIR), there >= levels[i] ? 0xc4 : 0xcc);
			assert_int_equal(get(&f, RBR), text[n]);
		}
		assert_int_equal(get(&f, IIR), 0xc1);
		fixture_drop(&f);
	}
}

static void test_fifo_clear(void **state)
{
	struct fixture f;

	start(&f);
	put(&f, FCR, 1);
	fake_char_type(&f, "0123456789abcdef+");
	put(&f, FCR, 3); /* what waited outside comes in */
	assert_int_equal(get(&f, RBR), '+');
	assert_int_equal(get(&f, LSR), IDLE);
	fake_char_type(&f, "xy");
	put(&f, FCR, 0xc0); /* off; the trigger does not count */
	assert_int_equal(get(&f, LSR), IDLE);
	assert_int_equal(get(&f, IIR), 1);
	put(&f, FCR, 1);
	fake_char_type(&f, "z");
	put(&f, IER, ERBFI);
	assert_int_equal(get(&f, IIR), 0xc4);
	fixture_drop(&f);
}

static void test_break(void **state)
{
	struct fixture f;

	start(&f);
	put(&f, FCR, 1);
	put(&f, IER, ERBFI | ELSI);
	fake_char_type(&f, "a");
	fake_char_break(&f);
	fake_char_type(&f, "b");
	assert_int_equal(get(&f, IIR), 0xc4);
	assert_int_equal(get(&f, LSR), IDLE | 0x81); /* not at the top yet */
	assert_int_equal(get(&f, RBR), 'a');
	assert_int_equal(get(&f, IIR), 0xc6);
	assert_int_equal(get(&f, LSR), IDLE | 0x91);
	assert_int_equal(get(&f, LSR), IDLE | 0x01);
	assert_int_equal(get(&f, IIR), 0xc4);
	assert_int_equal(get(&f, RBR), 0);
	assert_int_equal(get(&f, RBR), 'b');
	assert_int_equal(get(&f, IIR), 0xc1);
	fixture_drop(&f);
}

static void test_overrun(void **state)
{
	struct fixture f;

	start(&f);
	put(&f, IER, ELSI);
	fake_char_type(&f, "a");
	fake_char_break(&f);
	assert_int_equal(get(&f, IIR), 6);
	assert_int_equal(get(&f, LSR), IDLE | 0x13);
	assert_int_equal(get(&f, RBR), 0); /* the older one is lost */
	assert_int_equal(get(&f, LSR), IDLE);
	put(&f, FCR, 1);
	fake_char_type(&f, "0123456789abcdef");
	fake_char_break(&f);
	assert_int_equal(get(&f, LSR), IDLE | 0x03);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(get(&f, RBR), "0123456789abcdef"[i]);
	assert_int_equal(get(&f, LSR), IDLE);
	fixture_drop(&f);
}

/* As Linux recognises the part. */
static void test_loopback(void **state)
{
	struct fixture f;

	start(&f);
	put(&f, MCR, 0x1a); /* LOOP, OUT2, RTS */
	assert_int_equal(get(&f, MSR) & 0xf0, 0x90);
	assert_int_equal(get(&f, MSR), 0x90);
	put(&f, IER, EDSSI);
	put(&f, MCR, 0x1f);
	assert_int_equal(get(&f, IIR), 0);
	assert_int_equal(get(&f, MSR), 0xf2); /* DSR came; RI counts when it goes */
	assert_int_equal(get(&f, IIR), 1);
	put(&f, MCR, 0x1b);
	assert_int_equal(get(&f, MSR), 0xb4);
	fake_char_type(&f, "outside");
	put(&f, THR, 'i');
	fake_char_expect(&f, "");
	assert_int_equal(get(&f, RBR), 'i');
	put(&f, MCR, 0x0b);
	assert_int_equal(get(&f, RBR), 'o');
	fixture_drop(&f);
}

static void test_priorities(void **state)
{
	struct fixture f;

	start(&f);
	put(&f, MCR, 0x10);
	get(&f, MSR);
	put(&f, MCR, 0);
	put(&f, FCR, 1);
	put(&f, IER, 15);
	fake_char_break(&f);
	assert_int_equal(get(&f, IIR), 0xc6);
	get(&f, LSR);
	assert_int_equal(get(&f, IIR), 0xc4);
	get(&f, RBR);
	assert_int_equal(get(&f, IIR), 0xc2);
	assert_int_equal(get(&f, IIR), 0xc0);
	get(&f, MSR);
	assert_int_equal(get(&f, IIR), 0xc1);
	assert_int_equal(fixture_input(&f, IRQ).rises, 1);
	assert_false(fixture_level(&f, IRQ));
	fixture_drop(&f);
}

static void test_stride(void **state)
{
	static const struct fixture_prop wide[] = {{"address", "0x09000000"},
						   {"clock", "24MHz"},
						   {"reg_shift", "2"},
						   {"reg_io_width", "4"},
						   {0}};
	struct fixture f;

	fixture_make(&f, &ns16550_component, wide);
	fixture_backend(&f, &fake_char_component, NULL);
	assert_int_equal(fixture_start(&f), 0);
	fixture_write(&f, BASE + 4 * SCR, 4, 0x12345678);
	assert_int_equal(fixture_read(&f, BASE + 4 * SCR, 4), 0x78);
	assert_int_equal(fixture_read(&f, BASE + 4 * SCR, 1), 0x78);
	fixture_write(&f, BASE + 4 * SCR + 1, 1, 0xff);
	assert_int_equal(fixture_read(&f, BASE + 4 * SCR + 1, 1), 0);
	assert_int_equal(fixture_read(&f, BASE + 4 * SCR, 4), 0x78);
	fixture_write(&f, BASE, 4, 'x');
	fake_char_expect(&f, "x");
	fixture_drop(&f);
}

static void test_width_refused(void **state)
{
	static const struct fixture_prop bad[][5] = {
		{{"address", "0x09000000"}, {"clock", "24MHz"}, {"reg_io_width", "4"}, {0}},
		{{"address", "0x09000000"}, {"reg_shift", "2"}, {"reg_io_width", "3"}, {0}},
	};
	struct fixture f;

	for (unsigned i = 0; i < 2; i++) {
		fixture_make(&f, &ns16550_component, bad[i]);
		fixture_backend(&f, &fake_char_component, NULL);
		assert_int_equal(fixture_start(&f), -EINVAL);
		fixture_drop(&f);
	}
}

static void test_dt(void **state)
{
	struct fixture f;
	void *fdt = malloc(4096);
	struct dt dt = {.fdt = fdt};
	const fdt32_t *p;
	int n, len;

	start(&f);
	assert_int_equal(fdt_create_empty_tree(fdt, 4096), 0);
	assert_int_equal(f.dev->c->dt(f.dev, &dt), 0);
	assert_int_equal(dt.error, 0);
	n = fdt_path_offset(fdt, "/serial@9000000");
	assert_true(n > 0);
	assert_int_equal(fdt_node_check_compatible(fdt, n, "ns16550a"), 0);
	p = fdt_getprop(fdt, n, "clock-frequency", &len);
	assert_int_equal(fdt32_to_cpu(*p), 1843200);
	free(fdt);
	fixture_drop(&f);
}

static void test_hammer(void **state)
{
	struct fixture f;

	start(&f);
	for (unsigned i = 1; i < 50; i++) {
		fake_char(&f)->room = i % 3 ? 20 : 0;
		fake_char(&f)->typed = "some input for it";
		fixture_hammer(&f, BASE, 8, 400, i);
		fake_char_break(&f);
		fixture_run(&f, 0);
		if (i % 5 == 0)
			dev_reset(f.dev);
	}
	fixture_drop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reset_values),
		cmocka_unit_test(test_divisor),
		cmocka_unit_test(test_transmitter_empty),
		cmocka_unit_test(test_transmit_fifo),
		cmocka_unit_test(test_receive),
		cmocka_unit_test(test_receive_fifo),
		cmocka_unit_test(test_fifo_clear),
		cmocka_unit_test(test_break),
		cmocka_unit_test(test_overrun),
		cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_priorities),
		cmocka_unit_test(test_stride),
		cmocka_unit_test(test_width_refused),
		cmocka_unit_test(test_dt),
		cmocka_unit_test(test_hammer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Checked boards: what is refused and what is said about it; instances, their order, and the device
 * tree of the boards that are installed. */
#include "board/board.h"
#include "pe/set.h"
#include "util/buf.h"
#include "util/err.h"
#include "util/xalloc.h"

#include <errno.h>
#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CPU_LINE   "CPU#name=cpu;count=2"
#define RAM_LINE   "RAM#name=ram;address=0x40000000;size=16"
#define GIC_LINE   "GICV3#name=gic;dist=0x8000000;redist=0x80a0000;root=true"
#define CLOCK_LINE "CLOCK#name=clk;frequency=24MHz"
#define UART	   "PL011#name=uart0;address=0x9000000;irq=spi:1@gic;uartclk=clk;apb_pclk=clk"

static const char *const good[] = {CPU_LINE, RAM_LINE, GIC_LINE, CLOCK_LINE, UART, NULL};

struct rig {
	struct board *b;
	struct err e;
	struct dev_host host;
};

static int setup(void **state)
{
	struct rig *r = xcalloc(1, sizeof(*r));

	r->b = board_create();
	r->host.mem = mem_space_create();
	r->host.pes = pe_set_create(2, 3);
	r->host.seed = 1;
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	board_destroy(r->b);
	pe_set_destroy(r->host.pes);
	mem_space_destroy(r->host.mem);
	err_free(&r->e);
	free(r);
	return 0;
}

/* Line @n of a board is said to be at "N". */
static void lines(struct rig *r, const char *const *text)
{
	for (unsigned n = 1; *text; n++, text++) {
		char where[8];

		snprintf(where, sizeof(where), "%u", n);
		assert_int_equal(board_line(r->b, *text, where, &r->e), 0);
	}
}

static void line(struct rig *r, const char *text)
{
	assert_int_equal(board_line(r->b, text, "x", &r->e), 0);
}

/* Exactly one mistake, of which the text and the hint (if any is expected) mention this. */
static void assert_only(struct rig *r, const char *where, const char *text, const char *hint)
{
	const struct err_item *i = r->e.items;

	assert_true(board_check(r->b, &r->e) < 0);
	i = r->e.items;
	if (r->e.count != 1)
		err_print(&r->e, stderr);
	assert_int_equal(r->e.count, 1);
	assert_string_equal(i->where, where);
	if (!strstr(i->text, text))
		fail_msg("\"%s\" does not mention \"%s\"", i->text, text);
	if (hint && (!i->hint || !strstr(i->hint, hint)))
		fail_msg("\"%s\" does not mention \"%s\"", i->hint ? i->hint : "(none)", hint);
}

/* ---- what is refused ---- */

static void test_good(void **state)
{
	struct rig *r = *state;

	lines(r, good);
	assert_int_equal(board_check(r->b, &r->e), 0);
	assert_int_equal(board_check(r->b, &r->e), 0);
	assert_false(err_any(&r->e));
}

/* Each line makes one mistake in an otherwise good board. */
static void test_one_mistake(void **state)
{
	static const struct {
		const char *line, *where, *text, *hint;
	} cases[] = {
		{"PL01#address=0", "x:1", "PL01", "PL011"},
		{"PL031@ARN#address=0x9010000", "x:1", "ARN", "PL031@ARM"},
		{"QWERTYUIOP", "x:1", "QWERTYUIOP", "list components"},
		{"hostmem#size=1", "x:1", "back end", "||"},
		{"PL031#adress=0x9010000;address=1", "x:7", "adress", "\"address\""},
		{"PL031#address=zero", "x:15", "address", NULL},
		{"PL031#address=", "x:15", "address", NULL},
		{"PL031#irq=spi:2@gic", "x:1", "\"address\"", NULL},
		{"CLOCK#frequency=0", "x:17", "frequency", NULL},
		{"CPU#name=cpu;count=9", "x:20", "count", NULL},
		{"CPU#name=cpu;model=cortex-a53x", "x:20", "model", NULL},
		{"RAM#address=0x80000000;size=1;secure=maybe", "x:38", "secure", NULL},
		{"PL031#address=0x9010000;irq=spi:2", "x:29", "wire", "KIND:NUMBER@NAME"},
		{"PL031#address=0x9010000;irq=spi@gic", "x:29", "wire", NULL},
		{"PL031#address=0x9010000;irq=spi:-1@gic", "x:29", "wire", NULL},
		{"PL031#address=0x9010000;irq=spi:99999999999@gic", "x:29", "wire", NULL},
		{"PL031#address=0x9010000;irq=spi:2@gid", "x:29", "gid", "\"gic\""},
		{"PL031#address=0x9010000;irq=spi:988@gic", "x:29", "spi:988", "0 to"},
		{"PL031#address=0x9010000;irq=spi:256@gic", "x:29", "spi:256",
		 "0 to 255; gic.spis can be up to 960"},
		{"PL031#address=0x9010000;irq=ppi:16@gic", "x:29", "ppi:16", "0 to 15"},
		{"PL031#address=0x9010000;irq=pin:1@gic", "x:29", "pin", "spi, ppi"},
		{"PL031#address=0x9010000;irq=spi:1@ram", "x:29", "ram", NULL},
		{"PL031#address=0x9010000;irq=spi:1@gic", "x:29", "\"uart0\" (5:", NULL},
		{"PL031#address=0x9010000;apb_pclk=clock", "x:34", "clock", NULL},
		{"PL031#address=0x9010000;apb_pclk=ram", "x:34", "not a clock", NULL},
		{"CLOCK#frequency=1||null", "x:20", "no back end", NULL},
		{"PL011#address=0x9010000||hostmem", "x:26", "characters", "||null"},
		{"PL011#address=0x9010000||nul", "x:26", "nul", "\"null\""},
		{"PL011#address=0x9010000||PL031", "x:26", "not a back end", NULL},
		{"PL011#address=0x9010000||null#a=b", "x:31", "\"a\"", NULL},
		{"PL011#address=0x9010000||file#pat=b", NULL, NULL,
		 NULL}, /* two: path is missing */
		{"VIRTIO-BLK#address=0xa000000;irq=spi:9@gic", "x:1", "needs a back end",
		 "||rawfile"},
		{"MACHINE#console=uart1", "x:17", "uart1", "\"uart0\""},
		{"CPU#name=more", "x:1", "second CPU", "count"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rig *r;

		setup((void **)&r);
		lines(r, good);
		line(r, cases[i].line);
		if (cases[i].where) {
			assert_only(r, cases[i].where, cases[i].text, cases[i].hint);
		} else {
			assert_true(board_check(r->b, &r->e) < 0);
			assert_int_equal(r->e.count, 2);
		}
		teardown((void **)&r);
	}
}

static void test_missing(void **state)
{
	struct rig *r = *state;

	line(r, CLOCK_LINE);
	assert_true(board_check(r->b, &r->e) < 0);
	assert_int_equal(r->e.count, 2);
	assert_non_null(strstr(r->e.items[0].text, "no RAM"));
	assert_non_null(strstr(r->e.items[1].text, "no CPU"));
	assert_non_null(r->e.items[0].hint);
	assert_non_null(r->e.items[1].hint);
}

/* All of them in one run, in order. */
static void test_several(void **state)
{
	static const char *const text[] = {CPU_LINE,
					   RAM_LINE,
					   "GICV4#name=gic",
					   "CLOCK#frequncy=1",
					   "PL031#address=1;irq=spi:1@gic;apb_pclk=clk",
					   NULL};
	struct rig *r = *state;

	lines(r, text);
	assert_true(board_check(r->b, &r->e) < 0);
	assert_int_equal(r->e.count, 4);
	assert_string_equal(r->e.items[0].where, "3:1");
	assert_string_equal(r->e.items[1].where, "4:7");
	assert_string_equal(r->e.items[2].where, "4:1");
	assert_string_equal(r->e.items[3].where, "5:40");
}

/* The number of inputs is that of the controller, not what its type can have. */
static void test_inputs(void **state)
{
	struct rig *r = *state;

	lines(r, good);
	line(r, "GICV3#name=gic;spis=288");
	line(r, "PL031#name=rtc;address=0x9010000;irq=spi:287@gic");
	assert_int_equal(board_check(r->b, &r->e), 0);
	line(r, "PL031#name=rtc;irq=spi:288@gic");
	assert_only(r, "x:20", "no input spi:288", "0 to 287");
	err_free(&r->e);
	line(r, "GICV3#name=gic;spis=1000"); /* one mistake, reported once */
	assert_only(r, "x:21", "spis", "32 to 960");
}

/* There is one terminal; both places are named. */
static void test_exclusive_backend(void **state)
{
	struct rig *r = *state;

	lines(r, good);
	line(r, "PL011#name=uart0||stdio");
	assert_int_equal(board_check(r->b, &r->e), 0);
	line(r, "PL011#name=uart1;address=0x9010000||null");
	line(r, "PL011#name=uart2;address=0x9020000||null");
	assert_int_equal(board_check(r->b, &r->e), 0);
	assert_int_equal(board_set_backend(r->b, "uart2", "stdio", "--serial", &r->e), 0);
	assert_only(r, "--serial", "\"uart2\" cannot have stdio, which \"uart0\" has (x:19)",
		    "||file, ||null, ||pty, ||socket");
}

static void test_circle(void **state)
{
	struct rig *r = *state;

	lines(r, good);
	line(r, "PL061#name=a;address=0x9030000;out1=gpio:1@b");
	line(r, "PL061#name=b;address=0x9040000;out1=gpio:1@c");
	line(r, "PL061#name=c;address=0x9050000;out1=gpio:1@a");
	assert_only(r, "x:1", "lead back", NULL);
}

static void test_self_wire(void **state)
{
	struct rig *r = *state;

	lines(r, good);
	line(r, "PL061#name=a;address=0x9030000;out1=gpio:1@a");
	assert_only(r, "x:1", "lead back to \"a\"", NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_good),    TEST(test_one_mistake), TEST(test_missing),
		TEST(test_several), TEST(test_inputs),	    TEST(test_exclusive_backend),
		TEST(test_circle),  TEST(test_self_wire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

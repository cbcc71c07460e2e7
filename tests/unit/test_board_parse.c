/* SPDX-License-Identifier: Apache-2.0 */
/* Text of boards: object lines, files, include, remove, updates, assignments; where mistakes are said to be. */
#include "board/ir.h"
#include "util/err.h"
#include "util/xalloc.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* One board, its mistakes, and a folder for its files. */
struct rig {
	struct board *b;
	struct err e;
	char dir[32];
	char path[64];
};

static int setup(void **state)
{
	struct rig *r = xcalloc(1, sizeof(*r));

	strcpy(r->dir, "/tmp/board.XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	r->b = board_create();
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;
	char *command = xasprintf("rm -rf '%s'", r->dir);

	board_destroy(r->b);
	err_free(&r->e);
	assert_int_equal(system(command), 0);
	free(command);
	free(r);
	return 0;
}

static int add(struct rig *r, const char *line)
{
	return board_line(r->b, line, "-vobj", &r->e);
}

static const char *prop(const struct rig *r, const char *object, const char *name)
{
	const struct board_object *o = board_object_find(r->b, object);
	const struct board_prop *p = o ? board_part_prop(&o->self, name) : NULL;

	return p ? p->value : NULL;
}

static const char *backend_prop(const struct rig *r, const char *object, const char *name)
{
	const struct board_object *o = board_object_find(r->b, object);
	const struct board_prop *p = o && o->backend ? board_part_prop(o->backend, name) : NULL;

	return p ? p->value : NULL;
}

/* A file in the rig's folder; the path is valid until the next call. */
static const char *file(struct rig *r, const char *name, const char *text)
{
	FILE *f;

	snprintf(r->path, sizeof(r->path), "%s/%s", r->dir, name);
	f = fopen(r->path, "w");
	assert_non_null(f);
	assert_int_equal(fputs(text, f) >= 0, 1);
	fclose(f);
	return r->path;
}

/* The mistake number @i is at @where ("FILE:" of the rig's folder is left out) and mentions @text. */
static void assert_mistake(const struct rig *r, int i, const char *where, const char *text)
{
	const char *at;

	assert_true(i < r->e.count);
	at = r->e.items[i].where;
	if (!strncmp(at, r->dir, strlen(r->dir)))
		at += strlen(r->dir) + 1;
	assert_string_equal(at, where);
	if (!strstr(r->e.items[i].text, text))
		fail_msg("\"%s\" does not mention \"%s\"", r->e.items[i].text, text);
}

static void assert_hint(const struct rig *r, int i, const char *text)
{
	assert_true(i < r->e.count && r->e.items[i].hint);
	if (!strstr(r->e.items[i].hint, text))
		fail_msg("\"%s\" does not mention \"%s\"", r->e.items[i].hint, text);
}

/* ---- objects ---- */

static void test_object(void **state)
{
	struct rig *r = *state;
	const struct board_object *o;

	assert_int_equal(
		add(r, "PL011@ARM#name=u;address=0x9000000;irq=spi:1@gic||file#path=x;append=on"),
		0);
	o = board_object_find(r->b, "u");
	assert_non_null(o);
	assert_string_equal(o->self.type, "PL011");
	assert_string_equal(o->self.vendor, "ARM");
	assert_string_equal(prop(r, "u", "address"), "0x9000000");
	assert_string_equal(prop(r, "u", "irq"), "spi:1@gic");
	assert_null(prop(r, "u", "name"));
	assert_string_equal(o->backend->type, "file");
	assert_string_equal(backend_prop(r, "u", "path"), "x");
	assert_string_equal(backend_prop(r, "u", "append"), "on");
}

/* The object lines of the architecture page. */
static void test_examples(void **state)
{
	struct rig *r = *state;

	assert_int_equal(add(r, "RAM#address=0x4000000||hostmem#size=4"), 0);
	assert_int_equal(add(r, "AP806@MARVELL#address=0xf0000000"), 0);
	assert_int_equal(add(r, "GIC@QEMU#name=main_gic;root=true"), 0);
	assert_int_equal(add(r, "PL011#uartclk=main_clock;apb_pclk=main_clock;irq=spi:1@main_gic"),
			 0);
	assert_string_equal(backend_prop(r, "ram", "size"), "4");
	assert_string_equal(prop(r, "ap806", "address"), "0xf0000000");
	assert_string_equal(prop(r, "main_gic", "root"), "true");
	assert_string_equal(prop(r, "pl011", "irq"), "spi:1@main_gic");
}

/* Without a name: the type in lower case, numbered when taken. */
static void test_default_name(void **state)
{
	struct rig *r = *state;

	assert_int_equal(add(r, "CLOCK"), 0);
	assert_int_equal(add(r, "CLOCK#frequency=2"), 0);
	assert_int_equal(add(r, "RAM#name=clock2"), 0);
	assert_int_equal(add(r, "CLOCK#frequency=3"), 0);
	assert_non_null(board_object_find(r->b, "clock"));
	assert_string_equal(prop(r, "clock1", "frequency"), "2");
	assert_string_equal(prop(r, "clock3", "frequency"), "3");
}

static void test_values(void **state)
{
	static const struct {
		const char *text, *value;
	} cases[] = {
		{"X#name=x;a=1", "1"},
		{"X#name=x;a=", ""},
		{"X#name=x;a=  two words  ", "two words"},
		{"X # name = x ; a = 1 || null", "1"},
		{"X#name=x;a=b\\;c\\|d\\#e\\\"f\\\\g", "b;c|d#e\"f\\g"},
		{"X#name=x;a=\"b;c||d#e\"", "b;c||d#e"},
		{"X#name=x;a=\"\\\"b\\\\\" ||null", "\"b\\"},
		{"X#name=x;a=\"  \"", "  "},
		{"X#name=x;a=b\\|\\|c||null", "b||c"},
		{"X#name=x;a=root=/dev/vda console=ttyAMA0", "root=/dev/vda console=ttyAMA0"},
		{"\"X#name=x;a=1\"", "1"},
		{"\"X#name=x;a=\\\"b;c\\\"||null\"", "b;c"},
		{"  \"X#name=x;a=b\\\\;c\"  ", "b;c"},
	};
	struct rig *r = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(add(r, cases[i].text), 0);
		assert_non_null(prop(r, "x", "a"));
		assert_string_equal(prop(r, "x", "a"), cases[i].value);
	}
	assert_false(err_any(&r->e));
}

static void test_nothing(void **state)
{
	struct rig *r = *state;

	assert_int_equal(add(r, ""), 0);
	assert_int_equal(add(r, " \t "), 0);
	assert_int_equal(add(r, "# X#a=b"), 0);
	assert_int_equal(add(r, "  # remove nothing"), 0);
	assert_int_equal(add(r, "\r"), 0);
	assert_null(r->b->objects);
}

/* Mistakes of form change nothing, and are said to be at the character that does not fit. */
static void test_bad_form(void **state)
{
	static const struct {
		const char *text;
		unsigned col;
	} cases[] = {
		{"#=", 0},
		{"@V", 1},
		{"X@", 3},
		{"X@#a=b", 3},
		{"X#", 3},
		{"X#;a=b", 3},
		{"X#a=b;", 7},
		{"X#a", 3},
		{"X#=b", 3},
		{"X#a=b;a=c", 7},
		{"X#a=b#c=d", 6},
		{"X#a=b|c", 6},
		{"X#a=b\"c", 6},
		{"X#a=\"b", 5},
		{"X#a=\"b\"c", 8},
		{"X#a=b\\", 6},
		{"X#a=b\\n", 6},
		{"X||", 4},
		{"X||Y||Z", 5},
		{"X||Y#name=z", 6},
		{"X y", 3},
		{"X=y", 2},
		{"X#name=1", 8},
		{"X#name=", 8},
		{"X#name=a.b", 8},
		{"\"X", 1},
		{"\"X\" y", 5},
		{"\"X#a=b#\"", 7},
		{"X#a=\001", 5},
		{"remove", 7},
		{"include", 8},
		{"include \"\"", 11},
		{"include \"a\" b", 13},
	};
	struct rig *r = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *where = xasprintf("-vobj:%u", cases[i].col);
		int before = r->e.count;

		if (!cases[i].col) { /* looks odd, but is a comment */
			assert_int_equal(add(r, cases[i].text), 0);
		} else {
			if (!add(r, cases[i].text) || r->e.count != before + 1)
				fail_msg("\"%s\" is taken", cases[i].text);
			if (strcmp(r->e.items[before].where, where))
				fail_msg("\"%s\" is wrong at %s, not %s", cases[i].text, where,
					 r->e.items[before].where);
		}
		assert_null(r->b->objects);
		free(where);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_object), TEST(test_examples), TEST(test_default_name),
		TEST(test_values), TEST(test_nothing),	TEST(test_bad_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

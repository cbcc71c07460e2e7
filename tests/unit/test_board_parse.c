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

/* ---- later lines ---- */

static void test_update(void **state)
{
	struct rig *r = *state;

	assert_int_equal(add(r, "RAM#name=ram;address=1;size=2||hostmem#size=3;path=p"), 0);
	assert_int_equal(add(r, "RAM#name=ram;size=4"), 0);
	assert_string_equal(prop(r, "ram", "address"), "1");
	assert_string_equal(prop(r, "ram", "size"), "4");
	assert_string_equal(backend_prop(r, "ram", "size"), "3");
	assert_int_equal(add(r, "RAM#name=ram||hostmem#size=5"), 0);
	assert_string_equal(backend_prop(r, "ram", "size"), "5");
	assert_string_equal(backend_prop(r, "ram", "path"), "p");
	assert_int_equal(r->b->object_count, 1);
}

/* Another back end does not inherit properties of the one before. */
static void test_replace_backend(void **state)
{
	struct rig *r = *state;

	assert_int_equal(add(r, "PL011#name=u||file#path=p"), 0);
	assert_int_equal(add(r, "PL011#name=u||pty"), 0);
	assert_string_equal(board_object_find(r->b, "u")->backend->type, "pty");
	assert_null(backend_prop(r, "u", "path"));
}

static void test_update_other_type(void **state)
{
	struct rig *r = *state;

	assert_int_equal(add(r, "GICV3@ARM#name=gic;dist=1"), 0);
	assert_int_not_equal(add(r, "GICV2#name=gic;dist=2"), 0);
	assert_mistake(r, 0, "-vobj:1", "GICV3");
	assert_hint(r, 0, "remove gic");
	assert_int_not_equal(add(r, "GICV3@OTHER#name=gic;dist=2"), 0);
	assert_string_equal(prop(r, "gic", "dist"), "1");
	assert_int_equal(add(r, "GICV3#name=gic;dist=3"), 0);
	assert_string_equal(prop(r, "gic", "dist"), "3");
}

static void test_remove(void **state)
{
	struct rig *r = *state;

	assert_int_equal(add(r, "GICV3#name=gic;dist=1"), 0);
	assert_int_equal(add(r, "CLOCK#name=clk"), 0);
	assert_int_equal(add(r, "remove gic"), 0);
	assert_null(board_object_find(r->b, "gic"));
	assert_int_equal(add(r, "GICV2#name=gic;cpu=1"), 0);
	assert_null(prop(r, "gic", "dist"));
	assert_int_not_equal(add(r, "remove gicc"), 0);
	assert_mistake(r, 0, "-vobj:8", "gicc");
	assert_hint(r, 0, "\"gic\"");
	assert_int_equal(r->b->object_count, 2);
}

static void test_set(void **state)
{
	struct rig *r = *state;

	assert_int_equal(add(r, "PL031#name=rtc;address=1"), 0);
	assert_int_equal(board_set(r->b, "rtc.address=2", "--set", &r->e), 0);
	assert_string_equal(prop(r, "rtc", "address"), "2");
	assert_int_equal(board_set(r->b, "rtc.irq=spi:1@a=b.c", "--set", &r->e), 0);
	assert_string_equal(prop(r, "rtc", "irq"), "spi:1@a=b.c");
	assert_int_equal(add(r, "RAM#name=ram;address=1"), 0);
	assert_int_equal(board_set(r->b, "ram.size=2", "--set", &r->e), 0);
	assert_string_equal(prop(r, "ram", "size"), "2");
	assert_int_equal(board_set(r->b, "ram.prealloc=on", "--set", &r->e), 0);
	assert_string_equal(backend_prop(r, "ram", "prealloc"), "on");
	assert_false(err_any(&r->e));
}

static void test_bad_set(void **state)
{
	struct rig *r = *state;
	static const char *const bad[] = {"",	  "=",	 ".",	    "a=b",   "a.=b",
					  ".b=c", "rtc", "rtc.irq", "rtc=.a"};

	assert_int_equal(add(r, "PL031#name=rtc;address=1"), 0);
	assert_int_equal(board_set(r->b, "rtcc.address=2", "--set 1", &r->e), -ENOENT);
	assert_int_equal(board_set(r->b, "rtc.adress=2", "--set 2", &r->e), -ENOENT);
	assert_mistake(r, 0, "--set 1", "rtcc");
	assert_hint(r, 0, "\"rtc\"");
	assert_mistake(r, 1, "--set 2", "adress");
	assert_hint(r, 1, "\"address\"");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(board_set(r->b, bad[i], "--set", &r->e), -EINVAL);
	assert_int_equal(board_set_prop(r->b, "none", "count", "2", "--smp", &r->e), -ENOENT);
	assert_string_equal(prop(r, "rtc", "address"), "1");
}

/* ---- what options do ---- */

static void test_get_prop(void **state)
{
	struct rig *r = *state;

	assert_int_equal(add(r, "PL011#name=u;address=1||file#path=p"), 0);
	assert_string_equal(board_get_prop(r->b, "u", "address"), "1");
	assert_string_equal(board_get_prop(r->b, "u", "path"), "p");
	assert_null(board_get_prop(r->b, "u", "irq"));
	assert_null(board_get_prop(r->b, "v", "address"));
}

static void test_set_backend(void **state)
{
	struct rig *r = *state;
	const struct board_object *o;

	assert_int_equal(add(r, "PL011#name=u;address=1||file#path=p;append=on"), 0);
	assert_int_equal(board_set_backend(r->b, "u", "file#path=q", "--serial", &r->e), 0);
	assert_string_equal(backend_prop(r, "u", "path"), "q");
	assert_null(backend_prop(r, "u", "append"));
	assert_int_equal(board_set_backend(r->b, "v", "null", "--serial", &r->e), -ENOENT);
	assert_false(err_any(&r->e));
	assert_true(board_set_backend(r->b, "u", "file#path", "--serial", &r->e) < 0);
	assert_true(board_set_backend(r->b, "u", "null||null", "--serial", &r->e) < 0);
	assert_int_equal(r->e.count, 2);
	o = board_object_find(r->b, "u");
	assert_string_equal(o->backend->type, "file");
}

/* The last free slot is taken; its object keeps name, place in the list, address and interrupt. */
static void test_plug(void **state)
{
	struct rig *r = *state;
	const struct board_object *o;

	for (int i = 0; i < 2; i++) {
		char text[64];

		snprintf(text, sizeof(text), "VIRTIO-MMIO#name=v%d;address=%d;irq=spi:%d@gic", i, i,
			 i);
		assert_int_equal(add(r, text), 0);
	}
	assert_int_equal(add(r, "CLOCK#name=clk"), 0);
	assert_int_equal(board_plug(r->b, "VIRTIO-MMIO", "VIRTIO-BLK#serial=a||rawfile#path=x",
				    "--drive 1", &r->e),
			 0);
	assert_int_equal(
		board_plug(r->b, "VIRTIO-MMIO", "VIRTIO-NET#irq=spi:9@gic||user", "--net", &r->e),
		0);
	o = board_object_find(r->b, "v1");
	assert_string_equal(o->self.type, "VIRTIO-BLK");
	assert_string_equal(o->where, "--drive 1:1");
	assert_string_equal(prop(r, "v1", "address"), "1");
	assert_string_equal(prop(r, "v1", "serial"), "a");
	assert_string_equal(backend_prop(r, "v1", "path"), "x");
	assert_string_equal(o->next->name, "clk");
	assert_string_equal(board_object_find(r->b, "v0")->self.type, "VIRTIO-NET");
	assert_string_equal(prop(r, "v0", "irq"), "spi:9@gic");
	assert_false(err_any(&r->e));
	assert_int_equal(board_plug(r->b, "VIRTIO-MMIO", "VIRTIO-RNG", "--rng", &r->e), -ENOSPC);
	assert_non_null(strstr(r->e.items[0].text, "free slot"));
}

static void test_bad_plug(void **state)
{
	static const char *const bad[] = {"", "VIRTIO-RNG#", "VIRTIO-RNG#name=x", "X||", "X||Y||Z"};
	struct rig *r = *state;

	assert_int_equal(add(r, "VIRTIO-MMIO#name=v0;address=1"), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!board_plug(r->b, "VIRTIO-MMIO", bad[i], "--virtio", &r->e))
			fail_msg("\"%s\" is taken", bad[i]);
	assert_int_equal(r->e.count, sizeof(bad) / sizeof(bad[0]));
	assert_string_equal(board_object_find(r->b, "v0")->self.type, "VIRTIO-MMIO");
}

/* ---- files ---- */

static void test_file(void **state)
{
	struct rig *r = *state;

	assert_int_equal(
		board_load(r->b, file(r, "a.board", "# one\r\n\n X#name=x;a=1\r\nY#name=y"), &r->e),
		0);
	assert_string_equal(prop(r, "x", "a"), "1");
	assert_non_null(board_object_find(r->b, "y"));
	assert_int_equal(board_object_find(r->b, "y")->self.at.line, 4);
	assert_string_equal(board_object_find(r->b, "x")->self.at.dir, r->dir);
}

/* Every mistake of a file is reported, each at its place; the good lines count. */
static void test_file_mistakes(void **state)
{
	struct rig *r = *state;

	assert_int_not_equal(
		board_load(r->b,
			   file(r, "a.board", "X#name=x\n  Y#a\n\nZ#name=z||\nremove q\nY#name=y"),
			   &r->e),
		0);
	assert_int_equal(r->e.count, 3);
	assert_mistake(r, 0, "a.board:2:5", "a");
	assert_mistake(r, 1, "a.board:4:11", "type");
	assert_mistake(r, 2, "a.board:5:8", "q");
	assert_non_null(board_object_find(r->b, "x"));
	assert_non_null(board_object_find(r->b, "y"));
	assert_null(board_object_find(r->b, "z"));
}

static void test_include(void **state)
{
	struct rig *r = *state;
	char *sub = xasprintf("%s/soc", r->dir);

	assert_int_equal(mkdir(sub, 0700), 0);
	file(r, "soc/b.inc", "include \"c.inc\"\nX#name=x;a=2");
	file(r, "soc/c.inc", "X#name=x;a=1\nC#name=c");
	assert_int_equal(
		board_load(r->b, file(r, "a.board", "include soc/b.inc\nremove c\n"), &r->e), 0);
	assert_string_equal(prop(r, "x", "a"), "2");
	assert_string_equal(board_part_prop(&board_object_find(r->b, "x")->self, "a")->at.dir, sub);
	assert_null(board_object_find(r->b, "c"));
	free(sub);
}

/* The same file twice is no circle. */
static void test_include_twice(void **state)
{
	struct rig *r = *state;

	file(r, "b.inc", "X#name=x");
	assert_int_equal(
		board_load(r->b, file(r, "a.board", "include b.inc\ninclude b.inc"), &r->e), 0);
	assert_int_equal(r->b->object_count, 1);
}

static void test_include_circle(void **state)
{
	struct rig *r = *state;

	file(r, "b.inc", "\n include ./a.board");
	assert_int_equal(board_load(r->b, file(r, "a.board", "include b.inc\nX#name=x"), &r->e),
			 -ELOOP);
	assert_int_equal(r->e.count, 1);
	assert_mistake(r, 0, "b.inc:2:10", "includes itself");
	assert_non_null(board_object_find(r->b, "x"));
}

static void test_include_depth(void **state)
{
	struct rig *r = *state;

	for (int i = 0; i <= BOARD_INCLUDE_DEPTH; i++) {
		char name[16], text[32];

		snprintf(name, sizeof(name), "%d.board", i);
		snprintf(text, sizeof(text), "include %d.board", i + 1);
		file(r, name, i == BOARD_INCLUDE_DEPTH ? "X#name=x" : text);
	}
	snprintf(r->path, sizeof(r->path), "%s/1.board", r->dir);
	assert_int_equal(board_load(r->b, r->path, &r->e), 0);
	snprintf(r->path, sizeof(r->path), "%s/0.board", r->dir);
	assert_int_equal(board_load(r->b, r->path, &r->e), -ELOOP);
	assert_mistake(r, 0, "15.board:1:9", "levels deep");
}

static void test_include_missing(void **state)
{
	struct rig *r = *state;

	assert_int_equal(board_load(r->b, file(r, "a.board", "include none\ninclude .\n"), &r->e),
			 -ENOENT);
	assert_int_equal(r->e.count, 2);
	assert_mistake(r, 0, "a.board:1:9", "none");
	assert_mistake(r, 1, "a.board:2:9", "not a file");
}

static void test_load_missing(void **state)
{
	struct rig *r = *state;

	assert_int_equal(board_load(r->b, "/nowhere/x.board", &r->e), -ENOENT);
	assert_int_equal(board_load(r->b, "vird", &r->e), -ENOENT);
	assert_int_equal(r->e.count, 2);
}

static void note_name(void *opaque, const char *name, const char *doc)
{
	struct rig *r = opaque;

	if (!strcmp(name, "zz-own"))
		assert_string_equal(doc, "What it is");
	if (!strcmp(name, "zz-own"))
		r->path[0] = '!';
}

/* Boards by name: a folder in $OBVERSE_BOARDS comes first. */
static void test_installed(void **state)
{
	struct rig *r = *state;

	setenv("OBVERSE_BOARDS", r->dir, 1);
	file(r, "zz-own.board", "# SPDX-License-Identifier: Apache-2.0\n# What it is\nX#name=x");
	assert_int_equal(board_load(r->b, "zz-own", &r->e), 0);
	assert_non_null(board_object_find(r->b, "x"));
	board_list(note_name, r);
	assert_int_equal(r->path[0], '!');
	assert_int_equal(board_load(r->b, "zz-onw", &r->e), -ENOENT);
	assert_hint(r, 0, "zz-own");
	unsetenv("OBVERSE_BOARDS");
}

/* ---- hostile text ---- */

static void test_limits(void **state)
{
	struct rig *r = *state;
	char *s = xcalloc(1, BOARD_LINE_MAX + 2);

	memset(s, 'X', BOARD_LINE_MAX + 1);
	assert_int_not_equal(add(r, s), 0);
	assert_mistake(r, 0, "-vobj:1", "too long");
	assert_true(strlen(r->e.items[0].text) < 200);
	free(s);
	for (int i = 0; i < BOARD_OBJECTS_MAX; i++) {
		char text[32];

		snprintf(text, sizeof(text), "X#name=x%d", i);
		assert_int_equal(add(r, text), 0);
	}
	assert_int_equal(add(r, "X#name=y"), -E2BIG);
	assert_int_equal(add(r, "X#name=x7;a=1"), 0);
}

static void test_many_mistakes(void **state)
{
	struct rig *r = *state;

	for (int i = 0; i < 2 * BOARD_ERRORS_MAX; i++)
		assert_int_not_equal(add(r, "X#"), 0);
	assert_int_equal(r->e.count, BOARD_ERRORS_MAX + 1);
}

static void test_binary(void **state)
{
	struct rig *r = *state;
	FILE *f;

	file(r, "a.board", "");
	f = fopen(r->path, "w");
	assert_non_null(f);
	fwrite("X#name=x\n\0Y\n\xff\xfe#\n", 1, 16, f);
	fclose(f);
	assert_int_not_equal(board_load(r->b, r->path, &r->e), 0);
	assert_int_equal(r->e.count, 2);
	assert_mistake(r, 0, "a.board:2:1", "not a board file");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_object),
					   TEST(test_examples),
					   TEST(test_default_name),
					   TEST(test_values),
					   TEST(test_nothing),
					   TEST(test_bad_form),
					   TEST(test_update),
					   TEST(test_replace_backend),
					   TEST(test_update_other_type),
					   TEST(test_remove),
					   TEST(test_set),
					   TEST(test_bad_set),
					   TEST(test_get_prop),
					   TEST(test_set_backend),
					   TEST(test_plug),
					   TEST(test_bad_plug),
					   TEST(test_file),
					   TEST(test_file_mistakes),
					   TEST(test_include),
					   TEST(test_include_twice),
					   TEST(test_include_circle),
					   TEST(test_include_depth),
					   TEST(test_include_missing),
					   TEST(test_load_missing),
					   TEST(test_installed),
					   TEST(test_limits),
					   TEST(test_many_mistakes),
					   TEST(test_binary)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics of a machine that has not run: the file is whole, devices are asked with their lock held. */
#include "debug/stats.h"

#include "dev/component.h"
#include "hv/fake/fake.h"
#include "util/err.h"
#include "vm/vm.h"

#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const lines[] = {
	"CPU#name=cpu",
	"RAM#name=ram;address=0x40000000;size=16",
	"GICV3#name=gic;dist=0x8000000;redist=0x80a0000",
	"VIRTIO-RNG#name=rng;address=0xa000000;irq=spi:16@gic",
};

struct rig {
	struct vm vm;
	struct component watched; /* of "rng", with other stats() */
	struct err e;
	char path[40];
};

static unsigned asked;

/* The mutex is not recursive: who holds it does not get it. */
static void watch(struct dev *d, void *json_object)
{
	bool locked = pthread_mutex_trylock(&d->lock) == EBUSY;

	if (!locked)
		pthread_mutex_unlock(&d->lock);
	asked++;
	json_object_set_new(json_object, "locked", json_boolean(locked));
}

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct vm *vm = &r->vm;
	struct dev *rng;

	*vm = (struct vm){.hv = &hv_fake_ops, .board = board_create(), .mem = mem_space_create()};
	vm->pes = pe_set_create(1, 3);
	pe_set_configure(vm->pes,
			 &(struct pe_set_config){.hv = vm->hv, .caps = &vm->caps, .mem = vm->mem});
	vm->host = (struct dev_host){.mem = vm->mem, .pes = vm->pes, .loop = loop_create()};
	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(board_line(vm->board, lines[i], "test", &r->e), 0);
	assert_int_equal(board_check(vm->board, &r->e), 0);
	assert_int_equal(board_build(vm->board, &vm->host, &r->e), 0);
	rng = board_dev(vm->board, "rng");
	r->watched = *rng->c;
	r->watched.stats = watch;
	rng->c = &r->watched;
	assert_int_equal(board_init(vm->board, &r->e), 0);
	strcpy(r->path, "/tmp/obverse-stats-XXXXXX");
	close(mkstemp(r->path));
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	unlink(r->path);
	board_destroy(r->vm.board);
	pe_set_destroy(r->vm.pes);
	mem_space_destroy(r->vm.mem);
	loop_destroy(r->vm.host.loop);
	err_free(&r->e);
	free(r);
	return 0;
}

static void test_stats(void **state)
{
	struct rig *r = *state;
	json_t *root, *devices;

	asked = 0;
	assert_int_equal(stats_write(&r->vm, r->path, NULL, &r->e), 0);
	assert_int_equal(asked, 1);
	root = json_load_file(r->path, 0, NULL);
	assert_non_null(root);
	assert_string_equal(json_string_value(json_object_get(root, "backend")), "fake");
	assert_int_equal(json_array_size(json_object_get(root, "pes")), 1);
	devices = json_object_get(root, "devices");
	assert_true(json_is_true(json_object_get(json_object_get(devices, "rng"), "locked")));
	json_decref(root);
}

static void test_unwritable(void **state)
{
	struct rig *r = *state;

	assert_true(stats_write(&r->vm, "/nowhere/stats.json", NULL, &r->e) < 0);
	assert_int_equal(r->e.count, 1);
	assert_non_null(strstr(r->e.items[0].text, "/nowhere/stats.json"));
}

/* ---- stages of the boot ---- */

static void go(const struct hv_watch *w, unsigned el, bool secure, uint64_t pc)
{
	struct hv_place p = {.va = pc, .pa = pc, .el = (uint8_t)el, .secure = secure};

	w->place(w->opaque, 0, &p);
}

static json_int_t number(const json_t *o, const char *what, const char *name)
{
	return json_integer_value(json_object_get(json_object_get(o, what), name));
}

static void test_stages(void **state)
{
	struct rig *r = *state;
	const struct hv_watch *w = pe_set_count_stages(r->vm.pes);
	json_t *stages, *bl1, *bl2, *normal;

	go(w, 3, true, 0);
	w->carried_out(w->opaque, 0, 0xd51e1100); /* MSR SCR_EL3, X0 */
	w->carried_out(w->opaque, 0, 0xd51e1115); /* MSR SCR_EL3, X21 */
	w->carried_out(w->opaque, 0,
		       0xd50e8702); /* TLBI ALLE3 with a register that does not count */
	w->carried_out(w->opaque, 0, 0xd50344ff); /* MSR DAIFClr, #4 */
	w->carried_out(w->opaque, 0, 0xd503205f);
	w->carried_out(w->opaque, 0, 0xd69f03e0);
	w->inner(w->opaque, 0, HV_INNER_CODE);
	go(w, 1, true, 0x100);
	w->carried_out(w->opaque, 0, 0xd4000003);
	go(w, 3, true, 0x400);
	go(w, 2, false, 0x40000000);
	go(w, 3, true, 0x400);
	w->carried_out(w->opaque, 0, 0xd51e1100);
	stages = stats_stages(&r->vm);
	assert_int_equal(json_array_size(stages), 3);
	bl1 = json_array_get(stages, 0);
	bl2 = json_array_get(stages, 1);
	assert_string_equal(json_string_value(json_object_get(bl1, "name")), "bl1");
	assert_string_equal(json_string_value(json_object_get(bl1, "world")), "secure");
	assert_int_equal(json_integer_value(json_object_get(bl1, "entries")), 3);
	assert_int_equal(number(bl1, "interceptions", "msr SCR_EL3"), 3);
	assert_int_equal(number(bl1, "interceptions", "tlbi alle3"), 1);
	assert_int_equal(number(bl1, "interceptions", "msr DAIFClr"), 1);
	assert_int_equal(number(bl1, "interceptions", "wfe"), 1);
	assert_int_equal(number(bl1, "interceptions", "eret"), 1);
	assert_int_equal(number(bl1, "exits", "code_fault"), 1);
	assert_int_equal(json_integer_value(json_object_get(bl1, "interceptions_total")), 7);
	assert_int_equal(number(bl2, "interceptions", "smc"), 1);
	assert_int_equal(json_object_size(json_object_get(bl2, "interceptions")), 1);
	normal = stats_to_normal(&r->vm);
	assert_int_equal(json_integer_value(json_object_get(normal, "interceptions_total")), 7);
	assert_int_equal(number(normal, "interceptions", "msr SCR_EL3"), 2);
	json_decref(normal);
	json_decref(stages);
}

/* A guest that is intercepted for ever new words does not make us grow without end, and nothing is lost. */
static void test_many_words(void **state)
{
	struct rig *r = *state;
	const struct hv_watch *w = pe_set_count_stages(r->vm.pes);
	json_t *stages;

	go(w, 1, false, 0x40000000);
	for (uint32_t i = 0; i < 100000; i++)
		w->carried_out(w->opaque, 0, i << 12 | 1);
	assert_true(pe_set_stages(r->vm.pes, 0)->capacity <= 1 << 13);
	stages = stats_stages(&r->vm);
	assert_int_equal(json_integer_value(
				 json_object_get(json_array_get(stages, 0), "interceptions_total")),
			 100000);
	json_decref(stages);
}

static void test_summary(void **state)
{
	struct rig *r = *state;
	const struct hv_watch *w;
	char *text;

	assert_null(stats_stages(&r->vm));
	w = pe_set_count_stages(r->vm.pes);
	go(w, 2, false, 0x40000000);
	w->inner(w->opaque, 0, HV_INNER_FP);
	for (unsigned i = 0; i < 7; i++)
		w->carried_out(w->opaque, 0, 0xd5384100 + 0x10000 * (i & 3) + 0x1000 * (i & 4));
	text = stats_summary(&r->vm);
	assert_non_null(strstr(text, "\nns-el2   NS-EL2 "));
	assert_non_null(strstr(text, "\nns-el2   exits: fp_fault 1; intercepted: "));
	assert_non_null(strstr(text, " and 2 others\n"));
	free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_stats),      TEST(test_unwritable), TEST(test_stages),
		TEST(test_many_words), TEST(test_summary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

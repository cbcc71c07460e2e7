/* SPDX-License-Identifier: Apache-2.0 */
#include "util/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *printed(const struct err *e)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	err_print(e, f);
	fclose(f);
	return text;
}

static void test_collect(void **state)
{
	struct err e = ERR_INIT;
	char where[] = "virt.board:12:8";
	char *text;

	assert_false(err_any(&e));
	assert_int_equal(err_code(&e), 0);
	assert_int_equal(err_set(&e, -ENOENT, where, "no \"%s\"", "gic"), -ENOENT);
	where[0] = 'X'; /* copied */
	err_hint(&e, "first %d", 1);
	err_hint(&e, "second");
	assert_int_equal(err_set(&e, -EINVAL, NULL, "100%% wrong"), -EINVAL);
	assert_true(err_any(&e));
	assert_int_equal(e.count, 2);
	assert_int_equal(err_code(&e), -ENOENT);
	text = printed(&e);
	assert_string_equal(text, "obverse: virt.board:12:8: no \"gic\"\n"
				  "    hint: second\n"
				  "obverse: 100% wrong\n");
	free(text);
	err_free(&e);
	assert_false(err_any(&e));
	assert_int_equal(err_set(&e, -EIO, NULL, "again"), -EIO);
	assert_int_equal(e.count, 1);
	err_free(&e);
}

static void test_no_list(void **state)
{
	struct err e = ERR_INIT;
	char *text;

	assert_int_equal(err_set(NULL, -EPERM, "x", "dropped"), -EPERM);
	err_hint(NULL, "dropped");
	assert_false(err_any(NULL));
	assert_int_equal(err_code(NULL), 0);
	text = printed(NULL);
	assert_string_equal(text, "");
	free(text);
	err_free(NULL);
	err_hint(&e, "nothing to attach it to");
	assert_int_equal(e.count, 0);
}

static void test_move(void **state)
{
	struct err to = ERR_INIT, from = ERR_INIT;

	err_move(&to, &from);
	assert_int_equal(to.count, 0);
	err_set(&from, -EIO, "pe1", "first");
	err_hint(&from, "try again");
	err_set(&from, -EINVAL, NULL, "second");
	err_set(&to, -ENOENT, NULL, "before");
	err_move(&to, &from);
	assert_false(err_any(&from));
	assert_int_equal(to.count, 3);
	assert_int_equal(err_code(&to), -ENOENT);
	assert_string_equal(to.items[1].where, "pe1");
	assert_string_equal(to.items[1].hint, "try again");
	assert_string_equal(to.items[2].text, "second");
	err_set(&from, -EIO, NULL, "dropped");
	err_move(NULL, &from);
	assert_false(err_any(&from));
	err_move(&to, NULL);
	assert_int_equal(to.count, 3);
	err_free(&to);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_collect),
		cmocka_unit_test(test_no_list),
		cmocka_unit_test(test_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "util/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_strings(void **state)
{
	struct buf b = BUF_INIT;
	char *s;

	buf_str(&b, "");
	assert_string_equal(b.data, "");
	buf_str(&b, "ab");
	buf_fmt(&b, "-%d-%s", 7, "x");
	buf_add(&b, "\0y", 2);
	assert_int_equal(b.len, 8);
	assert_memory_equal(b.data, "ab-7-x\0y", 9);
	s = buf_take(&b);
	assert_string_equal(s, "ab-7-x");
	free(s);
	assert_null(b.data);
	s = buf_take(&b); /* never NULL */
	assert_string_equal(s, "");
	free(s);
	buf_free(&b);
}

static void test_growth(void **state)
{
	struct buf b = BUF_INIT;
	char big[5000];

	memset(big, 'z', sizeof(big));
	for (unsigned i = 0; i < 10000; i++) {
		buf_add(&b, &i, sizeof(i));
		assert_int_equal(b.data[b.len], 0);
	}
	for (unsigned i = 0; i < 10000; i++)
		assert_memory_equal(b.data + i * sizeof(i), &i, sizeof(i));
	buf_add(&b, big, sizeof(big));
	buf_fmt(&b, "%.*s", (int)sizeof(big), big);
	assert_int_equal(b.len, 40000 + 2 * sizeof(big));
	buf_add(&b, NULL, 0);
	assert_int_equal(b.len, 40000 + 2 * sizeof(big));
	assert_true(b.cap > b.len);
	buf_free(&b);
	assert_int_equal(b.len, 0);
	buf_free(&b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_growth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

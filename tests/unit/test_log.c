/* SPDX-License-Identifier: Apache-2.0 */
#include "util/log.h"

#include "util/err.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/obverse-test-log-XXXXXX";

static int open_log(void **state)
{
	int fd = mkstemp(path);

	return fd < 0 || close(fd) || log_open(path, NULL);
}

static int remove_log(void **state)
{
	return unlink(path);
}

/* All lines so far, without the time; the file begins anew. */
static char *lines(void)
{
	char line[2048];
	char *text = NULL;
	size_t len;
	FILE *in = fopen(path, "r"), *out = open_memstream(&text, &len);

	assert_non_null(in);
	assert_non_null(out);
	while (fgets(line, sizeof(line), in)) {
		char *end = strstr(line, "] ");

		assert_int_equal(line[0], '[');
		assert_non_null(end);
		fputs(end + 2, out);
	}
	fclose(in);
	fclose(out);
	assert_int_equal(log_open(path, NULL), 0);
	return text;
}

static void expect(const char *want)
{
	char *got = lines();

	assert_string_equal(got, want);
	free(got);
}

static void test_channels(void **state)
{
	struct err e = ERR_INIT;

	assert_int_equal(log_set("-all", &e), 0);
	LOG(irq, "not seen");
	expect("");
	assert_int_equal(log_set("irq,,guest_error", &e), 0);
	LOG(irq, "SPI %u raised", 33);
	LOG(pe, "not seen");
	guest_error("uart0", "offset 0x%x", 0x123);
	guest_error("uart0", "no arguments");
	guest_unimp("uart0", "not seen");
	LOG(irq, "own newline\n");
	expect("irq: SPI 33 raised\n"
	       "guest_error: uart0: offset 0x123\n"
	       "guest_error: uart0: no arguments\n"
	       "irq: own newline\n");
	assert_int_equal(log_set("all,-irq", &e), 0);
	LOG(irq, "not seen");
	LOG(pe, "seen");
	expect("pe: seen\n");
	assert_false(err_any(&e));
}

static void test_unknown(void **state)
{
	struct err e = ERR_INIT;

	assert_int_equal(log_set("-all", NULL), 0);
	assert_int_equal(log_set("ir,pe,nonsense,-", &e), -EINVAL);
	assert_int_equal(e.count, 3); /* all of them, and the good one counts */
	assert_non_null(strstr(e.items[0].text, "\"ir\""));
	assert_non_null(strstr(e.items[1].text, "\"nonsense\""));
	assert_true(log_enabled[LOG_pe]);
	err_free(&e);
	assert_int_equal(log_open("/nonexistent/dir/log", &e), -ENOENT);
	assert_int_equal(e.count, 1);
	err_free(&e);
}

static void test_names(void **state)
{
	for (unsigned i = 0; i < LOG_CHANNEL_COUNT; i++) {
		assert_true(strlen(log_channel_name(i)) > 0);
		assert_true(strlen(log_channel_help(i)) > 0);
	}
	assert_string_equal(log_channel_name(LOG_virtio), "virtio");
}

static void test_long_line(void **state)
{
	char big[3000];
	char *got;

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(log_set("pe", NULL), 0);
	LOG(pe, "%s", big);
	LOG(pe, "next");
	got = lines();
	assert_in_range(strlen(got), 400, 600); /* cut, but a line of its own */
	assert_non_null(strstr(got, "x\npe: next\n"));
	free(got);
}

static void *writer(void *opaque)
{
	for (unsigned i = 0; i < 200; i++)
		LOG(pe, "%s", (const char *)opaque);
	return NULL;
}

static void test_threads(void **state)
{
	pthread_t t[2];
	unsigned count = 0;
	char *got, *rest, *line;

	assert_int_equal(log_set("-all,pe", NULL), 0);
	assert_int_equal(pthread_create(&t[0], NULL, writer, (char[]){"aaaaaaaaaaaaaaaaaaaa"}), 0);
	assert_int_equal(pthread_create(&t[1], NULL, writer, (char[]){"bbbbbbbbbbbbbbbbbbbb"}), 0);
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	got = lines();
	for (line = strtok_r(got, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		assert_true(!strcmp(line, "pe: aaaaaaaaaaaaaaaaaaaa") ||
			    !strcmp(line, "pe: bbbbbbbbbbbbbbbbbbbb"));
		count++;
	}
	assert_int_equal(count, 400);
	free(got);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_channels), cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_names),	 cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, open_log, remove_log);
}

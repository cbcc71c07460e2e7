/* SPDX-License-Identifier: Apache-2.0 */
#include "util/parse.h"

#include "util/bits.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct vector {
	const char *text;
	int result;
	uint64_t value;
};

typedef int parse_fn(const char *s, uint64_t *out);

static void check(parse_fn *fn, const struct vector *v, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t got = 0x5a5a;
		int r = fn(v[i].text, &got);
		uint64_t want = v[i].result ? 0x5a5a : v[i].value; /* untouched on failure */

		if (r != v[i].result || got != want)
			fail_msg("\"%s\": %d, %llu instead of %d, %llu", v[i].text, r,
				 (unsigned long long)got, v[i].result, (unsigned long long)want);
	}
}

static void test_u64(void **state)
{
	static const struct vector v[] = {
		{"0", 0, 0},
		{"007", 0, 7},
		{"42", 0, 42},
		{"0x2A", 0, 42},
		{"0Xff", 0, 255},
		{"1_000_000", 0, 1000000},
		{"0xdead_beef", 0, 0xdeadbeef},
		{"18446744073709551615", 0, UINT64_MAX},
		{"0xffffffffffffffff", 0, UINT64_MAX},
		{"18446744073709551616", -ERANGE, 0},
		{"18446744073709551620", -ERANGE, 0},
		{"0x10000000000000000", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"0x", -EINVAL, 0},
		{"0x_1", -EINVAL, 0},
		{"_1", -EINVAL, 0},
		{"1_", -EINVAL, 0},
		{"1__0", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{"+1", -EINVAL, 0},
		{" 1", -EINVAL, 0},
		{"1 ", -EINVAL, 0},
		{"1f", -EINVAL, 0},
		{"0xg", -EINVAL, 0},
		{"1.5", -EINVAL, 0},
		{"\xc3\xa4", -EINVAL, 0},
	};

	check(parse_u64, v, ARRAY_COUNT(v));
}

static int bare_mib(const char *s, uint64_t *out)
{
	return parse_size(s, 1 << 20, out);
}

static int bare_byte(const char *s, uint64_t *out)
{
	return parse_size(s, 0, out);
}

static void test_size(void **state)
{
	static const struct vector mib[] = {
		{"512", 0, 512ULL << 20},  {"512M", 0, 512ULL << 20},
		{"4GiB", 0, 4ULL << 30},   {"4gb", 0, 4ULL << 30},
		{"1T", 0, 1ULL << 40},	   {"100B", 0, 100},
		{"0x10K", 0, 16 << 10},	   {"16777215T", 0, 16777215ULL << 40},
		{"16777216T", -ERANGE, 0}, {"17592186044416", -ERANGE, 0},
		{"1.5G", -EINVAL, 0},	   {"1 G", -EINVAL, 0},
		{"G", -EINVAL, 0},	   {"1Gi", -EINVAL, 0},
		{"1P", -EINVAL, 0},	   {"", -EINVAL, 0},
	};
	static const struct vector byte[] = {{"512", 0, 512}, {"2KiB", 0, 2048}};

	check(bare_mib, mib, ARRAY_COUNT(mib));
	check(bare_byte, byte, ARRAY_COUNT(byte));
}

static void test_freq(void **state)
{
	static const struct vector v[] = {
		{"24000000", 0, 24000000}, {"24MHz", 0, 24000000},
		{"24M", 0, 24000000},	   {"32768Hz", 0, 32768},
		{"62500kHz", 0, 62500000}, {"1G", 0, 1000000000},
		{"MHz", -EINVAL, 0},	   {"24 MHz", -EINVAL, 0},
		{"24MB", -EINVAL, 0},	   {"18446744073709G", -ERANGE, 0},
	};

	check(parse_freq, v, ARRAY_COUNT(v));
}

static void test_duration(void **state)
{
	static const struct vector v[] = {
		{"0", 0, 0},
		{"2", 0, 2000000000},
		{"2s", 0, 2000000000},
		{"1.5s", 0, 1500000000},
		{".5", 0, 500000000},
		{"5.", 0, 5000000000},
		{"250ms", 0, 250000000},
		{"1.005us", 0, 1005}, /* 1004.99... in binary floating point */
		{"0.29us", 0, 290},
		{"7ns", 0, 7},
		{"0.9ns", 0, 0},
		{"0.1234567890123456789999999s", 0, 123456789},
		{"90m", 0, 5400000000000},
		{"2h", 0, 7200000000000},
		{"9223372036.854775807", 0, INT64_MAX},
		{"9223372036.854775808", -ERANGE, 0},
		{"18446744073709551615h", -ERANGE, 0},
		{"99999999999999999999", -ERANGE, 0},
		{"", -EINVAL, 0},
		{".", -EINVAL, 0},
		{".s", -EINVAL, 0},
		{"s", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{"1e3", -EINVAL, 0},
		{"inf", -EINVAL, 0},
		{"nan", -EINVAL, 0},
		{"1 s", -EINVAL, 0},
		{"1.2.3", -EINVAL, 0},
		{"1d", -EINVAL, 0},
	};

	check(parse_duration, v, ARRAY_COUNT(v));
}

static void test_bool(void **state)
{
	static const struct {
		const char *text;
		int result;
		bool value;
	} v[] = {
		{"true", 0, true},   {"on", 0, true},	    {"yes", 0, true}, {"1", 0, true},
		{"false", 0, false}, {"off", 0, false},	    {"no", 0, false}, {"0", 0, false},
		{"TRUE", 0, true},   {"Off", 0, false},	    {"", -EINVAL, 0}, {"2", -EINVAL, 0},
		{"y", -EINVAL, 0},   {"truee", -EINVAL, 0},
	};

	for (size_t i = 0; i < ARRAY_COUNT(v); i++) {
		bool got = !v[i].value;

		assert_int_equal(parse_bool(v[i].text, &got), v[i].result);
		assert_int_equal(got, v[i].result ? !v[i].value : v[i].value);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_u64),	 cmocka_unit_test(test_size),
		cmocka_unit_test(test_freq),	 cmocka_unit_test(test_bool),
		cmocka_unit_test(test_duration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

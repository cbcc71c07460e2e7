/* SPDX-License-Identifier: Apache-2.0 */
#include "mem/mem.h"

#include "util/bits.h"
#include "util/err.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- an MMIO region that remembers what reached its handlers ---- */

struct call {
	bool write;
	uint64_t offset, value;
	unsigned size;
	struct mem_attrs attrs;
};

struct probe {
	struct mem_region region;
	pthread_mutex_t lock;
	struct call call[16];
	unsigned count;
	uint64_t fail_at; /* offset that answers MEM_ERROR */
	uint64_t dirt;	  /* set in what is read, above the size */
};

static void note(struct probe *p, struct call c)
{
	assert_int_equal(pthread_mutex_trylock(&p->lock), EBUSY); /* held by the space */
	assert_true(p->count < ARRAY_COUNT(p->call));
	assert_int_equal(c.offset % c.size, 0);
	assert_true(c.offset + c.size <= p->region.size);
	assert_in_range(c.size, p->region.min_width, p->region.max_width);
	p->call[p->count++] = c;
}

/* Byte n of the region reads as n + 1. */
static enum mem_result probe_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value,
				  struct mem_attrs attrs)
{
	struct probe *p = opaque;

	note(p, (struct call){.offset = offset, .size = size, .attrs = attrs});
	*value = p->dirt;
	for (unsigned i = 0; i < size; i++)
		*value = bits_set(*value, 8 * i + 7, 8 * i, offset + i + 1);
	return offset == p->fail_at ? MEM_ERROR : MEM_OK;
}

static enum mem_result probe_write(void *opaque, uint64_t offset, unsigned size, uint64_t value,
				   struct mem_attrs attrs)
{
	struct probe *p = opaque;

	note(p, (struct call){true, offset, value, size, attrs});
	return offset == p->fail_at ? MEM_ERROR : MEM_OK;
}

static void probe_init(struct probe *p, uint64_t base, uint64_t size, unsigned min, unsigned max)
{
	*p = (struct probe){.fail_at = ~0ULL};
	pthread_mutex_init(&p->lock, NULL);
	p->region = (struct mem_region){
		.name = "probe",
		.base = base,
		.size = size,
		.kind = MEM_MMIO,
		.read = probe_read,
		.write = probe_write,
		.opaque = p,
		.lock = &p->lock,
		.min_width = (uint8_t)min,
		.max_width = (uint8_t)max,
	};
}

static struct mem_region ram(const char *name, uint64_t base, uint8_t *host, uint64_t size)
{
	return (struct mem_region){
		.name = name, .base = base, .size = size, .kind = MEM_RAM, .host = host};
}

static const struct mem_attrs normal = {.pe = 3}, secure = {.secure = true}, device = {.dma = true};

/* ---- building ---- */

static void expect_error(struct mem_space *s, struct mem_region r, int code, const char *text)
{
	struct err e = ERR_INIT;
	size_t before, after;

	mem_regions(s, &before);
	assert_int_equal(mem_add(s, &r, &e), code);
	mem_regions(s, &after);
	assert_int_equal(before, after);
	assert_int_equal(e.count, 1);
	if (!strstr(e.items[0].text, text))
		fail_msg("\"%s\" is not in \"%s\"", text, e.items[0].text);
	assert_non_null(e.items[0].hint);
	err_free(&e);
}

static void test_overlap(void **state)
{
	struct mem_space *s = mem_space_create();
	struct mem_region a = ram("first", 0x10000, NULL, 0x10000);
	struct mem_region b = ram("second", 0x40000, NULL, 0x10000);
	struct mem_region below = ram("below", 0, NULL, 0x10000);
	struct mem_region between = ram("between", 0x20000, NULL, 0x20000);
	struct mem_region *const *list;
	struct err e = ERR_INIT;
	size_t count;

	assert_int_equal(mem_add(s, &b, &e), 0);
	assert_int_equal(mem_add(s, &a, &e), 0);
	expect_error(s, ram("x", 0x10000, NULL, 0x10000), -EEXIST, "first");
	expect_error(s, ram("x", 0x0, NULL, 0x10008), -EEXIST, "first");
	expect_error(s, ram("x", 0x1fff8, NULL, 8), -EEXIST, "first");
	expect_error(s, ram("x", 0x20000, NULL, 0x20008), -EEXIST, "second");
	expect_error(s, ram("x", 0, NULL, 1ULL << 40), -EEXIST, "0x10000-0x1ffff");
	expect_error(s, ram("x", 0x48000, NULL, 0x100000), -EEXIST, "second");
	/* Neighbours are none. */
	assert_int_equal(mem_add(s, &below, &e), 0);
	assert_int_equal(mem_add(s, &between, &e), 0);
	list = mem_regions(s, &count);
	assert_int_equal(count, 4);
	assert_ptr_equal(list[0], &below);
	assert_ptr_equal(list[1], &a);
	assert_ptr_equal(list[2], &between);
	assert_ptr_equal(list[3], &b);
	assert_false(err_any(&e));
	mem_space_destroy(s);
	mem_space_destroy(NULL);
}

static void test_limits(void **state)
{
	struct mem_space *s = mem_space_create();
	struct mem_region top = ram("top", (1ULL << 52) - 0x1000, NULL, 0x1000);
	struct probe p;

	expect_error(s, ram("x", 0, NULL, 0), -EINVAL, "52-bit");
	expect_error(s, ram("x", (1ULL << 52) - 0x1000, NULL, 0x1008), -EINVAL, "52-bit");
	expect_error(s, ram("x", ~0ULL - 0xfff, NULL, 0x1000), -EINVAL, "52-bit");
	expect_error(s, ram("x", ~0ULL - 0xfff, NULL, 0x2000), -EINVAL, "52-bit");
	expect_error(s, ram("x", 0x1000, NULL, ~0ULL), -EINVAL, "52-bit");
	expect_error(s, ram("x", 0x1004, NULL, 0x1000), -EINVAL, "aligned");
	probe_init(&p, 0x1002, 0x1000, 1, 4);
	expect_error(s, p.region, -EINVAL, "aligned");
	probe_init(&p, 0x1000, 0x1002, 1, 4);
	expect_error(s, p.region, -EINVAL, "aligned");
	assert_int_equal(mem_add(s, &top, NULL), 0);
	assert_ptr_equal(mem_find(s, (1ULL << 52) - 1), &top);
	assert_null(mem_find(s, 1ULL << 52));
	assert_null(mem_find(s, ~0ULL));
	mem_space_destroy(s);
}

static void test_where(void **state)
{
	struct mem_space *s = mem_space_create();
	struct mem_region a = ram("a", 0x1000, NULL, 0x1000), b = ram("b", 0x1000, NULL, 0x1000);
	struct err e = ERR_INIT;

	a.where = "virt.board:3";
	b.where = "-vobj 1";
	assert_int_equal(mem_add(s, &a, &e), 0);
	assert_int_equal(mem_add(s, &b, &e), -EEXIST);
	assert_string_equal(e.items[0].where, "-vobj 1");
	assert_non_null(strstr(e.items[0].hint, "virt.board:3"));
	err_free(&e);
	mem_space_destroy(s);
}

/* ---- the machine for the rest ---- */

enum { LOW = 0x40000000, SIZE = 0x1000, SECURE = LOW + 2 * SIZE, ROM = 0x1000, DEV = 0x9000000 };

struct machine {
	struct mem_space *s;
	uint8_t *host; /* low and next, adjacent in reverse order; then secure, rom */
	struct mem_region low, next, secure, rom;
	struct probe dev;
};

static void machine_init(struct machine *m, unsigned min, unsigned max)
{
	m->s = mem_space_create();
	m->host = aligned_alloc(SIZE, 4 * SIZE);
	for (unsigned i = 0; i < 4 * SIZE; i++)
		m->host[i] = (uint8_t)(i * 7 + i / SIZE);
	m->low = ram("low", LOW, m->host + SIZE, SIZE);
	m->next = ram("next", LOW + SIZE, m->host, SIZE);
	m->secure = ram("secure", SECURE, m->host + 2 * SIZE, SIZE);
	m->secure.secure_only = true;
	probe_init(&m->dev, DEV, 0x100, min, max);
	m->rom = m->dev.region;
	m->rom.name = "rom";
	m->rom.kind = MEM_ROM;
	m->rom.base = ROM;
	m->rom.size = SIZE;
	m->rom.host = m->host + 3 * SIZE;
	m->rom.direct = true;
	assert_int_equal(mem_add(m->s, &m->low, NULL), 0);
	assert_int_equal(mem_add(m->s, &m->next, NULL), 0);
	assert_int_equal(mem_add(m->s, &m->secure, NULL), 0);
	assert_int_equal(mem_add(m->s, &m->rom, NULL), 0);
	assert_int_equal(mem_add(m->s, &m->dev.region, NULL), 0);
	mem_freeze(m->s);
}

static void machine_fini(struct machine *m)
{
	pthread_mutex_destroy(&m->dev.lock);
	mem_space_destroy(m->s);
	free(m->host);
}

static uint64_t read_ok(struct machine *m, uint64_t gpa, unsigned size)
{
	uint64_t v = ~0ULL;

	assert_int_equal(mem_read(m->s, gpa, size, &v, normal), MEM_OK);
	return v;
}

static void expect_read(struct machine *m, uint64_t gpa, unsigned size, enum mem_result result)
{
	uint64_t v;

	assert_int_equal(mem_read(m->s, gpa, size, &v, normal), result);
}

static void expect_write(struct machine *m, uint64_t gpa, unsigned size, enum mem_result result)
{
	assert_int_equal(mem_write(m->s, gpa, size, 0x1122334455667788, normal), result);
}

/* ---- RAM ---- */

static void test_ram(void **state)
{
	struct machine m;

	machine_init(&m, 4, 4);
	for (unsigned size = 1; size <= 8; size++) {
		for (uint64_t at = LOW; at < LOW + 16; at++) {
			uint8_t *host = m.low.host + (at - LOW);
			uint64_t want = 0;

			memcpy(&want, host, size);
			assert_int_equal(read_ok(&m, at, size), want);
			host[size] = 0xa5;
			assert_int_equal(mem_write(m.s, at, size, 0x8877665544332211, normal),
					 MEM_OK);
			assert_int_equal(host[0], 0x11);
			assert_int_equal(host[size - 1], 0x11 * size);
			assert_int_equal(host[size], 0xa5); /* no more than asked for */
		}
	}
	machine_fini(&m);
}

/* From the last bytes of one region on into the next, whose memory is elsewhere. */
static void test_ram_across(void **state)
{
	struct machine m;

	machine_init(&m, 4, 4);
	assert_int_equal(mem_write(m.s, LOW + SIZE - 3, 8, 0x8877665544332211, normal), MEM_OK);
	assert_memory_equal(m.low.host + SIZE - 3, "\x11\x22\x33", 3);
	assert_memory_equal(m.next.host, "\x44\x55\x66\x77\x88", 5);
	assert_int_equal(read_ok(&m, LOW + SIZE - 3, 8), 0x8877665544332211);
	assert_int_equal(read_ok(&m, LOW + SIZE - 1, 2), 0x4433);
	/* Into what only the secure world has. */
	expect_read(&m, SECURE - 1, 2, MEM_UNHANDLED);
	expect_write(&m, SECURE - 4, 8, MEM_UNHANDLED);
	assert_int_equal(mem_write(m.s, SECURE - 1, 2, 0xabcd, secure), MEM_OK);
	assert_int_equal(m.secure.host[0], 0xab);
	/* Out of the last one. */
	assert_int_equal(mem_write(m.s, SECURE + SIZE - 1, 2, 0, secure), MEM_UNHANDLED);
	machine_fini(&m);
}

/* Secure memory of a machine that does not keep it: for everybody, devices included. */
static void test_open(void **state)
{
	uint8_t host[16] = "secret";
	struct mem_region r = ram("secure", SECURE, host, sizeof(host));
	struct mem_space *s = mem_space_create();
	uint8_t buf[4];
	uint64_t v;

	r.secure_only = true;
	assert_int_equal(mem_add(s, &r, NULL), 0);
	assert_true(mem_is_secret(&r));
	mem_open(s);
	mem_freeze(s);
	assert_false(mem_is_secret(&r));
	assert_int_equal(mem_read(s, SECURE, 1, &v, normal), MEM_OK);
	assert_int_equal(v, 's');
	assert_int_equal(mem_write(s, SECURE, 1, 'S', normal), MEM_OK);
	assert_int_equal(mem_copy_from(s, SECURE, buf, sizeof(buf)), MEM_OK);
	assert_memory_equal(buf, "Secr", 4);
	assert_ptr_equal(mem_ptr(s, SECURE, 8, true), host);
	mem_space_destroy(s);
}

static void test_secure(void **state)
{
	struct machine m;
	uint64_t v = 1;
	uint8_t buf[4];

	machine_init(&m, 4, 4);
	assert_int_equal(mem_read(m.s, SECURE, 4, &v, normal), MEM_UNHANDLED);
	assert_int_equal(v, 0);
	assert_int_equal(mem_read(m.s, SECURE, 4, &v, device), MEM_UNHANDLED);
	assert_int_equal(mem_write(m.s, SECURE, 4, 0, normal), MEM_UNHANDLED);
	assert_int_equal(mem_read(m.s, SECURE, 4, &v, secure), MEM_OK);
	assert_int_equal(mem_read(m.s, LOW, 4, &v, secure), MEM_OK);
	assert_null(mem_ptr(m.s, SECURE, 4, false));
	assert_int_equal(mem_copy_from(m.s, SECURE, buf, 4), MEM_UNHANDLED);
	assert_int_equal(mem_copy_to(m.s, SECURE, buf, 4), MEM_UNHANDLED);
	assert_non_null(mem_ptr_any(m.s, SECURE, 4, true));
	assert_int_equal(mem_copy_from_as(m.s, SECURE, buf, 4, normal), MEM_UNHANDLED);
	assert_int_equal(mem_copy_from_as(m.s, SECURE, buf, 4, secure), MEM_OK);
	assert_int_equal(mem_copy_from_as(m.s, LOW, buf, 4, secure), MEM_OK);
	assert_int_equal(mem_write(m.s, SECURE, 4, 7, secure), MEM_OK);
	assert_int_equal(mem_copy_from_as(m.s, SECURE, buf, 4, secure), MEM_OK);
	assert_int_equal(buf[0], 7);
	machine_fini(&m);
}

/* Two threads; no reader ever sees half a value. */
struct tear {
	struct machine *m;
	atomic_bool end;
};

static void *tear_writer(void *opaque)
{
	struct tear *t = opaque;

	for (uint64_t v = 0; !atomic_load(&t->end); v = ~v)
		mem_write(t->m->s, LOW + 8, 8, v, normal);
	return NULL;
}

static void test_single_copy(void **state)
{
	struct machine m;
	struct tear t = {.m = &m};
	pthread_t thread;

	machine_init(&m, 4, 4);
	mem_write(m.s, LOW + 8, 8, 0, normal);
	assert_int_equal(pthread_create(&thread, NULL, tear_writer, &t), 0);
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t v = read_ok(&m, LOW + 8, 8);

		assert_true(v == 0 || v == ~0ULL);
	}
	atomic_store(&t.end, true);
	pthread_join(thread, NULL);
	machine_fini(&m);
}

/* ---- MMIO ---- */

static void expect_call(const struct machine *m, unsigned n, uint64_t offset, unsigned size)
{
	assert_true(n < m->dev.count);
	assert_int_equal(m->dev.call[n].offset, offset);
	assert_int_equal(m->dev.call[n].size, size);
}

static void expect_write_call(const struct machine *m, unsigned n, uint64_t offset, unsigned size,
			      uint64_t value)
{
	expect_call(m, n, offset, size);
	assert_true(m->dev.call[n].write);
	assert_int_equal(m->dev.call[n].value, value);
}

static void test_mmio_plain(void **state)
{
	struct machine m;

	machine_init(&m, 1, 8);
	m.dev.dirt = ~0ULL; /* a handler that answers too much */
	assert_int_equal(read_ok(&m, DEV + 0x10, 1), 0x11);
	assert_int_equal(read_ok(&m, DEV + 0x12, 2), 0x1413);
	assert_int_equal(read_ok(&m, DEV + 0x14, 4), 0x18171615);
	assert_int_equal(read_ok(&m, DEV + 0xf8, 8), 0xfffefdfcfbfaf9 | 0ULL << 56);
	assert_int_equal(m.dev.count, 4);
	expect_call(&m, 1, 0x12, 2);
	assert_int_equal(m.dev.call[0].attrs.pe, 3);
	assert_false(m.dev.call[0].attrs.secure);
	m.dev.count = 0;
	assert_int_equal(mem_write(m.s, DEV + 1, 1, 0x1122, secure), MEM_OK);
	expect_write_call(&m, 0, 1, 1, 0x22);
	assert_true(m.dev.call[0].attrs.secure);
	assert_int_equal(m.dev.region.stats.reads, 4);
	assert_int_equal(m.dev.region.stats.writes, 1);
	machine_fini(&m);
}

static void test_mmio_split(void **state)
{
	struct machine m;

	machine_init(&m, 2, 2);
	assert_int_equal(read_ok(&m, DEV + 8, 8), 0x100f0e0d0c0b0a09);
	assert_int_equal(m.dev.count, 4);
	for (unsigned i = 0; i < 4; i++)
		expect_call(&m, i, 8 + 2 * i, 2);
	m.dev.count = 0;
	assert_int_equal(mem_write(m.s, DEV + 0x20, 4, 0x11223344, normal), MEM_OK);
	assert_int_equal(m.dev.count, 2);
	expect_write_call(&m, 0, 0x20, 2, 0x3344);
	expect_write_call(&m, 1, 0x22, 2, 0x1122);
	/* It ends where the device refuses. */
	m.dev.count = 0;
	m.dev.fail_at = 0x12;
	expect_read(&m, DEV + 0x10, 8, MEM_ERROR);
	expect_write(&m, DEV + 0x10, 8, MEM_ERROR);
	assert_int_equal(m.dev.count, 4);
	machine_fini(&m);
}

static void test_mmio_narrow(void **state)
{
	struct machine m;

	machine_init(&m, 4, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(read_ok(&m, DEV + 0x10 + i, 1), 0x11 + i);
	assert_int_equal(read_ok(&m, DEV + 0x12, 2), 0x1413);
	for (unsigned i = 0; i < 5; i++)
		expect_call(&m, i, 0x10, 4);
	m.dev.count = 0;
	assert_int_equal(mem_write(m.s, DEV + 0x10, 1, 0xaabbccdd, normal), MEM_OK);
	assert_int_equal(mem_write(m.s, DEV + 0x13, 1, 0xaabbccdd, normal), MEM_OK);
	assert_int_equal(mem_write(m.s, DEV + 0x12, 2, 0xaabbccdd, normal), MEM_OK);
	expect_write_call(&m, 0, 0x10, 4, 0xdd);
	expect_write_call(&m, 1, 0x10, 4, 0xdd000000);
	expect_write_call(&m, 2, 0x10, 4, 0xccdd0000);
	machine_fini(&m);
}

static void test_mmio_unaligned(void **state)
{
	static const struct {
		unsigned offset, size;
	} bad[] = {{1, 2}, {1, 4}, {2, 4}, {4, 8},    {3, 8},	 {0, 3},
		   {0, 5}, {0, 6}, {0, 7}, {0xff, 2}, {0xfc, 8}, {0xf9, 8}};
	struct machine m;

	machine_init(&m, 1, 8);
	for (unsigned i = 0; i < ARRAY_COUNT(bad); i++) {
		expect_read(&m, DEV + bad[i].offset, bad[i].size, MEM_ERROR);
		expect_write(&m, DEV + bad[i].offset, bad[i].size, MEM_ERROR);
	}
	assert_int_equal(m.dev.count, 0);
	assert_int_equal(m.dev.region.stats.reads, 0);
	machine_fini(&m);
}

/* A region of 4 bytes, between others or nothing: a doubleword does not fit. */
static void test_mmio_small(void **state)
{
	struct mem_space *s = mem_space_create();
	struct probe p;
	uint64_t v;

	probe_init(&p, 0x1000, 4, 1, 4);
	assert_int_equal(mem_add(s, &p.region, NULL), 0);
	mem_freeze(s);
	assert_int_equal(mem_read(s, 0x1000, 8, &v, normal), MEM_ERROR);
	assert_int_equal(mem_write(s, 0x1000, 8, 0, normal), MEM_ERROR);
	assert_int_equal(mem_read(s, 0x1000, 4, &v, normal), MEM_OK);
	assert_int_equal(p.count, 1);
	pthread_mutex_destroy(&p.lock);
	mem_space_destroy(s);
}

static void test_mmio_without_handler(void **state)
{
	struct machine m;

	machine_init(&m, 4, 4);
	m.dev.region.write = NULL;
	expect_write(&m, DEV, 4, MEM_OK); /* ignored */
	expect_write(&m, DEV, 8, MEM_OK);
	assert_int_equal(m.dev.count, 0);
	m.dev.region.read = NULL;
	expect_read(&m, DEV, 4, MEM_UNHANDLED);
	machine_fini(&m);
}

static void test_nothing_there(void **state)
{
	static const uint64_t holes[] = {0,	  ROM - 8,	 ROM + SIZE, DEV - 8,	DEV + 0x100,
					 LOW - 8, SECURE + SIZE, 1ULL << 52, ~0ULL - 7, ~0ULL};
	struct machine m;
	uint8_t buf[16] = {0};

	machine_init(&m, 4, 4);
	for (unsigned i = 0; i < ARRAY_COUNT(holes); i++) {
		expect_read(&m, holes[i], 8, MEM_UNHANDLED);
		expect_read(&m, holes[i], 1, MEM_UNHANDLED);
		expect_write(&m, holes[i], 8, MEM_UNHANDLED);
		assert_null(mem_ptr(m.s, holes[i], 8, false));
		assert_null(mem_find(m.s, holes[i]));
		assert_int_equal(mem_copy_from(m.s, holes[i], buf, sizeof(buf)), MEM_UNHANDLED);
		assert_int_equal(mem_copy_to(m.s, holes[i], buf, sizeof(buf)), MEM_UNHANDLED);
	}
	machine_fini(&m);
}

/* ---- DMA ---- */

static void test_copy(void **state)
{
	struct machine m;
	uint8_t buf[2 * SIZE], back[2 * SIZE];

	machine_init(&m, 4, 4);
	for (unsigned i = 0; i < sizeof(buf); i++)
		buf[i] = (uint8_t)(i * 31 >> 3);
	assert_int_equal(mem_copy_to(m.s, LOW, buf, sizeof(buf)), MEM_OK);
	assert_memory_equal(m.low.host, buf, SIZE);
	assert_memory_equal(m.next.host, buf + SIZE, SIZE);
	memset(back, 0, sizeof(back));
	assert_int_equal(mem_copy_from(m.s, LOW + 1, back, sizeof(back) - 1), MEM_OK);
	assert_memory_equal(back, buf + 1, sizeof(back) - 1);
	/* Bytes before the end of memory are copied. */
	memset(back, 0, sizeof(back));
	assert_int_equal(mem_copy_from(m.s, SECURE - 4, back, 8), MEM_UNHANDLED);
	assert_memory_equal(back, buf + 2 * SIZE - 4, 4);
	assert_int_equal(back[4], 0);
	assert_int_equal(mem_copy_to(m.s, SECURE - 4, "abcdefgh", 8), MEM_UNHANDLED);
	assert_memory_equal(m.next.host + SIZE - 4, "abcd", 4);
	/* Nothing to do is no error, wherever. */
	assert_int_equal(mem_copy_from(m.s, ~0ULL, NULL, 0), MEM_OK);
	assert_int_equal(mem_copy_to(m.s, 0, NULL, 0), MEM_OK);
	/* Devices are no memory. */
	assert_int_equal(mem_copy_from(m.s, DEV, back, 4), MEM_UNHANDLED);
	assert_int_equal(mem_copy_to(m.s, DEV, back, 4), MEM_UNHANDLED);
	assert_int_equal(m.dev.count, 0);
	machine_fini(&m);
}

static void test_ptr(void **state)
{
	struct machine m;

	machine_init(&m, 4, 4);
	assert_ptr_equal(mem_ptr(m.s, LOW, SIZE, true), m.low.host);
	assert_ptr_equal(mem_ptr(m.s, LOW + 5, SIZE - 5, true), m.low.host + 5);
	assert_null(mem_ptr(m.s, LOW + 5, SIZE - 4, true));
	assert_null(mem_ptr(m.s, LOW, SIZE + 1, false)); /* not contiguous in the host */
	assert_null(mem_ptr(m.s, LOW + 1, ~0ULL, false));
	assert_ptr_equal(mem_ptr(m.s, LOW + SIZE - 1, 0, true), m.low.host + SIZE - 1);
	assert_null(mem_ptr(m.s, LOW - 1, 0, true));
	assert_ptr_equal(mem_ptr(m.s, ROM, SIZE, false), m.rom.host);
	assert_null(mem_ptr(m.s, ROM, 4, true));
	assert_null(mem_ptr(m.s, DEV, 4, false));
	machine_fini(&m);
}

/* ---- ROM ---- */

static void test_rom(void **state)
{
	struct machine m;
	uint32_t want, v;

	machine_init(&m, 1, 4);
	memcpy(&want, m.rom.host + 0x10, 4);
	assert_int_equal(read_ok(&m, ROM + 0x10, 4), want);
	assert_int_equal(read_ok(&m, ROM + 0x11, 2), want >> 8 & 0xffff); /* memory: unaligned */
	assert_int_equal(m.dev.count, 0);
	expect_write(&m, ROM + 0x10, 4, MEM_OK); /* a command, not data */
	expect_write_call(&m, 0, 0x10, 4, 0x55667788);
	assert_memory_equal(m.rom.host + 0x10, &want, 4);
	assert_int_equal(mem_copy_to(m.s, ROM, "x", 1), MEM_UNHANDLED);
	mem_set_direct(&m.rom, false);
	m.dev.count = 0;
	m.dev.region.size = SIZE; /* for note(): one probe serves both */
	assert_int_equal(read_ok(&m, ROM + 0x10, 4), 0x14131211);
	assert_int_equal(m.dev.count, 1);
	expect_read(&m, ROM + 0x11, 2, MEM_ERROR);
	assert_null(mem_ptr(m.s, ROM, 4, false));
	assert_int_equal(mem_copy_from(m.s, ROM, &v, 4), MEM_UNHANDLED);
	mem_set_direct(&m.rom, true);
	assert_int_equal(read_ok(&m, ROM + 0x10, 4), want);
	m.dev.region.size = 0x100;
	machine_fini(&m);
}

struct listener {
	char text[256];
	const char *fail_on;
};

static int on_map(void *opaque, const struct mem_region *r, bool map)
{
	struct listener *l = opaque;

	strcat(l->text, map ? "+" : "-");
	strcat(l->text, r->name);
	return l->fail_on && !strcmp(l->fail_on, r->name) ? -ENOMEM : 0;
}

static void test_listeners(void **state)
{
	struct listener l[6] = {0};
	struct machine m;

	machine_init(&m, 4, 4);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(mem_listen(m.s, on_map, &l[i]), 0);
	assert_string_equal(l[0].text, "+rom+low+next+secure");
	assert_string_equal(l[4].text, l[0].text);
	mem_set_direct(&m.rom, true); /* as it was */
	assert_string_equal(l[0].text, "+rom+low+next+secure");
	mem_set_direct(&m.rom, false);
	mem_set_direct(&m.rom, false);
	mem_unlisten(m.s, on_map, &l[1]);
	mem_unlisten(m.s, on_map, &l[5]); /* never was one */
	assert_int_equal(mem_listen(m.s, on_map, &l[5]), 0);
	mem_set_direct(&m.rom, true);
	assert_string_equal(l[0].text, "+rom+low+next+secure-rom+rom");
	assert_string_equal(l[1].text, "+rom+low+next+secure-rom");
	assert_string_equal(l[4].text, l[0].text);
	assert_string_equal(l[5].text, "+low+next+secure+rom");
	machine_fini(&m);
}

static void test_listener_fails(void **state)
{
	struct listener l = {.fail_on = "next"};
	struct machine m;

	machine_init(&m, 4, 4);
	assert_int_equal(mem_listen(m.s, on_map, &l), -ENOMEM);
	assert_string_equal(l.text, "+rom+low+next");
	mem_unlisten(m.s, on_map, &l);
	l.fail_on = "rom";
	mem_set_direct(&m.rom, false); /* nobody hears of it */
	assert_string_equal(l.text, "+rom+low+next");
	machine_fini(&m);
}

/* Registers that a device shows are in the guests' memory maps, and no memory to anybody else. */
static void test_shown(void **state)
{
	struct listener l = {0};
	struct machine m;
	uint8_t byte;

	machine_init(&m, 4, 4);
	assert_int_equal(mem_listen(m.s, on_map, &l), 0);
	l.text[0] = 0;
	mem_show(&m.dev.region, 8, 1); /* there is no page */
	m.dev.region.host = calloc(1, 0x100);
	mem_set_direct(&m.dev.region, true);
	mem_show(&m.dev.region, 8, 0x12345678);
	assert_int_equal(m.dev.region.host[8], 0x78);
	assert_int_equal(m.dev.region.host[11], 0x12);
	assert_string_equal(l.text, "+probe");
	assert_null(mem_ptr(m.s, DEV, 4, false));
	assert_int_equal(mem_copy_from(m.s, DEV, &byte, 1), MEM_UNHANDLED);
	assert_int_not_equal(read_ok(&m, DEV + 8, 4), 0x12345678); /* the handler's */
	mem_set_direct(&m.dev.region, false);
	assert_string_equal(l.text, "+probe-probe");
	free(m.dev.region.host);
	machine_fini(&m);
}

/* ---- look-ups ---- */

static void test_many_regions(void **state)
{
	enum { COUNT = 300 };
	static struct mem_region r[COUNT];
	struct mem_space *s = mem_space_create();

	for (unsigned i = 0; i < COUNT; i++) { /* 7 and COUNT have no common divisor */
		unsigned n = i * 7 % COUNT;

		r[n] = ram("many", 0x10000 + n * 0x100, NULL, n % 3 ? 0x100 : 0x80);
		assert_int_equal(mem_add(s, &r[n], NULL), 0);
	}
	mem_freeze(s);
	for (uint64_t at = 0x10000 - 0x40; at < 0x10000 + (COUNT + 1) * 0x100; at += 0x20) {
		uint64_t n = (at - 0x10000) / 0x100;
		bool hit = at >= 0x10000 && n < COUNT && (at & 0xff) < (n % 3 ? 0x100 : 0x80);

		assert_ptr_equal(mem_find(s, at), hit ? &r[n] : NULL);
	}
	mem_space_destroy(s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overlap),	      cmocka_unit_test(test_limits),
		cmocka_unit_test(test_where),	      cmocka_unit_test(test_ram),
		cmocka_unit_test(test_ram_across),    cmocka_unit_test(test_open),
		cmocka_unit_test(test_secure),	      cmocka_unit_test(test_single_copy),
		cmocka_unit_test(test_mmio_plain),    cmocka_unit_test(test_mmio_split),
		cmocka_unit_test(test_mmio_narrow),   cmocka_unit_test(test_mmio_unaligned),
		cmocka_unit_test(test_mmio_small),    cmocka_unit_test(test_mmio_without_handler),
		cmocka_unit_test(test_nothing_there), cmocka_unit_test(test_copy),
		cmocka_unit_test(test_ptr),	      cmocka_unit_test(test_rom),
		cmocka_unit_test(test_listeners),     cmocka_unit_test(test_listener_fails),
		cmocka_unit_test(test_shown),	      cmocka_unit_test(test_many_regions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

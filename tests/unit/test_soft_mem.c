/* SPDX-License-Identifier: Apache-2.0 */
/* Data accesses of the soft engine: page crossings, devices, alignment, byte order; atomics of two CPUs. */
#include "hv/soft/sys.h"
#include "util/bits.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Pages at VA, one after the other. */
enum page_kind { RAM, RAM2, ROM, DEVICE, DEVICE_RAM, NOTHING, RAM3, PAGES };

#define VA	0xffff800012340000ULL
#define LAST_VA 0xfffffffffffff000ULL /* RAM, too; followed by RAM2 at 0 */
#define PA	0x40000000ULL

enum event { NONE, ALIGNMENT, FAULT, EXIT };

struct rig {
	struct soft_cpu c;
	struct soft_tlb_entry tlb[1 << SOFT_TLB_BITS];
	struct soft_tlb_entry entry;
	struct soft_sys sys;
	uint8_t *mem;
	unsigned translations, translate_flags;
	enum event event;
	uint64_t va, pa, value; /* of the event */
	unsigned bytes, flags;
	bool write;
};

static struct rig *rig_of(struct soft_cpu *c)
{
	return container_of(c, struct rig, c);
}

void soft_raise_alignment(struct soft_cpu *c, uint64_t va, bool is_write)
{
	struct rig *r = rig_of(c);

	assert_int_equal(r->event, NONE);
	r->event = ALIGNMENT;
	r->va = va;
	r->write = is_write;
}

void soft_device_alignment(struct soft_cpu *c, const struct soft_tlb_entry *e, uint64_t va,
			   bool is_write)
{
	soft_raise_alignment(c, va, is_write);
}

/* Reached with watchpoints only: test_soft_debug.c. */
bool soft_watch_slow(struct soft_cpu *c, uint64_t va, unsigned bytes, bool is_write, bool unpriv,
		     bool is_cache)
{
	fail();
	return true;
}

void soft_raise_sp_alignment(struct soft_cpu *c)
{
	fail();
}

void soft_undefined(struct soft_cpu *c)
{
	fail();
}

void soft_device(struct soft_cpu *c, uint64_t va, uint64_t pa, unsigned bytes, bool write,
		 unsigned flags, uint64_t value)
{
	struct rig *r = rig_of(c);

	assert_int_equal(r->event, NONE);
	r->event = EXIT;
	r->va = va;
	r->pa = pa;
	r->bytes = bytes;
	r->write = write;
	r->flags = flags;
	r->value = value;
}

/* One entry for all, so that the second translation of an access overwrites the first. */
struct soft_tlb_entry *soft_translate(struct soft_cpu *c, uint64_t va, enum soft_access access,
				      unsigned flags)
{
	struct rig *r = rig_of(c);
	uint64_t page = align_down(va, SOFT_PAGE);
	unsigned n = page == LAST_VA ? RAM : page == 0 ? RAM2 : (page - VA) >> SOFT_PAGE_BITS;

	r->translations++;
	r->translate_flags = flags;
	if (n >= PAGES || n == NOTHING) {
		r->event = FAULT;
		r->va = va;
		r->write = access == SOFT_WRITE;
		return NULL;
	}
	r->entry = (struct soft_tlb_entry){
		.page = page,
		.pa = PA + n * SOFT_PAGE,
		.device = n == DEVICE || n == DEVICE_RAM,
		.host = n != DEVICE,
		.writable = n != DEVICE && n != ROM,
		.addend = (uintptr_t)(r->mem + n * SOFT_PAGE) - page,
	};
	return &r->entry;
}

static uint64_t page(enum page_kind kind)
{
	return VA + kind * SOFT_PAGE;
}

static int setup(void **state)
{
	struct rig *r = test_calloc(1, sizeof(*r));

	r->mem = test_calloc(PAGES, SOFT_PAGE);
	for (unsigned i = 0; i < PAGES * SOFT_PAGE; i++)
		r->mem[i] = (uint8_t)(i * 13 + (i >> 8));
	r->c.tlb = r->tlb;
	r->c.sys = &r->sys;
	for (unsigned i = 0; i < ARRAY_COUNT(r->tlb); i++)
		for (unsigned k = 0; k < SOFT_ACCESS_COUNT; k++)
			r->tlb[i].tag[k] = (uint64_t)(i ^ 1) << SOFT_PAGE_BITS;
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	test_free(r->mem);
	test_free(r);
	return 0;
}

static uint64_t number(const uint8_t *p, unsigned bytes, bool big)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v |= (uint64_t)p[big ? bytes - 1 - i : i] << 8 * i;
	return v;
}

/* All sizes around a page boundary and inside, both byte orders. */
static void test_reads(void **state)
{
	struct rig *r = *state;

	for (unsigned be = 0; be < 2; be++) {
		r->c.big_endian = be;
		for (unsigned at = SOFT_PAGE - 20; at < SOFT_PAGE + 20; at++) {
			uint64_t v[2];

			for (unsigned bytes = 1; bytes <= 8; bytes *= 2) {
				assert_true(soft_read(&r->c, VA + at, bytes, 0, &v[0]));
				assert_int_equal(v[0], number(r->mem + at, bytes, be));
			}
			assert_true(soft_read16(&r->c, VA + at, 0, v));
			assert_int_equal(v[be], number(r->mem + at, 8, be));
			assert_int_equal(v[!be], number(r->mem + at + 8, 8, be));
		}
	}
}

static void test_writes(void **state)
{
	struct rig *r = *state;
	uint64_t v[2] = {0x0123456789abcdef, 0xfedcba9876543210};
	static uint8_t before[2 * SOFT_PAGE];

	for (unsigned i = 0; i < 2 * 40 * 5; i++) {
		unsigned be = i & 1, at = SOFT_PAGE - 20 + i / 2 % 40, bytes = 1U << i / 80;

		r->c.big_endian = be;
		memcpy(before, r->mem, sizeof(before));
		if (bytes == 16) {
			assert_true(soft_write16(&r->c, VA + at, 0, v));
			assert_int_equal(number(r->mem + at, 8, be), v[be]);
			assert_int_equal(number(r->mem + at + 8, 8, be), v[!be]);
		} else {
			assert_true(soft_write(&r->c, VA + at, bytes, 0, v[0]));
			assert_int_equal(number(r->mem + at, bytes, be),
					 v[0] & ~0ULL >> (64 - bytes * 8));
		}
		assert_memory_equal(before, r->mem, at);
		assert_memory_equal(before + at + bytes, r->mem + at + bytes,
				    sizeof(before) - at - bytes);
	}
}

static void test_end_of_address_space(void **state)
{
	struct rig *r = *state;
	uint64_t v;

	assert_true(soft_read8(&r->c, LAST_VA + SOFT_PAGE - 3, 0, &v));
	assert_int_equal(v, number(r->mem + SOFT_PAGE - 3, 8, false));
	assert_true(soft_probe_write(&r->c, LAST_VA + 4000, 4096, 0));
	assert_int_equal(r->translations, 4);
}

/* A fault of either page: its address, and no byte moved. */
static void test_faults(void **state)
{
	struct rig *r = *state;
	uint64_t v[2] = {~0ULL, ~0ULL}, hole = page(NOTHING), end = hole + SOFT_PAGE;
	uint8_t was = r->mem[PAGES * SOFT_PAGE - 1];

	assert_false(soft_write16(&r->c, end - 1, 0, v));
	assert_int_equal(r->event, FAULT);
	assert_int_equal(r->va, end - 1);
	assert_true(r->write);
	r->event = NONE;
	assert_false(soft_read8(&r->c, page(PAGES) - 7, 0, v));
	assert_int_equal(r->event, FAULT);
	assert_int_equal(r->va, page(PAGES));
	assert_false(r->write);
	r->event = NONE;
	assert_false(soft_write2(&r->c, page(PAGES) - 1, 0, 0xffff));
	assert_int_equal(r->event, FAULT);
	assert_int_equal(r->mem[PAGES * SOFT_PAGE - 1], was);
	assert_int_equal(v[0], ~0ULL);
}

static void test_device(void **state)
{
	struct rig *r = *state;
	uint64_t v[2] = {0x1122334455667788, 0x99};
	unsigned flags = SOFT_MEM_ISV | SOFT_MEM_DST64 | 5 << SOFT_MEM_RT_SHIFT;

	assert_false(soft_read4(&r->c, page(DEVICE) + 0x18, flags, v));
	assert_int_equal(r->event, EXIT);
	assert_int_equal(r->va, page(DEVICE) + 0x18);
	assert_int_equal(r->pa, PA + DEVICE * SOFT_PAGE + 0x18);
	assert_int_equal(r->bytes, 4);
	assert_int_equal(r->flags, flags | 2 << SOFT_MEM_SIZE_SHIFT);
	assert_false(r->write);
	r->event = NONE;
	assert_false(soft_write8(&r->c, page(DEVICE), flags, v[0]));
	assert_int_equal(r->event, EXIT);
	assert_true(r->write);
	assert_int_equal(r->value, v[0]);
	r->event = NONE;
	assert_false(soft_write16(&r->c, page(DEVICE), 0, v));
	assert_int_equal(r->event, EXIT);
	assert_int_equal(r->bytes, 16);
	r->event = NONE;
	assert_null(soft_host(&r->c, page(DEVICE) + 8, 8, true, 0));
	assert_int_equal(r->event, EXIT);
	/* Register bits above the access do not show; a big-endian CPU's bytes arrive as it has sent them. */
	r->event = NONE;
	assert_false(soft_write2(&r->c, page(DEVICE), flags, ~0ULL));
	assert_int_equal(r->value, 0xffff);
	r->event = NONE;
	r->c.big_endian = true;
	assert_false(soft_write4(&r->c, page(DEVICE), flags, 0x5511223344));
	assert_int_equal(r->value, 0x44332211);
}

static void test_rom(void **state)
{
	struct rig *r = *state;
	uint64_t v;

	assert_true(soft_read8(&r->c, page(ROM) + 1, 0, &v));
	assert_int_equal(v, number(r->mem + ROM * SOFT_PAGE + 1, 8, false));
	assert_ptr_equal(soft_host(&r->c, page(ROM) + 8, 8, false, 0),
			 r->mem + ROM * SOFT_PAGE + 8);
	assert_false(soft_write8(&r->c, page(ROM), 0, 1));
	assert_int_equal(r->event, EXIT);
	r->event = NONE;
	assert_null(soft_host(&r->c, page(ROM), 8, true, 0));
	assert_int_equal(r->event, EXIT);
}

/* Nothing carries out an access that is half memory, half not. */
static void test_crossing_into_device(void **state)
{
	struct rig *r = *state;
	uint8_t was = r->mem[ROM * SOFT_PAGE - 1];
	uint64_t v;

	assert_false(soft_write2(&r->c, page(ROM) - 1, 0, 0xffff));
	assert_int_equal(r->event, ALIGNMENT);
	assert_int_equal(r->va, page(ROM) - 1);
	assert_int_equal(r->mem[ROM * SOFT_PAGE - 1], was);
	r->event = NONE;
	assert_false(soft_read8(&r->c, page(DEVICE) - 4, 0, &v));
	assert_int_equal(r->event, ALIGNMENT);
	r->event = NONE;
	assert_false(soft_read8(&r->c, page(DEVICE_RAM) - 4, 0, &v));
	assert_int_equal(r->event, ALIGNMENT);
}

/* Checks that need no translation come before it, Device memory is known after it. */
static void test_alignment(void **state)
{
	struct rig *r = *state;
	uint64_t v;

	assert_false(soft_read8(&r->c, page(NOTHING) + 4, SOFT_MEM_ALIGNED, &v));
	assert_int_equal(r->event, ALIGNMENT);
	assert_false(r->write);
	assert_int_equal(r->translations, 0);
	r->event = NONE;
	r->c.align_check = true;
	assert_false(soft_write2(&r->c, page(NOTHING) + 1, 0, 0));
	assert_int_equal(r->event, ALIGNMENT);
	assert_true(r->write);
	assert_int_equal(r->translations, 0);
	r->event = NONE;
	assert_true(soft_write1(&r->c, VA + 1, SOFT_MEM_ALIGNED, 0));
	r->c.align_check = false;
	assert_true(soft_read8(&r->c, VA + 1, 0, &v));
	assert_false(soft_read8(&r->c, page(DEVICE_RAM) + 4, 0, &v));
	assert_int_equal(r->event, ALIGNMENT);
	r->event = NONE;
	assert_true(soft_read4(&r->c, page(DEVICE_RAM) + 4, 0, &v));
	assert_null(soft_host(&r->c, VA + 8, 16, false, 0));
	assert_int_equal(r->event, ALIGNMENT);
}

static void test_views(void **state)
{
	struct rig *r = *state;
	struct soft_tlb_entry *e = &r->tlb[VA >> SOFT_PAGE_BITS & (ARRAY_COUNT(r->tlb) - 1)];
	uint64_t v;

	e->tag[SOFT_READ] = e->tag[SOFT_WRITE] = VA;
	e->addend = (uintptr_t)r->mem - VA;
	assert_true(soft_read8(&r->c, VA, 0, &v));
	assert_ptr_equal(soft_host(&r->c, VA + 16, 16, true, 0), r->mem + 16);
	assert_int_equal(r->translations, 0);
	assert_true(soft_read8(&r->c, VA, SOFT_MEM_UNPRIV, &v));
	assert_int_equal(r->translate_flags, SOFT_MEM_UNPRIV);
	assert_int_equal(r->translations, 1);
	assert_non_null(soft_host(&r->c, VA, 8, true, SOFT_MEM_UNPRIV));
	assert_true(r->translate_flags & SOFT_MEM_UNPRIV);
	e->context = 7; /* another address space's */
	assert_true(soft_read16(&r->c, VA, 0, (uint64_t[2]){0}));
	assert_int_equal(r->translations, 3);
}

static void test_probe(void **state)
{
	struct rig *r = *state;

	assert_true(soft_probe_write(&r->c, VA, SOFT_PAGE, 0));
	assert_int_equal(r->translations, 1);
	assert_true(soft_probe_write(&r->c, VA + 1, SOFT_PAGE, 0));
	assert_int_equal(r->translations, 3);
	assert_false(soft_probe_write(&r->c, page(NOTHING) - 1, 2, 0));
	assert_int_equal(r->va, page(NOTHING));
	assert_true(r->write);
}

/* ---- two CPUs ---- */

enum { ROUNDS = 50000 };

struct hammer {
	struct soft_cpu *c;
	pthread_barrier_t *start;
};

static void *hammer(void *opaque)
{
	struct hammer *h = opaque;
	struct soft_cpu *c = h->c;

	pthread_barrier_wait(h->start);
	for (unsigned i = 0; i < ROUNDS; i++) {
		c->x[2] = VA;
		c->x[1] = 1;
		soft_LDADD(c, 0xf8210040); /* ldadd x1, x0, [x2] */
		c->x[2] = VA + 64;
		do {
			soft_LDXR(c, 0x085f7c40); /* ldxrb w0, [x2] */
			c->x[1] = c->x[0] + 1;
			soft_STLXR(c, 0x0803fc41); /* stlxrb w3, w1, [x2] */
		} while (c->x[3]);
		c->x[2] = VA + 128;
		do {
			soft_LDAXP(c, 0xc87f9043); /* ldaxp x3, x4, [x2] */
			c->x[3] += 1;
			c->x[4] -= 1;
			soft_STXP(c, 0xc8201043); /* stxp w0, x3, x4, [x2] */
		} while (c->x[0]);
		c->x[2] = VA + 256;
		do {
			soft_LDXP(c, 0xc87f1844); /* ldxp x4, x6, [x2] */
			c->x[5] = c->x[6];
			c->x[6] = c->x[4] + 3;
			c->x[7] = c->x[5] - 3;
			c->x[8] = c->x[4];
			c->x[9] = c->x[5];
			soft_CASP(c, 0x48647c46); /* caspa x4, x5, x6, x7, [x2] */
		} while (c->x[4] != c->x[8] || c->x[5] != c->x[9]);
	}
	return NULL;
}

static void test_two_cpus(void **state)
{
	struct rig *r = *state;
	struct rig *other = test_calloc(1, sizeof(*other));
	pthread_barrier_t start;
	struct hammer h[2] = {{&r->c, &start}, {&other->c, &start}};
	pthread_t thread;
	uint64_t *mem = (uint64_t *)r->mem;

	memset(r->mem, 0, SOFT_PAGE);
	*other = *r;
	other->c.tlb = other->tlb;
	other->c.sys = &other->sys;
	assert_int_equal(pthread_barrier_init(&start, NULL, 2), 0);
	assert_int_equal(pthread_create(&thread, NULL, hammer, &h[1]), 0);
	hammer(&h[0]);
	assert_int_equal(pthread_join(thread, NULL), 0);
	pthread_barrier_destroy(&start);
	test_free(other);
	assert_int_equal(mem[0], 2 * ROUNDS);
	assert_int_equal(mem[8], 2 * ROUNDS & 0xff);
	assert_int_equal(mem[16], 2 * ROUNDS);
	assert_int_equal(mem[17], -(uint64_t)(2 * ROUNDS));
	assert_int_equal(mem[32], 6 * ROUNDS);
	assert_int_equal(mem[33], -(uint64_t)(6 * ROUNDS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reads, setup, teardown),
		cmocka_unit_test_setup_teardown(test_writes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end_of_address_space, setup, teardown),
		cmocka_unit_test_setup_teardown(test_faults, setup, teardown),
		cmocka_unit_test_setup_teardown(test_device, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rom, setup, teardown),
		cmocka_unit_test_setup_teardown(test_crossing_into_device, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alignment, setup, teardown),
		cmocka_unit_test_setup_teardown(test_views, setup, teardown),
		cmocka_unit_test_setup_teardown(test_probe, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two_cpus, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* Split virtqueues: what drivers do right, and everything they can do wrong. */
#include "virtio_rig.h"

#include "util/bits.h"
#include "util/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ALL (VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX)

enum { NUM = 8, IOVS = 16 };

static void fake_notify(struct virtio *v, unsigned q)
{
}

static const struct virtio_ops fake_ops = {
	.id = VIRTIO_ID_RNG,
	.queue_count = 1,
	.queue_size = {256},
	.notify = fake_notify,
};

static int fake_init(struct dev *d, struct err *e)
{
	return virtio_init((struct virtio *)d, &fake_ops, 0, e);
}

static void fake_fini(struct dev *d)
{
	virtio_fini((struct virtio *)d);
}

static const struct prop fake_props[] = {VIRTIO_PROPS, {.name = NULL}};

static const struct component fake = {
	.type = "FAKE",
	.cls = DEV_DEVICE,
	.size = sizeof(struct virtio),
	.props = fake_props,
	.regions = virtio_regions,
	.state = virtio_state,
	.init = fake_init,
	.reset = virtio_reset,
	.fini = fake_fini,
};

struct ctx {
	struct rig r;
	struct virtio *v;
	struct virtq *q;
	struct virtq_chain c;
	struct iovec iov[IOVS];
};

static int setup(void **state)
{
	static const char *const set[] = {"address=0xa000000", NULL};
	struct ctx *x = calloc(1, sizeof(*x));
	struct err e = ERR_INIT;

	assert_true(rig_create(&x->r, &fake, NULL, set, &e));
	x->v = (struct virtio *)x->r.dev;
	x->q = &x->v->vq[0];
	x->c.iov = x->iov;
	x->c.iov_max = IOVS;
	*state = x;
	return 0;
}

static int teardown(void **state)
{
	struct ctx *x = *state;

	rig_destroy(&x->r);
	free(x);
	return 0;
}

/* Descriptor @n of the queue's own table. */
static void desc(struct ctx *x, unsigned n, uint64_t addr, uint32_t len, uint16_t flags,
		 uint16_t next)
{
	rig_desc(&x->r, x->r.ring[0].desc, n, addr, len, flags, next);
}

static bool pop(struct ctx *x)
{
	bool got;

	dev_lock(&x->v->dev);
	got = virtq_pop(x->v, x->q, &x->c);
	dev_unlock(&x->v->dev);
	return got;
}

static void push(struct ctx *x, uint32_t len)
{
	dev_lock(&x->v->dev);
	virtq_push(x->q, &x->c, len);
	virtq_publish(x->v, x->q);
	dev_unlock(&x->v->dev);
}

static bool interrupted(struct ctx *x)
{
	bool i = rig_read(&x->r, REG_InterruptStatus) & 1;

	rig_write(&x->r, REG_InterruptACK, 1);
	return i;
}

/* The chain offered at @head must be refused, the device ask for its reset, and work after it. */
static void expect_broken(struct ctx *x, uint16_t head)
{
	rig_offer(&x->r, 0, head);
	assert_false(pop(x));
	assert_true(rig_read(&x->r, REG_Status) & VIRTIO_S_NEEDS_RESET);
	assert_true(rig_read(&x->r, REG_InterruptStatus) & 2);
	assert_false(pop(x));
	rig_start(&x->r, ALL, NUM);
	assert_false(rig_read(&x->r, REG_Status) & VIRTIO_S_NEEDS_RESET);
	assert_int_equal(rig_read(&x->r, REG_InterruptStatus), 0);
	desc(x, 0, RIG_DATA, 16, 0, 0);
	rig_offer(&x->r, 0, 0);
	assert_true(pop(x));
	rig_start(&x->r, ALL, NUM);
}

static void test_empty(void **state)
{
	struct ctx *x = *state;

	assert_false(pop(x)); /* not even set up */
	rig_start(&x->r, ALL, NUM);
	assert_false(pop(x));
	assert_false(virtq_pending(x->q));
	assert_false(interrupted(x));
}

static void test_chain(void **state)
{
	struct ctx *x = *state;
	uint32_t head, len;

	rig_start(&x->r, ALL, NUM);
	desc(x, 3, RIG_DATA, 100, DESC_NEXT, 5);
	desc(x, 5, RIG_DATA + 0x1000, 50, DESC_NEXT, 1);
	desc(x, 1, RIG_DATA + 0x2000, 10, DESC_NEXT | DESC_WRITE, 0);
	desc(x, 0, RIG_DATA + 0x3000, 1, DESC_WRITE, 7);
	rig_offer(&x->r, 0, 3);
	assert_true(virtq_pending(x->q));
	assert_true(pop(x));
	assert_int_equal(x->c.head, 3);
	assert_int_equal(x->c.out_count, 2);
	assert_int_equal(x->c.in_count, 2);
	assert_int_equal(x->c.out_len, 150);
	assert_int_equal(x->c.in_len, 11);
	assert_ptr_equal(x->iov[0].iov_base, rig_ptr(&x->r, RIG_DATA));
	assert_ptr_equal(x->iov[2].iov_base, rig_ptr(&x->r, RIG_DATA + 0x2000));
	assert_false(rig_used_now(&x->r, 0, &head, &len));
	push(x, 11);
	assert_true(rig_used_now(&x->r, 0, &head, &len));
	assert_int_equal(head, 3);
	assert_int_equal(len, 11);
	assert_true(interrupted(x));
}

static void test_joined(void **state)
{
	struct ctx *x = *state;

	rig_start(&x->r, ALL, NUM);
	desc(x, 0, RIG_DATA, 0x1000, DESC_NEXT, 1);
	desc(x, 1, RIG_DATA + 0x1000, 0x1000, DESC_NEXT, 2);
	desc(x, 2, RIG_DATA + 0x8000, 0, DESC_NEXT, 3);
	desc(x, 3, RIG_DATA + 0x2000, 16, DESC_NEXT | DESC_WRITE, 4);
	desc(x, 4, RIG_DATA + 0x2010, 16, DESC_WRITE, 0);
	rig_offer(&x->r, 0, 0);
	assert_true(pop(x));
	/* Adjacent memory is joined, but not across the direction. */
	assert_int_equal(x->c.out_count, 1);
	assert_int_equal(x->iov[0].iov_len, 0x2000);
	assert_int_equal(x->c.in_count, 1);
	assert_int_equal(x->iov[1].iov_len, 32);
}

static void test_end_of_ram(void **state)
{
	struct ctx *x = *state;

	/* The end of RAM: one byte more is outside. */
	rig_start(&x->r, ALL, NUM);
	desc(x, 0, RIG_RAM + RIG_RAM_SIZE - 16, 16, 0, 0);
	rig_offer(&x->r, 0, 0);
	assert_true(pop(x));
	desc(x, 1, RIG_RAM + RIG_RAM_SIZE - 16, 17, 0, 0);
	expect_broken(x, 1);
}

static void test_indirect(void **state)
{
	struct ctx *x = *state;
	const uint64_t table = RIG_TABLE + 4; /* need not be aligned */

	rig_start(&x->r, ALL, NUM);
	rig_desc(&x->r, table, 0, RIG_DATA + 0x1000, 8, DESC_NEXT, 2);
	rig_desc(&x->r, table, 2, RIG_DATA + 0x2000, 8, DESC_WRITE | DESC_NEXT, 11);
	rig_desc(&x->r, table, 11, RIG_DATA + 0x3000, 8, DESC_WRITE, 0);
	desc(x, 0, RIG_DATA, 4, DESC_NEXT, 1);
	/* WRITE is to be ignored beside INDIRECT. The table may have more entries than the queue. */
	desc(x, 1, table, 12 * 16, DESC_INDIRECT | DESC_WRITE, 0);
	rig_offer(&x->r, 0, 0);
	assert_true(pop(x));
	assert_int_equal(x->c.out_len, 12);
	assert_int_equal(x->c.in_len, 16);
	push(x, 0);
	assert_true(rig_used_now(&x->r, 0, NULL, NULL));
}

static void test_bad_indirect(void **state)
{
	struct ctx *x = *state;

	rig_start(&x->r, ALL, NUM);
	desc(x, 0, RIG_TABLE, 16, DESC_INDIRECT | DESC_NEXT, 1);
	expect_broken(x, 0);
	desc(x, 0, RIG_TABLE, 0, DESC_INDIRECT, 0);
	expect_broken(x, 0);
	desc(x, 0, RIG_TABLE, 24, DESC_INDIRECT, 0);
	expect_broken(x, 0);
	desc(x, 0, 0x1000, 16, DESC_INDIRECT, 0);
	expect_broken(x, 0);
	desc(x, 0, RIG_TABLE, 0xfffffff0, DESC_INDIRECT, 0);
	expect_broken(x, 0);
	/* A table within a table. */
	rig_desc(&x->r, RIG_TABLE, 0, RIG_TABLE + 0x100, 16, DESC_INDIRECT, 0);
	desc(x, 0, RIG_TABLE, 16, DESC_INDIRECT, 0);
	expect_broken(x, 0);
	/* A loop in the table; its parts are joined, so only the count ends it. */
	rig_desc(&x->r, RIG_TABLE, 0, RIG_DATA, 0, DESC_NEXT, 0);
	desc(x, 0, RIG_TABLE, 0x8000, DESC_INDIRECT, 0);
	expect_broken(x, 0);
	/* next beyond the table */
	rig_desc(&x->r, RIG_TABLE, 0, RIG_DATA, 1, DESC_NEXT, 1);
	desc(x, 0, RIG_TABLE, 16, DESC_INDIRECT, 0);
	expect_broken(x, 0);
	/* Not negotiated. */
	rig_start(&x->r, 0, NUM);
	rig_desc(&x->r, RIG_TABLE, 0, RIG_DATA, 1, 0, 0);
	desc(x, 0, RIG_TABLE, 16, DESC_INDIRECT, 0);
	expect_broken(x, 0);
}

static void test_bad_chain(void **state)
{
	struct ctx *x = *state;

	rig_start(&x->r, ALL, NUM);
	expect_broken(x, NUM); /* head out of range */
	expect_broken(x, 0xffff);
	desc(x, 0, RIG_DATA, 1, DESC_NEXT, NUM); /* next out of range */
	expect_broken(x, 0);
	desc(x, 0, RIG_DATA, 1, DESC_NEXT, 0); /* loops */
	expect_broken(x, 0);
	desc(x, 0, RIG_DATA, 0, DESC_NEXT, 1);
	desc(x, 1, RIG_DATA, 0, DESC_NEXT, 0);
	expect_broken(x, 0);
	desc(x, 0, RIG_DATA, 1, DESC_NEXT | DESC_WRITE, 1); /* readable after writable */
	desc(x, 1, RIG_DATA, 1, 0, 0);
	expect_broken(x, 0);
	desc(x, 0, 0x1000, 16, 0, 0); /* no RAM there */
	expect_broken(x, 0);
	desc(x, 0, RIG_SLOT, 16, 0, 0);
	expect_broken(x, 0);
	desc(x, 0, RIG_RAM, RIG_RAM_SIZE + 1, DESC_WRITE, 0);
	expect_broken(x, 0);
	desc(x, 0, UINT64_MAX - 7, 16, 0, 0); /* wraps */
	expect_broken(x, 0);
	desc(x, 0, UINT64_MAX, UINT32_MAX, DESC_WRITE, 0);
	expect_broken(x, 0);
}

static void test_too_many_buffers(void **state)
{
	struct ctx *x = *state;

	rig_start(&x->r, ALL, NUM);
	for (unsigned i = 0; i <= IOVS; i++)
		rig_desc(&x->r, RIG_TABLE, i, RIG_DATA + 0x100 * i, 1, i < IOVS ? DESC_NEXT : 0,
			 (uint16_t)(i + 1));
	desc(x, 0, RIG_TABLE, (IOVS + 1) * 16, DESC_INDIRECT, 0);
	expect_broken(x, 0);
}

/* DMA is Non-secure: what only the Secure world has is not there. */
static void test_secure_memory(void **state)
{
	static const uint64_t rings[] = {REG_QueueDescLow, REG_QueueDriverLow, REG_QueueDeviceLow};
	struct ctx *x = *state;

	rig_start(&x->r, ALL, NUM);
	desc(x, 0, RIG_SECRET, 8, 0, 0);
	expect_broken(x, 0);
	desc(x, 0, RIG_SECRET + RIG_SECRET_SIZE - 8, 8, DESC_WRITE, 0);
	expect_broken(x, 0);
	desc(x, 0, RIG_DATA, 8, DESC_NEXT, 1);
	desc(x, 1, RIG_SECRET, 8, DESC_WRITE, 0);
	expect_broken(x, 0);
	desc(x, 0, RIG_SECRET, 16, DESC_INDIRECT, 0);
	expect_broken(x, 0);
	rig_desc(&x->r, RIG_TABLE, 0, RIG_SECRET, 8, DESC_WRITE, 0);
	desc(x, 0, RIG_TABLE, 16, DESC_INDIRECT, 0);
	expect_broken(x, 0);
	for (size_t i = 0; i < ARRAY_COUNT(rings); i++) {
		rig_start(&x->r, ALL, NUM);
		rig_write(&x->r, REG_QueueReady, 0);
		rig_write(&x->r, rings[i], RIG_SECRET + 0x1000);
		rig_write(&x->r, REG_QueueReady, 1);
		assert_int_equal(rig_read(&x->r, REG_QueueReady), 0);
		assert_true(rig_read(&x->r, REG_Status) & VIRTIO_S_NEEDS_RESET);
	}
	for (unsigned i = 0; i < RIG_SECRET_SIZE; i++)
		assert_int_equal(x->r.secret[i], 0x5e);
}

static void test_bad_avail(void **state)
{
	struct ctx *x = *state;
	uint16_t *avail;

	/* idx jumps further than the queue is long. */
	rig_start(&x->r, ALL, NUM);
	x->r.ring[0].avail_idx = NUM;
	expect_broken(x, 0);
	/* idx runs backwards. */
	x->r.ring[0].avail_idx = (uint16_t)-2;
	expect_broken(x, 0);
	/* More chains in flight than there are entries. */
	desc(x, 0, RIG_DATA, 1, 0, 0);
	for (unsigned i = 0; i < NUM; i++) {
		rig_offer(&x->r, 0, 0);
		assert_true(pop(x));
	}
	expect_broken(x, 0);
	avail = rig_ptr(&x->r, x->r.ring[0].avail);
	assert_int_equal(avail[1], 0);
}

static void test_bad_rings(void **state)
{
	static const struct {
		uint64_t reg, gpa;
	} bad[] = {
		{REG_QueueDescLow, RIG_RING + 8},
		{REG_QueueDriverLow, RIG_RING + 0x1001},
		{REG_QueueDeviceLow, RIG_RING + 0x2002},
		{REG_QueueDescLow, RIG_RAM + RIG_RAM_SIZE - 16 * NUM + 16},
		{REG_QueueDriverLow, RIG_RAM + RIG_RAM_SIZE - (4 + 2 * NUM)},
		{REG_QueueDeviceLow, RIG_RAM + RIG_RAM_SIZE - (4 + 8 * NUM)},
		{REG_QueueDescLow, 0},
		{REG_QueueDriverLow, RIG_SLOT},
		{REG_QueueDeviceLow, UINT64_MAX - 3},
	};
	struct ctx *x = *state;

	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		rig_start(&x->r, ALL, NUM);
		rig_write(&x->r, REG_QueueReady, 0);
		rig_write(&x->r, (uint32_t)bad[i].reg, (uint32_t)bad[i].gpa);
		rig_write(&x->r, bad[i].reg + 4, (uint32_t)(bad[i].gpa >> 32));
		rig_write(&x->r, REG_QueueReady, 1);
		assert_int_equal(rig_read(&x->r, REG_QueueReady), 0);
		assert_true(rig_read(&x->r, REG_Status) & VIRTIO_S_NEEDS_RESET);
	}
	/* Without EVENT_IDX the rings are two bytes shorter and fit. */
	rig_start(&x->r, 0, NUM);
	rig_write(&x->r, REG_QueueReady, 0);
	rig_write(&x->r, REG_QueueDeviceLow, RIG_RAM + RIG_RAM_SIZE - (4 + 8 * NUM));
	rig_write(&x->r, REG_QueueReady, 1);
	assert_int_equal(rig_read(&x->r, REG_QueueReady), 1);
}

static void test_bad_size(void **state)
{
	static const uint32_t bad[] = {0, 3, 512, 0x10000, 0x80000000};
	struct ctx *x = *state;

	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		rig_start(&x->r, ALL, NUM);
		rig_write(&x->r, REG_QueueReady, 0);
		rig_write(&x->r, REG_QueueNum, bad[i]);
		rig_write(&x->r, REG_QueueReady, 1);
		assert_int_equal(rig_read(&x->r, REG_QueueReady), 0);
		assert_true(rig_read(&x->r, REG_Status) & VIRTIO_S_NEEDS_RESET);
	}
}

/* One chain through the queue; was there an interrupt? */
static bool round_trip(struct ctx *x)
{
	rig_offer(&x->r, 0, 0);
	assert_true(pop(x));
	push(x, 0);
	assert_true(rig_used_now(&x->r, 0, NULL, NULL));
	return interrupted(x);
}

static void test_interrupt_flag(void **state)
{
	struct ctx *x = *state;
	uint16_t *avail;

	rig_start(&x->r, 0, NUM);
	avail = rig_ptr(&x->r, x->r.ring[0].avail);
	desc(x, 0, RIG_DATA, 1, 0, 0);
	assert_true(round_trip(x));
	avail[0] = 1;
	assert_false(round_trip(x));
	avail[0] = 0;
	assert_true(round_trip(x));
}

static void test_interrupt_event(void **state)
{
	struct ctx *x = *state;
	uint16_t *event;

	rig_start(&x->r, ALL, NUM);
	event = (uint16_t *)rig_ptr(&x->r, x->r.ring[0].avail) + 2 + NUM;
	desc(x, 0, RIG_DATA, 1, 0, 0);
	*event = 2; /* tell when used idx passes 2, that is with the third */
	assert_false(round_trip(x));
	assert_false(round_trip(x));
	assert_true(round_trip(x));
	assert_false(round_trip(x));
}

static void test_batch_is_one_interrupt(void **state)
{
	struct ctx *x = *state;
	struct virtq_chain taken[4];

	rig_start(&x->r, ALL, NUM);
	desc(x, 0, RIG_DATA, 1, 0, 0);
	for (unsigned i = 0; i < 4; i++) {
		rig_offer(&x->r, 0, 0);
		assert_true(pop(x));
		taken[i] = x->c;
	}
	dev_lock(&x->v->dev);
	for (unsigned i = 0; i < 4; i++)
		virtq_push(x->q, &taken[i], i);
	dev_unlock(&x->v->dev);
	assert_false(rig_used_now(&x->r, 0, NULL, NULL)); /* not visible yet */
	dev_lock(&x->v->dev);
	virtq_publish(x->v, x->q);
	virtq_publish(x->v, x->q);
	dev_unlock(&x->v->dev);
	for (unsigned i = 0; i < 4; i++) {
		uint32_t len;

		assert_true(rig_used_now(&x->r, 0, NULL, &len));
		assert_int_equal(len, i);
	}
	assert_int_equal(x->v->interrupts, 1);
}

static void test_notification_wish(void **state)
{
	struct ctx *x = *state;
	uint16_t *used, *event;

	rig_start(&x->r, 0, NUM);
	used = rig_ptr(&x->r, x->r.ring[0].used);
	virtq_quiet(x->v, x->q);
	assert_int_equal(used[0], 1);
	assert_false(virtq_listen(x->v, x->q));
	assert_int_equal(used[0], 0);
	desc(x, 0, RIG_DATA, 1, 0, 0);
	rig_offer(&x->r, 0, 0);
	assert_true(virtq_listen(x->v, x->q));

	rig_start(&x->r, ALL, NUM);
	event = (uint16_t *)rig_ptr(&x->r, x->r.ring[0].used) + 2 + 4 * NUM;
	desc(x, 0, RIG_DATA, 1, 0, 0);
	round_trip(x);
	virtq_quiet(x->v, x->q);
	assert_int_equal(*event, 0);
	assert_false(virtq_listen(x->v, x->q));
	assert_int_equal(*event, 1);
	rig_offer(&x->r, 0, 0);
	assert_true(virtq_listen(x->v, x->q));
	assert_int_equal(*event, 2);
}

static void test_wrap(void **state)
{
	struct ctx *x = *state;
	uint16_t *event;
	unsigned interrupts = 0;

	rig_start(&x->r, ALL, NUM);
	event = (uint16_t *)rig_ptr(&x->r, x->r.ring[0].avail) + 2 + NUM;
	desc(x, 0, RIG_DATA, 1, 0, 0);
	*event = 9;
	for (unsigned i = 0; i < 0x10000 + 20; i++)
		interrupts += round_trip(x);
	assert_int_equal(interrupts, 2);
}

static void test_stale(void **state)
{
	struct ctx *x = *state;

	rig_start(&x->r, ALL, NUM);
	desc(x, 0, RIG_DATA, 1, 0, 0);
	rig_offer(&x->r, 0, 0);
	assert_true(pop(x));
	rig_start(&x->r, ALL, NUM);
	push(x, 7); /* belongs to the time before the reset */
	assert_false(rig_used_now(&x->r, 0, NULL, NULL));
	assert_false(interrupted(x));
	virtq_unpop(x->q, &x->c);
	assert_int_equal(x->q->last_avail, 0);
	assert_int_equal(x->q->in_flight, 0);
}

static void test_unpop(void **state)
{
	struct ctx *x = *state;

	rig_start(&x->r, ALL, NUM);
	desc(x, 0, RIG_DATA, 1, 0, 0);
	desc(x, 1, RIG_DATA, 2, 0, 0);
	rig_offer(&x->r, 0, 0);
	rig_offer(&x->r, 0, 1);
	assert_true(pop(x));
	virtq_unpop(x->q, &x->c);
	assert_true(pop(x));
	assert_int_equal(x->c.out_len, 1);
	assert_true(pop(x));
	assert_int_equal(x->c.out_len, 2);
}

static void test_iov(void **state)
{
	char a[4] = "abcd", b[3] = "efg", c[5] = "hijkl", out[16] = "";
	struct iovec iov[3] = {{a, 4}, {b, 3}, {c, 5}}, part[3];

	assert_int_equal(iov_read(iov, 3, 2, out, 7), 7);
	assert_memory_equal(out, "cdefghi", 7);
	assert_int_equal(iov_read(iov, 3, 10, out, 7), 2);
	assert_int_equal(iov_read(iov, 3, 12, out, 7), 0);
	assert_int_equal(iov_write(iov, 3, 3, "DEFGHI", 6), 6);
	assert_memory_equal(c, "HIjkl", 5);
	assert_int_equal(iov_slice(iov, 3, 5, 4, part, 3), 2);
	assert_ptr_equal(part[0].iov_base, b + 1);
	assert_int_equal(part[0].iov_len, 2);
	assert_int_equal(part[1].iov_len, 2);
	/* in place */
	assert_int_equal(iov_slice(iov, 3, 4, 8, iov, 3), 2);
	assert_ptr_equal(iov[0].iov_base, b);
	assert_int_equal(iov[1].iov_len, 5);
}

/* Random rings, tables and indices: nothing but refusal or valid memory may come out. */
static void test_random(void **state)
{
	struct ctx *x = *state;

	srand(1);
	for (unsigned round = 0; round < 300; round++) {
		rig_start(&x->r, rand() & 1 ? ALL : VIRTIO_F_INDIRECT_DESC, NUM);
		for (unsigned i = 0; i < 64; i++)
			rig_desc(&x->r, i < NUM ? x->r.ring[0].desc : RIG_TABLE, i % 32,
				 RIG_RAM + (unsigned)rand() % (RIG_RAM_SIZE + 256),
				 (unsigned)rand() % 4096 & ~15u, (uint16_t)(rand() % 8),
				 (uint16_t)(rand() % (NUM + 1)));
		for (unsigned i = 0; i < NUM; i++) {
			rig_offer(&x->r, 0, (uint16_t)(rand() % NUM));
			if (!pop(x))
				break;
			for (unsigned k = 0; k < x->c.out_count + x->c.in_count; k++) {
				uint8_t *p = x->iov[k].iov_base;

				assert_true(p >= x->r.ram && x->iov[k].iov_len);
				assert_true(p + x->iov[k].iov_len <= x->r.ram + RIG_RAM_SIZE);
			}
			push(x, 0);
		}
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_empty),
		TEST(test_chain),
		TEST(test_joined),
		TEST(test_end_of_ram),
		TEST(test_indirect),
		TEST(test_bad_indirect),
		TEST(test_bad_chain),
		TEST(test_too_many_buffers),
		TEST(test_secure_memory),
		TEST(test_bad_avail),
		TEST(test_bad_rings),
		TEST(test_bad_size),
		TEST(test_interrupt_flag),
		TEST(test_interrupt_event),
		TEST(test_batch_is_one_interrupt),
		TEST(test_notification_wish),
		TEST(test_wrap),
		TEST(test_stale),
		TEST(test_unpop),
		TEST(test_random),
		cmocka_unit_test(test_iov),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

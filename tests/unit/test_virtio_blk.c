// SPDX-License-Identifier: Apache-2.0
/* The block device on a raw file. */
#include "virtio_rig.h"

#include "util/bits.h"
#include "util/err.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

extern const struct component virtio_blk_component, rawfile_component;

#define F_RO	       (1ULL << 5)
#define F_FLUSH	       (1ULL << 9)
#define F_DISCARD      (1ULL << 13)
#define F_WRITE_ZEROES (1ULL << 14)
#define ALL	       (VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | F_FLUSH)

enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2, S_NONE = 0xaa };
enum { SECTORS = 2048, NUM = 64 };

struct ctx {
	struct rig r;
	char path[64];
	char path_prop[80];
	struct virtual_clock clock;
	bool has_clock;
};

static void make_image(struct ctx *x, off_t size)
{
	int fd;

	strcpy(x->path, "/tmp/obverse-blk-XXXXXX");
	fd = mkstemp(x->path);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
	snprintf(x->path_prop, sizeof(x->path_prop), "|path=%s", x->path);
}

static bool start(struct ctx *x, struct err *e, const char *extra)
{
	const char *set[] = {"address=0xa000000", "serial=disk-0815", x->path_prop, extra, NULL};

	return rig_create_on(&x->r, x->has_clock ? &x->clock : NULL, &virtio_blk_component,
			     &rawfile_component, set, e);
}

static struct ctx *create_with(const char *extra, bool clock)
{
	struct ctx *x = calloc(1, sizeof(*x));
	struct err e = ERR_INIT;

	x->has_clock = clock;
	make_image(x, SECTORS * 512);
	assert_true(start(x, &e, extra));
	rig_start(&x->r, ALL, NUM);
	return x;
}

static struct ctx *create(const char *extra)
{
	return create_with(extra, false);
}

static int setup(void **state)
{
	*state = create(NULL);
	return 0;
}

static int setup_clock(void **state)
{
	*state = create_with(NULL, true);
	return 0;
}

static int setup_readonly(void **state)
{
	*state = create("|readonly=true");
	return 0;
}

static int setup_legacy(void **state)
{
	*state = create("legacy=true");
	return 0;
}

static int setup_direct(void **state)
{
	*state = create("|direct=true");
	return 0;
}

static int teardown(void **state)
{
	struct ctx *x = *state;

	rig_destroy(&x->r);
	unlink(x->path);
	free(x);
	return 0;
}

/* Request @slot (up to 16 at a time): header, data in one piece, status. */
enum { SLOTS = 16, SLOT_DATA = 32768 };

static uint64_t header_at(unsigned slot)
{
	return RIG_TABLE + 64 * slot;
}

static uint64_t data_at(unsigned slot)
{
	return RIG_DATA + (uint64_t)SLOT_DATA * slot;
}

static uint8_t *status_of(struct ctx *x, unsigned slot)
{
	return rig_ptr(&x->r, header_at(slot) + 32);
}

static void offer(struct ctx *x, unsigned slot, uint32_t type, uint64_t sector, uint32_t len)
{
	const bool in = type == T_IN || type == T_GET_ID;
	const uint64_t table = x->r.ring[0].desc;
	unsigned d = slot * 3;
	struct {
		uint32_t type, reserved;
		uint64_t sector;
	} h = {type, 0, sector};

	memcpy(rig_ptr(&x->r, header_at(slot)), &h, sizeof(h));
	*status_of(x, slot) = S_NONE;
	rig_desc(&x->r, table, d, header_at(slot), 16, DESC_NEXT, (uint16_t)(len ? d + 1 : d + 2));
	rig_desc(&x->r, table, d + 1, data_at(slot), len, DESC_NEXT | (in ? DESC_WRITE : 0),
		 (uint16_t)(d + 2));
	rig_desc(&x->r, table, d + 2, header_at(slot) + 32, 1, DESC_WRITE, 0);
	rig_offer(&x->r, 0, (uint16_t)d);
}

/* One request from beginning to end. */
static uint8_t request(struct ctx *x, uint32_t type, uint64_t sector, uint32_t len)
{
	uint32_t head, written;

	offer(x, 0, type, sector, len);
	rig_notify(&x->r, 0);
	assert_true(rig_used(&x->r, 0, &head, &written));
	assert_int_equal(head, 0);
	if (*status_of(x, 0) == S_OK && type == T_IN)
		assert_int_equal(written, len + 1);
	return *status_of(x, 0);
}

static void read_file(struct ctx *x, void *buf, size_t len, off_t offset)
{
	int fd = open(x->path, O_RDONLY);

	assert_int_equal(pread(fd, buf, len, offset), len);
	close(fd);
}

static void test_config(void **state)
{
	struct ctx *x = *state;

	assert_int_equal(rig_read(&x->r, REG_DeviceID), 2);
	assert_int_equal(rig_read(&x->r, REG_Config), SECTORS);
	assert_int_equal(rig_read(&x->r, REG_Config + 12), 254);
	assert_int_equal(rig_read(&x->r, REG_Config + 20), 512);
	assert_true(rig_features(&x->r) & F_FLUSH);
	assert_false(rig_features(&x->r) & F_RO);
}

static void test_read_write(void **state)
{
	struct ctx *x = *state;
	uint8_t *data = rig_ptr(&x->r, data_at(0)), file[1024];

	memset(data, 0x5a, 1024);
	assert_int_equal(request(x, T_OUT, 7, 1024), S_OK);
	read_file(x, file, 1024, 7 * 512);
	assert_memory_equal(file, data, 1024);
	memset(data, 0, 1024);
	assert_int_equal(request(x, T_IN, 7, 1024), S_OK);
	assert_memory_equal(file, data, 1024);
	assert_int_equal(request(x, T_IN, SECTORS - 1, 512), S_OK);
	assert_int_equal(request(x, T_IN, 0, 0), S_OK);
	assert_int_equal(request(x, T_FLUSH, 0, 0), S_OK);
}

static void test_limits(void **state)
{
	struct ctx *x = *state;

	assert_int_equal(request(x, T_IN, SECTORS, 512), S_IOERR);
	assert_int_equal(request(x, T_IN, SECTORS - 1, 1024), S_IOERR);
	assert_int_equal(request(x, T_OUT, UINT64_MAX, 512), S_IOERR);
	assert_int_equal(request(x, T_OUT, UINT64_MAX / 512 + 1, 512), S_IOERR);
	assert_int_equal(request(x, T_IN, 0, 511), S_IOERR);
	assert_int_equal(request(x, T_OUT, 0, 513), S_IOERR);
	assert_int_equal(request(x, 2, 0, 512), S_UNSUPP);
	assert_int_equal(request(x, 0xffffffff, 0, 512), S_UNSUPP);
	assert_int_equal(request(x, T_IN, 0, 512), S_OK);
	assert_false(rig_read(&x->r, REG_Status) & VIRTIO_S_NEEDS_RESET);
}

static void test_id(void **state)
{
	struct ctx *x = *state;

	memset(rig_ptr(&x->r, data_at(0)), 0xff, 32);
	assert_int_equal(request(x, T_GET_ID, 0, 20), S_OK);
	assert_string_equal(rig_ptr(&x->r, data_at(0)), "disk-0815");
	assert_int_equal(request(x, T_GET_ID, 0, 4), S_OK);
}

static void test_read_only(void **state)
{
	struct ctx *x = *state;
	uint8_t file[512];

	assert_true(rig_features(&x->r) & F_RO);
	assert_false(rig_features(&x->r) & (F_DISCARD | F_WRITE_ZEROES));
	memset(rig_ptr(&x->r, data_at(0)), 1, 512);
	assert_int_equal(request(x, T_OUT, 0, 512), S_IOERR);
	assert_int_equal(request(x, T_DISCARD, 0, 16), S_UNSUPP);
	assert_int_equal(request(x, T_FLUSH, 0, 0), S_OK);
	assert_int_equal(request(x, T_IN, 0, 512), S_OK);
	read_file(x, file, 512, 0);
	assert_int_equal(file[0], 0);
}

static void set_range(struct ctx *x, uint64_t sector, uint32_t count, uint32_t flags)
{
	uint8_t *p = rig_ptr(&x->r, data_at(0));

	memcpy(p, &sector, 8);
	memcpy(p + 8, &count, 4);
	memcpy(p + 12, &flags, 4);
}

static void test_zeroes(void **state)
{
	struct ctx *x = *state;
	uint8_t file[4 * 512];

	assert_int_equal(request(x, T_DISCARD, 0, 16), S_UNSUPP); /* not negotiated */
	rig_start(&x->r, ALL | F_DISCARD | F_WRITE_ZEROES, NUM);
	memset(rig_ptr(&x->r, data_at(0)), 0x33, sizeof(file));
	assert_int_equal(request(x, T_OUT, 0, sizeof(file)), S_OK);
	set_range(x, 1, 2, 1);
	assert_int_equal(request(x, T_WRITE_ZEROES, 0, 16), S_OK);
	read_file(x, file, sizeof(file), 0);
	assert_int_equal(file[511], 0x33);
	for (unsigned i = 512; i < 3 * 512; i++)
		assert_int_equal(file[i], 0);
	assert_int_equal(file[3 * 512], 0x33);
	set_range(x, 0, 8, 0);
	assert_int_equal(request(x, T_DISCARD, 0, 16), S_OK);
	set_range(x, 0, 8, 1);
	assert_int_equal(request(x, T_DISCARD, 0, 16), S_UNSUPP);
	set_range(x, 0, 8, 2);
	assert_int_equal(request(x, T_WRITE_ZEROES, 0, 16), S_UNSUPP);
	set_range(x, SECTORS - 1, 2, 0);
	assert_int_equal(request(x, T_WRITE_ZEROES, 0, 16), S_IOERR);
	set_range(x, UINT64_MAX, UINT32_MAX, 0);
	assert_int_equal(request(x, T_DISCARD, 0, 16), S_IOERR);
	set_range(x, 0, 1, 0);
	assert_int_equal(request(x, T_DISCARD, 0, 15), S_IOERR);
	assert_int_equal(request(x, T_DISCARD, 0, 32), S_IOERR);
	/* The file keeps its size. */
	read_file(x, file, 512, (SECTORS - 1) * 512);
}

/* Many requests at once, in random order, compared with a model of the disk. */
static void integrity(struct ctx *x)
{
	uint8_t *model = calloc(SECTORS, 512), *file = malloc(SECTORS * 512);
	struct {
		bool write;
		uint64_t sector;
		uint32_t sectors;
	} op[SLOTS];

	srand(3);
	for (unsigned round = 0; round < 200; round++) {
		unsigned count = 1 + (unsigned)rand() % SLOTS;

		for (unsigned s = 0; s < count; s++) {
			/* Requests of a round do not overlap: each has its own part of the disk. */
			uint64_t base = (uint64_t)s * (SECTORS / SLOTS);

			op[s].write = rand() & 1;
			op[s].sectors = 1 + (unsigned)rand() % (SLOT_DATA / 512);
			op[s].sector = base + (unsigned)rand() % (SECTORS / SLOTS - op[s].sectors);
			if (!(rand() % 4))
				op[s].sector = base; /* neighbours sometimes touch */
			for (unsigned i = 0; i < op[s].sectors * 512; i += 4)
				*(int *)rig_ptr(&x->r, data_at(s) + i) = rand();
			if (op[s].write)
				memcpy(model + op[s].sector * 512, rig_ptr(&x->r, data_at(s)),
				       op[s].sectors * 512);
			offer(x, s, op[s].write ? T_OUT : T_IN, op[s].sector, op[s].sectors * 512);
			if (!(rand() % 4))
				rig_notify(&x->r, 0);
		}
		rig_notify(&x->r, 0);
		for (unsigned i = 0; i < count; i++) {
			uint32_t head;
			unsigned s;

			assert_true(rig_used(&x->r, 0, &head, NULL));
			s = head / 3;
			assert_int_equal(*status_of(x, s), S_OK);
			assert_memory_equal(model + op[s].sector * 512, rig_ptr(&x->r, data_at(s)),
					    op[s].sectors * 512);
		}
	}
	read_file(x, file, SECTORS * 512, 0);
	assert_memory_equal(file, model, SECTORS * 512);
	free(file);
	free(model);
}

static void test_integrity(void **state)
{
	integrity(*state);
}

/* Sequential requests, which the back end joins. */
static void test_sequential(void **state)
{
	struct ctx *x = *state;
	uint8_t file[SLOTS * 4096];

	for (unsigned s = 0; s < SLOTS; s++) {
		memset(rig_ptr(&x->r, data_at(s)), (int)s + 1, 4096);
		offer(x, s, T_OUT, s * 8, 4096);
	}
	rig_notify(&x->r, 0);
	for (unsigned s = 0; s < SLOTS; s++)
		assert_true(rig_used(&x->r, 0, NULL, NULL));
	read_file(x, file, sizeof(file), 0);
	for (unsigned i = 0; i < sizeof(file); i++)
		assert_int_equal(file[i], i / 4096 + 1);
	/* Fewer interrupts than requests is the point of batches. */
	dev_lock(x->r.dev);
	assert_true(((struct virtio *)x->r.dev)->interrupts < SLOTS);
	dev_unlock(x->r.dev);
}

/* Without F_FLUSH a write must be on disk when it completes; here just that it completes once. */
static void test_write_through(void **state)
{
	struct ctx *x = *state;

	rig_start(&x->r, 0, NUM);
	for (unsigned s = 0; s < SLOTS; s++)
		offer(x, s, s & 1 ? T_OUT : T_IN, s * 8, 4096);
	rig_notify(&x->r, 0);
	for (unsigned s = 0; s < SLOTS; s++)
		assert_true(rig_used(&x->r, 0, NULL, NULL));
	assert_false(rig_used_now(&x->r, 0, NULL, NULL));
	assert_int_equal(request(x, T_OUT, 0, 512), S_OK);
}

static void test_hostile(void **state)
{
	struct ctx *x = *state;
	const uint64_t table = x->r.ring[0].desc;

	/* No room for the status. */
	rig_desc(&x->r, table, 0, header_at(0), 16, 0, 0);
	rig_offer(&x->r, 0, 0);
	rig_notify(&x->r, 0);
	assert_true(rig_read(&x->r, REG_Status) & VIRTIO_S_NEEDS_RESET);
	rig_start(&x->r, ALL, NUM);
	/* Header too short. */
	rig_desc(&x->r, table, 0, header_at(0), 15, DESC_NEXT, 1);
	rig_desc(&x->r, table, 1, data_at(0), 1, DESC_WRITE, 0);
	rig_offer(&x->r, 0, 0);
	rig_notify(&x->r, 0);
	assert_true(rig_read(&x->r, REG_Status) & VIRTIO_S_NEEDS_RESET);
	rig_start(&x->r, ALL, NUM);
	/* A status byte inside the data, header over rings: odd, but memory-safe. */
	rig_desc(&x->r, table, 0, table, 16, DESC_NEXT, 1);
	rig_desc(&x->r, table, 1, table, 513, DESC_WRITE, 0);
	rig_offer(&x->r, 0, 0);
	rig_notify(&x->r, 0);
	rig_used(&x->r, 0, NULL, NULL);
	rig_start(&x->r, ALL, NUM);
	assert_int_equal(request(x, T_IN, 0, 512), S_OK);
}

static void test_split_header(void **state)
{
	struct ctx *x = *state;
	const uint64_t table = x->r.ring[0].desc;
	uint8_t *h = rig_ptr(&x->r, header_at(0));

	/* Any framing is allowed, 2.7.4: header in three pieces, the last of them with data, and the
	 * status in the last byte of a larger buffer. */
	memset(h, 0, 64);
	h[0] = T_OUT;
	h[8] = 5;
	memcpy(rig_ptr(&x->r, data_at(1)), h + 6, 10);
	memset(rig_ptr(&x->r, data_at(1) + 10), 0x77, 512);
	rig_desc(&x->r, table, 0, header_at(0), 2, DESC_NEXT, 1);
	rig_desc(&x->r, table, 1, header_at(0) + 2, 4, DESC_NEXT, 2);
	rig_desc(&x->r, table, 2, data_at(1), 522, DESC_NEXT, 3);
	rig_desc(&x->r, table, 3, data_at(2), 8, DESC_WRITE, 0);
	memset(rig_ptr(&x->r, data_at(2)), S_NONE, 8);
	rig_offer(&x->r, 0, 0);
	rig_notify(&x->r, 0);
	assert_true(rig_used(&x->r, 0, NULL, NULL));
	assert_int_equal(((uint8_t *)rig_ptr(&x->r, data_at(2)))[7], S_OK);
	read_file(x, h, 1, 5 * 512);
	assert_int_equal(h[0], 0x77);
}

/* Reset with requests in flight: afterwards nothing writes to guest memory. */
static void test_reset_in_flight(void **state)
{
	struct ctx *x = *state;
	uint8_t *ram = malloc(RIG_RAM_SIZE);

	for (unsigned round = 0; round < 50; round++) {
		rig_start(&x->r, ALL, NUM);
		for (unsigned s = 0; s < SLOTS; s++)
			offer(x, s, T_IN, s * 8, SLOT_DATA);
		rig_notify(&x->r, 0);
		rig_write(&x->r, REG_Status, 0);
		memset(x->r.ram, (int)round, RIG_RAM_SIZE);
		memcpy(ram, x->r.ram, RIG_RAM_SIZE);
		usleep(round % 5 ? 0 : 1000);
		assert_memory_equal(ram, x->r.ram, RIG_RAM_SIZE);
		assert_int_equal(rig_read(&x->r, REG_InterruptStatus), 0);
	}
	free(ram);
}

/* Destruction with requests in flight. */
static void destroy_in_flight(struct ctx *x)
{
	for (unsigned s = 0; s < SLOTS; s++)
		offer(x, s, T_OUT, s * 8, SLOT_DATA);
	rig_notify(&x->r, 0);
	rig_destroy(&x->r);
	unlink(x->path);
	free(x);
}

static void test_fini_in_flight(void **state)
{
	destroy_in_flight(create(NULL));
	destroy_in_flight(create_with(NULL, true));
}

/* On a virtual clock requests are done when the loop comes round, all of them, in order. */
static void test_in_the_loop(void **state)
{
	struct ctx *x = *state;
	uint32_t head;

	for (unsigned round = 0; round < 2; round++) {
		for (unsigned s = 0; s < SLOTS; s++)
			offer(x, s, s % 2 ? T_IN : T_OUT, s * 64, 512 * (1 + s));
		rig_notify(&x->r, 0);
		offer(x, SLOTS, T_FLUSH, 0, 0);
		rig_notify(&x->r, 0);
		usleep(1000);
		assert_false(rig_used_now(&x->r, 0, NULL, NULL));
		loop_run_due(x->r.host.loop);
		for (unsigned s = 0; s <= SLOTS; s++) {
			assert_true(rig_used_now(&x->r, 0, &head, NULL));
			assert_int_equal(head, 3 * s);
			assert_int_equal(*status_of(x, s), S_OK);
		}
	}
}

static void expect_refused(struct ctx *x, const char *extra, const char *text)
{
	struct err e = ERR_INIT;

	assert_false(start(x, &e, extra));
	assert_true(e.count > 0);
	assert_non_null(strstr(e.items[0].text, text));
	assert_non_null(e.items[0].hint);
	err_free(&e);
	rig_destroy(&x->r);
}

static void test_bad_images(void **state)
{
	struct ctx *x = calloc(1, sizeof(*x));

	make_image(x, 0);
	expect_refused(x, NULL, "0 bytes");
	assert_int_equal(truncate(x->path, 1000), 0);
	expect_refused(x, NULL, "1000 bytes");
	unlink(x->path);
	expect_refused(x, NULL, "No such file");
	free(x);
}

static void test_lock(void **state)
{
	struct ctx *x = *state;
	struct ctx *y = calloc(1, sizeof(*y));
	struct err e = ERR_INIT;

	memcpy(y->path_prop, x->path_prop, sizeof(y->path_prop));
	expect_refused(y, NULL, "is in use");
	expect_refused(y, "|readonly=true", "is in use");
	rig_destroy(&x->r);
	/* Readers share. */
	assert_true(start(x, &e, "|readonly=true"));
	assert_true(start(y, &e, "|readonly=true"));
	rig_destroy(&y->r);
	expect_refused(y, NULL, "is in use");
	free(y);
}

static void test_no_backend(void **state)
{
	const char *const set[] = {"address=0xa000000", NULL};
	struct err e = ERR_INIT;
	struct rig r;

	assert_false(rig_create(&r, &virtio_blk_component, NULL, set, &e));
	assert_true(err_any(&e));
	err_free(&e);
	rig_destroy(&r);
}

/* ---- a back end that only writes down what it is asked ---- */

struct fake_disk {
	struct dev dev;
	struct block_req *asked[32];
	unsigned count;
};

static uint64_t fake_size(struct dev *be)
{
	return SECTORS * 512;
}

static bool fake_read_only(struct dev *be)
{
	return false;
}

static void fake_submit(struct dev *be, struct block_req *r)
{
	struct fake_disk *f = (struct fake_disk *)be;

	f->asked[f->count++] = r;
}

static void fake_submit_batch(struct dev *be, struct block_req *first)
{
	for (struct block_req *next; first; first = next) {
		next = first->next;
		fake_submit(be, first);
	}
}

static const struct backend_block_ops fake_ops = {
	.size = fake_size,
	.read_only = fake_read_only,
	.submit = fake_submit,
	.submit_batch = fake_submit_batch,
};

static const struct component fake_component = {
	.type = "fake",
	.cls = DEV_BACKEND,
	.size = sizeof(struct fake_disk),
	.backend = BACKEND_BLOCK,
	.backend_ops = &fake_ops,
};

static struct fake_disk *create_fake(struct ctx *x, uint64_t features)
{
	const char *const set[] = {"address=0xa000000", NULL};
	struct err e = ERR_INIT;

	memset(x, 0, sizeof(*x));
	assert_true(rig_create(&x->r, &virtio_blk_component, &fake_component, set, &e));
	rig_start(&x->r, features, NUM);
	return (struct fake_disk *)x->r.backend;
}

static void finish(struct fake_disk *f, unsigned n, int result, bool more)
{
	f->asked[n]->more = more;
	f->asked[n]->done(f->asked[n], result);
}

static void test_flush_follows_write(void **state)
{
	struct ctx x;
	struct fake_disk *f = create_fake(&x, 0);

	offer(&x, 0, T_OUT, 4, 1024);
	rig_notify(&x.r, 0);
	assert_int_equal(f->count, 1);
	assert_int_equal(f->asked[0]->op, BLOCK_WRITE);
	assert_int_equal(f->asked[0]->offset, 4 * 512);
	assert_int_equal(f->asked[0]->len, 1024);
	finish(f, 0, 0, false);
	assert_false(rig_used_now(&x.r, 0, NULL, NULL));
	assert_int_equal(f->count, 2);
	assert_int_equal(f->asked[1]->op, BLOCK_FLUSH);
	finish(f, 1, 0, false);
	assert_true(rig_used_now(&x.r, 0, NULL, NULL));
	assert_int_equal(*status_of(&x, 0), S_OK);
	/* A failed flush fails the write. */
	offer(&x, 0, T_OUT, 4, 1024);
	rig_notify(&x.r, 0);
	finish(f, 2, 0, false);
	finish(f, 3, -EIO, false);
	assert_true(rig_used_now(&x.r, 0, NULL, NULL));
	assert_int_equal(*status_of(&x, 0), S_IOERR);
	rig_destroy(&x.r);
}

static void test_flush_waits_for_disk(void **state)
{
	struct ctx x;
	struct fake_disk *f = create_fake(&x, ALL);

	offer(&x, 0, T_OUT, 4, 1024);
	offer(&x, 1, T_FLUSH, 0, 0);
	rig_notify(&x.r, 0);
	assert_int_equal(f->count, 2); /* one batch, in order */
	assert_int_equal(f->asked[1]->op, BLOCK_FLUSH);
	finish(f, 0, 0, false);
	assert_int_equal(f->count, 2); /* write-back: no flush of its own */
	assert_true(rig_used_now(&x.r, 0, NULL, NULL));
	assert_int_equal(*status_of(&x, 1), S_NONE);
	finish(f, 1, 0, false);
	assert_int_equal(*status_of(&x, 1), S_OK);
	rig_destroy(&x.r);
}

static void test_batch_completion(void **state)
{
	struct ctx x;
	struct fake_disk *f = create_fake(&x, VIRTIO_F_INDIRECT_DESC | F_FLUSH);

	for (unsigned s = 0; s < 4; s++)
		offer(&x, s, T_IN, s, 512);
	rig_notify(&x.r, 0);
	/* Out of order, one failing; the guest hears of them together. */
	finish(f, 2, 0, true);
	finish(f, 0, -EIO, true);
	finish(f, 3, 0, true);
	assert_false(rig_used_now(&x.r, 0, NULL, NULL));
	finish(f, 1, 0, false);
	for (unsigned s = 0; s < 4; s++)
		assert_true(rig_used_now(&x.r, 0, NULL, NULL));
	assert_int_equal(*status_of(&x, 0), S_IOERR);
	assert_int_equal(*status_of(&x, 3), S_OK);
	assert_int_equal(((struct virtio *)x.r.dev)->interrupts, 1);
	rig_destroy(&x.r);
}

static void test_broken_in_flight(void **state)
{
	struct ctx x;
	struct fake_disk *f = create_fake(&x, ALL);

	/* The queue breaks while a good request is in flight: it may still complete. */
	offer(&x, 0, T_IN, 0, 512);
	rig_offer(&x.r, 0, NUM);
	rig_notify(&x.r, 0);
	assert_int_equal(f->count, 1);
	assert_true(rig_read(&x.r, REG_Status) & VIRTIO_S_NEEDS_RESET);
	finish(f, 0, 0, false);
	rig_start(&x.r, ALL, NUM);
	assert_int_equal(rig_read(&x.r, REG_Status), 15);
	rig_destroy(&x.r);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_config),
		TEST(test_read_write),
		TEST(test_limits),
		TEST(test_id),
		TEST(test_zeroes),
		TEST(test_integrity),
		TEST(test_sequential),
		TEST(test_write_through),
		TEST(test_hostile),
		TEST(test_split_header),
		TEST(test_reset_in_flight),
		TEST(test_lock),
		cmocka_unit_test_setup_teardown(test_in_the_loop, setup_clock, teardown),
		cmocka_unit_test_setup_teardown(test_reset_in_flight, setup_clock, teardown),
		cmocka_unit_test_setup_teardown(test_read_only, setup_readonly, teardown),
		cmocka_unit_test_setup_teardown(test_integrity, setup_direct, teardown),
		cmocka_unit_test_setup_teardown(test_integrity, setup_legacy, teardown),
		cmocka_unit_test_setup_teardown(test_reset_in_flight, setup_legacy, teardown),
		cmocka_unit_test(test_flush_follows_write),
		cmocka_unit_test(test_flush_waits_for_disk),
		cmocka_unit_test(test_batch_completion),
		cmocka_unit_test(test_broken_in_flight),
		cmocka_unit_test(test_fini_in_flight),
		cmocka_unit_test(test_bad_images),
		cmocka_unit_test(test_no_backend),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

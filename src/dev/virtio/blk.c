// SPDX-License-Identifier: Apache-2.0
/*
 * Block device, virtio 1.2 section 5.2.
 *
 * A notification takes all available requests and hands them to the back end in one batch, whose
 * worker threads read and write guest memory directly. Each completion takes the device's lock just
 * to fill in the used entry; requests that the back end completes together are published together.
 *
 * A driver that does not accept VIRTIO_BLK_F_FLUSH may rely on write-through (5.2.6.2): then every
 * write is followed by a flush before it is completed.
 *
 * Left out: SCSI commands, VIRTIO_BLK_F_CONFIG_WCE, secure erase, zoned devices, several queues.
 */
#include "dev/backend.h"
#include "dev/virtio/virtio.h"

#include "util/bits.h"
#include "util/err.h"

#include <endian.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define F_SEG_MAX      (1ULL << 2)
#define F_RO	       (1ULL << 5)
#define F_BLK_SIZE     (1ULL << 6)
#define F_FLUSH	       (1ULL << 9)
#define F_DISCARD      (1ULL << 13)
#define F_WRITE_ZEROES (1ULL << 14)

enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2 };

enum {
	QUEUE_SIZE = 256,
	SEG_MAX = QUEUE_SIZE - 2,	/* a request is header, segments, status */
	IOV_MAX_CHAIN = QUEUE_SIZE + 2, /* room for buffers that cross from one RAM to the next */
	SECTOR = 512,
	HEADER_SIZE = 16,
	RANGE_SIZE = 16,
	ID_SIZE = 20,
	RANGE_SECTORS_MAX = 1 << 21, /* 1 GiB per discard or write-zeroes request */
};

struct config {
	uint64_t capacity;
	uint32_t size_max, seg_max;
	uint16_t cylinders;
	uint8_t heads, sectors;
	uint32_t blk_size;
	uint8_t physical_block_exp, alignment_offset;
	uint16_t min_io_size;
	uint32_t opt_io_size;
	uint8_t writeback, unused0;
	uint16_t num_queues;
	uint32_t max_discard_sectors, max_discard_seg, discard_sector_alignment;
	uint32_t max_write_zeroes_sectors, max_write_zeroes_seg;
	uint8_t write_zeroes_may_unmap, unused1[3];
} __attribute__((packed));

struct header {
	uint32_t type, reserved;
	uint64_t sector;
};

struct range {
	uint64_t sector;
	uint32_t num_sectors, flags;
};

struct blk;

struct request {
	struct block_req io; /* first: handed to the back end */
	struct blk *blk;
	struct request *next; /* free */
	struct virtq_chain chain;
	uint8_t *status;
	uint8_t result;	  /* of a request that needs no back end */
	bool sync;	  /* a write to be followed by a flush */
	uint32_t written; /* bytes for the guest if it succeeds, without the status byte */
};

struct blk {
	struct virtio v;
	/* properties */
	const char *serial;
	uint32_t blk_size;

	const struct backend_block_ops *ops;
	uint64_t capacity; /* sectors */
	bool read_only;
	struct request *requests, *free;
	struct iovec *iovs; /* IOV_MAX_CHAIN for each request */
	/* Statistics. */
	uint64_t reads, writes, flushes;
};

static struct virtq *queue(struct blk *b)
{
	return &b->v.vq[0];
}

/* ---- completion ---- */

static void complete(struct blk *b, struct request *r, uint8_t status)
{
	/* The chain is stale if the queue was stopped meanwhile; then its memory is not ours. */
	if (queue(b)->QueueReady && r->chain.generation == queue(b)->generation) {
		*r->status = status;
		virtq_push(queue(b), &r->chain, (status == S_OK ? r->written : 0) + 1);
	}
	r->next = b->free;
	b->free = r;
}

/* In a worker thread. */
static void io_done(struct block_req *io, int result)
{
	struct request *r = container_of(io, struct request, io);
	struct blk *b = r->blk;

	if (!result && r->sync) {
		r->sync = false;
		io->op = BLOCK_FLUSH;
		b->ops->submit(b->v.dev.backend, io);
		return;
	}
	dev_lock(&b->v.dev);
	complete(b, r, result ? S_IOERR : S_OK);
	if (!io->more)
		virtq_publish(&b->v, queue(b));
	virtio_end(&b->v);
	dev_unlock(&b->v.dev);
}

/* ---- requests ---- */

enum verdict { SUBMIT, FINISHED, BROKEN };

static enum verdict finish(struct request *r, uint8_t result)
{
	r->result = result;
	return FINISHED;
}

/* 5.2.6.2: beyond the capacity, or not in whole blocks. */
static bool range_ok(const struct blk *b, uint64_t sector, uint64_t sectors)
{
	uint64_t block = b->blk_size / SECTOR;

	return sector <= b->capacity && sectors <= b->capacity - sector && !(sector % block) &&
	       !(sectors % block);
}

/* Bytes [offset, offset + len) of a part of the chain become the data of the request. */
static enum verdict start_data(struct blk *b, struct request *r, uint64_t sector, bool write)
{
	struct virtq_chain *c = &r->chain;
	struct iovec *part = write ? r->chain.iov : r->chain.iov + c->out_count;
	uint64_t len = write ? c->out_len - HEADER_SIZE : c->in_len - 1;

	if (len % SECTOR || !range_ok(b, sector, len / SECTOR) || (write && b->read_only))
		return finish(r, S_IOERR);
	if (!len)
		return finish(r, S_OK);
	r->io.iov_count = (int)iov_slice(part, write ? c->out_count : c->in_count,
					 write ? HEADER_SIZE : 0, len, part, IOV_MAX_CHAIN);
	r->io.iov = part;
	r->io.op = write ? BLOCK_WRITE : BLOCK_READ;
	r->io.offset = sector * SECTOR;
	r->io.len = len;
	r->written = write ? 0 : (uint32_t)len;
	r->sync = write && !virtio_has(&b->v, F_FLUSH);
	*(write ? &b->writes : &b->reads) += 1;
	return SUBMIT;
}

static enum verdict start_range(struct blk *b, struct request *r, bool discard)
{
	uint32_t known_flags = discard ? 0 : 1; /* 5.2.6.2: unmap, a permission we do not use */
	struct range range;

	if (!virtio_has(&b->v, discard ? F_DISCARD : F_WRITE_ZEROES))
		return finish(r, S_UNSUPP);
	if (b->read_only || r->chain.out_len != HEADER_SIZE + RANGE_SIZE)
		return finish(r, S_IOERR);
	iov_read(r->chain.iov, r->chain.out_count, HEADER_SIZE, &range, sizeof(range));
	range.sector = le64toh(range.sector);
	range.num_sectors = le32toh(range.num_sectors);
	if (le32toh(range.flags) & ~known_flags)
		return finish(r, S_UNSUPP);
	if (range.num_sectors > RANGE_SECTORS_MAX || !range_ok(b, range.sector, range.num_sectors))
		return finish(r, S_IOERR);
	if (!range.num_sectors)
		return finish(r, S_OK);
	r->io.op = discard ? BLOCK_DISCARD : BLOCK_WRITE_ZEROES;
	r->io.offset = range.sector * SECTOR;
	r->io.len = (uint64_t)range.num_sectors * SECTOR;
	r->sync = !virtio_has(&b->v, F_FLUSH);
	return SUBMIT;
}

static enum verdict get_id(struct blk *b, struct request *r)
{
	struct virtq_chain *c = &r->chain;
	char id[ID_SIZE] = {0};
	size_t len = c->in_len - 1 < ID_SIZE ? c->in_len - 1 : ID_SIZE;

	if (b->serial)
		memcpy(id, b->serial, strnlen(b->serial, ID_SIZE));
	r->written = (uint32_t)iov_write(r->chain.iov + c->out_count, c->in_count, 0, id, len);
	return finish(r, S_OK);
}

static enum verdict start(struct blk *b, struct request *r)
{
	struct virtq_chain *c = &r->chain;
	struct iovec *last = r->chain.iov + c->out_count + c->in_count - 1;
	struct header h;

	if (c->out_len < HEADER_SIZE || !c->in_len) {
		virtio_broken(&b->v, "block request without header or status");
		return BROKEN;
	}
	iov_read(r->chain.iov, c->out_count, 0, &h, sizeof(h));
	r->status = (uint8_t *)last->iov_base + last->iov_len - 1;
	r->written = 0;
	r->sync = false;
	r->io.iov = NULL;
	r->io.iov_count = 0;
	r->io.len = r->io.offset = 0;
	switch (le32toh(h.type)) {
	case T_IN:
		return start_data(b, r, le64toh(h.sector), false);
	case T_OUT:
		return start_data(b, r, le64toh(h.sector), true);
	case T_FLUSH:
		b->flushes++;
		r->io.op = BLOCK_FLUSH;
		return SUBMIT;
	case T_GET_ID:
		return get_id(b, r);
	case T_DISCARD:
	case T_WRITE_ZEROES:
		return start_range(b, r, le32toh(h.type) == T_DISCARD);
	}
	return finish(r, S_UNSUPP);
}

/* A batch of requests: what goes to the back end, and what needs none. */
struct batch {
	struct block_req *first, **tail;
	struct request *finished;
};

/* Take one available request. False: no more. */
static bool take(struct blk *b, struct batch *batch)
{
	struct request *r = b->free;

	if (!r || !virtq_pop(&b->v, queue(b), &r->chain))
		return false;
	switch (start(b, r)) {
	case SUBMIT:
		b->free = r->next;
		r->io.next = NULL;
		r->io.more = false;
		*batch->tail = &r->io;
		batch->tail = &r->io.next;
		virtio_begin(&b->v);
		return true;
	case FINISHED:
		b->free = r->next;
		r->next = batch->finished;
		batch->finished = r;
		return true;
	case BROKEN:
		break;
	}
	return false;
}

/* Ends even if the driver adds requests all the time: each one taken keeps its struct request until
 * after the loop, and there are as many as a queue may have in flight. */
static void notify(struct virtio *v, unsigned n)
{
	struct blk *b = container_of(v, struct blk, v);
	struct batch batch = {.tail = &batch.first};
	struct request *r;

	do {
		virtq_quiet(v, queue(b));
		while (take(b, &batch))
			;
	} while (b->free && virtq_listen(v, queue(b)));
	while ((r = batch.finished)) {
		batch.finished = r->next;
		complete(b, r, r->result);
	}
	virtq_publish(v, queue(b));
	if (batch.first)
		b->ops->submit_batch(v->dev.backend, batch.first);
}

/* ---- component ---- */

/* Without workers nobody else completes what is in flight. */
static void blk_stopped(struct virtio *v)
{
	struct blk *b = container_of(v, struct blk, v);

	if (!v->dev.host->clock || !b->ops)
		return;
	dev_unlock(&v->dev);
	b->ops->drain(v->dev.backend);
	dev_lock(&v->dev);
}

static const struct virtio_ops blk_ops = {
	.id = VIRTIO_ID_BLOCK,
	.queue_count = 1,
	.queue_size = {QUEUE_SIZE},
	.config_size = sizeof(struct config),
	.notify = notify,
	.stop = blk_stopped,
};

static void fill_config(struct blk *b)
{
	struct config c = {
		.capacity = htole64(b->capacity),
		.seg_max = htole32(SEG_MAX),
		.blk_size = htole32(b->blk_size),
		.num_queues = htole16(1),
		.max_discard_sectors = htole32(RANGE_SECTORS_MAX),
		.max_discard_seg = htole32(1),
		.discard_sector_alignment = htole32(b->blk_size / SECTOR),
		.max_write_zeroes_sectors = htole32(RANGE_SECTORS_MAX),
		.max_write_zeroes_seg = htole32(1),
	};

	memcpy(b->v.config, &c, sizeof(c));
}

static int check_disk(struct blk *b, struct err *e)
{
	struct dev *d = &b->v.dev;
	uint64_t size;

	if (!d->backend) {
		err_set(e, -EINVAL, d->where, "%s has no disk behind it", d->name);
		err_hint(e, "add a back end: VIRTIO-BLK#...||rawfile#path=disk.img");
		return -EINVAL;
	}
	if (!is_pow2(b->blk_size))
		return err_set(e, -EINVAL, d->where, "blk_size %u is not a power of two",
			       b->blk_size);
	b->ops = d->backend->c->backend_ops;
	size = b->ops->size(d->backend);
	if (size % b->blk_size)
		return err_set(e, -EINVAL, d->where,
			       "the disk has %llu bytes, not a multiple of blk_size %u",
			       (unsigned long long)size, b->blk_size);
	b->capacity = size / SECTOR;
	b->read_only = b->ops->read_only(d->backend);
	return 0;
}

static int blk_init(struct dev *d, struct err *e)
{
	struct blk *b = container_of(d, struct blk, v.dev);
	uint64_t features = F_SEG_MAX | F_BLK_SIZE | F_FLUSH;
	int ret = check_disk(b, e);

	if (ret)
		return ret;
	b->requests = calloc(QUEUE_SIZE, sizeof(*b->requests));
	/* 1 MiB, touched only as far as the guest's queue depth goes: the free list is a stack. */
	b->iovs = calloc((size_t)QUEUE_SIZE * IOV_MAX_CHAIN, sizeof(*b->iovs));
	if (!b->requests || !b->iovs)
		return err_set(e, -ENOMEM, d->where, "no memory for block requests");
	for (unsigned i = QUEUE_SIZE; i-- > 0;) {
		struct request *r = &b->requests[i];

		r->blk = b;
		r->io.done = io_done;
		r->chain.iov = &b->iovs[i * IOV_MAX_CHAIN];
		r->chain.iov_max = IOV_MAX_CHAIN;
		r->next = b->free;
		b->free = r;
	}
	fill_config(b);
	features |= b->read_only ? F_RO : F_DISCARD | F_WRITE_ZEROES;
	return virtio_init(&b->v, &blk_ops, features, e);
}

static void blk_fini(struct dev *d)
{
	struct blk *b = container_of(d, struct blk, v.dev);

	virtio_fini(&b->v);
	free(b->requests);
	free(b->iovs);
	b->iovs = NULL;
	b->requests = b->free = NULL;
}

static void blk_stats(struct dev *d, void *json_object)
{
	struct blk *b = container_of(d, struct blk, v.dev);

	virtio_stats(d, json_object);
	json_object_set_new(json_object, "reads", json_integer((json_int_t)b->reads));
	json_object_set_new(json_object, "writes", json_integer((json_int_t)b->writes));
	json_object_set_new(json_object, "flushes", json_integer((json_int_t)b->flushes));
}

static const struct prop blk_props[] = {
	VIRTIO_PROPS,
	{.name = "serial",
	 .kind = PROP_STR,
	 .offset = offsetof(struct blk, serial),
	 .help = "serial number, up to 20 characters"},
	{.name = "blk_size",
	 .kind = PROP_U32,
	 .offset = offsetof(struct blk, blk_size),
	 .def = "512",
	 .min = 512,
	 .max = 65536,
	 .help = "block size announced to the guest, bytes"},
	{.name = NULL},
};

const struct component virtio_blk_component = {
	.type = "VIRTIO-BLK",
	.doc = "virtio block device",
	.cls = DEV_DEVICE,
	.size = sizeof(struct blk),
	.props = blk_props,
	.regions = virtio_regions,
	.state = virtio_state,
	.backend = BACKEND_BLOCK,
	.init = blk_init,
	.reset = virtio_reset,
	.fini = blk_fini,
	.dt = virtio_dt,
	.stats = blk_stats,
};

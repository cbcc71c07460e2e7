// SPDX-License-Identifier: Apache-2.0
/*
 * Split virtqueues, virtio 1.2 section 2.7, including indirect descriptors and event indices.
 *
 * The driver runs concurrently on other CPUs and may change every byte of the rings at any moment.
 * So each value is fetched exactly once into a local copy, and only that copy is checked and used.
 * Rings are mapped when the queue starts; descriptors are translated when their chain is taken.
 *
 * Memory order (virtio 2.7.13 and 2.7.14 state what the driver does on its side):
 *  - avail->idx is loaded with acquire: ring entry and descriptors are read after it;
 *  - used->idx is stored with release: used entry and buffers are written before it;
 *  - "publish, then ask whether the other side wants to be told" needs a full barrier between store
 *    and load, on both sides, or both could miss each other: in virtq_publish() and virtq_listen().
 *
 * Left out: packed rings, VIRTIO_F_RING_RESET, VIRTIO_F_IN_ORDER.
 */
#include "dev/virtio/virtio.h"

#include "util/bits.h"
#include "util/log.h"

#include <endian.h>
#include <string.h>

enum { DESC_F_NEXT = 1, DESC_F_WRITE = 2, DESC_F_INDIRECT = 4 };
enum { AVAIL_F_NO_INTERRUPT = 1, USED_F_NO_NOTIFY = 1 };
enum { DESC_SIZE = 16, RING_HEADER = 4, USED_ENTRY = 8 };
#define CHAIN_LEN_MAX (1ULL << 32)

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

/* The rings as arrays of 16-bit words: flags, idx, then the entries. */
static uint16_t load16(const uint16_t *p)
{
	return le16toh(__atomic_load_n(p, __ATOMIC_RELAXED));
}

static void store16(uint16_t *p, uint16_t v)
{
	__atomic_store_n(p, htole16(v), __ATOMIC_RELAXED);
}

static uint16_t avail_idx(const struct virtq *q)
{
	return le16toh(__atomic_load_n(&q->avail[1], __ATOMIC_ACQUIRE));
}

static uint16_t *used_event(const struct virtq *q)
{
	return &q->avail[2 + q->QueueNum];
}

static uint16_t *avail_event(const struct virtq *q)
{
	return (uint16_t *)(void *)(q->used + RING_HEADER + USED_ENTRY * q->QueueNum);
}

static uint16_t *used_word(const struct virtq *q, unsigned n)
{
	return (uint16_t *)(void *)q->used + n;
}

/* ---- start and stop ---- */

static void *map_ring(struct virtio *v, uint64_t gpa, uint64_t len, unsigned align, bool write)
{
	if (gpa & (align - 1))
		return NULL;
	return dma_ptr(&v->dev, gpa, len, write);
}

bool virtq_start(struct virtio *v, struct virtq *q)
{
	uint64_t num = q->QueueNum;
	/* The event words belong to the rings only if they are used; in the legacy layout always. */
	unsigned event = v->legacy || virtio_has(v, VIRTIO_F_EVENT_IDX) ? 2 : 0;

	virtq_stop(q);
	if (!num || num > q->size_max || !is_pow2(num)) {
		virtio_broken(v, "queue size is not a power of two within QueueNumMax");
		return false;
	}
	q->desc = map_ring(v, q->QueueDesc, DESC_SIZE * num, 16, false);
	q->avail = map_ring(v, q->QueueDriver, RING_HEADER + 2 * num + event, 2, false);
	q->used = map_ring(v, q->QueueDevice, RING_HEADER + USED_ENTRY * num + event, 4, true);
	if (!q->desc || !q->avail || !q->used) {
		virtio_broken(v, "ring address is misaligned or not in RAM");
		return false;
	}
	q->last_avail = q->used_idx = q->published = 0;
	q->QueueReady = true;
	return true;
}

void virtq_stop(struct virtq *q)
{
	q->QueueReady = false;
	q->generation++;
	q->in_flight = 0;
	q->desc = NULL;
	q->avail = NULL;
	q->used = NULL;
}

/* ---- taking chains ---- */

/* Copy descriptor @n of the table; the compiler barrier keeps it from reading the table again. The
 * table may be unaligned if it is an indirect one. */
static struct desc fetch_desc(const uint8_t *table, unsigned n)
{
	uint8_t raw[DESC_SIZE];
	struct desc d;

	memcpy(raw, table + (size_t)n * DESC_SIZE, sizeof(raw));
	__asm__ volatile("" : : : "memory");
	memcpy(&d.addr, raw, 8);
	memcpy(&d.len, raw + 8, 4);
	memcpy(&d.flags, raw + 12, 2);
	memcpy(&d.next, raw + 14, 2);
	d.addr = le64toh(d.addr);
	d.len = le32toh(d.len);
	d.flags = le16toh(d.flags);
	d.next = le16toh(d.next);
	return d;
}

/* Append host memory to the device-writable (@in) or device-readable part of the chain. */
static bool add_iov(struct virtq_chain *c, bool in, uint8_t *p, size_t len)
{
	unsigned *part = in ? &c->in_count : &c->out_count;
	struct iovec *next = &c->iov[c->out_count + c->in_count];

	if (*part && (uint8_t *)next[-1].iov_base + next[-1].iov_len == p) {
		next[-1].iov_len += len;
		return true;
	}
	if (c->out_count + c->in_count >= c->iov_max)
		return false;
	*next = (struct iovec){.iov_base = p, .iov_len = len};
	++*part;
	return true;
}

/* Host memory at @gpa, at most *@len bytes; *@len is cut to what lies in one region. */
static uint8_t *map_part(struct virtio *v, uint64_t gpa, uint64_t *len, bool write)
{
	uint8_t *p = dma_ptr(&v->dev, gpa, *len, write);
	struct mem_region *r;

	if (p)
		return p;
	r = mem_find(v->dev.host->mem, gpa);
	if (!r || gpa - r->base >= r->size || r->size - (gpa - r->base) >= *len)
		return NULL;
	*len = r->size - (gpa - r->base);
	return dma_ptr(&v->dev, gpa, *len, write);
}

/* Returns what is wrong, or NULL. */
static const char *add_buffer(struct virtio *v, struct virtq_chain *c, const struct desc *d)
{
	bool in = d->flags & DESC_F_WRITE;
	uint64_t gpa = d->addr, left = d->len;

	if (!in && c->in_count)
		return "device-readable descriptor after a device-writable one";
	if (gpa + left < gpa || c->out_len + c->in_len + left > CHAIN_LEN_MAX)
		return "descriptor chain is too long";
	*(in ? &c->in_len : &c->out_len) += left;
	while (left) {
		uint64_t len = left;
		uint8_t *p = map_part(v, gpa, &len, in);

		if (!p)
			return "buffer is not in RAM";
		if (!add_iov(c, in, p, len))
			return "descriptor chain has too many buffers";
		gpa += len;
		left -= len;
	}
	return NULL;
}

struct table {
	const uint8_t *desc;
	unsigned count; /* entries */
	unsigned limit; /* how many of them one chain may use; ends loops */
	bool indirect;
};

/* virtio 2.7.5.3. Returns what is wrong, or NULL. */
static const char *enter_indirect(struct virtio *v, struct table *t, const struct desc *d)
{
	if (!virtio_has(v, VIRTIO_F_INDIRECT_DESC))
		return "indirect descriptor without the feature";
	if (t->indirect || d->flags & DESC_F_NEXT)
		return "indirect descriptor within a table or with NEXT";
	if (!d->len || d->len % DESC_SIZE)
		return "length of an indirect table is not a multiple of 16";
	t->desc = dma_ptr(&v->dev, d->addr, d->len, false);
	if (!t->desc)
		return "indirect table is not in RAM";
	t->count = d->len / DESC_SIZE;
	t->limit = t->count < VIRTQ_SIZE_MAX ? t->count : VIRTQ_SIZE_MAX;
	t->indirect = true;
	return NULL;
}

static const char *walk_chain(struct virtio *v, struct virtq *q, struct virtq_chain *c)
{
	struct table t = {.desc = q->desc, .count = q->QueueNum, .limit = q->QueueNum};
	unsigned n = c->head, used = 0;
	const char *wrong;
	struct desc d;

	for (;;) {
		if (n >= t.count)
			return "descriptor index is out of range";
		if (used++ >= t.limit)
			return "descriptor chain loops or is longer than the queue";
		d = fetch_desc(t.desc, n);
		if (d.flags & DESC_F_INDIRECT) {
			wrong = enter_indirect(v, &t, &d);
			n = used = 0;
		} else {
			wrong = add_buffer(v, c, &d);
			n = d.next;
		}
		if (wrong || !(d.flags & (DESC_F_NEXT | DESC_F_INDIRECT)))
			return wrong;
	}
}

bool virtq_pop(struct virtio *v, struct virtq *q, struct virtq_chain *c)
{
	const char *wrong = NULL;
	uint16_t ready;

	if (!q->QueueReady || !virtio_running(v))
		return false;
	ready = avail_idx(q) - q->last_avail;
	if (!ready)
		return false;
	c->out_count = c->in_count = 0;
	c->out_len = c->in_len = 0;
	c->generation = q->generation;
	c->head = load16(&q->avail[2 + (q->last_avail & (q->QueueNum - 1))]);
	if (ready > q->QueueNum || q->in_flight >= q->QueueNum)
		wrong = "more chains available than the queue holds";
	else
		wrong = walk_chain(v, q, c);
	if (wrong) {
		virtio_broken(v, wrong);
		return false;
	}
	q->last_avail++;
	q->in_flight++;
	return true;
}

void virtq_unpop(struct virtq *q, const struct virtq_chain *c)
{
	if (!q->QueueReady || c->generation != q->generation)
		return;
	q->last_avail--;
	q->in_flight--;
}

/* ---- returning chains ---- */

void virtq_push(struct virtq *q, const struct virtq_chain *c, uint32_t written)
{
	uint32_t *entry;

	if (!q->QueueReady || c->generation != q->generation)
		return;
	entry = (uint32_t *)(void *)(q->used + RING_HEADER) +
		2 * (size_t)(q->used_idx & (q->QueueNum - 1));
	__atomic_store_n(&entry[0], htole32(c->head), __ATOMIC_RELAXED);
	__atomic_store_n(&entry[1], htole32(written), __ATOMIC_RELAXED);
	q->used_idx++;
	q->in_flight--;
}

void virtq_publish(struct virtio *v, struct virtq *q)
{
	uint16_t old = q->published, now = q->used_idx, event;

	if (!q->QueueReady || old == now)
		return;
	/* Release for what the entries refer to. Sequentially consistent together with the load
	 * below, so that they are not reordered: the driver writes its wish, then reads idx. */
	__atomic_store_n(used_word(q, 1), htole16(now), __ATOMIC_SEQ_CST);
	q->published = now;
	if (virtio_has(v, VIRTIO_F_EVENT_IDX)) {
		event = le16toh(__atomic_load_n(used_event(q), __ATOMIC_SEQ_CST));
		/* virtio 2.7.10: did idx step over the event index? */
		if ((uint16_t)(now - event - 1) < (uint16_t)(now - old))
			virtio_interrupt(v);
	} else if (!(le16toh(__atomic_load_n(&q->avail[0], __ATOMIC_SEQ_CST)) &
		     AVAIL_F_NO_INTERRUPT)) {
		virtio_interrupt(v);
	}
}

/* ---- notifications by the driver ---- */

void virtq_quiet(struct virtio *v, struct virtq *q)
{
	if (q->QueueReady && !virtio_has(v, VIRTIO_F_EVENT_IDX))
		store16(used_word(q, 0), USED_F_NO_NOTIFY);
}

bool virtq_listen(struct virtio *v, struct virtq *q)
{
	uint16_t *wish, value = 0;

	if (!q->QueueReady || !virtio_running(v))
		return false;
	wish = used_word(q, 0);
	if (virtio_has(v, VIRTIO_F_EVENT_IDX)) {
		wish = avail_event(q);
		value = avail_idx(q);
	}
	/* The driver writes idx, then reads our wish; see virtq_publish(). */
	__atomic_store_n(wish, htole16(value), __ATOMIC_SEQ_CST);
	return le16toh(__atomic_load_n(&q->avail[1], __ATOMIC_SEQ_CST)) != q->last_avail;
}

bool virtq_pending(const struct virtq *q)
{
	return q->QueueReady && avail_idx(q) != q->last_avail;
}

/* ---- scatter-gather ---- */

static size_t iov_copy(const struct iovec *iov, unsigned count, size_t offset, uint8_t *to,
		       const uint8_t *from, size_t len)
{
	size_t done = 0;

	for (unsigned i = 0; i < count && done < len; i++) {
		size_t n = iov[i].iov_len;
		uint8_t *p = iov[i].iov_base;

		if (offset >= n) {
			offset -= n;
			continue;
		}
		n = n - offset < len - done ? n - offset : len - done;
		if (to)
			memcpy(to + done, p + offset, n);
		else
			memcpy(p + offset, from + done, n);
		done += n;
		offset = 0;
	}
	return done;
}

size_t iov_read(const struct iovec *iov, unsigned count, size_t offset, void *buf, size_t len)
{
	return iov_copy(iov, count, offset, buf, NULL, len);
}

size_t iov_write(const struct iovec *iov, unsigned count, size_t offset, const void *buf,
		 size_t len)
{
	return iov_copy(iov, count, offset, NULL, buf, len);
}

unsigned iov_slice(const struct iovec *iov, unsigned count, size_t offset, size_t len,
		   struct iovec *out, unsigned max)
{
	unsigned n = 0;

	for (unsigned i = 0; i < count && len && n < max; i++) {
		size_t part = iov[i].iov_len;

		if (offset >= part) {
			offset -= part;
			continue;
		}
		part = part - offset < len ? part - offset : len;
		out[n++] = (struct iovec){.iov_base = (uint8_t *)iov[i].iov_base + offset,
					  .iov_len = part};
		len -= part;
		offset = 0;
	}
	return n;
}

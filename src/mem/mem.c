/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address spaces. The regions are kept in an array sorted by address; after mem_freeze() it is
 * read without a lock. `lock` guards the listeners and every change of a region's `direct`, so that a
 * listener hears of each change exactly once, whenever it registers.
 */
#include "mem/mem.h"

#include "host/icache.h"
#include "util/bits.h"
#include "util/err.h"
#include "util/log.h"
#include "util/xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS_LIMIT (1ULL << 52)

struct listener {
	mem_map_fn *fn;
	void *opaque;
};

struct mem_space {
	struct mem_region **region;
	size_t count, capacity;
	bool frozen;
	bool open; /* see mem_open() */
	pthread_mutex_t lock;
	struct listener *listener;
	unsigned listener_count;
};

/* ---- building ---- */

struct mem_space *mem_space_create(void)
{
	struct mem_space *s = xcalloc(1, sizeof(*s));

	pthread_mutex_init(&s->lock, NULL);
	return s;
}

void mem_space_destroy(struct mem_space *s)
{
	if (!s)
		return;
	pthread_mutex_destroy(&s->lock);
	free(s->listener);
	free(s->region);
	free(s);
}

/* Index of the first region that ends behind @gpa. */
static size_t position(const struct mem_space *s, uint64_t gpa)
{
	size_t lo = 0, hi = s->count;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (s->region[mid]->base + s->region[mid]->size - 1 < gpa)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static const char *place(const struct mem_region *r)
{
	return r->where ? r->where : r->name;
}

/* Handlers are promised aligned offsets, and accesses to memory their atomicity. */
static int check_alignment(const struct mem_region *r, struct err *e)
{
	uint64_t unit = r->kind == MEM_MMIO ? r->max_width : 8;
	int code;

	if ((r->base | r->size) % unit == 0)
		return 0;
	code = err_set(e, -EINVAL, place(r), "%s: 0x%llx bytes at 0x%llx are not aligned", r->name,
		       (unsigned long long)r->size, (unsigned long long)r->base);
	err_hint(e, "address and size must be multiples of %u", (unsigned)unit);
	return code;
}

static bool widths_valid(const struct mem_region *r)
{
	return r->kind == MEM_RAM || (is_pow2(r->min_width) && is_pow2(r->max_width) &&
				      r->min_width <= r->max_width && r->max_width <= 8);
}

static int check_place(const struct mem_space *s, const struct mem_region *r, size_t at,
		       struct err *e)
{
	const struct mem_region *other;
	int code;

	if (!r->size || r->size > ADDRESS_LIMIT || r->base > ADDRESS_LIMIT - r->size) {
		code = err_set(e, -EINVAL, place(r),
			       "%s: 0x%llx bytes at 0x%llx do not fit in a 52-bit address space",
			       r->name, (unsigned long long)r->size, (unsigned long long)r->base);
		err_hint(e, "choose another address or size");
		return code;
	}
	code = check_alignment(r, e);
	if (code)
		return code;
	if (at == s->count || s->region[at]->base > r->base + r->size - 1)
		return 0;
	other = s->region[at];
	code = err_set(e, -EEXIST, place(r), "%s: 0x%llx-0x%llx overlaps \"%s\" at 0x%llx-0x%llx",
		       r->name, (unsigned long long)r->base,
		       (unsigned long long)(r->base + r->size - 1), other->name,
		       (unsigned long long)other->base,
		       (unsigned long long)(other->base + other->size - 1));
	if (other->where)
		err_hint(e, "move or remove one of the two; \"%s\" is at %s", other->name,
			 other->where);
	else
		err_hint(e, "move or remove one of the two");
	return code;
}

int mem_add(struct mem_space *s, struct mem_region *r, struct err *e)
{
	size_t at = position(s, r->base);
	int code;

	CHECK(!s->frozen && widths_valid(r));
	code = check_place(s, r, at, e);
	if (code)
		return code;
	if (s->count == s->capacity) {
		s->capacity = s->capacity ? 2 * s->capacity : 32;
		s->region = xrealloc(s->region, s->capacity, sizeof(struct mem_region *));
	}
	memmove(&s->region[at + 1], &s->region[at], (s->count - at) * sizeof(struct mem_region *));
	s->region[at] = r;
	s->count++;
	r->space = s;
	return 0;
}

void mem_freeze(struct mem_space *s)
{
	s->frozen = true;
}

struct mem_region *const *mem_regions(const struct mem_space *s, size_t *count)
{
	*count = s->count;
	return s->region;
}

struct mem_region *mem_find(const struct mem_space *s, uint64_t gpa)
{
	size_t i = position(s, gpa);

	return i < s->count && s->region[i]->base <= gpa ? s->region[i] : NULL;
}

void mem_open(struct mem_space *s)
{
	CHECK(!s->frozen);
	s->open = true;
}

bool mem_is_secret(const struct mem_region *r)
{
	return r->secure_only && !r->space->open;
}

/* ---- memory ---- */

static bool is_direct(const struct mem_region *r)
{
	return r->kind == MEM_RAM ||
	       (r->kind == MEM_ROM && __atomic_load_n(&r->direct, __ATOMIC_ACQUIRE));
}

/* Is it in the guests' memory maps? The registers of a device are, but are no memory to anybody else. */
static bool is_mapped(const struct mem_region *r)
{
	return is_direct(r) || (r->kind == MEM_MMIO && r->host && r->direct);
}

static bool usable(const struct mem_region *r, bool write, bool secure)
{
	return r && (secure || !mem_is_secret(r)) && (write ? r->kind == MEM_RAM : is_direct(r));
}

static uint8_t *ptr(const struct mem_space *s, uint64_t gpa, uint64_t len, bool write, bool secure)
{
	struct mem_region *r = mem_find(s, gpa);

	len = len ? len : 1;
	if (!usable(r, write, secure) || len > r->size - (gpa - r->base))
		return NULL;
	return r->host + (gpa - r->base);
}

uint8_t *mem_ptr(const struct mem_space *s, uint64_t gpa, uint64_t len, bool write)
{
	return ptr(s, gpa, len, write, false);
}

uint8_t *mem_ptr_any(const struct mem_space *s, uint64_t gpa, uint64_t len, bool write)
{
	return ptr(s, gpa, len, write, true);
}

/* Copy piece by piece; @to_guest says which way. */
static enum mem_result copy(const struct mem_space *s, uint64_t gpa, uint8_t *buf, uint64_t len,
			    bool to_guest, bool secure)
{
	while (len) {
		struct mem_region *r = mem_find(s, gpa);
		uint64_t part;
		uint8_t *host;

		if (!usable(r, to_guest, secure))
			return MEM_UNHANDLED;
		part = r->size - (gpa - r->base);
		part = part < len ? part : len;
		host = r->host + (gpa - r->base);
		memcpy(to_guest ? host : buf, to_guest ? buf : host, part);
		gpa += part; /* ends below 2^52, so no wrap-around */
		buf += part;
		len -= part;
	}
	return MEM_OK;
}

enum mem_result mem_copy_from(const struct mem_space *s, uint64_t gpa, void *buf, uint64_t len)
{
	return copy(s, gpa, buf, len, false, false);
}

enum mem_result mem_copy_from_as(const struct mem_space *s, uint64_t gpa, void *buf, uint64_t len,
				 struct mem_attrs attrs)
{
	return copy(s, gpa, buf, len, false, attrs.secure);
}

enum mem_result mem_copy_to(const struct mem_space *s, uint64_t gpa, const void *buf, uint64_t len)
{
	return copy(s, gpa, (uint8_t *)(uintptr_t)buf, len, true, false);
}

/* Aligned accesses of 1, 2, 4, 8 bytes are single-copy atomic (Arm ARM B2.2.1). */
static uint64_t load(const uint8_t *p, unsigned size)
{
	uint64_t v = 0;

	if ((uintptr_t)p % size == 0) {
		switch (size) {
		case 2:
			return __atomic_load_n((const uint16_t *)(const void *)p, __ATOMIC_RELAXED);
		case 4:
			return __atomic_load_n((const uint32_t *)(const void *)p, __ATOMIC_RELAXED);
		case 8:
			return __atomic_load_n((const uint64_t *)(const void *)p, __ATOMIC_RELAXED);
		default:
			break;
		}
	}
	memcpy(&v, p, size);
	return v;
}

static void store(uint8_t *p, unsigned size, uint64_t v)
{
	if ((uintptr_t)p % size == 0) {
		switch (size) {
		case 2:
			__atomic_store_n((uint16_t *)(void *)p, v, __ATOMIC_RELAXED);
			return;
		case 4:
			__atomic_store_n((uint32_t *)(void *)p, v, __ATOMIC_RELAXED);
			return;
		case 8:
			__atomic_store_n((uint64_t *)(void *)p, v, __ATOMIC_RELAXED);
			return;
		default:
			break;
		}
	}
	memcpy(p, &v, size);
}

/* ---- MMIO ---- */

static uint64_t low_bytes(uint64_t v, unsigned size)
{
	return size == 8 ? v : v & ((1ULL << 8 * size) - 1);
}

/* One access of a width the handler takes; the lock is held. */
static enum mem_result read_once(struct mem_region *r, uint64_t offset, unsigned size,
				 uint64_t *value, struct mem_attrs attrs)
{
	enum mem_result result;

	*value = 0;
	result = r->read ? r->read(r->opaque, offset, size, value, attrs) : MEM_UNHANDLED;
	*value = low_bytes(*value, size);
	return result;
}

static enum mem_result read_mmio(struct mem_region *r, uint64_t offset, unsigned size,
				 uint64_t *value, struct mem_attrs attrs)
{
	enum mem_result result = MEM_OK;
	uint64_t part;

	if (size < r->min_width) { /* cut it out of a wider one */
		uint64_t base = align_down(offset, r->min_width);

		result = read_once(r, base, r->min_width, &part, attrs);
		*value = low_bytes(part >> 8 * (offset - base), size);
		return result;
	}
	*value = 0;
	for (unsigned done = 0; done < size && result == MEM_OK; done += r->max_width) {
		unsigned width = size - done < r->max_width ? size - done : r->max_width;

		result = read_once(r, offset + done, width, &part, attrs);
		*value |= part << 8 * done;
	}
	return result;
}

static enum mem_result write_mmio(struct mem_region *r, uint64_t offset, unsigned size,
				  uint64_t value, struct mem_attrs attrs)
{
	enum mem_result result = MEM_OK;

	if (!r->write) {
		guest_error(r->name, "write to read-only offset 0x%llx",
			    (unsigned long long)offset);
		return MEM_OK;
	}
	if (size < r->min_width) { /* as on a bus without byte strobes, the other lanes at 0 */
		uint64_t base = align_down(offset, r->min_width);

		guest_error(r->name, "%u-byte write at offset 0x%llx is taken as %u bytes", size,
			    (unsigned long long)offset, r->min_width);
		value = low_bytes(value, size) << 8 * (offset - base);
		offset = base;
		size = r->min_width;
	}
	for (unsigned done = 0; done < size && result == MEM_OK; done += r->max_width) {
		unsigned width = size - done < r->max_width ? size - done : r->max_width;

		result = r->write(r->opaque, offset + done, width,
				  low_bytes(value >> 8 * done, width), attrs);
	}
	return result;
}

/* The region an access begins in, or NULL. */
static struct mem_region *target(const struct mem_space *s, uint64_t gpa, struct mem_attrs attrs)
{
	struct mem_region *r = mem_find(s, gpa);

	return r && (attrs.secure || !mem_is_secret(r)) ? r : NULL;
}

static bool fits(const struct mem_region *r, uint64_t gpa, unsigned size)
{
	return size <= r->size - (gpa - r->base);
}

/* MMIO takes what is aligned; a multiple of max_width by its size, it then also fits. */
static bool acceptable(const struct mem_region *r, uint64_t gpa, unsigned size)
{
	if (is_pow2(size) && gpa % size == 0 && fits(r, gpa, size))
		return true;
	guest_error(r->name, "unaligned %u-byte access at 0x%llx", size, (unsigned long long)gpa);
	return false;
}

enum mem_result mem_read(const struct mem_space *s, uint64_t gpa, unsigned size, uint64_t *value,
			 struct mem_attrs attrs)
{
	struct mem_region *r = target(s, gpa, attrs);
	enum mem_result result;

	CHECK(size && size <= 8);
	*value = 0;
	if (!r)
		return MEM_UNHANDLED;
	if (is_direct(r)) {
		if (!fits(r, gpa, size)) /* goes on in the next region */
			return copy(s, gpa, (uint8_t *)value, size, false, attrs.secure);
		*value = load(r->host + (gpa - r->base), size);
		return MEM_OK;
	}
	if (!acceptable(r, gpa, size))
		return MEM_ERROR;
	__atomic_fetch_add(&r->stats.reads, 1, __ATOMIC_RELAXED);
	if (r->lock)
		pthread_mutex_lock(r->lock);
	result = read_mmio(r, gpa - r->base, size, value, attrs);
	if (r->lock)
		pthread_mutex_unlock(r->lock);
	return result;
}

enum mem_result mem_write(const struct mem_space *s, uint64_t gpa, unsigned size, uint64_t value,
			  struct mem_attrs attrs)
{
	struct mem_region *r = target(s, gpa, attrs);
	enum mem_result result;

	CHECK(size && size <= 8);
	if (!r)
		return MEM_UNHANDLED;
	if (r->kind == MEM_RAM) {
		if (!fits(r, gpa, size))
			return copy(s, gpa, (uint8_t *)&value, size, true, attrs.secure);
		store(r->host + (gpa - r->base), size, value);
		return MEM_OK;
	}
	if (!acceptable(r, gpa, size))
		return MEM_ERROR;
	__atomic_fetch_add(&r->stats.writes, 1, __ATOMIC_RELAXED);
	if (r->lock)
		pthread_mutex_lock(r->lock);
	result = write_mmio(r, gpa - r->base, size, value, attrs);
	if (r->lock)
		pthread_mutex_unlock(r->lock);
	return result;
}

/* ---- listeners ---- */

int mem_listen(struct mem_space *s, mem_map_fn *fn, void *opaque)
{
	int result = 0;

	pthread_mutex_lock(&s->lock);
	s->listener = xrealloc(s->listener, s->listener_count + 1, sizeof(*s->listener));
	s->listener[s->listener_count++] = (struct listener){fn, opaque};
	for (size_t i = 0; i < s->count && !result; i++) {
		if (is_mapped(s->region[i]))
			result = fn(opaque, s->region[i], true);
	}
	pthread_mutex_unlock(&s->lock);
	return result;
}

void mem_unlisten(struct mem_space *s, mem_map_fn *fn, void *opaque)
{
	pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; i < s->listener_count; i++) {
		if (s->listener[i].fn != fn || s->listener[i].opaque != opaque)
			continue;
		s->listener[i] = s->listener[--s->listener_count];
		break;
	}
	pthread_mutex_unlock(&s->lock);
}

/* While pages are taken out of the guest, other PEs' reads exit and are served by the owner's handler; they wait
 * for its lock, which the caller holds. */
void mem_set_direct(struct mem_region *r, bool direct)
{
	struct mem_space *s = r->space;

	if (r->direct == direct)
		return;
	if (!s) { /* not added yet */
		r->direct = direct;
		return;
	}
	pthread_mutex_lock(&s->lock);
	__atomic_store_n(&r->direct, direct, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < s->listener_count; i++) {
		if (s->listener[i].fn(s->listener[i].opaque, r, direct))
			LOG(vm, "cannot %s %s in the guest", direct ? "map" : "unmap", r->name);
	}
	pthread_mutex_unlock(&s->lock);
}

/* The guest may read it as Device memory: on some hosts, behind the caches' back. */
void mem_show(struct mem_region *r, uint64_t offset, uint32_t value)
{
	uint32_t *p;

	if (!r->host)
		return;
	CHECK(offset % 4 == 0 && offset < r->size);
	p = (uint32_t *)(void *)(r->host + offset);
	if (__atomic_load_n(p, __ATOMIC_RELAXED) == value)
		return;
	__atomic_store_n(p, value, __ATOMIC_RELEASE);
	host_dcache_flush_poc(p, sizeof(*p));
}

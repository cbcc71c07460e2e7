/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Physical address spaces.
 *
 * A `struct mem_space` is one physical address map: RAM and ROM regions with host memory behind
 * them, and MMIO regions with handlers. It is built once (mem_add_*, then mem_freeze()) and its
 * list of regions never changes afterwards, so look-ups take no lock. What may change is whether a
 * region is *direct*: a flash device in read-array mode is read straight from memory, in command
 * mode every access goes to its handlers; a device whose registers can be read without effect for now
 * may show them in a page, and guests read them without an exit.
 *
 * Locks: the space takes none around look-ups. An MMIO region has the mutex of its owner; the space
 * holds it while a handler runs.
 */
#ifndef MEM_MEM_H
#define MEM_MEM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct mem_space;

enum mem_result {
	MEM_OK,
	MEM_UNHANDLED, /* nothing at that address: the architecture gives an external abort */
	MEM_ERROR,     /* something is there, but refuses the access: external abort */
};

/* Who accesses. */
struct mem_attrs {
	bool secure;
	bool dma;   /* by a device, not by a PE */
	uint8_t pe; /* number of the PE; valid if !dma */
};

/* Handlers get an offset into their region, 1, 2, 4 or 8 bytes naturally aligned and within the
 * widths they declared; the owner's lock is held. Values are zero-extended. */
typedef enum mem_result mem_read_fn(void *opaque, uint64_t offset, unsigned size, uint64_t *value,
				    struct mem_attrs attrs);
typedef enum mem_result mem_write_fn(void *opaque, uint64_t offset, unsigned size, uint64_t value,
				     struct mem_attrs attrs);

enum mem_kind { MEM_RAM, MEM_ROM, MEM_MMIO };

/* Per-PE statistics would need the PE; these are relaxed atomics, good enough to report. */
struct mem_stats {
	uint64_t reads;
	uint64_t writes;
};

struct mem_region {
	const char *name;  /* owned by whoever added the region, which outlives the space */
	const char *where; /* place in the configuration, for messages; may be NULL */
	uint64_t base;
	uint64_t size;
	enum mem_kind kind;
	bool secure_only;      /* there for Secure accesses only */
	uint8_t *host;	       /* RAM and ROM: the memory, not owned; MMIO: what mem_show() has shown, or NULL */
	mem_read_fn *read;     /* MMIO; ROM: used while not direct */
	mem_write_fn *write;   /* MMIO and ROM; NULL: writes are ignored with a guest_error */
	void *opaque;	       /* for read and write */
	pthread_mutex_t *lock; /* held around read and write */
	uint8_t min_width;     /* 1, 2, 4, 8 bytes; narrower reads are cut out of a wider one */
	uint8_t max_width;     /* 1, 2, 4, 8; wider accesses are split, low address first */
	bool direct;	       /* reads go straight to memory (atomic; see mem_set_direct); MMIO: those of guests */
	struct mem_stats stats;
	struct mem_space *space; /* set by mem_add */
};

struct mem_space *mem_space_create(void);
void mem_space_destroy(struct mem_space *s);

/* Add a region; @r belongs to the caller and outlives the space. Overlap with an earlier region, an
 * end beyond 2^52, and address or size that are no multiple of max_width (memory: 8) are a user's
 * error, put on @e with both names. Only before mem_freeze(). */
int mem_add(struct mem_space *s, struct mem_region *r, struct err *e);
/* What is `secure_only` is there for everybody. Only before mem_freeze(). */
void mem_open(struct mem_space *s);
/* Is it absent from the Non-secure address space? */
bool mem_is_secret(const struct mem_region *r);
void mem_freeze(struct mem_space *s);

/* Regions in order of address; for device trees, back ends and reports. */
struct mem_region *const *mem_regions(const struct mem_space *s, size_t *count);
struct mem_region *mem_find(const struct mem_space *s, uint64_t gpa);

/* Memory behind [gpa, gpa+len) if that lies in one RAM region (or, for !write, a direct ROM region),
 * else NULL. The pointer stays valid as long as the space. @len 0 is taken as 1. */
uint8_t *mem_ptr(const struct mem_space *s, uint64_t gpa, uint64_t len, bool write);

/* The same, of memory of the Secure world, too: for what puts images there. */
uint8_t *mem_ptr_any(const struct mem_space *s, uint64_t gpa, uint64_t len, bool write);

/* Copy between host buffer and guest memory (RAM, direct ROM); may cross regions. Nothing but RAM is
 * written. Returns MEM_UNHANDLED at the first byte that is not memory; bytes before it are copied. */
enum mem_result mem_copy_from(const struct mem_space *s, uint64_t gpa, void *buf, uint64_t len);
enum mem_result mem_copy_to(const struct mem_space *s, uint64_t gpa, const void *buf, uint64_t len);
/* mem_copy_from() and mem_copy_to() are Non-secure, as DMA is. This one reads as @attrs say. */
enum mem_result mem_copy_from_as(const struct mem_space *s, uint64_t gpa, void *buf, uint64_t len,
				 struct mem_attrs attrs);

/* One access by a PE that could not be satisfied in hardware: dispatches to MMIO, and also serves
 * RAM and ROM (for emulated instructions). @size is 1..8 and need not be aligned; an unaligned access
 * to MMIO, or one past its end, is MEM_ERROR. Aligned 1, 2, 4, 8 bytes of memory are single-copy atomic.
 * Takes the region's lock. */
enum mem_result mem_read(const struct mem_space *s, uint64_t gpa, unsigned size, uint64_t *value,
			 struct mem_attrs attrs);
enum mem_result mem_write(const struct mem_space *s, uint64_t gpa, unsigned size, uint64_t value,
			  struct mem_attrs attrs);

/* What a back end maps for its guests: called for every RAM and direct region when it is registered, and
 * when a region changes between direct and not. @map false: take it away. */
typedef int mem_map_fn(void *opaque, const struct mem_region *r, bool map);
/* Any number of listeners. Returns the first error of @fn; the listener is registered even so. */
int mem_listen(struct mem_space *s, mem_map_fn *fn, void *opaque);
void mem_unlisten(struct mem_space *s, mem_map_fn *fn, void *opaque);

/* Switch a ROM region, or an MMIO region with a page behind it; called with the owner's lock held (from its
 * handlers, or when its back end has news). */
void mem_set_direct(struct mem_region *r, bool direct);
/* MMIO with a page behind it: what a guest reads at @offset, a multiple of 4, while the region is direct. Other PEs
 * may read it at this very moment. Without a page, nothing. Under the owner's lock. */
void mem_show(struct mem_region *r, uint64_t offset, uint32_t value);

#endif

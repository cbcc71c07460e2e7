/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Components: everything a board is assembled from.
 *
 * A component is one const descriptor. An instance is the component's own struct, whose first
 * member is a `struct dev`. Properties are written into the instance by the board before init();
 * MMIO regions, interrupt wires and the device-tree node all come from the descriptor, so there is
 * no registration code and no second list anywhere. All descriptors stand in dev/components.c.
 *
 * A model sees an offset into its region, wires, clocks, timers and DMA; never the board, the VM or
 * the back end.
 *
 * Life: (properties set, wires connected) -> init -> reset -> ... reset ... -> fini. init() may fail;
 * fini() accepts a half-built instance. reset() brings guest-visible state to power-on values and
 * re-drives every output.
 *
 * Locks: every instance has one mutex (`dev.lock`). It is held whenever the framework calls into
 * the model (MMIO, irq input, timer, reset, chardev and block callbacks say so themselves); init,
 * fini and dt run single-threaded without it. A model that works in threads of its own takes it with
 * dev_lock(). Lock order follows wires: source before sink. Never block while holding it.
 */
#ifndef DEV_COMPONENT_H
#define DEV_COMPONENT_H

#include "dev/clk.h"
#include "dev/irq.h"
#include "host/clock.h"
#include "host/loop.h"
#include "mem/mem.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dev;
struct dt;
struct err;

/* ---- properties ---- */

enum prop_kind {
	PROP_U32,   /* uint32_t */
	PROP_U64,   /* uint64_t (addresses too) */
	PROP_SIZE,  /* uint64_t, bytes; suffixes K M G T; without one: `unit` bytes */
	PROP_FREQ,  /* uint64_t, Hz */
	PROP_BOOL,  /* bool */
	PROP_STR,   /* const char *, owned by the board; NULL if neither given nor defaulted */
	PROP_PATH,  /* const char *: file name, made relative to the board file that names it */
	PROP_ENUM,  /* int: index into `choices` */
	PROP_REF,   /* struct dev *: another component by name; `ref` says which type or class */
	PROP_CLOCK, /* struct clk: a clock component by name */
	PROP_IRQ,   /* struct irq: KIND:NUMBER@NAME */
};

struct prop {
	const char *name;
	enum prop_kind kind;
	size_t offset;	 /* into the instance */
	const char *def; /* default in the user's notation; NULL: zero/none. PROP_REF: "first", the
			  * board's first object of type `ref`, if it has one */
	bool required;
	uint64_t unit;		    /* PROP_SIZE: meaning of a bare number; 0 counts as 1 */
	uint64_t min, max;	    /* numbers: inclusive range; max 0: no limit */
	const char *const *choices; /* PROP_ENUM: NULL-terminated */
	const char *ref;	    /* PROP_REF: component type wanted, or NULL for any */
	const char *help;	    /* one line */
};

/* ---- MMIO regions ---- */

struct dev_region {
	const char *name;      /* suffix for reports; NULL: the instance's name alone */
	size_t address_offset; /* offset in the instance of the uint64_t holding its base address */
	uint64_t size;	       /* bytes; 0: size_fn says */
	uint64_t (*size_fn)(const struct dev *d); /* 0: the region is absent */
	/* ROM or flash: read directly at first, from memory that init() puts behind region->host. */
	bool rom;
	/* Registers that guests may read from the page at region->host while the region is direct: see mem_show(). */
	bool shows;
	size_t secure_offset;	      /* of a bool: absent from the normal world; 0: never */
	uint8_t min_width, max_width; /* bytes; 0 = 4 */
	mem_read_fn *read;	      /* opaque is the struct dev * */
	mem_write_fn *write;
};

/* ---- interrupt inputs ---- */

struct dev_irq_in {
	const char *kind; /* "spi", "ppi", "gpio" ... */
	uint32_t first;	  /* flat input number of number 0 */
	uint32_t count;
	const char *count_prop; /* property that says how many of them there are; NULL: all */
	/* Device-tree cells of one interrupt specifier; returns their count (at most 4). */
	unsigned (*dt_cells)(const struct dev *sink, const struct irq *w, uint32_t cells[4]);
};

/* ---- state: snapshot, script view and reset values from one table ---- */

struct dev_state {
	const char *name; /* register name as the manual spells it */
	size_t offset;
	uint8_t size;	/* 1, 2, 4, 8 bytes per element */
	uint32_t count; /* elements; 0 = 1 */
	uint64_t reset; /* value written by dev_state_reset() */
	bool keep;	/* not touched by dev_state_reset(), only saved */
};

/* ---- classes: what a component can be used as ---- */

enum dev_class {
	DEV_DEVICE,  /* sits on the board */
	DEV_CPU,     /* the processing elements */
	DEV_MEMORY,  /* RAM (an ordinary component, named by the loader) */
	DEV_BOOT,    /* what is loaded and where the PEs start */
	DEV_BACKEND, /* stands behind "||": connects a component to the host */
};

enum backend_class {
	BACKEND_NONE,
	BACKEND_MEM,
	BACKEND_CHAR,
	BACKEND_BLOCK,
	BACKEND_NET,
	BACKEND_RNG
};

/* What a DEV_BOOT component is given and answers. */
struct dev_boot {
	const void *dtb; /* the generated device tree; stays the caller's */
	size_t dtb_size;
	bool found; /* out: this component decides the entry */
	uint64_t pc;
	uint64_t x[4];			 /* x0..x3 at entry */
	uint64_t image_start, image_end; /* what was loaded as code; for reports and scanning */
	bool at_reset; /* PE 0 begins as after a reset, at the highest level; else where firmware hands over */
};

struct component {
	const char *type;   /* as in a board file: "PL011" */
	const char *vendor; /* "ARM", or NULL */
	const char *doc;    /* one line */
	enum dev_class cls;
	size_t size;			  /* of the instance */
	const struct prop *props;	  /* ends with .name == NULL; may be NULL */
	const struct dev_region *regions; /* ends with .read == NULL && .write == NULL && !.rom */
	const struct dev_irq_in *irq_in;  /* ends with .kind == NULL */
	const struct dev_state *state;	  /* ends with .name == NULL */
	enum backend_class backend; /* DEV_BACKEND: what it is; else: what it takes behind "||" */
	const char
		*default_backend; /* object text when none is given ("null"); NULL: none needed */
	const void *backend_ops;  /* DEV_BACKEND: the ops table of its class (dev/backend.h) */
	bool exclusive; /* DEV_BACKEND: stands for something the host has once; one object can have it */

	/* Do properties and references fit together? Called once, before regions are added, also for
	 * boards that are only looked at: the host is left alone. Optional. */
	int (*check)(struct dev *d, struct err *e);
	int (*init)(struct dev *d, struct err *e);
	void (*reset)(struct dev *d); /* NULL: dev_state_reset() */
	void (*fini)(struct dev *d);
	void (*irq_input)(struct dev *d, uint32_t input, bool level);
	uint64_t (*clk_rate)(const struct dev *d); /* clock sources */
	int (*dt)(struct dev *d, struct dt *dt);   /* write the node; 0 or negative errno */
	/* Called when vCPUs begin (true) or stop (false) to run, e.g. to start threads. Optional. */
	void (*running)(struct dev *d, bool run);
	/* After reset(), when what begins has no firmware below it: what firmware would have done to the device for
	 * it. With the lock held. Optional. */
	void (*hand_over)(struct dev *d);
	/* DEV_BOOT: put images into memory (every reset) and say where PE 0 starts. */
	int (*boot)(struct dev *d, struct dev_boot *b, struct err *e);
	/* Add members to this component's object of the statistics (a json_t * of jansson). With the
	 * lock held. Optional. */
	void (*stats)(struct dev *d, void *json_object);
};

/* ---- instances ---- */

/* What the machine offers to models; one per machine, const after start. */
struct dev_host {
	struct mem_space *mem; /* for DMA */
	struct loop *loop;     /* main event loop */
	/* The machine's own time, which only goes on while no model runs; NULL: the host's. */
	struct virtual_clock *clock;
	struct pe_set *pes; /* the PEs, for interrupt controllers and timers; NULL in unit tests */
	uint64_t seed;	    /* --seed, for reproducible randomness (0: none given) */
	void *opaque;
	/* Ask for power-off or reset; returns at once. @what names the asker. */
	void (*power_off)(void *opaque, const char *what);
	void (*reset)(void *opaque, const char *what);
	/* First byte of console output seen (statistics). May be NULL. */
	void (*console_byte)(void *opaque);
	/* Text commands from the user's terminal (Ctrl-A c); writes its answer to @fd. May be NULL. */
	void (*monitor)(void *opaque, const char *line, int fd);
};

struct dev {
	const struct component *c;
	const char *name;  /* unique within the board */
	const char *where; /* "virt.board:12" or "-vobj 3", for error messages */
	const struct dev_host *host;
	pthread_mutex_t lock;
	struct dev *backend;	   /* instance of the back end, or NULL */
	struct dev *owner;	   /* back ends: the component they serve */
	struct mem_region *region; /* array, one per descriptor region (absent ones have size 0) */
	unsigned region_count;
	uint32_t phandle; /* device tree; never 0 for components with dt() */
	bool checked;	  /* check() has been called ... */
	bool refused;	  /* ... and has failed: no region, no init() */
	bool init_called; /* fini() is due */
	bool ready;	  /* init() succeeded */
};

static inline void dev_lock(struct dev *d)
{
	pthread_mutex_lock(&d->lock);
}

static inline void dev_unlock(struct dev *d)
{
	pthread_mutex_unlock(&d->lock);
}

/* Allocate a zeroed instance with defaults not yet applied. Free with dev_destroy(), which calls
 * fini() if init() had been called. */
struct dev *dev_create(const struct component *c, const char *name, const char *where,
		       const struct dev_host *host);
void dev_destroy(struct dev *d);

/* Apply every property's default (before user values). */
int dev_defaults(struct dev *d, struct err *e);
/* Set a plain-value property from text; PROP_REF, PROP_CLOCK and PROP_IRQ are the board's. @where is
 * the place of the value for messages. */
int dev_set(struct dev *d, const struct prop *p, const char *value, const char *where,
	    struct err *e);
const struct prop *component_prop(const struct component *c, const char *name);

/* Check it, and add its regions to host->mem (before init). */
int dev_map(struct dev *d, struct err *e);
int dev_init(struct dev *d, struct err *e);
void dev_reset(struct dev *d); /* takes the lock */
/* Write the reset values of the state table. */
void dev_state_reset(struct dev *d);

/* All known components, in alphabetical order of type. */
extern const struct component *const components[];
extern const unsigned component_count;
/* @vendor NULL matches any. */
const struct component *component_find(const char *type, const char *vendor);

/* ---- services for models ---- */

/* Time of the machine: what a guest can notice of time comes from here. */
static inline uint64_t dev_now_ns(const struct dev *d)
{
	return clock_now_ns(d->host->clock);
}

/* Timer whose callback runs in the main loop's thread with the instance's lock held. A callback that
 * was cancelled or re-armed in between does not run. */
struct dev_timer {
	struct dev *dev;
	void (*fn)(struct dev *d, void *opaque);
	void *opaque;
	struct loop_timer timer;
	uint64_t deadline_ns; /* what the model asked for; 0 = disarmed */
};
void dev_timer_init(struct dev_timer *t, struct dev *d, void (*fn)(struct dev *, void *),
		    void *opaque);
/* Caller holds the instance's lock. Times are dev_now_ns(). */
void dev_timer_arm(struct dev_timer *t, uint64_t deadline_ns);
void dev_timer_cancel(struct dev_timer *t);
/* Without the lock. */
void dev_timer_fini(struct dev_timer *t);

/* DMA. Only RAM can be reached. Any thread. */
static inline bool dma_read(const struct dev *d, uint64_t gpa, void *buf, uint64_t len)
{
	return mem_copy_from(d->host->mem, gpa, buf, len) == MEM_OK;
}

static inline bool dma_write(const struct dev *d, uint64_t gpa, const void *buf, uint64_t len)
{
	return mem_copy_to(d->host->mem, gpa, buf, len) == MEM_OK;
}

/* Memory at [gpa, gpa+len) if contiguous RAM, else NULL. */
static inline void *dma_ptr(const struct dev *d, uint64_t gpa, uint64_t len, bool write)
{
	return mem_ptr(d->host->mem, gpa, len, write);
}

#endif

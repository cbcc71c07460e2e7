/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One component on a board of its own, for unit tests of devices: 1 MiB of RAM, a loop, wires that
 * end in a recorder, clocks of any frequency, power-off and reset counted. Everything that goes wrong
 * fails the running cmocka test, except where a function returns a result.
 *
 *     static const struct fixture_prop props[] = {
 *         {"address", "0x09000000"}, {"irq", "5"}, {"uartclk", "24MHz"}, {0}};
 *     fixture_make(&f, &pl011_component, props);
 *     fixture_backend(&f, &char_null_component, NULL);
 *     assert_int_equal(fixture_start(&f), 0);
 *     ... fixture_write(&f, 0x09000000, 4, 'x') ... fixture_level(&f, 5) ...
 *     fixture_drop(&f);
 */
#ifndef TESTS_FIXTURE_H
#define TESTS_FIXTURE_H

#include "dev/component.h"
#include "util/err.h"

enum {
	FIXTURE_RAM = 0x40000000,
	FIXTURE_RAM_SIZE = 1 << 20,
	FIXTURE_INPUTS = 512, /* of the recorder; enough for PPIs of 8 PEs */
	FIXTURE_CLOCKS = 4,
};

/* Plain values as in a board file. PROP_IRQ: number of the recorder's input. PROP_CLOCK: a frequency.
 * PROP_REF is for the test to set in the instance. An array ends with a NULL name. */
struct fixture_prop {
	const char *name, *value;
};

struct fixture_input {
	bool level;
	unsigned rises, falls;
};

struct fixture {
	struct dev_host host; /* fields may be changed before fixture_start() */
	uint8_t *ram;
	struct mem_region ram_region;
	struct dev *dev, *backend;
	struct dev *recorder;
	struct dev *clock[FIXTURE_CLOCKS];
	unsigned clock_count;
	unsigned power_offs, resets, console_bytes; /* how often the device asked; atomic */
	struct err err;				    /* of fixture_start() */
};

/* Create the instance with defaults and properties. */
void fixture_make(struct fixture *f, const struct component *c, const struct fixture_prop *props);
/* The back end behind it, before fixture_start(). */
void fixture_backend(struct fixture *f, const struct component *c,
		     const struct fixture_prop *props);
/* Map, init and reset; what dev_init() or dev_map() said. */
int fixture_start(struct fixture *f);
void fixture_drop(struct fixture *f);

/* MMIO or RAM, non-secure, by PE 0; must be MEM_OK. */
uint64_t fixture_read(struct fixture *f, uint64_t gpa, unsigned size);
void fixture_write(struct fixture *f, uint64_t gpa, unsigned size, uint64_t value);
/* Random accesses of all sizes to [gpa, gpa+len), whatever the outcome; as a hostile guest's. */
void fixture_hammer(struct fixture *f, uint64_t gpa, uint64_t len, unsigned count, uint64_t seed);

/* What the recorder saw at an input. */
struct fixture_input fixture_input(struct fixture *f, unsigned input);
static inline bool fixture_level(struct fixture *f, unsigned input)
{
	return fixture_input(f, input).level;
}

/* Serve the loop in this thread for @ms. */
void fixture_run(struct fixture *f, unsigned ms);
/* Serve it until @cond (asked every millisecond); false: not within @ms. */
bool fixture_run_until(struct fixture *f, bool (*cond)(void *opaque), void *opaque, unsigned ms);

#endif

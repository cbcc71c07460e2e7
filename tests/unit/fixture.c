/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "host/clock.h"
#include "util/bits.h"
#include "util/xalloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- the board around the component ---- */

struct recorder {
	struct dev dev;
	struct fixture_input input[FIXTURE_INPUTS];
};

static void recorder_input(struct dev *d, uint32_t input, bool level)
{
	struct fixture_input *i = &((struct recorder *)d)->input[input];

	CHECK(input < FIXTURE_INPUTS);
	i->level = level;
	if (level)
		i->rises++;
	else
		i->falls++;
}

static unsigned recorder_cells(const struct dev *sink, const struct irq *w, uint32_t cells[4])
{
	cells[0] = w->number;
	cells[1] = w->dt_flags;
	return 2;
}

static const struct dev_irq_in recorder_in[] = {
	{.kind = "raw", .count = FIXTURE_INPUTS, .dt_cells = recorder_cells},
	{0},
};

static const struct component recorder_component = {
	.type = "RECORDER",
	.size = sizeof(struct recorder),
	.irq_in = recorder_in,
	.irq_input = recorder_input,
};

struct any_clock {
	struct dev dev;
	uint64_t hz;
};

static uint64_t any_clock_rate(const struct dev *d)
{
	return ((const struct any_clock *)d)->hz;
}

static const struct prop any_clock_props[] = {
	{.name = "hz", .kind = PROP_FREQ, .offset = offsetof(struct any_clock, hz)},
	{0},
};

static const struct component any_clock_component = {
	.type = "ANY-CLOCK",
	.size = sizeof(struct any_clock),
	.props = any_clock_props,
	.clk_rate = any_clock_rate,
};

/* ---- properties ---- */

static void fail_with(const struct err *e)
{
	for (int i = 0; i < e->count; i++)
		print_error("%s\n", e->items[i].text);
	fail();
}

static void set_plain(struct dev *d, const struct prop *p, const char *value)
{
	struct err e = ERR_INIT;

	if (dev_set(d, p, value, "test", &e))
		fail_with(&e);
}

static struct dev *make_clock(struct fixture *f, const char *value)
{
	struct dev *d = dev_create(&any_clock_component, "clock", "test", &f->host);

	assert_true(f->clock_count < FIXTURE_CLOCKS);
	f->clock[f->clock_count++] = d;
	d->phandle = 100 + f->clock_count;
	set_plain(d, any_clock_props, value);
	return d;
}

static void set_one(struct fixture *f, struct dev *d, const struct fixture_prop *fp)
{
	const struct prop *p = component_prop(d->c, fp->name);
	void *field;
	uint32_t n;

	if (!p)
		fail_msg("%s has no property %s", d->c->type, fp->name);
	field = (uint8_t *)d + p->offset;
	switch (p->kind) {
	case PROP_IRQ:
		n = strtoul(fp->value, NULL, 0);
		assert_true(n < FIXTURE_INPUTS);
		*(struct irq *)field = (struct irq){.sink = f->recorder,
						    .input = n,
						    .kind = "raw",
						    .number = n,
						    .dt_flags = IRQ_TYPE_LEVEL_HIGH};
		break;
	case PROP_CLOCK:
		((struct clk *)field)->source = make_clock(f, fp->value);
		break;
	case PROP_REF:
		fail_msg("%s is a reference; set it in the instance", fp->name);
		break;
	default:
		set_plain(d, p, fp->value);
	}
}

static struct dev *make(struct fixture *f, const struct component *c, const char *name,
			const struct fixture_prop *props)
{
	struct dev *d = dev_create(c, name, "test", &f->host);
	struct err e = ERR_INIT;

	if (dev_defaults(d, &e))
		fail_with(&e);
	for (; props && props->name; props++)
		set_one(f, d, props);
	return d;
}

/* ---- life ---- */

static void on_power_off(void *opaque, const char *what)
{
	__atomic_fetch_add(&((struct fixture *)opaque)->power_offs, 1, __ATOMIC_SEQ_CST);
}

static void on_reset(void *opaque, const char *what)
{
	__atomic_fetch_add(&((struct fixture *)opaque)->resets, 1, __ATOMIC_SEQ_CST);
}

static void on_console_byte(void *opaque)
{
	__atomic_fetch_add(&((struct fixture *)opaque)->console_bytes, 1, __ATOMIC_SEQ_CST);
}

void fixture_make(struct fixture *f, const struct component *c, const struct fixture_prop *props)
{
	*f = (struct fixture){0};
	f->host = (struct dev_host){
		.mem = mem_space_create(),
		.loop = loop_create(),
		.seed = 1,
		.opaque = f,
		.power_off = on_power_off,
		.reset = on_reset,
		.console_byte = on_console_byte,
	};
	assert_non_null(f->host.loop);
	f->ram = aligned_alloc(4096, FIXTURE_RAM_SIZE);
	assert_non_null(f->ram);
	memset(f->ram, 0, FIXTURE_RAM_SIZE);
	f->ram_region = (struct mem_region){.name = "ram",
					    .base = FIXTURE_RAM,
					    .size = FIXTURE_RAM_SIZE,
					    .kind = MEM_RAM,
					    .host = f->ram};
	assert_int_equal(mem_add(f->host.mem, &f->ram_region, NULL), 0);
	f->recorder = dev_create(&recorder_component, "recorder", "test", &f->host);
	f->recorder->phandle = 1;
	f->dev = make(f, c, "dut", props);
	f->dev->phandle = 2;
}

void fixture_backend(struct fixture *f, const struct component *c, const struct fixture_prop *props)
{
	f->backend = make(f, c, "backend", props);
	f->backend->owner = f->dev;
	f->dev->backend = f->backend;
}

int fixture_start(struct fixture *f)
{
	int r = dev_map(f->dev, &f->err);

	if (!r && f->backend)
		r = dev_init(f->backend, &f->err);
	if (!r)
		r = dev_init(f->dev, &f->err); /* may add memory */
	mem_freeze(f->host.mem);
	if (!r)
		dev_reset(f->dev);
	return r;
}

void fixture_drop(struct fixture *f)
{
	dev_destroy(f->dev);
	dev_destroy(f->backend);
	dev_destroy(f->recorder);
	while (f->clock_count)
		dev_destroy(f->clock[--f->clock_count]);
	mem_space_destroy(f->host.mem);
	loop_destroy(f->host.loop);
	err_free(&f->err);
	free(f->ram);
}

/* ---- accesses ---- */

uint64_t fixture_read(struct fixture *f, uint64_t gpa, unsigned size)
{
	uint64_t value = 0;

	assert_int_equal(mem_read(f->host.mem, gpa, size, &value, (struct mem_attrs){.pe = 0}),
			 MEM_OK);
	return value;
}

void fixture_write(struct fixture *f, uint64_t gpa, unsigned size, uint64_t value)
{
	assert_int_equal(mem_write(f->host.mem, gpa, size, value, (struct mem_attrs){.pe = 0}),
			 MEM_OK);
}

static uint64_t next_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

void fixture_hammer(struct fixture *f, uint64_t gpa, uint64_t len, unsigned count, uint64_t seed)
{
	uint64_t s = seed ? seed : 1;
	uint64_t value;

	while (count--) {
		uint64_t at = gpa + next_random(&s) % len;
		unsigned size = 1 << next_random(&s) % 4;

		if (next_random(&s) % 8)
			at = align_down(at, size);
		if (next_random(&s) % 2)
			mem_read(f->host.mem, at, size, &value, (struct mem_attrs){.pe = 0});
		else
			mem_write(f->host.mem, at, size, next_random(&s),
				  (struct mem_attrs){.pe = 0});
	}
}

struct fixture_input fixture_input(struct fixture *f, unsigned input)
{
	struct fixture_input i;

	assert_true(input < FIXTURE_INPUTS);
	dev_lock(f->recorder);
	i = ((struct recorder *)f->recorder)->input[input];
	dev_unlock(f->recorder);
	return i;
}

/* ---- the loop ---- */

struct run {
	struct loop_timer timer;
	uint64_t end_ns;
	bool (*cond)(void *opaque);
	void *opaque;
	bool met;
};

static void poll_run(void *opaque)
{
	struct run *r = opaque;
	uint64_t now = clock_mono_ns();

	r->met = r->cond && r->cond(r->opaque);
	if (r->met || now >= r->end_ns)
		loop_stop(r->timer.loop);
	else if (r->cond || now + NS_PER_S / 1000 > r->end_ns)
		loop_timer_arm(&r->timer, now + NS_PER_S / 1000);
	else
		loop_timer_arm(&r->timer, r->end_ns);
}

bool fixture_run_until(struct fixture *f, bool (*cond)(void *opaque), void *opaque, unsigned ms)
{
	struct run r = {.cond = cond, .opaque = opaque};

	r.end_ns = clock_mono_ns() + ms * (NS_PER_S / 1000);
	loop_timer_init(&r.timer, f->host.loop, poll_run, &r);
	loop_timer_arm(&r.timer, 0);
	loop_run(f->host.loop);
	loop_timer_fini(&r.timer);
	return r.met;
}

void fixture_run(struct fixture *f, unsigned ms)
{
	fixture_run_until(f, NULL, NULL, ms);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile guest at the registers of every component: the input chooses the component, then is a program
 * of accesses, interrupt inputs, system registers, input for serial ports, memory for DMA, time and resets.
 *
 * Devices are made once and reset before each input. Those with block and network back ends are left to
 * fuzz_virtio_queue; without a driver of their own the others are reached here as well.
 */
#include "fake_char.h"
#include "fake_pe.h"
#include "fixture.h"

#include "arm/reg.h"
#include "util/bits.h"
#include "util/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct component random_component;

enum { PES = 2, STEPS_MAX = 300, PROPS_MAX = 24, TARGETS_MAX = 16, RAM_USED = 0x2000 };

/* ---- the devices ---- */

/* Properties beside the required ones. A row is a variant of its own; types without any have one, too. */
static const struct {
	const char *type, *prop, *value;
} variants[] = {
	{"CFI-FLASH", "size", "1M"},	      {"GICV2", "security", "false"},
	{"GICV2", "security", "true"},	      {"GICV3", "security", "false"},
	{"GICV3", "security", "true"},	      {"NS16550", "reg_shift", "0"},
	{"NS16550", "reg_shift", "2"},	      {"VIRTIO-CONSOLE", "legacy", "false"},
	{"VIRTIO-CONSOLE", "legacy", "true"}, {"VIRTIO-RNG", "legacy", "false"},
	{"VIRTIO-RNG", "legacy", "true"},
};

struct target {
	const struct component *c;
	const char *prop, *value;
	struct fixture *f;
};

static void die(const char *what, const char *why)
{
	fprintf(stderr, "cannot set up %s: %s\n", what, why);
	abort();
}

/* ROM: the contents of a file, and nothing else. */
static bool needs_file(const struct component *c)
{
	for (const struct prop *p = c->props; p && p->name; p++)
		if (p->kind == PROP_PATH && p->required)
			return true;
	return false;
}

static bool is_target(const struct component *c)
{
	return c->regions && !needs_file(c) &&
	       (c->backend == BACKEND_NONE || c->backend == BACKEND_CHAR ||
		c->backend == BACKEND_RNG);
}

static unsigned list_targets(struct target *t, unsigned max)
{
	unsigned n = 0;

	for (unsigned i = 0; i < component_count; i++) {
		unsigned before = n;

		if (!is_target(components[i]))
			continue;
		for (unsigned v = 0; v < ARRAY_COUNT(variants) && n < max; v++) {
			if (!strcmp(variants[v].type, components[i]->type))
				t[n++] = (struct target){components[i], variants[v].prop,
							 variants[v].value, NULL};
		}
		if (n == before && n < max)
			t[n++] = (struct target){.c = components[i]};
	}
	return n;
}

static void set_up(struct target *t)
{
	struct fixture_prop props[PROPS_MAX] = {{t->prop, t->value}};
	static const char *const values[] = {[PROP_IRQ] = "16", [PROP_CLOCK] = "24MHz"};
	static const char *const places[] = {"0x10000000", "0x20000000", "0x30000000"};
	unsigned n = t->prop ? 1 : 0, place = 0;

	for (const struct prop *p = t->c->props; p && p->name && n < PROPS_MAX - 1; p++) {
		if (p->kind == PROP_IRQ || p->kind == PROP_CLOCK)
			props[n++] = (struct fixture_prop){p->name, values[p->kind]};
		else if (p->required && p->kind == PROP_U64 && place < ARRAY_COUNT(places))
			props[n++] = (struct fixture_prop){p->name, places[place++]};
	}
	t->f = calloc(1, sizeof(*t->f));
	fixture_make(t->f, t->c, props);
	for (const struct prop *p = t->c->props; p && p->name; p++) {
		if (p->kind == PROP_IRQ) /* GICV2M insists */
			((struct irq *)(void *)((uint8_t *)t->f->dev + p->offset))->kind = "spi";
	}
	t->f->host.pes = fake_pe_create(PES, 3);
	if (t->c->backend == BACKEND_CHAR)
		fixture_backend(t->f, &fake_char_component, NULL);
	else if (t->c->backend == BACKEND_RNG)
		fixture_backend(t->f, &random_component, NULL);
	if (fixture_start(t->f))
		die(t->c->type, err_any(&t->f->err) ? t->f->err.items[0].text : "?");
}

/* ---- the program ---- */

struct input {
	const uint8_t *p;
	size_t left;
};

static uint64_t take(struct input *in, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes && in->left; i++, in->left--)
		v |= (uint64_t)*in->p++ << (8 * i);
	return v;
}

/* Somewhere in one of the device's regions, or just behind. */
static uint64_t take_address(struct fixture *f, struct input *in)
{
	uint32_t v = take(in, 3);
	size_t count, n = 0;
	struct mem_region *const *all = mem_regions(f->host.mem, &count);
	const struct mem_region *own[TARGETS_MAX];

	for (size_t i = 0; i < count && n < TARGETS_MAX; i++) {
		if (all[i] != &f->ram_region)
			own[n++] = all[i];
	}
	return n ? own[(v >> 21) % n]->base + (v & 0x1fffff) % (own[(v >> 21) % n]->size + 8) : v;
}

static void access_device(struct fixture *f, struct input *in, uint8_t op)
{
	struct mem_attrs attrs = {.secure = op & 0x80, .pe = op >> 6 & 1};
	unsigned size = 1U << (op >> 4 & 3);
	uint64_t at = take_address(f, in), value;

	if (!(op & 8))
		at = align_down(at, size);
	if (op & 1)
		mem_write(f->host.mem, at, size, take(in, size), attrs);
	else
		mem_read(f->host.mem, at, size, &value, attrs);
}

static void interrupt(struct fixture *f, struct input *in, bool level)
{
	const struct dev_irq_in *i = f->dev->c->irq_in;
	uint32_t v = take(in, 2);

	if (!i || !i->kind)
		return;
	for (uint32_t n = v >> 12; n && i[1].kind; n--)
		i++;
	dev_lock(f->dev);
	f->dev->c->irq_input(f->dev, i->first + (v & 0xfff) % i->count, level);
	dev_unlock(f->dev);
}

/* The GIC's CPU interface, mostly. */
static void sysreg(struct fixture *f, struct input *in, uint8_t op)
{
	struct pe_access a = {.pe = op >> 7, .el = 1 + (op >> 5 & 3) % 3, .secure = op >> 4 & 1};
	uint8_t which = take(in, 1);
	uint16_t reg = which == 0xff
			       ? SYSREG(3, 0, 4, 6, 0)
			       : SYSREG(3, which >> 7 ? 6 : 0, 12, which >> 3 & 15, which & 7);
	uint64_t value = 0;

	if (op & 8)
		fake_pe_sysreg_write(f->host.pes, &a, reg, take(in, 5));
	else
		fake_pe_sysreg_read(f->host.pes, &a, reg, &value);
}

/* The other end of a serial port. */
static void serial(struct fixture *f, struct input *in)
{
	static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	struct fake_char *c = fake_char(f);
	uint8_t v = take(in, 1);

	if (f->dev->c->backend != BACKEND_CHAR)
		return;
	dev_lock(f->dev);
	c->room = v & 0x40 ? v & 0x1f : FAKE_CHAR_SIZE;
	if (v & 0x80 && c->client.brk)
		c->client.brk(c->client.dev);
	c->typed = text + v % sizeof(text);
	((const struct backend_char_ops *)f->backend->c->backend_ops)->resume(f->backend);
	dev_unlock(f->dev);
}

static void memory(struct fixture *f, struct input *in)
{
	uint32_t at = take(in, 2) % (RAM_USED / 8) * 8;
	uint64_t v = take(in, 8);

	memcpy(f->ram + at, &v, sizeof(v));
}

static void step(struct fixture *f, struct input *in)
{
	uint8_t op = take(in, 1);

	switch (op & 7) {
	case 2:
		interrupt(f, in, op & 8);
		break;
	case 3:
		sysreg(f, in, op);
		break;
	case 4:
		serial(f, in);
		break;
	case 5:
		memory(f, in);
		break;
	case 6:
		if (op & 8)
			fake_pe_timer(f->host.pes, op >> 4 & 1, op >> 5 & 1, op >> 6 & 1);
		else
			fixture_run(f, 0);
		break;
	case 7:
		if (op == 7)
			dev_reset(f->dev);
		else
			access_device(f, in, op);
		break;
	default:
		access_device(f, in, op);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct target targets[64];
	static unsigned count;
	struct input in = {data, size};
	struct target *t;

	if (!count) {
		count = list_targets(targets, ARRAY_COUNT(targets));
		log_set("-all", NULL);
	}
	t = &targets[take(&in, 1) % count];
	if (!t->f)
		set_up(t);
	memset(t->f->ram, 0, RAM_USED);
	dev_reset(t->f->dev);
	for (unsigned i = 0; in.left && i < STEPS_MAX; i++)
		step(t->f, &in);
	return 0;
}

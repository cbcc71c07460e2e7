/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's device tree. Every component writes its own node; here are the root, /chosen and
 * /aliases. Devicetree Specification v0.4, chapters 2 and 3.
 *
 * libfdt puts a new node before its siblings, so nodes stand in reverse order of the objects. The
 * boards count on it: the first drive goes to the last virtio slot, and comes first in the tree.
 */
#include "board/ir.h"

#include "dev/dt.h"
#include "util/err.h"
#include "util/xalloc.h"

#include <errno.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { TREE_MAX = 2 << 20, RNG_SEED_BYTES = 64, SERIALS_MAX = 16, NODE_NAME_MAX = 64 };

/* Console nodes in the order of the objects. */
struct serials {
	char path[SERIALS_MAX][NODE_NAME_MAX];
	const struct dev *dev[SERIALS_MAX];
	unsigned count;
	char secure[NODE_NAME_MAX]; /* the first one of the Secure world, "" if there is none */
};

/* ---- the root ---- */

/* The property "root" of an interrupt controller. */
static bool says_root(const struct dev *d)
{
	const struct prop *p = component_prop(d->c, "root");

	return p && p->kind == PROP_BOOL && *(const bool *)((const char *)d + p->offset);
}

/* Sinks of "spi" wires are interrupt controllers, others (GPIO blocks) are not parents of a board. */
static bool is_controller(const struct dev *d)
{
	for (const struct dev_irq_in *in = d->c->irq_in; in && in->kind; in++)
		if (!strcmp(in->kind, "spi"))
			return true;
	return false;
}

static const struct dev *root_controller(const struct board *b)
{
	const struct dev *found = NULL;

	for (unsigned i = 0; i < b->dev_count; i++) {
		if (!is_controller(b->devs[i]))
			continue;
		if (says_root(b->devs[i]))
			return b->devs[i];
		found = found ? found : b->devs[i];
	}
	return found;
}

static void root(const struct board *b, struct dt *dt)
{
	const struct dev *gic = root_controller(b);

	dt_u32(dt, 0, "#address-cells", 2);
	dt_u32(dt, 0, "#size-cells", 2);
	dt_str(dt, 0, "compatible", "linux,dummy-virt"); /* a MACHINE object knows better */
	dt_str(dt, 0, "model", "linux,dummy-virt");
	if (gic)
		dt_u32(dt, 0, "interrupt-parent", gic->phandle);
}

/* ---- nodes ---- */

static bool is_compatible(const void *fdt, int node, const char *what)
{
	return fdt_node_check_compatible(fdt, node, what) == 0;
}

static void note_serial(struct serials *s, const struct dt *dt, const struct dev *d, int node)
{
	const char *name = fdt_get_name(dt->fdt, node, NULL);

	if (d->c->backend != BACKEND_CHAR || is_compatible(dt->fdt, node, "virtio,mmio") || !name ||
	    s->count == SERIALS_MAX || strlen(name) + 2 > NODE_NAME_MAX)
		return;
	if (fdt_getprop(dt->fdt, node, "secure-status", NULL)) {
		if (!*s->secure)
			snprintf(s->secure, sizeof(s->secure), "/%s", name);
		return;
	}
	s->path[s->count][0] = '/';
	strcpy(s->path[s->count] + 1, name);
	s->dev[s->count++] = d;
}

/* The newest child of the root is the first. */
static int newest(const struct dt *dt)
{
	return fdt_first_subnode(dt->fdt, 0);
}

static int child_count(const struct dt *dt)
{
	int node, n = 0;

	fdt_for_each_subnode(node, dt->fdt, 0) n++;
	return n;
}

static int add_nodes(const struct board *b, struct dt *dt, struct serials *s, struct err *e)
{
	for (unsigned i = 0; i < b->dev_count; i++) {
		struct dev *d = b->devs[i];
		int before = child_count(dt);

		if (!d->c->dt)
			continue;
		d->c->dt(d, dt);
		if (dt->error)
			return err_set(e, -EINVAL, d->where,
				       "%s: cannot write the device-tree node: %s", d->name,
				       fdt_strerror(dt->error));
		if (child_count(dt) > before)
			note_serial(s, dt, d, newest(dt));
	}
	return 0;
}

/* ---- /chosen and /aliases ---- */

/* SplitMix64: seeds of a reproducible run need to differ, not to be secret. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static int random_bytes(uint64_t seed, void *out, size_t len)
{
	for (size_t i = 0; seed && i < len; i += 8) {
		uint64_t r = next_random(&seed);

		memcpy((char *)out + i, &r, 8);
	}
	return seed || getrandom(out, len, 0) == (ssize_t)len ? 0 : -errno;
}

static int seeds(const struct board *b, struct dt *dt, int chosen, struct err *e)
{
	uint32_t bytes[RNG_SEED_BYTES / 4 + 2];
	int r = random_bytes(b->host->seed, bytes, sizeof(bytes));

	if (r)
		return err_set(e, r, NULL, "the host has no random numbers: %s", strerror(-r));
	dt_cells(dt, chosen, "rng-seed", bytes, RNG_SEED_BYTES / 4);
	dt_cells(dt, chosen, "kaslr-seed", bytes + RNG_SEED_BYTES / 4, 2);
	return 0;
}

/* What MACHINE's "console" names, or the first. */
static const char *console_path(const struct board *b, const struct serials *s)
{
	const struct dev *wanted = NULL;

	for (unsigned i = 0; i < b->dev_count; i++) {
		const struct prop *p = component_prop(b->devs[i]->c, "console");

		if (p && p->kind == PROP_REF && !wanted)
			wanted = *(struct dev *const *)((const char *)b->devs[i] + p->offset);
	}
	for (unsigned i = 0; i < s->count; i++)
		if (s->dev[i] == wanted)
			return s->path[i];
	return s->count ? s->path[0] : NULL;
}

static int chosen(const struct board *b, struct dt *dt, const struct serials *s, struct err *e)
{
	const char *console = console_path(b, s);
	int node = dt_well_known(dt, "chosen"), r;

	r = seeds(b, dt, node, e);
	if (!r && console)
		dt_str(dt, node, "stdout-path", console);
	return r;
}

/* What /chosen is to the normal world: as QEMU's virt has it, and OP-TEE reads. */
static int secure_chosen(const struct board *b, struct dt *dt, const struct serials *s,
			 struct err *e)
{
	int node, r;

	if (!*s->secure)
		return 0;
	node = dt_well_known(dt, "secure-chosen");
	r = seeds(b, dt, node, e);
	if (!r)
		dt_str(dt, node, "stdout-path", s->secure);
	return r;
}

static void aliases(struct dt *dt, const struct serials *s)
{
	int node = s->count ? dt_well_known(dt, "aliases") : -1;

	for (unsigned i = 0; i < s->count; i++) {
		char name[24];

		snprintf(name, sizeof(name), "serial%u", i);
		dt_str(dt, node, name, s->path[i]);
	}
}

/* ---- order ---- */

/* libfdt puts new properties first, too: bring them into the order they were written in, so that
 * "compatible" leads. */
static int copy_node(const void *from, int node, void *to)
{
	const char *name = fdt_get_name(from, node, NULL);
	int p, child, r, len, count = 0, *offsets;

	fdt_for_each_property_offset(p, from, node) count++;
	offsets = xcalloc((size_t)count + 1, sizeof(*offsets));
	count = 0;
	fdt_for_each_property_offset(p, from, node) offsets[count++] = p;
	r = fdt_begin_node(to, name);
	while (!r && count--) {
		const void *value = fdt_getprop_by_offset(from, offsets[count], &name, &len);

		r = fdt_property(to, name, value, len);
	}
	free(offsets);
	fdt_for_each_subnode(child, from, node) r = r ? r : copy_node(from, child, to);
	return r ? r : fdt_end_node(to);
}

/* A new tree; the old one is freed. NULL after an error. */
static void *in_order(void *fdt, int *error)
{
	void *to = xcalloc(1, TREE_MAX);

	*error = fdt_create(to, TREE_MAX);
	if (!*error)
		*error = fdt_finish_reservemap(to);
	if (!*error)
		*error = copy_node(fdt, 0, to);
	if (!*error)
		*error = fdt_finish(to);
	free(fdt);
	return to;
}

/* ---- the whole ---- */

static void *fail(void *fdt, int error, struct err *e)
{
	if (error)
		err_set(e, -EINVAL, NULL, "cannot write the device tree: %s", fdt_strerror(error));
	free(fdt);
	return NULL;
}

void *board_dtb(struct board *b, size_t *size, struct err *e)
{
	struct dt dt = {.fdt = xcalloc(1, TREE_MAX)};
	struct serials s = {.count = 0};

	dt.error = fdt_create_empty_tree(dt.fdt, TREE_MAX);
	root(b, &dt);
	if (!dt.error && add_nodes(b, &dt, &s, e))
		return fail(dt.fdt, 0, e);
	if (!dt.error && (chosen(b, &dt, &s, e) || secure_chosen(b, &dt, &s, e)))
		return fail(dt.fdt, 0, e);
	aliases(&dt, &s);
	if (!dt.error)
		dt.fdt = in_order(dt.fdt, &dt.error);
	if (dt.error)
		return fail(dt.fdt, dt.error, e);
	*size = fdt_totalsize(dt.fdt);
	return dt.fdt;
}

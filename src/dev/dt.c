/* SPDX-License-Identifier: Apache-2.0 */
/* Device-tree nodes of components, on libfdt. The first error sticks; the board looks at it once. */
#include "dev/dt.h"

#include "util/xalloc.h"

#include <libfdt.h>
#include <stdio.h>
#include <string.h>

enum { CELLS_MAX = 256, SPECIFIER_MAX = 4 };

static void note(struct dt *dt, int r)
{
	if (r < 0 && !dt->error)
		dt->error = r;
}

int dt_subnode(struct dt *dt, int parent, const char *name)
{
	int n;

	if (dt->error)
		return -1;
	n = fdt_add_subnode(dt->fdt, parent, name);
	note(dt, n);
	return n;
}

int dt_node(struct dt *dt, const char *name, const uint64_t *unit)
{
	char full[128];

	if (unit)
		snprintf(full, sizeof(full), "%s@%llx", name, (unsigned long long)*unit);
	else
		snprintf(full, sizeof(full), "%s", name);
	return dt_subnode(dt, dt->parent, full);
}

int dt_well_known(struct dt *dt, const char *name)
{
	int n;

	if (dt->error)
		return -1;
	n = fdt_subnode_offset(dt->fdt, 0, name);
	return n >= 0 ? n : dt_subnode(dt, 0, name);
}

static void set(struct dt *dt, int node, const char *prop, const void *value, int len)
{
	if (!dt->error)
		note(dt, fdt_setprop(dt->fdt, node, prop, value, len));
}

void dt_str(struct dt *dt, int node, const char *prop, const char *value)
{
	set(dt, node, prop, value, strlen(value) + 1);
}

void dt_strs(struct dt *dt, int node, const char *prop, const char *list, unsigned count)
{
	const char *end = list;

	while (count--)
		end += strlen(end) + 1;
	set(dt, node, prop, list, end - list);
}

void dt_u32(struct dt *dt, int node, const char *prop, uint32_t value)
{
	dt_cells(dt, node, prop, &value, 1);
}

void dt_u64(struct dt *dt, int node, const char *prop, uint64_t value)
{
	fdt64_t v = cpu_to_fdt64(value);

	set(dt, node, prop, &v, sizeof(v));
}

void dt_cells(struct dt *dt, int node, const char *prop, const uint32_t *cells, unsigned count)
{
	fdt32_t v[CELLS_MAX];

	CHECK(count <= CELLS_MAX);
	for (unsigned i = 0; i < count; i++)
		v[i] = cpu_to_fdt32(cells[i]);
	set(dt, node, prop, v, count * sizeof(v[0]));
}

void dt_empty(struct dt *dt, int node, const char *prop)
{
	set(dt, node, prop, NULL, 0);
}

void dt_secure(struct dt *dt, int node)
{
	dt_str(dt, node, "status", "disabled");
	dt_str(dt, node, "secure-status", "okay");
}

void dt_reg(struct dt *dt, int node, const uint64_t *pairs, unsigned pair_count)
{
	uint32_t cells[CELLS_MAX];
	unsigned n = 0;

	CHECK(pair_count * 4 <= CELLS_MAX);
	for (unsigned i = 0; i < 2 * pair_count; i++) {
		cells[n++] = pairs[i] >> 32;
		cells[n++] = pairs[i];
	}
	dt_cells(dt, node, "reg", cells, n);
}

void dt_reg_of(struct dt *dt, int node, const struct dev *d)
{
	uint64_t pairs[CELLS_MAX / 2];
	unsigned n = 0;

	CHECK(d->region_count <= CELLS_MAX / 4);
	for (unsigned i = 0; i < d->region_count; i++) {
		if (!d->region[i].size)
			continue;
		pairs[n++] = d->region[i].base;
		pairs[n++] = d->region[i].size;
	}
	if (n)
		dt_reg(dt, node, pairs, n / 2);
}

/* Cells of one specifier, 0 for a wire that the guest cannot be told about. */
static unsigned specifier(const struct irq *w, uint32_t cells[SPECIFIER_MAX])
{
	const struct dev_irq_in *in = w->sink ? w->sink->c->irq_in : NULL;

	while (in && in->kind && strcmp(in->kind, w->kind))
		in++;
	return in && in->kind && in->dt_cells ? in->dt_cells(w->sink, w, cells) : 0;
}

static bool is_roots(const struct dt *dt, const struct dev *sink)
{
	int len;
	const fdt32_t *root = fdt_getprop(dt->fdt, 0, "interrupt-parent", &len);

	return root && len == sizeof(*root) && fdt32_to_cpu(*root) == sink->phandle;
}

void dt_irqs(struct dt *dt, int node, const struct irq *const *wires, unsigned count)
{
	uint32_t cells[CELLS_MAX];
	const struct dev *sink = NULL;
	unsigned n = 0;

	for (unsigned i = 0; i < count && n + SPECIFIER_MAX <= CELLS_MAX; i++) {
		unsigned used = specifier(wires[i], cells + n);

		if (!used)
			continue;
		if (sink && sink != wires[i]->sink)
			note(dt, -FDT_ERR_BADVALUE); /* would need interrupts-extended */
		sink = wires[i]->sink;
		n += used;
	}
	if (!sink || dt->error)
		return;
	if (!is_roots(dt, sink))
		dt_u32(dt, node, "interrupt-parent", sink->phandle);
	dt_cells(dt, node, "interrupts", cells, n);
}

void dt_clocks(struct dt *dt, int node, const struct clk *const *clocks, const char *names,
	       unsigned count)
{
	uint32_t cells[CELLS_MAX];
	char list[256];
	unsigned n = 0;
	size_t len = 0;

	for (unsigned i = 0; i < count; i++, names += strlen(names) + 1) {
		if (!clocks[i]->source || n == CELLS_MAX || len + strlen(names) >= sizeof(list))
			continue;
		cells[n++] = clocks[i]->source->phandle;
		memcpy(list + len, names, strlen(names) + 1);
		len += strlen(names) + 1;
	}
	if (!n)
		return;
	dt_cells(dt, node, "clocks", cells, n);
	set(dt, node, "clock-names", list, len);
}

void dt_phandle(struct dt *dt, int node, const struct dev *d)
{
	dt_u32(dt, node, "phandle", d->phandle);
}

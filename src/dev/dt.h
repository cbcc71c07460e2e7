/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing the guest's device tree (on libfdt). The board walks the components in order and calls
 * each one's dt(); a component writes its own node below dt->parent with these helpers.
 */
#ifndef DEV_DT_H
#define DEV_DT_H

#include "dev/component.h"

struct dt {
	void *fdt;  /* libfdt read-write tree */
	int parent; /* offset of the node below which components add theirs: "/" */
	int error;  /* first libfdt error (negative), sticky; helpers do nothing once set */
};

/* Add a node "name@unit" (no unit if @unit is NULL) below the parent; returns its offset. Offsets
 * of other nodes are invalid afterwards. */
int dt_node(struct dt *dt, const char *name, const uint64_t *unit);
/* Add a node below node offset @parent. */
int dt_subnode(struct dt *dt, int parent, const char *name);
void dt_str(struct dt *dt, int node, const char *prop, const char *value);
/* NUL-separated list in one literal: dt_strs(dt, n, "compatible", "arm,pl011\0arm,primecell", 2). */
void dt_strs(struct dt *dt, int node, const char *prop, const char *list, unsigned count);
void dt_u32(struct dt *dt, int node, const char *prop, uint32_t value);
void dt_u64(struct dt *dt, int node, const char *prop, uint64_t value);
void dt_cells(struct dt *dt, int node, const char *prop, const uint32_t *cells, unsigned count);
void dt_empty(struct dt *dt, int node, const char *prop);
/* "reg" with #address-cells = #size-cells = 2; pairs of address and size. */
void dt_reg(struct dt *dt, int node, const uint64_t *pairs, unsigned pair_count);
/* "reg" from the instance's present MMIO regions in descriptor order. */
void dt_reg_of(struct dt *dt, int node, const struct dev *d);
/* "interrupts" from wires that share one sink (if not: dt->error); adds "interrupt-parent" if the sink
 * is not the root's. Unconnected wires are left out. */
void dt_irqs(struct dt *dt, int node, const struct irq *const *wires, unsigned count);
static inline void dt_irq(struct dt *dt, int node, const struct irq *w)
{
	dt_irqs(dt, node, &w, 1);
}
/* "clocks" and "clock-names" (names as for dt_strs). */
void dt_clocks(struct dt *dt, int node, const struct clk *const *clocks, const char *names,
	       unsigned count);
/* "phandle" of this component. */
void dt_phandle(struct dt *dt, int node, const struct dev *d);
/* Mark the node of a device that only the Secure world has ("secure.txt" of the bindings for arm). */
void dt_secure(struct dt *dt, int node);
/* Offset of /aliases or /chosen, created when missing. */
int dt_well_known(struct dt *dt, const char *name);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* RAM: memory of a back end at an address. */
#include "dev/backend.h"
#include "dev/backend/hostmem.h"
#include "dev/component.h"
#include "dev/dt.h"
#include "util/err.h"

#include <errno.h>

struct ram {
	struct dev dev;
	uint64_t address;
	uint64_t size;
	bool secure;
	struct mem_region mem;
};

static int ram_init(struct dev *d, struct err *e)
{
	struct ram *r = (struct ram *)d;
	const struct backend_mem_ops *ops = d->backend->c->backend_ops;
	uint64_t size = r->size ? r->size : hostmem_size(d->backend);
	uint8_t *host;
	int code;

	if (!size) {
		code = err_set(e, -EINVAL, d->where, "%s has no size", d->name);
		err_hint(e, "set %s.size, or the size of its back end (||hostmem#size=1024)",
			 d->name);
		return code;
	}
	host = ops->alloc(d->backend, size, e);
	if (!host)
		return -ENOMEM;
	r->mem = (struct mem_region){
		.name = d->name,
		.where = d->where,
		.base = r->address,
		.size = size,
		.kind = MEM_RAM,
		.host = host,
		.secure_only = r->secure,
	};
	return mem_add(d->host->mem, &r->mem, e);
}

/* Power-on contents are undefined by the architecture; ours stay, so a reset costs nothing and crash
 * dumps in RAM survive it. */
static void ram_reset(struct dev *d)
{
}

static int ram_dt(struct dev *d, struct dt *dt)
{
	struct ram *r = (struct ram *)d;
	uint64_t reg[2] = {r->mem.base, r->mem.size};
	int n;

	n = dt_node(dt, r->secure ? "secram" : "memory", &reg[0]);
	dt_str(dt, n, "device_type", "memory");
	dt_reg(dt, n, reg, 1);
	if (r->secure)
		dt_secure(dt, n);
	return 0;
}

static const struct prop ram_props[] = {
	{.name = "address",
	 .kind = PROP_U64,
	 .offset = offsetof(struct ram, address),
	 .required = true,
	 .help = "first physical address"},
	{.name = "size",
	 .kind = PROP_SIZE,
	 .offset = offsetof(struct ram, size),
	 .unit = 1 << 20,
	 .help = "size; a number without unit counts MiB; 0: as the back end says"},
	{.name = "secure",
	 .kind = PROP_BOOL,
	 .offset = offsetof(struct ram, secure),
	 .def = "false",
	 .help = "absent from the normal world"},
	{0},
};

const struct component ram_component = {
	.type = "RAM",
	.doc = "main memory",
	.cls = DEV_MEMORY,
	.size = sizeof(struct ram),
	.props = ram_props,
	.backend = BACKEND_MEM,
	.default_backend = "hostmem",
	.init = ram_init,
	.reset = ram_reset,
	.dt = ram_dt,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* What the board as a whole is: the properties of the device tree's root, which of its serial ports is the
 * console, and whether the Secure world has anything for itself. Has no hardware. Devicetree Specification v0.4, 3.2. */
#include "dev/component.h"
#include "dev/dt.h"
#include "util/buf.h"

#include <string.h>

struct machine {
	struct dev dev;
	const char *compatible, *model;
	struct dev *console;
	int trustzone; /* enum trustzone */
};

enum trustzone { ENFORCED, OPEN };
static const char *const trustzones[] = {[ENFORCED] = "enforced", [OPEN] = "open", NULL};

/* Names separated by blanks become the device tree's list. */
static void compatible(struct dt *dt, const char *names)
{
	struct buf list = BUF_INIT;
	unsigned count = 0;

	while (*(names += strspn(names, " "))) {
		size_t len = strcspn(names, " ");

		buf_add(&list, names, len);
		buf_add(&list, "", 1);
		names += len;
		count++;
	}
	if (count)
		dt_strs(dt, dt->parent, "compatible", list.data, count);
	buf_free(&list);
}

static int machine_dt(struct dev *d, struct dt *dt)
{
	const struct machine *m = (const struct machine *)d;

	compatible(dt, m->compatible);
	dt_str(dt, dt->parent, "model", m->model);
	return dt->error;
}

static int machine_init(struct dev *d, struct err *e)
{
	if (((const struct machine *)d)->trustzone == OPEN)
		mem_open(d->host->mem);
	return 0;
}

static const struct prop machine_props[] = {
	{.name = "compatible",
	 .kind = PROP_STR,
	 .offset = offsetof(struct machine, compatible),
	 .def = "linux,dummy-virt",
	 .help = "compatible of the device tree's root; several are separated by blanks"},
	{.name = "model",
	 .kind = PROP_STR,
	 .offset = offsetof(struct machine, model),
	 .def = "linux,dummy-virt",
	 .help = "model of the device tree's root"},
	{.name = "console",
	 .kind = PROP_REF,
	 .offset = offsetof(struct machine, console),
	 .help = "serial port that is the console; without it the board's first"},
	{.name = "trustzone",
	 .kind = PROP_ENUM,
	 .offset = offsetof(struct machine, trustzone),
	 .def = "enforced",
	 .choices = trustzones,
	 .help = "open: the normal world and DMA get at secure memory and devices, too"},
	{.name = NULL},
};

const struct component machine_component = {
	.type = "MACHINE",
	.doc = "names of the board as a whole",
	.cls = DEV_DEVICE,
	.size = sizeof(struct machine),
	.props = machine_props,
	.init = machine_init,
	.dt = machine_dt,
};

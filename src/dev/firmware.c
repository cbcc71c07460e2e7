/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot from firmware: PE 0 starts where the firmware's image is, usually in a CFI-FLASH object that
 * holds it; this component can also load a raw image into RAM. The device tree is put at the beginning
 * of RAM, where firmware for QEMU's virt board looks for it.
 */
#include "dev/component.h"
#include "dev/loader.h"
#include "util/err.h"

#include <errno.h>

struct firmware {
	struct dev dev;
	bool enabled;
	uint64_t entry;
	const char *image;
	uint64_t address;
};

static int load_image(const struct firmware *f, struct dev_boot *b, struct err *e)
{
	struct image im;
	int r = image_open(&im, f->image, "firmware", e);

	if (!r)
		r = loader_put(f->dev.host->mem, &im, 0, f->address, im.size, e);
	b->image_start = f->address;
	b->image_end = f->address + im.size;
	image_close(&im);
	return r;
}

static int firmware_start(struct dev *d, struct dev_boot *b, struct err *e)
{
	const struct firmware *f = (const struct firmware *)d;
	const struct mem_region *ram;
	int r;

	if (!f->enabled)
		return 0;
	ram = loader_ram(d->host->mem, e);
	r = ram ? loader_put_dtb(d->host->mem, b->dtb, b->dtb_size, ram->base, e) : -EINVAL;
	if (!r && f->image)
		r = load_image(f, b, e);
	if (r)
		return r;
	b->found = true;
	b->pc = f->entry;
	return 0;
}

#define PROP(n, k, ...)                                                                            \
	{                                                                                          \
		.name = #n, .kind = k, .offset = offsetof(struct firmware, n), __VA_ARGS__         \
	}
static const struct prop firmware_props[] = {
	PROP(enabled, PROP_BOOL, .def = "false", .help = "start the firmware, not a kernel"),
	PROP(entry, PROP_U64, .def = "0", .help = "address where PE 0 starts"),
	PROP(image, PROP_PATH, .help = "raw image to load into RAM; firmware in flash needs none"),
	PROP(address, PROP_U64, .def = "0", .help = "where the image goes"),
	{.name = NULL},
};

const struct component firmware_component = {
	.type = "FIRMWARE",
	.doc = "starts firmware",
	.cls = DEV_BOOT,
	.size = sizeof(struct firmware),
	.props = firmware_props,
	.boot = firmware_start,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot from firmware: PE 0 starts where the firmware's image is, usually in a CFI-FLASH object that
 * holds it; this component can also load a raw image into RAM. The device tree is put at the beginning
 * of RAM, where firmware for QEMU's virt board looks for it, unless the board says where. As QEMU does for
 * images of which two want the same place, an image that would cover the device tree is refused.
 */
#include "dev/component.h"
#include "dev/loader.h"
#include "util/err.h"

#include <errno.h>
#include <inttypes.h>

struct firmware {
	struct dev dev;
	bool enabled;
	uint64_t entry;
	const char *image;
	uint64_t address, dtb_address;
};

struct range {
	uint64_t start, size;
};

/* Both lie in memory, so that neither end wraps around. */
static bool apart(struct range a, struct range b)
{
	return a.start + a.size <= b.start || b.start + b.size <= a.start;
}

static int in_the_way(const struct firmware *f, struct range image, struct range dtb, struct err *e)
{
	int r = err_set(e, -EBUSY, f->dev.where,
			"%s: the image at 0x%" PRIx64 "-0x%" PRIx64
			" covers the device tree at 0x%" PRIx64 "-0x%" PRIx64,
			f->dev.name, image.start, image.start + image.size - 1, dtb.start,
			dtb.start + dtb.size - 1);

	err_hint(e, "move one of the two: %s.address or %s.dtb_address", f->dev.name, f->dev.name);
	return r;
}

static int load_image(const struct firmware *f, struct dev_boot *b, struct range dtb, struct err *e)
{
	struct image im;
	int r = image_open(&im, f->image, "firmware", e);
	struct range place = {f->address, im.size};

	if (!r)
		r = loader_put(f->dev.host->mem, &im, 0, f->address, im.size, e);
	if (!r && !apart(place, dtb))
		r = in_the_way(f, place, dtb, e);
	b->image_start = f->address;
	b->image_end = f->address + im.size;
	image_close(&im);
	return r;
}

static int load_dtb(const struct firmware *f, const struct dev_boot *b, struct range *dtb,
		    struct err *e)
{
	const struct mem_space *mem = f->dev.host->mem;
	const struct mem_region *ram = loader_ram(mem, e);

	if (!ram)
		return -EINVAL;
	*dtb = (struct range){f->dtb_address ? f->dtb_address : ram->base, b->dtb_size};
	return loader_put_dtb(mem, b->dtb, b->dtb_size, dtb->start, e);
}

static int firmware_start(struct dev *d, struct dev_boot *b, struct err *e)
{
	const struct firmware *f = (const struct firmware *)d;
	struct range dtb;
	int r;

	if (!f->enabled)
		return 0;
	r = load_dtb(f, b, &dtb, e);
	if (!r && f->image)
		r = load_image(f, b, dtb, e);
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
	PROP(dtb_address, PROP_U64, .help = "where the device tree goes; 0: the beginning of RAM"),
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

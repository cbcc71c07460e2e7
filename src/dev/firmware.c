/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot from firmware: PE 0 starts where the firmware's image is, usually in a CFI-FLASH object that
 * holds it; this component can also load a raw image into RAM. The device tree is put at the beginning
 * of RAM, where firmware for QEMU's virt board looks for it, unless the board says where. As QEMU does for
 * images of which two want the same place, an image that would cover the device tree is refused.
 *
 * What the board's LINUX object names is not loaded, but offered: kernel, initrd and command line as items
 * of the fw_cfg device (QEMU's docs/specs/fw_cfg), the command line in the device tree as well. Firmware
 * such as EDK2 and U-Boot looks there.
 */
#include "dev/component.h"
#include "dev/fw-cfg.h"
#include "dev/linux.h"
#include "dev/loader.h"
#include "util/err.h"
#include "util/xalloc.h"

#include <errno.h>
#include <inttypes.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

struct firmware {
	struct dev dev;
	bool enabled;
	uint64_t entry;
	const char *image;
	uint64_t address, dtb_address;
	struct dev *linux_object, *fw_cfg; /* or NULL */
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

/* The user's own device tree is for firmware as well. */
static int load_dtb(const struct firmware *f, const struct dev_boot *b, struct range *place,
		    struct err *e)
{
	struct boot_tree t = {.boot = b, .mem = f->dev.host->mem};
	const struct mem_region *ram = loader_ram(t.mem, e);
	void *fdt = NULL;
	int r;

	if (!ram)
		return -EINVAL;
	if (f->linux_object) {
		t.path = linux_images(f->linux_object)->dtb;
		t.cmdline = linux_images(f->linux_object)->cmdline;
	}
	r = boot_tree_make(&t, &fdt, e);
	if (r)
		return r;
	*place = (struct range){f->dtb_address ? f->dtb_address : ram->base, fdt_totalsize(fdt)};
	r = loader_put_dtb(t.mem, fdt, place->size, place->start, e);
	free(fdt);
	return r;
}

/* ---- what is offered ---- */

static void offer(const struct firmware *f, uint16_t size_key, uint16_t data_key, uint8_t *data,
		  uint32_t size)
{
	uint8_t *le = xcalloc(1, 4);

	for (unsigned i = 0; i < 4; i++)
		le[i] = (uint8_t)(size >> 8 * i);
	fw_cfg_offer(f->fw_cfg, size_key, le, 4);
	fw_cfg_offer(f->fw_cfg, data_key, data, size);
}

/* As QEMU: firmware cannot unpack gzip, but EFI programs that unpack themselves are left alone. */
static int unpack(struct image *im, uint64_t limit, struct err *e)
{
	uint8_t magic[2] = {0};
	int r = image_read(im, 0, magic, im->size < 2 ? im->size : 2, e);

	return r || magic[0] != 0x1f || magic[1] != 0x8b ? r
							 : image_unzip(im, 0, im->size, limit, e);
}

static int offer_file(const struct firmware *f, const char *path, bool kernel, struct err *e)
{
	const struct mem_region *ram = loader_ram(f->dev.host->mem, e);
	uint8_t *data = NULL;
	struct image im;
	int r = image_open(&im, path, kernel ? "kernel" : "initrd", e);

	if (!r && kernel)
		r = unpack(&im, ram->size, e);
	if (!r && im.size > UINT32_MAX)
		r = err_set(e, -EFBIG, path, "the %s is larger than 4 GiB", im.what);
	if (!r)
		r = image_load(&im, &data, e);
	if (!r)
		offer(f, kernel ? FW_CFG_KERNEL_SIZE : FW_CFG_INITRD_SIZE,
		      kernel ? FW_CFG_KERNEL_DATA : FW_CFG_INITRD_DATA, data, (uint32_t)im.size);
	image_close(&im);
	return r;
}

static int offer_kernel(const struct firmware *f, struct err *e)
{
	const struct linux_images *l = linux_images(f->linux_object);
	const char *cmdline = l->cmdline ? l->cmdline : "";
	int r = offer_file(f, l->kernel, true, e);

	if (!r && l->initrd)
		r = offer_file(f, l->initrd, false, e);
	if (!r)
		offer(f, FW_CFG_CMDLINE_SIZE, FW_CFG_CMDLINE_DATA, (uint8_t *)xstrdup(cmdline),
		      (uint32_t)strlen(cmdline) + 1);
	return r;
}

/* ---- component ---- */

static bool has_kernel(const struct firmware *f)
{
	return f->linux_object && linux_images(f->linux_object)->kernel;
}

static int firmware_check(struct dev *d, struct err *e)
{
	const struct firmware *f = (const struct firmware *)d;
	int r;

	if (!f->enabled || f->fw_cfg || !has_kernel(f))
		return 0;
	r = err_set(e, -ENODEV, d->where,
		    "%s: the board has no fw_cfg device, which would offer the kernel to it",
		    d->name);
	err_hint(e, "start either firmware or a kernel, or add -vobj \"FW-CFG#address=...\"");
	return r;
}

static int firmware_init(struct dev *d, struct err *e)
{
	struct firmware *f = (struct firmware *)d;

	if (f->enabled && f->linux_object)
		linux_yield(f->linux_object);
	return 0;
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
	if (!r && has_kernel(f))
		r = offer_kernel(f, e);
	if (r)
		return r;
	b->found = true;
	b->pc = f->entry;
	b->at_reset = true;
	return 0;
}

#define PROP(n, k, m, ...)                                                                         \
	{                                                                                          \
		.name = n, .kind = k, .offset = offsetof(struct firmware, m), __VA_ARGS__          \
	}
static const struct prop firmware_props[] = {
	PROP("enabled", PROP_BOOL, enabled, .def = "false",
	     .help = "start the firmware, not a kernel"),
	PROP("entry", PROP_U64, entry, .def = "0", .help = "address where PE 0 starts"),
	PROP("image", PROP_PATH, image,
	     .help = "raw image to load into RAM; firmware in flash needs none"),
	PROP("address", PROP_U64, address, .def = "0", .help = "where the image goes"),
	PROP("dtb_address", PROP_U64, dtb_address,
	     .help = "where the device tree goes; 0: the beginning of RAM"),
	PROP("linux", PROP_REF, linux_object, .def = "first", .ref = "LINUX",
	     .help = "whose kernel, initrd, cmdline and dtb firmware is offered"),
	PROP("fw_cfg", PROP_REF, fw_cfg, .def = "first", .ref = "FW-CFG",
	     .help = "fw_cfg device that offers them"),
	{.name = NULL},
};

const struct component firmware_component = {
	.type = "FIRMWARE",
	.doc = "starts firmware",
	.cls = DEV_BOOT,
	.size = sizeof(struct firmware),
	.props = firmware_props,
	.check = firmware_check,
	.init = firmware_init,
	.boot = firmware_start,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Direct boot of a kernel, without firmware: Linux, Documentation/arch/arm64/booting.rst. Also runs
 * bare-metal ELF programs, which are entered the same way: x0 holds the address of the device tree.
 *
 * Where things go: the kernel at the beginning of RAM (what its header says), the initrd 128 MiB into
 * it (or in the middle of a smaller one, or behind a larger kernel), the device tree behind it.
 * Everything is read again at each reset.
 */
#include "dev/linux.h"

#include "dev/component.h"
#include "dev/loader.h"
#include "pe/pe.h"
#include "util/bits.h"
#include "util/err.h"
#include "util/log.h"

#include <errno.h>
#include <inttypes.h>
#include <libfdt.h>
#include <stdlib.h>

#define DTB_ALIGN     (2ULL << 20) /* a kernel maps it with one block of this size */
#define INITRD_ALIGN  (64ULL << 10)
#define INITRD_OFFSET (128ULL << 20)

struct linux_boot {
	struct dev dev;
	struct linux_images images;
	uint64_t dtb_address;
	bool yields;
};

struct range {
	uint64_t start, end; /* empty: both 0 */
};

/* One boot. */
struct job {
	const struct linux_boot *l;
	const struct mem_space *mem;
	const struct mem_region *ram;
	struct kernel kernel;
	struct range initrd;
	struct err *e;
};

static uint64_t ram_end(const struct job *j)
{
	return j->ram->base + j->ram->size;
}

static bool fits(const struct job *j, uint64_t start, uint64_t len)
{
	return start >= j->ram->base && start <= ram_end(j) && len <= ram_end(j) - start;
}

static bool apart(uint64_t start, uint64_t end, uint64_t other_start, uint64_t other_end)
{
	return end <= other_start || start >= other_end;
}

static bool is_free(const struct job *j, uint64_t start, uint64_t len)
{
	return fits(j, start, len) && apart(start, start + len, j->kernel.start, j->kernel.end) &&
	       apart(start, start + len, j->initrd.start, j->initrd.end);
}

/* ---- initrd ---- */

static int load_initrd(struct job *j)
{
	uint64_t middle = j->ram->size / 2 < INITRD_OFFSET ? j->ram->size / 2 : INITRD_OFFSET;
	uint64_t start = align_down(j->ram->base + middle, INITRD_ALIGN);
	struct image im;
	int r = image_open(&im, j->l->images.initrd, "initrd", j->e);

	if (!r && !is_free(j, start, im.size))
		start = align_up(j->kernel.end, INITRD_ALIGN);
	if (!r && !is_free(j, start, im.size)) {
		r = err_set(j->e, -ENOSPC, im.path,
			    "the initrd of %llu MiB does not fit into \"%s\" behind the kernel",
			    (unsigned long long)((im.size >> 20) + 1), j->ram->name);
		err_hint(j->e, "give the machine more memory (--mem)");
	}
	if (!r)
		r = loader_put(j->mem, &im, 0, start, im.size, j->e);
	if (!r)
		j->initrd = (struct range){start, start + im.size};
	image_close(&im);
	return r;
}

/* ---- device tree ---- */

/* Behind everything, else before the initrd, else at the beginning of RAM. */
static uint64_t dtb_place(const struct job *j, uint64_t size)
{
	const uint64_t places[] = {
		align_up(j->initrd.end > j->kernel.end ? j->initrd.end : j->kernel.end, DTB_ALIGN),
		align_up(j->kernel.end, DTB_ALIGN),
		align_up(j->ram->base, DTB_ALIGN),
	};

	if (j->l->dtb_address)
		return j->l->dtb_address;
	for (unsigned i = 0; i < ARRAY_COUNT(places); i++)
		if (is_free(j, places[i], size))
			return places[i];
	return align_up(j->kernel.end, 8);
}

static int load_tree(struct job *j, const struct dev_boot *b, uint64_t *address)
{
	const struct boot_tree t = {
		.boot = b,
		.mem = j->mem,
		.path = j->l->images.dtb,
		.cmdline = j->l->images.cmdline,
		.initrd_start = j->initrd.start,
		.initrd_end = j->initrd.end,
		.stand_in = j->l->dev.host->pes && pe_highest_el(j->l->dev.host->pes) == 3,
	};
	void *fdt = NULL;
	int r = boot_tree_make(&t, &fdt, j->e);

	if (r)
		return r;
	*address = dtb_place(j, fdt_totalsize(fdt));
	if (is_free(j, *address, fdt_totalsize(fdt))) {
		r = loader_put_dtb(j->mem, fdt, fdt_totalsize(fdt), *address, j->e);
	} else {
		r = err_set(j->e, -ENOSPC, j->l->dev.where,
			    "the device tree does not fit at 0x%llx", (unsigned long long)*address);
		err_hint(j->e, "give the machine more memory (--mem)");
	}
	free(fdt);
	return r;
}

/* ---- for firmware ---- */

const struct linux_images *linux_images(const struct dev *linux_object)
{
	return &((const struct linux_boot *)linux_object)->images;
}

void linux_yield(struct dev *linux_object)
{
	((struct linux_boot *)linux_object)->yields = true;
}

/* ---- component ---- */

static int linux_start(struct dev *d, struct dev_boot *b, struct err *e)
{
	const struct linux_boot *l = (const struct linux_boot *)d;
	struct job j = {.l = l, .mem = d->host->mem, .e = e};
	uint64_t dtb = 0;
	int r;

	if (!l->images.kernel || l->yields)
		return 0;
	j.ram = loader_ram(j.mem, e);
	r = j.ram ? kernel_load(&j.kernel, l->images.kernel, j.mem, j.ram, e) : -EINVAL;
	if (!r && l->images.initrd)
		r = load_initrd(&j);
	if (!r)
		r = load_tree(&j, b, &dtb);
	if (r)
		return r;
	LOG(board,
	    "kernel 0x%" PRIx64 "-0x%" PRIx64 ", initrd 0x%" PRIx64 "-0x%" PRIx64
	    ", device tree 0x%" PRIx64 ", entry 0x%" PRIx64,
	    j.kernel.start, j.kernel.end, j.initrd.start, j.initrd.end, dtb, j.kernel.entry);
	b->found = true;
	b->pc = j.kernel.entry;
	b->x[0] = dtb;
	b->x[1] = b->x[2] = b->x[3] = 0;
	b->image_start = j.kernel.start;
	b->image_end = j.kernel.end;
	return 0;
}

#define PROP(n, k, m, ...)                                                                         \
	{                                                                                          \
		.name = n, .kind = k, .offset = offsetof(struct linux_boot, m), __VA_ARGS__        \
	}
static const struct prop linux_props[] = {
	PROP("kernel", PROP_PATH, images.kernel,
	     .help = "arm64 Image (may be compressed with gzip) or ELF file"),
	PROP("initrd", PROP_PATH, images.initrd, .help = "initial RAM disk"),
	PROP("cmdline", PROP_STR, images.cmdline, .help = "kernel command line"),
	PROP("dtb", PROP_PATH, images.dtb,
	     .help = "device tree to use instead of the generated one; memory and /chosen are "
		     "adapted"),
	PROP("dtb_address", PROP_U64, dtb_address,
	     .help = "where the device tree goes; 0: behind the rest"),
	{.name = NULL},
};

const struct component linux_component = {
	.type = "LINUX",
	.doc = "boots a kernel without firmware",
	.cls = DEV_BOOT,
	.size = sizeof(struct linux_boot),
	.props = linux_props,
	.boot = linux_start,
};

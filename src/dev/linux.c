/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Direct boot of a kernel, without firmware: Linux, Documentation/arch/arm64/booting.rst. Also runs
 * bare-metal ELF programs, which are entered the same way: x0 holds the address of the device tree.
 *
 * Where things go: the kernel at the beginning of RAM (what its header says), the initrd 128 MiB into
 * it (or in the middle of a smaller one, or behind a larger kernel), the device tree behind it.
 * Everything is read again at each reset.
 */
#include "dev/component.h"
#include "dev/loader.h"
#include "util/bits.h"
#include "util/err.h"
#include "util/log.h"

#include <errno.h>
#include <inttypes.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#define DTB_ALIGN     (2ULL << 20) /* a kernel maps it with one block of this size */
#define INITRD_ALIGN  (64ULL << 10)
#define INITRD_OFFSET (128ULL << 20)

enum { DTB_MAX = 2 << 20, DTB_SLACK = 1024 };

struct linux_boot {
	struct dev dev;
	const char *kernel, *initrd, *cmdline, *dtb;
	uint64_t dtb_address;
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
	int r = image_open(&im, j->l->initrd, "initrd", j->e);

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

/* The user's own, else the generated one; in a new tree with room for /chosen. */
static int open_tree(const struct linux_boot *l, const void *dtb, size_t size, void **out,
		     struct err *e)
{
	size_t room = size + DTB_SLACK + (l->cmdline ? strlen(l->cmdline) : 0);
	void *fdt;
	int r;

	if (size < sizeof(struct fdt_header) || fdt_check_header(dtb) || fdt_totalsize(dtb) > size)
		return err_set(e, -EINVAL, l->dtb, "this is not a device tree, or not all of it");
	if (room > DTB_MAX)
		return err_set(e, -E2BIG, l->dtb, "the device tree is larger than 2 MiB");
	fdt = malloc(room);
	if (!fdt)
		return err_set(e, -ENOMEM, NULL, "no memory for the device tree");
	r = fdt_open_into(dtb, fdt, (int)room);
	if (r) {
		free(fdt);
		return err_set(e, -EINVAL, l->dtb, "damaged device tree: %s", fdt_strerror(r));
	}
	*out = fdt;
	return 0;
}

static int read_tree(const struct linux_boot *l, void **out, struct err *e)
{
	struct image im;
	void *dtb = NULL;
	int r = image_open(&im, l->dtb, "device tree", e);

	if (!r && im.size > DTB_MAX)
		r = err_set(e, -E2BIG, l->dtb, "this is not a device tree: larger than 2 MiB");
	if (!r) {
		dtb = malloc(im.size);
		r = dtb ? image_read(&im, 0, dtb, im.size, e) : -ENOMEM;
	}
	if (!r)
		r = open_tree(l, dtb, im.size, out, e);
	free(dtb);
	image_close(&im);
	return r;
}

static int add_chosen(const struct job *j, void *fdt)
{
	int node = fdt_path_offset(fdt, "/chosen"), r = 0;

	if (node == -FDT_ERR_NOTFOUND)
		node = fdt_add_subnode(fdt, 0, "chosen");
	if (node < 0)
		return node;
	if (j->l->cmdline)
		r = fdt_setprop_string(fdt, node, "bootargs", j->l->cmdline);
	if (!r && j->initrd.end) {
		r = fdt_setprop_u64(fdt, node, "linux,initrd-start", j->initrd.start);
		if (!r)
			r = fdt_setprop_u64(fdt, node, "linux,initrd-end", j->initrd.end);
	}
	return r ? r : fdt_pack(fdt);
}

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
	void *fdt = NULL;
	int r = j->l->dtb ? read_tree(j->l, &fdt, j->e)
			  : open_tree(j->l, b->dtb, b->dtb_size, &fdt, j->e);

	if (r)
		return r;
	r = add_chosen(j, fdt);
	if (r) {
		r = err_set(j->e, -EINVAL, j->l->dtb, "cannot change the device tree: %s",
			    fdt_strerror(r));
		goto out;
	}
	*address = dtb_place(j, fdt_totalsize(fdt));
	if (!is_free(j, *address, fdt_totalsize(fdt))) {
		r = err_set(j->e, -ENOSPC, j->l->dev.where,
			    "the device tree does not fit at 0x%llx", (unsigned long long)*address);
		err_hint(j->e, "give the machine more memory (--mem)");
		goto out;
	}
	r = loader_put_dtb(j->mem, fdt, fdt_totalsize(fdt), *address, j->e);
out:
	free(fdt);
	return r;
}

/* ---- component ---- */

static int linux_start(struct dev *d, struct dev_boot *b, struct err *e)
{
	const struct linux_boot *l = (const struct linux_boot *)d;
	struct job j = {.l = l, .mem = d->host->mem, .e = e};
	uint64_t dtb = 0;
	int r;

	if (!l->kernel)
		return 0;
	j.ram = loader_ram(j.mem, e);
	r = j.ram ? kernel_load(&j.kernel, l->kernel, j.mem, j.ram, e) : -EINVAL;
	if (!r && l->initrd)
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

#define PROP(n, k, ...)                                                                            \
	{                                                                                          \
		.name = #n, .kind = k, .offset = offsetof(struct linux_boot, n), __VA_ARGS__       \
	}
static const struct prop linux_props[] = {
	PROP(kernel, PROP_PATH, .help = "arm64 Image (may be compressed with gzip) or ELF file"),
	PROP(initrd, PROP_PATH, .help = "initial RAM disk"),
	PROP(cmdline, PROP_STR, .help = "kernel command line"),
	PROP(dtb, PROP_PATH, .help = "device tree to use instead of the generated one"),
	PROP(dtb_address, PROP_U64, .help = "where the device tree goes; 0: behind the rest"),
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

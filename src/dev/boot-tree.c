/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device tree that a guest finds in memory: the board's or a file of the user's, and in it what is
 * known only now: command line and initrd (Devicetree Specification v0.4, 3.6 "/chosen").
 *
 * A file is brought in line with the machine as far as QEMU does that with the file of its -dtb: its memory
 * nodes (3.4) are replaced by the board's, /psci is added if there is none, and a seed in /chosen is
 * renewed. Everything else is as the file has it.
 */
#include "dev/component.h"
#include "dev/loader.h"
#include "util/err.h"

#include <errno.h>
#include <inttypes.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* NODE_ROOM: a memory node with its strings, PSCI_ROOM: likewise. */
enum { DTB_MAX = 2 << 20, CHOSEN_ROOM = 1024, NODE_ROOM = 128, PSCI_ROOM = 1024 };

/* ---- opening ---- */

static size_t room_needed(const struct boot_tree *t)
{
	size_t regions;

	mem_regions(t->mem, &regions);
	return CHOSEN_ROOM + PSCI_ROOM + regions * NODE_ROOM +
	       (t->cmdline ? strlen(t->cmdline) : 0);
}

/* A copy of a tree, with room to grow. */
static int open_tree(const struct boot_tree *t, const void *dtb, size_t size, void **out,
		     struct err *e)
{
	size_t room = size + room_needed(t);
	void *fdt;
	int r;

	if (size < sizeof(struct fdt_header) || fdt_check_header(dtb) || fdt_totalsize(dtb) > size)
		return err_set(e, -EINVAL, t->path, "this is not a device tree, or not all of it");
	if (room > DTB_MAX)
		return err_set(e, -E2BIG, t->path, "the device tree is larger than 2 MiB");
	fdt = malloc(room);
	if (!fdt)
		return err_set(e, -ENOMEM, t->path, "no memory for the device tree");
	r = fdt_open_into(dtb, fdt, (int)room);
	if (r) {
		free(fdt);
		return err_set(e, -EINVAL, t->path, "damaged device tree: %s", fdt_strerror(r));
	}
	*out = fdt;
	return 0;
}

static int open_file(const struct boot_tree *t, void **out, struct err *e)
{
	struct image im;
	uint8_t *dtb = NULL;
	int r = image_open(&im, t->path, "device tree", e);

	if (!r && im.size > DTB_MAX)
		r = err_set(e, -E2BIG, t->path, "this is not a device tree: larger than 2 MiB");
	if (!r)
		r = image_load(&im, &dtb, e);
	if (!r)
		r = open_tree(t, dtb, im.size, out, e);
	free(dtb);
	image_close(&im);
	return r;
}

/* ---- memory ---- */

static bool is_memory(const void *fdt, int node)
{
	const char *name = fdt_get_name(fdt, node, NULL);

	return name && !strncmp(name, "memory", 6) && (!name[6] || name[6] == '@');
}

/* Nodes become gaps, so that offsets stay as they are. */
static int drop_memory(void *fdt)
{
	int node = fdt_first_subnode(fdt, 0), next, r = 0;

	for (; node >= 0 && !r; node = next) {
		next = fdt_next_subnode(fdt, node);
		if (is_memory(fdt, node))
			r = fdt_nop_node(fdt, node);
	}
	return r;
}

/* A number as big-endian cells; false: it has too many bits. */
static bool put_cells(fdt32_t *to, int cells, uint64_t v)
{
	while (cells--) {
		to[cells] = cpu_to_fdt32((uint32_t)v);
		v >>= 32;
	}
	return !v;
}

static int add_memory(const struct boot_tree *t, void *fdt, const struct mem_region *ram,
		      struct err *e)
{
	int address = fdt_address_cells(fdt, 0), size = fdt_size_cells(fdt, 0), node, r;
	fdt32_t reg[2 * FDT_MAX_NCELLS];
	char name[32];

	if (address < 1 || size < 1 || !put_cells(reg, address, ram->base) ||
	    !put_cells(reg + address, size, ram->size)) {
		r = err_set(e, -EINVAL, t->path,
			    "this device tree cannot express 0x%" PRIx64 " bytes of memory at "
			    "0x%" PRIx64,
			    ram->size, ram->base);
		err_hint(e, "its root needs #address-cells = <2> and #size-cells = <2>");
		return r;
	}
	snprintf(name, sizeof(name), "memory@%" PRIx64, ram->base);
	node = fdt_add_subnode(fdt, 0, name);
	r = node < 0 ? node : fdt_setprop(fdt, node, "reg", reg, 4 * (address + size));
	if (!r)
		r = fdt_setprop_string(fdt, node, "device_type", "memory");
	return r ? err_set(e, -EINVAL, t->path, "cannot change the device tree: %s",
			   fdt_strerror(r))
		 : 0;
}

/* A new node is the first: from the last region to the first. */
static int set_memory(const struct boot_tree *t, void *fdt, struct err *e)
{
	size_t count;
	struct mem_region *const *region = mem_regions(t->mem, &count);
	int r = drop_memory(fdt);

	if (r)
		return err_set(e, -EINVAL, t->path, "damaged device tree: %s", fdt_strerror(r));
	while (!r && count--)
		if (region[count]->kind == MEM_RAM && !region[count]->secure_only)
			r = add_memory(t, fdt, region[count], e);
	return r;
}

/* ---- other nodes ---- */

/* The board's own node, unless the file has one: that is taken as it is. */
static int add_psci(const struct boot_tree *t, void *fdt)
{
	const void *board = t->boot->dtb;
	int from = fdt_path_offset(board, "/psci"), to, p, r = 0;

	if (from < 0 || fdt_path_offset(fdt, "/psci") >= 0)
		return 0;
	to = fdt_add_subnode(fdt, 0, "psci");
	if (to < 0)
		return to;
	fdt_for_each_property_offset(p, board, from)
	{
		const char *name;
		int len;
		const void *value = fdt_getprop_by_offset(board, p, &name, &len);

		if (value && !r)
			r = fdt_setprop(fdt, to, name, value, len);
	}
	return r;
}

static int add_enable_method(void *fdt)
{
	int cpus = fdt_path_offset(fdt, "/cpus"), cpu, r = 0;

	fdt_for_each_subnode(cpu, fdt, cpus)
	{
		if (!r && fdt_getprop(fdt, cpu, "device_type", NULL) &&
		    !fdt_getprop(fdt, cpu, "enable-method", NULL))
			r = fdt_setprop_string(fdt, cpu, "enable-method", "psci");
	}
	return r;
}

/* What firmware at EL3 would have added to the board's tree, which leaves it to that. */
static int add_firmware_psci(void *fdt)
{
	static const char compatible[] = "arm,psci-1.0\0arm,psci-0.2\0arm,psci";
	int node, r;

	if (fdt_path_offset(fdt, "/psci") >= 0)
		return 0;
	node = fdt_add_subnode(fdt, 0, "psci");
	r = node < 0 ? node : fdt_setprop(fdt, node, "compatible", compatible, sizeof(compatible));
	if (!r)
		r = fdt_setprop_string(fdt, node, "method", "smc");
	return r ? r : add_enable_method(fdt);
}

/* A stored seed is no seed. */
static int renew_seed(const struct boot_tree *t, void *fdt, int chosen)
{
	static const char name[] = "rng-seed";
	const void *board = t->boot->dtb, *seed;
	int len, from = fdt_path_offset(board, "/chosen");

	if (!fdt_getprop(fdt, chosen, name, NULL) || from < 0)
		return 0;
	seed = fdt_getprop(board, from, name, &len);
	return seed ? fdt_setprop(fdt, chosen, name, seed, len) : 0;
}

static int set_chosen(const struct boot_tree *t, void *fdt)
{
	int node = fdt_path_offset(fdt, "/chosen"), r = 0;

	if (node == -FDT_ERR_NOTFOUND)
		node = fdt_add_subnode(fdt, 0, "chosen");
	if (node < 0)
		return node;
	if (t->cmdline && *t->cmdline)
		r = fdt_setprop_string(fdt, node, "bootargs", t->cmdline);
	if (!r && t->initrd_end)
		r = fdt_setprop_u64(fdt, node, "linux,initrd-start", t->initrd_start);
	if (!r && t->initrd_end)
		r = fdt_setprop_u64(fdt, node, "linux,initrd-end", t->initrd_end);
	return r || !t->path ? r : renew_seed(t, fdt, node);
}

/* ---- the whole ---- */

static int change(const struct boot_tree *t, void *fdt, struct err *e)
{
	int r = t->path ? set_memory(t, fdt, e) : 0;

	if (r)
		return r;
	r = t->path ? add_psci(t, fdt) : 0;
	if (!r && t->stand_in)
		r = add_firmware_psci(fdt);
	if (!r)
		r = set_chosen(t, fdt);
	if (!r)
		r = fdt_pack(fdt);
	return r ? err_set(e, -EINVAL, t->path, "cannot change the device tree: %s",
			   fdt_strerror(r))
		 : 0;
}

int boot_tree_make(const struct boot_tree *t, void **out, struct err *e)
{
	void *fdt = NULL;
	int r = t->path ? open_file(t, &fdt, e)
			: open_tree(t, t->boot->dtb, t->boot->dtb_size, &fdt, e);

	if (!r)
		r = change(t, fdt, e);
	if (r)
		free(fdt);
	else
		*out = fdt;
	return r;
}

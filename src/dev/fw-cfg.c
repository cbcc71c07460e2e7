/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The firmware configuration device of QEMU's machines, MMIO form with DMA (QEMU's docs/specs/fw_cfg,
 * binding firmware/qemu,fw-cfg-mmio.yaml): numbered items, read byte by byte or by DMA.
 *
 * Items: signature, id, nb_cpus, file directory, the files of the `files` property, and what boot
 * components offer. Items are read-only; writes through DMA end with an error.
 */
#include "dev/fw-cfg.h"

#include "dev/component.h"
#include "dev/dt.h"
#include "pe/pe.h"
#include "util/bits.h"
#include "util/buf.h"
#include "util/err.h"
#include "util/log.h"
#include "util/xalloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ITEM_SIGNATURE = 0,
	ITEM_ID = 1,
	ITEM_NB_CPUS = 5,
	ITEM_FILE_DIR = 0x19,
	ITEM_FIRST_FILE = 0x20
};
enum { REG_DATA = 0, REG_SELECTOR = 8, REG_DMA = 16 };
enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };
enum {
	FILES_MAX = 32,
	ITEMS_MAX = FILES_MAX + 16,
	FILE_SIZE_MAX = 64 << 20,
	NAME_SIZE = 56,
	DIR_ENTRY_SIZE = 64
};
enum { ID_TRADITIONAL = 1, ID_DMA = 2 };

#define DMA_SIGNATURE 0x51454d5520434647ULL /* "QEMU CFG" */

struct item {
	uint16_t key;
	uint8_t *data;
	uint32_t size;
};

struct fw_cfg {
	struct dev dev;
	uint64_t address;
	const char *files; /* property */
	struct item item[ITEMS_MAX];
	unsigned item_count;
	uint16_t selected;
	uint32_t position;
	uint64_t dma;
};

/* ---- items ---- */

static void put_be(uint8_t *p, unsigned size, uint64_t v)
{
	while (size--) {
		p[size] = v;
		v >>= 8;
	}
}

static uint64_t get_be(const uint8_t *p, unsigned size)
{
	uint64_t v = 0;

	while (size--)
		v = v << 8 | *p++;
	return v;
}

static struct item *find_item(struct fw_cfg *f, uint16_t key)
{
	for (unsigned i = 0; i < f->item_count; i++) {
		if (f->item[i].key == key)
			return &f->item[i];
	}
	return NULL;
}

static struct item *new_item(struct fw_cfg *f, uint16_t key)
{
	struct item *i = &f->item[f->item_count++];

	CHECK(f->item_count <= ITEMS_MAX);
	i->key = key;
	return i;
}

static void add_item(struct fw_cfg *f, uint16_t key, const void *data, uint32_t size)
{
	struct item *i = new_item(f, key);

	i->size = size;
	i->data = xcalloc(1, size);
	if (data)
		memcpy(i->data, data, size);
}

void fw_cfg_offer(struct dev *fw_cfg, uint16_t key, uint8_t *data, uint32_t size)
{
	struct fw_cfg *f = (struct fw_cfg *)fw_cfg;
	struct item *i;

	dev_lock(fw_cfg);
	i = find_item(f, key);
	if (!i)
		i = new_item(f, key);
	free(i->data);
	i->data = data;
	i->size = size;
	dev_unlock(fw_cfg);
}

static const struct item *selected(struct fw_cfg *f)
{
	return find_item(f, f->selected);
}

/* Bytes behind the end, and of items that do not exist, are zero. */
static uint8_t next_byte(struct fw_cfg *f)
{
	const struct item *i = selected(f);
	uint8_t v = i && f->position < i->size ? i->data[f->position] : 0;

	if (f->position < UINT32_MAX)
		f->position++;
	return v;
}

static int load_file(struct fw_cfg *f, const char *path, uint8_t **data, uint32_t *size,
		     struct err *e)
{
	FILE *file = fopen(path, "rbe");
	struct buf contents = BUF_INIT;
	char part[4096];
	size_t n;
	int r = 0;

	while (file && contents.len <= FILE_SIZE_MAX && (n = fread(part, 1, sizeof(part), file)))
		buf_add(&contents, part, n);
	if (!file || ferror(file)) /* a directory can be opened, but not read */
		r = err_set(e, -errno, f->dev.where, "%s.files: cannot read %s: %s", f->dev.name,
			    path, strerror(errno));
	else if (contents.len > FILE_SIZE_MAX)
		r = err_set(e, -EFBIG, f->dev.where, "%s.files: %s is larger than 64 MiB",
			    f->dev.name, path);
	if (file)
		fclose(file);
	*size = (uint32_t)contents.len;
	*data = (uint8_t *)buf_take(&contents);
	return r;
}

/* One "name=path" of the property. */
static int add_file(struct fw_cfg *f, char *spec, unsigned n, uint8_t *entry, struct err *e)
{
	char *path = strchr(spec, '=');
	uint8_t *data = NULL;
	uint32_t size = 0;
	int r;

	if (!path || path - spec >= NAME_SIZE) {
		r = err_set(e, -EINVAL, f->dev.where, "%s.files: \"%s\" is not NAME=PATH",
			    f->dev.name, spec);
		err_hint(e,
			 "for instance opt/org.example/key=key.bin; names have at most 55 bytes");
		return r;
	}
	*path++ = '\0';
	r = load_file(f, path, &data, &size, e);
	if (!r) {
		add_item(f, ITEM_FIRST_FILE + n, data, size);
		put_be(entry, 4, size);
		put_be(entry + 4, 2, ITEM_FIRST_FILE + n);
		snprintf((char *)entry + 8, NAME_SIZE, "%s", spec);
	}
	free(data);
	return r;
}

static int add_files(struct fw_cfg *f, struct err *e)
{
	uint8_t dir[4 + FILES_MAX * DIR_ENTRY_SIZE] = {0};
	char *list = xstrdup(f->files ? f->files : "");
	char *save = NULL;
	unsigned n = 0;
	int r = 0;

	for (char *s = strtok_r(list, ",", &save); s && !r; s = strtok_r(NULL, ",", &save)) {
		if (n == FILES_MAX)
			r = err_set(e, -E2BIG, f->dev.where, "%s.files: more than %d files",
				    f->dev.name, FILES_MAX);
		else
			r = add_file(f, s, n, dir + 4 + n * DIR_ENTRY_SIZE, e);
		n++;
	}
	free(list);
	put_be(dir, 4, n);
	if (!r)
		add_item(f, ITEM_FILE_DIR, dir, 4 + n * DIR_ENTRY_SIZE);
	return r;
}

/* ---- DMA ---- */

static uint32_t dma_transfer(struct fw_cfg *f, uint32_t control, uint32_t len, uint64_t gpa)
{
	const struct item *i = selected(f);
	uint32_t left = i && f->position < i->size ? i->size - f->position : 0;
	uint32_t part = len < left ? len : left;
	static const uint8_t zeroes[4096];

	if (control & DMA_WRITE)
		return DMA_ERROR;
	if (!(control & DMA_READ)) { /* skip */
		f->position += part;
		return 0;
	}
	if (!i)
		part = 0;
	if (part && !dma_write(&f->dev, gpa, i->data + f->position, part))
		return DMA_ERROR;
	f->position += part;
	/* What is asked beyond the item reads as zero; a guest can ask for 4 GiB, so stop at the first
	 * address that is not memory. */
	for (gpa += part, len -= part; len; gpa += part, len -= part) {
		part = len < sizeof(zeroes) ? len : sizeof(zeroes);
		if (!dma_write(&f->dev, gpa, zeroes, part))
			return DMA_ERROR;
	}
	return 0;
}

static void dma_run(struct fw_cfg *f)
{
	uint8_t c[16];
	uint64_t at = f->dma;
	uint32_t control, result;

	f->dma = 0;
	if (!dma_read(&f->dev, at, c, sizeof(c))) {
		guest_error(f->dev.name, "DMA control structure at 0x%llx is not in memory",
			    (unsigned long long)at);
		return;
	}
	control = get_be(c, 4);
	if (control & DMA_SELECT) {
		f->selected = control >> 16;
		f->position = 0;
	}
	result = control & (DMA_READ | DMA_WRITE | DMA_SKIP)
			 ? dma_transfer(f, control, get_be(c + 4, 4), get_be(c + 8, 8))
			 : 0;
	put_be(c, 4, result);
	dma_write(&f->dev, at, c, 4);
}

/* ---- registers: big-endian but for the data register, which is a byte stream ---- */

static uint64_t swap(uint64_t v, unsigned size)
{
	return size == 8   ? __builtin_bswap64(v)
	       : size == 4 ? __builtin_bswap32(v)
	       : size == 2 ? __builtin_bswap16(v)
			   : v;
}

static enum mem_result fw_cfg_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value,
				   struct mem_attrs attrs)
{
	struct fw_cfg *f = opaque;

	*value = 0;
	if (offset < REG_SELECTOR) {
		for (unsigned i = 0; i < size; i++)
			*value |= (uint64_t)next_byte(f) << 8 * i;
	} else if (offset >= REG_DMA) {
		uint8_t sig[8];

		put_be(sig, 8, DMA_SIGNATURE);
		for (unsigned i = 0; i < size; i++)
			*value |= (uint64_t)sig[(offset - REG_DMA + i) & 7] << 8 * i;
	}
	return MEM_OK;
}

static enum mem_result fw_cfg_write(void *opaque, uint64_t offset, unsigned size, uint64_t value,
				    struct mem_attrs attrs)
{
	struct fw_cfg *f = opaque;

	if (offset == REG_SELECTOR) {
		f->selected = swap(value, size) & 0xffff;
		f->position = 0;
	} else if (offset == REG_DMA && size == 8) {
		f->dma = swap(value, 8);
		dma_run(f);
	} else if (offset == REG_DMA && size == 4) {
		f->dma = swap(value, 4) << 32;
	} else if (offset == REG_DMA + 4 && size == 4) {
		f->dma |= swap(value, 4);
		dma_run(f);
	} else {
		guest_error(f->dev.name, "%u-byte write at offset 0x%x", size, (unsigned)offset);
	}
	return MEM_OK;
}

/* ---- component ---- */

static int fw_cfg_init(struct dev *d, struct err *e)
{
	struct fw_cfg *f = (struct fw_cfg *)d;
	uint8_t cpus[2] = {pe_count(d->host->pes), 0};
	uint8_t id[4] = {ID_TRADITIONAL | ID_DMA};

	add_item(f, ITEM_SIGNATURE, "QEMU", 4);
	add_item(f, ITEM_ID, id, sizeof(id));
	add_item(f, ITEM_NB_CPUS, cpus, sizeof(cpus));
	return add_files(f, e);
}

static void fw_cfg_fini(struct dev *d)
{
	struct fw_cfg *f = (struct fw_cfg *)d;

	for (unsigned i = 0; i < f->item_count; i++)
		free(f->item[i].data);
}

static int fw_cfg_dt(struct dev *d, struct dt *dt)
{
	struct fw_cfg *f = (struct fw_cfg *)d;
	int n = dt_node(dt, "fw-cfg", &f->address);

	dt_str(dt, n, "compatible", "qemu,fw-cfg-mmio");
	dt_reg_of(dt, n, d);
	dt_empty(dt, n, "dma-coherent");
	return 0;
}

static const struct prop fw_cfg_props[] = {
	{.name = "address",
	 .kind = PROP_U64,
	 .offset = offsetof(struct fw_cfg, address),
	 .required = true,
	 .help = "first physical address (24 bytes)"},
	{.name = "files",
	 .kind = PROP_STR,
	 .offset = offsetof(struct fw_cfg, files),
	 .help = "files to offer: NAME=PATH,NAME=PATH..."},
	{0},
};

static const struct dev_region fw_cfg_regions[] = {
	{.address_offset = offsetof(struct fw_cfg, address),
	 .size = 24,
	 .min_width = 1,
	 .max_width = 8,
	 .read = fw_cfg_read,
	 .write = fw_cfg_write},
	{0},
};

static const struct dev_state fw_cfg_state[] = {
	{.name = "selector", .offset = offsetof(struct fw_cfg, selected), .size = 2},
	{.name = "position", .offset = offsetof(struct fw_cfg, position), .size = 4},
	{.name = "dma", .offset = offsetof(struct fw_cfg, dma), .size = 8},
	{0},
};

const struct component fw_cfg_component = {
	.type = "FW-CFG",
	.vendor = "QEMU",
	.doc = "firmware configuration items",
	.size = sizeof(struct fw_cfg),
	.props = fw_cfg_props,
	.regions = fw_cfg_regions,
	.state = fw_cfg_state,
	.init = fw_cfg_init,
	.fini = fw_cfg_fini,
	.dt = fw_cfg_dt,
};

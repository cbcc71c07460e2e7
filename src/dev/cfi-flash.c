/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parallel NOR flash: a bank of two 16-bit chips side by side on a 32-bit bus, with the Intel command set
 * (CFI, JESD68.01 and JEP137; commands as in Intel's StrataFlash data sheets). Both chips always do the
 * same, as the machines that use such banks drive them.
 *
 * In read-array mode the bank is read straight from memory. Programming and erasing are done at once. With
 * an image and not read-only, each change is in the file before the status says ready, so it survives the
 * end of Obverse; a flush to the disk is the host's matter.
 *
 * Left out: suspend, one-time-programmable registers, asynchronous configuration.
 */
#include "dev/component.h"
#include "dev/dt.h"
#include "util/bits.h"
#include "util/err.h"
#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK_SIZE = 256 << 10, BUFFER_SIZE = 2048, CFI_TABLE_SIZE = 0x52 };

enum {
	CMD_PROGRAM_ALT = 0x10,
	CMD_ERASE = 0x20,
	CMD_PROGRAM = 0x40,
	CMD_CLEAR_STATUS = 0x50,
	CMD_LOCK = 0x60,
	CMD_READ_STATUS = 0x70,
	CMD_READ_ID = 0x90,
	CMD_QUERY = 0x98,
	CMD_CONFIRM = 0xd0,
	CMD_BUFFER = 0xe8,
	CMD_READ_ARRAY = 0xff,
};

enum { SR_READY = 0x80, SR_ERASE_ERROR = 0x20, SR_PROGRAM_ERROR = 0x10 };

enum state {
	READ_ARRAY,
	READ_STATUS,
	READ_ID,
	READ_QUERY,
	PROGRAM,      /* the next write is data */
	ERASE,	      /* the next write confirms */
	LOCK,	      /* the next write says lock or unlock */
	BUFFER_COUNT, /* the next write is the number of words less one */
	BUFFER_DATA,
	BUFFER_CONFIRM,
};

struct cfi_flash {
	struct dev dev;
	uint64_t address, size;
	const char *image;
	bool readonly, secure;
	uint8_t *host;
	int fd;		/* -1: changes stay in memory */
	uint32_t state; /* enum state */
	uint32_t status;
	uint32_t words;	       /* BUFFER_DATA: still to come */
	uint64_t buffer_block; /* block the buffer is for */
	uint32_t buffer_first,
		buffer_end; /* bytes of it that were written, as offsets in the bank */
	uint8_t buffer[BUFFER_SIZE];
};

/* ---- the array ---- */

/* Bytes changed: into the file, if there is one. */
static bool save(struct cfi_flash *f, uint64_t offset, uint64_t len)
{
	if (f->fd < 0)
		return true;
	if (pwrite(f->fd, f->host + offset, len, offset) == (ssize_t)len)
		return true;
	LOG(vm, "%s: cannot write %s: %s", f->dev.name, f->image, strerror(errno));
	return false;
}

/* Programming can only clear bits. */
static void program(struct cfi_flash *f, uint64_t offset, const uint8_t *data, uint32_t len)
{
	if (f->readonly || len > f->size || offset > f->size - len) {
		f->status |= SR_PROGRAM_ERROR;
		return;
	}
	for (uint32_t i = 0; i < len; i++)
		f->host[offset + i] &= data[i];
	if (!save(f, offset, len))
		f->status |= SR_PROGRAM_ERROR;
}

static void erase(struct cfi_flash *f, uint64_t offset)
{
	uint64_t block = align_down(offset, BLOCK_SIZE);

	if (f->readonly) {
		f->status |= SR_ERASE_ERROR;
		return;
	}
	memset(f->host + block, 0xff, BLOCK_SIZE);
	if (!save(f, block, BLOCK_SIZE))
		f->status |= SR_ERASE_ERROR;
}

/* ---- reading ---- */

/* CFI query table of one chip, from word 0x10 (JESD68.01 4.3). */
static uint8_t query(const struct cfi_flash *f, unsigned word)
{
	uint64_t chip = f->size / 2;
	uint32_t blocks = f->size / BLOCK_SIZE - 1;
	uint32_t block = BLOCK_SIZE / 2 / 256;
	const uint8_t table[CFI_TABLE_SIZE - 0x10] = {
		'Q',
		'R',
		'Y', /* 10 */
		0x01,
		0x00, /* 13: Intel extended command set */
		0x31,
		0x00, /* 15: its table */
		0x00,
		0x00,
		0x00,
		0x00, /* 17: no alternative set */
		0x45,
		0x55,
		0x00,
		0x00, /* 1b: supply voltages */
		0x07,
		0x07,
		0x0a,
		0x00, /* 1f: typical times */
		0x04,
		0x04,
		0x04,
		0x00,				/* 23: maximum times */
		(uint8_t)__builtin_ctzll(chip), /* 27: size, power of two */
		0x02,
		0x00, /* 28: x8 and x16 */
		0x0a,
		0x00, /* 2a: write buffer of 2^10 bytes per chip */
		0x01, /* 2c: one erase region */
		blocks & 0xff,
		blocks >> 8,
		block & 0xff,
		block >> 8, /* 2d */
		'P',
		'R',
		'I',
		'1',
		'0', /* 31 */
		0x00,
		0x00,
		0x00,
		0x00, /* 36: optional features: none */
		0x00,
		0x00,
		0x00, /* 3a */
		0x00,
		0x00,
		0x01, /* 3d */
	};

	return word >= 0x10 && word < CFI_TABLE_SIZE ? table[word - 0x10] : 0;
}

static uint8_t identity(unsigned word)
{
	switch (word & 0xff) {
	case 0:
		return 0x89; /* Intel */
	case 1:
		return 0x18;
	default:
		return 0; /* lock bits: unlocked */
	}
}

/* What each of the two chips puts on its half of the bus at a bank offset. */
static uint16_t chip_word(const struct cfi_flash *f, uint64_t offset)
{
	unsigned word = (offset / 4) & 0xffff;

	switch (f->state) {
	case READ_ID:
		return identity(word);
	case READ_QUERY:
		return query(f, word);
	default:
		return f->status;
	}
}

static enum mem_result cfi_flash_read(void *opaque, uint64_t offset, unsigned size, uint64_t *value,
				      struct mem_attrs attrs)
{
	struct cfi_flash *f = opaque;

	*value = 0;
	if (f->state == READ_ARRAY) {
		memcpy(value, f->host + offset, size);
		return MEM_OK;
	}
	for (unsigned i = 0; i < size; i++) {
		uint8_t byte = chip_word(f, offset + i) >> 8 * ((offset + i) & 1);

		*value |= (uint64_t)byte << 8 * i;
	}
	return MEM_OK;
}

/* ---- commands ---- */

static void set_state(struct cfi_flash *f, enum state state)
{
	f->state = state;
	mem_set_direct(&f->dev.region[0], state == READ_ARRAY);
}

static void begin_buffer(struct cfi_flash *f, uint64_t offset)
{
	f->buffer_block = align_down(offset, BLOCK_SIZE);
	f->buffer_first = UINT32_MAX;
	f->buffer_end = 0;
	memset(f->buffer, 0xff, sizeof(f->buffer));
	set_state(f, BUFFER_COUNT);
}

static void command(struct cfi_flash *f, uint64_t offset, uint8_t cmd)
{
	switch (cmd) {
	case CMD_PROGRAM:
	case CMD_PROGRAM_ALT:
		set_state(f, PROGRAM);
		break;
	case CMD_ERASE:
		set_state(f, ERASE);
		break;
	case CMD_CLEAR_STATUS:
		f->status = SR_READY;
		break;
	case CMD_LOCK:
		set_state(f, LOCK);
		break;
	case CMD_READ_STATUS:
		set_state(f, READ_STATUS);
		break;
	case CMD_READ_ID:
		set_state(f, READ_ID);
		break;
	case CMD_QUERY:
		set_state(f, READ_QUERY);
		break;
	case CMD_BUFFER:
		begin_buffer(f, offset);
		break;
	case CMD_CONFIRM: /* resume of what is not suspended */
		set_state(f, READ_STATUS);
		break;
	case 0x00: /* drivers use it like CMD_READ_ARRAY when they probe */
	case 0xf0:
	case CMD_READ_ARRAY:
		set_state(f, READ_ARRAY);
		break;
	default:
		guest_error(f->dev.name, "unknown command 0x%02x", cmd);
		set_state(f, READ_ARRAY);
	}
}

static void buffer_data(struct cfi_flash *f, uint64_t offset, unsigned size, uint64_t value)
{
	uint32_t at = offset % BUFFER_SIZE;

	/* All within the block, and within one buffer's reach of the first. */
	if (align_down(offset, BLOCK_SIZE) != f->buffer_block || at + size > BUFFER_SIZE ||
	    (f->buffer_end &&
	     align_down(offset, BUFFER_SIZE) != align_down(f->buffer_first, BUFFER_SIZE))) {
		f->status |= SR_PROGRAM_ERROR;
	} else {
		memcpy(f->buffer + at, &value, size);
		if (offset < f->buffer_first)
			f->buffer_first = offset;
		if (offset + size > f->buffer_end)
			f->buffer_end = offset + size;
	}
	if (f->words-- == 0)
		set_state(f, BUFFER_CONFIRM);
}

static void buffer_confirm(struct cfi_flash *f, uint8_t cmd)
{
	if (cmd != CMD_CONFIRM)
		f->status |= SR_PROGRAM_ERROR;
	else if (f->buffer_end && !(f->status & SR_PROGRAM_ERROR))
		program(f, f->buffer_first, f->buffer + f->buffer_first % BUFFER_SIZE,
			f->buffer_end - f->buffer_first);
	set_state(f, READ_STATUS);
}

static enum mem_result cfi_flash_write(void *opaque, uint64_t offset, unsigned size, uint64_t value,
				       struct mem_attrs attrs)
{
	struct cfi_flash *f = opaque;

	switch (f->state) {
	case PROGRAM:
		program(f, offset, (const uint8_t *)&value, size);
		set_state(f, READ_STATUS);
		break;
	case ERASE:
		if ((value & 0xff) == CMD_CONFIRM)
			erase(f, offset);
		else
			f->status |= SR_ERASE_ERROR | SR_PROGRAM_ERROR;
		set_state(f, READ_STATUS);
		break;
	case LOCK: /* blocks are never locked: lock and unlock alike are accepted */
		set_state(f, (value & 0xff) == CMD_READ_ARRAY ? READ_ARRAY : READ_STATUS);
		break;
	case BUFFER_COUNT:
		f->words = value & 0xffff;
		set_state(f, BUFFER_DATA);
		break;
	case BUFFER_DATA:
		buffer_data(f, offset, size, value);
		break;
	case BUFFER_CONFIRM:
		buffer_confirm(f, value & 0xff);
		break;
	default:
		command(f, offset, value & 0xff);
	}
	return MEM_OK;
}

/* ---- component ---- */

static int load_image(struct cfi_flash *f, struct err *e)
{
	struct stat st;
	uint64_t done = 0;
	int r;

	f->fd = open(f->image, (f->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (f->fd < 0 || fstat(f->fd, &st)) {
		r = err_set(e, -errno, f->dev.where, "%s: cannot open %s: %s", f->dev.name,
			    f->image, strerror(errno));
		err_hint(e, "check the path; a file you may not write needs readonly=true");
		return r;
	}
	if ((uint64_t)st.st_size > f->size) {
		r = err_set(e, -EFBIG, f->dev.where, "%s: %s has %lld bytes, the flash only %llu",
			    f->dev.name, f->image, (long long)st.st_size,
			    (unsigned long long)f->size);
		err_hint(e, "a larger flash (size=), or the right image");
		return r;
	}
	while (done < (uint64_t)st.st_size) {
		ssize_t n = pread(f->fd, f->host + done, st.st_size - done, done);

		if (n <= 0)
			return err_set(e, -EIO, f->dev.where, "%s: cannot read %s", f->dev.name,
				       f->image);
		done += n;
	}
	if (f->readonly) {
		close(f->fd);
		f->fd = -1;
	}
	return 0;
}

static uint64_t cfi_flash_size(const struct dev *d)
{
	return ((const struct cfi_flash *)d)->size;
}

static int cfi_flash_check(struct dev *d, struct err *e)
{
	const struct cfi_flash *f = (const struct cfi_flash *)d;
	int r;

	if (is_pow2(f->size) && f->size >= 2 * BLOCK_SIZE)
		return 0;
	r = err_set(e, -EINVAL, d->where, "%s.size is not a power of two of at least 512K",
		    d->name);
	err_hint(e, "for instance size=64M");
	return r;
}

static int cfi_flash_init(struct dev *d, struct err *e)
{
	struct cfi_flash *f = (struct cfi_flash *)d;
	void *p;

	f->fd = -1;
	p = mmap(NULL, f->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		 -1, 0);
	if (p == MAP_FAILED)
		return err_set(e, -errno, d->where, "%s: the host is out of memory", d->name);
	f->host = p;
	d->region[0].host = p;
	return f->image ? load_image(f, e) : 0;
}

static void cfi_flash_reset(struct dev *d)
{
	dev_state_reset(d);
	set_state((struct cfi_flash *)d, READ_ARRAY);
}

static void cfi_flash_fini(struct dev *d)
{
	struct cfi_flash *f = (struct cfi_flash *)d;

	if (f->host)
		munmap(f->host, f->size);
	if (f->fd >= 0)
		close(f->fd);
}

static int cfi_flash_dt(struct dev *d, struct dt *dt)
{
	struct cfi_flash *f = (struct cfi_flash *)d;
	int n = dt_node(dt, f->secure ? "secflash" : "flash", &f->address);

	dt_str(dt, n, "compatible", "cfi-flash");
	dt_reg_of(dt, n, d);
	dt_u32(dt, n, "bank-width", 4);
	if (f->secure)
		dt_secure(dt, n);
	return 0;
}

static const struct prop cfi_flash_props[] = {
	{.name = "address",
	 .kind = PROP_U64,
	 .offset = offsetof(struct cfi_flash, address),
	 .required = true,
	 .help = "first physical address"},
	{.name = "size",
	 .kind = PROP_SIZE,
	 .offset = offsetof(struct cfi_flash, size),
	 .def = "64M",
	 .unit = 1 << 20,
	 .max = 1ULL << 31,
	 .help = "size, a power of two; a number without unit counts MiB"},
	{.name = "image",
	 .kind = PROP_PATH,
	 .offset = offsetof(struct cfi_flash, image),
	 .help = "file with the contents; a shorter one is filled up with zeroes"},
	{.name = "readonly",
	 .kind = PROP_BOOL,
	 .offset = offsetof(struct cfi_flash, readonly),
	 .def = "false",
	 .help = "refuse programming and erasing"},
	{.name = "secure",
	 .kind = PROP_BOOL,
	 .offset = offsetof(struct cfi_flash, secure),
	 .def = "false",
	 .help = "absent from the normal world"},
	{0},
};

static const struct dev_region cfi_flash_regions[] = {
	{.address_offset = offsetof(struct cfi_flash, address),
	 .size_fn = cfi_flash_size,
	 .rom = true,
	 .secure_offset = offsetof(struct cfi_flash, secure),
	 .min_width = 1,
	 .max_width = 4,
	 .read = cfi_flash_read,
	 .write = cfi_flash_write},
	{0},
};

static const struct dev_state cfi_flash_state[] = {
	{.name = "status",
	 .offset = offsetof(struct cfi_flash, status),
	 .size = 4,
	 .reset = SR_READY},
	{.name = "state", .offset = offsetof(struct cfi_flash, state), .size = 4, .keep = true},
	{.name = "words", .offset = offsetof(struct cfi_flash, words), .size = 4},
	{.name = "buffer-block", .offset = offsetof(struct cfi_flash, buffer_block), .size = 8},
	{.name = "buffer-first", .offset = offsetof(struct cfi_flash, buffer_first), .size = 4},
	{.name = "buffer-end", .offset = offsetof(struct cfi_flash, buffer_end), .size = 4},
	{.name = "buffer",
	 .offset = offsetof(struct cfi_flash, buffer),
	 .size = 1,
	 .count = BUFFER_SIZE,
	 .keep = true},
	{0},
};

const struct component cfi_flash_component = {
	.type = "CFI-FLASH",
	.doc = "parallel NOR flash, Intel command set",
	.size = sizeof(struct cfi_flash),
	.props = cfi_flash_props,
	.regions = cfi_flash_regions,
	.state = cfi_flash_state,
	.check = cfi_flash_check,
	.init = cfi_flash_init,
	.reset = cfi_flash_reset,
	.fini = cfi_flash_fini,
	.dt = cfi_flash_dt,
};

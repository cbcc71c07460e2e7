/* SPDX-License-Identifier: Apache-2.0 */
/* Read-only memory with the contents of a file, as boot ROMs are. Has no device-tree node: software that
 * reads one does not look for ROM. */
#include "dev/component.h"
#include "dev/loader.h"
#include "util/bits.h"
#include "util/err.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { PAGE = 4096 };

struct rom {
	struct dev dev;
	uint64_t address, size;
	const char *image;
	bool secure;
};

/* An image that cannot be read is reported by init(). */
static uint64_t rom_size(const struct dev *d)
{
	const struct rom *r = (const struct rom *)d;
	struct stat st;

	if (r->size)
		return r->size;
	return stat(r->image, &st) ? 0 : align_up((uint64_t)st.st_size, PAGE);
}

static int read_image(struct rom *r, const struct image *im, struct err *e)
{
	struct mem_region *mem = &r->dev.region[0];
	void *p;
	int code;

	if (im->size > mem->size) {
		code = err_set(e, -EFBIG, r->dev.where, "%s: %s has %llu bytes, the ROM only %llu",
			       r->dev.name, r->image, (unsigned long long)im->size,
			       (unsigned long long)mem->size);
		err_hint(e, "a larger ROM, or no size: then it is as large as the image");
		return code;
	}
	p = mmap(NULL, mem->size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return err_set(e, -errno, r->dev.where, "%s: the host is out of memory",
			       r->dev.name);
	mem->host = p;
	return image_read(im, 0, p, im->size, e);
}

static int rom_init(struct dev *d, struct err *e)
{
	struct rom *r = (struct rom *)d;
	struct image im;
	int code = image_open(&im, r->image, "ROM image", e);

	code = code ? code : read_image(r, &im, e);
	image_close(&im);
	return code;
}

static void rom_reset(struct dev *d)
{
}

static void rom_fini(struct dev *d)
{
	struct mem_region *mem = &d->region[0];

	if (mem->host)
		munmap(mem->host, mem->size);
}

static const struct prop rom_props[] = {
	{.name = "address",
	 .kind = PROP_U64,
	 .offset = offsetof(struct rom, address),
	 .required = true,
	 .help = "first physical address"},
	{.name = "size",
	 .kind = PROP_SIZE,
	 .offset = offsetof(struct rom, size),
	 .unit = 1 << 20,
	 .max = 1ULL << 32,
	 .help = "size; a number without unit counts MiB; 0: the image's, rounded up to 4 KiB"},
	{.name = "image",
	 .kind = PROP_PATH,
	 .offset = offsetof(struct rom, image),
	 .required = true,
	 .help = "file with the contents; what lies behind its end reads as zero"},
	{.name = "secure",
	 .kind = PROP_BOOL,
	 .offset = offsetof(struct rom, secure),
	 .def = "false",
	 .help = "absent from the normal world"},
	{.name = NULL},
};

static const struct dev_region rom_regions[] = {
	{.address_offset = offsetof(struct rom, address),
	 .size_fn = rom_size,
	 .rom = true,
	 .secure_offset = offsetof(struct rom, secure),
	 .min_width = 1,
	 .max_width = 8},
	{.rom = false},
};

const struct component rom_component = {
	.type = "ROM",
	.doc = "read-only memory with the contents of a file",
	.size = sizeof(struct rom),
	.props = rom_props,
	.regions = rom_regions,
	.init = rom_init,
	.reset = rom_reset,
	.fini = rom_fini,
};

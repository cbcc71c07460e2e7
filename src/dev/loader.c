/* SPDX-License-Identifier: Apache-2.0 */
#include "dev/loader.h"

#include "host/icache.h"
#include "util/bits.h"
#include "util/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* ---- images ---- */

int image_open(struct image *im, const char *path, const char *what, struct err *e)
{
	struct stat st;
	int r;

	*im = (struct image){.path = path, .what = what, .fd = -1};
	im->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (im->fd < 0 || fstat(im->fd, &st)) {
		r = err_set(e, -errno, path, "cannot open the %s: %s", what, strerror(errno));
		err_hint(e, "check the name and that you may read the file");
		return r;
	}
	if (!S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, path, "the %s is not a regular file", what);
	if (!st.st_size)
		return err_set(e, -EINVAL, path, "the %s is empty", what);
	im->size = (uint64_t)st.st_size;
	return 0;
}

void image_close(struct image *im)
{
	if (im->fd >= 0)
		close(im->fd);
	free(im->data);
	im->fd = -1;
	im->data = NULL;
}

static int truncated(const struct image *im, uint64_t end, struct err *e)
{
	int r = err_set(e, -EINVAL, im->path, "the %s is truncated: %llu of %llu bytes are there",
			im->what, (unsigned long long)im->size, (unsigned long long)end);

	err_hint(e, "copy or download it again");
	return r;
}

int image_read(const struct image *im, uint64_t offset, void *buf, uint64_t len, struct err *e)
{
	uint8_t *to = buf;

	if (offset > im->size || len > im->size - offset)
		return truncated(im, offset + len < offset ? UINT64_MAX : offset + len, e);
	if (im->data) {
		memcpy(buf, im->data + offset, len);
		return 0;
	}
	while (len) {
		ssize_t n = pread(im->fd, to, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, -errno, im->path, "cannot read the %s: %s", im->what,
				       strerror(errno));
		if (!n) /* the file has just become shorter */
			return truncated(im, offset + len, e);
		to += n;
		offset += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return 0;
}

int image_load(const struct image *im, uint8_t **data, struct err *e)
{
	uint8_t *p = malloc(im->size ? im->size : 1);
	int r = p ? image_read(im, 0, p, im->size, e)
		  : err_set(e, -ENOMEM, im->path, "no memory for the %s of %llu MiB", im->what,
			    (unsigned long long)(im->size >> 20));

	if (r)
		free(p);
	else
		*data = p;
	return r;
}

/* Inflate [in, in+in_len) into *out, which grows up to @limit. Z_STREAM_END, or what went wrong. */
static int inflate_all(z_stream *z, uint8_t **out, uint64_t *out_len, uint64_t limit)
{
	uint64_t cap = 0;
	uint8_t *bigger;
	int r = Z_OK;

	while (r == Z_OK) {
		if (*out_len == cap) {
			if (cap == limit)
				return Z_MEM_ERROR;
			cap = cap ? 2 * cap : 16 << 20;
			cap = cap < limit ? cap : limit;
			bigger = realloc(*out, cap);
			if (!bigger)
				return Z_MEM_ERROR;
			*out = bigger;
		}
		/* avail_out has 32 bits */
		z->avail_out = (uInt)(cap - *out_len < 1U << 30 ? cap - *out_len : 1U << 30);
		z->next_out = *out + *out_len;
		r = inflate(z, Z_NO_FLUSH);
		*out_len = (uint64_t)(z->next_out - *out);
	}
	return r;
}

static int unzip_error(const struct image *im, int z, uint64_t limit, struct err *e)
{
	int r;

	if (z == Z_MEM_ERROR) {
		r = err_set(e, -ENOSPC, im->path, "the unpacked %s is larger than the RAM",
			    im->what);
		err_hint(e, "give the machine more than %llu MiB (--mem)",
			 (unsigned long long)(limit >> 20));
		return r;
	}
	r = err_set(e, -EINVAL, im->path, "the compressed %s is %s", im->what,
		    z == Z_BUF_ERROR ? "truncated" : "damaged");
	err_hint(e, "copy or download it again");
	return r;
}

int image_unzip(struct image *im, uint64_t offset, uint64_t len, uint64_t limit, struct err *e)
{
	z_stream z = {.next_in = NULL};
	uint8_t *in = NULL, *out = NULL;
	uint64_t out_len = 0;
	int r;

	if (len > UINT32_MAX || offset > im->size || len > im->size - offset)
		return truncated(im, offset + len, e);
	in = malloc(len ? len : 1);
	if (!in)
		return err_set(e, -ENOMEM, im->path, "no memory to unpack the %s", im->what);
	r = image_read(im, offset, in, len, e);
	if (r)
		goto out;
	z.next_in = in;
	z.avail_in = (uInt)len;
	r = inflateInit2(&z, 16 + MAX_WBITS); /* 16: a gzip header */
	if (r == Z_OK) {
		r = inflate_all(&z, &out, &out_len, limit);
		inflateEnd(&z);
	}
	if (r != Z_STREAM_END) {
		r = unzip_error(im, r, limit, e);
		goto out;
	}
	free(im->data);
	im->data = out;
	im->size = out_len;
	out = NULL;
	r = 0;
out:
	free(out);
	free(in);
	return r;
}

/* ---- guest memory ---- */

const struct mem_region *loader_ram(const struct mem_space *mem, struct err *e)
{
	const struct mem_region *best = NULL;
	size_t count;
	struct mem_region *const *r = mem_regions(mem, &count);

	for (size_t i = 0; i < count; i++)
		if (r[i]->kind == MEM_RAM && !r[i]->secure_only &&
		    (!best || r[i]->size > best->size))
			best = r[i];
	if (!best)
		err_set(e, -EINVAL, NULL, "the board has no RAM to load into");
	return best;
}

static uint8_t *target(const struct mem_space *mem, const char *path, const char *what,
		       uint64_t gpa, uint64_t len, struct err *e)
{
	uint8_t *p = mem_ptr_any(mem, gpa, len, true);

	if (p)
		return p;
	err_set(e, -ENOSPC, path, "the %s needs %llu KiB at 0x%llx, where there is not enough RAM",
		what, (unsigned long long)((len + 1023) >> 10), (unsigned long long)gpa);
	err_hint(e, "give the machine more memory (--mem), or load to another address");
	return NULL;
}

int loader_put(const struct mem_space *mem, const struct image *im, uint64_t offset, uint64_t gpa,
	       uint64_t len, struct err *e)
{
	uint8_t *p = target(mem, im->path, im->what, gpa, len, e);
	int r;

	if (!p)
		return -ENOSPC;
	r = image_read(im, offset, p, len, e);
	if (!r)
		host_dcache_flush_poc(p, len);
	return r;
}

int loader_put_dtb(const struct mem_space *mem, const void *dtb, size_t size, uint64_t gpa,
		   struct err *e)
{
	uint8_t *p = target(mem, NULL, "device tree", gpa, size, e);

	if (!p)
		return -ENOSPC;
	memcpy(p, dtb, size);
	host_dcache_flush_poc(p, size);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Guest memory in anonymous pages of the host, or in a file that others can map. */
#include "dev/backend/hostmem.h"

#include "dev/backend.h"
#include "util/err.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* So that huge pages of the host can back huge pages of the guest. */
#define HUGE_ALIGN (2ULL << 20)

struct hostmem {
	struct dev dev;
	uint64_t size;
	const char *path;
	bool prealloc;
	uint8_t *map; /* what was mapped, with slack for alignment */
	uint64_t map_len;
	int fd;
};

uint64_t hostmem_size(const struct dev *be)
{
	return ((const struct hostmem *)be)->size;
}

/* A file that is longer keeps what lies behind. */
static int open_file(struct hostmem *h, uint64_t size, struct err *e)
{
	struct stat st;

	h->fd = open(h->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (h->fd < 0 || fstat(h->fd, &st) ||
	    ((uint64_t)st.st_size < size && ftruncate(h->fd, size)))
		return err_set(e, -errno, h->dev.where, "cannot make %s %llu bytes long: %s",
			       h->path, (unsigned long long)size, strerror(errno));
	return 0;
}

static uint8_t *no_memory(struct hostmem *h, uint64_t size, struct err *e)
{
	err_set(e, -errno, h->dev.where, "the host cannot give %llu MiB of memory: %s",
		(unsigned long long)(size >> 20), strerror(errno));
	err_hint(e, "less memory: --mem SIZE");
	return NULL;
}

static uint8_t *hostmem_alloc(struct dev *be, uint64_t size, struct err *e)
{
	struct hostmem *h = (struct hostmem *)be;
	uint8_t *aligned;
	void *p;

	if (h->path && open_file(h, size, e))
		return NULL;
	h->map_len = size + HUGE_ALIGN;
	if (h->map_len < size) {
		errno = ENOMEM;
		return no_memory(h, size, e);
	}
	/* Reserve address space with slack, then put the memory at an aligned place in it. */
	p = mmap(NULL, h->map_len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return no_memory(h, size, e);
	h->map = p;
	aligned = (uint8_t *)(((uintptr_t)p + HUGE_ALIGN - 1) & ~(uintptr_t)(HUGE_ALIGN - 1));
	p = mmap(aligned, size, PROT_READ | PROT_WRITE,
		 MAP_FIXED | (h->path ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS) | MAP_NORESERVE,
		 h->path ? h->fd : -1, 0);
	if (p == MAP_FAILED)
		return no_memory(h, size, e);
	madvise(aligned, size, MADV_HUGEPAGE); /* a wish; hosts without it run, too */
	madvise(aligned, size, MADV_DONTDUMP);
	if (h->prealloc && madvise(aligned, size, MADV_POPULATE_WRITE))
		return no_memory(h, size, e);
	return aligned;
}

static int hostmem_init(struct dev *d, struct err *e)
{
	((struct hostmem *)d)->fd = -1;
	return 0;
}

static void hostmem_fini(struct dev *d)
{
	struct hostmem *h = (struct hostmem *)d;

	if (h->map)
		munmap(h->map, h->map_len);
	if (h->fd >= 0)
		close(h->fd);
}

static const struct prop hostmem_props[] = {
	{.name = "size",
	 .kind = PROP_SIZE,
	 .offset = offsetof(struct hostmem, size),
	 .unit = 1 << 20,
	 .help = "size; a number without unit counts MiB"},
	{.name = "path",
	 .kind = PROP_PATH,
	 .offset = offsetof(struct hostmem, path),
	 .help = "file to use as memory, made if missing; anonymous memory without it"},
	{.name = "prealloc",
	 .kind = PROP_BOOL,
	 .offset = offsetof(struct hostmem, prealloc),
	 .def = "false",
	 .help = "take all pages from the host at start"},
	{0},
};

static const struct backend_mem_ops hostmem_ops = {.alloc = hostmem_alloc};

const struct component hostmem_component = {
	.type = "hostmem",
	.doc = "memory of the host",
	.cls = DEV_BACKEND,
	.size = sizeof(struct hostmem),
	.props = hostmem_props,
	.backend = BACKEND_MEM,
	.backend_ops = &hostmem_ops,
	.init = hostmem_init,
	.fini = hostmem_fini,
};

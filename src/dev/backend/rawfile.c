// SPDX-License-Identifier: Apache-2.0
/*
 * Block back end: a raw image file or a block device of the host.
 *
 * Requests wait in one queue; up to WORKERS_MAX threads take them from its head, adjacent reads or
 * writes together. A worker is started when there is work and none is idle, so a quiet disk costs
 * one thread. Data goes straight between guest memory and the host's page cache (or, with "direct",
 * the disk); a flush is fdatasync(). Nothing is cached here: whatever was written survives the end of
 * this process, whatever was flushed that of the host.
 *
 * Two machines writing to one image destroy it, so the whole file is locked with an open file
 * description lock: exclusive, or shared if read-only.
 */
#include "dev/backend.h"

#include "host/thread.h"
#include "util/err.h"
#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	SECTOR = 512,
	WORKERS_MAX = 4,
	MERGE_BYTES = 256 << 10, /* larger runs are better spread over the workers */
	DIRECT_ALIGN = 4096,
	ZERO_CHUNK = 64 << 10,
};

struct rawfile {
	struct dev dev;
	/* properties */
	const char *path;
	bool readonly;
	bool direct;
	uint32_t threads;

	int fd;	       /* page cache */
	int direct_fd; /* O_DIRECT twin, or -1 */
	bool block_device;
	uint64_t size;

	pthread_mutex_t lock; /* guards all below; taken after no other lock */
	pthread_cond_t work;  /* the queue is not empty, or stop */
	pthread_cond_t empty; /* pending became 0 */
	struct block_req *head, **tail;
	unsigned pending; /* submitted and done() not yet returned */
	unsigned idle;
	bool stop, ready;
	bool deferred; /* serve_in_loop() is going to be called */
	pthread_t workers[WORKERS_MAX];
	unsigned worker_count;
};

static struct rawfile *rawfile_of(struct dev *d)
{
	return (struct rawfile *)d;
}

/* ---- transfers ---- */

static bool aligned(const struct iovec *iov, int count, uint64_t offset)
{
	uint64_t all = offset;

	for (int i = 0; i < count; i++)
		all |= (uintptr_t)iov[i].iov_base | iov[i].iov_len;
	return !(all & (DIRECT_ALIGN - 1));
}

/* Drop @n transferred bytes from the front of the list. */
static void advance(struct iovec **iov, int *count, size_t n)
{
	while (*count && n >= (*iov)->iov_len) {
		n -= (*iov)->iov_len;
		++*iov;
		--*count;
	}
	if (*count) {
		(*iov)->iov_base = (char *)(*iov)->iov_base + n;
		(*iov)->iov_len -= n;
	}
}

/* Transfer all of @iov, which is used up. 0 or a negative errno. */
static int transfer(struct rawfile *f, bool write, struct iovec *iov, int count, uint64_t offset)
{
	/* What O_DIRECT cannot take goes through the page cache; the kernel keeps both coherent. */
	int fd = f->direct_fd >= 0 && aligned(iov, count, offset) ? f->direct_fd : f->fd;

	while (count) {
		ssize_t n = write ? pwritev(fd, iov, count, (off_t)offset)
				  : preadv(fd, iov, count, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EINVAL && fd == f->direct_fd) {
			fd = f->fd;
			continue;
		}
		if (n < 0)
			return -errno;
		if (!n) /* somebody truncated the file */
			return -EIO;
		offset += (size_t)n;
		advance(&iov, &count, (size_t)n);
	}
	return 0;
}

static int write_zeroes_by_hand(struct rawfile *f, uint64_t offset, uint64_t len)
{
	static const uint8_t zeroes[ZERO_CHUNK];

	while (len) {
		size_t n = len < sizeof(zeroes) ? (size_t)len : sizeof(zeroes);
		struct iovec iov = {.iov_base = (void *)(uintptr_t)zeroes, .iov_len = n};
		int ret = transfer(f, true, &iov, 1, offset);

		if (ret)
			return ret;
		offset += n;
		len -= n;
	}
	return 0;
}

static int zero(struct rawfile *f, uint64_t offset, uint64_t len)
{
	uint64_t range[2] = {offset, len};

	if (f->block_device) {
		if (!ioctl(f->fd, BLKZEROOUT, range))
			return 0;
	} else if (!fallocate(f->fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
			      (off_t)len)) {
		return 0;
	}
	return write_zeroes_by_hand(f, offset, len);
}

/* Discarded blocks may read as anything; a file system without holes just keeps them. */
static int discard(struct rawfile *f, uint64_t offset, uint64_t len)
{
	uint64_t range[2] = {offset, len};
	int ret;

	if (f->block_device)
		ret = ioctl(f->fd, BLKDISCARD, range);
	else
		ret = fallocate(f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
				(off_t)len);
	return ret && errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL ? -errno : 0;
}

/* ---- workers ---- */

/* Requests that one worker handles together. */
struct run {
	struct block_req *first;
	unsigned count;
	int iov_count;
	uint64_t len;
};

static bool joins(const struct run *run, const struct block_req *last, const struct block_req *r)
{
	return r && r->op == last->op && r->offset == last->offset + last->len &&
	       run->len + r->len <= MERGE_BYTES && run->iov_count + r->iov_count <= IOV_MAX;
}

/* Take the head of the queue and the requests behind it that continue it. The lock is held. */
static struct run take_run(struct rawfile *f)
{
	struct block_req *last = f->head;
	struct run run = {
		.first = last, .count = 1, .iov_count = last->iov_count, .len = last->len};

	if (last->op == BLOCK_READ || last->op == BLOCK_WRITE) {
		while (joins(&run, last, last->next)) {
			last = last->next;
			run.count++;
			run.iov_count += last->iov_count;
			run.len += last->len;
		}
	}
	f->head = last->next;
	if (!f->head)
		f->tail = &f->head;
	last->next = NULL;
	return run;
}

static int transfer_run(struct rawfile *f, const struct run *run)
{
	struct iovec iov[IOV_MAX];
	int n = 0;

	for (struct block_req *r = run->first; r; r = r->next) {
		memcpy(iov + n, r->iov, sizeof(*iov) * (size_t)r->iov_count);
		n += r->iov_count;
	}
	return transfer(f, run->first->op == BLOCK_WRITE, iov, n, run->first->offset);
}

static int perform(struct rawfile *f, const struct run *run)
{
	struct block_req *r = run->first;

	switch (r->op) {
	case BLOCK_READ:
	case BLOCK_WRITE:
		return transfer_run(f, run);
	case BLOCK_FLUSH:
		return fdatasync(f->fd) ? -errno : 0;
	case BLOCK_DISCARD:
		return discard(f, r->offset, r->len);
	case BLOCK_WRITE_ZEROES:
		return zero(f, r->offset, r->len);
	}
	return -EINVAL;
}

static void finish_run(struct run *run, int result)
{
	struct block_req *next;

	for (struct block_req *r = run->first; r; r = next) {
		next = r->next; /* r is its owner's again after done() */
		r->more = next != NULL;
		r->done(r, result);
	}
}

static void wake_worker(struct rawfile *f);

static void run_one(struct rawfile *f)
{
	struct run run = take_run(f);
	int result;

	if (f->head)
		wake_worker(f);
	pthread_mutex_unlock(&f->lock);
	result = perform(f, &run);
	/* One failed part of a run must not fail the others. */
	if (result && run.count > 1) {
		struct block_req *next;

		for (struct block_req *r = run.first; r; r = next) {
			struct run one = {.first = r, .count = 1};

			next = r->next;
			r->next = NULL;
			finish_run(&one, perform(f, &one));
		}
	} else {
		finish_run(&run, result);
	}
	pthread_mutex_lock(&f->lock);
	f->pending -= run.count;
	if (!f->pending)
		pthread_cond_broadcast(&f->empty);
}

static void *worker(void *opaque)
{
	struct rawfile *f = opaque;

	pthread_mutex_lock(&f->lock);
	for (;;) {
		if (f->head) {
			run_one(f);
			continue;
		}
		if (f->stop)
			break;
		f->idle++;
		pthread_cond_wait(&f->work, &f->lock);
		f->idle--;
	}
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

static int add_worker(struct rawfile *f)
{
	int ret = thread_start(&f->workers[f->worker_count], "rawfile", worker, f);

	if (!ret)
		f->worker_count++;
	return ret;
}

/* There is work: have one more worker look for it. Each wakes the next, so a batch that one worker
 * takes as a whole disturbs no other. A thread that cannot be started is no harm, the first one
 * exists since init. The lock is held. */
static void wake_worker(struct rawfile *f)
{
	if (f->dev.host->clock)
		return;
	if (f->idle)
		pthread_cond_signal(&f->work);
	else if (f->worker_count < f->threads && !f->stop)
		add_worker(f);
}

/* A machine on a virtual clock has no other threads: requests are done when the loop comes round, in order, and take
 * the machine no time. */
static void serve_in_loop(void *opaque)
{
	struct rawfile *f = opaque;

	pthread_mutex_lock(&f->lock);
	f->deferred = false;
	while (f->head)
		run_one(f);
	pthread_mutex_unlock(&f->lock);
}

/* ---- operations ---- */

static uint64_t rawfile_size(struct dev *be)
{
	return rawfile_of(be)->size;
}

static bool rawfile_read_only(struct dev *be)
{
	return rawfile_of(be)->readonly;
}

static void rawfile_submit_batch(struct dev *be, struct block_req *first)
{
	struct rawfile *f = rawfile_of(be);

	pthread_mutex_lock(&f->lock);
	*f->tail = first;
	for (; *f->tail; f->tail = &(*f->tail)->next)
		f->pending++;
	if (f->dev.host->clock && !f->deferred) {
		f->deferred = true;
		loop_defer(f->dev.host->loop, serve_in_loop, f);
	}
	wake_worker(f);
	pthread_mutex_unlock(&f->lock);
}

static void rawfile_submit(struct dev *be, struct block_req *r)
{
	r->next = NULL;
	rawfile_submit_batch(be, r);
}

static void rawfile_drain(struct dev *be)
{
	struct rawfile *f = rawfile_of(be);

	if (f->dev.host->clock)
		serve_in_loop(f);
	pthread_mutex_lock(&f->lock);
	while (f->pending)
		pthread_cond_wait(&f->empty, &f->lock);
	pthread_mutex_unlock(&f->lock);
}

/* ---- life ---- */

static int open_image(struct rawfile *f, int extra_flags)
{
	return open(f->path, (f->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | extra_flags);
}

static int open_failed(struct rawfile *f, struct err *e)
{
	int error = errno;

	err_set(e, -error, f->dev.where, "cannot open disk image %s: %s", f->path, strerror(error));
	if (error == ENOENT)
		err_hint(e, "create it: truncate -s 4G %s", f->path);
	else if ((error == EACCES || error == EROFS || error == EPERM) && !f->readonly)
		err_hint(e, "make it writable, or set readonly=true");
	return -error;
}

static int find_size(struct rawfile *f, struct err *e)
{
	struct stat st;

	if (fstat(f->fd, &st))
		return err_set(e, -errno, f->dev.where, "%s: %s", f->path, strerror(errno));
	if (S_ISBLK(st.st_mode)) {
		f->block_device = true;
		if (ioctl(f->fd, BLKGETSIZE64, &f->size))
			return err_set(e, -errno, f->dev.where, "%s: no size: %s", f->path,
				       strerror(errno));
	} else if (S_ISREG(st.st_mode)) {
		f->size = (uint64_t)st.st_size;
	} else {
		return err_set(e, -EINVAL, f->dev.where,
			       "%s is neither a regular file nor a block device", f->path);
	}
	if (f->size && !(f->size % SECTOR))
		return 0;
	err_set(e, -EINVAL, f->dev.where,
		"disk image %s has %llu bytes, which is not a positive multiple of 512", f->path,
		(unsigned long long)f->size);
	if (f->size)
		err_hint(e, "a raw image is wanted; pad it: truncate -s %%512 %s", f->path);
	else
		err_hint(e, "give it a size: truncate -s 4G %s", f->path);
	return -EINVAL;
}

static int lock_image(struct rawfile *f, struct err *e)
{
	struct flock l = {.l_type = f->readonly ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET};

	if (!fcntl(f->fd, F_OFD_SETLK, &l))
		return 0;
	if (errno != EAGAIN && errno != EACCES) {
		LOG(vm, "%s: cannot be locked (%s), do not use it twice", f->path, strerror(errno));
		return 0;
	}
	err_set(e, -EBUSY, f->dev.where, "disk image %s is in use %s", f->path,
		f->readonly ? "by a machine that writes to it" : "by another machine");
	err_hint(e, "stop the other machine, give this one a copy%s",
		 f->readonly ? "" : ", or let both have readonly=true");
	return -EBUSY;
}

static int rawfile_init(struct dev *d, struct err *e)
{
	struct rawfile *f = rawfile_of(d);
	int ret;

	f->direct_fd = -1;
	f->tail = &f->head;
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->work, NULL);
	pthread_cond_init(&f->empty, NULL);
	f->ready = true;
	f->fd = open_image(f, 0);
	if (f->fd < 0)
		return open_failed(f, e);
	ret = find_size(f, e);
	if (!ret)
		ret = lock_image(f, e);
	if (ret)
		return ret;
	if (f->direct) {
		f->direct_fd = open_image(f, O_DIRECT);
		if (f->direct_fd < 0)
			return err_set(e, -errno, d->where,
				       "%s cannot be opened with direct=true: %s", f->path,
				       strerror(errno));
	}
	ret = d->host->clock ? 0 : add_worker(f);
	return ret ? err_set(e, ret, d->where, "cannot start a thread: %s", strerror(-ret)) : 0;
}

static void rawfile_fini(struct dev *d)
{
	struct rawfile *f = rawfile_of(d);

	if (!f->ready)
		return;
	pthread_mutex_lock(&f->lock);
	f->stop = true;
	pthread_cond_broadcast(&f->work);
	pthread_mutex_unlock(&f->lock);
	for (unsigned i = 0; i < f->worker_count; i++)
		pthread_join(f->workers[i], NULL);
	if (f->direct_fd >= 0)
		close(f->direct_fd);
	if (f->fd >= 0)
		close(f->fd); /* and with it the lock */
	pthread_cond_destroy(&f->work);
	pthread_cond_destroy(&f->empty);
	pthread_mutex_destroy(&f->lock);
	f->ready = false;
}

static const struct backend_block_ops rawfile_ops = {
	.size = rawfile_size,
	.read_only = rawfile_read_only,
	.submit = rawfile_submit,
	.submit_batch = rawfile_submit_batch,
	.drain = rawfile_drain,
};

static const struct prop rawfile_props[] = {
	{.name = "path",
	 .kind = PROP_PATH,
	 .offset = offsetof(struct rawfile, path),
	 .required = true,
	 .help = "image file or block device"},
	{.name = "readonly",
	 .kind = PROP_BOOL,
	 .offset = offsetof(struct rawfile, readonly),
	 .def = "false",
	 .help = "never write; several machines may share the image"},
	{.name = "direct",
	 .kind = PROP_BOOL,
	 .offset = offsetof(struct rawfile, direct),
	 .def = "false",
	 .help = "bypass the host's page cache (O_DIRECT)"},
	{.name = "threads",
	 .kind = PROP_U32,
	 .offset = offsetof(struct rawfile, threads),
	 .def = "4",
	 .min = 1,
	 .max = WORKERS_MAX,
	 .help = "most requests handled at the same time"},
	{.name = NULL},
};

const struct component rawfile_component = {
	.type = "rawfile",
	.doc = "raw disk image or block device",
	.cls = DEV_BACKEND,
	.size = sizeof(struct rawfile),
	.props = rawfile_props,
	.backend = BACKEND_BLOCK,
	.backend_ops = &rawfile_ops,
	.init = rawfile_init,
	.fini = rawfile_fini,
};

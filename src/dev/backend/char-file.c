/* SPDX-License-Identifier: Apache-2.0 */
/* Serial output into a file. */
#include "dev/backend/char-io.h"

#include "util/err.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { DRAIN_MS = 2000 };

struct char_file {
	struct dev dev;
	struct char_io io;
	const char *path;
	bool append;
	int fd;
};

static void file_attach(struct dev *be, const struct char_client *client)
{
	char_io_attach(&((struct char_file *)be)->io, client);
}

static size_t file_write(struct dev *be, const uint8_t *data, size_t len)
{
	return char_io_write(&((struct char_file *)be)->io, data, len);
}

static void file_resume(struct dev *be)
{
}

static int file_init(struct dev *d, struct err *e)
{
	struct char_file *f = (struct char_file *)d;
	int r;

	char_io_init(&f->io, d);
	f->fd = open(f->path, O_WRONLY | O_CREAT | O_CLOEXEC | (f->append ? O_APPEND : O_TRUNC),
		     0644);
	if (f->fd < 0) {
		r = err_set(e, -errno, d->where, "cannot write %s: %s", f->path, strerror(errno));
		err_hint(e, "give a file in a directory you may write to");
		return r;
	}
	char_io_open(&f->io, -1, f->fd);
	return 0;
}

static void file_fini(struct dev *d)
{
	struct char_file *f = (struct char_file *)d;

	char_io_drain(&f->io, DRAIN_MS);
	char_io_fini(&f->io);
	if (f->fd >= 0)
		close(f->fd);
}

static const struct prop file_props[] = {
	{.name = "path",
	 .kind = PROP_PATH,
	 .offset = offsetof(struct char_file, path),
	 .required = true,
	 .help = "file to write"},
	{.name = "append",
	 .kind = PROP_BOOL,
	 .offset = offsetof(struct char_file, append),
	 .def = "false",
	 .help = "keep what the file holds"},
	{0},
};

static const struct backend_char_ops file_ops = {
	.attach = file_attach, .write = file_write, .resume = file_resume};

const struct component char_file_component = {
	.type = "file",
	.doc = "output into a file",
	.cls = DEV_BACKEND,
	.size = sizeof(struct char_file),
	.props = file_props,
	.backend = BACKEND_CHAR,
	.backend_ops = &file_ops,
	.init = file_init,
	.fini = file_fini,
};

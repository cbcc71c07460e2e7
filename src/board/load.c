/* SPDX-License-Identifier: Apache-2.0 */
/* Board files: where they are, reading them, include; single assignments from options. */
#include "board/ir.h"

#include "obverse-config.h"
#include "util/bits.h"
#include "util/buf.h"
#include "util/err.h"
#include "util/nearest.h"
#include "util/xalloc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".board"

/* A file being read, and the one that includes it. */
struct board_open {
	const struct board_open *parent;
	dev_t dev;
	ino_t ino;
	unsigned depth;
	const char *path;
};

/* ---- where boards are ---- */

/* Call @fn for each folder of installed boards until it returns true. */
static bool each_folder(bool (*fn)(void *opaque, const char *folder), void *opaque)
{
	const char *env = getenv("OBVERSE_BOARDS");
	const char *const folders[] = {env && *env ? env : NULL, OBVERSE_DATADIR "/boards",
				       OBVERSE_SOURCE_BOARDS};

	for (unsigned i = 0; i < ARRAY_COUNT(folders); i++)
		if (folders[i] && fn(opaque, folders[i]))
			return true;
	return false;
}

struct lookup {
	const char *name;
	const char *suffix;
	char *path; /* out */
};

static bool in_folder(void *opaque, const char *folder)
{
	struct lookup *l = opaque;
	char *path = xasprintf("%s/%s%s", folder, l->name, l->suffix);

	if (access(path, F_OK)) {
		free(path);
		return false;
	}
	l->path = path;
	return true;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

/* The first line's comment. */
static void first_comment(const char *path, char *doc, size_t size)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t cap = 0;

	*doc = '\0';
	while (f && getline(&line, &cap, f) > 0 && *line == '#') {
		char *text = line + 1 + strspn(line + 1, "# ");

		text[strcspn(text, "\r\n")] = '\0';
		if (!*text || !strncmp(text, "SPDX-", 5))
			continue;
		snprintf(doc, size, "%s", text);
		break;
	}
	free(line);
	if (f)
		fclose(f);
}

struct listing {
	void (*fn)(void *opaque, const char *name, const char *doc);
	void *opaque;
	struct board_string *seen;
};

static bool seen(struct listing *l, const char *name)
{
	struct board_string *s;

	for (s = l->seen; s; s = s->next)
		if (!strcmp(s->text, name))
			return true;
	s = xcalloc(1, sizeof(*s) + strlen(name) + 1);
	strcpy(s->text, name);
	s->next = l->seen;
	l->seen = s;
	return false;
}

static void list_entry(struct listing *l, const char *folder, const char *file)
{
	char *name, *path, doc[160];

	if (!ends_with(file, SUFFIX))
		return;
	name = xstrndup(file, strlen(file) - strlen(SUFFIX));
	if (!seen(l, name)) {
		path = xasprintf("%s/%s", folder, file);
		first_comment(path, doc, sizeof(doc));
		l->fn(l->opaque, name, doc);
		free(path);
	}
	free(name);
}

static bool list_folder(void *opaque, const char *folder)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		list_entry(opaque, folder, entries[i]->d_name);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return false;
}

void board_list(void (*fn)(void *opaque, const char *name, const char *doc), void *opaque)
{
	struct listing l = {.fn = fn, .opaque = opaque};
	struct board_string *next;

	each_folder(list_folder, &l);
	for (; l.seen; l.seen = next) {
		next = l.seen->next;
		free(l.seen);
	}
}

/* ---- reading ---- */

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

static int read_all(int fd, struct buf *out)
{
	char part[16 << 10];
	ssize_t n;

	while ((n = read(fd, part, sizeof(part))) > 0 || (n < 0 && errno == EINTR)) {
		if (n > 0)
			buf_add(out, part, (size_t)n);
		if (out->len > BOARD_FILE_MAX)
			return -EFBIG;
	}
	return n < 0 ? -errno : 0;
}

static int parse_text(struct board *b, const char *text, size_t len, struct board_place at,
		      struct err *e)
{
	const char *end = text + len;
	int result = 0;

	for (at.line = 1; text < end; at.line++) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		const char *stop = nl ? nl : end;
		int r = board_parse_line(b, text, (size_t)(stop - text), at, e);

		result = result ? result : r;
		text = stop + 1;
	}
	return result;
}

/* Reasons not to read a file that could be opened. */
static int refuse(const struct board *b, const struct board_open *o, const struct stat *st,
		  const struct board_place *from, struct err *e)
{
	const struct board_open *p = b->open;

	if (!S_ISREG(st->st_mode) && !S_ISFIFO(st->st_mode) && !S_ISCHR(st->st_mode))
		return board_err(e, -EINVAL, from, "%s is not a file", o->path);
	for (; p; p = p->parent)
		if (p->dev == st->st_dev && p->ino == st->st_ino)
			return board_err(e, -ELOOP, from, "%s includes itself", o->path);
	if (b->open && b->open->depth + 1 >= BOARD_INCLUDE_DEPTH)
		return board_err(e, -ELOOP, from, "files are included more than %d levels deep",
				 BOARD_INCLUDE_DEPTH);
	if (b->file_count >= BOARD_FILES_MAX)
		return board_err(e, -E2BIG, from, "more than %d files are included",
				 BOARD_FILES_MAX);
	return 0;
}

static int read_open(struct board *b, int fd, struct board_open *o, const struct board_place *from,
		     struct err *e)
{
	struct board_place at = {.file = o->path};
	struct buf text = BUF_INIT;
	struct stat st;
	char *dir;
	int r;

	if (fstat(fd, &st))
		return board_err(e, -errno, from, "cannot read %s: %s", o->path, strerror(errno));
	r = refuse(b, o, &st, from, e);
	if (r)
		return r;
	r = read_all(fd, &text);
	if (r) {
		board_err(e, r, from, "cannot read %s: %s", o->path, strerror(-r));
		buf_free(&text);
		return r;
	}
	dir = folder_of(o->path);
	at.dir = board_keep(b, dir);
	free(dir);
	o->dev = st.st_dev;
	o->ino = st.st_ino;
	o->depth = b->open ? b->open->depth + 1 : 0;
	o->parent = b->open;
	b->open = o;
	b->file_count++;
	if (text.len)
		r = parse_text(b, text.data, text.len, at, e);
	b->open = o->parent;
	buf_free(&text);
	return r;
}

/* @from: who asks for the file. */
static int read_file(struct board *b, const char *path, const struct board_place *from,
		     struct err *e)
{
	struct board_open o = {.path = board_keep(b, path)};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), r;

	if (fd < 0) {
		r = -errno;
		board_err(e, r, from, "cannot open %s: %s", path, strerror(-r));
		if (r == -ENOENT)
			err_hint(e, "check the name; `obverse list boards` shows installed ones");
		return r;
	}
	r = read_open(b, fd, &o, from, e);
	close(fd);
	return r;
}

int board_include(struct board *b, const char *name, const struct board_place *at, struct err *e)
{
	struct lookup l = {.name = name, .suffix = ""};
	bool as_is = *name == '/' || !at->dir || !strcmp(at->dir, ".");
	char *path = as_is ? xstrdup(name) : xasprintf("%s/%s", at->dir, name);
	int r;

	/* Beside the including file, or an installed board. */
	if (access(path, F_OK) && *name != '/' && each_folder(in_folder, &l)) {
		free(path);
		path = l.path;
	}
	r = read_file(b, path, at, e);
	free(path);
	return r;
}

static void offer_board(void *opaque, const char *name, const char *doc)
{
	struct nearest *n = opaque;
	struct nearest before = *n;

	nearest_offer(n, name);
	if (n->best == name && n->distance < before.distance)
		n->best = xstrdup(name);
	if (n->best != before.best)
		free((char *)(uintptr_t)before.best);
}

static int unknown_board(const char *name, struct err *e)
{
	struct nearest n = nearest_start(name);

	board_list(offer_board, &n);
	err_set(e, -ENOENT, NULL, "there is no board \"%s\"", name);
	if (n.best)
		err_hint(e, "did you mean \"%s\"? A file is given as ./%s" SUFFIX, n.best, name);
	else
		err_hint(e, "`obverse list boards` shows them; a file is given as ./%s" SUFFIX,
			 name);
	free((char *)(uintptr_t)n.best);
	return -ENOENT;
}

int board_load(struct board *b, const char *name, struct err *e)
{
	struct board_place from = {.file = board_keep(b, name)};
	struct lookup l = {.name = name, .suffix = SUFFIX};
	int r;

	if (!b->title)
		b->title = from.file;
	if (strchr(name, '/') || ends_with(name, SUFFIX))
		return read_file(b, name, &from, e);
	if (!each_folder(in_folder, &l))
		return unknown_board(name, e);
	r = read_file(b, l.path, &from, e);
	free(l.path);
	return r;
}

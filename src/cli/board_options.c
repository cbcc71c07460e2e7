/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options that describe the machine. Each is a short form for objects and properties of the board; a
 * machine can be described in a board file as completely as on the command line.
 */
#include "cli/cli.h"

#include "util/bits.h"
#include "util/buf.h"
#include "util/log.h"
#include "util/nearest.h"
#include "util/parse.h"
#include "util/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOT "VIRTIO-MMIO"

static struct board *board_of(void *ctx)
{
	return ((struct cli_board *)ctx)->board;
}

/* prop="value", with quotes and backslashes escaped. */
static void add_prop(struct buf *b, char separator, const char *prop, const char *value)
{
	buf_fmt(b, "%c%s=\"", separator, prop);
	for (; *value; value++) {
		if (strchr("\"\\", *value))
			buf_str(b, "\\");
		buf_add(b, value, 1);
	}
	buf_str(b, "\"");
}

/* A mistyped file name is better found now, where the option is known. */
static int readable(const char *path, const char *where, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return err_set(e, -errno, where, "cannot open %s: %s", path, strerror(errno));
	close(fd);
	return 0;
}

/* ---- CPUs and memory ---- */

static int set_of_class(void *ctx, enum dev_class cls, const char *prop, const char *value,
			const char *where, struct err *e)
{
	const char *name = board_find_class(board_of(ctx), cls, 0);

	if (name && !board_set_prop(board_of(ctx), name, prop, value, where, e))
		return 0;
	return err_set(e, -ENOENT, where, "the board has no %s that this could be set for",
		       cls == DEV_CPU ? "CPU" : "RAM");
}

static int opt_cpu(void *ctx, const char *value, const char *where, struct err *e)
{
	return set_of_class(ctx, DEV_CPU, "model", value, where, e);
}

static int opt_smp(void *ctx, const char *value, const char *where, struct err *e)
{
	return set_of_class(ctx, DEV_CPU, "count", value, where, e);
}

static int opt_mem(void *ctx, const char *value, const char *where, struct err *e)
{
	uint64_t bytes;
	char text[32];

	if (parse_size(value, 1 << 20, &bytes) || !bytes) {
		err_set(e, -EINVAL, where, "\"%s\" is not a size", value);
		err_hint(e, "a number of MiB, or with a unit: 512, 512M, 4G");
		return -EINVAL;
	}
	snprintf(text, sizeof(text), "%" PRIu64 "B", bytes);
	return set_of_class(ctx, DEV_MEMORY, "size", text, where, e);
}

/* ---- serial ports ---- */

/* Form of --serial -> back end, and the property that the text behind ":" sets. */
static const struct {
	const char *form, *backend, *prop;
	bool needs_value;
} serial_forms[] = {
	{"stdio", "stdio", NULL, false},  {"null", "null", NULL, false},
	{"file", "file", "path", true},	  {"pty", "pty", "link", false},
	{"unix", "socket", "path", true},
};

/* "file:PATH" -> file#path="PATH"; NULL after an error. */
static char *serial_backend(const char *value, const char *where, struct err *e)
{
	size_t len = strcspn(value, ":");
	char *form = xstrndup(value, len);
	struct nearest n = nearest_start(form);
	struct buf text = BUF_INIT;
	unsigned i;

	for (i = 0; i < ARRAY_COUNT(serial_forms) && strcmp(serial_forms[i].form, form); i++)
		nearest_offer(&n, serial_forms[i].form);
	if (i == ARRAY_COUNT(serial_forms)) {
		err_set(e, -EINVAL, where, "\"%s\" is not a place for a serial port", form);
		err_hint(e, "%s%s%sit can be stdio, null, file:PATH, pty[:LINK] or unix:PATH",
			 n.best ? "did you mean " : "", n.best ? n.best : "", n.best ? "? " : "");
	} else if (serial_forms[i].needs_value && (!value[len] || !value[len + 1])) {
		err_set(e, -EINVAL, where, "%s needs a path", form);
		err_hint(e, "%s:PATH", form);
	} else if (value[len] && !serial_forms[i].prop) {
		err_set(e, -EINVAL, where, "%s takes no \"%s\"", form, value + len);
	} else {
		buf_str(&text, serial_forms[i].backend);
		if (value[len])
			add_prop(&text, '#', serial_forms[i].prop, value + len + 1);
	}
	free(form);
	return text.len ? buf_take(&text) : NULL;
}

static int opt_serial(void *ctx, const char *value, const char *where, struct err *e)
{
	struct cli_board *c = ctx;
	char *backend = serial_backend(value, where, e);
	char name[24];
	int r;

	snprintf(name, sizeof(name), "uart%u", c->serial_count++);
	if (!backend)
		return -EINVAL;
	r = board_set_backend(c->board, name, backend, where, e);
	if (r == -ENOENT) {
		err_set(e, r, where, "the board has no serial port \"%s\"", name);
		err_hint(e, "add one: -vobj \"PL011#name=%s;address=...;irq=...\"", name);
	}
	free(backend);
	return r;
}

/* ---- what is booted ---- */

/* The board's boot object of a type; made if it has none. */
static const char *boot_object(struct board *b, const char *type, const char *where, struct err *e)
{
	if (!board_find_type(b, type, 0))
		board_line(b, type, where, e);
	return board_find_type(b, type, 0);
}

static int set_linux(void *ctx, const char *prop, const char *value, const char *where,
		     struct err *e)
{
	const char *name = boot_object(board_of(ctx), "LINUX", where, e);

	return board_set_prop(board_of(ctx), name, prop, value, where, e);
}

static int opt_kernel(void *ctx, const char *value, const char *where, struct err *e)
{
	set_linux(ctx, "kernel", value, where, e);
	return readable(value, where, e);
}

static int opt_initrd(void *ctx, const char *value, const char *where, struct err *e)
{
	set_linux(ctx, "initrd", value, where, e);
	return readable(value, where, e);
}

static int opt_append(void *ctx, const char *value, const char *where, struct err *e)
{
	return set_linux(ctx, "cmdline", value, where, e);
}

static int opt_dtb(void *ctx, const char *value, const char *where, struct err *e)
{
	set_linux(ctx, "dtb", value, where, e);
	return readable(value, where, e);
}

static int no_flash(unsigned count, const char *where, struct err *e)
{
	err_set(e, -ENOENT, where, "the board has %u flash banks, all of them are in use", count);
	err_hint(e, "add one: -vobj \"CFI-FLASH#address=...\"");
	return -ENOENT;
}

/* Put a file into the next flash bank; the machine starts in the first. */
static int fill_flash(struct cli_board *c, const char *path, bool readonly, const char *where,
		      struct err *e)
{
	const char *flash = board_find_type(c->board, "CFI-FLASH", c->flash_count);
	const char *firmware = boot_object(c->board, "FIRMWARE", where, e);
	const char *address;
	int r = readable(path, where, e);

	if (!flash)
		return no_flash(c->flash_count, where, e);
	board_set_prop(c->board, flash, "image", path, where, e);
	board_set_prop(c->board, flash, "readonly", readonly ? "true" : "false", where, e);
	if (c->flash_count++)
		return r;
	address = board_get_prop(c->board, flash, "address");
	if (address)
		board_set_prop(c->board, firmware, "entry", address, where, e);
	board_set_prop(c->board, firmware, "enabled", "true", where, e);
	return r;
}

static int opt_bios(void *ctx, const char *value, const char *where, struct err *e)
{
	return fill_flash(ctx, value, true, where, e);
}

/* Take ",ro" off the end. */
static char *without_ro(const char *value, bool *readonly)
{
	size_t len = strlen(value);

	*readonly = len > 3 && !strcmp(value + len - 3, ",ro");
	return xstrndup(value, *readonly ? len - 3 : len);
}

static int opt_flash(void *ctx, const char *value, const char *where, struct err *e)
{
	bool readonly;
	char *path = without_ro(value, &readonly);
	int r = fill_flash(ctx, path, readonly, where, e);

	free(path);
	return r;
}

/* ---- virtio ---- */

static int opt_virtio(void *ctx, const char *value, const char *where, struct err *e)
{
	return board_plug(board_of(ctx), SLOT, value, where, e);
}

static int opt_drive(void *ctx, const char *value, const char *where, struct err *e)
{
	struct buf text = BUF_INIT;
	bool readonly;
	char *path = without_ro(value, &readonly);
	int r = readable(path, where, e);

	buf_str(&text, "VIRTIO-BLK||rawfile");
	add_prop(&text, '#', "path", path);
	if (readonly)
		buf_str(&text, ";readonly=true");
	if (!r)
		r = board_plug_made(board_of(ctx), SLOT, text.data, where, e);
	buf_free(&text);
	free(path);
	return r;
}

/* "user,hostfwd=A,hostfwd=B,mac=M": properties of the back end; mac is the device's. */
struct net_text {
	struct buf device, backend, forwards;
};

static void net_prop(struct net_text *t, const char *key, const char *value)
{
	if (!strcmp(key, "hostfwd"))
		buf_fmt(&t->forwards, "%s%s", t->forwards.len ? "," : "", value);
	else if (!strcmp(key, "mac"))
		add_prop(&t->device, '#', key, value);
	else
		add_prop(&t->backend, strchr(t->backend.data, '#') ? ';' : '#', key, value);
}

static int net_text(struct net_text *t, char *value, const char *where, struct err *e)
{
	char *save = NULL, *item = strtok_r(value, ",", &save);

	buf_str(&t->device, "VIRTIO-NET");
	buf_str(&t->backend, item ? item : "user");
	while ((item = strtok_r(NULL, ",", &save))) {
		char *equals = strchr(item, '=');

		if (!equals) {
			err_set(e, -EINVAL, where, "\"%s\" has no value", item);
			err_hint(e, "write %s=VALUE", item);
			return -EINVAL;
		}
		*equals = '\0';
		net_prop(t, item, equals + 1);
	}
	if (t->forwards.len)
		add_prop(&t->backend, strchr(t->backend.data, '#') ? ';' : '#', "hostfwd",
			 t->forwards.data);
	buf_fmt(&t->device, "||%s", t->backend.data);
	return 0;
}

static int remove_nets(struct board *b, const char *where, struct err *e)
{
	const char *name;

	while ((name = board_find_type(b, "VIRTIO-NET", 0))) {
		char *line = xasprintf("remove %s", name);
		int r = board_line(b, line, where, e);

		free(line);
		if (r)
			return r;
	}
	return 0;
}

static int opt_net(void *ctx, const char *value, const char *where, struct err *e)
{
	struct net_text t = {.device = BUF_INIT, .backend = BUF_INIT, .forwards = BUF_INIT};
	char *copy;
	int r;

	if (!strcmp(value, "none"))
		return remove_nets(board_of(ctx), where, e);
	copy = xstrdup(value);
	r = net_text(&t, copy, where, e);
	if (!r)
		r = board_plug_made(board_of(ctx), SLOT, t.device.data, where, e);
	buf_free(&t.device);
	buf_free(&t.backend);
	buf_free(&t.forwards);
	free(copy);
	return r;
}

/* ---- anything ---- */

static int opt_vobj(void *ctx, const char *value, const char *where, struct err *e)
{
	return board_line(board_of(ctx), value, where, e);
}

static int opt_set(void *ctx, const char *value, const char *where, struct err *e)
{
	return board_set(board_of(ctx), value, where, e);
}

static int opt_seed(void *ctx, const char *value, const char *where, struct err *e)
{
	struct cli_board *c = ctx;

	if (parse_u64(value, &c->seed) || !c->seed)
		return err_set(e, -EINVAL, where, "\"%s\" is not a number above 0", value);
	return 0;
}

static int opt_log(void *ctx, const char *value, const char *where, struct err *e)
{
	return log_set(value, e);
}

static int opt_log_file(void *ctx, const char *value, const char *where, struct err *e)
{
	return log_open(value, e);
}

const struct option cli_board_options[] = {
	{"cpu", "MODEL", "model of the CPUs: host, max, cortex-a57 ...", opt_cpu, false},
	{"smp", "N", "number of CPUs, 1 to 8", opt_smp, false},
	{"mem", "SIZE", "memory; MiB without a unit (K, M, G)", opt_mem, false},
	{"serial", "WHERE",
	 "stdio, null, file:PATH, pty[:LINK] or unix:PATH;\n"
	 "the first is for uart0, the next for uart1 ...",
	 opt_serial, false},
	{"kernel", "FILE", "arm64 Image or ELF file to boot", opt_kernel, false},
	{"initrd", "FILE", "initial RAM disk", opt_initrd, false},
	{"append", "TEXT", "kernel command line", opt_append, false},
	{"dtb", "FILE", "device tree instead of the generated one", opt_dtb, false},
	{"bios", "FILE", "firmware for the first flash bank, read-only;\nthe machine starts in it",
	 opt_bios, false},
	{"flash", "FILE[,ro]", "contents of the next flash bank; the machine\nstarts in the first",
	 opt_flash, false},
	{"drive", "FILE[,ro]", "raw disk image as a virtio disk", opt_drive, false},
	{"net", "KIND[,PROP=VALUE...]",
	 "virtio network: user[,hostfwd=tcp::2222-:22],\n"
	 "tap,ifname=NAME, or none",
	 opt_net, false},
	{"virtio", "OBJECT", "any virtio device in a free slot,\nfor example VIRTIO-RNG",
	 opt_virtio, false},
	{"vobj", "OBJECT", "an object, include or remove, as in a board file", opt_vobj, true},
	{"set", "NAME.PROP=VALUE", "change a property of an object", opt_set, false},
	{"seed", "N", "make randomness reproducible", opt_seed, false},
	{"log", "CHANNELS",
	 "what to log, comma-separated; all, or -NAME to\nleave one out (obverse list log)",
	 opt_log, false},
	{"log-file", "FILE", "log to a file instead of standard error", opt_log_file, false},
	{0},
};

/* ---- opening ---- */

static void load(const struct options *o, struct cli_board *ctx, struct err *e)
{
	int r = board_load(ctx->board, o->operand[0], e);

	/* Without the board, every option and the whole would seem wrong. */
	if (r && board_empty(ctx->board))
		return;
	options_apply(o, ctx, e);
	board_check(ctx->board, e);
}

int cli_open_board(const struct command *c, struct cli_board *ctx, int argc, char **argv,
		   int *status)
{
	struct err e = ERR_INIT;
	struct options o;

	options_parse(&o, c->options, argc, argv, &e);
	if (o.help) {
		err_free(&e);
		options_free(&o);
		*status = cli_command_help(c);
		return -ECANCELED;
	}
	if (o.operand_count != 1) {
		err_set(&e, -EINVAL, NULL,
			o.operand_count ? "only one board can be given" : "which board?");
		err_hint(&e, "obverse %s %s; `obverse list boards` shows boards", c->name,
			 c->usage);
	}
	ctx->board = board_create();
	if (!err_any(&e))
		load(&o, ctx, &e);
	options_free(&o);
	if (!err_any(&e))
		return 0;
	board_destroy(ctx->board);
	ctx->board = NULL;
	*status = cli_fail(&e, CLI_BAD_CONFIG);
	return -EINVAL;
}

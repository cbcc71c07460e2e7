/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects of a board as written (the IR between text and instances). For the files of src/board/ only.
 *
 * Strings are owned by the object they stand in, file names by the board. Everything here is plain
 * text: what a type or a property means is first asked by check.c.
 */
#ifndef BOARD_IR_H
#define BOARD_IR_H

#include "board/board.h"

/* Limits for hostile files; far beyond any real board. */
enum {
	BOARD_NAME_MAX = 63,
	BOARD_LINE_MAX = 64 << 10,
	BOARD_FILE_MAX = 4 << 20,
	BOARD_FILES_MAX = 256,
	BOARD_INCLUDE_DEPTH = 16,
	BOARD_OBJECTS_MAX = 4096,
	BOARD_ERRORS_MAX = 50,
};

/* Where a piece of text stands. */
struct board_place {
	const char *file; /* file name or option, owned by the board; NULL: built in */
	const char *dir; /* what relative file names are relative to; NULL: the working directory */
	unsigned line;	 /* from 1; 0: an option */
	unsigned col;	 /* from 1; 0: the whole line */
};

struct board_prop {
	struct board_prop *next;
	char *name;
	char *value;
	char *path; /* PROP_PATH: the value, with the directory (made by build.c) */
	struct board_place at, value_at;
};

/* TYPE[@VENDOR][#prop=value...]: a component or a back end. */
struct board_part {
	char *type;
	char *vendor; /* NULL: any */
	struct board_prop *props;
	struct board_place at;
	const struct component *c; /* set by check.c */
};

struct board_object {
	struct board_object *next;
	char *name;
	char *where; /* for struct dev */
	struct board_part self;
	struct board_part *backend; /* NULL: none written */
	struct dev *dev;	    /* set by build.c */
	unsigned mark;		    /* of graph walks */
};

struct board_string {
	struct board_string *next;
	char text[];
};

struct board {
	struct board_object *objects;
	struct board_string *strings;
	const char *title; /* what was loaded first, for messages */
	unsigned object_count;
	const struct board_open *open; /* load.c: the files being read */
	unsigned file_count;

	const struct dev_host *host;
	struct dev **devs;  /* in order of the objects */
	struct dev **order; /* in order of initialisation */
	unsigned dev_count;
	bool mapped;
};

/* A wire as written: KIND:NUMBER@NAME. Strings are copies within `text`. */
struct board_wire {
	char *text; /* free() */
	const char *kind, *sink;
	uint32_t number;
};

/* ---- ir.c ---- */

/* A copy of @s that lives as long as the board. */
const char *board_keep(struct board *b, const char *s);
/* "virt.board:12:8"; malloc()ed. */
char *board_place_text(const struct board_place *at);
/* err_set() with a place; returns @code. */
int board_err(struct err *e, int code, const struct board_place *at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

struct board_object *board_object_find(const struct board *b, const char *name);
/* A new object at the end of the list; takes over @name. */
struct board_object *board_object_add(struct board *b, char *name, const struct board_place *at);
void board_object_remove(struct board *b, struct board_object *o);
struct board_prop *board_part_prop(const struct board_part *part, const char *name);
/* Set (or replace) a property; takes over @value. */
struct board_prop *board_part_set(struct board_part *part, const char *name, char *value,
				  const struct board_place *at, const struct board_place *value_at);
void board_part_clear(struct board_part *part);
void board_part_free(struct board_part *part);
bool board_name_valid(const char *name);

/* ---- parse.c ---- */

/* "TYPE[@VENDOR][#...]" without "||"; NULL after an error. Here and below @at is the place of the first
 * character; without a column its mistakes have none either. */
struct board_part *board_parse_part(struct board *b, const char *text, const struct board_place *at,
				    struct err *e);
/* TYPE[@VENDOR][#...][||BACKEND...]; clear @self and free @backend, also after an error. */
int board_parse_object(struct board *b, const char *text, const struct board_place *at,
		       struct board_part *self, struct board_part **backend, struct err *e);
/* Properties of @from replace or join those of @to; @from is left empty. */
void board_part_merge(struct board_part *to, struct board_part *from);
/* KIND:NUMBER@NAME; -EINVAL without a message if it is not one. free() wire->text. */
int board_wire_parse(const char *text, struct board_wire *wire);
/* One line of a file or an option: object, include, remove, comment or nothing. */
int board_parse_line(struct board *b, const char *text, size_t len, struct board_place at,
		     struct err *e);
/* ---- load.c ---- */

/* "include FILE" of the file that @at is in. */
int board_include(struct board *b, const char *name, const struct board_place *at, struct err *e);

/* ---- check.c ---- */

/* Flat input of @sink for @wire; -1 if there is none. */
int64_t board_wire_input(const struct board_object *sink, const struct board_wire *wire);
/* Call @fn for each object that @o's wires (and, unless @wires_only, clocks and references) lead to. */
void board_each_sink(const struct board *b, const struct board_object *o, bool wires_only,
		     void (*fn)(void *opaque, struct board_object *sink), void *opaque);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boards: text -> objects (IR) -> checked objects -> component instances -> device tree.
 *
 * Object syntax (docs/board-format.md):
 *     TYPE[@VENDOR][#prop=value;prop=value...][||BACKEND[#prop=value;...]]
 * The property "name" names the object; without it the name is the type in lower case, with a number
 * appended if taken. "include FILE" includes; a later object line with the name of an earlier one
 * updates it ("TYPE#name=X;prop=..." ) and "remove NAME" removes it. '#' at the start of a line (after
 * blanks) begins a comment.
 *
 * Single-threaded. Every function that fails puts all mistakes it finds on @e, each with file, line
 * and column or the option, and goes on where it can.
 */
#ifndef BOARD_BOARD_H
#define BOARD_BOARD_H

#include "dev/component.h"

struct board;

struct board *board_create(void);
/* No objects: nothing was loaded. */
bool board_empty(const struct board *b);
/* Destroys the instances, too. */
void board_destroy(struct board *b);

/* Read a board file: a path (containing '/' or ending in ".board"), or the name of an installed
 * board, searched in $OBVERSE_BOARDS, the installation and the source tree. */
int board_load(struct board *b, const char *name, struct err *e);
/* One object line, e.g. from -vobj; @where is used in messages. */
int board_line(struct board *b, const char *text, const char *where, struct err *e);
/* "name.prop=value" */
int board_set(struct board *b, const char *assignment, const char *where, struct err *e);
/* Set one property of object @name if the object exists and has that property; for options that
 * are short forms (--smp, --mem). -ENOENT without it. */
int board_set_prop(struct board *b, const char *name, const char *prop, const char *value,
		   const char *where, struct err *e);
/* The value as written, of the object or its back end; NULL if it is not written. */
const char *board_get_prop(const struct board *b, const char *name, const char *prop);
/* Replace the back end of object @name by the text @backend, e.g. "file#path=x". -ENOENT without a
 * message if there is no such object. */
int board_set_backend(struct board *b, const char *name, const char *backend, const char *where,
		      struct err *e);
/* Put the object @text (without address and interrupt) into the last free slot of type @slot_type:
 * the slot's object becomes of that type and keeps its name and whatever @text does not say. */
int board_plug(struct board *b, const char *slot_type, const char *text, const char *where,
	       struct err *e);
/* The same for a text that the user has not written so: mistakes in it have no column. */
int board_plug_made(struct board *b, const char *slot_type, const char *text, const char *where,
		    struct err *e);
/* Names of the objects of a component type, in order; NULL past the last. */
const char *board_find_type(const struct board *b, const char *type, unsigned index);
const char *board_find_class(const struct board *b, enum dev_class cls, unsigned index);

/* Types, properties, values, references, wires (including cycles), RAM and CPU present, overlaps. */
int board_check(struct board *b, struct err *e);

/* Instances: created with all properties set and wires connected. Call after board_check() succeeded.
 * @host must outlive the board. */
int board_build(struct board *b, const struct dev_host *host, struct err *e);
/* MMIO regions and memory into host->mem. host->pes must be there: some regions grow with the PEs.
 * Enough for board_dtb(); board_init() does it if it has not been done. */
int board_map(struct board *b, struct err *e);
/* init() of all instances (back ends first, then in order of the wires: sinks before sources). */
int board_init(struct board *b, struct err *e);
/* fini() and removal of all instances, built or half-built; the objects stay. */
void board_destroy_devs(struct board *b);
void board_reset(struct board *b);
/* After that: bring all devices into the state in which firmware leaves them to an operating system. */
void board_hand_over(struct board *b);
struct dev *const *board_devs(const struct board *b, unsigned *count); /* back ends not included */
struct dev *board_dev(const struct board *b, const char *name);

/* The guest's device tree (needs board_map()): malloc()ed, caller frees. */
void *board_dtb(struct board *b, size_t *size, struct err *e);

/* Installed and source-tree boards: calls @fn for each name and its first comment line. */
void board_list(void (*fn)(void *opaque, const char *name, const char *doc), void *opaque);

#endif

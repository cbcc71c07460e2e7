/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics of a run as JSON: docs/stats.md lists the members. */
#ifndef DEBUG_STATS_H
#define DEBUG_STATS_H

#include <jansson.h>

struct err;
struct symtab;
struct vm;

/* Write the statistics of a stopped (or paused) machine to @path. @symbols may be NULL. */
int stats_write(const struct vm *vm, const char *path, const struct symtab *symbols, struct err *e);

/* What each stage of the boot cost (pe/stage.h), in the order in which they came. NULL: they were not told apart. */
json_t *stats_stages(const struct vm *vm);
/* What it took to get into the Non-secure world; NULL: nothing, or it did not come to it. */
json_t *stats_to_normal(const struct vm *vm);
/* The stages as a table; to be freed. */
char *stats_summary(const struct vm *vm);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics of a run as JSON: docs/stats.md lists the members. */
#ifndef DEBUG_STATS_H
#define DEBUG_STATS_H

struct err;
struct symtab;
struct vm;

/* Write the statistics of a stopped (or paused) machine to @path. @symbols may be NULL. */
int stats_write(const struct vm *vm, const char *path, const struct symtab *symbols, struct err *e);

#endif

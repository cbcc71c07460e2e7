/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor: text commands to a running machine (Ctrl-A c). */
#ifndef DEBUG_MONITOR_H
#define DEBUG_MONITOR_H

struct symtab;
struct vm;

/* Execute one line; the answer goes to @fd. In the main loop's thread. */
void monitor_line(struct vm *vm, const char *line, int fd, const struct symtab *symbols);

#endif

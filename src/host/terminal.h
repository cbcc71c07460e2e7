/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of the terminal, put back even if the process dies. */
#ifndef HOST_TERMINAL_H
#define HOST_TERMINAL_H

#include <termios.h>

/* From now on a fatal signal (a fault, abort(), SIGQUIT) first sets @settings on @fd and then does what it
 * would have done. A process has one terminal: a second call replaces the first. */
void terminal_guard(int fd, const struct termios *settings);
void terminal_unguard(void);

#endif

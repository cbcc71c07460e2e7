/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and sizes as users write them. */
#ifndef UTIL_PARSE_H
#define UTIL_PARSE_H

#include <stdbool.h>
#include <stdint.h>

/* Unsigned integer: decimal, 0x hexadecimal; underscores between digits allowed. The whole string
 * must be used. Returns 0, -EINVAL (not a number) or -ERANGE. */
int parse_u64(const char *s, uint64_t *out);

/* Size: number with optional fraction-free suffix K, M, G, T (binary; also KiB, MiB, KB, B...).
 * A number without suffix counts @unit bytes. -ERANGE when it does not fit in 64 bits. */
int parse_size(const char *s, uint64_t unit, uint64_t *out);

/* Frequency in Hz: number with optional k, M, G and optional "Hz". */
int parse_freq(const char *s, uint64_t *out);

/* true/false, on/off, yes/no, 1/0. */
int parse_bool(const char *s, bool *out);

/* Duration in ns: number with suffix s (default), ms, us, ns, m, h; decimals allowed. */
int parse_duration(const char *s, uint64_t *ns);

#endif

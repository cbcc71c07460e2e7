/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEV_BACKEND_HOSTMEM_H
#define DEV_BACKEND_HOSTMEM_H

#include <stdint.h>

struct dev;

/* The size property of a hostmem back end, bytes; 0 if not given. */
uint64_t hostmem_size(const struct dev *be);

#endif

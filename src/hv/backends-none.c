/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts without a back end: boards can be checked and printed, but not run. */
#include "hv/hv.h"

#include <stddef.h>

const struct hv_ops *const hv_backends[] = {NULL};

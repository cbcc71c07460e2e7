/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts without a hypervisor for Arm. */
#include "hv/hv.h"

#include "hv/soft/soft.h"

#include <stddef.h>

const struct hv_ops *const hv_backends[] = {&hv_soft_ops, NULL};

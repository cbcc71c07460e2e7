/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOFT_SOFT_H
#define SOFT_SOFT_H

#include "hv/hv.h"

extern const struct hv_ops hv_soft_ops;

#endif

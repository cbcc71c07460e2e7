/* SPDX-License-Identifier: Apache-2.0 */
/* Back ends of an arm64 Linux host. */
#include "hv/hv.h"
#include "hv/kvm/kvm.h"
#include "hv/soft/soft.h"

const struct hv_ops *const hv_backends[] = {&hv_kvm_ops, &hv_soft_ops, NULL};

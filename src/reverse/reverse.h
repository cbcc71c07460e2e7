/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The back end that gives PEs exception levels which the host's vCPUs do not have.
 *
 * It looks like any other to the layers above (hv.h). The architectural state of a vCPU is one of the engine `soft`,
 * which also carries out whatever is not executed natively: system instructions, exceptions, timers. Ordinary code
 * runs on vCPUs of another back end, which have EL1 and EL0 only; see reverse_int.h.
 */
#ifndef REVERSE_REVERSE_H
#define REVERSE_REVERSE_H

#include "hv/hv.h"

/* Not in hv_backends[]: it needs hv_vm_config.inner. */
extern const struct hv_ops hv_reverse_ops;

/* What this back end offers on one that offers @inner. */
void reverse_caps(const struct hv_caps *inner, struct hv_caps *caps);

#endif

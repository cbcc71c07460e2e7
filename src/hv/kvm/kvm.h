/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HV_KVM_KVM_H
#define HV_KVM_KVM_H

struct hv_ops;
extern const struct hv_ops hv_kvm_ops;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of the KVM user interface that are newer than the oldest kernel headers we build with. The
 * numbers are ABI: Documentation/virt/kvm/api.rst and devices/vm.rst of the kernel. */
#ifndef HV_KVM_ABI_H
#define HV_KVM_ABI_H

#include <linux/kvm.h>

#ifndef KVM_ARM_VM_SMCCC_CTRL
#define KVM_ARM_VM_SMCCC_CTRL	     0
#define KVM_ARM_VM_SMCCC_FILTER	     0

#define KVM_SMCCC_FILTER_FWD_TO_USER 2
struct kvm_smccc_filter {
	__u32 base;
	__u32 nr_functions;
	__u8 action;
	__u8 pad[15];
};
#endif

#ifndef KVM_HYPERCALL_EXIT_SMC
#define KVM_HYPERCALL_EXIT_SMC (1U << 0)
#endif

/* Register ids, for KVM_GET_ONE_REG and KVM_SET_ONE_REG (uapi/asm/kvm.h, KVM_REG_ARM_CORE). The
 * number is the offset in struct kvm_regs in 32-bit words. */
#define KVM_ID_CORE64(off)  (0x6030000000100000ULL | (off))
#define KVM_ID_CORE32(off)  (0x6020000000100000ULL | (off))
#define KVM_ID_CORE128(off) (0x6040000000100000ULL | (off))
#define KVM_ID_SYS(code)    (0x6030000000130000ULL | (code))

/* Linux 6.4 */
#ifndef KVM_CAP_COUNTER_OFFSET
#define KVM_CAP_COUNTER_OFFSET 227
struct kvm_arm_counter_offset {
	__u64 counter_offset;
	__u64 reserved;
};
#define KVM_ARM_SET_COUNTER_OFFSET _IOW(KVMIO, 0xb5, struct kvm_arm_counter_offset)
#endif

#endif

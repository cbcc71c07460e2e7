/* SPDX-License-Identifier: Apache-2.0 */
/* Items of the firmware configuration device that are known only when the machine starts. */
#ifndef DEV_FW_CFG_H
#define DEV_FW_CFG_H

#include <stdint.h>

struct dev;

/* Fixed selectors (QEMU, docs/specs/fw_cfg and standard-headers/linux/qemu_fw_cfg.h). Sizes are 32 bits,
 * little-endian. The ADDR items beside these are for machines other than Arm's. */
enum {
	FW_CFG_KERNEL_SIZE = 0x08,
	FW_CFG_INITRD_SIZE = 0x0b,
	FW_CFG_KERNEL_DATA = 0x11,
	FW_CFG_INITRD_DATA = 0x12,
	FW_CFG_CMDLINE_SIZE = 0x14,
	FW_CFG_CMDLINE_DATA = 0x15,
};

/* Offer bytes under a selector in place of what was there; @data is malloc()ed and becomes the
 * device's. Takes the lock. */
void fw_cfg_offer(struct dev *fw_cfg, uint16_t key, uint8_t *data, uint32_t size);

#endif

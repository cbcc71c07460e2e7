/* SPDX-License-Identifier: Apache-2.0 */
/* The one list of components. A new component: its descriptor here, its file in meson.build. */
#include "dev/component.h"

#include "util/bits.h"

/* COMPONENT(symbol), in alphabetical order of symbol. */
#define COMPONENT_LIST                                                                             \
	COMPONENT(arm_timer_component)                                                             \
	COMPONENT(cfi_flash_component)                                                             \
	COMPONENT(char_file_component)                                                             \
	COMPONENT(char_null_component)                                                             \
	COMPONENT(char_pty_component)                                                              \
	COMPONENT(char_socket_component)                                                           \
	COMPONENT(char_stdio_component)                                                            \
	COMPONENT(cpu_component)                                                                   \
	COMPONENT(firmware_component)                                                              \
	COMPONENT(fixed_clock_component)                                                           \
	COMPONENT(fw_cfg_component)                                                                \
	COMPONENT(gicv2_component)                                                                 \
	COMPONENT(gicv2m_component)                                                                \
	COMPONENT(gicv3_component)                                                                 \
	COMPONENT(gpio_keys_component)                                                             \
	COMPONENT(gpio_power_component)                                                            \
	COMPONENT(hostmem_component)                                                               \
	COMPONENT(linux_component)                                                                 \
	COMPONENT(machine_component)                                                               \
	COMPONENT(ns16550_component)                                                               \
	COMPONENT(pl011_component)                                                                 \
	COMPONENT(pl031_component)                                                                 \
	COMPONENT(pl061_component)                                                                 \
	COMPONENT(ram_component)                                                                   \
	COMPONENT(random_component)                                                                \
	COMPONENT(rawfile_component)                                                               \
	COMPONENT(rom_component)                                                                   \
	COMPONENT(tap_component)                                                                   \
	COMPONENT(user_component)                                                                  \
	COMPONENT(virtio_blk_component)                                                            \
	COMPONENT(virtio_console_component)                                                        \
	COMPONENT(virtio_mmio_component)                                                           \
	COMPONENT(virtio_net_component)                                                            \
	COMPONENT(virtio_rng_component)

#define COMPONENT(symbol) extern const struct component symbol;
COMPONENT_LIST
#undef COMPONENT

#define COMPONENT(symbol) &symbol,
const struct component *const components[] = {COMPONENT_LIST NULL};
#undef COMPONENT

const unsigned component_count = ARRAY_COUNT(components) - 1;

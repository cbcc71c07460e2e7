/* SPDX-License-Identifier: Apache-2.0 */
/* The one list of components. A new component: its descriptor here, its file in meson.build. */
#include "dev/component.h"

#include "util/bits.h"

/* COMPONENT(symbol), in alphabetical order of type. */
#define COMPONENT_LIST                                                                             \
	COMPONENT(gicv2_component)                                                                 \
	COMPONENT(gicv2m_component)                                                                \
	COMPONENT(gicv3_component)                                                                 \
	COMPONENT(virtio_blk_component)                                                            \
	COMPONENT(virtio_console_component)                                                        \
	COMPONENT(virtio_mmio_component)                                                           \
	COMPONENT(virtio_net_component)                                                            \
	COMPONENT(virtio_rng_component)                                                            \
	COMPONENT(random_component)                                                                \
	COMPONENT(rawfile_component)                                                               \
	COMPONENT(tap_component)                                                                   \
	COMPONENT(user_component)

#define COMPONENT(symbol) extern const struct component symbol;
COMPONENT_LIST
#undef COMPONENT

#define COMPONENT(symbol) &symbol,
const struct component *const components[] = {COMPONENT_LIST NULL};
#undef COMPONENT

const unsigned component_count = ARRAY_COUNT(components) - 1;

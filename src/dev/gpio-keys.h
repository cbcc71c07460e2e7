/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEV_GPIO_KEYS_H
#define DEV_GPIO_KEYS_H

#include <stdbool.h>

struct dev;

enum gpio_key { GPIO_KEYS_POWEROFF, GPIO_KEYS_RESTART, GPIO_KEYS_COUNT };

/* Press and release a key, from any thread without device locks. False: @d is no GPIO-KEYS, or the key
 * is not wired. */
bool gpio_keys_press(struct dev *d, enum gpio_key key);

#endif

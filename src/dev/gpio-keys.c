/* SPDX-License-Identifier: Apache-2.0 */
/* Push buttons on GPIO lines. Binding: input/gpio-keys.yaml. */
#include "dev/gpio-keys.h"

#include "dev/component.h"
#include "dev/dt.h"

/* Longer than the 5 ms for which the kernel's driver debounces by default. */
#define PRESS_NS 100000000ULL

extern const struct component gpio_keys_component;

struct gpio_keys {
	struct dev dev;
	struct irq key[GPIO_KEYS_COUNT];
	struct dev_timer release;
};

static const struct {
	const char *node, *label;
	uint32_t code; /* linux,code */
} keys[GPIO_KEYS_COUNT] = {
	{"poweroff", "GPIO Key Poweroff", 116},
	{"restart", "GPIO Key Restart", 408},
};

static void on_release(struct dev *d, void *opaque)
{
	struct gpio_keys *k = (struct gpio_keys *)d;

	for (unsigned i = 0; i < GPIO_KEYS_COUNT; i++)
		irq_set(&k->key[i], false);
}

bool gpio_keys_press(struct dev *d, enum gpio_key key)
{
	struct gpio_keys *k = (struct gpio_keys *)d;

	if (d->c != &gpio_keys_component || !k->key[key].sink)
		return false;
	dev_lock(d);
	irq_set(&k->key[key], true);
	dev_timer_arm(&k->release, dev_now_ns(d) + PRESS_NS);
	dev_unlock(d);
	return true;
}

static int gpio_keys_init(struct dev *d, struct err *e)
{
	dev_timer_init(&((struct gpio_keys *)d)->release, d, on_release, NULL);
	return 0;
}

static void gpio_keys_reset(struct dev *d)
{
	dev_timer_cancel(&((struct gpio_keys *)d)->release);
	on_release(d, NULL);
}

static void gpio_keys_fini(struct dev *d)
{
	dev_timer_fini(&((struct gpio_keys *)d)->release);
}

static void key_node(struct dt *dt, int parent, const struct irq *w, unsigned i)
{
	uint32_t gpios[3] = {w->sink->phandle, w->number, 0};
	int n = dt_subnode(dt, parent, keys[i].node);

	dt_str(dt, n, "label", keys[i].label);
	dt_u32(dt, n, "linux,code", keys[i].code);
	dt_cells(dt, n, "gpios", gpios, 3);
}

static int gpio_keys_dt(struct dev *d, struct dt *dt)
{
	struct gpio_keys *k = (struct gpio_keys *)d;
	int n = dt_node(dt, d->name, NULL);

	dt_str(dt, n, "compatible", "gpio-keys");
	for (unsigned i = 0; i < GPIO_KEYS_COUNT; i++) {
		if (k->key[i].sink)
			key_node(dt, n, &k->key[i], i);
	}
	return 0;
}

static const struct prop gpio_keys_props[] = {
	{.name = "poweroff",
	 .kind = PROP_IRQ,
	 .offset = offsetof(struct gpio_keys, key[GPIO_KEYS_POWEROFF]),
	 .help = "line of the power key: gpio:N@NAME"},
	{.name = "restart",
	 .kind = PROP_IRQ,
	 .offset = offsetof(struct gpio_keys, key[GPIO_KEYS_RESTART]),
	 .help = "line of the restart key: gpio:N@NAME"},
	{0},
};

const struct component gpio_keys_component = {
	.type = "GPIO-KEYS",
	.doc = "power and restart keys on GPIO lines",
	.size = sizeof(struct gpio_keys),
	.props = gpio_keys_props,
	.init = gpio_keys_init,
	.reset = gpio_keys_reset,
	.fini = gpio_keys_fini,
	.dt = gpio_keys_dt,
};

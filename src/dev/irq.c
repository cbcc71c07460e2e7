/* SPDX-License-Identifier: Apache-2.0 */
#include "dev/irq.h"

#include "dev/component.h"

void irq_set(struct irq *w, bool level)
{
	if (w->level == level)
		return;
	w->level = level;
	if (!w->sink)
		return;
	dev_lock(w->sink);
	w->sink->c->irq_input(w->sink, w->input, level);
	dev_unlock(w->sink);
}

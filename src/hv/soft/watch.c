/* SPDX-License-Identifier: Apache-2.0 */
/* What struct hv_watch is told: to which level and page a CPU goes. */
#include "hv/soft/sys.h"

static void tell(struct soft_cpu *c, uint64_t va, uint64_t pa)
{
	const struct hv_watch *w = c->sys->vm->watch;
	unsigned el = soft_ruling_el(c);
	struct hv_place place = {.va = va,
				 .pa = pa,
				 .el = (uint8_t)el,
				 .secure = el == 3 || soft_secure_below_el3(c)};

	c->sys->watch_code = w->place(w->opaque, c->sys->index, &place);
}

/* Without translation, as it is where something is entered for the first time. */
void soft_watch_level(struct soft_cpu *c, unsigned from, uint64_t pc)
{
	unsigned to = soft_ruling_el(c);

	if (c->sys->vm->watch && (from != to || to == 3))
		tell(c, pc, pc);
}

void soft_watch_code(struct soft_cpu *c, uint64_t pc)
{
	const struct soft_tlb_entry *e = c->sys->watch_code ? soft_look_up(c, pc, SOFT_EXEC) : NULL;

	if (e && e->host)
		tell(c, pc, e->pa | (pc & (SOFT_PAGE - 1)));
}

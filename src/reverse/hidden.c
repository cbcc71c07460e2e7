/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for tables, banks and copies of code: pages are handed out once. */
#include "reverse/reverse_int.h"

void *hidden_page(struct hidden *h, uint64_t *gpa)
{
	return hidden_pages(h, 1, gpa);
}

void *hidden_pages(struct hidden *h, unsigned count, uint64_t *gpa)
{
	void *page = NULL;

	pthread_mutex_lock(&h->lock);
	if (count <= REVERSE_HIDDEN / REVERSE_PAGE - h->used) {
		uint64_t offset = (uint64_t)h->used * REVERSE_PAGE;

		h->used += count;
		page = h->host + offset;
		*gpa = h->gpa + offset;
	}
	pthread_mutex_unlock(&h->lock);
	return page;
}

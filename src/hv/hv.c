/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/hv.h"

#include <string.h>

const struct hv_ops *hv_find(const char *name)
{
	for (unsigned i = 0; hv_backends[i]; i++) {
		if (!strcmp(hv_backends[i]->name, name))
			return hv_backends[i];
	}
	return NULL;
}

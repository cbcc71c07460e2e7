/* SPDX-License-Identifier: Apache-2.0 */
/* A serial line with nothing at its other end. */
#include "dev/backend.h"

struct char_null {
	struct dev dev;
};

static void null_attach(struct dev *be, const struct char_client *client)
{
}

static size_t null_write(struct dev *be, const uint8_t *data, size_t len)
{
	return len;
}

static void null_resume(struct dev *be)
{
}

static const struct backend_char_ops null_ops = {
	.attach = null_attach, .write = null_write, .resume = null_resume};

const struct component char_null_component = {
	.type = "null",
	.doc = "nothing at the other end",
	.cls = DEV_BACKEND,
	.size = sizeof(struct char_null),
	.backend = BACKEND_CHAR,
	.backend_ops = &null_ops,
};

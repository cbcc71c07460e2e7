/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_char.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct fake_char *fake_char(struct fixture *f)
{
	return (struct fake_char *)f->backend;
}

static void fake_attach(struct dev *be, const struct char_client *client)
{
	((struct fake_char *)be)->client = *client;
}

static size_t fake_write(struct dev *be, const uint8_t *data, size_t len)
{
	struct fake_char *c = (struct fake_char *)be;

	len = len < c->room ? len : c->room;
	c->room -= len;
	if (len > FAKE_CHAR_SIZE - c->out_len) /* only under a hammer */
		c->out_len = 0;
	memcpy(c->out + c->out_len, data, len);
	c->out_len += len;
	c->out[c->out_len] = '\0';
	return len;
}

/* Types what there is room for, with the port's lock held. */
static void fake_resume(struct dev *be)
{
	struct fake_char *c = (struct fake_char *)be;
	size_t room = c->client.can_receive(c->client.dev);
	const char *text = c->typed;
	size_t len = text ? strlen(text) : 0;

	len = len < room ? len : room;
	if (!len)
		return;
	c->typed += len; /* receive() may lead back here */
	c->client.receive(c->client.dev, (const uint8_t *)text, len);
}

static int fake_init(struct dev *d, struct err *e)
{
	((struct fake_char *)d)->room = FAKE_CHAR_SIZE;
	return 0;
}

void fake_char_type(struct fixture *f, const char *text)
{
	struct fake_char *c = fake_char(f);

	assert_true(!c->typed || !*c->typed);
	dev_lock(f->dev);
	c->typed = text;
	fake_resume(f->backend);
	dev_unlock(f->dev);
}

void fake_char_break(struct fixture *f)
{
	struct char_client *client = &fake_char(f)->client;

	dev_lock(f->dev);
	client->brk(client->dev);
	dev_unlock(f->dev);
}

void fake_char_expect(struct fixture *f, const char *text)
{
	assert_string_equal(fake_char(f)->out, text);
	fake_char(f)->out_len = 0;
	fake_char(f)->out[0] = '\0';
}

static const struct backend_char_ops fake_ops = {
	.attach = fake_attach, .write = fake_write, .resume = fake_resume};

const struct component fake_char_component = {
	.type = "fake-char",
	.cls = DEV_BACKEND,
	.size = sizeof(struct fake_char),
	.backend = BACKEND_CHAR,
	.backend_ops = &fake_ops,
	.init = fake_init,
};

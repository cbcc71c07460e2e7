// SPDX-License-Identifier: Apache-2.0
/*
 * Randomness of the host: getrandom(). With --seed (or the property "seed") a reproducible sequence
 * instead, which is not fit for secrets: splitmix64 (Steele, Lea, Flood 2014).
 */
#include "dev/backend.h"

#include <string.h>
#include <sys/random.h>

struct random_source {
	struct dev dev;
	uint64_t seed;
	uint64_t state; /* atomic: several threads may ask */
};

static uint64_t splitmix64(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static void fill_seeded(struct random_source *s, uint8_t *p, size_t len)
{
	while (len) {
		uint64_t v = splitmix64(
			__atomic_add_fetch(&s->state, 0x9e3779b97f4a7c15ULL, __ATOMIC_RELAXED));
		size_t n = len < sizeof(v) ? len : sizeof(v);

		memcpy(p, &v, n);
		p += n;
		len -= n;
	}
}

static void random_fill(struct dev *be, void *buf, size_t len)
{
	struct random_source *s = (struct random_source *)be;
	uint8_t *p = buf;

	if (s->seed) {
		fill_seeded(s, p, len);
		return;
	}
	while (len) {
		ssize_t n = getrandom(p, len, 0);

		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
}

static int random_init(struct dev *d, struct err *e)
{
	struct random_source *s = (struct random_source *)d;

	if (!s->seed)
		s->seed = d->host->seed;
	s->state = s->seed;
	return 0;
}

static const struct backend_rng_ops random_ops = {.fill = random_fill};

static const struct prop random_props[] = {
	{.name = "seed",
	 .kind = PROP_U64,
	 .offset = offsetof(struct random_source, seed),
	 .help = "start of a reproducible sequence; without it (and --seed) the host's randomness"},
	{.name = NULL},
};

const struct component random_component = {
	.type = "random",
	.doc = "random numbers of the host",
	.cls = DEV_BACKEND,
	.size = sizeof(struct random_source),
	.props = random_props,
	.backend = BACKEND_RNG,
	.backend_ops = &random_ops,
	.init = random_init,
};

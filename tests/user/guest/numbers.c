/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiled in the guest and on the build machine, with -ffp-contract=off: integers and IEEE arithmetic must
 * come out the same to the last bit.
 */
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLANETS = 5, SIDE = 60, THREADS = 4, SIEVE = 1000000 };

static void sieve(void)
{
	uint8_t *composite = calloc(SIEVE, 1);
	unsigned count = 0;

	for (unsigned i = 2; i < SIEVE; i++) {
		if (composite[i])
			continue;
		count++;
		for (uint64_t k = (uint64_t)i * i; k < SIEVE; k += i)
			composite[k] = 1;
	}
	free(composite);
	printf("primes %u\n", count); /* 78498 */
}

/* The arithmetic-geometric mean. */
static void pi(void)
{
	double a = 1, b = sqrt(0.5), t = 0.25, p = 1;

	for (int i = 0; i < 5; i++) {
		double next = (a + b) / 2;

		b = sqrt(a * b);
		t -= p * (a - next) * (a - next);
		p *= 2;
		a = next;
	}
	printf("pi %.15f %a\n", (a + b) * (a + b) / (4 * t), (a + b) * (a + b) / (4 * t));
}

static void mandelbrot(void)
{
	uint64_t total = 0;
	float sum = 0;

	for (int y = 0; y < 80; y++) {
		for (int x = 0; x < 120; x++) {
			float cr = x / 40.0f - 2.2f, ci = y / 40.0f - 1.0f, zr = 0, zi = 0;
			int n = 0;

			for (; n < 200 && zr * zr + zi * zi < 4; n++) {
				float next = zr * zr - zi * zi + cr;

				zi = 2 * zr * zi + ci;
				zr = next;
			}
			total += n;
			sum += n < 200 ? zr : zi;
		}
	}
	printf("mandelbrot %llu %a\n", (unsigned long long)total, sum);
}

/* Gaussian elimination of a Hilbert-like matrix. */
static void solve(void)
{
	static double m[SIDE][SIDE + 1];
	double error = 0;

	for (int i = 0; i < SIDE; i++) {
		m[i][SIDE] = 0;
		for (int k = 0; k < SIDE; k++) {
			m[i][k] = 1.0 / (i + k + 1) + (i == k);
			m[i][SIDE] += m[i][k];
		}
	}
	for (int i = 0; i < SIDE; i++) {
		for (int r = 0; r < SIDE; r++) {
			double f = m[r][i] / m[i][i];

			for (int k = i; r != i && k <= SIDE; k++)
				m[r][k] -= f * m[i][k];
		}
	}
	for (int i = 0; i < SIDE; i++)
		error += fabs(m[i][SIDE] / m[i][i] - 1);
	printf("solve %s %a\n", error < 1e-10 ? "ok" : "bad",
	       m[SIDE - 1][SIDE] / m[SIDE - 1][SIDE - 1]);
}

/* Conversions, rounding, the ends of the range. */
static void edges(void)
{
	volatile double big = DBL_MAX, tiny = DBL_TRUE_MIN, zero = 0;
	volatile float third = 1.0f / 3;

	printf("edges %a %a %a %d %d\n", big * 2, tiny / 2, -zero, isnan(zero / zero),
	       (int)(third * 30));
	printf("edges %a %a %lld %llu\n", (double)third, floor(-2.5) + rint(2.5) + trunc(-3.7),
	       (long long)(big / 1e290), (unsigned long long)(tiny + 1e19));
	printf("edges %a %a\n", fma(third, 3.0, -1.0), (double)fmaf(third, 3.0f, -1.0f));
}

static void wide(void)
{
	unsigned __int128 a = 1;
	uint64_t mix = 0x9e3779b97f4a7c15u;

	for (int i = 1; i < 30; i++)
		a *= i;
	for (int i = 0; i < 3000000; i++) {
		mix ^= mix << 13;
		mix ^= mix >> 7;
		mix ^= mix << 17;
		mix += mix / (i % 1000 + 3);
	}
	printf("wide %llx %llx %llx\n", (unsigned long long)(a >> 64), (unsigned long long)a,
	       (unsigned long long)mix);
}

static atomic_ulong counter;
static unsigned long guarded;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *thread(void *unused)
{
	for (int i = 0; i < 20000; i++) {
		atomic_fetch_add(&counter, 3);
		pthread_mutex_lock(&lock);
		guarded++;
		pthread_mutex_unlock(&lock);
	}
	return unused;
}

static void threads(void)
{
	pthread_t t[THREADS];

	for (int i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, thread, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	printf("threads %lu %lu\n", atomic_load(&counter), guarded);
}

/* Bytes and short integers, which the compiler makes vectors of. */
static void vectors(void)
{
	static uint8_t a[4096], b[4096];
	static int16_t c[4096];
	uint32_t sum = 0;
	int32_t product = 0;

	for (int i = 0; i < 4096; i++) {
		a[i] = (uint8_t)(i * 7 + 1);
		b[i] = (uint8_t)(i * i + 3);
		c[i] = (int16_t)(i * 31 - 9000);
	}
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 4096; i++) {
			sum += abs(a[i] - b[i]);
			product += c[i] * (int8_t)a[i];
			b[i] = a[i] > b[i] ? a[i] : (uint8_t)(b[i] + c[i]);
		}
	}
	printf("vectors %u %d %d\n", sum, product, memcmp(a, b, sizeof(a)) > 0);
}

int main(void)
{
	sieve();
	pi();
	mandelbrot();
	solve();
	edges();
	wide();
	threads();
	vectors();
	return 0;
}

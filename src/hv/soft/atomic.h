/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Atomic accesses to guest memory, sequentially consistent, which is at least what A64's acquire and
 * release ask for. Addresses are naturally aligned, numbers in the host's byte order and zero-extended.
 *
 * 16 bytes are written out for each host: the compiler's own call a library that may take a lock, which
 * plain stores of other CPUs would not respect.
 *
 * Any thread.
 */
#ifndef SOFT_ATOMIC_H
#define SOFT_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

static inline uint64_t atomic_get(const void *p, unsigned bytes)
{
	switch (bytes) {
	case 1:
		return __atomic_load_n((const uint8_t *)p, __ATOMIC_SEQ_CST);
	case 2:
		return __atomic_load_n((const uint16_t *)p, __ATOMIC_SEQ_CST);
	case 4:
		return __atomic_load_n((const uint32_t *)p, __ATOMIC_SEQ_CST);
	default:
		return __atomic_load_n((const uint64_t *)p, __ATOMIC_SEQ_CST);
	}
}

static inline void atomic_put(void *p, unsigned bytes, uint64_t value)
{
	switch (bytes) {
	case 1:
		__atomic_store_n((uint8_t *)p, value, __ATOMIC_SEQ_CST);
		break;
	case 2:
		__atomic_store_n((uint16_t *)p, value, __ATOMIC_SEQ_CST);
		break;
	case 4:
		__atomic_store_n((uint32_t *)p, value, __ATOMIC_SEQ_CST);
		break;
	default:
		__atomic_store_n((uint64_t *)p, value, __ATOMIC_SEQ_CST);
	}
}

#define ATOMIC_CAS(type)                                                                           \
	{                                                                                          \
		type old = (type)*expected;                                                        \
		bool done = __atomic_compare_exchange_n((type *)p, &old, (type)desired, false,     \
							__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);       \
                                                                                                   \
		*expected = old;                                                                   \
		return done;                                                                       \
	}

/* False: @expected was not there; it is now what was. */
static inline bool atomic_cas(void *p, unsigned bytes, uint64_t *expected, uint64_t desired)
{
	switch (bytes) {
	case 1:
		ATOMIC_CAS(uint8_t)
	case 2:
		ATOMIC_CAS(uint16_t)
	case 4:
		ATOMIC_CAS(uint32_t)
	default:
		ATOMIC_CAS(uint64_t)
	}
}
#undef ATOMIC_CAS

#if defined(__x86_64__)
static inline bool atomic_cas16(void *p, uint64_t expected[2], const uint64_t desired[2])
{
	bool done;

	__asm__ volatile("lock cmpxchg16b %[m]"
			 : [m] "+m"(*(__uint128_t *)p), "+a"(expected[0]), "+d"(expected[1]),
			   "=@ccz"(done)
			 : "b"(desired[0]), "c"(desired[1])
			 : "memory");
	return done;
}
#elif defined(__aarch64__)
/* The pair that was read is known to have been there as a whole only if a store-exclusive succeeds:
 * if it is not as expected, it is stored as it is. */
static inline bool atomic_cas16(void *p, uint64_t expected[2], const uint64_t desired[2])
{
	uint64_t old[2], new[2];
	uint32_t failed;
	bool done;

	__asm__ volatile("1:\n"
			 "ldaxp %[old0], %[old1], %[m]\n"
			 "cmp %[old0], %[expected0]\n"
			 "ccmp %[old1], %[expected1], #0, eq\n"
			 "csel %[new0], %[desired0], %[old0], eq\n"
			 "csel %[new1], %[desired1], %[old1], eq\n"
			 "stlxp %w[failed], %[new0], %[new1], %[m]\n"
			 "cbnz %w[failed], 1b\n"
			 : [old0] "=&r"(old[0]), [old1] "=&r"(old[1]), [new0] "=&r"(new[0]),
			   [new1] "=&r"(new[1]), [failed] "=&r"(failed), [m] "+Q"(*(__uint128_t *)p)
			 : [expected0] "r"(expected[0]), [expected1] "r"(expected[1]),
			   [desired0] "r"(desired[0]), [desired1] "r"(desired[1])
			 : "cc", "memory");
	done = old[0] == expected[0] && old[1] == expected[1];
	expected[0] = old[0];
	expected[1] = old[1];
	return done;
}
#else
#error "this host needs a compare-and-swap of 16 bytes"
#endif

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Stages of the boot are told by where PEs go and by what is there. */
#include "pe/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* A flash at 0, Secure RAM and Non-secure RAM; all as large as needed here. */
enum { FLASH_SIZE = 64 << 10, SECURE_SIZE = 64 << 10, RAM_SIZE = 48 << 20 };
#define SECURE 0x0e000000ULL
#define RAM    0x40000000ULL
#define UPPER  0xffff800008000000ULL

struct world {
	uint8_t flash[FLASH_SIZE], secure[SECURE_SIZE];
	uint8_t *ram;
	unsigned reads;
	struct stage_memory mem;
	struct stage_machine machine;
	struct stage_pe pe[2];
	bool more;
};

static uint8_t *memory(struct world *w, uint64_t pa, uint64_t len)
{
	if (pa < FLASH_SIZE && len <= FLASH_SIZE - pa)
		return &w->flash[pa];
	if (pa - SECURE < SECURE_SIZE && len <= SECURE_SIZE - (pa - SECURE))
		return &w->secure[pa - SECURE];
	if (pa - RAM < RAM_SIZE && len <= RAM_SIZE - (pa - RAM))
		return &w->ram[pa - RAM];
	return NULL;
}

static bool read_memory(void *opaque, uint64_t pa, void *buf, uint64_t len, bool secure)
{
	struct world *w = opaque;
	uint8_t *p = memory(w, pa, len);

	w->reads++;
	if (!p || (pa - SECURE < SECURE_SIZE && !secure))
		return false;
	memcpy(buf, p, len);
	return true;
}

static uint64_t which(void *opaque, uint64_t pa)
{
	return pa < FLASH_SIZE ? 0 : pa - SECURE < SECURE_SIZE ? SECURE : RAM;
}

static int setup(void **state)
{
	struct world *w = test_calloc(1, sizeof(*w));

	w->ram = test_calloc(1, RAM_SIZE);
	w->mem = (struct stage_memory){w, read_memory, which};
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	test_free(w->ram);
	test_free(w);
	return 0;
}

static const char *at(struct world *w, unsigned pe, unsigned el, bool secure, uint64_t va,
		      uint64_t pa)
{
	struct hv_place p = {.va = va, .pa = pa, .el = (uint8_t)el, .secure = secure};

	w->more = stage_at(&w->machine, &w->pe[pe], &w->mem, &p);
	return stage_name(w->pe[pe].now);
}

static const char *el3(struct world *w, unsigned pe, uint64_t pa)
{
	return at(w, pe, 3, true, pa, pa);
}

static const char *s_el1(struct world *w, unsigned pe, uint64_t pa)
{
	return at(w, pe, 1, true, pa, pa);
}

static const char *ns(struct world *w, unsigned pe, unsigned el, uint64_t pa)
{
	return at(w, pe, el, false, pa, pa);
}

static void put64(struct world *w, uint64_t pa, uint64_t value)
{
	memcpy(memory(w, pa, 8), &value, 8);
}

static void put_text(struct world *w, uint64_t pa, const char *text)
{
	memcpy(memory(w, pa, strlen(text)), text, strlen(text));
}

static void put_linux(struct world *w, uint64_t pa, uint64_t size)
{
	put64(w, pa + 16, size);
	put_text(w, pa + 56, "ARM\x64");
}

static void put_u_boot(struct world *w, uint64_t pa)
{
	put64(w, pa, 0x1400000a);
	put64(w, pa + 16, 0x80000);
	put_text(w, pa + 0x40000 - 3,
		 "U-Boot 2023.01"); /* across two of the pieces that are read */
}

/* ---- tests ---- */

static void boots_in_order(void **state)
{
	struct world *w = *state;

	put_u_boot(w, RAM + (32 << 20));
	put_linux(w, RAM + (2 << 20), 16 << 20);
	assert_string_equal(el3(w, 0, 0), "bl1");
	assert_true(w->more);
	assert_string_equal(s_el1(w, 0, SECURE + 0x1000), "bl2");
	assert_false(w->more);
	assert_string_equal(el3(w, 0, 0x400), "bl1"); /* SMC */
	assert_string_equal(el3(w, 0, SECURE + 0x8000), "bl31");
	assert_string_equal(s_el1(w, 0, SECURE + 0x4000), "optee");
	assert_string_equal(el3(w, 0, SECURE + 0x9400), "bl31");
	assert_string_equal(ns(w, 0, 2, RAM + (32 << 20)), "u-boot");
	assert_true(w->more);
	assert_string_equal(ns(w, 0, 2, RAM + (33 << 20)), "u-boot");
	assert_string_equal(ns(w, 0, 2, RAM + (34 << 20)), "u-boot");
	assert_string_equal(ns(w, 0, 2, RAM + (2 << 20)), "linux");
	assert_false(w->more);
	assert_string_equal(ns(w, 0, 1, RAM + (3 << 20)), "linux");
	assert_string_equal(el3(w, 0, SECURE + 0x9400), "bl31");
	assert_string_equal(s_el1(w, 0, SECURE + 0x5000), "optee");
	assert_string_equal(el3(w, 0, SECURE + 0x9400), "bl31");
	assert_string_equal(ns(w, 0, 1, RAM), "linux");
}

static void other_pes_join(void **state)
{
	struct world *w = *state;

	put_linux(w, RAM, 16 << 20);
	el3(w, 0, 0);
	el3(w, 0, SECURE);
	assert_string_equal(el3(w, 1, 0), "bl1");
	assert_string_equal(ns(w, 0, 2, RAM), "linux");
	assert_string_equal(el3(w, 1, SECURE + 0x8000),
			    "bl31"); /* a branch out of the holding pen */
	assert_string_equal(ns(w, 1, 2, RAM + 0x12340), "linux");
}

static void kernel_alone(void **state)
{
	struct world *w = *state;

	put_linux(w, RAM + (2 << 20), 16 << 20);
	assert_string_equal(ns(w, 0, 1, RAM + (2 << 20)), "linux");
	assert_false(w->more);
}

/* The EFI stub jumps into the middle of the kernel. */
static void kernel_by_its_stub(void **state)
{
	struct world *w = *state;
	uint64_t kernel = RAM + (18 << 20) + 0x10000;

	put_text(w, RAM + 40, "_FVH");
	put_linux(w, kernel, 16 << 20);
	assert_string_equal(ns(w, 0, 2, RAM), "edk2");
	assert_string_equal(ns(w, 0, 2, kernel + 0x5000), "edk2");
	assert_string_equal(ns(w, 0, 1, kernel + 0x7000), "linux");
}

static void kernel_in_the_upper_half(void **state)
{
	struct world *w = *state;
	uint64_t kernel = RAM + (18 << 20);

	put_u_boot(w, RAM);
	put_linux(w, kernel, 16 << 20);
	assert_string_equal(ns(w, 0, 1, RAM), "u-boot");
	assert_string_equal(at(w, 0, 1, false, UPPER, kernel + (16 << 20)),
			    "u-boot"); /* behind it */
	assert_string_equal(at(w, 0, 1, false, UPPER, kernel + 0x5000), "linux");
}

/* U-Boot and EDK2 may have the header of Linux, too. */
static void disguised(void **state)
{
	struct world *w = *state;

	put_linux(w, RAM, 0x80000);
	put_text(w, RAM + 0x7fff0, "U-Boot 2024.10");
	assert_string_equal(ns(w, 0, 2, RAM), "u-boot");
	memset(w->pe, 0, sizeof(w->pe));
	w->machine = (struct stage_machine){0};
	put_linux(w, RAM + (2 << 20), 2 << 20);
	put64(w, RAM + (2 << 20), 0x14001fff10000001); /* adr, b */
	put_text(w, RAM + (2 << 20) + 0x8000 + 40, "_FVH");
	assert_string_equal(ns(w, 0, 2, RAM + (2 << 20)), "edk2");
	memset(w->pe, 0, sizeof(w->pe));
	w->machine = (struct stage_machine){0};
	put64(w, RAM + (4 << 20), 0x14000400);
	put_text(w, RAM + (4 << 20) + 0x1000 + 40, "_FVH");
	assert_string_equal(ns(w, 0, 2, RAM + (4 << 20)), "edk2");
}

static void u_boot_at_el3(void **state)
{
	struct world *w = *state;

	put64(w, 0, 0x1400000a);
	put64(w, 16, 0x8000);
	put_text(w, 0x7000, "U-Boot 2023.01");
	assert_string_equal(el3(w, 0, 0), "u-boot");
	assert_string_equal(el3(w, 0, RAM + 0x1000), "u-boot");	  /* relocated */
	assert_string_equal(ns(w, 0, 2, RAM + 0x1234), "u-boot"); /* it has left EL3 */
}

static void unknown(void **state)
{
	struct world *w = *state;
	unsigned reads;

	assert_string_equal(ns(w, 0, 2, RAM), "ns-el2");
	assert_string_equal(ns(w, 0, 1, RAM + 0x5000), "ns-el2");
	for (unsigned i = 0; i < 100; i++)
		at(w, 0, 1, false, UPPER + 4096 * i, RAM + 4096 * i);
	assert_string_equal(stage_name(w->pe[0].now), "ns-el2");
	assert_false(w->more); /* there is an end to searching */
	reads = w->reads;
	at(w, 0, 1, false, UPPER, RAM);
	assert_int_equal(w->reads, reads);
	memset(w->pe, 0, sizeof(w->pe));
	w->machine = (struct stage_machine){0};
	assert_string_equal(ns(w, 0, 1, RAM), "ns-el1");
	assert_string_equal(s_el1(w, 0, SECURE), "s-el1");
}

/* Headers that lie. */
static void hostile(void **state)
{
	struct world *w = *state;

	put_linux(w, RAM, ~0ULL);
	put64(w, RAM, 0x14000001);
	assert_string_equal(ns(w, 0, 2, RAM), "ns-el2");
	memset(w->pe, 0, sizeof(w->pe));
	w->machine = (struct stage_machine){0};
	put_linux(w, RAM, 200 << 20); /* longer than the memory */
	assert_string_equal(ns(w, 0, 2, RAM), "linux");
	memset(w->pe, 0, sizeof(w->pe));
	w->machine = (struct stage_machine){0};
	assert_string_equal(ns(w, 0, 2, 0x12345678), "ns-el2"); /* no memory */
	assert_string_equal(ns(w, 0, 1, ~0ULL), "ns-el2");
	assert_string_equal(at(w, 0, 1, false, ~0ULL, 0), "ns-el2");
	assert_string_equal(el3(w, 1, ~0ULL), "bl1");
	put64(w, RAM + (6 << 20), 0x1600000017ffffff); /* branches to nothing */
	w->machine = (struct stage_machine){0};
	assert_string_equal(ns(w, 1, 1, RAM + (6 << 20)), "ns-el1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(boots_in_order),
		TEST(other_pes_join),
		TEST(kernel_alone),
		TEST(kernel_by_its_stub),
		TEST(kernel_in_the_upper_half),
		TEST(disguised),
		TEST(u_boot_at_el3),
		TEST(unknown),
		TEST(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

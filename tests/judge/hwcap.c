// SPDX-License-Identifier: Apache-2.0
/* Features and how Linux tells programs of them: Documentation/arch/arm64/elf_hwcaps.rst. */
#include "rig.h"

#include <string.h>

static const struct {
	const char *name;
	unsigned bit, bit2; /* of AT_HWCAP, AT_HWCAP2; 64: none */
} hwcaps[] = {
	{"AES", 3, 64},	    {"PMULL", 4, 64},  {"SHA1", 5, 64},	   {"SHA256", 6, 64},
	{"CRC32", 7, 64},   {"LSE", 8, 64},    {"LOR", 8, 64},	   {"FP16", 9, 64},
	{"RDM", 12, 64},    {"JSCVT", 13, 64}, {"FCMA", 14, 64},   {"LRCPC", 15, 64},
	{"SHA3", 17, 64},   {"SM3", 18, 64},   {"SM4", 19, 64},	   {"DotProd", 20, 64},
	{"SHA512", 21, 64}, {"FHM", 23, 64},   {"LRCPC2", 26, 64}, {"FlagM", 27, 64},
	{"SB", 29, 64},	    {"FlagM2", 64, 7}, {"FRINTTS", 64, 8}, {"I8MM", 64, 13},
	{"BF16", 64, 14},
};

/* PAuth is never there: its keys are random. */
bool judge_has_feature(const struct judge_hello *h, const char *name)
{
	if (strcmp(name, "BASE") == 0)
		return true;
	for (unsigned i = 0; i < sizeof(hwcaps) / sizeof(hwcaps[0]); i++) {
		if (strcmp(hwcaps[i].name, name) != 0)
			continue;
		return !h || (hwcaps[i].bit < 64 && h->hwcap >> hwcaps[i].bit & 1) ||
		       (hwcaps[i].bit2 < 64 && h->hwcap2 >> hwcaps[i].bit2 & 1);
	}
	return false;
}

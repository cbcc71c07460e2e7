/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target: a program out of the input, on soft and on src/reverse; they must end in the same state. */
#include "reverse_pair.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct reverse_pair *pair;
	char text[256];

	if (!pair)
		pair = reverse_pair_create();
	if (reverse_pair_run(pair, data, size, text) == PAIR_DIFFERS) {
		reverse_pair_print(pair);
		fprintf(stderr, "%s\n", text);
		abort();
	}
	return 0;
}

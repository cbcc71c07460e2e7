/* SPDX-License-Identifier: Apache-2.0 */
/* Names for reports. */
#ifndef DEBUG_NAMES_H
#define DEBUG_NAMES_H

#include "hv/hv.h"
#include "intercept/policy.h"

enum { NAME_INSN_MAX = 64 };

const char *name_exit(enum hv_exit_kind kind);
/* "mrs ICC_IAR1_EL1", "hvc", "br" ... without operands that vary. */
void name_insn(const struct policy_row *row, uint32_t word, char out[NAME_INSN_MAX]);
/* The same for any word: "msr SCR_EL3", "tlbi alle3", "eret" ... */
void name_word(uint32_t word, char out[NAME_INSN_MAX]);
const char *name_inner(enum hv_inner kind);

#endif

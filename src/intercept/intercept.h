/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interception mechanism: finding instructions the policy names, and replacing them by BRK #slot.
 *
 * A slot stands for one original instruction word, whatever its address, so patched code that the
 * guest copies keeps working. Slots use BRK immediates INTERCEPT_SLOT_FIRST..LAST; a BRK of the guest
 * with such an immediate gets a slot of its own when it is found.
 *
 * Code is found in two ways:
 *  - discovery follows the flow of control from an address that is about to be executed, and so never
 *    touches data. Indirect branches on the way are intercepted until their targets are known.
 *  - a linear scan takes every word of pages that the guest has mapped executable.
 *
 * Addresses are guest-physical; discovery is given a translation. Functions are called with every PE
 * stopped (pe_pause) or before start, except intercept_slot(), which anybody may call at any time, and
 * intercept_is_site(), which a PE may call that is not stopped, since nothing changes then.
 */
#ifndef INTERCEPT_INTERCEPT_H
#define INTERCEPT_INTERCEPT_H

#include "intercept/policy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct intercept;
struct mem_space;

enum { INTERCEPT_SLOT_FIRST = 0xc000, INTERCEPT_SLOT_LAST = 0xdfff };

struct intercept_slot {
	uint32_t word; /* the original instruction */
	const struct policy_row *row;
};

struct intercept_counts {
	uint64_t words_scanned;
	uint64_t patches;  /* words replaced, again after a change counts again */
	uint64_t restores; /* words given back */
	uint64_t releases; /* of them, because the site had become hot */
	unsigned slots;
	unsigned sites;	      /* places patched at this moment */
	unsigned slots_short; /* words left alone because all slots or sites were taken */
};

struct intercept *intercept_create(struct mem_space *mem);
void intercept_destroy(struct intercept *ic);
/* The guest was reset and its memory loaded anew: forget sites and known code; slots stay. */
void intercept_reset(struct intercept *ic);

/* An image has been loaded at [gpa, gpa+len): immediates of BRK words in it are not used for slots, so
 * that the guest's BRKs and ours cannot be mistaken for each other. */
void intercept_reserve(struct intercept *ic, uint64_t gpa, uint64_t len);

/* The slot of a BRK immediate, or NULL if the BRK is the guest's. Lock-free. */
const struct intercept_slot *intercept_slot(const struct intercept *ic, uint16_t imm);

/* Guest virtual to guest physical for instruction fetch; false: not mapped. */
typedef bool intercept_translate_fn(void *opaque, uint64_t va, uint64_t *gpa);

/* Follow the flow of control from @va and patch what @when's rows name. Known code that has changed
 * since is looked at again. Returns the number of words seen for the first time. */
unsigned intercept_discover(struct intercept *ic, uint64_t va, intercept_translate_fn *translate,
			    void *opaque, unsigned when);

/* Known code may have been overwritten: the page at @gpa, or all pages. Words that changed are
 * followed again, from the virtual addresses they were followed at. */
void intercept_recheck(struct intercept *ic, uint64_t gpa, intercept_translate_fn *translate,
		       void *opaque, unsigned when);
void intercept_recheck_all(struct intercept *ic, intercept_translate_fn *translate, void *opaque,
			   unsigned when);

/* Patch every word in [gpa, gpa+len) that @when's rows name. */
void intercept_scan(struct intercept *ic, uint64_t gpa, uint64_t len, unsigned when);

/* Patch what @when's rows name in all of the pages that discovery has followed code in. */
void intercept_scan_known(struct intercept *ic, unsigned when);

/* Give back every site for which @keep says no (its memory is not code, or its row no longer
 * applies), and drop what discovery remembered. @followed: discovery came through the site, so it is
 * code whatever the tables say. */
typedef bool intercept_keep_fn(void *opaque, uint64_t gpa, const struct policy_row *row,
			       bool followed);
void intercept_restore(struct intercept *ic, intercept_keep_fn *keep, void *opaque);

/* Is there a patch of ours at @gpa (not a copy the guest made)? */
bool intercept_is_site(const struct intercept *ic, uint64_t gpa);

/* Put the original word back at @gpa for one native execution, and the patch again afterwards.
 * intercept_lift() returns false if there is no patch at @gpa. */
bool intercept_lift(struct intercept *ic, uint64_t gpa);
void intercept_lower(struct intercept *ic, uint64_t gpa);
/* Give the word back for good: the site is hot and teaches nothing. */
void intercept_release(struct intercept *ic, uint64_t gpa);
/* Patch the word at @gpa, in a page that discovery knows, again. */
void intercept_rearm(struct intercept *ic, uint64_t gpa, unsigned when);

void intercept_counts(const struct intercept *ic, struct intercept_counts *c);

#endif

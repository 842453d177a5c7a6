// SPDX-License-Identifier: Apache-2.0
// The letters behind an event's colon or last slash, as perf reads them (linux:
// tools/perf/util/parse-events.c, get_event_modifier).
#pragma once

#include <linux/perf_event.h>
#include <stdbool.h>

#define MODIFIERS_MAX 16 // every letter once, three p, and the NUL

// Is `text` one of modifiers' letters, each at most once (p up to three times)? When not, 0 bytes
// or the letter that is wrong is in *ret_wrong.
bool modifiers_valid(const char *text, char *ret_wrong);

// Adds the letters that `modifiers` does not have yet (p: all of them, to three).
void modifiers_add(char modifiers[MODIFIERS_MAX], const char *more);

// What they ask for: u, k, h: count only there. G, H: guests, host. I: not the idle task. p:
// precision. D: pinned and e: exclusive, of a group's leader. S and P speak of sampling and W is
// what groups here always are: accepted, they change nothing.
void modifiers_apply(const char *modifiers, bool leader, struct perf_event_attr *attr);

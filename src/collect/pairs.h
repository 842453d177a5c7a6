// SPDX-License-Identifier: Apache-2.0
// The two sides of a ratio, which are to be counted together wherever that can be.
#pragma once

#include "model/event.h"

// Puts the sides of ratios next to each other. `members` are events of one group; ret_pair[k] says
// that members k and k + 1 are such.
void pairs_order(const struct event_table *events, size_t *members, size_t n, bool *ret_pair);

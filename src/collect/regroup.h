// SPDX-License-Identifier: Apache-2.0
// What is done about groups that get no counters in the middle of a run: they are counted in parts
// (apart.h) until they run again, and what gets none even so is told of.
#pragma once

#include "collect/apart.h"
#include "collect/starve.h"

#define REGROUP_TEXT_MAX 512 // what it has to say

struct regroup {
    struct starve starve;
    struct apart *apart; // [group], owned
    size_t n_groups;
    bool *told; // [event]: that it gets no counter; owned
};

// 0 or -ENOMEM. `set`: as it stays for the whole run.
int regroup_init(struct regroup *r, const struct group_set *set, const struct readings *readings);
void regroup_done(struct regroup *r);

// What of a tick is left, until CLOCK_MONOTONIC is `until`, and a part of one at least: looks, and
// opens or closes. True when there is something to tell: a sentence of at most REGROUP_TEXT_MAX
// bytes.
bool regroup_step(struct regroup *r, struct group_set *set, const struct event_table *events,
                  const struct perf_event_attr *attrs, const struct target *target,
                  struct readings *readings, ns_t until, char *ret_text);

// A CPU went, or came: as group_close_row() and group_open_row(), of all groups and their parts.
void regroup_close_row(struct regroup *r, struct group_set *set, size_t row);
void regroup_open_row(struct regroup *r, struct group_set *set, const struct perf_event_attr *attrs,
                      const struct target *target, size_t row, const struct readings *readings);
// As group_read(), of all groups and their parts.
void regroup_read(const struct regroup *r, const struct group_set *set, ns_t elapsed,
                  struct readings *readings);
size_t regroup_descriptors(const struct regroup *r);

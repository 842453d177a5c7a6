// SPDX-License-Identifier: Apache-2.0
// How what was asked for becomes the collector's table of events: collector_events.c.
#pragma once

#include "collect/collector.h"

// The events and attrs of the list, for each cgroup; of a hybrid processor's task, an event of each
// core type beside what cannot be counted whole. *ret_cpus: where each may be opened, the caller's
// to free, pointing into the list. Each gives 0 or -errno.
int collector_describe(struct collector *c, const struct event_list *list,
                       struct event_cpus **ret_cpus);
// Puts the members of a group next to each other, as a perf.data stream names them (leader and
// number of members), keeping their order otherwise; `cpus` along with them.
int collector_order(struct collector *c, struct event_cpus *cpus);
// Groups of a PMU that counts on some CPUs only are opened on those.
int collector_restrict(struct collector *c, const struct event_cpus *cpus);
// On a hybrid processor's CPUs: a series of each core type beside each event that all types have.
int collector_describe_parts(struct collector *c);

// SPDX-License-Identifier: Apache-2.0
// What -e asks for, in perf's spelling, as attributes to open:
// "cycles,instructions:u,{branches,branch-misses},r1a8,msr/tsc/,sched:sched_switch".
#pragma once

#include "collect/event_request.h"

struct event_list {
    struct event_request *requests; // owned
    size_t n;
    int n_groups;
};

#define EVENT_LIST_MAX                                                                             \
    256 // events on one command line; a limit against typing errors such as a pasted file
#define EVENT_TEXT_MAX 1024 // of one event with its terms; perf's own longest are about 300

// The default: the four hardware events of the CSV with their references, each ratio's two sides in
// one group, and the software events in one of their own (a software event would be scaled where
// its group is multiplexed). `task`: task-clock too, which counts wall time when it is system-wide.
const char *event_list_default(bool task);

// Parses `text` into `ret` (to be freed with event_list_done()). PMUs and tracepoints are looked up
// in /sys under `root`, and last in libpfm4's tables. One text may give several requests: the
// tracepoints of a pattern ("sched:sched_*"), a PMU of several units
// ("uncore_imc/cas_count_read/"). On an error, -EINVAL or -E2BIG or -ENOMEM, and `ret_message`
// (EVENT_REASON_MAX) says in a sentence what is wrong, with names that are nearest to an unknown
// one.
int event_list_parse(const char *root, const char *text, struct event_list *ret, char *ret_message);
void event_list_done(struct event_list *l);

// Appends `r` (its cpus are taken over, also on failure) in this group; a negative number: a group
// of its own.
int event_list_add(struct event_list *l, struct event_request *r, int group, char *ret_message);

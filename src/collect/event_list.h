// SPDX-License-Identifier: Apache-2.0
// What -e asks for, in perf's spelling, as attributes to open:
// "cycles,instructions:u,{branches,branch-misses},r1a8".
#pragma once

#include "model/event.h"

#include <linux/perf_event.h>

struct event_request {
    char name[EVENT_NAME_MAX];   // as it was asked for
    struct perf_event_attr attr; // type, config, exclude_*: the rest is group.c's business
    int group;                   // requests with the same number belong together
};

struct event_list {
    struct event_request *requests; // owned
    size_t n;
    int n_groups;
};

#define EVENT_LIST_MAX                                                                             \
    256 // events on one command line; a limit against typing errors such as a pasted file

// The default: the four hardware events of the CSV with their references, each ratio's two sides in
// one group, and the software events in one of their own (a software event would be scaled where
// its group is multiplexed). `task`: task-clock too, which counts wall time when it is system-wide.
const char *event_list_default(bool task);

// Parses `text` into `ret` (to be freed with event_list_done()). On an error, -EINVAL or -E2BIG or
// -ENOMEM, and `ret_message` (EVENT_REASON_MAX) says in a sentence what is wrong, with names that
// are nearest to an unknown one.
int event_list_parse(const char *text, struct event_list *ret, char *ret_message);
void event_list_done(struct event_list *l);

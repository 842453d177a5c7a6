// SPDX-License-Identifier: Apache-2.0
// One event's text ("cycles:u", "cpu/event=0x3c/k", "sched:sched_switch") as requests.
#pragma once

#include "collect/event_list.h"

// Appends what `text` names to the list, in this group (negative: each in one of its own). The
// requests' modifiers are filled in, and not yet in their attr and name. 0, or -errno with a
// sentence in ret_message.
int event_resolve(const char *root, const char *text, struct event_list *list, int group,
                  char *ret_message);

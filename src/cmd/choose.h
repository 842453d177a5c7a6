// SPDX-License-Identifier: Apache-2.0
// From options to a collector: whom to measure, which events, and what is said when some of it
// cannot be had.
#pragma once

#include "cmd/options.h"
#include "collect/collector.h"
#include "collect/machine.h"

// Opens target and events. `command`: PID of the held COMMAND. The sentence about what this machine
// cannot count, which has been said then, or "", in ret_notice. 0, or an exit status after having
// said why; with --strict that is also an event that is not there.
int choose_collector(const struct options *o, pid_t command, const struct machine *machine,
                     struct collector *ret, char *ret_notice, size_t notice_size);

// --dry-run: the groups, descriptors, reads a second, and how long opening and enabling took (a
// command's events are enabled by its exec), on standard output.
void choose_print_plan(const struct options *o, const struct collector *c);

// SPDX-License-Identifier: Apache-2.0
// Tracepoints ("sched:sched_switch"), as tracefs lists them under /sys/kernel/tracing, or under
// debugfs on machines that mount it there.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The folder of all tracepoints under `root`. 0, -ENOENT (tracefs is not mounted) or -EACCES.
int tracepoint_folder(const char *root, const char **ret_path);

// The number of one (perf_event_attr.config). 0, -ENOENT, -EACCES, or -EINVAL when its file makes
// no sense.
int tracepoint_id(const char *root, const char *system, const char *name, uint64_t *ret_id);

// Calls f for each tracepoint whose system and name match the patterns (fnmatch(3); NULL: all), in
// order of their names, until it returns non-zero. That, 0, or -errno of reading the folder.
typedef int (*tracepoint_function)(void *context, const char *system, const char *name);
int tracepoint_each(const char *root, const char *system, const char *name, tracepoint_function f,
                    void *context);

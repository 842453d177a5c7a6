// SPDX-License-Identifier: Apache-2.0
// The system call perf_event_open(2), and what its errors mean to a person.
#pragma once

#include "model/event.h"

#include <linux/perf_event.h>
#include <stdbool.h>
#include <sys/types.h>

// A descriptor (close-on-exec), or -errno.
int perf_event_open(const struct perf_event_attr *attr, pid_t pid, int cpu, int group_fd,
                    unsigned long flags);

// How an event is available when opening it gave this error (a negative errno).
enum quality perf_event_quality(int error);

// One sentence: why `name` could not be opened, and what to do. `system_wide`: it was opened for
// CPUs, not for a task. `ret` holds EVENT_REASON_MAX.
void perf_event_advice(int error, const char *name, const struct perf_event_attr *attr,
                       bool system_wide, char *ret);

// Would it count anything in user mode alone? Switches of tasks and tracepoints happen in the
// kernel.
bool perf_event_has_user_part(const struct perf_event_attr *attr);
// Does it open, and always reads 0? (context-switches:u.) That is no measurement.
bool perf_event_is_silent(const struct perf_event_attr *attr);

// /proc/sys/kernel/perf_event_paranoid; 2 (the kernel's default) when it cannot be read.
int perf_event_paranoid(const char *root);

// SPDX-License-Identifier: Apache-2.0
// Between target.c, target_tasks.c and cgroup.c.
#pragma once

#include "collect/target.h"

// `what` and the error as a sentence; returns the error.
int target_fail(int error, char *ret_message, const char *what);
// The machine's CPUs; then those of -C among them.
int target_read_cpus(struct target *t, char *ret_message);
int target_choose_cpus(struct target *t, const char *cpu_list, char *ret_message);

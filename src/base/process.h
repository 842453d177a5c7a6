// SPDX-License-Identifier: Apache-2.0
// Processes of our own: starting one, and what they cost.
#pragma once

#include "base/clock.h"

#include <stdint.h>
#include <sys/types.h>

// Starts this very program with `argv` (NULL-terminated; argv[0] is shown by ps), `input` as its
// standard input and no other descriptor of ours but standard output and error; signals are as a
// shell starts it. The new process in *ret_pid, and a descriptor that is readable once it has ended
// in *ret_pidfd. 0 or -errno.
int process_spawn_self(const char *const argv[], int input, pid_t *ret_pid, int *ret_pidfd);

// This process's CPU time so far in ns, and its resident memory in bytes (−1 unknown).
ns_t process_cpu_time(void);
int64_t process_resident_bytes(void);

// A real-time priority (SCHED_FIFO) for this thread where it is permitted, not inherited by
// children, and timers without slack.
void process_raise_priority(void);

// The signals that end a program (SIGINT, SIGTERM, SIGHUP) as a descriptor that signalfd_siginfo is
// read from, non-blocking; from here on they do nothing else, and a broken pipe or a file that is
// too large is an errno. A second call gives a second descriptor. The descriptor, or -errno.
int process_end_signals(void);

// As many descriptors as this user may have.
void process_raise_descriptors(void);

// SPDX-License-Identifier: Apache-2.0
// Whom we measure: the system, some of its CPUs, a process with all its threads, or a command that
// is still to begin.
#pragma once

#include "model/reading.h"

#include <sys/types.h>

#define TARGET_COMM_MAX    16 // the kernel's TASK_COMM_LEN
#define TARGET_TEXT_MAX    128
#define TARGET_THREADS_MAX 32768 // descriptors run out long before

enum target_kind { TARGET_SYSTEM, TARGET_CPUS, TARGET_PROCESS, TARGET_COMMAND };

struct target_thread {
    pid_t tid;
    char comm[TARGET_COMM_MAX]; // any bytes; terminated
};

// A place is a row of the readings: CPU number of a system-wide target, index in threads of a
// process.
struct target {
    enum target_kind kind;
    char text[TARGET_TEXT_MAX]; // "the whole system", "CPUs 0,2", "process 123 (stress)"
    int *cpus;                  // CPUs to open on: the online ones, or those of -C
    size_t n_cpus;
    size_t n_possible; // CPU numbers are below this
    pid_t pid;         // of a process
    int pidfd;         // readable once it has ended; −1 without a process
    struct target_thread *threads;
    size_t n_threads;
};

// Each gives 0, or -errno with a sentence in `ret_message` (EVENT_REASON_MAX).
int target_system(const char *cpu_list, struct target *ret, char *ret_message); // NULL: every CPU
int target_process(pid_t pid, struct target *ret, char *ret_message);
// A command that launch.h holds: its events begin to count when it is executed.
int target_command(pid_t pid, const char *name, struct target *ret, char *ret_message);
void target_done(struct target *t);

// Are its places threads (else: CPUs)?
static inline bool target_is_tasks(const struct target *t)
{
    return t->kind == TARGET_PROCESS || t->kind == TARGET_COMMAND;
}

static inline enum reading_scope target_scope(const struct target *t)
{
    return target_is_tasks(t) ? SCOPE_TASK : SCOPE_CPU;
}

// Number of places (rows), and where event descriptors of row i are opened: its pid and cpu
// arguments.
size_t target_rows(const struct target *t);
// False when nothing is opened there (an offline CPU, one that was not asked for).
bool target_place(const struct target *t, size_t row, pid_t *ret_pid, int *ret_cpu);

// Lists the threads of the process anew and appends those not known yet. Returns how many, or
// -errno. Threads that are born while descriptors are being opened are found by calling it until it
// returns 0.
int target_find_threads(struct target *t);

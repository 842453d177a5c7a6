// SPDX-License-Identifier: Apache-2.0
// Whom we measure: the system, some of its CPUs, cgroups, processes with all their threads, single
// threads, or a command that is still to begin.
#pragma once

#include "collect/core_types.h"
#include "model/reading.h"

#include <sys/types.h>

#define TARGET_COMM_MAX    16 // the kernel's TASK_COMM_LEN
#define TARGET_TEXT_MAX    128
#define TARGET_THREADS_MAX 2700 // what the stream's THREAD_MAP record holds
#define TARGET_CGROUPS_MAX 64   // each has a descriptor per event and CPU

enum target_kind {
    TARGET_SYSTEM,
    TARGET_CPUS,
    TARGET_CGROUPS,
    TARGET_PROCESS, // one or several
    TARGET_THREADS,
    TARGET_COMMAND,
};

// What was named: a process, or a thread.
struct target_task {
    pid_t pid;
    int pidfd;     // readable once it has ended; −1 once that was taken
    pid_t process; // of a thread whose end the kernel does not tell: target_poll_threads(); else 0
    char comm[TARGET_COMM_MAX];
};

struct target_thread {
    pid_t tid;
    char comm[TARGET_COMM_MAX]; // any bytes; terminated
};

struct target_cgroup {
    char *path; // below the cgroup2 mount, as the person wrote it; owned
    int fd;
};

// A place is a row of the readings: CPU number of a system-wide target, index in threads of a
// process.
struct target {
    enum target_kind kind;
    char text[TARGET_TEXT_MAX]; // "the whole system", "CPUs 0,2", "process 123 (stress)"
    int *cpus;                  // CPUs to open on: those of `asked` that are online
    size_t n_cpus;
    int *asked; // those of -C; NULL: every CPU
    size_t n_asked;
    size_t n_possible; // CPU numbers are below this
    struct core_types cores;
    struct target_cgroup *cgroups;
    size_t n_cgroups;
    struct target_task *tasks;
    size_t n_tasks, n_alive;
    int ends;             // readable when a task has ended (target_take_end()); −1 without tasks
    unsigned char *known; // a bit for each TID in threads
    struct target_thread *threads;
    size_t n_threads;
};

#define TARGET_NONE ((struct target){.ends = -1})

// Each gives 0, or -errno with a sentence in `ret_message` (EVENT_REASON_MAX).
int target_system(const char *cpu_list, struct target *ret, char *ret_message); // NULL: every CPU
// Several at once; each with all its threads, or (target_threads) those threads alone.
int target_processes(const pid_t *pids, size_t n, struct target *ret, char *ret_message);
int target_threads(const pid_t *tids, size_t n, struct target *ret, char *ret_message);
// A command that launch.h holds: its events begin to count when it is executed.
int target_command(pid_t pid, const char *name, struct target *ret, char *ret_message);
// cgroups v2, by their paths below the mount (or with it); each is counted on every CPU of the
// list.
int target_cgroups(const char *const *paths, size_t n, const char *cpu_list, struct target *ret,
                   char *ret_message);
void target_done(struct target *t);

static inline int target_process(pid_t pid, struct target *ret, char *ret_message)
{
    return target_processes(&pid, 1, ret, ret_message);
}

// Are its places threads (else: CPUs)?
static inline bool target_is_tasks(const struct target *t)
{
    return t->kind >= TARGET_PROCESS;
}

static inline enum reading_scope target_scope(const struct target *t)
{
    // A cgroup's events are enabled only while one of its tasks is on the CPU.
    return target_is_tasks(t) || t->kind == TARGET_CGROUPS ? SCOPE_TASK : SCOPE_CPU;
}

// Number of places (rows), and where event descriptors of row i are opened: its pid and cpu
// arguments.
size_t target_rows(const struct target *t);
// False when nothing is opened there (an offline CPU, one that was not asked for).
bool target_place(const struct target *t, size_t row, pid_t *ret_pid, int *ret_cpu);
// Takes a new list of online CPUs, as /sys/devices/system/cpu/online has it. 0 or -errno.
int target_online(struct target *t, const char *online);

// Lists the threads of the processes anew and appends those not known yet. Returns how many, or
// -errno (-ESRCH: no process is left). Threads that are born while descriptors are being opened are
// found by calling it until it returns 0.
int target_find_threads(struct target *t);
// Looks whether threads have ended whose end the kernel does not tell (before Linux 6.9).
void target_poll_threads(struct target *t);
// Takes one task that has ended since: its place in tasks. False when there is none.
bool target_take_end(struct target *t, size_t *ret_task);

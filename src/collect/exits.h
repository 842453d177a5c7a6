// SPDX-License-Identifier: Apache-2.0
// Processes that ended, as the kernel tells of each at its end: taskstats (linux:
// Documentation/accounting/taskstats.rst). With them the process table has those that lived for
// less than the second between two looks, and what a process ran after the last one.
//
// It takes CAP_NET_ADMIN, the machine's first PID and network namespaces, and Linux 5.19 (which
// marks the last thread of a process). Chosen over side-band events of a dummy: those have no CPU
// time, and cost every fork and exec of the machine a record.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define EXITS_COMM_MAX 16   // the kernel's TASK_COMM_LEN
#define EXITS_MAX      4096 // kept between two looks: a fork storm costs some 6 ms a second

struct exit_record {
    pid_t pid, parent;
    uint64_t cpu_ns;           // of all its threads, all its life
    bool member, told;         // the process table's
    char comm[EXITS_COMM_MAX]; // any bytes; terminated
};

// Those that ended and were not told of yet.
struct exits {
    int fd;                      // of the kernel's messages; −1: nobody tells us
    struct exit_record *records; // owned
    size_t n, capacity;
};

#define EXITS_NONE ((struct exits){.fd = -1})

// Begins to listen, on all CPUs below n_cpus. 0 or -errno: -EPERM, or -ENOENT where the kernel, or
// this namespace, has no such thing.
int exits_open(struct exits *e, size_t n_cpus);
void exits_done(struct exits *e);
// Takes what the kernel has told since, as far as there is room; never waits. Of what is not taken
// the kernel forgets the newest.
void exits_drain(struct exits *e);
// Takes messages as the socket gives them. For exits_drain(), and for tests.
void exits_take(struct exits *e, const void *bytes, size_t size);

void exits_add(struct exits *e, const struct exit_record *r);
// By their PIDs, as exits_find() needs them.
void exits_sort(struct exits *e);
// A record of this PID; NULL: none.
struct exit_record *exits_find(const struct exits *e, pid_t pid);
// Drops those that were told of.
void exits_forget(struct exits *e);

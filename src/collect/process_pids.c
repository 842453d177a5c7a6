// SPDX-License-Identifier: Apache-2.0
#include "collect/process_pids.h"

#include "base/file.h"
#include "collect/process_scan_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// Who asks for a PID of his own choice (clone3(2), set_tid) gets it out of order, and where PIDs
// are few they may have gone round between two scans: such a process is found by the next list.
#define LIST_EVERY (10 * NS_PER_SEC)
// A PID that nobody has, or a thread, costs a fifth of an entry of /proc.
#define PROBES_A_PROCESS 4

// "0.20 0.18 0.12 3/80 11206": the last field. 0 when it cannot be read.
static pid_t read_newest(const char *root)
{
    char text[128];
    const char *last;
    long pid;

    if (file_read(root, "/proc/loadavg", text, sizeof(text)) <= 0)
        return 0;
    last = strrchr(text, ' ');
    pid = last ? strtol(last, NULL, 10) : 0;
    return pid > 0 && pid <= INT_MAX ? (pid_t)pid : 0;
}

// PIDs that have gone round since are found by a list only.
static bool in_order(const struct process_pids *p)
{
    return p->newest_2 && p->newest_2 <= p->newest_1 && p->newest_1 <= p->newest;
}

int process_pids_begin(struct process_pids *p, const char *root, const struct process_list *known,
                       ns_t now)
{
    char path[PATH_MAX + 8];

    p->newest_2 = p->newest_1;
    p->newest_1 = p->newest;
    p->newest = read_newest(root);
    p->entry = p->entries_size = p->known = 0;
    // Once more from the scan before last on: who had been given a PID, and was not a process yet.
    p->probe = p->newest_2;
    if (now < p->list_due && in_order(p) &&
        (size_t)(p->newest - p->newest_2) <= PROBES_A_PROCESS * known->n)
        return 0;
    snprintf(path, sizeof(path), "%s/proc", root);
    p->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (p->directory < 0)
        return -errno;
    p->list_due = now + LIST_EVERY;
    return 0;
}

void process_pids_end(struct process_pids *p)
{
    if (p->directory >= 0)
        close(p->directory);
    p->directory = -1;
}

static pid_t next_listed(struct process_pids *p)
{
    for (;;) {
        const struct dirent64 *e;
        char *end;
        long pid;

        if (p->entry >= p->entries_size) {
            long n = syscall(SYS_getdents64, p->directory, p->entries, sizeof(p->entries));

            if (n <= 0)
                return 0;
            p->entry = 0;
            p->entries_size = (size_t)n;
        }
        e = (const void *)(p->entries + p->entry);
        p->entry += e->d_reclen;
        pid = strtol(e->d_name, &end, 10);
        if (!*end && pid > 0 && pid <= INT_MAX && e->d_name[0] != '+')
            return (pid_t)pid;
    }
}

pid_t process_pids_next(struct process_pids *p, const struct process_list *known)
{
    if (p->directory >= 0)
        return next_listed(p);
    if (p->known < known->n)
        return known->list[p->known++].pid;
    while (p->probe < p->newest)
        if (!process_list_find(known, ++p->probe))
            return p->probe;
    return 0;
}

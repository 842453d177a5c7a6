// SPDX-License-Identifier: Apache-2.0
/*
 * pinned EVENTS: takes EVENTS counters of every CPU for good, as the NMI watchdog takes one. A
 * group that needs them all still opens, and never runs.
 */
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int events = argc > 1 ? atoi(argv[1]) : 1, cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);

    for (int i = 0; i < events * cpus; i++) {
        struct perf_event_attr attr = {.size = sizeof(attr),
                                       .type = PERF_TYPE_RAW,
                                       .config = 0x10 + (unsigned)(i % events),
                                       .pinned = 1};

        if (syscall(SYS_perf_event_open, &attr, -1, i / events, -1, PERF_FLAG_FD_CLOEXEC) < 0) {
            perror("pinned: perf_event_open");
            return 1;
        }
    }
    puts("pinned");
    fflush(stdout);
    pause();
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * contender EVENTS ON_MS OFF_MS: a second user of the PMU that comes and goes. It holds a group of
 * EVENTS raw events on every CPU for ON_MS, then none for OFF_MS, until it is killed. Whoever else
 * counts gets a share of the counters that changes with time: only then does scaling by lifetime
 * ratios differ from scaling by the interval's own.
 */
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CPUS_MAX   64
#define EVENTS_MAX 8

static void sleep_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&t, NULL);
}

static int open_event(int cpu, int number, int leader)
{
    struct perf_event_attr attr = {
        .size = sizeof(attr),
        .type = PERF_TYPE_RAW,
        .config = 0x10 + (unsigned)number,
        .disabled = leader < 0,
    };

    return (int)syscall(SYS_perf_event_open, &attr, -1, cpu, leader, PERF_FLAG_FD_CLOEXEC);
}

int main(int argc, char **argv)
{
    int events = argc > 1 ? atoi(argv[1]) : 4, cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
    long on = argc > 2 ? atol(argv[2]) : 500, off = argc > 3 ? atol(argv[3]) : 500;

    if (events < 1 || events > EVENTS_MAX || cpus > CPUS_MAX)
        return 2;
    for (;;) {
        int fds[CPUS_MAX * EVENTS_MAX], n = 0;

        for (int cpu = 0; cpu < cpus; cpu++) {
            int leader = -1;

            for (int i = 0; i < events; i++) {
                int fd = open_event(cpu, i, leader);

                if (fd < 0) {
                    perror("contender: perf_event_open");
                    return 1;
                }
                if (leader < 0)
                    leader = fd;
                fds[n++] = fd;
            }
            ioctl(leader, PERF_EVENT_IOC_ENABLE, PERF_IOC_FLAG_GROUP);
        }
        sleep_ms(on);
        while (n > 0)
            close(fds[--n]);
        sleep_ms(off);
    }
}

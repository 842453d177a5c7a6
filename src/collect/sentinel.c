// SPDX-License-Identifier: Apache-2.0
#include "collect/sentinel.h"

#include "collect/perf_event.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Reading another CPU's event interrupts it for some µs. A tick that is less late than the one of
// the last look was is not too early.
#define EVERY  (NS_PER_SEC - 100 * NS_PER_MS)
#define UNREAD UINT64_MAX

int sentinel_init(struct sentinel *s, size_t n_cpus)
{
    *s = (struct sentinel){.n_cpus = n_cpus};
    s->fds = reallocarray(NULL, n_cpus, sizeof(*s->fds));
    s->enabled = reallocarray(NULL, n_cpus, sizeof(*s->enabled));
    s->away = calloc(n_cpus, sizeof(*s->away));
    if (!s->fds || !s->enabled || !s->away) {
        s->n_cpus = 0;
        sentinel_done(s);
        return -ENOMEM;
    }
    memset(s->fds, 0xff, n_cpus * sizeof(*s->fds));         // all −1
    memset(s->enabled, 0xff, n_cpus * sizeof(*s->enabled)); // all UNREAD
    return 0;
}

static void close_one(struct sentinel *s, size_t cpu)
{
    if (s->fds[cpu] >= 0)
        close(s->fds[cpu]);
    s->fds[cpu] = -1;
}

void sentinel_done(struct sentinel *s)
{
    for (size_t cpu = 0; cpu < s->n_cpus; cpu++)
        close_one(s, cpu);
    free(s->fds);
    free(s->enabled);
    free(s->away);
    *s = (struct sentinel){0};
}

static int open_one(int cpu)
{
    struct perf_event_attr attr = {
        .size = sizeof(attr),
        .type = PERF_TYPE_SOFTWARE,
        .config = PERF_COUNT_SW_DUMMY,
        .read_format = PERF_FORMAT_TOTAL_TIME_ENABLED,
    };

    return perf_event_open(&attr, -1, cpu, -1, 0);
}

void sentinel_follow(struct sentinel *s, const struct target *target)
{
    for (size_t cpu = 0; cpu < s->n_cpus; cpu++) {
        pid_t pid;
        int place;

        if (!target_place(target, cpu, &pid, &place)) {
            close_one(s, cpu);
        } else if (s->fds[cpu] < 0) {
            s->fds[cpu] = open_one(place);
            s->enabled[cpu] = UNREAD;
            s->refused |= s->fds[cpu] == -ENODEV;
        }
    }
}

// Did its clock stand still for most of the time? Less is found at the next look.
static bool was_away(uint64_t before, uint64_t enabled, ns_t elapsed)
{
    return before != UNREAD && enabled < before + (uint64_t)elapsed / 2;
}

bool sentinel_look(struct sentinel *s, ns_t now)
{
    ns_t elapsed = now - s->looked;
    bool any = s->refused;

    if (elapsed < EVERY)
        return false;
    s->looked = now;
    s->refused = false;
    for (size_t cpu = 0; cpu < s->n_cpus; cpu++) {
        uint64_t reading[2]; // value, enabled

        s->away[cpu] = false;
        if (s->fds[cpu] < 0 || read(s->fds[cpu], reading, sizeof(reading)) != sizeof(reading))
            continue;
        s->away[cpu] = was_away(s->enabled[cpu], reading[1], elapsed);
        s->enabled[cpu] = reading[1];
        if (s->away[cpu])
            close_one(s, cpu);
        any |= s->away[cpu];
    }
    return any;
}

size_t sentinel_descriptors(const struct sentinel *s)
{
    size_t n = 0;

    for (size_t cpu = 0; cpu < s->n_cpus; cpu++)
        n += s->fds[cpu] >= 0;
    return n;
}

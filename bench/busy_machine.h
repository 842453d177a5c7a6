// SPDX-License-Identifier: Apache-2.0
// A session whose ring is filled at full speed with what a busy machine of so many CPUs counts: the
// default events with all that /proc gives, 44 columns. The numbers vary as real ones do, because
// what they take on disk depends on it.
#pragma once

#include "history/keeper.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct busy_event {
    const char *name;
    int group;
    double rate; // a second and CPU; 0: hardly ever
    double step; // its figures are multiples of this
    bool gauge, total_only;
};

static const struct busy_event busy_events[] = {
    {"cycles", 0, 2.4e9, 1, false, false},           {"instructions", 0, 3.1e9, 1, false, false},
    {"cache-references", 1, 2.2e7, 1, false, false}, {"cache-misses", 1, 3.1e6, 1, false, false},
    {"branches", 2, 6.1e8, 1, false, false},         {"branch-misses", 2, 8.3e6, 1, false, false},
    {"context-switches", 3, 2300, 1, false, false},  {"cpu-migrations", 4, 41, 1, false, false},
    {"minor-faults", 5, 5200, 1, false, false},      {"major-faults", 6, 0, 1, false, false},
    {"cpu-user", 7, 5.4e8, 1e7, true, false},        {"cpu-system", 7, 1.1e8, 1e7, true, false},
    {"cpu-iowait", 7, 2e7, 1e7, true, false},        {"cpu-irq", 7, 1e7, 1e7, true, false},
    {"cpu-steal", 7, 0, 1e7, true, false},           {"cpu-idle", 7, 2.2e8, 1e7, true, false},
    {"run-queue", 8, 2.1e9, 1e8, true, true},        {"run-delay", 8, 1.9e8, 1, true, false},
    {"psi-cpu-some", 8, 1.7e8, 1000, true, true},    {"psi-io-some", 8, 1e7, 1000, true, true},
    {"psi-io-full", 8, 5e6, 1000, true, true},       {"psi-memory-some", 8, 0, 1000, true, true},
    {"psi-memory-full", 8, 0, 1000, true, true},
};
#define BUSY_EVENTS (sizeof(busy_events) / sizeof(busy_events[0]))

struct busy_machine {
    struct session session;
    struct event_table table;
    struct keeper *keeper;
    size_t cpus, n_events;
    uint64_t random, rows;
    int64_t interval_ms, time_ms;
    struct sum *sums; // [slot * n_events + event]
    double *gauges;   // the same
};

static inline double busy_random(struct busy_machine *m)
{
    m->random = m->random * 6364136223846793005u + 1442695040888963407u;
    return (double)(m->random >> 11) / 9007199254740992.0;
}

// What an event counted on one CPU: about its rate, in waves of minutes, with noise.
static inline double busy_count(struct busy_machine *m, const struct busy_event *e, double seconds)
{
    double wave = 1 + 0.5 * sin((double)m->rows / 700.0 + (double)e->group);
    double count = e->rate * seconds * wave * (0.6 + 0.8 * busy_random(m));

    if (e->rate <= 0)
        return busy_random(m) < 1e-4 ? e->step : 0;
    // Small figures come as whole steps now and then.
    return floor(count / e->step + busy_random(m)) * e->step;
}

// The first `n_events` of the events.
static inline int busy_begin(struct busy_machine *m, size_t cpus, size_t n_events,
                             int64_t interval_ms, int64_t start_ms,
                             const struct keeper_config *config)
{
    struct keeper_config keeper = *config;
    struct session *s = &m->session;
    uint64_t sequence;
    int64_t last_ms;
    int r;

    *m = (struct busy_machine){
        .cpus = cpus, .n_events = n_events, .random = 1, .interval_ms = interval_ms};
    r = session_init(s);
    for (size_t i = 0; r == 0 && i < n_events; i++) {
        const struct busy_event *b = &busy_events[i];
        struct event e = {.id = i + 1,
                          .kind = b->gauge ? EVENT_GAUGE : EVENT_COUNT,
                          .group = b->group,
                          .scale = 1,
                          .total_only = b->total_only};

        snprintf(e.name, sizeof(e.name), "%s", b->name);
        r = event_table_add(&m->table, &e) < 0 ? -1 : 0;
    }
    m->table.n_groups = 9;
    m->sums = calloc((cpus + 1) * m->n_events, sizeof(*m->sums));
    m->gauges = calloc((cpus + 1) * m->n_events, sizeof(*m->gauges));
    s->interval_ms = interval_ms;
    snprintf(s->run, sizeof(s->run), "00000b5e");
    gethostname(s->host, sizeof(s->host));
    snprintf(s->target_kind, sizeof(s->target_kind), "system");
    snprintf(s->target_text, sizeof(s->target_text), "the whole system");
    keeper.session = s;
    keeper.wait = true;
    if (r == 0)
        r = keeper_new(&keeper, &m->keeper);
    if (r == 0)
        r = keeper_start(m->keeper);
    if (r == 0)
        r = keeper_begin(m->keeper, &m->table, cpus + 1, SCOPE_CPU, start_ms, &last_ms, &sequence);
    if (r == 0)
        r = history_new(&m->table, cpus + 1, SCOPE_CPU, HISTORY_ROWS_MAX, (size_t)32 << 20,
                        &s->history);
    m->time_ms = start_ms;
    return r;
}

static inline void busy_push(struct busy_machine *m)
{
    double seconds = (double)m->interval_ms / 1e3, ns = seconds * 1e9;
    struct interval interval = {.sums = m->sums};

    for (size_t e = 0; e < m->n_events; e++)
        m->sums[e] = (struct sum){0};
    for (size_t cpu = 1; cpu <= m->cpus; cpu++)
        for (size_t e = 0; e < m->n_events; e++) {
            struct sum *s = &m->sums[cpu * m->n_events + e];

            s->raw = busy_count(m, &busy_events[e], seconds);
            // Groups are read one after the other, not at once.
            s->enabled = s->running = ns + floor(busy_random(m) * 4000);
            if (e && busy_events[e].group == busy_events[e - 1].group)
                s->enabled = s->running = s[-1].enabled;
            m->sums[e].raw += s->raw;
            m->sums[e].enabled += s->enabled;
            m->sums[e].running += s->running;
        }
    for (size_t i = 0; i < (m->cpus + 1) * m->n_events; i++)
        if (busy_events[i % m->n_events].gauge)
            m->sums[i] = (struct sum){.raw = m->gauges[i] += m->sums[i].raw};
    m->time_ms += m->interval_ms;
    interval.timestamp_ms = m->time_ms;
    interval.seconds = seconds + (busy_random(m) - 0.5) * 1e-5;
    pthread_rwlock_wrlock(&m->session.lock);
    history_push(m->session.history, &interval);
    pthread_rwlock_unlock(&m->session.lock);
    m->rows++;
    if (m->rows % 64 == 0)
        keeper_wait(m->keeper);
}

static inline void busy_end(struct busy_machine *m)
{
    keeper_flush(m->keeper);
    keeper_free(m->keeper);
    session_done(&m->session);
    event_table_done(&m->table);
    free(m->sums);
    free(m->gauges);
}

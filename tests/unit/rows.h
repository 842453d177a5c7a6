// SPDX-License-Identifier: Apache-2.0
// A session whose ring is filled with rows such as a busy machine makes, the same in every run.
#pragma once

#include "unit.h"

#include "history/session.h"

enum { ROWS_CYCLES, ROWS_INSTRUCTIONS, ROWS_FAULTS, ROWS_USER, ROWS_IDLE, ROWS_PSI, ROWS_EVENTS };

#define ROWS_SLOTS    3
#define ROWS_TOGETHER 250 // rows of fixtures/history, whose program knew groups as a whole only
#define ROWS_START    INT64_C(1700000000000)

struct rows {
    struct session session;
    struct event_table table;
    int64_t interval_ms;
    int64_t time_ms;
    uint64_t random, n;
    double gauges[ROWS_SLOTS][ROWS_EVENTS];
};

static inline double rows_random(struct rows *r, double most)
{
    r->random = r->random * 6364136223846793005u + 1442695040888963407u;
    return floor((double)(r->random >> 40) / 16777216.0 * most);
}

static inline void rows_init(struct rows *r, int64_t interval_ms)
{
    static const struct event events[ROWS_EVENTS] = {
        [ROWS_CYCLES] = {.name = "cycles", .group = 0, .scale = 1},
        [ROWS_INSTRUCTIONS] = {.name = "instructions", .group = 0, .scale = 1},
        [ROWS_FAULTS] = {.name = "minor-faults", .group = 1, .scale = 1},
        [ROWS_USER] = {.name = "cpu-user", .kind = EVENT_GAUGE, .group = 2, .scale = 1},
        [ROWS_IDLE] = {.name = "cpu-idle", .kind = EVENT_GAUGE, .group = 2, .scale = 1},
        [ROWS_PSI] = {.name = "psi-cpu-some",
                      .kind = EVENT_GAUGE,
                      .group = 3,
                      .scale = 1,
                      .total_only = true},
    };

    *r = (struct rows){.interval_ms = interval_ms, .time_ms = ROWS_START, .random = 42};
    assert_int_equal(session_init(&r->session), 0);
    for (size_t i = 0; i < ROWS_EVENTS; i++)
        assert_true(event_table_add(&r->table, &events[i]) >= 0);
    r->table.n_groups = 4;
    r->session.interval_ms = interval_ms;
    snprintf(r->session.run, sizeof(r->session.run), "0000002a");
    snprintf(r->session.host, sizeof(r->session.host), "box");
    snprintf(r->session.target_kind, sizeof(r->session.target_kind), "system");
    snprintf(r->session.target_text, sizeof(r->session.target_text), "the whole system");
}

static inline void rows_ring(struct rows *r, size_t rows)
{
    assert_int_equal(
        history_new(&r->table, ROWS_SLOTS, SCOPE_CPU, rows, SIZE_MAX, &r->session.history), 0);
}

static inline void rows_done(struct rows *r)
{
    session_done(&r->session);
    event_table_done(&r->table);
}

// Is row n, from 0, one in which the events of cycles' group were counted apart?
static inline bool rows_apart(uint64_t n)
{
    return n >= ROWS_TOGETHER && n % 17 == 3;
}

// One more row. Now and then cycles' group is multiplexed, or has no counter at all, or is counted
// in parts; every seventh row missed a tick.
static inline void rows_push(struct rows *r)
{
    struct sum sums[ROWS_SLOTS][ROWS_EVENTS];
    bool late = r->n % 7 == 6, never = r->n % 13 == 5, scaled = r->n % 5 == 1;
    int64_t length = late ? 2 * r->interval_ms : r->interval_ms;
    struct interval interval = {.seconds = (double)length / 1e3, .sums = sums[0]};

    r->time_ms += length;
    interval.timestamp_ms = r->time_ms;
    for (size_t slot = 0; slot < ROWS_SLOTS; slot++) {
        double ns = (double)length * 1e6 * (slot ? 1 : 2);
        double running = never ? 0 : scaled ? ns / 2 : ns;
        double cycles = never ? 0 : 1e8 + rows_random(r, 1e8);

        sums[slot][ROWS_CYCLES] = (struct sum){cycles, ns, running};
        sums[slot][ROWS_INSTRUCTIONS] =
            (struct sum){never ? 0 : 5e7 + rows_random(r, 2e8), ns,
                         rows_apart(r->n) ? floor(running / 3) : running};
        sums[slot][ROWS_FAULTS] = (struct sum){rows_random(r, 300), ns, ns};
        for (size_t g = ROWS_USER; g <= ROWS_PSI; g++) {
            r->gauges[slot][g] += rows_random(r, (double)length * 1e6);
            sums[slot][g] = (struct sum){.raw = r->gauges[slot][g]};
        }
    }
    pthread_rwlock_wrlock(&r->session.lock);
    history_push(r->session.history, &interval);
    pthread_rwlock_unlock(&r->session.lock);
    r->n++;
}

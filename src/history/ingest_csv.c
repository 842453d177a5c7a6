// SPDX-License-Identifier: Apache-2.0
#include "history/ingest_csv.h"

#include "base/text.h"
#include "history/csv_columns.h"
#include "stream/csv_reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEAR_ROWS     15  // of which the interval is the median length
#define NEAR_ENOUGH   0.2 // an interval that differs less is the same one, with jitter
#define INTERVAL_MAX  ((int64_t)86400000) // ms; rows that are farther apart have no interval
#define AHEAD_MAX     ((int64_t)86400000) // ms
#define GAP_INTERVALS 10
#define GAP_MIN       2000 // ms
#define PATIENCE_MIN  (2 * NS_PER_SEC)
#define TROUBLE_MAX   160
#define STALE_ROWS    3 // older than what is known: fewer may be out of order

struct ingest_csv {
    struct session *session;
    struct ingest_config config;
    struct csv_reader *reader;
    struct csv_columns columns;
    struct sum *sums; // [event]

    int64_t last; // timestamp of the newest row, 0 none
    double *held; // [column]: the first row, whose length only the second one tells
    bool holding;
    int64_t near[NEAR_ROWS]; // lengths of the newest rows, ms
    uint64_t n_near;
    int64_t interval; // nominal, ms; 0 unknown

    ns_t arrived;     // CLOCK_MONOTONIC at which the newest row came, or would have
    bool caught_up;   // what was there at the start has been read
    bool restarted;   // since the newest row
    uint64_t torn;    // rows with an impossible timestamp
    int64_t skipped;  // timestamp of the newest row that was not newer, 0: the newest was
    uint64_t n_late;  // such rows since the end was reached
    ns_t stale_since; // 0: not
    char trouble[TROUBLE_MAX];
    bool dirty;
};

static void forget_columns(struct ingest_csv *i)
{
    csv_columns_done(&i->columns);
    free(i->sums);
    free(i->held);
    i->sums = NULL;
    i->held = NULL;
    i->holding = false;
}

static int lay_out(struct ingest_csv *i, const char (*names)[EVENT_NAME_MAX], size_t n)
{
    int r = csv_columns_init(&i->columns, names, n);

    if (r < 0)
        return r;
    i->sums = calloc(i->columns.events.n, sizeof(*i->sums));
    i->held = calloc(n + 1, sizeof(*i->held));
    return i->sums && i->held ? 0 : -ENOMEM;
}

// Other columns are another run.
static int on_header(void *context, const char (*names)[EVENT_NAME_MAX], size_t n)
{
    struct ingest_csv *i = context;
    int r;

    pthread_rwlock_wrlock(&i->session->lock);
    session_restart(i->session, NULL);
    forget_columns(i);
    r = lay_out(i, names, n);
    if (r == 0)
        i->session->events = &i->columns.events;
    pthread_rwlock_unlock(&i->session->lock);
    i->dirty = true;
    return r;
}

static int compare_lengths(const void *a, const void *b)
{
    const int64_t *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

// The nominal interval: the first length, and then the median of each NEAR_ROWS.
static void learn_interval(struct ingest_csv *i, int64_t length)
{
    int64_t sorted[NEAR_ROWS], median = length;

    i->near[i->n_near++ % NEAR_ROWS] = length;
    if (i->n_near % NEAR_ROWS == 0) {
        memcpy(sorted, i->near, sizeof(sorted));
        qsort(sorted, NEAR_ROWS, sizeof(*sorted), compare_lengths);
        median = sorted[NEAR_ROWS / 2];
    } else if (i->interval) {
        return;
    }
    if (median > INTERVAL_MAX)
        median = INTERVAL_MAX;
    if (llabs(median - i->interval) > NEAR_ENOUGH * (double)i->interval)
        i->interval = median;
}

// Is that the time from one row to the next, and not that row's own length? The writer paused then,
// and did not count on. A collector that missed its ticks did: on a busy machine that takes 10 ms
// as often as not, and 2 s never.
static bool is_gap(const struct ingest_csv *i, int64_t length)
{
    return length > GAP_INTERVALS * i->interval && length > GAP_MIN;
}

// When the row came: rows that were there at the start came when they say.
static ns_t arrival(const struct ingest_csv *i, int64_t timestamp)
{
    ns_t now = clock_ns(CLOCK_MONOTONIC);
    int64_t age = clock_ns(CLOCK_REALTIME) / NS_PER_MS - timestamp;

    if (i->caught_up || age <= 0)
        return now;
    return age < INT64_MAX / NS_PER_MS ? now - age * NS_PER_MS : INT64_MIN / 2;
}

static void push(struct ingest_csv *i, int64_t timestamp, int64_t length, const double *values)
{
    struct session *s = i->session;
    const struct session_shape shape = {.events = &i->columns.events,
                                        .n_slots = 1,
                                        .scope = SCOPE_CPU,
                                        .rows = i->config.rows,
                                        .memory = i->config.memory};
    struct interval interval = {
        .timestamp_ms = timestamp, .seconds = (double)length / 1e3, .sums = i->sums};

    csv_columns_sums(&i->columns, values, interval.seconds, i->sums);
    i->arrived = arrival(i, timestamp);
    pthread_rwlock_wrlock(&s->lock);
    if (s->state != SESSION_LIVE || s->interval_ms != i->interval)
        s->meta_generation++;
    s->interval_ms = i->interval;
    session_push(s, &shape, &interval);
    s->delivered = i->arrived;
    s->reason[0] = '\0';
    pthread_rwlock_unlock(&s->lock);
    i->dirty = true;
}

// A timestamp that lies days ahead of the row before and of the clock: taken for a time, it would
// make all that follow too old.
static bool is_torn(const struct ingest_csv *i, int64_t timestamp)
{
    return i->last && timestamp > i->last + AHEAD_MAX &&
           timestamp > clock_ns(CLOCK_REALTIME) / NS_PER_MS + AHEAD_MAX;
}

static void on_row(void *context, int64_t timestamp, const double *values)
{
    struct ingest_csv *i = context;
    int64_t length = timestamp - i->last;

    if (is_torn(i, timestamp)) {
        i->torn++;
        return;
    }
    if (i->last && timestamp <= i->last && !(i->holding && timestamp < i->last)) {
        i->skipped = timestamp;
        i->n_late += i->caught_up;
        return;
    }
    i->skipped = 0;
    i->n_late = 0;
    i->stale_since = 0;
    i->restarted = false;
    if (i->last && timestamp > i->last) {
        learn_interval(i, length);
        if (is_gap(i, length))
            length = i->interval;
        if (i->holding)
            push(i, i->last, length, i->held);
        i->holding = false;
        push(i, timestamp, length, values);
    } else { // the first one; or the first but for one that is out of order
        memcpy(i->held, values, i->columns.n * sizeof(*values));
        i->holding = true;
    }
    i->last = timestamp;
}

int ingest_csv_new(struct session *session, const struct ingest_config *config,
                   struct ingest_csv **ret)
{
    static const struct csv_handler handler = {.header = on_header, .row = on_row};
    struct ingest_csv *i = calloc(1, sizeof(*i));
    int r;

    if (!i)
        return -ENOMEM;
    i->session = session;
    i->config = *config;
    r = csv_reader_new(&handler, i, &i->reader);
    if (r < 0) {
        free(i);
        return r;
    }
    session_name_run(session);
    *ret = i;
    return 0;
}

void ingest_csv_free(struct ingest_csv *i)
{
    if (!i)
        return;
    pthread_rwlock_wrlock(&i->session->lock);
    i->session->events = i->session->history ? history_events(i->session->history) : NULL;
    pthread_rwlock_unlock(&i->session->lock);
    forget_columns(i);
    csv_reader_free(i->reader);
    free(i);
}

static void tell(struct ingest_csv *i)
{
    if (i->dirty && i->session->changed)
        i->session->changed(i->session->changed_context);
    i->dirty = false;
}

static void set_state(struct ingest_csv *i, enum session_state state, const char *reason)
{
    struct session *s = i->session;

    pthread_rwlock_wrlock(&s->lock);
    if (s->state != state || strcmp(s->reason, reason) != 0)
        i->dirty = true;
    s->state = state;
    text_copy(s->reason, sizeof(s->reason), reason);
    s->meta_generation += i->dirty;
    pthread_rwlock_unlock(&s->lock);
}

int ingest_csv_feed(struct ingest_csv *i, const void *bytes, size_t size)
{
    int r = csv_reader_feed(i->reader, bytes, size);

    pthread_rwlock_wrlock(&i->session->lock);
    i->session->health.skipped_records = (int64_t)(csv_reader_malformed(i->reader) + i->torn);
    pthread_rwlock_unlock(&i->session->lock);
    if (r == -EPROTO)
        set_state(i, SESSION_FAILED,
                  "neither perf.data nor a CSV: its first line has no column \"timestamp\"");
    else if (r == -E2BIG)
        set_state(i, SESSION_FAILED, "the CSV has more than 512 columns");
    else if (r < 0)
        set_state(i, SESSION_FAILED, strerror(-r));
    tell(i);
    return r;
}

void ingest_csv_trouble(struct ingest_csv *i, const char *text)
{
    text_copy(i->trouble, sizeof(i->trouble), text);
    if (i->session->state == SESSION_WAITING)
        set_state(i, SESSION_WAITING, i->trouble);
    tell(i);
}

void ingest_csv_restart(struct ingest_csv *i)
{
    csv_reader_restart(i->reader);
    i->restarted = true;
    i->skipped = 0;
    i->n_late = 0;
    i->stale_since = 0;
}

// Goes on from the rows that come now, though they are older: the writer's clock was set back.
static void begin_run(struct ingest_csv *i, int64_t last)
{
    pthread_rwlock_wrlock(&i->session->lock);
    session_restart(i->session, &i->columns.events);
    pthread_rwlock_unlock(&i->session->lock);
    i->last = last;
    i->holding = false;
    i->skipped = 0;
    i->n_late = 0;
    i->stale_since = 0;
    i->dirty = true;
}

// Rows that are older than what is known, for a while now: a ring that is being rewritten has come
// to the newer ones by then.
static bool look_for_another_run(struct ingest_csv *i, ns_t now)
{
    bool again = i->restarted;

    if (!i->skipped || i->skipped == i->last || (!again && i->n_late < STALE_ROWS)) {
        i->stale_since = 0;
        return false;
    }
    if (!i->stale_since)
        i->stale_since = now;
    if (now - i->stale_since < PATIENCE_MIN)
        return false;
    begin_run(i, again ? 0 : i->skipped);
    return again;
}

static void tell_silence(struct ingest_csv *i, ns_t now)
{
    ns_t patience = 5 * i->interval * NS_PER_MS, quiet = now - i->arrived;
    char reason[SESSION_TEXT_MAX];
    int64_t seconds;

    if (i->session->state == SESSION_WAITING || i->session->state == SESSION_FAILED)
        return;
    if (patience < PATIENCE_MIN)
        patience = PATIENCE_MIN;
    if (quiet <= patience)
        return;
    // Said again each time that it has doubled.
    for (seconds = patience / NS_PER_SEC; seconds < quiet / NS_PER_SEC / 2; seconds *= 2)
        ;
    snprintf(reason, sizeof(reason), "no row for more than %lld s%s%s", (long long)seconds,
             i->trouble[0] ? ": " : "", i->trouble);
    set_state(i, SESSION_ENDED, reason);
}

bool ingest_csv_idle(struct ingest_csv *i)
{
    ns_t now = clock_ns(CLOCK_MONOTONIC);
    bool again = look_for_another_run(i, now);

    i->caught_up = true;
    if (!again)
        tell_silence(i, now);
    tell(i);
    return again;
}

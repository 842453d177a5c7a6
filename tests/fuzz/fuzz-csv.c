// SPDX-License-Identifier: Apache-2.0
// libFuzzer target for CSVs that the server follows: the input is such a file, and a line of the
// single byte 0x1c stands for another file in its place. The first byte says in which pieces it
// comes. What is read must make a history that can be shown. Built and run by fuzz-csv.sh.
#include "history/ingest_csv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROWS    32
#define RESTART "\n\x1c\n"

static void check(bool good)
{
    if (!good)
        abort();
}

static void check_value(const struct history *h, uint64_t sequence, const struct column *c)
{
    struct value v = history_value(h, sequence, sequence, 0, c);

    // No value, or one that is good and says how good; the sum of doubles may overflow.
    check(isnan(v.value) || v.quality <= QUALITY_SCALED || c->metric);
    check(v.running_percent >= 0 && v.running_percent <= 100);
}

static void check_history(const struct history *h)
{
    const struct event_table *events = history_events(h);
    size_t n;
    const struct metric_binding *metrics_of = history_metrics(h, &n);
    int64_t before = 0;

    for (uint64_t s = history_first(h); s <= history_last(h); s++) {
        check(history_timestamp(h, s) > before && history_seconds(h, s) > 0);
        before = history_timestamp(h, s);
    }
    for (size_t i = 0; i < events->n; i++) {
        check(strnlen(events->events[i].column, EVENT_NAME_MAX) < EVENT_NAME_MAX);
        check(event_table_find_column(events, events->events[i].column) == (int)i);
        check_value(h, history_last(h), &(struct column){.event = &events->events[i], .index = i});
    }
    for (size_t i = 0; i < n; i++)
        check_value(h, history_last(h), &(struct column){.metric = &metrics_of[i], .index = i});
}

static void feed(struct ingest_csv *i, const uint8_t *data, size_t size, size_t piece)
{
    for (size_t at = 0; at < size; at += piece) {
        size_t left = size - at;

        if (ingest_csv_feed(i, data + at, left < piece ? left : piece) < 0)
            return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ingest_config config = {.rows = ROWS, .memory = 1 << 20};
    struct session session;
    struct ingest_csv *ingest;
    size_t piece;

    if (!size)
        return 0;
    piece = *data ? *data : 65536;
    data++;
    size--;
    check(session_init(&session) == 0 && ingest_csv_new(&session, &config, &ingest) == 0);
    for (;;) {
        const uint8_t *end = memmem(data, size, RESTART, sizeof(RESTART) - 1);

        feed(ingest, data, end ? (size_t)(end - data) + 1 : size, piece);
        ingest_csv_idle(ingest);
        if (session.history)
            check_history(session.history);
        if (!end)
            break;
        size -= (size_t)(end + sizeof(RESTART) - 1 - data);
        data = end + sizeof(RESTART) - 1;
        ingest_csv_restart(ingest);
    }
    ingest_csv_free(ingest);
    session_done(&session);
    return 0;
}

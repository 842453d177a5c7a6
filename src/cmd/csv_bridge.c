// SPDX-License-Identifier: Apache-2.0
#include "cmd/csv_bridge.h"

#include "cmd/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int prepare(struct csv_bridge *b, const struct collector *c)
{
    b->gauges = calloc(c->events.n, sizeof(*b->gauges));
    b->totals = calloc(c->events.n, sizeof(*b->totals));
    if (!b->gauges || !b->totals)
        return -1;
    // CPU time counts from the start of measuring, as events do.
    return csv_layout_init(&b->layout, &c->events, target_scope(&c->target));
}

void csv_bridge_open(struct csv_bridge *b, const char *path, size_t rows, const struct collector *c)
{
    char message[CSV_MESSAGE_MAX];
    struct buf header = {0};

    *b = (struct csv_bridge){.path = path};
    if (!path)
        return;
    if (prepare(b, c) < 0) {
        say("%s: out of memory; going on without CSV", path);
        csv_bridge_close(b);
        return;
    }
    csv_header(&b->layout, &header);
    if (csv_ring_open(path, rows, b->layout.row_max, &header, &b->ring, message) < 0)
        say("%s", message);
    buf_done(&header);
}

void csv_bridge_close(struct csv_bridge *b)
{
    csv_ring_close(b->ring);
    csv_layout_done(&b->layout);
    buf_done(&b->row);
    free(b->gauges);
    free(b->totals);
    *b = (struct csv_bridge){0};
}

// Makes gauges' cumulative totals the increase since they were last read.
static void take_increases(struct csv_bridge *b)
{
    const struct event_table *events = b->layout.events;

    for (size_t e = 0; e < events->n; e++) {
        double now = b->totals[e].raw;

        if (events->events[e].kind != EVENT_GAUGE || isnan(now))
            continue;
        b->totals[e].raw = now - b->gauges[e];
        b->gauges[e] = now;
    }
}

static void say_failure(const char *path, int error)
{
    switch (-error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        say("%s: %s; the CSV pauses, and resumes when there is space", path, strerror(-error));
        break;
    case EISDIR:
    case ELOOP:
    case EINVAL:
    case EPERM:
    case EMLINK:
    case EBUSY:
    case EEXIST:
        say("%s: something that is not ours has its name now (%s); the CSV pauses, and resumes "
            "when it is gone",
            path, strerror(-error));
        break;
    default:
        say("%s: %s; the CSV pauses, and resumes when it can be written again", path,
            strerror(-error));
    }
}

void csv_bridge_interval(struct csv_bridge *b, const struct readings *readings,
                         int64_t timestamp_ms)
{
    int r;

    if (!b->ring)
        return;
    readings_sums(readings, 1, b->totals);
    take_increases(b);
    buf_clear(&b->row);
    csv_row(&b->layout, timestamp_ms, b->totals, &b->row);
    r = csv_ring_append(b->ring, b->row.data, b->row.size);
    if (r < 0 && !b->failing)
        say_failure(b->path, r);
    if (r == 0 && b->failing)
        say("%s: writing again", b->path);
    b->failing = r < 0;
}

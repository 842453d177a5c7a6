// SPDX-License-Identifier: Apache-2.0
// Which tier answers a question.
#include "history/query_private.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

int query_new(struct session *session, struct keeper *keeper, struct query **ret)
{
    struct query *q = calloc(1, sizeof(*q));

    if (!q)
        return -ENOMEM;
    q->session = session;
    q->keeper = keeper;
    *ret = q;
    return 0;
}

void query_free(struct query *q)
{
    if (!q)
        return;
    query_forget(q);
    free(q);
}

// What is held where.
struct held {
    int64_t nominal_ms;          // interval, as the stream says
    int64_t interval_ms;         // at least 1
    int64_t newest_ms;           // 0: nothing
    int64_t first[LADDER_TIERS]; // the oldest time that a plan on this tier reaches; 0: none
};

static void look_at_ring(struct query *q, struct held *ret, int64_t *ret_first)
{
    const struct history *h;
    uint64_t n;

    session_read_lock(q->session);
    h = q->session->history;
    n = h ? history_last(h) - history_first(h) + 1 : 0;
    ret->nominal_ms = ret->interval_ms = q->session->interval_ms;
    if (n) {
        *ret_first = history_timestamp(h, history_first(h));
        ret->newest_ms = history_timestamp(h, history_last(h));
    }
    session_unlock(q->session);
    // A stream that does not say its interval: what its rows look like.
    if (ret->interval_ms <= 0 && n > 1)
        ret->interval_ms = (ret->newest_ms - *ret_first) / (int64_t)(n - 1);
    if (ret->interval_ms <= 0)
        ret->interval_ms = 1;
}

// The time of the n-th newest row of a span, wherever it is; 0: it has fewer.
static int64_t nth_back(struct query *q, int64_t from_ms, int64_t to_ms, uint64_t n)
{
    struct keeper_status status = {0};
    const struct history *h;
    int64_t found = 0;

    session_read_lock(q->session);
    h = q->session->history;
    if (h && history_last(h) >= history_first(h)) {
        uint64_t after = history_at_or_after(h, to_ms + 1);
        uint64_t in_ring = after - history_first(h);

        if (in_ring >= n) {
            found = history_timestamp(h, after - n);
        } else if (in_ring) { // the rest is in the store
            to_ms = history_timestamp(h, history_first(h)) - 1;
            n -= in_ring;
        }
    }
    session_unlock(q->session);
    if (q->keeper)
        keeper_status(q->keeper, &status);
    if (!found && status.line)
        found = store_nth_back(keeper_store(q->keeper), 0, status.line, from_ms, to_ms, n);
    return found >= from_ms ? found : 0;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return !a || (b && b < a) ? b : a;
}

static struct held look(struct query *q)
{
    struct keeper_status status = {0};
    struct held held = {0};
    int64_t ring = 0;

    look_at_ring(q, &held, &ring);
    if (q->keeper)
        keeper_status(q->keeper, &status);
    for (size_t t = 0; t < LADDER_TIERS; t++) {
        int64_t first = status.line ? status.first_ms[t] : 0;

        if (t == 0)
            held.first[0] = earlier(ring, first);
        else // a bucket begins before its end; of a tier without any, the finer ones have all
            held.first[t] = first ? first - ladder[t].resolution_ms : held.first[t - 1];
    }
    return held;
}

static size_t next_used(size_t tier, int64_t interval_ms)
{
    do
        tier++;
    while (tier < LADDER_TIERS && !ladder_used(tier, interval_ms));
    return tier;
}

// Tries the resolutions of one tier. True when one makes few enough points.
static bool fits(const struct held *held, size_t tier, uint64_t points, struct query_plan *p)
{
    int64_t unit = tier ? ladder[tier].resolution_ms : held->interval_ms;
    size_t next = next_used(tier, held->interval_ms);
    int64_t most = next < LADDER_TIERS ? ladder[next].resolution_ms : INT64_MAX;

    for (size_t i = 0; i < 8 && ladder[tier].steps[i]; i++) {
        int64_t resolution = unit * ladder[tier].steps[i];

        if (resolution >= most && i)
            break;
        p->tier = tier;
        p->resolution_ms = resolution;
        p->single = tier == 0 && ladder[tier].steps[i] == 1;
        if ((uint64_t)((ladder_end(p->to_ms, resolution) - ladder_end(p->from_ms, resolution)) /
                       resolution) < points)
            return true;
    }
    return false;
}

static void choose(const struct held *held, uint64_t points, struct query_plan *p)
{
    struct query_plan best = {0};
    int64_t best_first = 0;

    for (size_t t = 0; t < LADDER_TIERS; t = next_used(t, held->interval_ms)) {
        struct query_plan candidate = *p;
        bool enough = fits(held, t, points, &candidate);

        if (!enough && next_used(t, held->interval_ms) < LADDER_TIERS)
            continue;
        // Beyond the last step of the last tier: as many of its buckets as it takes.
        while (!enough) {
            candidate.resolution_ms *= 2;
            enough = (uint64_t)((ladder_end(p->to_ms, candidate.resolution_ms) -
                                 ladder_end(p->from_ms, candidate.resolution_ms)) /
                                candidate.resolution_ms) < points;
        }
        if (!best.resolution_ms || held->first[t] < best_first - 2 * candidate.resolution_ms) {
            best = candidate;
            best_first = held->first[t];
        }
        if (best_first <= p->from_ms)
            break;
    }
    *p = best;
}

// Do single intervals begin with the span, or as early as anything that is kept?
static bool reaches_back(const struct held *held, int64_t from_ms)
{
    for (size_t t = 1; t < LADDER_TIERS; t++)
        if (ladder_used(t, held->interval_ms) &&
            held->first[t] < held->first[0] - 2 * ladder[t].resolution_ms)
            return held->first[0] <= from_ms;
    return true;
}

void query_plan(struct query *q, double from_ms, double to_ms, uint64_t points,
                struct query_plan *ret)
{
    struct held held = look(q);
    struct query_plan p = {.empty = true, .resolution_ms = held.interval_ms, .per_bucket = 1};
    int64_t first = held.first[0];

    p.interval_ms = held.nominal_ms;
    for (size_t t = 1; t < LADDER_TIERS; t++)
        first = earlier(first, held.first[t]);
    if (held.newest_ms && from_ms <= (double)held.newest_ms && to_ms >= (double)first) {
        p.empty = false;
        p.from_ms = from_ms < (double)first ? first : (int64_t)ceil(from_ms);
        p.to_ms = to_ms > (double)held.newest_ms ? held.newest_ms : (int64_t)floor(to_ms);
        p.empty = p.from_ms > p.to_ms;
    }
    if (!p.empty && !points) {
        int64_t newest = nth_back(q, p.from_ms, p.to_ms, HISTORY_ROWS_MAX);

        p.single = newest || reaches_back(&held, p.from_ms) ||
                   (isinf(from_ms) && nth_back(q, p.from_ms, p.to_ms, 1));
        p.from_ms = newest ? newest : p.from_ms;
        points = HISTORY_ROWS_MAX;
    }
    if (!p.empty && !p.single) {
        choose(&held, points, &p);
        // They may lie closer than the nominal interval: after the clock was set back, in a CSV,
        // and where an earlier run had a shorter one.
        p.single = p.single && !nth_back(q, p.from_ms, p.to_ms, points + 1);
    }
    p.per_bucket = (uint64_t)(p.resolution_ms / held.interval_ms);
    if (!p.per_bucket)
        p.per_bucket = 1;
    p.rows_from_ms = p.from_ms;
    p.rows_to_ms = p.to_ms;
    if (!p.single) {
        p.from_ms = ladder_end(p.from_ms, p.resolution_ms);
        p.to_ms = ladder_end(p.to_ms, p.resolution_ms);
    }
    *ret = p;
}

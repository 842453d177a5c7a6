// SPDX-License-Identifier: Apache-2.0
#include "history/tiers.h"

#include "base/cleanup.h"
#include "history/pack.h"

#include <errno.h>
#include <stdlib.h>

#define TAIL_ROWS_MAX 4096 // rows of one tier that the next has not; a few dozen is normal

static struct slots all_slots(const struct layout *l)
{
    return (struct slots){0, l->n_slots};
}

int tiers_init(struct tiers *t, const struct layout *layout, int64_t interval_ms)
{
    int r;

    *t = (struct tiers){.layout = layout, .interval_ms = interval_ms};
    r = bucket_init(&t->moving, layout);
    for (size_t i = 1; r == 0 && i < LADDER_TIERS; i++)
        if (ladder_used(i, interval_ms)) {
            r = bucket_init(&t->open[i], layout);
            if (r == 0)
                r = bucket_init(&t->saved[i], layout);
        }
    return r;
}

void tiers_done(struct tiers *t)
{
    for (size_t i = 0; i < LADDER_TIERS; i++) {
        bucket_done(&t->open[i]);
        bucket_done(&t->saved[i]);
    }
    bucket_done(&t->moving);
    *t = (struct tiers){0};
}

void tiers_save(struct tiers *t)
{
    for (size_t i = 0; i < LADDER_TIERS; i++)
        if (t->open[i].layout)
            bucket_copy(&t->saved[i], &t->open[i]);
}

void tiers_restore(struct tiers *t)
{
    for (size_t i = 0; i < LADDER_TIERS; i++)
        if (t->open[i].layout)
            bucket_copy(&t->open[i], &t->saved[i]);
}

// The next tier of this run above; LADDER_TIERS: there is none.
static size_t above(const struct tiers *t, size_t tier)
{
    do
        tier++;
    while (tier < LADDER_TIERS && !t->open[tier].layout);
    return tier;
}

static int write_bucket(struct tiers *t, struct store *s, size_t tier,
                        const struct store_place *place, const struct bucket *b)
{
    struct buf packed = {0};
    int r;

    pack_bucket(&packed, b, tier > 0);
    r = buf_error(&packed);
    if (r == 0)
        r = store_put(s, tier, place, b, &packed);
    if (packed.size > t->largest)
        t->largest = packed.size;
    buf_done(&packed);
    return r;
}

// A bucket that is complete goes up to the next tier, which may be complete with it.
static int add_to_tier(struct tiers *t, struct store *s, size_t tier,
                       const struct store_place *place, const struct bucket *b)
{
    struct bucket *open = &t->open[tier];
    int64_t resolution;
    int r = 0;

    if (tier == LADDER_TIERS)
        return 0;
    resolution = ladder[tier].resolution_ms;
    if (open->intervals &&
        ladder_end(open->time_ms, resolution) != ladder_end(b->time_ms, resolution)) {
        r = write_bucket(t, s, tier, place, open);
        if (r == 0)
            r = add_to_tier(t, s, above(t, tier), place, open);
        bucket_clear(open);
    }
    bucket_add(open, b, all_slots(t->layout), NULL);
    return r;
}

int tiers_put(struct tiers *t, struct store *s, const struct store_place *place,
              const struct bucket *row, bool full)
{
    int r = full ? write_bucket(t, s, 0, place, row) : 0;

    return r == 0 ? add_to_tier(t, s, above(t, 0), place, row) : r;
}

uint64_t tiers_room(const struct tiers *t, size_t n_rows)
{
    // What SQL sees of a bucket and the index take less than the packed one, or than 512.
    return 2 * (n_rows + LADDER_TIERS) * (t->largest + 512);
}

// The tail of a tier that the next one does not have yet, as it is stored.
struct tail {
    struct tail_row {
        int64_t time_ms;
        struct buf bytes;
    } * rows;
    size_t n;
    bool failed;
};

static void tail_done(struct tail *tail)
{
    for (size_t i = 0; i < tail->n; i++)
        buf_done(&tail->rows[i].bytes);
    free(tail->rows);
}

static bool take_row(void *context, int64_t time_ms, const void *bytes, size_t size)
{
    struct tail *tail = context;
    struct tail_row *rows = reallocarray(tail->rows, tail->n + 1, sizeof(*rows));

    tail->failed = !rows;
    if (!rows)
        return false;
    tail->rows = rows;
    rows[tail->n] = (struct tail_row){.time_ms = time_ms};
    buf_append(&rows[tail->n].bytes, bytes, size);
    tail->failed = buf_error(&rows[tail->n].bytes) < 0;
    tail->n++;
    return !tail->failed && tail->n < TAIL_ROWS_MAX;
}

// Adds a stored row to the open bucket; rows of runs with other columns are left where they are.
static int add_row(struct tiers *t, struct store *s, size_t tier, const struct store_place *place,
                   const struct tail_row *row)
{
    struct bucket *open = &t->open[tier];
    int64_t resolution = ladder[tier].resolution_ms, interval_ms;
    struct layout layout = {0};
    uint64_t number, sequence;
    char run[17];
    int r = unpack_origin(row->bytes.data, row->bytes.size, &number, &sequence);

    if (r == 0)
        r = store_read_run(s, number, &layout, run, &interval_ms);
    if (r == 0 && layout_equal(&layout, t->layout))
        r = unpack_bucket(row->bytes.data, row->bytes.size, all_slots(t->layout), NULL, &t->moving);
    else if (r == 0)
        r = -ENOENT;
    layout_done(&layout);
    if (r < 0)
        return 0;
    t->moving.time_ms = row->time_ms;
    if (open->intervals &&
        ladder_end(open->time_ms, resolution) != ladder_end(row->time_ms, resolution)) {
        r = write_bucket(t, s, tier, place, open);
        bucket_clear(open);
    }
    bucket_add(open, &t->moving, all_slots(t->layout), NULL);
    return r;
}

static int catch_up_tier(struct tiers *t, struct store *s, size_t from, size_t tier,
                         const struct store_place *place)
{
    cleanup(tail_done) struct tail tail = {0};
    int64_t newest = store_last(s, tier, place->line);
    int r = store_read(s, from, place->line, newest, place->last_ms, take_row, &tail);

    if (r == 0)
        r = tail.failed ? -ENOMEM : store_begin(s, 0);
    if (r < 0)
        return r;
    for (size_t i = 0; r == 0 && i < tail.n; i++)
        r = add_row(t, s, tier, place, &tail.rows[i]);
    if (r == 0)
        r = store_commit(s, place->last_ms);
    if (r < 0)
        store_rollback(s);
    return r;
}

int tiers_place(struct tiers *t, struct store *s, const struct store_run *run, int64_t now_ms,
                struct store_place *ret)
{
    int r = store_place_run(s, run, now_ms, ret);
    size_t from = 0;

    for (size_t i = 0; i < LADDER_TIERS; i++)
        t->open[i].run = ret->number; // in a file that was begun anew the numbers are others
    for (size_t i = above(t, 0); r == 0 && ret->last_ms && i < LADDER_TIERS; i = above(t, i)) {
        r = catch_up_tier(t, s, from, i, ret);
        from = i;
    }
    return r;
}

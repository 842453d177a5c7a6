// SPDX-License-Identifier: Apache-2.0
// What has to go: what is older than its tier is kept, and, where the bound is near, the oldest of
// the finest tier that takes more than its share.
#include "history/store_private.h"

#include <errno.h>

#define ROWS_AT_ONCE 64  // a few more than a second brings
#define LINES_EVERY  600 // commits between looks at lines that nobody writes to
#define MARGIN_PAGES 16  // for inner pages and what the accounts take

// Deletes up to ROWS_AT_ONCE rows from an id on, below another. 0 or -errno; how many in *ret_rows.
static int delete_rows(struct store *s, size_t tier, int64_t from, int64_t below, int *ret_rows)
{
    const char *table = ladder[tier].table;
    int64_t last, bytes;
    int r;

    *ret_rows = 0;
    last = store_number(s->writer, -1,
                        "SELECT max(id) FROM (SELECT id FROM %s_detail WHERE id >= %lld AND id < "
                        "%lld ORDER BY id LIMIT %d)",
                        table, (long long)from, (long long)below, ROWS_AT_ONCE);
    if (last < 0)
        return 0;
    bytes = store_number(s->writer, 0,
                         "SELECT sum(length(data)) FROM %s_detail WHERE id >= %lld AND id <= %lld",
                         table, (long long)from, (long long)last);
    r = store_run_sql(s->writer, "DELETE FROM %s WHERE id >= %lld AND id <= %lld", table,
                      (long long)from, (long long)last);
    if (r == 0)
        r = store_run_sql(s->writer, "DELETE FROM %s_detail WHERE id >= %lld AND id <= %lld", table,
                          (long long)from, (long long)last);
    if (r < 0)
        return r;
    *ret_rows = sqlite3_changes(s->writer);
    if (s->use[tier].rows <= (uint64_t)*ret_rows) {
        s->use[tier].rows = s->use[tier].bytes = 0;
        return 0;
    }
    // What SQL sees was estimated; a row takes it along in proportion.
    bytes += (int64_t)(s->use[tier].bytes / s->use[tier].rows) * *ret_rows;
    bytes /= 2;
    s->use[tier].rows -= (uint64_t)*ret_rows;
    s->use[tier].bytes -= (uint64_t)bytes < s->use[tier].bytes ? (uint64_t)bytes : 0;
    return 0;
}

// The first id of a tier, of the line whose oldest row is the oldest; -1: the tier is empty.
static int64_t oldest(struct store *s, size_t tier)
{
    int64_t lines = store_number(s->writer, 0, "SELECT max(id) FROM lines"), found = -1;

    for (int64_t line = 1; line <= lines; line++) {
        int64_t id = store_number(
            s->writer, -1, "SELECT min(id) FROM %s_detail WHERE id >= %lld AND id < %lld",
            ladder[tier].table, (long long)row_id(line, 0), (long long)row_id(line + 1, 0));

        if (id >= 0 && (found < 0 || (id & STORE_TIME_MAX) < (found & STORE_TIME_MAX)))
            found = id;
    }
    return found;
}

static int prune_age(struct store *s, size_t tier, int64_t line, int64_t now_ms)
{
    int64_t oldest_ms = now_ms - ladder[tier].keep_ms;
    int rows = 0;

    if (oldest_ms <= 0)
        return 0;
    return delete_rows(s, tier, row_id(line, 0), row_id(line, oldest_ms), &rows);
}

int store_prune_line(struct store *s, int64_t line)
{
    int rows, r = 0;

    for (size_t t = 0; r == 0 && t < LADDER_TIERS; t++)
        do
            r = delete_rows(s, t, row_id(line, 0), row_id(line + 1, 0), &rows);
        while (r == 0 && rows);
    return r;
}

static int prune_lines(struct store *s, int64_t now_ms)
{
    int64_t lines = store_number(s->writer, 0, "SELECT max(id) FROM lines");
    int r = 0;

    for (int64_t line = 1; r == 0 && line <= lines; line++)
        for (size_t t = 0; r == 0 && t < LADDER_TIERS; t++)
            r = prune_age(s, t, line, now_ms);
    if (r == 0) // runs that ended, because another began, before anything that is kept
        r = store_run_sql(s->writer,
                          "DELETE FROM runs WHERE EXISTS(SELECT 1 FROM runs AS later WHERE "
                          "later.line = runs.line AND later.id > runs.id AND later.start < %lld)",
                          (long long)(now_ms - ladder[LADDER_TIERS - 1].keep_ms));
    return r;
}

// Pages that may still be used, within the bound.
static int64_t pages_left(struct store *s)
{
    return s->pages_max - store_number(s->writer, 0, "PRAGMA page_count") +
           store_number(s->writer, 0, "PRAGMA freelist_count");
}

static size_t choose_tier(const struct store *s)
{
    uint64_t total = 0, used = 0;

    for (size_t t = 0; t < LADDER_TIERS; t++) {
        total += s->use[t].bytes;
        used += s->use[t].rows > 0;
    }
    for (size_t t = 0; t < LADDER_TIERS; t++)
        if (s->use[t].rows > ROWS_AT_ONCE && s->use[t].bytes * used >= total)
            return t;
    for (size_t t = 0; t < LADDER_TIERS; t++)
        if (s->use[t].rows)
            return t;
    return LADDER_TIERS;
}

// A file from a time when it was allowed more.
static int shrink(struct store *s)
{
    int64_t pages = store_number(s->writer, 0, "PRAGMA page_count");

    return s->kind == STORE_FILE && pages > s->pages_max
               ? store_run_sql(s->writer, "PRAGMA incremental_vacuum(%lld)",
                               (long long)(pages - s->pages_max))
               : 0;
}

int store_prune_bytes(struct store *s, uint64_t bytes)
{
    int64_t pages = (int64_t)(bytes / STORE_PAGE) + MARGIN_PAGES;

    while (pages_left(s) < pages) {
        size_t tier = choose_tier(s);
        int64_t from = tier < LADDER_TIERS ? oldest(s, tier) : -1;
        int rows = 0, r;

        if (from < 0) {
            if (tier == LADDER_TIERS)
                break;
            s->use[tier].rows = s->use[tier].bytes = 0; // it was somebody else who deleted them
            continue;
        }
        r = delete_rows(s, tier, from, row_id((from >> STORE_TIME_BITS) + 1, 0), &rows);
        if (r < 0)
            return r;
    }
    return shrink(s);
}

int store_prune_ages(struct store *s, int64_t now_ms)
{
    int r = 0;

    if (s->commits++ % LINES_EVERY == 0)
        return prune_lines(s, now_ms);
    for (size_t t = 0; r == 0 && s->line && t < LADDER_TIERS; t++)
        r = prune_age(s, t, s->line, now_ms);
    return r;
}

// SPDX-License-Identifier: Apache-2.0
// Buckets in, buckets out.
#include "history/store_private.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>

#define COLUMNS_JSON_MAX (4 << 20) // 1,024 events take half a MiB

#define ROW_BYTES 64 // of both tables, beside columns and details; an estimate for the shares

bool store_own_column(const char *id)
{
    static const char *const own[] = {"id",      "time",      "line",   "run",
                                      "seconds", "intervals", "missing"};

    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (strcmp(id, own[i]) == 0)
            return true;
    return false;
}

void store_forget_statements(struct store *s)
{
    for (size_t t = 0; t < LADDER_TIERS; t++) {
        sqlite3_finalize(s->put[t]);
        sqlite3_finalize(s->detail[t]);
        sqlite3_finalize(s->read[t]);
        s->put[t] = s->detail[t] = s->read[t] = NULL;
    }
}

static void bind_columns(struct store *s, sqlite3_stmt *put, const struct bucket *b)
{
    for (size_t i = 0; i < s->n_plain; i++) {
        struct column c = layout_column(b->layout, s->plain[i]);
        double v = bucket_value(b, 0, &c).value;
        int place = (int)i + 6;

        if (!isfinite(v))
            sqlite3_bind_null(put, place);
        else if (c.event && event_is_whole(c.event) && fabs(v) < 9e18)
            sqlite3_bind_int64(put, place, llround(v));
        else
            sqlite3_bind_double(put, place, v);
    }
}

static int put_plain(struct store *s, size_t tier, const struct store_place *place,
                     const struct bucket *b)
{
    sqlite3_stmt *put = s->put[tier];
    int r;

    sqlite3_bind_int64(put, 1, row_id(place->line, b->time_ms));
    sqlite3_bind_int64(put, 2, (int64_t)b->run);
    sqlite3_bind_double(put, 3, b->seconds);
    sqlite3_bind_int64(put, 4, (int64_t)b->intervals);
    sqlite3_bind_int64(put, 5, (int64_t)b->missing);
    bind_columns(s, put, b);
    r = store_errno(sqlite3_step(put));
    sqlite3_reset(put);
    return r;
}

static int put_detail(struct store *s, size_t tier, int64_t id, const struct buf *packed)
{
    int r;

    if (!s->detail[tier]) {
        char *sql =
            sqlite3_mprintf("INSERT OR IGNORE INTO %s_detail VALUES(?, ?)", ladder[tier].table);

        r = sql ? store_errno(sqlite3_prepare_v3(s->writer, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                                 &s->detail[tier], NULL))
                : -ENOMEM;
        sqlite3_free(sql);
        if (r < 0)
            return r;
    }
    sqlite3_bind_int64(s->detail[tier], 1, id);
    sqlite3_bind_blob64(s->detail[tier], 2, packed->data, packed->size, SQLITE_STATIC);
    r = store_errno(sqlite3_step(s->detail[tier]));
    sqlite3_reset(s->detail[tier]);
    return r;
}

int store_put(struct store *s, size_t tier, const struct store_place *place, const struct bucket *b,
              const struct buf *packed)
{
    int r;

    if (b->time_ms <= 0 || b->time_ms > STORE_TIME_MAX)
        return 0; // before 1970: no machine has been on since then
    if (!s->put[tier])
        return -EBADMSG;
    r = put_plain(s, tier, place, b);
    if (r == 0 && sqlite3_changes(s->writer) == 0)
        return 0; // it is there
    if (r == 0)
        r = put_detail(s, tier, row_id(place->line, b->time_ms), packed);
    if (r < 0)
        return r;
    s->use[tier].rows++;
    s->use[tier].bytes += packed->size + ROW_BYTES + 6 * s->n_plain;
    return 0;
}

static int prepare_read(struct store *s, size_t tier)
{
    char *sql;
    int r;

    if (s->read[tier])
        return 0;
    sql = sqlite3_mprintf("SELECT id, data FROM %s_detail WHERE id > ? AND id <= ? ORDER BY id",
                          ladder[tier].table);
    r = sql ? store_errno(sqlite3_prepare_v3(s->reader, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                             &s->read[tier], NULL))
            : -ENOMEM;
    sqlite3_free(sql);
    return r;
}

static int64_t clamp_time(int64_t time_ms)
{
    return time_ms < 0 ? 0 : time_ms > STORE_TIME_MAX ? STORE_TIME_MAX : time_ms;
}

int store_read(struct store *s, size_t tier, int64_t line, int64_t after_ms, int64_t to_ms,
               store_row *row, void *context)
{
    sqlite3_stmt *read;
    int r, step = SQLITE_DONE;

    pthread_mutex_lock(&s->lock);
    r = s->reader ? prepare_read(s, tier) : -EIO;
    if (r == 0) {
        read = s->read[tier];
        // Taken once: what each call would take is ours then, and costs nothing.
        sqlite3_mutex_enter(sqlite3_db_mutex(s->reader));
        sqlite3_bind_int64(read, 1, row_id(line, clamp_time(after_ms)));
        sqlite3_bind_int64(read, 2, row_id(line, clamp_time(to_ms)));
        while ((step = sqlite3_step(read)) == SQLITE_ROW)
            if (!row(context, sqlite3_column_int64(read, 0) & STORE_TIME_MAX,
                     sqlite3_column_blob(read, 1), (size_t)sqlite3_column_bytes(read, 1)))
                break;
        sqlite3_reset(read);
        sqlite3_mutex_leave(sqlite3_db_mutex(s->reader));
        r = store_errno(step);
        if (r == -EBADMSG)
            atomic_store(&s->damaged, true);
    }
    pthread_mutex_unlock(&s->lock);
    return r;
}

int store_load_run(sqlite3 *db, uint64_t number, struct layout *ret_layout, char ret_run[17],
                   int64_t *ret_interval_ms)
{
    sqlite3_stmt *statement = NULL;
    int64_t slots;
    int r = store_errno(sqlite3_prepare_v2(
        db,
        "SELECT json, run, slots, interval_ms FROM runs JOIN columns ON columns.id = runs.columns "
        "WHERE runs.id = ?",
        -1, &statement, NULL));

    if (r == 0) {
        sqlite3_bind_int64(statement, 1, (int64_t)number);
        r = sqlite3_step(statement) == SQLITE_ROW ? 0 : -ENOENT;
    }
    if (r == 0) {
        const char *run = (const char *)sqlite3_column_text(statement, 1);
        const char *columns = sqlite3_column_blob(statement, 0);

        slots = sqlite3_column_int64(statement, 2);
        *ret_interval_ms = sqlite3_column_int64(statement, 3);
        text_copy(ret_run, 17, run ? run : "");
        r = slots < 1 || slots > STORE_SLOTS_MAX || !columns || *ret_interval_ms < 0 ||
                    sqlite3_column_bytes(statement, 0) > COLUMNS_JSON_MAX
                ? -EBADMSG
                : run_json_read(columns, (size_t)sqlite3_column_bytes(statement, 0), (size_t)slots,
                                ret_layout);
    }
    sqlite3_finalize(statement);
    return r;
}

int store_read_run(struct store *s, uint64_t number, struct layout *ret_layout, char ret_run[17],
                   int64_t *ret_interval_ms)
{
    int r = -EIO;

    pthread_mutex_lock(&s->lock);
    if (s->reader)
        r = store_load_run(s->reader, number, ret_layout, ret_run, ret_interval_ms);
    pthread_mutex_unlock(&s->lock);
    return r;
}

static int64_t edge(struct store *s, const char *which, size_t tier, int64_t line)
{
    int64_t id = 0;

    pthread_mutex_lock(&s->lock);
    if (s->reader)
        id = store_number(
            s->reader, 0, "SELECT %s(id) FROM %s_detail WHERE id >= %lld AND id < %lld", which,
            ladder[tier].table, (long long)row_id(line, 0), (long long)row_id(line + 1, 0));
    pthread_mutex_unlock(&s->lock);
    return id & STORE_TIME_MAX;
}

int64_t store_first(struct store *s, size_t tier, int64_t line)
{
    return edge(s, "min", tier, line);
}

int64_t store_last(struct store *s, size_t tier, int64_t line)
{
    return edge(s, "max", tier, line);
}

int64_t store_nth_back(struct store *s, size_t tier, int64_t line, int64_t from_ms, int64_t to_ms,
                       uint64_t n)
{
    int64_t id = 0;

    pthread_mutex_lock(&s->lock);
    if (s->reader)
        id = store_number(s->reader, 0,
                          "SELECT id FROM %s_detail WHERE id >= %lld AND id <= %lld ORDER BY id "
                          "DESC LIMIT 1 OFFSET %llu",
                          ladder[tier].table, (long long)row_id(line, clamp_time(from_ms)),
                          (long long)row_id(line, clamp_time(to_ms)), (unsigned long long)n - 1);
    pthread_mutex_unlock(&s->lock);
    return id & STORE_TIME_MAX;
}

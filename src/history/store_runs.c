// SPDX-License-Identifier: Apache-2.0
// Lines and runs. A line is one host and target, whose times strictly increase from run to run;
// what is of another host or target is never mixed in.
#include "history/pack.h"
#include "history/store_private.h"

#include <errno.h>
#include <string.h>

// A clock that was ahead by more than this, and is right again, would hold up a line's times for as
// long: another line begins.
#define AHEAD_MAX_MS ((int64_t)3600 * 1000)

// Newest time of a line, at full resolution or in a tier (the former may be gone).
static int64_t last_time(struct store *s, int64_t line)
{
    int64_t newest = 0;

    for (size_t t = 0; t < LADDER_TIERS; t++) {
        int64_t id = store_number(
            s->writer, 0, "SELECT max(id) FROM %s_detail WHERE id >= %lld AND id < %lld",
            ladder[t].table, (long long)row_id(line, 0), (long long)row_id(line + 1, 0));

        if (id && (id & STORE_TIME_MAX) > newest)
            newest = id & STORE_TIME_MAX;
    }
    return newest;
}

// A place for a line where all are taken: that of the one whose newest sample is the oldest, which
// is forgotten. 0 or -errno.
static int take_oldest_line(struct store *s, int64_t *ret_line)
{
    int64_t oldest = INT64_MAX;
    int r;

    for (int64_t line = 1; line <= STORE_LINES_MAX; line++) {
        int64_t newest = last_time(s, line);

        if (newest < oldest) {
            oldest = newest;
            *ret_line = line;
        }
    }
    r = store_prune_line(s, *ret_line);
    if (r == 0)
        r = store_run_sql(s->writer,
                          "DELETE FROM runs WHERE line = %lld; DELETE FROM lines WHERE "
                          "id = %lld",
                          (long long)*ret_line, (long long)*ret_line);
    return r == 0 ? schema_save_use(s) : r;
}

static int add_line(struct store *s, const struct store_run *run, int64_t *ret_line)
{
    char *sql;
    int r = 0;

    *ret_line = store_number(s->writer, 0, "SELECT max(id) FROM lines") + 1;
    if (*ret_line > STORE_LINES_MAX)
        r = take_oldest_line(s, ret_line);
    if (r < 0)
        return r;
    sql = sqlite3_mprintf("INSERT INTO lines VALUES(%lld, %Q, %Q, %Q)", (long long)*ret_line,
                          run->host, run->target_kind, run->target);
    r = sql ? store_run_sql(s->writer, "%s", sql) : -ENOMEM;
    sqlite3_free(sql);
    return r;
}

static int find_line(struct store *s, const struct store_run *run, int64_t now_ms,
                     struct store_place *ret)
{
    int64_t line = 0;
    char *sql;

    for (;;) {
        sql = sqlite3_mprintf("SELECT min(id) FROM lines WHERE id > %lld AND host = %Q AND "
                              "target_kind = %Q AND target = %Q",
                              (long long)line, run->host, run->target_kind, run->target);

        if (!sql)
            return -ENOMEM;
        line = store_number(s->writer, 0, "%s", sql);
        sqlite3_free(sql);
        if (!line)
            break;
        ret->last_ms = last_time(s, line);
        if (ret->last_ms <= now_ms + AHEAD_MAX_MS) {
            ret->line = line;
            return 0;
        }
    }
    ret->last_ms = 0;
    return add_line(s, run, &ret->line);
}

// The sequence of the run's newest sample, as its details say.
static uint64_t last_sequence(struct store *s, const struct store_place *place)
{
    uint64_t sequence = 0;

    for (size_t t = 0; t < LADDER_TIERS; t++) {
        sqlite3_stmt *statement = NULL;
        char *sql = sqlite3_mprintf(
            "SELECT data FROM %s_detail WHERE id <= %lld AND id >= %lld ORDER BY id DESC LIMIT 1",
            ladder[t].table, (long long)row_id(place->line, place->last_ms),
            (long long)row_id(place->line, 0));
        uint64_t run, found;

        if (sql && sqlite3_prepare_v2(s->writer, sql, -1, &statement, NULL) == SQLITE_OK &&
            sqlite3_step(statement) == SQLITE_ROW &&
            unpack_origin(sqlite3_column_blob(statement, 0),
                          (size_t)sqlite3_column_bytes(statement, 0), &run, &found) == 0 &&
            run == place->number && found > sequence)
            sequence = found;
        sqlite3_finalize(statement);
        sqlite3_free(sql);
    }
    return sequence;
}

// Runs with the same columns share their description, which is the longest thing about them.
static int place_columns(struct store *s, const struct layout *l, int64_t *ret_id)
{
    struct buf json = {0};
    char *sql = NULL;
    int r;

    run_json_write(&json, l);
    buf_append(&json, "", 1);
    r = buf_error(&json);
    if (r == 0 && !(sql = sqlite3_mprintf("SELECT id FROM columns WHERE json = %Q", json.data)))
        r = -ENOMEM;
    *ret_id = r == 0 ? store_number(s->writer, 0, "%s", sql) : 0;
    sqlite3_free(sql);
    if (r == 0 && !*ret_id) {
        sql = sqlite3_mprintf("INSERT INTO columns(json) VALUES(%Q)", json.data);
        r = sql ? store_run_sql(s->writer, "%s", sql) : -ENOMEM;
        *ret_id = sqlite3_last_insert_rowid(s->writer);
        sqlite3_free(sql);
    }
    buf_done(&json);
    return r;
}

static int add_run(struct store *s, const struct store_run *run, struct store_place *ret)
{
    int64_t columns;
    char *sql;
    int r = place_columns(s, run->layout, &columns);

    if (r < 0)
        return r;
    sql = sqlite3_mprintf("INSERT INTO runs(line, run, start, interval_ms, slots, columns) "
                          "VALUES(%lld, %Q, %lld, %lld, %lld, %lld)",
                          (long long)ret->line, run->run, (long long)run->start_ms,
                          (long long)run->interval_ms, (long long)run->layout->n_slots,
                          (long long)columns);
    r = sql ? store_run_sql(s->writer, "%s", sql) : -ENOMEM;
    sqlite3_free(sql);
    ret->number = (uint64_t)sqlite3_last_insert_rowid(s->writer);
    return r;
}

// The run's newest entry, if its columns are the same (a server that was started again in a run
// that goes on).
static bool find_run(struct store *s, const struct store_run *run, struct store_place *ret)
{
    struct layout layout;
    int64_t interval_ms, number;
    char name[17];
    char *sql = sqlite3_mprintf("SELECT max(id) FROM runs WHERE line = %lld AND run = %Q",
                                (long long)ret->line, run->run);
    bool same;

    number = sql ? store_number(s->writer, 0, "%s", sql) : 0;
    sqlite3_free(sql);
    if (!number || store_load_run(s->writer, (uint64_t)number, &layout, name, &interval_ms) < 0)
        return false;
    ret->number = (uint64_t)number;
    ret->sequence = last_sequence(s, ret);
    same = layout_equal(&layout, run->layout) && interval_ms == run->interval_ms;
    layout_done(&layout);
    return same;
}

// Columns that SQL sees: those that are named like none of ours, as far as there is room.
static int add_columns(struct store *s, size_t tier, const struct layout *l)
{
    s->n_plain = 0;
    for (size_t i = 0; i < layout_columns(l) && s->n_plain < STORE_COLUMNS_MAX; i++) {
        struct column c = layout_column(l, i);
        const char *id = column_id(&c);
        bool there;
        int r = 0;

        if (!*id || id[strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_")])
            continue; // never an identifier that we did not make
        there = sqlite3_table_column_metadata(s->writer, NULL, ladder[tier].table, id, NULL, NULL,
                                              NULL, NULL, NULL) == SQLITE_OK;
        if (there && store_own_column(id))
            continue;
        if (!there && store_number(s->writer, 0, "SELECT count(*) FROM pragma_table_info('%s')",
                                   ladder[tier].table) >= STORE_COLUMNS_MAX)
            continue;
        // A REAL that is whole, as 0 is, takes the room of a whole number.
        if (!there)
            r = store_run_sql(s->writer, "ALTER TABLE %s ADD COLUMN \"%s\"%s", ladder[tier].table,
                              id, c.metric ? " REAL" : "");
        if (r < 0)
            return r;
        s->plain[s->n_plain++] = i;
    }
    return 0;
}

static int prepare_puts(struct store *s, const struct layout *l)
{
    int r = 0;

    store_forget_statements(s);
    for (size_t t = 0; r == 0 && t < LADDER_TIERS; t++) {
        struct buf sql = {0};

        r = add_columns(s, t, l);
        buf_printf(&sql, "INSERT OR IGNORE INTO %s(id, run, seconds, intervals, missing",
                   ladder[t].table);
        for (size_t i = 0; i < s->n_plain; i++) {
            struct column c = layout_column(l, s->plain[i]);

            buf_printf(&sql, ",\"%s\"", column_id(&c));
        }
        buf_puts(&sql, ") VALUES(?,?,?,?,?");
        for (size_t i = 0; i < s->n_plain; i++)
            buf_puts(&sql, ",?");
        buf_putc(&sql, ')');
        if (r == 0 && (r = buf_error(&sql)) == 0)
            r = store_errno(sqlite3_prepare_v3(s->writer, sql.data, (int)sql.size,
                                               SQLITE_PREPARE_PERSISTENT, &s->put[t], NULL));
        buf_done(&sql);
    }
    return r;
}

static int place_run(struct store *s, const struct store_run *run, int64_t now_ms,
                     struct store_place *ret)
{
    int r = store_run_sql(s->writer, "BEGIN IMMEDIATE");

    if (r < 0)
        return r;
    r = find_line(s, run, now_ms, ret);
    if (r == 0 && !find_run(s, run, ret))
        r = add_run(s, run, ret);
    if (r == 0)
        r = prepare_puts(s, run->layout);
    s->line = ret->line;
    if (r == 0)
        r = store_run_sql(s->writer, "COMMIT");
    if (r < 0)
        store_undo(s);
    return r;
}

int store_place_run(struct store *s, const struct store_run *run, int64_t now_ms,
                    struct store_place *ret)
{
    int r;

    *ret = (struct store_place){0};
    s->why[0] = '\0';
    store_lock_writer(s);
    r = place_run(s, run, now_ms, ret);
    store_unlock_writer(s);
    return r;
}

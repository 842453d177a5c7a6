// SPDX-License-Identifier: Apache-2.0
// The keeper, its store and the questions to it, together: what goes in comes out.
#include "rows.h"

#include "history/query.h"

#include <sqlite3.h>

#define BOUND ((uint64_t)64 << 20)

static char folder[64], path[128];
static char said[4096];

static void hear(const char *text)
{
    size_t size = strlen(said);

    snprintf(said + size, sizeof(said) - size, "%s\n", text);
}

static int set_up(void **state)
{
    (void)state;
    scratch_init(folder);
    snprintf(path, sizeof(path), "%s/history.db", folder);
    said[0] = '\0';
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_done(folder);
    return 0;
}

// A server's life: from the opening of its store to its end.
struct life {
    struct rows rows;
    struct keeper *keeper;
    struct query *query;
    uint64_t sequence; // before the first row
};

static void life_open(struct life *l, int64_t interval_ms, enum store_kind kind, uint64_t bound)
{
    struct keeper_config config = {.session = &l->rows.session,
                                   .kind = kind,
                                   .path = path,
                                   .bound = bound,
                                   .memory = 1 << 20,
                                   .wait = true,
                                   .say = hear};

    rows_init(&l->rows, interval_ms);
    assert_int_equal(keeper_new(&config, &l->keeper), 0);
    assert_int_equal(keeper_start(l->keeper), 0);
    assert_int_equal(query_new(&l->rows.session, l->keeper, &l->query), 0);
}

// The first row comes after `start_ms`, or after what the store has.
static void life_begin(struct life *l, int64_t start_ms, size_t ring)
{
    int64_t last_ms;

    assert_int_equal(keeper_begin(l->keeper, &l->rows.table, ROWS_SLOTS, SCOPE_CPU, start_ms,
                                  &last_ms, &l->sequence),
                     0);
    l->rows.time_ms = start_ms > last_ms ? start_ms : last_ms;
    rows_ring(&l->rows, ring);
    history_continue(l->rows.session.history, l->sequence);
}

static void life_push(struct life *l, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        rows_push(&l->rows);
        if (i % 100 == 99)
            keeper_wait(l->keeper);
    }
    keeper_flush(l->keeper);
}

static void life_end(struct life *l)
{
    query_free(l->query);
    keeper_free(l->keeper);
    rows_done(&l->rows);
}

// What a question finds, to be compared with the rows of the ring.
struct found {
    const struct history *h; // NULL: not compared
    const struct query_plan *plan;
    size_t slot, n;
    size_t others; // points of other runs
    int64_t first_ms, last_ms;
    double seconds;
    uint64_t intervals, missing;
    int error;
};

static void compare(const struct found *f, const struct query_point *p)
{
    uint64_t from = history_at_or_after(f->h, p->t_ms - f->plan->resolution_ms + 1);
    uint64_t to = history_at_or_after(f->h, p->t_ms + 1) - 1;

    assert_int_equal(to - from + 1, p->bucket->intervals);
    for (size_t i = 0; i < 2; i++) {
        struct value ours = bucket_value(p->bucket, f->slot, &p->columns[i]);
        struct value theirs = history_value(f->h, from, to, f->slot, &p->columns[i]);
        struct extremes e = bucket_extremes(p->bucket, f->slot, &p->columns[i]);

        assert_true(p->have[i]);
        assert_int_equal(isnan(ours.value), isnan(theirs.value));
        if (!isnan(theirs.value))
            assert_near(ours.value, theirs.value);
        assert_int_equal(ours.quality, theirs.quality);
        for (uint64_t row = from; row <= to; row++) {
            double v = history_value(f->h, row, row, f->slot, &p->columns[i]).value;

            if (!isnan(v))
                assert_true(e.min <= v && v <= e.max);
        }
    }
}

static bool on_point(void *context, const struct query_point *p)
{
    struct found *f = context;

    assert_true(p->t_ms > f->last_ms); // strictly in order
    if (!f->n)
        f->first_ms = p->t_ms;
    f->last_ms = p->t_ms;
    f->n++;
    f->others += !p->sequence;
    f->seconds += p->bucket->seconds;
    f->intervals += p->bucket->intervals;
    f->missing += p->bucket->missing;
    if (f->h)
        compare(f, p);
    return true;
}

static struct found ask(struct life *l, double from, double to, uint64_t points, bool comparing,
                        struct query_plan *ret_plan)
{
    static const char *const ids[] = {"cycles", "cpi"};
    const struct query_columns columns = {.ids = ids, .n = 2, .extremes = true};
    struct found f = {.h = comparing ? l->rows.session.history : NULL, .plan = ret_plan, .slot = 1};

    query_plan(l->query, from, to, points, ret_plan);
    f.error = query_points(l->query, ret_plan, ret_plan->from_ms, ret_plan->to_ms,
                           (struct slots){1, 2}, &columns, on_point, &f);
    assert_true(f.error == 0 || f.error == -EBADMSG);
    if (points)
        assert_true(f.n <= points);
    return f;
}

static void every_resolution_agrees_with_the_rows(void **state)
{
    static const enum store_kind kinds[] = {STORE_FILE, STORE_TEMPORARY, STORE_MEMORY};
    static const uint64_t points[] = {10000, 3000, 1500, 700, 300, 100, 30, 10, 3, 1};

    (void)state;
    for (size_t k = 0; k < 3; k++) {
        struct life l;
        struct query_plan plan;

        scratch_done(folder);
        scratch_init(folder);
        snprintf(path, sizeof(path), "%s/history.db", folder);
        life_open(&l, 100, kinds[k], BOUND);
        life_begin(&l, ROWS_START + 37, 36000);
        life_push(&l, 15000);
        for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
            struct found f = ask(&l, -1e15, 1e15, points[i], true, &plan);

            assert_int_equal(f.intervals, 15000);
            assert_near(f.seconds, 0.1 * (15000 + 15000 / 7));
            assert_int_equal(f.missing, 15000 / 7);
            // Some part of it, whose begin and end are in the middle of buckets.
            f = ask(&l, (double)ROWS_START + 123456, (double)ROWS_START + 987654, points[i], true,
                    &plan);
            assert_true(f.n > 0);
        }
        assert_int_equal(plan.tier, LADDER_TIERS - 1);
        life_end(&l);
    }
    assert_string_equal(said, "");
}

static void a_restart_goes_on_and_shows_the_gap(void **state)
{
    struct life l;
    struct query_plan plan;
    struct found f;
    int64_t end;

    (void)state;
    life_open(&l, 100, STORE_FILE, BOUND);
    life_begin(&l, ROWS_START, 1000);
    life_push(&l, 3000);
    end = l.rows.time_ms;
    life_end(&l);
    // Another run, a minute later.
    life_open(&l, 100, STORE_FILE, BOUND);
    snprintf(l.rows.session.run, sizeof(l.rows.session.run), "0000002b");
    life_begin(&l, end + 60000, 1000);
    assert_int_equal(l.sequence, 0);
    life_push(&l, 2000);
    f = ask(&l, -1e15, 1e15, 10000, false, &plan);
    assert_true(plan.single);
    assert_int_equal(f.n, 5000);
    assert_near(f.first_ms, ROWS_START + 100);
    f = ask(&l, -1e15, 1e15, 900, false, &plan);
    assert_int_equal(plan.resolution_ms, 1000);
    assert_int_equal(f.intervals, 5000);
    f = ask(&l, (double)end + 1500, (double)end + 59000, 900, false, &plan);
    assert_int_equal(f.n, 0);
    f = ask(&l, -1e15, 1e15, 2, false, &plan);
    assert_int_equal(f.intervals, 5000);
    end = l.rows.time_ms;
    life_end(&l);
    // The same run, whose server was started again: its numbers go on.
    life_open(&l, 100, STORE_FILE, BOUND);
    snprintf(l.rows.session.run, sizeof(l.rows.session.run), "0000002b");
    life_begin(&l, end, 1000);
    assert_int_equal(l.sequence, 2000);
    life_push(&l, 500);
    assert_int_equal(history_last(l.rows.session.history), 2500);
    f = ask(&l, -1e15, 1e15, 10000, false, &plan);
    assert_int_equal(f.n, 5500);
    life_end(&l);
    // A clock that was set back by ten minutes: times still increase, nothing is lost.
    life_open(&l, 100, STORE_FILE, BOUND);
    snprintf(l.rows.session.run, sizeof(l.rows.session.run), "0000002c");
    life_begin(&l, end - 600000, 1000);
    life_push(&l, 100);
    f = ask(&l, -1e15, 1e15, 10000, false, &plan);
    assert_int_equal(f.intervals, 5600);
    life_end(&l);
    // Another host's: not mixed in.
    life_open(&l, 100, STORE_FILE, BOUND);
    snprintf(l.rows.session.host, sizeof(l.rows.session.host), "barn'; DROP TABLE runs; --");
    life_begin(&l, end - 600000, 1000);
    life_push(&l, 100);
    f = ask(&l, -1e15, 1e15, 10000, false, &plan);
    assert_int_equal(f.n, 100);
    life_end(&l);
    assert_string_equal(said, "");
}

static void run_sql(const char *sql)
{
    sqlite3 *db;
    char *error = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s: %s", sql, error);
    sqlite3_close(db);
}

static int64_t number(const char *sql)
{
    sqlite3_stmt *statement;
    sqlite3 *db;
    int64_t n;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    n = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return n;
}

// One life of 2,000 rows.
static void live(uint64_t bound)
{
    struct life l;

    life_open(&l, 100, STORE_FILE, bound);
    life_begin(&l, ROWS_START, 36000);
    life_push(&l, 2000);
    life_end(&l);
}

static void sql_sees_what_was_measured(void **state)
{
    struct column cycles, cpi;
    struct life l;
    sqlite3_stmt *statement;
    sqlite3 *db;
    uint64_t row = 0;

    (void)state;
    life_open(&l, 100, STORE_FILE, BOUND);
    life_begin(&l, ROWS_START, 36000);
    life_push(&l, 2000);
    assert_true(history_column(l.rows.session.history, "cycles", &cycles));
    assert_true(history_column(l.rows.session.history, "cpi", &cpi));
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db,
                           "SELECT time, seconds, intervals, missing, cycles, cpi FROM "
                           "samples ORDER BY id",
                           -1, &statement, NULL),
        SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        const struct history *h = l.rows.session.history;
        struct value v;

        row++;
        v = history_value(h, row, row, 0, &cycles);
        assert_int_equal(sqlite3_column_int64(statement, 0), history_timestamp(h, row));
        assert_near(sqlite3_column_double(statement, 1), history_seconds(h, row));
        assert_int_equal(sqlite3_column_int64(statement, 2), 1);
        assert_int_equal(sqlite3_column_int64(statement, 3), (row - 1) % 7 == 6);
        assert_int_equal(sqlite3_column_type(statement, 4) == SQLITE_NULL, isnan(v.value));
        if (isnan(v.value))
            continue;
        assert_int_equal(sqlite3_column_int64(statement, 4), llround(v.value));
        v = history_value(h, row, row, 0, &cpi);
        assert_int_equal(sqlite3_column_type(statement, 5) == SQLITE_NULL, isnan(v.value));
        if (!isnan(v.value))
            assert_near(sqlite3_column_double(statement, 5), v.value);
    }
    assert_int_equal(row, 2000);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    life_end(&l);
    // Tiers add up to the rows, but for what is not complete.
    assert_int_equal(number("SELECT sum(intervals) FROM samples_1s"),
                     number("SELECT count(*) FROM samples WHERE time <= (SELECT max(time) FROM "
                            "samples_1s)"));
    assert_int_equal(
        number("SELECT sum(minor_faults) FROM samples_10s"),
        number("SELECT sum(minor_faults) FROM samples WHERE time <= (SELECT max(time) FROM "
               "samples_10s)"));
    assert_int_equal(number("SELECT rows FROM tiers WHERE name = 'samples'"), 2000);
}

static void a_damaged_file_is_set_aside(void **state)
{
    static const struct {
        off_t at;
        const char *bytes;
    } damages[] = {{0, "this is no database at all"}, {100, "\x05\x05\x05\x05\x05\x05\x05\x05"}};

    (void)state;
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        int fd;

        said[0] = '\0';
        live(BOUND);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(pwrite(fd, damages[i].bytes, strlen(damages[i].bytes), damages[i].at),
                         (ssize_t)strlen(damages[i].bytes));
        close(fd);
        live(BOUND);
        assert_contains(said, "set aside as history.db.damaged-");
        assert_int_equal(number("SELECT count(*) FROM samples"), 2000);
        unlink(path);
    }
}

// All but the first page, and what the log has of them; until it is seen.
static void damage(struct life *l)
{
    struct query_plan plan;
    char bytes[8192];
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    memset(bytes, 0x5a, sizeof(bytes));
    for (off_t at = 4096; at < 4096 * 400; at += (off_t)sizeof(bytes))
        assert_int_equal(pwrite(fd, bytes, sizeof(bytes), at), sizeof(bytes));
    close(fd);
    for (int i = 0; i < 20 && !said[0]; i++) {
        ask(l, -1e15, 1e15, 5000, false, &plan); // who reads it may be the first to see it
        life_push(l, 100);
    }
    assert_contains(said, "damaged");
}

static void damage_that_shows_later_begins_a_new_file(void **state)
{
    struct life l;
    struct query_plan plan;
    struct found f;

    (void)state;
    live(BOUND);
    life_open(&l, 100, STORE_FILE, BOUND);
    life_begin(&l, ROWS_START + 300000, 36000);
    life_push(&l, 100);
    damage(&l);
    life_push(&l, 3000);
    f = ask(&l, -1e15, 1e15, 5, false, &plan);
    assert_true(f.intervals >= 3000);
    life_end(&l);
    assert_true(number("SELECT count(*) FROM samples") >= 3000);
    assert_int_equal(number("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> "
                            "'ok'"),
                     0);
}

// A run that was the second, or of the second target, is the first of both in the new file.
static void a_new_file_is_asked_for_what_it_has(void **state)
{
    static const char *const targets[] = {"", "another"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct query_plan plan;
        struct life l;
        struct found f;

        live(BOUND);
        said[0] = '\0';
        life_open(&l, 100, STORE_FILE, BOUND);
        strcat(l.rows.session.target_text, targets[i]);
        strcpy(l.rows.session.run, "second");
        life_begin(&l, ROWS_START + 300000, 512);
        life_push(&l, 1000);
        ask(&l, -1e15, 1e15, 0, false, &plan);
        damage(&l);
        life_push(&l, 3000);
        f = ask(&l, -1e15, 1e15, 0, false, &plan);
        assert_true(f.intervals >= 3000);
        assert_int_equal(f.others, 0);
        life_end(&l);
        unlink(path);
    }
}

static void what_is_not_ours_is_not_touched(void **state)
{
    static const char *const others[] = {
        "CREATE TABLE precious(x); INSERT INTO precious VALUES(42)",
        "CREATE TABLE precious(x); INSERT INTO precious VALUES(42); PRAGMA application_id = "
        "1668899699; PRAGMA user_version = 99",
    };
    struct keeper_status status;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct life l;

        said[0] = '\0';
        run_sql(others[i]);
        life_open(&l, 100, STORE_FILE, BOUND);
        life_begin(&l, ROWS_START, 36000);
        assert_contains(said, "not touched");
        keeper_status(l.keeper, &status);
        assert_int_equal(status.state, KEEPER_FAILED);
        assert_null(keeper_path(l.keeper));
        // It goes on in memory.
        life_push(&l, 2000);
        life_end(&l);
        assert_int_equal(number("SELECT x FROM precious"), 42);
        assert_int_equal(number("SELECT count(*) FROM sqlite_master"), 1);
        unlink(path);
    }
}

static void copy_fixture(const char *name)
{
    FILE *from = fopen(fixture(name), "rb"), *to = fopen(path, "wb");
    char bytes[4096];
    size_t size;

    assert_non_null(from);
    assert_non_null(to);
    while ((size = fread(bytes, 1, sizeof(bytes), from)) > 0)
        assert_int_equal(fwrite(bytes, 1, size, to), size);
    fclose(from);
    assert_int_equal(fclose(to), 0);
}

// history/version-2.db was written by a program of that version: the first 250 rows of rows.h, of
// 100 ms each.
#define OLD_ROWS 250

static void check_old_rows(struct life *l, struct rows *old)
{
    static const char *const ids[] = {"cycles", "cpi"};
    static const uint64_t points[] = {1000, 40, 5};
    const struct query_columns columns = {.ids = ids, .n = 2, .extremes = true};

    for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
        for (size_t slot = 0; slot < ROWS_SLOTS; slot++) {
            struct query_plan plan;
            struct found f = {.h = old->session.history, .plan = &plan, .slot = slot};

            query_plan(l->query, (double)ROWS_START + 1, (double)old->time_ms, points[i], &plan);
            assert_int_equal(plan.single, i == 0);
            f.error = query_points(l->query, &plan, plan.from_ms, plan.to_ms,
                                   (struct slots){slot, slot + 1}, &columns, on_point, &f);
            assert_int_equal(f.error, 0);
            assert_int_equal(f.intervals, OLD_ROWS);
        }
}

static void an_older_version_is_migrated(void **state)
{
    static const char *const steps[] = {
        "",                                          // version 2, as it is
        "DROP TABLE tiers; PRAGMA user_version = 1", // which did not have this table
    };
    struct rows old;

    (void)state;
    rows_init(&old, 100);
    rows_ring(&old, 1000);
    for (int i = 0; i < OLD_ROWS; i++)
        rows_push(&old);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct life l;

        copy_fixture("history/version-2.db");
        run_sql(steps[i]);
        life_open(&l, 100, STORE_FILE, BOUND);
        // Another run of the same host and target.
        snprintf(l.rows.session.run, sizeof(l.rows.session.run), "0000002b");
        life_begin(&l, old.time_ms + 60000, 36000);
        life_push(&l, 1000);
        check_old_rows(&l, &old);
        life_end(&l);
        assert_int_equal(number("PRAGMA user_version"), 4);
        assert_int_equal(number("SELECT rows FROM tiers WHERE name = 'samples'"), OLD_ROWS + 1000);
        assert_int_equal(number("SELECT count(*) FROM samples"), OLD_ROWS + 1000);
        assert_int_equal(number("SELECT count(DISTINCT line) FROM samples"), 1);
        assert_string_equal(said, "");
        unlink(path);
    }
    rows_done(&old);
}

// Without a number of points: so many of the newest rows, however long nothing was measured.
static void the_newest_rows_are_counted_not_their_time(void **state)
{
    const size_t old = 3000, gap_ms = 3600000, new = HISTORY_ROWS_MAX - 1000;
    struct life l;
    struct query_plan plan;
    struct found f;
    int64_t end, middle;

    (void)state;
    life_open(&l, 100, STORE_FILE, BOUND);
    life_begin(&l, ROWS_START, 1000);
    life_push(&l, old);
    end = l.rows.time_ms;
    life_end(&l);
    life_open(&l, 100, STORE_FILE, BOUND);
    snprintf(l.rows.session.run, sizeof(l.rows.session.run), "0000002b");
    life_begin(&l, end + (int64_t)gap_ms, 1000);
    life_push(&l, new);
    // The last thousand of the first run, and all of the second, most of which has left the ring.
    f = ask(&l, -1e15, 1e15, 0, false, &plan);
    assert_int_equal(f.n, HISTORY_ROWS_MAX);
    assert_true(f.first_ms < end && f.first_ms > end - 2 * 1000 * 100);
    // Fewer than that: all that there are.
    f = ask(&l, (double)ROWS_START, (double)end, 0, false, &plan);
    assert_int_equal(f.n, old);
    // To a time in the store, and in the ring.
    f = ask(&l, -1e15, (double)end + (double)gap_ms + 100 * 100, 0, false, &plan);
    assert_true(f.n > old && f.n <= old + 100);
    middle = history_timestamp(l.rows.session.history, history_last(l.rows.session.history) - 500);
    f = ask(&l, -1e15, (double)middle, 0, false, &plan);
    assert_int_equal(f.n, HISTORY_ROWS_MAX);
    assert_int_equal(f.last_ms, middle);
    life_end(&l);
}

// Of a run with a shorter interval there are more rows than the nominal interval of this one makes.
static void stored_rows_that_lie_closer_are_no_more_points(void **state)
{
    struct life l;
    struct query_plan plan;
    struct found f;
    int64_t end;

    (void)state;
    life_open(&l, 10, STORE_FILE, BOUND);
    life_begin(&l, ROWS_START, 36000);
    life_push(&l, 2000);
    end = l.rows.time_ms;
    life_end(&l);
    life_open(&l, 100, STORE_FILE, BOUND);
    snprintf(l.rows.session.run, sizeof(l.rows.session.run), "0000002b");
    life_begin(&l, end, 36000);
    life_push(&l, 100);
    // 330 intervals of this run's length, of which the first tenths are full of rows.
    f = ask(&l, -1e15, 1e15, 500, false, &plan); // checks that there are no more
    assert_int_equal(plan.tier, 0);
    assert_int_equal(plan.resolution_ms, 100);
    assert_false(plan.single);
    assert_int_equal(f.intervals, 2100);
    // As many as there are fit.
    f = ask(&l, -1e15, 1e15, 2100, false, &plan);
    assert_true(plan.single);
    assert_int_equal(f.n, 2100);
    f = ask(&l, -1e15, 1e15, 2099, false, &plan);
    assert_false(plan.single);
    life_end(&l);
}

// Neither its slots nor its columns are too many, but both together would take a third of a GiB.
static void a_run_that_would_take_too_much_is_passed_over(void **state)
{
    struct life l;
    struct query_plan plan;
    struct layout layout;
    struct found f;
    int64_t interval_ms;
    char run[17];

    (void)state;
    live(BOUND);
    run_sql("UPDATE runs SET slots = 8193;"
            "UPDATE columns SET json = json_set(json, '$.events', (WITH RECURSIVE n(i) AS (SELECT "
            "1 UNION "
            "SELECT i + 1 FROM n WHERE i < 64) SELECT json_group_array(json_object('id', 'e' || i, "
            "'quality', 'exact', 'group', 0)) FROM n))");
    life_open(&l, 100, STORE_FILE, BOUND);
    snprintf(l.rows.session.run, sizeof(l.rows.session.run), "0000002b");
    life_begin(&l, ROWS_START + 300000, 36000);
    life_push(&l, 100);
    assert_int_equal(store_read_run(keeper_store(l.keeper), 1, &layout, run, &interval_ms),
                     -EBADMSG);
    f = ask(&l, -1e15, 1e15, 10000, false, &plan);
    assert_int_equal(f.n, 100);
    life_end(&l);
}

static uint64_t size_of(const char *suffix)
{
    char full[160];
    struct stat st;

    snprintf(full, sizeof(full), "%s%s", path, suffix);
    return stat(full, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static void the_bound_holds(void **state)
{
    static const uint64_t bounds[] = {1 << 20, 4 << 20};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct life l;
        struct query_plan plan;
        struct found f;

        life_open(&l, 100, STORE_FILE, bounds[i]);
        life_begin(&l, ROWS_START, 36000);
        for (int k = 0; k < 300; k++) {
            life_push(&l, 100);
            assert_true(size_of("") + size_of("-wal") + size_of("-shm") <= bounds[i]);
        }
        // The oldest of the finest went first: the coarser tiers reach back further.
        assert_true(store_first(keeper_store(l.keeper), 0, 1) >
                    store_first(keeper_store(l.keeper), 4, 1));
        f = ask(&l, -1e15, 1e15, 3000, false, &plan);
        assert_true(f.n > 0);
        life_end(&l);
        assert_int_equal(number("SELECT count(*) FROM pragma_integrity_check WHERE "
                                "integrity_check <> 'ok'"),
                         0);
        assert_int_equal(number("SELECT count(*) FROM samples"),
                         number("SELECT rows FROM tiers WHERE name = 'samples'"));
        assert_int_equal(number("SELECT count(*) FROM samples"),
                         number("SELECT count(*) FROM samples_detail"));
        // Allowed less, it shrinks.
        life_open(&l, 100, STORE_FILE, 1 << 20);
        life_begin(&l, ROWS_START, 36000);
        life_push(&l, 200);
        life_end(&l);
        assert_true(size_of("") + size_of("-wal") + size_of("-shm") <= 1 << 20);
        unlink(path);
    }
    assert_string_equal(said, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_resolution_agrees_with_the_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_restart_goes_on_and_shows_the_gap, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sql_sees_what_was_measured, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_file_is_set_aside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damage_that_shows_later_begins_a_new_file, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_new_file_is_asked_for_what_it_has, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_ours_is_not_touched, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_older_version_is_migrated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_newest_rows_are_counted_not_their_time, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(stored_rows_that_lie_closer_are_no_more_points, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_run_that_would_take_too_much_is_passed_over, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_bound_holds, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
// More hosts and targets than the store has lines for.
#include "history/pack.h"
#include "history/store_private.h"

#include "unit.h"

#define LINES   STORE_LINES_MAX
#define OLDEST  1000 // the line whose newest row is the oldest
#define TIME_MS ((int64_t)1700000000000)

static char folder[64], path[128];
static struct event_table events;
static struct layout layout;
static struct bucket bucket;

static int set_up(void **state)
{
    (void)state;
    scratch_init(folder);
    snprintf(path, sizeof(path), "%s/history.db", folder);
    if (event_table_add(&events, &(struct event){.name = "cycles", .group = -1}) < 0 ||
        layout_init(&layout, &events, 1, SCOPE_CPU) < 0)
        return -1;
    return bucket_init(&bucket, &layout);
}

static int tear_down(void **state)
{
    (void)state;
    bucket_done(&bucket);
    layout_done(&layout);
    event_table_done(&events);
    scratch_done(folder);
    return 0;
}

static struct store *open_store(void)
{
    char note[STORE_WHY_MAX];
    struct store *s;

    assert_int_equal(store_open(STORE_FILE, path, 16 << 20, &s, note), 0);
    return s;
}

static void put(struct store *s, const struct store_place *place, int64_t time_ms)
{
    struct buf packed = {0};

    bucket_clear(&bucket);
    bucket.time_ms = time_ms;
    bucket.run = place->number;
    bucket.intervals = bucket.sequence = 1;
    bucket.seconds = 1;
    pack_bucket(&packed, &bucket, false);
    assert_int_equal(store_begin(s, packed.size), 0);
    assert_int_equal(store_put(s, 0, place, &bucket, &packed), 0);
    assert_int_equal(store_commit(s, time_ms), 0);
    buf_done(&packed);
}

static sqlite3 *open_sql(void)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    return db;
}

static int64_t ask(const char *sql)
{
    sqlite3 *db = open_sql();
    sqlite3_stmt *statement;
    int64_t answer;

    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    answer = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return answer;
}

// All lines but the first, with a row each.
static void fill(void)
{
    sqlite3 *db = open_sql();
    char sql[1024];

    snprintf(
        sql, sizeof(sql),
        "BEGIN; INSERT INTO lines WITH RECURSIVE c(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM "
        "c WHERE i < %d) SELECT i, 'h', 'process', 'process ' || i FROM c;"
        "INSERT INTO samples(id, run, seconds, intervals, missing) SELECT (id << 44) + %lld - "
        "iif(id = %d, 5000, 1000), id, 1, 1, 0 FROM lines WHERE id > 1;"
        "INSERT INTO samples_detail SELECT id, x'00' FROM samples WHERE id NOT IN (SELECT id "
        "FROM samples_detail);"
        "INSERT INTO runs(line, run, start, interval_ms, slots, columns) SELECT id, 'r', 1, "
        "1000, 1, 1 FROM lines WHERE id > 1;"
        "UPDATE tiers SET rows = %d, bytes = %d WHERE id = 0; COMMIT",
        LINES, (long long)TIME_MS, OLDEST, LINES, 100 * LINES);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static struct store_place place_target(struct store *s, const char *target)
{
    struct store_run run = {.run = "cafe0001",
                            .host = "h",
                            .target_kind = "process",
                            .target = target,
                            .start_ms = TIME_MS,
                            .interval_ms = 1000,
                            .layout = &layout};
    struct store_place place;

    assert_int_equal(store_place_run(s, &run, TIME_MS, &place), 0);
    return place;
}

static void the_line_that_ended_first_makes_room(void **state)
{
    struct store *s = open_store();
    struct store_place place = place_target(s, "process 1");

    (void)state;
    assert_int_equal(place.line, 1);
    put(s, &place, TIME_MS - 1000);
    store_close(s);
    fill();
    s = open_store();
    place = place_target(s, "one more");
    assert_int_equal(place.line, OLDEST);
    assert_int_equal(place.last_ms, 0);
    put(s, &place, TIME_MS);
    assert_int_equal(place_target(s, "process 1").line, 1);
    assert_int_equal(place_target(s, "one more").last_ms, TIME_MS);
    store_close(s);
    assert_int_equal(ask("SELECT count(*) FROM lines"), LINES);
    assert_int_equal(ask("SELECT count(*) FROM samples"), LINES);
    assert_int_equal(ask("SELECT count(*) FROM samples_detail"), LINES);
    assert_int_equal(ask("SELECT rows FROM tiers WHERE name = 'samples'"), LINES);
    assert_int_equal(ask("SELECT count(*) FROM lines WHERE target = 'process 1000'"), 0);
    assert_int_equal(ask("SELECT count(*) FROM runs WHERE line = 1000"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_line_that_ended_first_makes_room, set_up, tear_down)};

    return cmocka_run_group_tests_name("store lines", tests, NULL, NULL);
}

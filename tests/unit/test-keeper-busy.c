// SPDX-License-Identifier: Apache-2.0
// Another program has the history's file while a run begins: it is waited for, the file taken up
// later, or done without.
#include "rows.h"

#include "history/keeper.h"

#include <sqlite3.h>

static char folder[64], path[128];
static char said[4096];
static sqlite3 *holder;
static bool lets_go;

static void sql(sqlite3 *db, const char *text)
{
    char *error = NULL;

    if (sqlite3_exec(db, text, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s: %s", text, error);
}

static int64_t number(const char *text)
{
    sqlite3_stmt *statement;
    sqlite3 *db;
    int64_t n;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    n = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return n;
}

// The other program lets go once it is waited for.
static void hear(const char *text)
{
    size_t size = strlen(said);

    snprintf(said + size, sizeof(said) - size, "%s\n", text);
    if (lets_go && strstr(text, "waiting for it"))
        sql(holder, "ROLLBACK");
}

static bool ending(void *context)
{
    (void)context;
    return !lets_go;
}

static int set_up(void **state)
{
    (void)state;
    scratch_init(folder);
    snprintf(path, sizeof(path), "%s/history.db", folder);
    said[0] = '\0';
    assert_int_equal(sqlite3_open(path, &holder), SQLITE_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sqlite3_close(holder);
    scratch_done(folder);
    return 0;
}

static struct keeper *begin(struct rows *rows, bool wait, int64_t start_ms)
{
    struct keeper *keeper;
    struct keeper_config config = {.session = &rows->session,
                                   .kind = STORE_FILE,
                                   .path = path,
                                   .bound = 64 << 20,
                                   .memory = 1 << 20,
                                   .wait = wait,
                                   .say = hear,
                                   .ending = ending};
    int64_t last_ms;
    uint64_t sequence;

    rows_init(rows, 100);
    if (!wait)
        snprintf(rows->session.run, sizeof(rows->session.run), "0000002b");
    assert_int_equal(keeper_new(&config, &keeper), 0);
    assert_int_equal(keeper_start(keeper), 0);
    assert_int_equal(
        keeper_begin(keeper, &rows->table, ROWS_SLOTS, SCOPE_CPU, start_ms, &last_ms, &sequence),
        0);
    rows->time_ms = start_ms;
    rows_ring(rows, 1000);
    history_continue(rows->session.history, sequence);
    return keeper;
}

// A run of `n` rows, and what the keeper said of itself at its end.
static void run(int64_t start_ms, size_t n, struct keeper_status *ret, bool *ret_file)
{
    struct rows rows;
    struct keeper *keeper = begin(&rows, true, start_ms);

    for (size_t i = 0; i < n; i++)
        rows_push(&rows);
    keeper_flush(keeper);
    keeper_status(keeper, ret);
    *ret_file = keeper_path(keeper) != NULL;
    keeper_free(keeper);
    rows_done(&rows);
}

static void who_lets_go_is_waited_for(void **state)
{
    struct keeper_status status;
    bool file;

    (void)state;
    lets_go = true;
    // A file without tables, which nobody else may even read.
    sql(holder, "BEGIN EXCLUSIVE");
    run(ROWS_START, 300, &status, &file);
    assert_contains(said, "another program keeps it busy; waiting for it");
    assert_int_equal(number("SELECT count(*) FROM samples"), 300);
    assert_true(file);
    assert_int_equal(status.state, KEEPER_OK);
    assert_string_equal(status.reason, "");
    // One with a log, which nobody else may write.
    said[0] = '\0';
    sql(holder, "BEGIN IMMEDIATE");
    run(ROWS_START + 600000, 200, &status, &file);
    assert_contains(said, "another program keeps it busy; waiting for it");
    assert_null(strstr(said, "memory"));
    assert_int_equal(number("SELECT count(*) FROM samples"), 500);
    assert_int_equal(status.lost, 0);
}

static void push(struct rows *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        rows_push(rows);
}

// Waits for it, without a bound of time: a machine may be as slow as it likes.
static void until_it_is_kept(struct keeper *keeper, struct keeper_status *ret)
{
    do {
        usleep(10000);
        keeper_status(keeper, ret);
    } while (ret->state != KEEPER_OK);
    keeper_flush(keeper);
    keeper_status(keeper, ret);
}

static void who_lets_go_late_is_followed(void **state)
{
    struct keeper_status status;
    struct keeper *keeper;
    struct rows rows;
    bool file;

    (void)state;
    lets_go = true;
    run(ROWS_START, 300, &status, &file);
    lets_go = false; // not while it is waited for
    said[0] = '\0';
    sql(holder, "BEGIN IMMEDIATE");
    keeper = begin(&rows, false, ROWS_START + 600000);
    push(&rows, 200);
    keeper_wait(keeper); // ingest's, which must not be held up
    keeper_status(keeper, &status);
    assert_int_equal(status.state, KEEPER_FAILED);
    assert_string_equal(status.reason, "another program keeps it busy");
    assert_int_equal(status.line, 0);
    assert_non_null(keeper_path(keeper));
    assert_contains(said, "what is measured now waits in memory until it can be written");
    sql(holder, "ROLLBACK");
    push(&rows, 100);
    until_it_is_kept(keeper, &status);
    assert_contains(said, "history: goes on");
    assert_true(status.line > 0);
    assert_int_equal(status.lost, 0);
    assert_int_equal(number("SELECT count(*) FROM samples"), 600);
    assert_int_equal(number("SELECT count(*) FROM runs"), 2);
    assert_true(number("SELECT count(*) FROM samples_1s WHERE run = 2") >= 29);
    assert_true(status.first_ms[0] < ROWS_START + 1000); // the run before is there, too
    keeper_free(keeper);
    rows_done(&rows);
}

// The clock was set back meanwhile: what is older than what the file has is not written between it.
static void what_is_older_than_the_file_is_lost(void **state)
{
    struct keeper_status status;
    struct keeper *keeper;
    struct rows rows;
    uint64_t older;
    int64_t newest;
    bool file;

    (void)state;
    lets_go = true;
    run(ROWS_START, 300, &status, &file);
    newest = number("SELECT max(time) FROM samples");
    lets_go = false;
    sql(holder, "BEGIN IMMEDIATE");
    keeper = begin(&rows, false, newest - 10050);
    push(&rows, 200);
    sql(holder, "ROLLBACK");
    until_it_is_kept(keeper, &status);
    older = history_at_or_after(rows.session.history, newest + 1) - 1;
    assert_in_range(older, 50, 150);
    assert_int_equal(status.lost, older);
    assert_int_equal(number("SELECT count(*) FROM samples"), 300 + 200 - older);
    keeper_free(keeper);
    rows_done(&rows);
}

static void who_does_not_is_done_without(void **state)
{
    struct keeper_status status;
    bool file;

    (void)state;
    lets_go = true;
    run(ROWS_START, 300, &status, &file);
    assert_string_equal(said, "");
    lets_go = false;
    sql(holder, "BEGIN IMMEDIATE");
    run(ROWS_START + 600000, 300, &status, &file);
    assert_contains(said, "another program keeps it busy; what is measured now stays in memory "
                          "only");
    assert_false(file);
    assert_int_equal(status.state, KEEPER_FAILED);
    assert_string_equal(status.reason, "another program keeps it busy");
    assert_true(status.line > 0);
    assert_true(status.first_ms[3] > ROWS_START + 600000); // the tiers are there
    sql(holder, "ROLLBACK");
    assert_int_equal(number("SELECT count(*) FROM samples"), 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_lets_go_is_waited_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_lets_go_late_is_followed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_older_than_the_file_is_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_does_not_is_done_without, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

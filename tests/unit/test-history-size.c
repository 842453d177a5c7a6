// SPDX-License-Identifier: Apache-2.0
// What the ladder takes on disk, computed from what a row of a busy machine of 2 CPUs takes with
// the columns that are counted by default: all of it has to fit into the default bound.
#include "unit.h"

#include "../../bench/busy_machine.h"

#include <sqlite3.h>

#define RETAIN ((double)512 * 1024 * 1024)
#define LOG    ((double)8 * 1024 * 1024) // of it, for the log
#define ROOM   0.95                      // of the rest: another host's or target's line
#define ROWS   60000                     // a hundred buckets of a minute

static char folder[64], path[128];

// Bytes of a tier's two tables, in whole pages, a row.
static double row_bytes(sqlite3 *db, size_t tier)
{
    char sql[256];
    sqlite3_stmt *statement;
    double bytes;

    snprintf(
        sql, sizeof(sql),
        "SELECT 1.0 * sum(pgsize) / (SELECT count(*) FROM %s) FROM dbstat WHERE name IN ('%s', "
        "'%s_detail')",
        ladder[tier].table, ladder[tier].table, ladder[tier].table);
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        return NAN;
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    bytes = sqlite3_column_double(statement, 0);
    sqlite3_finalize(statement);
    return bytes;
}

static void the_ladder_fits_into_the_default_bound(void **state)
{
    const struct keeper_config config = {
        .kind = STORE_FILE, .path = path, .bound = (uint64_t)RETAIN};
    static struct busy_machine m;
    double total = 0, least = INFINITY;
    sqlite3 *db;

    (void)state;
    assert_int_equal(busy_begin(&m, 2, BUSY_EVENTS, 100, INT64_C(1700000000000), &config), 0);
    assert_int_equal(layout_columns(history_layout(m.session.history)), 44);
    while (m.rows < ROWS)
        busy_push(&m);
    busy_end(&m);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    for (size_t t = 0; t < LADDER_TIERS; t++) {
        double resolution = t ? (double)ladder[t].resolution_ms : 100, bytes;

        if (!ladder_used(t, 100))
            continue;
        // Of the last tier there are too few here to fill its pages: a row is as large as the one
        // below it.
        bytes = t == LADDER_TIERS - 1 ? row_bytes(db, t - 1) : row_bytes(db, t);
        if (isnan(bytes)) {
            sqlite3_close(db);
            skip_because("this SQLite does not tell what tables take");
        }
        least = fmin(least, bytes);
        total += bytes * (double)ladder[t].keep_ms / resolution;
        printf("# %s: %.0f bytes a row\n", ladder[t].table, bytes);
    }
    sqlite3_close(db);
    printf("# %.0f MiB in all\n", total / 1024 / 1024);
    assert_true(least > 100); // something was measured
    assert_true(total < (RETAIN - LOG) * ROOM);
}

static int set_up(void **state)
{
    (void)state;
    scratch_init(folder);
    snprintf(path, sizeof(path), "%s/history.db", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_done(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_ladder_fits_into_the_default_bound, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

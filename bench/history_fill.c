// SPDX-License-Identifier: Apache-2.0
// history-fill FILE CPUS INTERVAL_MS ROWS [RETAIN]: a history file as so many intervals of a busy
// machine leave it, the last of them now. Prints what each tier took a row.
#include "busy_machine.h"

#include <sqlite3.h>

static void say(const char *text)
{
    fprintf(stderr, "%s\n", text);
}

static void print_tiers(const char *path)
{
    sqlite3 *db;

    sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL);
    for (size_t t = 0; t < LADDER_TIERS; t++) {
        char sql[512];
        sqlite3_stmt *statement = NULL;

        snprintf(sql, sizeof(sql),
                 "SELECT (SELECT count(*) FROM %s_detail), (SELECT avg(length(data)) FROM "
                 "%s_detail), sum(pgsize) FROM dbstat WHERE name IN ('%s', '%s_detail')",
                 ladder[t].table, ladder[t].table, ladder[t].table, ladder[t].table);
        if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
            sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_int64(statement, 0) > 0)
            printf(
                "%s: %lld rows, %.0f bytes of details a row, %.0f bytes in all\n", ladder[t].table,
                sqlite3_column_int64(statement, 0), sqlite3_column_double(statement, 1),
                sqlite3_column_double(statement, 2) / (double)sqlite3_column_int64(statement, 0));
        sqlite3_finalize(statement);
    }
    sqlite3_close(db);
}

int main(int argc, char **argv)
{
    struct keeper_config config = {.kind = STORE_FILE, .bound = (uint64_t)512 << 20, .say = say};
    struct busy_machine m;
    int64_t interval_ms;
    uint64_t rows;

    if (argc < 5) {
        fprintf(stderr, "history-fill FILE CPUS INTERVAL_MS ROWS [RETAIN]\n");
        return 2;
    }
    interval_ms = strtoll(argv[3], NULL, 10);
    rows = strtoull(argv[4], NULL, 10);
    config.path = argv[1];
    if (argc > 5)
        config.bound = strtoull(argv[5], NULL, 10);
    if (busy_begin(&m, strtoull(argv[2], NULL, 10), interval_ms,
                   clock_ns(CLOCK_REALTIME) / NS_PER_MS - (int64_t)rows * interval_ms, &config) < 0)
        return 1;
    while (m.rows < rows)
        busy_push(&m);
    busy_end(&m);
    print_tiers(argv[1]);
    return 0;
}

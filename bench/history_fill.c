// SPDX-License-Identifier: Apache-2.0
// history-fill FILE CPUS INTERVAL_MS ROWS [RETAIN]: a history file as so many intervals of a busy
// machine leave it, the last of them now. Prints what each tier took a row, and how far back each
// of them reaches when a file of 512 MiB (or RETAIN) is full.
#include "busy_machine.h"

#include <sqlite3.h>

#define LOG_BYTES (8 << 20) // of the bound, for the log

static void say(const char *text)
{
    fprintf(stderr, "%s\n", text);
}

// Bytes of each tier's tables a row; 0: it has no rows.
static void print_tiers(const char *path, double ret_bytes[LADDER_TIERS])
{
    sqlite3 *db;

    sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL);
    for (size_t t = 0; t < LADDER_TIERS; t++) {
        char sql[512];
        sqlite3_stmt *statement = NULL;

        ret_bytes[t] = 0;
        snprintf(sql, sizeof(sql),
                 "SELECT (SELECT count(*) FROM %s_detail), (SELECT avg(length(data)) FROM "
                 "%s_detail), sum(pgsize) FROM dbstat WHERE name IN ('%s', '%s_detail')",
                 ladder[t].table, ladder[t].table, ladder[t].table, ladder[t].table);
        if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
            sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_int64(statement, 0) > 0) {
            ret_bytes[t] =
                sqlite3_column_double(statement, 2) / (double)sqlite3_column_int64(statement, 0);
            printf("%s: %lld rows, %.0f bytes of details a row, %.0f bytes in all\n",
                   ladder[t].table, sqlite3_column_int64(statement, 0),
                   sqlite3_column_double(statement, 1), ret_bytes[t]);
        }
        sqlite3_finalize(statement);
    }
    sqlite3_close(db);
}

// What stays when it is full: store_prune.c leaves each tier its equal share, and the coarsest of
// those that want more what the others leave.
static void print_reach(const double row_bytes[LADDER_TIERS], int64_t interval_ms, double bound)
{
    double bytes[LADDER_TIERS] = {0}, all = 0, share, left;
    size_t used = 0, last = 0;

    for (size_t t = 0; t < LADDER_TIERS; t++) {
        int64_t resolution = t ? ladder[t].resolution_ms : interval_ms;
        // A tier of few rows has pages that are not full: a row is as large as the one below it.
        double row = t == LADDER_TIERS - 1 ? row_bytes[t - 1] : row_bytes[t];

        bytes[t] = row * (double)(ladder[t].keep_ms / resolution);
        all += bytes[t];
        used += row > 0;
    }
    share = bound / (double)used;
    left = bound;
    for (size_t t = 0; t < LADDER_TIERS; t++)
        if (bytes[t] > share)
            last = t;
    for (size_t t = 0; t < LADDER_TIERS; t++)
        left -= t == last ? 0 : fmin(bytes[t], share);
    for (size_t t = 0; t < LADDER_TIERS; t++) {
        double kept = t == last ? fmin(bytes[t], left) : fmin(bytes[t], share);

        if (all <= bound)
            kept = bytes[t];
        if (bytes[t] > 0)
            printf("%s: %.1f h of %.0f\n", ladder[t].table,
                   kept / bytes[t] * (double)ladder[t].keep_ms / 3.6e6,
                   (double)ladder[t].keep_ms / 3.6e6);
    }
    printf("all of it: %.0f MiB of %.0f\n", all / 1048576, bound / 1048576);
}

int main(int argc, char **argv)
{
    struct keeper_config config = {.kind = STORE_FILE, .bound = (uint64_t)512 << 20, .say = say};
    double row_bytes[LADDER_TIERS];
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
    if (busy_begin(&m, strtoull(argv[2], NULL, 10), BUSY_EVENTS, interval_ms,
                   clock_ns(CLOCK_REALTIME) / NS_PER_MS - (int64_t)rows * interval_ms, &config) < 0)
        return 1;
    while (m.rows < rows)
        busy_push(&m);
    busy_end(&m);
    print_tiers(argv[1], row_bytes);
    print_reach(row_bytes, interval_ms, (double)config.bound - LOG_BYTES);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
// The tables, and how an older version of them becomes the newest: one step a version, each in a
// transaction of its own. docs/history.md describes what comes out.
#include "history/store_private.h"

#include <errno.h>

#define APPLICATION_ID 0x63796373 // "cycs": whose file it is
#define SCHEMA_VERSION 4

static int version_1(sqlite3 *db)
{
    int r = store_run_sql(
        db, "CREATE TABLE lines(id INTEGER PRIMARY KEY, host TEXT NOT NULL, target_kind TEXT NOT "
            "NULL, target TEXT NOT NULL);"
            "CREATE TABLE columns(id INTEGER PRIMARY KEY, json TEXT NOT NULL);"
            "CREATE TABLE runs(id INTEGER PRIMARY KEY, line INTEGER NOT NULL, run TEXT NOT NULL,"
            " start INTEGER NOT NULL, interval_ms INTEGER NOT NULL, slots INTEGER NOT NULL,"
            " columns INTEGER NOT NULL)");

    for (size_t t = 0; r == 0 && t < LADDER_TIERS; t++)
        r = store_run_sql(db,
                          "CREATE TABLE %s(id INTEGER PRIMARY KEY,"
                          " time INTEGER AS (id & %lld) VIRTUAL, line INTEGER AS (id >> %d) "
                          "VIRTUAL, run INTEGER NOT NULL,"
                          " seconds REAL NOT NULL, intervals INTEGER NOT NULL, missing INTEGER NOT "
                          "NULL);"
                          "CREATE TABLE %s_detail(id INTEGER PRIMARY KEY, data BLOB NOT NULL)",
                          ladder[t].table, (long long)STORE_TIME_MAX, STORE_TIME_BITS,
                          ladder[t].table);
    return r;
}

// How much each tier takes, which would take a walk through the whole file to find out.
static int version_2(sqlite3 *db)
{
    int r = store_run_sql(db, "CREATE TABLE tiers(id INTEGER PRIMARY KEY, name TEXT NOT NULL, "
                              "resolution_ms INTEGER NOT NULL, rows INTEGER NOT NULL, bytes "
                              "INTEGER NOT NULL)");

    for (size_t t = 0; r == 0 && t < LADDER_TIERS; t++)
        r = store_run_sql(db,
                          "INSERT INTO tiers SELECT %d, '%s', %lld, count(*), "
                          "coalesce(sum(length(data)), 0) FROM %s_detail",
                          (int)t, ladder[t].table, (long long)ladder[t].resolution_ms,
                          ladder[t].table);
    return r;
}

// Details of pack versions 2 (since schema version 3) and 3 (since 4), which a program of the
// version before takes for nothing; older ones stay as they are.
static int newer_details(sqlite3 *db)
{
    (void)db;
    return 0;
}

static int (*const steps[SCHEMA_VERSION])(sqlite3 *) = {version_1, version_2, newer_details,
                                                        newer_details};

static int migrate(struct store *s, int64_t version)
{
    int r = 0;

    for (; r == 0 && version < SCHEMA_VERSION; version++) {
        r = store_run_sql(s->writer, "BEGIN IMMEDIATE");
        if (r == 0)
            r = steps[version](s->writer);
        if (r == 0)
            r = store_run_sql(s->writer, "PRAGMA user_version = %lld; COMMIT",
                              (long long)version + 1);
        if (r < 0)
            store_undo(s);
    }
    return r;
}

// Whose file it is, and of which version. Under one lock: another process could take it between
// two looks, and what could not be read would be taken for a file that is empty, or damaged.
static int look(struct store *s, int64_t *ret_tables, int64_t *ret_version, int64_t *ret_owner)
{
    // The first look at the file: what is no database shows here.
    int r = store_run_sql(s->writer, "BEGIN; SELECT count(*) FROM sqlite_master");

    if (r < 0) {
        store_undo(s);
        return r;
    }
    *ret_tables = store_number(s->writer, 0, "SELECT count(*) FROM sqlite_master");
    *ret_version = store_number(s->writer, 0, "PRAGMA user_version");
    *ret_owner = store_number(s->writer, 0, "PRAGMA application_id");
    return store_run_sql(s->writer, "COMMIT");
}

int schema_prepare(struct store *s)
{
    int64_t tables, version, owner;
    int r = look(s, &tables, &version, &owner);

    if (r < 0)
        return r;
    if (version > SCHEMA_VERSION || version < 0 || (tables && owner != APPLICATION_ID))
        return -EPROTO;
    if (tables && version == 0)
        return -EBADMSG;
    if (!tables && s->kind == STORE_FILE)
        r = store_run_sql(s->writer, "PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL");
    if (r == 0 && !tables)
        r = store_run_sql(s->writer, "PRAGMA application_id = %d", APPLICATION_ID);
    return r == 0 ? migrate(s, version) : r;
}

int schema_load_use(struct store *s)
{
    for (size_t t = 0; t < LADDER_TIERS; t++) {
        s->use[t].rows =
            (uint64_t)store_number(s->writer, 0, "SELECT rows FROM tiers WHERE id = %d", (int)t);
        s->use[t].bytes =
            (uint64_t)store_number(s->writer, 0, "SELECT bytes FROM tiers WHERE id = %d", (int)t);
    }
    return 0;
}

int schema_save_use(struct store *s)
{
    int r = 0;

    for (size_t t = 0; r == 0 && t < LADDER_TIERS; t++)
        r = store_run_sql(s->writer,
                          "UPDATE tiers SET rows = %llu, bytes = %llu WHERE id = %d AND rows <> "
                          "%llu",
                          (unsigned long long)s->use[t].rows, (unsigned long long)s->use[t].bytes,
                          (int)t, (unsigned long long)s->use[t].rows);
    return r;
}

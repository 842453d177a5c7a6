// SPDX-License-Identifier: Apache-2.0
// Shared by the store's files.
#pragma once

#include "history/store.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

// A row's id: the line above, the time (ms since the epoch, to the year 2527) below.
#define STORE_TIME_BITS 44
#define STORE_TIME_MAX  (((int64_t)1 << STORE_TIME_BITS) - 1)
#define STORE_LINES_MAX 4096 // of more, the one that ended first is forgotten
#define STORE_SLOTS_MAX 8193 // as many CPUs as a Linux kernel can be built for

struct store {
    enum store_kind kind;
    char *path; // owned
    uint64_t bound;
    int64_t pages_max;        // of the file
    uint64_t log_bound;       // of the write-ahead log, part of the bound
    sqlite3 *writer, *reader; // the same for what is not a file
    pthread_mutex_t lock;     // of the reader, and of what both share
    int log_pages;            // of the log, as the last commit left it
    atomic_uint_least64_t bytes;
    sqlite3_stmt *put[LADDER_TIERS];    // rows for SQL
    sqlite3_stmt *detail[LADDER_TIERS]; // and for ourselves
    sqlite3_stmt *read[LADDER_TIERS];   // reader's
    int64_t line;                       // of the run that `put` is for
    size_t plain[STORE_COLUMNS_MAX];    // columns of its layout that SQL sees
    size_t n_plain;
    struct tier_use {
        uint64_t rows, bytes;
    } use[LADDER_TIERS];
    unsigned commits;
    atomic_bool damaged; // a reader came across it
    atomic_uint generation;
    char why[STORE_WHY_MAX]; // what was rolled back; ""
    char busy[STORE_WHY_MAX];
};

static inline int64_t row_id(int64_t line, int64_t time_ms)
{
    return line << STORE_TIME_BITS | time_ms;
}

// -errno of an SQLite result; 0 for OK, ROW, DONE.
int store_errno(int result);
// Runs statements that return nothing of interest. `format` as printf's, of our own texts only.
int store_run_sql(sqlite3 *db, const char *format, ...) __attribute__((format(printf, 2, 3)));
// One number; `otherwise` when there is none.
int64_t store_number(sqlite3 *db, int64_t otherwise, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// Takes the connection where it is shared.
void store_lock_writer(struct store *s);
void store_unlock_writer(struct store *s);
void store_forget_statements(struct store *s);
// Rolls back what failed, and keeps why: ROLLBACK replaces SQLite's own text.
void store_undo(struct store *s);

// One of the columns that every tier has.
bool store_own_column(const char *id);
int store_load_run(sqlite3 *db, uint64_t number, struct layout *ret_layout, char ret_run[17],
                   int64_t *ret_interval_ms);

// store_holder.c: the process that holds locks of this file which writing needs; 0: unknown.
int store_holder(const char *path);

// store_schema.c: brings a database to this version. 0 or -errno (-EPROTO: newer, or not ours).
int schema_prepare(struct store *s);
int schema_load_use(struct store *s);
int schema_save_use(struct store *s);

// store_prune.c: within the transaction. 0 or -errno.
int store_prune_ages(struct store *s, int64_t now_ms);
// Makes room for so many bytes.
int store_prune_bytes(struct store *s, uint64_t bytes);
// Deletes all rows of a line.
int store_prune_line(struct store *s, int64_t line);

// run_json.c: a run's columns as JSON and back.
void run_json_write(struct buf *out, const struct layout *l);
int run_json_read(const char *text, size_t size, size_t n_slots, struct layout *ret);

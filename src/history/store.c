// SPDX-License-Identifier: Apache-2.0
#include "history/store_private.h"

#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUSY_MS       2000 // another process that looks at the file holds it for as long as a query
#define CACHE_KIB     2048 // of each connection; the kernel's page cache does the rest
#define LOG_BOUND_MAX ((uint64_t)8 << 20)
#define LOG_SHARE     8     // of the bound
#define SHARED_MEMORY 32768 // of the log's index

int store_errno(int result)
{
    switch (result & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return -EBADMSG;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: // others began the log, or ended it, again and again
        return -EBUSY;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
        return -EACCES;
    default:
        return -EIO;
    }
}

int store_run_sql(sqlite3 *db, const char *format, ...)
{
    va_list arguments;
    char *sql;
    int r;

    va_start(arguments, format);
    sql = sqlite3_vmprintf(format, arguments);
    va_end(arguments);
    if (!sql)
        return -ENOMEM;
    r = sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_free(sql);
    return store_errno(r);
}

int64_t store_number(sqlite3 *db, int64_t otherwise, const char *format, ...)
{
    sqlite3_stmt *statement = NULL;
    va_list arguments;
    char *sql;

    va_start(arguments, format);
    sql = sqlite3_vmprintf(format, arguments);
    va_end(arguments);
    if (sql && sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL)
        otherwise = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_free(sql);
    return otherwise;
}

void store_lock_writer(struct store *s)
{
    if (s->writer == s->reader)
        pthread_mutex_lock(&s->lock);
}

void store_unlock_writer(struct store *s)
{
    if (s->writer == s->reader)
        pthread_mutex_unlock(&s->lock);
}

static int on_log(void *context, sqlite3 *db, const char *name, int pages)
{
    struct store *s = context;

    (void)db;
    (void)name;
    s->log_pages = pages;
    return SQLITE_OK;
}

static int open_connection(const struct store *s, bool writes, sqlite3 **ret)
{
    const char *name = s->kind == STORE_FILE ? s->path : s->kind == STORE_MEMORY ? ":memory:" : "";
    int flags = writes ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READWRITE;
    int r = sqlite3_open_v2(name, ret, flags | SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_NOFOLLOW, NULL);

    if (r != SQLITE_OK)
        return store_errno(r);
    sqlite3_extended_result_codes(*ret, 1);
    sqlite3_busy_timeout(*ret, BUSY_MS);
    // Texts of a schema that somebody else may have written are data to us, not programs.
    sqlite3_db_config(*ret, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(*ret, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(*ret, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(*ret, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    return store_run_sql(*ret, "PRAGMA cache_size = -%d", CACHE_KIB);
}

static int prepare_writer(struct store *s)
{
    uint64_t beside = s->kind == STORE_FILE ? s->log_bound + SHARED_MEMORY : 0;
    int r = schema_prepare(s);

    s->pages_max = (int64_t)((s->bound - beside) / STORE_PAGE);
    if (r == 0 && s->kind == STORE_FILE)
        r = store_run_sql(s->writer, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                                     "PRAGMA wal_autocheckpoint = 0");
    else if (r == 0)
        r = store_run_sql(s->writer, "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF");
    if (r == 0)
        r = store_run_sql(s->writer, "PRAGMA max_page_count = %lld", (long long)s->pages_max);
    if (r == 0)
        r = schema_load_use(s);
    sqlite3_wal_hook(s->writer, on_log, s);
    return r;
}

static void close_connections(struct store *s)
{
    store_forget_statements(s);
    if (s->reader != s->writer)
        sqlite3_close_v2(s->reader);
    sqlite3_close_v2(s->writer);
    s->reader = s->writer = NULL;
}

static int open_connections(struct store *s)
{
    int r = open_connection(s, true, &s->writer);

    if (r == 0)
        r = prepare_writer(s);
    if (r == 0 && s->kind == STORE_FILE)
        r = open_connection(s, false, &s->reader);
    else
        s->reader = s->writer;
    if (r == 0 && s->kind == STORE_FILE)
        r = store_run_sql(s->reader, "PRAGMA query_only = 1");
    return r;
}

// Renames file and log: both together may still be of use to somebody.
static int rename_damaged(struct store *s, char ret_note[STORE_WHY_MAX])
{
    char stamp[32], to[4096], from[4096];
    time_t now = time(NULL);
    struct tm utc;

    gmtime_r(&now, &utc);
    strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc);
    if (snprintf(to, sizeof(to), "%s.damaged-%s", s->path, stamp) >= (int)sizeof(to) - 8)
        return -ENAMETOOLONG;
    if (rename(s->path, to) < 0)
        return -errno;
    snprintf(ret_note, STORE_WHY_MAX, "%.100s is damaged; it was set aside as %.130s", s->path,
             strrchr(to, '/') ? strrchr(to, '/') + 1 : to);
    snprintf(from, sizeof(from), "%s-wal", s->path);
    snprintf(to + strlen(to), 8, "-wal");
    rename(from, to);
    snprintf(from, sizeof(from), "%s-shm", s->path);
    unlink(from);
    return 0;
}

int store_set_aside(struct store *s, char ret_note[STORE_WHY_MAX])
{
    int r;

    if (s->kind != STORE_FILE)
        return -EBADMSG;
    pthread_mutex_lock(&s->lock);
    close_connections(s);
    r = rename_damaged(s, ret_note);
    if (r == 0)
        r = open_connections(s);
    atomic_fetch_add(&s->generation, 1);
    pthread_mutex_unlock(&s->lock);
    return r;
}

int store_open(enum store_kind kind, const char *path, uint64_t bound, struct store **ret,
               char ret_note[STORE_WHY_MAX])
{
    struct store *s = calloc(1, sizeof(*s));
    int r;

    ret_note[0] = '\0';
    if (!s)
        return -ENOMEM;
    pthread_mutex_init(&s->lock, NULL);
    s->kind = kind;
    s->bound = bound < STORE_BOUND_MIN ? STORE_BOUND_MIN : bound;
    s->log_bound = s->bound / LOG_SHARE < LOG_BOUND_MAX ? s->bound / LOG_SHARE : LOG_BOUND_MAX;
    s->path = strdup(path ? path : "");
    if (!s->path) {
        store_close(s);
        return -ENOMEM;
    }
    r = open_connections(s);
    if (r == -EBADMSG && kind == STORE_FILE)
        r = store_set_aside(s, ret_note);
    if (r < 0) {
        snprintf(ret_note, STORE_WHY_MAX, "%s",
                 r == -EPROTO ? "it is of a newer version of cyclescope, or not a history of ours; "
                                "it was not touched"
                              : store_why(s, r));
        store_close(s);
        return r;
    }
    *ret = s;
    return 0;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    close_connections(s);
    pthread_mutex_destroy(&s->lock);
    free(s->path);
    free(s);
}

enum store_kind store_kind(const struct store *s)
{
    return s->kind;
}

uint64_t store_bound(const struct store *s)
{
    return s->bound;
}

unsigned store_generation(struct store *s)
{
    return atomic_load(&s->generation);
}

uint64_t store_bytes(struct store *s)
{
    return atomic_load(&s->bytes);
}

static const char *why_busy(struct store *s)
{
    int pid = s->kind == STORE_FILE ? store_holder(s->path) : 0;

    if (!pid)
        return "another program keeps it busy";
    snprintf(s->busy, sizeof(s->busy), "another program, process %d, keeps it busy", pid);
    return s->busy;
}

const char *store_why(struct store *s, int error)
{
    sqlite3 *const connections[] = {s->writer, s->reader};

    switch (error) {
    case -ENOSPC:
        return "the disk is full";
    case -EBUSY:
        return why_busy(s);
    }
    if (s->why[0])
        return s->why;
    for (size_t i = 0; i < 2; i++)
        if (connections[i] && sqlite3_errcode(connections[i]) != SQLITE_OK)
            return sqlite3_errmsg(connections[i]);
    return strerror(-error);
}

void store_undo(struct store *s)
{
    if (sqlite3_errcode(s->writer) != SQLITE_OK)
        text_copy(s->why, sizeof(s->why), sqlite3_errmsg(s->writer));
    sqlite3_exec(s->writer, "ROLLBACK", NULL, NULL, NULL);
}

static uint64_t size_of(const char *path, const char *suffix)
{
    char full[4096];
    struct stat st;

    snprintf(full, sizeof(full), "%s%s", path, suffix);
    return stat(full, &st) == 0 ? (uint64_t)st.st_size : 0;
}

void store_rollback(struct store *s)
{
    store_undo(s);
    schema_load_use(s); // as it was
    store_unlock_writer(s);
}

// So that the log begins anew: waits for a reader as long as BUSY_MS.
static void empty_log(struct store *s)
{
    if (sqlite3_wal_checkpoint_v2(s->writer, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) ==
        SQLITE_OK)
        s->log_pages = 0;
}

int store_begin(struct store *s, uint64_t bytes)
{
    int r;

    s->why[0] = '\0';
    if (atomic_exchange(&s->damaged, false))
        return -EBADMSG;
    // Another process that keeps a query open would let the log grow without bound.
    if ((uint64_t)s->log_pages * STORE_PAGE > s->log_bound)
        empty_log(s);
    if ((uint64_t)s->log_pages * STORE_PAGE > s->log_bound)
        return -EBUSY;
    store_lock_writer(s);
    r = store_run_sql(s->writer, "BEGIN IMMEDIATE");
    if (r == 0 && (r = store_prune_bytes(s, bytes)) < 0) {
        store_rollback(s);
        return r;
    }
    if (r < 0)
        store_unlock_writer(s);
    return r;
}

int store_commit(struct store *s, int64_t now_ms)
{
    int r = store_prune_ages(s, now_ms);

    if (r == 0)
        r = schema_save_use(s);
    if (r == 0)
        r = store_run_sql(s->writer, "COMMIT");
    if (r < 0)
        return r;
    if ((uint64_t)s->log_pages * STORE_PAGE > s->log_bound / 2)
        empty_log(s);
    atomic_store(&s->bytes,
                 s->kind == STORE_FILE
                     ? size_of(s->path, "") + size_of(s->path, "-wal") + size_of(s->path, "-shm")
                     : (uint64_t)store_number(s->writer, 0, "PRAGMA page_count") * STORE_PAGE);
    store_unlock_writer(s);
    return 0;
}

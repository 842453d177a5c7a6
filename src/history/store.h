// SPDX-License-Identifier: Apache-2.0
// The history on disk: an SQLite database whose tables docs/history.md describes. Bounded in bytes:
// the oldest of the finest tier that has more than its share goes first.
//
// Threads: one writer (the keeper), one reader (http). Of a file each has a connection of its own,
// and neither waits for the other; what is in memory or temporary has one connection for both, and
// a lock.
#pragma once

#include "base/buf.h"
#include "history/bucket.h"
#include "history/ladder.h"

#define STORE_WHY_MAX     320
#define STORE_PAGE        4096
#define STORE_BOUND_MIN   ((uint64_t)1 << 20)
#define STORE_COLUMNS_MAX 256 // columns that SQL sees; a run's further ones are in the details only

enum store_kind {
    STORE_FILE,
    STORE_TEMPORARY, // a file without a name, gone with the process
    STORE_MEMORY,
};

struct store; // opaque

// A run as the store knows it. Times of runs of one line strictly increase; a line is a host and a
// target.
struct store_run {
    char run[17];
    const char *host, *target_kind, *target; // not owned
    int64_t start_ms;
    int64_t interval_ms;
    const struct layout *layout; // not owned
};

// Where a run stands in the store.
struct store_place {
    int64_t line;
    uint64_t number;   // of the run
    int64_t last_ms;   // newest time of its line; 0: none
    uint64_t sequence; // of its newest sample; 0: none
};

// Opens or makes it; migrates an older version, and sets a damaged file aside (`ret_note` says so
// then, else it is ""). `path` of a STORE_FILE is copied. 0, or -errno with the reason in ret_note:
// -EPROTO: a newer version, or no history of ours: not touched.
int store_open(enum store_kind kind, const char *path, uint64_t bound, struct store **ret,
               char ret_note[STORE_WHY_MAX]);
void store_close(struct store *s);
enum store_kind store_kind(const struct store *s);
uint64_t store_bound(const struct store *s);
// Another one after store_set_aside(): numbers of lines and runs mean others then. Any thread.
unsigned store_generation(struct store *s);
uint64_t store_bytes(struct store *s); // as last written, with the log before the file
// What the last call of the writer's failed with, for the user: of a -errno that it returned. Valid
// until the next one. Writer's thread.
const char *store_why(struct store *s, int error);

// The writer's. 0 or -errno: -ENOSPC disk full, -EBADMSG damaged, -EBUSY another process holds it,
// -EACCES this connection may not write, -EIO.
// Finds or adds the run. `now_ms`: a line whose newest time is far in the future is left alone, and
// another begun.
int store_place_run(struct store *s, const struct store_run *run, int64_t now_ms,
                    struct store_place *ret);
// Begins a transaction that puts about so many bytes, for which it makes room.
int store_begin(struct store *s, uint64_t bytes);
int store_put(struct store *s, size_t tier, const struct store_place *place, const struct bucket *b,
              const struct buf *packed);
// Drops what is too old, and ends the transaction. When it fails, roll it back.
int store_commit(struct store *s, int64_t now_ms);
void store_rollback(struct store *s);
// Damage that showed up later: the file is renamed, and a new one begun. As store_open.
int store_set_aside(struct store *s, char ret_note[STORE_WHY_MAX]);

// The reader's (store_oldest also the writer's, before it writes). Rows with after < time ≤ to of a
// line, oldest first; `row` returns false to stop. Bytes are there during the call. 0 or -errno.
typedef bool store_row(void *context, int64_t time_ms, const void *bytes, size_t size);
int store_read(struct store *s, size_t tier, int64_t line, int64_t after_ms, int64_t to_ms,
               store_row *row, void *context);
// The run of a number: its layout, which is to be freed with layout_done(), its id and interval. 0
// or -errno (-ENOENT).
int store_read_run(struct store *s, uint64_t number, struct layout *ret_layout, char ret_run[17],
                   int64_t *ret_interval_ms);
// Time of the oldest and the newest row of a tier; 0: there is none.
int64_t store_first(struct store *s, size_t tier, int64_t line);
int64_t store_last(struct store *s, size_t tier, int64_t line);
// Time of the nth row back (1: the newest) of those with from ≤ time ≤ to; 0: there are not so
// many.
int64_t store_nth_back(struct store *s, size_t tier, int64_t line, int64_t from_ms, int64_t to_ms,
                       uint64_t n);

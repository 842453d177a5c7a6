// SPDX-License-Identifier: Apache-2.0
// The file of the CSV data bridge: a ring of rows that is a valid CSV to whoever opens it at any
// moment.
//
// A row is one write(2) that never crosses a 4,096-byte boundary, because a reader sees a write
// that crosses one torn in 1.3 to 2.5 % of its reads, and one that does not in none of 3.2 million.
// So a row that leaves less room in its page than the longest row takes fills the page with spaces.
//
// When the ring is nearly full, its newer half is copied into a new file, a piece before each row,
// padded anew, and renamed over the old one. What somebody put in the way of either name stays
// where it is: the new file gets another name, and the old one is replaced only if it could be at
// the start.
#pragma once

#include "collect/csv_place.h" // CSV_MESSAGE_MAX

#include <sys/types.h>

#define CSV_PAGE     4096
#define CSV_ROWS_MIN 16
#define CSV_ROWS_MAX 100000000

struct csv_ring; // opaque

// Takes the place at `path`: an old file of this user's is replaced; a symbolic link, another
// user's file, something that is no regular file, or a file that another writer has locked is left
// alone and refused. `header` is the first line. 0, or -errno with a sentence (what, why, what to
// do) in ret_message (CSV_MESSAGE_MAX); -E2BIG: row_max exceeds a page.
int csv_ring_open(const char *path, size_t rows, size_t row_max, const struct buf *header,
                  struct csv_ring **ret, char *ret_message);
void csv_ring_close(struct csv_ring *c);

// Appends a row (ends in a newline, no longer than row_max). 0, or -errno when the row is not in
// the file (-ENOSPC, …; what csv_ring_open() refuses a path for, when its name was taken since):
// the file then ends with its last whole row, and the next call tries again.
int csv_ring_append(struct csv_ring *c, const char *row, size_t size);

// SPDX-License-Identifier: Apache-2.0
// From the rows of a CSV (the data bridge's, or anybody's) to the session's history: the other
// writer of the session beside ingest.h, and never both. csv_columns.h says what its columns are.
#pragma once

#include "history/ingest.h"

struct ingest_csv; // opaque

// 0 or -ENOMEM. `session` outlives it.
int ingest_csv_new(struct session *session, const struct ingest_config *config,
                   struct ingest_csv **ret);
void ingest_csv_free(struct ingest_csv *i);

// Takes the next bytes of the file. 0, or the error that ended the reading (stream/csv_reader.h):
// the session says why then.
int ingest_csv_feed(struct ingest_csv *i, const void *bytes, size_t size);
// What follows is the beginning of a file: of another one, or of one that was emptied. Rows that
// are known already (a ring that was copied) are not taken again.
void ingest_csv_restart(struct ingest_csv *i);
// Why nothing more can be read of it, as far as is known, or "": the page says it while nothing
// comes. Cut at 159 bytes.
void ingest_csv_trouble(struct ingest_csv *i, const char *text);
// All that is there has been read; to be called again and again while there is nothing new. Says
// when rows have stopped coming. True: the file's rows are all older than what is known, it is
// another run's, and wants to be read again from its beginning.
bool ingest_csv_idle(struct ingest_csv *i);

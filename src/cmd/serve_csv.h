// SPDX-License-Identifier: Apache-2.0
// Follows a CSV that another program appends to, replaces (a file of another name is put in its
// place) or empties and writes anew.
//
// It is looked at every 50 ms: that works on every file system, costs three system calls, and is
// sooner than an eye sees. The file may be anybody's: it is only ever opened for reading, and after
// the first time by the user that the server has become, or through the door when that may not.
#pragma once

#include "cmd/csv_door.h"
#include "history/ingest_csv.h"

struct csv_follow; // opaque

// Takes `fd`, a regular file that is open for reading, or -1 for one that is opened later, when
// privileges are gone; a symbolic link in its place is not followed then (/tmp is everybody's).
// Takes `door` (may be NULL) as well. `path` and `session` outlive it. 0 or -ENOMEM.
int csv_follow_open(const char *path, int fd, struct csv_door *door, struct session *session,
                    const struct ingest_config *config, struct csv_follow **ret);
void csv_follow_close(struct csv_follow *c);
// Takes in what is new. `ret_wait_ms`: when to look again. False, after saying why, when the file
// that was named is no CSV.
bool csv_follow_take(struct csv_follow *c, int *ret_wait_ms);

// Does the file begin as perf.data does, of any kind, or is it empty? Then it is none for us.
bool csv_follow_is_recording(int fd);

// SPDX-License-Identifier: Apache-2.0
// Where the CSV is: a name in a folder that may be everybody's (/tmp), the file of that name, and
// the new file beside it that takes its place. Nothing that is not ours is written through, removed
// or replaced.
#pragma once

#include "base/buf.h"

#include <limits.h>
#include <stdbool.h>

#define CSV_MESSAGE_MAX 320

struct csv_place {
    int directory;
    char name[NAME_MAX + 1];
    char next[NAME_MAX + 1]; // of the new file, from csv_place_create() on
};

// `error`, with a sentence (what, why, what to do) in ret_message (CSV_MESSAGE_MAX).
int csv_place_refuse(int error, const char *path, const char *why, char *ret_message);

// 0 or -errno; then there is nothing to close, and `directory` is -1.
int csv_place_open(struct csv_place *p, const char *path);
void csv_place_close(struct csv_place *p);

// May what has the name be replaced? A descriptor that holds its lock, -ENOENT: there is nothing;
// or -errno with a sentence, as csv_ring_open() has it.
int csv_place_claim(const struct csv_place *p, const char *path, char *ret_message);
// A new file beside it, locked with file_lock(), that holds `header`: a descriptor, or -errno. What
// an earlier run of ours left under its name goes; where something else is in the way it gets
// another name.
int csv_place_create(struct csv_place *p, const struct buf *header);
// Removes the new file.
void csv_place_abandon(const struct csv_place *p);
// The new file gets the name. Where nothing was, nothing may have come meanwhile (-EEXIST): two
// that start together must not both win.
int csv_place_put(const struct csv_place *p, bool replace);
// The same where `fd`, ours, had the name. Somebody may have removed that, and something else may
// have the name now, which is replaced only if it could be claimed.
int csv_place_replace(const struct csv_place *p, int fd);

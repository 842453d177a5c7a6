// SPDX-License-Identifier: Apache-2.0
// A recording that is shown: all that is there at once, and what is still written to it as it
// comes.
//
// Is it still written? A recording of ours is locked as long as its collector lives. Of anybody's
// the kernel tells whether it is open for writing, if we may ask (a lease: of our own files, or as
// root), and when it is closed (inotify). Where none of that says anything, it has ended when it
// was not changed for RECORDING_QUIET.
#pragma once

#include "cmd/recording.h"

#define RECORDING_QUIET                                                                            \
    (30 * NS_PER_SEC) // perf writes what it has every second, but for slow samplers

struct recording_follow; // opaque

// Takes `fd`, a regular file, while there are still privileges. 0 or -ENOMEM. `name` outlives it.
int recording_follow_open(int fd, const char *name, struct recording_follow **ret);
void recording_follow_close(struct recording_follow *f);
// Readable when the file has changed.
int recording_follow_fd(const struct recording_follow *f);
// Hands on what is new. True: there may be more, to be looked for when the descriptor is readable,
// or after `*ret_wait_ms`. False: it has ended; the sentence for that is in `ret_why` (static, NULL
// where the stream says it).
bool recording_follow_take(struct recording_follow *f, struct ingest *ingest, int *ret_wait_ms,
                           const char **ret_why);

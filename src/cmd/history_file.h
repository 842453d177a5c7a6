// SPDX-License-Identifier: Apache-2.0
// Where the history is kept: its folder and file are made and given to the server's user while
// there are still privileges; SQLite opens it when there are none.
#pragma once

#include "base/sandbox.h"
#include "cmd/options.h"

#include <limits.h>

struct history_file {
    char path[PATH_MAX];
    int lock;      // locked for this process as long as it is open; -1: there is no file
    char off[256]; // why there is none; "" for a wish
};

#define HISTORY_FILE_NONE ((struct history_file){.lock = -1})

// Finds, makes and locks it. Without one it says why, on standard error and in `off`; that is no
// reason not to start.
void history_file_open(const struct options *o, const struct sandbox_user *user,
                       struct history_file *ret);
void history_file_close(struct history_file *f);

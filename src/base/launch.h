// SPDX-License-Identifier: Apache-2.0
// Starting somebody's command: it is held before its exec until it is let go, so that measuring is
// set up around it, and its status is what a shell would see.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#define LAUNCH_NOT_FOUND 127 // a shell's statuses for a command that cannot be started
#define LAUNCH_NOT_RUN   126

struct launch {
    pid_t pid; // 0: none, or reaped
    int pidfd; // readable once it has ended
    int gate;  // closing it without a byte makes the held command give up
    int error; // of exec: an errno, or end of file
};

#define LAUNCH_NONE ((struct launch){.pidfd = -1, .gate = -1, .error = -1})

// Forks, and holds the child. It is as the caller is (user, signals, limits, descriptors 0 to 2; no
// others): call it before any of these is changed. `quiet`: its standard output goes to standard
// error, because ours carries data. argv is NULL-terminated. 0 or -errno.
int launch_open(char *const argv[], bool quiet, struct launch *ret);
// Ends it if it still runs (SIGTERM, and SIGKILL for one that does not heed it).
void launch_close(struct launch *l);
void launch_go(struct launch *l);
// Sends it a signal; nothing for one that has ended.
void launch_signal(const struct launch *l, int number);
// Waits for its end (see launch_close()). Its exit status; 128 + the signal that killed it;
// LAUNCH_NOT_FOUND or LAUNCH_NOT_RUN with the errno of exec in *ret_error, which is 0 otherwise.
int launch_reap(struct launch *l, int *ret_error);

// SPDX-License-Identifier: Apache-2.0
// How the server gives up what it does not need, in this order, before it reads its first byte and
// starts its threads:
//
//     sandbox_choose_user(&user)        who to be, when we are root
//     … files that it shall own are given to it …
//     sandbox_drop_privileges(&user)    user, capabilities, the way back
//     sandbox_filter(needs)             system calls
//
// One thread must run: user and filter are the calling thread's and those it starts.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct sandbox_user {
    uid_t uid;
    gid_t gid;
    bool change; // false: we are not root, and stay who we are
};

// When root: the user who typed sudo (SUDO_UID, SUDO_GID), else `nobody`, else 65534. Reads the
// environment and passwd.
void sandbox_choose_user(struct sandbox_user *ret);

// Becomes the user, for good; clears every capability set (the bounding set too where we are
// allowed to: without that right PR_SET_NO_NEW_PRIVS makes it meaningless); forbids gaining
// privileges by execve, and core dumps and ptrace by other processes of that user. 0; -errno;
// -ENOTRECOVERABLE when root could be had back, which must end the program.
int sandbox_drop_privileges(const struct sandbox_user *user);

// Keeps, of all rights that there are, only that of reading any file, and its user; then the
// filter, for opening files to read. For a process that opens for the server what it may not. 0 or
// -errno.
int sandbox_keep_reading(void);

enum sandbox_needs {
    SANDBOX_OPEN_READ = 1, // open files for reading (following a CSV file that is rotated)
    SANDBOX_WRITE_FILES =
        2, // open, write, sync, truncate, lock, rename and delete files: the history on disk
};

// From here on only what the ingest, http and store threads call is allowed. Starting programs or
// processes, opening sockets, tracing, mounting, loading: kills the process, because nothing of
// ours does that. Everything else is refused with EPERM: a C library that tries a call which we do
// not know gets the answer that it has to expect of any kernel. 0 or -errno (-EINVAL: this kernel
// has no seccomp filters). Does nothing when sandbox_has_filter() is false.
int sandbox_filter(unsigned needs);
// False in builds with a sanitizer, whose runtime needs calls of its own.
bool sandbox_has_filter(void);

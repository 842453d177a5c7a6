// SPDX-License-Identifier: Apache-2.0
// A door to one CSV: a process of its own, made before the server gives up being root, that opens
// the file again by its name, read only, when the server may not. A program that replaces its file
// (by rename) makes a new one, which root's folder, or a mode of 0600, keeps from the server.
//
// It knows one name in one folder, and is asked nothing else. It has only the right to read any
// file, a system call filter, and opens what is a regular file of the same user as the first one,
// under one name: nobody can have it open somebody else's. It ends with the server.
#pragma once

#include <sys/types.h>

struct csv_door; // opaque

// For `path`, which is open as `fd`; links in it are followed now, and never again. While the
// process has one thread. NULL when it cannot be made.
struct csv_door *csv_door_open(const char *path, int fd);
void csv_door_close(struct csv_door *door);

// What is there now: a descriptor (close-on-exec), or -errno: as open(2) has it; -EINVAL: no
// regular file; -EPERM: it is another user's than the first one was; -EMLINK: it has a second name;
// -ETIMEDOUT: it has not answered in time, as on a machine that stands still, and is to be asked
// again; -EACCES also when nobody is there to ask. A NULL door is one where nobody is.
int csv_door_ask(struct csv_door *door);

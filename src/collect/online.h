// SPDX-License-Identifier: Apache-2.0
// Which CPUs are online: asked at each tick, with one pread(2).
#pragma once

#include <stdbool.h>

#define ONLINE_TEXT_MAX 4096 // sysfs gives a page at most

struct online {
    int fd;
    char text[ONLINE_TEXT_MAX]; // as the kernel writes it: "0-3,5", without the newline
};

// Opens /sys/devices/system/cpu/online under `root`. 0 or -errno.
int online_open(struct online *o, const char *root);
void online_close(struct online *o);
// Reads it again. True when the text is another one now.
bool online_changed(struct online *o);

// SPDX-License-Identifier: Apache-2.0
#include "collect/online.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int online_open(struct online *o, const char *root)
{
    char path[PATH_MAX];

    *o = (struct online){.fd = -1};
    snprintf(path, sizeof(path), "%s/sys/devices/system/cpu/online", root);
    o->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (o->fd < 0)
        return -errno;
    online_changed(o);
    return 0;
}

void online_close(struct online *o)
{
    if (o->fd >= 0)
        close(o->fd);
    o->fd = -1;
}

bool online_changed(struct online *o)
{
    char text[ONLINE_TEXT_MAX];
    ssize_t n = o->fd < 0 ? -1 : pread(o->fd, text, sizeof(text) - 1, 0);

    if (n <= 0)
        return false;
    text[n] = '\0';
    text[strcspn(text, "\n")] = '\0';
    if (strcmp(text, o->text) == 0)
        return false;
    strcpy(o->text, text);
    return true;
}

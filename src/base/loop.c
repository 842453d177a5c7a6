// SPDX-License-Identifier: Apache-2.0
#include "base/loop.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

struct source {
    int fd;
    bool used;
    loop_function function;
    void *context;
};

struct loop {
    int epoll;
    struct source sources[LOOP_SOURCES_MAX];
};

int loop_new(struct loop **ret)
{
    struct loop *l = calloc(1, sizeof(*l));

    if (!l)
        return -ENOMEM;
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll < 0) {
        int r = -errno;

        free(l);
        return r;
    }
    *ret = l;
    return 0;
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    close(l->epoll);
    free(l);
}

static struct source *find(struct loop *l, int fd)
{
    for (size_t i = 0; i < LOOP_SOURCES_MAX; i++)
        if (l->sources[i].used && l->sources[i].fd == fd)
            return &l->sources[i];
    return NULL;
}

int loop_add(struct loop *l, int fd, uint32_t events, loop_function function, void *context)
{
    for (size_t i = 0; i < LOOP_SOURCES_MAX; i++) {
        struct source *s = &l->sources[i];
        struct epoll_event event = {.events = events, .data.ptr = s};

        if (s->used)
            continue;
        if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
            return -errno;
        *s = (struct source){.fd = fd, .used = true, .function = function, .context = context};
        return 0;
    }
    return -ENOSPC;
}

void loop_remove(struct loop *l, int fd)
{
    struct source *s = find(l, fd);

    if (!s)
        return;
    epoll_ctl(l->epoll, EPOLL_CTL_DEL, fd, NULL);
    *s = (struct source){0};
}

int loop_run(struct loop *l)
{
    for (;;) {
        struct epoll_event events[LOOP_SOURCES_MAX];
        int n = epoll_wait(l->epoll, events, LOOP_SOURCES_MAX, -1);

        if (n < 0 && errno != EINTR)
            return -errno;
        for (int i = 0; i < n; i++) {
            struct source *s = events[i].data.ptr;
            int r;

            // An earlier function of this round may have removed it.
            if (!s->used)
                continue;
            r = s->function(s->context, events[i].events);
            if (r != 0)
                return r;
        }
    }
}

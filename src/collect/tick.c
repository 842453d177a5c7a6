// SPDX-License-Identifier: Apache-2.0
#include "collect/tick.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define ALIGN_MAX                                                                                  \
    (100 * NS_PER_MS) // a person who asked for 10 s intervals need not wait for a round 10 s
#define ALIGN_LEAD (2 * NS_PER_MS) // time to get into the loop before the first expiry
#define WALL_STEP_LEAST                                                                            \
    (5 * NS_PER_MS) // below it: jitter of the two clock readings, and NTP's slewing

int tick_open(struct tick *t, ns_t interval)
{
    ns_t align = interval < ALIGN_MAX ? interval : ALIGN_MAX;
    ns_t wall = clock_ns(CLOCK_REALTIME), now = clock_ns(CLOCK_MONOTONIC);
    ns_t start_wall = (wall + ALIGN_LEAD + align - 1) / align * align;
    struct itimerspec timer;

    *t = (struct tick){.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)};
    if (t->fd < 0)
        return -errno;
    t->grid = (struct grid){
        .interval = interval, .reference = now + (start_wall - wall), .wall = start_wall};
    timer = (struct itimerspec){
        .it_value = {.tv_sec = t->grid.reference / NS_PER_SEC,
                     .tv_nsec = t->grid.reference % NS_PER_SEC},
        .it_interval = {.tv_sec = interval / NS_PER_SEC, .tv_nsec = interval % NS_PER_SEC},
    };
    if (timerfd_settime(t->fd, TFD_TIMER_ABSTIME, &timer, NULL) < 0) {
        int r = -errno;

        tick_close(t);
        return r;
    }
    return 0;
}

void tick_close(struct tick *t)
{
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
}

bool tick_take(struct tick *t)
{
    uint64_t expiries;

    if (read(t->fd, &expiries, sizeof(expiries)) != sizeof(expiries) || expiries == 0)
        return false;
    t->missed += expiries - 1;
    return true;
}

bool tick_follow_wall_clock(struct tick *t)
{
    ns_t wall = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC) + t->grid.reference;
    ns_t step = wall - t->grid.wall;

    if (step < WALL_STEP_LEAST && step > -WALL_STEP_LEAST)
        return false;
    t->grid.wall = wall;
    return true;
}

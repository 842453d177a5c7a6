// SPDX-License-Identifier: Apache-2.0
// A poll loop of few descriptors: epoll, with one function per source. Single-threaded.
#pragma once

#include "base/clock.h"

#include <stdint.h>
#include <sys/epoll.h>

#define LOOP_SOURCES_MAX 16 // tick, signals, child, target, one per sink: known at compile time

struct loop;

// `events`: EPOLLIN, EPOLLOUT, … A negative result ends the loop with it; so does a positive one,
// as the loop's result.
typedef int (*loop_function)(void *context, uint32_t events);

int loop_new(struct loop **ret);
void loop_free(struct loop *l);
// Watches fd (which stays the caller's) for `events`. 0 or -errno.
int loop_add(struct loop *l, int fd, uint32_t events, loop_function function, void *context);
void loop_remove(struct loop *l, int fd);
// Runs until a function ends it; returns what that returned.
int loop_run(struct loop *l);

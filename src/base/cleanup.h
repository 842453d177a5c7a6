// SPDX-License-Identifier: Apache-2.0
// Locals that clean themselves up when they leave scope. Ownership is handed on with take_ptr() or
// take_fd().
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define cleanup(function) __attribute__((cleanup(function)))
#define cleanup_free      cleanup(cleanup_freep)
#define cleanup_close     cleanup(cleanup_closep)
#define cleanup_fclose    cleanup(cleanup_fclosep)

static inline void cleanup_freep(void *pointer)
{
    free(*(void **)pointer);
}

static inline void cleanup_closep(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void cleanup_fclosep(FILE **file)
{
    if (*file)
        fclose(*file);
}

// The descriptor, which the variable no longer owns.
static inline int take_fd(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}

// The pointer, which the variable no longer owns.
#define take_ptr(pointer)                                                                          \
    ({                                                                                             \
        __typeof__(pointer) taken_ = (pointer);                                                    \
        (pointer) = NULL;                                                                          \
        taken_;                                                                                    \
    })

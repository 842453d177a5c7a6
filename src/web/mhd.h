// SPDX-License-Identifier: Apache-2.0
// libmicrohttpd's functions: mhd.start_daemon() is MHD_start_daemon(). Loaded by a server only (see
// base/library.h): it brings GnuTLS along, which is not for the privileged collector.
#pragma once

#include "base/library.h"

#include <microhttpd.h>

// Every one that we call.
#define MHD_FUNCTIONS(X)                                                                           \
    X(MHD_, add_connection)                                                                        \
    X(MHD_, add_response_header)                                                                   \
    X(MHD_, create_response_from_buffer)                                                           \
    X(MHD_, create_response_from_buffer_with_free_callback_cls)                                    \
    X(MHD_, create_response_from_callback)                                                         \
    X(MHD_, destroy_response)                                                                      \
    X(MHD_, get_connection_info)                                                                   \
    X(MHD_, get_connection_values)                                                                 \
    X(MHD_, lookup_connection_value)                                                               \
    X(MHD_, lookup_connection_value_n)                                                             \
    X(MHD_, queue_response)                                                                        \
    X(MHD_, resume_connection)                                                                     \
    X(MHD_, start_daemon)                                                                          \
    X(MHD_, stop_daemon)                                                                           \
    X(MHD_, suspend_connection)

struct mhd_functions {
    MHD_FUNCTIONS(LIBRARY_POINTER)
};
extern struct mhd_functions mhd;

// Before anything of `mhd` is called, and before files cannot be opened any more. 0 or -ELIBACC. Of
// one thread.
int mhd_load(void);

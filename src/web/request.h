// SPDX-License-Identifier: Apache-2.0
// Who may ask what: every check that comes before a handler, in one place.
#pragma once

#include "web/mhd.h"
#include "web/reply.h"
#include "web/server.h"

struct web_request {
    struct MHD_Connection *connection;
    const char *path;
    const char *method;
    size_t target_size; // of the path and query as they were sent
    bool target_bad;    // they hold a NUL byte
};

struct access {
    const char *const *hosts; // names without port that are ours
    size_t n_hosts;
    const char *token; // NULL: none
};

// NULL when `route` (NULL: there is none of this path) may answer, else the refusal in *ret. False:
// no memory for it.
bool request_check(const struct web_request *q, const struct access *access,
                   const struct web_route *route, struct web_reply **ret);

// Does the head announce a body?
bool request_has_body(struct MHD_Connection *connection);

// SPDX-License-Identifier: Apache-2.0
// Query parameters, checked. Each gives 0; or 1 with a 400 in *ret_reply that names the parameter
// and says what it may be; or -ENOMEM. What is not there keeps its default, which the caller has
// put into the output before.
#pragma once

#include "api/render.h"
#include "history/query.h"
#include "web/server.h"

#define PARAMS_POINTS_MAX 10000 // more points than any screen has pixels

int params_refuse(struct web_reply **ret_reply, const char *name, const char *what);
int params_whole(const struct web_request *q, const char *name, uint64_t min, uint64_t max,
                 uint64_t *ret, struct web_reply **ret_reply);
// ?cpu=N as the history's slot (0, the target's total, without it). Under no lock.
int params_slot(const struct web_request *q, struct session *session, size_t *ret,
                struct web_reply **ret_reply);
// ?columns=a,b; names are checked when there is a history. Initializes `ret` unless it fails. Under
// no lock.
int params_columns(const struct web_request *q, struct session *session, struct selection *ret,
                   struct web_reply **ret_reply);
// The same of another parameter.
int params_columns_named(const struct web_request *q, const char *name, struct session *session,
                         struct selection *ret, struct web_reply **ret_reply);
// ?from=&to= in ms since the epoch, all of time without them.
int params_span(const struct web_request *q, double *ret_from, double *ret_to,
                struct web_reply **ret_reply);
// ?from=&to=&points= over the whole history. `points`: the default, 0 for the newest at full
// resolution. Under no lock.
int params_plan(const struct web_request *q, struct query *query, uint64_t points,
                struct query_plan *ret, struct web_reply **ret_reply);

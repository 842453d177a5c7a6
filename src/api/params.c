// SPDX-License-Identifier: Apache-2.0
#include "api/params.h"

#include "base/parse.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define TIME_MAX 8.64e15 // ms; what a JavaScript Date can hold

int params_refuse(struct web_reply **ret_reply, const char *name, const char *what)
{
    char message[320];

    snprintf(message, sizeof(message), "%s: %s", name, what);
    *ret_reply = web_reply_error(400, "bad_parameter", message);
    return *ret_reply ? 1 : -ENOMEM;
}

static bool is_digits(const char *text)
{
    return *text && !text[strspn(text, "0123456789")];
}

int params_whole(const struct web_request *q, const char *name, uint64_t min, uint64_t max,
                 uint64_t *ret, struct web_reply **ret_reply)
{
    const char *text = web_request_argument(q, name);
    uint64_t value;
    char what[96];

    if (!text)
        return 0;
    if (is_digits(text) && parse_u64(text, &value) == 0 && value >= min && value <= max) {
        *ret = value;
        return 0;
    }
    snprintf(what, sizeof(what), "a whole number from %llu to %llu", (unsigned long long)min,
             (unsigned long long)max);
    return params_refuse(ret_reply, name, what);
}

static int params_time(const struct web_request *q, const char *name, double *ret,
                       struct web_reply **ret_reply)
{
    const char *text = web_request_argument(q, name);
    double value;
    char *end;

    if (!text)
        return 0;
    value = strtod(text, &end);
    if (!*text || text[strspn(text, "0123456789.-")] || *end || !(fabs(value) <= TIME_MAX))
        return params_refuse(ret_reply, name, "milliseconds since the epoch");
    *ret = value;
    return 0;
}

int params_slot(const struct web_request *q, struct session *session, size_t *ret,
                struct web_reply **ret_reply)
{
    const char *text = web_request_argument(q, "cpu");
    uint64_t cpu = UINT64_MAX;
    size_t slots;

    *ret = 0;
    if (!text)
        return 0;
    session_read_lock(session);
    slots = session->history ? history_slots(session->history) : SIZE_MAX;
    session_unlock(session);
    if (!is_digits(text) || parse_u64(text, &cpu) < 0)
        return params_refuse(ret_reply, "cpu", "the number of one CPU");
    if (slots == 1)
        return params_refuse(ret_reply, "cpu", "this target has no values per CPU");
    if (cpu >= slots - 1)
        return params_refuse(ret_reply, "cpu", "there is no CPU of this number");
    *ret = 1 + (size_t)cpu;
    return 0;
}

int params_columns(const struct web_request *q, struct session *session, struct selection *ret,
                   struct web_reply **ret_reply)
{
    return params_columns_named(q, "columns", session, ret, ret_reply);
}

int params_columns_named(const struct web_request *q, const char *name, struct session *session,
                         struct selection *ret, struct web_reply **ret_reply)
{
    const char *names = web_request_argument(q, name);
    const char *unknown = NULL;
    size_t length = 0;
    char what[200];

    if (names) {
        session_read_lock(session);
        if (session->history)
            unknown = selection_unknown(names, session->history, &length);
        session_unlock(session);
    }
    if (!unknown)
        return selection_init(ret, names);
    if (length > 128)
        length = 128;
    if (length)
        snprintf(what, sizeof(what), "there is no column '%.*s'; /api/meta lists them", (int)length,
                 unknown);
    else
        snprintf(what, sizeof(what), "column ids with commas between them; one is empty");
    return params_refuse(ret_reply, name, what);
}

int params_span(const struct web_request *q, double *ret_from, double *ret_to,
                struct web_reply **ret_reply)
{
    int r;

    *ret_from = -TIME_MAX;
    *ret_to = TIME_MAX;
    r = params_time(q, "from", ret_from, ret_reply);
    if (r == 0)
        r = params_time(q, "to", ret_to, ret_reply);
    if (r == 0 && *ret_from > *ret_to)
        return params_refuse(ret_reply, "from", "a time that is not after `to`");
    return r;
}

int params_plan(const struct web_request *q, struct query *query, uint64_t points,
                struct query_plan *ret, struct web_reply **ret_reply)
{
    double from, to;
    int r = params_span(q, &from, &to, ret_reply);

    if (r == 0)
        r = params_whole(q, "points", 1, PARAMS_POINTS_MAX, &points, ret_reply);
    if (r == 0)
        query_plan(query, web_request_argument(q, "from") ? from : -INFINITY, to, points, ret);
    return r;
}

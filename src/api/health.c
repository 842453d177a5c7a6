// SPDX-License-Identifier: Apache-2.0
// /healthz: does the collector deliver?
#include "api/api_private.h"
#include "base/json.h"

int handle_health(const struct web_request *q, void *context, struct web_reply **ret)
{
    struct session *session = ((struct api *)context)->session;
    struct buf body = {0};
    struct json j = {.out = &body};
    const char *trouble;

    (void)q;
    json_open(&j, '{');
    json_key(&j, "status");
    session_read_lock(session);
    trouble = session_trouble(session, clock_ns(CLOCK_MONOTONIC));
    if (!trouble)
        json_string(&j, "ok");
    else
        json_string(&j,
                    session->state == SESSION_LIVE ? "silent" : session_state_name(session->state));
    if (trouble) {
        json_key(&j, "reason");
        json_string(&j, session->state != SESSION_LIVE && session->reason[0] ? session->reason
                                                                             : trouble);
    }
    session_unlock(session);
    json_close(&j, '}');
    return api_reply_json(trouble ? 503 : 200, &body, ret);
}

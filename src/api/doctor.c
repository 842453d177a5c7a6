// SPDX-License-Identifier: Apache-2.0
// /api/doctor: what the collector's machine can measure, as the stream told it.
#include "api/api_private.h"
#include "base/json.h"

int handle_doctor(const struct web_request *q, void *context, struct web_reply **ret)
{
    struct session *session = ((struct api *)context)->session;
    struct buf body = {0};
    struct json j = {.out = &body};

    (void)q;
    json_open(&j, '{');
    session_read_lock(session);
    findings_json(&j, session->doctor);
    session_unlock(session);
    json_close(&j, '}');
    return api_reply_json(200, &body, ret);
}

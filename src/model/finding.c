// SPDX-License-Identifier: Apache-2.0
#include "model/finding.h"

#include "base/json.h"

#include <string.h>

static const char *const names[] = {
    [FINDING_PASS] = "pass",
    [FINDING_LIMITED] = "limited",
    [FINDING_FAIL] = "fail",
    [FINDING_UNKNOWN] = "unknown",
};

const char *finding_status_name(enum finding_status status)
{
    return names[status];
}

bool finding_status_parse(const char *name, enum finding_status *ret)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], name) == 0) {
            *ret = (enum finding_status)i;
            return true;
        }
    return false;
}

const struct finding *findings_find(const struct findings *f, const char *name)
{
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->checks[i].name, name) == 0)
            return &f->checks[i];
    return NULL;
}

static void put(struct json *j, const char *key, const char *text)
{
    json_key(j, key);
    json_string(j, text);
}

void findings_json(struct json *j, const struct findings *f)
{
    json_key(j, "checks");
    json_open(j, '[');
    for (size_t i = 0; f && i < f->n; i++) {
        const struct finding *c = &f->checks[i];

        json_open(j, '{');
        put(j, "name", c->name);
        put(j, "status", finding_status_name(c->status));
        put(j, "found", c->found);
        put(j, "cost", c->cost);
        put(j, "remedy", c->remedy);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_key(j, "at");
    if (f)
        json_i64(j, f->at_ms);
    else
        json_null(j);
}

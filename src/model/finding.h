// SPDX-License-Identifier: Apache-2.0
// What the doctor found out about a machine: one finding a check. The collector makes them, the
// stream carries them, the server shows them again; this is their one form, and its one rendering.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json; // base/json.h

#define FINDINGS_MAX     64 // checks; far more than there are ideas for
#define FINDING_NAME_MAX 32
#define FINDING_TEXT_MAX 320 // two sentences

enum finding_status {
    FINDING_PASS,
    FINDING_LIMITED, // works, for less than all
    FINDING_FAIL,
    FINDING_UNKNOWN, // the check could not run
};

struct finding {
    char name[FINDING_NAME_MAX];
    enum finding_status status;
    char found[FINDING_TEXT_MAX];  // what is there
    char cost[FINDING_TEXT_MAX];   // what the user does not get because of it; "" nothing
    char remedy[FINDING_TEXT_MAX]; // what to do, with the command in backquotes; "" nothing
};

struct findings {
    struct finding checks[FINDINGS_MAX];
    size_t n;
    int64_t at_ms; // since the epoch (UTC)
};

// "pass", "limited", "fail", "unknown".
const char *finding_status_name(enum finding_status status);
// False for a word that is none of them.
bool finding_status_parse(const char *name, enum finding_status *ret);
// The finding of that name; NULL: there is none.
const struct finding *findings_find(const struct findings *f, const char *name);
// "checks":[{"name","status","found","cost","remedy"},…],"at":ms into an open object; NULL: no
// checks, and null.
void findings_json(struct json *j, const struct findings *f);

// SPDX-License-Identifier: Apache-2.0
// `cyclescope stat --json`: one object a line.
//
//     {"timestamp":1700000000100,"seconds":0.1,"cycles":…,"cpi":…,"quality":{"cycles":"scaled 75"},
//      "cpus":{"0":{"cycles":…},"1":{…}}}
//     {"summary":{"target":"…","seconds":…,"intervals":…,"user_seconds":…,"system_seconds":…,
//      "exit_status":…,"columns":{"cycles":{"value":…,"unit":"","quality":"scaled","running":75,
//      "name":"cycles","cpus":{"0":{"value":…},…}},"cpi":{…}}}}
//
// Keys and quality are the API's (docs/api.md); what is not known is null.
#pragma once

#include "base/json.h"
#include "history/history.h"
#include "output/stat_text.h"

// The interval `sequence`. `cpus`: with the values of each CPU.
void stat_json_interval(const struct history *h, uint64_t sequence, bool cpus, struct buf *out);
// The object that "summary" has, as a value.
void stat_json_totals(const struct totals *t, const struct stat_run *run, struct json *j);
void stat_json_summary(const struct totals *t, const struct stat_run *run, struct buf *out);

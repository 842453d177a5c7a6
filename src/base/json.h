// SPDX-License-Identifier: Apache-2.0
// Writes JSON into a buf: commas, escapes and nulls are its business, nesting is the caller's.
//
//     struct json j = {.out = &buf};
//     json_open(&j, '{');
//     json_key(&j, "host");
//     json_string(&j, name);
//     json_close(&j, '}');
#pragma once

#include "base/buf.h"

struct json {
    struct buf *out;
    bool comma; // the next value of this level is preceded by one
};

void json_open(struct json *j, char bracket);  // '{' or '['
void json_close(struct json *j, char bracket); // '}' or ']'
// `key` is one of our own or a column id: written as it is, without escapes.
void json_key(struct json *j, const char *key);
// Any bytes, NULL is null. What is not UTF-8 becomes U+FFFD; '<' is written \u003c.
void json_string(struct json *j, const char *text);
void json_u64(struct json *j, uint64_t value);
void json_i64(struct json *j, int64_t value);
void json_bool(struct json *j, bool value);
void json_null(struct json *j);
// Six significant digits; what is not finite is null.
void json_metric(struct json *j, double value);
// A count, rounded to a whole number (never in exponent form); what is not finite is null.
void json_count(struct json *j, double value);

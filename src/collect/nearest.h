// SPDX-License-Identifier: Apache-2.0
// The names that are nearest to one that was mistyped.
#pragma once

#include "model/event.h"

#define NEAREST_MAX 3

struct nearest {
    const char *wanted;                      // at most EVENT_NAME_MAX − 1 bytes
    char names[NEAREST_MAX][EVENT_NAME_MAX]; // the nearest first
    unsigned distance[NEAREST_MAX];
    size_t n;
};

// Keeps `shown` if `name`, which it stands for, is near, and nearer than one of those kept. One
// that is kept already is not taken again.
void nearest_offer(struct nearest *n, const char *name, const char *shown);
// "; the nearest names are 'a', 'b' and 'c'", "" when none is near.
void nearest_words(const struct nearest *n, char *ret, size_t size);

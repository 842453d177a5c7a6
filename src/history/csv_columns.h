// SPDX-License-Identifier: Apache-2.0
// What the columns of a CSV are: its header as a table of events, and its rows as their sums.
//
// A column is an event, and its values are counts. `X_running` is the percent of the time in which
// X was counted. A column that metrics know as a cumulative gauge (cpu_user, …) becomes one, added
// up from the file's increases. `cpi` is left out where it can be computed.
#pragma once

#include "model/reading.h"

struct csv_columns {
    struct event_table events;
    struct csv_column *columns; // [n]
    size_t n;
    double *percent;    // [event]
    double *cumulative; // [event], of gauges
    int pair[2];        // events that were counted together; −1: not there
};

// 0, -E2BIG or -ENOMEM (then there is nothing to free).
int csv_columns_init(struct csv_columns *c, const char (*names)[EVENT_NAME_MAX], size_t n);
void csv_columns_done(struct csv_columns *c);
// The sums of a row that took `seconds`. A count without a number has no value, as if it had never
// run: absent is not zero. ret[event].
void csv_columns_sums(struct csv_columns *c, const double *values, double seconds, struct sum *ret);

// SPDX-License-Identifier: Apache-2.0
#include "history/ladder.h"

#define SECOND ((int64_t)1000)
#define HOUR   (3600 * SECOND)
#define DAY    (24 * HOUR)

// 10 ms and 100 ms are there for intervals of a few ms, of which a second has too many; 10 minutes
// are for a month in one chart, and last longest because they cost nothing.
const struct tier ladder[LADDER_TIERS] = {
    {"samples", 0, 6 * HOUR, 0, {1, 2, 3}},
    {"samples_10ms", 10, 6 * HOUR, 2, {1, 2, 3}},
    {"samples_100ms", 100, DAY, 20, {1, 2, 3}},
    {"samples_1s", SECOND, 2 * DAY, 0, {1, 2, 3}},
    {"samples_10s", 10 * SECOND, 14 * DAY, 0, {1, 2, 3}},
    {"samples_1min", 60 * SECOND, 30 * DAY, 0, {1, 2, 3}},
    {"samples_10min", 600 * SECOND, 90 * DAY, 0, {1, 2, 3, 6, 12, 36, 72, 144}},
};

bool ladder_used(size_t tier, int64_t interval_ms)
{
    return !ladder[tier].interval_max_ms ||
           (interval_ms && interval_ms <= ladder[tier].interval_max_ms);
}

int64_t ladder_end(int64_t time_ms, int64_t resolution_ms)
{
    int64_t rest = time_ms % resolution_ms;

    if (rest < 0)
        rest += resolution_ms;
    return rest ? time_ms + resolution_ms - rest : time_ms;
}

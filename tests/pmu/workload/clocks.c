// SPDX-License-Identifier: Apache-2.0
/*
 * clocks: prints CLOCK_REALTIME and CLOCK_MONOTONIC of one moment, in ns. The synthetic PMU counts
 * by the second, timestamps are of the first.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

static int64_t now(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

int main(void)
{
    int64_t real = 0, mono = 0, best = INT64_MAX;

    /* Of several tries the one in which the two readings of the monotonic clock are closest. */
    for (int i = 0; i < 20; i++) {
        int64_t before = now(CLOCK_MONOTONIC), r = now(CLOCK_REALTIME),
                after = now(CLOCK_MONOTONIC);

        if (after - before < best) {
            best = after - before;
            real = r;
            mono = before + best / 2;
        }
    }
    printf("%lld %lld\n", (long long)real, (long long)mono);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * tsc: prints the frequency of this machine's time stamp counter, in kHz. An emulated processor has
 * the same counter. A guest that measures it by itself is far off when this machine lets it wait
 * meanwhile: its clock was seen to run twenty times too fast.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

#define SPAN_NS 200000000

struct moment {
    int64_t ns;
    int64_t ticks;
};

static int64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* Of many tries the one in which the least time passed around the reading. */
static struct moment look(void)
{
    struct moment found = {0, 0};
    int64_t best = INT64_MAX;

    for (int i = 0; i < 1000; i++) {
        int64_t before = now(), ticks = (int64_t)__rdtsc(), after = now();

        if (after - before < best) {
            best = after - before;
            found = (struct moment){before + best / 2, ticks};
        }
    }
    return found;
}

int main(void)
{
    struct moment from = look(), to;

    nanosleep(&(struct timespec){0, SPAN_NS}, NULL);
    to = look();
    printf("%.0f\n", 1e6 * (double)(to.ticks - from.ticks) / (double)(to.ns - from.ns));
    return 0;
}

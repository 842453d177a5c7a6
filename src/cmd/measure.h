// SPDX-License-Identifier: Apache-2.0
// Measuring, as `collect` and the default command do it: the loop around the collector, and its
// consumers (the streams, the CSV).
#pragma once

#include "cmd/options.h"
#include "collect/collector.h"

struct measure; // opaque

// Opens what `o` asks for. 0, or an exit status after having said why. --dry-run: prints the plan,
// and *ret is NULL.
int measure_open(const struct options *o, struct measure **ret);
void measure_close(struct measure *m);

// Hands the stream to fd (taken over), with a header of its own, from the next tick on. The
// server's pipe: when it breaks, gone() is called. 0 or -errno.
int measure_stream_to(struct measure *m, int fd);

// Whoever else takes the intervals (`cyclescope stat`): called after each reading, with the
// measured length. When it returns non-zero, nobody wants more, and measuring ends.
typedef int (*interval_function)(void *context, const struct readings *readings,
                                 int64_t timestamp_ms, double seconds);
void measure_intervals_to(struct measure *m, interval_function function, void *context);
const struct collector *measure_collector(const struct measure *m);

// Things that the default command watches beside: see base/loop.h. A function that returns non-zero
// ends the loop.
struct loop *measure_loop(struct measure *m);

// Measures until a signal, --duration, the target's or the command's end, or a function of the
// loop's ends it. Returns the exit status: the command's own, if there is one.
int measure_run(struct measure *m);
// Was there anything to measure? Not when the command could not be started.
bool measure_ran(const struct measure *m);
// Did a process of the target's end by itself? (The server then goes on showing its history.)
bool measure_target_ended(const struct measure *m);

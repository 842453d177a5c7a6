// SPDX-License-Identifier: Apache-2.0
// `cyclescope collect`: measures, and writes the stream, the CSV, or both.
#include "cmd/measure.h"

static int run(const struct command *self, int argc, char **argv)
{
    struct options options;
    struct measure *measure;
    int r = options_parse(self, argc, argv, &options), status;

    if (r != 0)
        return r < 0 ? EXIT_USAGE : EXIT_DONE;
    status = measure_open(&options, &measure);
    if (status != 0 || !measure)
        return status;
    if (!options.output && !options.csv)
        say("neither -o nor --csv: what is measured goes nowhere");
    status = measure_run(measure);
    measure_close(measure);
    return status;
}

const struct command command_collect = {
    .name = "collect",
    .synopsis = "cyclescope collect [OPTIONS] [-- COMMAND [ARG…]]",
    .summary = "measure only: the stream to -o FILE|-, the CSV, or both",
    .options = OPTIONS_COLLECT | OPTIONS_BRIDGE,
    .run = run,
};

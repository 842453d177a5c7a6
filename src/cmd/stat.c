// SPDX-License-Identifier: Apache-2.0
// `cyclescope stat`: the numbers in the terminal, a line an interval, and a summary. A command or a
// process without -I gets the summary alone, as perf stat has it.
#include "cmd/measure.h"
#include "output/csv.h"
#include "output/stat_json.h"
#include "output/stat_table.h"
#include "output/stat_text.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define INTERVAL_DEFAULT NS_PER_SEC
// s: metrics of gauges look back for one, to a reading that may be another one back, and a late
// tick more.
#define WINDOW_MAX     2.25
#define INTERVAL_QUIET (100 * NS_PER_MS) // where nothing is shown but the end

struct show {
    const struct options *options;
    const struct collector *collector;
    bool lines; // an interval is shown
    bool tty;
    size_t n_slots;
    struct sum *sums;        // of this interval, [slot * n_events + event]
    struct history *history; // the newest intervals, from its second row on: see begin()
    struct totals totals;
    struct stat_table table;
    size_t lines_left; // of this screen, before the header comes again
    struct csv_layout csv;
    int64_t timestamp; // of the newest interval
    struct buf out;
};

// 0, or -1 when nobody reads any more.
static int flush(struct show *s)
{
    size_t done = 0;

    while (done < s->out.size) {
        ssize_t n = write(STDOUT_FILENO, s->out.data + done, s->out.size - done);

        if (n < 0 && errno != EINTR)
            return -1;
        done += n > 0 ? (size_t)n : 0;
    }
    buf_clear(&s->out);
    return 0;
}

static void put_csv(struct show *s, struct sum *sums)
{
    csv_row(&s->csv, s->timestamp, sums, &s->out);
}

// The interval's counts; a gauge's sum is cumulative, and the history knows its increase.
static void put_csv_interval(struct show *s, uint64_t sequence)
{
    const struct event_table *events = history_events(s->history);

    for (size_t e = 0; e < events->n; e++)
        if (events->events[e].kind == EVENT_GAUGE)
            s->sums[e] = history_sum(s->history, sequence, sequence, 0, e);
    put_csv(s, s->sums);
}

static void put_line(struct show *s, uint64_t sequence)
{
    struct winsize size = {0};
    size_t lines = 1;

    if (s->tty)
        ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    if (stat_table_fit(&s->table, size.ws_col) || (s->tty && s->lines_left == 0)) {
        stat_table_header(&s->table, &s->out);
        s->lines_left = size.ws_row > 6 ? size.ws_row - 3u : 20;
    }
    stat_table_line(&s->table, s->history, sequence, &s->out);
    lines += stat_table_cpu_lines(&s->table, s->history, sequence, &s->out);
    s->lines_left -= s->lines_left < lines ? s->lines_left : lines;
}

static int on_interval(void *context, const struct readings *readings, int64_t timestamp_ms,
                       double seconds)
{
    struct show *s = context;
    uint64_t sequence;

    readings_sums(readings, s->n_slots, s->sums);
    totals_add(&s->totals, s->sums, seconds);
    s->timestamp = timestamp_ms;
    if (!s->lines)
        return 0;
    history_push(
        s->history,
        &(struct interval){.timestamp_ms = timestamp_ms, .seconds = seconds, .sums = s->sums});
    sequence = history_last(s->history);
    if (s->options->json)
        stat_json_interval(s->history, sequence, s->options->per_cpu, &s->out);
    else if (s->options->csv_stdout)
        put_csv_interval(s, sequence);
    else
        put_line(s, sequence);
    return flush(s);
}

// The first row is the start: gauges are 0 then, so that the first interval has their increase.
static void begin(struct show *s)
{
    const struct event_table *events = &s->collector->events;

    for (size_t i = 0; i < events->n * s->n_slots; i++)
        s->sums[i] =
            events->events[i % events->n].kind == EVENT_GAUGE ? (struct sum){.raw = 0} : SUM_NONE;
    history_push(s->history, &(struct interval){.timestamp_ms = 1, .sums = s->sums});
}

static int prepare(struct show *s)
{
    const struct options *o = s->options;
    const struct event_table *events = &s->collector->events;
    enum reading_scope scope = target_scope(&s->collector->target);
    int r;

    s->n_slots = o->per_cpu ? 1 + s->collector->readings.n_rows : 1;
    s->sums = calloc(s->n_slots * events->n + 1, sizeof(*s->sums));
    if (!s->sums)
        return -ENOMEM;
    r = history_new(events, s->n_slots, scope,
                    (size_t)(WINDOW_MAX * NS_PER_SEC / (double)o->interval) + 2, SIZE_MAX,
                    &s->history);
    if (r < 0)
        return r;
    begin(s);
    r = totals_init(&s->totals, history_events(s->history), scope, s->n_slots);
    if (r == 0)
        r = stat_table_init(&s->table, s->history, o->events, o->interval / NS_PER_MS);
    if (r == 0 && o->csv_stdout) {
        r = csv_layout_init(&s->csv, history_events(s->history), scope);
        if (r == 0)
            csv_header(&s->csv, &s->out);
    }
    return r;
}

static void done(struct show *s)
{
    stat_table_done(&s->table);
    totals_done(&s->totals);
    csv_layout_done(&s->csv);
    history_free(s->history);
    buf_done(&s->out);
    free(s->sums);
}

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void put_summary(struct show *s, int status)
{
    const struct target *target = &s->collector->target;
    struct rusage usage;
    struct stat_run run = {.target = target->text,
                           .user_seconds = NAN,
                           .system_seconds = NAN,
                           .per_cpu = s->options->per_cpu,
                           .machine = !target_is_tasks(target),
                           .status = s->options->command ? status : -1};

    // We have no other children.
    if (s->options->command && getrusage(RUSAGE_CHILDREN, &usage) == 0) {
        run.user_seconds = seconds_of(usage.ru_utime);
        run.system_seconds = seconds_of(usage.ru_stime);
    }
    if (s->options->json)
        stat_json_summary(&s->totals, &run, &s->out);
    else if (!s->options->csv_stdout)
        stat_text(&s->totals, &run, &s->out);
    else if (!s->lines && s->totals.intervals)
        put_csv(s, s->totals.sums);
}

// Are they tasks, and not CPUs, that are measured?
static bool is_tasks(const struct options *o)
{
    return o->n_tasks || (o->command && !o->system && !o->cpu_list && !o->n_cgroups);
}

// Of others' processes, there is nothing else to show. Why, was said.
static bool is_denied(const struct options *o, const struct collector *c)
{
    bool denied = false;

    for (size_t i = 0; i < c->events.n; i++)
        denied |= c->events.events[i].availability == QUALITY_DENIED;
    return o->n_tasks && denied && collector_counting(c, false) == 0;
}

static int check(const struct options *o)
{
    if (o->json && o->csv_stdout) {
        say("--json and --csv exclude each other");
        return -1;
    }
    if (o->per_cpu && o->csv_stdout) {
        say("--per-cpu and --csv exclude each other: a row is of the whole target; --json has "
            "CPUs");
        return -1;
    }
    if (o->per_cpu && is_tasks(o)) {
        say("--per-cpu: a process is counted on whichever CPU it runs; measure CPUs with -a or -C");
        return -1;
    }
    if (o->output && strcmp(o->output, "-") == 0) {
        say("-o -: standard output has the numbers; record into a file");
        return -1;
    }
    return 0;
}

// --duration ends at a reading: not much later than asked for, where -I does not say how often.
static ns_t interval_for(ns_t duration, bool lines)
{
    if (duration % NS_PER_SEC == 0)
        return INTERVAL_DEFAULT;
    if (lines)
        return duration < INTERVAL_DEFAULT ? duration : INTERVAL_DEFAULT;
    return duration < INTERVAL_QUIET ? duration : INTERVAL_QUIET;
}

static int run(const struct command *self, int argc, char **argv)
{
    struct options options;
    struct show s = {.options = &options, .tty = isatty(STDOUT_FILENO)};
    struct measure *measure;
    int r = options_parse(self, argc, argv, &options), status;

    if (r == 0)
        r = check(&options);
    if (r != 0)
        return r < 0 ? EXIT_USAGE : EXIT_DONE;
    options.csv = NULL;
    s.lines = options.interval_given || !(options.command || options.n_tasks);
    if (!options.interval_given)
        options.interval = interval_for(options.duration, s.lines);
    status = measure_open(&options, &measure);
    if (status != 0 || !measure) // --dry-run
        return status;
    s.collector = measure_collector(measure);
    if (is_denied(&options, s.collector)) {
        measure_close(measure);
        return EXIT_FAILED;
    }
    if (prepare(&s) < 0) {
        say("out of memory");
        measure_close(measure);
        done(&s);
        return EXIT_FAILED;
    }
    measure_intervals_to(measure, on_interval, &s);
    status = measure_run(measure);
    // In JSON the summary has the status.
    if (measure_ran(measure) || options.json)
        put_summary(&s, status);
    if (buf_error(&s.out) < 0 || (flush(&s) < 0 && errno != EPIPE)) {
        say("standard output: %s", strerror(errno));
        status = EXIT_FAILED;
    }
    measure_close(measure);
    done(&s);
    return status;
}

const struct command command_stat = {
    .name = "stat",
    .synopsis = "cyclescope stat [OPTIONS] [-- COMMAND [ARG…]]",
    .summary = "the numbers in the terminal, a line an interval, and a summary",
    .options = OPTIONS_COLLECT | OPTIONS_STAT,
    .run = run,
};

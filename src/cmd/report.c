// SPDX-License-Identifier: Apache-2.0
// `cyclescope report`: a recording's numbers. Like the server, it parses what comes from outside
// without privileges.
#include "output/report.h"
#include "base/cleanup.h"
#include "cmd/options.h"
#include "cmd/recording.h"
#include "cmd/renounce.h"
#include "output/csv.h"
#include "output/stat_json.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ROWS        ((size_t)2048) // metrics of CPU time look back for a second, a thousand intervals
#define FLUSH_BYTES ((size_t)1 << 16)
#define GAP         1.5 // times the nominal interval

struct show {
    const struct options *options;
    struct session session;
    struct ingest *ingest;
    struct totals totals; // from the first interval on
    struct csv_layout csv;
    struct sum *sums; // an interval's, with gauges' increases; owned
    struct report report;
    struct report_sampled *sampled; // owned
    struct report_skipped skipped[STREAM_SKIPPED_TYPES];
    int64_t last_ms;
    struct buf out;
    bool failed; // memory is short, or nobody reads any more
};

static void flush(struct show *s, size_t above)
{
    size_t done = 0;

    if (s->out.size <= above)
        return;
    while (!s->failed && done < s->out.size) {
        ssize_t n = write(STDOUT_FILENO, s->out.data + done, s->out.size - done);

        s->failed = n < 0 && errno != EINTR;
        done += n > 0 ? (size_t)n : 0;
    }
    buf_clear(&s->out);
}

static int begin(struct show *s)
{
    const struct history *h = s->session.history;
    const struct event_table *events = history_events(h);
    int r = totals_init(&s->totals, events, history_scope(h), history_slots(h));

    s->sums = calloc(events->n + 1, sizeof(*s->sums));
    if (r == 0)
        r = csv_layout_init(&s->csv, events, history_scope(h));
    if (r < 0 || !s->sums)
        return -ENOMEM;
    s->report.totals = &s->totals;
    if (s->options->format == FORMAT_CSV)
        csv_header(&s->csv, &s->out);
    return 0;
}

// The history knows a gauge's increase; its sum is cumulative.
static void put_csv(struct show *s, const struct interval *interval)
{
    const struct history *h = s->session.history;
    const struct event_table *events = history_events(h);
    uint64_t sequence = history_last(h);

    for (size_t e = 0; e < events->n; e++)
        s->sums[e] = events->events[e].kind == EVENT_GAUGE
                         ? history_sum(h, sequence, sequence, 0, e)
                         : interval->sums[e];
    csv_row(&s->csv, interval->timestamp_ms, s->sums, &s->out);
}

static void count_gap(struct show *s, const struct interval *interval)
{
    double since = (double)(interval->timestamp_ms - s->last_ms) / 1000;

    if (!s->totals.intervals)
        s->report.first_ms = interval->timestamp_ms - (int64_t)(interval->seconds * 1000);
    else if (since > interval->seconds * GAP && since - interval->seconds > 0.001) {
        s->report.gaps++;
        s->report.gap_seconds += since - interval->seconds;
    }
    s->last_ms = s->report.last_ms = interval->timestamp_ms;
}

static void on_interval(void *context, const struct interval *interval)
{
    struct show *s = context;

    if (s->failed || !s->session.history)
        return;
    if (!s->totals.events && begin(s) < 0) {
        s->failed = true;
        return;
    }
    count_gap(s, interval);
    totals_add(&s->totals, interval->sums, interval->seconds);
    if (s->options->format == FORMAT_CSV)
        put_csv(s, interval);
    if (s->options->format == FORMAT_JSON) {
        if (s->totals.intervals > 1)
            buf_putc(&s->out, ',');
        stat_json_interval(s->session.history, history_last(s->session.history),
                           s->options->per_cpu, &s->out);
    }
    flush(s, FLUSH_BYTES);
}

static void report_samples(struct show *s)
{
    const struct stream_head *head = stream_reader_head(ingest_reader(s->ingest));
    const struct stream_sampled *sampled = stream_reader_sampled(ingest_reader(s->ingest));

    s->sampled = calloc(head->n_events + 1, sizeof(*s->sampled));
    s->report.sampled = s->sampled;
    for (size_t i = 0; s->sampled && sampled && i < head->n_events; i++) {
        const struct event *e = &head->events[i];
        const struct sample_format *f = &head->formats[i];
        bool dummy = e->type == PERF_TYPE_SOFTWARE && e->config == PERF_COUNT_SW_DUMMY;
        bool clock = e->type == PERF_TYPE_SOFTWARE && e->config <= PERF_COUNT_SW_TASK_CLOCK;

        if (!f->sampling || (dummy && !sampled[i].samples))
            continue;
        s->sampled[s->report.n_sampled++] =
            (struct report_sampled){.name = e->name,
                                    .unit = clock ? "ns" : e->unit,
                                    .samples = sampled[i].samples,
                                    .estimated = sampled[i].period,
                                    .known = f->period || f->has_period || f->has_reads};
    }
}

static void fill_report(struct show *s, const char *name)
{
    const struct stream_head *head = stream_reader_head(ingest_reader(s->ingest));
    const struct stream_counts *counts = stream_reader_counts(ingest_reader(s->ingest));
    struct report *r = &s->report;

    r->name = name;
    r->version = head->version;
    r->session = &s->session;
    r->per_cpu = s->options->per_cpu;
    r->clock_known = head->clock.known;
    r->records = counts->records;
    r->skipped_records = (uint64_t)s->session.health.skipped_records;
    r->skipped_bytes = counts->skipped_bytes;
    r->lost = counts->lost;
    r->throttled = counts->throttled;
    r->skipped = s->skipped;
    r->n_skipped = counts->n_skipped;
    for (size_t i = 0; i < counts->n_skipped; i++)
        s->skipped[i] =
            (struct report_skipped){counts->skipped[i].type, counts->skipped[i].records};
    if (*stream_reader_error(ingest_reader(s->ingest)))
        r->trouble = stream_reader_error(ingest_reader(s->ingest));
    report_samples(s);
}

static void put_report(struct show *s)
{
    struct json j = {.out = &s->out};

    switch (s->options->format) {
    case FORMAT_CSV:
        break;
    case FORMAT_TEXT:
        report_text(&s->report, &s->out);
        break;
    case FORMAT_JSON:
        buf_puts(&s->out, "],\n");
        report_json(&s->report, &j);
        buf_puts(&s->out, "}\n");
        break;
    }
}

static int open_input(const struct options *o, struct recording *ret, bool *ret_file)
{
    const char *name = o->n_operands == 1 ? o->operands[0] : "";
    struct stat st;
    int fd;

    if (o->n_operands != 1) {
        say("report takes one INPUT: a recording, or - for standard input");
        return EXIT_USAGE;
    }
    if (strcmp(name, "-") == 0) {
        name = "standard input";
        fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    } else {
        fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    }
    if (fd < 0 || fstat(fd, &st) < 0 || S_ISDIR(st.st_mode)) {
        say("%s: %s; INPUT is a recording, or - for standard input", name,
            strerror(fd >= 0 && S_ISDIR(st.st_mode) ? EISDIR : errno));
        return EXIT_FAILED;
    }
    recording_init(ret, fd, name);
    *ret_file = S_ISREG(st.st_mode);
    return 0;
}

// All that comes. What went wrong the session knows, but for reading itself: -errno.
static int read_pipe(struct show *s, int fd)
{
    static char bytes[FLUSH_BYTES];
    ssize_t n;

    while (!s->failed) {
        n = read(fd, bytes, sizeof(bytes));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0 || ingest_feed(s->ingest, bytes, (size_t)n) < 0)
            break;
    }
    return 0;
}

// All that the file has now.
static int read_file(struct show *s, struct recording *recording)
{
    enum recording_step step = RECORDING_MORE;

    while (!s->failed && step == RECORDING_MORE)
        step = recording_step(recording, s->ingest, UINT64_MAX);
    return step == RECORDING_ERROR && s->session.state != SESSION_FAILED ? -errno : 0;
}

static int read_input(struct show *s, struct recording *input, bool is_file)
{
    int r;

    if (s->options->format == FORMAT_JSON)
        buf_puts(&s->out, "{\"samples\":[");
    r = is_file ? read_file(s, input) : read_pipe(s, input->fd);
    if (r < 0) {
        say("%s: %s", input->name, strerror(-r));
        return EXIT_FAILED;
    }
    ingest_end(s->ingest);
    return 0;
}

static int become_nobody(void)
{
    struct sandbox_user user;

    tzset(); // reads a file
    sandbox_choose_user(&user);
    return renounce(&user, 0, "a recording is not read");
}

static int show(struct show *s, struct recording *input, bool is_file)
{
    const struct stream_reader *reader;
    int status = read_input(s, input, is_file);

    if (status != 0)
        return status;
    reader = ingest_reader(s->ingest);
    if (!stream_reader_sampled(reader)) { // not even a head
        say("%s: %s", input->name,
            *stream_reader_error(reader) ? stream_reader_error(reader) : "it holds no events");
        return EXIT_FAILED;
    }
    fill_report(s, input->name);
    put_report(s);
    if (buf_error(&s->out) < 0)
        s->failed = true;
    flush(s, 0);
    if (s->failed && errno != EPIPE) {
        say("standard output: %s", strerror(errno));
        return EXIT_FAILED;
    }
    if (s->session.state != SESSION_FAILED)
        return EXIT_DONE;
    say("%s: %s; what came before it was reported", input->name, s->session.reason);
    return EXIT_FAILED;
}

static void done(struct show *s)
{
    ingest_free(s->ingest);
    totals_done(&s->totals);
    csv_layout_done(&s->csv);
    session_done(&s->session);
    buf_done(&s->out);
    free(s->sums);
    free(s->sampled);
}

static int run(const struct command *self, int argc, char **argv)
{
    struct options options;
    struct show s = {.options = &options};
    struct ingest_config config = {.rows = ROWS, .interval = on_interval, .context = &s};
    struct recording input = RECORDING_NONE;
    bool is_file = false;
    int r = options_parse(self, argc, argv, &options), status;

    if (r != 0)
        return r < 0 ? EXIT_USAGE : EXIT_DONE;
    signal(SIGPIPE, SIG_IGN);
    if (session_init(&s.session) < 0) {
        say("out of memory");
        return EXIT_FAILED;
    }
    status = open_input(&options, &input, &is_file);
    config.begin = is_file ? recording_birth(input.fd) : 0;
    config.memory = options.memory;
    if (status == 0 && ingest_new(&s.session, &config, &s.ingest) < 0) {
        say("out of memory");
        status = EXIT_FAILED;
    }
    if (status == 0)
        status = become_nobody();
    if (status == 0)
        status = show(&s, &input, is_file);
    recording_close(&input);
    done(&s);
    return status;
}

const struct command command_report = {
    .name = "report",
    .synopsis = "cyclescope report INPUT [--format text|json|csv]",
    .summary = "a recording's numbers: INPUT is any perf.data, or - for standard input",
    .options = OPTIONS_REPORT,
    .run = run,
};

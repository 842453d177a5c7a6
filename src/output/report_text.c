// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "output/number.h"
#include "output/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void put_field(struct buf *out, const char *name, const char *text)
{
    if (!text[0])
        return;
    buf_printf(out, "%-10s", name);
    text_put_tame(out, text);
    buf_putc(out, '\n');
}

static void put_time(struct buf *out, int64_t ms)
{
    time_t seconds = ms / 1000;
    struct tm local;
    char text[32];

    localtime_r(&seconds, &local);
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local);
    buf_printf(out, "%s.%03d", text, (int)(ms % 1000));
}

static void put_span(const struct report *r, struct buf *out)
{
    const struct totals *t = r->totals;

    if (!t)
        return;
    buf_puts(out, "time      ");
    put_time(out, r->first_ms);
    buf_puts(out, " to ");
    put_time(out, r->last_ms);
    buf_puts(out, r->clock_known ? "\n" : " (it does not say; from the file's own time)\n");
    buf_printf(out, "intervals %zu, %.6g s", t->intervals, t->seconds);
    if (r->session->interval_ms && t->intervals > 1)
        buf_printf(out, ", one every %" PRId64 " ms", r->session->interval_ms);
    buf_putc(out, '\n');
    if (r->gaps)
        buf_printf(out, "gaps      %" PRIu64 ", %.6g s without an interval\n", r->gaps,
                   r->gap_seconds);
}

static void put_lost(const struct report *r, struct buf *out)
{
    const struct session_health *h = &r->session->health;

    if (h->missed_ticks > 0)
        buf_printf(out,
                   "missed    %" PRId64 " ticks; their counts are in the intervals after them\n",
                   h->missed_ticks);
    if (h->dropped_rounds > 0)
        buf_printf(out, "dropped   %" PRId64 " intervals; their counts are in those after them\n",
                   h->dropped_rounds);
    if (r->lost)
        buf_printf(out, "lost      %" PRIu64 " records, of which only the number was kept\n",
                   r->lost);
    if (r->throttled)
        buf_printf(out, "throttled %" PRIu64 " times: the kernel held back an event\n",
                   r->throttled);
    if (!r->skipped_records)
        return;
    buf_printf(out, "skipped   %" PRIu64 " of %" PRIu64 " records", r->skipped_records, r->records);
    for (size_t i = 0; i < r->n_skipped; i++)
        buf_printf(out, "%s%" PRIu64 " of type %" PRIu64, i ? ", " : ": ", r->skipped[i].records,
                   r->skipped[i].type);
    buf_putc(out, '\n');
}

static void put_sampled(const struct report *r, struct buf *out)
{
    buf_puts(out, "\n        samples        estimated  event\n");
    for (size_t i = 0; i < r->n_sampled; i++) {
        const struct report_sampled *s = &r->sampled[i];
        char samples[NUMBER_WHOLE_MAX], estimated[NUMBER_WHOLE_MAX] = "<not recorded>";

        number_whole((double)s->samples, 0, samples);
        if (s->known)
            number_whole((double)s->estimated, 0, estimated);
        buf_printf(out, "%15s  %15s  ", samples, estimated);
        text_put_tame(out, s->name);
        buf_puts(out, s->unit[0] ? " (" : "");
        text_put_tame(out, s->unit);
        buf_puts(out, s->unit[0] ? ")\n" : "\n");
    }
}

void report_text(const struct report *r, struct buf *out)
{
    const struct session *s = r->session;
    struct stat_run run = {.target = s->target_text,
                           .user_seconds = NAN,
                           .system_seconds = NAN,
                           .per_cpu = r->per_cpu,
                           .machine = strcmp(s->target_kind, "system") == 0,
                           .status = -1};

    put_field(out, "recording", r->name);
    put_field(out, "recorder", r->version);
    put_field(out, "host", s->host);
    put_field(out, "kernel", s->kernel);
    put_field(out, "CPU", s->cpu_model);
    if (s->cpus_possible)
        buf_printf(out, "CPUs      %" PRId64 "\n", s->cpus_possible);
    put_field(out, "target", s->target_text);
    put_span(r, out);
    put_lost(r, out);
    if (r->trouble)
        put_field(out, "ends", r->trouble);
    if (r->n_sampled)
        put_sampled(r, out);
    else if (r->totals)
        stat_text(r->totals, &run, out);
}

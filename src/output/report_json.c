// SPDX-License-Identifier: Apache-2.0
#include "output/report.h"
#include "output/stat_json.h"

static void put_text(struct json *j, const char *key, const char *text)
{
    json_key(j, key);
    json_string(j, text && text[0] ? text : NULL);
}

// -1: nobody said.
static void put_known(struct json *j, const char *key, int64_t value)
{
    json_key(j, key);
    if (value < 0)
        json_null(j);
    else
        json_i64(j, value);
}

static void put_number(struct json *j, const char *key, uint64_t value)
{
    json_key(j, key);
    json_u64(j, value);
}

static void put_machine(const struct report *r, struct json *j)
{
    const struct session *s = r->session;

    put_text(j, "name", r->name);
    put_text(j, "recorder", r->version);
    put_text(j, "host", s->host);
    put_text(j, "kernel", s->kernel);
    put_text(j, "arch", s->arch);
    put_text(j, "cpu_model", s->cpu_model);
    put_known(j, "cpus", s->cpus_possible ? s->cpus_possible : -1);
    put_text(j, "target_kind", s->target_kind);
    put_text(j, "target", s->target_text);
    put_known(j, "interval_ms", s->interval_ms ? s->interval_ms : -1);
    put_known(j, "first", r->totals ? r->first_ms : -1);
    put_known(j, "last", r->totals ? r->last_ms : -1);
    json_key(j, "clock_known");
    json_bool(j, r->clock_known);
}

static void put_lost(const struct report *r, struct json *j)
{
    put_number(j, "gaps", r->gaps);
    json_key(j, "gap_seconds");
    json_metric(j, r->gap_seconds);
    put_known(j, "missed_ticks", r->session->health.missed_ticks);
    put_known(j, "dropped_rounds", r->session->health.dropped_rounds);
    put_number(j, "lost", r->lost);
    put_number(j, "throttled", r->throttled);
    put_number(j, "records", r->records);
    put_number(j, "skipped_records", r->skipped_records);
    put_number(j, "skipped_bytes", r->skipped_bytes);
    json_key(j, "skipped");
    json_open(j, '[');
    for (size_t i = 0; i < r->n_skipped; i++) {
        json_open(j, '{');
        put_number(j, "type", r->skipped[i].type);
        put_number(j, "records", r->skipped[i].records);
        json_close(j, '}');
    }
    json_close(j, ']');
    put_text(j, "trouble", r->trouble);
}

static void put_sampled(const struct report *r, struct json *j)
{
    json_key(j, "sampled");
    json_open(j, '[');
    for (size_t i = 0; i < r->n_sampled; i++) {
        json_open(j, '{');
        put_text(j, "event", r->sampled[i].name);
        put_number(j, "samples", r->sampled[i].samples);
        json_key(j, "estimated");
        if (r->sampled[i].known)
            json_u64(j, r->sampled[i].estimated);
        else
            json_null(j);
        json_key(j, "unit");
        json_string(j, r->sampled[i].unit);
        json_close(j, '}');
    }
    json_close(j, ']');
}

void report_json(const struct report *r, struct json *j)
{
    json_key(j, "recording");
    json_open(j, '{');
    put_machine(r, j);
    put_lost(r, j);
    put_sampled(r, j);
    json_close(j, '}');
    json_key(j, "totals");
    if (r->totals)
        stat_json_totals(r->totals,
                         &(struct stat_run){.target = r->session->target_text,
                                            .user_seconds = NAN,
                                            .system_seconds = NAN,
                                            .per_cpu = r->per_cpu,
                                            .status = -1},
                         j);
    else
        json_null(j);
}

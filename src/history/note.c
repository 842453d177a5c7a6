// SPDX-License-Identifier: Apache-2.0
#include "history/note.h"

#include "base/parse.h"
#include "base/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define RUN_LETTERS "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-"

static void copy_text(json_t *object, const char *key, char *ret, size_t size)
{
    const char *text = json_string_value(json_object_get(object, key));

    if (text)
        text_copy(ret, size, text);
}

static void copy_integer(json_t *object, const char *key, int64_t *ret)
{
    json_t *value = json_object_get(object, key);

    if (json_is_integer(value))
        *ret = json_integer_value(value);
}

// The run's name, which becomes a part of ids in the push stream: one that could end its line there
// is none.
static void copy_run(json_t *note, char *ret, size_t size)
{
    const char *text = json_string_value(json_object_get(note, "run"));

    if (text && *text && !text[strspn(text, RUN_LETTERS)])
        text_copy(ret, size, text);
}

static void apply_online(struct session *s, json_t *note)
{
    const char *list = json_string_value(json_object_get(note, "online"));
    int *cpus;
    size_t n;

    if (!list || s->cpus_possible <= 0 || parse_cpu_list(list, &cpus, &n) < 0)
        return;
    if (!s->cpu_online)
        s->cpu_online = calloc((size_t)s->cpus_possible, sizeof(*s->cpu_online));
    if (s->cpu_online) {
        memset(s->cpu_online, 0, (size_t)s->cpus_possible * sizeof(*s->cpu_online));
        for (size_t i = 0; i < n; i++)
            if (cpus[i] < s->cpus_possible)
                s->cpu_online[cpus[i]] = true;
    }
    free(cpus);
}

static void apply_stream(struct session *s, struct event_table *events, json_t *note,
                         struct note_effect *effect)
{
    json_t *target = json_object_get(note, "target");
    double slots = json_number_value(json_object_get(note, "slots_per_cycle"));

    copy_run(note, s->run, sizeof(s->run));
    copy_text(note, "hypervisor", s->hypervisor, sizeof(s->hypervisor));
    copy_text(target, "kind", s->target_kind, sizeof(s->target_kind));
    copy_text(target, "text", s->target_text, sizeof(s->target_text));
    apply_online(s, note);
    if (events && slots > 0)
        events->slots_per_cycle = slots;
    effect->resumed = json_is_true(json_object_get(note, "resumed"));
    effect->meta = true;
}

// Gives event e this column id. Ids stay unique: who had it gets e's in exchange.
static void set_column(struct event_table *events, struct event *e, const char *name)
{
    char id[EVENT_NAME_MAX];
    int other;

    event_column_id(name, id);
    other = event_table_find_column(events, id);
    if (!id[0] || other == (int)(e - events->events))
        return;
    if (other >= 0)
        text_copy(events->events[other].column, EVENT_NAME_MAX, e->column);
    text_copy(e->column, EVENT_NAME_MAX, id);
}

static void apply_event(struct event_table *events, struct event *e, json_t *note)
{
    const char *kind = json_string_value(json_object_get(note, "kind"));
    const char *quality = json_string_value(json_object_get(note, "quality"));
    const char *column = json_string_value(json_object_get(note, "column"));

    if (kind)
        e->kind = strcmp(kind, "gauge") == 0 ? EVENT_GAUGE : EVENT_COUNT;
    e->total_only |= json_is_true(json_object_get(note, "total_only"));
    if (quality)
        quality_parse(quality, &e->availability);
    if (column)
        set_column(events, e, column);
    copy_text(note, "why", e->why, sizeof(e->why));
}

static void apply_status(struct session *s, json_t *note)
{
    json_t *cpu = json_object_get(note, "cpu_percent");

    copy_integer(note, "missed_ticks", &s->health.missed_ticks);
    copy_integer(note, "dropped_rounds", &s->health.dropped_rounds);
    copy_integer(note, "rss_bytes", &s->health.collector_rss_bytes);
    if (json_is_number(cpu))
        s->health.collector_cpu_percent = json_number_value(cpu);
}

static void apply_text(struct session *s, json_t *note, struct note_effect *effect)
{
    struct session_note *n;

    if (s->n_notes == SESSION_NOTES_MAX)
        return;
    n = &s->notes[s->n_notes++];
    text_copy(n->severity, sizeof(n->severity), "info");
    copy_text(note, "severity", n->severity, sizeof(n->severity));
    copy_text(note, "text", n->text, sizeof(n->text));
    effect->meta = true;
}

// [pid, ns, "name", what]. What is not like that is left out.
static void apply_process(struct processes *p, json_t *item)
{
    json_t *pid = json_array_get(item, 0), *cpu = json_array_get(item, 1);
    const char *comm = json_string_value(json_array_get(item, 2));
    json_int_t what = json_integer_value(json_array_get(item, 3));

    if (!json_is_integer(pid) || !json_is_integer(cpu) || !comm || json_integer_value(cpu) < 0 ||
        json_integer_value(pid) < 0 || json_integer_value(pid) > INT32_MAX)
        return;
    processes_add(p, (uint32_t)json_integer_value(pid), comm, (uint64_t)json_integer_value(cpu),
                  (unsigned)what & (PROCESSES_BORN | PROCESSES_ENDED));
}

static void apply_processes(struct session *s, json_t *note)
{
    json_t *list = json_object_get(note, "list");
    double seconds = json_number_value(json_object_get(note, "seconds"));
    int64_t timestamp = 0, forks = 0;

    copy_integer(note, "timestamp", &timestamp);
    copy_integer(note, "forks", &forks);
    if (timestamp <= 0 || (!s->processes && processes_new(&s->processes) < 0))
        return;
    processes_second(s->processes, timestamp, seconds > 0 ? seconds : 0,
                     forks > 0 ? (uint64_t)forks : 0);
    for (size_t i = 0; i < json_array_size(list); i++)
        apply_process(s->processes, json_array_get(list, i));
}

static void apply_finding(struct findings *findings, json_t *check)
{
    struct finding *f = &findings->checks[findings->n];
    const char *status = json_string_value(json_object_get(check, "status"));

    *f = (struct finding){.status = FINDING_UNKNOWN};
    copy_text(check, "name", f->name, sizeof(f->name));
    copy_text(check, "found", f->found, sizeof(f->found));
    copy_text(check, "cost", f->cost, sizeof(f->cost));
    copy_text(check, "remedy", f->remedy, sizeof(f->remedy));
    if (status)
        finding_status_parse(status, &f->status);
    findings->n += f->name[0] != '\0';
}

static void apply_doctor(struct session *s, json_t *note, struct note_effect *effect)
{
    json_t *checks = json_object_get(note, "checks"), *check;
    size_t i;

    if (!json_is_array(checks))
        return;
    if (!s->doctor)
        s->doctor = malloc(sizeof(*s->doctor));
    if (!s->doctor)
        return;
    s->doctor->n = 0;
    s->doctor->at_ms = 0;
    copy_integer(note, "at", &s->doctor->at_ms);
    json_array_foreach(checks, i, check)
    {
        if (s->doctor->n == FINDINGS_MAX)
            break;
        apply_finding(s->doctor, check);
    }
    effect->meta = true;
}

bool note_apply(struct session *s, struct event_table *events, size_t event, const char *json,
                size_t size, struct note_effect *ret)
{
    struct note_effect effect = {0};
    json_t *note;
    const char *kind;

    while (size && json[size - 1] == '\0')
        size--;
    note = json_loadb(json, size, JSON_REJECT_DUPLICATES, NULL);
    kind = json_string_value(json_object_get(note, "cs"));
    *ret = effect;
    if (!kind) {
        json_decref(note);
        return false;
    }
    if (strcmp(kind, "stream") == 0) {
        apply_stream(s, events, note, &effect);
    } else if (strcmp(kind, "online") == 0) {
        apply_online(s, note);
        effect.meta = true;
    } else if (strcmp(kind, "event") == 0 && events) {
        apply_event(events, &events->events[event], note);
        effect.meta = true;
    } else if (strcmp(kind, "status") == 0) {
        apply_status(s, note);
    } else if (strcmp(kind, "doctor") == 0) {
        apply_doctor(s, note, &effect);
    } else if (strcmp(kind, "note") == 0) {
        apply_text(s, note, &effect);
    } else if (strcmp(kind, "processes") == 0) {
        apply_processes(s, note);
    } else if (strcmp(kind, "end") == 0) {
        copy_text(note, "reason", s->reason, sizeof(s->reason));
        effect.ended = true;
    }
    json_decref(note);
    *ret = effect;
    return true;
}

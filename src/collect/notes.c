// SPDX-License-Identifier: Apache-2.0
#include "collect/notes.h"

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "stream/writer.h"

#include <stdio.h>
#include <string.h>

#define NOTES_NAMES_MAX 512 // of events in one sentence; more are cut

#define ABOUT_ALL 1 // notes about the whole are on the first event, whose id this is

static void begin(struct json *j, struct buf *text, const char *kind)
{
    *j = (struct json){.out = text};
    json_open(j, '{');
    json_key(j, "cs");
    json_string(j, kind);
}

static void put_string(struct json *j, const char *key, const char *value)
{
    json_key(j, key);
    json_string(j, value);
}

static void end(struct json *j, struct buf *out, uint64_t id)
{
    json_close(j, '}');
    // A note that found no memory is not written: what it says is said again, or not vital.
    if (buf_error(j->out) == 0)
        stream_write_note(out, id, j->out->data, j->out->size);
    buf_done(j->out);
}

static const char *target_kind(const struct collector *c)
{
    switch (c->target.kind) {
    case TARGET_SYSTEM:
        return "system";
    case TARGET_CPUS:
        return "cpus";
    case TARGET_CGROUPS:
        return "cgroup";
    case TARGET_PROCESS:
        return "process";
    case TARGET_THREADS:
        return "thread";
    case TARGET_COMMAND:
        return "command";
    }
    return "system";
}

void notes_stream(struct buf *out, const struct collector *c, const struct machine *m,
                  const char *run, bool resumed)
{
    struct buf text = {0};
    struct json j;
    char online[8192] = "";

    file_read("", "/sys/devices/system/cpu/online", online, sizeof(online));
    begin(&j, &text, "stream");
    put_string(&j, "program", "cyclescope");
    put_string(&j, "run", run);
    json_key(&j, "resumed");
    json_bool(&j, resumed);
    json_key(&j, "target");
    json_open(&j, '{');
    put_string(&j, "kind", target_kind(c));
    put_string(&j, "text", c->target.text);
    json_close(&j, '}');
    put_string(&j, "hypervisor", m->hypervisor);
    put_string(&j, "online", online);
    end(&j, out, ABOUT_ALL);
}

void notes_online(struct buf *out, const char *online)
{
    struct buf text = {0};
    struct json j;

    begin(&j, &text, "online");
    put_string(&j, "online", online);
    end(&j, out, ABOUT_ALL);
}

void notes_events(struct buf *out, const struct collector *c)
{
    for (size_t i = 0; i < c->events.n; i++) {
        const struct event *e = &c->events.events[i];
        struct buf text = {0};
        struct json j;

        begin(&j, &text, "event");
        put_string(&j, "column", e->column);
        put_string(&j, "kind", e->kind == EVENT_GAUGE ? "gauge" : "count");
        put_string(&j, "quality", quality_name(e->availability));
        if (e->why[0])
            put_string(&j, "why", e->why);
        end(&j, out, e->id);
    }
}

void notes_status(struct buf *out, const struct notes_status *status)
{
    struct buf text = {0};
    struct json j;

    begin(&j, &text, "status");
    json_key(&j, "missed_ticks");
    json_u64(&j, status->missed_ticks);
    json_key(&j, "dropped_rounds");
    json_u64(&j, status->dropped_rounds);
    json_key(&j, "cpu_percent");
    json_metric(&j, status->cpu_percent);
    json_key(&j, "rss_bytes");
    json_i64(&j, status->rss_bytes);
    end(&j, out, ABOUT_ALL);
}

void notes_text(struct buf *out, const char *severity, const char *text_)
{
    struct buf text = {0};
    struct json j;

    begin(&j, &text, "note");
    put_string(&j, "severity", severity);
    put_string(&j, "text", text_);
    end(&j, out, ABOUT_ALL);
}

void notes_end(struct buf *out, const char *reason)
{
    struct buf text = {0};
    struct json j;

    begin(&j, &text, "end");
    put_string(&j, "reason", reason);
    end(&j, out, ABOUT_ALL);
}

// Appends to `ret`, cutting what does not fit.
static void append(char *ret, size_t size, const char *text)
{
    size_t used = strlen(ret);

    text_copy(ret + used, size - used, text);
}

static void list_missing(const struct collector *c, enum quality availability, char *ret,
                         size_t size)
{
    ret[0] = '\0';
    for (size_t i = 0; i < c->events.n; i++)
        if (c->events.events[i].availability == availability) {
            append(ret, size, ret[0] ? ", " : "");
            append(ret, size, c->events.events[i].name);
        }
}

// The reason of the first event that is missing in this way, without the event's own name before
// it; NULL: none is.
static const char *first_reason(const struct collector *c, enum quality availability)
{
    for (size_t i = 0; i < c->events.n; i++)
        if (c->events.events[i].availability == availability) {
            const char *colon = strstr(c->events.events[i].why, ": ");

            return colon ? colon + 2 : c->events.events[i].why;
        }
    return NULL;
}

static bool wants_hardware(const struct collector *c)
{
    for (size_t i = 0; i < c->events.n; i++)
        if (c->events.events[i].kind == EVENT_COUNT &&
            c->events.events[i].type != PERF_TYPE_SOFTWARE)
            return true;
    return false;
}

void notes_missing(const struct collector *c, const struct machine *m, char *ret, size_t size)
{
    const char *denied = first_reason(c, QUALITY_DENIED);
    const char *unsupported = first_reason(c, QUALITY_NOT_SUPPORTED);
    char names[NOTES_NAMES_MAX];

    ret[0] = '\0';
    if (denied) {
        list_missing(c, QUALITY_DENIED, names, sizeof(names));
        snprintf(ret, size, "not permitted: %s; %s", names, denied);
    } else if (unsupported && wants_hardware(c) && collector_counting(c, true) == 0) {
        snprintf(
            ret, size,
            "no hardware PMU on this machine%s%s: cycles, instructions, cache and branch events "
            "cannot be counted; CPU use and software events are shown",
            m->hypervisor[0] ? ", a virtual machine under " : "", m->hypervisor);
    } else if (unsupported) {
        list_missing(c, QUALITY_NOT_SUPPORTED, names, sizeof(names));
        snprintf(ret, size, "not supported: %s; %s", names, unsupported);
    }
}

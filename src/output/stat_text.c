// SPDX-License-Identifier: Apache-2.0
#include "output/stat_text.h"

#include "base/text.h"
#include "output/number.h"

#include <stdio.h>

#define NAME_MAX_SHOWN 48 // wider than any of perf's names but those with parameters
#define COUNT_MIN      15 // "<not supported>"

struct layout {
    int count, unit, name; // widths
};

static void put_count(const struct event *e, struct value v, char ret[NUMBER_WHOLE_MAX])
{
    if (v.quality > QUALITY_SCALED || !isfinite(v.value))
        snprintf(ret, NUMBER_WHOLE_MAX, "<%s>",
                 quality_name(v.quality > QUALITY_SCALED ? v.quality : QUALITY_NEVER_RAN));
    else if (strcmp(e->unit, "ns") == 0)
        number_whole(v.value / 1e6, 2, ret);
    else
        number_whole(v.value, event_is_whole(e) ? 0 : 2, ret);
}

// perf prints clocks in ms.
static const char *unit_of(const struct event *e)
{
    return strcmp(e->unit, "ns") == 0 ? "ms" : e->unit;
}

static int at_least(int width, size_t length)
{
    return (int)length > width ? (int)length : width;
}

// CPUs whose rows are shown: those that counted anything.
static bool has_row(const struct totals *t, size_t slot, size_t event)
{
    return totals_event(t, slot, event).quality != QUALITY_OFFLINE;
}

static struct layout measure(const struct totals *t)
{
    struct layout l = {.count = COUNT_MIN};

    for (size_t e = 0; e < t->events->n; e++) {
        const struct event *event = &t->events->events[e];
        char count[NUMBER_WHOLE_MAX];

        if (event->kind != EVENT_COUNT)
            continue;
        put_count(event, totals_event(t, 0, e), count);
        l.count = at_least(l.count, strlen(count));
        l.unit = at_least(l.unit, strlen(unit_of(event)) + (*event->unit ? 1 : 0));
        l.name = at_least(l.name, strlen(event->name));
    }
    if (l.name > NAME_MAX_SHOWN)
        l.name = NAME_MAX_SHOWN;
    return l;
}

// "   1.23      IPC", "   12.3 %    Cache-miss rate"; "  0.532      CPUs utilized" has its unit in
// its name.
static void put_metric(const struct metric *m, double value, struct buf *out)
{
    char text[NUMBER_SHORT_MAX];
    const char *sign;
    double factor = number_unit(m->unit, &sign);

    number_short(value * factor, text);
    if (strncmp(m->name, m->unit, strlen(m->unit)) == 0)
        sign = "";
    buf_printf(out, "%8s %-3s %s", text, sign, m->name);
}

// GHz say it, as in perf stat; of both, one is left out.
static bool is_said_already(const struct metric *m)
{
    return strcmp(m->id, "cycles_per_second") == 0;
}

// The metrics whose first input this is: the first beside the event, each further one on a line of
// its own, indented by `indent`. Appends the quality behind the first.
static void put_metrics(const struct totals *t, size_t slot, size_t event, struct value count,
                        int indent, struct buf *out)
{
    bool any = false;
    char scaled[32] = "";

    if (count.quality == QUALITY_SCALED)
        snprintf(scaled, sizeof(scaled), "  (%.1f %%)", count.running_percent);
    for (size_t i = 0; i < t->n_bindings; i++) {
        const struct metric_binding *b = &t->bindings[i];
        struct value v;

        if (b->inputs[0] != (int)event || is_said_already(b->metric))
            continue;
        v = totals_metric(t, slot, b);
        if (!isfinite(v.value))
            continue;
        if (any)
            buf_printf(out, "%*s", indent, "");
        buf_puts(out, "  #");
        put_metric(b->metric, v.value, out);
        buf_printf(out, "%s\n", any ? "" : scaled);
        any = true;
    }
    if (!any)
        buf_printf(out, "%s\n", scaled);
}

static void put_row(const struct totals *t, const struct layout *l, size_t slot, size_t event,
                    bool per_cpu, struct buf *out)
{
    const struct event *e = &t->events->events[event];
    struct value v = totals_event(t, slot, event);
    size_t start = out->size;
    char count[NUMBER_WHOLE_MAX], name[EVENT_NAME_MAX], unit[EVENT_UNIT_MAX];
    bool bare = true; // no metric follows, no padding is needed

    for (size_t i = 0; bare && i < t->n_bindings; i++)
        bare = t->bindings[i].inputs[0] != (int)event ||
               !isfinite(totals_metric(t, slot, &t->bindings[i]).value);
    put_count(e, v, count);
    text_copy(name, sizeof(name), e->name);
    text_tame(name);
    text_copy(unit, sizeof(unit), isfinite(v.value) ? unit_of(e) : "");
    text_tame(unit);
    if (slot)
        buf_printf(out, "CPU%-4zu ", slot - 1);
    else if (per_cpu)
        buf_printf(out, "%8s", "");
    buf_printf(out, "%*s %-*s ", l->count, count, l->unit, unit);
    buf_printf(out, "%-*s", bare && v.quality != QUALITY_SCALED ? 0 : l->name, name);
    put_metrics(t, slot, event, v, (int)(out->size - start), out);
}

// What no event's row shows: metrics of CPU time and the like.
static void put_machine(const struct totals *t, int width, struct buf *out)
{
    for (size_t i = 0; i < t->n_bindings; i++) {
        const struct metric_binding *b = &t->bindings[i];
        struct value v = totals_metric(t, 0, b);
        char text[NUMBER_SHORT_MAX];
        const char *sign;
        double factor = number_unit(b->metric->unit, &sign);

        if (t->events->events[b->inputs[0]].kind != EVENT_GAUGE || !isfinite(v.value))
            continue;
        number_short(v.value * factor, text);
        buf_printf(out, "%*s %-2s %s\n", width, text, sign, b->metric->name);
    }
}

static void put_seconds(double seconds, int width, const char *what, struct buf *out)
{
    char text[NUMBER_WHOLE_MAX];

    if (!isfinite(seconds))
        return;
    number_whole(seconds, 6, text);
    buf_printf(out, "%*s s  %s\n", width, text, what);
}

void stat_text(const struct totals *t, const struct stat_run *run, struct buf *out)
{
    struct layout l = measure(t);

    buf_puts(out, "\nCounted: ");
    text_put_tame(out, run->target);
    buf_puts(out, "\n\n");
    for (size_t e = 0; e < t->events->n; e++) {
        if (t->events->events[e].kind != EVENT_COUNT)
            continue;
        if (!run->per_cpu || t->events->events[e].availability != QUALITY_EXACT) {
            put_row(t, &l, 0, e, run->per_cpu, out);
            continue;
        }
        for (size_t slot = 1; slot < t->n_slots; slot++)
            if (has_row(t, slot, e))
                put_row(t, &l, slot, e, true, out);
    }
    buf_putc(out, '\n');
    if (run->machine)
        put_machine(t, l.count, out);
    put_seconds(t->seconds, l.count, "elapsed", out);
    put_seconds(run->user_seconds, l.count, "user", out);
    put_seconds(run->system_seconds, l.count, "sys", out);
}

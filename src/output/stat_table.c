// SPDX-License-Identifier: Apache-2.0
#include "output/stat_table.h"

#include "base/text.h"
#include "output/number.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TITLE_MAX 24 // names are longer with a PMU and parameters in them
#define CELL_MIN  6  // "1.23G" and the mark of what is scaled
#define COUNTED   "  counted"

struct stat_column {
    struct column column;
    char title[TITLE_MAX + 1];
    const char *sign; // of the unit
    double factor;
    bool per_second; // an event's count is divided by the measured time
    size_t width;    // without the two spaces before
};

struct title {
    const char *id, *title;
};

// The columns that tell most, and names for them that are shorter than theirs. Others follow.
static const struct title first[] = {
    {"cpu_use", "CPU use"},
    {"cpus_utilized", "CPUs"},
    {"ipc", "IPC"},
    {"cycles", "cycles"},
    {"instructions", "instr."},
    {"cache_miss_rate", "cache miss"},
    {"branch_miss_rate", "branch miss"},
    {"context_switches_per_second", "switches"},
    {"cpu_migrations_per_second", "migrations"},
    {"minor_faults_per_second", "min.faults"},
    {"major_faults_per_second", "maj.faults"},
};
#define N_FIRST (sizeof(first) / sizeof(first[0]))

// Shorter names of others.
static const struct title titles[] = {
    {"run_queue_length", "run queue"},      {"tasks_waiting", "waiting"},
    {"pressure_cpu_some", "cpu wait"},      {"pressure_io_some", "I/O wait"},
    {"pressure_io_full", "I/O stall"},      {"pressure_memory_some", "mem. wait"},
    {"pressure_memory_full", "mem. stall"},
};
#define N_TITLES (sizeof(titles) / sizeof(titles[0]))

// What others say already: IPC is CPI's inverse, and cycles/s are GHz.
static const char *const left_out[] = {"cpi", "ghz"};
#define N_LEFT_OUT (sizeof(left_out) / sizeof(left_out[0]))

static bool has(const struct stat_table *t, const char *id)
{
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(column_id(&t->columns[i].column), id) == 0)
            return true;
    return false;
}

static void add(struct stat_table *t, struct column column, const char *title)
{
    const char *unit = column.event ? column.event->unit : column.metric->metric->unit;
    struct stat_column c = {.column = column};

    if (has(t, column_id(&column)))
        return;
    c.factor = number_unit(unit, &c.sign);
    if (column.event) {
        c.per_second = true;
        c.sign = *c.sign ? "per s" : "/s";
        if (strcmp(unit, "ns") == 0)
            c.sign = "s/s";
    }
    text_copy(c.title, sizeof(c.title), title);
    text_tame(c.title);
    c.width = strlen(c.title) > CELL_MIN ? strlen(c.title) : CELL_MIN;
    t->columns[t->n++] = c;
}

static bool is_there(const struct column *c)
{
    return (c->event ? c->event->availability : c->metric->availability) == QUALITY_EXACT;
}

// The event of which it is the rate; -1: it is none.
static int rate_of(const struct column *c)
{
    const char *id = column_id(c), *end = strstr(id, "_per_second");
    bool is = c->metric && c->metric->n_inputs == 1 && end && !end[strlen("_per_second")];

    return is ? c->metric->inputs[0] : -1;
}

// Is it the rate of an event that is shown as one already?
static bool is_rate_of_shown(const struct stat_table *t, const struct column *c)
{
    int event = rate_of(c);

    for (size_t i = 0; i < t->n; i++)
        if (t->columns[i].column.event && (int)t->columns[i].column.index == event)
            return true;
    return false;
}

static bool has_rate_of(const struct stat_table *t, size_t event)
{
    for (size_t i = 0; i < t->n; i++)
        if (rate_of(&t->columns[i].column) == (int)event)
            return true;
    return false;
}

static void add_first(struct stat_table *t, const struct history *h)
{
    struct column c;

    for (size_t i = 0; i < N_FIRST; i++)
        if (history_column(h, first[i].id, &c) && is_there(&c) && !is_rate_of_shown(t, &c))
            add(t, c, first[i].title);
}

static bool is_left_out(const char *id)
{
    for (size_t i = 0; i < N_LEFT_OUT; i++)
        if (strcmp(id, left_out[i]) == 0)
            return true;
    return false;
}

static const char *title_of(const struct metric *m)
{
    for (size_t i = 0; i < N_TITLES; i++)
        if (strcmp(titles[i].id, m->id) == 0)
            return titles[i].title;
    return m->name;
}

static void add_metrics(struct stat_table *t, const struct history *h)
{
    size_t n;
    const struct metric_binding *bindings = history_metrics(h, &n);

    for (size_t i = 0; i < n; i++) {
        struct column c = {.metric = &bindings[i], .index = i};

        if (is_there(&c) && !is_left_out(column_id(&c)) && !is_rate_of_shown(t, &c))
            add(t, c, title_of(bindings[i].metric));
    }
}

// Events as rates, but for those of which a metric is the rate already.
static void add_events(struct stat_table *t, const struct history *h)
{
    const struct event_table *events = history_events(h);

    for (size_t i = 0; i < events->n; i++) {
        const struct event *e = &events->events[i];
        struct column c = {.event = e, .index = i};

        if (e->availability == QUALITY_EXACT && e->kind == EVENT_COUNT && !has_rate_of(t, i))
            add(t, c, e->name);
    }
}

static bool can_be_multiplexed(const struct event_table *events)
{
    for (size_t i = 0; i < events->n; i++)
        if (events->events[i].kind == EVENT_COUNT &&
            events->events[i].availability == QUALITY_EXACT &&
            events->events[i].type != PERF_TYPE_SOFTWARE &&
            events->events[i].type != PERF_TYPE_TRACEPOINT)
            return true;
    return false;
}

int stat_table_init(struct stat_table *t, const struct history *h, bool events_first,
                    int64_t interval_ms)
{
    size_t n_bindings;

    history_metrics(h, &n_bindings);
    *t = (struct stat_table){.fraction = interval_ms % 1000 != 0};
    t->columns = calloc(history_events(h)->n + n_bindings + 1, sizeof(*t->columns));
    if (!t->columns)
        return -ENOMEM;
    if (events_first)
        add_events(t, h);
    add_first(t, h);
    add_metrics(t, h);
    add_events(t, h);
    t->counted = can_be_multiplexed(history_events(h));
    return 0;
}

void stat_table_done(struct stat_table *t)
{
    free(t->columns);
    *t = (struct stat_table){0};
}

static int time_width(const struct stat_table *t)
{
    return t->fraction ? 12 : 8; // 18:42:01.100
}

bool stat_table_fit(struct stat_table *t, size_t width)
{
    size_t used = (size_t)time_width(t) + (t->counted ? sizeof(COUNTED) - 1 : 0);
    size_t n = 0;

    for (; n < t->n; n++) {
        used += 2 + t->columns[n].width;
        if (width && used > width)
            break;
    }
    if (n == 0 && t->n)
        n = 1; // a terminal this narrow wraps it
    if (n == t->n_shown)
        return false;
    t->n_shown = n;
    return true;
}

// Cells end one before their width: the last place is the mark's.
static void put_heading(struct buf *out, const struct stat_column *c, const char *text)
{
    buf_printf(out, "  %*s", (int)c->width, text);
}

void stat_table_header(const struct stat_table *t, struct buf *out)
{
    buf_printf(out, "%*s", time_width(t), "time");
    for (size_t i = 0; i < t->n_shown; i++)
        put_heading(out, &t->columns[i], t->columns[i].title);
    buf_puts(out, t->counted ? COUNTED "\n" : "\n");
    buf_printf(out, "%*s", time_width(t), "");
    for (size_t i = 0; i < t->n_shown; i++)
        put_heading(out, &t->columns[i], t->columns[i].sign);
    if (t->counted)
        buf_printf(out, "%*s", (int)sizeof(COUNTED) - 1, "%");
    buf_putc(out, '\n');
}

static void put_time(const struct stat_table *t, int64_t timestamp_ms, struct buf *out)
{
    time_t seconds = timestamp_ms / 1000;
    struct tm local;
    char text[16];

    localtime_r(&seconds, &local);
    strftime(text, sizeof(text), "%H:%M:%S", &local);
    buf_puts(out, text);
    if (t->fraction)
        buf_printf(out, ".%03d", (int)(timestamp_ms % 1000));
}

static const char *word_of(enum quality q)
{
    return q == QUALITY_NEVER_RAN ? "never" : q == QUALITY_OFFLINE ? "offl." : "-";
}

static void put_cell(const struct stat_column *c, struct value v, double seconds, struct buf *out)
{
    char text[NUMBER_SHORT_MAX + 1];

    if (c->per_second)
        v.value = seconds > 0 ? v.value / seconds : NAN;
    if (isfinite(v.value))
        number_short(v.value * c->factor, text);
    else
        snprintf(text, sizeof(text), "%s", word_of(v.quality));
    if (v.quality == QUALITY_SCALED && isfinite(v.value))
        strcat(text, "~");
    buf_printf(out, "  %*s", (int)c->width, text);
}

static void put_line(const struct stat_table *t, const struct history *h, uint64_t sequence,
                     size_t slot, struct buf *out)
{
    double least = 100;

    for (size_t i = 0; i < t->n_shown; i++) {
        const struct stat_column *c = &t->columns[i];
        struct value v = history_value(h, sequence, sequence, slot, &c->column);

        put_cell(c, v, history_seconds(h, sequence), out);
        if (v.quality == QUALITY_SCALED && isfinite(v.value) && v.running_percent < least)
            least = v.running_percent;
    }
    if (t->counted && least < 100)
        buf_printf(out, "%*.0f", (int)sizeof(COUNTED) - 1, least);
    buf_putc(out, '\n');
}

void stat_table_line(const struct stat_table *t, const struct history *h, uint64_t sequence,
                     struct buf *out)
{
    put_time(t, history_timestamp(h, sequence), out);
    put_line(t, h, sequence, 0, out);
}

// Does a column have a value there?
static bool is_counted(const struct stat_table *t, const struct history *h, uint64_t sequence,
                       size_t slot)
{
    for (size_t i = 0; i < t->n; i++)
        if (isfinite(history_value(h, sequence, sequence, slot, &t->columns[i].column).value))
            return true;
    return false;
}

size_t stat_table_cpu_lines(const struct stat_table *t, const struct history *h, uint64_t sequence,
                            struct buf *out)
{
    size_t lines = 0;

    for (size_t slot = 1; slot < history_slots(h); slot++) {
        char name[24];

        if (!is_counted(t, h, sequence, slot))
            continue;
        snprintf(name, sizeof(name), "CPU%zu", slot - 1);
        buf_printf(out, "%*s", time_width(t), name);
        put_line(t, h, sequence, slot, out);
        lines++;
    }
    return lines;
}

// SPDX-License-Identifier: Apache-2.0
// `cyclescope list`: the events that this machine has, by the names that -e takes.
#include "base/buf.h"
#include "base/json.h"
#include "cmd/options.h"
#include "collect/event_catalog.h"
#include "collect/event_list.h"
#include "collect/event_probe.h"
#include "collect/nearest.h"
#include "collect/perf_event.h"
#include "collect/tracepoint.h"

#include <errno.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_COLUMNS 100
#define NAME_COLUMNS     47 // longer names push their description to the right

struct list {
    const char *pattern; // NULL: all
    bool as_json;
    bool tracepoints_denied; // their folder may be read, they may not
    struct buf out;
    struct json json;
    char heading[128]; // of the group that was begun
    size_t n;
    struct nearest near; // to a pattern that nothing matches
};

static const char *source_name(enum catalog_source source)
{
    switch (source) {
    case CATALOG_HARDWARE:
        return "hardware";
    case CATALOG_CACHE:
        return "cache";
    case CATALOG_SOFTWARE:
        return "software";
    case CATALOG_PMU:
        return "PMU";
    case CATALOG_TRACEPOINT:
        return "tracepoints";
    default:
        return "libpfm4";
    }
}

// `pattern` as a glob of the whole text where it is one, else as a part of it.
static bool fits(const char *pattern, const char *text)
{
    if (strpbrk(pattern, "*?["))
        return fnmatch(pattern, text, FNM_CASEFOLD) == 0;
    return strcasestr(text, pattern) != NULL;
}

static bool is_source(const char *pattern)
{
    for (unsigned source = 1; source < CATALOG_ALL; source *= 2)
        if (strcasecmp(pattern, source_name((enum catalog_source)source)) == 0)
            return true;
    return false;
}

static bool is_wanted(const char *pattern, const struct catalog_entry *e)
{
    // The event's own part of msr/tsc/ or skl::INST_RETIRED: "tsc*" means it.
    const char *own = e->source == CATALOG_PMU   ? strchr(e->name, '/')
                      : e->source == CATALOG_PFM ? strstr(e->name, "::")
                                                 : NULL;
    char event[EVENT_NAME_MAX];

    if (!pattern)
        return true;
    if (is_source(pattern))
        return strcasecmp(pattern, source_name(e->source)) == 0;
    if (fits(pattern, e->name) || (e->alias && fits(pattern, e->alias)) ||
        (e->pmu && strcasecmp(pattern, e->pmu) == 0))
        return true;
    if (!own)
        return false;
    own += strspn(own, "/:");
    snprintf(event, sizeof(event), "%.*s", (int)strcspn(own, "/"), own);
    return fits(pattern, event);
}

// In a word whether it is there; NULL when that cannot be said.
static const char *availability(const struct list *l, const struct catalog_entry *e)
{
    struct event_list events;
    char message[EVENT_REASON_MAX];
    const char *result = NULL;
    int r;

    if (e->pattern)
        return NULL;
    if (e->source == CATALOG_TRACEPOINT) // thousands: reading their number must do
        return l->tracepoints_denied ? "denied" : "readable";
    if (event_list_parse("", e->name, &events, message) < 0)
        return NULL;
    if (events.n) {
        r = event_probe(&events.requests[0]);
        result = r == 0 ? "opens" : quality_name(perf_event_quality(r));
    }
    event_list_done(&events);
    return result;
}

static char mark_of(const char *here)
{
    if (!here)
        return ' ';
    return strcmp(here, "opens") == 0      ? '+'
           : strcmp(here, "readable") == 0 ? 'r'
           : strcmp(here, "denied") == 0   ? '?'
                                           : '-';
}

static void print_heading(struct list *l, const struct catalog_entry *e)
{
    char heading[sizeof(l->heading)];

    snprintf(heading, sizeof(heading), "%s%s%s", source_name(e->source), e->pmu ? " " : "",
             e->pmu ? e->pmu : "");
    if (strcmp(heading, l->heading) == 0)
        return;
    memcpy(l->heading, heading, sizeof(heading));
    buf_printf(&l->out, "\n%s\n", heading);
}

// Columns that a text takes on a terminal: UTF-8's further bytes take none.
static size_t columns(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static void print_row(struct list *l, const struct catalog_entry *e, const char *here)
{
    char name[2 * EVENT_NAME_MAX];
    size_t width, room;

    print_heading(l, e);
    snprintf(name, sizeof(name), "%s%s%s", e->name, e->alias ? " or " : "",
             e->alias ? e->alias : "");
    buf_printf(&l->out, "  %c %s", mark_of(here), name);
    width = columns(name);
    if (e->description[0]) {
        for (; width < NAME_COLUMNS; width++)
            buf_putc(&l->out, ' ');
        room = width + 6 < LINE_MAX_COLUMNS - 10 ? LINE_MAX_COLUMNS - 6 - width : 10;
        if (strlen(e->description) <= room)
            buf_printf(&l->out, "  %s", e->description);
        else
            buf_printf(&l->out, "  %.*s...", (int)room - 3, e->description);
    }
    buf_putc(&l->out, '\n');
}

static void print_json(struct list *l, const struct catalog_entry *e, const char *here)
{
    struct json *j = &l->json;

    json_open(j, '{');
    json_key(j, "source");
    json_string(j, source_name(e->source));
    json_key(j, "pmu");
    json_string(j, e->pmu);
    json_key(j, "name");
    json_string(j, e->name);
    json_key(j, "alias");
    json_string(j, e->alias);
    json_key(j, "description");
    json_string(j, e->description[0] ? e->description : NULL);
    json_key(j, "pattern");
    json_bool(j, e->pattern);
    json_key(j, "here");
    json_string(j, here);
    json_close(j, '}');
}

static int on_entry(void *context, const struct catalog_entry *e)
{
    struct list *l = context;
    const char *here;

    if (!is_wanted(l->pattern, e)) {
        if (l->n == 0)
            nearest_offer(&l->near, e->name, e->name);
        return 0;
    }
    here = availability(l, e);
    l->n++;
    if (l->as_json)
        print_json(l, e, here);
    else
        print_row(l, e, here);
    return buf_error(&l->out);
}

// Why there are no tracepoints, for who would look for them.
static void explain_tracepoints(struct list *l)
{
    const char *folder;
    int r = tracepoint_folder("", &folder);

    if (r == -EACCES)
        buf_puts(&l->out, "\ntracepoints\n    not readable by this user; sudo cyclescope list "
                          "shows them\n");
    else if (r < 0)
        buf_puts(&l->out, "\ntracepoints\n    tracefs is not there (mount -t tracefs tracefs "
                          "/sys/kernel/tracing)\n");
}

static int say_no_match(const struct list *l)
{
    char words[512];
    const char *folder;

    nearest_words(&l->near, words, sizeof(words));
    say("no event matches '%s'%s; cyclescope list without a pattern shows all%s", l->pattern, words,
        tracepoint_folder("", &folder) == -EACCES ? ", with sudo the tracepoints too" : "");
    return EXIT_FAILED;
}

// A reader that has seen enough (`| head`) is none to complain to.
static int write_out(const struct buf *out)
{
    for (size_t at = 0; at < out->size;) {
        ssize_t n = write(STDOUT_FILENO, out->data + at, out->size - at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EPIPE)
            return EXIT_DONE;
        if (n < 0) {
            say("standard output: %s", strerror(errno));
            return EXIT_FAILED;
        }
        at += (size_t)n;
    }
    return EXIT_DONE;
}

static int make_list(struct list *l)
{
    int r;

    if (l->as_json) {
        json_open(&l->json, '{');
        json_key(&l->json, "events");
        json_open(&l->json, '[');
    } else {
        buf_puts(&l->out, "Names for -e. They are marked: + opens here   - is not supported here   "
                          "? needs privileges\n                            r tracepoint that may "
                          "be read   (blank) was not tried\n");
    }
    r = event_catalog("", CATALOG_ALL, on_entry, l);
    if (l->as_json) {
        json_close(&l->json, ']');
        json_close(&l->json, '}');
        buf_putc(&l->out, '\n');
    } else if (!l->pattern) {
        explain_tracepoints(l);
    }
    return r < 0 ? r : buf_error(&l->out);
}

static int run(const struct command *self, int argc, char **argv)
{
    struct options options;
    struct list l = {.json = {.out = &l.out}};
    int r = options_parse(self, argc, argv, &options), status;

    if (r != 0)
        return r < 0 ? EXIT_USAGE : EXIT_DONE;
    if (options.n_operands > 1) {
        say("'%s': one PATTERN is enough; quote it against the shell", options.operands[1]);
        return EXIT_USAGE;
    }
    signal(SIGPIPE, SIG_IGN);
    l.pattern = options.n_operands ? options.operands[0] : NULL;
    l.near.wanted = l.pattern;
    l.as_json = options.json;
    l.tracepoints_denied = tracepoint_id("", "sched", "sched_switch", &(uint64_t){0}) == -EACCES;
    r = make_list(&l);
    if (r < 0) {
        say("cannot list the events: %s", strerror(-r));
        status = EXIT_FAILED;
    } else if (l.n == 0 && l.pattern && !l.as_json) {
        status = say_no_match(&l);
    } else {
        status = write_out(&l.out);
    }
    buf_done(&l.out);
    return status;
}

const struct command command_list = {
    .name = "list",
    .synopsis = "cyclescope list [PATTERN]",
    .summary = "the events that this machine has, by the names that -e takes",
    .options = OPTIONS_LIST,
    .run = run,
};

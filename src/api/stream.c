// SPDX-License-Identifier: Apache-2.0
// /api/stream: samples as they come, as server-sent events. A client is a cursor into the history
// and nothing else, so that a slow one holds no queue; what it has not taken yet is rendered when
// it can take it.
#include "api/api_private.h"
#include "api/params.h"
#include "base/json.h"
#include "base/parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define EVENT_ROWS 64 // samples in one event: catching up with an hour takes some 600 events
// Rendered before an event is closed; bounds what one client holds.
#define EVENT_BYTES  ((size_t)65536)
#define EVERY_MIN_MS 20
#define EVERY_MAX_MS 60000

struct stream {
    struct api *api;
    struct selection columns;
    struct selection cpu_columns; // of the CPUs; used when narrow
    bool narrow;                  // cpu_columns was asked for
    uint64_t focus;               // this CPU has all of `columns`; UINT64_MAX for none
    bool plain;                   // all columns, no CPUs: what api_render_newest() has
    bool all_cpus;
    int *cpus; // owned
    size_t n_cpus;
    char resume_run[sizeof(((struct session *)0)->run)]; // "" for none
    uint64_t resume_sequence;
    bool bound;
    uint64_t sent; // sequence of the newest sample that was sent
    // While what it missed has left the ring: what is still to be sent of it.
    bool behind;
    struct query_plan past;
    bool fresh;          // nothing of this plan was sent yet
    uint64_t stuck;      // the store has nothing behind this one; 0: not known
    const char **ids;    // of the columns, and behind them of the CPUs'; owned
    unsigned generation; // of the meta data that the client can have read
    bool end_told;
};

static void stream_free(void *context)
{
    struct stream *s = context;

    selection_done(&s->columns);
    selection_done(&s->cpu_columns);
    free(s->cpus);
    free(s->ids);
    free(s);
}

// Binds to the history. Where to begin: after the last event that the client knows, if it is of
// this run; else with the newest sample; in a run that began while the client was here, with its
// first one.
static int follow(struct stream *s, const struct history *h)
{
    const struct session *session = s->api->session;
    uint64_t last = history_last(h);
    int r = s->narrow ? selection_bind(&s->cpu_columns, session) : 0;

    if (r >= 0)
        r = selection_bind(&s->columns, session);
    if (r <= 0)
        return r;
    if (s->bound)
        s->sent = 0;
    else if (s->resume_run[0] && strcmp(s->resume_run, session->run) == 0)
        s->sent = s->resume_sequence < last ? s->resume_sequence : last;
    else
        s->sent = last ? last - 1 : 0;
    s->bound = true;
    return 0;
}

// Begins a CPU of a sample, which has `slots` slots: the i-th that was asked for. False: it is not
// there, as who asked before there was a history could not know.
static bool open_cpu(const struct stream *s, size_t i, size_t slots, const char **comma,
                     struct buf *out, size_t *ret_cpu)
{
    size_t cpu = s->all_cpus ? i : (size_t)s->cpus[i];

    *ret_cpu = cpu;
    if (cpu + 1 >= slots)
        return false;
    buf_puts(out, *comma);
    *comma = ",";
    buf_putc(out, '"');
    buf_put_u64(out, cpu);
    buf_puts(out, "\":");
    return true;
}

static size_t count_cpus(const struct stream *s, size_t slots)
{
    return s->all_cpus ? slots - 1 : s->n_cpus;
}

static bool is_narrow(const struct stream *s, size_t cpu)
{
    return s->narrow && cpu != s->focus;
}

static void put_cpus(struct stream *s, struct buf *out, const struct history *h, uint64_t sequence)
{
    size_t slots = history_slots(h), n = count_cpus(s, slots), cpu;
    const char *comma = "";

    if (!n)
        return;
    buf_puts(out, ",\"cpus\":{");
    for (size_t i = 0; i < n; i++)
        if (open_cpu(s, i, slots, &comma, out, &cpu))
            render_columns(out, is_narrow(s, cpu) ? &s->cpu_columns : &s->columns, sequence,
                           sequence, cpu + 1);
    buf_putc(out, '}');
}

static void put_id(struct stream *s, struct buf *out)
{
    struct buf id = {0};

    buf_printf(&id, "id: %s.%llu\n\n", s->columns.run, (unsigned long long)s->sent);
    buf_append(out, id.data, id.size);
    if (buf_error(&id) < 0)
        out->failed = true;
    buf_done(&id);
}

static int put_samples(struct stream *s, struct buf *out, const struct history *h)
{
    uint64_t last = history_last(h), first = history_first(h);
    uint64_t next = s->sent + 1 > first ? s->sent + 1 : first;
    uint64_t stop = last - next >= EVENT_ROWS ? next + EVENT_ROWS : last + 1;
    const char *separator = "data: [";
    size_t id_at;

    if (next > last)
        return 0;
    buf_puts(out, "event: sample\n");
    id_at = out->size;
    for (; next < stop && out->size - id_at < EVENT_BYTES; next++) {
        buf_puts(out, separator);
        separator = ",";
        if (s->plain && next == last) {
            int r = api_render_newest(s->api);

            if (r < 0)
                return r;
            buf_append(out, s->api->newest.data, s->api->newest.size);
        } else {
            render_sample_open(out, &s->columns, next, next, 0);
            put_cpus(s, out, h, next);
            buf_putc(out, '}');
        }
        s->sent = next;
    }
    buf_puts(out, "]\n");
    put_id(s, out);
    return 0;
}

// Samples that the ring no longer has, as they come from the store.
struct past {
    struct stream *stream;
    struct buf *out;
    size_t rows, start;
};

static void put_past_cpus(struct stream *s, struct buf *out, const struct query_point *p)
{
    size_t slots = p->bucket->layout->n_slots, n = count_cpus(s, slots), cpu;
    struct query_point narrow = *p; // the CPUs' columns stand behind the others: see put_past()
    const char *comma = "";

    if (!n)
        return;
    narrow.columns += s->columns.n;
    narrow.have += s->columns.n;
    buf_puts(out, ",\"cpus\":{");
    for (size_t i = 0; i < n; i++) {
        if (!open_cpu(s, i, slots, &comma, out, &cpu))
            continue;
        if (is_narrow(s, cpu))
            render_point_columns(out, &s->cpu_columns, &narrow, cpu + 1);
        else
            render_point_columns(out, &s->columns, p, cpu + 1);
    }
    buf_putc(out, '}');
}

static bool on_past(void *context, const struct query_point *p)
{
    struct past *past = context;
    struct stream *s = past->stream;

    s->past.from_ms = p->t_ms + 1;
    if (p->sequence <= s->sent)
        return true; // another run's
    buf_puts(past->out, past->rows++ ? "," : "event: sample\ndata: [");
    render_point_open(past->out, &s->columns, &s->past, p, 0);
    put_past_cpus(s, past->out, p);
    buf_putc(past->out, '}');
    s->sent = p->sequence;
    return past->rows < EVENT_ROWS && past->out->size - past->start < EVENT_BYTES;
}

static int put_past(struct stream *s, struct buf *out)
{
    struct past past = {.stream = s, .out = out, .start = out->size};
    size_t slots = s->all_cpus || s->n_cpus ? s->columns.n_slots : 1;
    struct query_columns columns = {.n = s->columns.n + s->cpu_columns.n};
    const char **ids = reallocarray(s->ids, columns.n + 1, sizeof(*ids));
    int r;

    if (!ids)
        return -ENOMEM;
    s->ids = ids;
    for (size_t i = 0; i < columns.n; i++)
        ids[i] = i < s->columns.n ? s->columns.ids[i] : s->cpu_columns.ids[i - s->columns.n];
    columns.ids = ids;
    r = query_points(s->api->query, &s->past, s->past.from_ms, s->past.to_ms,
                     (struct slots){0, slots}, &columns, on_past, &past);
    if (past.rows) {
        buf_puts(out, "]\n");
        put_id(s, out);
    }
    // What is not there any more is passed over.
    if (!past.rows && s->fresh)
        s->stuck = s->sent;
    s->fresh = false;
    s->behind = r == 0 && past.rows > 0;
    return r == -ENOMEM ? r : 0;
}

// Is something between what was sent and the ring? Under the lock.
static bool has_missed(struct stream *s, const struct history *h)
{
    return h && follow(s, h) >= 0 && s->sent && s->sent != s->stuck &&
           s->sent + 1 < history_first(h);
}

static void look_back(struct stream *s)
{
    bool missed;

    session_read_lock(s->api->session);
    missed = has_missed(s, s->api->session->history);
    session_unlock(s->api->session);
    s->behind = s->fresh = missed && query_past(s->api->query, s->sent, &s->past);
    if (missed && !s->behind)
        s->stuck = s->sent;
}

static void put_end(struct stream *s, struct buf *out)
{
    const struct session *session = s->api->session;
    struct json j = {.out = out};

    s->end_told = true;
    buf_puts(out, "event: end\ndata: ");
    json_open(&j, '{');
    json_key(&j, "reason");
    json_string(&j, session->reason[0] ? session->reason : "the collector has ended");
    json_close(&j, '}');
    buf_puts(out, "\n\n");
}

static enum web_next stream_next(void *context, struct buf *out)
{
    struct stream *s = context;
    struct session *session = s->api->session;
    const struct history *h;
    bool more = false, ended;

    if (!s->behind)
        look_back(s);
    if (s->behind) {
        if (put_past(s, out) < 0)
            out->failed = true;
        return WEB_NEXT_MORE; // there may be more, or the ring has moved on: look again
    }
    session_read_lock(session);
    h = session->history;
    if (has_missed(s, h)) { // the ring has moved on since that look
        session_unlock(session);
        return WEB_NEXT_MORE;
    }
    ended = session->state == SESSION_ENDED || session->state == SESSION_FAILED;
    if (s->generation != session->meta_generation) {
        s->generation = session->meta_generation;
        buf_puts(out, "event: meta\ndata: {}\n\n");
    }
    if (h && (follow(s, h) < 0 || put_samples(s, out, h) < 0))
        out->failed = true;
    more = h && s->sent < history_last(h) && !out->failed;
    if (!ended)
        s->end_told = false;
    else if (!more && !s->end_told)
        put_end(s, out);
    session_unlock(session);
    return more ? WEB_NEXT_MORE : WEB_NEXT_WAIT;
}

// "6f2a91c3.42"
static bool parse_event_id(const char *text, struct stream *s)
{
    const char *dot = strrchr(text, '.');
    size_t length = dot ? (size_t)(dot - text) : 0;

    if (!length || length >= sizeof(s->resume_run) || !dot[1] ||
        dot[1 + strspn(dot + 1, "0123456789")])
        return false;
    if (parse_u64(dot + 1, &s->resume_sequence) < 0)
        return false;
    memcpy(s->resume_run, text, length);
    s->resume_run[length] = '\0';
    return true;
}

static int read_cpus(const struct web_request *q, struct stream *s, struct web_reply **ret)
{
    struct session *session = s->api->session;
    const char *text = web_request_argument(q, "cpu");
    size_t slots;

    if (!text)
        return 0;
    session_read_lock(session);
    slots = session->history ? history_slots(session->history) : SIZE_MAX;
    session_unlock(session);
    if (slots == 1)
        return params_refuse(ret, "cpu", "this target has no values per CPU");
    s->all_cpus = strcmp(text, "all") == 0;
    if (s->all_cpus)
        return 0;
    if (!*text || parse_cpu_list(text, &s->cpus, &s->n_cpus) < 0)
        return params_refuse(ret, "cpu", "a list of CPUs such as 0,2-3, or all");
    if (s->n_cpus && (size_t)s->cpus[s->n_cpus - 1] >= slots - 1)
        return params_refuse(ret, "cpu", "there is no CPU of this number");
    return 0;
}

// ?cpu_columns= and ?focus=: of 512 CPUs, all columns ten times a second would be 5 MB/s.
static int read_narrow(const struct web_request *q, struct stream *s, struct web_reply **ret)
{
    int r;

    s->focus = UINT64_MAX;
    s->narrow = web_request_argument(q, "cpu_columns") != NULL;
    if (!s->narrow)
        return 0;
    r = params_columns_named(q, "cpu_columns", s->api->session, &s->cpu_columns, ret);
    return r == 0 ? params_whole(q, "focus", 0, INT32_MAX, &s->focus, ret) : r;
}

static int read_last(const struct web_request *q, struct stream *s, struct web_reply **ret)
{
    const char *header = web_request_header(q, "Last-Event-ID");
    const char *last = web_request_argument(q, "last");

    // The header is the browser's own doing: one that is not ours is no reason to refuse for ever.
    if (header && parse_event_id(header, s))
        return 0;
    if (last && !parse_event_id(last, s))
        return params_refuse(ret, "last", "the id of an event of this stream, RUN.SEQUENCE");
    return 0;
}

int handle_stream(const struct web_request *q, void *context, struct web_reply **ret)
{
    struct api *a = context;
    struct stream *s = calloc(1, sizeof(*s));
    uint64_t every = API_STREAM_MIN_MS;
    int r;

    if (!s)
        return -ENOMEM;
    s->api = a;
    r = params_columns(q, a->session, &s->columns, ret);
    if (r == 0)
        r = read_narrow(q, s, ret);
    if (r == 0)
        r = params_whole(q, "every", EVERY_MIN_MS, EVERY_MAX_MS, &every, ret);
    if (r == 0)
        r = read_cpus(q, s, ret);
    if (r == 0)
        r = read_last(q, s, ret);
    if (r != 0) {
        stream_free(s);
        return r;
    }
    s->plain = !s->columns.names && !s->all_cpus && !s->n_cpus;
    session_read_lock(a->session);
    s->generation = a->session->meta_generation;
    session_unlock(a->session);
    *ret = web_reply_events(&(struct web_source){stream_next, stream_free, s},
                            (ns_t)every * NS_PER_MS);
    return *ret ? 0 : -ENOMEM;
}

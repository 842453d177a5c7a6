// SPDX-License-Identifier: Apache-2.0
// Writer → reader, in any chunking; and each way in which a stream can be wrong.
#include "base/buf.h"
#include "stream/reader.h"
#include "stream/record.h"
#include "stream/writer.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define INTERVALS 4

static struct event events[] = {
    {.id = 11, .type = 0, .config = 0, .name = "cycles", .scale = 1, .group = 0},
    {.id = 12, .type = 0, .config = 1, .name = "instructions", .scale = 1, .group = 0},
    {.id = 13, .type = 1, .config = 2, .name = "page-faults:u", .scale = 1, .group = 1},
    {.id = 14, .type = 1, .name = "cpu-clock", .unit = "msec", .scale = 1e-6, .group = 2},
    {.id = 15, .kind = EVENT_GAUGE, .name = "cpu-user", .unit = "s", .scale = 1e-9, .group = 3},
};
static struct event_table table = {.events = events, .n = 5, .n_groups = 4};

// What a reader's callbacks were given, as text: two runs are the same when their texts are.
struct seen {
    struct buf text;
    const struct stream_head *head;
    unsigned heads, stats, rounds, clocks, notes;
    int refuse; // what head() returns
};

static int on_head(void *context, const struct stream_head *head)
{
    struct seen *s = context;

    s->heads++;
    s->head = head;
    buf_printf(&s->text, "head %zu %zu %zu %u %s\n", head->n_events, head->n_cpus, head->n_threads,
               head->interval_ms, head->host);
    return s->refuse;
}

static void on_stat(void *context, size_t event, int cpu, uint32_t thread, struct reading r)
{
    struct seen *s = context;

    s->stats++;
    assert_non_null(s->head);
    assert_true(event < s->head->n_events);
    buf_printf(&s->text, "stat %zu %d %u %lu %lu %lu\n", event, cpu, thread, (unsigned long)r.value,
               (unsigned long)r.enabled, (unsigned long)r.running);
}

static void on_round(void *context, bool final, uint64_t time_ns)
{
    struct seen *s = context;

    s->rounds++;
    buf_printf(&s->text, "round %d %lu\n", final, (unsigned long)time_ns);
}

static void on_clock(void *context, const struct stream_clock *clock)
{
    struct seen *s = context;

    s->clocks++;
    buf_printf(&s->text, "clock %ld %ld\n", (long)clock->reference_ns, (long)clock->wall_ns);
}

static void on_note(void *context, size_t event, const char *json, size_t size)
{
    struct seen *s = context;

    s->notes++;
    buf_printf(&s->text, "note %zu %.*s\n", event, (int)size, json);
}

static const struct stream_handler handler = {
    .head = on_head, .stat = on_stat, .round = on_round, .clock = on_clock, .note = on_note};

static struct stream_reader *reader_for(struct seen *s)
{
    struct stream_reader *r = NULL;

    assert_int_equal(stream_reader_new(&handler, s, &r), 0);
    return r;
}

static struct stream_description description(void)
{
    return (struct stream_description){
        .events = &table,
        .target = STREAM_SYSTEM,
        .cpus_possible = 4,
        .cpus_online = 2,
        .interval_ms = 100,
        .host = "box",
        .kernel = "6.1.0",
        .version = "0.1",
        .arch = "x86_64",
        .cpu_desc = "A CPU",
        .reference_ns = 1000,
        .wall_ns = 2000,
    };
}

static void write_intervals(struct buf *out, bool tasks)
{
    for (uint64_t i = 1; i <= INTERVALS; i++) {
        for (size_t e = 0; e < table.n; e++)
            for (uint32_t place = 0; place < 2; place++)
                stream_write_stat(out, events[e].id, tasks ? RECORD_CPU_ANY : place,
                                  tasks ? place : 0,
                                  (struct reading){i * 100 + e * 10 + place, i * 1000, i * 500});
        stream_write_round(out, i == INTERVALS, i * 100);
        if (i == 2) {
            assert_int_equal(stream_write_note(out, 12, "{\"a\":1}", 7), 0);
            stream_write_clock(out, 1000, 3000);
        }
    }
}

static void write_stream(struct buf *out)
{
    struct stream_description d = description();

    assert_int_equal(stream_write_start(out, &d), 0);
    write_intervals(out, false);
    assert_int_equal(buf_error(out), 0);
}

// Reads `size` bytes in one piece, and ends; what feed or end returned.
static int read_all(struct stream_reader *r, const void *bytes, size_t size)
{
    int error = stream_reader_feed(r, bytes, size);

    return error ? error : stream_reader_end(r);
}

static void test_round_trip(void **state)
{
    struct buf out = {0};
    struct seen s = {0};
    struct stream_reader *r = reader_for(&s);

    (void)state;
    write_stream(&out);
    assert_int_equal(out.size % 8, 0);
    assert_int_equal(read_all(r, out.data, out.size), 0);
    assert_string_equal(stream_reader_error(r), "");
    assert_int_equal(s.heads, 1);
    assert_int_equal(s.stats, INTERVALS * 5 * 2);
    assert_int_equal(s.rounds, INTERVALS);
    assert_int_equal(s.notes, 1);
    assert_int_equal(s.clocks, 1);
    assert_int_equal(s.head->n_events, 5);
    assert_int_equal(s.head->n_groups, 4);
    for (size_t i = 0; i < table.n; i++) {
        assert_string_equal(s.head->events[i].name, events[i].name);
        assert_string_equal(s.head->events[i].unit, events[i].unit);
        assert_true(s.head->events[i].scale == events[i].scale);
        assert_int_equal(s.head->events[i].group, events[i].group);
        assert_int_equal(s.head->events[i].kind, events[i].kind);
        assert_int_equal(s.head->events[i].id, events[i].id);
        assert_int_equal(s.head->events[i].availability, QUALITY_EXACT);
    }
    assert_false(s.head->tasks);
    assert_int_equal(s.head->n_cpus, 4);
    assert_int_equal(s.head->cpus[3], 3);
    assert_int_equal(s.head->n_threads, 0);
    assert_int_equal(s.head->cpus_online, 2);
    assert_int_equal(s.head->cpus_available, 4);
    assert_string_equal(s.head->host, "box");
    assert_string_equal(s.head->cpu_desc, "A CPU");
    assert_true(s.head->clock.known);
    assert_int_equal(s.head->clock.wall_ns, 3000);
    assert_int_equal(stream_reader_counts(r)->malformed, 0);
    assert_int_equal(stream_reader_counts(r)->unknown, 0);
    stream_reader_free(r);
    buf_done(&s.text);
    buf_done(&out);
}

static void test_tasks(void **state)
{
    struct stream_thread threads[2] = {{4711, "bash"}, {4712, "a comm of 15 ch"}};
    struct stream_description d = description();
    struct buf out = {0};
    struct seen s = {0};
    struct stream_reader *r = reader_for(&s);

    (void)state;
    d.target = STREAM_TASKS;
    d.threads = threads;
    d.n_threads = 2;
    d.spare_threads = 3;
    assert_int_equal(stream_write_start(&out, &d), 0);
    write_intervals(&out, true);
    assert_int_equal(read_all(r, out.data, out.size), 0);
    assert_true(s.head->tasks);
    assert_int_equal(s.head->n_cpus, 0);
    assert_int_equal(s.head->n_threads, 5);
    assert_int_equal(s.head->threads[1].pid, 4712);
    assert_string_equal(s.head->threads[1].comm, "a comm of 15 ch");
    assert_int_equal(s.head->threads[4].pid, -1);
    assert_int_equal(s.stats, INTERVALS * 5 * 2);
    stream_reader_free(r);
    buf_done(&s.text);
    buf_done(&out);
}

static void test_every_chunking(void **state)
{
    struct buf out = {0};
    struct seen whole = {0};
    struct stream_reader *r = reader_for(&whole);

    (void)state;
    write_stream(&out);
    assert_int_equal(read_all(r, out.data, out.size), 0);
    srand(1);
    for (int run = 0; run < 200; run++) {
        struct seen s = {0};
        struct stream_reader *pieces = reader_for(&s);

        for (size_t at = 0, n; at < out.size; at += n) {
            n = run == 0 ? 1 : 1 + (size_t)rand() % (run < 100 ? 20 : 700);
            if (n > out.size - at)
                n = out.size - at;
            assert_int_equal(stream_reader_feed(pieces, out.data + at, n), 0);
        }
        assert_int_equal(stream_reader_end(pieces), 0);
        assert_int_equal(s.text.size, whole.text.size);
        assert_memory_equal(s.text.data, whole.text.data, whole.text.size);
        stream_reader_free(pieces);
        buf_done(&s.text);
    }
    stream_reader_free(r);
    buf_done(&whole.text);
    buf_done(&out);
}

static void test_cut_anywhere(void **state)
{
    struct buf out = {0};
    unsigned whole = 0;

    (void)state;
    write_stream(&out);
    for (size_t size = 0; size <= out.size; size++) {
        struct seen s = {0};
        struct stream_reader *r = reader_for(&s);
        int error = read_all(r, out.data, size);

        if (size < RECORD_PIPE_HEADER)
            assert_int_equal(error, size ? -EPROTO : -ENODATA);
        else
            assert_true(error == 0 || error == -EPIPE);
        assert_true((error == 0) == (stream_reader_error(r)[0] == '\0'));
        whole += error == 0;
        stream_reader_free(r);
        buf_done(&s.text);
    }
    assert_true(whole > INTERVALS * 10);
    buf_done(&out);
}

// A file header and one record of `type` with this body; then a good stream's error from reading
// both.
static void begin(struct buf *out)
{
    const struct record_file_header header = {RECORD_MAGIC, RECORD_PIPE_HEADER};

    buf_append(out, &header, sizeof(header));
}

static void record(struct buf *out, uint32_t type, const void *body, size_t size)
{
    const struct record_header header = {type, 0, (uint16_t)(sizeof(header) + size)};

    buf_append(out, &header, sizeof(header));
    buf_append(out, body, size);
}

static void attr_record(struct buf *out, const struct perf_event_attr *attr, uint64_t id)
{
    struct buf body = {0};

    buf_append(&body, attr, attr->size);
    if (id)
        buf_append(&body, &id, sizeof(id));
    record(out, RECORD_HEADER_ATTR, body.data, body.size);
    buf_done(&body);
}

// Reads `out` (and frees it); the error, with what was seen and counted.
static int outcome(struct buf *out, struct seen *s, struct stream_counts *counts, char text[256])
{
    struct stream_reader *r = reader_for(s);
    int error = read_all(r, out->data, out->size);

    *counts = *stream_reader_counts(r);
    snprintf(text, 256, "%s", stream_reader_error(r));
    // Once ended, it stays so.
    if (error < 0)
        assert_int_equal(stream_reader_feed(r, "x", 1), error);
    s->head = NULL;
    stream_reader_free(r);
    buf_done(out);
    buf_done(&s->text);
    return error;
}

static void test_not_a_stream(void **state)
{
    static const struct {
        uint64_t magic, size;
        int error;
        const char *words;
    } cases[] = {
        {RECORD_MAGIC, 104, -ENOTSUP, "file mode"},
        {RECORD_MAGIC, 136, -ENOTSUP, "file mode"},
        {RECORD_MAGIC, 15, -EPROTO, "not perf.data"},
        {RECORD_MAGIC, UINT64_MAX, -EPROTO, "not perf.data"},
        {RECORD_MAGIC_SWAPPED, 16, -EPROTONOSUPPORT, "byte order"},
        {RECORD_MAGIC_OLD, 16, -EPROTONOSUPPORT, "older than"},
        {0, 16, -EPROTO, "not perf.data"},
    };
    struct stream_counts counts;
    char text[256];
    struct buf out = {0};
    struct seen s = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        buf_append(&out, &cases[i].magic, 8);
        buf_append(&out, &cases[i].size, 8);
        assert_int_equal(outcome(&out, &s, &counts, text), cases[i].error);
        assert_non_null(strstr(text, cases[i].words));
    }
    // Known at the first byte that differs.
    buf_puts(&out, "P,");
    assert_int_equal(outcome(&out, &s, &counts, text), -EPROTO);
}

static void test_bad_frames(void **state)
{
    struct stream_counts counts;
    char text[256];
    struct buf out = {0};
    struct seen s = {0};

    (void)state;
    for (uint16_t size = 0; size < 8; size++) {
        struct record_header header = {RECORD_STAT, 0, size};

        begin(&out);
        buf_append(&out, &header, sizeof(header));
        assert_int_equal(outcome(&out, &s, &counts, text), -EBADMSG);
        assert_non_null(strstr(text, "byte 16 "));
    }
    // Data outside of the record's size, which nothing announces.
    begin(&out);
    record(&out, RECORD_HEADER_TRACING_DATA, NULL, 0);
    assert_int_equal(outcome(&out, &s, &counts, text), -EBADMSG);
}

static void test_skipped(void **state)
{
    struct stream_counts counts;
    char text[256];
    struct buf out = {0};
    struct seen s = {0};
    const uint32_t outside = 24;
    const char junk[24] = {1, 2, 3};

    (void)state;
    begin(&out);
    record(&out, RECORD_SAMPLE, junk, 24);     // of no event
    record(&out, 1, junk, 8);                  // MMAP
    record(&out, 3, junk, 16);                 // COMM
    record(&out, RECORD_COMPRESSED2, junk, 5); // too short to say how much there is
    record(&out, 84, junk, 16);
    record(&out, UINT32_MAX, junk, 0);
    record(&out, RECORD_HEADER_TRACING_DATA, &outside, 4);
    buf_append(&out, junk, sizeof(junk));
    record(&out, RECORD_STAT_ROUND, junk, 0); // too short
    assert_int_equal(outcome(&out, &s, &counts, text), 0);
    assert_int_equal(counts.unused, 3);
    assert_int_equal(counts.compressed, 0);
    assert_int_equal(counts.unknown, 2);
    assert_int_equal(counts.malformed, 3);
    assert_int_equal(counts.records, 8);
    assert_int_equal(counts.skipped_bytes, 32 + 13 + 24 + 8 + 8);
    assert_int_equal(counts.n_skipped, 5);
    assert_int_equal(counts.skipped[2].type, 84);
    assert_int_equal(counts.skipped[2].records, 1);
}

// Each is one malformed record after a good attr: skipped, counted, and what follows is read.
static void test_malformed(void **state)
{
    static const struct {
        uint32_t type;
        size_t size;
        uint16_t body[16];
    } cases[] = {
        {RECORD_HEADER_ATTR, 32, {0}},                             // shorter than any attr
        {RECORD_CPU_MAP, 0, {0}},                                  // no type
        {RECORD_CPU_MAP, 8, {CPU_MAP_CPUS, 4, 0, 1}},              // more CPUs than it holds
        {RECORD_CPU_MAP, 8, {CPU_MAP_CPUS, 0}},                    // none
        {RECORD_CPU_MAP, 8, {CPU_MAP_MASK, 2, 4, 1}},              // more words
        {RECORD_CPU_MAP, 12, {CPU_MAP_MASK, 1, 3, 1}},             // words of 3 bytes
        {RECORD_CPU_MAP, 8, {CPU_MAP_MASK, 1, 8, 0}},              // cut in the padding
        {RECORD_CPU_MAP, 8, {CPU_MAP_RANGE, 0, 3, 2}},             // backwards
        {RECORD_CPU_MAP, 6, {CPU_MAP_RANGE, 0, 0}},                // no end
        {RECORD_CPU_MAP, 8, {3, 1, 1, 1}},                         // a type that nobody has
        {RECORD_THREAD_MAP, 8, {1}},                               // more threads than it holds
        {RECORD_THREAD_MAP, 32, {0xffff, 0xffff, 0xffff, 0xffff}}, // far more
        {RECORD_THREAD_MAP, 8, {0}},                               // none
        {RECORD_STAT_CONFIG, 8, {1}},                              // more entries than it holds
        {RECORD_STAT_CONFIG, 8, {0, 0, 0, 0x2000}},             // so many that the size overflows
        {RECORD_STAT, 24, {21}},                                // cut
        {RECORD_STAT_ROUND, 16, {7}},                           // neither interval nor final
        {RECORD_EVENT_UPDATE, 16, {UPDATE_NAME, 0, 0, 0, 21}},  // an empty name
        {RECORD_EVENT_UPDATE, 24, {UPDATE_NAME, 0, 0, 0, 99}},  // nobody's
        {RECORD_EVENT_UPDATE, 20, {UPDATE_SCALE, 0, 0, 0, 21}}, // half a double
        {RECORD_EVENT_UPDATE, 24, {UPDATE_SCALE, 0, 0, 0, 21}}, // 0
        {RECORD_EVENT_UPDATE, 24, {UPDATE_SCALE, 0, 0, 0, 21, 0, 0, 0, 0, 0, 0, 0x7ff8}}, // NAN
        {RECORD_EVENT_UPDATE, 16, {0x6373, 0, 0, 0, 99}},             // a note about nobody
        {RECORD_HEADER_FEATURE, 4, {0}},                              // no number
        {RECORD_HEADER_FEATURE, 16, {FEATURE_HOSTNAME, 0, 0, 0, 64}}, // longer than it is
        {RECORD_HEADER_FEATURE, 16, {FEATURE_HOSTNAME, 0, 0, 0, 0xffff, 0xffff}},
        {RECORD_HEADER_FEATURE, 12, {FEATURE_NRCPUS, 0, 0, 0, 1}},     // one number of two
        {RECORD_HEADER_FEATURE, 12, {FEATURE_GROUP_DESC, 0, 0, 0, 9}}, // more groups than events
        {RECORD_HEADER_FEATURE, 24, {FEATURE_GROUP_DESC, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2}}, // members
        {RECORD_HEADER_FEATURE, 24, {FEATURE_GROUP_DESC, 0, 0, 0, 1, 0, 0, 0, 5, 0, 1}}, // leader
        {RECORD_HEADER_FEATURE, 16, {FEATURE_CLOCK_DATA, 0, 0, 0, 1}},                   // cut
        {RECORD_HEADER_FEATURE, 32, {FEATURE_CLOCK_DATA, 0, 0, 0, 2}}, // another version
    };
    const struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr)};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stream_counts counts;
        char text[256];
        struct buf out = {0};
        struct seen s = {0};

        begin(&out);
        attr_record(&out, &attr, 21);
        record(&out, cases[i].type, cases[i].body, cases[i].size);
        stream_write_stat(&out, 21, 0, 0, (struct reading){1, 1, 1});
        stream_write_round(&out, false, 1);
        assert_int_equal(outcome(&out, &s, &counts, text), 0);
        if (counts.malformed != 1 || s.stats != 1 || s.rounds != 1)
            fail_msg("case %zu: %lu malformed, %u stats", i, (unsigned long)counts.malformed,
                     s.stats);
    }
}

static void test_readings_of_nobody(void **state)
{
    struct stream_description d = description();
    struct stream_counts counts;
    char text[256];
    struct buf out = {0};
    struct seen s = {0};
    const struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr)};

    (void)state;
    assert_int_equal(stream_write_start(&out, &d), 0);
    stream_write_stat(&out, 99, 0, 0, (struct reading){1, 1, 1});              // no such event
    stream_write_stat(&out, 11, 4, 0, (struct reading){1, 1, 1});              // no such CPU
    stream_write_stat(&out, 11, RECORD_CPU_ANY, 0, (struct reading){1, 1, 1}); // a task's
    stream_write_stat(&out, 11, 0, 1, (struct reading){1, 1, 1});              // no such thread
    attr_record(&out, &attr, 77);                                              // too late
    stream_write_stat(&out, 77, 0, 0, (struct reading){1, 1, 1});
    stream_write_stat(&out, 11, 3, 0, (struct reading){1, 1, 1});
    assert_int_equal(outcome(&out, &s, &counts, text), 0);
    assert_int_equal(counts.malformed, 6);
    assert_int_equal(s.stats, 1);
}

static void test_bounds(void **state)
{
    struct stream_counts counts;
    char text[256];
    struct buf out = {0};
    struct seen s = {0};
    const struct perf_event_attr attr = {.size = sizeof(attr)};
    const uint16_t far[] = {CPU_MAP_CPUS, 1, STREAM_CPUS_MAX};
    const uint16_t range[] = {CPU_MAP_RANGE, 0, 0, 65534};

    (void)state;
    begin(&out);
    for (uint64_t i = 1; i <= EVENTS_MAX + 1; i++)
        attr_record(&out, &attr, i);
    assert_int_equal(outcome(&out, &s, &counts, text), -E2BIG);
    begin(&out);
    record(&out, RECORD_CPU_MAP, far, sizeof(far));
    assert_int_equal(outcome(&out, &s, &counts, text), -E2BIG);
    begin(&out);
    record(&out, RECORD_CPU_MAP, range, sizeof(range));
    assert_int_equal(outcome(&out, &s, &counts, text), -E2BIG);
    s.refuse = -ECANCELED;
    write_stream(&out);
    assert_int_equal(outcome(&out, &s, &counts, text), -ECANCELED);
    assert_int_equal(s.stats, 0);
}

static void test_attr_sizes(void **state)
{
    struct seen s = {0};
    struct stream_reader *r = reader_for(&s);
    struct buf out = {0}, body = {0};
    struct perf_event_attr attr = {.type = PERF_TYPE_HARDWARE, .config = 1};
    const char tail[512] = {1};
    const uint64_t ids[] = {7, 8};

    (void)state;
    begin(&out);
    attr.size = 64;
    attr_record(&out, &attr, 5);
    attr.size = 0; // before it had one: 64
    buf_append(&body, &attr, 64);
    record(&out, RECORD_HEADER_ATTR, body.data, body.size); // not supported: no ids
    buf_clear(&body);
    attr.size = sizeof(attr) + sizeof(tail); // of a newer perf
    buf_append(&body, &attr, sizeof(attr));
    buf_append(&body, tail, sizeof(tail));
    buf_append(&body, ids, sizeof(ids));
    record(&out, RECORD_HEADER_ATTR, body.data, body.size);
    stream_write_stat(&out, 8, 0, 0, (struct reading){1, 1, 1});
    assert_int_equal(read_all(r, out.data, out.size), 0);
    assert_int_equal(s.head->n_events, 3);
    assert_string_equal(s.head->events[0].name, "instructions:HG");
    assert_int_equal(s.head->events[1].availability, QUALITY_NOT_SUPPORTED);
    assert_int_equal(s.head->events[2].id, 7);
    assert_int_equal(s.stats, 1);
    stream_reader_free(r);
    buf_done(&s.text);
    buf_done(&body);
    buf_done(&out);
}

// CPU maps in each of perf's forms, and which CPU a reading is of.
static void test_cpu_maps(void **state)
{
    static const struct {
        size_t size;
        uint16_t map[16];
        uint32_t written[3];
        const char *expected;
    } cases[] = {
        {8, {CPU_MAP_RANGE, 0, 2, 4}, {2, 4, 3}, "2 4 3 "},
        {10, {CPU_MAP_CPUS, 3, 1, 2, 5}, {5, 2, 1}, "5 2 1 "},
        {10, {CPU_MAP_CPUS, 3, 1, 2, 5}, {0, 1, 2}, "1 2 5 "}, // places, of an old perf
        {12, {CPU_MAP_CPUS, 4, 0, 0, 1, 9}, {0, 1, 2}, "0 1 9 "},
        {10, {CPU_MAP_MASK, 1, 4, 0x16, 0}, {1, 2, 4}, "1 2 4 "},
        {18, {CPU_MAP_MASK, 1, 8, 0, 0, 0x13, 0, 0, 0}, {0, 1, 4}, "0 1 4 "},
        {14, {CPU_MAP_MASK, 2, 4, 0, 0, 7, 0}, {32, 33, 34}, "32 33 34 "},
        {6, {CPU_MAP_CPUS, 1, 0xffff}, {UINT32_MAX, 0, UINT32_MAX}, "-1 -1 -1 "},
    };
    const struct perf_event_attr attr = {.size = sizeof(attr)};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct seen s = {0};
        struct stream_reader *r = reader_for(&s);
        struct buf out = {0};
        char got[64] = "", *line;

        begin(&out);
        attr_record(&out, &attr, 1);
        record(&out, RECORD_CPU_MAP, cases[i].map, cases[i].size);
        for (size_t j = 0; j < 3; j++)
            stream_write_stat(&out, 1, cases[i].written[j], 0, (struct reading){0});
        assert_int_equal(read_all(r, out.data, out.size), 0);
        buf_putc(&s.text, '\0');
        line = s.text.data;
        while ((line = strstr(line, "stat 0 "))) {
            line += strlen("stat 0 ");
            snprintf(got + strlen(got), sizeof(got) - strlen(got), "%d ", atoi(line));
        }
        assert_string_equal(got, cases[i].expected);
        stream_reader_free(r);
        buf_done(&s.text);
        buf_done(&out);
    }
}

// perf stat describes no groups: they follow from the attrs.
static void test_groups_of_perf_stat(void **state)
{
    struct seen s = {0};
    struct stream_reader *r = reader_for(&s);
    struct buf out = {0};
    struct perf_event_attr attr = {.size = sizeof(attr)};
    // alone, a group of two, a group of two, alone
    static const struct {
        bool grouped, disabled;
        int group;
    } cases[] = {{0, 1, 0}, {1, 1, 1}, {1, 0, 1}, {1, 1, 2}, {1, 0, 2}, {0, 1, 3}};

    (void)state;
    begin(&out);
    for (size_t i = 0; i < 6; i++) {
        attr.read_format = cases[i].grouped ? PERF_FORMAT_GROUP | 3 : 3;
        attr.disabled = cases[i].disabled;
        attr_record(&out, &attr, i + 1);
    }
    assert_int_equal(read_all(r, out.data, out.size), 0);
    assert_int_equal(s.heads, 1); // at the end, as there was no reading
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(s.head->events[i].group, cases[i].group);
    assert_int_equal(s.head->n_groups, 4);
    stream_reader_free(r);
    buf_done(&s.text);
    buf_done(&out);
}

static void test_writer_refuses(void **state)
{
    struct stream_description d = description();
    struct event in_pieces[] = {
        {.id = 1, .group = 0}, {.id = 2, .group = 1}, {.id = 3, .group = 0}};
    struct event_table pieces = {.events = in_pieces, .n = 3, .n_groups = 2}, none = {0};
    struct buf out = {0};
    char *large = calloc(1, STREAM_NOTE_MAX + 1);

    (void)state;
    buf_puts(&out, "before");
    d.events = &pieces;
    assert_int_equal(stream_write_start(&out, &d), -EINVAL);
    d.events = &none;
    assert_int_equal(stream_write_start(&out, &d), -EINVAL);
    d = description();
    d.cpus_possible = 33000;
    assert_int_equal(stream_write_start(&out, &d), -E2BIG);
    d.target = STREAM_TASKS;
    d.spare_threads = 3000;
    assert_int_equal(stream_write_start(&out, &d), -E2BIG);
    d.spare_threads = 0;
    assert_int_equal(stream_write_start(&out, &d), -EINVAL);
    assert_non_null(large);
    assert_int_equal(stream_write_note(&out, 1, large, STREAM_NOTE_MAX + 1), -E2BIG);
    assert_int_equal(out.size, strlen("before"));
    assert_int_equal(stream_write_note(&out, 1, large, STREAM_NOTE_MAX), 0);
    assert_int_equal(out.size, strlen("before") + RECORD_WRITE_MAX);
    free(large);
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_tasks),
        cmocka_unit_test(test_every_chunking),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_not_a_stream),
        cmocka_unit_test(test_bad_frames),
        cmocka_unit_test(test_skipped),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_readings_of_nobody),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_attr_sizes),
        cmocka_unit_test(test_cpu_maps),
        cmocka_unit_test(test_groups_of_perf_stat),
        cmocka_unit_test(test_writer_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

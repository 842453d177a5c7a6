// SPDX-License-Identifier: Apache-2.0
// File mode, compression and samples: what the reader gives, and what it makes of damage.
#include "base/buf.h"
#include "stream/compress.h"
#include "stream/decompress.h"
#include "stream/file_mode.h"
#include "stream/record.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

#include <cmocka.h>

#define SAMPLE_TYPE                                                                                \
    (PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU |               \
     PERF_SAMPLE_PERIOD)

struct seen {
    unsigned heads, samples, drained;
    uint64_t times, periods; // sums
    int cpu;
    char names[2][EVENT_NAME_MAX];
    char host[STREAM_TEXT_MAX];
    size_t n_events;
};

static struct buf data; // of the test at hand
static struct seen seen;
static char text[512];
static struct stream_counts counts;
static struct stream_sampled sampled[4];

static int set_up(void **state)
{
    (void)state;
    buf_clear(&data);
    seen = (struct seen){0};
    return 0;
}

static int on_head(void *context, const struct stream_head *head)
{
    (void)context;
    seen.heads++;
    seen.n_events = head->n_events;
    for (size_t i = 0; i < head->n_events && i < 2; i++)
        snprintf(seen.names[i], sizeof(seen.names[i]), "%s", head->events[i].name);
    snprintf(seen.host, sizeof(seen.host), "%s", head->host);
    return 0;
}

static void on_sample(void *context, size_t event, const struct sample *s)
{
    (void)context;
    assert_true(event < seen.n_events);
    seen.samples++;
    seen.times += s->time;
    seen.periods += s->period;
    seen.cpu = s->cpu;
}

static void on_drained(void *context)
{
    (void)context;
    seen.drained++;
}

static ssize_t read_at(void *context, uint64_t offset, void *ret, size_t size)
{
    size_t left = offset < data.size ? data.size - (size_t)offset : 0,
           n = size < left ? size : left;

    (void)context;
    if (n)
        memcpy(ret, data.data + offset, n);
    return (ssize_t)n;
}

// Reads `data` as a file, in pieces of `piece` bytes.
static int read_data(size_t piece)
{
    static const struct stream_handler handler = {
        .head = on_head, .sample = on_sample, .drained = on_drained};
    struct stream_extent extent;
    struct stream_reader *r;
    int e;

    assert_int_equal(stream_reader_new(&handler, NULL, &r), 0);
    e = file_mode_begin(r, &(struct stream_file){read_at, NULL, data.size}, &extent);
    for (uint64_t at = extent.from; e == 0 && at < extent.to; at += piece)
        e = stream_reader_feed(r, data.data + at,
                               extent.to - at < piece ? (size_t)(extent.to - at) : piece);
    if (e == 0)
        e = stream_reader_end(r);
    snprintf(text, sizeof(text), "%s", stream_reader_error(r));
    assert_true((e == 0) == (text[0] == '\0'));
    counts = *stream_reader_counts(r);
    if (e == 0)
        for (size_t i = 0; i < stream_reader_head(r)->n_events && i < 4; i++)
            sampled[i] = stream_reader_sampled(r)[i];
    stream_reader_free(r);
    return e;
}

static void put_record(struct buf *out, uint32_t type, const void *body, size_t size)
{
    const struct record_header header = {type, 0, (uint16_t)(sizeof(header) + size)};

    buf_append(out, &header, sizeof(header));
    buf_append(out, body, size);
}

static void put_sample(struct buf *out, uint64_t id, uint64_t time, uint32_t cpu, uint64_t period)
{
    const uint64_t body[] = {id, 0x100000001, time, cpu, period};

    put_record(out, RECORD_SAMPLE, body, sizeof(body));
}

static struct perf_event_attr sampling(uint64_t config)
{
    return (struct perf_event_attr){.type = PERF_TYPE_HARDWARE,
                                    .size = 128,
                                    .config = config,
                                    .sample_period = 1000,
                                    .sample_type = SAMPLE_TYPE,
                                    .exclude_guest = 1};
}

static void pipe_header(void)
{
    const struct perf_event_attr attrs[] = {sampling(0), sampling(1)};

    buf_append(&data, &(struct record_file_header){RECORD_MAGIC, RECORD_PIPE_HEADER},
               RECORD_PIPE_HEADER);
    for (uint64_t id = 1; id <= 2; id++) {
        struct buf body = {0};

        buf_append(&body, &attrs[id - 1], 128);
        buf_append(&body, &id, sizeof(id));
        put_record(&data, RECORD_HEADER_ATTR, body.data, body.size);
        buf_done(&body);
    }
}

static void put_feature_text(struct buf *out, const char *value)
{
    uint32_t size = 64;
    char padded[64] = "";

    snprintf(padded, sizeof(padded), "%s", value);
    buf_append(out, &size, sizeof(size));
    buf_append(out, padded, sizeof(padded));
}

// The whole file, of two events; the header says that the data have `data_size` bytes.
static void file(const struct buf *records, uint64_t data_size)
{
    const struct perf_event_attr attrs[] = {sampling(0), sampling(1)};
    struct record_file header = {.magic = RECORD_MAGIC,
                                 .size = sizeof(header),
                                 .attr_size = 128 + sizeof(struct record_section),
                                 .features = {1 << FEATURE_HOSTNAME | 1 << FEATURE_EVENT_DESC}};
    const uint64_t ids[] = {1, 2};
    struct buf host = {0}, names = {0};
    struct record_section section;
    const uint32_t n[] = {2, 128};

    header.attrs = (struct record_section){sizeof(header) + sizeof(ids), 2 * header.attr_size};
    header.data = (struct record_section){header.attrs.offset + header.attrs.size, data_size};
    buf_append(&data, &header, sizeof(header));
    buf_append(&data, ids, sizeof(ids));
    for (size_t i = 0; i < 2; i++) {
        buf_append(&data, &attrs[i], 128);
        section = (struct record_section){sizeof(header) + i * 8, 8};
        buf_append(&data, &section, sizeof(section));
    }
    buf_append(&data, records->data, records->size);
    put_feature_text(&host, "box");
    buf_append(&names, n, sizeof(n));
    for (size_t i = 0; i < 2; i++) {
        const uint32_t one = 1;

        buf_append(&names, &attrs[i], 128);
        buf_append(&names, &one, sizeof(one));
        put_feature_text(&names, i ? "second" : "first");
        buf_append(&names, &ids[i], 8);
    }
    section = (struct record_section){data.size + 2 * sizeof(section), host.size};
    buf_append(&data, &section, sizeof(section));
    section = (struct record_section){section.offset + host.size, names.size};
    buf_append(&data, &section, sizeof(section));
    buf_append(&data, host.data, host.size);
    buf_append(&data, names.data, names.size);
    buf_done(&host);
    buf_done(&names);
}

static void some_records(struct buf *out)
{
    put_sample(out, 1, 100, 0, 10);
    put_sample(out, 2, 101, 1, 20);
    put_record(out, RECORD_FINISHED_ROUND, NULL, 0);
    put_sample(out, 1, 102, 3, 30);
}

static void a_file_is_read_by_its_sections(void **state)
{
    struct buf records = {0};

    (void)state;
    some_records(&records);
    file(&records, records.size);
    for (size_t piece = 1; piece < 200; piece += 7) {
        seen = (struct seen){0};
        assert_int_equal(read_data(piece), 0);
        assert_int_equal(seen.heads, 1);
        assert_int_equal(seen.samples, 3);
        assert_int_equal(seen.drained, 1);
        assert_int_equal(seen.times, 303);
        assert_int_equal(seen.periods, 60);
        assert_int_equal(seen.cpu, 3);
        assert_string_equal(seen.names[0], "first");
        assert_string_equal(seen.names[1], "second");
        assert_string_equal(seen.host, "box");
        assert_int_equal(sampled[0].samples, 2);
        assert_int_equal(sampled[0].period, 40);
        assert_int_equal(sampled[1].samples, 1);
        assert_int_equal(counts.samples, 3);
        assert_int_equal(counts.malformed, 0);
    }
    buf_done(&records);
}

// perf writes the size of the data last: after kill -9 it is 0, and what follows are records.
static void a_file_that_was_not_finished_is_read_to_its_last_record(void **state)
{
    struct buf records = {0};
    size_t tail;

    (void)state;
    some_records(&records);
    file(&records, 0);
    tail = 104 + 16 + 2 * 144 + records.size;
    data.size = tail;
    assert_int_equal(read_data(4096), 0);
    assert_int_equal(seen.samples, 3);
    assert_string_equal(seen.names[0], "cycles"); // the names were never written
    data.size = tail - 3;
    seen = (struct seen){0};
    assert_int_equal(read_data(4096), -EPIPE);
    assert_int_equal(seen.samples, 2);
    buf_done(&records);
}

static void each_cut_of_a_file_ends_with_a_sentence(void **state)
{
    struct buf records = {0};
    size_t whole;

    (void)state;
    some_records(&records);
    file(&records, records.size);
    whole = data.size;
    for (size_t size = 0; size < whole; size++) {
        data.size = size;
        read_data(64); // asserts that there is a sentence where there is an error
    }
    buf_done(&records);
}

static void damaged_headers_are_refused(void **state)
{
    static const struct {
        size_t at;
        uint64_t value;
        int error;
    } cases[] = {
        {offsetof(struct record_file, attr_size), 0, -EBADMSG},
        {offsetof(struct record_file, attr_size), 17, -EBADMSG},
        {offsetof(struct record_file, attr_size), 1 << 20, -EBADMSG},
        {offsetof(struct record_file, attrs.offset), UINT64_MAX - 3, -EPIPE},
        {offsetof(struct record_file, attrs.size), UINT64_MAX - 200, -EPIPE},
        {offsetof(struct record_file, data.offset), 8, -EBADMSG},
        {offsetof(struct record_file, data.offset), UINT64_MAX, -EPIPE},
        {104 + 16 + 128, UINT64_MAX, -EPIPE},     // where the ids of the first attr are
        {104 + 16 + 128 + 8, UINT64_MAX, -EPIPE}, // how many
        {104 + 16 + 128 + 8, 7, -EBADMSG},
    };
    struct buf records = {0};

    (void)state;
    some_records(&records);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        buf_clear(&data);
        file(&records, records.size);
        memcpy(data.data + cases[i].at, &cases[i].value, 8);
        assert_int_equal(read_data(4096), cases[i].error);
    }
    buf_done(&records);
}

// Features are for people: without them the numbers are the same.
static void damaged_features_are_left_out(void **state)
{
    struct buf records = {0};
    uint64_t wild = UINT64_MAX / 2;

    (void)state;
    some_records(&records);
    file(&records, records.size);
    memcpy(data.data + 104 + 16 + 2 * 144 + records.size + 8, &wild, 8); // the host's size
    assert_int_equal(read_data(4096), 0);
    assert_int_equal(seen.samples, 3);
    assert_string_equal(seen.host, "");
    assert_string_equal(seen.names[0], "first");
    buf_done(&records);
}

// What it holds is read, in any pieces, also where its records are cut between two compressed ones.
static void compressed_records_are_read(void **state)
{
    struct stream_compressor *c;
    struct buf records = {0};

    (void)state;
    pipe_header();
    assert_int_equal(stream_compressor_new(&c), 0);
    stream_compress_begin(&data);
    for (int i = 0; i < 3000; i++)
        some_records(&records); // 456,000 bytes: eight pieces, cut inside of records
    assert_int_equal(stream_compress(c, records.data, records.size, &data), 0);
    assert_int_equal(stream_compress(c, records.data, 48, &data), 0);
    assert_true(data.size < records.size / 10);
    for (size_t piece = 1; piece < 5000; piece = piece * 3 + 1) {
        seen = (struct seen){0};
        assert_int_equal(read_data(piece), 0);
        assert_int_equal(seen.samples, 9001);
        assert_int_equal(seen.drained, 3000);
        assert_int_equal(counts.compressed, 9);
        assert_int_equal(counts.malformed, 0);
        assert_int_equal(counts.records, 2 + 1 + 9 + 12000 + 1);
    }
    stream_compressor_free(c);
    buf_done(&records);
}

static void the_newer_form_is_padded(void **state)
{
    unsigned char body[8 + 1024] = {0};
    struct buf records = {0};
    uint64_t size;

    (void)state;
    pipe_header();
    some_records(&records);
    size = ZSTD_compress(body + 8, 1000, records.data, records.size, 1);
    assert_false(ZSTD_isError(size));
    memcpy(body, &size, 8);
    put_record(&data, RECORD_COMPRESSED2, body, (8 + size + 7) / 8 * 8);
    assert_int_equal(read_data(4096), 0);
    assert_int_equal(seen.samples, 3);
    // It says that it holds more than it has.
    size = 2000;
    buf_clear(&data);
    pipe_header();
    memcpy(body, &size, 8);
    put_record(&data, RECORD_COMPRESSED2, body, 64);
    assert_int_equal(read_data(4096), 0);
    assert_int_equal(counts.malformed, 1);
    buf_done(&records);
}

static void damaged_compression_ends_the_reading(void **state)
{
    (void)state;
    pipe_header();
    put_record(&data, RECORD_COMPRESSED, "no zstd at all", 14);
    assert_int_equal(read_data(4096), -EBADMSG);
    assert_non_null(strstr(text, "decompressed"));
}

// Records in records in records would be a loop.
static void compression_is_not_nested(void **state)
{
    struct stream_compressor *c;
    struct buf inner = {0};

    (void)state;
    pipe_header();
    assert_int_equal(stream_compressor_new(&c), 0);
    put_record(&inner, RECORD_COMPRESSED, "x", 1);
    put_sample(&inner, 1, 1, 0, 1);
    assert_int_equal(stream_compress(c, inner.data, inner.size, &data), 0);
    assert_int_equal(read_data(4096), 0);
    assert_int_equal(counts.malformed, 1);
    assert_int_equal(seen.samples, 1);
    stream_compressor_free(c);
    buf_done(&inner);
}

static void what_is_compressed_is_cut_off(void **state)
{
    struct stream_compressor *c;
    struct buf inner = {0};

    (void)state;
    pipe_header();
    assert_int_equal(stream_compressor_new(&c), 0);
    put_sample(&inner, 1, 1, 0, 1);
    assert_int_equal(stream_compress(c, inner.data, inner.size - 4, &data), 0);
    assert_int_equal(read_data(4096), -EPIPE);
    stream_compressor_free(c);
    buf_done(&inner);
}

// A record of 64 KiB that would be more than DECOMPRESSED_MAX: many small records of one kind.
static void a_bomb_ends_the_reading(void **state)
{
    size_t size = DECOMPRESSED_MAX + ((size_t)1 << 20), packed = 0;
    struct record_header *many = calloc(1, size);
    unsigned char body[65000];

    (void)state;
    assert_non_null(many);
    for (size_t i = 0; i < size / sizeof(*many); i++)
        many[i] = (struct record_header){RECORD_FINISHED_ROUND, 0, 8};
    packed = ZSTD_compress(body, sizeof(body), many, size, 1);
    assert_false(ZSTD_isError(packed));
    free(many);
    pipe_header();
    put_record(&data, RECORD_COMPRESSED, body, packed);
    assert_int_equal(read_data(4096), -EBADMSG);
    assert_non_null(strstr(text, "64 MiB"));
}

static void samples_of_nobody_are_skipped(void **state)
{
    (void)state;
    pipe_header();
    put_sample(&data, 99, 1, 0, 1);               // an id that no attr has
    put_record(&data, RECORD_SAMPLE, "short", 5); // not even an id
    put_sample(&data, 1, 1, STREAM_CPUS_MAX, 1);  // no such CPU
    put_sample(&data, 1, 7, 0, 1);
    assert_int_equal(read_data(4096), 0);
    assert_int_equal(counts.malformed, 3);
    assert_int_equal(counts.n_skipped, 1);
    assert_int_equal(counts.skipped[0].type, RECORD_SAMPLE);
    assert_int_equal(counts.skipped[0].records, 3);
    assert_int_equal(seen.samples, 1);
}

// Each value is cumulative: a sample stands for what was counted since the one before it.
static void a_group_that_is_read_counts_for_each_member(void **state)
{
    struct perf_event_attr attr = {
        .type = PERF_TYPE_HARDWARE,
        .size = 128,
        .sample_period = 1000,
        .sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_READ | PERF_SAMPLE_TIME,
        .read_format = PERF_FORMAT_GROUP | PERF_FORMAT_ID | PERF_FORMAT_TOTAL_TIME_ENABLED};
    const uint64_t first[] = {1, 100, 2, 555, 1000, 1, 70, 2};
    const uint64_t second[] = {1, 200, 2, 666, 2000, 1, 70, 2}; // the member did not count
    const uint64_t cut[] = {1, 300, 9, 777, 3000, 1};
    const uint64_t many[] = {1, 300, UINT64_MAX, 777};

    (void)state;
    buf_append(&data, &(struct record_file_header){RECORD_MAGIC, RECORD_PIPE_HEADER}, 16);
    for (uint64_t id = 1; id <= 2; id++) {
        struct buf body = {0};

        buf_append(&body, &attr, 128);
        buf_append(&body, &id, 8);
        put_record(&data, RECORD_HEADER_ATTR, body.data, body.size);
        buf_done(&body);
        attr.config = 1;
        attr.sample_period = 0; // only the leader samples
    }
    put_record(&data, RECORD_SAMPLE, first, sizeof(first));
    put_record(&data, RECORD_SAMPLE, second, sizeof(second));
    put_record(&data, RECORD_SAMPLE, cut, sizeof(cut));
    put_record(&data, RECORD_SAMPLE, many, sizeof(many));
    assert_int_equal(read_data(4096), 0);
    assert_int_equal(counts.malformed, 2);
    assert_int_equal(sampled[0].samples, 3); // with the one that was whole in the cut record
    assert_int_equal(sampled[0].period, 3000);
    assert_int_equal(sampled[1].samples, 1);
    assert_int_equal(sampled[1].period, 70);
}

static void what_was_lost_is_counted(void **state)
{
    const uint64_t lost[] = {1, 5}, samples[] = {6}, throttled[] = {1, 1, 1};

    (void)state;
    pipe_header();
    put_record(&data, RECORD_LOST, lost, sizeof(lost));
    put_record(&data, RECORD_LOST_SAMPLES, samples, sizeof(samples));
    put_record(&data, RECORD_THROTTLE, throttled, sizeof(throttled));
    assert_int_equal(read_data(4096), 0);
    assert_int_equal(counts.lost, 11);
    assert_int_equal(counts.throttled, 1);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup(function, set_up)
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_read_by_its_sections),
        TEST(a_file_that_was_not_finished_is_read_to_its_last_record),
        TEST(each_cut_of_a_file_ends_with_a_sentence),
        TEST(damaged_headers_are_refused),
        TEST(damaged_features_are_left_out),
        TEST(compressed_records_are_read),
        TEST(the_newer_form_is_padded),
        TEST(damaged_compression_ends_the_reading),
        TEST(compression_is_not_nested),
        TEST(what_is_compressed_is_cut_off),
        TEST(a_bomb_ends_the_reading),
        TEST(samples_of_nobody_are_skipped),
        TEST(a_group_that_is_read_counts_for_each_member),
        TEST(what_was_lost_is_counted),
    };
    int failed = cmocka_run_group_tests_name("stream-file", tests, NULL, NULL);

    buf_done(&data);
    return failed;
}

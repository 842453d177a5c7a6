// SPDX-License-Identifier: Apache-2.0
// The sink before a reader that stalls, one that goes away, and a disk that is full.
#include "base/buf.h"
#include "stream/compress.h"
#include "stream/reader.h"
#include "stream/sink.h"
#include "stream/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define QUEUE       ((size_t)256 << 10)
#define ROUND_STATS 20

static struct event one = {.id = 1, .type = 1, .config = 3, .name = "context-switches", .scale = 1};
static struct event_table table = {.events = &one, .n = 1, .n_groups = 1};

static void render_start(struct buf *out)
{
    const struct stream_description d = {
        .events = &table, .cpus_possible = ROUND_STATS, .interval_ms = 10};

    buf_clear(out);
    assert_int_equal(stream_write_start(out, &d), 0);
}

static void render_round(struct buf *out, uint64_t number)
{
    buf_clear(out);
    for (uint32_t cpu = 0; cpu < ROUND_STATS; cpu++)
        stream_write_stat(out, 1, cpu, 0, (struct reading){number, number, number});
    stream_write_round(out, false, number);
}

// Checks that rounds come whole and in order.
struct check {
    uint64_t rounds, last;
    unsigned stats; // since the last round
};

static void check_stat(void *context, size_t event, int cpu, uint32_t thread, struct reading r)
{
    struct check *c = context;

    (void)event;
    (void)thread;
    assert_int_equal(cpu, c->stats);
    assert_true(r.value > c->last);
    c->stats++;
}

static void check_round(void *context, bool final, uint64_t time_ns)
{
    struct check *c = context;

    (void) final;
    assert_int_equal(c->stats, ROUND_STATS);
    assert_true(time_ns > c->last);
    c->stats = 0;
    c->last = time_ns;
    c->rounds++;
}

static struct stream_reader *checker(struct check *c)
{
    static const struct stream_handler handler = {.stat = check_stat, .round = check_round};
    struct stream_reader *r = NULL;

    assert_int_equal(stream_reader_new(&handler, c, &r), 0);
    return r;
}

// Feeds what can be read now; false at the end of it.
static bool drain(int fd, struct stream_reader *r)
{
    char bytes[7777];
    ssize_t n;

    while ((n = read(fd, bytes, sizeof(bytes))) > 0)
        assert_int_equal(stream_reader_feed(r, bytes, (size_t)n), 0);
    return n != 0;
}

// Ends a test's reading: every record whole.
static void finish_check(struct stream_reader *r)
{
    assert_int_equal(stream_reader_end(r), 0);
    assert_int_equal(stream_reader_counts(r)->malformed, 0);
    stream_reader_free(r);
}

// A reader that stalls for long, and then reads on, `fds` being reading and writing end.
static void stall_and_resume(const int fds[2])
{
    struct stream_sink *s = NULL;
    struct check c = {0};
    struct stream_reader *r = checker(&c);
    struct buf out = {0};
    uint64_t sent = 0, refused = 0;
    char note[1000];

    memset(note, ' ', sizeof(note));
    assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(stream_sink_open(fds[1], QUEUE, &s), 0);
    render_start(&out);
    assert_int_equal(stream_sink_sideband(s, out.data, out.size), 0);
    for (int phase = 0; phase < 3; phase++) {
        for (int i = 0; i < 2000; i++) {
            int queued, flushed;

            render_round(&out, ++sent);
            queued = stream_sink_round(s, out.data, out.size);
            assert_true(queued == 0 || queued == -ENOBUFS);
            refused += queued == -ENOBUFS;
            flushed = stream_sink_flush(s);
            assert_true(flushed == STREAM_SINK_IDLE || flushed == STREAM_SINK_BUSY);
            if (phase != 1)
                drain(fds[0], r);
            assert_true(stream_sink_queued(s) <= QUEUE);
        }
        if (phase == 1) { // full for rounds, and still room for what must not be lost
            assert_true(refused > 0);
            buf_clear(&out);
            assert_int_equal(stream_write_note(&out, 1, note, sizeof(note)), 0);
            assert_int_equal(stream_sink_sideband(s, out.data, out.size), 0);
            while (stream_sink_sideband(s, out.data, out.size) == 0)
                ;
            assert_int_equal(stream_sink_sideband(s, out.data, out.size), -ENOBUFS);
            assert_int_equal(stream_sink_finish(s, 1), -ETIMEDOUT);
        }
    }
    while (stream_sink_flush(s) == STREAM_SINK_BUSY)
        drain(fds[0], r);
    assert_int_equal(stream_sink_finish(s, 0), 0);
    assert_int_equal(stream_sink_queued(s), 0);
    assert_int_equal(stream_sink_dropped(s), refused);
    stream_sink_close(s);
    assert_false(drain(fds[0], r)); // closed: nobody else holds the writing end
    assert_int_equal(c.rounds, sent - refused);
    assert_int_equal(c.last, sent);
    assert_int_equal(c.stats, 0);
    finish_check(r);
    close(fds[0]);
    buf_done(&out);
}

static void test_pipe_stalls(void **state)
{
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    stall_and_resume(fds);
}

static void test_socket_stalls(void **state)
{
    int fds[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    // Less than what is sent while nobody reads, whatever this machine's default is.
    assert_int_equal(setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &(int){65536}, sizeof(int)), 0);
    stall_and_resume(fds);
}

// What is packed refers to what was packed before: a round that is dropped is dropped before it is
// packed, so that a reader that stalled can unpack all that it got.
static void test_packed_rounds_stall(void **state)
{
    struct stream_compressor *compressor = NULL;
    struct stream_sink *s = NULL;
    struct check c = {0};
    struct stream_reader *r = checker(&c);
    struct buf out = {0}, packed = {0};
    uint64_t sent = 0, refused = 0;
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(stream_sink_open(fds[1], QUEUE, &s), 0);
    assert_int_equal(stream_compressor_new(&compressor), 0);
    render_start(&out);
    stream_compress_begin(&out);
    assert_int_equal(stream_sink_sideband(s, out.data, out.size), 0);
    for (int phase = 0; phase < 3; phase++)
        for (int i = 0; i < 4000; i++) {
            render_round(&out, ++sent);
            if (stream_sink_ask_round(s, stream_compress_bound(out.size)) == 0) {
                buf_clear(&packed);
                assert_int_equal(stream_compress(compressor, out.data, out.size, &packed), 0);
                assert_true(packed.size <= stream_compress_bound(out.size));
                assert_int_equal(stream_sink_round(s, packed.data, packed.size), 0);
            } else {
                refused++;
            }
            assert_true(stream_sink_flush(s) >= 0);
            if (phase != 1)
                drain(fds[0], r);
        }
    while (stream_sink_flush(s) == STREAM_SINK_BUSY)
        drain(fds[0], r);
    assert_true(refused > 100);
    assert_int_equal(stream_sink_dropped(s), refused);
    stream_sink_close(s);
    assert_false(drain(fds[0], r));
    assert_int_equal(c.rounds, sent - refused);
    assert_int_equal(c.last, sent);
    finish_check(r);
    stream_compressor_free(compressor);
    close(fds[0]);
    buf_done(&out);
    buf_done(&packed);
}

// The pipe that we were given stays as it is for those who have it too.
static void test_shared_pipe(void **state)
{
    struct stream_sink *s = NULL;
    int fds[2], other;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    other = dup(fds[1]);
    assert_int_equal(stream_sink_open(fds[1], QUEUE, &s), 0);
    assert_int_equal(fcntl(other, F_GETFL) & O_NONBLOCK, 0);
    assert_true(fcntl(stream_sink_fd(s), F_GETFL) & O_NONBLOCK);
    stream_sink_close(s);
    close(other);
    close(fds[0]);
    assert_int_equal(stream_sink_open(-1, QUEUE, &s), -EBADF);
    assert_int_equal(stream_sink_open(0, 0, &s), -EINVAL);
}

static void test_reader_gone(void **state)
{
    struct stream_sink *s = NULL;
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(stream_sink_open(fds[1], QUEUE, &s), 0);
    close(fds[0]);
    assert_int_equal(stream_sink_round(s, "12345678", 8), 0);
    assert_int_equal(stream_sink_flush(s), -EPIPE);
    assert_int_equal(stream_sink_flush(s), -EPIPE);
    assert_int_equal(stream_sink_round(s, "12345678", 8), -EPIPE);
    assert_int_equal(stream_sink_dropped(s), 0);
    stream_sink_close(s);
}

static void test_device_full(void **state)
{
    struct stream_sink *s = NULL;
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(stream_sink_open(fd, QUEUE, &s), 0);
    assert_int_equal(stream_sink_flush(s), STREAM_SINK_IDLE);
    assert_int_equal(stream_sink_round(s, "12345678", 8), 0);
    assert_int_equal(stream_sink_flush(s), -ENOSPC);
    assert_int_equal(stream_sink_finish(s, NS_PER_SEC), -ENOSPC);
    stream_sink_close(s);
}

// A file that may not grow: it ends with a whole round, and goes on without a gap when it may.
static void test_file_full(void **state)
{
    char path[] = "/tmp/test-stream-sink-XXXXXX";
    int fd = mkstemp(path), own;
    struct rlimit before, limit;
    struct stream_sink *s = NULL;
    struct buf out = {0};
    struct check c = {0};
    struct stream_reader *r;
    struct stat st;
    uint64_t sent = 0;
    int flushed = 0;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 30001;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(stream_sink_open(fd, QUEUE, &s), 0);
    render_start(&out);
    assert_int_equal(stream_sink_sideband(s, out.data, out.size), 0);
    while (flushed == 0) {
        render_round(&out, ++sent);
        assert_int_equal(stream_sink_round(s, out.data, out.size), 0);
        flushed = stream_sink_flush(s);
        assert_true(sent < 100);
    }
    assert_int_equal(flushed, -EFBIG);
    assert_int_equal(stream_sink_flush(s), -EFBIG);

    own = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(own >= 0);
    assert_int_equal(fstat(own, &st), 0);
    assert_true(st.st_size <= 30001 && st.st_size + (off_t)out.size > 30001);
    r = checker(&c);
    drain(own, r);
    assert_int_equal(c.rounds, sent - 1);
    finish_check(r);

    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    render_round(&out, ++sent);
    assert_int_equal(stream_sink_round(s, out.data, out.size), 0);
    assert_int_equal(stream_sink_finish(s, 0), 0);
    stream_sink_close(s);
    assert_int_equal(lseek(own, 0, SEEK_SET), 0);
    c = (struct check){0};
    r = checker(&c);
    drain(own, r);
    assert_int_equal(c.rounds, sent);
    finish_check(r);
    close(own);
    unlink(path);
    buf_done(&out);
}

// Appended to what was there.
static void test_file_appended(void **state)
{
    char path[] = "/tmp/test-stream-sink-XXXXXX", bytes[32] = "";
    int fd = mkstemp(path);
    struct stream_sink *s = NULL;

    (void)state;
    assert_int_equal(write(fd, "before ", 7), 7);
    assert_int_equal(stream_sink_open(fd, QUEUE, &s), 0);
    assert_int_equal(stream_sink_round(s, "round", 5), 0);
    assert_int_equal(stream_sink_round(s, "", 0), 0);
    assert_int_equal(stream_sink_flush(s), STREAM_SINK_IDLE);
    assert_int_equal(pread(stream_sink_fd(s), bytes, sizeof(bytes) - 1, 0), 12);
    assert_string_equal(bytes, "before round");
    stream_sink_close(s);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pipe_stalls),   cmocka_unit_test(test_socket_stalls),
        cmocka_unit_test(test_shared_pipe),   cmocka_unit_test(test_reader_gone),
        cmocka_unit_test(test_device_full),   cmocka_unit_test(test_file_full),
        cmocka_unit_test(test_file_appended), cmocka_unit_test(test_packed_rounds_stall),
    };

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
// The server on a real socket, with routes that know nothing of perf.
#include "web/listen.h"
#include "web/server.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define FLOOD_BYTES ((size_t)100000) // more than a stalled client's socket takes at once
#define PATIENCE    60               // s that anything here may take on a loaded machine
#define PACE        (50 * NS_PER_MS) // between two events

static atomic_int ticks, sources;

static int answer_hello(const struct web_request *q, void *context, struct web_reply **ret)
{
    const char *name = web_request_argument(q, "name");

    (void)context;
    *ret = web_reply_static(200, "text/plain", name ? name : "hello", name ? strlen(name) : 5);
    return *ret ? 0 : -ENOMEM;
}

static int answer_failure(const struct web_request *q, void *context, struct web_reply **ret)
{
    (void)q;
    (void)context;
    (void)ret;
    return -EIO;
}

static enum web_next next_number(void *context, struct buf *out)
{
    int *n = context;

    buf_printf(out, "%d\n", ++*n);
    return *n == 1000 ? WEB_NEXT_END : WEB_NEXT_MORE;
}

static void free_source(void *context)
{
    atomic_fetch_sub(&sources, 1);
    free(context);
}

static int answer_numbers(const struct web_request *q, void *context, struct web_reply **ret)
{
    (void)q;
    (void)context;
    atomic_fetch_add(&sources, 1);
    *ret = web_reply_pieces("text/plain",
                            &(struct web_source){next_number, free_source, calloc(1, sizeof(int))});
    return *ret ? 0 : -ENOMEM;
}

static enum web_next next_tick(void *context, struct buf *out)
{
    int *seen = context, now = atomic_load(&ticks);

    if (now > *seen)
        buf_printf(out, "data: %d\n\n", now);
    *seen = now;
    return WEB_NEXT_WAIT;
}

static int answer_ticks(const struct web_request *q, void *context, struct web_reply **ret)
{
    (void)q;
    (void)context;
    atomic_fetch_add(&sources, 1);
    *ret = web_reply_events(&(struct web_source){next_tick, free_source, calloc(1, sizeof(int))},
                            PACE);
    return *ret ? 0 : -ENOMEM;
}

static enum web_next next_flood(void *context, struct buf *out)
{
    (void)context;
    if (buf_reserve(out, FLOOD_BYTES) == 0)
        memset(out->data, 'x', out->size = FLOOD_BYTES);
    return WEB_NEXT_MORE;
}

static int answer_flood(const struct web_request *q, void *context, struct web_reply **ret)
{
    (void)q;
    (void)context;
    atomic_fetch_add(&sources, 1);
    *ret = web_reply_events(&(struct web_source){next_flood, free_source, calloc(1, 1)}, NS_PER_MS);
    return *ret ? 0 : -ENOMEM;
}

static const struct web_route routes[] = {
    {"/", answer_hello, WEB_PUBLIC | WEB_PAGE},
    {"/hello", answer_hello, 0},
    {"/failure", answer_failure, 0},
    {"/numbers", answer_numbers, 0},
    {"/ticks", answer_ticks, 0},
    {"/flood", answer_flood, 0},
};

static struct web_server *start(struct web_config config)
{
    static const struct web_listen here = {"127.0.0.1:0", false};
    struct web_server *s;

    config.listen = &here;
    config.n_listen = 1;
    config.routes = routes;
    config.n_routes = sizeof(routes) / sizeof(routes[0]);
    assert_int_equal(web_server_bind(&config, &s, NULL), 0);
    assert_int_equal(web_server_start(s), 0);
    return s;
}

static int connect_to(struct web_server *s)
{
    struct sockaddr_storage address;
    socklen_t size;
    int fd;

    assert_int_equal(listen_parse(web_server_address(s, 0), &address, &size), 0);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, size), 0);
    return fd;
}

static void send_request(int fd, const char *path, const char *headers)
{
    char request[1024];
    int n = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", path,
                     headers);

    assert_int_equal(send(fd, request, (size_t)n, MSG_NOSIGNAL), n);
}

// Reads until `text` came; the bytes in `ret`, which holds `size`.
static bool read_until(int fd, const char *text, char *ret, size_t size)
{
    ns_t end = clock_ns(CLOCK_MONOTONIC) + PATIENCE * NS_PER_SEC;
    size_t n = 0;

    ret[0] = '\0';
    while (!strstr(ret, text) && n + 1 < size && clock_ns(CLOCK_MONOTONIC) < end) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t got;

        if (poll(&p, 1, 20) <= 0)
            continue;
        got = read(fd, ret + n, size - n - 1);
        if (got <= 0)
            break;
        n += (size_t)got;
        ret[n] = '\0';
    }
    return strstr(ret, text);
}

static bool is_closed_within(int fd, double seconds)
{
    ns_t end = clock_ns(CLOCK_MONOTONIC) + (ns_t)(seconds * 1e9);
    char bytes[65536];

    while (clock_ns(CLOCK_MONOTONIC) < end) {
        struct pollfd p = {.fd = fd, .events = POLLIN};

        if (poll(&p, 1, 20) > 0 && read(fd, bytes, sizeof(bytes)) <= 0)
            return true;
    }
    return false;
}

static void expect(struct web_server *s, const char *path, const char *headers, const char *text)
{
    int fd = connect_to(s);
    char got[65536];

    send_request(fd, path, headers);
    if (!read_until(fd, text, got, sizeof(got)))
        fail_msg("%s: no '%s' in: %s", path, text, got);
    close(fd);
}

static void test_answers(void **state)
{
    struct web_server *s = start((struct web_config){0});

    (void)state;
    expect(s, "/hello", "", "hello");
    expect(s, "/hello?name=a%20b", "", "a b");
    expect(s, "/failure", "", "500 Internal");
    expect(s, "/nowhere", "", "404 Not Found");
    expect(s, "/hello", "Origin: http://evil.example\r\n", "403 Forbidden");
    expect(s, "/hello", "Sec-Fetch-Site: cross-site\r\n", "403 Forbidden");
    expect(s, "/", "Sec-Fetch-Site: cross-site\r\n", "200 OK");
    expect(s, "/hello", "Content-Length: 3\r\n", "413 ");
    expect(s, "/numbers", "", "\n1000\n");
    web_server_free(s);
    assert_int_equal(atomic_load(&sources), 0);
}

static void test_token(void **state)
{
    struct web_server *s = start((struct web_config){.token = "secret"});

    (void)state;
    expect(s, "/", "", "200 OK");
    expect(s, "/hello", "", "WWW-Authenticate: Bearer");
    expect(s, "/hello", "Authorization: Bearer secre\r\n", "401 ");
    expect(s, "/hello", "Authorization: Bearer secrett\r\n", "401 ");
    expect(s, "/hello", "Authorization: bearer secret\r\n", "200 OK");
    web_server_free(s);
}

static void test_events(void **state)
{
    struct web_server *s = start((struct web_config){0});
    int fd = connect_to(s);
    char got[8192], text[32];
    ns_t begin = clock_ns(CLOCK_MONOTONIC), took;

    (void)state;
    atomic_store(&ticks, 0);
    send_request(fd, "/ticks", "");
    // The head comes before the first event does.
    assert_true(read_until(fd, "\r\n\r\n", got, sizeof(got)));
    for (int i = 1; i <= 5; i++) {
        atomic_store(&ticks, i);
        web_server_wake(s);
        snprintf(text, sizeof(text), "data: %d\n\n", i);
        assert_true(read_until(fd, text, got, sizeof(got)));
    }
    // Wakes in quick succession make one event each 50 ms, and the last news is not left behind.
    for (int i = 6; i <= 105; i++) {
        atomic_store(&ticks, i);
        web_server_wake(s);
        usleep(2000);
    }
    assert_true(read_until(fd, "data: 105\n\n", got, sizeof(got)));
    took = clock_ns(CLOCK_MONOTONIC) - begin;
    int events = 0;
    for (const char *p = got; (p = strstr(p, "data: ")); p++)
        events++;
    // However long a busy machine took for it.
    assert_in_range(events, 1, took / PACE + 1);
    assert_int_equal(web_server_stats(s).stream_clients, 1);
    close(fd);
    web_server_free(s);
    assert_int_equal(atomic_load(&sources), 0);
}

static void test_stalled_stream_is_dropped(void **state)
{
    struct web_server *s = start((struct web_config){.stall = NS_PER_SEC / 2});
    int fd = connect_to(s);

    (void)state;
    send_request(fd, "/flood", "");
    for (int i = 0; i < PATIENCE * 20 && !web_server_stats(s).clients_dropped; i++)
        usleep(50000);
    assert_int_equal(web_server_stats(s).clients_dropped, 1);
    for (int i = 0; i < PATIENCE * 20 && web_server_stats(s).connections; i++)
        usleep(50000);
    assert_int_equal(web_server_stats(s).connections, 0);
    assert_int_equal(web_server_stats(s).stream_clients, 0);
    close(fd);
    web_server_free(s);
}

static void test_trickling_head_is_cut(void **state)
{
    struct web_server *s = start((struct web_config){.head_deadline = NS_PER_SEC});
    static const char head[] =
        "GET /hello HTTP/1.1\r\nHost: localhost\r\nX: yyyyyyyyyyyyyyyyyyyyyyyyy";
    ns_t begin = clock_ns(CLOCK_MONOTONIC);
    int fd = connect_to(s);
    bool cut = false;

    (void)state;
    for (size_t i = 0; i < sizeof(head) - 1 && !cut; i++) {
        cut = send(fd, head + i, 1, MSG_NOSIGNAL) != 1 || is_closed_within(fd, 0.1);
    }
    // Not before its time, and long before it has sent it all, which takes six seconds and more.
    assert_true(cut);
    assert_true(clock_ns(CLOCK_MONOTONIC) - begin >= NS_PER_SEC * 8 / 10);
    close(fd);
    // One that says nothing at all, too.
    fd = connect_to(s);
    assert_true(is_closed_within(fd, PATIENCE));
    close(fd);
    web_server_free(s);
}

static void test_too_many_connections(void **state)
{
    struct web_server *s = start((struct web_config){.connections_max = 3});
    int fds[4];
    char got[8192];

    (void)state;
    for (int i = 0; i < 4; i++) {
        fds[i] = connect_to(s);
        send_request(fds[i], "/hello", "");
        assert_true(read_until(fds[i], i < 3 ? "200 OK" : "503 Service", got, sizeof(got)));
    }
    assert_true(is_closed_within(fds[3], PATIENCE));
    close(fds[0]);
    for (int i = 0; i < PATIENCE * 50 && web_server_stats(s).connections > 2; i++)
        usleep(20000);
    expect(s, "/hello", "", "200 OK");
    for (int i = 1; i < 4; i++)
        close(fds[i]);
    web_server_free(s);
}

static void test_bind_failures(void **state)
{
    struct web_listen listen[2] = {{"127.0.0.1:0", false}, {NULL, false}};
    struct web_config config = {.listen = listen, .n_listen = 1};
    struct web_server *s, *none = NULL;
    char failed[WEB_ADDRESS_MAX];

    (void)state;
    assert_int_equal(web_server_bind(&config, &s, failed), 0);
    assert_null(web_server_address(s, 1));
    listen[1] = (struct web_listen){web_server_address(s, 0), true};
    config.n_listen = 2;
    assert_int_equal(web_server_bind(&config, &none, failed), -EADDRINUSE);
    assert_string_equal(failed, web_server_address(s, 0));
    listen[1].address = "0.0.0.0:0";
    assert_int_equal(web_server_bind(&config, &none, failed), -ENOKEY);
    listen[1].address = "nonsense";
    assert_int_equal(web_server_bind(&config, &none, failed), -EINVAL);
    assert_string_equal(failed, "nonsense");
    // 192.0.2.0/24 is nobody's (RFC 5737).
    listen[1] = (struct web_listen){"192.0.2.1:0", false};
    config.token = "t";
    assert_int_equal(web_server_bind(&config, &none, failed), -EADDRNOTAVAIL);
    listen[1].optional = true;
    assert_int_equal(web_server_bind(&config, &none, failed), 0);
    web_server_free(none);
    none = NULL;
    config.listen = listen + 1;
    config.n_listen = 1;
    assert_int_equal(web_server_bind(&config, &none, failed), -ENOENT);
    assert_null(none);
    web_server_free(s);
    web_server_free(NULL);
}

static void test_stop_with_clients(void **state)
{
    struct web_server *s = start((struct web_config){0});
    int fds[30];
    char got[8192];

    (void)state;
    for (int i = 0; i < 30; i++) {
        fds[i] = connect_to(s);
        if (i % 3 == 0)
            continue; // no request
        send_request(fds[i], i % 3 == 1 ? "/ticks" : "/flood", "");
        assert_true(read_until(fds[i], "200 OK", got, sizeof(got)));
    }
    web_server_stop(s);
    web_server_wake(s);
    web_server_free(s);
    assert_int_equal(atomic_load(&sources), 0);
    for (int i = 0; i < 30; i++)
        close(fds[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_token),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_stalled_stream_is_dropped),
        cmocka_unit_test(test_trickling_head_is_cut),
        cmocka_unit_test(test_too_many_connections),
        cmocka_unit_test(test_bind_failures),
        cmocka_unit_test(test_stop_with_clients),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

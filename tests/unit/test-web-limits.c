// SPDX-License-Identifier: Apache-2.0
#include "web/limits.h"
#include "web/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct sockaddr_storage address(const char *text)
{
    struct sockaddr_storage a = {0};
    socklen_t size;

    assert_int_equal(listen_parse(text, &a, &size), 0);
    return a;
}

static struct limits_entry *enter(struct limits *l, int fd, const char *peer, ns_t now)
{
    struct sockaddr_storage a = address(peer);

    return limits_enter(l, fd, (struct sockaddr *)&a, now);
}

static void test_total(void **state)
{
    struct limits l;
    struct limits_entry *e[2 + WEB_CONNECTIONS_SPARE];

    (void)state;
    assert_int_equal(limits_init(&l, 2, WEB_HEAD_DEADLINE), 0);
    for (size_t i = 0; i < 2 + WEB_CONNECTIONS_SPARE; i++) {
        e[i] = enter(&l, 1000 + (int)i, "127.0.0.1:1", 0);
        assert_non_null(e[i]);
        assert_int_equal(e[i]->verdict, i < 2 ? LIMITS_OK : LIMITS_TOO_MANY);
    }
    assert_null(enter(&l, 9999, "127.0.0.1:1", 0));
    limits_leave(&l, NULL);
    for (size_t i = 0; i < 2 + WEB_CONNECTIONS_SPARE; i++)
        limits_leave(&l, e[i]);
    assert_int_equal(limits_sweep(&l, 0), 0);
    assert_int_equal(enter(&l, 1, "127.0.0.1:1", 0)->verdict, LIMITS_OK);
    limits_done(&l);
}

static void test_per_address(void **state)
{
    static const char *const peers[] = {"192.0.2.1:1", "[2001:db8::1]:1"};
    static const char *const exempt[] = {"127.0.0.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"};
    struct limits l;

    (void)state;
    assert_int_equal(limits_init(&l, 1000, WEB_HEAD_DEADLINE), 0);
    for (size_t p = 0; p < 2; p++)
        for (int i = 0; i < WEB_PER_ADDRESS_MAX + 1; i++)
            assert_int_equal(enter(&l, i, peers[p], 0)->verdict,
                             i < WEB_PER_ADDRESS_MAX ? LIMITS_OK : LIMITS_TOO_MANY_OF_ADDRESS);
    for (size_t p = 0; p < 3; p++)
        for (int i = 0; i < WEB_PER_ADDRESS_MAX + 1; i++)
            assert_int_equal(enter(&l, i, exempt[p], 0)->verdict, LIMITS_OK);
    limits_done(&l);
}

// Is the connection shut down when `phase` began at 0 and it is `now`?
static bool is_cut(enum limits_phase phase, ns_t now)
{
    struct limits l;
    struct limits_entry *e;
    int pair[2];
    char byte;
    bool cut;

    assert_int_equal(limits_init(&l, 10, 10 * NS_PER_SEC), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    e = enter(&l, pair[0], "127.0.0.1:1", 0);
    limits_set_phase(&l, e, phase, 0);
    assert_int_equal(limits_sweep(&l, now), 1);
    cut = read(pair[1], &byte, 1) == 0;
    limits_leave(&l, e);
    close(pair[0]);
    close(pair[1]);
    limits_done(&l);
    return cut;
}

static void test_deadlines(void **state)
{
    (void)state;
    assert_false(is_cut(LIMITS_HEAD, 10 * NS_PER_SEC - 1));
    assert_true(is_cut(LIMITS_HEAD, 10 * NS_PER_SEC));
    assert_false(is_cut(LIMITS_IDLE, (WEB_IDLE_SECONDS + 10) * NS_PER_SEC - 1));
    assert_true(is_cut(LIMITS_IDLE, (WEB_IDLE_SECONDS + 10) * NS_PER_SEC));
    assert_false(is_cut(LIMITS_REPLY, WEB_REPLY_DEADLINE - 1));
    assert_true(is_cut(LIMITS_REPLY, WEB_REPLY_DEADLINE));
    assert_false(is_cut(LIMITS_STREAM, INT64_MAX - 1));
}

static void test_addresses(void **state)
{
    static const char *const bad[] = {
        "",          ":80",          "127.0.0.1",       "127.0.0.1:", "1.2.3:80", "[::1]",
        "[::1]:",    "::1:80",       "[::1:80",         "[]:80",      "host:80",  "127.0.0.1:65536",
        "1.2.3.4:x", "127.0.0.1:-1", "127.0.0.1:080000"};
    struct sockaddr_storage a;
    socklen_t size;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (listen_parse(bad[i], &a, &size) != -EINVAL)
            fail_msg("%s was taken", bad[i]);
    a = address("127.1.2.3:5000");
    assert_true(listen_is_loopback(&a) && !listen_is_any(&a));
    a = address("[::1]:5000");
    assert_true(listen_is_loopback(&a) && !listen_is_any(&a));
    a = address("localhost:5000");
    assert_true(listen_is_loopback(&a));
    a = address("0.0.0.0:5000");
    assert_true(!listen_is_loopback(&a) && listen_is_any(&a));
    a = address("[::]:5000");
    assert_true(!listen_is_loopback(&a) && listen_is_any(&a));
    a = address("192.0.2.1:5000");
    assert_true(!listen_is_loopback(&a) && !listen_is_any(&a));
}

static void test_hosts(void **state)
{
    static const struct {
        const char *host;
        size_t length;
    } cases[] = {
        {"localhost", 9},  {"localhost:5000", 9},
        {"[::1]:5000", 5}, {"[::1]", 5},
        {"", 0},           {":80", 0},
        {"a:", 0},         {"a:b", 0},
        {"[::1", 0},       {"[", 0},
        {"[::1]x", 0},     {"a:1:2", 0},
        {"a:99999", 0},    {"a:123456", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (host_length(cases[i].host) != cases[i].length)
            fail_msg("%s: %zu", cases[i].host, host_length(cases[i].host));
    assert_true(host_is("LocalHost:1", "localhost"));
    assert_true(host_is("[::1]:1", "[::1]"));
    assert_false(host_is("localhost.evil", "localhost"));
    assert_false(host_is("local", "localhost"));
    assert_false(host_is("", ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_total),     cmocka_unit_test(test_per_address),
        cmocka_unit_test(test_deadlines), cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_hosts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "base/loop.h"

#include "unit.h"

#include <stdbool.h>

struct watch {
    struct loop *loop;
    int pipe[2], other;
    int calls, result;
    bool drain;
};

static int on_readable(void *context, uint32_t events)
{
    struct watch *w = context;
    char byte;

    assert_true(events & EPOLLIN);
    w->calls++;
    if (w->drain)
        assert_int_equal(read(w->pipe[0], &byte, 1), 1);
    if (w->other >= 0)
        loop_remove(w->loop, w->other);
    return w->result;
}

static void open_watch(struct watch *w, struct loop *loop)
{
    *w = (struct watch){.loop = loop, .other = -1};
    assert_int_equal(pipe2(w->pipe, O_CLOEXEC | O_NONBLOCK), 0);
}

static void close_watch(struct watch *w)
{
    close(w->pipe[0]);
    close(w->pipe[1]);
}

static int count_down(void *context, uint32_t events)
{
    int *left = context;

    (void)events;
    return --*left ? 0 : 7;
}

static void run_ends_with_what_a_function_returned(void **state)
{
    struct loop *loop;
    struct watch w;
    int left = 5;

    (void)state;
    assert_int_equal(loop_new(&loop), 0);
    open_watch(&w, loop);
    assert_int_equal(loop_add(loop, w.pipe[1], EPOLLOUT, count_down, &left), 0);
    assert_int_equal(loop_run(loop), 7);
    assert_int_equal(left, 0);
    loop_remove(loop, w.pipe[1]);

    w.result = -EIO;
    assert_int_equal(write(w.pipe[1], "x", 1), 1);
    assert_int_equal(loop_add(loop, w.pipe[0], EPOLLIN, on_readable, &w), 0);
    assert_int_equal(loop_run(loop), -EIO);
    assert_int_equal(w.calls, 1);
    close_watch(&w);
    loop_free(loop);
    loop_free(NULL);
}

static void a_source_removed_in_the_same_round_is_not_called(void **state)
{
    struct loop *loop;
    struct watch a, b;
    int left = 4;

    (void)state;
    assert_int_equal(loop_new(&loop), 0);
    open_watch(&a, loop);
    open_watch(&b, loop);
    a.other = b.pipe[0];
    b.other = a.pipe[0];
    a.drain = b.drain = true;
    assert_int_equal(write(a.pipe[1], "x", 1), 1);
    assert_int_equal(write(b.pipe[1], "x", 1), 1);
    assert_int_equal(loop_add(loop, a.pipe[0], EPOLLIN, on_readable, &a), 0);
    assert_int_equal(loop_add(loop, b.pipe[0], EPOLLIN, on_readable, &b), 0);
    assert_int_equal(loop_add(loop, a.pipe[1], EPOLLOUT, count_down, &left), 0);
    assert_int_equal(loop_run(loop), 7);
    assert_int_equal(a.calls + b.calls, 1);
    close_watch(&a);
    close_watch(&b);
    loop_free(loop);
}

static void sources_are_bounded_and_slots_come_back(void **state)
{
    struct loop *loop;
    struct watch w[LOOP_SOURCES_MAX + 1];

    (void)state;
    assert_int_equal(loop_new(&loop), 0);
    for (size_t i = 0; i <= LOOP_SOURCES_MAX; i++)
        open_watch(&w[i], loop);
    for (size_t i = 0; i < LOOP_SOURCES_MAX; i++)
        assert_int_equal(loop_add(loop, w[i].pipe[0], EPOLLIN, on_readable, &w[i]), 0);
    assert_int_equal(
        loop_add(loop, w[LOOP_SOURCES_MAX].pipe[0], EPOLLIN, on_readable, &w[LOOP_SOURCES_MAX]),
        -ENOSPC);
    loop_remove(loop, w[3].pipe[0]);
    assert_int_equal(
        loop_add(loop, w[LOOP_SOURCES_MAX].pipe[0], EPOLLIN, on_readable, &w[LOOP_SOURCES_MAX]), 0);
    for (size_t i = 0; i <= LOOP_SOURCES_MAX; i++)
        close_watch(&w[i]);
    loop_free(loop);
}

static void a_descriptor_that_cannot_be_waited_for_is_refused(void **state)
{
    struct loop *loop;
    int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC), left = 1;

    (void)state;
    assert_int_equal(loop_new(&loop), 0);
    assert_int_equal(loop_add(loop, -1, EPOLLIN, count_down, &left), -EBADF);
    assert_int_equal(loop_add(loop, fd, EPOLLIN, count_down, &left), -EPERM);
    close(fd);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_ends_with_what_a_function_returned),
        cmocka_unit_test(a_source_removed_in_the_same_round_is_not_called),
        cmocka_unit_test(sources_are_bounded_and_slots_come_back),
        cmocka_unit_test(a_descriptor_that_cannot_be_waited_for_is_refused),
    };

    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}

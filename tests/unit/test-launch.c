// SPDX-License-Identifier: Apache-2.0
#include "base/launch.h"

#include "unit.h"

#include <poll.h>
#include <signal.h>

#define PATIENCE 60000 // ms that anything here may take on a loaded machine

static struct launch hold(const char *script)
{
    const char *argv[] = {"sh", "-c", script, NULL};
    struct launch l = LAUNCH_NONE;

    assert_int_equal(launch_open((char *const *)(uintptr_t)argv, false, &l), 0);
    return l;
}

static bool has_ended(const struct launch *l, int milliseconds)
{
    return poll(&(struct pollfd){.fd = l->pidfd, .events = POLLIN}, 1, milliseconds) == 1;
}

static void it_is_held_until_it_is_let_go(void **state)
{
    struct launch l = hold("exit 7");
    int error;

    (void)state;
    assert_false(has_ended(&l, 100));
    launch_go(&l);
    assert_true(has_ended(&l, PATIENCE));
    assert_int_equal(launch_reap(&l, &error), 7);
    assert_int_equal(error, 0);
    launch_close(&l);
    launch_close(&l);
}

static void one_that_is_given_up_never_runs(void **state)
{
    struct launch l;
    char folder[64], path[128], script[160];

    (void)state;
    scratch_init(folder);
    snprintf(path, sizeof(path), "%s/ran", folder);
    snprintf(script, sizeof(script), "echo >%s", path);
    l = hold(script);
    launch_close(&l);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(l.pid, 0);
    scratch_done(folder);
}

static void one_that_cannot_be_executed_says_why(void **state)
{
    const char *argv[] = {"/nowhere/x", NULL}, *text[] = {"/etc/passwd", NULL};
    struct launch l;
    int error;

    (void)state;
    assert_int_equal(launch_open((char *const *)(uintptr_t)argv, false, &l), 0);
    launch_go(&l);
    assert_true(has_ended(&l, PATIENCE));
    assert_int_equal(launch_reap(&l, &error), LAUNCH_NOT_FOUND);
    assert_int_equal(error, ENOENT);
    launch_close(&l);
    assert_int_equal(launch_open((char *const *)(uintptr_t)text, false, &l), 0);
    launch_go(&l);
    assert_true(has_ended(&l, PATIENCE));
    assert_int_equal(launch_reap(&l, &error), LAUNCH_NOT_RUN);
    assert_int_equal(error, EACCES);
    launch_close(&l);
}

static void reaping_does_not_wait_for_ever(void **state)
{
    struct launch l;
    char folder[64], path[128], script[192];
    int error;

    (void)state;
    scratch_init(folder);
    snprintf(path, sizeof(path), "%s/deaf", folder);
    snprintf(script, sizeof(script), "trap : TERM; echo >%s; while :; do sleep 1; done", path);
    l = hold(script);
    launch_go(&l);
    for (int waited = 0; access(path, F_OK) != 0 && waited < PATIENCE; waited += 20)
        assert_false(has_ended(&l, 20));
    assert_int_equal(launch_reap(&l, &error), 128 + SIGKILL);
    launch_close(&l);
    scratch_done(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_held_until_it_is_let_go),
        cmocka_unit_test(one_that_is_given_up_never_runs),
        cmocka_unit_test(one_that_cannot_be_executed_says_why),
        cmocka_unit_test(reaping_does_not_wait_for_ever),
    };

    return cmocka_run_group_tests_name("launch", tests, NULL, NULL);
}

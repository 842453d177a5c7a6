// SPDX-License-Identifier: Apache-2.0
// A clock of our own on each CPU that stands still while the CPU is offline. Here it is a file that
// says the same twice; tests/pmu takes a real CPU away.
#include "collect/sentinel.h"

#include "unit.h"

#include <sys/mman.h>

// A file that gives these enabled times, one a read.
static int clock_that_says(const uint64_t *enabled, size_t n)
{
    int fd = memfd_create("clock", MFD_CLOEXEC);

    assert_true(fd >= 0);
    for (size_t i = 0; i < n; i++) {
        uint64_t reading[2] = {0, enabled[i]};

        assert_int_equal(write(fd, reading, sizeof(reading)), sizeof(reading));
    }
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static void a_clock_that_stood_still_is_found_once(void **state)
{
    static const uint64_t goes_on[] = {5e8, 15e8, 25e8, 35e8, 45e8}, // ns
        stopped_late[] = {5e8, 15e8, 24e8, 24e8}, stopped_early[] = {5e8, 15e8, 16e8},
                          never_ran[] = {0, 0};
    struct sentinel s;

    (void)state;
    assert_int_equal(sentinel_init(&s, 4), 0);
    s.fds[0] = clock_that_says(goes_on, 5);
    s.fds[1] = clock_that_says(stopped_late, 4);
    s.fds[2] = clock_that_says(never_ran, 2);
    s.fds[3] = clock_that_says(stopped_early, 3);
    assert_int_equal(sentinel_descriptors(&s), 4);
    assert_false(sentinel_look(&s, NS_PER_SEC));
    assert_true(sentinel_look(&s, 2 * NS_PER_SEC));
    assert_false(s.away[0] || s.away[1] || s.away[3]);
    assert_true(s.away[2]);
    // Not yet a second later.
    assert_false(sentinel_look(&s, 2 * NS_PER_SEC + 1));
    // The tick before was late, and this one less so.
    assert_true(sentinel_look(&s, 3 * NS_PER_SEC - 50 * NS_PER_MS));
    assert_false(s.away[0] || s.away[1] || s.away[2]);
    assert_true(s.away[3]);
    assert_int_equal(s.fds[3], -1);
    assert_true(sentinel_look(&s, 4 * NS_PER_SEC));
    assert_false(s.away[0] || s.away[2] || s.away[3]);
    assert_true(s.away[1]);
    assert_false(sentinel_look(&s, 5 * NS_PER_SEC));
    sentinel_done(&s);
}

// Its CPU was just going or coming when it was opened: nobody sees a change, and all is tried
// again.
static void one_that_did_not_open_is_tried_again(void **state)
{
    struct sentinel s;

    (void)state;
    assert_int_equal(sentinel_init(&s, 1), 0);
    s.refused = true;
    assert_false(sentinel_look(&s, NS_PER_SEC / 2));
    assert_true(sentinel_look(&s, NS_PER_SEC));
    assert_false(s.away[0]);
    assert_false(sentinel_look(&s, 2 * NS_PER_SEC));
    sentinel_done(&s);
}

static void it_is_on_the_cpus_of_the_target(void **state)
{
    char message[EVENT_REASON_MAX];
    struct target target;
    struct sentinel s;

    (void)state;
    assert_int_equal(target_system("0", &target, message), 0);
    assert_int_equal(sentinel_init(&s, target_rows(&target)), 0);
    sentinel_follow(&s, &target);
    if (s.fds[0] < 0) {
        sentinel_done(&s);
        target_done(&target);
        skip_because("this user may not count CPUs here");
    }
    assert_int_equal(sentinel_descriptors(&s), 1);
    // A new one's clock begins at 0, which is no reason to doubt it.
    assert_false(sentinel_look(&s, 1000 * NS_PER_SEC));
    assert_true(s.enabled[0] > 0);
    target.n_cpus = 0;
    sentinel_follow(&s, &target);
    assert_int_equal(sentinel_descriptors(&s), 0);
    sentinel_done(&s);
    target_done(&target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_stood_still_is_found_once),
        cmocka_unit_test(one_that_did_not_open_is_tried_again),
        cmocka_unit_test(it_is_on_the_cpus_of_the_target),
    };

    return cmocka_run_group_tests_name("sentinel", tests, NULL, NULL);
}

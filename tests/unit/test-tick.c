// SPDX-License-Identifier: Apache-2.0
#include "collect/tick.h"

#include "unit.h"

#include <poll.h>
#include <stdlib.h>

static void wait_for(const struct tick *t)
{
    struct pollfd p = {.fd = t->fd, .events = POLLIN};

    assert_int_equal(poll(&p, 1, -1), 1);
}

static void the_grid_begins_at_a_round_time_of_the_wall_clock(void **state)
{
    static const ns_t intervals[] = {NS_PER_MS, 10 * NS_PER_MS, 100 * NS_PER_MS, NS_PER_SEC};

    (void)state;
    for (size_t i = 0; i < sizeof(intervals) / sizeof(intervals[0]); i++) {
        ns_t before = clock_ns(CLOCK_MONOTONIC), align = intervals[i];
        struct tick t;

        assert_int_equal(tick_open(&t, intervals[i]), 0);
        if (align > 100 * NS_PER_MS)
            align = 100 * NS_PER_MS;
        assert_int_equal(t.grid.wall % align, 0);
        assert_int_equal(t.grid.interval, intervals[i]);
        assert_true(t.grid.reference > before);
        assert_true(t.grid.reference <= clock_ns(CLOCK_MONOTONIC) + align + 2 * NS_PER_MS);
        assert_int_equal(t.missed, 0);
        assert_false(t.started);
        tick_close(&t);
        assert_int_equal(t.fd, -1);
        tick_close(&t);
    }
}

static void a_tick_is_not_due_before_its_grid_point(void **state)
{
    struct tick t;
    ns_t expiries = 0;

    (void)state;
    assert_int_equal(tick_open(&t, 5 * NS_PER_MS), 0);
    if (tick_take(&t)) {
        assert_true(clock_ns(CLOCK_MONOTONIC) >= t.grid.reference);
        expiries++;
    }
    for (int i = 0; i < 5; i++) {
        wait_for(&t);
        assert_true(tick_take(&t));
        expiries++;
        // However late we are: as many grid points have passed as were taken and missed.
        assert_true(clock_ns(CLOCK_MONOTONIC) >=
                    t.grid.reference + (expiries - 1 + (ns_t)t.missed) * t.grid.interval);
    }
    tick_close(&t);
}

static void missed_ticks_are_counted_and_not_made_up_for(void **state)
{
    const struct timespec sleep = {.tv_nsec = 30 * NS_PER_MS};
    struct tick t;

    (void)state;
    assert_int_equal(tick_open(&t, NS_PER_MS), 0);
    wait_for(&t);
    nanosleep(&sleep, NULL);
    assert_true(tick_take(&t));
    assert_true(t.missed >= 1);
    tick_close(&t);
}

static void the_grid_follows_a_clock_step_and_not_jitter(void **state)
{
    struct tick t;
    ns_t wall;

    (void)state;
    assert_int_equal(tick_open(&t, 100 * NS_PER_MS), 0);
    wall = t.grid.wall;
    t.grid.wall -= 3600 * NS_PER_SEC; // as if the clock had gone an hour ahead
    assert_true(tick_follow_wall_clock(&t));
    assert_true(llabs(t.grid.wall - wall) < 60 * NS_PER_SEC);
    t.grid.wall += 3600 * NS_PER_SEC;
    assert_true(tick_follow_wall_clock(&t));
    assert_true(llabs(t.grid.wall - wall) < 60 * NS_PER_SEC);
    tick_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_grid_begins_at_a_round_time_of_the_wall_clock),
        cmocka_unit_test(a_tick_is_not_due_before_its_grid_point),
        cmocka_unit_test(missed_ticks_are_counted_and_not_made_up_for),
        cmocka_unit_test(the_grid_follows_a_clock_step_and_not_jitter),
    };

    return cmocka_run_group_tests_name("tick", tests, NULL, NULL);
}

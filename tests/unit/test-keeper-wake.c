// SPDX-License-Identifier: Apache-2.0
// When the keeper's thread is woken before its second is over: there is none here, so that it can
// be seen.
#include "rows.h"

#include "history/keeper_private.h"

#define RING 100

static void a_ring_that_is_half_full_of_news_wakes_it(void **state)
{
    struct rows rows;
    struct keeper_config config = {
        .session = &rows.session, .kind = STORE_MEMORY, .path = "", .memory = 1 << 20};
    struct keeper *k;
    int64_t last_ms;
    uint64_t sequence;

    (void)state;
    rows_init(&rows, 1);
    assert_int_equal(keeper_new(&config, &k), 0);
    assert_int_equal(
        keeper_begin(k, &rows.table, ROWS_SLOTS, SCOPE_CPU, ROWS_START, &last_ms, &sequence), 0);
    rows.time_ms = ROWS_START;
    rows_ring(&rows, RING);
    history_continue(rows.session.history, sequence);
    rows_push(&rows);
    keeper_wait(k);
    assert_true(k->woken); // it does not know the ring yet
    keeper_work(k);
    assert_int_equal(k->taken, sequence + 1);

    k->woken = false;
    for (int i = 0; i < RING / 2; i++) {
        rows_push(&rows);
        keeper_wait(k);
        assert_false(k->woken);
    }
    rows_push(&rows);
    keeper_wait(k);
    assert_true(k->woken);
    keeper_work(k);
    assert_int_equal(k->taken, sequence + 2 + RING / 2);
    assert_int_equal(k->status.lost, 0);
    keeper_free(k);
    rows_done(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_that_is_half_full_of_news_wakes_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "collect/online.h"

#include "unit.h"

#define ONLINE "sys/devices/system/cpu/online"

static char root[64];
static struct online online;

static int set_up(void **state)
{
    (void)state;
    scratch_init(root);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    online_close(&online);
    scratch_done(root);
    return 0;
}

static void a_change_is_told_once(void **state)
{
    (void)state;
    scratch_write(root, ONLINE, "0-3\n");
    assert_int_equal(online_open(&online, root), 0);
    assert_string_equal(online.text, "0-3");
    assert_false(online_changed(&online));
    scratch_write(root, ONLINE, "0,2-3\n");
    assert_true(online_changed(&online));
    assert_string_equal(online.text, "0,2-3");
    assert_false(online_changed(&online));
    scratch_write(root, ONLINE, "0-3\n");
    assert_true(online_changed(&online));
}

static void what_cannot_be_read_is_no_change(void **state)
{
    (void)state;
    assert_int_equal(online_open(&online, root), -ENOENT);
    assert_false(online_changed(&online));
    scratch_write(root, ONLINE, "0-1\n");
    assert_int_equal(online_open(&online, root), 0);
    scratch_write(root, ONLINE, "");
    assert_false(online_changed(&online));
    assert_string_equal(online.text, "0-1");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_change_is_told_once),
        TEST(what_cannot_be_read_is_no_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

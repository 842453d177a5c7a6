// SPDX-License-Identifier: Apache-2.0
#include "base/library.h"

#include "unit.h"

#define FUNCTIONS(X) X(str, len) X(str, cmp)

static struct {
    FUNCTIONS(LIBRARY_POINTER)
} c;

static const char *const names[] = {FUNCTIONS(LIBRARY_NAME)};

static void functions_are_where_their_names_say(void **state)
{
    (void)state;
    assert_int_equal(library_load("libc.so.6", names, 2, &c), 0);
    assert_int_equal(c.len("four"), 4);
    assert_int_equal(c.cmp("a", "a"), 0);
}

static void what_is_not_there_is_said(void **state)
{
    static const char *const unknown[] = {"strlen", "no_such_function"};
    void *pointers[2];

    (void)state;
    assert_int_equal(library_load("libcyclescope-nowhere.so.1", names, 2, &pointers), -ELIBACC);
    assert_int_equal(library_load("libc.so.6", unknown, 2, &pointers), -ELIBACC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_are_where_their_names_say),
        cmocka_unit_test(what_is_not_there_is_said),
    };

    return cmocka_run_group_tests_name("library", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include "unit.h"

static const struct {
    const char *text, *tame;
} cases[] = {
    {"", ""},
    {"plain ~", "plain ~"},
    {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xc2\xa0",
     "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xc2\xa0"},
    {"\x1b[31mred\x1b[0m", "?[31mred?[0m"},
    {"a\nb\tc\rd\x7f", "a?b?c?d?"},
    {"\xc2\x9b"
     "31m \xc2\x85",
     "??31m ??"}, // the same as ESC [
    {"\x9b"
     "31m",
     "?31m"},
    {"latin \xe9", "latin \xe9"}, // no UTF-8, and no control
    {"\xe2\x82", "\xe2?"},        // cut
    {"\xc0\x9b", "\xc0?"},        // overlong
};

static void what_steers_a_terminal_goes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[64];
        struct buf b = {0};

        text_copy(text, sizeof(text), cases[i].text);
        text_tame(text);
        assert_string_equal(text, cases[i].tame);
        buf_putc(&b, '\x1b');
        text_put_tame(&b, cases[i].text);
        assert_int_equal(b.size, 1 + strlen(cases[i].tame));
        assert_memory_equal(b.data + 1, cases[i].tame, b.size - 1);
        assert_int_equal(b.data[0], '\x1b');
        buf_done(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_steers_a_terminal_goes)};

    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}

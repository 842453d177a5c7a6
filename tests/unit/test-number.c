// SPDX-License-Identifier: Apache-2.0
#include "output/number.h"

#include "unit.h"

static void numbers_are_short_with_a_prefix(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},         {1, "1.00"},     {0.5, "0.500"},    {0.0004, "0.0004"},
        {12.345, "12.3"}, {99.96, "100"},  {999.4, "999"},    {999.6, "1.00k"},
        {1234, "1.23k"},  {99960, "100k"}, {2.31e9, "2.31G"}, {-1500, "-1.50k"},
        {1e18, "1.00E"},  {1e25, "1e+25"}, {9.996, "10.0"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[NUMBER_SHORT_MAX];

        number_short(cases[i].value, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void numbers_are_whole_with_their_digits_in_threes(void **state)
{
    static const struct {
        double value;
        int decimals;
        const char *text;
    } cases[] = {
        {0, 0, "0"},
        {999, 0, "999"},
        {1000, 0, "1,000"},
        {123456789012, 0, "123,456,789,012"},
        {1234.5, 2, "1,234.50"},
        {-1234567, 0, "-1,234,567"},
        {0.002276, 6, "0.002276"},
        {1e40, 0, "1e+40"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[NUMBER_WHOLE_MAX];

        number_whole(cases[i].value, cases[i].decimals, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void units_have_signs(void **state)
{
    const char *sign;

    (void)state;
    assert_near(number_unit("share", &sign), 100);
    assert_string_equal(sign, "%");
    assert_near(number_unit("ns", &sign), 1e-9);
    assert_string_equal(sign, "s");
    assert_near(number_unit("Joules", &sign), 1);
    assert_string_equal(sign, "Joules");
    assert_near(number_unit("instructions per cycle", &sign), 1);
    assert_string_equal(sign, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_short_with_a_prefix),
        cmocka_unit_test(numbers_are_whole_with_their_digits_in_threes),
        cmocka_unit_test(units_have_signs),
    };

    return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}

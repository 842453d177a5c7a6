// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"

#include "unit.h"

#include <inttypes.h>

static void grows_and_keeps_its_bytes(void **state)
{
    struct buf b = {0};

    (void)state;
    assert_null(b.data);
    for (int i = 0; i < 10000; i++)
        buf_putc(&b, (char)('a' + i % 26));
    assert_int_equal(b.size, 10000);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(b.data[i], 'a' + i % 26);
    assert_int_equal(buf_error(&b), 0);
    buf_done(&b);
    assert_null(b.data);
    buf_done(&b);
    buf_done(NULL);
}

static void printf_and_puts_append(void **state)
{
    struct buf b = {0};
    char expected[1200];

    (void)state;
    buf_puts(&b, "x=");
    buf_printf(&b, "%d;%s", 42, "y");
    assert_buf(&b, "x=42;y");
    buf_clear(&b);
    buf_printf(&b, "%01000d", 7);
    snprintf(expected, sizeof(expected), "%01000d", 7);
    assert_buf(&b, expected);
    buf_done(&b);
}

static void no_memory_is_remembered_until_clear(void **state)
{
    struct buf b = {0};

    (void)state;
    buf_puts(&b, "kept");
    assert_int_equal(buf_reserve(&b, SIZE_MAX - 2), -ENOMEM);
    assert_int_equal(buf_error(&b), -ENOMEM);
    buf_puts(&b, "lost");
    assert_int_equal(buf_reserve(&b, 1), -ENOMEM);
    assert_buf(&b, "kept");
    buf_clear(&b);
    assert_int_equal(buf_error(&b), 0);
    buf_puts(&b, "new");
    assert_buf(&b, "new");
    buf_done(&b);
}

static void whole_numbers_have_all_their_digits(void **state)
{
    static const struct {
        int64_t value;
        const char *text;
    } cases[] = {{0, "0"},
                 {7, "7"},
                 {-1, "-1"},
                 {1234567890123, "1234567890123"},
                 {INT64_MAX, "9223372036854775807"},
                 {INT64_MIN, "-9223372036854775808"}};
    struct buf b = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        buf_clear(&b);
        buf_put_i64(&b, cases[i].value);
        assert_buf(&b, cases[i].text);
    }
    buf_clear(&b);
    buf_put_u64(&b, UINT64_MAX);
    assert_buf(&b, "18446744073709551615");
    buf_done(&b);
}

static void numbers_of_every_length_are_as_printf_writes_them(void **state)
{
    struct buf b = {0};
    uint64_t power = 1;

    (void)state;
    for (int digits = 1; digits <= 20; digits++, power *= 10)
        for (int step = -1; step <= 1; step++) {
            uint64_t value = power + (uint64_t)step;
            char text[24];

            buf_clear(&b);
            buf_put_u64(&b, value);
            snprintf(text, sizeof(text), "%" PRIu64, value);
            assert_buf(&b, text);
        }
    buf_done(&b);
}

static void sig6_rounds_to_six_significant_digits(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "0"},
        {1, "1"},
        {0.5, "0.5"},
        {-0.75, "-0.75"},
        {2.0 / 3, "0.666667"},
        {1.0 / 3, "0.333333"},
        {1.2345678, "1.23457"},
        {12.345678, "12.3457"},
        {123456.4, "123456"},
        {123456.6, "123457"},
        {12345.67, "12345.7"},
        {100, "100"},
        {100000, "100000"},
        {0.1, "0.1"},
        {0.01, "0.01"},
        {0.001, "0.001"},
        {0.05, "0.05"},
        {0.000123456789, "0.000123457"},
        {9.9999996, "10"},
        {0.99999996, "1"},
        {0.099999996, "0.1"},
        {999999.6, "1000000"},
        {1.000001, "1"},
        {1.00001, "1.00001"},
        {1e6, "1000000"},
        {1e14, "100000000000000"},
        {1234567.5, "1234568"},
        {123456789012345.5, "123456789012346"},
        {-99999.95, "-100000"},
        {-9.5, "-9.5"},
        {10.01, "10.01"},
        {10.0001, "10.0001"},
        {10.00001, "10"},
        {100.5, "100.5"},
        {0.0000123456, "0.0000123456"},
        {0.00000123456, "0.00000123456"},
        {0.0100001, "0.0100001"},
    };
    struct buf b = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        buf_clear(&b);
        buf_put_sig6(&b, cases[i].value);
        assert_buf(&b, cases[i].text);
    }
    buf_done(&b);
}

static void sig6_is_within_half_a_unit_of_its_sixth_digit(void **state)
{
    struct buf b = {0};

    (void)state;
    for (int exponent = -9; exponent < 18; exponent++)
        for (int m = 1; m < 100; m++) {
            double value = m * 0.10101010101 * pow(10, exponent), back;

            buf_clear(&b);
            buf_put_sig6(&b, value);
            buf_putc(&b, '\0');
            assert_int_equal(buf_error(&b), 0);
            back = strtod(b.data, NULL);
            assert_true(fabs(back - value) <= value * 5.01e-6);
            assert_true(fabs(back - value) <= pow(10, floor(log10(value)) - 5) * 0.501);
            if (value >= 1e-6 && value < 1e15)
                assert_null(strpbrk(b.data, "eE"));
        }
    buf_done(&b);
}

// 1e-6 · 10⁶ is a little below 1 in binary: one step too far, beyond the table of powers.
static void sig6_takes_its_least_number_without_exponent(void **state)
{
    struct buf b = {0};

    (void)state;
    buf_put_sig6(&b, 1e-6);
    assert_buf(&b, "0.000001");
    buf_clear(&b);
    buf_put_sig6(&b, -1.5e-6);
    assert_buf(&b, "-0.0000015");
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_keeps_its_bytes),
        cmocka_unit_test(printf_and_puts_append),
        cmocka_unit_test(no_memory_is_remembered_until_clear),
        cmocka_unit_test(whole_numbers_have_all_their_digits),
        cmocka_unit_test(numbers_of_every_length_are_as_printf_writes_them),
        cmocka_unit_test(sig6_rounds_to_six_significant_digits),
        cmocka_unit_test(sig6_is_within_half_a_unit_of_its_sixth_digit),
        cmocka_unit_test(sig6_takes_its_least_number_without_exponent),
    };

    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}

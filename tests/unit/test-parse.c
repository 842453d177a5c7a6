// SPDX-License-Identifier: Apache-2.0
#include "base/parse.h"

#include "unit.h"

static void u64_takes_decimal_and_hexadecimal_and_nothing_else(void **state)
{
    static const struct {
        const char *text;
        int result;
        uint64_t value;
    } cases[] = {
        {"0", 0, 0},
        {"42", 0, 42},
        {"007", 0, 7},
        {"0x1f", 0, 31},
        {"0XFF", 0, 255},
        {"18446744073709551615", 0, UINT64_MAX},
        {"0xffffffffffffffff", 0, UINT64_MAX},
        {"18446744073709551616", -ERANGE, 0},
        {"0x10000000000000000", -ERANGE, 0},
        {"", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"+1", -EINVAL, 0},
        {" 1", -EINVAL, 0},
        {"1 ", -EINVAL, 0},
        {"1x", -EINVAL, 0},
        {"a", -EINVAL, 0},
        {"0x", -EINVAL, 0},
        {"0x-1", -EINVAL, 0},
        {"0xg", -EINVAL, 0},
        {"1.5", -EINVAL, 0},
        {"1e3", -EINVAL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t value = 12345;

        assert_int_equal(parse_u64(cases[i].text, &value), cases[i].result);
        assert_int_equal(value, cases[i].result ? 12345 : cases[i].value);
    }
}

static void durations_need_their_unit(void **state)
{
    static const struct {
        const char *text;
        int result;
        ns_t value;
    } cases[] = {
        {"100ms", 0, 100 * NS_PER_MS},
        {"1s", 0, NS_PER_SEC},
        {"5m", 0, 300 * NS_PER_SEC},
        {"2h", 0, 7200 * NS_PER_SEC},
        {"0s", 0, 0},
        {"9223372036s", 0, 9223372036 * NS_PER_SEC},
        {"9223372037s", -ERANGE, 0},
        {"99999999999999999999s", -ERANGE, 0},
        {"2562048h", -ERANGE, 0},
        {"100", -EINVAL, 0},
        {"", -EINVAL, 0},
        {"ms", -EINVAL, 0},
        {"-1s", -EINVAL, 0},
        {"1.5s", -EINVAL, 0},
        {"1 s", -EINVAL, 0},
        {"1S", -EINVAL, 0},
        {"1sec", -EINVAL, 0},
        {"1us", -EINVAL, 0},
        {"0x10s", -EINVAL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ns_t value = -7;

        assert_int_equal(parse_duration(cases[i].text, &value), cases[i].result);
        assert_int_equal(value, cases[i].result ? -7 : cases[i].value);
    }
}

static void sizes_take_binary_units_or_bytes(void **state)
{
    static const struct {
        const char *text;
        int result;
        size_t value;
    } cases[] = {
        {"512KiB", 0, 512 << 10},
        {"32MiB", 0, 32 << 20},
        {"1GiB", 0, 1 << 30},
        {"4096", 0, 4096},
        {"17179869183GiB", 0, 17179869183ull << 30},
        {"17179869184GiB", -ERANGE, 0},
        {"1MB", -EINVAL, 0},
        {"1M", -EINVAL, 0},
        {"1kib", -EINVAL, 0},
        {"", -EINVAL, 0},
        {"KiB", -EINVAL, 0},
        {"-1KiB", -EINVAL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t value = 99;

        assert_int_equal(parse_size(cases[i].text, &value), cases[i].result);
        assert_int_equal(value, cases[i].result ? 99 : cases[i].value);
    }
}

static void check_cpus(const char *text, size_t n, const int *expected)
{
    int *cpus = NULL;
    size_t count = 999;

    assert_int_equal(parse_cpu_list(text, &cpus, &count), 0);
    assert_int_equal(count, n);
    assert_non_null(cpus);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(cpus[i], expected[i]);
    free(cpus);
}

static void cpu_lists_come_out_ascending_without_repeats(void **state)
{
    (void)state;
    check_cpus("0", 1, (int[]){0});
    check_cpus("0,2-3", 3, (int[]){0, 2, 3});
    check_cpus("0,2-3\n", 3, (int[]){0, 2, 3});
    check_cpus("3,1,2,1-2", 3, (int[]){1, 2, 3});
    check_cpus("5-5", 1, (int[]){5});
    check_cpus("65535", 1, (int[]){65535});
    check_cpus("", 0, NULL);
    check_cpus("\n", 0, NULL);
}

static void malformed_cpu_lists_are_refused_and_leave_their_output(void **state)
{
    static const struct {
        const char *text;
        int result;
    } cases[] = {
        {"a", -EINVAL},    {"0-", -EINVAL},      {"-1", -EINVAL},
        {"3-1", -EINVAL},  {"0 1", -EINVAL},     {"0,,1", -EINVAL},
        {",0", -EINVAL},   {"0-1-2", -EINVAL},   {"65536", -ERANGE},
        {"0x1", -EINVAL},  {"0-65536", -ERANGE}, {"0-4294967296", -ERANGE},
        {"0-+1", -EINVAL}, {"1-0x2", -EINVAL},   {"99999999999999999999", -ERANGE},
        {"0,", -EINVAL},   {"0,\n", -EINVAL},    {"all", -EINVAL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int marker, *cpus = &marker;
        size_t n = 77;
        int r = parse_cpu_list(cases[i].text, &cpus, &n);

        if (r != cases[i].result)
            fail_msg("'%s' gives %d, not %d", cases[i].text, r, cases[i].result);
        assert_ptr_equal(cpus, &marker);
        assert_int_equal(n, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(u64_takes_decimal_and_hexadecimal_and_nothing_else),
        cmocka_unit_test(durations_need_their_unit),
        cmocka_unit_test(sizes_take_binary_units_or_bytes),
        cmocka_unit_test(cpu_lists_come_out_ascending_without_repeats),
        cmocka_unit_test(malformed_cpu_lists_are_refused_and_leave_their_output),
    };

    return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}

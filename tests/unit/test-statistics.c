// SPDX-License-Identifier: Apache-2.0
// Expected values were computed with NumPy (mean, std(ddof=1), percentile, corrcoef), or by hand.
#include "model/statistics.h"

#include "unit.h"

static double scratch[4096];

static struct statistics of(const double *values, size_t n)
{
    struct statistics s;

    statistics_of(values, n, scratch, &s);
    return s;
}
#define OF(...)                                                                                    \
    of((const double[]){__VA_ARGS__}, sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

static void nothing_has_no_statistics(void **state)
{
    struct statistics s = OF(NAN, NAN);

    (void)state;
    assert_int_equal(s.n, 0);
    assert_nan(s.mean);
    assert_nan(s.deviation);
    assert_nan(s.p50);
    assert_nan(s.first);
    s = of(NULL, 0);
    assert_int_equal(s.n, 0);
}

static void one_value_is_all_but_its_deviation(void **state)
{
    struct statistics s = OF(NAN, 7, NAN);

    (void)state;
    assert_int_equal(s.n, 1);
    assert_near(s.mean, 7);
    assert_near(s.p99, 7);
    assert_near(s.first, 7);
    assert_near(s.last, 7);
    assert_nan(s.deviation);
    assert_nan(s.error);
}

static void known_values(void **state)
{
    // numpy: v=[2,4,4,4,5,5,7,9]; std(ddof=1)=2.1380899352993952
    struct statistics s = OF(2, 4, NAN, 4, 4, 5, 5, 7, 9);

    (void)state;
    assert_int_equal(s.n, 8);
    assert_near(s.mean, 5);
    assert_near(s.deviation, 2.1380899352993952);
    assert_near(s.min, 2);
    assert_near(s.max, 9);
    assert_near(s.first, 2);
    assert_near(s.last, 9);
    assert_near(s.p50, 4.5);
}

static void percentiles_are_linear_between_ranks(void **state)
{
    struct statistics s = OF(15, 20, 35, 40, 50);
    double values[101];

    (void)state;
    assert_near(s.p50, 35);
    assert_near(s.p95, 48); // rank 3.8
    assert_near(s.p99, 49.6);
    for (int i = 0; i <= 100; i++)
        values[i] = 100 - i;
    s = of(values, 101);
    assert_near(s.p50, 50);
    assert_near(s.p95, 95);
    assert_near(s.p99, 99);
    assert_near(s.first, 100);
    assert_near(s.last, 0);
}

static void a_large_offset_takes_no_digits(void **state)
{
    struct statistics s = OF(1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16);

    (void)state;
    assert_near(s.mean, 1e9 + 10);
    assert_near(s.deviation, sqrt(30));
}

static void the_error_is_that_of_twenty_batches(void **state)
{
    double values[43];
    struct statistics s;

    (void)state;
    // Batches of 2, whose means are 0, 1, …, 19; the oldest three are left over.
    for (int i = 0; i < 43; i++)
        values[i] = i < 3 ? 1000 : (i - 3) / 2 + ((i - 3) % 2 ? 0.25 : -0.25);
    s = of(values, 43);
    assert_near(s.error, sqrt(35) / sqrt(20)); // the variance of 0 … 19 is 35
    assert_nan(of(values, 39).error);
    assert_false(isnan(of(values, 40).error));
}

static void the_error_grows_with_likeness(void **state)
{
    double values[2000], x = 0;
    unsigned seed = 1;
    struct statistics s;

    (void)state;
    // An autoregressive series, x' = 0.9 x + noise: the error of its mean is √(1.9 / 0.1) = 4.4
    // times that of independent values.
    for (int i = 0; i < 2000; i++) {
        seed = seed * 1664525u + 1013904223u;
        x = 0.9 * x + (double)(seed >> 8) / (1 << 24) - 0.5;
        values[i] = x;
    }
    s = of(values, 2000);
    assert_true(s.error > 2.5 * s.deviation / sqrt(2000));
    assert_true(s.error < 8 * s.deviation / sqrt(2000));
}

static void correlation_of_known_pairs(void **state)
{
    static const double a[] = {1, 2, 3, 4, 5}, up[] = {3, 5, 7, 9, 11},
                        down[] = {-1, -2, -3, -4, -5};
    static const double other[] = {2, 4, 5, 4, 5}; // numpy.corrcoef: 0.7745966692414834
    size_t n;

    (void)state;
    assert_near(statistics_correlation(a, up, 5, &n), 1);
    assert_int_equal(n, 5);
    assert_near(statistics_correlation(a, down, 5, &n), -1);
    assert_near(statistics_correlation(a, other, 5, &n), 0.7745966692414834);
    assert_near(statistics_correlation(other, a, 5, &n), 0.7745966692414834);
}

static void only_pairs_correlate(void **state)
{
    static const double a[] = {1, NAN, 2, 3, 100, 4, 5}, b[] = {2, 77, 4, 5, NAN, 4, 5};
    size_t n;

    (void)state;
    assert_near(statistics_correlation(a, b, 7, &n), 0.7745966692414834);
    assert_int_equal(n, 5);
    assert_nan(statistics_correlation(a, b, 3, &n));
    assert_int_equal(n, 2);
}

static void what_does_not_vary_does_not_correlate(void **state)
{
    double a[1000], b[1000];
    size_t n;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        a[i] = i;
        b[i] = 0.1; // whose sum is not 100
    }
    assert_nan(statistics_correlation(a, b, 1000, &n));
    assert_int_equal(n, 1000);
    a[999] = NAN;
    assert_nan(statistics_correlation(b, a, 1000, &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_has_no_statistics),
        cmocka_unit_test(one_value_is_all_but_its_deviation),
        cmocka_unit_test(known_values),
        cmocka_unit_test(percentiles_are_linear_between_ranks),
        cmocka_unit_test(a_large_offset_takes_no_digits),
        cmocka_unit_test(the_error_is_that_of_twenty_batches),
        cmocka_unit_test(the_error_grows_with_likeness),
        cmocka_unit_test(correlation_of_known_pairs),
        cmocka_unit_test(only_pairs_correlate),
        cmocka_unit_test(what_does_not_vary_does_not_correlate),
    };

    return cmocka_run_group_tests_name("statistics", tests, NULL, NULL);
}

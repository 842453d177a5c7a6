// SPDX-License-Identifier: Apache-2.0
#include "api/params.h"
#include "api/render.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define N_EVENTS 4
#define N_SLOTS  2

// Two events that give cpi, one that is not there, one gauge; a total and one CPU.
static struct session session_with(struct event_table *events)
{
    static const struct {
        const char *name;
        enum event_kind kind;
        enum quality availability;
        int group;
    } rows[N_EVENTS] = {
        {"cycles", EVENT_COUNT, QUALITY_EXACT, 0},
        {"instructions", EVENT_COUNT, QUALITY_EXACT, 0},
        {"cache-misses", EVENT_COUNT, QUALITY_DENIED, 1},
        {"cpu-idle", EVENT_GAUGE, QUALITY_EXACT, 2},
    };
    struct session s;

    *events = (struct event_table){0};
    for (size_t i = 0; i < N_EVENTS; i++) {
        struct event e = {.id = i + 1,
                          .kind = rows[i].kind,
                          .availability = rows[i].availability,
                          .group = rows[i].group,
                          .scale = 1};

        snprintf(e.name, sizeof(e.name), "%s", rows[i].name);
        assert_int_equal(event_table_add(events, &e), (int)i);
    }
    assert_int_equal(session_init(&s), 0);
    strcpy(s.run, "run1");
    assert_int_equal(history_new(events, N_SLOTS, SCOPE_CPU, 100, 1 << 20, &s.history), 0);
    return s;
}

// cycles 3,000,000,000 and instructions 2,000,000,000 per second, `running` of the time; the CPU
// has a third of them.
static void push(struct session *s, int64_t timestamp, double running)
{
    struct sum sums[N_SLOTS][N_EVENTS];

    for (int slot = 0; slot < N_SLOTS; slot++) {
        double share = running / (slot ? 3 : 1);

        sums[slot][0] = (struct sum){3e8 * share, 1e8, 1e8 * running};
        sums[slot][1] = (struct sum){2e8 * share, 1e8, 1e8 * running};
        sums[slot][2] = SUM_NONE;
        sums[slot][3] = (struct sum){.raw = 1e6 * (double)timestamp};
    }
    history_push(s->history, &(struct interval){timestamp, 0.1000012, &sums[0][0]});
}

static const char *render(struct selection *c, uint64_t from, uint64_t to, size_t slot)
{
    static struct buf out;

    buf_clear(&out);
    render_sample_open(&out, c, from, to, slot);
    buf_append(&out, "}", 2);
    assert_int_equal(buf_error(&out), 0);
    return out.data;
}

static void test_samples(void **state)
{
    struct event_table events;
    struct session s = session_with(&events);
    struct selection all, some;
    struct buf out = {0};

    (void)state;
    push(&s, 1000, 1);
    push(&s, 1100, 0.75);
    push(&s, 1200, 0);
    assert_int_equal(selection_init(&all, NULL), 0);
    assert_int_equal(selection_bind(&all, &s), 1);
    assert_int_equal(selection_bind(&all, &s), 0);
    assert_string_equal(
        render(&all, 1, 1, 0),
        "{\"timestamp\":1000,\"seconds\":0.100001,\"sequence\":1,\"cycles\":300000000,"
        "\"instructions\":200000000,\"cache_misses\":null,\"cpu_idle\":null,"
        "\"cpi\":1.5,\"ipc\":0.666667,\"cycles_per_second\":2999964000,"
        "\"instructions_per_second\":1999976000,\"ghz\":3,\"cache_mpki\":null,"
        "\"quality\":{\"cache_misses\":\"denied\",\"cache_mpki\":\"denied\"}}");
    assert_int_equal(selection_init(&some, "cpi,cycles,cpi,nonsense"), 0);
    assert_int_equal(selection_bind(&some, &s), 1);
    assert_string_equal(
        render(&some, 2, 2, 0),
        "{\"timestamp\":1100,\"seconds\":0.100001,\"sequence\":2,\"cpi\":1.5,"
        "\"cycles\":300000000,\"quality\":{\"cpi\":\"scaled 75\",\"cycles\":\"scaled 75\"}}");
    assert_string_equal(
        render(&some, 3, 3, 1),
        "{\"timestamp\":1200,\"seconds\":0.100001,\"sequence\":3,\"cpi\":null,"
        "\"cycles\":null,\"quality\":{\"cpi\":\"never ran\",\"cycles\":\"never ran\"}}");
    render_columns(&out, &some, 1, 1, 1);
    buf_append(&out, "", 1);
    assert_string_equal(out.data, "{\"cpi\":1.5,\"cycles\":100000000}");
    buf_done(&out);
    selection_done(&some);

    assert_int_equal(selection_init(&some, "nonsense"), 0);
    assert_int_equal(selection_bind(&some, &s), 1);
    render_columns(&out, &some, 1, 1, 1);
    buf_append(&out, "", 1);
    assert_string_equal(out.data, "{}");
    buf_done(&out);
    selection_done(&some);

    // Another run: bound anew.
    strcpy(s.run, "run2");
    assert_int_equal(selection_bind(&all, &s), 1);
    selection_done(&all);
    session_done(&s);
    event_table_done(&events);
}

static void test_unknown_names(void **state)
{
    struct event_table events;
    struct session s = session_with(&events);
    size_t length;
    const char *names = "cycles,x,cpi";

    (void)state;
    assert_null(selection_unknown("cycles,cpi", s.history, &length));
    assert_ptr_equal(selection_unknown(names, s.history, &length), names + 7);
    assert_int_equal(length, 1);
    assert_non_null(selection_unknown("", s.history, &length));
    assert_int_equal(length, 0);
    assert_non_null(selection_unknown("cycles,", s.history, &length));
    assert_non_null(selection_unknown("CYCLES", s.history, &length));
    session_done(&s);
    event_table_done(&events);
}

static void test_numbers(void **state)
{
    static const struct {
        double value;
        const char *count, *metric;
    } cases[] = {
        {0, "0", "0"},
        {1234567, "1234567", "1234567"},
        {9007199254740992, "9007199254740992", "9007199254740992"},
        {0.5, "1", "0.5"},
        {-3.25, "-3", "-3.25"},
        {-0.25, "0", "-0.25"},
        {-2.5, "-3", "-2.5"},
        {0.49999999999999994, "0", "0.5"},
        {4503599627370495.5, "4503599627370496", "4.5036e+15"},
        {8999999999999998976, "8999999999999998976", "8999999999999998976"},
        {9e18, "null", "9000000000000000000"},
        {NAN, "null", "null"},
        {INFINITY, "null", "null"},
        {-INFINITY, "null", "null"},
        {1e19, "null", "1e+19"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf b = {0};

        render_count(&b, cases[i].value);
        buf_putc(&b, ' ');
        render_metric(&b, cases[i].value);
        buf_append(&b, "", 1);
        assert_memory_equal(b.data, cases[i].count, strlen(cases[i].count));
        assert_string_equal(strchr(b.data, ' ') + 1, cases[i].metric);
        buf_done(&b);
    }
}

// A list is what its numbers are, whatever its length and their distance.
static void test_lists_of_numbers(void **state)
{
    static const double kinds[] = {0, 100, 2.5e9, 0.666666666, 1e-9, NAN, -17.25, 1e17};
    double values[600];

    (void)state;
    for (size_t i = 0; i < 600; i++)
        values[i] = kinds[i * 5 % 8] * (i % 3 ? 1 : (double)i);
    for (size_t n = 0; n <= 200; n += n < 130 ? 1 : 7)
        for (size_t step = 1; step <= 3; step += 2)
            for (int whole = 0; whole < 2; whole++) {
                struct buf list = {0}, expected = {0};

                for (size_t i = 0; i < n; i++) {
                    if (i)
                        buf_putc(&expected, ',');
                    if (whole)
                        render_count(&expected, values[i * step]);
                    else
                        render_metric(&expected, values[i * step]);
                }
                render_numbers(&list, values, n, step, whole);
                assert_int_equal(buf_error(&list), 0);
                assert_int_equal(list.size, expected.size);
                assert_true(!n || memcmp(list.data, expected.data, list.size) == 0);
                buf_done(&list);
                buf_done(&expected);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_unknown_names),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_lists_of_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

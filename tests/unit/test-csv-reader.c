// SPDX-License-Identifier: Apache-2.0
#include "stream/csv_reader.h"

#include "unit.h"

#define ROWS_MAX 64

static struct csv_reader *reader;
static char header[4096]; // "a|b|" of the newest
static unsigned headers;
static struct {
    int64_t timestamp;
    double values[8];
} rows[ROWS_MAX];
static size_t n_rows, n_columns;
static int answer;

static int on_header(void *context, const char (*names)[EVENT_NAME_MAX], size_t n)
{
    (void)context;
    header[0] = '\0';
    for (size_t i = 0; i < n && i < 8; i++) {
        strncat(header, names[i], 200);
        strcat(header, "|");
    }
    headers++;
    n_columns = n;
    return answer;
}

static void on_row(void *context, int64_t timestamp_ms, const double *values)
{
    (void)context;
    if (n_rows == ROWS_MAX)
        return;
    rows[n_rows].timestamp = timestamp_ms;
    memcpy(rows[n_rows++].values, values, (n_columns < 8 ? n_columns : 8) * sizeof(*values));
}

static int set_up(void **state)
{
    static const struct csv_handler handler = {.header = on_header, .row = on_row};

    (void)state;
    header[0] = '\0';
    headers = 0;
    n_rows = 0;
    answer = 0;
    return csv_reader_new(&handler, NULL, &reader);
}

static int tear_down(void **state)
{
    (void)state;
    csv_reader_free(reader);
    return 0;
}

static int feed(const char *text)
{
    return csv_reader_feed(reader, text, strlen(text));
}

static void columns_are_found_by_name_in_any_order(void **state)
{
    (void)state;
    assert_int_equal(feed("cycles, Timestamp ,\"cache misses\"\n5,1763830000100,7\n"), 0);
    assert_string_equal(header, "cycles|cache misses|");
    assert_int_equal(n_rows, 1);
    assert_int_equal(rows[0].timestamp, 1763830000100);
    assert_near(rows[0].values[0], 5);
    assert_near(rows[0].values[1], 7);
}

static void what_is_no_number_has_no_value(void **state)
{
    static const char *const none[] = {"",     "-",   "x",     "nan",          "inf",
                                       "0x10", "1 2", "1e999", "--1",          "1,5\"",
                                       "1..",  "e5",  "+",     "<not counted>"};

    (void)state;
    assert_int_equal(feed("timestamp,a\n"), 0);
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        char row[128];

        snprintf(row, sizeof(row), "%d,\"%s\"\n", (int)(1000 + i), none[i]);
        feed(row);
        assert_int_equal(n_rows, i + 1);
        assert_nan(rows[i].values[0]);
    }
}

static void numbers_of_every_form_are_read(void **state)
{
    (void)state;
    feed("timestamp,a,b,c,d\n1000,1.5,-2,3e2,999999999999999999\n1001,+1,.5,1.,"
         "123456789012345678901\n");
    assert_int_equal(n_rows, 2);
    assert_near(rows[0].values[0], 1.5);
    assert_near(rows[0].values[1], -2);
    assert_near(rows[0].values[2], 300);
    assert_near(rows[0].values[3], 1e18);
    assert_near(rows[1].values[0], 1);
    assert_near(rows[1].values[1], .5);
    assert_near(rows[1].values[2], 1);
    assert_near(rows[1].values[3], 123456789012345678901.0);
}

static void timestamps_come_in_any_unit(void **state)
{
    (void)state;
    feed("timestamp,a\n1763830000.1,1\n1763830000200,1\n1763830000300000,1\n1763830000400000000,"
         "1\n");
    assert_int_equal(n_rows, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(rows[i].timestamp, 1763830000100 + 100 * (int64_t)i);
}

static void pieces_of_any_size_give_the_same(void **state)
{
    static const char text[] =
        "\xef\xbb\xbftimestamp,a,b\r\n\r\n1000,1,2   \r\n  1001 , 3 , 4\r\n1002,5,6\n";

    (void)state;
    for (size_t piece = 1; piece < sizeof(text); piece++) {
        csv_reader_restart(reader);
        n_rows = 0;
        for (size_t at = 0; at < sizeof(text) - 1; at += piece) {
            size_t left = sizeof(text) - 1 - at;

            assert_int_equal(csv_reader_feed(reader, text + at, left < piece ? left : piece), 0);
        }
        assert_int_equal(n_rows, 3);
        assert_near(rows[1].values[0], 3);
        assert_near(rows[2].values[1], 6);
    }
    assert_int_equal(headers, 1); // the same again is none
    assert_int_equal(csv_reader_malformed(reader), 0);
}

static void half_a_row_waits_for_its_rest(void **state)
{
    (void)state;
    feed("timestamp,a\n1000,1\n1001,12");
    assert_int_equal(n_rows, 1);
    feed("3\n");
    assert_int_equal(n_rows, 2);
    assert_near(rows[1].values[0], 123);
}

static void what_is_no_row_is_skipped_and_counted(void **state)
{
    (void)state;
    feed("timestamp,a,b\n"
         "1000,1\n"
         "1000,1,2,3\n"
         "soon,1,2\n"
         "-5,1,2\n"
         "99999999999999999999999,1,2\n"
         "\x01\x02\xff\xfe\n"
         "1001,1,2\n");
    assert_int_equal(n_rows, 1);
    assert_int_equal(rows[0].timestamp, 1001000);
    assert_int_equal(csv_reader_malformed(reader), 6);
}

static void a_line_without_end_is_bounded(void **state)
{
    static char x[5000];

    (void)state;
    memset(x, '1', sizeof(x));
    feed("timestamp,a\n1000,1\n1001,");
    for (int i = 0; i < 1000; i++)
        assert_int_equal(csv_reader_feed(reader, x, sizeof(x)), 0);
    feed("\n1002,2\n");
    assert_int_equal(n_rows, 2);
    assert_near(rows[1].values[0], 2);
    assert_int_equal(csv_reader_malformed(reader), 1);
}

static void a_header_without_end_is_refused(void **state)
{
    static char x[5000];
    int r = 0;

    (void)state;
    memset(x, 'x', sizeof(x));
    for (int i = 0; i < 1000 && r == 0; i++)
        r = csv_reader_feed(reader, x, sizeof(x));
    assert_int_equal(r, -EPROTO);
}

static void what_is_no_csv_is_refused_until_another_file_begins(void **state)
{
    static const char *const bad[] = {"hello, world\n", "1,2,3\n", "\x01\x02", "timestamps,a\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(feed(bad[i]), -EPROTO);
        assert_int_equal(feed("timestamp,a\n1000,1\n"), -EPROTO);
        csv_reader_restart(reader);
    }
    assert_int_equal(n_rows, 0);
    assert_int_equal(feed("timestamp,a\n1000,1\n"), 0);
    assert_int_equal(n_rows, 1);
    // The columns are not forgotten over it.
    csv_reader_restart(reader);
    assert_int_equal(feed("hello\n"), -EPROTO);
    csv_reader_restart(reader);
    assert_int_equal(feed("timestamp,a\n1001,1\n"), 0);
    assert_int_equal(n_rows, 2);
    assert_int_equal(headers, 1);
}

static void a_header_in_mid_file_counts_from_there(void **state)
{
    (void)state;
    feed("timestamp,a,b\n1000,1,2\ntimestamp,a,b\n1001,3,4\nb,timestamp\n5,1002\n");
    assert_int_equal(headers, 2);
    assert_string_equal(header, "b|");
    assert_int_equal(n_rows, 3);
    assert_int_equal(rows[2].timestamp, 1002000);
    assert_near(rows[2].values[0], 5);
    assert_int_equal(csv_reader_malformed(reader), 0);
}

static void the_columns_are_bounded(void **state)
{
    char name[16];

    (void)state;
    feed("timestamp");
    for (size_t i = 0; i < CSV_COLUMNS_MAX; i++) {
        snprintf(name, sizeof(name), ",a%zu", i);
        feed(name);
    }
    assert_int_equal(feed("\n"), 0);
    assert_int_equal(n_columns, CSV_COLUMNS_MAX);
    csv_reader_restart(reader);
    feed("timestamp");
    for (size_t i = 0; i <= CSV_COLUMNS_MAX; i++)
        feed(",a");
    assert_int_equal(feed("\n"), -E2BIG);
}

static void an_error_of_the_handler_ends_the_reading(void **state)
{
    (void)state;
    answer = -ENOMEM;
    assert_int_equal(feed("timestamp,a\n1000,1\n"), -ENOMEM);
    assert_int_equal(n_rows, 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(columns_are_found_by_name_in_any_order),
        TEST(what_is_no_number_has_no_value),
        TEST(numbers_of_every_form_are_read),
        TEST(timestamps_come_in_any_unit),
        TEST(pieces_of_any_size_give_the_same),
        TEST(half_a_row_waits_for_its_rest),
        TEST(what_is_no_row_is_skipped_and_counted),
        TEST(a_line_without_end_is_bounded),
        TEST(a_header_without_end_is_refused),
        TEST(what_is_no_csv_is_refused_until_another_file_begins),
        TEST(a_header_in_mid_file_counts_from_there),
        TEST(the_columns_are_bounded),
        TEST(an_error_of_the_handler_ends_the_reading),
    };

    return cmocka_run_group_tests_name("csv-reader", tests, NULL, NULL);
}

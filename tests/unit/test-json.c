// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include "unit.h"

static void commas_stand_between_values_only(void **state)
{
    struct buf b = {0};
    struct json j = {.out = &b};

    (void)state;
    json_open(&j, '{');
    json_key(&j, "a");
    json_open(&j, '[');
    json_u64(&j, 1);
    json_i64(&j, -2);
    json_open(&j, '[');
    json_close(&j, ']');
    json_bool(&j, true);
    json_bool(&j, false);
    json_close(&j, ']');
    json_key(&j, "b");
    json_null(&j);
    json_close(&j, '}');
    assert_buf(&b, "{\"a\":[1,-2,[],true,false],\"b\":null}");
    buf_done(&b);
}

static void strings_are_escaped(void **state)
{
    static const struct {
        const char *text, *json;
    } cases[] = {
        {"plain", "\"plain\""},
        {"", "\"\""},
        {NULL, "null"},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"\n\t\x01\x7f", "\"\\u000a\\u0009\\u0001\\u007f\""},
        {"</script>", "\"\\u003c/script>\""},
        {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
         "\"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\""},
    };
    struct buf b = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct json j = {.out = &b};

        buf_clear(&b);
        json_string(&j, cases[i].text);
        assert_buf(&b, cases[i].json);
    }
    buf_done(&b);
}

static void what_is_not_utf8_becomes_the_replacement_character(void **state)
{
    static const struct {
        const char *text, *json;
    } cases[] = {
        {"\xff", "\"\\ufffd\""},
        {"a\x80z", "\"a\\ufffdz\""},
        {"\xc3", "\"\\ufffd\""},                                  // cut
        {"\xe2\x82", "\"\\ufffd\\ufffd\""},                       // cut
        {"\xc0\xaf", "\"\\ufffd\\ufffd\""},                       // overlong
        {"\xe0\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\""},            // overlong
        {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},            // surrogate
        {"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""}, // above U+10FFFF
        {"\xc3(", "\"\\ufffd(\""},
    };
    struct buf b = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct json j = {.out = &b};

        buf_clear(&b);
        json_string(&j, cases[i].text);
        assert_buf(&b, cases[i].json);
    }
    buf_done(&b);
}

static void absent_numbers_are_null(void **state)
{
    struct buf b = {0};
    struct json j = {.out = &b};

    (void)state;
    json_open(&j, '[');
    json_metric(&j, NAN);
    json_metric(&j, INFINITY);
    json_count(&j, NAN);
    json_count(&j, -INFINITY);
    json_count(&j, 1e19);
    json_close(&j, ']');
    assert_buf(&b, "[null,null,null,null,null]");
    buf_done(&b);
}

static void counts_are_whole_and_metrics_have_six_digits(void **state)
{
    struct buf b = {0};
    struct json j = {.out = &b};

    (void)state;
    json_open(&j, '[');
    json_count(&j, 123456789012.0);
    json_count(&j, 2.5);
    json_count(&j, -2.4);
    json_count(&j, 0);
    json_metric(&j, 1.23456789);
    json_metric(&j, 0);
    json_close(&j, ']');
    assert_buf(&b, "[123456789012,3,-2,0,1.23457,0]");
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_stand_between_values_only),
        cmocka_unit_test(strings_are_escaped),
        cmocka_unit_test(what_is_not_utf8_becomes_the_replacement_character),
        cmocka_unit_test(absent_numbers_are_null),
        cmocka_unit_test(counts_are_whole_and_metrics_have_six_digits),
    };

    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "history/note.h"

#include "unit.h"

struct model {
    struct session session;
    struct event_table events;
};

static struct model model;

static int set_up(void **state)
{
    (void)state;
    model = (struct model){0};
    if (session_init(&model.session) != 0)
        return -1;
    model.session.cpus_possible = 4;
    event_table_add(&model.events, &(struct event){.name = "cycles", .group = -1});
    event_table_add(&model.events, &(struct event){.name = "cpu-user", .group = -1});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    event_table_done(&model.events);
    session_done(&model.session);
    return 0;
}

static bool apply(size_t event, const char *json, struct note_effect *ret)
{
    struct note_effect effect;
    bool good = note_apply(&model.session, &model.events, event, json, strlen(json), &effect);

    if (ret)
        *ret = effect;
    return good;
}

static void a_stream_note_describes_the_run(void **state)
{
    struct note_effect effect;

    (void)state;
    assert_true(apply(0,
                      "{\"cs\":\"stream\",\"run\":\"cafe0001\",\"hypervisor\":\"QEMU\","
                      "\"resumed\":true,\"target\":{\"kind\":\"cpus\",\"text\":\"CPUs 0,2\"},"
                      "\"online\":\"0,2-3\"}",
                      &effect));
    assert_string_equal(model.session.run, "cafe0001");
    assert_string_equal(model.session.hypervisor, "QEMU");
    assert_string_equal(model.session.target_kind, "cpus");
    assert_string_equal(model.session.target_text, "CPUs 0,2");
    assert_true(model.session.cpu_online[0] && !model.session.cpu_online[1]);
    assert_true(model.session.cpu_online[2] && model.session.cpu_online[3]);
    assert_true(effect.resumed && effect.meta && !effect.ended);
    assert_true(apply(0, "{\"cs\":\"stream\",\"online\":\"1,900\"}", &effect));
    assert_true(!model.session.cpu_online[0] && model.session.cpu_online[1]);
    assert_false(effect.resumed);
    assert_string_equal(model.session.run, "cafe0001");
}

static void an_event_note_says_why_it_is_not_there(void **state)
{
    struct note_effect effect;

    (void)state;
    assert_true(apply(0,
                      "{\"cs\":\"event\",\"kind\":\"count\",\"column\":\"cpu-cycles\","
                      "\"quality\":\"not supported\",\"why\":\"no PMU <b>\"}",
                      &effect));
    assert_int_equal(model.events.events[0].availability, QUALITY_NOT_SUPPORTED);
    assert_string_equal(model.events.events[0].why, "no PMU <b>");
    assert_string_equal(model.events.events[0].column, "cpu_cycles");
    assert_int_equal(model.events.events[0].kind, EVENT_COUNT);
    assert_true(effect.meta);
    assert_true(apply(1, "{\"cs\":\"event\",\"kind\":\"gauge\"}", NULL));
    assert_int_equal(model.events.events[1].kind, EVENT_GAUGE);
    assert_string_equal(model.events.events[1].column, "cpu_user");
}

static void columns_stay_unique_whatever_notes_say(void **state)
{
    (void)state;
    assert_true(apply(1, "{\"cs\":\"event\",\"column\":\"cycles\"}", NULL));
    assert_string_not_equal(model.events.events[0].column, model.events.events[1].column);
    assert_true(apply(0, "{\"cs\":\"event\",\"column\":\"\"}", NULL));
    assert_true(model.events.events[0].column[0] != '\0');
}

static void an_event_note_comes_too_late_once_events_are_fixed(void **state)
{
    static const char json[] = "{\"cs\":\"event\",\"quality\":\"denied\"}";
    struct note_effect effect = {true, true, true};

    (void)state;
    assert_true(note_apply(&model.session, NULL, 0, json, sizeof(json) - 1, &effect));
    assert_false(effect.meta || effect.ended || effect.resumed);
}

static void a_status_note_is_kept_as_health(void **state)
{
    struct note_effect effect;

    (void)state;
    assert_int_equal(model.session.health.missed_ticks, -1);
    assert_true(apply(0,
                      "{\"cs\":\"status\",\"missed_ticks\":3,\"dropped_rounds\":2,"
                      "\"cpu_percent\":0.25,\"rss_bytes\":4194304}",
                      &effect));
    assert_int_equal(model.session.health.missed_ticks, 3);
    assert_int_equal(model.session.health.dropped_rounds, 2);
    assert_near(model.session.health.collector_cpu_percent, 0.25);
    assert_int_equal(model.session.health.collector_rss_bytes, 4194304);
    assert_false(effect.meta);
    assert_true(apply(0, "{\"cs\":\"status\",\"cpu_percent\":null,\"missed_ticks\":\"4\"}", NULL));
    assert_near(model.session.health.collector_cpu_percent, 0.25);
    assert_int_equal(model.session.health.missed_ticks, 3);
}

static void texts_are_kept_up_to_a_bound(void **state)
{
    (void)state;
    assert_true(apply(0, "{\"cs\":\"note\",\"severity\":\"warning\",\"text\":\"no PMU\"}", NULL));
    assert_true(apply(0, "{\"cs\":\"note\",\"text\":\"plain\"}", NULL));
    assert_string_equal(model.session.notes[0].severity, "warning");
    assert_string_equal(model.session.notes[0].text, "no PMU");
    assert_string_equal(model.session.notes[1].severity, "info");
    for (int i = 0; i < 100; i++)
        assert_true(apply(0, "{\"cs\":\"note\",\"text\":\"more\"}", NULL));
    assert_int_equal(model.session.n_notes, SESSION_NOTES_MAX);
}

static void a_goodbye_gives_the_reason(void **state)
{
    struct note_effect effect;

    (void)state;
    assert_true(apply(0, "{\"cs\":\"end\",\"reason\":\"the collector was stopped\"}", &effect));
    assert_true(effect.ended);
    assert_string_equal(model.session.reason, "the collector was stopped");
}

static void padding_behind_a_note_is_not_part_of_it(void **state)
{
    static const char json[] = "{\"cs\":\"end\",\"reason\":\"x\"}\0\0\0\0";
    struct note_effect effect;

    (void)state;
    assert_true(note_apply(&model.session, NULL, 0, json, sizeof(json), &effect));
    assert_true(effect.ended);
}

static void unknown_kinds_change_nothing_and_malformed_ones_are_told(void **state)
{
    static const char *const malformed[] = {
        "",     "{",          "[]",
        "null", "{\"cs\":1}", "{\"CS\":\"end\"}",
        "\xff", "\"x\"",      "{\"cs\":\"end\",\"cs\":\"end\"}"};
    struct note_effect effect;

    (void)state;
    assert_true(apply(0, "{\"cs\":\"of the future\",\"reason\":\"x\"}", &effect));
    assert_false(effect.meta || effect.ended || effect.resumed);
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        effect = (struct note_effect){true, true, true};
        if (apply(0, malformed[i], &effect))
            fail_msg("'%s' should be malformed", malformed[i]);
        assert_false(effect.meta || effect.ended || effect.resumed);
    }
    assert_string_equal(model.session.reason, "");
}

static void texts_that_are_too_long_are_cut(void **state)
{
    char json[2000], text[1500];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    snprintf(json, sizeof(json), "{\"cs\":\"stream\",\"run\":\"%s\"}", text);
    assert_true(apply(0, json, NULL));
    assert_int_equal(strlen(model.session.run), sizeof(model.session.run) - 1);
    snprintf(json, sizeof(json), "{\"cs\":\"event\",\"column\":\"%s\",\"why\":\"%s\"}", "a", text);
    assert_true(apply(0, json, NULL));
    assert_int_equal(strlen(model.events.events[0].why), EVENT_REASON_MAX - 1);
}

static void what_metrics_need_to_know_arrives(void **state)
{
    (void)state;
    assert_true(apply(0, "{\"cs\":\"stream\",\"slots_per_cycle\":8}", NULL));
    assert_true(model.events.slots_per_cycle == 8);
    assert_true(apply(0, "{\"cs\":\"stream\",\"slots_per_cycle\":\"many\"}", NULL));
    assert_true(model.events.slots_per_cycle == 8);
    assert_true(apply(0, "{\"cs\":\"event\",\"kind\":\"gauge\",\"total_only\":true}", NULL));
    assert_true(model.events.events[0].total_only);
    assert_false(model.events.events[1].total_only);
}

static void the_doctors_findings_are_kept(void **state)
{
    struct note_effect effect;
    const struct finding *f;

    (void)state;
    assert_null(model.session.doctor);
    assert_true(apply(0,
                      "{\"cs\":\"doctor\",\"at\":1763830000123,\"checks\":["
                      "{\"name\":\"hardware\",\"status\":\"fail\",\"found\":\"no PMU\","
                      "\"cost\":\"much\",\"remedy\":\"`another machine`\"},"
                      "{\"name\":\"odd\",\"status\":\"splendid\",\"found\":7},{},null,3]}",
                      &effect));
    assert_true(effect.meta);
    assert_int_equal(model.session.doctor->n, 2);
    assert_int_equal(model.session.doctor->at_ms, 1763830000123);
    f = findings_find(model.session.doctor, "hardware");
    assert_non_null(f);
    assert_int_equal(f->status, FINDING_FAIL);
    assert_string_equal(f->found, "no PMU");
    assert_string_equal(f->cost, "much");
    assert_string_equal(f->remedy, "`another machine`");
    f = findings_find(model.session.doctor, "odd");
    assert_true(f && f->status == FINDING_UNKNOWN && !f->found[0]);
    // A later one replaces it; one without checks changes nothing.
    assert_true(apply(0, "{\"cs\":\"doctor\",\"checks\":\"none\"}", NULL));
    assert_int_equal(model.session.doctor->n, 2);
    assert_true(apply(0, "{\"cs\":\"doctor\",\"checks\":[]}", NULL));
    assert_int_equal(model.session.doctor->n, 0);
}

static void more_findings_than_there_is_room_for_are_cut(void **state)
{
    char json[16384] = "{\"cs\":\"doctor\",\"checks\":[", text[1000];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    snprintf(json + strlen(json), sizeof(json) - strlen(json),
             "{\"name\":\"%s\",\"found\":\"%s\",\"cost\":\"%s\",\"remedy\":\"%s\"}", text, text,
             text, text);
    for (size_t i = 0; i < 200; i++)
        strcat(json, ",{\"name\":\"check\"}");
    strcat(json, "]}");
    assert_true(apply(0, json, NULL));
    assert_int_equal(model.session.doctor->n, FINDINGS_MAX);
    assert_int_equal(strlen(model.session.doctor->checks[0].name), FINDING_NAME_MAX - 1);
    assert_int_equal(strlen(model.session.doctor->checks[0].remedy), FINDING_TEXT_MAX - 1);
}

static void a_runs_name_is_a_word(void **state)
{
    static const char *const others[] = {"a\\nevent: x", "a b", "", "a.1"};

    (void)state;
    assert_true(apply(0, "{\"cs\":\"stream\",\"run\":\"Cafe_1-2\"}", NULL));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        char note[128];

        snprintf(note, sizeof(note), "{\"cs\":\"stream\",\"run\":\"%s\"}", others[i]);
        assert_true(apply(0, note, NULL));
        assert_string_equal(model.session.run, "Cafe_1-2");
    }
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_stream_note_describes_the_run),
        TEST(an_event_note_says_why_it_is_not_there),
        TEST(columns_stay_unique_whatever_notes_say),
        TEST(an_event_note_comes_too_late_once_events_are_fixed),
        TEST(a_status_note_is_kept_as_health),
        TEST(texts_are_kept_up_to_a_bound),
        TEST(the_doctors_findings_are_kept),
        TEST(more_findings_than_there_is_room_for_are_cut),
        TEST(a_goodbye_gives_the_reason),
        TEST(padding_behind_a_note_is_not_part_of_it),
        TEST(unknown_kinds_change_nothing_and_malformed_ones_are_told),
        TEST(texts_that_are_too_long_are_cut),
        TEST(what_metrics_need_to_know_arrives),
        TEST(a_runs_name_is_a_word),
    };

    return cmocka_run_group_tests_name("note", tests, NULL, NULL);
}

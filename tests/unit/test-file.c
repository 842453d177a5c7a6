// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include "unit.h"

static int make_scratch(void **state)
{
    static char root[64];

    scratch_init(root);
    *state = root;
    return 0;
}

static int remove_scratch(void **state)
{
    scratch_done(*state);
    return 0;
}

static void read_cuts_one_newline_and_terminates(void **state)
{
    const char *root = *state;
    char text[8];

    scratch_write(root, "a/b", "one\n");
    assert_int_equal(file_read(root, "/a/b", text, sizeof(text)), 3);
    assert_string_equal(text, "one");
    scratch_write(root, "a/b", "one\n\n");
    assert_int_equal(file_read(root, "/a/b", text, sizeof(text)), 4);
    assert_string_equal(text, "one\n");
    scratch_write(root, "a/b", "longer than that");
    assert_int_equal(file_read(root, "/a/b", text, sizeof(text)), 7);
    assert_string_equal(text, "longer ");
    scratch_write(root, "a/b", "");
    assert_int_equal(file_read(root, "/a/b", text, sizeof(text)), 0);
    assert_string_equal(text, "");
}

static void read_says_what_failed_and_leaves_its_output(void **state)
{
    const char *root = *state;
    char text[8] = "old", path[8192];

    assert_int_equal(file_read(root, "/missing", text, sizeof(text)), -ENOENT);
    scratch_write(root, "d/x", "");
    assert_int_equal(file_read(root, "/d", text, sizeof(text)), -EISDIR);
    memset(path, 'x', sizeof(path) - 1);
    path[0] = '/';
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(file_read(root, path, text, sizeof(text)), -ENAMETOOLONG);
    assert_string_equal(text, "old");
}

static void read_long_takes_whole_numbers_only(void **state)
{
    static const struct {
        const char *text;
        int result;
        long value;
    } cases[] = {
        {"2\n", 0, 2},         {"-1\n", 0, -1},
        {"0", 0, 0},           {"\n", -EINVAL, 0},
        {"two\n", -EINVAL, 0}, {"2x\n", -EINVAL, 0},
        {"2 3\n", -EINVAL, 0}, {"99999999999999999999\n", -EINVAL, 0},
    };
    const char *root = *state;
    long value;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        value = 1234;
        scratch_write(root, "n", cases[i].text);
        assert_int_equal(file_read_long(root, "/n", &value), cases[i].result);
        assert_int_equal(value, cases[i].result ? 1234 : cases[i].value);
    }
    assert_int_equal(file_read_long(root, "/missing", &value), -ENOENT);
}

static void cpus_come_from_the_root(void **state)
{
    int *cpus;
    size_t n;

    (void)state;
    assert_int_equal(file_read_cpus(fixture("x86-kvm"), "possible", &cpus, &n), 0);
    assert_int_equal(n, 4);
    free(cpus);
    assert_int_equal(file_read_cpus(fixture("x86-kvm"), "online", &cpus, &n), 0);
    assert_int_equal(n, 3);
    assert_int_equal(cpus[0], 0);
    assert_int_equal(cpus[1], 2);
    assert_int_equal(cpus[2], 3);
    free(cpus);
    assert_int_equal(file_read_cpus(fixture("x86-kvm"), "isolated", &cpus, &n), -ENOENT);
}

static void field_is_the_first_of_its_key(void **state)
{
    char value[64];

    (void)state;
    file_read_field(fixture("x86-kvm"), "/proc/cpuinfo", "model name", value, sizeof(value));
    assert_string_equal(value, "Intel(R) Xeon(R) Processor @ 2.90GHz");
    file_read_field(fixture("x86-kvm"), "/proc/cpuinfo", "processor", value, sizeof(value));
    assert_string_equal(value, "0");
    // A key is a whole one: "model" is not the beginning of "model name".
    file_read_field(fixture("x86-kvm"), "/proc/cpuinfo", "model", value, sizeof(value));
    assert_string_equal(value, "106");
}

static void field_that_is_not_there_is_empty(void **state)
{
    const char *root = *state;
    char value[8] = "old";

    file_read_field(fixture("x86-kvm"), "/proc/cpuinfo", "CPU part", value, sizeof(value));
    assert_string_equal(value, "");
    strcpy(value, "old");
    file_read_field(fixture("x86-kvm"), "/proc/missing", "model", value, sizeof(value));
    assert_string_equal(value, "");
    scratch_write(root, "f", "key without colon\nkey:\nlast : much too long to fit\n");
    file_read_field(root, "/f", "key", value, sizeof(value));
    assert_string_equal(value, "");
    file_read_field(root, "/f", "last", value, sizeof(value));
    assert_string_equal(value, "much to");
    scratch_write(root, "f", "key : no newline");
    file_read_field(root, "/f", "key", value, sizeof(value));
    assert_string_equal(value, "no newl");
    scratch_write(root, "f", "\n\n\nkey\t: x\n");
    file_read_field(root, "/f", "key", value, sizeof(value));
    assert_string_equal(value, "x");
}

static void names_are_sorted_without_hidden_ones(void **state)
{
    const char *root = *state;
    char **names;
    size_t n;

    for (int i = 0; i < 40; i++) { // more than one growth of the array
        char path[32];

        snprintf(path, sizeof(path), "/folder/n%02d", 39 - i);
        scratch_write(root, path, "");
    }
    scratch_write(root, "/folder/.hidden", "");
    assert_int_equal(file_names(root, "/folder", &names, &n), 0);
    assert_int_equal(n, 40);
    assert_string_equal(names[0], "n00");
    assert_string_equal(names[39], "n39");
    file_names_free(names, n);
    assert_int_equal(file_names(root, "/nothing", &names, &n), -ENOENT);
    assert_int_equal(file_names(root, "/folder/n00", &names, &n), -ENOTDIR);
    scratch_write(root, "/bare/.x", "");
    assert_int_equal(file_names(root, "/bare", &names, &n), 0);
    assert_int_equal(n, 0);
    file_names_free(names, n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_cuts_one_newline_and_terminates),
        cmocka_unit_test(read_says_what_failed_and_leaves_its_output),
        cmocka_unit_test(read_long_takes_whole_numbers_only),
        cmocka_unit_test(cpus_come_from_the_root),
        cmocka_unit_test(field_is_the_first_of_its_key),
        cmocka_unit_test(field_that_is_not_there_is_empty),
        cmocka_unit_test(names_are_sorted_without_hidden_ones),
    };

    return cmocka_run_group_tests_name("file", tests, make_scratch, remove_scratch);
}

// SPDX-License-Identifier: Apache-2.0
#include "collect/csv_ring.h"

#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/resource.h>

#define HEADER  "timestamp,cycles,cpi\n"
#define ROW_MAX 120
#define ROWS    64

static char root[64], path[128];
static char message[CSV_MESSAGE_MAX];
static char text[1 << 20];

static int set_up(void **state)
{
    (void)state;
    scratch_init(root);
    snprintf(path, sizeof(path), "%s/data.csv", root);
    message[0] = '\0';
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_done(root);
    return 0;
}

static int try_open(struct csv_ring **ret, size_t rows, size_t row_max)
{
    struct buf header = {.data = (char[]){HEADER}, .size = sizeof(HEADER) - 1};

    return csv_ring_open(path, rows, row_max, &header, ret, message);
}

static struct csv_ring *open_ring(size_t rows)
{
    struct csv_ring *c = NULL;

    if (try_open(&c, rows, ROW_MAX) != 0)
        fail_msg("%s", message);
    return c;
}

// Row k, of a length that varies with k: "k,xxx…,end".
static size_t make_row(size_t k, char ret[ROW_MAX + 1])
{
    size_t n = (size_t)sprintf(ret, "%zu,", k), fill = k * 37 % 90;

    memset(ret + n, 'x', fill);
    return n + fill + (size_t)sprintf(ret + n + fill, ",end\n");
}

static int append(struct csv_ring *c, size_t k)
{
    char row[ROW_MAX + 1];
    size_t size = make_row(k, row);

    return csv_ring_append(c, row, size);
}

struct seen {
    size_t rows, first, last; // numbers of the first and last row
};

// Why a file of this content is not the header and then whole rows in unbroken order; NULL if it
// is. Empty lines and spaces at the end of a row are nothing.
static const char *check(char *content, size_t size, struct seen *ret)
{
    struct seen seen = {0};
    char *line, *end;

    if (size < strlen(HEADER) || memcmp(content, HEADER, strlen(HEADER)) != 0)
        return "it does not begin with the header";
    if (content[size - 1] != '\n')
        return "it ends in the middle of a row";
    for (line = content + strlen(HEADER); line < content + size; line = end + 1) {
        char expected[ROW_MAX + 1];
        size_t k, length;

        end = memchr(line, '\n', (size_t)(content + size - line));
        if (end == line)
            continue;
        k = strtoul(line, NULL, 10);
        length = make_row(k, expected) - 1;
        if ((size_t)(end - line) < length || memcmp(line, expected, length) != 0)
            return "a row is torn";
        for (const char *p = line + length; p < end; p++)
            if (*p != ' ')
                return "a row has something behind it";
        if (seen.rows && k != seen.last + 1)
            return "rows are missing or out of order";
        if (!seen.rows++)
            seen.first = k;
        seen.last = k;
    }
    *ret = seen;
    return NULL;
}

static size_t slurp(char *to, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t n = 0;
    ssize_t got;

    if (fd < 0)
        return 0;
    while (n < size && (got = read(fd, to + n, size - n)) > 0)
        n += (size_t)got;
    close(fd);
    return n;
}

static struct seen look(void)
{
    struct seen seen = {0};
    size_t n = slurp(text, sizeof(text));
    const char *wrong = check(text, n, &seen);

    if (wrong)
        fail_msg("%s", wrong);
    return seen;
}

static void rows_appear_in_order_behind_the_header(void **state)
{
    struct csv_ring *c = open_ring(ROWS);
    struct seen seen = look();

    (void)state;
    assert_int_equal(seen.rows, 0);
    for (size_t k = 1; k <= 10; k++) {
        assert_int_equal(append(c, k), 0);
        seen = look();
        assert_int_equal(seen.rows, k);
        assert_int_equal(seen.last, k);
    }
    csv_ring_close(c);
    csv_ring_close(NULL);
    seen = look();
    assert_int_equal(seen.rows, 10);
}

static void the_newest_rows_are_kept_and_never_more_than_asked_for(void **state)
{
    struct csv_ring *c = open_ring(ROWS);

    (void)state;
    for (size_t k = 1; k <= 20 * ROWS; k++) {
        struct seen seen;

        assert_int_equal(append(c, k), 0);
        seen = look();
        assert_int_equal(seen.last, k);
        assert_true(seen.rows <= ROWS);
        assert_true(seen.rows >= (k < ROWS / 2 ? k : ROWS / 2));
    }
    csv_ring_close(c);
}

// Those that a rotation has copied, too.
static void check_rows_are_in_one_page(size_t k)
{
    size_t size = slurp(text, sizeof(text));

    for (size_t start = 0, end; start < size; start = end) {
        end = (size_t)((char *)memchr(text + start, '\n', size - start) - text) + 1;
        if (start / CSV_PAGE != (end - 1) / CSV_PAGE)
            fail_msg("after row %zu, one lies at %zu … %zu", k, start, end - 1);
    }
}

static void no_row_lies_across_a_page(void **state)
{
    (void)state;
    // Rings whose rotations end at different places of a page.
    for (size_t rows = 100; rows <= 160; rows += 5) {
        struct csv_ring *c = open_ring(rows);

        for (size_t k = 1; k <= 1500; k++) {
            assert_int_equal(append(c, k), 0);
            check_rows_are_in_one_page(k);
        }
        csv_ring_close(c);
    }
}

static void a_rotation_of_many_pieces_loses_nothing(void **state)
{
    struct csv_ring *c = open_ring(4000); // of 300 KB

    (void)state;
    for (size_t k = 1; k <= 9000; k++) {
        assert_int_equal(append(c, k), 0);
        if (k % 50 == 0) {
            struct seen seen = look();

            assert_int_equal(seen.last, k);
            assert_true(seen.rows <= 4000 && seen.rows >= (k < 2000 ? k : 2000));
        }
    }
    check_rows_are_in_one_page(9000);
    csv_ring_close(c);
}

static void the_longest_rows_fill_their_pages(void **state)
{
    struct csv_ring *c = NULL;
    static char row[CSV_PAGE + 1];

    (void)state;
    assert_int_equal(try_open(&c, 16, CSV_PAGE + 1), -E2BIG);
    assert_contains(message, "columns");
    assert_int_equal(try_open(&c, 16, CSV_PAGE), 0);
    memset(row, 'y', CSV_PAGE - 1);
    row[CSV_PAGE - 1] = '\n';
    for (int i = 0; i < 50; i++) {
        assert_int_equal(csv_ring_append(c, row, CSV_PAGE), 0);
        assert_int_equal(slurp(text, sizeof(text)) % CSV_PAGE, 0);
    }
    assert_int_equal(csv_ring_append(c, row, CSV_PAGE + 1), -EMSGSIZE);
    assert_int_equal(csv_ring_append(c, row, 0), -EMSGSIZE);
    csv_ring_close(c);
}

static atomic_bool writing;

static void *read_on(void *context)
{
    const char **wrong = context;
    static char content[1 << 20];
    struct seen seen, before = {0};

    while (atomic_load(&writing) && !*wrong) {
        size_t n = slurp(content, sizeof(content));

        *wrong = check(content, n, &seen);
        if (!*wrong && seen.last < before.last)
            *wrong = "newer rows have gone";
        if (!*wrong && seen.rows > ROWS)
            *wrong = "there are too many rows";
        before = seen;
    }
    return NULL;
}

static void a_reader_sees_whole_rows_at_any_moment(void **state)
{
    struct csv_ring *c = open_ring(ROWS);
    const char *wrong = NULL;
    pthread_t reader;

    (void)state;
    atomic_store(&writing, true);
    assert_int_equal(pthread_create(&reader, NULL, read_on, &wrong), 0);
    for (size_t k = 1; k <= 400 * ROWS; k++)
        assert_int_equal(append(c, k), 0);
    atomic_store(&writing, false);
    pthread_join(reader, NULL);
    if (wrong)
        fail_msg("%s", wrong);
    csv_ring_close(c);
}

static void an_old_file_of_ours_is_replaced(void **state)
{
    struct csv_ring *c;

    (void)state;
    scratch_write(root, "data.csv", "old,columns\n1,2\n");
    scratch_write(root, ".data.csv.new", "left by one that was killed");
    c = open_ring(ROWS);
    assert_int_equal(look().rows, 0);
    assert_int_equal(access(path, W_OK), 0);
    for (size_t k = 1; k < 3 * ROWS; k++)
        assert_int_equal(append(c, k), 0);
    csv_ring_close(c);
    snprintf(path, sizeof(path), "%s/.data.csv.new", root);
    assert_int_equal(access(path, F_OK), -1);
}

static void closing_in_the_middle_of_a_rotation_leaves_nothing_behind(void **state)
{
    (void)state;
    for (size_t n = ROWS / 2; n < 2 * ROWS; n++) {
        struct csv_ring *c = open_ring(ROWS);
        char next[160];

        for (size_t k = 1; k <= n; k++)
            assert_int_equal(append(c, k), 0);
        csv_ring_close(c);
        snprintf(next, sizeof(next), "%s/.data.csv.new", root);
        assert_int_equal(access(next, F_OK), -1);
        assert_int_equal(look().last, n);
    }
}

static void refused(int error, const char *why)
{
    struct csv_ring *c = (struct csv_ring *)message;

    assert_int_equal(try_open(&c, ROWS, ROW_MAX), error);
    assert_ptr_equal(c, message);
    assert_contains(message, why);
    assert_contains(message, "--csv");
}

static void a_second_writer_is_refused_also_after_rotations(void **state)
{
    struct csv_ring *c = open_ring(ROWS);

    (void)state;
    refused(-EBUSY, "another cyclescope");
    for (size_t k = 1; k <= 3 * ROWS; k++) {
        assert_int_equal(append(c, k), 0);
        refused(-EBUSY, "another cyclescope");
    }
    assert_int_equal(look().last, 3 * ROWS);
    csv_ring_close(c);
    c = open_ring(ROWS);
    csv_ring_close(c);
}

static void a_full_disk_leaves_whole_rows_and_writing_resumes(void **state)
{
    struct csv_ring *c = open_ring(ROWS);
    struct rlimit before, tight;
    size_t k = 1;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    // At every limit, wherever it cuts a row or a rotation.
    for (rlim_t limit = 10; limit < 9000; limit += 97) {
        struct seen seen;
        int r = 0;

        tight = before;
        tight.rlim_cur = limit;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
        for (int i = 0; i < 3 * ROWS && r == 0; i++)
            if ((r = append(c, k)) == 0)
                k++;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        if (r != 0 && r != -EFBIG && r != -ENOSPC)
            fail_msg("%s", strerror(-r));
        seen = look();
        assert_int_equal(seen.last, k - 1 ? k - 1 : 0);
        assert_true(seen.rows <= ROWS);
        assert_int_equal(append(c, k++), 0);
        assert_int_equal(look().last, k - 1);
    }
    csv_ring_close(c);
}

static void a_ring_that_cannot_rotate_takes_no_more_than_it_holds(void **state)
{
    struct csv_ring *c = open_ring(ROWS);

    (void)state;
    // A folder stands where the file was.
    assert_int_equal(unlink(path), 0);
    scratch_write(root, "data.csv/x", "");
    for (size_t k = 1; k <= ROWS; k++)
        assert_int_equal(append(c, k), 0);
    for (int i = 0; i < 10; i++)
        assert_int_equal(append(c, ROWS + 1), -EISDIR);
    scratch_done(path);
    assert_int_equal(append(c, ROWS + 1), 0);
    assert_true(look().rows > ROWS / 2 && look().rows < ROWS);
    assert_int_equal(look().last, ROWS + 1);
    csv_ring_close(c);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(rows_appear_in_order_behind_the_header),
        TEST(the_newest_rows_are_kept_and_never_more_than_asked_for),
        TEST(no_row_lies_across_a_page),
        TEST(a_rotation_of_many_pieces_loses_nothing),
        TEST(the_longest_rows_fill_their_pages),
        TEST(a_reader_sees_whole_rows_at_any_moment),
        TEST(an_old_file_of_ours_is_replaced),
        TEST(closing_in_the_middle_of_a_rotation_leaves_nothing_behind),
        TEST(a_second_writer_is_refused_also_after_rotations),
        TEST(a_ring_that_cannot_rotate_takes_no_more_than_it_holds),
        TEST(a_full_disk_leaves_whole_rows_and_writing_resumes),
    };

    return cmocka_run_group_tests_name("csv-ring", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
// Where the CSV ring may be written, and where not: /tmp is everybody's.
#include "base/file.h"
#include "collect/csv_ring.h"

#include "unit.h"

#include <dirent.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

#define HEADER "timestamp,cycles,cpi\n"
#define ROWS   ((size_t)16)

static char root[64], path[128];
static char message[CSV_MESSAGE_MAX];

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

static int try_open(struct csv_ring **ret)
{
    struct buf header = {.data = (char[]){HEADER}, .size = sizeof(HEADER) - 1};

    return csv_ring_open(path, ROWS, 120, &header, ret, message);
}

static struct csv_ring *open_ring(void)
{
    struct csv_ring *c = NULL;

    if (try_open(&c) != 0)
        fail_msg("%s", message);
    return c;
}

static int append(struct csv_ring *c)
{
    return csv_ring_append(c, "1,2,3\n", 6);
}

static void refused(int error, const char *why)
{
    struct csv_ring *c = (struct csv_ring *)message;

    assert_int_equal(try_open(&c), error);
    assert_ptr_equal(c, message);
    assert_contains(message, why);
    assert_contains(message, "--csv");
}

static void everybody_may_read_it_whatever_the_umask(void **state)
{
    mode_t old = umask(077);
    struct csv_ring *c = open_ring();
    struct stat st;

    (void)state;
    for (size_t k = 1; k <= 3 * ROWS; k++)
        assert_int_equal(append(c), 0);
    umask(old);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    csv_ring_close(c);
}

static void what_is_not_a_plain_file_of_ours_is_left_alone(void **state)
{
    char other[160];
    struct stat st;

    (void)state;
    snprintf(other, sizeof(other), "%s/victim", root);
    scratch_write(root, "victim", "precious\n");
    assert_int_equal(symlink(other, path), 0);
    refused(-ELOOP, "symbolic link");
    unlink(path);
    assert_int_equal(symlink("nowhere", path), 0);
    refused(-ELOOP, "symbolic link");
    unlink(path);
    assert_int_equal(link(other, path), 0);
    refused(-EMLINK, "hard link");
    unlink(path);
    assert_int_equal(mkdir(path, 0755), 0);
    refused(-EISDIR, "directory");
    rmdir(path);
    assert_int_equal(mkfifo(path, 0644), 0);
    refused(-EINVAL, "not a regular file");
    assert_int_equal(stat(other, &st), 0);
    assert_int_equal(st.st_size, 9);
}

static void a_link_planted_at_the_name_beside_is_not_written_through(void **state)
{
    char beside[160], victim[160];
    struct csv_ring *c;
    struct stat st;

    (void)state;
    snprintf(victim, sizeof(victim), "%s/victim", root);
    snprintf(beside, sizeof(beside), "%s/.data.csv.new", root);
    scratch_write(root, "victim", "precious\n");
    assert_int_equal(symlink(victim, beside), 0);
    c = open_ring();
    assert_int_equal(append(c), 0);
    assert_int_equal(stat(victim, &st), 0);
    assert_int_equal(st.st_size, 9);
    csv_ring_close(c);
}

static void paths_that_name_no_file_are_refused(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "%s/", root);
    refused(-EISDIR, "directory");
    snprintf(path, sizeof(path), "%s/missing/data.csv", root);
    refused(-ENOENT, "No such file");
    scratch_write(root, "file", "");
    snprintf(path, sizeof(path), "%s/file/data.csv", root);
    refused(-ENOTDIR, "Not a directory");
}

static void another_users_file_is_left_alone(void **state)
{
    struct stat st;

    (void)state;
    if (geteuid() != 0) {
        skip_because("only root can give a file to another user");
    }
    scratch_write(root, "data.csv", "theirs\n");
    assert_int_equal(chown(path, 65534, 65534), 0);
    refused(-EPERM, "another user");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 7);
}

static void read_back(const char *name, const char *expected)
{
    char full[160], text[64];

    snprintf(full, sizeof(full), "/%s", name);
    assert_true(file_read(root, full, text, sizeof(text)) >= 0);
    assert_memory_equal(text, expected, strlen(expected) - 1); // the newline is cut
}

// Counts what is in the folder beside the two.
static size_t others_beside(const char *one, const char *other)
{
    size_t count = 0;
    DIR *folder = opendir(root);
    const struct dirent *entry;

    assert_non_null(folder);
    while ((entry = readdir(folder)))
        count += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
                 strcmp(entry->d_name, one) && strcmp(entry->d_name, other);
    closedir(folder);
    return count;
}

static void a_directory_in_the_way_stays_and_is_gone_around(void **state)
{
    struct csv_ring *c;

    (void)state;
    scratch_write(root, ".data.csv.new/x", "theirs\n");
    c = open_ring();
    for (size_t k = 0; k < 5 * ROWS; k++)
        assert_int_equal(append(c), 0);
    assert_int_equal(others_beside("data.csv", ".data.csv.new") <= 1, 1); // rotating, or not
    csv_ring_close(c);
    assert_int_equal(others_beside("data.csv", ".data.csv.new"), 0);
    read_back(".data.csv.new/x", "theirs\n");
}

static void a_file_in_the_way_that_is_not_ours_stays(void **state)
{
    char beside[160];
    struct csv_ring *c;

    (void)state;
    if (geteuid() != 0) {
        skip_because("only root can give a file to another user");
    }
    scratch_write(root, ".data.csv.new", "theirs\n");
    snprintf(beside, sizeof(beside), "%s/.data.csv.new", root);
    assert_int_equal(chown(beside, 65534, 65534), 0);
    c = open_ring();
    for (size_t k = 0; k < 5 * ROWS; k++)
        assert_int_equal(append(c), 0);
    csv_ring_close(c);
    read_back(".data.csv.new", "theirs\n");
}

// Another collector has just made it, and is about to put it in place.
static void a_file_in_the_way_that_another_one_writes_stays(void **state)
{
    char beside[160];
    struct csv_ring *c;
    int fd;

    (void)state;
    scratch_write(root, ".data.csv.new", "new\n");
    snprintf(beside, sizeof(beside), "%s/.data.csv.new", root);
    fd = open(beside, O_RDWR);
    assert_int_equal(file_lock(fd), 0);
    c = open_ring();
    assert_int_equal(append(c), 0);
    csv_ring_close(c);
    read_back(".data.csv.new", "new\n");
    close(fd);
}

// Appends until a rotation cannot be finished; what the ring says then.
static int fill(struct csv_ring *c)
{
    int r = 0;

    for (size_t k = 0; k <= ROWS && r == 0; k++)
        r = append(c);
    return r;
}

static void what_took_the_name_since_stays_and_writing_resumes(void **state)
{
    struct csv_ring *c = open_ring();

    (void)state;
    assert_int_equal(append(c), 0);
    assert_int_equal(unlink(path), 0);
    scratch_write(root, "data.csv/x", "theirs\n");
    assert_int_equal(fill(c), -EISDIR);
    assert_int_equal(append(c), -EISDIR);
    read_back("data.csv/x", "theirs\n");
    scratch_done(path);
    assert_int_equal(append(c), 0);

    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(fill(c), -ELOOP);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(append(c), 0);

    // One of this user's own that nobody writes is replaced, as at the start.
    assert_int_equal(unlink(path), 0);
    scratch_write(root, "data.csv", "old\n");
    assert_int_equal(fill(c), 0);
    assert_int_equal(append(c), 0);
    csv_ring_close(c);
    assert_int_equal(others_beside("data.csv", "data.csv"), 0);
}

// By another user, who may only read the file, with every kind of lock that there is.
static void who_may_only_read_it_keeps_nobody_from_writing(void **state)
{
    int told[2], status;
    char byte;
    pid_t pid;

    (void)state;
    if (geteuid() != 0) {
        skip_because("only root can become another user");
    }
    scratch_write(root, "data.csv", HEADER);
    assert_int_equal(chmod(root, 0755), 0);
    assert_int_equal(chmod(path, 0644), 0); // whatever the umask is
    assert_int_equal(pipe(told), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct flock all = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
        int fd = setuid(65534) < 0 ? -1 : open(path, O_RDONLY);

        if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || fcntl(fd, F_OFD_SETLK, &all) < 0 ||
            write(told[1], "x", 1) != 1)
            _exit(1);
        pause();
    }
    close(told[1]);
    assert_int_equal(read(told[0], &byte, 1), 1);
    for (int i = 0; i < 2; i++) { // what is there now, and the one that it was replaced with
        struct csv_ring *c = open_ring();

        assert_int_equal(append(c), 0);
        refused(-EBUSY, "another cyclescope");
        csv_ring_close(c);
    }
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    close(told[0]);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(everybody_may_read_it_whatever_the_umask),
        TEST(what_is_not_a_plain_file_of_ours_is_left_alone),
        TEST(a_link_planted_at_the_name_beside_is_not_written_through),
        TEST(paths_that_name_no_file_are_refused),
        TEST(another_users_file_is_left_alone),
        TEST(a_directory_in_the_way_stays_and_is_gone_around),
        TEST(a_file_in_the_way_that_is_not_ours_stays),
        TEST(a_file_in_the_way_that_another_one_writes_stays),
        TEST(what_took_the_name_since_stays_and_writing_resumes),
        TEST(who_may_only_read_it_keeps_nobody_from_writing),
    };

    return cmocka_run_group_tests_name("csv-ring-place", tests, NULL, NULL);
}

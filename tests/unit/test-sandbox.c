// SPDX-License-Identifier: Apache-2.0
// Each case runs confined, in a child of its own.
#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#define SKIPPED 77

// Runs `body` in a child after drop and filter; its wait status. `body` gives 0 for "as it should
// be".
static int confined(int (*body)(void), unsigned needs)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        struct sandbox_user user;

        sandbox_choose_user(&user);
        if (sandbox_drop_privileges(&user) < 0)
            _exit(100);
        if (!sandbox_has_filter())
            _exit(SKIPPED);
        if (sandbox_filter(needs) < 0)
            _exit(101);
        _exit(body());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void expect_fine(int (*body)(void), unsigned needs)
{
    int status = confined(body, needs);

    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
        skip_because("sanitizer builds have no filter: their runtime needs calls of its own");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("status %x", status);
}

static void expect_killed(int (*body)(void))
{
    int status = confined(body, SANDBOX_OPEN_READ | SANDBOX_WRITE_FILES);

    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
        skip_because("sanitizer builds have no filter: their runtime needs calls of its own");
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
        fail_msg("status %x", status);
}

static bool refused(long result)
{
    return result < 0 && errno == EPERM;
}

static int try_files_without_need(void)
{
    return !(refused(open("/etc/hostname", O_RDONLY)) && refused(open("/tmp", O_RDONLY)) &&
             refused(open("/tmp/cyclescope-sandbox-test", O_WRONLY | O_CREAT, 0600)) &&
             refused(unlink("/tmp/cyclescope-sandbox-test")) && refused(chdir("/")));
}

static int try_files_for_reading(void)
{
    int fd = open("/proc/self/maps", O_RDONLY);
    char byte;

    // Its owner is root since the process is not dumpable: any answer but the filter's will do.
    if (fd < 0 && errno == EPERM)
        return 1;
    fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    return !(fd >= 0 && read(fd, &byte, 1) == 1 && close(fd) == 0 &&
             refused(open("/dev/null", O_WRONLY)) && refused(open("/dev/null", O_RDWR)) &&
             refused(open("/tmp/cyclescope-sandbox-test", O_RDONLY | O_CREAT, 0600)) &&
             refused(open("/etc/passwd", O_RDONLY | O_TRUNC)));
}

static void *run_thread(void *context)
{
    void *memory = malloc(1 << 20); // of an arena of its own

    free(memory);
    *(int *)context = memory != NULL;
    return NULL;
}

static int try_threads(void)
{
    pthread_t threads[8];
    int done[8] = {0};

    for (int i = 0; i < 8; i++)
        if (pthread_create(&threads[i], NULL, run_thread, &done[i]))
            return 1;
    for (int i = 0; i < 8; i++)
        if (pthread_join(threads[i], NULL) || !done[i])
            return 2;
    return 0;
}

static int try_process(void)
{
    return !refused(fork());
}

static int try_code(void)
{
    const int rwx = PROT_READ | PROT_WRITE | PROT_EXEC;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return !(page != MAP_FAILED && refused(mprotect(page, 4096, rwx)) &&
             mmap(NULL, 4096, rwx, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED &&
             errno == EPERM);
}

static int try_kill_others(void)
{
    return !refused(kill(getppid(), 0));
}

static int try_exec(void)
{
    char *argv[] = {(char[]){"true"}, NULL};

    execv("/bin/true", argv);
    return 1;
}

static int try_socket(void)
{
    socket(AF_INET, SOCK_STREAM, 0);
    return 1;
}

static int try_ptrace(void)
{
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    return 1;
}

static int try_become_root(void)
{
    return setuid(0) ? 1 : 2;
}

static int try_abort(void)
{
    abort();
}

static void test_filter_refuses(void **state)
{
    (void)state;
    expect_fine(try_files_without_need, 0);
    expect_fine(try_files_for_reading, SANDBOX_OPEN_READ);
    expect_fine(try_process, SANDBOX_OPEN_READ | SANDBOX_WRITE_FILES);
    expect_fine(try_code, 0);
    expect_fine(try_kill_others, 0);
}

static void test_filter_kills(void **state)
{
    (void)state;
    expect_killed(try_exec);
    expect_killed(try_socket);
    expect_killed(try_ptrace);
    expect_killed(try_become_root);
}

static void test_filter_allows(void **state)
{
    int status;

    (void)state;
    expect_fine(try_threads, 0);
    status = confined(try_abort, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

// The value of a line of /proc/self/status, in `ret`.
static void status_line(const char *key, char ret[256])
{
    FILE *f = fopen("/proc/self/status", "re");
    char line[256];

    ret[0] = '\0';
    while (f && fgets(line, sizeof(line), f))
        if (strncmp(line, key, strlen(key)) == 0)
            snprintf(ret, 256, "%s", line + strlen(key));
    if (f)
        fclose(f);
}

static int check_privileges(void)
{
    static const char *const keys[] = {"CapInh:", "CapPrm:", "CapEff:", "CapAmb:", "CapBnd:"};
    bool root = getuid() == 0;
    struct sandbox_user user;
    char line[256];

    sandbox_choose_user(&user);
    if (sandbox_drop_privileges(&user) < 0)
        return 1;
    for (size_t i = 0; i < (root ? 5 : 4); i++) {
        status_line(keys[i], line);
        if (strtoull(line, NULL, 16) != 0)
            return 2;
    }
    if (getuid() != user.uid || geteuid() != user.uid || getegid() != user.gid || getuid() == 0)
        return 3;
    if (root && getgroups(0, NULL) != 0)
        return 4;
    status_line("NoNewPrivs:", line);
    if (atoi(line) != 1 || prctl(PR_GET_DUMPABLE) != 0)
        return 5;
    return setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0 ? 6 : 0;
}

static void test_drop_privileges(void **state)
{
    pid_t child = fork();
    int status;

    (void)state;
    if (child == 0)
        _exit(check_privileges());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_choose_user(void **state)
{
    static const char *const bad[] = {
        "0", "-1", "", "x", "12x", "4294967295", "99999999999999999999", " 7"};
    struct sandbox_user user;

    (void)state;
    setenv("SUDO_UID", "1234", 1);
    setenv("SUDO_GID", "2345", 1);
    sandbox_choose_user(&user);
    if (geteuid() != 0) {
        assert_false(user.change);
        assert_int_equal(user.uid, getuid());
        return;
    }
    assert_true(user.change);
    assert_int_equal(user.uid, 1234);
    assert_int_equal(user.gid, 2345);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        setenv("SUDO_UID", bad[i], 1);
        sandbox_choose_user(&user);
        assert_true(user.change && user.uid != 0 && user.gid != 0 && user.uid != 1234);
    }
    unsetenv("SUDO_UID");
    sandbox_choose_user(&user);
    assert_true(user.change && user.uid != 0 && user.gid != 0);
    unsetenv("SUDO_GID");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choose_user),    cmocka_unit_test(test_drop_privileges),
        cmocka_unit_test(test_filter_refuses), cmocka_unit_test(test_filter_kills),
        cmocka_unit_test(test_filter_allows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "collect/target.h"

#include "unit.h"

#include "base/file.h"

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static char message[EVENT_REASON_MAX];

static void the_system_has_every_online_cpu(void **state)
{
    struct target t;
    int *online;
    size_t n, places = 0;

    (void)state;
    assert_int_equal(target_system(NULL, &t, message), 0);
    assert_int_equal(file_read_cpus("", "online", &online, &n), 0);
    assert_int_equal(t.kind, TARGET_SYSTEM);
    assert_int_equal(t.n_cpus, n);
    assert_memory_equal(t.cpus, online, n * sizeof(*online));
    assert_int_equal(target_scope(&t), SCOPE_CPU);
    assert_int_equal(target_rows(&t), t.n_possible);
    assert_int_equal(t.ends, -1);
    for (size_t row = 0; row < target_rows(&t); row++) {
        pid_t pid;
        int cpu;

        places += target_place(&t, row, &pid, &cpu);
        assert_int_equal(pid, -1);
        assert_int_equal(cpu, row);
    }
    assert_int_equal(places, n);
    free(online);
    target_done(&t);
    target_done(&t);
    target_done(NULL);
}

static void chosen_cpus_are_the_only_places(void **state)
{
    struct target t;
    pid_t pid;
    int cpu;

    (void)state;
    assert_int_equal(target_system("0", &t, message), 0);
    assert_int_equal(t.kind, TARGET_CPUS);
    assert_string_equal(t.text, "CPUs 0");
    assert_int_equal(t.n_cpus, 1);
    // Rows are CPU numbers all the same.
    assert_true(target_rows(&t) >= 1);
    assert_true(target_place(&t, 0, &pid, &cpu));
    for (size_t row = 1; row < target_rows(&t); row++)
        assert_false(target_place(&t, row, &pid, &cpu));
    target_done(&t);
}

static void refused_cpus(const char *list, int error, const char *why)
{
    struct target t = {.n_cpus = 77};

    assert_int_equal(target_system(list, &t, message), error);
    assert_contains(message, why);
    assert_int_equal(t.n_cpus, 77);
}

static void cpu_lists_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    refused_cpus("", -EINVAL, "not a CPU list");
    refused_cpus("all", -EINVAL, "'all'");
    refused_cpus("1-0", -EINVAL, "not a CPU list");
    refused_cpus("65000", -ENODEV, "CPU 65000");
    refused_cpus("99999", -EINVAL, "not a CPU list");
}

static void refused_pid(pid_t pid)
{
    struct target t = {.n_threads = 77};

    assert_true(target_process(pid, &t, message) < 0);
    assert_contains(message, "there is no process");
    assert_int_equal(t.n_threads, 77);
}

static void a_process_that_is_not_there_is_refused(void **state)
{
    pid_t gone = fork();

    (void)state;
    if (gone == 0)
        _exit(0);
    waitpid(gone, NULL, 0);
    refused_pid(gone);
    refused_pid(0);
    refused_pid(-5);
    refused_pid(0x7fffffff);
}

static void hold(int fd)
{
    char byte;

    while (read(fd, &byte, 1) < 0)
        ;
}

static void *nothing(void *context)
{
    return context;
}

static void *wait_in_thread(void *context)
{
    pthread_barrier_t *barrier = ((void **)context)[0];
    int *fd = ((void **)context)[1];

    prctl(PR_SET_NAME, "a worker");
    pthread_barrier_wait(barrier);
    hold(*fd);
    return NULL;
}

static void a_process_has_all_its_threads(void **state)
{
    struct target t;
    pthread_barrier_t first, later; // a barrier may go only after its threads have
    pthread_t threads[3];
    int pipe_fds[2];
    void *with_first[] = {&first, &pipe_fds[0]}, *with_later[] = {&later, &pipe_fds[0]};
    size_t workers = 0, others;
    pid_t pid;
    int cpu;

    (void)state;
    // This thread, and that of a sanitizer, which some start with the first of ours.
    pthread_create(&threads[0], NULL, nothing, NULL);
    pthread_join(threads[0], NULL);
    assert_int_equal(target_process(getpid(), &t, message), 0);
    others = target_rows(&t);
    target_done(&t);
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    pthread_barrier_init(&first, NULL, 3);
    pthread_barrier_init(&later, NULL, 2);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, wait_in_thread, with_first);
    pthread_barrier_wait(&first);
    assert_int_equal(target_process(getpid(), &t, message), 0);
    assert_int_equal(t.kind, TARGET_PROCESS);
    assert_int_equal(target_scope(&t), SCOPE_TASK);
    assert_int_equal(target_rows(&t), others + 2);
    assert_true(t.ends >= 0);
    assert_contains(t.text, "process ");
    for (size_t row = 0; row < others + 2; row++) {
        assert_true(target_place(&t, row, &pid, &cpu));
        assert_int_equal(cpu, -1);
        assert_int_equal(pid, t.threads[row].tid);
        workers += strcmp(t.threads[row].comm, "a worker") == 0;
    }
    assert_int_equal(workers, 2);
    assert_int_equal(target_find_threads(&t), 0);

    // One that is born later is found, and those known stay where they are.
    pthread_create(&threads[2], NULL, wait_in_thread, with_later);
    pthread_barrier_wait(&later);
    pid = t.threads[1].tid;
    assert_int_equal(target_find_threads(&t), 1);
    assert_int_equal(target_rows(&t), others + 3);
    assert_int_equal(t.threads[1].tid, pid);
    close(pipe_fds[1]);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    close(pipe_fds[0]);
    pthread_barrier_destroy(&first);
    pthread_barrier_destroy(&later);
    target_done(&t);
}

static void a_process_that_ends_takes_its_threads_along(void **state)
{
    struct target t;
    pid_t child = fork();

    (void)state;
    if (child == 0) {
        pause();
        _exit(0);
    }
    assert_int_equal(target_process(child, &t, message), 0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_true(target_find_threads(&t) < 0);
    assert_true(target_rows(&t) >= 1); // a sanitizer's own thread may be there
    target_done(&t);
}

static int refuse_pidfds; // of threads, as kernels before 6.9 do

long __real_syscall(long number, ...);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f);

long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    if (refuse_pidfds && number == SYS_pidfd_open && b) {
        errno = EINVAL;
        return -1;
    }
    return __real_syscall(number, a, b, c, d, e, f);
}

static void *live(void *context)
{
    int *pipes = context;
    pid_t tid = gettid();
    char byte;

    if (write(pipes[1], &tid, sizeof(tid)) == sizeof(tid))
        (void)!read(pipes[2], &byte, 1);
    return NULL;
}

static void a_threads_end_is_noticed_without_a_pidfd(void **state)
{
    int pipes[4];
    pthread_t thread;
    struct target t;
    pid_t tid;
    size_t i = 1;

    (void)state;
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(pipe(pipes + 2), 0);
    assert_int_equal(pthread_create(&thread, NULL, live, pipes), 0);
    assert_int_equal(read(pipes[0], &tid, sizeof(tid)), sizeof(tid));
    refuse_pidfds = 1;
    if (target_threads(&tid, 1, &t, message) != 0)
        fail_msg("%s", message);
    refuse_pidfds = 0;
    assert_int_equal(t.tasks[0].process, getpid());
    target_poll_threads(&t);
    assert_false(target_take_end(&t, &i));
    close(pipes[3]);
    pthread_join(thread, NULL);
    // It is joined a moment before the kernel has forgotten it.
    for (int tries = 0; tries < 5000 && !target_take_end(&t, &i); tries++) {
        target_poll_threads(&t);
        usleep(1000);
    }
    assert_int_equal(i, 0);
    assert_int_equal(t.n_alive, 0);
    target_done(&t);
    for (int k = 0; k < 3; k++)
        close(pipes[k]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_system_has_every_online_cpu),
        cmocka_unit_test(chosen_cpus_are_the_only_places),
        cmocka_unit_test(cpu_lists_that_make_no_sense_are_refused),
        cmocka_unit_test(a_process_that_is_not_there_is_refused),
        cmocka_unit_test(a_process_has_all_its_threads),
        cmocka_unit_test(a_process_that_ends_takes_its_threads_along),
        cmocka_unit_test(a_threads_end_is_noticed_without_a_pidfd),
    };

    return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
// The errors of perf_event_open(2), provoked where this machine can, and their sentences.
#include "collect/perf_event.h"

#include "unit.h"

#include <seccomp.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static char why[EVENT_REASON_MAX];

static struct perf_event_attr faults(void)
{
    return (struct perf_event_attr){.type = PERF_TYPE_SOFTWARE,
                                    .size = sizeof(struct perf_event_attr),
                                    .config = PERF_COUNT_SW_PAGE_FAULTS,
                                    .exclude_kernel = 1,
                                    .exclude_hv = 1};
}

static int try(struct perf_event_attr attr, pid_t pid, int cpu)
{
    int fd = perf_event_open(&attr, pid, cpu, -1, 0);

    if (fd >= 0)
        close(fd);
    return fd < 0 ? fd : 0;
}

// The sentence names the event, and holds the reason and the remedy.
static void says(int error, const char *reason, const char *remedy)
{
    struct perf_event_attr attr = faults();

    why[0] = '\0';
    perf_event_advice(error, "my-event", &attr, true, why);
    assert_true(strncmp(why, "my-event: ", 10) == 0);
    assert_contains(why, reason);
    assert_contains(why, remedy);
}

static void a_process_that_is_gone(void **state)
{
    pid_t child = fork();

    (void)state;
    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0);
    assert_int_equal(try(faults(), child, -1), -ESRCH);
    // One that has ended, and that nobody has waited for, is gone too.
    child = fork();
    if (child == 0)
        _exit(0);
    assert_int_equal(waitid(P_PID, (id_t)child, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
    assert_int_equal(try(faults(), child, -1), -ESRCH);
    waitpid(child, NULL, 0);
    says(-ESRCH, "no such process", "pass the ID");
}

static void an_event_that_no_kernel_has(void **state)
{
    struct perf_event_attr attr = faults();

    (void)state;
    attr.config = 9999;
    assert_int_equal(try(attr, 0, -1), -ENOENT);
    says(-ENOENT, "this kernel", "no such event");
    attr.type = PERF_TYPE_RAW;
    perf_event_advice(-ENOENT, "r1", &attr, true, why);
    assert_contains(why, "hypervisor");
    perf_event_advice(-EOPNOTSUPP, "r1", &attr, true, why);
    assert_contains(why, "hypervisor");
    assert_int_equal(perf_event_quality(-ENOENT), QUALITY_NOT_SUPPORTED);
}

static void a_combination_that_makes_no_sense(void **state)
{
    (void)state;
    assert_int_equal(try(faults(), -1, -1), -EINVAL);
    assert_int_equal(try(faults(), 0, 60000), -EINVAL);
    says(-EINVAL, "refuses this combination", "without modifiers");
}

static void attributes_of_a_newer_kernel(void **state)
{
    struct {
        struct perf_event_attr attr;
        char tail[128];
    } newer = {.attr = faults(), .tail = {[100] = 1}};

    (void)state;
    newer.attr.size = sizeof(newer);
    assert_int_equal(perf_event_open(&newer.attr, 0, -1, -1, 0), -E2BIG);
    says(-E2BIG, "too old", "newer kernel");
}

static void more_samples_or_frames_than_the_kernel_takes(void **state)
{
    struct perf_event_attr attr = faults();

    (void)state;
    attr.sample_type = PERF_SAMPLE_CALLCHAIN;
    attr.sample_period = 1;
    attr.sample_max_stack = 60000;
    assert_int_equal(try(attr, 0, -1), -EOVERFLOW);
    says(-EOVERFLOW, "perf_event_max_stack", "ask for fewer");
    attr = faults();
    attr.freq = 1;
    attr.sample_freq = 1ULL << 62;
    assert_int_equal(try(attr, 0, -1), -EINVAL);
    perf_event_advice(-EINVAL, "e", &attr, true, why);
    assert_contains(why, "e: ");
    assert_contains(why, "kernel.perf_event_max_sample_rate");
}

// In a child whose seccomp filter is as a container's: the error, or 99 when what is said of it
// does not help.
static int count_in_a_container(void)
{
    struct perf_event_attr attr = faults();
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

    if (!filter ||
        seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(perf_event_open), 0) < 0 ||
        seccomp_load(filter) < 0)
        return 77;
    perf_event_advice(-EPERM, "e", &attr, true, why);
    if (geteuid() == 0 && (!strstr(why, "though this is root") || !strstr(why, "seccomp")))
        return 99;
    return -try(attr, 0, -1);
}

static void a_container_that_denies_the_call(void **state)
{
    pid_t child = fork();
    int status;

    (void)state;
    if (child == 0)
        _exit(count_in_a_container());
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WEXITSTATUS(status) == 77)
        skip_because("no seccomp filter can be loaded here");
    assert_int_equal(WEXITSTATUS(status), EPERM);
    assert_int_equal(perf_event_quality(-EPERM), QUALITY_DENIED);
}

static void no_more_descriptors(void **state)
{
    struct rlimit before, none;

    (void)state;
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &none);
    assert_int_equal(try(faults(), 0, -1), -EMFILE);
    setrlimit(RLIMIT_NOFILE, &before);
    says(-EMFILE, "descriptors", "ulimit -n");
}

// In a child without privileges: the error of counting a CPU, or 77.
static int count_a_cpu_as_nobody(void)
{
    struct perf_event_attr attr = faults();

    if (geteuid() == 0 &&
        (syscall(SYS_setgroups, 0, NULL) < 0 || setresgid(65534, 65534, 65534) < 0 ||
         setresuid(65534, 65534, 65534) < 0))
        return 77;
    if (perf_event_paranoid("") < 1)
        return 77;
    // 99: what is said does not help.
    perf_event_advice(-EACCES, "e", &attr, true, why);
    if (!strstr(why, "perf_event_paranoid") || !strstr(why, "sudo") || !strstr(why, "-p PID"))
        return 99;
    perf_event_advice(-EACCES, "e", &attr, false, why);
    if (!strstr(why, "that process") || !strstr(why, "sudo"))
        return 99;
    return -try(attr, -1, 0);
}

static void a_user_without_privileges(void **state)
{
    pid_t child = fork();
    int status;

    (void)state;
    if (child == 0)
        _exit(count_a_cpu_as_nobody());
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WEXITSTATUS(status) == 77) {
        skip_because("it needs perf_event_paranoid 1 or more");
    }
    assert_int_equal(WEXITSTATUS(status), EACCES);
    assert_int_equal(perf_event_quality(-EACCES), QUALITY_DENIED);
    assert_int_equal(perf_event_quality(-EPERM), QUALITY_DENIED);
    // Root that is refused is in a container.
    if (geteuid() == 0)
        says(-EPERM, "though this is root", "outside");
}

static void the_rest_has_its_sentence_too(void **state)
{
    static const int errors[] = {ENFILE, ENODEV,    EBUSY,      ENOSYS,
                                 ENOSPC, EOVERFLOW, EOPNOTSUPP, ENOMEM};

    (void)state;
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        says(-errors[i], " ", ";");
    says(-EXDEV, "perf_event_open", strerror(EXDEV));
}

static void no_sentence_is_cut(void **state)
{
    struct perf_event_attr attr = faults();
    char name[81] = "";

    (void)state;
    memset(name, 'n', 80);
    for (int error = 1; error < 134; error++)
        for (int type = 0; type < 5; type += 4) {
            attr.type = (uint32_t)type;
            perf_event_advice(-error, name, &attr, true, why);
            assert_true(strlen(why) < EVENT_REASON_MAX - 1);
        }
}

// The kernel opens it, and counts nothing, whoever asks.
static void what_happens_in_the_kernel_is_silent_in_user_mode(void **state)
{
    struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE, .exclude_kernel = 1};

    (void)state;
    attr.config = PERF_COUNT_SW_CONTEXT_SWITCHES;
    assert_true(perf_event_is_silent(&attr));
    perf_event_advice(-EOPNOTSUPP, "cs:u", &attr, false, why);
    assert_contains(why, "cs:u: it happens in the kernel");
    attr.exclude_kernel = 0;
    assert_false(perf_event_is_silent(&attr));
    attr.exclude_user = 1;
    assert_false(perf_event_is_silent(&attr));
    attr = faults();
    assert_false(perf_event_is_silent(&attr));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_happens_in_the_kernel_is_silent_in_user_mode),
        cmocka_unit_test(a_process_that_is_gone),
        cmocka_unit_test(an_event_that_no_kernel_has),
        cmocka_unit_test(a_combination_that_makes_no_sense),
        cmocka_unit_test(attributes_of_a_newer_kernel),
        cmocka_unit_test(more_samples_or_frames_than_the_kernel_takes),
        cmocka_unit_test(a_container_that_denies_the_call),
        cmocka_unit_test(no_more_descriptors),
        cmocka_unit_test(a_user_without_privileges),
        cmocka_unit_test(the_rest_has_its_sentence_too),
        cmocka_unit_test(no_sentence_is_cut),
    };

    return cmocka_run_group_tests_name("perf-event", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
// How the machine is set up.
#include "base/file.h"
#include "collect/doctor_checks.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define KERNEL_MAJOR_MIN 5 // 5.10: the oldest that is tested, and the first Debian with CAP_PERFMON
#define KERNEL_MINOR_MIN 10

#define TIMER_COARSE NS_PER_MS // without high-resolution timers it is a jiffy, 1 to 10 ms

#define PMUS "/sys/bus/event_source/devices"

// Does the folder of PMUs have one whose name begins so? How many?
static size_t count_pmus(const char *root, const char *prefix)
{
    char path[PATH_MAX];
    DIR *dir;
    size_t n = 0;

    if (snprintf(path, sizeof(path), "%s" PMUS, root) >= (int)sizeof(path))
        return 0;
    dir = opendir(path);
    if (!dir)
        return 0;
    for (const struct dirent *d; (d = readdir(dir));)
        n += strncmp(d->d_name, prefix, strlen(prefix)) == 0;
    closedir(dir);
    return n;
}

static bool pmu_type(const char *root, const char *name, uint64_t *ret)
{
    char path[128];
    long type;

    snprintf(path, sizeof(path), PMUS "/%s/type", name);
    if (file_read_long(root, path, &type) < 0)
        return false;
    *ret = (uint64_t)type;
    return true;
}

bool doctor_pmu_listed(const char *root)
{
    uint64_t type;

    // x86's; a hybrid's; arm's (armv8_pmuv3_0, armv8_cortex_a53, …); others' (cpum_cf of s390, …).
    return pmu_type(root, "cpu", &type) || pmu_type(root, "cpu_core", &type) ||
           count_pmus(root, "armv") || count_pmus(root, "apple_") || count_pmus(root, "cpum_cf");
}

size_t doctor_hybrid_types(const char *root, uint64_t ret[2])
{
    return pmu_type(root, "cpu_core", &ret[0]) && pmu_type(root, "cpu_atom", &ret[1]) ? 2 : 0;
}

void doctor_kernel(const char *root, const struct doctor_look *l, struct finding *f)
{
    int major, minor;

    (void)root;
    if (sscanf(l->machine.kernel, "%d.%d", &major, &minor) != 2) {
        doctor_found(f, FINDING_UNKNOWN, "'%s' is not a version that can be compared",
                     l->machine.kernel);
        return;
    }
    if (major > KERNEL_MAJOR_MIN || (major == KERNEL_MAJOR_MIN && minor >= KERNEL_MINOR_MIN)) {
        doctor_found(f, FINDING_PASS, "Linux %s", l->machine.kernel);
        return;
    }
    doctor_found(f, FINDING_LIMITED, "Linux %s, older than %d.%d", l->machine.kernel,
                 KERNEL_MAJOR_MIN, KERNEL_MINOR_MIN);
    doctor_cost(f, "cyclescope is not tested with it; CAP_PERFMON came with 5.8");
    doctor_remedy(f, "install a newer kernel; until then run it as root");
}

void doctor_watchdog(const char *root, const struct doctor_look *l, struct finding *f)
{
    long on;
    int r = file_read_long(root, "/proc/sys/kernel/nmi_watchdog", &on);

    (void)l;
    if (r < 0 && r != -ENOENT) {
        doctor_found(f, FINDING_UNKNOWN, "nmi_watchdog cannot be read: %s", strerror(-r));
    } else if (r < 0 || !on) {
        doctor_found(f, FINDING_PASS, "%s", r < 0 ? "this kernel has none" : "off");
    } else if (!doctor_pmu_listed(root)) {
        doctor_found(f, FINDING_PASS, "on, and takes no counter: there are none");
    } else {
        doctor_found(f, FINDING_LIMITED, "on: it keeps one counter of each CPU for itself");
        doctor_cost(f, "one event fewer at once: groups share the rest sooner, or never run");
        doctor_remedy(f, "`sudo sysctl kernel.nmi_watchdog=0` while you measure");
    }
}

void doctor_hybrid(const char *root, const struct doctor_look *l, struct finding *f)
{
    uint64_t types[2];
    size_t arm = count_pmus(root, "armv8_") + count_pmus(root, "armv9_");

    (void)l;
    if (doctor_hybrid_types(root, types)) {
        doctor_found(f, FINDING_LIMITED, "two types of cores: cpu_core and cpu_atom");
        doctor_cost(f, "a process's counts are of one type at a time, and do not add up");
        doctor_remedy(f,
                      "compare like with like: `cyclescope -e cpu_core/cycles/,cpu_atom/cycles/`");
    } else if (arm > 1) {
        doctor_found(f, FINDING_LIMITED, "%zu types of cores (big.LITTLE)", arm);
        doctor_cost(f, "a process's counts are of one type at a time, and do not add up");
        doctor_remedy(f, "measure CPUs of one type: `cyclescope -C LIST`; "
                         "/sys/bus/event_source/devices/armv*/cpus lists them");
    } else {
        doctor_found(f, FINDING_PASS, "all cores are of one type");
    }
}

void doctor_symbols(const char *root, const struct doctor_look *l, struct finding *f)
{
    long restrict_level, paranoid = 2;
    int r = file_read_long(root, "/proc/sys/kernel/kptr_restrict", &restrict_level);

    file_read_long(root, "/proc/sys/kernel/perf_event_paranoid", &paranoid);
    if (r < 0) {
        doctor_found(f, FINDING_UNKNOWN, "kptr_restrict cannot be read: %s", strerror(-r));
        return;
    }
    // As kallsyms_show_value() decides (linux, kernel/ksyms_common.c).
    if (restrict_level <= 1 && (l->cap_syslog || (restrict_level == 0 && paranoid <= 1))) {
        doctor_found(f, FINDING_PASS, "kernel functions have addresses (kptr_restrict is %ld)",
                     restrict_level);
        return;
    }
    doctor_found(f, FINDING_LIMITED,
                 "kernel functions' addresses are hidden%s (kptr_restrict is %ld)",
                 restrict_level <= 1 ? " without privileges" : "", restrict_level);
    doctor_cost(f, "the kernel's part of a stack would have no names; counters are not affected");
    if (restrict_level <= 1)
        doctor_remedy(f, "`sudo cyclescope`: root (CAP_SYSLOG) may see them");
    else
        doctor_remedy(f, "`sudo sysctl kernel.kptr_restrict=1`, then `sudo cyclescope`");
}

void doctor_clock(const char *root, const struct doctor_look *l, struct finding *f)
{
#define SOURCES "/sys/devices/system/clocksource/clocksource0/"
    // Read without entering the kernel (the vDSO); every other one costs a system call or worse.
    static const char *const fast[] = {"tsc", "arch_sys_counter", "kvm-clock",
                                       "hyperv_clocksource_tsc_page"};
    char name[64], available[256] = "";
    int r = file_read(root, SOURCES "current_clocksource", name, sizeof(name));

    if (l->timer_resolution >= TIMER_COARSE) {
        doctor_found(f, FINDING_LIMITED, "timers have a resolution of %lld ms only",
                     (long long)(l->timer_resolution / NS_PER_MS));
        doctor_cost(f, "intervals come late by up to that much");
        doctor_remedy(
            f, "boot without `highres=off` and `nohz=off`; a kernel with CONFIG_HIGH_RES_TIMERS");
        return;
    }
    if (r < 0) {
        doctor_found(f, FINDING_UNKNOWN, "the clock source cannot be read: %s", strerror(-r));
        return;
    }
    for (size_t i = 0; i < sizeof(fast) / sizeof(fast[0]); i++)
        if (strcmp(name, fast[i]) == 0) {
            doctor_found(f, FINDING_PASS, "%s; timers to the nanosecond", name);
            return;
        }
    doctor_found(f, FINDING_LIMITED, "%s: reading it takes a microsecond or more", name);
    doctor_cost(f, "each reading costs more, and so does each program that asks for the time");
    file_read(root, SOURCES "available_clocksource", available, sizeof(available));
    if (strstr(available, "tsc"))
        doctor_remedy(f, "`echo tsc | sudo tee " SOURCES "current_clocksource`");
    else
        doctor_remedy(f,
                      "the kernel took the TSC for unstable: `sudo dmesg | grep -i tsc` says why");
#undef SOURCES
}

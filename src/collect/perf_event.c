// SPDX-License-Identifier: Apache-2.0
#include "collect/perf_event.h"

#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int perf_event_open(const struct perf_event_attr *attr, pid_t pid, int cpu, int group_fd,
                    unsigned long flags)
{
    long fd = syscall(SYS_perf_event_open, attr, pid, cpu, group_fd, flags | PERF_FLAG_FD_CLOEXEC);

    return fd < 0 ? -errno : (int)fd;
}

int perf_event_paranoid(const char *root)
{
    long level = 2;

    file_read_long(root, "/proc/sys/kernel/perf_event_paranoid", &level);
    return (int)level;
}

enum quality perf_event_quality(int error)
{
    return error == -EACCES || error == -EPERM ? QUALITY_DENIED : QUALITY_NOT_SUPPORTED;
}

static bool is_hardware(const struct perf_event_attr *attr)
{
    return attr->type == PERF_TYPE_HARDWARE || attr->type == PERF_TYPE_HW_CACHE ||
           attr->type == PERF_TYPE_RAW;
}

// What is the matter and what to do, for the errors that mean one thing only. Sources: the kernel's
// kernel/events/core.c, perf_event_open(2).
static const struct {
    int error;
    const char *text;
} advice[] = {
    {EINVAL, "the kernel refuses this combination of event, modifiers, group and CPU; try it "
             "without modifiers, and outside of braces"},
    {EMFILE, "no more file descriptors; raise the limit (ulimit -n), or measure fewer events or "
             "threads"},
    {ENFILE, "the machine has no more file descriptors; raise /proc/sys/fs/file-max"},
    {ESRCH, "there is no such process (any more); pass the ID of one that runs"},
    {ENODEV, "the CPU is offline; it is counted once it is online"},
    {EBUSY, "another program holds the counters exclusively; end the other profiler"},
    {E2BIG, "this kernel is too old for the event's attributes; leave out what is newer, or boot a "
            "newer kernel"},
    {ENOSYS, "this kernel was built without perf events; boot one with CONFIG_PERF_EVENTS"},
    {EOVERFLOW, "call chains are limited to kernel.perf_event_max_stack frames; ask for fewer, or "
                "raise it"},
    {EOPNOTSUPP, "this PMU has no such feature (precise sampling, exclusion of a mode); leave out "
                 "the modifiers"},
    {ENOSPC, "all breakpoints of the processor are in use; end the debugger that holds them"},
    {ENOMEM, "the kernel has no memory for it; measure fewer events or threads"},
};

bool perf_event_has_user_part(const struct perf_event_attr *attr)
{
    return attr->type != PERF_TYPE_TRACEPOINT &&
           (attr->type != PERF_TYPE_SOFTWARE || (attr->config != PERF_COUNT_SW_CONTEXT_SWITCHES &&
                                                 attr->config != PERF_COUNT_SW_CPU_MIGRATIONS &&
                                                 attr->config != PERF_COUNT_SW_CGROUP_SWITCHES));
}

bool perf_event_is_silent(const struct perf_event_attr *attr)
{
    return attr->type == PERF_TYPE_SOFTWARE && attr->exclude_kernel &&
           !perf_event_has_user_part(attr);
}

void perf_event_advice(int error, const char *name, const struct perf_event_attr *attr,
                       bool system_wide, char *ret)
{
    size_t size = EVENT_REASON_MAX;
    int paranoid = perf_event_paranoid("");

    // Some kernels say so of an event that the PMU has not, when nothing special is asked of it.
    if (error == -EOPNOTSUPP && is_hardware(attr) && !attr->precise_ip)
        error = -ENOENT;
    if (error == -EINVAL && attr->precise_ip) {
        snprintf(
            ret, size,
            "%.80s: this processor counts precisely (:p) only when it samples; leave the p out",
            name);
        return;
    }
    if (error == -EINVAL && attr->freq) {
        snprintf(ret, size,
                 "%.80s: the kernel takes fewer samples a second; ask for fewer, or raise "
                 "kernel.perf_event_max_sample_rate",
                 name);
        return;
    }
    if (perf_event_is_silent(attr)) {
        snprintf(ret, size,
                 "%.80s: it happens in the kernel, so that :u never counts it; leave out "
                 "the modifier",
                 name);
        return;
    }
    for (size_t i = 0; i < sizeof(advice) / sizeof(advice[0]); i++)
        if (advice[i].error == -error) {
            snprintf(ret, size, "%.80s: %s", name, advice[i].text);
            return;
        }
    switch (-error) {
    case EACCES:
    case EPERM:
        if (geteuid() == 0)
            snprintf(ret, size,
                     "%.80s: not permitted, though this is root: a container's seccomp profile or "
                     "a security module forbids it; run it outside, or allow perf_event_open there",
                     name);
        else if (system_wide)
            snprintf(ret, size,
                     "%.80s: counting the whole system needs privileges (perf_event_paranoid is "
                     "%d): run the same command with sudo, or measure your own process with -p PID",
                     name, paranoid);
        else
            snprintf(ret, size,
                     "%.80s: the kernel does not let this user count that process "
                     "(perf_event_paranoid is %d): run the same command with sudo",
                     name, paranoid);
        return;
    case ENOENT:
    case ENXIO:
        if (is_hardware(attr))
            snprintf(
                ret, size,
                "%.80s: this machine's processor, or the hypervisor that it runs under, offers no "
                "such counter",
                name);
        else
            snprintf(ret, size, "%.80s: this kernel has no such event", name);
        return;
    default:
        snprintf(ret, size, "%.80s: perf_event_open: %s", name, strerror(-error));
    }
}

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

void perf_event_advice(int error, const char *name, const struct perf_event_attr *attr,
                       bool system_wide, char *ret)
{
    size_t size = EVENT_REASON_MAX;

    switch (-error) {
    case EACCES:
    case EPERM:
        if (system_wide)
            snprintf(ret, size,
                     "%s: counting the whole system needs privileges (perf_event_paranoid is %d): "
                     "run the same command with sudo, or measure your own process with -p PID",
                     name, perf_event_paranoid(""));
        else
            snprintf(ret, size,
                     "%s: the kernel does not let this user count that process "
                     "(perf_event_paranoid is %d): run the same command with sudo",
                     name, perf_event_paranoid(""));
        return;
    case ENOENT:
    case EOPNOTSUPP:
    case ENXIO:
        if (is_hardware(attr))
            snprintf(
                ret, size,
                "%s: this machine's processor, or the hypervisor that it runs under, offers no "
                "such counter",
                name);
        else
            snprintf(ret, size, "%s: this kernel has no such event", name);
        return;
    case EINVAL:
        if (attr->precise_ip) {
            snprintf(
                ret, size,
                "%s: this processor counts precisely (:p) only when it samples; leave the p out",
                name);
            return;
        }
        snprintf(ret, size, "%s: the kernel refuses this combination of event, modifiers and group",
                 name);
        return;
    case EMFILE:
    case ENFILE:
        snprintf(
            ret, size,
            "%s: no more file descriptors; raise the limit (ulimit -n) or measure fewer events",
            name);
        return;
    case ESRCH:
        snprintf(ret, size, "%s: there is no such process (any more)", name);
        return;
    case ENODEV:
        snprintf(ret, size, "%s: the CPU is offline", name);
        return;
    case EBUSY:
        snprintf(ret, size, "%s: another program holds the counters exclusively", name);
        return;
    case E2BIG:
        snprintf(ret, size, "%s: this kernel is too old for the event's attributes", name);
        return;
    case ENOSYS:
        snprintf(ret, size, "%s: this kernel was built without perf events", name);
        return;
    default:
        snprintf(ret, size, "%s: perf_event_open: %s", name, strerror(-error));
    }
}

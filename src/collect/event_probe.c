// SPDX-License-Identifier: Apache-2.0
#include "collect/event_probe.h"

#include "collect/perf_event.h"

#include <errno.h>
#include <unistd.h>

static int try(const struct perf_event_attr *attr, pid_t pid, int cpu)
{
    int fd = perf_event_open(attr, pid, cpu, -1, 0);

    if (fd < 0)
        return fd;
    close(fd);
    return 0;
}

int event_probe(const struct event_request *r)
{
    struct perf_event_attr attr = r->attr;
    int cpu = r->n_cpus ? r->cpus[0] : 0, result, of_user;

    attr.size = sizeof(attr);
    attr.disabled = 1;
    result = r->n_cpus ? try(&attr, -1, cpu) : try(&attr, 0, -1);
    if (result == -EINVAL && try(&attr, -1, cpu) == 0)
        return 0;
    if ((result != -EACCES && result != -EPERM) || r->n_cpus || !perf_event_has_user_part(&attr))
        return result;
    // Denied for its kernel part; the answer to the rest says whether the machine has it.
    attr.exclude_kernel = attr.exclude_hv = 1;
    of_user = try(&attr, 0, -1);
    return of_user == 0 || of_user == -ENOENT || of_user == -EOPNOTSUPP ? of_user : result;
}

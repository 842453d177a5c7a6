// SPDX-License-Identifier: Apache-2.0
#include "collect/doctor.h"

#include "base/text.h"
#include "collect/doctor_checks.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

// In the order in which a person wants to know.
static const struct {
    const char *name;
    doctor_check_function *run;
} checks[] = {
    {"hardware", doctor_hardware},
    {"software", doctor_software},
    {"permission", doctor_permission},
    {"container", doctor_container},
    {"hypervisor", doctor_hypervisor},
    {"kernel", doctor_kernel},
    {"nmi-watchdog", doctor_watchdog},
    {"hybrid", doctor_hybrid},
    {"kernel-symbols", doctor_symbols},
    {"cgroup", doctor_cgroup},
    {"descriptors", doctor_descriptors},
    {"memory", doctor_memory},
    {"clock", doctor_clock},
    {"priority", doctor_priority},
};
#define N_CHECKS (sizeof(checks) / sizeof(checks[0]))
_Static_assert(N_CHECKS <= FINDINGS_MAX, "findings hold every check");

void doctor_found(struct finding *f, enum finding_status status, const char *format, ...)
{
    va_list args;

    f->status = status;
    va_start(args, format);
    vsnprintf(f->found, sizeof(f->found), format, args);
    va_end(args);
}

void doctor_cost(struct finding *f, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(f->cost, sizeof(f->cost), format, args);
    va_end(args);
}

void doctor_remedy(struct finding *f, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(f->remedy, sizeof(f->remedy), format, args);
    va_end(args);
}

bool doctor_denied(int error)
{
    return error == -EACCES || error == -EPERM;
}

bool doctor_privileged(const struct doctor_look *look)
{
    return look->cap_perfmon || look->cap_sys_admin;
}

void doctor_check(const char *root, const struct doctor_look *look, struct findings *ret)
{
    *ret = (struct findings){.n = N_CHECKS, .at_ms = clock_ns(CLOCK_REALTIME) / NS_PER_MS};
    for (size_t i = 0; i < N_CHECKS; i++) {
        text_copy(ret->checks[i].name, FINDING_NAME_MAX, checks[i].name);
        checks[i].run(root, look, &ret->checks[i]);
    }
}

void doctor_run(struct machine *ret_machine, struct findings *ret)
{
    struct doctor_look look;

    doctor_look(&look);
    if (ret_machine)
        *ret_machine = look.machine;
    doctor_check("", &look, ret);
}

static bool works(const struct findings *f, const char *name)
{
    const struct finding *c = findings_find(f, name);

    return c && (c->status == FINDING_PASS || c->status == FINDING_LIMITED);
}

enum doctor_verdict doctor_verdict(const struct findings *f)
{
    if (works(f, "hardware"))
        return DOCTOR_HARDWARE;
    return works(f, "software") ? DOCTOR_SOFTWARE : DOCTOR_NOTHING;
}

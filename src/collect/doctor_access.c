// SPDX-License-Identifier: Apache-2.0
// What this process may open, and whether it counts.
#include "base/file.h"
#include "collect/doctor_checks.h"
#include "collect/perf_event.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

// A busy CPU makes more cycles than this in any microsecond; a counter that shows fewer is stuck.
#define CYCLES_PER_US_MIN 1

#define HARDWARE_EVENTS "cycles, instructions, cache and branch misses, CPI"

static bool in_container(const char *root, const char **ret_kind)
{
    char kind[32];

    *ret_kind = "";
    if (file_read(root, "/.dockerenv", kind, sizeof(kind)) >= 0)
        *ret_kind = "Docker";
    else if (file_read(root, "/run/.containerenv", kind, sizeof(kind)) >= 0)
        *ret_kind = "Podman";
    else if (file_read(root, "/run/systemd/container", kind, sizeof(kind)) >= 0)
        *ret_kind = strcmp(kind, "lxc") == 0 ? "LXC" : "systemd";
    return **ret_kind;
}

static void give_pmu(const struct doctor_look *l, struct finding *f)
{
    static const struct {
        const char *hypervisor, *remedy;
    } known[] = {
        {"KVM", "on the host: `qemu-system-x86_64 -cpu host,pmu=on`, or libvirt's "
                "<cpu mode='host-passthrough'/>; in a cloud, take another machine type"},
        {"QEMU", "on the host: `qemu-system-x86_64 -enable-kvm -cpu host,pmu=on`, or libvirt's "
                 "<cpu mode='host-passthrough'/>"},
        {"VMware", "on the host: enable virtualized CPU performance counters in the machine's "
                   "settings (`vpmc.enable = \"TRUE\"`)"},
        {"Hyper-V", "on the host, with the guest off: `Set-VMProcessor -VMName NAME -Perfmon "
                    "@(\"pmu\")`; Azure has it on few machine types"},
        {"Xen", "boot the hypervisor with `vpmu=on` on its command line"},
        {"xen", "boot the hypervisor with `vpmu=on` on its command line"},
        {"Amazon EC2", "take an instance type with a PMU: .metal, or a whole socket"},
        {"Google Compute Engine", "`gcloud compute instances create NAME "
                                  "--performance-monitoring-unit=standard`, on types that have it"},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(l->machine.hypervisor, known[i].hypervisor) == 0) {
            doctor_remedy(f, "%s", known[i].remedy);
            return;
        }
    doctor_remedy(f, "%s",
                  l->machine.hypervisor[0]
                      ? "ask who runs the hypervisor for a machine with a virtual PMU"
                      : "enable performance counters in the firmware, or install a newer kernel");
}

static void no_pmu(const struct doctor_look *l, struct finding *f)
{
    if (l->machine.hypervisor[0])
        doctor_found(f, FINDING_FAIL, "the hypervisor gives this virtual machine no PMU");
    else
        doctor_found(f, FINDING_FAIL, "the kernel knows no PMU of this processor");
    doctor_cost(f, "no " HARDWARE_EVENTS "; CPU use and software events remain");
    give_pmu(l, f);
}

static void never_ran(const char *root, const struct doctor_look *l, struct finding *f)
{
    long watchdog = 0;

    doctor_found(f, FINDING_FAIL, "%s",
                 l->running ? "cycles and instructions open, and stand still on a busy CPU"
                            : "cycles and instructions open, and never get a counter");
    doctor_cost(f, l->running ? "no " HARDWARE_EVENTS ": they are left out"
                              : "no " HARDWARE_EVENTS ": they would be shown as never ran");
    file_read_long(root, "/proc/sys/kernel/nmi_watchdog", &watchdog);
    if (l->running == 0 && watchdog)
        doctor_remedy(f,
                      "`sudo sysctl kernel.nmi_watchdog=0` frees a counter; end other profilers");
    else if (l->running == 0)
        doctor_remedy(
            f, "end the program that holds the counters (another profiler, or one on the host)");
    else
        give_pmu(l, f);
}

static void counts(const struct doctor_look *l, struct finding *f)
{
    char at_once[48] = "";

    if (l->counters)
        snprintf(at_once, sizeof(at_once), "; %u event%s at once", l->counters,
                 l->counters == 1 ? "" : "s");
    if (l->hardware_system == 0) {
        doctor_found(f, FINDING_PASS, "cycles and instructions count%s", at_once);
        return;
    }
    doctor_found(f, FINDING_LIMITED, "cycles and instructions count, in your own processes%s%s",
                 l->hardware_self == 0 ? "" : " and user mode", at_once);
    doctor_cost(f, "the whole system and other users' processes cannot be counted");
    doctor_remedy(f, "`sudo cyclescope`: see permission");
}

void doctor_hardware(const char *root, const struct doctor_look *l, struct finding *f)
{
    bool plausible = l->group_read && l->running > 0 && l->instructions > 0 &&
                     (ns_t)l->cycles >= l->running / NS_PER_US * CYCLES_PER_US_MIN;

    if (l->hardware_user == -ENOSYS) {
        doctor_found(f, FINDING_FAIL, "perf_event_open does not exist here");
        doctor_cost(f, "nothing can be counted");
        doctor_remedy(f, "use a kernel with CONFIG_PERF_EVENTS, or see container");
    } else if (doctor_denied(l->hardware_user) && doctor_pmu_listed(root)) {
        doctor_found(f, FINDING_FAIL, "there is a PMU, and this process may not use it");
        doctor_cost(f, "no " HARDWARE_EVENTS);
        doctor_remedy(f, "see permission and container");
    } else if (l->hardware_user < 0) {
        no_pmu(l, f);
    } else if (l->group < 0) {
        doctor_found(f, FINDING_FAIL, "cycles and instructions do not open together: %s",
                     strerror(-l->group));
        doctor_cost(f, "no CPI and IPC: a ratio needs both sides at the same time");
        give_pmu(l, f);
    } else if (!plausible) {
        never_ran(root, l, f);
    } else {
        counts(l, f);
    }
}

void doctor_software(const char *root, const struct doctor_look *l, struct finding *f)
{
    (void)root;
    if (l->software_system == 0) {
        doctor_found(f, FINDING_PASS,
                     "context switches, migrations and faults, of the whole system");
    } else if (l->software_self == 0) {
        doctor_found(f, FINDING_LIMITED,
                     "context switches, migrations and faults, of your own processes");
        doctor_cost(f, "no events of the whole system; CPU use is there all the same");
        doctor_remedy(f, "`sudo cyclescope`: see permission");
    } else if (l->software_user == 0) {
        doctor_found(f, FINDING_LIMITED, "page faults and CPU time of your own processes");
        doctor_cost(f, "context switches and migrations happen in the kernel, and are not counted");
        doctor_remedy(f, "`sudo cyclescope`: see permission");
    } else {
        doctor_found(f, FINDING_FAIL, "none opens: %s", strerror(-l->software_user));
        doctor_cost(f, "nothing can be counted but CPU use");
        doctor_remedy(f, "see permission and container");
    }
}

void doctor_permission(const char *root, const struct doctor_look *l, struct finding *f)
{
    long level;
    int r = file_read_long(root, "/proc/sys/kernel/perf_event_paranoid", &level);

    if (r < 0) {
        doctor_found(f, FINDING_UNKNOWN, "perf_event_paranoid cannot be read: %s", strerror(-r));
        doctor_cost(f, r == -ENOENT ? "a kernel without it has no perf events" : "");
        return;
    }
    if (doctor_privileged(l)) {
        doctor_found(f, FINDING_PASS, "%s: everything, whatever perf_event_paranoid (%ld) says",
                     l->cap_perfmon ? "CAP_PERFMON" : "CAP_SYS_ADMIN", level);
        return;
    }
    if (level <= 0) {
        doctor_found(f, FINDING_PASS,
                     "perf_event_paranoid is %ld: everybody may count the whole system", level);
        return;
    }
    doctor_found(f, level <= 2 ? FINDING_LIMITED : FINDING_FAIL, "perf_event_paranoid is %ld: %s",
                 level,
                 level == 1   ? "your own processes, the kernel's part included"
                 : level == 2 ? "your own processes, user mode only"
                              : "nothing without privileges");
    doctor_cost(f, level <= 2 ? "the whole system cannot be counted" : "no event can be opened");
    doctor_remedy(f,
                  "`sudo cyclescope` (`sudo cyclescope collect` alone is enough), or for everybody "
                  "`sudo sysctl kernel.perf_event_paranoid=0`");
}

// A user namespace's root has capabilities that the machine does not honour.
static bool in_user_namespace(const char *root)
{
    char map[256];
    unsigned inside, outside, n;

    return file_read(root, "/proc/self/uid_map", map, sizeof(map)) > 0 &&
           sscanf(map, "%u %u %u", &inside, &outside, &n) == 3 &&
           (inside != 0 || outside != 0 || n != ~0U);
}

void doctor_container(const char *root, const struct doctor_look *l, struct finding *f)
{
    const char *kind;
    bool inside = in_container(root, &kind);
    char seccomp[8];
    bool filtered, refused;

    file_read_field(root, "/proc/self/status", "Seccomp", seccomp, sizeof(seccomp));
    filtered = strcmp(seccomp, "2") == 0;
    // What perf_event_paranoid does not refuse (it says EACCES, and nothing to who has privileges).
    refused = l->software_user == -EPERM || (l->software_user == -ENOSYS && filtered) ||
              (doctor_privileged(l) && doctor_denied(l->software_system));
    if (!refused) {
        doctor_found(f, FINDING_PASS,
                     inside ? "%s, which lets perf_event_open through" : "not in one", kind);
        return;
    }
    doctor_cost(f, "%s, whatever the privileges in here",
                l->software_user == 0 ? "the whole system cannot be counted"
                                      : "no event can be opened");
    if (filtered) {
        doctor_found(f, FINDING_FAIL, "a seccomp filter%s%s refuses perf_event_open",
                     inside ? " of " : "", kind);
        doctor_remedy(
            f, "start the container with `--cap-add=PERFMON --security-opt seccomp=unconfined`, or "
               "measure from the host");
    } else if (in_user_namespace(root)) {
        doctor_found(f, FINDING_FAIL,
                     "a user namespace: its root has no privileges on the machine");
        doctor_remedy(f,
                      "measure from the host, or `sudo sysctl kernel.perf_event_paranoid=0` there");
    } else {
        doctor_found(f, FINDING_FAIL, "perf_event_open is refused: %s",
                     strerror(-(l->software_user ? l->software_user : l->software_system)));
        doctor_remedy(f,
                      "look for a security module: `sudo dmesg | grep -iE 'lockdown|denied|perf'`");
    }
}

void doctor_hypervisor(const char *root, const struct doctor_look *l, struct finding *f)
{
    (void)root;
    if (l->machine.hypervisor[0])
        doctor_found(f, FINDING_PASS, "a virtual machine under %s", l->machine.hypervisor);
    else
        doctor_found(f, FINDING_PASS, "none");
}

void doctor_priority(const char *root, const struct doctor_look *l, struct finding *f)
{
    (void)root;
    if (l->realtime == 0) {
        doctor_found(f, FINDING_PASS, "real-time priority (SCHED_FIFO) for the collector");
        return;
    }
    doctor_found(f, FINDING_LIMITED, "no real-time priority: %s", strerror(-l->realtime));
    doctor_cost(f,
                "on a machine under full load ticks come late, or are missed and counted as such");
    if (l->cap_sys_nice)
        doctor_remedy(f, "`echo 950000 | sudo tee /sys/fs/cgroup/cpu/$(sed -n 's/.*:cpu[^:]*://p' "
                         "/proc/self/cgroup)/cpu.rt_runtime_us`");
    else
        doctor_remedy(
            f, "`sudo cyclescope`, or once in this shell `sudo prlimit --rtprio=1 --pid $$`");
}

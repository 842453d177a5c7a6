// SPDX-License-Identifier: Apache-2.0
#include "collect/machine.h"

#include "base/file.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

static void describe_cpu(const char *root, struct machine *m)
{
    char part[32];

    file_read_field(root, "/proc/cpuinfo", "model name", m->cpu_model, sizeof(m->cpu_model));
    if (m->cpu_model[0])
        return;
    // arm64 names no model; the part number tells it to those who know (0xd0c is a Neoverse N1).
    file_read_field(root, "/proc/cpuinfo", "CPU part", part, sizeof(part));
    if (part[0])
        snprintf(m->cpu_model, sizeof(m->cpu_model), "%s CPU part %s", m->arch, part);
}

// What a guest's processor says of its hypervisor (CPUID leaf 0x40000000); "" when it says nothing,
// or on other architectures. Of this machine, whatever the root.
static void ask_processor(char *ret, size_t size)
{
    ret[0] = '\0';
#if defined(__x86_64__)
    static const struct {
        const char signature[13], *name;
    } known[] = {
        {"KVMKVMKVM", "KVM"},      {"Microsoft Hv", "Hyper-V"}, {"VMwareVMware", "VMware"},
        {"XenVMMXenVMM", "Xen"},   {"TCGTCGTCGTCG", "QEMU"},    {"VBoxVBoxVBox", "VirtualBox"},
        {"bhyve bhyve ", "bhyve"}, {"ACRNACRNACRN", "ACRN"},    {" lrpepyh  vr", "Parallels"},
    };
    union {
        unsigned words[3];
        char text[13];
    } signature = {0};
    unsigned eax;

    __cpuid(0x40000000, eax, signature.words[0], signature.words[1], signature.words[2]);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(signature.text, known[i].signature) == 0)
            text_copy(ret, size, known[i].name);
#else
    (void)size;
#endif
}

static void describe_hypervisor(const char *root, struct machine *m)
{
    static const struct {
        const char *vendor, *name;
    } known[] = {
        {"QEMU", "QEMU"},
        {"VMware", "VMware"},
        {"innotek", "VirtualBox"},
        {"Xen", "Xen"},
        {"Microsoft", "Hyper-V"},
        {"Google", "Google Compute Engine"},
        {"Amazon EC2", "Amazon EC2"},
        {"DigitalOcean", "DigitalOcean"},
    };
    char flags[4096], vendor[128] = "";

    if (file_read(root, "/sys/hypervisor/type", m->hypervisor, sizeof(m->hypervisor)) > 0)
        return;
    file_read(root, "/sys/class/dmi/id/sys_vendor", vendor, sizeof(vendor));
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strstr(vendor, known[i].vendor)) {
            snprintf(m->hypervisor, sizeof(m->hypervisor), "%s", known[i].name);
            return;
        }
    file_read_field(root, "/proc/cpuinfo", "flags", flags, sizeof(flags));
    if (!strstr(flags, " hypervisor"))
        return;
    if (!root[0])
        ask_processor(m->hypervisor, sizeof(m->hypervisor));
    if (!m->hypervisor[0])
        snprintf(m->hypervisor, sizeof(m->hypervisor), "a hypervisor that does not name itself");
}

void machine_describe(const char *root, struct machine *ret)
{
    struct utsname name;

    *ret = (struct machine){0};
    if (uname(&name) == 0) {
        text_copy(ret->host, sizeof(ret->host), name.nodename);
        text_copy(ret->kernel, sizeof(ret->kernel), name.release);
        text_copy(ret->arch, sizeof(ret->arch), name.machine);
    }
    describe_cpu(root, ret);
    describe_hypervisor(root, ret);
}

// SPDX-License-Identifier: Apache-2.0
// The machine that is measured, in its own words.
#pragma once

#define MACHINE_TEXT_MAX 256

struct machine {
    char host[MACHINE_TEXT_MAX];
    char kernel[MACHINE_TEXT_MAX]; // uname -r
    char arch[72];                 // uname -m
    char cpu_model[MACHINE_TEXT_MAX];
    char hypervisor[64]; // its name, or "a hypervisor that does not name itself"; "" on bare metal
};

// What cannot be found out is "". root: see base/file.h (uname is the machine's own in any case).
void machine_describe(const char *root, struct machine *ret);

// Operations that a core can issue in one cycle, for top-down metrics of events that count slots; 0
// where the events themselves know it, or nobody does.
double machine_slots_per_cycle(const char *root);

// SPDX-License-Identifier: Apache-2.0
#include "collect/event_names.h"

#include <ctype.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HW(which) PERF_TYPE_HARDWARE, PERF_COUNT_HW_##which
#define SW(which) PERF_TYPE_SOFTWARE, PERF_COUNT_SW_##which

static const struct event_name names[] = {
    {"cycles", "cpu-cycles", HW(CPU_CYCLES), "processor cycles"},
    {"instructions", NULL, HW(INSTRUCTIONS), "instructions that were completed"},
    {"cache-references", NULL, HW(CACHE_REFERENCES), "accesses to the last level of cache, mostly"},
    {"cache-misses", NULL, HW(CACHE_MISSES), "of those, the ones that missed"},
    {"branches", "branch-instructions", HW(BRANCH_INSTRUCTIONS), "branches that were completed"},
    {"branch-misses", NULL, HW(BRANCH_MISSES), "branches that were predicted wrongly"},
    {"bus-cycles", NULL, HW(BUS_CYCLES), "cycles of the bus"},
    {"stalled-cycles-frontend", "idle-cycles-frontend", HW(STALLED_CYCLES_FRONTEND),
     "cycles in which no instruction was issued"},
    {"stalled-cycles-backend", "idle-cycles-backend", HW(STALLED_CYCLES_BACKEND),
     "cycles in which no instruction was completed"},
    {"ref-cycles", NULL, HW(REF_CPU_CYCLES), "cycles at the nominal frequency"},
    {"cpu-clock", NULL, SW(CPU_CLOCK), "time of the CPU, ns"},
    {"task-clock", NULL, SW(TASK_CLOCK), "time that the task ran, ns"},
    {"page-faults", "faults", SW(PAGE_FAULTS), "page faults of both kinds"},
    {"context-switches", "cs", SW(CONTEXT_SWITCHES), "switches from one task to another"},
    {"cpu-migrations", "migrations", SW(CPU_MIGRATIONS), "tasks that moved to another CPU"},
    {"minor-faults", NULL, SW(PAGE_FAULTS_MIN), "page faults without reading from disk"},
    {"major-faults", NULL, SW(PAGE_FAULTS_MAJ), "page faults that read from disk"},
    {"alignment-faults", NULL, SW(ALIGNMENT_FAULTS), "unaligned accesses that the kernel handled"},
    {"emulation-faults", NULL, SW(EMULATION_FAULTS), "instructions that the kernel emulated"},
    {"bpf-output", NULL, SW(BPF_OUTPUT), "what BPF programs write; counts nothing"},
    {"cgroup-switches", NULL, SW(CGROUP_SWITCHES), "switches to a task of another cgroup"},
    {"dummy", NULL, SW(DUMMY), "counts nothing"},
};
#define N_NAMES (sizeof(names) / sizeof(names[0]))

const struct event_name *event_names_at(size_t i)
{
    return i < N_NAMES ? &names[i] : NULL;
}

// The first spelling is the one that is shown. A longer spelling stands before its own beginning.
#define SPELLINGS 6
struct word {
    const char *spellings[SPELLINGS];
    unsigned operations; // of a cache: which of load, store and prefetch it has, a bit each
};

static const struct word caches[] = {
    {{"L1-dcache", "L1-data", "l1-d", "l1d"}, 7},
    {{"L1-icache", "L1-instruction", "l1-i", "l1i"}, 5},
    {{"LLC", "L2"}, 7},
    {{"dTLB", "Data-TLB", "d-tlb"}, 7},
    {{"iTLB", "Instruction-TLB", "i-tlb"}, 1},
    {{"branch", "bpu", "btb", "bpc"}, 1},
    {{"node"}, 7},
};
static const struct word operations[] = {
    {{"loads", "load", "read"}, 0},
    {{"stores", "store", "write"}, 0},
    {{"prefetches", "prefetch", "speculative-read", "speculative-load"}, 0},
};
static const struct word results[] = {
    {{"refs", "Reference", "ops", "access"}, 0},
    {{"misses", "miss"}, 0},
};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

// Moves *p behind one of the words (and nothing but '-' or the end follows). Its index or −1.
static int take_word(const char **p, const struct word *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < SPELLINGS && words[i].spellings[k]; k++) {
            size_t length = strlen(words[i].spellings[k]);

            if (strncasecmp(*p, words[i].spellings[k], length) == 0 &&
                ((*p)[length] == '-' || (*p)[length] == '\0')) {
                *p += length;
                return (int)i;
            }
        }
    return -1;
}

// cache[-operation][-result], in either order; what is not said is load and access.
static bool find_cache(const char *p, uint64_t *ret_config)
{
    int cache = take_word(&p, caches, COUNT(caches)), operation = -1, result = -1;

    if (cache < 0)
        return false;
    while (*p == '-') {
        int found;

        p++;
        found = operation < 0 ? take_word(&p, operations, COUNT(operations)) : -1;
        if (found >= 0) {
            operation = found;
            continue;
        }
        found = result < 0 ? take_word(&p, results, COUNT(results)) : -1;
        if (found < 0)
            return false;
        result = found;
    }
    if (*p)
        return false;
    operation = operation < 0 ? 0 : operation;
    result = result < 0 ? 0 : result;
    if (!(caches[cache].operations & 1U << operation))
        return false;
    *ret_config = (uint64_t)cache | (uint64_t)operation << 8 | (uint64_t)result << 16;
    return true;
}

bool event_names_cache_at(size_t i, char ret[CACHE_EVENT_NAME_MAX], uint64_t *ret_config)
{
    for (size_t cache = 0; cache < COUNT(caches); cache++)
        for (size_t operation = 0; operation < COUNT(operations); operation++) {
            if (!(caches[cache].operations & 1U << operation))
                continue;
            for (size_t result = 0; result < COUNT(results); result++) {
                if (i--)
                    continue;
                // "loads", but "load-misses": the second spelling of each.
                snprintf(ret, CACHE_EVENT_NAME_MAX, "%s-%s%s", caches[cache].spellings[0],
                         operations[operation].spellings[result], result ? "-misses" : "");
                *ret_config = cache | operation << 8 | result << 16;
                return true;
            }
        }
    return false;
}

bool event_names_find(const char *name, uint32_t *ret_type, uint64_t *ret_config)
{
    for (size_t i = 0; i < N_NAMES; i++)
        if (strcmp(name, names[i].name) == 0 ||
            (names[i].alias && strcmp(name, names[i].alias) == 0)) {
            *ret_type = names[i].type;
            *ret_config = names[i].config;
            return true;
        }
    if (!find_cache(name, ret_config))
        return false;
    *ret_type = PERF_TYPE_HW_CACHE;
    return true;
}

bool event_names_raw(const char *name, uint64_t *ret_config)
{
    char *end;
    uint64_t config;

    // A sign or a blank, which strtoull() would take, is none.
    if (name[0] != 'r' || !isxdigit((unsigned char)name[1]) || strlen(name) > 17)
        return false;
    config = strtoull(name + 1, &end, 16);
    if (*end || name[2] == 'x' || name[2] == 'X') // "r0x1a8"
        return false;
    *ret_config = config;
    return true;
}

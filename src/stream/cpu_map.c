// SPDX-License-Identifier: Apache-2.0
#include "stream/cpu_map.h"

#include "stream/record.h"

#include <errno.h>

#define CPU_MAP_MALFORMED 1

static int add_cpu(struct cpu_map *m, uint32_t cpu)
{
    if (cpu == UINT16_MAX) { // -1: wherever the task runs
        m->any = true;
        return 0;
    }
    if (cpu >= STREAM_CPUS_MAX)
        return -E2BIG;
    if (m->listed[cpu / 64] >> (cpu % 64) & 1)
        return 0;
    m->listed[cpu / 64] |= UINT64_C(1) << (cpu % 64);
    m->cpus[m->n++] = (int)cpu;
    return 0;
}

// Bitmaps of 32- or 64-bit words; perf 5.x and older wrote the latter, unaligned.
static int add_mask(struct cpu_map *m, struct cursor *body)
{
    unsigned words = cursor_u16(body), bytes = cursor_u16(body);
    int r = 0;

    if (bytes != 4 && bytes != 8)
        return CPU_MAP_MALFORMED;
    if (bytes == 8)
        cursor_u32(body); // padding
    if (body->failed || body->left / bytes < words)
        return CPU_MAP_MALFORMED;
    for (uint32_t word = 0; r >= 0 && word < words; word++) {
        uint64_t mask = bytes == 8 ? cursor_u64(body) : cursor_u32(body);

        for (uint32_t bit = 0; r >= 0 && mask; bit++, mask >>= 1)
            if (mask & 1)
                r = add_cpu(m, word * bytes * 8 + bit);
    }
    return r;
}

static int add_list(struct cpu_map *m, struct cursor *body)
{
    unsigned n = cursor_u16(body);
    int r = 0;

    if (body->failed || body->left / 2 < n)
        return CPU_MAP_MALFORMED;
    for (unsigned i = 0; r >= 0 && i < n; i++)
        r = add_cpu(m, cursor_u16(body));
    return r;
}

static int add_range(struct cpu_map *m, struct cursor *body)
{
    bool any = cursor_u8(body);
    uint32_t first, last;
    int r = 0;

    cursor_u8(body);
    first = cursor_u16(body);
    last = cursor_u16(body);
    if (body->failed || first > last)
        return CPU_MAP_MALFORMED;
    if (any)
        r = add_cpu(m, UINT16_MAX);
    for (uint32_t cpu = first; r >= 0 && cpu <= last; cpu++)
        r = add_cpu(m, cpu);
    return r;
}

int cpu_map_take(struct cpu_map *m, struct cursor body)
{
    unsigned type = cursor_u16(&body);
    int r = CPU_MAP_MALFORMED;

    if (m->there)
        return CPU_MAP_MALFORMED;
    if (type == CPU_MAP_CPUS)
        r = add_list(m, &body);
    else if (type == CPU_MAP_MASK)
        r = add_mask(m, &body);
    else if (type == CPU_MAP_RANGE)
        r = add_range(m, &body);
    if (r == 0 && (m->n || m->any))
        m->there = true;
    return r < 0 ? r : m->there ? 0 : CPU_MAP_MALFORMED;
}

bool cpu_map_find(struct cpu_map *m, uint32_t cpu, int *ret_cpu)
{
    if (!m->there) {
        *ret_cpu = (int)cpu;
        return cpu < STREAM_CPUS_MAX;
    }
    // A perf older than 5.18 wrote places. In a sorted map that is not simply 0 … n − 1, the first
    // place whose CPU differs from it is no CPU of the map, and comes before all others that
    // differ: from there on they are places.
    if (!m->by_place && cpu < STREAM_CPUS_MAX && m->listed[cpu / 64] >> (cpu % 64) & 1) {
        *ret_cpu = (int)cpu;
        return true;
    }
    if (cpu >= m->n)
        return false;
    m->by_place = true;
    *ret_cpu = m->cpus[cpu];
    return true;
}

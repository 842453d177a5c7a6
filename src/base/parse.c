// SPDX-License-Identifier: Apache-2.0
#include "base/parse.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define CPU_MAX 65535 // the stream's CPU map holds 16-bit numbers

struct unit {
    const char *name;
    uint64_t factor;
};

// Reads the digits at *p and moves it behind them. The sign that strtoull would take is refused.
static int read_digits(const char **p, int base, uint64_t *ret)
{
    char *end;
    unsigned long long value;

    if (!isxdigit((unsigned char)**p))
        return -EINVAL;
    errno = 0;
    value = strtoull(*p, &end, base);
    if (end == *p)
        return -EINVAL;
    if (errno == ERANGE)
        return -ERANGE;
    *p = end;
    *ret = value;
    return 0;
}

int parse_u64(const char *text, uint64_t *ret)
{
    uint64_t value;
    int base = text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10;
    int r = read_digits(&text, base, &value);

    if (r < 0)
        return r;
    if (*text)
        return -EINVAL;
    *ret = value;
    return 0;
}

static int parse_with_unit(const char *text, const struct unit *units, uint64_t limit,
                           uint64_t *ret)
{
    uint64_t value;
    int r = read_digits(&text, 10, &value);

    if (r < 0)
        return r;
    for (const struct unit *u = units; u->name; u++)
        if (strcmp(text, u->name) == 0) {
            if (value > limit / u->factor)
                return -ERANGE;
            *ret = value * u->factor;
            return 0;
        }
    return -EINVAL;
}

int parse_duration(const char *text, ns_t *ret)
{
    static const struct unit units[] = {
        {"ms", 1000000}, {"s", 1000000000}, {"m", 60000000000}, {"h", 3600000000000}, {NULL, 0}};
    uint64_t value;
    int r = parse_with_unit(text, units, INT64_MAX, &value);

    if (r < 0)
        return r;
    *ret = (ns_t)value;
    return 0;
}

int parse_size(const char *text, size_t *ret)
{
    static const struct unit units[] = {
        {"", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {NULL, 0}};
    uint64_t value;
    int r = parse_with_unit(text, units, SIZE_MAX, &value);

    if (r < 0)
        return r;
    *ret = value;
    return 0;
}

int parse_cpu_list(const char *text, int **ret_cpus, size_t *ret_n)
{
    unsigned char present[(CPU_MAX + 1) / 8] = {0}; // a bit for each
    size_t n = 0, end = 0;                          // CPUs are below end
    int *cpus;

    while (*text && *text != '\n') {
        uint64_t first, last;
        int r = read_digits(&text, 10, &first);

        if (r < 0)
            return r;
        last = first;
        if (*text == '-') {
            text++;
            r = read_digits(&text, 10, &last);
            if (r < 0)
                return r;
        }
        if (last > CPU_MAX)
            return -ERANGE;
        if (last < first)
            return -EINVAL;
        for (size_t cpu = first; cpu <= last; cpu++)
            present[cpu / 8] |= (unsigned char)(1 << cpu % 8);
        end = last >= end ? last + 1 : end;
        if (*text == ',' && text[1] && text[1] != '\n')
            text++;
        else if (*text && *text != '\n')
            return -EINVAL;
    }
    for (size_t i = 0; i < end; i++)
        n += present[i / 8] >> i % 8 & 1;
    cpus = calloc(n + 1, sizeof(*cpus));
    if (!cpus)
        return -ENOMEM;
    *ret_n = 0;
    for (size_t i = 0; i < end; i++)
        if (present[i / 8] >> i % 8 & 1)
            cpus[(*ret_n)++] = (int)i;
    *ret_cpus = cpus;
    return 0;
}

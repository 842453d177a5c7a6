// SPDX-License-Identifier: Apache-2.0
// A stream of a machine that is not here: up to 512 CPUs and a day, on standard output, with known
// totals.
//
//     bench-replay --cpus 512 --events 12 --hz 10 --seconds 86400 --speed max --totals t.json |
//         cyclescope serve -
//
// Counts vary as load does: each CPU has a slow wave of its own, each event a rate, and each
// interval some noise, which --seed repeats. Groups of four events share counters for --counters of
// them; the others wait for their turn, so that they ran for a share of the time. --hotplug takes
// the last CPU off for the middle third, --missed N leaves out every N-th reading (the next has
// both), and --gap S stops the machine for S seconds in the middle: time passes, nothing counts.
#include "base/buf.h"
#include "base/clock.h"
#include "base/parse.h"
#include "stream/writer.h"

#include <errno.h>
#include <getopt.h>
#include <linux/perf_event.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CPUS_MAX   512
#define GROUP_SIZE 4 // what fits most PMUs beside the fixed counters

struct replay {
    uint64_t cpus, events, hz, seconds, counters, seed, missed, gap;
    bool realtime, hotplug;
    const char *totals_path;

    struct event_table table;
    struct reading *readings; // [cpu * events + event]
    double *totals;           // the same: what was counted, scaled
    uint64_t random;
    uint64_t groups, groups_at_once;
    uint64_t rounds; // that were written
    struct buf out;
};

struct known_event {
    const char *name;
    uint32_t type;
    uint64_t config;
    double per_ns; // of a busy CPU
};

static const struct known_event known[] = {
    {"cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, 3.0},
    {"instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS, 4.5},
    {"cache-references", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_REFERENCES, 0.05},
    {"cache-misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES, 0.01},
    {"branches", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_INSTRUCTIONS, 0.9},
    {"branch-misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES, 0.02},
    {"bus-cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BUS_CYCLES, 0.1},
    {"ref-cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_REF_CPU_CYCLES, 2.0},
};
#define N_KNOWN (sizeof(known) / sizeof(known[0]))

static const char help[] =
    "usage: bench-replay [--cpus N] [--events N] [--hz N] [--seconds N] [--speed 1|max] "
    "[--counters N]\n"
    "                    [--hotplug] [--missed N] [--gap SECONDS] [--seed N] [--totals FILE]\n";

static int usage(void)
{
    fputs(help, stderr);
    return 2;
}

static bool number(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
    return parse_u64(text, ret) == 0 && *ret >= min && *ret <= max;
}

static bool parse(struct replay *r, int argc, char **argv)
{
    static const struct option options[] = {
        {"cpus", 1, NULL, 'c'},    {"events", 1, NULL, 'e'}, {"hz", 1, NULL, 'z'},
        {"seconds", 1, NULL, 's'}, {"speed", 1, NULL, 'x'},  {"counters", 1, NULL, 'n'},
        {"seed", 1, NULL, 'r'},    {"missed", 1, NULL, 'm'}, {"gap", 1, NULL, 'g'},
        {"hotplug", 0, NULL, 'h'}, {"totals", 1, NULL, 't'}, {0}};
    bool good = true;
    int code;

    while (good && (code = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (code) {
        case 'c':
            good = number(optarg, 1, CPUS_MAX, &r->cpus);
            break;
        case 'e':
            good = number(optarg, 1, EVENTS_MAX, &r->events);
            break;
        case 'z':
            good = number(optarg, 1, 1000, &r->hz);
            break;
        case 's':
            good = number(optarg, 1, 366 * 86400, &r->seconds);
            break;
        case 'x':
            r->realtime = strcmp(optarg, "1") == 0;
            good = r->realtime || strcmp(optarg, "max") == 0;
            break;
        case 'n':
            good = number(optarg, GROUP_SIZE, EVENTS_MAX, &r->counters);
            break;
        case 'r':
            good = number(optarg, 0, UINT64_MAX, &r->seed);
            break;
        case 'm':
            good = number(optarg, 2, UINT64_MAX, &r->missed);
            break;
        case 'g':
            good = number(optarg, 1, 366 * 86400, &r->gap);
            break;
        case 'h':
            r->hotplug = true;
            break;
        case 't':
            r->totals_path = optarg;
            break;
        default:
            good = false;
        }
    }
    return good && optind == argc;
}

static int add_events(struct replay *r)
{
    for (size_t i = 0; i < r->events; i++) {
        struct event e = {.id = i + 1, .group = (int)(i / GROUP_SIZE), .scale = 1};
        int index;

        if (i < N_KNOWN) {
            snprintf(e.name, sizeof(e.name), "%s", known[i].name);
            e.type = known[i].type;
            e.config = known[i].config;
        } else {
            e.type = PERF_TYPE_RAW;
            e.config = 0x100 + i;
            snprintf(e.name, sizeof(e.name), "r%llx", (unsigned long long)e.config);
        }
        index = event_table_add(&r->table, &e);
        if (index < 0)
            return index;
    }
    return 0;
}

static int prepare(struct replay *r)
{
    int e = add_events(r);

    r->groups = (r->events + GROUP_SIZE - 1) / GROUP_SIZE;
    r->groups_at_once = r->counters ? r->counters / GROUP_SIZE : r->groups;
    if (r->groups_at_once > r->groups)
        r->groups_at_once = r->groups;
    r->random = r->seed * 2654435761u + 88172645463325252u;
    r->readings = calloc(r->cpus * r->events, sizeof(*r->readings));
    r->totals = calloc(r->cpus * r->events, sizeof(*r->totals));
    return e < 0 ? e : r->readings && r->totals ? 0 : -ENOMEM;
}

// xorshift64: 0 … 1
static double chance(struct replay *r)
{
    r->random ^= r->random << 13;
    r->random ^= r->random >> 7;
    r->random ^= r->random << 17;
    return (double)(r->random >> 11) / (double)(1ULL << 53);
}

// How busy a CPU is at a time, 0.05 to 0.95.
static double load(uint64_t cpu, double seconds)
{
    double period = 7 + (double)(cpu % 13);

    return 0.5 + 0.45 * sin(seconds / period + (double)cpu);
}

// Lets a CPU count for `ns`.
static void count(struct replay *r, uint64_t cpu, double at, uint64_t ns)
{
    double busy = load(cpu, at);

    for (size_t e = 0; e < r->events; e++) {
        struct reading *reading = &r->readings[cpu * r->events + e];
        double per_ns = e < N_KNOWN ? known[e].per_ns : 0.001 * (double)(e + 1);
        // The share of the time that its group has counters for, in whole ns.
        uint64_t running = ns / r->groups * r->groups_at_once;
        uint64_t value;

        if (r->groups_at_once == r->groups)
            running = ns;
        value = (uint64_t)((double)running * per_ns * busy * (0.9 + 0.2 * chance(r)));
        reading->value += value;
        reading->enabled += ns;
        reading->running += running;
        r->totals[cpu * r->events + e] += (double)value * ((double)ns / (double)running);
    }
}

static int flush(struct replay *r)
{
    for (size_t done = 0; done < r->out.size;) {
        ssize_t n = write(STDOUT_FILENO, r->out.data + done, r->out.size - done);

        if (n < 0 && errno != EINTR)
            return -errno;
        done += n > 0 ? (size_t)n : 0;
    }
    buf_clear(&r->out);
    return 0;
}

static void note(struct replay *r, const char *json)
{
    stream_write_note(&r->out, 1, json, strlen(json));
}

static void note_online(struct replay *r, uint64_t cpus)
{
    char json[128];

    snprintf(json, sizeof(json), "{\"cs\":\"online\",\"online\":\"0-%llu\"}",
             (unsigned long long)cpus - 1);
    note(r, json);
}

static int write_head(struct replay *r, ns_t reference, ns_t wall)
{
    struct stream_description d = {.events = &r->table,
                                   .target = STREAM_SYSTEM,
                                   .cpus_possible = (unsigned)r->cpus,
                                   .cpus_online = (unsigned)r->cpus,
                                   .interval_ms = (unsigned)(1000 / r->hz),
                                   .host = "replay",
                                   .kernel = "0",
                                   .version = "bench-replay",
                                   .arch = "x86_64",
                                   .cpu_desc = "a CPU that is not here",
                                   .reference_ns = reference,
                                   .wall_ns = wall};
    char json[256];
    int e = stream_write_start(&r->out, &d);

    snprintf(json, sizeof(json),
             "{\"cs\":\"stream\",\"program\":\"bench-replay\",\"run\":\"%08x\",\"resumed\":false,"
             "\"target\":{\"kind\":\"system\",\"text\":\"a machine that is not "
             "here\"},\"online\":\"0-%llu\"}",
             (unsigned)(r->seed ^ (uint64_t)reference), (unsigned long long)r->cpus - 1);
    note(r, json);
    return e;
}

static void write_round(struct replay *r, uint64_t cpus, ns_t time)
{
    for (size_t e = 0; e < r->events; e++)
        for (uint64_t cpu = 0; cpu < cpus; cpu++)
            stream_write_stat(&r->out, r->table.events[e].id, (uint32_t)cpu, 0,
                              r->readings[cpu * r->events + e]);
    stream_write_round(&r->out, false, (uint64_t)time);
    r->rounds++;
}

static void wait_until(ns_t monotonic)
{
    struct timespec t = {.tv_sec = monotonic / NS_PER_SEC, .tv_nsec = monotonic % NS_PER_SEC};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
        ;
}

static int replay(struct replay *r)
{
    uint64_t rounds = r->seconds * r->hz;
    ns_t interval = NS_PER_SEC / (ns_t)r->hz,
         length = (ns_t)rounds * interval + (ns_t)r->gap * NS_PER_SEC;
    ns_t reference = clock_ns(CLOCK_MONOTONIC), wall = clock_ns(CLOCK_REALTIME);
    ns_t gap = 0;
    bool online = true;
    int e;

    if (!r->realtime) // so that it ends now
        wall -= length;
    wall -= wall % interval;
    e = write_head(r, reference, wall);
    for (uint64_t k = 1; e == 0 && k <= rounds; k++) {
        bool off = r->hotplug && r->cpus > 1 && k > rounds / 3 && k <= rounds / 3 * 2;
        uint64_t cpus = r->cpus - off;
        ns_t time;

        if (k == rounds / 2)
            gap = (ns_t)r->gap * NS_PER_SEC;
        time = (ns_t)k * interval + gap;
        if (off == online) {
            online = !off;
            note_online(r, cpus);
        }
        for (uint64_t cpu = 0; cpu < cpus; cpu++)
            count(r, cpu, (double)time / 1e9, (uint64_t)interval);
        if (r->realtime)
            wait_until(reference + time);
        // The last one is always read, and so is the one before a CPU goes.
        if (r->missed && k % r->missed == 0 && k != rounds && k != rounds / 3)
            continue;
        write_round(r, cpus, time);
        e = buf_error(&r->out);
        if (e == 0)
            e = flush(r);
    }
    if (e == 0) {
        note(r, "{\"cs\":\"end\",\"reason\":\"the replay has ended\"}");
        e = flush(r);
    }
    return e;
}

static int write_totals(const struct replay *r)
{
    FILE *f = r->totals_path ? fopen(r->totals_path, "we") : NULL;

    if (!r->totals_path)
        return 0;
    if (!f)
        return -errno;
    fprintf(f, "{\"rounds\":%llu,\"events\":{", (unsigned long long)r->rounds);
    for (size_t e = 0; e < r->events; e++) {
        double sum = 0;

        fprintf(f, "%s\"%s\":{\"cpus\":[", e ? "," : "", r->table.events[e].column);
        for (uint64_t cpu = 0; cpu < r->cpus; cpu++) {
            double value = r->totals[cpu * r->events + e];

            fprintf(f, "%s%.17g", cpu ? "," : "", value);
            sum += value;
        }
        fprintf(f, "],\"sum\":%.17g}", sum);
    }
    fprintf(f, "}}\n");
    return fclose(f) == 0 ? 0 : -errno;
}

int main(int argc, char **argv)
{
    struct replay r = {.cpus = 2, .events = 12, .hz = 10, .seconds = 60, .seed = 1};
    int e;

    if (!parse(&r, argc, argv))
        return usage();
    e = prepare(&r);
    if (e == 0)
        e = replay(&r);
    if (e == 0)
        e = write_totals(&r);
    if (e < 0)
        fprintf(stderr, "bench-replay: %s\n", strerror(-e));
    event_table_done(&r.table);
    buf_done(&r.out);
    free(r.readings);
    free(r.totals);
    return e < 0;
}

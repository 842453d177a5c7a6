// SPDX-License-Identifier: Apache-2.0
// The options themselves: what each one's value means, and the table that names them.
#include "cmd/option_table.h"

#include "base/parse.h"
#include "collect/csv_ring.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define INTERVAL_MIN NS_PER_MS // below, reading costs more than is left of the interval
#define INTERVAL_MAX (3600 * NS_PER_SEC)
#define MEMORY_MIN   ((size_t)1 << 20)
#define RETAIN_MIN   ((size_t)4 << 20) // some thousand rows
#define EVENTS_BYTES 65536             // EVENT_LIST_MAX events of 255 bytes

static int bad(const char *option, const char *value, const char *wanted)
{
    say("--%s %s: %s", option, *value ? value : "''", wanted);
    return -1;
}

static int parse_system(const char *value, struct options *o)
{
    (void)value;
    o->system = true;
    return 0;
}

static int parse_task_list(const char *option, const char *value, struct options *o)
{
    const char *p = value;

    do {
        char word[16];
        size_t length = strcspn(p, ",");
        uint64_t id;

        snprintf(word, sizeof(word), "%.*s", (int)length, p);
        // One that was cut would be another ID.
        if (length >= sizeof(word) || parse_u64(word, &id) < 0 || id == 0 || id > INT_MAX)
            return bad(option, value, "IDs are positive numbers, separated by commas");
        if (o->n_tasks == OPTIONS_TASKS_MAX)
            return bad(option, "…", "more than 1024 IDs; a cgroup (-G) has no such limit");
        o->tasks[o->n_tasks++] = (pid_t)id;
        p += length;
    } while (*p++ == ',');
    return 0;
}

// -p and -t exclude each other: what both would mean for a thread is anybody's guess.
static int parse_tasks(const char *option, bool threads, const char *value, struct options *o)
{
    if (o->n_tasks && o->threads != threads)
        return bad(option, value, "-p and -t exclude each other");
    o->threads = threads;
    return parse_task_list(option, value, o);
}

static int parse_pids(const char *value, struct options *o)
{
    return parse_tasks("pid", false, value, o);
}

static int parse_tids(const char *value, struct options *o)
{
    return parse_tasks("tid", true, value, o);
}

static int parse_cgroup(const char *value, struct options *o)
{
    if (o->n_cgroups == TARGET_CGROUPS_MAX)
        return bad("cgroup", value, "more than 64 cgroups");
    o->cgroups[o->n_cgroups++] = value;
    return 0;
}

static int parse_strict(const char *value, struct options *o)
{
    (void)value;
    o->strict = true;
    return 0;
}

static int parse_dry_run(const char *value, struct options *o)
{
    (void)value;
    o->dry_run = true;
    return 0;
}

static int parse_cpus(const char *value, struct options *o)
{
    o->cpu_list = value;
    return 0;
}

static int parse_events(const char *value, struct options *o)
{
    static char all[EVENTS_BYTES]; // as long as the process, like argv
    size_t length = o->events ? strlen(o->events) : 0;

    if (o->events)
        all[length++] = ',';
    if (length + strlen(value) >= sizeof(all))
        return bad("event", "…", "more than 64 KiB of names");
    memcpy(all + length, value, strlen(value) + 1);
    o->events = all;
    return 0;
}

static int parse_interval(const char *value, struct options *o)
{
    if (parse_duration(value, &o->interval) < 0)
        return bad("interval", value, "a time is a whole number and its unit: 100ms, 1s, 5m");
    if (o->interval < INTERVAL_MIN || o->interval > INTERVAL_MAX)
        return bad("interval", value, "1ms is the least, 1h the most");
    o->interval_given = true;
    return 0;
}

static int parse_freq(const char *value, struct options *o)
{
    uint64_t hz;

    (void)o;
    if (parse_u64(value, &hz) < 0)
        return bad("freq", value, "samples per second, a whole number");
    if (hz != 0)
        return bad("freq", value, "stack sampling is not built yet; 0 is the only value");
    return 0;
}

static int parse_stop_after(const char *value, struct options *o)
{
    if (parse_duration(value, &o->duration) < 0 || o->duration == 0)
        return bad("duration", value,
                   "a time is a whole number above 0 and its unit: 100ms, 10s, 5m, 2h");
    return 0;
}

static int parse_output(const char *value, struct options *o)
{
    o->output = value;
    return 0;
}

static int parse_compress(const char *value, struct options *o)
{
    (void)value;
    o->compress = true;
    return 0;
}

static int parse_format(const char *value, struct options *o)
{
    static const char *const names[] = {
        [FORMAT_TEXT] = "text", [FORMAT_JSON] = "json", [FORMAT_CSV] = "csv"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(value, names[i]) == 0) {
            o->format = (enum report_format)i;
            return 0;
        }
    if (strcmp(value, "folded") == 0 || strcmp(value, "speedscope") == 0)
        return bad("format", value, "not built yet (no stacks); text, json and csv are");
    return bad("format", value, "text, json or csv");
}

static int parse_csv(const char *value, struct options *o)
{
    o->csv = strcmp(value, "none") == 0 ? NULL : value;
    return 0;
}

static int parse_csv_rows(const char *value, struct options *o)
{
    uint64_t rows;

    if (parse_u64(value, &rows) < 0 || rows < CSV_ROWS_MIN || rows > CSV_ROWS_MAX)
        return bad("csv-rows", value, "a number from 16 to 100000000");
    o->csv_rows = rows;
    return 0;
}

static int parse_csv_stdout(const char *value, struct options *o)
{
    (void)value;
    o->csv_stdout = true;
    return 0;
}

static int parse_per_cpu(const char *value, struct options *o)
{
    (void)value;
    o->per_cpu = true;
    return 0;
}

static int parse_listen(const char *value, struct options *o)
{
    if (o->n_listen == OPTIONS_LISTEN_MAX)
        return bad("listen", value, "more than 8 addresses");
    o->listen[o->n_listen++] = value;
    return 0;
}

static int parse_memory(const char *value, struct options *o)
{
    if (parse_size(value, &o->memory) < 0 || o->memory < MEMORY_MIN)
        return bad("memory", value, "a size is written 32MiB or 1GiB; 1MiB is the least");
    return 0;
}

static int parse_history(const char *value, struct options *o)
{
    o->history = value;
    return *value ? 0 : bad("history", value, "the path of a file, or none");
}

static int parse_retain(const char *value, struct options *o)
{
    if (parse_size(value, &o->retain) < 0 || o->retain < RETAIN_MIN)
        return bad("retain", value, "a size is written 512MiB or 2GiB; 4MiB is the least");
    return 0;
}

static int parse_allow_host(const char *value, struct options *o)
{
    if (o->n_allow_hosts == OPTIONS_HOSTS_MAX)
        return bad("allow-host", value, "more than 16 names");
    o->allow_hosts[o->n_allow_hosts++] = value;
    return 0;
}

static int parse_token_file(const char *value, struct options *o)
{
    o->token_file = value;
    return 0;
}

static int parse_json(const char *value, struct options *o)
{
    (void)value;
    o->json = true;
    return 0;
}

// In the order of --help.
const struct option_row option_table[] = {
    {"system", 'a', NULL, OPTIONS_COLLECT, parse_system, "measure the whole system (the default)"},
    {"pid", 'p', "PID[,PID]", OPTIONS_COLLECT, parse_pids,
     "measure these processes: all threads, later children"},
    {"tid", 't', "TID[,TID]", OPTIONS_COLLECT, parse_tids, "measure these threads"},
    {"cgroup", 'G', "PATH", OPTIONS_COLLECT, parse_cgroup,
     "measure this cgroup (v2), on every CPU; may be repeated"},
    {"cpu", 'C', "LIST", OPTIONS_COLLECT, parse_cpus, "measure these CPUs only, such as 0,2-3"},
    {"event", 'e', "LIST", OPTIONS_COLLECT, parse_events,
     "events, as perf spells them: cycles,msr/tsc/,{branches,branch-misses}:u"},
    {"strict", 0, NULL, OPTIONS_COLLECT, parse_strict,
     "an event that is not available is an error, not a note"},
    {"dry-run", 0, NULL, OPTIONS_COLLECT, parse_dry_run,
     "print groups, descriptors and reads a second, and stop"},
    {"interval", 'I', "TIME", OPTIONS_COLLECT, parse_interval,
     "time between readings, from 1ms (100ms; of stat 1s)"},
    {"freq", 'F', "HZ", OPTIONS_COLLECT, parse_freq,
     "stack samples a second; not built yet, 0 is off (0)"},
    {"duration", 0, "TIME", OPTIONS_COLLECT, parse_stop_after, "stop after this time"},
    {"output", 'o', "FILE", OPTIONS_COLLECT, parse_output,
     "write the stream (perf.data) to FILE, or - for a pipe"},
    {"compress", 'z', NULL, OPTIONS_COLLECT, parse_compress,
     "the recording as zstd; perf script reads it, perf stat report doesn't"},
    {"csv", 0, "PATH", OPTIONS_BRIDGE, parse_csv,
     "where the CSV is kept, or none (/tmp/perf_data.csv)"},
    {"csv-rows", 0, "N", OPTIONS_BRIDGE, parse_csv_rows, "rows that the CSV holds (36000)"},
    {"csv", 0, NULL, OPTIONS_STAT, parse_csv_stdout, "of stat: rows as in the CSV file, here"},
    {"per-cpu", 'A', NULL, OPTIONS_STAT | OPTIONS_REPORT, parse_per_cpu,
     "with the numbers of each CPU"},
    {"listen", 0, "ADDR:PORT", OPTIONS_SERVE, parse_listen,
     "where the page is; port 0 picks one (127.0.0.1:5000 and [::1]:5000)"},
    {"memory", 0, "SIZE", OPTIONS_SERVE, parse_memory, "bound of the history in memory (32MiB)"},
    {"history", 0, "PATH", OPTIONS_SERVE, parse_history,
     "where the history is kept, or none (/var/lib/cyclescope/history.db)"},
    {"retain", 0, "SIZE", OPTIONS_SERVE, parse_retain, "bound of the history on disk (512MiB)"},
    {"allow-host", 0, "NAME", OPTIONS_SERVE, parse_allow_host,
     "a further Host name that is let in"},
    {"token-file", 0, "FILE", OPTIONS_SERVE, parse_token_file,
     "holds the token that every request must bring"},
    {"json", 0, NULL, OPTIONS_DOCTOR | OPTIONS_LIST | OPTIONS_STAT, parse_json,
     "as JSON, for a program"},
    {"format", 0, "FORMAT", OPTIONS_REPORT, parse_format, "text, json or csv (text)"},
};
const size_t n_option_rows = sizeof(option_table) / sizeof(option_table[0]);
_Static_assert(sizeof(option_table) / sizeof(option_table[0]) <= OPTION_ROWS_MAX, "too many rows");

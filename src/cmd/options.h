// SPDX-License-Identifier: Apache-2.0
// The options of a command line. Parsing and --help come from one table: option_table.h.
#pragma once

#include "base/clock.h"
#include "cmd/command.h"
#include "collect/target.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum option_set {
    OPTIONS_COLLECT = 1, // of whoever measures
    OPTIONS_SERVE = 2,   // of whoever shows
    OPTIONS_LIST = 4,    // of the list of events
    OPTIONS_DOCTOR = 8,  // of who only looks
    OPTIONS_BRIDGE = 16, // of whoever measures and keeps the CSV data bridge
    OPTIONS_STAT = 32,   // of the numbers in the terminal
    OPTIONS_REPORT = 64, // of a recording's numbers
};

#define OPTIONS_LISTEN_MAX 8 // more sockets than that is a mistake
#define OPTIONS_HOSTS_MAX  16
#define OPTIONS_TASKS_MAX  1024 // each has a descriptor per event and thread

enum report_format { FORMAT_TEXT, FORMAT_JSON, FORMAT_CSV };

struct options {
    // collect
    bool system;                    // -a was given
    pid_t tasks[OPTIONS_TASKS_MAX]; // -p, or -t; none: the system, or the command
    size_t n_tasks;
    bool threads; // they are -t's
    const char *cgroups[TARGET_CGROUPS_MAX];
    size_t n_cgroups;
    bool strict, dry_run;
    const char *cpu_list; // NULL: all
    const char *events;   // NULL: the default; all of several -e, with commas between them
    ns_t interval;
    bool interval_given;
    ns_t duration;      // 0: until a signal
    const char *output; // NULL: no recording; "-": standard output
    bool compress;      // the recording: -z
    const char *csv;    // NULL: none
    size_t csv_rows;
    // stat
    bool csv_stdout; // its --csv
    bool per_cpu;
    // serve
    const char *listen[OPTIONS_LISTEN_MAX]; // none: the default
    size_t n_listen;
    size_t memory;
    const char *history; // NULL: the default place; "none"
    size_t retain;
    const char *allow_hosts[OPTIONS_HOSTS_MAX];
    size_t n_allow_hosts;
    const char *token_file;
    char **command;            // of argv, NULL-terminated: COMMAND of those who measure; NULL: none
    bool json;                 // doctor, list, stat
    enum report_format format; // report
    // What is left: INPUT of serve and report, PATTERN of list.
    char **operands; // of argv
    int n_operands;
};

// Parses argv for `command`. 0: go on. 1: --help or --version was answered. −1: said what is wrong
// (exit 2).
int options_parse(const struct command *command, int argc, char **argv, struct options *ret);
// The usage of all commands and options, on standard output.
void options_help(const struct command *const *commands, size_t n);

// SPDX-License-Identifier: Apache-2.0
// A command of the program: one file each, one entry of the table in main.c. Only this room speaks
// to the person.
#pragma once

#define EXIT_DONE   0
#define EXIT_FAILED 1 // one line on stderr: what, why, what to do
#define EXIT_USAGE  2

struct command {
    const char *name; // NULL: what runs when no command is named
    const char *synopsis;
    const char *summary; // one line of --help
    unsigned options;    // which rows of the option table it takes: an option_set
    // argv[0] is the command's name (the program's for the default command). Returns the exit
    // status.
    int (*run)(const struct command *self, int argc, char **argv);
};

extern const struct command command_run;
extern const struct command command_collect;
extern const struct command command_serve;
extern const struct command command_list;
extern const struct command command_doctor;
extern const struct command command_stat;
extern const struct command command_report;

// "cyclescope: " and the sentence, as one line on standard error.
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

// SPDX-License-Identifier: Apache-2.0
#include "cmd/options.h"

#include "cmd/option_table.h"
#include "collect/nearest.h"
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CODE_FIRST   256 // getopt's code of row i is CODE_FIRST + i: clear of letters
#define CODE_HELP    'h'
#define CODE_VERSION 'V'

static void build_getopt(const struct command *command, struct option *longs, char *shorts)
{
    size_t n = 0;

    // What follows the first word of COMMAND is its own.
    if (command->options & OPTIONS_COLLECT)
        *shorts++ = '+';
    *shorts++ = ':'; // we speak for ourselves
    for (size_t i = 0; i < n_option_rows; i++) {
        if (!(option_table[i].sets & command->options))
            continue;
        longs[n++] =
            (struct option){.name = option_table[i].name,
                            .has_arg = option_table[i].argument ? required_argument : no_argument,
                            .val = (int)(CODE_FIRST + i)};
        if (option_table[i].letter) {
            *shorts++ = option_table[i].letter;
            if (option_table[i].argument)
                *shorts++ = ':';
        }
    }
    longs[n++] = (struct option){.name = "help", .val = CODE_HELP};
    longs[n++] = (struct option){.name = "version", .val = CODE_VERSION};
    longs[n] = (struct option){0};
    *shorts++ = 'h';
    *shorts = '\0';
}

static const struct option_row *find_row(int code)
{
    if (code >= CODE_FIRST && code < (int)(CODE_FIRST + n_option_rows))
        return &option_table[code - CODE_FIRST];
    for (size_t i = 0; i < n_option_rows; i++)
        if (option_table[i].letter == code)
            return &option_table[i];
    return NULL;
}

static void help_of(const struct command *command)
{
    printf("usage: %s\n\n%s\n\n", command->synopsis, command->summary);
    for (size_t i = 0; i < n_option_rows; i++) {
        char left[64], letter[8] = "    ";

        if (!(option_table[i].sets & command->options))
            continue;
        if (option_table[i].letter)
            snprintf(letter, sizeof(letter), "-%c, ", option_table[i].letter);
        snprintf(left, sizeof(left), "%s--%s %s", letter, option_table[i].name,
                 option_table[i].argument ? option_table[i].argument : "");
        printf("  %-28s %s\n", left, option_table[i].help);
    }
    printf("  -h, --help                   this text\n      --version                print the "
           "version\n");
    if (command->options & OPTIONS_DOCTOR)
        printf(
            "\nExit status: 0 hardware counters work, 3 only software events do, 1 nothing does, "
            "2 bad usage.\n");
}

void options_help(const struct command *const *commands, size_t n)
{
    printf("cyclescope %s: what this machine's processors do, live, in a browser\n\n",
           CYCLESCOPE_VERSION);
    for (size_t i = 0; i < n; i++)
        printf("  %s\n      %s\n", commands[i]->synopsis, commands[i]->summary);
    printf("\nOptions (each command's --help lists its own):\n");
    for (size_t i = 0; i < n_option_rows; i++)
        printf("  %s%c%s--%-11s %-10s %s\n", option_table[i].letter ? "-" : " ",
               option_table[i].letter ? option_table[i].letter : ' ',
               option_table[i].letter ? ", " : "  ", option_table[i].name,
               option_table[i].argument ? option_table[i].argument : "", option_table[i].help);
    printf("\nExit status: 0 done, 1 failed, 2 bad usage; after COMMAND, its own; of doctor 0: "
           "hardware counters work,\n3: only software events do, 1: nothing does.\n");
}

static const struct options defaults = {
    .interval = 100 * NS_PER_MS,
    .csv = "/tmp/perf_data.csv",
    .csv_rows = 36000,
    .memory = (size_t)32 << 20,
    .retain = (size_t)512 << 20,
};

// "; the nearest name is '--dry-run'", "" when none is near.
static void nearest_options(const struct command *command, const char *wanted, char *ret,
                            size_t size)
{
    struct nearest near = {.wanted = wanted};
    char shown[64];

    for (size_t i = 0; i < n_option_rows; i++) {
        snprintf(shown, sizeof(shown), "--%s", option_table[i].name);
        if (option_table[i].sets & command->options)
            nearest_offer(&near, shown, shown);
    }
    nearest_words(&near, ret, size);
}

static int unknown_option(const struct command *command, char **argv)
{
    char shown[64], near[256] = "";
    const char *word = argv[optind - 1];
    bool is_long = strncmp(word, "--", 2) == 0;

    if (is_long)
        snprintf(shown, sizeof(shown), "%.*s", (int)strcspn(word, "="), word);
    else
        snprintf(shown, sizeof(shown), "-%c", optopt);
    // getopt knows the option when it says which one.
    if (is_long && optopt) {
        say("%s takes no value", shown);
        return -1;
    }
    if (is_long)
        nearest_options(command, shown, near, sizeof(near));
    say("%s: no such option%s%s; cyclescope %s%s--help lists them", shown,
        command->name ? " of this command" : "", near, command->name ? command->name : "",
        command->name ? " " : "");
    return -1;
}

// What cannot be had at once, or not alone.
static bool contradictory(const struct options *o)
{
    if (o->n_tasks && (o->cpu_list || o->system)) {
        say("-%c and %s exclude each other: a process is counted on whichever CPU it runs",
            o->threads ? 't' : 'p', o->system ? "-a" : "-C");
        return true;
    }
    if (o->compress && !o->output) {
        say("-z compresses the recording: -o FILE says where that goes");
        return true;
    }
    if (o->n_cgroups && (o->n_tasks || o->system)) {
        say("-G and %s exclude each other", o->system ? "-a" : o->threads ? "-t" : "-p");
        return true;
    }
    return false;
}

int options_parse(const struct command *command, int argc, char **argv, struct options *ret)
{
    struct option longs[OPTION_ROWS_MAX + 3];
    char shorts[3 * OPTION_ROWS_MAX + 5];
    struct options o = defaults;
    int code;

    build_getopt(command, longs, shorts);
    opterr = 0;
    optind = 1;
    while ((code = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        const struct option_row *row;

        if (code == CODE_HELP) {
            help_of(command);
            return 1;
        }
        if (code == CODE_VERSION) {
            printf("cyclescope %s\n", CYCLESCOPE_VERSION);
            return 1;
        }
        if (code == ':') {
            row = find_row(optopt);
            say("--%s needs a value: %s", row ? row->name : "?",
                row && row->argument ? row->argument : "");
            return -1;
        }
        row = code == '?' ? NULL : find_row(code);
        if (!row)
            return unknown_option(command, argv);
        if (row->parse(optarg, &o) < 0)
            return -1;
    }
    if (contradictory(&o))
        return -1;
    o.operands = argv + optind;
    o.n_operands = argc - optind;
    if (o.n_operands && command->options & OPTIONS_COLLECT)
        o.command = o.operands;
    *ret = o;
    return 0;
}

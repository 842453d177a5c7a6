// SPDX-License-Identifier: Apache-2.0
// The table of commands.
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "collect/nearest.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct command *const commands[] = {&command_run,   &command_collect, &command_serve,
                                                 &command_stat,  &command_report,  &command_list,
                                                 &command_doctor};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

void say(const char *format, ...)
{
    char line[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    text_tame(line); // names of files and processes are somebody else's bytes
    // One write: two processes share the terminal.
    fprintf(stderr, "cyclescope: %s\n", line);
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (commands[i]->name && strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static int refuse(const char *word)
{
    struct nearest near = {.wanted = word};
    char words[256];

    for (size_t i = 0; i < N_COMMANDS; i++)
        if (commands[i]->name)
            nearest_offer(&near, commands[i]->name, commands[i]->name);
    nearest_words(&near, words, sizeof(words));
    say("'%s' is not a command%s; cyclescope --help lists them (a program to measure comes after "
        "--)",
        word, words);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";

    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        options_help(commands, N_COMMANDS);
        return EXIT_DONE;
    }
    if (find(word))
        return find(word)->run(find(word), argc - 1, argv + 1);
    if (*word && *word != '-') {
        return refuse(word);
    }
    return command_run.run(&command_run, argc, argv);
}

// SPDX-License-Identifier: Apache-2.0
// The options of all commands, a row each: a further option is a row in option_table.c and a member
// of struct options.
#pragma once

#include "cmd/options.h"

#define OPTION_ROWS_MAX 64 // what getopt's tables have room for

// `value`: of argv, NULL where the option takes none. 0, or −1 after having said what is wrong.
typedef int (*option_function)(const char *value, struct options *o);

struct option_row {
    const char *name;
    char letter;          // 0: none
    const char *argument; // NULL: takes none
    unsigned sets;        // of enum option_set: the commands that take it
    option_function parse;
    const char *help;
};

extern const struct option_row option_table[];
extern const size_t n_option_rows;

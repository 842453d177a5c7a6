// SPDX-License-Identifier: Apache-2.0
#include "web/mhd.h"

#include <stdbool.h>

struct mhd_functions mhd;

int mhd_load(void)
{
    static const char *const names[] = {MHD_FUNCTIONS(LIBRARY_NAME)};

    static bool loaded;
    int r =
        loaded ? 0
               : library_load("libmicrohttpd.so.12", names, sizeof(names) / sizeof(names[0]), &mhd);

    loaded = r == 0;
    return r;
}

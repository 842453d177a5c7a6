// SPDX-License-Identifier: Apache-2.0
#include "base/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

int library_load(const char *file, const char *const *names, size_t n, void *ret_pointers)
{
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);

    if (!library)
        return -ELIBACC;
    for (size_t i = 0; i < n; i++) {
        void *function = dlsym(library, names[i]);

        if (!function)
            return -ELIBACC;
        memcpy((char *)ret_pointers + i * sizeof(function), &function, sizeof(function));
    }
    return 0;
}

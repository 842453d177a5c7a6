// SPDX-License-Identifier: Apache-2.0
// Shared libraries that are loaded when they are needed, and by whom: loading one with all that it
// brings along costs every start of the program, and the privileged collector should have no code
// in it that only the server needs.
#pragma once

#include <stddef.h>

// For a list of functions F(X), each as X(name): their names with `prefix`, and pointers to them,
// in the same order.
#define LIBRARY_POINTER(prefix, name) __typeof__(prefix##name) *name;
#define LIBRARY_NAME(prefix, name)    #prefix #name,

// Loads the library `file` ("libpfm.so.4") for as long as the process lives, and looks up n
// functions in it. 0 with them in *ret_pointers, a struct of so many pointers; -ELIBACC when the
// library or one of them is not there.
int library_load(const char *file, const char *const *names, size_t n, void *ret_pointers);

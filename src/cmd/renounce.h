// SPDX-License-Identifier: Apache-2.0
// Gives up privileges and system calls, for good, before the first byte from outside is read.
#pragma once

#include "base/sandbox.h"

// `needs` as sandbox_filter() takes them; `undone` says what is not done with privileges: "the
// server does not run". 0, or an exit status after having said why.
int renounce(const struct sandbox_user *user, unsigned needs, const char *undone);

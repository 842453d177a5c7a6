// SPDX-License-Identifier: Apache-2.0
#include "cmd/renounce.h"

#include "cmd/command.h"

#include <string.h>

int renounce(const struct sandbox_user *user, unsigned needs, const char *undone)
{
    int r = sandbox_drop_privileges(user);

    if (r == 0)
        r = sandbox_filter(needs);
    if (r == 0)
        return 0;
    say("cannot give up privileges: %s; %s with them", strerror(-r), undone);
    return EXIT_FAILED;
}

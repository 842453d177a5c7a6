// SPDX-License-Identifier: Apache-2.0
#include "collect/modifiers.h"

#include <string.h>

#define LETTERS       "ukhGHIpPSDeW"
#define PRECISION_MAX 3

static unsigned precision(const char *modifiers)
{
    unsigned n = 0;

    for (; *modifiers; modifiers++)
        n += *modifiers == 'p';
    return n;
}

bool modifiers_valid(const char *text, char *ret_wrong)
{
    *ret_wrong = '\0';
    if (!*text)
        return false;
    for (const char *p = text; *p; p++)
        if (!strchr(LETTERS, *p) || (*p != 'p' && strchr(p + 1, *p))) {
            *ret_wrong = *p;
            return false;
        }
    if (precision(text) <= PRECISION_MAX)
        return true;
    *ret_wrong = 'p';
    return false;
}

void modifiers_add(char modifiers[MODIFIERS_MAX], const char *more)
{
    for (; *more; more++) {
        size_t n = strlen(modifiers);

        if (*more == 'p' ? precision(modifiers) < PRECISION_MAX : !strchr(modifiers, *more)) {
            modifiers[n] = *more;
            modifiers[n + 1] = '\0';
        }
    }
}

void modifiers_apply(const char *modifiers, bool leader, struct perf_event_attr *attr)
{
    bool level = attr->exclude_user || attr->exclude_kernel || attr->exclude_hv;
    bool guest = attr->exclude_host || attr->exclude_guest;

    for (const char *m = modifiers; *m; m++)
        if (strchr("ukh", *m) && !level) {
            attr->exclude_user = attr->exclude_kernel = attr->exclude_hv = 1;
            level = true;
        } else if (strchr("GH", *m) && !guest) {
            attr->exclude_host = attr->exclude_guest = 1;
            guest = true;
        }
    for (const char *m = modifiers; *m; m++)
        switch (*m) {
        case 'u':
            attr->exclude_user = 0;
            break;
        case 'k':
            attr->exclude_kernel = 0;
            break;
        case 'h':
            attr->exclude_hv = 0;
            break;
        case 'G':
            attr->exclude_guest = 0;
            break;
        case 'H':
            attr->exclude_host = 0;
            break;
        case 'I':
            attr->exclude_idle = 1;
            break;
        case 'p':
            attr->precise_ip = precision(modifiers);
            if (!guest) // hardware that is precise cannot look into guests
                attr->exclude_guest = 1;
            break;
        case 'D': // the kernel refuses both of a member
            attr->pinned = leader;
            break;
        case 'e':
            attr->exclusive = leader;
            break;
        default:
            break;
        }
}

// SPDX-License-Identifier: Apache-2.0
#include "output/number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char prefixes[] = {'k', 'M', 'G', 'T', 'P', 'E'};
#define N_PREFIXES (sizeof(prefixes) / sizeof(prefixes[0]))

static void put_digits(double value, char ret[NUMBER_SHORT_MAX], const char *prefix)
{
    double size = fabs(value);
    int decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3;

    if (value == 0)
        decimals = 0;
    snprintf(ret, NUMBER_SHORT_MAX, "%.*f%s", decimals, value, prefix);
}

void number_short(double value, char ret[NUMBER_SHORT_MAX])
{
    char prefix[2] = "";

    // 999.5 would be written 1000.
    for (size_t i = 0; fabs(value) >= 999.5 && i < N_PREFIXES; i++) {
        value /= 1000;
        prefix[0] = prefixes[i];
    }
    if (fabs(value) >= 99999)
        snprintf(ret, NUMBER_SHORT_MAX, "%.3g", value * 1e18);
    else if (value != 0 && fabs(value) < 0.0005)
        snprintf(ret, NUMBER_SHORT_MAX, "%.2g", value);
    else
        put_digits(value, ret, prefix);
}

void number_whole(double value, int decimals, char ret[NUMBER_WHOLE_MAX])
{
    char plain[NUMBER_WHOLE_MAX];
    const char *digits = plain;
    size_t n, whole;

    if (fabs(value) >= 1e30) {
        snprintf(ret, NUMBER_WHOLE_MAX, "%g", value);
        return;
    }
    snprintf(plain, sizeof(plain), "%.*f", decimals, value);
    if (*digits == '-')
        *ret++ = *digits++;
    n = strlen(digits);
    whole = strcspn(digits, ".");
    for (size_t i = 0; i < n; i++) {
        if (i && i < whole && (whole - i) % 3 == 0)
            *ret++ = ',';
        *ret++ = digits[i];
    }
    *ret = '\0';
}

static const struct unit {
    const char *name, *sign;
    double factor;
} units[] = {
    {"share", "%", 100},
    {"per second", "/s", 1},
    {"ns", "s", 1e-9},
};

#define SIGN_MAX 6

double number_unit(const char *unit, const char **ret_sign)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(unit, units[i].name) == 0) {
            *ret_sign = units[i].sign;
            return units[i].factor;
        }
    *ret_sign = strlen(unit) <= SIGN_MAX ? unit : "";
    return 1;
}

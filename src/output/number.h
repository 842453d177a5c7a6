// SPDX-License-Identifier: Apache-2.0
// Numbers for people: short with an SI prefix, or whole with their digits in threes.
#pragma once

#include <stddef.h>

#define NUMBER_SHORT_MAX 16
#define NUMBER_WHOLE_MAX 64

// Three significant digits and a prefix, at most three decimals: "1.23G", "12.3", "0.004", "0".
// What would then be 0 and is not has two: "0.00012". `value` is finite.
void number_short(double value, char ret[NUMBER_SHORT_MAX]);
// "12,345,678", with `decimals` (0 to 6) behind a point: "1,234.50".
void number_whole(double value, int decimals, char ret[NUMBER_WHOLE_MAX]);

// What a number in `unit` (of a metric or an event) is multiplied by for people, and the sign that
// stands beside it: a share as "%", "per second" as "/s", ns as "s". A long unit has no sign ("").
double number_unit(const char *unit, const char **ret_sign);

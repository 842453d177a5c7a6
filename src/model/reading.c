// SPDX-License-Identifier: Apache-2.0
#include "model/reading.h"

struct sum reading_difference(struct reading earlier, struct reading later)
{
    if (later.value < earlier.value || later.enabled < earlier.enabled ||
        later.running < earlier.running)
        return SUM_NONE;
    return (struct sum){
        .raw = (double)(later.value - earlier.value),
        .enabled = (double)(later.enabled - earlier.enabled),
        .running = (double)(later.running - earlier.running),
    };
}

void sum_add(struct sum *to, struct sum s)
{
    if (isnan(s.raw))
        return;
    if (isnan(to->raw))
        to->raw = 0;
    to->raw += s.raw;
    to->enabled += s.enabled;
    to->running += s.running;
}

void sum_add_place(struct sum *to, struct sum s, enum reading_scope scope)
{
    enum quality q = sum_quality(s, scope);
    double count;

    if (q == QUALITY_OFFLINE)
        return;
    if (isnan(to->raw)) {
        *to = s;
        return;
    }
    if (q == QUALITY_NEVER_RAN || sum_quality(*to, scope) == QUALITY_NEVER_RAN) {
        double enabled = to->enabled + s.enabled;

        if (scope == SCOPE_TASK && q != QUALITY_NEVER_RAN)
            *to = s;
        to->enabled = enabled;
        if (scope == SCOPE_CPU) // and stays so: the whole has no value
            to->running = 0;
        return;
    }
    count = sum_count(*to, scope) + sum_count(s, scope);
    to->enabled += s.enabled;
    to->running += s.running;
    to->raw = to->enabled > 0 ? count * (to->running / to->enabled) : count;
    if (sum_quality(*to, scope) == QUALITY_EXACT)
        to->raw = count;
}

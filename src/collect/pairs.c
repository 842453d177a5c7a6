// SPDX-License-Identifier: Apache-2.0
#include "collect/pairs.h"

#include "model/metric.h"

#include <stdlib.h>
#include <string.h>

// The event that is the other side of a ratio with event i; -1 without.
static int partner(const struct event_table *events, size_t i)
{
    struct metric_binding *bindings = calloc(n_metrics, sizeof(*bindings));
    size_t n = bindings ? metric_bind(events, bindings) : 0;
    int found = -1;

    for (size_t k = 0; k < n && found < 0; k++)
        for (size_t side = 0;
             bindings[k].metric->one_group && bindings[k].n_inputs == 2 && side < 2; side++)
            if (bindings[k].inputs[side] == (int)i)
                found = bindings[k].inputs[1 - side];
    free(bindings);
    return found;
}

void pairs_order(const struct event_table *events, size_t *members, size_t n, bool *ret_pair)
{
    memset(ret_pair, 0, n * sizeof(*ret_pair));
    for (size_t k = 0; k + 1 < n; k++) {
        int other = partner(events, members[k]);

        for (size_t j = k + 1; j < n; j++)
            if (other >= 0 && members[j] == (size_t)other) {
                memmove(&members[k + 2], &members[k + 1], (j - k - 1) * sizeof(*members));
                members[k + 1] = (size_t)other;
                ret_pair[k] = true;
                k++;
                break;
            }
    }
}

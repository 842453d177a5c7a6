// SPDX-License-Identifier: Apache-2.0
// The terms between a PMU's slashes: "event=0x3c,umask=0x1", "energy-pkg", "config=5,name=five".
#pragma once

#include "collect/pmu.h"

// Encodes `terms` into r->attr (with the PMU's type and CPUs), unit and scale. A name=… term
// becomes r->name. Terms that only matter to sampling or to perf's own output (period, freq,
// percore, metric-id) are taken and change nothing. `pmu` NULL: the event is known (r->attr is
// set), and only terms that any event has are taken. 0, or -EINVAL with a sentence in ret_message,
// or -ENOMEM.
int pmu_terms(const struct pmu *pmu, const char *terms, struct event_request *r, char *ret_message);

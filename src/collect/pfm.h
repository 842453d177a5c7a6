// SPDX-License-Identifier: Apache-2.0
// libpfm4: the vendors' event names of the processors that it knows ("RETIRED_INSTRUCTIONS",
// "skl::INST_RETIRED:ANY_P:u"). It looks at the machine itself, not under a root.
// Loaded when it is first needed; where it is not installed, it knows no name.
#pragma once

#include "collect/event_request.h"

// Encodes a name of libpfm4's into r->attr and, where the name says so, r->cpus. 0; -ENOENT when it
// does not know the name; -EINVAL, with its words in ret_message, when it knows the event but not
// what is said of it; -ENOMEM. Names that libpfm4 has for the kernel's own events are taken only
// with their "perf::" before them: the kernel's are spelt as perf spells them.
int pfm_encode(const char *name, struct event_request *r, char *ret_message);

// Calls f for every event of the PMUs that are present, with each of its unit masks, until it
// returns non-zero: "INST_RETIRED:ANY_P", or "skx_unc_imc0::UNC_M_CAS_COUNT:RD" of a PMU beside the
// processor's own. Returns that, or 0.
typedef int (*pfm_function)(void *context, const char *pmu, const char *name,
                            const char *description);
int pfm_each(pfm_function f, void *context);

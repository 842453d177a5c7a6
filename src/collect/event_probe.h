// SPDX-License-Identifier: Apache-2.0
// Does an event open here? Found out by opening it.
#pragma once

#include "collect/event_request.h"

// Opens it for this process, or, what counts for CPUs only, on one of its CPUs; disabled, and
// closed again. Where only its user part is allowed, that counts as open. 0 or -errno of the first
// try.
int event_probe(const struct event_request *r);

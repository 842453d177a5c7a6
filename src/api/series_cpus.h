// SPDX-License-Identifier: Apache-2.0
// /api/series?cpu=all: one column of every CPU.
#pragma once

#include "api/api_private.h"

#define SERIES_POINTS_DEFAULT 2000 // a wide screen's pixels

// The answer, in pieces; or 1 with an error in *ret; or -ENOMEM. On the http thread.
int series_cpus(const struct web_request *q, struct api *a, struct web_reply **ret);

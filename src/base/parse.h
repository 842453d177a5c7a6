// SPDX-License-Identifier: Apache-2.0
// Words that a person typed, or a kernel file holds, as numbers. All return 0 or -EINVAL (-ERANGE
// when too large) and leave their output untouched on failure; trailing characters are an error.
#pragma once

#include "base/clock.h"

#include <stddef.h>
#include <stdint.h>

int parse_u64(const char *text, uint64_t *ret); // decimal, or hexadecimal with 0x
// "100ms", "1s", "5m", "2h"; whole numbers; the unit is required.
int parse_duration(const char *text, ns_t *ret);
// "512KiB", "32MiB", "1GiB", or plain bytes.
int parse_size(const char *text, size_t *ret);
// "0,2-3" as the kernel and perf write CPU lists. `ret` becomes a heap array of the numbers in
// ascending order without repeats (empty text: none), to be freed by the caller. Numbers above
// 65535 are -ERANGE.
int parse_cpu_list(const char *text, int **ret_cpus, size_t *ret_n);

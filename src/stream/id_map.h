// SPDX-License-Identifier: Apache-2.0
// Which event an id of the stream belongs to. perf gives each event an id per CPU and thread, so
// there are many.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ID_MAP_MAX ((size_t)3 << 18) // 1024 CPUs × 768 events; 24 MiB of table

struct id_map {
    struct id_map_slot *slots; // owned
    size_t capacity;           // a power of two, or 0
    size_t n;
    uint64_t seed; // keeps a hostile stream from choosing ids that collide
};

void id_map_done(struct id_map *m);
// Makes `id` one of `event`'s. An id that is there already keeps its event. 0, -E2BIG beyond
// ID_MAP_MAX, -ENOMEM.
int id_map_add(struct id_map *m, uint64_t id, uint32_t event);
// Remembers `value` for an id that is there, and gives what was remembered before, 0 at first.
// False: the id is not there.
bool id_map_exchange(struct id_map *m, uint64_t id, uint64_t value, uint64_t *ret_before);
size_t id_map_memory(const struct id_map *m); // bytes
bool id_map_find(const struct id_map *m, uint64_t id, uint32_t *ret_event);

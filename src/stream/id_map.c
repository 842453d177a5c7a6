// SPDX-License-Identifier: Apache-2.0
#include "stream/id_map.h"

#include "base/hash.h"

#include <errno.h>
#include <stdlib.h>

#define ID_MAP_FIRST 64 // slots: a stream of ours never needs more than one growth

struct id_map_slot {
    uint64_t id;
    uint64_t event; // + 1; 0: the slot is free
    uint64_t value; // remembered
};

void id_map_done(struct id_map *m)
{
    free(m->slots);
    *m = (struct id_map){0};
}

static size_t hash(const struct id_map *m, uint64_t id)
{
    return (size_t)hash_mix(id ^ m->seed) & (m->capacity - 1);
}

// The slot of the id, or the free one where it belongs.
static struct id_map_slot *slot_of(const struct id_map *m, uint64_t id)
{
    size_t i = hash(m, id);

    while (m->slots[i].event && m->slots[i].id != id)
        i = (i + 1) & (m->capacity - 1);
    return &m->slots[i];
}

static int grow(struct id_map *m)
{
    struct id_map larger = {.capacity = m->capacity ? m->capacity * 2 : ID_MAP_FIRST};

    larger.slots = calloc(larger.capacity, sizeof(*larger.slots));
    if (!larger.slots)
        return -ENOMEM;
    larger.seed = hash_seed(larger.slots);
    for (size_t i = 0; i < m->capacity; i++)
        if (m->slots[i].event)
            *slot_of(&larger, m->slots[i].id) = m->slots[i];
    larger.n = m->n;
    free(m->slots);
    *m = larger;
    return 0;
}

int id_map_add(struct id_map *m, uint64_t id, uint32_t event)
{
    struct id_map_slot *slot;

    if (m->n >= m->capacity / 4 * 3) {
        int r = m->n >= ID_MAP_MAX ? -E2BIG : grow(m);

        if (r < 0)
            return r;
    }
    slot = slot_of(m, id);
    if (slot->event)
        return 0;
    *slot = (struct id_map_slot){.id = id, .event = (uint64_t)event + 1};
    m->n++;
    return 0;
}

size_t id_map_memory(const struct id_map *m)
{
    return m->capacity * sizeof(*m->slots);
}

bool id_map_exchange(struct id_map *m, uint64_t id, uint64_t value, uint64_t *ret_before)
{
    struct id_map_slot *slot = m->capacity ? slot_of(m, id) : NULL;

    if (!slot || !slot->event)
        return false;
    *ret_before = slot->value;
    slot->value = value;
    return true;
}

bool id_map_find(const struct id_map *m, uint64_t id, uint32_t *ret_event)
{
    const struct id_map_slot *slot;

    if (!m->capacity)
        return false;
    slot = slot_of(m, id);
    if (!slot->event)
        return false;
    *ret_event = (uint32_t)(slot->event - 1);
    return true;
}

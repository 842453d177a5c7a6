// SPDX-License-Identifier: Apache-2.0
// For hash tables whose keys come from outside: who cannot guess the seed cannot choose keys that
// all fall into one place, which would make a table as slow as a list.
#pragma once

#include <stdint.h>
#include <sys/random.h>

// The finalizer of splitmix64: each bit of the result depends on all of x. (Steele, Lea, Flood,
// "Fast splittable pseudorandom number generators", OOPSLA 2014.)
static inline uint64_t hash_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

// `table`: where it lies, which is the seed where the kernel has no random numbers yet.
static inline uint64_t hash_seed(const void *table)
{
    uint64_t seed;

    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
        seed = hash_mix((uint64_t)(uintptr_t)table);
    return seed;
}

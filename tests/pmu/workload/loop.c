// SPDX-License-Identifier: Apache-2.0
/*
 * loop ROUNDS: a loop of exactly two instructions a round, between two gates. It waits for a byte
 * on stdin, runs, says "done", and waits for the end of stdin. A profiler attached before the first
 * gate and stopped before the second counts 2 · ROUNDS instructions and a constant, so that two
 * runs differ by exactly twice the difference in rounds.
 */
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

static void spin(uint64_t rounds)
{
#if defined(__aarch64__)
    __asm__ volatile("1: subs %0, %0, #1\n b.ne 1b\n" : "+r"(rounds)::"cc");
#elif defined(__x86_64__)
    __asm__ volatile("1: sub $1, %0\n jnz 1b\n" : "+r"(rounds)::"cc");
#else
#error "no loop for this architecture"
#endif
}

int main(int argc, char **argv)
{
    uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    char byte;

    if (read(STDIN_FILENO, &byte, 1) != 1)
        return 1;
    spin(rounds);
    if (write(STDOUT_FILENO, "done\n", 5) != 5)
        return 1;
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    return 0;
}

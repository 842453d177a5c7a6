// SPDX-License-Identifier: Apache-2.0
/*
 * pieces MS FILE: work of known size, in pieces of MS of CPU time, one after another: on the main
 * thread, on a thread that was there before, on a thread and in a child that are born after the
 * gate, and in a child that was there before it. Each writes a line into FILE when it is done:
 *
 *     NAME START END CPU      CLOCK_MONOTONIC, and the thread's own CPU time between them; ns
 *
 * The first line is "up TID" with the TID of the thread; then a byte is waited for on stdin. "done"
 * is the last.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t size; /* of a piece, ns */
static int file;

static int64_t now(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void work(const char *name)
{
    int64_t start = now(CLOCK_MONOTONIC), before = now(CLOCK_THREAD_CPUTIME_ID), cpu;

    do {
        for (volatile int i = 0; i < 20000; i++)
            ;
        cpu = now(CLOCK_THREAD_CPUTIME_ID) - before;
    } while (cpu < size);
    dprintf(file, "%s %lld %lld %lld\n", name, (long long)start, (long long)now(CLOCK_MONOTONIC),
            (long long)cpu);
}

static void wait_for(int gate)
{
    char byte;

    if (read(gate, &byte, 1) != 1)
        _exit(1);
}

static void *early_thread(void *gates)
{
    dprintf(file, "up %ld\n", (long)syscall(SYS_gettid));
    wait_for(*(int *)gates);
    work("thread");
    return NULL;
}

static void *late_thread(void *name)
{
    work(name);
    return NULL;
}

static pid_t child(int gate, const char *name)
{
    pid_t pid = fork();

    if (pid == 0) {
        if (gate >= 0)
            wait_for(gate);
        work(name);
        _exit(0);
    }
    return pid;
}

int main(int argc, char **argv)
{
    static char late[] = "new-thread";
    int thread_gate[2], child_gate[2];
    pthread_t thread;
    pid_t outside;

    if (argc != 3 || pipe(thread_gate) || pipe(child_gate))
        return 2;
    size = atoll(argv[1]) * 1000000;
    file = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
    outside = child(child_gate[0], "old-child");
    if (outside < 0 || pthread_create(&thread, NULL, early_thread, thread_gate))
        return 1;
    wait_for(STDIN_FILENO);
    work("main");
    if (write(thread_gate[1], "g", 1) != 1 || pthread_join(thread, NULL))
        return 1;
    if (pthread_create(&thread, NULL, late_thread, late) || pthread_join(thread, NULL))
        return 1;
    waitpid(child(-1, "new-child"), NULL, 0);
    if (write(child_gate[1], "g", 1) != 1)
        return 1;
    waitpid(outside, NULL, 0);
    dprintf(file, "done\n");
    return 0;
}

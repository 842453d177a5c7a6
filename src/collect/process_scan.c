// SPDX-License-Identifier: Apache-2.0
#include "collect/process_scan_private.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// A process may call itself anew: those that were born in the scan before are looked up again,
// whose exec may have come after it, and so many of the others that ran, in turn: a look costs as
// much as 40 clocks, and later names are rare.
#define NAMES_A_SCAN 4
#define VISITS       8 // between looks at the clock: some 5 µs, of new ones 100

static int kernel_clock(pid_t pid, uint64_t *ret_ns)
{
    struct timespec t;

    // MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED)
    if (clock_gettime((clockid_t)(~(unsigned)pid << 3 | 2), &t) < 0)
        return -errno;
    *ret_ns = (uint64_t)timespec_ns(t);
    return 0;
}

// Is it a process, and not another thread of one? Before Linux 5.7 a thread's ID, which is tried as
// any other that was given out, has its process's clock.
static bool is_process(const struct process_scan *s, pid_t pid)
{
    return s->clock != kernel_clock || syscall(SYS_tgkill, pid, pid, 0) == 0 || errno != ESRCH;
}

int process_scan_new(const char *root, const pid_t *trees, size_t n, process_clock *clock,
                     struct process_scan **ret)
{
    struct process_scan *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    text_copy(s->root, sizeof(s->root), root);
    s->clock = clock ? clock : kernel_clock;
    s->pids = PROCESS_PIDS_NONE;
    s->trees = calloc(n + 1, sizeof(*s->trees));
    if (!s->trees) {
        process_scan_free(s);
        return -ENOMEM;
    }
    s->n_trees = n;
    for (size_t i = 0; i < n; i++)
        s->trees[i] = trees[i];
    *ret = s;
    return 0;
}

void process_scan_free(struct process_scan *s)
{
    if (!s)
        return;
    process_pids_end(&s->pids);
    free(s->before.list);
    free(s->now.list);
    free(s->changes);
    free(s->trees);
    free(s);
}

// PIDs come in ascending order, mostly, so that the next one is where the last one was.
static const struct process *find(struct process_scan *s, pid_t pid)
{
    const struct process_list *t = &s->before;

    while (s->at < t->n && t->list[s->at].pid < pid)
        s->at++;
    if (s->at < t->n && t->list[s->at].pid == pid)
        return &t->list[s->at];
    return process_list_find(t, pid);
}

// Name, parent and start from /proc/PID/stat: "7 (any (bytes)) S 1 …". False when it is gone.
static bool look_up(const struct process_scan *s, struct process *p)
{
    char path[64], text[1024], *name, *end, *field;

    snprintf(path, sizeof(path), "/proc/%d/stat", p->pid);
    if (file_read(s->root, path, text, sizeof(text)) <= 0)
        return false;
    name = strchr(text, '(');
    end = strrchr(text, ')');
    if (!name || !end || end < name || strlen(end) < 4)
        return false;
    *end = '\0';
    text_copy(p->comm, sizeof(p->comm), name + 1);
    field = end + 4; // ") S "
    p->parent = (pid_t)strtol(field, NULL, 10);
    for (int i = 4; field && i < 22; i++) // 4 is the parent, 22 starttime (proc(5))
        field = (field = strchr(field, ' ')) ? field + 1 : NULL;
    p->started = field ? strtoull(field, NULL, 10) : 0;
    p->named = true;
    return true;
}

static bool add(struct process_list *t, const struct process *p)
{
    if (t->n == t->capacity) {
        size_t capacity = t->capacity ? 2 * t->capacity : 256;
        struct process *list =
            t->n < PROCESS_SCAN_MAX ? reallocarray(t->list, capacity, sizeof(*list)) : NULL;

        if (!list)
            return false;
        t->list = list;
        t->capacity = capacity;
    }
    t->list[t->n++] = *p;
    return true;
}

// Is it this one's turn to be looked up again?
static bool take_turn(struct process_scan *s, pid_t pid)
{
    if (pid <= s->turn || s->names >= NAMES_A_SCAN)
        return false;
    s->names++;
    s->reached = pid > s->reached ? pid : s->reached;
    return true;
}

// Who was there at the start is looked up when it runs, which most never do, where nobody has to
// know its parent, and the kernel tells the name of one that ends without having run.
static bool is_named_later(const struct process_scan *s)
{
    return !s->compared && !s->n_trees && s->exits;
}

static void visit(struct process_scan *s, pid_t pid)
{
    const struct process *old = find(s, pid);
    struct process p = {.pid = pid};

    if (s->clock(pid, &p.cpu) < 0)
        return; // it has ended since it was listed
    if (old && p.cpu >= old->cpu) {
        uint64_t cpu = p.cpu;

        p = *old;
        p.born = false;
        p.ran = cpu - p.cpu;
        p.cpu = cpu;
        if (p.ran && !old->named && !look_up(s, &p))
            return; // it has ended since: what it ran, the kernel tells
        if (p.ran && p.member && old->named && (old->born || take_turn(s, pid)))
            if (look_up(s, &p) && p.started != old->started)
                old = NULL; // another process has got the PID
    } else {
        old = NULL;
        if (!is_process(s, pid) || (!is_named_later(s) && !look_up(s, &p)))
            return;
    }
    if (!old) {
        p.born = s->compared;
        p.ran = s->compared ? p.cpu : 0;
        p.member = !s->n_trees || process_is_root(s, pid);
    }
    add(&s->now, &p);
}

static void count_forks(struct process_scan *s)
{
    uint64_t before = s->started_tasks;

    if (s->started)
        s->started_tasks = s->started;
    s->forks = s->compared && s->started_tasks > before ? s->started_tasks - before : 0;
}

static bool begin(struct process_scan *s, ns_t now)
{
    if (now < s->due)
        return false;
    s->due = s->due ? s->due + ((now - s->due) / PROCESS_SCAN_UNIT + 1) * PROCESS_SCAN_UNIT
                    : now + PROCESS_SCAN_UNIT;
    s->now.n = s->n_changes = s->at = s->names = 0;
    s->under_way = process_pids_begin(&s->pids, s->root, &s->before, now) == 0;
    return s->under_way;
}

static bool finish(struct process_scan *s)
{
    struct process_list old = s->before;
    ns_t done = clock_ns(CLOCK_MONOTONIC);
    bool comparison = s->compared;

    process_pids_end(&s->pids);
    s->under_way = false;
    // When nobody was left to be looked up, begin at the first again.
    s->turn = s->names < NAMES_A_SCAN ? 0 : s->reached;
    s->reached = 0;
    process_list_sort(&s->now);
    process_find_members(s);
    count_forks(s);
    process_take_exits(s);
    if (comparison)
        process_compare(s);
    s->seconds = (double)(done - s->done) / (double)NS_PER_SEC;
    s->done = done;
    s->before = s->now;
    s->now = old;
    s->compared = true;
    return comparison;
}

bool process_scan_step(struct process_scan *s, ns_t now, ns_t budget)
{
    ns_t end = clock_ns(CLOCK_MONOTONIC) + budget;
    unsigned visits = 0;

    if (!s->under_way && !begin(s, now))
        return false;
    do {
        pid_t pid = process_pids_next(&s->pids, &s->before);

        if (!pid)
            return finish(s);
        visit(s, pid);
    } while (++visits % VISITS || clock_ns(CLOCK_MONOTONIC) < end);
    return false;
}

void process_scan_exits(struct process_scan *s, struct exits *exits)
{
    s->exits = exits;
}

void process_scan_started(struct process_scan *s, uint64_t tasks)
{
    s->started = tasks;
}

void process_scan_hurry(struct process_scan *s)
{
    s->due = 0;
}

const struct process_change *process_scan_changes(const struct process_scan *s, size_t *ret_n)
{
    *ret_n = s->n_changes;
    return s->changes;
}

double process_scan_seconds(const struct process_scan *s)
{
    return s->seconds;
}

uint64_t process_scan_forks(const struct process_scan *s)
{
    return s->forks;
}

// SPDX-License-Identifier: Apache-2.0
// Which other process keeps the file busy: who may read it may lock it, too, so that the person
// should know whom to ask.
#include "base/cleanup.h"
#include "history/store_private.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

// Of the log's index, from the one for writing to the last one for reading: what lies behind every
// connection has. Source: https://sqlite.org/walformat.html, "WAL locks".
#define INDEX_LOCKS_FIRST 120
#define INDEX_LOCKS_LAST  127

struct lock {
    char mode[8]; // READ, WRITE
    int pid;
    unsigned major, minor;
    uint64_t inode, first;
    char last[24]; // a number, or EOF
};

static bool parse(const char *line, struct lock *ret)
{
    return sscanf(line, "%*[^:]: %*s %*s %7s %d %x:%x:%" SCNu64 " %" SCNu64 " %23s", ret->mode,
                  &ret->pid, &ret->major, &ret->minor, &ret->inode, &ret->first, ret->last) == 7;
}

static bool is_of(const struct lock *l, const struct stat *st)
{
    return l->inode == st->st_ino && l->major == major(st->st_dev) && l->minor == minor(st->st_dev);
}

static bool keeps_busy(const struct lock *l, const struct stat *file, const struct stat *index)
{
    uint64_t last = l->last[0] == 'E' ? UINT64_MAX : strtoull(l->last, NULL, 10);

    if (l->pid <= 0 || l->pid == getpid())
        return false;
    return is_of(l, index) ? l->first <= INDEX_LOCKS_LAST && last >= INDEX_LOCKS_FIRST
                           : is_of(l, file) && strcmp(l->mode, "WRITE") == 0;
}

int store_holder(const char *path)
{
    cleanup_fclose FILE *locks = NULL;
    char index_path[4096], line[256];
    struct stat file, index;
    struct lock l;

    // Looked at by name: to open and close them would let go our own locks.
    snprintf(index_path, sizeof(index_path), "%s-shm", path);
    if (stat(path, &file) < 0)
        return 0;
    if (stat(index_path, &index) < 0)
        index = (struct stat){0}; // there is no log yet
    locks = fopen("/proc/locks", "re");
    while (locks && fgets(line, sizeof(line), locks))
        if (parse(line, &l) && keeps_busy(&l, &file, &index))
            return l.pid;
    return 0;
}

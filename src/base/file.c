// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include "base/cleanup.h"
#include "base/parse.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

// SQLite has locks of its own, at 1 GiB of its files: far behind them.
#define LOCKED_BYTE        ((off_t)1 << 62)
#define FIELD_SEARCH_BYTES 16384 // the first CPU's part of /proc/cpuinfo is below 4 KiB

int file_read(const char *root, const char *path, char *ret, size_t size)
{
    char full[PATH_MAX];
    cleanup_close int fd = -1;
    ssize_t n;

    if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
        return -ENAMETOOLONG;
    fd = open(full, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    n = read(fd, ret, size - 1);
    if (n < 0)
        return -errno;
    if (n > 0 && ret[n - 1] == '\n')
        n--;
    ret[n] = '\0';
    return (int)n;
}

int file_lock(int fd)
{
    // flock(2) is for everybody who may read the file, and a read lock for them, too.
    struct flock writers = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LOCKED_BYTE, .l_len = 1};

    if (fcntl(fd, F_OFD_SETLK, &writers) == 0 || (errno != EAGAIN && errno != EACCES))
        return 0;
    return fcntl(fd, F_OFD_GETLK, &writers) == 0 && writers.l_type == F_WRLCK ? -EBUSY : 0;
}

// Takes the descriptor, whose file nobody else may be writing.
static int claim(int fd)
{
    struct stat st;
    int r = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;

    if (r == 0 && S_ISREG(st.st_mode)) {
        r = file_lock(fd);
        if (r == 0 && ftruncate(fd, 0) < 0)
            r = -errno;
    }
    if (r == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return r;
}

int file_create(const char *path)
{
    // What is there is looked at first, and then opened by its descriptor: it cannot be exchanged
    // in between.
    cleanup_close int there = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    char reopen[64];
    struct stat st;

    if (there < 0 && errno == ENOENT)
        return claim(open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (there < 0 || fstat(there, &st) < 0)
        return -errno;
    if (S_ISLNK(st.st_mode))
        return -ELOOP;
    if (S_ISDIR(st.st_mode))
        return -EISDIR;
    if (!S_ISCHR(st.st_mode) && (st.st_uid != geteuid() || st.st_nlink > 1))
        return -EPERM;
    snprintf(reopen, sizeof(reopen), "/proc/self/fd/%d", there);
    return claim(open(reopen, O_WRONLY | O_CLOEXEC | O_NOCTTY));
}

int file_read_long(const char *root, const char *path, long *ret)
{
    char text[64], *end;
    long value;
    int r = file_read(root, path, text, sizeof(text));

    if (r < 0)
        return r;
    errno = 0;
    value = strtol(text, &end, 10);
    if (end == text || *end || errno)
        return -EINVAL;
    *ret = value;
    return 0;
}

int file_read_cpus(const char *root, const char *which, int **ret_cpus, size_t *ret_n)
{
    char path[128], text[8192];
    int r;

    snprintf(path, sizeof(path), "/sys/devices/system/cpu/%s", which);
    r = file_read(root, path, text, sizeof(text));
    return r < 0 ? r : parse_cpu_list(text, ret_cpus, ret_n);
}

void file_read_field(const char *root, const char *path, const char *key, char *ret, size_t size)
{
    cleanup_free char *text = malloc(FIELD_SEARCH_BYTES);
    size_t key_length = strlen(key);

    ret[0] = '\0';
    if (!text || file_read(root, path, text, FIELD_SEARCH_BYTES) < 0)
        return;
    for (char *line = text; line; line = strchr(line, '\n')) {
        char *value;

        line += *line == '\n';
        if (strncmp(line, key, key_length) != 0)
            continue;
        value = line + key_length + strspn(line + key_length, " \t");
        if (*value != ':')
            continue;
        value += 1 + strspn(value + 1, " \t");
        snprintf(ret, size, "%.*s", (int)strcspn(value, "\n"), value);
        return;
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void file_names_free(char **names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(names[i]);
    free(names);
}

static int read_names(DIR *folder, char ***names, size_t *n)
{
    size_t room = 0;
    const struct dirent *entry;

    while (*n < FILE_NAMES_MAX && (entry = readdir(folder))) {
        if (entry->d_name[0] == '.')
            continue;
        if (*n == room) {
            size_t more = room ? 2 * room : 32;
            char **grown = reallocarray(*names, more, sizeof(*grown));

            if (!grown)
                return -ENOMEM;
            *names = grown;
            room = more;
        }
        (*names)[*n] = strdup(entry->d_name);
        if (!(*names)[*n])
            return -ENOMEM;
        ++*n;
    }
    return 0;
}

int file_names(const char *root, const char *path, char ***ret_names, size_t *ret_n)
{
    char full[PATH_MAX], **names = NULL;
    size_t n = 0;
    DIR *folder;
    int r;

    if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
        return -ENAMETOOLONG;
    folder = opendir(full);
    if (!folder)
        return -errno;
    r = read_names(folder, &names, &n);
    closedir(folder);
    if (r < 0) {
        file_names_free(names, n);
        return r;
    }
    if (n)
        qsort(names, n, sizeof(*names), compare_names);
    *ret_names = names;
    *ret_n = n;
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
// Small files of the kernel's, under a root that tests replace: root "" is the machine's own,
// "fixtures/x" a copy of some other's /proc and /sys.
#pragma once

#include <stddef.h>

// Reads at most size − 1 bytes of root/path into `ret`, terminates them and cuts a trailing
// newline. Returns the length, or -errno (`ret` is then untouched).
int file_read(const char *root, const char *path, char *ret, size_t size);
// Opens `path` for writing, emptied or made anew, in such a way that nobody else's file is written
// through, as root in /tmp: a symbolic link is not followed (-ELOOP), and an existing file or FIFO
// must be this user's (-EPERM); a device may be anybody's. A file is locked with file_lock() for as
// long as the descriptor is open, which tells readers that it grows; one that another writer has
// locked stays as it is (-EBUSY). A descriptor (close-on-exec), or -errno. Waits for the reader of
// a FIFO.
int file_create(const char *path);

// Makes `fd`, open for writing, the descriptor of the one who writes the file, until it is closed.
// 0, or -EBUSY: another one writes it, who also may. What others have locked who may only read it
// keeps nobody from writing: no lock is held then, as where the file system has none.
int file_lock(int fd);

// The whole number in such a file. 0 or -errno (-EINVAL when it is not one).
int file_read_long(const char *root, const char *path, long *ret);
// The CPUs of /sys/devices/system/cpu/<which> ("possible", "online"): see parse_cpu_list().
int file_read_cpus(const char *root, const char *which, int **ret_cpus, size_t *ret_n);
// The value of the first "key : value" line of root/path (as in /proc/cpuinfo), "" when there is
// none.
void file_read_field(const char *root, const char *path, const char *key, char *ret, size_t size);
// The names in the folder root/path, in the order of their bytes, without those that begin with a
// dot, and at most FILE_NAMES_MAX of them. 0 or -errno; `ret_names` is to be freed with
// file_names_free().
int file_names(const char *root, const char *path, char ***ret_names, size_t *ret_n);
void file_names_free(char **names, size_t n);

#define FILE_NAMES_MAX 65536 // a kernel has some thousand tracepoints

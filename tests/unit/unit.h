// SPDX-License-Identifier: Apache-2.0
// What unit tests share: cmocka and the headers that it wants first, near numbers, a scratch
// folder, the fixtures.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

// cmocka's own skip() gives no reason; test.sh shows lines of this form.
#define skip_because(why)                                                                          \
    do {                                                                                           \
        printf("# SKIP because %s\n", why);                                                        \
        skip();                                                                                    \
    } while (0)

// Equal but for the last bits of a double.
#define assert_near(a, b)                                                                          \
    do {                                                                                           \
        double a_ = (a), b_ = (b);                                                                 \
        if (!(fabs(a_ - b_) <= 1e-9 * fmax(1, fabs(b_))))                                          \
            fail_msg("%s is %.17g, not %.17g", #a, a_, b_);                                        \
    } while (0)

#define assert_nan(a)                                                                              \
    do {                                                                                           \
        double a_ = (a);                                                                           \
        if (!isnan(a_))                                                                            \
            fail_msg("%s is %.17g, and should have no value", #a, a_);                             \
    } while (0)

#define assert_contains(text, part)                                                                \
    do {                                                                                           \
        if (!strstr((text), (part)))                                                               \
            fail_msg("\"%s\" does not say \"%s\"", (text), (part));                                \
    } while (0)

// What a buf holds, as a text.
#define assert_buf(b, expected)                                                                    \
    do {                                                                                           \
        char *text_ = strndup((b)->data ? (b)->data : "", (b)->size);                              \
        if (!text_ || strcmp(text_, (expected)) != 0)                                              \
            fail_msg("\"%s\" should be \"%s\"", text_, (expected));                                \
        free(text_);                                                                               \
    } while (0)

// tests/fixtures/<name>: beside this folder, wherever the test was compiled from.
static inline const char *fixture(const char *name)
{
    static char path[1024];
    const char *set = getenv("CYCLESCOPE_FIXTURES");
    const char *slash = strrchr(__FILE__, '/');

    if (set)
        snprintf(path, sizeof(path), "%s/%s", set, name);
    else
        snprintf(path, sizeof(path), "%.*s/../fixtures/%s", slash ? (int)(slash - __FILE__) : 1,
                 slash ? __FILE__ : ".", name);
    return path;
}

// A folder of this test's own, "" in front of a relative path; scratch_done() removes it.
static inline void scratch_init(char ret[64])
{
    snprintf(ret, 64, "/tmp/cyclescope-unit-XXXXXX");
    assert_non_null(mkdtemp(ret));
}

static inline int scratch_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void scratch_done(const char *path)
{
    nftw(path, scratch_remove, 8, FTW_DEPTH | FTW_PHYS);
}

// Writes root/path anew (same inode where it is there), making its folders.
static inline void scratch_write(const char *root, const char *path, const char *text)
{
    char full[256];
    int fd;

    snprintf(full, sizeof(full), "%s/%s", root, path);
    for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')); *p++ = '/') {
        *p = '\0';
        mkdir(full, 0755);
    }
    fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

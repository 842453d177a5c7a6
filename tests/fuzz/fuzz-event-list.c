// SPDX-License-Identifier: Apache-2.0
// libFuzzer target for -e and for what the kernel's files say: the input's first line is the text
// of -e, the further ones become the files of a PMU (type, cpumask, a format, an event, its scale
// and unit). Built and run by tests/fuzz/fuzz-event-list.sh, in a folder of its own.
#include "collect/event_list.h"
#include "collect/pmu.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const files[] = {"type",     "cpumask",        "format/f",
                                    "events/e", "events/e.scale", "events/e.unit"};
#define N_FILES    (sizeof(files) / sizeof(files[0]))
#define FOLDER     "./sys/bus/event_source/devices/p"
#define TEXT_BYTES 4096

static void check(bool good)
{
    if (!good)
        abort();
}

static void make_folders(void)
{
    static const char *const folders[] = {
        "sys",  "sys/bus",        "sys/bus/event_source", "sys/bus/event_source/devices",
        FOLDER, FOLDER "/format", FOLDER "/events"};
    static bool made;

    for (size_t i = 0; !made && i < sizeof(folders) / sizeof(folders[0]); i++)
        mkdir(folders[i], 0755);
    made = true;
}

static void write_file(const char *name, const uint8_t *data, size_t size)
{
    char path[256];
    int fd;

    snprintf(path, sizeof(path), FOLDER "/%s", name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    check(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    close(fd);
}

static void check_list(const struct event_list *l)
{
    check(l->n > 0 && l->n <= EVENT_LIST_MAX && l->n_groups > 0);
    for (size_t i = 0; i < l->n; i++) {
        const struct event_request *r = &l->requests[i];

        check(r->name[0] && strnlen(r->name, EVENT_NAME_MAX) < EVENT_NAME_MAX);
        check(strnlen(r->unit, EVENT_UNIT_MAX) < EVENT_UNIT_MAX && r->scale > 0);
        check(r->group >= 0 && r->group < l->n_groups && (r->n_cpus > 0) == (r->cpus != NULL));
        check(r->attr.sample_period == 0 && r->attr.size == sizeof(r->attr));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[TEXT_BYTES], message[EVENT_REASON_MAX];
    struct event_list l = {0};
    size_t length;
    int r;

    make_folders();
    length = size && memchr(data, '\n', size)
                 ? (size_t)((const uint8_t *)memchr(data, '\n', size) - data)
                 : size;
    if (length >= sizeof(text))
        return 0;
    memcpy(text, data, length);
    text[length] = '\0';
    for (size_t i = 0; i < N_FILES; i++) {
        const uint8_t *end;

        length += length < size;
        data += length;
        size -= length;
        end = size ? memchr(data, '\n', size) : NULL;
        length = end ? (size_t)(end - data) : size;
        write_file(files[i], data, length);
    }
    memset(message, 'x', sizeof(message));
    r = event_list_parse(".", text, &l, message);
    check(r <= 0 && strnlen(message, sizeof(message)) < sizeof(message));
    if (r == 0)
        check_list(&l);
    else
        check(message[0] && !l.requests);
    event_list_done(&l);
    return 0;
}

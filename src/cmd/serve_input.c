// SPDX-License-Identifier: Apache-2.0
#include "cmd/serve_input.h"

#include "base/sandbox.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES 65536 // a pipe's capacity

// A CSV: INPUT, or, without one, the bridge. Takes `fd`.
static int open_csv(const char *path, int fd, const struct options *o, struct session *session,
                    struct input *ret)
{
    const struct ingest_config config = {.rows = HISTORY_ROWS_MAX, .memory = o->memory};
    struct input i = INPUT_NONE;
    struct csv_door *door = NULL;

    i.session = session;
    i.name = path;
    i.wait_ms = 0;
    i.needs = SANDBOX_OPEN_READ;
    snprintf(session->input_kind, sizeof(session->input_kind), "csv");
    text_copy(session->input_text, sizeof(session->input_text), path);
    snprintf(session->target_kind, sizeof(session->target_kind), "system");
    text_copy(session->target_text, sizeof(session->target_text), "what the CSV tells of");
    // Who is not root stays who they are, and needs none.
    if (fd >= 0 && geteuid() == 0)
        door = csv_door_open(path, fd);
    if (csv_follow_open(path, fd, door, session, &config, &i.csv) < 0) {
        csv_door_close(door);
        say("%s: out of memory", path);
        return EXIT_FAILED;
    }
    *ret = i;
    return 0;
}

// A file: takes the input's descriptor.
static int open_recording(struct input *i)
{
    int fd = i->fd;

    snprintf(i->session->input_kind, sizeof(i->session->input_kind), "recording");
    text_copy(i->session->input_text, sizeof(i->session->input_text), i->name);
    if (recording_follow_open(fd, i->name, &i->recording) < 0) {
        say("%s: out of memory", i->name);
        return EXIT_FAILED;
    }
    i->begin = recording_birth(fd);
    i->fd = recording_follow_fd(i->recording);
    i->wait_ms = 0;
    return 0;
}

int input_open(const struct options *o, struct session *session, struct input *ret)
{
    struct input i = INPUT_NONE;
    struct stat st;
    int status;
    int r;

    if (o->n_operands > 1) {
        say("serve takes one INPUT");
        return EXIT_USAGE;
    }
    if (o->n_operands == 0)
        return open_csv(o->csv, -1, o, session, ret);
    i.session = session;
    i.name = o->operands[0];
    if (strcmp(i.name, "-") == 0) {
        if (isatty(STDIN_FILENO)) {
            say("serve -: standard input is a terminal; pipe a stream into it: `cyclescope collect "
                "-o - | "
                "cyclescope serve -`");
            return EXIT_USAGE;
        }
        i.name = "the stream";
        i.fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    } else {
        i.fd = open(i.name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    }
    *ret = i;
    r = i.fd < 0 || fstat(i.fd, &st) < 0 ? errno : S_ISDIR(st.st_mode) ? EISDIR : 0;
    if (r != 0) {
        say("%s: %s; INPUT is a recording, a CSV, or - for a stream", i.name, strerror(r));
        return EXIT_FAILED;
    }
    if (S_ISREG(st.st_mode)) {
        // What it is, its first bytes say: names lie.
        if (o->operands[0] == i.name && !csv_follow_is_recording(i.fd))
            return open_csv(i.name, i.fd, o, session, ret);
        status = open_recording(&i);
        *ret = i;
        return status;
    }
    snprintf(session->input_kind, sizeof(session->input_kind), "live");
    snprintf(session->input_text, sizeof(session->input_text), "this machine");
    return 0;
}

void input_close(struct input *i)
{
    if (i->fd >= 0 && !i->recording)
        close(i->fd);
    recording_follow_close(i->recording);
    i->recording = NULL;
    i->fd = -1;
    i->wait_ms = -1;
    csv_follow_close(i->csv);
    i->csv = NULL;
}

// True when there is something to go on showing.
static bool end_input(struct input *i, struct ingest *ingest, const char *why)
{
    struct session *s = i->session;
    bool history;

    if (why)
        ingest_end_because(ingest, why);
    else
        ingest_end(ingest);
    history = s->history != NULL; // its last intervals came with the end
    input_close(i);
    if (s->state == SESSION_FAILED)
        say("%s: %s%s", i->name, s->reason, history ? "; what came before stays on the page" : "");
    else if (history)
        say("%s; its history stays on the page until Ctrl-C", s->reason);
    else
        say("%s: it held no interval", i->name);
    return history;
}

static bool take_recording(struct input *i, struct ingest *ingest)
{
    const char *why;

    if (recording_follow_take(i->recording, ingest, &i->wait_ms, &why))
        return true;
    return end_input(i, ingest, why);
}

static bool take_stream(struct input *i, struct ingest *ingest)
{
    static char bytes[READ_BYTES];
    ssize_t n = read(i->fd, bytes, sizeof(bytes));

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n > 0 && ingest_feed(ingest, bytes, (size_t)n) == 0)
        return true;
    return end_input(i, ingest, NULL);
}

bool input_take(struct input *i, struct ingest *ingest)
{
    if (i->csv)
        return csv_follow_take(i->csv, &i->wait_ms);
    if (i->recording)
        return take_recording(i, ingest);
    return i->fd < 0 || take_stream(i, ingest);
}

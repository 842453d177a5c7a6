// SPDX-License-Identifier: Apache-2.0
// What `serve` shows: its INPUT, opened while there are still privileges, read when there are none.
#pragma once

#include "cmd/options.h"
#include "cmd/serve_csv.h"
#include "cmd/serve_recording.h"
#include "history/ingest.h"

struct input {
    const char *name; // for messages
    int fd;           // readable when there is something to take; -1: nothing comes any more
    int wait_ms;      // take it after this long at the latest, though fd is silent; -1: never
    struct session *session;
    struct csv_follow *csv;             // a CSV file. Owned
    struct recording_follow *recording; // a recording; with neither it is a stream. Owned
    ns_t begin;                         // of ingest_config
    unsigned needs;                     // of the sandbox: an enum sandbox_needs
};

#define INPUT_NONE ((struct input){.fd = -1, .wait_ms = -1})

// Opens what the operands name and tells the session its kind. 0, or an exit status after saying
// what is wrong. `session` and the options outlive it.
int input_open(const struct options *o, struct session *session, struct input *ret);
void input_close(struct input *i);
// Hands what is there to `ingest`; at its end says why. False: it held nothing that could be shown.
bool input_take(struct input *i, struct ingest *ingest);

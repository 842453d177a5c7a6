// SPDX-License-Identifier: Apache-2.0
// Where the bytes of an answer come from that is made piece by piece: a long table, or a stream of
// events.
#pragma once

#include "base/buf.h"

enum web_next {
    WEB_NEXT_MORE, // call again as soon as these bytes are sent
    WEB_NEXT_WAIT, // nothing further until web_server_wake()
    WEB_NEXT_END,  // these were the last bytes
};

// `next` appends one piece (which is all that a slow client makes us hold) to the empty `out`; none
// is fine. Called in the http thread only, so sources of one server share data without a lock.
// `free` may be NULL.
struct web_source {
    enum web_next (*next)(void *context, struct buf *out);
    void (*free)(void *context);
    void *context;
};

// SPDX-License-Identifier: Apache-2.0
#include "web/page.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

// `"…"`, made of the page's bytes (FNV-1a), and of the form they are sent in, so that a new build
// is fetched again.
static void etag(const unsigned char *bytes, size_t size, char ret[24])
{
    uint64_t hash = 0xcbf29ce484222325;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3;
    snprintf(ret, 24, "\"%016llx\"", (unsigned long long)hash);
}

// Does "gzip, deflate;q=0.5" accept gzip? A weight of 0 is a refusal.
static bool accepts_gzip(const char *header)
{
    while (header && *header) {
        size_t item = strcspn(header, ",");
        size_t name;

        header += strspn(header, " \t");
        item = strcspn(header, ",");
        name = strcspn(header, " \t;,");
        if (name == 4 && strncasecmp(header, "gzip", 4) == 0) {
            const char *q = memmem(header, item, "q=", 2);

            return !q || strspn(q + 2, "0.") < strcspn(q + 2, " \t,;");
        }
        header += item + (header[item] == ',');
    }
    return false;
}

int page_handle(const struct web_request *q, void *context, struct web_reply **ret)
{
    static char tags[2][24]; // of the plain and the compressed form; http thread only
    bool gzip = accepts_gzip(web_request_header(q, "Accept-Encoding"));
    const char *known = web_request_header(q, "If-None-Match");
    struct web_reply *reply;
    bool same;
    int r;

    (void)context;
    if (!tags[gzip][0])
        etag(gzip ? page_html_gz : page_html, gzip ? page_html_gz_size : page_html_size,
             tags[gzip]);
    same = known && strstr(known, tags[gzip]);
    if (same)
        reply = web_reply_static(304, "text/html; charset=utf-8", "", 0);
    else
        reply = web_reply_static(200, "text/html; charset=utf-8", gzip ? page_html_gz : page_html,
                                 gzip ? page_html_gz_size : page_html_size);
    if (!reply)
        return -ENOMEM;
    r = web_reply_header(reply, "ETag", tags[gzip]);
    if (r == 0)
        r = web_reply_header(reply, "Vary", "Accept-Encoding");
    if (r == 0)
        r = web_reply_header(reply, "Cache-Control", "no-cache"); // ask again each time, by the tag
    // The page's own policy is in the document; framing can be forbidden by a header only.
    if (r == 0)
        r = web_reply_header(reply, "Content-Security-Policy", "frame-ancestors 'none'");
    if (r == 0)
        r = web_reply_header(reply, "X-Frame-Options", "DENY");
    if (r == 0 && gzip && !same)
        r = web_reply_header(reply, "Content-Encoding", "gzip");
    if (r < 0) {
        web_reply_unref(reply);
        return r;
    }
    *ret = reply;
    return 0;
}

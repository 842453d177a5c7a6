// SPDX-License-Identifier: Apache-2.0
#include "web/request.h"

#include "web/listen.h"

#include <string.h>
#include <strings.h>

const char *web_request_argument(const struct web_request *q, const char *name)
{
    const char *value = NULL;
    size_t size;

    if (mhd.lookup_connection_value_n(q->connection, MHD_GET_ARGUMENT_KIND, name, strlen(name),
                                      &value, &size) != MHD_YES)
        return NULL;
    return value ? value : ""; // "?a" without "=" has no value
}

const char *web_request_header(const struct web_request *q, const char *name)
{
    return mhd.lookup_connection_value(q->connection, MHD_HEADER_KIND, name);
}

static enum MHD_Result count_host(void *context, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    (void)kind;
    (void)value;
    *(int *)context += strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0;
    return MHD_YES;
}

static bool is_our_host(const struct access *access, const char *host)
{
    for (size_t i = 0; i < access->n_hosts; i++)
        if (host_is(host, access->hosts[i]))
            return true;
    return false;
}

// A page's own requests name the host that it came from; with another port it is another site.
static bool is_own_origin(const char *origin, const char *host)
{
    const char *after = strstr(origin, "://");

    return after && strcasecmp(after + 3, host) == 0;
}

// Looks at every byte of `given`, so that the time taken does not tell how much was right.
static bool token_equal(const char *token, const char *given)
{
    size_t size = strlen(token), given_size = strlen(given);
    unsigned char difference = size != given_size;

    for (size_t i = 0; i < given_size; i++)
        difference |= (unsigned char)(given[i] ^ (i < size ? token[i] : 0));
    return difference == 0;
}

static bool is_authorized(const struct web_request *q, const char *token)
{
    static const char scheme[] = "Bearer ";
    const char *given = web_request_header(q, MHD_HTTP_HEADER_AUTHORIZATION);

    if (!given || strncasecmp(given, scheme, sizeof(scheme) - 1) != 0)
        return false;
    given += sizeof(scheme) - 1;
    given += strspn(given, " ");
    return token_equal(token, given);
}

bool request_has_body(struct MHD_Connection *connection)
{
    const char *length =
        mhd.lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

    return mhd.lookup_connection_value(connection, MHD_HEADER_KIND,
                                       MHD_HTTP_HEADER_TRANSFER_ENCODING) ||
           (length && length[strspn(length, "0 ")]);
}

static bool refuse(struct web_reply **ret, unsigned status, const char *code, const char *message)
{
    *ret = web_reply_error(status, code, message);
    return *ret;
}

static bool refuse_with(struct web_reply **ret, unsigned status, const char *code,
                        const char *message, const char *header, const char *value)
{
    if (!refuse(ret, status, code, message))
        return false;
    if (web_reply_header(*ret, header, value) == 0)
        return true;
    web_reply_unref(*ret);
    *ret = NULL;
    return false;
}

bool request_check(const struct web_request *q, const struct access *access,
                   const struct web_route *route, struct web_reply **ret)
{
    const char *host = web_request_header(q, MHD_HTTP_HEADER_HOST);
    const char *origin = web_request_header(q, MHD_HTTP_HEADER_ORIGIN);
    const char *site = web_request_header(q, "Sec-Fetch-Site");
    bool page = route && route->flags & WEB_PAGE;
    int hosts = 0;

    *ret = NULL;
    if (q->target_size > WEB_TARGET_MAX)
        return refuse_with(ret, MHD_HTTP_URI_TOO_LONG, "target_too_long",
                           "the path and query are longer than 4096 bytes",
                           MHD_HTTP_HEADER_CONNECTION, "close");
    if (q->target_bad)
        return refuse(ret, MHD_HTTP_BAD_REQUEST, "bad_target", "the target holds a NUL byte");
    mhd.get_connection_values(q->connection, MHD_HEADER_KIND, count_host, &hosts);
    if (hosts != 1 || !host || !host_length(host))
        return refuse(ret, MHD_HTTP_BAD_REQUEST, "bad_host", "one Host header is needed");
    // A foreign name that resolves to this machine (DNS rebinding) would make us part of that site.
    if (!is_our_host(access, host))
        return refuse(ret, MHD_HTTP_MISDIRECTED_REQUEST, "wrong_host",
                      "this Host name is not ours; --allow-host NAME lets it in");
    if (strcmp(q->method, MHD_HTTP_METHOD_GET) != 0 && strcmp(q->method, MHD_HTTP_METHOD_HEAD) != 0)
        return refuse_with(ret, MHD_HTTP_METHOD_NOT_ALLOWED, "method_not_allowed",
                           "only GET and HEAD are answered", MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    if (request_has_body(q->connection))
        return refuse_with(ret, MHD_HTTP_CONTENT_TOO_LARGE, "body", "requests have no body here",
                           MHD_HTTP_HEADER_CONNECTION, "close");
    if (!page && origin && !is_own_origin(origin, host))
        return refuse(ret, MHD_HTTP_FORBIDDEN, "cross_site", "another site may not ask");
    if (!page && site && strcasecmp(site, "same-origin") != 0 && strcasecmp(site, "none") != 0)
        return refuse(ret, MHD_HTTP_FORBIDDEN, "cross_site", "another site may not ask");
    if (access->token && !(route && route->flags & WEB_PUBLIC) && !is_authorized(q, access->token))
        return refuse_with(ret, MHD_HTTP_UNAUTHORIZED, "unauthorized",
                           "an Authorization: Bearer header with the token is needed",
                           MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
    if (!route)
        return refuse(ret, MHD_HTTP_NOT_FOUND, "not_found", "there is nothing at this path");
    return true;
}

// SPDX-License-Identifier: Apache-2.0
#include "web/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int limits_init(struct limits *l, size_t max, ns_t head_deadline)
{
    struct limits_entry *entries = calloc(max + WEB_CONNECTIONS_SPARE, sizeof(*entries));
    int r;

    if (!entries)
        return -ENOMEM;
    r = pthread_mutex_init(&l->lock, NULL);
    if (r) {
        free(entries);
        return -r;
    }
    l->entries = entries;
    l->capacity = max + WEB_CONNECTIONS_SPARE;
    l->max = max;
    l->n = 0;
    l->head_deadline = head_deadline;
    for (size_t i = 0; i < l->capacity; i++)
        entries[i].fd = -1;
    return 0;
}

void limits_done(struct limits *l)
{
    if (!l->entries)
        return;
    pthread_mutex_destroy(&l->lock);
    free(l->entries);
    l->entries = NULL;
}

// An IPv4 address as IPv6 maps it; all zero for other families.
static struct in6_addr mapped_address(const struct sockaddr *peer)
{
    struct in6_addr address = {0};

    if (peer && peer->sa_family == AF_INET6) {
        struct sockaddr_in6 six;

        memcpy(&six, peer, sizeof(six));
        return six.sin6_addr;
    }
    if (peer && peer->sa_family == AF_INET) {
        struct sockaddr_in four;

        memcpy(&four, peer, sizeof(four));
        address.s6_addr[10] = 0xff;
        address.s6_addr[11] = 0xff;
        memcpy(&address.s6_addr[12], &four.sin_addr, 4);
    }
    return address;
}

static bool is_loopback(const struct in6_addr *a)
{
    return IN6_IS_ADDR_LOOPBACK(a) || (IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr[12] == 127);
}

struct limits_entry *limits_enter(struct limits *l, int fd, const struct sockaddr *peer, ns_t now)
{
    struct in6_addr address = mapped_address(peer);
    struct limits_entry *e = NULL;
    size_t of_address = 0;

    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < l->capacity; i++) {
        if (l->entries[i].fd < 0) {
            if (!e)
                e = &l->entries[i];
        } else if (IN6_ARE_ADDR_EQUAL(&l->entries[i].address, &address)) {
            of_address++;
        }
    }
    if (e) {
        *e = (struct limits_entry){.fd = fd, .since = now, .address = address};
        e->loopback = is_loopback(&address);
        if (l->n++ >= l->max)
            e->verdict = LIMITS_TOO_MANY;
        else if (!e->loopback && of_address >= WEB_PER_ADDRESS_MAX)
            e->verdict = LIMITS_TOO_MANY_OF_ADDRESS;
    }
    pthread_mutex_unlock(&l->lock);
    return e;
}

void limits_leave(struct limits *l, struct limits_entry *e)
{
    if (!e)
        return;
    pthread_mutex_lock(&l->lock);
    e->fd = -1;
    l->n--;
    pthread_mutex_unlock(&l->lock);
}

void limits_set_phase(struct limits *l, struct limits_entry *e, enum limits_phase phase, ns_t now)
{
    pthread_mutex_lock(&l->lock);
    e->phase = phase;
    e->since = now;
    pthread_mutex_unlock(&l->lock);
}

static ns_t deadline(const struct limits *l, const struct limits_entry *e)
{
    switch (e->phase) {
    case LIMITS_HEAD:
        return e->since + l->head_deadline;
    case LIMITS_IDLE: // libmicrohttpd ends it when it stays silent; this ends it when it trickles
        return e->since + WEB_IDLE_SECONDS * NS_PER_SEC + l->head_deadline;
    case LIMITS_REPLY:
        return e->since + WEB_REPLY_DEADLINE;
    case LIMITS_STREAM:
        break;
    }
    return INT64_MAX;
}

size_t limits_sweep(struct limits *l, ns_t now)
{
    size_t n;

    pthread_mutex_lock(&l->lock);
    n = l->n;
    for (size_t i = 0, seen = 0; i < l->capacity && seen < n; i++) {
        struct limits_entry *e = &l->entries[i];

        if (e->fd < 0)
            continue;
        seen++;
        // The http thread sees the end of file and closes.
        if (now >= deadline(l, e))
            shutdown(e->fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&l->lock);
    return n;
}

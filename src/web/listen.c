// SPDX-License-Identifier: Apache-2.0
#include "web/listen.h"

#include "base/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define BACKLOG 512 // what may connect between two turns of the front thread

static int parse_port(const char *text, in_port_t *ret)
{
    unsigned port = 0;

    if (!*text || strlen(text) > 5)
        return -EINVAL;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return -EINVAL;
        port = port * 10 + (unsigned)(*text - '0');
    }
    if (port > UINT16_MAX)
        return -EINVAL;
    *ret = htons((uint16_t)port);
    return 0;
}

int listen_parse(const char *text, struct sockaddr_storage *ret, socklen_t *ret_size)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    struct sockaddr_in four = {.sin_family = AF_INET};
    const char *colon = strrchr(text, ':');
    char host[INET6_ADDRSTRLEN];
    size_t length;
    bool brackets;

    if (!colon || colon == text)
        return -EINVAL;
    brackets = text[0] == '[' && colon[-1] == ']';
    length = (size_t)(colon - text) - 2 * brackets;
    if (length >= sizeof(host))
        return -EINVAL;
    memcpy(host, text + brackets, length);
    host[length] = '\0';
    if (brackets) {
        if (inet_pton(AF_INET6, host, &six.sin6_addr) != 1 ||
            parse_port(colon + 1, &six.sin6_port) < 0)
            return -EINVAL;
        memcpy(ret, &six, sizeof(six));
        *ret_size = sizeof(six);
        return 0;
    }
    if (strcmp(host, "localhost") == 0)
        four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else if (inet_pton(AF_INET, host, &four.sin_addr) != 1)
        return -EINVAL;
    if (parse_port(colon + 1, &four.sin_port) < 0)
        return -EINVAL;
    memcpy(ret, &four, sizeof(four));
    *ret_size = sizeof(four);
    return 0;
}

// The IPv4 or IPv6 address, network order; its size in *ret_size.
static const void *address_bytes(const struct sockaddr_storage *a, size_t *ret_size)
{
    if (a->ss_family == AF_INET) {
        *ret_size = sizeof(struct in_addr);
        return (const char *)a + offsetof(struct sockaddr_in, sin_addr);
    }
    *ret_size = sizeof(struct in6_addr);
    return (const char *)a + offsetof(struct sockaddr_in6, sin6_addr);
}

bool listen_is_loopback(const struct sockaddr_storage *a)
{
    size_t size;
    const void *bytes = address_bytes(a, &size);

    if (a->ss_family == AF_INET)
        return *(const unsigned char *)bytes == 127;
    return memcmp(bytes, &in6addr_loopback, size) == 0;
}

bool listen_is_any(const struct sockaddr_storage *a)
{
    size_t size;
    const void *bytes = address_bytes(a, &size);

    return memcmp(bytes, &in6addr_any, size) == 0;
}

// Not listening yet.
static int bind_socket(const struct sockaddr_storage *address, socklen_t size)
{
    cleanup_close int fd =
        socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
    const int on = 1;

    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
        return -errno;
    if (address->ss_family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
        return -errno;
    if (bind(fd, (const struct sockaddr *)address, size) < 0)
        return -errno;
    return take_fd(&fd);
}

int listen_open(const struct sockaddr_storage *address, socklen_t size)
{
    cleanup_close int fd = bind_socket(address, size);

    if (fd < 0)
        return fd;
    if (listen(fd, BACKLOG) < 0)
        return -errno;
    return take_fd(&fd);
}

int listen_reserve(const char *text, char *ret, size_t size)
{
    const char *port = strrchr(text, ':');
    struct sockaddr_storage address;
    socklen_t address_size;
    int r = listen_parse(text, &address, &address_size);

    if (r < 0 || port[1 + strspn(port + 1, "0")])
        return r < 0 ? r : -EEXIST;
    cleanup_close int fd = bind_socket(&address, address_size);

    r = fd < 0 ? fd : listen_name(fd, ret, size);
    return r < 0 ? r : take_fd(&fd);
}

int listen_name(int fd, char *ret, size_t size)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof(address);
    char host[INET6_ADDRSTRLEN];
    size_t unused;
    in_port_t port;
    int n;

    if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        return -errno;
    if (!inet_ntop(address.ss_family, address_bytes(&address, &unused), host, sizeof(host)))
        return -errno;
    memcpy(&port, (const char *)&address + offsetof(struct sockaddr_in, sin_port), sizeof(port));
    n = snprintf(ret, size, address.ss_family == AF_INET6 ? "[%s]:%u" : "%s:%u", host, ntohs(port));
    return n > 0 && (size_t)n < size ? 0 : -ENAMETOOLONG;
}

size_t host_length(const char *text)
{
    size_t length = *text == '[' ? strcspn(text, "]") + 1 : strcspn(text, ":");
    in_port_t port;

    if (*text == '[' && text[length - 1] != ']')
        return 0;
    if (text[length] == '\0' || (text[length] == ':' && parse_port(text + length + 1, &port) == 0))
        return length;
    return 0;
}

bool host_is(const char *text, const char *name)
{
    size_t length = host_length(text);

    return length && strlen(name) == length && strncasecmp(text, name, length) == 0;
}

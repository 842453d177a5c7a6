// SPDX-License-Identifier: Apache-2.0
// Addresses to listen on, and names to be called by.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

// "127.0.0.1:5000" or "[::1]:5000": numeric addresses only, so that nothing asks a name server.
// -EINVAL when not.
int listen_parse(const char *text, struct sockaddr_storage *ret, socklen_t *ret_size);
bool listen_is_loopback(const struct sockaddr_storage *address);
bool listen_is_any(const struct sockaddr_storage *address); // 0.0.0.0, [::]
// A listening socket, non-blocking. The descriptor or -errno.
int listen_open(const struct sockaddr_storage *address, socklen_t size);
// Of an address whose port is 0 ("127.0.0.1:0"): picks one, and holds it without listening, so that
// sockets of listen_open() can have it one after the other, in whichever process, and nobody else
// gets it. `ret`, which holds `size`, is the address with the port. The descriptor or -errno
// (-EEXIST: the port is chosen already).
int listen_reserve(const char *text, char *ret, size_t size);
// The socket's own address as text, "[::1]:5000". `ret` holds `size`. 0 or -errno.
int listen_name(int fd, char *ret, size_t size);

// The length of the host part of "host", "host:port", "[v6]:port", brackets included; 0 when it is
// none of these.
size_t host_length(const char *host_and_port);
// Are these the same host, whatever their ports and letter case? `name` has no port.
bool host_is(const char *host_and_port, const char *name);

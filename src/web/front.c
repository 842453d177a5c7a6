// SPDX-License-Identifier: Apache-2.0
// The front thread: accepts connections, keeps deadlines, wakes streams.
#include "web/server_private.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>

// The kernel's default lets a client that stopped reading bind 2.5 to 4 MB.
#define SEND_BUFFER    65536
#define SWEEP_INTERVAL (NS_PER_SEC / 4)
#define ACCEPT_PAUSE   (NS_PER_SEC / 10) // when descriptors have run out
#define ACCEPT_TURN    64                // connections accepted before streams get their turn
// A connection is counted when the http thread has taken it; sweeps go on for so long after the
// last one came.
#define SWEEP_AFTER (10 * NS_PER_SEC)

// Hands what has connected to the http thread. False when descriptors have run out.
static bool accept_from(struct web_server *s, int listen_fd)
{
    for (int i = 0; i < ACCEPT_TURN; i++) {
        struct sockaddr_storage peer;
        socklen_t size = sizeof(peer);
        const int bytes = SEND_BUFFER;
        int fd = accept4(listen_fd, (struct sockaddr *)&peer, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0)
            return errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM;
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
        // Closes the socket itself when it fails.
        mhd.add_connection(s->daemon, fd, (struct sockaddr *)&peer, size);
    }
    return true;
}

void *front_run(void *server)
{
    struct web_server *s = server;
    struct pollfd fds[LISTEN_MAX + 1];
    ns_t accept_after = 0, sweep_until = 0, next_stream = INT64_MAX, next_sweep = INT64_MAX;

    for (size_t i = 0; i < s->n_listen; i++)
        fds[i] = (struct pollfd){.fd = s->listen_fds[i], .events = POLLIN};
    fds[s->n_listen] = (struct pollfd){.fd = s->wake_fd, .events = POLLIN};

    while (!atomic_load(&s->stopping)) {
        ns_t now = clock_ns(CLOCK_MONOTONIC);
        ns_t until = next_stream < next_sweep ? next_stream : next_sweep;
        bool paused = now < accept_after;
        struct timespec wait;
        eventfd_t count;

        if (paused && accept_after < until)
            until = accept_after;
        until = until > now ? until - now : 0;
        wait = (struct timespec){until / NS_PER_SEC, until % NS_PER_SEC};
        // A paused front looks at its wake descriptor only, which is the last.
        if (ppoll(paused ? fds + s->n_listen : fds, paused ? 1 : s->n_listen + 1, &wait, NULL) <
                0 &&
            errno != EINTR)
            break;
        if (!paused)
            for (size_t i = 0; i < s->n_listen; i++) {
                if (!fds[i].revents)
                    continue;
                now = clock_ns(CLOCK_MONOTONIC);
                sweep_until = now + SWEEP_AFTER;
                if (!accept_from(s, fds[i].fd))
                    accept_after = now + ACCEPT_PAUSE;
            }
        eventfd_read(s->wake_fd, &count);
        now = clock_ns(CLOCK_MONOTONIC);
        next_stream = streams_run(&s->streams, atomic_exchange(&s->news, false), now);
        next_sweep =
            limits_sweep(&s->limits, now) || now < sweep_until ? now + SWEEP_INTERVAL : INT64_MAX;
    }
    return NULL;
}

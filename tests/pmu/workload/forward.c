// SPDX-License-Identifier: Apache-2.0
/*
 * forward FROM TO: passes connections to 0.0.0.0:FROM on to 127.0.0.1:TO. The program under test
 * listens on the guest's loopback only, as its defaults say, and the host comes in through this.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in address(in_addr_t host, const char *port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((unsigned short)atoi(port)),
        .sin_addr.s_addr = htonl(host),
    };
}

/* Copies what is there; false at the end or on an error. */
static int copy(int from, int to)
{
    char buf[65536];
    ssize_t n = read(from, buf, sizeof(buf));

    for (ssize_t done = 0; done < n;) {
        ssize_t m = write(to, buf + done, (size_t)(n - done));

        if (m <= 0)
            return 0;
        done += m;
    }
    return n > 0;
}

/* Both ways, until each side has ended what it sends. */
static void pump(int a, int b)
{
    struct pollfd fds[] = {{.fd = a, .events = POLLIN}, {.fd = b, .events = POLLIN}};

    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        if (poll(fds, 2, -1) < 0)
            return;
        for (int i = 0; i < 2; i++) {
            int to = i == 0 ? b : a;

            if (fds[i].fd < 0 || !fds[i].revents)
                continue;
            if (!copy(fds[i].fd, to)) {
                shutdown(to, SHUT_WR);
                fds[i].fd = -1;
            }
        }
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in from, to;
    int listener, on = 1;

    if (argc != 3)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_IGN); /* the children are not waited for */
    from = address(INADDR_ANY, argv[1]);
    to = address(INADDR_LOOPBACK, argv[2]);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(listener, (struct sockaddr *)&from, sizeof(from)) || listen(listener, 64)) {
        perror("forward");
        return 1;
    }
    for (;;) {
        int client = accept(listener, NULL, NULL);

        if (client < 0)
            continue;
        if (fork() == 0) {
            int server = socket(AF_INET, SOCK_STREAM, 0);

            close(listener);
            if (connect(server, (struct sockaddr *)&to, sizeof(to)) == 0)
                pump(client, server);
            _exit(0);
        }
        close(client);
    }
}

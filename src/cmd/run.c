// SPDX-License-Identifier: Apache-2.0
// `cyclescope` with no command: collector and server, joined by a pipe. This process is the
// collector; the server is a child that it starts, and starts again when it died.
#include "base/cleanup.h"
#include "base/loop.h"
#include "base/process.h"
#include "cmd/consumer.h"
#include "cmd/measure.h"
#include "web/listen.h"
#include "web/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define SERVER_ARGS_MAX (12 + 2 * (OPTIONS_LISTEN_MAX + OPTIONS_HOSTS_MAX))
// A server that dies this often in a row, each time this soon, is not started again.
#define SHORT_LIFE      NS_PER_SEC
#define SHORT_LIVES_MAX 5

struct pair {
    const struct options *options;
    struct measure *measure;
    pid_t server; // 0: none
    int pidfd;
    ns_t started;
    unsigned short_lives;
    int status; // exit status, once the server has ended everything
    // Where the server listens: a port that was picked is that of the next one too.
    char listen[OPTIONS_LISTEN_MAX][WEB_ADDRESS_MAX]; // "": as the option says
    int reserved[OPTIONS_LISTEN_MAX];                 // what holds it
};

enum { ENDED_SERVER = 100 }; // loop result

static void add(const char **argv, size_t *n, const char *option, const char *value)
{
    argv[(*n)++] = option;
    argv[(*n)++] = value;
}

static void reserve_ports(struct pair *p)
{
    const struct options *o = p->options;

    for (size_t i = 0; i < o->n_listen; i++) {
        p->reserved[i] = listen_reserve(o->listen[i], p->listen[i], sizeof(p->listen[i]));
        if (p->reserved[i] < 0)
            p->listen[i][0] = '\0'; // the server says what is wrong with it, if anything is
    }
}

static void release_ports(struct pair *p)
{
    for (size_t i = 0; i < p->options->n_listen; i++)
        if (p->reserved[i] >= 0)
            close(p->reserved[i]);
}

static int spawn(struct pair *p, int input)
{
    const struct options *o = p->options;
    const char *argv[SERVER_ARGS_MAX + 1] = {"cyclescope", "serve"};
    char memory[32], retain[32];
    size_t n = 2;

    snprintf(memory, sizeof(memory), "%zu", o->memory);
    add(argv, &n, "--memory", memory);
    snprintf(retain, sizeof(retain), "%zu", o->retain);
    add(argv, &n, "--retain", retain);
    if (o->history)
        add(argv, &n, "--history", o->history);
    for (size_t i = 0; i < o->n_listen; i++)
        add(argv, &n, "--listen", p->listen[i][0] ? p->listen[i] : o->listen[i]);
    for (size_t i = 0; i < o->n_allow_hosts; i++)
        add(argv, &n, "--allow-host", o->allow_hosts[i]);
    if (o->token_file)
        add(argv, &n, "--token-file", o->token_file);
    argv[n] = "-";
    return process_spawn_self(argv, input, &p->server, &p->pidfd);
}

static int on_server_end(void *context, uint32_t events);

// Starts the server on a new pipe, whose stream begins with a header of its own. 0 or -errno.
static int start_server(struct pair *p)
{
    int ends[2], r;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    r = spawn(p, ends[0]);
    close(ends[0]);
    if (r == 0)
        r = measure_stream_to(p->measure, ends[1]);
    if (r < 0) {
        close(ends[1]);
        return r;
    }
    p->started = clock_ns(CLOCK_MONOTONIC);
    return loop_add(measure_loop(p->measure), p->pidfd, EPOLLIN, on_server_end, p);
}

// Waits for the server's end. Its exit status, or 128 + the signal that killed it.
static int reap(struct pair *p)
{
    int status = 0;

    while (waitpid(p->server, &status, 0) < 0 && errno == EINTR)
        ;
    close(p->pidfd);
    p->server = 0;
    p->pidfd = -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int on_server_end(void *context, uint32_t events)
{
    struct pair *p = context;
    bool soon = clock_ns(CLOCK_MONOTONIC) - p->started < SHORT_LIFE;
    int r;

    (void)events;
    loop_remove(measure_loop(p->measure), p->pidfd);
    p->status = reap(p);
    // It ended because it was asked to, or could not begin and has said why.
    if (p->status == EXIT_DONE || (p->status < 128 && soon))
        return ENDED_SERVER;
    p->short_lives = soon ? p->short_lives + 1 : 0;
    if (p->short_lives == SHORT_LIVES_MAX) {
        say("the server died %d times in a row; giving up", SHORT_LIVES_MAX);
        p->status = EXIT_FAILED;
        return ENDED_SERVER;
    }
    say("the server died (%s); starting it again, measuring goes on",
        p->status > 128 ? strsignal(p->status - 128) : "it failed");
    p->status = EXIT_DONE;
    r = start_server(p);
    if (r == 0)
        return 0;
    say("cannot start the server: %s", consumer_why(r));
    p->status = EXIT_FAILED;
    return ENDED_SERVER;
}

static void stop_server(struct pair *p)
{
    if (!p->server)
        return;
    kill(p->server, SIGTERM);
    reap(p);
}

// The target has ended; the server shows its history until somebody ends it, or us.
static void outlive_target(struct pair *p)
{
    cleanup_close int signals = process_end_signals();
    struct pollfd fds[2] = {{.fd = signals, .events = POLLIN}, {.fd = p->pidfd, .events = POLLIN}};

    while (poll(fds, 2, -1) < 0 && errno == EINTR)
        ;
}

static int run(const struct command *self, int argc, char **argv)
{
    struct options options;
    struct pair p = {.options = &options, .pidfd = -1};
    int r = options_parse(self, argc, argv, &options), status;

    if (r != 0)
        return r < 0 ? EXIT_USAGE : EXIT_DONE;
    status = measure_open(&options, &p.measure);
    if (status != 0 || !p.measure)
        return status;
    reserve_ports(&p);
    r = start_server(&p);
    if (r < 0) {
        say("cannot start the server: %s", consumer_why(r));
        stop_server(&p);
        release_ports(&p);
        measure_close(p.measure);
        return EXIT_FAILED;
    }
    status = measure_run(p.measure);
    // Only where a process that others started has ended is there something that a person would
    // still look at; a command's caller waits for it to end.
    if (!measure_target_ended(p.measure))
        stop_server(&p);
    measure_close(p.measure);
    if (p.server)
        outlive_target(&p);
    stop_server(&p);
    release_ports(&p);
    return p.status ? p.status : status;
}

const struct command command_run = {
    .name = NULL,
    .synopsis = "cyclescope [OPTIONS] [-- COMMAND [ARG…]]",
    .summary = "measure this machine and show it: collector and server",
    .options = OPTIONS_COLLECT | OPTIONS_BRIDGE | OPTIONS_SERVE,
    .run = run,
};

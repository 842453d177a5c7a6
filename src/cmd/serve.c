// SPDX-License-Identifier: Apache-2.0
// `cyclescope serve`: shows a stream. Everything from outside is parsed in this process, so it
// gives up its privileges before it reads the first byte. The main thread is the ingest thread.
#include "api/api.h"
#include "base/cleanup.h"
#include "base/process.h"
#include "cmd/history_file.h"
#include "cmd/options.h"
#include "cmd/renounce.h"
#include "cmd/serve_input.h"
#include "config.h"
#include "history/ingest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>

#define TOKEN_MAX    512
#define TOKEN_MIN    16 // shorter ones can be guessed at the speed of the loopback
#define DEFAULT_PORT "5000"
#define MEMORY_SHARE 4 // of --memory, for the tiers where no file has them

struct serve {
    const struct options *options;
    struct input input;
    int signals;
    char token[TOKEN_MAX + 1];
    struct session session;
    struct sandbox_user user;
    struct history_file file;
    struct keeper *keeper;
    unsigned needs; // of the history, from the sandbox
    struct ingest *ingest;
    struct api *api;
    struct web_server *web;
};

static int read_token(struct serve *s, const char *path)
{
    cleanup_close int fd = -1;
    ssize_t n;

    if (!path)
        return 0;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    n = fd < 0 ? -1 : read(fd, s->token, TOKEN_MAX);
    if (n < 0) {
        say("--token-file %s: %s; it is a file whose first line is the token", path,
            strerror(errno));
        return EXIT_FAILED;
    }
    s->token[n] = '\0';
    s->token[strcspn(s->token, "\r\n")] = '\0';
    if (strlen(s->token) < TOKEN_MIN) {
        say("--token-file %s: its first line is the token, of 16 to 512 characters; `openssl rand "
            "-hex 16` "
            "makes one",
            path);
        return EXIT_FAILED;
    }
    return 0;
}

static int say_bind_failure(int error, const char *address)
{
    switch (-error) {
    case EADDRINUSE:
        say("%s is taken, perhaps by another cyclescope; --listen ADDR:PORT chooses another, port "
            "0 any "
            "free one",
            address);
        return EXIT_FAILED;
    case EACCES:
        say("%s: ports below 1024 are for root; choose another with --listen", address);
        return EXIT_FAILED;
    case EINVAL:
        say("--listen %s: an address and port are written 127.0.0.1:5000 or [::1]:5000", address);
        return EXIT_USAGE;
    case ELIBACC:
        say("libmicrohttpd.so.12 is missing: the web page needs it; install the package "
            "libmicrohttpd12");
        return EXIT_FAILED;
    case ENOKEY:
        say("--listen %s can be reached from other machines: it needs --token-file FILE", address);
        return EXIT_USAGE;
    default:
        say("--listen %s: %s", address, strerror(-error));
        return EXIT_FAILED;
    }
}

static int bind_web(struct serve *s)
{
    const struct options *o = s->options;
    struct web_listen listen[OPTIONS_LISTEN_MAX] = {
        {.address = "127.0.0.1:" DEFAULT_PORT},
        {.address = "[::1]:" DEFAULT_PORT, .optional = true},
    };
    struct web_config config = {
        .listen = listen,
        .n_listen = o->n_listen ? o->n_listen : 2,
        .allow_hosts = o->allow_hosts,
        .n_allow_hosts = o->n_allow_hosts,
        .token = s->token[0] ? s->token : NULL,
        .routes = api_routes,
        .n_routes = n_api_routes,
        .context = s->api,
    };
    char failed[WEB_ADDRESS_MAX] = "";
    int r;

    for (size_t i = 0; i < o->n_listen; i++)
        listen[i] = (struct web_listen){.address = o->listen[i]};
    r = web_server_bind(&config, &s->web, failed);
    if (r < 0)
        return say_bind_failure(r, failed);
    api_set_server(s->api, s->web);
    return 0;
}

static void say_text(const char *text)
{
    say("%s", text);
}

static bool is_ending(void *context)
{
    const struct serve *s = context;
    struct pollfd signals = {.fd = s->signals, .events = POLLIN};

    return poll(&signals, 1, 0) > 0;
}

// A recording is no part of this machine's history: it has a store of its own that goes with it,
// unless it is to be put into one.
static int open_history(struct serve *s)
{
    const struct options *o = s->options;
    bool recording = strcmp(s->session.input_kind, "recording") == 0;
    bool csv = strcmp(s->session.input_kind, "csv") == 0;
    struct keeper_config config = {.session = &s->session,
                                   .bound = o->retain,
                                   .memory = o->memory / MEMORY_SHARE,
                                   .wait = recording,
                                   .say = say_text,
                                   .ending = is_ending,
                                   .context = s};

    if (csv)
        config.off = "a CSV is kept in memory only, its newest 36,000 rows at the most";
    else if (!recording || o->history)
        history_file_open(o, &s->user, &s->file);
    config.path = s->file.path;
    if (!csv)
        config.off = s->file.off;
    config.kind = s->file.lock >= 0 ? STORE_FILE : recording ? STORE_TEMPORARY : STORE_MEMORY;
    if (config.kind == STORE_MEMORY)
        config.bound = config.memory;
    else
        s->needs = SANDBOX_WRITE_FILES;
    return keeper_new(&config, &s->keeper);
}

static int open_model(struct serve *s)
{
    struct ingest_config ingest = {.rows = HISTORY_ROWS_MAX,
                                   .memory = s->options->memory,
                                   .bounded = true,
                                   .begin = s->input.begin,
                                   .ending = is_ending,
                                   .context = s};
    struct api_config api = {.session = &s->session,
                             .version = CYCLESCOPE_VERSION,
                             .rows = HISTORY_ROWS_MAX,
                             .memory_bytes = s->options->memory};
    int r = open_history(s);

    ingest.keeper = api.keeper = s->keeper;
    if (r == 0)
        r = ingest_new(&s->session, &ingest, &s->ingest);
    if (r == 0)
        r = api_new(&api, &s->api);
    if (r < 0) {
        say("%s", strerror(-r));
        return EXIT_FAILED;
    }
    s->session.changed = api_changed;
    s->session.changed_context = s->api;
    return 0;
}

static int open_signals(struct serve *s)
{
    s->signals = process_end_signals();
    if (s->signals >= 0)
        return 0;
    say("signalfd: %s", strerror(-s->signals));
    return EXIT_FAILED;
}

static void close_all(struct serve *s)
{
    web_server_free(s->web);
    api_free(s->api);
    ingest_free(s->ingest);
    input_close(&s->input); // may hold what writes the session
    keeper_free(s->keeper);
    history_file_close(&s->file);
    session_done(&s->session);
    if (s->signals >= 0)
        close(s->signals);
}

static void say_listening(const struct serve *s)
{
    const char *address;

    for (size_t i = 0; (address = web_server_address(s->web, i)); i++)
        say("listening on http://%s/", address);
}

static int follow(struct serve *s)
{
    for (;;) {
        struct pollfd fds[2] = {{.fd = s->signals, .events = POLLIN},
                                {.fd = s->input.fd, .events = POLLIN}};

        if (poll(fds, 2, s->input.wait_ms) < 0 && errno != EINTR) {
            say("poll: %s", strerror(errno));
            return EXIT_FAILED;
        }
        if (fds[0].revents)
            return EXIT_DONE;
        if (!input_take(&s->input, s->ingest))
            return EXIT_FAILED;
    }
}

static int run(const struct command *self, int argc, char **argv)
{
    struct options options;
    struct serve s = {
        .options = &options, .input = INPUT_NONE, .signals = -1, .file = HISTORY_FILE_NONE};
    int r = options_parse(self, argc, argv, &options), status;

    if (r != 0)
        return r < 0 ? EXIT_USAGE : EXIT_DONE;
    // Started by the collector it would be called "exe" in ps and top.
    prctl(PR_SET_NAME, "cyclescope");
    if (session_init(&s.session) < 0) {
        say("out of memory");
        return EXIT_FAILED;
    }
    sandbox_choose_user(&s.user);
    status = input_open(&options, &s.session, &s.input);
    if (status == 0)
        status = read_token(&s, options.token_file);
    if (status == 0)
        status = open_model(&s);
    if (status == 0)
        status = bind_web(&s);
    if (status == 0)
        status = open_signals(&s);
    if (status == 0)
        status = renounce(&s.user, s.needs | s.input.needs, "the server does not run");
    if (status == 0 && (r = keeper_start(s.keeper)) < 0) {
        say("cannot keep a history: %s", strerror(-r));
        status = EXIT_FAILED;
    }
    if (status == 0 && (r = web_server_start(s.web)) < 0) {
        say("cannot start the web server: %s", strerror(-r));
        status = EXIT_FAILED;
    }
    if (status == 0) {
        say_listening(&s);
        status = follow(&s);
    }
    close_all(&s);
    return status;
}

const struct command command_serve = {
    .name = "serve",
    .synopsis = "cyclescope serve [INPUT] [OPTIONS]",
    .summary =
        "show only: INPUT is - (a stream on stdin), a recording, or a CSV; without it, the CSV "
        "data bridge",
    .options = OPTIONS_SERVE,
    .run = run,
};

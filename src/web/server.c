// SPDX-License-Identifier: Apache-2.0
#include "web/server.h"

#include "base/cleanup.h"
#include "web/listen.h"
#include "web/server_private.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define DESCRIPTORS_SPARE 128 // beside connections: inputs, history, the process's own

static int add_host(struct web_server *s, const char *name)
{
    char **hosts = reallocarray(s->hosts, s->n_hosts + 1, sizeof(*hosts));

    if (!hosts)
        return -ENOMEM;
    s->hosts = hosts;
    hosts[s->n_hosts] = strdup(name);
    if (!hosts[s->n_hosts])
        return -ENOMEM;
    s->n_hosts++;
    return 0;
}

static int bind_one(struct web_server *s, const struct web_listen *l)
{
    struct sockaddr_storage address = {0};
    char name[WEB_ADDRESS_MAX];
    socklen_t size;
    int r;

    if (s->n_listen == LISTEN_MAX)
        return -E2BIG;
    r = listen_parse(l->address, &address, &size);
    if (r < 0)
        return r;
    if (!s->token && !listen_is_loopback(&address))
        return -ENOKEY;
    r = listen_open(&address, size);
    if (r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL)
        return l->optional ? 0 : r;
    if (r < 0)
        return r;
    s->listen_fds[s->n_listen] = r;
    r = listen_name(s->listen_fds[s->n_listen], s->addresses[s->n_listen], WEB_ADDRESS_MAX);
    if (r < 0) {
        close(s->listen_fds[s->n_listen]);
        return r;
    }
    memcpy(name, s->addresses[s->n_listen], sizeof(name));
    s->n_listen++;
    if (listen_is_any(&address))
        return 0;
    name[host_length(name)] = '\0';
    return add_host(s, name);
}

// As many connections as descriptors allow, `wanted` at most.
static size_t raise_descriptors(size_t wanted)
{
    const rlim_t need = wanted + WEB_CONNECTIONS_SPARE + DESCRIPTORS_SPARE;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return wanted;
    if (limit.rlim_cur < need) {
        limit.rlim_cur = limit.rlim_max < need ? limit.rlim_max : need;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= need)
        return wanted;
    wanted = WEB_CONNECTIONS_SPARE + DESCRIPTORS_SPARE + 1;
    return limit.rlim_cur > wanted ? limit.rlim_cur - wanted + 1 : 1;
}

static void server_freep(struct web_server **s)
{
    web_server_free(*s);
}

int web_server_bind(const struct web_config *c, struct web_server **ret, char *ret_failed)
{
    static const char *const own[] = {"localhost", "127.0.0.1", "[::1]"};
    cleanup(server_freep) struct web_server *s = calloc(1, sizeof(*s));
    size_t max = c->connections_max ? c->connections_max : WEB_CONNECTIONS_MAX;
    int r = 0;

    if (ret_failed)
        *ret_failed = '\0';
    if (!s)
        return -ENOMEM;
    s->wake_fd = -1; // 0 would be somebody else's to close
    r = mhd_load();
    if (r < 0)
        return r;
    s->routes = c->routes;
    s->n_routes = c->n_routes;
    s->context = c->context;
    s->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (s->wake_fd < 0)
        return -errno;
    r = streams_init(&s->streams, s->wake_fd, c->stall ? c->stall : WEB_STALL_SECONDS * NS_PER_SEC);
    if (r < 0)
        return r;
    if (c->token) {
        s->token = strdup(c->token);
        if (!s->token)
            return -ENOMEM;
    }
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]) && r == 0; i++)
        r = add_host(s, own[i]);
    for (size_t i = 0; i < c->n_allow_hosts && r == 0; i++)
        r = add_host(s, c->allow_hosts[i]);
    if (r < 0)
        return r;
    for (size_t i = 0; i < c->n_listen; i++) {
        r = bind_one(s, &c->listen[i]);
        if (r == 0 && (i + 1 < c->n_listen || s->n_listen))
            continue;
        if (ret_failed)
            strncat(ret_failed, c->listen[i].address, WEB_ADDRESS_MAX - 1);
        return r < 0 ? r : -ENOENT;
    }
    r = limits_init(&s->limits, raise_descriptors(max),
                    c->head_deadline ? c->head_deadline : WEB_HEAD_DEADLINE);
    if (r < 0)
        return r;
    *ret = take_ptr(s);
    return 0;
}

const char *web_server_address(const struct web_server *s, size_t i)
{
    return i < s->n_listen ? s->addresses[i] : NULL;
}

int web_server_start(struct web_server *s)
{
    sigset_t all, before;
    int r;

    // Signals are for the thread that waits for them, which is not one of ours.
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    errno = 0;
    s->daemon = http_start(s);
    r = s->daemon ? -pthread_create(&s->front, NULL, front_run, s) : -(errno ? errno : EIO);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r < 0) {
        if (s->daemon)
            mhd.stop_daemon(s->daemon);
        s->daemon = NULL;
        return r;
    }
    s->started = true;
    return 0;
}

void web_server_wake(struct web_server *s)
{
    atomic_store(&s->news, true);
    eventfd_write(s->wake_fd, 1);
}

void web_server_stop(struct web_server *s)
{
    if (!s->started)
        return;
    s->started = false;
    atomic_store(&s->stopping, true);
    eventfd_write(s->wake_fd, 1);
    pthread_join(s->front, NULL);
    // libmicrohttpd aborts when it is stopped with suspended connections.
    streams_stop(&s->streams);
    mhd.stop_daemon(s->daemon);
    s->daemon = NULL;
}

void web_server_free(struct web_server *s)
{
    if (!s)
        return;
    web_server_stop(s);
    for (size_t i = 0; i < s->n_listen; i++)
        close(s->listen_fds[i]);
    if (s->wake_fd >= 0)
        close(s->wake_fd);
    streams_done(&s->streams);
    limits_done(&s->limits);
    for (size_t i = 0; i < s->n_hosts; i++)
        free(s->hosts[i]);
    free(s->hosts);
    free(s->token);
    free(s);
}

struct web_stats web_server_stats(struct web_server *s)
{
    struct web_stats stats = {0};

    pthread_mutex_lock(&s->limits.lock);
    stats.connections = s->limits.n;
    pthread_mutex_unlock(&s->limits.lock);
    streams_count(&s->streams, &stats.stream_clients, &stats.clients_dropped);
    return stats;
}

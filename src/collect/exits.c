// SPDX-License-Identifier: Apache-2.0
#include "collect/exits.h"

#include "stream/cursor.h"

#include <errno.h>
#include <linux/acct.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/taskstats.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define MESSAGE_BYTES 16384       // an exit's two statistics are below 1 KiB
#define QUEUE_BYTES   (4 << 20)   // some 4,000 exits, of a storm between two ticks
#define DRAIN_MAX     1024        // messages at once: some 1.5 ms
#define ANSWER_LIMIT  1           // seconds; the kernel answers at once
#define FIRST_PID_NS  0xEFFFFFFCU // PROC_PID_INIT_INO (linux: include/linux/proc_ns.h)
#define GROUP_VERSION 12          // the first with AGROUP

static void put_attribute(unsigned char *message, size_t *size, uint16_t type, const char *text)
{
    struct nlattr head = {.nla_len = (uint16_t)(NLA_HDRLEN + strlen(text) + 1), .nla_type = type};

    memcpy(message + *size, &head, sizeof(head));
    memcpy(message + *size + NLA_HDRLEN, text, strlen(text) + 1);
    *size += NLA_ALIGN(head.nla_len);
}

// Sends a command with one text. 0 or -errno.
static int command(int fd, uint16_t family, uint8_t what, uint16_t attribute, const char *text)
{
    unsigned char message[256] = {0};
    size_t size = NLMSG_HDRLEN + GENL_HDRLEN;
    struct genlmsghdr generic = {.cmd = what, .version = 1};
    struct nlmsghdr head = {.nlmsg_type = family, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK};

    put_attribute(message, &size, attribute, text);
    head.nlmsg_len = (uint32_t)size;
    memcpy(message, &head, sizeof(head));
    memcpy(message + NLMSG_HDRLEN, &generic, sizeof(generic));
    return send(fd, message, size, 0) == (ssize_t)size ? 0 : -errno;
}

// The next attribute of `c`, padding taken along; false at the end.
static bool next_attribute(struct cursor *c, uint16_t *ret_type, struct cursor *ret_data)
{
    uint16_t length = cursor_u16(c), padding;

    *ret_type = cursor_u16(c) & NLA_TYPE_MASK;
    if (c->failed || length < NLA_HDRLEN)
        return false;
    *ret_data = (struct cursor){.at = c->at, .left = (size_t)(length - NLA_HDRLEN)};
    if (!cursor_take(c, ret_data->left))
        return false;
    padding = (uint16_t)(NLA_ALIGN(length) - length);
    if (c->left >= padding)
        cursor_take(c, padding);
    return true;
}

// The next message's type and body; false at the end.
static bool next_message(struct cursor *c, uint16_t *ret_type, struct cursor *ret_body)
{
    struct nlmsghdr head;

    cursor_copy(c, &head, sizeof(head));
    if (c->failed || head.nlmsg_len < sizeof(head))
        return false;
    *ret_type = head.nlmsg_type;
    *ret_body = (struct cursor){.at = c->at, .left = head.nlmsg_len - sizeof(head)};
    if (!cursor_take(c, ret_body->left))
        return false;
    if (c->left >= NLMSG_ALIGN(head.nlmsg_len) - head.nlmsg_len)
        cursor_take(c, NLMSG_ALIGN(head.nlmsg_len) - head.nlmsg_len);
    return true;
}

// Waits for the kernel's answer to a command: its error, and the family's number if it has one.
static int answer(int fd, uint16_t *ret_family)
{
    unsigned char bytes[MESSAGE_BYTES];

    for (;;) {
        ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
        struct cursor c = {.at = bytes, .left = n > 0 ? (size_t)n : 0}, body, data;
        uint16_t type, attribute;

        if (n < 0)
            return -errno;
        while (next_message(&c, &type, &body)) {
            if (type == NLMSG_ERROR)
                return (int)cursor_u32(&body);
            if (type != GENL_ID_CTRL)
                continue; // an exit that came first
            cursor_take(&body, GENL_HDRLEN);
            while (next_attribute(&body, &attribute, &data))
                if (attribute == CTRL_ATTR_FAMILY_ID)
                    *ret_family = cursor_u16(&data);
        }
    }
}

static int listen_on(int fd, size_t n_cpus)
{
    struct sockaddr_nl any = {.nl_family = AF_NETLINK};
    struct timeval limit = {.tv_sec = ANSWER_LIMIT};
    int queue = QUEUE_BYTES, r;
    uint16_t family = 0;
    char cpus[32];

    if (bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &queue, sizeof(queue));
    r = command(fd, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME, TASKSTATS_GENL_NAME);
    if (r == 0)
        r = answer(fd, &family);
    if (r < 0 || !family)
        return r < 0 ? r : -ENOENT;
    snprintf(cpus, sizeof(cpus), "0-%zu", n_cpus - 1);
    r = command(fd, family, TASKSTATS_CMD_GET, TASKSTATS_CMD_ATTR_REGISTER_CPUMASK, cpus);
    return r < 0 ? r : answer(fd, &family);
}

int exits_open(struct exits *e, size_t n_cpus)
{
    struct stat st;
    int r;

    *e = EXITS_NONE;
    // The kernel tells the PIDs of the first namespace.
    if (stat("/proc/self/ns/pid", &st) < 0 || st.st_ino != FIRST_PID_NS)
        return -ENOENT;
    e->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
    if (e->fd < 0)
        return -errno;
    r = listen_on(e->fd, n_cpus);
    if (r < 0)
        exits_done(e);
    return r;
}

void exits_done(struct exits *e)
{
    if (e->fd >= 0)
        close(e->fd);
    free(e->records);
    *e = EXITS_NONE;
}

void exits_add(struct exits *e, const struct exit_record *r)
{
    if (e->n == e->capacity) {
        size_t capacity = e->capacity ? 2 * e->capacity : 64;
        struct exit_record *records =
            e->n < EXITS_MAX ? reallocarray(e->records, capacity, sizeof(*records)) : NULL;

        if (!records)
            return;
        e->records = records;
        e->capacity = capacity;
    }
    e->records[e->n++] = *r;
}

// A statistic, of as much as this kernel's version has.
static void take_stats(struct cursor data, struct taskstats *ret)
{
    *ret = (struct taskstats){0};
    cursor_copy(&data, ret, data.left < sizeof(*ret) ? data.left : sizeof(*ret));
}

// "The task (or its group): its number, its statistics".
static bool find_stats(struct cursor aggregate, struct taskstats *ret)
{
    struct cursor data;
    uint16_t type;

    while (next_attribute(&aggregate, &type, &data))
        if (type == TASKSTATS_TYPE_STATS) {
            take_stats(data, ret);
            return true;
        }
    return false;
}

static void take_exit(struct exits *e, struct cursor body)
{
    struct taskstats task = {0}, group = {0};
    struct exit_record r = {0};
    struct cursor data;
    uint16_t type;

    cursor_take(&body, GENL_HDRLEN);
    while (next_attribute(&body, &type, &data))
        if (type == TASKSTATS_TYPE_AGGR_PID)
            find_stats(data, &task);
        else if (type == TASKSTATS_TYPE_AGGR_TGID)
            find_stats(data, &group);
    // Only a process's last thread is its end. Where it had others, the group has the time of all.
    if (task.version < GROUP_VERSION || !(task.ac_flag & AGROUP))
        return;
    r.pid = (pid_t)task.ac_tgid;
    r.parent = (pid_t)task.ac_ppid;
    r.cpu_ns = group.version ? group.cpu_run_virtual_total : task.cpu_run_virtual_total;
    snprintf(r.comm, sizeof(r.comm), "%.*s", EXITS_COMM_MAX - 1, task.ac_comm);
    exits_add(e, &r);
}

void exits_take(struct exits *e, const void *bytes, size_t size)
{
    struct cursor c = {.at = bytes, .left = size}, body;
    uint16_t type;

    while (next_message(&c, &type, &body))
        if (type >= NLMSG_MIN_TYPE)
            take_exit(e, body);
}

void exits_drain(struct exits *e)
{
    unsigned char bytes[MESSAGE_BYTES];
    ssize_t n;

    for (int i = 0; i < DRAIN_MAX && e->fd >= 0 && e->n < EXITS_MAX; i++) {
        n = recv(e->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        // What did not fit into the queue is told as an error, once.
        if (n < 0 && errno != ENOBUFS)
            return;
        if (n > 0)
            exits_take(e, bytes, (size_t)n);
    }
}

static int compare(const void *left, const void *right)
{
    pid_t a = ((const struct exit_record *)left)->pid, b = ((const struct exit_record *)right)->pid;

    return (a > b) - (a < b);
}

void exits_sort(struct exits *e)
{
    if (e->n)
        qsort(e->records, e->n, sizeof(*e->records), compare);
}

struct exit_record *exits_find(const struct exits *e, pid_t pid)
{
    const struct exit_record key = {.pid = pid};

    return e->n ? bsearch(&key, e->records, e->n, sizeof(key), compare) : NULL;
}

void exits_forget(struct exits *e)
{
    size_t kept = 0;

    for (size_t i = 0; i < e->n; i++)
        if (!e->records[i].told)
            e->records[kept++] = e->records[i];
    e->n = kept;
}

// SPDX-License-Identifier: Apache-2.0
#include "collect/exits.h"

#include "unit.h"

#include <linux/acct.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/taskstats.h>

static unsigned char bytes[8192];
static size_t size;
static struct exits exits;

static int set_up(void **state)
{
    (void)state;
    size = 0;
    exits = EXITS_NONE;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    exits_done(&exits);
    return 0;
}

static void put(const void *data, size_t n)
{
    memcpy(bytes + size, data, n);
    size += n;
}

// The kernel's form: { AGGR_PID or AGGR_TGID: { PID or TGID, STATS } }, with `stats` bytes of them.
static void put_aggregate(uint16_t type, uint16_t id_type, const struct taskstats *t, size_t stats)
{
    struct nlattr outer = {.nla_len = (uint16_t)(NLA_HDRLEN + 8 + NLA_HDRLEN + stats),
                           .nla_type = type};
    struct nlattr id = {.nla_len = 8, .nla_type = id_type};
    struct nlattr inner = {.nla_len = (uint16_t)(NLA_HDRLEN + stats),
                           .nla_type = TASKSTATS_TYPE_STATS};

    put(&outer, sizeof(outer));
    put(&id, sizeof(id));
    put(&t->ac_pid, 4);
    put(&inner, sizeof(inner));
    put(t, stats);
}

static void put_exit(const struct taskstats *task, const struct taskstats *group, size_t stats)
{
    struct nlmsghdr head = {.nlmsg_type = 0x1f};
    struct genlmsghdr generic = {.cmd = TASKSTATS_CMD_NEW, .version = 1};
    size_t start = size;

    put(&head, sizeof(head));
    put(&generic, sizeof(generic));
    put_aggregate(TASKSTATS_TYPE_AGGR_PID, TASKSTATS_TYPE_PID, task, stats);
    if (group)
        put_aggregate(TASKSTATS_TYPE_AGGR_TGID, TASKSTATS_TYPE_TGID, group, stats);
    head.nlmsg_len = (uint32_t)(size - start);
    memcpy(bytes + start, &head, sizeof(head));
}

static struct taskstats task(pid_t pid, const char *comm, uint64_t cpu)
{
    struct taskstats t = {.version = 12,
                          .ac_flag = AGROUP,
                          .ac_pid = (uint32_t)pid,
                          .ac_tgid = (uint32_t)pid,
                          .ac_ppid = 7,
                          .cpu_run_virtual_total = cpu};

    memcpy(t.ac_comm, comm, strlen(comm));
    return t;
}

static void the_end_of_a_process_is_taken(void **state)
{
    struct taskstats t = task(42, "true", 1234567);

    (void)state;
    put_exit(&t, NULL, sizeof(t));
    exits_take(&exits, bytes, size);
    assert_int_equal(exits.n, 1);
    assert_int_equal(exits.records[0].pid, 42);
    assert_int_equal(exits.records[0].parent, 7);
    assert_int_equal(exits.records[0].cpu_ns, 1234567);
    assert_string_equal(exits.records[0].comm, "true");
}

static void a_thread_is_no_process_and_the_last_one_has_the_time_of_all(void **state)
{
    struct taskstats thread = task(43, "worker", 100), last = task(44, "main", 200);
    struct taskstats group = {.version = 12, .cpu_run_virtual_total = 5000};

    (void)state;
    thread.ac_flag = 0;
    thread.ac_tgid = last.ac_tgid = 44;
    put_exit(&thread, NULL, sizeof(thread));
    put_exit(&last, &group, sizeof(last));
    exits_take(&exits, bytes, size);
    assert_int_equal(exits.n, 1);
    assert_int_equal(exits.records[0].pid, 44);
    assert_int_equal(exits.records[0].cpu_ns, 5000);
}

// Before version 12 a thread's end cannot be told from a process's. A longer name than the kernel's
// is cut, a longer version of the statistics is read as far as we know it.
static void other_versions_are_understood_or_left(void **state)
{
    struct taskstats old = task(45, "old", 1), named = task(46, "", 2);

    (void)state;
    old.version = 11;
    memset(named.ac_comm, 'x', sizeof(named.ac_comm));
    put_exit(&old, NULL, offsetof(struct taskstats, ac_tgid));
    put_exit(&named, NULL, sizeof(named));
    exits_take(&exits, bytes, size);
    assert_int_equal(exits.n, 1);
    assert_string_equal(exits.records[0].comm, "xxxxxxxxxxxxxxx");
}

static void what_is_cut_off_is_left(void **state)
{
    struct taskstats t = task(42, "true", 1);
    char *copy;

    (void)state;
    put_exit(&t, NULL, sizeof(t));
    for (size_t n = 0; n < size; n++) {
        copy = malloc(n + 1); // its end is seen by the sanitizers
        memcpy(copy, bytes, n);
        exits_take(&exits, copy, n);
        free(copy);
    }
    assert_int_equal(exits.n, 0);
    for (size_t i = 0; i < size; i++) {
        unsigned char was = bytes[i];

        bytes[i] = 0xff;
        exits_take(&exits, bytes, size);
        bytes[i] = was;
    }
}

static void a_storm_is_bounded(void **state)
{
    struct exit_record r = {.pid = 1};

    (void)state;
    for (size_t i = 0; i < 2 * EXITS_MAX; i++)
        exits_add(&exits, &r);
    assert_int_equal(exits.n, EXITS_MAX);
    exits.records[5].told = true;
    exits_forget(&exits);
    assert_int_equal(exits.n, EXITS_MAX - 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_end_of_a_process_is_taken),
        TEST(a_thread_is_no_process_and_the_last_one_has_the_time_of_all),
        TEST(other_versions_are_understood_or_left),
        TEST(what_is_cut_off_is_left),
        TEST(a_storm_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

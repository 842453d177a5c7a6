// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * A PMU for guests that have none. It registers as "cpu" with PERF_TYPE_RAW, so that generic
 * hardware, hardware cache and raw events resolve to it as they do to a real core PMU. What it
 * counts is a function of the time (rates.c); what it is for is everything around the counting:
 * groups, multiplexing, scaling, per-CPU values, inheritance, cgroups, missing events, sampling
 * with call chains.
 *
 * The clock is CLOCK_MONOTONIC, which a program can read as well, so that it can know the truth.
 * Privilege modifiers
 * (:u, :k) are accepted and change nothing.
 */
#include "rates.h"

#include <asm/irq_regs.h>
#include <linux/hrtimer.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

static int counters = 4;
/* May be written while nothing is counted: a module that is loaded a second time is not given the tasks' hardware context
 * again (perf_pmu_register). */
module_param(counters, int, 0644);
MODULE_PARM_DESC(counters, "how many events each CPU counts at once");

static unsigned int hwmask = 0x3ff;
module_param(hwmask, uint, 0444);
MODULE_PARM_DESC(hwmask, "which PERF_TYPE_HARDWARE ids exist, a bit each");

static char *profile = "fixed";
module_param(profile, charp, 0444);
MODULE_PARM_DESC(profile, "fixed, varying or bursty (rates.c)");

static bool stuck;
module_param(stuck, bool, 0644);
MODULE_PARM_DESC(stuck, "events open and run, and count nothing, as under some hypervisors");

#define SAMPLE_NS_MIN                                                                              \
    10000ull /* a shorter period would leave the guest no time for anything else */

/* What an event has beside its struct perf_event; freed with it. */
struct counting {
    struct perf_event *event;
    struct hrtimer timer; /* sampling events only */
    int rate;             /* an index of rates.c */
    int slot;             /* of slots_used, while it is on the CPU */
};

static DEFINE_PER_CPU(unsigned long, slots_used);

/* Not exported to modules, though every PMU that samples needs it; its address comes by way of a
 * kprobe. */
typedef int (*overflow_fn)(struct perf_event *, struct perf_sample_data *, struct pt_regs *);
static overflow_fn event_overflow;

static struct counting *counting_of(struct perf_event *event)
{
    return event->pmu_private;
}

static u64 count_now(struct perf_event *event)
{
    if (stuck)
        return 0;
    return rates_count(counting_of(event)->rate, raw_smp_processor_id(), ktime_get_mono_fast_ns());
}

static void synthetic_read(struct perf_event *event)
{
    u64 now = count_now(event), before = local64_read(&event->hw.prev_count);

    if (now <= before) /* the fast clock may step back by a little while timekeeping is updated */
        return;
    local64_set(&event->hw.prev_count, now);
    local64_add(now - before, &event->count);
}

static ktime_t sample_delay(struct perf_event *event)
{
    u64 per_ms =
        rates_per_ms(counting_of(event)->rate, raw_smp_processor_id(), ktime_get_mono_fast_ns());

    return ns_to_ktime(max(SAMPLE_NS_MIN, div64_u64(event->hw.sample_period * 1000000ull, per_ms)));
}

static enum hrtimer_restart sample_timer(struct hrtimer *timer)
{
    struct perf_event *event = container_of(timer, struct counting, timer)->event;
    struct pt_regs *regs = get_irq_regs();
    struct perf_sample_data data;

    if (event->state != PERF_EVENT_STATE_ACTIVE)
        return HRTIMER_NORESTART;
    synthetic_read(event);
    event->hw.last_period = event->hw.sample_period;
    perf_sample_data_init(&data, 0, event->hw.last_period);
    if (regs && !(user_mode(regs) ? event->attr.exclude_user : event->attr.exclude_kernel) &&
        event_overflow(event, &data, regs)) {
        /* Throttled: counts no further until the core starts it again, as on x86. */
        event->hw.state = PERF_HES_STOPPED | PERF_HES_UPTODATE;
        return HRTIMER_NORESTART;
    }
    hrtimer_forward_now(timer, sample_delay(event));
    return HRTIMER_RESTART;
}

static void synthetic_start(struct perf_event *event, int flags)
{
    event->hw.state = 0;
    local64_set(&event->hw.prev_count, count_now(event));
    if (is_sampling_event(event))
        hrtimer_start(&counting_of(event)->timer, sample_delay(event),
                      HRTIMER_MODE_REL_PINNED_HARD);
    perf_event_update_userpage(event);
}

static void synthetic_stop(struct perf_event *event, int flags)
{
    if (event->hw.state & PERF_HES_STOPPED)
        return;
    if (is_sampling_event(event))
        hrtimer_cancel(&counting_of(event)->timer);
    synthetic_read(event);
    event->hw.state = PERF_HES_STOPPED | PERF_HES_UPTODATE;
}

static int synthetic_add(struct perf_event *event, int flags)
{
    unsigned long *used = this_cpu_ptr(&slots_used);
    int slot = find_first_zero_bit(used, counters);

    if (slot >= counters)
        return -EAGAIN;
    __set_bit(slot, used);
    counting_of(event)->slot = slot;
    event->hw.state = PERF_HES_STOPPED | PERF_HES_UPTODATE;
    if (flags & PERF_EF_START)
        synthetic_start(event, 0);
    perf_event_update_userpage(event);
    return 0;
}

static void synthetic_del(struct perf_event *event, int flags)
{
    synthetic_stop(event, PERF_EF_UPDATE);
    __clear_bit(counting_of(event)->slot, this_cpu_ptr(&slots_used));
    perf_event_update_userpage(event);
}

static void synthetic_destroy(struct perf_event *event)
{
    kfree(event->pmu_private);
}

static int synthetic_event_init(struct perf_event *event);

PMU_FORMAT_ATTR(event, "config:0-7");
PMU_FORMAT_ATTR(umask, "config:8-15");
static struct attribute *format_attrs[] = {&format_attr_event.attr, &format_attr_umask.attr, NULL};

// clang-format off: a name with a dash is no subtraction
PMU_EVENT_ATTR_STRING(cpu-cycles, event_cycles, "event=0x3c");
PMU_EVENT_ATTR_STRING(instructions, event_instructions, "event=0xc0");
PMU_EVENT_ATTR_STRING(cache-references, event_cache_references, "event=0x2e,umask=0x4f");
PMU_EVENT_ATTR_STRING(cache-misses, event_cache_misses, "event=0x2e,umask=0x41");
PMU_EVENT_ATTR_STRING(branch-instructions, event_branches, "event=0xc4");
PMU_EVENT_ATTR_STRING(branch-misses, event_branch_misses, "event=0xc5");
// clang-format on
static struct attribute *event_attrs[] = {
    &event_cycles.attr.attr,       &event_instructions.attr.attr, &event_cache_references.attr.attr,
    &event_cache_misses.attr.attr, &event_branches.attr.attr,     &event_branch_misses.attr.attr,
    NULL,
};

static const struct attribute_group format_group = {.name = "format", .attrs = format_attrs};
static const struct attribute_group events_group = {.name = "events", .attrs = event_attrs};
static const struct attribute_group *attr_groups[] = {&format_group, &events_group, NULL};

static struct pmu synthetic_pmu = {
    .module = THIS_MODULE,
    .task_ctx_nr = perf_hw_context,
    .attr_groups = attr_groups,
    .event_init = synthetic_event_init,
    .add = synthetic_add,
    .del = synthetic_del,
    .start = synthetic_start,
    .stop = synthetic_stop,
    .read = synthetic_read,
};

/* Would the event's group still fit the counters? As on x86, a group that cannot is refused when it
 * is opened. */
static bool group_fits(struct perf_event *event)
{
    struct perf_event *leader = event->group_leader, *sibling;
    int n = 1;

    if (leader == event)
        return n <= counters;
    n += leader->pmu == &synthetic_pmu;
    for_each_sibling_event(sibling, leader) n += sibling->pmu == &synthetic_pmu;
    return n <= counters;
}

static int synthetic_event_init(struct perf_event *event)
{
    u32 type = event->attr.type;
    struct counting *counting;
    int rate;

    if (type != PERF_TYPE_HARDWARE && type != PERF_TYPE_HW_CACHE && type != synthetic_pmu.type)
        return -ENOENT;
    if (has_branch_stack(event))
        return -EOPNOTSUPP;
    rate = rates_find(&event->attr, hwmask);
    if (rate < 0)
        return rate;
    if (!group_fits(event))
        return -EINVAL;
    counting = kzalloc(sizeof(*counting), GFP_KERNEL);
    if (!counting)
        return -ENOMEM;
    counting->event = event;
    counting->rate = rate;
    if (is_sampling_event(event)) {
        hrtimer_init(&counting->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
        counting->timer.function = sample_timer;
    }
    event->pmu_private = counting;
    event->destroy = synthetic_destroy;
    return 0;
}

static int __init synthetic_init(void)
{
    struct kprobe probe = {.symbol_name = "perf_event_overflow"};
    int r;

    if (counters < 1 || counters > BITS_PER_LONG)
        return -EINVAL;
    r = register_kprobe(&probe);
    if (r)
        return r;
    event_overflow = (overflow_fn)probe.addr;
    unregister_kprobe(&probe);

    r = rates_init(profile);
    if (r)
        return r;
    r = perf_pmu_register(&synthetic_pmu, "cpu", PERF_TYPE_RAW);
    if (r) {
        rates_done();
        return r;
    }
    pr_info("synthetic_pmu: %d counters, hwmask %#x, profile %s\n", counters, hwmask, profile);
    return 0;
}

static void __exit synthetic_exit(void)
{
    perf_pmu_unregister(&synthetic_pmu);
    rates_done();
}

module_init(synthetic_init);
module_exit(synthetic_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A PMU whose counts are known, for guests that have none");

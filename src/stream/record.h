// SPDX-License-Identifier: Apache-2.0
// perf.data: the numbers and layouts of what we write and read. In pipe mode, after a file header
// of 16 bytes, there are only records, each of which begins with a struct record_header that gives
// its whole size; in file mode they are a section of the file. Everything is in the byte order of
// the machine that wrote it.
//
// Source: linux, tools/lib/perf/include/perf/event.h (records from 64 on), tools/perf/util/header.h
// (features), tools/perf/Documentation/perf.data-file-format.txt, include/uapi/linux/perf_event.h
// (records below 64, attr).
#pragma once

#include <assert.h>
#include <stdint.h>

#define RECORD_MAGIC         UINT64_C(0x32454c4946524550) // "PERFILE2", read in the writer's byte order
#define RECORD_MAGIC_SWAPPED UINT64_C(0x50455246494c4532) // the same, of the other byte order
#define RECORD_MAGIC_OLD     UINT64_C(0x454c494646524550) // "PERFFILE": perf before 3.2
#define RECORD_PIPE_HEADER                                                                         \
    16u // struct record_file_header.size in pipe mode; file mode has 104 or more
#define RECORD_MAX       65536u // a record's size is 16 bits wide, so that any fits in this
#define RECORD_WRITE_MAX 65528u // the largest that we write: a multiple of 8
#define RECORD_ATTR_SIZE                                                                           \
    128u // the attr that we write (PERF_ATTR_SIZE_VER7: perf 5.x and newer know it)
#define RECORD_ATTR_MIN 64u              // PERF_ATTR_SIZE_VER0
#define RECORD_NOTE     UINT64_C(0x6373) // "cs": our own EVENT_UPDATE type; its data is one JSON object
#define RECORD_CPU_ANY  UINT32_MAX       // STAT.cpu of an event that follows a task
#define RECORD_THREAD_ANY                                                                          \
    UINT64_MAX // THREAD_MAP's pid: the whole system, or (beside CPU_MAP {-1}) a spare slot

// Below 64 are the kernel's own records (PERF_RECORD_…).
enum record_type {
    RECORD_LOST = 2,
    RECORD_THROTTLE = 5,
    RECORD_SAMPLE = 9,
    RECORD_LOST_SAMPLES = 13,
    RECORD_KERNEL_LAST = 21, // AUX_OUTPUT_HW_ID; the newest that is known here
    RECORD_HEADER_ATTR = 64,
    RECORD_HEADER_EVENT_TYPE = 65,
    RECORD_HEADER_TRACING_DATA = 66, // followed by bytes outside of its size
    RECORD_HEADER_BUILD_ID = 67,
    RECORD_FINISHED_ROUND = 68,
    RECORD_ID_INDEX = 69,
    RECORD_AUXTRACE_INFO = 70,
    RECORD_AUXTRACE = 71, // followed by bytes outside of its size
    RECORD_AUXTRACE_ERROR = 72,
    RECORD_THREAD_MAP = 73,
    RECORD_CPU_MAP = 74,
    RECORD_STAT_CONFIG = 75,
    RECORD_STAT = 76,
    RECORD_STAT_ROUND = 77,
    RECORD_EVENT_UPDATE = 78,
    RECORD_TIME_CONV = 79,
    RECORD_HEADER_FEATURE = 80,
    RECORD_COMPRESSED = 81,
    RECORD_FINISHED_INIT = 82,
    RECORD_COMPRESSED2 = 83,
};

enum record_feature_number {
    FEATURE_HOSTNAME = 3,
    FEATURE_OSRELEASE = 4,
    FEATURE_VERSION = 5,
    FEATURE_ARCH = 6,
    FEATURE_NRCPUS = 7,
    FEATURE_CPUDESC = 8,
    FEATURE_EVENT_DESC = 12,
    FEATURE_GROUP_DESC = 17,
    FEATURE_SAMPLE_TIME = 21,
    FEATURE_COMPRESSED = 27,
    FEATURE_CLOCK_DATA = 29,
    FEATURES_MAX = 256, // bits of the file header's bitmap
};

enum record_update_type { UPDATE_UNIT = 0, UPDATE_SCALE = 1, UPDATE_NAME = 2, UPDATE_CPUS = 3 };
enum record_cpu_map_type { CPU_MAP_CPUS = 0, CPU_MAP_MASK = 1, CPU_MAP_RANGE = 2 };
enum record_config_tag { CONFIG_AGGR_MODE = 0, CONFIG_INTERVAL = 1, CONFIG_SCALE = 2 };
enum record_aggr_mode { AGGR_NONE = 0, AGGR_GLOBAL = 1 };
enum record_round_type { ROUND_INTERVAL = 0, ROUND_FINAL = 1 };

struct record_file_header {
    uint64_t magic;
    uint64_t size;
};

struct record_section {
    uint64_t offset; // from the beginning of the file
    uint64_t size;
};

// File mode: the header names sections. The attrs' section has entries of attr_size bytes: an attr,
// and the section of its ids. Behind the data is a section for each bit of `features`.
struct record_file {
    uint64_t magic;
    uint64_t size; // of this header
    uint64_t attr_size;
    struct record_section attrs, data, event_types; // data of size 0: it was not finished
    uint64_t features[FEATURES_MAX / 64];
};

struct record_header {
    uint32_t type;
    uint16_t misc;
    uint16_t size; // of the record with this header, in bytes
};

struct record_stat {
    struct record_header header;
    uint64_t id;
    uint32_t cpu;    // perf 5.18 and newer: the CPU's number; older: its place in CPU_MAP
    uint32_t thread; // place in THREAD_MAP
    uint64_t value, enabled, running; // cumulative; times in ns
};

struct record_stat_round {
    struct record_header header;
    uint64_t type;
    uint64_t time; // ns since the stream's reference
};

struct record_event_update {
    struct record_header header;
    uint64_t type;
    uint64_t id;
    // then: text (UNIT, NAME), a double (SCALE), a CPU map (CPUS), a JSON object (RECORD_NOTE)
};

struct record_feature {
    struct record_header header;
    uint64_t feature;
    // then the feature; a text is a 32-bit length that counts its NUL and padding, and the bytes
};

struct record_thread {
    uint64_t pid;
    char comm[16];
};

struct record_config {
    uint64_t tag;
    uint64_t value;
};

// Before the first COMPRESSED record; perf takes none without it.
struct record_compression {
    uint32_t version; // 1
    uint32_t type;    // 1: zstd
    uint32_t level;
    uint32_t ratio;       // of the whole, for people
    uint32_t mmap_length; // the most that one record holds, decompressed
};

struct record_clock_data {
    uint32_t version; // 1
    uint32_t clockid;
    uint64_t wall_ns;      // CLOCK_REALTIME …
    uint64_t reference_ns; // … and that clock at the same moment
};

static_assert(sizeof(struct record_header) == 8, "perf.data layout");
static_assert(sizeof(struct record_stat) == 48, "perf.data layout");
static_assert(sizeof(struct record_stat_round) == 24, "perf.data layout");
static_assert(sizeof(struct record_event_update) == 24, "perf.data layout");
static_assert(sizeof(struct record_thread) == 24, "perf.data layout");
static_assert(sizeof(struct record_clock_data) == 24, "perf.data layout");
static_assert(sizeof(struct record_compression) == 20, "perf.data layout");
static_assert(sizeof(struct record_file) == 104, "perf.data layout");

// SPDX-License-Identifier: Apache-2.0
#include "stream/file_mode.h"

#include "base/cleanup.h"
#include "stream/record.h"

#include <errno.h>
#include <inttypes.h>

#define IDS_BYTES_MAX (ID_MAP_MAX * sizeof(uint64_t)) // of all events
// EVENT_DESC repeats all attrs and ids; others are far smaller.
#define FEATURE_BYTES_MAX ((size_t)16 << 20)
#define ATTR_BYTES_MAX    4096 // the kernel refuses an attr above a page
static_assert(IDS_BYTES_MAX + EVENTS_MAX * (ATTR_BYTES_MAX + 1024) < FEATURE_BYTES_MAX,
              "all that there may be fits, with names");

static int read_all(const struct stream_file *file, uint64_t offset, void *ret, size_t size)
{
    ssize_t n = file->read(file->context, offset, ret, size);

    return n < 0 ? (int)n : (size_t)n < size ? -EPIPE : 0;
}

// A section, whole; NULL with -E2BIG beyond `max`.
static int read_section(const struct stream_file *file, struct record_section s, size_t max,
                        void **ret)
{
    cleanup_free void *bytes = NULL;
    int r;

    if (s.offset > file->size || s.size > file->size - s.offset)
        return -EPIPE;
    if (s.size > max)
        return -E2BIG;
    bytes = malloc((size_t)s.size + 1);
    if (!bytes)
        return -ENOMEM;
    r = read_all(file, s.offset, bytes, (size_t)s.size);
    if (r == 0)
        *ret = take_ptr(bytes);
    return r;
}

static struct stream_extent extent_of(const struct record_file *header, uint64_t file_size)
{
    struct stream_extent e = {
        .from = header->data.offset, .to = file_size, .file_mode = true, .finished = true};

    if (header->data.size == 0)
        e.finished = false;
    else if (header->data.size < file_size - header->data.offset)
        e.to = header->data.offset + header->data.size;
    return e;
}

static int take_attr(struct stream_reader *r, const struct stream_file *file,
                     const unsigned char *entry, size_t size, size_t *ids_left)
{
    cleanup_free void *ids = NULL;
    struct cursor attr = {entry, size - sizeof(struct record_section), false};
    struct record_section section;
    int e;

    memcpy(&section, entry + attr.left, sizeof(section));
    e = read_section(file, section, *ids_left, &ids);
    if (e < 0)
        return e;
    *ids_left -= (size_t)section.size;
    e = head_attr_ids(stream_reader_builder(r), attr,
                      (struct cursor){ids, (size_t)section.size, false});
    return e > 0 ? -EBADMSG : e;
}

static int take_attrs(struct stream_reader *r, const struct stream_file *file,
                      const struct record_file *header)
{
    cleanup_free void *entries = NULL;
    size_t size = (size_t)header->attr_size, ids_left = IDS_BYTES_MAX;
    int e;

    if (header->attr_size < RECORD_ATTR_MIN + sizeof(struct record_section) ||
        header->attr_size > ATTR_BYTES_MAX)
        return -EBADMSG;
    e = read_section(file, header->attrs, EVENTS_MAX * size, &entries);
    for (size_t at = 0; e == 0 && at + size <= header->attrs.size; at += size)
        e = take_attr(r, file, (const unsigned char *)entries + at, size, &ids_left);
    return e;
}

// One that cannot be read is left out: what it says is for people.
static int take_feature(struct stream_reader *r, const struct stream_file *file, unsigned feature,
                        struct record_section section)
{
    cleanup_free void *bytes = NULL;
    bool clock;
    int e = read_section(file, section, FEATURE_BYTES_MAX, &bytes);

    if (e == 0)
        e = head_feature(stream_reader_builder(r), feature,
                         (struct cursor){bytes, (size_t)section.size, false}, &clock);
    return e == -ENOMEM ? e : 0;
}

static int take_features(struct stream_reader *r, const struct stream_file *file,
                         const struct record_file *header, uint64_t at)
{
    for (unsigned i = 0; i < FEATURES_MAX; i++) {
        struct record_section section;
        int e;

        if (!(header->features[i / 64] >> (i % 64) & 1))
            continue;
        e = read_all(file, at, &section, sizeof(section));
        if (e < 0)
            return e == -EPIPE ? 0 : e; // a file that was cut: its data may still be there
        at += sizeof(section);
        e = head_feature_wanted(i) ? take_feature(r, file, i, section) : 0;
        if (e < 0)
            return e;
    }
    return 0;
}

static int fail(struct stream_reader *r, int error)
{
    switch (error) {
    case -EPIPE:
        return stream_reader_fail(r, error, "it is cut off before its data begin");
    case -EBADMSG:
        return stream_reader_fail(r, error, "its header cannot be one of perf.data");
    case -E2BIG:
        return stream_reader_fail(r, error, "more events or ids than there are bounds for: %d, %zu",
                                  EVENTS_MAX, ID_MAP_MAX);
    default:
        return stream_reader_fail(r, error, "%s", strerror(-error));
    }
}

static bool is_file_mode(const struct record_file *header)
{
    return header->magic == RECORD_MAGIC && header->size > RECORD_PIPE_HEADER &&
           header->size < RECORD_MAX;
}

// What there is of the header; the bitmap of features is missing in very old files.
static int read_header(const struct stream_file *file, struct record_file *ret)
{
    struct record_file header = {0};
    ssize_t n = file->read(file->context, 0, &header, sizeof(header));

    if (n < 0)
        return (int)n;
    if (header.size < sizeof(header))
        memset(header.features, 0, sizeof(header.features));
    *ret = header;
    return is_file_mode(&header) && n < (ssize_t)sizeof(header) ? -EPIPE : 0;
}

int file_mode_extent(const struct stream_file *file, struct stream_extent *ret)
{
    struct record_file header = {0};
    int r = read_header(file, &header);

    if (r < 0)
        return r;
    if (!is_file_mode(&header) || header.data.offset > file->size)
        return -EBADMSG;
    *ret = extent_of(&header, file->size);
    return 0;
}

int file_mode_begin(struct stream_reader *r, const struct stream_file *file,
                    struct stream_extent *ret)
{
    struct record_file header = {0};
    int e = read_header(file, &header);

    if (e < 0)
        return fail(r, e);
    if (!is_file_mode(&header)) { // a pipe's, or nothing that the reader would take
        *ret = (struct stream_extent){.to = file->size};
        return 0;
    }
    if (header.data.offset < sizeof(header) || header.data.offset > file->size)
        return fail(r, header.data.offset > file->size ? -EPIPE : -EBADMSG);
    *ret = extent_of(&header, file->size);
    e = take_attrs(r, file, &header);
    if (e == 0 && ret->finished && ret->to < file->size)
        e = take_features(r, file, &header, ret->to);
    if (e < 0)
        return fail(r, e);
    stream_reader_begin_records(r, header.data.offset);
    return 0;
}

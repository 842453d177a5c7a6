// SPDX-License-Identifier: Apache-2.0
// How a perf.data file begins. In pipe mode there is nothing to be done; in file mode the header
// names sections: attrs with their ids, the data (records, as in a pipe), features behind them.
#pragma once

#include "stream/reader.h"

#include <sys/types.h>

// Where the bytes of a file are to be had.
struct stream_file {
    // Up to `size` bytes from `offset` on; less only at the end; or -errno.
    ssize_t (*read)(void *context, uint64_t offset, void *ret, size_t size);
    void *context;
    uint64_t size;
};

struct stream_extent {
    uint64_t from, to; // what is to be fed to the reader: bytes of the file
    bool file_mode;
    bool finished; // file mode: the header says where the data end. If not, to is the file's end
};

// Looks at the file's beginning. 0, or what ended the reading, as of stream_reader_feed(), or
// -errno of read().
int file_mode_begin(struct stream_reader *r, const struct stream_file *file,
                    struct stream_extent *ret);
// The extent as the header has it now: perf writes the data's size when it has finished. 0 or
// -errno; the reader is not changed.
int file_mode_extent(const struct stream_file *file, struct stream_extent *ret);

// SPDX-License-Identifier: Apache-2.0
// The page: one document, embedded by the build plain and compressed.
#pragma once

#include "web/server.h"

extern const unsigned char page_html[];
extern const size_t page_html_size;
extern const unsigned char page_html_gz[];
extern const size_t page_html_gz_size;

// A web_handler; its context is not used.
int page_handle(const struct web_request *q, void *context, struct web_reply **ret);

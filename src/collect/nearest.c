// SPDX-License-Identifier: Apache-2.0
#include "collect/nearest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define FAR UINT32_MAX

static int lower(char c)
{
    return tolower((unsigned char)c);
}

// Levenshtein distance. Upper and lower case count as the same.
static unsigned edits(const char *a, const char *b)
{
    unsigned row[EVENT_NAME_MAX + 1];
    size_t n = strlen(b);

    for (size_t j = 0; j <= n; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; a[i - 1]; i++) {
        unsigned diagonal = row[0];

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= n; j++) {
            unsigned substitute = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
            unsigned other = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;

            diagonal = row[j];
            row[j] = substitute < other ? substitute : other;
        }
    }
    return row[n];
}

// FAR: nobody would take one for the other. A word that is part of the name is near, however long
// the rest.
static unsigned distance(const char *wanted, const char *name)
{
    size_t length = strlen(wanted), size = strlen(name);
    unsigned d;

    if (length >= EVENT_NAME_MAX || size >= EVENT_NAME_MAX)
        return FAR;
    if (length >= 4 && strcasestr(name, wanted))
        return 1 + (unsigned)(size - length) / 8;
    d = edits(wanted, name);
    return d <= 1 + length / 3 ? d : FAR;
}

void nearest_offer(struct nearest *n, const char *name, const char *shown)
{
    unsigned d = distance(n->wanted, name);
    size_t at = n->n;

    if (d == FAR)
        return;
    for (size_t i = 0; i < n->n; i++)
        if (strcmp(n->names[i], shown) == 0)
            return;
    while (at > 0 && n->distance[at - 1] > d)
        at--;
    if (at == NEAREST_MAX)
        return;
    if (n->n < NEAREST_MAX)
        n->n++;
    for (size_t i = n->n - 1; i > at; i--) {
        memcpy(n->names[i], n->names[i - 1], EVENT_NAME_MAX);
        n->distance[i] = n->distance[i - 1];
    }
    snprintf(n->names[at], EVENT_NAME_MAX, "%s", shown);
    n->distance[at] = d;
}

void nearest_words(const struct nearest *n, char *ret, size_t size)
{
    size_t at = 0;

    ret[0] = '\0';
    for (size_t i = 0; i < n->n; i++) {
        const char *before = i == 0
                                 ? n->n == 1 ? "; the nearest name is" : "; the nearest names are"
                             : i + 1 < n->n ? ","
                                            : " and";
        int more = snprintf(ret + at, size - at, "%s '%.60s'", before, n->names[i]);

        if (more < 0 || (size_t)more >= size - at) {
            ret[at] = '\0'; // whole names only
            return;
        }
        at += (size_t)more;
    }
}

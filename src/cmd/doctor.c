// SPDX-License-Identifier: Apache-2.0
// `cyclescope doctor`: what this machine can measure, what not, why, and the remedy.
#include "collect/doctor.h"

#include "base/json.h"
#include "cmd/options.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NAME_COLUMNS 15  // the longest name of a check, and a blank
#define WIDTH_MIN    60  // narrower ones get longer lines than they have
#define WIDTH_MAX    110 // longer lines are hard to read

// How the terminal wants it.
struct style {
    bool marks; // ✓ instead of words
    bool colours;
    int width; // 0: lines are not broken (a pipe: grep finds whole sentences)
};

// Who reads: a terminal gets marks and colours as far as it can show them, a pipe plain words.
static struct style find_style(void)
{
    struct style s = {0};
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
    struct winsize size = {0};

    if (!isatty(STDOUT_FILENO))
        return s;
    setlocale(LC_CTYPE, "");
    s.marks = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    s.colours = !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
    s.width = 80;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
        s.width = size.ws_col;
    if (s.width < WIDTH_MIN)
        s.width = WIDTH_MIN;
    if (s.width > WIDTH_MAX)
        s.width = WIDTH_MAX;
    return s;
}

// Length of the next piece that must stay on one line: a word, or a command in backquotes with
// what follows it up to the next blank.
static size_t piece(const char *text)
{
    size_t n = 0;
    bool command = false;

    for (; text[n] && (command || text[n] != ' '); n++)
        if (text[n] == '`')
            command = !command;
    return n;
}

// Prints the text from column `at` on, its further lines indented to `indent`.
static void print_text(const struct style *s, int at, int indent, const char *text)
{
    while (*text) {
        size_t n = piece(text);

        if (s->width && at > indent && at + 1 + (int)n > s->width) {
            printf("\n%*s", indent, "");
            at = indent;
        } else if (at > indent) {
            putchar(' ');
            at++;
        }
        for (size_t i = 0; i < n; i++)
            // Some of it was read from the machine's files: it must not steer the terminal.
            putchar((unsigned char)text[i] < ' ' || text[i] == 0x7f ? '?' : text[i]);
        at += (int)n;
        text += n + strspn(text + n, " ");
    }
    putchar('\n');
}

// A text of its own lines below a finding, after a label.
static void print_more(const struct style *s, int indent, const char *label, const char *text)
{
    int width = *label == '\0' ? 0 : s->marks ? 2 : (int)strlen(label); // an arrow is one column

    if (!*text)
        return;
    printf("%*s%s", indent, "", label);
    print_text(s, indent + width, indent + width, text);
}

static void print_finding(const struct style *s, const struct finding *f)
{
    static const struct {
        const char *mark, *word, *colour;
    } looks[] = {
        [FINDING_PASS] = {"✓", "pass", "\033[32m"},
        [FINDING_LIMITED] = {"!", "limited", "\033[33m"},
        [FINDING_FAIL] = {"✗", "FAIL", "\033[31m"},
        [FINDING_UNKNOWN] = {"?", "unknown", "\033[2m"},
    };
    int indent = (s->marks ? 2 : 8) + NAME_COLUMNS;

    if (s->colours)
        fputs(looks[f->status].colour, stdout);
    if (s->marks)
        printf("%s ", looks[f->status].mark);
    else
        printf("%-8s", looks[f->status].word);
    printf("%s%-*s", s->colours ? "\033[0m" : "", NAME_COLUMNS, f->name);
    print_text(s, indent, indent, f->found);
    print_more(s, indent, s->marks ? "" : "cost:   ", f->cost);
    print_more(s, indent, s->marks ? "→ " : "remedy: ", f->remedy);
}

static void print_findings(const struct findings *f, enum doctor_verdict verdict)
{
    struct style s = find_style();

    for (size_t i = 0; i < f->n; i++)
        print_finding(&s, &f->checks[i]);
    putchar('\n');
    switch (verdict) {
    case DOCTOR_HARDWARE:
        puts("Hardware counters work here.");
        break;
    case DOCTOR_SOFTWARE:
        puts("Only software events and CPU use can be measured here: no hardware counters.");
        break;
    case DOCTOR_NOTHING:
        puts("No event can be counted here; CPU use is all there is.");
        break;
    }
}

static void print_json(const struct findings *f)
{
    struct buf text = {0};
    struct json j = {.out = &text};

    json_open(&j, '{');
    findings_json(&j, f);
    json_close(&j, '}');
    buf_putc(&text, '\n');
    if (buf_error(&text) == 0)
        fwrite(text.data, 1, text.size, stdout);
    buf_done(&text);
}

static int run(const struct command *self, int argc, char **argv)
{
    static struct findings findings;
    struct options options;
    enum doctor_verdict verdict;
    int r = options_parse(self, argc, argv, &options);

    if (r != 0)
        return r < 0 ? EXIT_USAGE : EXIT_DONE;
    if (options.n_operands) {
        say("'%s': doctor takes no operand", options.operands[0]);
        return EXIT_USAGE;
    }
    doctor_run(NULL, &findings);
    verdict = doctor_verdict(&findings);
    if (options.json)
        print_json(&findings);
    else
        print_findings(&findings, verdict);
    if (fflush(stdout) != 0) {
        say("standard output: %s", strerror(errno));
        return EXIT_FAILED;
    }
    return (int)verdict;
}

const struct command command_doctor = {
    .name = "doctor",
    .synopsis = "cyclescope doctor [--json]",
    .summary = "what this machine can measure, what not, why, and the remedy",
    .options = OPTIONS_DOCTOR,
    .run = run,
};

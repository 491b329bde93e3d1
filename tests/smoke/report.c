/* Lines for those who watch, and a table for an issue. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "smoke.h"

enum { ANSWERS_MAX = 64 };

static struct {
    const struct question *question;
    struct answer answer;
} given[ANSWERS_MAX];
static int count;

static const char *const words[] = {"ok", "NOT AS EXPECTED", "fact", "skipped"};

static void add(struct answer *answer, const char *format, va_list arguments)
{
    size_t length = strlen(answer->seen);
    vsnprintf(answer->seen + length, sizeof answer->seen - length, format,
              arguments);
}

void smoke_see(struct answer *answer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(answer, format, arguments);
    va_end(arguments);
}

void smoke_judge(struct answer *answer, bool as_expected)
{
    if (!as_expected)
        answer->verdict = SMOKE_UNEXPECTED;
    else if (answer->verdict != SMOKE_UNEXPECTED)
        answer->verdict = SMOKE_EXPECTED;
}

void smoke_fact(struct answer *answer)
{
    answer->verdict = SMOKE_FACT;
}

bool smoke_skip(struct answer *answer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(answer, format, arguments);
    va_end(arguments);
    if (answer->verdict != SMOKE_UNEXPECTED)
        answer->verdict = SMOKE_SKIPPED;
    return false;
}

void smoke_see_status(struct answer *answer, winshm_status status)
{
    smoke_see(answer, "%s", winshm_status_name(status));
}

bool smoke_expect(struct answer *answer, const char *call, winshm_status status,
                  winshm_status expected)
{
    if (status == expected)
        return true;
    smoke_see(answer, "%s gave %s, not %s", call, winshm_status_name(status),
              winshm_status_name(expected));
    if (status != WINSHM_OK)
        smoke_see(answer, " (%s)", winshm_last_message());
    smoke_see(answer, "; ");
    smoke_judge(answer, false);
    return false;
}

void smoke_report_add(const struct question *question,
                      const struct answer *answer)
{
    printf("%-15s %-20s %s%s%sseen: %s\n", words[answer->verdict],
           question->name, question->expected != NULL ? "expected: " : "",
           question->expected != NULL ? question->expected : "",
           question->expected != NULL ? "; " : "", answer->seen);
    fflush(stdout);
    given[count].question = question;
    given[count++].answer = *answer;
}

/** A cell of the table: a bar would end it. */
static void cell(FILE *file, const char *text)
{
    fputs(" ", file);
    for (; *text != '\0'; text++) {
        if (*text == '|')
            fputs("\\|", file);
        else
            fputc(*text == '\n' ? ' ' : *text, file);
    }
    fputs(" |", file);
}

static void write_table(FILE *file)
{
    fprintf(file,
            "### winshm-smoke %s, %d-bit\n\n"
            "| verdict | question | expected | seen |\n"
            "| --- | --- | --- | --- |\n",
            winshm_version_string(), (int)sizeof(void *) * 8);
    for (int i = 0; i < count; i++) {
        const char *expected = given[i].question->expected;
        fputs("|", file);
        cell(file, words[given[i].answer.verdict]);
        cell(file, given[i].question->name);
        cell(file, expected != NULL ? expected : "");
        cell(file, given[i].answer.seen);
        fputs("\n", file);
    }
}

int smoke_report_end(const char *path)
{
    int verdicts[4] = {0};
    for (int i = 0; i < count; i++)
        verdicts[given[i].answer.verdict]++;
    FILE *file = fopen(path, "w");
    if (file != NULL) {
        write_table(file);
        fclose(file);
        printf("\nThe report, to be pasted into an issue, is in %s\n", path);
    } else {
        printf("\nThe report, to be pasted into an issue:\n\n");
        write_table(stdout);
    }
    printf("winshm-smoke: %d as expected, %d not as expected, %d facts, "
           "%d skipped\n",
           verdicts[SMOKE_EXPECTED], verdicts[SMOKE_UNEXPECTED],
           verdicts[SMOKE_FACT], verdicts[SMOKE_SKIPPED]);
    return verdicts[SMOKE_UNEXPECTED];
}

/* winshm-smoke: see smoke.h.
 *
 * The exit code is 0 if every answer is as expected, 1 if one is not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "smoke.h"

struct smoke_options smoke_options = {.report = "winshm-smoke.md"};

static int usage(void)
{
    fprintf(
        stderr,
        "usage: winshm-smoke [OPTION]...\n"
        "  --torture SECONDS  also kill workers for so long\n"
        "  --partner FILE     winshm-smoke.exe with other bits, for half of "
        "them\n"
        "  --user NAME        another user of this machine, who can run this "
        "file;\n"
        "                     the password is in WINSHM_SMOKE_PASSWORD\n"
        "  --report FILE      instead of winshm-smoke.md\n"
        "Run in an administrator's console it can answer the most.\n");
    return 2;
}

static int run_role(const char *name, const char *argument, uint32_t number)
{
    for (const struct role *role = smoke_roles; role->name != NULL; role++)
        if (strcmp(name, role->name) == 0)
            return role->run(argument, number);
    return usage();
}

enum { TORTURE_MOST_S = 1000000 };

static bool read_seconds(const char *text, uint32_t *seconds)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    *seconds = (uint32_t)number;
    return end != text && *end == '\0' && number <= TORTURE_MOST_S;
}

static bool read_option(const char *option, const char *value)
{
    if (strcmp(option, "--torture") == 0)
        return read_seconds(value, &smoke_options.torture_s);
    if (strcmp(option, "--partner") == 0)
        smoke_options.partner = value;
    else if (strcmp(option, "--user") == 0)
        smoke_options.user = value;
    else if (strcmp(option, "--report") == 0)
        smoke_options.report = value;
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "--role") == 0)
        return run_role(argv[2], argv[3], (uint32_t)strtoul(argv[4], NULL, 10));
    for (int i = 1; i < argc; i += 2)
        if (i + 1 == argc || !read_option(argv[i], argv[i + 1]))
            return usage();
    smoke_options.password = getenv("WINSHM_SMOKE_PASSWORD");
    if (smoke_options.password == NULL)
        smoke_options.password = "";
    /* What is said is UTF-8, as in the library's messages. */
    UINT before = GetConsoleOutputCP();
    SetConsoleOutputCP(CP_UTF8);
    for (const struct question *question = smoke_questions;
         question->name != NULL; question++) {
        struct answer answer = {SMOKE_FACT, ""};
        question->ask(&answer);
        smoke_report_add(question, &answer);
    }
    smoke_module_remove();
    int unexpected = smoke_report_end(smoke_options.report);
    SetConsoleOutputCP(before);
    return unexpected == 0 ? 0 : 1;
}

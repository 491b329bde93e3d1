/* SPDX-License-Identifier: MIT
 *
 * handover: another process gets a region that has no name.
 *
 *     ./handover give COMMAND...
 *     ./handover [TOKEN]
 *
 * The first makes a region and starts COMMAND, another example called handover
 * in any language, which reads a token from its standard input. The second is
 * such a command in C: it takes the token from the environment variable
 * WINSHM_TOKEN, its argument, or its standard input, whichever there is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <winshm.h>

#ifdef _WIN32
#define popen _popen
#define pclose _pclose
#else
FILE *popen(const char *command, const char *mode);
int pclose(FILE *pipe);
#endif

struct state {
    uint32_t count;
    uint32_t done;
    char text[56];
};

static const winshm_field state_fields[] = {
    WINSHM_FIELD(struct state, count),
    WINSHM_FIELD(struct state, done),
    WINSHM_FIELD(struct state, text),
};

static void check(winshm_status status)
{
    if (status != WINSHM_OK) {
        fprintf(stderr, "%s\n", winshm_last_message());
        exit(EXIT_FAILURE);
    }
}

/* Creates a region of this struct, or opens one that must have the same fields,
 * in whatever language it was declared. */
static winshm_region *enter(const char *name, uint32_t disposition)
{
    char layout[WINSHM_LAYOUT_MAX + 1];
    uint32_t length;
    winshm_options options;
    winshm_region *region;
    check(winshm_format_layout(state_fields, 3, sizeof(struct state), layout,
                               sizeof layout, &length));
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.disposition = disposition;
    options.name = name;
    options.size = sizeof(struct state);
    options.layout = layout;
    check(winshm_open_with(&options, &region));
    return region;
}

/* Starts a command that reads from the stream. */
static FILE *start(int count, char **words)
{
    char command[8192] = "";
    size_t length = 0;
    for (int i = 0; i < count && length < sizeof command; i++) {
        /* The command processor of Windows takes away the outermost quotes. */
#ifdef _WIN32
        const char *before = i == 0 ? "\"\"" : " \"";
        const char *after = i == count - 1 ? "\"\"" : "\"";
#else
        const char *before = i == 0 ? "\"" : " \"", *after = "\"";
#endif
        length += (size_t)snprintf(command + length, sizeof command - length,
                                   "%s%s%s", before, words[i], after);
    }
    FILE *stream = length < sizeof command ? popen(command, "w") : NULL;
    if (stream == NULL) {
        fputs("the command cannot be started\n", stderr);
        exit(EXIT_FAILURE);
    }
    return stream;
}

static void give(int count, char **words)
{
    char token[WINSHM_TOKEN_MAX + 1];
    uint32_t length, seen;
    struct state state = {1, 0, "handed over by C"};

    /* Nobody comes upon the region by its name, which the library makes up. */
    winshm_region *region = enter(NULL, WINSHM_CREATE_NEW);
    check(winshm_write(region, 0, &state, sizeof state, WINSHM_FOREVER));
    check(winshm_export(region, 0, token, sizeof token, &length));

    FILE *child = start(count, words);
    fprintf(child, "%s\n", token);
    fflush(child);

    /* The counter first, then the data: so no change is missed. */
    check(winshm_change_count(region, &seen));
    for (;;) {
        check(winshm_read(region, 0, &state, sizeof state, WINSHM_FOREVER));
        if (state.done)
            break;
        check(winshm_wait(region, seen, 30000, &seen));
    }
    if (pclose(child) != 0) {
        fputs("the command has failed\n", stderr);
        exit(EXIT_FAILURE);
    }
    printf("handed over: count %u\n", (unsigned)state.count);
    check(winshm_close(region));
}

static void take(const char *token)
{
    char name[8 + WINSHM_NAME_MAX];
    uint32_t length;
    winshm_region *found;

    /* The token leads to this very region, which then cannot end any more. That
     * it has the struct that this program knows is checked by opening it as
     * such. */
    check(winshm_import(token, 0, 0, &found));
    check(winshm_get_name(found, name, sizeof name, &length));
    winshm_region *region = enter(name, WINSHM_OPEN_EXISTING);
    check(winshm_close(found));

    check(winshm_lock(region, WINSHM_EXCLUSIVE, WINSHM_FOREVER));
    struct state *state = (struct state *)winshm_data(region);
    int right = state->count == 1 && state->text[0] != '\0';
    if (right) {
        state->count = 2;
        state->done = 1;
    }
    check(winshm_unlock(region, WINSHM_EXCLUSIVE));
    if (!right) {
        fputs("something else was handed over\n", stderr);
        exit(EXIT_FAILURE);
    }
    check(winshm_notify(region));
    check(winshm_close(region));
}

int main(int argc, char **argv)
{
    char line[WINSHM_TOKEN_MAX + 2];
    const char *token = getenv("WINSHM_TOKEN");
    if (argc > 2 && strcmp(argv[1], "give") == 0) {
        give(argc - 2, argv + 2);
    } else if (token != NULL) {
        take(token);
    } else if (argc == 2) {
        take(argv[1]);
    } else if (argc == 1 && fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        take(line);
    } else {
        fputs("usage: handover give COMMAND...\n       handover [TOKEN]\n",
              stderr);
        return EXIT_FAILURE;
    }
    return 0;
}

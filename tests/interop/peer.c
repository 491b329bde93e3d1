/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 the winshm authors
 *
 * The C peer of the tests between languages: reads one command a line from
 * standard input and answers each with one line, "ok [VALUE]" or
 * "error WINSHM_E_NAME". It has one region at a time.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <winshm.h>

#ifdef _WIN32
#include <process.h>
#define getpid _getpid
#else
#include <unistd.h>
#endif

enum { LINE_MAX_BYTES = 1 << 20, WORDS_MAX = 4 };

static winshm_region *region;
static char line[LINE_MAX_BYTES];
static unsigned char bytes[LINE_MAX_BYTES / 2];
static char *words[WORDS_MAX];
static int word_count;

static uint64_t number(int index)
{
    return index < word_count ? strtoull(words[index], NULL, 10) : 0;
}

static uint32_t number32(int index)
{
    return (uint32_t)number(index);
}

static const char *text(int index)
{
    return index < word_count ? words[index] : "";
}

/* Splits at single spaces, so that a word may be empty. */
static void split(void)
{
    word_count = 0;
    for (char *rest = line; rest != NULL && word_count < WORDS_MAX;) {
        words[word_count++] = rest;
        rest = strchr(rest, ' ');
        if (rest != NULL)
            *rest++ = '\0';
    }
}

static size_t from_hex(const char *hex)
{
    size_t length = strlen(hex) / 2;
    for (size_t i = 0; i < length; i++) {
        unsigned value = 0;
        sscanf(hex + 2 * i, "%2x", &value);
        bytes[i] = (unsigned char)value;
    }
    return length;
}

static void say_hex(const unsigned char *from, uint64_t length)
{
    printf("ok ");
    for (uint64_t i = 0; i < length; i++)
        printf("%02x", from[i]);
    putchar('\n');
}

static void say(winshm_status status)
{
    if (status == WINSHM_OK)
        puts("ok");
    else
        printf("error %s\n", winshm_status_name(status));
}

static void say_number(winshm_status status, uint64_t value)
{
    if (status == WINSHM_OK)
        printf("ok %" PRIu64 "\n", value);
    else
        say(status);
}

static winshm_status open_and_wait(void)
{
    winshm_options options = {.struct_size = sizeof options,
                              .flags = number32(2),
                              .disposition = WINSHM_OPEN_EXISTING,
                              .timeout_ms = number32(3),
                              .name = text(1)};
    return winshm_open_with(&options, &region);
}

/* The C API leaves it to the caller to stay inside the mapping. */
static winshm_status inside(uint64_t offset, uint64_t length)
{
    if (winshm_data(region) == NULL)
        return WINSHM_E_CLOSED;
    uint64_t size = winshm_size(region);
    return offset <= size && length <= size - offset ? WINSHM_OK
                                                     : WINSHM_E_RANGE;
}

static void peek(uint64_t offset, uint64_t length)
{
    winshm_status status = inside(offset, length);
    if (status == WINSHM_OK)
        say_hex((unsigned char *)winshm_data(region) + offset, length);
    else
        say(status);
}

static void poke(uint64_t offset, size_t length)
{
    winshm_status status = inside(offset, length);
    if (status == WINSHM_OK)
        memcpy((unsigned char *)winshm_data(region) + offset, bytes, length);
    say(status);
}

static void read_copy(uint64_t offset, uint64_t length, uint32_t timeout_ms)
{
    winshm_status status =
        length > sizeof bytes
            ? WINSHM_E_RANGE
            : winshm_read(region, offset, bytes, length, timeout_ms);
    if (status == WINSHM_OK)
        say_hex(bytes, length);
    else
        say(status);
}

static void answer(void)
{
    uint32_t now = 0;
    winshm_status status;
#define IS(name) (strcmp(words[0], name) == 0)
    if (IS("create")) {
        say(winshm_create(text(1), number(2), number32(3), &region));
    } else if (IS("open")) {
        say(open_and_wait());
    } else if (IS("open_or_create")) {
        say(winshm_open_or_create(text(1), number(2), number32(3), &region));
    } else if (IS("close")) {
        say(winshm_close(region));
    } else if (IS("lock")) {
        say(winshm_lock(region, number32(1), number32(2)));
    } else if (IS("unlock")) {
        say(winshm_unlock(region, number32(1)));
    } else if (IS("repair")) {
        say(winshm_make_consistent(region));
    } else if (IS("write")) {
        size_t length = from_hex(text(2));
        say(winshm_write(region, number(1), bytes, length, number32(3)));
    } else if (IS("read")) {
        read_copy(number(1), number(2), number32(3));
    } else if (IS("poke")) {
        poke(number(1), from_hex(text(2)));
    } else if (IS("peek")) {
        peek(number(1), number(2));
    } else if (IS("notify")) {
        say(winshm_notify(region));
    } else if (IS("changes")) {
        status = winshm_change_count(region, &now);
        say_number(status, now);
    } else if (IS("wait")) {
        status = winshm_wait(region, number32(1), number32(2), &now);
        say_number(status, now);
    } else if (IS("size")) {
        say_number(WINSHM_OK, winshm_size(region));
    } else if (IS("participants")) {
        status = winshm_get_participants(region, NULL, 0, &now);
        say_number(status, now);
    } else if (IS("pid")) {
        say_number(WINSHM_OK, (uint64_t)getpid());
    } else {
        say(WINSHM_E_INVALID);
    }
#undef IS
}

int main(void)
{
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        if (strcmp(line, "quit") == 0)
            return 0;
        split();
        answer();
        fflush(stdout);
    }
    return 0;
}

/* Checks that work in every build type and print what they saw. The first
 * failure ends the process, and with it its children (see child.h): what
 * follows a broken promise proves nothing. */
#ifndef CHECK_H
#define CHECK_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "winshm.h"

enum { CHECK_SKIPPED = 77 };

/** Not exit(): other threads may be in the middle of anything. */
static inline void check_end(int code, const char *file, int line,
                             const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s:%d: ", file, line);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    fflush(stderr);
    _Exit(code);
}

static inline void check_equal(const char *file, int line, const char *text,
                               int64_t actual, int64_t expected)
{
    if (actual != expected)
        check_end(1, file, line,
                  "%s is %" PRId64 " (0x%" PRIx64 "), not %" PRId64, text,
                  actual, (uint64_t)actual, expected);
}

static inline void check_status(const char *file, int line, const char *text,
                                winshm_status actual, winshm_status expected)
{
    if (actual != expected)
        check_end(1, file, line, "%s gave %s, not %s\n    %s", text,
                  winshm_status_name(actual), winshm_status_name(expected),
                  actual != WINSHM_OK ? winshm_last_message() : "");
}

#define CHECK(condition)                                                       \
    ((condition)                                                               \
         ? (void)0                                                             \
         : check_end(1, __FILE__, __LINE__, "not true: %s", #condition))
#define CHECK_EQ(actual, expected)                                             \
    check_equal(__FILE__, __LINE__, #actual, (int64_t)(actual),                \
                (int64_t)(expected))
#define CHECK_STATUS(call, expected)                                           \
    check_status(__FILE__, __LINE__, #call, call, expected)
#define CHECK_OK(call) CHECK_STATUS(call, WINSHM_OK)
#define SKIP(reason) check_end(CHECK_SKIPPED, __FILE__, __LINE__, "%s", reason)

#endif

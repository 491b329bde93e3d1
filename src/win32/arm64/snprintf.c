/* The one function that the C run-time of Windows has under another name only;
 * MinGW-w64 has this in a library that Debian does not build for ARM64. */
#include <stdarg.h>
#include <stdio.h>

int snprintf(char *text, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length =
        __stdio_common_vsprintf(_CRT_INTERNAL_PRINTF_STANDARD_SNPRINTF_BEHAVIOR,
                                text, size, format, NULL, arguments);
    va_end(arguments);
    return length;
}

/* Stands in for the header of Visual C++: what the SDK's own headers need of
 * it. */
#pragma once

#ifdef _WIN64
typedef unsigned __int64 uintptr_t;
#else
typedef unsigned int uintptr_t;
#endif

typedef char *va_list;
#define __crt_va_start(list, last) ((void)__builtin_va_start(list, last))
#define __crt_va_arg(list, type) __builtin_va_arg(list, type)
#define __crt_va_end(list) ((void)__builtin_va_end(list))

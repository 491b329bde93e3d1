/* Stands in for the header of Visual C++: what the SDK's own headers need of
 * it. */
#pragma once

#if defined(_M_IX86)
typedef int jmp_buf[16];
#elif defined(_M_X64)
typedef struct {
    __declspec(align(16)) unsigned __int64 parts[2];
} jmp_buf[16];
#else
typedef unsigned __int64 jmp_buf[24];
#endif

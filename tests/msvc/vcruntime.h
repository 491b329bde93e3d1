/* Stands in for the header of Visual C++: what the SDK's own headers need of
 * it. */
#pragma once

#include <sal.h>
#include <vadefs.h>

#define _VCRTIMP
#define _CRT_BEGIN_C_HEADER
#define _CRT_END_C_HEADER
#define __CRTDECL __cdecl
#define __CLRCALL_OR_CDECL __cdecl
#define __CLRCALL_PURE_OR_CDECL __cdecl
#define _CRT_STRINGIZE_(x) #x
#define _CRT_STRINGIZE(x) _CRT_STRINGIZE_(x)
#define _CRT_SECURE_CPP_NOTHROW throw()
#define _CRT_DEPRECATE_TEXT(text) __declspec(deprecated(text))
#ifdef _CRT_SECURE_NO_WARNINGS
#define _CRT_INSECURE_DEPRECATE(instead)
#else
#define _CRT_INSECURE_DEPRECATE(instead) _CRT_DEPRECATE_TEXT("use " #instead)
#endif
#define NULL ((void *)0)

typedef _Bool __vcrt_bool;
typedef unsigned short wchar_t;

/* Stands in for the header of Visual C++: what the SDK's own headers need of
 * it. */
#pragma once

void *__cdecl memchr(const void *, int, size_t);
int __cdecl memcmp(const void *, const void *, size_t);
void *__cdecl memcpy(void *, const void *, size_t);
void *__cdecl memmove(void *, const void *, size_t);
void *__cdecl memset(void *, int, size_t);
char *__cdecl strchr(const char *, int);
char *__cdecl strrchr(const char *, int);
char *__cdecl strstr(const char *, const char *);
wchar_t *__cdecl wcsstr(const wchar_t *, const wchar_t *);

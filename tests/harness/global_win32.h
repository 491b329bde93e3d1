/* What a test may do in Global\, which differs between machines: it takes a
 * privilege, and in session 0, where services run, Local\ is the same space. */
#ifndef GLOBAL_WIN32_H
#define GLOBAL_WIN32_H

#include <windows.h>

#include "child.h"

/** Looks for what a block made in Global\ is in Local\. @return false if none
 * can be made. */
static inline bool global_try(bool *apart)
{
    char global[100], local[100];
    snprintf(global, sizeof global, "Global\\%s", name_of("try"));
    snprintf(local, sizeof local, "Local\\%s", global + 7);
    HANDLE made = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE,
                                     0, 1, global);
    if (made == NULL)
        return false;
    HANDLE other = OpenFileMappingA(FILE_MAP_READ, FALSE, local);
    *apart = other == NULL;
    if (other != NULL)
        CloseHandle(other);
    CloseHandle(made);
    return true;
}

/** @return true if regions can be made there; else says what is skipped. */
static inline bool global_allows(const char *what)
{
    bool apart;
    if (global_try(&apart))
        return true;
    fprintf(stderr, "skipped: %s needs SeCreateGlobalPrivilege\n", what);
    return false;
}

/** @return true if it is a space of its own; else says what is skipped. */
static inline bool global_is_apart(const char *what)
{
    bool apart = true;
    if (global_try(&apart) && !apart)
        fprintf(stderr, "skipped: %s: in this session Local\\ is Global\\\n",
                what);
    return apart;
}

#endif

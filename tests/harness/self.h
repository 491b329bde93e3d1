/* What a test asks the operating system about its own process. Beside child.h
 * this is all that a test knows of the system. */
#ifndef SELF_H
#define SELF_H

#include <stdbool.h>
#include <stdint.h>

/** What this process holds: descriptors or handles, and shared mappings. */
struct holdings {
    int handles;
    int mappings;
};
struct holdings self_holdings(void);

/** Memory that is this process's own, in KiB; 0 where a sanitizer keeps what
 * was freed, or an emulator has its own beside it. */
uint32_t self_memory(void);

/** A library by its path. */
void *library_load(const char *file);
void *library_symbol(void *library, const char *name);
void library_unload(void *library);
/** True if the process has it loaded. */
bool library_present(const char *file);

#endif

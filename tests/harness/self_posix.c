#include "self.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "child.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED                                                              \
    (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SANITIZED 0
#endif

static int count_entries(const char *path)
{
    DIR *directory = opendir(path);
    int count = 0;
    if (directory == NULL)
        abort();
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

/** Only shared ones: the others are the memory allocator's. */
static int count_mappings(void)
{
    FILE *file = fopen("/proc/self/maps", "r");
    char line[512], share;
    int count = 0;
    if (file == NULL)
        abort();
    while (fgets(line, sizeof line, file) != NULL)
        count +=
            sscanf(line, "%*x-%*x %*c%*c%*c%c", &share) == 1 && share == 's';
    fclose(file);
    return count;
}

struct holdings self_holdings(void)
{
    struct holdings holdings;
    holdings.handles = count_entries("/proc/self/fd");
    holdings.mappings = count_mappings();
    return holdings;
}

uint32_t self_memory(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[512];
    unsigned long kib = 0;
    if (file == NULL)
        abort();
    while (fgets(line, sizeof line, file) != NULL &&
           sscanf(line, "RssAnon: %lu", &kib) != 1)
        ;
    fclose(file);
    return SANITIZED || child_emulated() ? 0 : (uint32_t)kib;
}

void *library_load(const char *file)
{
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        fprintf(stderr, "%s\n", dlerror());
    return library;
}

void *library_symbol(void *library, const char *name)
{
    return dlsym(library, name);
}

void library_unload(void *library)
{
    dlclose(library);
}

bool library_present(const char *file)
{
    void *library = dlopen(file, RTLD_NOW | RTLD_NOLOAD);
    if (library != NULL)
        dlclose(library);
    return library != NULL;
}

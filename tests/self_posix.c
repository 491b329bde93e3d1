#include "self.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

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

static int count_lines(const char *path)
{
    FILE *file = fopen(path, "r");
    int count = 0, c;
    if (file == NULL)
        abort();
    while ((c = getc(file)) != EOF)
        count += c == '\n';
    fclose(file);
    return count;
}

struct holdings self_holdings(void)
{
    struct holdings holdings;
    holdings.handles = count_entries("/proc/self/fd");
    holdings.mappings = count_lines("/proc/self/maps");
    return holdings;
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

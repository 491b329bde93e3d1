#include "instrument.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <windows.h>
#else
#include <errno.h>
#endif

/* The linker knows where the section begins and ends. */
extern struct instrument_site *const __start_instrument[];
extern struct instrument_site *const __stop_instrument[];

enum { SITES_MAX = 4096 };

static struct instrument_site *sites[SITES_MAX];
static uint32_t site_count;

static _Atomic(instrument_hook *) current;

#ifdef _WIN32
volatile LONG instrument_blocks;
#endif

static int compare(const void *left, const void *right)
{
    const struct instrument_site *a = *(struct instrument_site *const *)left;
    const struct instrument_site *b = *(struct instrument_site *const *)right;
    int order = strcmp(a->file, b->file);
    if (order == 0)
        order = (a->line > b->line) - (a->line < b->line);
    return order != 0 ? order : strcmp(a->name, b->name);
}

/** The path from src on, by which excuses name a file. */
static const char *place_in_source(const char *path)
{
    const char *name = path;
    for (const char *next = path; (next = strstr(next, "src/")) != NULL;)
        name = next += 4;
    return name;
}

/** Before main(), since any thread may come to a site. */
__attribute__((constructor)) static void enumerate(void)
{
    uint32_t found = 0;
    for (struct instrument_site *const *place = __start_instrument;
         place < __stop_instrument; place++) {
        if (*place == NULL) /* between two objects */
            continue;
        if (found == SITES_MAX)
            abort();
        (*place)->file = place_in_source((*place)->file);
        sites[found++] = *place;
    }
    qsort(sites, found, sizeof sites[0], compare);
    for (uint32_t i = 0; i < found; i++) {
        struct instrument_site *site = sites[i];
        struct instrument_site *last =
            site_count > 0 ? sites[site_count - 1] : NULL;
        site->first = last != NULL && compare(&last, &site) == 0 ? last : site;
        if (site->first == site) {
            site->index = site_count;
            sites[site_count++] = site;
        }
    }
}

struct instrument_site *const *instrument_sites(uint32_t *count)
{
    *count = site_count;
    return sites;
}

void instrument_set_hook(instrument_hook *hook)
{
    atomic_store(&current, hook);
}

static int32_t last_error(void)
{
#ifdef _WIN32
    return (int32_t)GetLastError();
#else
    return errno;
#endif
}

static void set_last_error(int32_t code)
{
#ifdef _WIN32
    SetLastError((DWORD)code);
#else
    errno = code;
#endif
}

static int32_t announce(struct instrument_site *site,
                        const volatile void *address)
{
    instrument_hook *hook = atomic_load(&current);
    if (hook == NULL)
        return 0;
    int32_t code = last_error();
    int32_t refusal = hook(site->first, address);
    bool refused = refusal != 0 && site->codes[0] != 0;
    set_last_error(refused ? refusal : code);
    return refused ? refusal : 0;
}

int32_t instrument_call(struct instrument_site *site)
{
    return announce(site, NULL);
}

void instrument_store(struct instrument_site *site,
                      const volatile void *address)
{
    announce(site, address);
}

void *instrument_copy(struct instrument_site *whole,
                      struct instrument_site *half, void *to, const void *from,
                      size_t length)
{
    size_t first = length / 2;
    announce(whole, to);
    memcpy(to, from, first);
    announce(half, (char *)to + first);
    memcpy((char *)to + first, (const char *)from + first, length - first);
    return to;
}

#ifdef INSTRUMENT_COVERAGE
void __gcov_dump(void);
#endif

void instrument_exit(int status)
{
    instrument_set_hook(NULL);
#ifdef INSTRUMENT_COVERAGE
    __gcov_dump();
#endif
    _Exit(status);
}

#ifdef _WIN32

#include "instrument_win32.h"

typedef LONG(NTAPI *query)(HANDLE, ULONG, void *, ULONG, ULONG *);

static query real_query;

static LONG NTAPI query_section(HANDLE section, ULONG what, void *answer,
                                ULONG bytes, ULONG *length)
{
    static const int32_t denied = (int32_t)0xC0000022;
    return instrument_call(INSTRUMENT_SITE(INSTRUMENT_CALL, "NtQuerySection",
                                           (ERROR_ACCESS_DENIED, 0))) != 0
               ? denied
               : real_query(section, what, answer, bytes, length);
}

FARPROC instrument_procedure(const char *name, FARPROC found)
{
    if (found == NULL || strcmp(name, "NtQuerySection") != 0)
        return found;
    real_query = (query)(void (*)(void))found;
    return (FARPROC)(void (*)(void))query_section;
}

#undef SystemFunction036
BOOLEAN NTAPI SystemFunction036(void *bytes, ULONG length);

BOOLEAN NTAPI instrument_random(void *bytes, ULONG length)
{
    return instrument_call(INSTRUMENT_SITE(INSTRUMENT_CALL, "SystemFunction036",
                                           (ERROR_NO_SYSTEM_RESOURCES, 0))) != 0
               ? FALSE
               : SystemFunction036(bytes, length);
}

#endif
